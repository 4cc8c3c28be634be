#include "proto/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/wipe.h"
#include "proto/encoder.h"
#include "proto/err.h"
#include "proto/session_impl.h"
#include "proto/upgrade.h"

/* ---- made and freed ---- */

/* A longest back-off that nobody chose makes room for the first one. */
static nats_status check_waits(nats_options *options)
{
    bool again = nats__opt(options, NATS__OPT_reconnect) != 0;
    if (!again && nats__opt(options, NATS__OPT_retry_on_connect) != 0) {
        return nats__fail(NATS_ERR_INVALID, "retry_on_connect",
                          "retry_on_connect is on and reconnect is off");
    }
    int64_t wait = nats__opt(options, NATS__OPT_reconnect_wait);
    nats__option_value *longest = &options->values[NATS__OPT_reconnect_wait_max];
    int64_t most = longest->number;
    if (wait <= most) {
        return NATS_OK;
    }
    if (!longest->chosen) {
        longest->number = wait;
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_INVALID, "reconnect_wait",
                      "reconnect_wait %lld ms is above reconnect_wait_max %lld ms",
                      (long long)wait, (long long)most);
}

nats_status nats__session_new(const char *urls, const nats_options *options, const void *seed,
                              size_t seed_len, nats__session **out)
{
    *out = NULL;
    nats__session *session = calloc(1, sizeof *session);
    nats__chunk_pool *chunks = nats__chunk_pool_new();
    if (session == NULL || chunks == NULL || !nats__options_copy(options, &session->options)) {
        nats__chunk_pool_close(chunks);
        free(session);
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats__parser_init(&session->parser, chunks);
    session->parser.payload_max = NATS__MAX_PAYLOAD_DEFAULT;
    session->attempt_deadline_ns = INT64_MAX;
    session->move_ns = INT64_MAX;
    nats__rng_seed(&session->rng, seed, seed_len);
    nats__session_note_asks(session);

    bool shuffle = nats__opt(&session->options, NATS__OPT_no_randomize) == 0;
    nats_status status = nats__pool_init(&session->pool, urls, shuffle, &session->rng);
    if (status == NATS_OK) {
        status = nats__session_check_credentials(session);
    }
    if (status == NATS_OK) {
        status = check_waits(&session->options);
    }
    const char *headers = nats__opt_text(&session->options, NATS__OPT_ws_headers);
    if (status == NATS_OK && headers != NULL) {
        status = nats__upgrade_check_headers(headers);
    }
    if (status != NATS_OK) {
        nats__session_free(session);
        return status;
    }
    *out = session;
    return NATS_OK;
}

/* The message that nats__session_answer() came to, and nobody took. */
static void drop_parsed(nats__session *session)
{
    if (session->msg_parsed) {
        nats__chunk_unref(session->parser.msg->chunk, 1);
        session->msg_parsed = false;
    }
}

void nats__session_free(nats__session *session)
{
    if (session == NULL) {
        return;
    }
    nats__chunk_pool *chunks = session->parser.pool;
    drop_parsed(session);
    nats__parser_free(&session->parser);
    nats__chunk_pool_close(chunks);
    nats__pool_free(&session->pool);
    nats__options_clear(&session->options);
    nats__info_free(session->info);
    nats__submap_free(&session->subs);
    nats__wipe(session->out.data, session->out.len); /* it may hold a CONNECT */
    nats__buf_free(&session->out);
    free(session->pings.items);
    free(session->discovered);
    free(session->lost_url);
    free(session);
}

/* ---- events ---- */

/* What a transport that is given up was asked to do: nobody may act on it any more. */
static bool is_wish(int32_t type)
{
    return type == NATS_PROTO_DIAL || type == NATS_PROTO_UPGRADE_WANTED ||
           type == NATS_PROTO_TLS_WANTED || type == NATS_PROTO_SIGN_WANTED;
}

static void drop_wishes(nats__session *session)
{
    for (size_t i = 0; i < session->event_count; i++) {
        nats__session_event *event =
            &session->events[(session->event_head + i) % SESSION_EVENTS_MAX].event;
        event->type = is_wish(event->type) ? 0 : event->type;
    }
}

nats__session_event *nats__session_push(nats__session *session, int32_t type, nats_status status,
                                        const char *text)
{
    if (session->event_count == SESSION_EVENTS_MAX) {
        session->event_count--; /* nobody takes them: the newest state of things is what counts */
    }
    size_t at = (session->event_head + session->event_count++) % SESSION_EVENTS_MAX;
    queued_event *queued = &session->events[at];
    snprintf(queued->text, sizeof queued->text, "%s", text);
    nats__utf8_printable(queued->text);
    queued->event = (nats__session_event){
        .type = type, .status = status, .text = queued->text, .subject = ""};
    return &queued->event;
}

static bool take_event(nats__session *session, nats__session_event *out)
{
    while (session->event_count > 0) {
        const nats__session_event *event = &session->events[session->event_head].event;
        session->event_head = (session->event_head + 1) % SESSION_EVENTS_MAX;
        session->event_count--;
        if (event->type != 0) {
            *out = *event;
            return true;
        }
    }
    return false;
}

/* ---- choosing servers ---- */

static int32_t attempts_max(const nats__session *session)
{
    int64_t max = nats__opt(&session->options, NATS__OPT_max_reconnects);
    bool reconnect = nats__opt(&session->options, NATS__OPT_reconnect) != 0;
    if (!session->connected_once) {
        return !reconnect || max == 0 ? 1 : (int32_t)max;
    }
    return (int32_t)max;
}

/* Why a connection, or an attempt at one, came to its end. */
typedef struct failure {
    nats_status status;
    int32_t kind; /* NATS_KIND_… */
    const char *text;
} failure;

static void give_up(nats__session *session, const failure *why)
{
    session->state = NATS_PROTO_STATE_CLOSED;
    drop_wishes(session);
    nats__session_push(session, NATS_PROTO_CLOSED, why->status, why->text)->kind = why->kind;
}

static void dial(nats__session *session, int64_t now_ns)
{
    session->state = NATS_PROTO_STATE_DIALING;
    session->attempt_deadline_ns = nats__session_after(session, now_ns, NATS__OPT_connect_timeout);
    nats__session_push(session, NATS_PROTO_DIAL, NATS_OK, "");
}

/* Who is due is due: how long already does not matter, their order does. */
static void forget_waits(nats__pool *pool, int64_t now_ns)
{
    for (size_t i = 0; i < pool->count; i++) {
        nats__server *server = &pool->servers[i];
        server->not_before_ns =
            server->not_before_ns <= now_ns ? NATS__AT_ONCE : server->not_before_ns;
    }
}

/* The next server: now, or when its back-off is over. why: the last one is not it; NULL when
 * nothing failed. */
static void next_server(nats__session *session, const failure *why, int64_t now_ns)
{
    static const failure no_server = {NATS_ERR_INVALID, NATS_KIND_NONE,
                                      "no server is left to connect to"};
    forget_waits(&session->pool, now_ns);
    nats__server *server = nats__pool_next(&session->pool, attempts_max(session));
    if (server == NULL) {
        give_up(session, why != NULL ? why : &no_server);
        return;
    }
    if (server->not_before_ns <= now_ns) {
        dial(session, now_ns);
        return;
    }
    session->state = NATS_PROTO_STATE_WAITING;
    session->wake_ns = server->not_before_ns;
}

nats_status nats__session_start(nats__session *session, int64_t now_ns)
{
    if (session->state != NATS_PROTO_STATE_IDLE) {
        return nats__fail(NATS_ERR_INVALID, NULL, "it was started before");
    }
    next_server(session, NULL, now_ns);
    return NATS_OK;
}

/* ---- failing ---- */

static bool live(const nats__session *session)
{
    return session->state >= NATS_PROTO_STATE_DIALING &&
           session->state <= NATS_PROTO_STATE_CONNECTED;
}

static void forget_connection(nats__session *session)
{
    drop_parsed(session);
    nats__parser_reset(&session->parser);
    session->parser.payload_max = NATS__MAX_PAYLOAD_DEFAULT;
    nats__wipe(session->out.data, session->out.len);
    session->out.len = 0;
    session->attempt_deadline_ns = INT64_MAX;
    session->secured = false;
    session->tls_first = false;
    session->lame_duck = false;
    session->move_ns = INT64_MAX;
    session->move_token = 0;
    session->move_now = false;
    session->pong_owed = false;
    drop_wishes(session);
    nats__pings_clear(&session->pings);
}

/* The same refusal twice from the same server will not become an acceptance: it is given up. One
 * that came too late may be in time the next time, and expired credentials may be fresh. */
static void note_refusal(const nats__session *session, nats__server *server, const failure *why)
{
    if (nats__opt(&session->options, NATS__OPT_auth_retry) != 0) {
        return;
    }
    if (why->kind != NATS_KIND_AUTH_VIOLATION && why->kind != NATS_KIND_AUTH_REVOKED) {
        return;
    }
    if (server->auth_error != NULL && strcmp(server->auth_error, why->text) == 0) {
        server->attempts = INT32_MAX;
        return;
    }
    free(server->auth_error);
    server->auth_error = strdup(why->text);
}

static void back_off(nats__session *session, nats__server *server, int64_t now_ns)
{
    if (server->attempts < INT32_MAX) {
        server->attempts++;
    }
    int64_t wait_ms = nats__opt(&session->options, NATS__OPT_reconnect_wait);
    int64_t max_ms = nats__opt(&session->options, NATS__OPT_reconnect_wait_max);
    int64_t wait_ns = nats__backoff_ns(server->attempts, wait_ms, max_ms, &session->rng);
    server->not_before_ns = nats__later(now_ns, wait_ns);
}

/* A connection that lived a while is made again at once; one that was dropped as soon as it was
 * made counts as a failed attempt, or the two sides would dance. */
static void schedule_again(nats__session *session, nats__server *server, int64_t now_ns)
{
    int64_t lasting_ms = nats__opt(&session->options, NATS__OPT_reconnect_wait);
    lasting_ms = lasting_ms > NATS__BACKOFF_MIN_MS ? lasting_ms : NATS__BACKOFF_MIN_MS;
    if (now_ns >= nats__later(session->connected_ns, lasting_ms * NS_PER_MS)) {
        server->attempts = 0;
        server->not_before_ns = NATS__AT_ONCE;
        return;
    }
    back_off(session, server, now_ns);
}

static void tell_lost(nats__session *session, const failure *why)
{
    free(session->lost_url);
    session->lost_url = strdup(nats__pool_current(&session->pool)->url.text);
    nats__session_event *event =
        nats__session_push(session, NATS_PROTO_DISCONNECTED, why->status, why->text);
    event->kind = why->kind;
    event->url = session->lost_url;
}

static void tell_failed_attempt(nats__session *session, const failure *why)
{
    nats__session_event *event =
        nats__session_push(session, NATS_PROTO_ERROR, why->status, why->text);
    event->kind = why->kind;
    event->recoverable = true;
}

static void fail(nats__session *session, const failure *why, int64_t now_ns)
{
    if (!live(session)) {
        return;
    }
    bool was_connected = session->state == NATS_PROTO_STATE_CONNECTED;
    nats__server *server = nats__pool_current(&session->pool);
    char line[NATS__ERROR_TEXT_MAX];
    snprintf(line, sizeof line, "%s: %.256s", server->url.text, why->text);
    const failure with_url = {why->status, why->kind, line};
    forget_connection(session);
    note_refusal(session, server, why);
    if (was_connected) {
        tell_lost(session, why);
        schedule_again(session, server, now_ns);
    } else {
        tell_failed_attempt(session, &with_url);
        session->first_failures += session->connected_once ? 0 : 1;
        back_off(session, server, now_ns);
    }
    if (session->connected_once && nats__opt(&session->options, NATS__OPT_reconnect) == 0) {
        give_up(session, why);
        return;
    }
    next_server(session, was_connected ? why : &with_url, now_ns);
}

void nats__session_failed(nats__session *session, nats_status status, const char *text,
                          int64_t now_ns)
{
    fail(session, &(failure){status, NATS_KIND_NONE, text}, now_ns);
}

static void leave(nats__session *session, const char *why, int64_t now_ns)
{
    bool was_connected = session->state == NATS_PROTO_STATE_CONNECTED;
    forget_connection(session);
    if (was_connected) {
        tell_lost(session, &(failure){NATS_OK, NATS_KIND_NONE, why});
    }
    for (size_t i = 0; i < session->pool.count; i++) {
        session->pool.servers[i].not_before_ns = NATS__AT_ONCE;
    }
    next_server(session, NULL, now_ns);
}

void nats__session_reconnect(nats__session *session, int64_t now_ns)
{
    if (live(session) || session->state == NATS_PROTO_STATE_WAITING) {
        leave(session, "reconnect was asked for", now_ns);
    }
}

void nats__session_close(nats__session *session)
{
    if (session->state != NATS_PROTO_STATE_CLOSED) {
        give_up(session, &(failure){NATS_OK, NATS_KIND_NONE, ""});
    }
}

/* ---- what the server says ---- */

static void protocol_error(nats__session *session, const char *why, uint64_t offset, int64_t now_ns)
{
    char text[256];
    snprintf(text, sizeof text, "protocol error at byte %llu: %.200s",
             (unsigned long long)offset, why);
    if (session->state == NATS_PROTO_STATE_CONNECTED) {
        nats__session_push(session, NATS_PROTO_ERROR, NATS_ERR_PROTOCOL, text);
    }
    nats__session_failed(session, NATS_ERR_PROTOCOL, text, now_ns);
}

/* Where the parser stands. */
static uint64_t parsed_offset(const nats__session *session)
{
    const nats__parser *parser = &session->parser;
    return parser->offset + (parser->chunk != NULL ? parser->chunk->pos : 0);
}

static uint64_t text_offset(const nats__session *session)
{
    const nats__parser *parser = &session->parser;
    return parser->offset + (uint64_t)((const uint8_t *)parser->text - parser->chunk->bytes);
}

/* Its line may have been read long before its payload came. */
static uint64_t msg_offset(const nats__session *session)
{
    const nats__parser *parser = &session->parser;
    return parser->offset + (uint64_t)(parser->msg->text - parser->chunk->bytes);
}

bool nats__session_has_unread(const nats__session *session)
{
    return session->msg_parsed ||
           nats__parser_offset(&session->parser) > parsed_offset(session);
}

static void tell_discovered(nats__session *session)
{
    const char *urls[NATS__POOL_MAX];
    size_t count = nats__info_connect_urls(session->info, urls, NATS__POOL_MAX);
    if (count == 0 || nats__opt(&session->options, NATS__OPT_ignore_discovered) != 0) {
        return;
    }
    nats__buf news = {0};
    bool shuffle = nats__opt(&session->options, NATS__OPT_no_randomize) == 0;
    nats__pool_discover(&session->pool, urls, count, shuffle, !session->secured,
                        &session->rng, &news);
    if (news.len == 0 || !session->connected_once || !nats__buf_append(&news, "", 1)) {
        nats__buf_free(&news);
        return;
    }
    free(session->discovered);
    session->discovered = (char *)news.data;
    nats__session_push(session, NATS_PROTO_DISCOVERED, NATS_OK, "")->text = session->discovered;
}

/* All clients of a lame duck are told at the same moment: they do not all leave it then. */
static void plan_move(nats__session *session, int64_t now_ns)
{
    int64_t within_ms = nats__opt(&session->options, NATS__OPT_lame_duck_move);
    bool planned = session->move_ns != INT64_MAX || session->move_token != 0;
    if (!session->lame_duck || planned || within_ms < 0 ||
        !nats__pool_has_better(&session->pool, attempts_max(session))) {
        return;
    }
    uint64_t within_ns = (uint64_t)within_ms * NS_PER_MS;
    session->move_ns =
        nats__later(now_ns, (int64_t)nats__rng_below(&session->rng, within_ns + 1));
}

/* What an INFO changes, at the handshake or later. */
static void use_info(nats__session *session, int64_t now_ns)
{
    /* A server whose limit was lowered still delivers what it or another of its cluster took
     * before: the largest limit that was ever told holds for what comes in. */
    size_t told = (size_t)session->info->max_payload;
    session->payload_seen = told > session->payload_seen ? told : session->payload_seen;
    session->parser.payload_max = session->payload_seen;
    tell_discovered(session);
    nats__pool_current(&session->pool)->lame_duck = session->info->lame_duck;
    if (session->info->lame_duck && !session->lame_duck) {
        session->lame_duck = true;
        nats__session_push(session, NATS_PROTO_LAME_DUCK, NATS_OK, "");
    }
    plan_move(session, now_ns);
}

static void on_info(nats__session *session, int64_t now_ns)
{
    nats_info *info;
    nats_status status =
        nats__info_parse(session->parser.text, session->parser.text_len, &info);
    if (status == NATS_ERR_NO_MEMORY) {
        nats__session_failed(session, status, "out of memory", now_ns);
        return;
    }
    if (status != NATS_OK) {
        protocol_error(session, nats__error_get()->text, text_offset(session), now_ns);
        return;
    }
    nats__info_free(session->info);
    session->info = info;
    use_info(session, now_ns);
    if (session->state == NATS_PROTO_STATE_WAITING_INFO) {
        nats__session_on_info(session, now_ns);
    } else if (session->state == NATS_PROTO_STATE_CONNECTED) {
        nats__session_push(session, NATS_PROTO_INFO, NATS_OK, "");
    }
}

/* As they were before the server quoted them, for they are compared with ours. */
static void unquote_names(nats__session *session, nats__err *err)
{
    size_t len = nats__err_unquote(err->subject, err->subject_len, session->subject,
                                   sizeof session->subject);
    if (err->subject != NULL) {
        err->subject = session->subject;
        err->subject_len = len;
    }
    len = nats__err_unquote(err->queue, err->queue_len, session->queue, sizeof session->queue);
    if (err->queue != NULL) {
        err->queue = session->queue;
        err->queue_len = len;
    }
}

static void on_err(nats__session *session, int64_t now_ns)
{
    nats__err err;
    char text[NATS__ERROR_TEXT_MAX];
    const char *said = session->parser.text;
    size_t len = session->parser.text_len;
    if (len >= 2 && said[0] == '\'' && said[len - 1] == '\'') {
        said++;
        len -= 2;
    }
    nats__err_parse(said, len, &err);
    snprintf(text, sizeof text, "%.*s", (int)(len < 300 ? len : 300), said);
    const failure why = {err.status, err.kind, text};
    if (session->state != NATS_PROTO_STATE_CONNECTED) {
        fail(session, &why, now_ns);
        return;
    }
    unquote_names(session, &err);
    nats__subrec *sub = nats__session_take_refused(session, &err);
    nats__session_event *event =
        nats__session_push(session, NATS_PROTO_ERROR, err.status, text);
    event->kind = err.kind;
    event->recoverable = err.recoverable;
    event->subject = session->subject;
    event->of_reply = err.of_reply;
    event->sub = sub;
    event->sub_done = sub != NULL;
    event->sid = sub != NULL ? sub->sid : 0;
    if (!err.recoverable) {
        fail(session, &why, now_ns);
    }
}

static void on_pong(nats__session *session, int64_t now_ns)
{
    if (session->state == NATS_PROTO_STATE_WAITING_PONG) {
        nats__session_on_first_pong(session, now_ns);
    } else {
        nats__session_on_pong(session, now_ns);
    }
}

/* May this operation come in this state? */
static bool expected(const nats__session *session, nats__op op)
{
    switch (session->state) {
    case NATS_PROTO_STATE_CONNECTED:
        return true;
    case NATS_PROTO_STATE_WAITING_PONG:
        return op != NATS__OP_MSG;
    case NATS_PROTO_STATE_WAITING_INFO:
        return op == NATS__OP_INFO || op == NATS__OP_ERR;
    case NATS_PROTO_STATE_SIGNING:
        return op == NATS__OP_PING || op == NATS__OP_ERR;
    default:
        return op == NATS__OP_ERR;
    }
}

/* at: where the operation begins. */
static void on_control(nats__session *session, nats__op op, uint64_t at, int64_t now_ns)
{
    if (op == NATS__OP_BAD) {
        protocol_error(session, session->parser.error, session->parser.error_offset, now_ns);
        return;
    }
    if (op == NATS__OP_NO_MEMORY) {
        nats__session_failed(session, NATS_ERR_NO_MEMORY, "out of memory", now_ns);
        return;
    }
    if (!expected(session, op)) {
        if (op == NATS__OP_MSG) {
            at = msg_offset(session);
            nats__chunk_unref(session->parser.msg->chunk, 1);
        }
        protocol_error(session, "not expected before the handshake is over", at, now_ns);
        return;
    }
    switch (op) {
    case NATS__OP_INFO:
        on_info(session, now_ns);
        break;
    case NATS__OP_ERR:
        on_err(session, now_ns);
        break;
    case NATS__OP_PING:
        nats__session_on_ping(session);
        break;
    case NATS__OP_PONG:
        on_pong(session, now_ns);
        break;
    default:
        break; /* +OK */
    }
}

/* A message for a subscription: the event. False when nobody wants it. */
static bool on_msg(nats__session *session, nats__session_event *out)
{
    nats_msg *msg = session->parser.msg;
    nats__subrec *rec = nats__submap_find(&session->subs, msg->sid);
    if (rec == NULL) {
        session->stray++;
        if (session->owes_unsub && msg->sid != session->told_sid &&
            nats__encode_unsub(&session->out, msg->sid, 0)) {
            session->told_sid = msg->sid; /* the rest of its burst is under way already */
        }
        nats__chunk_unref(msg->chunk, 1);
        return false;
    }
    rec->received++;
    out->type = NATS_PROTO_MSG;
    out->msg = msg;
    out->sub = rec;
    out->sid = msg->sid;
    out->sub_done = rec->max > 0 && rec->received >= rec->max;
    if (out->sub_done) {
        nats__submap_remove(&session->subs, rec->sid);
    }
    return true;
}

static bool reads(const nats__session *session)
{
    return session->state >= NATS_PROTO_STATE_WAITING_INFO &&
           session->state <= NATS_PROTO_STATE_CONNECTED;
}

/* The next operation, unless it was parsed already. */
static nats__op parse(nats__session *session)
{
    if (session->msg_parsed) {
        session->msg_parsed = false;
        return NATS__OP_MSG;
    }
    return nats__parser_next(&session->parser);
}

void nats__session_answer(nats__session *session, int64_t now_ns)
{
    while (session->event_count == 0 && !session->msg_parsed && reads(session)) {
        uint64_t at = parsed_offset(session);
        nats__op op = nats__parser_next(&session->parser);
        if (op == NATS__OP_MORE) {
            return;
        }
        session->msg_parsed = op == NATS__OP_MSG && session->state == NATS_PROTO_STATE_CONNECTED;
        if (!session->msg_parsed) {
            on_control(session, op, at, now_ns);
        }
    }
}

bool nats__session_next(nats__session *session, int64_t now_ns, nats__session_event *out)
{
    for (;;) {
        if (take_event(session, out)) {
            return true;
        }
        if (!reads(session)) {
            return false;
        }
        bool connected = session->state == NATS_PROTO_STATE_CONNECTED;
        uint64_t at = connected ? 0 : parsed_offset(session);
        nats__op op = parse(session);
        if (op == NATS__OP_MORE && session->move_now) {
            leave(session, "the server is about to shut down", now_ns);
            continue;
        }
        if (op == NATS__OP_MORE) {
            return false;
        }
        if (op == NATS__OP_MSG && connected) {
            if (on_msg(session, out)) {
                return true;
            }
            continue;
        }
        on_control(session, op, at, now_ns);
    }
}

/* ---- time ---- */

int64_t nats__session_deadline_ns(const nats__session *session)
{
    switch (session->state) {
    case NATS_PROTO_STATE_WAITING:
        return session->wake_ns;
    case NATS_PROTO_STATE_CONNECTED:
        return session->move_ns < session->next_ping_ns ? session->move_ns
                                                        : session->next_ping_ns;
    case NATS_PROTO_STATE_IDLE:
    case NATS_PROTO_STATE_CLOSED:
        return INT64_MAX;
    default:
        return session->attempt_deadline_ns;
    }
}

/* Unless the server was taken out of the pool while it waited. */
static void begin_turn(nats__session *session, int64_t now_ns)
{
    if (nats__pool_current(&session->pool)->removed) {
        next_server(session, NULL, now_ns);
    } else {
        dial(session, now_ns);
    }
}

/* What has not come when the time of an attempt is up. */
static const char *what_is_late(const nats__session *session)
{
    switch (session->state) {
    case NATS_PROTO_STATE_UPGRADING:
        return "the WebSocket upgrade did not end";
    case NATS_PROTO_STATE_SECURING:
        return "the TLS handshake did not end";
    case NATS_PROTO_STATE_SIGNING:
        return "no credentials were given";
    default:
        return "the server did not answer";
    }
}

void nats__session_late(nats__session *session, int64_t now_ns)
{
    char text[NATS__ERROR_TEXT_MAX];
    snprintf(text, sizeof text, "%s in time (connect_timeout is %lld ms)", what_is_late(session),
             (long long)nats__opt(&session->options, NATS__OPT_connect_timeout));
    nats__session_failed(session, NATS_ERR_TIMEOUT, text, now_ns);
}

void nats__session_tick(nats__session *session, int64_t now_ns)
{
    if (now_ns < nats__session_deadline_ns(session)) {
        return;
    }
    if (session->state == NATS_PROTO_STATE_WAITING) {
        begin_turn(session, now_ns);
    } else if (session->state == NATS_PROTO_STATE_CONNECTED && now_ns >= session->move_ns) {
        nats__session_prepare_move(session, now_ns);
    } else if (session->state == NATS_PROTO_STATE_CONNECTED) {
        nats__session_keep_alive(session, now_ns);
    } else {
        nats__session_late(session, now_ns);
    }
}
