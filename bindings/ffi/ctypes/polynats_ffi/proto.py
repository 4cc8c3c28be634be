"""The protocol without I/O: the program brings the socket, the loop and the clock.

Times are seconds of any clock that never goes back; where now is left out, core.now() is meant.
"""

import os
from collections import namedtuple
from ctypes import byref, c_int32, c_size_t, c_uint64, c_void_p, create_string_buffer

from . import core, error, info, message
from .core import C, c_text_in, count_in, data_in, done, string_at, text_in, text_or_null, text_out
from .event import Event, kind_name
from .options import make as make_options
from .options import servers_of

SEED_SIZE, SEED_MIN = 32, 16
INBOX_SIZE = 1024
NOW_MAX = 9e9  # seconds that are ns in 64 bits
STATES = ("idle", "waiting", "dialing", "upgrading", "waiting_info", "securing", "signing",
          "waiting_pong", "connected", "closed")
TYPES = (None, "dial", "upgrade_wanted", "tls_wanted", "sign_wanted", "connected", "reconnected",
         "disconnected", "closed", "message", "pong", "info", "discovered", "lame_duck", "error",
         "stale", "sub_done")


def now_in(now):
    now = core.now() if now is None else now
    if not isinstance(now, (int, float)) or not 0 <= now <= NOW_MAX:
        raise error.Invalid("now must be a time in seconds, 0 to 9e9", "now")
    return int(now * core.NS)


def optional_c_text(value, what):
    return None if value is None else c_text_in(value, what)


ProtoServer = namedtuple("ProtoServer", ("url", "attempts", "discovered"))


def proto(servers=None, seed=None, **given):
    """The protocol of one connection. servers and options are as for connect, but $NATS_URL is not
    looked at. seed: 16 random bytes or more; the same seed gives the same choices."""
    return Proto(servers, seed, given)


