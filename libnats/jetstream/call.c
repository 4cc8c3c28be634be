/* A call is a small machine: a request, its answer, perhaps another request. It lives in a future,
 * and is moved by whoever reads that answer, so what does not wait is not slower than what does. */
#include "jetstream/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "jetstream/answer.h"
#include "jetstream/ask.h"
#include "jetstream/check.h"
#include "jetstream/got.h"
#include "jetstream/level.h"
#include "proto/headers.h"
#include "proto/subject.h"

enum {
    STATUS_EOB = 204,
    STATUS_BAD = 400,
    STATUS_NOT_FOUND = 404,
    STATUS_NO_RESPONDERS = 503,
    NAME_SHOWN = 64, /* bytes of a name in an error, so that there is room for the rest */
    TEXT_SHOWN = 200
};

/* What is asked now. */
typedef enum step {
    STEP_LEVEL,  /* what the server can do */
    STEP_INFO,   /* how it is now */
    STEP_DIRECT, /* of any replica */
    STEP_MAIN,   /* the verb's own */
    STEP_CREATE
} step;

typedef struct call {
    nats_js *js; /* referenced */
    const nats__js_verb *verb;
    nats__json *arguments; /* checked */
    nats__js_needs needs;
    nats__js_ask ask;
    step now;
    bool again; /* it was there, then it was not: once more, but only once */
} call;

