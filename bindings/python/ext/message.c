/* Messages: one block with the bytes in it, and the payload as Python's bytes. The library's own
 * message is let go of at once, so keeping one of ours keeps nothing else. Only one with headers is
 * held on to, until they are read; and one of JetStream's, which is acknowledged by it. */
#include "pyn_js.h"

#include <structmember.h>
#include <string.h>

typedef struct message {
    PyObject_VAR_HEAD
    pyn_handle *handle; /* NULL when it came without a client */
    PyObject *data;
    nats_msg *msg;   /* NULL when there are no headers, or none left to read */
    PyObject *pairs; /* of the headers, once they were read */
    PyObject *raw;
    PyObject *description;
    uint64_t sid;
    int32_t status;
    uint32_t subject_len;
    uint32_t reply_len;
    char bytes[]; /* subject, reply */
} message;

static void message_dealloc(PyObject *object)
{
    message *self = (message *)object;
    nats_msg_free(self->msg);
    Py_XDECREF(self->handle);
    Py_XDECREF(self->data);
    Py_XDECREF(self->pairs);
    Py_XDECREF(self->raw);
    Py_XDECREF(self->description);
    PyObject_Free(object);
}

/* Delivered by a consumer, or got from a stream: such a one is an answer. Those with headers are looked
 * at when these are read. */
static bool is_of_jetstream(const nats_msg *msg, const char *reply, size_t reply_len)
{
    static const char ack[] = "$JS.ACK.";
    uint64_t seq;
    if (reply_len > sizeof(ack) - 1) {
        return memcmp(reply, ack, sizeof(ack) - 1) == 0;
    }
    return nats_msg_sid(msg) == 0 && nats_msg_js_uint(msg, NATS_JS_STREAM_SEQ, &seq) != 0;
}

PyObject *pyn_message_copy(nats_msg *msg, pyn_handle *handle)
{
    size_t subject_len, reply_len, data_len, headers_len;
    const char *subject = nats_msg_subject(msg, &subject_len);
    const char *reply = nats_msg_reply(msg, &reply_len);
    const char *data = nats_msg_data(msg, &data_len);
    PyObject *bytes = PyBytes_FromStringAndSize(data, (Py_ssize_t)data_len);
    if (bytes == NULL) {
        return NULL;
    }
    Py_ssize_t text_len = (Py_ssize_t)(subject_len + reply_len);
    PyTypeObject *class =
        handle != NULL && handle->home != NULL ? &pyn_loop_message_type : &pyn_message_type;
    message *self = PyObject_NewVar(message, class, text_len);
    if (self == NULL) {
        Py_DECREF(bytes);
        return NULL;
    }
    Py_XINCREF(handle);
    self->handle = handle;
    self->data = bytes;
    self->pairs = NULL;
    self->raw = NULL;
    self->description = NULL;
    self->sid = nats_msg_sid(msg);
    self->subject_len = (uint32_t)subject_len;
    self->reply_len = (uint32_t)reply_len;
    memcpy(self->bytes, subject, subject_len);
    if (reply_len > 0) {
        memcpy(self->bytes + subject_len, reply, reply_len);
    }
    bool headers = nats_msg_headers_raw(msg, &headers_len) != NULL;
    self->msg = headers || is_of_jetstream(msg, reply, reply_len) ? msg : NULL;
    self->status = headers ? nats_msg_status(msg) : 0;
    return (PyObject *)self;
}

bool pyn_message_has_msg(PyObject *object)
{
    return ((message *)object)->msg != NULL;
}

uint64_t pyn_message_sid(PyObject *object)
{
    return ((message *)object)->sid;
}

nats_msg *pyn_message_js(PyObject *object, pyn_handle **handle)
{
    const message *self = (message *)object;
    uint64_t seq;
    *handle = self->handle;
    bool there = self->msg != NULL && nats_msg_js_uint(self->msg, NATS_JS_STREAM_SEQ, &seq) != 0;
    return there ? self->msg : NULL;
}

PyObject *pyn_message_home(PyObject *object)
{
    const pyn_handle *handle = ((message *)object)->handle;
    PyObject *home = PyObject_CallNoArgs(handle->home);
    if (home == Py_None) {
        Py_DECREF(home);
        return pyn_raise_words(NATS_ERR_CLOSED, "client", "the client is gone");
    }
    return home;
}

PyObject *pyn_message_new(nats_msg *msg, pyn_handle *handle)
{
    PyObject *made = pyn_message_copy(msg, handle);
    if (made == NULL || !pyn_message_has_msg(made)) {
        nats_msg_free(msg);
    }
    return made;
}

/* ---- headers ---- */

