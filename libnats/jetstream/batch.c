#include "jetstream/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/keyword.h"
#include "jetstream/level.h"
#include "jetstream/publish.h"
#include "proto/headers.h"
#include "proto/subject.h"

enum {
    MESSAGES_MAX = 1000, /* nats-server's limit when its operator sets none */
    LINE_MAX = 192,      /* of the headers that make a message one of a batch */
    LEVEL = 2,           /* of the server's API that knows batches, */
    LEVEL_EMPTY = 4      /* and their end without a message */
};

#define VERSION_LINE "NATS/1.0\r\n"

typedef enum phase {
    FRESH,
    BEGUN, /* the first message waits for its answer */
    OPEN,
    COMMITTED, /* or it is being */
    ABANDONED
} phase;

/* Messages of a batch are numbered, and must come in that order: `order` is held while one gets its number
 * and its place in the outbox. */
struct nats_js_batch {
    atomic_uint refs; /* the handle, futures */
    nats_client *client; /* referenced by the handle */
    nats_js *js;         /* referenced */
    pthread_mutex_t order;
    uint64_t count; /* messages so far; order */
    char *subject;  /* of the first, for an end without a message; order */
    atomic_int phase;
    char id[NATS__NUID_LEN + 1];
};

nats_status nats__batch_new(nats_js *js, nats_js_batch **out)
{
    char inbox[NATS_SUBJECT_MAX + NATS__NUID_LEN + 4];
    size_t len;
    nats__conn *conn = js->client->conn;
    pthread_mutex_lock(&conn->mu);
    nats_status status = nats__session_new_inbox(conn->session, inbox, sizeof inbox, &len);
    pthread_mutex_unlock(&conn->mu);
    if (status != NATS_OK) {
        return status;
    }
    nats_js_batch *batch = calloc(1, sizeof *batch);
    if (batch == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    atomic_init(&batch->refs, 1);
    atomic_init(&batch->phase, FRESH);
    batch->client = js->client;
    batch->js = js;
    nats__js_ref(js);
    pthread_mutex_init(&batch->order, NULL);
    memcpy(batch->id, inbox + len - NATS__NUID_LEN, NATS__NUID_LEN); /* as unique as the inbox */
    nats__client_ref(js->client);
    *out = batch;
    return NATS_OK;
}

void nats__batch_ref(nats_js_batch *batch)
{
    atomic_fetch_add_explicit(&batch->refs, 1, memory_order_relaxed);
}

void nats__batch_unref(nats_js_batch *batch)
{
    if (atomic_fetch_sub_explicit(&batch->refs, 1, memory_order_acq_rel) == 1) {
        pthread_mutex_destroy(&batch->order);
        nats__js_unref(batch->js);
        free(batch->subject);
        free(batch);
    }
}

void nats__batch_free(nats_js_batch *batch)
{
    nats_client *client = batch->client;
    nats__batch_unref(batch);
    nats__client_unref(client);
}

nats_client *nats__batch_client(const nats_js_batch *batch)
{
    return batch->client;
}

int64_t nats__batch_timeout_ms(const nats_js_batch *batch)
{
    return batch->js->timeout_ms;
}

void nats__batch_told(nats_js_batch *batch, bool last, nats_status status)
{
    int begun = BEGUN;
    if (!last) {
        int next = status == NATS_OK ? OPEN : ABANDONED;
        atomic_compare_exchange_strong(&batch->phase, &begun, next);
    }
}

/* ---- a message of it ---- */

static nats_status check(const nats_js_batch *batch, uint64_t count)
{
    switch (atomic_load(&batch->phase)) {
    case BEGUN:
        return nats__fail(NATS_ERR_INVALID, "batch",
                          "the batch's first message waits for its answer: wait for it first");
    case COMMITTED:
        return nats__fail(NATS_ERR_CLOSED, "batch", "the batch was committed, and is over");
    case ABANDONED:
        return nats__fail(NATS_ERR_CLOSED, "batch",
                          "the batch was abandoned, for its first message was not accepted");
    default:
        break;
    }
    if (count > MESSAGES_MAX) {
        return nats__fail(NATS_ERR_LIMIT, "batch", "a batch has %d messages at most", MESSAGES_MAX);
    }
    return NATS_OK;
}

static bool has_batch_header(const nats__frame *frame)
{
    size_t cursor = 0;
    const char *key;
    const char *value;
    size_t key_len;
    size_t value_len;
    while (frame->headers_len > 0 &&
           nats__headers_next((const char *)frame->headers, frame->headers_len, &cursor, &key,
                              &key_len, &value, &value_len)) {
        if (key_len > 11 && memcmp(key, "Nats-Batch-", 11) == 0) {
            return true;
        }
    }
    return false;
}

/* The frame's headers behind those of the batch. */
static nats_status put_headers(const nats_js_batch *batch, nats__frame *frame, uint64_t seq,
                               const char *commit, nats__buf *block)
{
    char lines[LINE_MAX];
    if (has_batch_header(frame)) {
        return nats__fail(NATS_ERR_INVALID, "headers", "headers Nats-Batch-… are the batch's own");
    }
    int len = snprintf(lines, sizeof lines,
                       VERSION_LINE "Nats-Batch-Id: %s\r\nNats-Batch-Sequence: %llu\r\n%s%s%s",
                       batch->id, (unsigned long long)seq,
                       commit != NULL ? "Nats-Batch-Commit: " : "", commit != NULL ? commit : "",
                       commit != NULL ? "\r\n" : "");
    size_t skip = sizeof(VERSION_LINE) - 1;
    bool ok = nats__buf_append(block, lines, (size_t)len) &&
              (frame->headers_len > skip
                   ? nats__buf_append(block, frame->headers + skip, frame->headers_len - skip)
                   : nats__buf_append_text(block, "\r\n"));
    if (!ok) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    frame->headers = block->data;
    frame->headers_len = block->len;
    return NATS_OK;
}

/* The first message's answer came behind the level: it is known, unless the connection is another by now, and
 * then there is no batch there. */
static nats_status check_level(const nats_js_batch *batch, const nats__js_needs *needs)
{
    nats__conn *conn = batch->client->conn;
    if (needs->level <= LEVEL) {
        return NATS_OK;
    }
    pthread_mutex_lock(&conn->mu);
    nats_status status = nats__js_level_known(batch->js, conn, needs)
                             ? nats__js_level_check_publish(batch->js, conn, needs)
                             : NATS_OK;
    pthread_mutex_unlock(&conn->mu);
    return status;
}

static nats_status send(nats_js_batch *batch, nats__frame *frame, const char *commit,
                        nats__js_needs *needs, int64_t timeout_ms, nats_future **out)
{
    nats__buf block = {0};
    uint64_t seq = batch->count + 1;
    int phase_before = atomic_load(&batch->phase);
    nats_status status = put_headers(batch, frame, seq, commit, &block);
    if (status == NATS_OK && (seq == 1 || commit != NULL)) {
        bool begins = commit == NULL;
        atomic_store(&batch->phase, begins ? BEGUN : COMMITTED);
        nats__publishing how = {.js = batch->js,
                                .needs = needs,
                                .timeout_ms = timeout_ms,
                                .batch = batch,
                                .first = begins};
        nats__js_need(needs, LEVEL, "batch", nats__keyword_since(LEVEL));
        status = nats__publish_start(frame, &how, out);
    } else if (status == NATS_OK) {
        status = check_level(batch, needs);
        status = status == NATS_OK ? nats__conn_publish(batch->client->conn, frame) : status;
    }
    nats__buf_free(&block);
    batch->count += status == NATS_OK;
    if (status != NATS_OK) {
        atomic_store(&batch->phase, phase_before);
    }
    return status;
}

static nats_status note_subject(nats_js_batch *batch, const nats__frame *frame)
{
    if (batch->subject != NULL) {
        return NATS_OK;
    }
    batch->subject = strndup(frame->subject, frame->subject_len);
    return batch->subject != NULL ? NATS_OK
                                  : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

nats_status nats__batch_add(nats_js_batch *batch, const nats__frame *frame, nats__js_needs *needs,
                            int64_t timeout_ms, nats_future **out)
{
    nats__frame own = *frame;
    *out = NULL;
    pthread_mutex_lock(&batch->order);
    nats_status status = check(batch, batch->count + 1);
    if (status == NATS_OK) {
        status = note_subject(batch, frame);
    }
    if (status == NATS_OK) {
        status = send(batch, &own, NULL, needs, timeout_ms, out);
    }
    pthread_mutex_unlock(&batch->order);
    return status;
}

static nats_status commit_empty(nats_js_batch *batch, nats__js_needs *needs, int64_t timeout_ms,
                                nats_future **out)
{
    if (batch->count == 0) {
        return nats__fail(NATS_ERR_INVALID, "batch", "nothing was added to the batch");
    }
    nats__frame end = {.subject = batch->subject, .subject_len = strlen(batch->subject)};
    nats__js_need(needs, LEVEL_EMPTY, "commit without a message",
                  nats__keyword_since(LEVEL_EMPTY));
    return send(batch, &end, "eob", needs, timeout_ms, out);
}

nats_status nats__batch_commit(nats_js_batch *batch, const nats__frame *frame,
                               nats__js_needs *needs, int64_t timeout_ms, nats_future **out)
{
    *out = NULL;
    pthread_mutex_lock(&batch->order);
    nats_status status = check(batch, batch->count + (frame != NULL));
    if (status == NATS_OK && frame != NULL) {
        nats__frame own = *frame;
        status = send(batch, &own, "1", needs, timeout_ms, out);
    } else if (status == NATS_OK) {
        status = commit_empty(batch, needs, timeout_ms, out);
    }
    pthread_mutex_unlock(&batch->order);
    return status;
}

nats_status nats__batch_sent(nats_js_batch *batch, nats_future **out)
{
    nats__conn *conn = batch->client->conn;
    pthread_mutex_lock(&conn->mu);
    nats_status status = nats__future_new(batch->client, "", 0, INT64_MAX, out);
    if (status == NATS_OK) {
        (*out)->many = true;
        nats__future_end(*out, NATS_OK);
    }
    pthread_mutex_unlock(&conn->mu);
    return status;
}
