/* Values: Python's as C takes them, and back. */
#include "pyn.h"

#include <math.h>
#include <string.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
/* Longest wait, 31 years: longer ones are cut to it, so that no sum of times overflows. */
#define WAIT_MS_MAX 1e12
/* Largest time in seconds that fits into ns. */
#define NOW_MAX 9e9

PyObject *pyn_str(const char *text, size_t len)
{
    return PyUnicode_DecodeUTF8(text, (Py_ssize_t)len, "surrogateescape");
}

static bool wrong_type(const char *name, const char *wanted, PyObject *value)
{
    PyErr_Format(PyExc_TypeError, "%s must be %s, not %.100s", name, wanted,
                 Py_TYPE(value)->tp_name);
    return false;
}

/* ---- texts ---- */

/* What cannot be UTF-8, a lone surrogate, is a wrong argument like any other: told in bytes, as the
 * library does. */
static bool not_utf8(PyObject *value, const char *name)
{
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) {
        return false;
    }
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    PyErr_NormalizeException(&type, &error, &trace);
    Py_ssize_t at = 0, len = 0;
    PyUnicodeEncodeError_GetStart(error, &at);
    PyObject *before = PyUnicode_Substring(value, 0, at);
    if (before != NULL && PyUnicode_AsUTF8AndSize(before, &len) != NULL) {
        pyn_raise_words(NATS_ERR_INVALID, name, "%s: byte %zd is not valid UTF-8", name, len);
    }
    Py_XDECREF(before);
    Py_XDECREF(type);
    Py_XDECREF(error);
    Py_XDECREF(trace);
    return false;
}

bool pyn_text_of(PyObject *value, const char *name, pyn_text *text)
{
    if (!PyUnicode_Check(value)) {
        return wrong_type(name, "str", value);
    }
    Py_ssize_t len;
    text->ptr = PyUnicode_AsUTF8AndSize(value, &len);
    if (text->ptr == NULL) {
        return not_utf8(value, name);
    }
    text->len = (size_t)len;
    return true;
}

bool pyn_text_or_none(PyObject *value, const char *name, pyn_text *text)
{
    text->ptr = NULL;
    text->len = 0;
    return value == NULL || value == Py_None || pyn_text_of(value, name, text);
}

const char *pyn_words_of(PyObject *value, const char *name)
{
    pyn_text text;
    if (!pyn_text_of(value, name, &text)) {
        return NULL;
    }
    const char *nul = memchr(text.ptr, '\0', text.len);
    if (nul != NULL) {
        pyn_raise_words(NATS_ERR_INVALID, name, "%s: byte %zd is a NUL", name,
                        (Py_ssize_t)(nul - text.ptr));
        return NULL;
    }
    return text.ptr;
}

/* ---- bytes ---- */

bool pyn_data_of(PyObject *value, const char *name, pyn_bytes *data)
{
    data->kept = NULL;
    data->view.obj = NULL;
    data->ptr = "";
    data->len = 0;
    if (value == NULL || value == Py_None) {
        return true;
    }
    if (PyBytes_Check(value)) {
        data->ptr = PyBytes_AS_STRING(value);
        data->len = (size_t)PyBytes_GET_SIZE(value);
        return true;
    }
    if (PyUnicode_Check(value)) {
        pyn_text text;
        if (!pyn_text_of(value, name, &text)) {
            return false;
        }
        data->ptr = text.ptr;
        data->len = text.len;
        return true;
    }
    if (!PyObject_CheckBuffer(value)) {
        return wrong_type(name, "bytes-like or str", value);
    }
    if (PyObject_GetBuffer(value, &data->view, PyBUF_SIMPLE) == 0) {
        data->ptr = data->view.buf;
        data->len = (size_t)data->view.len;
        return true;
    }
    /* Every second byte of something, for instance: a copy has them side by side. */
    PyErr_Clear();
    data->view.obj = NULL;
    data->kept = PyBytes_FromObject(value);
    if (data->kept == NULL) {
        return false;
    }
    data->ptr = PyBytes_AS_STRING(data->kept);
    data->len = (size_t)PyBytes_GET_SIZE(data->kept);
    return true;
}

void pyn_bytes_free(pyn_bytes *data)
{
    if (data->view.obj != NULL) {
        PyBuffer_Release(&data->view);
    }
    Py_CLEAR(data->kept);
}

/* ---- numbers ---- */

bool pyn_seconds_of(PyObject *value, const char *name, int64_t *ms)
{
    *ms = -1;
    if (value == NULL || value == Py_None) {
        return true;
    }
    double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0 && PyErr_Occurred()) {
        if (PyErr_ExceptionMatches(PyExc_TypeError)) {
            PyErr_Clear();
            return wrong_type(name, "a number of seconds or None", value);
        }
        if (PyErr_ExceptionMatches(PyExc_OverflowError)) {
            PyErr_Clear();
            pyn_raise_words(NATS_ERR_INVALID, name, "%s is too large to be seconds", name);
        }
        return false;
    }
    if (!(seconds >= 0)) {
        pyn_raise_words(NATS_ERR_INVALID, name, "%s must be 0 seconds or more, not %g", name,
                        seconds);
        return false;
    }
    double rounded = ceil(seconds * 1000 - 1e-6);
    *ms = (int64_t)(rounded < WAIT_MS_MAX ? rounded : WAIT_MS_MAX);
    return true;
}

