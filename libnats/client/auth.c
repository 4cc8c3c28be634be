/* Who we are: at each connect the credentials are read anew, and sign the server's nonce; or the
 * program is asked for them, by an event. A disk may be slow: files are read without mu. */
#include "client/auth.h"

#include <stdlib.h>
#include <string.h>

#include "base/wipe.h"
#include "crypto/creds.h"
#include "io/file.h"

/* ---- the options ---- */

typedef nats_status (*parse_fn)(const char *text, size_t len, nats__creds *out);

/* The option's value is a text of its kind, or else the name of a file that holds one. */
static nats_status read_option(const char *value, bool is_text, const char *about, parse_fn parse,
                               nats__creds *out)
{
    if (is_text) {
        return parse(value, strlen(value), out);
    }
    nats__buf file;
    nats_status status = nats__file_read(value, about, &file);
    if (status == NATS_OK) {
        status = parse((const char *)file.data, file.len, out);
        nats__file_wipe(&file);
    }
    return status;
}

/* Without the line's end that a file's contents would have. */
static bool is_seed(const char *value)
{
    size_t len = strcspn(value, " \r\n\t");
    return nats__nkey_looks_like_seed(value, len) ||
           nats__creds_is_text(value, strlen(value));
}

/* Every JWT begins with these letters: a JSON object does. */
static bool is_jwt(const char *value)
{
    return strncmp(value, "eyJ", 3) == 0 || nats__creds_is_text(value, strlen(value));
}

static nats_status read_jwt(const char *value, nats__creds *out)
{
    nats__creds jwt = {0};
    nats_status status =
        read_option(value, is_jwt(value), "jwt", nats__creds_parse_jwt, &jwt);
    if (status == NATS_OK) {
        out->jwt = jwt.jwt;
        jwt.jwt = NULL;
    }
    nats__creds_clear(&jwt);
    return status;
}

static nats_status read_credentials(const nats_options *options, nats__creds *out)
{
    const char *creds = nats__opt_text(options, NATS__OPT_creds);
    const char *nkey = nats__opt_text(options, NATS__OPT_nkey);
    const char *jwt = nats__opt_text(options, NATS__OPT_jwt);
    nats_status status = NATS_OK;
    *out = (nats__creds){0};
    if (creds != NULL) {
        return read_option(creds, nats__creds_is_text(creds, strlen(creds)), "creds",
                           nats__creds_parse, out);
    }
    if (nkey != NULL) {
        status = read_option(nkey, is_seed(nkey), "nkey", nats__creds_parse_seed, out);
    }
    if (status == NATS_OK && jwt != NULL) {
        status = read_jwt(jwt, out);
    }
    return status;
}

/* ---- answering the session ---- */

/* What is given, and the nonce signed with the key if there is one. A JWT names the key itself. */
static nats_status answer(nats__conn *conn, nats__credentials *given, const nats__creds *creds,
                          int64_t now_ns)
{
    const char *nonce = nats__session_info(conn->session)->nonce;
    uint8_t signature[NATS__ED25519_SIGNATURE];
    given->jwt = creds->jwt != NULL ? creds->jwt : given->jwt;
    if (creds->has_key && nonce[0] != '\0') {
        nats_status status = nats__nkey_sign(&creds->key, nonce, strlen(nonce), signature);
        if (status != NATS_OK) {
            return status;
        }
        given->signature = signature;
        given->signature_len = sizeof signature;
        given->public_key = given->jwt == NULL ? creds->key.public_key : NULL;
    }
    return nats__session_credentials(conn->session, given, now_ns);
}

/* Credentials that were given beforehand serve for the first connection. */
static bool has_own(nats__conn *conn)
{
    const nats_options *options = nats__session_options(conn->session);
    static const nats__option_id ids[] = {NATS__OPT_user, NATS__OPT_token, NATS__OPT_creds,
                                          NATS__OPT_nkey, NATS__OPT_jwt};
    for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
        if (nats__opt_text(options, ids[i]) != NULL) {
            return true;
        }
    }
    return nats__pool_current(nats__session_pool(conn->session))->url.user != NULL;
}

/* For a function of the program: every call that waits ends, for one of them must run it. */
static nats_status ask_hook(nats__conn *conn, const nats__event_facts *facts)
{
    conn->question = nats__event_new(facts);
    if (conn->question == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        nats__client_news(client);
    }
    nats__conn_wake(conn);
    return NATS_OK;
}

/* Who waits in a connect has no client yet to answer with. A binding waits for the future of
 * nats_connect_start(), and says with both options that its program gets the client later. */