static PyObject *pair_new(const char *key, size_t key_len, const char *value, size_t value_len)
{
    PyObject *first = pyn_str(key, key_len);
    PyObject *second = first != NULL ? pyn_str(value, value_len) : NULL;
    PyObject *pair = second != NULL ? PyTuple_Pack(2, first, second) : NULL;
    Py_XDECREF(first);
    Py_XDECREF(second);
    return pair;
}

static PyObject *read_pairs(const nats_msg *msg)
{
    size_t cursor = 0, key_len, value_len;
    const char *key, *value;
    PyObject *list = PyList_New(0);
    while (list != NULL &&
           nats_msg_next_header(msg, &cursor, &key, &key_len, &value, &value_len) != 0) {
        PyObject *pair = pair_new(key, key_len, value, value_len);
        if (pair == NULL || PyList_Append(list, pair) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(pair);
    }
    PyObject *pairs = list != NULL ? PyList_AsTuple(list) : NULL;
    Py_XDECREF(list);
    return pairs;
}

/* All that a message with headers has besides, made once. */
static bool read_headers(message *self)
{
    size_t raw_len, words_len;
    uint64_t seq;
    const char *raw = self->msg != NULL && self->pairs == NULL
                          ? nats_msg_headers_raw(self->msg, &raw_len)
                          : NULL;
    if (raw == NULL) {
        return true;
    }
    const char *words = nats_msg_description(self->msg, &words_len);
    PyObject *pairs = read_pairs(self->msg);
    PyObject *bytes = PyBytes_FromStringAndSize(raw, (Py_ssize_t)raw_len);
    PyObject *description = self->status != 0 ? pyn_str(words, words_len) : NULL;
    if (pairs == NULL || bytes == NULL || (self->status != 0 && description == NULL)) {
        Py_XDECREF(pairs);
        Py_XDECREF(bytes);
        Py_XDECREF(description);
        return false;
    }
    self->pairs = pairs;
    self->raw = bytes;
    self->description = description;
    if (nats_msg_js_uint(self->msg, NATS_JS_STREAM_SEQ, &seq) == 0) {
        nats_msg_free(self->msg);
        self->msg = NULL;
    }
    return true;
}

static PyObject *or_none(PyObject *value)
{
    value = value != NULL ? value : Py_None;
    Py_INCREF(value);
    return value;
}

static PyObject *get_pairs(PyObject *object, void *nothing)
{
    message *self = (message *)object;
    (void)nothing;
    if (!read_headers(self)) {
        return NULL;
    }
    return self->pairs != NULL ? or_none(self->pairs) : PyTuple_New(0);
}

static bool add_value(PyObject *map, PyObject *key, PyObject *value)
{
    PyObject *list = PyDict_GetItemWithError(map, key);
    if (list != NULL) {
        return PyList_Append(list, value) == 0;
    }
    if (PyErr_Occurred()) {
        return false;
    }
    list = PyList_New(1);
    if (list == NULL) {
        return false;
    }
    Py_INCREF(value);
    PyList_SET_ITEM(list, 0, value);
    int error = PyDict_SetItem(map, key, list);
    Py_DECREF(list);
    return error == 0;
}

/* A new map with each reading: it is the program's own. */
static PyObject *get_headers(PyObject *object, void *nothing)
{
    PyObject *pairs = get_pairs(object, nothing);
    PyObject *map = pairs != NULL ? PyDict_New() : NULL;
    for (Py_ssize_t i = 0; map != NULL && i < PyTuple_GET_SIZE(pairs); i++) {
        PyObject *pair = PyTuple_GET_ITEM(pairs, i);
        if (!add_value(map, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1))) {
            Py_CLEAR(map);
        }
    }
    Py_XDECREF(pairs);
    return map;
}

static PyObject *get_raw(PyObject *object, void *nothing)
{
    (void)nothing;
    return read_headers((message *)object) ? or_none(((message *)object)->raw) : NULL;
}

static PyObject *get_description(PyObject *object, void *nothing)
{
    (void)nothing;
    return read_headers((message *)object) ? or_none(((message *)object)->description) : NULL;
}

static PyObject *message_header(PyObject *object, PyObject *key)
{
    if (!PyUnicode_Check(key)) {
        PyErr_Format(PyExc_TypeError, "key must be str, not %.100s", Py_TYPE(key)->tp_name);
        return NULL;
    }
    PyObject *pairs = get_pairs(object, NULL);
    if (pairs == NULL) {
        return NULL;
    }
    PyObject *found = Py_None;
    for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(pairs) && found == Py_None; i++) {
        PyObject *pair = PyTuple_GET_ITEM(pairs, i);
        if (PyUnicode_Compare(PyTuple_GET_ITEM(pair, 0), key) == 0) {
            found = PyTuple_GET_ITEM(pair, 1);
        }
    }
    Py_INCREF(found);
    Py_DECREF(pairs);
    return found;
}

