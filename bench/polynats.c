/* This library through its public functions, doing what bench/raw.c does. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ours.h"

enum { IDLE_CONNS_MAX = 1000 }; /* connections of the idle work: far under the limit of open files */

static void subscribe(nats_client *client, const char *subject)
{
    ours_check(nats_client_subscribe(client, subject, NATS_Z, NULL, 0, 0, NULL), "subscribe");
    ours_check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
}

/* ---- publish ---- */

static void publish(const bench_args *args)
{
    nats_client *client = ours_open(args);
    uint8_t *payload = bench_payload(args->size);
    size_t subject_len = strlen(args->subject);

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        ours_check(nats_client_publish(client, args->subject, subject_len, payload, args->size),
                   "publish");
    }
    ours_check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    nats_client_free(client);
    free(payload);
}

/* ---- receive ---- */

static void receive(const bench_args *args)
{
    nats_client *client = ours_open(args);
    nats_msg **batch = bench_alloc(BENCH_BATCH * sizeof(*batch));
    uint64_t msgs = 0;
    uint64_t bytes = 0;
    subscribe(client, args->subject);
    bench_ready();

    bench_watch start = bench_start();
    while (msgs < args->msgs) {
        size_t count;
        ours_check(nats_client_get(client, BENCH_BATCH, BENCH_WAIT_MS, batch, &count), "get");
        if (count == 0) {
            bench_die("only %" PRIu64 " messages came", msgs);
        }
        if (msgs == 0) {
            start.wall_ns = bench_now_ns();
        }
        msgs += count;
        bytes += ours_take(batch, count);
    }
    bench_watch took = bench_stop(&start);

    if (msgs != args->msgs || bytes != msgs * args->size) {
        bench_die("%" PRIu64 " messages with %" PRIu64 " bytes came", msgs, bytes);
    }
    bench_print_rate(args, &took);
    free(batch);
    nats_client_free(client);
}

/* ---- request and respond ---- */

static void request(const bench_args *args)
{
    nats_client *client = ours_open(args);
    uint8_t *payload = bench_payload(args->size);
    size_t subject_len = strlen(args->subject);
    bench_samples samples;
    bench_samples_init(&samples);

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs + BENCH_WARMUP; i++) {
        if (i == BENCH_WARMUP) {
            start = bench_start();
        }
        int64_t began_ns = bench_now_ns();
        nats_msg *reply;
        ours_check(nats_client_request(client, args->subject, subject_len, NULL, payload,
                                       args->size, BENCH_WAIT_MS, &reply),
                   "request");
        if (i >= BENCH_WARMUP) {
            bench_samples_add(&samples, bench_now_ns() - began_ns);
        }
        size_t len;
        nats_msg_data(reply, &len);
        if (len != args->size) {
            bench_die("a reply has %zu bytes", len);
        }
        nats_msg_free(reply);
    }
    bench_watch took = bench_stop(&start);

    bench_print_times(args, &took, &samples);
    nats_client_free(client);
    free(payload);
}

static void respond(const bench_args *args)
{
    nats_client *client = ours_open(args);
    nats_msg **batch = bench_alloc(BENCH_BATCH * sizeof(*batch));
    subscribe(client, args->subject);
    bench_ready();

    bench_watch start = bench_start();
    uint64_t done = 0;
    while (done < args->msgs + BENCH_WARMUP) {
        size_t count;
        ours_check(nats_client_get(client, BENCH_BATCH, BENCH_WAIT_MS, batch, &count), "get");
        if (count == 0) {
            bench_die("only %" PRIu64 " requests came", done);
        }
        for (size_t i = 0; i < count; i++) {
            size_t len;
            const void *data = nats_msg_data(batch[i], &len);
            ours_check(nats_client_respond(client, batch[i], NULL, data, len), "respond");
        }
        nats_msg_free_many(batch, count);
        done += count;
    }
    ours_check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    free(batch);
    nats_client_free(client);
}

/* ---- lone messages ---- */

typedef struct lone {
    const bench_args *args;
    nats_client *in;
    bench_samples samples;
} lone;

