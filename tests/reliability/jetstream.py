"""JetStream under faults: tests 9, 10 and 16 of docs/reliability.md.

What a stream has is read by rawlink.py, and not by the library that is judged.
"""

import threading
import time

from judge import check, each, in_words, percentile, tell
from workers import Failed  # puts the folder of the next ones onto the path

import natsd
import rawlink

HEARTBEAT = 1.0  # of consumers; three times this is when a pull counts as stuck
WAIT_MAX = 0.5  # reconnect_wait_max of the workers
SLACK = 2.0  # of a busy machine
ACK_WAIT = 2.0  # what was under way to a connection that was lost comes again then
# nats-server writes what a consumer of one replica has had acknowledged ten times a second at most, behind the answer
# to a double ack; a machine under load takes longer. What is older than this when it is killed never comes again.
ON_DISK = 1.0
# A leader that was killed is missed after 4 to 9 s, and of three groups one may lead to the next.
ELECTED = 30.0
SETTLE = 90.0
STUCK = 20.0  # nothing was acknowledged in this time
EXTRA = 100  # messages behind the last fault
NANO = 10**9


def answered(link, verb, **arguments):
    answer = link.api(verb, **arguments)
    check("error" not in answer and answer, "%s: %s" % (verb, answer.get("error", "no answer")))
    return answer


def make_stream(port, language, replicas=1, consumer=True, **more):
    """The stream of a language, with a consumer that it can share with nobody. Returns its name."""
    name = "S-" + language
    with rawlink.Link(port) as link:
        config = {"name": name, "subjects": ["work." + language], "num_replicas": replicas,
                  "allow_direct": True, "duplicate_window": 1200 * NANO, **more}
        answered(link, "STREAM.CREATE." + name, **config)
        if consumer:
            config = {"durable_name": "C", "ack_policy": "explicit", "num_replicas": replicas,
                      "ack_wait": int(ACK_WAIT * NANO), "max_ack_pending": 5000}
            answered(link, "CONSUMER.DURABLE.CREATE.%s.C" % name, stream_name=name, config=config)
    return name


def start(bench, mode, url, language, **words):
    return bench.start(
        language, mode, url, subject="work." + language, stream="S-" + language,
        __reconnect_wait_max=WAIT_MAX, __reconnect_buffer=4000000, **words,
    )  # fmt: skip


def check_stream(link, language, acked):
    """It has 1 … acked, each once, and nothing else. Returns how many stand elsewhere than at their number."""
    found = [(seq, int(data)) for seq, data in link.read_stream("S-" + language)]
    numbers = [number for _, number in found]
    missing = sorted(set(range(1, acked + 1)) - set(numbers))
    check(not missing, "%d that were acked are missing: %s" % (len(missing), missing[:9]))
    twice = len(numbers) - len(set(numbers))
    check(twice == 0, "%d are there twice" % twice)
    check(max(numbers, default=0) <= acked + 1, "there are more than were published")
    return sum(seq != number for seq, number in found)


def silences(worker, name):
    """(from, to) of the times in which nothing came."""
    times = {what: [when for event, when in worker.events if event == "%s_%s" % (name, what)]
             for what in ("silent", "heard")}
    return list(zip(times["silent"], times["heard"]))


def after_return(gaps, ups):
    """The longest time that such a silence went on with a server there."""
    longest = 0.0
    for begin, end in gaps:
        since = max([up for up in ups if up <= end], default=begin)
        longest = max(longest, end - max(begin, since))
    return longest


def kill_and_start(bench, server, kills, up, down):
    """Returns when it was gone, and when it was back."""
    downs, ups = [], []
    for _ in range(kills):
        time.sleep(bench.dice.uniform(*up))
        server.kill()
        downs.append(time.monotonic())
        time.sleep(bench.dice.uniform(*down))
        server.start()
        ups.append(time.monotonic())
    return downs, ups


# ---- 9: the server is killed while everybody publishes ----


def publish(bench):
    kinds = [("sync", 1500, 100), ("window", 8500, 100)] if bench.full else [
        ("sync", 500, 2), ("window", 5000, 2)]
    for kind, rate, kills in kinds:
        with type(bench)(bench.args) as one:
            publish_by(one, kind, rate, bench.args.count or kills)


