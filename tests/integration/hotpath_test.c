/* Counts what the hot paths cost besides computing: allocations of this process, all threads, by functions of our
 * own in the place of malloc and its kin. tests/integration/hotpath.sh runs it, also under strace to count system
 * calls.
 *
 *     hotpath_test                    run hotpath.sh of the working directory with this program
 *     hotpath_test WORK URL MSGS      WORK: publish, receive, receive-alone, request, js-publish, js-consume;
 *                                     or serve, which feeds them; stop ends it
 *
 * Exit status 0: within the limits; OVER_LIMIT: not; 1: something failed. */
#include <errno.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <polynats.h>

#include "../sanitized.h"

#if SANITIZED

int main(void)
{
    puts("hotpath: skipped: sanitizers have an allocator of their own, and allocate on every path");
    return 0;
}

#else

enum {
    OVER_LIMIT = 3,
    BATCH = 1000,
    PAYLOAD = 128,
    WAIT_MS = 30000,
    WARM_SHARE = 10,         /* a tenth of the messages goes first, uncounted: buffers grow to their size */
    SERVE_TRIES = 500,       /* requests to a helper that is not there yet, */
    SERVE_GAP_MS = 10,       /* so long apart */
    RECEIVE_ALLOCATIONS = 32, /* a burst may need one more chunk with its slabs; a message needs nothing */
    KEEPER_ALLOCATIONS = 256, /* while the machine holds this program up, its keeper reads some chunks ahead */
    JS_WINDOW = 1000,
    JS_PULL = 500,
    ACK_SINGLE = 2 /* of so many messages one is acknowledged alone, the others together */
};

#define ALONE "receive-alone" /* without a keeper: nobody reads but get() */
#define GO "hot.go"
#define ECHO "hot.echo"
#define STREAM "hot.stream"
#define STOP "hot.stop"
#define STORED "hot.stored" /* a stream takes it */

/* ---- counting: glibc's own functions under their other names ---- */

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *memory);

static atomic_uint_fast64_t allocations;

static void counted(void)
{
    atomic_fetch_add_explicit(&allocations, 1, memory_order_relaxed);
}

void *malloc(size_t size)
{
    counted();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    counted();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size)
{
    counted();
    return __libc_realloc(memory, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    counted();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **memory_out, size_t alignment, size_t size)
{
    counted();
    *memory_out = __libc_memalign(alignment, size);
    return *memory_out != NULL ? 0 : ENOMEM;
}

void free(void *memory)
{
    __libc_free(memory);
}

/* ---- helpers ---- */

static _Noreturn void die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, nats_last_error(NULL));
    exit(1);
}

static void check(nats_status status, const char *what)
{
    if (status != NATS_OK) {
        die(what);
    }
}

static bool within(const char *work, uint64_t count, uint64_t msgs, uint64_t limit)
{
    printf("%s: %" PRIu64 " allocations for %" PRIu64 " messages (at most %" PRIu64 ")\n", work,
           count, msgs, limit);
    return count <= limit;
}

/* The hook itself must work, or nothing that it says counts. */
static void check_hook(void)
{
    uint64_t before = allocations;
    void *volatile memory = malloc(1);
    free(memory);
    if (allocations != before + 1) {
        fputs("the allocation hook is not in place\n", stderr);
        exit(1);
    }
}

static nats_client *open_client(const char *url, bool keeper)
{
    nats_options *options;
    nats_client *client;
    check(nats_options_new(&options), "options");
    check(nats_options_set_int(options, "pending_msgs", -1), "pending_msgs");
    check(nats_options_set_int(options, "pending_bytes", -1), "pending_bytes");
    check(nats_options_set_bool(options, "keeper", keeper), "keeper");
    check(nats_connect(url, options, &client), "connect");
    nats_options_free(options);
    return client;
}

/* Ask the helper to begin; it may not have subscribed yet. */
static void ask(nats_client *client, const char *subject, const char *text)
{
    for (int i = 0; i < SERVE_TRIES; i++) {
        nats_msg *reply;
        nats_status status = nats_client_request(client, subject, NATS_Z, NULL, text, strlen(text),
                                                 WAIT_MS, &reply);
        if (status == NATS_OK) {
            nats_msg_free(reply);
            return;
        }
        if (status != NATS_ERR_NO_RESPONDERS) {
            die(subject);
        }
        nats_event *event; /* a pause without a function of the system's own */
        check(nats_client_next_event(client, SERVE_GAP_MS, &event), "next_event");
        nats_event_free(event);
    }
    fputs("the helper did not come\n", stderr);
    exit(1);
}

/* ---- publish ---- */

static void publish_some(nats_client *client, uint64_t msgs)
{
    static const char data[PAYLOAD];
    for (uint64_t i = 0; i < msgs; i++) {
        check(nats_client_publish(client, "hot.pub", 7, data, sizeof(data)), "publish");
    }
}

