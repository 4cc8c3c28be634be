"""The client: what a program holds of a connection."""

from __future__ import annotations

from _warnings import warn  # what warnings has; quicker to import, and there to the end
from collections import deque

from . import _credentials, _polynats
from ._errors import Closed, Timeout, invalid
from ._event import Event, event_of
from ._future import Future
from ._subscription import CALLBACK, PRIVATE, SHARED, Subscription
from ._waiting import WaitingClient

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from logging import Logger
    from typing import Any

    from ._jetstream import JetStream
    from ._log import EventLog
    from ._options import Credentials, Data, Headers, Options, Servers, Unpack
    from ._polynats import Message

GET_MAX = 65536
# How late a function of on_event may learn of an event while dispatch waits for messages.
EVENT_SLICE = 0.1
_STATUSES = {1: "connected", 2: "reconnecting", 3: "draining", 4: "closed"}


def _left(until: float | None) -> float | None:
    """Seconds until then; None: for ever."""
    return None if until is None else max(0.0, until - _polynats.now())


def connect(
    url: Servers = None,
    *,
    logger: Logger | None = None,
    credentials: Callable[[str], Credentials] | None = None,
    **options: Unpack[Options],
) -> Client:
    """Connect, and return a client once the server has answered.

    `url`: one URL, several with commas, or a list; None: $NATS_URL, else
    nats://127.0.0.1:4222. `logger` is told what happens to the connection. `options` are those of
    docs/options.md (`polynats.options()` lists them); times are in seconds.

    `credentials` is a function that is called, with the server's nonce, whenever this connection is
    made, by the call that waits for it, and returns a dict of user, password, token, jwt, seed,
    public_key and signature: docs/authentication.md.

    Raises Invalid, Timeout, IO, Auth, Protocol, Disconnected, NotSupported.
    """
    client = _open(url, credentials, _credentials.check(credentials, options))
    if logger is not None:
        client._follow(logger)
    return client


def _open(
    url: Servers, hook: Callable[[str], Credentials] | None, options: dict[str, Any]
) -> Client:
    if hook is None:
        client = _polynats._connect(Client, url, options)
        client._set_up()
        return client
    client, future = _polynats._connect_start(Client, Future, url, options)
    client._set_up()
    future.client = client
    _credentials.register(client, _credentials.waiting(hook))
    try:
        future.wait()
    except BaseException:
        client.close()
        raise
    return client


