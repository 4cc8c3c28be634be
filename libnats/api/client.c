#include <stdlib.h>
#include <string.h>

#include "api/enter.h"
#include "base/clock.h"
#include "proto/subject.h"

/* ---- life ---- */

static bool names_a_server(const char *urls)
{
    return urls != NULL && urls[strspn(urls, " \t")] != '\0';
}

/* A setting that was left empty is like one that was not made: $NATS_URL, or NULL for the default. */
static const char *servers_of(const char *url)
{
    if (names_a_server(url)) {
        return url;
    }
    const char *urls = getenv("NATS_URL");
    return names_a_server(urls) ? urls : NULL;
}

/* A client on a connection that is still to be made. */
static nats_status new_client(const char *url, const nats_options *options,
                              nats_client **client_out)
{
    nats__conn *conn;
    nats_status status = nats__conn_new(servers_of(url), options, &conn);
    if (status != NATS_OK) {
        return status;
    }
    status = nats__client_new(conn, client_out);
    nats__conn_unref(conn); /* the client holds it */
    return status;
}

/* A call that failed has no result; its words stay. */
static nats_status give_up(nats_client **client_out, nats_status status)
{
    nats__error failed = *nats__error_get();
    nats_client_free(*client_out);
    *client_out = NULL;
    *nats__error_get() = failed;
    return status;
}

nats_status nats_connect(const char *url, const nats_options *options, nats_client **client_out)
{
    if (client_out == NULL) {
        return nats__null_argument("client_out");
    }
    *client_out = NULL;
    nats_status status = new_client(url, options, client_out);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = (*client_out)->conn;
    status = nats__conn_open(conn);
    if (status == NATS_OK && nats__conn_opt(conn, NATS__OPT_keeper)) {
        status = nats__keeper_start(conn);
    }
    return status == NATS_OK ? NATS_OK : give_up(client_out, status);
}

#define WORD_NS (20 * NATS__MS)

/* Whatever the first step brings is told by the future. */
static nats_status start_to_connect(nats_client *client, nats_future **future_out)
{
    nats__conn *conn = client->conn;
    int64_t budget = nats__deadline_in(nats__conn_opt(conn, NATS__OPT_connect_timeout));
    /* The attempt ends with the budget, and knows how far it came: the future leaves it the word. */
    int64_t end = budget < INT64_MAX - WORD_NS ? budget + WORD_NS : INT64_MAX;
    pthread_mutex_lock(&conn->mu);
    conn->budget_ns = budget;
    nats_status status =
        nats__goal_start(client, NATS__GOAL_CONNECTED, NULL, end, future_out);
    if (status == NATS_OK) {
        status = nats__session_start(conn->session, nats__now_ns());
    }
    if (status == NATS_OK) {
        nats__conn_step(conn);
    }
    pthread_mutex_unlock(&conn->mu);
    if (status == NATS_OK && nats__conn_opt(conn, NATS__OPT_keeper)) {
        status = nats__keeper_start(conn);
    }
    return status;
}

nats_status nats_connect_start(const char *url, const nats_options *options,
                               nats_client **client_out, nats_future **future_out)
{
    if (client_out == NULL || future_out == NULL) {
        return nats__null_argument(client_out == NULL ? "client_out" : "future_out");
    }
    *client_out = NULL;
    *future_out = NULL;
    nats_status status = new_client(url, options, client_out);
    if (status != NATS_OK) {
        return status;
    }
    status = start_to_connect(*client_out, future_out);
    if (status == NATS_OK) {
        return NATS_OK;
    }
    nats__error failed = *nats__error_get();
    nats_future_free(*future_out);
    *future_out = NULL;
    *nats__error_get() = failed;
    return give_up(client_out, status);
}

nats_status nats_client_share(nats_client *client, nats_client **client_out)
{
    if (client_out == NULL) {
        return nats__null_argument("client_out");
    }
    *client_out = NULL;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    pthread_mutex_lock(&conn->mu);
    status = client->closed || conn->closed
                 ? nats__fail(NATS_ERR_CLOSED, "client", "the client is closed")
                 : nats__client_new(conn, client_out);
    pthread_mutex_unlock(&conn->mu);
    return nats__leave(client, status);
}

/* flush: wait a little for what was published. mu held; given up meanwhile. */
static void close_client(nats_client *client, bool flush)
{
    nats__conn *conn = client->conn;
    if (client->closed) {
        return;
    }
    client->closed = true;
    nats__conn_wake(conn);
    if (conn->closed) {
        nats__client_end(client);
        return;
    }
    nats__hooks_closing(client);
    if (conn->client_count == 1) {
        nats__conn_close(conn, flush);
    } else {
        nats__event_push(conn, client, &(nats__event_facts){.type = NATS_EVENT_CLOSED});
    }
    nats__client_end(client);
}

