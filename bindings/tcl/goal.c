/* What is waited for until the server has answered: connecting, flushing, draining. The library gives a
 * future for each, and so they wait as requests do: in a coroutine by yielding, else in slices. */
#include "tnats.h"

#include <string.h>

/* Messages that a drain hands to callbacks at once. */
#define DRAIN_SLICE 512

static nats_client *client_of(const tnats_handle *handle)
{
    return handle->object;
}

/* Has the future ended? What it gives besides is of no use. */
nats_status tnats_take_end(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    nats_msg *msg = NULL;
    bool open;
    nats_status status = tnats_reply_wait(taking->future, wait_ms, &msg, &open);
    nats_msg_free(msg);
    *got_out = status == NATS_OK;
    return open ? NATS_OK : status;
}

/* The timeout of a verb that takes nothing else; -1: that of the connection's option. */
static int read_timeout(Tcl_Interp *interp, int objc, Tcl_Obj *const objv[], int64_t *ms_out)
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    bool ok = tnats_options(interp, objc, objv, 2, names, values) == TCL_OK &&
              tnats_seconds(interp, values[0], "-timeout", -1, ms_out) == TCL_OK;
    return ok ? TCL_OK : TCL_ERROR;
}

int tnats_await(tnats_taking *taking, Tcl_Interp *interp, nats_status begun)
{
    taking->fresh = true;
    return begun == NATS_OK ? tnats_take_within(taking, interp, -1) : tnats_fail(interp, begun);
}

static int await_end(tnats_taking *taking, Tcl_Interp *interp, nats_status begun)
{
    taking->take = tnats_take_end;
    return tnats_await(taking, interp, begun);
}

/* ---- connect ---- */

/* Without a keeper the loop is what moves the bytes. */
static void note_keeper(tnats_handle *handle)
{
    int64_t keeper = 1;
    if (nats_client_option_int(handle->object, "keeper", &keeper) == NATS_OK && keeper == 0) {
        handle->client->always = true;
    }
}

tnats_handle *tnats_client_add(tnats_state *state, nats_client *client, Tcl_Obj *credentials)
{
    tnats_handle *handle = tnats_handle_new(state, &tnats_client_kind, client, NULL);
    if (handle == NULL) {
        return NULL;
    }
    handle->client = tnats_client_new();
    tnats_credentials_set(handle, credentials);
    note_keeper(handle);
    if (tnats_loop_update(handle, state->interp) != TCL_OK) {
        tnats_destroy(handle, state->interp, 0, NULL);
        return NULL;
    }
    return handle;
}

/* The client's name; or, when nothing came of it, its command goes. */
static int finish_connect(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    tnats_client *client = taking->made->client;
    if (client != NULL && client->failure != NULL) {
        Tcl_InterpState failure = client->failure;
        client->failure = NULL;
        return Tcl_RestoreInterpState(interp, failure);
    }
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    Tcl_Obj *name = Tcl_NewObj();
    if (taking->made->token == NULL) {
        Tcl_DecrRefCount(name);
        return tnats_fail_text(interp, NATS_ERR_CLOSED, "handle", "the handle's command is gone");
    }
    Tcl_GetCommandFullName(interp, taking->made->token, name);
    Tcl_SetObjResult(interp, name);
    client->opening = false;
    taking->made = NULL;
    return TCL_OK;
}

/* credentials: the prefix that supplies them, or NULL. It needs a handle while the connection is
 * made. */
static int connect_waiting(tnats_state *state, const char *servers, const nats_options *options,
                            Tcl_Obj *credentials)
{
    nats_client *client = NULL;
    nats_future *future = NULL;
    nats_status status = nats_connect_start(servers, options, &client, &future);
    if (status != NATS_OK) {
        return tnats_fail(state->interp, status);
    }
    tnats_handle *handle = tnats_client_add(state, client, credentials);
    if (handle == NULL) {
        nats_future_free(future);
        return TCL_ERROR;
    }
    handle->client->opening = true;
    tnats_taking taking = {.handle = handle, .future = future, .finish = finish_connect,
                           .made = handle};
    tnats_handle_keep(handle);
    int code = await_end(&taking, state->interp, NATS_OK);
    tnats_handle_drop(handle);
    return code;
}

