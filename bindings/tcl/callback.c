/* Command prefixes that are called with messages and events, at global level: by the event loop, by
 * dispatch and by drain. */
#include "tnats.h"

#include <string.h>

/* Words of a prefix that fit on the C stack. */
#define WORDS_MAX 16
/* What dispatch calls at most when it is not told: as in the other languages. */
#define DISPATCH_MAX 65536

typedef struct callback {
    Tcl_Obj *prefix;
    int64_t left; /* messages until it ends; 0: no end */
} callback;

/* ---- the table ---- */

static void *key_of(uint64_t sid)
{
    return (void *)(uintptr_t)sid;
}

void tnats_callback_add(tnats_client *client, uint64_t sid, Tcl_Obj *prefix, int64_t max)
{
    int made;
    callback *entry = (callback *)ckalloc(sizeof(*entry));
    entry->prefix = prefix;
    entry->left = max;
    Tcl_IncrRefCount(prefix);
    Tcl_SetHashValue(Tcl_CreateHashEntry(&client->callbacks, key_of(sid), &made), entry);
}

static void remove_entry(Tcl_HashEntry *entry)
{
    callback *found = Tcl_GetHashValue(entry);
    Tcl_DeleteHashEntry(entry);
    Tcl_DecrRefCount(found->prefix);
    ckfree((char *)found);
}

void tnats_callback_remove(tnats_client *client, uint64_t sid)
{
    Tcl_HashEntry *entry = Tcl_FindHashEntry(&client->callbacks, key_of(sid));
    if (entry != NULL) {
        remove_entry(entry);
    }
}

void tnats_callback_forget(tnats_client *client)
{
    Tcl_HashSearch search;
    Tcl_HashEntry *entry;
    while ((entry = Tcl_FirstHashEntry(&client->callbacks, &search)) != NULL) {
        remove_entry(entry);
    }
    nats_msg_free_many(client->queue + client->at, client->count - client->at);
    client->at = 0;
    client->count = 0;
}

/* The prefix for a message of this subscription, owned; NULL when it has none any more. */
static Tcl_Obj *prefix_for(tnats_client *client, uint64_t sid)
{
    Tcl_HashEntry *entry = Tcl_FindHashEntry(&client->callbacks, key_of(sid));
    if (entry == NULL) {
        return NULL;
    }
    callback *found = Tcl_GetHashValue(entry);
    Tcl_Obj *prefix = found->prefix;
    Tcl_IncrRefCount(prefix);
    if (found->left > 0) {
        found->left--;
        if (found->left == 0) {
            remove_entry(entry);
        }
    }
    return prefix;
}

void tnats_client_set_on_event(tnats_client *client, Tcl_Obj *prefix)
{
    if (prefix != NULL) {
        Tcl_IncrRefCount(prefix);
    }
    if (client->on_event != NULL) {
        Tcl_DecrRefCount(client->on_event);
    }
    client->on_event = prefix;
}

/* ---- calls ---- */

/* The words are held, for the script may change the variable that the prefix came from. */
static int eval_words(Tcl_Interp *interp, Tcl_Obj **prefix, Tcl_Size count, Tcl_Obj *word)
{
    Tcl_Obj *room[WORDS_MAX + 1];
    Tcl_Obj **words = room;
    if (count > WORDS_MAX) {
        words = (Tcl_Obj **)ckalloc((size_t)(count + 1) * sizeof(*words));
    }
    for (Tcl_Size i = 0; i < count; i++) {
        words[i] = prefix[i];
        Tcl_IncrRefCount(words[i]);
    }
    if (word != NULL) {
        words[count++] = word;
        Tcl_IncrRefCount(word);
    }
    int code = Tcl_EvalObjv(interp, (int)count, words, TCL_EVAL_GLOBAL);
    for (Tcl_Size i = 0; i < count; i++) {
        Tcl_DecrRefCount(words[i]);
    }
    if (words != room) {
        ckfree((char *)words);
    }
    return code;
}

