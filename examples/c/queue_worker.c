/* Takes work from a queue group, in batches: queue_worker [subject] [how many]
 * Start several: each piece of work goes to one of them. */
#include "example.h"

enum { BATCH = 100 };

int main(int argc, char **argv)
{
    help(argc, argv, "[subject] [how many]", "Takes work from a queue group, in batches.");
    const char *subject = word(argc, argv, 1, "work");
    unsigned long long left = strtoull(word(argc, argv, 2, "18446744073709551615"), NULL, 10);
    nats_client *nc = NULL;
    nats_msg *batch[BATCH];

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_subscribe(nc, subject, NATS_Z, "workers", NATS_Z, 0, NULL));
    check(nats_client_flush(nc, 5000));
    printf("waiting for work on %s\n", subject);
    fflush(stdout);

    while (left > 0) {
        size_t count = 0;
        check(nats_client_get(nc, left < BATCH ? (size_t)left : BATCH, -1, batch, &count));
        for (size_t i = 0; i < count; i++) {
            size_t len = 0;
            const char *data = nats_msg_data(batch[i], &len);
            printf("done: %.*s\n", (int)len, data);
        }
        fflush(stdout);
        nats_msg_free_many(batch, count);
        left -= count;
    }
    nats_client_free(nc);
    return 0;
}
