/* Publishing within a window. What a message costs here beyond a plain publish: a place, a clock, its
 * token; the answers are read by whoever drives the connection (answers.c). */
#include "jetstream/publisher.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/copy.h"
#include "base/decimal.h"
#include "base/error.h"
#include "jetstream/ingest.h"

enum {
    RUN = 64,        /* places taken at once, for many messages */
    PLENTY_PART = 4, /* who has found the window full waits for that part of it: the others would be one each */
    PLENTY_NS = 1000000 /* but not longer than this if there is any */
};

/* ---- made and freed ---- */

/* Below the inbox of requests: when the connection is lost, the outbox drops what wants its answer
 * there and was not written. It is told of as lost, and is not sent later. */
static nats_status subscribe(nats_js_publisher *publisher)
{
    nats_client *client = publisher->client;
    nats__conn *conn = client->conn;
    nats_status status = nats__requests_inbox(conn);
    if (status != NATS_OK) {
        return status;
    }
    size_t len = conn->mux_prefix_len;
    memcpy(publisher->prefix, conn->mux->rec.subject, len);
    len += nats__decimal_write(publisher->prefix + len, ++conn->inboxes);
    publisher->prefix[len++] = '.';
    publisher->prefix_len = len;
    publisher->prefix[len] = publisher->ingest != NULL ? '>' : '*';

    nats_sub *sub;
    status = nats__sub_new(conn, client, publisher->prefix, len + 1, NULL, 0, 0, &sub);
    if (status == NATS_OK) {
        const nats__hook_calls *calls =
            publisher->ingest != NULL ? &nats__ingest_calls : &nats__publisher_calls;
        nats__hook_add(sub, &publisher->hook, calls);
        atomic_store(&publisher->epoch, conn->epoch + 1);
    }
    return status;
}

