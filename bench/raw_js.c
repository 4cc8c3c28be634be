#include "raw_js.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire.h"

#define INBOX "_INBOX.raw"

enum { BLOCK = 64 * 1024, BODY_MAX = 512 };

/* ---- the API ---- */

static void open_wire(wire *w, const bench_args *args)
{
    wire_open(w, args->host, args->port, args->over);
    wire_printf(w, "SUB " INBOX " 1\r\n");
    wire_flush(w);
}

/* Asks, and waits for the answer. must: it is to be a good one. */
static void ask(wire *w, const char *verb, const char *name, const char *body, bool must)
{
    wire_msg answer;
    wire_printf(w, "PUB $JS.API.%s.%s " INBOX " %zu\r\n%s\r\n", verb, name, strlen(body), body);
    wire_next(w, &answer);
    answer.data[answer.data_len] = '\0'; /* over the CR behind it */
    if (must && strstr(answer.data, "\"error\"") != NULL) {
        bench_die("%s: %s", verb, answer.data);
    }
}

static void make_stream(wire *w, const bench_args *args)
{
    char body[BODY_MAX];
    snprintf(body, sizeof(body), "{\"name\":\"BENCH\",\"subjects\":[\"%s\"],\"storage\":\"%s\"}",
             args->subject, args->storage);
    ask(w, "STREAM.DELETE", "BENCH", "", false);
    ask(w, "STREAM.CREATE", "BENCH", body, true);
}

static void make_consumer(wire *w, const bench_args *args, const char *policy)
{
    char name[BODY_MAX];
    char body[BODY_MAX];
    snprintf(name, sizeof(name), "FILLED_%s.bench", args->storage);
    snprintf(body, sizeof(body),
             "{\"stream_name\":\"FILLED_%s\",\"config\":{\"durable_name\":\"bench\","
             "\"ack_policy\":\"%s\",\"max_ack_pending\":%d,\"num_replicas\":1%s}}",
             args->storage, policy, strcmp(policy, "none") == 0 ? 0 : BENCH_ACKS,
             strcmp(policy, "none") == 0 ? ",\"mem_storage\":true" : "");
    ask(w, "CONSUMER.DELETE", name, "", false);
    ask(w, "CONSUMER.DURABLE.CREATE", name, body, true);
}

static void delete_consumer(wire *w, const bench_args *args)
{
    char name[BODY_MAX];
    snprintf(name, sizeof(name), "FILLED_%s.bench", args->storage);
    wire_printf(w, "PUB $JS.API.CONSUMER.DELETE.%s 0\r\n\r\n", name);
    wire_flush(w);
}

/* ---- publish ---- */

/* One head for all messages, and one inbox for all acks, which are counted and not looked at. */
void raw_js_pub(const bench_args *args)
{
    wire w;
    open_wire(&w, args);
    make_stream(&w, args);
    uint8_t *payload = bench_payload(args->size);
    char *block = bench_alloc(BLOCK + WIRE_LINE_MAX + args->size);
    char head[WIRE_LINE_MAX];
    size_t head_len = (size_t)snprintf(head, sizeof(head), "PUB %s " INBOX " %zu\r\n",
                                       args->subject, args->size);
    size_t len = 0;
    uint64_t sent = 0;

    bench_watch start = bench_start();
    while (w.msgs < args->msgs) {
        while (sent < args->msgs && sent - w.msgs < BENCH_WINDOW && len < BLOCK) {
            memcpy(block + len, head, head_len);
            memcpy(block + len + head_len, payload, args->size);
            memcpy(block + len + head_len + args->size, "\r\n", 2);
            len += head_len + args->size + 2;
            sent++;
        }
        wire_send(&w, block, len);
        len = 0;
        if (sent == args->msgs || sent - w.msgs >= BENCH_WINDOW) {
            wire_count(&w);
        }
    }
    bench_watch took = bench_stop(&start);

    bench_print_rate(args, &took);
    wire_printf(&w, "PUB $JS.API.STREAM.DELETE.BENCH 0\r\n\r\n");
    wire_flush(&w);
    free(block);
    free(payload);
    wire_close(&w);
}

/* ---- consume ---- */

typedef struct puller {
    const bench_args *args;
    wire w;
    char *block; /* acks, and requests for more */
    size_t len;
    uint64_t msgs;
    uint64_t bytes;
} puller;

