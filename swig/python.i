/* Python: how its values become C's and back. Which functions are bound is said in polynats.i for all
 * languages. The verbs that must be quick, and all that is about Python's objects and threads, are
 * written by hand in bindings/python/ext; the classes, in Python, in bindings/python/polynats. */
%module _polynats

%begin %{
#include "pyn_js.h"

/* Calls that wait are made without the GIL. */
#define nats_client_drain(client, ms) pyn_client_drain(client, ms)
#define nats_client_flush(client, ms) pyn_client_flush(client, ms)
#define nats_client_rtt(client, ms, out) pyn_client_rtt(client, ms, out)
#define nats_sub_drain(sub, ms) pyn_sub_drain(sub, ms)
%}

%init %{
    if (pyn_init(m) != 0) {
#if PY_VERSION_HEX >= 0x03000000
        return NULL;
#endif
    }
%}

/* ---- handles: objects of ours, not SWIG's ---- */

%typemap(in) struct nats_client * {
    if (($1 = pyn_client_get($input)) == NULL) {
        SWIG_fail;
    }
}
%typemap(in) struct nats_sub * {
    if (($1 = pyn_sub_get($input)) == NULL) {
        SWIG_fail;
    }
}
%typemap(in) struct nats_future * {
    if (($1 = pyn_future_get($input)) == NULL) {
        SWIG_fail;
    }
}
%typemap(in) struct nats_proto * {
    if (($1 = pyn_proto_get($input)) == NULL) {
        SWIG_fail;
    }
}
%typemap(in) struct nats_js_publisher * {
    if (($1 = pyn_publisher_get($input)) == NULL) {
        SWIG_fail;
    }
}

/* ---- arguments ---- */

%typemap(in) (const char *TEXT, size_t TEXT_LEN) (pyn_text text) {
    if (!pyn_text_of($input, "$1_name", &text)) {
        SWIG_fail;
    }
    $1 = (char *)text.ptr;
    $2 = text.len;
}
%typemap(arginit) (const void *DATA, size_t DATA_LEN) {
    data$argnum.kept = NULL;
    data$argnum.view.obj = NULL;
}
%typemap(in) (const void *DATA, size_t DATA_LEN) (pyn_bytes data) {
    if (!pyn_data_of($input, "$1_name", &data)) {
        SWIG_fail;
    }
    $1 = (void *)data.ptr;
    $2 = data.len;
}
%typemap(freearg) (const void *DATA, size_t DATA_LEN) "pyn_bytes_free(&data$argnum);"
%typemap(in) const char *WORDS {
    if (($1 = (char *)pyn_words_of($input, "$1_name")) == NULL) {
        SWIG_fail;
    }
}
%typemap(freearg) const char *WORDS, const char *WORDS_OR_NONE ""
%typemap(in) const char *WORDS_OR_NONE {
    if ($input != Py_None && ($1 = (char *)pyn_words_of($input, "$1_name")) == NULL) {
        SWIG_fail;
    }
}
%typemap(in) int64_t SECONDS_MS {
    if (!pyn_seconds_of($input, "$1_name", &$1)) {
        SWIG_fail;
    }
}
%typemap(in) int64_t NOW_NS {
    if (!pyn_moment_of($input, &$1)) {
        SWIG_fail;
    }
}
%typemap(in) uint64_t {
    if (!pyn_count_of($input, "$1_name", &$1)) {
        SWIG_fail;
    }
}
%typemap(in) int64_t {
    if (!pyn_integer_of($input, "$1_name", &$1)) {
        SWIG_fail;
    }
}
%typemap(in) int32_t (int64_t number) {
    if (!pyn_integer_of($input, "$1_name", &number)) {
        SWIG_fail;
    }
    $1 = (int32_t)number;
}
%typemap(in) int32_t FLAG (int truth) {
    if ((truth = PyObject_IsTrue($input)) < 0) {
        SWIG_fail;
    }
    $1 = truth;
}
%typemap(in) nats_status CODE {
    if (($1 = pyn_status_of($input)) == PYN_RAISED) {
        SWIG_fail;
    }
}

