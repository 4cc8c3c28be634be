"""The client. Requests are in request.py, callbacks in callback.py."""

import atexit
import weakref
from ctypes import byref, c_char_p, c_int32, c_int64, c_size_t, c_uint64, cast, c_void_p
from ctypes import create_string_buffer

from . import callback, core, credentials, event, info, message, request
from .core import C, count_in, data_in, done, ms_in, text_in, text_or_null, waiting
from .declarations import NATS_ERR_INTERRUPTED, NATS_OK, NATS_SUB_CALLBACK, NATS_SUB_SHARED
from .options import make as make_options
from .options import servers_of
from .subscription import Subscription

STATES = (None, "connected", "reconnecting", "draining", "closed")
INBOX_SIZE = 1024  # a prefix of 512 bytes, the longest there is, and the unique rest
STATS_MAX = 64  # more counters than the library has
PUBLISH_SLICE = 200  # payloads of one inner call of publish_many
FOR_EVER = -1

_open = weakref.WeakSet()


@atexit.register
def _close_all():
    """What was published goes out before the program ends. Closing, unlike freeing, is safe while
    a thread still waits on the client."""
    for client in list(_open):
        C.nats_client_close(client.handle)


def connect(url=None, credentials=None, **given):
    """A client, once the server has answered. url: a URL, several with commas, or a list;
    None: $NATS_URL, else nats://127.0.0.1:4222. Options: docs/options.md. credentials: a function
    that is called with the server's nonce at each connect (docs/authentication.md)."""
    if credentials is not None and not callable(credentials):
        raise TypeError("credentials must be callable, not %s" % type(credentials).__name__)
    if credentials is not None:
        given.update(credentials_hook=True, ask_credentials=False)
    elif given.get("ask_credentials"):
        given["credentials_hook"] = True  # the program could answer only once it has the client
    servers, options = servers_of(url), make_options(given, True)
    return _connect_waiting(servers, options, credentials)


def _connect_waiting(servers, options, hook):
    """By one future: a signal begins no attempt, and no time, anew."""
    handle, future = core.Handle(C.nats_client_forget), core.Handle(C.nats_future_free)
    done(C.nats_connect_start(servers, options, byref(handle), byref(future)))
    client = Client(handle)
    credentials.register(client, hook)
    try:
        request.Future(client, future).wait()
    except BaseException:
        client.close()
        raise
    finally:
        future.free()
    return client


def limit_in(value, what):
    """What may wait: 0, which the library takes for the client's option, is said with None."""
    if value is None:
        return 0
    if count_in(value, what, -1) == 0:
        raise core.error.Invalid("%s must be 1 or more, or -1, not 0" % what, what)
    return value


