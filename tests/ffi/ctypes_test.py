"""What the conformance cases cannot ask of the ctypes module: signals, threads, lifetimes."""

import contextlib
import gc
import itertools
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest
import weakref

import polynats_ffi as nats

CTRL_C_SECONDS = 0.1
BUSY_SECONDS = 0.4  # what a loaded machine may need on top


class Signals(unittest.TestCase):
    """Ctrl-C in each call that waits."""

    def setUp(self):
        self.nc = nats.connect()
        self.addCleanup(self.nc.close)
        self.sub = self.nc.subscribe("signals.>")
        self.nc.subscribe("unanswered")
        self.nc.flush()

    def interrupted(self, wait):
        sent = []

        def press():
            time.sleep(0.1)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=press)
        thread.start()
        with self.assertRaises(KeyboardInterrupt):
            wait()
        self.assertLess(time.monotonic() - sent[0], CTRL_C_SECONDS + BUSY_SECONDS)
        thread.join()

    def test_each_waiting_call(self):
        for wait in (lambda: self.nc.get(wait=5), lambda: self.sub.next(5),
                     lambda: self.sub.get(wait=5), lambda: self.nc.request("unanswered", timeout=5),
                     lambda: self.nc.dispatch(wait=5), lambda: self.nc.run(5),
                     lambda: next(iter(self.sub))):
            while self.nc.next_event(0):
                pass
            with self.subTest(wait):
                self.interrupted(wait)
        self.nc.next_event(0)
        self.interrupted(lambda: [self.nc.next_event(5) for _ in range(5)])

    def test_no_message_is_lost(self):
        """A timer strikes anywhere, again and again, while messages are taken."""
        total, seen = 3000, []

        def strike(*_):
            raise InterruptedError

        before = signal.signal(signal.SIGALRM, strike)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        self.nc.publish_many("signals.all", [b"%d" % at for at in range(total)])
        self.nc.flush()
        strikes, limit = 0, time.monotonic() + 20
        while len(seen) < total and time.monotonic() < limit:
            box = []
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.0003)
                # In one expression: what get returned cannot be lost on the way into the box.
                box.extend(self.nc.get(max=50, wait=0.5))
                signal.setitimer(signal.ITIMER_REAL, 0)
            except InterruptedError:
                strikes += 1
            seen += box
        signal.setitimer(signal.ITIMER_REAL, 0)
        self.assertEqual(sorted(int(msg.data) for msg in seen), list(range(total)))
        self.assertGreater(strikes, 0)


class Slow:
    """A server that answers each PING after a while, and counts."""

    INFO = (b'INFO {"server_id":"s","version":"2.10.0","proto":1,"headers":true,'
            b'"max_payload":1048576}\r\n')
    DELAY_S = 0.2

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = "nats://127.0.0.1:%d" % self.listener.getsockname()[1]
        self.pings = self.accepted = 0
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                peer = self.listener.accept()[0]
            except OSError:
                return
            self.accepted += 1
            with peer:
                peer.sendall(self.INFO)
                for line in peer.makefile("rb"):
                    if line == b"PING\r\n":
                        self.pings += 1
                        time.sleep(self.DELAY_S)
                        peer.sendall(b"PONG\r\n")

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join(5)


class Deaf(Slow):
    """It answers one PING, and nothing after it."""

    def serve(self):
        peer = self.listener.accept()[0]
        with peer:
            peer.sendall(self.INFO)
            for line in peer.makefile("rb"):
                if line == b"PING\r\n" and not self.pings:
                    self.pings += 1
                    peer.sendall(b"PONG\r\n")


