/* The C client cnats, as packaged by the system, doing what bench/raw.c does. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "theirs.h"

void theirs_check(natsStatus status, const char *what)
{
    if (status != NATS_OK) {
        bench_die("%s: %s", what, natsStatus_GetText(status));
    }
}

natsConnection *theirs_open(const bench_args *args, bool send_asap)
{
    natsOptions *options;
    natsConnection *conn;
    theirs_check(natsOptions_Create(&options), "options");
    theirs_check(natsOptions_SetURL(options, args->url), "url");
    theirs_check(natsOptions_SetSendAsap(options, send_asap), "send_asap");
    theirs_check(natsConnection_Connect(&conn, options), "connect");
    natsOptions_Destroy(options);
    return conn;
}

static natsConnection *open_conn(const bench_args *args)
{
    return theirs_open(args, false);
}

static void ready_sub(natsConnection *conn, natsSubscription *sub)
{
    theirs_check(natsSubscription_SetPendingLimits(sub, -1, -1), "limits");
    theirs_check(natsConnection_Flush(conn), "flush");
}

/* ---- publish ---- */

static void publish(const bench_args *args)
{
    natsConnection *conn = open_conn(args);
    uint8_t *payload = bench_payload(args->size);

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        theirs_check(natsConnection_Publish(conn, args->subject, payload, (int)args->size),
                     "publish");
    }
    theirs_check(natsConnection_FlushTimeout(conn, BENCH_WAIT_MS), "flush");
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    natsConnection_Destroy(conn);
    free(payload);
}

/* ---- receive: a callback, its fastest way ---- */

typedef struct counter {
    const bench_args *args;
    uint64_t msgs;
    uint64_t bytes;
    bench_watch start;
    bench_watch took;
    bench_samples samples;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    int done;
} counter;

static void counter_init(counter *c, const bench_args *args)
{
    memset(c, 0, sizeof(*c));
    c->args = args;
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->cond, NULL);
}

static void counter_finish(counter *c)
{
    pthread_mutex_lock(&c->mutex);
    c->done = 1;
    pthread_cond_signal(&c->cond);
    pthread_mutex_unlock(&c->mutex);
}

static void counter_wait(counter *c)
{
    pthread_mutex_lock(&c->mutex);
    while (!c->done) {
        pthread_cond_wait(&c->cond, &c->mutex);
    }
    pthread_mutex_unlock(&c->mutex);
}

static void on_stream(natsConnection *conn, natsSubscription *sub, natsMsg *msg, void *what)
{
    (void)conn;
    (void)sub;
    counter *c = what;
    if (c->msgs == 0) {
        c->start.wall_ns = bench_now_ns();
    }
    c->msgs++;
    c->bytes += (uint64_t)natsMsg_GetDataLength(msg);
    natsMsg_Destroy(msg);
    if (c->msgs == c->args->msgs) {
        c->took = bench_stop(&c->start);
        counter_finish(c);
    }
}

static void receive(const bench_args *args)
{
    natsConnection *conn = open_conn(args);
    counter c;
    counter_init(&c, args);
    c.start = bench_start();
    natsSubscription *sub;
    theirs_check(natsConnection_Subscribe(&sub, conn, args->subject, on_stream, &c), "subscribe");
    ready_sub(conn, sub);
    bench_ready();
    counter_wait(&c);

    if (c.bytes != args->msgs * args->size) {
        bench_die("%" PRIu64 " bytes came", c.bytes);
    }
    bench_print_rate(args, &c.took);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(conn);
}

/* ---- request and respond ---- */

