/* The worker of the reliability tests, in C: README.md has the words it takes and the lines it prints.
 * Workers of other languages do the same with their own surface. */
#include "worker.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 4096,
    TICK_MS = 5,
    SECOND_MS = 1000,
    FLUSH_MS = 500,  /* of the flushes while it goes on */
    PATIENCE_MS = 20000,
    PROBES_MAX = 1 << 20,
    ROUND_MSGS = 50
};

static char **words; /* "key=value", those of connect with a plus before */
static nats_options *options;
static volatile sig_atomic_t signals_seen;

_Noreturn void die(const char *what)
{
    fprintf(stderr, "worker: %s: %s\n", what, nats_last_error(NULL));
    exit(1);
}

void must(const char *what, nats_status status)
{
    if (status != NATS_OK) {
        die(what);
    }
}

double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

const char *word(const char *key, const char *absent)
{
    size_t len = strlen(key);
    for (char **at = words; *at != NULL; at++) {
        if (strncmp(*at, key, len) == 0 && (*at)[len] == '=') {
            return *at + len + 1;
        }
    }
    return absent;
}

double number(const char *key)
{
    return atof(word(key, "0"));
}

static bool exists(const char *path)
{
    return path != NULL && access(path, F_OK) == 0;
}

bool over(void)
{
    return exists(word("until", NULL));
}

nats_client *client_of(const char *url)
{
    nats_client *client;
    must("connect", nats_connect(url, options, &client));
    return client;
}

/* Tell, and wait until the harness has seen it. */
void tell(const char *what)
{
    char line[16];
    printf("%s\n", what);
    if (fgets(line, sizeof line, stdin) == NULL) {
        exit(1);
    }
}

static void take_options(void)
{
    must("options", nats_options_new(&options));
    for (char **at = words; *at != NULL; at++) {
        if (**at != '+') {
            continue;
        }
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strcspn(*at + 1, "="), *at + 1);
        must(name, nats_options_set_text(options, name, strchr(*at, '=') + 1, NATS_Z));
    }
}

static uint64_t stat_of(nats_client *client, const char *name)
{
    uint64_t values[64];
    size_t count = nats_client_stats(client, values, 64);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(nats_stats_name(i), name) == 0) {
            return values[i];
        }
    }
    die(name);
}

/* Prints the events that wait. */
void put_events(nats_client *client)
{
    nats_event *event;
    while (nats_client_next_event(client, 0, &event) == NATS_OK && event != NULL) {
        printf("event %s %.6f\n", nats_event_name(event),
               (double)nats_event_time_ns(event) / 1e9);
        nats_event_free(event);
    }
}

static nats_sub *subscribe(nats_client *client, const char *subject, int64_t bytes)
{
    nats_sub *sub;
    must("subscribe", nats_client_subscribe_with(client, subject, NATS_Z, NULL, 0, 0, -1, bytes,
                                                 NATS_SUB_PRIVATE, &sub));
    return sub;
}

/* ---- echo: publish numbers, and receive them again ---- */

typedef struct echo {
    nats_client *client;
    nats_sub *sub;
    const char *subject;
    char *data;
    size_t size;
    double rate;
    double flush; /* seconds between flushes, 0 for none */
    double began;
    uint64_t tried;
    uint64_t accepted;
    uint64_t refused;
    uint64_t received;
    uint64_t disorder;
    uint64_t last;
    double slowest_publish;
    double slowest_flush;
    double slowest_get;
} echo;

static void slower(double *slowest, double began)
{
    double took = now() - began;
    if (took > *slowest) {
        *slowest = took;
    }
}

/* What is due by the rate; the first that is refused ends the turn. */
static void publish_due(echo *self)
{
    double due = (now() - self->began) * self->rate - (double)self->tried;
    if (due > self->rate / 10) { /* it stood still: what was missed is not made up for */
        self->began += (due - self->rate / 10) / self->rate;
        due = self->rate / 10;
    }
    for (; due >= 1; due--) {
        snprintf(self->data, 17, "%016" PRIu64, ++self->tried);
        self->data[16] = ' ';
        double began = now();
        nats_status status = nats_client_publish(self->client, self->subject, NATS_Z, self->data,
                                                 self->size);
        slower(&self->slowest_publish, began);
        if (status != NATS_OK) {
            self->refused++;
            return;
        }
        self->accepted++;
    }
}

