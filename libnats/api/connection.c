/* What a client knows of its connection, and how foreign loops drive it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/enter.h"
#include "base/clock.h"
#include "io/poll.h"
#include "json/json.h"

/* ---- flush ---- */

static nats_status flush(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out)
{
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    int64_t ms = timeout_ms >= 0 ? timeout_ms : nats__conn_opt(conn, NATS__OPT_request_timeout);
    pthread_mutex_lock(&conn->mu);
    status = nats__conn_flush(conn, nats__deadline_in(ms), rtt_ns_out);
    pthread_mutex_unlock(&conn->mu);
    return nats__leave(client, status);
}

nats_status nats_client_flush(nats_client *client, int64_t timeout_ms)
{
    int64_t rtt;
    return flush(client, timeout_ms, &rtt);
}

nats_status nats_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out)
{
    if (rtt_ns_out == NULL) {
        return nats__null_argument("rtt_ns_out");
    }
    *rtt_ns_out = 0;
    return flush(client, timeout_ms, rtt_ns_out);
}

/* ---- the same without waiting ---- */

/* sub: NULL for the client's own goals. option: the timeout of one that is not given. */
static nats_status start(nats_client *client, nats__goal goal, nats_sub *sub,
                         nats__option_id option, int64_t timeout_ms, nats_future **future_out)
{
    *future_out = NULL;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    int64_t ms = timeout_ms >= 0 ? timeout_ms : nats__conn_opt(conn, option);
    pthread_mutex_lock(&conn->mu);
    status = client->closed || conn->closed
                 ? nats__fail(NATS_ERR_CLOSED, "client", "the client is closed")
                 : nats__goal_start(client, goal, sub, nats__deadline_in(ms), future_out);
    if (status == NATS_OK) {
        client->draining = client->draining || goal == NATS__GOAL_DRAINED;
        nats__conn_step(conn); /* what it is about goes out now, burst or not */
    }
    pthread_mutex_unlock(&conn->mu);
    nats__writer_flush(conn); /* also when another thread drives, and sleeps */
    if (status != NATS_OK && *future_out != NULL) {
        nats__error failed = *nats__error_get();
        nats_future_free(*future_out);
        *future_out = NULL;
        *nats__error_get() = failed;
    }
    return nats__leave(client, status);
}

nats_status nats_client_flush_start(nats_client *client, int64_t timeout_ms,
                                    nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    return start(client, NATS__GOAL_FLUSHED, NULL, NATS__OPT_request_timeout, timeout_ms,
                 future_out);
}

nats_status nats_client_drain_start(nats_client *client, int64_t timeout_ms,
                                    nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    return start(client, NATS__GOAL_DRAINED, NULL, NATS__OPT_drain_timeout, timeout_ms, future_out);
}

nats_status nats_sub_drain_start(nats_sub *sub, int64_t timeout_ms, nats_future **future_out)
{
    if (sub == NULL || future_out == NULL) {
        return nats__null_argument(sub == NULL ? "sub" : "future_out");
    }
    return start(sub->client, NATS__GOAL_SUB_DRAINED, sub, NATS__OPT_drain_timeout, timeout_ms,
                 future_out);
}

/* ---- what it knows ---- */

int32_t nats_client_status(nats_client *client)
{
    if (nats__enter(client) != NATS_OK) {
        return NATS_CLIENT_CLOSED;
    }
    nats__conn *conn = client->conn;
    pthread_mutex_lock(&conn->mu);
    int32_t status = client->closed || conn->closed ? NATS_CLIENT_CLOSED
                     : client->draining             ? NATS_CLIENT_DRAINING
                     : conn->connected              ? NATS_CLIENT_CONNECTED
                                                    : NATS_CLIENT_RECONNECTING;
    pthread_mutex_unlock(&conn->mu);
    return status;
}

nats_status nats_client_new_inbox(nats_client *client, char *buffer, size_t size, size_t *len_out)
{
    if (len_out != NULL) {
        *len_out = 0;
    }
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&client->conn->mu);
    status = nats__session_new_inbox(client->conn->session, buffer, size, len_out);
    pthread_mutex_unlock(&client->conn->mu);
    return nats__leave(client, status);
}

nats_status nats_client_server_info(nats_client *client, nats_info **info_out)
{
    if (info_out == NULL) {
        return nats__null_argument("info_out");
    }
    *info_out = NULL;
    nats_status status = nats__enter(client);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&client->conn->mu);
    *info_out = nats__info_copy(nats__session_info(client->conn->session));
    pthread_mutex_unlock(&client->conn->mu);
    if (*info_out == NULL) {
        status = nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    return nats__leave(client, status);
}

