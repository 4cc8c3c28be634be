/* What the module has besides the functions that SWIG wraps. */
#include "pyn_js.h"

static PyMethodDef functions[] = {
    {"_connect", pyn_connect, METH_VARARGS, NULL},
    {"_share", pyn_share, METH_VARARGS, NULL},
    {"_connect_start", pyn_connect_start, METH_VARARGS, NULL},
    {"_flush_start", pyn_flush_start, METH_VARARGS, NULL},
    {"_drain_start", pyn_drain_start, METH_VARARGS, NULL},
    {"_sub_drain_start", pyn_sub_drain_start, METH_VARARGS, NULL},
    {"_set_home", pyn_set_home, METH_VARARGS, NULL},
    {"_subscribe", pyn_subscribe, METH_VARARGS, NULL},
    {"_request_start", pyn_request_start, METH_VARARGS, NULL},
    {"_request_many", pyn_request_many, METH_VARARGS, NULL},
    {"_jetstream", pyn_jetstream, METH_VARARGS, NULL},
    {"_publisher", pyn_publisher_make, METH_VARARGS, NULL},
    {"_batch", pyn_batch_make, METH_VARARGS, NULL},
    {"_settle", pyn_settle, METH_VARARGS, NULL},
    {"_ack_sync_start", pyn_ack_sync_start, METH_VARARGS, NULL},
    {"_json", pyn_json, METH_O, NULL},
    {"_js_key", pyn_js_key, METH_VARARGS, NULL},
    {"_js_keys", pyn_js_keys, METH_O, NULL},
    {"_js_keywords", pyn_js_keywords, METH_NOARGS, NULL},
    {"_js_verbs", pyn_js_verbs, METH_NOARGS, NULL},
    {"_options", pyn_options, METH_NOARGS, NULL},
    {"_proto_new", pyn_proto_new, METH_VARARGS, NULL},
    {"_set_answerer", pyn_set_answerer, METH_O, NULL},
    {"_set_errors", pyn_set_errors, METH_O, NULL},
    {"_exiting", pyn_exiting, METH_NOARGS, NULL},
    {"_until", pyn_until, METH_VARARGS, NULL},
    {"now", pyn_now, METH_NOARGS,
     "now($module, /)\n--\n\nSeconds of the monotonic clock that events and Proto go by."},
    {NULL, NULL, 0, NULL}};

int pyn_init(PyObject *module)
{
    if (PyModule_AddFunctions(module, functions) != 0 || pyn_handle_init(module) != 0) {
        return -1;
    }
    if (pyn_js_init(module) != 0 || pyn_ack_init(module) != 0) {
        return -1;
    }
    return pyn_message_init(module);
}
