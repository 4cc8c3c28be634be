/* Connections: opened, closed, freed with the last that holds them. */
#include "client/conn.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "io/poll.h"
#include "io/tcp.h"

enum {
    SEED_LEN = 32,
    CLOSE_MS = 2000 /* the longest that close waits for what was published to be confirmed */
};

/* ---- made and freed ---- */

static void conn_free(nats__conn *conn)
{
    nats__keeper_stop(conn);
    nats__resolver_free(&conn->resolver);
    nats__known_free(&conn->known);
    nats__auth_forget(conn);
    nats__ws_free(conn->ws);
    nats__secure_drop(conn);
    nats__tls_forget(conn->tls_memory);
    nats__tcp_close(conn->fd);
    nats__hold_rest(&conn->hold);
    nats__session_free(conn->session);
    nats__outbox_free(&conn->out.box);
    nats__requests_rest(conn);
    free(conn->mux);
    nats__trace_free(conn->trace);
    nats__fd_close(conn->wake_fd);
    nats__fd_close(conn->keeper_fd);
    pthread_mutex_destroy(&conn->mu);
    free(conn);
}

void nats__conn_ref(nats__conn *conn)
{
    atomic_fetch_add_explicit(&conn->refs, 1, memory_order_relaxed);
}

void nats__conn_unref(nats__conn *conn)
{
    if (atomic_fetch_sub_explicit(&conn->refs, 1, memory_order_acq_rel) == 1) {
        conn_free(conn);
    }
}

static nats_status set_up(nats__conn *conn, const char *urls, const nats_options *options)
{
    uint8_t seed[SEED_LEN];
    if (!nats__random(seed, sizeof seed)) {
        return nats__fail(NATS_ERR_IO, NULL, "the system gives no random numbers");
    }
    nats_status status =
        nats__session_new(urls, options, seed, sizeof seed, &conn->session);
    if (status != NATS_OK) {
        return status;
    }
    const char *local =
        nats__opt_text(nats__session_options(conn->session), NATS__OPT_local_address);
    if (local != NULL && !nats__address_parse(local, &conn->local)) {
        return nats__fail(NATS_ERR_INVALID, "local_address",
                          "local_address '%s' is not an IP address", local);
    }
    conn->chunks = nats__session_parser(conn->session)->pool;
    conn->hold.pool = conn->chunks;
    nats__chunk_pool_watch(conn->chunks, &nats__forks);
    conn->wake_fd = nats__wake_new();
    if (conn->wake_fd < 0) {
        return nats__fail(NATS_ERR_IO, NULL, "no descriptor for waking threads");
    }
    conn->out.payload_max = nats__session_max_payload(conn->session);
    if (nats__conn_opt(conn, NATS__OPT_trace) != 0) {
        conn->trace = nats__trace_new();
    }
    bool missing = conn->trace == NULL && nats__conn_opt(conn, NATS__OPT_trace) != 0;
    return missing ? nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory") : NATS_OK;
}

