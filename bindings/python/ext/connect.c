/* Connecting and subscribing: servers and options as Python writes them. */
#include "pyn.h"

/* ---- servers ---- */

/* None, a URL, or a list of them: *text is one text with commas, or NULL. */
static bool servers_text(PyObject *servers, PyObject **text)
{
    *text = NULL;
    if (servers == Py_None) {
        return true;
    }
    if (PyUnicode_Check(servers)) {
        Py_INCREF(servers);
        *text = servers;
    } else if (PyList_Check(servers) || PyTuple_Check(servers)) {
        PyObject *comma = PyUnicode_FromString(",");
        *text = comma != NULL ? PyUnicode_Join(comma, servers) : NULL;
        Py_XDECREF(comma);
        if (*text != NULL && PySequence_Size(servers) == 0) {
            Py_CLEAR(*text);
            pyn_raise_words(NATS_ERR_INVALID, "servers", "the list of servers is empty");
        }
    } else {
        PyErr_Format(PyExc_TypeError, "servers must be a URL or a list of URLs, not %.100s",
                     Py_TYPE(servers)->tp_name);
    }
    if (*text != NULL && pyn_words_of(*text, "servers") == NULL) {
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
            return PYN_RAISED;
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

typedef struct connecting {
    const char *url;
    const nats_options *options;
    nats_client *client;
} connecting;

static nats_status connect_step(void *arg, int64_t ms)
{
    connecting *self = arg;
    (void)ms;
    return nats_connect(self->url, self->options, &self->client);
}

static PyObject *client_new(PyObject *class)
{
    PyObject *object = pyn_object_new(class, &pyn_client_type);
    if (object == NULL) {
        return NULL;
    }
    ((pyn_client *)object)->handle = pyn_handle_new();
    if (((pyn_client *)object)->handle == NULL) {
        Py_DECREF(object);
        return NULL;
    }
    return object;
}

/* connect(class, servers, options) */
PyObject *pyn_connect(PyObject *module, PyObject *args)
{
    PyObject *class, *servers, *given, *text;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOO!:connect", &class, &servers, &PyDict_Type, &given)) {
        return NULL;
    }
    if (!servers_text(servers, &text)) {
        return NULL;
    }
    PyObject *made = client_new(class);
    nats_options *options = made != NULL ? options_of(given) : NULL;
    nats_status status = PYN_RAISED;
    if (options != NULL) {
        connecting call = {.url = servers_words(text), .options = options};
        status = pyn_wait(connect_step, &call, 0);
        ((pyn_client *)made)->handle->client = call.client;
    }
    nats_options_free(options);
    Py_XDECREF(text);
    if (status != NATS_OK) {
        pyn_raise(status);
        Py_CLEAR(made);
    }
    return made;
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
    PyObject *made = client != NULL ? client_new(class) : NULL;
    if (made == NULL) {
        return NULL;
    }
    nats_status status = nats_client_share(client, &((pyn_client *)made)->handle->client);
    if (status != NATS_OK) {
        Py_DECREF(made);
        return pyn_raise(status);
    }
    return made;
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

/* subscribe(client, class, subject, queue, max, pending_msgs, pending_bytes, mode) */
PyObject *pyn_subscribe(PyObject *module, PyObject *args)
{
    PyObject *object, *class, *to, *group, *most, *most_msgs, *most_bytes;
    pyn_text subject, queue;
    uint64_t max;
    int64_t msgs, bytes;
    int mode;
    (void)module;
    if (!PyArg_ParseTuple(args, "OOOOOOOi:subscribe", &object, &class, &to, &group, &most,
                          &most_msgs, &most_bytes, &mode) ||
        !pyn_text_of(to, "subject", &subject) || !pyn_text_or_none(group, "queue", &queue) ||
        !pyn_count_of(most, "max", &max) || !limit_of(most_msgs, "pending_msgs", &msgs) ||
        !limit_of(most_bytes, "pending_bytes", &bytes)) {
        return NULL;
    }
    nats_client *client = pyn_client_get(object);
    PyObject *made = client != NULL ? pyn_object_new(class, &pyn_sub_type) : NULL;
    if (made == NULL) {
        return NULL;
    }
    pyn_sub *sub = (pyn_sub *)made;
    sub->handle = ((pyn_client *)object)->handle;
    Py_INCREF(sub->handle);
    nats_status status =
        nats_client_subscribe_with(client, subject.ptr, subject.len, queue.ptr, queue.len, max,
                                   msgs, bytes, mode, &sub->sub);
    if (status != NATS_OK) {
        Py_DECREF(made);
        return pyn_raise(status);
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
