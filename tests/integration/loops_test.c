/* Foreign loops sleep when there is nothing to do, whatever the program leaves unread; and what a
 * lost connection does to requests that were not sent yet. */
#include "rig.h"

enum {
    QUIET_MS = 400,
    WAKES_MAX = 20, /* in that time: a timer, the keeper's traffic, not a loop that spins */
    CROWD = 100000,
    CROWD_CALLS = 1000,
    CROWD_MS = 150, /* for so many calls; with a walk over all requests it is a second */
    REQUESTS = 10,
    FILL = 100 * 1000
};

static const char *const keepers[] = {"keeper=true", "keeper=false"};

static int client_fd(nats_client *client)
{
    int32_t fd;
    RIG_OK(nats_client_fd(client, &fd));
    return fd;
}

/* Turn as a foreign loop does, for ms, and count how often it woke. */
static int count_wakes(nats_client *client, int fd, int64_t ms)
{
    int64_t end = rig_now_ms() + ms;
    int wakes = 0;
    for (int64_t left = ms; left > 0; left = end - rig_now_ms()) {
        int64_t due = nats_client_deadline_ms(client);
        struct pollfd ask = {.fd = fd, .events = POLLIN};
        poll(&ask, 1, (int)(due < 0 || due > left ? left : due));
        RIG_OK(nats_client_process(client));
        wakes++;
    }
    return wakes;
}

static void check_quiet(const char *what, nats_client *client, int fd)
{
    int wakes = count_wakes(client, fd, QUIET_MS);
    if (wakes > WAKES_MAX) {
        fprintf(stderr, "%s: %d wakes in %d ms\n", what, wakes, QUIET_MS);
        rig_fail();
    }
}

static bool readable(int fd, int64_t ms)
{
    struct pollfd ask = {.fd = fd, .events = POLLIN};
    return poll(&ask, 1, (int)ms) == 1;
}

/* ---- events that nobody reads ---- */

static void unread_events(void)
{
    for (int i = 0; i < 2; i++) {
        nats_client *client;
        RIG_CONNECT(client, keepers[i], "reconnect_wait=0.01");
        int fd = client_fd(client);
        check_quiet("connected is not read", client, fd);

        rig_stop();
        RIG_CHECK(readable(fd, RIG_WAIT_MS));
        count_wakes(client, fd, 50);
        rig_start();
        int64_t end = rig_now_ms() + RIG_WAIT_MS;
        while (nats_client_status(client) != NATS_CLIENT_CONNECTED) {
            RIG_CHECK(rig_now_ms() < end);
            count_wakes(client, fd, 10);
        }
        check_quiet("a loss and a reconnection are not read", client, fd);
        nats_client_free(client);
    }
}

/* Who takes one event a turn is woken for the next. */
static void events_one_by_one(void)
{
    nats_client *client;
    RIG_CONNECT(client, "keeper=true", "reconnect_wait=0.01");
    int fd = client_fd(client);
    rig_stop();
    rig_start();
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    int32_t type = 0;
    while (type != NATS_EVENT_RECONNECTED) {
        nats_event *event;
        int64_t due = nats_client_deadline_ms(client);
        bool woken = readable(fd, due < 0 || due > 100 ? 100 : due);
        RIG_OK(nats_client_process(client));
        RIG_CHECK(rig_now_ms() < end);
        if (!woken) {
            continue; /* only the descriptor tells that there is an event */
        }
        RIG_OK(nats_client_next_event(client, 0, &event));
        if (event != NULL) {
            type = nats_event_type(event);
            nats_event_free(event);
        }
    }
    nats_client_free(client);
}

/* ---- requests that nobody looks after ---- */

static void silence(nats_client *client, const char *subject)
{
    nats_sub *sub;
    RIG_OK(nats_client_subscribe(client, subject, NATS_Z, NULL, 0, 0, &sub));
    RIG_OK(nats_sub_set_limits(sub, 1, 1 << 20));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    nats_sub_free(sub);
}

static nats_future *ask(nats_client *client, const char *subject, int64_t timeout_ms)
{
    nats_future *future;
    RIG_OK(nats_client_request_start(client, subject, NATS_Z, NULL, "", 0, timeout_ms, &future));
    return future;
}

