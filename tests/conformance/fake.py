"""A server that follows a script: what it sends, what it expects. See README.md for the words."""

import json
import socket
import struct
import threading
import time

import frames
import text

INFO = {
    "server_id": "FAKE",
    "server_name": "fake",
    "version": "2.10.0",
    "proto": 1,
    "headers": True,
    "max_payload": 1048576,
    "client_id": 7,
}
# What a script may be at when the client goes.
PATIENT = ("hold", "quiet", "mute", "never", "deaf", "pause", "S1:")
STEP_SECONDS = 5.0  # how long a script waits for the client's next line


class Mismatch(Exception):
    """The client did something else than the script says."""


class Ended(Exception):
    """The client closed the connection."""


class Link:
    """One accepted connection."""

    def __init__(self, connection):
        self.socket = connection
        self.buffer = b""
        self.sent = 0
        self.stop = False
        self.frames = None  # once it is a WebSocket

    def say(self, data):
        """In a frame, where there are frames."""
        self.send(self.frames.encode(data) if self.frames else data)

    def take(self, data):
        """Bytes came."""
        try:
            self.buffer += self.frames.decode(data) if self.frames else data
        except frames.Wrong as problem:
            raise Mismatch(str(problem)) from problem

    def control(self, seconds):
        """The client's next control frame; None when none comes in time."""
        deadline = time.monotonic() + seconds
        while not self.frames.controls:
            if self.stop or time.monotonic() > deadline:
                return None
            self.receive()
        return frames.control_text(*self.frames.controls.pop(0))

    def receive(self):
        self.socket.settimeout(0.05)
        try:
            data = self.socket.recv(65536)
        except socket.timeout:
            return
        except OSError as problem:
            raise Ended() from problem
        if not data:
            raise Ended()
        self.take(data)

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError as problem:
            raise Ended() from problem
        self.sent += len(data)

    def line(self, seconds):
        """The client's next line without its end; None when none comes in time."""
        deadline = time.monotonic() + seconds
        while b"\n" not in self.buffer:
            if self.stop or time.monotonic() > deadline:
                return None
            self.receive()
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.rstrip(b"\r")

    def rest(self):
        """All that comes until the client goes."""
        came = self.buffer
        self.buffer = b""
        while not self.stop:
            self.socket.settimeout(0.05)
            try:
                data = self.socket.recv(65536)
            except socket.timeout:
                continue
            except OSError:
                break
            if not data:
                break
            came += data
        return came


