/* Several threads on one connection: who waits is woken, who closes does not wait for those who
 * wait, and nothing is lost on the way. Each case once hung, or lost something. */
#include "rig.h"

enum { FEW_MS = 200, SOON_MS = 5000 };

/* ---- close, while others wait ---- */

typedef struct wait_call {
    nats_client *client;
    nats_sub *sub;
    nats_future *future;
    _Atomic nats_status status;
} wait_call;

static void *wait_next(void *arg)
{
    wait_call *call = arg;
    nats_msg *msg;
    call->status = nats_sub_next(call->sub, -1, &msg);
    return NULL;
}

static void *wait_future(void *arg)
{
    wait_call *call = arg;
    nats_msg *msg;
    call->status = nats_future_wait(call->future, -1, &msg);
    return NULL;
}

static void *wait_event(void *arg)
{
    wait_call *call = arg;
    nats_event *event;
    do {
        call->status = nats_client_next_event(call->client, -1, &event);
        nats_event_free(event);
    } while (call->status == NATS_OK);
    return NULL;
}

static void *wait_flush(void *arg)
{
    wait_call *call = arg;
    call->status = nats_client_flush(call->client, 60000);
    return NULL;
}

static void *close_it(void *arg)
{
    nats_client_close(arg);
    return NULL;
}

/* The last client of a connection is closed while another thread drives it, waiting for ever. */
static void close_ends(const char *what, void *(*body)(void *), const char *keeper, bool frozen)
{
    wait_call call = {0};
    nats_sub *responder;
    RIG_CONNECT(call.client, keeper);
    RIG_OK(nats_client_subscribe(call.client, "nobody", NATS_Z, NULL, 0, 0, &call.sub));
    RIG_OK(nats_client_subscribe(call.client, "silent", NATS_Z, NULL, 0, 0, &responder));
    RIG_OK(nats_client_flush(call.client, RIG_WAIT_MS));
    RIG_OK(nats_client_request_start(call.client, "silent", NATS_Z, NULL, "?", 1, 60000,
                                     &call.future));
    if (frozen) {
        rig_freeze();
    }
    pthread_t waiter = rig_thread(body, &call);
    rig_sleep_ms(FEW_MS);
    rig_watch began = rig_watch_start();
    rig_join(rig_thread(close_it, call.client), SOON_MS, what);
    rig_join(waiter, SOON_MS, what);
    kill(rig.pid, SIGCONT);
    RIG_CHECK(rig_watch_ms(&began) < SOON_MS);
    RIG_CHECK(call.status == NATS_ERR_CLOSED || call.status == NATS_ERR_DISCONNECTED);
    nats_client_free(call.client);
    nats_future_free(call.future);
    nats_sub_free(call.sub);
    nats_sub_free(responder);
}

/* ---- who leaves hands on the driver's role ---- */

static void *take_one(void *arg)
{
    nats_msg *msg;
    RIG_OK(nats_sub_next(arg, RIG_WAIT_MS, &msg));
    RIG_CHECK(msg != NULL);
    nats_msg_free(msg);
    return NULL;
}

/* Three threads without a keeper. The first drives; the second waits longest behind it; the third
 * is the one that is told when the first leaves. The first and the third get what they want
 * together: the second must drive then. */
static void role_is_handed_on(void)
{
    enum { TAKERS = 3, ROUNDS = 20 };
    nats_client *client;
    nats_client *feeder;
    nats_sub *subs[TAKERS];
    RIG_CONNECT(client, "keeper=false");
    RIG_CONNECT(feeder, "keeper=true");
    for (int i = 0; i < TAKERS; i++) {
        char subject[32];
        snprintf(subject, sizeof(subject), "role.%d", i);
        RIG_OK(nats_client_subscribe(client, subject, NATS_Z, NULL, 0, 0, &subs[i]));
    }
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    for (int round = 0; round < ROUNDS; round++) {
        pthread_t threads[TAKERS];
        for (int i = 0; i < TAKERS; i++) {
            threads[i] = rig_thread(take_one, subs[i]);
            rig_sleep_ms(10);
        }
        RIG_OK(nats_client_publish(feeder, "role.0", NATS_Z, "", 0));
        RIG_OK(nats_client_publish(feeder, "role.2", NATS_Z, "", 0));
        RIG_OK(nats_client_flush(feeder, RIG_WAIT_MS));
        rig_join(threads[0], SOON_MS, "the first driver");
        rig_join(threads[2], SOON_MS, "the one behind it");
        RIG_OK(nats_client_publish(feeder, "role.1", NATS_Z, "", 0));
        RIG_OK(nats_client_flush(feeder, RIG_WAIT_MS));
        rig_join(threads[1], SOON_MS, "the one whose driver left");
    }
    for (int i = 0; i < TAKERS; i++) {
        nats_sub_free(subs[i]);
    }
    nats_client_free(client);
    nats_client_free(feeder);
}

