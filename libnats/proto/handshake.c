/* From the server's INFO to the PONG that makes a connection (ADR-40):
 * INFO → (TLS) → (a signature) → CONNECT and PING → PONG. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "base/wipe.h"
#include "json/json.h"
#include "proto/encoder.h"
#include "proto/session_impl.h"

static const char client_version[] = "0.1.0";

/* ---- whose credentials ---- */

/* Of the options that need a signature, one that is given; creds last. NATS__OPT_COUNT: none. */
static nats__option_id nkey_option(const nats_options *options)
{
    static const nats__option_id ids[] = {NATS__OPT_nkey, NATS__OPT_jwt, NATS__OPT_creds};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (nats__opt_text(options, ids[i]) != NULL) {
            return ids[i];
        }
    }
    return NATS__OPT_COUNT;
}

/* Credentials come from one place: which of two would hold is nothing to guess at. */
nats_status nats__session_check_credentials(const nats__session *session)
{
    const nats_options *options = &session->options;
    bool password = nats__opt_text(options, NATS__OPT_password) != NULL;
    bool user = nats__opt_text(options, NATS__OPT_user) != NULL || password;
    bool token = nats__opt_text(options, NATS__OPT_token) != NULL;
    if (user && token) {
        return nats__fail(NATS_ERR_INVALID, "token",
                          "token and user/password are both given: one of them, please");
    }
    if (password && nats__opt_text(options, NATS__OPT_user) == NULL) {
        return nats__fail(NATS_ERR_INVALID, "password", "password is given and user is not");
    }
    nats__option_id key = nkey_option(options);
    if (key != NATS__OPT_COUNT && (user || token)) {
        return nats__fail(NATS_ERR_INVALID, nats__option_at(key)->name,
                          "%s and %s are both given: one of them, please",
                          nats__option_at(key)->name, token ? "token" : "user/password");
    }
    if (nats__opt_text(options, NATS__OPT_creds) != NULL && key != NATS__OPT_creds) {
        return nats__fail(NATS_ERR_INVALID, "creds",
                          "creds holds a JWT and its key: %s is given besides",
                          nats__option_at(key)->name);
    }
    for (size_t i = 0; i < session->pool.count; i++) {
        const nats__url *url = &session->pool.servers[i].url;
        if (url->user != NULL && key != NATS__OPT_COUNT) {
            return nats__fail(NATS_ERR_INVALID, nats__option_at(key)->name,
                              "credentials are in the options and in the URL of %s", url->text);
        }
        if (url->user != NULL && (user || token)) {
            return nats__fail(NATS_ERR_INVALID, token ? "token" : "user",
                              "credentials are in the options and in the URL of %s", url->text);
        }
    }
    return NATS_OK;
}

void nats__session_note_asks(nats__session *session)
{
    session->asks = nkey_option(&session->options) != NATS__OPT_COUNT ||
                    nats__opt(&session->options, NATS__OPT_ask_credentials) != 0 ||
                    nats__opt(&session->options, NATS__OPT_credentials_hook) != 0;
}

/* ---- CONNECT ---- */

static void set_text(nats__json *json, const char *name, const char *text)
{
    if (text != NULL) {
        nats__json_set_text(json, name, text, strlen(text));
    }
}

enum {
    ESCAPED_MAX = 6,   /* bytes that one becomes in JSON */
    FIELD_EXTRA = 20,  /* the name of a field, quotes, colon, comma */
    FIELDS_MAX = 8,
    CONNECT_EXTRA = 128 /* what the line and the PING behind it need besides */
};

static size_t escaped_max(const char *text)
{
    return text != NULL ? strlen(text) * ESCAPED_MAX : 0;
}

static size_t secrets_room(nats__session *session, const nats__credentials *given)
{
    const nats_options *options = &session->options;
    const nats__url *url = &nats__pool_current(&session->pool)->url;
    const char *const texts[] = {
        url->user, url->password, given->user, given->password, given->token, given->jwt,
        given->public_key, nats__opt_text(options, NATS__OPT_user),
        nats__opt_text(options, NATS__OPT_password), nats__opt_text(options, NATS__OPT_token)};
    size_t room = (size_t)FIELDS_MAX * FIELD_EXTRA + given->signature_len * 2 + CONNECT_EXTRA;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        room += escaped_max(texts[i]);
    }
    return room;
}

