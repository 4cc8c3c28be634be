/* Objects that hold a handle of the library. Their classes are written in Python, on top of the
 * types here. At exit they may go in any order. */
#include "pyn_js.h"

#include <pthread.h>
#include <time.h>

enum { BURIAL_S = 3 /* at exit: longer than a close takes, which waits for the server at most 2 s */ };

/* ---- the end of a forgotten client ---- */

typedef struct cemetery {
    pthread_mutex_t mu;
    pthread_cond_t empty;
    int open;     /* clients that threads are closing */
    bool exiting; /* there is time to wait for what was published */
} cemetery;

static cemetery graves = {.mu = PTHREAD_MUTEX_INITIALIZER, .empty = PTHREAD_COND_INITIALIZER};

static void *bury(void *client)
{
    nats_client_free(client);
    pthread_mutex_lock(&graves.mu);
    graves.open--;
    pthread_cond_signal(&graves.empty);
    pthread_mutex_unlock(&graves.mu);
    return NULL;
}

static bool bury_later(nats_client *client)
{
    pthread_attr_t attr;
    pthread_t thread;
    pthread_mutex_lock(&graves.mu);
    bool exiting = graves.exiting;
    graves.open += exiting ? 0 : 1;
    pthread_mutex_unlock(&graves.mu);
    if (exiting) {
        return false;
    }
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    int error = pthread_create(&thread, &attr, bury, client);
    pthread_attr_destroy(&attr);
    if (error != 0) {
        pthread_mutex_lock(&graves.mu);
        graves.open--;
        pthread_mutex_unlock(&graves.mu);
    }
    return error == 0;
}

/* What forgotten clients had published goes out before the process ends. */
static void wait_for_burials(void)
{
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += BURIAL_S;
    pthread_mutex_lock(&graves.mu);
    int error = 0;
    while (graves.open > 0 && error == 0) {
        error = pthread_cond_timedwait(&graves.empty, &graves.mu, &until);
    }
    pthread_mutex_unlock(&graves.mu);
}

/* The threads stayed in the parent, one of them perhaps with the lock. */
static void forget_burials(void)
{
    pthread_mutex_init(&graves.mu, NULL);
    pthread_cond_init(&graves.empty, NULL);
    graves.open = 0;
}

PyObject *pyn_exiting(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    pthread_mutex_lock(&graves.mu);
    graves.exiting = true;
    pthread_mutex_unlock(&graves.mu);
    Py_RETURN_NONE;
}

/* ---- the handle ---- */

static pyn_meter *meter_of(const pyn_handle *like)
{
    pyn_meter *meter = like != NULL ? like->meter : PyMem_Calloc(1, sizeof(*meter));
    if (meter == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    meter->refs++;
    return meter;
}

static void meter_unref(pyn_meter *meter)
{
    meter->refs--;
    if (meter->refs == 0) {
        PyMem_Free(meter);
    }
}

/* Closing may wait for the server, and a garbage collection may not. */
static void handle_dealloc(PyObject *object)
{
    nats_client *client = ((pyn_handle *)object)->client;
    bool quick = client == NULL || nats_client_status(client) == NATS_CLIENT_CLOSED;
    Py_XDECREF(((pyn_handle *)object)->home);
    meter_unref(((pyn_handle *)object)->meter);
    if (quick || !bury_later(client)) {
        nats_client_free(client);
    }
    PyObject_Free(object);
}

static PyTypeObject handle_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "polynats._polynats.Handle",
    .tp_basicsize = sizeof(pyn_handle),
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = handle_dealloc,
};

pyn_handle *pyn_handle_new(const pyn_handle *like)
{
    pyn_meter *meter = meter_of(like);
    pyn_handle *handle = meter != NULL ? PyObject_New(pyn_handle, &handle_type) : NULL;
    if (handle != NULL) {
        handle->client = NULL;
        handle->box = (pyn_box){0};
        handle->meter = meter;
        handle->home = NULL;
    } else if (meter != NULL) {
        meter_unref(meter);
    }
    return handle;
}

/* ---- client, subscription, future, proto ---- */

static void client_dealloc(PyObject *object)
{
    pyn_handle *handle = ((pyn_client *)object)->handle;
    if (handle != NULL) {
        pyn_box_clear(&handle->box);
        Py_DECREF(handle);
    }
    Py_TYPE(object)->tp_free(object);
}

