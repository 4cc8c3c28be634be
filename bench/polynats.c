/* This library through its public functions, doing what bench/raw.c does. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <polynats.h>

#include "bench.h"

enum { IDLE_CONNS_MAX = 1000 }; /* connections of the idle work: far under the limit of open files */

static void check(nats_status status, const char *what)
{
    if (status != NATS_OK) {
        bench_die("%s: %s: %s", what, nats_status_name(status), nats_last_error(NULL));
    }
}

/* Queues have no limit here: all programs must take the whole stream. */
static nats_options *make_options(const bench_args *args)
{
    nats_options *options;
    check(nats_options_new(&options), "options");
    check(nats_options_set_int(options, "pending_msgs", -1), "pending_msgs");
    check(nats_options_set_int(options, "pending_bytes", -1), "pending_bytes");
    for (size_t i = 0; i < args->setting_count; i++) {
        char name[64];
        const char *equals = strchr(args->settings[i], '=');
        size_t len = equals != NULL ? (size_t)(equals - args->settings[i]) : 0;
        if (len == 0 || len >= sizeof(name)) {
            bench_die("--set: not option=value: %s", args->settings[i]);
        }
        memcpy(name, args->settings[i], len);
        name[len] = '\0';
        check(nats_options_set_text(options, name, equals + 1, NATS_Z), "--set");
    }
    return options;
}

static nats_client *open_client(const bench_args *args)
{
    nats_options *options = make_options(args);
    nats_client *client;
    check(nats_connect(args->url, options, &client), "connect");
    nats_options_free(options);
    return client;
}

static void subscribe(nats_client *client, const char *subject)
{
    check(nats_client_subscribe(client, subject, NATS_Z, NULL, 0, 0, NULL), "subscribe");
    check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
}

/* ---- publish ---- */

static void publish(const bench_args *args)
{
    nats_client *client = open_client(args);
    uint8_t *payload = bench_payload(args->size);
    size_t subject_len = strlen(args->subject);

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        check(nats_client_publish(client, args->subject, subject_len, payload, args->size),
              "publish");
    }
    check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    nats_client_free(client);
    free(payload);
}

/* ---- publish to a stream ---- */

/* A stream of this run alone, in memory, that takes args' subject. It keeps little: what is measured is the way in. */
static nats_js *make_stream(nats_client *client, const bench_args *args, bool fast)
{
    char config[256];
    nats_js *js;
    check(nats_client_jetstream(client, NULL, NULL, BENCH_WAIT_MS, &js), "jetstream");
    nats_js_call(js, "delete_stream", "{\"stream\":\"BENCH\"}", NATS_Z, -1, NULL); /* of an earlier run */
    snprintf(config, sizeof(config),
             "{\"config\":{\"name\":\"BENCH\",\"subjects\":[\"%s\"],\"storage\":\"memory\","
             "\"max_msgs\":100000%s}}",
             args->subject, fast ? ",\"allow_batched\":true" : "");
    check(nats_js_call(js, "create_stream", config, NATS_Z, -1, NULL), "create_stream");
    return js;
}

static void publish_to_stream(const bench_args *args, bool fast)
{
    nats_client *client = open_client(args);
    nats_js *js = make_stream(client, args, fast);
    nats_js_publisher *publisher;
    uint8_t *payload = bench_payload(args->size);
    size_t subject_len = strlen(args->subject);
    check(fast ? nats_js_publisher_fast(js, 0, &publisher)
               : nats_js_publisher_new(js, 0, &publisher),
          "publisher");

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        check(nats_js_publisher_publish(publisher, args->subject, subject_len, NULL, payload,
                                        args->size, NULL),
              "publish");
    }
    check(nats_js_publisher_flush(publisher, BENCH_WAIT_MS), "flush");
    bench_watch took = bench_stop(&start);

    uint64_t values[NATS_PUBLISHER_STAT_COUNT];
    nats_js_publisher_stats(publisher, values, NATS_PUBLISHER_STAT_COUNT);
    if (values[NATS_PUBLISHER_ACKED] != args->msgs) {
        bench_die("only %" PRIu64 " messages were acknowledged", values[NATS_PUBLISHER_ACKED]);
    }
    bench_print_rate(args, &took);
    nats_js_publisher_free(publisher);
    nats_js_free(js);
    nats_client_free(client);
    free(payload);
}

