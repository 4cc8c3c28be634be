/* A consumer that delivers by itself, to a subject of its own, which several clients may share as a
 * queue group. A second subscription, the feeder, hands on what comes there: the server looks for
 * one to that very subject, and takes no wildcard for interest. Flow control (ADR-9, ADR-15) is
 * answered when what came before it was taken: who is slow is not sent more than the server's
 * window. */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "jetstream/consume.h"
#include "proto/headers.h"
#include "proto/session.h"
#include "proto/subject.h"

enum {
    NOT_FOUND = 404,
    WAITING_MAX = 512 * 1024 /* messages: the server's window counts bytes, and small ones are many */
};

/* ---- the feeder ---- */

typedef struct feeder {
    nats__hook hook;   /* first */
    nats_sub *primary; /* referenced; NULL: it has ended */
} feeder;

static void feeder_msg(nats__hook *hook, nats_msg *msg, int64_t now_ns)
{
    const feeder *self = (const feeder *)hook;
    const nats__subrec *rec = &hook->sub->rec;
    if (self->primary == NULL) {
        hook->sub->client->conn->totals.dropped++;
        nats__chunk_unref(msg->chunk, 1);
        return;
    }
    nats_sub *primary = self->primary;
    nats__consume *consume = (nats__consume *)primary->hook;
    bool word = msg->subject_len == rec->subject_len &&
                memcmp(msg->text, rec->subject, rec->subject_len) == 0;
    nats__sub_ref(primary);
    msg->sid = primary->rec.sid;
    if (word) {
        nats__consume_word(consume, msg, 0, now_ns);
    } else {
        consume->kind->on_message(consume, msg, now_ns);
    }
    nats__sub_unref(primary);
}

/* The primary has ended. Not within its own end: others may be walking over the hooks. */
static void feeder_time(nats__hook *hook, int64_t now_ns)
{
    (void)now_ns;
    nats__hook_end(hook, NULL);
}

static void feeder_ended(nats__hook *hook)
{
    feeder *self = (feeder *)hook;
    nats_sub *primary = self->primary;
    self->primary = NULL;
    if (primary == NULL) {
        return;
    }
    ((nats__consume *)primary->hook)->push.refused = hook->sub->refused;
    if (!primary->hook->ended) {
        nats__hook_due(primary->hook, 0);
    }
    nats__sub_unref(primary);
}

static void feeder_freed(nats__hook *hook)
{
    free(hook);
}

static const nats__hook_calls feeder_calls = {.on_msg = feeder_msg,
                                              .on_time = feeder_time,
                                              .on_ended = feeder_ended,
                                              .freed = feeder_freed};

