"""What polynats.aio and polynats.green share: a client that a loop of events moves.

A verb that waits is written once, as a generator: it yields where it waits and for how long, and
gets True back when something may have come, False when the time is up. What runs it waits in its
own way: a coroutine there, a greenlet here. Nothing is taken on behalf of one who waits: who is
woken takes, at once, so whoever gives up loses nothing.
"""

from __future__ import annotations

import weakref
from collections import deque
from warnings import warn

from . import _credentials, _polynats
from ._client import GET_MAX, Client
from ._errors import Closed, Error, Forked, Timeout
from ._future import Future
from ._polynats import now
from ._subscription import CALLBACK, PRIVATE, SHARED, Subscription

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence
    from typing import Any, Optional

    from ._event import Event
    from ._options import Data, Headers
    from ._polynats import Message, PublisherBase

    Waiters = dict[Any, None]
    Ask = Optional[tuple[Waiters, Optional[float]]]
    """Where to wait and how long; None: let the others run."""

CLOSE_SECONDS = 2.0  # how long a close waits for what was published: the library's own limit
CALLS_MAX = 256  # callbacks in one turn: then the loop's other work comes
STREAK_MAX = 128  # verbs in a row that found what they wanted: then the others run
ACK_SIZE = 64  # bytes of an acknowledgement, about
ROOM_SECONDS = 0.05  # who waits for room looks at least so often
SLICE = 256  # payloads of a publish_many that go without a look at the room
SLICE_BYTES = 32768  # and bytes, but for the last of them: with these the library does not wait


def moment_in(seconds: float | None, name: str) -> float | None:
    """When they will be over; None for ever. What is no time is told as the library's calls do."""
    moment: float | None = _polynats._until(seconds, name)
    return moment


def size_of(data: Data) -> int:
    """About: what is no data is refused by the call itself."""
    try:
        return len(data)  # type: ignore[arg-type]
    except TypeError:
        return 0


def slice_end(payloads: Sequence[Data], at: int) -> tuple[int, int]:
    """Where the payloads end that go together from `at` on, and their size."""
    end, size = at, 0
    last = min(at + SLICE, len(payloads))
    while end < last and size < SLICE_BYTES:
        size += size_of(payloads[end])
        end += 1
    return end, size


class Handle(Client):
    """The client under one of a loop, which warns by itself."""

    __slots__ = ()

    def __del__(self, *_: object) -> None:
        pass


class LoopHook:
    """A function that supplies credentials, run by the loop."""

    def __init__(self, hook: Callable[[str], Any]) -> None:
        self._hook = hook
        self._opening = True
        self._failure: Exception | None = None

    def __call__(self, nc: Any) -> None:
        nonce = _credentials.question(nc)
        if nonce is not None:
            self._begin(nc, nonce)

    def _begin(self, nc: Any, nonce: str) -> None:
        raise NotImplementedError

    def _report(self, problem: Exception) -> None:
        raise NotImplementedError

    def _failed(self, nc: Any, problem: Exception) -> None:
        """What ends `connect`; later attempts are asked for anew."""
        if not self._opening:
            self._report(problem)
            return
        self._failure = problem
        nc.close()

    def opened(self, problem: BaseException | None = None) -> None:
        """`connect` is over. Raises what the function raised instead of its consequence."""
        self._opening = False
        if problem is not None and self._failure is not None:
            raise self._failure from None