class Beats(unittest.TestCase):
    """Signals whose handler does nothing let no call begin anew."""

    def setUp(self):
        before = signal.signal(signal.SIGALRM, lambda *_: None)
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        signal.setitimer(signal.ITIMER_REAL, 0.03, 0.03)
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)

    def test_connect_ends_in_time(self):
        with socket.create_server(("127.0.0.1", 0)) as silent:
            begun = time.monotonic()
            with self.assertRaises(nats.Timeout):
                nats.connect("nats://127.0.0.1:%d" % silent.getsockname()[1], connect_timeout=0.4)
            self.assertLess(time.monotonic() - begun, 1.4)

    def test_one_attempt_and_one_ping(self):
        self.one_attempt_and_one_ping()

    def test_asking_makes_no_attempt_anew(self):
        self.one_attempt_and_one_ping(token="t", ask_credentials=True)

    def one_attempt_and_one_ping(self, **options):
        slow = Slow()
        self.addCleanup(slow.close)
        nc = nats.connect(slow.url, connect_timeout=5, **options)
        nc.flush(5)
        self.assertGreater(nc.rtt(5), 0.15)
        nc.subscribe("kept").drain(5)
        nc.drain(5)
        self.assertEqual((slow.accepted, slow.pings, nc.status), (1, 5, "closed"))

    def test_what_waits_for_room_ends_in_time(self):
        for verb in ("subscribe", "unsubscribe", "sub.unsubscribe", "request_many"):
            deaf = Slow()
            deaf.DELAY_S = 0
            nc = nats.connect(deaf.url, write_deadline=0.3, reconnect=False)
            deaf.DELAY_S = 60  # and it reads nothing meanwhile
            sub, after = nc.subscribe("b"), itertools.count(1_000_000)
            calls = {"subscribe": lambda: nc.subscribe("b" * 1000),
                     "unsubscribe": lambda: nc.unsubscribe("b", next(after)),
                     "sub.unsubscribe": lambda: sub.unsubscribe(next(after)),
                     "request_many": lambda: nc.request_many("b", b"x" * 1000, timeout=0)}
            with self.assertRaises((nats.Timeout, nats.Closed, nats.Disconnected)):
                nc.flush(0)
            with self.assertRaises((nats.Timeout, nats.Closed, nats.Disconnected), msg=verb):
                # Of the large ones, one is being written and one waits.
                while nc.stats()["unwritten_bytes"] < 131_000:
                    nc.publish("a", b"x" * 130_000)
                while nc.status == "connected":
                    calls[verb]()
                nc.publish("a")
            nc.close()
            deaf.listener.close()


class Threads(unittest.TestCase):
    def test_the_lock_is_free_while_one_waits(self):
        with nats.connect() as nc:
            found = []
            thread = threading.Thread(target=lambda: found.extend(nc.get(wait=10)))
            nc.subscribe("threads")
            thread.start()
            nc.publish("threads", b"x")
            thread.join(5)
            self.assertEqual([msg.data for msg in found], [b"x"])

    def test_wake_from_another_thread(self):
        with nats.connect() as nc:
            timer = threading.Timer(0.1, nc.wake)
            timer.start()
            self.assertEqual(nc.get(wait=10), [])
            timer.join()

    def test_many_at_once(self):
        """Eight threads on one client; each message goes to one of them."""
        with nats.connect() as nc:
            sub, total = nc.subscribe("many"), 4000
            nc.flush()
            taken, lock = [], threading.Lock()

            def take():
                while (msg := sub.next(1)) is not None:
                    with lock:
                        taken.append(int(msg.data))

            threads = [threading.Thread(target=take) for _ in range(8)]
            for thread in threads:
                thread.start()
            for at in range(total):
                nc.publish("many", str(at))
            for thread in threads:
                thread.join()
            self.assertEqual(sorted(taken), list(range(total)))


