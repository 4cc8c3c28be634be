/* All of a stream in order (ADR-17): a consumer of our own, without acks, that is made anew behind
 * the last good message as soon as one is missed, a heartbeat is, or the connection was. Messages
 * tell in their ack subjects which consumer they are from, so what an old one still sends is
 * known. Where it was made anew it is looked how the stream is, before anything is asked for: one that was made
 * anew has other messages behind that sequence. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "jetstream/answer.h"
#include "jetstream/consume.h"
#include "jetstream/place.h"
#include "jetstream/time.h"
#include "proto/session.h"
#include "proto/subject.h"

#define HEARTBEAT_NS INT64_C(5000000000)           /* ADR-17 */
#define INACTIVE_NS INT64_C(300000000000)          /* the server forgets one that was not deleted */

enum {
    NOT_FOUND = 404,
    BAD_REQUEST = 400,
    NO_RESPONDERS = 503,
    CONSUMERS_MAX = 10026, /* err_code: the one before may still count, in a cluster */
    DOUBTS_MAX = 5         /* looks, with rests between: a new leader may be behind for a moment */
};

/* ---- its configuration ---- */

static bool has_filter(const nats__json *config)
{
    return nats__json_get(config, "filter_subject") != NULL ||
           nats__json_get(config, "filter_subjects") != NULL;
}

/* Of last_per_subject: what it began with is not delivered yet. Of that part a consumer that is made anew
 * brings what is the last of its subject still; behind it everything counts. */
static bool is_in_last_only(const nats__ordered *ordered)
{
    return ordered->last_only && ordered->last_stream < ordered->bound;
}

/* What the caller may not choose is set here. NULL: memory is out. */
static nats__json *config_of(const nats__consume *self)
{
    const nats__ordered *ordered = &self->ordered;
    const char *text = self->args.config != NULL ? self->args.config : "{}";
    nats__json *config = nats__json_parse(text, strlen(text), NULL);
    if (config == NULL) {
        return NULL;
    }
    nats__json_set_text(config, "name", ordered->name, strlen(ordered->name));
    nats__json_set_text(config, "ack_policy", "none", 4);
    nats__json_set_int(config, "max_deliver", 1);
    nats__json_set_bool(config, "mem_storage", true);
    nats__json_set_int(config, "num_replicas", 1);
    if (nats__json_get(config, "inactive_threshold") == NULL) {
        nats__json_set_int(config, "inactive_threshold", INACTIVE_NS);
    }
    if (nats__json_get(config, "deliver_policy") == NULL) {
        nats__json_set_text(config, "deliver_policy", "all", 3);
    }
    if (ordered->last_only && !has_filter(config)) {
        nats__json_set_text(config, "filter_subject", ">", 1); /* the server wants one to be named */
    }
    if (ordered->begun && !is_in_last_only(ordered)) {
        nats__json_set_text(config, "deliver_policy", "by_start_sequence", 17);
        nats__json_set_uint(config, "opt_start_seq", ordered->last_stream + 1);
        nats__json_remove(config, "opt_start_time");
    }
    return config;
}

static bool create(nats__consume *self)
{
    nats__ordered *ordered = &self->ordered;
    snprintf(ordered->name + ordered->base_len, sizeof ordered->name - ordered->base_len,
             "_%" PRIu64, ++ordered->serial);
    ordered->last_consumer = 0;
    ordered->renewed = ordered->begun && is_in_last_only(ordered);
    nats__json *config = config_of(self);
    ordered->asked = nats__consume_create(self, ordered->name, config);
    nats__json_free(config);
    return ordered->asked;
}

/* ---- made and made anew ---- */

static bool wants_last_only(const nats__consume *self)
{
    const char *text = self->args.config != NULL ? self->args.config : "{}";
    const char *policy = "";
    nats__json *config = nats__json_parse(text, strlen(text), NULL);
    nats__json_text(nats__json_get(config, "deliver_policy"), &policy, NULL);
    bool wants = strcmp(policy, "last_per_subject") == 0;
    nats__json_free(config);
    return wants;
}

static nats_status start(nats__consume *self, int64_t now_ns)
{
    (void)now_ns;
    nats__ordered *ordered = &self->ordered;
    if (self->args.heartbeat_ns < 0) {
        int64_t usual = self->args.expires_ns > 0 ? nats__pull_heartbeat_ns(self->args.expires_ns)
                                                  : HEARTBEAT_NS;
        self->args.heartbeat_ns = usual < HEARTBEAT_NS ? usual : HEARTBEAT_NS;
    }
    nats__pull_set_up(self);
    nats__nuid(nats__session_rng(nats__consume_conn(self)->session), ordered->name);
    ordered->base_len = NATS__NUID_LEN;
    self->acks_none = true;
    ordered->last_only = wants_last_only(self);
    ordered->bound = UINT64_MAX;
    self->looking = ordered->last_only; /* where the stream ends now */
    bool asked = self->looking ? nats__consume_ask(self, "STREAM.INFO", "", NULL) : create(self);
    return asked ? NATS_OK : nats__error_get()->status;
}

