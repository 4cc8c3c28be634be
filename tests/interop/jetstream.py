"""JetStream, both ways: what one client made and stored, the other uses. README.md has the protocol."""

import json

import polynats_ffi as nats

from peers import WAIT, Peer, encode, equal

PEERS = ("nats-py", "nats.go")
PAYLOADS = [b"", b"text", bytes(range(256)), b"\0" * 1000]
FLOOD = 2000
SECOND = 10**9
DURATIONS = ("max_age", "duplicate_window", "subject_delete_marker_ttl", "ack_wait", "backoff",
             "idle_heartbeat", "inactive_threshold", "max_expires")
WRONG_LAST_SEQUENCE, WRONG_LAST_ID, WRONG_STREAM = 10071, 10070, 10060

# For as many keys as both clients know a value that is not the server's own; durations in ns, as in the schema.
STREAM = {
    "description": "as long as it is not empty", "subjects": ["i.cfg.a", "i.cfg.b.*"],
    "retention": "limits", "max_consumers": 7, "max_msgs": 100000, "max_bytes": 50000000,
    "discard": "new", "discard_new_per_subject": True, "max_age": 3600 * SECOND,
    "max_msgs_per_subject": 5000, "max_msg_size": 100000, "storage": "file", "num_replicas": 1,
    "duplicate_window": 90 * SECOND, "deny_delete": True, "allow_rollup_hdrs": True,
    "compression": "s2", "first_seq": 10, "allow_direct": True, "allow_msg_ttl": True,
    "subject_delete_marker_ttl": 120 * SECOND,
    "republish": {"src": "i.cfg.a", "dest": "i.again", "headers_only": True},
    "subject_transform": {"src": "i.cfg.a", "dest": "i.cfg.b.a"},
    "sources": [{"name": "I_ELSEWHERE", "opt_start_seq": 4, "filter_subject": "else.>"}],
    "metadata": {"made": "by one", "used": "by another"},
    "consumer_limits": {"inactive_threshold": 7200 * SECOND, "max_ack_pending": 400},
}
PULL = {
    "durable_name": "PULL", "description": "pulled", "deliver_policy": "by_start_sequence",
    "opt_start_seq": 12, "ack_policy": "explicit", "ack_wait": 45 * SECOND, "max_deliver": 9,
    "filter_subjects": ["i.cfg.a", "i.cfg.b.*"], "replay_policy": "original", "sample_freq": "40",
    "max_waiting": 77, "max_ack_pending": 55, "headers_only": True, "num_replicas": 1,
    "inactive_threshold": 1800 * SECOND, "mem_storage": True, "metadata": {"of": "somebody"},
}
PUSH = {
    "durable_name": "PUSH", "deliver_policy": "last_per_subject", "filter_subject": "i.cfg.b.*",
    "ack_policy": "all", "backoff": [SECOND, 5 * SECOND, 2500000000], "max_deliver": 5,
    "deliver_subject": "i.deliver", "flow_control": True, "idle_heartbeat": 3 * SECOND,
    "rate_limit_bps": 1000000,
}


# ---- configurations ----


def in_seconds(value):
    return [one / SECOND for one in value] if isinstance(value, list) else value / SECOND


def ours(config):
    """As our side takes and tells it: durations are seconds."""
    return {key: in_seconds(value) if key in DURATIONS
            else ours(value) if isinstance(value, dict) else value
            for key, value in config.items()}


def check_config(found, wanted, seconds=False):
    """What was asked for is there; what the server adds is its own affair."""
    for key, value in wanted.items():
        there = found.get(key)
        if isinstance(value, dict):
            check_config(there or {}, value, seconds)
        elif isinstance(value, list) and isinstance(value[0], dict):
            for one, other in zip(there or [{}], value):
                check_config(one, other, seconds)
        else:
            assert there == value, "%s is %r there, and not %r" % (key, there, value)


def check_ours(js, name):
    stream = js.stream(name)
    check_config(stream.info()["config"], ours(STREAM))
    for wanted in (PULL, PUSH):
        check_config(stream.consumer(wanted["durable_name"]).info()["config"], ours(wanted))
    return stream


def check_theirs(told, **changed):
    # nats-py has these in seconds within the stream's limits, and in the server's ns elsewhere: nobody's business.
    check_config(told["stream"], {**STREAM, **changed})
    for found, wanted in zip(told["consumers"], (PULL, PUSH)):
        check_config(found, wanted)


def text_of(name, config):
    return json.dumps({**config, "name": name})


def play_jetstream_configurations_of_the_peer(nc, argv, values):
    js = nc.jetstream(timeout=WAIT)
    peer = Peer(argv, "js-make", text_of("I_THEIRS", STREAM), json.dumps(PULL), json.dumps(PUSH))
    check_theirs(peer.json())
    peer.end()
    stream = check_ours(js, "I_THEIRS")
    equal(sorted(stream.consumer_names()), ["PULL", "PUSH"])
    # What we change leaves the rest as it was.
    stream.update(description="changed by us", max_age=7200)
    peer = Peer(argv, "js-info", "I_THEIRS", "PULL", "PUSH")
    check_theirs(peer.json(), description="changed by us", max_age=7200 * SECOND)
    peer.end()
    stream.delete()


