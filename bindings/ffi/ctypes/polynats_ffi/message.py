"""Messages, the headers they carry, and the batches they come in."""

from ctypes import byref, c_size_t, c_void_p

from . import core, error
from .core import C, bytes_at, count_in, ms_in, text_in, text_out

BATCH_MAX = 1024  # messages that one call of the library moves
GET_MAX = 65536  # messages of one get or dispatch without max
ROOM = c_void_p * BATCH_MAX

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
    """A copy: the library's message is free again. Texts that are not UTF-8 have surrogates."""

    __slots__ = ("subject", "data", "sid", "status", "description", "raw_headers",
                 "header_pairs", "reply_bytes", "owner")

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

    def __repr__(self):
        return "<nats message %s (%d bytes)>" % (self.subject, len(self.data))


def _pairs(address):
    cursor, key_len, value_len = c_size_t(), c_size_t(), c_size_t()
    key, value, found = c_void_p(), c_void_p(), []
    while C.nats_msg_next_header(address, byref(cursor), byref(key), byref(key_len), byref(value),
                                 byref(value_len)):
        found.append((text_out(bytes_at(key.value, key_len)),
                      text_out(bytes_at(value.value, value_len))))
    return found


def to_python(address, owner):
    """A copy of a message; who called frees the library's."""
    size, msg = c_size_t(), Message()
    msg.owner = owner
    msg.subject = text_out(bytes_at(C.nats_msg_subject(address, byref(size)), size))
    msg.data = bytes_at(C.nats_msg_data(address, byref(size)), size) or b""
    msg.reply_bytes = bytes_at(C.nats_msg_reply(address, byref(size)), size)
    msg.sid = C.nats_msg_sid(address)
    msg.raw_headers = bytes_at(C.nats_msg_headers_raw(address, byref(size)), size)
    msg.status, msg.description, msg.header_pairs = None, None, ()
    if msg.raw_headers is None:
        return msg
    msg.status = C.nats_msg_status(address) or None
    if msg.status:
        msg.description = text_out(bytes_at(C.nats_msg_description(address, byref(size)), size))
    msg.header_pairs = _pairs(address)
    return msg


def take_one(step, ms, owner, kept):
    """The message that step(ms, box) leaves, or None."""
    return core.take_one(step, ms, lambda address: to_python(address, owner), C.nats_msg_free,
                         kept)


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