void nats__client_close(nats_client *client, bool flush)
{
    nats__conn *conn = client->conn;
    pthread_mutex_lock(&conn->mu);
    close_client(client, flush);
    bool over = conn->closed && conn->client_count == 0;
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    if (over) {
        nats__keeper_stop(conn);
    }
}

nats_status nats_client_close(nats_client *client)
{
    nats_status status = nats__enter(client);
    if (status == NATS_OK) {
        nats__client_close(client, true);
    }
    return status;
}

nats_status nats_client_drain(nats_client *client, int64_t timeout_ms)
{
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    int64_t ms = timeout_ms >= 0 ? timeout_ms : nats__conn_opt(conn, NATS__OPT_drain_timeout);
    pthread_mutex_lock(&conn->mu);
    client->draining = true;
    status = nats__client_drain(client, nats__deadline_in(ms));
    bool empty = client->pending == 0;
    pthread_mutex_unlock(&conn->mu);

    nats__error failed = *nats__error_get();
    if (status == NATS_OK && empty) {
        nats__client_close(client, true);
    } else if (status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
        nats__client_close(client, false); /* its time is used up */
    }
    if (status != NATS_OK) {
        *nats__error_get() = failed;
    }
    return nats__leave(client, status);
}

void nats_client_free(nats_client *client)
{
    if (client == NULL || nats__enter(client) != NATS_OK) {
        return; /* a child of fork() leaves all to its parent */
    }
    nats_client_close(client);
    nats__client_unref(client);
}

nats_status nats_client_reconnect(nats_client *client)
{
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    if (nats__conn_opt(conn, NATS__OPT_reconnect) == 0) {
        return nats__leave(client, nats__fail(NATS_ERR_INVALID, "reconnect",
                                              "the option reconnect is off"));
    }
    pthread_mutex_lock(&conn->mu);
    conn->reconnect_wanted = true;
    nats__conn_step(conn);
    nats__conn_wake(conn); /* also a driver that sleeps */
    pthread_mutex_unlock(&conn->mu);
    return NATS_OK;
}

/* ---- subscribe ---- */

static nats_status check_queue(const char *queue, size_t *queue_len)
{
    *queue_len = queue != NULL ? nats__text_len(queue, *queue_len) : 0;
    return *queue_len > 0 ? nats__queue_check(queue, *queue_len) : NATS_OK;
}

/* Before the first message: mu is not given up since it was made. */
static void set_up_sub(nats_sub *sub, int64_t pending_msgs, int64_t pending_bytes, int32_t mode)
{
    if (pending_msgs != 0) {
        sub->queue.msgs_max = pending_msgs < 0 ? UINT64_MAX : (uint64_t)pending_msgs;
    }
    if (pending_bytes != 0) {
        sub->queue.bytes_max = pending_bytes < 0 ? UINT64_MAX : (uint64_t)pending_bytes;
    }
    nats__sub_set_mode(sub, mode);
}

static nats_status check_subscribe(const char *subject, size_t *subject_len, const char *queue,
                                   size_t *queue_len)
{
    if (subject == NULL) {
        return nats__null_argument("subject");
    }
    *subject_len = nats__text_len(subject, *subject_len);
    nats_status status = nats__pattern_check("subject", subject, *subject_len);
    return status == NATS_OK ? check_queue(queue, queue_len) : status;
}

nats_status nats_client_subscribe(nats_client *client, const char *subject, size_t subject_len,
                                  const char *queue, size_t queue_len, uint64_t max,
                                  nats_sub **sub_out)
{
    return nats_client_subscribe_with(client, subject, subject_len, queue, queue_len, max, 0, 0,
                                      NATS_SUB_SHARED, sub_out);
}

