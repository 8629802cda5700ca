// Package history prints what a worker does, in the format of compat-tests/checker, and reads its arguments (worker.py).
package history

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// Arguments of a worker, in this order on its command line.
type Arguments struct{ Address, Input, Output, Group, TransactionalID, Process, Protocol string }

// Parse reads the command line.
func Parse() Arguments {
	if len(os.Args) != 8 {
		fmt.Fprintln(os.Stderr, "want: HOST:PORT INPUT OUTPUT GROUP TRANSACTIONAL_ID PROCESS PROTOCOL")
		os.Exit(2)
	}
	a := os.Args
	return Arguments{a[1], a[2], a[3], a[4], a[5], a[6], a[7]}
}

// UntilStopped is a context that SIGTERM ends.
func UntilStopped() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	return ctx
}

// Fields of an event beside its time and op.
type Fields map[string]any

var stdout sync.Mutex

// Tell prints one event.
func Tell(op string, fields Fields) {
	stdout.Lock()
	defer stdout.Unlock()
	line := Fields{"time": float64(time.Now().UnixMicro()) / 1e6, "op": op}
	for name, value := range fields {
		line[name] = value
	}
	data, err := json.Marshal(line)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(data))
}

// Note tells of trouble that the worker lives with.
func Note(trouble error) { Tell("note", Fields{"text": trouble.Error()}) }

// GiveUp ends the worker: its producer is of no more use.
func GiveUp(trouble error) {
	Note(trouble)
	os.Exit(3)
}

// Acked tells that the broker has confirmed a record.
func Acked(value, topic string, partition int32, offset int64) {
	Tell("acked", Fields{"value": value, "topic": topic, "partition": partition, "offset": offset})
}

// Txn is one transaction of a worker.
type Txn struct {
	Name     string
	producer string // its transactional id
	args     Arguments
}

// Begin names the next transaction and tells that it begins.
func Begin(args Arguments, producer string, number int) Txn {
	txn := Txn{fmt.Sprintf("%s.%d", args.Process, number), producer, args}
	txn.tell("begin", Fields{})
	return txn
}

// Consumed tells which records the transaction consumes: [topic, partition, offset, value].
func (t Txn) Consumed(records [][4]any) { t.tell("poll", Fields{"records": records}) }

// Sends tells of a record about to be sent; its value.
func (t Txn) Sends(consumed string) string {
	value := consumed + "@" + t.Name
	t.tell("send", Fields{"topic": t.args.Output, "producer": t.producer, "value": value})
	return value
}

// Offsets tells of the offsets to be committed with the transaction.
func (t Txn) Offsets(next map[int32]int64) {
	rows := [][3]any{}
	for partition, offset := range next {
		rows = append(rows, [3]any{t.args.Input, partition, offset})
	}
	t.tell("offsets", Fields{"group": t.args.Group, "offsets": rows})
}

// Commits is told before the commit is asked for, Committed when it is certain; Aborts and Aborted alike.
func (t Txn) Commits()   { t.tell("commit", Fields{}) }
func (t Txn) Committed() { t.tell("committed", Fields{}) }
func (t Txn) Aborts()    { t.tell("abort", Fields{}) }
func (t Txn) Aborted()   { t.tell("aborted", Fields{}) }

func (t Txn) tell(op string, fields Fields) {
	fields["txn"] = t.Name
	Tell(op, fields)
}

// Assigned tells that the positions of the consumer may have changed.
func Assigned() { Tell("assign", Fields{}) }
