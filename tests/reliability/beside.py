"""What runs beside the workers: a meter of the machine, one of their memory, a publisher of the time."""

import socket
import threading
import time

from workers import Failed  # puts the folder of the next one onto the path

from play import queued


class Stalls:
    """The longest that this machine lets a process wait that wants to run: no call is quicker than that. Of a
    worker: how long it waited in the worst two windows that follow each other, for a call may wait often."""

    WINDOW = 0.05

    def __init__(self, workers=()):
        self.most = 0.0
        self.held = {worker: 0.0 for worker in workers}
        self.over = False
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        seen = [{worker: queued(worker.process.pid) for worker in self.held}] * 2
        due = time.monotonic() + self.WINDOW
        while not self.over:
            began = time.monotonic()
            time.sleep(0.005)
            self.most = max(self.most, time.monotonic() - began - 0.005)
            if time.monotonic() >= due:
                due += self.WINDOW
                seen = [seen[1], self.look_at_workers(seen[0])]

    def look_at_workers(self, before):
        now = {worker: queued(worker.process.pid) for worker in self.held}
        for worker, waited in now.items():
            self.held[worker] = max(self.held[worker], waited - before[worker])
        return now

    def end(self):
        self.over = True
        self.thread.join()
        return self.most

    def of(self, worker):
        """After the end."""
        return max(self.most, self.held[worker])


class Watch:
    """The most memory that workers have while it goes on."""

    def __init__(self, workers):
        self.workers = workers
        self.most = {}  # bytes
        self.open = {}  # descriptors
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.look, daemon=True)
        self.thread.start()

    def look(self):
        while not self.over.wait(0.05):
            for worker in self.workers:
                self.look_at(worker)

    def look_at(self, worker):
        try:
            self.most[worker] = max(self.most.get(worker, 0), worker.resident())
            self.open[worker] = max(self.open.get(worker, 0), worker.descriptors())
        except (OSError, Failed):
            return  # it has ended

    def end(self):
        self.over.set()
        self.thread.join()
        return self


class Clock:
    """A publisher of the time, on every worker's subject, straight to the server."""

    TICK = 0.02

    def __init__(self, port, subjects):
        self.port = port
        self.subjects = subjects
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), 2) as link:
                    link.sendall(b'CONNECT {"verbose":false}\r\n')
                    while not self.over.wait(self.TICK):
                        self.publish(link)
            except OSError:
                self.over.wait(self.TICK)  # no server for the moment

    def publish(self, link):
        now = b"%.6f" % time.monotonic()
        for subject in self.subjects:
            link.sendall(b"PUB %s %d\r\n%s\r\n" % (subject.encode(), len(now), now))
        link.setblocking(False)
        try:
            while b"PING\r\n" not in (came := link.recv(4096)):
                if not came:
                    raise ConnectionError
            link.setblocking(True)
            link.sendall(b"PONG\r\n")
        except BlockingIOError:
            pass
        finally:
            link.setblocking(True)

    def end(self):
        self.over.set()
        self.thread.join()
