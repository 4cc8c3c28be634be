"""Publishes a few messages, one with headers: python3 publisher.py [subject] [text]"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 publisher.py [subject] [text]")
    sys.exit()

subject = sys.argv[1] if len(sys.argv) > 1 else "greet.joe"
text = sys.argv[2] if len(sys.argv) > 2 else "hello"
with polynats.connect() as nc:
    nc.publish(subject, text)
    nc.publish(subject, text, headers={"Lang": ["en", "fr"]})
    nc.publish_many(subject, [b"one", b"two", b"three"])
    nc.flush(timeout=5)  # the server has them now
print(f"published 5 messages to {subject}")
