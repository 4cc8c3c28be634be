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

/* subject ?data? from objv[2] on. The headers first: see client.c. */
static int read_words(tnats_state *state, int objc, Tcl_Obj *const objv[], Tcl_Obj *headers,
                      request_args *args)
{
    if (tnats_headers(state, headers, &args->headers) != TCL_OK) {
        return TCL_ERROR;
    }
    if (tnats_data(state, objc > 3 ? objv[3] : NULL, &args->data) != TCL_OK) {
        nats_headers_free(args->headers);
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
    for (;;) {
        request_args args;
        if (read_args(handle, interp, objc, objv, &args) != TCL_OK) {
            return TCL_ERROR;
        }
        nats_status status = nats_client_request_start(
            client_of(handle), args.subject.ptr, args.subject.len, args.headers, args.data.ptr,
            args.data.len, args.timeout_ms, future_out);
        args_free(&args);
        if (status != NATS_ERR_INTERRUPTED) {
            return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
        }
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
}

static nats_future *future_of(const tnats_taking *taking)
{
    return taking->future != NULL ? taking->future : taking->handle->object;
}

nats_status tnats_reply_wait(nats_future *future, int64_t wait_ms, nats_msg **msg, bool *open_out)
{
    nats_status status = nats_future_wait(future, wait_ms, msg);
    bool up = status == NATS_ERR_TIMEOUT && strcmp(nats_last_about(), "wait") == 0;
    *open_out = up && nats_future_done(future) == 0;
    if (!up || *open_out) {
        return status;
    }
    /* Of a request to the subject "wait" its own time was up, and that is told. */
    nats_status since = nats_future_wait(future, 0, msg);
    return since == NATS_ERR_CLOSED ? status : since;
}

/* The reply as a value. */
static nats_status read_with(tnats_reader *read, tnats_state *state, nats_msg *msg,
                             Tcl_Obj **value_out)
{
    nats_status status = NATS_OK;
    if (read != NULL) {
        status = read(state, &msg, value_out);
    } else {
        *value_out = tnats_message_new(state, &msg);
    }
    nats_msg_free(msg);
    return status;
}

nats_status tnats_take_reply(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    nats_msg *msg = NULL;
    bool open;
    nats_status status = tnats_reply_wait(future_of(taking), wait_ms, &msg, &open);
    if (status != NATS_OK) {
        return open ? NATS_OK : status;
    }
    if (msg != NULL) {
        status = read_with(taking->read != NULL ? taking->read : taking->handle->read,
                           taking->handle->state, msg, &taking->result);
        if (status != NATS_OK) {
            return status;
        }
        Tcl_IncrRefCount(taking->result);
    }
    *got_out = true;
    return NATS_OK;
}

/* Replies until there are no more: a list. */
nats_status tnats_take_replies(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    if (taking->result == NULL) {
        taking->result = Tcl_NewListObj(0, NULL);
        Tcl_IncrRefCount(taking->result);
    }
    for (;; wait_ms = 0) {
        nats_msg *msg = NULL;
        bool open;
        nats_status status = tnats_reply_wait(taking->future, wait_ms, &msg, &open);
        if (status != NATS_OK) {
            return open ? NATS_OK : status;
        }
        if (msg == NULL) {
            *got_out = true;
            return NATS_OK;
        }
        Tcl_ListObjAppendElement(NULL, taking->result,
                                 tnats_message_new(taking->handle->state, &msg));
        nats_msg_free(msg);
    }
}

int tnats_future_made(tnats_handle *owner, nats_future *future, tnats_reader *read)
{
    tnats_handle *made =
        tnats_handle_new(owner->state, &tnats_future_kind, future, tnats_owner(owner));
    if (made == NULL) {
        return TCL_ERROR;
    }
    made->read = read;
    return TCL_OK;
}

int tnats_client_request_start(tnats_handle *handle, Tcl_Interp *interp, int objc,
                               Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = start(handle, interp, objc, objv, &future);
    if (code != TCL_OK) {
        return code;
    }
    return tnats_future_made(handle, future, NULL);
}

/* $nc request subject ?data? ?-timeout seconds? ?-headers dict? */
int tnats_client_request(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = start(handle, interp, objc, objv, &future);
    if (code != TCL_OK) {
        return code;
    }
    tnats_taking taking = {.take = tnats_take_reply, .handle = handle, .future = future};
    return tnats_await(&taking, interp, NATS_OK);
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
        tnats_seconds(interp, values[2], "-timeout", -1, &args->timeout_ms) != TCL_OK ||
        tnats_boolean(interp, values[3], "-sentinel", &args->sentinel) != TCL_OK) {
        return TCL_ERROR;
    }
    return read_words(handle->state, objc, objv, values[4], args);
}

static int start_many(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                      nats_future **future_out)
{
    for (;;) {
        request_args args;
        if (read_many(handle, interp, objc, objv, &args) != TCL_OK) {
            return TCL_ERROR;
        }
        nats_status status = nats_client_request_many(
            client_of(handle), args.subject.ptr, args.subject.len, args.headers, args.data.ptr,
            args.data.len, (size_t)args.max, args.stall_ms, args.timeout_ms, args.sentinel,
            future_out);
        args_free(&args);
        if (status != NATS_ERR_INTERRUPTED) {
            return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
        }
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $nc request_many subject ?data? ?-max n? ?-stall s? ?-timeout s? ?-sentinel b? ?-headers d? */
int tnats_client_request_many(tnats_handle *handle, Tcl_Interp *interp, int objc,
                              Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = start_many(handle, interp, objc, objv, &future);
    if (code != TCL_OK) {
        return code;
    }
    tnats_taking taking = {.take = tnats_take_replies, .handle = handle, .future = future};
    return tnats_await(&taking, interp, NATS_OK);
}

/* ---- the future's verbs ---- */

int tnats_future_poll(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_msg *msg = NULL;
    int32_t done = 0;
    nats_status status = nats_future_poll(handle->object, &msg, &done);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    Tcl_Obj *value = NULL;
    if (msg != NULL) {
        status = read_with(handle->read, handle->state, msg, &value);
    }
    if (value != NULL) {
        Tcl_SetObjResult(interp, value);
    }
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

/* $future wait ?-timeout seconds? */
int tnats_future_wait(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_reply, .handle = handle,
                           .silence = "no reply yet: the request is still open"};
    return tnats_take_within(&taking, interp, ms);
}

static void future_release(tnats_handle *handle)
{
    nats_future_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_future_kind = {"future", future_release};
