/* Receiving: a native list in one pass. */
#include "pyn.h"

#include <string.h>

enum { CHUNK = 1024 /* messages of one inner call; most calls need one */ };

typedef nats_status (*take)(void *object, size_t max, int64_t ms, nats_msg **batch, size_t *count);

typedef struct getting {
    take take;
    void *object;
    pyn_handle *handle;
    int32_t mode; /* where they are offered */
    uint64_t sid; /* of a subscription, else 0 */
    size_t want;  /* of this call */
    size_t max;
    size_t count;
    size_t room;
    nats_msg **batch; /* first, or what was allocated */
    nats_msg *first[CHUNK];
} getting;

static nats_status take_shared(void *object, size_t max, int64_t ms, nats_msg **batch,
                               size_t *count)
{
    return nats_client_get(object, max, ms, batch, count);
}

static nats_status take_callbacks(void *object, size_t max, int64_t ms, nats_msg **batch,
                                  size_t *count)
{
    return nats_client_get_callbacks(object, max, ms, batch, count);
}

static nats_status take_sub(void *object, size_t max, int64_t ms, nats_msg **batch, size_t *count)
{
    return nats_sub_get(object, max, ms, batch, count);
}

/* ---- taking ---- */

static nats_status get_step(void *arg, int64_t ms)
{
    getting *self = arg;
    size_t taken = 0;
    nats_status status =
        self->take(self->object, self->want, ms, self->batch + self->count, &taken);
    self->count += taken;
    return status;
}

/* Look first, and let go of the GIL only to wait. */
static nats_status take_first(getting *self, int64_t ms)
{
    self->want = self->max < CHUNK ? self->max : CHUNK;
    nats_status status = get_step(self, 0);
    bool nothing = status == NATS_OK && self->count == 0;
    if ((nothing && ms != 0) || status == NATS_ERR_INTERRUPTED) {
        status = pyn_wait(get_step, self, ms);
    }
    return status == NATS_ERR_INTERRUPTED ? NATS_OK : status;
}

static bool grow(getting *self)
{
    size_t room = 2 * self->room < self->max ? 2 * self->room : self->max;
    nats_msg **batch = self->batch == self->first ? NULL : self->batch;
    batch = PyMem_RawRealloc(batch, room * sizeof(*batch));
    if (batch == NULL) {
        return false;
    }
    if (self->batch == self->first) {
        memcpy(batch, self->first, sizeof(self->first));
    }
    self->batch = batch;
    self->room = room;
    return true;
}

/* The rest of what is there, if the first piece was a full one. Without memory for more it stays
 * where it is; an end is told by the next call. */
static void take_rest(getting *self)
{
    while (self->count == self->room && self->count < self->max && grow(self)) {
        self->want = self->room - self->count;
        if (get_step(self, 0) != NATS_OK) {
            return;
        }
    }
}

/* ---- giving ---- */

/* Give back what is no longer needed. count: how many of the list's have a Message. */
static void release(getting *self, PyObject *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (pyn_message_has_msg(PyList_GET_ITEM(list, (Py_ssize_t)i))) {
            self->batch[i] = NULL;
        }
    }
    nats_msg_free_many(self->batch, self->count);
}

static PyObject *to_list(getting *self)
{
    PyObject *list = PyList_New((Py_ssize_t)self->count);
    size_t made = 0;
    while (list != NULL && made < self->count) {
        PyObject *msg = pyn_message_copy(self->batch[made], self->handle);
        if (msg == NULL) {
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)made++, msg);
    }
    release(self, list, made);
    if (made < self->count) {
        Py_CLEAR(list);
    }
    return list;
}

static PyObject *take_list(getting *self, int64_t ms)
{
    self->count = 0;
    self->batch = self->first;
    self->room = CHUNK;
    nats_status status = take_first(self, ms);
    if (status != NATS_OK) {
        return pyn_raise(status);
    }
    take_rest(self);
    PyObject *list = to_list(self);
    if (self->batch != self->first) {
        PyMem_RawFree(self->batch);
    }
    return list;
}

