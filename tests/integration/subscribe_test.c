/* A subscription is what it was asked to be from its first message on; and what a client uses can
 * be read back. */
#include "rig.h"

enum { ROUNDS = 300, BATCH = 64 };

typedef struct thief {
    nats_client *client;
    size_t stolen;
    atomic_bool over;
} thief;

/* Another thread of the program, that takes what comes to its client. */
static void *steal(void *arg)
{
    thief *self = arg;
    nats_msg *batch[BATCH];
    size_t count;
    while (!atomic_load(&self->over) &&
           nats_client_get(self->client, BATCH, 1, batch, &count) == NATS_OK) {
        self->stolen += count;
        nats_msg_free_many(batch, count);
    }
    return NULL;
}

static void *flood(void *arg)
{
    thief *self = arg;
    while (!atomic_load(&self->over)) {
        nats_client_publish(self->client, "flood", NATS_Z, "x", 1);
    }
    return NULL;
}

static void mode_holds_from_the_first_message(void)
{
    nats_client *client;
    nats_client *publisher;
    RIG_CONNECT(client, "keeper=true");
    RIG_CONNECT(publisher, "keeper=true");
    thief getter = {.client = client};
    thief source = {.client = publisher};
    pthread_t threads[] = {rig_thread(steal, &getter), rig_thread(flood, &source)};
    for (int i = 0; i < ROUNDS; i++) {
        nats_sub *sub;
        nats_msg *msg;
        RIG_OK(nats_client_subscribe_with(client, "flood", NATS_Z, NULL, 0, 0, 0, 0,
                                          NATS_SUB_PRIVATE, &sub));
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
        RIG_CHECK(msg != NULL);
        nats_msg_free(msg);
        RIG_OK(nats_sub_unsubscribe(sub, 0));
        nats_sub_free(sub);
    }
    atomic_store(&getter.over, true);
    atomic_store(&source.over, true);
    rig_join(threads[0], RIG_WAIT_MS, "get");
    rig_join(threads[1], RIG_WAIT_MS, "publish");
    RIG_CHECK(getter.stolen == 0);
    nats_client_free(client);
    nats_client_free(publisher);
}

/* How many of ten small messages are dropped. */
static uint64_t dropped(nats_client *client, int64_t msgs, int64_t bytes)
{
    nats_sub *sub;
    RIG_OK(nats_client_subscribe_with(client, "ten", NATS_Z, "q", 1, 0, msgs, bytes,
                                      NATS_SUB_CALLBACK, &sub));
    for (int i = 0; i < 10; i++) {
        RIG_OK(nats_client_publish(client, "ten", NATS_Z, "x", 1));
    }
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    uint64_t stats[NATS_SUB_STAT_COUNT];
    nats_sub_stats(sub, stats, NATS_SUB_STAT_COUNT);
    RIG_CHECK(stats[NATS_SUB_STAT_RECEIVED] == 10);
    nats_msg *batch[BATCH];
    size_t count;
    RIG_OK(nats_client_get(client, BATCH, 0, batch, &count));
    RIG_CHECK(count == 0); /* it is for callbacks */
    RIG_OK(nats_client_get_callbacks(client, BATCH, 0, batch, &count));
    RIG_CHECK(count + stats[NATS_SUB_STAT_DROPPED] == 10);
    nats_msg_free_many(batch, count);
    RIG_OK(nats_sub_unsubscribe(sub, 0));
    nats_sub_free(sub);
    return stats[NATS_SUB_STAT_DROPPED];
}

static void limits(void)
{
    nats_client *client;
    RIG_CONNECT(client, "pending_msgs=4");
    RIG_CHECK(dropped(client, 0, 0) == 6);   /* the client's */
    RIG_CHECK(dropped(client, 7, 0) == 3);   /* its own */
    RIG_CHECK(dropped(client, -1, 0) == 0);  /* none */
    RIG_CHECK(dropped(client, -1, 8) == 8);  /* "ten" and "x" twice */
    static const struct {
        int64_t msgs, bytes;
        int32_t mode;
        const char *about;
    } wrong[] = {
        {-2, 0, 0, "pending_msgs"}, {0, -2, 0, "pending_bytes"}, {0, 0, 3, "mode"},
        {0, 0, -1, "mode"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        nats_sub *sub;
        RIG_CHECK(nats_client_subscribe_with(client, "a", NATS_Z, NULL, 0, 0, wrong[i].msgs,
                                             wrong[i].bytes, wrong[i].mode,
                                             &sub) == NATS_ERR_INVALID);
        RIG_CHECK(sub == NULL && strcmp(nats_last_about(), wrong[i].about) == 0);
    }
    RIG_CHECK(rig_stat(client, "subscriptions") == 0);
    nats_client_free(client);
}

static void options_are_read_back(void)
{
    nats_client *client;
    nats_client *shared;
    RIG_CONNECT(client, "request_timeout=1.5s", "no_echo=yes", "name=me");
    RIG_OK(nats_client_share(client, &shared));
    static const struct {
        const char *name;
        int64_t value;
    } known[] = {
        {"request_timeout", 1500}, {"no_echo", 1}, {"drain_timeout", 30000}, {"reconnect", 1},
        {"max_reconnects", -1},
    };
    nats_client *clients[] = {client, shared};
    int64_t value;
    for (size_t i = 0; i < 2; i++) {
        for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
            RIG_OK(nats_client_option_int(clients[i], known[k].name, &value));
            RIG_CHECK(value == known[k].value);
        }
        RIG_CHECK(nats_client_option_int(clients[i], "name", &value) == NATS_ERR_INVALID);
        RIG_CHECK(nats_client_option_int(clients[i], "reconect", &value) == NATS_ERR_INVALID);
        RIG_CHECK(strstr(nats_last_error(clients[i]), "'reconnect'") != NULL);
        RIG_OK(nats_client_close(clients[i]));
        RIG_OK(nats_client_option_int(clients[i], "request_timeout", &value));
        nats_client_free(clients[i]);
    }
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"mode_holds_from_the_first_message", mode_holds_from_the_first_message},
        {"limits", limits},
        {"options_are_read_back", options_are_read_back},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
