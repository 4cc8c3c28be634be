"""Objects dropped in any order, at exit, over fork; memory, descriptors and threads stay where they were."""

import gc
import os
import pathlib
import signal
import subprocess
import sys
import textwrap
import threading
import time
import weakref

import polynats
import pytest
from test_waiting import Deaf

SETTLE_S = 10


def eventually(check):
    until = time.monotonic() + SETTLE_S
    while not check():
        assert time.monotonic() < until
        time.sleep(0.01)


def descriptors():
    return len(os.listdir("/proc/self/fd"))


def native_threads():
    return len(os.listdir("/proc/self/task"))


def resident_kb():
    status = pathlib.Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmRSS:")[1].split()[0])


# ---- who keeps whom ----


def test_what_came_from_a_client_keeps_it(subject):
    nc = polynats.connect()
    sub = nc.subscribe(subject)
    seen = weakref.ref(nc)
    nc.publish(subject, b"x", reply=subject)
    del nc
    gc.collect()
    msg = sub.next(5)
    msg.respond(b"y")
    assert sub.next(5).data == b"y"
    assert seen() is sub.client
    sub.client.close()


def test_a_message_stays_whole(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish(subject, b"data", reply="re.ply", headers={"A": "b"})
    msg = sub.next(5)
    nc.close()
    del sub
    gc.collect()
    assert (msg.subject, msg.data, msg.reply, msg.headers) == (
        subject,
        b"data",
        "re.ply",
        {"A": ["b"]},
    )
    with pytest.raises(polynats.Closed):
        msg.respond(b"")


def test_a_forgotten_client_is_closed_without_delay(nc, took):
    before = native_threads(), descriptors()
    other = polynats.connect()
    other.publish("forgotten", b"x" * 1000)
    with pytest.warns(ResourceWarning, match="unclosed <polynats.Client connected>"):
        holder = [other]
        del other
        assert took(holder.clear) < 1
    eventually(lambda: (native_threads(), descriptors()) == before)
    assert nc.status == "connected"


def test_a_forgotten_client_does_not_wait_for_its_server(took):
    """Closing it would, for two seconds."""
    deaf = Deaf(hello=True)
    holder = [polynats.connect(deaf.url)]
    holder[0].publish("forgotten", b"nobody confirms it")
    with pytest.warns(ResourceWarning, match="unclosed"):
        assert took(holder.clear) < 1
    deaf.close()


def test_what_a_forgotten_client_published_arrives(nc, subject):
    sub = nc.subscribe(subject)
    nc.flush()
    other = polynats.connect()
    for i in range(1000):
        other.publish(subject, b"%d" % i)
    with pytest.warns(ResourceWarning):
        del other
        gc.collect()
    assert [msg.data for msg in sub.messages(1)] == [b"%d" % i for i in range(1000)]


def test_cycles_are_collected():
    """A callback that refers to its client is one."""

    def make():
        nc = polynats.connect()
        nc.subscribe("cycle", callback=lambda msg: nc.publish("other"))
        nc.on_event(lambda event: nc.stats())
        nc.mine = None

    class Holder:
        pass

    holder = Holder()
    holder.nc = polynats.connect()
    holder.nc.subscribe("cycle", callback=lambda msg: holder.nc.publish("other"))
    seen = weakref.ref(holder.nc)
    holder.nc.close()
    del holder
    gc.collect()
    assert seen() is None
    with pytest.raises(AttributeError):
        make()
    with pytest.warns(ResourceWarning):
        gc.collect()


def test_a_subscription_that_was_forgotten_goes_on(nc, subject):
    nc.subscribe(subject)
    gc.collect()
    nc.publish(subject, b"x")
    assert [msg.data for msg in nc.get(wait=5)] == [b"x"]


def test_any_order(nc, subject):
    """Each of five objects is let go of in each order."""
    import itertools

    sub = nc.subscribe(subject)
    for order in itertools.permutations(range(4)):
        other = polynats.connect()
        mine = other.subscribe(subject)
        other.publish(subject, b"x", reply="a")
        things = [other, mine, mine.next(5), other.request_start(subject, timeout=5)]
        other.close()
        del other, mine
        for at in order:
            things[at] = None
            gc.collect(0)
    sub.unsubscribe()


# ---- the end of the program ----

ENDINGS = {
    "closed": "nc.close()",
    "open": "import warnings; warnings.simplefilter('ignore')",
    "a blocked daemon thread": """
        import threading, time
        threading.Thread(target=sub.next, daemon=True).start()
        time.sleep(0.1)
        nc.close()
    """,
    "a thread in the middle of publishing": """
        import threading, time
        def publish():
            try:
                while True: nc.publish("a", b"x" * 100)
            except polynats.Closed:
                pass
        threading.Thread(target=publish).start()
        time.sleep(0.1)
        nc.close()
    """,
    "in a cycle": """
        import warnings
        warnings.simplefilter("ignore")
        cycle = [nc, sub]
        cycle.append(cycle)
    """,
    "in sys.modules": """
        import sys, warnings
        warnings.simplefilter("ignore")
        sys.kept = (nc, sub, future)
    """,
    "by an exception": "nc.close(); import sys; sys.exit(0)",
    "with a logger": """
        import logging
        other = polynats.connect(logger=logging.getLogger())
        nc.close()
        other.close()
    """,
    "an open logger": """
        import logging, warnings
        warnings.simplefilter("ignore")
        other = polynats.connect(logger=logging.getLogger())
    """,
}


@pytest.mark.parametrize("ending", ENDINGS.values(), ids=ENDINGS.keys())
def test_the_end_of_a_program(run_python, took, ending):
    program = """
        import polynats
        nc = polynats.connect()
        sub = nc.subscribe("end.x")
        nc.publish("end.x", b"x", reply="y", headers={"A": "b"})
        msg = sub.next(5)
        future = nc.request_start("end.x", timeout=5)
        print(msg.data)
    """
    words = textwrap.dedent(program) + textwrap.dedent(ending)

    def run():
        assert run_python(words) == "b'x'\n"

    assert took(run) < 5


def test_a_program_that_ends_unclosed_is_told(run_python):
    run_python("import polynats; nc = polynats.connect()", errors="unclosed <polynats.Client")


def test_what_was_published_before_the_end_arrives(nc, subject, run_python):
    sub = nc.subscribe(subject)
    nc.flush()
    run_python(f"""
import polynats, warnings
warnings.simplefilter("ignore")
nc = polynats.connect()
for i in range(5000): nc.publish({subject!r}, b"x" * 100)
""")
    assert sum(1 for _ in sub.messages(1)) == 5000


def test_ctrl_c_of_a_program(run_python):
    """The real signal, in a process of its own, and it ends as Python's programs do."""
    program = """
import os, signal, threading, polynats
with polynats.connect() as nc:
    threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
    for msg in nc.subscribe("quiet"): pass
"""
    run_python(program, succeeds=False, errors="KeyboardInterrupt")


def test_other_interpreters_are_refused(run_python):
    run_python("""
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
import polynats
other = interpreters.create()
try:
    refused = interpreters.run_string(other, "import polynats") is not None
except Exception as problem:
    refused = "ImportError" in str(problem)
interpreters.destroy(other)
assert refused
polynats.connect().close()
""")


# ---- fork ----


def in_child(function):
    """Its exit status; what it raises is printed."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            function()
            status = 0
        except BaseException as problem:
            os.write(2, repr(problem).encode())
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


def test_fork(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish(subject, b"before", reply=subject)
    msg = sub.next(5)
    future = nc.request_start(subject, timeout=5)

    def child():
        for call in (
            lambda: nc.publish("a"),
            nc.get,
            nc.flush,
            sub.next,
            lambda: nc.request("a"),
            nc.share,
            nc.next_event,
            lambda: msg.respond(b""),
            future.wait,
            lambda: nc.subscribe("a"),
            nc.drain,
            nc.server_info,
        ):
            with pytest.raises(polynats.Forked):
                call()
        assert nc.status == "closed"
        assert msg.data == b"before"
        with polynats.connect() as mine:
            mine.publish(subject, b"child")
            mine.flush()

    assert in_child(child) == 0
    assert [one.data for one in sub.messages(0.5)] == [b"", b"child"]  # and the open request
    nc.flush()


def test_objects_of_the_parent_are_dropped_in_a_child(nc, subject):
    other = polynats.connect()
    things = [other, other.subscribe(subject), other.request_start("a")]

    def child():
        nonlocal other
        del other
        while things:
            things.pop(0)
            gc.collect()

    assert in_child(child) == 0
    assert other.rtt(5) > 0
    other.close()


def test_a_forked_worker_by_multiprocessing(run_python):
    """Preforking: workers connect for themselves, and end in the way Python ends them."""
    out = run_python("""
import multiprocessing, polynats

def work(number):
    with polynats.connect() as nc:
        nc.subscribe("work.fork", "g", callback=lambda msg: (msg.respond(b"%d" % number), nc.stop()))
        nc.run(10)

with polynats.connect() as nc:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=work, args=(i,)) for i in range(2)]
    for worker in workers: worker.start()
    got = set()
    while len(got) < 2:
        try:
            got.add(nc.request("work.fork", timeout=0.5).data)
        except (polynats.NoResponders, polynats.Timeout):
            pass  # it is not there yet, or about to end
    for worker in workers: worker.join()
    print(sorted(got), [worker.exitcode for worker in workers])
