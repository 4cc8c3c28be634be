#include "jetstream/ask.h"

#include <string.h>

#include "proto/subject.h"

void nats__js_ask_free(nats__js_ask *ask)
{
    nats__buf_free(&ask->subject);
    nats__buf_free(&ask->body);
}

nats__frame nats__js_ask_frame(const nats__js_ask *ask)
{
    return (nats__frame){.subject = (const char *)ask->subject.data,
                         .subject_len = ask->subject.len,
                         .data = ask->body.data,
                         .data_len = ask->body.len};
}

static bool begin(nats__js_ask *ask, const nats_js *js, const char *subject)
{
    ask->subject.len = 0;
    ask->body.len = 0;
    return nats__js_subject(js, &ask->subject, subject);
}

static const char *text_of(const nats__json *object, const char *name)
{
    const char *text;
    return nats__json_text(nats__json_get(object, name), &text, NULL) ? text : NULL;
}

static bool is_on(const nats__json *object, const char *name)
{
    bool on;
    return nats__json_bool(nats__json_get(object, name), &on) && on;
}

/* ---- subjects ---- */

/* "{stream}" and its kind become what they stand for. They were checked, so they are there. */
static bool put_subject(nats__js_ask *ask, const char *pattern, const nats__json *arguments)
{
    const nats__json *config = nats__json_get(arguments, "config");
    for (const char *at = pattern; *at != '\0';) {
        size_t plain = strcspn(at, "{");
        if (!nats__buf_append(&ask->subject, at, plain)) {
            return false;
        }
        at += plain;
        if (*at == '\0') {
            break;
        }
        size_t len = strcspn(at + 1, "}");
        const char *value = strncmp(at + 1, "name", len) == 0     ? text_of(config, "name")
                            : strncmp(at + 1, "stream", len) == 0 ? text_of(arguments, "stream")
                                                                  : text_of(arguments, "consumer");
        if (value == NULL || !nats__buf_append_text(&ask->subject, value)) {
            return false;
        }
        at += len + 2;
    }
    return true;
}

/* ---- payloads ---- */

/* The name of the next member, and what goes before it. */
static bool put_name(nats__buf *out, const char *name)
{
    const char *comma = out->data[out->len - 1] == '{' ? "" : ",";
    return nats__buf_append_text(out, comma) && nats__json_put_text(out, name, strlen(name)) &&
           nats__buf_append(out, ":", 1);
}

static bool put_member(nats__buf *out, const char *name, const nats__json *value)
{
    return put_name(out, name) && nats__json_put(out, value);
}

static bool put_text_member(nats__buf *out, const char *name, const char *text)
{
    return put_name(out, name) && nats__json_put_text(out, text, strlen(text));
}

static bool put_true(nats__buf *out, const char *name)
{
    return put_name(out, name) && nats__buf_append_text(out, "true");
}

/* Members of an object but `without`. The object is left open. */
static bool put_members(nats__buf *out, const nats__json *object, const char *const *without)
{
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    bool ok = nats__buf_append(out, "{", 1);
    while (ok && nats__json_next(object, &cursor, &name, &value)) {
        bool left_out = false;
        for (size_t i = 0; without[i] != NULL; i++) {
            left_out = left_out || strcmp(without[i], name) == 0;
        }
        ok = left_out || put_member(out, name, value);
    }
    return ok;
}

static bool close_object(nats__buf *out)
{
    return nats__buf_append(out, "}", 1);
}

/* The configuration is the request, and what is said of the request stands in it. */
static bool put_config(nats__js_ask *ask, const nats__json *arguments)
{
    static const char *const all[] = {NULL};
    return put_members(&ask->body, nats__json_get(arguments, "config"), all) &&
           (!is_on(arguments, "pedantic") || put_true(&ask->body, "pedantic")) &&
           close_object(&ask->body);
}

/* What is left is nothing: then the payload is empty, too. */
static bool put_rest(nats__js_ask *ask, const nats__json *arguments)
{
    static const char *const in_subject[] = {"stream", "consumer", "direct", NULL};
    if (!put_members(&ask->body, arguments, in_subject)) {
        return false;
    }
    if (ask->body.len == 1) {
        ask->body.len = 0;
        return true;
    }
    return close_object(&ask->body);
}

/* The server wants to know where to begin. */
static bool put_batch(nats__js_ask *ask, const nats__json *arguments)
{
    static const char *const starts[] = {"seq", "start_time", "next_by_subj", "multi_last"};
    bool begins = false;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        begins = begins || nats__json_get(arguments, starts[i]) != NULL;
    }
    if (!put_rest(ask, arguments) || begins) {
        return begins;
    }
    ask->body.len--; /* there is a batch, so it is an object */
    return put_name(&ask->body, "seq") && nats__buf_append_text(&ask->body, "1}");
}

/* ---- consumers ---- */

const char *nats__js_consumer_name(const nats__json *config)
{
    const char *name = text_of(config, "name");
    return name != NULL ? name : text_of(config, "durable_name");
}

/* The name, and the filter if there is one alone, are in the subject: permissions may go by them. */
static bool put_consumer_subject(nats__js_ask *ask, const nats_js *js, const char *stream,
                                 const nats__json *config, const char *name)
{
    const char *filter = text_of(config, "filter_subject");
    bool ok = begin(ask, js, "CONSUMER.CREATE.") && nats__buf_append_text(&ask->subject, stream);
    if (name != NULL) {
        ok = ok && nats__buf_append(&ask->subject, ".", 1) &&
             nats__buf_append_text(&ask->subject, name);
    }
    if (name != NULL && filter != NULL) {
        ok = ok && nats__buf_append(&ask->subject, ".", 1) &&
             nats__buf_append_text(&ask->subject, filter);
    }
    return ok;
}