static void sub_dealloc(PyObject *object)
{
    pyn_sub *self = (pyn_sub *)object;
    nats_sub_free(self->sub);
    Py_XDECREF(self->handle);
    Py_TYPE(object)->tp_free(object);
}

static void future_dealloc(PyObject *object)
{
    pyn_future *self = (pyn_future *)object;
    nats_future_free(self->future);
    Py_XDECREF(self->taken);
    Py_XDECREF(self->handle);
    Py_TYPE(object)->tp_free(object);
}

static void proto_dealloc(PyObject *object)
{
    nats_proto_free(((pyn_proto *)object)->proto);
    Py_TYPE(object)->tp_free(object);
}

PyObject *pyn_no_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    (void)args;
    (void)kwargs;
    PyErr_Format(PyExc_TypeError,
                 "a %.100s is not made by its class: polynats.connect() and polynats.proto() begin",
                 type->tp_name);
    return NULL;
}

/* The first line of each is the signature, as inspect reads it. */
static const char publish_doc[] =
    "publish($self, subject, data=None, reply=None, headers=None)\n--\n\n"
    "Publish one message: its bytes are in the connection's buffer on return.\n\n"
    "data is bytes-like, or str, which is sent as UTF-8. headers is a mapping of str to str or\n"
    "a list of them, or pairs. Raises Invalid, MaxPayload, Timeout (the server takes nothing),\n"
    "Limit (the reconnect buffer is full), Closed.";
static const char publish_many_doc[] =
    "publish_many($self, subject, datas)\n--\n\n"
    "Publish many payloads to one subject, in order. Returns how many: all.\n\n"
    "An error has the attribute published: how many were accepted before it.";
static const char request_doc[] =
    "request($self, subject, data=None, timeout=None, headers=None)\n--\n\n"
    "Send a request and return its reply.\n\n"
    "timeout is in seconds (None: the option request_timeout). Raises Timeout, NoResponders,\n"
    "Disconnected, Permission, Closed.";
static const char ack_many_doc[] =
    "ack_many($self, messages, /)\n--\n\n"
    "Acknowledge each of the messages that is one of JetStream's and was not yet. Returns how\n"
    "many.";
static const char proto_publish_doc[] =
    "publish($self, subject, data=None, reply=None, headers=None)\n--\n\n"
    "As Client.publish, into the buffer; it never waits.";
static const char proto_subscribe_doc[] =
    "subscribe($self, subject, queue=None, max=None, sid=None)\n--\n\n"
    "Subscribe and return the sid: one of your own choice that is free, or the next.";
static const char take_doc[] =
    "take($self, max=None, now=None)\n--\n\n"
    "Bytes to send, at most max; they count as sent.";

/* It has arrived: see box.c. */
static int client_taken(PyObject *self, PyObject *value, void *nothing)
{
    (void)value;
    (void)nothing;
    Py_CLEAR(((pyn_client *)self)->handle->box.taken);
    return 0;
}

static int client_event_taken(PyObject *self, PyObject *value, void *nothing)
{
    (void)value;
    (void)nothing;
    Py_CLEAR(((pyn_client *)self)->handle->box.event);
    return 0;
}

static int sub_taken(PyObject *self, PyObject *value, void *nothing)
{
    (void)value;
    (void)nothing;
    Py_CLEAR(((pyn_sub *)self)->handle->box.taken);
    return 0;
}

static int future_taken(PyObject *self, PyObject *value, void *nothing)
{
    (void)value;
    (void)nothing;
    Py_CLEAR(((pyn_future *)self)->taken);
    return 0;
}

