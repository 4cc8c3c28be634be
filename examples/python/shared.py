"""Two clients on one connection, each with its own subscriptions and its own get: python3 shared.py"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 shared.py")
    sys.exit()

with polynats.connect() as nc, nc.share() as audit:
    nc.subscribe("order.new")
    audit.subscribe("order.>")
    nc.publish("order.new", "book")
    nc.publish("order.paid", "book")
    nc.flush(timeout=5)
    for msg in nc.get(wait=1):
        print("work", msg.subject, msg.data.decode(), sep="\t")
    for msg in audit.get(wait=1):
        print("audit", msg.subject, msg.data.decode(), sep="\t")
