"""JetStream as Python has it: what the conformance suite cannot say of types, idioms and lifetimes."""

import datetime
import gc
import os
import threading
import weakref

import polynats
import pytest
from conftest import run_aio
from test_lifetime import eventually

UTC = datetime.timezone.utc
HOUR = datetime.timedelta(hours=1)


# ---- values ----


def test_durations_are_seconds_or_timedeltas(stream):
    c = stream.create_consumer(
        durable_name="c", ack_wait=12.5, max_deliver=4, backoff=[1, datetime.timedelta(minutes=2)],
        inactive_threshold="90s",
    )  # fmt: skip
    assert c.config["backoff"] == [1.0, 120.0]
    assert c.config["inactive_threshold"] == 90.0
    assert isinstance(c.config["inactive_threshold"], float)
    assert stream.update(max_age=HOUR)["config"]["max_age"] == 3600.0
    assert stream.config["max_age"] == 3600.0


@pytest.mark.parametrize("value", [object(), b"1s", [1], True])
def test_what_is_no_duration(js, value):
    with pytest.raises(TypeError, match="max_age must be a number of seconds"):
        js.create_stream(name="S", max_age=value)


@pytest.mark.parametrize("value", [1e300, float("inf"), float("nan"), 10**10])
def test_durations_that_are_too_long(js, value):
    with pytest.raises(polynats.Invalid) as caught:
        js.create_stream(name="S", max_age=value)
    assert caught.value.about == "max_age"


def test_times_are_datetimes(stream):
    began = datetime.datetime.now(UTC)
    assert abs(stream.cached_info["created"] - began) < HOUR
    until = datetime.datetime(2035, 1, 2, 3, 4, 5, 678000, UTC)
    c = stream.create_consumer(durable_name="c", pause_until=until)
    assert c.config["pause_until"] == until
    east = until.astimezone(datetime.timezone(datetime.timedelta(hours=5)))
    assert c.pause(east)["pause_until"] == until
    assert c.pause(until.timestamp())["pause_until"] == until
    assert c.pause("2035-01-02T03:04:05.678Z")["pause_until"] == until
    ahead = c.pause(HOUR)["pause_until"] - datetime.datetime.now(UTC)
    assert datetime.timedelta(minutes=59) < ahead <= HOUR
    assert c.resume()["paused"] is False
    with pytest.raises(TypeError, match="pause_until must be a datetime"):
        c.pause(b"now")


def test_numbers_keep_64_bits(js, subject):
    first = 2**63 + 12345
    stream = js.create_stream(
        name=f"big{os.getpid()}", subjects=[subject], storage="memory", first_seq=first
    )
    assert js.publish(subject).seq == first
    assert stream.info()["state"]["last_seq"] == first
    stream.delete()


def test_a_mapping_and_keywords(js, subject):
    given = {"name": f"both{os.getpid()}", "subjects": [subject], "max_msgs": 5}
    stream = js.create_stream(given, max_msgs=7, storage="memory", description=None)
    assert stream.config["max_msgs"] == 7
    assert given["max_msgs"] == 5
    assert js.stream(stream.name).cached_info is None
    stream.delete()
    with pytest.raises(TypeError, match="config must be a mapping"):
        js.create_stream("name")


# ---- what is wrong ----


def test_the_nearest_name_is_told(js, stream, subject):
    with pytest.raises(polynats.Invalid, match="'subjets'.*did you mean 'subjects'"):
        js.create_stream(name="S", subjets=[subject])
    with pytest.raises(polynats.Invalid, match="'durable'.*did you mean 'durable_name'"):
        stream.create_consumer(durable="c")
    with pytest.raises(polynats.Invalid, match="did you mean 'expect_last_seq'") as caught:
        js.publish(subject, expct_last_seq=1)
    assert caught.value.about == "expct_last_seq"
    with pytest.raises(polynats.Invalid, match="did you mean 'msg_id'"):
        js.publisher().publish(subject, msgid="x")
    with pytest.raises(polynats.Invalid, match="'create_stream'"):
        js.call("create_strem")
    with pytest.raises(TypeError, match="arguments must be a mapping"):
        js.call("stream_info", "S")


