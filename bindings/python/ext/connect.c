/* Connecting and subscribing: servers and options as Python writes them. */
#include "pyn.h"

#include <math.h>

/* ---- servers ---- */

static PyObject *not_a_url(PyObject *value)
{
    PyErr_Format(PyExc_TypeError, "url must be a str or a list of them, not %.100s",
                 Py_TYPE(value)->tp_name);
    return NULL;
}

static PyObject *join(PyObject *urls)
{
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(urls); i++) {
        PyObject *url = PySequence_Fast_GET_ITEM(urls, i);
        if (!PyUnicode_Check(url)) {
            return PyErr_Format(PyExc_TypeError, "url[%zd] must be a str, not %.100s", i,
                                Py_TYPE(url)->tp_name);
        }
    }
    if (PySequence_Fast_GET_SIZE(urls) == 0) {
        return pyn_raise_words(NATS_ERR_INVALID, "url", "url: the list of servers is empty");
    }
    PyObject *comma = PyUnicode_FromString(",");
    PyObject *text = comma != NULL ? PyUnicode_Join(comma, urls) : NULL;
    Py_XDECREF(comma);
    return text;
}

static PyObject *text_of(PyObject *url)
{
    if (PyUnicode_Check(url)) {
        Py_INCREF(url);
        return url;
    }
    return PyList_Check(url) || PyTuple_Check(url) ? join(url) : not_a_url(url);
}

/* None, a URL, or a list of them: *text is one text with commas, or NULL. */
static bool servers_text(PyObject *url, PyObject **text)
{
    *text = NULL;
    if (url == Py_None) {
        return true;
    }
    *text = text_of(url);
    if (*text != NULL && pyn_words_of(*text, "url") == NULL) {
        Py_CLEAR(*text);
    }
    return *text != NULL;
}

static const char *servers_words(PyObject *text)
{
    return text != NULL ? PyUnicode_AsUTF8(text) : NULL;
}

/* ---- options ---- */

static nats_status set_whole(nats_options *options, const char *name, PyObject *value)
{
    int64_t number;
    if (nats_options_type(name) == NATS_OPTION_DURATION) {
        double seconds = PyLong_AsDouble(value);
        if (seconds == -1.0 && PyErr_Occurred()) {
            PyErr_Clear(); /* it is over 1e308 */
            seconds = (double)INFINITY;
        }
        return nats_options_set_double(options, name, seconds);
    }
    if (!pyn_integer_of(value, name, &number)) {
        return PYN_RAISED;
    }
    return nats_options_set_int(options, name, number);
}

static nats_status set_option(nats_options *options, const char *name, PyObject *value)
{
    if (value == Py_None) {
        /* Absent; but a name that is none is an error all the same. */
        return nats_options_type(name) != 0 ? NATS_OK : nats_options_set_text(options, name, "", 0);
    }
    if (PyBool_Check(value)) {
        return nats_options_set_bool(options, name, value == Py_True);
    }
    if (PyLong_Check(value)) {
        return set_whole(options, name, value);
    }
    if (PyFloat_Check(value)) {
        return nats_options_set_double(options, name, PyFloat_AS_DOUBLE(value));
    }
    if (PyUnicode_Check(value)) {
        pyn_text text;
        return pyn_text_of(value, name, &text)
                   ? nats_options_set_text(options, name, text.ptr, text.len)
                   : PYN_RAISED;
    }
    PyErr_Format(PyExc_TypeError, "option '%.100s' must be str, bool or a number, not %.100s", name,
                 Py_TYPE(value)->tp_name);
    return PYN_RAISED;
}

static nats_status fill_options(nats_options *options, PyObject *given)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    /* Ctrl-C must end a call that waits. */
    nats_status status = nats_options_set_bool(options, "interruptible", 1);
    while (status == NATS_OK && PyDict_Next(given, &at, &key, &value)) {
        const char *name = pyn_words_of(key, "option");
        status = name != NULL ? set_option(options, name, value) : PYN_RAISED;
    }
    return status;
}

