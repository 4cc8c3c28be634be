/* Requests. One that waits is a future, so that cancelling and signals are seen while it does and
 * nothing is lost. */
#include "tnats.h"

#include <string.h>

typedef struct request_args {
    tnats_bytes subject;
    tnats_bytes data;
    nats_headers *headers;
    int64_t timeout_ms;
    int64_t stall_ms;
    int64_t max;
    int sentinel;
} request_args;

static nats_client *client_of(const tnats_handle *handle)
{
    return handle->object;
}

static void args_free(request_args *args)
{
    tnats_bytes_free(&args->subject);
    tnats_bytes_free(&args->data);
    nats_headers_free(args->headers);
}

/* subject ?data? from objv[2] on. */
static int read_words(tnats_state *state, int objc, Tcl_Obj *const objv[], Tcl_Obj *headers,
                      request_args *args)
{
    if (tnats_data(state, objc > 3 ? objv[3] : NULL, &args->data) != TCL_OK) {
        return TCL_ERROR;
    }
    if (headers != NULL && tnats_headers(state, headers, &args->headers) != TCL_OK) {
        tnats_bytes_free(&args->data);
        return TCL_ERROR;
    }
    tnats_text(objv[2], &args->subject);
    return TCL_OK;
}

static int read_args(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                     request_args *args)
{
    static const char *const names[] = {"-timeout", "-headers", NULL};
    Tcl_Obj *values[2] = {NULL, NULL};
    memset(args, 0, sizeof(*args));
    args->timeout_ms = -1;
    if (objc > 4 && (tnats_options(interp, objc, objv, 4, names, values) != TCL_OK ||
                     tnats_seconds(interp, values[0], "-timeout", -1, &args->timeout_ms))) {
        return TCL_ERROR;
    }
    return read_words(handle->state, objc, objv, values[1], args);
}

