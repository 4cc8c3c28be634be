/* Receiving: what has arrived is taken with the GVL held, and only who must wait lets go of it. */
#include "nrb.h"

#include "facts.h"

enum {
    SLICE = 256,      /* messages of one inner call: their pointers fit on the stack */
    GET_MAX = 65536   /* messages that get() returns when no max is given */
};

static ID get_keys[2], next_keys[1];

/* ---- what client and subscription have in common ---- */

typedef enum source_kind { SHARED, CALLBACKS, SUB } source_kind;

/* Where what was put back waits, and who waits for it. */
typedef struct shelf {
    VALUE object; /* whose it is */
    VALUE *stash;
    nrb_calls *calls;
} shelf;

typedef struct source {
    source_kind kind;
    nats_client *client;
    nats_sub *sub;
    VALUE owner; /* the client's object */
    shelf own;
    shelf shared; /* of the client: what its get() and its subscriptions have in common */
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

/* Messages that were taken for a call which an exception ends: whoever asks next gets them. */
static void put_back(void *arg)
{
    source *self = arg;
    shelf *shelf = self->own.stash != NULL ? &self->own : &self->shared;
    nrb_calls_remove(self->own.calls, &self->call);
    if (self->count == 0) {
        return;
    }
    VALUE list = nrb_msgs_list(self->msgs, self->count, self->owner, rb_ary_new());
    self->count = 0;
    VALUE all = NIL_P(*shelf->stash) ? list : rb_ary_plus(*shelf->stash, list);
    RB_OBJ_WRITE(shelf->object, shelf->stash, all);
    nrb_calls_poke(self->own.calls);
    if (self->shared.calls != NULL) {
        nrb_calls_poke(self->shared.calls);
    }
}

/* sid: of one subscription only; 0 for all. */
static void take_from(const shelf *shelf, uint64_t sid, size_t max, VALUE list)
{
    if (shelf->stash == NULL || NIL_P(*shelf->stash)) {
        return;
    }
    VALUE kept = rb_ary_new();
    for (long i = 0; i < RARRAY_LEN(*shelf->stash); i++) {
        VALUE msg = RARRAY_AREF(*shelf->stash, i);
        bool mine = sid == 0 || nats_msg_sid(nrb_msg_get(msg)) == sid;
        rb_ary_push(mine && (size_t)RARRAY_LEN(list) < max ? list : kept, msg);
    }
    RB_OBJ_WRITE(shelf->object, shelf->stash, RARRAY_LEN(kept) > 0 ? kept : Qnil);
}

static bool is_empty(const shelf *shelf)
{
    return shelf->stash == NULL || NIL_P(*shelf->stash);
}

/* *list may be nil until there is something to put into it. */
static bool take_stashed(source *self, VALUE *list)
{
    if (RB_LIKELY(is_empty(&self->own) && is_empty(&self->shared))) {
        return false;
    }
    if (NIL_P(*list)) {
        *list = rb_ary_new();
    }
    take_from(&self->own, 0, self->max, *list);
    take_from(&self->shared, self->kind == SUB ? nats_sub_sid(self->sub) : 0, self->max, *list);
    return RARRAY_LEN(*list) > 0;
}

/* Those that were told to stop give back what they have got: that was before what is there now. */
static void settle(const shelf *shelf)
{
    if (RB_UNLIKELY(shelf->calls != NULL && shelf->calls->first != NULL)) {
        nrb_calls_settle(shelf->calls);
    }
}

/* Wait for the first ones. True when they came from the stash. */
static bool wait_for_first(source *self, int64_t wait_ms, VALUE *list)
{
    nrb_call_start(&self->call, take_step, self, wait_ms);
    for (;;) {
        self->call.undo = put_back;
        nrb_calls_add(self->own.calls, &self->call);
        nats_status status = nrb_call_run(&self->call);
        nrb_calls_remove(self->own.calls, &self->call);
        if (self->call.done && status != NATS_OK) {
            nrb_call_raise(&self->call);
        }
        if (self->call.done || take_stashed(self, list)) {
            return !self->call.done;
        }
        self->call.poked = false;
    }
}

/* A look without waiting comes first where it is cheap; in a client's get() it would use up a
 * wake() that is meant for the wait. */
static bool receive_first(source *self, int64_t wait_ms, VALUE *list)
{
    settle(&self->own);
    settle(&self->shared);
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

static VALUE check_interrupts(VALUE nothing)
{
    rb_thread_check_ints();
    return nothing;
}

/* As a method returns, the VM raises what came meanwhile, and its result is lost. So that is looked
 * for last of all, while the messages can go back to where the next call finds them first. */
static void hand_over(const source *self, VALUE list)
{
    const shelf *shelf = self->own.stash != NULL ? &self->own : &self->shared;
    int state = 0;
    if (RB_LIKELY(!rb_thread_interrupted(rb_thread_current()))) {
        return;
    }
    rb_protect(check_interrupts, Qnil, &state);
    if (state != 0) {
        VALUE all = NIL_P(*shelf->stash) ? list : rb_ary_plus(list, *shelf->stash);
        RB_OBJ_WRITE(shelf->object, shelf->stash, all);
        rb_jump_tag(state);
    }
}

/* The messages go into the list; the first of them are waited for. */
static VALUE receive(source *self, int64_t wait_ms, VALUE list)
{
    if (receive_first(self, wait_ms, &list)) {
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
    nrb_placed(argc, argv, 2, words);
    self->max = nrb_count(words[0], "max", GET_MAX);
    if (self->max == 0) {
        nrb_invalid("max", "max must be 1 or more, not 0");
    }
    *wait_ms = nrb_seconds(words[1], "wait", -1);
}

static VALUE get(int argc, VALUE *argv, source *self)
{
    int64_t wait_ms;
    read_limits(argc, argv, self, &wait_ms);
    VALUE list = receive(self, wait_ms, rb_ary_new());
    if (RARRAY_LEN(list) > 0) {
        hand_over(self, list);
    }
    return list;
}

/* ---- client ---- */

static void client_source(source *self, source_kind kind, VALUE object)
{
    nrb_client *client = nrb_client_get(object);
    self->kind = kind;
    self->client = client->client;
    self->sub = NULL;
    self->owner = object;
    self->own = (shelf){object, &client->stash, &client->calls};
    self->shared = (shelf){0};
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
    nrb_client *client = nrb_client_get(object);
    self.own = (shelf){object, &client->callback_stash, &client->callback_calls};
    return get(argc, argv, &self);
}

/* client.call_first(waiting, callbacks): call the callback of the first message that waits. False
 * when none does. In C, for nothing strikes and no other thread runs between the message's leaving
 * the list and its callback. */
static VALUE client_call_first(VALUE object, VALUE waiting, VALUE callbacks)
{
    (void)object;
    VALUE msg = rb_ary_shift(waiting);
    if (NIL_P(msg)) {
        return Qfalse;
    }
    VALUE entry = rb_hash_lookup(callbacks, ULL2NUM(nats_msg_sid(nrb_msg_get(msg))));
    if (!NIL_P(entry)) {
        VALUE words[] = {msg, rb_ary_entry(entry, 1)};
        rb_proc_call_with_block(rb_ary_entry(entry, 0), 2, words, Qnil);
    }
    return Qtrue;
}

/* client.moment_in(seconds, name): when they will be over, on the clock of Polynats.now; nil for ever. */
static VALUE client_moment_in(VALUE object, VALUE seconds, VALUE name)
{
    (void)object;
    if (nrb_seconds(seconds, StringValueCStr(name), -1) < 0) {
        return Qnil;
    }
    return DBL2NUM((double)nrb_now_ns() / 1e9 + NUM2DBL(seconds));
}

/* ---- events ---- */

typedef struct listening {
    nrb_client *client;
    VALUE object;
    nats_event *event;
    nrb_call call;
} listening;

static nats_status event_step(void *arg)
{
    listening *self = arg;
    return nats_client_next_event(self->client->client, nrb_call_left_ms(&self->call),
                                  &self->event);
}

static void keep_event(void *arg)
{
    listening *self = arg;
    VALUE event = nrb_event_struct(self->event);
    if (!NIL_P(event) && NIL_P(self->client->events)) {
        RB_OBJ_WRITE(self->object, &self->client->events, rb_ary_new());
    }
    if (!NIL_P(event)) {
        rb_ary_push(self->client->events, event);
    }
}

/* client.raw_next_event(wait) */
static VALUE client_next_event(VALUE object, VALUE wait)
{
    listening self = {.client = nrb_client_get(object), .object = object};
    if (!NIL_P(self.client->events) && RARRAY_LEN(self.client->events) > 0) {
        return rb_ary_shift(self.client->events);
    }
    nrb_call_start(&self.call, event_step, &self, nrb_seconds(wait, "wait", -1));
    self.call.undo = keep_event;
    nrb_call_check(&self.call);
    return nrb_event_struct(self.event);
}

/* ---- subscription ---- */

static void sub_source(source *self, VALUE object)
{
    nrb_sub *sub = nrb_sub_get(object);
    nrb_client *client = nrb_client_get(sub->client);
    self->kind = SUB;
    self->sub = sub->sub;
    self->owner = sub->client;
    self->own = (shelf){object, sub->shared ? NULL : &sub->stash, &sub->calls};
    self->shared = (shelf){sub->client, &client->stash, &client->calls};
    self->count = 0;
}

/* sub.raw_set_mode(mode) */
static VALUE sub_set_mode(VALUE object, VALUE mode)
{
    nrb_sub *self = nrb_sub_get(object);
    int32_t number = nrb_small(mode, "mode");
    nrb_check(nats_sub_set_mode(self->sub, number));
    self->shared = number == NATS_SUB_SHARED;
    return Qnil;
}

static VALUE sub_get(int argc, VALUE *argv, VALUE object)
{
    source self;
    sub_source(&self, object);
    return get(argc, argv, &self);
}

/* sub.raw_next(timeout) */
static VALUE sub_take_next(VALUE object, VALUE timeout)
{
    source self;
    VALUE list = Qnil;
    sub_source(&self, object);
    self.max = 1;
    bool stashed = receive_first(&self, nrb_seconds(timeout, "timeout", -1), &list);
    if (!stashed && self.count == 0) {
        return Qnil;
    }
    VALUE msg = stashed ? rb_ary_pop(list) : nrb_msg_new(self.msgs[0], self.owner);
    if (RB_UNLIKELY(rb_thread_interrupted(rb_thread_current()))) {
        hand_over(&self, rb_ary_new_from_args(1, msg));
    }
    return msg;
}

static VALUE sub_next(int argc, VALUE *argv, VALUE object)
{
    VALUE words[1];
    nrb_keywords(&argc, argv, 1, next_keys, words);
    nrb_placed(argc, argv, 1, words);
    return sub_take_next(object, words[0]);
}

void nrb_receive_init(void)
{
    get_keys[0] = rb_intern("max");
    get_keys[1] = rb_intern("wait");
    next_keys[0] = rb_intern("timeout");
    rb_define_method(nrb_client_class, "get", client_get, -1);
    rb_define_private_method(nrb_client_class, "get_callbacks", client_get_callbacks, -1);
    rb_define_private_method(nrb_client_class, "call_first", client_call_first, 2);
    rb_define_private_method(nrb_client_class, "moment_in", client_moment_in, 2);
    rb_define_method(nrb_client_class, "raw_next_event", client_next_event, 1);
    rb_define_method(nrb_sub_class, "get", sub_get, -1);
    rb_define_method(nrb_sub_class, "raw_set_mode", sub_set_mode, 1);
    rb_define_method(nrb_sub_class, "next", sub_next, -1);
    rb_define_method(nrb_sub_class, "raw_next", sub_take_next, 1);
}
