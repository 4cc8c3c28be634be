/* Two clients on one connection, each with its own subscriptions and its own get: shared */
#include "example.h"

enum { BATCH = 10 };

static void print_all(nats_client *nc, const char *name)
{
    nats_msg *batch[BATCH];
    size_t count = 0;
    check(nats_client_get(nc, BATCH, 1000, batch, &count));
    for (size_t i = 0; i < count; i++) {
        size_t len = 0;
        const char *data = nats_msg_data(batch[i], &len);
        printf("%s\t%s\t%.*s\n", name, nats_msg_subject(batch[i], NULL), (int)len, data);
    }
    nats_msg_free_many(batch, count);
}

int main(int argc, char **argv)
{
    help(argc, argv, "", "Two clients on one connection.");
    nats_client *nc = NULL, *audit = NULL;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_share(nc, &audit));
    check(nats_client_subscribe(nc, "order.new", NATS_Z, NULL, 0, 0, NULL));
    check(nats_client_subscribe(audit, "order.>", NATS_Z, NULL, 0, 0, NULL));

    check(nats_client_publish(nc, "order.new", NATS_Z, "book", 4));
    check(nats_client_publish(nc, "order.paid", NATS_Z, "book", 4));
    check(nats_client_flush(nc, 5000));
    print_all(nc, "work");
    print_all(audit, "audit");
    nats_client_free(audit);
    nats_client_free(nc);
    return 0;
}
