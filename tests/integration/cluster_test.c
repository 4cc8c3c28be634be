/* A cluster of three whose nodes are restarted one after the other, as an upgrade does it, while
 * clients of every kind of luck publish and receive: none of them is closed, none is without
 * messages for long, and each message is accounted for. Every second round the nodes are killed
 * and not asked to go.
 *
 *     POLYNATS_CLUSTER_ROUNDS=10 cluster_test */
#include "rig.h"

#include <sys/mman.h>

enum {
    NODES = 3,
    CLIENTS = 20,
    ROUNDS = 2,
    TICK_MS = 5,      /* each client publishes once in it */
    GAP_MAX_MS = 2000,
    LEAVE_MAX_MS = 5000, /* the lame duck is empty by then: lame_duck_move and a flush */
    DATA_MAX = 32
};

/* ---- the nodes ---- */

typedef struct node {
    pid_t pid;
    int port;
    int route;
    char url[64];
} node;

static node nodes[NODES];
static char config[64]; /* in memory, and open in the nodes as here */
static char routes[NODES * 32];

static int free_port(void)
{
    int port = 0;
    close(rig_listen(&port));
    return port;
}

static void plan_nodes(void)
{
    static const char words[] = "lame_duck_grace_period: \"10s\"\nlame_duck_duration: \"30s\"\n";
    int fd = memfd_create("node.conf", 0);
    RIG_CHECK(fd >= 0 && write(fd, words, sizeof words - 1) == sizeof words - 1);
    snprintf(config, sizeof config, "/proc/self/fd/%d", fd);
    for (int i = 0; i < NODES; i++) {
        nodes[i].port = free_port();
        nodes[i].route = free_port();
        snprintf(nodes[i].url, sizeof nodes[i].url, "nats://127.0.0.1:%d", nodes[i].port);
        size_t len = strlen(routes);
        snprintf(routes + len, sizeof routes - len, "%snats://127.0.0.1:%d", i > 0 ? "," : "",
                 nodes[i].route);
    }
}

static void start_node(node *self)
{
    const char *program = getenv("NATS_SERVER_BIN");
    char port[16];
    char cluster[64];
    snprintf(port, sizeof port, "%d", self->port);
    snprintf(cluster, sizeof cluster, "nats://127.0.0.1:%d", self->route);
    self->pid = fork();
    RIG_CHECK(self->pid >= 0);
    if (self->pid == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it may not outlive a test that is killed */
        int null = open("/dev/null", O_WRONLY);
        dup2(null, 1);
        dup2(null, 2);
        execl(program, program, "-a", "127.0.0.1", "-p", port, "-c", config, "--cluster", cluster,
              "--cluster_name", "rolling", "--routes", routes, (char *)NULL);
        _exit(127);
    }
}

static void wait_for_node(const node *self)
{
    int64_t end = rig_now_ms() + RIG_UP_MS;
    while (!rig_port_open(self->port)) {
        RIG_CHECK(rig_now_ms() < end);
        rig_sleep_ms(5);
    }
}

static void kill_node(node *self)
{
    kill(self->pid, SIGKILL);
    waitpid(self->pid, NULL, 0);
}

/* ---- the clients ---- */

typedef struct player {
    nats_client *client;
    nats_sub *own;      /* what it publishes itself */
    nats_sub *others;   /* what its neighbour does */
    char subject[32];
    uint64_t published; /* accepted */
    uint64_t refused;
    uint64_t received;  /* of its own */
    uint64_t highest;   /* number of its own that came last */
    int64_t heard_ms;   /* its neighbour's last message */
    int64_t gap_ms;     /* the longest without one */
} player;

static player players[CLIENTS];
static atomic_bool over;
static atomic_int moves; /* lame_duck events */

