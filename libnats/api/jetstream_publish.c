#include <string.h>

#include "api/jetstream.h"
#include "jetstream/batch.h"
#include "jetstream/ingest.h"
#include "jetstream/keyword.h"
#include "jetstream/level.h"
#include "jetstream/puback.h"
#include "jetstream/publish.h"
#include "jetstream/publisher.h"
#include "proto/frame.h"
#include "proto/headers.h"

/* ---- publish ---- */

static nats_status make_frame(nats__frame *frame, nats__js_needs *needs, const char *subject,
                              size_t subject_len, const nats_headers *headers, const void *data,
                              size_t data_len)
{
    needs->level = 0;
    nats_status status = nats__frame_make(frame, subject, subject_len, NULL, 0, headers, data,
                                          data_len);
    return status == NATS_OK && frame->headers_len > 0 ? nats__keywords_check(frame, needs)
                                                       : status;
}

static nats_status start(nats_js *js, const char *subject, size_t subject_len,
                         const nats_headers *headers, const void *data, size_t data_len,
                         bool borrowed, int64_t timeout_ms, nats_future **future_out)
{
    nats__frame frame;
    nats__js_needs needs;
    nats_status status = nats__js_timeout(js, &timeout_ms);
    if (status == NATS_OK) {
        status = make_frame(&frame, &needs, subject, subject_len, headers, data, data_len);
    }
    if (status == NATS_OK) {
        nats__publishing how = {
            .js = js, .needs = &needs, .timeout_ms = timeout_ms, .borrowed = borrowed};
        status = nats__publish_start(&frame, &how, future_out);
    }
    return nats__leave(js->client, status);
}

/* The end of a call that waits. ack_out may be NULL. */
static nats_status wait_for(nats_future *future, nats_msg **ack_out)
{
    nats_msg *ack;
    nats_status status = nats_future_wait(future, -1, &ack);
    nats_future_free(future);
    if (ack_out != NULL) {
        *ack_out = ack;
    } else if (ack != NULL) {
        nats_msg_free(ack);
    }
    return status;
}

nats_status nats_js_publish(nats_js *js, const char *subject, size_t subject_len,
                            const nats_headers *headers, const void *data, size_t data_len,
                            int64_t timeout_ms, nats_msg **ack_out)
{
    nats_future *future;
    if (ack_out != NULL) {
        *ack_out = NULL;
    }
    nats_status status = nats__enter_js(js);
    if (status == NATS_OK) {
        status = start(js, subject, subject_len, headers, data, data_len, true, timeout_ms,
                       &future);
    }
    return status == NATS_OK ? wait_for(future, ack_out) : status;
}

nats_status nats_js_publish_start(nats_js *js, const char *subject, size_t subject_len,
                                  const nats_headers *headers, const void *data, size_t data_len,
                                  int64_t timeout_ms, nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = nats__enter_js(js);
    if (status != NATS_OK) {
        return status;
    }
    return start(js, subject, subject_len, headers, data, data_len, false, timeout_ms, future_out);
}

static nats_status start_level(nats_js *js, int64_t timeout_ms, nats_future **future_out)
{
    nats_status status = nats__js_timeout(js, &timeout_ms);
    if (status == NATS_OK) {
        status = nats__js_learn_start(js, timeout_ms, future_out);
    }
    return nats__leave(js->client, status);
}

nats_status nats_js_level_start(nats_js *js, int64_t timeout_ms, nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = nats__enter_js(js);
    return status == NATS_OK ? start_level(js, timeout_ms, future_out) : status;
}

int32_t nats_msg_ack_seq(const nats_msg *ack, uint64_t *seq_out, int32_t *duplicate_out)
{
    nats__puback read = {.kind = NATS__PUBACK_NONE};
    bool stored = false;
    if (ack != NULL) {
        const char *data = (const char *)ack->text + ack->body + ack->header_len;
        stored = nats__puback_read(data, ack->data_len, &read) == NATS__PUBACK_STORED;
    }
    if (seq_out != NULL) {
        *seq_out = stored ? read.seq : 0;
    }
    if (duplicate_out != NULL) {
        *duplicate_out = stored && read.duplicate;
    }
    return stored;
}

/* ---- keywords ---- */

const char *nats_js_header(const char *keyword, int32_t *kind_out)
{
    const nats__keyword *found = keyword != NULL ? nats__keyword_find(keyword) : NULL;
    if (kind_out != NULL) {
        *kind_out = found != NULL ? found->kind : 0;
    }
    return found != NULL ? found->header : NULL;
}

