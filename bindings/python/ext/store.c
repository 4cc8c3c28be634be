/* What is published to JetStream: a message, and what the stream is to look at besides, by keyword. */
#include "pyn_js.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 64 /* of a number: a count of 64 bits, or "9223372036854775807ms" */ };

/* Durations are cut to this, 292 million years. */
#define MS_MAX 9.2e18

/* ---- keywords ---- */

static bool wrong_value(const char *name, const char *wanted, PyObject *value)
{
    PyErr_Format(PyExc_TypeError, "%s must be %s, not %.100s", name, wanted,
                 Py_TYPE(value)->tp_name);
    return false;
}

static bool add_text(nats_headers *headers, const char *header, const char *text, size_t len)
{
    nats_status status = nats_headers_add(headers, header, NATS_Z, text, len);
    if (status != NATS_OK) {
        pyn_raise(status);
    }
    return status == NATS_OK;
}

/* Any whole number: the library looks at its range. sign: it has one in any case. */
static bool add_whole(nats_headers *headers, const char *header, PyObject *value, bool sign)
{
    PyObject *words = PyObject_Str(value);
    Py_ssize_t len = 0;
    const char *text = words != NULL ? PyUnicode_AsUTF8AndSize(words, &len) : NULL;
    bool plus = sign && text != NULL && text[0] != '-';
    PyObject *signed_words = plus ? PyUnicode_FromFormat("+%U", words) : words;
    if (plus) {
        text = signed_words != NULL ? PyUnicode_AsUTF8AndSize(signed_words, &len) : NULL;
        Py_DECREF(words);
    }
    bool fine = text != NULL && add_text(headers, header, text, (size_t)len);
    Py_XDECREF(signed_words);
    return fine;
}

/* A number of seconds, or what has total_seconds(): a timedelta. */
static bool read_seconds(PyObject *value, const char *name, double *seconds)
{
    bool delta = PyObject_HasAttrString(value, "total_seconds") != 0;
    PyObject *number = value;
    if (delta) {
        number = PyObject_CallMethod(value, "total_seconds", NULL);
    }
    *seconds = number != NULL ? PyFloat_AsDouble(number) : -1.0;
    if (delta) {
        Py_XDECREF(number);
    }
    if (*seconds != -1.0 || !PyErr_Occurred()) {
        return true;
    }
    if (!delta && PyErr_ExceptionMatches(PyExc_TypeError)) {
        PyErr_Clear();
        return wrong_value(name, "a number of seconds, a timedelta or a str", value);
    }
    return false;
}

static bool add_duration(nats_headers *headers, const char *header, const char *name,
                         PyObject *value)
{
    char words[WORDS_MAX];
    double seconds;
    if (!read_seconds(value, name, &seconds)) {
        return false;
    }
    double ms = ceil(seconds * 1000 - 1e-6);
    if (!(seconds >= 0 && ms < MS_MAX)) {
        pyn_raise_words(NATS_ERR_INVALID, name, "%s must be a time of 0 seconds or more, not %g",
                        name, seconds);
        return false;
    }
    int64_t whole = (int64_t)ms;
    bool even = whole % 1000 == 0;
    int len = snprintf(words, sizeof words, even ? "%llds" : "%lldms",
                       (long long)(even ? whole / 1000 : whole));
    return add_text(headers, header, words, (size_t)len);
}

static bool add_value(nats_headers *headers, const char *header, const char *name, int32_t kind,
                      PyObject *value)
{
    pyn_text text;
    if (PyUnicode_Check(value)) {
        return pyn_text_of(value, name, &text) && add_text(headers, header, text.ptr, text.len);
    }
    if (kind == NATS_JSON_DURATION) {
        return add_duration(headers, header, name, value);
    }
    bool whole = PyLong_Check(value) && !PyBool_Check(value);
    if (whole && (kind == NATS_JSON_INT || kind == NATS_JSON_UINT)) {
        return add_whole(headers, header, value, kind == NATS_JSON_INT);
    }
    return wrong_value(name, kind == NATS_JSON_TEXT ? "str" : "int or str", value);
}

/* The nearest one is found in Python: it is needed seldom. */
static bool unknown(PyObject *name)
{
    PyObject *values = PyImport_ImportModule("polynats._jetstream_values");
    PyObject *error =
        values != NULL ? PyObject_CallMethod(values, "unknown_keyword", "O", name) : NULL;
    if (error != NULL) {
        PyErr_SetObject((PyObject *)Py_TYPE(error), error);
    }
    Py_XDECREF(error);
    Py_XDECREF(values);
    return false;
}

static bool add_keyword(nats_headers *headers, PyObject *key, PyObject *value)
{
    int32_t kind;
    const char *name = pyn_words_of(key, "keyword");
    if (name == NULL) {
        return false;
    }
    const char *header = nats_js_header(name, &kind);
    if (header == NULL) {
        return unknown(key);
    }
    return value == Py_None || add_value(headers, header, name, kind, value);
}

static bool add_keywords(nats_headers **headers, PyObject *keywords)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    nats_status status = *headers == NULL ? nats_headers_new(headers) : NATS_OK;
    if (status != NATS_OK) {
        pyn_raise(status);
        return false;
    }
    while (PyDict_Next(keywords, &at, &key, &value)) {
        if (!add_keyword(*headers, key, value)) {
            return false;
        }
    }
    return true;
}

/* ---- all of it ---- */

bool pyn_storing_read(pyn_storing *self, PyObject *subject, PyObject *data, PyObject *headers,
                      PyObject *timeout, PyObject *keywords)
{
    self->headers = NULL;
    if (!pyn_text_of(subject, "subject", &self->subject) ||
        !pyn_seconds_of(timeout, "timeout", &self->timeout_ms) ||
        !pyn_data_of(data, "data", &self->data)) {
        return false;
    }
    bool more = keywords != NULL && keywords != Py_None && PyDict_GET_SIZE(keywords) > 0;
    if (!pyn_headers_of(headers, &self->headers) ||
        (more && !add_keywords(&self->headers, keywords))) {
        pyn_storing_free(self);
        return false;
    }
    return true;
}

void pyn_storing_free(pyn_storing *self)
{
    pyn_bytes_free(&self->data);
    nats_headers_free(self->headers);
    self->headers = NULL;
}
