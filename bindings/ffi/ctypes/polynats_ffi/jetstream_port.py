"""JetStream's part of the ABI, under the names that its nouns (jetstream.py, js_*.py) call."""

import math
from ctypes import byref, c_char_p, c_double, c_int32, c_int64, c_size_t, c_uint64, c_void_p, cast

from . import core, declarations, error, message
from .core import C, c_text_in, data_in, done, ms_in, text_in, text_out, waiting
from .declarations import NATS_ERR_INTERRUPTED, NATS_OK
from .request import FOR_EVER

PRIVATE = declarations.NATS_SUB_PRIVATE
STATS = ("published", "acked", "duplicates", "failed", "pending")
SLICE = 200  # payloads of one inner call
now = core.now


def _until(seconds, name):
    """When they will be over."""
    return now() + ms_in(seconds, name) / 1000


# ---- JSON ----


def _js_key(type_name, name):
    element, of = c_int32(), c_void_p()
    name = name.encode("utf-8", "replace")  # a bad one is unknown
    if b"\0" in name:
        return None
    kind = C.nats_js_key(type_name.encode(), name, byref(element), byref(of))
    of = text_out(core.string_at(of.value)) if of.value else ""
    return (kind, element.value, of) if kind else None


def _js_keywords():
    found, index, kind = [], 0, c_int32()
    while (name := C.nats_js_keyword(index)) is not None:
        C.nats_js_header(name, byref(kind))
        found.append((name.decode(), kind.value))
        index += 1
    return found


def _json(text):
    """What Python has for a JSON text: durations are seconds, times are datetimes in UTC."""
    text = data_in(text)
    document = core.new_handle(lambda out: C.nats_json_parse(text, len(text), out),
                               C.nats_json_free)
    try:
        return _value(document)
    finally:
        document.free()


def _whole(at):
    number, count = c_int64(), c_uint64()
    if C.nats_json_int(at, byref(number)):
        return number.value
    C.nats_json_uint(at, byref(count))
    return count.value


def _real(at):
    number = c_double()
    C.nats_json_real(at, byref(number))
    return number.value


def _text(at):
    size = c_size_t()
    return text_out(core.string_at(C.nats_json_text(at, byref(size)), size.value))


def _list(at):
    return [_value(C.nats_json_at(at, index)) for index in range(C.nats_json_count(at))]


def _dict(at):
    name, found = c_void_p(), {}
    for index in range(C.nats_json_count(at)):
        member = C.nats_json_member(at, index, byref(name))
        found[text_out(core.string_at(name.value))] = _value(member)
    return found


def _time(at):
    """None for what is out of the range of ns: so JetStream says never."""
    ns = c_int64()
    return time_of(ns.value) if C.nats_json_time(at, byref(ns)) else None


def time_of(ns):
    """A datetime, in UTC."""
    from datetime import datetime, timedelta, timezone

    return datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=ns // 1000)


READERS = {
    declarations.NATS_JSON_NULL: lambda at: None,
    declarations.NATS_JSON_BOOL: lambda at: bool(_whole(at)),
    declarations.NATS_JSON_INT: _whole,
    declarations.NATS_JSON_UINT: _whole,
    declarations.NATS_JSON_REAL: _real,
    declarations.NATS_JSON_TEXT: _text,
    declarations.NATS_JSON_ARRAY: _list,
    declarations.NATS_JSON_OBJECT: _dict,
    declarations.NATS_JSON_DURATION: lambda at: _real(at) / core.NS,
    declarations.NATS_JSON_TIME: _time,
}


def _value(at):
    return READERS[C.nats_json_kind(at)](at)


# ---- what is published ----