static const char *status_name(int32_t status)
{
    switch (status) {
    case NATS_CLIENT_CONNECTED:
        return "connected";
    case NATS_CLIENT_RECONNECTING:
        return "reconnecting";
    case NATS_CLIENT_DRAINING:
        return "draining";
    default:
        return "closed";
    }
}

static void set_text(nats__json *object, const char *name, const char *text)
{
    nats__json_set_text(object, name, text, strlen(text));
}

/* mu held. */
static void set_server(nats__json *object, nats__conn *conn)
{
    static const char *const told[] = {"server_id", "server_name", "version", "cluster"};
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    const nats_info *info = nats__session_info(conn->session);
    set_text(object, "url", server != NULL ? server->url.text : "");
    for (size_t i = 0; i < sizeof told / sizeof told[0]; i++) {
        const char *text = info != NULL ? nats__info_text(info, told[i], NULL) : NULL;
        set_text(object, told[i], text != NULL ? text : "");
    }
    nats__json_set_int(object, "client_id", info != NULL ? info->client_id : 0);
}

/* mu held. */
static void set_tls(nats__json *object, nats__conn *conn)
{
    nats__tls_facts facts = {"", "", false};
    bool secure = conn->tls != NULL && conn->connected;
    if (secure) {
        facts = nats__tls_facts_of(conn->tls);
    }
    nats__json_set_bool(object, "tls", secure);
    set_text(object, "tls_version", facts.version);
    set_text(object, "tls_cipher", facts.cipher);
    nats__json_set_bool(object, "tls_resumed", facts.resumed);
}

static nats_status make_info(nats__json *object, nats_info **info_out)
{
    char *json = object != NULL ? nats__json_write(object) : NULL;
    nats_status status = json != NULL ? nats__info_parse(json, strlen(json), info_out)
                                      : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    free(json);
    nats__json_free(object);
    return status;
}