static PyObject *get(getting *self, PyObject *const *values)
{
    uint64_t max = PYN_GET_MAX;
    int64_t ms;
    if (!pyn_seconds_of(values[1], "wait", &ms)) {
        return NULL;
    }
    bool given = values[0] != NULL && values[0] != Py_None;
    if (given && !pyn_count_of(values[0], "max", &max)) {
        return NULL;
    }
    if (max == 0) {
        return pyn_raise_words(NATS_ERR_INVALID, "max", "max must be 1 or more, not 0");
    }
    self->max = max;
    PyObject *list = pyn_box_take(&self->handle->box, self->mode, self->sid, max);
    if (list == NULL && !PyErr_Occurred()) {
        list = take_list(self, ms);
    }
    return list;
}

static PyObject *get_of_client(PyObject *self, take take, int32_t mode, PyObject *const *values)
{
    getting call;
    call.handle = ((pyn_client *)self)->handle;
    call.object = call.handle->client;
    call.take = take;
    call.mode = mode;
    call.sid = 0;
    return get(&call, values);
}

PyObject *pyn_client_get_list(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    static const char *const names[] = {"max", "wait", NULL};
    PyObject *values[2];
    if (!pyn_arguments("get", args, nargs, kwnames, names, 0, values)) {
        return NULL;
    }
    return pyn_box_put(&((pyn_client *)self)->handle->box, NATS_SUB_SHARED,
                       get_of_client(self, take_shared, NATS_SUB_SHARED, values));
}

/* What came is added to `into`, which has a method extend(), and counted: no line of Python holds
 * it meanwhile. */
static PyObject *move(PyObject *list, PyObject *into)
{
    PyObject *nothing = PyObject_CallMethod(into, "extend", "O", list);
    PyObject *count = nothing != NULL ? PyLong_FromSsize_t(PyList_GET_SIZE(list)) : NULL;
    Py_XDECREF(nothing);
    Py_DECREF(list);
    return count;
}

PyObject *pyn_client_get_callbacks(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                   PyObject *kwnames)
{
    static const char *const names[] = {"max", "wait", "into", NULL};
    PyObject *values[3];
    if (!pyn_arguments("get", args, nargs, kwnames, names, 0, values)) {
        return NULL;
    }
    PyObject *list = get_of_client(self, take_callbacks, NATS_SUB_CALLBACK, values);
    return list != NULL && values[2] != NULL ? move(list, values[2]) : list;
}

/* ---- callbacks ---- */

/* Its subscription may have given its last message, whatever the callback raised. */
static int note_end(PyObject *self, PyObject *sub)
{
    PyObject *type, *error, *trace;
    if (nats_sub_active(((pyn_sub *)sub)->sub) != 0) {
        return 0;
    }
    PyErr_Fetch(&type, &error, &trace);
    int failed = PyObject_SetAttrString(self, "_ended", Py_True);
    if (type != NULL) {
        PyErr_Restore(type, error, trace);
    }
    return failed;
}

/* One message of that entry, (callback, subscription). */
static PyObject *call_back(PyObject *self, PyObject *entry, PyObject *msg)
{
    PyObject *callback, *sub;
    if (!PyArg_ParseTuple(entry, "OO!", &callback, &pyn_sub_type, &sub)) {
        return NULL;
    }
    Py_INCREF(entry); /* the callback may end its subscription */
    PyObject *result = PyObject_CallOneArg(callback, msg);
    int failed = note_end(self, sub);
    Py_DECREF(entry);
    if (result == NULL || failed != 0) {
        Py_XDECREF(result);
        return NULL;
    }
    Py_DECREF(result);
    return PyLong_FromLong(1);
}

