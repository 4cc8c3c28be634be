/* The part of Python's module that is written by hand: objects, values, and the verbs that must be
 * quick or that wait. The rest is in swig/python.i.
 *
 * A function that returns a PyObject * returns NULL with Python's error set. One that returns a
 * nats_status gives PYN_RAISED for that; pyn_raise() takes it, and leaves the error as it is. */
#ifndef PYN_H
#define PYN_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <stdbool.h>
#include <stdint.h>

#include <polynats.h>

/* Python's error is set. No status of the library is positive. */
#define PYN_RAISED 1

enum {
    PYN_GET_MAX = 65536,  /* messages of one get() when the program does not say */
    PYN_INBOX_SIZE = 1024, /* a prefix of 512 bytes, the longest there is, and the unique rest */
    PYN_STATS_MAX = 64    /* more counters than the library has */
};

/* ---- objects ---- */

/* What a call has taken, until the caller has it: see box.c. */
typedef struct pyn_box {
    PyObject *taken; /* a list of messages, or one; NULL once they have arrived */
    int32_t mode;    /* NATS_SUB_…: where they were offered */
    PyObject **kept; /* messages that did not arrive, oldest first */
    int32_t *kept_modes;
    size_t kept_count, kept_room;
    PyObject *event; /* likewise */
} pyn_box;

/* What the clients of one connection have published since one of them looked whether a publish would
 * wait. */
typedef struct pyn_meter {
    size_t refs;
    size_t bytes;
} pyn_meter;

/* What a client and all that came from it share. It refers to no Python object but what is in the
 * box, which the client empties when it goes: nothing that refers to it stays part of a cycle. */
typedef struct pyn_handle {
    PyObject_HEAD
    nats_client *client;
    pyn_box box;
    pyn_meter *meter;
    PyObject *home;   /* a weak reference to the event loop's client it is for, or NULL */
} pyn_handle;

typedef struct pyn_client {
    PyObject_HEAD
    pyn_handle *handle;
} pyn_client;

typedef struct pyn_sub {
    PyObject_HEAD
    pyn_handle *handle;
    nats_sub *sub;
    int32_t mode; /* NATS_SUB_… */
} pyn_sub;

typedef struct pyn_future {
    PyObject_HEAD
    pyn_handle *handle;
    nats_future *future;
    PyObject *taken; /* a reply, until the caller has it */
    bool busy;       /* a thread waits for it without the GIL */
} pyn_future;

typedef struct pyn_proto {
    PyObject_HEAD
    nats_proto *proto;
} pyn_proto;

extern PyTypeObject pyn_client_type, pyn_sub_type, pyn_future_type, pyn_proto_type,
    pyn_message_type, pyn_loop_message_type;

/* like: a handle on the same connection, or NULL. */
pyn_handle *pyn_handle_new(const pyn_handle *like);
/* A new object of a class written in Python, without its __init__. The caller fills it. */
PyObject *pyn_object_new(PyObject *class, PyTypeObject *base);
/* tp_new of classes whose objects a verb makes. */
PyObject *pyn_no_new(PyTypeObject *type, PyObject *args, PyObject *kwargs);

/* A type to write a class on, with what its file has: kind##_dealloc, kind##_methods, kind##_getset. */
#define PYN_BASE_TYPE(kind, struct_name, title)                                                    \
    PyTypeObject pyn_##kind##_type = {                                                             \
        PyVarObject_HEAD_INIT(NULL, 0).tp_name = "polynats._polynats." title,                      \
        .tp_basicsize = sizeof(struct_name),                                                       \
        .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE,                                      \
        .tp_dealloc = kind##_dealloc,                                                              \
        .tp_new = pyn_no_new,                                                                      \
        .tp_methods = kind##_methods,                                                              \
        .tp_getset = kind##_getset,                                                                \
    }

/* What an object holds; NULL and a TypeError when it is none. */
nats_client *pyn_client_get(PyObject *object);
nats_sub *pyn_sub_get(PyObject *object);
nats_future *pyn_future_get(PyObject *object); /* NULL also when another thread waits for it */
nats_proto *pyn_proto_get(PyObject *object);
/* From now on a handle that is let go of is closed at once: the interpreter ends. */
PyObject *pyn_exiting(PyObject *module, PyObject *nothing);
int pyn_handle_init(PyObject *module);