const char *nats_js_keyword(size_t index)
{
    const nats__keyword *found = nats__keyword_at(index);
    return found != NULL ? found->name : NULL;
}

/* ---- a publisher ---- */

static nats_status enter(const nats_js_publisher *publisher)
{
    return publisher == NULL ? nats__null_argument("publisher") : nats__enter(publisher->client);
}

static nats_status enter_open(const nats_js_publisher *publisher)
{
    return publisher == NULL ? nats__null_argument("publisher")
                             : nats__enter_open(publisher->client);
}

static nats_status new_publisher(nats_js *js, int64_t max_pending, bool fast,
                                 nats_js_publisher **publisher_out)
{
    static const nats__js_needs needs = {.level = 4, .what = "fast ingest", .since = "2.14"};
    if (publisher_out == NULL) {
        return nats__null_argument("publisher_out");
    }
    *publisher_out = NULL;
    nats_status status = nats__enter_js(js);
    if (status != NATS_OK) {
        return status;
    }
    if (max_pending < 0 || max_pending > NATS__PLACES_MAX) {
        status = nats__fail(NATS_ERR_INVALID, "max_pending", "max_pending is %lld, not 1 to %d",
                            (long long)max_pending, NATS__PLACES_MAX);
        return nats__leave(js->client, status);
    }
    status = fast ? nats__publish_may(js, &needs) : NATS_OK;
    if (status == NATS_OK) {
        uint32_t places = max_pending == 0 ? NATS__PLACES_USUAL : (uint32_t)max_pending;
        status = nats__publisher_new(js, places, fast, publisher_out);
    }
    return nats__leave(js->client, status);
}

nats_status nats_js_publisher_new(nats_js *js, int64_t max_pending,
                                  nats_js_publisher **publisher_out)
{
    return new_publisher(js, max_pending, false, publisher_out);
}

nats_status nats_js_publisher_fast(nats_js *js, int64_t max_pending,
                                   nats_js_publisher **publisher_out)
{
    return new_publisher(js, max_pending, true, publisher_out);
}

nats_status nats_js_publisher_publish(nats_js_publisher *publisher, const char *subject,
                                      size_t subject_len, const nats_headers *headers,
                                      const void *data, size_t data_len, uint64_t *id_out)
{
    uint64_t id = 0;
    nats__frame frame;
    nats__js_needs needs;
    nats_status status = enter_open(publisher);
    if (id_out != NULL) {
        *id_out = 0;
    }
    if (status != NATS_OK) {
        return status;
    }
    status = make_frame(&frame, &needs, subject, subject_len, headers, data, data_len);
    if (status == NATS_OK && needs.level > 0) {
        status = nats__publish_may(publisher->js, &needs);
    }
    if (status == NATS_OK) {
        status = nats__publisher_publish(publisher, &frame, &id);
    }
    if (id_out != NULL) {
        *id_out = id;
    }
    return nats__leave(publisher->client, status);
}

/* What such headers need of the server. What is wrong with them publish tells, and waits for nothing. */
static nats__js_needs needs_of(const nats_headers *headers)
{
    nats__js_needs needs = {.level = 0};
    if (headers == NULL || headers->count == 0) {
        return needs;
    }
    nats__frame frame = {.headers = headers->block.data, .headers_len = headers->block.len};
    if (nats__keywords_check(&frame, &needs) != NATS_OK) {
        needs.level = 0;
    }
    return needs;
}

int64_t nats_js_publisher_room(nats_js_publisher *publisher, const nats_headers *headers)
{
    if (enter_open(publisher) != NATS_OK) {
        return NATS__PLACES_MAX;
    }
    nats__conn *conn = publisher->client->conn;
    nats__js_needs needs = needs_of(headers);
    pthread_mutex_lock(&conn->mu);
    bool known = nats__js_level_known(publisher->js, conn, &needs);
    int64_t room = known ? nats__publisher_room(publisher) : -1;
    pthread_mutex_unlock(&conn->mu);
    return room;
}

nats_status nats_js_publisher_level_start(nats_js_publisher *publisher, int64_t timeout_ms,
                                          nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = enter_open(publisher);
    return status == NATS_OK ? start_level(publisher->js, timeout_ms, future_out) : status;
}

