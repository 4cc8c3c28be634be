"""The module written in C: what SWIG wrote of swig/python.i, and ext/ by hand."""

import sys
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, TypeVar, final, overload, type_check_only
from weakref import ReferenceType

from _typeshed import structseq
from typing_extensions import disjoint_base

from ._client import Client
from ._errors import Error
from ._future import Future
from ._options import Data, Headers, Servers
from ._proto import Proto
from ._subscription import Subscription

_Client = TypeVar("_Client", bound=Client)
_Future = TypeVar("_Future", bound=Future)
_Subscription = TypeVar("_Subscription", bound=Subscription)
_Proto = TypeVar("_Proto", bound=Proto)
_JetStream = TypeVar("_JetStream", bound=JetStreamBase)
_Publisher = TypeVar("_Publisher", bound=PublisherBase)
_Batch = TypeVar("_Batch", bound=BatchBase)
_Facts = dict[str, Any]

@disjoint_base
class ClientBase:
    def publish(
        self, /, subject: str, data: Data = None, reply: str | None = None, headers: Headers = None
    ) -> None:
        """Publish one message: its bytes are in the connection's buffer on return."""

    def publish_many(self, /, subject: str, datas: Iterable[Data]) -> int:
        """Publish many payloads to one subject, in order. Returns how many: all."""

    def request(
        self,
        /,
        subject: str,
        data: Data = None,
        timeout: float | None = None,
        headers: Headers = None,
    ) -> Message:
        """Send a request and return its reply."""

    def ack_many(self, messages: Iterable[Message], /) -> int:
        """Acknowledge each of the messages that is one of JetStream's and was not yet. Returns how many."""

    def _get(self, /, max: int | None = None, wait: float | None = None) -> list[Message]: ...
    @overload
    def _get_callbacks(
        self, /, max: int | None = None, wait: float | None = None
    ) -> list[Message]: ...
    @overload
    def _get_callbacks(self, /, max: int | None, wait: float | None, into: Any) -> int: ...
    def _call_first(self, queue: Any, callbacks: dict[int, Any], /) -> int: ...
    def _close(self) -> None: ...
    def _next_event(self, wait: float | None, /) -> _Facts | None: ...
    def _try_publish(
        self, /, subject: str, data: Data = None, reply: str | None = None, headers: Headers = None
    ) -> bool: ...
    def _has_room(self, size: int, /) -> bool: ...
    def _replies(self) -> int: ...
    def _pending(self) -> int: ...
    def _turns(self) -> None: ...
    _taken: None
    _event_taken: None

@disjoint_base
class SubscriptionBase:
    def _get(self, /, max: int | None = None, wait: float | None = None) -> list[Message]: ...
    def _next(self, /, timeout: float | None = None) -> Message | None: ...
    def _set_mode(self, mode: int, /) -> None: ...
    def _ready(self) -> bool: ...
    _taken: None

@disjoint_base
class FutureBase:
    def _wait(self, /, timeout: float | None = None) -> Message | None: ...
    def _poll(self) -> Message | None: ...
    _taken: None

@disjoint_base
class ProtoBase:
    def publish(
        self, /, subject: str, data: Data = None, reply: str | None = None, headers: Headers = None
    ) -> None:
        """As Client.publish, into the buffer; it never waits."""

    def subscribe(
        self, /, subject: str, queue: str | None = None, max: int | None = None, sid: int | None = None
    ) -> int:
        """Subscribe, and return the sid that messages carry."""

    def take(self, /, max: int | None = None, now: float | None = None) -> bytes:
        """Bytes to send, at most max; they count as sent."""

    def _next_event(self) -> _Facts | None: ...
    def _servers(self) -> list[tuple[str, int, bool]]: ...

@disjoint_base
class JetStreamBase:
    def _level(self, future: type[_Future], timeout: float | None, /) -> _Future: ...
    def _call(
        self, future: type[_Future], verb: str, arguments: str, timeout: float | None, /
    ) -> _Future: ...
    def _consume(
        self,
        sub: type[_Subscription],
        future: type[_Future],
        how: str,
        arguments: str,
        timeout: float | None,
        mode: int,
        /,
    ) -> tuple[_Subscription, _Future]: ...
    def _publish(
        self,
        future: type[_Future],
        subject: str,
        data: Data,
        headers: Headers,
        timeout: float | None,
        keywords: Mapping[str, Any],
        /,
    ) -> _Future: ...