static size_t take(echo *self, int64_t wait_ms)
{
    nats_msg *batch[BATCH];
    size_t count;
    double began = now();
    must("get", nats_sub_get(self->sub, BATCH, wait_ms, batch, &count));
    slower(&self->slowest_get, began);
    for (size_t i = 0; i < count; i++) {
        size_t len;
        uint64_t number = strtoull(nats_msg_data(batch[i], &len), NULL, 10);
        self->disorder += number <= self->last;
        self->last = number;
    }
    self->received += count;
    nats_msg_free_many(batch, count);
    return count;
}

static void put_echo(echo *self, double seconds)
{
    printf("done accepted=%" PRIu64 " refused=%" PRIu64 " received=%" PRIu64 " disorder=%" PRIu64
           " slowest_publish=%.3f slowest_flush=%.3f slowest_get=%.3f seconds=%.3f",
           self->accepted, self->refused, self->received, self->disorder, self->slowest_publish,
           self->slowest_flush, self->slowest_get, seconds);
    for (size_t i = 0; nats_stats_name(i) != NULL; i++) {
        const char *name = nats_stats_name(i);
        printf(" stat_%s=%" PRIu64, name, stat_of(self->client, name));
    }
    printf("\n");
}

static void echo_mode(const char *url)
{
    echo self = {.subject = word("subject", "echo"), .size = (size_t)number("size"),
                 .rate = number("rate"), .flush = number("flush")};
    self.data = calloc(1, self.size + 17);
    memset(self.data, ' ', self.size);
    must("connect", nats_connect(url, options, &self.client));
    self.sub = subscribe(self.client, self.subject, -1);
    tell("ready");
    double began = now();
    double flushed = began;
    self.began = began;
    while (!exists(word("until", NULL))) {
        publish_due(&self);
        while (take(&self, 0) == BATCH) {
        }
        if (self.flush > 0 && now() - flushed >= self.flush) {
            double start = now();
            nats_client_flush(self.client, FLUSH_MS);
            slower(&self.slowest_flush, start);
            flushed = now();
        }
        put_events(self.client);
        take(&self, TICK_MS);
    }
    double seconds = now() - began;
    echo going_on = self;
    double end = now() + PATIENCE_MS / 1000.0;
    while (nats_client_flush(self.client, PATIENCE_MS) != NATS_OK && now() < end) {
    }
    while (take(&self, SECOND_MS / 2) > 0) {
    }
    put_events(self.client);
    self.slowest_flush = going_on.slowest_flush;
    self.slowest_get = going_on.slowest_get;
    put_echo(&self, seconds);
    nats_sub_free(self.sub);
    nats_client_free(self.client);
    free(self.data);
}

/* ---- slow: one subscription is hardly read, another one is asked for its latency ---- */

typedef struct probes {
    double *took;
    size_t count;
} probes;

static void probe(nats_client *client, nats_sub *sub, probes *all)
{
    nats_msg *msg;
    double began = now();
    must("publish", nats_client_publish(client, nats_sub_subject(sub, NULL), NATS_Z, "?", 1));
    must("next", nats_sub_next(sub, PATIENCE_MS, &msg));
    if (msg == NULL || all->count == PROBES_MAX) {
        die("a probe");
    }
    all->took[all->count++] = now() - began;
    nats_msg_free(msg);
    must("next", nats_sub_next(sub, TICK_MS, &msg));
}

static int compare(const void *left, const void *right)
{
    double a = *(const double *)left;
    double b = *(const double *)right;
    return (a > b) - (a < b);
}

static double p99(probes *all)
{
    qsort(all->took, all->count, sizeof(double), compare);
    return all->count == 0 ? 0 : all->took[all->count * 99 / 100];
}

static void read_all(nats_sub *sub)
{
    nats_msg *batch[BATCH];
    size_t count = BATCH;
    while (count == BATCH) {
        must("get", nats_sub_get(sub, BATCH, 0, batch, &count));
        nats_msg_free_many(batch, count);
    }
}

