"""A server that greets, delivers one message, and then sends what no server should send, again and again."""

import socket
import threading
import time

import casefile
import text

FACTS = b'{"server_id":"BAD","version":"2.10.0","proto":1,"headers":true,"max_payload":1048576}'
INFO = b"INFO " + FACTS + b"\r\n"


def bad_lines():
    """The vectors of the conformance suite, as bytes; {sid} stands in them for the subscription's."""
    rows = casefile.shared_table("badlines", "badbytes")
    return [text.unescape(text.substitute(row["bytes"], {}, text.escape)) for row in rows]


MIB = 1 << 20

# What would take much memory, if it were believed, or kept: (bytes, how often they are repeated).
LARGE = [
    (b"MSG t 1 2147483647\r\n", 1),
    (b"MSG t 1 4294967301\r\n", 1),
    (b"MSG t 1 9223372036854775808\r\n", 1),
    (b"MSG t 1 67108864\r\n" + b"x" * MIB, 1),  # allowed, begun, and not finished
    (b"HMSG t 1 12 67108876\r\nNATS/1.0\r\n\r\n", 1),
    (b"MSG " + b"t" * MIB, 100),
    (b"-ERR '" + b"e" * MIB, 100),
    (b'INFO {"a":"' + b"i" * MIB, 100),
    (b'INFO {"a":' + b"[" * 100000 + b"\r\n", 1),
    (b"INFO " + b'{"a":' * 100000 + b"\r\n", 1),
    (b"+OK\r\n" * (MIB // 5), 20),
]


class BadServer:
    """One client after the other; each gets the next vector."""

    def __init__(self, vectors, instead_of_info=False, large=False):
        self.vectors = vectors
        self.large = large
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
        calm = self.calm.is_set()
        vector = self.vectors[self.sessions % len(self.vectors)]
        self.sent += 1
        self.sessions += 1
        number = b"%016d" % self.sent
        link.sendall(
            b"MSG t %s %d\r\n%s\r\n" % (sid, len(number), number)
            + (b"" if calm else self.first(vector, sid))
        )
        self.bad_at = None if calm else time.monotonic()
        if self.large and not calm:
            self.send_rest(link, *vector)

    def first(self, vector, sid):
        return b"" if self.large else vector.replace(b"{sid}", sid)

    @staticmethod
    def send_rest(link, data, times):
        """Much of it, until the client has had enough; then it is for us to hang up."""
        link.settimeout(5)
        for time_no in range(times):
            link.sendall(data if time_no == 0 else data[-MIB:])
        link.shutdown(socket.SHUT_WR)
        link.settimeout(0.1)

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
