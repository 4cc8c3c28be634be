/* Every call that waits ends by its own time and 50 ms, however the server falls silent: stopped,
 * behind a network that loses everything, alive without an answer, or half way through a handshake. */
#include <spawn.h>

#include "rig.h"

extern char **environ;

enum {
    SLACK_MS = 50,
    TRIES = 4, /* a busy machine is late by chance; what is wrong here is late each time */
    CALL_MS = 100,
    WRITE_MS = 150, /* option write_deadline */
    CONNECT_MS = 200,
    CLOSE_MS = 2000, /* what nats_client_close() says of itself */
    FULL_MS = 10000, /* until buffers are full */
    LINKS_MAX = 32
};

/* ---- how late ---- */

static int64_t latest_ms; /* in this try */
static const char *latest;

static void took(const char *what, const rig_watch *began, int64_t limit_ms)
{
    int64_t late = rig_watch_ms(began) - limit_ms;
    if (late > latest_ms) {
        latest_ms = late;
        latest = what;
    }
}

/* Try until nothing is late. */
static void in_time(const char *where, void (*body)(const void *), const void *arg)
{
    for (int i = 0; i < TRIES; i++) {
        latest_ms = 0;
        body(arg);
        if (latest_ms <= SLACK_MS) {
            return;
        }
        printf("%s: %s was %d ms late\n", where, latest, (int)latest_ms);
    }
    fprintf(stderr, "%s: %s is late each time\n", where, latest);
    rig_fail();
}

/* ---- a server that says its piece and nothing more ---- */

typedef struct mute {
    int listener;
    int port;
    char url[64];
    const char *greeting;
    const char *asked; /* what has it in it gets the answer, once on each link; NULL: nothing */
    const char *answer;
    atomic_int answers; /* given so far */
    atomic_bool cut; /* end all links, once */
    atomic_bool over;
    pthread_t thread;
} mute;

#define INFO_REST "\"server_id\":\"M\",\"version\":\"2.10.0\",\"max_payload\":1048576,\"headers\":true}\r\n"
#define INFO_TEXT "INFO {" INFO_REST
#define INFO_TLS "INFO {\"tls_required\":true," INFO_REST

static void tell(int fd, const char *text, size_t len)
{
    ssize_t sent = send(fd, text, len, MSG_NOSIGNAL);
    (void)sent;
}

/* False when the link is over. */
static bool listen_to(mute *self, int fd, bool *answered)
{
    char seen[65536];
    ssize_t n = recv(fd, seen, sizeof(seen) - 1, MSG_DONTWAIT);
    if (n <= 0) {
        return n < 0 && (errno == EAGAIN || errno == EINTR);
    }
    seen[n] = '\0';
    if (self->asked != NULL && !*answered && strstr(seen, self->asked) != NULL) {
        *answered = true;
        tell(fd, self->answer, strlen(self->answer));
        self->answers++;
    }
    return true;
}

static void hang_up(struct pollfd *fds, nfds_t *count)
{
    while (*count > 1) {
        *count -= 1;
        if (fds[*count].fd >= 0) {
            close(fds[*count].fd);
        }
    }
}

static void *be_mute(void *arg)
{
    mute *self = arg;
    struct pollfd fds[LINKS_MAX + 1] = {{.fd = self->listener, .events = POLLIN}};
    bool answered[LINKS_MAX + 1] = {false};
    nfds_t count = 1;
    while (!self->over) {
        poll(fds, count, 20);
        if (atomic_exchange(&self->cut, false)) {
            hang_up(fds, &count);
        }
        for (nfds_t i = 1; i < count; i++) {
            if ((fds[i].revents & (POLLIN | POLLHUP)) != 0 &&
                !listen_to(self, fds[i].fd, &answered[i])) {
                close(fds[i].fd);
                fds[i].fd = -1;
            }
        }
        if ((fds[0].revents & POLLIN) != 0 && count <= LINKS_MAX) {
            int fd = accept(self->listener, NULL, NULL);
            tell(fd, self->greeting, strlen(self->greeting));
            answered[count] = false;
            fds[count++] = (struct pollfd){.fd = fd, .events = POLLIN};
        }
    }
    hang_up(fds, &count);
    return NULL;
}

