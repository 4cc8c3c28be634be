#!/usr/bin/env python3
"""A link that misbehaves on command: it sits between a client and a server on the loopback address.

    tests/fault/proxy.py 4222              prints its own port; reads commands from stdin
    proxy = Proxy(4222); proxy.port; proxy.command("cut")

Commands. WAY is `up` (client to server) or `down`; without it both are meant.

    delay MS [WAY]      what is read from now on goes on so much later
    piece BYTES [WAY]   goes on in pieces of at most so many bytes, 1 ms apart
    rate BYTES [WAY]    goes on at so many bytes a second
    hole [WAY]          nothing goes on, and nobody is told: a partition
    heal                as at the beginning; what was held goes on
    corrupt AT [WAY]    one bit of the byte AT bytes from now is turned, on each link
    truncate AT [WAY]   so many bytes go on, then the link is reset
    cut                 every link is reset
    end                 every link ends as by close(), once what was read has gone on
    refuse, accept      new connections are refused; are taken again
    links, bytes WAY    print how many links there are; how many bytes went on
"""

import collections
import selectors
import socket
import struct
import sys
import threading
import time

READ = 1 << 16
BACKLOG = 1 << 20  # bytes that a way holds before it stops reading: a network is not endless
PIECE_PAUSE = 0.001
WAYS = ("up", "down")


class CommandError(ValueError):
    """A command that the proxy does not know."""


class Rules:
    """What befalls the bytes of one way."""

    def __init__(self):
        self.delay = 0.0
        self.piece = 0
        self.rate = 0
        self.hole = False
        self.corrupt_at = None
        self.truncate_at = None


