/* The event loop: callbacks, events and waiting coroutines are called from Tcl's notifier, by the
 * client's descriptor. No thread of ours ever enters the interpreter. */
#include "tnats.h"

#include <string.h>
#include <sys/select.h>

/* Messages that one turn of the loop hands to callbacks: other sources of events get their turn. */
#define TURN_MAX 256
/* Messages that are taken from the library at once, and wait here while callbacks run. */
#define QUEUE_MAX 64
/* The pause, in ms, when the descriptor stays readable for messages that nobody here waits for. */
#define PAUSE_MS 20
/* What dispatch calls at most when it is not told: as in the other languages. */
#define DISPATCH_MAX 65536
/* Longest timer in ms that Tcl is given: it takes an int. */
#define TIMER_MAX_MS 3600000

struct tnats_client {
    int fd;        /* that the notifier watches, or -1 */
    bool always;   /* without a keeper the loop is what moves the bytes */
    bool paused;   /* until the timer */
    bool ended;    /* nobody is called any more */
    bool timer_is_end;
    Tcl_TimerToken timer;
    Tcl_HashTable callbacks; /* from sid to a command prefix */
    Tcl_Obj *on_event;       /* a command prefix, or NULL */
    Tcl_Obj *waiters;        /* a dict: its keys are command prefixes, each called once */
    nats_msg *queue[QUEUE_MAX];
    size_t at;
    size_t count;
};

static void turn(tnats_handle *handle);

/* ---- life ---- */

tnats_client *tnats_client_new(void)
{
    tnats_client *client = (tnats_client *)ckalloc(sizeof(*client));
    memset(client, 0, sizeof(*client));
    client->fd = -1;
    client->waiters = Tcl_NewDictObj();
    Tcl_IncrRefCount(client->waiters);
    Tcl_InitHashTable(&client->callbacks, TCL_ONE_WORD_KEYS);
    return client;
}

static void forget_callbacks(tnats_client *client)
{
    Tcl_HashSearch search;
    Tcl_HashEntry *entry;
    while ((entry = Tcl_FirstHashEntry(&client->callbacks, &search)) != NULL) {
        Tcl_DecrRefCount((Tcl_Obj *)Tcl_GetHashValue(entry));
        Tcl_DeleteHashEntry(entry);
    }
    nats_msg_free_many(client->queue + client->at, client->count - client->at);
    client->at = 0;
    client->count = 0;
}

static void set_on_event(tnats_client *client, Tcl_Obj *prefix)
{
    if (prefix != NULL) {
        Tcl_IncrRefCount(prefix);
    }
    if (client->on_event != NULL) {
        Tcl_DecrRefCount(client->on_event);
    }
    client->on_event = prefix;
}

static void unwatch(tnats_client *client)
{
    if (client->fd >= 0) {
        Tcl_DeleteFileHandler(client->fd);
        client->fd = -1;
    }
    if (client->timer != NULL && !client->timer_is_end) {
        Tcl_DeleteTimerHandler(client->timer);
        client->timer = NULL;
    }
    client->paused = false;
}

