/* What the module has besides the functions that SWIG wraps. */
#include "pyn.h"

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
    return pyn_message_init(module);
}