/* Not by the JSON library, which would leave copies in freed memory. The text is UTF-8. NULL: no
 * such field. */
static bool put_secret(nats__buf *line, const char *name, const char *text)
{
    if (text == NULL) {
        return true;
    }
    bool ok = nats__buf_append_text(line, ",\"") && nats__buf_append_text(line, name) &&
              nats__buf_append_text(line, "\":\"");
    for (const char *at = text; ok && *at != '\0'; at++) {
        unsigned char byte = (unsigned char)*at;
        char escape[ESCAPED_MAX + 1];
        if (byte < ' ') {
            snprintf(escape, sizeof escape, "\\u%04x", (unsigned)byte);
            ok = nats__buf_append_text(line, escape);
            continue;
        }
        bool quoted = *at == '"' || *at == '\\';
        ok = (!quoted || nats__buf_append(line, "\\", 1)) && nats__buf_append(line, at, 1);
    }
    return ok && nats__buf_append(line, "\"", 1);
}

/* A user without a password in a URL is a token. The URL's credentials come before those of the
 * options, which are only there when no URL that was given has any. */
static bool put_credentials(nats__session *session, nats__buf *line)
{
    const nats_options *options = &session->options;
    const nats__url *url = &nats__pool_current(&session->pool)->url;
    if (url->user != NULL && url->password != NULL) {
        return put_secret(line, "user", url->user) && put_secret(line, "pass", url->password);
    }
    if (url->user != NULL) {
        return put_secret(line, "auth_token", url->user);
    }
    return put_secret(line, "user", nats__opt_text(options, NATS__OPT_user)) &&
           put_secret(line, "pass", nats__opt_text(options, NATS__OPT_password)) &&
           put_secret(line, "auth_token", nats__opt_text(options, NATS__OPT_token));
}

/* The text and the signature in base64url, which the caller frees. */
static bool put_given(nats__session *session, nats__buf *line, const nats__credentials *given,
                      const char *signature)
{
    bool own = given->user != NULL || given->password != NULL || given->token != NULL;
    bool ok = own || put_credentials(session, line);
    return ok && put_secret(line, "user", given->user) &&
           put_secret(line, "pass", given->password) &&
           put_secret(line, "auth_token", given->token) &&
           put_secret(line, "sig", signature) && put_secret(line, "nkey", given->public_key) &&
           put_secret(line, "jwt", given->jwt);
}

static char *connect_json(nats__session *session)
{
    const nats_options *options = &session->options;
    nats__json *json = nats__json_object();
    if (json == NULL) {
        return NULL;
    }
    nats__json_set_bool(json, "verbose", nats__opt(options, NATS__OPT_verbose) != 0);
    nats__json_set_bool(json, "pedantic", nats__opt(options, NATS__OPT_pedantic) != 0);
    nats__json_set_bool(json, "echo", nats__opt(options, NATS__OPT_no_echo) == 0);
    set_text(json, "name", nats__opt_text(options, NATS__OPT_name));
    set_text(json, "lang", "c");
    set_text(json, "version", client_version);
    nats__json_set_int(json, "protocol", 1);
    /* A server that does not know headers refuses a client that asks for what needs them. */
    nats__json_set_bool(json, "headers", session->info->headers);
    nats__json_set_bool(json, "no_responders", session->info->headers);
    nats__json_set_bool(json, "tls_required", session->secured);
    char *text = nats__json_write(json);
    nats__json_free(json);
    return text;
}

/* What is known of all of us, and what only we know. Room for the whole is made first: a buffer
 * that grows leaves what it held behind. */
static bool write_connect(nats__session *session, const nats__credentials *given,
                          const char *signature)
{
    nats__buf line = {0};
    char *json = connect_json(session);
    size_t room = json != NULL ? strlen(json) + secrets_room(session, given) : 0;
    bool ok = json != NULL && nats__buf_reserve(&line, room) &&
              nats__buf_append(&line, json, strlen(json) - 1) &&
              put_given(session, &line, given, signature) && nats__buf_append(&line, "}", 2) &&
              nats__buf_reserve(&session->out, line.len + CONNECT_EXTRA) &&
              nats__encode_connect(&session->out, (const char *)line.data);
    free(json);
    nats__wipe(line.data, line.len);
    nats__buf_free(&line);
    return ok;
}

