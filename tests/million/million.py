"""So many messages through a stream, in Python: README.md has what it does and prints."""

import sys

import polynats

CHUNK, PULL, WAIT = 1000, 500, 60
url, count = sys.argv[1], int(sys.argv[2])
step = count // 10


def tell(what, done, more):
    if done // step != (done - more) // step:
        print(what, done, flush=True)


def publish(js):
    with js.publisher() as publisher:
        for first in range(1, count + 1, CHUNK):
            numbers = range(first, min(first + CHUNK, count + 1))
            publisher.publish_many("million", [b"%0128d" % number for number in numbers])
            tell("published", numbers[-1], len(numbers))
        publisher.flush(WAIT)
        stats = publisher.stats()
    assert stats["acked"] == count and stats["duplicates"] == 0, stats


def take(batch, done):
    """Each is the next one."""
    for msg in batch:
        done += 1
        place = msg.metadata
        assert int(msg.data) == done == place.stream_seq == place.consumer_seq, (done, place)
        assert place.delivered == 1, place


def consume(nc, consumer):
    sub, done = consumer.consume(max_messages=PULL), 0
    while done < count:
        batch = sub.get(CHUNK, WAIT)
        assert batch, "message %d did not come" % (done + 1)
        take(batch, done)
        done += len(batch)
        last = batch.pop() if done == count else None
        assert nc.ack_many(batch) == len(batch)
        if last is not None:
            last.ack_sync(WAIT)  # the server has all of them then
        tell("consumed", done, len(batch) + (last is not None))
    sub.unsubscribe()


with polynats.connect(url) as nc:
    js = nc.jetstream(timeout=WAIT)
    stream = js.create_stream(name="MILLION", subjects=["million"], storage="file")
    publish(js)
    consumer = stream.create_consumer(durable_name="reader", ack_policy="explicit", ack_wait=600)
    consume(nc, consumer)
    info, stored = consumer.info(), stream.info()["state"]["messages"]
    print("done", stored, info["ack_floor"]["stream_seq"], info["num_ack_pending"],
          info["num_pending"])
