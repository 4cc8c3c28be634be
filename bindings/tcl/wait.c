/* Waiting: in slices, between which the interpreter's signal handlers run and its cancelling and its
 * limits are looked at; or, in a coroutine, by yielding to the event loop. Nothing is lost by it, for
 * an attempt that ends has taken nothing. */
#include "tnats.h"

#include <string.h>

#define NS_PER_MS INT64_C(1000000)
/* Longest wait in ms that still fits into ns; what is longer is for ever. */
#define WAIT_MS_MAX (INT64_MAX / NS_PER_MS / 2)
/* Half of the 0.1 s within which a waiting call gives way. */
#define SLICE_MS 50
/* Longest timer in ms that Tcl is given, which takes an int. */
#define TIMER_MAX_MS 3600000

/* ---- slices ---- */

static int64_t deadline_in(int64_t ms)
{
    return ms >= 0 && ms <= WAIT_MS_MAX ? tnats_now_ns() + ms * NS_PER_MS : INT64_MAX;
}

/* From now to the deadline in ms, rounded up; -1: for ever. */
static int64_t left_until(int64_t deadline_ns)
{
    if (deadline_ns == INT64_MAX) {
        return -1;
    }
    int64_t left = (deadline_ns - tnats_now_ns() + NS_PER_MS - 1) / NS_PER_MS;
    return left > 0 ? left : 0;
}

static void set_slice(tnats_wait *wait)
{
    int64_t left = left_until(wait->deadline_ns);
    wait->ms = left < 0 || left > SLICE_MS ? SLICE_MS : left;
}

void tnats_wait_start(tnats_wait *wait, Tcl_Interp *interp, int64_t ms)
{
    wait->interp = interp;
    wait->deadline_ns = deadline_in(ms);
    set_slice(wait);
}

bool tnats_wait_over(const tnats_wait *wait)
{
    return wait->ms == 0;
}

