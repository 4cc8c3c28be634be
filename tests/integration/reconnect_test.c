/* Many clients lose their server at one moment: none of them comes back in step with the others.
 * And a client that cannot come back for long: it costs no memory, no descriptors, no threads.
 *
 *     POLYNATS_TRIES=10000 reconnect_test */
#include "rig.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

enum {
    CLIENTS = 500,
    PER_SUBNET = 250, /* clients are known by their address: 127.1.x.y */
    TRIES_MAX = 64,   /* noted of each */
    WAIT_MS = 200,    /* back-off after the first failed attempt */
    WAIT_MAX_MS = 400,
    DOWN_MS = 3000,
    SETTLED_MS = 1000, /* of it, until attempts are spread over their waits */
    BIN_MS = 100,
    BINS = (DOWN_MS - SETTLED_MS) / BIN_MS,
    BACK_MAX_MS = WAIT_MAX_MS + 1600, /* all are back by then: a wait, and a machine under load */
    BACKLOG = 1024,
    DESCRIPTORS = 6 * CLIENTS,
    DEAD_PORTS = 40,
    TRIES = 1500,
    WARM_UP = 500,
    GROWTH_MAX_KB = 1024,
    SPREAD_MIN_PERCENT = 50 /* of the variance of waits: half of it drawn would have 25 */
};

/* ---- a server that is there or not ---- */

typedef struct house {
    int port;
    int listener;
    int epoll;
    atomic_bool down; /* who comes is turned away */
    atomic_bool over;
    int tries[CLIENTS];
    int64_t tried_ms[CLIENTS][TRIES_MAX];
    int fds[DESCRIPTORS]; /* open ones, by descriptor: 1 */
    int64_t down_ms;
} house;

static house the_house;

static int client_of(const struct sockaddr_in *from)
{
    uint32_t address = ntohl(from->sin_addr.s_addr);
    return (int)((address >> 8 & 0xFF) * PER_SUBNET + (address & 0xFF) - 1);
}

static void turn_away(house *self, int fd, const struct sockaddr_in *from)
{
    int client = client_of(from);
    if (client >= 0 && client < CLIENTS && self->tries[client] < TRIES_MAX) {
        self->tried_ms[client][self->tries[client]++] = rig_now_ms() - self->down_ms;
    }
    close(fd);
}

