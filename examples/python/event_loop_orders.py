"""JetStream in two tasks on one thread: one publishes orders, the other works them off as they come:
python3 event_loop_orders.py [how many]"""

import asyncio
import sys

import polynats.aio

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 event_loop_orders.py [how many]")
    sys.exit()

count = int(sys.argv[1]) if len(sys.argv) > 1 else 3


async def order(js):
    for number in range(1, count + 1):
        await asyncio.sleep(0.02)
        await js.publish("loop.orders.new", f"order {number}", msg_id=str(number))  # it is stored now


async def main():
    async with polynats.aio.connect() as nc:
        js = nc.jetstream()
        stream = await js.create_stream(
            name="LOOP_ORDERS", subjects=["loop.orders.>"], storage="memory"
        )
        consumer = await stream.create_consumer(durable_name="desk")
        sub = await consumer.consume()  # asks for more by itself, without end
        orders = asyncio.create_task(order(js))
        left = count
        async for msg in sub:  # waits, and the other task goes on
            print("done:", msg.data.decode())
            await msg.ack_sync()
            left -= 1
            if left == 0:
                break
        await orders
        await stream.delete()


asyncio.run(main())
