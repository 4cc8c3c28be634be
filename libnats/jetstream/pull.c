#include "jetstream/pull.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "jetstream/consume.h"
#include "proto/subject.h"

enum {
    BATCH_OF_BYTES = 1000000, /* messages of a request that only bytes limit (ADR-37) */
    SHARES = 8,               /* requests that the room for bytes is shared by */
    BODY_MAX = 512
};

#define GRACE_NS INT64_C(1000000000)   /* for the word that a request has expired to arrive */
#define REST_FIRST_NS INT64_C(250000000)
#define REST_LAST_NS INT64_C(8000000000)

/* ---- the open ones ---- */

static nats__pull_request *at(nats__pull *pull, size_t index)
{
    return &pull->open[(pull->first + index) % NATS__PULLS_MAX];
}

static void take_out(nats__pull *pull, size_t index)
{
    const nats__pull_request *gone = at(pull, index);
    pull->msgs -= gone->msgs;
    pull->bytes -= gone->bytes;
    for (size_t i = index; i + 1 < pull->count; i++) {
        *at(pull, i) = *at(pull, i + 1);
    }
    pull->count--;
}

static size_t find(nats__pull *pull, uint64_t number)
{
    size_t index = 0;
    while (index < pull->count && at(pull, index)->number != number) {
        index++;
    }
    return index;
}

void nats__pull_got(nats__pull *pull, size_t size, int64_t now_ns)
{
    pull->seen_ns = now_ns;
    pull->rest_ns = 0;
    pull->whole = false;
    if (pull->count == 0) {
        return; /* of one that was given up */
    }
    nats__pull_request *next = at(pull, 0);
    uint64_t bytes = size < next->bytes ? size : next->bytes;
    bool full = next->msgs == 1 || (next->bytes_asked > 0 && bytes == next->bytes);
    if (full) {
        take_out(pull, 0);
        return;
    }
    next->msgs--;
    next->bytes -= bytes;
    pull->msgs--;
    pull->bytes -= bytes;
    nats__pull_request turned = *next;
    pull->first = (pull->first + 1) % NATS__PULLS_MAX;
    *at(pull, pull->count - 1) = turned;
}

/* The server tells what is left of a request: as much more or less as it brought than was thought,
 * the others did the other way. */
static void settle(uint64_t *other, uint64_t *sum, uint64_t least, uint64_t thought, uint64_t left)
{
    if (thought > left) {
        *other += thought - left;
        *sum += thought - left;
        return;
    }
    uint64_t spare = *other > least ? *other - least : 0;
    uint64_t less = left - thought < spare ? left - thought : spare;
    *other -= less;
    *sum -= less;
}

/* They all have the same time, so those that were asked before have expired too. */
static void drop_older(nats__pull *pull, uint64_t number)
{
    for (size_t i = pull->count; i > 0; i--) {
        if (at(pull, i - 1)->number < number) {
            take_out(pull, i - 1);
        }
    }
}

enum { EXPIRED = 408 };

uint64_t nats__pull_closed(nats__pull *pull, const nats__word *word)
{
    size_t index = find(pull, word->number);
    uint64_t left;
    if (index == pull->count) {
        return 0;
    }
    nats__pull_request gone = *at(pull, index);
    take_out(pull, index);
    if (word->code == EXPIRED) {
        drop_older(pull, gone.number);
    }
    nats__pull_request *other = pull->count > 0 ? at(pull, 0) : NULL;
    if (other != NULL && nats__word_uint(word, "Nats-Pending-Messages", &left)) {
        settle(&other->msgs, &pull->msgs, 1, gone.msgs, left);
    }
    if (gone.bytes_asked == 0 || !nats__word_uint(word, "Nats-Pending-Bytes", &left)) {
        return 0;
    }
    if (other != NULL) {
        settle(&other->bytes, &pull->bytes, 0, gone.bytes, left);
    }
    return left == gone.bytes_asked ? left : 0;
}

bool nats__pull_knows(const nats__pull *pull, const nats__word *word)
{
    return word->number >= pull->first_number && word->number <= pull->number;
}

void nats__pull_forget(nats__pull *pull)
{
    pull->count = 0;
    pull->msgs = 0;
    pull->bytes = 0;
    pull->first_number = pull->number + 1;
}

void nats__pull_expire(nats__pull *pull, int64_t now_ns)
{
    if (now_ns >= pull->rest_until_ns) {
        pull->rest_until_ns = 0;
    }
    for (size_t i = pull->count; i > 0; i--) {
        if (now_ns >= at(pull, i - 1)->gone_ns) {
            take_out(pull, i - 1);
        }
    }
}

/* ---- time ---- */

/* The heartbeat says how soon it is to be noticed that the server is there again. */
static int64_t longest_rest(const nats__pull *pull)
{
    if (pull->heartbeat_ns <= 0 || pull->heartbeat_ns > REST_LAST_NS) {
        return REST_LAST_NS;
    }
    return pull->heartbeat_ns > REST_FIRST_NS ? pull->heartbeat_ns : REST_FIRST_NS;
}

