/* Atomic batches. What was not committed is abandoned with the object. */
#include "nrb_js.h"

static VALUE batch_class;

typedef struct batch {
    nats_js_batch *batch; /* NULL: it was abandoned */
    VALUE client;
    bool busy; /* a thread is in a call without the GVL */
} batch;

static void batch_release(void *data)
{
    nats_js_batch_free(((batch *)data)->batch);
    xfree(data);
}

static void batch_mark(void *data)
{
    rb_gc_mark(((const batch *)data)->client);
}

static size_t batch_size(const void *data)
{
    (void)data;
    return sizeof(batch);
}

static const rb_data_type_t batch_type = {
    .wrap_struct_name = "Polynats::Batch",
    .function = {.dmark = batch_mark, .dfree = batch_release, .dsize = batch_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static batch *get(VALUE object)
{
    batch *self = nrb_object_get(object, &batch_type);
    if (self->busy) {
        nrb_invalid("batch", "another thread is adding to this batch");
    }
    return self;
}

/* js.open_batch */
static VALUE js_open_batch(VALUE object)
{
    batch *self;
    const nrb_js *js = nrb_js_get(object);
    VALUE made = TypedData_Make_Struct(batch_class, batch, &batch_type, self);
    RB_OBJ_WRITE(made, &self->client, js->client);
    nrb_check(nats_js_batch_new(js->js, &self->batch));
    return made;
}

/* ---- add and commit ---- */

typedef nats_status (*batch_start)(nats_js_batch *batch, const char *subject, size_t subject_len,
                                   const nats_headers *headers, const void *data, size_t data_len,
                                   int64_t timeout_ms, nats_future **future_out);

typedef struct adding {
    batch *self;
    batch_start start;
    nrb_storing what;
    nats_future *future;
} adding;

static nats_status add_step(void *arg)
{
    adding *self = arg;
    const nrb_storing *what = &self->what;
    return self->start(self->self->batch, what->subject.ptr, what->subject.len, what->headers,
                       what->data.ptr, what->data.len, what->timeout_ms, &self->future);
}

static void drop_future(void *arg)
{
    nats_future_free(((adding *)arg)->future);
}

static VALUE run(VALUE arg)
{
    adding *call = (adding *)arg;
    nrb_js_begin(call->self->client, call->what.data.len, add_step, drop_future, call, &call->what);
    return Qnil;
}

static VALUE leave(VALUE arg)
{
    ((adding *)arg)->self->busy = false;
    return Qnil;
}

static VALUE add(int argc, VALUE *argv, VALUE object, batch_start start, bool optional)
{
    batch *self = get(object);
    adding call = {.self = self, .start = start};
    nrb_storing_read(&call.what, argc, argv, true, optional);
    if (self->batch == NULL) {
        nrb_raise(NATS_ERR_CLOSED, "the batch was abandoned", "batch");
    }
    VALUE made = nrb_future_new(self->client);
    get(object)->busy = true;
    rb_ensure(run, (VALUE)&call, leave, (VALUE)&call);
    nrb_storing_free(&call.what);
    return nrb_js_future(made, call.future);
}

/* batch.open_add(subject, data = nil, headers:, timeout:, **keywords): a future */
static VALUE batch_open_add(int argc, VALUE *argv, VALUE object)
{
    return add(argc, argv, object, nats_js_batch_add_start, false);
}

/* batch.open_commit(subject = nil, data = nil, headers:, timeout:, **keywords): a future */
static VALUE batch_open_commit(int argc, VALUE *argv, VALUE object)
{
    return add(argc, argv, object, nats_js_batch_commit_start, true);
}

/* batch.abandon: store nothing; the server forgets it */
static VALUE batch_abandon(VALUE object)
{
    batch *self = get(object);
    nats_js_batch_free(self->batch);
    self->batch = NULL;
    return Qnil;
}

void nrb_batch_init(void)
{
    batch_class = rb_define_class_under(nrb_module, "Batch", rb_cObject);
    rb_gc_register_mark_object(batch_class);
    rb_undef_alloc_func(batch_class);
    rb_undef_method(rb_singleton_class(batch_class), "new");
    rb_define_method(nrb_js_class, "open_batch", js_open_batch, 0);
    rb_define_method(batch_class, "open_add", batch_open_add, -1);
    rb_define_method(batch_class, "open_commit", batch_open_commit, -1);
    rb_define_method(batch_class, "abandon", batch_abandon, 0);
}
