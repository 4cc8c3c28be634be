/* The reader of JSON: a tree of records beside the parsed document, which tell what the names of
 * JetStream's fields tell. */
#include <polynats/json.h>

#include <stdlib.h>
#include <string.h>

#include "api/enter.h"
#include "jetstream/time.h"
#include "json/json.h"
#include "proto/subject.h"

struct nats_json {
    const nats__json *value;
    const char *name;    /* of a member; NULL otherwise */
    nats_json *children; /* elements or members, one behind the other */
    size_t count;
    int32_t kind;
};

/* The root is first, so that it is freed by its own address. */
typedef struct document {
    nats_json root;
    nats__json *doc;
    nats_json nodes[];
} document;

/* ---- what names tell ---- */

static int compare_names(const void *key, const void *row)
{
    return strcmp(key, *(const char *const *)row);
}

/* In the order of the alphabet; a unit test holds them to keys.def. */
static const char *const durations[] = {
    "ack_wait",       "active",         "backoff",          "duplicate_window",
    "expires",        "idle_heartbeat", "inactive_threshold", "max_age",
    "max_expires",    "pause_remaining", "priority_timeout", "subject_delete_marker_ttl",
};
static const char *const times[] = {
    "created",        "first_ts",    "last_active", "last_ts",    "leader_since",
    "opt_start_time", "pause_until", "pinned_ts",   "start_time", "time",
    "ts",             "up_to_time",
};
/* Their members have names of the user's. */
static const char *const maps[] = {"metadata", "offline", "subjects", "tiers"};

#define IS_AMONG(name, names)                                                           \
    ((name) != NULL && bsearch((name), (names), sizeof(names) / sizeof(names)[0],       \
                               sizeof(names)[0], compare_names) != NULL)

static int32_t kind_of(const nats__json *value, const char *name)
{
    const char *text;
    size_t len;
    int64_t number;
    switch (nats__json_kind_of(value)) {
    case NATS__JSON_BOOL:
        return NATS_JSON_BOOL;
    case NATS__JSON_INT:
        if (!nats__json_int(value, &number)) {
            return NATS_JSON_UINT;
        }
        return IS_AMONG(name, durations) ? NATS_JSON_DURATION : NATS_JSON_INT;
    case NATS__JSON_REAL:
        return NATS_JSON_REAL;
    case NATS__JSON_TEXT:
        nats__json_text(value, &text, &len);
        return IS_AMONG(name, times) && nats__time_read(text, len, &number) != NATS__TIME_NONE
                   ? NATS_JSON_TIME
                   : NATS_JSON_TEXT;
    case NATS__JSON_ARRAY:
        return NATS_JSON_ARRAY;
    case NATS__JSON_OBJECT:
        return NATS_JSON_OBJECT;
    case NATS__JSON_NULL:
        break;
    }
    return NATS_JSON_NULL;
}

/* ---- the tree ---- */

/* All values below one. As deep as the parser lets a text be. */
static size_t count_below(const nats__json *value)
{
    size_t count = nats__json_count(value);
    void *cursor = NULL;
    const char *name;
    const nats__json *member;
    for (size_t i = 0; nats__json_kind_of(value) == NATS__JSON_ARRAY && i < nats__json_count(value);
         i++) {
        count += count_below(nats__json_at(value, i));
    }
    while (nats__json_next(value, &cursor, &name, &member)) {
        count += count_below(member);
    }
    return count;
}

/* A record; name: whose rules hold. Its children come to *free, which moves on. */
static void fill(nats_json *node, const nats__json *value, const char *name, nats_json **free_io)
{
    void *cursor = NULL;
    const char *member;
    const nats__json *child;
    size_t count = nats__json_count(value);
    node->value = value;
    node->kind = kind_of(value, name);
    node->count = count;
    node->children = *free_io;
    *free_io += count;
    for (size_t i = 0; node->kind == NATS_JSON_ARRAY && i < count; i++) {
        fill(&node->children[i], nats__json_at(value, i), name, free_io);
    }
    bool own_names = node->kind == NATS_JSON_OBJECT && IS_AMONG(name, maps);
    for (size_t i = 0; i < count && nats__json_next(value, &cursor, &member, &child); i++) {
        node->children[i].name = member;
        fill(&node->children[i], child, own_names ? NULL : member, free_io);
    }
}