static void forgotten_future(void)
{
    nats_client *silent;
    RIG_CONNECT(silent, "keeper=true");
    silence(silent, "silent");
    for (int i = 0; i < 2; i++) {
        nats_client *client;
        RIG_CONNECT(client, keepers[i]);
        int fd = client_fd(client);
        count_wakes(client, fd, 20);
        int64_t began = rig_now_ms();
        nats_future *future = ask(client, "silent", 100);
        while (!nats_future_done(future)) {
            readable(fd, 2000); /* the timer of the descriptor alone */
            RIG_OK(nats_client_process(client));
            RIG_CHECK(rig_now_ms() < began + 1000);
        }
        check_quiet("a future is over and not looked at", client, fd);
        nats_msg *msg;
        RIG_CHECK(nats_future_wait(future, 0, &msg) == NATS_ERR_TIMEOUT);
        nats_future_free(future);

        future = ask(client, "silent", 100);
        check_quiet("a future runs out and is not looked at", client, fd);
        nats_future_free(future);

        RIG_OK(nats_client_request_many(client, "silent", NATS_Z, NULL, "", 0, 0, 0, 100, 0,
                                        &future));
        check_quiet("several replies run out and are not looked at", client, fd);
        nats_future_free(future);
        nats_client_free(client);
    }
    nats_client_free(silent);
}

/* Many open requests cost a turn of the loop nothing. */
static void crowd(void)
{
    static nats_future *futures[CROWD];
    nats_client *silent;
    nats_client *client;
    RIG_CONNECT(silent, "keeper=true");
    silence(silent, "silent");
    RIG_CONNECT(client, "keeper=true");
    client_fd(client);
    for (int i = 0; i < CROWD; i++) {
        futures[i] = ask(client, "silent", 60000 - i % 1000);
    }
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    RIG_CHECK(rig_stat(client, "open_requests") == CROWD);
    rig_watch began = rig_watch_start();
    for (int i = 0; i < CROWD_CALLS; i++) {
        RIG_OK(nats_client_process(client));
        RIG_CHECK(nats_client_deadline_ms(client) >= 0);
    }
    int64_t took = rig_watch_ms(&began);
    if (took > CROWD_MS) {
        fprintf(stderr, "%d turns with %d open requests took %d ms\n", CROWD_CALLS, CROWD,
                (int)took);
        rig_fail();
    }
    for (int i = 0; i < CROWD; i++) {
        nats_future_free(futures[(i * 7919L) % CROWD]); /* in no order: a prime steps over all */
    }
    RIG_CHECK(rig_stat(client, "open_requests") == 0);
    nats_client_free(client);
    nats_client_free(silent);
}

/* They run out in the order of their times, whatever the order of asking. */
static void times_in_order(void)
{
    static nats_future *futures[200];
    nats_client *silent;
    nats_client *client;
    RIG_CONNECT(silent, "keeper=true");
    silence(silent, "silent");
    RIG_CONNECT(client, "keeper=true");
    for (int i = 0; i < 200; i++) {
        futures[i] = ask(client, "silent", i % 2 == 0 ? 60000 + i * 37 % 200 : 100 + i * 61 % 100);
    }
    for (int i = 0; i < 200; i += 10) {
        nats_future_free(futures[i]);
        futures[i] = NULL;
    }
    rig_sleep_ms(250);
    RIG_OK(nats_client_process(client));
    RIG_CHECK(rig_stat(client, "open_requests") == 80);
    for (int i = 0; i < 200; i++) {
        nats_future_free(futures[i]);
    }
    nats_client_free(client);
    nats_client_free(silent);
}

/* ---- a second loop on a connection whose server takes nothing for a while ---- */

static void publish_until_blocked(nats_client *client)
{
    static char data[64 * 1024];
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    for (int still = 0; still < 3;) {
        uint64_t written = rig_stat(client, "out_bytes");
        if (rig_stat(client, "unwritten_bytes") == 0) {
            RIG_OK(nats_client_publish(client, "x", 1, data, sizeof(data)));
        }
        RIG_OK(nats_client_process(client));
        still = rig_stat(client, "out_bytes") == written ? still + 1 : 0;
        RIG_CHECK(rig_now_ms() < end);
    }
    RIG_CHECK(rig_stat(client, "unwritten_bytes") > 0);
}

/* Who was there before does not go on waiting for room that is there. */
static void second_loop_while_blocked(void)
{
    nats_client *first;
    nats_client *second;
    RIG_CONNECT(first, "keeper=false");
    int fd = client_fd(first);
    rig_freeze();
    publish_until_blocked(first);
    RIG_OK(nats_client_share(first, &second));
    client_fd(second);
    kill(rig.pid, SIGCONT);
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    while (rig_stat(first, "unwritten_bytes") > 0) {
        RIG_CHECK(rig_now_ms() < end);
        count_wakes(first, fd, 10);
    }
    check_quiet("the server takes all again", first, fd);
    nats_client_free(second);
    nats_client_free(first);
}

