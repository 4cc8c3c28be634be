/* Requests. Each waits as a future, so that a signal's handler can run while it does and nothing is
 * lost. */
#include "pyn.h"

typedef struct asking {
    nats_client *client;
    pyn_text subject;
    pyn_bytes data;
    nats_headers *headers;
    int64_t timeout_ms;
    bool many;
    uint64_t max;
    int64_t stall_ms;
    int sentinel;
    nats_future *future;
    nats_msg *reply;
} asking;

static void asking_free(asking *self)
{
    pyn_bytes_free(&self->data);
    nats_headers_free(self->headers);
    self->headers = NULL;
}

static nats_status start_step(void *arg, int64_t ms)
{
    asking *self = arg;
    (void)ms;
    if (self->many) {
        return nats_client_request_many(self->client, self->subject.ptr, self->subject.len,
                                        self->headers, self->data.ptr, self->data.len, self->max,
                                        self->stall_ms, self->timeout_ms, self->sentinel,
                                        &self->future);
    }
    return nats_client_request_start(self->client, self->subject.ptr, self->subject.len,
                                     self->headers, self->data.ptr, self->data.len,
                                     self->timeout_ms, &self->future);
}

/* subject, data, timeout, headers */
static bool read_asking(asking *self, PyObject *const *values)
{
    if (!pyn_text_of(values[0], "subject", &self->subject) ||
        !pyn_seconds_of(values[2], "timeout", &self->timeout_ms) ||
        !pyn_data_of(values[1], "data", &self->data)) {
        return false;
    }
    if (!pyn_headers_of(values[3], &self->headers)) {
        asking_free(self);
        return false;
    }
    return true;
}

static nats_status start(pyn_handle *handle, asking *self)
{
    nats_status status = NATS_ERR_INTERRUPTED;
    if (pyn_has_room(handle, self->data.len)) {
        status = start_step(self, 0);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        status = pyn_wait(start_step, self, 0);
    }
    asking_free(self);
    return status;
}

static nats_status wait_step(void *arg, int64_t ms)
{
    asking *self = arg;
    return nats_future_wait(self->future, ms, &self->reply);
}

PyObject *pyn_client_request(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames)
{
    static const char *const names[] = {"subject", "data", "timeout", "headers", NULL};
    pyn_handle *handle = ((pyn_client *)self)->handle;
    PyObject *values[4];
    asking call = {.client = handle->client};
    if (!pyn_arguments("request", args, nargs, kwnames, names, 1, values) ||
        !read_asking(&call, values)) {
        return NULL;
    }
    nats_status status = start(handle, &call);
    if (status == NATS_OK) {
        status = pyn_wait(wait_step, &call, -1); /* it knows its own time */
        nats_future_free(call.future);
    }
    return status == NATS_OK ? pyn_message_new(call.reply, handle) : pyn_raise(status);
}

/* ---- futures ---- */

static PyObject *make_future(PyObject *object, PyObject *class, asking *call)
{
    pyn_handle *handle = ((pyn_client *)object)->handle;
    PyObject *made = pyn_object_new(class, &pyn_future_type);
    if (made == NULL) {
        asking_free(call);
        return NULL;
    }
    nats_status status = start(handle, call);
    if (status != NATS_OK) {
        Py_DECREF(made);
        return pyn_raise(status);
    }
    pyn_future *future = (pyn_future *)made;
    Py_INCREF(handle);
    future->handle = handle;
    future->future = call->future;
    return made;
}

/* request_start(client, class, subject, data, timeout, headers) */
PyObject *pyn_request_start(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *values[4];
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOO:request_start", &object, &class, &values[0], &values[1],
                          &values[2], &values[3])) {
        return NULL;
    }
    asking call = {.client = pyn_client_get(object)};
    if (call.client == NULL || !read_asking(&call, values)) {
        return NULL;
    }
    return make_future(object, class, &call);
}

/* request_many(client, class, subject, data, timeout, headers, max, stall, sentinel) */
PyObject *pyn_request_many(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *values[4], *max, *stall;
    asking call = {.many = true};
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOOOOp:request_many", &object, &class, &values[0], &values[1],
                          &values[2], &values[3], &max, &stall, &call.sentinel)) {
        return NULL;
    }
    call.client = pyn_client_get(object);
    if (call.client == NULL || !pyn_count_of(max, "max", &call.max) ||
        !pyn_seconds_of(stall, "stall", &call.stall_ms) || !read_asking(&call, values)) {
        return NULL;
    }
    call.stall_ms = call.stall_ms < 0 ? 0 : call.stall_ms;
    return make_future(object, class, &call);
}

static PyObject *give_reply(pyn_future *self, nats_msg *msg)
{
    if (msg == NULL) {
        Py_RETURN_NONE;
    }
    return pyn_slot_put(&self->taken, pyn_message_new(msg, self->handle));
}

PyObject *pyn_future_wait(PyObject *object, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames)
{
    static const char *const names[] = {"timeout", NULL};
    pyn_future *self = (pyn_future *)object;
    PyObject *values[1];
    int64_t ms;
    asking call = {.future = NULL};
    if (!pyn_arguments("wait", args, nargs, kwnames, names, 0, values) ||
        !pyn_seconds_of(values[0], "timeout", &ms)) {
        return NULL;
    }
    call.future = pyn_future_get(object); /* last: to read the time may have run another thread */
    if (call.future == NULL) {
        return NULL;
    }
    PyObject *taken = pyn_slot_take(&self->taken);
    if (taken != NULL) {
        return taken;
    }
    self->busy = true;
    nats_status status = pyn_wait(wait_step, &call, ms);
    self->busy = false;
    return status == NATS_OK ? give_reply(self, call.reply) : pyn_raise(status);
}

PyObject *pyn_future_poll(PyObject *object, PyObject *nothing)
{
    pyn_future *self = (pyn_future *)object;
    nats_msg *msg = NULL;
    int32_t done;
    nats_future *future = pyn_future_get(object);
    (void)nothing;
    if (future == NULL) {
        return NULL;
    }
    PyObject *taken = pyn_slot_take(&self->taken);
    if (taken != NULL) {
        return taken;
    }
    nats_status status = nats_future_poll(future, &msg, &done);
    return status == NATS_OK ? give_reply(self, msg) : pyn_raise(status);
}