static void js_publish(const bench_args *args)
{
    publish_to_stream(args, false);
}

static void js_fast(const bench_args *args)
{
    publish_to_stream(args, true);
}

/* ---- receive ---- */

/* Gives back a batch and returns how many bytes of payload were in it. */
static uint64_t take(nats_msg **batch, size_t count)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len;
        nats_msg_data(batch[i], &len);
        bytes += len;
    }
    nats_msg_free_many(batch, count);
    return bytes;
}

static void receive(const bench_args *args)
{
    nats_client *client = open_client(args);
    nats_msg **batch = bench_alloc(BENCH_BATCH * sizeof(*batch));
    uint64_t msgs = 0;
    uint64_t bytes = 0;
    subscribe(client, args->subject);
    bench_ready();

    bench_watch start = bench_start();
    while (msgs < args->msgs) {
        size_t count;
        check(nats_client_get(client, BENCH_BATCH, BENCH_WAIT_MS, batch, &count), "get");
        if (count == 0) {
            bench_die("only %" PRIu64 " messages came", msgs);
        }
        if (msgs == 0) {
            start.wall_ns = bench_now_ns();
        }
        msgs += count;
        bytes += take(batch, count);
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
    nats_client *client = open_client(args);
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
        check(nats_client_request(client, args->subject, subject_len, NULL, payload, args->size,
                                  BENCH_WAIT_MS, &reply),
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
    nats_client *client = open_client(args);
    nats_msg **batch = bench_alloc(BENCH_BATCH * sizeof(*batch));
    subscribe(client, args->subject);
    bench_ready();

    bench_watch start = bench_start();
    uint64_t done = 0;
    while (done < args->msgs + BENCH_WARMUP) {
        size_t count;
        check(nats_client_get(client, BENCH_BATCH, BENCH_WAIT_MS, batch, &count), "get");
        if (count == 0) {
            bench_die("only %" PRIu64 " requests came", done);
        }
        for (size_t i = 0; i < count; i++) {
            size_t len;
            const void *data = nats_msg_data(batch[i], &len);
            check(nats_client_respond(client, batch[i], NULL, data, len), "respond");
        }
        nats_msg_free_many(batch, count);
        done += count;
    }
    check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
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
        check(nats_client_get(l->in, 1, BENCH_WAIT_MS, &msg, &count), "get");
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
    lone l = {.args = args, .in = open_client(args)};
    bench_samples_init(&l.samples);
    nats_client *out = open_client(args);
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
        check(nats_client_publish(out, args->subject, subject_len, payload, args->size), "publish");
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
    nats_client *client = open_client(args);
    nats_sub **subs = bench_alloc((size_t)args->msgs * sizeof(*subs));
    memset(subs, 1, (size_t)args->msgs * sizeof(*subs)); /* so that its pages count as there */
    subscribe(client, "settle");
    char subject[64];

    int64_t before = bench_rss();
    for (uint64_t i = 0; i < args->msgs; i++) {
        int len = snprintf(subject, sizeof(subject), "subs.%08" PRIu64, i);
        check(nats_client_subscribe(client, subject, (size_t)len, NULL, 0, 0, &subs[i]),
              "subscribe");
    }
    check(nats_client_flush(client, BENCH_WAIT_MS), "flush");
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
    nats_client *first = open_client(args);
    subscribe(first, args->subject);
    nats_client **clients = bench_alloc((size_t)args->msgs * sizeof(*clients));

    int64_t before = bench_rss();
    for (uint64_t i = 0; i < args->msgs; i++) {
        clients[i] = open_client(args);
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
        {"js-pub", js_publish},   {"js-fast", js_fast},    {NULL, NULL}};
    return bench_main(argc, argv, "polynats", works);
}
