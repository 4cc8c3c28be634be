/* Messages of JetStream as values: their place in the stream, and how they are acknowledged. A message is a
 * dict, and the library acknowledges a nats_msg: the value of "ack" keeps it, and so does the place under
 * "metadata" until somebody looks at it. As a text "ack" is the reply subject; of a dict that was a text in between
 * a message is made anew by it. */
#include "tnats.h"

#include <string.h>

typedef struct keeper {
    nats_msg *msg;
    int refs;
} keeper;

static keeper *keeper_of(const Tcl_Obj *obj)
{
    return obj->internalRep.twoPtrValue.ptr1;
}

static void free_rep(Tcl_Obj *obj)
{
    keeper *kept = keeper_of(obj);
    obj->typePtr = NULL;
    kept->refs--;
    if (kept->refs == 0) {
        nats_msg_free(kept->msg);
        ckfree((char *)kept);
    }
}

static void set_rep(Tcl_Obj *obj, const Tcl_ObjType *type, keeper *kept)
{
    kept->refs++;
    obj->internalRep.twoPtrValue.ptr1 = kept;
    obj->internalRep.twoPtrValue.ptr2 = NULL;
    obj->typePtr = type;
}

static void copy_rep(Tcl_Obj *from, Tcl_Obj *to)
{
    set_rep(to, from->typePtr, keeper_of(from));
}

/* The text of another value becomes this one's. */
static void take_text(Tcl_Obj *obj, Tcl_Obj *other)
{
    Tcl_Size len;
    Tcl_IncrRefCount(other);
    const char *text = Tcl_GetStringFromObj(other, &len);
    obj->bytes = ckalloc((size_t)len + 1);
    memcpy(obj->bytes, text, (size_t)len + 1);
    obj->length = len;
    Tcl_DecrRefCount(other);
}

static void write_ack(Tcl_Obj *obj)
{
    size_t len;
    const char *reply = nats_msg_reply(keeper_of(obj)->msg, &len);
    take_text(obj, tnats_text_new(reply != NULL ? reply : "", len));
}

static void put(Tcl_Obj *dict, const char *name, Tcl_Obj *value)
{
    Tcl_DictObjPut(NULL, dict, Tcl_NewStringObj(name, -1), value);
}

static Tcl_Obj *text_new(const nats_msg *msg, int32_t what)
{
    size_t len = 0;
    const char *text = nats_msg_js_text(msg, what, &len);
    return tnats_text_new(text != NULL ? text : "", text != NULL ? len : 0);
}

static void write_place(Tcl_Obj *obj)
{
    const nats_msg *msg = keeper_of(obj)->msg;
    uint64_t values[NATS_JS_UINT_COUNT];
    Tcl_Obj *dict = Tcl_NewDictObj();
    nats_msg_js_uints(msg, values);
    put(dict, "stream", text_new(msg, NATS_JS_STREAM));
    put(dict, "consumer", text_new(msg, NATS_JS_CONSUMER));
    put(dict, "stream_seq", tnats_uint_new(values[NATS_JS_STREAM_SEQ]));
    put(dict, "consumer_seq", tnats_uint_new(values[NATS_JS_CONSUMER_SEQ]));
    put(dict, "delivered", tnats_uint_new(values[NATS_JS_DELIVERED]));
    put(dict, "pending", tnats_uint_new(values[NATS_JS_PENDING]));
    put(dict, "time", tnats_time_new((int64_t)values[NATS_JS_TIME_NS]));
    put(dict, "domain", text_new(msg, NATS_JS_DOMAIN));
    take_text(obj, dict);
}

static const Tcl_ObjType ack_type = {
    .name = "polynats-ack", .freeIntRepProc = free_rep, .dupIntRepProc = copy_rep,
    .updateStringProc = write_ack};
static const Tcl_ObjType place_type = {
    .name = "polynats-place", .freeIntRepProc = free_rep, .dupIntRepProc = copy_rep,
    .updateStringProc = write_place};

bool tnats_msg_has_place(const nats_msg *msg)
{
    uint64_t seq;
    return nats_msg_js_uint(msg, NATS_JS_STREAM_SEQ, &seq) != 0;
}

static Tcl_Obj *kept_new(const Tcl_ObjType *type, keeper *kept)
{
    Tcl_Obj *made = Tcl_NewObj();
    Tcl_InvalidateStringRep(made);
    set_rep(made, type, kept);
    return made;
}

void tnats_place_new(nats_msg *msg, Tcl_Obj **ack_out, Tcl_Obj **place_out)
{
    keeper *kept = (keeper *)ckalloc(sizeof(*kept));
    kept->msg = msg;
    kept->refs = 0;
    *ack_out = nats_msg_reply(msg, NULL) != NULL ? kept_new(&ack_type, kept) : NULL;
    *place_out = kept_new(&place_type, kept);
}

/* ---- acknowledging ---- */

static nats_client *client_of(const tnats_handle *handle)
{
    return handle->object;
}