void nats__pull_rest(nats__pull *pull, int64_t now_ns)
{
    if (pull->rest_until_ns > now_ns) {
        return; /* each request is told the same */
    }
    int64_t twice = pull->rest_ns > 0 ? pull->rest_ns * 2 : REST_FIRST_NS;
    int64_t longest = longest_rest(pull);
    pull->rest_ns = twice < longest ? twice : longest;
    pull->rest_until_ns = now_ns + pull->rest_ns;
}

/* A heartbeat that is a little late was not missed. */
static int64_t silent_at(const nats__pull *pull)
{
    return pull->heartbeat_ns > 0 && pull->count > 0
               ? pull->seen_ns + pull->heartbeat_ns * 2 + pull->heartbeat_ns / 8
               : INT64_MAX;
}

bool nats__pull_is_silent(const nats__pull *pull, int64_t now_ns)
{
    return now_ns >= silent_at(pull);
}

int64_t nats__pull_due_ns(const nats__consume *self)
{
    const nats__pull *pull = &self->pull;
    int64_t due = silent_at(pull);
    for (size_t i = 0; i < pull->count; i++) {
        int64_t gone = pull->open[(pull->first + i) % NATS__PULLS_MAX].gone_ns;
        due = gone < due ? gone : due;
    }
    bool rests = pull->rest_until_ns > 0 && pull->rest_until_ns < due;
    return rests ? pull->rest_until_ns : due;
}

/* ---- asking ---- */

void nats__pull_configure(nats__consume *self, const nats__json *config)
{
    nats__pull *pull = &self->pull;
    int64_t waiting = 0;
    int64_t batch = 0;
    int64_t expires = 0;
    int64_t bytes = 0;
    nats__json_int(nats__json_get(config, "max_waiting"), &waiting);
    nats__json_int(nats__json_get(config, "max_batch"), &batch);
    nats__json_int(nats__json_get(config, "max_expires"), &expires);
    nats__json_int(nats__json_get(config, "max_bytes"), &bytes);
    pull->waiting_max = waiting > 0 ? (uint64_t)waiting : 0;
    pull->batch_max = batch > 0 ? (uint64_t)batch : 0;
    pull->bytes_max = bytes > 0 ? (uint64_t)bytes : 0;
    pull->expires_max_ns = expires > 0 ? expires : 0;
    if (expires > 0 && pull->expires_ns > expires) {
        pull->expires_ns = expires;
        pull->heartbeat_ns =
            pull->heartbeat_ns > expires / 2 ? expires / 2 : pull->heartbeat_ns;
    }
}

typedef struct body {
    char text[BODY_MAX];
    size_t len;
} body;

static void put(body *out, const char *key, int64_t value)
{
    if (value > 0) {
        out->len += (size_t)snprintf(out->text + out->len, sizeof out->text - out->len,
                                     ",\"%s\":%" PRId64, key, value);
    }
}

/* Its characters were checked: none needs an escape. */
static void put_text(body *out, const char *key, const char *value)
{
    if (value[0] != '\0') {
        out->len += (size_t)snprintf(out->text + out->len, sizeof out->text - out->len,
                                     ",\"%s\":\"%s\"", key, value);
    }
}

static void write_body(const nats__consume *self, uint64_t msgs, uint64_t bytes, body *out)
{
    const nats__consume_args *args = &self->args;
    const nats__pull *pull = &self->pull;
    out->len = (size_t)snprintf(out->text, sizeof out->text, "{\"batch\":%" PRIu64, msgs);
    if (!args->no_wait) {
        put(out, "expires", pull->expires_ns);
        put(out, "idle_heartbeat", pull->heartbeat_ns);
    } else {
        out->len += (size_t)snprintf(out->text + out->len, sizeof out->text - out->len,
                                     ",\"no_wait\":true");
    }
    put(out, "max_bytes", (int64_t)bytes);
    put(out, "min_pending", args->min_pending);
    put(out, "min_ack_pending", args->min_ack_pending);
    put(out, "priority", args->priority);
    put_text(out, "group", args->group);
    put_text(out, "id", pull->pin);
    memcpy(out->text + out->len, "}", 2);
}

size_t nats__pull_subject(const nats__consume *self, char *out, size_t size)
{
    const char *consumer =
        self->args.how == NATS__HOW_ORDERED ? self->ordered.name : self->args.consumer;
    int len = snprintf(out, size, "%sCONSUMER.MSG.NEXT.%s.%s", self->js->prefix,
                       self->args.stream, consumer);
    return len > 0 && (size_t)len < size ? (size_t)len : 0;
}

static bool send(nats__consume *self, uint64_t number, const body *what)
{
    char subject[NATS_SUBJECT_MAX + 1];
    size_t len = nats__pull_subject(self, subject, sizeof subject);
    return len > 0 && nats__consume_send(self, subject, len, 'p', number, what->text);
}