static int connect_with(tnats_state *state, const char *servers, nats_options *options,
                        Tcl_Obj *prefix, bool asks)
{
    Tcl_Size words;
    if (prefix != NULL &&
        (Tcl_ListObjLength(state->interp, prefix, &words) != TCL_OK || words == 0)) {
        return tnats_fail_text(state->interp, NATS_ERR_INVALID, "credentials",
                               "-credentials must be a command prefix");
    }
    /* Without a prefix the script could answer only once it has the client: both options say so. */
    if (prefix != NULL || asks) {
        nats_options_set_bool(options, "credentials_hook", 1);
    }
    if (prefix != NULL) {
        nats_options_set_bool(options, "ask_credentials", 0);
    }
    return connect_waiting(state, servers, options, prefix);
}

/* Is -ask_credentials among the options, from objv[first] on? */
static bool asks_nobody(int objc, Tcl_Obj *const objv[], int first)
{
    int asks = 0;
    for (int i = first; i + 1 < objc; i += 2) {
        if (strcmp(Tcl_GetString(objv[i]), "-ask_credentials") == 0) {
            Tcl_GetBooleanFromObj(NULL, objv[i + 1], &asks);
        }
    }
    return asks != 0;
}

/* polynats::connect ?url? ?-option value ...? */
int tnats_connect(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    tnats_state *state = data;
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
    /* A signal handler of the script's runs while a call waits; who does not want it says
     * -interruptible false. */
    nats_options_set_bool(options, "interruptible", 1);
    static const char *const own[] = {"-credentials", NULL};
    Tcl_Obj *prefix;
    int code = tnats_connect_options(interp, objc, objv, first, options, own, &prefix);
    if (code == TCL_OK) {
        bool asks = asks_nobody(objc, objv, first);
        code = connect_with(state, servers.ptr, options, prefix, asks);
    }
    nats_options_free(options);
    tnats_bytes_free(&servers);
    return code;
}

/* ---- round trips ---- */

/* $nc flush ?-timeout seconds? */
int tnats_client_flush(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    int64_t ms;
    if (read_timeout(interp, objc, objv, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.handle = handle};
    nats_status begun = nats_client_flush_start(client_of(handle), ms, &taking.future);
    return await_end(&taking, interp, begun);
}

static int finish_rtt(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    double seconds = (double)(tnats_now_ns() - taking->began_ns) / 1e9;
    Tcl_SetObjResult(interp, Tcl_NewDoubleObj(seconds));
    return TCL_OK;
}

/* $nc rtt ?-timeout seconds?: a flush, timed; in a coroutine with the loop's own time. */
int tnats_client_rtt(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    int64_t ms;
    if (read_timeout(interp, objc, objv, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.handle = handle, .finish = finish_rtt, .began_ns = tnats_now_ns()};
    nats_status begun = nats_client_flush_start(client_of(handle), ms, &taking.future);
    return await_end(&taking, interp, begun);
}

/* ---- drain ---- */

/* What was under way for callbacks is handed out; what waits for others keeps the client open. */
static int finish_drain(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    tnats_handle *handle = taking->handle;
    int code = status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
    for (size_t called = 1; code == TCL_OK && called > 0;) {
        code = tnats_callback_call(handle, DRAIN_SLICE, false, &called);
    }
    if (code == TCL_OK && nats_client_pending(client_of(handle)) == 0) {
        status = nats_client_close(client_of(handle));
        code = status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
    }
    if (nats_client_status(client_of(handle)) == NATS_CLIENT_CLOSED) {
        tnats_loop_end(handle);
    }
    return code;
}

/* $nc drain ?-timeout seconds? */
int tnats_client_drain(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    int64_t ms;
    if (read_timeout(interp, objc, objv, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.handle = handle, .finish = finish_drain};
    nats_status begun = nats_client_drain_start(client_of(handle), ms, &taking.future);
    return await_end(&taking, interp, begun);
}

/* $sub drain ?-timeout seconds? */
int tnats_sub_drain(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    int64_t ms;
    if (read_timeout(interp, objc, objv, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.handle = handle};
    nats_status begun = nats_sub_drain_start(handle->object, ms, &taking.future);
    return await_end(&taking, interp, begun);
}
