/* What a program does not take keeps memory in proportion to its bytes, however it is spread over
 * subscriptions and requests, and whatever came between; and nothing of it is lost or moved. */
#include "../sanitized.h"
#include "rig.h"

#if SANITIZED
enum { MEASURED = 0 }; /* sanitizers keep freed memory for a while */
#else
enum { MEASURED = 1 };
#endif

enum {
    IDLE = 300,   /* subscriptions that nobody asks */
    ROUNDS = 4,   /* messages of each of them */
    BETWEEN = 96, /* hot messages before the next idle one: most of a chunk */
    HOT_BYTES = 1024,
    WINDOW = 2000, /* hot messages that may be on their way */
    BATCH = 1024,
    LIMIT_KB = 16 * 1024, /* 100 KB wait; each in a chunk of its own they would keep 150 MB */
    REPLIES = 50000,
    REPLIES_MAX = 1000,
    REQUESTS = 400
};

static long resident_kb(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    RIG_CHECK(status != NULL);
    char line[256];
    long kb = 0;
    while (fgets(line, sizeof(line), status) != NULL) {
        if (strncmp(line, "VmRSS:", 6) == 0) {
            kb = strtol(line + 6, NULL, 10);
        }
    }
    fclose(status);
    return kb;
}

static void check_grown(long before, const char *what)
{
    long grown = resident_kb() - before;
    printf("%s: grown by %ld KiB\n", what, grown);
    RIG_CHECK(!MEASURED || grown < LIMIT_KB);
}

typedef struct traffic {
    nats_client *client;
    nats_client *publisher;
    nats_sub *hot;
    size_t sent;
    size_t got;
} traffic;

static traffic traffic_new(void)
{
    traffic self = {0};
    RIG_CONNECT(self.client, "keeper=true");
    RIG_CONNECT(self.publisher, "keeper=true");
    RIG_OK(nats_client_subscribe_with(self.client, "hot", NATS_Z, NULL, 0, 0, -1, -1,
                                      NATS_SUB_PRIVATE, &self.hot));
    return self;
}

static void traffic_free(traffic *self)
{
    nats_sub_free(self->hot);
    nats_client_free(self->client);
    nats_client_free(self->publisher);
}

static void traffic_take(traffic *self, size_t left)
{
    nats_msg *batch[BATCH];
    size_t count;
    while (self->sent - self->got > left) {
        RIG_OK(nats_sub_get(self->hot, BATCH, RIG_WAIT_MS, batch, &count));
        RIG_CHECK(count > 0);
        nats_msg_free_many(batch, count);
        self->got += count;
    }
}

/* Messages that are taken at once. */
static void traffic_pass(traffic *self, size_t count)
{
    static const char body[HOT_BYTES];
    for (size_t i = 0; i < count; i++) {
        RIG_OK(nats_client_publish(self->publisher, "hot", NATS_Z, body, sizeof(body)));
    }
    self->sent += count;
    traffic_take(self, WINDOW);
}

/* Publish to each idle subject in turn, a chunk of other messages between. */
static void publish_idle(traffic *flow)
{
    for (int i = 0; i < ROUNDS * IDLE; i++) {
        char subject[32];
        char body[32];
        snprintf(subject, sizeof(subject), "idle.%d", i % IDLE);
        snprintf(body, sizeof(body), "%d", i);
        RIG_OK(nats_client_publish(flow->publisher, subject, NATS_Z, body, strlen(body)));
        traffic_pass(flow, BETWEEN);
    }
    traffic_take(flow, 0);
}

static void check_body(nats_msg *msg, int number)
{
    char body[32];
    snprintf(body, sizeof(body), "%d", number);
    size_t len;
    const char *data = nats_msg_data(msg, &len);
    RIG_CHECK(len == strlen(body) && memcmp(data, body, len) == 0);
    nats_msg_free(msg);
}

static void idle_subscribe(traffic *flow, int32_t mode, nats_sub **subs)
{
    for (int i = 0; i < IDLE; i++) {
        char subject[32];
        snprintf(subject, sizeof(subject), "idle.%d", i);
        RIG_OK(nats_client_subscribe_with(flow->client, subject, NATS_Z, NULL, 0, 0, 0, 0, mode,
                                          &subs[i]));
    }
    RIG_OK(nats_client_flush(flow->client, RIG_WAIT_MS));
}

