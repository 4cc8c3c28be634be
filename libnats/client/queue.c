/* The queues of messages that wait. A message is in its subscription's queue and, unless that is
 * private, in one of its client's two lists, which keep the order of arrival over all
 * subscriptions. mu held throughout. */
#include <stdio.h>

#include "client/conn.h"

/* Chunks that a queue may hold beyond twice its messages' own bytes before it copies messages
 * out of them: one message may not keep 128 KiB alive for long. */
enum { HELD_SLACK = 1024 * 1024 };

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

/* ---- in ---- */

/* Copy a message to the subscription's own chunk, so that the one it came in can be used again.
 * The message itself when memory is out: it is held longer then, nothing worse. */
static nats_msg *compacted(nats__conn *conn, nats_sub *sub, nats_msg *msg)
{
    size_t room = nats__msg_room(msg);
    if (sub->compact != NULL && sub->compact->cap - sub->compact->len < room) {
        nats__chunk_leave(sub->compact);
        sub->compact = NULL;
    }
    if (sub->compact == NULL) {
        sub->compact = nats__chunk_new(conn->chunks, room);
    }
    nats_msg *copy = sub->compact != NULL ? nats__msg_copy(msg, sub->compact) : NULL;
    if (copy == NULL) {
        return msg;
    }
    nats__chunk_unref(msg->chunk, 1);
    return copy;
}

static nats_msg *hold(nats__conn *conn, nats_sub *sub, nats_msg *msg)
{
    if (msg->chunk == sub->last_chunk) {
        return msg;
    }
    bool sparse = nats__msg_room(msg) < msg->chunk->cap / 4;
    if (sparse && sub->held_bytes + msg->chunk->cap > HELD_SLACK + 2 * sub->bytes) {
        msg = compacted(conn, sub, msg);
    }
    if (msg->chunk != sub->last_chunk) {
        sub->held_bytes += msg->chunk->cap;
        sub->last_chunk = msg->chunk;
    }
    return msg;
}

static void drop(nats__conn *conn, nats_sub *sub, nats_msg *msg)
{
    sub->dropped++;
    conn->totals.dropped++;
    nats__chunk_unref(msg->chunk, 1);
    if (sub->slow) {
        return;
    }
    sub->slow = true;
    conn->totals.slow_consumers++;
    char text[128];
    snprintf(text, sizeof text, "slow consumer: %llu messages, %llu bytes wait",
             (unsigned long long)sub->msgs, (unsigned long long)sub->bytes);
    nats__event_push(conn, sub->client,
                     &(nats__event_facts){.type = NATS_EVENT_SLOW_CONSUMER,
                                          .status = NATS_ERR_SLOW_CONSUMER,
                                          .text = text,
                                          .subject = sub->rec.subject,
                                          .sid = sub->rec.sid});
}

void nats__sub_push(nats__conn *conn, nats_sub *sub, nats_msg *msg, int64_t now_ns)
{
    (void)now_ns;
    size_t size = nats__msg_size(msg);
    sub->received++;
    if (sub->msgs >= sub->msgs_max || sub->bytes + size > sub->bytes_max) {
        drop(conn, sub, msg);
        return;
    }

    msg = hold(conn, sub, msg);
    msg->owner = sub;
    msg->sub_next = NULL;
    if (sub->tail != NULL) {
        sub->tail->sub_next = msg;
    } else {
        sub->head = msg;
    }
    sub->tail = msg;
    sub->msgs++;
    sub->bytes += size;
    sub->client->pending++;
    conn->queued++;
    nats__msg_list *list = list_of(sub);
    if (list != NULL) {
        list_append(list, msg);
    }
    if (conn->waiters != NULL) {
        nats__conn_tell(conn, sub);
        nats__conn_tell(conn, sub->client);
    }
}

/* ---- out ---- */

/* Down to half of both limits: what comes over them next is a new slow_consumer event. */
static bool caught_up(const nats_sub *sub)
{
    return sub->msgs <= sub->msgs_max / 2 && sub->bytes <= sub->bytes_max / 2;
}

/* Take the oldest message of a subscription. It is the oldest in its list too, if that is asked
 * first. */
static nats_msg *pop(nats_sub *sub, nats__msg_list *list)
{
    nats_msg *msg = sub->head;
    nats_msg *next = msg->sub_next;
    sub->head = next;
    if (next == NULL) {
        sub->tail = NULL;
        sub->last_chunk = NULL;
        sub->held_bytes = 0;
    } else if (next->chunk != msg->chunk) {
        sub->held_bytes -= msg->chunk->cap;
    }
    sub->msgs--;
    sub->bytes -= nats__msg_size(msg);
    sub->client->pending--;
    sub->client->conn->queued--;
    if (list != NULL) {
        list_remove(list, msg);
    }
    if (sub->slow && caught_up(sub)) {
        sub->slow = false;
    }
    return msg;
}

size_t nats__sub_take(nats_sub *sub, nats_msg **batch, size_t max)
{
    nats__conn *conn = sub->client->conn;
    nats__msg_list *list = list_of(sub);
    size_t count = 0;
    while (count < max && sub->head != NULL) {
        batch[count++] = pop(sub, list);
    }
    sub->delivered += count;
    conn->totals.delivered += count;
    if (count > 0) {
        nats__client_signal(sub->client);
        nats__sub_release(sub);
    }
    return count;
}

size_t nats__list_take(nats__conn *conn, nats__msg_list *list, nats_msg **batch, size_t max)
{
    size_t count = 0;
    while (count < max && list->head != NULL) {
        /* Neighbours are mostly of one subscription. */
        nats_sub *sub = list->head->owner;
        size_t before = count;
        while (count < max && list->head != NULL && list->head->owner == sub) {
            batch[count++] = pop(sub, list);
        }
        sub->delivered += count - before;
        nats__sub_release(sub);
    }
    conn->totals.delivered += count;
    return count;
}

void nats__sub_clear(nats_sub *sub)
{
    nats__conn *conn = sub->client->conn;
    nats__msg_list *list = list_of(sub);
    while (sub->head != NULL) {
        nats_msg *msg = pop(sub, list);
        sub->dropped++;
        conn->totals.dropped++;
        nats__chunk_unref(msg->chunk, 1);
    }
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
    for (nats_msg *msg = sub->head; msg != NULL; msg = msg->sub_next) {
        if (from != NULL) {
            list_remove(from, msg);
        }
        if (to != NULL) {
            list_append(to, msg);
        }
    }
}