static nats_status make_inside(nats_js_publisher *publisher, bool fast)
{
    if (fast) {
        return nats__ingest_new(publisher, publisher->max_pending);
    }
    return nats__window_init(&publisher->window, publisher->max_pending)
               ? NATS_OK
               : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

nats_status nats__publisher_new(nats_js *js, uint32_t max_pending, bool fast,
                                nats_js_publisher **out)
{
    enum { PREFIX_MAX = NATS_SUBJECT_MAX + NATS__NUID_LEN + NATS__DECIMAL_MAX + 4 };
    nats__conn *conn = js->client->conn;
    nats_js_publisher *publisher = calloc(1, sizeof *publisher + PREFIX_MAX);
    if (publisher == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    publisher->client = js->client;
    publisher->js = js;
    nats__js_ref(js);
    publisher->timeout_ms = js->timeout_ms;
    publisher->max_pending = max_pending;
    atomic_init(&publisher->gate, NATS__PUBLISHER_UNTIMED);
    nats_status status = make_inside(publisher, fast);
    status = status == NATS_OK ? nats__writer_make_room(conn) : status;
    if (status == NATS_OK) {
        pthread_mutex_lock(&conn->mu);
        status = subscribe(publisher);
        pthread_mutex_unlock(&conn->mu);
        nats__writer_kick(conn);
    }
    if (status != NATS_OK) {
        nats__publisher_freed(&publisher->hook);
        return status;
    }
    *out = publisher;
    return NATS_OK;
}

void nats__publisher_free(nats_js_publisher *publisher)
{
    nats__conn *conn = publisher->client->conn;
    nats_sub *sub = publisher->hook.sub;
    pthread_mutex_lock(&conn->mu);
    nats__sub_end(sub);
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    nats__sub_unref(sub);
}

/* ---- room ---- */

typedef struct room {
    nats_js_publisher *publisher;
    uint32_t wanted;
} room;

static bool has_room(void *what)
{
    const room *self = what;
    unsigned gate = atomic_load(&self->publisher->gate);
    return (gate & (NATS__PUBLISHER_ENDED | NATS__PUBLISHER_FULL)) != 0 ||
           nats__window_room(&self->publisher->window) >= self->wanted;
}

static nats_status wait_for_room(nats_js_publisher *publisher, uint32_t wanted,
                                 int64_t deadline_ns)
{
    nats__conn *conn = publisher->client->conn;
    room self = {publisher, wanted};
    bool least = publisher->room_waiters == 0 || wanted < publisher->room_wanted;
    publisher->room_wanted = least ? wanted : publisher->room_wanted;
    publisher->room_waiters++;
    nats_status status = nats__conn_wait(conn, publisher, has_room, &self, deadline_ns);
    publisher->room_waiters--;
    return status;
}

static nats_status no_room(nats_js_publisher *publisher, nats_status status)
{
    if (status == NATS_ERR_INTERRUPTED) {
        return nats__fail(status, NULL,
                          "interrupted by a signal while waiting for acknowledgements");
    }
    return nats__fail(NATS_ERR_TIMEOUT, "max_pending",
                      "not accepted: %u messages wait for their acknowledgements, as many as may, "
                      "for %g s",
                      publisher->max_pending, (double)publisher->timeout_ms / 1e3);
}

/* A burst goes on when there is room for a good part of it: one message for each answer would
 * be a turn of waiting for each. That there was room does not say that no other thread has taken it: the
 * caller looks again. *deadline_io: 0 the first time. mu not held. */
static nats_status make_room(nats_js_publisher *publisher, int64_t *deadline_io)
{
    nats__conn *conn = publisher->client->conn;
    *deadline_io = *deadline_io != 0 ? *deadline_io : nats__deadline_in(publisher->timeout_ms);
    int64_t deadline_ns = *deadline_io;
    int64_t plenty_ns = nats__now_ns() + PLENTY_NS;
    uint32_t plenty = publisher->max_pending / PLENTY_PART;
    pthread_mutex_lock(&conn->mu);
    nats_status status = wait_for_room(publisher, plenty > 0 ? plenty : 1,
                                       plenty_ns < deadline_ns ? plenty_ns : deadline_ns);
    if (status == NATS_ERR_TIMEOUT) {
        status = wait_for_room(publisher, 1, deadline_ns);
    }
    room one = {publisher, 1};
    bool late = status == NATS_ERR_TIMEOUT && !has_room(&one);
    pthread_mutex_unlock(&conn->mu);
    return late || status == NATS_ERR_INTERRUPTED ? no_room(publisher, status) : NATS_OK;
}

/* ---- the gate ---- */

nats_status nats__publisher_refuse(const nats_js_publisher *publisher)
{
    if ((atomic_load(&publisher->gate) & NATS__PUBLISHER_ENDED) != 0) {
        return nats__fail(NATS_ERR_CLOSED, "publisher",
                          "no acknowledgement can come any more: the client is closed or drained");
    }
    return nats__fail(NATS_ERR_LIMIT, "max_pending",
                      "the failures of %u messages wait to be taken, as many as may be under way",
                      publisher->max_pending);
}

bool nats__publisher_is_shut(const nats_js_publisher *publisher)
{
    unsigned gate = atomic_load_explicit(&publisher->gate, memory_order_relaxed);
    return (gate & (NATS__PUBLISHER_ENDED | NATS__PUBLISHER_FULL)) != 0;
}

void nats__publisher_pass_gate(nats_js_publisher *publisher, int64_t deadline_ns)
{
    atomic_thread_fence(memory_order_seq_cst);
    unsigned gate = atomic_load_explicit(&publisher->gate, memory_order_relaxed);
    if ((gate & (NATS__PUBLISHER_ENDED | NATS__PUBLISHER_UNTIMED)) == 0) {
        return;
    }
    nats__conn *conn = publisher->client->conn;
    pthread_mutex_lock(&conn->mu);
    gate = atomic_load(&publisher->gate);
    if ((gate & NATS__PUBLISHER_ENDED) != 0) {
        nats__publisher_fail_all(publisher, NATS_ERR_CLOSED);
    } else if ((gate & NATS__PUBLISHER_UNTIMED) != 0) {
        atomic_fetch_and(&publisher->gate, ~(unsigned)NATS__PUBLISHER_UNTIMED);
        nats__hook_due(&publisher->hook, deadline_ns);
    }
    pthread_mutex_unlock(&conn->mu);
}

/* ---- publishing ---- */

/* It was not sent: as if it had not been tried, unless it was settled meanwhile. */
static nats_status take_back(nats_js_publisher *publisher, int32_t place, uint64_t id,
                             nats_status status)
{
    nats__conn *conn = publisher->client->conn;
    nats__window *window = &publisher->window;
    pthread_mutex_lock(&conn->mu);
    bool ours = nats__window_at(window, (uint32_t)place) == id;
    if (ours) {
        nats__window_return(window, (uint32_t)place);
        nats__publisher_told(publisher);
    }
    pthread_mutex_unlock(&conn->mu);
    return ours ? status : NATS_OK; /* its failure waits to be told */
}

static nats_status send_one(nats_js_publisher *publisher, nats__frame *frame, int32_t place,
                            uint64_t id)
{
    char reply[NATS_SUBJECT_MAX + NATS__NUID_LEN + NATS__DECIMAL_MAX + NATS__WINDOW_TOKEN_LEN + 4];
    uint8_t *end = nats__copy((uint8_t *)reply, publisher->prefix, publisher->prefix_len);
    nats__window_token((uint32_t)place, id, (char *)end);
    frame->reply = reply;
    frame->reply_len = publisher->prefix_len + NATS__WINDOW_TOKEN_LEN;

    nats__conn *conn = publisher->client->conn;
    if (nats__conn_publish_more(conn, frame)) {
        return NATS_OK;
    }
    nats_status status = nats__conn_publish(conn, frame);
    return status == NATS_OK ? NATS_OK : take_back(publisher, place, id, status);
}

/* Places for up to `count` messages, which are kept there, their numbers from *id on; *id 0: from the next
 * one on. Returns how many. */
static size_t take_places(nats_js_publisher *publisher, nats__frame *frame,
                          const void *const *datas, const size_t *lens, size_t count, uint64_t *id,
                          int32_t *places)
{
    nats__window *window = &publisher->window;
    int64_t deadline_ns = nats__deadline_in(publisher->timeout_ms);
    uint32_t hash = nats__window_hash(frame->subject, frame->subject_len);
    size_t taken = 0;
    nats__spin_lock(&window->lock);
    frame->epoch = atomic_load_explicit(&publisher->epoch, memory_order_acquire);
    for (; taken < count; taken++) {
        places[taken] = nats__window_take(window);
        if (places[taken] < 0) {
            break;
        }
        if (*id == 0) {
            *id = ++window->last_id;
        }
    }
    nats__spin_unlock(&window->lock);
    for (size_t i = 0; i < taken; i++) {
        frame->data = datas[i];
        frame->data_len = lens[i];
        bool kept = nats__window_keep(window, places[i], frame);
        nats__window_fill(window, places[i], *id + i, deadline_ns, hash, kept);
    }
    if (taken > 0) {
        nats__publisher_pass_gate(publisher, deadline_ns);
    }
    return taken;
}

/* The last `count` numbers from id on were not used, unless another thread has taken one since. */
static void unnumber(nats_js_publisher *publisher, uint64_t id, size_t count)
{
    nats__window *window = &publisher->window;
    nats__spin_lock(&window->lock);
    window->last_id = window->last_id == id + count - 1 ? id - 1 : window->last_id;
    nats__spin_unlock(&window->lock);
}

nats_status nats__publisher_publish(nats_js_publisher *publisher, nats__frame *frame,
                                    uint64_t *id_out)
{
    int32_t place;
    *id_out = 0;
    if (publisher->ingest != NULL) {
        return nats__ingest_publish(publisher, frame, id_out);
    }
    if (nats__publisher_is_shut(publisher)) {
        return nats__publisher_refuse(publisher);
    }
    const void *data = frame->data;
    size_t len = frame->data_len;
    int64_t room_by_ns = 0;
    while (take_places(publisher, frame, &data, &len, 1, id_out, &place) == 0) {
        nats_status status = make_room(publisher, &room_by_ns);
        if (status != NATS_OK) {
            return status;
        }
        if (nats__publisher_is_shut(publisher)) {
            return nats__publisher_refuse(publisher);
        }
    }
    nats_status status = send_one(publisher, frame, place, *id_out);
    if (status != NATS_OK) {
        unnumber(publisher, *id_out, 1);
        *id_out = 0;
    }
    return status;
}

/* Those of a run that were not sent any more. */
static void take_rest_back(nats_js_publisher *publisher, const int32_t *places, size_t from,
                           size_t count, uint64_t id)
{
    for (size_t i = from; i < count; i++) {
        take_back(publisher, places[i], id + i, NATS_OK);
    }
}

/* *room_by_io: until when there must be room, 0 when some was sent. */
static nats_status send_run(nats_js_publisher *publisher, nats__frame *frame,
                            const void *const *datas, const size_t *lens, size_t count,
                            uint64_t id, size_t *sent, int64_t *room_by_io)
{
    int32_t places[RUN];
    size_t wanted = count < RUN ? count : RUN;
    if (nats__publisher_is_shut(publisher)) {
        return nats__publisher_refuse(publisher);
    }
    size_t taken = take_places(publisher, frame, datas, lens, wanted, &id, places);
    if (taken == 0) {
        return make_room(publisher, room_by_io);
    }
    *room_by_io = 0;
    for (size_t i = 0; i < taken; i++) {
        frame->data = datas[i];
        frame->data_len = lens[i];
        nats_status status = send_one(publisher, frame, places[i], id + i);
        if (status != NATS_OK) {
            take_rest_back(publisher, places, i + 1, taken, id);
            return status;
        }
        *sent += 1;
    }
    return NATS_OK;
}

/* One after the other: the stream sets the pace. */
static nats_status ingest_many(nats_js_publisher *publisher, nats__frame *frame,
                               const void *const *datas, const size_t *lens, size_t count,
                               uint64_t *first_id_out, size_t *published_out)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t id;
        frame->data = datas[i];
        frame->data_len = lens[i];
        nats_status status = nats__ingest_publish(publisher, frame, &id);
        if (status != NATS_OK) {
            return status;
        }
        *first_id_out = i == 0 ? id : *first_id_out;
        *published_out = i + 1;
    }
    return NATS_OK;
}

