/* JetStream's handle: what begins there does not wait, but for room in the connection's buffer. Futures and
 * subscriptions do the waiting, as everywhere else. */
#include "pyn_js.h"

static void js_dealloc(PyObject *object)
{
    pyn_js *self = (pyn_js *)object;
    nats_js_free(self->js);
    Py_XDECREF(self->handle);
    Py_TYPE(object)->tp_free(object);
}

nats_js *pyn_js_get(PyObject *object)
{
    if (PyObject_TypeCheck(object, &pyn_js_type)) {
        return ((pyn_js *)object)->js;
    }
    PyErr_Format(PyExc_TypeError, "a %.100s expected, not %.100s", pyn_js_type.tp_name,
                 Py_TYPE(object)->tp_name);
    return NULL;
}

static bool words_or_none(PyObject *value, const char *name, const char **words)
{
    *words = NULL;
    return value == Py_None || (*words = pyn_words_of(value, name)) != NULL;
}

PyObject *pyn_jetstream(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *domain, *prefix, *timeout;
    const char *domain_words, *prefix_words;
    int64_t ms;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOO:jetstream", &object, &class, &domain, &prefix, &timeout) ||
        !words_or_none(domain, "domain", &domain_words) ||
        !words_or_none(prefix, "prefix", &prefix_words) ||
        !pyn_seconds_of(timeout, "timeout", &ms)) {
        return NULL;
    }
    nats_client *client = pyn_client_get(object);
    PyObject *made = client != NULL ? pyn_object_new(class, &pyn_js_type) : NULL;
    if (made == NULL) {
        return NULL;
    }
    pyn_js *self = (pyn_js *)made;
    self->handle = ((pyn_client *)object)->handle;
    Py_INCREF(self->handle);
    nats_status status = nats_client_jetstream(client, domain_words, prefix_words, ms, &self->js);
    if (status != NATS_OK) {
        Py_DECREF(made);
        return pyn_raise(status);
    }
    return made;
}

/* ---- what begins ---- */

/* With the GIL while there is room for it. */
static nats_status begin(pyn_handle *handle, size_t size, pyn_step step, void *arg)
{
    nats_status status = NATS_ERR_INTERRUPTED;
    if (pyn_has_room(handle, size)) {
        status = step(arg, 0);
    }
    return status == NATS_ERR_INTERRUPTED ? pyn_wait(step, arg, 0) : status;
}

typedef struct calling {
    nats_js *js;
    const char *verb;
    pyn_bytes arguments;
    int64_t timeout_ms;
    nats_sub *sub;
    nats_future *future;
} calling;

static nats_status call_step(void *arg, int64_t ms)
{
    calling *self = arg;
    (void)ms;
    return nats_js_call_start(self->js, self->verb, self->arguments.ptr, self->arguments.len,
                              self->timeout_ms, &self->future);
}

static nats_status consume_step(void *arg, int64_t ms)
{
    calling *self = arg;
    (void)ms;
    return nats_js_consume_start(self->js, self->verb, self->arguments.ptr, self->arguments.len,
                                 self->timeout_ms, &self->sub, &self->future);
}

/* call(class, verb, arguments, timeout): a future. */
static PyObject *js_call(PyObject *object, PyObject *args)
{
    pyn_js *self = (pyn_js *)object;
    PyObject *class, *verb, *arguments, *timeout;
    calling call = {.js = self->js};
    if (!PyArg_ParseTuple(args, "OOOO:call", &class, &verb, &arguments, &timeout) ||
        (call.verb = pyn_words_of(verb, "verb")) == NULL ||
        !pyn_seconds_of(timeout, "timeout", &call.timeout_ms) ||
        !pyn_data_of(arguments, "arguments", &call.arguments)) {
        return NULL;
    }
    nats_status status = begin(self->handle, call.arguments.len, call_step, &call);
    pyn_bytes_free(&call.arguments);
    return status == NATS_OK ? pyn_future_of(class, self->handle, call.future) : pyn_raise(status);
}

static PyObject *sub_of(PyObject *class, pyn_handle *handle, nats_sub *sub, int32_t mode)
{
    PyObject *made = pyn_object_new(class, &pyn_sub_type);
    if (made == NULL) {
        nats_sub_unsubscribe(sub, 0);
        nats_sub_free(sub);
        return NULL;
    }
    Py_INCREF(handle);
    ((pyn_sub *)made)->handle = handle;
    ((pyn_sub *)made)->sub = sub;
    ((pyn_sub *)made)->mode = mode;
    return made;
}

