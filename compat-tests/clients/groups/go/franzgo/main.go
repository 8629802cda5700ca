// A group member on franz-go.
package main

import (
	"context"
	"log"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"milena/groups/lines"
)

func partitionsOf(topics map[string][]int32) []int {
	var partitions []int
	for _, list := range topics {
		for _, p := range list {
			partitions = append(partitions, int(p))
		}
	}
	return partitions
}

// The strategy is an assignor, or "consumer" for the KIP-848 protocol.
func strategy(name string) []kgo.Opt {
	classic := []kgo.Opt{kgo.SessionTimeout(6 * time.Second), kgo.HeartbeatInterval(time.Second)}
	switch name {
	case "range":
		return append(classic, kgo.Balancers(kgo.RangeBalancer()))
	case "cooperative-sticky":
		return append(classic, kgo.Balancers(kgo.CooperativeStickyBalancer()))
	case "consumer":
		return []kgo.Opt{kgo.Balancers(kgo.StickyBalancer()), kgo.ServerSideBalancer()}
	}
	log.Fatalf("no strategy %q", name)
	return nil
}

func main() {
	args := lines.Parse()
	var owned lines.Owned
	assigned := func(_ context.Context, _ *kgo.Client, topics map[string][]int32) { owned.Add(partitionsOf(topics)) }
	revoked := func(_ context.Context, _ *kgo.Client, topics map[string][]int32) { owned.Remove(partitionsOf(topics)) }
	client, err := kgo.NewClient(append(strategy(args.Strategy),
		kgo.SeedBrokers(args.Address),
		kgo.ClientID(args.Name),
		kgo.ConsumerGroup(args.Group),
		kgo.ConsumeTopics(args.Topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.DisableAutoCommit(),
		kgo.BlockRebalanceOnPoll(),
		kgo.OnPartitionsAssigned(assigned),
		kgo.OnPartitionsRevoked(revoked),
		kgo.OnPartitionsLost(revoked),
	)...)
	if err != nil {
		log.Fatal(err)
	}
	stopped := lines.UntilStopped()
	for stopped.Err() == nil {
		turn(stopped, client)
	}
	client.AllowRebalance()
	client.Close()
	lines.Left()
}

func turn(stopped context.Context, client *kgo.Client) {
	defer client.AllowRebalance()
	fetches := client.PollFetches(stopped)
	fetches.EachError(func(_ string, _ int32, err error) {
		if stopped.Err() == nil {
			lines.Note(err)
		}
	})
	records := fetches.Records()
	if len(records) == 0 {
		return
	}
	next := map[int32]int64{}
	for _, record := range records {
		lines.Record(int(record.Partition), record.Offset)
		next[record.Partition] = record.Offset + 1
	}
	limited, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if err := client.CommitRecords(limited, records...); err != nil {
		lines.Note(err)
		return
	}
	for partition, offset := range next {
		lines.Committed(int(partition), offset)
	}
}
