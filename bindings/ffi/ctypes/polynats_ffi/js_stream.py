"""JetStream's streams and consumers.

Written by tools/unasync.py from bindings/python/polynats/_js_stream_aio.py.
"""

from __future__ import annotations

from . import jetstream_port as _polynats
from .error import Closed, Error, invalid
from .jetstream_values import config_of, moment, refuse_timeout
from .jetstream_port import PRIVATE


class Stream:
    """A stream, by its name. Made by `JetStream.stream` and those that make or list streams."""

    __slots__ = ("js", "name", "cached_info")

    js: JetStream
    name: str
    cached_info: dict[str, Any] | None
    """What the server told last of its configuration and state; None: it was not asked."""

    def __init__(self, js: JetStream, name: str, info: dict[str, Any] | None) -> None:
        self.js = js
        self.name = name
        self.cached_info = info

    @property
    def config(self) -> dict[str, Any] | None:
        """Its configuration as it was told last, or None."""
        return None if self.cached_info is None else self.cached_info["config"]

    def _ask(
        self, verb: str, arguments: Config | None = None, timeout: float | None = None
    ) -> Any:
        return self.js.call(verb, {"stream": self.name, **(arguments or {})}, timeout)

    def info(
        self,
        subjects_filter: str | None = None,
        deleted_details: bool = False,
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Configuration and state. `subjects_filter`: with how many messages each of these subjects has, as
        state's subjects; `deleted_details`: with the sequences of deleted messages."""
        arguments = {"subjects_filter": subjects_filter, "deleted_details": deleted_details or None}
        info = self._ask("stream_info", arguments, timeout)
        subjects = info["state"].get("subjects")
        while subjects and len(subjects) < info.get("total", 0):
            page = self._ask("stream_info", {**arguments, "offset": len(subjects)}, timeout)
            before = len(subjects)
            subjects.update(page["state"].get("subjects") or {})
            if len(subjects) == before:
                break
        self.cached_info = info
        found: dict[str, Any] = info
        return found

    def update(
        self,
        changes: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[StreamConfig],
    ) -> dict[str, Any]:
        """Change its configuration: what is left out, or None, stays. A list or a mapping is replaced as a whole; an
        empty one takes out what is there. Returns the info."""
        arguments = {"config": config_of(changes, more), "pedantic": pedantic or None}
        info: dict[str, Any] = self._ask("change_stream", arguments, timeout)
        self.cached_info = info
        return info

    def delete(self, timeout: float | None = None) -> None:
        """Delete it and all that is in it."""
        self._ask("delete_stream", None, timeout)

    def purge(
        self,
        subject: str | None = None,
        keep: int | None = None,
        seq: int | None = None,
        timeout: float | None = None,
    ) -> int:
        """Delete messages: all, those of a subject, those before a sequence, or all but `keep`. Returns how
        many."""
        answer = self._ask(
            "purge_stream", {"subject": subject, "keep": keep, "seq": seq}, timeout
        )
        count: int = answer.get("purged", 0)
        return count

    def seal(self, timeout: float | None = None) -> None:
        """Let nothing in or out any more, for ever."""
        self.cached_info = self._ask("seal_stream", None, timeout)

    def leader_stepdown(
        self, placement: Config | None = None, timeout: float | None = None
    ) -> None:
        """Have another server lead it."""
        self._ask("stream_leader_stepdown", {"placement": placement}, timeout)

    def peer_remove(self, peer: str, timeout: float | None = None) -> None:
        """Have its copy on another server than this, by name or id."""
        self._ask("stream_peer_remove", {"peer": peer}, timeout)

    # ---- messages ----

    def get(self, seq: int, **options: Unpack[GetOptions]) -> Message:
        """The message of a sequence. Raises Server with err_code 10037 when there is none."""
        return self._get({"seq": seq, **options})

    def get_last(self, subject: str, **options: Unpack[GetOptions]) -> Message:
        """The last message of a subject, or of a pattern."""
        return self._get({"last_by_subj": subject, **options})

    def get_next(
        self, subject: str, seq: int = 1, **options: Unpack[GetOptions]
    ) -> Message:
        """The first message of a subject, or of a pattern, from a sequence on."""
        return self._get({"next_by_subj": subject, "seq": seq, **options})

    def _get(self, arguments: dict[str, Any]) -> Message:
        timeout = arguments.pop("timeout", None)
        found: Message = self._ask("get_message", arguments, timeout)
        return found

    def get_many(
        self,
        *,
        batch: int | None = None,
        seq: int | None = None,
        start_time: datetime | float | str | None = None,
        next_by_subj: str | None = None,
        multi_last: Iterable[str] | None = None,
        max_bytes: int | None = None,
        up_to_seq: int | None = None,
        up_to_time: datetime | float | str | None = None,
        no_hdr: bool | None = None,
        timeout: float | None = None,
    ) -> Iterator[Message]:
        """Messages of the stream, read in one request: from a sequence or a time on, of a subject, or the last
        of each of several. Needs nats-server 2.11 and a stream with allow_direct."""
        arguments = {
            "stream": self.name, "batch": batch, "seq": seq, "start_time": start_time,
            "next_by_subj": next_by_subj, "max_bytes": max_bytes, "up_to_seq": up_to_seq,
            "up_to_time": up_to_time, "no_hdr": no_hdr,
            "multi_last": None if multi_last is None else list(multi_last),
        }  # fmt: skip
        js = self.js
        future = js.client._js_future(js._ask("get_messages", arguments, timeout))
        try:
            while (msg := future.wait()) is not None:
                yield msg
        finally:
            future.cancel()

    def delete_message(
        self, seq: int, erase: bool = True, timeout: float | None = None
    ) -> None:
        """Delete a message, and overwrite its bytes when it is to be erased."""
        self._ask("delete_message", {"seq": seq, "no_erase": not erase or None}, timeout)

    # ---- consumers ----

    def _ask_consumer(
        self, verb: str, config: dict[str, Any], pedantic: bool, timeout: float | None
    ) -> Consumer:
        info = self._ask(verb, {"config": config, "pedantic": pedantic or None}, timeout)
        return Consumer(self, info["name"], info)

    def create_consumer(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[ConsumerConfig],
    ) -> Consumer:
        """Make a consumer. Its configuration is a mapping in the server's own schema, keywords, or both:
        keywords win. One of that name and the same configuration will do."""
        return self._ask_consumer(
            "create_consumer", config_of(config, more), pedantic, timeout
        )

    def update_consumer(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[ConsumerConfig],
    ) -> Consumer:
        """Have a consumer as this says: what is left out is as if it were new."""
        return self._ask_consumer(
            "update_consumer", config_of(config, more), pedantic, timeout
        )

    def create_or_update_consumer(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[ConsumerConfig],
    ) -> Consumer:
        """Have a consumer as this says, whether there is one or not."""
        return self._ask_consumer(
            "create_or_update_consumer", config_of(config, more), pedantic, timeout
        )

    def get_or_create_consumer(
        self,
        config: Config | None = None,
        *,
        pedantic: bool = False,
        timeout: float | None = None,
        **more: Unpack[ConsumerConfig],
    ) -> Consumer:
        """Take the consumer of that name as it is, or make it."""
        return self._ask_consumer(
            "get_or_create_consumer", config_of(config, more), pedantic, timeout
        )

    def delete_consumer(self, name: str, timeout: float | None = None) -> None:
        """Delete a consumer."""
        self._ask("delete_consumer", {"consumer": name}, timeout)

    def consumer(self, name: str) -> Consumer:
        """The consumer of that name. Nobody is asked whether there is one: `Consumer.info` does."""
        return Consumer(self, name, None)

    def consumers(self, timeout: float | None = None) -> Iterator[Consumer]:
        """Its consumers. Each knows its info. The timeout is of each page that is asked for."""
        given = {"stream": self.name}
        for info in self.js._listed("consumers", "consumers", given, timeout):
            yield Consumer(self, info["name"], info)

    def consumer_names(self, timeout: float | None = None) -> Iterator[str]:
        """Names of its consumers."""
        given = {"stream": self.name}
        for name in self.js._listed("consumer_names", "consumers", given, timeout):
            yield name

    def ordered_consumer(
        self, config: Config | None = None, **more: Unpack[OrderedConfig]
    ) -> OrderedConsumer:
        """All of the stream in order, without holes or duplicates: a consumer that is made anew wherever a message
        is missed. It acknowledges nothing."""
        return OrderedConsumer(self, config_of(config, more))

    def __repr__(self) -> str:
        return f"<polynats.Stream {self.name!r}>"


class Consumer:
    """A consumer of a stream, by its name. Made by `Stream.consumer` and those that make or list consumers."""

    __slots__ = ("stream", "name", "cached_info", "_why", "_kept")

    stream: Stream
    name: str
    cached_info: dict[str, Any] | None
    """What the server told last of its configuration and state; None: it was not asked."""
    _why: Error | None
    """The last fetch has ended by that behind its messages: the next one tells."""
    _kept: list[Message]
    """What a fetch had that was ended by an exception: the next one gives it."""

    def __init__(self, stream: Stream, name: str, info: dict[str, Any] | None) -> None:
        self.stream = stream
        self.name = name
        self.cached_info = info
        self._why = None
        self._kept = []

    @property
    def stream_name(self) -> str:
        """The name of its stream."""
        return self.stream.name

    @property
    def config(self) -> dict[str, Any] | None:
        """Its configuration as it was told last, or None."""
        return None if self.cached_info is None else self.cached_info["config"]

    def _ask(
        self, verb: str, arguments: Config | None = None, timeout: float | None = None
    ) -> Any:
        given = {"stream": self.stream.name, "consumer": self.name, **(arguments or {})}
        return self.stream.js.call(verb, given, timeout)

    def info(self, timeout: float | None = None) -> dict[str, Any]:
        """Configuration and state."""
        info: dict[str, Any] = self._ask("consumer_info", None, timeout)
        self.cached_info = info
        return info

    def delete(self, timeout: float | None = None) -> None:
        """Delete it."""
        self._ask("delete_consumer", None, timeout)

    def pause(
        self, until: datetime | timedelta | float | str, timeout: float | None = None
    ) -> dict[str, Any]:
        """Have it deliver nothing until a time, or for a timedelta. Needs nats-server 2.11."""
        arguments = {"pause_until": moment("until", until)}
        answer: dict[str, Any] = self._ask("pause_consumer", arguments, timeout)
        return answer

    def resume(self, timeout: float | None = None) -> dict[str, Any]:
        """Have it deliver again."""
        answer: dict[str, Any] = self._ask("resume_consumer", None, timeout)
        return answer

    def reset(self, seq: int | None = None, timeout: float | None = None) -> dict[str, Any]:
        """Have it go on from a sequence; None: after the last message that was acknowledged. Needs nats-server
        2.14."""
        answer: dict[str, Any] = self._ask("reset_consumer", {"seq": seq}, timeout)
        return answer

    def unpin(self, group: str, timeout: float | None = None) -> None:
        """Have another client of a priority group pinned."""
        self._ask("unpin_consumer", {"group": group}, timeout)

    def leader_stepdown(
        self, placement: Config | None = None, timeout: float | None = None
    ) -> None:
        """Have another server lead it."""
        self._ask("consumer_leader_stepdown", {"placement": placement}, timeout)

    # ---- messages ----

    def fetch(
        self,
        max: int | None = None,
        wait: float | None = None,
        **options: Unpack[FetchOptions],
    ) -> list[Message]:
        """Ask for messages, and take what comes within `wait` seconds (None: the JetStream's timeout; 0: what
        there is). `max`: at most so many; None: one, or as many as `max_bytes` has room for.

        What a fetch had when an exception ended it (Ctrl-C, cancelling) is given by the next one of this object, at
        once. Raises why none came, when it was not silence: Server with `status` 409 when the consumer was deleted …
        What ended a fetch behind some messages is raised by the next one.
        """
        options_given: dict[str, Any] = dict(options)
        refuse_timeout(options_given)
        why, self._why = self._why, None
        if why is not None:
            raise why
        if wait == 0:
            wait, options_given["no_wait"] = None, True
        arguments = {
            "stream": self.stream.name, "consumer": self.name, "max": max, "wait": wait,
            **options_given,
        }  # fmt: skip
        messages, self._kept = self._kept, []
        try:
            if not messages or (max is not None and max < 1):
                self._fill(messages, arguments)
            most = 1 if max is None and options_given.get("max_bytes") is None else max
            if most is not None and len(messages) > most:
                self._kept, messages = messages[most:] + self._kept, messages[:most]
        except BaseException:
            self._kept = messages + self._kept
            raise
        return messages

    def _fill(self, messages: list[Message], arguments: Config) -> None:
        """By a pull of its own. However it ends, what came is in `messages`."""
        sub, _ = self.stream.js._begin_consume("fetch", arguments, None, PRIVATE, None)
        try:
            while True:
                messages += sub.get()
        except Closed:
            pass
        except Error as problem:
            if not messages:
                raise
            self._why = problem
        except BaseException:
            messages += self._rest(sub)
            raise
        finally:
            if sub.active:
                sub.unsubscribe()

    def _rest(self, sub: Subscription) -> list[Message]:
        """What waits, without waiting: also where a coroutine is closed."""
        rest: list[Message] = []
        try:
            if sub.active:
                sub.unsubscribe()
            while True:
                some = sub.get(wait=0)
                if not some:
                    break
                rest += some
        except Error:
            pass
        return rest

    def next(
        self, wait: float | None = None, **options: Unpack[FetchOptions]
    ) -> Message | None:
        """The next message; None when there is none within `wait` seconds."""
        messages = self.fetch(1, wait, **options)
        return messages[0] if messages else None

    def consume(
        self,
        callback: Callable[[Message], Any] | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[ConsumeOptions],
    ) -> Subscription:
        """A subscription to all that the consumer delivers, without end: it asks for more before it runs dry, and
        goes on over a reconnect, a new leader, a restart of the server. When it ends by itself, `next` and `get`
        tell why once.

        `options` are in docs/jetstream.md: max_messages, max_bytes, expires, group, min_pending … `callback` is as in
        `Client.subscribe`.
        """
        info = self.cached_info or self.info(timeout)
        how = "push" if info["config"].get("deliver_subject") else "consume"
        arguments = {"stream": self.stream.name, "consumer": self.name, **options}
        return self.stream.js.consume(how, arguments, callback, timeout)

    def __repr__(self) -> str:
        return f"<polynats.Consumer {self.name!r} of {self.stream.name!r}>"


class OrderedConsumer:
    """All of a stream, in order. Made by `Stream.ordered_consumer`.

    `fetch` and `next` take from one subscription, which begins with the first of them; each `consume` begins
    anew.
    """

    __slots__ = ("stream", "config", "cached_info", "_sub", "_name", "_why", "_kept")

    stream: Stream
    _name: str | None
    """Of the consumer that brought the last message: it may be another than the first."""
    config: dict[str, Any]
    """What was asked for."""
    cached_info: dict[str, Any] | None
    """What the server told of the consumer that was made first, or None."""
    _sub: Subscription | None
    _why: Error | None
    """It has ended by that behind the messages of the last fetch: the next call tells."""
    _kept: list[Message]
    """What a fetch had that was ended by an exception: the next call gives it."""

    def __init__(self, stream: Stream, config: dict[str, Any]) -> None:
        self.stream = stream
        self.config = config
        self.cached_info = None
        self._sub = None
        self._name = None
        self._why = None
        self._kept = []

    def consume(
        self,
        callback: Callable[[Message], Any] | None = None,
        *,
        timeout: float | None = None,
        **options: Unpack[OrderedOptions],
    ) -> Subscription:
        """A subscription to all messages, in order and without end."""
        sub, _ = self._start(callback, dict(options), None, timeout)
        return sub

    def _start(
        self,
        callback: Callable[[Message], Any] | None,
        options: Config,
        mode: int | None,
        timeout: float | None,
    ) -> tuple[Subscription, dict[str, Any]]:
        given = {"stream": self.stream.name, "config": self.config, **options}
        js = self.stream.js
        sub, info = js._consume_from("ordered", given, callback, mode, timeout)
        self.cached_info = self.cached_info or info
        return sub, info

    def _own(self) -> Subscription:
        why, self._why = self._why, None
        if why is not None:
            raise why
        if self._sub is None:
            sub, info = self._start(None, {}, PRIVATE, None)
            if self._sub is None:
                self._sub, self.cached_info = sub, info
            else:  # by another meanwhile
                sub.unsubscribe()
        return self._sub

    def fetch(self, max: int | None = None, wait: float | None = None) -> list[Message]:
        """The next messages, at most `max` (100), as far as they come within `wait` seconds (5)."""
        most = 100 if max is None else max
        if not isinstance(most, int):
            raise TypeError(f"max must be int, not {type(most).__name__}")
        if most < 1:
            raise invalid("max", f"max must be 1 or more, not {most}")
        until: float = _polynats._until(5.0 if wait is None else wait, "wait")
        sub = self._own()
        messages, self._kept = self._kept, []
        try:
            while len(messages) < most:
                left = until - _polynats.now()
                some = sub.get(most - len(messages), left if left > 0 else 0)
                if not some:
                    break
                messages += some
            if len(messages) > most:
                self._kept, messages = messages[most:] + self._kept, messages[:most]
        except Error as why:
            if not messages:
                raise
            self._why = why
        except BaseException:
            self._kept = messages + self._kept
            raise
        self._note(messages[-1] if messages else None)
        return messages

    def next(self, wait: float | None = None) -> Message | None:
        """The next message; None when there is none within `wait` seconds (5)."""
        sub = self._own()
        msg = self._kept.pop(0) if self._kept else sub.next(5.0 if wait is None else wait)
        self._note(msg)
        return msg

    def messages(self, timeout: float | None = None) -> Iterator[Message]:
        """Each message, without end, or until none came for `timeout` seconds."""
        sub = self._own()
        while self._kept:
            yield self._kept.pop(0)
        for msg in sub.messages(timeout):
            self._note(msg)
            yield msg

    def __iter__(self) -> Iterator[Message]:
        return self.messages()

    def _note(self, msg: Message | None) -> None:
        if msg is not None and msg.metadata is not None:
            self._name = msg.metadata.consumer

    def info(self, timeout: float | None = None) -> dict[str, Any]:
        """Configuration and state of the consumer that there is now."""
        self._own()
        assert self.cached_info is not None
        consumer = self.stream.consumer(self._name or self.cached_info["name"])
        self.cached_info = consumer.info(timeout)
        return self.cached_info

    def close(self) -> None:
        """End what `fetch` and `next` take from."""
        sub, self._sub = self._sub, None
        self._name = None
        self._why = None
        self._kept = []
        if sub is not None:
            sub.unsubscribe()

    def __repr__(self) -> str:
        return f"<polynats.OrderedConsumer of {self.stream.name!r}>"


__all__ = ["Consumer", "OrderedConsumer", "Stream"]
