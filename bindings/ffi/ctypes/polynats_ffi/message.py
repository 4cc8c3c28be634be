"""Messages, the headers they carry, and the batches they come in."""

from collections import namedtuple
from ctypes import byref, c_size_t, c_uint64, c_void_p

from . import core, declarations, error
from .core import C, bytes_at, count_in, done, ms_in, text_in, text_or_null, text_out, waiting

BATCH_MAX = 1024  # messages that one call of the library moves
GET_MAX = 65536  # messages of one get or dispatch without max
ROOM = c_void_p * BATCH_MAX
ACK_PREFIX = b"$JS.ACK."  # of the reply subjects of what JetStream delivers
FOR_EVER = -1

Metadata = namedtuple("Metadata", ("stream", "consumer", "stream_seq", "consumer_seq", "delivered",
                                   "pending", "time", "domain", "time_ns"))
Metadata.__doc__ = "A message's place in its stream."

# ---- headers to send ----


def make_headers(given):
    """A nats_headers of a map key -> value or list of values, or of pairs; None for None."""
    if given is None:
        return None
    if hasattr(given, "items"):
        given = given.items()
    handle = core.new_handle(C.nats_headers_new, C.nats_headers_free)
    for entry in given:
        if not isinstance(entry, (tuple, list)) or len(entry) != 2:
            raise TypeError("headers must be a map, or pairs of a key and a value")
        _add_values(handle, *entry)
    return handle


def _add_values(handle, key, values):
    key = text_in(key, "a header's key")
    for value in values if isinstance(values, (list, tuple)) else [values]:
        if isinstance(value, int) and not isinstance(value, bool):
            value = str(value)
        value = text_in(value, "header '%s'" % text_out(key))
        core.done(C.nats_headers_add(handle, key, len(key), value, len(value)))


# ---- messages ----


class Message:
    """A copy: the library's message is free again, but one of JetStream's. Texts that are not UTF-8
    have surrogates."""

    __slots__ = ("subject", "data", "sid", "status", "description", "raw_headers",
                 "header_pairs", "reply_bytes", "owner", "native",
                 "stays")

    @property
    def reply(self):
        """The subject to answer to, or None."""
        return None if self.reply_bytes is None else text_out(self.reply_bytes)

    @property
    def headers(self):
        """key -> list of values, in the order in which the keys came; a new dict each time."""
        found = {}
        for key, value in self.header_pairs:
            found.setdefault(key, []).append(value)
        return found

    def header(self, key):
        """The first value, or None; keys are compared to the letter."""
        if not isinstance(key, str):
            raise TypeError("key must be a str, not %s" % type(key).__name__)
        return next((value for name, value in self.header_pairs if name == key), None)

    def respond(self, data=b"", headers=None):
        """Publish to the subject of reply."""
        if self.reply_bytes is None:
            raise error.Invalid("the message has no reply subject", "reply")
        self.owner.publish(self.reply_bytes, data, headers=headers)

    # ---- of JetStream ----

    def _settle(self, how, delay=None, reason=None):
        ms, (reason, reason_len) = ms_in(delay, "delay", 0), text_or_null(reason, "reason")
        native = self._delivered()
        done(waiting(lambda _: C.nats_client_ack(
            self.owner.handle, native, how, ms, reason, reason_len), FOR_EVER))

    def _delivered(self):
        if self.native is None or self.owner is None:
            raise error.Invalid("msg was not delivered by a consumer of JetStream: there is nothing"
                                " to acknowledge", "msg")
        return self.native

    def ack(self):
        """Acknowledge it; does not wait."""
        self._settle(declarations.NATS_ACK)

    def nak(self, delay=None):
        """Have it delivered again, at once or after so many seconds."""
        self._settle(declarations.NATS_NAK, delay)

    def in_progress(self):
        """Ask for more time."""
        self._settle(declarations.NATS_IN_PROGRESS)

    def term(self, reason=None):
        """Have it never delivered again."""
        self._settle(declarations.NATS_TERM, None, reason)

    def ack_sync(self, timeout=None):
        """Acknowledge, and wait until the server has taken note."""
        from .request import Future

        ms, native = ms_in(timeout), self._delivered()
        Future(self.owner, core.new_handle(lambda out: C.nats_client_ack_sync_start(
            self.owner.handle, native, ms, out), C.nats_future_free)).wait()

    @property
    def metadata(self):
        """Its place in the stream; None when it is none of JetStream's."""
        values = (c_uint64 * declarations.NATS_JS_UINT_COUNT)()
        if self.native is None or not C.nats_msg_js_uints(self.native, values):
            return None
        from .jetstream_port import time_of

        return Metadata(
            self._place(declarations.NATS_JS_STREAM), self._place(declarations.NATS_JS_CONSUMER),
            values[declarations.NATS_JS_STREAM_SEQ], values[declarations.NATS_JS_CONSUMER_SEQ],
            values[declarations.NATS_JS_DELIVERED], values[declarations.NATS_JS_PENDING],
            time_of(values[declarations.NATS_JS_TIME_NS]),
            self._place(declarations.NATS_JS_DOMAIN) or None,
            values[declarations.NATS_JS_TIME_NS])

    def _place(self, what):
        size = c_size_t()
        return text_out(bytes_at(C.nats_msg_js_text(self.native, what, byref(size)), size) or b"")

    def __repr__(self):
        place = self.metadata
        return "<nats message %s (%d bytes%s)>" % (
            self.subject, len(self.data), "" if place is None else ", " + _where(place))


