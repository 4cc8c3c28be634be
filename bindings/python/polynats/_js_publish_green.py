"""What publishing to JetStream is made of besides: futures, publishers, batches.

Written by tools/unasync.py from bindings/python/polynats/_js_publish_aio.py.
"""

from __future__ import annotations

from . import _polynats
from ._errors import Error
from ._future import Future as _Future
from ._jetstream_values import Ack, ack_of, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from types import TracebackType
    from typing import Any

    from ._jetstream_green import JetStream
    from ._jetstream_types import PublishKeywords
    from ._options import Data, Headers, Unpack
    from .green import Client, Future


SLICE = 128  # payloads that a publisher of a loop takes together, at most


def finish(client: Client, inner: _Future) -> Any:
    """What the library's future gives; given up when who waits does."""
    future: Future = client._js_future(inner)
    try:
        return future.wait()
    except BaseException:
        future.cancel()
        raise


def size_of(data: Data) -> int:
    """About: what is no data is refused by the call itself."""
    try:
        return len(data)  # type: ignore[arg-type]
    except TypeError:
        return 0


class AnswerFuture:
    """What JetStream will answer. Made by `JetStream.call_start`."""

    __slots__ = ("_future",)

    def __init__(self, future: Future) -> None:
        self._future = future

    _read = staticmethod(read)

    def wait(self, timeout: float | None = None) -> Any:
        """What the verb gives, waited for at most `timeout` seconds (None: as long as it may take).

        Raises why there is nothing; Timeout also when only this wait was up: `done` is False then.
        """
        return self._read(self._future.wait(timeout))

    def poll(self) -> Any:
        """What the verb gives, or None while there is nothing. Raises, once, why there will be nothing."""
        msg = self._future.poll()
        return None if msg is None else self._read(msg)

    def done(self) -> bool:
        """Whether nothing more will come out of it."""
        return self._future.done()

    def cancel(self) -> None:
        """Give it up: whether it is done then is not known."""
        self._future.cancel()

    def __repr__(self) -> str:
        return f"<polynats.{type(self).__name__} {'done' if self.done() else 'open'}>"


class AckFuture(AnswerFuture):
    """The ack to come of `JetStream.publish_start` or `Batch.commit_start`."""

    __slots__ = ()

    _read = staticmethod(ack_of)

    if TYPE_CHECKING:

        def wait(self, timeout: float | None = None) -> Ack:
            """The ack."""

        def poll(self) -> Ack | None:
            """The ack, or None while there is none."""


class Publisher(_polynats.PublisherBase):
    """Publishes without waiting for each ack: a window of messages is under way. Made by `JetStream.publisher`.

    Leaving a `with` block waits for all acks, and raises what the first message failed with.
    """

    __slots__ = ("__weakref__", "client", "js", "_patience", "_slice")

    client: Client
    js: JetStream
    _slice: int
    """How many messages go together: a part of the window."""
    _patience: float
    """How long it waits for room."""

    def _window(self, count: int, size: int) -> int:
        """Until there is room for them, in the window and in the connection's buffer. Returns for how many."""
        self.client._js_room(size)
        return self._room(count) or self.client._js_window(self, count, self._patience)

    def publish(
        self,
        subject: str,
        data: Data = None,
        headers: Headers = None,
        **keywords: Unpack[PublishKeywords],
    ) -> int:
        """Publish one message; wait only when as many are under way as may be. Returns its number, by which a
        failure is told: the first is 1."""
        self._window(1, size_of(data))
        while (id := self._publish_now(subject, data, headers, keywords)) is None:
            self.js._learn()
            self._window(1, size_of(data))
        return id

    def publish_many(self, subject: str, datas: Iterable[Data]) -> int:
        """Publish many payloads to one subject. Returns the number of the first; those of the others follow.

        An error has the attribute published: how many were accepted before it.
        """
        first, _ = self._store_many(subject, datas)
        return first

    def _store_many(self, subject: str, datas: Iterable[Data]) -> tuple[int, int]:
        """The number of the first, and how many."""
        if isinstance(datas, (str, bytes, bytearray, memoryview)):
            raise TypeError(f"datas must be a list of payloads, not {type(datas).__name__}")
        payloads = datas if type(datas) is tuple else tuple(datas)
        self._check_many(payloads)
        first, done = 0, 0
        while done < len(payloads):
            piece = payloads[done : done + self._slice]
            try:
                room = self._window(len(piece), sum(map(size_of, piece)))
                id, count = self._publish_many(subject, piece[:room])
            except Error as problem:
                problem.published += done
                problem.first = first or problem.first
                raise
            first, done = first or id, done + count
        return first, done

    def flush(self, timeout: float | None = None) -> None:
        """Wait until every message has its ack or has failed, at most `timeout` seconds (None: the JetStream's).

        Raises the error of the first that failed since the last flush; `failures` gives all of them.
        """
        if self.client.closed:
            self._flush_now()
        else:
            finish(self.client, self._flush(_Future, timeout))

    def flush_start(self, timeout: float | None = None) -> Future:
        """As `flush`, without waiting: a future that has no reply."""
        return self.client._js_future(self._flush(_Future, timeout))

    def failures(self) -> list[tuple[int, Error]]:
        """Take what failed, as (number, error). Of Timeout, Disconnected and Closed it is not known whether the
        stream has the message. Failures that nobody takes are kept, up to `max_pending`; then `publish` raises
        Limit."""
        found = []
        while (failure := self._next_failure()) is not None:
            found.append(failure)
        return found

    def stats(self) -> dict[str, int]:
        """published, acked, duplicates, failed, pending."""
        return _polynats.Publisher_stats(self)

    def close(self) -> None:
        """Wait for all acks as `flush` does, and publish no more."""
        try:
            self.flush()
        finally:
            self._end()

    def __enter__(self) -> Publisher:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._end()

    def __repr__(self) -> str:
        return f"<polynats.Publisher with {self.stats()['pending']} under way>"