static void idle_subscriptions(void)
{
    traffic flow = traffic_new();
    nats_sub *subs[IDLE];
    idle_subscribe(&flow, NATS_SUB_PRIVATE, subs);
    traffic_pass(&flow, WINDOW);
    long before = resident_kb();
    publish_idle(&flow);
    check_grown(before, "private");
    for (int i = 0; i < ROUNDS * IDLE; i++) {
        nats_msg *msg;
        RIG_OK(nats_sub_next(subs[i % IDLE], 0, &msg));
        RIG_CHECK(msg != NULL);
        check_body(msg, i);
    }
    for (int i = 0; i < IDLE; i++) {
        nats_sub_free(subs[i]);
    }
    RIG_CHECK(rig_stat(flow.client, "pending") == 0 && rig_stat(flow.client, "dropped") == 0);
    traffic_free(&flow);
}

/* The order over all subscriptions is kept, too, when messages move. */
static void idle_client(void)
{
    traffic flow = traffic_new();
    nats_sub *subs[IDLE];
    idle_subscribe(&flow, NATS_SUB_SHARED, subs);
    long before = resident_kb();
    publish_idle(&flow);
    check_grown(before, "shared");
    nats_msg *batch[BATCH];
    size_t count;
    for (int i = 0; i < ROUNDS * IDLE; i += (int)count) {
        RIG_OK(nats_client_get(flow.client, 100, 0, batch, &count));
        RIG_CHECK(count > 0);
        for (size_t k = 0; k < count; k++) {
            check_body(batch[k], i + (int)k);
        }
    }
    for (int i = 0; i < IDLE; i++) {
        nats_sub_free(subs[i]);
    }
    traffic_free(&flow);
}

/* One reply each, that nobody takes yet. */
static void idle_requests(void)
{
    traffic flow = traffic_new();
    nats_sub *service;
    nats_future *futures[REQUESTS];
    RIG_OK(nats_client_subscribe(flow.publisher, "svc", NATS_Z, NULL, 0, 0, &service));
    RIG_OK(nats_client_flush(flow.publisher, RIG_WAIT_MS));
    long before = resident_kb();
    for (int i = 0; i < REQUESTS; i++) {
        char body[32];
        snprintf(body, sizeof(body), "%d", i);
        RIG_OK(nats_client_request_start(flow.client, "svc", NATS_Z, NULL, body, strlen(body),
                                         RIG_WAIT_MS, &futures[i]));
        nats_msg *msg;
        RIG_OK(nats_sub_next(service, RIG_WAIT_MS, &msg));
        RIG_OK(nats_client_respond(flow.publisher, msg, NULL, body, strlen(body)));
        nats_msg_free(msg);
        traffic_pass(&flow, BETWEEN);
    }
    traffic_take(&flow, 0);
    check_grown(before, "requests");
    for (int i = 0; i < REQUESTS; i++) {
        nats_msg *msg;
        RIG_OK(nats_future_wait(futures[i], 0, &msg));
        check_body(msg, i);
        nats_future_free(futures[i]);
    }
    nats_sub_free(service);
    traffic_free(&flow);
}

/* Most of what waits is taken: the few that are left do not keep what they came in. */
static void half_taken(void)
{
    traffic flow = traffic_new();
    nats_sub *subs[IDLE];
    idle_subscribe(&flow, NATS_SUB_PRIVATE, subs);
    long before = resident_kb();
    publish_idle(&flow);
    for (int i = 1; i < IDLE; i++) {
        nats_msg *batch[ROUNDS];
        size_t count;
        RIG_OK(nats_sub_get(subs[i], ROUNDS, 0, batch, &count));
        RIG_CHECK(count == ROUNDS);
        nats_msg_free_many(batch, count);
        nats_sub_free(subs[i]);
    }
    check_grown(before, "half");
    for (int i = 0; i < ROUNDS; i++) {
        nats_msg *msg;
        RIG_OK(nats_sub_next(subs[0], 0, &msg));
        check_body(msg, i * IDLE);
    }
    nats_sub_free(subs[0]);
    traffic_free(&flow);
}

/* ---- the limits of a request that many answer ---- */

static void answer(nats_client *client, nats_client *responder, const nats_msg *request, int count)
{
    static const char body[HOT_BYTES];
    for (int i = 0; i < count; i++) {
        RIG_OK(nats_client_respond(responder, request, NULL, body, sizeof(body)));
    }
    RIG_OK(nats_client_flush(responder, RIG_WAIT_MS));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
}

static void check_event(nats_client *client, const char *subject)
{
    nats_event *event = NULL;
    int32_t type = 0;
    while (type != NATS_EVENT_SLOW_CONSUMER) {
        RIG_OK(nats_client_next_event(client, 0, &event));
        RIG_CHECK(event != NULL);
        type = nats_event_type(event);
        RIG_CHECK(type != NATS_EVENT_SLOW_CONSUMER ||
                  strcmp(nats_event_subject(event), subject) == 0);
        nats_event_free(event);
    }
}

