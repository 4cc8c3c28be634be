/* What the library tells, as dicts: events, INFO, counters, options. */
#include "tnats.h"

#include <string.h>

/* More counters than the library has. */
#define STATS_MAX 64

static void put(Tcl_Obj *dict, tnats_state *state, enum tnats_key key, Tcl_Obj *value)
{
    Tcl_DictObjPut(NULL, dict, state->keys[key], value);
}

static void put_text(Tcl_Obj *dict, tnats_state *state, enum tnats_key key, const char *text)
{
    if (text[0] != '\0') {
        put(dict, state, key, tnats_word_new(text));
    }
}

static void put_named(Tcl_Obj *dict, const char *name, Tcl_Obj *value)
{
    Tcl_DictObjPut(NULL, dict, Tcl_NewStringObj(name, -1), value);
}

/* ---- events ---- */

Tcl_Obj *tnats_event_new(tnats_state *state, const nats_event *event)
{
    int32_t type = nats_event_type(event);
    Tcl_Obj *dict = Tcl_NewDictObj();
    put(dict, state, TNATS_TYPE, tnats_word_new(nats_event_name(event)));
    put(dict, state, TNATS_TEXT, tnats_word_new(nats_event_text(event)));
    put(dict, state, TNATS_TIME, Tcl_NewDoubleObj((double)nats_event_time_ns(event) / 1e9));
    put(dict, state, TNATS_LEVEL, tnats_word_new(nats_level_name(nats_event_level(event))));
    put(dict, state, TNATS_LINE, tnats_word_new(nats_event_line(event)));
    put_text(dict, state, TNATS_URL, nats_event_url(event));
    put_text(dict, state, TNATS_SUBJECT, nats_event_subject(event));
    if (nats_event_status(event) != NATS_OK) {
        put_text(dict, state, TNATS_STATUS, nats_status_name(nats_event_status(event)));
    }
    if (nats_event_kind(event) != NATS_KIND_NONE) {
        put_text(dict, state, TNATS_KIND, nats_kind_name(nats_event_kind(event)));
    }
    if (type == NATS_EVENT_ERROR) {
        put(dict, state, TNATS_RECOVERABLE, Tcl_NewBooleanObj(nats_event_recoverable(event)));
    }
    if (nats_event_sid(event) != 0) {
        put(dict, state, TNATS_SID, tnats_count_new(nats_event_sid(event)));
    }
    if (type == NATS_EVENT_ERROR) {
        put(dict, state, TNATS_LOST, tnats_count_new(nats_event_lost(event)));
    }
    if (type == NATS_EVENT_DISCONNECTED || type == NATS_EVENT_CLOSED) {
        put(dict, state, TNATS_LOST, tnats_count_new(nats_event_lost(event)));
        put(dict, state, TNATS_UNCONFIRMED, tnats_count_new(nats_event_unconfirmed(event)));
    }
    return dict;
}

/* ---- INFO ---- */

Tcl_Obj *tnats_info_new(const nats_info *info)
{
    size_t cursor = 0;
    const char *name;
    const char *value;
    size_t len;
    int32_t in_list;
    Tcl_Obj *dict = Tcl_NewDictObj();
    while (nats_info_next(info, &cursor, &name, &value, &len, &in_list) != 0) {
        Tcl_Obj *key = tnats_word_new(name);
        /* Numbers as they came; true and false are booleans in Tcl. */
        Tcl_Obj *field = tnats_text_new(value, len);
        Tcl_Obj *list = NULL;
        Tcl_DictObjGet(NULL, dict, key, &list);
        if (in_list != 0 && list != NULL) {
            Tcl_ListObjAppendElement(NULL, list, field);
            Tcl_IncrRefCount(key);
            Tcl_DecrRefCount(key);
            continue;
        }
        Tcl_DictObjPut(NULL, dict, key, in_list != 0 ? Tcl_NewListObj(1, &field) : field);
    }
    return dict;
}

/* ---- counters, options ---- */

Tcl_Obj *tnats_stats_new(nats_client *client)
{
    uint64_t values[STATS_MAX] = {0};
    nats_client_stats(client, values, STATS_MAX);
    Tcl_Obj *dict = Tcl_NewDictObj();
    for (size_t i = 0; i < STATS_MAX && nats_stats_name(i) != NULL; i++) {
        put_named(dict, nats_stats_name(i), tnats_count_new(values[i]));
    }
    return dict;
}

Tcl_Obj *tnats_sub_stats_new(nats_sub *sub)
{
    static const char *const names[NATS_SUB_STAT_COUNT] = {
        [NATS_SUB_STAT_PENDING_MSGS] = "pending",
        [NATS_SUB_STAT_PENDING_BYTES] = "pending_bytes",
        [NATS_SUB_STAT_DELIVERED] = "delivered",
        [NATS_SUB_STAT_DROPPED] = "dropped",
        [NATS_SUB_STAT_RECEIVED] = "received",
    };
    uint64_t values[NATS_SUB_STAT_COUNT] = {0};
    nats_sub_stats(sub, values, NATS_SUB_STAT_COUNT);
    Tcl_Obj *dict = Tcl_NewDictObj();
    for (size_t i = 0; i < NATS_SUB_STAT_COUNT; i++) {
        put_named(dict, names[i], tnats_count_new(values[i]));
    }
    return dict;
}

static const char *option_type_name(int32_t type)
{
    switch (type) {
    case NATS_OPTION_TEXT:
        return "text";
    case NATS_OPTION_BOOL:
        return "boolean";
    case NATS_OPTION_INT:
        return "integer";
    case NATS_OPTION_DURATION:
        return "seconds";
    default:
        return "unknown";
    }
}

int tnats_option_list(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)data;
    (void)objc;
    (void)objv;
    const char *name;
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    for (size_t i = 0; (name = nats_options_name(i)) != NULL; i++) {
        Tcl_Obj *dict = Tcl_NewDictObj();
        put_named(dict, "name", tnats_word_new(name));
        put_named(dict, "type", tnats_word_new(option_type_name(nats_options_type(name))));
        put_named(dict, "doc", tnats_word_new(nats_options_doc(name)));
        Tcl_ListObjAppendElement(NULL, list, dict);
    }
    Tcl_SetObjResult(interp, list);
    return TCL_OK;
}

int tnats_now(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)data;
    (void)objc;
    (void)objv;
    Tcl_SetObjResult(interp, Tcl_NewDoubleObj((double)tnats_now_ns() / 1e9));
    return TCL_OK;
}

const char *tnats_client_status_name(int32_t status)
{
    switch (status) {
    case NATS_CLIENT_CONNECTED:
        return "connected";
    case NATS_CLIENT_RECONNECTING:
        return "reconnecting";
    case NATS_CLIENT_DRAINING:
        return "draining";
    default:
        return "closed";
    }
}

const char *tnats_proto_state_name(int32_t state)
{
    static const char *const names[] = {"idle",         "waiting",  "dialing", "upgrading",
                                        "waiting_info", "securing", "signing", "waiting_pong",
                                        "connected",    "closed"};
    bool known = state >= 0 && (size_t)state < sizeof(names) / sizeof(names[0]);
    return known ? names[state] : "unknown";
}
