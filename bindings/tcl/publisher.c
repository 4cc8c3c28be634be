/* Publishers: a window of messages whose acks are still to come. One that is full makes publish wait: in a
 * coroutine by yielding, and looking again, for no descriptor tells of acks; else in the library. So does the
 * first one that needs to know what the server can do. */
#include "tnats.h"

#include <string.h>

/* What the window has where the script does not say: as in the library. */
#define WINDOW_USUAL 4000
/* How long publish waits for room, where the jetstream does not say: as in the library. */
#define PATIENCE_MS 5000
/* In a coroutine: how often it looks for room. A thousand times that is what one publish costs. */
#define LOOK_MS 2
/* Payloads of one inner call. */
#define SLICE 256

typedef struct publisher {
    nats_js_publisher *inner;
    uint64_t most; /* under way at once */
    uint64_t room; /* of the window, as far as is known: it may be more */
    int64_t patience_ms;
    bool fast; /* the stream says how large the window is, which may become smaller */
    bool closed;
} publisher;

static publisher *publisher_of(const tnats_handle *handle)
{
    return handle->object;
}

static void publisher_release(tnats_handle *handle)
{
    publisher *self = handle->object;
    nats_js_publisher_free(self->inner);
    ckfree((char *)self);
    handle->object = NULL;
}

const tnats_kind tnats_publisher_kind = {"publisher", publisher_release};

typedef struct making {
    int64_t most;
    bool fast;
} making;

static void making_free(void *held)
{
    ckfree((char *)held);
}

static int make(tnats_handle *handle, Tcl_Interp *interp, const making *how)
{
    const tnats_js *js = handle->object;
    nats_js_publisher *inner = NULL;
    nats_status status = how->fast ? nats_js_publisher_fast(js->inner, how->most, &inner)
                                   : nats_js_publisher_new(js->inner, how->most, &inner);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    publisher *self = (publisher *)ckalloc(sizeof(*self));
    memset(self, 0, sizeof(*self));
    self->inner = inner;
    self->most = how->most > 0 ? (uint64_t)how->most : WINDOW_USUAL;
    self->fast = how->fast;
    self->patience_ms = js->timeout_ms >= 0 ? js->timeout_ms : PATIENCE_MS;
    return tnats_handle_new(handle->state, &tnats_publisher_kind, self, tnats_owner(handle)) != NULL
               ? TCL_OK
               : TCL_ERROR;
}

static int finish_making(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    return status == NATS_OK ? make(taking->handle, interp, taking->held)
                             : tnats_fail(interp, status);
}

/* $js publisher ?-max_pending count? ?-fast boolean?: a fast one asks the server first what it can do. */
int tnats_js_publisher(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[] = {"-max_pending", "-fast", NULL};
    Tcl_Obj *values[2];
    const tnats_js *js = handle->object;
    making how = {0};
    int fast;
    nats_future *future = NULL;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_number(interp, values[0], "-max_pending", INT64_MIN, 0, &how.most) != TCL_OK ||
        tnats_boolean(interp, values[1], "-fast", &fast) != TCL_OK) {
        return TCL_ERROR;
    }
    how.fast = fast != 0;
    if (!how.fast) {
        return make(handle, interp, &how);
    }
    nats_status status = nats_js_level_start(js->inner, -1, &future);
    if (status != NATS_OK) {
        return tnats_fail(interp, status);
    }
    making *held = (making *)ckalloc(sizeof(*held));
    *held = how;
    tnats_taking taking = {.take = tnats_take_end, .handle = handle, .future = future,
                           .finish = finish_making, .held = held, .let_go = making_free};
    return tnats_await(&taking, interp, NATS_OK);
}

static int check_open(tnats_handle *handle, Tcl_Interp *interp)
{
    return publisher_of(handle)->closed
               ? tnats_fail_text(interp, NATS_ERR_CLOSED, "publisher", "the publisher is closed")
               : TCL_OK;
}

