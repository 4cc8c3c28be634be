/* The arguments of nats_js_consume(), read from JSON. */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "jetstream/consume.h"
#include "proto/subject.h"

static nats_status wrong(const char *name, const char *what)
{
    return nats__fail(NATS_ERR_INVALID, name, "%s: %s is wanted", name, what);
}

/* ---- one value each; what is not there stays as it was ---- */

static nats_status read_number(const nats__json *args, const char *name, int64_t least,
                               int64_t *out)
{
    const nats__json *value = nats__json_get(args, name);
    if (value == NULL) {
        return NATS_OK;
    }
    if (!nats__json_int(value, out)) {
        return wrong(name, "a whole number");
    }
    return *out >= least ? NATS_OK
                         : nats__fail(NATS_ERR_INVALID, name, "%s is %lld: it must be %lld or more",
                                      name, (long long)*out, (long long)least);
}

static nats_status read_flag(const nats__json *args, const char *name, bool *out)
{
    const nats__json *value = nats__json_get(args, name);
    return value == NULL || nats__json_bool(value, out) ? NATS_OK : wrong(name, "true or false");
}

static nats_status read_text(const nats__json *args, const char *name, char *out, size_t size)
{
    const nats__json *value = nats__json_get(args, name);
    const char *text;
    size_t len;
    if (value == NULL) {
        return NATS_OK;
    }
    if (!nats__json_text(value, &text, &len)) {
        return wrong(name, "a text");
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
static nats_status read_group(const nats__json *args, nats__consume_args *out)
{
    nats_status status = read_text(args, "group", out->group, sizeof out->group);
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

static nats_status read_mode(const nats__json *args, nats__consume_args *out)
{
    static const char *const modes[] = {[NATS_SUB_SHARED] = "shared",
                                        [NATS_SUB_PRIVATE] = "private",
                                        [NATS_SUB_CALLBACK] = "callback"};
    char name[16] = "shared";
    nats_status status = read_text(args, "mode", name, sizeof name);
    while (status == NATS_OK && strcmp(name, modes[out->mode]) != 0) {
        out->mode++; /* it is one of them */
    }
    return status;
}

static nats_status read_config(const nats__json *args, nats__consume_args *out)
{
    const nats__json *config = nats__json_get(args, "config");
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

static nats_status read_numbers(const nats__json *args, nats__consume_args *out)
{
    nats_status status = NATS_OK;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers && status == NATS_OK; i++) {
        int64_t *to = (int64_t *)(void *)((char *)out + numbers[i].at);
        status = read_number(args, numbers[i].name, numbers[i].least, to);
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
                          "threshold_messages is over max_messages");
    }
    if (args->threshold_bytes > 0 && args->threshold_bytes > args->max_bytes) {
        return nats__fail(NATS_ERR_INVALID, "threshold_bytes", "threshold_bytes is over max_bytes");
    }
    return NATS_OK;
}

static nats_status read_all(const nats__json *args, nats__consume_args *out)
{
    nats_status status = read_text(args, "stream", out->stream, sizeof out->stream);
    status = status == NATS_OK
                 ? read_text(args, "consumer", out->consumer, sizeof out->consumer)
                 : status;
    status = status == NATS_OK ? read_numbers(args, out) : status;
    out->expires_ns = nats__js_time(out->expires_ns);
    out->heartbeat_ns = nats__js_time(out->heartbeat_ns);
    status = status == NATS_OK ? read_group(args, out) : status;
    status = status == NATS_OK ? read_flag(args, "no_wait", &out->no_wait) : status;
    status = status == NATS_OK ? read_mode(args, out) : status;
    status = status == NATS_OK ? read_config(args, out) : status;
    return status == NATS_OK ? check(out) : status;
}

static const char *const hows[] = {[NATS__HOW_CONSUME] = "consume",
                                   [NATS__HOW_FETCH] = "fetch",
                                   [NATS__HOW_PUSH] = "push",
                                   [NATS__HOW_ORDERED] = "ordered"};

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
    status = read_all(doc, args);
    nats__json_free(doc);
    return status;
}