static void mute_start(mute *self, const char *greeting, const char *asked, const char *answer)
{
    *self = (mute){.greeting = greeting, .asked = asked, .answer = answer};
    self->listener = rig_listen(&self->port);
    snprintf(self->url, sizeof(self->url), "nats://127.0.0.1:%d", self->port);
    self->thread = rig_thread(be_mute, self);
}

static void mute_end(mute *self)
{
    self->over = true;
    rig_join(self->thread, RIG_WAIT_MS, "the mute server");
    close(self->listener);
}

/* ---- a network that loses everything: tests/fault/proxy.py ---- */

typedef struct link_proxy {
    pid_t pid;
    FILE *commands;
    int port;
} link_proxy;

static void proxy_start(link_proxy *self, int server_port)
{
    int in[2];
    int out[2];
    char port[16];
    snprintf(port, sizeof(port), "%d", server_port);
    char *const argv[] = {"python3", "../fault/proxy.py", port, NULL};
    RIG_CHECK(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], 0);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    RIG_CHECK(posix_spawnp(&self->pid, argv[0], &actions, NULL, argv, environ) == 0);
    posix_spawn_file_actions_destroy(&actions);
    close(in[0]);
    close(out[1]);
    self->commands = fdopen(in[1], "w");
    FILE *answers = fdopen(out[0], "r");
    RIG_CHECK(self->commands != NULL && answers != NULL);
    RIG_CHECK(fscanf(answers, "%d", &self->port) == 1);
    fclose(answers);
}

static void proxy_say(link_proxy *self, const char *command)
{
    RIG_CHECK(fprintf(self->commands, "%s\n", command) > 0 && fflush(self->commands) == 0);
    rig_sleep_ms(20); /* it answers nothing; what slips through is harmless */
}

/* It ends with its input. */
static void proxy_end(link_proxy *self)
{
    fclose(self->commands);
    waitpid(self->pid, NULL, 0);
}

/* ---- the calls ---- */

typedef struct silence {
    const char *keeper;
    const char *url;
    void (*fall)(void);
    void (*end)(void);
    bool closes; /* look at close() too, which takes its two seconds */
    bool reads; /* the other side still takes bytes: a publish never waits */
    const char *bystander_url; /* lost for good: where another connection is meanwhile; else NULL */
} silence;

typedef struct party {
    nats_client *client;
    nats_sub *sub;
    nats_sub *drained;
} party;

static nats_status call_flush(party *self)
{
    return nats_client_flush(self->client, CALL_MS);
}

static nats_status call_rtt(party *self)
{
    int64_t rtt;
    return nats_client_rtt(self->client, CALL_MS, &rtt);
}

static nats_status call_get(party *self)
{
    nats_msg *batch[1];
    size_t count;
    return nats_client_get(self->client, 1, CALL_MS, batch, &count);
}

static nats_status call_get_callbacks(party *self)
{
    nats_msg *batch[1];
    size_t count;
    return nats_client_get_callbacks(self->client, 1, CALL_MS, batch, &count);
}

static nats_status call_next(party *self)
{
    nats_msg *msg;
    return nats_sub_next(self->sub, CALL_MS, &msg);
}

static nats_status call_next_event(party *self)
{
    nats_event *event;
    nats_status status = nats_client_next_event(self->client, CALL_MS, &event);
    nats_event_free(event);
    return status;
}

static nats_status call_request(party *self)
{
    nats_msg *reply;
    return nats_client_request(self->client, "deaf", NATS_Z, NULL, "?", 1, CALL_MS, &reply);
}

static nats_status wait_and_free(nats_future *future, int64_t wait_ms)
{
    nats_msg *reply;
    nats_status status = nats_future_wait(future, wait_ms, &reply);
    nats_future_free(future);
    return status;
}

static nats_status call_request_many(party *self)
{
    nats_future *future;
    RIG_OK(nats_client_request_many(self->client, "deaf", NATS_Z, NULL, "?", 1, 2, 0, CALL_MS, 0,
                                    &future));
    return wait_and_free(future, -1);
}

/* The time of the wait is up, and that of the request is not. */
static nats_status call_future_wait(party *self)
{
    nats_future *future;
    RIG_OK(nats_client_request_start(self->client, "deaf", NATS_Z, NULL, "?", 1, RIG_WAIT_MS,
                                     &future));
    return wait_and_free(future, CALL_MS);
}

