"""Callbacks: called from dispatch and run, never by the library and never in another thread."""

from . import core, message
from .core import C, done, ms_in, now, waiting
from .declarations import NATS_ERR_CLOSED, NATS_ERR_TIMEOUT, NATS_OK
from .error import Closed

EVENT_SLICE_MS = 100  # how late a function of on_event may learn of an event


def ms_left(deadline):
    """-1 without a deadline."""
    if deadline is None:
        return -1
    return max(0, core.math.ceil((deadline - now()) * 1000))


def deadline_of(ms):
    return None if ms < 0 else now() + ms / 1000


class Callbacks:
    """The part of a client that calls."""

    def __init__(self):
        self.subs = {}  # subscriptions with callbacks, by sid
        self.queued = []  # messages taken for callbacks and not yet handed over
        self.ended = self.stopped = self.closed = False
        self.event_callback = None

    def on_event(self, callback):
        """callback(event) is called by dispatch and run; None ends it."""
        if callback is not None and not callable(callback):
            raise TypeError("on_event: a callable or None expected")
        self.event_callback = callback

    def stop(self):
        """End run after the current callback."""
        self.stopped = True

    def dispatch(self, max=None, wait=None):
        """Call the callbacks of what has arrived; how many were called."""
        most, ms = message.get_args(max, wait)
        self._check_open()
        self.stopped = False
        count, status = self._dispatch(most, ms)
        if status and not count:
            raise core.failure(status)
        return count

    def run(self, timeout=None):
        """Call callbacks until stop(), close() in a callback, or the timeout."""
        deadline = deadline_of(ms_in(timeout))
        self._check_open()
        self.stopped = False
        while not self.stopped and not self.closed and ms_left(deadline) != 0:
            status = self._dispatch(message.GET_MAX, ms_left(deadline))[1]
            if not self.closed:
                done(status)

    def drain(self, timeout=None):
        """Stop without a loss. Callbacks get what was under way; other messages can be taken."""
        deadline = deadline_of(ms_in(timeout))
        for sub in list(self.subs.values()):
            status = waiting(lambda left, s=sub: C.nats_sub_drain(s.handle, left),
                             ms_left(deadline), self.drain_ms)
            if status == NATS_ERR_TIMEOUT:
                break
            if status not in (NATS_OK, NATS_ERR_CLOSED):
                raise core.failure(status)
        self.stopped = False
        while self._dispatch(message.GET_MAX, 0)[0] and not self.stopped:
            pass
        done(waiting(lambda left: C.nats_client_drain(self.handle, left), ms_left(deadline),
                     self.drain_ms))

    def _check_open(self):
        if self.closed:
            raise Closed("the client is closed", "client")

    def _dispatch(self, most, ms):
        """(how many were called, the status)"""
        count = 0
        while count < most and not self.stopped and not self.closed:
            if self.queued:
                self._call(self.queued.pop(0))
                count += 1
                continue
            if self.ended:
                self._sweep()
            status = self._await(most - count, 0 if count else ms)
            if status or not self.queued:
                return count, 0 if count else status
        return count, NATS_OK

    def _call(self, msg):
        sub = self.subs.get(msg.sid)
        if sub is None:
            return
        if not sub.active:
            self.ended = True
        sub.callback(msg)

    def _sweep(self):
        """Let go of callbacks whose subscriptions have ended."""
        self.ended = False
        for sid, sub in list(self.subs.items()):
            if not sub.active and not sub.stats()["pending"]:
                del self.subs[sid]

    def _await(self, most, ms):
        """Messages for callbacks into self.queued, whatever strikes; the status."""
        deadline = deadline_of(ms)
        batch = message.Batch(
            lambda *rest: C.nats_client_get_callbacks(self.handle, *rest), self, self.queued)
        while True:
            events, left = self._call_events(), ms_left(deadline)
            slice_ms = EVENT_SLICE_MS if events and not 0 <= left < EVENT_SLICE_MS else left
            try:
                status = batch.fill(most, slice_ms)
            finally:
                batch.empty()
            if status or self.queued or self.stopped or self.closed:
                return status
            if not events or ms_left(deadline) == 0:
                return NATS_OK

    def _call_events(self):
        """Whether there is somebody to call."""
        while self.event_callback:
            event = self.next_event(0)
            if event is None:
                return True
            self.event_callback(event)
        return False
