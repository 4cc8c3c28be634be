"""What a script author was promised: the names, and the forms in which a verb may be called."""

import asyncio
import os

import polynats
import polynats.aio
import pytest

STREAM = f"CONTRACT{os.getpid()}"


@pytest.fixture
def stream(nc, subject):
    made = nc.jetstream().create_stream(
        config={"name": STREAM, "subjects": [f"{subject}.>"]}, storage="memory"
    )
    yield made
    made.delete()


def test_errors_go_by_their_codes(nc, subject):
    for name in ("IO", "TLS", "Timeout", "NoResponders", "NotSupported"):
        kind = getattr(polynats, name)
        assert issubclass(kind, polynats.Error)
        assert kind.code == "".join(
            f"_{c}" if i and c.isupper() and name.upper() != name else c
            for i, c in enumerate(name)
        ).upper()  # fmt: skip
    with pytest.raises(polynats.NoResponders) as failed:
        nc.request(f"nobody.{subject}", timeout=1)
    assert (failed.value.about, failed.value.text) == (f"nobody.{subject}", str(failed.value))


def test_what_waits_is_pending(nc, subject):
    sub = nc.subscribe(subject)
    nc.publish(subject)
    nc.flush()
    assert [sub.stats()[name] for name in ("pending", "delivered", "dropped")] == [1, 0, 0]


def test_what_was_meant(nc, subject, stream):
    with pytest.raises(TypeError, match="Did you mean 'timeout'"):
        nc.request(subject, b"", wait=1)
    with pytest.raises(TypeError, match="Did you mean 'headers'"):
        nc.publish(subject, b"", header={})
    consumer = stream.create_consumer(config={"durable_name": "c"})
    for verb in (consumer.fetch, consumer.next):
        with pytest.raises(polynats.Invalid, match="did you mean 'wait'"):
            verb(timeout=1)
    with pytest.raises(polynats.Invalid, match="did you mean 'timeout'"):
        nc.jetstream().publish(f"{subject}.a", b"", wait=1)
    with pytest.raises(TypeError, match=r"polynats\.proto\(\)"):
        polynats.Proto()


def test_an_ordered_consumer_is_iterated_over(nc, subject, stream):
    nc.jetstream().publish_many(f"{subject}.a", [b"1", b"2", b"3"])
    ordered, seen = stream.ordered_consumer(), []
    for msg in ordered:
        seen.append(msg.data)
        if len(seen) == 2:
            break
    assert seen == [b"1", b"2"]
    assert [msg.data for msg in ordered.messages(timeout=0.1)] == [b"3"]
    assert ordered.next(0) is None
    ordered.close()

    async def awaited():
        async with polynats.aio.connect() as other:
            ordered = other.jetstream().stream(STREAM).ordered_consumer()
            return [msg.data async for msg in ordered.messages(timeout=0.1)]

    assert asyncio.run(awaited()) == [b"1", b"2", b"3"]
