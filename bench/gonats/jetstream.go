package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	window = 4000  // as BENCH_WINDOW
	pull   = 500   // as BENCH_PULL
	ahead  = 10000 // as BENCH_AHEAD
	acks   = 10000 // as BENCH_ACKS
)

// stage is a connection, the consumer that is read from, and what was read.
type stage struct {
	a           *args
	nc          *nats.Conn
	js          jetstream.JetStream
	ctx         context.Context
	cancel      context.CancelFunc
	msgs, bytes int
	acked       bool
	took        watch
	done        chan error
}

func openStage(a *args) (*stage, error) {
	nc, err := nats.Connect(a.url)
	if err != nil {
		return nil, err
	}
	js, err := jetstream.New(nc, jetstream.WithPublishAsyncMaxPending(window))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	return &stage{a: a, nc: nc, js: js, ctx: ctx, cancel: cancel, done: make(chan error, 1)}, nil
}

func (s *stage) close() {
	s.cancel()
	s.nc.Close()
}

// ---- publish ----

func (s *stage) makeStream() error {
	storage := jetstream.MemoryStorage
	if s.a.storage == "file" {
		storage = jetstream.FileStorage
	}
	_ = s.js.DeleteStream(s.ctx, "BENCH") // of an earlier run
	_, err := s.js.CreateStream(s.ctx, jetstream.StreamConfig{Name: "BENCH",
		Subjects: []string{s.a.subject}, Storage: storage})
	return err
}

// jsPublish gives each message to PublishAsync, its quickest way. The futures are let go: the stream is counted.
func jsPublish(a *args) error {
	s, err := openStage(a)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.makeStream(); err != nil {
		return err
	}
	data := payload(a)

	began := start()
	for range a.msgs {
		if _, err := s.js.PublishAsync(a.subject, data, jetstream.WithStallWait(wait)); err != nil {
			return err
		}
	}
	select {
	case <-s.js.PublishAsyncComplete():
	case <-time.After(wait):
		return fmt.Errorf("%d messages were not acknowledged", s.js.PublishAsyncPending())
	}
	took := began.stop()

	stream, err := s.js.Stream(s.ctx, "BENCH")
	if err != nil {
		return err
	}
	if last := stream.CachedInfo().State.LastSeq; last != uint64(a.msgs) {
		return fmt.Errorf("the stream has had %d messages", last)
	}
	printRate(a, took)
	return s.js.DeleteStream(s.ctx, "BENCH")
}

// ---- consume ----

func (s *stage) stream() string { return "FILLED_" + s.a.storage }

func (s *stage) makeConsumer() (jetstream.Consumer, error) {
	s.acked = true
	_ = s.js.DeleteConsumer(s.ctx, s.stream(), "bench") // of an earlier run
	return s.js.CreateConsumer(s.ctx, s.stream(), jetstream.ConsumerConfig{Durable: "bench",
		AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: acks})
}

// take counts a message and acknowledges it; the last with the server's word, which has taken note of all then.
func (s *stage) take(msg jetstream.Msg) error {
	s.msgs++
	s.bytes += len(msg.Data())
	if !s.acked {
		return nil
	}
	if s.msgs == s.a.msgs {
		return msg.DoubleAck(s.ctx)
	}
	return msg.Ack()
}

// finish checks, deletes the consumer that has acks, and prints.
func (s *stage) finish() error {
	if s.msgs != s.a.msgs || s.bytes != s.a.msgs*s.a.size {
		return fmt.Errorf("%d messages with %d bytes came", s.msgs, s.bytes)
	}
	if s.acked {
		consumer, err := s.js.Consumer(s.ctx, s.stream(), "bench")
		if err != nil {
			return err
		}
		if floor := consumer.CachedInfo().AckFloor.Stream; floor != uint64(s.a.msgs) {
			return fmt.Errorf("acks are in as far as message %d", floor)
		}
		if err := s.js.DeleteConsumer(s.ctx, s.stream(), "bench"); err != nil {
			return err
		}
	}
	printRate(s.a, s.took)
	return nil
}

func jsFetch(a *args) error {
	s, err := openStage(a)
	if err != nil {
		return err
	}
	defer s.close()
	consumer, err := s.makeConsumer()
	if err != nil {
		return err
	}

	began := start()
	for s.msgs < a.msgs {
		batch, err := consumer.Fetch(min(pull, a.msgs-s.msgs), jetstream.FetchMaxWait(wait))
		if err != nil {
			return err
		}
		before := s.msgs
		for msg := range batch.Messages() {
			if err := s.take(msg); err != nil {
				return err
			}
		}
		if batch.Error() != nil || s.msgs == before {
			return fmt.Errorf("only %d messages came: %v", s.msgs, batch.Error())
		}
	}
	s.took = began.stop()
	return s.finish()
}

// run consumes by a callback, its quickest way.
func (s *stage) run(consumer jetstream.Consumer, most int, began watch) error {
	context, err := consumer.Consume(func(msg jetstream.Msg) {
		if s.msgs == s.a.msgs {
			return // it was asked for too many
		}
		err := s.take(msg)
		if err != nil || s.msgs == s.a.msgs {
			s.took = began.stop()
			s.done <- err
		}
	}, jetstream.PullMaxMessages(most))
	if err != nil {
		return err
	}
	err = <-s.done
	context.Stop()
	if err != nil {
		return err
	}
	return s.finish()
}

func jsConsume(a *args) error {
	s, err := openStage(a)
	if err != nil {
		return err
	}
	defer s.close()
	consumer, err := s.makeConsumer()
	if err != nil {
		return err
	}
	return s.run(consumer, pull, start())
}

func jsOrdered(a *args) error {
	s, err := openStage(a)
	if err != nil {
		return err
	}
	defer s.close()
	began := start()
	consumer, err := s.js.OrderedConsumer(s.ctx, s.stream(), jetstream.OrderedConsumerConfig{})
	if err != nil {
		return err
	}
	return s.run(consumer, ahead, began)
}
