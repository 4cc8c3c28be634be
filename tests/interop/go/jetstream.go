package main

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

type facts map[string]any

func tell(what facts) {
	text, err := json.Marshal(what)
	check(err)
	fmt.Println(string(text))
}

func jetStream(nc *nats.Conn) jetstream.JetStream {
	js, err := jetstream.New(nc, jetstream.WithDefaultTimeout(wait))
	check(err)
	return js
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	check(err)
	return value
}

func tellConfigs(js jetstream.JetStream, name string, consumers []string) {
	stream, err := js.Stream(context.Background(), name)
	check(err)
	configs := []jetstream.ConsumerConfig{}
	for _, one := range consumers {
		configs = append(configs, consumerConfig(stream, one))
	}
	tell(facts{"stream": stream.CachedInfo().Config, "consumers": configs})
}

func consumerConfig(stream jetstream.Stream, name string) jetstream.ConsumerConfig {
	consumer, err := stream.Consumer(context.Background(), name)
	if errors.Is(err, jetstream.ErrNotPullConsumer) {
		pushed, err := stream.PushConsumer(context.Background(), name)
		check(err)
		return pushed.CachedInfo().Config
	}
	check(err)
	return consumer.CachedInfo().Config
}

func makeThem(nc *nats.Conn, text string) {
	js, config, names := jetStream(nc), jetstream.StreamConfig{}, []string{}
	check(json.Unmarshal([]byte(text), &config))
	_, err := js.CreateStream(context.Background(), config)
	check(err)
	for _, one := range os.Args[3:] {
		consumer := jetstream.ConsumerConfig{}
		check(json.Unmarshal([]byte(one), &consumer))
		if consumer.DeliverSubject != "" {
			_, err = js.CreatePushConsumer(context.Background(), config.Name, consumer)
		} else {
			_, err = js.CreateConsumer(context.Background(), config.Name, consumer)
		}
		check(err)
		names = append(names, consumer.Durable)
	}
	tellConfigs(js, config.Name, names)
}

func info(nc *nats.Conn, stream string) {
	tellConfigs(jetStream(nc), stream, os.Args[3:])
}

// What a message is published with, besides its subject.
type words struct {
	Data                 string  `json:"data"`
	MsgID                string  `json:"msg_id"`
	ExpectStream         string  `json:"expect_stream"`
	ExpectLastMsgID      string  `json:"expect_last_msg_id"`
	ExpectLastSeq        *uint64 `json:"expect_last_seq"`
	ExpectLastSubjectSeq *uint64 `json:"expect_last_subject_seq"`
	TTL                  float64 `json:"ttl"`
}

func (w *words) options() []jetstream.PublishOpt {
	options := []jetstream.PublishOpt{}
	if w.MsgID != "" {
		options = append(options, jetstream.WithMsgID(w.MsgID))
	}
	if w.ExpectStream != "" {
		options = append(options, jetstream.WithExpectStream(w.ExpectStream))
	}
	if w.ExpectLastMsgID != "" {
		options = append(options, jetstream.WithExpectLastMsgID(w.ExpectLastMsgID))
	}
	if w.ExpectLastSeq != nil {
		options = append(options, jetstream.WithExpectLastSequence(*w.ExpectLastSeq))
	}
	if w.ExpectLastSubjectSeq != nil {
		options = append(options, jetstream.WithExpectLastSequencePerSubject(*w.ExpectLastSubjectSeq))
	}
	if w.TTL > 0 {
		options = append(options, jetstream.WithMsgTTL(time.Duration(w.TTL*float64(time.Second))))
	}
	return options
}

func jsPublish(nc *nats.Conn, subject string) {
	js := jetStream(nc)
	for _, text := range os.Args[3:] {
		w := words{}
		check(json.Unmarshal([]byte(text), &w))
		ack, err := js.PublishMsg(context.Background(), message(subject, decode(w.Data), "one", "two"),
			w.options()...)
		refused := &jetstream.APIError{}
		if errors.As(err, &refused) {
			tell(facts{"error": refused.ErrorCode})
			continue
		}
		check(err)
		tell(facts{"stream": ack.Stream, "seq": ack.Sequence, "duplicate": ack.Duplicate})
	}
}

