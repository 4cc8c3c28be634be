/* The event loop: Tcl's notifier watches the client's descriptor, and a turn calls whoever waits for
 * what is there. No thread of ours ever enters the interpreter. */
#include "tnats.h"

#include <poll.h>
#include <string.h>
#include <sys/select.h>

/* Messages that one turn of the loop hands to callbacks: other sources of events get their turn. */
#define TURN_MAX 256
/* The pause, in ms, when the descriptor stays readable for messages that nobody here waits for. */
#define PAUSE_MS 20
/* Longest timer in ms that Tcl is given: it takes an int. */
#define TIMER_MAX_MS 3600000

static void turn(tnats_handle *handle);

/* ---- life ---- */

tnats_client *tnats_client_new(void)
{
    tnats_client *client = (tnats_client *)ckalloc(sizeof(*client));
    memset(client, 0, sizeof(*client));
    client->fd = -1;
    client->watchers = Tcl_NewDictObj();
    Tcl_IncrRefCount(client->watchers);
    Tcl_InitHashTable(&client->callbacks, TCL_ONE_WORD_KEYS);
    return client;
}

static void unwatch(tnats_client *client)
{
    if (client->fd >= 0) {
        Tcl_DeleteFileHandler(client->fd);
        client->fd = -1;
    }
    if (client->timer != NULL) {
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
        tnats_callback_forget(client);
        tnats_client_set_on_event(client, NULL);
        handle->client = client;
        tnats_credentials_set(handle, NULL);
        handle->client = NULL;
        Tcl_DeleteHashTable(&client->callbacks);
        Tcl_DecrRefCount(client->watchers);
        if (client->failure != NULL) {
            Tcl_DiscardInterpState(client->failure);
        }
        ckfree((char *)client);
    }
    nats_client_free(handle->object);
    handle->object = NULL;
}

const tnats_kind tnats_client_kind = {"client", client_release};

tnats_handle *tnats_owner(tnats_handle *handle)
{
    while (handle->parent != NULL) {
        handle = handle->parent;
    }
    return handle;
}

/* ---- those who wait: coroutines, and prefixes that are called once ---- */

void tnats_loop_join(tnats_handle *handle, tnats_waiter *waiter)
{
    tnats_client *client = handle->client;
    waiter->turn = client->turn;
    waiter->next = NULL;
    waiter->previous = client->last_waiter;
    if (client->last_waiter != NULL) {
        client->last_waiter->next = waiter;
    } else {
        client->waiters = waiter;
    }
    client->last_waiter = waiter;
}

void tnats_loop_leave(tnats_handle *handle, tnats_waiter *waiter)
{
    tnats_client *client = handle->client;
    if (waiter->previous != NULL) {
        waiter->previous->next = waiter->next;
    } else {
        client->waiters = waiter->next;
    }
    if (waiter->next != NULL) {
        waiter->next->previous = waiter->previous;
    } else {
        client->last_waiter = waiter->previous;
    }
}

static Tcl_Size count_of(Tcl_Obj *dict)
{
    Tcl_Size count = 0;
    if (dict != NULL) {
        Tcl_DictObjSize(NULL, dict, &count);
    }
    return count;
}

static bool somebody_waits(const tnats_client *client)
{
    return client->waiters != NULL || count_of(client->watchers) > 0;
}

/* Take a prefix out of the dict: it is owned by the caller then; NULL when there is none. */
static Tcl_Obj *pop(Tcl_Obj *dict)
{
    Tcl_DictSearch search;
    Tcl_Obj *key = NULL;
    Tcl_Obj *value;
    int done = 1;
    Tcl_DictObjFirst(NULL, dict, &search, &key, &value, &done);
    if (done) {
        return NULL;
    }
    Tcl_IncrRefCount(key);
    Tcl_DictObjDone(&search);
    Tcl_DictObjRemove(NULL, dict, key);
    return key;
}

