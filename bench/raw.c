/* The raw socket loop: the least work that does the job, and so the limit for every client. One thread, blocking
 * calls, no checks, nothing kept. */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "raw_js.h"
#include "wire.h"

enum { BLOCK = 64 * 1024 }; /* bytes of a write: the size of the server's own read buffer */

static void open_wire(wire *w, const bench_args *args)
{
    wire_open(w, args->host, args->port, args->over);
}

static void subscribe(wire *w, const char *subject, int sid)
{
    wire_printf(w, "SUB %s %d\r\n", subject, sid);
    wire_flush(w);
}

/* ---- publish ---- */

/* What all messages of a run begin with. */
typedef struct head {
    char text[WIRE_LINE_MAX];
    size_t len;
} head;

static void make_head(head *h, const bench_args *args, const char *reply)
{
    int len = snprintf(h->text, sizeof(h->text), "PUB %s %s%zu\r\n", args->subject, reply,
                       args->size);
    if (len < 0 || (size_t)len >= sizeof(h->text)) {
        bench_die("--subject is too long");
    }
    h->len = (size_t)len;
}

/* A client has to put line and payload of each message into its buffer: so do we, though the line is made once. */
static size_t encode(char *out, const head *h, const uint8_t *payload, size_t size)
{
    memcpy(out, h->text, h->len);
    memcpy(out + h->len, payload, size);
    memcpy(out + h->len + size, "\r\n", 2);
    return h->len + size + 2;
}

static void publish(const bench_args *args)
{
    wire w;
    open_wire(&w, args);
    uint8_t *payload = bench_payload(args->size);
    head h;
    make_head(&h, args, "");
    char *block = bench_alloc(BLOCK + WIRE_LINE_MAX + args->size);
    size_t len = 0;

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        len += encode(block + len, &h, payload, args->size);
        if (len >= BLOCK) {
            wire_send(&w, block, len);
            len = 0;
        }
    }
    wire_send(&w, block, len);
    wire_flush(&w);
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    free(block);
    free(payload);
    wire_close(&w);
}

/* ---- receive ---- */

static void check_bytes(const bench_args *args, uint64_t msgs, uint64_t bytes)
{
    if (msgs != args->msgs || bytes != msgs * args->size) {
        bench_die("%" PRIu64 " messages with %" PRIu64 " bytes came instead of %" PRIu64, msgs,
                  bytes, args->msgs);
    }
}

static void receive(const bench_args *args)
{
    wire w;
    open_wire(&w, args);
    subscribe(&w, args->subject, 1);
    bench_ready();

    int64_t cpu_ns = bench_cpu_ns();
    wire_count(&w);
    bench_watch start = {.wall_ns = bench_now_ns(), .cpu_ns = cpu_ns};
    while (w.msgs < args->msgs) {
        wire_count(&w);
    }
    bench_watch took = bench_stop(&start);

    check_bytes(args, w.msgs, w.bytes);
    bench_print_rate(args, &took);
    wire_close(&w);
}

/* ---- request and respond ---- */

static void request(const bench_args *args)
{
    wire w;
    open_wire(&w, args);
    subscribe(&w, "_INBOX.raw", 1);
    uint8_t *payload = bench_payload(args->size);
    char *block = bench_alloc(WIRE_LINE_MAX + args->size);
    bench_samples samples;
    bench_samples_init(&samples);
    head h;
    make_head(&h, args, "_INBOX.raw ");
    size_t len = encode(block, &h, payload, args->size);

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs + BENCH_WARMUP; i++) {
        if (i == BENCH_WARMUP) {
            start = bench_start();
        }
        int64_t began_ns = bench_now_ns();
        wire_send(&w, block, len);
        wire_msg reply;
        wire_next(&w, &reply);
        if (i >= BENCH_WARMUP) {
            bench_samples_add(&samples, bench_now_ns() - began_ns);
        }
        if (reply.data_len != args->size) {
            bench_die("a reply has %zu bytes", reply.data_len);
        }
    }
    bench_watch took = bench_stop(&start);

    bench_print_times(args, &took, &samples);
    free(block);
    free(payload);
    wire_close(&w);
}

static void respond(const bench_args *args)
{
    wire w;
    open_wire(&w, args);
    subscribe(&w, args->subject, 1);
    char *block = bench_alloc(WIRE_LINE_MAX + args->size);
    bench_ready();

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs + BENCH_WARMUP; i++) {
        wire_msg msg;
        wire_next(&w, &msg);
        if (msg.reply == NULL || msg.data_len > args->size) {
            bench_die("a message came that is no request of the bench");
        }
        int len = snprintf(block, WIRE_LINE_MAX, "PUB %.*s %zu\r\n", (int)msg.reply_len, msg.reply,
                            msg.data_len);
        memcpy(block + len, msg.data, msg.data_len);
        memcpy(block + (size_t)len + msg.data_len, "\r\n", 2);
        wire_send(&w, block, (size_t)len + msg.data_len + 2);
    }
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    free(block);
    wire_close(&w);
}

/* ---- lone messages ---- */

typedef struct lone {
    const bench_args *args;
    wire in;
    bench_samples samples;
} lone;

static void *lone_receive(void *what)
{
    lone *l = what;
    for (uint64_t i = 0; i < l->args->msgs; i++) {
        wire_msg msg;
        wire_next(&l->in, &msg);
        int64_t sent_ns;
        memcpy(&sent_ns, msg.data, sizeof(sent_ns));
        bench_samples_add(&l->samples, bench_now_ns() - sent_ns);
    }
    return NULL;
}

static void lone_publish(const bench_args *args)
{
    if (args->size < sizeof(int64_t)) {
        bench_die("--size: at least %zu for lone", sizeof(int64_t));
    }
    lone l = {.args = args};
    bench_samples_init(&l.samples);
    wire out;
    open_wire(&l.in, args);
    open_wire(&out, args);
    subscribe(&l.in, args->subject, 1);
    uint8_t *payload = bench_payload(args->size);
    head h;
    make_head(&h, args, "");
    char *block = bench_alloc(WIRE_LINE_MAX + args->size);
    pthread_t thread;
    if (pthread_create(&thread, NULL, lone_receive, &l) != 0) {
        bench_die("no thread");
    }

    bench_watch start = bench_start();
    for (uint64_t i = 0; i < args->msgs; i++) {
        bench_sleep_ns(BENCH_LONE_GAP_NS);
        int64_t now_ns = bench_now_ns();
        memcpy(payload, &now_ns, sizeof(now_ns));
        wire_send(&out, block, encode(block, &h, payload, args->size));
    }
    pthread_join(thread, NULL);
    bench_watch took = bench_stop(&start);

    bench_print_times(args, &took, &l.samples);
    free(block);
    free(payload);
    wire_close(&out);
    wire_close(&l.in);
}

int main(int argc, char **argv)
{
    static const bench_work works[] = {{"pub", publish},     {"sub", receive},
                                       {"req", request},     {"respond", respond},
                                       {"lone", lone_publish}, {"js-pub", raw_js_pub},
                                       {"js-fetch", raw_js_fetch},
                                       {"js-consume", raw_js_consume},
                                       {"js-ordered", raw_js_ordered}, {NULL, NULL}};
    return bench_main(argc, argv, "raw", works);
}
