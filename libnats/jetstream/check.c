#include "jetstream/check.h"

#include <string.h>

#include "base/error.h"
#include "jetstream/keys.h"
#include "jetstream/shape.h"

typedef struct object {
    const char *verb;
    const char *path;
    const nats__json *given;
    const nats__json *fresh; /* what of it is new; NULL: all */
} object;

/* A member that says something: one that is off, or empty, contradicts nobody. */
static bool has(const object *of, const char *name)
{
    return !nats__js_is_nothing(nats__json_get(of->given, name));
}

static const char *dot(const object *of)
{
    return of->path[0] == '\0' ? "" : ".";
}

static bool is_text(const object *of, const char *name, const char *wanted)
{
    const char *text;
    size_t len;
    return nats__json_text(nats__json_get(of->given, name), &text, &len) &&
           strcmp(text, wanted) == 0;
}

/* A rule about what was there before, and is as it was, is not ours to enforce. */
static bool is_new(const object *of, const char *a, const char *b)
{
    return of->fresh == NULL || nats__json_get(of->fresh, a) != NULL ||
           nats__json_get(of->fresh, b) != NULL;
}

static nats_status both(const object *of, const char *a, const char *b)
{
    if (of->fresh != NULL) { /* two new ones were refused before */
        bool a_is_new = nats__json_get(of->fresh, a) != NULL;
        const char *given = a_is_new ? a : b;
        return nats__fail(NATS_ERR_INVALID, given, "%s: %s%s%s cannot be given: there is %s",
                          of->verb, of->path, dot(of), given, a_is_new ? b : a);
    }
    return nats__fail(NATS_ERR_INVALID, a, "%s: %s%s%s and %s cannot both be given", of->verb,
                      of->path, dot(of), a, b);
}

static nats_status lacks(const object *of, const char *a, const char *b)
{
    return nats__fail(NATS_ERR_INVALID, a, "%s: %s%s%s needs %s", of->verb, of->path, dot(of), a,
                      b);
}

static nats_status check_rule(const object *of, const nats__js_rule *rule)
{
    if (!is_new(of, rule->a, rule->b)) {
        return NATS_OK;
    }
    switch (rule->kind) {
    case NATS__JS_MUST:
        if (nats__json_kind_of(nats__json_get(of->given, rule->a)) == NATS__JSON_NULL) {
            return nats__fail(NATS_ERR_INVALID, rule->a, "%s: %s%s%s is not given", of->verb,
                              of->path, dot(of), rule->a);
        }
        return NATS_OK;
    case NATS__JS_NOT_BOTH:
        return has(of, rule->a) && has(of, rule->b) ? both(of, rule->a, rule->b) : NATS_OK;
    case NATS__JS_NEEDS:
        return has(of, rule->a) && !has(of, rule->b) ? lacks(of, rule->a, rule->b) : NATS_OK;
    }
    return NATS_OK;
}

/* ---- what is no rule of two names ---- */

static nats_status check_stream(const object *of)
{
    static const char *const key = "discard_new_per_subject";
    if (!has(of, key)) {
        return NATS_OK;
    }
    if (is_new(of, key, "discard") && !is_text(of, "discard", "new")) {
        return lacks(of, key, "discard \"new\"");
    }
    return is_new(of, key, "max_msgs_per_subject") && !has(of, "max_msgs_per_subject")
               ? lacks(of, key, "max_msgs_per_subject")
               : NATS_OK;
}

/* Each start goes with its policy. */
static nats_status check_start(const object *of)
{
    if (has(of, "opt_start_seq") != is_text(of, "deliver_policy", "by_start_sequence")) {
        return has(of, "opt_start_seq")
                   ? lacks(of, "opt_start_seq", "deliver_policy \"by_start_sequence\"")
                   : lacks(of, "deliver_policy", "opt_start_seq");
    }
    if (has(of, "opt_start_time") != is_text(of, "deliver_policy", "by_start_time")) {
        return has(of, "opt_start_time")
                   ? lacks(of, "opt_start_time", "deliver_policy \"by_start_time\"")
                   : lacks(of, "deliver_policy", "opt_start_time");
    }
    return NATS_OK;
}

static nats_status check_consumer(const object *of)
{
    const char *name;
    const char *durable;
    if (nats__json_text(nats__json_get(of->given, "name"), &name, NULL) &&
        nats__json_text(nats__json_get(of->given, "durable_name"), &durable, NULL) &&
        strcmp(name, durable) != 0) {
        return nats__fail(NATS_ERR_INVALID, "name", "%s: %s%sname and durable_name are different",
                          of->verb, of->path, dot(of));
    }
    int64_t deliveries;
    size_t backoffs = nats__json_count(nats__json_get(of->given, "backoff"));
    if (nats__json_int(nats__json_get(of->given, "max_deliver"), &deliveries) && deliveries > 0 &&
        backoffs > (uint64_t)deliveries) {
        return nats__fail(NATS_ERR_INVALID, "backoff",
                          "%s: %s%sbackoff has %zu times, and max_deliver is %lld", of->verb,
                          of->path, dot(of), backoffs, (long long)deliveries);
    }
    return check_start(of);
}

static nats_status check_get(const object *of)
{
    if (has(of, "seq") || has(of, "last_by_subj") || has(of, "next_by_subj") ||
        has(of, "start_time")) {
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_INVALID, "seq",
                      "%s: none of seq, last_by_subj, next_by_subj and start_time is given",
                      of->verb);
}

static nats_status check_get_many(const object *of)
{
    if (has(of, "batch") || has(of, "multi_last")) {
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_INVALID, "batch", "%s: neither batch nor multi_last is given",
                      of->verb);
}

typedef struct check {
    const char *object;
    nats_status (*run)(const object *of);
} check;

static const check checks[] = {
    {"stream_config", check_stream},
    {"consumer_config", check_consumer},
    {"get_message", check_get},
    {"get_messages", check_get_many},
};

static nats_status check_all(const object *of, const char *name)
{
    nats_status status = NATS_OK;
    const nats__js_rule *rule;
    for (size_t i = 0; status == NATS_OK && (rule = nats__js_rule_at(i)) != NULL; i++) {
        if (strcmp(rule->object, name) == 0) {
            status = check_rule(of, rule);
        }
    }
    for (size_t i = 0; status == NATS_OK && i < sizeof checks / sizeof checks[0]; i++) {
        if (strcmp(checks[i].object, name) == 0) {
            status = checks[i].run(of);
        }
    }
    return status;
}

nats_status nats__js_check(const char *verb, const char *path, const char *name,
                           const nats__json *given)
{
    const object of = {verb, path, given, NULL};
    return check_all(&of, name);
}

nats_status nats__js_check_some(const char *verb, const char *path, const char *name,
                                const nats__json *given)
{
    const object of = {verb, path, given, NULL};
    nats_status status = NATS_OK;
    const nats__js_rule *rule;
    for (size_t i = 0; status == NATS_OK && (rule = nats__js_rule_at(i)) != NULL; i++) {
        if (strcmp(rule->object, name) == 0 && rule->kind == NATS__JS_NOT_BOTH) {
            status = check_rule(&of, rule);
        }
    }
    return status;
}

nats_status nats__js_check_new(const char *verb, const char *path, const char *name,
                               const nats__json *all, const nats__json *given)
{
    const object of = {verb, path, all, given};
    return check_all(&of, name);
}
