/* The client's and the subscription's verbs that take options, wait, or must be quick. */
#include "tnats.h"

#include <string.h>

/* Messages that one inner call of get takes: their handles fit on the C stack. */
#define SLICE 512
/* What get gives at most when it is not told: as in the other languages. */
#define GET_MAX 65536
/* Payloads of one inner call of publish_many. */
#define PUBLISH_SLICE 256
/* Times that connect begins again after a signal: each is an attempt with a new timeout. */
#define CONNECT_RETRIES_MAX 100

static nats_client *client_of(const tnats_handle *handle)
{
    return handle->object;
}

static int done(Tcl_Interp *interp, nats_status status)
{
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

/* ---- life ---- */

static nats_status connect_again(tnats_wait *wait, const char *servers, const nats_options *options,
                                 nats_client **client, int *code_out)
{
    for (int tries = 0;; tries++) {
        nats_status status = nats_connect(servers, options, client);
        if (status != NATS_ERR_INTERRUPTED || tries == CONNECT_RETRIES_MAX) {
            return status;
        }
        *code_out = tnats_wait_next(wait);
        if (*code_out != TCL_OK) {
            return status;
        }
    }
}

/* Without a keeper the loop is what moves the bytes. */
static void note_keeper(tnats_handle *handle)
{
    int64_t keeper = 1;
    if (nats_client_option_int(handle->object, "keeper", &keeper) == NATS_OK && keeper == 0) {
        tnats_loop_always(handle);
    }
}

static int connect_with(tnats_state *state, const char *servers, const nats_options *options)
{
    nats_client *client = NULL;
    tnats_wait wait;
    int code = TCL_OK;
    tnats_wait_start(&wait, state->interp, -1);
    nats_status status = connect_again(&wait, servers, options, &client, &code);
    if (code != TCL_OK || status != NATS_OK) {
        return code != TCL_OK ? code : tnats_fail(state->interp, status);
    }
    tnats_handle *handle = tnats_handle_new(state, &tnats_client_kind, client, NULL);
    handle->client = tnats_client_new();
    note_keeper(handle);
    if (tnats_loop_update(handle, state->interp) != TCL_OK) {
        tnats_destroy(handle, state->interp, 0, NULL);
        return TCL_ERROR;
    }
    return TCL_OK;
}

/* polynats::connect ?url? ?-option value ...? */
int tnats_connect(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    tnats_state *state = data;
    int first = objc % 2 == 0 ? 2 : 1;
    tnats_bytes servers;
    nats_options *options;
    if (first == 2 && objc > 2 && Tcl_GetString(objv[1])[0] == '-') {
        return tnats_fail_text(interp, NATS_ERR_INVALID, Tcl_GetString(objv[objc - 1]),
                               "option \"%.80s\" has no value", Tcl_GetString(objv[objc - 1]));
    }
    if (tnats_servers(interp, first == 2 ? objv[1] : NULL, &servers) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status = nats_options_new(&options);
    if (status != NATS_OK) {
        tnats_bytes_free(&servers);
        return tnats_fail(interp, status);
    }
    /* A signal handler of the script's runs while a call waits; who does not want it says
     * -interruptible false. */
    nats_options_set_bool(options, "interruptible", 1);
    int code = tnats_connect_options(interp, objc, objv, first, options, NULL, NULL);
    if (code == TCL_OK) {
        code = connect_with(state, servers.ptr, options);
    }
    nats_options_free(options);
    tnats_bytes_free(&servers);
    return code;
}

int tnats_client_share(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_client *client = NULL;
    nats_status status = nats_client_share(client_of(handle), &client);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    tnats_handle *made = tnats_handle_new(handle->state, &tnats_client_kind, client, NULL);
    made->client = tnats_client_new();
    return TCL_OK;
}

int tnats_client_close(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    tnats_loop_end(handle);
    return done(interp, nats_client_close(client_of(handle)));
}

int tnats_client_drain(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_wait wait;
    tnats_wait_start(&wait, interp, -1);
    int code = tnats_loop_drain(handle, interp, ms);
    if (code != TCL_OK) {
        return code;
    }
    nats_status status;
    do {
        status = nats_client_drain(client_of(handle), ms);
        code = status == NATS_ERR_INTERRUPTED ? tnats_wait_next(&wait) : TCL_OK;
    } while (status == NATS_ERR_INTERRUPTED && code == TCL_OK);
    if (nats_client_status(client_of(handle)) == NATS_CLIENT_CLOSED) {
        tnats_loop_end(handle);
    }
    return code != TCL_OK ? code : done(interp, status);
}

/* ---- publish ---- */

typedef struct publish_args {
    tnats_bytes subject;
    tnats_bytes data;
    tnats_bytes reply;
    nats_headers *headers;
} publish_args;

static void publish_args_free(publish_args *args)
{
    tnats_bytes_free(&args->subject);
    tnats_bytes_free(&args->data);
    tnats_bytes_free(&args->reply);
    nats_headers_free(args->headers);
}

/* Nothing was accepted when a signal interrupts: the publish begins again. */
static int publish(tnats_handle *handle, Tcl_Interp *interp, const publish_args *args)
{
    tnats_wait wait;
    tnats_wait_start(&wait, interp, -1);
    for (;;) {
        nats_status status = nats_client_publish_with(
            client_of(handle), args->subject.ptr, args->subject.len, args->reply.ptr,
            args->reply.len, args->headers, args->data.ptr, args->data.len);
        if (status != NATS_ERR_INTERRUPTED) {
            return done(interp, status);
        }
        int code = tnats_wait_next(&wait);
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $nc publish subject ?data? ?-reply subject? ?-headers dict? */
static int publish_with(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-reply", "-headers", NULL};
    Tcl_Obj *values[2];
    publish_args args;
    memset(&args, 0, sizeof(args));
    if (tnats_options(interp, objc, objv, 4, names, values) != TCL_OK) {
        return TCL_ERROR;
    }
    int code = tnats_data(handle->state, objc > 3 ? objv[3] : NULL, &args.data);
    if (code == TCL_OK) {
        code = tnats_headers(handle->state, values[1], &args.headers);
    }
    if (code == TCL_OK) {
        tnats_text(objv[2], &args.subject);
        tnats_text(values[0], &args.reply);
        code = publish(handle, interp, &args);
    }
    publish_args_free(&args);
    return code;
}

int tnats_client_publish(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    tnats_bytes subject;
    tnats_bytes data;
    if (objc != 4) {
        return publish_with(handle, interp, objc, objv);
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
    return status == NATS_ERR_INTERRUPTED ? publish_with(handle, interp, objc, objv)
                                          : tnats_fail(interp, status);
}

/* One slice of the payloads; *done_io counts what was accepted. */
static int publish_slice(tnats_handle *handle, const tnats_bytes *subject, Tcl_Obj **items,
                         size_t count, Tcl_WideInt *done_io)
{
    Tcl_Interp *interp = handle->state->interp;
    const void *datas[PUBLISH_SLICE];
    size_t lens[PUBLISH_SLICE];
    tnats_bytes bytes[PUBLISH_SLICE];
    size_t ready = 0;
    int code = TCL_OK;
    for (; ready < count; ready++) {
        code = tnats_data(handle->state, items[ready], &bytes[ready]);
        if (code != TCL_OK) {
            break;
        }
        datas[ready] = bytes[ready].ptr;
        lens[ready] = bytes[ready].len;
    }
    tnats_wait wait;
    tnats_wait_start(&wait, interp, -1);
    nats_status status = NATS_OK;
    for (size_t at = 0; code == TCL_OK && at < count;) {
        size_t accepted = 0;
        status = nats_client_publish_many(client_of(handle), subject->ptr, subject->len,
                                          datas + at, lens + at, count - at, &accepted);
        at += accepted;
        *done_io += (Tcl_WideInt)accepted;
        if (status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
            code = tnats_fail(interp, status);
        } else if (status == NATS_ERR_INTERRUPTED) {
            code = tnats_wait_next(&wait);
        }
    }
    for (size_t i = 0; i < ready; i++) {
        tnats_bytes_free(&bytes[i]);
    }
    return code;
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

int tnats_client_publish_many(tnats_handle *handle, Tcl_Interp *interp, int objc,
                              Tcl_Obj *const objv[])
{
    (void)objc;
    Tcl_Size count;
    Tcl_Obj **items;
    Tcl_WideInt published = 0;
    tnats_bytes subject;
    if (Tcl_ListObjGetElements(interp, objv[3], &count, &items) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_Obj *list = objv[3];
    Tcl_IncrRefCount(list); /* a signal's handler may change the variable */
    tnats_text(objv[2], &subject);
    int code = TCL_OK;
    for (Tcl_Size at = 0; at < count && code == TCL_OK; at += PUBLISH_SLICE) {
        /* Reading an element as text may have changed the list's own form, were it in itself. */
        Tcl_ListObjGetElements(NULL, list, &count, &items);
        size_t left = (size_t)(count - at);
        code = publish_slice(handle, &subject, items + at,
                             left < PUBLISH_SLICE ? left : PUBLISH_SLICE, &published);
    }
    tnats_bytes_free(&subject);
    Tcl_DecrRefCount(list);
    if (code != TCL_OK) {
        return add_published(interp, code, published);
    }
    Tcl_SetObjResult(interp, Tcl_NewWideIntObj(published));
    return TCL_OK;
}

/* $nc respond message ?data? ?-headers dict? */
int tnats_client_respond(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-headers", NULL};
    Tcl_Obj *values[1];
    Tcl_Obj *reply = NULL;
    publish_args args;
    memset(&args, 0, sizeof(args));
    if (Tcl_DictObjGet(interp, objv[2], handle->state->keys[TNATS_REPLY], &reply) != TCL_OK ||
        tnats_options(interp, objc, objv, 4, names, values) != TCL_OK) {
        return TCL_ERROR;
    }
    if (reply == NULL || Tcl_GetString(reply)[0] == '\0') {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "reply",
                               "the message asks for no answer: it has no reply subject");
    }
    int code = tnats_data(handle->state, objc > 3 ? objv[3] : NULL, &args.data);
    if (code == TCL_OK) {
        code = tnats_headers(handle->state, values[0], &args.headers);
    }
    if (code == TCL_OK) {
        tnats_text(reply, &args.subject);
        code = publish(handle, interp, &args);
    }
    publish_args_free(&args);
    return code;
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
    args->command = values[4];
    tnats_text(values[0], &args->queue);
    return TCL_OK;
}

/* $nc subscribe pattern ?-queue q? ?-max n? ?-pending_msgs n? ?-pending_bytes n? ?-command p? */
int tnats_client_subscribe(tnats_handle *handle, Tcl_Interp *interp, int objc,
                           Tcl_Obj *const objv[])
{
    sub_args args;
    tnats_bytes subject;
    nats_sub *sub = NULL;
    if (read_sub_args(interp, objc, objv, &args) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_text(objv[2], &subject);
    nats_status status = nats_client_subscribe_with(
        client_of(handle), subject.ptr, subject.len, args.queue.ptr, args.queue.len,
        (uint64_t)args.max, args.pending_msgs, args.pending_bytes,
        args.command != NULL ? NATS_SUB_CALLBACK : NATS_SUB_SHARED, &sub);
    tnats_bytes_free(&subject);
    tnats_bytes_free(&args.queue);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    uint64_t sid = nats_sub_sid(sub);
    if (args.command != NULL) {
        tnats_loop_add(handle, sid, args.command);
        if (tnats_loop_update(handle, interp) != TCL_OK) {
            nats_sub_unsubscribe(sub, 0);
            nats_sub_free(sub);
            return TCL_ERROR;
        }
    }
    tnats_handle_new(handle->state, &tnats_sub_kind, sub, handle)->sid = sid;
    return TCL_OK;
}

/* $nc unsubscribe sid|subject ?after? */
int tnats_client_unsubscribe(tnats_handle *handle, Tcl_Interp *interp, int objc,
                             Tcl_Obj *const objv[])
{
    int64_t after;
    Tcl_WideInt sid;
    size_t count = 0;
    if (tnats_number(interp, objc > 3 ? objv[3] : NULL, "after", 0, 0, &after) != TCL_OK) {
        return TCL_ERROR;
    }
    if (Tcl_GetWideIntFromObj(NULL, objv[2], &sid) == TCL_OK) {
        return done(interp, nats_client_unsubscribe(client_of(handle), (uint64_t)sid,
                                                    (uint64_t)after));
    }
    tnats_bytes subject;
    tnats_text(objv[2], &subject);
    nats_status status = nats_client_unsubscribe_subject(
        client_of(handle), subject.ptr, subject.len, (uint64_t)after, &count);
    tnats_bytes_free(&subject);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    Tcl_SetObjResult(interp, tnats_count_new(count));
    return TCL_OK;
}

/* ---- receive ---- */

typedef nats_status take_proc(void *object, size_t max, int64_t wait_ms, nats_msg **batch,
                              size_t *count_out);

static nats_status take_shared(void *client, size_t max, int64_t wait_ms, nats_msg **batch,
                               size_t *count_out)
{
    return nats_client_get(client, max, wait_ms, batch, count_out);
}

static nats_status take_sub(void *sub, size_t max, int64_t wait_ms, nats_msg **batch,
                            size_t *count_out)
{
    return nats_sub_get(sub, max, wait_ms, batch, count_out);
}

/* Add what is there to the list, without waiting but for the first slice. */
static nats_status fill(tnats_handle *handle, take_proc *take, size_t max, int64_t wait_ms,
                        Tcl_Obj *list, size_t *filled)
{
    nats_msg *batch[SLICE];
    size_t count = SLICE;
    nats_status status = NATS_OK;
    while (*filled < max && count == SLICE) {
        size_t room = max - *filled < SLICE ? max - *filled : SLICE;
        status = take(handle->object, room, *filled > 0 ? 0 : wait_ms, batch, &count);
        if (status != NATS_OK) {
            return *filled > 0 ? NATS_OK : status;
        }
        for (size_t i = 0; i < count; i++) {
            Tcl_ListObjAppendElement(NULL, list, tnats_message_new(handle->state, batch[i]));
        }
        nats_msg_free_many(batch, count);
        *filled += count;
    }
    return status;
}

static int get(tnats_handle *handle, Tcl_Interp *interp, take_proc *take, size_t max, int64_t ms)
{
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    Tcl_IncrRefCount(list);
    size_t filled = 0;
    tnats_wait wait;
    nats_status status = fill(handle, take, max, 0, list, &filled);
    int code = TCL_OK;
    if (status == NATS_OK && filled == 0 && ms != 0 && tnats_in_coroutine(handle->state)) {
        Tcl_DecrRefCount(list);
        Tcl_Obj *rest[] = {Tcl_NewStringObj("-max", -1), tnats_count_new(max)};
        return tnats_await(handle, "get", ms, rest, 2);
    }
    for (tnats_wait_start(&wait, interp, ms);
         code == TCL_OK && filled == 0 && !tnats_wait_over(&wait) &&
         (status == NATS_OK || status == NATS_ERR_INTERRUPTED);) {
        status = fill(handle, take, max, wait.ms, list, &filled);
        if (filled == 0 && status == NATS_OK && tnats_wait_woken(&wait)) {
            break;
        }
        code = filled == 0 ? tnats_wait_next(&wait) : TCL_OK;
    }
    if (code == TCL_OK && status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
        code = tnats_fail(interp, status);
    } else if (code == TCL_OK) {
        Tcl_SetObjResult(interp, list);
    }
    Tcl_DecrRefCount(list);
    return code;
}

static int get_verb(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                    take_proc *take)
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
    return get(handle, interp, take, (size_t)max, ms);
}

int tnats_client_get(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return get_verb(handle, interp, objc, objv, take_shared);
}

int tnats_sub_get(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    return get_verb(handle, interp, objc, objv, take_sub);
}

/* $sub next ?-timeout seconds?: a message, or nothing on silence. */
int tnats_sub_next(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    nats_msg *msg = NULL;
    tnats_wait wait;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    int code = TCL_OK;
    nats_status status = nats_sub_next(handle->object, 0, &msg);
    if (status == NATS_OK && msg == NULL && ms != 0 && tnats_in_coroutine(handle->state)) {
        return tnats_await(handle, "next", ms, NULL, 0);
    }
    for (tnats_wait_start(&wait, interp, ms);
         code == TCL_OK && msg == NULL && !tnats_wait_over(&wait) &&
         (status == NATS_OK || status == NATS_ERR_INTERRUPTED);) {
        status = nats_sub_next(handle->object, wait.ms, &msg);
        code = msg == NULL ? tnats_wait_next(&wait) : TCL_OK;
    }
    if (code == TCL_OK && status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
        return tnats_fail(interp, status);
    }
    if (msg != NULL) {
        Tcl_SetObjResult(interp, tnats_message_new(handle->state, msg));
        nats_msg_free(msg);
    }
    return code;
}

/* $nc next_event ?-wait seconds?: an event, or nothing. */
int tnats_client_next_event(tnats_handle *handle, Tcl_Interp *interp, int objc,
                            Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-wait", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    nats_event *event = NULL;
    tnats_wait wait;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-wait", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    int code = TCL_OK;
    nats_status status = nats_client_next_event(client_of(handle), 0, &event);
    if (status == NATS_OK && event == NULL && ms != 0 && tnats_in_coroutine(handle->state)) {
        return tnats_await(handle, "next_event", ms, NULL, 0);
    }
    for (tnats_wait_start(&wait, interp, ms);
         code == TCL_OK && event == NULL && !tnats_wait_over(&wait) &&
         (status == NATS_OK || status == NATS_ERR_INTERRUPTED);) {
        status = nats_client_next_event(client_of(handle), wait.ms, &event);
        if (event == NULL && status == NATS_OK && tnats_wait_woken(&wait)) {
            break;
        }
        code = event == NULL ? tnats_wait_next(&wait) : TCL_OK;
    }
    if (code == TCL_OK && status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
        return tnats_fail(interp, status);
    }
    if (event != NULL) {
        Tcl_SetObjResult(interp, tnats_event_new(handle->state, event));
        nats_event_free(event);
    }
    return code;
}

/* ---- round trips ---- */

/* The timeout of a verb that takes nothing else; without one it is the option's. */
static int read_timeout(tnats_handle *handle, int objc, Tcl_Obj *const objv[], int64_t *ms_out)
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Interp *interp = handle->state->interp;
    Tcl_Obj *values[1];
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, ms_out) != TCL_OK) {
        return TCL_ERROR;
    }
    if (*ms_out < 0 && nats_client_option_int(client_of(handle), "request_timeout", ms_out) !=
                           NATS_OK) {
        *ms_out = -1;
    }
    return TCL_OK;
}

/* Each slice is a PING of its own, and the last PONG tells of all that was sent before. */
static int flush(tnats_handle *handle, int64_t ms)
{
    Tcl_Interp *interp = handle->state->interp;
    int code;
    tnats_wait wait;
    tnats_wait_start(&wait, interp, ms);
    nats_status status;
    do {
        status = nats_client_flush(client_of(handle), wait.ms);
    } while (tnats_wait_again(&wait, &status, &code));
    return code != TCL_OK ? code : done(interp, status);
}

int tnats_client_flush(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    int64_t ms;
    return read_timeout(handle, objc, objv, &ms) == TCL_OK ? flush(handle, ms) : TCL_ERROR;
}

int tnats_client_rtt(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    int64_t ms;
    int64_t rtt_ns = 0;
    int code;
    tnats_wait wait;
    if (read_timeout(handle, objc, objv, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_wait_start(&wait, interp, ms);
    nats_status status;
    do {
        status = nats_client_rtt(client_of(handle), wait.ms, &rtt_ns);
    } while (tnats_wait_again(&wait, &status, &code));
    if (code != TCL_OK || status != NATS_OK) {
        return code != TCL_OK ? code : tnats_fail(interp, status);
    }
    Tcl_SetObjResult(interp, Tcl_NewDoubleObj((double)rtt_ns / 1e9));
    return TCL_OK;
}

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

/* ---- what is written in Tcl ---- */

static int call_script(tnats_handle *handle, const char *name, int objc, Tcl_Obj *const objv[])
{
    Tcl_Obj *words[] = {Tcl_NewStringObj(name, -1), tnats_handle_name(handle)};
    Tcl_Obj *command = Tcl_NewListObj(2, words);
    for (int i = 2; i < objc; i++) {
        Tcl_ListObjAppendElement(NULL, command, objv[i]);
    }
    return Tcl_NREvalObj(handle->state->interp, command, 0);
}

int tnats_client_run(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    return call_script(handle, "::polynats::Run", objc, objv);
}

int tnats_client_stop(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    return call_script(handle, "::polynats::Stop", objc, objv);
}

/* ---- the subscription's end ---- */

int tnats_sub_drain(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    tnats_wait wait;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_wait_start(&wait, interp, -1);
    for (;;) {
        nats_status status = nats_sub_drain(handle->object, ms);
        if (status != NATS_ERR_INTERRUPTED) {
            return done(interp, status);
        }
        int code = tnats_wait_next(&wait);
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $sub close: unsubscribe, and the command goes. */
int tnats_sub_close(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_status status = nats_sub_unsubscribe(handle->object, 0);
    if (handle->parent->client != NULL) {
        tnats_loop_remove(handle->parent, handle->sid);
    }
    tnats_destroy(handle, interp, objc, objv);
    return done(interp, status);
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
    Tcl_Obj *words[] = {Tcl_NewStringObj("::polynats::Foreach", -1), tnats_handle_name(handle),
                        objv[3 - 1], Tcl_NewDoubleObj(ms < 0 ? -1 : (double)ms / 1000),
                        objv[objc - 1]};
    return Tcl_NREvalObj(interp, Tcl_NewListObj(5, words), 0);
}

static void sub_release(tnats_handle *handle)
{
    nats_sub_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_sub_kind = {"subscription", sub_release};
