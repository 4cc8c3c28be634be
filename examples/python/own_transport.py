"""The protocol over streams of asyncio, or any transport of one's own: python3 own_transport.py"""

import asyncio
import os
import sys

import polynats

if sys.argv[1:2] in (["--help"], ["-h"]):
    print("usage: python3 own_transport.py")
    sys.exit()


class OwnTransport:
    """Answers what the protocol asks for and prints what comes."""

    def __init__(self, url):
        self.proto = polynats.proto(url)
        self.proto.start()
        self.reader = self.writer = None
        self.finished = False

    async def run(self):
        while not self.finished:
            for event in self.proto.events():
                await self.handle(event)
            if self.writer is not None:
                await self.move_bytes()
            self.proto.tick()
        if self.writer is not None:
            self.writer.close()
            await self.writer.wait_closed()

    async def handle(self, event):
        if event.type == "dial":
            await self.dial(event.host, event.port)
        elif event.type == "connected":
            print("connected to", event.url or self.proto.url)
            self.proto.subscribe("own.*")
            self.proto.publish("own.transport", "hello")
        elif event.type == "message":
            print(event.message.subject, event.message.data.decode(), sep="\t")
            self.finished = True
        elif event.type == "error":
            print(event.text, file=sys.stderr)
        elif event.type == "disconnected":
            self.writer.close()
            self.reader = self.writer = None
        elif event.type == "closed":
            self.finished = True

    async def dial(self, host, port):
        try:
            self.reader, self.writer = await asyncio.open_connection(host, port)
            self.proto.transport_up()
        except OSError as problem:
            self.proto.transport_failed("IO", str(problem))

    async def move_bytes(self):
        self.writer.write(self.proto.take())
        due = self.proto.deadline()
        left = None if due is None else max(0, due - polynats.now())
        try:
            data = await asyncio.wait_for(self.reader.read(65536), left)
        except asyncio.TimeoutError:
            return
        except OSError:
            data = b""
        if data:
            self.proto.feed(data)
        else:
            self.proto.feed_eof()


asyncio.run(OwnTransport(os.environ.get("NATS_URL")).run())
