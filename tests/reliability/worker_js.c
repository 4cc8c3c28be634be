/* JetStream's part of the worker in C: README.md has the words it takes and the lines it prints. */
#include "worker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    NUMBERS_MAX = 1 << 21, /* a run has fewer */
    BATCH = 512,
    BURST = 500, /* messages between two looks at the rest */
    WINDOW = 256,
    TICK_MS = 5,
    CALL_MS = 2000, /* of what waits for the server */
    /* A server that was killed has forgotten some of what it delivered, does not answer acks of
     * that, and delivers it again. */
    ACK_CALL_MS = 250,
    QUEUE = 10, /* messages that may wait to be acknowledged */
    PATIENCE_S = 60
};

static const double SILENCE = 0.3; /* longer ones are told */
static const double PAUSE = 0.05;  /* after a failure */

static void *zeroed(size_t count, size_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        die("memory");
    }
    return memory;
}

/* ---- a pulse tells when nothing came for longer than usual ---- */

typedef struct pulse {
    const char *name;
    double last;
} pulse;

static void pulse_beat(pulse *self)
{
    double time = now();
    if (self->last > 0 && time - self->last > SILENCE) {
        printf("event %s_silent %.6f\nevent %s_heard %.6f\n", self->name, self->last, self->name,
               time);
    }
    self->last = time;
}

static uint64_t number_of(const nats_msg *msg)
{
    char text[24] = "";
    size_t len;
    const void *data = nats_msg_data(msg, &len);
    memcpy(text, data, len < sizeof text ? len : sizeof text - 1);
    uint64_t number = strtoull(text, NULL, 10);
    if (number >= NUMBERS_MAX) {
        die("a number");
    }
    return number;
}

/* ---- store: publish numbers, each until its ack comes, always with the same id ---- */

typedef struct writer {
    nats_js *js;
    nats_js_publisher *publisher; /* of a window */
    nats_headers *headers;
    const char *subject;
    double rate;
    double began;
    double pause;
    uint64_t next;
    uint64_t *under_way; /* of a window: numbers by id */
    uint64_t first_id;   /* of those under way */
    size_t under_way_count;
    uint64_t *again;
    size_t again_count;
    uint64_t acked;
    uint64_t unknown;
    uint64_t duplicates;
    uint64_t misplaced;
    pulse pulse;
} writer;

static uint64_t writer_due(const writer *self)
{
    double due = (now() - self->began) * self->rate - (double)self->acked;
    if (now() < self->pause || due < 0) {
        return 0;
    }
    return due > BURST ? BURST : (uint64_t)due;
}

/* Who takes nothing now is left in peace for a moment. */
static void writer_failed(writer *self)
{
    self->unknown++;
    self->pause = now() + PAUSE;
}

static void writer_done(writer *self, uint64_t count)
{
    if (count > 0) {
        self->acked += count;
        pulse_beat(&self->pulse);
    }
}

static const nats_headers *headers_with_id(writer *self, const char *id)
{
    nats_headers_clear(self->headers);
    must("headers", nats_headers_add(self->headers, nats_js_header("msg_id", NULL), NATS_Z,
                                            id, NATS_Z));
    return self->headers;
}

/* One after the other: a message's number is its sequence, or something was lost or stored twice. */
static void turn_sync(writer *self, bool more)
{
    for (uint64_t due = more ? writer_due(self) : 0; due > 0; due--) {
        char text[24];
        nats_msg *ack;
        int len = snprintf(text, sizeof text, "%" PRIu64, self->next);
        nats_status status = nats_js_publish(self->js, self->subject, NATS_Z,
                                             headers_with_id(self, text), text, (size_t)len,
                                             CALL_MS, &ack);
        if (status != NATS_OK) {
            writer_failed(self);
            return;
        }
        uint64_t seq;
        int32_t duplicate;
        nats_msg_ack_seq(ack, &seq, &duplicate);
        nats_msg_free(ack);
        self->misplaced += seq != self->next;
        self->duplicates += duplicate != 0;
        self->next++;
        writer_done(self, 1);
    }
}

static bool publish_number(writer *self, uint64_t number)
{
    char text[24];
    uint64_t id;
    int len = snprintf(text, sizeof text, "%" PRIu64, number);
    nats_status status =
        nats_js_publisher_publish(self->publisher, self->subject, NATS_Z,
                                  headers_with_id(self, text), text, (size_t)len, &id);
    if (status != NATS_OK) {
        self->again[self->again_count++] = number;
        return false;
    }
    if (self->under_way_count == 0) {
        self->first_id = id;
    }
    if (id != self->first_id + self->under_way_count) {
        die("an id that does not follow");
    }
    self->under_way[self->under_way_count++] = number;
    return true;
}

