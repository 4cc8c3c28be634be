#include "api/jetstream.h"

#include "jetstream/call.h"
#include "jetstream/keys.h"

nats_status nats__enter_js(const nats_js *js)
{
    return js == NULL ? nats__null_argument("js") : nats__enter_open(js->client);
}

nats_status nats_client_jetstream(nats_client *client, const char *domain, const char *prefix,
                                  int64_t timeout_ms, nats_js **js_out)
{
    if (js_out == NULL) {
        return nats__null_argument("js_out");
    }
    *js_out = NULL;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    return nats__leave(client, nats__js_new(client, domain, prefix, timeout_ms, js_out));
}

void nats_js_free(nats_js *js)
{
    if (js == NULL || nats__enter(js->client) != NATS_OK) {
        return;
    }
    nats_client *client = js->client;
    nats__js_unref(js);
    nats__client_unref(client);
}

/* ---- management ---- */

static nats_status begin_call(nats_js *js, const char *verb, const char *arguments,
                              size_t arguments_len, int64_t timeout_ms, bool one,
                              nats_future **future_out)
{
    nats_status status = nats__enter_js(js);
    if (status != NATS_OK) {
        return status;
    }
    status = verb == NULL ? nats__null_argument("verb")
                          : nats__js_call_start(js, verb, arguments, arguments_len, timeout_ms, one,
                                                future_out);
    return nats__leave(js->client, status);
}

nats_status nats_js_call_start(nats_js *js, const char *verb, const char *arguments,
                               size_t arguments_len, int64_t timeout_ms, nats_future **future_out)
{
    if (future_out == NULL) {
        return nats__null_argument("future_out");
    }
    *future_out = NULL;
    return begin_call(js, verb, arguments, arguments_len, timeout_ms, false, future_out);
}

nats_status nats_js_call(nats_js *js, const char *verb, const char *arguments,
                         size_t arguments_len, int64_t timeout_ms, nats_msg **result_out)
{
    nats_future *future;
    nats_msg *msg = NULL;
    if (result_out != NULL) {
        *result_out = NULL;
    }
    nats_status status =
        begin_call(js, verb, arguments, arguments_len, timeout_ms, true, &future);
    if (status != NATS_OK) {
        return status;
    }
    status = nats_future_wait(future, -1, &msg);
    nats_future_free(future);
    if (result_out != NULL) {
        *result_out = msg;
    } else {
        nats_msg_free(msg);
    }
    return status;
}

const char *nats_js_verb(size_t index)
{
    const nats__js_verb *verb = nats__js_verb_at(index);
    return verb == NULL ? NULL : verb->name;
}

/* ---- what keys are ---- */

/* The kinds of keys.def as bindings see them; of a list, its elements'. */
static int32_t plain_kind(nats__js_kind kind)
{
    switch (kind) {
    case NATS__JS_INT:
        return NATS_JSON_INT;
    case NATS__JS_UINT:
        return NATS_JSON_UINT;
    case NATS__JS_BOOL:
        return NATS_JSON_BOOL;
    case NATS__JS_DURATION:
    case NATS__JS_DURATIONS:
        return NATS_JSON_DURATION;
    case NATS__JS_TIME:
        return NATS_JSON_TIME;
    case NATS__JS_OBJECT:
    case NATS__JS_OBJECTS:
    case NATS__JS_MAP:
    case NATS__JS_CHANGES:
        return NATS_JSON_OBJECT;
    default:
        return NATS_JSON_TEXT;
    }
}

static bool is_list(nats__js_kind kind)
{
    return kind == NATS__JS_TEXTS || kind == NATS__JS_NAMES || kind == NATS__JS_PATTERNS ||
           kind == NATS__JS_DURATIONS || kind == NATS__JS_OBJECTS;
}

int32_t nats_js_key(const char *object, const char *name, int32_t *element_out,
                    const char **object_out)
{
    const nats__js_key *key =
        object != NULL && name != NULL ? nats__js_key_find(object, name) : NULL;
    bool list = key != NULL && is_list(key->kind);
    int32_t kind = key != NULL ? plain_kind(key->kind) : 0;
    if (element_out != NULL) {
        *element_out = list ? kind : 0;
    }
    if (object_out != NULL) {
        *object_out = kind == NATS_JSON_OBJECT ? key->of : NULL;
    }
    return list ? NATS_JSON_ARRAY : kind;
}

const char *nats_js_key_name(const char *object, size_t index)
{
    const nats__js_key *key = object != NULL ? nats__js_key_at(object, index) : NULL;
    return key == NULL ? NULL : key->name;
}
