/* Who reads the socket, and who waits for whom. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/wipe.h"
#include "client/auth.h"
#include "client/conn.h"
#include "client/secure.h"
#include "io/poll.h"
#include "io/tcp.h"

enum {
    REST_NS = 1000000000,           /* quiet for so long after a burst: its memory is given back */
    BURST_READ = NATS__CHUNK_SMALL, /* bytes of a read that only a burst brings */
    STAGE_AGAIN_NS = 10 * 1000000, /* lines wait for memory: another try */
    STALL_LOOKS = 8 /* in write_deadline, at how much has not arrived: what does is seen an eighth late */
};

int64_t nats__deadline_in(int64_t ms)
{
    if (ms < 0) {
        return INT64_MAX;
    }
    int64_t now = nats__now_ns();
    return ms > (INT64_MAX - now) / NATS__MS ? INT64_MAX : now + ms * NATS__MS;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- waiting behind another driver ---- */

static void tell(nats__waiter *waiter)
{
    if (!waiter->told) {
        waiter->told = true;
        nats__park_wake(&waiter->park);
    }
}

static nats__waiter **find_bucket(nats__conn *conn, const void *key)
{
    /* Fibonacci hashing: the upper bits depend on all of the address. */
    uint64_t hash = (uint64_t)(uintptr_t)key * UINT64_C(0x9E3779B97F4A7C15);
    return &conn->waiter_buckets[(hash >> 32) % NATS__WAITER_BUCKETS];
}

static void tell_all(nats__conn *conn)
{
    for (nats__waiter *waiter = conn->waiters; waiter != NULL; waiter = waiter->next) {
        tell(waiter);
    }
}

void nats__conn_tell(nats__conn *conn, const void *key)
{
    if (key == NULL) {
        tell_all(conn);
        return;
    }
    if (conn->away && conn->driver_key == key) {
        nats__wake_set(conn->wake_fd);
    }
    if (conn->waiters == NULL) {
        return;
    }
    for (nats__waiter *at = *find_bucket(conn, key); at != NULL; at = at->bucket_next) {
        if (at->key == key) {
            tell(at);
        }
    }
}

static void queue_up(nats__conn *conn, nats__waiter *self)
{
    nats__waiter **bucket = find_bucket(conn, self->key);
    self->next = conn->waiters;
    conn->waiters = self;
    self->bucket_next = *bucket;
    *bucket = self;
}

static void leave_queue(nats__conn *conn, const nats__waiter *self)
{
    nats__waiter **link = &conn->waiters;
    while (*link != self) {
        link = &(*link)->next;
    }
    *link = self->next;
    link = find_bucket(conn, self->key);
    while (*link != self) {
        link = &(*link)->bucket_next;
    }
    *link = self->bucket_next;
}

void nats__conn_wake(nats__conn *conn)
{
    nats__conn_tell(conn, NULL);
    nats__wake_set(conn->wake_fd);
}

/* Wait until told, the deadline, or a signal. mu held, and given up meanwhile. */
static nats__park_end follow(nats__conn *conn, const void *key, int64_t deadline_ns)
{
    nats__waiter self = {.key = key};
    queue_up(conn, &self);
    pthread_mutex_unlock(&conn->mu);
    nats__writer_flush(conn); /* what it waits for may be asked for in there; who drives may sleep */
    nats__park_end end = nats__park_wait(&self.park, deadline_ns);
    pthread_mutex_lock(&conn->mu);
    leave_queue(conn, &self);
    return self.told ? NATS__PARK_WOKEN : end;
}

bool nats__conn_take_over(nats__conn *conn)
{
    if (conn->driver == NATS__DRIVER_BUSY) {
        return false;
    }
    conn->robbed = conn->robbed || conn->driver == NATS__DRIVER_WATCHING;
    conn->driver = NATS__DRIVER_BUSY;
    return true;
}

/* Nobody drives: one of those who wait must. Best one who was not told of anything yet, for the
 * others may have what they want; they hand the role on when they go. */
static void hand_on(nats__conn *conn)
{
    nats__waiter *heir = conn->waiters;
    while (heir != NULL && heir->told) {
        heir = heir->next;
    }
    if (heir != NULL && conn->driver == NATS__DRIVER_NONE) {
        tell(heir);
    }
}

void nats__conn_leave(nats__conn *conn)
{
    conn->driver = NATS__DRIVER_NONE;
    hand_on(conn);
    if (conn->robbed) {
        conn->robbed = false;
        nats__keeper_tell(conn);
    }
}

/* ---- one round ---- */

bool nats__conn_stage(nats__conn *conn)
{
    nats__buf *lines = nats__session_out(conn->session);
    if (lines->len == 0) {
        return false;
    }
    if (!nats__writer_control(conn, lines->data, lines->len)) {
        return false; /* memory is out: they stay for the next round */
    }
    nats__wipe(lines->data, conn->connected ? 0 : lines->len); /* a CONNECT has secrets */
    lines->len = 0;
    nats__buf_shrink(lines, NATS__FLUSH_BYTES);
    conn->staged = true;
    return true;
}

/* ---- a server that takes nothing ---- */

static int64_t write_limit_ns(const nats__conn *conn)
{
    return nats__conn_opt(conn, NATS__OPT_write_deadline) * NATS__MS;
}

/* When to look at it next. */
static int64_t stall_look_ns(const nats__conn *conn, const nats__writer_state *out)
{
    const nats__stall *stall = &conn->stall;
    int64_t limit = write_limit_ns(conn);
    if (stall->blocked_ns != out->blocked_ns) {
        return out->blocked_ns + limit / STALL_LOOKS;
    }
    return earlier(stall->seen_ns + limit / STALL_LOOKS, stall->since_ns + limit);
}

/* Since when nothing has arrived of what was written. That the socket takes nothing does not tell it:
 * there is room only when much of a large buffer has gone, and of TLS for whole records. What arrived
 * since the last look did so just behind it, for all that we know: who stops is not found out late. */
static int64_t stalled_since_ns(nats__conn *conn, const nats__writer_state *out, int64_t now_ns)
{
    nats__stall *stall = &conn->stall;
    if (stall->blocked_ns != out->blocked_ns) {
        *stall = (nats__stall){.blocked_ns = out->blocked_ns,
                               .since_ns = out->blocked_ns,
                               .seen_ns = now_ns,
                               .unsent = nats__tcp_unsent(conn->fd)};
        return stall->since_ns;
    }
    if (now_ns < stall_look_ns(conn, out)) {
        return stall->since_ns;
    }
    int unsent = nats__tcp_unsent(conn->fd);
    if (unsent != stall->unsent) {
        bool away = now_ns - stall->seen_ns >= write_limit_ns(conn); /* nobody called: who knows when */
        stall->since_ns = away ? now_ns : stall->seen_ns;
    }
    stall->unsent = unsent;
    stall->seen_ns = now_ns;
    return stall->since_ns;
}

int64_t nats__conn_deadline_ns(nats__conn *conn)
{
    int64_t deadline = nats__session_deadline_ns(conn->session);
    deadline = earlier(deadline, conn->attempt_deadline_ns);
    deadline = earlier(deadline, conn->rest_ns);
    if (conn->hooked_futures > 0) {
        deadline = earlier(deadline, nats__requests_deadline_ns(conn));
    }
    deadline = earlier(deadline, conn->hooks_due_ns);
    if (nats__secure_is_due(conn) || conn->reading) {
        return 0;
    }
    if (conn->more && (conn->tls != NULL || conn->ws != NULL)) {
        return 0; /* what they hold, the socket does not tell of */
    }
    if (nats__session_out(conn->session)->len > 0) {
        deadline = earlier(deadline, nats__now_ns() + STAGE_AGAIN_NS);
    }
    nats__writer_state out = nats__writer_look(conn);
    if (out.blocked && conn->connected) {
        deadline = earlier(deadline, stall_look_ns(conn, &out));
    }
    return deadline;
}

/* What the socket told while mu was not held. */
typedef struct sight {
    int fd;
    nats__tls *tls; /* NULL: in clear */
    nats__ws *ws;   /* NULL: no WebSocket */
    int want;
    int ready;
    bool keeper; /* there is one: it sees to bursts */
    uint8_t *space;
    size_t size;
    ptrdiff_t n; /* as nats__tcp_read() */
    size_t raw;  /* bytes of the socket; with WebSocket there may be some, and n 0 */
    bool more;
    int error;
    nats__secure_job secure;
    nats__auth_job auth;
} sight;

static void fail(nats__conn *conn, nats_status status, const char *text, int64_t now_ns)
{
    nats__dial_drop(conn);
    nats__session_failed(conn->session, status, text, now_ns);
}

static void read_frames(sight *seen)
{
    nats__ws_sight frames;
    const nats__ws_link link = {seen->fd, seen->tls};
    seen->n = nats__ws_read(seen->ws, link, seen->space, seen->size, &frames);
    seen->error = errno;
    seen->raw = frames.raw;
    seen->more = frames.more;
}

static void read_socket(sight *seen)
{
    if (seen->ws != NULL) {
        read_frames(seen);
        return;
    }
    seen->n = seen->tls != NULL ? nats__tls_read(seen->tls, seen->space, seen->size)
                                : nats__tcp_read(seen->fd, seen->space, seen->size);
    seen->error = errno;
    seen->raw = seen->n > 0 ? (size_t)seen->n : 0;
    seen->more = seen->raw == seen->size;
}

/* Read, or wait and then read. No lock held: the driver alone touches the socket and the parser. */
static void look(nats__conn *conn, sight *seen, int64_t deadline_ns, bool wait)
{
    bool up = seen->space != NULL;
    if (seen->auth.due) {
        nats__auth_do(&seen->auth);
        return;
    }
    nats__writer_flush(conn);
    if (!seen->keeper) {
        nats__writer_rest(conn, nats__writer_look(conn).accepted);
    }
    bool broken = nats__writer_look(conn).failed; /* what came before it broke may tell why */
    if (up && (conn->more || !wait || broken)) {
        read_socket(seen);
        if (seen->n != 0 || seen->raw > 0 || seen->more) {
            return;
        }
    }
    if (!wait && up) {
        return;
    }
    if (seen->secure.due && seen->want == 0) {
        nats__secure_do(&seen->secure);
        return;
    }

    int want = seen->want | (nats__writer_look(conn).blocked && up ? NATS__POLL_WRITE : 0);
    seen->ready = nats__poll(seen->fd, want, conn->wake_fd, deadline_ns);
    if ((seen->ready & NATS__POLL_WAKE) != 0) {
        nats__wake_clear(conn->wake_fd);
    }
    if (up && (seen->ready & NATS__POLL_READ) != 0) {
        read_socket(seen);
    }
    if (up && (seen->ready & NATS__POLL_WRITE) != 0) {
        nats__writer_flush(conn);
    }
    if (seen->secure.due && (seen->ready & want) != 0) {
        nats__secure_do(&seen->secure);
    }
}

/* What it is that a read broke on; NULL: the socket. */
static const char *why_broken(const sight *seen)
{
    if (seen->error != EPROTO) {
        return NULL;
    }
    if (seen->ws != NULL && nats__ws_why(seen->ws)[0] != '\0') {
        return nats__ws_why(seen->ws);
    }
    return seen->tls != NULL ? nats__tls_why(seen->tls) : NULL;
}

static void read_failed(nats__conn *conn, const sight *seen, int64_t now_ns)
{
    char text[NATS__ERROR_TEXT_MAX];
    const char *why = why_broken(seen);
    bool framing = seen->ws != NULL && nats__ws_why(seen->ws)[0] != '\0';
    if (why != NULL) {
        snprintf(text, sizeof text, "%s", why);
        fail(conn, framing ? NATS_ERR_PROTOCOL : NATS_ERR_TLS, text, now_ns);
        return;
    }
    nats__fail(NATS_ERR_IO, NULL, "read: %s", strerror(seen->error));
    snprintf(text, sizeof text, "%s", nats__error_get()->text);
    fail(conn, seen->error == ENOMEM ? NATS_ERR_NO_MEMORY : NATS_ERR_IO, text, now_ns);
}

static void server_closed(nats__conn *conn, const sight *seen, int64_t now_ns)
{
    char text[NATS__ERROR_TEXT_MAX];
    bool said = seen->ws != NULL && nats__ws_why(seen->ws)[0] != '\0';
    snprintf(text, sizeof text, "%s",
             said ? nats__ws_why(seen->ws) : "the server closed the connection");
    fail(conn, NATS_ERR_DISCONNECTED, text, now_ns);
}

/* Hand what was read to the session. mu held. */
static void take_in(nats__conn *conn, sight *seen, int64_t now_ns)
{
    if (seen->auth.done) {
        nats__auth_take(conn, &seen->auth, now_ns);
        return;
    }
    conn->more = false;
    if (seen->secure.done) {
        nats__secure_take(conn, &seen->secure, now_ns);
        return;
    }
    if (seen->space == NULL) {
        nats__dial_step(conn, seen->ready, now_ns);
        return;
    }
    conn->totals.in_bytes += seen->raw;
    conn->more = seen->more;
    if (seen->n > 0) {
        if (conn->trace != NULL) {
            nats__trace_in(conn->trace, seen->space, (size_t)seen->n);
        }
        nats__parser_commit(nats__session_parser(conn->session), (size_t)seen->n);
        if (seen->n >= BURST_READ && conn->rest_ns == INT64_MAX) {
            conn->rest_ns = now_ns + REST_NS;
        }
    } else if (seen->n == -2) {
        server_closed(conn, seen, now_ns);
    } else if (seen->n == -1) {
        read_failed(conn, seen, now_ns);
    }
}

/* Has a write failed, and all been read that came before? Has the server taken nothing for too
 * long? mu held. */
static void check_writer(nats__conn *conn, const sight *seen, int64_t now_ns)
{
    if (conn->transport != NATS__TRANSPORT_UP) {
        return;
    }
    nats__writer_state out = nats__writer_look(conn);
    if (out.failed && seen->n <= 0) {
        fail(conn, NATS_ERR_DISCONNECTED, "the server closed the connection", now_ns);
        return;
    }
    if (out.blocked && now_ns - stalled_since_ns(conn, &out, now_ns) >= write_limit_ns(conn)) {
        char text[NATS__ERROR_TEXT_MAX];
        snprintf(text, sizeof(text), "the server took nothing for write_deadline (%lld ms)",
                 (long long)(write_limit_ns(conn) / NATS__MS));
        fail(conn, NATS_ERR_TIMEOUT, text, now_ns);
    }
}

/* A burst leaves large buffers behind: they go when nothing has moved for a while. mu held. */
static void rest(nats__conn *conn, const nats__writer_state *out, int64_t now_ns)
{
    uint64_t moved = conn->totals.in_bytes + nats__writer_written(conn);
    bool noted = conn->rest_ns != INT64_MAX;
    conn->rest_ns = now_ns + REST_NS;
    if (!noted || moved != conn->rest_moved || out->pending > 0) {
        conn->rest_moved = moved;
        return;
    }
    conn->rest_ns = INT64_MAX;
    nats__parser_rest(nats__session_parser(conn->session));
    nats__hold_rest(&conn->hold);
    nats__chunk_pool_rest(conn->chunks);
    nats__buf_shrink(nats__session_out(conn->session), 0);
    nats__writer_rest_memory(conn);
    nats__requests_rest(conn);
}

/* Time passes, and what follows from it. True when there is something to write. mu held. */
static bool advance(nats__conn *conn, int64_t now_ns)
{
    if (conn->trace != NULL) {
        nats__event_trace(conn);
    }
    if (now_ns >= conn->attempt_deadline_ns) {
        nats__dial_late(conn, now_ns);
    }
    if (conn->reconnect_wanted) {
        conn->reconnect_wanted = false;
        nats__session_reconnect(conn->session, now_ns);
    }
    nats__writer_state out = nats__writer_look(conn);
    if (now_ns >= conn->rest_ns || (out.bulky && conn->rest_ns == INT64_MAX)) {
        rest(conn, &out, now_ns);
    }
    nats__session_mark(conn->session, out.accepted);
    nats__session_hold_pongs(conn->session, out.pending > NATS__FILL_MAX);
    nats__session_tick(conn->session, now_ns);
    nats__conn_dispatch(conn, now_ns);
    nats__requests_expire(conn, now_ns);
    nats__hooks_time(conn, now_ns);
    nats__goals_check(conn);
    nats__conn_stage(conn);
    if (!conn->connected && nats__session_out(conn->session)->len > 0) {
        fail(conn, NATS_ERR_NO_MEMORY, "no memory to write from", now_ns);
        nats__conn_dispatch(conn, now_ns);
    }
    bool staged = conn->staged;
    conn->staged = false;
    return staged;
}

bool nats__conn_drive(nats__conn *conn, int64_t deadline_ns)
{
    sight seen = {.fd = -1, .keeper = conn->keeper_runs};
    advance(conn, nats__now_ns());
    if (conn->closed) {
        return false;
    }
    seen.tls = conn->tls;
    seen.ws = conn->transport == NATS__TRANSPORT_UP ? conn->ws : NULL;
    seen.want = nats__dial_wants(conn, &seen.fd);
    nats__secure_prepare(conn, &seen.secure);
    nats__auth_prepare(conn, &seen.auth);
    bool wait = deadline_ns > 0;
    if (conn->transport == NATS__TRANSPORT_UP &&
        !nats__parser_reserve(nats__session_parser(conn->session), &seen.space, &seen.size)) {
        int64_t now = nats__now_ns();
        fail(conn, NATS_ERR_NO_MEMORY, "no memory to read into", now);
        advance(conn, now);
        return false;
    }
    int64_t until = wait ? earlier(deadline_ns, nats__conn_deadline_ns(conn)) : 0;

    conn->away = true;
    pthread_mutex_unlock(&conn->mu);
    look(conn, &seen, until, wait);
    pthread_mutex_lock(&conn->mu);
    conn->away = false;

    int64_t now = nats__now_ns();
    take_in(conn, &seen, now);
    check_writer(conn, &seen, now);
    if (advance(conn, now) || nats__ws_owes(conn->ws)) {
        /* A PONG, or what waited for this connection, may not wait for somebody's next call. */
        pthread_mutex_unlock(&conn->mu);
        nats__writer_pong(conn);
        nats__writer_flush(conn);
        pthread_mutex_lock(&conn->mu);
    }
    nats__loops_deadline(conn);
    return (seen.ready & NATS__POLL_SIGNAL) != 0;
}

void nats__conn_step(nats__conn *conn)
{
    conn->visits++;
    if (conn->closed || !nats__conn_take_over(conn)) {
        return;
    }
    nats__conn_drive(conn, 0);
    nats__conn_leave(conn);
}

/* ---- waiting ---- */

/* Drive until it is there. mu held, and the driver's role. */
static nats_status drive_until(nats__conn *conn, nats__ready_fn ready, void *what,
                               int64_t deadline_ns)
{
    bool interruptible = nats__conn_opt(conn, NATS__OPT_interruptible) != 0;
    bool looked = false;
    for (;;) {
        if (conn->closed || conn->closing || ready(what)) {
            return NATS_OK;
        }
        bool over = deadline_ns != INT64_MAX && nats__now_ns() >= deadline_ns;
        if (over && looked) {
            return NATS_ERR_TIMEOUT;
        }
        bool signal = nats__conn_drive(conn, over ? 0 : deadline_ns);
        looked = true;
        bool ends = (signal && interruptible) || conn->question != NULL;
        if (ends && !conn->closed && !ready(what)) {
            return NATS_ERR_INTERRUPTED;
        }
    }
}

nats_status nats__conn_wait(nats__conn *conn, const void *key, nats__ready_fn ready, void *what,
                            int64_t deadline_ns)
{
    bool interruptible = nats__conn_opt(conn, NATS__OPT_interruptible) != 0;
    nats_status status = NATS_OK;
    conn->visits++;
    while (status == NATS_OK && !conn->closed && !ready(what)) {
        if (conn->question != NULL) {
            status = NATS_ERR_INTERRUPTED;
        } else if (!conn->closing && nats__conn_take_over(conn)) {
            conn->driver_key = key;
            status = drive_until(conn, ready, what, deadline_ns);
            conn->driver_key = NULL;
            nats__conn_leave(conn);
        } else if (deadline_ns != INT64_MAX && nats__now_ns() >= deadline_ns) {
            status = NATS_ERR_TIMEOUT;
        } else if (follow(conn, key, deadline_ns) == NATS__PARK_SIGNAL && interruptible) {
            status = ready(what) ? NATS_OK : NATS_ERR_INTERRUPTED;
        }
    }
    hand_on(conn);
    return status;
}
