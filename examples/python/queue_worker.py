"""Takes work from a queue group, in batches: python3 queue_worker.py [subject] [how many]

Start several: each piece of work goes to one of them.
"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 queue_worker.py [subject] [how many]")
    sys.exit()

subject = sys.argv[1] if len(sys.argv) > 1 else "work"
left = float(sys.argv[2]) if len(sys.argv) > 2 else float("inf")
with polynats.connect() as nc:
    nc.subscribe(subject, queue="workers")
    nc.flush(timeout=5)
    print(f"waiting for work on {subject}", flush=True)
    while left > 0:
        batch = nc.get(max=100)
        for msg in batch:
            print("done:", msg.data.decode(), flush=True)
        left -= len(batch)