""")
    assert out == "[b'0', b'1'] [0, 0]\n"


# ---- flat ----


def test_a_million_messages_leave_no_trace(connect, subject):
    nc, out = connect(pending_msgs=-1), connect()
    sub = nc.subscribe(subject)
    kinds = nc.subscribe(f"{subject}.kinds")
    nc.flush()

    def pass_on(count):
        done = 0
        batch = [b"x" * 16] * 1000
        while done < count:
            out.publish_many(subject, batch)
            out.publish(f"{subject}.kinds", bytearray(b"y"), reply="r", headers={"A": ["b", "c"]})
            got = 0
            while got < 1000:
                got += sum(len(msg.data) == 16 for msg in sub.get(wait=5))
            assert kinds.next(5).headers == {"A": ["b", "c"]}
            done += 1000
        out.flush()
        gc.collect()

    pass_on(100_000)
    before = resident_kb(), descriptors(), native_threads(), len(gc.get_objects())
    pass_on(1_000_000)
    after = resident_kb(), descriptors(), native_threads(), len(gc.get_objects())
    assert after[0] - before[0] < 8 * 1024
    assert after[1:3] == before[1:3]
    assert abs(after[3] - before[3]) < 1000


def test_many_of_everything_leave_no_trace(subject):
    def once():
        with polynats.connect() as nc:
            sub = nc.subscribe(f"{subject}.>", callback=lambda msg: None)
            with nc.subscribe(subject) as other, nc.share() as shared:
                nc.publish(subject, b"x", headers={"A": "b"})
                assert other.next(5).header("A") == "b"
                with pytest.raises(polynats.NoResponders):
                    shared.request("nobody")
                with pytest.raises(polynats.Invalid):
                    nc.publish("a b")
                with nc.request_start(f"{subject}.a", timeout=5):
                    nc.dispatch(wait=0)
            nc.next_event(0)
            sub.unsubscribe()

    for _ in range(20):
        once()
    gc.collect()
    before = resident_kb(), descriptors(), native_threads()
    for _ in range(150):
        once()
    gc.collect()
    eventually(lambda: (descriptors(), native_threads()) == before[1:])
    assert resident_kb() - before[0] < 4 * 1024


def test_references_of_values_are_given_back(nc, subject):
    sub = nc.subscribe(subject)
    things = [
        b"data" * 10,
        bytearray(b"array"),
        "text" * 10,
        f"{subject}.x",
        "reply" * 3,
        {"Key" * 3: ["value" * 3]},
    ]
    counts = [sys.getrefcount(thing) for thing in things]
    for _ in range(50):
        nc.publish(things[3], things[0], things[4], things[5])
        nc.publish(things[3], things[1])
        nc.publish_many(things[3], things[:3])
        for wrong in ("a b", "\ud800"):
            with pytest.raises(polynats.Invalid):
                nc.publish(wrong, things[1], things[4], things[5])
            with pytest.raises(polynats.Invalid):
                nc.publish_many(wrong, things[:3])
            with pytest.raises(polynats.Invalid):
                nc.request(wrong, things[1], 1, things[5])
    nc.flush()
    things[1].append(1)  # no buffer is held any more
    assert [sys.getrefcount(thing) for thing in things] == counts
    assert sub.get(wait=0) == []


# ---- the import ----


def test_importing_is_quick(tmp_path):
    """Compiled, and without what a program has not asked for; the time is the best of some,
    of the processor: others use it too."""
    program = """
