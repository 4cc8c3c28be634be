/* Acknowledging messages of JetStream, and their place in the stream. */
#include "nrb_js.h"

enum { ACK_SIZE = 64 /* about */ };

static ID nak_keys[1], term_keys[1], sync_keys[1];
static VALUE place_class;

static VALUE owner_of(VALUE object)
{
    VALUE owner = nrb_msg_owner(object);
    if (NIL_P(owner)) {
        nrb_invalid("msg", "msg was not delivered by a consumer of JetStream: there is nothing to "
                           "acknowledge");
    }
    return owner;
}

/* ---- one ---- */

typedef struct settling {
    nats_client *client;
    nats_msg *msg;
    int32_t how;
    int64_t delay_ms;
    nrb_text reason;
} settling;

static nats_status settle_step(void *arg)
{
    settling *self = arg;
    return nats_client_ack(self->client, self->msg, self->how, self->delay_ms, self->reason.ptr,
                           self->reason.len);
}

static VALUE settle(VALUE object, int32_t how, VALUE delay, VALUE reason)
{
    VALUE owner = owner_of(object);
    VALUE words = NIL_P(reason) ? Qnil : rb_str_new_frozen(StringValue(reason));
    settling call = {.client = nrb_client_get(owner)->client, .msg = nrb_msg_own(object)};
    call.how = how;
    call.delay_ms = nrb_seconds(delay, "delay", 0);
    if (!NIL_P(words)) {
        call.reason = nrb_text_of(&words, "reason");
    }
    nrb_js_begin(owner, ACK_SIZE, settle_step, NULL, &call, NULL);
    RB_GC_GUARD(words);
    RB_GC_GUARD(object);
    return object;
}

static VALUE msg_ack(VALUE object)
{
    return settle(object, NATS_ACK, Qnil, Qnil);
}

static VALUE msg_in_progress(VALUE object)
{
    return settle(object, NATS_IN_PROGRESS, Qnil, Qnil);
}

/* msg.nak(delay: nil) */
static VALUE msg_nak(int argc, VALUE *argv, VALUE object)
{
    VALUE words[1];
    nrb_keywords(&argc, argv, 1, nak_keys, words);
    nrb_placed(argc, argv, 1, words);
    return settle(object, NATS_NAK, words[0], Qnil);
}

/* msg.term(reason: nil) */
static VALUE msg_term(int argc, VALUE *argv, VALUE object)
{
    VALUE words[1];
    nrb_keywords(&argc, argv, 1, term_keys, words);
    nrb_placed(argc, argv, 1, words);
    return settle(object, NATS_TERM, Qnil, words[0]);
}

/* ---- double ack ---- */

typedef struct confirming {
    nats_client *client;
    nats_msg *msg;
    int64_t timeout_ms;
    nats_future *future;
} confirming;

static nats_status confirm_step(void *arg)
{
    confirming *self = arg;
    return nats_client_ack_sync_start(self->client, self->msg, self->timeout_ms, &self->future);
}

static void drop_future(void *arg)
{
    nats_future_free(((confirming *)arg)->future);
}

/* msg.open_ack_sync(timeout: nil): a future */
static VALUE msg_open_ack_sync(int argc, VALUE *argv, VALUE object)
{
    VALUE words[1], owner = owner_of(object);
    nrb_keywords(&argc, argv, 1, sync_keys, words);
    nrb_placed(argc, argv, 1, words);
    confirming call = {.client = nrb_client_get(owner)->client, .msg = nrb_msg_own(object)};
    call.timeout_ms = nrb_seconds(words[0], "timeout", -1);
    VALUE made = nrb_future_new(owner);
    nrb_js_begin(owner, ACK_SIZE, confirm_step, drop_future, &call, NULL);
    RB_GC_GUARD(object);
    return nrb_js_future(made, call.future);
}

/* ---- many ---- */

typedef struct acking {
    nats_client *client;
    nats_msg **batch;
    size_t count;
    size_t acked;
} acking;

/* What was acknowledged in an earlier step is passed over in the next. */
static nats_status ack_step(void *arg)
{
    acking *self = arg;
    size_t acked = 0;
    nats_status status = nats_client_ack_many(self->client, self->batch, self->count, &acked);
    self->acked += acked;
    return status;
}

/* client.ack_many(messages): how many were acknowledged */
static VALUE client_ack_many(VALUE object, VALUE messages)
{
    VALUE buffer = 0;
    VALUE list = rb_check_array_type(messages);
    if (NIL_P(list)) {
        rb_raise(rb_eTypeError, "messages must be an Array of Messages, not %" PRIsVALUE,
                 rb_obj_class(messages));
    }
    list = rb_ary_dup(list);
    acking call = {.client = nrb_client_get(object)->client, .count = (size_t)RARRAY_LEN(list)};
    call.batch = ALLOCV_N(nats_msg *, buffer, call.count + 1);
    for (size_t i = 0; i < call.count; i++) {
        call.batch[i] = nrb_msg_own(RARRAY_AREF(list, (long)i));
    }
    nrb_js_begin(object, call.count * ACK_SIZE, ack_step, NULL, &call, NULL);
    ALLOCV_END(buffer);
    RB_GC_GUARD(list);
    return SIZET2NUM(call.acked);
}

/* ---- the place in the stream ---- */

static VALUE text_of(const nats_msg *msg, int32_t what)
{
    size_t len;
    const char *text = nats_msg_js_text(msg, what, &len);
    return nrb_str(text != NULL ? text : "", text != NULL ? len : 0);
}

static VALUE domain_of(const nats_msg *msg)
{
    size_t len;
    const char *text = nats_msg_js_text(msg, NATS_JS_DOMAIN, &len);
    return text != NULL && len > 0 ? nrb_str(text, len) : Qnil;
}

/* msg.metadata: a Metadata, or nil */
static VALUE msg_metadata(VALUE object)
{
    uint64_t values[NATS_JS_UINT_COUNT];
    const nats_msg *msg = nrb_msg_get(object);
    if (nats_msg_js_uints(msg, values) == 0) {
        return Qnil;
    }
    VALUE place = rb_struct_new(
        place_class, text_of(msg, NATS_JS_STREAM), text_of(msg, NATS_JS_CONSUMER),
        ULL2NUM(values[NATS_JS_STREAM_SEQ]), ULL2NUM(values[NATS_JS_CONSUMER_SEQ]),
        ULL2NUM(values[NATS_JS_DELIVERED]), ULL2NUM(values[NATS_JS_PENDING]),
        nrb_time((int64_t)values[NATS_JS_TIME_NS]), domain_of(msg));
    return rb_obj_freeze(place);
}

void nrb_ack_init(void)
{
    nak_keys[0] = rb_intern("delay");
    term_keys[0] = rb_intern("reason");
    sync_keys[0] = rb_intern("timeout");
    place_class = rb_struct_define_under(nrb_module, "Metadata", "stream", "consumer", "stream_seq",
                                         "consumer_seq", "delivered", "pending", "time", "domain",
                                         NULL);
    rb_gc_register_mark_object(place_class);
    rb_define_method(nrb_msg_class, "ack", msg_ack, 0);
    rb_define_method(nrb_msg_class, "nak", msg_nak, -1);
    rb_define_method(nrb_msg_class, "in_progress", msg_in_progress, 0);
    rb_define_method(nrb_msg_class, "term", msg_term, -1);
    rb_define_method(nrb_msg_class, "metadata", msg_metadata, 0);
    rb_define_method(nrb_msg_class, "open_ack_sync", msg_open_ack_sync, -1);
    rb_define_method(nrb_client_class, "ack_many", client_ack_many, 1);
}