def test_errors_of_the_server(js):
    with pytest.raises(polynats.Server) as caught:
        js.stream("nothing-there").info()
    problem = caught.value
    assert (problem.code, problem.err_code, problem.status) == ("SERVER", 10059, 404)
    assert str(problem) == "stream_info of stream nothing-there: stream not found (10059)"
    assert (problem.about, problem.description) == ("nothing-there", "stream not found")
    with pytest.raises(polynats.Timeout) as other:
        js.client.request(js.client.new_inbox(), timeout=0)
    assert (other.value.err_code, other.value.status) == (0, 0)
    assert other.value.description == other.value.text == str(other.value)


@pytest.mark.parametrize("word", ["ttl", "expect_last_seq", "msg_id"])
def test_keywords_of_a_wrong_type(js, subject, word):
    with pytest.raises(TypeError, match=word):
        js.publish(subject, **{word: [1]})


# ---- publish ----


def test_acks(js, stream, subject):
    ack = js.publish(f"{subject}.a", b"1", headers={"A": "b"}, msg_id="x", expect_last_seq=0)
    assert (ack.stream, ack.seq, ack.duplicate) == (stream.name, 1, False)
    assert (ack.domain, ack.value, ack.batch, ack.count) == (None, None, None, None)
    assert js.publish(f"{subject}.a", msg_id="x").duplicate
    got = stream.get(1)
    assert (got.data, got.header("A")) == (b"1", "b")
    future = js.publish_start(f"{subject}.b", "2")
    assert future.wait().seq == 2
    with pytest.raises(polynats.Closed):
        future.wait()


def test_counters(js, subject):
    stream = js.create_stream(
        name=f"n{os.getpid()}", subjects=[subject], storage="memory", allow_msg_counter=True,
        allow_direct=True,
    )  # fmt: skip
    assert js.publish(subject, incr=5).value == 5
    assert js.publish(subject, incr=-2).value == 3
    assert js.publish(subject, incr=10**40).value == 10**40 + 3
    stream.delete()


def test_a_publisher(js, stream, subject):
    with js.publisher(max_pending=8) as publisher:
        assert publisher.publish(f"{subject}.a", b"1", msg_id="a") == 1
        assert publisher.publish_many(f"{subject}.b", (str(i) for i in range(1000))) == 2
        publisher.flush(5)
        assert publisher.stats() == {
            "published": 1001, "acked": 1001, "duplicates": 0, "failed": 0, "pending": 0,
        }  # fmt: skip
    assert stream.info()["state"]["messages"] == 1001
    with pytest.raises(polynats.Closed):
        publisher.publish(f"{subject}.a")
    with pytest.raises(TypeError):
        js.publisher().publish_many(subject, "text")


def test_reading_many_of_a_client_that_is_closed_is_no_end(js, stream, subject):
    count = 20_000
    js.publish_many(f"{subject}.a", [b"x" * 128] * count)
    with polynats.connect() as nc:
        found = iter(nc.jetstream().stream(stream.name).get_many(batch=count))
        next(found)
        nc.close()
        try:
            taken = len(list(found)) + 1
        except polynats.Closed:
            taken = count  # told
        assert taken == count


def test_more_failures_than_may_wait_are_told(js, subject):
    with pytest.raises(polynats.NoResponders) as caught:
        js.publish_many(f"nobody.{subject}", [b"x"] * 9000)
    assert 4000 <= caught.value.published < 9000
    assert [place for place, _ in caught.value.failures] == list(range(caught.value.published + 1))
    assert isinstance(caught.value.failures[-1][1], polynats.Limit)


def test_failures_are_told_by_their_place(js, stream, subject):
    with pytest.raises(polynats.Server) as caught, js.publisher() as publisher:
        for seq in (0, 9, 1):
            publisher.publish(f"{subject}.a", expect_last_seq=seq)
    assert caught.value.err_code == 10071
    ((number, problem),) = publisher.failures()
    assert (number, problem.err_code) == (2, 10071)
    assert publisher.failures() == []
    with pytest.raises(polynats.NoResponders) as caught:
        js.publish_many("nobody." + subject, [b"1", b"2"])
    assert [place for place, _ in caught.value.failures] == [0, 1]
    assert js.publish_many(f"{subject}.a", [b"1", "2", bytearray(b"3")]) == 3


