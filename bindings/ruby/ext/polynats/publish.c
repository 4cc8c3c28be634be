/* Publishing: one crossing, the GVL kept while the library need not wait. */
#include "nrb.h"

#include <string.h>

enum {
    /* The library waits for the server when 120 KiB are unwritten (docs/delivery.md). We look after
     * every 32 KiB, and go on with the GVL when less than 80 KiB are. */
    LOOK_EVERY = 32 * 1024,
    ROOM_BELOW = 80 * 1024,
    /* Payloads of one inner call of publish_many. */
    SLICE = 128
};

static ID publish_keys[2], respond_keys[1];
static size_t unwritten_index;

/* ---- does it wait? ---- */

bool nrb_client_has_room(nrb_client *client, size_t len)
{
    nrb_meter *meter = client->meter;
    meter->bytes += len;
    if (RB_LIKELY(meter->bytes < LOOK_EVERY)) {
        return true;
    }
    uint64_t values[NRB_STATS_MAX];
    size_t count = nats_client_stats(client->client, values, NRB_STATS_MAX);
    bool room = unwritten_index >= count || values[unwritten_index] < ROOM_BELOW;
    meter->bytes = room ? len : LOOK_EVERY;
    return room;
}

/* ---- publish ---- */

typedef struct publishing {
    nats_client *client;
    nrb_text subject;
    nrb_text reply;
    const nats_headers *headers;
    nrb_text data;
    const nats_msg *msg;
} publishing;

static nats_status publish_step(void *arg)
{
    const publishing *self = arg;
    if (self->msg != NULL) {
        return nats_client_respond(self->client, self->msg, self->headers, self->data.ptr,
                                   self->data.len);
    }
    return nats_client_publish_with(self->client, self->subject.ptr, self->subject.len,
                                    self->reply.ptr, self->reply.len, self->headers,
                                    self->data.ptr, self->data.len);
}

static void publish_waiting(publishing *self, VALUE subject, VALUE reply, VALUE data)
{
    VALUE kept[] = {nrb_keep(subject, &self->subject), nrb_keep(reply, &self->reply),
                    nrb_keep(data, &self->data)};
    nrb_call call;
    nrb_call_start(&call, publish_step, self, -1);
    nrb_call_check(&call);
    RB_GC_GUARD(kept[0]);
    RB_GC_GUARD(kept[1]);
    RB_GC_GUARD(kept[2]);
}

/* The meter is a guess: a signal may find the library waiting all the same. */
static void publish_or_wait(publishing *self, nrb_client *client, const VALUE *strings)
{
    nats_status status = NATS_ERR_INTERRUPTED;
    if (nrb_client_has_room(client, self->data.len)) {
        status = publish_step(self);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        publish_waiting(self, strings[0], strings[1], strings[2]);
    } else {
        nrb_check(status);
    }
}

static VALUE publish_with(int argc, VALUE *argv, VALUE object)
{
    VALUE words[2], box;
    nrb_keywords(&argc, argv, 2, publish_keys, words);
    rb_check_arity(argc, 1, 2);
    VALUE subject = argv[0], data = argc > 1 ? argv[1] : Qnil, reply = words[0];
    nrb_client *client = nrb_client_get(object);
    publishing self = {.client = client->client, .data = nrb_data_of(&data, "data")};
    self.subject = nrb_text_of(&subject, "subject");
    if (!NIL_P(reply)) {
        self.reply = nrb_text_of(&reply, "reply");
    }
    self.headers = nrb_headers_of(words[1], &box);
    self.data = nrb_bytes_of(data);
    self.subject = nrb_bytes_of(subject);
    if (!NIL_P(reply)) {
        self.reply = nrb_bytes_of(reply);
    }
    publish_or_wait(&self, client, (VALUE[]){subject, reply, data});
    nrb_headers_free(box);
    RB_GC_GUARD(subject);
    RB_GC_GUARD(reply);
    RB_GC_GUARD(data);
    return object;
}

static VALUE client_publish(int argc, VALUE *argv, VALUE object)
{
    if (argc != 2 || rb_keyword_given_p()) {
        return publish_with(argc, argv, object);
    }
    VALUE subject = argv[0], data = argv[1];
    nrb_client *client = nrb_client_get(object);
    nrb_data_of(&data, "data");
    nrb_text to = nrb_text_of(&subject, "subject");
    nrb_text payload = nrb_bytes_of(data);
    if (RB_UNLIKELY(!nrb_client_has_room(client, payload.len))) {
        return publish_with(argc, argv, object);
    }
    nats_status status =
        nats_client_publish(client->client, to.ptr, to.len, payload.ptr, payload.len);
    if (RB_UNLIKELY(status == NATS_ERR_INTERRUPTED)) {
        return publish_with(argc, argv, object);
    }
    nrb_check(status);
    RB_GC_GUARD(subject);
    RB_GC_GUARD(data);
    return object;
}

/* ---- publish_many ---- */

typedef struct many {
    nats_client *client;
    nrb_text subject;
    const void *datas[SLICE];
    size_t lens[SLICE];
    size_t count;
    size_t published;
} many;

