"""Consumes a stream and acknowledges: python3 stream_consumer.py [stream] [consumer] [how many]"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 stream_consumer.py [stream] [consumer] [how many]")
    sys.exit()

name, who, count = (sys.argv[1:] + ["NEWS", "reader", "3"][len(sys.argv) - 1:])[:3]
with polynats.connect() as nc:
    consumer = nc.jetstream().stream(name).get_or_create_consumer(durable_name=who)
    with consumer.consume(max_messages=100) as sub:
        for _ in range(int(count)):
            msg = sub.next(timeout=5)
            if msg is None:
                sys.exit("nothing came in 5 s")
            print(msg.metadata.stream_seq, msg.data.decode(), sep="\t")
            msg.ack_sync()  # the server has taken note
    info = consumer.info()
    print(f"left: {info['num_pending']}, not acknowledged: {info['num_ack_pending']}")
