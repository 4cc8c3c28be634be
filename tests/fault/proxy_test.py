#!/usr/bin/env python3
"""The proxy that tests faults is tested itself: an echo server behind it."""

import socket
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True  # the source tree stays as it is

from proxy import CommandError, Proxy  # noqa: E402


class Echo:
    """A server that sends back what it gets."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    @staticmethod
    def serve(link):
        with link:
            try:
                while data := link.recv(65536):
                    link.sendall(data)
            except OSError:
                pass


class ProxyTest(unittest.TestCase):
    def setUp(self):
        self.echo = Echo()
        self.addCleanup(self.echo.listener.close)
        self.proxy = Proxy(self.echo.port)
        self.addCleanup(self.proxy.close)

    def link(self):
        made = socket.create_connection(("127.0.0.1", self.proxy.port), 5)
        made.settimeout(5)
        self.addCleanup(made.close)
        return made

    @staticmethod
    def read(link, size):
        data = b""
        while len(data) < size:
            piece = link.recv(65536)
            if not piece:
                break
            data += piece
        return data

    def ask(self, link, data):
        link.sendall(data)
        return self.read(link, len(data))

    def test_passes_on(self):
        data = bytes(range(256)) * 4096
        link = self.link()
        threading.Thread(target=link.sendall, args=(data,)).start()
        self.assertEqual(self.read(link, len(data)), data)
        self.assertEqual(self.proxy.command("links"), "1")
        self.assertEqual(self.proxy.command("bytes up"), str(len(data)))

    def test_delay(self):
        link = self.link()
        self.proxy.command("delay 150 up")
        start = time.monotonic()
        self.assertEqual(self.ask(link, b"late"), b"late")
        self.assertGreater(time.monotonic() - start, 0.14)

    def test_piece(self):
        link = self.link()
        self.proxy.command("piece 1 down")
        link.sendall(b"abc")
        self.assertEqual(link.recv(10), b"a")
        self.assertEqual(self.read(link, 2), b"bc")

    def test_rate(self):
        link = self.link()
        self.proxy.command("rate 100000 down")
        start = time.monotonic()
        self.ask(link, b"x" * 20000)
        self.assertGreater(time.monotonic() - start, 0.15)

    def test_hole_and_heal(self):
        link = self.link()
        self.proxy.command("hole down")
        link.sendall(b"held")
        link.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            link.recv(10)
        self.proxy.command("heal")
        link.settimeout(5)
        self.assertEqual(self.read(link, 4), b"held")

    def test_a_hole_tells_nobody_of_an_end(self):
        link = self.link()
        self.ask(link, b"x")
        self.proxy.command("hole up")
        link.shutdown(socket.SHUT_WR)
        link.settimeout(0.1)
        with self.assertRaises(TimeoutError):
            link.recv(10)

    def test_corrupt(self):
        link = self.link()
        self.proxy.command("corrupt 2 up")
        self.assertEqual(self.ask(link, b"aaaa"), b"aa`a")
        self.assertEqual(self.ask(link, b"aaaa"), b"aaaa")

    def test_truncate(self):
        self.proxy.command("truncate 3 down")
        link = self.link()
        link.sendall(b"12345")
        with self.assertRaises(ConnectionResetError):
            self.assertEqual(self.read(link, 3), b"123")
            link.recv(10)

    def test_cut(self):
        link = self.link()
        self.ask(link, b"x")
        self.proxy.command("cut")
        with self.assertRaises(ConnectionResetError):
            link.recv(10)
        self.assertEqual(self.ask(self.link(), b"again"), b"again")

    def test_end(self):
        link = self.link()
        self.ask(link, b"x")
        self.proxy.command("end")
        self.assertEqual(link.recv(10), b"")

    def test_an_end_is_passed_on(self):
        link = self.link()
        link.sendall(b"last")
        link.shutdown(socket.SHUT_WR)
        self.assertEqual(self.read(link, 5), b"last")

    def test_refuse_and_accept(self):
        self.proxy.command("refuse")
        with self.assertRaises(ConnectionRefusedError):
            self.link()
        self.proxy.command("accept")
        self.assertEqual(self.ask(self.link(), b"x"), b"x")

    def test_wrong_words(self):
        for words in ("fold", "delay", "delay x", "delay 1 sideways", "cut 1 2", "bytes along"):
            with self.subTest(words), self.assertRaises(CommandError):
                self.proxy.command(words)


if __name__ == "__main__":
    unittest.main()
