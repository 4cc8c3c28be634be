#include "jetstream/publish.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/batch.h"
#include "jetstream/puback.h"

enum {
    STATUS_NO_RESPONDERS = 503,
    RETRIES = 2, /* these two: ADR-22. A stream has no leader for a moment, now and then */
    RETRY_NS = 250 * 1000000,
    SHOWN_MAX = 80 /* bytes of an answer that is none, in its error */
};

/* What it takes to send it again. */
typedef struct attempt {
    nats__frame frame;
    unsigned retries;
    nats_js_batch *batch; /* referenced; NULL: it is of none */
    bool first;           /* of the batch: its answer is empty */
    uint8_t bytes[];
} attempt;

static void drop(nats_future *future, nats_msg *msg)
{
    future->conn->totals.dropped++;
    nats__chunk_unref(msg->chunk, 1);
}

static void nobody(nats_future *future, int64_t now_ns)
{
    attempt *self = future->owner;
    if (self->retries > 0) {
        self->retries--;
        nats__future_hook_at(future, now_ns + RETRY_NS);
        return;
    }
    nats__fail(NATS_ERR_NO_RESPONDERS, "subject", "no stream takes %.*s",
               (int)self->frame.subject_len, self->frame.subject);
    nats__future_fail(future);
}

static void no_ack(nats_future *future, const char *data, size_t len)
{
    const attempt *self = future->owner;
    nats__fail(NATS_ERR_PROTOCOL, "subject",
               "the answer to what was published to %.*s is no acknowledgement: %.*s",
               (int)self->frame.subject_len, self->frame.subject,
               (int)(len < SHOWN_MAX ? len : SHOWN_MAX), data);
    nats__future_fail(future);
}

/* A stream that knows of no batches has stored the message by itself. */
static void no_batch(nats_future *future, const nats__puback *ack)
{
    nats__fail(NATS_ERR_NOT_SUPPORTED, "batch",
               "this server has no atomic batches (API level 2, nats-server 2.12): "
               "it stored the message by itself, as sequence %llu",
               (unsigned long long)ack->seq);
    nats__future_fail(future);
}

static void on_reply(nats_future *future, nats_msg *msg, int32_t status, int64_t now_ns)
{
    const attempt *self = future->owner;
    const char *data = (const char *)msg->text + msg->body + msg->header_len;
    nats__puback ack;
    if (status == STATUS_NO_RESPONDERS && msg->data_len == 0) {
        drop(future, msg);
        nobody(future, now_ns);
        return;
    }
    nats__puback_kind kind = nats__puback_read(data, msg->data_len, &ack);
    if (kind == NATS__PUBACK_STORED && !self->first) {
        nats__future_give(future, msg);
        nats__future_end(future, NATS_OK);
        return;
    }
    if (self->first && msg->data_len == 0 && status == 0) {
        future->many = true; /* it ends as many replies do: with none */
        nats__future_end(future, NATS_OK);
    } else if (kind == NATS__PUBACK_ERROR) {
        nats__puback_fail(&ack, "stream");
        nats__future_fail(future);
    } else if (kind == NATS__PUBACK_STORED) {
        no_batch(future, &ack);
    } else {
        no_ack(future, data, msg->data_len);
    }
    drop(future, msg);
}

static void on_time(nats_future *future, int64_t now_ns)
{
    (void)now_ns;
    const attempt *self = future->owner;
    if (nats__future_ask(future, &self->frame) != NATS_OK) {
        nats__future_fail(future);
    }
}

/* The usual words would be of a request that nobody answered. */
static void on_ended(nats_future *future)
{
    const attempt *self = future->owner;
    if (self->batch != NULL) {
        nats__batch_told(self->batch, !self->first, future->status);
    }
    bool unknown =
        future->status == NATS_ERR_TIMEOUT || future->status == NATS_ERR_DISCONNECTED;
    if (!unknown || future->words != NULL) {
        return;
    }
    future->words = malloc(sizeof *future->words);
    if (future->words == NULL) {
        return; /* the usual words then */
    }
    bool late = future->status == NATS_ERR_TIMEOUT;
    nats__fail(future->status, late ? "timeout" : "subject",
               "%s what was published to %.*s%s: the stream may have it, or not",
               late ? "no acknowledgement of" : "the connection was lost before",
               (int)self->frame.subject_len, self->frame.subject,
               late ? " in time" : " was acknowledged");
    *future->words = *nats__error_get();
}

static void freed(void *owner)
{
    attempt *self = owner;
    if (self->batch != NULL) {
        nats__batch_unref(self->batch);
    }
    free(self);
}

static const nats__future_hooks hooks = {
    .on_reply = on_reply, .on_time = on_time, .on_ended = on_ended, .freed = freed};

static const void *copy_part(uint8_t **at, const void *part, size_t len)
{
    uint8_t *copy = *at;
    if (len == 0) {
        return part;
    }
    memcpy(copy, part, len);
    *at += len;
    return copy;
}

static attempt *attempt_new(const nats__frame *frame, bool copy)
{
    size_t size = copy ? frame->subject_len + frame->headers_len + frame->data_len : 0;
    attempt *self = malloc(sizeof *self + size);
    if (self == NULL) {
        return NULL;
    }
    *self = (attempt){.frame = *frame, .retries = RETRIES};
    uint8_t *at = self->bytes;
    if (copy) {
        self->frame.subject = copy_part(&at, frame->subject, frame->subject_len);
        self->frame.headers = copy_part(&at, frame->headers, frame->headers_len);
        self->frame.data = copy_part(&at, frame->data, frame->data_len);
    }
    return self;
}

nats_status nats__publish_start(nats_client *client, const nats__frame *frame,
                                const nats__publishing *how, nats_future **out)
{
    attempt *self = attempt_new(frame, !how->borrowed);
    if (self == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    self->batch = how->batch;
    self->first = how->first;
    if (self->batch != NULL) {
        nats__batch_ref(self->batch);
    }
    nats__question ask = {.timeout_ms = how->timeout_ms, .hooks = &hooks, .owner = self};
    nats_status status = nats__future_start(client, &self->frame, &ask, out);
    if (status != NATS_OK) {
        freed(self);
    }
    return status;
}
