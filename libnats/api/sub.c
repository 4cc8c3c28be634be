#include "api/enter.h"
#include "proto/subject.h"

static nats_status enter(const nats_sub *sub)
{
    return sub == NULL ? nats__null_argument("sub") : nats__enter(sub->client);
}

static bool has_messages(void *what)
{
    const nats_sub *sub = what;
    return sub->queue.head != NULL || !sub->active;
}

/* Refused: that is told once. */
/* What stands below it has ended it with words of its own: they do not change any more. */
static nats_status ended_by_hook(const nats_sub *sub)
{
    *nats__error_get() = sub->hook->why;
    return sub->hook->why.status;
}

static nats_status no_more(const nats_sub *sub, bool refused)
{
    if (refused) {
        return nats__fail(NATS_ERR_PERMISSION, sub->rec.subject,
                          "the server does not allow the subscription to %s", sub->rec.subject);
    }
    return nats__fail(NATS_ERR_CLOSED, "sub", "the subscription to %s has ended", sub->rec.subject);
}

nats_status nats_sub_get(nats_sub *sub, size_t max, int64_t wait_ms, nats_msg **batch,
                         size_t *count_out)
{
    if (count_out == NULL) {
        return nats__null_argument("count_out");
    }
    *count_out = 0;
    nats_status status = enter(sub);
    if (status != NATS_OK) {
        return status;
    }
    if (batch == NULL && max > 0) {
        return nats__null_argument("batch");
    }
    nats__conn *conn = sub->client->conn;
    pthread_mutex_lock(&conn->mu);
    if (sub->queue.head == NULL && sub->active && max > 0) {
        status = nats__conn_wait(conn, sub, has_messages, sub, nats__deadline_in(wait_ms));
    }
    *count_out = nats__sub_take(sub, batch, max);
    bool ended = *count_out == 0 && max > 0 && sub->queue.head == NULL && !sub->active;
    bool refused = ended && sub->refused;
    sub->refused = sub->refused && !ended;
    bool worded = ended && sub->hook != NULL && sub->hook->untold;
    if (worded) {
        sub->hook->untold = false;
    }
    bool last = ended && sub->client->drained && sub->client->pending == 0;
    nats__conn_unlock(conn);
    if (last) {
        nats_client_close(sub->client);
    }

    if (*count_out > 0 || (status == NATS_ERR_TIMEOUT && !ended)) {
        return NATS_OK;
    }
    if (status == NATS_ERR_INTERRUPTED) {
        nats__fail(status, NULL, "interrupted by a signal while waiting for messages");
    } else if (worded) {
        status = ended_by_hook(sub);
    } else if (ended) {
        status = no_more(sub, refused);
    }
    return nats__leave(sub->client, status);
}

nats_status nats_sub_next(nats_sub *sub, int64_t wait_ms, nats_msg **msg_out)
{
    size_t count;
    if (msg_out == NULL) {
        return nats__null_argument("msg_out");
    }
    *msg_out = NULL;
    return nats_sub_get(sub, 1, wait_ms, msg_out, &count);
}

nats_status nats_sub_unsubscribe(nats_sub *sub, uint64_t after)
{
    nats_status status = enter(sub);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = sub->client->conn;
    status = after > 0 ? nats__writer_make_room(conn) : NATS_OK;
    if (status != NATS_OK) {
        return nats__leave(sub->client, status);
    }
    pthread_mutex_lock(&conn->mu);
    status = nats__sub_unsubscribe(sub, after);
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    return nats__leave(sub->client, status);
}

nats_status nats_sub_drain(nats_sub *sub, int64_t timeout_ms)
{
    nats_status status = enter(sub);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = sub->client->conn;
    int64_t ms = timeout_ms >= 0 ? timeout_ms : nats__conn_opt(conn, NATS__OPT_drain_timeout);
    pthread_mutex_lock(&conn->mu);
    if (sub->active) {
        status = nats__sub_drain(sub, nats__deadline_in(ms));
    }
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    return nats__leave(sub->client, status);
}

nats_status nats__mode_check(int32_t mode)
{
    if (mode < NATS_SUB_SHARED || mode > NATS_SUB_CALLBACK) {
        return nats__fail(NATS_ERR_INVALID, "mode", "mode %d is none of NATS_SUB_…", (int)mode);
    }
    return NATS_OK;
}

