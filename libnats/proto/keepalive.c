/* Pings: ours to see that the server lives, and those that were asked for. PONGs come back in
 * the order of PINGs. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/encoder.h"
#include "proto/session_impl.h"

enum {
    PINGS_MIN = 8,
    PINGS_MAX = 1 << 20 /* flushes waiting at once: a bound against a runaway loop */
};

static bool grow(ping_queue *queue)
{
    size_t cap = queue->cap == 0 ? PINGS_MIN : queue->cap * 2;
    if (cap > PINGS_MAX) {
        return false;
    }
    ping *items = malloc(cap * sizeof *items);
    if (items == NULL) {
        return false;
    }
    for (size_t i = 0; i < queue->count; i++) {
        items[i] = queue->items[(queue->head + i) % queue->cap];
    }
    free(queue->items);
    queue->items = items;
    queue->cap = cap;
    queue->head = 0;
    return true;
}

bool nats__pings_add(ping_queue *queue, const ping *one)
{
    if (queue->count == queue->cap && !grow(queue)) {
        return false;
    }
    queue->items[(queue->head + queue->count) % queue->cap] = *one;
    queue->count++;
    queue->keep_alive_out += one->keep_alive ? 1 : 0;
    return true;
}

bool nats__pings_take(ping_queue *queue, ping *out)
{
    if (queue->count == 0) {
        return false;
    }
    *out = queue->items[queue->head];
    queue->head = (queue->head + 1) % queue->cap;
    queue->count--;
    queue->keep_alive_out -= out->keep_alive ? 1 : 0;
    return true;
}

/* The connection is lost: they will not be answered. Tokens go on counting. */
void nats__pings_clear(ping_queue *queue)
{
    queue->head = 0;
    queue->count = 0;
    queue->keep_alive_out = 0;
}

static nats_status send_ping(nats__session *session, int64_t now_ns, uint64_t mark, bool keep_alive)
{
    size_t before = session->out.len;
    ping one = {session->pings.last_token + 1, mark, now_ns, keep_alive};
    if (!nats__encode_ping(&session->out)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    if (!nats__pings_add(&session->pings, &one)) {
        session->out.len = before;
        return session->pings.count == PINGS_MAX
                   ? nats__fail(NATS_ERR_LIMIT, "pings", "%d pings are unanswered: no more",
                                PINGS_MAX)
                   : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    session->pings.last_token++;
    return NATS_OK;
}

nats_status nats__session_ping(nats__session *session, int64_t now_ns, uint64_t mark,
                               uint64_t *token_out)
{
    *token_out = 0;
    if (session->state == NATS_PROTO_STATE_CLOSED) {
        return nats__fail(NATS_ERR_CLOSED, NULL, "the connection is closed");
    }
    if (session->state != NATS_PROTO_STATE_CONNECTED) {
        return nats__fail(NATS_ERR_DISCONNECTED, NULL, "not connected");
    }
    nats_status status = send_ping(session, now_ns, mark, false);
    *token_out = status == NATS_OK ? session->pings.last_token : 0;
    return status;
}

void nats__session_mark(nats__session *session, uint64_t mark)
{
    session->mark = mark;
}

int32_t nats__session_pings_out(const nats__session *session)
{
    return session->pings.keep_alive_out;
}

void nats__session_keep_alive(nats__session *session, int64_t now_ns)
{
    int32_t out = session->pings.keep_alive_out;
    if (out < nats__opt(&session->options, NATS__OPT_max_pings_out)) {
        /* Without memory for this one, the next will do. */
        send_ping(session, now_ns, session->mark, true);
        session->next_ping_ns = nats__session_after(session, now_ns, NATS__OPT_ping_interval);
        return;
    }
    char text[64];
    snprintf(text, sizeof text, "stale connection: %d pings unanswered", (int)out);
    nats__session_push(session, NATS_PROTO_STALE, NATS_ERR_DISCONNECTED, text);
    nats__session_failed(session, NATS_ERR_DISCONNECTED, text, now_ns);
}

/* A lame duck is left when it has confirmed what came to it so far. */
void nats__session_prepare_move(nats__session *session, int64_t now_ns)
{
    session->move_ns = INT64_MAX;
    if (send_ping(session, now_ns, session->mark, false) == NATS_OK) {
        session->move_token = session->pings.last_token;
    }
}

void nats__session_on_pong(nats__session *session, int64_t now_ns)
{
    ping one;
    if (!nats__pings_take(&session->pings, &one)) {
        return; /* nobody asked: harmless */
    }
    session->move_now = session->move_token != 0 && one.token >= session->move_token;
    nats__session_event *event = nats__session_push(session, NATS_PROTO_PONG, NATS_OK, "");
    event->token = one.token;
    event->mark = one.mark;
    event->rtt_ns = now_ns - one.sent_ns;
}

void nats__session_on_ping(nats__session *session)
{
    /* Before CONNECT nothing else may be said: a server whose first PING is due while credentials
     * are awaited would take it for a violation. */
    if (session->hold_pongs || session->state == NATS_PROTO_STATE_SIGNING) {
        session->pong_owed = true;
    } else if (session->out.len < SESSION_OUT_MAX) {
        nats__encode_pong(&session->out);
    }
}

void nats__session_hold_pongs(nats__session *session, bool hold)
{
    session->hold_pongs = hold;
    if (!hold && session->state != NATS_PROTO_STATE_SIGNING) {
        nats__session_pay_pong(session);
    }
}

void nats__session_pay_pong(nats__session *session)
{
    if (session->pong_owed) {
        session->pong_owed = !nats__encode_pong(&session->out);
    }
}
