"""Prints what arrives: python3 subscriber.py [pattern] [how many]"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 subscriber.py [pattern] [how many]")
    sys.exit()

pattern = sys.argv[1] if len(sys.argv) > 1 else "greet.*"
count = int(sys.argv[2]) if len(sys.argv) > 2 else None
with polynats.connect() as nc:
    sub = nc.subscribe(pattern, max=count)
    nc.flush(timeout=5)
    print(f"listening to {pattern}", flush=True)
    for msg in sub:
        print(msg.subject, msg.data.decode(), sep="\t", flush=True)
        for key, value in msg.header_pairs:
            print(f"\t{key}: {value}", flush=True)
