/* Errors: the library's statuses as exceptions. Their classes are written in Python (polynats/_errors)
 * and told to us when it is imported. */
#include "pyn.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    STATUSES_MAX = 64, /* more than the library has */
    WORDS_SIZE = 512   /* for words of our own; what is longer is cut off */
};

static PyObject *error_classes[STATUSES_MAX];

/* Signals are the main interpreter's, and so are our types and classes. Others may get a copy of
 * this module without a call of its init, so it is here that they are refused. */
static bool is_main_interpreter(void)
{
    if (PyInterpreterState_Get() == PyInterpreterState_Main()) {
        return true;
    }
    PyErr_SetString(PyExc_ImportError, "polynats is for the main interpreter");
    return false;
}

PyObject *pyn_set_errors(PyObject *module, PyObject *classes)
{
    (void)module;
    PyObject *code, *class;
    Py_ssize_t at = 0;
    if (!is_main_interpreter()) {
        return NULL;
    }
    if (!PyDict_Check(classes)) {
        PyErr_SetString(PyExc_TypeError, "a dict of classes expected");
        return NULL;
    }
    while (PyDict_Next(classes, &at, &code, &class)) {
        nats_status status = pyn_status_of(code);
        if (status == PYN_RAISED) {
            return NULL;
        }
        Py_INCREF(class);
        Py_XSETREF(error_classes[-status], class);
    }
    Py_RETURN_NONE;
}

nats_status pyn_status_of(PyObject *name)
{
    pyn_text text;
    if (!pyn_text_of(name, "code", &text)) {
        return PYN_RAISED;
    }
    for (nats_status status = NATS_OK; status > -STATUSES_MAX; status--) {
        if (strcmp(nats_status_name(status), text.ptr) == 0) {
            return status;
        }
    }
    pyn_raise_words(NATS_ERR_INVALID, "code", "code is the name of no error: '%.100s'", text.ptr);
    return PYN_RAISED;
}

static PyObject *class_of(nats_status status)
{
    PyObject *class = status < 0 && status > -STATUSES_MAX ? error_classes[-status] : NULL;
    class = class != NULL ? class : error_classes[0]; /* the family's own */
    return class != NULL ? class : PyExc_RuntimeError;
}

/* What the server's answer had besides: most errors have none, and then the class says 0. */
static bool set_code(PyObject *error, const char *name, int32_t code)
{
    if (code == 0) {
        return true;
    }
    PyObject *number = PyLong_FromLong(code);
    int failed = number != NULL ? PyObject_SetAttrString(error, name, number) : -1;
    Py_XDECREF(number);
    return failed == 0;
}

/* The same of its words. */
static bool set_said(PyObject *error, const char *said)
{
    if (said[0] == '\0') {
        return true;
    }
    PyObject *text = pyn_str(said, strlen(said));
    int failed = text != NULL ? PyObject_SetAttrString(error, "_said", text) : -1;
    Py_XDECREF(text);
    return failed == 0;
}

/* said: the server's own words, "" for none. */
static void raise_text(nats_status status, const char *words, const char *name, int32_t code,
                       int32_t err_code, const char *said)
{
    PyObject *class = class_of(status);
    PyObject *text = pyn_str(words, strlen(words));
    PyObject *about = pyn_str(name, strlen(name));
    PyObject *error = NULL;
    if (text != NULL && about != NULL) {
        error = PyObject_CallFunctionObjArgs(class, text, NULL);
    }
    if (error != NULL && PyObject_SetAttrString(error, "about", about) == 0 &&
        set_code(error, "status", code) && set_code(error, "err_code", err_code) &&
        set_said(error, said)) {
        PyErr_SetObject(class, error);
    }
    Py_XDECREF(error);
    Py_XDECREF(about);
    Py_XDECREF(text);
}

PyObject *pyn_raise(nats_status status)
{
    if (status == PYN_RAISED) {
        return NULL;
    }
    raise_text(status, nats_last_error(NULL), nats_last_about(), nats_last_code(),
               nats_last_err_code(), nats_last_description());
    return NULL;
}

PyObject *pyn_raise_words(nats_status status, const char *about, const char *format, ...)
{
    char words[WORDS_SIZE];
    va_list args;
    va_start(args, format);
    vsnprintf(words, sizeof(words), format, args);
    va_end(args);
    raise_text(status, words, about, 0, 0, "");
    return NULL;
}

PyObject *pyn_done(nats_status status)
{
    if (status != NATS_OK) {
        return pyn_raise(status);
    }
    Py_RETURN_NONE;
}
