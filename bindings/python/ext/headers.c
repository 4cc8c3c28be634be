/* Headers to send, as Python writes them. */
#include "pyn.h"

/* Keys and values: texts, in which bytes that came in a message and are no UTF-8 go through; or
 * bytes. */
static PyObject *header_bytes(PyObject *value, const char *name)
{
    if (PyBytes_Check(value)) {
        Py_INCREF(value);
        return value;
    }
    if (!PyUnicode_Check(value)) {
        PyErr_Format(PyExc_TypeError, "%s must be str or bytes, not %.100s", name,
                     Py_TYPE(value)->tp_name);
        return NULL;
    }
    PyObject *bytes = PyUnicode_AsEncodedString(value, "utf-8", "surrogateescape");
    if (bytes == NULL && PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        PyErr_Clear();
        pyn_raise_words(NATS_ERR_INVALID, name, "%s has a character that is not valid in UTF-8",
                        name);
    }
    return bytes;
}

static bool add_pair(nats_headers *headers, PyObject *key, PyObject *value)
{
    PyObject *key_bytes = header_bytes(key, "header key");
    PyObject *value_bytes = key_bytes != NULL ? header_bytes(value, "header value") : NULL;
    nats_status status = PYN_RAISED;
    if (value_bytes != NULL) {
        status = nats_headers_add(headers, PyBytes_AS_STRING(key_bytes),
                                  (size_t)PyBytes_GET_SIZE(key_bytes),
                                  PyBytes_AS_STRING(value_bytes),
                                  (size_t)PyBytes_GET_SIZE(value_bytes));
    }
    Py_XDECREF(key_bytes);
    Py_XDECREF(value_bytes);
    if (status != NATS_OK) {
        pyn_raise(status);
    }
    return status == NATS_OK;
}

/* One value, or a list of them. */
static bool add_values(nats_headers *headers, PyObject *key, PyObject *value)
{
    if (!PyList_Check(value) && !PyTuple_Check(value)) {
        return add_pair(headers, key, value);
    }
    PyObject *values = PySequence_Tuple(value);
    bool fine = values != NULL;
    for (Py_ssize_t i = 0; fine && i < PyTuple_GET_SIZE(values); i++) {
        fine = add_pair(headers, key, PyTuple_GET_ITEM(values, i));
    }
    Py_XDECREF(values);
    return fine;
}

static bool add_item(nats_headers *headers, PyObject *item)
{
    PyObject *pair = PySequence_Check(item) && !PyUnicode_Check(item) && !PyBytes_Check(item)
                         ? PySequence_Tuple(item)
                         : NULL;
    if (pair == NULL || PyTuple_GET_SIZE(pair) != 2) {
        Py_XDECREF(pair);
        PyErr_Clear();
        PyErr_SetString(PyExc_TypeError,
                        "headers must be a mapping, or pairs of a key and a value");
        return false;
    }
    bool fine = add_values(headers, PyTuple_GET_ITEM(pair, 0), PyTuple_GET_ITEM(pair, 1));
    Py_DECREF(pair);
    return fine;
}

static bool fill(nats_headers *headers, PyObject *value)
{
    bool mapping = PyMapping_Check(value) && PyObject_HasAttrString(value, "items");
    PyObject *items = mapping ? PyMapping_Items(value) : PySequence_Tuple(value);
    if (items == NULL) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Format(PyExc_TypeError, "headers must be a mapping or pairs, not %.100s",
                         Py_TYPE(value)->tp_name);
        }
        return false;
    }
    Py_ssize_t count = PySequence_Fast_GET_SIZE(items);
    bool fine = true;
    for (Py_ssize_t i = 0; fine && i < count; i++) {
        fine = add_item(headers, PySequence_Fast_GET_ITEM(items, i));
    }
    Py_DECREF(items);
    return fine;
}

bool pyn_headers_of(PyObject *value, nats_headers **headers)
{
    *headers = NULL;
    if (value == NULL || value == Py_None) {
        return true;
    }
    nats_headers *list;
    nats_status status = nats_headers_new(&list);
    if (status != NATS_OK) {
        pyn_raise(status);
        return false;
    }
    if (!fill(list, value)) {
        nats_headers_free(list);
        return false;
    }
    *headers = list;
    return true;
}