static void welcome(house *self, int fd)
{
    static const char info[] =
        "INFO {\"server_id\":\"HOUSE\",\"version\":\"2.10.0\",\"max_payload\":1048576}\r\n";
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    RIG_CHECK(fd < DESCRIPTORS);
    RIG_CHECK(write(fd, info, sizeof info - 1) > 0);
    self->fds[fd] = 1;
    epoll_ctl(self->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void open_door(house *self)
{
    struct sockaddr_in from;
    socklen_t len = sizeof from;
    int fd;
    while ((fd = accept4(self->listener, (struct sockaddr *)&from, &len,
                         SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        if (self->down) {
            turn_away(self, fd, &from);
        } else {
            welcome(self, fd);
        }
    }
}

/* Whatever comes ends with a PING, for these clients say nothing else. */
static void answer(house *self, int fd)
{
    char data[4096];
    ssize_t n = read(fd, data, sizeof data);
    if (n == 0 || (n < 0 && errno != EAGAIN)) {
        self->fds[fd] = 0;
        close(fd);
        return;
    }
    if (n >= 6 && memcmp(data + n - 6, "PING\r\n", 6) == 0) {
        RIG_CHECK(write(fd, "PONG\r\n", 6) == 6);
    }
}

static void throw_out(house *self)
{
    for (int fd = 0; fd < DESCRIPTORS; fd++) {
        if (self->fds[fd]) {
            self->fds[fd] = 0;
            close(fd);
        }
    }
}

static void *keep_house(void *arg)
{
    house *self = arg;
    bool was_down = false;
    while (!self->over) {
        if (self->down && !was_down) {
            throw_out(self);
        }
        was_down = self->down;
        struct epoll_event events[64];
        int count = epoll_wait(self->epoll, events, 64, 5);
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == self->listener) {
                open_door(self);
            } else if (self->fds[events[i].data.fd]) {
                answer(self, events[i].data.fd);
            }
        }
    }
    throw_out(self);
    return NULL;
}

static pthread_t build(house *self)
{
    self->listener = rig_listen(&self->port);
    RIG_CHECK(listen(self->listener, BACKLOG) == 0);
    RIG_CHECK(fcntl(self->listener, F_SETFL, O_NONBLOCK) == 0);
    self->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = self->listener};
    epoll_ctl(self->epoll, EPOLL_CTL_ADD, self->listener, &event);
    return rig_thread(keep_house, self);
}

/* ---- five hundred clients ---- */

static nats_client *clients[CLIENTS];

static void come(house *self, int at)
{
    char url[64];
    char from[64];
    char wait[64];
    char wait_max[64];
    snprintf(url, sizeof url, "nats://127.0.0.1:%d", self->port);
    snprintf(from, sizeof from, "local_address=127.1.%d.%d", at / PER_SUBNET, at % PER_SUBNET + 1);
    snprintf(wait, sizeof wait, "reconnect_wait=%dms", WAIT_MS);
    snprintf(wait_max, sizeof wait_max, "reconnect_wait_max=%dms", WAIT_MAX_MS);
    const char *settings[] = {from, wait, wait_max, NULL};
    RIG_OK(rig_connect(url, settings, &clients[at]));
}

/* One attempt at once, then no more than the waits allow: their mean is half of the longest, and
 * a client whose waits are all short is as rare as one whose are all long. */
static int check_tries(const house *self)
{
    int sum = 0;
    for (int i = 0; i < CLIENTS; i++) {
        sum += self->tries[i];
        RIG_CHECK(self->tries[i] >= 2);
        RIG_CHECK(self->tries[i] <= DOWN_MS / (WAIT_MAX_MS / 2) * 5 / 2);
    }
    int mean = DOWN_MS / (WAIT_MAX_MS / 2) + 1;
    RIG_CHECK(sum <= CLIENTS * mean * 5 / 4);
    return sum;
}

/* Each wait is drawn by itself, from nothing to the longest, so their variance is a twelfth of its
 * square. Waits that were alike would have none, and those of which only one half is drawn a quarter of
 * it. What a machine under load adds to them makes it larger, for it does not know which wait was short;
 * seen in heaps, it is somewhat less. That there are not too many attempts is looked at elsewhere.
 * Returns it, as a share of what it should be, in percent. */
static int check_waits(const house *self)
{
    int64_t all = 0;
    double sum = 0;
    double squares = 0;
    for (int i = 0; i < CLIENTS; i++) {
        for (int j = 3; j < self->tries[i]; j++) { /* the longest wait has been reached */
            double wait = (double)(self->tried_ms[i][j] - self->tried_ms[i][j - 1]);
            sum += wait;
            squares += wait * wait;
            all++;
        }
    }
    RIG_CHECK(all >= CLIENTS);
    double mean = sum / (double)all;
    double variance = squares / (double)all - mean * mean;
    int share = (int)(variance * 12 * 100 / (WAIT_MAX_MS * WAIT_MAX_MS));
    if (share < SPREAD_MIN_PERCENT) {
        fprintf(stderr, "%d waits of %.0f ms in the mean have %d %% of the variance\n", (int)all,
                mean, share);
        rig_fail();
    }
    return share;
}

/* How unevenly attempts come: chi squared over bins, of which BINS - 1 or less is chance. All in
 * step, they would be in every fourth bin, and it would be three times their number. A machine
 * that stops for 200 ms makes it a tenth of that number, and sanitizers stop for longer. */
static int check_spread(const house *self)
{
    int bins[BINS] = {0};
    int sum = 0;
    for (int i = 0; i < CLIENTS; i++) {
        for (int j = 0; j < self->tries[i]; j++) {
            int64_t at = (self->tried_ms[i][j] - SETTLED_MS) / BIN_MS;
            if (self->tried_ms[i][j] >= SETTLED_MS && at < BINS) {
                bins[at]++;
                sum++;
            }
        }
    }
    double mean = (double)sum / BINS;
    double chi = 0;
    for (int i = 0; i < BINS; i++) {
        chi += (bins[i] - mean) * (bins[i] - mean) / mean;
    }
    RIG_CHECK(SANITIZED || chi < sum);
    return (int)chi;
}

static void five_hundred_clients(void)
{
    house *self = &the_house;
    struct rlimit limit;
    RIG_CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_cur < DESCRIPTORS) {
        printf("skipped five_hundred_clients: %d descriptors are allowed, %d needed\n",
               (int)limit.rlim_cur, DESCRIPTORS);
        return;
    }
    pthread_t keeper = build(self);
    for (int i = 0; i < CLIENTS; i++) {
        come(self, i);
    }
    rig_sleep_ms(WAIT_MS + 50); /* connections that lived: they are made again at once */

    self->down_ms = rig_now_ms();
    atomic_store(&self->down, true);
    rig_sleep_ms(DOWN_MS);
    atomic_store(&self->down, false);
    rig_watch up = rig_watch_start();
    for (int i = 0; i < CLIENTS; i++) {
        RIG_OK(nats_client_flush(clients[i], RIG_WAIT_MS));
    }
    int back_ms = (int)rig_watch_ms(&up);
    RIG_CHECK(back_ms <= BACK_MAX_MS);
    for (int i = 0; i < CLIENTS; i++) {
        RIG_CHECK(rig_stat(clients[i], "reconnects") == 1);
        nats_client_free(clients[i]);
    }
    atomic_store(&self->over, true);
    rig_join(keeper, RIG_WAIT_MS, "the server");
    close(self->listener);
    close(self->epoll);

    int share = check_waits(self);
    int sum = check_tries(self);
    printf("ok %d clients: %d attempts in %d ms, variance of waits %d %%, chi squared %d over %d "
           "bins, all back in %d ms\n",
           CLIENTS, sum, DOWN_MS, share, check_spread(self), BINS, back_ms);
}

