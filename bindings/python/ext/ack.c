/* Acknowledging messages of JetStream, and their place in the stream. */
#include "pyn_js.h"

#include <string.h>
#include <structseq.h>

typedef struct settling {
    nats_client *client;
    nats_msg *msg;
    int32_t how;
    int64_t delay_ms;
    pyn_text reason;
} settling;

static nats_status settle_step(void *arg, int64_t ms)
{
    settling *self = arg;
    (void)ms;
    return nats_client_ack(self->client, self->msg, self->how, self->delay_ms, self->reason.ptr,
                           self->reason.len);
}

/* The message, when it is one of JetStream's that came by a client. */
static bool find_message(PyObject *object, nats_msg **msg, pyn_handle **handle)
{
    *msg = pyn_message_js(object, handle);
    if (*msg == NULL || *handle == NULL) {
        pyn_raise_words(NATS_ERR_INVALID, "msg",
                        "msg was not delivered by a consumer of JetStream: there is nothing to "
                        "acknowledge");
        return false;
    }
    return true;
}

/* delay: NULL, or seconds; reason: NULL, or a text. */
static PyObject *settle(PyObject *object, int32_t how, PyObject *delay, PyObject *reason)
{
    enum { SIZE = 64 /* of an ack, about */ };
    pyn_handle *handle;
    settling call = {.how = how};
    nats_status status = NATS_ERR_INTERRUPTED;
    if (!pyn_seconds_of(delay, "delay", &call.delay_ms) ||
        !pyn_text_or_none(reason, "reason", &call.reason) ||
        !find_message(object, &call.msg, &handle)) {
        return NULL;
    }
    call.delay_ms = call.delay_ms < 0 ? 0 : call.delay_ms;
    call.client = handle->client;
    if (pyn_has_room(handle, SIZE)) {
        status = settle_step(&call, 0);
    }
    return pyn_done(status == NATS_ERR_INTERRUPTED ? pyn_wait(settle_step, &call, 0) : status);
}

/* ---- one ---- */

PyObject *pyn_message_ack(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    return settle(self, NATS_ACK, NULL, NULL);
}

PyObject *pyn_message_nak(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames)
{
    static const char *const names[] = {"delay", NULL};
    PyObject *values[1];
    return pyn_arguments("nak", args, nargs, kwnames, names, 0, values)
               ? settle(self, NATS_NAK, values[0], NULL)
               : NULL;
}

PyObject *pyn_message_in_progress(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    return settle(self, NATS_IN_PROGRESS, NULL, NULL);
}

PyObject *pyn_message_term(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames)
{
    static const char *const names[] = {"reason", NULL};
    PyObject *values[1];
    return pyn_arguments("term", args, nargs, kwnames, names, 0, values)
               ? settle(self, NATS_TERM, NULL, values[0])
               : NULL;
}

static nats_future *start_sync(PyObject *object, PyObject *timeout, pyn_handle **handle)
{
    nats_msg *msg;
    nats_future *future;
    int64_t ms;
    if (!pyn_seconds_of(timeout, "timeout", &ms) || !find_message(object, &msg, handle)) {
        return NULL;
    }
    nats_status status = nats_client_ack_sync_start((*handle)->client, msg, ms, &future);
    if (status != NATS_OK) {
        pyn_raise(status);
    }
    return status == NATS_OK ? future : NULL;
}

PyObject *pyn_message_ack_sync(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    pyn_handle *handle;
    PyObject *values[1];
    if (!pyn_arguments("ack_sync", args, nargs, kwnames, names, 0, values)) {
        return NULL;
    }
    nats_future *future = start_sync(self, values[0], &handle);
    return future != NULL ? pyn_done(pyn_goal_wait(future)) : NULL;
}

