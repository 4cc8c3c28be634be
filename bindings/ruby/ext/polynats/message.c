/* Messages. One that was received is three words beside the object: the library's record, the batch
 * it came with, which knows the client, and its data once that was asked for. What a batch was read
 * into is freed as a whole, so that is how the garbage collector is told of it: with the neighbours
 * that were never given to Ruby, too. */
#include "nrb.h"

VALUE nrb_msg_class;

enum {
    /* What the record of a message takes besides its data, about. */
    RECORD_SIZE = 128,
    /* Objects that are put into the list together. */
    WRAPPED_AT_ONCE = 64,
    /* What the library reads into at once, at most, for small messages. */
    CHUNK_SIZE = 128 << 10,
    /* Receivers whose last message is known; two of one number only cost collections. */
    LAST_COUNT = 64
};

struct batch;

typedef struct slot {
    nats_msg *msg;
    struct batch *batch;
    VALUE data; /* else 0 */
} slot;

typedef struct batch {
    size_t refs;
    size_t size;
    VALUE owner;
    slot slots[];
} batch;

static void msg_mark(void *data)
{
    const slot *self = data;
    rb_gc_mark(self->batch->owner);
    if (self->data != 0) {
        rb_gc_mark(self->data);
    }
}

static void batch_unref(batch *self)
{
    self->refs--;
    if (self->refs == 0) {
        rb_gc_adjust_memory_usage(-(ssize_t)self->size);
        xfree(self);
    }
}

static void msg_release(void *data)
{
    const slot *self = data;
    nats_msg_free(self->msg);
    batch_unref(self->batch);
}

static size_t held_by(const nats_msg *msg)
{
    size_t len;
    nats_msg_data(msg, &len);
    return len + RECORD_SIZE;
}

/* What lies between this message and the one before of its receiver was read with it, and perhaps
 * dropped since: the message keeps it all the same, as far as the chunk goes. */
static size_t kept_by(const nats_msg *msg, VALUE owner)
{
    static _Thread_local uintptr_t last[LAST_COUNT];
    uintptr_t *before = &last[(owner / sizeof(uintptr_t[5])) % LAST_COUNT]; /* slots of Ruby's heap */
    uintptr_t at = (uintptr_t)nats_msg_subject(msg, NULL);
    size_t gap = at > *before ? at - *before : *before - at;
    size_t held = held_by(msg);
    *before = at;
    gap = gap < CHUNK_SIZE ? gap : CHUNK_SIZE;
    return gap > held ? gap : held;
}

static size_t msg_size(const void *data)
{
    const slot *self = data;
    return sizeof(slot) + held_by(self->msg);
}

