/* JetStream's handle: what begins there does not wait, but for room in the connection's buffer. Futures
 * and subscriptions do the waiting, as everywhere else. */
#include "nrb_js.h"

VALUE nrb_js_class;

static void js_release(void *data)
{
    nats_js_free(((nrb_js *)data)->js);
    xfree(data);
}

static void js_mark(void *data)
{
    rb_gc_mark(((const nrb_js *)data)->client);
}

static size_t js_size(const void *data)
{
    (void)data;
    return sizeof(nrb_js);
}

static const rb_data_type_t js_type = {
    .wrap_struct_name = "Polynats::JetStream",
    .function = {.dmark = js_mark, .dfree = js_release, .dsize = js_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

nrb_js *nrb_js_get(VALUE object)
{
    return nrb_object_get(object, &js_type);
}

/* client.open_js(domain, prefix, timeout) */
static VALUE client_open_js(VALUE object, VALUE domain, VALUE prefix, VALUE timeout)
{
    nrb_js *self;
    const char *domain_words = NIL_P(domain) ? NULL : nrb_words_of(&domain, "domain");
    const char *prefix_words = NIL_P(prefix) ? NULL : nrb_words_of(&prefix, "prefix");
    int64_t ms = nrb_seconds(timeout, "timeout", -1);
    VALUE made = TypedData_Make_Struct(nrb_js_class, nrb_js, &js_type, self);
    RB_OBJ_WRITE(made, &self->client, object);
    nrb_check(nats_client_jetstream(nrb_client_get(object)->client, domain_words, prefix_words, ms,
                                    &self->js));
    RB_GC_GUARD(domain);
    RB_GC_GUARD(prefix);
    return made;
}

static VALUE js_client(VALUE object)
{
    return nrb_js_get(object)->client;
}

/* ---- what begins ---- */

void nrb_js_begin(VALUE client, size_t size, nrb_step step, void (*undo)(void *arg), void *arg,
                  nrb_storing *what)
{
    nats_status status = NATS_ERR_INTERRUPTED;
    if (nrb_client_has_room(nrb_client_get(client), size)) {
        status = step(arg);
    }
    if (status != NATS_ERR_INTERRUPTED) {
        nrb_check(status);
        return;
    }
    if (what != NULL) {
        nrb_storing_keep(what);
    }
    nrb_call call;
    nrb_call_start(&call, step, arg, -1);
    call.undo = undo;
    nrb_call_check(&call);
}

VALUE nrb_js_future(VALUE made, nats_future *future)
{
    ((nrb_future *)DATA_PTR(made))->future = future;
    return made;
}

typedef struct calling {
    nats_js *js;
    const char *verb;
    nrb_text arguments;
    int64_t timeout_ms;
    nats_sub *sub;
    nats_future *future;
} calling;

static nats_status call_step(void *arg)
{
    calling *self = arg;
    return nats_js_call_start(self->js, self->verb, self->arguments.ptr, self->arguments.len,
                              self->timeout_ms, &self->future);
}

static nats_status consume_step(void *arg)
{
    calling *self = arg;
    return nats_js_consume_start(self->js, self->verb, self->arguments.ptr, self->arguments.len,
                                 self->timeout_ms, &self->sub, &self->future);
}

static void drop_call(void *arg)
{
    calling *self = arg;
    if (self->sub != NULL) {
        nats_sub_unsubscribe(self->sub, 0);
        nats_sub_free(self->sub);
    }
    nats_future_free(self->future);
}

/* js.open_call(verb, arguments, timeout): a future, of one answer or of several */
static VALUE js_open_call(VALUE object, VALUE verb, VALUE arguments, VALUE timeout)
{
    const nrb_js *self = nrb_js_get(object);
    VALUE words = nrb_kept(arguments);
    calling call = {.js = self->js, .verb = nrb_words_of(&verb, "verb")};
    call.arguments = nrb_text_of(&words, "arguments");
    call.timeout_ms = nrb_seconds(timeout, "timeout", -1);
    VALUE made = nrb_future_new(self->client);
    nrb_js_begin(self->client, call.arguments.len, call_step, drop_call, &call, NULL);
    RB_GC_GUARD(verb);
    RB_GC_GUARD(words);
    return nrb_js_future(made, call.future);
}

/* js.open_consume(how, arguments, timeout, mode): [subscription, future]. The arguments say the mode, too. */
static VALUE js_open_consume(VALUE object, VALUE how, VALUE arguments, VALUE timeout, VALUE mode)
{
    const nrb_js *self = nrb_js_get(object);
    VALUE words = nrb_kept(arguments);
    calling call = {.js = self->js, .verb = nrb_words_of(&how, "how")};
    call.arguments = nrb_text_of(&words, "arguments");
    call.timeout_ms = nrb_seconds(timeout, "timeout", -1);
    VALUE future = nrb_future_new(self->client);
    VALUE sub = nrb_sub_new(self->client);
    VALUE both = rb_assoc_new(sub, future);
    ((nrb_sub *)DATA_PTR(sub))->shared = nrb_small(mode, "mode") == NATS_SUB_SHARED;
    nrb_js_begin(self->client, call.arguments.len, consume_step, drop_call, &call, NULL);
    ((nrb_sub *)DATA_PTR(sub))->sub = call.sub;
    nrb_js_future(future, call.future);
    RB_GC_GUARD(how);
    RB_GC_GUARD(words);
    return both;
}

/* ---- publish ---- */

typedef struct publishing {
    nats_js *js;
    nrb_storing what;
    nats_future *future;
} publishing;

static nats_status publish_step(void *arg)
{
    publishing *self = arg;
    const nrb_storing *what = &self->what;
    return nats_js_publish_start(self->js, what->subject.ptr, what->subject.len, what->headers,
                                 what->data.ptr, what->data.len, what->timeout_ms, &self->future);
}

static void drop_publish(void *arg)
{
    nats_future_free(((publishing *)arg)->future);
}

/* js.open_publish(subject, data = nil, headers: nil, timeout: nil, **keywords): a future */
static VALUE js_open_publish(int argc, VALUE *argv, VALUE object)
{
    const nrb_js *self = nrb_js_get(object);
    publishing call = {.js = self->js};
    nrb_storing_read(&call.what, argc, argv, true, false);
    VALUE made = nrb_future_new(self->client);
    nrb_js_begin(self->client, call.what.data.len, publish_step, drop_publish, &call, &call.what);
    nrb_storing_free(&call.what);
    return nrb_js_future(made, call.future);
}

void nrb_js_init(void)
{
    nrb_js_class = rb_define_class_under(nrb_module, "JetStream", rb_cObject);
    rb_gc_register_mark_object(nrb_js_class);
    rb_undef_alloc_func(nrb_js_class);
    rb_undef_method(rb_singleton_class(nrb_js_class), "new");
    rb_define_method(nrb_client_class, "open_js", client_open_js, 3);
    rb_define_method(nrb_js_class, "client", js_client, 0);
    rb_define_method(nrb_js_class, "open_call", js_open_call, 3);
    rb_define_method(nrb_js_class, "open_consume", js_open_consume, 4);
    rb_define_method(nrb_js_class, "open_publish", js_open_publish, -1);
    nrb_store_init();
    nrb_json_init();
    nrb_publisher_init();
    nrb_batch_init();
    nrb_ack_init();
}
