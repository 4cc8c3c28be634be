/* Publishes a few messages, one with headers: publisher [subject] [text] */
#include "example.h"

int main(int argc, char **argv)
{
    help(argc, argv, "[subject] [text]", "Publishes a few messages, one with headers.");
    const char *subject = word(argc, argv, 1, "greet.joe");
    const char *text = word(argc, argv, 2, "hello");
    const void *more[] = {"one", "two", "three"};
    const size_t lens[] = {3, 3, 5};
    nats_headers *headers = NULL;
    nats_client *nc = NULL;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_publish(nc, subject, NATS_Z, text, strlen(text)));

    check(nats_headers_new(&headers));
    check(nats_headers_add(headers, "Lang", NATS_Z, "en", NATS_Z));
    check(nats_headers_add(headers, "Lang", NATS_Z, "fr", NATS_Z));
    check(nats_client_publish_with(nc, subject, NATS_Z, NULL, 0, headers, text, strlen(text)));
    nats_headers_free(headers);

    check(nats_client_publish_many(nc, subject, NATS_Z, more, lens, 3, NULL));
    check(nats_client_flush(nc, 5000)); /* the server has them now */
    printf("published 5 messages to %s\n", subject);
    nats_client_free(nc);
    return 0;
}
