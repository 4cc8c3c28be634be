/* What the library tells as structures, as Python's dicts. */
#include "pyn.h"

#include <string.h>

/* ---- counters ---- */

static bool put(PyObject *map, const char *name, PyObject *value)
{
    int error = value != NULL ? PyDict_SetItemString(map, name, value) : -1;
    Py_XDECREF(value);
    return error == 0;
}

PyObject *pyn_stats_dict(const uint64_t *values, size_t count)
{
    PyObject *map = PyDict_New();
    for (size_t i = 0; map != NULL && nats_stats_name(i) != NULL; i++) {
        if (!put(map, nats_stats_name(i), PyLong_FromUnsignedLongLong(i < count ? values[i] : 0))) {
            Py_CLEAR(map);
        }
    }
    return map;
}

PyObject *pyn_sub_stats_dict(const uint64_t *values, size_t count)
{
    static const char *const names[NATS_SUB_STAT_COUNT] = {
        "pending", "pending_bytes", "delivered", "dropped", "received"};
    PyObject *map = PyDict_New();
    for (size_t i = 0; map != NULL && i < NATS_SUB_STAT_COUNT; i++) {
        if (!put(map, names[i], PyLong_FromUnsignedLongLong(i < count ? values[i] : 0))) {
            Py_CLEAR(map);
        }
    }
    return map;
}

PyObject *pyn_info_text(nats_info *info)
{
    size_t len;
    const char *json = nats_info_json(info, &len);
    PyObject *text = pyn_str(json, len);
    nats_info_free(info);
    return text;
}

/* ---- events ---- */

static bool put_text(PyObject *map, const char *name, const char *text)
{
    return text[0] == '\0' || put(map, name, pyn_str(text, strlen(text)));
}

static bool put_count(PyObject *map, const char *name, uint64_t count)
{
    return count == 0 || put(map, name, PyLong_FromUnsignedLongLong(count));
}

static bool put_why(PyObject *map, nats_status status, int32_t kind, int32_t recoverable)
{
    return (status == NATS_OK || put_text(map, "code", nats_status_name(status))) &&
           (kind == NATS_KIND_NONE || put_text(map, "kind", nats_kind_name(kind))) &&
           (recoverable == 0 || put(map, "recoverable", PyBool_FromLong(1)));
}

PyObject *pyn_event_dict(nats_event *event)
{
    if (event == NULL) {
        Py_RETURN_NONE;
    }
    PyObject *map = PyDict_New();
    bool fine =
        map != NULL && put_text(map, "type", nats_event_name(event)) &&
        put_why(map, nats_event_status(event), nats_event_kind(event),
                nats_event_recoverable(event)) &&
        put_text(map, "text", nats_event_text(event)) &&
        put_text(map, "level", nats_level_name(nats_event_level(event))) &&
        put_text(map, "line", nats_event_line(event)) &&
        put_text(map, "url", nats_event_url(event)) &&
        put_text(map, "subject", nats_event_subject(event)) &&
        put_count(map, "sid", nats_event_sid(event)) &&
        put_count(map, "lost", nats_event_lost(event)) &&
        put_count(map, "unconfirmed", nats_event_unconfirmed(event)) &&
        put(map, "time", PyFloat_FromDouble((double)nats_event_time_ns(event) / 1e9));
    nats_event_free(event);
    if (!fine) {
        Py_CLEAR(map);
    }
    return map;
}

/* ---- the protocol without I/O ---- */

static const char *proto_event_name(int32_t type)
{
    static const char *const names[] = {
        [NATS_PROTO_DIAL] = "dial",
        [NATS_PROTO_UPGRADE_WANTED] = "upgrade_wanted",
        [NATS_PROTO_TLS_WANTED] = "tls_wanted",
        [NATS_PROTO_SIGN_WANTED] = "sign_wanted",
        [NATS_PROTO_CONNECTED] = "connected",
        [NATS_PROTO_RECONNECTED] = "reconnected",
        [NATS_PROTO_DISCONNECTED] = "disconnected",
        [NATS_PROTO_CLOSED] = "closed",
        [NATS_PROTO_MSG] = "message",
        [NATS_PROTO_PONG] = "pong",
        [NATS_PROTO_INFO] = "info",
        [NATS_PROTO_DISCOVERED] = "discovered",
        [NATS_PROTO_LAME_DUCK] = "lame_duck",
        [NATS_PROTO_ERROR] = "error",
        [NATS_PROTO_STALE] = "stale",
        [NATS_PROTO_SUB_DONE] = "sub_done",
    };
    bool known = type > 0 && (size_t)type < sizeof(names) / sizeof(names[0]);
    return known && names[type] != NULL ? names[type] : "unknown";
}

static bool put_server(PyObject *map, const nats_proto *proto)
{
    return put_text(map, "url", nats_proto_url(proto)) &&
           put_text(map, "scheme", nats_proto_scheme(proto)) &&
           put_text(map, "host", nats_proto_host(proto)) &&
           put(map, "port", PyLong_FromLong(nats_proto_port(proto)));
}

static bool put_message(PyObject *map, nats_proto *proto)
{
    nats_msg *msg = nats_proto_event_take_msg(proto);
    return msg == NULL || put(map, "message", pyn_message_new(msg, NULL));
}