bool nats__js_ask_consumer(nats__js_ask *ask, const nats_js *js, const char *stream,
                           const nats__json *config, const char *name, const char *action,
                           bool pedantic)
{
    static const char *const all[] = {NULL};
    const char *given = nats__js_consumer_name(config);
    nats__buf *body = &ask->body;
    bool ok = put_consumer_subject(ask, js, stream, config, given != NULL ? given : name) &&
              nats__buf_append(body, "{", 1) && put_text_member(body, "stream_name", stream) &&
              nats__buf_append_text(body, ",\"config\":") && put_members(body, config, all);
    if (ok && text_of(config, "name") == NULL && (given != NULL || name != NULL)) {
        ok = put_text_member(body, "name", given != NULL ? given : name);
    }
    if (ok && text_of(config, "ack_policy") == NULL) {
        ok = put_text_member(body, "ack_policy", "explicit");
    }
    return ok && close_object(body) && put_text_member(body, "action", action) &&
           (!pedantic || put_true(body, "pedantic")) && close_object(body);
}

static bool put_consumer(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                         const nats__json *arguments)
{
    const char *action = strcmp(verb->name, "create_consumer") == 0   ? "create"
                         : strcmp(verb->name, "update_consumer") == 0 ? "update"
                         : verb->flow == NATS__JS_FETCH_OR_MAKE       ? "create"
                                                                      : "";
    return nats__js_ask_consumer(ask, js, text_of(arguments, "stream"),
                                 nats__json_get(arguments, "config"), NULL, action,
                                 is_on(arguments, "pedantic"));
}

/* ---- requests ---- */

bool nats__js_ask_verb(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                       const nats__json *arguments)
{
    if (verb->body == NATS__JS_CONSUMER) {
        return put_consumer(ask, js, verb, arguments);
    }
    if (!begin(ask, js, "") || !put_subject(ask, verb->subject, arguments)) {
        return false;
    }
    switch (verb->body) {
    case NATS__JS_CONFIG:
        return put_config(ask, arguments);
    case NATS__JS_REST:
        return verb->flow == NATS__JS_GET_MANY ? put_batch(ask, arguments)
                                               : put_rest(ask, arguments);
    default:
        return true;
    }
}

bool nats__js_ask_create(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                         const nats__json *arguments)
{
    if (verb->body == NATS__JS_CONSUMER) {
        return put_consumer(ask, js, verb, arguments);
    }
    return begin(ask, js, "") && put_subject(ask, "STREAM.CREATE.{name}", arguments) &&
           put_config(ask, arguments);
}

bool nats__js_ask_info(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                       const nats__json *arguments)
{
    const nats__json *config = nats__json_get(arguments, "config");
    if (!begin(ask, js, "")) {
        return false;
    }
    if (verb->body == NATS__JS_CONSUMER) {
        const char *name = nats__js_consumer_name(config);
        return put_subject(ask, "CONSUMER.INFO.{stream}.", arguments) && name != NULL &&
               nats__buf_append_text(&ask->subject, name);
    }
    bool named = verb->body == NATS__JS_CONFIG;
    return put_subject(ask, named ? "STREAM.INFO.{name}" : "STREAM.INFO.{stream}", arguments);
}

bool nats__js_ask_direct(nats__js_ask *ask, const nats_js *js, const nats__json *arguments)
{
    const char *last = text_of(arguments, "last_by_subj");
    if (!begin(ask, js, "") || !put_subject(ask, "DIRECT.GET.{stream}", arguments)) {
        return false;
    }
    bool by_subject = last != NULL && nats__subject_ok(last, strlen(last)) &&
                      !is_on(arguments, "no_hdr");
    if (!by_subject) {
        return put_rest(ask, arguments);
    }
    return nats__buf_append(&ask->subject, ".", 1) && nats__buf_append_text(&ask->subject, last);
}

static bool is_taken_out(const nats__json *change)
{
    return nats__json_kind_of(change) == NATS__JSON_OBJECT && nats__json_count(change) == 0;
}

/* What was told goes back as it came, whether keys.def knows it or not: the server may be newer. */
static bool put_changed(nats__js_ask *ask, const nats__json *told, const nats__json *arguments)
{
    const nats__json *changes = nats__json_get(arguments, "config");
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    bool ok = nats__buf_append(&ask->body, "{", 1);
    while (ok && nats__json_next(told, &cursor, &name, &value)) {
        ok = nats__json_get(changes, name) != NULL || put_member(&ask->body, name, value);
    }
    cursor = NULL;
    while (ok && nats__json_next(changes, &cursor, &name, &value)) {
        ok = is_taken_out(value) || put_member(&ask->body, name, value);
    }
    return ok && (!is_on(arguments, "pedantic") || put_true(&ask->body, "pedantic"));
}

static bool put_sealed(nats__js_ask *ask, const nats__json *told)
{
    static const char *const sealed[] = {"sealed", NULL};
    return put_members(&ask->body, told, sealed) && put_true(&ask->body, "sealed");
}

bool nats__js_ask_change(nats__js_ask *ask, const nats_js *js, const nats__js_verb *verb,
                         const nats__json *arguments, const nats__json *info)
{
    const nats__json *told = nats__json_get(info, "config");
    return begin(ask, js, "") && put_subject(ask, verb->subject, arguments) &&
           (verb->body == NATS__JS_SEALED ? put_sealed(ask, told)
                                          : put_changed(ask, told, arguments)) &&
           close_object(&ask->body);
}

bool nats__js_ask_account(nats__js_ask *ask, const nats_js *js)
{
    return begin(ask, js, "INFO");
}
