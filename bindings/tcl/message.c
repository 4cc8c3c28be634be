/* Messages as dicts, and headers both ways. */
#include "tnats.h"

#include <string.h>

static void put(Tcl_Obj *dict, tnats_state *state, enum tnats_key key, Tcl_Obj *value)
{
    Tcl_DictObjPut(NULL, dict, state->keys[key], value);
}

/* ---- out of the library ---- */

/* The subject, which is nearly always that of the message before. */
static Tcl_Obj *subject_new(tnats_state *state, const nats_msg *msg)
{
    size_t len;
    const char *subject = nats_msg_subject(msg, &len);
    Tcl_Size last_len;
    const char *last = Tcl_GetStringFromObj(state->last_subject, &last_len);
    if ((size_t)last_len == len && memcmp(last, subject, len) == 0) {
        return state->last_subject;
    }
    Tcl_Obj *made = tnats_text_new(subject, len);
    Tcl_GetStringFromObj(made, &last_len);
    /* A text whose form in Tcl is another one than its UTF-8 might be taken for a second text. */
    if ((size_t)last_len != len) {
        return made;
    }
    Tcl_DecrRefCount(state->last_subject);
    state->last_subject = made;
    Tcl_IncrRefCount(made);
    return made;
}

static Tcl_Obj *sid_new(tnats_state *state, uint64_t sid)
{
    if (sid != state->last_sid_value) {
        Tcl_DecrRefCount(state->last_sid);
        state->last_sid = tnats_count_new(sid);
        state->last_sid_value = sid;
        Tcl_IncrRefCount(state->last_sid);
    }
    return state->last_sid;
}

/* Add a value to the list that the dict has for the key. */
static void append(Tcl_Obj *dict, Tcl_Obj *key, Tcl_Obj *value)
{
    Tcl_Obj *values = NULL;
    Tcl_DictObjGet(NULL, dict, key, &values);
    if (values == NULL) {
        values = Tcl_NewListObj(1, &value);
        Tcl_DictObjPut(NULL, dict, key, values);
        return;
    }
    Tcl_ListObjAppendElement(NULL, values, value);
}

static void put_headers(Tcl_Obj *dict, tnats_state *state, const nats_msg *msg)
{
    const char *key;
    const char *value;
    size_t key_len;
    size_t value_len;
    size_t cursor = 0;
    Tcl_Obj *map = Tcl_NewDictObj();
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    while (nats_msg_next_header(msg, &cursor, &key, &key_len, &value, &value_len) != 0) {
        Tcl_Obj *pair[] = {tnats_text_new(key, key_len), tnats_text_new(value, value_len)};
        Tcl_ListObjAppendElement(NULL, list, pair[0]);
        Tcl_ListObjAppendElement(NULL, list, pair[1]);
        append(map, pair[0], pair[1]);
    }
    put(dict, state, TNATS_HEADERS, map);
    put(dict, state, TNATS_HEADER_LIST, list);
}

static Tcl_Obj *reply_new(tnats_state *state, const nats_msg *msg)
{
    size_t len;
    const char *reply = nats_msg_reply(msg, &len);
    return reply != NULL ? tnats_text_new(reply, len) : state->empty;
}

static void put_headers_if_any(Tcl_Obj *dict, tnats_state *state, const nats_msg *msg)
{
    size_t len;
    if (nats_msg_headers_raw(msg, NULL) == NULL) {
        put(dict, state, TNATS_HEADERS, state->empty);
        return;
    }
    put_headers(dict, state, msg);
    if (nats_msg_status(msg) != 0) {
        put(dict, state, TNATS_STATUS, Tcl_NewIntObj(nats_msg_status(msg)));
        const char *words = nats_msg_description(msg, &len);
        put(dict, state, TNATS_DESCRIPTION, tnats_text_new(words, len));
    }
}