int tnats_call_prefix(Tcl_Interp *interp, Tcl_Obj *prefix, Tcl_Obj *word, bool background)
{
    Tcl_Size count;
    Tcl_Obj **words;
    int code = Tcl_ListObjGetElements(interp, prefix, &count, &words);
    if (code == TCL_OK) {
        code = eval_words(interp, words, count, word);
    }
    if (code == TCL_OK) {
        return TCL_OK;
    }
    if (background) {
        Tcl_BackgroundException(interp, code);
        return TCL_OK;
    }
    if (code == TCL_ERROR) {
        return TCL_ERROR;
    }
    if (code == TCL_RETURN) {
        return TCL_OK;
    }
    return tnats_fail_text(interp, NATS_ERR_INVALID, "command",
                           "a callback ended with the code %d of a loop: it is in none", code);
}

bool tnats_client_alive(const tnats_handle *handle)
{
    return !handle->client->ended && handle->state->interp != NULL &&
           !Tcl_InterpDeleted(handle->state->interp);
}

nats_status tnats_callback_refill(tnats_handle *handle, size_t max, int64_t wait_ms)
{
    tnats_client *client = handle->client;
    client->at = 0;
    client->count = 0;
    size_t count = 0;
    nats_status status = nats_client_get_callbacks(
        handle->object, max < TNATS_QUEUE_MAX ? max : TNATS_QUEUE_MAX, wait_ms, client->queue,
        &count);
    client->count = status == NATS_OK ? count : 0;
    return status;
}

/* Call the next message's callback. */
static int call_next(tnats_handle *handle, bool background, size_t *called)
{
    tnats_client *client = handle->client;
    nats_msg *msg = client->queue[client->at];
    client->at++;
    Tcl_Obj *prefix = prefix_for(client, nats_msg_sid(msg));
    if (prefix == NULL) {
        nats_msg_free(msg);
        return TCL_OK;
    }
    Tcl_Obj *word = tnats_message_new(handle->state, &msg);
    nats_msg_free(msg);
    (*called)++;
    int code = tnats_call_prefix(handle->state->interp, prefix, word, background);
    Tcl_DecrRefCount(prefix);
    return code;
}

static bool is_stopped(const tnats_client *client)
{
    return client->run != NULL && client->run->stopped;
}

int tnats_callback_call(tnats_handle *handle, size_t max, bool background, size_t *called_out)
{
    tnats_client *client = handle->client;
    *called_out = 0;
    while (*called_out < max && tnats_client_alive(handle) && !is_stopped(client)) {
        if (client->at == client->count &&
            (tnats_callback_refill(handle, max - *called_out, 0) != NATS_OK ||
             client->count == 0)) {
            return TCL_OK;
        }
        int code = call_next(handle, background, called_out);
        if (code != TCL_OK) {
            return code;
        }
    }
    return TCL_OK;
}

int tnats_callback_events(tnats_handle *handle, bool background, size_t *called_io)
{
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    nats_event *event = NULL;
    while (client->on_event != NULL && !Tcl_InterpDeleted(interp) && !is_stopped(client) &&
           nats_client_next_event(handle->object, 0, &event) == NATS_OK && event != NULL) {
        Tcl_Obj *word = tnats_event_new(handle->state, event);
        Tcl_Obj *prefix = client->on_event;
        nats_event_free(event);
        event = NULL;
        Tcl_IncrRefCount(prefix);
        (*called_io)++;
        int code = tnats_call_prefix(interp, prefix, word, background);
        Tcl_DecrRefCount(prefix);
        if (code != TCL_OK) {
            return code;
        }
    }
    return TCL_OK;
}

/* ---- verbs ---- */

static int check_prefix(Tcl_Interp *interp, Tcl_Obj *prefix, Tcl_Size *count_out)
{
    return Tcl_ListObjLength(interp, prefix, count_out) == TCL_OK
               ? TCL_OK
               : tnats_fail_value(interp, "command");
}