static nats_status no_memory(void)
{
    return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

static const char *text_of(const nats__json *object, const char *name)
{
    const char *text;
    return nats__json_text(nats__json_get(object, name), &text, NULL) ? text : "";
}

static void call_free(void *owner)
{
    call *of = owner;
    nats__json_free(of->arguments);
    nats__js_ask_free(&of->ask);
    nats__js_unref(of->js);
    free(of);
}

static void copy_about(nats__error *error, const char *name)
{
    snprintf(error->about, sizeof error->about, "%s", name);
}

/* The words of an error begin with the verb; whose they are comes behind it. What is about the verb is about
 * the stream or consumer that was named. */
static void name_it(const call *of)
{
    nats__error *error = nats__error_get();
    const nats__json *config = nats__json_get(of->arguments, "config");
    const char *verb = of->verb->name;
    const char *stream = text_of(of->arguments, "stream");
    const char *consumer = text_of(of->arguments, "consumer");
    if (of->verb->body == NATS__JS_CONFIG) {
        stream = text_of(config, "name");
    } else if (of->verb->body == NATS__JS_CONSUMER && nats__js_consumer_name(config) != NULL) {
        consumer = nats__js_consumer_name(config);
    }
    size_t len = strlen(verb);
    if (stream[0] == '\0' || strncmp(error->text, verb, len) != 0) {
        return;
    }
    if (strcmp(error->about, verb) == 0) {
        bool of_stream = consumer[0] == '\0' || error->err_code == NATS__JS_STREAM_NOT_FOUND;
        copy_about(error, of_stream ? stream : consumer);
    }
    char text[NATS__ERROR_TEXT_MAX];
    snprintf(text, sizeof text, "%s of stream %.*s%s%.*s%.*s", verb, NAME_SHOWN, stream,
             consumer[0] != '\0' ? ", consumer " : "", NAME_SHOWN, consumer, TEXT_SHOWN,
             error->text + len);
    memcpy(error->text, text, sizeof text);
}

static void fail(nats_future *future, const call *of)
{
    name_it(of);
    nats__future_fail(future);
}

/* ---- asking ---- */

static bool write_ask(call *of, step next)
{
    switch (next) {
    case STEP_LEVEL:
        return nats__js_ask_account(&of->ask, of->js);
    case STEP_INFO:
        return nats__js_ask_info(&of->ask, of->js, of->verb, of->arguments);
    case STEP_DIRECT:
        return nats__js_ask_direct(&of->ask, of->js, of->arguments);
    case STEP_CREATE:
        return nats__js_ask_create(&of->ask, of->js, of->verb, of->arguments);
    case STEP_MAIN:
        break;
    }
    return nats__js_ask_verb(&of->ask, of->js, of->verb, of->arguments);
}

static bool is_bare(const call *of)
{
    bool bare;
    return nats__json_bool(nats__json_get(of->arguments, "no_hdr"), &bare) && bare;
}

/* Where a stream does not allow direct get, an old server leaves the request to its timeout: so it is
 * looked at first. */
static step first_of_get(const call *of)
{
    bool direct;
    bool told = nats__json_bool(nats__json_get(of->arguments, "direct"), &direct);
    if (!told && is_bare(of)) {
        return STEP_MAIN; /* the leader's answer has the message's place all the same */
    }
    bool known = told ||
                 nats__js_direct_known(of->js, text_of(of->arguments, "stream"), nats__now_ns(),
                                       &direct);
    if (!known) {
        return STEP_INFO;
    }
    return direct ? STEP_DIRECT : STEP_MAIN;
}

/* What comes first, once it is known that the server can do it. An old one takes an update for the
 * wish to create what is not there: it has to be looked for. */
static step first_step(const call *of, const nats__conn *conn)
{
    switch (of->verb->flow) {
    case NATS__JS_FETCH_OR_MAKE:
    case NATS__JS_CHANGE:
        return STEP_INFO;
    case NATS__JS_GET:
        return first_of_get(of);
    default:
        break;
    }
    bool update = strcmp(of->verb->name, "update_consumer") == 0;
    return update && nats__js_server_below(conn, 2, 10, 0) ? STEP_INFO : STEP_MAIN;
}

static void send_ask(nats_future *future, call *of)
{
    nats__frame frame = nats__js_ask_frame(&of->ask);
    if (nats__future_ask(future, &frame) != NATS_OK) {
        fail(future, of);
    }
}

static void go(nats_future *future, call *of, step next)
{
    of->now = next;
    if (!write_ask(of, next)) {
        no_memory();
        fail(future, of);
        return;
    }
    send_ask(future, of);
}

/* ---- answers ---- */

static void finish(nats_future *future, nats_msg *msg)
{
    nats__future_give(future, msg);
    nats__future_end(future, NATS_OK);
}

static void level_came(nats_future *future, call *of, const nats_msg *msg)
{
    nats__json *info;
    if (nats__js_answer_read(of->verb->name, msg, &info) != NATS_OK) {
        fail(future, of);
        return;
    }
    nats__js_level_learn(of->js, future->conn, info);
    nats__json_free(info);
    if (nats__js_level_check(of->verb->name, of->js, future->conn, &of->needs) != NATS_OK) {
        fail(future, of);
        return;
    }
    go(future, of, first_step(of, future->conn));
}

static bool is_missing(void)
{
    int32_t err_code = nats__error_get()->err_code;
    return err_code == NATS__JS_STREAM_NOT_FOUND || err_code == NATS__JS_CONSUMER_NOT_FOUND;
}

static bool exists_already(void)
{
    int32_t err_code = nats__error_get()->err_code;
    return err_code == NATS__JS_STREAM_EXISTS || err_code == NATS__JS_CONSUMER_EXISTS;
}

static nats_status no_config(const call *of)
{
    return nats__fail(NATS_ERR_PROTOCOL, of->verb->name, "%s: the answer has no config",
                      of->verb->name);
}

/* What is new may contradict what was there before. */
static nats_status check_changed(const call *of)
{
    const nats__buf *body = &of->ask.body;
    if (of->verb->body != NATS__JS_CHANGED) {
        return NATS_OK;
    }
    nats__json *config = nats__json_parse((const char *)body->data, body->len, NULL);
    if (config == NULL) {
        return no_memory();
    }
    nats_status status = nats__js_check_new(of->verb->name, "config", "stream_config", config,
                                            nats__json_get(of->arguments, "config"));
    nats__json_free(config);
    return status;
}

static void change(nats_future *future, call *of, const nats__json *info)
{
    nats_status status = NATS_OK;
    of->now = STEP_MAIN;
    if (nats__json_kind_of(nats__json_get(info, "config")) != NATS__JSON_OBJECT) {
        status = no_config(of);
    } else if (!nats__js_ask_change(&of->ask, of->js, of->verb, of->arguments, info)) {
        status = no_memory();
    }
    status = status == NATS_OK ? check_changed(of) : status;
    if (status != NATS_OK) {
        fail(future, of);
        return;
    }
    send_ask(future, of);
}

static void learn_direct(const call *of, const nats__json *info)
{
    bool direct;
    if (!nats__json_bool(nats__json_get(nats__json_get(info, "config"), "allow_direct"), &direct)) {
        direct = false;
    }
    nats__js_direct_learn(of->js, text_of(of->arguments, "stream"), direct, nats__now_ns());
}

/* A consumer that pulls: how long it lets a request be open a fetch need not be told by a refusal. */
static void learn_consumer(const call *of, const nats__json *answer)
{
    const nats__json *config = nats__json_get(answer, "config");
    bool told = (of->verb->body == NATS__JS_CONSUMER ||
                 strcmp(of->verb->name, "consumer_info") == 0) &&
                config != NULL && text_of(config, "deliver_subject")[0] == '\0';
    if (told) {
        nats__js_consumer_learn(of->js, text_of(of->arguments, "stream"), text_of(answer, "name"),
                                config, nats__now_ns());
    }
}

/* It is not there, and the words are those of a server that takes a wish to update for what it is. */
static void not_there(const call *of)
{
    if (nats__error_get()->err_code == NATS__JS_CONSUMER_NOT_FOUND) {
        static const char words[] = "consumer does not exist";
        nats__fail_said(&(nats__said){.code = STATUS_BAD,
                                      .err_code = NATS__JS_CONSUMER_DOES_NOT_EXIST,
                                      .description = words,
                                      .len = sizeof words - 1},
                        of->verb->name, of->verb->name);
    }
}

/* How it is now came, before what is to be done. True when msg was given away. */
static bool info_came(nats_future *future, call *of, nats_msg *msg)
{
    nats__json *info;
    bool fetch = of->verb->flow == NATS__JS_FETCH_OR_MAKE;
    if (nats__js_answer_read(of->verb->name, msg, &info) != NATS_OK) {
        bool stream = nats__error_get()->err_code == NATS__JS_STREAM_NOT_FOUND;
        if (fetch && is_missing() && (of->verb->body == NATS__JS_CONFIG || !stream)) {
            go(future, of, STEP_CREATE);
            return false;
        }
        if (!fetch) {
            not_there(of);
        }
        fail(future, of);
        return false;
    }
    if (of->verb->flow == NATS__JS_CHANGE) {
        change(future, of, info);
    } else if (of->verb->flow == NATS__JS_GET) {
        learn_direct(of, info);
        go(future, of, first_of_get(of));
    } else if (fetch) {
        learn_consumer(of, info);
        finish(future, msg);
    } else {
        go(future, of, STEP_MAIN);
    }
    nats__json_free(info);
    return fetch;
}

/* Was all made that was asked for? */
static nats_status compare(const call *of, const nats__conn *conn, const nats__json *answer)
{
    bool stream = of->verb->body == NATS__JS_CONFIG || of->verb->body == NATS__JS_CHANGED;
    if (!stream && of->verb->body != NATS__JS_CONSUMER) {
        return NATS_OK;
    }
    const nats__json *made = nats__json_get(answer, "config");
    if (nats__json_kind_of(made) != NATS__JSON_OBJECT) {
        return no_config(of);
    }
    nats__js_dropped dropped =
        nats__js_answer_compare(stream ? "stream_config" : "consumer_config",
                                nats__json_get(of->arguments, "config"), made);
    if (dropped.names[0] == '\0') {
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_NOT_SUPPORTED, dropped.names,
                      "%s: done, but the server left out %s, which came with nats-server %s "
                      "(connected to nats-server %s)",
                      of->verb->name, dropped.names, dropped.since, nats__js_server_version(conn));
}

static void forget_deleted(const call *of)
{
    const char *stream = text_of(of->arguments, "stream");
    if (strcmp(of->verb->name, "delete_consumer") == 0) {
        nats__js_consumer_forget(of->js, stream, text_of(of->arguments, "consumer"));
    } else if (strcmp(of->verb->name, "delete_stream") == 0) {
        nats__js_consumer_forget(of->js, stream, NULL);
    }
}

/* What tells of the account tells of the server's level, too: an event loop that has asked for it has no
 * call that waits to learn it. */
static void learn(const call *of, const nats_future *future, const nats__json *answer)
{
    if (strcmp(of->verb->name, "account_info") == 0) {
        nats__js_level_learn(of->js, future->conn, answer);
    }
    learn_consumer(of, answer);
    forget_deleted(of);
}

/* True when msg was given away. */
static bool main_came(nats_future *future, call *of, nats_msg *msg)
{
    nats__json *answer;
    nats_status status = nats__js_answer_read(of->verb->name, msg, &answer);
    if (status == NATS_OK) {
        learn(of, future, answer);
        status = compare(of, future->conn, answer);
        nats__json_free(answer);
    } else if (of->verb->flow == NATS__JS_UPSERT && of->now == STEP_MAIN && is_missing()) {
        go(future, of, STEP_CREATE);
        return false;
    } else if (of->now == STEP_CREATE && exists_already() && !of->again) {
        of->again = true; /* somebody made it meanwhile */
        go(future, of, of->verb->flow == NATS__JS_UPSERT ? STEP_MAIN : STEP_INFO);
        return false;
    }
    if (status != NATS_OK) {
        fail(future, of);
        return false;
    }
    finish(future, msg);
    return true;
}

/* A direct get without headers does not tell whose message it brings: what was asked for may. */
static const char *bare_subject(const call *of)
{
    if (!is_bare(of)) {
        return NULL;
    }
    const char *asked = text_of(of->arguments, "last_by_subj");
    asked = asked[0] != '\0' ? asked : text_of(of->arguments, "next_by_subj");
    return nats__subject_ok(asked, strlen(asked)) ? asked : "";
}

static void message_came(nats_future *future, const call *of, const nats_msg *answer,
                         int32_t status)
{
    nats_msg *made;
    nats__chunk_pool *pool = future->conn->chunks;
    nats_status got =
        of->now == STEP_DIRECT
            ? nats__js_got_direct(of->verb->name, pool, answer, status, bare_subject(of), &made)
            : nats__js_got_json(of->verb->name, text_of(of->arguments, "stream"), pool, answer,
                                &made);
    if (got != NATS_OK) {
        fail(future, of);
        return;
    }
    finish(future, made);
}

/* One of several, or their end. */
static void batch_came(nats_future *future, const call *of, const nats_msg *answer, int32_t status)
{
    nats_msg *made;
    if (status == STATUS_EOB || (status == STATUS_NOT_FOUND && future->count == 0)) {
        nats__future_end(future, NATS_OK);
        return;
    }
    if (nats__js_got_direct(of->verb->name, future->conn->chunks, answer, status, bare_subject(of),
                            &made) != NATS_OK) {
        fail(future, of);
        return;
    }
    if (!nats__queue_takes(&future->queue, nats__msg_size(made))) {
        nats__chunk_unref(made->chunk, 1);
        nats__fail(NATS_ERR_SLOW_CONSUMER,
                   future->queue.msgs >= future->queue.msgs_max ? "pending_msgs" : "pending_bytes",
                   "%s: more messages wait than the limits allow (pending_msgs, pending_bytes)",
                   of->verb->name);
        fail(future, of);
        return;
    }
    nats__future_give(future, made);
}

static void nobody_there(nats_future *future, call *of)
{
    if (of->now == STEP_DIRECT && nats__json_get(of->arguments, "direct") == NULL) {
        nats__js_direct_learn(of->js, text_of(of->arguments, "stream"), false, nats__now_ns());
        go(future, of, STEP_MAIN); /* the stream does not allow it any more, or is not there */
        return;
    }
    const char *why = of->now == STEP_DIRECT || of->verb->flow == NATS__JS_GET_MANY
                          ? "there is no such stream, or it has no allow_direct"
                          : "JetStream is not enabled here, or not in this domain";
    nats__fail_server(NATS_ERR_NO_RESPONDERS, &(nats__said){.code = STATUS_NO_RESPONDERS},
                      of->verb->name, "%s: no responders for %.*s: %s", of->verb->name,
                      (int)future->subject.len, (const char *)future->subject.data, why);
    fail(future, of);
}

static void on_reply(nats_future *future, nats_msg *msg, int32_t status, int64_t now_ns)
{
    (void)now_ns;
    call *of = future->owner;
    bool given = false;
    if (status == STATUS_NO_RESPONDERS && msg->data_len == 0) {
        nobody_there(future, of);
    } else if (of->now == STEP_LEVEL) {
        level_came(future, of, msg);
    } else if (of->now == STEP_INFO) {
        given = info_came(future, of, msg);
    } else if (of->verb->flow == NATS__JS_GET) {
        message_came(future, of, msg, status);
    } else if (of->verb->flow == NATS__JS_GET_MANY) {
        batch_came(future, of, msg, status);
    } else {
        given = main_came(future, of, msg);
    }
    if (!given) {
        nats__chunk_unref(msg->chunk, 1);
    }
}

/* Who may not ask for the account, or of any replica, does without. */
static bool on_refused(nats_future *future)
{
    call *of = future->owner;
    if (of->now == STEP_LEVEL) {
        nats__js_level_learn(of->js, future->conn, NULL);
        go(future, of, first_step(of, future->conn));
        return true;
    }
    bool other_way = of->verb->flow == NATS__JS_GET && of->now != STEP_MAIN &&
                     nats__json_get(of->arguments, "direct") == NULL;
    if (other_way) {
        go(future, of, STEP_MAIN);
    }
    return other_way;
}

/* It asks, and changes nothing. */
static bool only_asks(const char *verb)
{
    static const char *const verbs[] = {"streams", "stream_names", "consumers", "consumer_names"};
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
        if (strcmp(verb, verbs[i]) == 0) {
            return true;
        }
    }
    return strncmp(verb, "get_message", strlen("get_message")) == 0 ||
           strstr(verb, "_info") != NULL;
}

