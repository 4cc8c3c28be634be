/* Publishers: a window of messages whose acks are still to come. With the GIL as long as neither the window
 * nor the connection's buffer is full. */
#include "pyn_js.h"

enum { SLICE = 128 /* payloads of one inner call */ };

typedef struct pyn_publisher {
    PyObject_HEAD
    pyn_handle *handle;
    nats_js_publisher *publisher;
    uint64_t room; /* of the window, as far as is known: it may be more */
    bool fast;     /* the stream says how large the window is, which may become smaller */
    bool closed;
} pyn_publisher;

static void publisher_dealloc(PyObject *object)
{
    pyn_publisher *self = (pyn_publisher *)object;
    nats_js_publisher_free(self->publisher);
    Py_XDECREF(self->handle);
    Py_TYPE(object)->tp_free(object);
}

typedef struct making {
    nats_js *js;
    int64_t max_pending;
    int fast;
    nats_js_publisher *publisher;
} making;

static nats_status make_step(void *arg, int64_t ms)
{
    making *self = arg;
    (void)ms;
    return self->fast ? nats_js_publisher_fast(self->js, self->max_pending, &self->publisher)
                      : nats_js_publisher_new(self->js, self->max_pending, &self->publisher);
}

/* publisher(js, class, max_pending, fast) */
PyObject *pyn_publisher_make(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *most;
    uint64_t max_pending;
    making call = {.js = NULL};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOp:publisher", &object, &class, &most, &call.fast) ||
        !pyn_count_of(most, "max_pending", &max_pending)) {
        return NULL;
    }
    nats_js *js = pyn_js_get(object);
    PyObject *made = js != NULL ? pyn_object_new(class, &pyn_publisher_type) : NULL;
    if (made == NULL) {
        return NULL;
    }
    pyn_publisher *self = (pyn_publisher *)made;
    self->handle = ((pyn_js *)object)->handle;
    Py_INCREF(self->handle);
    self->fast = call.fast != 0;
    call.js = js;
    call.max_pending = (int64_t)max_pending;
    nats_status status = pyn_wait(make_step, &call, 0);
    self->publisher = call.publisher;
    if (status != NATS_OK) {
        Py_DECREF(made);
        return pyn_raise(status);
    }
    return made;
}

static bool is_open(const pyn_publisher *self)
{
    if (self->closed) {
        pyn_raise_words(NATS_ERR_CLOSED, "publisher", "the publisher is closed");
    }
    return !self->closed;
}

/* ---- room ---- */

/* Without waiting: it is counted down, and looked up only at its end. */
static uint64_t window_room(pyn_publisher *self, uint64_t count)
{
    if (self->fast || self->room < count) {
        int64_t room = nats_js_publisher_room(self->publisher, NULL);
        self->room = room > 0 ? (uint64_t)room : 0;
    }
    return self->room;
}

static bool window_has_room(pyn_publisher *self, uint64_t count)
{
    bool room = window_room(self, count) >= count;
    self->room -= room ? count : 0;
    return room;
}

/* room(count): how many of them may be published now: all or none, of a fast one also some. */
static PyObject *publisher_room(PyObject *object, PyObject *number)
{
    pyn_publisher *self = (pyn_publisher *)object;
    uint64_t count;
    if (!pyn_count_of(number, "count", &count)) {
        return NULL;
    }
    uint64_t room = window_room(self, count);
    bool some = room >= count || self->fast;
    return PyLong_FromUnsignedLongLong(!some ? 0 : room < count ? room : count);
}

/* ---- publish ---- */

typedef struct publishing {
    nats_js_publisher *publisher;
    pyn_storing what;
    uint64_t id;
} publishing;

static nats_status publish_step(void *arg, int64_t ms)
{
    publishing *self = arg;
    const pyn_storing *what = &self->what;
    (void)ms;
    return nats_js_publisher_publish(self->publisher, what->subject.ptr, what->subject.len,
                                     what->headers, what->data.ptr, what->data.len, &self->id);
}

/* Must the server be asked first what it can do? Then the call would wait for it. */
static bool must_ask(const publishing *call)
{
    return call->what.headers != NULL &&
           nats_js_publisher_room(call->publisher, call->what.headers) < 0;
}