/* Without waiting: it is counted down, and looked up only at its end. */
static uint64_t room_of(publisher *self, uint64_t count)
{
    if (self->fast || self->room < count) {
        int64_t room = nats_js_publisher_room(self->inner, NULL);
        self->room = room > 0 ? (uint64_t)room : 0;
    }
    return self->room;
}

/* Is there a place for so many? */
static bool has_room(publisher *self, uint64_t count)
{
    bool room = room_of(self, count) >= count;
    self->room -= room ? count : 0;
    return room;
}

/* Must the server be asked first what it can do? Then publish would wait for it. */
static bool must_ask(const publisher *self, const tnats_storing *what)
{
    return what->headers != NULL && nats_js_publisher_room(self->inner, what->headers) < 0;
}

/* ---- publish ---- */

/* What is to be published is kept while it waits. */
typedef struct waiting {
    Tcl_Obj *words; /* a list: all words of the verb */
    Tcl_Obj *list;  /* of publish_many */
    nats_future *level; /* what the server can do, while it is asked; or NULL */
    size_t published;
    uint64_t first_id;
    bool told; /* the error is the interpreter's already */
} waiting;

static void waiting_free(void *held)
{
    waiting *self = held;
    Tcl_DecrRefCount(self->words);
    if (self->list != NULL) {
        Tcl_DecrRefCount(self->list);
    }
    nats_future_free(self->level);
    ckfree((char *)self);
}

static waiting *waiting_new(int objc, Tcl_Obj *const objv[], Tcl_Obj *list)
{
    waiting *self = (waiting *)ckalloc(sizeof(*self));
    memset(self, 0, sizeof(*self));
    self->words = Tcl_NewListObj(objc, objv);
    self->list = list;
    Tcl_IncrRefCount(self->words);
    if (list != NULL) {
        Tcl_IncrRefCount(list);
    }
    return self;
}

/* Ask the server, or go on waiting for its answer, which *known_out tells of. */
static nats_status take_level(tnats_taking *taking, int64_t wait_ms, bool *known_out)
{
    waiting *held = taking->held;
    nats_msg *none = NULL;
    bool open = false;
    nats_status status = NATS_OK;
    if (held->level == NULL) {
        status = nats_js_publisher_level_start(publisher_of(taking->handle)->inner, -1,
                                               &held->level);
    }
    if (status == NATS_OK) {
        status = tnats_reply_wait(held->level, wait_ms, &none, &open);
    }
    *known_out = status == NATS_OK;
    if (*known_out) {
        nats_future_free(held->level);
        held->level = NULL;
    }
    return open ? NATS_OK : status;
}

/* Without waiting in a coroutine's attempt, which is one of 0 ms. */
static nats_status take_place(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    tnats_state *state = taking->handle->state;
    publisher *self = publisher_of(taking->handle);
    waiting *held = taking->held;
    tnats_storing what;
    Tcl_Size objc;
    Tcl_Obj **objv;
    uint64_t id = 0;
    bool known = false;
    nats_status status = held->level != NULL ? take_level(taking, wait_ms, &known) : NATS_OK;
    if (status != NATS_OK || held->level != NULL || (wait_ms == 0 && !has_room(self, 1))) {
        return status;
    }
    Tcl_ListObjGetElements(NULL, held->words, &objc, &objv);
    if (tnats_storing_read(state, (int)objc, objv, 4, &what) != TCL_OK) {
        held->told = true;
        return NATS_ERR_INVALID;
    }
    if (must_ask(self, &what)) {
        tnats_storing_free(&what);
        self->room = 0; /* to be looked up again, for it may have been counted down */
        return take_level(taking, wait_ms, &known);
    }
    status = nats_js_publisher_publish(self->inner, what.subject.ptr, what.subject.len,
                                       what.headers, what.data.ptr, what.data.len, &id);
    tnats_storing_free(&what);
    if (status == NATS_OK) {
        taking->result = tnats_uint_new(id);
        Tcl_IncrRefCount(taking->result);
        *got_out = true;
    }
    return status;
}