PyObject *pyn_ack_sync_start(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *timeout;
    pyn_handle *handle;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!OO:ack_sync_start", &pyn_message_type, &object, &class,
                          &timeout)) {
        return NULL;
    }
    nats_future *future = start_sync(object, timeout, &handle);
    return future != NULL ? pyn_future_of(class, handle, future) : NULL;
}

/* ---- of an event loop's client, which knows how to wait there ---- */

PyObject *pyn_settle(PyObject *module, PyObject *args)
{
    PyObject *object, *delay, *reason;
    int how;
    (void)module;
    if (!PyArg_ParseTuple(args, "O!iOO:settle", &pyn_message_type, &object, &how, &delay,
                          &reason)) {
        return NULL;
    }
    return settle(object, how, delay, reason);
}

static PyObject *settle_at_home(PyObject *object, int32_t how, PyObject *delay, PyObject *reason)
{
    PyObject *home = pyn_message_home(object);
    PyObject *result = NULL;
    if (home != NULL) {
        result = PyObject_CallMethod(home, "_settle", "OiOO", object, (int)how,
                                     delay != NULL ? delay : Py_None,
                                     reason != NULL ? reason : Py_None);
    }
    Py_XDECREF(home);
    return result;
}

PyObject *pyn_loop_message_ack(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    return settle_at_home(self, NATS_ACK, NULL, NULL);
}

PyObject *pyn_loop_message_nak(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames)
{
    static const char *const names[] = {"delay", NULL};
    PyObject *values[1];
    return pyn_arguments("nak", args, nargs, kwnames, names, 0, values)
               ? settle_at_home(self, NATS_NAK, values[0], NULL)
               : NULL;
}

PyObject *pyn_loop_message_in_progress(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    return settle_at_home(self, NATS_IN_PROGRESS, NULL, NULL);
}

PyObject *pyn_loop_message_term(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames)
{
    static const char *const names[] = {"reason", NULL};
    PyObject *values[1];
    return pyn_arguments("term", args, nargs, kwnames, names, 0, values)
               ? settle_at_home(self, NATS_TERM, NULL, values[0])
               : NULL;
}

PyObject *pyn_loop_message_ack_sync(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                    PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    PyObject *values[1];
    PyObject *result = NULL;
    if (!pyn_arguments("ack_sync", args, nargs, kwnames, names, 0, values)) {
        return NULL;
    }
    PyObject *home = pyn_message_home(self);
    if (home != NULL) {
        result = PyObject_CallMethod(home, "_ack_sync", "OO", self,
                                     values[0] != NULL ? values[0] : Py_None);
    }
    Py_XDECREF(home);
    return result;
}

/* ---- many ---- */

typedef struct acking {
    nats_client *client;
    nats_msg **batch;
    size_t count;
    size_t acked;
} acking;

/* What was acknowledged in an earlier step is passed over in the next. */
static nats_status ack_step(void *arg, int64_t ms)
{
    acking *self = arg;
    size_t acked = 0;
    (void)ms;
    nats_status status = nats_client_ack_many(self->client, self->batch, self->count, &acked);
    self->acked += acked;
    return status;
}

static bool fill(acking *self, PyObject *list)
{
    pyn_handle *handle;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(list); i++) {
        PyObject *msg = PyTuple_GET_ITEM(list, i);
        if (!PyObject_TypeCheck(msg, &pyn_message_type)) {
            PyErr_Format(PyExc_TypeError, "messages[%zd] must be a Message, not %.100s", i,
                         Py_TYPE(msg)->tp_name);
            return false;
        }
        self->batch[i] = pyn_message_js(msg, &handle); /* NULL is passed over */
    }
    return true;
}