/* ---- a publisher that never pauses does not make the connection deaf ---- */

static void *publish_on(void *arg)
{
    nats_client *client = arg;
    int64_t end = rig_now_ms() + 1500;
    while (rig_now_ms() < end) {
        RIG_OK(nats_client_publish(client, "burst", NATS_Z, "x", 1));
        for (volatile int spin = 0; spin < 5000; spin++) {
        }
    }
    return NULL;
}

static void burst_is_not_deaf(void)
{
    nats_client *client;
    RIG_CONNECT(client, "keeper=true");
    nats_sub *sub;
    RIG_OK(nats_client_subscribe(client, "other", NATS_Z, NULL, 0, 0, &sub));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    nats_client *other;
    RIG_CONNECT(other, "keeper=true");
    pthread_t publisher = rig_thread(publish_on, client);
    rig_sleep_ms(FEW_MS);
    RIG_OK(nats_client_publish(other, "other", NATS_Z, "x", 1));
    RIG_OK(nats_client_flush(other, RIG_WAIT_MS));
    rig_watch sent = rig_watch_start();
    uint64_t received = 0;
    while (received == 0 && rig_watch_ms(&sent) < 800) {
        rig_sleep_ms(5);
        uint64_t stats[NATS_SUB_STAT_COUNT];
        nats_sub_stats(sub, stats, NATS_SUB_STAT_COUNT);
        received = stats[NATS_SUB_STAT_RECEIVED];
    }
    RIG_CHECK(received == 1);
    rig_join(publisher, SOON_MS, "publish");
    nats_sub_free(sub);
    nats_client_free(client);
    nats_client_free(other);
}

/* ---- draining loses nothing, though somebody takes meanwhile ---- */

typedef struct count_call {
    nats_client *client;
    uint64_t count;
    nats_status status;
} count_call;

static void *count_messages(void *arg)
{
    count_call *call = arg;
    for (;;) {
        nats_msg *batch[64];
        size_t count;
        call->status = nats_client_get(call->client, 64, -1, batch, &count);
        if (call->status != NATS_OK) {
            return NULL;
        }
        nats_msg_free_many(batch, count);
        call->count += count;
    }
}

static void drain_loses_nothing(void)
{
    enum { ROUNDS = 10, BURST = 20000 };
    nats_client *feeder;
    RIG_CONNECT(feeder, "keeper=true");
    for (int round = 0; round < ROUNDS; round++) {
        count_call call = {0};
        RIG_CONNECT(call.client, "keeper=true");
        nats_client *extra; /* keeps the connection, and its counters, for the check */
        RIG_OK(nats_client_share(call.client, &extra));
        RIG_OK(nats_client_subscribe(call.client, "drain.>", NATS_Z, NULL, 0, 0, NULL));
        RIG_OK(nats_client_flush(call.client, RIG_WAIT_MS));
        pthread_t thread = rig_thread(count_messages, &call);
        for (int i = 0; i < BURST; i++) {
            RIG_OK(nats_client_publish(feeder, "drain.a", NATS_Z, "0123456789", 10));
        }
        RIG_OK(nats_client_flush(feeder, RIG_WAIT_MS));
        RIG_OK(nats_client_drain(call.client, RIG_WAIT_MS));
        rig_join(thread, SOON_MS, "get while draining");
        RIG_CHECK(call.status == NATS_ERR_CLOSED);
        RIG_CHECK(rig_stat(extra, "dropped") == 0 && rig_stat(extra, "stray") == 0);
        if (call.count != BURST) {
            fprintf(stderr, "drained %" PRIu64 " of %d\n", call.count, BURST);
            rig_fail();
        }
        nats_client_free(call.client);
        nats_client_free(extra);
    }
    nats_client_free(feeder);
}

