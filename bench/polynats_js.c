/* This library on JetStream. Each way in has a stream of its own, made and deleted here; the ways out read the
 * stream that js-fill has filled. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ours.h"

enum { TEXT_MAX = 512 };

typedef struct stage {
    const bench_args *args;
    nats_client *client;
    nats_js *js;
    uint64_t msgs; /* received */
    uint64_t bytes;
    nats_msg *batch[BENCH_BATCH];
} stage;

static void open_stage(stage *s, const bench_args *args)
{
    memset(s, 0, sizeof(*s));
    s->args = args;
    s->client = ours_open(args);
    ours_check(nats_client_jetstream(s->client, NULL, NULL, BENCH_WAIT_MS, &s->js), "jetstream");
}

static void close_stage(stage *s)
{
    nats_js_free(s->js);
    nats_client_free(s->client);
}

static void call(const stage *s, const char *verb, const char *arguments, nats_msg **answer_out)
{
    ours_check(nats_js_call(s->js, verb, arguments, NATS_Z, -1, answer_out), verb);
}

/* What an earlier run may have left need not be there. */
static void drop(const stage *s, const char *verb, const char *arguments)
{
    if (nats_js_call(s->js, verb, arguments, NATS_Z, -1, NULL) != NATS_OK &&
        nats_last_code() != 404) {
        bench_die("%s: %s", verb, nats_last_error(NULL));
    }
}

static void make_stream(const stage *s, const char *name, bool fast)
{
    char text[TEXT_MAX];
    snprintf(text, sizeof(text), "{\"stream\":\"%s\"}", name);
    drop(s, "delete_stream", text);
    snprintf(text, sizeof(text),
             "{\"config\":{\"name\":\"%s\",\"subjects\":[\"%s\"],\"storage\":\"%s\"%s}}", name,
             s->args->subject, s->args->storage, fast ? ",\"allow_batched\":true" : "");
    call(s, "create_stream", text, NULL);
}

/* ---- the ways in ---- */

static void check_acked(nats_js_publisher *publisher, uint64_t msgs)
{
    uint64_t values[NATS_PUBLISHER_STAT_COUNT];
    nats_js_publisher_stats(publisher, values, NATS_PUBLISHER_STAT_COUNT);
    if (values[NATS_PUBLISHER_ACKED] != msgs) {
        bench_die("only %" PRIu64 " messages were acknowledged", values[NATS_PUBLISHER_ACKED]);
    }
}

static bench_watch publish_all(const stage *s, bool fast)
{
    const bench_args *args = s->args;
    nats_js_publisher *publisher;
    uint8_t *payload = bench_payload(args->size);
    size_t subject_len = strlen(args->subject);
    ours_check(fast ? nats_js_publisher_fast(s->js, BENCH_WINDOW, &publisher)
                    : nats_js_publisher_new(s->js, BENCH_WINDOW, &publisher),
               "publisher");

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        ours_check(nats_js_publisher_publish(publisher, args->subject, subject_len, NULL, payload,
                                             args->size, NULL),
                   "publish");
    }
    ours_check(nats_js_publisher_flush(publisher, BENCH_WAIT_MS), "flush");
    bench_watch took = bench_stop(&start);

    check_acked(publisher, args->msgs);
    nats_js_publisher_free(publisher);
    free(payload);
    return took;
}

static void publish_once(const bench_args *args, bool fast)
{
    stage s;
    open_stage(&s, args);
    make_stream(&s, "BENCH", fast);
    bench_watch took = publish_all(&s, fast);
    drop(&s, "delete_stream", "{\"stream\":\"BENCH\"}");
    bench_print_rate(args, &took);
    close_stage(&s);
}

void ours_js_pub(const bench_args *args)
{
    publish_once(args, false);
}

void ours_js_fast(const bench_args *args)
{
    publish_once(args, true);
}

void ours_js_fill(const bench_args *args)
{
    stage s;
    char name[TEXT_MAX];
    snprintf(name, sizeof(name), "FILLED_%s", args->storage);
    open_stage(&s, args);
    make_stream(&s, name, false);
    bench_watch took = publish_all(&s, false);
    bench_print_rate(args, &took);
    close_stage(&s);
}

/* ---- the ways out ---- */

static void name_consumer(const stage *s, char *text, const char *more)
{
    snprintf(text, TEXT_MAX, "{\"stream\":\"FILLED_%s\",\"consumer\":\"bench\"%s}",
             s->args->storage, more);
}

static void make_consumer(const stage *s)
{
    char text[TEXT_MAX];
    name_consumer(s, text, "");
    drop(s, "delete_consumer", text);
    snprintf(text, sizeof(text),
             "{\"stream\":\"FILLED_%s\",\"config\":{\"durable_name\":\"bench\","
             "\"ack_policy\":\"explicit\",\"max_ack_pending\":%d}}",
             s->args->storage, BENCH_ACKS);
    call(s, "create_consumer", text, NULL);
}

