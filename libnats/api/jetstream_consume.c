#include <polynats/jetstream_consume.h>

#include <string.h>

#include "api/jetstream.h"
#include "jetstream/ack.h"
#include "jetstream/consume.h"
#include "jetstream/place.h"
#include "proto/subject.h"

/* ---- consume ---- */

nats_status nats_js_consume_start(nats_js *js, const char *how, const char *arguments,
                                  size_t arguments_len, int64_t timeout_ms, nats_sub **sub_out,
                                  nats_future **future_out)
{
    if (sub_out == NULL || future_out == NULL) {
        return nats__null_argument(sub_out == NULL ? "sub_out" : "future_out");
    }
    *sub_out = NULL;
    *future_out = NULL;
    nats_status status = nats__enter_js(js);
    if (status != NATS_OK) {
        return status;
    }
    status = nats__js_timeout(js, &timeout_ms);
    if (status == NATS_OK) {
        status = nats__consume_start(js, how, arguments, arguments_len, timeout_ms, sub_out,
                                     future_out);
    }
    return nats__leave(js->client, status);
}

nats_status nats_js_consume(nats_js *js, const char *how, const char *arguments,
                            size_t arguments_len, int64_t timeout_ms, nats_sub **sub_out)
{
    nats_future *future;
    nats_msg *info = NULL;
    nats_status status = nats_js_consume_start(js, how, arguments, arguments_len, timeout_ms,
                                               sub_out, &future);
    if (status != NATS_OK) {
        return status;
    }
    status = nats_future_wait(future, -1, &info);
    nats_msg_free(info);
    nats__error why = *nats__error_get();
    nats_future_free(future);
    if (status != NATS_OK) {
        nats_sub_set_mode(*sub_out, NATS_SUB_PRIVATE); /* it ends, and what it has is dropped */
        nats_sub_free(*sub_out);
        *sub_out = NULL;
        *nats__error_get() = why;
    }
    return status;
}

/* ---- acks ---- */

static nats_status enter_msg(const nats_client *client, const nats_msg *msg)
{
    nats_status status = nats__enter_open(client);
    if (status == NATS_OK && msg == NULL) {
        status = nats__leave(client, nats__null_argument("msg"));
    }
    return status;
}

nats_status nats_client_ack(nats_client *client, nats_msg *msg, int32_t how, int64_t delay_ms,
                            const char *reason, size_t reason_len)
{
    nats_status status = enter_msg(client, msg);
    if (status != NATS_OK) {
        return status;
    }
    return nats__leave(client, nats__msg_ack(client, msg, how, delay_ms, reason, reason_len));
}

nats_status nats_client_ack_many(nats_client *client, nats_msg *const *batch, size_t count,
                                 size_t *acked_out)
{
    size_t acked = 0;
    if (acked_out != NULL) {
        *acked_out = 0;
    }
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    if (batch == NULL && count > 0) {
        return nats__leave(client, nats__null_argument("batch"));
    }
    status = nats__msgs_ack(client, batch, count, &acked);
    if (acked_out != NULL) {
        *acked_out = acked;
    }
    return nats__leave(client, status);
}

nats_status nats_client_ack_sync_start(nats_client *client, nats_msg *msg, int64_t timeout_ms,
                                       nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = enter_msg(client, msg);
    if (status != NATS_OK) {
        return status;
    }
    return nats__leave(client, nats__msg_ack_start(client, msg, timeout_ms, future_out));
}

nats_status nats_client_ack_sync(nats_client *client, nats_msg *msg, int64_t timeout_ms)
{
    nats_future *future;
    nats_msg *reply = NULL;
    nats_status status = nats_client_ack_sync_start(client, msg, timeout_ms, &future);
    if (status != NATS_OK) {
        return status;
    }
    status = nats_future_wait(future, -1, &reply);
    nats__error why = *nats__error_get();
    nats_msg_free(reply);
    nats_future_free(future);
    *nats__error_get() = why;
    return status;
}

/* ---- acks of messages that were copied ---- */

