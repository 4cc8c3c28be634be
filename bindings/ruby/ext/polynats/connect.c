/* Connecting: servers and options as Ruby writes them. */
#include "goal.h"
#include "nrb.h"

#include <stdlib.h>
#include <string.h>

/* ---- servers ---- */

/* nil, a URL, or a list of URLs: as one text with commas that nobody else has. */
static VALUE servers_text(VALUE servers)
{
    if (NIL_P(servers)) {
        return Qnil;
    }
    VALUE text = rb_check_array_type(servers);
    if (NIL_P(text)) {
        text = servers;
    } else {
        if (RARRAY_LEN(text) == 0) {
            nrb_invalid("url", "the list of servers is empty");
        }
        for (long i = 0; i < RARRAY_LEN(text); i++) {
            VALUE url = RARRAY_AREF(text, i);
            nrb_text_of(&url, "url");
        }
        text = rb_ary_join(text, rb_str_new_lit(","));
    }
    nrb_text url = nrb_text_of(&text, "url");
    if (memchr(url.ptr, '\0', url.len) != NULL) {
        nrb_invalid("url", "url has a NUL byte in it");
    }
    return nrb_kept(text);
}

static const char *servers_ptr(VALUE *text)
{
    return NIL_P(*text) ? NULL : StringValueCStr(*text);
}

/* ---- options ---- */

static void options_release(void *options)
{
    nats_options_free(options);
}

static const rb_data_type_t options_type = {
    .wrap_struct_name = "polynats options",
    .function = {.dfree = options_release},
    .flags = RUBY_TYPED_FREE_IMMEDIATELY | RUBY_TYPED_WB_PROTECTED,
};

static nats_status set_number(nats_options *options, const char *name, VALUE value)
{
    if (RB_INTEGER_TYPE_P(value) && nats_options_type(name) != NATS_OPTION_DURATION) {
        return nats_options_set_int(options, name, nrb_integer(value, name));
    }
    return nats_options_set_double(options, name, rb_num2dbl(value));
}

static int set_option(VALUE key, VALUE value, VALUE arg)
{
    nats_options *options = (nats_options *)arg;
    VALUE word = RB_SYMBOL_P(key) ? rb_sym2str(key) : key;
    const char *name = StringValueCStr(word);
    nats_status status;
    if (NIL_P(value)) {
        /* Absent; but a name that is none is an error all the same. */
        bool known = nats_options_type(name) != 0;
        status = known ? NATS_OK : nats_options_set_text(options, name, "", 0);
    } else if (value == Qtrue || value == Qfalse) {
        status = nats_options_set_bool(options, name, value == Qtrue);
    } else if (RTEST(rb_obj_is_kind_of(value, rb_cNumeric))) {
        status = set_number(options, name, value);
    } else {
        VALUE text = RB_SYMBOL_P(value) ? rb_sym2str(value) : value;
        nrb_text words = nrb_text_of(&text, name);
        status = nats_options_set_text(options, name, words.ptr, words.len);
        RB_GC_GUARD(text);
    }
    RB_GC_GUARD(word);
    nrb_check(status);
    return ST_CONTINUE;
}

static VALUE options_of(VALUE given)
{
    nats_options *options;
    VALUE box = TypedData_Wrap_Struct(rb_cObject, &options_type, NULL);
    nrb_check(nats_options_new(&options));
    DATA_PTR(box) = options;
    if (!NIL_P(given)) {
        Check_Type(given, T_HASH);
        rb_hash_foreach(given, set_option, (VALUE)options);
    }
    return box;
}

static void options_free(VALUE box)
{
    nats_options_free(DATA_PTR(box));
    DATA_PTR(box) = NULL;
}

/* ---- connect ---- */

typedef struct connecting {
    const char *url;
    const nats_options *options;
    nats_client *client;
    nats_future *future;
} connecting;

/* One future for all of it: a signal begins no attempt, and no time, anew. */
static nats_status await_step(void *arg)
{
    nats_msg *none = NULL;
    return nats_future_wait(((connecting *)arg)->future, -1, &none); /* it knows its own time */
}

static void drop_client(void *arg)
{
    connecting *self = arg;
    nats_future_free(self->future);
    nats_client_free(self->client);
}

/* The program could answer only once it has the client. */
static bool asks_nobody(VALUE given)
{
    static const char name[] = "ask_credentials";
    return !NIL_P(given) && (RTEST(rb_hash_lookup(given, ID2SYM(rb_intern(name)))) ||
                             RTEST(rb_hash_lookup(given, rb_str_new_cstr(name))));
}

