/* The subscriptions of a session: kept over connections, written anew on each. */
#include <string.h>

#include "proto/encoder.h"
#include "proto/session_impl.h"
#include "proto/subject.h"

/* Servers read nine digits behind UNSUB, and take a larger number for "at once". */
enum { COUNT_MAX = 999999999 };

static nats_status check_count(const char *about, uint64_t count)
{
    return count <= COUNT_MAX
               ? NATS_OK
               : nats__fail(NATS_ERR_INVALID, about, "%s: %llu messages are over %d, the most that "
                            "servers count", about, (unsigned long long)count,
                            COUNT_MAX);
}

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
    nats_status status = check_count("max", rec->max);
    if (status == NATS_OK) {
        status = choose_sid(session, rec);
    }
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
    nats_status status = check_count("after", after);
    if (status != NATS_OK) {
        return status;
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

void nats__session_owe_unsub(nats__session *session)
{
    session->owes_unsub = connected(session);
}

nats__subrec *nats__session_find(nats__session *session, uint64_t sid)
{
    return nats__submap_find(&session->subs, sid);
}

void nats__session_each_sub(nats__session *session, void (*fn)(nats__subrec *rec, void *context),
                            void *context)
{
    nats__subrec *next;
    for (nats__subrec *rec = session->subs.first; rec != NULL; rec = next) {
        next = rec->next;
        fn(rec, context);
    }
}

size_t nats__session_sub_count(const nats__session *session)
{
    return session->subs.count;
}

bool nats__session_resubscribe(nats__session *session)
{
    session->subs.refused_next = session->subs.first;
    session->owes_unsub = false;
    session->told_sid = 0;
    for (nats__subrec *rec = session->subs.first; rec != NULL; rec = rec->next) {
        rec->base = rec->received;
        if (!write_sub(session, rec)) {
            return false;
        }
    }
    return true;
}

/* ---- refusals ---- */

static bool is_queue(const nats__err *err, const nats__subrec *rec)
{
    if (err->kind == NATS_KIND_MAX_TOKENS) {
        return true; /* said of a subject, in whatever queue */
    }
    return rec->queue_len == err->queue_len &&
           (err->queue_len == 0 || memcmp(rec->queue, err->queue, err->queue_len) == 0);
}

static bool is_about(const nats__err *err, const nats__subrec *rec)
{
    return rec->subject_len == err->subject_len &&
           memcmp(rec->subject, err->subject, err->subject_len) == 0 && is_queue(err, rec);
}

/* The first such one from `from` on, before `end`. */
static nats__subrec *find_between(nats__subrec *from, const nats__subrec *end, const nats__err *err)
{
    nats__subrec *rec = from;
    while (rec != end && !is_about(err, rec)) {
        rec = rec->next;
    }
    return rec != end ? rec : NULL;
}

/* The refusal of a SUB names no sid, but SUBs are refused in the order in which they were sent: the
 * search goes on where the last one ended, and does not walk over all that were allowed again. */
static nats__subrec *find_refused(nats__session *session, const nats__err *err)
{
    nats__submap *subs = &session->subs;
    nats__subrec *from = subs->refused_next;
    nats__subrec *rec = find_between(from, NULL, err);
    return rec != NULL ? rec : find_between(subs->first, from, err);
}

nats__subrec *nats__session_take_refused(nats__session *session, const nats__err *err)
{
    bool of_sub =
        err->kind == NATS_KIND_PERMISSION_SUBSCRIBE || err->kind == NATS_KIND_MAX_TOKENS;
    if (!of_sub || err->subject == NULL) {
        return NULL;
    }
    nats__subrec *rec = err->sid != 0 ? nats__session_find(session, err->sid)
                                      : find_refused(session, err);
    if (rec == NULL) {
        return NULL;
    }
    if (err->sid == 0) {
        session->subs.refused_next = rec;
    }
    nats__submap_remove(&session->subs, rec->sid);
    return rec;
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
