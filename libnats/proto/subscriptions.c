/* The subscriptions of a session: kept over connections, written anew on each. */
#include <string.h>

#include "proto/encoder.h"
#include "proto/session_impl.h"
#include "proto/subject.h"

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

void nats__session_each_sub(nats__session *session, void (*fn)(nats__subrec *rec, void *context),
                            void *context)
{
    for (size_t i = 0; i < session->subs.slot_count; i++) {
        if (session->subs.slots[i] != NULL) {
            fn(session->subs.slots[i], context);
        }
    }
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

/* ---- inboxes ---- */

nats_status nats__session_new_inbox(nats__session *session, char *buffer, size_t size,
                                    size_t *len_out)
{
    const char *prefix = nats__opt_text(&session->options, NATS__OPT_inbox_prefix);
    size_t prefix_len = strlen(prefix);
    size_t len = prefix_len + 1 + NATS__NUID_LEN;
    if (len_out != NULL) {
        *len_out = 0;
    }
    if (buffer == NULL || size <= len) {
        return nats__fail(NATS_ERR_INVALID, "size", "an inbox needs %zu bytes, %zu are there",
                          len + 1, buffer != NULL ? size : 0);
    }
    memcpy(buffer, prefix, prefix_len);
    buffer[prefix_len] = '.';
    nats__nuid(&session->rng, buffer + prefix_len + 1);
    buffer[len] = '\0';
    if (len_out != NULL) {
        *len_out = len;
    }
    return NATS_OK;
}
