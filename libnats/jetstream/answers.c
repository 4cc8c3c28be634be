/* What comes of a publisher's messages: answers of streams, and what stands in their place. Called by
 * the pump. mu held throughout. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/ingest.h"
#include "proto/headers.h"

enum {
    STATUS_NO_RESPONDERS = 503,
    REPLY_MAX = NATS_SUBJECT_MAX + NATS__NUID_LEN + NATS__DECIMAL_MAX + NATS__WINDOW_TOKEN_LEN + 4,
    SHOWN_MAX = 80 /* bytes of an answer that is none, in its error */
};

#define RETRY_NS INT64_C(250000000) /* ADR-22 */
#define GRID_NS INT64_C(20000000)   /* all places are looked at for each time at which one is due */
#define BUSY_NS INT64_C(5000000)

static nats_js_publisher *of(nats__hook *hook)
{
    return (nats_js_publisher *)hook;
}

/* ---- a message has come to something ---- */

void nats__publisher_keep(nats_js_publisher *publisher, const nats__failure *failure)
{
    nats__failures_add(&publisher->failures, failure);
    if (publisher->failures.count >= publisher->max_pending) {
        atomic_fetch_or(&publisher->gate, NATS__PUBLISHER_FULL);
    }
}

void nats__publisher_settle(nats_js_publisher *publisher, uint32_t place,
                            const nats__failure *failure)
{
    char subject[NATS__ERROR_ABOUT_MAX];
    if (failure == NULL) {
        publisher->acked++;
    } else {
        nats__failure whole = *failure;
        nats__window_subject(&publisher->window, place, subject, sizeof subject);
        whole.subject = subject;
        publisher->failed++;
        nats__publisher_keep(publisher, &whole);
    }
    nats__window_return(&publisher->window, place); /* from now on it is another's */
    nats__publisher_told(publisher);
}

static void fail_where(nats_js_publisher *publisher, nats_status status, const uint32_t *subject)
{
    nats__window *window = &publisher->window;
    for (uint32_t i = 0; i < window->count; i++) {
        uint64_t id = nats__window_at(window, i);
        if (id != 0 && (subject == NULL || window->places[i].subject == *subject)) {
            nats__publisher_settle(publisher, i, &(nats__failure){.id = id, .status = status});
        }
    }
}

void nats__publisher_fail_all(nats_js_publisher *publisher, nats_status status)
{
    if (publisher->ingest != NULL) {
        nats__ingest_fail_all(publisher, &(nats__failure){.status = status});
    } else {
        fail_where(publisher, status, NULL);
    }
}

/* The answer to the first try was that nobody has it, so the second may have the same token. */
static void send_again(nats_js_publisher *publisher, uint32_t place, uint64_t id, int64_t now_ns)
{
    char reply[REPLY_MAX];
    nats__conn *conn = publisher->client->conn;
    nats__slot *slot = &publisher->window.places[place];
    if (nats__writer_look(conn).pending > NATS__FILL_MAX) {
        slot->retry_ns = now_ns + BUSY_NS; /* many are sent again at once: in turns */
        return;
    }
    slot->retry_ns = 0;
    slot->retries--;
    nats__frame frame = nats__window_kept(&publisher->window, place);
    memcpy(reply, publisher->prefix, publisher->prefix_len);
    nats__window_token(place, id, reply + publisher->prefix_len);
    frame.reply = reply;
    frame.reply_len = publisher->prefix_len + NATS__WINDOW_TOKEN_LEN;
    frame.epoch = atomic_load(&publisher->epoch);
    nats_status status = nats__conn_send(conn, &frame);
    if (status != NATS_OK) {
        nats__publisher_settle(publisher, place, &(nats__failure){.id = id, .status = status});
    }
}

