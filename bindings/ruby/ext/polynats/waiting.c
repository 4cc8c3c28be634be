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

void nrb_waiting_init(void)
{
    rb_define_method(nrb_sub_class, "raw_drain", sub_drain, 1);
}