PyObject *pyn_client_ack_many(PyObject *object, PyObject *messages)
{
    enum { SIZE = 64 /* of an ack, about */ };
    pyn_handle *handle = ((pyn_client *)object)->handle;
    acking call = {.client = handle->client};
    PyObject *list = PySequence_Tuple(messages);
    if (list == NULL) {
        return NULL;
    }
    call.count = (size_t)PyTuple_GET_SIZE(list);
    call.batch = PyMem_Calloc(call.count + 1, sizeof(*call.batch));
    nats_status status = PYN_RAISED;
    if (call.batch == NULL) {
        PyErr_NoMemory();
    } else if (fill(&call, list)) {
        bool room = pyn_has_room(handle, call.count * SIZE);
        status = room ? ack_step(&call, 0) : NATS_ERR_INTERRUPTED;
        status = status == NATS_ERR_INTERRUPTED ? pyn_wait(ack_step, &call, 0) : status;
    }
    PyMem_Free(call.batch);
    Py_DECREF(list);
    return status == NATS_OK ? PyLong_FromSize_t(call.acked) : pyn_raise(status);
}

/* ---- the place in the stream ---- */

static PyStructSequence_Field place_fields[] = {
    {"stream", "The stream's name."},
    {"consumer", "The consumer's name; empty of a message that was got from the stream."},
    {"stream_seq", "Its sequence in the stream."},
    {"consumer_seq", "The consumer's own sequence."},
    {"delivered", "How often it was delivered, this time included."},
    {"pending", "Messages that the consumer has after this one."},
    {"time", "When it was stored: a datetime, in UTC."},
    {"domain", "The domain, or None."},
    {"time_ns", "The time in ns since 1970, exactly."},
    {NULL, NULL}};
static PyStructSequence_Desc place_desc = {"polynats.Metadata", "A message's place in its stream.",
                                           place_fields, 9};
static PyTypeObject *place_type;

static PyObject *text_of(const nats_msg *msg, int32_t what)
{
    size_t len;
    const char *text = nats_msg_js_text(msg, what, &len);
    return pyn_str(text != NULL ? text : "", text != NULL ? len : 0);
}

static PyObject *domain_of(const nats_msg *msg)
{
    size_t len;
    const char *text = nats_msg_js_text(msg, NATS_JS_DOMAIN, &len);
    if (text == NULL || len == 0) {
        Py_RETURN_NONE;
    }
    return pyn_str(text, len);
}

static bool fill_place(PyObject *place, const nats_msg *msg, const uint64_t *values)
{
    PyObject *items[] = {text_of(msg, NATS_JS_STREAM),
                         text_of(msg, NATS_JS_CONSUMER),
                         PyLong_FromUnsignedLongLong(values[NATS_JS_STREAM_SEQ]),
                         PyLong_FromUnsignedLongLong(values[NATS_JS_CONSUMER_SEQ]),
                         PyLong_FromUnsignedLongLong(values[NATS_JS_DELIVERED]),
                         PyLong_FromUnsignedLongLong(values[NATS_JS_PENDING]),
                         pyn_time((int64_t)values[NATS_JS_TIME_NS]),
                         domain_of(msg),
                         PyLong_FromUnsignedLongLong(values[NATS_JS_TIME_NS])};
    bool fine = true;
    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++) {
        fine = fine && items[i] != NULL;
        PyStructSequence_SET_ITEM(place, (Py_ssize_t)i, items[i]);
    }
    return fine;
}

PyObject *pyn_message_metadata(PyObject *self, void *nothing)
{
    uint64_t values[NATS_JS_UINT_COUNT];
    pyn_handle *handle;
    const nats_msg *msg = pyn_message_js(self, &handle);
    (void)nothing;
    if (msg == NULL || nats_msg_js_uints(msg, values) == 0) {
        Py_RETURN_NONE;
    }
    PyObject *place = PyStructSequence_New(place_type);
    if (place != NULL && !fill_place(place, msg, values)) {
        Py_CLEAR(place);
    }
    return place;
}

int pyn_ack_init(PyObject *module)
{
    place_type = PyStructSequence_NewType(&place_desc);
    if (place_type == NULL) {
        return -1;
    }
    Py_INCREF(place_type);
    return PyModule_AddObject(module, "Metadata", (PyObject *)place_type);
}