/* The usual words would be of the API's subject, which the caller has not named. */
static void on_ended(nats_future *future)
{
    const call *of = future->owner;
    const char *verb = of->verb->name;
    bool late = future->status == NATS_ERR_TIMEOUT;
    if ((!late && future->status != NATS_ERR_DISCONNECTED) || future->words != NULL) {
        return;
    }
    future->words = malloc(sizeof *future->words);
    if (future->words == NULL) {
        return; /* the usual words then */
    }
    bool may_be_done = of->now >= STEP_MAIN && !only_asks(verb);
    nats__fail(future->status, verb, "%s: %s from %.*s%s%s", verb,
               late ? "no answer" : "the connection was lost before the answer came",
               (int)future->subject.len, (const char *)future->subject.data, late ? " in time" : "",
               may_be_done ? ": it may be done, or not" : "");
    name_it(of);
    *future->words = *nats__error_get();
}

static const nats__future_hooks hooks = {.on_reply = on_reply,
                                         .on_refused = on_refused,
                                         .on_ended = on_ended,
                                         .freed = call_free};

/* ---- starting ---- */

/* What the arguments' own rules do not say. */
static nats_status check(const call *of)
{
    const nats__json *config = nats__json_get(of->arguments, "config");
    bool may_be_new = strcmp(of->verb->name, "create_consumer") == 0 ||
                      strcmp(of->verb->name, "create_or_update_consumer") == 0;
    if (of->verb->body == NATS__JS_CONSUMER && !may_be_new &&
        nats__js_consumer_name(config) == NULL) {
        return nats__fail(NATS_ERR_INVALID, "name", "%s: config.name is not given",
                          of->verb->name);
    }
    bool renames = of->verb->body == NATS__JS_CHANGED && nats__json_get(config, "name") != NULL &&
                   strcmp(text_of(config, "name"), text_of(of->arguments, "stream")) != 0;
    if (renames) {
        return nats__fail(NATS_ERR_INVALID, "name",
                          "%s: config.name is %.*s: a stream cannot get another name",
                          of->verb->name, NAME_SHOWN, text_of(config, "name"));
    }
    return NATS_OK;
}