/* Also of one that was asked for and not answered: it may be there. */
static void let_go(nats__consume *self)
{
    nats__ordered *ordered = &self->ordered;
    if (ordered->asked) {
        nats__consume_tell(self, "CONSUMER.DELETE", ordered->name);
    }
    ordered->asked = false;
    ordered->made = false;
}

/* Make it anew: at once, or when a rest is over. */
static void renew(nats__consume *self, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    let_go(self);
    nats__pull_forget(pull);
    self->question = 0;
    self->looking = false;
    bool ready = self->ready && nats__consume_conn(self)->connected &&
                 !self->hook.sub->client->closed && !nats__consume_leaves(self);
    if (!ready || pull->rest_until_ns > now_ns) {
        return;
    }
    if (!create(self)) {
        nats__pull_rest(pull, now_ns);
    }
}

/* The one that was lost brought nothing: do not ask at once again and again. */
static void reset(nats__consume *self, int64_t now_ns)
{
    if (self->ordered.last_consumer == 0) {
        nats__pull_rest(&self->pull, now_ns);
    }
    renew(self, now_ns);
    nats__consume_arm(self);
}

/* This one is of no use; another is made when a rest is over. */
static void give_up(nats__consume *self, int64_t now_ns)
{
    self->ordered.made = false;
    nats__pull_rest(&self->pull, now_ns);
}

static uint64_t time_of(const nats__json *object, const char *name)
{
    const char *text = "";
    size_t len = 0;
    int64_t ns = 0;
    nats__json_text(nats__json_get(object, name), &text, &len);
    return nats__time_read(text, len, &ns) == NATS__TIME_READ && ns > 0 ? (uint64_t)ns : 0;
}

static void note_time(nats__ordered *ordered, uint64_t time_ns)
{
    ordered->known_ns = time_ns > ordered->known_ns ? time_ns : ordered->known_ns;
}

static void begin(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    nats__ordered *ordered = &self->ordered;
    bool anew = ordered->begun;
    ordered->made = true;
    ordered->made_ns = time_of(answer->doc, "created");
    if (!anew && !ordered->last_only) {
        /* "new" means new now, and not when it is made anew. */
        const nats__json *delivered = nats__json_get(answer->doc, "delivered");
        nats__json_uint(nats__json_get(delivered, "stream_seq"), &ordered->last_stream);
    }
    ordered->begun = true;
    nats__consume_ready(self, answer);
    if (!anew) {
        note_time(ordered, ordered->made_ns);
        nats__pull_top_up(self);
        return;
    }
    self->looking = nats__consume_ask(self, "STREAM.INFO", "", NULL);
    if (!self->looking) {
        give_up(self, now_ns);
    }
}

static void failed(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    bool wrong = answer->code == BAD_REQUEST && answer->err_code != CONSUMERS_MAX;
    bool lasting = !self->ready || answer->code == NOT_FOUND || wrong;
    nats__consume_words(self, answer);
    if (answer->msg != NULL) {
        nats__consume_take(self, answer->msg);
    }
    if (lasting) {
        nats__consume_fail(self);
        return;
    }
    nats__consume_warn(self, nats__error_get()->status, "%s", nats__error_get()->text);
    nats__pull_rest(&self->pull, now_ns);
}

/* How the stream is. Who may not know goes on without: then the first message that has none behind it tells
 * where the part ends of which only the last of each subject count. */
static void bound_came(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    const nats__json *state = nats__json_get(answer->doc, "state");
    self->looking = false;
    if (answer->code == NOT_FOUND) {
        failed(self, answer, now_ns);
        return;
    }
    nats__json_uint(nats__json_get(state, "last_seq"), &self->ordered.bound);
    if (answer->msg != NULL) {
        nats__consume_take(self, answer->msg);
    }
    if (!create(self)) {
        nats__consume_fail(self);
    }
}

/* ---- is it the same stream? ---- */

/* A code and err_code as the server's would be, had it been asked in between. */
static void end_as_another(nats__consume *self)
{
    static const nats__said gone = {.code = NOT_FOUND, .err_code = NATS__JS_STREAM_NOT_FOUND};
    nats__whose whose = nats__consume_whose(self);
    const char *stream = self->args.stream;
    nats__fail_server(NATS_ERR_SERVER, &gone, stream,
                      "%s: stream %.64s was deleted and made anew: the last sequence had was "
                      "%" PRIu64, whose.text, stream, self->ordered.had);
    nats__consume_fail(self);
}