/* ---- the rest ---- */

static PyObject *get_subject(PyObject *object, void *nothing)
{
    const message *self = (message *)object;
    (void)nothing;
    return pyn_str(self->bytes, self->subject_len);
}

static PyObject *get_reply(PyObject *object, void *nothing)
{
    const message *self = (message *)object;
    (void)nothing;
    if (self->reply_len == 0) {
        Py_RETURN_NONE;
    }
    return pyn_str(self->bytes + self->subject_len, self->reply_len);
}

static PyObject *get_status(PyObject *object, void *nothing)
{
    const message *self = (message *)object;
    (void)nothing;
    if (self->status == 0) {
        Py_RETURN_NONE;
    }
    return PyLong_FromLong(self->status);
}

static PyObject *message_respond(PyObject *object, PyObject *const *args, Py_ssize_t nargs,
                                 PyObject *kwnames)
{
    static const char *const names[] = {"data", "headers", NULL};
    message *self = (message *)object;
    PyObject *values[2];
    pyn_publication what = {.subject = {self->bytes + self->subject_len, self->reply_len}};
    if (!pyn_arguments("respond", args, nargs, kwnames, names, 0, values)) {
        return NULL;
    }
    if (self->handle == NULL) {
        return pyn_raise_words(NATS_ERR_INVALID, "msg",
                               "this message came by no client: publish the answer yourself");
    }
    if (self->reply_len == 0) {
        return pyn_raise_words(NATS_ERR_INVALID, "msg",
                               "msg has no reply subject: no answer is asked for");
    }
    if (!pyn_data_of(values[0], "data", &what.data)) {
        return NULL;
    }
    if (!pyn_headers_of(values[1], &what.headers)) {
        pyn_publication_free(&what);
        return NULL;
    }
    return pyn_publish(self->handle, &what);
}

/* Of an event loop's client, which knows how to wait there: its own respond() does it. */
static PyObject *loop_message_respond(PyObject *object, PyObject *const *args, Py_ssize_t nargs,
                                      PyObject *kwnames)
{
    static const char *const names[] = {"data", "headers", NULL};
    PyObject *values[2];
    if (!pyn_arguments("respond", args, nargs, kwnames, names, 0, values)) {
        return NULL;
    }
    PyObject *home = pyn_message_home(object);
    if (home == NULL) {
        return NULL;
    }
    PyObject *data = values[0] != NULL ? values[0] : Py_None;
    PyObject *headers = values[1] != NULL ? values[1] : Py_None;
    PyObject *result = PyObject_CallMethod(home, "_respond", "OOO", object, data, headers);
    Py_DECREF(home);
    return result;
}

/* What else there is to say of it in a line: where in a stream it is, or that somebody waits for an answer. */
static PyObject *describe(PyObject *object)
{
    PyObject *place = pyn_message_metadata(object, NULL);
    if (place == NULL) {
        return NULL;
    }
    if (place == Py_None) {
        Py_DECREF(place);
        bool asks = ((message *)object)->reply_len > 0;
        return PyUnicode_FromString(asks ? ", asks for an answer" : "");
    }
    PyObject *consumer = PyStructSequence_GET_ITEM(place, 1);
    bool delivered = PyUnicode_GetLength(consumer) > 0;
    PyObject *text = PyUnicode_FromFormat(", stream %S%s%S, sequence %S",
                                          PyStructSequence_GET_ITEM(place, 0),
                                          delivered ? ", consumer " : "", consumer,
                                          PyStructSequence_GET_ITEM(place, 2));
    Py_DECREF(place);
    return text;
}

static PyObject *message_repr(PyObject *object)
{
    const message *self = (message *)object;
    PyObject *text = NULL;
    PyObject *more = describe(object);
    PyObject *subject = more != NULL ? get_subject(object, NULL) : NULL;
    if (subject != NULL) {
        text = PyUnicode_FromFormat("<polynats.Message %R, %zd bytes%U>", subject,
                                    PyBytes_GET_SIZE(self->data), more);
    }
    Py_XDECREF(more);
    Py_XDECREF(subject);
    return text;
}

static PyMemberDef members[] = {
    {"data", T_OBJECT_EX, offsetof(message, data), READONLY, "The payload: bytes."},
    {"sid", T_ULONGLONG, offsetof(message, sid), READONLY,
     "Of the subscription it came for; 0 for the answer to a request."},
    {NULL, 0, 0, 0, NULL}};