static const rb_data_type_t msg_type = {
    .wrap_struct_name = "Polynats::Message",
    .function = {.dmark = msg_mark, .dfree = msg_release, .dsize = msg_size},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

/* ---- from the library ---- */

typedef struct wrapping {
    nats_msg **msgs;
    size_t count;
    VALUE owner;
    VALUE list;
    size_t done;
    batch *batch;
} wrapping;

/* An object is made with its slot, filled in before: it needs no write barrier for what that holds. */
static void wrap_all(wrapping *self)
{
    batch *batch = self->batch;
    VALUE some[WRAPPED_AT_ONCE];
    long count = 0;
    while (self->done < self->count) {
        slot *slot = &batch->slots[self->done];
        *slot = (struct slot){self->msgs[self->done], batch, 0};
        some[count] = TypedData_Wrap_Struct(nrb_msg_class, &msg_type, slot);
        batch->refs++;
        self->done++;
        count++;
        if (count == WRAPPED_AT_ONCE || self->done == self->count) {
            rb_ary_cat(self->list, some, count);
            count = 0;
        }
    }
}

static batch *batch_new(const wrapping *self)
{
    batch *batch = xmalloc(sizeof(struct batch) + self->count * sizeof(slot));
    batch->refs = 1;
    batch->size = 0;
    batch->owner = self->owner;
    for (size_t i = 0; i < self->count; i++) {
        batch->size += kept_by(self->msgs[i], self->owner);
    }
    return batch;
}

static VALUE wrap_some(VALUE arg)
{
    wrapping *self = (wrapping *)arg;
    self->batch = batch_new(self);
    rb_gc_adjust_memory_usage((ssize_t)self->batch->size);
    wrap_all(self);
    return self->list;
}

/* What Ruby had no memory for goes back to the library. */
VALUE nrb_msgs_list(nats_msg **msgs, size_t count, VALUE owner, VALUE list)
{
    if (count == 0) {
        return list;
    }
    wrapping self = {.msgs = msgs, .count = count, .owner = owner, .list = list};
    int state = 0;
    rb_protect(wrap_some, (VALUE)&self, &state);
    if (self.batch != NULL) {
        batch_unref(self.batch);
    }
    if (state != 0) {
        nats_msg_free_many(msgs + self.done, count - self.done);
        rb_jump_tag(state);
    }
    return list;
}

static VALUE wrap_one(VALUE arg)
{
    wrapping *self = (wrapping *)arg;
    batch *batch = batch_new(self);
    self->batch = batch;
    batch->slots[0] = (slot){self->msgs[0], batch, 0};
    VALUE object = TypedData_Wrap_Struct(nrb_msg_class, &msg_type, &batch->slots[0]);
    rb_gc_adjust_memory_usage((ssize_t)batch->size);
    return object;
}

VALUE nrb_msg_new(nats_msg *msg, VALUE owner)
{
    wrapping self = {.msgs = &msg, .count = 1, .owner = owner};
    int state = 0;
    VALUE object = rb_protect(wrap_one, (VALUE)&self, &state);
    if (state != 0) {
        xfree(self.batch);
        nats_msg_free(msg);
        rb_jump_tag(state);
    }
    return object;
}

/* ---- its parts ---- */

static slot *self_of(VALUE object)
{
    return nrb_object_get(object, &msg_type);
}

static VALUE text(const char *ptr, size_t len)
{
    return ptr != NULL ? nrb_str(ptr, len) : Qnil;
}

static VALUE msg_subject(VALUE object)
{
    size_t len;
    const char *subject = nats_msg_subject(self_of(object)->msg, &len);
    return nrb_str(subject, len);
}

static VALUE msg_reply(VALUE object)
{
    size_t len;
    const char *reply = nats_msg_reply(self_of(object)->msg, &len);
    return text(reply, len);
}

static VALUE msg_data(VALUE object)
{
    slot *self = self_of(object);
    if (self->data == 0) {
        size_t len;
        const void *data = nats_msg_data(self->msg, &len);
        RB_OBJ_WRITE(object, &self->data, nrb_binary(data, len));
    }
    return self->data;
}

static VALUE msg_sid(VALUE object)
{
    return ULL2NUM(nats_msg_sid(self_of(object)->msg));
}

static VALUE msg_status(VALUE object)
{
    int32_t status = nats_msg_status(self_of(object)->msg);
    return status != 0 ? INT2FIX(status) : Qnil;
}

static VALUE msg_description(VALUE object)
{
    const slot *self = self_of(object);
    size_t len;
    const char *words = nats_msg_description(self->msg, &len);
    return nats_msg_status(self->msg) != 0 ? nrb_str(words, len) : Qnil;
}

static VALUE msg_raw_headers(VALUE object)
{
    size_t len;
    const char *raw = nats_msg_headers_raw(self_of(object)->msg, &len);
    return raw != NULL ? nrb_binary(raw, len) : Qnil;
}

static VALUE msg_header(VALUE object, VALUE key)
{
    VALUE name = RB_SYMBOL_P(key) ? rb_sym2str(key) : key;
    nrb_text wanted = nrb_text_of(&name, "key");
    size_t len;
    const char *value = nats_msg_header(self_of(object)->msg, wanted.ptr, wanted.len, &len);
    RB_GC_GUARD(name);
    return text(value, len);
}

static int freeze_list(VALUE key, VALUE list, VALUE nothing)
{
    (void)key;
    (void)nothing;
    rb_obj_freeze(list);
    return ST_CONTINUE;
}

static VALUE msg_headers(VALUE object)
{
    const slot *self = self_of(object);
    VALUE map = rb_hash_new();
    size_t cursor = 0, key_len, value_len;
    const char *key, *value;
    while (nats_msg_next_header(self->msg, &cursor, &key, &key_len, &value, &value_len) != 0) {
        VALUE name = nrb_str(key, key_len);
        VALUE list = rb_hash_lookup(map, name);
        if (NIL_P(list)) {
            list = rb_ary_new();
            rb_hash_aset(map, name, list);
        }
        rb_ary_push(list, nrb_str(value, value_len));
    }
    rb_hash_foreach(map, freeze_list, Qnil);
    return rb_obj_freeze(map);
}

/* Every pair as it came: an Array of [key, value]. */
static VALUE msg_header_pairs(VALUE object)
{
    const slot *self = self_of(object);
    VALUE list = rb_ary_new();
    size_t cursor = 0, key_len, value_len;
    const char *key, *value;
    while (nats_msg_next_header(self->msg, &cursor, &key, &key_len, &value, &value_len) != 0) {
        rb_ary_push(list, rb_assoc_new(nrb_str(key, key_len), nrb_str(value, value_len)));
    }
    return list;
}

const nats_msg *nrb_msg_get(VALUE object)
{
    return self_of(object)->msg;
}

nats_msg *nrb_msg_own(VALUE object)
{
    return self_of(object)->msg;
}

VALUE nrb_msg_owner(VALUE object)
{
    return self_of(object)->batch->owner;
}

void nrb_message_init(void)
{
    nrb_msg_class = rb_define_class_under(nrb_module, "Message", rb_cObject);
    rb_gc_register_mark_object(nrb_msg_class);
    rb_undef_alloc_func(nrb_msg_class);
    rb_undef_method(rb_singleton_class(nrb_msg_class), "new");
    rb_define_method(nrb_msg_class, "subject", msg_subject, 0);
    rb_define_method(nrb_msg_class, "reply", msg_reply, 0);
    rb_define_method(nrb_msg_class, "data", msg_data, 0);
    rb_define_method(nrb_msg_class, "sid", msg_sid, 0);
    rb_define_method(nrb_msg_class, "status", msg_status, 0);
    rb_define_method(nrb_msg_class, "description", msg_description, 0);
    rb_define_method(nrb_msg_class, "raw_headers", msg_raw_headers, 0);
    rb_define_method(nrb_msg_class, "header", msg_header, 1);
    rb_define_method(nrb_msg_class, "headers", msg_headers, 0);
    rb_define_method(nrb_msg_class, "header_pairs", msg_header_pairs, 0);
    rb_define_method(nrb_msg_class, "client", nrb_msg_owner, 0);
}
