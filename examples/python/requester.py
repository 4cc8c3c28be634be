"""Asks and prints the answer: python3 requester.py [subject] [text]"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 requester.py [subject] [text]")
    sys.exit()

subject = sys.argv[1] if len(sys.argv) > 1 else "svc.upper"
text = sys.argv[2] if len(sys.argv) > 2 else "hello"
with polynats.connect() as nc:
    try:
        print(nc.request(subject, text, timeout=2).data.decode())
    except (polynats.Timeout, polynats.NoResponders) as problem:
        sys.exit(f"{problem.code}: {problem}")