def _where(place):
    by = ", consumer %s" % place.consumer if place.consumer else ""
    return "stream %s%s, sequence %d" % (place.stream, by, place.stream_seq)


def _pairs(address):
    cursor, key_len, value_len = c_size_t(), c_size_t(), c_size_t()
    key, value, found = c_void_p(), c_void_p(), []
    while C.nats_msg_next_header(address, byref(cursor), byref(key), byref(key_len), byref(value),
                                 byref(value_len)):
        found.append((text_out(bytes_at(key.value, key_len)),
                      text_out(bytes_at(value.value, value_len))))
    return found


def _is_of_jetstream(address, msg):
    """Delivered by a consumer, or got from a stream: such a one is an answer."""
    if msg.reply_bytes and msg.reply_bytes.startswith(ACK_PREFIX):
        return True
    return (msg.sid == 0 or msg.raw_headers is not None) and C.nats_msg_js_uint(
        address, declarations.NATS_JS_STREAM_SEQ, byref(c_uint64())) != 0


def to_python(address, owner):
    """A copy of a message; who called gives it the library's, or frees that: settle()."""
    size, msg = c_size_t(), Message()
    msg.owner = owner
    msg.subject = text_out(bytes_at(C.nats_msg_subject(address, byref(size)), size))
    msg.data = bytes_at(C.nats_msg_data(address, byref(size)), size) or b""
    msg.reply_bytes = bytes_at(C.nats_msg_reply(address, byref(size)), size)
    msg.sid = C.nats_msg_sid(address)
    msg.raw_headers = bytes_at(C.nats_msg_headers_raw(address, byref(size)), size)
    msg.status, msg.description, msg.header_pairs, msg.native = None, None, (), None
    _read_headers(address, msg)
    msg.stays = _is_of_jetstream(address, msg)
    return msg


def settle(msg, address):
    """The library's message is the copy's from now on, when it is one of JetStream's. Is it?"""
    if msg.stays:
        native = core.Handle(C.nats_msg_free)
        msg.native, native.value = native, address
    return msg.stays


def _read_headers(address, msg):
    size = c_size_t()
    if msg.raw_headers is None:
        return
    msg.status = C.nats_msg_status(address) or None
    if msg.status:
        msg.description = text_out(bytes_at(C.nats_msg_description(address, byref(size)), size))
    msg.header_pairs = _pairs(address)


def take_one(step, ms, owner, kept):
    """The message that step(ms, box) leaves, or None."""
    made = []

    def convert(address):
        made.append(to_python(address, owner))
        return made[-1]

    def free(address):
        if not made or not settle(made[-1], address):
            C.nats_msg_free(address)

    return core.take_one(step, ms, convert, free, kept)


def ack_many(client, messages):
    """All in one call; how many."""
    natives = [msg.native.value if msg.native is not None else None for msg in messages]
    batch, acked, total = (c_void_p * len(natives))(*natives), c_size_t(), 0

    def step(_):
        nonlocal total
        status = C.nats_client_ack_many(client.handle, batch, len(natives), byref(acked))
        total += acked.value
        return status

    done(waiting(step, FOR_EVER))
    return total


# ---- batches ----


class Batch:
    """Messages on their way out of the library. Those that an exception would lose, that of
    Ctrl-C most of all, can be had from found afterwards."""

    def __init__(self, take, owner, found):
        self.take, self.owner, self.found = take, owner, found
        self.room, self.count, self.base = ROOM(), c_size_t(), len(found)

    def fill(self, most, ms):
        """One call of the library; the status."""
        self.base = len(self.found)
        status = core.waiting(
            lambda left: self.take(min(most, BATCH_MAX), left, self.room, byref(self.count)), ms)
        self.empty()
        return status

    def empty(self):
        """What came, into found: from where an exception broke it off. Freed at the end, once."""
        count = self.count.value
        for index in range(len(self.found) - self.base, count):
            self.found.append(to_python(self.room[index], self.owner))
        self.count.value = 0
        for index in range(count):
            if settle(self.found[self.base + index], self.room[index]):
                self.room[index] = None
        if count:
            C.nats_msg_free_many(self.room, count)


def take_list(take, owner, most, ms, sid=None):
    """What was kept, and what take(max, ms, batch, count_out) gives, most in all."""
    found = []
    batch = Batch(take, owner, found)
    try:
        found = owner.take_kept(most, sid)  # here, for a signal may raise wherever a function begins
        batch.found = found
        while len(found) < most:
            asked = min(most - len(found), BATCH_MAX)
            before = len(found)
            status = batch.fill(asked, 0 if found else ms)
            if status and not found:
                raise core.failure(status)
            if status or len(found) - before < asked:
                break
    except BaseException:
        batch.empty()
        owner.keep(found)
        raise
    return found


def get_args(maximum, wait):
    return count_in(maximum, "max", 1, GET_MAX), ms_in(wait, "wait")