static void slow_mode(const char *url)
{
    nats_client *client;
    must("connect", nats_connect(url, options, &client));
    nats_sub *slow = subscribe(client, word("subject", "flood"), (int64_t)number("limit"));
    nats_sub *quick = subscribe(client, word("probe", "probe"), -1);
    must("flush", nats_client_flush(client, PATIENCE_MS));
    probes read = {calloc(PROBES_MAX, sizeof(double)), 0};
    probes unread = {calloc(PROBES_MAX, sizeof(double)), 0};
    tell("ready");
    while (!exists(word("read_until", NULL))) {
        probe(client, quick, &read);
        read_all(slow);
    }
    put_events(client);
    tell("read");
    for (double next = now() + 1; !exists(word("until", NULL));) {
        probe(client, quick, &unread);
        put_events(client);
        if (now() >= next) {
            nats_msg *msg;
            must("next", nats_sub_next(slow, 0, &msg));
            nats_msg_free(msg);
            next += 1;
        }
    }
    tell("full");
    uint64_t stats[NATS_SUB_STAT_COUNT];
    must("flush", nats_client_flush(client, PATIENCE_MS));
    read_all(slow);
    put_events(client);
    nats_sub_stats(slow, stats, NATS_SUB_STAT_COUNT);
    printf("done delivered=%" PRIu64 " dropped=%" PRIu64 " pending=%" PRIu64 " received=%" PRIu64
           " probes_read=%zu probes_slow=%zu p99_read=%.6f p99_slow=%.6f\n",
           stats[NATS_SUB_STAT_DELIVERED], stats[NATS_SUB_STAT_DROPPED],
           stats[NATS_SUB_STAT_PENDING_MSGS], stats[NATS_SUB_STAT_RECEIVED], read.count,
           unread.count, p99(&read), p99(&unread));
    free(read.took);
    free(unread.took);
    nats_sub_free(slow);
    nats_sub_free(quick);
    nats_client_free(client);
}

/* ---- flood: what the slow ones get; C only ---- */

static void flood_mode(const char *url)
{
    nats_client *client;
    must("connect", nats_connect(url, options, &client));
    char *data = calloc(1, (size_t)number("size") + 1);
    uint64_t all = (uint64_t)number("count");
    double rate = number("rate");
    tell("ready");
    double began = now();
    for (uint64_t sent = 0; sent < all;) {
        double due = (now() - began) * rate;
        for (; (double)sent < due && sent < all; sent++) {
            must("publish", nats_client_publish(client, word("subject", "flood"), NATS_Z, data,
                                                (size_t)number("size")));
        }
        usleep(TICK_MS * 1000);
    }
    must("flush", nats_client_flush(client, PATIENCE_MS));
    printf("done sent=%" PRIu64 " seconds=%.3f\n", all, now() - began);
    free(data);
    nats_client_free(client);
}

/* ---- connects: to servers good and bad, again and again ---- */

static uint64_t connect_all(char **urls, size_t url_count, size_t from, size_t to)
{
    uint64_t good = 0;
    for (size_t i = from; i < to; i++) {
        nats_client *client;
        nats_status status = nats_connect(urls[i % url_count], options, &client);
        good += status == NATS_OK;
        if (status == NATS_OK) {
            must("flush", nats_client_flush(client, PATIENCE_MS));
            must("close", nats_client_close(client));
        }
        nats_client_free(client);
    }
    return good;
}

static void connects_mode(const char *url)
{
    enum { URLS_MAX = 16 };
    char *urls[URLS_MAX];
    size_t url_count = 0;
    char *list = strdup(url);
    for (char *at = strtok(list, "|"); at != NULL && url_count < URLS_MAX; at = strtok(NULL, "|")) {
        urls[url_count++] = at;
    }
    size_t warm = (size_t)number("warm");
    size_t count = (size_t)number("count");
    uint64_t good = connect_all(urls, url_count, 0, warm);
    tell("warm");
    good += connect_all(urls, url_count, warm, warm + count);
    tell("over");
    printf("done good=%" PRIu64 " bad=%" PRIu64 "\n", good, warm + count - good);
    free(list);
}