/* A value that was a text keeps a message from now on. False: it is none to acknowledge by. */
static bool restore(nats_client *client, Tcl_Obj *ack)
{
    nats_msg *msg = NULL;
    tnats_bytes text;
    tnats_text(ack, &text);
    nats_status status = nats_client_msg_by_reply(client, text.ptr, text.len, &msg);
    tnats_bytes_free(&text);
    if (status != NATS_OK) {
        return false;
    }
    keeper *kept = (keeper *)ckalloc(sizeof(*kept));
    kept->msg = msg;
    kept->refs = 0;
    if (ack->typePtr != NULL && ack->typePtr->freeIntRepProc != NULL) {
        ack->typePtr->freeIntRepProc(ack);
    }
    set_rep(ack, &ack_type, kept);
    return true;
}

/* The message of a dict. *msg_out: NULL when it is none of a consumer's. */
static int find(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *dict, nats_msg **msg_out)
{
    Tcl_Obj *ack = NULL;
    *msg_out = NULL;
    if (Tcl_DictObjGet(interp, dict, handle->state->keys[TNATS_ACK], &ack) != TCL_OK) {
        return tnats_fail_value(interp, "message");
    }
    if (ack != NULL && (ack->typePtr == &ack_type || restore(client_of(handle), ack))) {
        *msg_out = keeper_of(ack)->msg;
    }
    return TCL_OK;
}

static int find_delivered(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *dict,
                          nats_msg **msg_out)
{
    if (find(handle, interp, dict, msg_out) != TCL_OK) {
        return TCL_ERROR;
    }
    if (*msg_out == NULL) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "msg",
                               "the message was not delivered by a consumer of JetStream: there "
                               "is nothing to acknowledge");
    }
    return TCL_OK;
}

/* The message is kept alive by its value, which the caller's objv holds; a signal's handler may look at it. */
static int settle(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *dict, int32_t how,
                  int64_t delay_ms, Tcl_Obj *reason)
{
    for (;;) {
        nats_msg *msg;
        tnats_bytes text;
        if (find_delivered(handle, interp, dict, &msg) != TCL_OK) {
            return TCL_ERROR;
        }
        tnats_text(reason, &text);
        nats_status status =
            nats_client_ack(client_of(handle), msg, how, delay_ms, text.ptr, text.len);
        tnats_bytes_free(&text);
        if (status != NATS_ERR_INTERRUPTED) {
            return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
        }
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $nc ack message */
int tnats_client_ack(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    return settle(handle, interp, objv[2], NATS_ACK, 0, NULL);
}

/* $nc nak message ?-delay seconds? */
int tnats_client_nak(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-delay", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    if (tnats_options(interp, objc, objv, 3, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-delay", 0, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    return settle(handle, interp, objv[2], NATS_NAK, ms, NULL);
}

/* $nc in_progress message */
int tnats_client_in_progress(tnats_handle *handle, Tcl_Interp *interp, int objc,
                             Tcl_Obj *const objv[])
{
    (void)objc;
    return settle(handle, interp, objv[2], NATS_IN_PROGRESS, 0, NULL);
}

/* $nc term message ?-reason text? */
int tnats_client_term(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-reason", NULL};
    Tcl_Obj *values[1];
    if (tnats_options(interp, objc, objv, 3, names, values) != TCL_OK) {
        return TCL_ERROR;
    }
    return settle(handle, interp, objv[2], NATS_TERM, 0, values[0]);
}

/* $nc ack_sync message ?-timeout seconds? */
int tnats_client_ack_sync(tnats_handle *handle, Tcl_Interp *interp, int objc,
                          Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    nats_msg *msg;
    int64_t ms;
    if (tnats_options(interp, objc, objv, 3, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK ||
        find_delivered(handle, interp, objv[2], &msg) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_end, .handle = handle};
    nats_status begun = nats_client_ack_sync_start(client_of(handle), msg, ms, &taking.future);
    return tnats_await(&taking, interp, begun);
}

/* $nc ack_many list: how many; what is acknowledged, or no consumer's, is passed over. */
int tnats_client_ack_many(tnats_handle *handle, Tcl_Interp *interp, int objc,
                          Tcl_Obj *const objv[])
{
    Tcl_Size count;
    Tcl_Obj **items;
    size_t acked = 0;
    nats_status status = NATS_OK;
    (void)objc;
    if (Tcl_ListObjGetElements(interp, objv[2], &count, &items) != TCL_OK) {
        return tnats_fail_value(interp, "messages");
    }
    nats_msg **batch = (nats_msg **)ckalloc(((size_t)count + 1) * sizeof(nats_msg *));
    int code = TCL_OK;
    for (Tcl_Size i = 0; i < count && code == TCL_OK; i++) {
        code = find(handle, interp, items[i], &batch[i]);
    }
    if (code == TCL_OK) {
        status = nats_client_ack_many(client_of(handle), batch, (size_t)count, &acked);
    }
    ckfree((char *)batch);
    if (code != TCL_OK || status != NATS_OK) {
        return code != TCL_OK ? code : tnats_fail(interp, status);
    }
    Tcl_SetObjResult(interp, tnats_count_new(acked));
    return TCL_OK;
}