/* ---- attempts that all fail ---- */

static int resident_kb(void)
{
    int pages = 0;
    int all = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    RIG_CHECK(file != NULL && fscanf(file, "%d %d", &all, &pages) == 2);
    fclose(file);
    return pages * (int)(sysconf(_SC_PAGESIZE) / 1024);
}

static void *hang_up(void *arg)
{
    int listener = *(int *)arg;
    int fd;
    while ((fd = accept(listener, NULL, NULL)) >= 0) {
        close(fd);
    }
    return NULL;
}

static void wait_for_errors(nats_client *client, uint64_t count)
{
    int64_t end = rig_now_ms() + 10 * RIG_WAIT_MS;
    while (rig_stat(client, "errors") < count) {
        RIG_CHECK(rig_now_ms() < end);
        rig_sleep_ms(5);
    }
}

/* Some servers refuse, one hangs up; nobody takes the events. */
static void failed_tries_leave_nothing(void)
{
    const char *text = getenv("POLYNATS_TRIES");
    uint64_t tries = text != NULL ? strtoull(text, NULL, 10) : TRIES;
    char urls[(DEAD_PORTS + 1) * 32] = "";
    int dead[DEAD_PORTS];
    int port = 0;
    int listener = rig_listen(&port);
    pthread_t rude = rig_thread(hang_up, &listener);
    size_t len = (size_t)snprintf(urls, sizeof urls, "127.0.0.1:%d", port);
    for (int i = 0; i < DEAD_PORTS; i++) {
        dead[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0); /* bound, and not listening */
        struct sockaddr_in address = {.sin_family = AF_INET};
        socklen_t size = sizeof address;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        RIG_CHECK(bind(dead[i], (struct sockaddr *)&address, size) == 0);
        RIG_CHECK(getsockname(dead[i], (struct sockaddr *)&address, &size) == 0);
        len += (size_t)snprintf(urls + len, sizeof urls - len, ",127.0.0.1:%d",
                                ntohs(address.sin_port));
    }
    const char *settings[] = {"retry_on_connect=true", "reconnect_wait=1ms",
                              "reconnect_wait_max=10ms", NULL};
    nats_client *client;
    RIG_OK(rig_connect(urls, settings, &client));
    RIG_OK(nats_client_publish(client, "t", NATS_Z, "kept", 4));
    wait_for_errors(client, WARM_UP);
    int fds = rig_count("fd");
    int threads = rig_count("task");
    int before_kb = resident_kb();
    wait_for_errors(client, WARM_UP + tries);
    int grown_kb = resident_kb() - before_kb;
    RIG_CHECK(rig_count("fd") <= fds + 1); /* an attempt may be under way */
    RIG_CHECK(rig_count("task") == threads);
    printf("ok %d attempts that failed: %d kB more, %d events dropped\n", (int)tries, grown_kb,
           (int)rig_stat(client, "events_dropped"));
    RIG_CHECK(SANITIZED || grown_kb < GROWTH_MAX_KB); /* sanitizers keep what was freed */
    nats_client_free(client);
    shutdown(listener, SHUT_RDWR);
    rig_join(rude, RIG_WAIT_MS, "the one that hangs up");
    close(listener);
    for (int i = 0; i < DEAD_PORTS; i++) {
        close(dead[i]);
    }
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    five_hundred_clients();
    failed_tries_leave_nothing();
    return 0;
}
