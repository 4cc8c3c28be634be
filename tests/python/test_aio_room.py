"""What a loop does while the server takes nothing: it goes on."""

import asyncio
import contextlib
import itertools
import socket
import threading

import polynats
import pytest
from polynats import aio
from conftest import held
from test_aio import run, ticking

__all__ = ["run"]  # a fixture


@contextlib.contextmanager
def deaf():
    """The address of a server that answers the first PING and reads nothing after it."""

    def serve():
        peer = listener.accept()[0]
        with peer:
            peer.sendall(b'INFO {"server_id":"x","max_payload":1048576,"headers":true}\r\n')
            while b"PING" not in peer.recv(4096):
                pass
            peer.sendall(b"PONG\r\n")
            over.wait()

    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield "127.0.0.1:%d" % listener.getsockname()[1]
        finally:
            over.set()
            thread.join()


async def behind_publishes(nc, verb):
    """There is no room any more for what the verb has to write."""
    while nc.stats()["unwritten_bytes"] < 100_000:
        nc._nc.publish("a", bytes(50_000))
        nc._nc.process()
    while not nc.closed:
        await verb()
    raise polynats.Closed


@pytest.mark.parametrize("name", ["publish_many", "subscribe", "unsubscribe", "sub.unsubscribe"])
def test_others_run_while_the_server_takes_nothing(run, subject, name):
    async def main():
        nc = await aio.connect(url, write_deadline=1, reconnect=False)
        sub, after = await nc.subscribe(subject), itertools.count(1_000_000)
        call = {
            "publish_many": lambda: nc.publish_many(subject, [bytes(1 << 17)] * 256),
            "subscribe": lambda: behind_publishes(nc, lambda: nc.subscribe("b" * 1000)),
            "unsubscribe": lambda: behind_publishes(
                nc, lambda: nc.unsubscribe(subject, next(after))
            ),
            "sub.unsubscribe": lambda: behind_publishes(nc, lambda: sub.unsubscribe(next(after))),
        }[name]
        ticks, waited = [], held()
        ticker = asyncio.ensure_future(ticking(ticks))
        await asyncio.sleep(0.02)
        with pytest.raises((polynats.Timeout, polynats.Closed)):
            await call()
        await asyncio.sleep(0.02)
        ticker.cancel()
        await nc.close()
        most = 0.5 + held() - waited
        assert max(after - before for before, after in zip(ticks, ticks[1:])) < most

    with deaf() as url:
        run(main())