@disjoint_base
class PublisherBase:
    def _publish(
        self, subject: str, data: Data, headers: Headers, keywords: Mapping[str, Any], /
    ) -> int: ...
    def _publish_now(
        self, subject: str, data: Data, headers: Headers, keywords: Mapping[str, Any], /
    ) -> int | None: ...
    def _publish_many(self, subject: str, datas: tuple[Data, ...], /) -> tuple[int, int]: ...
    def _check_many(self, datas: tuple[Data, ...], /) -> None: ...
    def _room(self, count: int, /) -> int: ...
    def _flush(self, future: type[_Future], timeout: float | None, /) -> _Future: ...
    def _flush_now(self) -> None: ...
    def _next_failure(self) -> tuple[int, Error] | None: ...
    def _end(self) -> None: ...

@disjoint_base
class BatchBase:
    def _add(
        self,
        future: type[_Future],
        subject: str,
        data: Data,
        headers: Headers,
        timeout: float | None,
        keywords: Mapping[str, Any],
        /,
    ) -> _Future: ...
    def _commit(
        self,
        future: type[_Future],
        subject: str | None,
        data: Data,
        headers: Headers,
        timeout: float | None,
        keywords: Mapping[str, Any],
        /,
    ) -> _Future: ...
    def _abandon(self) -> None: ...

@final
class Metadata(
    structseq[Any], tuple[str, str, int, int, int, int, datetime, str | None, int]
):
    """A message's place in its stream."""

    if sys.version_info >= (3, 10):
        __match_args__: Final = (
            "stream", "consumer", "stream_seq", "consumer_seq", "delivered", "pending", "time",
            "domain", "time_ns",
        )  # fmt: skip

    @property
    def stream(self) -> str:
        """The stream's name."""

    @property
    def consumer(self) -> str:
        """The consumer's name; empty of a message that was got from the stream."""

    @property
    def stream_seq(self) -> int:
        """Its sequence in the stream."""

    @property
    def consumer_seq(self) -> int:
        """The consumer's own sequence."""

    @property
    def delivered(self) -> int:
        """How often it was delivered, this time included."""

    @property
    def pending(self) -> int:
        """Messages that the consumer has after this one."""

    @property
    def time(self) -> datetime:
        """When it was stored, in UTC."""

    @property
    def domain(self) -> str | None:
        """The domain, or None."""

    @property
    def time_ns(self) -> int:
        """The time in ns since 1970, exactly."""

@disjoint_base
class Message:
    """A received message. It does not change, and keeps only its own bytes; one of JetStream's
    the piece of memory that it was read into."""

    @property
    def subject(self) -> str:
        """What it was published to."""

    @property
    def data(self) -> bytes:
        """The payload."""

    @property
    def reply(self) -> str | None:
        """The subject to answer to, or None."""

    @property
    def headers(self) -> dict[str, list[str]]:
        """A dict of key to list of values, in the order of the keys."""

    @property
    def header_pairs(self) -> tuple[tuple[str, str], ...]:
        """All (key, value) of the headers, as they came."""

    @property
    def raw_headers(self) -> bytes | None:
        """The header block as it came, or None."""

    @property
    def status(self) -> int | None:
        """Of the headers' first line, such as 503, or None."""

    @property
    def description(self) -> str | None:
        """The words after the status, or None."""

    @property
    def sid(self) -> int:
        """Of the subscription it came for; 0 for the answer to a request."""

    def header(self, key: str, /) -> str | None:
        """The first value of a header, or None. Keys are compared to the letter."""

    def respond(self, /, data: Data = None, headers: Headers = None) -> None:
        """Answer a message that asks for it. Raises Invalid when it does not."""

    @property
    def metadata(self) -> Metadata | None:
        """Of a message of JetStream: its place in the stream; else None."""

    def ack(self) -> None:
        """Acknowledge a message of JetStream. It does not wait for the server. Raises Invalid when
        there is nothing to acknowledge, or it was acknowledged already."""

    def ack_sync(self, /, timeout: float | None = None) -> None:
        """Acknowledge, and wait until the server has taken note. After Timeout or Disconnected it may
        be called again."""

    def nak(self, /, delay: float | None = None) -> None:
        """Have it delivered again, at once or after so many seconds."""

    def in_progress(self) -> None:
        """Ask for more time: any number of times."""

    def term(self, /, reason: str | None = None) -> None:
        """Have it never delivered again."""

