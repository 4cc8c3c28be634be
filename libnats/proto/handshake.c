/* From the server's INFO to the PONG that makes a connection (ADR-40):
 * INFO → (TLS) → (a signature) → CONNECT and PING → PONG. */
#include <stdlib.h>
#include <string.h>

#include "json/json.h"
#include "proto/encoder.h"
#include "proto/session_impl.h"

static const char client_version[] = "0.1.0";

/* ---- CONNECT ---- */

static void set_text(nats__json *json, const char *name, const char *text)
{
    if (text != NULL) {
        nats__json_set_text(json, name, text, strlen(text));
    }
}

/* A user without a password in a URL is a token. The URL's credentials come before those of the
 * options, which are only there when no URL that was given has any. */
static void set_credentials(nats__session *session, nats__json *json)
{
    const nats_options *options = &session->options;
    const nats__url *url = &nats__pool_current(&session->pool)->url;
    if (url->user != NULL && url->password != NULL) {
        set_text(json, "user", url->user);
        set_text(json, "pass", url->password);
    } else if (url->user != NULL) {
        set_text(json, "auth_token", url->user);
    } else {
        set_text(json, "user", nats__opt_text(options, NATS__OPT_user));
        set_text(json, "pass", nats__opt_text(options, NATS__OPT_password));
        set_text(json, "auth_token", nats__opt_text(options, NATS__OPT_token));
    }
}

typedef struct signature {
    const char *text; /* base64url; NULL: none */
    const char *public_key;
    const char *jwt;
} signature;

static char *connect_json(nats__session *session, const signature *sig)
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
    set_credentials(session, json);
    set_text(json, "sig", sig->text);
    set_text(json, "nkey", sig->public_key);
    set_text(json, "jwt", sig->jwt);
    char *text = nats__json_write(json);
    nats__json_free(json);
    return text;
}

static void send_connect(nats__session *session, const signature *sig, int64_t now_ns)
{
    char *json = connect_json(session, sig);
    ping first = {session->pings.last_token + 1, 0, now_ns, false};
    bool ok = json != NULL && nats__encode_connect(&session->out, json) &&
              nats__encode_ping(&session->out) && nats__pings_add(&session->pings, &first);
    free(json);
    if (!ok) {
        nats__session_failed(session, NATS_ERR_NO_MEMORY, "out of memory", now_ns);
        return;
    }
    session->pings.last_token++;
    session->state = NATS_PROTO_STATE_WAITING_PONG;
}

/* ---- the steps before it ---- */

static void after_tls(nats__session *session, int64_t now_ns)
{
    if (session->expect_signature && session->info->nonce[0] != '\0') {
        session->state = NATS_PROTO_STATE_SIGNING;
        nats__session_push(session, NATS_PROTO_SIGN_WANTED, NATS_OK, session->info->nonce);
        return;
    }
    send_connect(session, &(signature){0}, now_ns);
}

void nats__session_on_info(nats__session *session, int64_t now_ns)
{
    nats__scheme scheme = nats__pool_current(&session->pool)->url.scheme;
    bool wanted = session->info->tls_required || scheme == NATS__SCHEME_TLS;
    if (wanted && scheme != NATS__SCHEME_WSS) {
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
    nats__scheme scheme = nats__pool_current(&session->pool)->url.scheme;
    if (scheme == NATS__SCHEME_WS || scheme == NATS__SCHEME_WSS) {
        session->state = NATS_PROTO_STATE_UPGRADING;
        nats__session_push(session, NATS_PROTO_UPGRADE_WANTED, NATS_OK, "");
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
    if (session->state != NATS_PROTO_STATE_SIGNING) {
        return not_asked("a signature");
    }
    char *text = base64url(data, len);
    if (text == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    send_connect(session, &(signature){text, public_key, jwt}, now_ns);
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
