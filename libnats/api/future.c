#include "api/enter.h"
#include "base/clock.h"

#include <stdio.h>

static nats_status enter(const nats_future *future)
{
    return future == NULL ? nats__null_argument("future") : nats__enter(future->client);
}

/* How it ended has been told. */
static void settle(nats_future *future)
{
    if (future->untold) {
        future->untold = false;
        future->client->replies--;
        nats__client_took(future->client);
    }
}

static nats_status told(nats_future *future)
{
    const char *subject = (const char *)future->subject.data;
    int len = (int)future->subject.len;
    if (future->failed_told || future->status == NATS_OK) {
        return nats__fail(NATS_ERR_CLOSED, "future", "the request to %.*s has ended", len, subject);
    }
    future->failed_told = true;
    settle(future);
    if (future->goal != NATS__GOAL_REPLIES) {
        return nats__goal_words(future);
    }
    if (future->words != NULL) {
        *nats__error_get() = *future->words;
        return future->status;
    }
    char about[NATS__ERROR_ABOUT_MAX];
    snprintf(about, sizeof about, "%.*s", len, subject);
    switch (future->status) {
    case NATS_ERR_TIMEOUT:
        return nats__fail(NATS_ERR_TIMEOUT, about, "no reply to the request to %.*s in time", len,
                          subject);
    case NATS_ERR_NO_RESPONDERS:
        return nats__fail(NATS_ERR_NO_RESPONDERS, about, "no responders for %.*s", len, subject);
    case NATS_ERR_DISCONNECTED:
        return nats__fail(NATS_ERR_DISCONNECTED, about,
                          "the connection was lost while waiting for a reply from %.*s", len,
                          subject);
    case NATS_ERR_PERMISSION:
        return nats__fail(NATS_ERR_PERMISSION, about,
                          "no permission to publish to %.*s, or to receive its reply", len,
                          subject);
    case NATS_ERR_MAX_PAYLOAD:
        return nats__fail(NATS_ERR_MAX_PAYLOAD, "max_payload",
                          "the request to %.*s waited, and is over this server's max_payload", len,
                          subject);
    case NATS_ERR_NOT_SUPPORTED:
        return nats__fail(NATS_ERR_NOT_SUPPORTED, "headers",
                          "the request to %.*s waited, and this server does not take its headers",
                          len, subject);
    default:
        return nats__fail(future->status, "client", "closed while waiting for a reply from %.*s",
                          len, subject);
    }
}

/* What there is now. mu held. OK with *msg_out NULL: open, or (many) at its end. */
static nats_status look(nats_future *future, nats_msg **msg_out)
{
    nats__future_expire(future, nats__now_ns());
    *msg_out = nats__future_take(future);
    if (*msg_out != NULL || future->open) {
        return NATS_OK;
    }
    bool normal_end = future->many && future->status == NATS_OK && !future->end_told;
    if (normal_end) {
        future->end_told = true;
        settle(future);
        return NATS_OK;
    }
    return told(future);
}

/* The end of a goal has been told: what may wait for other threads. mu not held. */
static nats_status after(nats_future *future, nats_status status, bool ended)
{
    nats_client *client = future->client;
    if (future->goal == NATS__GOAL_REPLIES || !ended) {
        return status;
    }
    nats__writer_kick(future->conn);
    bool fatal = future->goal == NATS__GOAL_CONNECTED || future->goal == NATS__GOAL_DRAINED;
    if (status != NATS_OK && fatal) {
        nats__error failed = *nats__error_get();
        nats__client_close(client, false); /* its time is used up */
        *nats__error_get() = failed;
    }
    return status;
}

nats_status nats_future_poll(nats_future *future, nats_msg **msg_out, int32_t *done_out)
{
    if (msg_out == NULL || done_out == NULL) {
        return nats__null_argument(msg_out == NULL ? "msg_out" : "done_out");
    }
    *msg_out = NULL;
    *done_out = 1;
    nats_status status = enter(future);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&future->conn->mu);
    bool again = future->end_told || future->failed_told;
    status = look(future, msg_out);
    *done_out = !future->open && future->queue.head == NULL;
    pthread_mutex_unlock(&future->conn->mu);
    return nats__leave(future->client, after(future, status, *done_out != 0 && !again));
}

static bool has_something(void *what)
{
    const nats_future *future = what;
    return future->queue.head != NULL || !future->open;
}

nats_status nats_future_wait(nats_future *future, int64_t wait_ms, nats_msg **msg_out)
{
    if (msg_out == NULL) {
        return nats__null_argument("msg_out");
    }
    *msg_out = NULL;
    nats_status status = enter(future);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = future->conn;
    int64_t wait_ns = nats__deadline_in(wait_ms);

    pthread_mutex_lock(&conn->mu);
    bool again = future->end_told || future->failed_told;
    for (;;) {
        status = look(future, msg_out);
        if (status != NATS_OK || *msg_out != NULL || !future->open) {
            break;
        }
        int64_t own = nats__future_deadline_ns(future);
        status = nats__conn_wait(conn, future, has_something, future,
                                 own < wait_ns ? own : wait_ns);
        if (status == NATS_ERR_INTERRUPTED) {
            nats__fail(status, NULL, "interrupted by a signal while waiting for a reply");
            break;
        }
        if (status == NATS_ERR_TIMEOUT && wait_ns < own) {
            nats__fail(status, "wait", "no reply yet: the request is still open");
            break;
        }
    }
    bool ended = !future->open && !again;
    pthread_mutex_unlock(&conn->mu);
    return nats__leave(future->client, after(future, status, ended));
}

int32_t nats_future_done(nats_future *future)
{
    if (enter(future) != NATS_OK) {
        return 1;
    }
    pthread_mutex_lock(&future->conn->mu);
    nats__future_expire(future, nats__now_ns());
    bool done = !future->open && future->queue.head == NULL;
    pthread_mutex_unlock(&future->conn->mu);
    return done;
}

void nats_future_cancel(nats_future *future)
{
    if (enter(future) != NATS_OK) {
        return;
    }
    pthread_mutex_lock(&future->conn->mu);
    nats__future_cancel(future);
    pthread_mutex_unlock(&future->conn->mu);
    nats__writer_kick(future->conn); /* UNSUBs of a drain that was given up */
}

void nats_future_free(nats_future *future)
{
    if (future == NULL || enter(future) != NATS_OK) {
        return;
    }
    nats_client *client = future->client;
    nats__conn *conn = future->conn;
    pthread_mutex_lock(&conn->mu);
    nats__future_free(future);
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    nats__client_unref(client);
}