/* Draining while the connection is lost leaves no subscription behind on the next one. */
static void drain_while_lost(void)
{
    nats_client *client;
    nats_sub *sub;
    RIG_CONNECT(client, "reconnect_wait=0.02");
    nats_client *extra;
    RIG_OK(nats_client_share(client, &extra));
    RIG_OK(nats_client_subscribe(client, "later", NATS_Z, NULL, 0, 0, &sub));
    RIG_OK(nats_client_subscribe(client, "later.all", NATS_Z, NULL, 0, 0, NULL));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    rig_stop();
    while (nats_client_status(client) == NATS_CLIENT_CONNECTED) {
        rig_sleep_ms(5);
    }
    nats_sub_drain(sub, 50);
    nats_client_drain(client, 50);
    rig_start();
    RIG_OK(nats_client_flush(extra, RIG_WAIT_MS));
    RIG_OK(nats_client_publish(extra, "later", NATS_Z, "x", 1));
    RIG_OK(nats_client_publish(extra, "later.all", NATS_Z, "x", 1));
    RIG_OK(nats_client_flush(extra, RIG_WAIT_MS));
    RIG_CHECK(rig_stat(extra, "stray") == 0 && rig_stat(extra, "subscriptions") == 0);

    /* And the same when the server comes back while it drains. */
    nats_client *third;
    RIG_OK(nats_client_share(extra, &third));
    RIG_OK(nats_client_subscribe(third, "later", NATS_Z, NULL, 0, 0, NULL));
    RIG_OK(nats_client_flush(third, RIG_WAIT_MS));
    rig_stop();
    while (nats_client_status(extra) == NATS_CLIENT_CONNECTED) {
        rig_sleep_ms(5);
    }
    rig_start();
    nats_client_drain(third, RIG_WAIT_MS);
    RIG_OK(nats_client_flush(extra, RIG_WAIT_MS));
    RIG_OK(nats_client_publish(extra, "later", NATS_Z, "x", 1));
    RIG_OK(nats_client_flush(extra, RIG_WAIT_MS));
    RIG_CHECK(rig_stat(extra, "stray") == 0);
    nats_client_free(third);
    nats_sub_free(sub);
    nats_client_free(client);
    nats_client_free(extra);
}

/* ---- foreign loops ---- */

static bool readable(int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    return poll(&poll_fd, 1, 0) == 1;
}

/* What a loop is told of and then goes away unread may not keep its descriptor readable. */
static void loop_falls_quiet(void)
{
    nats_client *client;
    nats_client *other;
    nats_sub *sub;
    RIG_CONNECT(client, "keeper=true");
    RIG_CONNECT(other, "keeper=true");
    RIG_OK(nats_client_subscribe(client, "loop", NATS_Z, NULL, 0, 0, &sub));
    RIG_OK(nats_sub_set_mode(sub, NATS_SUB_PRIVATE));
    nats_event *event;
    while (nats_client_next_event(client, 0, &event) == NATS_OK && event != NULL) {
        nats_event_free(event);
    }
    int32_t fd;
    RIG_OK(nats_client_fd(client, &fd));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    RIG_OK(nats_client_process(client));
    RIG_CHECK(!readable(fd));

    nats_future *future;
    RIG_OK(nats_client_request_start(client, "none.there", NATS_Z, NULL, "", 0, 5000, &future));
    while (!nats_future_done(future)) {
        RIG_OK(nats_client_process(client));
        rig_sleep_ms(1);
    }
    RIG_CHECK(readable(fd));
    nats_future_free(future);
    RIG_OK(nats_client_process(client));
    RIG_CHECK(!readable(fd));

    RIG_OK(nats_client_publish(other, "loop", NATS_Z, "x", 1));
    RIG_OK(nats_client_flush(other, RIG_WAIT_MS));
    uint64_t stats[NATS_SUB_STAT_COUNT] = {0};
    while (stats[NATS_SUB_STAT_PENDING_MSGS] == 0) {
        RIG_OK(nats_client_process(client));
        nats_sub_stats(sub, stats, NATS_SUB_STAT_COUNT);
    }
    RIG_CHECK(readable(fd));
    RIG_OK(nats_sub_unsubscribe(sub, 0));
    nats_sub_free(sub);
    RIG_OK(nats_client_process(client));
    RIG_CHECK(!readable(fd));
    nats_client_free(other);

    /* A closed client's descriptor does not speak for the others on its connection. */
    nats_client *shared;
    int32_t shared_fd;
    RIG_OK(nats_client_share(client, &shared));
    RIG_OK(nats_client_fd(shared, &shared_fd));
    RIG_OK(nats_client_close(shared));
    RIG_OK(nats_client_next_event(shared, 0, &event));
    nats_event_free(event);
    rig_stop();
    RIG_CHECK(!readable(shared_fd));
    rig_start();
    nats_client_free(shared);
    nats_client_free(client);
}

