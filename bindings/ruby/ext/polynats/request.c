/* Requests and futures. A request waits as a future, so that an interrupt can be handled while it
 * does and its answer is not lost. */
#include "nrb.h"

static ID request_keys[2], many_keys[5], wait_keys[1];

/* ---- asking ---- */

typedef struct question {
    nats_client *client;
    nrb_text subject;
    nrb_text data;
    const nats_headers *headers;
    int64_t timeout_ms;
    bool many;
    size_t max;
    int64_t stall_ms;
    bool sentinel;
    nats_future *future;
} question;

static nats_status ask_step(void *arg)
{
    question *self = arg;
    if (self->many) {
        return nats_client_request_many(self->client, self->subject.ptr, self->subject.len,
                                        self->headers, self->data.ptr, self->data.len, self->max,
                                        self->stall_ms, self->timeout_ms, self->sentinel,
                                        &self->future);
    }
    return nats_client_request_start(self->client, self->subject.ptr, self->subject.len,
                                     self->headers, self->data.ptr, self->data.len,
                                     self->timeout_ms, &self->future);
}

static void drop_question(void *arg)
{
    question *self = arg;
    nats_future_free(self->future);
}

static void ask_waiting(question *self, VALUE subject, VALUE data)
{
    VALUE kept[] = {nrb_kept(subject), NIL_P(data) ? Qnil : nrb_kept(data)};
    self->subject.ptr = RSTRING_PTR(kept[0]);
    self->data.ptr = NIL_P(data) ? "" : RSTRING_PTR(kept[1]);
    nrb_call call;
    nrb_call_start(&call, ask_step, self, -1);
    call.undo = drop_question;
    nrb_call_check(&call);
    RB_GC_GUARD(kept[0]);
    RB_GC_GUARD(kept[1]);
}

/* Fill in subject, data and headers, and ask. */
static void ask(question *self, VALUE object, int argc, const VALUE *argv, VALUE headers)
{
    VALUE box, subject = argv[0], data = argc > 1 ? argv[1] : Qnil;
    nrb_client *client = nrb_client_get(object);
    self->client = client->client;
    nrb_data_of(&data, "data");
    nrb_text_of(&subject, "subject");
    self->headers = nrb_headers_of(headers, &box);
    self->data = nrb_bytes_of(data);
    self->subject = nrb_bytes_of(subject);
    nats_status status = NATS_ERR_INTERRUPTED;
    if (nrb_client_has_room(client, self->data.len)) {
        status = ask_step(self);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        ask_waiting(self, subject, data);
    } else {
        nrb_check(status);
    }
    nrb_headers_free(box);
    RB_GC_GUARD(subject);
    RB_GC_GUARD(data);
}

/* ---- waiting ---- */

typedef struct waiting {
    nats_future *future;
    bool own; /* the future is ours: it goes with an exception */
    nats_msg *msg;
    VALUE object; /* of the future, when it has one */
    nrb_call call;
} waiting;

static nats_status wait_step(void *arg)
{
    waiting *self = arg;
    return nats_future_wait(self->future, nrb_call_left_ms(&self->call), &self->msg);
}

/* An exception in its place: the request is given up, but a reply that somebody holds a future for
 * is there for the next who asks. */
static void undo_waiting(void *arg)
{
    waiting *self = arg;
    if (self->own) {
        nats_msg_free(self->msg);
        nats_future_free(self->future);
        return;
    }
    nrb_future *future = DATA_PTR(self->object);
    future->msg = self->msg;
    future->busy = false;
}

/* client.request(subject, data = nil, timeout: nil, headers: nil) */
static VALUE client_request(int argc, VALUE *argv, VALUE object)
{
    VALUE words[2];
    nrb_keywords(&argc, argv, 2, request_keys, words);
    rb_check_arity(argc, 1, 2);
    question question = {.timeout_ms = nrb_seconds(words[0], "timeout", -1)};
    ask(&question, object, argc, argv, words[1]);

    waiting self = {.future = question.future, .own = true};
    nrb_call_start(&self.call, wait_step, &self, -1);
    self.call.undo = undo_waiting;
    nats_status status = nrb_call_run(&self.call);
    nats_future_free(question.future);
    if (status != NATS_OK) {
        nrb_call_raise(&self.call);
    }
    return nrb_msg_new(self.msg, object);
}