static nats_status call_new(nats_js *js, const nats__js_verb *verb, const char *arguments,
                            size_t arguments_len, call **out)
{
    call *of = calloc(1, sizeof *of);
    if (of == NULL) {
        return no_memory();
    }
    of->js = js;
    of->verb = verb;
    nats__js_ref(js);
    nats__js_need(&of->needs, verb->level, verb->name, verb->since);
    nats_status status = nats__js_shape(verb->name, verb->name, arguments, arguments_len,
                                        &of->needs, &of->arguments);
    status = status == NATS_OK ? check(of) : status;
    if (status != NATS_OK) {
        call_free(of);
        return status;
    }
    *out = of;
    return NATS_OK;
}

/* mu held. */
static nats_status choose_first(call *of, const nats__conn *conn)
{
    if (!nats__js_level_known(of->js, conn, &of->needs)) {
        of->now = STEP_LEVEL;
        return NATS_OK;
    }
    of->now = first_step(of, conn);
    return nats__js_level_check(of->verb->name, of->js, conn, &of->needs);
}

nats_status nats__js_call_start(nats_js *js, const char *verb, const char *arguments,
                                size_t arguments_len, int64_t timeout_ms, bool one,
                                nats_future **out)
{
    const nats__js_verb *found;
    call *of = NULL;
    nats__conn *conn = js->client->conn;
    nats_status status = nats__js_verb_find(verb, &found);
    if (status == NATS_OK && one && found->flow == NATS__JS_GET_MANY) {
        status = nats__fail(NATS_ERR_INVALID, "verb",
                            "%s gives several messages: it is called without waiting", verb);
    }
    status = status == NATS_OK ? nats__js_timeout(js, &timeout_ms) : status;
    status = status == NATS_OK ? call_new(js, found, arguments, arguments_len, &of) : status;
    if (status != NATS_OK) {
        return status;
    }

    pthread_mutex_lock(&conn->mu);
    status = choose_first(of, conn);
    pthread_mutex_unlock(&conn->mu);
    if (status == NATS_OK && !write_ask(of, of->now)) {
        status = no_memory();
    }
    if (status == NATS_OK) {
        nats__frame frame = nats__js_ask_frame(&of->ask);
        nats__question how = {.many = found->flow == NATS__JS_GET_MANY,
                              .timeout_ms = timeout_ms,
                              .hooks = &hooks,
                              .owner = of};
        status = nats__future_start(js->client, &frame, &how, out);
    }
    if (status != NATS_OK) {
        call_free(of);
    }
    return status;
}
