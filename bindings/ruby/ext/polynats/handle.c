/* Objects that hold a handle of the library. Each marks the client that it belongs to, so that a
 * client lives as long as what was made from it; at exit they may go in any order. */
#include "nrb.h"

#include <pthread.h>
#include <signal.h>
#include <time.h>

#include <ruby/vm.h>

VALUE nrb_client_class, nrb_sub_class, nrb_future_class, nrb_proto_class;

/* ---- the end of a forgotten client ---- */

enum { BURIAL_S = 3 }; /* at exit: longer than a close takes, which waits for the server at most 2 s */

typedef struct cemetery {
    pthread_mutex_t mu;
    pthread_cond_t empty;
    int open; /* clients that threads are closing */
} cemetery;

static cemetery graves = {.mu = PTHREAD_MUTEX_INITIALIZER, .empty = PTHREAD_COND_INITIALIZER};

static void count_burial(int change)
{
    pthread_mutex_lock(&graves.mu);
    graves.open += change;
    pthread_cond_signal(&graves.empty);
    pthread_mutex_unlock(&graves.mu);
}

static void *bury(void *client)
{
    nats_client_free(client);
    count_burial(-1);
    return NULL;
}

/* Closing may wait for the server, and a garbage collection may not. Signals are for Ruby's threads. */
static void bury_later(nats_client *client)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, old;
    count_burial(1);
    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&thread, &attr, bury, client);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (error != 0) {
        bury(client);
    }
}

/* What forgotten clients, and those that were open at the end, had published goes out before the
 * process ends: this comes after all that a program does at its exit. */
static void wait_for_burials(ruby_vm_t *vm)
{
    struct timespec until;
    (void)vm;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += BURIAL_S;
    pthread_mutex_lock(&graves.mu);
    int error = 0;
    while (graves.open > 0 && error == 0) {
        error = pthread_cond_timedwait(&graves.empty, &graves.mu, &until);
    }
    pthread_mutex_unlock(&graves.mu);
}

/* The threads stayed in the parent, one of them perhaps with the lock. */
static void forget_burials(void)
{
    pthread_mutex_init(&graves.mu, NULL);
    pthread_cond_init(&graves.empty, NULL);
    graves.open = 0;
}

/* ---- client ---- */

/* What the collector is told that a client takes. It is more than the memory: one that was closed keeps
 * two descriptors until it is collected, and a process has often no more than 1,024 of them. */
enum { CLIENT_SIZE = 1 << 20 };

static nrb_meter *meter_new(void)
{
    nrb_meter *meter = xmalloc(sizeof *meter);
    *meter = (nrb_meter){.refs = 1};
    return meter;
}

static void meter_unref(nrb_meter *meter)
{
    meter->refs--;
    if (meter->refs == 0) {
        xfree(meter);
    }
}

static void client_release(void *data)
{
    nrb_client *self = data;
    rb_gc_adjust_memory_usage(-CLIENT_SIZE);
    bool quick =
        self->client == NULL || nats_client_status(self->client) == NATS_CLIENT_CLOSED;
    if (quick) {
        nats_client_free(self->client);
    } else {
        bury_later(self->client);
    }
    if (self->meter != NULL) {
        meter_unref(self->meter);
    }
    xfree(self);
}

static void client_mark(void *data)
{
    const nrb_client *self = data;
    rb_gc_mark(self->events);
    rb_gc_mark(self->stash);
    rb_gc_mark(self->callback_stash);
}

static size_t client_size(const void *data)
{
    (void)data;
    return sizeof(nrb_client);
}

