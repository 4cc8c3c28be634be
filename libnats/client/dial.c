/* The way to a connected socket: resolve, connect to one address after the other. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "client/conn.h"
#include "io/poll.h"
#include "io/tcp.h"

/* An address whose server takes the connection and then says nothing costs one attempt, not each
 * one. */
static void note_failed_address(nats__conn *conn)
{
    if (conn->connected) {
        conn->address_failed.len = 0;
    } else if (conn->fd >= 0 && conn->address_next > 0) {
        conn->address_failed = conn->addresses[conn->address_next - 1];
    }
}

void nats__dial_drop(nats__conn *conn)
{
    note_failed_address(conn);
    nats__resolver_leave(&conn->resolver);
    conn->attempt_deadline_ns = INT64_MAX;
    if (conn->fd >= 0) {
        nats__loops_socket(conn, conn->fd, -1, 0);
    }
    bool up = conn->transport >= NATS__TRANSPORT_SECURING;
    if (up && !conn->connected) {
        /* A handshake that failed: publishes that wait go on waiting. */
        uint64_t lost;
        uint64_t unconfirmed;
        nats__writer_detach(conn, true, &lost, &unconfirmed);
        conn->totals.lost += lost;
        conn->totals.unconfirmed += unconfirmed;
    } else if (up) {
        nats__conn_lost(conn);
    }
    nats__upgrade_drop(conn);
    nats__secure_drop(conn);
    nats__auth_forget(conn);
    nats__tcp_close(conn->fd);
    conn->fd = -1;
    conn->transport = NATS__TRANSPORT_NONE;
}

void nats__dial_failed(nats__conn *conn, nats_status status, int64_t now_ns)
{
    char text[NATS__ERROR_TEXT_MAX];
    snprintf(text, sizeof text, "%s", nats__error_get()->text);
    nats__dial_drop(conn);
    nats__session_failed(conn->session, status, text, now_ns);
}

static void transport_up(nats__conn *conn, int64_t now_ns)
{
    conn->transport = NATS__TRANSPORT_UP;
    conn->attempt_deadline_ns = conn->attempt_end_ns;
    conn->more = false;
    if (conn->trace != NULL) {
        nats__trace_begin(conn->trace);
    }
    nats__writer_attach(conn, conn->fd);
    nats__loops_socket(conn, -1, conn->fd, NATS__POLL_READ);
    nats__session_transport_up(conn->session, now_ns);
}

/* An address that swallows everything may not use up the time of those after it. */
static int64_t address_deadline(const nats__conn *conn, int64_t now_ns)
{
    int64_t left = (int64_t)(conn->address_count - conn->address_next) + 1; /* with this one */
    return now_ns + (conn->attempt_end_ns - now_ns) / left;
}

/* Begin with the next address; when none is left, the attempt has failed for the last one's
 * reason. */
static void connect_next(nats__conn *conn, nats_status status, int64_t now_ns)
{
    nats__tcp_close(conn->fd);
    conn->fd = -1;
    while (conn->address_next < conn->address_count) {
        bool done;
        status = nats__tcp_connect(&conn->addresses[conn->address_next++], &conn->local, &conn->fd,
                                   &done);
        if (status == NATS_OK && done) {
            transport_up(conn, now_ns);
            return;
        }
        if (status == NATS_OK) {
            conn->transport = NATS__TRANSPORT_CONNECTING;
            conn->attempt_deadline_ns = address_deadline(conn, now_ns);
            nats__loops_socket(conn, -1, conn->fd, NATS__POLL_WRITE);
            return;
        }
    }
    nats__dial_failed(conn, status, now_ns);
}

static void shuffle(nats__address *addresses, size_t count, nats__rng *rng)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = (size_t)nats__rng_below(rng, i);
        nats__address held = addresses[i - 1];
        addresses[i - 1] = addresses[other];
        addresses[other] = held;
    }
}

/* The address that failed last comes last. */
static void begin_behind(nats__address *addresses, size_t count, const nats__address *failed)
{
    nats__address turned[NATS__ADDRESSES_MAX];
    size_t at = 0;
    while (at < count && (addresses[at].len != failed->len ||
                          memcmp(addresses[at].bytes, failed->bytes, failed->len) != 0)) {
        at++;
    }
    if (at == count) {
        return;
    }
    for (size_t i = 0; i < count; i++) {
        turned[i] = addresses[(at + 1 + i) % count];
    }
    memcpy(addresses, turned, count * sizeof *turned);
}

/* The two families in turns, beginning with the one that the system prefers: where one of them
 * does not work, the second address tried is of the other (RFC 8305, 4). */