/* client.request_start(subject, data = nil, timeout: nil, headers: nil) */
static VALUE client_request_start(int argc, VALUE *argv, VALUE object)
{
    VALUE words[2];
    nrb_keywords(&argc, argv, 2, request_keys, words);
    rb_check_arity(argc, 1, 2);
    VALUE made = nrb_future_new(object);
    question question = {.timeout_ms = nrb_seconds(words[0], "timeout", -1)};
    ask(&question, object, argc, argv, words[1]);
    ((nrb_future *)DATA_PTR(made))->future = question.future;
    return made;
}

/* client.request_many_start(subject, data = nil, max:, stall:, timeout:, sentinel:, headers:) */
static VALUE client_request_many(int argc, VALUE *argv, VALUE object)
{
    VALUE words[5];
    nrb_keywords(&argc, argv, 5, many_keys, words);
    rb_check_arity(argc, 1, 2);
    VALUE made = nrb_future_new(object);
    question question = {.many = true,
                         .timeout_ms = nrb_seconds(words[0], "timeout", -1),
                         .max = nrb_count(words[2], "max", 0),
                         .stall_ms = nrb_seconds(words[3], "stall", 0),
                         .sentinel = RTEST(words[4])};
    ask(&question, object, argc, argv, words[1]);
    ((nrb_future *)DATA_PTR(made))->many = true;
    ((nrb_future *)DATA_PTR(made))->future = question.future;
    return made;
}

/* ---- futures ---- */

static VALUE give(nrb_future *self, nats_msg *msg)
{
    if (msg == NULL) {
        return Qnil;
    }
    self->given = true;
    return nrb_msg_new(msg, self->client);
}

static nats_msg *take_kept(nrb_future *self)
{
    nats_msg *msg = self->msg;
    self->msg = NULL;
    return msg;
}

static VALUE wait_for(nrb_future *future, VALUE object, int64_t wait_ms)
{
    if (future->msg != NULL) {
        return give(future, take_kept(future));
    }
    waiting self = {.future = future->future, .object = object};
    nrb_call_start(&self.call, wait_step, &self, wait_ms);
    self.call.undo = undo_waiting;
    future->busy = true;
    nats_status status = nrb_call_run(&self.call);
    future->busy = false;
    if (status != NATS_OK) {
        nrb_call_raise(&self.call);
    }
    return give(future, self.msg);
}

/* future.wait(timeout: nil): the reply; of many the next one, nil at the end */
static VALUE future_wait(int argc, VALUE *argv, VALUE object)
{
    VALUE words[1];
    nrb_keywords(&argc, argv, 1, wait_keys, words);
    nrb_placed(argc, argv, 1, words);
    return wait_for(nrb_future_get(object), object, nrb_seconds(words[0], "timeout", -1));
}

/* The same for who wants all of them: nil when there is no other. */
static VALUE future_next_reply(VALUE object)
{
    nrb_future *self = nrb_future_get(object);
    bool over = self->cancelled || (self->given && !self->many);
    return over && self->msg == NULL ? Qnil : wait_for(self, object, -1);
}

static VALUE future_poll(VALUE object)
{
    nrb_future *self = nrb_future_get(object);
    nats_msg *msg = take_kept(self);
    int32_t done;
    if (msg == NULL) {
        nrb_check(nats_future_poll(self->future, &msg, &done));
    }
    return give(self, msg);
}

static VALUE future_cancel(VALUE object)
{
    nrb_future *self = nrb_future_get(object);
    self->cancelled = true;
    nats_future_cancel(self->future);
    return Qnil;
}

void nrb_request_init(void)
{
    request_keys[0] = many_keys[0] = wait_keys[0] = rb_intern("timeout");
    request_keys[1] = many_keys[1] = rb_intern("headers");
    many_keys[2] = rb_intern("max");
    many_keys[3] = rb_intern("stall");
    many_keys[4] = rb_intern("sentinel");
    rb_define_method(nrb_client_class, "request", client_request, -1);
    rb_define_method(nrb_client_class, "request_start", client_request_start, -1);
    rb_define_method(nrb_client_class, "request_many_start", client_request_many, -1);
    rb_define_method(nrb_future_class, "wait", future_wait, -1);
    rb_define_method(nrb_future_class, "next_reply", future_next_reply, 0);
    rb_define_method(nrb_future_class, "poll", future_poll, 0);
    rb_define_method(nrb_future_class, "cancel", future_cancel, 0);
}