static nats_status call_flush_start(party *self)
{
    nats_future *future;
    RIG_OK(nats_client_flush_start(self->client, CALL_MS, &future));
    return wait_and_free(future, -1);
}

static nats_status call_sub_drain(party *self)
{
    return nats_sub_drain(self->drained, CALL_MS);
}

static const struct {
    const char *name;
    nats_status (*call)(party *);
    nats_status expected;
    nats_status expected_lost; /* when the connection is known to be lost */
} calls[] = {
    {"get", call_get, NATS_OK, NATS_OK},
    {"get_callbacks", call_get_callbacks, NATS_OK, NATS_OK},
    {"next", call_next, NATS_OK, NATS_OK},
    {"next_event", call_next_event, NATS_OK, NATS_OK},
    {"flush", call_flush, NATS_ERR_TIMEOUT, NATS_ERR_TIMEOUT},
    {"flush_start", call_flush_start, NATS_ERR_TIMEOUT, NATS_ERR_TIMEOUT},
    {"rtt", call_rtt, NATS_ERR_TIMEOUT, NATS_ERR_TIMEOUT},
    {"request", call_request, NATS_ERR_TIMEOUT, NATS_ERR_TIMEOUT},
    {"request_many", call_request_many, NATS_OK, NATS_OK},
    {"future_wait", call_future_wait, NATS_ERR_TIMEOUT, NATS_ERR_TIMEOUT},
    {"sub_drain", call_sub_drain, NATS_ERR_TIMEOUT, NATS_OK},
};

static void forget_events(nats_client *client)
{
    nats_event *event;
    while (nats_client_next_event(client, 0, &event) == NATS_OK && event != NULL) {
        nats_event_free(event);
    }
}

/* Publish until the server has no room: each call by itself is in time, and in the end one is
 * refused, or the connection is given up. */
static void publish_until_full(const silence *where, nats_client *client)
{
    static char big[256 * 1024];
    int64_t end = rig_now_ms() + FULL_MS;
    nats_status status = NATS_OK;
    do {
        rig_watch began = rig_watch_start();
        status = nats_client_publish(client, "full", NATS_Z, big, sizeof(big));
        took("publish", &began, WRITE_MS);
        RIG_CHECK(rig_now_ms() < end);
    } while (!where->reads && status == NATS_OK &&
             nats_client_status(client) == NATS_CLIENT_CONNECTED);
}

static party party_new(const silence *where, const char *url)
{
    const char *const settings[] = {where->keeper, "write_deadline=0.15", "reconnect_wait=10",
                                    "ping_interval=60", "no_randomize=true",
                                    "connect_timeout=20", NULL};
    party self;
    RIG_OK(rig_connect(url, settings, &self.client));
    RIG_OK(nats_client_subscribe(self.client, "deaf", NATS_Z, NULL, 0, 0, &self.sub));
    RIG_OK(nats_client_subscribe(self.client, "drained", NATS_Z, NULL, 0, 0, &self.drained));
    forget_events(self.client);
    return self;
}

static void party_free(party *self)
{
    nats_sub_free(self->sub);
    nats_sub_free(self->drained);
    nats_client_free(self->client);
}

static void call_each(party *caller, bool lost)
{
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        rig_watch began = rig_watch_start();
        nats_status status = calls[i].call(caller);
        took(calls[i].name, &began, CALL_MS);
        if (status != (lost ? calls[i].expected_lost : calls[i].expected)) {
            fprintf(stderr, "%s: %s\n", calls[i].name, nats_status_name(status));
            rig_fail();
        }
    }
}

static void call_beside(const silence *where)
{
    if (where->bystander_url != NULL) {
        party bystander = party_new(where, where->bystander_url);
        call_each(&bystander, false);
        party_free(&bystander);
    }
}

