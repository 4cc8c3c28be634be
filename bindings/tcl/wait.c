/* Waiting in slices: between them the interpreter's signal handlers run, and its cancelling and its
 * limits are looked at. Nothing is lost by it, for a slice that ends has taken nothing. */
#include "tnats.h"

#define NS_PER_MS INT64_C(1000000)
/* Longest wait in ms that still fits into ns; what is longer is for ever. */
#define WAIT_MS_MAX (INT64_MAX / NS_PER_MS / 2)
/* Half of the 0.1 s within which a waiting call gives way. */
#define SLICE_MS 50

static void set_slice(tnats_wait *wait)
{
    int64_t now_ns = tnats_now_ns();
    int64_t left = SLICE_MS;
    if (wait->deadline_ns != INT64_MAX) {
        left = (wait->deadline_ns - now_ns + NS_PER_MS - 1) / NS_PER_MS;
    }
    wait->ms = left <= 0 ? 0 : left < SLICE_MS ? left : SLICE_MS;
    wait->slice_ns = now_ns + wait->ms * NS_PER_MS;
}

void tnats_wait_start(tnats_wait *wait, Tcl_Interp *interp, int64_t ms)
{
    wait->interp = interp;
    wait->deadline_ns = INT64_MAX;
    if (ms >= 0 && ms <= WAIT_MS_MAX) {
        wait->deadline_ns = tnats_now_ns() + ms * NS_PER_MS;
    }
    set_slice(wait);
}

bool tnats_wait_woken(const tnats_wait *wait)
{
    return tnats_now_ns() < wait->slice_ns - NS_PER_MS;
}

bool tnats_wait_over(const tnats_wait *wait)
{
    return wait->ms == 0;
}

/* The time limit of the interpreter; Tcl looks at it only each so many times it is asked. */
static int check_limit(Tcl_Interp *interp)
{
    if (!Tcl_LimitTypeEnabled(interp, TCL_LIMIT_TIME)) {
        return TCL_OK;
    }
    int times = Tcl_LimitGetGranularity(interp, TCL_LIMIT_TIME);
    for (int i = 0; i < times; i++) {
        if (Tcl_LimitReady(interp)) {
            return Tcl_LimitCheck(interp);
        }
    }
    return TCL_OK;
}

int tnats_wait_next(tnats_wait *wait)
{
    if (Tcl_AsyncReady()) {
        int code = Tcl_AsyncInvoke(wait->interp, TCL_OK);
        if (code != TCL_OK) {
            return code;
        }
    }
    if (Tcl_Canceled(wait->interp, TCL_LEAVE_ERR_MSG) != TCL_OK) {
        return TCL_ERROR;
    }
    set_slice(wait);
    return check_limit(wait->interp);
}

bool tnats_wait_again(tnats_wait *wait, nats_status *status_io, int *code_out)
{
    *code_out = TCL_OK;
    if (*status_io != NATS_ERR_TIMEOUT && *status_io != NATS_ERR_INTERRUPTED) {
        return false;
    }
    *code_out = tnats_wait_next(wait);
    return *code_out == TCL_OK && (*status_io == NATS_ERR_INTERRUPTED || !tnats_wait_over(wait));
}

bool tnats_in_coroutine(tnats_state *state)
{
    Tcl_Interp *interp = state->interp;
    Tcl_Obj *words[] = {state->coroutine};
    if (Tcl_EvalObjv(interp, 1, words, TCL_EVAL_GLOBAL) != TCL_OK) {
        Tcl_ResetResult(interp);
        return false;
    }
    bool inside = Tcl_GetString(Tcl_GetObjResult(interp))[0] != '\0';
    Tcl_ResetResult(interp);
    return inside;
}

/* In a coroutine the script's side of the package waits: polynats.tcl. */
int tnats_await(tnats_handle *handle, const char *verb, int64_t ms, Tcl_Obj *const *rest,
                int rest_count)
{
    Tcl_Obj *words[] = {Tcl_NewStringObj("::polynats::Await", -1), tnats_handle_name(handle),
                        Tcl_NewWideIntObj(ms), Tcl_NewStringObj(verb, -1)};
    Tcl_Obj *command = Tcl_NewListObj(4, words);
    for (int i = 0; i < rest_count; i++) {
        Tcl_ListObjAppendElement(NULL, command, rest[i]);
    }
    return Tcl_NREvalObj(handle->state->interp, command, 0);
}
