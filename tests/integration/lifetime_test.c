/* Clients, subscriptions and futures that are let go at any moment and in any order, while other threads
 * wait in them: every call comes back, nothing is used after it is gone (for AddressSanitizer and
 * ThreadSanitizer), and descriptors and threads are as many as before. The library calls no callbacks of C
 * programs; what waits must be told.
 *
 *     POLYNATS_CYCLES=100000 lifetime_test */
#include "rig.h"

enum {
    CYCLES = 3000,
    THREADS = 4,
    OWN_CONNECTION_EVERY = 50, /* else a client of a connection that all share */
    JOIN_MS = 600000
};

typedef struct life {
    nats_client *root;
    unsigned seed;
    unsigned cycles;
    uint64_t woken; /* waits that ended because what they waited in was closed */
} life;

/* What a cycle has; each is freed once, in any order. */
typedef struct things {
    nats_client *client;
    nats_sub *subs[2];
    nats_future *future;
} things;

static unsigned dice(unsigned *state, unsigned sides)
{
    *state = *state * 1103515245u + 12345u;
    return (*state >> 16) % sides;
}

/* ---- a thread that waits, while the client is closed ---- */

typedef struct wait_in {
    nats_client *client;
    nats_sub *sub;
    nats_future *future;
    unsigned kind;
    nats_status status;
} wait_in;

static void *wait_there(void *arg)
{
    wait_in *self = arg;
    nats_msg *msg = NULL;
    nats_msg *batch[8];
    size_t count;
    nats_event *event;
    switch (self->kind) {
    case 0:
        self->status = nats_sub_next(self->sub, -1, &msg);
        nats_msg_free(msg);
        break;
    case 1:
        self->status = nats_client_get(self->client, 8, -1, batch, &count);
        nats_msg_free_many(batch, count);
        break;
    case 2:
        self->status = nats_future_wait(self->future, RIG_WAIT_MS, &msg);
        nats_msg_free(msg);
        break;
    case 3:
        self->status = nats_client_request(self->client, "life.silence", NATS_Z, NULL, "?", 1,
                                           RIG_WAIT_MS, &msg);
        nats_msg_free(msg);
        break;
    default:
        do {
            event = NULL;
            self->status = nats_client_next_event(self->client, 100, &event);
            nats_event_free(event);
        } while (self->status == NATS_OK && event != NULL);
        break;
    }
    return NULL;
}

static void close_while_waited_in(life *self, things *all)
{
    wait_in wait = {all->client, all->subs[0], all->future, dice(&self->seed, 5), NATS_OK};
    pthread_t thread = rig_thread(wait_there, &wait);
    if (dice(&self->seed, 2) == 0) {
        rig_sleep_ms(dice(&self->seed, 2));
    }
    RIG_OK(nats_client_close(all->client));
    rig_join(thread, RIG_WAIT_MS, "a wait in what was closed");
    self->woken += wait.status != NATS_OK;
}

/* ---- a cycle ---- */

static things make(life *self, bool own)
{
    things all = {0};
    if (own) {
        RIG_CONNECT(all.client, dice(&self->seed, 2) == 0 ? "keeper=true" : "keeper=false");
    } else {
        RIG_OK(nats_client_share(self->root, &all.client));
    }
    for (int i = 0; i < 2; i++) {
        RIG_OK(nats_client_subscribe(all.client, i == 0 ? "life.*" : "life.own", NATS_Z, NULL, 0,
                                     dice(&self->seed, 4), &all.subs[i]));
        RIG_OK(nats_sub_set_mode(all.subs[i], (int32_t)dice(&self->seed, 2)));
    }
    RIG_OK(nats_client_request_start(all.client, "life.silence", NATS_Z, NULL, "?", 1, RIG_WAIT_MS,
                                     &all.future));
    for (unsigned i = dice(&self->seed, 4); i > 0; i--) {
        RIG_OK(nats_client_publish(all.client, "life.own", NATS_Z, "x", 1));
    }
    return all;
}

static void use(life *self, things *all)
{
    nats_msg *msg;
    switch (dice(&self->seed, 6)) {
    case 0:
        nats_sub_next(all->subs[1], 1, &msg);
        nats_msg_free(msg);
        break;
    case 1:
        nats_sub_unsubscribe(all->subs[dice(&self->seed, 2)], dice(&self->seed, 3));
        break;
    case 2:
        nats_future_cancel(all->future);
        break;
    case 3:
        nats_client_drain(all->client, dice(&self->seed, 3));
        break;
    case 4:
        close_while_waited_in(self, all);
        break;
    default:
        break;
    }
}

/* Each of the four once, in an order of chance. */
static void let_go(life *self, things *all)
{
    unsigned left = 0xf;
    while (left != 0) {
        unsigned which = dice(&self->seed, 4);
        if ((left & 1u << which) == 0) {
            continue;
        }
        left &= ~(1u << which);
        if (which == 0) {
            nats_client_free(all->client);
        } else if (which == 3) {
            nats_future_free(all->future);
        } else {
            nats_sub_free(all->subs[which - 1]);
        }
    }
}

static void *live(void *arg)
{
    life *self = arg;
    for (unsigned cycle = 0; cycle < self->cycles; cycle++) {
        things all = make(self, dice(&self->seed, OWN_CONNECTION_EVERY) == 0);
        use(self, &all);
        let_go(self, &all);
    }
    return NULL;
}

static void let_go_at_any_moment(void)
{
    const char *wanted = getenv("POLYNATS_CYCLES");
    unsigned cycles = wanted != NULL ? (unsigned)atoi(wanted) : CYCLES;
    nats_client *root;
    RIG_CONNECT(root, "keeper=true");
    RIG_OK(nats_client_subscribe(root, "life.silence", NATS_Z, NULL, 0, 0, NULL));
    RIG_OK(nats_client_flush(root, RIG_WAIT_MS));
    int fds = rig_count("fd");
    int tasks = rig_count("task");
    life lives[THREADS];
    pthread_t threads[THREADS];
    uint64_t woken = 0;
    for (unsigned i = 0; i < THREADS; i++) {
        lives[i] = (life){.root = root, .seed = i + 1, .cycles = cycles / THREADS};
        threads[i] = rig_thread(live, &lives[i]);
    }
    for (unsigned i = 0; i < THREADS; i++) {
        rig_join(threads[i], JOIN_MS, "a life");
        woken += lives[i].woken;
    }
    RIG_OK(nats_client_flush(root, RIG_WAIT_MS));
    RIG_CHECK(rig_stat(root, "open_requests") == 0 && rig_stat(root, "subscriptions") == 1);
    RIG_CHECK(rig_stat(root, "received") ==
              rig_stat(root, "delivered") + rig_stat(root, "dropped") + rig_stat(root, "pending"));
    rig_check_count("fd", fds);
    rig_check_count("task", tasks);
    RIG_CHECK(woken > 0);
    printf("%u cycles, %" PRIu64 " waits ended by a close\n", cycles, woken);
    nats_client_free(root);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {{"let_go_at_any_moment", let_go_at_any_moment}};
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