static PyGetSetDef getters[] = {
    {"subject", get_subject, NULL, "What it was published to.", NULL},
    {"reply", get_reply, NULL, "The subject to answer to, or None.", NULL},
    {"headers", get_headers, NULL, "A dict of key to list of values, in the order of the keys.",
     NULL},
    {"header_pairs", get_pairs, NULL, "All (key, value) of the headers, as they came.", NULL},
    {"raw_headers", get_raw, NULL, "The header block as it came, or None.", NULL},
    {"status", get_status, NULL, "Of the headers' first line, such as 503, or None.", NULL},
    {"description", get_description, NULL, "The words after the status, or None.", NULL},
    {"metadata", pyn_message_metadata, NULL,
     "Of a message of JetStream: its place in the stream; else None.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

#define ACK_DOC                                                                                    \
    "ack($self)\n--\n\nAcknowledge a message of JetStream. It does not wait for the server. "      \
    "Raises Invalid when\nthere is nothing to acknowledge, or it was acknowledged already."
#define ACK_SYNC_DOC                                                                               \
    "ack_sync($self, timeout=None)\n--\n\nAcknowledge, and wait until the server has taken "       \
    "note. After Timeout or\nDisconnected it may be called again."
#define NAK_DOC                                                                                    \
    "nak($self, delay=None)\n--\n\nHave it delivered again, at once or after so many seconds."
#define IN_PROGRESS_DOC                                                                            \
    "in_progress($self)\n--\n\nAsk for more time: any number of times."
#define TERM_DOC                                                                                   \
    "term($self, reason=None)\n--\n\nHave it never delivered again."

#define ACK_METHODS(prefix)                                                                        \
    {"ack", prefix##_ack, METH_NOARGS, ACK_DOC},                                                   \
        PYN_FAST("ack_sync", prefix##_ack_sync, ACK_SYNC_DOC),                                     \
        PYN_FAST("nak", prefix##_nak, NAK_DOC),                                                    \
        {"in_progress", prefix##_in_progress, METH_NOARGS, IN_PROGRESS_DOC},                       \
        PYN_FAST("term", prefix##_term, TERM_DOC)

static PyMethodDef methods[] = {
    {"header", message_header, METH_O,
     "header($self, key, /)\n--\n\nThe first value of a header, or None. Keys are compared to the "
     "letter."},
    {"respond", (PyCFunction)(void (*)(void))message_respond, METH_FASTCALL | METH_KEYWORDS,
     "respond($self, data=None, headers=None)\n--\n\nAnswer a message that asks for it. Raises "
     "Invalid when it does not."},
    ACK_METHODS(pyn_message),
    {NULL, NULL, 0, NULL}};

PyTypeObject pyn_message_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "polynats.Message",
    .tp_doc = "A received message. It does not change, and keeps only its own bytes; one of\n"
              "JetStream's the piece of memory that it was read into.",
    .tp_basicsize = sizeof(message),
    .tp_itemsize = 1,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,
    .tp_dealloc = message_dealloc,
    .tp_repr = message_repr,
    .tp_members = members,
    .tp_getset = getters,
    .tp_methods = methods,
};

static PyMethodDef loop_methods[] = {
    {"respond", (PyCFunction)(void (*)(void))loop_message_respond, METH_FASTCALL | METH_KEYWORDS,
     "respond($self, data=None, headers=None)\n--\n\nAnswer a message that asks for it. Raises "
     "Invalid when it does not."},
    ACK_METHODS(pyn_loop_message),
    {NULL, NULL, 0, NULL}};

PyTypeObject pyn_loop_message_type = {
    PyVarObject_HEAD_INIT(NULL, 0).tp_name = "polynats.LoopMessage",
    .tp_doc = "A received message. It does not change, and keeps only its own bytes; one of\n"
              "JetStream's the piece of memory that it was read into.",
    .tp_basicsize = sizeof(message),
    .tp_itemsize = 1,
    .tp_flags = Py_TPFLAGS_DEFAULT,
    .tp_dealloc = message_dealloc,
    .tp_repr = message_repr,
    .tp_methods = loop_methods,
    .tp_base = &pyn_message_type,
};

int pyn_message_init(PyObject *module)
{
    if (PyType_Ready(&pyn_message_type) != 0 || PyType_Ready(&pyn_loop_message_type) != 0) {
        return -1;
    }
    Py_INCREF(&pyn_loop_message_type);
    if (PyModule_AddObject(module, "LoopMessage", (PyObject *)&pyn_loop_message_type) != 0) {
        return -1;
    }
    Py_INCREF(&pyn_message_type);
    return PyModule_AddObject(module, "Message", (PyObject *)&pyn_message_type);
}
