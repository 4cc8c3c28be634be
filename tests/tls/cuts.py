#!/usr/bin/env python3
"""A TLS handshake that is cut at any of its bytes, in any manner, ends the attempt in time, and leaks nothing.

Between client and server sits a relay that lets so many bytes through, one way or the other, and then resets, ends,
stalls, or says in clear that the stream is over (close_notify). With --all the cuts are at 250 places each way, which
is 2,000 cuts, else at 6.
"""

import os
import select
import socket
import struct
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bindings", "ffi", "ctypes"))
sys.dont_write_bytecode = True

import natsd

import polynats_ffi

TOKEN = "hunter2-token"  # of servers/tls.conf
CLOSE_NOTIFY = bytes.fromhex("15030300020100")
KINDS = ("reset", "end", "stall", "goodbye")
STALL_SECONDS = 0.3  # connect_timeout of those; other attempts must end before theirs
SECONDS = 5.0
LATE = 1.0  # on a loaded machine: the promise itself is 50 ms
LINGER_NONE = struct.pack("ii", 1, 0)


class Relay:
    """Lets bytes through until the cut; keeps what the client sent."""

    def __init__(self, port):
        self.behind = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.cut = None  # (way, bytes, kind)
        self.passed = [0, 0]
        self.sent = b""
        threading.Thread(target=self.run, daemon=True).start()

    def set(self, cut):
        self.cut, self.passed, self.sent = cut, [0, 0], b""

    def run(self):
        while True:
            client = self.listener.accept()[0]
            threading.Thread(target=self.relay, args=(client,), daemon=True).start()

    def relay(self, client):
        server = socket.create_connection(("127.0.0.1", self.behind))
        with client, server:
            try:
                while self.step(client, server):
                    pass
            except OSError:
                return

    def step(self, client, server):
        for source in select.select([client, server], [], [])[0]:
            way = 0 if source is client else 1
            data = source.recv(65536)
            if not data:
                return False
            self.sent += data if way == 0 else b""
            left = self.cut[1] - self.passed[way] if self.cut and self.cut[0] == way else len(data)
            (server if way == 0 else client).sendall(data[:left])
            self.passed[way] += min(left, len(data))
            if left < len(data):
                return self.strike(client)
        return True

    def strike(self, client):
        kind = self.cut[2]
        if kind == "stall":
            while client.recv(65536):  # until the client gives up
                pass
        if kind == "goodbye":
            client.sendall(CLOSE_NOTIFY)
        if kind == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NONE)
        return False


def connect(relay, material, seconds):
    return polynats_ffi.connect("tls://%s@localhost:%d" % (TOKEN, relay.port), reconnect=False,
                                tls_ca=material.path("ca.pem"), connect_timeout=seconds)


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def play(relay, material, way, at, kind):
    """Returns what the attempt ended with."""
    relay.set((way, at, kind))
    seconds = STALL_SECONDS if kind == "stall" else SECONDS
    began = time.monotonic()
    try:
        connect(relay, material, seconds).close()
        raise AssertionError("connected in spite of %s after %d bytes" % (kind, at))
    except polynats_ffi.Error as problem:
        took = time.monotonic() - began
        assert took <= STALL_SECONDS + LATE, (kind, way, at, took)
        wanted = ("TIMEOUT",) if kind == "stall" else ("TLS", "DISCONNECTED", "IO", "PROTOCOL")
        assert problem.code in wanted, (kind, way, at, problem.code, str(problem))
        assert TOKEN not in str(problem) and TOKEN.encode() not in relay.sent
        return problem.code


def whole(relay, material):
    """Bytes each way of an attempt that succeeds."""
    relay.set(None)
    connect(relay, material, SECONDS).close()
    assert TOKEN.encode() not in relay.sent
    return relay.passed[:]


def main():
    places = 250 if "--all" in sys.argv else 6
    material = natsd.run_keys()
    server = natsd.Server(os.environ["NATS_SERVER_BIN"], "tls:good")
    try:
        server.start()
        relay = Relay(server.port)
        sizes = whole(relay, material)
        # What ends an attempt must come before the server's PONG: its last bytes, and ours.
        sizes = [sizes[0] - 60, sizes[1] - 60]
        before, found = None, {}
        for kind in KINDS:
            for way in (0, 1):
                for place in range(places):
                    code = play(relay, material, way, sizes[way] * place // places, kind)
                    found.setdefault(kind, set()).add(code)
            if before is None:
                before = descriptors()
        time.sleep(0.1)  # the relay's own links
        after = descriptors()
        assert after <= before + 2, (before, after)
        whole(relay, material)
        for kind, codes in found.items():
            print("%-8s %d cuts: %s" % (kind, 2 * places, ", ".join(sorted(codes))))
    finally:
        server.end()


main()
