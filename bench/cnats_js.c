/* cnats on JetStream. It has no endless pull: what consumes without end is a push consumer with a callback, its
 * quickest way. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "theirs.h"

enum { NAME_MAX_LEN = 64 };

typedef struct stage {
    const bench_args *args;
    natsConnection *conn;
    jsCtx *js;
    char stream[NAME_MAX_LEN];
    uint64_t msgs;
    uint64_t bytes;
    bench_watch start;
    bench_watch took;
    bool acks;
    pthread_mutex_t mutex;
    pthread_cond_t cond;
    bool done;
} stage;

static void open_stage(stage *s, const bench_args *args)
{
    jsOptions options;
    memset(s, 0, sizeof(*s));
    s->args = args;
    pthread_mutex_init(&s->mutex, NULL);
    pthread_cond_init(&s->cond, NULL);
    snprintf(s->stream, sizeof(s->stream), "FILLED_%s", args->storage);
    s->conn = theirs_open(args, false);
    theirs_check(jsOptions_Init(&options), "options");
    options.Wait = BENCH_WAIT_MS;
    options.PublishAsync.MaxPending = BENCH_WINDOW;
    options.PublishAsync.StallWait = BENCH_WAIT_MS;
    theirs_check(natsConnection_JetStream(&s->js, s->conn, &options), "jetstream");
}

static void close_stage(stage *s)
{
    jsCtx_Destroy(s->js);
    natsConnection_Destroy(s->conn);
}

/* ---- publish ---- */

static void drop_stream(stage *s)
{
    natsStatus status = js_DeleteStream(s->js, "BENCH", NULL, NULL);
    if (status != NATS_NOT_FOUND) {
        theirs_check(status, "delete stream");
    }
}

static void make_stream(stage *s)
{
    jsStreamConfig config;
    drop_stream(s);
    theirs_check(jsStreamConfig_Init(&config), "config");
    config.Name = "BENCH";
    config.Subjects = (const char *[]){s->args->subject};
    config.SubjectsLen = 1;
    config.Storage = strcmp(s->args->storage, "file") == 0 ? js_FileStorage : js_MemoryStorage;
    theirs_check(js_AddStream(NULL, s->js, &config, NULL, NULL), "stream");
}

static void check_stored(stage *s)
{
    jsStreamInfo *info;
    theirs_check(js_GetStreamInfo(&info, s->js, "BENCH", NULL, NULL), "stream info");
    if (info->State.Msgs != s->args->msgs) {
        bench_die("the stream has %" PRIu64 " messages", info->State.Msgs);
    }
    jsStreamInfo_Destroy(info);
}

void theirs_js_pub(const bench_args *args)
{
    stage s;
    open_stage(&s, args);
    make_stream(&s);
    uint8_t *payload = bench_payload(args->size);
    jsPubOptions patience;
    theirs_check(jsPubOptions_Init(&patience), "options");
    patience.MaxWait = BENCH_WAIT_MS;

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        theirs_check(js_PublishAsync(s.js, args->subject, payload, (int)args->size, NULL),
                     "publish");
    }
    theirs_check(js_PublishAsyncComplete(s.js, &patience), "acks");
    bench_watch took = bench_stop(&start);

    check_stored(&s);
    drop_stream(&s);
    bench_print_rate(args, &took);
    free(payload);
    close_stage(&s);
}

/* ---- consume ---- */

static void drop_consumer(stage *s)
{
    natsStatus status = js_DeleteConsumer(s->js, s->stream, "bench", NULL, NULL);
    if (status != NATS_NOT_FOUND) {
        theirs_check(status, "delete consumer");
    }
}

static void make_consumer(stage *s, const char *inbox)
{
    jsConsumerConfig config;
    drop_consumer(s);
    theirs_check(jsConsumerConfig_Init(&config), "config");
    config.Durable = "bench";
    config.AckPolicy = js_AckExplicit;
    config.MaxAckPending = BENCH_ACKS;
    config.DeliverSubject = inbox;
    theirs_check(js_AddConsumer(NULL, s->js, s->stream, &config, NULL, NULL), "consumer");
}

static void check_acks(stage *s)
{
    jsConsumerInfo *info;
    theirs_check(js_GetConsumerInfo(&info, s->js, s->stream, "bench", NULL, NULL), "consumer info");
    if (info->AckFloor.Stream != s->args->msgs) {
        bench_die("acks are in as far as message %" PRIu64, info->AckFloor.Stream);
    }
    jsConsumerInfo_Destroy(info);
}

