// Package lines prints what a group member does, as scenario.py describes it, and reads its arguments.
package lines

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
)

// Arguments of a member, in this order on its command line.
type Arguments struct{ Address, Topic, Group, Name, Strategy string }

// Parse reads the command line.
func Parse() Arguments {
	if len(os.Args) != 6 {
		fmt.Fprintln(os.Stderr, "want: HOST:PORT TOPIC GROUP NAME STRATEGY")
		os.Exit(2)
	}
	return Arguments{os.Args[1], os.Args[2], os.Args[3], os.Args[4], os.Args[5]}
}

// UntilStopped is a context that SIGTERM ends.
func UntilStopped() context.Context {
	ctx, _ := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	return ctx
}

// Owned is the set of a member's partitions; every change is printed. Any goroutine may call it.
type Owned struct {
	mutex sync.Mutex
	set   []int
}

// Set replaces everything.
func (o *Owned) Set(partitions []int) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.set = slices.Clone(partitions)
	o.tell()
}

// Add adds partitions.
func (o *Owned) Add(partitions []int) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.set = append(o.set, partitions...)
	o.tell()
}

// Remove takes partitions away.
func (o *Owned) Remove(partitions []int) {
	o.mutex.Lock()
	defer o.mutex.Unlock()
	o.set = slices.DeleteFunc(o.set, func(p int) bool { return slices.Contains(partitions, p) })
	o.tell()
}

func (o *Owned) tell() {
	slices.Sort(o.set)
	words := make([]string, len(o.set))
	for i, p := range o.set {
		words[i] = strconv.Itoa(p)
	}
	if len(words) == 0 {
		words = []string{"-"}
	}
	say("owns", strings.Join(words, ","))
}

// Record tells of a record that was read.
func Record(partition int, offset int64) { say("record", partition, offset) }

// Committed tells of a commit that the broker has confirmed; `next` is the offset to go on with.
func Committed(partition int, next int64) { say("committed", partition, next) }

// Note tells of trouble that the member lives with.
func Note(trouble error) { say("note", strings.ReplaceAll(trouble.Error(), "\n", " ")) }

// Left is the last line of a member that has closed properly.
func Left() { say("left") }

var stdout sync.Mutex

func say(words ...any) {
	stdout.Lock()
	defer stdout.Unlock()
	fmt.Println(words...)
}