class Batch(_polynats.BatchBase):
    """Messages that are stored all, or not at all. Made by `JetStream.batch`. One that is left without `commit` is
    abandoned."""

    __slots__ = ("__weakref__", "_client", "_committed")

    _client: Client
    _committed: bool

    def add(
        self,
        subject: str,
        data: Data = None,
        headers: Headers = None,
        timeout: float | None = None,
        **keywords: Unpack[PublishKeywords],
    ) -> None:
        """Add a message, of 1000 at most. The first waits for the server's word that it takes the batch."""
        finish(
            self._client, self._begin_add(subject, data, headers, timeout, keywords)
        )

    def add_start(
        self,
        subject: str,
        data: Data = None,
        headers: Headers = None,
        timeout: float | None = None,
        **keywords: Unpack[PublishKeywords],
    ) -> Future:
        """As `add`, without waiting for the server's word: a future that has no reply."""
        inner = self._begin_add(subject, data, headers, timeout, keywords)
        return self._client._js_future(inner)

    def _begin_add(
        self,
        subject: str,
        data: Data,
        headers: Headers,
        timeout: float | None,
        keywords: Mapping[str, Any],
    ) -> _Future:
        self._client._js_room(size_of(data))
        return self._add(_Future, subject, data, headers, timeout, keywords)

    def commit(
        self,
        subject: str | None = None,
        data: Data = None,
        headers: Headers = None,
        timeout: float | None = None,
        **keywords: Unpack[PublishKeywords],
    ) -> Ack:
        """Add the last message, and store all. Without a subject there is no last one (nats-server 2.14)."""
        inner = self._begin_commit(subject, data, headers, timeout, keywords)
        return ack_of(finish(self._client, inner))

    def commit_start(
        self,
        subject: str | None = None,
        data: Data = None,
        headers: Headers = None,
        timeout: float | None = None,
        **keywords: Unpack[PublishKeywords],
    ) -> AckFuture:
        """As `commit`, without waiting for the ack."""
        inner = self._begin_commit(subject, data, headers, timeout, keywords)
        return AckFuture(self._client._js_future(inner))

    def _begin_commit(
        self,
        subject: str | None,
        data: Data,
        headers: Headers,
        timeout: float | None,
        keywords: Mapping[str, Any],
    ) -> _Future:
        self._client._js_room(size_of(data))
        inner = self._commit(_Future, subject, data, headers, timeout, keywords)
        self._committed = True
        return inner

    def abandon(self) -> None:
        """Store nothing: the server forgets it."""
        self._abandon()

    def __enter__(self) -> Batch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._committed:
            self._abandon()

    def __repr__(self) -> str:
        return f"<polynats.Batch{' committed' if self._committed else ''}>"


__all__ = ["AckFuture", "AnswerFuture", "Batch", "Publisher", "finish"]