/* Those that watch are called once; what they add meanwhile is for the next turn. */
static size_t call_watchers(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    Tcl_Obj *prefix;
    size_t called = 0;
    if (client->watching != NULL || count_of(client->watchers) == 0) {
        return 0; /* a turn within a turn leaves them to the outer one */
    }
    client->watching = client->watchers;
    client->watchers = Tcl_NewDictObj();
    Tcl_IncrRefCount(client->watchers);
    while (!Tcl_InterpDeleted(interp) && (prefix = pop(client->watching)) != NULL) {
        tnats_call_prefix(interp, prefix, NULL, true);
        Tcl_DecrRefCount(prefix);
        called++;
    }
    Tcl_DecrRefCount(client->watching);
    client->watching = NULL;
    return called;
}

static tnats_waiter *next_waiter(const tnats_client *client, unsigned turn)
{
    tnats_waiter *waiter = client->waiters;
    while (waiter != NULL && waiter->turn == turn) {
        waiter = waiter->next;
    }
    return waiter;
}

/* Each coroutine that waits looks for itself, and goes on waiting or not. Each may change the list. */
static size_t resume_waiters(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    tnats_waiter *waiter;
    size_t resumed = 0;
    unsigned turn = ++client->turn;
    while (!Tcl_InterpDeleted(handle->state->interp) &&
           (waiter = next_waiter(client, turn)) != NULL) {
        waiter->turn = turn;
        tnats_waiter_resume(waiter);
        resumed++;
    }
    return resumed;
}

static size_t waiter_count(const tnats_client *client)
{
    size_t count = 0;
    for (const tnats_waiter *waiter = client->waiters; waiter != NULL; waiter = waiter->next) {
        count++;
    }
    return count;
}

/* Call all that wait. Returns how many do not wait any more. */
static size_t call_waiting(tnats_handle *handle)
{
    size_t called = call_watchers(handle);
    size_t resumed = resume_waiters(handle);
    size_t still = waiter_count(handle->client) + (size_t)count_of(handle->client->watchers);
    return called + resumed > still ? called + resumed - still : 0;
}

/* ---- the end ---- */

/* After close: the last events, and those who wait find out. */
static void end_due(ClientData data)
{
    tnats_handle *handle = data;
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    size_t called = 0;
    client->end_timer = NULL;
    if (interp != NULL && !Tcl_InterpDeleted(interp)) {
        Tcl_Preserve(interp);
        tnats_callback_events(handle, true, &called);
        call_watchers(handle);
        resume_waiters(handle);
        Tcl_Release(interp);
    }
    tnats_client_set_on_event(client, NULL);
    tnats_handle_drop(handle);
}

static void schedule_end(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    if (client->end_timer == NULL) {
        tnats_handle_keep(handle);
        client->end_timer = Tcl_CreateTimerHandler(0, end_due, handle);
    }
}

