/* Publishers: a window of messages whose acks are still to come. With the GVL as long as neither the
 * window nor the connection's buffer is full. */
#include "nrb_js.h"

enum { SLICE = 128 /* payloads of one inner call */ };

VALUE nrb_publisher_class;

typedef struct publisher {
    nats_js_publisher *publisher;
    VALUE client;
    uint64_t room; /* of the window, as far as is known: it may be more */
    bool fast;     /* the stream says how large the window is, which may become smaller */
    bool ended;
} publisher;

static void publisher_release(void *data)
{
    nats_js_publisher_free(((publisher *)data)->publisher);
    xfree(data);
}

static void publisher_mark(void *data)
{
    rb_gc_mark(((const publisher *)data)->client);
}

static size_t publisher_size(const void *data)
{
    (void)data;
    return sizeof(publisher);
}

static const rb_data_type_t publisher_type = {
    .wrap_struct_name = "Polynats::Publisher",
    .function = {.dmark = publisher_mark, .dfree = publisher_release, .dsize = publisher_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static publisher *any(VALUE object)
{
    return nrb_object_get(object, &publisher_type);
}

static publisher *get(VALUE object)
{
    publisher *self = any(object);
    if (self->ended) {
        nrb_raise(NATS_ERR_CLOSED, "the publisher is closed", "publisher");
    }
    return self;
}

nats_js_publisher *nrb_publisher_get(VALUE object)
{
    return any(object)->publisher;
}

/* ---- making ---- */

typedef struct making {
    nats_js *js;
    int64_t max_pending;
    nats_js_publisher *publisher;
} making;

/* It asks the server what it can do. */
static nats_status make_fast(void *arg)
{
    making *self = arg;
    return nats_js_publisher_fast(self->js, self->max_pending, &self->publisher);
}

static void drop_made(void *arg)
{
    nats_js_publisher_free(((making *)arg)->publisher);
}

/* js.open_publisher(max_pending, fast) */
static VALUE js_open_publisher(VALUE object, VALUE max_pending, VALUE fast)
{
    publisher *self;
    const nrb_js *js = nrb_js_get(object);
    making call = {.js = js->js};
    call.max_pending = (int64_t)nrb_count(max_pending, "max_pending", 0);
    VALUE made = TypedData_Make_Struct(nrb_publisher_class, publisher, &publisher_type, self);
    RB_OBJ_WRITE(made, &self->client, js->client);
    self->fast = RTEST(fast);
    if (self->fast) {
        nrb_call waiting;
        nrb_call_start(&waiting, make_fast, &call, -1);
        waiting.undo = drop_made;
        nrb_call_check(&waiting);
    } else {
        nrb_check(nats_js_publisher_new(js->js, call.max_pending, &call.publisher));
    }
    self->publisher = call.publisher;
    return made;
}

/* ---- room ---- */

/* Is there a place for so many, without waiting? It is counted down, and looked up only at its end. */
static bool window_has_room(publisher *self, uint64_t count)
{
    if (self->fast || self->room < count) {
        int64_t room = nats_js_publisher_room(self->publisher, NULL);
        self->room = room > 0 ? (uint64_t)room : 0;
    }
    if (self->room < count) {
        return false;
    }
    self->room -= count;
    return true;
}

static bool has_room(publisher *self, uint64_t count, size_t bytes)
{
    bool room = window_has_room(self, count);
    return nrb_client_has_room(nrb_client_get(self->client), bytes) && room;
}

/* ---- publish ---- */

typedef struct publishing {
    nats_js_publisher *publisher;
    nrb_storing what;
    uint64_t id;
} publishing;

static nats_status publish_step(void *arg)
{
    publishing *self = arg;
    const nrb_storing *what = &self->what;
    return nats_js_publisher_publish(self->publisher, what->subject.ptr, what->subject.len,
                                     what->headers, what->data.ptr, what->data.len, &self->id);
}

static void publish_waiting(publishing *self)
{
    nrb_call call;
    nrb_storing_keep(&self->what);
    nrb_call_start(&call, publish_step, self, -1);
    nrb_call_check(&call);
}

/* Must the server be asked first what it can do? Then the call would wait for it. */
static bool must_ask(const publishing *call)
{
    return call->what.headers != NULL &&
           nats_js_publisher_room(call->publisher, call->what.headers) < 0;
}

/* publisher.publish(subject, data = nil, headers: nil, **keywords): its number */
static VALUE publisher_publish(int argc, VALUE *argv, VALUE object)
{
    publisher *self = get(object);
    publishing call = {.publisher = self->publisher};
    nats_status status = NATS_ERR_INTERRUPTED;
    nrb_storing_read(&call.what, argc, argv, false, false);
    if (has_room(self, 1, call.what.data.len) && !must_ask(&call)) {
        status = publish_step(&call);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        publish_waiting(&call);
    } else {
        nrb_check(status);
    }
    nrb_storing_free(&call.what);
    return ULL2NUM(call.id);
}

/* ---- many ---- */

typedef struct many {
    nats_js_publisher *publisher;
    nrb_text subject;
    const void *datas[SLICE];
    size_t lens[SLICE];
    size_t count;
    size_t published; /* of this slice */
    size_t total;
    uint64_t first_id;
} many;

static nats_status many_step(void *arg)
{
    many *self = arg;
    size_t accepted = 0;
    uint64_t id = 0;
    nats_status status = nats_js_publisher_publish_many(
        self->publisher, self->subject.ptr, self->subject.len, self->datas + self->published,
        self->lens + self->published, self->count - self->published, &id, &accepted);
    if (self->total == 0 && accepted > 0) {
        self->first_id = id;
    }
    self->published += accepted;
    self->total += accepted;
    return status;
}

static size_t fill_slice(many *self, VALUE list)
{
    size_t bytes = 0;
    size_t left = (size_t)RARRAY_LEN(list) - self->total;
    self->count = left < SLICE ? left : SLICE;
    self->published = 0;
    for (size_t i = 0; i < self->count; i++) {
        VALUE data = RARRAY_AREF(list, (long)(self->total + i));
        nrb_text text = nrb_data_of(&data, "datas");
        self->datas[i] = text.ptr;
        self->lens[i] = text.len;
        bytes += text.len;
    }
    return bytes;
}

/* The list is ours, and its strings are frozen. Raises nothing but what interrupts: the error that is
 * returned is that of the call, if it has one. */
static nats_status publish_slice(publisher *self, many *slice, VALUE list, nrb_call *call)
{
    size_t bytes = fill_slice(slice, list);
    nats_status status = NATS_ERR_INTERRUPTED;
    if (has_room(self, slice->count, bytes)) {
        status = many_step(slice);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        nrb_call_start(call, many_step, slice, -1);
        status = nrb_call_run(call);
        call->done = status != NATS_OK;
    } else {
        call->done = false;
    }
    return status;
}

static VALUE frozen_payloads(VALUE datas)
{
    VALUE list = rb_check_array_type(datas);
    if (NIL_P(list)) {
        rb_raise(rb_eTypeError, "datas must be an Array of Strings, not %" PRIsVALUE,
                 rb_obj_class(datas));
    }
    VALUE kept = rb_ary_new_capa(RARRAY_LEN(list));
    for (long i = 0; i < RARRAY_LEN(list); i++) {
        char name[sizeof "datas[]" + 20];
        VALUE data = RARRAY_AREF(list, i);
        snprintf(name, sizeof name, "datas[%ld]", i);
        nrb_data_of(&data, name);
        rb_ary_push(kept, NIL_P(data) ? data : nrb_kept(data));
    }
    return kept;
}

/* With what was accepted before it. */
NORETURN(static void raise_with_counts(nats_status status, const nrb_call *call,
                                       const many *slice));
static void raise_with_counts(nats_status status, const nrb_call *call, const many *slice)
{
    VALUE error = call->done ? nrb_call_error(call) : nrb_error_last(status);
    rb_ivar_set(error, rb_intern("@first"), ULL2NUM(slice->first_id));
    rb_ivar_set(error, rb_intern("@published"), SIZET2NUM(slice->total));
    rb_exc_raise(error);
}

/* publisher.open_many(subject, datas): [number of the first, how many] */
static VALUE publisher_open_many(VALUE object, VALUE subject, VALUE datas)
{
    publisher *self = get(object);
    VALUE list = frozen_payloads(datas);
    VALUE to = nrb_kept(subject);
    many slice = {.publisher = self->publisher, .subject = nrb_text_of(&to, "subject")};
    nrb_call call;
    nats_status status = NATS_OK;
    while (status == NATS_OK && slice.total < (size_t)RARRAY_LEN(list)) {
        status = publish_slice(self, &slice, list, &call);
    }
    if (status != NATS_OK) {
        raise_with_counts(status, &call, &slice);
    }
    RB_GC_GUARD(list);
    RB_GC_GUARD(to);
    return rb_assoc_new(ULL2NUM(slice.first_id), SIZET2NUM(slice.total));
}

/* ---- what became of them ---- */

/* publisher.open_flush(timeout): a future */
static VALUE publisher_open_flush(VALUE object, VALUE timeout)
{
    const publisher *self = get(object);
    nats_future *future;
    int64_t ms = nrb_seconds(timeout, "timeout", -1);
    VALUE made = nrb_future_new(self->client);
    nrb_check(nats_js_publisher_flush_start(self->publisher, ms, &future));
    return nrb_js_future(made, future);
}

/* publisher.raw_flush_now: without waiting, for nobody could */
static VALUE publisher_flush_now(VALUE object)
{
    nrb_check(nats_js_publisher_flush(any(object)->publisher, 0));
    return Qnil;
}

/* publisher.raw_next_failure: [number, error], or nil */
static VALUE publisher_next_failure(VALUE object)
{
    uint64_t id = 0;
    nats_status status = nats_js_publisher_next_failure(any(object)->publisher, &id);
    if (status == NATS_OK) {
        return Qnil;
    }
    if (id == 0) { /* the call itself failed */
        nrb_raise_last(status);
    }
    return rb_assoc_new(ULL2NUM(id), nrb_error_last(status));
}

static VALUE publisher_end(VALUE object)
{
    any(object)->ended = true;
    return Qnil;
}

static VALUE publisher_client(VALUE object)
{
    return any(object)->client;
}

VALUE nrb_publisher_stats_hash(const uint64_t *values)
{
    static const char *const names[NATS_PUBLISHER_STAT_COUNT] = {
        [NATS_PUBLISHER_PUBLISHED] = "published",   [NATS_PUBLISHER_ACKED] = "acked",
        [NATS_PUBLISHER_DUPLICATES] = "duplicates", [NATS_PUBLISHER_FAILED] = "failed",
        [NATS_PUBLISHER_PENDING] = "pending",
    };
    VALUE map = rb_hash_new();
    for (size_t i = 0; i < NATS_PUBLISHER_STAT_COUNT; i++) {
        rb_hash_aset(map, ID2SYM(rb_intern(names[i])), ULL2NUM(values[i]));
    }
    return map;
}

void nrb_publisher_init(void)
{
    nrb_publisher_class = rb_define_class_under(nrb_module, "Publisher", rb_cObject);
    rb_gc_register_mark_object(nrb_publisher_class);
    rb_undef_alloc_func(nrb_publisher_class);
    rb_undef_method(rb_singleton_class(nrb_publisher_class), "new");
    rb_define_method(nrb_js_class, "open_publisher", js_open_publisher, 2);
    rb_define_method(nrb_publisher_class, "publish", publisher_publish, -1);
    rb_define_method(nrb_publisher_class, "client", publisher_client, 0);
    rb_define_method(nrb_publisher_class, "open_many", publisher_open_many, 2);
    rb_define_method(nrb_publisher_class, "open_flush", publisher_open_flush, 1);
    rb_define_method(nrb_publisher_class, "raw_flush_now", publisher_flush_now, 0);
    rb_define_method(nrb_publisher_class, "raw_next_failure", publisher_next_failure, 0);
    rb_define_method(nrb_publisher_class, "raw_end", publisher_end, 0);
}