static void send_block(puller *p)
{
    wire_send(&p->w, p->block, p->len);
    p->len = 0;
}

static void pull(puller *p, uint64_t count)
{
    char body[64];
    int len = snprintf(body, sizeof(body), "{\"batch\":%" PRIu64 ",\"expires\":30000000000}",
                       count);
    p->len += (size_t)snprintf(p->block + p->len, WIRE_LINE_MAX,
                               "PUB $JS.API.CONSUMER.MSG.NEXT.FILLED_%s.bench " INBOX " %d\r\n"
                               "%s\r\n",
                               p->args->storage, len, body);
}

static void ack(puller *p, const wire_msg *msg, bool last)
{
    static const char tail[] = " 4\r\n+ACK\r\n";
    char *out = p->block + p->len;
    memcpy(out, "PUB ", 4);
    memcpy(out + 4, msg->reply, msg->reply_len);
    size_t len = 4 + msg->reply_len;
    if (last) { /* a double ack: its answer comes when those before it are in */
        memcpy(out + len, " " INBOX, sizeof(" " INBOX) - 1);
        len += sizeof(" " INBOX) - 1;
    }
    memcpy(out + len, tail, sizeof(tail) - 1);
    p->len += len + sizeof(tail) - 1;
}

/* Takes one message and acknowledges it, with others as long as they are here already. */
static void take(puller *p)
{
    wire_msg msg;
    size_t before = wire_left(&p->w);
    wire_next(&p->w, &msg);
    if (msg.reply == NULL) {
        bench_die("instead of a message: %.*s", (int)msg.data_len, msg.data);
    }
    p->msgs++;
    p->bytes += msg.data_len;
    ack(p, &msg, p->msgs == p->args->msgs);
    size_t left = wire_left(&p->w);
    if (p->len >= BLOCK || left > before || left < msg.data_len + 2 * msg.reply_len) {
        send_block(p);
    }
}

static void open_puller(puller *p, const bench_args *args)
{
    memset(p, 0, sizeof(*p));
    p->args = args;
    p->block = bench_alloc(BLOCK + 4 * WIRE_LINE_MAX);
    open_wire(&p->w, args);
    make_consumer(&p->w, args, "explicit");
}

static void close_puller(puller *p, const bench_watch *took)
{
    if (p->msgs != p->args->msgs || p->bytes != p->msgs * p->args->size) {
        bench_die("%" PRIu64 " messages with %" PRIu64 " bytes came", p->msgs, p->bytes);
    }
    delete_consumer(&p->w, p->args);
    bench_print_rate(p->args, took);
    free(p->block);
    wire_close(&p->w);
}

/* share: of BENCH_PULL, when so much has come that much is asked for again. */
static void consume(const bench_args *args, uint64_t share)
{
    puller p;
    wire_msg answer;
    open_puller(&p, args);

    bench_watch start = bench_start();
    pull(&p, BENCH_PULL);
    send_block(&p);
    while (p.msgs < args->msgs) {
        take(&p);
        if (p.msgs % share == 0 && p.msgs + BENCH_PULL - share < args->msgs) {
            pull(&p, share);
            send_block(&p);
        }
    }
    send_block(&p);
    do { /* messages that were asked for too many, with reply subjects */
        wire_next(&p.w, &answer);
    } while (answer.reply != NULL);
    bench_watch took = bench_stop(&start);

    close_puller(&p, &took);
}

void raw_js_fetch(const bench_args *args)
{
    consume(args, BENCH_PULL);
}

void raw_js_consume(const bench_args *args)
{
    consume(args, BENCH_PULL / 2);
}

/* One request for all: nobody asks for more. */
void raw_js_ordered(const bench_args *args)
{
    puller p = {.args = args, .block = bench_alloc(BLOCK + WIRE_LINE_MAX)};
    open_wire(&p.w, args);
    make_consumer(&p.w, args, "none");

    bench_watch start = bench_start();
    pull(&p, args->msgs);
    send_block(&p);
    p.w.msgs = 0;
    p.w.bytes = 0;
    while (p.w.msgs < args->msgs) {
        wire_count(&p.w);
    }
    bench_watch took = bench_stop(&start);

    p.msgs = p.w.msgs;
    p.bytes = p.w.bytes;
    close_puller(&p, &took);
}
