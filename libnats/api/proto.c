/* The sans-IO connection: a session and an outbox, one thread, the caller's bytes and clock. */
#include <polynats/proto.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/proto_impl.h"
#include "base/wipe.h"
#include "proto/frame.h"
#include "proto/subject.h"

/* What may be added before that which waited already is written and PONGs are held back: a server
 * that sends PINGs and takes nothing would fill the memory. */
enum { UNTAKEN_MAX = 64 * 1024 };

/* Calls that bring a time begin with it. False: proto is NULL. */
static bool note_time(nats_proto *proto, int64_t now_ns)
{
    if (proto != NULL) {
        proto->now_ns = now_ns;
    }
    return proto != NULL;
}

/* ---- made and freed ---- */

nats_status nats_proto_new(const char *urls, const nats_options *options, const void *seed,
                           size_t seed_len, nats_proto **proto_out)
{
    if (proto_out == NULL) {
        return nats__proto_null("proto_out");
    }
    enum { SEED_MIN = 16 };
    *proto_out = NULL;
    if (seed == NULL || seed_len < SEED_MIN) {
        return nats__fail(NATS_ERR_INVALID, "seed", "seed has %zu bytes, at least %d are needed",
                          seed_len, SEED_MIN);
    }
    nats_proto *proto = calloc(1, sizeof *proto);
    if (proto == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats_status status = nats__session_new(urls, options, seed, seed_len, &proto->session);
    if (status != NATS_OK) {
        free(proto);
        return status;
    }
    proto->event.text = "";
    *proto_out = proto;
    return NATS_OK;
}

static void free_record(nats__subrec *rec, void *context)
{
    (void)context;
    free(rec);
}

static void drop_msg(nats_proto *proto)
{
    nats_msg_free(proto->msg);
    proto->msg = NULL;
}

void nats_proto_free(nats_proto *proto)
{
    if (proto == NULL) {
        return;
    }
    drop_msg(proto);
    free(proto->done);
    nats__session_each_sub(proto->session, free_record, NULL);
    nats__session_free(proto->session);
    nats__outbox_free(&proto->box);
    free(proto);
}

/* ---- the transport ---- */

/* Control lines go to the outbox, in their order among publishes. Without memory they stay for
 * the next call. */
static void stage(nats_proto *proto)
{
    nats__buf *lines = nats__session_out(proto->session);
    if (lines->len > 0 && nats__outbox_control(&proto->box, lines->data, lines->len)) {
        nats__wipe(lines->data, proto->box.open ? 0 : lines->len); /* a CONNECT has secrets */
        lines->len = 0;
    }
}

nats_status nats_proto_start(nats_proto *proto, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    return nats__session_start(proto->session, now_ns);
}

static const nats__url *current_url(const nats_proto *proto)
{
    const nats__server *server =
        proto != NULL ? nats__pool_current(nats__session_pool(proto->session)) : NULL;
    return server != NULL ? &server->url : NULL;
}

const char *nats_proto_url(const nats_proto *proto)
{
    if (proto != NULL && proto->event.type == NATS_PROTO_DISCONNECTED &&
        proto->event.url != NULL) {
        return proto->event.url;
    }
    const nats__url *url = current_url(proto);
    return url != NULL ? url->text : "";
}

const char *nats_proto_scheme(const nats_proto *proto)
{
    const nats__url *url = current_url(proto);
    if (url == NULL) {
        return "";
    }
    bool below = url->scheme == NATS__SCHEME_WS && nats__session_wants_tls(proto->session);
    return nats__scheme_name(below ? NATS__SCHEME_WSS : url->scheme);
}

const char *nats_proto_host(const nats_proto *proto)
{
    const nats__url *url = current_url(proto);
    return url != NULL ? url->host : "";
}

int32_t nats_proto_port(const nats_proto *proto)
{
    const nats__url *url = current_url(proto);
    return url != NULL ? url->port : 0;
}

nats_status nats_proto_transport_up(nats_proto *proto, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    return nats__session_transport_up(proto->session, now_ns);
}

nats_status nats_proto_upgraded(nats_proto *proto, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    return nats__session_upgraded(proto->session, now_ns);
}

nats_status nats_proto_secured(nats_proto *proto, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    nats_status status = nats__session_secured(proto->session, now_ns);
    stage(proto);
    return status;
}

/* Bytes may only come, and a transport only fail, where one was asked for and not given up yet. */
static bool has_transport(const nats_proto *proto)
{
    int32_t state = nats__session_state(proto->session);
    return state >= NATS_PROTO_STATE_DIALING && state <= NATS_PROTO_STATE_CONNECTED;
}

/* The server's own bytes: not before there is a transport, nor those of a handshake that goes
 * before them. */
static bool takes_bytes(const nats_proto *proto)
{
    int32_t state = nats__session_state(proto->session);
    return !proto->ended && state >= NATS_PROTO_STATE_WAITING_INFO &&
           state <= NATS_PROTO_STATE_CONNECTED;
}

static nats_status no_transport(void)
{
    return nats__fail(NATS_ERR_INVALID, "proto", "there is no transport");
}

nats_status nats_proto_transport_failed(nats_proto *proto, nats_status failure, const char *text,
                                        int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    if (!has_transport(proto)) {
        return no_transport();
    }
    proto->ended = false;
    nats__session_failed(proto->session, failure, text != NULL ? text : "", now_ns);
    return NATS_OK;
}

nats_status nats_proto_sign(nats_proto *proto, const void *signature, size_t signature_len,
                            const char *public_key, const char *jwt, int64_t now_ns)
{
    if (proto == NULL) {
        return nats__proto_null("proto");
    }
    proto->now_ns = now_ns;
    if (signature == NULL || signature_len == 0 || signature_len > NATS__SIGNATURE_MAX) {
        return nats__fail(NATS_ERR_INVALID, "signature", "signature must have 1 to %d bytes",
                          NATS__SIGNATURE_MAX);
    }
    return nats_proto_credentials(proto, NULL, NULL, NULL, jwt, public_key, signature,
                                  signature_len, now_ns);
}

nats_status nats_proto_credentials(nats_proto *proto, const char *user, const char *password,
                                   const char *token, const char *jwt, const char *public_key,
                                   const void *signature, size_t signature_len, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    const nats__credentials given = {user, password, token, jwt, public_key, signature,
                                     signature_len};
    nats_status status = nats__credentials_check(&given);
    if (status == NATS_OK) {
        status = nats__session_credentials(proto->session, &given, now_ns);
        stage(proto);
    }
    return status;
}

/* ---- bytes in ---- */

nats_status nats_proto_reserve(nats_proto *proto, void **space_out, size_t *size_out)
{
    if (proto == NULL || space_out == NULL || size_out == NULL) {
        return nats__proto_null(proto == NULL ? "proto"
                                : space_out == NULL ? "space_out" : "size_out");
    }
    uint8_t *space;
    *space_out = NULL;
    *size_out = 0;
    if (!takes_bytes(proto)) {
        return no_transport();
    }
    if (!nats__parser_reserve(nats__session_parser(proto->session), &space, size_out)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    *space_out = space;
    return NATS_OK;
}

nats_status nats_proto_commit(nats_proto *proto, size_t len, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    if (!takes_bytes(proto)) {
        return no_transport();
    }
    const nats__chunk *chunk = nats__session_parser(proto->session)->chunk;
    size_t room = chunk != NULL ? chunk->cap - chunk->len : 0;
    if (len > room) {
        return nats__fail(NATS_ERR_INVALID, "len", "%zu bytes are more than the %zu reserved", len,
                          room);
    }
    nats__parser_commit(nats__session_parser(proto->session), len);
    return NATS_OK;
}

nats_status nats_proto_feed(nats_proto *proto, const void *data, size_t len, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    if (!takes_bytes(proto)) {
        return no_transport();
    }
    if (len == 0) {
        return NATS_OK;
    }
    if (data == NULL) {
        return nats__proto_null("data");
    }
    nats__parser *parser = nats__session_parser(proto->session);
    uint8_t *space;
    if (!nats__parser_reserve_all(parser, len, &space)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    memcpy(space, data, len);
    nats__parser_commit(parser, len);
    return NATS_OK;
}

static nats_status transport_ended(nats_proto *proto)
{
    return nats_proto_transport_failed(proto, NATS_ERR_DISCONNECTED,
                                       "the server closed the connection", proto->now_ns);
}

/* What came before the end is read first: it may tell why. */
nats_status nats_proto_feed_eof(nats_proto *proto, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    if (takes_bytes(proto) && nats__session_has_unread(proto->session)) {
        proto->ended = true;
        return NATS_OK;
    }
    return transport_ended(proto);
}

/* ---- events out ---- */

static void settle_lost(nats_proto *proto)
{
    const nats_options *options = nats__session_options(proto->session);
    bool keep = proto->event.type == NATS_PROTO_DISCONNECTED &&
                nats__opt(options, NATS__OPT_reconnect) != 0;
    size_t keep_max = keep ? (size_t)nats__opt(options, NATS__OPT_reconnect_buffer) : 0;
    nats__outbox_lost(&proto->box, keep_max, NULL, 0, &proto->lost, &proto->unconfirmed);
    proto->pongs_gate = 0;
}

/* A handshake that came to nothing: its lines are not for the next server. */
static void drop_handshake(nats_proto *proto)
{
    if (!proto->box.open) {
        nats__outbox_drop_handshake(&proto->box);
    }
}

/* What waited for another server may be too much for this one, which would hang up over it. */
static void limit_waiting(nats_proto *proto)
{
    size_t max = nats__session_max_payload(proto->session);
    bool headers = nats__session_info(proto->session)->headers;
    nats__askers none = {.inbox = NULL};
    proto->over = nats__outbox_limit(&proto->box, max, headers, &none);
    snprintf(proto->text, sizeof proto->text,
             "%llu messages that waited are over this server's max_payload %zu%s",
             (unsigned long long)proto->over, max, headers ? "" : ", or have headers");
}

/* What the owner of the outbox has to do at an event. */
static void follow(nats_proto *proto)
{
    switch (proto->event.type) {
    case NATS_PROTO_CONNECTED:
    case NATS_PROTO_RECONNECTED:
        stage(proto);
        limit_waiting(proto);
        proto->box.open = true;
        break;
    case NATS_PROTO_INFO:
        limit_waiting(proto);
        break;
    case NATS_PROTO_DISCONNECTED:
        proto->ended = false;
        settle_lost(proto);
        break;
    case NATS_PROTO_CLOSED:
        proto->ended = false;
        /* Closed by the user while connected, what waits may still be sent. */
        if (proto->event.status != NATS_OK || !proto->box.open) {
            settle_lost(proto);
        }
        break;
    case NATS_PROTO_PONG:
        nats__outbox_confirm(&proto->box, proto->event.mark);
        break;
    case NATS_PROTO_DIAL:
        proto->ended = false;
        drop_handshake(proto);
        break;
    case NATS_PROTO_ERROR:
        drop_handshake(proto);
        proto->done = proto->event.sub_done ? proto->event.sub : NULL;
        break;
    case NATS_PROTO_MSG:
        proto->msg = proto->event.msg;
        proto->done = proto->event.sub_done ? proto->event.sub : NULL;
        break;
    default:
        break;
    }
}

static int32_t tell_over(nats_proto *proto)
{
    proto->lost = proto->over;
    proto->over = 0;
    proto->event = (nats__session_event){.type = NATS_PROTO_ERROR,
                                         .status = NATS_ERR_MAX_PAYLOAD,
                                         .recoverable = true,
                                         .text = proto->text};
    return NATS_PROTO_ERROR;
}

/* A subscription had its last message, or was refused: that is an event of its own here. */
static int32_t sub_done(nats_proto *proto)
{
    uint64_t sid = proto->done->sid;
    free(proto->done);
    proto->done = NULL;
    proto->event = (nats__session_event){.type = NATS_PROTO_SUB_DONE, .sid = sid, .text = ""};
    return NATS_PROTO_SUB_DONE;
}

/* The session fills in what a message has, and leaves the rest as the event before had it. */
static void forget_others(nats__session_event *event)
{
    *event = (nats__session_event){.type = event->type,
                                   .msg = event->msg,
                                   .sub = event->sub,
                                   .sid = event->sid,
                                   .sub_done = event->sub_done,
                                   .text = ""};
}

static void pace_pongs(nats_proto *proto)
{
    uint64_t end = proto->box.written_bytes + nats__outbox_pending(&proto->box);
    if (proto->box.written_bytes >= proto->pongs_gate) {
        proto->pongs_gate = end;
    }
    nats__session_hold_pongs(proto->session, end > proto->pongs_gate + UNTAKEN_MAX);
}

int32_t nats_proto_next_event(nats_proto *proto)
{
    if (proto == NULL) {
        return 0;
    }
    drop_msg(proto);
    if (proto->done != NULL) {
        return sub_done(proto);
    }
    proto->lost = 0;
    proto->unconfirmed = 0;
    if (proto->over > 0) {
        return tell_over(proto);
    }
    pace_pongs(proto);
    bool any = nats__session_next(proto->session, proto->now_ns, &proto->event);
    if (!any && proto->ended) {
        transport_ended(proto);
        any = nats__session_next(proto->session, proto->now_ns, &proto->event);
    }
    if (!any) {
        proto->event = (nats__session_event){.text = ""};
        stage(proto);
        return 0;
    }
    if (proto->event.type == NATS_PROTO_MSG) {
        forget_others(&proto->event);
    }
    follow(proto);
    stage(proto);
    return proto->event.type;
}

nats_msg *nats_proto_event_take_msg(nats_proto *proto)
{
    nats_msg *msg = proto != NULL ? proto->msg : NULL;
    if (msg != NULL) {
        proto->msg = NULL;
    }
    return msg;
}

nats_status nats_proto_event_status(const nats_proto *proto)
{
    return proto != NULL ? proto->event.status : NATS_ERR_INVALID;
}

const char *nats_proto_event_text(const nats_proto *proto)
{
    return proto != NULL ? proto->event.text : "";
}

int32_t nats_proto_event_kind(const nats_proto *proto)
{
    return proto != NULL ? proto->event.kind : NATS_KIND_NONE;
}

int32_t nats_proto_event_recoverable(const nats_proto *proto)
{
    return proto != NULL && proto->event.type == NATS_PROTO_ERROR && proto->event.recoverable;
}

uint64_t nats_proto_event_sid(const nats_proto *proto)
{
    return proto != NULL ? proto->event.sid : 0;
}

uint64_t nats_proto_event_token(const nats_proto *proto)
{
    return proto != NULL && proto->event.type == NATS_PROTO_PONG ? proto->event.token : 0;
}

int64_t nats_proto_event_rtt_ns(const nats_proto *proto)
{
    return proto != NULL && proto->event.type == NATS_PROTO_PONG ? proto->event.rtt_ns : 0;
}

uint64_t nats_proto_event_lost(const nats_proto *proto)
{
    return proto != NULL ? proto->lost : 0;
}

uint64_t nats_proto_event_unconfirmed(const nats_proto *proto)
{
    return proto != NULL ? proto->unconfirmed : 0;
}

/* ---- bytes out ---- */

void nats_proto_tx(nats_proto *proto, const void **data_out, size_t *len_out)
{
    if (data_out == NULL || len_out == NULL) {
        return;
    }
    *data_out = NULL;
    *len_out = 0;
    if (proto == NULL) {
        return;
    }
    nats__session_answer(proto->session, proto->now_ns);
    stage(proto);
    if (!nats__outbox_take(&proto->box)) {
        return;
    }
    *data_out = proto->box.drain.data + proto->box.drained;
    *len_out = proto->box.drain.len - proto->box.drained;
}

nats_status nats_proto_tx_done(nats_proto *proto, size_t len, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    size_t most = proto->box.drain.len - proto->box.drained;
    if (len > most) {
        return nats__fail(NATS_ERR_INVALID, "len", "%zu bytes are more than the %zu handed out",
                          len, most);
    }
    nats__outbox_wrote(&proto->box, len);
    return NATS_OK;
}

size_t nats_proto_tx_pending(const nats_proto *proto)
{
    return proto != NULL
               ? nats__outbox_pending(&proto->box) + nats__session_out(proto->session)->len
               : 0;
}

/* ---- time ---- */

int64_t nats_proto_deadline_ns(const nats_proto *proto)
{
    return proto != NULL ? nats__session_deadline_ns(proto->session) : INT64_MAX;
}

void nats_proto_tick(nats_proto *proto, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return;
    }
    nats__session_mark(proto->session, proto->box.accepted);
    nats__session_tick(proto->session, now_ns);
    stage(proto);
}

/* ---- verbs ---- */

static nats_status closed(void)
{
    return nats__fail(NATS_ERR_CLOSED, "proto", "the connection is closed");
}

static bool is_closed(const nats_proto *proto)
{
    return nats__session_state(proto->session) == NATS_PROTO_STATE_CLOSED;
}

/* May a message of that size be taken now? */
static nats_status admit(const nats_proto *proto, const nats__frame *frame)
{
    const nats_options *options = nats__session_options(proto->session);
    size_t size = frame->headers_len + frame->data_len;
    size_t max = nats__session_max_payload(proto->session);
    if (size > max) {
        return nats__fail(NATS_ERR_MAX_PAYLOAD, "max_payload",
                          "message of %zu bytes (%zu of them headers) is over max_payload %zu",
                          size, frame->headers_len, max);
    }
    const nats_info *info = nats__session_info(proto->session);
    if (frame->headers_len > 0 && info != NULL && !info->headers) {
        return nats__fail(NATS_ERR_NOT_SUPPORTED, "headers", "this server does not take headers");
    }
    size_t buffer = (size_t)nats__opt(options, NATS__OPT_reconnect_buffer);
    if (!proto->box.open && proto->box.fill.len + nats__frame_bound(frame) > buffer) {
        return nats__fail(NATS_ERR_LIMIT, "reconnect_buffer",
                          "not connected, and reconnect_buffer (%zu bytes) is full", buffer);
    }
    return NATS_OK;
}

nats_status nats_proto_publish(nats_proto *proto, const char *subject, size_t subject_len,
                               const char *reply, size_t reply_len, const nats_headers *headers,
                               const void *data, size_t data_len)
{
    nats__frame frame;
    if (proto == NULL || is_closed(proto)) {
        return proto == NULL ? nats__proto_null("proto") : closed();
    }
    nats_status status = nats__frame_make(&frame, subject, subject_len, reply, reply_len, headers,
                                          data, data_len);
    if (status == NATS_OK) {
        status = admit(proto, &frame);
    }
    if (status != NATS_OK) {
        return status;
    }
    stage(proto);
    return nats__outbox_publish(&proto->box, &frame)
               ? NATS_OK
               : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

static nats__subrec *record_new(const char *subject, size_t subject_len, const char *queue,
                                size_t queue_len)
{
    nats__subrec *rec = calloc(1, sizeof *rec + subject_len + queue_len + 2);
    if (rec == NULL) {
        return NULL;
    }
    rec->subject = (char *)(rec + 1);
    rec->subject_len = subject_len;
    rec->queue = rec->subject + subject_len + 1;
    rec->queue_len = queue_len;
    memcpy(rec->subject, subject, subject_len);
    if (queue_len > 0) {
        memcpy(rec->queue, queue, queue_len);
    }
    return rec;
}

nats_status nats_proto_subscribe(nats_proto *proto, const char *subject, size_t subject_len,
                                 const char *queue, size_t queue_len, uint64_t max, uint64_t sid,
                                 uint64_t *sid_out)
{
    if (sid_out != NULL) {
        *sid_out = 0;
    }
    if (proto == NULL || subject == NULL) {
        return nats__proto_null(proto == NULL ? "proto" : "subject");
    }
    subject_len = nats__text_len(subject, subject_len);
    queue_len = queue != NULL ? nats__text_len(queue, queue_len) : 0;
    nats_status status = nats__pattern_check("subject", subject, subject_len);
    if (status == NATS_OK && queue_len > 0) {
        status = nats__queue_check(queue, queue_len);
    }
    if (status != NATS_OK) {
        return status;
    }
    nats__subrec *rec = record_new(subject, subject_len, queue, queue_len);
    if (rec == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    rec->max = max;
    rec->sid = sid;
    status = nats__session_subscribe(proto->session, rec);
    if (status != NATS_OK) {
        free(rec);
        return status;
    }
    if (sid_out != NULL) {
        *sid_out = rec->sid;
    }
    stage(proto);
    return NATS_OK;
}

nats_status nats_proto_unsubscribe(nats_proto *proto, uint64_t sid, uint64_t after)
{
    if (proto == NULL || is_closed(proto)) {
        return proto == NULL ? nats__proto_null("proto") : closed();
    }
    nats__subrec *rec = nats__session_find(proto->session, sid);
    if (rec == NULL) {
        return nats__fail(NATS_ERR_INVALID, "sid", "there is no subscription with sid %llu",
                          (unsigned long long)sid);
    }
    bool done;
    nats_status status = nats__session_unsubscribe(proto->session, rec, after, &done);
    stage(proto);
    if (done) {
        free(rec);
    }
    return status;
}

nats_status nats_proto_ping(nats_proto *proto, int64_t now_ns, uint64_t *token_out)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    uint64_t token = 0;
    nats_status status = nats__session_ping(proto->session, now_ns, proto->box.accepted, &token);
    if (token_out != NULL) {
        *token_out = token;
    }
    stage(proto);
    return status;
}

void nats_proto_close(nats_proto *proto)
{
    if (proto == NULL) {
        return;
    }
    stage(proto);
    nats__session_close(proto->session);
}

nats_status nats_proto_reconnect(nats_proto *proto, int64_t now_ns)
{
    if (!note_time(proto, now_ns)) {
        return nats__proto_null("proto");
    }
    int32_t state = nats__session_state(proto->session);
    if (state == NATS_PROTO_STATE_CLOSED) {
        return closed();
    }
    if (state == NATS_PROTO_STATE_IDLE) {
        return nats__fail(NATS_ERR_INVALID, "proto", "it was not started yet");
    }
    proto->ended = false;
    nats__session_reconnect(proto->session, now_ns);
    return NATS_OK;
}

void nats_proto_expect_signature(nats_proto *proto, int32_t expect)
{
    if (proto == NULL) {
        return;
    }
    nats__session_expect_signature(proto->session, expect != 0);
}