static int tell(const waiting *held, Tcl_Interp *interp, nats_status status)
{
    return held->told ? TCL_ERROR : tnats_fail(interp, status);
}

static int finish_one(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    if (status != NATS_OK) {
        return tell(taking->held, interp, status);
    }
    Tcl_SetObjResult(interp, taking->result);
    return TCL_OK;
}

static int wait_for_room(tnats_taking *taking, Tcl_Interp *interp)
{
    taking->poll_ms = LOOK_MS;
    taking->let_go = waiting_free;
    taking->silence = "no ack came: the window is full";
    return tnats_take_within(taking, interp, publisher_of(taking->handle)->patience_ms);
}

/* As nearly always: there is room. NATS_ERR_INTERRUPTED in *status_out: it may be tried again. */
static int publish_at_once(tnats_handle *handle, Tcl_Interp *interp, int objc,
                           Tcl_Obj *const objv[], nats_status *status_out)
{
    tnats_storing what;
    uint64_t id = 0;
    if (tnats_storing_read(handle->state, objc, objv, 4, &what) != TCL_OK) {
        return TCL_ERROR;
    }
    if (must_ask(publisher_of(handle), &what)) {
        tnats_storing_free(&what);
        return TCL_OK; /* it is still to be tried */
    }
    *status_out = nats_js_publisher_publish(publisher_of(handle)->inner, what.subject.ptr,
                                            what.subject.len, what.headers, what.data.ptr,
                                            what.data.len, &id);
    tnats_storing_free(&what);
    if (*status_out == NATS_OK) {
        Tcl_SetObjResult(interp, tnats_uint_new(id));
    }
    return *status_out == NATS_OK || *status_out == NATS_ERR_INTERRUPTED
               ? TCL_OK
               : tnats_fail(interp, *status_out);
}