static void call_all(const void *arg)
{
    const silence *where = arg;
    party caller = party_new(where, where->url);
    party drainer = party_new(where, where->url);
    party publisher = party_new(where, where->url);
    where->fall();
    call_each(&caller, where->bystander_url != NULL);
    call_beside(where);
    publish_until_full(where, publisher.client);

    RIG_OK(nats_client_publish(drainer.client, "x", NATS_Z, "unconfirmed", 11));
    rig_watch began = rig_watch_start();
    nats_status status = nats_client_drain(drainer.client, CALL_MS);
    RIG_CHECK(status == NATS_ERR_TIMEOUT ||
              (status == NATS_ERR_DISCONNECTED && where->bystander_url != NULL));
    took("drain", &began, CALL_MS);
    if (where->closes) {
        began = rig_watch_start();
        RIG_OK(nats_client_close(caller.client));
        took("close", &began, CLOSE_MS);
    }
    where->end();
    party_free(&caller);
    party_free(&drainer);
    party_free(&publisher);
}

static void call_with_and_without_keeper(const char *name, silence where)
{
    static const char *const keepers[] = {"keeper=true", "keeper=false"};
    for (int i = 0; i < 2; i++) {
        char title[64];
        where.keeper = keepers[i];
        where.closes = i == 0 || where.fall == rig_freeze;
        snprintf(title, sizeof(title), "%s, %s", name, where.keeper);
        in_time(title, call_all, &where);
    }
}

static void nothing(void)
{
}

static void thaw(void)
{
    kill(rig.pid, SIGCONT);
}

static void stopped(void)
{
    call_with_and_without_keeper(
        "stopped", (silence){.url = rig.url, .fall = rig_freeze, .end = thaw});
}

static link_proxy partition;

static void make_hole(void)
{
    proxy_say(&partition, "hole");
}

static void heal(void)
{
    proxy_say(&partition, "heal");
}

static void partitioned(void)
{
    char url[64];
    proxy_start(&partition, rig.port);
    snprintf(url, sizeof(url), "nats://127.0.0.1:%d", partition.port);
    call_with_and_without_keeper("partitioned",
                                 (silence){.url = url, .fall = make_hole, .end = heal});
    proxy_end(&partition);
}

static mute silent;

static void cut(void)
{
    silent.cut = true;
}

static void never_answers(void)
{
    mute_start(&silent, INFO_TEXT, "PING\r\n", "PONG\r\n");
    call_with_and_without_keeper(
        "no answer", (silence){.url = silent.url, .fall = nothing, .end = cut, .reads = true});
    mute_end(&silent);
}

/* ---- a handshake that stalls: the server is gone, and the next one begins TLS and stops ---- */

static mute stalling;

static void go_to_stalling(void)
{
    rig_stop();
    /* With keepers all are on their way by then; without them they go there in their calls. */
    rig_sleep_ms(CALL_MS);
}

static void come_back(void)
{
    RIG_CHECK(stalling.answers > 0);
    stalling.answers = 0;
    stalling.cut = true;
    rig_start();
}

static void handshake_stalls(void)
{
    char urls[160];
    if (!WITH_OPENSSL) {
        puts("no handshake: there is no OpenSSL in this build");
        return;
    }
    mute_start(&stalling, INFO_TLS, "", "\x16\x03\x03");
    mute_start(&silent, INFO_TEXT, "PING\r\n", "PONG\r\n");
    snprintf(urls, sizeof(urls), "%s,%s", rig.url, stalling.url);
    silence where = {.keeper = "keeper=true", .url = urls, .bystander_url = silent.url,
                     .fall = go_to_stalling, .end = come_back, .closes = true, .reads = true};
    in_time("half of TLS, keeper=true", call_all, &where);
    /* Without a keeper it is the call itself that reads the system's certificates, which takes some 40
     * ms of work: what is asked here is that it does not wait for the server. */
    setenv("SSL_CERT_FILE", "/dev/null", 1);
    setenv("SSL_CERT_DIR", "/dev/null", 1);
    where.keeper = "keeper=false";
    where.closes = false;
    in_time("half of TLS, keeper=false", call_all, &where);
    unsetenv("SSL_CERT_FILE");
    unsetenv("SSL_CERT_DIR");
    mute_end(&silent);
    mute_end(&stalling);
}

/* ---- connect: one budget, wherever it stalls ---- */

typedef struct stall {
    const char *name;
    const char *greeting;
    const char *answer; /* to the first bytes */
    const char *setting;
} stall;

