/* One pull: so many messages, or so many bytes, or so much time. What its request does not bring
 * because the connection or the leader was lost is asked for again, as long as there is time. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "jetstream/consume.h"

enum { MARGIN_PART = 10, BYTES_ENOUGH = 1000000, NOT_FOUND = 404, EXPIRED = 408 };

#define MARGIN_MAX_NS INT64_C(250000000)
#define HEARTBEAT_FROM_NS INT64_C(10000000000) /* a shorter one has none, if none was named */
#define HEARTBEAT_NS INT64_C(5000000000)
#define DOUBT_NS INT64_C(1000000000) /* silence after which the consumer is looked for */

/* The server's clock runs out before the caller's, so that its word is heard. */
static int64_t server_time(int64_t left_ns)
{
    int64_t margin = left_ns / MARGIN_PART;
    return left_ns - (margin < MARGIN_MAX_NS ? margin : MARGIN_MAX_NS);
}

static uint64_t bytes_left(const nats__consume *self)
{
    uint64_t max = (uint64_t)self->args.max_bytes;
    return self->bytes < max ? max - self->bytes : 0;
}

/* How long a request may be open. What is not known is asked for when the server has refused one, once, and
 * not waited for long: who fetches need not be allowed to ask. True: the answer is to come. */
static bool look_up(nats__consume *self, int64_t now_ns)
{
    int64_t half = (self->until_ns - now_ns) / 2;
    const nats__js_seen *seen =
        nats__js_consumer_known(self->js, self->args.stream, self->args.consumer, now_ns);
    self->looked = true;
    if (seen != NULL) {
        self->pull.expires_max_ns = seen->expires_max_ns;
    }
    if (seen != NULL || !self->limited) {
        return false;
    }
    self->looking = nats__consume_probe(self);
    if (self->looking) {
        self->answer_by_ns = now_ns + (half < DOUBT_NS ? half : DOUBT_NS);
    }
    return self->looking;
}

/* The caller's own time is what it says; the usual one is cut to what the consumer allows. */
static int64_t request_time(nats__consume *self, int64_t left_ns)
{
    int64_t time_ns = server_time(left_ns);
    int64_t max_ns = self->pull.expires_max_ns;
    self->shortened = self->args.expires_ns == 0 && max_ns > 0 && max_ns < time_ns;
    return self->shortened ? max_ns : time_ns;
}

/* A server refuses one that is over half of the request's time, which is a little less than was asked for. */
static int64_t request_heartbeat(const nats__consume *self, int64_t left_ns)
{
    int64_t usual_ns = left_ns >= HEARTBEAT_FROM_NS ? HEARTBEAT_NS : 0;
    int64_t wanted_ns = self->args.heartbeat_ns >= 0 ? self->args.heartbeat_ns : usual_ns;
    int64_t half_ns = self->pull.expires_ns / 2;
    return wanted_ns < half_ns ? wanted_ns : half_ns;
}

static void ask(nats__consume *self, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    const nats__consume_args *args = &self->args;
    int64_t left_ns = self->until_ns - now_ns;
    if (!nats__consume_conn(self)->connected || nats__consume_leaves(self) || pull->count > 0 ||
        self->question != 0 || pull->rest_until_ns > now_ns || left_ns <= 0) {
        return;
    }
    if (!self->looked && look_up(self, now_ns)) {
        return;
    }
    pull->expires_ns = args->no_wait ? 0 : request_time(self, left_ns);
    pull->heartbeat_ns = request_heartbeat(self, left_ns);
    uint64_t msgs = (uint64_t)args->max_messages - self->count;
    if (!nats__pull_ask(self, msgs, args->max_bytes > 0 ? bytes_left(self) : 0, now_ns)) {
        nats__pull_rest(pull, now_ns);
    }
}

static nats_status start(nats__consume *self, int64_t now_ns)
{
    nats__consume_args *args = &self->args;
    nats__queue *queue = &self->hook.sub->queue;
    if (args->max_messages == 0) {
        args->max_messages = args->max_bytes > 0 ? BYTES_ENOUGH : 1;
    }
    int64_t expires = args->expires_ns > 0 ? args->expires_ns : self->js->timeout_ms * NATS__MS;
    self->until_ns = expires < INT64_MAX - now_ns ? now_ns + expires : INT64_MAX;
    queue->msgs_max = UINT64_MAX; /* what was asked for is taken */
    queue->bytes_max = UINT64_MAX;
    self->ready = true;
    if (args->group[0] != '\0') {
        const char *pin = nats__js_pin(self->js, args->stream, args->consumer);
        snprintf(self->pull.pin, sizeof self->pull.pin, "%s", pin);
    }
    ask(self, now_ns);

    nats_future *future = self->future;
    self->future = NULL;
    if (future != NULL) { /* it may have been given up while the server's level was asked for */
        future->many = true; /* it ends with nothing to give */
        nats__future_end(future, NATS_OK);
    }
    return NATS_OK;
}