static bool put_facts(PyObject *map, nats_proto *proto, int32_t type)
{
    bool asks = type >= NATS_PROTO_DIAL && type <= NATS_PROTO_SIGN_WANTED;
    if ((asks && !put_server(map, proto)) ||
        (type == NATS_PROTO_MSG && !put_message(map, proto))) {
        return false;
    }
    int64_t rtt_ns = nats_proto_event_rtt_ns(proto);
    return put_why(map, nats_proto_event_status(proto), nats_proto_event_kind(proto),
                   nats_proto_event_recoverable(proto)) &&
           put_text(map, "text", nats_proto_event_text(proto)) &&
           put_count(map, "sid", nats_proto_event_sid(proto)) &&
           put_count(map, "token", nats_proto_event_token(proto)) &&
           put_count(map, "lost", nats_proto_event_lost(proto)) &&
           put_count(map, "unconfirmed", nats_proto_event_unconfirmed(proto)) &&
           (type != NATS_PROTO_PONG || put(map, "rtt", PyFloat_FromDouble((double)rtt_ns / 1e9)));
}

PyObject *pyn_proto_event(PyObject *self, PyObject *nothing)
{
    nats_proto *proto = ((pyn_proto *)self)->proto;
    (void)nothing;
    int32_t type = nats_proto_next_event(proto);
    if (type == 0) {
        Py_RETURN_NONE;
    }
    PyObject *map = PyDict_New();
    if (map == NULL || !put_text(map, "type", proto_event_name(type)) ||
        !put_facts(map, proto, type)) {
        Py_CLEAR(map);
    }
    return map;
}

/* Bytes to send, which count as sent. */
PyObject *pyn_proto_take(PyObject *self, PyObject *const *args, Py_ssize_t nargs, PyObject *kwnames)
{
    static const char *const names[] = {"max", "now", NULL};
    nats_proto *proto = ((pyn_proto *)self)->proto;
    PyObject *values[2];
    uint64_t max = UINT64_MAX;
    int64_t now_ns;
    if (!pyn_arguments("take", args, nargs, kwnames, names, 0, values) ||
        !pyn_moment_of(values[1], &now_ns)) {
        return NULL;
    }
    bool given = values[0] != NULL && values[0] != Py_None;
    if (given && !pyn_count_of(values[0], "max", &max)) {
        return NULL;
    }
    if (max == 0) {
        return pyn_raise_words(NATS_ERR_INVALID, "max", "max must be 1 or more, not 0");
    }
    const void *data;
    size_t len;
    nats_proto_tx(proto, &data, &len); /* first: it answers the server */
    size_t total = nats_proto_tx_pending(proto);
    PyObject *bytes = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)(total < max ? total : max));
    if (bytes == NULL) {
        return NULL;
    }
    size_t room = (size_t)PyBytes_GET_SIZE(bytes);
    size_t taken = 0;
    while (taken < room) {
        nats_proto_tx(proto, &data, &len);
        if (len == 0) {
            break;
        }
        len = len < room - taken ? len : room - taken;
        memcpy(PyBytes_AS_STRING(bytes) + taken, data, len);
        nats_proto_tx_done(proto, len, now_ns);
        taken += len;
    }
    if (taken < room) {
        _PyBytes_Resize(&bytes, (Py_ssize_t)taken);
    }
    return bytes;
}

PyObject *pyn_proto_publish(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                            PyObject *kwnames)
{
    static const char *const names[] = {"subject", "data", "reply", "headers", NULL};
    PyObject *values[4];
    pyn_publication what = {.headers = NULL};
    if (!pyn_arguments("publish", args, nargs, kwnames, names, 1, values) ||
        !pyn_text_of(values[0], "subject", &what.subject) ||
        !pyn_text_or_none(values[2], "reply", &what.reply) ||
        !pyn_data_of(values[1], "data", &what.data)) {
        return NULL;
    }
    nats_status status = PYN_RAISED;
    if (pyn_headers_of(values[3], &what.headers)) {
        status = nats_proto_publish(((pyn_proto *)self)->proto, what.subject.ptr, what.subject.len,
                                    what.reply.ptr, what.reply.len, what.headers, what.data.ptr,
                                    what.data.len);
    }
    pyn_publication_free(&what);
    return pyn_done(status);
}

PyObject *pyn_proto_subscribe(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
                              PyObject *kwnames)
{
    static const char *const names[] = {"subject", "queue", "max", "sid", NULL};
    PyObject *values[4];
    pyn_text subject, queue;
    uint64_t max, wanted, sid;
    if (!pyn_arguments("subscribe", args, nargs, kwnames, names, 1, values) ||
        !pyn_text_of(values[0], "subject", &subject) ||
        !pyn_text_or_none(values[1], "queue", &queue) || !pyn_count_of(values[2], "max", &max) ||
        !pyn_count_of(values[3], "sid", &wanted)) {
        return NULL;
    }
    nats_status status = nats_proto_subscribe(((pyn_proto *)self)->proto, subject.ptr, subject.len,
                                              queue.ptr, queue.len, max, wanted, &sid);
    return status == NATS_OK ? PyLong_FromUnsignedLongLong(sid) : pyn_raise(status);
}

PyObject *pyn_proto_servers(PyObject *self, PyObject *nothing)
{
    const nats_proto *proto = ((pyn_proto *)self)->proto;
    PyObject *list = PyList_New(0);
    const char *url;
    int32_t attempts, discovered;
    (void)nothing;
    for (size_t i = 0;
         list != NULL && (url = nats_proto_server_at(proto, i, &attempts, &discovered)) != NULL;
         i++) {
        PyObject *row = Py_BuildValue("(siN)", url, attempts, PyBool_FromLong(discovered));
        if (row == NULL || PyList_Append(list, row) != 0) {
            Py_CLEAR(list);
        }
        Py_XDECREF(row);
    }
    return list;
}
