#include "jetstream/ack.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/level.h"
#include "jetstream/place.h"
#include "proto/subject.h"

enum {
    REASON_MAX = 4096, /* bytes of why a message is never to come again: a line of a log */
    DELAY_TEXT = 64    /* "-NAK {\"delay\":9223372036854775807}" */
};

#define NS_PER_MS INT64_C(1000000)

/* What is acknowledged: a message, or the reply subject of one that its caller has copied, who knows
 * whether it was. */
typedef struct target {
    const char *reply;
    size_t len;
    nats_msg *msg; /* or NULL */
} target;

static target target_of(nats_msg *msg)
{
    return (target){(const char *)msg->text + msg->reply, msg->reply_len, msg};
}

static nats_status no_place(void)
{
    return nats__fail(NATS_ERR_INVALID, "msg",
                      "msg was not delivered by a consumer of JetStream: its reply subject is none "
                      "to acknowledge by");
}

/* From now on it is acknowledged: true, for one caller only. */
static bool claim(nats_msg *msg)
{
    unsigned char expected = NATS__ACK_OPEN;
    return msg == NULL ||
           atomic_compare_exchange_strong(&msg->acked, &expected, NATS__ACK_DONE);
}

static void unclaim(nats_msg *msg)
{
    if (msg != NULL) {
        atomic_store(&msg->acked, NATS__ACK_OPEN);
    }
}

static bool is(nats_msg *msg, unsigned char acked)
{
    return msg != NULL && atomic_load_explicit(&msg->acked, memory_order_relaxed) == acked;
}

static nats_status claimed(nats_msg *msg)
{
    return claim(msg) ? NATS_OK
                      : nats__fail(NATS_ERR_INVALID, "msg", "msg was acknowledged already");
}

static nats__frame frame_of(target to, const void *word, size_t len)
{
    return (nats__frame){
        .subject = to.reply, .subject_len = to.len, .data = word, .data_len = len};
}

static nats_status send(nats_client *client, target to, const void *word, size_t len)
{
    nats__frame frame = frame_of(to, word, len);
    return nats__conn_publish_more(client->conn, &frame)
               ? NATS_OK
               : nats__conn_publish(client->conn, &frame);
}

static nats_status send_final(nats_client *client, target to, const void *word, size_t len)
{
    nats_status status = claimed(to.msg);
    if (status != NATS_OK) {
        return status;
    }
    status = send(client, to, word, len);
    if (status != NATS_OK) {
        unclaim(to.msg); /* nobody was told */
    }
    return status;
}

static nats_status nak(nats_client *client, target to, int64_t delay_ms)
{
    char word[DELAY_TEXT] = "-NAK";
    if (delay_ms < 0 || delay_ms > INT64_MAX / NS_PER_MS) {
        return nats__fail(NATS_ERR_INVALID, "delay", "delay is negative, or over 292 years");
    }
    if (delay_ms > 0) {
        snprintf(word, sizeof word, "-NAK {\"delay\":%lld}", (long long)(delay_ms * NS_PER_MS));
    }
    return send_final(client, to, word, strlen(word));
}

/* The reason is a line of the server's advisory. */
static nats_status check_reason(const char *reason, size_t len)
{
    if (len > REASON_MAX) {
        return nats__fail(NATS_ERR_INVALID, "reason", "reason has %zu bytes, over %d", len,
                          REASON_MAX);
    }
    for (size_t i = 0; i < len; i++) {
        if ((unsigned char)reason[i] < ' ' || reason[i] == 0x7F) {
            return nats__fail(NATS_ERR_INVALID, "reason",
                              "reason has a control character at byte %zu", i);
        }
    }
    return NATS_OK;
}

/* An older server takes a word with a reason for none, and brings the message again. */
static bool passes_over_reasons(nats__conn *conn)
{
    pthread_mutex_lock(&conn->mu);
    bool below = nats__js_server_below(conn, 2, 10, 4);
    pthread_mutex_unlock(&conn->mu);
    return below;
}

static nats_status term(nats_client *client, target to, const char *reason, size_t reason_len)
{
    char word[REASON_MAX + 8] = "+TERM ";
    size_t len = reason != NULL ? nats__text_len(reason, reason_len) : 0;
    nats_status status = check_reason(reason, len);
    if (status != NATS_OK) {
        return status;
    }
    if (len == 0 || passes_over_reasons(client->conn)) {
        return send_final(client, to, "+TERM", 5);
    }
    memcpy(word + 6, reason, len);
    return send_final(client, to, word, 6 + len);
}

static nats_status check_how(int32_t how)
{
    if (how < NATS_ACK || how > NATS_TERM) {
        return nats__fail(NATS_ERR_INVALID, "how", "how %d is none of NATS_ACK …", (int)how);
    }
    return NATS_OK;
}