static bool publish(nats_client *client, uint64_t msgs)
{
    publish_some(client, msgs / WARM_SHARE);
    check(nats_client_flush(client, WAIT_MS), "flush");
    uint64_t before = allocations;
    publish_some(client, msgs);
    uint64_t count = allocations - before;
    check(nats_client_flush(client, WAIT_MS), "flush");
    return within("publish", count, msgs, 0);
}

/* ---- receive ---- */

static void receive_some(nats_client *client, uint64_t msgs)
{
    nats_msg *batch[BATCH];
    uint64_t taken = 0;
    while (taken < msgs) {
        size_t room = msgs - taken < BATCH ? (size_t)(msgs - taken) : BATCH;
        size_t count;
        check(nats_client_get(client, room, WAIT_MS, batch, &count), "get");
        if (count == 0) {
            fprintf(stderr, "only %" PRIu64 " of %" PRIu64 " messages came\n", taken, msgs);
            exit(1);
        }
        nats_msg_free_many(batch, count);
        taken += count;
    }
}

static bool receive(nats_client *client, const char *work, uint64_t msgs, uint64_t limit)
{
    check(nats_client_subscribe(client, STREAM, NATS_Z, NULL, 0, 0, NULL), "subscribe");
    char text[24];
    snprintf(text, sizeof(text), "%" PRIu64, msgs / WARM_SHARE + msgs);
    ask(client, GO, text);
    receive_some(client, msgs / WARM_SHARE);
    uint64_t before = allocations;
    receive_some(client, msgs);
    return within(work, allocations - before, msgs, limit);
}

/* ---- request ---- */

static void request_some(nats_client *client, uint64_t msgs)
{
    static const char data[PAYLOAD];
    for (uint64_t i = 0; i < msgs; i++) {
        nats_msg *reply;
        check(nats_client_request(client, ECHO, sizeof(ECHO) - 1, NULL, data, sizeof(data), WAIT_MS,
                                  &reply),
              "request");
        nats_msg_free(reply);
    }
}

static bool request(nats_client *client, uint64_t msgs)
{
    ask(client, ECHO, "");
    request_some(client, msgs / WARM_SHARE);
    uint64_t before = allocations;
    request_some(client, msgs);
    return within("request", allocations - before, msgs, 0);
}

/* ---- JetStream: acks of a publisher; messages of a consumer, their places, and their acks ---- */

static nats_js *open_stream(nats_client *client)
{
    nats_js *js;
    check(nats_client_jetstream(client, NULL, NULL, WAIT_MS, &js), "jetstream");
    check(nats_js_call(js, "create_stream",
                       "{\"config\":{\"name\":\"HOT\",\"subjects\":[\"" STORED "\"],"
                       "\"storage\":\"memory\"}}",
                       NATS_Z, -1, NULL),
          "create_stream");
    return js;
}

static void close_stream(nats_js *js)
{
    check(nats_js_call(js, "delete_stream", "{\"stream\":\"HOT\"}", NATS_Z, -1, NULL),
          "delete_stream");
    nats_js_free(js);
}

static void store_some(nats_js_publisher *publisher, uint64_t msgs)
{
    static const char data[PAYLOAD];
    for (uint64_t i = 0; i < msgs; i++) {
        check(nats_js_publisher_publish(publisher, STORED, sizeof(STORED) - 1, NULL, data,
                                        sizeof(data), NULL),
              "js publish");
    }
    check(nats_js_publisher_flush(publisher, WAIT_MS), "js flush");
}

static uint64_t store(nats_js *js, uint64_t msgs)
{
    nats_js_publisher *publisher;
    check(nats_js_publisher_new(js, JS_WINDOW, &publisher), "publisher");
    store_some(publisher, msgs / WARM_SHARE);
    uint64_t before = allocations;
    store_some(publisher, msgs);
    uint64_t count = allocations - before;
    nats_js_publisher_free(publisher);
    return count;
}

static bool js_publish(nats_client *client, const char *work, uint64_t msgs)
{
    nats_js *js = open_stream(client);
    uint64_t count = store(js, msgs);
    close_stream(js);
    return within(work, count, msgs, KEEPER_ALLOCATIONS);
}

/* Every message's place is read, and it is acknowledged. */
static void consume_some(nats_client *client, nats_sub *sub, uint64_t msgs, uint64_t *seq)
{
    nats_msg *batch[BATCH];
    for (uint64_t taken = 0; taken < msgs;) {
        size_t room = msgs - taken < BATCH ? (size_t)(msgs - taken) : BATCH;
        size_t count;
        size_t acked;
        check(nats_sub_get(sub, room, WAIT_MS, batch, &count), "js get");
        for (size_t i = 0; i < count; i++) {
            uint64_t place[NATS_JS_UINT_COUNT];
            size_t len;
            *seq += 1;
            if (nats_msg_js_uints(batch[i], place) != 1 || place[NATS_JS_STREAM_SEQ] != *seq ||
                nats_msg_js_text(batch[i], NATS_JS_CONSUMER, &len) == NULL) {
                die("place");
            }
            if (i % ACK_SINGLE == 0) {
                check(nats_client_ack(client, batch[i], NATS_ACK, 0, NULL, 0), "ack");
            }
        }
        check(nats_client_ack_many(client, batch, count, &acked), "ack_many");
        if (count == 0 || acked != count / ACK_SINGLE) {
            fprintf(stderr, "%zu of %zu messages were acknowledged together\n", acked, count);
            exit(1);
        }
        nats_msg_free_many(batch, count);
        taken += count;
    }
}