/* One half knows one server and learns of the others from the cluster. */
static void connect_player(int at)
{
    player *self = &players[at];
    char all[NODES * 64];
    snprintf(all, sizeof all, "%s,%s,%s", nodes[0].url, nodes[1].url, nodes[2].url);
    const char *settings[] = {"lame_duck_move=0.2", "reconnect_wait=0.02", "reconnect_wait_max=0.1",
                              "ping_interval=0.05", /* little is unconfirmed when a node is killed */
                              "max_pings_out=100", NULL};
    RIG_OK(rig_connect(at % 2 == 0 ? nodes[0].url : all, settings, &self->client));
    snprintf(self->subject, sizeof self->subject, "play.%d", at);
    char neighbour[32];
    snprintf(neighbour, sizeof neighbour, "play.%d", (at + 1) % CLIENTS);
    RIG_OK(nats_client_subscribe_with(self->client, self->subject, NATS_Z, NULL, 0, 0, 0, 0,
                                      NATS_SUB_PRIVATE, &self->own));
    RIG_OK(nats_client_subscribe_with(self->client, neighbour, NATS_Z, NULL, 0, 0, 0, 0,
                                      NATS_SUB_PRIVATE, &self->others));
    RIG_OK(nats_client_flush(self->client, -1));
}

static void publish(player *self)
{
    char data[DATA_MAX];
    int len = snprintf(data, sizeof data, "%llu",
                       (unsigned long long)(self->published + self->refused + 1));
    nats_status status =
        nats_client_publish(self->client, self->subject, NATS_Z, data, (size_t)len);
    RIG_CHECK(status == NATS_OK || status == NATS_ERR_LIMIT);
    self->published += status == NATS_OK;
    self->refused += status != NATS_OK;
}

/* In order, and none twice: the numbers rise. */
static void take_own(player *self)
{
    nats_msg *msg;
    while (nats_sub_next(self->own, 0, &msg) == NATS_OK && msg != NULL) {
        char text[DATA_MAX] = "";
        size_t len;
        const void *data = nats_msg_data(msg, &len);
        RIG_CHECK(len < sizeof text);
        memcpy(text, data, len);
        uint64_t number = strtoull(text, NULL, 10);
        RIG_CHECK(number > self->highest);
        self->highest = number;
        self->received++;
        nats_msg_free(msg);
    }
}

static void take_others(player *self)
{
    nats_msg *msg;
    int64_t now = rig_now_ms();
    while (nats_sub_next(self->others, 0, &msg) == NATS_OK && msg != NULL) {
        int64_t gap = now - self->heard_ms;
        self->gap_ms = self->heard_ms != 0 && gap > self->gap_ms ? gap : self->gap_ms;
        self->heard_ms = now;
        nats_msg_free(msg);
    }
}

static void take_events(player *self)
{
    nats_event *event;
    while (nats_client_next_event(self->client, 0, &event) == NATS_OK && event != NULL) {
        RIG_CHECK(nats_event_type(event) != NATS_EVENT_CLOSED);
        atomic_fetch_add(&moves, nats_event_type(event) == NATS_EVENT_LAME_DUCK);
        nats_event_free(event);
    }
}

static void *play(void *arg)
{
    (void)arg;
    while (!over) {
        for (int i = 0; i < CLIENTS; i++) {
            publish(&players[i]);
            take_own(&players[i]);
            take_others(&players[i]);
            take_events(&players[i]);
        }
        rig_sleep_ms(TICK_MS);
    }
    return NULL;
}

/* ---- rolling ---- */

static int clients_at(const node *self)
{
    int count = 0;
    for (int i = 0; i < CLIENTS; i++) {
        nats_info *info;
        int64_t port = 0;
        RIG_OK(nats_client_server_info(players[i].client, &info));
        nats_info_int(info, "port", &port);
        nats_info_free(info);
        count += nats_client_status(players[i].client) == NATS_CLIENT_CONNECTED &&
                 port == self->port;
    }
    return count;
}

static void wait_for_all_connected(void)
{
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    int connected = 0;
    while (connected < CLIENTS) {
        RIG_CHECK(rig_now_ms() < end);
        connected = 0;
        for (int i = 0; i < NODES; i++) {
            connected += clients_at(&nodes[i]);
        }
        rig_sleep_ms(5);
    }
}

