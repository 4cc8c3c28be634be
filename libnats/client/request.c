/* Requests: one inbox subscription for the whole connection, "<prefix>.<nuid>.*"; the last token
 * of a reply's subject names the request, so any number may be open at once (as the reference
 * clients do it, ADR-40). A token is a slot and that slot's generation: a late reply finds no
 * request, and is dropped and counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "proto/headers.h"
#include "proto/subject.h"

enum {
    SLOT_BITS = 20,
    TOKEN_MAX = 13,    /* hexadecimal digits of 32 + 20 bits */
    REPLY_MAX = NATS_SUBJECT_MAX + NATS__NUID_LEN + 4 + TOKEN_MAX,
    STATUS_NO_RESPONDERS = 503
};

/* A longer stall is none: it does not end before the machine does, and would not fit in ns. */
#define STALL_MS_MAX (INT64_MAX / NATS__MS / 2)

/* ---- the inbox ---- */

nats_status nats__requests_inbox(nats__conn *conn)
{
    if (conn->mux != NULL) {
        return NATS_OK;
    }
    char subject[NATS_SUBJECT_MAX + NATS__NUID_LEN + 4];
    size_t len;
    nats_status status =
        nats__session_new_inbox(conn->session, subject, sizeof subject, &len);
    if (status != NATS_OK) {
        return status;
    }
    subject[len++] = '.';
    conn->mux_prefix_len = len;
    subject[len++] = '*';

    status = nats__sub_new(conn, NULL, subject, len, NULL, 0, 0, &conn->mux);
    if (status == NATS_OK) {
        nats__session_expect_answers(conn->session, conn->mux->rec.sid);
    }
    return status;
}

/* ---- slots ---- */

/* Twice the slots, none of them lost when memory is out. */
static bool grow_slots(nats__conn *conn)
{
    uint32_t count = conn->future_count == 0 ? 16 : conn->future_count * 2;
    if (count > NATS__REQUESTS_MAX) {
        return false;
    }
    nats_future **futures = realloc(conn->futures, count * sizeof(*futures));
    if (futures == NULL) {
        return false;
    }
    conn->futures = futures;
    uint32_t *slots = realloc(conn->free_slots, count * sizeof *slots);
    if (slots == NULL) {
        return false;
    }
    conn->free_slots = slots;
    nats_future **expiry = realloc(conn->expiry, count * sizeof(*expiry));
    if (expiry == NULL) {
        return false;
    }
    conn->expiry = expiry;
    for (uint32_t i = conn->future_count; i < count; i++) {
        futures[i] = NULL;
        slots[conn->free_slot_count++] = i;
    }
    conn->future_count = count;
    return true;
}

static nats_future *take_idle(nats__conn *conn)
{
    nats_future *future = conn->idle_futures;
    if (future != NULL) {
        conn->idle_futures = future->next_free;
        conn->idle_future_count--;
        return future;
    }
    return calloc(1, sizeof *future);
}

static void keep_idle(nats__conn *conn, nats_future *future)
{
    if (conn->idle_future_count == NATS__IDLE_FUTURES_MAX) {
        nats__buf_free(&future->subject);
        free(future);
        return;
    }
    future->next_free = conn->idle_futures;
    conn->idle_futures = future;
    conn->idle_future_count++;
}

void nats__requests_rest(nats__conn *conn)
{
    while (conn->idle_futures != NULL) {
        nats_future *future = conn->idle_futures;
        conn->idle_futures = future->next_free;
        nats__buf_free(&future->subject);
        free(future);
    }
    conn->idle_future_count = 0;
    if (conn->open_futures == 0) {
        free(conn->futures);
        free(conn->free_slots);
        free(conn->expiry);
        conn->expiry = NULL;
        conn->futures = NULL;
        conn->free_slots = NULL;
        conn->future_count = 0;
        conn->free_slot_count = 0;
    }
}

