/* The arguments of nats_js_consume(), read from JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/consume.h"
#include "jetstream/keys.h"
#include "proto/subject.h"

static const char *const hows[] = {[NATS__HOW_CONSUME] = "consume",
                                   [NATS__HOW_FETCH] = "fetch",
                                   [NATS__HOW_PUSH] = "push",
                                   [NATS__HOW_ORDERED] = "ordered"};

/* What is read: the arguments by the names that they have here, and as they were given. */
typedef struct source {
    const char *how; /* the object of keys.def */
    const nats__json *args;
    const char *text;
    size_t len;
} source;

/* The name by which an argument was given, which is what errors are about. */
static const char *called(const source *from, const char *name)
{
    const char *found = name;
    nats__json *given = from->len > 0 ? nats__json_parse(from->text, from->len, NULL) : NULL;
    const nats__js_key *key;
    for (size_t i = 0; (key = nats__js_key_at(from->how, i)) != NULL; i++) {
        if (strcmp(nats__js_key_wire(key), name) == 0 &&
            nats__json_kind_of(nats__json_get(given, key->name)) != NATS__JSON_NULL) {
            found = key->name;
        }
    }
    nats__json_free(given);
    return found;
}

static nats_status wrong(const source *from, const char *name, const char *what)
{
    name = called(from, name);
    return nats__fail(NATS_ERR_INVALID, name, "%s: %s is wanted", name, what);
}

/* ---- one value each; what is not there stays as it was ---- */

static nats_status read_number(const source *from, const char *name, int64_t least, int64_t *out)
{
    const nats__json *value = nats__json_get(from->args, name);
    if (value == NULL) {
        return NATS_OK;
    }
    if (!nats__json_int(value, out)) {
        return wrong(from, name, "a whole number");
    }
    if (*out >= least) {
        return NATS_OK;
    }
    name = called(from, name);
    return nats__fail(NATS_ERR_INVALID, name, "%s is %lld: it must be %lld or more", name,
                      (long long)*out, (long long)least);
}

static nats_status read_flag(const source *from, const char *name, bool *out)
{
    const nats__json *value = nats__json_get(from->args, name);
    return value == NULL || nats__json_bool(value, out) ? NATS_OK
                                                        : wrong(from, name, "true or false");
}

static nats_status read_text(const source *from, const char *name, char *out, size_t size)
{
    const nats__json *value = nats__json_get(from->args, name);
    const char *text;
    size_t len;
    if (value == NULL) {
        return NATS_OK;
    }
    if (!nats__json_text(value, &text, &len)) {
        return wrong(from, name, "a text");
    }
    if (len >= size) {
        return nats__fail(NATS_ERR_INVALID, name, "%s has %zu bytes, over %zu", name, len,
                          size - 1);
    }
    memcpy(out, text, len);
    out[len] = '\0';
    return NATS_OK;
}

/* Of a priority group (ADR-42): it stands in requests as it is. */
static nats_status read_group(const source *from, nats__consume_args *out)
{
    nats_status status = read_text(from, "group", out->group, sizeof out->group);
    for (const char *at = out->group; status == NATS_OK && *at != '\0'; at++) {
        bool plain = (*at >= '0' && *at <= '9') || (*at >= 'a' && *at <= 'z') ||
                     (*at >= 'A' && *at <= 'Z') || strchr("-_/=", *at) != NULL;
        if (!plain) {
            return nats__fail(NATS_ERR_INVALID, "group",
                              "group: letters, digits and - _ / = are wanted");
        }
    }
    return status;
}

static nats_status read_mode(const source *from, nats__consume_args *out)
{
    static const char *const modes[] = {[NATS_SUB_SHARED] = "shared",
                                        [NATS_SUB_PRIVATE] = "private",
                                        [NATS_SUB_CALLBACK] = "callback"};
    char name[16] = "shared";
    nats_status status = read_text(from, "mode", name, sizeof name);
    while (status == NATS_OK && strcmp(name, modes[out->mode]) != 0) {
        out->mode++; /* it is one of them */
    }
    return status;
}

