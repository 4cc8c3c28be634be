/* Receiving: what has arrived is taken with the GVL held, and only who must wait lets go of it. */
#include "nrb.h"

#include <string.h>

enum {
    SLICE = 256,      /* messages of one inner call: their pointers fit on the stack */
    GET_MAX = 65536   /* messages that get() returns when no max is given */
};

static ID get_keys[2], next_keys[1];

/* ---- what client and subscription have in common ---- */

typedef enum source_kind { SHARED, CALLBACKS, SUB } source_kind;

typedef struct source {
    source_kind kind;
    nats_client *client;
    nats_sub *sub;
    VALUE owner;       /* the client's object */
    VALUE object;      /* whose stash it is */
    VALUE *stash;
    nrb_calls *calls;
    size_t max;
    size_t count;
    nats_msg *msgs[SLICE];
    nrb_call call;
} source;

static nats_status take(source *self, size_t max, int64_t wait_ms)
{
    size_t some = max < SLICE ? max : SLICE;
    switch (self->kind) {
    case SUB:
        return nats_sub_get(self->sub, some, wait_ms, self->msgs, &self->count);
    case CALLBACKS:
        return nats_client_get_callbacks(self->client, some, wait_ms, self->msgs, &self->count);
    default:
        return nats_client_get(self->client, some, wait_ms, self->msgs, &self->count);
    }
}

static nats_status take_step(void *arg)
{
    source *self = arg;
    return take(self, self->max, nrb_call_left_ms(&self->call));
}

/* Messages that were taken for a fiber which is told to stop: whoever asks next gets them. The call
 * is over in any case. */
static void put_back(void *arg)
{
    source *self = arg;
    nrb_calls_remove(self->calls, &self->call);
    if (self->count == 0) {
        return;
    }
    VALUE list = nrb_msgs_list(self->msgs, self->count, self->owner, rb_ary_new());
    self->count = 0;
    VALUE all = NIL_P(*self->stash) ? list : rb_ary_plus(*self->stash, list);
    RB_OBJ_WRITE(self->object, self->stash, all);
    nrb_calls_poke(self->calls);
}

static bool take_stashed(source *self, VALUE list)
{
    if (RB_LIKELY(NIL_P(*self->stash))) {
        return false;
    }
    while (RARRAY_LEN(*self->stash) > 0 && (size_t)RARRAY_LEN(list) < self->max) {
        rb_ary_push(list, rb_ary_shift(*self->stash));
    }
    if (RARRAY_LEN(*self->stash) == 0) {
        *self->stash = Qnil;
    }
    return RARRAY_LEN(list) > 0;
}

/* Wait for the first ones. True when they came from the stash. */
static bool wait_for_first(source *self, int64_t wait_ms, VALUE list)
{
    nrb_call_start(&self->call, take_step, self, wait_ms);
    for (;;) {
        self->call.undo = put_back;
        nrb_calls_add(self->calls, &self->call);
        nats_status status = nrb_call_run(&self->call);
        nrb_calls_remove(self->calls, &self->call);
        if (self->call.done && status != NATS_OK) {
            nrb_raise(status, self->call.text, self->call.about);
        }
        if (self->call.done || take_stashed(self, list)) {
            return !self->call.done;
        }
        self->call.poked = false;
    }
}

/* A look without waiting comes first where it is cheap; in a client's get() it would use up a
 * wake() that is meant for the wait. */
static bool receive_first(source *self, int64_t wait_ms, VALUE list)
{
    if (RB_UNLIKELY(self->calls->first != NULL)) {
        nrb_calls_settle(self->calls);
    }
    if (take_stashed(self, list)) {
        return true;
    }
    bool wait = wait_ms != 0 && self->max > 0;
    if (!wait || self->kind == SUB) {
        nrb_check(take(self, self->max, 0));
        wait = wait && self->count == 0;
    }
    return wait && wait_for_first(self, wait_ms, list);
}

/* The messages go into the list; the first of them are waited for. */
static VALUE receive(source *self, int64_t wait_ms, VALUE list)
{
    if (receive_first(self, wait_ms, list)) {
        return list;
    }
    for (;;) {
        size_t count = self->count;
        nrb_msgs_list(self->msgs, count, self->owner, list);
        self->max -= count;
        if (count < SLICE || self->max == 0 || take(self, self->max, 0) != NATS_OK) {
            return list;
        }
    }
}

static void read_limits(int argc, VALUE *argv, source *self, int64_t *wait_ms)
{
    VALUE words[2];
    nrb_keywords(&argc, argv, 2, get_keys, words);
    rb_check_arity(argc, 0, 0);
    self->max = nrb_count(words[0], "max", GET_MAX);
    *wait_ms = nrb_seconds(words[1], "wait", -1);
}

static VALUE get(int argc, VALUE *argv, source *self)
{
    int64_t wait_ms;
    read_limits(argc, argv, self, &wait_ms);
    return receive(self, wait_ms, rb_ary_new());
}

/* ---- client ---- */

static void client_source(source *self, source_kind kind, VALUE object)
{
    nrb_client *client = nrb_client_get(object);
    self->kind = kind;
    self->client = client->client;
    self->sub = NULL;
    self->owner = object;
    self->object = object;
    self->stash = &client->stash;
    self->calls = &client->calls;
    self->count = 0;
}

static VALUE client_get(int argc, VALUE *argv, VALUE object)
{
    source self;
    client_source(&self, SHARED, object);
    return get(argc, argv, &self);
}

/* What is for callbacks: the thin layer calls them. */
static VALUE client_get_callbacks(int argc, VALUE *argv, VALUE object)
{
    source self;
    client_source(&self, CALLBACKS, object);
    self.stash = &nrb_client_get(object)->callback_stash;
    self.calls = &nrb_client_get(object)->callback_calls;
    return get(argc, argv, &self);
}

/* ---- subscription ---- */

static void sub_source(source *self, VALUE object)
{
    nrb_sub *sub = nrb_sub_get(object);
    self->kind = SUB;
    self->sub = sub->sub;
    self->owner = sub->client;
    self->object = object;
    self->stash = &sub->stash;
    self->calls = &sub->calls;
    self->count = 0;
}

static VALUE sub_get(int argc, VALUE *argv, VALUE object)
{
    source self;
    sub_source(&self, object);
    return get(argc, argv, &self);
}

static VALUE sub_next(int argc, VALUE *argv, VALUE object)
{
    VALUE words[1];
    nrb_keywords(&argc, argv, 1, next_keys, words);
    rb_check_arity(argc, 0, 0);
    source self;
    sub_source(&self, object);
    self.max = 1;
    int64_t wait_ms = nrb_seconds(words[0], "timeout", -1);
    return rb_ary_pop(receive(&self, wait_ms, rb_ary_new_capa(1)));
}

void nrb_receive_init(void)
{
    get_keys[0] = rb_intern("max");
    get_keys[1] = rb_intern("wait");
    next_keys[0] = rb_intern("timeout");
    rb_define_method(nrb_client_class, "get", client_get, -1);
    rb_define_private_method(nrb_client_class, "get_callbacks", client_get_callbacks, -1);
    rb_define_method(nrb_sub_class, "get", sub_get, -1);
    rb_define_method(nrb_sub_class, "next", sub_next, -1);
}
