/* Batches: messages that are stored all, or not at all. */
#include "tnats.h"

static void batch_release(tnats_handle *handle)
{
    nats_js_batch_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_batch_kind = {"batch", batch_release};

/* $js batch */
int tnats_js_batch(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    const tnats_js *js = handle->object;
    nats_js_batch *batch = NULL;
    (void)objc;
    (void)objv;
    nats_status status = nats_js_batch_new(js->inner, &batch);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    return tnats_handle_new(handle->state, &tnats_batch_kind, batch, tnats_owner(handle)) != NULL
               ? TCL_OK
               : TCL_ERROR;
}

typedef nats_status begin(nats_js_batch *batch, const char *subject, size_t subject_len,
                          const nats_headers *headers, const void *data, size_t data_len,
                          int64_t timeout_ms, nats_future **future_out);

static int start(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                 begin *begin_it, nats_future **future_out)
{
    for (;;) {
        tnats_storing what;
        if (handle->object == NULL) {
            return tnats_fail_text(interp, NATS_ERR_CLOSED, "batch", "the batch was abandoned");
        }
        /* commit may have no message, but options. */
        bool bare = begin_it == nats_js_batch_commit_start && objc > 2 &&
                    Tcl_GetString(objv[2])[0] == '-';
        if (tnats_storing_read(handle->state, objc, objv, bare ? 2 : 4, &what) != TCL_OK) {
            return TCL_ERROR;
        }
        nats_status status =
            begin_it(handle->object, what.subject.ptr, what.subject.len, what.headers,
                     what.data.ptr, what.data.len, what.timeout_ms, future_out);
        tnats_storing_free(&what);
        if (status != NATS_ERR_INTERRUPTED) {
            return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
        }
        int code = tnats_interrupted(interp);
        if (code != TCL_OK) {
            return code;
        }
    }
}

/* $batch add subject ?data? ?-headers dict? ?-timeout seconds? ?-keyword value ...? */
int tnats_batch_add(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    if (start(handle, interp, objc, objv, nats_js_batch_add_start, &future) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_end, .handle = handle, .future = future};
    return tnats_await(&taking, interp, NATS_OK);
}

int tnats_batch_add_start(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = start(handle, interp, objc, objv, nats_js_batch_add_start, &future);
    return code == TCL_OK ? tnats_future_made(handle, future, NULL) : code;
}

/* $batch commit ?subject? ?data? ...: the ack. */
int tnats_batch_commit(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    if (start(handle, interp, objc, objv, nats_js_batch_commit_start, &future) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_reply, .handle = handle, .future = future,
                           .read = tnats_read_ack};
    return tnats_await(&taking, interp, NATS_OK);
}

int tnats_batch_commit_start(tnats_handle *handle, Tcl_Interp *interp, int objc,
                             Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = start(handle, interp, objc, objv, nats_js_batch_commit_start, &future);
    return code == TCL_OK ? tnats_future_made(handle, future, tnats_read_ack) : code;
}

/* $batch abandon: the server forgets it. */
int tnats_batch_abandon(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    (void)objc;
    (void)objv;
    batch_release(handle);
    return TCL_OK;
}
