// Consume, transform, produce with franz-go's GroupTransactSession.
package main

import (
	"context"
	"math/rand"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"milena/eos/history"
)

const aborts = 0.1 // the part of the transactions that the worker gives up by itself

func main() {
	args := history.Parse()
	moved := func(context.Context, *kgo.Client, map[string][]int32) { history.Assigned() }
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(args.Address),
		kgo.ClientID(args.Process),
		kgo.TransactionalID(args.TransactionalID),
		kgo.TransactionTimeout(15*time.Second),
		kgo.ConsumerGroup(args.Group),
		kgo.ConsumeTopics(args.Input),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.RequireStableFetchOffsets(),
		kgo.SessionTimeout(6*time.Second),
		kgo.HeartbeatInterval(time.Second),
		kgo.DefaultProduceTopic(args.Output),
		kgo.ProducerLinger(2*time.Millisecond),
		kgo.OnPartitionsAssigned(moved),
		kgo.OnPartitionsRevoked(moved),
		kgo.OnPartitionsLost(moved),
	)
	if err != nil {
		history.GiveUp(err)
	}
	stopped := history.UntilStopped()
	for number := 1; stopped.Err() == nil; {
		limited, cancel := context.WithTimeout(stopped, time.Second)
		fetches := session.PollRecords(limited, 50)
		cancel()
		fetches.EachError(func(_ string, _ int32, err error) {
			if limited.Err() == nil {
				history.Note(err)
			}
		})
		if records := fetches.Records(); len(records) > 0 {
			transact(args, session, number, records)
			number++
		}
	}
	session.Close()
}

func transact(args history.Arguments, session *kgo.GroupTransactSession, number int, records []*kgo.Record) {
	txn := history.Begin(args, args.TransactionalID, number)
	rows, next := [][4]any{}, map[int32]int64{}
	for _, one := range records {
		rows = append(rows, [4]any{one.Topic, one.Partition, one.Offset, string(one.Value)})
		next[one.Partition] = one.Offset + 1
	}
	txn.Consumed(rows)
	if err := session.Begin(); err != nil {
		history.GiveUp(err)
	}
	var failed kgo.FirstErrPromise
	for _, one := range records {
		value := txn.Sends(string(one.Value))
		session.Produce(context.Background(), &kgo.Record{Key: one.Value, Value: []byte(value)}, func(sent *kgo.Record, err error) {
			if err == nil {
				history.Acked(value, sent.Topic, sent.Partition, sent.Offset)
			}
			failed.Promise()(sent, err)
		})
	}
	txn.Offsets(next)
	if err := session.Client().Flush(context.Background()); err != nil {
		history.Note(err)
	}
	end(session, txn, failed.Err() == nil && rand.Float64() >= aborts)
}

// end asks for a commit or an abort. The session turns a commit into an abort if the group has rebalanced meanwhile, and
// rewinds its consumer after every abort.
func end(session *kgo.GroupTransactSession, txn history.Txn, commit bool) {
	if commit {
		txn.Commits()
	} else {
		txn.Aborts()
	}
	committed, err := session.End(context.Background(), kgo.TransactionEndTry(commit))
	switch {
	case err != nil:
		history.GiveUp(err) // the outcome is unknown
	case committed:
		txn.Committed()
	default:
		txn.Aborted()
		history.Assigned()
	}
}