def _seconds_words(value, name):
    """A duration as a header has it."""
    if hasattr(value, "total_seconds"):
        value = value.total_seconds()
    ms = ms_in(value, name)
    if not math.isfinite(value):
        raise error.Invalid("%s must be a time of 0 seconds or more, not %s" % (name, value), name)
    return "%ds" % (ms // 1000) if ms % 1000 == 0 else "%dms" % ms


def _keyword_words(name, kind, value):
    if isinstance(value, str):
        return text_in(value, name)
    if kind == declarations.NATS_JSON_DURATION:
        return _seconds_words(value, name).encode()
    whole = isinstance(value, int) and not isinstance(value, bool)
    if whole and kind in (declarations.NATS_JSON_INT, declarations.NATS_JSON_UINT):
        return (b"%+d" if kind == declarations.NATS_JSON_INT else b"%d") % value
    raise TypeError("%s must be %s, not %s" % (
        name, "str" if kind == declarations.NATS_JSON_TEXT else "int or str",
        type(value).__name__))


def _headers(headers, keywords):
    """A nats_headers of both, or None."""
    kind = c_int32()
    handle = message.make_headers(headers)
    for name, value in keywords.items():
        header = C.nats_js_header(c_text_in(name, "keyword"), byref(kind))
        if header is None:
            from .jetstream_values import unknown_keyword

            raise unknown_keyword(name)
        if value is not None:
            words = _keyword_words(name, kind.value, value)
            handle = handle or core.new_handle(C.nats_headers_new, C.nats_headers_free)
            done(C.nats_headers_add(handle, header, len(header), words, len(words)))
    return handle


def _storing(subject, data, headers, keywords):
    """The arguments of what publishes. A subject may be absent."""
    subject = None if subject is None else text_in(subject, "subject")
    data = data_in(data)
    return (subject, 0 if subject is None else len(subject), _headers(headers, keywords), data,
            len(data))


# ---- handles ----


class JetStreamBase:
    """A nats_js, and what begins there."""

    __slots__ = ("handle",)

    def _call(self, future, verb, words, timeout):
        verb, words, ms = c_text_in(verb, "verb"), words.encode(), ms_in(timeout)
        return future(self.client, core.new_handle(
            lambda out: waiting(lambda _: C.nats_js_call_start(
                self.handle, verb, words, len(words), ms, out), FOR_EVER), C.nats_future_free))

    def _publish(self, future, subject, data, headers, timeout, keywords):
        if subject is None:
            raise TypeError("subject must be a str, not NoneType")
        what, ms = _storing(subject, data, headers, keywords), ms_in(timeout)
        return future(self.client, core.new_handle(
            lambda out: waiting(lambda _: C.nats_js_publish_start(self.handle, *what, ms, out),
                                FOR_EVER), C.nats_future_free))

    def _consume(self, sub_class, future_class, how, words, timeout, mode):
        how, words, ms = c_text_in(how, "how"), words.encode(), ms_in(timeout)
        sub, future = core.Handle(C.nats_sub_free), core.Handle(C.nats_future_free)
        done(waiting(lambda _: C.nats_js_consume_start(
            self.handle, how, words, len(words), ms, byref(sub), byref(future)), FOR_EVER))
        made = sub_class(self.client, sub, None)
        if mode == PRIVATE:
            self.client.private.add(made.sid)
        return made, future_class(self.client, future)


def _jetstream(client, kind, domain, prefix, timeout):
    domain = None if domain is None else c_text_in(domain, "domain")
    prefix = None if prefix is None else c_text_in(prefix, "prefix")
    ms, made = ms_in(timeout), kind()
    made.handle = core.new_handle(
        lambda out: C.nats_client_jetstream(client.handle, domain, prefix, ms, out), C.nats_js_free)
    return made


class PublisherBase:
    """A nats_js_publisher."""

    __slots__ = ("handle", "closed")

    def _check(self):
        if self.closed:
            raise error.Closed("the publisher is closed", "publisher")

    def _publish(self, subject, data, headers, keywords):
        self._check()
        if subject is None:
            raise TypeError("subject must be a str, not NoneType")
        what, id = _storing(subject, data, headers, keywords), c_uint64()
        done(waiting(lambda _: C.nats_js_publisher_publish(self.handle, *what, byref(id)),
                     FOR_EVER))
        return id.value

    def _publish_many(self, subject, datas):
        """The number of the first, and how many."""
        self._check()
        subject, first, total = text_in(subject, "subject"), 0, 0
        datas = [data_in(one, "datas[%d]" % at) for at, one in enumerate(datas)]
        while total < len(datas):
            status, id, count = self._publish_slice(subject, datas[total:total + SLICE])
            first, total = first or id, total + count
            if status not in (NATS_OK, NATS_ERR_INTERRUPTED):
                problem = core.failure(status)
                problem.first, problem.published = first, total
                raise problem
            if status == NATS_ERR_INTERRUPTED:
                core.run_interrupted()
        return first, total

    def _publish_slice(self, subject, datas):
        count, first, published = len(datas), c_uint64(), c_size_t()
        addresses = (c_void_p * count)(*(cast(c_char_p(one), c_void_p) for one in datas))
        sizes = (c_size_t * count)(*map(len, datas))
        status = C.nats_js_publisher_publish_many(
            self.handle, subject, len(subject), addresses, sizes, count, byref(first),
            byref(published))
        return status, first.value, published.value

    def _flush(self, future, timeout):
        self._check()
        ms = ms_in(timeout)
        return future(self.client, core.new_handle(
            lambda out: C.nats_js_publisher_flush_start(self.handle, ms, out), C.nats_future_free))

    def _flush_now(self):
        """Without waiting, for nobody could."""
        done(C.nats_js_publisher_flush(self.handle, 0))

    def _next_failure(self):
        id = c_uint64()
        status = C.nats_js_publisher_next_failure(self.handle, byref(id))
        if status and not id.value:
            raise core.failure(status)
        return (id.value, core.failure(status)) if status else None

    def _end(self):
        self.closed = True


def _publisher(js, kind, max_pending, fast):
    most, made = core.count_in(max_pending, "max_pending", 0, 0), kind()
    make = C.nats_js_publisher_fast if fast else C.nats_js_publisher_new
    made.handle = core.new_handle(
        lambda out: waiting(lambda _: make(js.handle, most, out), FOR_EVER),
        C.nats_js_publisher_free)
    made.closed = False
    return made


def Publisher_stats(publisher):
    """What it has published, by name."""
    values = (c_uint64 * len(STATS))()
    C.nats_js_publisher_stats(publisher.handle, values, len(STATS))
    return dict(zip(STATS, values))


class BatchBase:
    """A nats_js_batch."""

    __slots__ = ("handle",)

    def _start(self, begin, future, subject, data, headers, timeout, keywords):
        if not self.handle.value:
            raise error.Closed("the batch was abandoned", "batch")
        what, ms = _storing(subject, data, headers, keywords), ms_in(timeout)
        return future(self._client, core.new_handle(
            lambda out: waiting(lambda _: begin(self.handle, *what, ms, out), FOR_EVER),
            C.nats_future_free))

    def _add(self, future, subject, data, headers, timeout, keywords):
        if subject is None:
            raise TypeError("subject must be a str, not NoneType")
        return self._start(C.nats_js_batch_add_start, future, subject, data, headers, timeout,
                           keywords)

    def _commit(self, future, subject, data, headers, timeout, keywords):
        return self._start(C.nats_js_batch_commit_start, future, subject, data, headers, timeout,
                           keywords)

    def _abandon(self):
        self.handle.free()


def _batch(js, kind):
    made = kind()
    made.handle = core.new_handle(lambda out: C.nats_js_batch_new(js.handle, out),
                                  C.nats_js_batch_free)
    return made