/* $nc on_event prefix; "" ends it. */
int tnats_client_on_event(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    Tcl_Size count;
    if (check_prefix(interp, objv[2], &count) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_client_set_on_event(handle->client, count > 0 ? objv[2] : NULL);
    return tnats_loop_hurry(handle, interp); /* events may wait already */
}

/* Wait until a callback is to be called; events are handed out meanwhile. */
static int wait_messages(tnats_handle *handle, Tcl_Interp *interp, size_t max, int64_t ms)
{
    tnats_client *client = handle->client;
    tnats_wait wait;
    size_t events = 0;
    tnats_wait_start(&wait, interp, ms);
    while (client->at == client->count) {
        nats_status status = tnats_callback_refill(handle, max, wait.ms);
        if (status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
            return tnats_fail(interp, status);
        }
        if (client->count > 0 || tnats_wait_over(&wait) || tnats_client_woken(client)) {
            break;
        }
        int code = tnats_wait_next(&wait);
        if (code == TCL_OK) {
            code = tnats_callback_events(handle, false, &events);
        }
        if (code != TCL_OK || client->ended) {
            return code;
        }
    }
    return TCL_OK;
}

/* $nc dispatch ?-max n? ?-wait seconds?: how many callbacks were called. */
int tnats_client_dispatch(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-max", "-wait", NULL};
    Tcl_Obj *values[2];
    int64_t max;
    int64_t ms;
    size_t called = 0;
    size_t events = 0;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_number(interp, values[0], "-max", 1, DISPATCH_MAX, &max) != TCL_OK ||
        tnats_seconds(interp, values[1], "-wait", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    if (handle->client->ended) {
        return tnats_fail_text(interp, NATS_ERR_CLOSED, "client", "the client is closed");
    }
    int code = wait_messages(handle, interp, (size_t)max, ms);
    if (code == TCL_OK) {
        code = tnats_callback_call(handle, (size_t)max, false, &called);
    }
    if (code == TCL_OK) {
        code = tnats_callback_events(handle, false, &events);
    }
    if (code == TCL_OK) {
        code = tnats_loop_update(handle, interp);
    } else {
        Tcl_InterpState error = Tcl_SaveInterpState(interp, code);
        tnats_loop_update(handle, interp); /* the loop goes on with what is left */
        code = Tcl_RestoreInterpState(interp, error);
    }
    if (code == TCL_OK) {
        Tcl_SetObjResult(interp, tnats_count_new(called));
    }
    return code;
}

/* ---- run and stop ---- */

static void time_is_up(ClientData data)
{
    *(bool *)data = true;
}

static int turn_until(tnats_handle *handle, Tcl_Interp *interp, const tnats_run *run,
                      const bool *time_up)
{
    while (!run->stopped && !*time_up && !handle->client->ended) {
        if (Tcl_DoOneEvent(TCL_ALL_EVENTS) == 0) {
            return TCL_OK; /* nothing is there that could happen */
        }
        if (Tcl_Canceled(interp, TCL_LEAVE_ERR_MSG) != TCL_OK) {
            return TCL_ERROR;
        }
        if (Tcl_LimitExceeded(interp)) {
            Tcl_SetObjResult(interp, Tcl_NewStringObj("limit exceeded", -1));
            return TCL_ERROR;
        }
    }
    Tcl_ResetResult(interp);
    return TCL_OK;
}

/* $nc run ?-timeout seconds?: the event loop, until $nc stop, $nc close or the time is up. */
int tnats_client_run(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    bool time_up = false;
    tnats_client *client = handle->client;
    Tcl_TimerToken timer = NULL;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    if (client->ended) {
        return tnats_fail_text(interp, NATS_ERR_CLOSED, "client", "the client is closed");
    }
    if (ms >= 0) {
        timer = Tcl_CreateTimerHandler(ms < INT32_MAX ? (int)ms : INT32_MAX, time_is_up, &time_up);
    }
    tnats_run run = {false, client->run};
    client->run = &run;
    int code = tnats_loop_update(handle, interp);
    if (code == TCL_OK) {
        code = turn_until(handle, interp, &run, &time_up);
    }
    client->run = run.outer;
    if (timer != NULL) {
        Tcl_DeleteTimerHandler(timer);
    }
    if (code == TCL_OK) {
        code = tnats_loop_update(handle, interp);
    }
    return code;
}

/* $nc stop: ends the inner `run` after the callback that runs now. */
int tnats_client_stop(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)interp;
    (void)objc;
    (void)objv;
    if (handle->client->run != NULL) {
        handle->client->run->stopped = true;
    }
    return TCL_OK;
}