static const stall stalls[] = {
    {"no INFO", "", "", "keeper=true"},
    {"half an INFO", "INFO {\"server_id\":", "", "keeper=true"},
    {"no PONG", INFO_TEXT, "", "keeper=true"},
    {"half a PONG", INFO_TEXT, "PO", "keeper=true"},
    {"no TLS", INFO_TLS, "", "keeper=true"},
    {"half of TLS", INFO_TLS, "\x16\x03\x03", "keeper=true"},
    {"no TLS at first", "", "", "tls_first=true"},
    {"half of TLS at first", "", "\x16\x03\x03", "tls_first=true"},
};

typedef struct stalled {
    const char *urls;
    const char *setting;
} stalled;

static void connect_once(const void *arg)
{
    const stalled *where = arg;
    const char *const settings[] = {"connect_timeout=0.2", where->setting, NULL};
    nats_client *client;
    rig_watch began = rig_watch_start();
    nats_status status = rig_connect(where->urls, settings, &client);
    took("connect", &began, CONNECT_MS);
    RIG_CHECK(client == NULL && (status == NATS_ERR_TIMEOUT || status == NATS_ERR_NOT_SUPPORTED));
}

static void connect_start_once(const void *arg)
{
    const stalled *where = arg;
    const char *const settings[] = {"connect_timeout=0.2", where->setting, NULL};
    nats_options *options;
    nats_client *client;
    nats_future *future;
    RIG_OK(nats_options_new(&options));
    for (int i = 0; settings[i] != NULL; i++) {
        char name[32];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(settings[i], "="), settings[i]);
        RIG_OK(nats_options_set_text(options, name, settings[i] + strlen(name) + 1, NATS_Z));
    }
    rig_watch began = rig_watch_start();
    nats_status status = nats_connect_start(where->urls, options, &client, &future);
    RIG_OK(status);
    status = wait_and_free(future, -1);
    took("connect_start", &began, CONNECT_MS);
    RIG_CHECK(status == NATS_ERR_TIMEOUT || status == NATS_ERR_NOT_SUPPORTED);
    nats_client_free(client);
    nats_options_free(options);
}

static void connect_stalls(void)
{
    for (size_t i = 0; i < sizeof(stalls) / sizeof(stalls[0]); i++) {
        mute server;
        mute_start(&server, stalls[i].greeting, "", stalls[i].answer);
        stalled where = {server.url, stalls[i].setting};
        in_time(stalls[i].name, connect_once, &where);
        in_time(stalls[i].name, connect_start_once, &where);
        mute_end(&server);
    }
}