static PyObject *publish(pyn_publisher *self, PyObject *const *args, Py_ssize_t nargs, bool loop)
{
    publishing call = {.publisher = self->publisher};
    nats_status status = NATS_ERR_INTERRUPTED;
    if (nargs != 4 || !PyDict_Check(args[3])) {
        PyErr_SetString(PyExc_TypeError, "publish: subject, data, headers and keywords expected");
        return NULL;
    }
    if (!is_open(self) ||
        !pyn_storing_read(&call.what, args[0], args[1], args[2], Py_None, args[3])) {
        return NULL;
    }
    bool asks = must_ask(&call);
    if (asks && loop) {
        pyn_storing_free(&call.what);
        Py_RETURN_NONE;
    }
    bool room = window_has_room(self, 1);
    if (pyn_has_room(self->handle, call.what.data.len) && room && !asks) {
        status = publish_step(&call, 0);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        status = pyn_wait(publish_step, &call, 0);
    }
    pyn_storing_free(&call.what);
    return status == NATS_OK ? PyLong_FromUnsignedLongLong(call.id) : pyn_raise(status);
}

/* publish(subject, data, headers, keywords): its number. */
static PyObject *publisher_publish(PyObject *object, PyObject *const *args, Py_ssize_t nargs)
{
    return publish((pyn_publisher *)object, args, nargs, false);
}

/* publish_now(…): the same of an event loop; None: what the server can do is to be asked first. */
static PyObject *publisher_publish_now(PyObject *object, PyObject *const *args, Py_ssize_t nargs)
{
    return publish((pyn_publisher *)object, args, nargs, true);
}

/* ---- many ---- */

typedef struct many {
    nats_js_publisher *publisher;
    pyn_text subject;
    const void *datas[SLICE];
    size_t lens[SLICE];
    size_t count;
    size_t published; /* of this slice */
    size_t total;
    uint64_t first_id;
} many;

static nats_status many_step(void *arg, int64_t ms)
{
    many *self = arg;
    size_t accepted = 0;
    uint64_t id = 0;
    (void)ms;
    nats_status status = nats_js_publisher_publish_many(
        self->publisher, self->subject.ptr, self->subject.len, self->datas + self->published,
        self->lens + self->published, self->count - self->published, &id, &accepted);
    if (self->total == 0 && accepted > 0) {
        self->first_id = id;
    }
    self->published += accepted;
    self->total += accepted;
    return status;
}

static nats_status publish_slice(pyn_publisher *self, many *call, PyObject *list, Py_ssize_t from)
{
    pyn_bytes held[SLICE];
    size_t held_count = 0;
    size_t bytes = 0;
    nats_status status = NATS_OK;
    call->published = 0;
    while (held_count < call->count) {
        pyn_bytes *data = &held[held_count];
        if (!pyn_data_of(PyTuple_GET_ITEM(list, from + (Py_ssize_t)held_count), "datas", data)) {
            status = PYN_RAISED;
            break;
        }
        call->datas[held_count] = data->ptr;
        call->lens[held_count] = data->len;
        bytes += data->len;
        held_count++;
    }
    if (status == NATS_OK) {
        bool room = window_has_room(self, call->count);
        status = pyn_has_room(self->handle, bytes) && room ? many_step(call, 0)
                                                           : NATS_ERR_INTERRUPTED;
    }
    if (status == NATS_ERR_INTERRUPTED) {
        status = pyn_wait(many_step, call, 0);
    }
    for (size_t i = 0; i < held_count; i++) {
        pyn_bytes_free(&held[i]);
    }
    return status;
}

/* Before any of them is published. */
static bool are_payloads(PyObject *list)
{
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(list); i++) {
        PyObject *data = PyTuple_GET_ITEM(list, i);
        if (data != Py_None && !PyUnicode_Check(data) && !PyObject_CheckBuffer(data)) {
            PyErr_Format(PyExc_TypeError, "datas[%zd] must be bytes-like or str, not %.100s", i,
                         Py_TYPE(data)->tp_name);
            return false;
        }
    }
    return true;
}

/* check_many(datas): of an event loop, which publishes them in pieces. */
static PyObject *publisher_check_many(PyObject *object, PyObject *list)
{
    (void)object;
    if (!PyTuple_Check(list)) {
        PyErr_SetString(PyExc_TypeError, "check_many: a tuple expected");
        return NULL;
    }
    if (!are_payloads(list)) {
        return NULL;
    }
    Py_RETURN_NONE;
}

/* publish_many(subject, datas): (number of the first, how many, error or None) */
static PyObject *publisher_publish_many(PyObject *object, PyObject *args)
{
    pyn_publisher *self = (pyn_publisher *)object;
    PyObject *subject, *list;
    many call = {.publisher = self->publisher};
    nats_status status = NATS_OK;
    if (!PyArg_ParseTuple(args, "OO!:publish_many", &subject, &PyTuple_Type, &list) ||
        !is_open(self) || !pyn_text_of(subject, "subject", &call.subject) || !are_payloads(list)) {
        return NULL;
    }
    Py_ssize_t count = PyTuple_GET_SIZE(list);
    while (status == NATS_OK && (Py_ssize_t)call.total < count) {
        Py_ssize_t left = count - (Py_ssize_t)call.total;
        call.count = (size_t)(left < SLICE ? left : SLICE);
        status = publish_slice(self, &call, list, (Py_ssize_t)call.total);
    }
    if (status != NATS_OK) {
        pyn_raise(status);
        pyn_note_count("first", (size_t)call.first_id);
        pyn_note_count("published", call.total);
        return NULL;
    }
    return Py_BuildValue("(Kn)", (unsigned long long)call.first_id, (Py_ssize_t)call.total);
}