static void send_connect(nats__session *session, const nats__credentials *given,
                         const char *signature, int64_t now_ns)
{
    ping first = {session->pings.last_token + 1, 0, now_ns, false};
    bool ok = write_connect(session, given, signature) && nats__encode_ping(&session->out) &&
              nats__pings_add(&session->pings, &first);
    if (!ok) {
        nats__session_failed(session, NATS_ERR_NO_MEMORY, "out of memory", now_ns);
        return;
    }
    session->pings.last_token++;
    session->state = NATS_PROTO_STATE_WAITING_PONG;
    nats__session_pay_pong(session);
}

/* ---- the steps before it ---- */

static void after_tls(nats__session *session, int64_t now_ns)
{
    bool nonce = session->info->nonce[0] != '\0';
    if (session->asks || (session->expect_signature && nonce)) {
        session->state = NATS_PROTO_STATE_SIGNING;
        nats__session_push(session, NATS_PROTO_SIGN_WANTED, NATS_OK, session->info->nonce);
        return;
    }
    send_connect(session, &(nats__credentials){0}, NULL, now_ns);
}

/* One that is given with TLS asks for it everywhere: else who keeps us from that one would have our
 * credentials in clear from the next. */
static bool has_secure(const nats__pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        const nats__server *server = &pool->servers[i];
        bool counts = !server->discovered || i == pool->current;
        if (counts && nats__scheme_is_secure(server->url.scheme)) {
            return true;
        }
    }
    return false;
}

bool nats__session_wants_tls(const nats__session *session)
{
    const nats_options *options = &session->options;
    return has_secure(&session->pool) || session->secured_once ||
           nats__opt(options, NATS__OPT_tls_required) != 0 ||
           nats__opt(options, NATS__OPT_tls_first) != 0 ||
           nats__opt_text(options, NATS__OPT_tls_ca) != NULL ||
           nats__opt_text(options, NATS__OPT_tls_cert) != NULL ||
           nats__opt_text(options, NATS__OPT_tls_key) != NULL;
}

void nats__session_on_info(nats__session *session, int64_t now_ns)
{
    nats__scheme scheme = nats__pool_current(&session->pool)->url.scheme;
    bool wanted = session->info->tls_required || nats__session_wants_tls(session);
    /* With WebSocket TLS is below it or not at all: what INFO says comes too late. */
    if (wanted && !session->secured && !nats__scheme_is_websocket(scheme)) {
        session->state = NATS_PROTO_STATE_SECURING;
        nats__session_push(session, NATS_PROTO_TLS_WANTED, NATS_OK, "");
        return;
    }
    after_tls(session, now_ns);
}

static nats_status not_asked(const char *step)
{
    return nats__fail(NATS_ERR_INVALID, NULL, "%s was not asked for", step);
}

nats_status nats__session_transport_up(nats__session *session, int64_t now_ns)
{
    if (session->state != NATS_PROTO_STATE_DIALING) {
        return not_asked("a transport");
    }
    (void)now_ns;
    const nats__url *url = &nats__pool_current(&session->pool)->url;
    if (nats__scheme_is_websocket(url->scheme)) {
        session->state = NATS_PROTO_STATE_UPGRADING;
        nats__session_event *event =
            nats__session_push(session, NATS_PROTO_UPGRADE_WANTED, NATS_OK, "");
        event->text = url->path != NULL ? url->path : "/";
        return NATS_OK;
    }
    if (nats__opt(&session->options, NATS__OPT_tls_first) != 0) {
        session->tls_first = true;
        session->state = NATS_PROTO_STATE_SECURING;
        nats__session_push(session, NATS_PROTO_TLS_WANTED, NATS_OK, "");
        return NATS_OK;
    }
    session->state = NATS_PROTO_STATE_WAITING_INFO;
    return NATS_OK;
}

nats_status nats__session_upgraded(nats__session *session, int64_t now_ns)
{
    (void)now_ns;
    if (session->state != NATS_PROTO_STATE_UPGRADING) {
        return not_asked("an upgrade");
    }
    session->secured = nats__session_wants_tls(session); /* it is below */
    session->secured_once = session->secured_once || session->secured;
    session->state = NATS_PROTO_STATE_WAITING_INFO;
    return NATS_OK;
}