bool nats__pull_ask(nats__consume *self, uint64_t msgs, uint64_t bytes, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    body what;
    if (pull->count == NATS__PULLS_MAX) {
        return false;
    }
    write_body(self, msgs, bytes, &what);
    if (!send(self, pull->number + 1, &what)) {
        return false;
    }
    if (pull->count == 0) {
        pull->seen_ns = now_ns;
    }
    pull->number++;
    pull->rest_until_ns = 0;
    pull->count++;
    *at(pull, pull->count - 1) = (nats__pull_request){
        .number = pull->number,
        .msgs = msgs,
        .bytes = bytes,
        .bytes_asked = bytes,
        .gone_ns = pull->expires_ns > 0 ? now_ns + pull->expires_ns + GRACE_NS : INT64_MAX};
    pull->msgs += msgs;
    pull->bytes += bytes;
    return true;
}

/* ---- how much ---- */

/* What may wait and be under way together, and what is. */
typedef struct room {
    uint64_t msgs_max;
    uint64_t msgs;
    uint64_t bytes_max; /* UINT64_MAX: any number */
    uint64_t bytes;
    bool by_bytes; /* they are what the caller counts */
} room;

static uint64_t lesser(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static room look(const nats__consume *self)
{
    const nats__queue *queue = &self->hook.sub->queue;
    const nats__consume_args *args = &self->args;
    room now = {.msgs = queue->msgs + self->pull.msgs, .bytes = queue->bytes + self->pull.bytes};
    now.by_bytes = args->max_bytes > 0 && args->max_messages == 0;
    now.msgs_max = now.by_bytes ? queue->msgs_max
                                : lesser((uint64_t)args->max_messages, queue->msgs_max);
    now.bytes_max = args->max_bytes > 0 ? lesser((uint64_t)args->max_bytes, queue->bytes_max)
                                        : queue->bytes_max;
    return now;
}

static bool is_low(const nats__consume *self, const room *now)
{
    const nats__consume_args *args = &self->args;
    if (now->by_bytes) {
        uint64_t threshold = args->threshold_bytes > 0 ? (uint64_t)args->threshold_bytes
                                                       : now->bytes_max / 2;
        return now->bytes <= threshold;
    }
    uint64_t threshold = args->threshold_messages > 0 ? (uint64_t)args->threshold_messages
                                                      : now->msgs_max / 2;
    return now->msgs <= threshold;
}

static uint64_t msgs_to_ask(const nats__consume *self, const room *now)
{
    uint64_t most = self->pull.batch_max > 0 ? self->pull.batch_max : UINT64_MAX;
    if (now->by_bytes) {
        return lesser(BATCH_OF_BYTES, most);
    }
    return now->msgs < now->msgs_max ? lesser(now->msgs_max - now->msgs, most) : 0;
}

/* 0: they are not counted. *none_out: there is too little room, until something was taken. Who
 * counts messages gives each request a share, for one that is done with its messages gives its
 * bytes back. */
static uint64_t bytes_to_ask(const nats__consume *self, const room *now, bool *none_out)
{
    const nats__pull *pull = &self->pull;
    *none_out = false;
    if (now->bytes_max == UINT64_MAX) {
        return pull->bytes_max;
    }
    uint64_t left = now->bytes < now->bytes_max ? now->bytes_max - now->bytes : 0;
    uint64_t share = now->bytes_max / SHARES > 0 ? now->bytes_max / SHARES : 1;
    uint64_t bytes = now->by_bytes || pull->whole ? left : lesser(left, share);
    uint64_t least = pull->whole ? now->bytes_max : share / 2;
    *none_out = now->bytes > 0 && (bytes == 0 || bytes < least);
    return pull->bytes_max > 0 ? lesser(bytes, pull->bytes_max) : bytes;
}

bool nats__pull_is_most(const nats__consume *self, uint64_t bytes)
{
    room now = look(self);
    uint64_t most = self->pull.bytes_max;
    return bytes >= now.bytes_max || (most > 0 && bytes >= most);
}

/* One request, if there is room. */
static bool ask_more(nats__consume *self)
{
    nats__pull *pull = &self->pull;
    room now = look(self);
    uint64_t most = pull->waiting_max > 0 ? lesser(pull->waiting_max, NATS__PULLS_MAX)
                                          : NATS__PULLS_MAX;
    if (pull->count >= most) {
        return false;
    }
    bool none;
    uint64_t bytes = bytes_to_ask(self, &now, &none);
    uint64_t msgs = msgs_to_ask(self, &now);
    int64_t now_ns = nats__now_ns();
    if (msgs == 0 || none || pull->rest_until_ns > now_ns) {
        return false;
    }
    bool asked = nats__pull_ask(self, msgs, bytes, now_ns);
    if (!asked) {
        nats__pull_rest(pull, now_ns); /* memory is out: in a while there may be some */
    }
    return asked;
}

/* Where the consumer allows small requests only, several are under way. */
void nats__pull_top_up(nats__consume *self)
{
    if (!nats__consume_conn(self)->connected || nats__consume_leaves(self) || !self->ready ||
        self->question != 0) {
        return;
    }
    room now = look(self);
    bool more = is_low(self, &now);
    while (more) {
        more = ask_more(self);
    }
}
