#!/usr/bin/env python3
"""A reconnect goes on with the TLS session of the connection before it, and a key update in between does no harm. A
server that wants to renegotiate does not get what it wants.

The server is `openssl s_server`, whose words tell of both. It begins with TLS and gets INFO and PONG from here.
"""

import os
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "conformance"))
sys.path.insert(0, os.path.join(HERE, "..", "..", "bindings", "ffi", "ctypes"))
sys.dont_write_bytecode = True

import keys
import play

import polynats_ffi

INFO = b'INFO {"server_id":"X","version":"2.10.0","max_payload":1048576}\n'
# s_server takes a line that begins with P, K, q and the like for a command.
PONG = b"+OK\r\nPONG\r\n"
SECONDS = 10.0


class Server:
    """One openssl s_server; its words are gathered."""

    def __init__(self, material, version, port):
        command = ["openssl", "s_server", version, "-accept", "127.0.0.1:%d" % port, "-cert",
                   material.path("good.pem"), "-key", material.path("good.key")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.words = b""
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        while True:
            data = os.read(self.process.stdout.fileno(), 65536)
            if not data:
                return
            self.words += data

    def await_words(self, words, count=1):
        deadline = time.monotonic() + SECONDS
        while self.words.count(words) < count:
            if time.monotonic() > deadline:
                sys.exit("waited in vain for %r in %r" % (words, self.words))
            time.sleep(0.01)

    def say(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def end(self):
        self.process.kill()
        self.process.wait()


def greet(server, count):
    """What a nats-server says to the count-th connection."""
    server.await_words(b"CIPHER is", count)
    server.say(INFO)
    server.await_words(b"CONNECT {", count)
    server.say(PONG)


def run(material, version):
    holder, port = play.closed_port()
    holder.close()
    server = Server(material, version, port)
    try:
        server.await_words(b"ACCEPT")
        greeter = threading.Thread(target=greet, args=(server, 1))
        greeter.start()
        client = polynats_ffi.connect("tls://localhost:%d" % port, tls_first=True,
                                      tls_ca=material.path("ca.pem"), reconnect_wait=0.05)
        greeter.join()
        if version == "-tls1_3":
            server.say(b"K\n")
            client.publish("t", b"after the key update")
            server.await_words(b"after the key update")
        server.say(b"q\n")
        greet(server, 2)
        server.await_words(b"Reused session-id")
        client.close()
    finally:
        server.end()


def renegotiate(material):
    """The server ends such a connection; the next one is made as ever."""
    holder, port = play.closed_port()
    holder.close()
    server = Server(material, "-tls1_2", port)
    try:
        server.await_words(b"ACCEPT")
        greeter = threading.Thread(target=greet, args=(server, 1))
        greeter.start()
        client = polynats_ffi.connect("tls://localhost:%d" % port, tls_first=True,
                                      tls_ca=material.path("ca.pem"), reconnect_wait=0.05)
        greeter.join()
        server.say(b"r\n")
        server.await_words(b"no renegotiation")
        greet(server, 2)
        client.publish("t", b"after that")
        server.await_words(b"after that")
        assert client.stats()["reconnects"] == 1
        client.close()
    finally:
        server.end()


def main():
    material = keys.Keys()
    try:
        for version in ("-tls1_2", "-tls1_3"):
            run(material, version)
            print("%s: went on with the session" % version[1:])
        renegotiate(material)
        print("renegotiation: refused")
    finally:
        material.end()


main()
