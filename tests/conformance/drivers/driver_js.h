/* The part of the C driver that manages JetStream. It is included once, by driver.c, behind
 * driver_publish.h. */
#ifndef CONFORMANCE_DRIVER_JS_H
#define CONFORMANCE_DRIVER_JS_H

#include "driver_publish.h"

static void do_js(driver *d)
{
    nats_js *made;
    text domain = decode(option(d, "domain"));
    text prefix = decode(option(d, "prefix"));
    nats_status status = nats_client_jetstream(client(d), domain.at, prefix.at,
                                               number(d, "timeout_ms", -1), &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), JS, made);
    }
    done(status);
}

/* ---- JSON as the cases see it ---- */

/* A text that grows. */
typedef struct line {
    char *at;
    size_t len;
} line;

static void add(line *out, const char *text, size_t len)
{
    out->at = realloc(out->at, out->len + len + 1);
    memcpy(out->at + out->len, text, len);
    out->len += len;
}

static void add_text(line *out, const char *text)
{
    add(out, text, strlen(text));
}

static void add_quoted(line *out, const char *text, size_t len)
{
    add_text(out, "\"");
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\') {
            add_text(out, "\\");
        }
        add(out, text + i, 1);
    }
    add_text(out, "\"");
}

static void add_number(line *out, const nats_json *value)
{
    char digits[32];
    int64_t whole;
    uint64_t large;
    double real;
    if (nats_json_int(value, &whole)) {
        bool flag = nats_json_kind(value) == NATS_JSON_BOOL;
        snprintf(digits, sizeof digits, "%lld", (long long)whole);
        add_text(out, !flag ? digits : whole ? "true" : "false");
    } else if (nats_json_uint(value, &large)) {
        snprintf(digits, sizeof digits, "%llu", (unsigned long long)large);
        add_text(out, digits);
    } else if (nats_json_real(value, &real)) {
        snprintf(digits, sizeof digits, "%g", real);
        add_text(out, digits);
    } else {
        add_text(out, "null");
    }
}

static void add_value(line *out, const nats_json *value)
{
    size_t len;
    const char *text = nats_json_text(value, &len);
    bool object = nats_json_kind(value) == NATS_JSON_OBJECT;
    if (text != NULL) {
        add_quoted(out, text, len);
        return;
    }
    if (!object && nats_json_kind(value) != NATS_JSON_ARRAY) {
        add_number(out, value);
        return;
    }
    add_text(out, object ? "{" : "[");
    for (size_t i = 0; i < nats_json_count(value); i++) {
        const char *name;
        const nats_json *part = object ? nats_json_member(value, i, &name) : nats_json_at(value, i);
        add_text(out, i > 0 ? "," : "");
        if (object) {
            add_quoted(out, name, strlen(name));
            add_text(out, ":");
        }
        add_value(out, part);
    }
    add_text(out, object ? "}" : "]");
}

/* "config.sources.0.name"; "#" counts. False when it is not there. */
static bool follow(const nats_json *value, char *path, line *out)
{
    for (char *name; (name = strsep(&path, ".")) != NULL;) {
        if (strcmp(name, "#") == 0) {
            char digits[32];
            snprintf(digits, sizeof digits, "%zu", nats_json_count(value));
            add_text(out, digits);
            return true;
        }
        value = nats_json_kind(value) == NATS_JSON_ARRAY
                    ? nats_json_at(value, strtoul(name, NULL, 10))
                    : nats_json_get(value, name);
    }
    size_t len;
    const char *text = nats_json_text(value, &len);
    if (text != NULL) {
        add(out, text, len);
    } else if (value != NULL) {
        add_value(out, value);
    }
    return value != NULL;
}

/* "ok", and what is at each of the paths that the case names from word `at` on. */
static void put_paths(driver *d, size_t at, nats_msg *answer)
{
    size_t len;
    nats_json *doc = NULL;
    const char *data = nats_msg_data(answer, &len);
    if (failed(nats_json_parse(data, len, &doc))) {
        nats_msg_free(answer);
        return;
    }
    fputs("ok", stdout);
    for (size_t i = at; i + 1 < d->word_count; i++) {
        line found = {NULL, 0};
        add_text(&found, "");
        bool there = follow(doc, word(d, i).at, &found);
        put(there ? found.at : NULL, found.len);
        free(found.at);
    }
    putchar('\n');
    nats_json_free(doc);
    nats_msg_free(answer);
}

/* ---- calls ---- */

static void do_js_call(driver *d)
{
    const char *verb = raw_word(d, 1);
    text arguments = decode(d->word_count > 3 ? d->words[3] : NULL);
    nats_msg *answer;
    nats_status status = nats_js_call(js(d, 0), verb, arguments.at, arguments.len,
                                      number(d, "timeout_ms", -1), &answer);
    if (failed(status)) {
        return;
    }
    if (strcmp(verb, "get_message") == 0) {
        answer_msg(d, status, answer);
    } else {
        put_paths(d, 3, answer);
    }
}

static void do_js_call_start(driver *d)
{
    text arguments = decode(d->word_count > 4 ? d->words[4] : NULL);
    nats_future *made;
    nats_status status = nats_js_call_start(js(d, 0), raw_word(d, 2), arguments.at, arguments.len,
                                            number(d, "timeout_ms", -1), &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), FUTURE, made);
    }
    done(status);
}

static void do_js_call_wait(driver *d)
{
    nats_msg *answer;
    nats_status status =
        nats_future_wait(find(d, 0, FUTURE)->object, number(d, "wait_ms", -1), &answer);
    if (!failed(status)) {
        put_paths(d, 1, answer);
    }
}

/* Messages that come one by one, and their end. */
static void do_js_get_many(driver *d)
{
    text arguments = word(d, 1);
    nats_future *future = NULL;
    nats_msg *msg = NULL;
    nats_status status = nats_js_call_start(js(d, 0), "get_messages", arguments.at, arguments.len,
                                            number(d, "timeout_ms", -1), &future);
    while (status == NATS_OK && (status = nats_future_wait(future, -1, &msg)) == NATS_OK &&
           msg != NULL) {
        put_msg(msg);
        nats_msg_free(msg);
    }
    done(status);
    nats_future_free(future);
}

#define JS_VERBS VERB(js) VERB(js_call) VERB(js_call_start) VERB(js_call_wait) VERB(js_get_many)

#endif