static void connect_waiting(connecting *self)
{
    nrb_call call;
    nrb_check(nats_connect_start(self->url, self->options, &self->client, &self->future));
    nrb_call_start(&call, await_step, self, -1);
    call.undo = drop_client;
    if (nrb_call_run(&call) != NATS_OK) {
        drop_client(self);
        nrb_call_raise(&call);
    }
    nats_future_free(self->future);
}

/* Polynats::Client.open(servers, options) */
static VALUE client_open(VALUE klass, VALUE servers, VALUE given)
{
    (void)klass;
    VALUE text = servers_text(servers);
    VALUE box = options_of(given);
    /* An interrupt must end a call that waits. */
    nrb_check(nats_options_set_bool(DATA_PTR(box), "interruptible", 1));
    if (asks_nobody(given)) {
        nrb_check(nats_options_set_bool(DATA_PTR(box), "credentials_hook", 1));
    }
    VALUE object = nrb_client_new();
    connecting self = {.url = servers_ptr(&text), .options = DATA_PTR(box)};
    if (nrb_has_scheduler()) {
        self.client = nrb_goal_connect(self.url, self.options);
    } else {
        connect_waiting(&self);
    }
    ((nrb_client *)DATA_PTR(object))->client = self.client;
    options_free(box);
    RB_GC_GUARD(text);
    return object;
}

/* Polynats::Client.open_start(servers, options): the client, and a future for its connection */
static VALUE client_open_start(VALUE klass, VALUE servers, VALUE given)
{
    (void)klass;
    VALUE text = servers_text(servers);
    VALUE box = options_of(given);
    nrb_check(nats_options_set_bool(DATA_PTR(box), "interruptible", 1));
    VALUE object = nrb_client_new();
    VALUE future = nrb_future_new(object);
    nats_client *client;
    nats_future *made;
    nrb_check(nats_connect_start(servers_ptr(&text), DATA_PTR(box), &client, &made));
    ((nrb_client *)DATA_PTR(object))->client = client;
    ((nrb_future *)DATA_PTR(future))->future = made;
    options_free(box);
    RB_GC_GUARD(text);
    return rb_assoc_new(object, future);
}

/* client.share: another client on the same connection */
static VALUE client_share(VALUE object)
{
    VALUE made = nrb_client_new_like(object);
    nrb_client *self = DATA_PTR(made);
    nrb_check(nats_client_share(nrb_client_get(object)->client, &self->client));
    return made;
}

/* ---- subscribe ---- */

static ID subscribe_keys[5];

/* What may wait: 0, which the library takes for the client's option, is said with nil. */
static int64_t limit_of(VALUE value, const char *what)
{
    int64_t limit = NIL_P(value) ? 0 : nrb_integer(value, what);
    if (limit == 0 && !NIL_P(value)) {
        nrb_invalid(what, "%s must be 1 or more, or -1 for no limit, not 0", what);
    }
    return limit;
}

typedef struct subscribing {
    nats_client *client;
    nrb_text subject;
    nrb_text queue;
    uint64_t max;
    int64_t msgs;
    int64_t bytes;
    int32_t mode;
    nats_sub *sub;
} subscribing;

static nats_status subscribe_step(void *arg)
{
    subscribing *self = arg;
    return nats_client_subscribe_with(self->client, self->subject.ptr, self->subject.len,
                                      self->queue.ptr, self->queue.len, self->max, self->msgs,
                                      self->bytes, self->mode, &self->sub);
}

static void drop_sub(void *arg)
{
    subscribing *self = arg;
    if (self->sub != NULL) {
        nats_sub_unsubscribe(self->sub, 0);
        nats_sub_free(self->sub);
    }
}

/* As a publish, it waits while the server takes nothing. */
static void subscribe_waiting(subscribing *self, VALUE subject, VALUE queue)
{
    VALUE kept[] = {nrb_keep(subject, &self->subject), nrb_keep(queue, &self->queue)};
    nrb_call call;
    nrb_call_start(&call, subscribe_step, self, -1);
    call.undo = drop_sub;
    nrb_call_check(&call);
    RB_GC_GUARD(kept[0]);
    RB_GC_GUARD(kept[1]);
}

static nats_sub *subscribe(nrb_client *client, subscribing *self, VALUE subject, VALUE queue)
{
    nats_status status = NATS_ERR_INTERRUPTED;
    self->client = client->client;
    if (nrb_client_has_room(client, self->subject.len + self->queue.len)) {
        status = subscribe_step(self);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        subscribe_waiting(self, subject, queue);
    } else {
        nrb_check(status);
    }
    return self->sub;
}

