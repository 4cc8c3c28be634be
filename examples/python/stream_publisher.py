"""Publishes into a stream, within a window: python3 stream_publisher.py [stream] [text] [how many]"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 stream_publisher.py [stream] [text] [how many]")
    sys.exit()

name, text, count = (sys.argv[1:] + ["NEWS", "hello", "3"][len(sys.argv) - 1:])[:3]
with polynats.connect() as nc:
    js = nc.jetstream()
    js.get_or_create_stream(name=name, subjects=[f"{name}.>"], storage="memory")
    with js.publisher(max_pending=100) as publisher:  # up to 100 under way; leaving waits for all
        for number in range(1, int(count) + 1):
            publisher.publish(f"{name}.said", f"{text} {number}")
    print("stored", publisher.stats()["acked"], "in", name)