def play_jetstream_configurations_of_ours(nc, argv, values):
    js = nc.jetstream(timeout=WAIT)
    stream = js.create_stream(ours(STREAM), name="I_OURS")
    for config in (PULL, PUSH):
        stream.create_consumer(ours(config))
    check_ours(js, "I_OURS")
    peer = Peer(argv, "js-info", "I_OURS", "PULL", "PUSH")
    check_theirs(peer.json())
    peer.end()
    stream.delete()


# ---- publishing ----


def a_stream(nc, name, **more):
    js = nc.jetstream(timeout=WAIT)
    config = {"subjects": ["%s.>" % name.lower()], "allow_msg_ttl": True, "allow_direct": True}
    return js, js.create_stream(config, name=name, **more)


def play_jetstream_peer_publishes(nc, argv, values):
    js, stream = a_stream(nc, "I_PUB")
    messages = [{"data": encode(data), "msg_id": "id%d" % at, "expect_stream": "I_PUB",
                 "expect_last_seq": at} for at, data in enumerate(PAYLOADS)]
    messages += [
        {"data": "x", "msg_id": "id0"},
        {"data": "x", "expect_last_seq": 2},
        {"data": "x", "expect_last_subject_seq": 1},
        {"data": "x", "expect_last_msg_id": "id0"},
        {"data": "x", "expect_stream": "ANOTHER"},
        {"data": "x54544c", "ttl": 3600},
    ]
    peer = Peer(argv, "js-publish", "i_pub.peer", *map(json.dumps, messages))
    for at in range(len(PAYLOADS)):
        equal(peer.json(), {"stream": "I_PUB", "seq": at + 1, "duplicate": False})
    equal(peer.json(), {"stream": "I_PUB", "seq": 1, "duplicate": True})
    for code in (WRONG_LAST_SEQUENCE, WRONG_LAST_SEQUENCE, WRONG_LAST_ID, WRONG_STREAM):
        equal(peer.json(), {"error": code})
    equal(peer.json(), {"stream": "I_PUB", "seq": len(PAYLOADS) + 1, "duplicate": False})
    peer.end()
    # The same ids, said by us, are duplicates; and what is stored is what was sent.
    assert js.publish("i_pub.us", b"again", msg_id="id1").duplicate
    sub = stream.ordered_consumer().consume()
    for at, data in enumerate(PAYLOADS):
        msg = sub.next(WAIT)
        equal((msg.subject, msg.data, msg.metadata.stream_seq), ("i_pub.peer", data, at + 1))
        equal((msg.headers["X-Peer"], msg.header("Nats-Msg-Id")), (values, "id%d" % at))
        equal(stream.get(at + 1).data, data)
    msg = sub.next(WAIT)
    assert msg.data == b"TTL" and msg.header("Nats-TTL"), msg.headers
    sub.unsubscribe()
    stream.delete()


def play_jetstream_peer_reads(nc, argv, values):
    """What we published, with all that we said of it; read in order, and one by one."""
    js, stream = a_stream(nc, "I_READ")
    for at, data in enumerate(PAYLOADS):
        ack = js.publish("i_read.us", data, headers={"X-Peer": "ours"}, msg_id="id%d" % at,
                         expect_stream="I_READ", expect_last_seq=at, ttl=3600)
        equal((ack.stream, ack.seq, ack.duplicate), ("I_READ", at + 1, False))
    wanted = [{"subject": "i_read.us", "data": encode(data), "seq": at + 1, "id": "id%d" % at}
              for at, data in enumerate(PAYLOADS)]
    peer = Peer(argv, "js-ordered", "I_READ", str(len(PAYLOADS)))
    for one in wanted:
        told = peer.json()
        check_read(told, one)
        equal((told["delivered"], told["pending"]), (1, len(PAYLOADS) - one["seq"]))
    peer.end()
    peer = Peer(argv, "js-get", "I_READ", *[str(one["seq"]) for one in wanted])
    for one in wanted:
        check_read(peer.json(), one)
    peer.end()
    # A message with our id is a duplicate for the peer.
    peer = Peer(argv, "js-publish", "i_read.peer", json.dumps({"data": "x", "msg_id": "id2"}))
    equal(peer.json(), {"stream": "I_READ", "seq": 3, "duplicate": True})
    peer.end()
    stream.delete()


def check_read(told, wanted):
    equal((told["subject"], told["data"], told["seq"]),
          (wanted["subject"], wanted["data"], wanted["seq"]))
    headers = told["headers"]
    equal((headers["X-Peer"], headers["Nats-Msg-Id"]), ("ours", wanted["id"]))
    assert headers["Nats-TTL"], headers


# ---- consuming ----


