"""Functions that supply credentials: where they run, and what becomes of what they raise. The server
wants none and takes what comes; what is answered is played in tests/conformance, area auth."""

import asyncio
import threading

import polynats
import polynats.aio
import pytest


class Missing(Exception):
    pass


def missing(nonce):
    raise Missing("no vault")


def test_it_runs_in_the_thread_that_connects(connect):
    asked = []

    def hook(nonce):
        asked.append((nonce, threading.get_ident()))
        return {"user": "me", "password": "secret"}

    connect(credentials=hook).flush(5)
    assert asked == [("", threading.get_ident())]


def test_what_it_raises_ends_connect(connect):
    with pytest.raises(Missing):
        connect(credentials=missing)
    with pytest.raises(polynats.Invalid, match="pasword"):
        connect(credentials=lambda nonce: {"user": "me", "pasword": "x"})
    with pytest.raises(TypeError):
        connect(credentials=lambda nonce: {"user": 7})


def test_it_is_a_function(connect):
    with pytest.raises(TypeError, match="credentials must be callable, not dict"):
        connect(credentials={"user": "me"})
    with pytest.raises(polynats.Invalid, match="give the function as credentials"):
        connect(credentials_hook=True)


def test_nothing_is_what_it_may_return(connect):
    shared = connect(credentials=lambda nonce: None).share()
    shared.flush(5)
    shared.close()


@pytest.mark.parametrize("slow", [False, True])
def test_asyncio_takes_functions_of_both_kinds(slow):
    async def patient(nonce):
        await asyncio.sleep(0.01)
        return {"token": "t"}

    async def main():
        hook = patient if slow else lambda nonce: {"token": "t"}
        async with polynats.aio.connect(credentials=hook) as nc:
            await nc.flush(5)

    asyncio.run(main())


@pytest.mark.parametrize("slow", [False, True])
def test_what_it_raises_ends_connect_in_asyncio(slow):
    async def patient(nonce):
        await asyncio.sleep(0.01)
        raise Missing

    async def main():
        await polynats.aio.connect(credentials=patient if slow else missing)

    with pytest.raises(Missing):
        asyncio.run(main())


def test_green():
    green = pytest.importorskip("polynats.green")
    with green.connect(credentials=lambda nonce: {"token": "t"}) as nc:
        nc.flush(5)
    with pytest.raises(Missing):
        green.connect(credentials=missing)