static void alternate(nats__address *addresses, size_t count, bool ipv6_first)
{
    nats__address ordered[NATS__ADDRESSES_MAX];
    size_t at[2] = {0, 0}; /* the next of the first family, and of the second */
    for (size_t i = 0, turn = 0; i < count; turn = 1 - turn) {
        bool ipv6 = (turn == 0) == ipv6_first;
        while (at[turn] < count && nats__address_is_ipv6(&addresses[at[turn]]) != ipv6) {
            at[turn]++;
        }
        if (at[turn] < count) {
            ordered[i++] = addresses[at[turn]++];
        }
    }
    memcpy(addresses, ordered, count * sizeof *ordered);
}

static void order_addresses(nats__conn *conn)
{
    bool ipv6_first = nats__address_is_ipv6(&conn->addresses[0]);
    if (nats__conn_opt(conn, NATS__OPT_no_randomize) == 0) {
        shuffle(conn->addresses, conn->address_count, nats__session_rng(conn->session));
    }
    alternate(conn->addresses, conn->address_count, ipv6_first);
    begin_behind(conn->addresses, conn->address_count, &conn->address_failed);
}

static void check_resolved(nats__conn *conn, int64_t now_ns)
{
    nats_status status;
    if (!nats__resolver_done(&conn->resolver, conn->addresses, NATS__ADDRESSES_MAX,
                             &conn->address_count, &status)) {
        return;
    }
    conn->address_next = 0;
    if (status != NATS_OK) {
        nats__dial_failed(conn, status, now_ns);
        return;
    }
    order_addresses(conn);
    connect_next(conn, NATS_OK, now_ns);
}

/* One server that does not answer may not use up the time of those after it. */
static int64_t attempt_deadline(const nats__conn *conn, int64_t now_ns)
{
    int64_t limit = nats__session_attempt_deadline_ns(conn->session);
    if (conn->budget_ns == INT64_MAX) {
        return limit;
    }
    const nats__pool *pool = nats__session_pool(conn->session);
    int64_t untried = 0;
    for (size_t i = 0; i < pool->count; i++) {
        untried += pool->servers[i].attempts == 0 ? 1 : 0;
    }
    int64_t share = (conn->budget_ns - now_ns) / (untried > 0 ? untried : 1);
    return now_ns + share < limit ? now_ns + share : limit;
}

void nats__dial_start(nats__conn *conn, int64_t now_ns)
{
    nats__dial_drop(conn);
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    conn->address_next = 0;
    conn->attempt_end_ns = attempt_deadline(conn, now_ns);
    conn->attempt_deadline_ns = conn->attempt_end_ns;
    conn->transport = NATS__TRANSPORT_RESOLVING;
    nats_status status =
        nats__resolver_ask(&conn->resolver, server->url.host, server->url.port, conn->wake_fd);
    if (status != NATS_OK) {
        nats__dial_failed(conn, status, now_ns);
        return;
    }
    check_resolved(conn, now_ns);
}

int nats__dial_wants(const nats__conn *conn, int *fd_out)
{
    *fd_out = conn->fd;
    switch (conn->transport) {
    case NATS__TRANSPORT_CONNECTING:
        return NATS__POLL_WRITE;
    case NATS__TRANSPORT_SECURING:
        return conn->tls_wants;
    case NATS__TRANSPORT_UPGRADING:
        return conn->ws->wants;
    case NATS__TRANSPORT_UP:
        return NATS__POLL_READ;
    default:
        return 0;
    }
}

void nats__dial_step(nats__conn *conn, int ready, int64_t now_ns)
{
    if (conn->transport == NATS__TRANSPORT_RESOLVING) {
        check_resolved(conn, now_ns);
        return;
    }
    if (conn->transport == NATS__TRANSPORT_UPGRADING && (ready & conn->ws->wants) != 0) {
        nats__upgrade_step(conn, now_ns);
        return;
    }
    if (conn->transport != NATS__TRANSPORT_CONNECTING || (ready & NATS__POLL_WRITE) == 0) {
        return;
    }
    nats__loops_socket(conn, conn->fd, -1, 0);
    nats_status status = nats__tcp_connected(conn->fd);
    if (status == NATS_OK) {
        transport_up(conn, now_ns);
        return;
    }
    connect_next(conn, status, now_ns);
}

void nats__dial_late(nats__conn *conn, int64_t now_ns)
{
    bool another = conn->transport == NATS__TRANSPORT_CONNECTING &&
                   conn->address_next < conn->address_count && now_ns < conn->attempt_end_ns;
    if (another) {
        nats__loops_socket(conn, conn->fd, -1, 0);
        connect_next(conn, NATS_ERR_TIMEOUT, now_ns);
        return;
    }
    nats__dial_drop(conn);
    nats__session_late(conn->session, now_ns);
}