class FakeServer:
    """Listens on one port and plays the n-th script to the n-th connection."""

    def __init__(self, captures):
        self.captures = captures
        self.scripts = []
        self.repeat_last = False
        self.gates = {}
        self.errors = []
        self.log = []
        self.lock = threading.Lock()
        self.threads = []
        self.links = []
        self.done = 0
        self.closing = False
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def read(self, lines, variables):
        """Take the script; the ports of all listeners are known by now."""
        for number, line in lines:
            line = text.substitute(line, variables, text.escape)
            words = line.split()
            if words[0] == "conn":
                self.scripts.append([])
                self.repeat_last = words[1:] == ["*"]
            else:
                self.scripts[-1].append((number, line))

    def start(self):
        self.listener.listen(64)
        self.listener.settimeout(0.05)
        thread = threading.Thread(target=self.accept, daemon=True)
        thread.start()
        self.threads.append(thread)

    def accept(self):
        index = 0
        while not self.closing:
            try:
                connection, _ = self.listener.accept()
            except socket.timeout:
                continue
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if index >= len(self.scripts) and not self.repeat_last:
                self.note("a connection that the script does not know was refused")
                connection.close()
                continue
            script = self.scripts[min(index, len(self.scripts) - 1)]
            index += 1
            link = Link(connection)
            self.links.append(link)
            thread = threading.Thread(target=self.play, args=(link, script, index), daemon=True)
            thread.start()
            self.threads.append(thread)

    def note(self, line):
        with self.lock:
            self.log.append(line if len(line) < 400 else line[:400] + " [cut]")

    def play(self, link, script, index):
        at = 0
        try:
            for number, line in script:
                at = number
                self.step(link, line, index)
            line = "hold"
            self.hold(link, False)
        except Ended:
            words = line.split()[0]
            if self.repeat_last and index >= len(self.scripts):
                return  # the case may end at any time of a connection that repeats
            if words not in PATIENT and not link.stop:
                self.errors.append(
                    "server script, connection %d: closed by the client at line %d: %s"
                    % (index, at, line[:200])
                )
        except Mismatch as problem:
            self.errors.append("server script, connection %d, line %d: %s" % (index, at, problem))
        finally:
            link.socket.close()
            with self.lock:
                self.done += 1

    def step(self, link, line, index):
        word, _, rest = line.partition(" ")
        if word == "S:":
            self.say(link, text.unescape(text.fill(rest, self.captures)), index)
        elif word == "S1:":
            data = text.unescape(text.fill(rest, self.captures))
            self.note("%d S1: %s" % (index, text.escape(data)))
            for byte in link.frames.encode(data) if link.frames else data:
                link.send(bytes([byte]))
        elif word == "raw:":
            data = text.unescape(text.fill(rest, self.captures))
            self.note("%d raw: %s" % (index, text.escape(data)))
            link.send(data)
        elif word == "upgrade":
            self.upgrade(link, rest.split(), index)
        elif word == "W:":
            self.expect_control(link, rest, index)
        elif word in ("C:", "C~"):
            self.expect(link, word, rest, index)
        elif word == "handshake":
            self.handshake(link, rest, index)
        elif word in ("hold", "quiet"):
            self.hold(link, word == "quiet")
        elif word == "never":
            self.never(link, rest.encode())
        elif word == "mute":
            while link.line(3600) is not None:
                pass
        elif word == "deaf":
            while not link.stop:
                time.sleep(0.02)
        elif word == "pause":
            time.sleep(int(rest) / 1000)
        elif word == "until":
            if not self.gate(rest).wait(STEP_SECONDS):
                raise Mismatch("nobody said `! let %s`" % rest)
        elif word == "mark":
            name, plus = rest.split()
            self.captures[name] = "" if plus == "*" else str(link.sent + int(plus))
        elif word == "close":
            link.stop = True
            raise Ended()
        elif word == "reset":
            link.stop = True
            link.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            raise Ended()
        else:
            raise Mismatch("unknown word in a script: %s" % word)

    def say(self, link, data, index):
        self.note("%d S: %s" % (index, text.escape(data)))
        link.say(data)

    def expect(self, link, word, want, index):
        line = link.line(STEP_SECONDS)
        if line is None:
            if link.stop:
                raise Mismatch("the case ended while waiting for `%s`" % want)
            raise Mismatch("waited in vain for `%s`" % want)
        self.note("%d C: %s" % (index, text.escape(line)))
        want = text.fill(want, self.captures)
        if word == "C~":
            if text.unescape(want) not in line:
                raise Mismatch("expected a line with `%s`, got `%s`" % (want, text.escape(line)))
            return
        with self.lock:
            if not match_wire(want, line, self.captures):
                raise Mismatch("expected `%s`, got `%s`" % (want, text.escape(line)))

    def upgrade(self, link, words, index):
        """Read the rest of a request for a WebSocket, answer it, and go on in frames."""
        key, line = b"", b"-"
        while line:
            line = link.line(STEP_SECONDS)
            if line is None:
                raise Mismatch("waited in vain for the end of the request")
            self.note("%d C: %s" % (index, text.escape(line)))
            if line.lower().startswith(b"sec-websocket-key:"):
                key = line.partition(b":")[2].strip()
        link.send(frames.answer(key, words))
        link.frames = frames.Frames(words)

    def expect_control(self, link, want, index):
        got = link.control(STEP_SECONDS)
        if got is None:
            raise Mismatch("waited in vain for the control frame `%s`" % want)
        self.note("%d W: %s" % (index, text.escape(got)))
        if got != text.unescape(want):
            raise Mismatch("expected the control frame `%s`, got `%s`" % (want, text.escape(got)))

    def handshake(self, link, fields, index):
        info = dict(INFO, port=self.port, host="127.0.0.1")
        for field in fields.split():
            key, _, value = field.partition("=")
            info[key] = json.loads(value)
        self.say(link, b"INFO " + json.dumps(info).encode() + b"\r\n", index)
        self.expect(link, "C:", "CONNECT ...", index)
        self.expect(link, "C:", "PING", index)
        self.say(link, b"PONG\r\n", index)

    def hold(self, link, quiet):
        """Answer pings until the client goes; quiet: it may say nothing else."""
        while True:
            line = link.line(3600)
            if line is None:
                return
            if line == b"PING":
                link.say(b"PONG\r\n")
            elif quiet:
                raise Mismatch("nothing but PING was to come, got `%s`" % text.escape(line))

    def never(self, link, part):
        """Read until the client goes: `part` may not be among it."""
        came = link.rest()
        self.note("%d %d bytes came" % (len(self.links), len(came)))
        if part in came:
            raise Mismatch("`%s` came" % part.decode())
        if not came:
            raise Mismatch("nothing came at all")

    def gate(self, name):
        with self.lock:
            return self.gates.setdefault(name, threading.Event())

    def finish(self):
        """End; returns what went wrong."""
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline and self.done < len(self.links):
            time.sleep(0.005)
        self.closing = True
        for link in self.links:
            link.stop = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        except OSError:
            pass  # it was not listening, or is closed already
        for thread in list(self.threads):
            thread.join(2.0)
        self.listener.close()
        if len(self.links) < len(self.scripts) and not self.repeat_last:
            self.errors.append(
                "server script: %d connections were made, the script has %d"
                % (len(self.links), len(self.scripts))
            )
        return self.errors


def match_wire(want, line, captures):
    """Like an expected line of a case, but of raw bytes: tokens are cut at blanks."""
    wanted = want.split(" ")
    tokens = line.split(b" ")
    if wanted[-1] == "...":
        wanted.pop()
        tokens = tokens[: len(wanted)]
    if len(wanted) != len(tokens):
        return False
    for one, other in zip(wanted, tokens):
        name = text.CAPTURE.fullmatch(one)
        if name:
            captures[name.group(1)] = other.decode("latin-1")
        elif one != "*" and text.unescape(one) != other:
            return False
    return True
