// A group member on segmentio/kafka-go: its ConsumerGroup, which a Reader with a group is made of, tells the assignments.
package main

import (
	"context"
	"errors"
	"log"
	"time"

	"github.com/segmentio/kafka-go"

	"milena/groups/lines"
)

func main() {
	args := lines.Parse()
	dialer := &kafka.Dialer{ClientID: args.Name, Timeout: 5 * time.Second}
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:                args.Group,
		Brokers:           []string{args.Address},
		Topics:            []string{args.Topic},
		Dialer:            dialer,
		GroupBalancers:    []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
		StartOffset:       kafka.FirstOffset,
		SessionTimeout:    6 * time.Second,
		HeartbeatInterval: time.Second,
		RebalanceTimeout:  30 * time.Second,
		JoinGroupBackoff:  500 * time.Millisecond,
	})
	if err != nil {
		log.Fatal(err)
	}
	stopped := lines.UntilStopped()
	var owned lines.Owned
	for stopped.Err() == nil {
		generation, err := group.Next(stopped)
		if err != nil {
			if stopped.Err() == nil {
				lines.Note(err)
			}
			continue
		}
		var partitions []int
		for _, assignment := range generation.Assignments[args.Topic] {
			partitions = append(partitions, assignment.ID)
			generation.Start(func(ctx context.Context) { read(ctx, generation, args, dialer, assignment) })
		}
		owned.Set(partitions)
	}
	if err := group.Close(); err != nil {
		lines.Note(err)
	}
	lines.Left()
}

// read follows one partition until the generation ends, and commits after every record.
func read(ctx context.Context, generation *kafka.Generation, args lines.Arguments, dialer *kafka.Dialer, at kafka.PartitionAssignment) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers:   []string{args.Address},
		Topic:     args.Topic,
		Partition: at.ID,
		Dialer:    dialer,
		MaxWait:   200 * time.Millisecond,
	})
	defer reader.Close()
	if err := reader.SetOffset(at.Offset); err != nil {
		lines.Note(err)
		return
	}
	for {
		record, err := reader.ReadMessage(ctx)
		if errors.Is(err, kafka.ErrGenerationEnded) || ctx.Err() != nil {
			return
		}
		if err != nil {
			lines.Note(err)
			continue
		}
		lines.Record(record.Partition, record.Offset)
		next := record.Offset + 1
		if err := generation.CommitOffsets(map[string]map[int]int64{args.Topic: {record.Partition: next}}); err != nil {
			lines.Note(err)
			continue
		}
		lines.Committed(record.Partition, next)
	}
}
