"""polynats for asyncio: the same verbs, awaited. No thread and no executor: the loop watches the
client's descriptor.

    import asyncio
    import polynats.aio

    async def main():
        async with polynats.aio.connect("nats://127.0.0.1:4222", name="demo") as nc:
            sub = await nc.subscribe("greet.*")
            await nc.publish("greet.joe", b"hello")
            async for msg in sub:
                print(msg.subject, msg.data)
                break

    asyncio.run(main())

A verb that is cancelled loses nothing: what it would have taken is there for the next one. A client
belongs to the loop it was made in.
"""

from __future__ import annotations

import asyncio
import inspect
import weakref

from . import _credentials, _polynats
from ._errors import Closed, Error
from ._future import Future as _Future
from ._loops import (
    CALLBACK,
    PRIVATE,
    SHARED,
    STREAK_MAX,
    Handle,
    LoopClient,
    LoopFuture,
    LoopHook,
    LoopSubscription,
    size_of,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ._polynats import AsyncMessage as Message
    from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterable
    from logging import Logger
    from types import TracebackType
    from typing import Any, TypeVar

    from ._event import Event
    from ._jetstream_aio import (
        AckFuture,
        AnswerFuture,
        Batch,
        Consumer,
        JetStream,
        OrderedConsumer,
        Publisher,
        Stream,
    )
    from ._jetstream_values import Ack
    from ._loops import Ask, Waiters
    from ._options import Credentials, Data, Headers, Options, Servers, Unpack
    from ._polynats import PublisherBase
    from ._subscription import Subscription as _Subscription

    T = TypeVar("T")
else:
    from ._polynats import LoopMessage as Message


def connect(
    url: Servers = None,
    *,
    logger: Logger | None = None,
    credentials: Callable[[str], Credentials | Awaitable[Credentials]] | None = None,
    **options: Unpack[Options],
) -> Connecting:
    """Connect: await it for a client, or enter it with `async with`, which closes the client.

    The arguments are those of `polynats.connect`. The option keeper is off if not given: the loop
    does its work. With keeper=True a thread of the library answers the server's pings and
    reconnects even while the loop is busy with something else for long. `credentials` may be a
    coroutine function.
    """
    return Connecting(url, logger, credentials, _credentials.check(credentials, options))


class Connecting:
    """What `connect` returns."""

    __slots__ = ("_arguments", "_client")

    def __init__(
        self,
        url: Servers,
        logger: Logger | None,
        hook: Callable[[str], Any] | None,
        options: dict[str, Any],
    ) -> None:
        options.setdefault("keeper", False)
        self._arguments = (url, logger, hook, options)
        self._client: Client | None = None

    def __await__(self) -> Generator[Any, None, Client]:
        return self._open().__await__()

    async def _open(self) -> Client:
        url, logger, function, options = self._arguments
        nc, inner = _polynats._connect_start(Handle, _Future, url, options)
        client = Client._over_handle(nc)
        hook = None
        if function is not None:
            hook = _Hook(function)
            _credentials.register(nc, hook)
        try:
            await client._run(LoopFuture(client, inner)._wait_steps())
        except BaseException as problem:
            client._close_now(True)
            if hook is not None:
                hook.opened(problem)
            raise
        if hook is not None:
            hook.opened()
        if logger is not None:
            client._follow(logger)
        return client

    async def __aenter__(self) -> Client:
        self._client = await self._open()
        return self._client

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._client is not None
        await self._client.close()


class _Hook(LoopHook):
    def __init__(self, hook: Callable[[str], Any]) -> None:
        super().__init__(hook)
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    def _begin(self, nc: Any, nonce: str) -> None:
        task = self._loop.create_task(self._answer(nc, nonce))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, nc: Any, nonce: str) -> None:
        try:
            given = self._hook(nonce)
            _credentials.give(nc, await given if inspect.isawaitable(given) else given)
        except Exception as problem:
            self._failed(nc, problem)

    def _report(self, problem: Exception) -> None:
        self._loop.call_exception_handler(
            {"message": f"polynats: credentials failed: {self._hook!r}", "exception": problem}
        )


class Future(LoopFuture):
    """What a request will give: await it. Made by `Client.request_start`."""

    __slots__ = ()

    _client: Client

    async def wait(self, timeout: float | None = None) -> Message | None:
        """The reply, waited for at most `timeout` seconds (None: the request's own time).

        Raises Timeout, also when only this wait was up: done is False then.
        """
        taken: Message | None = await self._client._run(self._wait_steps(timeout))
        return taken

    def __await__(self) -> Generator[Any, None, Message]:
        return self.wait().__await__()  # type: ignore[return-value]


