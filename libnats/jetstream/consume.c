#include "jetstream/consume.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
#include "base/error.h"
#include "jetstream/ack.h"
#include "jetstream/answer.h"
#include "jetstream/level.h"
#include "jetstream/place.h"
#include "proto/headers.h"
#include "proto/subject.h"

enum {
    LETTER_ANSWER = 'a', /* the last token of our inbox begins so */
    LETTER_PULL = 'p',
    NO_RESPONDERS = 503
};

static nats__consume *of(nats__hook *hook)
{
    return (nats__consume *)hook;
}

/* ---- time ---- */

/* on_time when something is due. A later time than what is set is found then. */
void nats__consume_arm(nats__consume *self)
{
    int64_t due = self->kind->due_ns(self);
    due = self->question != 0 && self->answer_by_ns < due ? self->answer_by_ns : due;
    if (due < self->hook.due_ns) {
        nats__hook_due(&self->hook, due);
    }
}

/* ---- sending ---- */

bool nats__consume_send(nats__consume *self, const char *subject, size_t subject_len, char letter,
                        uint64_t number, const char *body)
{
    nats__conn *conn = nats__consume_conn(self);
    char reply[NATS_SUBJECT_MAX + NATS__DECIMAL_MAX + 2];
    memcpy(reply, self->hook.sub->rec.subject, self->inbox_len);
    size_t len = self->inbox_len;
    reply[len++] = letter;
    len += nats__decimal_write(reply + len, number);
    nats__frame frame = {.subject = subject,
                         .subject_len = subject_len,
                         .reply = reply,
                         .reply_len = len,
                         .data = body,
                         .data_len = body != NULL ? strlen(body) : 0,
                         .epoch = conn->epoch + 1};
    return nats__conn_send(conn, &frame) == NATS_OK;
}