static void *process_on(void *arg)
{
    count_call *call = arg;
    while (nats_client_process(call->client) == NATS_OK) {
        sched_yield();
    }
    return NULL;
}

/* process() may not take the wake-up that another thread, the driver, waits for. */
static void process_leaves_wakes(void)
{
    enum { ROUNDS = 1000 };
    count_call call = {0};
    RIG_CONNECT(call.client, "keeper=false");
    int32_t fd;
    RIG_OK(nats_client_fd(call.client, &fd));
    nats_client *shared;
    RIG_OK(nats_client_share(call.client, &shared));
    pthread_t processor = rig_thread(process_on, &call);
    for (int i = 0; i < ROUNDS; i++) {
        nats_client *brief;
        RIG_OK(nats_client_share(shared, &brief));
        count_call get = {.client = brief};
        pthread_t getter = rig_thread(count_messages, &get);
        if (i % 2 == 0) {
            rig_sleep_ms(i % 10 == 0 ? 1 : 0);
        }
        RIG_OK(nats_client_close(brief));
        rig_join(getter, SOON_MS, "get, whose client was closed while another processes");
        RIG_CHECK(get.status == NATS_ERR_CLOSED);
        nats_client_free(brief);
    }
    nats_client_close(call.client);
    rig_join(processor, SOON_MS, "process");
    nats_client_free(shared);
    nats_client_free(call.client);
}

static void close_ends_waits(void)
{
    static const char *const keepers[] = {"keeper=true", "keeper=false"};
    for (int i = 0; i < 2; i++) {
        close_ends("next", wait_next, keepers[i], false);
        close_ends("a request", wait_future, keepers[i], false);
        close_ends("next_event", wait_event, keepers[i], false);
        close_ends("flush", wait_flush, keepers[i], true);
    }
}

/* ---- what is waited for is ended, while others wait ---- */

static void unsubscribe(wait_call *call)
{
    RIG_OK(nats_sub_unsubscribe(call->sub, 0));
}

static void drain(wait_call *call)
{
    RIG_OK(nats_sub_drain(call->sub, SOON_MS));
}

static void unsubscribe_by_subject(wait_call *call)
{
    size_t count;
    RIG_OK(nats_client_unsubscribe_subject(call->client, "ended", NATS_Z, 0, &count));
    RIG_CHECK(count == 1);
}

/* Who waits is the driver, which sleeps at the socket: nothing comes there that would wake it. The server's first
 * PING does so once, and so each way has more than one turn. */
static void end_ends(const char *what, void (*end)(wait_call *call), const char *keeper)
{
    enum { TURNS = 3 };
    wait_call call = {0};
    RIG_CONNECT(call.client, keeper);
    for (int i = 0; i < TURNS; i++) {
        RIG_OK(nats_client_subscribe(call.client, "ended", NATS_Z, NULL, 0, 0, &call.sub));
        RIG_OK(nats_client_flush(call.client, SOON_MS));
        pthread_t waiter = rig_thread(wait_next, &call);
        rig_sleep_ms(FEW_MS);
        end(&call);
        rig_join(waiter, SOON_MS, what);
        RIG_CHECK(call.status == NATS_ERR_CLOSED);
        nats_sub_free(call.sub);
    }
    nats_client_free(call.client);
}

static void ends_end_waits(void)
{
    static const char *const keepers[] = {"keeper=true", "keeper=false"};
    for (int i = 0; i < 2; i++) {
        end_ends("next, whose subscription was ended", unsubscribe, keepers[i]);
        end_ends("next, whose subscription was drained", drain, keepers[i]);
        end_ends("next, whose subject was given up", unsubscribe_by_subject, keepers[i]);
    }
}

/* ---- signals ---- */

static void on_signal(int number)
{
    (void)number;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    sigemptyset(&action.sa_mask);
    RIG_CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
}

