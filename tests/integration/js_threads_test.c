/* All of JetStream at once on one connection: threads that publish within a window and by fast ingest, that
 * consume in each way, that acknowledge, and one that takes the connection away again and again. The ordered
 * consumer has no hole and no duplicate, what was acknowledged is in the stream, and every message of a publisher has
 * come to something. */
#include "rig.h"

enum { RUN_MS = 1500, LOST_EACH_MS = 60, WINDOW = 64, BATCH = 32, HOWS = 4 };

typedef struct shared {
    nats_client *client;
    nats_js *js;
    atomic_bool over;
    atomic_ullong acked;
} shared;

static void call(nats_js *js, const char *verb, const char *arguments)
{
    RIG_OK(nats_js_call(js, verb, arguments, NATS_Z, RIG_WAIT_MS, NULL));
}

/* ---- who publishes ---- */

static bool is_expected(nats_status status)
{
    return status == NATS_OK || status == NATS_ERR_DISCONNECTED || status == NATS_ERR_TIMEOUT ||
           status == NATS_ERR_LIMIT || status == NATS_ERR_CLOSED ||
           status == NATS_ERR_NO_RESPONDERS || status == NATS_ERR_SERVER;
}

static void take_failures(nats_js_publisher *publisher)
{
    uint64_t id = 1;
    while (id != 0) {
        RIG_CHECK(is_expected(nats_js_publisher_next_failure(publisher, &id)));
    }
}

/* All that was accepted comes to something, and nothing else. */
static uint64_t settle(nats_js_publisher *publisher, uint64_t accepted)
{
    uint64_t values[NATS_PUBLISHER_STAT_COUNT];
    int64_t give_up = rig_now_ms() + RIG_WAIT_MS;
    do {
        take_failures(publisher);
        RIG_CHECK(is_expected(nats_js_publisher_flush(publisher, 1000)));
        RIG_CHECK(rig_now_ms() < give_up);
        nats_js_publisher_stats(publisher, values, NATS_PUBLISHER_STAT_COUNT);
    } while (values[NATS_PUBLISHER_PENDING] > 0);
    RIG_CHECK(values[NATS_PUBLISHER_ACKED] + values[NATS_PUBLISHER_FAILED] == accepted);
    return values[NATS_PUBLISHER_ACKED];
}

/* Returns how many were accepted. */
static uint64_t publish_some(shared *all, nats_js_publisher *publisher, const char *subject)
{
    static const void *const datas[BATCH];
    static const size_t lens[BATCH];
    uint64_t accepted = 0;
    for (int i = 0; i < BATCH && !atomic_load(&all->over); i++) {
        uint64_t id;
        size_t published;
        nats_status status =
            nats_js_publisher_publish(publisher, subject, NATS_Z, NULL, "x", 1, &id);
        RIG_CHECK(is_expected(status));
        accepted += status == NATS_OK;
        RIG_CHECK(is_expected(nats_js_publisher_publish_many(publisher, subject, NATS_Z, datas,
                                                             lens, BATCH, &id, &published)));
        accepted += published;
        take_failures(publisher);
    }
    return accepted;
}

static void *publish(void *arg)
{
    shared *all = arg;
    while (!atomic_load(&all->over)) {
        nats_js_publisher *publisher;
        nats_future *future;
        RIG_OK(nats_js_publisher_new(all->js, WINDOW, &publisher));
        uint64_t accepted = publish_some(all, publisher, "P.w");
        RIG_OK(nats_js_publisher_flush_start(publisher, 1000, &future));
        nats_future_free(future);
        atomic_fetch_add(&all->acked, settle(publisher, accepted));
        nats_js_publisher_free(publisher);
    }
    return NULL;
}

