/* What a connection does when the other side misbehaves: nothing waits past its deadline, every
 * publish is accounted for, nothing grows. */
#include <malloc.h>

#include "rig.h"

/* ---- a frozen server: every call is back in its time ---- */

enum { SLACK_MS = 400 };

static void within(const char *what, const rig_watch *began, int64_t limit_ms)
{
    int64_t took = rig_watch_ms(began);
    if (took > limit_ms) {
        fprintf(stderr, "%s took %d ms, at most %d\n", what, (int)took, (int)limit_ms);
        rig_fail();
    }
}

/* Also with a publish that nobody confirmed: a drain whose time is used up does not flush again. */
static void frozen_drain(void)
{
    nats_client *client;
    RIG_CONNECT(client, "keeper=true");
    rig_freeze();
    RIG_OK(nats_client_publish(client, "x", NATS_Z, "unconfirmed", 11));
    rig_watch began = rig_watch_start();
    RIG_CHECK(nats_client_drain(client, 100) == NATS_ERR_TIMEOUT);
    within("drain with a publish under way", &began, 100 + SLACK_MS);
    kill(rig.pid, SIGCONT);
    nats_client_free(client);
}

/* SUB and UNSUB wait for the server as a publish does: what it does not read cannot grow. */
static void frozen_server_bounds_lines(void)
{
    enum { LONG = 1400, ROUNDS = 20000, MOST = 512 * 1024 };
    nats_client *client;
    char subject[LONG];
    memset(subject, 's', sizeof(subject));
    RIG_CONNECT(client, "write_deadline=0.3", "reconnect_wait=10");
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    rig_freeze();
    nats_status status = NATS_OK;
    for (int i = 0; i < ROUNDS && status == NATS_OK; i++) {
        nats_sub *sub = NULL;
        status = nats_client_subscribe(client, subject, sizeof(subject), NULL, 0, 0, &sub);
        if (sub != NULL) {
            RIG_OK(nats_sub_unsubscribe(sub, 0));
        }
        nats_sub_free(sub);
        RIG_CHECK(rig_stat(client, "unwritten_bytes") < MOST);
    }
    /* Either of the two that wait for write_deadline may find out first. */
    RIG_CHECK(status == NATS_ERR_TIMEOUT || nats_client_status(client) != NATS_CLIENT_CONNECTED);
    kill(rig.pid, SIGCONT);
    nats_client_free(client);
}

static void frozen_server(void)
{
    static const char *const keepers[] = {"keeper=true", "keeper=false"};
    static char big[256 * 1024];
    for (int i = 0; i < 2; i++) {
        nats_client *client;
        nats_sub *sub;
        nats_msg *msg;
        RIG_CONNECT(client, keepers[i], "write_deadline=0.5");
        RIG_OK(nats_client_subscribe(client, "silent", NATS_Z, NULL, 0, 0, &sub));
        RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
        rig_freeze();
        rig_watch began = rig_watch_start();
        RIG_CHECK(nats_client_flush(client, 300) == NATS_ERR_TIMEOUT);
        within("flush", &began, 300 + SLACK_MS);
        began = rig_watch_start();
        RIG_CHECK(nats_client_request(client, "silent", NATS_Z, NULL, "", 0, 300, &msg) ==
                  NATS_ERR_TIMEOUT);
        within("request", &began, 300 + SLACK_MS);
        began = rig_watch_start();
        RIG_CHECK(nats_sub_drain(sub, 300) == NATS_ERR_TIMEOUT);
        within("drain of a subscription", &began, 300 + SLACK_MS);
        nats_status status = NATS_OK;
        int64_t end = rig_now_ms() + 5000;
        while (status == NATS_OK && rig_now_ms() < end &&
               nats_client_status(client) == NATS_CLIENT_CONNECTED) {
            began = rig_watch_start();
            status = nats_client_publish(client, "x", NATS_Z, big, sizeof(big));
            within("publish", &began, 500 + SLACK_MS);
        }
        RIG_CHECK(rig_now_ms() < end);
        began = rig_watch_start();
        RIG_CHECK(nats_client_drain(client, 300) != NATS_OK);
        within("drain and close", &began, 300 + SLACK_MS);
        nats_sub_free(sub);
        nats_client_free(client);

        began = rig_watch_start();
        const char *settings[] = {"connect_timeout=0.5", keepers[i], NULL};
        RIG_CHECK(rig_connect(rig.url, settings, &client) != NATS_OK);
        within("connect", &began, 500 + SLACK_MS);
        kill(rig.pid, SIGCONT);
    }
}