static void *drain_it(void *arg)
{
    wait_call *call = arg;
    call->status = nats_client_drain(call->client, 60000);
    return NULL;
}

/* A thread that waits while another one reads the socket hears a signal, too. */
static void follower_hears_signals(void)
{
    wait_call driver = {0};
    wait_call follower = {0};
    catch_signals();
    RIG_CONNECT(driver.client, "interruptible=true", "keeper=false");
    RIG_OK(nats_client_subscribe(driver.client, "nobody", NATS_Z, NULL, 0, 0, &driver.sub));
    RIG_OK(nats_client_subscribe(driver.client, "none", NATS_Z, NULL, 0, 0, &follower.sub));
    pthread_t first = rig_thread(wait_next, &driver);
    rig_sleep_ms(FEW_MS);
    pthread_t second = rig_thread(wait_next, &follower);
    rig_sleep_ms(FEW_MS);
    RIG_CHECK(follower.status == NATS_OK); /* no signal yet: it waits */
    pthread_kill(second, SIGUSR1);
    rig_join(second, SOON_MS, "next, behind another driver, after a signal");
    RIG_CHECK(follower.status == NATS_ERR_INTERRUPTED);
    RIG_OK(nats_client_close(driver.client));
    rig_join(first, SOON_MS, "next, after close");
    nats_sub_free(driver.sub);
    nats_sub_free(follower.sub);
    nats_client_free(driver.client);
}

/* A drain that a signal interrupts has ended nothing, and goes on when it is called again. */
static void interrupted_drain_goes_on(void)
{
    wait_call call = {0};
    size_t count = 0;
    nats_msg *msgs[2];
    catch_signals();
    RIG_CONNECT(call.client, "interruptible=true");
    RIG_OK(nats_client_subscribe(call.client, "kept", NATS_Z, NULL, 0, 0, &call.sub));
    RIG_OK(nats_client_publish(call.client, "kept", NATS_Z, "1", 1));
    RIG_OK(nats_client_flush(call.client, RIG_WAIT_MS));
    rig_freeze();
    pthread_t drainer = rig_thread(drain_it, &call);
    rig_sleep_ms(FEW_MS);
    pthread_kill(drainer, SIGUSR1);
    rig_join(drainer, SOON_MS, "drain, after a signal");
    RIG_CHECK(call.status == NATS_ERR_INTERRUPTED);
    RIG_CHECK(nats_client_status(call.client) == NATS_CLIENT_DRAINING);
    kill(rig.pid, SIGCONT);
    nats_status status;
    do {
        status = nats_client_drain(call.client, RIG_WAIT_MS);
    } while (status == NATS_ERR_INTERRUPTED);
    RIG_OK(status);
    RIG_OK(nats_client_get(call.client, 2, 0, msgs, &count));
    RIG_CHECK(count == 1);
    nats_msg_free_many(msgs, count);
    nats_sub_free(call.sub);
    nats_client_free(call.client);
}

/* A server that answers the connection's PING, and one more, when it may. */
typedef struct slow_server {
    int listener;
    int port;
    pthread_t thread;
    atomic_int pings;
    atomic_bool answers;
} slow_server;

static bool read_line(int fd, char *line, size_t size)
{
    for (size_t len = 0; len + 1 < size && read(fd, line + len, 1) == 1; len++) {
        if (line[len] == '\n') {
            line[len + 1] = '\0';
            return true;
        }
    }
    return false;
}

static void *count_pings(void *arg)
{
    static const char info[] = "INFO {\"server_id\":\"s\",\"version\":\"2.10.0\",\"proto\":1,"
                               "\"headers\":true,\"max_payload\":1048576}\r\n";
    slow_server *self = arg;
    char line[2048];
    int fd = accept(self->listener, NULL, NULL);
    RIG_CHECK(fd >= 0 && write(fd, info, sizeof(info) - 1) > 0);
    bool answered = false;
    struct pollfd ask = {.fd = fd, .events = POLLIN};
    for (;;) {
        if (!answered && atomic_load(&self->answers)) {
            answered = true;
            RIG_CHECK(write(fd, "PONG\r\n", 6) == 6);
        }
        if (poll(&ask, 1, 10) == 0) {
            continue;
        }
        if (!read_line(fd, line, sizeof(line))) {
            break;
        }
        if (strncmp(line, "PING", 4) == 0 && atomic_fetch_add(&self->pings, 1) == 0) {
            RIG_CHECK(write(fd, "PONG\r\n", 6) == 6);
        }
    }
    close(fd);
    return NULL;
}