static void *publish_fast(void *arg)
{
    shared *all = arg;
    nats_js_publisher *publisher;
    nats_status status = NATS_ERR_DISCONNECTED; /* the server is asked whether it can */
    while (status != NATS_OK) {
        status = nats_js_publisher_fast(all->js, WINDOW, &publisher);
        RIG_CHECK(is_expected(status));
    }
    uint64_t accepted = 0;
    while (!atomic_load(&all->over)) {
        accepted += publish_some(all, publisher, "P.f");
    }
    atomic_fetch_add(&all->acked, settle(publisher, accepted));
    nats_js_publisher_free(publisher);
    return NULL;
}

/* ---- who consumes ---- */

static const char *const hows[HOWS] = {"consume", "fetch", "push", "ordered"};
static const char *const arguments[HOWS] = {
    "{\"stream\":\"P\",\"consumer\":\"c\",\"mode\":\"private\",\"max_messages\":100}",
    "{\"stream\":\"P\",\"consumer\":\"c\",\"mode\":\"private\",\"max_messages\":20,"
    "\"expires\":\"50ms\"}",
    "{\"stream\":\"P\",\"mode\":\"private\",\"config\":{\"flow_control\":true,"
    "\"idle_heartbeat\":\"1s\"}}",
    "{\"stream\":\"P\",\"mode\":\"private\"}"};

static void take_some(shared *all, nats_sub *sub, bool ordered)
{
    uint64_t last = 0;
    for (int i = 0; i < BATCH && !atomic_load(&all->over); i++) {
        nats_msg *batch[BATCH];
        size_t count;
        size_t acked;
        if (nats_sub_get(sub, BATCH, 20, batch, &count) != NATS_OK) {
            return;
        }
        for (size_t at = 0; at < count && ordered; at++) {
            uint64_t seq;
            RIG_CHECK(nats_msg_js_uint(batch[at], NATS_JS_STREAM_SEQ, &seq) == 1 &&
                      seq == last + 1);
            last = seq;
        }
        nats_client_ack_many(all->client, batch, count, &acked);
        nats_msg_free_many(batch, count);
    }
}

static void *consume(void *arg)
{
    shared *all = arg;
    for (unsigned round = 0; !atomic_load(&all->over); round++) {
        nats_sub *sub;
        nats_future *future;
        unsigned how = round % HOWS;
        RIG_OK(nats_js_consume_start(all->js, hows[how], arguments[how], NATS_Z, 1000, &sub,
                                     &future));
        if (round % 3 == 0) {
            nats_future_free(future);
            future = NULL;
        }
        take_some(all, sub, how == 3);
        if (round % 5 == 0) {
            nats_sub_drain(sub, 200);
        }
        nats_sub_free(sub);
        nats_future_free(future);
    }
    return NULL;
}

static void *acknowledge_twice(void *arg)
{
    shared *all = arg;
    while (!atomic_load(&all->over)) {
        nats_sub *sub;
        nats_msg *msg = NULL;
        RIG_OK(nats_js_consume(all->js, "fetch", arguments[1], NATS_Z, 1000, &sub));
        if (nats_sub_next(sub, 100, &msg) == NATS_OK && msg != NULL) {
            nats_status status = nats_client_ack_sync(all->client, msg, 100);
            RIG_CHECK(is_expected(status));
            nats_msg_free(msg);
        }
        nats_sub_free(sub);
    }
    return NULL;
}

static void *lose(void *arg)
{
    shared *all = arg;
    while (!atomic_load(&all->over)) {
        rig_sleep_ms(LOST_EACH_MS);
        RIG_OK(nats_client_reconnect(all->client));
    }
    return NULL;
}

