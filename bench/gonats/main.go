// The Go client nats.go, doing what bench/raw.c does. Same flags, same line of results.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

const (
	warmup  = 200 // as BENCH_WARMUP
	loneGap = time.Millisecond
	wait    = 30 * time.Second
)

type args struct {
	work, url, subject, storage string
	msgs, size                  int
}

var works = map[string]func(*args) error{
	"pub": publish, "sub": receive, "req": request, "respond": respond, "lone": lone,
	"js-pub": jsPublish, "js-fetch": jsFetch, "js-consume": jsConsume, "js-ordered": jsOrdered,
}

// ---- clocks and results ----

var epoch = time.Now()

func now() int64 { return int64(time.Since(epoch)) }

// cpu is the user and system time of this process, all threads, in nanoseconds.
func cpu() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano() + usage.Stime.Nano()
}

type watch struct{ wall, cpu int64 }

func start() watch          { return watch{now(), cpu()} }
func (w watch) stop() watch { return watch{now() - w.wall, cpu() - w.cpu} }

func printCommon(a *args, took watch) {
	seconds := float64(took.wall) / 1e9
	msgs := float64(a.msgs)
	fmt.Printf("gonats,%s,%d,%d,%.6f,%.0f,%.2f,", a.work, a.size, a.msgs, seconds, msgs/seconds,
		float64(took.cpu)/msgs)
}

func printRate(a *args, took watch) {
	printCommon(a, took)
	fmt.Println(",,")
}

func printTimes(a *args, took watch, samples []int64) {
	slices.Sort(samples)
	at := func(share float64) float64 {
		return float64(samples[int(float64(len(samples)-1)*share+0.5)]) / 1e3
	}
	printCommon(a, took)
	fmt.Printf("%.2f,%.2f,\n", at(0.50), at(0.99))
}

func payload(a *args) []byte { return []byte(strings.Repeat("x", a.size)) }

func subscribe(nc *nats.Conn, subject string, handler nats.MsgHandler) error {
	sub, err := nc.Subscribe(subject, handler)
	if err != nil {
		return err
	}
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return err
	}
	return nc.Flush()
}

// ---- works ----

func publish(a *args) error {
	nc, err := nats.Connect(a.url)
	if err != nil {
		return err
	}
	defer nc.Close()
	data := payload(a)

	began := start()
	for range a.msgs {
		if err := nc.Publish(a.subject, data); err != nil {
			return err
		}
	}
	if err := nc.FlushTimeout(wait); err != nil {
		return err
	}
	printRate(a, began.stop())
	return nil
}

func receive(a *args) error {
	nc, err := nats.Connect(a.url)
	if err != nil {
		return err
	}
	defer nc.Close()
	done := make(chan watch)
	msgs, bytes := 0, 0
	began := start()
	err = subscribe(nc, a.subject, func(m *nats.Msg) {
		if msgs == 0 {
			began.wall = now()
		}
		msgs++
		bytes += len(m.Data)
		if msgs == a.msgs {
			done <- began.stop()
		}
	})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	took := <-done
	if bytes != a.msgs*a.size {
		return fmt.Errorf("%d bytes came", bytes)
	}
	printRate(a, took)
	return nil
}

func request(a *args) error {
	nc, err := nats.Connect(a.url)
	if err != nil {
		return err
	}
	defer nc.Close()
	data := payload(a)
	samples := make([]int64, 0, a.msgs)

	began := start()
	for i := range a.msgs + warmup {
		if i == warmup {
			began = start()
		}
		asked := now()
		reply, err := nc.Request(a.subject, data, wait)
		if err != nil {
			return err
		}
		if i >= warmup {
			samples = append(samples, now()-asked)
		}
		if len(reply.Data) != a.size {
			return fmt.Errorf("a reply has %d bytes", len(reply.Data))
		}
	}
	printTimes(a, began.stop(), samples)
	return nil
}

func respond(a *args) error {
	nc, err := nats.Connect(a.url)
	if err != nil {
		return err
	}
	defer nc.Close()
	done := make(chan error)
	msgs := 0
	err = subscribe(nc, a.subject, func(m *nats.Msg) {
		err := m.Respond(m.Data)
		msgs++
		if msgs == a.msgs+warmup || err != nil {
			done <- err
		}
	})
	if err != nil {
		return err
	}
	fmt.Println("ready")
	began := start()
	if err := <-done; err != nil {
		return err
	}
	if err := nc.Flush(); err != nil {
		return err
	}
	printRate(a, began.stop())
	return nil
}

func lone(a *args) error {
	if a.size < 8 {
		return fmt.Errorf("--size: at least 8 for lone")
	}
	in, err := nats.Connect(a.url)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := nats.Connect(a.url)
	if err != nil {
		return err
	}
	defer out.Close()
	samples := make([]int64, 0, a.msgs)
	done := make(chan bool)
	err = subscribe(in, a.subject, func(m *nats.Msg) {
		samples = append(samples, now()-int64(binary.LittleEndian.Uint64(m.Data)))
		if len(samples) == a.msgs {
			done <- true
		}
	})
	if err != nil {
		return err
	}
	data := payload(a)
	began := start()
	for range a.msgs {
		time.Sleep(loneGap)
		binary.LittleEndian.PutUint64(data, uint64(now()))
		if err := out.Publish(a.subject, data); err != nil {
			return err
		}
	}
	<-done
	printTimes(a, began.stop(), samples)
	return nil
}

func main() {
	a := &args{}
	flags := flag.NewFlagSet("gonats WORK", flag.ExitOnError)
	flags.StringVar(&a.url, "url", "nats://127.0.0.1:4222", "server")
	flags.IntVar(&a.msgs, "msgs", 1000000, "messages")
	flags.IntVar(&a.size, "size", 128, "bytes of payload")
	flags.StringVar(&a.subject, "subject", "bench", "subject")
	flags.StringVar(&a.storage, "storage", "memory", "of streams: memory, file")
	if len(os.Args) < 2 {
		flags.Usage()
		os.Exit(2)
	}
	a.work = os.Args[1]
	run, ok := works[a.work]
	if err := flags.Parse(os.Args[2:]); err != nil || !ok || a.msgs < 1 {
		fmt.Fprintf(os.Stderr, "unknown work or bad flag: %v\n", os.Args[1:])
		os.Exit(2)
	}
	if err := run(a); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", a.work, err)
		os.Exit(1)
	}
}