/* "<prefix><verb>.<stream>.<rest>", "<prefix><verb>.<stream>", or "<prefix><verb>" */
static size_t api_subject(const nats__consume *self, const char *verb, const char *rest, char *out,
                          size_t size)
{
    const char *stream = rest != NULL ? self->args.stream : "";
    int len = snprintf(out, size, "%s%s%s%s%s%s", self->js->prefix, verb, rest != NULL ? "." : "",
                       stream, rest != NULL && rest[0] != '\0' ? "." : "",
                       rest != NULL ? rest : "");
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

bool nats__consume_ask(nats__consume *self, const char *verb, const char *rest, const char *body)
{
    char subject[NATS_SUBJECT_MAX + 1];
    size_t len = api_subject(self, verb, rest, subject, sizeof subject);
    if (len == 0) {
        nats__fail(NATS_ERR_INVALID, "stream", "the subject of %s is too long", verb);
        return false;
    }
    if (!nats__consume_send(self, subject, len, LETTER_ANSWER, self->questions + 1, body)) {
        return false;
    }
    if (self->future != NULL) {
        self->future->subject.len = 0; /* what may be refused */
        nats__buf_append(&self->future->subject, subject, len);
    }
    self->question = ++self->questions;
    self->answer_by_ns =
        self->future != NULL ? INT64_MAX : nats__now_ns() + self->js->timeout_ms * NATS__MS;
    return true;
}

void nats__consume_tell(nats__consume *self, const char *verb, const char *rest)
{
    nats__conn *conn = nats__consume_conn(self);
    char subject[NATS_SUBJECT_MAX + 1];
    nats__frame frame = {.subject = subject, .epoch = conn->epoch + 1};
    frame.subject_len = api_subject(self, verb, rest, subject, sizeof subject);
    if (frame.subject_len > 0 && conn->connected && !conn->closed) {
        nats__conn_send(conn, &frame);
    }
}

/* {"stream_name":…,"action":"create","config":…}; owned. NULL: memory is out. */
static char *create_body(const nats__consume *self, const nats__json *config)
{
    nats__json *head = nats__json_object();
    nats__json_set_text(head, "stream_name", self->args.stream, strlen(self->args.stream));
    nats__json_set_text(head, "action", "create", 6);
    char *front = nats__json_write(head);
    char *back = nats__json_write(config);
    nats__buf out = {0};
    bool ok = front != NULL && back != NULL &&
              nats__buf_append(&out, front, strlen(front) - 1) &&
              nats__buf_append_text(&out, ",\"config\":") && nats__buf_append_text(&out, back) &&
              nats__buf_append(&out, "}", 2);
    nats__json_free(head);
    free(front);
    free(back);
    if (!ok) {
        nats__buf_free(&out);
        nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
        return NULL;
    }
    return (char *)out.data;
}

/* A single filter stands in the subject too (ADR-34). */
bool nats__consume_create(nats__consume *self, const char *name, const nats__json *config)
{
    char rest[NATS_SUBJECT_MAX + 1];
    const char *filter = "";
    size_t len = 0;
    nats__json_text(nats__json_get(config, "filter_subject"), &filter, &len);
    int made = snprintf(rest, sizeof rest, "%s%s%s", name, len > 0 ? "." : "", filter);
    if (made < 0 || (size_t)made >= sizeof rest) {
        nats__fail(NATS_ERR_INVALID, "filter_subject", "filter_subject is too long");
        return false;
    }
    char *body = create_body(self, config);
    bool asked = body != NULL && nats__consume_ask(self, "CONSUMER.CREATE", rest, body);
    free(body);
    return asked;
}

bool nats__consume_compare(const nats__consume *self, const char *object,
                           const nats__answer *answer)
{
    const char *text = self->args.config;
    nats__json *asked = text != NULL ? nats__json_parse(text, strlen(text), NULL) : NULL;
    nats__js_dropped dropped =
        nats__js_answer_compare(object, asked, nats__json_get(answer->doc, "config"));
    nats__json_free(asked);
    if (dropped.names[0] != '\0') {
        nats__fail(NATS_ERR_NOT_SUPPORTED, dropped.names,
                   "%s: the server left out %s, which came with nats-server %s (connected to "
                   "nats-server %s)", nats__consume_whose(self).text, dropped.names, dropped.since,
                   nats__js_server_version(nats__consume_conn(self)));
    }
    return dropped.names[0] == '\0';
}

bool nats__consume_probe(nats__consume *self)
{
    return nats__consume_ask(self, "CONSUMER.INFO", self->args.consumer, NULL);
}

/* ---- how it began, and the words of the server ---- */

void nats__consume_fail(nats__consume *self)
{
    nats__error why = *nats__error_get();
    nats_future *future = self->future;
    if (future != NULL) {
        self->future = NULL;
        nats__future_fail(future);
        nats__hook_end(&self->hook, NULL);
        return;
    }
    nats__hook_end(&self->hook, &why);
}

void nats__consume_ready(nats__consume *self, const nats__answer *answer)
{
    nats_future *future = self->future;
    self->ready = true;
    self->future = NULL;
    if (future == NULL) {
        nats__consume_take(self, answer->msg);
        return;
    }
    nats__future_give(future, answer->msg);
    nats__future_end(future, NATS_OK);
}

const char *nats__msg_find_header(const nats_msg *msg, const char *key, size_t *len_out)
{
    const char *block = (const char *)msg->text + msg->body;
    size_t wanted = strlen(key);
    size_t at = 0;
    const char *found;
    const char *value;
    size_t found_len;
    while (nats__headers_next(block, msg->header_len, &at, &found, &found_len, &value, len_out)) {
        if (found_len == wanted && memcmp(found, key, wanted) == 0) {
            return value;
        }
    }
    return NULL;
}

bool nats__word_uint(const nats__word *word, const char *key, uint64_t *out)
{
    size_t len;
    const char *value = nats__msg_find_header(word->msg, key, &len);
    return value != NULL && nats__decimal_read(value, len, out);
}

bool nats__word_says(const nats__word *word, const char *text)
{
    size_t len = strlen(text);
    return word->len >= len && strncasecmp(word->text, text, len) == 0;
}

/* ---- messages ---- */

void nats__consume_take(nats__consume *self, nats_msg *msg)
{
    nats__consume_conn(self)->totals.delivered++;
    nats__chunk_unref(msg->chunk, 1);
}

void nats__consume_forget(nats__consume *self, nats_msg *msg)
{
    nats__consume_conn(self)->totals.dropped++;
    nats__chunk_unref(msg->chunk, 1);
}

void nats__consume_drop(nats__consume *self, nats_msg *msg)
{
    self->hook.sub->dropped++;
    self->hook.sub->received++;
    nats__consume_forget(self, msg);
}

/* Without acks nothing comes twice. A number that is not behind the last one is of another consumer, made
 * under that name since, and what it wants is not known: its acks are sent. */
static bool is_of_another(nats__consume *self, const nats_msg *msg)
{
    nats__place place;
    const char *reply = (const char *)msg->text + msg->reply;
    if (self->args.how == NATS__HOW_ORDERED || !nats__place_parse(reply, msg->reply_len, &place)) {
        return false;
    }
    bool another = place.consumer_seq <= self->none_seq;
    self->none_seq = place.consumer_seq;
    return another;
}

bool nats__consume_push(nats__consume *self, nats_msg *msg, int64_t now_ns)
{
    self->acks_none = self->acks_none && !is_of_another(self, msg);
    if (self->acks_none) {
        atomic_store_explicit(&msg->acked, NATS__ACK_NONE, memory_order_relaxed);
    }
    self->count++;
    return nats__hook_push(&self->hook, msg, now_ns);
}

/* The API's error, if the answer has one. */
static void read_error(nats__answer *answer)
{
    const nats__json *error = nats__json_get(answer->doc, "error");
    int64_t code = 0;
    int64_t err_code = 0;
    size_t len;
    if (error == NULL) {
        return;
    }
    nats__json_int(nats__json_get(error, "code"), &code);
    nats__json_int(nats__json_get(error, "err_code"), &err_code);
    nats__json_text(nats__json_get(error, "description"), &answer->description, &len);
    answer->code = code > 0 && code <= INT32_MAX ? (int32_t)code : NATS__GARBLED;
    answer->err_code = err_code > 0 && err_code <= INT32_MAX ? (int32_t)err_code : 0;
}

/* What the server can do is known now, as far as it tells. */
static void level_known(nats__consume *self, const nats__json *info, int64_t now_ns)
{
    nats__conn *conn = nats__consume_conn(self);
    self->levelling = false;
    self->question = 0;
    nats__js_level_learn(self->js, conn, info);
    nats_status status = nats__js_level_check("consume", self->js, conn, &self->args.needs);
    status = status == NATS_OK ? self->kind->start(self, now_ns) : status;
    if (status != NATS_OK) {
        nats__consume_fail(self);
    }
}

static void take_answer(nats__consume *self, nats_msg *msg, int64_t now_ns)
{
    const char *text = (const char *)msg->text + msg->body + msg->header_len;
    nats__answer answer = {.description = "", .msg = msg};
    nats__json *doc = NULL;
    self->question = 0;
    const char *status_text;
    size_t status_len;
    int32_t status = nats__headers_status((const char *)msg->text + msg->body, msg->header_len,
                                          &status_text, &status_len);
    if (status == NO_RESPONDERS) {
        answer.code = NO_RESPONDERS;
    } else {
        doc = nats__json_parse(text, msg->data_len, NULL);
        answer.doc = doc;
        answer.code = doc == NULL || nats__json_kind_of(doc) != NATS__JSON_OBJECT ? NATS__GARBLED
                                                                                  : 0;
        read_error(&answer);
    }
    if (self->levelling) {
        nats__consume_take(self, msg);
        level_known(self, answer.code == 0 ? doc : NULL, now_ns);
    } else {
        self->kind->on_answer(self, &answer, now_ns); /* it owns msg */
    }
    nats__json_free(doc);
}

void nats__consume_word(nats__consume *self, nats_msg *msg, uint64_t number, int64_t now_ns)
{
    nats__word word = {.number = number, .msg = msg};
    word.code = nats__headers_status((const char *)msg->text + msg->body, msg->header_len,
                                     &word.text, &word.len);
    if (word.code != 0) {
        self->kind->on_word(self, &word, now_ns);
        nats__consume_take(self, msg);
        return;
    }
    nats__consume_drop(self, msg); /* somebody else published to our inbox */
}

/* To our inbox itself. */
static void take_inbox(nats__consume *self, nats_msg *msg, int64_t now_ns)
{
    const char *token = (const char *)msg->text + self->inbox_len;
    size_t len = msg->subject_len - self->inbox_len;
    uint64_t number = 0;
    bool numbered = len > 1 && nats__decimal_read(token + 1, len - 1, &number);
    if (numbered && token[0] == LETTER_ANSWER) {
        if (number == self->question) {
            take_answer(self, msg, now_ns);
            return;
        }
        nats__consume_conn(self)->totals.late_replies++;
        nats__consume_forget(self, msg);
        return;
    }
    if (!numbered || token[0] != LETTER_PULL) {
        nats__consume_drop(self, msg);
        return;
    }
    nats__consume_word(self, msg, number, now_ns);
}

static bool is_to_inbox(const nats__consume *self, const nats_msg *msg)
{
    return msg->subject_len > self->inbox_len &&
           memcmp(msg->text, self->hook.sub->rec.subject, self->inbox_len) == 0;
}

static void on_msg(nats__hook *hook, nats_msg *msg, int64_t now_ns)
{
    nats__consume *self = of(hook);
    if (!is_to_inbox(self, msg)) {
        self->kind->on_message(self, msg, now_ns);
        return;
    }
    nats_sub *sub = hook->sub;
    nats__sub_ref(sub); /* what it brings may end it */
    take_inbox(self, msg, now_ns);
    if (!hook->ended) {
        nats__consume_arm(self);
    }
    nats__sub_unref(sub);
}

/* ---- the rest of the hook ---- */

static void on_taken(nats__hook *hook, size_t count, uint64_t bytes)
{
    nats__consume *self = of(hook);
    (void)bytes;
    if (!hook->ended && self->kind->on_taken != NULL) {
        self->kind->on_taken(self, count);
        nats__consume_arm(self);
    }
}

static void on_time(nats__hook *hook, int64_t now_ns)
{
    nats__consume *self = of(hook);
    nats_sub *sub = hook->sub;
    nats__sub_ref(sub);
    if (self->question != 0 && now_ns >= self->answer_by_ns) {
        self->question = 0;
        if (self->levelling) {
            level_known(self, NULL, now_ns);
        } else {
            self->kind->on_answer(self, &(nats__answer){.code = NATS__SILENT, .description = ""},
                                  now_ns);
        }
    }
    if (!hook->ended) {
        self->kind->on_time(self, now_ns);
    }
    if (!hook->ended) {
        nats__consume_arm(self);
    }
    nats__sub_unref(sub);
}

static void on_lost(nats__hook *hook)
{
    nats__consume *self = of(hook);
    self->question = 0;
    self->looking = false;
    self->unheard = false;
    nats__pull_forget(&self->pull);
    if (!self->ready && self->future == NULL) {
        nats__fail(NATS_ERR_DISCONNECTED, nats__consume_about(self),
                   "%s: the connection was lost before the server told of it",
                   nats__consume_whose(self).text);
        nats__consume_fail(self);
        return;
    }
    if (self->kind->on_lost != NULL) {
        self->kind->on_lost(self);
    }
}

static void on_connected(nats__hook *hook, int64_t now_ns)
{
    nats__consume *self = of(hook);
    nats_sub *sub = hook->sub;
    nats__sub_ref(sub);
    if (self->ready) {
        self->kind->on_connected(self, now_ns);
    }
    if (!hook->ended) {
        nats__consume_arm(self);
    }
    nats__sub_unref(sub);
}

static void on_ended(nats__hook *hook)
{
    nats__consume *self = of(hook);
    nats_future *future = self->future;
    if (self->kind->on_ended != NULL) {
        self->kind->on_ended(self);
    }
    if (future != NULL) {
        self->future = NULL;
        nats__future_end(future, hook->sub->refused ? NATS_ERR_PERMISSION : NATS_ERR_CLOSED);
    }
}

static nats_sub *source(nats__hook *hook)
{
    const nats__consume *self = of(hook);
    return self->kind->source != NULL ? self->kind->source(self) : NULL;
}

static void on_closing(nats__hook *hook)
{
    nats__consume *self = of(hook);
    if (self->kind->on_closing != NULL) {
        self->kind->on_closing(self);
    }
}

static void freed(nats__hook *hook)
{
    nats__consume *self = of(hook);
    free(self->args.config);
    free(self->push.stall);
    nats__js_unref(self->js);
    free(self);
}

/* What it asked for it may not ask for, and can do without. */
static void go_on_without(nats__consume *self)
{
    const nats__answer refused = {.code = NATS__REFUSED, .description = ""};
    nats_sub *sub = self->hook.sub;
    nats__sub_ref(sub);
    self->question = 0;
    if (self->levelling) {
        level_known(self, NULL, nats__now_ns());
    } else {
        self->kind->on_answer(self, &refused, nats__now_ns());
    }
    if (!self->hook.ended) {
        nats__consume_arm(self);
    }
    nats__sub_unref(sub);
}

/* Is it what was to be looked at, and the answer may be done without? Who fetches need not be allowed to ask
 * how the consumer is. */
static bool is_look(const nats__consume *self, const char *subject)
{
    char asked[NATS_SUBJECT_MAX + 1];
    bool of_stream = self->args.how == NATS__HOW_ORDERED;
    bool may_be_without = self->looking || self->args.how == NATS__HOW_FETCH;
    return may_be_without && !self->levelling && self->question != 0 &&
           api_subject(self, of_stream ? "STREAM.INFO" : "CONSUMER.INFO",
                       of_stream ? "" : self->args.consumer, asked, sizeof asked) > 0 &&
           strcmp(asked, subject) == 0;
}

/* What it asks for it may not ask for, or may not be answered. */
static void on_refused(nats__hook *hook, const char *subject, bool of_reply)
{
    nats__consume *self = of(hook);
    char pull[NATS_SUBJECT_MAX + 1];
    if (!of_reply && is_look(self, subject)) {
        go_on_without(self);
        return;
    }
    bool ours = of_reply ? strncmp(subject, hook->sub->rec.subject, self->inbox_len) == 0
                         : nats__pull_subject(self, pull, sizeof pull) > 0 &&
                               strcmp(pull, subject) == 0;
    if (ours) {
        nats__fail(NATS_ERR_PERMISSION, subject, "%s: no permission to publish to %s",
                   nats__consume_whose(self).text, subject);
        nats__consume_fail(self);
    }
}

static const nats__hook_calls calls = {.on_msg = on_msg,
                                       .on_taken = on_taken,
                                       .on_time = on_time,
                                       .on_lost = on_lost,
                                       .on_connected = on_connected,
                                       .on_refused = on_refused,
                                       .source = source,
                                       .on_closing = on_closing,
                                       .on_ended = on_ended,
                                       .freed = freed};

/* ---- started ---- */

/* The start has failed by itself: it ran out of time, the connection was lost. Or nobody wants to
 * know how it ends (status NATS_OK): then the subscription tells, if it has to. */
static void on_future_ended(nats_future *future)
{
    nats__consume *self = future->owner;
    if (self == NULL || self->future != future) {
        return;
    }
    self->future = NULL;
    if (future->status != NATS_OK) {
        nats__hook_end(&self->hook, NULL);
        return;
    }
    self->answer_by_ns = nats__now_ns() + self->js->timeout_ms * NATS__MS;
    nats__consume_arm(self);
}

/* Who may not ask what the server can do, or how the stream is, goes on without that. */
static bool on_future_refused(nats_future *future)
{
    nats__consume *self = future->owner;
    if (self == NULL || self->future != future || !(self->levelling || self->looking)) {
        return false;
    }
    go_on_without(self);
    return true;
}

static const nats__future_hooks future_calls = {.on_refused = on_future_refused,
                                                .on_ended = on_future_ended};

/* Below the inbox of requests, so that what was asked for and not written when a connection is lost
 * goes with it. Its length without the star. */
static nats_status new_inbox(nats__conn *conn, char *out, size_t *len_out)
{
    nats_status status = nats__requests_inbox(conn);
    if (status != NATS_OK) {
        return status;
    }
    size_t len = conn->mux_prefix_len;
    memcpy(out, conn->mux->rec.subject, len);
    len += nats__decimal_write(out + len, ++conn->inboxes);
    out[len++] = '.';
    *len_out = len;
    return NATS_OK;
}

static uint64_t limit_of(int64_t given, uint64_t otherwise)
{
    if (given == 0) {
        return otherwise;
    }
    return given < 0 ? UINT64_MAX : (uint64_t)given;
}

static void set_limits(const nats__consume *self)
{
    nats__queue *queue = &self->hook.sub->queue;
    queue->msgs_max = limit_of(self->args.pending_msgs, queue->msgs_max);
    queue->bytes_max = limit_of(self->args.pending_bytes, queue->bytes_max);
}

static nats_status new_sub(nats__consume *self, nats_client *client, nats_sub **out)
{
    nats__conn *conn = client->conn;
    char subject[NATS_SUBJECT_MAX + NATS__NUID_LEN + NATS__DECIMAL_MAX + 8];
    if (client->closed || conn->closed || client->draining) {
        return nats__fail(NATS_ERR_CLOSED, "client", "the client is %s",
                          client->draining && !client->closed ? "draining" : "closed");
    }
    nats_status status = new_inbox(conn, subject, &self->inbox_len);
    if (status != NATS_OK) {
        return status;
    }
    subject[self->inbox_len] = '*';
    status = nats__sub_new(conn, client, subject, self->inbox_len + 1, NULL, 0, 0, out);
    if (status == NATS_OK) {
        nats__hook_add(*out, &self->hook, &calls);
        nats__sub_set_mode(*out, self->args.mode);
        set_limits(self);
    }
    return status;
}

/* A future that waits for what the subscription hears. */
static nats_status new_future(nats__consume *self, int64_t timeout_ms, nats_future **out)
{
    nats_client *client = self->hook.sub->client;
    nats_status status = nats__future_new(client, self->args.stream, strlen(self->args.stream),
                                          nats__deadline_in(timeout_ms), out);
    if (status != NATS_OK) {
        return status;
    }
    nats_future *future = *out;
    future->max = 1;
    nats__queue_limit(client->conn, &future->queue);
    future->hooks = &future_calls;
    future->owner = self;
    client->conn->hooked_futures++;
    self->future = future;
    return NATS_OK;
}

static nats_status start(nats__consume *self)
{
    const nats__conn *conn = nats__consume_conn(self);
    const nats__js_needs *needs = &self->args.needs;
    if (!nats__js_level_known(self->js, conn, needs)) {
        self->levelling = true;
        return nats__consume_ask(self, "INFO", NULL, NULL) ? NATS_OK : nats__error_get()->status;
    }
    nats_status status = nats__js_level_check("consume", self->js, conn, needs);
    return status == NATS_OK ? self->kind->start(self, nats__now_ns()) : status;
}

static nats_status begin(nats__consume *self, int64_t timeout_ms, nats_future **future_out)
{
    nats_status status = new_future(self, timeout_ms, future_out);
    if (status == NATS_OK) {
        status = start(self);
    }
    if (status == NATS_OK) {
        nats__consume_arm(self);
    }
    return status;
}

/* What was begun comes to nothing; this thread's last error says why. */
static void abandon(nats_client *client, nats_sub **sub_out, nats_future **future_out)
{
    nats__error why = *nats__error_get();
    if (*future_out != NULL) {
        (*future_out)->owner = NULL;
        nats__future_free(*future_out);
        nats__client_unref(client);
        *future_out = NULL;
    }
    if (*sub_out != NULL) {
        ((nats__consume *)(*sub_out)->hook)->future = NULL;
        nats__sub_end(*sub_out);
        nats__sub_unref(*sub_out);
        *sub_out = NULL;
    }
    *nats__error_get() = why;
}

static nats__consume *consume_new(nats_js *js, const char *how, const char *arguments, size_t len)
{
    static const nats__consume_kind *const kinds[] = {[NATS__HOW_CONSUME] = &nats__kind_endless,
                                                      [NATS__HOW_FETCH] = &nats__kind_fetch,
                                                      [NATS__HOW_PUSH] = &nats__kind_push,
                                                      [NATS__HOW_ORDERED] = &nats__kind_ordered};
    nats__consume *self = calloc(1, sizeof *self);
    if (self == NULL) {
        nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
        return NULL;
    }
    if (nats__consume_args_read(&self->args, how, arguments, len) != NATS_OK) {
        free(self->args.config);
        free(self);
        return NULL;
    }
    self->kind = kinds[self->args.how];
    self->js = js;
    nats__js_ref(js);
    return self;
}

nats_status nats__consume_start(nats_js *js, const char *how, const char *arguments, size_t len,
                                int64_t timeout_ms, nats_sub **sub_out, nats_future **future_out)
{
    nats_client *client = js->client;
    nats__conn *conn = client->conn;
    nats__consume *self = consume_new(js, how, arguments, len);
    if (self == NULL) {
        return nats__error_get()->status;
    }
    pthread_mutex_lock(&conn->mu);
    nats_status status = new_sub(self, client, sub_out);
    if (status != NATS_OK) {
        freed(&self->hook);
    } else {
        status = begin(self, timeout_ms, future_out);
    }
    if (status != NATS_OK) {
        abandon(client, sub_out, future_out);
    }
    pthread_mutex_unlock(&conn->mu);
    nats__writer_kick(conn);
    return status;
}
