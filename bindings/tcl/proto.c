/* The protocol without I/O: making it, and its verbs that take options. The others are wrapped by
 * SWIG. */
#include "tnats.h"

#include <stdio.h>
#include <string.h>

/* Random bytes for the seed when the script gives none. */
#define SEED_SIZE 32
/* The least that the library takes. */
#define SEED_MIN 16

static nats_proto *proto_of(const tnats_handle *handle)
{
    return handle->object;
}

static int read_seed(tnats_state *state, Tcl_Obj *given, char *room, tnats_bytes *out)
{
    if (given != NULL) {
        if (tnats_data(state, given, out) != TCL_OK) {
            return TCL_ERROR;
        }
        if (out->len >= SEED_MIN) {
            return TCL_OK;
        }
        tnats_bytes_free(out);
        return tnats_fail_text(state->interp, NATS_ERR_INVALID, "-seed",
                               "the seed must have 16 bytes or more");
    }
    FILE *source = fopen("/dev/urandom", "rb");
    size_t got = source != NULL ? fread(room, 1, SEED_SIZE, source) : 0;
    if (source != NULL) {
        fclose(source);
    }
    if (got != SEED_SIZE) {
        return tnats_fail_text(state->interp, NATS_ERR_IO, "/dev/urandom",
                               "/dev/urandom cannot be read; give a -seed");
    }
    *out = (tnats_bytes){room, SEED_SIZE, NULL};
    return TCL_OK;
}