class Client(_polynats.ClientBase, WaitingClient):
    """A connection's handle. Made by `connect` and `Client.share`.

    Any number of threads may use a client at once. Calls that wait let other threads run, and
    Ctrl-C ends them. Leaving a `with` block closes it.
    """

    __slots__ = ("__weakref__", "_callbacks", "_queue", "_on_event", "_stopping", "_waiting",
                 "_ended", "_log", "_first")  # fmt: skip

    _callbacks: dict[int, tuple[Callable[[Message], object], Subscription]]
    _queue: deque[Message]
    _on_event: Callable[[Event], object] | None
    _log: EventLog | None
    _first: Event | None

    def _set_up(self) -> None:
        self._callbacks = {}
        self._queue = deque()
        self._on_event = None
        self._stopping = False
        self._waiting = False
        self._ended = False
        self._log = None
        self._first = None

    def _follow(self, logger: Logger) -> None:
        from ._log import EventLog

        self._log = EventLog(self, logger)
        self._first = self.next_event(0)  # older than the log's own client, and told by us
        if self._first is not None:
            self._log.tell(self._first)

    def _option_seconds(self, name: str) -> float:
        return _polynats.Client_option_int(self, name) / 1000

    # ---- life ----

    def close(self) -> None:
        """End this client: its subscriptions end, its blocked calls raise Closed.

        Messages that were not taken are dropped: `drain` keeps them. Twice is fine.
        """
        if self._log is not None:
            self._log.close()
        self._close()
        self._forget()

    def _forget(self) -> None:
        self._callbacks = {}
        self._queue.clear()

    @property
    def closed(self) -> bool:
        """Whether it is closed."""
        return self.status == "closed"

    def share(self) -> Client:
        """Another client on this connection, with subscriptions, `get` and events of its own."""
        made = _polynats._share(self, type(self))
        made._set_up()
        _credentials.share(made, self)
        return made

    def drain(self, timeout: float | None = None) -> None:
        """Stop without loss: subscriptions end, callbacks are called with what was under way,
        publishes are flushed. Closed then; or, when messages wait to be taken, once they are.

        `timeout` is in seconds; None: the option drain_timeout. Raises Timeout, Disconnected,
        Closed.
        """
        if timeout is None:
            timeout = self._option_seconds("drain_timeout")
        until = _polynats._until(timeout, "timeout")
        try:
            self._drain_callbacks(until)
            _polynats.Client_drain(self, _left(until))
        finally:
            if self.closed:
                self._forget()
                if self._log is not None:
                    self._log.close()

    def _drain_callbacks(self, until: float | None) -> None:
        try:
            for _, sub in list(self._callbacks.values()):
                sub.drain(_left(until))
        except (Closed, Timeout):
            pass
        self._stopping = False
        try:
            while not self._stopping and self._dispatch(GET_MAX, 0) > 0:
                pass
        except Closed:
            if not self.closed:  # then it is of something that a callback used
                raise

    def __del__(self, _warn: Callable[..., None] = warn) -> None:
        if self.status == "closed":
            return
        log = getattr(self, "_log", None)
        if log is not None:
            log.close()
        _warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)

    def __repr__(self) -> str:
        return f"<polynats.Client {self.status}>"

    # ---- round trips ----

    def flush(self, timeout: float | None = None) -> None:
        """Wait until the server has processed what was sent before.

        `timeout` is in seconds; None: the option request_timeout. Raises Timeout, Disconnected,
        Closed.
        """
        _polynats.Client_flush(self, timeout)

    def rtt(self, timeout: float | None = None) -> float:
        """Seconds that a PING and its PONG take."""
        return _polynats.Client_rtt(self, timeout)

    def request_start(
        self,
        subject: str,
        data: Data = None,
        timeout: float | None = None,
        headers: Headers = None,
    ) -> Future:
        """Send a request and do not wait. The arguments are those of `request`."""
        made = _polynats._request_start(self, Future, subject, data, timeout, headers)
        made.client = self
        return made

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
        made = _polynats._request_many(
            self, Future, subject, data, timeout, headers, max, stall, sentinel
        )
        made.client = self
        return made

    # ---- subscribe ----

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

        `callback` is called with each message inside `dispatch` and `run`, and nowhere else.
        """
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        # Its messages are for nobody until it is known whom to call: other threads may dispatch.
        mode = SHARED if callback is None else PRIVATE
        made = _polynats._subscribe(
            self, Subscription, subject, queue, max, pending_msgs, pending_bytes, mode
        )
        made.client = self
        if callback is not None:
            self._callbacks[made.sid] = (callback, made)
            made._set_mode(CALLBACK)
        return made

    def unsubscribe(self, which: int | str, after: int | None = None) -> int | None:
        """End a subscription by its sid, or all of this client's to exactly a subject; of these
        it returns how many."""
        if isinstance(which, int):
            _polynats.Client_unsubscribe(self, which, after)
            return None
        return _polynats.Client_unsubscribe_subject(self, which, after)

    # ---- receive ----
    #
    # What was taken is ours when _taken is assigned to, and not lost to what a signal's handler
    # raises before: see ext/box.c.

    def get(self, max: int | None = None, wait: float | None = None) -> list[Message]:
        """Take all that has arrived, at most `max` (65,536), oldest first.

        Waits for the first one, at most `wait` seconds (None: for ever); empty on silence. Raises
        Closed.
        """
        taken = self._get(max, wait)
        self._taken = None
        return taken

    # ---- JetStream ----

    def jetstream(
        self, domain: str | None = None, prefix: str | None = None, timeout: float | None = None
    ) -> JetStream:
        """JetStream: streams, consumers and messages that are kept. `domain`: of the leaf or hub to talk to; `prefix`:
        of the API's subjects, where an account imports it under another one. `timeout`: of its calls that are
        not given one, in seconds (5)."""
        from ._jetstream import jetstream

        return jetstream(self, self, domain, prefix, timeout)

    def _js_room(self, size: int) -> None:
        """The library's own calls wait for it."""

    def _js_future(self, inner: Future) -> Future:
        inner.client = self
        return inner

    def _js_mode(self, callback: object) -> int:
        if callback is not None and not callable(callback):
            raise TypeError(f"callback must be callable, not {type(callback).__name__}")
        return SHARED if callback is None else CALLBACK

    def _js_sub(
        self, inner: Subscription, callback: Callable[[Message], object] | None
    ) -> Subscription:
        inner.client = self
        if callback is not None:
            self._callbacks[inner.sid] = (callback, inner)
        return inner

    # ---- callbacks ----

    def on_event(self, function: Callable[[Event], object] | None) -> None:
        """`function` is called with each event by `dispatch` and `run`; None ends it."""
        if function is not None and not callable(function):
            raise TypeError(f"function must be callable, not {type(function).__name__}")
        self._on_event = function

    def dispatch(self, max: int | None = None, wait: float | None = None) -> int:
        """Call the callbacks of what has arrived, and return how many were called.

        What a callback raises leaves by here; the messages after it wait for the next dispatch.
        """
        if max is not None and not isinstance(max, int):
            raise TypeError(f"max must be int, not {type(max).__name__}")
        if max is not None and max < 1:
            raise invalid("max", f"max must be 1 or more, not {max}")
        self._stopping = False
        return self._dispatch(GET_MAX if max is None else max, wait)

    def run(self, timeout: float | None = None) -> None:
        """Dispatch until `stop`, the client's end, or the time is up."""
        until = _polynats._until(timeout, "timeout")
        self._stopping = False
        try:
            while not self._stopping and not self.closed:
                left = _left(until)
                if left == 0:
                    return
                self._dispatch(GET_MAX, left)
        except Closed:
            if not self.closed:
                raise

    def stop(self) -> None:
        """End `run` after the callback that runs now; from another thread, at once."""
        self._stopping = True
        if self._waiting:
            self.wake()

    def _dispatch(self, limit: int, wait: float | None) -> int:
        called = 0
        while True:
            while self._queue and called < limit and not self._stopping:
                called += self._call_first(self._queue, self._callbacks)
            if self._ended and not self._queue:
                self._sweep()
            if self._stopping or called >= limit:
                return called
            try:
                if not self._fill(limit - called, 0 if called else wait):
                    return called
            except Closed:
                if called and self.closed:
                    return called
                raise

    def _fill(self, limit: int, wait: float | None) -> int:
        """Messages to the end of the queue, by C: an exception may strike between two lines of ours,
        and what it interrupts must not be what holds messages."""
        until = _polynats._until(wait, "wait")
        while True:
            self._call_events()
            piece = wait
            if self._on_event is not None:
                piece = EVENT_SLICE if wait is None else min(wait, EVENT_SLICE)
            self._waiting = True
            try:
                got = 0 if self._stopping else self._get_callbacks(limit, piece, self._queue)
            finally:
                self._waiting = False
            if got or self._stopping or piece == wait:
                return got
            wait = _left(until)

    def _call_events(self) -> None:
        while (function := self._on_event) is not None:
            try:
                event = self.next_event(0)
            except Closed:
                return
            if event is None:
                return
            function(event)

    def _sweep(self) -> None:
        """Let go of functions whose subscriptions have ended."""
        self._ended = False
        for sid, (_, sub) in list(self._callbacks.items()):
            if not sub.active and sub.stats()["pending"] == 0:
                self._callbacks.pop(sid, None)

    def reconnect(self) -> None:
        """Drop the connection and dial the next server at once.

        It does not wait: `flush` does, and events tell. Subscriptions are made again; open requests
        fail with Disconnected. Raises Invalid when the option reconnect is off.
        """
        _polynats.Client_reconnect(self)

    # ---- what it knows ----

    @property
    def status(self) -> str:
        """connected, reconnecting, draining or closed."""
        return _STATUSES[_polynats.Client_status(self)]

    @property
    def max_payload(self) -> int:
        """Bytes that one message may have, headers counted."""
        return _polynats.Client_max_payload(self)

    def stats(self) -> dict[str, int]:
        """The connection's counters (docs/delivery.md)."""
        return _polynats.Client_stats(self)

    def server_info(self) -> dict[str, Any]:
        """What the server said of itself."""
        from json import loads

        info: dict[str, Any] = loads(self.server_info_json())
        return info

    def server_info_json(self) -> str:
        """The same as it came."""
        return _polynats.Client_server_info(self)

    def info(self) -> dict[str, Any]:
        """What this client knows of its connection: status, url, server_id, server_name, version,
        cluster, client_id, tls, tls_version, tls_cipher, tls_resumed, last_error,
        last_error_code."""
        from json import loads

        info: dict[str, Any] = loads(_polynats.Client_info(self))
        return info

    def new_inbox(self) -> str:
        """A new subject that nobody else has."""
        return _polynats.Client_new_inbox(self)

    def next_event(self, wait: float | None = None) -> Event | None:
        """Take the oldest event; None when none came within `wait` seconds (None: for ever).

        Raises Closed when it is closed and there is none left.
        """
        if self._first is not None:
            event, self._first = self._first, None
            return event
        taken = event_of(self._next_event(wait))
        self._event_taken = None
        return taken

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
            self, user, password, token, jwt, seed, public_key, signature
        )

    # ---- event loops ----

    def fd(self) -> int:
        """A descriptor that is readable when there is something to do or to take. It is not to be
        read, written or closed."""
        return _polynats.Client_fd(self)

    fileno = fd

    def process(self) -> None:
        """Do what is due, without waiting."""
        _polynats.Client_process(self)
        _credentials.answer(self)

    def deadline(self) -> float | None:
        """In how many seconds `process` is due even if `fd` stays quiet; None: never."""
        ms = _polynats.Client_deadline_ms(self)
        return None if ms < 0 else ms / 1000

    def wake(self) -> None:
        """Make a call that waits in get or next_event return empty. From any thread."""
        _polynats.Client_wake(self)