int64_t pyn_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

PyObject *pyn_now(PyObject *module, PyObject *nothing)
{
    (void)module;
    (void)nothing;
    return PyFloat_FromDouble((double)pyn_now_ns() / 1e9);
}

/* until(seconds, name): when they will be over, on that clock; None for ever. */
PyObject *pyn_until(PyObject *module, PyObject *args)
{
    PyObject *value;
    const char *name;
    int64_t ms;
    (void)module;
    if (!PyArg_ParseTuple(args, "Os:until", &value, &name) || !pyn_seconds_of(value, name, &ms)) {
        return NULL;
    }
    if (ms < 0) {
        Py_RETURN_NONE;
    }
    return PyFloat_FromDouble((double)pyn_now_ns() / 1e9 + PyFloat_AsDouble(value));
}

bool pyn_moment_of(PyObject *value, int64_t *ns)
{
    if (value == NULL || value == Py_None) {
        *ns = pyn_now_ns();
        return true;
    }
    double seconds = PyFloat_AsDouble(value);
    if (seconds == -1.0 && PyErr_Occurred()) {
        if (!PyErr_ExceptionMatches(PyExc_OverflowError)) {
            return false;
        }
        PyErr_Clear();
        seconds = (double)INFINITY;
    }
    if (!(seconds >= 0 && seconds <= NOW_MAX)) {
        pyn_raise_words(NATS_ERR_INVALID, "now", "now must be a time in seconds, 0 to 9e9, not %g",
                        seconds);
        return false;
    }
    *ns = (int64_t)(seconds * 1e9);
    return true;
}

bool pyn_integer_of(PyObject *value, const char *name, int64_t *number)
{
    int overflow;
    if (!PyLong_Check(value)) {
        return wrong_type(name, "int", value);
    }
    *number = PyLong_AsLongLongAndOverflow(value, &overflow);
    if (overflow != 0) {
        pyn_raise_words(NATS_ERR_INVALID, name, "%s does not fit into 64 bits", name);
        return false;
    }
    return *number != -1 || !PyErr_Occurred();
}

bool pyn_count_of(PyObject *value, const char *name, uint64_t *count)
{
    int64_t number = 0;
    *count = 0;
    if (value == NULL || value == Py_None) {
        return true;
    }
    if (!pyn_integer_of(value, name, &number)) {
        return false;
    }
    if (number < 0) {
        pyn_raise_words(NATS_ERR_INVALID, name, "%s must be 0 or more, not %lld", name,
                        (long long)number);
        return false;
    }
    *count = (uint64_t)number;
    return true;
}

/* ---- arguments ---- */

static int place_of(PyObject *keyword, const char *const *names)
{
    for (int i = 0; names[i] != NULL; i++) {
        if (PyUnicode_CompareWithASCIIString(keyword, names[i]) == 0) {
            return i;
        }
    }
    return -1;
}

/* As Python says it, and with the name that was probably meant. */
static void refuse_keyword(const char *verb, PyObject *keyword, const char *const *names, int known)
{
    const char *given = PyUnicode_AsUTF8(keyword);
    const char *nearest =
        given != NULL ? nats_options_nearest(given, names, (size_t)known) : NULL;
    PyErr_Clear(); /* a lone surrogate has no UTF-8, and is near to nothing */
    PyErr_Format(PyExc_TypeError, "%s() got an unexpected keyword argument '%U'%s%s%s", verb,
                 keyword, nearest != NULL ? ". Did you mean '" : "", nearest != NULL ? nearest : "",
                 nearest != NULL ? "'?" : "");
}

bool pyn_arguments(const char *verb, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                   const char *const *names, int required, PyObject **values)
{
    int known = 0;
    while (names[known] != NULL) {
        values[known++] = NULL;
    }
    if (nargs > known) {
        PyErr_Format(PyExc_TypeError, "%s() takes at most %d arguments (%zd given)", verb, known,
                     nargs);
        return false;
    }
    for (Py_ssize_t i = 0; i < nargs; i++) {
        values[i] = args[i];
    }
    Py_ssize_t keywords = kwnames != NULL ? PyTuple_GET_SIZE(kwnames) : 0;
    for (Py_ssize_t i = 0; i < keywords; i++) {
        PyObject *keyword = PyTuple_GET_ITEM(kwnames, i);
        int place = place_of(keyword, names);
        if (place < 0) {
            refuse_keyword(verb, keyword, names, known);
            return false;
        }
        if (values[place] != NULL) {
            PyErr_Format(PyExc_TypeError, "%s() got multiple values for argument '%U'", verb,
                         keyword);
            return false;
        }
        values[place] = args[nargs + i];
    }
    for (int i = 0; i < required; i++) {
        if (values[i] == NULL) {
            PyErr_Format(PyExc_TypeError, "%s() is missing the argument '%s'", verb, names[i]);
            return false;
        }
    }
    return true;
}