static int create(tnats_state *state, const char *servers, const nats_options *options,
                  Tcl_Obj *given_seed)
{
    char room[SEED_SIZE];
    tnats_bytes seed;
    nats_proto *proto = NULL;
    if (read_seed(state, given_seed, room, &seed) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status = nats_proto_new(servers, options, seed.ptr, seed.len, &proto);
    tnats_bytes_free(&seed);
    if (status != NATS_OK) {
        return tnats_fail(state->interp, status);
    }
    return tnats_handle_new(state, &tnats_proto_kind, proto, NULL) != NULL ? TCL_OK : TCL_ERROR;
}

/* polynats::proto ?urls? ?-seed bytes? ?-option value ...? */
int tnats_proto_create(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const own[] = {"-seed", NULL};
    Tcl_Obj *seed[1];
    int first;
    tnats_bytes servers;
    nats_options *options;
    if (tnats_servers(interp, objc, objv, &servers, &first) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status = nats_options_new(&options);
    if (status != NATS_OK) {
        tnats_bytes_free(&servers);
        return tnats_fail(interp, status);
    }
    int code = tnats_connect_options(interp, objc, objv, first, options, own, seed);
    if (code == TCL_OK) {
        code = create(data, servers.ptr, options, seed[0]);
    }
    nats_options_free(options);
    tnats_bytes_free(&servers);
    return code;
}

/* $p publish subject ?data? ?-reply subject? ?-headers dict? */
int tnats_proto_publish(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-reply", "-headers", NULL};
    Tcl_Obj *values[2];
    tnats_bytes subject;
    tnats_bytes data;
    tnats_bytes reply;
    nats_headers *headers;
    if (tnats_options(interp, objc, objv, 4, names, values) != TCL_OK ||
        tnats_headers(handle->state, values[1], &headers) != TCL_OK) {
        return TCL_ERROR;
    }
    if (tnats_data(handle->state, objc > 3 ? objv[3] : NULL, &data) != TCL_OK) {
        nats_headers_free(headers);
        return TCL_ERROR;
    }
    tnats_text(objv[2], &subject);
    tnats_text(values[0], &reply);
    nats_status status = nats_proto_publish(proto_of(handle), subject.ptr, subject.len, reply.ptr,
                                            reply.len, headers, data.ptr, data.len);
    tnats_bytes_free(&subject);
    tnats_bytes_free(&data);
    tnats_bytes_free(&reply);
    nats_headers_free(headers);
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

/* $p subscribe pattern ?-queue q? ?-max n? ?-sid n?: the sid */
int tnats_proto_subscribe(tnats_handle *handle, Tcl_Interp *interp, int objc,
                          Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-queue", "-max", "-sid", NULL};
    Tcl_Obj *values[3];
    int64_t max;
    int64_t sid;
    uint64_t made = 0;
    tnats_bytes subject;
    tnats_bytes queue;
    if (tnats_options(interp, objc, objv, 3, names, values) != TCL_OK ||
        tnats_number(interp, values[1], "-max", 0, 0, &max) != TCL_OK ||
        tnats_number(interp, values[2], "-sid", 1, 0, &sid) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_text(objv[2], &subject);
    tnats_text(values[0], &queue);
    nats_status status =
        nats_proto_subscribe(proto_of(handle), subject.ptr, subject.len, queue.ptr, queue.len,
                             (uint64_t)max, (uint64_t)sid, &made);
    tnats_bytes_free(&subject);
    tnats_bytes_free(&queue);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    Tcl_SetObjResult(interp, tnats_count_new(made));
    return TCL_OK;
}

/* ---- events ---- */

static void put(Tcl_Obj *dict, tnats_state *state, enum tnats_key key, Tcl_Obj *value)
{
    Tcl_DictObjPut(NULL, dict, state->keys[key], value);
}

static const char *const proto_events[] = {[NATS_PROTO_DIAL] = "dial",
                                           [NATS_PROTO_UPGRADE_WANTED] = "upgrade_wanted",
                                           [NATS_PROTO_TLS_WANTED] = "tls_wanted",
                                           [NATS_PROTO_SIGN_WANTED] = "sign_wanted",
                                           [NATS_PROTO_CONNECTED] = "connected",
                                           [NATS_PROTO_RECONNECTED] = "reconnected",
                                           [NATS_PROTO_DISCONNECTED] = "disconnected",
                                           [NATS_PROTO_CLOSED] = "closed",
                                           [NATS_PROTO_MSG] = "message",
                                           [NATS_PROTO_PONG] = "pong",
                                           [NATS_PROTO_INFO] = "info",
                                           [NATS_PROTO_DISCOVERED] = "discovered",
                                           [NATS_PROTO_LAME_DUCK] = "lame_duck",
                                           [NATS_PROTO_ERROR] = "error",
                                           [NATS_PROTO_STALE] = "stale",
                                           [NATS_PROTO_SUB_DONE] = "sub_done"};

static void put_server(Tcl_Obj *dict, tnats_state *state, nats_proto *proto)
{
    put(dict, state, TNATS_URL, tnats_word_new(nats_proto_url(proto)));
    put(dict, state, TNATS_SCHEME, tnats_word_new(nats_proto_scheme(proto)));
    put(dict, state, TNATS_HOST, tnats_word_new(nats_proto_host(proto)));
    put(dict, state, TNATS_PORT, Tcl_NewIntObj(nats_proto_port(proto)));
}

static void put_message(Tcl_Obj *dict, tnats_state *state, nats_proto *proto)
{
    nats_msg *msg = nats_proto_event_take_msg(proto);
    put(dict, state, TNATS_SID, tnats_count_new(nats_proto_event_sid(proto)));
    if (msg != NULL) {
        put(dict, state, TNATS_MESSAGE, tnats_message_new(state, &msg));
        nats_msg_free(msg);
    }
}

/* The facts of each type, as proto.h lists them. */
static void put_facts(Tcl_Obj *dict, tnats_state *state, nats_proto *proto, int32_t type)
{
    switch (type) {
    case NATS_PROTO_MSG:
        put_message(dict, state, proto);
        return;
    case NATS_PROTO_SUB_DONE:
        put(dict, state, TNATS_SID, tnats_count_new(nats_proto_event_sid(proto)));
        return;
    case NATS_PROTO_PONG:
        put(dict, state, TNATS_TOKEN, tnats_count_new(nats_proto_event_token(proto)));
        put(dict, state, TNATS_RTT, Tcl_NewDoubleObj((double)nats_proto_event_rtt_ns(proto) / 1e9));
        return;
    case NATS_PROTO_DISCONNECTED:
    case NATS_PROTO_CLOSED:
        put(dict, state, TNATS_LOST, tnats_count_new(nats_proto_event_lost(proto)));
        put(dict, state, TNATS_UNCONFIRMED, tnats_count_new(nats_proto_event_unconfirmed(proto)));
        return;
    case NATS_PROTO_ERROR:
        put(dict, state, TNATS_LOST, tnats_count_new(nats_proto_event_lost(proto)));
        put(dict, state, TNATS_RECOVERABLE,
            Tcl_NewBooleanObj(nats_proto_event_recoverable(proto)));
        return;
    case NATS_PROTO_DIAL:
    case NATS_PROTO_UPGRADE_WANTED:
    case NATS_PROTO_TLS_WANTED:
    case NATS_PROTO_CONNECTED:
    case NATS_PROTO_RECONNECTED:
        put_server(dict, state, proto);
        return;
    default:
        return;
    }
}

/* $p next_event: an event, or nothing. */
int tnats_proto_next_event(tnats_handle *handle, Tcl_Interp *interp, int objc,
                           Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    tnats_state *state = handle->state;
    nats_proto *proto = proto_of(handle);
    int32_t type = nats_proto_next_event(proto);
    if (type == 0) {
        return TCL_OK;
    }
    Tcl_Obj *dict = Tcl_NewDictObj();
    bool known = (size_t)type < sizeof(proto_events) / sizeof(proto_events[0]);
    put(dict, state, TNATS_TYPE, tnats_word_new(known ? proto_events[type] : "unknown"));
    put(dict, state, TNATS_TEXT, tnats_word_new(nats_proto_event_text(proto)));
    if (nats_proto_event_status(proto) != NATS_OK) {
        put(dict, state, TNATS_STATUS,
            tnats_word_new(nats_status_name(nats_proto_event_status(proto))));
    }
    if (nats_proto_event_kind(proto) != NATS_KIND_NONE) {
        put(dict, state, TNATS_KIND, tnats_word_new(nats_kind_name(nats_proto_event_kind(proto))));
    }
    put_facts(dict, state, proto, type);
    Tcl_SetObjResult(interp, dict);
    return TCL_OK;
}

/* ---- what it knows ---- */

int tnats_proto_server(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    Tcl_Obj *dict = Tcl_NewDictObj();
    put_server(dict, handle->state, proto_of(handle));
    Tcl_SetObjResult(interp, dict);
    return TCL_OK;
}

static void put_named(Tcl_Obj *dict, const char *name, Tcl_Obj *value)
{
    Tcl_DictObjPut(NULL, dict, Tcl_NewStringObj(name, -1), value);
}

int tnats_proto_servers(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    const char *url;
    int32_t attempts;
    int32_t discovered;
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    for (size_t i = 0;
         (url = nats_proto_server_at(proto_of(handle), i, &attempts, &discovered)) != NULL; i++) {
        Tcl_Obj *dict = Tcl_NewDictObj();
        put_named(dict, "url", tnats_word_new(url));
        put_named(dict, "attempts", Tcl_NewIntObj(attempts));
        put_named(dict, "discovered", Tcl_NewBooleanObj(discovered));
        Tcl_ListObjAppendElement(NULL, list, dict);
    }
    Tcl_SetObjResult(interp, list);
    return TCL_OK;
}

int tnats_proto_server_info_json(tnats_handle *handle, Tcl_Interp *interp, int objc,
                                 Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_info *info = NULL;
    nats_status status = nats_proto_server_info(proto_of(handle), &info);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    size_t len;
    const char *text = nats_info_json(info, &len);
    Tcl_SetObjResult(interp, tnats_text_new(text, len));
    nats_info_free(info);
    return TCL_OK;
}

/* $p take ?-max count? ?-now seconds?: the bytes to send; they count as sent. */
int tnats_proto_take(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-max", "-now", NULL};
    Tcl_Obj *values[2];
    int64_t max;
    int64_t now_ns;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_number(interp, values[0], "-max", 1, INT64_MAX, &max) != TCL_OK ||
        tnats_moment(interp, values[1], &now_ns) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_Obj *bytes = Tcl_NewByteArrayObj(NULL, 0);
    for (int64_t taken = 0; taken < max;) {
        const void *data;
        size_t len;
        nats_proto_tx(proto_of(handle), &data, &len);
        if (len == 0) {
            break;
        }
        if ((int64_t)len > max - taken) {
            len = (size_t)(max - taken);
        }
        unsigned char *room = Tcl_SetByteArrayLength(bytes, (Tcl_Size)(taken + (int64_t)len));
        memcpy(room + taken, data, len);
        nats_proto_tx_done(proto_of(handle), len, now_ns);
        taken += (int64_t)len;
    }
    Tcl_SetObjResult(interp, bytes);
    return TCL_OK;
}

static void proto_release(tnats_handle *handle)
{
    nats_proto_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_proto_kind = {"proto", proto_release};
