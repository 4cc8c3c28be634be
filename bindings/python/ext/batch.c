/* Atomic batches. What was not committed is abandoned with the object. */
#include "pyn_js.h"

typedef struct pyn_batch {
    PyObject_HEAD
    pyn_handle *handle;
    nats_js_batch *batch;
    bool busy; /* a thread is in a call without the GIL */
} pyn_batch;

static void batch_dealloc(PyObject *object)
{
    pyn_batch *self = (pyn_batch *)object;
    nats_js_batch_free(self->batch);
    Py_XDECREF(self->handle);
    Py_TYPE(object)->tp_free(object);
}

/* batch(js, class) */
PyObject *pyn_batch_make(PyObject *module, PyObject *args)
{
    PyObject *object, *class;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:batch", &object, &class)) {
        return NULL;
    }
    nats_js *js = pyn_js_get(object);
    PyObject *made = js != NULL ? pyn_object_new(class, &pyn_batch_type) : NULL;
    if (made == NULL) {
        return NULL;
    }
    pyn_batch *self = (pyn_batch *)made;
    self->handle = ((pyn_js *)object)->handle;
    Py_INCREF(self->handle);
    nats_status status = nats_js_batch_new(js, &self->batch);
    if (status != NATS_OK) {
        Py_DECREF(made);
        return pyn_raise(status);
    }
    return made;
}

typedef nats_status (*batch_start)(nats_js_batch *batch, const char *subject, size_t subject_len,
                                   const nats_headers *headers, const void *data, size_t data_len,
                                   int64_t timeout_ms, nats_future **future_out);

typedef struct adding {
    nats_js_batch *batch;
    batch_start start;
    pyn_storing what;
    nats_future *future;
} adding;

static nats_status add_step(void *arg, int64_t ms)
{
    adding *self = arg;
    const pyn_storing *what = &self->what;
    (void)ms;
    return self->start(self->batch, what->subject.ptr, what->subject.len, what->headers,
                       what->data.ptr, what->data.len, what->timeout_ms, &self->future);
}

static nats_status run(pyn_batch *self, adding *call)
{
    nats_status status = NATS_ERR_INTERRUPTED;
    self->busy = true;
    if (pyn_has_room(self->handle, call->what.data.len)) {
        status = add_step(call, 0);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        status = pyn_wait(add_step, call, 0);
    }
    self->busy = false;
    return status;
}

/* (class, subject, data, headers, timeout, keywords): a future. */
static PyObject *add(pyn_batch *self, batch_start start, PyObject *args)
{
    PyObject *class, *subject, *data, *headers, *timeout, *keywords;
    adding call = {.start = start};
    if (!PyArg_ParseTuple(args, "OOOOOO!:add", &class, &subject, &data, &headers, &timeout,
                          &PyDict_Type, &keywords)) {
        return NULL;
    }
    bool none = subject == Py_None; /* commit, and no message besides */
    PyObject *empty = none ? PyUnicode_FromString("") : NULL;
    if ((none && empty == NULL) ||
        !pyn_storing_read(&call.what, none ? empty : subject, data, headers, timeout, keywords)) {
        Py_XDECREF(empty);
        return NULL;
    }
    if (none) {
        call.what.subject = (pyn_text){NULL, 0};
    }
    nats_status status = PYN_RAISED;
    if (self->batch == NULL) {
        pyn_raise_words(NATS_ERR_CLOSED, "batch", "the batch was abandoned");
    } else if (self->busy) {
        pyn_raise_words(NATS_ERR_INVALID, "batch", "another thread is adding to this batch");
    } else {
        call.batch = self->batch;
        status = run(self, &call);
    }
    pyn_storing_free(&call.what);
    Py_XDECREF(empty);
    return status == NATS_OK ? pyn_future_of(class, self->handle, call.future) : pyn_raise(status);
}

static PyObject *batch_add(PyObject *object, PyObject *args)
{
    return add((pyn_batch *)object, nats_js_batch_add_start, args);
}

static PyObject *batch_commit(PyObject *object, PyObject *args)
{
    return add((pyn_batch *)object, nats_js_batch_commit_start, args);
}

static PyObject *batch_abandon(PyObject *object, PyObject *nothing)
{
    pyn_batch *self = (pyn_batch *)object;
    (void)nothing;
    if (self->busy) {
        return pyn_raise_words(NATS_ERR_INVALID, "batch", "another thread is adding to this batch");
    }
    nats_js_batch_free(self->batch);
    self->batch = NULL;
    Py_RETURN_NONE;
}

static PyMethodDef batch_methods[] = {{"_add", batch_add, METH_VARARGS, NULL},
                                      {"_commit", batch_commit, METH_VARARGS, NULL},
                                      {"_abandon", batch_abandon, METH_NOARGS, NULL},
                                      {NULL, NULL, 0, NULL}};

static PyGetSetDef batch_getset[] = {{NULL, NULL, NULL, NULL, NULL}};

PYN_BASE_TYPE(batch, pyn_batch, "BatchBase");