/* consume(class of subscriptions, of futures, how, arguments, timeout, mode): both. The arguments say the
 * mode, too. */
static PyObject *js_consume(PyObject *object, PyObject *args)
{
    pyn_js *self = (pyn_js *)object;
    PyObject *sub_class, *future_class, *how, *arguments, *timeout;
    int mode;
    calling call = {.js = self->js};
    if (!PyArg_ParseTuple(args, "OOOOOi:consume", &sub_class, &future_class, &how, &arguments,
                          &timeout, &mode) ||
        (call.verb = pyn_words_of(how, "how")) == NULL ||
        !pyn_seconds_of(timeout, "timeout", &call.timeout_ms) ||
        !pyn_data_of(arguments, "arguments", &call.arguments)) {
        return NULL;
    }
    nats_status status = begin(self->handle, call.arguments.len, consume_step, &call);
    pyn_bytes_free(&call.arguments);
    if (status != NATS_OK) {
        return pyn_raise(status);
    }
    PyObject *sub = sub_of(sub_class, self->handle, call.sub, mode);
    PyObject *future = pyn_future_of(future_class, self->handle, call.future);
    PyObject *pair = sub != NULL && future != NULL ? PyTuple_Pack(2, sub, future) : NULL;
    Py_XDECREF(sub);
    Py_XDECREF(future);
    return pair;
}

typedef struct publishing {
    nats_js *js;
    pyn_storing what;
    nats_future *future;
} publishing;

static nats_status publish_step(void *arg, int64_t ms)
{
    publishing *self = arg;
    const pyn_storing *what = &self->what;
    (void)ms;
    return nats_js_publish_start(self->js, what->subject.ptr, what->subject.len, what->headers,
                                 what->data.ptr, what->data.len, what->timeout_ms, &self->future);
}

/* publish(class, subject, data, headers, timeout, keywords): a future. */
static PyObject *js_publish(PyObject *object, PyObject *args)
{
    pyn_js *self = (pyn_js *)object;
    PyObject *class, *subject, *data, *headers, *timeout, *keywords;
    publishing call = {.js = self->js};
    if (!PyArg_ParseTuple(args, "OOOOOO!:publish", &class, &subject, &data, &headers, &timeout,
                          &PyDict_Type, &keywords) ||
        !pyn_storing_read(&call.what, subject, data, headers, timeout, keywords)) {
        return NULL;
    }
    nats_status status = begin(self->handle, call.what.data.len, publish_step, &call);
    pyn_storing_free(&call.what);
    return status == NATS_OK ? pyn_future_of(class, self->handle, call.future) : pyn_raise(status);
}

/* level(class, timeout): a future that has no reply. */
static PyObject *js_level(PyObject *object, PyObject *args)
{
    pyn_js *self = (pyn_js *)object;
    PyObject *class, *timeout;
    int64_t ms;
    nats_future *future;
    if (!PyArg_ParseTuple(args, "OO:level", &class, &timeout) ||
        !pyn_seconds_of(timeout, "timeout", &ms)) {
        return NULL;
    }
    nats_status status = nats_js_level_start(self->js, ms, &future);
    return status == NATS_OK ? pyn_future_of(class, self->handle, future) : pyn_raise(status);
}

static PyMethodDef js_methods[] = {{"_call", js_call, METH_VARARGS, NULL},
                                   {"_level", js_level, METH_VARARGS, NULL},
                                   {"_consume", js_consume, METH_VARARGS, NULL},
                                   {"_publish", js_publish, METH_VARARGS, NULL},
                                   {NULL, NULL, 0, NULL}};

static PyGetSetDef js_getset[] = {{NULL, NULL, NULL, NULL, NULL}};

PYN_BASE_TYPE(js, pyn_js, "JetStreamBase");

int pyn_js_init(PyObject *module)
{
    PyTypeObject *types[] = {&pyn_js_type, &pyn_publisher_type, &pyn_batch_type};
    const char *names[] = {"JetStreamBase", "PublisherBase", "BatchBase"};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (PyType_Ready(types[i]) != 0) {
            return -1;
        }
        Py_INCREF(types[i]);
        if (PyModule_AddObject(module, names[i], (PyObject *)types[i]) != 0) {
            return -1;
        }
    }
    return 0;
}