nats_status nats__future_new(nats_client *client, const char *subject_text, size_t subject_len,
                             int64_t deadline_ns, nats_future **out)
{
    nats__conn *conn = client->conn;
    if (conn->free_slot_count == 0 && !grow_slots(conn)) {
        return conn->future_count * 2 > NATS__REQUESTS_MAX
                   ? nats__fail(NATS_ERR_LIMIT, "requests", "%d requests are open: no more at once",
                                NATS__REQUESTS_MAX)
                   : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats_future *future = take_idle(conn);
    if (future == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    future->subject.len = 0;
    if (!nats__buf_append(&future->subject, subject_text, subject_len)) {
        keep_idle(conn, future);
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }

    nats__buf subject = future->subject;
    *future = (nats_future){.conn = conn,
                            .client = client,
                            .subject = subject,
                            .open = true,
                            .deadline_ns = deadline_ns};
    future->slot = conn->free_slots[--conn->free_slot_count];
    future->generation = ++conn->future_generation;
    future->stall_at_ns = INT64_MAX;
    future->hook_at_ns = INT64_MAX;
    conn->futures[future->slot] = future;
    nats__expiry_add(conn, future);
    nats__loop_due(client, deadline_ns);
    nats__client_ref(client);
    *out = future;
    return NATS_OK;
}

void nats__future_hook(nats_future *future, const nats__future_hooks *hooks, void *owner)
{
    future->hooks = hooks;
    future->owner = owner;
    future->conn->hooked_futures++;
}

/* It never was: its owner is not told, and the caller's again. */
static void take_off(nats_future *future)
{
    future->conn->hooked_futures -= future->hooks != NULL;
    future->hooks = NULL;
}

static void unhook(nats_future *future)
{
    future->conn->hooked_futures--;
    if (future->hooks->on_ended != NULL) {
        future->hooks->on_ended(future);
    }
}

/* The slot is free for another. */
void nats__future_end(nats_future *future, nats_status status)
{
    if (!future->open) {
        return;
    }
    nats__conn *conn = future->conn;
    future->open = false;
    future->status = status;
    conn->futures[future->slot] = NULL;
    conn->free_slots[conn->free_slot_count++] = future->slot;
    nats__expiry_remove(conn, future);
    if (future->goal != NATS__GOAL_REPLIES) {
        nats__goal_ended(future);
    }
    if (future->hooks != NULL) {
        unhook(future);
    }
    future->untold = status != NATS_OK || future->many;
    if (future->untold) {
        future->client->replies++;
        nats__client_news(future->client);
    }
    nats__conn_tell(conn, future);
}

static void drop_replies(nats_future *future)
{
    nats__conn *conn = future->conn;
    while (future->queue.head != NULL) {
        nats_msg *msg = nats__queue_pop(&conn->hold, &future->queue);
        future->client->replies--;
        conn->totals.dropped++;
        nats__chunk_unref(msg->chunk, 1);
    }
    nats__hold_check(&conn->hold);
}

void nats__future_free(nats_future *future)
{
    nats__conn *conn = future->conn;
    nats_client *client = future->client;
    nats__future_end(future, NATS_OK);
    bool took = future->untold || future->queue.head != NULL;
    if (future->queue.head != NULL) {
        drop_replies(future);
    }
    if (future->untold) {
        client->replies--;
    }
    if (took) {
        nats__client_took(client);
    }
    future->status = NATS_OK;
    free(future->words);
    if (future->hooks != NULL && future->hooks->freed != NULL) {
        future->hooks->freed(future->owner);
    }
    keep_idle(conn, future);
}

void nats__future_fail(nats_future *future)
{
    const nats__error *failed = nats__error_get();
    if (!future->open) {
        return;
    }
    future->words = malloc(sizeof *future->words);
    if (future->words != NULL) {
        *future->words = *failed;
    }
    nats__future_end(future, failed->status);
}

/* ---- asking ---- */

static size_t put_hex(char *out, uint64_t value)
{
    static const char digits[] = "0123456789abcdef";
    char reversed[16];
    size_t len = 0;
    do {
        reversed[len++] = digits[value & 15];
        value >>= 4;
    } while (value > 0);
    for (size_t i = 0; i < len; i++) {
        out[i] = reversed[len - 1 - i];
    }
    return len;
}

/* The frame of a request: to be answered at reply (REPLY_MAX bytes), and of this connection. */
static void address(const nats_future *future, char *reply, nats__frame *frame)
{
    const nats__conn *conn = future->conn;
    memcpy(reply, conn->mux->rec.subject, conn->mux_prefix_len);
    uint64_t token = (uint64_t)future->generation << SLOT_BITS | future->slot;
    frame->epoch = conn->epoch + 1;
    frame->reply = reply;
    frame->reply_len = conn->mux_prefix_len + put_hex(reply + conn->mux_prefix_len, token);
}

static nats_status prepare(nats_client *client, const nats__frame *ask, const nats__question *how,
                           char *reply, nats__frame *frame, nats_future **out)
{
    nats__conn *conn = client->conn;
    if (client->closed || conn->closed) {
        return nats__fail(NATS_ERR_CLOSED, "client", "the client is closed");
    }
    int64_t ms = how->timeout_ms >= 0 ? how->timeout_ms
                                      : nats__conn_opt(conn, NATS__OPT_request_timeout);
    nats_status status = nats__requests_inbox(conn);
    if (status == NATS_OK) {
        status = nats__future_new(client, ask->subject, ask->subject_len, nats__deadline_in(ms),
                                  out);
    }
    if (status != NATS_OK) {
        return status;
    }

    nats_future *future = *out;
    future->many = how->many;
    future->max = how->many ? how->max : 1;
    nats__queue_limit(conn, &future->queue);
    future->stall_ns = how->stall_ms <= STALL_MS_MAX ? how->stall_ms * NATS__MS : 0;
    future->sentinel = how->sentinel;
    if (how->hooks != NULL) {
        nats__future_hook(future, how->hooks, how->owner);
    }
    conn->totals.requests++;
    address(future, reply, frame);
    return NATS_OK;
}

nats_status nats__future_start(nats_client *client, const nats__frame *ask,
                               const nats__question *how, nats_future **out)
{
    nats__conn *conn = client->conn;
    char reply[REPLY_MAX];
    nats__frame frame = *ask;

    pthread_mutex_lock(&conn->mu);
    nats_status status = prepare(client, ask, how, reply, &frame, out);
    pthread_mutex_unlock(&conn->mu);
    if (status != NATS_OK) {
        return status;
    }

    status = nats__conn_publish(conn, &frame);
    if (status == NATS_ERR_DISCONNECTED) {
        return NATS_OK; /* the connection was lost meanwhile: the future says so */
    }
    if (status != NATS_OK) {
        nats_future *future = *out;
        pthread_mutex_lock(&conn->mu);
        if (!future->open) {
            pthread_mutex_unlock(&conn->mu);
            return NATS_OK; /* it has ended by itself meanwhile, and its owner was told */
        }
        *out = NULL;
        take_off(future);
        nats__future_free(future);
        pthread_mutex_unlock(&conn->mu);
        nats__client_unref(client);
    }
    return status;
}

nats_status nats__future_ask(nats_future *future, const nats__frame *ask)
{
    char reply[REPLY_MAX];
    nats__frame frame = *ask;
    future->subject.len = 0;
    if (!nats__buf_append(&future->subject, ask->subject, ask->subject_len)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    future->generation = ++future->conn->future_generation;
    address(future, reply, &frame);
    return nats__conn_send(future->conn, &frame);
}

/* ---- answers ---- */

static bool read_hex(const uint8_t *text, size_t len, uint64_t *out)
{
    if (len == 0 || len > TOKEN_MAX) {
        return false;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t c = text[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && (c < 'a' || c > 'f')) {
            return false;
        }
        value = value << 4 | (uint64_t)(digit ? c - '0' : c - 'a' + 10);
    }
    *out = value;
    return true;
}

/* By the subject of its reply, which begins as our inbox does. */
static nats_future *find(nats__conn *conn, const uint8_t *reply, size_t len)
{
    uint64_t token;
    size_t at = conn->mux_prefix_len;
    if (len <= at || !read_hex(reply + at, len - at, &token)) {
        return NULL;
    }
    uint32_t slot = (uint32_t)(token & ((1U << SLOT_BITS) - 1));
    nats_future *future = slot < conn->future_count ? conn->futures[slot] : NULL;
    return future != NULL && future->generation == token >> SLOT_BITS ? future : NULL;
}

static void discard(nats__conn *conn, nats_msg *msg)
{
    conn->totals.dropped++;
    nats__chunk_unref(msg->chunk, 1);
}

/* One reply too many waits, or too large a one. */
static void overflow(nats_future *future, nats_msg *msg)
{
    char subject[NATS_SUBJECT_MAX + 1];
    size_t len = future->subject.len < NATS_SUBJECT_MAX ? future->subject.len : NATS_SUBJECT_MAX;
    memcpy(subject, future->subject.data, len);
    subject[len] = '\0';
    discard(future->conn, msg);
    nats__queue_overflow(future->conn, future->client, &future->queue, subject, 0);
}

/* The limits are for several replies: to drop the only one would help nobody. */
void nats__future_give(nats_future *future, nats_msg *msg)
{
    size_t size = nats__msg_size(msg);
    future->count++;
    if (future->many && !nats__queue_takes(&future->queue, size)) {
        overflow(future, msg);
        return;
    }
    if (future->queue.slow) {
        msg = nats__hold_lone(&future->conn->hold, msg);
    }
    msg->sid = 0;
    future->client->replies++;
    nats__queue_put(&future->conn->hold, &future->queue, msg, size);
    nats__client_news(future->client);
    nats__conn_tell(future->conn, future);
}

nats_msg *nats__future_take(nats_future *future)
{
    nats__conn *conn = future->conn;
    if (future->queue.head == NULL) {
        return NULL;
    }
    nats_msg *msg = nats__queue_pop(&conn->hold, &future->queue);
    future->client->replies--;
    conn->totals.delivered++;
    nats__hold_check(&conn->hold);
    nats__client_took(future->client);
    return msg;
}

/* Of several replies: is this one the end, and not to be given (ADR-47)? */
static bool ends_many(const nats_future *future, const nats_msg *msg, int32_t status)
{
    return status != 0 || (future->sentinel && msg->data_len == 0);
}

void nats__request_reply(nats__conn *conn, nats_msg *msg, int64_t now_ns)
{
    nats_future *future = find(conn, msg->text, msg->subject_len);
    if (future == NULL) {
        conn->totals.late_replies++;
        discard(conn, msg);
        return;
    }
    const char *description;
    size_t description_len;
    int32_t status = nats__headers_status((const char *)msg->text + msg->body, msg->header_len,
                                          &description, &description_len);
    if (future->hooks != NULL && future->hooks->on_reply != NULL) {
        future->hooks->on_reply(future, msg, status, now_ns);
        return;
    }
    if (status == STATUS_NO_RESPONDERS && msg->data_len == 0) {
        discard(conn, msg);
        nats__future_end(future, future->count == 0 ? NATS_ERR_NO_RESPONDERS : NATS_OK);
        return;
    }
    if (!future->many) {
        nats__future_give(future, msg);
        nats__future_end(future, NATS_OK);
        return;
    }
    if (now_ns >= future->deadline_ns || now_ns >= future->stall_at_ns ||
        ends_many(future, msg, status)) {
        discard(conn, msg);
        nats__future_end(future, NATS_OK);
        return;
    }
    nats__future_give(future, msg);
    if (future->stall_ns > 0) {
        future->stall_at_ns = now_ns + future->stall_ns;
        nats__expiry_move(conn, future);
        nats__loop_due(future->client, future->stall_at_ns);
    }
    if (future->count == future->max) {
        nats__future_end(future, NATS_OK);
    }
}

void nats__requests_fail(nats__conn *conn, nats_client *client, nats_status status)
{
    for (uint32_t i = 0; i < conn->future_count && conn->open_futures > 0; i++) {
        nats_future *future = conn->futures[i];
        if (future != NULL && (client == NULL || future->client == client)) {
            nats__future_end(future, status);
        }
    }
}

static void refused(nats_future *future)
{
    bool hooked = future->hooks != NULL && future->hooks->on_refused != NULL;
    if (!hooked || !future->hooks->on_refused(future)) {
        nats__future_end(future, NATS_ERR_PERMISSION);
    }
}

void nats__requests_refused(nats__conn *conn, const char *subject)
{
    size_t len = strlen(subject);
    for (uint32_t i = 0; i < conn->future_count && conn->open_futures > 0; i++) {
        nats_future *future = conn->futures[i];
        if (future != NULL && future->goal == NATS__GOAL_REPLIES && future->subject.len == len &&
            memcmp(future->subject.data, subject, len) == 0) {
            refused(future);
        }
    }
}

void nats__requests_reply_failed(nats__conn *conn, const char *reply, nats_status status)
{
    size_t at = conn->mux_prefix_len;
    size_t len = strlen(reply);
    if (conn->mux == NULL || len < at || memcmp(reply, conn->mux->rec.subject, at) != 0) {
        return;
    }
    nats_future *future = find(conn, (const uint8_t *)reply, len);
    if (future != NULL) {
        nats__future_end(future, status);
    }
}

/* Of all requests, and of nothing else that is waited for. */
static void refuse_all(nats__conn *conn)
{
    for (uint32_t i = 0; i < conn->future_count && conn->open_futures > 0; i++) {
        nats_future *future = conn->futures[i];
        if (future != NULL && future->goal == NATS__GOAL_REPLIES) {
            nats__future_end(future, NATS_ERR_PERMISSION);
        }
    }
}

/* The next request asks for the inbox again: permissions may have changed by then. */
void nats__requests_inbox_refused(nats__conn *conn)
{
    refuse_all(conn);
    nats__session_forget(conn->session, &conn->mux->rec);
    free(conn->mux);
    conn->mux = NULL;
}

/* ---- time ---- */

void nats__future_expire(nats_future *future, int64_t now_ns)
{
    if (!future->open) {
        return;
    }
    if (now_ns >= future->hook_at_ns && now_ns < future->deadline_ns) {
        future->hook_at_ns = INT64_MAX;
        nats__expiry_move(future->conn, future);
        future->hooks->on_time(future, now_ns);
        return;
    }
    if (now_ns >= future->stall_at_ns) {
        nats__future_end(future, NATS_OK);
    } else if (now_ns >= future->deadline_ns) {
        bool any_number = future->many && future->goal == NATS__GOAL_REPLIES;
        bool enough = (any_number && future->hooks == NULL) || nats__goal_goes_on(future);
        nats__future_end(future, enough ? NATS_OK : NATS_ERR_TIMEOUT);
    }
}

int64_t nats__future_deadline_ns(const nats_future *future)
{
    if (!future->open) {
        return INT64_MAX;
    }
    int64_t due = future->deadline_ns;
    due = future->stall_at_ns < due ? future->stall_at_ns : due;
    return future->hook_at_ns < due ? future->hook_at_ns : due;
}

void nats__future_hook_at(nats_future *future, int64_t at_ns)
{
    future->hook_at_ns = at_ns;
    nats__expiry_move(future->conn, future);
    if (at_ns != INT64_MAX) {
        nats__loop_due(future->client, at_ns);
        nats__keeper_tell(future->conn); /* it may sleep past that */
    }
}

int64_t nats__requests_deadline_ns(const nats__conn *conn)
{
    return conn->open_futures > 0 ? nats__future_deadline_ns(conn->expiry[0]) : INT64_MAX;
}

void nats__requests_expire(nats__conn *conn, int64_t now_ns)
{
    while (nats__requests_deadline_ns(conn) <= now_ns) {
        nats__future_expire(conn->expiry[0], now_ns);
    }
}

void nats__future_cancel(nats_future *future)
{
    nats__future_end(future, NATS_OK);
}
