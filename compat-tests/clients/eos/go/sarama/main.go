// Consume, transform, produce with sarama's consumer group and transactional producer.
package main

import (
	"fmt"
	"log"
	"math/rand"
	"os"
	"sync/atomic"
	"time"

	"github.com/IBM/sarama"

	"milena/eos/history"
)

const aborts = 0.1 // the part of the transactions that the worker gives up by itself

// Sarama tells the broker nothing of the group when it commits offsets in a transaction, so a group member that was
// replaced is not fenced by that. It is by its producer: each input partition has one transactional id, whoever owns it.
type worker struct {
	args   history.Arguments
	config *sarama.Config
	admin  sarama.ClusterAdmin
	number atomic.Int32
}

func (w *worker) Setup(sarama.ConsumerGroupSession) error {
	history.Assigned()
	return nil
}

func (w *worker) Cleanup(sarama.ConsumerGroupSession) error {
	history.Assigned()
	return nil
}

// ConsumeClaim runs once for each partition; when it returns, the session ends and the worker joins its group anew.
func (w *worker) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	producer, err := w.producerFor(claim)
	if err != nil {
		return err
	}
	defer producer.AsyncClose()
	for {
		select {
		case <-session.Context().Done():
			return nil
		case first, open := <-claim.Messages():
			if !open {
				return nil
			}
			records := []*sarama.ConsumerMessage{first}
			for len(records) < 50 && len(claim.Messages()) > 0 {
				records = append(records, <-claim.Messages())
			}
			for committed := false; !committed; {
				if committed, err = w.transact(producer, records); err != nil {
					return err
				}
			}
		}
	}
}

// producerFor fences the partition's owner before. That one may have committed after the claim's offset was fetched.
func (w *worker) producerFor(claim sarama.ConsumerGroupClaim) (sarama.AsyncProducer, error) {
	config := *w.config
	config.Producer.Transaction.ID = w.transactionalID(claim.Partition())
	producer, err := sarama.NewAsyncProducer([]string{w.args.Address}, &config)
	if err != nil {
		return nil, err
	}
	offsets, err := w.admin.ListConsumerGroupOffsets(w.args.Group, map[string][]int32{claim.Topic(): {claim.Partition()}})
	if err == nil {
		block := offsets.GetBlock(claim.Topic(), claim.Partition())
		if block.Err != sarama.ErrNoError {
			err = block.Err
		} else if block.Offset >= 0 && block.Offset != claim.InitialOffset() {
			err = fmt.Errorf("partition %d goes on at %d, not at %d", claim.Partition(), block.Offset, claim.InitialOffset())
		}
	}
	if err != nil {
		producer.AsyncClose()
		return nil, err
	}
	return producer, nil
}

func (w *worker) transactionalID(partition int32) string {
	return fmt.Sprintf("%s-%d", w.args.Group, partition)
}

// transact puts the records through in one transaction; false if it was aborted and may be tried again.
func (w *worker) transact(producer sarama.AsyncProducer, records []*sarama.ConsumerMessage) (bool, error) {
	history.Assigned() // the same records may have been in a transaction that aborted
	txn := history.Begin(w.args, w.transactionalID(records[0].Partition), int(w.number.Add(1)))
	rows := [][4]any{}
	for _, one := range records {
		rows = append(rows, [4]any{one.Topic, one.Partition, one.Offset, string(one.Value)})
	}
	txn.Consumed(rows)
	if err := producer.BeginTxn(); err != nil {
		return false, err
	}
	err := w.send(producer, txn, records)
	last := records[len(records)-1]
	txn.Offsets(map[int32]int64{last.Partition: last.Offset + 1})
	offsets := map[string][]*sarama.PartitionOffsetMetadata{last.Topic: {{Partition: last.Partition, Offset: last.Offset + 1}}}
	if err == nil {
		err = producer.AddOffsetsToTxn(offsets, w.args.Group)
	}
	if err == nil && rand.Float64() >= aborts {
		txn.Commits()
		if err = insist(producer, producer.CommitTxn); err == nil {
			txn.Committed()
			return true, nil
		}
	}
	if err != nil {
		history.Note(err)
	}
	if producer.TxnStatus()&sarama.ProducerTxnFlagFatalError != 0 {
		return false, err
	}
	txn.Aborts()
	if err = insist(producer, producer.AbortTxn); err == nil {
		txn.Aborted()
	}
	return false, err
}

// insist repeats the end of a transaction until it is done, or can only be aborted, or the producer is of no more use.
func insist(producer sarama.AsyncProducer, end func() error) error {
	for {
		err := end()
		if err == nil || producer.TxnStatus()&(sarama.ProducerTxnFlagFatalError|sarama.ProducerTxnFlagAbortableError) != 0 {
			return err
		}
		history.Note(err)
		time.Sleep(100 * time.Millisecond)
	}
}

// send waits for every record; the first error.
func (w *worker) send(producer sarama.AsyncProducer, txn history.Txn, records []*sarama.ConsumerMessage) error {
	go func() {
		for _, one := range records {
			value := txn.Sends(string(one.Value))
			producer.Input() <- &sarama.ProducerMessage{
				Topic: w.args.Output, Key: sarama.ByteEncoder(one.Value), Value: sarama.StringEncoder(value), Metadata: value,
			}
		}
	}()
	var failed error
	for range records {
		select {
		case sent := <-producer.Successes():
			history.Acked(sent.Metadata.(string), sent.Topic, sent.Partition, sent.Offset)
		case trouble := <-producer.Errors():
			failed = trouble.Err
		}
	}
	return failed
}

func main() {
	args := history.Parse()
	sarama.Logger = log.New(os.Stderr, "", log.Ltime)
	config := sarama.NewConfig()
	config.ClientID = args.Process
	config.Version = sarama.V2_8_0_0
	config.Net.MaxOpenRequests = 1
	config.Metadata.Retry.Max = 30
	config.Producer.Idempotent = true
	config.Producer.RequiredAcks = sarama.WaitForAll
	config.Producer.Retry.Max = 100
	config.Producer.Return.Successes = true
	config.Producer.Transaction.Timeout = 15 * time.Second
	config.Producer.Transaction.Retry.Max = 100
	config.Consumer.IsolationLevel = sarama.ReadCommitted
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 6 * time.Second
	config.Consumer.Group.Heartbeat.Interval = time.Second
	admin, err := sarama.NewClusterAdmin([]string{args.Address}, config)
	if err != nil {
		history.GiveUp(err)
	}
	group, err := sarama.NewConsumerGroup([]string{args.Address}, args.Group, config)
	if err != nil {
		history.GiveUp(err)
	}
	stopped := history.UntilStopped()
	w := &worker{args: args, config: config, admin: admin}
	for stopped.Err() == nil {
		if err := group.Consume(stopped, []string{args.Input}, w); err != nil {
			history.Note(err)
			time.Sleep(200 * time.Millisecond)
		}
	}
	if err := group.Close(); err != nil {
		history.Note(err)
	}
}
