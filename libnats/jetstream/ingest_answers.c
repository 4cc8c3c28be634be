/* What a stream says to a fast ingest. Called by the pump. mu held throughout. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "jetstream/ingest.h"
#include "proto/headers.h"

enum { STATUS_NO_RESPONDERS = 503, OUTSTANDING = 2 };

static nats_js_publisher *of(nats__hook *hook)
{
    return (nats_js_publisher *)hook;
}

/* ---- the batch goes on, or ends ---- */

static void acked_up_to(nats_js_publisher *publisher, uint64_t id)
{
    nats__ingest *ingest = publisher->ingest;
    uint64_t last = atomic_load(&ingest->last);
    id = id < last ? id : last;
    if (id > ingest->settled) {
        publisher->acked += id - ingest->settled;
        ingest->settled = id;
    }
    ingest->progress_ns = nats__now_ns();
    nats__publisher_told(publisher);
}

/* Nothing of this batch is sent any more; a message that is being sent now is found here, or finds this. */
static uint64_t shut(nats__ingest *ingest)
{
    ingest->phase = NATS__INGEST_NONE;
    atomic_store(&ingest->end_wanted, false);
    atomic_store(&ingest->limit, 0);
    return atomic_load(&ingest->last);
}

/* All that is under way. why->id 0: it is so of each; else of that message, and of those behind it for its sake. */
static void fail_rest(nats_js_publisher *publisher, const nats__failure *why)
{
    char subject[NATS__ERROR_ABOUT_MAX];
    nats__ingest *ingest = publisher->ingest;
    uint64_t last = shut(ingest);
    snprintf(subject, sizeof subject, "%.*s", (int)ingest->subject.len,
             ingest->subject.len > 0 ? (const char *)ingest->subject.data : "");
    while (ingest->settled < last) {
        nats__failure one = *why;
        one.id = ++ingest->settled;
        one.behind = why->id != 0 && one.id != why->id;
        one.subject = one.id >= ingest->subject_from ? subject : NULL;
        publisher->failed++;
        nats__publisher_keep(publisher, &one);
    }
    nats__publisher_told(publisher);
}

void nats__ingest_fail_all(nats_js_publisher *publisher, const nats__failure *why)
{
    fail_rest(publisher, why);
}

void nats__ingest_send_end(nats_js_publisher *publisher)
{
    char reply[NATS__INGEST_REPLY_MAX];
    nats__ingest *ingest = publisher->ingest;
    if (ingest->phase == NATS__INGEST_NONE || ingest->phase == NATS__INGEST_ENDING) {
        atomic_store(&ingest->end_wanted, false);
        return;
    }
    if (ingest->phase == NATS__INGEST_BEGUN) {
        return; /* when the stream has taken the batch */
    }
    nats__frame frame = {.subject = (const char *)ingest->subject.data,
                         .subject_len = ingest->subject.len,
                         .reply = reply,
                         .epoch = atomic_load(&publisher->epoch)};
    uint64_t seq = atomic_load(&ingest->last) - ingest->base + 1;
    frame.reply_len = nats__ingest_reply(publisher, seq, NATS__INGEST_OP_END, reply);
    atomic_store(&ingest->end_wanted, false);
    atomic_store(&ingest->limit, 0);
    ingest->phase = NATS__INGEST_ENDING;
    nats_status status = nats__conn_send(publisher->client->conn, &frame);
    if (status != NATS_OK) {
        fail_rest(publisher, &(nats__failure){.status = status});
    }
}

/* Unless somebody publishes right now, who sees to it then. */
static void end_if_wanted(nats_js_publisher *publisher)
{
    nats__ingest *ingest = publisher->ingest;
    if (atomic_load(&ingest->end_wanted) && pthread_mutex_trylock(&ingest->order) == 0) {
        nats__ingest_send_end(publisher);
        pthread_mutex_unlock(&ingest->order);
    }
}

/* ---- answers ---- */

