/* Publishing and writing. A publish appends to the outbox under a spin lock; the bytes are
 * written by the publisher itself when they stand alone or make a full piece, else by the keeper
 * or the next call that waits. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "io/poll.h"
#include "io/tcp.h"

enum {
    BULK = 16 * 1024,             /* bytes that only a burst brings together */
    RESTED_NS = 10 * 1000,        /* what a write takes: a publish sooner is part of a burst */
    ROUNDS_MAX = 4,               /* pieces one thread writes before others must */
    LOOK_AGAIN_NS = 50 * 1000000, /* a waiting publisher looks for another socket */
};

/* ---- writing ---- */

/* What one write takes, read while out_lock was held. */
typedef struct piece {
    const uint8_t *at;
    size_t len;
    nats__ws_link link;
    nats__ws_writer *ws;
    size_t deflate_max;
} piece;

/* out_lock held. False when there is nothing to write. */
static bool take_piece(nats__writer *out, piece *next)
{
    bool first = out->ws != NULL && nats__ws_waits(out->ws);
    if (!nats__outbox_take(&out->box) && !first) {
        return false;
    }
    size_t len = out->box.drain.len - out->box.drained;
    *next = (piece){.at = len > 0 ? out->box.drain.data + out->box.drained : NULL,
                    .len = len,
                    .link = {.fd = out->fd, .tls = out->tls},
                    .ws = out->ws,
                    /* A handshake has secrets, whose lengths must not depend on their text. */
                    .deflate_max = out->box.open ? out->payload_max : 0};
    return true;
}

/* No lock held. *gone_out: bytes of the outbox. */
static ptrdiff_t write_piece(const piece *next, size_t *gone_out)
{
    if (next->ws != NULL) {
        return nats__ws_write(next->ws, next->link, next->at, next->len, next->deflate_max,
                              gone_out);
    }
    ptrdiff_t n = next->link.tls != NULL ? nats__tls_write(next->link.tls, next->at, next->len)
                                         : nats__tcp_write(next->link.fd, next->at, next->len);
    *gone_out = n > 0 ? (size_t)n : 0;
    return n;
}

/* Write piece by piece. out_lock held at the beginning and the end, not while writing. */
static nats__wrote write_pieces(nats__conn *conn)
{
    nats__writer *out = &conn->out;
    for (int round = 0; round < ROUNDS_MAX; round++) {
        piece next;
        size_t gone;
        if (!take_piece(out, &next)) {
            return NATS__WROTE_ALL;
        }
        out->bulky = out->bulky || next.len > BULK;

        nats__spin_unlock(&conn->out_lock);
        if (conn->trace != NULL) {
            nats__trace_hold(conn->trace);
        }
        ptrdiff_t n = write_piece(&next, &gone);
        int64_t now = nats__now_ns();
        if (conn->trace != NULL) {
            nats__trace_out(conn->trace, next.at, n > 0 ? gone : 0);
        }
        if (conn->trace != NULL && n > 0) {
            nats__wake_set(conn->wake_fd); /* who waits for events is told by the driver */
        }
        nats__spin_lock(&conn->out_lock);

        out->rested_ns = now;
        if (n <= 0) {
            out->failed = n < 0;
            out->blocked_ns = out->blocked ? out->blocked_ns : now;
            out->blocked = true;
            return NATS__WROTE_BLOCKED;
        }
        out->blocked = false;
        nats__outbox_wrote(&out->box, gone);
        out->more_bytes += (uint64_t)n - gone;
    }
    return NATS__WROTE_SOME;
}

nats__wrote nats__writer_flush(nats__conn *conn)
{
    nats__writer *out = &conn->out;
    bool tell = false;
    nats__wrote wrote = NATS__WROTE_SOME;

    nats__spin_lock(&conn->out_lock);
    if (!out->writing && out->fd >= 0 && !out->failed) {
        out->writing = true;
        wrote = write_pieces(conn);
        out->writing = false;
        tell = (wrote != NATS__WROTE_ALL && !out->armed) || out->failed;
        out->armed = out->armed || wrote != NATS__WROTE_ALL;
    }
    nats__spin_unlock(&conn->out_lock);

    if (tell) {
        nats__keeper_tell(conn);
    }
    return wrote;
}

