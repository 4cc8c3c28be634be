/* Publishing: one crossing, the GIL kept while the library need not wait for the server. */
#include "pyn.h"

#include <string.h>

enum {
    /* The library waits for the server when 120 KiB are unwritten (docs/delivery.md). We look after
     * every 32 KiB, and go on with the GIL when less than 80 KiB are. */
    LOOK_EVERY = 32 * 1024,
    ROOM_BELOW = 80 * 1024,
    FRAME_SIZE = 64, /* what a message takes besides its payload, about */
    SLICE = 128      /* payloads of one inner call of publish_many */
};

/* ---- does it wait? ---- */

static bool look(pyn_handle *handle, size_t len)
{
    uint64_t values[PYN_STATS_MAX];
    size_t count = nats_client_stats(handle->client, values, PYN_STATS_MAX);
    bool room = true;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(nats_stats_name(i), "unwritten_bytes") == 0) {
            room = values[i] < ROOM_BELOW;
        }
    }
    handle->meter->bytes = room ? len : LOOK_EVERY;
    return room;
}

bool pyn_has_room(pyn_handle *handle, size_t len)
{
    handle->meter->bytes += len + FRAME_SIZE;
    return handle->meter->bytes < LOOK_EVERY || look(handle, len);
}

PyObject *pyn_client_has_room(PyObject *self, PyObject *len)
{
    size_t size = PyLong_AsSize_t(len);
    if (size == (size_t)-1 && PyErr_Occurred()) {
        return NULL;
    }
    return PyBool_FromLong(pyn_has_room(((pyn_client *)self)->handle, size));
}

/* ---- one ---- */

typedef struct publishing {
    nats_client *client;
    const pyn_publication *what;
} publishing;

static nats_status publish_step(void *arg, int64_t ms)
{
    const publishing *self = arg;
    const pyn_publication *what = self->what;
    (void)ms;
    return nats_client_publish_with(self->client, what->subject.ptr, what->subject.len,
                                    what->reply.ptr, what->reply.len, what->headers,
                                    what->data.ptr, what->data.len);
}

void pyn_publication_free(pyn_publication *what)
{
    pyn_bytes_free(&what->data);
    nats_headers_free(what->headers);
}

PyObject *pyn_publish(pyn_handle *handle, pyn_publication *what)
{
    publishing self = {handle->client, what};
    nats_status status = NATS_ERR_INTERRUPTED;
    if (pyn_has_room(handle, what->data.len)) {
        status = publish_step(&self, 0);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        Py_INCREF(handle); /* other threads run, and may let go of it */
        status = pyn_wait(publish_step, &self, 0);
        Py_DECREF(handle);
    }
    pyn_publication_free(what);
    return pyn_done(status);
}

static PyObject *publish_with(pyn_handle *handle, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    static const char *const names[] = {"subject", "data", "reply", "headers", NULL};
    PyObject *values[4];
    pyn_publication what = {.headers = NULL};
    if (!pyn_arguments("publish", args, nargs, kwnames, names, 1, values) ||
        !pyn_text_of(values[0], "subject", &what.subject) ||
        !pyn_text_or_none(values[2], "reply", &what.reply) ||
        !pyn_data_of(values[1], "data", &what.data)) {
        return NULL;
    }
    if (!pyn_headers_of(values[3], &what.headers)) {
        pyn_publication_free(&what);
        return NULL;
    }
    return pyn_publish(handle, &what);
}

PyObject *pyn_client_publish(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    pyn_handle *handle = ((pyn_client *)self)->handle;
    bool plain = nargs == 2 && kwnames == NULL && PyUnicode_CheckExact(args[0]) &&
                 PyBytes_CheckExact(args[1]);
    if (!plain) {
        return publish_with(handle, args, nargs, kwnames);
    }
    Py_ssize_t len;
    const char *subject = PyUnicode_AsUTF8AndSize(args[0], &len);
    size_t size = (size_t)PyBytes_GET_SIZE(args[1]);
    if (subject == NULL || !pyn_has_room(handle, size)) {
        PyErr_Clear();
        return publish_with(handle, args, nargs, kwnames);
    }
    nats_status status = nats_client_publish(handle->client, subject, (size_t)len,
                                             PyBytes_AS_STRING(args[1]), size);
    if (status == NATS_ERR_INTERRUPTED) {
        return publish_with(handle, args, nargs, kwnames);
    }
    return pyn_done(status);
}