/* ---- a request that was not sent when the connection was lost ---- */

static uint64_t lost_by(nats_client *client)
{
    nats_event *event;
    for (;;) {
        RIG_OK(nats_client_next_event(client, RIG_WAIT_MS, &event));
        RIG_CHECK(event != NULL);
        bool found = nats_event_type(event) == NATS_EVENT_DISCONNECTED;
        uint64_t lost = nats_event_lost(event);
        nats_event_free(event);
        if (found) {
            return lost;
        }
    }
}

/* Publish to a frozen server until something goes on waiting here: the socket is full. */
static void fill_socket(nats_client *client)
{
    static char data[FILL];
    while (rig_stat(client, "unwritten_bytes") == 0) {
        RIG_OK(nats_client_publish(client, "fill", NATS_Z, data, sizeof(data)));
        if (rig_stat(client, "unwritten_bytes") > 0) {
            rig_sleep_ms(500); /* the system makes more room after a while */
        }
    }
}

/* False when the system took all of them after all: then there is nothing to see. */
static bool lose_requests(void)
{
    nats_client *client;
    nats_client *service;
    nats_future *futures[REQUESTS];
    nats_msg *got[REQUESTS * 2];
    size_t count;
    nats_sub *sub;
    RIG_CONNECT(service, "keeper=true", "reconnect_wait=0.01");
    RIG_OK(nats_client_subscribe(service, "svc.>", NATS_Z, NULL, 0, 0, &sub));
    RIG_OK(nats_client_flush(service, RIG_WAIT_MS));
    RIG_CONNECT(client, "keeper=true", "reconnect_wait=0.3");
    nats_future_free(ask(client, "nobody", 1000)); /* the inbox is there */
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));

    rig_freeze();
    fill_socket(client);
    for (int i = 0; i < REQUESTS; i++) {
        futures[i] = ask(client, "svc.ask", 10000);
        RIG_OK(nats_client_publish(client, "svc.tell", NATS_Z, "kept", 4));
    }
    rig_stop();
    for (int i = 0; i < REQUESTS; i++) {
        nats_msg *msg;
        RIG_CHECK(nats_future_wait(futures[i], RIG_WAIT_MS, &msg) == NATS_ERR_DISCONNECTED);
        nats_future_free(futures[i]);
    }
    uint64_t lost = lost_by(client);
    bool unsent = lost > 0;
    if (unsent && (lost < REQUESTS || lost > REQUESTS + 2)) { /* and the one that was cut */
        fprintf(stderr, "%d lost, %d unconfirmed, %d unwritten\n", (int)lost,
                (int)rig_stat(client, "unconfirmed"), (int)rig_stat(client, "unwritten_bytes"));
        rig_fail();
    }
    nats_future *late = ask(client, "svc.late", 10000); /* made while there is no connection */

    rig_start();
    rig_back(service);
    rig_back(client);
    rig_sleep_ms(100);
    RIG_OK(nats_client_flush(service, RIG_WAIT_MS));
    nats_msg *answer;
    int32_t done;
    bool missed = nats_future_poll(late, &answer, &done) == NATS_ERR_NO_RESPONDERS;
    RIG_OK(nats_client_get(service, REQUESTS * 2, missed ? 0 : RIG_WAIT_MS, got, &count));
    int asked = 0;
    int told = 0;
    for (size_t i = 0; i < count; i++) {
        const char *subject = nats_msg_subject(got[i], NULL);
        asked += strcmp(subject, "svc.ask") == 0;
        told += strcmp(subject, "svc.tell") == 0;
    }
    unsent = unsent && !missed; /* the service came back too late to see it */
    if (asked != 0 || (unsent && (told != REQUESTS || count != REQUESTS + 1))) {
        fprintf(stderr, "%d requests came, %d publishes, %d in all\n", asked, told, (int)count);
        rig_fail();
    }
    nats_msg_free_many(got, count);
    RIG_CHECK(missed || !nats_future_done(late));
    nats_future_free(late);
    nats_sub_free(sub);
    nats_client_free(service);
    nats_client_free(client);
    return unsent;
}

static void unsent_requests(void)
{
    int tries = 0;
    while (!lose_requests()) {
        RIG_CHECK(++tries < 10);
    }
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"unread_events", unread_events},
        {"events_one_by_one", events_one_by_one},
        {"forgotten_future", forgotten_future},
        {"crowd", crowd},
        {"times_in_order", times_in_order},
        {"second_loop_while_blocked", second_loop_while_blocked},
        {"unsent_requests", unsent_requests},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
