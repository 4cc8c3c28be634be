// The peer that is written with nats.go. The protocol is in ../README.md.
package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

const wait = 60 * time.Second

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "go peer:", err)
		os.Exit(1)
	}
}

func word(at int) string {
	if at < len(os.Args) {
		return os.Args[at]
	}
	return ""
}

func decode(text string) []byte {
	data, err := hex.DecodeString(strings.TrimPrefix(text, "x"))
	check(err)
	return data
}

func say(verb string, msg *nats.Msg) {
	line := verb + " " + msg.Subject + " x" + hex.EncodeToString(msg.Data)
	for _, value := range msg.Header["X-Peer"] {
		line += " " + value
	}
	fmt.Println(line)
}

func message(subject string, data []byte, values ...string) *nats.Msg {
	return &nats.Msg{Subject: subject, Data: data, Header: nats.Header{"X-Peer": values}}
}

func publish(nc *nats.Conn, subject string) {
	for _, text := range os.Args[3:] {
		check(nc.PublishMsg(message(subject, decode(text), "one", "two")))
	}
	check(nc.FlushTimeout(wait))
}

func receive(nc *nats.Conn, subject string) {
	var count int
	_, err := fmt.Sscan(word(3), &count)
	check(err)
	sub, err := nc.SubscribeSync(subject)
	check(err)
	check(nc.FlushTimeout(wait))
	fmt.Println("ready")
	for range count {
		msg, err := sub.NextMsg(wait)
		check(err)
		say("msg", msg)
	}
}

func request(nc *nats.Conn, subject string) {
	for _, text := range os.Args[3:] {
		reply, err := nc.RequestMsg(message(subject, decode(text), "asked"), wait)
		if errors.Is(err, nats.ErrNoResponders) {
			fmt.Println("none")
			continue
		}
		check(err)
		say("reply", reply)
	}
}

func respond(nc *nats.Conn, subject string) {
	_, err := nc.QueueSubscribe(subject, word(3), func(msg *nats.Msg) {
		check(msg.RespondMsg(message(msg.Reply, msg.Data, "peer")))
	})
	check(err)
	check(nc.FlushTimeout(wait))
	fmt.Println("ready")
	select {}
}

func main() {
	roles := map[string]func(*nats.Conn, string){
		"publisher": publish, "subscriber": receive, "requester": request, "responder": respond,
		"js-make": makeThem, "js-info": info, "js-publish": jsPublish, "js-flood": flood,
		"js-consume": consume, "js-endless": endless, "js-push": push, "js-ordered": ordered, "js-get": get,
	}
	nc, err := nats.Connect(os.Getenv("NATS_URL"), nats.Timeout(wait))
	check(err)
	defer nc.Close()
	roles[word(1)](nc, word(2))
}