/* client.open_sub(subject, queue:, max:, pending_msgs:, pending_bytes:, mode:) */
static VALUE client_open_sub(int argc, VALUE *argv, VALUE object)
{
    VALUE words[5];
    nrb_keywords(&argc, argv, 5, subscribe_keys, words);
    rb_check_arity(argc, 1, 1);
    VALUE subject = argv[0], queue = words[0];
    subscribing self = {.max = nrb_count(words[1], "max", 0),
                        .msgs = limit_of(words[2], "pending_msgs"),
                        .bytes = limit_of(words[3], "pending_bytes"),
                        .mode = NIL_P(words[4]) ? NATS_SUB_SHARED : nrb_small(words[4], "mode")};
    VALUE made = nrb_sub_new(object);
    nrb_text_of(&subject, "subject");
    if (!NIL_P(queue)) {
        nrb_text_of(&queue, "queue");
        self.queue = nrb_bytes_of(queue);
    }
    self.subject = nrb_bytes_of(subject);
    nrb_sub *sub = DATA_PTR(made);
    sub->sub = subscribe(nrb_client_get(object), &self, subject, queue);
    sub->shared = self.mode == NATS_SUB_SHARED;
    RB_GC_GUARD(subject);
    RB_GC_GUARD(queue);
    return made;
}

/* ---- the protocol without I/O ---- */

/* Polynats::Proto.open(servers, options, seed) */
static VALUE proto_open(VALUE klass, VALUE servers, VALUE given, VALUE seed)
{
    (void)klass;
    VALUE text = servers_text(servers);
    VALUE box = options_of(given);
    nrb_text random = nrb_data_of(&seed, "seed");
    VALUE object = nrb_proto_new(NULL);
    nats_proto *proto;
    nrb_check(nats_proto_new(servers_ptr(&text), DATA_PTR(box), random.ptr, random.len, &proto));
    DATA_PTR(object) = proto;
    options_free(box);
    RB_GC_GUARD(text);
    RB_GC_GUARD(seed);
    return object;
}

/* proto.raw_publish(subject, data, reply, headers) */
static VALUE proto_publish(VALUE object, VALUE subject, VALUE data, VALUE reply, VALUE headers)
{
    VALUE box;
    nrb_text_of(&subject, "subject");
    nrb_data_of(&data, "data");
    if (!NIL_P(reply)) {
        nrb_text_of(&reply, "reply");
    }
    const nats_headers *list = nrb_headers_of(headers, &box);
    nrb_text to = nrb_bytes_of(subject);
    nrb_text payload = nrb_bytes_of(data);
    nrb_text answer = NIL_P(reply) ? (nrb_text){NULL, 0} : nrb_bytes_of(reply);
    nrb_check(nats_proto_publish(nrb_proto_get(object), to.ptr, to.len, answer.ptr, answer.len,
                                 list, payload.ptr, payload.len));
    nrb_headers_free(box);
    RB_GC_GUARD(subject);
    RB_GC_GUARD(data);
    RB_GC_GUARD(reply);
    return object;
}

/* proto.raw_subscribe(subject, queue, max, sid) */
static VALUE proto_subscribe(VALUE object, VALUE subject, VALUE queue, VALUE max, VALUE wanted)
{
    uint64_t sid = 0;
    nrb_text_of(&subject, "subject");
    nrb_text_of(&queue, "queue");
    nrb_text to = nrb_bytes_of(subject);
    nrb_text group = nrb_bytes_of(queue);
    nrb_check(nats_proto_subscribe(nrb_proto_get(object), to.ptr, to.len, group.ptr, group.len,
                                   nrb_count(max, "max", 0), nrb_count(wanted, "sid", 0), &sid));
    RB_GC_GUARD(subject);
    RB_GC_GUARD(queue);
    return ULL2NUM(sid);
}

static VALUE sub_client(VALUE object)
{
    return nrb_sub_get(object)->client;
}

static VALUE future_client(VALUE object)
{
    return nrb_future_get(object)->client;
}

void nrb_connect_init(void)
{
    const char *names[] = {"queue", "max", "pending_msgs", "pending_bytes", "mode"};
    for (int i = 0; i < 5; i++) {
        subscribe_keys[i] = rb_intern(names[i]);
    }
    rb_define_singleton_method(nrb_client_class, "open", client_open, 2);
    rb_define_singleton_method(nrb_client_class, "open_start", client_open_start, 2);
    rb_define_method(nrb_client_class, "open_share", client_share, 0);
    rb_define_method(nrb_client_class, "open_sub", client_open_sub, -1);
    rb_define_method(nrb_sub_class, "client", sub_client, 0);
    rb_define_method(nrb_future_class, "client", future_client, 0);
    rb_define_singleton_method(nrb_proto_class, "open", proto_open, 3);
    rb_define_method(nrb_proto_class, "raw_publish", proto_publish, 4);
    rb_define_method(nrb_proto_class, "raw_subscribe", proto_subscribe, 4);
}
