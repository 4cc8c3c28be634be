#include "jetstream/publish.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "jetstream/batch.h"
#include "jetstream/level.h"
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
    nats_js *js;          /* referenced */
    nats__js_needs needs; /* of the server */
    bool asking;          /* what the server can do; the message was not sent yet */
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

/* What errors are about. */
typedef struct subject {
    char text[NATS__ERROR_ABOUT_MAX];
} subject;

static subject subject_of(const attempt *self)
{
    subject of;
    snprintf(of.text, sizeof of.text, "%.*s", (int)self->frame.subject_len, self->frame.subject);
    return of;
}

/* What their words begin with. */
typedef struct whose {
    char text[NATS__ERROR_ABOUT_MAX + 32];
} whose;

static whose whose_of(const attempt *self)
{
    whose of;
    const char *verb = self->batch == NULL ? "publish" : self->first ? "batch add" : "batch commit";
    snprintf(of.text, sizeof of.text, "%s to %s", verb, subject_of(self).text);
    return of;
}

/* It is sent again if there is time for an answer. */
static void nobody(nats_future *future, int64_t now_ns)
{
    attempt *self = future->owner;
    if (self->retries > 0 && now_ns + RETRY_NS < future->deadline_ns) {
        self->retries--;
        nats__future_hook_at(future, now_ns + RETRY_NS);
        return;
    }
    nats__fail_server(NATS_ERR_NO_RESPONDERS, &(nats__said){.code = STATUS_NO_RESPONDERS},
                      subject_of(self).text, "%s: no stream takes this subject",
                      whose_of(self).text);
    nats__future_fail(future);
}

static void no_ack(nats_future *future, const char *data, size_t len)
{
    const attempt *self = future->owner;
    nats__fail(NATS_ERR_PROTOCOL, subject_of(self).text,
               "%s: the answer is no acknowledgement: %.*s", whose_of(self).text,
               (int)(len < SHOWN_MAX ? len : SHOWN_MAX), data);
    nats__future_fail(future);
}

/* A stream that knows of no batches has stored the message by itself. */
static void no_batch(nats_future *future, const nats__puback *ack)
{
    nats__fail(NATS_ERR_NOT_SUPPORTED, "batch",
               "%s: this server has no atomic batches (API level 2, nats-server 2.12): "
               "it stored the message by itself, as sequence %llu",
               whose_of(future->owner).text, (unsigned long long)ack->seq);
    nats__future_fail(future);
}

static void answer_came(nats_future *future, nats_msg *msg, int32_t status, int64_t now_ns)
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
        nats__puback_fail(&ack, subject_of(self).text, whose_of(self).text);
        nats__future_fail(future);
    } else if (kind == NATS__PUBACK_STORED) {
        no_batch(future, &ack);
    } else {
        no_ack(future, data, msg->data_len);
    }
    drop(future, msg);
}

/* ---- what the server can do ---- */

static void send(nats_future *future)
{
    const attempt *self = future->owner;
    if (nats__future_ask(future, &self->frame) != NATS_OK) {
        nats__future_fail(future);
    }
}

/* info NULL: nobody tells. The message is sent then, and its answer looked at. */
static void learn(nats_future *future, const nats__json *info)
{
    attempt *self = future->owner;
    self->asking = false;
    nats__js_level_learn(self->js, future->conn, info);
    if (nats__js_level_check_publish(self->js, future->conn, &self->needs) != NATS_OK) {
        nats__future_fail(future);
        return;
    }
    send(future);
}

static void level_came(nats_future *future, const nats_msg *msg)
{
    nats__json *info = nats__js_level_read(msg);
    learn(future, info);
    nats__json_free(info);
}

static bool on_refused(nats_future *future)
{
    const attempt *self = future->owner;
    if (!self->asking) {
        return false;
    }
    learn(future, NULL);
    return true;
}

static void on_reply(nats_future *future, nats_msg *msg, int32_t status, int64_t now_ns)
{
    const attempt *self = future->owner;
    if (self->asking) {
        level_came(future, msg);
        drop(future, msg);
        return;
    }
    answer_came(future, msg, status, now_ns);
}

static void on_time(nats_future *future, int64_t now_ns)
{
    (void)now_ns;
    send(future);
}

/* Nothing is known of it, or it was not sent yet. */
static const char *unknown_words(const attempt *self, bool late)
{
    if (self->asking) {
        return late ? "not sent: the server did not tell in time what it can do"
                    : "not sent: the connection was lost before the server told what it can do";
    }
    return late ? "no acknowledgement in time: it may be stored, or not; with a msg_id it can "
                  "safely be sent again"
                : "the connection was lost before its acknowledgement came: it may be stored, or "
                  "not; with a msg_id it can safely be sent again";
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
    nats__fail(future->status, subject_of(self).text, "%s: %s", whose_of(self).text,
               unknown_words(self, late));
    *future->words = *nats__error_get();
}

