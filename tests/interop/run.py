#!/usr/bin/env python3
"""Interoperation, both ways, with a client that was not written here. README.md tells how.

    script/with-server tests/interop/run.py PEER --build build/dev     with $POLYNATS_LIB

PEER: cnats, nats-py, nats.go, node, rust. Exit status 77: the machine lacks something, and it is
said what.
"""

import argparse
import os
import sys
import threading
import time
import traceback

sys.dont_write_bytecode = True  # the source tree stays as it is

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "bindings", "ffi", "ctypes"))

import polynats_ffi as nats  # the library itself is $POLYNATS_LIB

import jetstream
from peers import PEERS, WAIT, Folder, Lacking, Peer, encode, equal

SKIP = 77
PAYLOADS = [b"", b"text", bytes(range(256)), "žluťoučký".encode(), b"MSG a 1 2\r\nPUB\r\n",
            b"\0" * 1000]
QUEUE_REQUESTS = 60

# ---- what is played; nc is ours, argv starts the peer ----


def play_peer_publishes(nc, argv, values):
    sub = nc.subscribe("i.from.*")
    nc.flush()
    peer = Peer(argv, "publisher", "i.from.peer", *map(encode, PAYLOADS))
    for payload in PAYLOADS:
        msg = sub.next(WAIT)
        assert msg, "no message came"
        equal((msg.subject, msg.data, msg.headers), ("i.from.peer", payload, {"X-Peer": values}))
    peer.end()
    equal(sub.next(0), None)


def play_peer_subscribes(nc, argv, values):
    peer = Peer(argv, "subscriber", "i.to.>", str(len(PAYLOADS))).ready()
    for payload in PAYLOADS:
        nc.publish("i.to.peer", payload, headers={"X-Peer": values})
    nc.flush()
    for payload in PAYLOADS:
        equal(peer.line(), ["msg", "i.to.peer", encode(payload)] + values)
    peer.end()


def play_peer_requests(nc, argv, values):
    sub = nc.subscribe("i.ask.us")
    nc.flush()
    peer = Peer(argv, "requester", "i.ask.us", *map(encode, PAYLOADS))
    for payload in PAYLOADS:
        msg = sub.next(WAIT)
        assert msg, "no request came"
        equal((msg.data, msg.headers), (payload, {"X-Peer": ["asked"]}))
        msg.respond(msg.data, headers={"X-Peer": values})
        line = peer.line()
        equal([line[0]] + line[2:], ["reply", encode(payload)] + values)
    peer.end()


def play_peer_responds(nc, argv, values):
    peer = Peer(argv, "responder", "i.ask.peer").ready()
    try:
        for payload in PAYLOADS:
            reply = nc.request("i.ask.peer", payload, WAIT)
            equal((reply.data, reply.headers), (payload, {"X-Peer": ["peer"]}))
        futures = [nc.request_start("i.ask.peer", b"%d" % at, WAIT) for at in range(100)]
        equal([future.wait().data for future in futures], [b"%d" % at for at in range(100)])
    finally:
        peer.kill()


def play_nobody_answers_the_peer(nc, argv, values):
    peer = Peer(argv, "requester", "i.nobody", encode(b"x"))
    equal(peer.line(), ["none"])
    peer.end()


def play_the_peer_has_gone(nc, argv, values):
    Peer(argv, "responder", "i.gone").ready().kill()
    # The server learns of it a moment later.
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        try:
            nc.request("i.gone", b"x", 0.1)
        except nats.NoResponders:
            return
        except nats.Timeout:
            continue
    raise AssertionError("no NoResponders came")


def play_queue_group(nc, argv, values):
    """A worker of ours and one of the peer's share the requests of both."""
    sub = nc.subscribe("i.work", queue="workers")
    nc.flush()
    worker = Peer(argv, "responder", "i.work", "workers").ready()
    ended, ours = threading.Event(), []

    def work():
        while not ended.is_set():
            msg = sub.next(0.05)
            if msg:
                ours.append(msg.data)
                msg.respond(msg.data, headers={"X-Peer": "ours"})

    thread = threading.Thread(target=work)
    thread.start()
    try:
        wanted = [b"%d" % at for at in range(QUEUE_REQUESTS)]
        replies = [nc.request("i.work", data, WAIT) for data in wanted]
        equal([reply.data for reply in replies], wanted)
        names = [reply.header("X-Peer") for reply in replies]
        equal(names.count("ours"), len(ours))
        assert {"ours", "peer"} == set(names), "one worker had all the work"
        asker = Peer(argv, "requester", "i.work", *map(encode, wanted))
        equal([asker.line()[2] for _ in wanted], list(map(encode, wanted)))
        asker.end()
    finally:
        ended.set()
        thread.join()
        worker.kill()


# ---- all of them ----


def plays_of(peer):
    """Name and function of what is played with it."""
    modules = [globals()] + ([vars(jetstream)] if peer in jetstream.PEERS else [])
    return [(name[5:].replace("_", " "), play) for module in modules
            for name, play in module.items() if name.startswith("play_")]


def run_play(url, name, play, *words):
    began = time.monotonic()
    try:
        with nats.connect(url, connect_timeout=WAIT, request_timeout=WAIT) as nc:
            play(nc, *words)
    except Exception:  # of whatever kind: the others are played, too
        print("FAILED  %s, after %.1f s" % (name, time.monotonic() - began))
        print(traceback.format_exc() + "\n".join(Peer.kill_all()), flush=True)
        return 1
    print("ok      %s, %.1f s" % (name, time.monotonic() - began), flush=True)
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("peer", choices=sorted(PEERS))
    parser.add_argument("--build", required=True, help="where the library was built")
    parser.add_argument("--only", default="", help="plays with this in their name")
    args = parser.parse_args()
    try:
        with Folder(args.build, args.peer) as folder:
            argv = PEERS[args.peer](folder, os.path.abspath(args.build))
    except Lacking as problem:
        print("skipped: %s" % problem)
        return SKIP
    # nats-py has a dict for headers: one value for a key.
    values = ["one"] if args.peer == "nats-py" else ["one", "two"]
    failed = sum(run_play(os.environ["NATS_URL"], name, play, argv, values)
                 for name, play in plays_of(args.peer) if args.only in name)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