static bool js_consume(nats_client *client, const char *work, uint64_t msgs)
{
    nats_js *js = open_stream(client);
    nats_sub *sub;
    uint64_t seq = 0;
    char how[128];
    store(js, msgs);
    check(nats_js_call(js, "create_consumer",
                       "{\"stream\":\"HOT\",\"config\":{\"durable_name\":\"hot\","
                       "\"max_ack_pending\":10000}}",
                       NATS_Z, -1, NULL),
          "create_consumer");
    snprintf(how, sizeof(how), "{\"stream\":\"HOT\",\"consumer\":\"hot\",\"max_messages\":%d}",
             JS_PULL);
    check(nats_js_consume(js, "consume", how, NATS_Z, -1, &sub), "consume");
    consume_some(client, sub, msgs / WARM_SHARE, &seq);
    uint64_t before = allocations;
    consume_some(client, sub, msgs, &seq);
    uint64_t count = allocations - before;
    check(nats_sub_unsubscribe(sub, 0), "unsubscribe");
    nats_sub_free(sub);
    close_stream(js);
    return within(work, count, msgs, KEEPER_ALLOCATIONS);
}

/* ---- the helper: a process of its own, so that nothing of it is counted ---- */

static void stream(nats_client *client, const nats_msg *msg)
{
    static const char data[PAYLOAD];
    uint64_t msgs = strtoull(nats_msg_data(msg, NULL), NULL, 10);
    for (uint64_t i = 0; i < msgs; i++) {
        check(nats_client_publish(client, STREAM, sizeof(STREAM) - 1, data, sizeof(data)),
              "stream");
    }
}

/* Answers one message. False when it was the last. */
static bool serve_one(nats_client *client, const nats_msg *msg)
{
    size_t len;
    const void *data = nats_msg_data(msg, &len);
    const char *subject = nats_msg_subject(msg, NULL);
    check(nats_client_respond(client, msg, NULL, data, len), "respond");
    if (strcmp(subject, GO) == 0) {
        stream(client, msg);
    }
    return strcmp(subject, STOP) != 0;
}

static bool serve(nats_client *client)
{
    static const char *const subjects[] = {GO, ECHO, STOP};
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++) {
        check(nats_client_subscribe(client, subjects[i], NATS_Z, NULL, 0, 0, NULL), "subscribe");
    }
    bool more = true;
    while (more) {
        nats_msg *msg;
        size_t count;
        check(nats_client_get(client, 1, WAIT_MS, &msg, &count), "get");
        if (count == 0) {
            fputs("serve: nobody asked\n", stderr);
            return false;
        }
        more = serve_one(client, msg);
        nats_msg_free(msg);
    }
    check(nats_client_flush(client, WAIT_MS), "flush");
    return true;
}

static bool stop(nats_client *client)
{
    ask(client, STOP, "");
    return true;
}

static bool run(nats_client *client, const char *work, uint64_t msgs)
{
    if (strcmp(work, "publish") == 0) {
        return publish(client, msgs);
    }
    if (strcmp(work, "receive") == 0) {
        return receive(client, work, msgs, KEEPER_ALLOCATIONS);
    }
    if (strcmp(work, ALONE) == 0) {
        return receive(client, work, msgs, RECEIVE_ALLOCATIONS);
    }
    if (strcmp(work, "request") == 0) {
        return request(client, msgs);
    }
    if (strcmp(work, "js-publish") == 0) {
        return js_publish(client, work, msgs);
    }
    if (strcmp(work, "js-consume") == 0) {
        return js_consume(client, work, msgs);
    }
    if (strcmp(work, "serve") == 0) {
        return serve(client);
    }
    if (strcmp(work, "stop") == 0) {
        return stop(client);
    }
    fprintf(stderr, "unknown work: %s\n", work);
    return false;
}

/* The script starts a server and comes back to this program with arguments. */
static int run_script(void)
{
    char self[4096];
    ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
    if (len < 0) {
        perror("/proc/self/exe");
        return 1;
    }
    self[len] = '\0';
    execl("./hotpath.sh", "hotpath.sh", self, (char *)NULL);
    perror("./hotpath.sh");
    return 1;
}

int main(int argc, char **argv)
{
    if (argc == 1) {
        return run_script();
    }
    if (argc != 4) {
        fputs("usage: hotpath_test publish|receive|receive-alone|request|js-publish|js-consume|"
              "serve|stop URL MSGS\n",
              stderr);
        return 2;
    }
    check_hook();
    nats_client *client = open_client(argv[2], strcmp(argv[1], ALONE) != 0);
    bool good = run(client, argv[1], strtoull(argv[3], NULL, 10));
    nats_client_free(client);
    return good ? 0 : OVER_LIMIT;
}

#endif