static void freed(void *owner)
{
    attempt *self = owner;
    if (self->batch != NULL) {
        nats__batch_unref(self->batch);
    }
    nats__js_unref(self->js);
    free(self);
}

static const nats__future_hooks hooks = {
    .on_reply = on_reply,
    .on_time = on_time,
    .on_refused = on_refused,
    .on_ended = on_ended,
    .freed = freed,
};

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

/* Must the server be asked first? *known_out: NATS_OK, or why it need not be sent at all. mu not held. */
static bool must_ask(nats_js *js, const nats__js_needs *needs, nats_status *known_out)
{
    nats__conn *conn = js->client->conn;
    *known_out = NATS_OK;
    if (needs->level == 0) {
        return false;
    }
    pthread_mutex_lock(&conn->mu);
    bool known = nats__js_level_known(js, conn, needs);
    if (known) {
        *known_out = nats__js_level_check_publish(js, conn, needs);
    }
    pthread_mutex_unlock(&conn->mu);
    return !known;
}

static nats_status ask_level(nats_js *js, const nats__question *how, nats_future **out)
{
    nats__buf subject = {0};
    nats_status status = NATS_ERR_NO_MEMORY;
    if (nats__js_subject(js, &subject, "INFO")) {
        nats__frame frame = {.subject = (const char *)subject.data, .subject_len = subject.len};
        status = nats__future_start(js->client, &frame, how, out);
    } else {
        nats__fail(status, NULL, "out of memory");
    }
    nats__buf_free(&subject);
    return status;
}

static nats_status begin(attempt *self, int64_t timeout_ms, nats_future **out)
{
    nats_status status;
    nats__question how = {.timeout_ms = timeout_ms, .hooks = &hooks, .owner = self};
    self->asking = must_ask(self->js, &self->needs, &status);
    if (status != NATS_OK) {
        return status;
    }
    return self->asking ? ask_level(self->js, &how, out)
                        : nats__future_start(self->js->client, &self->frame, &how, out);
}

nats_status nats__publish_start(const nats__frame *frame, const nats__publishing *how,
                                nats_future **out)
{
    attempt *self = attempt_new(frame, !how->borrowed);
    if (self == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    self->js = how->js;
    self->needs = *how->needs;
    self->batch = how->batch;
    self->first = how->first;
    nats__js_ref(self->js);
    if (self->batch != NULL) {
        nats__batch_ref(self->batch);
    }
    nats_status status = begin(self, how->timeout_ms, out);
    if (status != NATS_OK) {
        freed(self);
    }
    return status;
}

/* ---- the same, waited for ---- */

static bool has_ended(void *what)
{
    const nats_future *future = what;
    return !future->open;
}

/* mu held. Without an answer nothing is published: it is not known whether the server would pass over what
 * it is to look at. */
static nats_status wait_for_level(const nats_js *js, const nats__js_needs *needs,
                                  nats_future *future)
{
    nats__conn *conn = js->client->conn;
    nats_status status = nats__conn_wait(conn, future, has_ended, future, future->deadline_ns);
    if (status == NATS_ERR_INTERRUPTED) {
        return nats__fail(status, NULL, "interrupted by a signal while waiting for a reply");
    }
    nats__future_expire(future, nats__now_ns());
    if (future->words != NULL) {
        *nats__error_get() = *future->words;
        return future->status;
    }
    if (future->status == NATS_OK && nats__js_level_known(js, conn, needs)) {
        return nats__js_level_check_publish(js, conn, needs);
    }
    status = future->status != NATS_OK ? future->status : NATS_ERR_DISCONNECTED;
    return nats__fail(status, needs->what,
                      "publish: the server did not say whether it knows %s: nothing was sent",
                      needs->what);
}

nats_status nats__publish_may(nats_js *js, const nats__js_needs *needs)
{
    nats_status status;
    nats_future *future;
    nats_client *client = js->client;
    nats__conn *conn = client->conn;
    if (!must_ask(js, needs, &status)) {
        return status;
    }
    status = nats__js_learn_start(js, js->timeout_ms, &future);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&conn->mu);
    status = wait_for_level(js, needs, future);
    nats__future_free(future);
    pthread_mutex_unlock(&conn->mu);
    nats__client_unref(client);
    return status;
}