static void publish_all(writer *self, bool more)
{
    uint64_t todo[BURST * 2];
    size_t count = self->again_count;
    memcpy(todo, self->again, count * sizeof *todo);
    self->again_count = 0;
    size_t at = 0;
    while (at < count && publish_number(self, todo[at])) {
        at++;
    }
    for (at++; at < count; at++) {
        self->again[self->again_count++] = todo[at];
    }
    uint64_t due = more && self->again_count == 0 ? writer_due(self) : 0;
    for (; due > count && publish_number(self, self->next++); due--) {
    }
}

/* Those that failed are published again; when none is under way any more the rest is acknowledged. */
static void settle(writer *self)
{
    uint64_t stats[NATS_PUBLISHER_STAT_COUNT];
    uint64_t id;
    nats_js_publisher_stats(self->publisher, stats, NATS_PUBLISHER_STAT_COUNT);
    for (nats_js_publisher_next_failure(self->publisher, &id); id != 0;
         nats_js_publisher_next_failure(self->publisher, &id)) {
        uint64_t *number = &self->under_way[id - self->first_id];
        self->again[self->again_count++] = *number;
        *number = 0;
        writer_failed(self);
    }
    self->duplicates = stats[NATS_PUBLISHER_DUPLICATES];
    if (stats[NATS_PUBLISHER_PENDING] > 0) {
        return;
    }
    uint64_t acked = 0;
    for (size_t i = 0; i < self->under_way_count; i++) {
        acked += self->under_way[i] != 0;
    }
    self->under_way_count = 0;
    writer_done(self, acked);
}

static void turn_window(writer *self, bool more)
{
    if (self->under_way_count == 0 && now() >= self->pause) {
        publish_all(self, more);
    }
    nats_js_publisher_flush(self->publisher, CALL_MS);
    settle(self);
}

static bool writer_settled(const writer *self)
{
    return self->under_way_count == 0 && self->again_count == 0;
}

/* ---- what is stored comes to a consumer, at least once, and to an ordered one, once and in order ---- */

typedef struct reader {
    nats_client *client;
    nats_sub *sub; /* NULL: nobody reads */
    nats_sub *ordered;
    unsigned char *seen;
    uint64_t consumed;
    uint64_t redelivered;
    uint64_t last;
    uint64_t wrong;
    pulse pulses[2];
} reader;

static nats_sub *consume(nats_js *js, const char *how, int max_messages)
{
    char words[256];
    char name[64] = "";
    char most[64] = "";
    if (strcmp(how, "consume") == 0) {
        snprintf(name, sizeof name, ",\"consumer\":\"%s\"", word("consumer", ""));
    }
    if (max_messages > 0) {
        snprintf(most, sizeof most, ",\"max_messages\":%d", max_messages);
    }
    snprintf(words, sizeof words, "{\"stream\":\"%s\",\"idle_heartbeat\":\"%ss\"%s%s}",
             word("stream", ""), word("heartbeat", "1"), name, most);
    nats_sub *sub;
    must(how, nats_js_consume(js, how, words, NATS_Z, CALL_MS, &sub));
    return sub;
}

static void take_consumed(reader *self, int64_t wait_ms)
{
    nats_msg *batch[BATCH];
    size_t count;
    must("get", nats_sub_get(self->sub, BATCH, wait_ms, batch, &count));
    for (size_t i = 0; i < count; i++) {
        uint64_t number = number_of(batch[i]);
        self->redelivered += self->seen[number];
        self->consumed += !self->seen[number];
        self->seen[number] = 1;
    }
    if (count > 0) {
        nats_client_ack_many(self->client, batch, count, NULL);
        pulse_beat(&self->pulses[0]);
    }
    nats_msg_free_many(batch, count);
}

static void take_ordered(reader *self)
{
    nats_msg *batch[BATCH];
    size_t count;
    must("get", nats_sub_get(self->ordered, BATCH, 0, batch, &count));
    for (size_t i = 0; i < count; i++) {
        uint64_t seq;
        nats_msg_js_uint(batch[i], NATS_JS_STREAM_SEQ, &seq);
        self->wrong += seq != self->last + 1;
        self->last = seq;
    }
    if (count > 0) {
        pulse_beat(&self->pulses[1]);
    }
    nats_msg_free_many(batch, count);
}

static void store_turn(writer *writing, reader *reading, bool window, bool more)
{
    if (window) {
        turn_window(writing, more);
    } else {
        turn_sync(writing, more);
    }
    if (reading->sub != NULL) {
        take_consumed(reading, TICK_MS);
        take_ordered(reading);
    } else {
        usleep(TICK_MS * 1000);
    }
    put_events(reading->client);
}

static bool all_there(const writer *writing, const reader *reading)
{
    return writer_settled(writing) &&
           (reading->sub == NULL ||
            (reading->consumed >= writing->acked && reading->last >= writing->acked));
}