static void *drain_sub(void *arg)
{
    wait_call *call = arg;
    call->status = nats_sub_drain(call->sub, 60000);
    return NULL;
}

/* However often a signal comes: it waits for the PONG of the PING that it sent first. */
static void drain_sends_one_ping(void *(*body)(void *))
{
    enum { SIGNALS = 3, WAIT_MS = 50 };
    char url[64];
    wait_call call = {0};
    slow_server server = {0};
    static const char *const settings[] = {"interruptible=true", "reconnect=false", NULL};
    catch_signals();
    server.listener = rig_listen(&server.port);
    server.thread = rig_thread(count_pings, &server);
    snprintf(url, sizeof(url), "nats://127.0.0.1:%d", server.port);
    RIG_OK(rig_connect(url, settings, &call.client));
    RIG_OK(nats_client_subscribe(call.client, "kept", NATS_Z, NULL, 0, 0, &call.sub));
    for (int i = 0; i < SIGNALS; i++) {
        pthread_t drainer = rig_thread(body, &call);
        rig_sleep_ms(WAIT_MS);
        pthread_kill(drainer, SIGUSR1);
        rig_join(drainer, SOON_MS, "drain, after a signal");
        RIG_CHECK(call.status == NATS_ERR_INTERRUPTED);
    }
    atomic_store(&server.answers, true);
    pthread_t drainer = rig_thread(body, &call);
    rig_join(drainer, SOON_MS, "drain, after the PONG");
    RIG_OK(call.status);
    RIG_CHECK(atomic_load(&server.pings) == 2);
    nats_sub_free(call.sub);
    nats_client_free(call.client);
    rig_join(server.thread, SOON_MS, "the slow server");
    close(server.listener);
}

static void interrupted_drain_sends_one_ping(void)
{
    drain_sends_one_ping(drain_it);
    drain_sends_one_ping(drain_sub);
}

/* ---- a flush, while another thread waits ---- */

static void *wait_get(void *arg)
{
    wait_call *call = arg;
    nats_msg *batch[1];
    size_t count;
    call->status = nats_client_get(call->client, 1, -1, batch, &count);
    return NULL;
}

/* The thread that drives sleeps: whoever asks the server for something writes it himself. The server
 * would wake it within two seconds, by a PING of its own. */
static void flush_behind_a_sleeping_driver(void)
{
    static const char *const keepers[] = {"keeper=true", "keeper=false"};
    enum { SOON = 500 };
    for (int i = 0; i < 2; i++) {
        wait_call call = {0};
        nats_future *future;
        nats_msg *msg;
        RIG_CONNECT(call.client, keepers[i]);
        RIG_OK(nats_client_subscribe(call.client, "nobody", NATS_Z, NULL, 0, 0, NULL));
        pthread_t thread = rig_thread(wait_get, &call);
        rig_sleep_ms(FEW_MS);
        rig_watch began = rig_watch_start();
        RIG_OK(nats_client_flush(call.client, RIG_WAIT_MS));
        RIG_OK(nats_client_flush_start(call.client, RIG_WAIT_MS, &future));
        while (!nats_future_done(future)) {
            RIG_CHECK(rig_watch_ms(&began) < SOON);
            rig_sleep_ms(1);
        }
        RIG_OK(nats_future_wait(future, 0, &msg));
        RIG_CHECK(rig_watch_ms(&began) < SOON);
        nats_future_free(future);
        RIG_OK(nats_client_close(call.client));
        rig_join(thread, SOON_MS, "get, after close");
        nats_client_free(call.client);
    }
}

/* ---- publishes that are refused, while the server changes ---- */

typedef struct large_publisher {
    nats_client *client;
    atomic_bool over;
    uint64_t refused;
} large_publisher;

static void *publish_too_large(void *arg)
{
    enum { LARGE = 2 * 1024 * 1024 };
    large_publisher *self = arg;
    char *data = calloc(1, LARGE);
    RIG_CHECK(data != NULL);
    while (!atomic_load(&self->over)) {
        RIG_CHECK(nats_client_publish(self->client, "large", NATS_Z, data, LARGE) ==
                  NATS_ERR_MAX_PAYLOAD);
        self->refused++;
    }
    free(data);
    return NULL;
}