static bool nobody_answers(const nats__conn *conn, bool hook, bool event)
{
    return conn->opening || (hook && event && !conn->connected_once);
}

static nats_status ask(nats__conn *conn, const char *nonce)
{
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    const nats__event_facts facts = {.type = NATS_EVENT_CREDENTIALS,
                                     .text = nonce,
                                     .url = server->url.text,
                                     .ask = ++conn->asks};
    bool hook = nats__conn_opt(conn, NATS__OPT_credentials_hook) != 0;
    bool event = nats__conn_opt(conn, NATS__OPT_ask_credentials) != 0;
    if (nobody_answers(conn, hook, event)) {
        const char *option = event ? "ask_credentials" : "credentials_hook";
        return nats__fail(NATS_ERR_INVALID, option,
                          "%s: a connect that waits has nobody to ask: give the first "
                          "credentials as options", option);
    }
    conn->asked = true;
    if (hook && !event) {
        return ask_hook(conn, &facts);
    }
    nats__event_push(conn, NULL, &facts);
    return NATS_OK;
}

static bool is_asked_for(nats__conn *conn)
{
    bool asks = nats__conn_opt(conn, NATS__OPT_ask_credentials) != 0 ||
                nats__conn_opt(conn, NATS__OPT_credentials_hook) != 0;
    return asks && (conn->connected_once || !has_own(conn));
}

void nats__auth_seen(nats__conn *conn, const nats_event *event)
{
    if (event->ask == conn->asks && conn->asked) {
        conn->taken = true;
        conn->late = false;
    }
}

nats_event *nats__auth_question(nats__conn *conn)
{
    nats_event *question = conn->question;
    conn->question = NULL;
    if (question != NULL) {
        nats__auth_seen(conn, question);
    }
    return question;
}

void nats__auth_forget(nats__conn *conn)
{
    conn->late = conn->late || (conn->asked && conn->taken);
    conn->reading = false;
    conn->asked = false;
    conn->taken = false;
    nats__event_free(conn->question);
    conn->question = NULL;
}

void nats__auth_wanted(nats__conn *conn, const char *nonce, int64_t now_ns)
{
    if (is_asked_for(conn)) {
        nats_status status = ask(conn, nonce);
        if (status != NATS_OK) {
            nats__dial_failed(conn, status, now_ns);
        }
        return;
    }
    conn->reading = true;
}

void nats__auth_prepare(const nats__conn *conn, nats__auth_job *job)
{
    *job = (nats__auth_job){.due = conn->reading,
                            .options = nats__session_options(conn->session)};
}

void nats__auth_do(nats__auth_job *job)
{
    job->done = true;
    job->status = read_credentials(job->options, &job->creds);
}

void nats__auth_take(nats__conn *conn, nats__auth_job *job, int64_t now_ns)
{
    nats_status status = job->status;
    conn->reading = false;
    if (status == NATS_OK) {
        status = answer(conn, &(nats__credentials){0}, &job->creds, now_ns);
    }
    nats__creds_clear(&job->creds);
    if (status != NATS_OK) {
        nats__dial_failed(conn, status, now_ns);
    }
}

/* There is nobody to tell a function that it took too long: it is asked again. */
static nats_status refuse(nats__conn *conn, bool asked)
{
    if (conn->late && nats__conn_opt(conn, NATS__OPT_credentials_hook) != 0) {
        conn->late = false;
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_INVALID, "credentials",
                      asked ? "this signature is of an earlier nonce: take the new event"
                            : "no credentials are asked for now: wait for the event");
}

nats_status nats__auth_answer(nats__conn *conn, nats__credentials *given, const char *seed,
                              int64_t now_ns)
{
    bool asked = conn->asked && nats__session_state(conn->session) == NATS_PROTO_STATE_SIGNING;
    /* Nobody has seen this attempt's nonce: with the signature of another one the server would
     * refuse us, and twice is the end. */
    bool stale = !conn->taken && given->signature != NULL;
    if (!asked || stale) {
        return refuse(conn, asked);
    }
    nats__creds creds = {0};
    nats_status status =
        seed != NULL ? nats__creds_parse_seed(seed, strlen(seed), &creds) : NATS_OK;
    if (status == NATS_OK) {
        status = answer(conn, given, &creds, now_ns);
    }
    if (status == NATS_OK) {
        conn->taken = false; /* what was asked has its answer */
        nats__auth_forget(conn);
    }
    nats__creds_clear(&creds);
    return status;
}