static const rb_data_type_t client_type = {
    .wrap_struct_name = "Polynats::Client",
    .function = {.dmark = client_mark, .dfree = client_release, .dsize = client_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static VALUE client_new(nrb_client **self_out)
{
    VALUE object = TypedData_Make_Struct(nrb_client_class, nrb_client, &client_type, *self_out);
    rb_gc_adjust_memory_usage(CLIENT_SIZE);
    (*self_out)->events = Qnil;
    (*self_out)->stash = Qnil;
    (*self_out)->callback_stash = Qnil;
    return object;
}

VALUE nrb_client_new(void)
{
    nrb_client *self;
    VALUE object = client_new(&self);
    self->meter = meter_new();
    return object;
}

VALUE nrb_client_new_like(VALUE other)
{
    nrb_client *self;
    VALUE object = client_new(&self);
    self->meter = nrb_client_get(other)->meter;
    self->meter->refs++;
    return object;
}

nrb_client *nrb_client_get(VALUE object)
{
    return nrb_object_get(object, &client_type);
}

/* ---- subscription ---- */

static void sub_release(void *data)
{
    nrb_sub *self = data;
    nats_sub_free(self->sub);
    xfree(self);
}

static void sub_mark(void *data)
{
    const nrb_sub *self = data;
    rb_gc_mark(self->client);
    rb_gc_mark(self->stash);
}

static size_t sub_size(const void *data)
{
    (void)data;
    return sizeof(nrb_sub);
}

static const rb_data_type_t sub_type = {
    .wrap_struct_name = "Polynats::Subscription",
    .function = {.dmark = sub_mark, .dfree = sub_release, .dsize = sub_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

VALUE nrb_sub_new(VALUE client)
{
    nrb_sub *self;
    VALUE object = TypedData_Make_Struct(nrb_sub_class, nrb_sub, &sub_type, self);
    self->stash = Qnil;
    RB_OBJ_WRITE(object, &self->client, client);
    return object;
}

nrb_sub *nrb_sub_get(VALUE object)
{
    return nrb_object_get(object, &sub_type);
}

/* ---- future ---- */

static void future_release(void *data)
{
    nrb_future *self = data;
    nats_msg_free(self->msg);
    nats_future_free(self->future);
    xfree(self);
}

static void future_mark(void *data)
{
    rb_gc_mark(((const nrb_future *)data)->client);
}

static size_t future_size(const void *data)
{
    (void)data;
    return sizeof(nrb_future);
}

static const rb_data_type_t future_type = {
    .wrap_struct_name = "Polynats::Future",
    .function = {.dmark = future_mark, .dfree = future_release, .dsize = future_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

VALUE nrb_future_new(VALUE client)
{
    nrb_future *self;
    VALUE object = TypedData_Make_Struct(nrb_future_class, nrb_future, &future_type, self);
    RB_OBJ_WRITE(object, &self->client, client);
    return object;
}

nrb_future *nrb_future_get(VALUE object)
{
    nrb_future *self = nrb_object_get(object, &future_type);
    if (self->busy) {
        nrb_invalid("future", "another thread waits for this future");
    }
    return self;
}

/* ---- proto ---- */

static void proto_release(void *proto)
{
    nats_proto_free(proto);
}

static size_t proto_size(const void *proto)
{
    return proto != NULL ? nats_proto_tx_pending(proto) : 0;
}

static const rb_data_type_t proto_type = {
    .wrap_struct_name = "Polynats::Proto",
    .function = {.dfree = proto_release, .dsize = proto_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

VALUE nrb_proto_new(nats_proto *proto)
{
    return TypedData_Wrap_Struct(nrb_proto_class, &proto_type, proto);
}

nats_proto *nrb_proto_get(VALUE object)
{
    return nrb_object_get(object, &proto_type);
}

void nrb_handle_init(void)
{
    pthread_atfork(NULL, NULL, forget_burials);
    ruby_vm_at_exit(wait_for_burials);
    VALUE *classes[] = {&nrb_client_class, &nrb_sub_class, &nrb_future_class, &nrb_proto_class};
    const char *names[] = {"Client", "Subscription", "Future", "Proto"};
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        *classes[i] = rb_define_class_under(nrb_module, names[i], rb_cObject);
        rb_undef_alloc_func(*classes[i]);
        rb_undef_method(rb_singleton_class(*classes[i]), "new");
        rb_gc_register_mark_object(*classes[i]);
    }
}