static void replies_have_limits(void)
{
    nats_client *client;
    nats_client *responder;
    nats_sub *service;
    nats_future *future;
    nats_msg *request;
    RIG_CONNECT(client, "keeper=true", "pending_msgs=1000");
    RIG_CONNECT(responder, "keeper=true");
    RIG_OK(nats_client_subscribe(responder, "svc", NATS_Z, NULL, 0, 0, &service));
    RIG_OK(nats_client_flush(responder, RIG_WAIT_MS));
    long before = resident_kb();
    RIG_OK(nats_client_request_many(client, "svc", NATS_Z, NULL, "q", 1, 0, 0, RIG_WAIT_MS, 0,
                                    &future));
    RIG_OK(nats_sub_next(service, RIG_WAIT_MS, &request));
    RIG_CHECK(request != NULL);
    answer(client, responder, request, REPLIES);
    check_grown(before, "replies");
    RIG_CHECK(rig_stat(client, "received") == REPLIES);
    RIG_CHECK(rig_stat(client, "pending") == REPLIES_MAX);
    RIG_CHECK(rig_stat(client, "dropped") == REPLIES - REPLIES_MAX);
    RIG_CHECK(rig_stat(client, "slow_consumers") == 1);
    RIG_CHECK(nats_client_replies(client) == REPLIES_MAX);
    check_event(client, "svc");

    for (int i = 0; i < REPLIES_MAX; i++) {
        nats_msg *msg;
        RIG_OK(nats_future_wait(future, 0, &msg));
        RIG_CHECK(msg != NULL);
        nats_msg_free(msg);
    }
    RIG_CHECK(rig_stat(client, "pending") == 0 && nats_future_done(future) == 0);

    answer(client, responder, request, REPLIES_MAX + 1);
    RIG_CHECK(rig_stat(client, "slow_consumers") == 2);
    check_event(client, "svc");
    uint64_t dropped = rig_stat(client, "dropped");
    nats_msg_free(request);
    nats_future_free(future);
    RIG_CHECK(rig_stat(client, "dropped") == dropped + REPLIES_MAX);
    RIG_CHECK(rig_stat(client, "pending") == 0);
    nats_sub_free(service);
    nats_client_free(client);
    nats_client_free(responder);
}

/* A subscription that is full, and of which one message is taken now and then: what comes in its place was
 * read among many that are dropped, and does not keep these. */
static void slow_consumer(void)
{
    enum { FULL = 16 << 20, TAKEN = 300, BETWEEN_TAKEN = 130, GROWN_KB = 4 * 1024 };
    static const char body[HOT_BYTES];
    nats_client *client;
    nats_client *publisher;
    nats_sub *sub;
    RIG_CONNECT(client, "keeper=true");
    RIG_CONNECT(publisher, "keeper=true");
    RIG_OK(nats_client_subscribe_with(client, "slow", NATS_Z, NULL, 0, 0, -1, FULL,
                                      NATS_SUB_PRIVATE, &sub));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    long before = 0;
    for (int taken = -FULL / HOT_BYTES / BETWEEN_TAKEN - 1; taken < TAKEN; taken++) {
        for (int i = 0; i < BETWEEN_TAKEN; i++) {
            RIG_OK(nats_client_publish(publisher, "slow", NATS_Z, body, sizeof(body)));
        }
        RIG_OK(nats_client_flush(publisher, RIG_WAIT_MS));
        RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
        if (taken >= 0) {
            nats_msg *msg;
            RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
            nats_msg_free(msg);
        } else {
            before = resident_kb();
        }
    }
    long grown = resident_kb() - before;
    printf("a slow consumer: grown by %ld KiB\n", grown);
    RIG_CHECK(!MEASURED || grown < GROWN_KB);
    RIG_CHECK(rig_stat(client, "slow_consumers") == 1);
    uint64_t stats[NATS_SUB_STAT_COUNT];
    nats_sub_stats(sub, stats, NATS_SUB_STAT_COUNT);
    RIG_CHECK(stats[NATS_SUB_STAT_PENDING_BYTES] > FULL - 2 * HOT_BYTES);
    RIG_CHECK(stats[NATS_SUB_STAT_DELIVERED] == TAKEN);
    nats_sub_free(sub);
    nats_client_free(client);
    nats_client_free(publisher);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"idle-subscriptions", idle_subscriptions}, {"idle-client", idle_client},
        {"idle-requests", idle_requests},           {"half-taken", half_taken},
        {"replies-have-limits", replies_have_limits}, {"slow-consumer", slow_consumer},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