/* ---- what to do after an append ---- */

typedef enum next_step { LEAVE, WRITE, TELL } next_step;

/* out_lock held. alone: nothing else was waiting to be written. */
static next_step after_append(nats__writer *out, bool alone)
{
    if (!out->box.open || out->fd < 0) {
        return LEAVE;
    }
    if (out->box.fill.len >= NATS__FLUSH_BYTES) {
        return out->writing || out->blocked ? LEAVE : WRITE;
    }
    if (out->armed || out->writing) {
        return LEAVE;
    }
    if (alone && nats__now_ns() - out->rested_ns > RESTED_NS) {
        out->armed = out->in_turns;
        return WRITE;
    }
    out->armed = true;
    return TELL;
}

static void act(nats__conn *conn, next_step next)
{
    if (next == WRITE) {
        nats__writer_flush(conn);
    } else if (next == TELL) {
        nats__keeper_tell(conn);
    }
}

/* ---- publishing ---- */

static nats_status too_large(const nats__frame *frame, size_t size, size_t max)
{
    return nats__fail(NATS_ERR_MAX_PAYLOAD, "max_payload",
                      "message of %zu bytes (%zu of them headers) is over max_payload %zu", size,
                      frame->headers_len, max);
}

/* May this frame be appended now? out_lock held. NATS_ERR_SLOW_CONSUMER stands for: wait first. */
static nats_status admit(nats__conn *conn, const nats__frame *frame)
{
    nats__writer *out = &conn->out;
    if (out->closed) {
        return NATS_ERR_CLOSED;
    }
    if (frame->epoch != 0 && frame->epoch != out->epoch) {
        return NATS_ERR_DISCONNECTED;
    }
    if (frame->headers_len + frame->data_len > out->payload_max) {
        return NATS_ERR_MAX_PAYLOAD;
    }
    if (frame->headers_len > 0 && !out->headers) {
        return NATS_ERR_NOT_SUPPORTED;
    }
    if (out->box.open) {
        return out->box.fill.len < NATS__FILL_MAX ? NATS_OK : NATS_ERR_SLOW_CONSUMER;
    }
    size_t kept_max = (size_t)nats__conn_opt(conn, NATS__OPT_reconnect_buffer);
    return out->box.fill.len + nats__frame_bound(frame) <= kept_max ? NATS_OK : NATS_ERR_LIMIT;
}

/* Wait until the server takes bytes again. out_lock held at the beginning and, on NATS_OK, at
 * the end. */
static nats_status wait_for_room(nats__conn *conn, int64_t deadline_ns)
{
    nats__writer *out = &conn->out;
    int fd = out->fd;
    nats__spin_unlock(&conn->out_lock);

    if (nats__writer_flush(conn) != NATS__WROTE_ALL) {
        /* Without a keeper nobody else would notice that the connection is gone. */
        pthread_mutex_lock(&conn->mu);
        nats__conn_step(conn);
        pthread_mutex_unlock(&conn->mu);
        int64_t now = nats__now_ns();
        if (now >= deadline_ns) {
            return NATS_ERR_TIMEOUT;
        }
        int64_t look_again = now + LOOK_AGAIN_NS;
        int ready = nats__poll(fd, NATS__POLL_WRITE, -1,
                               look_again < deadline_ns ? look_again : deadline_ns);
        if ((ready & NATS__POLL_SIGNAL) != 0 && nats__conn_opt(conn, NATS__OPT_interruptible)) {
            return NATS_ERR_INTERRUPTED;
        }
    }
    nats__spin_lock(&conn->out_lock);
    return NATS_OK;
}

/* Take the lock with room for the frame. The lock is held on NATS_OK only. */
static nats_status enter(nats__conn *conn, const nats__frame *frame, int64_t *deadline_ns)
{
    nats__spin_lock(&conn->out_lock);
    nats_status status = admit(conn, frame);
    while (status == NATS_ERR_SLOW_CONSUMER) {
        if (*deadline_ns == 0) {
            *deadline_ns =
                nats__now_ns() + nats__conn_opt(conn, NATS__OPT_write_deadline) * NATS__MS;
        }
        status = wait_for_room(conn, *deadline_ns);
        if (status != NATS_OK) {
            return status;
        }
        status = admit(conn, frame);
    }
    if (status != NATS_OK) {
        nats__spin_unlock(&conn->out_lock);
    }
    return status;
}

