/* Messages of JetStream as values: their place in the stream, and how they are acknowledged. A message is a
 * dict, and the library acknowledges a nats_msg: the value of "ack" keeps it, and so does the place under
 * "metadata" until somebody looks at it. As a text "ack" is the reply subject; of a dict that was a text in between
 * that is all there is, and the value itself keeps whether it was acknowledged. */
#include "tnats.h"

#include <string.h>

typedef struct keeper {
    nats_msg *msg; /* NULL: there is but the reply subject */
    bool done;     /* then: it was acknowledged */
    int refs;
    size_t reply_len; /* then */
    char reply[];
} keeper;

static keeper *keeper_new(nats_msg *msg, const char *reply, size_t len)
{
    keeper *kept = (keeper *)ckalloc(sizeof(*kept) + len + 1);
    *kept = (keeper){.msg = msg, .reply_len = len};
    memcpy(kept->reply, reply, len);
    kept->reply[len] = '\0';
    return kept;
}

static keeper *keeper_of(const Tcl_Obj *obj)
{
    return obj->internalRep.twoPtrValue.ptr1;
}

static void let_go(keeper *kept)
{
    kept->refs--;
    if (kept->refs == 0) {
        nats_msg_free(kept->msg);
        ckfree((char *)kept);
    }
}

static void free_rep(Tcl_Obj *obj)
{
    obj->typePtr = NULL;
    let_go(keeper_of(obj));
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
    const keeper *kept = keeper_of(obj);
    const char *reply = kept->msg != NULL ? nats_msg_reply(kept->msg, &len) : kept->reply;
    len = kept->msg != NULL ? len : kept->reply_len;
    take_text(obj, tnats_text_new(reply != NULL ? reply : "", reply != NULL ? len : 0));
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
    keeper *kept = keeper_new(msg, "", 0);
    *ack_out = nats_msg_reply(msg, NULL) != NULL ? kept_new(&ack_type, kept) : NULL;
    *place_out = kept_new(&place_type, kept);
}

/* ---- acknowledging ---- */

static nats_client *client_of(const tnats_handle *handle)
{
    return handle->object;
}

/* A value that was a text keeps what is acknowledged by it from now on. */
static void restore(Tcl_Obj *ack)
{
    tnats_bytes text;
    tnats_text(ack, &text);
    keeper *kept = keeper_new(NULL, text.ptr != NULL ? text.ptr : "", text.len);
    tnats_bytes_free(&text);
    if (ack->typePtr != NULL && ack->typePtr->freeIntRepProc != NULL) {
        ack->typePtr->freeIntRepProc(ack);
    }
    set_rep(ack, &ack_type, kept);
}

/* What the message of a dict is acknowledged by. *kept_out: NULL when there is nothing. */
static int find(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *dict, keeper **kept_out)
{
    Tcl_Obj *ack = NULL;
    *kept_out = NULL;
    if (Tcl_DictObjGet(interp, dict, handle->state->keys[TNATS_ACK], &ack) != TCL_OK) {
        return tnats_fail_value(interp, "message");
    }
    if (ack == NULL) {
        return TCL_OK;
    }
    if (ack->typePtr != &ack_type) {
        restore(ack);
    }
    *kept_out = keeper_of(ack);
    return TCL_OK;
}

static int find_delivered(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *dict,
                          keeper **kept_out)
{
    if (find(handle, interp, dict, kept_out) != TCL_OK) {
        return TCL_ERROR;
    }
    if (*kept_out == NULL) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "msg",
                               "the message was not delivered by a consumer of JetStream: there "
                               "is nothing to acknowledge");
    }
    if ((*kept_out)->done) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "msg",
                               "the message was acknowledged already");
    }
    return TCL_OK;
}

static nats_status tell(nats_client *client, keeper *kept, int32_t how, int64_t delay_ms,
                        const tnats_bytes *reason)
{
    if (kept->msg != NULL) {
        return nats_client_ack(client, kept->msg, how, delay_ms, reason->ptr, reason->len);
    }
    nats_status status = nats_client_ack_reply(client, kept->reply, kept->reply_len, how, delay_ms,
                                               reason->ptr, reason->len);
    kept->done = status == NATS_OK && how != NATS_IN_PROGRESS;
    return status;
}