@pytest.mark.parametrize("place", [0, 1, 299])
def test_publish_many_tells_where_it_stopped(nc, js, stream, subject, place):
    large, before = bytes(nc.max_payload + 1), stream.info()["state"]["messages"]
    payloads = [b"x"] * place + [large] + [b"y"] * 300
    with pytest.raises(polynats.MaxPayload) as caught:
        js.publish_many(f"{subject}.a", payloads)
    assert caught.value.published == place
    assert [at for at, _ in caught.value.failures] == [place]
    publisher = js.publisher()
    with pytest.raises(polynats.MaxPayload) as caught:
        publisher.publish_many(f"{subject}.a", payloads)
    assert (caught.value.published, caught.value.first) == (place, 1 if place else 0)
    publisher.flush()
    assert publisher.stats()["acked"] == place
    with pytest.raises(TypeError, match=rf"datas\[{place}\] must be bytes-like or str, not int"):
        publisher.publish_many(f"{subject}.a", [b"x"] * place + [7])
    assert publisher.stats()["published"] == place
    assert stream.info()["state"]["messages"] == before + 2 * place

    async def main(aio):
        publisher = aio.jetstream().publisher()
        with pytest.raises(polynats.MaxPayload) as caught:
            await publisher.publish_many(f"{subject}.a", payloads)
        assert (caught.value.published, caught.value.first) == (place, 1 if place else 0)
        with pytest.raises(TypeError, match=rf"datas\[{place}\]"):
            await publisher.publish_many(f"{subject}.a", [b"x"] * place + [7])
        await publisher.flush()
        assert publisher.stats()["published"] == place
        with pytest.raises(polynats.MaxPayload) as caught:
            await aio.jetstream().publish_many(f"{subject}.a", payloads)
        assert (caught.value.published, len(caught.value.failures)) == (place, 1)

    run_aio(main)


def test_a_fetch_that_is_cut_short_tells_why_at_the_next_one(js, stream, subject):
    consumer = stream.create_consumer(durable_name="c")
    js.publish(f"{subject}.a", b"x")
    threading.Timer(0.1, consumer.delete).start()
    assert [msg.data for msg in consumer.fetch(5, wait=10)] == [b"x"]
    with pytest.raises(polynats.Server, match="[Cc]onsumer [Dd]eleted") as caught:
        consumer.next(wait=1)
    assert caught.value.status == 409
    with pytest.raises(polynats.Error):
        consumer.fetch(1, wait=1)


def test_a_fetch_of_a_client_that_is_closed_gives_what_it_has(connect, js, stream, subject):
    stream.create_consumer(durable_name="c")
    js.publish(f"{subject}.a", b"x")
    nc = connect()
    consumer = nc.jetstream().stream(stream.name).consumer("c")
    threading.Timer(0.1, nc.close).start()
    assert [msg.data for msg in consumer.fetch(5, wait=10)] == [b"x"]
    with pytest.raises(polynats.Closed):
        consumer.fetch(1, wait=1)


def test_an_error_in_the_block_is_not_hidden(js, subject):
    with pytest.raises(ZeroDivisionError), js.publisher() as publisher:
        publisher.publish("nobody." + subject)
        raise ZeroDivisionError


def test_batches(js, subject):
    stream = js.create_stream(
        name=f"b{os.getpid()}", subjects=[subject], storage="memory", allow_atomic=True
    )
    with js.batch() as batch:
        batch.add(subject, b"1")
        batch.add(subject, b"2")
        ack = batch.commit(subject, b"3")
    assert (ack.seq, ack.count) == (3, 3)
    assert ack.batch
    with js.batch() as batch:
        batch.add(subject, b"4")
    with pytest.raises(polynats.Closed):
        batch.add(subject, b"5")
    with pytest.raises(ZeroDivisionError), js.batch() as batch:
        batch.add(subject, b"4")
        raise ZeroDivisionError
    assert stream.info()["state"]["messages"] == 3
    stream.delete()