func flood(nc *nats.Conn, subject string) {
	js, last := jetStream(nc), uint64(0)
	futures := []jetstream.PubAckFuture{}
	for at := range number(word(3)) {
		future, err := js.PublishAsync(subject, []byte(strconv.Itoa(at)),
			jetstream.WithStallWait(wait))
		check(err)
		futures = append(futures, future)
	}
	for _, future := range futures {
		select {
		case ack := <-future.Ok():
			last = max(last, ack.Sequence)
		case err := <-future.Err():
			check(err)
		case <-time.After(wait):
			check(errors.New("no ack came"))
		}
	}
	tell(facts{"acked": len(futures), "last": last})
}

func tellMessage(msg jetstream.Msg) {
	place, err := msg.Metadata()
	check(err)
	tell(facts{"subject": msg.Subject(), "data": "x" + hex.EncodeToString(msg.Data()),
		"headers": firsts(msg.Headers()), "stream": place.Stream, "consumer": place.Consumer,
		"seq": place.Sequence.Stream, "delivered": place.NumDelivered, "pending": place.NumPending})
}

func firsts(headers nats.Header) map[string]string {
	found := map[string]string{}
	for key := range headers {
		found[key] = headers.Get(key)
	}
	return found
}

func acknowledge(msg jetstream.Msg, how string) {
	switch how {
	case "progress":
		check(msg.InProgress())
		acknowledge(msg, "sync")
	case "sync":
		ctx, cancel := context.WithTimeout(context.Background(), wait)
		defer cancel()
		check(msg.DoubleAck(ctx))
	case "ack":
		check(msg.Ack())
	case "nak":
		check(msg.Nak())
	case "term":
		check(msg.Term())
	}
}

// Messages are told, and acknowledged in these ways, one after the other.
func take(nc *nats.Conn, count int, hows []string, messages <-chan jetstream.Msg) {
	for at := range count {
		select {
		case msg := <-messages:
			tellMessage(msg)
			acknowledge(msg, hows[at%len(hows)])
		case <-time.After(wait):
			check(errors.New("no message came"))
		}
	}
	check(nc.FlushTimeout(wait))
}

func howsFrom(at int) []string {
	if len(os.Args) > at {
		return os.Args[at:]
	}
	return []string{"sync"}
}

func consume(nc *nats.Conn, stream string) {
	consumer, err := jetStream(nc).Consumer(context.Background(), stream, word(3))
	check(err)
	// No more than are to be taken: what is under way when it stops would come late.
	fetched, err := consumer.Fetch(number(word(4)), jetstream.FetchMaxWait(wait))
	check(err)
	take(nc, number(word(4)), howsFrom(5), fetched.Messages())
}

func endless(nc *nats.Conn, stream string) {
	consumer, err := jetStream(nc).Consumer(context.Background(), stream, word(3))
	check(err)
	messages := make(chan jetstream.Msg)
	consuming, err := consumer.Consume(func(msg jetstream.Msg) { messages <- msg })
	check(err)
	take(nc, number(word(4)), howsFrom(5), messages)
	consuming.Stop()
}

func push(nc *nats.Conn, stream string) {
	consumer, err := jetStream(nc).PushConsumer(context.Background(), stream, word(3))
	check(err)
	messages := make(chan jetstream.Msg)
	consuming, err := consumer.Consume(func(msg jetstream.Msg) { messages <- msg })
	check(err)
	check(nc.FlushTimeout(wait))
	fmt.Println("ready")
	take(nc, number(word(4)), howsFrom(5), messages)
	consuming.Stop()
}

func ordered(nc *nats.Conn, stream string) {
	consumer, err := jetStream(nc).OrderedConsumer(context.Background(), stream,
		jetstream.OrderedConsumerConfig{})
	check(err)
	messages := make(chan jetstream.Msg)
	_, err = consumer.Consume(func(msg jetstream.Msg) { messages <- msg })
	check(err)
	take(nc, number(word(3)), []string{"none"}, messages)
}

func get(nc *nats.Conn, name string) {
	stream, err := jetStream(nc).Stream(context.Background(), name)
	check(err)
	for _, seq := range os.Args[3:] {
		msg, err := stream.GetMsg(context.Background(), uint64(number(seq)))
		check(err)
		tell(facts{"subject": msg.Subject, "data": "x" + hex.EncodeToString(msg.Data),
			"headers": firsts(msg.Header), "seq": msg.Sequence})
	}
}