int32_t nats_msg_ack_state(const nats_msg *msg)
{
    static const int32_t states[] = {[NATS__ACK_OPEN] = NATS_ACK_STATE_OPEN,
                                     [NATS__ACK_DONE] = NATS_ACK_STATE_DONE,
                                     [NATS__ACK_NONE] = NATS_ACK_STATE_UNWANTED};
    if (msg == NULL || !nats__place_acks(msg)) {
        return NATS_ACK_STATE_NONE;
    }
    return states[atomic_load_explicit(&msg->acked, memory_order_relaxed)];
}

static nats_status enter_reply(const nats_client *client, const char *reply, size_t *len)
{
    nats_status status = nats__enter_open(client);
    if (status == NATS_OK && reply == NULL) {
        return nats__leave(client, nats__null_argument("reply"));
    }
    *len = reply != NULL ? nats__text_len(reply, *len) : 0;
    return status;
}

nats_status nats_client_ack_reply(nats_client *client, const char *reply, size_t reply_len,
                                  int32_t how, int64_t delay_ms, const char *reason,
                                  size_t reason_len)
{
    nats_status status = enter_reply(client, reply, &reply_len);
    if (status != NATS_OK) {
        return status;
    }
    return nats__leave(client, nats__reply_ack(client, reply, reply_len, how, delay_ms, reason,
                                               reason_len));
}

nats_status nats_client_ack_reply_start(nats_client *client, const char *reply, size_t reply_len,
                                        int64_t timeout_ms, nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = enter_reply(client, reply, &reply_len);
    if (status != NATS_OK) {
        return status;
    }
    return nats__leave(client, nats__reply_ack_start(client, reply, reply_len, timeout_ms,
                                                     future_out));
}

nats_status nats_client_ack_replies(nats_client *client, const char *const *replies,
                                    const size_t *reply_lens, size_t count, size_t *acked_out)
{
    size_t acked = 0;
    if (acked_out != NULL) {
        *acked_out = 0;
    }
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    if (replies == NULL && count > 0) {
        return nats__leave(client, nats__null_argument("replies"));
    }
    status = nats__replies_ack(client, replies, reply_lens, count, &acked);
    if (acked_out != NULL) {
        *acked_out = acked;
    }
    return nats__leave(client, status);
}

/* ---- the place ---- */

int32_t nats_msg_js_uints(const nats_msg *msg, uint64_t *values)
{
    nats__place place;
    bool found = msg != NULL && nats__place_of(msg, &place);
    if (values == NULL) {
        return found;
    }
    if (!found) {
        memset(values, 0, NATS_JS_UINT_COUNT * sizeof *values);
        return 0;
    }
    values[NATS_JS_STREAM_SEQ] = place.stream_seq;
    values[NATS_JS_CONSUMER_SEQ] = place.consumer_seq;
    values[NATS_JS_DELIVERED] = place.delivered;
    values[NATS_JS_PENDING] = place.pending;
    values[NATS_JS_TIME_NS] = place.time_ns;
    return 1;
}

int32_t nats_msg_js_uint(const nats_msg *msg, int32_t what, uint64_t *out)
{
    uint64_t values[NATS_JS_UINT_COUNT];
    bool found = what >= 0 && what < NATS_JS_UINT_COUNT && nats_msg_js_uints(msg, values) != 0;
    if (out != NULL) {
        *out = found ? values[what] : 0;
    }
    return found;
}

const char *nats_msg_js_text(const nats_msg *msg, int32_t what, size_t *len_out)
{
    nats__place place;
    const char *text = NULL;
    size_t len = 0;
    if (msg != NULL && nats__place_of(msg, &place)) {
        switch (what) {
        case NATS_JS_STREAM:
            text = place.stream;
            len = place.stream_len;
            break;
        case NATS_JS_CONSUMER:
            text = place.consumer;
            len = place.consumer_len;
            break;
        case NATS_JS_DOMAIN:
            text = place.domain;
            len = place.domain_len;
            break;
        default:
            break;
        }
    }
    if (len_out != NULL) {
        *len_out = len;
    }
    return text;
}
