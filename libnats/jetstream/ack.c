#include "jetstream/ack.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/place.h"
#include "proto/subject.h"

enum {
    REASON_MAX = 4096, /* bytes of why a message is never to come again: a line of a log */
    DELAY_TEXT = 64    /* "-NAK {\"delay\":9223372036854775807}" */
};

#define NS_PER_MS INT64_C(1000000)

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
    return atomic_compare_exchange_strong(&msg->acked, &expected, NATS__ACK_DONE);
}

static void unclaim(nats_msg *msg)
{
    atomic_store(&msg->acked, NATS__ACK_OPEN);
}

static bool wants_none(nats_msg *msg)
{
    return atomic_load_explicit(&msg->acked, memory_order_relaxed) == NATS__ACK_NONE;
}

static nats_status claimed(nats_msg *msg)
{
    return claim(msg) ? NATS_OK
                      : nats__fail(NATS_ERR_INVALID, "msg", "msg was acknowledged already");
}

static nats__frame frame_of(const nats_msg *msg, const void *word, size_t len)
{
    return (nats__frame){.subject = (const char *)msg->text + msg->reply,
                         .subject_len = msg->reply_len,
                         .data = word,
                         .data_len = len};
}

static nats_status send(nats_client *client, const nats_msg *msg, const void *word, size_t len)
{
    nats__frame frame = frame_of(msg, word, len);
    return nats__conn_publish_more(client->conn, &frame)
               ? NATS_OK
               : nats__conn_publish(client->conn, &frame);
}

static nats_status send_final(nats_client *client, nats_msg *msg, const void *word, size_t len)
{
    nats_status status = claimed(msg);
    if (status != NATS_OK) {
        return status;
    }
    status = send(client, msg, word, len);
    if (status != NATS_OK) {
        unclaim(msg); /* nobody was told */
    }
    return status;
}

static nats_status nak(nats_client *client, nats_msg *msg, int64_t delay_ms)
{
    char word[DELAY_TEXT] = "-NAK";
    if (delay_ms < 0 || delay_ms > INT64_MAX / NS_PER_MS) {
        return nats__fail(NATS_ERR_INVALID, "delay", "delay %lld ms is negative, or too long",
                          (long long)delay_ms);
    }
    if (delay_ms > 0) {
        snprintf(word, sizeof word, "-NAK {\"delay\":%lld}", (long long)(delay_ms * NS_PER_MS));
    }
    return send_final(client, msg, word, strlen(word));
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

static nats_status term(nats_client *client, nats_msg *msg, const char *reason, size_t reason_len)
{
    char word[REASON_MAX + 8] = "+TERM ";
    size_t len = reason != NULL ? nats__text_len(reason, reason_len) : 0;
    nats_status status = check_reason(reason, len);
    if (status != NATS_OK) {
        return status;
    }
    if (len == 0) {
        return send_final(client, msg, "+TERM", 5);
    }
    memcpy(word + 6, reason, len);
    return send_final(client, msg, word, 6 + len);
}

nats_status nats__msg_ack(nats_client *client, nats_msg *msg, int32_t how, int64_t delay_ms,
                          const char *reason, size_t reason_len)
{
    if (!nats__place_acks(msg)) {
        return no_place();
    }
    if (how < NATS_ACK || how > NATS_TERM) {
        return nats__fail(NATS_ERR_INVALID, "how", "how %d is none of NATS_ACK …", (int)how);
    }
    if (wants_none(msg)) {
        return NATS_OK;
    }
    switch (how) {
    case NATS_ACK:
        return send_final(client, msg, "+ACK", 4);
    case NATS_NAK:
        return nak(client, msg, delay_ms);
    case NATS_TERM:
        return term(client, msg, reason, reason_len);
    default:
        return atomic_load(&msg->acked) == NATS__ACK_DONE ? claimed(msg)
                                                          : send(client, msg, "+WPI", 4);
    }
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
        nats_status status = send(client, msg, "+ACK", 4);
        if (status != NATS_OK) {
            unclaim(msg);
            return status;
        }
        *acked_out += 1;
    }
    return NATS_OK;
}

/* ---- from what is left of one ---- */

nats_status nats__msg_by_reply(nats_client *client, const char *reply, size_t reply_len,
                               nats_msg **msg_out)
{
    nats__place place;
    size_t len = nats__text_len(reply, reply_len);
    if (len > NATS_SUBJECT_MAX || !nats__place_parse(reply, len, &place)) {
        return no_place();
    }
    nats_msg *msg = nats__msg_make(client->conn->chunks, reply, len, NULL, 0, NULL, 0);
    if (msg == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    msg->reply = 0; /* the same text */
    msg->reply_len = msg->subject_len;
    *msg_out = msg;
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

nats_status nats__msg_ack_start(nats_client *client, nats_msg *msg, int64_t timeout_ms,
                                nats_future **future_out)
{
    if (!nats__place_acks(msg)) {
        return no_place();
    }
    if (timeout_ms < -1) {
        return nats__fail(NATS_ERR_INVALID, "timeout", "timeout is negative: %lld ms",
                          (long long)timeout_ms);
    }
    if (wants_none(msg)) {
        return nats__fail(NATS_ERR_INVALID, "msg",
                          "the consumer of msg takes no acks: its ack_policy is none");
    }
    nats_status status = claimed(msg);
    if (status != NATS_OK) {
        return status;
    }

    nats__frame frame = frame_of(msg, "+ACK", 4);
    nats__question how = {.timeout_ms = timeout_ms, .hooks = &hooks, .owner = msg};
    atomic_fetch_add_explicit(&msg->chunk->refs, 1, memory_order_relaxed);
    status = nats__future_start(client, &frame, &how, future_out);
    if (status != NATS_OK) {
        nats__chunk_unref(msg->chunk, 1);
        unclaim(msg);
    }
    return status;
}
