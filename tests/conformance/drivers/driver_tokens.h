/* The part of the C driver that every verb needs: tokens, handles by name, and answers. It is
 * included once, by driver.c. */
#ifndef CONFORMANCE_DRIVER_TOKENS_H
#define CONFORMANCE_DRIVER_TOKENS_H

#include <polynats.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef enum kind { CLIENT, SUB, FUTURE, MSG, PROTO, JS, PUBLISHER, BATCH } kind;

/* A handle by the name that the case gave it. */
typedef struct handle {
    char *name;
    kind kind;
    void *object;
    int64_t now_ns; /* PROTO: its clock */
    struct handle *next;
} handle;

/* A command: words, and key=value options. */
typedef struct driver {
    char **words;
    size_t word_count;
    char **options;
    size_t option_count;
    size_t room;
    handle *handles;
} driver;

/* Bytes that a token stands for; at is NULL for "-". */
typedef struct text {
    char *at;
    size_t len;
} text;

static void die(const char *what, const char *about)
{
    fprintf(stderr, "driver: %s: %s\n", what, about);
    exit(2);
}

/* ---- tokens ---- */

static int hex(char c)
{
    return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

/* Decodes in place: each token is asked for once. */
static text decode(char *token)
{
    if (token == NULL || strcmp(token, "-") == 0) {
        return (text){NULL, 0};
    }
    if (strcmp(token, "\"\"") == 0) {
        token[0] = '\0';
    }
    char *to = token;
    for (char *from = token; *from != '\0'; from++) {
        if (*from == '%') {
            *to++ = (char)(hex(from[1]) * 16 + hex(from[2]));
            from += 2;
        } else {
            *to++ = *from;
        }
    }
    *to = '\0';
    return (text){token, (size_t)(to - token)};
}

static void put_bytes(const char *at, size_t len)
{
    if (at == NULL || len == 0) {
        fputs(at == NULL ? "-" : "\"\"", stdout);
        return;
    }
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)at[i];
        bool absent = len == 1 && byte == '-';
        if (byte > 0x20 && byte < 0x7f && strchr("%\",=", byte) == NULL && !absent) {
            putchar(byte);
        } else {
            printf("%%%02x", byte);
        }
    }
}

static void put(const char *at, size_t len)
{
    putchar(' ');
    put_bytes(at, len);
}

static void put_text(const char *at)
{
    put(at, at == NULL ? 0 : strlen(at));
}

static char *raw_word(driver *d, size_t index)
{
    if (index + 1 >= d->word_count) {
        die("too few words", d->words[0]);
    }
    return d->words[index + 1];
}

static text word(driver *d, size_t index)
{
    return decode(raw_word(d, index));
}

/* The value of an option, NULL when it was not given. */
static char *option(driver *d, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 0; i < d->option_count; i++) {
        if (strncmp(d->options[i], key, len) == 0 && d->options[i][len] == '=') {
            return d->options[i] + len + 1;
        }
    }
    return NULL;
}

static int64_t number(driver *d, const char *key, int64_t absent)
{
    char *value = option(d, key);
    return value == NULL ? absent : strtoll(value, NULL, 10);
}

/* ---- handles ---- */

static void release(handle *h)
{
    switch (h->kind) {
    case CLIENT:
        nats_client_free(h->object);
        break;
    case SUB:
        nats_sub_free(h->object);
        break;
    case FUTURE:
        nats_future_free(h->object);
        break;
    case MSG:
        nats_msg_free(h->object);
        break;
    case PROTO:
        nats_proto_free(h->object);
        break;
    case JS:
        nats_js_free(h->object);
        break;
    case PUBLISHER:
        nats_js_publisher_free(h->object);
        break;
    case BATCH:
        nats_js_batch_free(h->object);
        break;
    }
    free(h->name);
    free(h);
}

static void forget(driver *d, const char *name)
{
    for (handle **at = &d->handles; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->name, name) == 0) {
            handle *gone = *at;
            *at = gone->next;
            release(gone);
            return;
        }
    }
}

static void keep(driver *d, const char *name, kind kind, void *object)
{
    forget(d, name);
    handle *h = calloc(1, sizeof *h);
    if (h == NULL || (h->name = strdup(name)) == NULL) {
        die("no memory", name);
    }
    h->kind = kind;
    h->object = object;
    h->next = d->handles;
    d->handles = h;
}