/* ---- a server that cuts connections anywhere ---- */

typedef struct cutter {
    int listener;
    int port;
    uint64_t received; /* PUB frames that came whole, over all connections */
    uint64_t connections;
    atomic_bool gentle; /* cut no more */
    atomic_bool over;
} cutter;

static void say(int fd, const char *text)
{
    ssize_t written = send(fd, text, strlen(text), MSG_NOSIGNAL);
    (void)written;
}

/* A whole line and, of PUB, its payload: how many bytes; 0: not all there. */
static size_t one_frame(const char *at, size_t len, bool *publish)
{
    const char *newline = memchr(at, '\n', len);
    *publish = false;
    if (newline == NULL) {
        return 0;
    }
    size_t line = (size_t)(newline - at) + 1;
    if (strncmp(at, "PUB ", 4) != 0) {
        return line;
    }
    const char *number = newline;
    while (number[-1] != ' ') {
        number--;
    }
    size_t whole = line + (size_t)atol(number) + 2;
    *publish = whole <= len;
    return *publish ? whole : 0;
}

static void serve(cutter *self, int fd, size_t budget)
{
    static char buffer[1 << 20];
    size_t len = 0;
    say(fd, "INFO {\"server_id\":\"x\",\"version\":\"2.10.0\",\"headers\":true,"
            "\"max_payload\":1048576}\r\n");
    while (!self->over && (self->gentle || budget > 0)) {
        struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
        if (poll(&poll_fd, 1, 20) != 1) {
            continue;
        }
        size_t room = sizeof(buffer) - len;
        size_t most = self->gentle || budget > room ? room : budget;
        ssize_t n = recv(fd, buffer + len, most, 0);
        if (n <= 0) {
            break;
        }
        budget -= self->gentle ? 0 : (size_t)n;
        len += (size_t)n;
        size_t at = 0;
        bool publish;
        size_t frame;
        while ((frame = one_frame(buffer + at, len - at, &publish)) > 0) {
            self->received += publish;
            if (strncmp(buffer + at, "PING", 4) == 0) {
                say(fd, "PONG\r\n");
            }
            at += frame;
        }
        memmove(buffer, buffer + at, len - at);
        len -= at;
    }
}

static void *cut(void *arg)
{
    cutter *self = arg;
    unsigned seed = 7;
    while (!self->over) {
        struct pollfd poll_fd = {.fd = self->listener, .events = POLLIN};
        if (poll(&poll_fd, 1, 20) != 1) {
            continue;
        }
        int fd = accept(self->listener, NULL, NULL);
        seed = seed * 1103515245u + 12345u;
        self->connections++;
        serve(self, fd, 500 + (seed >> 16) * 16 % 600000);
        close(fd);
    }
    return NULL;
}