void store_mode(const char *url)
{
    nats_client *client = client_of(url);
    bool window = strcmp(word("kind", "sync"), "window") == 0;
    writer writing = {.subject = word("subject", ""), .rate = number("rate"),
                      .next = 1, .pulse = {"ack", 0}};
    reader reading = {.client = client, .pulses = {{"consumer", 0}, {"ordered", 0}}};
    must("jetstream", nats_client_jetstream(client, NULL, NULL, CALL_MS, &writing.js));
    must("publisher", nats_js_publisher_new(writing.js, WINDOW, &writing.publisher));
    must("headers", nats_headers_new(&writing.headers));
    writing.under_way = zeroed(BURST * 2, sizeof *writing.under_way);
    writing.again = zeroed(BURST * 2, sizeof *writing.again);
    if (word("consumer", NULL) != NULL) {
        reading.sub = consume(writing.js, "consume", 0);
        reading.ordered = consume(writing.js, "ordered", 0);
        reading.seen = zeroed(NUMBERS_MAX, 1);
    }
    tell("ready");
    double start = writing.began = now();
    double limit = 0;
    while (limit == 0 || (!all_there(&writing, &reading) && now() < limit)) {
        limit = limit == 0 && over() ? now() + PATIENCE_S : limit;
        store_turn(&writing, &reading, window, limit == 0);
    }
    printf("done acked=%" PRIu64 " unknown=%" PRIu64 " duplicates=%" PRIu64 " misplaced=%" PRIu64
           " seconds=%.3f consumed=%" PRIu64 " redelivered=%" PRIu64 " ordered=%" PRIu64
           " wrong=%" PRIu64 "\n",
           writing.acked, writing.unknown, writing.duplicates, writing.misplaced,
           now() - start, reading.consumed, reading.redelivered, reading.last,
           reading.wrong);
    nats_sub_free(reading.sub);
    nats_sub_free(reading.ordered);
    nats_headers_free(writing.headers);
    nats_js_publisher_free(writing.publisher);
    nats_js_free(writing.js);
    nats_client_free(client);
    free(writing.under_way);
    free(writing.again);
    free(reading.seen);
}

/* ---- work: acknowledge each message twice over; none of those comes again behind the answer ---- */

typedef struct ack_facts {
    double *when;     /* by number: the answer came, 0: it did not */
    uint64_t *queued; /* … and so many had arrived by then: what was sent before the answer is among them */
    unsigned char *seen;
    uint64_t taken;
    uint64_t acked;
    uint64_t distinct;
    uint64_t unknown;
    uint64_t redelivered;
} ack_facts;

static void acknowledge(ack_facts *self, nats_client *client, nats_sub *sub, nats_msg *msg)
{
    uint64_t number = number_of(msg);
    self->taken++;
    self->redelivered += self->seen[number];
    self->distinct += !self->seen[number];
    self->seen[number] = 1;
    if (self->when[number] > 0 && self->taken > self->queued[number]) {
        printf("event again %.6f\n", self->when[number]);
    }
    if (nats_client_ack_sync(client, msg, ACK_CALL_MS) != NATS_OK) {
        self->unknown++;
        return;
    }
    uint64_t stats[NATS_SUB_STAT_COUNT];
    nats_sub_stats(sub, stats, NATS_SUB_STAT_COUNT);
    self->acked += self->when[number] == 0;
    self->when[number] = now();
    self->queued[number] = stats[NATS_SUB_STAT_DELIVERED] + stats[NATS_SUB_STAT_PENDING_MSGS];
}

void work_mode(const char *url)
{
    nats_client *client = client_of(url);
    nats_js *js;
    must("jetstream", nats_client_jetstream(client, NULL, NULL, CALL_MS, &js));
    nats_sub *sub = consume(js, "consume", QUEUE);
    ack_facts facts = {.when = zeroed(NUMBERS_MAX, sizeof(double)),
                       .queued = zeroed(NUMBERS_MAX, sizeof(uint64_t)),
                       .seen = zeroed(NUMBERS_MAX, 1)};
    pulse beating = {"message", 0};
    double rate = number("rate");
    tell("ready");
    double began = now();
    while (!over()) {
        put_events(client);
        if ((double)facts.acked > (now() - began) * rate) {
            usleep(TICK_MS * 1000);
            beating.last = now();
            continue;
        }
        nats_msg *msg;
        must("next", nats_sub_next(sub, TICK_MS, &msg));
        if (msg != NULL) {
            pulse_beat(&beating);
            acknowledge(&facts, client, sub, msg);
            nats_msg_free(msg);
        }
    }
    printf("done seen=%" PRIu64 " acked=%" PRIu64 " unknown=%" PRIu64 " redelivered=%" PRIu64 "\n",
           facts.distinct, facts.acked, facts.unknown, facts.redelivered);
    nats_sub_free(sub);
    nats_js_free(js);
    nats_client_free(client);
    free(facts.when);
    free(facts.queued);
    free(facts.seen);
}