/* ---- words ---- */

static void fail_word(nats__consume *self, const nats__word *word)
{
    nats__word_fail(self, word);
    nats__consume_fail(self);
}

/* The next message does not fit: behind others that is the end, else it is why there is none. */
static void is_too_large(nats__consume *self)
{
    if (self->count > 0) {
        nats__hook_end(&self->hook, NULL);
        return;
    }
    nats__fail_server(NATS_ERR_LIMIT, &(nats__said){.code = 409}, "max_bytes",
                      "%s: the next message is over max_bytes (%lld)",
                      nats__consume_whose(self).text, (long long)self->args.max_bytes);
    nats__consume_fail(self);
}

/* What was known of the consumer is old, if the caller has not asked for what it does not allow. */
static bool look_again(nats__consume *self, const nats__word *word)
{
    bool usual = self->args.expires_ns == 0 && !self->limited &&
                 nats__word_says(word, "Exceeded MaxRequestExpires");
    if (usual) {
        self->limited = true;
        self->looked = false;
        nats__js_consumer_doubt(self->js, self->args.stream, self->args.consumer);
    }
    return usual;
}

/* The id that it asked by is no good any more: another fetch may have another one by now. */
static void unpin(nats__consume *self)
{
    const nats__consume_args *args = &self->args;
    if (strcmp(nats__js_pin(self->js, args->stream, args->consumer), self->pull.pin) == 0) {
        nats__js_pin_learn(self->js, args->stream, args->consumer, "");
    }
    self->pull.pin[0] = '\0';
}

static void on_word(nats__consume *self, const nats__word *word, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    if (!nats__pull_knows(pull, word)) {
        return;
    }
    self->heard = true;
    pull->seen_ns = now_ns;
    nats__deed what = nats__word_deed(word);
    if (what == NATS__DEED_SEEN) {
        return;
    }
    nats__pull_closed(pull, word);
    switch (what) {
    case NATS__DEED_GO_ON:
        if (self->shortened && word->code == EXPIRED) {
            break; /* the request has had its time, and the fetch has not */
        }
        nats__hook_end(&self->hook, NULL);
        return;
    case NATS__DEED_TOO_LARGE:
        is_too_large(self);
        return;
    case NATS__DEED_UNPIN:
        unpin(self);
        nats__pull_forget(pull);
        break;
    case NATS__DEED_ANEW:
        nats__pull_forget(pull);
        nats__pull_rest(pull, now_ns);
        break;
    case NATS__DEED_ELSEWHERE:
        self->heard = self->count > 0;
        nats__pull_forget(pull);
        nats__pull_rest(pull, now_ns);
        break;
    case NATS__DEED_LIMIT:
        if (!look_again(self, word)) {
            fail_word(self, word);
            return;
        }
        break;
    case NATS__DEED_ASK:
        nats__pull_rest(pull, now_ns);
        if (self->question == 0 && !nats__consume_probe(self)) {
            fail_word(self, word);
            return;
        }
        self->unheard = true;
        self->looking = false;
        break;
    default:
        fail_word(self, word);
        return;
    }
    ask(self, now_ns);
}

static void not_to_be_had(const nats__consume *self, const nats__answer *answer)
{
    nats__js_consumer_forget(self->js, self->args.stream, self->args.consumer);
    if (answer->code != NATS__REFUSED) {
        nats__consume_words(self, answer);
        return;
    }
    nats__fail_server(NATS_ERR_NO_RESPONDERS, &(nats__said){.code = 503},
                      nats__consume_about(self),
                      "%s: nobody answers: there is no such consumer, or it has no leader",
                      nats__consume_whose(self).text);
}

/* How the consumer is, or why nobody listened to the request: there is none, or it has no leader yet.
 * What only was to be looked at may stay unknown, unless there is no such consumer. */