/* call_first(queue, callbacks): call the callback of the first message in the queue; how many were
 * called. In C, for no other thread runs and no signal's handler raises between the message's leaving
 * the queue and its callback. */
PyObject *pyn_client_call_first(PyObject *self, PyObject *args)
{
    PyObject *queue, *callbacks;
    if (!PyArg_ParseTuple(args, "OO!:call_first", &queue, &PyDict_Type, &callbacks)) {
        return NULL;
    }
    PyObject *msg = PyObject_CallMethod(queue, "popleft", NULL);
    if (msg == NULL && PyErr_ExceptionMatches(PyExc_IndexError)) {
        PyErr_Clear(); /* another thread has it */
        return PyLong_FromLong(0);
    }
    PyObject *sid = msg != NULL ? PyObject_GetAttrString(msg, "sid") : NULL;
    PyObject *entry = sid != NULL ? PyDict_GetItemWithError(callbacks, sid) : NULL;
    PyObject *called = NULL;
    if (entry != NULL) {
        called = call_back(self, entry, msg);
    } else if (!PyErr_Occurred()) {
        called = PyLong_FromLong(0); /* ended by an earlier callback */
    }
    Py_XDECREF(sid);
    Py_XDECREF(msg);
    return called;
}

PyObject *pyn_sub_get_list(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames)
{
    static const char *const names[] = {"max", "wait", NULL};
    pyn_sub *sub = (pyn_sub *)self;
    PyObject *values[2];
    getting call;
    if (!pyn_arguments("get", args, nargs, kwnames, names, 0, values)) {
        return NULL;
    }
    call.handle = sub->handle;
    call.object = sub->sub;
    call.take = take_sub;
    call.mode = sub->mode;
    call.sid = nats_sub_sid(sub->sub);
    return pyn_box_put(&sub->handle->box, sub->mode, get(&call, values));
}

/* ---- one ---- */

typedef struct next_call {
    nats_sub *sub;
    nats_msg *msg;
} next_call;

static nats_status next_step(void *arg, int64_t ms)
{
    next_call *self = arg;
    return nats_sub_next(self->sub, ms, &self->msg);
}

static PyObject *take_one(pyn_sub *sub, int64_t ms)
{
    next_call call = {sub->sub, NULL};
    nats_status status = next_step(&call, 0);
    bool nothing = status == NATS_OK && call.msg == NULL;
    if ((nothing && ms != 0) || status == NATS_ERR_INTERRUPTED) {
        status = pyn_wait(next_step, &call, ms);
    }
    if (status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
        return pyn_raise(status);
    }
    if (call.msg == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *msg = pyn_message_new(call.msg, sub->handle);
    return pyn_box_put(&sub->handle->box, sub->mode, msg);
}

PyObject *pyn_sub_next(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    pyn_sub *sub = (pyn_sub *)self;
    PyObject *values[1];
    int64_t ms;
    if (!pyn_arguments("next", args, nargs, kwnames, names, 0, values) ||
        !pyn_seconds_of(values[0], "timeout", &ms)) {
        return NULL;
    }
    pyn_box *box = &sub->handle->box;
    PyObject *list = pyn_box_take(box, sub->mode, nats_sub_sid(sub->sub), 1);
    if (list == NULL) {
        return PyErr_Occurred() ? NULL : take_one(sub, ms);
    }
    PyObject *msg = PyList_GET_ITEM(list, 0);
    Py_INCREF(msg);
    Py_DECREF(list);
    return pyn_box_put(box, sub->mode, msg);
}

PyObject *pyn_sub_set_mode(PyObject *self, PyObject *mode)
{
    pyn_sub *sub = (pyn_sub *)self;
    int64_t number;
    if (!pyn_integer_of(mode, "mode", &number)) {
        return NULL;
    }
    nats_status status = nats_sub_set_mode(sub->sub, (int32_t)number);
    if (status == NATS_OK) {
        sub->mode = (int32_t)number;
    }
    return pyn_done(status);
}