/* What was had is not there, and not because it was deleted: a stream's last sequence stays. A server that
 * was killed may have lost it. */
static void end_as_shorter(nats__consume *self, uint64_t last)
{
    nats__whose whose = nats__consume_whose(self);
    const char *stream = self->args.stream;
    nats__fail_server(NATS_ERR_SERVER, &(nats__said){0}, stream,
                      "%s: stream %.64s was deleted and made anew, or has lost messages: it ends "
                      "at %" PRIu64 ", the last sequence had was %" PRIu64,
                      whose.text, stream, last, self->ordered.had);
    nats__consume_fail(self);
}

/* The consumer was made in it since, so a time behind that is of no use: of clocks that do not agree, or of a
 * stream that was made anew in between, which shows when that consumer is missed. */
static bool is_another(const nats__ordered *ordered, const nats__json *info)
{
    uint64_t created_ns = time_of(info, "created");
    return ordered->known_ns > 0 && created_ns > ordered->known_ns &&
           created_ns <= ordered->made_ns;
}

/* A mirror that is made anew has the same messages, by the same sequences, in a while. */
static bool is_mirror(const nats__json *info)
{
    const nats__json *config = nats__json_get(info, "config");
    return nats__json_kind_of(nats__json_get(config, "mirror")) == NATS__JSON_OBJECT;
}

static void compare_stream(nats__consume *self, const nats__json *info, int64_t now_ns)
{
    nats__ordered *ordered = &self->ordered;
    uint64_t last = UINT64_MAX;
    nats__json_uint(nats__json_get(nats__json_get(info, "state"), "last_seq"), &last);
    bool mirror = is_mirror(info);
    if (!mirror && is_another(ordered, info)) {
        end_as_another(self);
        return;
    }
    bool shorter = !mirror && last < ordered->had;
    ordered->doubts = shorter ? ordered->doubts + 1 : 0;
    if (ordered->doubts >= DOUBTS_MAX) {
        end_as_shorter(self, last);
        return;
    }
    if (shorter) {
        give_up(self, now_ns);
        return;
    }
    note_time(ordered, ordered->made_ns);
    nats__pull_top_up(self);
}

/* Of one that was made anew. Who may not know how the stream is goes on without. */
static void stream_came(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    bool nobody = answer->code == NO_RESPONDERS && answer->err_code == 0; /* it is not imported */
    self->looking = false;
    if (answer->code != 0 && answer->code != NATS__REFUSED && !nobody) {
        self->ordered.made = false;
        failed(self, answer, now_ns);
        return;
    }
    if (answer->msg != NULL) {
        nats__consume_take(self, answer->msg);
    }
    if (answer->code == 0) {
        compare_stream(self, answer->doc, now_ns);
    } else {
        nats__pull_top_up(self);
    }
}

static void on_answer(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    nats__answer read = *answer;
    if (self->looking && self->ordered.made) {
        stream_came(self, answer, now_ns);
        return;
    }
    if (self->looking) {
        bound_came(self, answer, now_ns);
        return;
    }
    if (read.code == 0 && nats__json_kind_of(nats__json_get(read.doc, "config")) !=
                              NATS__JSON_OBJECT) {
        read.code = NATS__GARBLED;
    }
    if (read.code != 0) {
        failed(self, &read, now_ns);
        return;
    }
    if (!nats__consume_compare(self, "ordered_config", &read)) {
        nats__consume_take(self, read.msg);
        nats__consume_fail(self);
        return;
    }
    begin(self, &read, now_ns);
}

/* ---- messages and words ---- */

/* From a consumer that was made anew where only the last of each subject count: it begins with what was had,
 * and behind the bound it may have passed over some. True: the message is not to be given. */
static bool is_passed_over(nats__consume *self, nats_msg *msg, const nats__place *place,
                           int64_t now_ns)
{
    nats__ordered *ordered = &self->ordered;
    if (place->stream_seq > ordered->last_stream && place->stream_seq <= ordered->bound) {
        return false;
    }
    bool had = place->stream_seq <= ordered->last_stream;
    ordered->last_consumer = place->consumer_seq;
    nats__pull_got(&self->pull, nats__msg_size(msg), now_ns);
    nats__consume_forget(self, msg);
    if (had) {
        nats__pull_top_up(self);
    } else {
        ordered->last_stream = ordered->bound;
        renew(self, now_ns);
    }
    nats__consume_arm(self);
    return true;
}

