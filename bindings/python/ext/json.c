/* JSON texts of JetStream, as Python's values. */
#include "pyn_js.h"

#include <datetime.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
#define NS_PER_US 1000

/* ---- times ---- */

/* datetime is slow to import, and few programs need it of us. */
static bool import_datetime(void)
{
    if (PyDateTimeAPI == NULL) {
        PyDateTime_IMPORT;
    }
    return PyDateTimeAPI != NULL;
}

PyObject *pyn_time(int64_t ns)
{
    struct tm parts;
    int64_t below = (ns % NS_PER_S + NS_PER_S) % NS_PER_S;
    time_t seconds = (time_t)((ns - below) / NS_PER_S);
    if (!import_datetime()) {
        return NULL;
    }
    gmtime_r(&seconds, &parts);
    return PyDateTimeAPI->DateTime_FromDateAndTime(
        parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
        parts.tm_sec, (int)(below / NS_PER_US), PyDateTime_TimeZone_UTC,
        PyDateTimeAPI->DateTimeType);
}

/* What is out of the range of ns is JetStream's way to say never: the year 1. */
static PyObject *time_of(const nats_json *value)
{
    int64_t ns;
    if (nats_json_time(value, &ns) == 0) {
        Py_RETURN_NONE;
    }
    return pyn_time(ns);
}

/* ---- values ---- */

static PyObject *value_of(const nats_json *value);

static PyObject *list_of(const nats_json *array)
{
    size_t count = nats_json_count(array);
    PyObject *list = PyList_New((Py_ssize_t)count);
    for (size_t i = 0; list != NULL && i < count; i++) {
        PyObject *element = value_of(nats_json_at(array, i));
        if (element == NULL) {
            Py_CLEAR(list);
            break;
        }
        PyList_SET_ITEM(list, (Py_ssize_t)i, element);
    }
    return list;
}

static bool put_member(PyObject *map, const char *name, const nats_json *member)
{
    PyObject *key = pyn_str(name, strlen(name));
    PyObject *value = key != NULL ? value_of(member) : NULL;
    int error = value != NULL ? PyDict_SetItem(map, key, value) : -1;
    Py_XDECREF(value);
    Py_XDECREF(key);
    return error == 0;
}

static PyObject *dict_of(const nats_json *object)
{
    const nats_json *member;
    const char *name;
    PyObject *map = PyDict_New();
    for (size_t i = 0; map != NULL && (member = nats_json_member(object, i, &name)) != NULL; i++) {
        if (!put_member(map, name, member)) {
            Py_CLEAR(map);
        }
    }
    return map;
}

static PyObject *int_of(const nats_json *value)
{
    int64_t number;
    uint64_t count;
    if (nats_json_int(value, &number) != 0) {
        return PyLong_FromLongLong(number);
    }
    nats_json_uint(value, &count);
    return PyLong_FromUnsignedLongLong(count);
}

static PyObject *real_of(const nats_json *value)
{
    double number;
    nats_json_real(value, &number);
    return PyFloat_FromDouble(number);
}

static PyObject *seconds_of(const nats_json *value)
{
    int64_t ns;
    if (nats_json_int(value, &ns) == 0) {
        return real_of(value);
    }
    return PyFloat_FromDouble((double)ns / 1e9);
}

static PyObject *bool_of(const nats_json *value)
{
    int64_t truth;
    nats_json_int(value, &truth);
    return PyBool_FromLong(truth != 0);
}

static PyObject *text_of(const nats_json *value)
{
    size_t len;
    const char *text = nats_json_text(value, &len);
    return pyn_str(text, len);
}

/* The depth of a document is bounded by whoever has read it. */
static PyObject *value_of(const nats_json *value)
{
    switch (nats_json_kind(value)) {
    case NATS_JSON_BOOL:
        return bool_of(value);
    case NATS_JSON_INT:
    case NATS_JSON_UINT:
        return int_of(value);
    case NATS_JSON_REAL:
        return real_of(value);
    case NATS_JSON_TEXT:
        return text_of(value);
    case NATS_JSON_ARRAY:
        return list_of(value);
    case NATS_JSON_OBJECT:
        return dict_of(value);
    case NATS_JSON_DURATION:
        return seconds_of(value);
    case NATS_JSON_TIME:
        return time_of(value);
    default:
        Py_RETURN_NONE;
    }
}

PyObject *pyn_json(PyObject *module, PyObject *text)
{
    pyn_bytes data;
    nats_json *document;
    (void)module;
    if (!pyn_data_of(text, "text", &data)) {
        return NULL;
    }
    nats_status status = nats_json_parse(data.ptr, data.len, &document);
    pyn_bytes_free(&data);
    if (status != NATS_OK) {
        return pyn_raise(status);
    }
    PyObject *value = value_of(document);
    nats_json_free(document);
    return value;
}

/* ---- tables ---- */

PyObject *pyn_js_key(PyObject *module, PyObject *args)
{
    const char *object, *name, *of = NULL;
    int32_t element = 0;
    (void)module;
    if (!PyArg_ParseTuple(args, "ss:js_key", &object, &name)) {
        return NULL;
    }
    int32_t kind = nats_js_key(object, name, &element, &of);
    if (kind == 0) {
        Py_RETURN_NONE;
    }
    return Py_BuildValue("(iis)", kind, element, of != NULL ? of : "");
}

static bool append(PyObject *list, PyObject *item)
{
    int error = item != NULL ? PyList_Append(list, item) : -1;
    Py_XDECREF(item);
    return error == 0;
}

PyObject *pyn_js_keywords(PyObject *module, PyObject *nothing)
{
    PyObject *list = PyList_New(0);
    const char *name;
    (void)module;
    (void)nothing;
    for (size_t i = 0; list != NULL && (name = nats_js_keyword(i)) != NULL; i++) {
        int32_t kind = 0;
        nats_js_header(name, &kind);
        if (!append(list, Py_BuildValue("(si)", name, kind))) {
            Py_CLEAR(list);
        }
    }
    return list;
}

PyObject *pyn_js_verbs(PyObject *module, PyObject *nothing)
{
    PyObject *list = PyList_New(0);
    const char *name;
    (void)module;
    (void)nothing;
    for (size_t i = 0; list != NULL && (name = nats_js_verb(i)) != NULL; i++) {
        if (!append(list, PyUnicode_FromString(name))) {
            Py_CLEAR(list);
        }
    }
    return list;
}

PyObject *pyn_js_keys(PyObject *module, PyObject *type)
{
    const char *words = pyn_words_of(type, "type");
    PyObject *list = words != NULL ? PyList_New(0) : NULL;
    const char *name;
    (void)module;
    for (size_t i = 0; list != NULL && (name = nats_js_key_name(words, i)) != NULL; i++) {
        if (!append(list, PyUnicode_FromString(name))) {
            Py_CLEAR(list);
        }
    }
    return list;
}
