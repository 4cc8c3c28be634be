#include "waiting.h"

typedef struct verb {
    nats_client *client;
    nats_sub *sub;
    int64_t rtt_ns;
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
    return run(&self, drain_step, timeout_ms);
}

static nats_status flush_step(void *arg)
{
    const verb *self = arg;
    return nats_client_flush(self->client, left(self));
}

nats_status nrb_client_flush(nats_client *client, int64_t timeout_ms)
{
    verb self = {.client = client};
    return run(&self, flush_step, timeout_ms);
}

static nats_status rtt_step(void *arg)
{
    verb *self = arg;
    return nats_client_rtt(self->client, left(self), &self->rtt_ns);
}

nats_status nrb_client_rtt(nats_client *client, int64_t timeout_ms, int64_t *rtt_ns_out)
{
    verb self = {.client = client};
    run(&self, rtt_step, timeout_ms);
    *rtt_ns_out = self.rtt_ns;
    return NATS_OK;
}

static nats_status sub_drain_step(void *arg)
{
    const verb *self = arg;
    return nats_sub_drain(self->sub, left(self));
}

nats_status nrb_sub_drain(nats_sub *sub, int64_t timeout_ms)
{
    verb self = {.sub = sub};
    return run(&self, sub_drain_step, timeout_ms);
}