static void on_message(nats__consume *self, nats_msg *msg, int64_t now_ns)
{
    nats__ordered *ordered = &self->ordered;
    nats__place place;
    const char *reply = (const char *)msg->text + msg->reply;
    if (!nats__place_parse(reply, msg->reply_len, &place)) {
        nats__consume_drop(self, msg); /* it is from no consumer */
        return;
    }
    bool ours = ordered->made && place.consumer_len == strlen(ordered->name) &&
                memcmp(place.consumer, ordered->name, place.consumer_len) == 0;
    if (!ours || place.consumer_seq <= ordered->last_consumer ||
        (place.stream_seq <= ordered->last_stream && !ordered->renewed)) {
        nats__consume_forget(self, msg); /* had, or to be had again */
        return;
    }
    bool next = place.consumer_seq == ordered->last_consumer + 1;
    if (next && ordered->renewed && is_passed_over(self, msg, &place, now_ns)) {
        return;
    }
    if (!next || !nats__queue_takes(&self->hook.sub->queue, nats__msg_size(msg))) {
        nats__consume_forget(self, msg);
        reset(self, now_ns);
        return;
    }
    ordered->last_consumer = place.consumer_seq;
    ordered->last_stream = place.stream_seq;
    ordered->had = place.stream_seq;
    note_time(ordered, place.time_ns);
    if (ordered->last_only && ordered->bound == UINT64_MAX && place.pending == 0) {
        ordered->bound = place.stream_seq;
    }
    nats__pull_got(&self->pull, nats__msg_size(msg), now_ns);
    nats__consume_push(self, msg, now_ns);
}

/* What it tells to have delivered must be here. */
static void check_heartbeat(nats__consume *self, const nats__word *word, int64_t now_ns)
{
    uint64_t last;
    if (nats__word_uint(word, "Nats-Last-Consumer", &last) && last != self->ordered.last_consumer) {
        reset(self, now_ns);
    }
}

static void on_word(nats__consume *self, const nats__word *word, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    if (!nats__pull_knows(pull, word)) {
        return;
    }
    pull->seen_ns = now_ns;
    nats__deed what = nats__word_deed(word);
    uint64_t untouched = what != NATS__DEED_SEEN ? nats__pull_closed(pull, word) : 0;
    switch (what) {
    case NATS__DEED_SEEN:
        check_heartbeat(self, word, now_ns);
        return;
    case NATS__DEED_GO_ON:
        break;
    case NATS__DEED_TOO_LARGE:
        if (!nats__pull_too_large(self, untouched)) {
            nats__consume_fail(self);
            return;
        }
        break;
    case NATS__DEED_ELSEWHERE:
        nats__pull_forget(pull);
        nats__pull_rest(pull, now_ns);
        break;
    case NATS__DEED_LATER:
        nats__pull_rest(pull, now_ns);
        break;
    case NATS__DEED_LASTING:
        nats__word_fail(self, word);
        nats__consume_fail(self);
        return;
    default:
        reset(self, now_ns); /* if the stream is no more, that is where it shows */
        return;
    }
    nats__pull_top_up(self);
}

/* ---- time, the connection, the end ---- */

static void on_taken(nats__consume *self, size_t count)
{
    (void)count;
    if (self->ordered.made) {
        nats__pull_top_up(self);
    }
}

static void on_time(nats__consume *self, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    if (nats__pull_is_silent(pull, now_ns)) {
        nats__consume_warn(self, NATS_ERR_TIMEOUT, "%s: no heartbeat for %lld ms",
                           nats__consume_whose(self).text,
                           (long long)((now_ns - pull->seen_ns) / NATS__MS));
        reset(self, now_ns);
        return;
    }
    nats__pull_expire(pull, now_ns);
    if (self->ordered.made) {
        nats__pull_top_up(self);
    } else if (self->question == 0) {
        renew(self, now_ns);
    }
}

/* Another is made when there is a connection again. */
static void on_lost(nats__consume *self)
{
    self->ordered.made = false;
    self->pull.rest_until_ns = 0;
}

static void on_connected(nats__consume *self, int64_t now_ns)
{
    self->pull.rest_until_ns = 0;
    renew(self, now_ns);
}

const nats__consume_kind nats__kind_ordered = {.start = start,
                                               .on_answer = on_answer,
                                               .on_message = on_message,
                                               .on_word = on_word,
                                               .on_taken = on_taken,
                                               .on_time = on_time,
                                               .due_ns = nats__pull_due_ns,
                                               .on_lost = on_lost,
                                               .on_connected = on_connected,
                                               .on_closing = let_go,
                                               .on_ended = let_go};
