/* Publishes into a stream, within a window: stream_publisher [stream] [text] [how many] */
#include "example.h"

enum { WAIT_MS = 5000, WINDOW = 100, TEXT_MAX = 512 };

static void make_stream(nats_js *js, const char *name)
{
    char arguments[TEXT_MAX];
    snprintf(arguments, sizeof arguments,
             "{\"config\":{\"name\":\"%s\",\"subjects\":[\"%s.>\"],\"storage\":\"memory\"}}", name,
             name);
    check(nats_js_call(js, "get_or_create_stream", arguments, NATS_Z, -1, NULL));
}

int main(int argc, char **argv)
{
    help(argc, argv, "[stream] [text] [how many]", "Publishes into a stream, within a window.");
    const char *name = word(argc, argv, 1, "NEWS");
    const char *text = word(argc, argv, 2, "hello");
    long count = strtol(word(argc, argv, 3, "3"), NULL, 10);
    char subject[TEXT_MAX], data[TEXT_MAX];
    uint64_t counts[NATS_PUBLISHER_STAT_COUNT];
    nats_client *nc = NULL;
    nats_js *js = NULL;
    nats_js_publisher *publisher = NULL;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_jetstream(nc, NULL, NULL, -1, &js));
    make_stream(js, name);

    snprintf(subject, sizeof subject, "%s.said", name);
    check(nats_js_publisher_new(js, WINDOW, &publisher)); /* so many under way */
    for (long number = 1; number <= count; number++) {
        snprintf(data, sizeof data, "%s %ld", text, number);
        check(nats_js_publisher_publish(publisher, subject, NATS_Z, NULL, data, strlen(data),
                                        NULL));
    }
    check(nats_js_publisher_flush(publisher, WAIT_MS)); /* until all have their ack */
    nats_js_publisher_stats(publisher, counts, NATS_PUBLISHER_STAT_COUNT);
    printf("stored %d in %s\n", (int)counts[NATS_PUBLISHER_ACKED], name);
    nats_js_publisher_free(publisher);
    nats_js_free(js);
    nats_client_free(nc);
    return 0;
}
