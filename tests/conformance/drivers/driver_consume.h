/* The part of the C driver that consumes from JetStream and acknowledges. It is included once, by
 * driver.c, behind driver_publish.h. */
#ifndef CONFORMANCE_DRIVER_CONSUME_H
#define CONFORMANCE_DRIVER_CONSUME_H

#include "driver_publish.h"

enum { ACK_MANY_MAX = 1024 };

static void do_js_consume(driver *d)
{
    nats_sub *made;
    text arguments = word(d, 3);
    nats_status status = nats_js_consume(js(d, 0), word(d, 2).at, arguments.at, arguments.len,
                                         number(d, "timeout_ms", -1), &made);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), SUB, made);
    }
    done(status);
}

static void do_js_consume_start(driver *d)
{
    nats_sub *made;
    nats_future *future;
    text arguments = word(d, 4);
    nats_status status =
        nats_js_consume_start(js(d, 0), word(d, 3).at, arguments.at, arguments.len,
                              number(d, "timeout_ms", -1), &made, &future);
    if (status == NATS_OK) {
        keep(d, raw_word(d, 1), SUB, made);
        keep(d, raw_word(d, 2), FUTURE, future);
    }
    done(status);
}

/* ok, without the consumer's info that came; of a fetch too, which has none. */
static void do_js_consume_wait(driver *d)
{
    nats_msg *info = NULL;
    done(nats_future_wait(find(d, 0, FUTURE)->object, number(d, "wait_ms", -1), &info));
    nats_msg_free(info);
}

static int32_t how_of(const char *name)
{
    static const char *const names[] = {"", "ack", "nak", "in_progress", "term"};
    for (int32_t how = NATS_ACK; how <= NATS_TERM; how++) {
        if (strcmp(name, names[how]) == 0) {
            return how;
        }
    }
    return 0;
}

static void do_msg_ack(driver *d)
{
    text reason = decode(option(d, "reason"));
    done(nats_client_ack(client(d), find(d, 1, MSG)->object, how_of(raw_word(d, 2)),
                            number(d, "delay_ms", 0), reason.at, reason.len));
}

static void do_ack_sync(driver *d)
{
    done(nats_client_ack_sync(client(d), find(d, 1, MSG)->object,
                                 number(d, "timeout_ms", -1)));
}

static void do_ack_many(driver *d)
{
    nats_msg *batch[ACK_MANY_MAX];
    size_t count = 0;
    size_t acked;
    while (count + 2 < d->word_count && count < ACK_MANY_MAX) {
        batch[count] = find(d, count + 1, MSG)->object;
        count++;
    }
    if (!failed(nats_client_ack_many(client(d), batch, count, &acked))) {
        printf("ok %zu\n", acked);
    }
}

/* The fields of a message's place that the case names; none when it has none. */
static void do_msg_meta(driver *d)
{
    static const char *const numbers[] = {"stream_seq", "consumer_seq", "delivered", "pending",
                                          "time_ns"};
    static const char *const texts[] = {"stream", "consumer", "domain"};
    const nats_msg *msg = find(d, 0, MSG)->object;
    uint64_t values[NATS_JS_UINT_COUNT];
    if (nats_msg_js_uints(msg, values) == 0) {
        puts("none");
        return;
    }
    fputs("ok", stdout);
    for (size_t i = 2; i < d->word_count; i++) {
        for (size_t at = 0; at < NATS_JS_UINT_COUNT; at++) {
            if (strcmp(d->words[i], numbers[at]) == 0) {
                printf(" %llu", (unsigned long long)values[at]);
            }
        }
        for (int32_t at = 0; at <= NATS_JS_DOMAIN - NATS_JS_STREAM; at++) {
            if (strcmp(d->words[i], texts[at]) == 0) {
                size_t len;
                const char *text = nats_msg_js_text(msg, NATS_JS_STREAM + at, &len);
                put(text, len);
            }
        }
    }
    putchar('\n');
}

/* Of the last error: the server's err_code, and its code. */
static void do_errcodes(driver *d)
{
    (void)d;
    printf("ok %d %d\n", nats_last_err_code(), nats_last_code());
}

/* Its own words. */
static void do_errdescription(driver *d)
{
    (void)d;
    fputs("ok", stdout);
    put_text(nats_last_description());
    putchar('\n');
}

#define CONSUME_VERBS                                                                        \
    VERB(js_consume) VERB(js_consume_start) VERB(js_consume_wait) VERB(msg_ack)              \
    VERB(ack_sync) VERB(ack_many) VERB(msg_meta) VERB(errcodes)            \
    VERB(errdescription)

#endif