static nats_status read_config(const source *from, nats__consume_args *out)
{
    const nats__json *config = nats__json_get(from->args, "config");
    if (config == NULL) {
        return NATS_OK;
    }
    out->config = nats__json_write(config);
    return out->config != NULL ? NATS_OK : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

/* ---- all of them ---- */

typedef struct number {
    const char *name;
    size_t at; /* in nats__consume_args */
    int64_t least;
} number;

static const number numbers[] = {
    {"max_messages", offsetof(nats__consume_args, max_messages), 1},
    {"max_bytes", offsetof(nats__consume_args, max_bytes), 1},
    {"threshold_messages", offsetof(nats__consume_args, threshold_messages), 1},
    {"threshold_bytes", offsetof(nats__consume_args, threshold_bytes), 1},
    {"expires", offsetof(nats__consume_args, expires_ns), 1},
    {"idle_heartbeat", offsetof(nats__consume_args, heartbeat_ns), 0},
    {"min_pending", offsetof(nats__consume_args, min_pending), 1},
    {"min_ack_pending", offsetof(nats__consume_args, min_ack_pending), 1},
    {"priority", offsetof(nats__consume_args, priority), 0},
    {"pending_msgs", offsetof(nats__consume_args, pending_msgs), -1},
    {"pending_bytes", offsetof(nats__consume_args, pending_bytes), -1},
};

static nats_status read_numbers(const source *from, nats__consume_args *out)
{
    nats_status status = NATS_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == NATS_OK; i++) {
        int64_t *to = (int64_t *)(void *)((char *)out + numbers[i].at);
        status = read_number(from, numbers[i].name, numbers[i].least, to);
    }
    return status;
}

/* What goes with what. */
static nats_status check(const nats__consume_args *args)
{
    if (args->how == NATS__HOW_PUSH && (args->consumer[0] != '\0') == (args->config != NULL)) {
        return nats__fail(NATS_ERR_INVALID, "consumer",
                          "push: consumer (one that is there) or config (to make one) is wanted");
    }
    if (args->priority > 9) {
        return nats__fail(NATS_ERR_INVALID, "priority", "priority is %lld: 0 to 9 is wanted",
                          (long long)args->priority);
    }
    if (args->threshold_messages > 0 && args->max_messages > 0 &&
        args->threshold_messages > args->max_messages) {
        return nats__fail(NATS_ERR_INVALID, "threshold_messages",
                          "threshold_messages (%lld) is over max_messages (%lld)",
                          (long long)args->threshold_messages, (long long)args->max_messages);
    }
    if (args->threshold_bytes > 0 && args->threshold_bytes > args->max_bytes) {
        return nats__fail(NATS_ERR_INVALID, "threshold_bytes",
                          "threshold_bytes (%lld) is over max_bytes (%lld)",
                          (long long)args->threshold_bytes, (long long)args->max_bytes);
    }
    return NATS_OK;
}

static double seconds(int64_t ns)
{
    return (double)ns / 1e9;
}

/* Who pulls without end asks again each time that a request is over. A fetch is over with its time. */
static nats_status check_expires(const source *from, const nats__consume_args *args)
{
    bool endless = args->how == NATS__HOW_CONSUME || args->how == NATS__HOW_ORDERED;
    if (!endless || args->expires_ns == 0 || args->expires_ns >= NATS__PULL_EXPIRES_MIN_NS) {
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_INVALID, "expires",
                      "%s: %s is %lld ns: it must be %lld ns (1 ms) or more",
                      hows[args->how], called(from, "expires"), (long long)args->expires_ns,
                      (long long)NATS__PULL_EXPIRES_MIN_NS);
}

