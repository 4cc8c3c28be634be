"""A stream and a consumer that may be there already; publish, receive, acknowledge: python3 events.py [stream]"""

import datetime
import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 events.py [stream]")
    sys.exit()

name = sys.argv[1] if len(sys.argv) > 1 else "mystream"
with polynats.connect() as nc:
    js = nc.jetstream()

    stream_config = {
        "name": name,
        "subjects": [f"{name}.events.>", f"{name}.notifications.>"],
        "retention": "limits",
        "max_msgs": 1000,
        "max_age": datetime.timedelta(days=7),
    }
    if nc.server_info().get("api_lvl"):  # a newer server takes these, too
        stream_config["consumer_limits"] = {
            "inactive_threshold": datetime.timedelta(hours=1),
            "max_ack_pending": 1000,
        }
    stream = js.get_or_create_stream(stream_config)

    future = js.publish_start(f"{name}.events.user.created", b"User created data")
    print("published as", future.wait().seq)

    consumer = stream.get_or_create_consumer(
        durable_name="myconsumer", deliver_policy="all", ack_policy="explicit", max_deliver=3
    )
    for msg in consumer.consume():
        print("received:", msg.data.decode())
        msg.ack_sync()
        break
    js.delete_stream(name)
