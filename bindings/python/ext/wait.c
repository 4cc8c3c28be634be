/* Calls that wait: without the GIL, and ended by Ctrl-C as any of Python's own. */
#include "pyn.h"

#define NS_PER_MS INT64_C(1000000)

static int64_t left_ms(int64_t deadline_ns)
{
    int64_t left = deadline_ns - pyn_now_ns();
    return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

/* Called, by whoever was interrupted, to answer what servers ask clients that have a function for
 * it; NULL: there is none such. */
static PyObject *answerer;

PyObject *pyn_set_answerer(PyObject *module, PyObject *function)
{
    (void)module;
    Py_INCREF(function);
    Py_XSETREF(answerer, function);
    Py_RETURN_NONE;
}

static bool run_handlers(void)
{
    if (PyErr_CheckSignals() != 0) {
        return false;
    }
    PyObject *nothing = answerer != NULL ? PyObject_CallNoArgs(answerer) : NULL;
    Py_XDECREF(nothing);
    return answerer == NULL || nothing != NULL;
}

/* Handlers run only when the step got nothing, so what it got cannot be lost by what they raise. */
nats_status pyn_wait(pyn_step step, void *arg, int64_t ms)
{
    int64_t deadline_ns = ms > 0 ? pyn_now_ns() + ms * NS_PER_MS : 0;
    for (;;) {
        nats_status status;
        Py_BEGIN_ALLOW_THREADS
        status = step(arg, ms);
        Py_END_ALLOW_THREADS
        if (status != NATS_ERR_INTERRUPTED) {
            return status;
        }
        if (!run_handlers()) {
            return PYN_RAISED;
        }
        if (ms > 0) {
            ms = left_ms(deadline_ns);
        }
    }
}

static nats_status goal_step(void *future, int64_t ms)
{
    nats_msg *none = NULL;
    return nats_future_wait(future, ms, &none);
}

nats_status pyn_goal_wait(nats_future *future)
{
    nats_status status = pyn_wait(goal_step, future, -1); /* it knows its own time */
    nats_future_free(future);
    return status;
}

/* Absent is the client's default; known, so that what is left after a signal can be. */
static int64_t or_option(nats_client *client, const char *name, int64_t ms)
{
    int64_t known = -1;
    if (ms >= 0) {
        return ms;
    }
    return nats_client_option_int(client, name, &known) == NATS_OK ? known : -1;
}

static nats_status close_step(void *client, int64_t ms)
{
    (void)ms;
    return nats_client_close(client);
}

PyObject *pyn_client_close(PyObject *self, PyObject *nothing)
{
    pyn_handle *handle = ((pyn_client *)self)->handle;
    (void)nothing;
    nats_status status = pyn_wait(close_step, handle->client, 0);
    if (status == NATS_OK) {
        pyn_box_clear(&handle->box);
    }
    return pyn_done(status);
}

static nats_status drain_step(void *client, int64_t ms)
{
    return nats_client_drain(client, ms);
}

nats_status pyn_client_drain(nats_client *client, int64_t timeout_ms)
{
    return pyn_wait(drain_step, client, or_option(client, "drain_timeout", timeout_ms));
}

nats_status pyn_client_flush(nats_client *client, int64_t timeout_ms)
{
    nats_future *future;
    nats_status status = nats_client_flush_start(client, timeout_ms, &future);
    return status == NATS_OK ? pyn_goal_wait(future) : status;
}

nats_status pyn_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out)
{
    int64_t began_ns = pyn_now_ns();
    nats_status status = pyn_client_flush(client, timeout_ms);
    *rtt_ns_out = pyn_now_ns() - began_ns;
    return status;
}

typedef struct asking {
    void *object;
    void *out;
} asking;

static nats_status event_step(void *arg, int64_t ms)
{
    const asking *self = arg;
    return nats_client_next_event(self->object, ms, self->out);
}

PyObject *pyn_client_next_event(PyObject *self, PyObject *wait)
{
    pyn_handle *handle = ((pyn_client *)self)->handle;
    nats_event *event = NULL;
    int64_t ms;
    if (!pyn_seconds_of(wait, "wait", &ms)) {
        return NULL;
    }
    PyObject *taken = pyn_slot_take(&handle->box.event);
    if (taken != NULL) {
        return taken;
    }
    asking call = {handle->client, &event};
    nats_status status = pyn_wait(event_step, &call, ms);
    if (status != NATS_OK) {
        return pyn_raise(status);
    }
    return pyn_slot_put(&handle->box.event, pyn_event_dict(event));
}

static nats_status sub_drain_step(void *sub, int64_t ms)
{
    return nats_sub_drain(sub, ms);
}

nats_status pyn_sub_drain(nats_sub *sub, int64_t timeout_ms)
{
    return pyn_wait(sub_drain_step, sub, timeout_ms);
}

/* ---- ends after so many messages: written behind what waits, as a publish is ---- */

typedef struct ending {
    nats_client *client;
    nats_sub *sub;
    uint64_t sid;
    const char *subject;
    size_t subject_len;
    uint64_t after;
    size_t count;
} ending;

static nats_status end_step(void *arg, int64_t ms)
{
    ending *self = arg;
    (void)ms;
    if (self->sub != NULL) {
        return nats_sub_unsubscribe(self->sub, self->after);
    }
    if (self->subject == NULL) {
        return nats_client_unsubscribe(self->client, self->sid, self->after);
    }
    return nats_client_unsubscribe_subject(self->client, self->subject, self->subject_len,
                                           self->after, &self->count);
}

static nats_status end(ending *self)
{
    return self->after > 0 ? pyn_wait(end_step, self, 0) : end_step(self, 0);
}

nats_status pyn_sub_unsubscribe(nats_sub *sub, uint64_t after)
{
    ending self = {.sub = sub, .after = after};
    return end(&self);
}

nats_status pyn_client_unsubscribe(nats_client *client, uint64_t sid, uint64_t after)
{
    ending self = {.client = client, .sid = sid, .after = after};
    return end(&self);
}

nats_status pyn_client_unsubscribe_subject(nats_client *client, const char *subject,
                                           size_t subject_len, uint64_t after, size_t *count_out)
{
    ending self = {
        .client = client, .subject = subject, .subject_len = subject_len, .after = after};
    nats_status status = end(&self);
    *count_out = self.count;
    return status;
}