/* Asked to go: its clients leave it while it still serves them. */
static void retire(node *self)
{
    kill(self->pid, SIGUSR2);
    int64_t end = rig_now_ms() + LEAVE_MAX_MS;
    while (clients_at(self) > 0) {
        RIG_CHECK(rig_now_ms() < end);
        rig_sleep_ms(10);
    }
    kill_node(self);
}

static void roll(int round)
{
    for (int i = 0; i < NODES; i++) {
        if (round % 2 == 0) {
            retire(&nodes[i]);
        } else {
            kill_node(&nodes[i]);
        }
        wait_for_all_connected();
        start_node(&nodes[i]);
        wait_for_node(&nodes[i]);
        rig_sleep_ms(300); /* the routes: clients are told of it then */
    }
}

/* ---- accounts ---- */

/* What was accepted has arrived, or is counted as lost; or, of what was unconfirmed when a
 * connection was lost, nobody knows. */
static void settle(player *self)
{
    RIG_OK(nats_client_flush(self->client, RIG_WAIT_MS));
    take_own(self);
    take_others(self);
    take_events(self);
    uint64_t lost = rig_stat(self->client, "lost");
    uint64_t unconfirmed = rig_stat(self->client, "unconfirmed");
    RIG_CHECK(rig_stat(self->client, "out_msgs") == self->published);
    RIG_CHECK(rig_stat(self->client, "refused") == self->refused);
    RIG_CHECK(self->received + lost <= self->published);
    RIG_CHECK(self->received + lost + unconfirmed >= self->published);
    RIG_CHECK(self->gap_ms <= GAP_MAX_MS);
}

static int rounds(void)
{
    const char *text = getenv("POLYNATS_CLUSTER_ROUNDS");
    return text != NULL ? atoi(text) : ROUNDS;
}

static void tell(void)
{
    unsigned long long published = 0, received = 0, refused = 0, lost = 0, unconfirmed = 0;
    int64_t gap = 0;
    for (int i = 0; i < CLIENTS; i++) {
        const player *self = &players[i];
        published += self->published + self->refused;
        received += self->received;
        refused += self->refused;
        lost += rig_stat(self->client, "lost");
        unconfirmed += rig_stat(self->client, "unconfirmed");
        gap = self->gap_ms > gap ? self->gap_ms : gap;
    }
    printf("ok rolling: %llu published, %llu received, %llu lost, %llu unconfirmed, %llu refused, "
           "longest gap %d ms, %d times told of a lame duck\n",
           published, received, lost, unconfirmed, refused, (int)gap, atomic_load(&moves));
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    const char *program = getenv("NATS_SERVER_BIN");
    if (program == NULL || access(program, X_OK) != 0) {
        puts("skipped: no nats-server (set NATS_SERVER_BIN)");
        return RIG_SKIPPED;
    }
    plan_nodes();
    for (int i = 0; i < NODES; i++) {
        start_node(&nodes[i]);
    }
    for (int i = 0; i < NODES; i++) {
        wait_for_node(&nodes[i]);
    }
    rig_sleep_ms(300); /* the routes */
    for (int i = 0; i < CLIENTS; i++) {
        connect_player(i);
    }

    pthread_t traffic = rig_thread(play, NULL);
    rig_sleep_ms(200);
    for (int i = 0; i < rounds(); i++) {
        roll(i);
    }
    atomic_store(&over, true);
    rig_join(traffic, RIG_WAIT_MS, "traffic");
    for (int i = 0; i < CLIENTS; i++) {
        settle(&players[i]);
    }
    RIG_CHECK(atomic_load(&moves) > 0);
    tell();
    for (int i = 0; i < CLIENTS; i++) {
        nats_sub_free(players[i].own);
        nats_sub_free(players[i].others);
        nats_client_free(players[i].client);
    }
    for (int i = 0; i < NODES; i++) {
        kill_node(&nodes[i]);
    }
    return 0;
}
