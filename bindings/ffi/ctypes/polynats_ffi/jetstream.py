"""JetStream: streams, consumers and messages that are kept.

Written by tools/unasync.py from bindings/python/polynats/_jetstream_aio.py.
"""

from __future__ import annotations

from . import jetstream_port as _polynats
from .error import Error, invalid
from .request import Future as _Future
from .jetstream_values import ack_of, config_of, encode, first_failure, read, refuse_options
from .js_publish import SLICE, AckFuture, AnswerFuture, Batch, Publisher, finish
from .js_stream import Consumer, OrderedConsumer, Stream
from .subscription import Subscription as _Subscription


MODES = ("shared", "private", "callback")  # by number
USUAL_SECONDS = 5.0  # as the library has it where no timeout is given


class JetStream(_polynats.JetStreamBase):
    """JetStream as a client sees it. Made by `Client.jetstream`."""

    __slots__ = ("__weakref__", "client", "_patience")

    client: Client
    _patience: float

    # ---- any verb ----

    def call(
        self, verb: str, arguments: Config | None = None, timeout: float | None = None
    ) -> Any:
        """Ask JetStream for something: the verbs and their arguments are in docs/jetstream.md, and most have a
        method of their own. Returns the server's answer, a dict; or the message that was asked for.

        Durations are seconds or timedeltas, times datetimes: in the arguments and in the answer.
        """
        if verb == "get_messages":
            raise invalid("verb", "get_messages gives several messages: Stream.get_many has them")
        return read(finish(self.client, self._ask(verb, arguments, timeout)))

    def call_start(
        self, verb: str, arguments: Config | None = None, timeout: float | None = None
    ) -> AnswerFuture:
        """As `call`, without waiting for the answer."""
        inner = self._ask(verb, arguments, timeout)
        return AnswerFuture(self.client._js_future(inner))

    def _ask(
        self, verb: str, arguments: Config | None, timeout: float | None
    ) -> _Future:
        words = encode(verb, {} if arguments is None else arguments)
        return self._call(_Future, verb, words, timeout)

    def account_info(self, timeout: float | None = None) -> dict[str, Any]:
        """What the account has, and may have."""
        info: dict[str, Any] = self.call("account_info", None, timeout)
        return info

    # ---- streams ----

    def _ask_stream(
        self, verb: str, config: dict[str, Any], pedantic: bool, timeout: float | None
    ) -> Stream:
        info = self.call(verb, {"config": config, "pedantic": pedantic or None}, timeout)
        return Stream(self, info["config"]["name"], info)

    def create_stream(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[StreamConfig],
    ) -> Stream:
        """Make a stream. Its configuration is a mapping in the server's own schema, keywords, or both: keywords
        win. One of that name and the same configuration will do."""
        return self._ask_stream("create_stream", config_of(config, more), pedantic, timeout)

    def update_stream(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[StreamConfig],
    ) -> Stream:
        """Have a stream as this says: what is left out is as if it were new. `Stream.update` changes some."""
        return self._ask_stream("update_stream", config_of(config, more), pedantic, timeout)

    def create_or_update_stream(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[StreamConfig],
    ) -> Stream:
        """Have a stream as this says, whether there is one or not."""
        return self._ask_stream(
            "create_or_update_stream", config_of(config, more), pedantic, timeout
        )

    def get_or_create_stream(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[StreamConfig],
    ) -> Stream:
        """Take the stream of that name as it is, or make it."""
        return self._ask_stream(
            "get_or_create_stream", config_of(config, more), pedantic, timeout
        )

    def delete_stream(self, name: str, timeout: float | None = None) -> None:
        """Delete a stream and all that is in it."""
        self.call("delete_stream", {"stream": name}, timeout)

    def stream(self, name: str) -> Stream:
        """The stream of that name. Nobody is asked whether there is one: `Stream.info` does."""
        return Stream(self, name, None)

    def streams(
        self, subject: str | None = None, timeout: float | None = None
    ) -> Iterator[Stream]:
        """Streams, or those that store a subject. Each knows its info. The timeout is of each page that is asked
        for."""
        for info in self._listed("streams", "streams", {"subject": subject}, timeout):
            yield Stream(self, info["config"]["name"], info)

    def stream_names(
        self, subject: str | None = None, timeout: float | None = None
    ) -> Iterator[str]:
        """Names of streams, or of those that store a subject."""
        for name in self._listed("stream_names", "streams", {"subject": subject}, timeout):
            yield name

    def _listed(
        self, verb: str, member: str, arguments: dict[str, Any], timeout: float | None
    ) -> Iterator[Any]:
        offset = 0
        while True:
            answer = self.call(verb, {**arguments, "offset": offset}, timeout)
            page = answer.get(member) or ()
            for one in page:
                yield one
            offset += len(page)
            if not page or offset >= answer.get("total", 0):
                return

    # ---- publish ----

    def publish(
        self,
        subject: str,
        data: Data = None,
        headers: Headers = None,
        timeout: float | None = None,
        **keywords: Unpack[PublishKeywords],
    ) -> Ack:
        """Publish, and wait until the stream has the message. When no stream answers it is sent again, twice.

        Raises NoResponders (no stream takes this subject), Timeout (the stream may have it, or not), and Server
        with its `err_code`: 10071 when an expectation does not hold.
        """
        return ack_of(
            finish(self.client, self._begin(subject, data, headers, timeout, keywords))
        )

    def _begin(
        self,
        subject: str,
        data: Data,
        headers: Headers,
        timeout: float | None,
        keywords: Mapping[str, Any],
    ) -> _Future:
        return self._publish(_Future, subject, data, headers, timeout, keywords)

    def publish_start(
        self,
        subject: str,
        data: Data = None,
        headers: Headers = None,
        timeout: float | None = None,
        **keywords: Unpack[PublishKeywords],
    ) -> AckFuture:
        """Publish, and do not wait for the ack. The arguments are those of `publish`. For many messages a
        `publisher` is cheaper."""
        inner = self._begin(subject, data, headers, timeout, keywords)
        return AckFuture(self.client._js_future(inner))

    def publish_many(
        self, subject: str, datas: Iterable[Data], timeout: float | None = None
    ) -> int:
        """Publish many payloads to one subject, and wait until the stream has them all. Returns how many.

        Raises the error of the first that failed, whose `failures` are all of them: (place in `datas`, error). Its
        `published` is how many were sent. Where that is not all, the last of `failures` is why the one at this place
        was not; those behind it were not tried.
        """
        publisher = self.publisher()
        late: Error | None = None
        stopped: Error | None = None
        try:
            try:
                first, count = publisher._store_many(subject, datas)
            except Error as problem:
                stopped, first, count = problem, problem.first, problem.published
            try:
                if count:
                    publisher.flush(timeout)
            except Error as problem:
                late = problem
            if late is None and stopped is None:
                return count
            failures = [(id - first, error) for id, error in publisher.failures()]
            raise first_failure(failures, late, stopped, count) from None
        finally:
            publisher._end()

    def publisher(self, max_pending: int | None = None, **unknown: Any) -> Publisher:
        """A publisher that has up to `max_pending` (4000) messages under way."""
        refuse_options("publisher", unknown, "max_pending")
        return self._make_publisher(max_pending, False)

    def fast_publisher(self, max_pending: int | None = None, **unknown: Any) -> Publisher:
        """A publisher by fast ingest: one stream takes all its messages, acknowledges many at once, and stores them in
        their order. Needs nats-server 2.14 and a stream with allow_batched."""
        refuse_options("fast_publisher", unknown, "max_pending")
        return self._make_publisher(max_pending, True)

    def _make_publisher(self, max_pending: int | None, fast: bool) -> Publisher:
        made = _polynats._publisher(self, Publisher, max_pending, fast)
        made.js = self
        made.client = self.client
        made._patience = self._patience
        made._slice = max(1, min(SLICE, (max_pending or SLICE * 4) // 4))
        return made

    def batch(self) -> Batch:
        """A batch of messages that are stored all, or not at all. Needs nats-server 2.12 and a stream with
        allow_atomic."""
        made = _polynats._batch(self, Batch)
        made._client = self.client
        made._committed = False
        return made

    # ---- consume ----

    def consume(
        self,
        how: str,
        arguments: Config | None = None,
        callback: Callable[[Message], Any] | None = None,
        timeout: float | None = None,
    ) -> Subscription:
        """A subscription to what a consumer delivers. How: "consume", "fetch", "push" or "ordered"; they and their
        arguments are in docs/jetstream.md. `Consumer.consume`, `Consumer.fetch` and `Stream.ordered_consumer` stand
        on it."""
        sub, _ = self._consume_from(how, arguments or {}, callback, None, timeout)
        return sub

    def consume_start(
        self,
        how: str,
        arguments: Config | None = None,
        callback: Callable[[Message], Any] | None = None,
        timeout: float | None = None,
    ) -> tuple[Subscription, AnswerFuture]:
        """As `consume`, without waiting: the subscription, and what will be told of the consumer when it is known to be
        there."""
        sub, inner = self._begin_consume(how, arguments or {}, callback, None, timeout)
        return sub, AnswerFuture(self.client._js_future(inner))

    def _begin_consume(
        self,
        how: str,
        arguments: Config,
        callback: Callable[[Any], Any] | None,
        mode: int | None,
        timeout: float | None,
    ) -> tuple[Subscription, _Future]:
        client = self.client
        mode = client._js_mode(callback) if mode is None else mode
        if arguments.get("mode") in MODES:
            mode = MODES.index(arguments["mode"])
        words = encode(how, {"mode": MODES[mode], **arguments})
        inner, future = self._consume(_Subscription, _Future, how, words, timeout, mode)
        return client._js_sub(inner, callback), future

    def _consume_from(
        self,
        how: str,
        arguments: Config,
        callback: Callable[[Any], Any] | None,
        mode: int | None,
        timeout: float | None = None,
    ) -> tuple[Subscription, Any]:
        """The subscription, and what was told of the consumer."""
        sub, future = self._begin_consume(how, arguments, callback, mode, timeout)
        try:
            return sub, read(finish(self.client, future))
        except BaseException:
            sub.unsubscribe()
            raise

    def __repr__(self) -> str:
        return f"<polynats.JetStream of {self.client!r}>"


def jetstream(
    client: Client, nc: Any, domain: str | None, prefix: str | None, timeout: float | None
) -> JetStream:
    """nc: the client that the library knows."""
    made = _polynats._jetstream(nc, JetStream, domain, prefix, timeout)
    made.client = client
    made._patience = USUAL_SECONDS if timeout is None else timeout
    return made


__all__ = ["AckFuture", "AnswerFuture", "Batch", "Consumer", "JetStream", "OrderedConsumer",
           "Publisher", "Stream", "jetstream"]  # fmt: skip