/* Begin a request; a signal begins it again, for nothing was sent then. */
static int start(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                 nats_future **future_out)
{
    request_args args;
    tnats_wait wait;
    if (read_args(handle, interp, objc, objv, &args) != TCL_OK) {
        return TCL_ERROR;
    }
    int code = TCL_OK;
    nats_status status;
    do {
        status = nats_client_request_start(client_of(handle), args.subject.ptr, args.subject.len,
                                           args.headers, args.data.ptr, args.data.len,
                                           args.timeout_ms, future_out);
        if (status == NATS_ERR_INTERRUPTED) {
            tnats_wait_start(&wait, interp, -1);
            code = tnats_wait_next(&wait);
        }
    } while (status == NATS_ERR_INTERRUPTED && code == TCL_OK);
    args_free(&args);
    if (code != TCL_OK) {
        return code;
    }
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

/* Wait for a future's next reply, in slices. *over_out: the wait was up, the future is open. */
static int wait_reply(nats_future *future, Tcl_Interp *interp, int64_t ms, nats_msg **msg_out,
                      bool *over_out)
{
    tnats_wait wait;
    *over_out = false;
    tnats_wait_start(&wait, interp, ms);
    for (;;) {
        nats_status status = nats_future_wait(future, wait.ms, msg_out);
        if (status == NATS_OK) {
            return TCL_OK;
        }
        bool open = status == NATS_ERR_INTERRUPTED ||
                    (status == NATS_ERR_TIMEOUT && nats_future_done(future) == 0);
        if (!open || tnats_wait_over(&wait)) {
            *over_out = open;
            return tnats_fail(interp, open ? NATS_ERR_TIMEOUT : status);
        }
        int code = tnats_wait_next(&wait);
        if (code != TCL_OK) {
            return code;
        }
    }
}

static int reply_result(tnats_state *state, nats_msg *msg)
{
    if (msg != NULL) {
        Tcl_SetObjResult(state->interp, tnats_message_new(state, msg));
        nats_msg_free(msg);
    }
    return TCL_OK;
}

int tnats_client_request_start(tnats_handle *handle, Tcl_Interp *interp, int objc,
                               Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = start(handle, interp, objc, objv, &future);
    if (code == TCL_OK) {
        tnats_handle_new(handle->state, &tnats_future_kind, future, handle);
    }
    return code;
}

/* In a coroutine: the future gets a command, for polynats.tcl to wait with. */
static int await_request(tnats_handle *handle, nats_future *future)
{
    tnats_handle *made = tnats_handle_new(handle->state, &tnats_future_kind, future, handle);
    Tcl_Obj *words[] = {Tcl_NewStringObj("::polynats::AwaitReply", -1), tnats_handle_name(made)};
    return Tcl_NREvalObj(handle->state->interp, Tcl_NewListObj(2, words), 0);
}

/* $nc request subject ?data? ?-timeout seconds? ?-headers dict? */
int tnats_client_request(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    nats_msg *msg = NULL;
    bool over;
    int code = start(handle, interp, objc, objv, &future);
    if (code != TCL_OK) {
        return code;
    }
    if (tnats_in_coroutine(handle->state)) {
        return await_request(handle, future);
    }
    code = wait_reply(future, interp, -1, &msg, &over);
    nats_future_free(future);
    return code == TCL_OK ? reply_result(handle->state, msg) : code;
}

/* Replies until there are no more. */
static int collect(tnats_state *state, nats_future *future)
{
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    Tcl_IncrRefCount(list);
    int code;
    for (;;) {
        nats_msg *msg = NULL;
        bool over;
        code = wait_reply(future, state->interp, -1, &msg, &over);
        if (code != TCL_OK || msg == NULL) {
            break;
        }
        Tcl_ListObjAppendElement(NULL, list, tnats_message_new(state, msg));
        nats_msg_free(msg);
    }
    if (code == TCL_OK) {
        Tcl_SetObjResult(state->interp, list);
    }
    Tcl_DecrRefCount(list);
    return code;
}

static int read_many(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                     request_args *args)
{
    static const char *const names[] = {"-max", "-stall", "-timeout", "-sentinel", "-headers",
                                        NULL};
    Tcl_Obj *values[5];
    memset(args, 0, sizeof(*args));
    if (tnats_options(interp, objc, objv, 4, names, values) != TCL_OK ||
        tnats_number(interp, values[0], "-max", 0, 0, &args->max) != TCL_OK ||
        tnats_seconds(interp, values[1], "-stall", 0, &args->stall_ms) != TCL_OK ||
        tnats_seconds(interp, values[2], "-timeout", -1, &args->timeout_ms) != TCL_OK) {
        return TCL_ERROR;
    }
    if (values[3] != NULL &&
        Tcl_GetBooleanFromObj(NULL, values[3], &args->sentinel) != TCL_OK) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, "-sentinel",
                               "-sentinel must be a boolean, not \"%.80s\"",
                               Tcl_GetString(values[3]));
    }
    return read_words(handle->state, objc, objv, values[4], args);
}

/* $nc request_many subject ?data? ?-max n? ?-stall s? ?-timeout s? ?-sentinel b? ?-headers d? */
int tnats_client_request_many(tnats_handle *handle, Tcl_Interp *interp, int objc,
                              Tcl_Obj *const objv[])
{
    request_args args;
    nats_future *future = NULL;
    if (read_many(handle, interp, objc, objv, &args) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status = nats_client_request_many(
        client_of(handle), args.subject.ptr, args.subject.len, args.headers, args.data.ptr,
        args.data.len, (size_t)args.max, args.stall_ms < 0 ? 0 : args.stall_ms, args.timeout_ms,
        args.sentinel, &future);
    args_free(&args);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    int code = collect(handle->state, future);
    nats_future_free(future);
    return code;
}

/* ---- the future's verbs ---- */

int tnats_future_poll(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_msg *msg = NULL;
    int32_t done = 0;
    nats_status status = nats_future_poll(handle->object, &msg, &done);
    return status == NATS_OK ? reply_result(handle->state, msg) : tnats_fail(interp, status);
}

/* $future wait ?-timeout seconds? */
int tnats_future_wait(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    nats_msg *msg = NULL;
    bool over;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    if (ms != 0 && nats_future_done(handle->object) == 0 && tnats_in_coroutine(handle->state)) {
        return tnats_await(handle, "poll", ms, NULL, 0);
    }
    int code = wait_reply(handle->object, interp, ms, &msg, &over);
    return code == TCL_OK ? reply_result(handle->state, msg) : code;
}

static void future_release(tnats_handle *handle)
{
    nats_future_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_future_kind = {"future", future_release};