/* ---- errors ---- */

/* Raise the thread's last failure. Returns NULL. */
PyObject *pyn_raise(nats_status status);
PyObject *pyn_raise_words(nats_status status, const char *about, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
PyObject *pyn_done(nats_status status); /* None, or raise */
PyObject *pyn_set_errors(PyObject *module, PyObject *classes);
nats_status pyn_status_of(PyObject *name); /* PYN_RAISED when it is the name of none */

/* ---- values ---- */

typedef struct pyn_text {
    const char *ptr;
    size_t len;
} pyn_text;

/* Bytes that stay where they are until pyn_bytes_free(). */
typedef struct pyn_bytes {
    const void *ptr;
    size_t len;
    PyObject *kept;
    Py_buffer view;
} pyn_bytes;

/* All return false with the error set. name: of the argument, for errors. */
bool pyn_text_of(PyObject *value, const char *name, pyn_text *text);
bool pyn_text_or_none(PyObject *value, const char *name, pyn_text *text);
const char *pyn_words_of(PyObject *value, const char *name); /* NULL on error */
bool pyn_data_of(PyObject *value, const char *name, pyn_bytes *data); /* None is empty */
void pyn_bytes_free(pyn_bytes *data);
bool pyn_seconds_of(PyObject *value, const char *name, int64_t *ms); /* None is -1 */
bool pyn_moment_of(PyObject *value, int64_t *ns);                    /* None is now */
bool pyn_count_of(PyObject *value, const char *name, uint64_t *count); /* None is 0 */
bool pyn_integer_of(PyObject *value, const char *name, int64_t *number);
PyObject *pyn_str(const char *text, size_t len); /* any bytes */
int64_t pyn_now_ns(void);

/* Arguments by place or by name, of which the first `required` must be there; NULL for the others.
 * names: ends with NULL. */
bool pyn_arguments(const char *verb, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames,
                   const char *const *names, int required, PyObject **values);

/* Headers to send: a mapping, or pairs. *headers: NULL for none; owned. */
bool pyn_headers_of(PyObject *value, nats_headers **headers);

/* ---- waiting ---- */

typedef nats_status (*pyn_step)(void *arg, int64_t ms);
/* Make the step without the GIL; again, with the time that is left, after each signal whose handler
 * raised nothing. */
nats_status pyn_wait(pyn_step step, void *arg, int64_t ms);

/* Wait for the end of a future without replies, and free it. It was begun once, however many signals
 * come meanwhile: a call that is made again begins again, and may never end. */
nats_status pyn_goal_wait(nats_future *future);

/* The library's calls that wait, under the names and with the arguments they have there, made as
 * Python makes them. */
nats_status pyn_client_drain(nats_client *client, int64_t timeout_ms);
nats_status pyn_client_flush(nats_client *client, int64_t timeout_ms);
nats_status pyn_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out);
nats_status pyn_sub_drain(nats_sub *sub, int64_t timeout_ms);

/* ---- what is on its way to the caller ---- */

/* The list, or message, is about to be returned; as it is, or NULL as it was. */
PyObject *pyn_box_put(pyn_box *box, int32_t mode, PyObject *taken);
/* Messages that did not arrive, of a mode, or with a sid of that subscription: a new list, or NULL
 * when there are none (no error) or it failed (an error). */
PyObject *pyn_box_take(pyn_box *box, int32_t mode, uint64_t sid, size_t max);
size_t pyn_box_count(const pyn_box *box); /* of messages that did not arrive */
void pyn_box_clear(pyn_box *box);
/* The same for what has a place of its own. */
PyObject *pyn_slot_put(PyObject **slot, PyObject *taken);
PyObject *pyn_slot_take(PyObject **slot);
int pyn_box_init(void);

/* ---- verbs ---- */

/* Can so many bytes be published at once, without waiting for the server? */
bool pyn_has_room(pyn_handle *handle, size_t len);

typedef struct pyn_publication {
    pyn_text subject;
    pyn_text reply;
    nats_headers *headers;
    pyn_bytes data;
} pyn_publication;

void pyn_publication_free(pyn_publication *what);
/* Publish, waiting without the GIL if need be, and free it. */
PyObject *pyn_publish(pyn_handle *handle, pyn_publication *what);

