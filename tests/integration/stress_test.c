/* Threads that do everything at once on shared clients, while the server is killed, frozen and
 * started again: publish, get, request, subscribe and unsubscribe, share and close, drain. Made for
 * ThreadSanitizer and AddressSanitizer; by itself it looks for hangs, and that the counters of the
 * connections agree at the end.
 *
 *     POLYNATS_STRESS_SECONDS=60 stress_test */
#include "rig.h"

enum {
    CONNECTIONS = 2,
    WORKERS = 2, /* of each kind and connection */
    SECONDS = 3,
    JOIN_MS = 60000,
    BATCH = 64
};

typedef struct bench {
    nats_client *root;
    atomic_uint_fast64_t published;
    atomic_uint_fast64_t refused;
} bench;

static atomic_bool over;

/* What calls say while servers come and go; all else is a bug. */
static void expect(const char *what, nats_status status)
{
    switch (status) {
    case NATS_OK:
    case NATS_ERR_DISCONNECTED:
    case NATS_ERR_TIMEOUT:
    case NATS_ERR_CLOSED:
    case NATS_ERR_NO_RESPONDERS:
    case NATS_ERR_LIMIT:
        return;
    default:
        fprintf(stderr, "%s: %s: %s\n", what, nats_status_name(status), nats_last_error(NULL));
        rig_fail();
    }
}

static unsigned next_random(unsigned *state)
{
    *state = *state * 1103515245u + 12345u;
    return *state >> 16;
}

static void *publisher(void *arg)
{
    bench *self = arg;
    unsigned seed = 1;
    char data[300] = {0};
    while (!over) {
        for (int i = 0; i < 50; i++) {
            nats_status status = nats_client_publish(self->root, "stress.work", NATS_Z, data,
                                                     next_random(&seed) % sizeof(data));
            expect("publish", status);
            atomic_fetch_add(status == NATS_OK ? &self->published : &self->refused, 1);
        }
        if (next_random(&seed) % 4 == 0) {
            expect("flush", nats_client_flush(self->root, 100));
        }
        rig_sleep_ms(1);
    }
    return NULL;
}

static void *getter(void *arg)
{
    bench *self = arg;
    nats_client *client;
    RIG_OK(nats_client_share(self->root, &client));
    RIG_OK(nats_client_subscribe(client, "stress.>", NATS_Z, NULL, 0, 0, NULL));
    while (!over) {
        nats_msg *batch[BATCH];
        size_t count;
        expect("get", nats_client_get(client, BATCH, 10, batch, &count));
        for (size_t i = 0; i < count; i++) {
            if (nats_msg_reply(batch[i], NULL) != NULL) {
                expect("respond", nats_client_respond(client, batch[i], NULL, "y", 1));
            }
        }
        nats_msg_free_many(batch, count);
    }
    nats_client_free(client);
    return NULL;
}

static void *requester(void *arg)
{
    bench *self = arg;
    unsigned seed = 2;
    while (!over) {
        nats_msg *msg = NULL;
        nats_future *future = NULL;
        expect("request", nats_client_request(self->root, "stress.ask", NATS_Z, NULL, "x", 1, 50,
                                              &msg));
        nats_msg_free(msg);
        expect("request_start", nats_client_request_start(self->root, "stress.ask", NATS_Z, NULL,
                                                          "x", 1, 20, &future));
        if (future != NULL) {
            if (next_random(&seed) % 2 == 0) {
                expect("wait", nats_future_wait(future, next_random(&seed) % 5, &msg));
                nats_msg_free(msg);
            }
            if (next_random(&seed) % 2 == 0) {
                nats_future_cancel(future);
            }
            nats_future_free(future);
        }
    }
    return NULL;
}

static void *subscriber(void *arg)
{
    bench *self = arg;
    unsigned seed = 3;
    while (!over) {
        nats_sub *sub = NULL;
        nats_msg *msg;
        unsigned dice = next_random(&seed);
        expect("subscribe", nats_client_subscribe(self->root, "stress.work", NATS_Z, NULL, 0,
                                                  dice % 3 == 0 ? 5 : 0, &sub));
        if (sub == NULL) {
            continue;
        }
        if (dice % 2 == 0) {
            RIG_OK(nats_sub_set_mode(sub, NATS_SUB_PRIVATE));
            RIG_OK(nats_sub_set_limits(sub, 3, -1));
        }
        expect("next", nats_sub_next(sub, dice % 4, &msg));
        nats_msg_free(msg);
        expect("end",
               dice % 5 == 0 ? nats_sub_drain(sub, 20) : nats_sub_unsubscribe(sub, dice % 7));
        expect("end", nats_client_unsubscribe_subject(self->root, "stress.work", NATS_Z, 0, NULL));
        nats_sub_free(sub);
    }
    return NULL;
}

/* What others of the connection do not take: the root's own queue and events. */
static void *sweeper(void *arg)
{
    bench *self = arg;
    while (!over) {
        nats_msg *batch[BATCH];
        size_t count;
        nats_event *event = NULL;
        expect("get", nats_client_get(self->root, BATCH, 5, batch, &count));
        nats_msg_free_many(batch, count);
        expect("next_event", nats_client_next_event(self->root, 0, &event));
        nats_event_free(event);
        nats_info *info = NULL;
        expect("server_info", nats_client_server_info(self->root, &info));
        nats_info_free(info);
        rig_stat(self->root, "received");
    }
    return NULL;
}

