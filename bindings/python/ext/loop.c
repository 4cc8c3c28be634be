/* What polynats.aio and polynats.green have besides: the calls that do not wait where others do. */
#include "pyn.h"

typedef nats_status (*goal_start)(void *object, int64_t ms, nats_future **future);

static nats_status start_flush(void *client, int64_t ms, nats_future **future)
{
    return nats_client_flush_start(client, ms, future);
}

static nats_status start_drain(void *client, int64_t ms, nats_future **future)
{
    return nats_client_drain_start(client, ms, future);
}

static nats_status start_sub_drain(void *sub, int64_t ms, nats_future **future)
{
    return nats_sub_drain_start(sub, ms, future);
}

PyObject *pyn_future_of(PyObject *class, pyn_handle *handle, nats_future *future)
{
    PyObject *object = pyn_object_new(class, &pyn_future_type);
    if (object == NULL) {
        nats_future_free(future);
        return NULL;
    }
    Py_INCREF(handle);
    ((pyn_future *)object)->handle = handle;
    ((pyn_future *)object)->future = future;
    return object;
}

static PyObject *start(PyObject *class, pyn_handle *handle, goal_start how, void *object,
                       PyObject *timeout)
{
    nats_future *future = NULL;
    int64_t ms;
    if (object == NULL || !pyn_seconds_of(timeout, "timeout", &ms)) {
        return NULL;
    }
    nats_status status = how(object, ms, &future);
    return status == NATS_OK ? pyn_future_of(class, handle, future) : pyn_raise(status);
}

/* flush_start(client, class, timeout) */
PyObject *pyn_flush_start(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *timeout;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:flush_start", &object, &class, &timeout)) {
        return NULL;
    }
    nats_client *client = pyn_client_get(object);
    return start(class, ((pyn_client *)object)->handle, start_flush, client, timeout);
}

/* drain_start(client, class, timeout) */
PyObject *pyn_drain_start(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *timeout;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:drain_start", &object, &class, &timeout)) {
        return NULL;
    }
    nats_client *client = pyn_client_get(object);
    return start(class, ((pyn_client *)object)->handle, start_drain, client, timeout);
}

/* sub_drain_start(sub, class, timeout) */
PyObject *pyn_sub_drain_start(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *timeout;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO:sub_drain_start", &object, &class, &timeout)) {
        return NULL;
    }
    nats_sub *sub = pyn_sub_get(object);
    return start(class, ((pyn_sub *)object)->handle, start_sub_drain, sub, timeout);
}

/* ---- what there is to take ---- */

PyObject *pyn_client_pending(PyObject *self, PyObject *nothing)
{
    const pyn_handle *handle = ((pyn_client *)self)->handle;
    (void)nothing;
    return PyLong_FromUnsignedLongLong(nats_client_pending(handle->client) +
                                      pyn_box_count(&handle->box));
}

PyObject *pyn_client_replies(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    return PyLong_FromUnsignedLongLong(nats_client_replies(((pyn_client *)self)->handle->client));
}

PyObject *pyn_client_turns(PyObject *self, PyObject *nothing)
{
    (void)nothing;
    return pyn_done(nats_client_fd_mode(((pyn_client *)self)->handle->client,
                                        NATS_FD_NEWS_ONLY | NATS_FD_WRITES_IN_TURNS));
}

/* Is there a message, or an end to be told of? */
PyObject *pyn_sub_ready(PyObject *self, PyObject *nothing)
{
    const pyn_sub *sub = (pyn_sub *)self;
    uint64_t pending = 0;
    (void)nothing;
    nats_sub_stats(sub->sub, &pending, 1);
    return PyBool_FromLong(pending > 0 || pyn_box_count(&sub->handle->box) > 0 ||
                           nats_sub_active(sub->sub) == 0);
}

/* ---- whose messages they are ---- */

/* set_home(client, home): its messages let home answer them. It is a weak reference, so that messages
 * keep nobody. */
PyObject *pyn_set_home(PyObject *module, PyObject *args)
{
    PyObject *object, *home;
    (void)module;
    if (!PyArg_ParseTuple(args, "OO:set_home", &object, &home) || pyn_client_get(object) == NULL) {
        return NULL;
    }
    if (!PyWeakref_Check(home)) {
        PyErr_SetString(PyExc_TypeError, "home must be a weak reference");
        return NULL;
    }
    Py_INCREF(home);
    Py_XSETREF(((pyn_client *)object)->handle->home, home);
    Py_RETURN_NONE;
}