/* The server wants heartbeats to come twice in a request's time, at least. */
static nats_status check_heartbeat(const source *from, const nats__consume_args *args)
{
    const char *how = hows[args->how];
    bool endless = args->how == NATS__HOW_CONSUME || args->how == NATS__HOW_ORDERED;
    int64_t usual_ns = endless ? NATS__PULL_EXPIRES_NS : 0;
    int64_t expires_ns = args->expires_ns > 0 ? args->expires_ns : usual_ns;
    if (expires_ns > 0 && args->heartbeat_ns > expires_ns / 2) {
        const char *name = called(from, "idle_heartbeat");
        return nats__fail(NATS_ERR_INVALID, name, "%s: %s (%g s) is over half of %s (%g s)", how,
                          name, seconds(args->heartbeat_ns), called(from, "expires"),
                          seconds(expires_ns));
    }
    if (endless && args->heartbeat_ns < 0 && expires_ns / 2 < NATS__PULL_HEARTBEAT_MIN_NS) {
        return nats__fail(NATS_ERR_INVALID, "expires",
                          "%s: expires (%g s) is less than two of the usual heartbeats (%g s): "
                          "name a heartbeat of half of it, or less, or 0 for none",
                          how, seconds(expires_ns), seconds(NATS__PULL_HEARTBEAT_MIN_NS));
    }
    return NATS_OK;
}

static nats_status read_all(const source *from, nats__consume_args *out)
{
    nats_status status = read_text(from, "stream", out->stream, sizeof out->stream);
    status = status == NATS_OK
                 ? read_text(from, "consumer", out->consumer, sizeof out->consumer)
                 : status;
    status = status == NATS_OK ? read_numbers(from, out) : status;
    out->expires_ns = nats__js_time(out->expires_ns);
    out->heartbeat_ns = nats__js_time(out->heartbeat_ns);
    status = status == NATS_OK ? read_group(from, out) : status;
    status = status == NATS_OK ? read_flag(from, "no_wait", &out->no_wait) : status;
    status = status == NATS_OK ? read_mode(from, out) : status;
    status = status == NATS_OK ? read_config(from, out) : status;
    status = status == NATS_OK ? check(out) : status;
    status = status == NATS_OK ? check_expires(from, out) : status;
    return status == NATS_OK ? check_heartbeat(from, out) : status;
}

const char *nats__how_name(nats__how how)
{
    return hows[how];
}

static nats_status find_how(const char *how, nats__how *out)
{
    for (size_t i = 0; how != NULL && i < sizeof hows / sizeof *hows; i++) {
        if (strcmp(how, hows[i]) == 0) {
            *out = (nats__how)i;
            return NATS_OK;
        }
    }
    return nats__fail(NATS_ERR_INVALID, "how",
                      "how '%s' is none of consume, fetch, push and ordered",
                      how != NULL ? how : "");
}

/* The rules of a consumer that delivers by itself ask for a deliver_subject; where the caller has
 * none, the inbox will be. NULL: it is none that can be read, as nats__js_shape() will tell. */
static char *with_deliver_subject(const char *text, size_t len)
{
    nats__json *doc = nats__json_parse(text, len, NULL);
    nats__json *config = (nats__json *)nats__json_get(doc, "config");
    bool lacks = nats__json_kind_of(config) == NATS__JSON_OBJECT &&
                 nats__js_is_nothing(nats__json_get(config, "deliver_subject"));
    if (lacks) {
        nats__json_set_text(config, "deliver_subject", NATS__PUSH_INBOX, strlen(NATS__PUSH_INBOX));
    }
    char *made = lacks ? nats__json_write(doc) : NULL;
    nats__json_free(doc);
    return made;
}

nats_status nats__consume_args_read(nats__consume_args *args, const char *how, const char *text,
                                    size_t len)
{
    nats__json *doc;
    *args = (nats__consume_args){.heartbeat_ns = -1, .priority = -1};
    nats_status status = find_how(how, &args->how);
    if (status != NATS_OK) {
        return status;
    }
    len = text != NULL ? nats__text_len(text, len) : 0;
    char *more = args->how == NATS__HOW_PUSH && len > 0 ? with_deliver_subject(text, len) : NULL;
    status = nats__js_shape(how, how, more != NULL ? more : text, more != NULL ? NATS_Z : len,
                            &args->needs, &doc);
    free(more);
    if (status != NATS_OK) {
        return status;
    }
    status = read_all(&(source){hows[args->how], doc, text, len}, args);
    nats__json_free(doc);
    return status;
}