static nats_status many_step(void *arg)
{
    many *self = arg;
    size_t published = 0;
    nats_status status = nats_client_publish_many(
        self->client, self->subject.ptr, self->subject.len, self->datas + self->published,
        self->lens + self->published, self->count - self->published, &published);
    self->published += published;
    return status;
}

static void check_payload(VALUE data, long index)
{
    if (RB_UNLIKELY(!RB_TYPE_P(data, T_STRING) && !NIL_P(data))) {
        rb_raise(rb_eTypeError, "data: entry %ld must be a String or nil, not %" PRIsVALUE, index,
                 rb_obj_class(data));
    }
}

/* The next payloads of the list, as many as may go without another look. While it was waited for
 * the ones before, others may have changed it. */
static size_t fill_slice(many *self, VALUE list, long from)
{
    size_t bytes = 0;
    self->count = 0;
    self->published = 0;
    while (self->count < SLICE && from + (long)self->count < RARRAY_LEN(list) &&
           bytes < LOOK_EVERY) {
        VALUE data = RARRAY_AREF(list, from + (long)self->count);
        check_payload(data, from + (long)self->count);
        nrb_text text = nrb_bytes_of(data);
        self->datas[self->count] = text.ptr;
        self->lens[self->count] = text.len;
        bytes += text.len;
        self->count++;
    }
    return bytes;
}

/* While we wait, the payloads are held by a list that nobody else has. */
static void many_waiting(many *self, VALUE subject, VALUE list, long from)
{
    VALUE kept = rb_ary_new_capa((long)self->count);
    VALUE to = nrb_keep(subject, &self->subject);
    for (size_t i = 0; i < self->count; i++) {
        nrb_text text = {"", 0};
        rb_ary_push(kept, nrb_keep(RARRAY_AREF(list, from + (long)i), &text));
        self->datas[i] = text.ptr;
        self->lens[i] = text.len;
    }
    nrb_call call;
    nrb_call_start(&call, many_step, self, -1);
    nrb_call_check(&call);
    RB_GC_GUARD(kept);
    RB_GC_GUARD(to);
}

/* A wrong one is found before any is published. */
static void check_payloads(VALUE list)
{
    for (long i = 0; i < RARRAY_LEN(list); i++) {
        check_payload(RARRAY_AREF(list, i), i);
    }
}

static VALUE client_publish_many(VALUE object, VALUE subject, VALUE datas)
{
    nrb_client *client = nrb_client_get(object);
    VALUE list = rb_check_array_type(datas);
    if (NIL_P(list)) {
        rb_raise(rb_eTypeError, "data must be an Array of Strings, not %" PRIsVALUE,
                 rb_obj_class(datas));
    }
    check_payloads(list);
    many self = {.client = client->client, .subject = nrb_text_of(&subject, "subject")};
    long done = 0;
    do {
        size_t bytes = fill_slice(&self, list, done);
        nats_status status = NATS_ERR_INTERRUPTED;
        if (nrb_client_has_room(client, bytes)) {
            status = many_step(&self);
        }
        if (status == NATS_ERR_INTERRUPTED) {
            many_waiting(&self, subject, list, done);
        } else {
            nrb_check(status);
        }
        done += (long)self.count;
    } while (done < RARRAY_LEN(list));
    RB_GC_GUARD(subject);
    RB_GC_GUARD(list);
    return LONG2NUM(done);
}

/* ---- respond ---- */

/* msg.respond(data = nil, headers: nil) */
static VALUE msg_respond(int argc, VALUE *argv, VALUE object)
{
    VALUE words[1], box;
    nrb_keywords(&argc, argv, 1, respond_keys, words);
    rb_check_arity(argc, 0, 1);
    VALUE owner = nrb_msg_owner(object);
    if (NIL_P(owner)) {
        nrb_invalid("msg", "this message came by no client: publish the answer yourself");
    }
    nrb_client *client = nrb_client_get(owner);
    VALUE data = argc > 0 ? argv[0] : Qnil;
    publishing self = {.client = client->client, .msg = nrb_msg_get(object)};
    nrb_data_of(&data, "data");
    self.headers = nrb_headers_of(words[0], &box);
    self.data = nrb_bytes_of(data);
    publish_or_wait(&self, client, (VALUE[]){Qnil, Qnil, data});
    nrb_headers_free(box);
    RB_GC_GUARD(data);
    return object;
}

void nrb_publish_init(void)
{
    publish_keys[0] = rb_intern("reply");
    publish_keys[1] = rb_intern("headers");
    respond_keys[0] = publish_keys[1];
    while (nats_stats_name(unwritten_index) != NULL &&
           strcmp(nats_stats_name(unwritten_index), "unwritten_bytes") != 0) {
        unwritten_index++;
    }
    rb_define_method(nrb_client_class, "publish", client_publish, -1);
    rb_define_method(nrb_client_class, "publish_many", client_publish_many, 2);
    rb_define_method(nrb_msg_class, "respond", msg_respond, -1);
}
