"""Answers requests, by a callback: python3 responder.py [subject] [how many]"""

import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 responder.py [subject] [how many]")
    sys.exit()

subject = sys.argv[1] if len(sys.argv) > 1 else "svc.upper"
left = float(sys.argv[2]) if len(sys.argv) > 2 else float("inf")
with polynats.connect() as nc:

    def answer(msg):
        global left
        msg.respond(msg.data.upper())
        left -= 1
        if left <= 0:
            nc.stop()

    nc.subscribe(subject, queue="responders", callback=answer)
    nc.flush(timeout=5)
    print(f"answering on {subject}", flush=True)
    nc.run()
    nc.flush(timeout=5)
