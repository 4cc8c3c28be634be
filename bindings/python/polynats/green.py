"""polynats for gevent: the verbs of polynats, which let other greenlets run while they wait.

    import gevent
    import polynats.green

    with polynats.green.connect("nats://127.0.0.1:4222", name="demo") as nc:
        sub = nc.subscribe("greet.*")
        nc.publish("greet.joe", b"hello")
        print(sub.next(timeout=1).data)

Nothing needs to be patched. `gevent.Timeout` and `Greenlet.kill` end a verb that waits, and nothing is
lost by it. A client belongs to the hub, and so to the thread, it was made in.
"""

from __future__ import annotations

import weakref

import gevent  # type: ignore[import-untyped]
from gevent.event import Event as _Waiter  # type: ignore[import-untyped]

from . import _credentials, _polynats
from ._errors import Error
from ._future import Future as _Future
from ._loops import (
    CALLBACK,
    SHARED,
    Handle,
    LoopClient,
    LoopFuture,
    LoopHook,
    LoopSubscription,
    size_of,
)
from ._polynats import LoopMessage as Message
from ._waiting import WaitingClient, WaitingFuture, WaitingSubscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable
    from logging import Logger
    from typing import Any, TypeVar

    from ._event import Event
    from ._jetstream_green import (
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

_READ = 1  # of gevent's watchers of descriptors


def connect(
    url: Servers = None,
    *,
    logger: Logger | None = None,
    credentials: Callable[[str], Credentials] | None = None,
    **options: Unpack[Options],
) -> Client:
    """Connect, and return a client once the server has answered.

    The arguments are those of `polynats.connect`. The option keeper is off if not given: gevent's
    loop does its work.
    """
    options.setdefault("keeper", False)
    checked = _credentials.check(credentials, options)
    nc, inner = _polynats._connect_start(Handle, _Future, url, checked)
    client = Client._over_handle(nc)
    hook = None
    if credentials is not None:
        hook = _Hook(credentials)
        _credentials.register(nc, hook)
    try:
        client._run(LoopFuture(client, inner)._wait_steps())
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


class _Hook(LoopHook):
    """In a greenlet of its own: the function may wait."""

    def __init__(self, hook: Callable[[str], Any]) -> None:
        super().__init__(hook)
        self._hub = gevent.get_hub()

    def _begin(self, nc: Any, nonce: str) -> None:
        gevent.spawn(self._answer, nc, nonce)

    def _answer(self, nc: Any, nonce: str) -> None:
        try:
            _credentials.give(nc, self._hook(nonce))
        except Exception as problem:
            self._failed(nc, problem)

    def _report(self, problem: Exception) -> None:
        self._hub.handle_error(self._hook, type(problem), problem, problem.__traceback__)


class Future(LoopFuture, WaitingFuture):
    """What a request will give. Made by `Client.request_start`. Leaving a `with` block, or forgetting
    it, cancels it."""

    __slots__ = ()

    _client: Client

    def wait(self, timeout: float | None = None) -> Message | None:
        """The reply, waited for at most `timeout` seconds (None: the request's own time).

        Raises Timeout, also when only this wait was up: done is False then.
        """
        taken: Message | None = self._client._run(self._wait_steps(timeout))
        return taken


class Subscription(LoopSubscription, WaitingSubscription):
    """What `Client.subscribe` returns. Leaving a `with` block ends it."""

    __slots__ = ()

    client: Client

    def next(self, timeout: float | None = None) -> Message | None:
        """Take the next message; None when there is none within `timeout` seconds (None: for ever).

        Raises Closed when it has ended and given all it had.
        """
        client = self.client
        if client._others_first():
            gevent.sleep(0)
        if not client._draining:
            msg = self._inner.next(0)
            if msg is not None:
                return msg  # type: ignore[return-value]
        taken: Message | None = client._run(self._next_steps(timeout))
        return taken

    def get(self, max: int | None = None, wait: float | None = None) -> list[Message]:
        """Take all that has arrived, at most `max` (65,536), oldest first.

        Waits for the first one, at most `wait` seconds (None: for ever); empty on silence.
        """
        gevent.sleep(0)
        taken: list[Message] = self.client._run(self._get_steps(max, wait))
        return taken

    def unsubscribe(self, after: int | None = None) -> None:
        """End it now, or exactly after so many messages in all."""
        self.client._run(self._end_steps(after))

    def drain(self, timeout: float | None = None) -> None:
        """End it and wait for what is under way, which can then be taken."""
        if self.active:
            self.client._run(self._drain_steps(timeout))


def _turn(ref: weakref.ref[Client]) -> None:
    client = ref()
    if client is not None:
        client._turn()


class Client(LoopClient, WaitingClient):
    """A connection's handle in gevent's loop. Made by `connect` and `share`."""

    __slots__ = ("_hub", "_watcher", "_caller", "_call_waiters", "_follower")

    _nc: Handle
    _hub: Any
    _watcher: Any
    _caller: Any
    _call_waiters: Waiters
    _follower: Client | None
    _sub_class = Subscription

    @classmethod
    def _over_handle(cls, nc: Handle) -> Client:
        self = cls.__new__(cls)
        self._hub = gevent.get_hub()
        self._caller = None
        self._call_waiters = {}
        self._follower = None
        self._adopt(nc)
        return self

    # ---- the loop's part ----

    def _watch(self) -> None:
        self._watcher = self._hub.loop.io(self._fd, _READ)
        self._watcher.start(_turn, weakref.ref(self))

    def _unwatch(self) -> None:
        self._watcher.stop()
        self._watcher.close()

    def _wake(self, waiter: Any) -> None:
        waiter.set()

    def _soon(self) -> None:
        self._hub.loop.run_callback(_turn, weakref.ref(self))

    def _here(self) -> Any:
        return gevent.getcurrent()

    def _call(self, function: Callable[[Any], object], what: Any) -> None:
        try:
            function(what)
        except Exception:
            self._hub.handle_error(function, *_error_now())

    def _run_calls(self) -> None:
        """In a greenlet of their own: callbacks may wait."""
        if self._caller is None:
            self._caller = gevent.spawn(self._call_on)
            self._pumps.add(self._caller)
        else:
            self._wake_all(self._call_waiters)

    def _call_on(self) -> None:
        try:
            while not self._over and self._calls:
                if self._call_some():
                    gevent.sleep(0)
                elif self._draining and not self._nc._pending():
                    return
                else:
                    self._pause(self._call_waiters, None)
        finally:
            self._caller = None
            self._pumps.discard(gevent.getcurrent())
            self._wake_all(self._pump_waiters)

    def _pause(self, among: Waiters, seconds: float | None) -> bool:
        if gevent.get_hub() is not self._hub:
            raise RuntimeError("this client belongs to another thread's hub")
        waiter = _Waiter()
        among[waiter] = None
        self._streak = 0
        try:
            woken: bool = waiter.wait(seconds)
            return woken
        finally:
            among.pop(waiter, None)

    def _run(self, steps: Generator[Ask, bool, T]) -> T:
        try:
            ask = next(steps)
            while True:
                try:
                    if ask is None:
                        gevent.sleep(0)
                        woken = True
                    else:
                        woken = self._pause(*ask)
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

    def _end(self) -> None:
        super()._end()
        self._wake_all(self._call_waiters)

    # ---- life ----

    def close(self) -> None:
        """End this client: its subscriptions end, those who wait get Closed.

        Messages that were not taken are dropped: `drain` keeps them. Twice is fine. Interrupted by a
        gevent.Timeout it closes all the same, without waiting for what was published.
        """
        try:
            self._run(self._close_steps())
        finally:
            self._end_log()

    def _end_log(self) -> None:
        follower, self._follower = self._follower, None
        if follower is not None:
            follower.close()

    def share(self) -> Client:
        """Another client on this connection, with subscriptions, `get` and events of its own."""
        return self._over_handle(self._nc.share())  # type: ignore[arg-type]

    def drain(self, timeout: float | None = None) -> None:
        """Stop without loss: subscriptions end, callbacks are called with what was under way,
        publishes are flushed. Closed then; or, when messages wait to be taken, once they are.

        `timeout` is in seconds; None: the option drain_timeout. Raises Timeout, Disconnected,
        Closed.
        """
        try:
            self._run(self._drain_steps(timeout))
        finally:
            if self.closed:
                self._end_log()

    # ---- publish ----

    def _respond(self, msg: Message, data: Data, headers: Headers) -> None:
        if not self._nc._has_room(size_of(data)):
            self._run(self._room_steps(size_of(data)))
        _polynats.Message.respond(msg, data, headers)
        self._kick()

    def publish(
        self, subject: str, data: Data = None, reply: str | None = None, headers: Headers = None
    ) -> None:
        """Publish one message: its bytes are in the connection's buffer on return.

        It waits only when the server does not keep up. Raises as `polynats.Client.publish` does.
        """
        more = () if reply is None and headers is None else (reply, headers)
        if self._others_first():
            gevent.sleep(0)
        if not self._nc._try_publish(subject, data, *more):
            self._run(self._room_steps(size_of(data)))
            self._nc.publish(subject, data, *more)
        if not self._kicked:
            self._kick()

    def publish_many(self, subject: str, datas: Iterable[Data]) -> int:
        """Publish many payloads to one subject, in order. Returns how many: all.

        An error has the attribute published: how many were accepted before it.
        """
        return self._run(self._publish_many_steps(subject, datas))

    def flush(self, timeout: float | None = None) -> None:
        """Wait until the server has processed what was sent before.

        `timeout` is in seconds; None: the option request_timeout. Raises Timeout, Disconnected,
        Closed.
        """
        self._run(self._flush_steps(timeout))

    def rtt(self, timeout: float | None = None) -> float:
        """Seconds that a PING and its PONG take, the loop's own time included."""
        began = _polynats.now()
        self._run(self._flush_steps(timeout))
        return _polynats.now() - began

    # ---- request ----

    def request(
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
        with self.request_start(subject, data, timeout, headers) as future:
            return future.wait()  # type: ignore[return-value]

    def request_start(
        self,
        subject: str,
        data: Data = None,
        timeout: float | None = None,
        headers: Headers = None,
    ) -> Future:
        """Send a request and do not wait for its reply. The arguments are those of `request`."""
        if not self._nc._has_room(size_of(data)):
            self._run(self._room_steps(size_of(data)))
        inner = self._nc.request_start(subject, data, timeout, headers)
        self._kick()
        return Future(self, inner)

    def request_many_start(
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
        """As `request_many`, and do not wait: the future gives one reply after the other."""
        if not self._nc._has_room(size_of(data)):
            self._run(self._room_steps(size_of(data)))
        inner = self._nc.request_many_start(
            subject, data, max=max, stall=stall, timeout=timeout, sentinel=sentinel, headers=headers
        )
        self._kick()
        return Future(self, inner)

    # ---- receive ----

    def subscribe(
        self,
        subject: str,
        queue: str | None = None,
        max: int | None = None,
        callback: Callable[[Message], object] | None = None,
        *,
        pending_msgs: int | None = None,
        pending_bytes: int | None = None,
    ) -> Subscription:
        """Subscribe to a pattern. `queue`: a group, of which one member gets each message. `max`:
        end after so many. `pending_msgs`, `pending_bytes`: how much may wait, -1 for no limit.

        `callback` is called with each message, one after the other, in a greenlet that all the
        client's callbacks share. What it raises goes to the hub's error handler.
        """
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        mode = SHARED if callback is None else CALLBACK
        made = self._run(self._sub_steps(subject, queue, mode, max, pending_msgs, pending_bytes))
        assert isinstance(made, Subscription)
        if callback is not None:
            self._calls[made.sid] = (callback, made)
        return made

    def unsubscribe(self, which: int | str, after: int | None = None) -> int | None:
        """End a subscription by its sid, or all of this client's to exactly a subject; of these
        it returns how many."""
        return self._run(self._unsubscribe_steps(which, after))

    def get(self, max: int | None = None, wait: float | None = None) -> list[Message]:
        """Take all that has arrived, at most `max` (65,536), oldest first.

        Waits for the first one, at most `wait` seconds (None: for ever); empty on silence. Raises
        Closed.
        """
        gevent.sleep(0)
        taken: list[Message] = self._run(self._get_steps(max, wait))
        return taken

    # ---- JetStream ----

    def jetstream(
        self, domain: str | None = None, prefix: str | None = None, timeout: float | None = None
    ) -> JetStream:
        """JetStream: streams, consumers and messages that are kept. The arguments are those of
        `polynats.Client.jetstream`."""
        from ._jetstream_green import jetstream

        return jetstream(self, self._nc, domain, prefix, timeout)

    def ack_many(self, messages: Iterable[Message]) -> int:
        """Acknowledge each of the messages that is one of JetStream's and was not yet. Returns how many."""
        return self._run(self._ack_many_steps(messages))

    def _settle(
        self, msg: Message, how: int, delay: float | None, reason: str | None
    ) -> None:
        self._run(self._settle_steps(msg, how, delay, reason))

    def _ack_sync(self, msg: Message, timeout: float | None) -> None:
        self._run(self._ack_sync_steps(msg, timeout))

    def _js_room(self, size: int) -> None:
        if not self._nc._has_room(size):
            self._run(self._room_steps(size))

    def _js_window(self, publisher: PublisherBase, count: int, timeout: float) -> int:
        return self._run(self._js_window_steps(publisher, count, timeout))

    def _js_future(self, inner: _Future) -> Future:
        self._kick()
        return Future(self, inner)

    def _js_mode(self, callback: object) -> int:
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        return SHARED if callback is None else CALLBACK

    def _js_sub(
        self, inner: _Subscription, callback: Callable[[Message], Any] | None
    ) -> Subscription:
        made = Subscription(self, inner)
        inner.client = self._nc
        if callback is not None:
            self._calls[made.sid] = (callback, made)
        self._kick()
        return made

    # ---- events ----

    def next_event(self, wait: float | None = None) -> Event | None:
        """Take the oldest event; None when none came within `wait` seconds (None: for ever).

        Raises Closed when it is closed and there is none left.
        """
        return self._run(self._event_steps(wait))

    def on_event(self, function: Callable[[Event], object] | None) -> None:
        """`function` is called in the loop with each event: it may not wait. None ends it."""
        self._set_on_event(function)

    def run(self, timeout: float | None = None) -> None:
        """Wait until `stop`, the client's end, or the time is up, while callbacks run."""
        self._run(self._run_steps(timeout))


def _error_now() -> tuple[Any, Any, Any]:
    import sys

    return sys.exc_info()


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """JetStream's names: loaded when they are asked for."""
        from . import _jetstream_green, _jetstream_values

        if name in _jetstream_green.__all__ or name == "Ack":
            return getattr(_jetstream_values if name == "Ack" else _jetstream_green, name)
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


__all__ = ["Ack", "AckFuture", "AnswerFuture", "Batch", "Client", "Consumer", "Error", "Future",
           "JetStream", "Message", "OrderedConsumer", "Publisher", "Stream", "Subscription",
           "connect"]  # fmt: skip