static nats_status publish_many(nats_js_publisher *publisher, const char *subject,
                                size_t subject_len, const void *const *datas,
                                const size_t *data_lens, size_t count, uint64_t *first_id,
                                size_t *published)
{
    nats__frame frame;
    if (count > 0 && (datas == NULL || data_lens == NULL)) {
        return nats__null_argument(datas == NULL ? "datas" : "data_lens");
    }
    nats_status status = nats__frame_make(&frame, subject, subject_len, NULL, 0, NULL, NULL, 0);
    if (status != NATS_OK) {
        return status;
    }
    size_t good = 0;
    while (good < count && nats__frame_check_data(datas[good], data_lens[good]) == NATS_OK) {
        good++;
    }
    status = nats__publisher_publish_many(publisher, &frame, datas, data_lens, good, first_id,
                                          published);
    return status == NATS_OK && good < count
               ? nats__frame_check_data(datas[good], data_lens[good])
               : status;
}

nats_status nats_js_publisher_publish_many(nats_js_publisher *publisher, const char *subject,
                                           size_t subject_len, const void *const *datas,
                                           const size_t *data_lens, size_t count,
                                           uint64_t *first_id_out, size_t *published_out)
{
    uint64_t first_id = 0;
    size_t published = 0;
    nats_status status = enter_open(publisher);
    if (status == NATS_OK) {
        status = publish_many(publisher, subject, subject_len, datas, data_lens, count, &first_id,
                              &published);
        nats__leave(publisher->client, status);
    }
    if (first_id_out != NULL) {
        *first_id_out = first_id;
    }
    if (published_out != NULL) {
        *published_out = published;
    }
    return status;
}

static nats_status flush_timeout(const nats_js_publisher *publisher, int64_t *timeout_ms)
{
    if (*timeout_ms < -1) {
        return nats__fail(NATS_ERR_INVALID, "timeout", "timeout is negative: %lld ms",
                          (long long)*timeout_ms);
    }
    *timeout_ms = *timeout_ms == -1 ? publisher->timeout_ms : *timeout_ms;
    return NATS_OK;
}

static void end_ingest(nats_js_publisher *publisher)
{
    if (publisher->ingest != NULL) {
        nats__ingest_end(publisher);
    }
}

nats_status nats_js_publisher_flush(nats_js_publisher *publisher, int64_t timeout_ms)
{
    nats_status status = enter(publisher);
    if (status != NATS_OK) {
        return status;
    }
    status = flush_timeout(publisher, &timeout_ms);
    if (status == NATS_OK) {
        nats__conn *conn = publisher->client->conn;
        int64_t deadline_ns = nats__deadline_in(timeout_ms);
        end_ingest(publisher);
        pthread_mutex_lock(&conn->mu);
        status = nats__publisher_flush(publisher, deadline_ns);
        pthread_mutex_unlock(&conn->mu);
    }
    return nats__leave(publisher->client, status);
}

nats_status nats_js_publisher_flush_start(nats_js_publisher *publisher, int64_t timeout_ms,
                                          nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = enter_open(publisher);
    if (status != NATS_OK) {
        return status;
    }
    status = flush_timeout(publisher, &timeout_ms);
    if (status == NATS_OK) {
        nats__conn *conn = publisher->client->conn;
        end_ingest(publisher);
        pthread_mutex_lock(&conn->mu);
        status = nats__publisher_flush_start(publisher, timeout_ms, future_out);
        pthread_mutex_unlock(&conn->mu);
    }
    return nats__leave(publisher->client, status);
}

nats_status nats_js_publisher_next_failure(nats_js_publisher *publisher, uint64_t *id_out)
{
    if (id_out == NULL) {
        return nats__null_argument("id_out");
    }
    *id_out = 0;
    nats_status status = enter(publisher);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn *conn = publisher->client->conn;
    pthread_mutex_lock(&conn->mu);
    status = nats__publisher_next_failure(publisher, id_out);
    pthread_mutex_unlock(&conn->mu);
    return nats__leave(publisher->client, status);
}

size_t nats_js_publisher_stats(nats_js_publisher *publisher, uint64_t *values, size_t count)
{
    uint64_t all[NATS_PUBLISHER_STAT_COUNT];
    if (enter(publisher) != NATS_OK) {
        return 0;
    }
    nats__conn *conn = publisher->client->conn;
    pthread_mutex_lock(&conn->mu);
    nats__publisher_stats(publisher, all);
    pthread_mutex_unlock(&conn->mu);
    for (size_t i = 0; values != NULL && i < count && i < NATS_PUBLISHER_STAT_COUNT; i++) {
        values[i] = all[i];
    }
    return NATS_PUBLISHER_STAT_COUNT;
}

