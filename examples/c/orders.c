/* An order book that is kept, published with a window, worked off, and read again in order: orders [stream] */
#include "example.h"

enum { ORDERS = 5, DONE = 3, WAIT_MS = 5000 };

/* The arguments are JSON; result_out may be NULL. */
static void call(nats_js *js, const char *verb, const char *arguments, nats_msg **result_out)
{
    check(nats_js_call(js, verb, arguments, NATS_Z, -1, result_out));
}

static void publish_orders(nats_js *js, const char *stream)
{
    nats_js_publisher *publisher = NULL;
    nats_headers *headers = NULL;
    char subject[128], order[32], id[16];
    uint64_t counts[NATS_PUBLISHER_STAT_COUNT];
    snprintf(subject, sizeof subject, "%s.new", stream);
    check(nats_js_publisher_new(js, 100, &publisher)); /* up to 100 under way */
    check(nats_headers_new(&headers));
    for (int number = 1; number <= ORDERS + 1; number++) { /* the last one twice */
        int len = snprintf(order, sizeof order, "order %d", number);
        snprintf(id, sizeof id, "%d", number < ORDERS ? number : ORDERS);
        nats_headers_clear(headers);
        check(nats_headers_add(headers, "Nats-Msg-Id", NATS_Z, id, NATS_Z));
        check(nats_js_publisher_publish(publisher, subject, NATS_Z, headers, order, (size_t)len,
                                        NULL));
    }
    check(nats_js_publisher_flush(publisher, WAIT_MS)); /* until all have their ack */
    nats_js_publisher_stats(publisher, counts, NATS_PUBLISHER_STAT_COUNT);
    printf("stored %d\n", (int)(counts[NATS_PUBLISHER_ACKED] - counts[NATS_PUBLISHER_DUPLICATES]));
    nats_headers_free(headers);
    nats_js_publisher_free(publisher);
}

/* One message at a time. */
static nats_msg *next(nats_sub *sub)
{
    nats_msg *msg = NULL;
    check(nats_sub_next(sub, WAIT_MS, &msg));
    if (msg == NULL) {
        fprintf(stderr, "nothing came in %d ms\n", WAIT_MS);
        exit(1);
    }
    return msg;
}

static void work_off(nats_client *nc, nats_js *js, const char *desk)
{
    nats_sub *sub = NULL;
    check(nats_js_consume(js, "fetch", desk, NATS_Z, -1, &sub));
    for (int i = 0; i < DONE; i++) {
        size_t len = 0;
        nats_msg *msg = next(sub);
        const char *data = nats_msg_data(msg, &len);
        printf("done: %.*s\n", (int)len, data);
        check(nats_client_ack_sync(nc, msg, WAIT_MS));
        nats_msg_free(msg);
    }
    nats_sub_free(sub);
}

static void read_again(nats_js *js, const char *book)
{
    nats_sub *sub = NULL;
    check(nats_js_consume(js, "ordered", book, NATS_Z, -1, &sub));
    for (int i = 0; i < ORDERS + 1; i++) {
        size_t len = 0;
        uint64_t seq = 0;
        nats_msg *msg = next(sub);
        const char *data = nats_msg_data(msg, &len);
        nats_msg_js_uint(msg, NATS_JS_STREAM_SEQ, &seq);
        const char *kind = strchr(nats_msg_subject(msg, NULL), '.') + 1;
        printf("%d %s %.*s\n", (int)seq, kind, (int)len, data);
        nats_msg_free(msg);
    }
    check(nats_sub_unsubscribe(sub, 0));
    nats_sub_free(sub);
}

static void tell_left(nats_js *js, const char *desk)
{
    nats_msg *answer = NULL;
    nats_json *info = NULL;
    uint64_t left = 0;
    size_t len = 0;
    call(js, "consumer_info", desk, &answer);
    const char *text = nats_msg_data(answer, &len);
    check(nats_json_parse(text, len, &info));
    nats_json_uint(nats_json_get(info, "num_pending"), &left);
    printf("left for the desk: %d\n", (int)left);
    nats_json_free(info);
    nats_msg_free(answer);
}

int main(int argc, char **argv)
{
    help(argc, argv, "[stream]", "A stream of orders, published, worked off, and read again.");
    const char *stream = word(argc, argv, 1, "ORDERS");
    char subject[128], config[256], desk[256], desk_config[256], fetch[256], book[128];
    snprintf(subject, sizeof subject, "%s.closed", stream);
    snprintf(config, sizeof config,
             "{\"config\":{\"name\":\"%s\",\"subjects\":[\"%s.>\"],\"storage\":\"memory\"}}",
             stream, stream);
    snprintf(desk, sizeof desk, "{\"stream\":\"%s\",\"consumer\":\"desk\"}", stream);
    snprintf(desk_config, sizeof desk_config,
             "{\"stream\":\"%s\",\"config\":{\"durable_name\":\"desk\",\"ack_wait\":\"30s\"}}",
             stream);
    snprintf(fetch, sizeof fetch,
             "{\"stream\":\"%s\",\"consumer\":\"desk\",\"max_messages\":%d}", stream, DONE);
    snprintf(book, sizeof book, "{\"stream\":\"%s\"}", stream);

    nats_client *nc = NULL;
    nats_js *js = NULL;
    nats_headers *headers = NULL;
    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_jetstream(nc, NULL, NULL, -1, &js));
    call(js, "create_stream", config, NULL);
    publish_orders(js, stream);

    call(js, "create_consumer", desk_config, NULL);
    work_off(nc, js, fetch);
    tell_left(js, desk);

    check(nats_headers_new(&headers));
    check(nats_headers_add(headers, "Nats-Expected-Last-Sequence", NATS_Z, "5", NATS_Z));
    check(nats_js_publish(js, subject, NATS_Z, headers, "book", 4, -1, NULL)); /* nobody was quicker */
    read_again(js, book);
    call(js, "delete_stream", book, NULL);
    nats_headers_free(headers);
    nats_js_free(js);
    nats_client_free(nc);
    return 0;
}