static handle *find(driver *d, size_t index, kind kind)
{
    const char *name = raw_word(d, index);
    for (handle *h = d->handles; h != NULL; h = h->next) {
        if (strcmp(h->name, name) == 0 && h->kind == kind) {
            return h;
        }
    }
    die("no such handle", name);
    return NULL;
}

static nats_client *client(driver *d)
{
    return find(d, 0, CLIENT)->object;
}

/* ---- answers ---- */

static bool failed(nats_status status)
{
    if (status == NATS_OK) {
        return false;
    }
    printf("err %s", nats_status_name(status));
    if (nats_last_err_code() != 0) {
        printf(" %d", nats_last_err_code());
    }
    putchar('\n');
    return true;
}

static void done(nats_status status)
{
    if (!failed(status)) {
        puts("ok");
    }
}

static void put_headers(const nats_msg *msg)
{
    size_t cursor = 0;
    const char *key;
    const char *value;
    size_t key_len;
    size_t value_len;
    char before = ' ';
    while (nats_msg_next_header(msg, &cursor, &key, &key_len, &value, &value_len)) {
        putchar(before);
        put_bytes(key, key_len);
        putchar('=');
        put_bytes(value, value_len);
        before = ',';
    }
    if (before == ' ') {
        fputs(" -", stdout);
    }
}

static void put_msg(const nats_msg *msg)
{
    size_t len;
    const char *at = nats_msg_subject(msg, &len);
    fputs("msg", stdout);
    put(at, len);
    at = nats_msg_reply(msg, &len);
    put(at, len);
    put_headers(msg);
    at = nats_msg_data(msg, &len);
    put(at, len);
    if (nats_msg_status(msg) != 0) {
        printf(" %d", nats_msg_status(msg));
        at = nats_msg_description(msg, &len);
        put(at, len);
    }
    putchar('\n');
}

/* What a call that takes messages gave: a line for each. */
static void answer_batch(nats_status status, nats_msg **batch, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put_msg(batch[i]);
    }
    if (!failed(status) && count == 0) {
        puts("none");
    }
    nats_msg_free_many(batch, count);
}

/* One message, or NULL for none; kept when the case gave it a name. */
static void answer_msg(driver *d, nats_status status, nats_msg *msg)
{
    if (failed(status)) {
        return;
    }
    if (msg == NULL) {
        puts("none");
        return;
    }
    put_msg(msg);
    char *name = option(d, "as");
    if (name != NULL) {
        keep(d, name, MSG, msg);
    } else {
        nats_msg_free(msg);
    }
}

/* headers=K=v,K=v; false when the library refuses a pair, and then the answer was given. */
static bool read_headers(driver *d, nats_headers **out)
{
    *out = NULL;
    char *rest = option(d, "headers");
    if (rest == NULL) {
        return true;
    }
    nats_headers_new(out);
    while (rest != NULL) {
        char *pair = strsep(&rest, ",");
        char *value = pair;
        text key = decode(strsep(&value, "="));
        text val = decode(value);
        if (failed(nats_headers_add(*out, key.at, key.len, val.at, val.len))) {
            nats_headers_free(*out);
            return false;
        }
    }
    return true;
}

static bool read_options(driver *d, nats_options **out)
{
    nats_options_new(out);
    for (size_t i = 0; i < d->option_count; i++) {
        char *value = d->options[i];
        const char *name = strsep(&value, "=");
        text val = decode(value);
        if (failed(nats_options_set_text(*out, name, val.at, val.len))) {
            nats_options_free(*out);
            return false;
        }
    }
    return true;
}

/* The fields of an INFO that the case asks for; "json" is all of it. */
static void put_fields(driver *d, const nats_info *info)
{
    fputs("ok", stdout);
    for (size_t i = 2; i < d->word_count; i++) {
        size_t len = 0;
        const char *value = strcmp(d->words[i], "json") == 0
                                ? nats_info_json(info, &len)
                                : nats_info_text(info, d->words[i], &len);
        put(value, len);
    }
    putchar('\n');
}

#endif