class LoopFuture:
    """A future whose replies are taken by the turns of the loop, or by who asks."""

    __slots__ = ("_client", "_inner", "_replies", "_failure", "_over", "_waiters", "__weakref__")

    def __init__(self, client: LoopClient, inner: Future) -> None:
        self._client = client
        self._inner = inner
        self._replies: deque[Message] = deque()
        self._failure: Error | None = None
        self._over = False
        self._waiters: Waiters = {}

    def _look(self) -> bool:
        """Is there a reply, or the end?"""
        if self._replies or self._over or self._failure is not None:
            return True
        try:
            msg = self._inner.poll()
        except Error as problem:
            self._failure = problem
            return True
        if msg is not None:
            self._replies.append(msg)
        else:
            self._over = self._inner.done()
        return msg is not None or self._over

    def _take(self) -> Message | None:
        """After _look() said so."""
        if self._replies:
            return self._replies.popleft()
        self._over = False  # that is told once
        failure, self._failure = self._failure, None
        if failure is not None:
            raise failure
        return None

    def _wait_steps(
        self, timeout: float | None = None
    ) -> Generator[Ask, bool, Any]:
        until = moment_in(timeout, "timeout")
        futures = self._client._futures
        while not self._look():
            left = None if until is None else until - now()
            if left is not None and left <= 0:
                problem = Timeout("no reply yet: the request is still open")
                problem.about = "wait"
                raise problem
            futures[self] = None
            try:
                yield self._waiters, left
            finally:
                if not self._waiters:
                    futures.pop(self, None)
        return self._take()

    def poll(self) -> Message | None:
        """The reply, or None while there is none. Raises, once, why there will be none."""
        return self._take() if self._look() else None

    def done(self) -> bool:
        """Whether nothing more will come out of it."""
        return not self._replies and self._inner.done()

    def cancel(self) -> None:
        """Give it up; a reply that comes later is dropped and counted. Twice is fine."""
        self._inner.cancel()
        self._client._wake_all(self._waiters)

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.Future {'done' if self.done() else 'open'}>"


class LoopSubscription:
    """What is the same in both."""

    __slots__ = ("client", "_inner", "_waiters", "__weakref__")

    def __init__(self, client: LoopClient, inner: Subscription) -> None:
        self.client = client
        self._inner = inner
        self._waiters: Waiters = {}

    @property
    def subject(self) -> str:
        """The pattern it was made with."""
        return self._inner.subject

    @property
    def queue(self) -> str | None:
        """Its queue group, or None."""
        return self._inner.queue

    @property
    def sid(self) -> int:
        """Its number on the connection, which its messages carry."""
        return self._inner.sid

    @property
    def active(self) -> bool:
        """Whether messages can still come."""
        return self._inner.active

    def set_limits(self, pending_msgs: int, pending_bytes: int) -> None:
        """Change how much may wait; -1 for no limit."""
        self._inner.set_limits(pending_msgs, pending_bytes)

    def stats(self) -> dict[str, int]:
        """pending (messages), pending_bytes, delivered, dropped, received."""
        return self._inner.stats()

    def _keep_private(self) -> None:
        self._inner._set_mode(PRIVATE)

    def _wait_among(self, left: float | None) -> Generator[Ask, bool, None]:
        subs = self.client._sub_waiters
        subs[self] = None
        try:
            yield self._waiters, left
        finally:
            if not self._waiters:
                subs.pop(self, None)

    def _take_steps(
        self, take: Callable[[], Any], until: float | None
    ) -> Generator[Ask, bool, Any]:
        client = self.client
        while True:
            if client._draining:
                yield from client._confirm_steps()
            got = take()
            if got:
                return got
            left = None if until is None else until - now()
            if left is not None and left <= 0:
                return got
            yield from self._wait_among(left)

    def _next_steps(self, timeout: float | None) -> Generator[Ask, bool, Any]:
        return self._take_steps(lambda: self._inner.next(0), moment_in(timeout, "timeout"))

    def _get_steps(
        self, limit: int | None, wait: float | None
    ) -> Generator[Ask, bool, Any]:
        return self._take_steps(lambda: self._inner.get(limit, 0), moment_in(wait, "wait"))

    def _end_steps(self, after: int | None) -> Generator[Ask, bool, None]:
        client = self.client
        yield from client._line_steps(bool(after))
        self._inner.unsubscribe(after)
        client._kick()
        client._wake_all(self._waiters)

    def _drain_steps(self, timeout: float | None) -> Generator[Ask, bool, None]:
        client = self.client
        inner = _polynats._sub_drain_start(self._inner, Future, timeout)
        try:
            yield from client._goal_steps(inner)
        finally:
            client._wake_all(self._waiters)

    def __repr__(self) -> str:
        queue = f" queue={self.queue!r}" if self.queue else ""
        return f"<{type(self).__module__}.Subscription {self.subject!r} sid={self.sid}{queue}>"