/* ---- rounds: whole sessions, while signals come ---- */

static void on_signal(int number)
{
    (void)number;
    signals_seen++;
}

/* A request that we answer ourselves. */
static void ask(nats_client *client, nats_sub *service)
{
    nats_future *future;
    nats_msg *msg;
    must("request", nats_client_request_start(client, nats_sub_subject(service, NULL), NATS_Z, NULL,
                                              "?", 1, PATIENCE_MS, &future));
    must("next", nats_sub_next(service, PATIENCE_MS, &msg));
    must("respond", nats_client_respond(client, msg, NULL, "!", 1));
    nats_msg_free(msg);
    must("wait", nats_future_wait(future, PATIENCE_MS, &msg));
    nats_msg_free(msg);
    nats_future_free(future);
}

static uint64_t play_round(const char *url)
{
    nats_client *client;
    uint64_t received = 0;
    must("connect", nats_connect(url, options, &client));
    nats_sub *sub = subscribe(client, word("subject", "round"), -1);
    nats_sub *service = subscribe(client, word("service", "service"), -1);
    for (int i = 0; i < ROUND_MSGS; i++) {
        must("publish", nats_client_publish(client, nats_sub_subject(sub, NULL), NATS_Z, "x", 1));
    }
    must("flush", nats_client_flush(client, PATIENCE_MS));
    for (nats_msg *msg = NULL; received < ROUND_MSGS; received++) {
        must("next", nats_sub_next(sub, PATIENCE_MS, &msg));
        if (msg == NULL) {
            break;
        }
        nats_msg_free(msg);
    }
    ask(client, service);
    nats_msg *none;
    must("next", nats_sub_next(sub, TICK_MS, &none));
    nats_sub_free(sub);
    nats_sub_free(service);
    must("close", nats_client_close(client));
    nats_client_free(client);
    return received;
}

static void rounds_mode(const char *url)
{
    if (number("alarm") > 0) {
        struct sigaction action = {.sa_handler = on_signal}; /* without SA_RESTART */
        sigaction(SIGALRM, &action, NULL);
    }
    tell("ready");
    uint64_t rounds = 0;
    uint64_t received = 0;
    while (!exists(word("until", NULL))) {
        received += play_round(url);
        rounds++;
    }
    tell("over");
    printf("done rounds=%" PRIu64 " received=%" PRIu64 " expected=%" PRIu64 " signals=%d\n", rounds,
           received, rounds * ROUND_MSGS, (int)signals_seen);
}

/* ---- idle: no call at all from "ready" until the harness answers ---- */

static void idle_mode(const char *url)
{
    static nats_msg *batch[BATCH];
    nats_client *client;
    uint64_t received = 0;
    size_t count;
    must("connect", nats_connect(url, options, &client));
    nats_sub *sub = subscribe(client, word("subject", ""), -1);
    must("flush", nats_client_flush(client, PATIENCE_MS));
    tell("ready");
    do {
        must("get", nats_sub_get(sub, BATCH, 0, batch, &count));
        for (size_t i = 0; i < count; i++) {
            size_t len;
            const char *data = nats_msg_data(batch[i], &len);
            printf("event got %.*s\n", (int)len, data);
        }
        nats_msg_free_many(batch, count);
        received += count;
    } while (count > 0);
    put_events(client);
    printf("done received=%" PRIu64 "\n", received);
    nats_sub_free(sub);
    nats_client_free(client);
}

int main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*run)(const char *url);
    } modes[] = {{"echo", echo_mode},
                 {"idle", idle_mode},
                 {"slow", slow_mode},
                 {"flood", flood_mode},
                 {"connects", connects_mode},
                 {"rounds", rounds_mode},
                 {"store", store_mode},
                 {"work", work_mode}};
    if (argc < 3) {
        fprintf(stderr, "worker MODE URL [key=value | +option=value]…: see README.md\n");
        return 2;
    }
    words = argv + 3;
    setvbuf(stdout, NULL, _IOLBF, 0);
    take_options();
    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(modes[i].name, argv[1]) == 0) {
            modes[i].run(argv[2]);
            nats_options_free(options);
            return 0;
        }
    }
    die(argv[1]);
}