@final
class LoopMessage(Message):
    """A message that came by a client of an event loop."""

@type_check_only
class AsyncMessage(Message):
    async def respond(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, /, data: Data = None, headers: Headers = None
    ) -> None:
        """Answer a message that asks for it. Raises Invalid when it does not."""

    async def ack(self) -> None:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        """Acknowledge a message of JetStream. It does not wait for the server."""

    async def ack_sync(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, /, timeout: float | None = None
    ) -> None:
        """Acknowledge, and wait until the server has taken note."""

    async def nak(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, /, delay: float | None = None
    ) -> None:
        """Have it delivered again, at once or after so many seconds."""

    async def in_progress(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
    ) -> None:
        """Ask for more time: any number of times."""

    async def term(  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self, /, reason: str | None = None
    ) -> None:
        """Have it never delivered again."""

def _connect(kind: type[_Client], url: Servers, options: Mapping[str, object], /) -> _Client: ...
def _connect_start(
    kind: type[_Client], future: type[_Future], url: Servers, options: Mapping[str, object], /
) -> tuple[_Client, _Future]: ...
def _set_answerer(function: Callable[[], None], /) -> None: ...
def _share(client: Client, kind: type[_Client], /) -> _Client: ...
def _subscribe(
    client: Client,
    kind: type[_Subscription],
    subject: str,
    queue: str | None,
    max: int | None,
    pending_msgs: int | None,
    pending_bytes: int | None,
    mode: int,
    /,
) -> _Subscription: ...
def _request_start(
    client: Client,
    kind: type[_Future],
    subject: str,
    data: Data,
    timeout: float | None,
    headers: Headers,
    /,
) -> _Future: ...
def _request_many(
    client: Client,
    kind: type[_Future],
    subject: str,
    data: Data,
    timeout: float | None,
    headers: Headers,
    max: int | None,
    stall: float | None,
    sentinel: bool,
    /,
) -> _Future: ...
def _flush_start(client: Client, kind: type[_Future], timeout: float | None, /) -> _Future: ...
def _drain_start(client: Client, kind: type[_Future], timeout: float | None, /) -> _Future: ...
def _sub_drain_start(
    sub: Subscription, kind: type[_Future], timeout: float | None, /
) -> _Future: ...
def _jetstream(
    client: ClientBase,
    kind: type[_JetStream],
    domain: str | None,
    prefix: str | None,
    timeout: float | None,
    /,
) -> _JetStream: ...
def _publisher(
    js: JetStreamBase, kind: type[_Publisher], max_pending: int | None, fast: bool, /
) -> _Publisher: ...
def _batch(js: JetStreamBase, kind: type[_Batch], /) -> _Batch: ...
def _settle(
    msg: Message, how: int, delay: float | None, reason: str | None, /
) -> None: ...
def _ack_sync_start(
    msg: Message, future: type[_Future], timeout: float | None, /
) -> _Future: ...
def _json(text: Data, /) -> Any: ...
def _js_key(object: str, name: str, /) -> tuple[int, int, str] | None: ...
def _js_keys(type: str, /) -> list[str]: ...
def _js_keywords() -> list[tuple[str, int]]: ...
def _js_verbs() -> list[str]: ...
def _set_home(client: Client, home: ReferenceType[Any], /) -> None: ...
def _proto_new(
    kind: type[_Proto], url: Servers, options: Mapping[str, object], seed: Data, /
) -> _Proto: ...
def _options() -> list[tuple[str, str, str]]: ...
def _set_errors(classes: dict[str, type[Error]], /) -> None: ...
def _exiting() -> None: ...
@overload
def _until(seconds: float, name: str, /) -> float: ...
@overload
def _until(seconds: float | None, name: str, /) -> float | None: ...
def now() -> float:
    """Seconds of the monotonic clock that events and Proto go by."""

def version() -> str:
    """The version of the library and of this package."""

def abi() -> int:
    """The number of the library's binary interface."""