class Replies:
    """What `Client.request_many` returns: `async for` the replies as they come, or await the list."""

    __slots__ = ("_client", "_arguments", "_options", "_future")

    def __init__(self, client: Client, arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self._client = client
        self._arguments = arguments
        self._options = options
        self._future: Future | None = None

    def __aiter__(self) -> Replies:
        return self

    async def __anext__(self) -> Message:
        if self._future is None:
            self._future = await self._client.request_many_start(*self._arguments, **self._options)
        msg = await self._future.wait()
        if msg is None:
            raise StopAsyncIteration
        return msg

    async def _list(self) -> list[Message]:
        return [msg async for msg in self]

    def __await__(self) -> Generator[Any, None, list[Message]]:
        return self._list().__await__()

    async def aclose(self) -> None:
        """Give up what has not come yet."""
        if self._future is not None:
            self._future.cancel()


class Messages:
    """Messages of a subscription as they come, until it ends, or none came for `timeout` seconds."""

    __slots__ = ("_sub", "_timeout")

    def __init__(self, sub: Subscription, timeout: float | None) -> None:
        self._sub = sub
        self._timeout = timeout

    def __aiter__(self) -> Messages:
        return self

    async def __anext__(self) -> Message:
        sub = self._sub
        client = sub.client
        try:
            if client._streak < STREAK_MAX and not client._draining:
                client._streak += 1
                msg = sub._inner.next(0)
                if msg is not None:
                    return msg  # type: ignore[return-value]
            msg = await sub.next(self._timeout)
        except Closed:
            raise StopAsyncIteration from None
        if msg is None:
            raise StopAsyncIteration
        return msg


class Subscription(LoopSubscription):
    """What `Client.subscribe` returns. Leaving an `async with` block ends it."""

    __slots__ = ()

    client: Client

    async def next(self, timeout: float | None = None) -> Message | None:
        """Take the next message; None when there is none within `timeout` seconds (None: for ever).

        Raises Closed when it has ended and given all it had.
        """
        client = self.client
        if client._others_first():
            await asyncio.sleep(0)
        if not client._draining:
            msg = self._inner.next(0)
            if msg is not None:
                return msg  # type: ignore[return-value]
        taken: Message | None = await client._run(self._next_steps(timeout))
        return taken

    async def get(self, max: int | None = None, wait: float | None = None) -> list[Message]:
        """Take all that has arrived, at most `max` (65,536), oldest first.

        Waits for the first one, at most `wait` seconds (None: for ever); empty on silence.
        """
        await asyncio.sleep(0)
        taken: list[Message] = await self.client._run(self._get_steps(max, wait))
        return taken

    def messages(self, timeout: float | None = None) -> Messages:
        """Messages as they come, until it ends, or none came for `timeout` seconds.

        From then on its messages do not show up in `Client.get`.
        """
        self._keep_private()
        return Messages(self, timeout)

    def __aiter__(self) -> Messages:
        return self.messages()

    async def unsubscribe(self, after: int | None = None) -> None:
        """End it now, or exactly after so many messages in all."""
        await self.client._run(self._end_steps(after))

    async def drain(self, timeout: float | None = None) -> None:
        """End it and wait for what is under way, which can then be taken."""
        if self.active:
            await self.client._run(self._drain_steps(timeout))

    async def __aenter__(self) -> Subscription:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.unsubscribe()


def _turn(ref: weakref.ref[Client]) -> None:
    client = ref()
    if client is not None:
        client._turn()


def _time_is_up(waiter: asyncio.Future[bool]) -> None:
    if not waiter.done():
        waiter.set_result(False)


def _is_cancelled() -> bool:
    """Is it this task that is to end? Python 3.10 and older cannot tell."""
    cancelling = getattr(asyncio.current_task(), "cancelling", None)
    return cancelling is None or cancelling() > 0


class Client(LoopClient):
    """A connection's handle in an asyncio loop. Made by `connect` and `share`."""

    __slots__ = ("_loop", "_tasks", "_follower")

    _nc: Handle
    _loop: asyncio.AbstractEventLoop
    _tasks: set[asyncio.Task[None]]
    _follower: Client | None
    _sub_class = Subscription

    @classmethod
    def _over_handle(cls, nc: Handle) -> Client:
        self = cls.__new__(cls)
        self._loop = asyncio.get_running_loop()
        self._tasks = set()
        self._follower = None
        self._adopt(nc)
        return self

    # ---- the loop's part ----

    def _watch(self) -> None:
        self._loop.add_reader(self._fd, _turn, weakref.ref(self))

    def _unwatch(self) -> None:
        if not self._loop.is_closed():
            self._loop.remove_reader(self._fd)

    def _wake(self, waiter: asyncio.Future[bool]) -> None:
        if not waiter.done():
            waiter.set_result(True)

    def _soon(self) -> None:
        self._loop.call_soon(_turn, weakref.ref(self))

    def _here(self) -> asyncio.Task[Any] | None:
        return asyncio.current_task()

    def _report(self, problem: BaseException, function: object) -> None:
        self._loop.call_exception_handler(
            {"message": f"polynats: a callback failed: {function!r}", "exception": problem}
        )

    def _call(self, function: Callable[[Any], object], what: Any) -> None:
        try:
            result = function(what)
        except Exception as problem:
            self._report(problem, function)
            return
        if inspect.isawaitable(result):
            self._start(self._finish(result, function), self._tasks)

    async def _finish(self, awaitable: Any, function: object) -> None:
        try:
            await awaitable
        except asyncio.CancelledError as problem:
            if _is_cancelled():
                raise
            self._report(problem, function)  # of something that it awaited
        except Exception as problem:
            self._report(problem, function)

    def _start(self, coroutine: Any, tasks: set[Any]) -> None:
        task = self._loop.create_task(coroutine)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    def _run_calls(self) -> None:
        called = True
        try:
            called = self._call_some() > 0
        finally:
            if called:
                self._soon()  # perhaps there are more, or some are left by what was raised

    async def _pump(
        self, sub: Subscription, function: Callable[[Message], Any]
    ) -> None:
        """One message after the other, so that a callback sees them in order."""
        try:
            while True:
                msg = await sub.next()
                if msg is not None:
                    await self._finish(function(msg), function)
        except Closed:
            return
        except Error as problem:
            self._report(problem, function)  # why it ended
        finally:
            self._pumps.discard(asyncio.current_task())
            self._wake_all(self._pump_waiters)

    async def _pause(self, among: Waiters, seconds: float | None) -> bool:
        if asyncio.get_running_loop() is not self._loop:
            raise RuntimeError("this client belongs to another event loop")
        waiter: asyncio.Future[bool] = self._loop.create_future()
        among[waiter] = None
        timer = None if seconds is None else self._loop.call_later(seconds, _time_is_up, waiter)
        self._streak = 0
        try:
            return await waiter
        finally:
            among.pop(waiter, None)
            if timer is not None:
                timer.cancel()

    async def _run(self, steps: Generator[Ask, bool, T]) -> T:
        try:
            ask = next(steps)
            while True:
                try:
                    if ask is None:
                        await asyncio.sleep(0)
                        woken = True
                    else:
                        woken = await self._pause(*ask)
                except BaseException as problem:
                    ask = steps.throw(problem)
                else:
                    ask = steps.send(woken)
        except StopIteration as end:
            value: T = end.value
            return value

    def _follow(self, logger: Logger) -> None:
        from ._log import log

        self._follower = self._over_handle(self._nc.share())  # type: ignore[arg-type]
        self._follower.on_event(lambda event: log(logger, event))

    # ---- life ----

    async def close(self) -> None:
        """End this client: its subscriptions end, those who wait get Closed.

        Messages that were not taken are dropped: `drain` keeps them. Twice is fine. Cancelled, it
        closes all the same, without waiting for what was published.
        """
        try:
            await self._run(self._close_steps())
        finally:
            await self._end_log()

    async def _end_log(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            await follower.close()

    async def share(self) -> Client:
        """Another client on this connection, with subscriptions, `get` and events of its own."""
        return self._over_handle(self._nc.share())  # type: ignore[arg-type]

    async def drain(self, timeout: float | None = None) -> None:
        """Stop without loss: subscriptions end, callbacks are called with what was under way,
        publishes are flushed. Closed then; or, when messages wait to be taken, once they are.

        `timeout` is in seconds; None: the option drain_timeout. Raises Timeout, Disconnected,
        Closed.
        """
        try:
            await self._run(self._drain_steps(timeout))
        finally:
            if self.closed:
                await self._end_log()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    # ---- publish ----

    async def _respond(self, msg: Message, data: Data, headers: Headers) -> None:
        if not self._nc._has_room(size_of(data)):
            await self._run(self._room_steps(size_of(data)))
        _polynats.Message.respond(msg, data, headers)
        self._kick()

    async def publish(
        self, subject: str, data: Data = None, reply: str | None = None, headers: Headers = None
    ) -> None:
        """Publish one message: its bytes are in the connection's buffer on return.

        It waits only when the server does not keep up. Raises as `polynats.Client.publish` does.
        """
        more = () if reply is None and headers is None else (reply, headers)
        if self._others_first():
            await asyncio.sleep(0)
        if not self._nc._try_publish(subject, data, *more):
            await self._run(self._room_steps(size_of(data)))
            self._nc.publish(subject, data, *more)
        if not self._kicked:
            self._kick()

    async def publish_many(self, subject: str, datas: Iterable[Data]) -> int:
        """Publish many payloads to one subject, in order. Returns how many: all.

        An error has the attribute published: how many were accepted before it.
        """
        return await self._run(self._publish_many_steps(subject, datas))

    async def flush(self, timeout: float | None = None) -> None:
        """Wait until the server has processed what was sent before.

        `timeout` is in seconds; None: the option request_timeout. Raises Timeout, Disconnected,
        Closed.
        """
        await self._run(self._flush_steps(timeout))

    async def rtt(self, timeout: float | None = None) -> float:
        """Seconds that a PING and its PONG take, the loop's own time included."""
        began = _polynats.now()
        await self._run(self._flush_steps(timeout))
        return _polynats.now() - began

    # ---- request ----

    async def request(
        self,
        subject: str,
        data: Data = None,
        timeout: float | None = None,
        headers: Headers = None,
    ) -> Message:
        """Send a request and return its reply.

        `timeout` is in seconds (None: the option request_timeout). Raises Timeout, NoResponders,
        Disconnected, Permission, Closed.
        """
        future = await self.request_start(subject, data, timeout, headers)
        try:
            return await future
        except BaseException:
            future.cancel()
            raise

    async def request_start(
        self,
        subject: str,
        data: Data = None,
        timeout: float | None = None,
        headers: Headers = None,
    ) -> Future:
        """Send a request and do not wait for its reply. The arguments are those of `request`."""
        if not self._nc._has_room(size_of(data)):
            await self._run(self._room_steps(size_of(data)))
        inner = self._nc.request_start(subject, data, timeout, headers)
        self._kick()
        return Future(self, inner)

    async def request_many_start(
        self,
        subject: str,
        data: Data = None,
        *,
        max: int | None = None,
        stall: float | None = None,
        timeout: float | None = None,
        sentinel: bool = False,
        headers: Headers = None,
    ) -> Future:
        """As `request_many`: `Future.wait` gives one reply after the other, then None."""
        if not self._nc._has_room(size_of(data)):
            await self._run(self._room_steps(size_of(data)))
        inner = self._nc.request_many_start(
            subject, data, max=max, stall=stall, timeout=timeout, sentinel=sentinel, headers=headers
        )
        self._kick()
        return Future(self, inner)

    def request_many(
        self,
        subject: str,
        data: Data = None,
        *,
        max: int | None = None,
        stall: float | None = None,
        timeout: float | None = None,
        sentinel: bool = False,
        headers: Headers = None,
    ) -> Replies:
        """Replies of several: `async for` them as they come, or await the list. They end when `max`
        came, none came for `stall` seconds after one, an empty one came (`sentinel`), or the time
        is up, which is the normal end. Raises NoResponders."""
        options = {"max": max, "stall": stall, "timeout": timeout, "sentinel": sentinel,
                   "headers": headers}  # fmt: skip
        return Replies(self, (subject, data), options)

    # ---- receive ----

    async def subscribe(
        self,
        subject: str,
        queue: str | None = None,
        max: int | None = None,
        callback: Callable[[Message], Any] | None = None,
        *,
        pending_msgs: int | None = None,
        pending_bytes: int | None = None,
    ) -> Subscription:
        """Subscribe to a pattern. `queue`: a group, of which one member gets each message. `max`:
        end after so many. `pending_msgs`, `pending_bytes`: how much may wait, -1 for no limit.

        `callback` is called in the loop with each message, one after the other; that of a coroutine
        function is awaited before the next message. What it raises goes to the loop's exception
        handler.
        """
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        awaited = _is_async(callback)
        mode = SHARED if callback is None else PRIVATE if awaited else CALLBACK
        made = await self._run(
            self._sub_steps(subject, queue, mode, max, pending_msgs, pending_bytes)
        )
        assert isinstance(made, Subscription)
        if awaited and callback is not None:
            self._start(self._pump(made, callback), self._pumps)
        elif callback is not None:
            self._calls[made.sid] = (callback, made)
        return made

    async def unsubscribe(self, which: int | str, after: int | None = None) -> int | None:
        """End a subscription by its sid, or all of this client's to exactly a subject; of these
        it returns how many."""
        return await self._run(self._unsubscribe_steps(which, after))

    async def get(self, max: int | None = None, wait: float | None = None) -> list[Message]:
        """Take all that has arrived, at most `max` (65,536), oldest first.

        Waits for the first one, at most `wait` seconds (None: for ever); empty on silence. Raises
        Closed.
        """
        await asyncio.sleep(0)
        taken: list[Message] = await self._run(self._get_steps(max, wait))
        return taken

    # ---- JetStream ----

    def jetstream(
        self, domain: str | None = None, prefix: str | None = None, timeout: float | None = None
    ) -> JetStream:
        """JetStream: streams, consumers and messages that are kept. The arguments are those of
        `polynats.Client.jetstream`."""
        from ._jetstream_aio import jetstream

        return jetstream(self, self._nc, domain, prefix, timeout)

    async def ack_many(self, messages: Iterable[Message]) -> int:
        """Acknowledge each of the messages that is one of JetStream's and was not yet. Returns how many."""
        return await self._run(self._ack_many_steps(messages))

    async def _settle(
        self, msg: Message, how: int, delay: float | None, reason: str | None
    ) -> None:
        await self._run(self._settle_steps(msg, how, delay, reason))

    async def _ack_sync(self, msg: Message, timeout: float | None) -> None:
        await self._run(self._ack_sync_steps(msg, timeout))

    async def _js_room(self, size: int) -> None:
        if not self._nc._has_room(size):
            await self._run(self._room_steps(size))

    async def _js_window(self, publisher: PublisherBase, count: int, timeout: float) -> int:
        return await self._run(self._js_window_steps(publisher, count, timeout))

    def _js_future(self, inner: _Future) -> Future:
        self._kick()
        return Future(self, inner)

    def _js_mode(self, callback: object) -> int:
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        return SHARED if callback is None else PRIVATE if _is_async(callback) else CALLBACK

    def _js_sub(
        self, inner: _Subscription, callback: Callable[[Message], Any] | None
    ) -> Subscription:
        made = Subscription(self, inner)
        inner.client = self._nc
        if callback is not None and _is_async(callback):
            self._start(self._pump(made, callback), self._pumps)
        elif callback is not None:
            self._calls[made.sid] = (callback, made)
        self._kick()
        return made

    # ---- events ----

    async def next_event(self, wait: float | None = None) -> Event | None:
        """Take the oldest event; None when none came within `wait` seconds (None: for ever).

        Raises Closed when it is closed and there is none left.
        """
        return await self._run(self._event_steps(wait))

    async def events(self) -> AsyncIterator[Event]:
        """Events as they come, until the client is closed."""
        try:
            while True:
                event = await self.next_event()
                if event is not None:
                    yield event
        except Closed:
            return

    def on_event(self, function: Callable[[Event], Any] | None) -> None:
        """`function`, plain or of coroutines, is called in the loop with each event; None ends it."""
        self._set_on_event(function)

    async def run(self, timeout: float | None = None) -> None:
        """Wait until `stop`, the client's end, or the time is up, while callbacks run."""
        await self._run(self._run_steps(timeout))


def _is_async(function: object) -> bool:
    call = getattr(function, "__call__", None)
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """JetStream's names: loaded when they are asked for."""
        from . import _jetstream_aio, _jetstream_values

        if name in _jetstream_aio.__all__ or name == "Ack":
            return getattr(_jetstream_values if name == "Ack" else _jetstream_aio, name)
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


__all__ = ["Ack", "AckFuture", "AnswerFuture", "Batch", "Client", "Connecting", "Consumer",
           "Future", "JetStream", "Message", "Messages", "OrderedConsumer", "Publisher",
           "Replies", "Stream", "Subscription", "connect"]  # fmt: skip
