/* Receiving: a native list in one pass. */
#include "pyn.h"

enum { CHUNK = 1024 /* messages of one inner call */ };

typedef nats_status (*take)(void *object, size_t max, int64_t ms, nats_msg **batch, size_t *count);

typedef struct getting {
    take take;
    void *object;
    pyn_handle *handle;
    size_t max; /* of this call */
    size_t count;
    nats_msg *batch[CHUNK];
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

static nats_status get_step(void *arg, int64_t ms)
{
    getting *self = arg;
    return self->take(self->object, self->max, ms, self->batch, &self->count);
}

/* Look first, and let go of the GIL only to wait. */
static nats_status take_some(getting *self, size_t max, int64_t ms)
{
    self->max = max < CHUNK ? max : CHUNK;
    self->count = 0;
    nats_status status = get_step(self, 0);
    if (status == NATS_OK && self->count == 0 && ms != 0) {
        status = pyn_wait(get_step, self, ms);
    }
    return status == NATS_ERR_INTERRUPTED ? NATS_OK : status;
}

/* The batch as messages, at the end of the list. */
static bool append(PyObject *list, getting *self)
{
    for (size_t i = 0; i < self->count; i++) {
        PyObject *msg = pyn_message_new(self->batch[i], self->handle);
        int error = msg != NULL ? PyList_Append(list, msg) : -1;
        Py_XDECREF(msg);
        if (error != 0) {
            nats_msg_free_many(self->batch + i + 1, self->count - i - 1);
            return false;
        }
    }
    return true;
}

static PyObject *get_list(getting *self, size_t max, int64_t ms)
{
    nats_status status = take_some(self, max, ms);
    if (status != NATS_OK) {
        return pyn_raise(status);
    }
    PyObject *list = PyList_New(0);
    if (list == NULL) {
        nats_msg_free_many(self->batch, self->count);
        return NULL;
    }
    while (self->count > 0) {
        bool full = self->count == self->max;
        if (!append(list, self)) {
            Py_DECREF(list);
            return NULL;
        }
        size_t left = max - (size_t)PyList_GET_SIZE(list);
        self->count = 0;
        if (full && left > 0) {
            take_some(self, left, 0); /* an end is told by the next call */
        }
    }
    return list;
}

static PyObject *get(getting *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const names[] = {"max", "wait", NULL};
    PyObject *values[2];
    uint64_t max = PYN_GET_MAX;
    int64_t ms;
    if (!pyn_arguments("get", args, nargs, kwnames, names, 0, values) ||
        !pyn_seconds_of(values[1], "wait", &ms)) {
        return NULL;
    }
    bool given = values[0] != NULL && values[0] != Py_None;
    if (given && !pyn_count_of(values[0], "max", &max)) {
        return NULL;
    }
    if (max == 0) {
        return pyn_raise_words(NATS_ERR_INVALID, "max", "max must be 1 or more, not 0");
    }
    return get_list(self, max, ms);
}

PyObject *pyn_client_get_list(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    getting call;
    call.handle = ((pyn_client *)self)->handle;
    call.object = call.handle->client;
    call.take = take_shared;
    return get(&call, args, nargs, kwnames);
}

PyObject *pyn_client_get_callbacks(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                   PyObject *kwnames)
{
    getting call;
    call.handle = ((pyn_client *)self)->handle;
    call.object = call.handle->client;
    call.take = take_callbacks;
    return get(&call, args, nargs, kwnames);
}

PyObject *pyn_sub_get_list(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames)
{
    getting call;
    call.handle = ((pyn_sub *)self)->handle;
    call.object = ((pyn_sub *)self)->sub;
    call.take = take_sub;
    return get(&call, args, nargs, kwnames);
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
    next_call call = {sub->sub, NULL};
    nats_status status = next_step(&call, 0);
    if (status == NATS_OK && call.msg == NULL && ms != 0) {
        status = pyn_wait(next_step, &call, ms);
    }
    if (status != NATS_OK && status != NATS_ERR_INTERRUPTED) {
        return pyn_raise(status);
    }
    if (call.msg == NULL) {
        Py_RETURN_NONE;
    }
    return pyn_message_new(call.msg, sub->handle);
}
