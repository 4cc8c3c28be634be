#include "jetstream/keys.h"

#include <string.h>

#include "base/error.h"
#include "proto/options.h"

enum {
    NAMES_MAX = 64, /* of one object, to look for the nearest; a unit test holds them to it */
    CUT_MIN = 4     /* letters of a name that was cut */
};

/* Each .def has rows of several kinds: a table is made of one of them. */
#define KEY(object, name, kind, of, level, since, doc) \
    {#object, #name, NATS__JS_##kind, of, level, since},
#define MUST(object, name)
#define NOT_BOTH(object, a, b)
#define NEEDS(object, a, b)
#define ALIAS(object, name, wire)
static const nats__js_key keys[] = {
#include "jetstream/keys.def"
};
#undef KEY
#undef MUST
#undef NOT_BOTH
#undef NEEDS
#undef ALIAS

#define KEY(object, name, kind, of, level, since, doc)
#define MUST(object, name) {NATS__JS_MUST, #object, #name, ""},
#define NOT_BOTH(object, a, b) {NATS__JS_NOT_BOTH, #object, #a, #b},
#define NEEDS(object, a, b) {NATS__JS_NEEDS, #object, #a, #b},
#define ALIAS(object, name, wire)
static const nats__js_rule rules[] = {
#include "jetstream/keys.def"
};
#undef MUST
#undef NOT_BOTH
#undef NEEDS
#undef ALIAS

typedef struct alias {
    const char *object;
    const char *name;
    const char *wire;
} alias;

#define MUST(object, name)
#define NOT_BOTH(object, a, b)
#define NEEDS(object, a, b)
#define ALIAS(object, name, wire) {#object, #name, wire},
static const alias aliases[] = {
#include "jetstream/keys.def"
};

static const nats__js_verb verbs[] = {
#define VERB(name, subject, flow, body, level, since, doc) \
    {#name, subject, NATS__JS_##flow, NATS__JS_##body, level, since},
#include "jetstream/verbs.def"
#undef VERB
};

enum {
    KEY_COUNT = sizeof keys / sizeof keys[0],
    RULE_COUNT = sizeof rules / sizeof rules[0],
    ALIAS_COUNT = sizeof aliases / sizeof aliases[0],
    VERB_COUNT = sizeof verbs / sizeof verbs[0]
};

const nats__js_key *nats__js_key_find(const char *object, const char *name)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].object, object) == 0 && strcmp(keys[i].name, name) == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

const nats__js_key *nats__js_key_at(const char *object, size_t index)
{
    for (size_t i = 0; i < KEY_COUNT; i++) {
        if (strcmp(keys[i].object, object) == 0 && index-- == 0) {
            return &keys[i];
        }
    }
    return NULL;
}

const char *nats__js_key_wire(const nats__js_key *key)
{
    for (size_t i = 0; i < ALIAS_COUNT; i++) {
        const alias *at = &aliases[i];
        if (strcmp(at->object, key->object) == 0 && strcmp(at->name, key->name) == 0) {
            return at->wire;
        }
    }
    return key->name;
}

/* Whether it is the known name with its words spelt out, as other clients have them: "max_messages" is
 * max_msgs, "start_sequence" is opt_start_seq. */
static bool spelt_out(const char *name, const char *known)
{
    static const char *const words[][2] = {{"message", "msg"}, {"sequence", "seq"}};
    known += strncmp(known, "opt_", 4) == 0 && strncmp(name, "opt_", 4) != 0 ? 4 : 0;
    while (*name != '\0' && *known != '\0') {
        size_t long_len = 1, short_len = 1;
        for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
            if (strncmp(name, words[i][0], strlen(words[i][0])) == 0 &&
                strncmp(known, words[i][1], strlen(words[i][1])) == 0) {
                long_len = strlen(words[i][0]);
                short_len = strlen(words[i][1]);
            }
        }
        if (long_len == 1 && *name != *known) {
            return false;
        }
        name += long_len;
        known += short_len;
    }
    return *name == *known;
}

/* A name that is spelt out, or is not; else by letters; else one that was cut or has too much: "durable". */
static const char *nearest_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (spelt_out(name, names[i]) || spelt_out(names[i], name)) {
            return names[i];
        }
    }
    const char *nearest = count > 0 ? nats__nearest_name(name, names, count) : NULL;
    for (size_t i = 0; nearest == NULL && strlen(name) >= CUT_MIN && i < count; i++) {
        size_t len = strlen(names[i]);
        len = strlen(name) < len ? strlen(name) : len;
        nearest = strncmp(names[i], name, len) == 0 ? names[i] : NULL;
    }
    return nearest;
}

/* The object inside this one that has such a key: "config", for the name of a stream; NULL: none. */
static const char *home_of(const char *object, const char *name)
{
    const nats__js_key *key;
    for (size_t i = 0; (key = nats__js_key_at(object, i)) != NULL; i++) {
        bool inside = key->kind == NATS__JS_OBJECT || key->kind == NATS__JS_CHANGES;
        if (inside && nats__js_key_find(key->of, name) != NULL) {
            return key->name;
        }
    }
    return NULL;
}

nats_status nats__js_key_unknown(const char *verb, const char *path, const char *object,
                                 const char *name)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    const nats__js_key *key;
    while (count < NAMES_MAX && (key = nats__js_key_at(object, count)) != NULL) {
        names[count++] = key->name;
    }
    const char *home = home_of(object, name);
    const char *nearest = nearest_of(name, names, count);
    const char *where = path[0] == '\0' ? "" : " in ";
    if (home != NULL) {
        return nats__fail(NATS_ERR_INVALID, name, "%s: unknown key '%.64s'%s%s: it belongs in '%s'",
                          verb, name, where, path, home);
    }
    if (nearest == NULL) {
        return nats__fail(NATS_ERR_INVALID, name, "%s: unknown key '%.64s'%s%s", verb, name, where,
                          path);
    }
    return nats__fail(NATS_ERR_INVALID, name, "%s: unknown key '%.64s'%s%s: did you mean '%s'?",
                      verb, name, where, path, nearest);
}

const nats__js_rule *nats__js_rule_at(size_t index)
{
    return index < RULE_COUNT ? &rules[index] : NULL;
}

const nats__js_verb *nats__js_verb_at(size_t index)
{
    return index < VERB_COUNT ? &verbs[index] : NULL;
}

nats_status nats__js_verb_find(const char *name, const nats__js_verb **out)
{
    const char *names[VERB_COUNT];
    for (size_t i = 0; i < VERB_COUNT; i++) {
        names[i] = verbs[i].name;
        if (strcmp(verbs[i].name, name) == 0) {
            *out = &verbs[i];
            return NATS_OK;
        }
    }
    const char *nearest = nats__nearest_name(name, names, VERB_COUNT);
    if (nearest == NULL) {
        return nats__fail(NATS_ERR_INVALID, "verb", "unknown verb '%.64s'", name);
    }
    return nats__fail(NATS_ERR_INVALID, "verb", "unknown verb '%.64s': did you mean '%s'?", name,
                      nearest);
}