static void request(const bench_args *args)
{
    natsConnection *conn = open_conn(args);
    uint8_t *payload = bench_payload(args->size);
    bench_samples samples;
    bench_samples_init(&samples);

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs + BENCH_WARMUP; i++) {
        if (i == BENCH_WARMUP) {
            start = bench_start();
        }
        int64_t began_ns = bench_now_ns();
        natsMsg *reply;
        theirs_check(natsConnection_Request(&reply, conn, args->subject, payload, (int)args->size,
                                            BENCH_WAIT_MS),
                     "request");
        if (i >= BENCH_WARMUP) {
            bench_samples_add(&samples, bench_now_ns() - began_ns);
        }
        if ((size_t)natsMsg_GetDataLength(reply) != args->size) {
            bench_die("a reply has %d bytes", natsMsg_GetDataLength(reply));
        }
        natsMsg_Destroy(reply);
    }
    bench_watch took = bench_stop(&start);

    bench_print_times(args, &took, &samples);
    natsConnection_Destroy(conn);
    free(payload);
}

static void on_request(natsConnection *conn, natsSubscription *sub, natsMsg *msg, void *what)
{
    (void)sub;
    counter *c = what;
    theirs_check(natsConnection_Publish(conn, natsMsg_GetReply(msg), natsMsg_GetData(msg),
                                        natsMsg_GetDataLength(msg)),
                 "respond");
    natsMsg_Destroy(msg);
    c->msgs++;
    if (c->msgs == c->args->msgs + BENCH_WARMUP) {
        counter_finish(c);
    }
}

static void respond(const bench_args *args)
{
    natsConnection *conn = theirs_open(args, true);
    counter c;
    counter_init(&c, args);
    natsSubscription *sub;
    theirs_check(natsConnection_Subscribe(&sub, conn, args->subject, on_request, &c), "subscribe");
    ready_sub(conn, sub);
    bench_ready();

    bench_watch start = bench_start();
    counter_wait(&c);
    theirs_check(natsConnection_Flush(conn), "flush");
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(conn);
}

/* ---- lone messages ---- */

static void on_lone(natsConnection *conn, natsSubscription *sub, natsMsg *msg, void *what)
{
    (void)conn;
    (void)sub;
    counter *c = what;
    int64_t sent_ns;
    memcpy(&sent_ns, natsMsg_GetData(msg), sizeof(sent_ns));
    bench_samples_add(&c->samples, bench_now_ns() - sent_ns);
    natsMsg_Destroy(msg);
    if (c->samples.count == c->args->msgs) {
        counter_finish(c);
    }
}

static void lone(const bench_args *args)
{
    if (args->size < sizeof(int64_t)) {
        bench_die("--size: at least %zu for lone", sizeof(int64_t));
    }
    natsConnection *in = theirs_open(args, true);
    natsConnection *out = theirs_open(args, true);
    counter c;
    counter_init(&c, args);
    bench_samples_init(&c.samples);
    natsSubscription *sub;
    theirs_check(natsConnection_Subscribe(&sub, in, args->subject, on_lone, &c), "subscribe");
    ready_sub(in, sub);
    uint8_t *payload = bench_payload(args->size);

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        bench_sleep_ns(BENCH_LONE_GAP_NS);
        int64_t now_ns = bench_now_ns();
        memcpy(payload, &now_ns, sizeof(now_ns));
        theirs_check(natsConnection_Publish(out, args->subject, payload, (int)args->size),
                     "publish");
    }
    counter_wait(&c);
    bench_watch took = bench_stop(&start);

    bench_print_times(args, &took, &c.samples);
    free(payload);
    natsSubscription_Destroy(sub);
    natsConnection_Destroy(out);
    natsConnection_Destroy(in);
}

int main(int argc, char **argv)
{
    static const bench_work works[] = {{"pub", publish},     {"sub", receive}, {"req", request},
                                       {"respond", respond}, {"lone", lone},
                                       {"js-pub", theirs_js_pub}, {"js-fetch", theirs_js_fetch},
                                       {"js-consume", theirs_js_consume},
                                       {"js-ordered", theirs_js_ordered}, {NULL, NULL}};
    return bench_main(argc, argv, "cnats", works);
}
