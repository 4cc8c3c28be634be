/* The client's and the subscription's verbs that take options, wait, or must be quick. */
#include "tnats.h"

#include <string.h>

/* Messages that one inner call of get takes: their handles fit on the C stack. */
#define SLICE 512
/* What get gives at most when it is not told: as in the other languages. */
#define GET_MAX 65536
/* Payloads of one inner call of publish_many. */
#define PUBLISH_SLICE 256

static nats_client *client_of(const tnats_handle *handle)
{
    return handle->object;
}

static int done(Tcl_Interp *interp, nats_status status)
{
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

/* ---- life ---- */

int tnats_client_share(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_client *client = NULL;
    nats_status status = nats_client_share(client_of(handle), &client);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    Tcl_Obj *prefix = handle->client->credentials;
    return tnats_client_add(handle->state, client, prefix) != NULL ? TCL_OK : TCL_ERROR;
}

int tnats_client_close(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    tnats_loop_end(handle);
    return done(interp, nats_client_close(client_of(handle)));
}

/* ---- publish ---- */

/* Headers are read first: to read a value as a list gives it another form, and with that go the bytes
 * that it had as a payload. */
typedef struct publish_args {
    tnats_bytes subject;
    tnats_bytes data;
    tnats_bytes reply;
    nats_headers *headers;
    Tcl_Obj *held; /* what the subject is in, or NULL */
} publish_args;

static void publish_args_free(publish_args *args)
{
    if (args->held != NULL) {
        Tcl_DecrRefCount(args->held);
    }
    tnats_bytes_free(&args->subject);
    tnats_bytes_free(&args->data);
    tnats_bytes_free(&args->reply);
    nats_headers_free(args->headers);
}

/* The arguments are read again when a signal interrupts, for its handler may have changed what they
 * point to. Nothing was accepted then. */
typedef int publish_read(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                         publish_args *args);

static int publish(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                   publish_read *read)
{
    for (;;) {
        publish_args args;
        memset(&args, 0, sizeof(args));
        nats_status status = NATS_OK;
        int code = read(handle, interp, objc, objv, &args);
        if (code == TCL_OK) {
            status = nats_client_publish_with(client_of(handle), args.subject.ptr,
                                              args.subject.len, args.reply.ptr, args.reply.len,
                                              args.headers, args.data.ptr, args.data.len);
        }
        publish_args_free(&args);
        if (code == TCL_OK && status == NATS_ERR_INTERRUPTED) {
            code = tnats_interrupted(interp);
        } else if (code == TCL_OK) {
            return done(interp, status);
        }
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $nc publish subject ?data? ?-reply subject? ?-headers dict? */
static int read_publish(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                        publish_args *args)
{
    static const char *const names[] = {"-reply", "-headers", NULL};
    Tcl_Obj *values[2];
    if (tnats_options(interp, objc, objv, 4, names, values) != TCL_OK ||
        tnats_headers(handle->state, values[1], &args->headers) != TCL_OK ||
        tnats_data(handle->state, objc > 3 ? objv[3] : NULL, &args->data) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_text(objv[2], &args->subject);
    tnats_text(values[0], &args->reply);
    return TCL_OK;
}

int tnats_client_publish(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    tnats_bytes subject;
    tnats_bytes data;
    if (objc != 4) {
        return publish(handle, interp, objc, objv, read_publish);
    }
    if (tnats_data(handle->state, objv[3], &data) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_text(objv[2], &subject);
    nats_status status = nats_client_publish(client_of(handle), subject.ptr, subject.len, data.ptr,
                                             data.len);
    tnats_bytes_free(&subject);
    tnats_bytes_free(&data);
    if (status == NATS_OK) {
        return TCL_OK;
    }
    if (status != NATS_ERR_INTERRUPTED) {
        return tnats_fail(interp, status);
    }
    int code = tnats_interrupted(interp);
    return code == TCL_OK ? publish(handle, interp, objc, objv, read_publish) : code;
}

/* Is each of them bytes? */
static int check_payloads(tnats_state *state, Tcl_Obj **items, size_t count)
{
    int code = TCL_OK;
    for (size_t i = 0; i < count && code == TCL_OK; i++) {
        tnats_bytes bytes;
        code = tnats_data(state, items[i], &bytes);
        tnats_bytes_free(&bytes);
    }
    return code;
}

/* One slice of the payloads; *accepted_out counts what was accepted. */
static int publish_slice(tnats_handle *handle, const tnats_bytes *subject, Tcl_Obj **items,
                         size_t count, nats_status *status_out, size_t *accepted_out)
{
    const void *datas[PUBLISH_SLICE];
    size_t lens[PUBLISH_SLICE];
    tnats_bytes bytes[PUBLISH_SLICE];
    size_t ready = 0;
    int code = TCL_OK;
    *accepted_out = 0;
    *status_out = NATS_OK;
    while (ready < count && code == TCL_OK) {
        code = tnats_data(handle->state, items[ready], &bytes[ready]);
        datas[ready] = bytes[ready].ptr;
        lens[ready] = bytes[ready].len;
        ready += code == TCL_OK ? 1 : 0;
    }
    if (code == TCL_OK) {
        *status_out = nats_client_publish_many(client_of(handle), subject->ptr, subject->len,
                                               datas, lens, ready, accepted_out);
    }
    for (size_t i = 0; i < ready; i++) {
        tnats_bytes_free(&bytes[i]);
    }
    if (*status_out == NATS_OK || *status_out == NATS_ERR_INTERRUPTED) {
        return *status_out == NATS_OK ? code : TCL_OK;
    }
    return tnats_fail(handle->state->interp, *status_out);
}

/* Append to an error how many were published before it. */
static int add_published(Tcl_Interp *interp, int code, Tcl_WideInt published)
{
    if (code == TCL_ERROR) {
        Tcl_AppendObjToErrorInfo(
            interp, Tcl_ObjPrintf("\n    (%ld published before it)", (long)published));
    }
    return code;
}

/* From the payload `at` on: a slice at a time, each read anew from the list, for a signal's handler
 * may have changed its form. */
static int publish_list(tnats_handle *handle, const tnats_bytes *subject, Tcl_Obj *list,
                        size_t *published)
{
    Tcl_Interp *interp = handle->state->interp;
    Tcl_Size count;
    Tcl_Obj **items;
    for (;;) {
        nats_status status;
        size_t accepted;
        if (Tcl_ListObjGetElements(interp, list, &count, &items) != TCL_OK) {
            return tnats_fail_value(interp, "data");
        }
        size_t left = (size_t)count - *published;
        if (left == 0) {
            return TCL_OK;
        }
        /* A bad one among the later slices: then none is published. */
        bool more = *published == 0 && left > PUBLISH_SLICE;
        int code = more ? check_payloads(handle->state, items + PUBLISH_SLICE, left - PUBLISH_SLICE)
                        : TCL_OK;
        if (code != TCL_OK) {
            return code;
        }
        code = publish_slice(handle, subject, items + *published,
                                 left < PUBLISH_SLICE ? left : PUBLISH_SLICE, &status, &accepted);
        *published += accepted;
        if (code == TCL_OK && status == NATS_ERR_INTERRUPTED) {
            code = tnats_interrupted(interp);
        }
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $nc publish_many subject list */
int tnats_client_publish_many(tnats_handle *handle, Tcl_Interp *interp, int objc,
                              Tcl_Obj *const objv[])
{
    (void)objc;
    size_t published = 0;
    tnats_bytes subject;
    Tcl_Obj *list = objv[3];
    Tcl_Obj *text = objv[2];
    Tcl_IncrRefCount(list);
    Tcl_IncrRefCount(text);
    tnats_text(text, &subject);
    int code = publish_list(handle, &subject, list, &published);
    tnats_bytes_free(&subject);
    Tcl_DecrRefCount(text);
    Tcl_DecrRefCount(list);
    if (code != TCL_OK) {
        return add_published(interp, code, (Tcl_WideInt)published);
    }
    Tcl_SetObjResult(interp, Tcl_NewWideIntObj((Tcl_WideInt)published));
    return TCL_OK;
}

/* $nc respond message ?data? ?-headers dict? */
static int read_respond(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                        publish_args *args)
{
    static const char *const names[] = {"-headers", NULL};
    Tcl_Obj *values[1];
    Tcl_Obj *reply = NULL;
    if (Tcl_DictObjGet(interp, objv[2], handle->state->keys[TNATS_REPLY], &reply) != TCL_OK) {
        return tnats_fail_value(interp, "message");
    }
    if (tnats_options(interp, objc, objv, 4, names, values) != TCL_OK) {
        return TCL_ERROR;
    }
    if (reply == NULL || Tcl_GetString(reply)[0] == '\0') {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "reply",
                               "the message asks for no answer: it has no reply subject");
    }
    Tcl_IncrRefCount(reply); /* a header may be the message, and it no dict any more then */
    args->held = reply;
    if (tnats_headers(handle->state, values[0], &args->headers) != TCL_OK ||
        tnats_data(handle->state, objc > 3 ? objv[3] : NULL, &args->data) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_text(reply, &args->subject);
    return TCL_OK;
}

int tnats_client_respond(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return publish(handle, interp, objc, objv, read_respond);
}

/* ---- subscribe ---- */

typedef struct sub_args {
    tnats_bytes queue;
    int64_t max;
    int64_t pending_msgs; /* 0: the client's */
    int64_t pending_bytes;
    Tcl_Obj *command;
} sub_args;

static int read_sub_args(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], sub_args *args)
{
    static const char *const names[] = {"-queue",        "-max",     "-pending_msgs",
                                        "-pending_bytes", "-command", NULL};
    Tcl_Obj *values[5];
    if (tnats_options(interp, objc, objv, 3, names, values) != TCL_OK ||
        tnats_number(interp, values[1], "-max", 0, 0, &args->max) != TCL_OK ||
        tnats_number(interp, values[2], "-pending_msgs", -1, 0, &args->pending_msgs) != TCL_OK ||
        tnats_number(interp, values[3], "-pending_bytes", -1, 0, &args->pending_bytes) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_Size words = 0;
    if (values[4] != NULL && Tcl_ListObjLength(interp, values[4], &words) != TCL_OK) {
        return tnats_fail_value(interp, "-command");
    }
    args->command = words > 0 ? values[4] : NULL;
    tnats_text(values[0], &args->queue);
    return TCL_OK;
}

/* Again after each signal, with the arguments read anew, as publish() does: while the server takes
 * nothing this waits. */
static int make_sub(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                    sub_args *args, nats_sub **sub_out)
{
    for (;;) {
        tnats_bytes subject;
        if (read_sub_args(interp, objc, objv, args) != TCL_OK) {
            return TCL_ERROR;
        }
        tnats_text(objv[2], &subject);
        nats_status status = nats_client_subscribe_with(
            client_of(handle), subject.ptr, subject.len, args->queue.ptr, args->queue.len,
            (uint64_t)args->max, args->pending_msgs, args->pending_bytes,
            args->command != NULL ? NATS_SUB_CALLBACK : NATS_SUB_SHARED, sub_out);
        tnats_bytes_free(&subject);
        tnats_bytes_free(&args->queue);
        if (status != NATS_ERR_INTERRUPTED) {
            return done(interp, status);
        }
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $nc subscribe pattern ?-queue q? ?-max n? ?-pending_msgs n? ?-pending_bytes n? ?-command p? */
int tnats_client_subscribe(tnats_handle *handle, Tcl_Interp *interp, int objc,
                           Tcl_Obj *const objv[])
{
    sub_args args;
    nats_sub *sub = NULL;
    int code = make_sub(handle, interp, objc, objv, &args, &sub);
    if (code != TCL_OK) {
        return code;
    }
    uint64_t sid = nats_sub_sid(sub);
    if (args.command != NULL) {
        tnats_callback_add(handle->client, sid, args.command, args.max);
        if (tnats_loop_update(handle, interp) != TCL_OK) {
            tnats_callback_remove(handle->client, sid);
            nats_sub_unsubscribe(sub, 0);
            nats_sub_free(sub);
            return TCL_ERROR;
        }
    }
    tnats_handle *made = tnats_handle_new(handle->state, &tnats_sub_kind, sub, handle);
    if (made == NULL) {
        return TCL_ERROR;
    }
    made->sid = sid;
    return TCL_OK;
}

/* What ends, and after how many messages; *count_out: how many ended, -1 when that is not asked. */
typedef nats_status end_proc(tnats_handle *handle, Tcl_Obj *what, uint64_t after,
                             int64_t *count_out);

static nats_status end_of_client(tnats_handle *handle, Tcl_Obj *what, uint64_t after,
                                 int64_t *count_out)
{
    Tcl_WideInt sid;
    size_t count = 0;
    if (Tcl_GetWideIntFromObj(NULL, what, &sid) == TCL_OK) {
        return nats_client_unsubscribe(client_of(handle), (uint64_t)sid, after);
    }
    tnats_bytes subject;
    tnats_text(what, &subject);
    nats_status status = nats_client_unsubscribe_subject(client_of(handle), subject.ptr,
                                                         subject.len, after, &count);
    tnats_bytes_free(&subject);
    *count_out = (int64_t)count;
    return status;
}

static nats_status end_of_sub(tnats_handle *handle, Tcl_Obj *what, uint64_t after,
                              int64_t *count_out)
{
    (void)what;
    (void)count_out;
    return nats_sub_unsubscribe(handle->object, after);
}

/* Again after each signal: with `after` it waits while the server takes nothing. */
static int end_verb(tnats_handle *handle, Tcl_Interp *interp, end_proc *end, Tcl_Obj *what,
                    Tcl_Obj *given_after)
{
    int64_t after;
    int64_t count = -1;
    if (tnats_number(interp, given_after, "after", 0, 0, &after) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status;
    while ((status = end(handle, what, (uint64_t)after, &count)) == NATS_ERR_INTERRUPTED) {
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
    if (status == NATS_OK && count >= 0) {
        Tcl_SetObjResult(interp, tnats_count_new((uint64_t)count));
    }
    return done(interp, status);
}

/* With a count for -after the word before it must be that. */
static bool is_after(Tcl_Interp *interp, Tcl_Obj *word)
{
    if (strcmp(Tcl_GetString(word), "-after") == 0) {
        return true;
    }
    tnats_fail_text(interp, NATS_ERR_INVALID, Tcl_GetString(word),
                    "bad option \"%.80s\": must be -after", Tcl_GetString(word));
    return false;
}

/* $nc unsubscribe sid|subject ?after? */
int tnats_client_unsubscribe(tnats_handle *handle, Tcl_Interp *interp, int objc,
                             Tcl_Obj *const objv[])
{
    if (objc == 5 && !is_after(interp, objv[3])) {
        return TCL_ERROR;
    }
    return end_verb(handle, interp, end_of_client, objv[2], objc > 3 ? objv[objc - 1] : NULL);
}

/* $sub unsubscribe ?after? or ?-after count? */
int tnats_sub_unsubscribe(tnats_handle *handle, Tcl_Interp *interp, int objc,
                          Tcl_Obj *const objv[])
{
    if (objc == 4 && !is_after(interp, objv[2])) {
        return TCL_ERROR;
    }
    return end_verb(handle, interp, end_of_sub, NULL, objc > 2 ? objv[objc - 1] : NULL);
}

/* ---- receive ---- */

typedef nats_status get_proc(void *object, size_t max, int64_t wait_ms, nats_msg **batch,
                             size_t *count_out);

static nats_status get_shared(void *client, size_t max, int64_t wait_ms, nats_msg **batch,
                              size_t *count_out)
{
    return nats_client_get(client, max, wait_ms, batch, count_out);
}

static nats_status get_of_sub(void *sub, size_t max, int64_t wait_ms, nats_msg **batch,
                              size_t *count_out)
{
    return nats_sub_get(sub, max, wait_ms, batch, count_out);
}

/* What is there, as a list; it waits for the first slice only. */
static nats_status take_batch(tnats_taking *taking, get_proc *get, int64_t wait_ms, bool *got_out)
{
    nats_msg *batch[SLICE];
    size_t count = SLICE;
    for (size_t filled = 0; filled < taking->max && count == SLICE; filled += count) {
        size_t room = taking->max - filled < SLICE ? taking->max - filled : SLICE;
        nats_status status =
            get(taking->handle->object, room, filled > 0 ? 0 : wait_ms, batch, &count);
        if (status != NATS_OK) {
            return filled > 0 ? NATS_OK : status; /* the next call tells it again */
        }
        Tcl_Obj *made[SLICE];
        for (size_t i = 0; i < count; i++) {
            made[i] = tnats_message_new(taking->handle->state, &batch[i]);
        }
        nats_msg_free_many(batch, count);
        if (count > 0 && filled == 0) {
            taking->result = Tcl_NewListObj((Tcl_Size)count, made);
            Tcl_IncrRefCount(taking->result);
            *got_out = true;
        } else if (count > 0) {
            Tcl_ListObjReplace(NULL, taking->result, (Tcl_Size)filled, 0, (Tcl_Size)count, made);
        }
    }
    return NATS_OK;
}

static nats_status take_shared(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    return take_batch(taking, get_shared, wait_ms, got_out);
}

static nats_status take_of_sub(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    return take_batch(taking, get_of_sub, wait_ms, got_out);
}

static int get_verb(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                    tnats_take *take)
{
    static const char *const names[] = {"-max", "-wait", NULL};
    Tcl_Obj *values[2];
    int64_t max;
    int64_t ms;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_number(interp, values[0], "-max", 1, GET_MAX, &max) != TCL_OK ||
        tnats_seconds(interp, values[1], "-wait", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = take, .handle = handle, .max = (size_t)max, .wakes = true};
    return tnats_take_within(&taking, interp, ms);
}

int tnats_client_get(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return get_verb(handle, interp, objc, objv, take_shared);
}

int tnats_sub_get(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return get_verb(handle, interp, objc, objv, take_of_sub);
}

static nats_status take_next(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    nats_msg *msg = NULL;
    nats_status status = nats_sub_next(taking->handle->object, wait_ms, &msg);
    if (status == NATS_OK && msg != NULL) {
        taking->result = tnats_message_new(taking->handle->state, &msg);
        Tcl_IncrRefCount(taking->result);
        nats_msg_free(msg);
        *got_out = true;
    }
    return status;
}

/* $sub next ?-timeout seconds?: a message, or nothing on silence. */
int tnats_sub_next(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = take_next, .handle = handle};
    return tnats_take_within(&taking, interp, ms);
}

static nats_status take_event(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    nats_event *event = NULL;
    nats_status status = nats_client_next_event(taking->handle->object, wait_ms, &event);
    if (status == NATS_OK && event != NULL) {
        taking->result = tnats_event_new(taking->handle->state, event);
        Tcl_IncrRefCount(taking->result);
        nats_event_free(event);
        *got_out = true;
    }
    return status;
}

/* $nc next_event ?-wait seconds?: an event, or nothing. */
int tnats_client_next_event(tnats_handle *handle, Tcl_Interp *interp, int objc,
                            Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-wait", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-wait", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = take_event, .handle = handle, .wakes = true};
    return tnats_take_within(&taking, interp, ms);
}

/* ---- what it knows ---- */

int tnats_client_server_info_json(tnats_handle *handle, Tcl_Interp *interp, int objc,
                                  Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_info *info = NULL;
    nats_status status = nats_client_server_info(client_of(handle), &info);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    size_t len;
    const char *text = nats_info_json(info, &len);
    Tcl_SetObjResult(interp, tnats_text_new(text, len));
    nats_info_free(info);
    return TCL_OK;
}

/* ---- the subscription's end ---- */

/* $sub close: unsubscribe, and the command goes. */
int tnats_sub_close(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_status status = nats_sub_unsubscribe(handle->object, 0);
    tnats_callback_remove(handle->parent->client, handle->sid);
    tnats_loop_update(handle->parent, interp);
    tnats_destroy(handle, interp, objc, objv);
    return done(interp, status);
}

void tnats_sub_abandon(tnats_handle *handle)
{
    tnats_callback_remove(handle->parent->client, handle->sid);
    nats_sub_set_mode(handle->object, NATS_SUB_PRIVATE); /* it ends then, and what it has is dropped */
    tnats_destroy(handle, handle->state->interp, 0, NULL);
}

/* $sub foreach variable ?-timeout seconds? body */
int tnats_sub_foreach(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    if (tnats_options(interp, objc - 1, objv, 3, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status = nats_sub_set_mode(handle->object, NATS_SUB_PRIVATE);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    Tcl_Obj *words[] = {Tcl_NewStringObj("::polynats::Foreach", -1),
                        Tcl_NewWideIntObj(handle->id), objv[2],
                        Tcl_NewDoubleObj(ms < 0 ? -1 : (double)ms / 1000), objv[objc - 1]};
    return Tcl_NREvalObj(interp, Tcl_NewListObj(5, words), 0);
}

static void sub_release(tnats_handle *handle)
{
    nats_sub_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_sub_kind = {"subscription", sub_release};