nats_status nats_json_parse(const char *text, size_t len, nats_json **json_out)
{
    if (json_out == NULL || text == NULL) {
        return nats__null_argument(json_out == NULL ? "json_out" : "text");
    }
    *json_out = NULL;
    const char *why;
    nats__json *doc = nats__json_parse(text, nats__text_len(text, len), &why);
    if (doc == NULL) {
        bool no_memory = strcmp(why, "out of memory") == 0;
        return nats__fail(no_memory ? NATS_ERR_NO_MEMORY : NATS_ERR_INVALID, "json", "JSON: %s",
                          why);
    }
    document *made = calloc(1, sizeof *made + count_below(doc) * sizeof(nats_json));
    if (made == NULL) {
        nats__json_free(doc);
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats_json *next = made->nodes;
    made->doc = doc;
    fill(&made->root, doc, NULL, &next);
    *json_out = &made->root;
    return NATS_OK;
}

void nats_json_free(nats_json *json)
{
    if (json != NULL) {
        document *of = (document *)(void *)json;
        nats__json_free(of->doc);
        free(of);
    }
}

/* ---- looking ---- */

int32_t nats_json_kind(const nats_json *value)
{
    return value == NULL ? 0 : value->kind;
}

size_t nats_json_count(const nats_json *value)
{
    return value == NULL ? 0 : value->count;
}

const nats_json *nats_json_get(const nats_json *object, const char *name)
{
    if (name == NULL || nats_json_kind(object) != NATS_JSON_OBJECT) {
        return NULL;
    }
    for (size_t i = 0; i < object->count; i++) {
        if (strcmp(object->children[i].name, name) == 0) {
            return &object->children[i];
        }
    }
    return NULL;
}

const nats_json *nats_json_at(const nats_json *array, size_t index)
{
    bool there = nats_json_kind(array) == NATS_JSON_ARRAY && index < array->count;
    return there ? &array->children[index] : NULL;
}

const nats_json *nats_json_member(const nats_json *object, size_t index, const char **name_out)
{
    bool there = nats_json_kind(object) == NATS_JSON_OBJECT && index < object->count;
    if (name_out != NULL) {
        *name_out = there ? object->children[index].name : NULL;
    }
    return there ? &object->children[index] : NULL;
}

const char *nats_json_text(const nats_json *value, size_t *len_out)
{
    const char *text = NULL;
    size_t len = 0;
    if (value != NULL && !nats__json_text(value->value, &text, &len)) {
        text = NULL;
        len = 0;
    }
    if (len_out != NULL) {
        *len_out = len;
    }
    return text;
}

int32_t nats_json_int(const nats_json *value, int64_t *out)
{
    int64_t number = 0;
    bool on;
    bool is = value != NULL && nats__json_int(value->value, &number);
    if (value != NULL && nats__json_bool(value->value, &on)) {
        number = on;
        is = true;
    }
    if (out != NULL) {
        *out = is ? number : 0;
    }
    return is;
}

int32_t nats_json_uint(const nats_json *value, uint64_t *out)
{
    uint64_t number = 0;
    bool is = value != NULL && nats__json_uint(value->value, &number);
    if (out != NULL) {
        *out = is ? number : 0;
    }
    return is;
}

int32_t nats_json_real(const nats_json *value, double *out)
{
    double number = 0;
    bool is = value != NULL && nats__json_real(value->value, &number);
    if (out != NULL) {
        *out = is ? number : 0;
    }
    return is;
}

int32_t nats_json_time(const nats_json *value, int64_t *ns_out)
{
    int64_t ns = 0;
    size_t len;
    const char *text = nats_json_text(value, &len);
    bool is = text != NULL && nats__time_read(text, len, &ns) == NATS__TIME_READ;
    if (ns_out != NULL) {
        *ns_out = is ? ns : 0;
    }
    return is;
}
