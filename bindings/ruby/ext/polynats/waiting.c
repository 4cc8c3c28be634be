#include "waiting.h"

#include "goal.h"

typedef struct verb {
    nats_client *client;
    nats_sub *sub;
    nats_future *future;
    nrb_call call;
} verb;

static int64_t left(const verb *self)
{
    return nrb_call_left_ms(&self->call);
}

static nats_status run(verb *self, nrb_step step, int64_t ms)
{
    nrb_call_start(&self->call, step, self, ms);
    nrb_call_check(&self->call);
    return NATS_OK;
}

static nats_status close_step(void *arg)
{
    return nats_client_close(((verb *)arg)->client);
}

nats_status nrb_client_close(nats_client *client)
{
    verb self = {.client = client};
    if (nrb_has_scheduler()) {
        nrb_goal_close(client);
        return NATS_OK;
    }
    return run(&self, close_step, -1);
}

static nats_status drain_step(void *arg)
{
    const verb *self = arg;
    return nats_client_drain(self->client, left(self));
}

nats_status nrb_client_drain(nats_client *client, int64_t timeout_ms)
{
    verb self = {.client = client};
    if (nrb_has_scheduler()) {
        nrb_goal_drain(client, timeout_ms);
        return NATS_OK;
    }
    return run(&self, drain_step, timeout_ms);
}

static nats_status goal_step(void *arg)
{
    nats_msg *none = NULL;
    return nats_future_wait(((verb *)arg)->future, -1, &none); /* it knows its own time */
}

static void drop_future(void *arg)
{
    nats_future_free(((verb *)arg)->future);
}

/* One PING for all of it: a signal sends no other. */
nats_status nrb_client_flush(nats_client *client, int64_t timeout_ms)
{
    verb self = {.client = client};
    if (nrb_has_scheduler()) {
        nrb_goal_flush(client, timeout_ms);
        return NATS_OK;
    }
    nrb_check(nats_client_flush_start(client, timeout_ms, &self.future));
    nrb_call_start(&self.call, goal_step, &self, -1);
    self.call.undo = drop_future;
    nats_status status = nrb_call_run(&self.call);
    drop_future(&self);
    if (status != NATS_OK) {
        nrb_call_raise(&self.call);
    }
    return NATS_OK;
}

nats_status nrb_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out)
{
    int64_t began = nrb_now_ns();
    nrb_client_flush(client, timeout_ms);
    *rtt_ns_out = nrb_now_ns() - began;
    return NATS_OK;
}

static nats_status sub_drain_step(void *arg)
{
    const verb *self = arg;
    return nats_sub_drain(self->sub, left(self));
}

/* sub.raw_drain(timeout) */
static VALUE sub_drain(VALUE object, VALUE timeout)
{
    nrb_sub *sub = nrb_sub_get(object);
    int64_t ms = nrb_seconds(timeout, "timeout", -1);
    verb self = {.sub = sub->sub};
    if (nrb_has_scheduler()) {
        nrb_goal_drain_sub(nrb_client_get(sub->client)->client, sub->sub, ms);
    } else {
        run(&self, sub_drain_step, ms);
    }
    return Qnil;
}

/* ---- an end after so many messages: written behind what waits, as a publish is ---- */

typedef struct ending {
    nats_client *client;
    nats_sub *sub;
    uint64_t sid;
    const char *subject;
    size_t subject_len;
    uint64_t after;
    size_t count;
} ending;

static nats_status end_step(void *arg)
{
    ending *self = arg;
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
    if (self->after == 0) {
        return end_step(self);
    }
    /* Of our own: another thread may change the string meanwhile. */
    VALUE kept = self->subject != NULL ? rb_str_new(self->subject, (long)self->subject_len) : Qnil;
    self->subject = NIL_P(kept) ? NULL : RSTRING_PTR(kept);
    nrb_call call;
    nrb_call_start(&call, end_step, self, -1);
    nrb_call_check(&call);
    RB_GC_GUARD(kept);
    return NATS_OK;
}

nats_status nrb_sub_unsubscribe(nats_sub *sub, uint64_t after)
{
    ending self = {.sub = sub, .after = after};
    return end(&self);
}

nats_status nrb_client_unsubscribe(nats_client *client, uint64_t sid, uint64_t after)
{
    ending self = {.client = client, .sid = sid, .after = after};
    return end(&self);
}

nats_status nrb_client_unsubscribe_subject(nats_client *client, const char *subject,
                                           size_t subject_len, uint64_t after, size_t *count_out)
{
    ending self = {
        .client = client, .subject = subject, .subject_len = subject_len, .after = after};
    nats_status status = end(&self);
    *count_out = self.count;
    return status;
}

void nrb_waiting_init(void)
{
    rb_define_method(nrb_sub_class, "raw_drain", sub_drain, 1);
}