nats_status nats__conn_new(const char *urls, const nats_options *options, nats__conn **out)
{
    *out = NULL;
    nats__fork_watch();
    nats__conn *conn = calloc(1, sizeof *conn);
    if (conn == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    atomic_init(&conn->refs, 1);
    pthread_mutex_init(&conn->mu, NULL);
    conn->fork_generation = nats__fork_generation();
    conn->wake_fd = -1;
    conn->keeper_fd = -1;
    conn->fd = -1;
    conn->out.fd = -1;
    conn->out.epoch = 1;
    conn->rest_ns = INT64_MAX;
    conn->attempt_deadline_ns = INT64_MAX;
    conn->budget_ns = INT64_MAX;
    conn->hooks_due_ns = INT64_MAX;

    nats_status status = set_up(conn, urls, options);
    if (status != NATS_OK) {
        nats__conn_unref(conn);
        return status;
    }
    *out = conn;
    return NATS_OK;
}

/* ---- opened ---- */

nats_status nats__conn_not_opened(nats__conn *conn, bool signal)
{
    if (signal) {
        return nats__fail(NATS_ERR_INTERRUPTED, NULL, "interrupted by a signal while connecting");
    }
    if (conn->last_status != NATS_OK) {
        char text[NATS__ERROR_TEXT_MAX];
        snprintf(text, sizeof text, "%s", conn->last_text);
        return nats__fail(conn->last_status, "url", "connect: %s", text);
    }
    return nats__fail(NATS_ERR_TIMEOUT, "connect_timeout",
                      "connect: no server answered within connect_timeout (%lld ms)",
                      (long long)nats__conn_opt(conn, NATS__OPT_connect_timeout));
}

nats_status nats__conn_open(nats__conn *conn)
{
    bool interruptible = nats__conn_opt(conn, NATS__OPT_interruptible) != 0;
    bool signal = false;
    int64_t budget = nats__deadline_in(nats__conn_opt(conn, NATS__OPT_connect_timeout));

    pthread_mutex_lock(&conn->mu);
    conn->budget_ns = budget;
    conn->opening = true;
    nats_status status = nats__session_start(conn->session, nats__now_ns());
    nats__conn_take_over(conn);
    while (status == NATS_OK && !conn->connected && !conn->closed && !signal) {
        if (nats__session_first_round_over(conn->session) || nats__now_ns() >= budget) {
            break;
        }
        signal = nats__conn_drive(conn, budget) && interruptible;
    }
    conn->budget_ns = INT64_MAX;
    conn->opening = false;
    bool goes_on = nats__conn_opt(conn, NATS__OPT_retry_on_connect) && !signal && !conn->closed;
    if (status == NATS_OK && !conn->connected && !goes_on) {
        status = nats__conn_not_opened(conn, signal);
    }
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        client->news = false; /* who called nats_connect() knows that it is connected */
    }
    nats__conn_leave(conn);
    pthread_mutex_unlock(&conn->mu);
    return status;
}

/* ---- closed ---- */

static void end_subs(nats__conn *conn)
{
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        while (client->subs != NULL) {
            nats__sub_ended(client->subs);
        }
    }
}

void nats__conn_shutdown(nats__conn *conn, nats_status status, int32_t kind, const char *text)
{
    if (conn->closed) {
        return;
    }
    conn->closed = true;
    /* First: what is accepted later than the outbox is settled nobody would count. */
    nats__spin_lock(&conn->out_lock);
    conn->out.closed = true;
    nats__spin_unlock(&conn->out_lock);
    nats__requests_fail(conn, NULL, NATS_ERR_CLOSED);
    nats__dial_drop(conn);
    uint64_t lost = 0;
    uint64_t unconfirmed = 0;
    nats__writer_detach(conn, false, &lost, &unconfirmed);
    conn->totals.lost += lost;
    conn->totals.unconfirmed += unconfirmed;

    end_subs(conn);
    if (conn->trace != NULL) {
        nats__event_trace(conn);
    }
    nats__event_push(conn, NULL,
                     &(nats__event_facts){.type = NATS_EVENT_CLOSED,
                                          .status = status,
                                          .kind = kind,
                                          .text = text,
                                          .lost = lost + conn->lost,
                                          .unconfirmed = unconfirmed + conn->unconfirmed});
    nats__conn_wake(conn);
}

void nats__conn_close(nats__conn *conn, bool flush)
{
    nats__writer_state out = nats__writer_look(conn);
    bool unsure = out.pending > 0 || out.accepted > out.resolved;
    if (flush && conn->connected && !conn->closed && unsure) {
        int64_t rtt;
        nats__conn_flush(conn, nats__deadline_in(CLOSE_MS), &rtt);
    }
    /* The driver, if it is a caller that waits, leaves when it is woken, and nobody follows it. */
    conn->closing = true;
    while (!conn->closed && !nats__conn_take_over(conn)) {
        nats__conn_wake(conn);
        pthread_mutex_unlock(&conn->mu);
        sched_yield();
        pthread_mutex_lock(&conn->mu);
    }
    if (!conn->closed) {
        nats__session_close(conn->session);
        nats__conn_shutdown(conn, NATS_OK, NATS_KIND_NONE, "");
        nats__conn_leave(conn);
    }
}