static nats_status feed(nats__consume *self, const char *subject, size_t len, const char *group,
                        size_t group_len)
{
    nats_sub *primary = self->hook.sub;
    feeder *fresh = calloc(1, sizeof *fresh);
    if (fresh == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats_status status = nats__sub_new(nats__consume_conn(self), primary->client, subject, len,
                                       group, group_len, 0, &self->push.feeder);
    if (status != NATS_OK) {
        free(fresh);
        return status;
    }
    nats__hook_add(self->push.feeder, &fresh->hook, &feeder_calls);
    nats__sub_set_mode(self->push.feeder, NATS_SUB_PRIVATE);
    fresh->primary = primary;
    nats__sub_ref(primary);
    return NATS_OK;
}

static void leave_feeder(nats__consume *self)
{
    nats_sub *sub = self->push.feeder;
    self->push.feeder = NULL;
    if (sub == NULL) {
        return;
    }
    feeder *old = (feeder *)sub->hook;
    nats_sub *primary = old->primary;
    old->primary = NULL;
    if (!old->hook.ended) {
        nats__hook_due(&old->hook, 0);
    }
    if (primary != NULL) {
        nats__sub_unref(primary);
    }
    nats__sub_unref(sub);
}

/* ---- started ---- */

static bool get_text(const nats__json *object, const char *name, const char **out, size_t *len_out)
{
    *out = "";
    *len_out = 0;
    return nats__json_text(nats__json_get(object, name), out, len_out) && *len_out > 0;
}

static bool wants_no_acks(const nats__json *config)
{
    const char *text;
    size_t len;
    return get_text(config, "ack_policy", &text, &len) && len == 4 && memcmp(text, "none", 4) == 0;
}

/* Where an own consumer delivers to, if it does not say: nothing that our inbox's star fits. */
static size_t own_subject(const nats__consume *self, char *out)
{
    memcpy(out, self->hook.sub->rec.subject, self->inbox_len);
    memcpy(out + self->inbox_len, "d.d", 4);
    return self->inbox_len + 3;
}

/* Before it is made, for it begins with what it finds. */
static nats_status feed_by(nats__consume *self, const nats__json *config)
{
    const char *subject;
    const char *group;
    size_t len;
    size_t group_len;
    get_text(config, "deliver_subject", &subject, &len);
    get_text(config, "deliver_group", &group, &group_len);
    nats_status status = nats__subject_check("deliver_subject", subject, len);
    if (status == NATS_OK && group_len > 0) {
        status = nats__queue_check(group, group_len);
    }
    return status == NATS_OK ? feed(self, subject, len, group, group_len) : status;
}

static nats_status make(nats__consume *self)
{
    char name[NATS__JS_NAME_MAX + 1];
    char inbox[NATS_SUBJECT_MAX + 4];
    const char *text;
    size_t len;
    nats__json *config = nats__json_parse(self->args.config, strlen(self->args.config), NULL);
    bool named = get_text(config, "durable_name", &text, &len) ||
                 get_text(config, "name", &text, &len);
    if (named && len <= NATS__JS_NAME_MAX) {
        memcpy(name, text, len + 1);
    } else {
        nats__nuid(nats__session_rng(nats__consume_conn(self)->session), name);
        name[NATS__NUID_LEN] = '\0';
        nats__json_set_text(config, "name", name, NATS__NUID_LEN);
    }
    if (get_text(config, "deliver_subject", &text, &len) && strcmp(text, NATS__PUSH_INBOX) == 0) {
        size_t inbox_len = own_subject(self, inbox);
        nats__json_set_text(config, "deliver_subject", inbox, inbox_len);
    }
    if (!get_text(config, "ack_policy", &text, &len)) {
        nats__json_set_text(config, "ack_policy", "explicit", 8);
    }
    /* Of a group others may have asked for the same one: the server lets it go when the last has left. */
    bool shared = get_text(config, "deliver_group", &text, &len);
    self->acks_none = wants_no_acks(config); /* a message may come before the answer */
    bool asked = feed_by(self, config) == NATS_OK && nats__consume_create(self, name, config);
    nats__json_free(config);
    /* One of a name of the caller's may have been there before, as it is to be: nothing tells. */
    self->push.made = asked && !named && !shared;
    self->push.nameless = !named;
    memcpy(self->args.consumer, name, strlen(name) + 1);
    return asked ? NATS_OK : nats__error_get()->status;
}

static nats_status start(nats__consume *self, int64_t now_ns)
{
    nats__queue *queue = &self->hook.sub->queue;
    self->push.seen_ns = now_ns;
    if (self->args.pending_msgs == 0 && queue->msgs_max < WAITING_MAX) {
        queue->msgs_max = WAITING_MAX;
    }
    if (self->args.config != NULL) {
        return make(self);
    }
    return nats__consume_probe(self) ? NATS_OK : nats__error_get()->status;
}

/* Only one client at a time can have what is delivered to it, unless it is for a group. */
static bool is_taken(const nats__consume *self, const nats__answer *answer, bool group)
{
    bool bound = false;
    nats__json_bool(nats__json_get(answer->doc, "push_bound"), &bound);
    return self->args.config == NULL && bound && !group;
}

static void learn(nats__consume *self, const nats__json *config)
{
    int64_t heartbeat_ns = 0;
    self->acks_none = wants_no_acks(config);
    self->none_seq = 0;
    nats__json_int(nats__json_get(config, "idle_heartbeat"), &heartbeat_ns);
    self->push.heartbeat_ns = nats__js_time(heartbeat_ns);
}

/* What the consumer is: where it delivers to. */
static nats_status look(nats__consume *self, const nats__answer *answer)
{
    const nats__json *config = nats__json_get(answer->doc, "config");
    const char *subject;
    const char *text;
    size_t len;
    size_t text_len;
    if (nats__json_kind_of(config) != NATS__JSON_OBJECT) {
        return nats__consume_words(self, &(nats__answer){.code = NATS__GARBLED});
    }
    if (!get_text(config, "deliver_subject", &subject, &len)) {
        return nats__fail(NATS_ERR_INVALID, "consumer",
                          "%s: it does not deliver by itself, and is to be consumed with "
                          "\"consume\" or \"fetch\"", nats__consume_whose(self).text);
    }
    learn(self, config);
    bool group = get_text(config, "deliver_group", &text, &text_len);
    if (is_taken(self, answer, group)) {
        return nats__fail(NATS_ERR_INVALID, "consumer",
                          "%s: it delivers to another subscription already",
                          nats__consume_whose(self).text);
    }
    if (self->args.config == NULL) {
        return feed_by(self, config);
    }
    return nats__consume_compare(self, "consumer_config", answer) ? NATS_OK
                                                                  : nats__error_get()->status;
}

static void start_answered(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    nats_status status = answer->code == 0 ? look(self, answer)
                                           : nats__consume_words(self, answer);
    if (status != NATS_OK) {
        self->push.made = self->push.made && answer->code == 0; /* then it goes again */
        if (answer->msg != NULL) {
            nats__consume_take(self, answer->msg);
        }
        nats__consume_fail(self);
        return;
    }
    self->push.seen_ns = now_ns;
    nats__consume_ready(self, answer);
}

/* It may be another one, made under that name since. Where it delivers elsewhere nothing comes here any more. */
static bool look_again(nats__consume *self, const nats__json *config)
{
    const nats__subrec *rec = self->push.feeder != NULL ? &self->push.feeder->rec : NULL;
    const char *subject;
    size_t len;
    if (rec == NULL || nats__json_kind_of(config) != NATS__JSON_OBJECT) {
        return true;
    }
    get_text(config, "deliver_subject", &subject, &len);
    if (len != rec->subject_len || memcmp(subject, rec->subject, len) != 0) {
        nats__fail(NATS_ERR_INVALID, "consumer",
                   "%s: it was made anew, and does not deliver to this subscription any more",
                   nats__consume_whose(self).text);
        return false;
    }
    learn(self, config);
    return true;
}

/* The start's, or how the consumer is after some trouble. */
static void on_answer(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    if (!self->ready) {
        start_answered(self, answer, now_ns);
        return;
    }
    bool gone = answer->code == NOT_FOUND;
    if (answer->code != 0) {
        nats__consume_words(self, answer);
    } else {
        gone = !look_again(self, nats__json_get(answer->doc, "config"));
    }
    if (answer->msg != NULL) {
        nats__consume_take(self, answer->msg);
    }
    if (gone) {
        nats__consume_fail(self);
    } else if (answer->code != 0) {
        nats__consume_warn(self, nats__error_get()->status, "%s", nats__error_get()->text);
    }
}

/* ---- messages, flow control ---- */

static void answer_stall(nats__consume *self, const char *subject, size_t len)
{
    nats__conn *conn = nats__consume_conn(self);
    nats__frame frame = {.subject = subject, .subject_len = len, .epoch = conn->epoch + 1};
    if (nats__subject_ok(subject, len)) {
        nats__conn_send(conn, &frame);
    }
}

static void note_stall(nats__consume *self, const char *subject, size_t len)
{
    nats__push *push = &self->push;
    uint64_t waiting = self->hook.sub->queue.msgs;
    bool known = push->stall != NULL && strlen(push->stall) == len &&
                 memcmp(push->stall, subject, len) == 0;
    if (known) {
        return;
    }
    free(push->stall);
    push->stall = NULL;
    char *kept = waiting > 0 ? malloc(len + 1) : NULL;
    if (kept == NULL) {
        answer_stall(self, subject, len);
        return;
    }
    memcpy(kept, subject, len);
    kept[len] = '\0';
    push->stall = kept;
    push->stall_left = waiting;
}

static void on_taken(nats__consume *self, size_t count)
{
    nats__push *push = &self->push;
    push->stall_left -= count < push->stall_left ? count : push->stall_left;
    if (push->stall != NULL && push->stall_left == 0) {
        answer_stall(self, push->stall, strlen(push->stall));
        free(push->stall);
        push->stall = NULL;
    }
}

static void on_message(nats__consume *self, nats_msg *msg, int64_t now_ns)
{
    self->push.seen_ns = now_ns;
    nats__consume_push(self, msg, now_ns);
}

static void on_word(nats__consume *self, const nats__word *word, int64_t now_ns)
{
    size_t len;
    self->push.seen_ns = now_ns;
    nats__deed what = nats__word_deed(word);
    if (what == NATS__DEED_DELETED) {
        nats__word_fail(self, word);
        nats__consume_fail(self);
        return;
    }
    if (what != NATS__DEED_SEEN) {
        return;
    }
    if (word->msg->reply_len > 0) {
        note_stall(self, (const char *)word->msg->text + word->msg->reply, word->msg->reply_len);
        return;
    }
    const char *stalled = nats__msg_find_header(word->msg, "Nats-Consumer-Stalled", &len);
    if (stalled != NULL) {
        note_stall(self, stalled, len);
    }
}

/* ---- time, the connection, the end ---- */

static int64_t due_ns(const nats__consume *self)
{
    const nats__push *push = &self->push;
    bool watched = push->heartbeat_ns > 0 && self->ready && nats__consume_conn(self)->connected;
    return watched ? push->seen_ns + push->heartbeat_ns * 2 + push->heartbeat_ns / 8 : INT64_MAX;
}

static void on_time(nats__consume *self, int64_t now_ns)
{
    nats__push *push = &self->push;
    if (push->refused) {
        const char *subject = push->feeder != NULL ? push->feeder->rec.subject : "deliver_subject";
        nats__fail(NATS_ERR_PERMISSION, subject,
                   "%s: the server does not allow to subscribe to %s, which it delivers to",
                   nats__consume_whose(self).text, subject);
        nats__consume_fail(self);
        return;
    }
    if (now_ns < due_ns(self)) {
        return;
    }
    nats__consume_warn(self, NATS_ERR_TIMEOUT, "%s: no heartbeat for %lld ms",
                       nats__consume_whose(self).text,
                       (long long)((now_ns - push->seen_ns) / NATS__MS));
    push->seen_ns = now_ns;
    if (self->question == 0) {
        nats__consume_probe(self);
    }
}

/* What was to be told the server that is lost is of no use to this one. */
static void on_connected(nats__consume *self, int64_t now_ns)
{
    self->push.seen_ns = now_ns;
    free(self->push.stall);
    self->push.stall = NULL;
    nats__consume_probe(self);
}

static void let_go(nats__consume *self)
{
    if (self->push.made) {
        self->push.made = false;
        nats__consume_tell(self, "CONSUMER.DELETE", self->args.consumer);
    }
}

static void on_ended(nats__consume *self)
{
    leave_feeder(self);
    let_go(self);
}

static nats_sub *source(const nats__consume *self)
{
    return self->push.feeder;
}

const nats__consume_kind nats__kind_push = {.start = start,
                                            .on_answer = on_answer,
                                            .on_message = on_message,
                                            .on_word = on_word,
                                            .on_taken = on_taken,
                                            .on_time = on_time,
                                            .due_ns = due_ns,
                                            .on_connected = on_connected,
                                            .source = source,
                                            .on_closing = let_go,
                                            .on_ended = on_ended};
