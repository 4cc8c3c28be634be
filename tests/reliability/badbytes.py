"""A server that greets, delivers one message, and then sends what no server should send, again and again."""

import socket
import threading
import time

import casefile
import text

INFO = b'INFO {"server_id":"BAD","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}\r\n'


def bad_lines():
    """The vectors of the conformance suite, as bytes; {sid} stands in them for the subscription's."""
    rows = casefile.shared_table("badlines", "badbytes")
    return [text.unescape(text.substitute(row["bytes"], {}, text.escape)) for row in rows]


class BadServer:
    """One client after the other; each gets the next vector."""

    def __init__(self, vectors, instead_of_info=False):
        self.vectors = vectors
        self.instead = instead_of_info
        self.sessions = 0  # that were greeted
        self.sent = 0  # good messages
        self.slowest = 0.0  # from the bad bytes to the next subscription
        self.bad_at = None
        self.calm = threading.Event()
        self.over = False
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.listener.settimeout(0.1)
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def close(self):
        self.over = True
        self.thread.join()
        self.listener.close()

    def wait_for(self, sessions, seconds):
        deadline = time.monotonic() + seconds
        while self.sessions < sessions and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.sessions >= sessions

    def run(self):
        while not self.over:
            try:
                link, _ = self.listener.accept()
            except OSError:
                continue
            with link:
                try:
                    self.instead_of_info(link) if self.instead else self.serve(link)
                except OSError:
                    pass

    def instead_of_info(self, link):
        link.sendall(self.vectors[0])

    def serve(self, link):
        link.settimeout(0.1)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        link.sendall(INFO)
        for line in self.lines(link):
            if line.startswith(b"PING"):
                link.sendall(b"PONG\r\n")
            elif line.startswith(b"SUB "):
                self.misbehave(link, line.split()[-1])

    def misbehave(self, link, sid):
        if self.bad_at is not None:
            self.slowest = max(self.slowest, time.monotonic() - self.bad_at)
        number = b"%016d" % (self.sent + 1)
        data = b"MSG t %s %d\r\n%s\r\n" % (sid, len(number), number)
        calm = self.calm.is_set()
        if not calm:
            data += self.vectors[self.sessions % len(self.vectors)].replace(b"{sid}", sid)
        link.sendall(data)
        self.bad_at = None if calm else time.monotonic()
        self.sent += 1
        self.sessions += 1

    def lines(self, link):
        """The client's lines, until it goes."""
        came = b""
        while not self.over:
            try:
                more = link.recv(65536)
            except socket.timeout:
                continue
            if not more:
                return
            came += more
            *whole, came = came.split(b"\n")
            yield from whole
