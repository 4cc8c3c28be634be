/* JetStream's part of the module: see pyn.h for the rules. The classes are written in Python, in
 * polynats/_jetstream*.py. */
#ifndef PYN_JS_H
#define PYN_JS_H

#include "pyn.h"

/* ---- json.c ---- */

/* What Python has for a JSON text: durations are seconds, times are datetimes in UTC, whole numbers
 * keep all their digits. Of bytes, or str. */
PyObject *pyn_json(PyObject *module, PyObject *text);
/* A time in ns since 1970 as a datetime. */
PyObject *pyn_time(int64_t ns);
/* key(object, name): (kind, of elements, type of object) of JetStream's table, or None. */
PyObject *pyn_js_key(PyObject *module, PyObject *args);
/* keywords(): [(name, kind)] of publish; verbs(): names; keys(type): names. */
PyObject *pyn_js_keywords(PyObject *module, PyObject *nothing);
PyObject *pyn_js_verbs(PyObject *module, PyObject *nothing);
PyObject *pyn_js_keys(PyObject *module, PyObject *type);

/* ---- store.c ---- */

/* What a publish to JetStream is made of. */
typedef struct pyn_storing {
    pyn_text subject;
    pyn_bytes data;
    nats_headers *headers;
    int64_t timeout_ms;
} pyn_storing;

/* keywords: NULL, or a dict of JetStream's. */
bool pyn_storing_read(pyn_storing *self, PyObject *subject, PyObject *data, PyObject *headers,
                      PyObject *timeout, PyObject *keywords);
void pyn_storing_free(pyn_storing *self);

/* ---- jetstream.c, publisher.c, batch.c ---- */

typedef struct pyn_js {
    PyObject_HEAD
    pyn_handle *handle;
    nats_js *js;
} pyn_js;

extern PyTypeObject pyn_js_type, pyn_publisher_type, pyn_batch_type;

/* jetstream(client, class, domain, prefix, timeout) */
PyObject *pyn_jetstream(PyObject *module, PyObject *args);
/* publisher(js, class, max_pending, fast); batch(js, class) */
PyObject *pyn_publisher_make(PyObject *module, PyObject *args);
PyObject *pyn_batch_make(PyObject *module, PyObject *args);
nats_js *pyn_js_get(PyObject *object);
nats_js_publisher *pyn_publisher_get(PyObject *object);
PyObject *pyn_publisher_stats_dict(const uint64_t *values, size_t count);
int pyn_js_init(PyObject *module);

/* ---- ack.c ---- */

/* ack_many(messages): how many were acknowledged. */
PyObject *pyn_client_ack_many(PyObject *self, PyObject *messages);
PyObject *pyn_message_ack(PyObject *self, PyObject *nothing);
PyObject *pyn_message_nak(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames);
PyObject *pyn_message_in_progress(PyObject *self, PyObject *nothing);
PyObject *pyn_message_term(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames);
PyObject *pyn_message_ack_sync(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames);
/* Of an event loop's client: the same, by its _settle() and _ack_sync(). */
PyObject *pyn_loop_message_ack(PyObject *self, PyObject *nothing);
PyObject *pyn_loop_message_nak(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                               PyObject *kwnames);
PyObject *pyn_loop_message_in_progress(PyObject *self, PyObject *nothing);
PyObject *pyn_loop_message_term(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                PyObject *kwnames);
PyObject *pyn_loop_message_ack_sync(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                    PyObject *kwnames);
/* settle(message, how, delay, reason), for those. */
PyObject *pyn_settle(PyObject *module, PyObject *args);
/* ack_sync_start(message, class, timeout) */
PyObject *pyn_ack_sync_start(PyObject *module, PyObject *args);
PyObject *pyn_message_metadata(PyObject *self, void *nothing);
int pyn_ack_init(PyObject *module);

#endif
