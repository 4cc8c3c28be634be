#include <polynats/msg.h>

#include <string.h>

#include "proto/chunk.h"
#include "proto/headers.h"
#include "proto/subject.h"

static void set_len(size_t *len_out, size_t len)
{
    if (len_out != NULL) {
        *len_out = len;
    }
}

/* What a handle that is NULL gives. */
static const char *nothing(size_t *len_out)
{
    set_len(len_out, 0);
    return "";
}

const char *nats_msg_subject(const nats_msg *msg, size_t *len_out)
{
    if (msg == NULL) {
        return nothing(len_out);
    }
    set_len(len_out, msg->subject_len);
    return (const char *)msg->text;
}

const char *nats_msg_reply(const nats_msg *msg, size_t *len_out)
{
    if (msg == NULL) {
        set_len(len_out, 0);
        return NULL;
    }
    set_len(len_out, msg->reply_len);
    return msg->reply_len > 0 ? (const char *)msg->text + msg->reply : NULL;
}

const void *nats_msg_data(const nats_msg *msg, size_t *len_out)
{
    if (msg == NULL) {
        return nothing(len_out);
    }
    set_len(len_out, msg->data_len);
    return msg->text + msg->body + msg->header_len;
}

uint64_t nats_msg_sid(const nats_msg *msg)
{
    return msg != NULL ? msg->sid : 0;
}

const char *nats_msg_headers_raw(const nats_msg *msg, size_t *len_out)
{
    if (msg == NULL) {
        set_len(len_out, 0);
        return NULL;
    }
    set_len(len_out, msg->header_len);
    return msg->header_len > 0 ? (const char *)msg->text + msg->body : NULL;
}

int32_t nats_msg_status(const nats_msg *msg)
{
    const char *description;
    size_t description_len;
    if (msg == NULL) {
        return 0;
    }
    return nats__headers_status((const char *)msg->text + msg->body, msg->header_len, &description,
                                &description_len);
}

const char *nats_msg_description(const nats_msg *msg, size_t *len_out)
{
    const char *description = "";
    size_t len = 0;
    if (msg == NULL || nats__headers_status((const char *)msg->text + msg->body, msg->header_len,
                                            &description, &len) == 0) {
        description = "";
        len = 0;
    }
    set_len(len_out, len);
    return description;
}

int32_t nats_msg_next_header(const nats_msg *msg, size_t *cursor, const char **key_out,
                             size_t *key_len_out, const char **value_out, size_t *value_len_out)
{
    const char *key;
    const char *value;
    size_t key_len;
    size_t value_len;
    bool more = msg != NULL && cursor != NULL &&
                nats__headers_next((const char *)msg->text + msg->body, msg->header_len, cursor,
                                   &key, &key_len, &value, &value_len);
    if (!more) {
        return 0;
    }

    if (key_out != NULL) {
        *key_out = key;
    }
    if (value_out != NULL) {
        *value_out = value;
    }
    set_len(key_len_out, key_len);
    set_len(value_len_out, value_len);
    return 1;
}

const char *nats_msg_header(const nats_msg *msg, const char *key, size_t key_len, size_t *len_out)
{
    if (msg == NULL || key == NULL) {
        set_len(len_out, 0);
        return NULL;
    }
    size_t want = nats__text_len(key, key_len);
    size_t cursor = 0;
    const char *at;
    const char *value;
    size_t at_len;
    size_t value_len;
    while (nats_msg_next_header(msg, &cursor, &at, &at_len, &value, &value_len) != 0) {
        if (at_len == want && memcmp(at, key, want) == 0) {
            set_len(len_out, value_len);
            return value;
        }
    }
    set_len(len_out, 0);
    return NULL;
}

void nats_msg_free(nats_msg *msg)
{
    if (msg != NULL) {
        nats__chunk_unref(msg->chunk, 1);
    }
}

void nats_msg_free_many(nats_msg **batch, size_t count)
{
    /* Neighbours in a batch mostly share their chunk: one count down for a run of them. */
    nats__chunk *chunk = NULL;
    unsigned run = 0;
    for (size_t i = 0; batch != NULL && i < count; i++) {
        if (batch[i] == NULL) {
            continue;
        }
        if (batch[i]->chunk != chunk) {
            if (run > 0) {
                nats__chunk_unref(chunk, run);
            }
            chunk = batch[i]->chunk;
            run = 0;
        }
        run++;
    }
    if (run > 0) {
        nats__chunk_unref(chunk, run);
    }
}