/* ADR-50: acknowledged up to seq, and so often from now on. */
static void flow_came(nats_js_publisher *publisher, const nats__puback *ack)
{
    nats__ingest *ingest = publisher->ingest;
    bool open = ingest->phase == NATS__INGEST_BEGUN || ingest->phase == NATS__INGEST_GOING;
    if (ack->seq > atomic_load(&ingest->last) - ingest->base || ack->msgs > UINT16_MAX) {
        return; /* it cannot be */
    }
    if (open) {
        ingest->phase = NATS__INGEST_GOING;
        atomic_store(&ingest->limit, ingest->base + ack->seq + OUTSTANDING * ack->msgs - 1);
    }
    acked_up_to(publisher, ingest->base + ack->seq);
    end_if_wanted(publisher);
}

static void note_flaw(nats_js_publisher *publisher, const nats__puback *ack)
{
    char text[NATS__ERROR_SAID_MAX];
    nats__ingest *ingest = publisher->ingest;
    nats__puback_text(ack->description, text, sizeof text);
    free(ingest->flaw.text);
    ingest->flaw = (nats__failure){.id = ingest->base + ack->seq,
                                   .status = NATS_ERR_SERVER,
                                   .code = ack->code,
                                   .err_code = ack->err_code,
                                   .text = strdup(text)};
    ingest->flaw.said = ingest->flaw.text != NULL;
}

/* The batch has ended: count of its messages are stored. */
static void end_came(nats_js_publisher *publisher, const nats__puback *ack)
{
    nats__ingest *ingest = publisher->ingest;
    nats__failure why = ingest->flaw;
    ingest->flaw = (nats__failure){0};
    acked_up_to(publisher, ingest->base + (ack->batch.at != NULL ? ack->count : 1));
    if (why.id == 0) {
        why.status = NATS_ERR_SERVER;
    }
    char gap[] = "not stored: the stream has missed a message before it";
    nats__failure shown = why;
    shown.text = why.id != 0 ? why.text : gap;
    fail_rest(publisher, &shown);
    free(why.text);
}

static void error_came(nats_js_publisher *publisher, const nats__puback *ack)
{
    char text[NATS__ERROR_SAID_MAX];
    nats__puback_text(ack->description, text, sizeof text);
    fail_rest(publisher, &(nats__failure){.status = NATS_ERR_SERVER,
                                          .code = ack->code,
                                          .err_code = ack->err_code,
                                          .said = true,
                                          .text = text});
}

static bool is_nobody(const nats_msg *msg)
{
    const char *description;
    size_t len;
    return msg->header_len > 0 && msg->data_len == 0 &&
           nats__headers_status((const char *)msg->text + msg->body, msg->header_len, &description,
                                &len) == STATUS_NO_RESPONDERS;
}

static void take_answer(nats_js_publisher *publisher, const nats_msg *msg)
{
    nats__puback ack;
    const char *data = (const char *)msg->text + msg->body + msg->header_len;
    switch (nats__puback_read(data, msg->data_len, &ack)) {
    case NATS__PUBACK_FLOW:
        flow_came(publisher, &ack);
        break;
    case NATS__PUBACK_FLAW:
        note_flaw(publisher, &ack);
        break;
    case NATS__PUBACK_GAP:
        break; /* the end follows */
    case NATS__PUBACK_STORED:
        end_came(publisher, &ack);
        break;
    case NATS__PUBACK_ERROR:
        error_came(publisher, &ack);
        break;
    case NATS__PUBACK_NONE:
        fail_rest(publisher, is_nobody(msg) ? &(nats__failure){.status = NATS_ERR_NO_RESPONDERS,
                                                               .code = STATUS_NO_RESPONDERS}
                                            : &(nats__failure){.status = NATS_ERR_PROTOCOL});
        break;
    }
}

static bool is_ours(const nats_js_publisher *publisher, const char *subject, size_t len)
{
    const nats__ingest *ingest = publisher->ingest;
    size_t prefix_len = publisher->prefix_len;
    return ingest->phase != NATS__INGEST_NONE && len > prefix_len + NATS__NUID_LEN &&
           memcmp(subject, publisher->prefix, prefix_len) == 0 &&
           memcmp(subject + prefix_len, ingest->id, NATS__NUID_LEN) == 0;
}