static nats_status tell(nats_client *client, target to, int32_t how, int64_t delay_ms,
                        const char *reason, size_t reason_len)
{
    switch (how) {
    case NATS_ACK:
        return send_final(client, to, "+ACK", 4);
    case NATS_NAK:
        return nak(client, to, delay_ms);
    case NATS_TERM:
        return term(client, to, reason, reason_len);
    default:
        return is(to.msg, NATS__ACK_DONE) ? claimed(to.msg) : send(client, to, "+WPI", 4);
    }
}

nats_status nats__msg_ack(nats_client *client, nats_msg *msg, int32_t how, int64_t delay_ms,
                          const char *reason, size_t reason_len)
{
    if (!nats__place_acks(msg)) {
        return no_place();
    }
    nats_status status = check_how(how);
    if (status != NATS_OK || is(msg, NATS__ACK_NONE)) {
        return status;
    }
    return tell(client, target_of(msg), how, delay_ms, reason, reason_len);
}

static nats_status check_reply(const char *reply, size_t len)
{
    nats__place place;
    return nats__place_parse(reply, len, &place) ? NATS_OK : no_place();
}

nats_status nats__reply_ack(nats_client *client, const char *reply, size_t len, int32_t how,
                            int64_t delay_ms, const char *reason, size_t reason_len)
{
    nats_status status = check_reply(reply, len);
    if (status == NATS_OK) {
        status = check_how(how);
    }
    return status == NATS_OK
               ? tell(client, (target){reply, len, NULL}, how, delay_ms, reason, reason_len)
               : status;
}

nats_status nats__msgs_ack(nats_client *client, nats_msg *const *batch, size_t count,
                           size_t *acked_out)
{
    *acked_out = 0;
    for (size_t i = 0; i < count; i++) {
        nats_msg *msg = batch[i];
        if (msg == NULL || !nats__place_acks(msg) || !claim(msg)) {
            continue;
        }
        nats_status status = send(client, target_of(msg), "+ACK", 4);
        if (status != NATS_OK) {
            unclaim(msg);
            return status;
        }
        *acked_out += 1;
    }
    return NATS_OK;
}

nats_status nats__replies_ack(nats_client *client, const char *const *replies, const size_t *lens,
                              size_t count, size_t *acked_out)
{
    *acked_out = 0;
    for (size_t i = 0; i < count; i++) {
        nats__place place;
        size_t given = lens != NULL ? lens[i] : NATS_Z;
        size_t len = replies[i] != NULL ? nats__text_len(replies[i], given) : 0;
        if (!nats__place_parse(replies[i], len, &place)) {
            continue;
        }
        nats_status status = send(client, (target){replies[i], len, NULL}, "+ACK", 4);
        if (status != NATS_OK) {
            return status;
        }
        *acked_out += 1;
    }
    return NATS_OK;
}

/* ---- double ack ---- */

/* The future holds the message, whose mark is taken back when the server has not taken note. */
static void on_ended(nats_future *future)
{
    if (future->status != NATS_OK || future->count == 0) {
        unclaim(future->owner);
    }
}

static void on_freed(void *owner)
{
    nats_msg *msg = owner;
    nats__chunk_unref(msg->chunk, 1);
}

static const nats__future_hooks hooks = {.on_ended = on_ended, .freed = on_freed};

static nats_status check_timeout(int64_t timeout_ms)
{
    if (timeout_ms >= -1) {
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_INVALID, "timeout", "timeout is negative: %lld ms",
                      (long long)timeout_ms);
}

nats_status nats__msg_ack_start(nats_client *client, nats_msg *msg, int64_t timeout_ms,
                                nats_future **future_out)
{
    if (!nats__place_acks(msg)) {
        return no_place();
    }
    nats_status status = check_timeout(timeout_ms);
    if (status != NATS_OK) {
        return status;
    }
    if (is(msg, NATS__ACK_NONE)) {
        return nats__fail(NATS_ERR_INVALID, "msg",
                          "the consumer of msg takes no acks: its ack_policy is none");
    }
    status = claimed(msg);
    if (status != NATS_OK) {
        return status;
    }

    nats__frame frame = frame_of(target_of(msg), "+ACK", 4);
    nats__question how = {.timeout_ms = timeout_ms, .hooks = &hooks, .owner = msg};
    atomic_fetch_add_explicit(&msg->chunk->refs, 1, memory_order_relaxed);
    status = nats__future_start(client, &frame, &how, future_out);
    if (status != NATS_OK) {
        nats__chunk_unref(msg->chunk, 1);
        unclaim(msg);
    }
    return status;
}

nats_status nats__reply_ack_start(nats_client *client, const char *reply, size_t len,
                                  int64_t timeout_ms, nats_future **future_out)
{
    nats__question how = {.timeout_ms = timeout_ms};
    nats_status status = check_reply(reply, len);
    if (status == NATS_OK) {
        status = check_timeout(timeout_ms);
    }
    if (status != NATS_OK) {
        return status;
    }
    nats__frame frame = frame_of((target){reply, len, NULL}, "+ACK", 4);
    return nats__future_start(client, &frame, &how, future_out);
}
