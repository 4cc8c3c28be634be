/* So many messages through a stream, in C: README.md has what it does and prints. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <polynats.h>

enum { CHUNK = 1000, PULL = 500, WAIT_MS = 60000, SIZE = 128 };

#define STREAM "{\"stream\":\"MILLION\"}"
#define READER "{\"stream\":\"MILLION\",\"consumer\":\"reader\"}"

static uint64_t count;

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

static void tell(const char *what, uint64_t done, uint64_t more)
{
    uint64_t step = count / 10;
    if (done / step != (done - more) / step) {
        printf("%s %" PRIu64 "\n", what, done);
        fflush(stdout);
    }
}

static void publish(nats_js *js)
{
    nats_js_publisher *publisher;
    uint64_t stats[NATS_PUBLISHER_STAT_COUNT];
    char data[SIZE + 1];
    check(nats_js_publisher_new(js, 0, &publisher), "publisher");
    for (uint64_t number = 1; number <= count; number++) {
        snprintf(data, sizeof(data), "%0128" PRIu64, number);
        check(nats_js_publisher_publish(publisher, "million", 7, NULL, data, SIZE, NULL),
              "publish");
        tell("published", number, 1);
    }
    check(nats_js_publisher_flush(publisher, WAIT_MS), "flush");
    nats_js_publisher_stats(publisher, stats, NATS_PUBLISHER_STAT_COUNT);
    if (stats[NATS_PUBLISHER_ACKED] != count || stats[NATS_PUBLISHER_DUPLICATES] != 0) {
        die("stats");
    }
    nats_js_publisher_free(publisher);
}

/* It is the next one. */
static void take(const nats_msg *msg, uint64_t number)
{
    uint64_t place[NATS_JS_UINT_COUNT];
    char text[SIZE + 1] = "";
    size_t len;
    const char *data = nats_msg_data(msg, &len);
    memcpy(text, data, len < SIZE ? len : SIZE);
    if (nats_msg_js_uints(msg, place) != 1 || strtoull(text, NULL, 10) != number ||
        place[NATS_JS_STREAM_SEQ] != number || place[NATS_JS_CONSUMER_SEQ] != number ||
        place[NATS_JS_DELIVERED] != 1) {
        die("not the next one");
    }
}

/* Of the last message of all the ack is waited for: the server has all of them then. */
static void ack(nats_client *client, nats_msg **batch, size_t taken, bool last)
{
    size_t acked;
    check(nats_client_ack_many(client, batch, taken - last, &acked), "ack_many");
    if (acked != taken - last) {
        die("acks");
    }
    if (last) {
        check(nats_client_ack_sync(client, batch[taken - 1], WAIT_MS), "ack_sync");
    }
}

static void consume(nats_client *client, nats_js *js)
{
    nats_sub *sub;
    nats_msg *batch[CHUNK];
    char how[128];
    snprintf(how, sizeof(how),
             "{\"stream\":\"MILLION\",\"consumer\":\"reader\",\"max_messages\":%d}", PULL);
    check(nats_js_consume(js, "consume", how, NATS_Z, -1, &sub), "consume");
    for (uint64_t done = 0; done < count;) {
        size_t taken;
        check(nats_sub_get(sub, CHUNK, WAIT_MS, batch, &taken), "get");
        if (taken == 0) {
            die("the next one did not come");
        }
        for (size_t i = 0; i < taken; i++) {
            take(batch[i], done + i + 1);
        }
        done += taken;
        ack(client, batch, taken, done == count);
        nats_msg_free_many(batch, taken);
        tell("consumed", done, taken);
    }
    check(nats_sub_unsubscribe(sub, 0), "unsubscribe");
    nats_sub_free(sub);
}

static uint64_t ask(nats_js *js, const char *verb, const char *which, const char *object,
                    const char *member)
{
    nats_msg *answer;
    nats_json *info;
    uint64_t value = UINT64_MAX;
    size_t len;
    check(nats_js_call(js, verb, which, NATS_Z, -1, &answer), verb);
    const char *text = nats_msg_data(answer, &len);
    check(nats_json_parse(text, len, &info), verb);
    const nats_json *from = object != NULL ? nats_json_get(info, object) : info;
    nats_json_uint(nats_json_get(from, member), &value);
    nats_json_free(info);
    nats_msg_free(answer);
    return value;
}

int main(int argc, char **argv)
{
    nats_client *client;
    nats_js *js;
    if (argc != 3) {
        fputs("usage: million URL COUNT\n", stderr);
        return 2;
    }
    count = strtoull(argv[2], NULL, 10);
    check(nats_connect(argv[1], NULL, &client), "connect");
    check(nats_client_jetstream(client, NULL, NULL, WAIT_MS, &js), "jetstream");
    check(nats_js_call(js, "create_stream",
                       "{\"config\":{\"name\":\"MILLION\",\"subjects\":[\"million\"],"
                       "\"storage\":\"file\"}}",
                       NATS_Z, -1, NULL),
          "create_stream");
    publish(js);
    check(nats_js_call(js, "create_consumer",
                       "{\"stream\":\"MILLION\",\"config\":{\"durable_name\":\"reader\","
                       "\"ack_policy\":\"explicit\",\"ack_wait\":\"600s\"}}",
                       NATS_Z, -1, NULL),
          "create_consumer");
    consume(client, js);
    printf("done %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
           ask(js, "stream_info", STREAM, "state", "messages"),
           ask(js, "consumer_info", READER, "ack_floor", "stream_seq"),
           ask(js, "consumer_info", READER, NULL, "num_ack_pending"),
           ask(js, "consumer_info", READER, NULL, "num_pending"));
    nats_js_free(js);
    nats_client_free(client);
    return 0;
}
