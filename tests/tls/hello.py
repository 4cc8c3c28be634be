#!/usr/bin/env python3
"""What the client says first (ClientHello): the name it wants (SNI) where it has one, nothing of a protocol (ALPN),
for no server of NATS asks for it and a gateway might take the offer of another one, and no version before TLS 1.2."""

import os
import socket
import struct
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bindings", "ffi", "ctypes"))
sys.dont_write_bytecode = True

import polynats_ffi

INFO = b'INFO {"server_id":"X","version":"2.10.0","max_payload":1048576,"tls_required":true}\r\n'
SERVER_NAME, ALPN, VERSIONS = 0, 16, 43
TLS_1_2 = 0x0303
SECONDS = 10.0


def exactly(link, size):
    data = b""
    while len(data) < size:
        more = link.recv(size - len(data))
        if not more:
            raise EOFError("%d bytes of %d came" % (len(data), size))
        data += more
    return data


class Reader:
    """Fields of a message, one after the other."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        self.at += size
        if self.at > len(self.data):
            raise ValueError("the message ends too early")
        return self.data[self.at - size : self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def block(self, size):
        """Bytes with their length before them, in so many bytes."""
        return self.take(self.number(size))

    def more(self):
        return self.at < len(self.data)


def extensions(link):
    kind, _, size = struct.unpack(">BHH", exactly(link, 5))
    assert kind == 22, "not a handshake: %d" % kind
    hello = Reader(exactly(link, size))
    assert hello.number(1) == 1, "not a ClientHello"
    hello = Reader(hello.block(3))
    hello.take(2 + 32)
    hello.block(1)
    hello.block(2)
    hello.block(1)
    rest = Reader(hello.block(2))
    found = {}
    while rest.more():
        name = rest.number(2)
        found[name] = rest.block(2)
    return found


def server_name(found):
    if SERVER_NAME not in found:
        return None
    names = Reader(Reader(found[SERVER_NAME]).block(2))
    assert names.number(1) == 0  # host_name
    name = names.block(2).decode("ascii")
    assert not names.more(), "more than one name"
    return name


def versions(found):
    listed = Reader(Reader(found[VERSIONS]).block(1))
    numbers = []
    while listed.more():
        numbers.append(listed.number(2))
    return numbers


def hello_of(url, greeting, **options):
    """The extensions of the ClientHello of a connect, which fails: there is nobody who answers it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(SECONDS)
    found = []

    def serve():
        with listener, listener.accept()[0] as link:
            link.settimeout(SECONDS)
            link.sendall(greeting)
            found.append(extensions(link))

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        polynats_ffi.connect(url % listener.getsockname()[1], reconnect=False, **options)
        sys.exit("%s: connected to nobody" % url)
    except polynats_ffi.Error:
        pass
    thread.join()
    assert found, "%s: no ClientHello came" % url
    return found[0]


CASES = [
    # url, what the server says before, options, the name that is asked for
    ("tls://localhost:%d", INFO, {}, "localhost"),
    ("tls://LocalHost:%d", INFO, {}, "localhost"),
    ("nats://localhost:%d", INFO, {}, "localhost"),
    ("tls://127.0.0.1:%d", INFO, {}, None),
    ("tls://localhost:%d", b"", {"tls_first": True}, "localhost"),
    ("wss://localhost:%d", b"", {}, "localhost"),
    ("wss://127.0.0.1:%d", b"", {}, None),
]


def main():
    for url, greeting, options, name in CASES:
        found = hello_of(url, greeting, **options)
        asked = server_name(found)
        assert (asked and asked.lower()) == name, "%s: asked for %s" % (url, asked)
        assert ALPN not in found, "%s: ALPN: %r" % (url, found[ALPN])
        assert min(versions(found)) >= TLS_1_2, "%s: versions %r" % (url, versions(found))
        print("%s: SNI %s, no ALPN, versions %s" % (url, asked, [hex(v) for v in versions(found)]))


main()
