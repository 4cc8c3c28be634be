/* The subscriptions of a session: kept over connections, written anew on each. */
#include <string.h>

#include "proto/encoder.h"
#include "proto/session_impl.h"

static bool connected(const nats__session *session)
{
    return session->state == NATS_PROTO_STATE_CONNECTED;
}

/* SUB, and what is left of its maximum: the server counts from this connection's beginning. */
static bool write_sub(nats__session *session, const nats__subrec *rec)
{
    bool ok = nats__encode_sub(&session->out, rec->sid, rec->subject, rec->subject_len, rec->queue,
                               rec->queue_len);
    if (ok && rec->max > 0) {
        ok = nats__encode_unsub(&session->out, rec->sid, rec->max - rec->base);
    }
    return ok;
}

static nats_status choose_sid(nats__session *session, nats__subrec *rec)
{
    if (rec->sid != 0) {
        return nats__submap_find(&session->subs, rec->sid) == NULL
                   ? NATS_OK
                   : nats__fail(NATS_ERR_INVALID, "sid", "sid %llu is in use",
                                (unsigned long long)rec->sid);
    }
    do {
        rec->sid = ++session->last_sid;
    } while (rec->sid == 0 || nats__submap_find(&session->subs, rec->sid) != NULL);
    return NATS_OK;
}

nats_status nats__session_subscribe(nats__session *session, nats__subrec *rec)
{
    if (session->state == NATS_PROTO_STATE_CLOSED) {
        return nats__fail(NATS_ERR_CLOSED, "client", "the connection is closed");
    }
    nats_status status = choose_sid(session, rec);
    if (status != NATS_OK) {
        return status;
    }
    rec->received = 0;
    rec->base = 0;
    size_t before = session->out.len;
    if (connected(session) && !write_sub(session, rec)) {
        session->out.len = before;
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    if (!nats__submap_add(&session->subs, rec)) {
        session->out.len = before;
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    return NATS_OK;
}

nats_status nats__session_unsubscribe(nats__session *session, nats__subrec *rec, uint64_t after,
                                      bool *done_out)
{
    *done_out = false;
    if (session->state == NATS_PROTO_STATE_CLOSED) {
        return nats__fail(NATS_ERR_CLOSED, "client", "the connection is closed");
    }
    bool now = after <= rec->received;
    uint64_t on_wire = now ? 0 : after - rec->base;
    if (connected(session) && !nats__encode_unsub(&session->out, rec->sid, on_wire)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    if (now) {
        nats__submap_remove(&session->subs, rec->sid);
        *done_out = true;
    } else {
        rec->max = after;
    }
    return NATS_OK;
}

void nats__session_forget(nats__session *session, nats__subrec *rec)
{
    nats__submap_remove(&session->subs, rec->sid);
}

nats__subrec *nats__session_find(nats__session *session, uint64_t sid)
{
    return nats__submap_find(&session->subs, sid);
}

size_t nats__session_sub_count(const nats__session *session)
{
    return session->subs.count;
}

bool nats__session_resubscribe(nats__session *session)
{
    for (size_t i = 0; i < session->subs.slot_count; i++) {
        nats__subrec *rec = session->subs.slots[i];
        if (rec == NULL) {
            continue;
        }
        rec->base = rec->received;
        if (!write_sub(session, rec)) {
            return false;
        }
    }
    return true;
}

nats__subrec *nats__session_find_pattern(nats__session *session, const char *subject,
                                         size_t subject_len, const char *queue, size_t queue_len)
{
    for (size_t i = 0; i < session->subs.slot_count; i++) {
        nats__subrec *rec = session->subs.slots[i];
        if (rec != NULL && rec->subject_len == subject_len && rec->queue_len == queue_len &&
            memcmp(rec->subject, subject, subject_len) == 0 &&
            (queue_len == 0 || memcmp(rec->queue, queue, queue_len) == 0)) {
            return rec;
        }
    }
    return NULL;
}