nats_status nats_client_subscribe_with(nats_client *client, const char *subject,
                                       size_t subject_len, const char *queue, size_t queue_len,
                                       uint64_t max, int64_t pending_msgs, int64_t pending_bytes,
                                       int32_t mode, nats_sub **sub_out)
{
    if (sub_out != NULL) {
        *sub_out = NULL;
    }
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    status = check_subscribe(subject, &subject_len, queue, &queue_len);
    if (status == NATS_OK) {
        status = nats__limits_check(pending_msgs, pending_bytes, true);
    }
    if (status == NATS_OK) {
        status = nats__mode_check(mode);
    }
    if (status == NATS_OK && mode == NATS_SUB_PRIVATE && sub_out == NULL) {
        status = nats__null_argument("sub_out"); /* nobody could take its messages */
    }
    nats__conn *conn = client->conn;
    if (status == NATS_OK) {
        status = nats__writer_make_room(conn);
    }
    if (status != NATS_OK) {
        return nats__leave(client, status);
    }

    nats_sub *sub = NULL;
    pthread_mutex_lock(&conn->mu);
    status = client->closed || client->draining
                 ? nats__fail(NATS_ERR_CLOSED, "client", "the client is %s",
                              client->closed ? "closed" : "draining")
                 : nats__sub_new(conn, client, subject, subject_len, queue, queue_len, max, &sub);
    if (status == NATS_OK) {
        set_up_sub(sub, pending_msgs, pending_bytes, mode);
    }
    pthread_mutex_unlock(&conn->mu);
    if (status != NATS_OK) {
        return nats__leave(client, status);
    }
    nats__writer_kick(conn);
    if (sub_out != NULL) {
        *sub_out = sub;
    } else {
        nats__sub_unref(sub);
    }
    return NATS_OK;
}

/* The connection ends by itself, too, and has ended its subscriptions then. mu held. */
static nats_status check_alive(const nats_client *client)
{
    return client->closed || client->conn->closed
               ? nats__fail(NATS_ERR_CLOSED, "client", "the client is closed")
               : NATS_OK;
}

nats_status nats_client_unsubscribe(nats_client *client, uint64_t sid, uint64_t after)
{
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = client->conn;
    status = after > 0 ? nats__writer_make_room(conn) : NATS_OK;
    if (status != NATS_OK) {
        return nats__leave(client, status);
    }
    pthread_mutex_lock(&conn->mu);
    status = check_alive(client);
    nats_sub *sub = (nats_sub *)nats__session_find(conn->session, sid);
    if (status == NATS_OK && (sub == NULL || sub->client != client)) {
        status = nats__fail(NATS_ERR_INVALID, "sid", "sid %llu is no subscription of this client",
                            (unsigned long long)sid);
    }
    if (status == NATS_OK) {
        status = nats__sub_unsubscribe(sub, after);
    }
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    return nats__leave(client, status);
}

nats_status nats_client_unsubscribe_subject(nats_client *client, const char *subject,
                                            size_t subject_len, uint64_t after, size_t *count_out)
{
    size_t count = 0;
    if (count_out != NULL) {
        *count_out = 0;
    }
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    if (subject == NULL) {
        return nats__leave(client, nats__null_argument("subject"));
    }
    subject_len = nats__text_len(subject, subject_len);
    nats__conn *conn = client->conn;
    status = after > 0 ? nats__writer_make_room(conn) : NATS_OK;

    pthread_mutex_lock(&conn->mu);
    status = status == NATS_OK ? check_alive(client) : status;
    for (nats_sub *sub = client->subs, *next; sub != NULL && status == NATS_OK; sub = next) {
        next = sub->next;
        if (sub->rec.subject_len == subject_len &&
            memcmp(sub->rec.subject, subject, subject_len) == 0) {
            status = nats__sub_unsubscribe(sub, after);
            count += status == NATS_OK ? 1 : 0;
        }
    }
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    if (count_out != NULL) {
        *count_out = count;
    }
    return nats__leave(client, status);
}

/* ---- receive ---- */

typedef struct wish {
    bool waits; /* nats_client_wake() is for calls that do */
    nats_client *client;
    nats__msg_list *list;
} wish;

static bool drained(const nats_client *client)
{
    return client->drained && client->pending == 0;
}

static bool get_ready(void *what)
{
    const wish *self = what;
    return self->list->head != NULL || (self->waits && self->client->woken) ||
           self->client->closed || drained(self->client);
}

/* Take; look at the socket once if that is not enough; wait only when there was nothing. mu
 * held. */
static nats_status get_some(wish *self, size_t max, int64_t wait_ms, nats_msg **batch,
                            size_t *count_out)
{
    nats__conn *conn = self->client->conn;
    nats_status status = NATS_OK;
    *count_out = nats__list_take(conn, self->list, batch, max);
    if (*count_out < max) {
        bool nothing = *count_out == 0;
        if (nothing) {
            status = nats__conn_wait(conn, self->client, get_ready, self,
                                     nats__deadline_in(wait_ms));
        } else {
            nats__conn_step(conn);
        }
        *count_out += nats__list_take(conn, self->list, batch + *count_out, max - *count_out);
        self->client->woken = self->client->woken && !(nothing && self->waits);
    }
    if (*count_out > 0) {
        nats__client_signal(self->client);
        return NATS_OK;
    }
    return status;
}