static void print(stage *s)
{
    if (s->msgs != s->args->msgs || s->bytes != s->msgs * s->args->size) {
        bench_die("%" PRIu64 " messages with %" PRIu64 " bytes came", s->msgs, s->bytes);
    }
    bench_print_rate(s->args, &s->took);
}

/* Of the last one the server's word is waited for: it has taken note of those before it then. */
static void take(stage *s, natsMsg *msg)
{
    s->msgs++;
    s->bytes += (uint64_t)natsMsg_GetDataLength(msg);
    if (!s->acks) {
        return;
    }
    bool last = s->msgs == s->args->msgs;
    theirs_check(last ? natsMsg_AckSync(msg, NULL, NULL) : natsMsg_Ack(msg, NULL), "ack");
}

void theirs_js_fetch(const bench_args *args)
{
    stage s;
    natsSubscription *sub;
    jsSubOptions options;
    open_stage(&s, args);
    make_consumer(&s, NULL);
    theirs_check(jsSubOptions_Init(&options), "options");
    options.Stream = s.stream;
    options.Consumer = "bench";
    options.ManualAck = true;
    s.acks = true;
    theirs_check(js_PullSubscribe(&sub, s.js, NULL, NULL, NULL, &options, NULL), "subscribe");

    s.start = bench_start();
    while (s.msgs < args->msgs) {
        natsMsgList list;
        uint64_t left = args->msgs - s.msgs;
        theirs_check(natsSubscription_Fetch(&list, sub, left < BENCH_PULL ? (int)left : BENCH_PULL,
                                            BENCH_WAIT_MS, NULL),
                     "fetch");
        for (int i = 0; i < list.Count; i++) {
            take(&s, list.Msgs[i]);
        }
        natsMsgList_Destroy(&list);
    }
    s.took = bench_stop(&s.start);

    check_acks(&s);
    natsSubscription_Destroy(sub);
    drop_consumer(&s);
    print(&s);
    close_stage(&s);
}

static void on_message(natsConnection *conn, natsSubscription *sub, natsMsg *msg, void *what)
{
    (void)conn;
    (void)sub;
    stage *s = what;
    if (s->msgs < s->args->msgs) {
        take(s, msg);
        if (s->msgs == s->args->msgs) {
            s->took = bench_stop(&s->start);
            pthread_mutex_lock(&s->mutex);
            s->done = true;
            pthread_cond_signal(&s->cond);
            pthread_mutex_unlock(&s->mutex);
        }
    }
    natsMsg_Destroy(msg);
}

static void wait_done(stage *s)
{
    pthread_mutex_lock(&s->mutex);
    while (!s->done) {
        pthread_cond_wait(&s->cond, &s->mutex);
    }
    pthread_mutex_unlock(&s->mutex);
}

static natsSubscription *subscribe(stage *s, jsSubOptions *options)
{
    natsSubscription *sub;
    s->start = bench_start();
    theirs_check(js_Subscribe(&sub, s->js, options->Consumer != NULL ? NULL : ">", on_message, s,
                              NULL, options, NULL),
                 "subscribe");
    theirs_check(natsSubscription_SetPendingLimits(sub, -1, -1), "limits");
    return sub;
}

void theirs_js_consume(const bench_args *args)
{
    stage s;
    jsSubOptions options;
    open_stage(&s, args);
    make_consumer(&s, "_INBOX.bench.push");
    theirs_check(jsSubOptions_Init(&options), "options");
    options.Stream = s.stream;
    options.Consumer = "bench";
    options.ManualAck = true;
    s.acks = true;
    natsSubscription *sub = subscribe(&s, &options);
    wait_done(&s);
    check_acks(&s);
    natsSubscription_Unsubscribe(sub);
    natsSubscription_Destroy(sub);
    drop_consumer(&s);
    print(&s);
    close_stage(&s);
}

void theirs_js_ordered(const bench_args *args)
{
    stage s;
    jsSubOptions options;
    open_stage(&s, args);
    theirs_check(jsSubOptions_Init(&options), "options");
    options.Stream = s.stream;
    options.Ordered = true;
    natsSubscription *sub = subscribe(&s, &options);
    wait_done(&s);
    natsSubscription_Unsubscribe(sub);
    natsSubscription_Destroy(sub);
    print(&s);
    close_stage(&s);
}