int64_t tnats_wait_left(const tnats_wait *wait)
{
    return left_until(wait->deadline_ns);
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

int tnats_interrupted(Tcl_Interp *interp)
{
    if (Tcl_AsyncReady()) {
        int code = Tcl_AsyncInvoke(interp, TCL_OK);
        if (code != TCL_OK) {
            return code;
        }
    }
    if (Tcl_Canceled(interp, TCL_LEAVE_ERR_MSG) != TCL_OK) {
        return TCL_ERROR;
    }
    int code = check_limit(interp);
    return code == TCL_OK ? tnats_credentials_answer_all(interp) : code;
}

int tnats_wait_next(tnats_wait *wait)
{
    int code = tnats_interrupted(wait->interp);
    set_slice(wait);
    return code;
}

/* ---- taking, with the thread blocked ---- */

static void taking_free(tnats_taking *taking)
{
    if (taking->result != NULL) {
        Tcl_DecrRefCount(taking->result);
        taking->result = NULL;
    }
    nats_future_free(taking->future);
    taking->future = NULL;
    if (taking->held != NULL) {
        taking->let_go(taking->held);
        taking->held = NULL;
    }
    if (taking->made != NULL && taking->made->kind == &tnats_sub_kind) {
        tnats_sub_abandon(taking->made);
        taking->made = NULL;
    }
    if (taking->made != NULL) {
        tnats_destroy(taking->made, NULL, 0, NULL);
        taking->made = NULL;
    }
}

/* It is over: what it gave, silence, or an error. */
static int conclude(tnats_taking *taking, Tcl_Interp *interp, nats_status status, bool got)
{
    int code = TCL_OK;
    if (taking->finish != NULL && (got || status != NATS_OK)) {
        code = taking->finish(taking, interp, status);
    } else if (status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
        code = tnats_fail(interp, status);
    } else if (!got && taking->silence != NULL) {
        code = tnats_fail_text(interp, NATS_ERR_TIMEOUT, "timeout", "%s", taking->silence);
        code = taking->silent != NULL ? taking->silent(taking, interp) : code;
    } else if (taking->result != NULL) {
        Tcl_SetObjResult(interp, taking->result);
    } else {
        Tcl_ResetResult(interp);
    }
    taking_free(taking);
    return code;
}

static bool goes_on(nats_status status, bool got)
{
    return !got && (status == NATS_OK || status == NATS_ERR_INTERRUPTED);
}

static bool is_woken(const tnats_taking *taking)
{
    return taking->wakes && tnats_client_woken(tnats_owner(taking->handle)->client);
}

static int block(tnats_taking *taking, Tcl_Interp *interp, int64_t ms)
{
    tnats_wait wait;
    bool got = false;
    nats_status status = NATS_OK;
    tnats_wait_start(&wait, interp, ms);
    while (!tnats_wait_over(&wait)) {
        status = taking->take(taking, wait.ms, &got);
        if (!goes_on(status, got) || is_woken(taking)) {
            break;
        }
        int code = tnats_wait_next(&wait);
        if (code != TCL_OK) {
            taking_free(taking);
            return code;
        }
    }
    return conclude(taking, interp, status, got);
}

/* ---- taking, in a coroutine ---- */

typedef struct sleeper {
    tnats_waiter waiter;
    tnats_taking taking;
    Tcl_Command coroutine; /* there as long as we are: we are on its stack */
    int64_t deadline_ns;
    Tcl_TimerToken timer;
} sleeper;

/* The coroutine that runs, or NULL: for none, and for one that is being deleted. */
static Tcl_Command running_coroutine(tnats_state *state, Tcl_Interp *interp)
{
    Tcl_Obj *words[] = {state->coroutine};
    Tcl_Command found = NULL;
    if (Tcl_EvalObjv(interp, 1, words, TCL_EVAL_GLOBAL) == TCL_OK) {
        Tcl_Obj *name = Tcl_GetObjResult(interp);
        if (Tcl_GetString(name)[0] != '\0') {
            found = Tcl_GetCommandFromObj(interp, name);
        }
    }
    Tcl_ResetResult(interp);
    return found;
}

bool tnats_in_coroutine(tnats_state *state, Tcl_Interp *interp)
{
    return running_coroutine(state, interp) != NULL;
}

static void wake(sleeper *self)
{
    Tcl_Interp *interp = self->taking.handle->state->interp;
    Tcl_Obj *name = Tcl_NewObj();
    Tcl_IncrRefCount(name);
    Tcl_GetCommandFullName(interp, self->coroutine, name);
    Tcl_Preserve(interp);
    int code = Tcl_EvalObjv(interp, 1, &name, TCL_EVAL_GLOBAL); /* self may be gone after this */
    if (code != TCL_OK) {
        Tcl_BackgroundException(interp, code);
    }
    Tcl_Release(interp);
    Tcl_DecrRefCount(name);
}

void tnats_waiter_resume(tnats_waiter *waiter)
{
    wake((sleeper *)waiter);
}

static void time_is_up(ClientData data)
{
    sleeper *self = data;
    self->timer = NULL;
    wake(self);
}

static void set_timer(sleeper *self)
{
    int64_t ms = left_until(self->deadline_ns);
    int64_t poll = self->taking.poll_ms;
    if (poll > 0 && (ms < 0 || ms > poll)) {
        ms = poll;
    }
    if (self->timer == NULL && ms >= 0) {
        int wait = ms < TIMER_MAX_MS ? (int)ms : TIMER_MAX_MS;
        self->timer = Tcl_CreateTimerHandler(wait, time_is_up, self);
    }
}

/* Take the sleeper away; what it was taking is in *taking_out. */
static void sleeper_end(sleeper *self, tnats_taking *taking_out)
{
    *taking_out = self->taking;
    if (self->timer != NULL) {
        Tcl_DeleteTimerHandler(self->timer);
    }
    tnats_loop_leave(tnats_owner(self->taking.handle), &self->waiter);
    ckfree((char *)self);
}

static int woken(ClientData data[], Tcl_Interp *interp, int code);

static int sleep_now(sleeper *self, Tcl_Interp *interp)
{
    set_timer(self);
    if (tnats_loop_update(tnats_owner(self->taking.handle), interp) != TCL_OK) {
        tnats_handle *handle = self->taking.handle;
        tnats_taking taking;
        sleeper_end(self, &taking);
        taking_free(&taking);
        tnats_handle_drop(handle);
        return TCL_ERROR;
    }
    Tcl_NRAddCallback(interp, woken, self, NULL, NULL, NULL);
    return Tcl_NREvalObj(interp, self->taking.handle->state->yield, 0);
}

/* Something within the coroutine, such as [lsort -command] or a vwait, is on C's stack. */
static bool cannot_yield(Tcl_Interp *interp)
{
    Tcl_Obj *options = Tcl_GetReturnOptions(interp, TCL_ERROR);
    Tcl_Obj *key = Tcl_NewStringObj("-errorcode", -1);
    Tcl_Obj *value = NULL;
    Tcl_IncrRefCount(options);
    Tcl_IncrRefCount(key);
    Tcl_DictObjGet(NULL, options, key, &value);
    bool cannot = value != NULL && strstr(Tcl_GetString(value), "CANT_YIELD") != NULL;
    Tcl_DecrRefCount(key);
    Tcl_DecrRefCount(options);
    return cannot;
}

/* The coroutine goes on, resumed by us or by somebody else; or it is being deleted. */
static int woken(ClientData data[], Tcl_Interp *interp, int code)
{
    sleeper *self = data[0];
    tnats_handle *handle = self->taking.handle;
    int64_t left = left_until(self->deadline_ns);
    tnats_taking taking;
    bool got = false;
    nats_status status = NATS_OK;
    bool stuck = code != TCL_OK && cannot_yield(interp);
    bool ends = (code == TCL_OK || stuck) && running_coroutine(handle->state, interp) == NULL;
    if (code == TCL_OK && !ends) {
        status = self->taking.take(&self->taking, 0, &got);
        if (goes_on(status, got) && left != 0 && !is_woken(&self->taking)) {
            return sleep_now(self, interp);
        }
    }

    sleeper_end(self, &taking);
    if (stuck && !ends) {
        code = block(&taking, interp, left);
    } else if (code == TCL_OK && !ends) {
        code = conclude(&taking, interp, status, got);
    } else {
        taking_free(&taking);
        code = TCL_ERROR;
    }
    tnats_handle_drop(handle);
    return code;
}

static int await(tnats_taking *taking, Tcl_Interp *interp, int64_t ms, Tcl_Command coroutine)
{
    sleeper *self = (sleeper *)ckalloc(sizeof(*self));
    memset(self, 0, sizeof(*self));
    self->taking = *taking;
    self->coroutine = coroutine;
    self->deadline_ns = deadline_in(ms);
    tnats_handle_keep(taking->handle);
    tnats_loop_join(tnats_owner(taking->handle), &self->waiter);
    return sleep_now(self, interp);
}

int tnats_take_within(tnats_taking *taking, Tcl_Interp *interp, int64_t ms)
{
    bool got = false;
    nats_status status = NATS_OK;
    if (!taking->fresh) {
        status = taking->take(taking, 0, &got);
        if (status == NATS_ERR_INTERRUPTED && tnats_interrupted(interp) != TCL_OK) {
            taking_free(taking);
            return TCL_ERROR;
        }
        if (ms == 0 || !goes_on(status, got) || is_woken(taking)) {
            return conclude(taking, interp, status, got);
        }
    }
    Tcl_Command coroutine = running_coroutine(taking->handle->state, interp);
    return coroutine != NULL ? await(taking, interp, ms, coroutine) : block(taking, interp, ms);
}