static void on_answer(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    bool unknown = !self->unheard && answer->code != 0 && answer->code != NOT_FOUND;
    bool failed = !unknown && (answer->code != 0 || !nats__pull_look(self, answer));
    const nats__json *config = unknown ? NULL : nats__json_get(answer->doc, "config");
    bool learnt = !unknown || self->looking;
    self->acks_none = false; /* what was told is used for a minute: the consumer may be another by then */
    self->looking = false;
    self->unheard = false;
    self->looked = true;
    self->doubted = self->doubted || (!failed && !unknown);
    if (failed && answer->code != 0) {
        not_to_be_had(self, answer);
    } else if (!failed && learnt) {
        nats__js_consumer_learn(self->js, self->args.stream, self->args.consumer, config, now_ns);
    }
    if (answer->msg != NULL) {
        nats__consume_take(self, answer->msg);
    }
    if (failed) {
        nats__consume_fail(self);
        return;
    }
    ask(self, now_ns);
}

/* ---- messages, time, the connection ---- */

static void on_message(nats__consume *self, nats_msg *msg, int64_t now_ns)
{
    size_t size = nats__msg_size(msg);
    self->heard = true;
    nats__pull_got(&self->pull, size, now_ns);
    if (self->args.group[0] != '\0' && nats__pull_note_pin(self, msg)) {
        nats__js_pin_learn(self->js, self->args.stream, self->args.consumer, self->pull.pin);
    }
    self->bytes += size;
    if (!nats__consume_push(self, msg, now_ns)) {
        return;
    }
    bool full = self->count >= (uint64_t)self->args.max_messages ||
                (self->args.max_bytes > 0 && bytes_left(self) == 0);
    if (full) {
        nats__hook_end(&self->hook, NULL);
    }
}

static void time_is_up(nats__consume *self)
{
    bool connected = nats__consume_conn(self)->connected;
    if (self->heard || (connected && !self->args.no_wait)) {
        nats__hook_end(&self->hook, NULL);
        return;
    }
    if (connected) {
        nats__fail(NATS_ERR_TIMEOUT, nats__consume_about(self), "%s: it did not answer in time",
                   nats__consume_whose(self).text);
    } else {
        nats__fail(NATS_ERR_DISCONNECTED, nats__consume_about(self),
                   "%s: not connected while it was asked for messages",
                   nats__consume_whose(self).text);
    }
    nats__consume_fail(self);
}

/* When to look for the consumer: a server before 2.10 says nothing to a request for one that is not
 * there. */
static int64_t doubt_ns(const nats__consume *self)
{
    const nats__pull *pull = &self->pull;
    if (self->heard || self->doubted || pull->count == 0 || self->question != 0) {
        return INT64_MAX;
    }
    int64_t half = (self->until_ns - pull->seen_ns) / 2;
    return pull->seen_ns + (half < DOUBT_NS ? half : DOUBT_NS);
}

static void on_time(nats__consume *self, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    if (!self->ready) {
        return; /* what the server can do is not known yet */
    }
    if (now_ns >= self->until_ns) {
        time_is_up(self);
        return;
    }
    if (nats__pull_is_silent(pull, now_ns)) {
        nats__consume_warn(self, NATS_ERR_TIMEOUT, "%s: no heartbeat for %lld ms",
                           nats__consume_whose(self).text,
                           (long long)((now_ns - pull->seen_ns) / NATS__MS));
        nats__pull_forget(pull);
    }
    nats__pull_expire(pull, now_ns);
    if (now_ns >= doubt_ns(self)) {
        self->doubted = true;
        nats__consume_probe(self);
        return;
    }
    ask(self, now_ns);
}

static int64_t due_ns(const nats__consume *self)
{
    if (!self->ready) {
        return INT64_MAX;
    }
    int64_t due = nats__pull_due_ns(self);
    int64_t doubt = doubt_ns(self);
    due = doubt < due ? doubt : due;
    return due < self->until_ns ? due : self->until_ns;
}

static void on_connected(nats__consume *self, int64_t now_ns)
{
    self->pull.rest_until_ns = 0;
    ask(self, now_ns);
}

const nats__consume_kind nats__kind_fetch = {.start = start,
                                             .on_answer = on_answer,
                                             .on_message = on_message,
                                             .on_word = on_word,
                                             .on_time = on_time,
                                             .due_ns = due_ns,
                                             .on_connected = on_connected};