/* Each key costs: what few messages have is there only when they do. */
Tcl_Obj *tnats_message_new(tnats_state *state, nats_msg **msg_io)
{
    size_t len;
    nats_msg *msg = *msg_io;
    Tcl_Obj *ack;
    Tcl_Obj *place;
    Tcl_Obj *dict = Tcl_NewDictObj();
    put(dict, state, TNATS_SUBJECT, subject_new(state, msg));
    const void *data = nats_msg_data(msg, &len);
    put(dict, state, TNATS_DATA, Tcl_NewByteArrayObj(data, (Tcl_Size)len));
    put(dict, state, TNATS_REPLY, reply_new(state, msg));
    put(dict, state, TNATS_SID, sid_new(state, nats_msg_sid(msg)));
    put_headers_if_any(dict, state, msg);
    if (tnats_msg_has_place(msg)) {
        tnats_place_new(msg, &ack, &place);
        put(dict, state, TNATS_METADATA, place);
        if (ack != NULL) {
            put(dict, state, TNATS_ACK, ack);
        }
        *msg_io = NULL;
    }
    return dict;
}

/* ---- into the library ---- */

/* One key with all its values. */
static int add_values(Tcl_Interp *interp, nats_headers *headers, Tcl_Obj *key, Tcl_Obj *values)
{
    Tcl_Size count;
    Tcl_Obj **items;
    if (Tcl_ListObjGetElements(NULL, values, &count, &items) != TCL_OK) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "headers",
                               "the values of header \"%.80s\" are not a list: "
                               "a text with braces or quotes goes through [list]",
                               Tcl_GetString(key));
    }
    tnats_bytes name;
    tnats_text(key, &name);
    nats_status status = NATS_OK;
    if (count == 0) {
        status = nats_headers_add(headers, name.ptr, name.len, "", 0);
    }
    for (Tcl_Size i = 0; i < count && status == NATS_OK; i++) {
        tnats_bytes value;
        tnats_text(items[i], &value);
        status = nats_headers_add(headers, name.ptr, name.len, value.ptr, value.len);
        tnats_bytes_free(&value);
    }
    tnats_bytes_free(&name);
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

static int add_dict(Tcl_Interp *interp, nats_headers *headers, Tcl_Obj *dict)
{
    Tcl_DictSearch search;
    Tcl_Obj *key;
    Tcl_Obj *values;
    int done;
    int code = Tcl_DictObjFirst(interp, dict, &search, &key, &values, &done);
    while (code == TCL_OK && !done) {
        code = add_values(interp, headers, key, values);
        Tcl_DictObjNext(&search, &key, &values, &done);
    }
    Tcl_DictObjDone(&search);
    return code;
}

static int add_list(Tcl_Interp *interp, nats_headers *headers, Tcl_Obj *list)
{
    Tcl_Size count;
    Tcl_Obj **items;
    if (Tcl_ListObjGetElements(NULL, list, &count, &items) != TCL_OK || count % 2 != 0) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "headers",
                               "headers must be a dict: key values key values …");
    }
    for (Tcl_Size i = 0; i < count; i += 2) {
        if (add_values(interp, headers, items[i], items[i + 1]) != TCL_OK) {
            return TCL_ERROR;
        }
    }
    return TCL_OK;
}

int tnats_headers(tnats_state *state, Tcl_Obj *obj, nats_headers **out)
{
    Tcl_Interp *interp = state->interp;
    *out = NULL;
    if (obj == NULL) {
        return TCL_OK;
    }
    nats_headers *headers;
    nats_status status = nats_headers_new(&headers);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    /* A dict keeps its type; a list may name a key twice. */
    int code = obj->typePtr == state->dict_type ? add_dict(interp, headers, obj)
                                                : add_list(interp, headers, obj);
    if (code != TCL_OK) {
        nats_headers_free(headers);
        return TCL_ERROR;
    }
    if (nats_headers_count(headers) > 0) {
        *out = headers;
        return TCL_OK;
    }
    nats_headers_free(headers);
    return TCL_OK;
}