/* For event loops: False, and nothing is published, when it would wait for the server. */
PyObject *pyn_client_try_publish(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                 PyObject *kwnames)
{
    bool sized = nargs > 1 && PyBytes_CheckExact(args[1]);
    size_t size = sized ? (size_t)PyBytes_GET_SIZE(args[1]) : 0;
    if (!pyn_has_room(((pyn_client *)self)->handle, size)) {
        Py_RETURN_FALSE;
    }
    PyObject *nothing = pyn_client_publish(self, args, nargs, kwnames);
    if (nothing == NULL) {
        return NULL;
    }
    Py_DECREF(nothing);
    Py_RETURN_TRUE;
}

/* ---- many ---- */

typedef struct many {
    nats_client *client;
    pyn_text subject;
    const void *datas[SLICE];
    size_t lens[SLICE];
    size_t count;
    size_t published; /* of this slice */
} many;

static nats_status many_step(void *arg, int64_t ms)
{
    many *self = arg;
    size_t accepted = 0;
    (void)ms;
    nats_status status = nats_client_publish_many(
        self->client, self->subject.ptr, self->subject.len, self->datas + self->published,
        self->lens + self->published, self->count - self->published, &accepted);
    self->published += accepted;
    return status;
}

static bool check_payloads(PyObject *list)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(list); i++) {
        PyObject *data = PyTuple_GET_ITEM(list, i);
        if (!PyBytes_Check(data) && !PyUnicode_Check(data) && !PyObject_CheckBuffer(data)) {
            PyErr_Format(PyExc_TypeError, "datas[%zd] must be bytes-like or str, not %.100s", i,
                         Py_TYPE(data)->tp_name);
            return false;
        }
    }
    return true;
}

/* Payloads from .. from + count - 1. */
static nats_status publish_slice(pyn_handle *handle, many *self, PyObject *list, Py_ssize_t from)
{
    pyn_bytes held[SLICE];
    size_t held_count = 0;
    size_t bytes = 0;
    nats_status status = NATS_OK;
    self->published = 0;
    while (held_count < self->count && status == NATS_OK) {
        pyn_bytes *data = &held[held_count];
        if (!pyn_data_of(PyTuple_GET_ITEM(list, from + (Py_ssize_t)held_count), "datas", data)) {
            status = PYN_RAISED;
            break;
        }
        self->datas[held_count] = data->ptr;
        self->lens[held_count] = data->len;
        bytes += data->len + FRAME_SIZE;
        held_count++;
    }
    if (status == NATS_OK) {
        bool room = pyn_has_room(handle, bytes) && bytes < LOOK_EVERY;
        status = room ? many_step(self, 0) : NATS_ERR_INTERRUPTED;
    }
    if (status == NATS_ERR_INTERRUPTED) {
        status = pyn_wait(many_step, self, 0);
    }
    for (size_t i = 0; i < held_count; i++) {
        pyn_bytes_free(&held[i]);
    }
    return status;
}

void pyn_note_count(const char *name, size_t count)
{
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    PyObject *number = PyLong_FromSize_t(count);
    if (number == NULL || PyObject_SetAttrString(error, name, number) != 0) {
        PyErr_Clear();
    }
    Py_XDECREF(number);
    PyErr_Restore(type, error, trace);
}

static PyObject *publish_list(pyn_handle *handle, many *self, PyObject *list)
{
    Py_ssize_t done = 0;
    Py_ssize_t count = PyTuple_GET_SIZE(list);
    do {
        self->count = (size_t)(count - done < SLICE ? count - done : SLICE);
        nats_status status = publish_slice(handle, self, list, done);
        done += (Py_ssize_t)self->published;
        if (status != NATS_OK) {
            pyn_raise(status);
            pyn_note_count("published", (size_t)done);
            return NULL;
        }
    } while (done < count);
    return PyLong_FromSsize_t(done);
}

PyObject *pyn_client_publish_many(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                  PyObject *kwnames)
{
    static const char *const names[] = {"subject", "datas", NULL};
    PyObject *values[2];
    many call = {.client = ((pyn_client *)self)->handle->client};
    if (!pyn_arguments("publish_many", args, nargs, kwnames, names, 2, values) ||
        !pyn_text_of(values[0], "subject", &call.subject)) {
        return NULL;
    }
    if (PyUnicode_Check(values[1]) || PyObject_CheckBuffer(values[1])) {
        PyErr_Format(PyExc_TypeError, "datas must be a list of payloads, not %.100s",
                     Py_TYPE(values[1])->tp_name);
        return NULL;
    }
    PyObject *list = PySequence_Tuple(values[1]);
    PyObject *result = NULL;
    if (list != NULL && check_payloads(list)) {
        result = publish_list(((pyn_client *)self)->handle, &call, list);
    }
    Py_XDECREF(list);
    return result;
}
