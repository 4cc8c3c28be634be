"""Two tasks on one thread: one waits for messages, the other publishes: python3 event_loop_asyncio.py [how many]"""

import asyncio
import sys

import polynats.aio

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 event_loop_asyncio.py [how many]")
    sys.exit()

count = int(sys.argv[1]) if len(sys.argv) > 1 else 3


async def tick(nc):
    for number in range(1, count + 1):
        await asyncio.sleep(0.05)
        await nc.publish("tick", str(number))


async def main():
    async with polynats.aio.connect() as nc:
        sub = await nc.subscribe("tick", max=count)
        ticker = asyncio.create_task(tick(nc))
        async for msg in sub:  # waits, and the other task goes on
            print("got", msg.data.decode())
        await ticker


asyncio.run(main())
