/* Consumes a stream and acknowledges: stream_consumer [stream] [consumer] [how many] */
#include "example.h"

enum { WAIT_MS = 5000, TEXT_MAX = 512 };

static void take(nats_client *nc, nats_sub *sub)
{
    nats_msg *msg = NULL;
    uint64_t seq = 0;
    size_t len = 0;
    check(nats_sub_next(sub, WAIT_MS, &msg));
    if (msg == NULL) {
        fprintf(stderr, "nothing came in %d ms\n", WAIT_MS);
        exit(1);
    }
    const char *data = nats_msg_data(msg, &len);
    nats_msg_js_uint(msg, NATS_JS_STREAM_SEQ, &seq);
    printf("%d\t%.*s\n", (int)seq, (int)len, data);
    check(nats_client_ack_sync(nc, msg, WAIT_MS)); /* the server has taken note */
    nats_msg_free(msg);
}

static uint64_t number_of(const nats_json *info, const char *name)
{
    uint64_t number = 0;
    if (nats_json_uint(nats_json_get(info, name), &number) == 0) {
        fprintf(stderr, "the info has no %s\n", name);
        exit(1);
    }
    return number;
}

static void tell_left(nats_js *js, const char *consumer)
{
    nats_msg *answer = NULL;
    nats_json *info = NULL;
    size_t len = 0;
    check(nats_js_call(js, "consumer_info", consumer, NATS_Z, -1, &answer));
    const char *text = nats_msg_data(answer, &len);
    check(nats_json_parse(text, len, &info));
    printf("left: %d, not acknowledged: %d\n", (int)number_of(info, "num_pending"),
           (int)number_of(info, "num_ack_pending"));
    nats_json_free(info);
    nats_msg_free(answer);
}

int main(int argc, char **argv)
{
    help(argc, argv, "[stream] [consumer] [how many]", "Consumes a stream and acknowledges.");
    const char *name = word(argc, argv, 1, "NEWS");
    const char *who = word(argc, argv, 2, "reader");
    long count = strtol(word(argc, argv, 3, "3"), NULL, 10);
    char config[TEXT_MAX], consumer[TEXT_MAX];
    nats_client *nc = NULL;
    nats_js *js = NULL;
    nats_sub *sub = NULL;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_jetstream(nc, NULL, NULL, -1, &js));
    snprintf(config, sizeof config, "{\"stream\":\"%s\",\"config\":{\"durable_name\":\"%s\"}}",
             name, who);
    check(nats_js_call(js, "get_or_create_consumer", config, NATS_Z, -1, NULL));
    snprintf(consumer, sizeof consumer, "{\"stream\":\"%s\",\"consumer\":\"%s\"}", name, who);
    check(nats_js_consume(js, "consume", consumer, NATS_Z, -1, &sub));
    for (long taken = 0; taken < count; taken++) {
        take(nc, sub);
    }
    check(nats_sub_unsubscribe(sub, 0));
    tell_left(js, consumer);
    nats_sub_free(sub);
    nats_js_free(js);
    nats_client_free(nc);
    return 0;
}