/* $publisher publish subject ?data? ?-headers dict? ?-keyword value ...?: its number. */
int tnats_publisher_publish(tnats_handle *handle, Tcl_Interp *interp, int objc,
                            Tcl_Obj *const objv[])
{
    if (check_open(handle, interp) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status = NATS_ERR_INTERRUPTED;
    if (has_room(publisher_of(handle), 1) &&
        publish_at_once(handle, interp, objc, objv, &status) != TCL_OK) {
        return TCL_ERROR;
    }
    if (status == NATS_OK) {
        return TCL_OK;
    }
    tnats_taking taking = {.take = take_place, .handle = handle, .finish = finish_one,
                           .held = waiting_new(objc, objv, NULL)};
    return wait_for_room(&taking, interp);
}

/* ---- many ---- */

/* The payloads from held->published on, at most SLICE. Each is read anew, for a signal's handler may have
 * changed its form. */
static nats_status publish_slice(tnats_taking *taking, Tcl_Obj **items, size_t count)
{
    const void *datas[SLICE];
    size_t lens[SLICE];
    tnats_bytes bytes[SLICE];
    tnats_bytes subject;
    waiting *held = taking->held;
    Tcl_Obj *word = NULL;
    size_t ready = 0;
    size_t accepted = 0;
    uint64_t id = 0;
    nats_status status = NATS_OK;
    Tcl_ListObjIndex(NULL, held->words, 2, &word);
    tnats_text(word, &subject);
    while (ready < count &&
           tnats_data(taking->handle->state, items[ready], &bytes[ready]) == TCL_OK) {
        datas[ready] = bytes[ready].ptr;
        lens[ready] = bytes[ready].len;
        ready++;
    }
    if (ready > 0) {
        status = nats_js_publisher_publish_many(publisher_of(taking->handle)->inner, subject.ptr,
                                                subject.len, datas, lens, ready, &id, &accepted);
    }
    if (status == NATS_OK && ready < count) {
        held->told = true; /* what is wrong with the next one */
        status = NATS_ERR_INVALID;
    }
    held->first_id = held->published == 0 && accepted > 0 ? id : held->first_id;
    held->published += accepted;
    for (size_t i = 0; i < ready; i++) {
        tnats_bytes_free(&bytes[i]);
    }
    tnats_bytes_free(&subject);
    return status;
}

static nats_status take_places(tnats_taking *taking, int64_t wait_ms, bool *got_out)
{
    publisher *self = publisher_of(taking->handle);
    waiting *held = taking->held;
    nats_status status = NATS_OK;
    Tcl_Size count;
    Tcl_Obj **items;
    while (status == NATS_OK) {
        Tcl_ListObjGetElements(NULL, held->list, &count, &items);
        size_t left = (size_t)count - held->published;
        size_t size = left < SLICE ? left : SLICE;
        size = size < self->most ? size : (size_t)self->most;
        if (left == 0) {
            *got_out = true;
            return NATS_OK;
        }
        if (self->fast && wait_ms == 0 && room_of(self, size) < size) {
            size = (size_t)self->room; /* some, then: the stream never lets in as many as wait */
        }
        if (size == 0 || (wait_ms == 0 && !has_room(self, size))) {
            return NATS_OK;
        }
        status = publish_slice(taking, items + held->published, size);
    }
    return status;
}

/* An error tells in its return options, -first and -published, how far it came. */
static int note_how_far(const tnats_taking *taking, Tcl_Interp *interp)
{
    const waiting *held = taking->held;
    Tcl_Obj *options = Tcl_GetReturnOptions(interp, TCL_ERROR);
    Tcl_DictObjPut(NULL, options, Tcl_NewStringObj("-first", -1), tnats_uint_new(held->first_id));
    Tcl_DictObjPut(NULL, options, Tcl_NewStringObj("-published", -1),
                   tnats_count_new(held->published));
    return Tcl_SetReturnOptions(interp, options);
}

static int finish_many(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    const waiting *held = taking->held;
    if (status == NATS_OK) {
        Tcl_SetObjResult(interp, tnats_uint_new(held->first_id));
        return TCL_OK;
    }
    tell(held, interp, status);
    return note_how_far(taking, interp);
}

/* $publisher publish_many subject list: the number of the first. */
int tnats_publisher_publish_many(tnats_handle *handle, Tcl_Interp *interp, int objc,
                                 Tcl_Obj *const objv[])
{
    Tcl_Size count;
    if (check_open(handle, interp) != TCL_OK) {
        return TCL_ERROR;
    }
    if (Tcl_ListObjLength(interp, objv[3], &count) != TCL_OK) {
        return tnats_fail_value(interp, "data");
    }
    tnats_taking taking = {.take = take_places, .handle = handle, .finish = finish_many,
                           .silent = note_how_far,
                           .held = waiting_new(objc, objv, objv[3])};
    return wait_for_room(&taking, interp);
}

/* ---- what became of them ---- */

static int begin_flush(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[],
                       nats_future **future_out)
{
    static const char *const names[] = {"-timeout", NULL};
    Tcl_Obj *values[1];
    int64_t ms;
    if (tnats_options(interp, objc, objv, 2, names, values) != TCL_OK ||
        tnats_seconds(interp, values[0], "-timeout", -1, &ms) != TCL_OK) {
        return TCL_ERROR;
    }
    nats_status status =
        nats_js_publisher_flush_start(publisher_of(handle)->inner, ms, future_out);
    return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
}

/* $publisher flush ?-timeout seconds?: wait for all acks. */
int tnats_publisher_flush(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    if (nats_client_status(tnats_owner(handle)->object) == NATS_CLIENT_CLOSED) {
        nats_status status = nats_js_publisher_flush(publisher_of(handle)->inner, 0);
        return status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
    }
    if (begin_flush(handle, interp, objc, objv, &future) != TCL_OK) {
        return TCL_ERROR;
    }
    tnats_taking taking = {.take = tnats_take_end, .handle = handle, .future = future};
    return tnats_await(&taking, interp, NATS_OK);
}

int tnats_publisher_flush_start(tnats_handle *handle, Tcl_Interp *interp, int objc,
                                Tcl_Obj *const objv[])
{
    nats_future *future = NULL;
    int code = begin_flush(handle, interp, objc, objv, &future);
    return code == TCL_OK ? tnats_future_made(handle, future, NULL) : code;
}

/* $publisher failures: a list of {id errorcode text}, which are taken by it. */
int tnats_publisher_failures(tnats_handle *handle, Tcl_Interp *interp, int objc,
                             Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    Tcl_Obj *list = Tcl_NewListObj(0, NULL);
    for (;;) {
        uint64_t id = 0;
        nats_status status = nats_js_publisher_next_failure(publisher_of(handle)->inner, &id);
        if (status == NATS_OK) {
            break;
        }
        if (id == 0) { /* the call itself failed */
            Tcl_DecrRefCount((Tcl_IncrRefCount(list), list));
            return tnats_fail(interp, status);
        }
        Tcl_Obj *failure[] = {tnats_uint_new(id), tnats_error_code(status, nats_last_about()),
                              tnats_word_new(nats_last_error(NULL))};
        Tcl_ListObjAppendElement(NULL, list, Tcl_NewListObj(3, failure));
    }
    Tcl_SetObjResult(interp, list);
    return TCL_OK;
}

int tnats_publisher_stats(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const names[NATS_PUBLISHER_STAT_COUNT] = {
        [NATS_PUBLISHER_PUBLISHED] = "published",   [NATS_PUBLISHER_ACKED] = "acked",
        [NATS_PUBLISHER_DUPLICATES] = "duplicates", [NATS_PUBLISHER_FAILED] = "failed",
        [NATS_PUBLISHER_PENDING] = "pending",
    };
    uint64_t values[NATS_PUBLISHER_STAT_COUNT] = {0};
    (void)objc;
    (void)objv;
    nats_js_publisher_stats(publisher_of(handle)->inner, values, NATS_PUBLISHER_STAT_COUNT);
    Tcl_Obj *dict = Tcl_NewDictObj();
    for (size_t i = 0; i < NATS_PUBLISHER_STAT_COUNT; i++) {
        Tcl_DictObjPut(NULL, dict, Tcl_NewStringObj(names[i], -1), tnats_count_new(values[i]));
    }
    Tcl_SetObjResult(interp, dict);
    return TCL_OK;
}

static int finish_close(tnats_taking *taking, Tcl_Interp *interp, nats_status status)
{
    int code = status == NATS_OK ? TCL_OK : tnats_fail(interp, status);
    Tcl_InterpState state = Tcl_SaveInterpState(interp, code);
    tnats_destroy(taking->handle, interp, 0, NULL);
    return Tcl_RestoreInterpState(interp, state);
}

/* $publisher close: flush, and the command goes. */
int tnats_publisher_close(tnats_handle *handle, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    (void)objc;
    (void)objv;
    nats_js_publisher *inner = publisher_of(handle)->inner;
    tnats_taking taking = {.take = tnats_take_end, .handle = handle, .finish = finish_close};
    publisher_of(handle)->closed = true;
    if (nats_client_status(tnats_owner(handle)->object) == NATS_CLIENT_CLOSED) {
        return finish_close(&taking, interp, nats_js_publisher_flush(inner, 0));
    }
    nats_status begun = nats_js_publisher_flush_start(inner, -1, &taking.future);
    return begun == NATS_OK ? tnats_await(&taking, interp, begun)
                            : finish_close(&taking, interp, begun);
}