/* ---- what became of them ---- */

/* flush(class, timeout): a future. */
static PyObject *publisher_flush(PyObject *object, PyObject *args)
{
    pyn_publisher *self = (pyn_publisher *)object;
    PyObject *class, *timeout;
    int64_t ms;
    nats_future *future;
    if (!PyArg_ParseTuple(args, "OO:flush", &class, &timeout) || !is_open(self) ||
        !pyn_seconds_of(timeout, "timeout", &ms)) {
        return NULL;
    }
    nats_status status = nats_js_publisher_flush_start(self->publisher, ms, &future);
    return status == NATS_OK ? pyn_future_of(class, self->handle, future) : pyn_raise(status);
}

/* flush_now(): without waiting, for nobody could. */
static PyObject *publisher_flush_now(PyObject *object, PyObject *nothing)
{
    (void)nothing;
    return pyn_done(nats_js_publisher_flush(((pyn_publisher *)object)->publisher, 0));
}

/* The error of a failed message, not raised. */
static PyObject *error_of(nats_status status)
{
    PyObject *type, *error, *trace;
    pyn_raise(status);
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    return error;
}

/* next_failure(): (number, error), or None. */
static PyObject *publisher_next_failure(PyObject *object, PyObject *nothing)
{
    pyn_publisher *self = (pyn_publisher *)object;
    uint64_t id = 0;
    (void)nothing;
    nats_status status = nats_js_publisher_next_failure(self->publisher, &id);
    if (status == NATS_OK) {
        Py_RETURN_NONE;
    }
    if (id == 0) { /* the call itself failed */
        return pyn_raise(status);
    }
    return Py_BuildValue("(KN)", (unsigned long long)id, error_of(status));
}

static PyObject *publisher_end(PyObject *object, PyObject *nothing)
{
    (void)nothing;
    ((pyn_publisher *)object)->closed = true;
    Py_RETURN_NONE;
}

nats_js_publisher *pyn_publisher_get(PyObject *object)
{
    if (PyObject_TypeCheck(object, &pyn_publisher_type)) {
        return ((pyn_publisher *)object)->publisher;
    }
    PyErr_Format(PyExc_TypeError, "a %.100s expected, not %.100s", pyn_publisher_type.tp_name,
                 Py_TYPE(object)->tp_name);
    return NULL;
}

PyObject *pyn_publisher_stats_dict(const uint64_t *values, size_t count)
{
    static const char *const names[NATS_PUBLISHER_STAT_COUNT] = {
        [NATS_PUBLISHER_PUBLISHED] = "published",   [NATS_PUBLISHER_ACKED] = "acked",
        [NATS_PUBLISHER_DUPLICATES] = "duplicates", [NATS_PUBLISHER_FAILED] = "failed",
        [NATS_PUBLISHER_PENDING] = "pending",
    };
    PyObject *map = PyDict_New();
    for (size_t i = 0; map != NULL && i < NATS_PUBLISHER_STAT_COUNT; i++) {
        PyObject *value = PyLong_FromUnsignedLongLong(i < count ? values[i] : 0);
        if (value == NULL || PyDict_SetItemString(map, names[i], value) != 0) {
            Py_CLEAR(map);
        }
        Py_XDECREF(value);
    }
    return map;
}

static PyMethodDef publisher_methods[] = {
    {"_publish", (PyCFunction)(void (*)(void))publisher_publish, METH_FASTCALL, NULL},
    {"_publish_now", (PyCFunction)(void (*)(void))publisher_publish_now, METH_FASTCALL, NULL},
    {"_publish_many", publisher_publish_many, METH_VARARGS, NULL},
    {"_check_many", publisher_check_many, METH_O, NULL},
    {"_room", publisher_room, METH_O, NULL},
    {"_flush", publisher_flush, METH_VARARGS, NULL},
    {"_flush_now", publisher_flush_now, METH_NOARGS, NULL},
    {"_next_failure", publisher_next_failure, METH_NOARGS, NULL},
    {"_end", publisher_end, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef publisher_getset[] = {{NULL, NULL, NULL, NULL, NULL}};

PYN_BASE_TYPE(publisher, pyn_publisher, "PublisherBase");
