#include "api/enter.h"
#include "base/clock.h"

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
    switch (future->status) {
    case NATS_ERR_TIMEOUT:
        return nats__fail(NATS_ERR_TIMEOUT, "timeout", "no reply to the request to %.*s in time",
                          len, subject);
    case NATS_ERR_NO_RESPONDERS:
        return nats__fail(NATS_ERR_NO_RESPONDERS, "subject", "no responders for %.*s", len,
                          subject);
    case NATS_ERR_DISCONNECTED:
        return nats__fail(NATS_ERR_DISCONNECTED, "subject",
                          "the connection was lost while waiting for a reply from %.*s", len,
                          subject);
    case NATS_ERR_PERMISSION:
        return nats__fail(NATS_ERR_PERMISSION, "subject",
                          "no permission to publish to %.*s, or to receive its reply", len,
                          subject);
    default:
        return nats__fail(future->status, "client", "closed while waiting for a reply from %.*s",
                          len, subject);
    }
}

static nats_msg *take(nats_future *future)
{
    nats_msg *msg = future->head;
    if (msg != NULL) {
        future->head = msg->sub_next;
        future->client->replies--;
        future->conn->queued--;
        future->conn->totals.delivered++;
        nats__client_took(future->client);
    }
    return msg;
}

/* What there is now. mu held. OK with *msg_out NULL: open, or (many) at its end. */
static nats_status look(nats_future *future, nats_msg **msg_out)
{
    nats__future_expire(future, nats__now_ns());
    *msg_out = take(future);
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
    status = look(future, msg_out);
    *done_out = !future->open && future->head == NULL;
    pthread_mutex_unlock(&future->conn->mu);
    return nats__leave(future->client, status);
}

static bool has_something(void *what)
{
    const nats_future *future = what;
    return future->head != NULL || !future->open;
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
    pthread_mutex_unlock(&conn->mu);
    return nats__leave(future->client, status);
}

int32_t nats_future_done(nats_future *future)
{
    if (enter(future) != NATS_OK) {
        return 1;
    }
    pthread_mutex_lock(&future->conn->mu);
    nats__future_expire(future, nats__now_ns());
    bool done = !future->open && future->head == NULL;
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
    nats__client_unref(client);
}