import sys, time
before = set(sys.modules)
began = time.process_time()
import polynats
took = time.process_time() - began
print(took, *(set(sys.modules) - before))
"""
    words = [sys.executable, "-X", f"pycache_prefix={tmp_path}", "-c", program]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": ""}
    runs = [
        subprocess.run(
            words, env=environment, capture_output=True, text=True, check=True
        ).stdout.split()
        for _ in range(6)
    ]
    assert min(float(run[0]) for run in runs) < 0.030
    loaded = set(runs[0][1:])
    assert not loaded & {
        "asyncio",
        "logging",
        "typing",
        "json",
        "re",
        "inspect",
        "dataclasses",
        "socket",
        "gevent",
    }


def test_importing_starts_nothing(run_python):
    out = run_python("""
import os, signal
before = os.listdir("/proc/self/task"), [signal.getsignal(n) for n in range(1, 32)], len(os.listdir("/proc/self/fd"))
import polynats
after = os.listdir("/proc/self/task"), [signal.getsignal(n) for n in range(1, 32)], len(os.listdir("/proc/self/fd"))
print(before == after)
""")
    assert out == "True\n"


def test_sigpipe_is_left_alone(nc):
    assert signal.getsignal(signal.SIGPIPE) in (signal.SIG_IGN, signal.SIG_DFL)
    assert threading.main_thread().is_alive()


def test_imported_by_another_thread(run_python):
    """Ctrl-C loses nothing in the main thread, whoever imported the package."""
    out = run_python("""
import signal, threading
thread = threading.Thread(target=__import__, args=("polynats",))
thread.start()
thread.join()
import polynats
nc = polynats.connect()
sub = nc.subscribe("imported")
nc.publish("imported", b"x")
nc.flush()
sub._next(5)  # and nobody says that it has arrived
print(nc.get(wait=0)[0].data)
nc.close()
""")
    assert out == "b'x'\n"
