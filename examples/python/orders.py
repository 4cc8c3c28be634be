"""An order book that is kept: python3 orders.py [stream]

A stream of orders, published with a window, worked off by a consumer, and read again in order.
"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 orders.py [stream]")
    sys.exit()

name = sys.argv[1] if len(sys.argv) > 1 else "ORDERS"
with polynats.connect() as nc:
    js = nc.jetstream()
    stream = js.create_stream(name=name, subjects=[f"{name}.>"], storage="memory")

    with js.publisher(max_pending=100) as publisher:  # up to 100 under way; leaving waits for all
        for number in range(1, 6):
            publisher.publish(f"{name}.new", f"order {number}", msg_id=str(number))
        publisher.publish(f"{name}.new", "order 5, sent twice", msg_id="5")
    print("stored", publisher.stats()["acked"] - publisher.stats()["duplicates"])

    desk = stream.create_consumer(durable_name="desk", ack_wait=30)
    for msg in desk.fetch(3, wait=5):
        print("done:", msg.data.decode())
        msg.ack_sync()
    print("left for the desk:", desk.info()["num_pending"])

    ack = js.publish(f"{name}.closed", "book", expect_last_seq=5)  # nobody was quicker
    for msg in stream.ordered_consumer().fetch(ack.seq, wait=5):
        print(msg.metadata.stream_seq, msg.subject.split(".")[1], msg.data.decode())
    stream.delete()