static void on_msg(nats__hook *hook, nats_msg *msg, int64_t now_ns)
{
    (void)now_ns;
    nats_js_publisher *publisher = of(hook);
    bool ours = is_ours(publisher, (const char *)msg->text, msg->subject_len);
    nats__publisher_count(publisher, ours);
    if (ours) {
        take_answer(publisher, msg);
    }
    nats__chunk_unref(msg->chunk, 1);
}

/* ---- what stands in the place of answers ---- */

/* A batch that nobody adds to is ended: the server would forget it, and the last of it wait. */
static void on_time(nats__hook *hook, int64_t now_ns)
{
    nats_js_publisher *publisher = of(hook);
    nats__ingest *ingest = publisher->ingest;
    atomic_fetch_or(&publisher->gate, NATS__PUBLISHER_UNTIMED);
    atomic_thread_fence(memory_order_seq_cst);
    uint64_t last = atomic_load(&ingest->last);
    bool late = now_ns - ingest->progress_ns >= publisher->timeout_ms * NATS__MS;
    if (ingest->settled == last) {
        ingest->progress_ns = now_ns;
    } else if (late) {
        fail_rest(publisher, &(nats__failure){.status = NATS_ERR_TIMEOUT});
    }
    if (ingest->phase != NATS__INGEST_NONE && last == ingest->seen) {
        atomic_store(&ingest->end_wanted, true);
        end_if_wanted(publisher);
    }
    ingest->seen = last;
    if (ingest->phase != NATS__INGEST_NONE) {
        atomic_fetch_and(&publisher->gate, ~(unsigned)NATS__PUBLISHER_UNTIMED);
        nats__hook_due(hook, now_ns + NATS__INGEST_LOOK_MS * NATS__MS);
    }
}

void nats__ingest_end_soon(nats_js_publisher *publisher)
{
    if (publisher->ingest != NULL && publisher->ingest->phase != NATS__INGEST_NONE) {
        atomic_store(&publisher->ingest->end_wanted, true);
        end_if_wanted(publisher);
    }
}

static void on_lost(nats__hook *hook)
{
    nats_js_publisher *publisher = of(hook);
    const nats__conn *conn = publisher->client->conn;
    nats_status status = conn->closed ? NATS_ERR_CLOSED : NATS_ERR_DISCONNECTED;
    fail_rest(publisher, &(nats__failure){.status = status});
    atomic_store(&publisher->epoch, conn->epoch + 1);
}

static void on_refused(nats__hook *hook, const char *subject, bool of_reply)
{
    nats_js_publisher *publisher = of(hook);
    const nats__buf *last = &publisher->ingest->subject;
    size_t len = strlen(subject);
    bool ours = of_reply ? is_ours(publisher, subject, len)
                         : len == last->len && memcmp(subject, last->data, len) == 0;
    if (ours) {
        fail_rest(publisher, &(nats__failure){.status = NATS_ERR_PERMISSION});
    }
}

static void on_ended(nats__hook *hook)
{
    nats_js_publisher *publisher = of(hook);
    atomic_fetch_or(&publisher->gate, NATS__PUBLISHER_ENDED);
    atomic_thread_fence(memory_order_seq_cst);
    nats_status status = hook->sub->refused ? NATS_ERR_PERMISSION : NATS_ERR_CLOSED;
    fail_rest(publisher, &(nats__failure){.status = status});
    nats__conn_tell(publisher->client->conn, publisher);
}

const nats__hook_calls nats__ingest_calls = {
    .on_msg = on_msg,
    .on_time = on_time,
    .on_lost = on_lost,
    .on_refused = on_refused,
    .on_drain = nats__publisher_on_drain,
    .on_ended = on_ended,
    .freed = nats__publisher_freed,
};
