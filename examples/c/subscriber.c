/* Prints what arrives: subscriber [pattern] [how many] */
#include "example.h"

static void print_headers(const nats_msg *msg)
{
    const char *key = NULL, *value = NULL;
    size_t cursor = 0, key_len = 0, value_len = 0;
    while (nats_msg_next_header(msg, &cursor, &key, &key_len, &value, &value_len)) {
        printf("\t%.*s: %.*s\n", (int)key_len, key, (int)value_len, value);
    }
}

int main(int argc, char **argv)
{
    help(argc, argv, "[pattern] [how many]", "Prints what arrives.");
    const char *pattern = word(argc, argv, 1, "greet.*");
    uint64_t count = strtoull(word(argc, argv, 2, "0"), NULL, 10);
    nats_client *nc = NULL;
    nats_sub *sub = NULL;
    nats_msg *msg = NULL;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_subscribe(nc, pattern, NATS_Z, NULL, 0, count, &sub));
    check(nats_client_flush(nc, 5000));
    printf("listening to %s\n", pattern);
    fflush(stdout);

    /* With a count, CLOSED says that all of them have been taken. */
    while (nats_sub_next(sub, -1, &msg) == NATS_OK && msg != NULL) {
        size_t len = 0;
        const char *data = nats_msg_data(msg, &len);
        printf("%s\t%.*s\n", nats_msg_subject(msg, NULL), (int)len, data);
        print_headers(msg);
        fflush(stdout);
        nats_msg_free(msg);
    }
    nats_sub_free(sub);
    nats_client_free(nc);
    return 0;
}