class Way:
    """One direction of a link: read from source, held, written to sink."""

    def __init__(self, link, name, source, sink):
        self.link = link
        self.name = name
        self.source = source
        self.sink = sink
        self.held = collections.deque()  # (when it may go on, bytes)
        self.size = 0
        self.next_at = 0.0  # of a way with pieces or a rate
        self.eof = False
        self.ended = False
        self.corrupt_left = None
        self.truncate_left = None

    def take(self, data, rules, now):
        if self.corrupt_left is not None:
            if self.corrupt_left < len(data):
                data = bytearray(data)
                data[self.corrupt_left] ^= 0x01
                self.corrupt_left = None
            else:
                self.corrupt_left -= len(data)
        self.held.append((now + rules.delay, bytes(data)))
        self.size += len(data)

    def due(self, rules):
        """When the next bytes may go on; None when there are none, or they may not."""
        if rules.hole or (not self.held and not (self.eof and not self.ended)):
            return None
        return max(self.held[0][0], self.next_at) if self.held else self.next_at

    def limit(self, rules):
        most = READ
        if rules.piece:
            most = min(most, rules.piece)
        if rules.rate:
            most = min(most, max(1, rules.rate // 100))
        if self.truncate_left is not None:
            most = min(most, self.truncate_left)
        return most

    def pass_on(self, rules, now):
        """Write what is due. Returns how many bytes went on; raises OSError when the link is gone."""
        gone = 0
        while (at := self.due(rules)) is not None and at <= now:
            if not self.held:
                self.ended = True
                self.sink.shutdown(socket.SHUT_WR)
                break
            if self.truncate_left == 0:
                raise ConnectionResetError
            data = self.held[0][1]
            try:
                sent = self.sink.send(data[: self.limit(rules)])
            except BlockingIOError:
                self.next_at = now + PIECE_PAUSE
                break
            self.held[0] = (self.held[0][0], data[sent:])
            if sent == len(data):
                self.held.popleft()
            self.size -= sent
            gone += sent
            if self.truncate_left is not None:
                self.truncate_left -= sent
            if rules.piece:
                self.next_at = now + PIECE_PAUSE
            if rules.rate:
                self.next_at = max(self.next_at, now) + sent / rules.rate
        if self.truncate_left == 0:
            raise ConnectionResetError
        return gone


class Link:
    """A client's connection and ours to the server."""

    def __init__(self, client, server):
        self.sockets = (client, server)
        self.ways = {
            "up": Way(self, "up", client, server),
            "down": Way(self, "down", server, client),
        }

    def reset(self):
        for end in self.sockets:
            end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            end.close()


class Proxy:
    """All links to one server, moved by a thread of its own."""

    def __init__(self, target, port=0):
        self.target = target
        self.rules = {way: Rules() for way in WAYS}
        self.counts = dict.fromkeys(WAYS, 0)
        self.links = []
        self.lock = threading.RLock()
        self.selector = selectors.DefaultSelector()
        self.listener = None
        self.port = port
        self.listen()
        self.bell, self.ear = socket.socketpair()
        self.ear.setblocking(False)
        self.selector.register(self.ear, selectors.EVENT_READ, None)
        self.over = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    # ---- commands ----

    def command(self, words):
        """Do what the words say; returns what is to be printed, or None."""
        verb, *args = words.split()
        act = getattr(self, "do_" + verb, None)
        if act is None:
            raise CommandError("no such command: %s" % verb)
        with self.lock:
            try:
                answer = act(*args)
            except (TypeError, ValueError, KeyError) as problem:
                raise CommandError("%s: %s" % (words, problem)) from problem
        self.bell.send(b"x")
        return answer

    def ways(self, name):
        return [self.rules[name]] if name else self.rules.values()

    def do_delay(self, ms, way=None):
        for rules in self.ways(way):
            rules.delay = int(ms) / 1000

    def do_piece(self, size, way=None):
        for rules in self.ways(way):
            rules.piece = int(size)

    def do_rate(self, size, way=None):
        for rules in self.ways(way):
            rules.rate = int(size)

    def do_hole(self, way=None):
        for rules in self.ways(way):
            rules.hole = True

    def do_heal(self):
        self.rules = {way: Rules() for way in WAYS}
        for link in self.links:
            for way in link.ways.values():
                way.corrupt_left = way.truncate_left = None

    def do_corrupt(self, at, way=None):
        for rules in self.ways(way):
            rules.corrupt_at = int(at)
        self.arm("corrupt_left", int(at), way)

    def do_truncate(self, at, way=None):
        for rules in self.ways(way):
            rules.truncate_at = int(at)
        self.arm("truncate_left", int(at), way)

    def arm(self, field, at, name):
        for link in self.links:
            for way in link.ways.values():
                if name in (None, way.name):
                    setattr(way, field, at + (way.size if field == "truncate_left" else 0))

    def do_cut(self):
        for link in list(self.links):
            self.drop(link)

    def do_end(self):
        for link in self.links:
            for way in link.ways.values():
                way.eof = True

    def do_refuse(self):
        if self.listener is not None:
            self.selector.unregister(self.listener)
            self.listener.close()
            self.listener = None

    def do_accept(self):
        if self.listener is None:
            self.listen()

    def do_links(self):
        return str(len(self.links))

    def do_bytes(self, way):
        return str(self.counts[way])

    def close(self):
        """Reset every link and end the thread."""
        with self.lock:
            self.over = True
        self.bell.send(b"x")
        self.thread.join()
        for link in self.links:
            link.reset()
        if self.listener is not None:
            self.listener.close()
        self.bell.close()
        self.ear.close()
        self.selector.close()

    # ---- the thread ----

    def listen(self):
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind(("127.0.0.1", self.port))
        self.listener.listen(512)
        self.listener.setblocking(False)
        self.port = self.listener.getsockname()[1]
        self.selector.register(self.listener, selectors.EVENT_READ, None)

    def run(self):
        while not self.over:
            ready = self.selector.select(self.patience())
            with self.lock:
                for key, _ in ready:
                    self.look(key)
                for link in list(self.links):
                    self.move(link)

    def patience(self):
        with self.lock:
            dues = [
                due
                for link in self.links
                for way in link.ways.values()
                if (due := way.due(self.rules[way.name])) is not None
            ]
        return max(0.0, min(dues) - time.monotonic()) if dues else None

    def look(self, key):
        if key.fileobj is self.ear:
            self.ear.recv(READ)
        elif key.data is not None:
            self.read(key.data)
        elif key.fileobj is self.listener:
            self.join()

    def join(self):
        """A client has come: it gets a connection to the server of its own."""
        try:
            client, _ = self.listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 5)
        except OSError:
            client.close()
            return
        link = Link(client, server)
        for end in link.sockets:
            end.setblocking(False)
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for way in link.ways.values():
            way.corrupt_left = self.rules[way.name].corrupt_at
            way.truncate_left = self.rules[way.name].truncate_at
            self.selector.register(way.source, selectors.EVENT_READ, way)
        self.links.append(link)

    def read(self, way):
        if way.link not in self.links:
            return
        try:
            data = way.source.recv(READ)
        except BlockingIOError:
            return
        except OSError:
            self.drop(way.link)
            return
        if data:
            way.take(data, self.rules[way.name], time.monotonic())
        else:
            way.eof = True
        self.listen_to(way)

    def listen_to(self, way):
        """Read while there is room for it, and something may come."""
        wanted = not way.eof and way.size < BACKLOG and not self.rules[way.name].hole
        known = way.source in self.selector.get_map()
        if wanted and not known:
            self.selector.register(way.source, selectors.EVENT_READ, way)
        elif known and not wanted:
            self.selector.unregister(way.source)

    def move(self, link):
        now = time.monotonic()
        try:
            for way in link.ways.values():
                self.counts[way.name] += way.pass_on(self.rules[way.name], now)
                self.listen_to(way)
        except OSError:
            self.drop(link)
            return
        if all(way.ended for way in link.ways.values()):
            self.drop(link)

    def drop(self, link):
        self.links.remove(link)
        for end in link.sockets:
            if end in self.selector.get_map():
                self.selector.unregister(end)
        link.reset()


def main():
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        print(__doc__.strip(), file=sys.stderr)
        return 0 if "--help" in sys.argv[1:] else 2
    proxy = Proxy(int(sys.argv[1]))
    print(proxy.port, flush=True)
    for line in sys.stdin:
        try:
            answer = proxy.command(line) if line.strip() else None
        except CommandError as problem:
            answer = "error: %s" % problem
        if answer is not None:
            print(answer, flush=True)
    proxy.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