/* ---- results ---- */

%typemap(out) nats_status {
    if (($result = pyn_done($1)) == NULL) {
        SWIG_fail;
    }
}
%typemap(out) const char * {
    if (($result = pyn_str($1, strlen($1))) == NULL) {
        SWIG_fail;
    }
}
%typemap(out) int32_t "$result = PyLong_FromLong($1);"
%typemap(out) int64_t "$result = PyLong_FromLongLong($1);"
%typemap(out) uint64_t "$result = PyLong_FromUnsignedLongLong($1);"
%typemap(out) size_t "$result = PyLong_FromSize_t($1);"
%typemap(out) int32_t nats_sub::active, int32_t nats_future::done, int32_t nats_subject_valid,
    int32_t nats_subject_valid_pattern, int32_t nats_subject_matches
    "$result = PyBool_FromLong($1);"

/* In place of None. */
%define RESULT_IN_PLACE(type, parameter, variable, value)
%typemap(in, numinputs=0) type *parameter (variable) "$1 = &temp;"
%typemap(argout) type *parameter {
    Py_DECREF($result);
    if (($result = value) == NULL) {
        SWIG_fail;
    }
}
%enddef
RESULT_IN_PLACE(int64_t, NS_OUT, int64_t temp = 0, PyFloat_FromDouble((double)*$1 / 1e9))
RESULT_IN_PLACE(size_t, COUNT_OUT, size_t temp = 0, PyLong_FromSize_t(*$1))
RESULT_IN_PLACE(int32_t, NUMBER_OUT, int32_t temp = 0, PyLong_FromLong(*$1))
RESULT_IN_PLACE(int64_t, NUMBER_OUT, int64_t temp = 0, PyLong_FromLongLong(*$1))
RESULT_IN_PLACE(uint64_t, NUMBER_OUT, uint64_t temp = 0, PyLong_FromUnsignedLongLong(*$1))
RESULT_IN_PLACE(nats_event *, EVENT_OUT, nats_event *temp = NULL, pyn_event_dict(*$1))
RESULT_IN_PLACE(nats_info *, INFO_OUT, nats_info *temp = NULL, pyn_info_text(*$1))
%typemap(in, numinputs=0) size_t *TEXT_LEN_OUT "$1 = NULL;"

%define COUNTERS(parameter, dict)
%typemap(in, numinputs=0) (uint64_t *parameter, size_t STATS_COUNT)
    (uint64_t values[PYN_STATS_MAX] = {0}) {
    $1 = values;
    $2 = PYN_STATS_MAX;
}
%typemap(argout) (uint64_t *parameter, size_t STATS_COUNT) {
    Py_DECREF($result);
    if (($result = dict(values$argnum, result)) == NULL) {
        SWIG_fail;
    }
}
%enddef
COUNTERS(CLIENT_STATS_OUT, pyn_stats_dict)
COUNTERS(SUB_STATS_OUT, pyn_sub_stats_dict)
COUNTERS(PUBLISHER_STATS_OUT, pyn_publisher_stats_dict)

%typemap(in, numinputs=0) (char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN)
    (char inbox[PYN_INBOX_SIZE], size_t inbox_len) {
    $1 = inbox;
    $2 = PYN_INBOX_SIZE;
    $3 = &inbox_len;
}
%typemap(argout) (char *INBOX_OUT, size_t INBOX_SIZE, size_t *INBOX_LEN) {
    Py_DECREF($result);
    if (($result = pyn_str(inbox$argnum, inbox_len$argnum)) == NULL) {
        SWIG_fail;
    }
}

/* Methods by hand: they know more than the library's handle. */
%ignore nats_client::close;
%ignore nats_client::next_event;
%ignore nats_sub::set_mode;

%feature("docstring") nats_version "The version of the library and of this package."
%feature("docstring") nats_abi "The number of the library's binary interface."

%include "polynats.i"
