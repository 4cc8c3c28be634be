#include "jetstream/ingest.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/copy.h"
#include "base/decimal.h"
#include "base/error.h"

enum { OUTSTANDING = 2, FLOW_MAX = UINT16_MAX }; /* answers under way; a flow has 16 bits */

/* Behind each answer that is waited for there is as much again under way: the stream need not wait for us. */
nats_status nats__ingest_new(nats_js_publisher *publisher, uint32_t max_pending)
{
    nats__ingest *ingest = calloc(1, sizeof *ingest);
    if (ingest == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    uint32_t flow = max_pending / OUTSTANDING;
    ingest->flow = flow == 0 ? 1 : flow < FLOW_MAX ? flow : FLOW_MAX;
    pthread_mutex_init(&ingest->order, NULL);
    atomic_init(&ingest->last, 0);
    atomic_init(&ingest->limit, 0);
    atomic_init(&ingest->end_wanted, false);
    publisher->ingest = ingest;
    return NATS_OK;
}

void nats__ingest_free(nats__ingest *ingest)
{
    if (ingest != NULL) {
        pthread_mutex_destroy(&ingest->order);
        nats__buf_free(&ingest->subject);
        free(ingest->flaw.text);
        free(ingest);
    }
}

size_t nats__ingest_reply(const nats_js_publisher *publisher, uint64_t seq, nats__ingest_op op,
                          char out[NATS__INGEST_REPLY_MAX])
{
    const nats__ingest *ingest = publisher->ingest;
    uint8_t *at = nats__copy((uint8_t *)out, publisher->prefix, publisher->prefix_len);
    at = nats__copy(at, ingest->id, NATS__NUID_LEN);
    *at++ = '.';
    at += nats__decimal_write((char *)at, ingest->flow);
    at = nats__copy(at, ".fail.", 6);
    at += nats__decimal_write((char *)at, seq);
    *at++ = '.';
    *at++ = (uint8_t)('0' + op);
    at = nats__copy(at, ".$FI", 4);
    return (size_t)(at - (uint8_t *)out);
}

/* ---- the way is free ---- */

/* order and mu held. */
static nats_status begin(nats_js_publisher *publisher)
{
    char inbox[NATS_SUBJECT_MAX + NATS__NUID_LEN + 4];
    size_t len;
    nats__ingest *ingest = publisher->ingest;
    nats__conn *conn = publisher->client->conn;
    nats_status status = nats__session_new_inbox(conn->session, inbox, sizeof inbox, &len);
    if (status != NATS_OK) {
        return status;
    }
    memcpy(ingest->id, inbox + len - NATS__NUID_LEN, NATS__NUID_LEN); /* as unique as the inbox */
    ingest->base = atomic_load(&ingest->last);
    ingest->phase = NATS__INGEST_BEGUN;
    ingest->progress_ns = nats__now_ns();
    atomic_store(&ingest->limit, ingest->base + 1);
    return NATS_OK;
}

static bool may_go(void *what)
{
    const nats_js_publisher *publisher = what;
    const nats__ingest *ingest = publisher->ingest;
    return nats__publisher_is_shut(publisher) || ingest->phase == NATS__INGEST_NONE ||
           atomic_load(&ingest->limit) > atomic_load(&ingest->last);
}

static nats_status no_way(const nats_js_publisher *publisher, nats_status status)
{
    if (status == NATS_ERR_INTERRUPTED) {
        return nats__fail(status, NULL,
                          "interrupted by a signal while waiting for acknowledgements");
    }
    return nats__fail(NATS_ERR_TIMEOUT, "max_pending",
                      "not accepted: the stream lets no more messages be under way, for %g s",
                      (double)publisher->timeout_ms / 1e3);
}

/* Wait until somebody may publish. No lock held. */
static nats_status wait_for_way(nats_js_publisher *publisher, int64_t deadline_ns)
{
    nats__conn *conn = publisher->client->conn;
    pthread_mutex_lock(&conn->mu);
    publisher->room_waiters++;
    nats_status status = nats__conn_wait(conn, publisher, may_go, publisher, deadline_ns);
    publisher->room_waiters--;
    bool late = status == NATS_ERR_TIMEOUT && !may_go(publisher);
    pthread_mutex_unlock(&conn->mu);
    /* That there was a way does not say that nobody else has taken it: the caller looks again. */
    return late || status == NATS_ERR_INTERRUPTED ? no_way(publisher, status) : NATS_OK;
}

/* order held. *may_out: the next number can be used. */
static nats_status look_for_way(nats_js_publisher *publisher, bool *may_out)
{
    nats__ingest *ingest = publisher->ingest;
    nats__conn *conn = publisher->client->conn;
    *may_out = atomic_load(&ingest->last) < atomic_load(&ingest->limit);
    if (nats__publisher_is_shut(publisher)) {
        return nats__publisher_refuse(publisher);
    }
    if (*may_out) {
        return NATS_OK;
    }
    pthread_mutex_lock(&conn->mu);
    nats_status status = NATS_OK;
    if (ingest->phase == NATS__INGEST_NONE) {
        status = begin(publisher);
        *may_out = status == NATS_OK;
    }
    pthread_mutex_unlock(&conn->mu);
    return status;
}

/* Take `order` when the next message may be sent; it is held on NATS_OK only. */
static nats_status enter(nats_js_publisher *publisher)
{
    nats__ingest *ingest = publisher->ingest;
    int64_t deadline_ns = 0;
    for (;;) {
        bool may;
        pthread_mutex_lock(&ingest->order);
        nats_status status = look_for_way(publisher, &may);
        if (status == NATS_OK && may) {
            return NATS_OK;
        }
        pthread_mutex_unlock(&ingest->order);
        if (status != NATS_OK) {
            return status;
        }
        deadline_ns = deadline_ns != 0 ? deadline_ns : nats__deadline_in(publisher->timeout_ms);
        status = wait_for_way(publisher, deadline_ns);
        if (status != NATS_OK) {
            return status;
        }
    }
}

/* ---- publishing ---- */

/* The end of the batch goes to where its last message went. mu too, for the pump may send it. */
static nats_status note_subject(nats_js_publisher *publisher, const nats__frame *frame)
{
    nats__buf *subject = &publisher->ingest->subject;
    nats__conn *conn = publisher->client->conn;
    if (subject->len == frame->subject_len &&
        memcmp(subject->data, frame->subject, subject->len) == 0) {
        return NATS_OK;
    }
    pthread_mutex_lock(&conn->mu);
    subject->len = 0;
    bool ok = nats__buf_append(subject, frame->subject, frame->subject_len);
    publisher->ingest->subject_from = atomic_load(&publisher->ingest->last) + 1;
    pthread_mutex_unlock(&conn->mu);
    return ok ? NATS_OK : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

/* It was not sent: as if it had not been tried, unless its batch has ended and it has failed with it. order held. */
static nats_status take_back(nats_js_publisher *publisher, uint64_t id, nats_status status)
{
    nats__ingest *ingest = publisher->ingest;
    nats__conn *conn = publisher->client->conn;
    pthread_mutex_lock(&conn->mu);
    bool failed = ingest->settled >= id;
    if (!failed) {
        atomic_store(&ingest->last, id - 1);
    }
    if (!failed && ingest->phase == NATS__INGEST_BEGUN && ingest->base == id - 1) {
        ingest->phase = NATS__INGEST_NONE;
        atomic_store(&ingest->limit, 0);
    }
    nats__publisher_told(publisher);
    pthread_mutex_unlock(&conn->mu);
    return failed ? NATS_OK : status;
}

/* order held, and the number may be used. *again: the batch has ended meanwhile. */
static nats_status send(nats_js_publisher *publisher, nats__frame *frame, uint64_t id, bool *again)
{
    char reply[NATS__INGEST_REPLY_MAX];
    nats__ingest *ingest = publisher->ingest;
    nats__conn *conn = publisher->client->conn;
    uint64_t seq = id - ingest->base;
    nats__ingest_op op = seq == 1 ? NATS__INGEST_OP_BEGIN : NATS__INGEST_OP_ADD;
    frame->epoch = atomic_load(&publisher->epoch);
    frame->reply = reply;
    frame->reply_len = nats__ingest_reply(publisher, seq, op, reply);
    atomic_store(&ingest->last, id);
    /* Either the limit is seen lowered here, or who ended the batch finds the message. */
    *again = atomic_load(&ingest->limit) < id;
    if (*again) {
        nats_status status = take_back(publisher, id, NATS_ERR_CLOSED);
        *again = status != NATS_OK;
        return NATS_OK;
    }
    nats__publisher_pass_gate(publisher, nats__deadline_in(NATS__INGEST_LOOK_MS));
    if (nats__conn_publish_more(conn, frame)) {
        return NATS_OK;
    }
    nats_status status = nats__conn_publish(conn, frame);
    return status == NATS_OK ? NATS_OK : take_back(publisher, id, status);
}

/* Give `order` up. True: the end was wanted before that, and was seen to. */
static bool leave_once(nats_js_publisher *publisher)
{
    nats__ingest *ingest = publisher->ingest;
    nats__conn *conn = publisher->client->conn;
    bool wanted = atomic_load(&ingest->end_wanted);
    if (wanted) {
        pthread_mutex_lock(&conn->mu);
        nats__ingest_send_end(publisher);
        pthread_mutex_unlock(&conn->mu);
        nats__writer_kick(conn);
    }
    pthread_mutex_unlock(&ingest->order);
    return wanted;
}

/* Who wanted the end in the last moment could not have `order`, and leaves it to us. */
static void leave(nats_js_publisher *publisher)
{
    nats__ingest *ingest = publisher->ingest;
    bool again = !leave_once(publisher) && atomic_load(&ingest->end_wanted) &&
                 pthread_mutex_trylock(&ingest->order) == 0;
    if (again) {
        leave_once(publisher);
    }
}

nats_status nats__ingest_publish(nats_js_publisher *publisher, nats__frame *frame,
                                 uint64_t *id_out)
{
    bool again = true;
    nats_status status = NATS_OK;
    uint64_t id = 0;
    while (status == NATS_OK && again) {
        status = enter(publisher);
        if (status != NATS_OK) {
            break;
        }
        id = atomic_load(&publisher->ingest->last) + 1;
        status = note_subject(publisher, frame);
        if (status == NATS_OK) {
            status = send(publisher, frame, id, &again);
        }
        leave(publisher);
    }
    *id_out = status == NATS_OK ? id : 0;
    return status;
}

void nats__ingest_end(nats_js_publisher *publisher)
{
    nats__ingest *ingest = publisher->ingest;
    atomic_store(&ingest->end_wanted, true);
    if (pthread_mutex_trylock(&ingest->order) == 0) {
        leave_once(publisher);
    }
}
