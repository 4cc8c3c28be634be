/* What a fiber with a scheduler waits for without a thread: that the connection is made, or that the
 * server has confirmed. The library gives a future for it, and the scheduler watches a descriptor. */
#include "goal.h"

#include <stdio.h>
#include <unistd.h>

#include <ruby/fiber/scheduler.h>
#include <ruby/io.h>

/* How long a close waits until what was published is confirmed: the library's own limit. */
#define CLOSE_MS 2000

/* Who calls process() may silence the descriptor before the others have seen it: they look so often. */
#define LOOK_MS 100

typedef struct goal {
    nats_client *client; /* whose descriptor tells of the future's end */
    nats_future *future;
    VALUE io;
    nats_status status;
    char text[NRB_TEXT_MAX];
    char about[NRB_ABOUT_MAX];
} goal;

bool nrb_has_scheduler(void)
{
    return !NIL_P(rb_fiber_scheduler_current());
}

/* The library's words are those of its last call. */
static nats_status note(goal *self, nats_status status)
{
    self->status = status;
    if (status != NATS_OK) {
        snprintf(self->text, sizeof self->text, "%s", nats_last_error(NULL));
        snprintf(self->about, sizeof self->about, "%s", nats_last_about());
    }
    return status;
}

/* A descriptor of our own, which others who watch the client's do not meddle with. */
static VALUE watched(nats_client *client)
{
    int32_t fd;
    nrb_check(nats_client_fd(client, &fd));
    int copy = rb_cloexec_dup(fd);
    if (copy < 0) {
        rb_sys_fail("dup");
    }
    rb_update_max_fd(copy);
    return rb_funcall(rb_cIO, rb_intern("for_fd"), 1, INT2NUM(copy));
}

static VALUE watch(VALUE arg)
{
    goal *self = (goal *)arg;
    nats_msg *none;
    int32_t done;
    nrb_check(nats_client_fd_mode(self->client, NATS_FD_NEWS_ONLY));
    self->io = watched(self->client);
    for (;;) {
        nats_client_process(self->client); /* that it is closed, the future tells */
        if (note(self, nats_future_poll(self->future, &none, &done)) != NATS_OK || done) {
            return Qnil;
        }
        int64_t ms = nats_client_deadline_ms(self->client);
        ms = ms < 0 || ms > LOOK_MS ? LOOK_MS : ms;
        rb_io_wait(self->io, INT2NUM(RUBY_IO_READABLE), DBL2NUM((double)ms / 1e3));
    }
}

static VALUE leave(VALUE arg)
{
    goal *self = (goal *)arg;
    nats_future_free(self->future);
    nats_client_fd_mode(self->client, 0);
    if (!NIL_P(self->io)) {
        rb_io_close(self->io);
    }
    return Qnil;
}

/* Takes the future. An exception in this fiber gives it up. */
static void reach(goal *self, nats_client *client, nats_future *future)
{
    self->client = client;
    self->future = future;
    self->io = Qnil;
    rb_ensure(watch, (VALUE)self, leave, (VALUE)self);
}

static void reach_or_raise(nats_client *client, nats_future *future)
{
    goal self;
    reach(&self, client, future);
    if (self.status != NATS_OK) {
        nrb_raise(self.status, self.text, self.about);
    }
}

/* ---- connect ---- */

typedef struct opening {
    nats_client *client;
    nats_future *future;
    bool open;
} opening;

static VALUE await_connection(VALUE arg)
{
    opening *self = (opening *)arg;
    reach_or_raise(self->client, self->future);
    self->open = true;
    return Qnil;
}

static VALUE drop_unless_open(VALUE arg)
{
    opening *self = (opening *)arg;
    if (!self->open) {
        nats_client_free(self->client);
    }
    return Qnil;
}

nats_client *nrb_goal_connect(const char *url, const nats_options *options)
{
    opening self = {.open = false};
    nrb_check(nats_connect_start(url, options, &self.client, &self.future));
    rb_ensure(await_connection, (VALUE)&self, drop_unless_open, (VALUE)&self);
    return self.client;
}

/* ---- flush ---- */

typedef struct flushing {
    nats_client *client;
    goal goal;
} flushing;

static VALUE await_flush(VALUE arg)
{
    flushing *self = (flushing *)arg;
    reach(&self->goal, self->client, self->goal.future);
    return Qnil;
}

static VALUE free_client(VALUE arg)
{
    nats_client_free(((flushing *)arg)->client);
    return Qnil;
}

/* Many fibers may flush one client at once, and whoever calls process() first silences its
 * descriptor: each has a client of its own on the connection. */
static nats_status flush(flushing *self, nats_client *client, int64_t ms)
{
    nats_status status = nats_client_share(client, &self->client);
    if (status != NATS_OK) {
        return note(&self->goal, status);
    }
    status = nats_client_flush_start(self->client, ms, &self->goal.future);
    if (status != NATS_OK) {
        note(&self->goal, status);
        nats_client_free(self->client);
        return status;
    }
    rb_ensure(await_flush, (VALUE)self, free_client, (VALUE)self);
    return self->goal.status;
}

void nrb_goal_flush(nats_client *client, int64_t ms)
{
    flushing self;
    if (flush(&self, client, ms) != NATS_OK) {
        nrb_raise(self.goal.status, self.goal.text, self.goal.about);
    }
}

/* ---- drain and close ---- */

void nrb_goal_close(nats_client *client)
{
    flushing self;
    int32_t status = nats_client_status(client);
    bool connected = status == NATS_CLIENT_CONNECTED || status == NATS_CLIENT_DRAINING;
    if (connected && flush(&self, client, CLOSE_MS) != NATS_OK) {
        nats_client_drain(client, 0); /* which waits for nothing, and then closes */
    }
    nrb_check(nats_client_close(client));
}

void nrb_goal_drain(nats_client *client, int64_t ms)
{
    nats_future *future;
    nrb_check(nats_client_drain_start(client, ms, &future));
    reach_or_raise(client, future);
    if (nats_client_pending(client) == 0) {
        nrb_goal_close(client);
    }
}

void nrb_goal_drain_sub(nats_client *client, nats_sub *sub, int64_t ms)
{
    nats_future *future;
    nrb_check(nats_sub_drain_start(sub, ms, &future));
    reach_or_raise(client, future);
}