static void *get_until_closed(void *arg)
{
    nats_status status = NATS_OK;
    while (status == NATS_OK) {
        nats_msg *batch[BATCH];
        size_t count;
        status = nats_client_get(arg, BATCH, -1, batch, &count);
        nats_msg_free_many(batch, count);
    }
    expect("get", status);
    return NULL;
}

static void *sharer(void *arg)
{
    bench *self = arg;
    unsigned seed = 4;
    while (!over) {
        nats_client *child = NULL;
        nats_client *grandchild = NULL;
        RIG_OK(nats_client_share(self->root, &child));
        RIG_OK(nats_client_share(child, &grandchild));
        nats_sub *sub = NULL;
        expect("subscribe",
               nats_client_subscribe(grandchild, "stress.work", NATS_Z, NULL, 0, 0, &sub));
        pthread_t thread = rig_thread(get_until_closed, grandchild);
        rig_sleep_ms(next_random(&seed) % 5);
        nats_client_free(child);
        if (next_random(&seed) % 2 == 0) {
            expect("drain", nats_client_drain(grandchild, 50));
        }
        nats_client_close(grandchild);
        rig_join(thread, JOIN_MS, "get of a client that was closed");
        nats_client_free(grandchild);
        nats_sub_free(sub);
    }
    return NULL;
}

static void *looper(void *arg)
{
    bench *self = arg;
    nats_client *client;
    int32_t fd;
    RIG_OK(nats_client_share(self->root, &client));
    RIG_OK(nats_client_fd(client, &fd));
    RIG_OK(nats_client_subscribe(client, "stress.work", NATS_Z, "q", 1, 0, NULL));
    while (!over) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        poll(&poll_fd, 1, 5);
        expect("process", nats_client_process(client));
        nats_msg *batch[BATCH];
        size_t count;
        expect("get", nats_client_get(client, BATCH, 0, batch, &count));
        nats_msg_free_many(batch, count);
        nats_event *event = NULL;
        expect("next_event", nats_client_next_event(client, 0, &event));
        nats_event_free(event);
        nats_client_deadline_ms(client);
    }
    nats_client_free(client);
    return NULL;
}

static void check_counters(bench *self)
{
    nats_client *root = self->root;
    RIG_OK(nats_client_flush(root, RIG_WAIT_MS));
    uint64_t in = rig_stat(root, "received");
    uint64_t out = rig_stat(root, "delivered") + rig_stat(root, "dropped") +
                   rig_stat(root, "pending");
    printf("received %" PRIu64 ", out again %" PRIu64 "; published %" PRIu64 ", lost %" PRIu64
           ", unconfirmed %" PRIu64 ", reconnects %" PRIu64 "\n",
           in, out, rig_stat(root, "out_msgs"), rig_stat(root, "lost"),
           rig_stat(root, "unconfirmed"), rig_stat(root, "reconnects"));
    RIG_CHECK(in == out);
    RIG_CHECK(rig_stat(root, "open_requests") == 0);
    RIG_CHECK(rig_stat(root, "out_msgs") >= self->published);
    RIG_CHECK(rig_stat(root, "lost") + rig_stat(root, "unconfirmed") <=
              rig_stat(root, "out_msgs"));
    RIG_CHECK(rig_stat(root, "reconnects") > 0);
}

int main(void)
{
    static void *(*const kinds[])(void *) = {publisher, getter, requester, subscriber,
                                             sweeper,   sharer, looper};
    enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };
    static bench benches[CONNECTIONS];
    pthread_t threads[CONNECTIONS * WORKERS * KINDS];
    size_t thread_count = 0;
    const char *seconds = getenv("POLYNATS_STRESS_SECONDS");

    rig_start();
    for (int c = 0; c < CONNECTIONS; c++) {
        RIG_CONNECT(benches[c].root, "reconnect_wait=0.01", "reconnect_wait_max=0.1",
                    "write_deadline=0.3", c == 0 ? "keeper=true" : "keeper=false");
        for (int i = 0; i < WORKERS * KINDS; i++) {
            threads[thread_count++] = rig_thread(kinds[i % KINDS], &benches[c]);
        }
    }
    /* From here on: under valgrind it took a while to come so far, and one round is the least. */
    int64_t end = rig_now_ms() + 1000 * (int64_t)(seconds != NULL ? atoi(seconds) : SECONDS);
    for (int round = 0; rig_now_ms() < end; round++) {
        rig_sleep_ms(400);
        if (round % 3 == 2) {
            rig_freeze();
            rig_sleep_ms(500);
            kill(rig.pid, SIGCONT);
        } else {
            rig_stop();
            rig_sleep_ms(50);
            rig_start();
        }
    }
    over = true;
    for (size_t i = 0; i < thread_count; i++) {
        rig_join(threads[i], JOIN_MS, "a worker");
    }
    for (int c = 0; c < CONNECTIONS; c++) {
        check_counters(&benches[c]);
        nats_client_free(benches[c].root);
    }
    rig_stop();
    return 0;
}