nats_status nats__session_secured(nats__session *session, int64_t now_ns)
{
    if (session->state != NATS_PROTO_STATE_SECURING) {
        return not_asked("TLS");
    }
    if (nats__session_has_unread(session)) {
        /* They came in clear, where anybody may have put them: they must not pass for the
         * server's. */
        nats__session_failed(session, NATS_ERR_PROTOCOL, "bytes after INFO and before TLS", now_ns);
        return NATS_OK;
    }
    session->secured = true;
    session->secured_once = true;
    if (session->tls_first) {
        session->tls_first = false;
        session->state = NATS_PROTO_STATE_WAITING_INFO;
        return NATS_OK;
    }
    after_tls(session, now_ns);
    return NATS_OK;
}

static char *base64url(const uint8_t *data, size_t len)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char *text = malloc(len / 3 * 4 + 5);
    if (text == NULL) {
        return NULL;
    }
    char *at = text;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16;
        bits |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)data[i + 2] : 0;
        for (size_t digit = 0; digit <= left; digit++) {
            *at++ = digits[bits >> (18 - 6 * digit) & 63];
        }
    }
    *at = '\0';
    return text;
}

nats_status nats__session_sign(nats__session *session, const void *data, size_t len,
                               const char *public_key, const char *jwt, int64_t now_ns)
{
    const nats__credentials given = {
        .signature = data, .signature_len = len, .public_key = public_key, .jwt = jwt};
    return nats__session_credentials(session, &given, now_ns);
}

nats_status nats__credentials_check(const nats__credentials *given)
{
    const struct {
        const char *name;
        const char *text;
    } texts[] = {{"user", given->user},   {"password", given->password},
                 {"token", given->token}, {"jwt", given->jwt},
                 {"public_key", given->public_key}};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        size_t len = texts[i].text != NULL ? strlen(texts[i].text) : 0;
        if (len > NATS__CREDENTIAL_MAX) {
            return nats__fail(NATS_ERR_INVALID, texts[i].name, "%s is longer than %d bytes",
                              texts[i].name, NATS__CREDENTIAL_MAX);
        }
        if (len > 0 && nats__utf8_check(texts[i].text, len) != len) {
            return nats__fail(NATS_ERR_INVALID, texts[i].name, "%s is not valid UTF-8",
                              texts[i].name);
        }
    }
    bool wrong = given->signature == NULL ? given->signature_len > 0
                                          : given->signature_len == 0 ||
                                                given->signature_len > NATS__SIGNATURE_MAX;
    return wrong ? nats__fail(NATS_ERR_INVALID, "signature", "signature must have 1 to %d bytes",
                              NATS__SIGNATURE_MAX)
                 : NATS_OK;
}

nats_status nats__session_credentials(nats__session *session, const nats__credentials *given,
                                      int64_t now_ns)
{
    if (session->state != NATS_PROTO_STATE_SIGNING) {
        return not_asked("a signature");
    }
    char *text = NULL;
    if (given->signature != NULL) {
        text = base64url(given->signature, given->signature_len);
        if (text == NULL) {
            return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
        }
    }
    send_connect(session, given, text, now_ns);
    free(text);
    return NATS_OK;
}

/* ---- the end of it ---- */

void nats__session_on_first_pong(nats__session *session, int64_t now_ns)
{
    ping first;
    nats__pings_take(&session->pings, &first);
    nats__server *server = nats__pool_current(&session->pool);
    session->state = NATS_PROTO_STATE_CONNECTED;
    if (!nats__session_resubscribe(session)) {
        nats__session_failed(session, NATS_ERR_NO_MEMORY, "out of memory", now_ns);
        return;
    }
    session->connected_ns = now_ns;
    session->next_ping_ns = nats__session_after(session, now_ns, NATS__OPT_ping_interval);
    free(server->auth_error);
    server->auth_error = NULL;
    int32_t type = session->connected_once ? NATS_PROTO_RECONNECTED : NATS_PROTO_CONNECTED;
    session->connected_once = true;
    nats__session_push(session, type, NATS_OK, "");
}