def publish_by(bench, kind, rate, kills):
    server = bench.server("jetstream")
    for language in bench.args.languages:
        make_stream(server.port, language, consumer=False)
        start(bench, "store", "nats://127.0.0.1:%d" % server.port, language, kind=kind,
              rate=(bench.args.rate or rate) / len(bench.args.languages))
    workers = bench.together("ready")
    bench.go()
    up, down = ((1.0, 2.0), (0.1, 1.0)) if bench.full else ((0.4, 0.7), (0.1, 0.3))
    downs, ups = kill_and_start(bench, server, kills, up, down)
    time.sleep(1.0)
    bench.touch("until")

    def judge(worker):
        facts = worker.end(120)
        with rawlink.Link(server.port) as link:
            moved = check_stream(link, worker.language, int(facts["acked"]))
        back = after_return(silences(worker, "ack"), ups)
        tell("js-publish-" + kind, worker.language, kills=kills, acked=facts["acked"],
             per_second=facts["acked"] / facts["seconds"], unknown=facts["unknown"],
             duplicates=facts["duplicates"], back_max=back)
        met = [name for name, _ in worker.events].count("reconnected")
        # On a busy machine the next kill may come before somebody is back from the last.
        check(facts["acked"] > 0 and met >= kills * 9 // 10, "connected again only %d times" % met)
        check(not bench.full or facts["unknown"] > 0, "nothing was under way: " + in_words(facts))
        check(facts["misplaced"] == 0, "%d acks told another sequence" % facts["misplaced"])
        check(kind == "window" or moved == 0, "%d are elsewhere than their acks said" % moved)

    each(workers, judge)


# ---- 10: the server is killed while everybody acknowledges ----


def publish_raw(port, language, numbers):
    """Without the library; until the stream has them."""
    with rawlink.Link(port) as link:
        for number in numbers:
            link.send("work." + language, b"%d" % number)
        deadline = time.monotonic() + SETTLE
        while answered(link, "STREAM.INFO.S-" + language)["state"]["messages"] < numbers[-1]:
            check(time.monotonic() < deadline, "the stream does not fill")
            time.sleep(0.05)


def wait_until_acked(port, language):
    """It may take its time, as long as it gets on."""
    least, deadline = float("inf"), 0.0
    while True:
        with rawlink.Link(port) as link:
            info = answered(link, "CONSUMER.INFO.S-%s.C" % language)
        left = info["num_pending"] + info["num_ack_pending"]
        if left == 0:
            return
        if left < least:
            least, deadline = left, time.monotonic() + STUCK
        check(time.monotonic() < deadline, "%s has a stuck pull: %d are left" % (language, left))
        time.sleep(0.1)


def acknowledge(bench):
    count, rate, kills = (40000, 400, 50) if bench.full else (600, 150, 3)
    kills = bench.args.count or kills
    server = bench.server("jetstream")
    for language in bench.args.languages:
        make_stream(server.port, language)
        publish_raw(server.port, language, range(1, count + 1))
        start(bench, "work", "nats://127.0.0.1:%d" % server.port, language, consumer="C", rate=rate,
              heartbeat=HEARTBEAT)
    workers = bench.together("ready")
    bench.go()
    up, down = ((1.2, 2.2), (0.1, 1.0)) if bench.full else ((0.4, 0.8), (0.1, 0.4))
    downs, ups = kill_and_start(bench, server, kills, up, down)
    for language in bench.args.languages:
        wait_until_acked(server.port, language)
    extra = time.monotonic()  # what a worker waited for before was not there
    for language in bench.args.languages:
        publish_raw(server.port, language, range(count + 1, count + EXTRA + 1))
    for language in bench.args.languages:
        wait_until_acked(server.port, language)
    bench.touch("until")

    def judge(worker):
        facts = worker.end()
        again = [when for name, when in worker.events if name == "again"]
        ages = [min([down - when for down in downs if down >= when], default=float("inf"))
                for when in again]
        gaps = [(max(begin, extra) if end > extra else begin, end)
                for begin, end in silences(worker, "message")]
        back = after_return(gaps, ups)
        tell("js-ack", worker.language, kills=kills, seen=facts["seen"], acked=facts["acked"],
             unknown=facts["unknown"], redelivered=facts["redelivered"], again=len(again),
             oldest_again=max(ages, default=0.0), back_max=back)
        check(facts["seen"] == count + EXTRA, "%d came of %d" % (facts["seen"], count + EXTRA))
        check(facts["acked"] + facts["unknown"] >= facts["seen"], in_words(facts))
        check(max(ages, default=0.0) <= ON_DISK,
              "double-acked %.2f s before a kill, and came again" % max(ages, default=0.0))
        check(back <= 3 * HEARTBEAT + SLACK, "resumed after %.2f s" % back)

    each(workers, judge)


# ---- 16: a cluster of three is restarted, one after the other ----


def all_current(link, languages):
    """Every stream and consumer has three copies that are up to date."""
    for language in languages:
        for verb in ("STREAM.INFO.S-%s", "CONSUMER.INFO.S-%s.C"):
            group = link.api(verb % language, 1.0).get("cluster", {})
            copies = group.get("replicas", [])
            if not group.get("leader") or len(copies) != 2:
                return False
            if any(copy.get("offline") or not copy["current"] for copy in copies):
                return False
    return True


def wait_until_current(port, languages):
    deadline = time.monotonic() + SETTLE
    while True:
        with rawlink.Link(port) as link:
            if all_current(link, languages):
                return
        check(time.monotonic() < deadline, "the cluster does not get up to date")
        time.sleep(0.2)


def restart(bench, cluster, at, politely):
    """One node goes and comes back. Returns when it went."""
    node, other = cluster.nodes[at], cluster.nodes[(at + 1) % cluster.NODES]
    went = time.monotonic()
    if politely:
        node.signal(natsd.SIGNALS["lameduck"])
        time.sleep(2.5)  # it hands over what it leads, and clients move
    node.kill()
    time.sleep(bench.dice.uniform(0.1, 1.0))
    node.start()
    wait_until_current(other.port, bench.args.languages)
    return went


def rolling(bench):
    plan = [(at, turn % 2 == 0) for turn in range(10) for at in range(3)] if bench.full else [
        (0, True)]  # who waits for an election waits for 5 to 10 s
    plan = plan[: bench.args.count or len(plan)]
    cluster = natsd.Cluster(bench.args.server)
    bench.closers.append(cluster.end)
    cluster.start()
    urls = ",".join("nats://127.0.0.1:%d" % node.port for node in cluster.nodes)
    rate = (bench.args.rate or (1000 if bench.full else 500)) / len(bench.args.languages)
    for language in bench.args.languages:
        make_stream(cluster.nodes[0].port, language, replicas=3)
        start(bench, "store", urls, language, kind="window", rate=rate, consumer="C",
              heartbeat=HEARTBEAT, __lame_duck_move=0.2)
    workers = bench.together("ready")
    bench.go()
    time.sleep(0.5)
    went = {True: [], False: []}
    for at, politely in plan:
        went[politely].append(restart(bench, cluster, at, politely))
        time.sleep(0.3)
    bench.touch("until")
    port = cluster.nodes[0].port

    def judge(worker):
        facts = worker.end(120)
        with rawlink.Link(port) as link:
            check_stream(link, worker.language, int(facts["acked"]))
        gaps = {name: max([end - begin for begin, end in silences(worker, name)], default=0.0)
                for name in ("ack", "consumer", "ordered")}
        names = [name for name, _ in worker.events]
        tell("js-rolling", worker.language, polite=len(went[True]), killed=len(went[False]),
             acked=facts["acked"], unknown=facts["unknown"], duplicates=facts["duplicates"],
             consumed=facts["consumed"], redelivered=facts["redelivered"],
             ordered=facts["ordered"], reconnects=names.count("reconnected"),
             **{"gap_" + name: gap for name, gap in gaps.items()})
        check("closed" not in names, "a client was closed")
        check(facts["consumed"] == facts["acked"], "lost: " + in_words(facts))
        check(max(gaps.values()) <= ELECTED, "nothing for %.1f s" % max(gaps.values()))
        check(facts["wrong"] == 0 and facts["ordered"] == facts["acked"],
              "ordered, with holes or duplicates: " + in_words(facts))

    each(workers, judge)