nats_status nats__limits_check(int64_t pending_msgs, int64_t pending_bytes, bool zero_allowed)
{
    bool msgs_bad = pending_msgs < -1 || (pending_msgs == 0 && !zero_allowed);
    bool bytes_bad = pending_bytes < -1 || (pending_bytes == 0 && !zero_allowed);
    if (!msgs_bad && !bytes_bad) {
        return NATS_OK;
    }
    const char *what = msgs_bad ? "pending_msgs" : "pending_bytes";
    return nats__fail(NATS_ERR_INVALID, what, "%s must be 1 or more, or -1 for no limit", what);
}

nats_status nats_sub_set_mode(nats_sub *sub, int32_t mode)
{
    nats_status status = enter(sub);
    if (status != NATS_OK) {
        return status;
    }
    status = nats__mode_check(mode);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&sub->client->conn->mu);
    nats__sub_set_mode(sub, mode);
    pthread_mutex_unlock(&sub->client->conn->mu);
    return NATS_OK;
}

nats_status nats_sub_set_limits(nats_sub *sub, int64_t pending_msgs, int64_t pending_bytes)
{
    nats_status status = enter(sub);
    if (status != NATS_OK) {
        return status;
    }
    status = nats__limits_check(pending_msgs, pending_bytes, false);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&sub->client->conn->mu);
    sub->queue.msgs_max = pending_msgs < 0 ? UINT64_MAX : (uint64_t)pending_msgs;
    sub->queue.bytes_max = pending_bytes < 0 ? UINT64_MAX : (uint64_t)pending_bytes;
    pthread_mutex_unlock(&sub->client->conn->mu);
    return NATS_OK;
}

size_t nats_sub_stats(nats_sub *sub, uint64_t *values, size_t count)
{
    if (enter(sub) != NATS_OK) {
        return 0;
    }
    uint64_t all[NATS_SUB_STAT_COUNT];
    pthread_mutex_lock(&sub->client->conn->mu);
    all[NATS_SUB_STAT_PENDING_MSGS] = sub->queue.msgs;
    all[NATS_SUB_STAT_PENDING_BYTES] = sub->queue.bytes;
    all[NATS_SUB_STAT_DELIVERED] = sub->delivered;
    all[NATS_SUB_STAT_DROPPED] = sub->dropped;
    all[NATS_SUB_STAT_RECEIVED] = sub->received;
    pthread_mutex_unlock(&sub->client->conn->mu);
    for (size_t i = 0; values != NULL && i < count && i < NATS_SUB_STAT_COUNT; i++) {
        values[i] = all[i];
    }
    return NATS_SUB_STAT_COUNT;
}

static const char *text(const char *text, size_t len, size_t *len_out)
{
    if (len_out != NULL) {
        *len_out = len;
    }
    return text;
}

const char *nats_sub_subject(const nats_sub *sub, size_t *len_out)
{
    return sub != NULL ? text(sub->rec.subject, sub->rec.subject_len, len_out)
                       : text("", 0, len_out);
}

const char *nats_sub_queue(const nats_sub *sub, size_t *len_out)
{
    return sub != NULL ? text(sub->rec.queue, sub->rec.queue_len, len_out)
                       : text("", 0, len_out);
}

uint64_t nats_sub_sid(const nats_sub *sub)
{
    return sub != NULL ? sub->rec.sid : 0;
}

int32_t nats_sub_active(nats_sub *sub)
{
    if (enter(sub) != NATS_OK) {
        return 0;
    }
    pthread_mutex_lock(&sub->client->conn->mu);
    bool active = sub->active;
    pthread_mutex_unlock(&sub->client->conn->mu);
    return active;
}

void nats_sub_free(nats_sub *sub)
{
    if (sub == NULL || nats__enter(sub->client) != NATS_OK) {
        return;
    }
    nats__conn *conn = sub->client->conn;
    pthread_mutex_lock(&conn->mu);
    bool lost = sub->mode == NATS_SUB_PRIVATE; /* nobody else could take its messages */
    if (lost && sub->active) {
        nats__sub_clear(sub);
        nats__sub_end(sub);
    } else if (lost && sub->queue.head != NULL) {
        nats__sub_clear(sub);
        nats__sub_release(sub);
    }
    pthread_mutex_unlock(&conn->mu);
    if (lost) {
        nats__writer_kick(conn);
    }
    nats__sub_unref(sub);
}
