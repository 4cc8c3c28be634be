"""Two greenlets on one thread: one waits for messages, the other publishes: python3 event_loop_gevent.py [how many]"""

import sys

import gevent
import polynats.green

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 event_loop_gevent.py [how many]")
    sys.exit()

count = int(sys.argv[1]) if len(sys.argv) > 1 else 3


def tick(nc):
    for number in range(1, count + 1):
        gevent.sleep(0.05)
        nc.publish("tick", str(number))


with polynats.green.connect() as nc:
    sub = nc.subscribe("tick", max=count)
    ticker = gevent.spawn(tick, nc)
    for msg in sub:  # waits, and the other greenlet goes on
        print("got", msg.data.decode())
    ticker.join()