static nats_status fail_deadline(const nats__conn *conn)
{
    return nats__fail(NATS_ERR_TIMEOUT, "write_deadline",
                      "not accepted: for write_deadline (%lld ms) there was no room, for the "
                      "server does not read what was published before",
                      (long long)nats__conn_opt(conn, NATS__OPT_write_deadline));
}

static nats_status fail_lost(const nats__frame *frame)
{
    char about[NATS__ERROR_ABOUT_MAX];
    snprintf(about, sizeof about, "%.*s", (int)frame->subject_len, frame->subject);
    return nats__fail(NATS_ERR_DISCONNECTED, about, "the connection was lost before it was sent");
}

/* The words for what enter() found; not on the way of a publish that works. */
static nats_status refuse(nats__conn *conn, const nats__frame *frame, nats_status status)
{
    nats__spin_lock(&conn->out_lock);
    conn->out.refused++;
    size_t payload_max = conn->out.payload_max;
    nats__spin_unlock(&conn->out_lock);
    switch (status) {
    case NATS_ERR_CLOSED:
        return nats__fail(status, "client", "the connection is closed");
    case NATS_ERR_MAX_PAYLOAD:
        return too_large(frame, frame->headers_len + frame->data_len, payload_max);
    case NATS_ERR_NOT_SUPPORTED:
        return nats__fail(status, "headers", "this server does not take headers");
    case NATS_ERR_DISCONNECTED:
        return fail_lost(frame);
    case NATS_ERR_LIMIT:
        return nats__fail(status, "reconnect_buffer",
                          "not connected, and reconnect_buffer (%lld bytes) is full",
                          (long long)nats__conn_opt(conn, NATS__OPT_reconnect_buffer));
    case NATS_ERR_TIMEOUT:
        return fail_deadline(conn);
    case NATS_ERR_INTERRUPTED:
        return nats__fail(status, NULL, "interrupted by a signal while publishing");
    default:
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
}

nats_status nats__conn_publish(nats__conn *conn, const nats__frame *frame)
{
    int64_t deadline_ns = 0;
    nats_status status = enter(conn, frame, &deadline_ns);
    if (status != NATS_OK) {
        return refuse(conn, frame, status);
    }

    nats__writer *out = &conn->out;
    bool alone = nats__outbox_pending(&out->box) == 0;
    bool appended = nats__outbox_publish(&out->box, frame);
    next_step next = appended ? after_append(out, alone) : LEAVE;
    nats__spin_unlock(&conn->out_lock);
    if (!appended) {
        return refuse(conn, frame, NATS_ERR_NO_MEMORY);
    }
    if (next != LEAVE) {
        act(conn, next);
    }
    return NATS_OK;
}

/* What waits for nobody also waits for no room: it is little, and asked for by replies that came. */
nats_status nats__conn_send(nats__conn *conn, const nats__frame *frame)
{
    nats__writer *out = &conn->out;
    nats__spin_lock(&conn->out_lock);
    nats_status status = admit(conn, frame);
    status = status == NATS_ERR_SLOW_CONSUMER ? NATS_OK : status;
    if (status == NATS_OK && !nats__outbox_publish(&out->box, frame)) {
        status = NATS_ERR_NO_MEMORY;
    }
    nats__spin_unlock(&conn->out_lock);
    conn->staged = conn->staged || status == NATS_OK;
    return status == NATS_OK ? NATS_OK : refuse(conn, frame, status);
}

/* Append as many as fit under one lock. Returns why it stopped; *done_io counts on. */
static nats_status publish_run(nats__conn *conn, nats__frame *frame, const void *const *datas,
                               const size_t *lens, size_t count, size_t *done_io)
{
    nats__writer *out = &conn->out;
    int64_t deadline_ns = 0;
    frame->data = datas[*done_io];
    frame->data_len = lens[*done_io];
    nats_status status = enter(conn, frame, &deadline_ns);
    if (status != NATS_OK) {
        return status;
    }

    bool alone = nats__outbox_pending(&out->box) == 0;
    while (status == NATS_OK) {
        if (!nats__outbox_publish(&out->box, frame)) {
            status = NATS_ERR_NO_MEMORY;
            break;
        }
        *done_io += 1;
        if (*done_io == count || out->box.fill.len >= NATS__FLUSH_BYTES) {
            break;
        }
        frame->data = datas[*done_io];
        frame->data_len = lens[*done_io];
        status = admit(conn, frame);
    }
    next_step next = after_append(out, alone);
    nats__spin_unlock(&conn->out_lock);
    act(conn, next);
    return status == NATS_ERR_SLOW_CONSUMER ? NATS_OK : status;
}

nats_status nats__conn_publish_many(nats__conn *conn, nats__frame *frame, const void *const *datas,
                                    const size_t *lens, size_t count, size_t *published_out)
{
    size_t done = 0;
    nats_status status = NATS_OK;
    while (done < count && status == NATS_OK) {
        status = publish_run(conn, frame, datas, lens, count, &done);
    }
    *published_out = done;
    return status == NATS_OK ? NATS_OK : refuse(conn, frame, status);
}

/* ---- control lines ---- */

nats_status nats__writer_make_room(nats__conn *conn)
{
    nats__writer *out = &conn->out;
    int64_t deadline_ns = 0;
    nats_status status = NATS_OK;
    nats__spin_lock(&conn->out_lock);
    while (status == NATS_OK && out->box.open && out->box.fill.len >= NATS__FILL_MAX) {
        if (deadline_ns == 0) {
            deadline_ns =
                nats__now_ns() + nats__conn_opt(conn, NATS__OPT_write_deadline) * NATS__MS;
        }
        status = wait_for_room(conn, deadline_ns);
    }
    if (status == NATS_OK) {
        nats__spin_unlock(&conn->out_lock);
    }
    switch (status) {
    case NATS_OK:
        return NATS_OK;
    case NATS_ERR_TIMEOUT:
        return fail_deadline(conn);
    default:
        return nats__fail(status, NULL, "interrupted by a signal while the server takes nothing");
    }
}

bool nats__writer_control(nats__conn *conn, const void *lines, size_t len)
{
    nats__spin_lock(&conn->out_lock);
    bool ok = nats__outbox_control(&conn->out.box, lines, len);
    nats__spin_unlock(&conn->out_lock);
    return ok;
}

void nats__writer_kick(nats__conn *conn)
{
    nats__spin_lock(&conn->out_lock);
    nats__writer *out = &conn->out;
    next_step next = nats__outbox_pending(&out->box) > 0 ? after_append(out, true) : LEAVE;
    nats__spin_unlock(&conn->out_lock);
    act(conn, next);
}

/* ---- the socket comes and goes: mu is held too ---- */

void nats__writer_attach(nats__conn *conn, int fd)
{
    nats__spin_lock(&conn->out_lock);
    conn->out.fd = fd;
    conn->out.tls = conn->tls;
    conn->out.ws = conn->ws != NULL && conn->ws->up ? &conn->ws->writer : NULL;
    conn->out.failed = false;
    conn->out.blocked = false;
    nats__spin_unlock(&conn->out_lock);
}

void nats__writer_pong(nats__conn *conn)
{
    nats__spin_lock(&conn->out_lock);
    bool owed = conn->ws != NULL && nats__ws_pong(conn->ws);
    nats__spin_unlock(&conn->out_lock);
    if (owed) {
        nats__writer_flush(conn);
    }
}

/* Their requests are not sent: they need not wait until their time is up. */
static void tell_askers(nats__conn *conn, nats__buf *replies, nats_status status)
{
    for (size_t at = 0; at < replies->len;) {
        const char *reply = (const char *)replies->data + at;
        nats__requests_reply_failed(conn, reply, status);
        at += strlen(reply) + 1;
    }
    nats__buf_free(replies);
}

uint64_t nats__writer_open(nats__conn *conn, size_t payload_max, bool headers)
{
    nats__writer *out = &conn->out;
    nats__askers askers = {.inbox = conn->mux != NULL ? conn->mux->rec.subject : NULL,
                           .inbox_len = conn->mux_prefix_len};
    nats__spin_lock(&conn->out_lock);
    bool less = payload_max < out->payload_max || (out->headers && !headers);
    uint64_t dropped = less ? nats__outbox_limit(&out->box, payload_max, headers, &askers) : 0;
    out->box.open = true;
    out->payload_max = payload_max;
    out->headers = headers;
    nats__spin_unlock(&conn->out_lock);
    tell_askers(conn, &askers.large, NATS_ERR_MAX_PAYLOAD);
    tell_askers(conn, &askers.headed, NATS_ERR_NOT_SUPPORTED);
    return dropped;
}

void nats__writer_rest_memory(nats__conn *conn)
{
    nats__spin_lock(&conn->out_lock);
    if (!conn->out.writing) {
        nats__outbox_rest(&conn->out.box);
        if (conn->out.ws != NULL) {
            nats__ws_rest(conn->out.ws);
        }
        conn->out.bulky = false;
    }
    nats__spin_unlock(&conn->out_lock);
}

uint64_t nats__writer_written(nats__conn *conn)
{
    nats__spin_lock(&conn->out_lock);
    uint64_t written = conn->out.box.written_bytes + conn->out.more_bytes;
    nats__spin_unlock(&conn->out_lock);
    return written;
}

static void detach(nats__conn *conn, bool keep, bool requests, uint64_t *lost_out,
                   uint64_t *unconfirmed_out)
{
    bool inbox = !requests && conn->mux != NULL;
    size_t kept_max = keep ? (size_t)nats__conn_opt(conn, NATS__OPT_reconnect_buffer) : 0;
    nats__spin_lock(&conn->out_lock);
    /* A write never waits for the server, so this is short. */
    while (conn->out.writing) {
        nats__spin_unlock(&conn->out_lock);
        sched_yield();
        nats__spin_lock(&conn->out_lock);
    }
    if (conn->out.ws != NULL) {
        nats__outbox_wrote(&conn->out.box, nats__ws_uncertain(conn->out.ws));
    }
    conn->out.fd = -1;
    conn->out.tls = NULL;
    conn->out.ws = NULL;
    conn->out.blocked = false;
    conn->out.failed = false;
    conn->out.armed = false;
    conn->out.epoch = conn->epoch + 1;
    nats__outbox_lost(&conn->out.box, kept_max, inbox ? conn->mux->rec.subject : NULL,
                      inbox ? conn->mux_prefix_len : 0, lost_out, unconfirmed_out);
    nats__spin_unlock(&conn->out_lock);
}

void nats__writer_detach(nats__conn *conn, bool keep, uint64_t *lost_out,
                         uint64_t *unconfirmed_out)
{
    detach(conn, keep, true, lost_out, unconfirmed_out);
}

void nats__writer_lost(nats__conn *conn, bool keep, uint64_t *lost_out, uint64_t *unconfirmed_out)
{
    detach(conn, keep, false, lost_out, unconfirmed_out);
}

bool nats__writer_rest(nats__conn *conn, uint64_t accepted)
{
    nats__writer *out = &conn->out;
    nats__spin_lock(&conn->out_lock);
    bool rests = out->box.accepted == accepted && nats__outbox_pending(&out->box) == 0;
    out->armed = out->armed && !rests;
    nats__spin_unlock(&conn->out_lock);
    return rests;
}

nats__writer_state nats__writer_look(nats__conn *conn)
{
    const nats__writer *out = &conn->out;
    nats__spin_lock(&conn->out_lock);
    nats__writer_state state = {.fd = out->fd,
                                .blocked = out->blocked,
                                .failed = out->failed,
                                .armed = out->armed,
                                .blocked_ns = out->blocked_ns,
                                .accepted = out->box.accepted,
                                .resolved = out->box.resolved,
                                .bulky = out->bulky,
                                .pending = nats__outbox_pending(&out->box)};
    nats__spin_unlock(&conn->out_lock);
    return state;
}
