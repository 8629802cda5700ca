// A group member on confluent-kafka-go, which brings an older librdkafka than the Python client does.
package main

import (
	"log"

	"github.com/confluentinc/confluent-kafka-go/v2/kafka"

	"milena/groups/lines"
)

func partitionsOf(list []kafka.TopicPartition) []int {
	var partitions []int
	for _, one := range list {
		partitions = append(partitions, int(one.Partition))
	}
	return partitions
}

func main() {
	args := lines.Parse()
	consumer, err := kafka.NewConsumer(&kafka.ConfigMap{
		"bootstrap.servers":             args.Address,
		"group.id":                      args.Group,
		"client.id":                     args.Name,
		"auto.offset.reset":             "earliest",
		"enable.auto.commit":            false,
		"session.timeout.ms":            6000,
		"heartbeat.interval.ms":         1000,
		"partition.assignment.strategy": args.Strategy,
	})
	if err != nil {
		log.Fatal(err)
	}
	var owned lines.Owned
	rebalanced := func(_ *kafka.Consumer, event kafka.Event) error {
		switch change := event.(type) {
		case kafka.AssignedPartitions:
			owned.Add(partitionsOf(change.Partitions))
		case kafka.RevokedPartitions:
			owned.Remove(partitionsOf(change.Partitions))
		}
		return nil
	}
	if err := consumer.Subscribe(args.Topic, rebalanced); err != nil {
		log.Fatal(err)
	}
	stopped := lines.UntilStopped()
	for stopped.Err() == nil {
		switch event := consumer.Poll(200).(type) {
		case *kafka.Message:
			lines.Record(int(event.TopicPartition.Partition), int64(event.TopicPartition.Offset))
			commit(consumer, event)
		case kafka.Error:
			lines.Note(event)
		}
	}
	if err := consumer.Close(); err != nil {
		lines.Note(err)
	}
	lines.Left()
}

func commit(consumer *kafka.Consumer, record *kafka.Message) {
	done, err := consumer.CommitMessage(record)
	if err != nil {
		lines.Note(err)
		return
	}
	for _, one := range done {
		lines.Committed(int(one.Partition), int64(one.Offset))
	}
}