/* The message is kept alive by its value, which the caller's objv holds; a signal's handler may look at it. */
static int settle(tnats_handle *handle, Tcl_Interp *interp, Tcl_Obj *dict, int32_t how,
                  int64_t delay_ms, Tcl_Obj *reason)
{
    for (;;) {
        keeper *kept;
        tnats_bytes text;
        if (find_delivered(handle, interp, dict, &kept) != TCL_OK) {
            return TCL_ERROR;
        }
        tnats_text(reason, &text);
        nats_status status = tell(client_of(handle), kept, how, delay_ms, &text);
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
    keeper *kept;
    int64_t ms;
    if (tnats_options(interp, objc, objv, 3, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK ||
        find_delivered(handle, interp, objv[2], &kept) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_end, .handle = handle};
    nats_client *client = client_of(handle);
    if (kept->msg != NULL) {
        nats_status begun = nats_client_ack_sync_start(client, kept->msg, ms, &taking.future);
        return tnats_await(&taking, interp, begun);
    }
    nats_status begun = nats_client_ack_reply_start(client, kept->reply, kept->reply_len, ms,
                                                    &taking.future);
    kept->done = begun == NATS_OK; /* while it is waited for, too */
    kept->refs++;
    int code = tnats_await(&taking, interp, begun);
    kept->done = code == TCL_OK;
    let_go(kept);
    return code;
}

/* Messages, and reply subjects of those that are no more than that, to be acknowledged together. */
typedef struct batch {
    nats_msg **msgs;
    size_t msg_count;
    keeper **kept; /* those of the replies */
    const char **replies;
    size_t *lens;
    size_t reply_count;
} batch;

static batch batch_new(size_t count)
{
    size_t some = count + 1;
    return (batch){.msgs = (nats_msg **)ckalloc(some * sizeof(nats_msg *)),
                   .kept = (keeper **)ckalloc(some * sizeof(keeper *)),
                   .replies = (const char **)ckalloc(some * sizeof(char *)),
                   .lens = (size_t *)ckalloc(some * sizeof(size_t))};
}

static void batch_free(batch *all)
{
    ckfree((char *)all->msgs);
    ckfree((char *)all->kept);
    ckfree((char *)all->replies);
    ckfree((char *)all->lens);
}

/* A value that is there twice is acknowledged once. */
static void batch_add(batch *all, keeper *kept)
{
    if (kept == NULL || kept->done) {
        return;
    }
    if (kept->msg != NULL) {
        all->msgs[all->msg_count++] = kept->msg;
        return;
    }
    kept->done = true;
    all->kept[all->reply_count] = kept;
    all->replies[all->reply_count] = kept->reply;
    all->lens[all->reply_count++] = kept->reply_len;
}

static nats_status batch_send(const batch *all, nats_client *client, size_t *acked_out)
{
    size_t replied = 0;
    nats_status status = nats_client_ack_many(client, all->msgs, all->msg_count, acked_out);
    if (status == NATS_OK) {
        status = nats_client_ack_replies(client, all->replies, all->lens, all->reply_count,
                                         &replied);
    }
    for (size_t i = 0; i < all->reply_count && status != NATS_OK; i++) {
        all->kept[i]->done = i < replied; /* of the rest nobody was told */
    }
    *acked_out += replied;
    return status;
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
    batch all = batch_new((size_t)count);
    int code = TCL_OK;
    for (Tcl_Size i = 0; i < count && code == TCL_OK; i++) {
        keeper *kept;
        code = find(handle, interp, items[i], &kept);
        batch_add(&all, kept);
    }
    if (code == TCL_OK) {
        status = batch_send(&all, client_of(handle), &acked);
    }
    batch_free(&all);
    if (code != TCL_OK || status != NATS_OK) {
        return code != TCL_OK ? code : tnats_fail(interp, status);
    }
    Tcl_SetObjResult(interp, tnats_count_new(acked));
    return TCL_OK;
}