void tnats_loop_end(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    if (client->ended) {
        return;
    }
    unwatch(client);
    client->ended = true;
    tnats_callback_forget(client);
    if (client->on_event != NULL || client->run != NULL || somebody_waits(client)) {
        schedule_end(handle); /* an event, too, that lets a `run` look */
    }
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

static bool has_queue(const tnats_client *client)
{
    return client->at < client->count;
}

static bool is_wanted(const tnats_client *client)
{
    return client->always || client->credentials != NULL || client->on_event != NULL ||
           client->callbacks.numEntries > 0 || has_queue(client) || client->run != NULL ||
           somebody_waits(client);
}

static int watch(tnats_handle *handle, Tcl_Interp *interp)
{
    int32_t fd;
    nats_status status = nats_client_fd(handle->object, &fd);
    if (status == NATS_ERR_CLOSED) {
        tnats_loop_end(handle); /* who waits finds out by the next call */
        return TCL_OK;
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
    if (has_queue(client) || client->hurry) {
        ms = 0; /* the descriptor knows nothing of these */
    } else if (client->paused) {
        ms = PAUSE_MS;
    } else if (ms == 0) {
        ms = 1; /* the descriptor is readable then; this is for when it is not */
    }
    if (ms >= 0) {
        int wait = ms < TIMER_MAX_MS ? (int)ms : TIMER_MAX_MS;
        client->timer = Tcl_CreateTimerHandler(wait, timer_due, handle);
    }
}

int tnats_loop_update(tnats_handle *handle, Tcl_Interp *interp)
{
    tnats_client *client = handle->client;
    if (client->ended) {
        if (somebody_waits(client)) {
            schedule_end(handle);
        }
        return TCL_OK;
    }
    if (!is_wanted(client)) {
        unwatch(client);
        return TCL_OK;
    }
    if (client->fd < 0 && !client->paused) {
        int code = watch(handle, interp);
        if (code != TCL_OK || client->ended) {
            return code;
        }
        set_timer(handle);
    } else if (has_queue(client) || client->hurry) {
        set_timer(handle);
    }
    return TCL_OK;
}

int tnats_loop_hurry(tnats_handle *handle, Tcl_Interp *interp)
{
    handle->client->hurry = true;
    return tnats_loop_update(handle, interp);
}

static bool still_readable(int fd)
{
    struct pollfd entry = {fd, POLLIN, 0};
    return fd >= 0 && poll(&entry, 1, 0) > 0;
}

/* What is readable and nobody took is a message for a get that does not wait now: look again later. */
static void look_again(tnats_handle *handle, bool idle)
{
    tnats_client *client = handle->client;
    if (idle && still_readable(client->fd)) {
        unwatch(client);
        client->paused = true;
    }
    tnats_loop_update(handle, handle->state->interp);
    if (!client->ended && (client->fd >= 0 || client->paused)) {
        set_timer(handle);
    }
}

static void turn(tnats_handle *handle)
{
    tnats_client *client = handle->client;
    Tcl_Interp *interp = handle->state->interp;
    size_t called = 0;
    size_t events = 0;
    client->hurry = false;
    tnats_handle_keep(handle);
    Tcl_Preserve(interp);
    nats_status status = nats_client_process(handle->object);
    tnats_credentials_answer(handle, interp, true);
    tnats_callback_call(handle, TURN_MAX, true, &called);
    tnats_callback_events(handle, true, &events);
    size_t served = call_waiting(handle);
    if (!client->ended && status == NATS_ERR_CLOSED) {
        tnats_loop_end(handle);
    } else if (tnats_client_alive(handle)) {
        look_again(handle, called + events + served == 0);
    }
    Tcl_Release(interp);
    tnats_handle_drop(handle);
}

/* ---- verbs ---- */

bool tnats_client_woken(tnats_client *client)
{
    bool woken = client->woken;
    client->woken = false;
    return woken;
}

/* $nc wake: the call that waits in get, dispatch or next_event gives nothing, now; or the next one. */
int tnats_client_wake(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    handle->client->woken = true;
    return handle->client->waiters != NULL ? tnats_loop_hurry(handle, interp) : TCL_OK;
}

static Tcl_Obj *own(Tcl_Obj **dict)
{
    if (Tcl_IsShared(*dict)) {
        Tcl_Obj *copy = Tcl_DuplicateObj(*dict);
        Tcl_IncrRefCount(copy);
        Tcl_DecrRefCount(*dict);
        *dict = copy;
    }
    return *dict;
}

/* $nc watch prefix: call it once when there may be something to take. Of a subscription or a
 * future: of its client. */
int tnats_client_watch(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    tnats_handle *owner = tnats_owner(handle);
    tnats_client *client = owner->client;
    Tcl_Size words;
    if (Tcl_ListObjLength(interp, objv[2], &words) != TCL_OK) {
        return tnats_fail_value(interp, "command");
    }
    Tcl_DictObjPut(NULL, own(&client->watchers), objv[2], owner->state->empty);
    return tnats_loop_update(owner, interp);
}

/* $nc unwatch prefix: no more. */
int tnats_client_unwatch(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    tnats_handle *owner = tnats_owner(handle);
    tnats_client *client = owner->client;
    Tcl_DictObjRemove(NULL, own(&client->watchers), objv[2]);
    if (client->watching != NULL) {
        Tcl_DictObjRemove(NULL, client->watching, objv[2]);
    }
    return tnats_loop_update(owner, interp);
}
