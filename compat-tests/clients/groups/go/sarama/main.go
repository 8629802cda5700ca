// A group member on sarama.
package main

import (
	"context"
	"log"
	"os"
	"time"

	"github.com/IBM/sarama"

	"milena/groups/lines"
)

var strategies = map[string]sarama.BalanceStrategy{
	"range":      sarama.NewBalanceStrategyRange(),
	"roundrobin": sarama.NewBalanceStrategyRoundRobin(),
	"sticky":     sarama.NewBalanceStrategySticky(),
}

type member struct {
	topic string
	owned lines.Owned
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	var partitions []int
	for _, p := range session.Claims()[m.topic] {
		partitions = append(partitions, int(p))
	}
	m.owned.Set(partitions)
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error {
	m.owned.Set(nil)
	return nil
}

// ConsumeClaim runs once for each partition; what it marks is committed by sarama, here after every record.
func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	for {
		select {
		case record, open := <-claim.Messages():
			if !open {
				return nil
			}
			lines.Record(int(record.Partition), record.Offset)
			session.MarkMessage(record, "")
			session.Commit()
		case <-session.Context().Done():
			return nil
		}
	}
}

func main() {
	args := lines.Parse()
	sarama.Logger = log.New(os.Stderr, "", log.Ltime)
	config := sarama.NewConfig()
	config.ClientID = args.Name
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = time.Second
	config.Consumer.Group.Rebalance.GroupStrategies = []sarama.BalanceStrategy{strategies[args.Strategy]}
	group, err := sarama.NewConsumerGroup([]string{args.Address}, args.Group, config)
	if err != nil {
		log.Fatal(err)
	}
	stopped := lines.UntilStopped()
	m := &member{topic: args.Topic}
	for stopped.Err() == nil {
		if err := group.Consume(stopped, []string{args.Topic}, m); err != nil {
			lines.Note(err)
			pause(stopped)
		}
	}
	if err := group.Close(); err != nil {
		lines.Note(err)
	}
	lines.Left()
}

func pause(ctx context.Context) {
	select {
	case <-time.After(200 * time.Millisecond):
	case <-ctx.Done():
	}
}