static PyGetSetDef client_getset[] = {{"_taken", NULL, client_taken, NULL, NULL},
                                      {"_event_taken", NULL, client_event_taken, NULL, NULL},
                                      {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef sub_getset[] = {{"_taken", NULL, sub_taken, NULL, NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef future_getset[] = {{"_taken", NULL, future_taken, NULL, NULL},
                                      {NULL, NULL, NULL, NULL, NULL}};
static PyGetSetDef proto_getset[] = {{NULL, NULL, NULL, NULL, NULL}};

static PyMethodDef client_methods[] = {
    PYN_FAST("publish", pyn_client_publish, publish_doc),
    PYN_FAST("publish_many", pyn_client_publish_many, publish_many_doc),
    PYN_FAST("request", pyn_client_request, request_doc),
    {"ack_many", pyn_client_ack_many, METH_O, ack_many_doc},
    PYN_FAST("_get", pyn_client_get_list, NULL),
    PYN_FAST("_get_callbacks", pyn_client_get_callbacks, NULL),
    {"_call_first", pyn_client_call_first, METH_VARARGS, NULL},
    {"_close", pyn_client_close, METH_NOARGS, NULL},
    {"_next_event", pyn_client_next_event, METH_O, NULL},
    PYN_FAST("_try_publish", pyn_client_try_publish, NULL),
    {"_has_room", pyn_client_has_room, METH_O, NULL},
    {"_pending", pyn_client_pending, METH_NOARGS, NULL},
    {"_replies", pyn_client_replies, METH_NOARGS, NULL},
    {"_turns", pyn_client_turns, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};

static PyMethodDef sub_methods[] = {PYN_FAST("_get", pyn_sub_get_list, NULL),
                                    PYN_FAST("_next", pyn_sub_next, NULL),
                                    {"_set_mode", pyn_sub_set_mode, METH_O, NULL},
                                    {"_ready", pyn_sub_ready, METH_NOARGS, NULL},
                                    {NULL, NULL, 0, NULL}};

static PyMethodDef future_methods[] = {PYN_FAST("_wait", pyn_future_wait, NULL),
                                       {"_poll", pyn_future_poll, METH_NOARGS, NULL},
                                       {NULL, NULL, 0, NULL}};

static PyMethodDef proto_methods[] = {
    PYN_FAST("publish", pyn_proto_publish, proto_publish_doc),
    PYN_FAST("subscribe", pyn_proto_subscribe, proto_subscribe_doc),
    PYN_FAST("take", pyn_proto_take, take_doc),
    {"_next_event", pyn_proto_event, METH_NOARGS, NULL},
    {"_servers", pyn_proto_servers, METH_NOARGS, NULL},
    {NULL, NULL, 0, NULL}};

PYN_BASE_TYPE(client, pyn_client, "ClientBase");
PYN_BASE_TYPE(sub, pyn_sub, "SubscriptionBase");
PYN_BASE_TYPE(future, pyn_future, "FutureBase");
PYN_BASE_TYPE(proto, pyn_proto, "ProtoBase");

PyObject *pyn_object_new(PyObject *class, PyTypeObject *base)
{
    if (!PyType_Check(class) || !PyType_IsSubtype((PyTypeObject *)class, base)) {
        PyErr_Format(PyExc_TypeError, "a class on top of %.100s expected", base->tp_name);
        return NULL;
    }
    return ((PyTypeObject *)class)->tp_alloc((PyTypeObject *)class, 0);
}

static bool is_a(PyObject *object, PyTypeObject *type)
{
    if (PyObject_TypeCheck(object, type)) {
        return true;
    }
    PyErr_Format(PyExc_TypeError, "a %.100s expected, not %.100s", type->tp_name,
                 Py_TYPE(object)->tp_name);
    return false;
}

nats_client *pyn_client_get(PyObject *object)
{
    return is_a(object, &pyn_client_type) ? ((pyn_client *)object)->handle->client : NULL;
}

nats_sub *pyn_sub_get(PyObject *object)
{
    return is_a(object, &pyn_sub_type) ? ((pyn_sub *)object)->sub : NULL;
}

nats_future *pyn_future_get(PyObject *object)
{
    if (!is_a(object, &pyn_future_type)) {
        return NULL;
    }
    pyn_future *self = (pyn_future *)object;
    if (self->busy) {
        pyn_raise_words(NATS_ERR_INVALID, "future", "another thread waits for this future");
        return NULL;
    }
    return self->future;
}

nats_proto *pyn_proto_get(PyObject *object)
{
    return is_a(object, &pyn_proto_type) ? ((pyn_proto *)object)->proto : NULL;
}

int pyn_handle_init(PyObject *module)
{
    PyTypeObject *types[] = {&pyn_client_type, &pyn_sub_type, &pyn_future_type, &pyn_proto_type};
    const char *names[] = {"ClientBase", "SubscriptionBase", "FutureBase", "ProtoBase"};
    if (PyType_Ready(&handle_type) != 0) {
        return -1;
    }
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        if (PyType_Ready(types[i]) != 0) {
            return -1;
        }
        Py_INCREF(types[i]);
        if (PyModule_AddObject(module, names[i], (PyObject *)types[i]) != 0) {
            return -1;
        }
    }
    if (pyn_box_init() != 0) {
        return -1;
    }
    pthread_atfork(NULL, NULL, forget_burials);
    return Py_AtExit(wait_for_burials);
}