nats_status nats__publisher_publish_many(nats_js_publisher *publisher, nats__frame *frame,
                                         const void *const *datas, const size_t *lens,
                                         size_t count, uint64_t *first_id_out,
                                         size_t *published_out)
{
    nats__window *window = &publisher->window;
    *first_id_out = 0;
    *published_out = 0;
    if (publisher->ingest != NULL) {
        return ingest_many(publisher, frame, datas, lens, count, first_id_out, published_out);
    }
    nats__spin_lock(&window->lock);
    uint64_t first = window->last_id + 1;
    window->last_id += count;
    nats__spin_unlock(&window->lock);

    nats_status status = NATS_OK;
    size_t done = 0;
    int64_t room_by_ns = 0;
    while (done < count && status == NATS_OK) {
        status = send_run(publisher, frame, datas + done, lens + done, count - done, first + done,
                          &done, &room_by_ns);
    }
    unnumber(publisher, first + done, count - done);
    *first_id_out = done > 0 ? first : 0;
    *published_out = done;
    return status;
}

/* ---- what came of it ---- */

nats_status nats__publisher_next_failure(nats_js_publisher *publisher, uint64_t *id_out)
{
    nats__conn *conn = publisher->client->conn;
    nats__failures *failures = &publisher->failures;
    if (failures->count == 0 && !conn->keeper_runs) {
        nats__conn_step(conn); /* who asks now and then moves the connection by that */
    }
    nats_status status = nats__failures_take(failures, id_out);
    if (failures->count < publisher->max_pending) {
        atomic_fetch_and(&publisher->gate, ~(unsigned)NATS__PUBLISHER_FULL);
    }
    return status;
}