/* TCP itself: a listener whose queue is full drops what comes. */
static void connect_without_tcp(void)
{
    enum { FILLERS = 4 };
    int port = 0;
    int fillers[FILLERS];
    int listener = rig_listen(&port);
    char url[64];
    RIG_CHECK(listen(listener, 0) == 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    for (int i = 0; i < FILLERS; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        RIG_CHECK(connect(fillers[i], (struct sockaddr *)&address, sizeof(address)) == 0 ||
                  errno == EINPROGRESS);
    }
    snprintf(url, sizeof(url), "nats://127.0.0.1:%d", port);
    in_time("no TCP", connect_once, &(stalled){url, "keeper=true"});
    for (int i = 0; i < FILLERS; i++) {
        close(fillers[i]);
    }
    close(listener);
}

/* Several servers that are silent share the time of connect. */
static void connect_to_many(void)
{
    mute servers[2];
    char urls[256];
    for (int i = 0; i < 2; i++) {
        mute_start(&servers[i], INFO_TEXT, NULL, NULL);
    }
    snprintf(urls, sizeof(urls), "%s,%s", servers[0].url, servers[1].url);
    in_time("many servers", connect_once, &(stalled){urls, "no_randomize=true"});
    for (int i = 0; i < 2; i++) {
        mute_end(&servers[i]);
    }
}

/* ---- a server that is about to end says so ---- */

enum { LAME_MS = 50 }; /* and SLACK_MS, from the signal to the event, with what the server takes */

static void lame_duck_is_told(const void *keeper)
{
    nats_client *client;
    nats_event *event = NULL;
    RIG_CONNECT(client, keeper, "reconnect=false");
    forget_events(client);
    rig_watch began = rig_watch_start();
    kill(rig.pid, SIGUSR2);
    RIG_OK(nats_client_next_event(client, RIG_WAIT_MS, &event));
    took("the event", &began, LAME_MS);
    RIG_CHECK(event != NULL && nats_event_type(event) == NATS_EVENT_LAME_DUCK);
    nats_event_free(event);
    nats_client_free(client);
    rig_stop();
    rig_start();
}

static void lame_duck(void)
{
    in_time("lame duck", lame_duck_is_told, "keeper=true");
    in_time("lame duck, no keeper", lame_duck_is_told, "keeper=false");
}

/* ---- a server that is slow, and not gone ---- */

enum {
    SLOW_BYTES = 1024, /* read at once, by a server that has little room */
    SLOW_PAUSE_MS = 10,
    SLOW_WRITE_MS = 250, /* option write_deadline: a piece of the buffer of our side takes longer */
    SLOW_FOR_MS = 4 * SLOW_WRITE_MS,
    PROBE_MS = 200 /* after so long our system fills what little room its system still has */
};

typedef struct slow {
    int listener;
    atomic_bool stopped;
    atomic_bool over;
} slow;

static void *be_slow(void *arg)
{
    slow *self = arg;
    char seen[SLOW_BYTES];
    bool greeted = false;
    int fd = accept(self->listener, NULL, NULL);
    tell(fd, INFO_TEXT, sizeof(INFO_TEXT) - 1);
    while (!self->over) {
        ssize_t n = self->stopped ? 0 : recv(fd, seen, sizeof(seen), MSG_DONTWAIT);
        if (!greeted && n >= 6 && memcmp(seen + n - 6, "PING\r\n", 6) == 0) {
            greeted = true;
            tell(fd, "PONG\r\n", 6);
        }
        rig_sleep_ms(SLOW_PAUSE_MS);
    }
    close(fd);
    return NULL;
}

/* What waits is more than the server takes in several write_deadlines, and always some of it arrives.
 * When that ends, so does the connection, in its time. */
static void slow_is_not_gone(const void *keeper)
{
    static char big[256 * 1024];
    slow server = {.stopped = false};
    int port = 0;
    int room = SLOW_BYTES;
    char url[64];
    nats_client *client;
    nats_event *event = NULL;
    server.listener = rig_listen(&port);
    RIG_CHECK(setsockopt(server.listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)) == 0);
    pthread_t thread = rig_thread(be_slow, &server);
    snprintf(url, sizeof(url), "nats://127.0.0.1:%d", port);
    const char *settings[] = {keeper, "write_deadline=0.25", "ping_interval=60", "reconnect=false",
                              NULL};
    RIG_OK(rig_connect(url, settings, &client));
    forget_events(client);
    while (nats_client_publish(client, "full", NATS_Z, big, sizeof(big)) == NATS_OK) {
    }
    RIG_CHECK(nats_client_status(client) == NATS_CLIENT_CONNECTED);
    RIG_OK(nats_client_next_event(client, SLOW_FOR_MS, &event));
    RIG_CHECK(event == NULL && nats_client_status(client) == NATS_CLIENT_CONNECTED);

    server.stopped = true;
    rig_watch began = rig_watch_start();
    RIG_OK(nats_client_next_event(client, RIG_WAIT_MS, &event));
    took("the end", &began, SLOW_WRITE_MS + PROBE_MS);
    RIG_CHECK(event != NULL && nats_event_status(event) == NATS_ERR_TIMEOUT);
    nats_event_free(event);
    nats_client_free(client);
    server.over = true;
    rig_join(thread, RIG_WAIT_MS, "the slow server");
    close(server.listener);
}

static void slow_server(void)
{
    in_time("slow", slow_is_not_gone, "keeper=true");
    in_time("slow, no keeper", slow_is_not_gone, "keeper=false");
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"stopped", stopped},
        {"partitioned", partitioned},
        {"never_answers", never_answers},
        {"handshake_stalls", handshake_stalls},
        {"connect_stalls", connect_stalls},
        {"connect_without_tcp", connect_without_tcp},
        {"connect_to_many", connect_to_many},
        {"slow_server", slow_server},
        {"lame_duck", lame_duck},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
