#include <string.h>

#include "api/enter.h"
#include "proto/frame.h"
#include "proto/subject.h"

nats_status nats_client_publish(nats_client *client, const char *subject, size_t subject_len,
                                const void *data, size_t data_len)
{
    size_t len = subject != NULL && subject_len == NATS_Z ? strlen(subject) : subject_len;
    bool plain = nats__open(client) && subject != NULL && (data != NULL || data_len == 0) &&
                 nats__subject_ok(subject, len);
    if (plain) {
        nats__frame frame = {
            .subject = subject, .subject_len = len, .data = data, .data_len = data_len};
        if (nats__conn_publish_more(client->conn, &frame)) {
            return NATS_OK;
        }
    }
    return nats_client_publish_with(client, subject, subject_len, NULL, 0, NULL, data, data_len);
}

nats_status nats_client_publish_with(nats_client *client, const char *subject, size_t subject_len,
                                     const char *reply, size_t reply_len,
                                     const nats_headers *headers, const void *data,
                                     size_t data_len)
{
    nats__frame frame;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    status = nats__frame_make(&frame, subject, subject_len, reply, reply_len, headers, data,
                              data_len);
    if (status == NATS_OK && !nats__conn_publish_more(client->conn, &frame)) {
        status = nats__conn_publish(client->conn, &frame);
    }
    return nats__leave(client, status);
}

nats_status nats_client_publish_many(nats_client *client, const char *subject, size_t subject_len,
                                     const void *const *datas, const size_t *data_lens,
                                     size_t count, size_t *published_out)
{
    size_t published = 0;
    if (published_out != NULL) {
        *published_out = 0;
    }
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    if (count > 0 && (datas == NULL || data_lens == NULL)) {
        return nats__leave(client, nats__null_argument(datas == NULL ? "datas" : "data_lens"));
    }

    nats__frame frame;
    status = nats__frame_make(&frame, subject, subject_len, NULL, 0, NULL, NULL, 0);
    for (size_t i = 0; i < count && status == NATS_OK; i++) {
        status = nats__frame_check_data(datas[i], data_lens[i]);
    }
    if (status == NATS_OK) {
        status = nats__conn_publish_many(client->conn, &frame, datas, data_lens, count, &published);
    }
    if (published_out != NULL) {
        *published_out = published;
    }
    return nats__leave(client, status);
}

nats_status nats_client_respond(nats_client *client, const nats_msg *msg,
                                const nats_headers *headers, const void *data, size_t data_len)
{
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    if (msg == NULL) {
        return nats__leave(client, nats__null_argument("msg"));
    }
    size_t reply_len;
    const char *reply = nats_msg_reply(msg, &reply_len);
    if (reply == NULL) {
        return nats__leave(client, nats__fail(NATS_ERR_INVALID, "msg",
                                              "msg has no reply subject: no answer is asked for"));
    }
    return nats_client_publish_with(client, reply, reply_len, NULL, 0, headers, data, data_len);
}

/* ---- requests ---- */

static nats_status ask(nats_client *client, const char *subject, size_t subject_len,
                       const nats_headers *headers, const void *data, size_t data_len,
                       const nats__question *how, nats_future **future_out)
{
    nats__frame frame;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    if (how->stall_ms < 0 || how->timeout_ms < -1) {
        const char *what = how->stall_ms < 0 ? "stall" : "timeout";
        long long ms = how->stall_ms < 0 ? how->stall_ms : how->timeout_ms;
        nats__fail(NATS_ERR_INVALID, what, "%s is negative: %lld ms", what, ms);
        return nats__leave(client, NATS_ERR_INVALID);
    }
    status = nats__frame_make(&frame, subject, subject_len, NULL, 0, headers, data, data_len);
    if (status == NATS_OK) {
        status = nats__future_start(client, &frame, how, future_out);
    }
    return nats__leave(client, status);
}

nats_status nats_client_request_start(nats_client *client, const char *subject, size_t subject_len,
                                      const nats_headers *headers, const void *data,
                                      size_t data_len, int64_t timeout_ms,
                                      nats_future **future_out)
{
    nats__question how = {.timeout_ms = timeout_ms};
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    return ask(client, subject, subject_len, headers, data, data_len, &how, future_out);
}

nats_status nats_client_request_many(nats_client *client, const char *subject, size_t subject_len,
                                     const nats_headers *headers, const void *data,
                                     size_t data_len, size_t max, int64_t stall_ms,
                                     int64_t timeout_ms, int32_t sentinel,
                                     nats_future **future_out)
{
    nats__question how = {.many = true,
                          .max = max,
                          .stall_ms = stall_ms,
                          .timeout_ms = timeout_ms,
                          .sentinel = sentinel != 0};
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    return ask(client, subject, subject_len, headers, data, data_len, &how, future_out);
}

nats_status nats_client_request(nats_client *client, const char *subject, size_t subject_len,
                                const nats_headers *headers, const void *data, size_t data_len,
                                int64_t timeout_ms, nats_msg **reply_out)
{
    nats_future *future;
    if (reply_out == NULL) {
        return nats__null_argument("reply_out");
    }
    *reply_out = NULL;
    nats_status status = nats_client_request_start(client, subject, subject_len, headers, data,
                                                   data_len, timeout_ms, &future);
    if (status != NATS_OK) {
        return status;
    }
    status = nats_future_wait(future, -1, reply_out);
    nats_future_free(future);
    return status;
}