/* The message is taken over. handle: NULL when it came without a client. */
PyObject *pyn_message_new(nats_msg *msg, pyn_handle *handle);
/* It is the caller's as before, unless it has headers: then the copy has it. */
PyObject *pyn_message_copy(nats_msg *msg, pyn_handle *handle);
bool pyn_message_has_msg(PyObject *object);
uint64_t pyn_message_sid(PyObject *object);
/* The library's message of one of JetStream's, which stays as long as ours; else NULL. *handle: it came by, or NULL. */
nats_msg *pyn_message_js(PyObject *object, pyn_handle **handle);
PyObject *pyn_message_home(PyObject *object); /* the event loop's client; an error when it is gone */
int pyn_message_init(PyObject *module);

PyObject *pyn_event_dict(nats_event *event); /* None for NULL; frees it */
PyObject *pyn_stats_dict(const uint64_t *values, size_t count);
PyObject *pyn_sub_stats_dict(const uint64_t *values, size_t count);
PyObject *pyn_info_text(nats_info *info); /* frees it */

/* Tell a number by the error that is set: how many were published before it, for instance. */
void pyn_note_count(const char *name, size_t count);

/* Methods, which handle.c puts into the types. */
#define PYN_FAST(name, function, doc)                                                              \
    {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL | METH_KEYWORDS, doc}
PyObject *pyn_client_publish(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames);
PyObject *pyn_client_publish_many(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                  PyObject *kwnames);
PyObject *pyn_client_get_list(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames);
PyObject *pyn_client_get_callbacks(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                   PyObject *kwnames);
PyObject *pyn_client_call_first(PyObject *self, PyObject *args);
PyObject *pyn_client_request(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                             PyObject *kwnames);
PyObject *pyn_client_try_publish(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                                 PyObject *kwnames);
PyObject *pyn_client_has_room(PyObject *self, PyObject *len);
PyObject *pyn_client_pending(PyObject *self, PyObject *nothing);
PyObject *pyn_client_replies(PyObject *self, PyObject *nothing);
PyObject *pyn_client_turns(PyObject *self, PyObject *nothing);
PyObject *pyn_sub_ready(PyObject *self, PyObject *nothing);
/* The future is taken over. */
PyObject *pyn_future_of(PyObject *class, pyn_handle *handle, nats_future *future);
PyObject *pyn_client_close(PyObject *self, PyObject *nothing);
PyObject *pyn_client_next_event(PyObject *self, PyObject *wait);
PyObject *pyn_sub_set_mode(PyObject *self, PyObject *mode);
PyObject *pyn_sub_get_list(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                           PyObject *kwnames);
PyObject *pyn_sub_next(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames);
PyObject *pyn_future_wait(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                          PyObject *kwnames);
PyObject *pyn_future_poll(PyObject *self, PyObject *nothing);

/* Functions of the module. */
PyObject *pyn_connect_start(PyObject *module, PyObject *args);
PyObject *pyn_flush_start(PyObject *module, PyObject *args);
PyObject *pyn_drain_start(PyObject *module, PyObject *args);
PyObject *pyn_sub_drain_start(PyObject *module, PyObject *args);
PyObject *pyn_set_home(PyObject *module, PyObject *args);
PyObject *pyn_connect(PyObject *module, PyObject *args);
PyObject *pyn_share(PyObject *module, PyObject *args);
PyObject *pyn_subscribe(PyObject *module, PyObject *args);
PyObject *pyn_request_start(PyObject *module, PyObject *args);
PyObject *pyn_request_many(PyObject *module, PyObject *args);
PyObject *pyn_set_answerer(PyObject *module, PyObject *function);
PyObject *pyn_options(PyObject *module, PyObject *nothing);
PyObject *pyn_now(PyObject *module, PyObject *nothing);
PyObject *pyn_until(PyObject *module, PyObject *args);
PyObject *pyn_proto_new(PyObject *module, PyObject *args);
PyObject *pyn_proto_publish(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames);
PyObject *pyn_proto_subscribe(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames);
PyObject *pyn_proto_event(PyObject *self, PyObject *nothing);
PyObject *pyn_proto_take(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                         PyObject *kwnames);
PyObject *pyn_proto_servers(PyObject *self, PyObject *nothing);

/* Called once, when the module is imported. */
int pyn_init(PyObject *module);

#endif
