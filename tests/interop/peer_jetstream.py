"""The roles of JetStream of the peer that is written with nats-py. The protocol is in README.md."""

import asyncio
import json

from nats.js import api
from nats.js.errors import APIError

WAIT = 60.0
FETCH = 50


def tell(**facts):
    print(json.dumps(facts), flush=True)


def decode(text):
    return bytes.fromhex(text[1:])


def js_of(nc):
    return nc.jetstream(timeout=WAIT)


async def info(nc, stream, *consumers):
    js = js_of(nc)
    found = await js.stream_info(stream)
    those = [await js.consumer_info(stream, name, WAIT) for name in consumers]
    tell(stream=found.config.as_dict(), consumers=[one.config.as_dict() for one in those])


async def make(nc, stream, *consumers):
    js = js_of(nc)
    config = api.StreamConfig.from_response(json.loads(stream))
    await js.add_stream(config)
    names = []
    for text in consumers:
        made = await js.add_consumer(
            config.name, api.ConsumerConfig.from_response(json.loads(text)), timeout=WAIT
        )
        names.append(made.name)
    await info(nc, config.name, *names)


HEADERS = {
    "msg_id": "Nats-Msg-Id",
    "expect_last_seq": "Nats-Expected-Last-Sequence",
    "expect_last_subject_seq": "Nats-Expected-Last-Subject-Sequence",
    "expect_last_msg_id": "Nats-Expected-Last-Msg-Id",
}


async def publish(nc, subject, *messages):
    js = js_of(nc)
    for text in messages:
        words = json.loads(text)
        headers = {HEADERS[key]: str(value) for key, value in words.items() if key in HEADERS}
        try:
            ack = await js.publish(
                subject, decode(words["data"]), stream=words.get("expect_stream"),
                headers={"X-Peer": "one", **headers}, msg_ttl=words.get("ttl"),
            )
        except APIError as problem:
            tell(error=problem.err_code)
        else:
            tell(stream=ack.stream, seq=ack.seq, duplicate=bool(ack.duplicate))


async def flood(nc, subject, count):
    js = js_of(nc)
    futures = [await js.publish_async(subject, b"%d" % at, wait_stall=WAIT)
               for at in range(int(count))]
    acks = await asyncio.wait_for(asyncio.gather(*futures), WAIT)
    tell(acked=len(acks), last=max(ack.seq for ack in acks))


def tell_message(msg):
    place = msg.metadata
    tell(subject=msg.subject, data="x" + msg.data.hex(), headers=msg.headers or {},
         stream=place.stream, consumer=place.consumer, seq=place.sequence.stream,
         delivered=place.num_delivered, pending=place.num_pending)


async def acknowledge(msg, how):
    if how == "progress":
        await msg.in_progress()
        how = "sync"
    if how == "sync":
        await msg.ack_sync(WAIT)
    elif how != "none":
        await {"ack": msg.ack, "nak": msg.nak, "term": msg.term}[how]()


async def take(nc, count, hows, more):
    """Messages are told, and acknowledged in these ways, one after the other."""
    taken = 0
    while taken < count:
        for msg in await more(min(FETCH, count - taken)):
            tell_message(msg)
            await acknowledge(msg, hows[taken % len(hows)])
            taken += 1
    await nc.flush(WAIT)


async def consume(nc, stream, consumer, count, *hows):
    sub = await js_of(nc).pull_subscribe_bind(consumer, stream=stream)
    await take(nc, int(count), hows or ["sync"], lambda most: sub.fetch(most, timeout=WAIT))
    await sub.unsubscribe()


async def push(nc, stream, consumer, count, *hows):
    js = js_of(nc)
    config = (await js.consumer_info(stream, consumer, WAIT)).config
    sub = await js.subscribe_bind(stream, config, consumer, manual_ack=True)
    await nc.flush(WAIT)
    print("ready", flush=True)

    async def more(_):
        return [await sub.next_msg(WAIT)]

    await take(nc, int(count), hows or ["sync"], more)


async def ordered(nc, stream, count):
    subject = (await js_of(nc).stream_info(stream)).config.subjects[0]
    sub = await js_of(nc).subscribe(subject, stream=stream, ordered_consumer=True)

    async def more(_):
        return [await sub.next_msg(WAIT)]

    await take(nc, int(count), ["none"], more)


async def get(nc, stream, *seqs):
    for seq in seqs:
        msg = await js_of(nc).get_msg(stream, int(seq), direct=True)
        tell(subject=msg.subject, data="x" + (msg.data or b"").hex(), headers=msg.headers or {},
             seq=msg.seq)


ROLES = {"js-make": make, "js-info": info, "js-publish": publish, "js-flood": flood,
         "js-consume": consume, "js-endless": consume,
         "js-push": push, "js-ordered": ordered, "js-get": get}
