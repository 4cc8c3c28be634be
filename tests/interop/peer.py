"""The peer that is written with nats-py. The protocol is in README.md."""

import asyncio
import os
import sys

import nats
import peer_jetstream
from nats.errors import NoRespondersError

WAIT = 60.0


def decode(text):
    return bytes.fromhex(text[1:])


def say(verb, msg):
    # nats-py keeps one value of each header.
    value = (msg.headers or {}).get("X-Peer")
    line = [verb, msg.subject, "x" + msg.data.hex()] + ([value] if value else [])
    print(*line, flush=True)


async def publish(nc, subject, *payloads):
    for text in payloads:
        await nc.publish(subject, decode(text), headers={"X-Peer": "one"})
    await nc.flush(WAIT)


async def receive(nc, subject, count):
    sub = await nc.subscribe(subject)
    await nc.flush(WAIT)
    print("ready", flush=True)
    for _ in range(int(count)):
        say("msg", await sub.next_msg(WAIT))


async def request(nc, subject, *payloads):
    for text in payloads:
        try:
            reply = await nc.request(subject, decode(text), WAIT, headers={"X-Peer": "asked"})
        except NoRespondersError:
            print("none", flush=True)
        else:
            say("reply", reply)


async def respond(nc, subject, queue=""):
    async def answer(msg):
        await nc.publish(msg.reply, msg.data, headers={"X-Peer": "peer"})

    await nc.subscribe(subject, queue, cb=answer)
    await nc.flush(WAIT)
    print("ready", flush=True)
    await asyncio.Event().wait()


ROLES = {"publisher": publish, "subscriber": receive, "requester": request, "responder": respond,
         **peer_jetstream.ROLES}


async def main():
    nc = await nats.connect(os.environ["NATS_URL"], connect_timeout=WAIT)
    await ROLES[sys.argv[1]](nc, *sys.argv[2:])
    await nc.close()


asyncio.run(main())