int64_t nats__publisher_expire(nats_js_publisher *publisher, int64_t now_ns)
{
    nats__window *window = &publisher->window;
    int64_t next_ns = INT64_MAX;
    for (uint32_t i = 0; i < window->count; i++) {
        uint64_t id = nats__window_at(window, i);
        if (id == 0) {
            continue;
        }
        const nats__slot *slot = &window->places[i];
        if (slot->deadline_ns <= now_ns) {
            nats__publisher_settle(publisher, i,
                                   &(nats__failure){.id = id, .status = NATS_ERR_TIMEOUT});
            continue;
        }
        if (slot->retry_ns != 0 && slot->retry_ns <= now_ns) {
            send_again(publisher, i, id, now_ns);
        }
        int64_t due_ns = slot->retry_ns != 0 ? slot->retry_ns : slot->deadline_ns;
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}

/* ---- answers ---- */

static void refused_by_stream(nats_js_publisher *publisher, uint32_t place, uint64_t id,
                              const nats__puback *ack)
{
    char text[NATS__ERROR_SAID_MAX];
    nats__puback_text(ack->description, text, sizeof text);
    nats__failure failure = {.id = id,
                             .status = NATS_ERR_SERVER,
                             .code = ack->code,
                             .err_code = ack->err_code,
                             .said = true,
                             .text = text};
    nats__publisher_settle(publisher, place, &failure);
}

static void no_ack(nats_js_publisher *publisher, uint32_t place, uint64_t id, const char *data,
                   size_t len)
{
    char text[SHOWN_MAX + 64];
    int shown = (int)(len < SHOWN_MAX ? len : SHOWN_MAX);
    snprintf(text, sizeof text, "the answer is no acknowledgement: %.*s", shown, data);
    nats__failure failure = {.id = id, .status = NATS_ERR_PROTOCOL, .text = text};
    nats__publisher_settle(publisher, place, &failure);
}

static bool is_nobody(const nats_msg *msg)
{
    const char *description;
    size_t description_len;
    if (msg->header_len == 0 || msg->data_len > 0) {
        return false;
    }
    return nats__headers_status((const char *)msg->text + msg->body, msg->header_len,
                                &description, &description_len) == STATUS_NO_RESPONDERS;
}

/* Nobody has it: a stream may have no leader for a moment. It is sent again if there is time for that, and with
 * it those that came back a little later. */
static void nobody(nats_js_publisher *publisher, uint32_t place, uint64_t id, int64_t now_ns)
{
    nats__slot *slot = &publisher->window.places[place];
    nats__hook *hook = &publisher->hook;
    int64_t retry_ns = (now_ns + RETRY_NS) / GRID_NS * GRID_NS + GRID_NS;
    if (slot->retries == 0 || retry_ns >= slot->deadline_ns) {
        nats__publisher_settle(publisher, place,
                               &(nats__failure){.id = id,
                                                .status = NATS_ERR_NO_RESPONDERS,
                                                .code = STATUS_NO_RESPONDERS});
        return;
    }
    slot->retry_ns = retry_ns;
    if (retry_ns < hook->due_ns) {
        nats__hook_due(hook, retry_ns);
    }
}

static void take_answer(nats_js_publisher *publisher, uint32_t place, uint64_t id,
                        const nats_msg *msg, int64_t now_ns)
{
    nats__puback ack;
    const char *data = (const char *)msg->text + msg->body + msg->header_len;
    switch (nats__puback_read(data, msg->data_len, &ack)) {
    case NATS__PUBACK_STORED:
        publisher->duplicates += ack.duplicate;
        nats__publisher_settle(publisher, place, NULL);
        return;
    case NATS__PUBACK_ERROR:
        refused_by_stream(publisher, place, id, &ack);
        return;
    default:
        break;
    }
    if (is_nobody(msg)) {
        nobody(publisher, place, id, now_ns);
        return;
    }
    no_ack(publisher, place, id, data, msg->data_len);
}

/* Whose is what comes to this subject? */
static uint64_t find(const nats_js_publisher *publisher, const uint8_t *subject, size_t len,
                     uint32_t *place_out)
{
    size_t prefix_len = publisher->prefix_len;
    if (len <= prefix_len || memcmp(subject, publisher->prefix, prefix_len) != 0) {
        return 0;
    }
    return nats__window_find(&publisher->window, subject + prefix_len, len - prefix_len, place_out);
}

void nats__publisher_count(nats_js_publisher *publisher, bool ours)
{
    nats_sub *sub = publisher->hook.sub;
    nats__totals *totals = &publisher->client->conn->totals;
    sub->received++;
    sub->delivered += ours;
    sub->dropped += !ours;
    totals->delivered += ours;
    totals->dropped += !ours;
    totals->late_replies += !ours;
}

static void on_msg(nats__hook *hook, nats_msg *msg, int64_t now_ns)
{
    nats_js_publisher *publisher = of(hook);
    uint32_t place;
    uint64_t id = find(publisher, msg->text, msg->subject_len, &place);
    nats__publisher_count(publisher, id != 0);
    if (id != 0) {
        take_answer(publisher, place, id, msg, now_ns);
    }
    nats__chunk_unref(msg->chunk, 1);
}

/* ---- what stands in the place of answers ---- */

static void on_time(nats__hook *hook, int64_t now_ns)
{
    nats_js_publisher *publisher = of(hook);
    atomic_fetch_or(&publisher->gate, NATS__PUBLISHER_UNTIMED);
    atomic_thread_fence(memory_order_seq_cst);
    int64_t next_ns = nats__publisher_expire(publisher, now_ns);
    if (next_ns != INT64_MAX) {
        atomic_fetch_and(&publisher->gate, ~(unsigned)NATS__PUBLISHER_UNTIMED);
        nats__hook_due(hook, next_ns);
    }
}

/* Nothing is sent again: the server may have it. What was not written is not sent later either. */
static void on_lost(nats__hook *hook)
{
    nats_js_publisher *publisher = of(hook);
    const nats__conn *conn = publisher->client->conn;
    nats__publisher_fail_all(publisher, conn->closed ? NATS_ERR_CLOSED : NATS_ERR_DISCONNECTED);
    atomic_store(&publisher->epoch, conn->epoch + 1);
}

static void on_refused(nats__hook *hook, const char *subject, bool of_reply)
{
    nats_js_publisher *publisher = of(hook);
    size_t len = strlen(subject);
    uint32_t place;
    if (!of_reply) {
        uint32_t hash = nats__window_hash(subject, len);
        fail_where(publisher, NATS_ERR_PERMISSION, &hash);
        return;
    }
    uint64_t id = find(publisher, (const uint8_t *)subject, len, &place);
    if (id != 0) {
        nats__publisher_settle(publisher, place,
                               &(nats__failure){.id = id, .status = NATS_ERR_PERMISSION});
    }
}

static void on_ended(nats__hook *hook)
{
    nats_js_publisher *publisher = of(hook);
    atomic_fetch_or(&publisher->gate, NATS__PUBLISHER_ENDED);
    atomic_thread_fence(memory_order_seq_cst);
    nats__publisher_fail_all(publisher, hook->sub->refused ? NATS_ERR_PERMISSION : NATS_ERR_CLOSED);
    nats__conn_tell(publisher->client->conn, publisher);
}

void nats__publisher_freed(nats__hook *hook)
{
    nats_js_publisher *publisher = of(hook);
    nats__window_free(&publisher->window);
    nats__ingest_free(publisher->ingest);
    nats__failures_free(&publisher->failures);
    nats__js_unref(publisher->js);
    free(publisher);
}

const nats__hook_calls nats__publisher_calls = {
    .on_msg = on_msg,
    .on_time = on_time,
    .on_lost = on_lost,
    .on_refused = on_refused,
    .on_drain = nats__publisher_on_drain,
    .on_ended = on_ended,
    .freed = nats__publisher_freed,
};