class LoopClient:
    """What is the same in both. A loop's own part has _watch, _unwatch, _wake, _soon and _report."""

    __slots__ = ("_nc", "_fd", "_calls", "_futures", "_sub_waiters", "_get_waiters",
                 "_event_waiters", "_room_waiters", "_run_waiters", "_pump_waiters", "_pumps",
                 "_events", "_on_event", "_streak", "_kicked", "_keeper", "_draining", "_over",
                 "__weakref__")  # fmt: skip

    _sub_class: type[LoopSubscription]

    def _adopt(self, nc: Handle) -> None:
        self._nc = nc
        nc._set_up()
        _polynats._set_home(nc, weakref.ref(self))
        nc._turns()
        self._fd = nc.fd()
        self._keeper = _polynats.Client_option_int(nc, "keeper") != 0
        self._calls: dict[int, tuple[Callable[[Any], object], LoopSubscription]] = {}
        self._futures: dict[LoopFuture, None] = {}
        self._sub_waiters: dict[LoopSubscription, None] = {}
        self._get_waiters: Waiters = {}
        self._event_waiters: Waiters = {}
        self._room_waiters: Waiters = {}
        self._run_waiters: Waiters = {}
        self._pump_waiters: Waiters = {}
        self._pumps: set[Any] = set()
        self._events: deque[Event] = deque()
        self._on_event: Callable[[Event], object] | None = None
        self._streak = 0
        self._kicked = False
        self._draining = False
        self._over = False
        self._watch()

    # ---- a loop's own part ----

    def _watch(self) -> None:
        raise NotImplementedError

    def _unwatch(self) -> None:
        raise NotImplementedError

    def _wake(self, waiter: Any) -> None:
        raise NotImplementedError

    def _soon(self) -> None:
        """A turn, as soon as the loop comes round."""
        raise NotImplementedError

    def _here(self) -> Any:
        """Who runs now, as _pumps has them."""
        raise NotImplementedError

    def _call(self, function: Callable[[Any], object], what: Any) -> None:
        """Call a callback; what it raises is reported, and stops nothing."""
        raise NotImplementedError

    def _run_calls(self) -> None:
        """Callbacks may have something to do."""
        raise NotImplementedError

    # ---- turns ----

    def _turn(self) -> None:
        """What is due is done, and who waits for what has come is woken."""
        self._kicked = False
        if self._over:
            return
        closed = False
        try:
            self._nc.process()
        except Closed:
            closed = True
        except Forked:
            self._end()
            return
        if self._calls:
            self._run_calls()
        if self._event_waiters or self._on_event is not None:
            self._take_events()
        if closed:
            self._end()
            return
        for sub in [sub for sub in self._sub_waiters if sub._inner._ready()]:
            self._wake_all(sub._waiters)
        if self._get_waiters and self._nc._pending():
            self._wake_all(self._get_waiters)
        if self._futures:
            self._wake_futures(self._nc._replies())
        if self._room_waiters and (self._nc._has_room(0) or not self._connected()):
            self._wake_all(self._room_waiters)

    def _wake_futures(self, replies: int) -> None:
        """Mostly the oldest is answered first: who is behind the last answer need not be asked."""
        found = []
        for future in self._futures:
            if replies <= 0:
                break
            if future._look():
                found.append(future)
                replies -= 1
        for future in found:
            self._futures.pop(future, None)
            self._wake_all(future._waiters)

    def _wake_all(self, waiters: Waiters) -> None:
        for waiter in list(waiters):
            self._wake(waiter)

    def _end(self) -> None:
        """The connection, or this client, is closed: whoever waits finds out by asking again."""
        if not self._over:
            self._over = True
            self._unwatch()
        for waiters in (self._get_waiters, self._event_waiters, self._room_waiters,
                        self._run_waiters, self._pump_waiters):  # fmt: skip
            self._wake_all(waiters)
        for sub in list(self._sub_waiters):
            self._wake_all(sub._waiters)
        for future in list(self._futures):
            self._wake_all(future._waiters)

    def _kick(self) -> None:
        """What was written into the buffer goes out when the loop comes round."""
        if not self._kicked and not self._keeper and not self._over:
            self._kicked = True
            self._soon()

    def _connected(self) -> bool:
        return self._nc.status in ("connected", "draining")

    def _others_first(self) -> bool:
        """Verbs that never wait must let the others run all the same."""
        self._streak += 1
        if self._streak < STREAK_MAX:
            return False
        self._streak = 0
        return True

    # ---- callbacks and events ----

    def _call_some(self) -> int:
        """Call callbacks of what has arrived; returns how many."""
        queue = self._nc._queue
        if not queue and not self._nc._pending():
            return 0
        try:
            self._nc._get_callbacks(CALLS_MAX, 0, queue)
        except Error:
            return 0
        called = 0
        ended = set()
        while queue:
            msg = queue.popleft()
            called += 1
            function, sub = self._calls.get(msg.sid, (None, None))
            if function is None or sub is None:
                continue
            if not sub.active:
                ended.add(msg.sid)
            self._call(function, msg)
        for sid in ended & self._calls.keys():
            if not self._calls[sid][1].stats()["pending"]:
                del self._calls[sid]
        return called

    def _take_events(self) -> None:
        while True:
            try:
                event = self._nc.next_event(0)
            except Error:
                break
            if event is None:
                break
            if self._on_event is not None:
                self._call(self._on_event, event)
            else:
                self._events.append(event)
        if self._events:
            self._wake_all(self._event_waiters)

    def _event_steps(self, wait: float | None) -> Generator[Ask, bool, Event | None]:
        until = moment_in(wait, "wait")
        while True:
            event = self._events.popleft() if self._events else self._nc.next_event(0)
            left = None if until is None else until - now()
            if event is not None or (left is not None and left <= 0):
                return event
            yield self._event_waiters, left

    def _set_on_event(self, function: Callable[[Event], Any] | None) -> None:
        if function is not None and not callable(function):
            raise TypeError(f"function must be callable, not {type(function).__name__}")
        self._on_event = function
        if function is not None:
            self._soon()

    def _run_steps(self, timeout: float | None) -> Generator[Ask, bool, None]:
        until = moment_in(timeout, "timeout")
        if not self._over:
            yield self._run_waiters, None if until is None else until - now()

    def stop(self) -> None:
        """End `run`."""
        self._wake_all(self._run_waiters)

    # ---- sending ----

    def _room_steps(self, size: int) -> Generator[Ask, bool, None]:
        """Until the server keeps up. Raises as the library's own call, which would stop the loop."""
        seconds = self._nc._option_seconds("write_deadline")
        until = now() + seconds
        while not self._nc._has_room(size) and self._connected():
            left = until - now()
            if left <= 0:
                ms = round(seconds * 1000)
                problem = Timeout(
                    f"not accepted: for write_deadline ({ms} ms) there was no room, for the server "
                    "does not read what was published before"
                )
                problem.about = "write_deadline"
                raise problem
            self._kick()
            yield self._room_waiters, min(left, ROOM_SECONDS)

    def _line_steps(self, waits: bool) -> Generator[Ask, bool, None]:
        """Before something short is written that is no message. An end at once waits for no room."""
        if self._others_first():
            yield None
        if waits and not self._nc._has_room(0):
            yield from self._room_steps(0)

    def _publish_many_steps(
        self, subject: str, datas: Iterable[Data]
    ) -> Generator[Ask, bool, int]:
        payloads = datas if isinstance(datas, (list, tuple)) else list(datas)
        done = 0
        while True:
            end, size = slice_end(payloads, done)
            piece = payloads[done:end]
            if not self._nc._has_room(size):
                yield from self._room_steps(0)
            try:
                done += self._nc.publish_many(subject, piece)
            except Error as problem:
                problem.published = done + getattr(problem, "published", 0)  # type: ignore[attr-defined]
                raise
            self._kick()
            if done >= len(payloads):
                return done

    # ---- what is confirmed ----

    def _goal_steps(self, inner: Future) -> Generator[Ask, bool, None]:
        """Until a future without replies ends. It goes on when who waits gives up."""
        goal = LoopFuture(self, inner)
        keep: dict[Any, None] = {goal: None}
        try:
            yield from goal._wait_steps()
            keep.clear()
        finally:
            self._futures.update(keep)

    def _flush_steps(self, timeout: float | None) -> Generator[Ask, bool, None]:
        inner = _polynats._flush_start(self._nc, Future, timeout)
        yield from LoopFuture(self, inner)._wait_steps()

    def _confirm_steps(self) -> Generator[Ask, bool, None]:
        """Before a call that closes a drained client: it would wait for the server itself."""
        if self._nc.status != "draining" or self._nc._pending():
            return
        try:
            yield from self._flush_steps(CLOSE_SECONDS)
        except Error:
            pass

    def _close_steps(self) -> Generator[Ask, bool, None]:
        confirmed = False
        try:
            if not self._over and self._connected():
                yield from self._flush_steps(CLOSE_SECONDS)
                confirmed = True
        except Error:
            pass
        finally:
            self._close_now(confirmed)

    def _close_now(self, confirmed: bool) -> None:
        if not confirmed and not self._over and self._connected():
            try:
                _polynats.Client_drain(self._nc, 0)  # that waits for nothing, and then closes
            except Error:
                pass
        self._nc.close()
        self._calls.clear()
        if not self._over:
            self._take_events_at_end()
            self._end()

    def _take_events_at_end(self) -> None:
        if self._on_event is not None:
            self._take_events()

    def _drain_steps(self, timeout: float | None) -> Generator[Ask, bool, None]:
        inner = _polynats._drain_start(self._nc, Future, timeout)
        until = now() + (self._nc._option_seconds("drain_timeout") if timeout is None else timeout)
        self._draining = True
        try:
            yield from self._goal_steps(inner)
        except Error:
            self._end()
            raise
        for sub in list(self._sub_waiters):
            self._wake_all(sub._waiters)
        while self._call_some():
            yield None
        while self._pumps - {self._here()} and now() < until:
            yield self._pump_waiters, until - now()
        if not self._nc._pending():
            yield from self._close_steps()

    # ---- receiving ----

    def _get_steps(
        self, limit: int | None, wait: float | None
    ) -> Generator[Ask, bool, Any]:
        until = moment_in(wait, "wait")
        while True:
            if self._draining:
                yield from self._confirm_steps()
            got = self._nc.get(limit, 0)
            left = None if until is None else until - now()
            if got or (left is not None and left <= 0):
                return got
            yield self._get_waiters, left

    def _sub_steps(
        self,
        subject: str,
        queue: str | None,
        mode: int,
        max: int | None,
        pending_msgs: int | None,
        pending_bytes: int | None,
    ) -> Generator[Ask, bool, LoopSubscription]:
        nc = self._nc
        yield from self._line_steps(True)
        inner = _polynats._subscribe(
            nc, Subscription, subject, queue, max, pending_msgs, pending_bytes, mode
        )
        inner.client = nc
        self._kick()
        return self._sub_class(self, inner)

    def _unsubscribe_steps(
        self, which: int | str, after: int | None
    ) -> Generator[Ask, bool, int | None]:
        yield from self._line_steps(bool(after))
        count = self._nc.unsubscribe(which, after)
        self._kick()
        for sub in list(self._sub_waiters):
            if not sub.active:
                self._wake_all(sub._waiters)
        return count

    # ---- JetStream ----

    def _js_room_steps(self, size: int) -> Generator[Ask, bool, None]:
        if not self._nc._has_room(size):
            yield from self._room_steps(size)

    def _js_window_steps(
        self, publisher: PublisherBase, count: int, timeout: float
    ) -> Generator[Ask, bool, int]:
        """Until the window has room. Returns for how many: less than `count` only of a fast one."""
        until = now() + timeout
        self._kick()
        while not (room := publisher._room(count)) and self._connected():
            left = until - now()
            if left <= 0:
                problem = Timeout(f"no acknowledgement came for {timeout:g} s: the window is full")
                problem.about = "max_pending"
                raise problem
            yield self._room_waiters, min(left, ROOM_SECONDS)
        return room or count

    def _settle_steps(
        self, msg: Message, how: int, delay: float | None, reason: str | None
    ) -> Generator[Ask, bool, None]:
        yield from self._js_room_steps(ACK_SIZE)
        _polynats._settle(msg, how, delay, reason)
        self._kick()

    def _ack_many_steps(self, messages: Iterable[Message]) -> Generator[Ask, bool, int]:
        batch = list(messages)
        yield from self._js_room_steps(ACK_SIZE * len(batch))
        count = self._nc.ack_many(batch)
        self._kick()
        return count

    def _ack_sync_steps(self, msg: Message, timeout: float | None) -> Generator[Ask, bool, None]:
        yield from self._js_room_steps(ACK_SIZE)
        inner = _polynats._ack_sync_start(msg, Future, timeout)
        self._kick()
        future = LoopFuture(self, inner)
        try:
            yield from future._wait_steps()
        except BaseException:
            future.cancel()
            raise

    # ---- what it knows ----

    def credentials(
        self,
        *,
        user: str | None = None,
        password: str | None = None,
        token: str | None = None,
        jwt: str | None = None,
        seed: str | None = None,
        public_key: str | None = None,
        signature: bytes | None = None,
    ) -> None:
        """Answer the event credentials, which comes with the option ask_credentials."""
        _polynats.Client_credentials(
            self._nc, user, password, token, jwt, seed, public_key, signature
        )

    @property
    def status(self) -> str:
        """connected, reconnecting, draining or closed."""
        return self._nc.status

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self._nc.closed

    @property
    def max_payload(self) -> int:
        """Bytes that one message may have, headers counted."""
        return self._nc.max_payload

    def stats(self) -> dict[str, int]:
        """The connection's counters (docs/delivery.md)."""
        return self._nc.stats()

    def server_info(self) -> dict[str, Any]:
        """What the server said of itself."""
        return self._nc.server_info()

    def server_info_json(self) -> str:
        """The same as it came."""
        return self._nc.server_info_json()

    def info(self) -> dict[str, Any]:
        """What this client knows of its connection: url, TLS, last error and more."""
        return self._nc.info()

    def reconnect(self) -> None:
        """Drop the connection and dial the next server at once.

        It does not wait: `flush` does, and events tell. Subscriptions are made again; open requests
        fail with Disconnected. Raises Invalid when the option reconnect is off.
        """
        self._nc.reconnect()

    def new_inbox(self) -> str:
        """A new subject that nobody else has."""
        return self._nc.new_inbox()

    def __del__(self, _warn: Callable[..., None] = warn) -> None:
        nc = getattr(self, "_nc", None)
        if nc is None or nc.status == "closed":
            return
        _warn(f"unclosed {self!r}", ResourceWarning, source=self, stacklevel=2)
        self._unwatch()

    def __repr__(self) -> str:
        return f"<{type(self).__module__}.Client {self._nc.status}>"


__all__ = ["CALLBACK", "GET_MAX", "PRIVATE", "SHARED", "Handle", "LoopClient", "LoopFuture",
           "LoopSubscription", "size_of"]  # fmt: skip