/* The limit that its error names is the new server's or the old one's. For ThreadSanitizer. */
static void refused_while_reconnecting(void)
{
    large_publisher self = {0};
    RIG_CONNECT(self.client, "reconnect_wait=0.01", "reconnect_wait_max=0.02");
    pthread_t thread = rig_thread(publish_too_large, &self);
    for (int i = 0; i < 3; i++) {
        rig_stop();
        rig_start();
        rig_back(self.client);
    }
    atomic_store(&self.over, true);
    rig_join(thread, SOON_MS, "publish of too large a message");
    RIG_CHECK(self.refused > 0);
    nats_client_free(self.client);
}

/* ---- a trace, while all that goes over the wire is in other threads' hands ---- */

typedef struct traced {
    nats_client *client;
    atomic_bool over;
    atomic_int published;
    atomic_int lines;
} traced;

static void *publish_traced(void *arg)
{
    traced *self = arg;
    while (!atomic_load(&self->over)) {
        nats_status status = nats_client_publish(self->client, "traced", NATS_Z, "PUB x 1\r\n", 9);
        RIG_CHECK(status == NATS_OK || status == NATS_ERR_LIMIT);
        atomic_fetch_add(&self->published, 1);
        if (self->published % 50 == 0) {
            nats_client_flush(self->client, 100);
        }
    }
    return NULL;
}

static bool is_line_of_trace(const char *line)
{
    return strncmp(line, "-> ", 3) == 0 || strncmp(line, "<- ", 3) == 0;
}

static void *read_trace(void *arg)
{
    traced *self = arg;
    while (!atomic_load(&self->over)) {
        nats_event *event;
        RIG_OK(nats_client_next_event(self->client, 20, &event));
        if (event != NULL && nats_event_type(event) == NATS_EVENT_TRACE) {
            RIG_CHECK(is_line_of_trace(nats_event_text(event)));
            /* A payload that looks like one of its lines is none. */
            RIG_CHECK(strcmp(nats_event_text(event), "-> PUB x 1") != 0);
            atomic_fetch_add(&self->lines, 1);
        }
        nats_event_free(event);
    }
    return NULL;
}

/* For ThreadSanitizer: two write, one reads events, the keeper reads the socket, and the server goes
 * away and comes back meanwhile. */
static void trace_in_threads(const char *keeper)
{
    traced self = {0};
    pthread_t threads[3];
    RIG_CONNECT(self.client, "trace=true", keeper, "reconnect_wait=0.01",
                "reconnect_wait_max=0.02");
    RIG_OK(nats_client_subscribe(self.client, "traced", NATS_Z, NULL, 0, 10, NULL));
    for (int i = 0; i < 3; i++) {
        threads[i] = rig_thread(i == 0 ? read_trace : publish_traced, &self);
    }
    for (int i = 0; i < 2; i++) {
        rig_sleep_ms(100);
        rig_stop();
        rig_start();
        rig_back(self.client);
    }
    atomic_store(&self.over, true);
    for (int i = 0; i < 3; i++) {
        rig_join(threads[i], SOON_MS, "a thread of a connection that is traced");
    }
    RIG_CHECK(self.published > 0 && self.lines > 0);
    nats_client_free(self.client);
}

static void trace_is_whole(void)
{
    trace_in_threads("keeper=true");
    trace_in_threads("keeper=false");
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"close_ends_waits", close_ends_waits},
        {"ends_end_waits", ends_end_waits},
        {"role_is_handed_on", role_is_handed_on},
        {"burst_is_not_deaf", burst_is_not_deaf},
        {"drain_loses_nothing", drain_loses_nothing},
        {"drain_while_lost", drain_while_lost},
        {"loop_falls_quiet", loop_falls_quiet},
        {"process_leaves_wakes", process_leaves_wakes},
        {"follower_hears_signals", follower_hears_signals},
        {"interrupted_drain_goes_on", interrupted_drain_goes_on},
        {"interrupted_drain_sends_one_ping", interrupted_drain_sends_one_ping},
        {"flush_behind_a_sleeping_driver", flush_behind_a_sleeping_driver},
        {"refused_while_reconnecting", refused_while_reconnecting},
        {"trace_is_whole", trace_is_whole},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