class Client(callback.Callbacks):
    """What a program holds of a connection. Any number of threads may use it, but for callbacks,
    which belong to one."""

    def __init__(self, handle):
        super().__init__()
        self.handle = handle
        self.drain_ms = self._option(b"drain_timeout")
        self.kept, self.kept_events = [], []  # what an exception would have lost
        self.private = set()  # sids of which get gives nothing
        _open.add(self)

    # ---- life ----

    def share(self):
        """Another client on this connection, with its own subscriptions, get and events."""
        made = Client(core.new_handle(lambda out: C.nats_client_share(self.handle, out),
                                      C.nats_client_forget))
        credentials.register(made, credentials.hook_of(self))
        return made

    def close(self):
        """End it; also the second time."""
        self.closed = True
        done(C.nats_client_close(self.handle))
        self.subs.clear()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def _option(self, name):
        value = c_int64()
        done(C.nats_client_option_int(self.handle, name, byref(value)))
        return value.value

    def __repr__(self):
        return "<nats client (%s)>" % self.status

    # ---- publish ----

    def publish(self, subject, data=b"", reply=None, headers=None):
        """The bytes are in the connection's buffer then (docs/delivery.md)."""
        subject, data = text_in(subject, "subject"), data_in(data)
        if reply is None and headers is None:
            status = C.nats_client_publish(self.handle, subject, len(subject), data, len(data))
            if status != NATS_ERR_INTERRUPTED:
                done(status)
                return
        reply, reply_len = text_or_null(reply, "reply")
        headers = message.make_headers(headers)
        done(waiting(lambda _: C.nats_client_publish_with(
            self.handle, subject, len(subject), reply, reply_len, headers, data, len(data)),
            FOR_EVER))

    def publish_many(self, subject, datas):
        """Payloads to one subject, in order; how many: all. An error has published, the number of
        those that were accepted before it."""
        subject = text_in(subject, "subject")
        if isinstance(datas, (str, bytes, bytearray, memoryview)):
            raise TypeError("datas must be a list of them, not one")
        datas = [data_in(one, "payload %d" % at) for at, one in enumerate(datas, 1)]
        total = 0
        while total < len(datas):
            status, count = self._publish_slice(subject, datas[total:total + PUBLISH_SLICE])
            total += count
            if status == NATS_ERR_INTERRUPTED:
                core.interrupted()
            elif status:
                problem = core.failure(status)
                problem.published = total
                raise problem
        return total

    def _publish_slice(self, subject, payloads):
        count = len(payloads)
        datas = (c_void_p * count)(*(cast(c_char_p(one), c_void_p) for one in payloads))
        sizes, published = (c_size_t * count)(*map(len, payloads)), c_size_t()
        status = C.nats_client_publish_many(self.handle, subject, len(subject), datas, sizes,
                                            count, byref(published))
        return status, published.value

    # ---- subscribe and receive ----

    def subscribe(self, subject, queue=None, max=None, callback=None, pending_msgs=None,
                  pending_bytes=None):
        """max: end after so many. The limits: what may wait, -1 for no limit."""
        subject, (queue, queue_len) = text_in(subject, "subject"), text_or_null(queue, "queue")
        most = count_in(max, "max", 0, 0)
        msgs = limit_in(pending_msgs, "pending_msgs")
        size = limit_in(pending_bytes, "pending_bytes")
        if callback is not None and not callable(callback):
            raise TypeError("callback must be callable, not %s" % type(callback).__name__)
        mode = NATS_SUB_SHARED if callback is None else NATS_SUB_CALLBACK
        # As a publish: while the server takes nothing this waits.
        handle = core.new_handle(lambda out: waiting(lambda _: C.nats_client_subscribe_with(
            self.handle, subject, len(subject), queue, queue_len, most, msgs, size, mode, out),
            FOR_EVER), C.nats_sub_free)
        made = Subscription(self, handle, callback)
        if callback is not None:
            self.subs[made.sid] = made
        return made

    def unsubscribe(self, which, after=None):
        """A sid; or a subject: how many subscriptions to exactly it ended."""
        after = count_in(after, "after", 0, 0)
        if isinstance(which, int):
            which = count_in(which, "sid", 0)
            done(waiting(lambda _: C.nats_client_unsubscribe(self.handle, which, after), FOR_EVER))
            return 1
        which, count = text_in(which, "subject"), c_size_t()
        done(waiting(lambda _: C.nats_client_unsubscribe_subject(
            self.handle, which, len(which), after, byref(count)), FOR_EVER))
        return count.value

    def get(self, max=None, wait=None):
        """A list of all that has arrived, oldest first; it waits for the first one. Empty on
        silence."""
        most, ms = message.get_args(max, wait)
        return message.take_list(lambda *rest: C.nats_client_get(self.handle, *rest), self, most,
                                 ms)

    def keep(self, messages):
        """What was taken and could not be handed over comes first next time."""
        self.kept[:0] = messages

    def take_kept(self, most, sid=None):
        """Of one subscription, or of all that get looks at."""
        if not self.kept:
            return []
        found = [msg for msg in self.kept
                 if (msg.sid not in self.private if sid is None else msg.sid == sid)][:most]
        self.kept[:] = [msg for msg in self.kept if msg not in found]
        return found

    # ---- requests ----

    def request(self, subject, data=b"", timeout=None, headers=None):
        """The reply."""
        return request.one(self, subject, data, timeout, headers)

    def request_start(self, subject, data=b"", timeout=None, headers=None):
        """A future."""
        return request.start(self, subject, data, timeout, headers)

    def request_many(self, subject, data=b"", max=None, stall=None, timeout=None, sentinel=False,
                     headers=None):
        """Replies until max came, none came for stall seconds after one, an empty one came
        (sentinel=True), or the time is up, which is the normal end."""
        return request.many(self, subject, data, max, stall, timeout, sentinel, headers)

    # ---- JetStream ----

    def jetstream(self, domain=None, prefix=None, timeout=None):
        """JetStream: streams, consumers and messages that are kept (docs/python.md)."""
        from .jetstream import jetstream

        return jetstream(self, self, domain, prefix, timeout)

    def ack_many(self, messages):
        """Acknowledge each of JetStream's messages that was not yet; how many."""
        return message.ack_many(self, messages)

    def _js_room(self, _):
        """The library's own calls wait for it."""

    def _js_future(self, inner):
        return inner

    def _js_mode(self, function):
        if function is not None and not callable(function):
            raise TypeError("callback must be callable, not %s" % type(function).__name__)
        return NATS_SUB_SHARED if function is None else NATS_SUB_CALLBACK

    def _js_sub(self, inner, function):
        inner.callback = function
        if function is not None:
            self.subs[inner.sid] = inner
        return inner

    # ---- round trips, and what it knows ----

    def flush(self, timeout=None):
        """The server has processed then what was sent before."""
        # By one future, and so one PING: a signal sends no other.
        ms = ms_in(timeout)
        future = core.new_handle(lambda out: C.nats_client_flush_start(self.handle, ms, out),
                                 C.nats_future_free)
        try:
            request.Future(self, future).wait()
        finally:
            future.free()

    def rtt(self, timeout=None):
        """Seconds that a PING and its PONG take."""
        began = core.now()
        self.flush(timeout)
        return core.now() - began

    def new_inbox(self):
        inbox, size = create_string_buffer(INBOX_SIZE), c_size_t()
        done(C.nats_client_new_inbox(self.handle, inbox, INBOX_SIZE, byref(size)))
        return core.text_out(inbox.raw[:size.value])

    def stats(self):
        """The connection's counters."""
        values = (c_uint64 * STATS_MAX)()
        count = min(C.nats_client_stats(self.handle, values, STATS_MAX), STATS_MAX)
        return {C.nats_stats_name(index).decode(): values[index] for index in range(count)}

    @property
    def status(self):
        """connected, reconnecting, draining or closed."""
        return STATES[C.nats_client_status(self.handle)]

    def reconnect(self):
        """Drop the connection and dial the next server at once, without waiting."""
        done(C.nats_client_reconnect(self.handle))

    @property
    def max_payload(self):
        """Bytes that one message may have, headers counted."""
        return C.nats_client_max_payload(self.handle)

    def server_info(self):
        """The server's INFO as a dict."""
        return info.take(lambda out: C.nats_client_server_info(self.handle, out), False)

    def info(self):
        """What this client knows of its connection: url, TLS, last error and more."""
        return info.take(lambda out: C.nats_client_info(self.handle, out), False)

    def server_info_json(self):
        return info.take(lambda out: C.nats_client_server_info(self.handle, out), True)

    def next_event(self, wait=None):
        """The oldest event, or None."""
        ms = ms_in(wait, "wait")
        if self.kept_events:
            return self.kept_events.pop(0)
        return core.take_one(
            lambda left, box: C.nats_client_next_event(self.handle, left, box), ms,
            event.to_python, C.nats_event_free, self.kept_events)

    # ---- other threads, foreign event loops ----

    def wake(self):
        """Make a get or next_event that waits in another thread return empty."""
        done(C.nats_client_wake(self.handle))

    def fileno(self):
        """Readable when there is something to do or to take: for select and its kin."""
        found = c_int32()
        done(C.nats_client_fd(self.handle, byref(found)))
        return found.value

    fd = fileno

    def process(self):
        """Do what is due, without waiting."""
        done(C.nats_client_process(self.handle))
        credentials.answer(self)

    def credentials(self, **given):
        """Answer the event credentials, which comes with the option ask_credentials: user,
        password, token, jwt, seed, public_key, signature."""
        credentials.give(self, **given)

    def deadline(self):
        """Seconds after which process is due; None: never."""
        return core.seconds(C.nats_client_deadline_ms(self.handle))