def a_consumer(nc, argv, name, who, **config):
    """A stream with five messages, and a consumer of it that one of the two has made."""
    config = {"durable_name": "C", "ack_policy": "explicit", "ack_wait": 600 * SECOND, **config}
    if who == "peer":
        text = text_of(name, {"subjects": ["%s.>" % name.lower()], "storage": "memory"})
        peer = Peer(argv, "js-make", text, json.dumps(config))
        peer.json()
        peer.end()
        stream = nc.jetstream(timeout=WAIT).stream(name)
    else:
        stream = a_stream(nc, name, storage="memory")[1]
        stream.create_consumer(ours(config))
    for at in range(1, 6):
        nc.jetstream(timeout=WAIT).publish("%s.a" % name.lower(), b"%d" % at)
    return stream, stream.consumer("C")


def take_ours(consumer, count):
    """The numbers of as many messages, acknowledged, and how often they were delivered."""
    found = []
    for msg in consumer.fetch(count, wait=WAIT):
        msg.ack_sync(WAIT)
        found.append((int(msg.data), msg.metadata.stream_seq, msg.metadata.delivered))
    return found


def take_theirs(peer, count):
    told = [peer.json() for _ in range(count)]
    return [(int(bytes.fromhex(one["data"][1:])), one["seq"], one["delivered"]) for one in told]


def check_done(consumer, delivered):
    info = consumer.info()
    equal((info["num_ack_pending"], info["num_pending"]), (0, 0))
    equal((info["ack_floor"]["stream_seq"], info["delivered"]["consumer_seq"]), (5, delivered))


def play_jetstream_both_take(nc, argv, values, who="peer"):
    """Each takes its part from one consumer; what one gives back, the other gets."""
    stream, consumer = a_consumer(nc, argv, "I_TAKE", who)
    equal(take_ours(consumer, 1), [(1, 1, 1)])
    peer = Peer(argv, "js-consume", "I_TAKE", "C", "2", "progress", "nak")
    equal(take_theirs(peer, 2), [(2, 2, 1), (3, 3, 1)])
    peer.end()
    equal(take_ours(consumer, 1), [(3, 3, 2)])
    msg = consumer.next(wait=WAIT)
    equal((msg.data, msg.metadata.consumer), (b"4", "C"))
    msg.nak()
    peer = Peer(argv, "js-consume", "I_TAKE", "C", "2", "term", "ack")
    equal(take_theirs(peer, 2), [(4, 4, 2), (5, 5, 1)])
    peer.end()
    check_done(consumer, 7)
    stream.delete()


def play_jetstream_both_take_from_ours(nc, argv, values):
    play_jetstream_both_take(nc, argv, values, "us")


def play_jetstream_push_consumer_of_the_peer(nc, argv, values):
    push = {"deliver_subject": "i.push", "flow_control": True, "idle_heartbeat": 5 * SECOND}
    stream, consumer = a_consumer(nc, argv, "I_PUSHED", "peer", **push)
    sub = consumer.consume()
    for at in range(1, 6):
        msg = sub.next(WAIT)
        equal((msg.data, msg.metadata.pending), (b"%d" % at, 5 - at))
        msg.ack_sync(WAIT)
    sub.unsubscribe()
    check_done(consumer, 5)
    stream.delete()


def play_jetstream_push_consumer_of_ours(nc, argv, values):
    push = {"deliver_subject": "i.push2", "flow_control": True, "idle_heartbeat": 5 * SECOND}
    stream, consumer = a_consumer(nc, argv, "I_PUSH2", "us", **push)
    peer = Peer(argv, "js-push", "I_PUSH2", "C", "5", "sync").ready()
    equal(take_theirs(peer, 5), [(at, at, 1) for at in range(1, 6)])
    peer.end()
    check_done(consumer, 5)
    stream.delete()


# ---- many ----


def play_jetstream_the_peer_floods(nc, argv, values):
    js, stream = a_stream(nc, "I_FLOOD", storage="memory")
    consumer = stream.create_consumer(durable_name="C", ack_wait=600)
    sub = consumer.consume()
    peer = Peer(argv, "js-flood", "i_flood.peer", str(FLOOD))
    seqs, numbers = [], []
    for _ in range(FLOOD):
        msg = sub.next(WAIT)
        seqs.append(msg.metadata.stream_seq)
        numbers.append(int(msg.data))
        msg.ack()
    equal(peer.json(), {"acked": FLOOD, "last": FLOOD})
    peer.end()
    equal((seqs, numbers), (list(range(1, FLOOD + 1)), list(range(FLOOD))))
    sub.unsubscribe()
    stream.delete()


def play_jetstream_we_flood(nc, argv, values):
    js, stream = a_stream(nc, "I_FLOOD2", storage="memory")
    consumer = stream.create_consumer(durable_name="C", ack_wait=600)
    peer = Peer(argv, "js-endless", "I_FLOOD2", "C", str(FLOOD), *["ack"] * 9, "sync")
    equal(js.publish_many("i_flood2.us", [b"%d" % at for at in range(FLOOD)], timeout=WAIT), FLOOD)
    told = take_theirs(peer, FLOOD)
    peer.end()
    equal(told, [(at, at + 1, 1) for at in range(FLOOD)])
    info = consumer.info()
    equal((info["num_ack_pending"], info["ack_floor"]["stream_seq"]), (0, FLOOD))
    stream.delete()