/* accepted = confirmed + lost + unconfirmed. What was lost never came; what was confirmed did. */
static void every_publish_is_accounted_for(void)
{
    enum { CUTS = 40 };
    cutter self = {0};
    self.listener = rig_listen(&self.port);
    int small = 4096; /* what the client writes gets stuck in the middle of a frame */
    setsockopt(self.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    char url[64];
    snprintf(url, sizeof(url), "nats://127.0.0.1:%d", self.port);
    pthread_t thread = rig_thread(cut, &self);
    nats_client *client;
    static const char *const settings[] = {"reconnect_wait=0.001", "reconnect_wait_max=0.01",
                                           "reconnect_buffer=200000", "write_deadline=0.2",
                                           NULL};
    RIG_OK(rig_connect(url, settings, &client));
    static char data[20000];
    uint64_t accepted = 0;
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    for (int i = 0; rig_stat(client, "reconnects") < CUTS || rig_stat(client, "lost") == 0; i++) {
        accepted += nats_client_publish(client, "cut", NATS_Z, data,
                                        (size_t)i * 37 % sizeof(data)) == NATS_OK;
        if (i % 200 == 0) {
            nats_client_flush(client, 20);
        }
        RIG_CHECK(rig_now_ms() < end);
    }
    self.gentle = true;
    while (nats_client_flush(client, 200) != NATS_OK) {
        RIG_CHECK(rig_now_ms() < end);
    }
    uint64_t lost = rig_stat(client, "lost");
    uint64_t unconfirmed = rig_stat(client, "unconfirmed");
    RIG_CHECK(rig_stat(client, "out_msgs") == accepted);
    nats_client_free(client);
    self.over = true;
    rig_join(thread, RIG_WAIT_MS, "the cutting server");
    close(self.listener);
    printf("accepted %" PRIu64 ", lost %" PRIu64 ", unconfirmed %" PRIu64 ", received %" PRIu64
           " over %" PRIu64 " connections\n",
           accepted, lost, unconfirmed, self.received, self.connections);
    RIG_CHECK(lost > 0 && unconfirmed > 0);
    RIG_CHECK(self.received <= accepted - lost);
    RIG_CHECK(self.received >= accepted - lost - unconfirmed);
}

/* ---- kills ---- */

static void kills(void)
{
    enum { KILLS = 20, SUBS = 50 };
    nats_client *client;
    nats_client *feeder;
    nats_sub *subs[SUBS];
    RIG_CONNECT(client, "reconnect_wait=0.01", "reconnect_wait_max=0.05");
    RIG_CONNECT(feeder, "reconnect_wait=0.01", "reconnect_wait_max=0.05");
    for (int i = 0; i < SUBS; i++) {
        char subject[32];
        snprintf(subject, sizeof(subject), "kill.%d", i);
        RIG_OK(nats_client_subscribe(client, subject, NATS_Z, NULL, 0, 0, &subs[i]));
        if (i % 5 == 0) {
            RIG_OK(nats_sub_set_limits(subs[i], 10, -1));
        }
    }
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    int fds = rig_count("fd");
    int threads = rig_count("task");
    for (int round = 0; round < KILLS; round++) {
        for (int i = 0; i < 2000; i++) {
            char subject[32];
            snprintf(subject, sizeof(subject), "kill.%d", i % SUBS);
            nats_client_publish(feeder, subject, NATS_Z, "0123456789", 10);
        }
        nats_future *future;
        RIG_OK(nats_client_request_start(client, "kill.1", NATS_Z, NULL, "?", 1, 60000, &future));
        rig_stop();
        nats_msg *batch[500];
        size_t count;
        RIG_OK(nats_client_get(client, 500, 1, batch, &count));
        nats_msg_free_many(batch, count);
        rig_watch began = rig_watch_start();
        nats_msg *reply;
        RIG_CHECK(nats_future_wait(future, 1000, &reply) != NATS_OK);
        within("the failure of a request", &began, 1000);
        nats_future_free(future);
        rig_start();
        rig_back(client);
        rig_back(feeder);
        uint64_t out = rig_stat(client, "delivered") + rig_stat(client, "dropped") +
                       rig_stat(client, "pending");
        RIG_CHECK(rig_stat(client, "received") == out);
        RIG_CHECK(rig_stat(client, "subscriptions") == SUBS);
    }
    rig_check_count("fd", fds);
    rig_check_count("task", threads);
    for (int i = 0; i < SUBS; i++) {
        nats_sub_free(subs[i]);
    }
    nats_client_free(client);
    nats_client_free(feeder);
}

/* An auto-unsubscribe over a reconnect gives exactly its number. */
static void exact_maximum(void)
{
    enum { MAX = 1000 };
    nats_client *client;
    nats_client *feeder;
    nats_sub *sub;
    RIG_CONNECT(client, "reconnect_wait=0.01");
    RIG_CONNECT(feeder, "reconnect_wait=0.01");
    RIG_OK(nats_client_subscribe(client, "max", NATS_Z, NULL, 0, MAX, &sub));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    uint64_t taken = 0;
    for (int round = 0; nats_sub_active(sub); round++) {
        for (int i = 0; i < 170; i++) {
            RIG_OK(nats_client_publish(feeder, "max", NATS_Z, "", 0));
        }
        RIG_OK(nats_client_flush(feeder, RIG_WAIT_MS));
        RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
        if (round < 4) {
            rig_stop();
            rig_start();
            rig_back(client);
            rig_back(feeder);
        }
    }
    nats_msg *msg;
    while (nats_sub_next(sub, 0, &msg) == NATS_OK && msg != NULL) {
        nats_msg_free(msg);
        taken++;
    }
    RIG_CHECK(taken == MAX && rig_stat(client, "stray") == 0);
    nats_sub_free(sub);
    nats_client_free(client);
    nats_client_free(feeder);
}

/* ---- nothing stays behind ---- */

static void connects_leave_nothing(void)
{
    enum { TIMES = 300 };
    static const char *const settings[] = {"connect_timeout=1", NULL};
    int port = 0;
    close(rig_listen(&port));
    char dead[64];
    snprintf(dead, sizeof(dead), "nats://127.0.0.1:%d", port);
    int fds = rig_count("fd");
    int threads = rig_count("task");
    for (int i = 0; i < TIMES; i++) {
        nats_client *client;
        RIG_CHECK(rig_connect(dead, settings, &client) != NATS_OK && client == NULL);
        RIG_OK(rig_connect(rig.url, settings, &client));
        int32_t fd;
        RIG_OK(nats_client_fd(client, &fd));
        nats_client_free(client);
    }
    rig_check_count("fd", fds);
    rig_check_count("task", threads);
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static size_t in_use(void)
{
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}

static void idle_gives_memory_back(void)
{
    enum { IDLE_MAX = 256 * 1024, BURST = 100 * 1024 * 1024, SIZE = 64 * 1024, REST_MS = 5000 };
    static char data[SIZE];
    size_t before = in_use();
    nats_client *client;
    RIG_CONNECT(client, "keeper=true", "pending_msgs=-1", "pending_bytes=-1");
    RIG_OK(nats_client_subscribe(client, "burst.>", NATS_Z, NULL, 0, 0, NULL));
    for (size_t sent = 0; sent < BURST; sent += SIZE) {
        RIG_OK(nats_client_publish(client, "burst.a", NATS_Z, data, SIZE));
    }
    for (int i = 0; i < 50000; i++) {
        RIG_OK(nats_client_publish(client, "burst.b", NATS_Z, data, 16));
    }
    static char large[1000 * 1000];
    RIG_OK(nats_client_publish(client, "burst.c", NATS_Z, large, sizeof(large)));
    RIG_OK(nats_client_publish(client, "burst.c", NATS_Z, large, sizeof(large)));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    nats_msg *batch[1000];
    size_t count = 1;
    while (count > 0) {
        RIG_OK(nats_client_get(client, 1000, 100, batch, &count));
        nats_msg_free_many(batch, count);
    }
    int64_t end = rig_now_ms() + REST_MS;
    while (in_use() > before + IDLE_MAX && rig_now_ms() < end) {
        rig_sleep_ms(50);
    }
    printf("an idle connection after a burst: %zu bytes\n", in_use() - before);
    RIG_CHECK(in_use() <= before + IDLE_MAX);
    nats_client_free(client);
}
#else
static void idle_gives_memory_back(void)
{
    puts("not measured: sanitizers keep freed memory for a while");
}
#endif

/* ---- fork ---- */

/* A child that lives on keeps the parent's descriptors: the parent's close must reach the server
 * all the same, and the child may free what it has. */
static void child_keeps_nothing_open(void)
{
    nats_client *client;
    nats_client *other;
    nats_sub *sub;
    nats_msg *msg;
    RIG_CONNECT(client, "keeper=true");
    RIG_CONNECT(other, "keeper=true");
    RIG_OK(nats_client_subscribe(client, "forked", NATS_Z, NULL, 0, 0, &sub));
    RIG_OK(nats_client_publish(client, "forked", NATS_Z, "x", 1));
    RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
    int gate[2];
    RIG_CHECK(pipe(gate) == 0);
    pid_t child = fork();
    if (child == 0) {
        close(gate[1]);
        RIG_CHECK(nats_client_publish(client, "forked", NATS_Z, "x", 1) == NATS_ERR_FORKED);
        nats_msg_free(msg);
        nats_sub_free(sub);
        nats_client_free(client);
        char byte;
        ssize_t n = read(gate[0], &byte, 1);
        (void)n;
        _exit(0);
    }
    close(gate[0]);
    nats_msg_free(msg);
    nats_sub_free(sub);
    nats_client_free(client);
    nats_status status = NATS_OK;
    int64_t end = rig_now_ms() + 2000;
    while (status != NATS_ERR_NO_RESPONDERS && rig_now_ms() < end) {
        status = nats_client_request(other, "forked", NATS_Z, NULL, "", 0, 100, &msg);
        nats_msg_free(msg);
    }
    RIG_CHECK(status == NATS_ERR_NO_RESPONDERS);
    close(gate[1]);
    int code;
    RIG_CHECK(waitpid(child, &code, 0) == child && code == 0);
    nats_client_free(other);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"frozen_server", frozen_server},
        {"frozen_server_bounds_lines", frozen_server_bounds_lines},
        {"frozen_drain", frozen_drain},
        {"every_publish_is_accounted_for", every_publish_is_accounted_for},
        {"kills", kills},
        {"exact_maximum", exact_maximum},
        {"connects_leave_nothing", connects_leave_nothing},
        {"idle_gives_memory_back", idle_gives_memory_back},
        {"child_keeps_nothing_open", child_keeps_nothing_open},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