static void *lone_receive(void *what)
{
    lone *l = what;
    for (uint64_t i = 0; i < l->args->msgs; i++) {
        nats_msg *msg;
        size_t count;
        ours_check(nats_client_get(l->in, 1, BENCH_WAIT_MS, &msg, &count), "get");
        if (count == 0) {
            bench_die("only %" PRIu64 " messages came", i);
        }
        int64_t sent_ns;
        memcpy(&sent_ns, nats_msg_data(msg, NULL), sizeof(sent_ns));
        bench_samples_add(&l->samples, bench_now_ns() - sent_ns);
        nats_msg_free(msg);
    }
    return NULL;
}

static void lone_publish(const bench_args *args)
{
    if (args->size < sizeof(int64_t)) {
        bench_die("--size: at least %zu for lone", sizeof(int64_t));
    }
    lone l = {.args = args, .in = ours_open(args)};
    bench_samples_init(&l.samples);
    nats_client *out = ours_open(args);
    subscribe(l.in, args->subject);
    uint8_t *payload = bench_payload(args->size);
    size_t subject_len = strlen(args->subject);
    pthread_t thread;
    if (pthread_create(&thread, NULL, lone_receive, &l) != 0) {
        bench_die("no thread");
    }

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        bench_sleep_ns(BENCH_LONE_GAP_NS);
        int64_t now_ns = bench_now_ns();
        memcpy(payload, &now_ns, sizeof(now_ns));
        ours_check(nats_client_publish(out, args->subject, subject_len, payload, args->size),
                   "publish");
    }
    pthread_join(thread, NULL);
    bench_watch took = bench_stop(&start);

    bench_print_times(args, &took, &l.samples);
    free(payload);
    nats_client_free(out);
    nats_client_free(l.in);
}

/* ---- memory ---- */

/* Subscriptions with a handle each, as most programs hold them. The first few settle tables and buffers. */
static void subscriptions(const bench_args *args)
{
    nats_client *client = ours_open(args);
    nats_sub **subs = bench_alloc((size_t)args->msgs * sizeof(*subs));
    memset(subs, 1, (size_t)args->msgs * sizeof(*subs)); /* so that its pages count as there */
    subscribe(client, "settle");
    char subject[64];

    int64_t before = bench_rss();
    for (uint64_t i = 0; i < args->msgs; i++) {
        int len = snprintf(subject, sizeof(subject), "subs.%08" PRIu64, i);
        ours_check(nats_client_subscribe(client, subject, (size_t)len, NULL, 0, 0, &subs[i]),
                   "subscribe");
    }
    ours_check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
    int64_t after = bench_rss();

    bench_print_bytes(args, (double)(after - before) / (double)args->msgs);
    for (uint64_t i = 0; i < args->msgs; i++) {
        nats_sub_free(subs[i]);
    }
    free(subs);
    nats_client_free(client);
}

/* Connections with one subscription each. The first connection of the process is not counted. */
static void idle(const bench_args *args)
{
    if (args->msgs > IDLE_CONNS_MAX) {
        bench_die("--msgs: at most %d for idle", IDLE_CONNS_MAX);
    }
    nats_client *first = ours_open(args);
    subscribe(first, args->subject);
    nats_client **clients = bench_alloc((size_t)args->msgs * sizeof(*clients));

    int64_t before = bench_rss();
    for (uint64_t i = 0; i < args->msgs; i++) {
        clients[i] = ours_open(args);
        subscribe(clients[i], args->subject);
    }
    bench_sleep_ns(100 * (int64_t)BENCH_LONE_GAP_NS); /* keepers have come to rest */
    int64_t after = bench_rss();

    bench_print_bytes(args, (double)(after - before) / (double)args->msgs);
    for (uint64_t i = 0; i < args->msgs; i++) {
        nats_client_free(clients[i]);
    }
    free(clients);
    nats_client_free(first);
}

int main(int argc, char **argv)
{
    static const bench_work works[] = {
        {"pub", publish},         {"sub", receive},        {"req", request}, {"respond", respond},
        {"lone", lone_publish}, {"subs", subscriptions}, {"idle", idle},
        {"js-pub", ours_js_pub},  {"js-fast", ours_js_fast}, {"js-fill", ours_js_fill},
        {"js-fetch", ours_js_fetch}, {"js-consume", ours_js_consume},
        {"js-ordered", ours_js_ordered}, {NULL, NULL}};
    return bench_main(argc, argv, "polynats", works);
}