/* Owned; NULL with the error set. */
static nats_options *options_of(PyObject *given)
{
    nats_options *options;
    nats_status status = nats_options_new(&options);
    if (status != NATS_OK) {
        pyn_raise(status);
        return NULL;
    }
    status = fill_options(options, given);
    if (status != NATS_OK) {
        pyn_raise(status);
        nats_options_free(options);
        return NULL;
    }
    return options;
}

static const char *type_name(int32_t type)
{
    switch (type) {
    case NATS_OPTION_TEXT:
        return "text";
    case NATS_OPTION_BOOL:
        return "bool";
    case NATS_OPTION_INT:
        return "int";
    default:
        return "seconds";
    }
}

PyObject *pyn_options(PyObject *module, PyObject *nothing)
{
    PyObject *list = PyList_New(0);
    (void)module;
    (void)nothing;
    for (size_t i = 0; list != NULL && nats_options_name(i) != NULL; i++) {
        const char *name = nats_options_name(i);
        PyObject *row = Py_BuildValue("(sss)", name, type_name(nats_options_type(name)),
                                      nats_options_doc(name));
        if (row == NULL || PyList_Append(list, row) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}

/* ---- connect ---- */

/* The handle is taken over: an object without a connection is never seen. */
static PyObject *client_new(PyObject *class, pyn_handle *handle)
{
    PyObject *object = pyn_object_new(class, &pyn_client_type);
    if (object == NULL) {
        Py_DECREF(handle);
        return NULL;
    }
    ((pyn_client *)object)->handle = handle;
    return object;
}

/* Both are owned. */
static nats_status connect_with(PyObject *url, PyObject *given, nats_client **client,
                                nats_future **future)
{
    PyObject *text;
    *future = NULL;
    if (!servers_text(url, &text)) {
        return PYN_RAISED;
    }
    nats_options *options = options_of(given);
    nats_status status = PYN_RAISED;
    if (options != NULL) {
        status = nats_connect_start(servers_words(text), options, client, future);
    }
    nats_options_free(options);
    Py_XDECREF(text);
    return status;
}

/* connect(class, url, options) */
PyObject *pyn_connect(PyObject *module, PyObject *args)
{
    PyObject *class, *url, *given;
    nats_future *future;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO!:connect", &class, &url, &PyDict_Type, &given)) {
        return NULL;
    }
    pyn_handle *handle = pyn_handle_new(NULL);
    if (handle == NULL) {
        return NULL;
    }
    nats_status status = connect_with(url, given, &handle->client, &future);
    if (status == NATS_OK) {
        status = pyn_goal_wait(future);
    }
    if (status != NATS_OK) {
        pyn_raise(status); /* before the client goes, and the words about it */
        Py_DECREF(handle);
        return NULL;
    }
    return client_new(class, handle);
}

/* connect_start(class, class of the future, url, options): (client, future) */
PyObject *pyn_connect_start(PyObject *module, PyObject *args)
{
    PyObject *class, *future_class, *url, *given;
    nats_future *future = NULL;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOO!:connect_start", &class, &future_class, &url, &PyDict_Type,
                          &given)) {
        return NULL;
    }
    pyn_handle *handle = pyn_handle_new(NULL);
    if (handle == NULL) {
        return NULL;
    }
    nats_status status = connect_with(url, given, &handle->client, &future);
    if (status != NATS_OK) {
        Py_DECREF(handle);
        return pyn_raise(status);
    }
    PyObject *second = pyn_future_of(future_class, handle, future);
    PyObject *first = client_new(class, handle);
    PyObject *pair = first != NULL && second != NULL ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return pair;
}

/* share(client, class) */
PyObject *pyn_share(PyObject *module, PyObject *args)
{
    PyObject *object, *class;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:share", &object, &class)) {
        return NULL;
    }
    nats_client *client = pyn_client_get(object);
    pyn_handle *handle = client != NULL ? pyn_handle_new(((pyn_client *)object)->handle) : NULL;
    if (handle == NULL) {
        return NULL;
    }
    nats_status status = nats_client_share(client, &handle->client);
    if (status != NATS_OK) {
        Py_DECREF(handle);
        return pyn_raise(status);
    }
    return client_new(class, handle);
}

