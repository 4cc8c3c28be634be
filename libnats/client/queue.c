/* The queues of messages that wait. A message is in its subscription's queue and, unless that is
 * private, in one of its client's two lists, which keep the order of arrival over all
 * subscriptions. mu held throughout. */
#include <stdio.h>

#include "client/conn.h"

static nats__msg_list *list_of(nats_sub *sub)
{
    switch (sub->mode) {
    case NATS_SUB_SHARED:
        return &sub->client->inbox;
    case NATS_SUB_CALLBACK:
        return &sub->client->callbacks;
    default:
        return NULL;
    }
}

static void list_append(nats__msg_list *list, nats_msg *msg)
{
    msg->client_next = NULL;
    msg->client_prev = list->tail;
    if (list->tail != NULL) {
        list->tail->client_next = msg;
    } else {
        list->head = msg;
    }
    list->tail = msg;
}

static void list_remove(nats__msg_list *list, nats_msg *msg)
{
    if (msg->client_prev != NULL) {
        msg->client_prev->client_next = msg->client_next;
    } else {
        list->head = msg->client_next;
    }
    if (msg->client_next != NULL) {
        msg->client_next->client_prev = msg->client_prev;
    } else {
        list->tail = msg->client_prev;
    }
}

void nats__queue_replace(nats__queue *queue, nats_msg *before, nats_msg *msg, nats_msg *copy)
{
    if (before != NULL) {
        before->sub_next = copy;
    } else {
        queue->head = copy;
    }
    if (queue->tail == msg) {
        queue->tail = copy;
    }
    nats__msg_list *list = queue->sub != NULL ? list_of(queue->sub) : NULL;
    if (list == NULL) {
        return;
    }
    if (copy->client_prev != NULL) {
        copy->client_prev->client_next = copy;
    } else {
        list->head = copy;
    }
    if (copy->client_next != NULL) {
        copy->client_next->client_prev = copy;
    } else {
        list->tail = copy;
    }
}

/* ---- in ---- */

static uint64_t limit_of(int64_t option)
{
    return option < 0 ? UINT64_MAX : (uint64_t)option;
}

void nats__queue_limit(const nats__conn *conn, nats__queue *queue)
{
    queue->msgs_max = limit_of(nats__conn_opt(conn, NATS__OPT_pending_msgs));
    queue->bytes_max = limit_of(nats__conn_opt(conn, NATS__OPT_pending_bytes));
}

void nats__queue_overflow(nats__conn *conn, nats_client *client, nats__queue *queue,
                          const char *subject, uint64_t sid)
{
    if (queue->slow) {
        return;
    }
    queue->slow = true;
    conn->totals.slow_consumers++;
    char text[128];
    snprintf(text, sizeof text, "slow consumer: %llu messages, %llu bytes wait",
             (unsigned long long)queue->msgs, (unsigned long long)queue->bytes);
    nats__event_push(conn, client,
                     &(nats__event_facts){.type = NATS_EVENT_SLOW_CONSUMER,
                                          .status = NATS_ERR_SLOW_CONSUMER,
                                          .text = text,
                                          .subject = subject,
                                          .sid = sid});
}

static void drop(nats__conn *conn, nats_sub *sub, nats_msg *msg)
{
    sub->dropped++;
    conn->totals.dropped++;
    nats__chunk_unref(msg->chunk, 1);
    nats__queue_overflow(conn, sub->client, &sub->queue, sub->rec.subject, sub->rec.sid);
}

void nats__sub_push(nats__conn *conn, nats_sub *sub, nats_msg *msg, int64_t now_ns)
{
    (void)now_ns;
    size_t size = nats__msg_size(msg);
    sub->received++;
    if (!nats__queue_takes(&sub->queue, size)) {
        drop(conn, sub, msg);
        return;
    }
    if (sub->queue.slow) {
        msg = nats__hold_lone(&conn->hold, msg);
    }

    msg->owner = sub;
    nats__msg_list *list = list_of(sub);
    if (list != NULL) {
        list_append(list, msg);
    }
    sub->client->pending++;
    sub->client->news = sub->client->news || sub->client->news_only;
    nats__queue_put(&conn->hold, &sub->queue, msg, size);
    if (conn->waiters != NULL) {
        nats__conn_tell(conn, sub);
        nats__conn_tell(conn, sub->client);
    }
}

