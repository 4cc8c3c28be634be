/* The tables of verbs and keys (verbs.def, keys.def). */
#ifndef NATS_JETSTREAM_KEYS_H
#define NATS_JETSTREAM_KEYS_H

#include <polynats/status.h>

#include <stdbool.h>
#include <stddef.h>

typedef enum nats__js_kind {
    NATS__JS_TEXT,
    NATS__JS_NAME,
    NATS__JS_SUBJECT,
    NATS__JS_PATTERN,
    NATS__JS_CHOICE,
    NATS__JS_INT,
    NATS__JS_UINT,
    NATS__JS_BOOL,
    NATS__JS_DURATION,
    NATS__JS_TIME,
    NATS__JS_OBJECT,
    NATS__JS_TEXTS,
    NATS__JS_NAMES,
    NATS__JS_PATTERNS,
    NATS__JS_DURATIONS,
    NATS__JS_OBJECTS,
    NATS__JS_MAP,
    NATS__JS_CHANGES
} nats__js_kind;

/* A row of keys.def. */
typedef struct nats__js_key {
    const char *object;
    const char *name;
    nats__js_kind kind;
    const char *of;
    int level;
    const char *since;
} nats__js_key;

/* NULL when there is none. */
const nats__js_key *nats__js_key_find(const char *object, const char *name);
/* Key `index` of an object; NULL past the last. */
const nats__js_key *nats__js_key_at(const char *object, size_t index);
/* What it is called on the wire. */
const char *nats__js_key_wire(const nats__js_key *key);
/* INVALID: there is no such key; the text has the nearest. verb, path: where, for the text. */
nats_status nats__js_key_unknown(const char *verb, const char *path, const char *object,
                                 const char *name);

typedef enum nats__js_rule_kind {
    NATS__JS_MUST,
    NATS__JS_NOT_BOTH,
    NATS__JS_NEEDS
} nats__js_rule_kind;

typedef struct nats__js_rule {
    nats__js_rule_kind kind;
    const char *object;
    const char *a;
    const char *b;
} nats__js_rule;

/* NULL past the last of all objects. */
const nats__js_rule *nats__js_rule_at(size_t index);

typedef enum nats__js_flow {
    NATS__JS_ASK,
    NATS__JS_UPSERT,
    NATS__JS_FETCH_OR_MAKE,
    NATS__JS_CHANGE,
    NATS__JS_GET,
    NATS__JS_GET_MANY
} nats__js_flow;

typedef enum nats__js_body {
    NATS__JS_NONE,
    NATS__JS_CONFIG,
    NATS__JS_CONSUMER,
    NATS__JS_REST,
    NATS__JS_CHANGED,
    NATS__JS_SEALED
} nats__js_body;

/* A row of verbs.def. */
typedef struct nats__js_verb {
    const char *name;
    const char *subject;
    nats__js_flow flow;
    nats__js_body body;
    int level;
    const char *since;
} nats__js_verb;

const nats__js_verb *nats__js_verb_at(size_t index); /* NULL past the last */
/* INVALID: there is none such; the text has the nearest. */
nats_status nats__js_verb_find(const char *name, const nats__js_verb **out);

#endif