# ---- streams ----


def test_lists_page(js, stream, subject):
    made = [js.create_stream(name=f"l{os.getpid()}-{i}", subjects=[f"l.{subject}.{i}"],
                             storage="memory") for i in range(300)]  # fmt: skip
    names = set(js.stream_names())
    assert {one.name for one in made} <= names
    found = list(js.streams())
    assert {one.name for one in found} == names
    assert all(one.config["storage"] for one in found)
    assert [one.name for one in js.streams(f"l.{subject}.7")] == [made[7].name]
    for one in made:
        one.delete()


def test_messages_of_a_stream(js, stream, subject):
    for i in range(5):
        js.publish(f"{subject}.{i % 2}", str(i))
    assert stream.get_last(f"{subject}.1").data == b"3"
    assert stream.get_next(f"{subject}.1", 3).metadata.stream_seq == 4
    assert [msg.data for msg in stream.get_many(batch=3, seq=2)] == [b"1", b"2", b"3"]
    assert [msg.data for msg in stream.get_many(multi_last=[f"{subject}.*"])] == [b"3", b"4"]
    stream.delete_message(1)
    with pytest.raises(polynats.Server) as caught:
        stream.get(1)
    assert caught.value.err_code == 10037
    assert stream.info(subjects_filter=">")["state"]["subjects"] == {
        f"{subject}.0": 2, f"{subject}.1": 2,
    }  # fmt: skip
    assert stream.purge(f"{subject}.1") == 2
    assert stream.purge(keep=1) == 1


# ---- consumers ----


def test_fetch_and_next(js, stream, subject):
    js.publish_many(f"{subject}.a", [str(i) for i in range(20)])
    c = stream.create_consumer(durable_name="c")
    batch = c.fetch(8, wait=5)
    assert [msg.data for msg in batch] == [b"%d" % i for i in range(8)]
    place = batch[0].metadata
    assert place[:6] == (stream.name, "c", 1, 1, 1, 19)
    where = f"stream {stream.name}, consumer c, sequence 1"
    assert repr(batch[0]) == f"<polynats.Message '{subject}.a', 1 bytes, {where}>"
    got = f"<polynats.Message '{subject}.a', 1 bytes, stream {stream.name}, sequence 2>"
    assert repr(stream.get(2)) == got
    assert place.time.tzinfo is UTC
    assert place.time_ns // 1000 == round(place.time.timestamp() * 1_000_000)
    assert js.client.ack_many(batch) == 8
    assert js.client.ack_many(batch) == 0
    assert c.next(5).data == b"8"
    assert len(c.fetch(100, wait=0)) == 11
    assert c.fetch(1, wait=0) == []
    assert c.next(0.05) is None
    with pytest.raises(TypeError, match=r"messages\[1\]"):
        js.client.ack_many([batch[0], 1])
    c.delete()
    with pytest.raises(polynats.Error):
        c.fetch(1, wait=1)


def test_a_message_is_acknowledged_once(js, stream, subject):
    js.publish_many(f"{subject}.a", [b"1", b"2", b"3"])
    c = stream.create_consumer(durable_name="c")
    one, two, three = c.fetch(3, wait=5)
    one.in_progress()
    one.ack()
    for again in (one.ack, one.nak, one.term, one.ack_sync, one.in_progress):
        with pytest.raises(polynats.Invalid, match="acknowledged already"):
            again()
    two.nak(delay=0.01)
    three.term("no use")
    again = c.next(5)
    assert (again.data, again.metadata.delivered) == (b"2", 2)
    again.ack_sync(5)
    assert c.info()["num_ack_pending"] == 0