int64_t nats__publisher_room(const nats_js_publisher *publisher)
{
    const nats__ingest *ingest = publisher->ingest;
    if (nats__publisher_is_shut(publisher)) {
        return publisher->max_pending;
    }
    if (ingest == NULL) {
        return nats__window_room(&publisher->window);
    }
    uint64_t limit = atomic_load(&ingest->limit);
    uint64_t last = atomic_load(&ingest->last);
    if (ingest->phase == NATS__INGEST_NONE) {
        return 1; /* the one that begins a batch */
    }
    return limit > last ? (int64_t)(limit - last) : 0;
}

uint64_t nats__publisher_pending(const nats_js_publisher *publisher)
{
    const nats__ingest *ingest = publisher->ingest;
    return ingest != NULL ? atomic_load(&ingest->last) - ingest->settled
                          : publisher->max_pending - nats__window_room(&publisher->window);
}

void nats__publisher_stats(const nats_js_publisher *publisher, uint64_t *values)
{
    uint64_t pending = nats__publisher_pending(publisher);
    values[NATS_PUBLISHER_PUBLISHED] = publisher->acked + publisher->failed + pending;
    values[NATS_PUBLISHER_ACKED] = publisher->acked;
    values[NATS_PUBLISHER_DUPLICATES] = publisher->duplicates;
    values[NATS_PUBLISHER_FAILED] = publisher->failed;
    values[NATS_PUBLISHER_PENDING] = pending;
}