/* The server has seen all acks. */
static void check_acks(const stage *s)
{
    char text[TEXT_MAX];
    nats_msg *answer;
    nats_json *info;
    uint64_t floor = 0;
    size_t len;
    name_consumer(s, text, "");
    call(s, "consumer_info", text, &answer);
    const char *data = nats_msg_data(answer, &len);
    ours_check(nats_json_parse(data, len, &info), "consumer_info");
    nats_json_uint(nats_json_get(nats_json_get(info, "ack_floor"), "stream_seq"), &floor);
    nats_json_free(info);
    nats_msg_free(answer);
    if (floor != s->args->msgs) {
        bench_die("acks are in as far as message %" PRIu64, floor);
    }
}

static void delete_consumer(const stage *s)
{
    char text[TEXT_MAX];
    check_acks(s);
    name_consumer(s, text, "");
    call(s, "delete_consumer", text, NULL);
}

/* Acknowledges a batch. The last message of all by a double ack: the server has taken note of those before it
 * then. */
static void take_and_ack(stage *s, size_t count)
{
    bool last = s->msgs + count >= s->args->msgs;
    size_t acked;
    ours_check(nats_client_ack_many(s->client, s->batch, count - last, &acked), "ack");
    if (last) {
        ours_check(nats_client_ack_sync(s->client, s->batch[count - 1], BENCH_WAIT_MS), "ack_sync");
    }
    s->msgs += count;
    s->bytes += ours_take(s->batch, count);
}

static size_t get(stage *s, nats_sub *sub)
{
    uint64_t left = s->args->msgs - s->msgs;
    size_t count;
    ours_check(nats_sub_get(sub, left < BENCH_BATCH ? (size_t)left : BENCH_BATCH, BENCH_WAIT_MS,
                            s->batch, &count),
               "get");
    if (count == 0) {
        bench_die("only %" PRIu64 " messages came", s->msgs);
    }
    return count;
}

static void finish(const stage *s, const bench_watch *took)
{
    if (s->msgs != s->args->msgs || s->bytes != s->msgs * s->args->size) {
        bench_die("%" PRIu64 " messages with %" PRIu64 " bytes came", s->msgs, s->bytes);
    }
    bench_print_rate(s->args, took);
}

static void fetch_once(stage *s)
{
    char how[TEXT_MAX];
    char more[64];
    uint64_t left = s->args->msgs - s->msgs;
    uint64_t wanted = left < BENCH_PULL ? left : BENCH_PULL;
    nats_sub *sub;
    snprintf(more, sizeof(more), ",\"max_messages\":%" PRIu64, wanted);
    name_consumer(s, how, more);
    ours_check(nats_js_consume(s->js, "fetch", how, NATS_Z, -1, &sub), "fetch");
    for (uint64_t end = s->msgs + wanted; s->msgs < end;) {
        take_and_ack(s, get(s, sub));
    }
    nats_sub_free(sub);
}

void ours_js_fetch(const bench_args *args)
{
    stage s;
    open_stage(&s, args);
    make_consumer(&s);

    bench_watch start = bench_start();
    while (s.msgs < args->msgs) {
        fetch_once(&s);
    }
    bench_watch took = bench_stop(&start);

    delete_consumer(&s);
    finish(&s, &took);
    close_stage(&s);
}

void ours_js_consume(const bench_args *args)
{
    stage s;
    char how[TEXT_MAX];
    char more[64];
    nats_sub *sub;
    open_stage(&s, args);
    make_consumer(&s);
    snprintf(more, sizeof(more), ",\"max_messages\":%d", BENCH_PULL);
    name_consumer(&s, how, more);

    bench_watch start = bench_start();
    ours_check(nats_js_consume(s.js, "consume", how, NATS_Z, -1, &sub), "consume");
    while (s.msgs < args->msgs) {
        take_and_ack(&s, get(&s, sub));
    }
    bench_watch took = bench_stop(&start);

    nats_sub_unsubscribe(sub, 0);
    nats_sub_free(sub);
    delete_consumer(&s);
    finish(&s, &took);
    close_stage(&s);
}

void ours_js_ordered(const bench_args *args)
{
    stage s;
    char how[TEXT_MAX];
    nats_sub *sub;
    open_stage(&s, args);
    snprintf(how, sizeof(how), "{\"stream\":\"FILLED_%s\",\"max_messages\":%d}", args->storage,
             BENCH_AHEAD);

    bench_watch start = bench_start();
    ours_check(nats_js_consume(s.js, "ordered", how, NATS_Z, -1, &sub), "ordered");
    while (s.msgs < args->msgs) {
        size_t count = get(&s, sub);
        s.msgs += count;
        s.bytes += ours_take(s.batch, count);
    }
    bench_watch took = bench_stop(&start);

    nats_sub_unsubscribe(sub, 0);
    nats_sub_free(sub);
    finish(&s, &took);
    close_stage(&s);
}