class Lifetimes(unittest.TestCase):
    def test_a_forgotten_client_does_not_wait_for_its_server(self):
        """Closing it would, for two seconds."""
        deaf = Deaf()
        self.addCleanup(deaf.close)
        holder = [nats.connect(deaf.url)]
        holder[0].publish("a", b"nobody confirms it")
        forgotten = weakref.ref(holder[0])
        began = time.monotonic()
        holder.clear()
        gc.collect()
        self.assertIsNone(forgotten())
        self.assertLess(time.monotonic() - began, 1)

    def test_handles_go_in_any_order(self):
        for order in ("nc sub future", "future sub nc", "sub nc future"):
            held = {"nc": nats.connect()}
            held["sub"] = held["nc"].subscribe("any")
            held["future"] = held["nc"].request_start("any", timeout=5)
            for name in order.split():
                del held[name]
                gc.collect()

    def test_the_client_lives_with_what_it_made(self):
        sub = nats.connect().subscribe("alone")
        gc.collect()
        sub.client.publish("alone", b"x")
        self.assertEqual(sub.next(5).data, b"x")

    def test_closed(self):
        nc = nats.connect()
        sub = nc.subscribe("closed")
        nc.close()
        nc.close()
        for call in (lambda: nc.publish("a"), nc.flush, lambda: sub.next(1), nc.share,
                     lambda: nc.get(wait=1), lambda: nc.request("a"), nc.dispatch, nc.run):
            with self.assertRaises(nats.Closed):
                call()

    def at_exit(self, script):
        done = subprocess.run([sys.executable, "-c", "import polynats_ffi as n\n" + script],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_at_exit(self):
        """What was published goes out although nobody closes; a thread that waits is no harm."""
        with nats.connect() as nc:
            sub = nc.subscribe("exit")
            nc.flush()
            self.at_exit("c = n.connect()\nc.publish('exit', b'1')")
            self.at_exit("c = n.connect()\ns = c.subscribe('x', callback=print)\n"
                         "c.loop = c\nf = c.request_start('x')\nc.publish('exit', b'2')")
            self.at_exit("import threading\nc = n.connect()\nc.subscribe('x')\n"
                         "def wait():\n    try: c.get()\n    except n.Closed: pass\n"
                         "threading.Thread(target=wait, daemon=True).start()\n"
                         "c.publish('exit', b'3')")
            self.assertEqual([sub.next(5).data for _ in range(3)], [b"1", b"2", b"3"])


class Arguments(unittest.TestCase):
    def setUp(self):
        self.nc = nats.connect()
        self.addCleanup(self.nc.close)

    def test_wrong_types(self):
        nc = self.nc
        for call in (lambda: nc.publish(1), lambda: nc.publish("a", 1),
                     lambda: nc.publish("a", headers=3),
                     lambda: nc.publish("a", headers={"k": 1.5}),
                     lambda: nc.get(max="1"), lambda: nc.get(wait="1"), lambda: nc.get(max=True),
                     lambda: nc.subscribe("a", callback=1), lambda: nc.request("a", nonsense=1),
                     lambda: nc.publish_many("a", b"bytes"), lambda: nats.connect(1),
                     lambda: nats.connect(name=[]), lambda: nc.unsubscribe(None)):
            with self.subTest(call), self.assertRaises(TypeError):
                call()

    def test_bad_values(self):
        nc = self.nc
        for call in (lambda: nc.publish("a\0b"), lambda: nc.publish("a\ud800"),
                     lambda: nc.publish("a", reply="\0"), lambda: nats.connect("nats://a\0b"),
                     lambda: nats.connect([]), lambda: nats.connect(**{"na\0me": 1}),
                     lambda: nats.connect(max_pings_out=2**70), lambda: nc.get(max=0),
                     lambda: nc.get(max=2**70), lambda: nc.get(wait=-1),
                     lambda: nc.get(wait=float("nan")), lambda: nc.subscribe("a", max=2**64),
                     lambda: nc.subscribe("a", pending_msgs=0), lambda: nats.connect(nmae="x"),
                     lambda: nats.proto("nats://a\0"), lambda: nats.proto(seed=b"short")):
            with self.subTest(call), self.assertRaises(nats.Invalid) as caught:
                call()
            self.assertIsInstance(caught.exception, ValueError)
            self.assertTrue(str(caught.exception))

    def test_bytes_of_all_kinds(self):
        sub, data = self.nc.subscribe("bytes"), bytes(range(256))
        for given in (data, bytearray(data), memoryview(data), memoryview(data * 2)[::2]):
            self.nc.publish("bytes", given)
            self.assertEqual(sub.next(5).data, bytes(given))
        self.nc.publish("bytes", "ž")
        self.assertEqual(sub.next(5).data, "ž".encode())

    def test_an_exception_in_a_callback(self):
        def fail(*_):
            raise KeyError("mine")

        self.nc.subscribe("callback", callback=fail)
        self.nc.publish_many("callback", [b"1", b"2"])
        for _ in range(2):
            with self.assertRaises(KeyError):
                self.nc.dispatch(wait=5)
        self.assertEqual(self.nc.dispatch(wait=0), 0)

    def test_memory_stays(self):
        """A hundred thousand messages leave no more behind than the first ten thousand."""
        sub = self.nc.subscribe("memory")

        def work(rounds):
            for _ in range(rounds):
                self.nc.publish_many("memory", [b"x" * 128] * 500)
                left = 500
                while left:
                    left -= len(sub.get(wait=5))
                with contextlib.suppress(nats.NoResponders):
                    self.nc.request("memory.nobody", timeout=5)
            gc.collect()
            with open("/proc/self/statm", encoding="ascii") as file:
                return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

        before = work(20)
        self.assertLess(work(180) - before, 4 << 20)


if __name__ == "__main__":
    unittest.main()