void nats_js_publisher_free(nats_js_publisher *publisher)
{
    if (publisher != NULL && nats__enter(publisher->client) == NATS_OK) {
        nats__publisher_free(publisher);
    }
}

/* ---- a batch ---- */

nats_status nats_js_batch_new(nats_js *js, nats_js_batch **batch_out)
{
    if (batch_out == NULL) {
        return nats__null_argument("batch_out");
    }
    *batch_out = NULL;
    nats_status status = nats__enter_js(js);
    return status == NATS_OK ? nats__leave(js->client, nats__batch_new(js, batch_out)) : status;
}

static nats_status enter_batch(const nats_js_batch *batch, int64_t *timeout_ms)
{
    nats_status status = batch == NULL ? nats__null_argument("batch")
                                       : nats__enter_open(nats__batch_client(batch));
    if (status != NATS_OK || *timeout_ms >= 0) {
        return status;
    }
    if (*timeout_ms < -1) {
        status = nats__fail(NATS_ERR_INVALID, "timeout", "timeout is negative: %lld ms",
                            (long long)*timeout_ms);
        return nats__leave(nats__batch_client(batch), status);
    }
    *timeout_ms = nats__batch_timeout_ms(batch);
    return NATS_OK;
}

/* *future_out is NULL where there is nothing to wait for. */
static nats_status add(nats_js_batch *batch, const char *subject, size_t subject_len,
                       const nats_headers *headers, const void *data, size_t data_len,
                       int64_t timeout_ms, nats_future **future_out)
{
    nats__frame frame;
    nats__js_needs needs;
    nats_status status = enter_batch(batch, &timeout_ms);
    if (status != NATS_OK) {
        return status;
    }
    status = make_frame(&frame, &needs, subject, subject_len, headers, data, data_len);
    if (status == NATS_OK) {
        status = nats__batch_add(batch, &frame, &needs, timeout_ms, future_out);
    }
    return nats__leave(nats__batch_client(batch), status);
}

nats_status nats_js_batch_add(nats_js_batch *batch, const char *subject, size_t subject_len,
                              const nats_headers *headers, const void *data, size_t data_len,
                              int64_t timeout_ms)
{
    nats_future *future = NULL;
    nats_status status = add(batch, subject, subject_len, headers, data, data_len, timeout_ms,
                             &future);
    return future != NULL ? wait_for(future, NULL) : status;
}

nats_status nats_js_batch_add_start(nats_js_batch *batch, const char *subject, size_t subject_len,
                                    const nats_headers *headers, const void *data,
                                    size_t data_len, int64_t timeout_ms,
                                    nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = add(batch, subject, subject_len, headers, data, data_len, timeout_ms,
                             future_out);
    if (status != NATS_OK || *future_out != NULL) {
        return status;
    }
    return nats__leave(nats__batch_client(batch), nats__batch_sent(batch, future_out));
}

nats_status nats_js_batch_commit_start(nats_js_batch *batch, const char *subject,
                                       size_t subject_len, const nats_headers *headers,
                                       const void *data, size_t data_len, int64_t timeout_ms,
                                       nats_future **future_out)
{
    nats__frame frame;
    nats__js_needs needs = {0};
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    nats_status status = enter_batch(batch, &timeout_ms);
    if (status != NATS_OK) {
        return status;
    }
    if (subject != NULL) {
        status = make_frame(&frame, &needs, subject, subject_len, headers, data, data_len);
    }
    if (status == NATS_OK) {
        status = nats__batch_commit(batch, subject != NULL ? &frame : NULL, &needs, timeout_ms,
                                    future_out);
    }
    return nats__leave(nats__batch_client(batch), status);
}

nats_status nats_js_batch_commit(nats_js_batch *batch, const char *subject, size_t subject_len,
                                 const nats_headers *headers, const void *data, size_t data_len,
                                 int64_t timeout_ms, nats_msg **ack_out)
{
    nats_future *future;
    if (ack_out != NULL) {
        *ack_out = NULL;
    }
    nats_status status = nats_js_batch_commit_start(batch, subject, subject_len, headers, data,
                                                    data_len, timeout_ms, &future);
    return status == NATS_OK ? wait_for(future, ack_out) : status;
}

void nats_js_batch_free(nats_js_batch *batch)
{
    if (batch != NULL && nats__enter(nats__batch_client(batch)) == NATS_OK) {
        nats__batch_free(batch);
    }
}