static void client_release(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    handle->client = NULL;
    if (client != NULL) {
        unwatch(client);
        forget_callbacks(client);
        set_on_event(client, NULL);
        Tcl_DeleteHashTable(&client->callbacks);
        Tcl_DecrRefCount(client->waiters);
        ckfree((char *)client);
    }
    nats_client_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_client_kind = {"client", client_release};

/* ---- callbacks ---- */

void tnats_loop_add(tnats_handle *handle, uint64_t sid, Tcl_Obj *prefix)
{
    int made;
    Tcl_HashEntry *entry =
        Tcl_CreateHashEntry(&handle->client->callbacks, (void *)(uintptr_t)sid, &made);
    Tcl_IncrRefCount(prefix);
    Tcl_SetHashValue(entry, prefix);
}

static Tcl_Obj *callback_of(tnats_client *client, uint64_t sid)
{
    Tcl_HashEntry *entry = Tcl_FindHashEntry(&client->callbacks, (void *)(uintptr_t)sid);
    return entry != NULL ? Tcl_GetHashValue(entry) : NULL;
}

void tnats_loop_remove(tnats_handle *handle, uint64_t sid)
{
    Tcl_HashEntry *entry = Tcl_FindHashEntry(&handle->client->callbacks, (void *)(uintptr_t)sid);
    if (entry != NULL) {
        Tcl_DecrRefCount((Tcl_Obj *)Tcl_GetHashValue(entry));
        Tcl_DeleteHashEntry(entry);
    }
}

/* Evaluate a command prefix with one more word, or none, at global level. */
static int call_prefix(Tcl_Interp *interp, Tcl_Obj *prefix, Tcl_Obj *word)
{
    Tcl_Obj *command = Tcl_DuplicateObj(prefix);
    Tcl_IncrRefCount(command);
    int code = TCL_OK;
    if (word != NULL) {
        code = Tcl_ListObjAppendElement(interp, command, word);
    }
    if (code == TCL_OK) {
        code = Tcl_EvalObjEx(interp, command, TCL_EVAL_GLOBAL | TCL_EVAL_DIRECT);
    }
    Tcl_DecrRefCount(command);
    return code;
}

/* Take messages for callbacks into the empty queue. */
static nats_status refill(tnats_handle *handle, size_t max, int64_t wait_ms)
{
    tnats_client *client = handle->client;
    client->at = 0;
    client->count = 0;
    size_t count = 0;
    nats_status status =
        nats_client_get_callbacks(handle->object, max < QUEUE_MAX ? max : QUEUE_MAX, wait_ms,
                                  client->queue, &count);
    client->count = status == NATS_OK ? count : 0;
    return status;
}

/* Call the next message's callback. */
static int call_next(tnats_handle *handle, bool background, size_t *called)
{
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    nats_msg *msg = client->queue[client->at];
    client->at++;
    Tcl_Obj *prefix = callback_of(client, nats_msg_sid(msg));
    if (prefix == NULL) {
        nats_msg_free(msg);
        return TCL_OK;
    }
    Tcl_Obj *word = tnats_message_new(handle->state, msg);
    nats_msg_free(msg);
    Tcl_IncrRefCount(prefix);
    Tcl_IncrRefCount(word);
    int code = call_prefix(interp, prefix, word);
    Tcl_DecrRefCount(word);
    Tcl_DecrRefCount(prefix);
    (*called)++;
    if (code != TCL_OK && background) {
        Tcl_BackgroundException(interp, code);
        return TCL_OK;
    }
    return code;
}

static bool alive(const tnats_handle *handle)
{
    return !handle->client->ended && handle->state->interp != NULL &&
           !Tcl_InterpDeleted(handle->state->interp);
}

int tnats_loop_call(tnats_handle *handle, size_t max, bool background, size_t *called_out)
{
    tnats_client *client = handle->client;
    *called_out = 0;
    while (*called_out < max && alive(handle)) {
        if (client->at == client->count &&
            (refill(handle, max - *called_out, 0) != NATS_OK || client->count == 0)) {
            return TCL_OK;
        }
        int code = call_next(handle, background, called_out);
        if (code != TCL_OK) {
            return code;
        }
    }
    return TCL_OK;
}

/* Hand events to the script's command; *called_io counts them. */
static int call_events(tnats_handle *handle, bool background, size_t *called_io)
{
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    nats_event *event = NULL;
    while (client->on_event != NULL && !Tcl_InterpDeleted(interp) &&
           nats_client_next_event(handle->object, 0, &event) == NATS_OK && event != NULL) {
        Tcl_Obj *word = tnats_event_new(handle->state, event);
        Tcl_Obj *prefix = client->on_event;
        nats_event_free(event);
        event = NULL;
        Tcl_IncrRefCount(prefix);
        Tcl_IncrRefCount(word);
        int code = call_prefix(interp, prefix, word);
        Tcl_DecrRefCount(word);
        Tcl_DecrRefCount(prefix);
        (*called_io)++;
        if (code != TCL_OK && !background) {
            return code;
        }
        if (code != TCL_OK) {
            Tcl_BackgroundException(interp, code);
        }
    }
    return TCL_OK;
}

/* ---- those who wait ---- */

static Tcl_Size waiter_count(tnats_client *client)
{
    Tcl_Size count = 0;
    Tcl_DictObjSize(NULL, client->waiters, &count);
    return count;
}

/* Call each that waits now, once; who has got nothing waits again. Returns how many did not. */
static Tcl_Size call_waiters(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    Tcl_Size before = waiter_count(client);
    if (before == 0) {
        return 0;
    }
    Tcl_Obj *list = client->waiters;
    client->waiters = Tcl_NewDictObj();
    Tcl_IncrRefCount(client->waiters);
    Tcl_Size count = 0;
    Tcl_Obj **items;
    Tcl_ListObjGetElements(NULL, list, &count, &items);
    for (Tcl_Size i = 0; i < count && !Tcl_InterpDeleted(interp); i += 2) {
        int code = call_prefix(interp, items[i], NULL);
        if (code != TCL_OK) {
            Tcl_BackgroundException(interp, code);
        }
    }
    Tcl_DecrRefCount(list);
    Tcl_Size after = waiter_count(client);
    return before > after ? before - after : 0;
}

/* watch prefix: call it once when there may be something to take. unwatch prefix: no more. Of a
 * subscription or a future: of its client. */
int tnats_client_watch(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    tnats_handle *owner = handle->parent != NULL ? handle->parent : handle;
    tnats_client *client = owner->client;
    if (Tcl_IsShared(client->waiters)) {
        Tcl_Obj *copy = Tcl_DuplicateObj(client->waiters);
        Tcl_DecrRefCount(client->waiters);
        client->waiters = copy;
        Tcl_IncrRefCount(copy);
    }
    if (Tcl_GetString(objv[1])[0] == 'u') {
        Tcl_DictObjRemove(NULL, client->waiters, objv[2]);
        return TCL_OK;
    }
    Tcl_Size words;
    if (Tcl_ListObjLength(interp, objv[2], &words) != TCL_OK) {
        return TCL_ERROR;
    }
    Tcl_DictObjPut(NULL, client->waiters, objv[2], owner->state->empty);
    return tnats_loop_update(owner, interp);
}

/* ---- the notifier ---- */

static void readable(ClientData data, int mask)
{
    (void)mask;
    turn(data);
}

static void timer_due(ClientData data)
{
    tnats_handle *handle = data;
    handle->client->timer = NULL;
    handle->client->paused = false;
    turn(handle);
}

static bool is_wanted(tnats_client *client)
{
    return !client->ended && (client->always || client->on_event != NULL ||
                              client->callbacks.numEntries > 0 || waiter_count(client) > 0);
}

static int watch(tnats_handle *handle, Tcl_Interp *interp)
{
    int32_t fd;
    nats_status status = nats_client_fd(handle->object, &fd);
    if (status == NATS_ERR_CLOSED) {
        return TCL_OK; /* who waits finds out by the next call */
    }
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
#if TCL_MAJOR_VERSION < 9
    if (fd >= FD_SETSIZE) {
        return tnats_fail_text(interp, NATS_ERR_LIMIT, "fd",
                               "descriptor %d: the event loop of this Tcl takes those below %d",
                               (int)fd, FD_SETSIZE);
    }
#endif
    handle->client->fd = fd;
    Tcl_CreateFileHandler(fd, TCL_READABLE, readable, handle);
    return TCL_OK;
}

static void set_timer(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    if (client->timer != NULL) {
        Tcl_DeleteTimerHandler(client->timer);
        client->timer = NULL;
    }
    int64_t ms = nats_client_deadline_ms(handle->object);
    if (client->paused) {
        ms = PAUSE_MS;
    } else if (ms == 0) {
        ms = 1; /* the descriptor is readable then; this is for when it is not */
    }
    if (ms > 0) {
        int wait = ms < TIMER_MAX_MS ? (int)ms : TIMER_MAX_MS;
        client->timer = Tcl_CreateTimerHandler(wait, timer_due, handle);
    }
}

int tnats_loop_update(tnats_handle *handle, Tcl_Interp *interp)
{
    tnats_client *client = handle->client;
    if (client->ended) {
        return TCL_OK;
    }
    if (!is_wanted(client)) {
        unwatch(client);
        return TCL_OK;
    }
    if (client->fd < 0 && !client->paused) {
        int code = watch(handle, interp);
        if (code != TCL_OK) {
            return code;
        }
        set_timer(handle);
    }
    return TCL_OK;
}

static bool still_readable(int fd)
{
    if (fd < 0) {
        return false;
    }
    struct timeval none = {0, 0};
    fd_set set;
    FD_ZERO(&set);
    if (fd >= FD_SETSIZE) {
        return false;
    }
    FD_SET(fd, &set);
    return select(fd + 1, &set, NULL, NULL, &none) > 0;
}

static void turn(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    size_t called = 0;
    tnats_handle_keep(handle);
    Tcl_Preserve(interp);
    nats_status status = nats_client_process(handle->object);
    tnats_loop_call(handle, TURN_MAX, true, &called);
    call_events(handle, true, &called);
    Tcl_Size served = call_waiters(handle);
    if (!client->ended && status == NATS_ERR_CLOSED) {
        unwatch(client);
        client->ended = true;
    } else if (!client->ended) {
        if (called == 0 && served == 0 && still_readable(client->fd)) {
            unwatch(client);
            client->paused = true;
        }
        tnats_loop_update(handle, interp);
        set_timer(handle);
    }
    Tcl_Release(interp);
    tnats_handle_drop(handle);
}

void tnats_loop_always(tnats_handle *handle)
{
    handle->client->always = true;
}

/* After close: the last events, and those who wait find out. */
static void end_due(ClientData data)
{
    tnats_handle *handle = data;
    tnats_client *client = handle->client;
    size_t called = 0;
    client->timer = NULL;
    if (handle->state->interp != NULL && !Tcl_InterpDeleted(handle->state->interp)) {
        Tcl_Interp *interp = handle->state->interp;
        Tcl_Preserve(interp);
        call_events(handle, true, &called);
        call_waiters(handle);
        Tcl_Release(interp);
    }
    set_on_event(client, NULL);
    tnats_handle_drop(handle);
}

void tnats_loop_end(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    if (client->ended) {
        return;
    }
    unwatch(client);
    client->ended = true;
    forget_callbacks(client);
    if (client->on_event == NULL && waiter_count(client) == 0) {
        return;
    }
    tnats_handle_keep(handle);
    client->timer_is_end = true;
    client->timer = Tcl_CreateTimerHandler(0, end_due, handle);
}

/* ---- verbs ---- */

/* $nc on_event prefix; "" ends it. */
int tnats_client_on_event(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    Tcl_Size words;
    if (Tcl_ListObjLength(interp, objv[2], &words) != TCL_OK) {
        return TCL_ERROR;
    }
    set_on_event(handle->client, words > 0 ? objv[2] : NULL);
    return tnats_loop_update(handle, interp);
}

/* $nc dispatch ?-max n? ?-wait seconds?: how many callbacks were called. */
int tnats_client_dispatch(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-max", "-wait", NULL};
    tnats_client *client = handle->client;
    Tcl_Obj *values[2];
    int64_t max;
    int64_t ms;
    size_t called = 0;
    tnats_wait wait;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_number(interp, values[0], "-max", 1, DISPATCH_MAX, &max) != TCL_OK ||
        tnats_seconds(interp, values[1], "-wait", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    if (client->ended) {
        return tnats_fail_text(interp, NATS_ERR_CLOSED, "client", "the client is closed");
    }
    tnats_wait_start(&wait, interp, ms);
    for (int code = TCL_OK; client->at == client->count;) {
        nats_status status = refill(handle, (size_t)max, wait.ms);
        if (status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
            return tnats_fail(interp, status);
        }
        bool woken = status == NATS_OK && tnats_wait_woken(&wait);
        if (client->count > 0 || tnats_wait_over(&wait) || woken) {
            break;
        }
        code = tnats_wait_next(&wait);
        if (code != TCL_OK) {
            return code;
        }
    }
    int code = tnats_loop_call(handle, (size_t)max, false, &called);
    size_t events = 0;
    if (code == TCL_OK) {
        code = call_events(handle, false, &events);
    }
    if (code == TCL_OK) {
        Tcl_SetObjResult(interp, tnats_count_new(called));
    }
    return code;
}

static int drain_subs(tnats_handle *handle, Tcl_Interp *interp, int64_t timeout_ms)
{
    tnats_wait wait;
    tnats_wait_start(&wait, interp, -1);
    for (tnats_handle *child = handle->children; child != NULL;) {
        if (child->kind != &tnats_sub_kind || callback_of(handle->client, child->sid) == NULL) {
            child = child->next;
            continue;
        }
        nats_status status = nats_sub_drain(child->object, timeout_ms);
        if (status == NATS_ERR_INTERRUPTED) {
            int code = tnats_wait_next(&wait);
            if (code != TCL_OK) {
                return code;
            }
            child = handle->children; /* the handler may have changed the list */
            continue;
        }
        if (status != NATS_OK && status != NATS_ERR_CLOSED && status != NATS_ERR_TIMEOUT) {
            return tnats_fail(interp, status);
        }
        child = child->next;
    }
    return TCL_OK;
}

int tnats_loop_drain(tnats_handle *handle, Tcl_Interp *interp, int64_t timeout_ms)
{
    int code = drain_subs(handle, interp, timeout_ms);
    for (size_t called = 1; code == TCL_OK && called > 0 && alive(handle);) {
        code = tnats_loop_call(handle, TURN_MAX, false, &called);
    }
    return code;
}