static nats_status get(nats_client *client, nats__msg_list *list, size_t max, int64_t wait_ms,
                       nats_msg **batch, size_t *count_out)
{
    wish self = {.waits = wait_ms != 0, .client = client, .list = list};
    nats__conn *conn = client->conn;
    pthread_mutex_lock(&conn->mu);
    nats_status status = get_some(&self, max, wait_ms, batch, count_out);
    bool over = *count_out == 0 && (client->closed || conn->closed || drained(client));
    bool rest = client->pending > 0; /* for others: of private subscriptions, or for callbacks */
    nats__conn_unlock(conn);

    if (over) {
        if (!rest) {
            nats_client_close(client);
        }
        return nats__fail(NATS_ERR_CLOSED, "client", "the client is closed");
    }
    if (status == NATS_ERR_INTERRUPTED) {
        return nats__fail(status, NULL, "interrupted by a signal while waiting for messages");
    }
    return status == NATS_ERR_TIMEOUT ? NATS_OK : status;
}

static nats_status check_room(nats_msg **batch, size_t max, size_t *count_out)
{
    if (count_out == NULL) {
        return nats__null_argument("count_out");
    }
    *count_out = 0;
    return batch == NULL && max > 0 ? nats__null_argument("batch") : NATS_OK;
}

nats_status nats_client_get(nats_client *client, size_t max, int64_t wait_ms, nats_msg **batch,
                            size_t *count_out)
{
    nats_status status = check_room(batch, max, count_out);
    if (status == NATS_OK) {
        status = nats__enter_open(client);
    }
    if (status != NATS_OK || max == 0) {
        return status;
    }
    return nats__leave(client, get(client, &client->inbox, max, wait_ms, batch, count_out));
}

nats_status nats_client_get_callbacks(nats_client *client, size_t max, int64_t wait_ms,
                                      nats_msg **batch, size_t *count_out)
{
    nats_status status = check_room(batch, max, count_out);
    if (status == NATS_OK) {
        status = nats__enter_open(client);
    }
    if (status != NATS_OK || max == 0) {
        return status;
    }
    return nats__leave(client, get(client, &client->callbacks, max, wait_ms, batch, count_out));
}

nats_status nats_client_wake(nats_client *client)
{
    nats_status status = nats__enter(client);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&client->conn->mu);
    client->woken = true;
    nats__conn_wake(client->conn);
    pthread_mutex_unlock(&client->conn->mu);
    return NATS_OK;
}

/* ---- events ---- */

static bool event_ready(void *what)
{
    const wish *self = what;
    const nats_client *client = self->client;
    return client->events != NULL || (self->waits && client->woken) || client->closed;
}

static nats_event *take_event(nats_client *client)
{
    nats_event *event = client->events;
    if (event != NULL) {
        client->events = event->next;
        client->event_count--;
        nats__auth_seen(client->conn, event);
        nats__client_took(client);
    }
    return event;
}

nats_status nats_client_next_event(nats_client *client, int64_t wait_ms, nats_event **event_out)
{
    if (event_out == NULL) {
        return nats__null_argument("event_out");
    }
    *event_out = NULL;
    nats_status status = nats__enter(client);
    if (status != NATS_OK) {
        return status;
    }
    wish self = {.waits = wait_ms != 0, .client = client};
    nats__conn *conn = client->conn;
    pthread_mutex_lock(&conn->mu);
    if (conn->trace != NULL) {
        nats__event_trace(conn);
    }
    if (client->events == NULL && !client->closed) {
        status = nats__conn_wait(conn, client, event_ready, &self, nats__deadline_in(wait_ms));
        client->woken = client->woken && !self.waits;
    }
    *event_out = take_event(client);
    bool over = *event_out == NULL && (client->closed || conn->closed);
    pthread_mutex_unlock(&conn->mu);

    if (*event_out != NULL || (status == NATS_ERR_TIMEOUT && !over)) {
        return NATS_OK;
    }
    if (status == NATS_ERR_INTERRUPTED) {
        nats__fail(status, NULL, "interrupted by a signal while waiting for an event");
    } else if (over) {
        status = nats__fail(NATS_ERR_CLOSED, "client", "the client is closed");
    }
    return nats__leave(client, status);
}