def test_other_messages_are_not_acknowledged(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish(subject, reply="a.b")
    msg = sub.next(5)
    assert msg.metadata is None
    for verb in (msg.ack, msg.nak, msg.in_progress, msg.term, msg.ack_sync):
        with pytest.raises(polynats.Invalid, match="JetStream"):
            verb()


def test_consume_with_a_callback(nc, js, stream, subject):
    seen = []

    def work(msg):
        seen.append(msg.data)
        msg.ack()
        if len(seen) == 500:
            nc.stop()

    js.publish_many(f"{subject}.a", [str(i) for i in range(500)])
    c = stream.create_consumer(durable_name="c", max_ack_pending=100)
    with c.consume(work, max_messages=50):
        nc.run(10)
    assert seen == [b"%d" % i for i in range(500)]
    # The server takes acks up beside its connections: a flush does not tell that they count.
    eventually(lambda: c.info()["ack_floor"]["stream_seq"] == 500)
    with pytest.raises(TypeError, match="callback must be callable"):
        c.consume(1)


def test_consume_by_iterating(js, stream, subject):
    js.publish_many(f"{subject}.a", [str(i) for i in range(50)])
    c = stream.create_consumer(ack_policy="none")
    got = [msg.data for msg in c.consume().messages(timeout=0.3)]
    assert got == [b"%d" % i for i in range(50)]


def test_a_push_consumer(nc, js, stream, subject):
    js.publish_many(f"{subject}.a", [b"1", b"2"])
    c = stream.create_consumer(durable_name="p", deliver_subject=nc.new_inbox())
    with js.stream(stream.name).consumer("p").consume() as sub:
        first = sub.next(5)
        first.ack()
        assert (first.data, sub.next(5).data) == (b"1", b"2")
    c.delete()


def test_an_ordered_consumer(js, stream, subject):
    js.publish_many(f"{subject}.a", [str(i) for i in range(30)])
    ordered = stream.ordered_consumer(filter_subject=f"{subject}.a")
    assert ordered.next(5).data == b"0"
    assert [msg.data for msg in ordered.fetch(9, wait=5)] == [b"%d" % i for i in range(1, 10)]
    assert len(ordered.fetch(100, wait=0.3)) == 20
    assert ordered.next(0) is None
    assert ordered.info()["config"]["ack_policy"] == "none"
    ordered.close()
    sub = stream.ordered_consumer(deliver_policy="last").consume()
    assert sub.next(5).data == b"29"
    sub.unsubscribe()


def test_an_ordered_consumer_that_ends_behind_messages_tells_why(js, stream, subject):
    js.publish_many(f"{subject}.a", [b"0", b"1"])
    ordered = stream.ordered_consumer()
    assert ordered.next(5).data == b"0"
    stream.delete()
    assert [msg.data for msg in ordered.fetch(9, wait=5)] == [b"1"]
    with pytest.raises(polynats.Server) as caught:
        ordered.next(5)
    assert caught.value.err_code == 10059
    with pytest.raises(polynats.Closed):
        ordered.fetch(wait=5)
    ordered.close()


def test_headers_of_a_message_to_be_acknowledged(js, stream, subject):
    js.publish(f"{subject}.a", b"x", headers={"A": "1"})
    msg = stream.create_consumer(durable_name="c").next(5)
    assert msg.headers == {"A": ["1"]}
    assert msg.raw_headers.startswith(b"NATS/1.0\r\n")
    assert msg.metadata.stream_seq == 1
    msg.ack()


# ---- lifetimes ----


def test_what_came_from_a_client_outlives_its_handles(connect, stream, subject):
    nc = connect()
    js = nc.jetstream()
    js.publish(f"{subject}.a", b"x")
    consumer = js.stream(stream.name).create_consumer(durable_name="c")
    msg = consumer.next(5)
    publisher = js.publisher()
    del js, consumer
    gc.collect()
    publisher.publish(f"{subject}.a", b"y")
    publisher.flush()
    msg.ack()
    nc.close()
    del nc
    gc.collect()
    assert msg.metadata.stream_seq == 1
    with pytest.raises(polynats.Closed):
        publisher.publish(f"{subject}.a")
    with pytest.raises(polynats.Error):
        msg.in_progress()


def test_nothing_is_kept(connect):
    nc = connect()
    js = nc.jetstream()
    publisher, batch = js.publisher(), js.batch()
    gone = [weakref.ref(one) for one in (js, publisher, batch)]
    del js, publisher, batch
    gc.collect()
    assert [ref() for ref in gone] == [None] * 3


def test_names_are_there_when_asked_for(run_python):
    program = """
import sys, polynats
assert "polynats._jetstream" not in sys.modules
assert polynats.JetStream.__name__ == "JetStream"
assert polynats.Ack.__name__ == "Ack"
import polynats.aio
assert polynats.aio.Consumer is not polynats.Consumer
try:
    polynats.nothing
except AttributeError as problem:
    print(problem)
"""
    assert "nothing" in run_python(program)


def test_threads_share_a_publisher(js, stream, subject):
    with js.publisher(max_pending=16) as publisher:
        def work():
            for _ in range(500):
                publisher.publish(f"{subject}.a", b"x")

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        publisher.flush()
        assert publisher.stats()["acked"] == 2000


def test_a_signal_ends_a_fetch(js, stream, strike, took):
    c = stream.create_consumer(durable_name="c")
    strike(0.1)

    def fetch():
        with pytest.raises(KeyboardInterrupt):
            c.fetch(1, wait=20)

    assert took(fetch) < 5
    assert c.next(0.05) is None


@pytest.mark.parametrize("ordered", [False, True])
def test_a_fetch_that_a_signal_ends_loses_nothing(js, stream, subject, strike, ordered):
    for data in ("1", "2", "3"):
        js.publish(f"{subject}.a", data)
    made = stream.ordered_consumer() if ordered else stream.create_consumer(ack_policy="none")
    strike(0.2)
    with pytest.raises(KeyboardInterrupt):
        made.fetch(5, wait=20)
    assert made.next(0.2).data == b"1"
    assert [msg.data for msg in made.fetch(5, wait=0.2)] == [b"2", b"3"]
    js.publish(f"{subject}.a", "4")
    assert [msg.data for msg in made.fetch(1, wait=5)] == [b"4"]


def test_an_ordered_consumer_goes_on_with_what_a_signal_left(js, stream, subject, strike):
    js.publish_many(f"{subject}.a", ["1", "2", "3"])
    ordered = stream.ordered_consumer()
    strike(0.2)
    with pytest.raises(KeyboardInterrupt):
        ordered.fetch(5, wait=20)
    js.publish(f"{subject}.a", "4")
    messages = ordered.messages(timeout=5)
    assert [next(messages).data for _ in range(4)] == [b"1", b"2", b"3", b"4"]
    ordered.close()


def test_an_ordered_consumer_that_several_begin_is_one(js, stream, subject):
    js.publish_many(f"{subject}.a", [b"x"] * 40)
    ordered, seen, ready = stream.ordered_consumer(), [], threading.Barrier(4)

    def take():
        ready.wait()
        for _ in range(10):
            seen.append(ordered.next(5).metadata.stream_seq)

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == list(range(1, 41))
    assert ordered.info()["name"] in stream.consumer_names()
    ordered.close()
    assert ordered.info()["name"] in stream.consumer_names()
    ordered.close()


@pytest.mark.parametrize(
    "arguments", [{"max": 0}, {"max": -1}, {"wait": -1}, {"wait": float("nan")}]
)
def test_how_many_and_how_long_are_looked_at(stream, arguments):
    with pytest.raises(polynats.Invalid):
        stream.ordered_consumer().fetch(**arguments)
    with pytest.raises(TypeError):
        stream.ordered_consumer().fetch("x")
    assert list(stream.consumer_names()) == []


def test_timeouts_and_options_by_name(js, stream, subject):
    c = stream.create_consumer(durable_name="c")
    assert [one.name for one in stream.consumers(timeout=5)] == ["c"]
    assert list(stream.consumer_names(timeout=5)) == ["c"]
    assert [one.name for one in js.streams(f"{subject}.a", timeout=5)] == [stream.name]
    assert list(js.stream_names(f"{subject}.a", timeout=5)) == [stream.name]
    js.publish(f"{subject}.a", "1")
    with c.consume(timeout=5, max_messages=10, heartbeat=HOUR / 3600, expires="5s") as sub:
        assert sub.next(5).data == b"1"
    with stream.ordered_consumer().consume(timeout=5, idle_heartbeat=1) as sub:
        assert sub.next(5).data == b"1"