/* ---- subscribe ---- */

static bool limit_of(PyObject *value, const char *name, int64_t *limit)
{
    *limit = 0; /* the client's own */
    if (value == Py_None) {
        return true;
    }
    if (!pyn_integer_of(value, name, limit)) {
        return false;
    }
    if (*limit == 0) {
        pyn_raise_words(NATS_ERR_INVALID, name, "%s must be 1 or more, or -1 for no limit, not 0",
                        name);
    }
    return *limit != 0;
}

typedef struct subscribing {
    nats_client *client;
    pyn_text subject;
    pyn_text queue;
    uint64_t max;
    int64_t msgs;
    int64_t bytes;
    int mode;
    nats_sub *sub;
} subscribing;

static nats_status subscribe_step(void *arg, int64_t ms)
{
    subscribing *self = arg;
    (void)ms;
    return nats_client_subscribe_with(self->client, self->subject.ptr, self->subject.len,
                                      self->queue.ptr, self->queue.len, self->max, self->msgs,
                                      self->bytes, self->mode, &self->sub);
}

/* As a publish, it waits while the server takes nothing. */
static nats_status subscribe(pyn_handle *handle, subscribing *call)
{
    nats_status status = NATS_ERR_INTERRUPTED;
    if (pyn_has_room(handle, call->subject.len + call->queue.len)) {
        status = subscribe_step(call, 0);
    }
    return status == NATS_ERR_INTERRUPTED ? pyn_wait(subscribe_step, call, 0) : status;
}

/* subscribe(client, class, subject, queue, max, pending_msgs, pending_bytes, mode) */
PyObject *pyn_subscribe(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *to, *group, *most, *most_msgs, *most_bytes;
    subscribing call = {.sub = NULL};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOOOi:subscribe", &object, &class, &to, &group, &most,
                          &most_msgs, &most_bytes, &call.mode) ||
        !pyn_text_of(to, "subject", &call.subject) ||
        !pyn_text_or_none(group, "queue", &call.queue) || !pyn_count_of(most, "max", &call.max) ||
        !limit_of(most_msgs, "pending_msgs", &call.msgs) ||
        !limit_of(most_bytes, "pending_bytes", &call.bytes)) {
        return NULL;
    }
    call.client = pyn_client_get(object);
    PyObject *made = call.client != NULL ? pyn_object_new(class, &pyn_sub_type) : NULL;
    if (made == NULL) {
        return NULL;
    }
    pyn_sub *sub = (pyn_sub *)made;
    sub->handle = ((pyn_client *)object)->handle;
    Py_INCREF(sub->handle);
    sub->mode = call.mode;
    nats_status status = subscribe(sub->handle, &call);
    sub->sub = call.sub;
    if (status != NATS_OK) {
        pyn_raise(status);
        Py_CLEAR(made);
    }
    return made;
}

/* ---- the protocol without I/O ---- */

/* proto_new(class, servers, options, seed) */
PyObject *pyn_proto_new(PyObject *module, PyObject *args)
{
    PyObject *class, *servers, *given, *text, *random;
    pyn_bytes seed;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO!O:proto", &class, &servers, &PyDict_Type, &given, &random) ||
        !pyn_data_of(random, "seed", &seed)) {
        return NULL;
    }
    if (!servers_text(servers, &text)) {
        pyn_bytes_free(&seed);
        return NULL;
    }
    PyObject *made = pyn_object_new(class, &pyn_proto_type);
    nats_options *options = made != NULL ? options_of(given) : NULL;
    nats_status status = PYN_RAISED;
    if (options != NULL) {
        status = nats_proto_new(servers_words(text), options, seed.ptr, seed.len,
                                &((pyn_proto *)made)->proto);
    }
    nats_options_free(options);
    pyn_bytes_free(&seed);
    Py_XDECREF(text);
    if (status != NATS_OK) {
        pyn_raise(status);
        Py_CLEAR(made);
    }
    return made;
}