/* ---- out ---- */

/* Take the oldest message of a subscription. It is the oldest in its list too, if that is asked
 * first. */
static inline __attribute__((always_inline)) nats_msg *pop(nats__conn *conn, nats_sub *sub,
                                                           nats__msg_list *list, uint64_t *bytes)
{
    nats_msg *msg = nats__queue_next(&conn->hold, &sub->queue, bytes);
    if (list != NULL) {
        list_remove(list, msg);
    }
    return msg;
}

static void took(nats__conn *conn, nats_sub *sub, size_t count, uint64_t bytes)
{
    nats__queue_took(&conn->hold, &sub->queue, count, bytes);
    sub->client->pending -= count;
}

size_t nats__sub_take(nats_sub *sub, nats_msg **batch, size_t max)
{
    nats__conn *conn = sub->client->conn;
    nats__msg_list *list = list_of(sub);
    uint64_t bytes = 0;
    size_t count = 0;
    while (count < max && sub->queue.head != NULL) {
        batch[count++] = pop(conn, sub, list, &bytes);
    }
    if (count == 0) {
        return 0;
    }
    took(conn, sub, count, bytes);
    sub->delivered += count;
    conn->totals.delivered += count;
    if (sub->hook != NULL) {
        nats__hook_taken(sub, count, bytes);
    }
    nats__hold_check(&conn->hold);
    nats__client_signal(sub->client);
    nats__sub_release(sub);
    return count;
}

size_t nats__list_take(nats__conn *conn, nats__msg_list *list, nats_msg **batch, size_t max)
{
    size_t count = 0;
    while (count < max && list->head != NULL) {
        /* Neighbours are mostly of one subscription. */
        nats_sub *sub = list->head->owner;
        size_t before = count;
        uint64_t bytes = 0;
        while (count < max && list->head != NULL && list->head->owner == sub) {
            batch[count++] = pop(conn, sub, list, &bytes);
        }
        took(conn, sub, count - before, bytes);
        sub->delivered += count - before;
        if (sub->hook != NULL) {
            nats__hook_taken(sub, count - before, bytes);
        }
        nats__sub_release(sub);
    }
    conn->totals.delivered += count;
    nats__hold_check(&conn->hold);
    return count;
}

void nats__sub_clear(nats_sub *sub)
{
    nats__conn *conn = sub->client->conn;
    nats__msg_list *list = list_of(sub);
    uint64_t bytes = 0;
    size_t count = 0;
    while (sub->queue.head != NULL) {
        nats_msg *msg = pop(conn, sub, list, &bytes);
        nats__chunk_unref(msg->chunk, 1);
        count++;
    }
    took(conn, sub, count, bytes);
    sub->dropped += count;
    conn->totals.dropped += count;
    nats__hold_check(&conn->hold);
    nats__client_signal(sub->client);
}

/* Messages that wait go behind those that the list has already: their order among each other
 * stays. */
void nats__sub_set_mode(nats_sub *sub, int32_t mode)
{
    if (sub->mode == mode) {
        return;
    }
    nats__msg_list *from = list_of(sub);
    sub->mode = (uint8_t)mode;
    nats__msg_list *to = list_of(sub);
    for (nats_msg *msg = sub->queue.head; msg != NULL; msg = msg->sub_next) {
        if (from != NULL) {
            list_remove(from, msg);
        }
        if (to != NULL) {
            list_append(to, msg);
        }
    }
    if (to != NULL && sub->queue.head != NULL) {
        nats__conn_tell(sub->client->conn, sub->client); /* who waits there has something now */
    }
}
