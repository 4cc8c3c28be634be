/* What a loss takes with it and what it does not, in numbers: ten thousand subscriptions are there
 * again, each of them once; a hundred open requests end at once, among a thousand subscriptions.
 *
 *     POLYNATS_KILLS=100 losses_test */
#include "rig.h"

enum {
    SUBS = 10000,
    BACK_MAX_MS = 1000,  /* to dial, subscribe to all, and hear of it */
    SUB_MAX_BYTES = 400, /* of memory, each */
    REQUESTS = 100,
    ENDED_MAX_MS = 1000,
    KILLS = 5,
    BESIDES = 1000, /* subscriptions of who asks */
    BATCH = 1000
};

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED true
#else
#define SANITIZED false
#endif

static long resident_bytes(void)
{
    long all = 0;
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    RIG_CHECK(file != NULL && fscanf(file, "%ld %ld", &all, &pages) == 2);
    fclose(file);
    return pages * sysconf(_SC_PAGESIZE);
}

/* One message for each, and each of them comes once. */
static void check_delivery(nats_client *client, int subs)
{
    char subject[32];
    for (int i = 0; i < subs; i++) {
        snprintf(subject, sizeof subject, "many.%d", i);
        RIG_OK(nats_client_publish(client, subject, NATS_Z, NULL, 0));
    }
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    nats_msg *batch[BATCH];
    size_t count;
    int sum = 0;
    while (nats_client_get(client, BATCH, 0, batch, &count) == NATS_OK && count > 0) {
        nats_msg_free_many(batch, count);
        sum += (int)count;
    }
    RIG_CHECK(sum == subs);
}

static void subscriptions_come_back(void)
{
    static nats_sub *subs[SUBS];
    nats_client *client;
    char subject[32];
    RIG_CONNECT(client, "reconnect_wait=0.01", "reconnect_wait_max=0.02");
    RIG_OK(nats_client_flush(client, -1));
    long before = resident_bytes();
    for (int i = 0; i < SUBS; i++) {
        snprintf(subject, sizeof subject, "many.%d", i);
        RIG_OK(nats_client_subscribe(client, subject, NATS_Z, NULL, 0, 0, &subs[i]));
    }
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    long each = (resident_bytes() - before) / SUBS;
    RIG_CHECK(SANITIZED || each <= SUB_MAX_BYTES);
    check_delivery(client, SUBS);

    rig_watch began = rig_watch_start();
    RIG_OK(nats_client_reconnect(client));
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    int back_ms = (int)rig_watch_ms(&began);
    RIG_CHECK(SANITIZED || back_ms <= BACK_MAX_MS);
    check_delivery(client, SUBS);

    rig_stop();
    rig_start();
    RIG_OK(nats_client_flush(client, RIG_WAIT_MS));
    check_delivery(client, SUBS);
    RIG_CHECK(rig_stat(client, "reconnects") == 2);
    for (int i = 0; i < SUBS; i++) {
        RIG_OK(nats_sub_unsubscribe(subs[i], 0));
        nats_sub_free(subs[i]);
    }
    RIG_CHECK(rig_stat(client, "subscriptions") == 0 && rig_stat(client, "stray") == 0);
    printf("%d subscriptions: %ld bytes each, back in %d ms\n", SUBS, each, back_ms);
    nats_client_free(client);
}

/* Nobody answers them; the server is killed. */
static void requests_end_with_the_connection(void)
{
    const char *text = getenv("POLYNATS_KILLS");
    uint64_t kills = text != NULL ? strtoull(text, NULL, 10) : KILLS;
    int64_t slowest_ms = 0;
    char subject[32];
    nats_client *client;
    nats_client *silent;
    RIG_CONNECT(client, "reconnect_wait=0.01", "reconnect_wait_max=0.02");
    RIG_CONNECT(silent, "reconnect_wait=0.01", "reconnect_wait_max=0.02");
    RIG_OK(nats_client_subscribe(silent, "svc", NATS_Z, NULL, 0, 0, NULL));
    RIG_OK(nats_client_flush(silent, -1));
    for (int i = 0; i < BESIDES; i++) {
        snprintf(subject, sizeof subject, "many.%d", i);
        RIG_OK(nats_client_subscribe(client, subject, NATS_Z, NULL, 0, 0, NULL));
    }
    for (uint64_t kill_at = 0; kill_at < kills; kill_at++) {
        nats_future *futures[REQUESTS];
        for (int i = 0; i < REQUESTS; i++) {
            RIG_OK(nats_client_request_start(client, "svc", NATS_Z, NULL, "x", 1, RIG_WAIT_MS,
                                             &futures[i]));
        }
        RIG_OK(nats_client_flush(client, -1));
        rig_stop();
        rig_watch began = rig_watch_start();
        for (int i = 0; i < REQUESTS; i++) {
            nats_msg *msg;
            RIG_CHECK(nats_future_wait(futures[i], RIG_WAIT_MS, &msg) == NATS_ERR_DISCONNECTED);
            nats_future_free(futures[i]);
        }
        int64_t took_ms = rig_watch_ms(&began);
        slowest_ms = took_ms > slowest_ms ? took_ms : slowest_ms;
        RIG_CHECK(took_ms <= ENDED_MAX_MS);
        rig_start();
        rig_back(silent);
        check_delivery(client, BESIDES);
    }
    RIG_CHECK(rig_stat(client, "requests") == kills * REQUESTS);
    RIG_CHECK(rig_stat(client, "open_requests") == 0 && rig_stat(client, "late_replies") == 0);
    RIG_CHECK(rig_stat(client, "stray") == 0);
    printf("%d kills with %d requests each: ended in %d ms at most\n", (int)kills, REQUESTS,
           (int)slowest_ms);
    nats_client_free(silent);
    nats_client_free(client);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"subscriptions_come_back", subscriptions_come_back},
        {"requests_end_with_the_connection", requests_end_with_the_connection},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