nats_status nats_client_info(nats_client *client, nats_info **info_out)
{
    if (info_out == NULL) {
        return nats__null_argument("info_out");
    }
    *info_out = NULL;
    nats_status status = nats__enter(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    nats__json *object = nats__json_object();
    int32_t state = nats_client_status(client);
    if (object != NULL) {
        pthread_mutex_lock(&conn->mu);
        set_text(object, "status", status_name(state));
        set_server(object, conn);
        set_tls(object, conn);
        set_text(object, "last_error", conn->last_text);
        set_text(object, "last_error_code", nats_status_name(conn->last_status));
        pthread_mutex_unlock(&conn->mu);
    }
    return nats__leave(client, make_info(object, info_out));
}

int64_t nats_client_max_payload(nats_client *client)
{
    if (nats__enter(client) != NATS_OK) {
        return 0;
    }
    pthread_mutex_lock(&client->conn->mu);
    size_t max = nats__session_max_payload(client->conn->session);
    pthread_mutex_unlock(&client->conn->mu);
    return (int64_t)max;
}

uint64_t nats_client_pending(nats_client *client)
{
    if (nats__enter(client) != NATS_OK) {
        return 0;
    }
    pthread_mutex_lock(&client->conn->mu);
    uint64_t pending = client->pending;
    pthread_mutex_unlock(&client->conn->mu);
    return pending;
}

uint64_t nats_client_replies(nats_client *client)
{
    if (nats__enter(client) != NATS_OK) {
        return 0;
    }
    pthread_mutex_lock(&client->conn->mu);
    uint64_t replies = client->replies;
    pthread_mutex_unlock(&client->conn->mu);
    return replies;
}

nats_status nats_client_option_int(nats_client *client, const char *name, int64_t *value_out)
{
    if (value_out == NULL) {
        return nats__null_argument("value_out");
    }
    *value_out = 0;
    nats_status status = nats__enter(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__option_id id;
    const nats__option_rule *rule = nats__option_find(name, &id);
    if (rule == NULL) {
        return nats__leave(client, nats__option_unknown(name));
    }
    if (rule->type == NATS_OPTION_TEXT) {
        return nats__leave(client, nats__fail(NATS_ERR_INVALID, rule->name,
                                              "option '%s' is a text", rule->name));
    }
    *value_out = nats__conn_opt(client->conn, id);
    return NATS_OK;
}

/* In the order of stat_names. */
typedef enum stat {
    STAT_IN_MSGS,
    STAT_OUT_MSGS,
    STAT_IN_BYTES,
    STAT_OUT_BYTES,
    STAT_RECONNECTS,
    STAT_RECEIVED,
    STAT_DELIVERED,
    STAT_DROPPED,
    STAT_PENDING,
    STAT_STRAY,
    STAT_LOST,
    STAT_UNCONFIRMED,
    STAT_REFUSED,
    STAT_UNWRITTEN_BYTES,
    STAT_REQUESTS,
    STAT_OPEN_REQUESTS,
    STAT_LATE_REPLIES,
    STAT_SLOW_CONSUMERS,
    STAT_ERRORS,
    STAT_EVENTS_DROPPED,
    STAT_SUBSCRIPTIONS,
    STAT_PINGS_OUT,
    STAT_CONNECTS,
    STAT_RTT_NS,
    STAT_COUNT
} stat;

static const char *const stat_names[STAT_COUNT] = {
    [STAT_IN_MSGS] = "in_msgs",
    [STAT_OUT_MSGS] = "out_msgs",
    [STAT_IN_BYTES] = "in_bytes",
    [STAT_OUT_BYTES] = "out_bytes",
    [STAT_RECONNECTS] = "reconnects",
    [STAT_RECEIVED] = "received",
    [STAT_DELIVERED] = "delivered",
    [STAT_DROPPED] = "dropped",
    [STAT_PENDING] = "pending",
    [STAT_STRAY] = "stray",
    [STAT_LOST] = "lost",
    [STAT_UNCONFIRMED] = "unconfirmed",
    [STAT_REFUSED] = "refused",
    [STAT_UNWRITTEN_BYTES] = "unwritten_bytes",
    [STAT_REQUESTS] = "requests",
    [STAT_OPEN_REQUESTS] = "open_requests",
    [STAT_LATE_REPLIES] = "late_replies",
    [STAT_SLOW_CONSUMERS] = "slow_consumers",
    [STAT_ERRORS] = "errors",
    [STAT_EVENTS_DROPPED] = "events_dropped",
    [STAT_SUBSCRIPTIONS] = "subscriptions",
    [STAT_PINGS_OUT] = "pings_out",
    [STAT_CONNECTS] = "connects",
    [STAT_RTT_NS] = "rtt_ns",
};

const char *nats_stats_name(size_t index)
{
    return index < STAT_COUNT ? stat_names[index] : NULL;
}

/* All that went over sockets beside the protocol: of TLS. mu held. */
static void add_tls(nats__conn *conn, uint64_t *in_io, uint64_t *out_io)
{
    uint64_t in = 0;
    uint64_t out = 0;
    if (conn->tls != NULL) {
        nats__tls_overhead(conn->tls, &in, &out);
    }
    *in_io += conn->totals.tls_in_bytes + in;
    *out_io += conn->totals.tls_out_bytes + out;
}

/* mu held. */
static void collect(nats__conn *conn, uint64_t all[STAT_COUNT])
{
    const nats__totals *totals = &conn->totals;
    uint64_t inboxes = conn->mux != NULL ? 1 : 0;
    all[STAT_STRAY] = nats__session_stray_msgs(conn->session);
    all[STAT_IN_MSGS] = totals->received + all[STAT_STRAY];
    all[STAT_IN_BYTES] = totals->in_bytes;
    all[STAT_RECONNECTS] = totals->connects > 0 ? totals->connects - 1 : 0;
    all[STAT_RECEIVED] = totals->received;
    all[STAT_DELIVERED] = totals->delivered;
    all[STAT_DROPPED] = totals->dropped;
    all[STAT_PENDING] = conn->hold.msgs;
    all[STAT_LOST] = totals->lost;
    all[STAT_UNCONFIRMED] = totals->unconfirmed;
    all[STAT_REQUESTS] = totals->requests;
    all[STAT_OPEN_REQUESTS] = conn->open_futures - conn->open_goals;
    all[STAT_LATE_REPLIES] = totals->late_replies;
    all[STAT_SLOW_CONSUMERS] = totals->slow_consumers;
    all[STAT_ERRORS] = totals->errors;
    all[STAT_EVENTS_DROPPED] = totals->events_dropped;
    all[STAT_SUBSCRIPTIONS] = nats__session_sub_count(conn->session) - inboxes;
    all[STAT_PINGS_OUT] = (uint64_t)nats__session_pings_out(conn->session);
    nats__spin_lock(&conn->out_lock);
    all[STAT_OUT_MSGS] = conn->out.box.accepted;
    all[STAT_OUT_BYTES] = conn->out.box.written_bytes + conn->out.more_bytes;
    all[STAT_REFUSED] = conn->out.refused;
    all[STAT_UNWRITTEN_BYTES] = nats__outbox_pending(&conn->out.box);
    nats__spin_unlock(&conn->out_lock);
    add_tls(conn, &all[STAT_IN_BYTES], &all[STAT_OUT_BYTES]);
    all[STAT_CONNECTS] = totals->connects;
    all[STAT_RTT_NS] = (uint64_t)conn->last_rtt_ns;
}

size_t nats_client_stats(nats_client *client, uint64_t *values, size_t count)
{
    if (nats__enter(client) != NATS_OK) {
        return 0;
    }
    uint64_t all[STAT_COUNT];
    pthread_mutex_lock(&client->conn->mu);
    collect(client->conn, all);
    pthread_mutex_unlock(&client->conn->mu);
    for (size_t i = 0; values != NULL && i < count && i < STAT_COUNT; i++) {
        values[i] = all[i];
    }
    return STAT_COUNT;
}

/* ---- foreign loops ---- */

/* mu held. */
static nats_status make_loop(nats_client *client)
{
    nats__conn *conn = client->conn;
    client->ready_fd = nats__wake_new();
    client->loop_fd = client->ready_fd < 0 ? -1
                                           : nats__loop_new(client->ready_fd, &client->timer_fd);
    if (client->loop_fd < 0) {
        int error = errno;
        nats__fd_close(client->ready_fd);
        client->ready_fd = -1;
        return nats__fail(NATS_ERR_IO, "fd", "no descriptor: %s", strerror(error));
    }
    int fd;
    int want = nats__dial_wants(conn, &fd);
    want |= nats__writer_look(conn).blocked ? NATS__POLL_WRITE : 0;
    nats__loop_watch(client->loop_fd, -1, conn->wake_fd, NATS__POLL_READ);
    nats__loop_watch(client->loop_fd, -1, fd, want);
    conn->loop_want = -1; /* others may watch for more: all are told anew */
    client->timer_ns = INT64_MAX;
    nats__loop_due(client, nats__client_deadline_ns(client));
    nats__client_signal(client);
    return NATS_OK;
}

nats_status nats_client_fd(nats_client *client, int32_t *fd_out)
{
    if (fd_out == NULL) {
        return nats__null_argument("fd_out");
    }
    *fd_out = -1;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&client->conn->mu);
    if (client->loop_fd < 0) {
        status = make_loop(client);
    }
    *fd_out = client->loop_fd;
    pthread_mutex_unlock(&client->conn->mu);
    return nats__leave(client, status);
}

nats_status nats_client_fd_mode(nats_client *client, int32_t flags)
{
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    if ((flags & ~(NATS_FD_NEWS_ONLY | NATS_FD_WRITES_IN_TURNS)) != 0) {
        return nats__leave(client, nats__fail(NATS_ERR_INVALID, "flags",
                                              "flags %d are none of NATS_FD_…", (int)flags));
    }
    nats__conn *conn = client->conn;
    pthread_mutex_lock(&conn->mu);
    client->news_only = (flags & NATS_FD_NEWS_ONLY) != 0;
    client->news = client->news || (client->news_only && client->pending > 0);
    nats__client_signal(client);
    nats__spin_lock(&conn->out_lock);
    conn->out.in_turns = (flags & NATS_FD_WRITES_IN_TURNS) != 0 && !conn->keeper_runs;
    nats__spin_unlock(&conn->out_lock);
    pthread_mutex_unlock(&conn->mu);
    return NATS_OK;
}

nats_status nats_client_process(nats_client *client)
{
    nats_status status = nats__enter(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    pthread_mutex_lock(&conn->mu);
    nats__loop_turn(client);
    if (client->closed || conn->closed) {
        status = nats__fail(NATS_ERR_CLOSED, "client", "the %s is closed",
                            client->closed ? "client" : "connection");
    }
    pthread_mutex_unlock(&conn->mu);
    return nats__leave(client, status);
}

int64_t nats_client_deadline_ms(nats_client *client)
{
    if (nats__enter(client) != NATS_OK) {
        return -1;
    }
    pthread_mutex_lock(&client->conn->mu);
    bool closed = client->closed || client->conn->closed;
    int64_t deadline = closed ? INT64_MAX : nats__client_deadline_ns(client);
    pthread_mutex_unlock(&client->conn->mu);
    if (deadline == INT64_MAX) {
        return -1;
    }
    int64_t left = deadline - nats__now_ns();
    return left <= 0 ? 0 : (left + NATS__MS - 1) / NATS__MS;
}
