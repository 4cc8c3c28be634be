"""The protocol without I/O, over a socket of Python's and over none."""

import os
import socket

import polynats
import pytest


def connected(proto, sock):
    """Feed and send until the handshake is over."""
    while proto.state != "connected":
        for event in proto.events():
            assert event.type in ("connected", "info"), event
        sock.sendall(proto.take())
        if proto.state != "connected":
            proto.feed(sock.recv(4096))


def open_proto(**options):
    proto = polynats.proto(os.environ["NATS_URL"], **options)
    proto.start()
    dial = proto.next_event()
    assert (dial.type, dial.scheme) == ("dial", "nats")
    assert (dial.host, dial.port) == (proto.host, proto.port)
    sock = socket.create_connection((dial.host, dial.port))
    sock.settimeout(10)
    proto.transport_up()
    return proto, sock


def test_over_a_socket(subject):
    proto, sock = open_proto(name="own")
    with sock:
        connected(proto, sock)
        sid = proto.subscribe(f"{subject}.*", max=1)
        proto.publish(f"{subject}.a", bytearray(b"\xff\0"), reply="re", headers={"A": ["b", "c"]})
        token = proto.ping()
        messages, pongs = [], []
        while not pongs:
            sock.sendall(proto.take())
            proto.feed(memoryview(sock.recv(4096)))
            for event in proto.events():
                messages += [event.message] if event.type == "message" else []
                pongs += [event] if event.type == "pong" else []
        (msg,) = messages
        assert (msg.subject, msg.data, msg.reply, msg.sid) == (f"{subject}.a", b"\xff\0", "re", sid)
        assert msg.headers == {"A": ["b", "c"]}
        assert pongs[0].token == token
        assert pongs[0].rtt >= 0
        assert proto.server_info()["max_payload"] > 0
        assert proto.deadline() > polynats.now()
        assert proto.new_inbox().startswith("_INBOX.")
        assert [tuple(server)[1:] for server in proto.servers()] == [(0, False)]
        with pytest.raises(polynats.Invalid, match="came by no client"):
            msg.respond(b"")
        proto.close()
        assert [event.type for event in proto.events()][-1] == "closed"
        assert repr(proto) == "<polynats.Proto closed>"


def test_a_seed_gives_the_same_choices():
    inboxes = {polynats.proto("a", seed=b"s" * 16).new_inbox() for _ in range(3)}
    assert len(inboxes) == 1
    assert len({polynats.proto("a").new_inbox() for _ in range(3)}) == 3


def test_failures_go_to_the_next_server():
    proto = polynats.proto(["nats://one:1", "nats://two:2"], no_randomize=True)
    proto.start(now=1)
    assert proto.next_event().host == "one"
    proto.transport_failed("IO", "no route", now=1.5)
    seen = list(proto.events())
    assert [event.type for event in seen] == ["error", "dial"]
    assert (seen[0].code, seen[0].recoverable, seen[1].host) == ("IO", True, "two")
    proto.server_add("nats://three:3")
    proto.server_remove("nats://one:1")
    assert [server.url for server in proto.servers()] == ["nats://two:2", "nats://three:3"]


def test_misuse():
    proto = polynats.proto()
    for call in (
        lambda: proto.feed("x"),
        lambda: proto.transport_up(),
        lambda: proto.transport_failed("NONE SUCH"),
        lambda: polynats.proto(seed=b"short"),
        lambda: proto.start(-1),
        lambda: proto.take(0),
        lambda: proto.server_add("http://a"),
        lambda: proto.publish("a b"),
    ):
        with pytest.raises(polynats.Error):
            call()
    for call in (
        lambda: proto.start("now"),
        lambda: proto.feed(1),
        lambda: proto.publish(),
        lambda: proto.subscribe(subjekt="a"),
        lambda: polynats.proto(1),
        lambda: proto.take("1"),
    ):
        with pytest.raises(TypeError):
            call()
