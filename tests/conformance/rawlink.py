"""A client of a few lines, for the harness itself: it asks JetStream and reads streams without the library that is
being tested."""

import json
import socket
import time

BATCH = 1000  # messages that are asked for at once
HELLO = b'CONNECT {"verbose":false,"headers":true,"no_responders":true,"protocol":1}\r\nPING\r\n'


class Link:
    """A connection, for one thing at a time."""

    def __init__(self, port, seconds=10.0):
        self.seconds = seconds
        self.socket = socket.create_connection(("127.0.0.1", port), seconds)
        self.buffer = bytearray()  # taking from its front costs nothing
        self.asked = 0
        self.socket.sendall(HELLO + b"SUB _INBOX.raw.* 1\r\n")

    def __enter__(self):
        return self

    def __exit__(self, *problem):
        self.close()

    def close(self):
        self.socket.close()

    def send(self, subject, data, reply=""):
        self.socket.sendall(b"PUB %s %s %d\r\n%s\r\n"
                            % (subject.encode(), reply.encode(), len(data), data))

    def ask(self, subject, data):
        """Only what comes for the last question is an answer."""
        self.asked += 1
        self.send(subject, data, "_INBOX.raw.%d" % self.asked)

    def more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.socket.settimeout(left)
        data = self.socket.recv(1 << 20)
        if not data:
            raise ConnectionError("the server closed the connection")
        self.buffer += data

    def take(self, size, deadline):
        while len(self.buffer) < size:
            self.more(deadline)
        data = bytes(self.buffer[:size])
        del self.buffer[:size]
        return data

    def line(self, deadline):
        while self.buffer.find(b"\r\n") < 0:
            self.more(deadline)
        return self.take(self.buffer.find(b"\r\n") + 2, deadline)[:-2]

    def answer(self, deadline):
        """The next message that answers what was asked last: headers as they are, data."""
        while True:
            words = self.line(deadline).split()
            if words[0] == b"PING":
                self.socket.sendall(b"PONG\r\n")
            elif words[0] in (b"MSG", b"HMSG"):
                size = int(words[-1])
                body = self.take(size + 2, deadline)[:size]
                at = int(words[-2]) if words[0] == b"HMSG" else 0
                if words[1] == b"_INBOX.raw.%d" % self.asked:
                    return body[:at], body[at:]
            elif words[0] == b"-ERR":
                raise ConnectionError(b" ".join(words).decode())

    def api(self, verb, seconds=None, **arguments):
        """The answer of JetStream's API, a dict; an empty one when nobody answers."""
        self.ask("$JS.API." + verb, json.dumps(arguments).encode())
        try:
            headers, data = self.answer(time.monotonic() + (seconds or self.seconds))
        except TimeoutError:
            return {}
        return json.loads(data) if not headers else {}

    def read_stream(self, name):
        """(sequence, data) of all that it has; of a stream with allow_direct."""
        last = self.api("STREAM.INFO." + name)["state"]["last_seq"]
        seq = 0
        while seq < last:
            asked = json.dumps({"seq": seq + 1, "batch": BATCH}).encode()
            self.ask("$JS.API.DIRECT.GET." + name, asked)
            before = seq
            while True:
                headers, data = self.answer(time.monotonic() + self.seconds)
                if not headers.startswith(b"NATS/1.0\r\n"):  # 204: that is all
                    break
                seq = header_number(headers, b"Nats-Sequence")
                yield seq, data
            if seq == before:
                raise ConnectionError("nothing behind %d: %r" % (seq, headers))


def header_number(headers, key):
    for line in headers.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name == key:
            return int(value)
    raise ValueError("no %r in %r" % (key, headers))
