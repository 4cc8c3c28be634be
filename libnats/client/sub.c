/* Subscriptions: made, ended, let go. mu held throughout. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "client/conn.h"

static void list_in(nats_sub **list, nats_sub *sub)
{
    sub->next = *list;
    sub->prev = NULL;
    if (*list != NULL) {
        (*list)->prev = sub;
    }
    *list = sub;
}

static void list_out(nats_sub **list, nats_sub *sub)
{
    if (sub->prev != NULL) {
        sub->prev->next = sub->next;
    } else {
        *list = sub->next;
    }
    if (sub->next != NULL) {
        sub->next->prev = sub->prev;
    }
}

/* One block: the record and its texts. */
static nats_sub *sub_alloc(const char *subject, size_t subject_len, const char *queue,
                           size_t queue_len)
{
    nats_sub *sub = calloc(1, sizeof *sub + subject_len + 1 + queue_len + 1);
    if (sub == NULL) {
        return NULL;
    }
    char *texts = (char *)(sub + 1);
    sub->rec.subject = texts;
    sub->rec.subject_len = subject_len;
    sub->rec.queue = texts + subject_len + 1;
    sub->rec.queue_len = queue_len;
    memcpy(sub->rec.subject, subject, subject_len);
    if (queue_len > 0) {
        memcpy(sub->rec.queue, queue, queue_len);
    }
    return sub;
}

/* Into the table, and SUB to the outbox: left behind in the session it would go after what is
 * published next. */
static nats_status session_subscribe(nats__conn *conn, nats_sub *sub)
{
    nats__conn_stage(conn);
    nats__buf *lines = nats__session_out(conn->session);
    size_t before = lines->len;
    nats_status status = nats__session_subscribe(conn->session, &sub->rec);
    nats__conn_stage(conn);
    if (status != NATS_OK || lines->len == 0) {
        return status;
    }
    nats__session_forget(conn->session, &sub->rec);
    lines->len = before;
    return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

nats_status nats__sub_new(nats__conn *conn, nats_client *client, const char *subject,
                          size_t subject_len, const char *queue, size_t queue_len, uint64_t max,
                          nats_sub **out)
{
    *out = NULL;
    nats_sub *sub = sub_alloc(subject, subject_len, queue, queue_len);
    if (sub == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    sub->rec.max = max;
    sub->queue.sub = sub;
    nats__queue_limit(conn, &sub->queue);
    nats_status status = session_subscribe(conn, sub);
    if (status != NATS_OK) {
        free(sub);
        return status;
    }

    atomic_init(&sub->refs, 2);
    sub->active = true;
    if (client != NULL) {
        sub->client = client;
        nats__client_ref(client);
        list_in(&client->subs, sub);
    }
    *out = sub;
    return NATS_OK;
}

void nats__sub_ref(nats_sub *sub)
{
    atomic_fetch_add_explicit(&sub->refs, 1, memory_order_relaxed);
}

void nats__sub_unref(nats_sub *sub)
{
    if (atomic_fetch_sub_explicit(&sub->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    nats_client *client = sub->client;
    if (sub->hook != NULL) {
        sub->hook->calls->freed(sub->hook);
    }
    free(sub);
    if (client != NULL) {
        nats__client_unref(client);
    }
}

void nats__sub_ended(nats_sub *sub)
{
    if (!sub->active) {
        return;
    }
    nats_client *client = sub->client;
    sub->active = false;
    list_out(&client->subs, sub);
    list_in(&client->ended_subs, sub);
    nats__conn_tell(client->conn, sub);
    if (sub->hook != NULL) {
        nats__hook_ended(sub);
    }
    nats__sub_release(sub);
}

void nats__sub_refused(nats_sub *sub)
{
    sub->refused = true;
    nats__sub_ended(sub);
}

void nats__sub_release(nats_sub *sub)
{
    if (sub->active || sub->queue.head != NULL) {
        return;
    }
    list_out(&sub->client->ended_subs, sub);
    nats__sub_unref(sub);
}

void nats__sub_end(nats_sub *sub)
{
    const nats__conn *conn = sub->client->conn;
    nats__session *session = conn->session;
    if (!sub->active) {
        return;
    }
    /* While the connection is being lost the session does not know yet, and an UNSUB would be the
     * first that the next server hears. */
    bool told = conn->connected && nats__sub_unsubscribe(sub, 0) == NATS_OK; /* then it may be gone */
    if (!told) {
        nats__session_forget(session, &sub->rec); /* closed, or there is no memory for the UNSUB */
        nats__session_owe_unsub(session);
        nats__sub_ended(sub);
    }
}

nats_status nats__sub_unsubscribe(nats_sub *sub, uint64_t after)
{
    nats__conn *conn = sub->client->conn;
    if (!sub->active) {
        return NATS_OK;
    }
    if (after > 0 && sub->hook != NULL) {
        nats__hook_limit(sub, after);
        return NATS_OK;
    }
    bool done = false;
    nats_status status = nats__session_unsubscribe(conn->session, &sub->rec, after, &done);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn_stage(conn);
    if (done) {
        nats__sub_ended(sub);
    }
    return NATS_OK;
}