static void everything_at_once(void)
{
    void *(*const bodies[])(void *) = {publish, publish,          publish_fast, consume, consume,
                                       consume, acknowledge_twice, lose};
    enum { COUNT = sizeof bodies / sizeof bodies[0] };
    pthread_t threads[COUNT];
    shared all = {.over = false};
    const char *const settings[] = {"reconnect_wait=0.005", NULL};
    RIG_OK(rig_connect(rig.url, settings, &all.client));
    RIG_OK(nats_client_jetstream(all.client, NULL, NULL, RIG_WAIT_MS, &all.js));
    call(all.js, "create_stream",
         "{\"config\":{\"name\":\"P\",\"subjects\":[\"P.>\"],\"storage\":\"memory\","
         "\"allow_batched\":true}}");
    call(all.js, "create_consumer",
         "{\"stream\":\"P\",\"config\":{\"durable_name\":\"c\",\"ack_wait\":\"1s\"}}");
    for (int i = 0; i < COUNT; i++) {
        threads[i] = rig_thread(bodies[i], &all);
    }
    rig_sleep_ms(RUN_MS);
    atomic_store(&all.over, true);
    for (int i = 0; i < COUNT; i++) {
        rig_join(threads[i], 2 * RIG_WAIT_MS, "a thread of it");
    }

    nats_msg *info;
    size_t len;
    rig_back(all.client);
    RIG_OK(nats_js_call(all.js, "stream_info", "{\"stream\":\"P\"}", NATS_Z, RIG_WAIT_MS, &info));
    const char *state = strstr(nats_msg_data(info, &len), "\"messages\":");
    RIG_CHECK(state != NULL && strtoull(state + strlen("\"messages\":"), NULL, 10) >=
                                   atomic_load(&all.acked));
    RIG_CHECK(atomic_load(&all.acked) > 0);
    nats_msg_free(info);
    nats_js_free(all.js);
    nats_client_free(all.client);
}

/* ---- who waits for a lock that another thread has ---- */

enum { LARGE = 512 * 1024, MANY = 400, FLUSH_MS = 100, STUCK_MS = 400 };

static void *publish_much(void *publisher)
{
    static const char payload[LARGE];
    nats_status status = NATS_OK;
    for (int i = 0; i < MANY && status == NATS_OK; i++) {
        uint64_t id;
        status = nats_js_publisher_publish(publisher, "Q.f", NATS_Z, NULL, payload, LARGE, &id);
    }
    RIG_CHECK(is_expected(status));
    return NULL;
}

/* One thread is stuck in a publish, for the server takes nothing: the flush of another has its own time. */
static void a_flush_keeps_its_time(void)
{
    shared all = {.over = false};
    nats_js_publisher *publisher;
    uint64_t id;
    RIG_OK(rig_connect(rig.url, (const char *const[]){"write_deadline=3", NULL}, &all.client));
    RIG_OK(nats_client_jetstream(all.client, NULL, NULL, RIG_WAIT_MS, &all.js));
    call(all.js, "create_stream",
         "{\"config\":{\"name\":\"Q\",\"subjects\":[\"Q.>\"],\"storage\":\"memory\","
         "\"allow_batched\":true}}");
    RIG_OK(nats_js_publisher_fast(all.js, MANY, &publisher));
    for (int i = 0; i < 2; i++) { /* the second one goes when the stream has taken the batch */
        RIG_OK(nats_js_publisher_publish(publisher, "Q.f", NATS_Z, NULL, "x", 1, &id));
    }
    rig_freeze();
    pthread_t thread = rig_thread(publish_much, publisher);
    rig_sleep_ms(STUCK_MS);
    rig_watch since = rig_watch_start();
    RIG_CHECK(nats_js_publisher_flush(publisher, FLUSH_MS) == NATS_ERR_TIMEOUT);
    RIG_CHECK(rig_watch_ms(&since) < FLUSH_MS + 1000);
    RIG_CHECK(kill(rig.pid, SIGCONT) == 0);
    rig_join(thread, 2 * RIG_WAIT_MS, "a thread that publishes much");
    take_failures(publisher);
    nats_js_publisher_free(publisher);
    nats_js_free(all.js);
    nats_client_free(all.client);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {{"everything_at_once", everything_at_once},
                                     {"a_flush_keeps_its_time", a_flush_keeps_its_time}};
    rig_jetstream = true;
    return rig_run(argc, argv, cases, sizeof cases / sizeof *cases);
}