def subject_valid(subject: str, /) -> bool: ...
def subject_valid_pattern(pattern: str, /) -> bool: ...
def subject_matches(pattern: str, subject: str, /) -> bool: ...
def Client_drain(client: Client, timeout: float | None, /) -> None: ...
def Client_flush(client: Client, timeout: float | None, /) -> None: ...
def Client_rtt(client: Client, timeout: float | None, /) -> float: ...
def Client_unsubscribe(client: Client, sid: int, after: int | None, /) -> None: ...
def Client_unsubscribe_subject(client: Client, subject: str, after: int | None, /) -> int: ...
def Client_wake(client: Client, /) -> None: ...
def Client_new_inbox(client: Client, /) -> str: ...
def Client_status(client: Client, /) -> int: ...
def Client_server_info(client: Client, /) -> str: ...
def Client_info(client: Client, /) -> str: ...
def Client_max_payload(client: Client, /) -> int: ...
def Client_option_int(client: Client, name: str, /) -> int: ...
def Client_stats(client: Client, /) -> dict[str, int]: ...
def Client_fd(client: Client, /) -> int: ...
def Client_reconnect(client: Client, /) -> None: ...
def Client_credentials(
    client: ClientBase,
    user: str | None,
    password: str | None,
    token: str | None,
    jwt: str | None,
    seed: str | None,
    public_key: str | None,
    signature: bytes | None,
    /,
) -> None: ...
def Client_question(client: ClientBase, /) -> dict[str, Any] | None: ...
def Client_process(client: Client, /) -> None: ...
def Client_deadline_ms(client: Client, /) -> int: ...
def Subscription_unsubscribe(sub: Subscription, after: int | None, /) -> None: ...
def Subscription_drain(sub: Subscription, timeout: float | None, /) -> None: ...
def Subscription_set_limits(
    sub: Subscription, pending_msgs: int, pending_bytes: int, /
) -> None: ...
def Subscription_stats(sub: Subscription, /) -> dict[str, int]: ...
def Subscription_subject(sub: Subscription, /) -> str: ...
def Subscription_queue(sub: Subscription, /) -> str: ...
def Subscription_sid(sub: Subscription, /) -> int: ...
def Subscription_active(sub: Subscription, /) -> bool: ...
def Future_done(future: Future, /) -> bool: ...
def Future_cancel(future: Future, /) -> None: ...
def Publisher_stats(publisher: PublisherBase, /) -> dict[str, int]: ...
def Proto_start(proto: Proto, now: float | None, /) -> None: ...
def Proto_url(proto: Proto, /) -> str: ...
def Proto_scheme(proto: Proto, /) -> str: ...
def Proto_host(proto: Proto, /) -> str: ...
def Proto_port(proto: Proto, /) -> int: ...
def Proto_transport_up(proto: Proto, now: float | None, /) -> None: ...
def Proto_upgraded(proto: Proto, now: float | None, /) -> None: ...
def Proto_secured(proto: Proto, now: float | None, /) -> None: ...
def Proto_transport_failed(
    proto: Proto, code: str, text: str | None, now: float | None, /
) -> None: ...
def Proto_expect_signature(proto: Proto, yes: bool, /) -> None: ...
def Proto_sign(
    proto: Proto,
    signature: Data,
    public_key: str | None,
    jwt: str | None,
    now: float | None,
    /,
) -> None: ...
def Proto_feed(proto: Proto, data: Data, now: float | None, /) -> None: ...
def Proto_feed_eof(proto: Proto, now: float | None, /) -> None: ...
def Proto_tx_pending(proto: Proto, /) -> int: ...
def Proto_deadline_ns(proto: Proto, /) -> int: ...
def Proto_tick(proto: Proto, now: float | None, /) -> None: ...
def Proto_unsubscribe(proto: Proto, sid: int, after: int | None, /) -> None: ...
def Proto_ping(proto: Proto, now: float | None, /) -> int: ...
def Proto_close(proto: Proto, /) -> None: ...
def Proto_reconnect(proto: Proto, now: float | None, /) -> None: ...
def Proto_state(proto: Proto, /) -> int: ...
def Proto_server_info(proto: Proto, /) -> str: ...
def Proto_pings_out(proto: Proto, /) -> int: ...
def Proto_offset(proto: Proto, /) -> int: ...
def Proto_new_inbox(proto: Proto, /) -> str: ...
def Proto_server_add(proto: Proto, url: str, /) -> None: ...
def Proto_server_remove(proto: Proto, url: str, /) -> None: ...