class Proto:
    """A connection without a socket. One thread at a time."""

    def __init__(self, servers, seed, given):
        seed = os.urandom(SEED_SIZE) if seed is None else data_in(seed, "seed")
        if len(seed) < SEED_MIN:
            raise error.Invalid("seed must have 16 bytes or more", "seed")
        servers, handle = servers_of(servers), make_options(given, False)
        self.handle = core.new_handle(
            lambda out: C.nats_proto_new(servers, handle, seed, len(seed), out),
            C.nats_proto_free)

    def __repr__(self):
        return "<nats proto (%s)>" % self.state

    # ---- the transport ----

    def start(self, now=None):
        done(C.nats_proto_start(self.handle, now_in(now)))

    def transport_up(self, now=None):
        done(C.nats_proto_transport_up(self.handle, now_in(now)))

    def upgraded(self, now=None):
        done(C.nats_proto_upgraded(self.handle, now_in(now)))

    def secured(self, now=None):
        done(C.nats_proto_secured(self.handle, now_in(now)))

    def transport_failed(self, code, text="", now=None):
        """code: the name of a status."""
        status = core.STATUS.get(code, 0)
        if not status:
            raise error.Invalid("code must be the name of an error, such as 'IO'", "code")
        done(C.nats_proto_transport_failed(self.handle, status, c_text_in(text, "text"),
                                           now_in(now)))

    def expect_signature(self, expect):
        if not isinstance(expect, bool):
            raise TypeError("expect_signature: a bool expected")
        C.nats_proto_expect_signature(self.handle, expect)

    def sign(self, signature, public_key=None, jwt=None, now=None):
        signature = data_in(signature, "signature")
        done(C.nats_proto_sign(
            self.handle, signature, len(signature), optional_c_text(public_key, "public_key"),
            optional_c_text(jwt, "jwt"), now_in(now)))

    # ---- bytes ----

    def feed(self, data, now=None):
        data = data_in(data)
        done(C.nats_proto_feed(self.handle, data, len(data), now_in(now)))

    def feed_eof(self, now=None):
        done(C.nats_proto_feed_eof(self.handle, now_in(now)))

    def take(self, max=None, now=None):
        """Bytes to send, which count as sent then."""
        most, now = count_in(max, "max", 1, core.INT64_MAX), now_in(now)
        parts, taken = [], 0
        data, size = c_void_p(), c_size_t()
        while taken < most:
            C.nats_proto_tx(self.handle, byref(data), byref(size))
            length = min(size.value, most - taken)
            if not length:
                break
            parts.append(string_at(data.value, length))
            done(C.nats_proto_tx_done(self.handle, length, now))
            taken += length
        return b"".join(parts)

    @property
    def pending(self):
        """Bytes that wait to be taken."""
        return C.nats_proto_tx_pending(self.handle)

    # ---- time ----

    def deadline(self):
        """When tick is due; None: never."""
        at = C.nats_proto_deadline_ns(self.handle)
        return None if at == core.INT64_MAX else at / core.NS

    def tick(self, now=None):
        C.nats_proto_tick(self.handle, now_in(now))

    # ---- verbs ----

    def publish(self, subject, data=b"", reply=None, headers=None):
        subject, data = text_in(subject, "subject"), data_in(data)
        reply, reply_len = text_or_null(reply, "reply")
        done(C.nats_proto_publish(self.handle, subject, len(subject), reply, reply_len,
                                  message.make_headers(headers), data, len(data)))

    def subscribe(self, subject, queue=None, max=None, sid=None):
        """The sid."""
        subject, (queue, queue_len) = text_in(subject, "subject"), text_or_null(queue, "queue")
        made = c_uint64()
        done(C.nats_proto_subscribe(
            self.handle, subject, len(subject), queue, queue_len, count_in(max, "max", 0, 0),
            count_in(sid, "sid", 1, 0), byref(made)))
        return made.value

    def unsubscribe(self, sid, after=None):
        done(C.nats_proto_unsubscribe(self.handle, count_in(sid, "sid", 1),
                                      count_in(after, "after", 0, 0)))

    def ping(self, now=None):
        """The token that the event pong has."""
        token = c_uint64()
        done(C.nats_proto_ping(self.handle, now_in(now), byref(token)))
        return token.value

    def close(self):
        C.nats_proto_close(self.handle)

    def reconnect(self, now=None):
        done(C.nats_proto_reconnect(self.handle, now_in(now)))

    # ---- events ----

    def next_event(self):
        """The next event with its facts, or None."""
        number = C.nats_proto_next_event(self.handle)
        if not number:
            return None
        status = C.nats_proto_event_status(self.handle)
        name = TYPES[number] if number < len(TYPES) else "unknown"
        facts = FACTS[name](self) if name in FACTS else {}
        return Event(name, text_out(C.nats_proto_event_text(self.handle)),
                     code=core.status_name(status) if status else None,
                     kind=kind_name(C.nats_proto_event_kind(self.handle)), **facts)

    def _server_facts(self):
        return {"url": self.url, "scheme": self.scheme, "host": self.host, "port": self.port}

    def _end_facts(self):
        return {"lost": C.nats_proto_event_lost(self.handle),
                "unconfirmed": C.nats_proto_event_unconfirmed(self.handle)}

    def _sid_facts(self):
        return {"sid": C.nats_proto_event_sid(self.handle)}

    def _message_facts(self):
        handle = core.Handle(C.nats_msg_free)
        handle.value = C.nats_proto_event_take_msg(self.handle)
        return {"message": message.to_python(handle.value, self),
                "sid": C.nats_proto_event_sid(self.handle)}

    def _pong_facts(self):
        return {"token": C.nats_proto_event_token(self.handle),
                "rtt": C.nats_proto_event_rtt_ns(self.handle) / core.NS}

    def _error_facts(self):
        return {"recoverable": bool(C.nats_proto_event_recoverable(self.handle)),
                "lost": C.nats_proto_event_lost(self.handle)}

    # ---- what it knows ----

    @property
    def state(self):
        return STATES[C.nats_proto_state(self.handle)]

    # The server that is being dialled, or that it is connected to.

    @property
    def url(self):
        return text_out(C.nats_proto_url(self.handle))

    @property
    def scheme(self):
        return text_out(C.nats_proto_scheme(self.handle))

    @property
    def host(self):
        return text_out(C.nats_proto_host(self.handle))

    @property
    def port(self):
        return C.nats_proto_port(self.handle)

    def server_info(self):
        return info.take(lambda out: C.nats_proto_server_info(self.handle, out), False)

    def server_info_json(self):
        return info.take(lambda out: C.nats_proto_server_info(self.handle, out), True)

    @property
    def pings_out(self):
        return C.nats_proto_pings_out(self.handle)

    @property
    def offset(self):
        """Bytes of the stream that were read."""
        return C.nats_proto_offset(self.handle)

    def new_inbox(self):
        inbox, size = create_string_buffer(INBOX_SIZE), c_size_t()
        done(C.nats_proto_new_inbox(self.handle, inbox, INBOX_SIZE, byref(size)))
        return text_out(inbox.raw[:size.value])

    def servers(self):
        """The pool: a list of ProtoServer."""
        found, attempts, discovered = [], c_int32(), c_int32()
        while (url := C.nats_proto_server_at(self.handle, len(found), byref(attempts),
                                             byref(discovered))) is not None:
            found.append(ProtoServer(text_out(url), attempts.value, bool(discovered.value)))
        return found

    def server_add(self, url):
        done(C.nats_proto_server_add(self.handle, c_text_in(url, "url")))

    def server_remove(self, url):
        done(C.nats_proto_server_remove(self.handle, c_text_in(url, "url")))


# The facts of each type, as proto.h lists them.
FACTS = {
    "dial": Proto._server_facts, "upgrade_wanted": Proto._server_facts,
    "tls_wanted": Proto._server_facts, "connected": Proto._server_facts,
    "reconnected": Proto._server_facts,
    "disconnected": Proto._end_facts, "closed": Proto._end_facts,
    "sub_done": Proto._sid_facts, "message": Proto._message_facts,
    "pong": Proto._pong_facts, "error": Proto._error_facts,
}
