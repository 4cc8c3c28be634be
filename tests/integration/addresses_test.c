/* A name with several addresses, of which one swallows everything: it costs its share of the time,
 * and not the connection. A resolver that hangs costs an attempt, and one thread. getaddrinfo() is
 * ours here: the library is linked into this program. */
#include <netdb.h>

#include "rig.h"

enum {
    HOLE = 2,   /* 127.0.0.2 */
    IPV6 = 6,   /* ::1 */
    HOSTS = 4,
    BACKLOG_FULL = 4, /* connections that fill a backlog of 0, and some */
    ROUNDS = 30,
    HUNG_TRIES = 12, /* attempts while the resolver hangs */
    SLACK_MS = 200   /* of a machine that has other things to do */
};

/* ---- the system's resolver ---- */

/* Last bytes of 127.0.0.x, or IPV6, in the order they are given. Looked at by the resolver's
 * thread. */
static atomic_int hosts[HOSTS];
static atomic_int look_ups;
static pthread_mutex_t hanging = PTHREAD_MUTEX_INITIALIZER; /* held: the resolver does not answer */

static struct addrinfo *one_ipv6(const char *port, struct addrinfo *next)
{
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in6));
    RIG_CHECK(info != NULL);
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)(info + 1);
    address->sin6_family = AF_INET6;
    address->sin6_port = htons((uint16_t)atoi(port));
    address->sin6_addr = in6addr_loopback;
    info->ai_family = AF_INET6;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addrlen = sizeof *address;
    info->ai_addr = (struct sockaddr *)address;
    info->ai_next = next;
    return info;
}

static struct addrinfo *one_address(int last_byte, const char *port, struct addrinfo *next)
{
    struct addrinfo *info = calloc(1, sizeof *info + sizeof(struct sockaddr_in));
    RIG_CHECK(info != NULL);
    struct sockaddr_in *address = (struct sockaddr_in *)(info + 1);
    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)atoi(port));
    address->sin_addr.s_addr = htonl(0x7F000000u + (uint32_t)last_byte);
    info->ai_family = AF_INET;
    info->ai_socktype = SOCK_STREAM;
    info->ai_addrlen = sizeof *address;
    info->ai_addr = (struct sockaddr *)address;
    info->ai_next = next;
    return info;
}

int getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
                struct addrinfo **out)
{
    *out = NULL;
    if (hints != NULL && (hints->ai_flags & AI_NUMERICHOST) != 0) {
        return EAI_NONAME;
    }
    RIG_CHECK(strcmp(host, "many.test") == 0);
    atomic_fetch_add(&look_ups, 1);
    pthread_mutex_lock(&hanging);
    pthread_mutex_unlock(&hanging);
    for (int i = HOSTS - 1; i >= 0; i--) {
        int last_byte = atomic_load(&hosts[i]);
        if (last_byte == IPV6) {
            *out = one_ipv6(port, *out);
        } else if (last_byte != 0) {
            *out = one_address(last_byte, port, *out);
        }
    }
    return 0;
}

void freeaddrinfo(struct addrinfo *list)
{
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static void resolve_to(int first, int second)
{
    atomic_store(&hosts[0], first);
    atomic_store(&hosts[1], second);
    atomic_store(&hosts[2], 0);
    atomic_store(&hosts[3], 0);
}

static const char *url(void)
{
    static char text[64];
    snprintf(text, sizeof text, "nats://many.test:%d", rig.port);
    return text;
}

/* ---- places beside the server ---- */

static struct addrinfo *beside(int host)
{
    char port[16];
    snprintf(port, sizeof port, "%d", rig.port);
    return host == IPV6 ? one_ipv6(port, NULL) : one_address(host, port, NULL);
}

/* Listens at the server's port of another address; nobody accepts. */
static int listen_at(int host, int backlog)
{
    struct addrinfo *place = beside(host);
    int fd = socket(place->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    RIG_CHECK(bind(fd, place->ai_addr, place->ai_addrlen) == 0);
    RIG_CHECK(listen(fd, backlog) == 0);
    freeaddrinfo(place);
    return fd;
}

typedef struct hole {
    int listener;
    int fillers[BACKLOG_FULL];
} hole;

/* Its backlog is full: what comes now gets no answer at all. */
static hole dig(int host)
{
    hole made = {.listener = listen_at(host, 0)};
    struct addrinfo *place = beside(host);
    for (int i = 0; i < BACKLOG_FULL; i++) {
        made.fillers[i] =
            socket(place->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(made.fillers[i], place->ai_addr, place->ai_addrlen);
    }
    freeaddrinfo(place);
    rig_sleep_ms(50);
    struct pollfd last = {.fd = made.fillers[BACKLOG_FULL - 1], .events = POLLOUT};
    RIG_CHECK(poll(&last, 1, 0) == 0); /* else it is no black hole, and proves nothing */
    return made;
}

static void fill_in(hole *made)
{
    for (int i = 0; i < BACKLOG_FULL; i++) {
        close(made->fillers[i]);
    }
    close(made->listener);
}

/* ---- cases ---- */

static void black_hole_costs_its_share(void)
{
    hole first = dig(HOLE);
    resolve_to(HOLE, 1);
    const char *settings[] = {"connect_timeout=2", "no_randomize=true", NULL};
    nats_client *client;
    rig_watch began = rig_watch_start();
    RIG_OK(rig_connect(url(), settings, &client));
    int64_t took = rig_now_ms() - began.began_ms;
    RIG_CHECK(took >= 900 && rig_watch_ms(&began) < 1900); /* the first of two had half of it */
    nats_client_free(client);

    began = rig_watch_start();
    resolve_to(HOLE, 0);
    RIG_CHECK(rig_connect(url(), settings, &client) == NATS_ERR_TIMEOUT);
    took = rig_now_ms() - began.began_ms;
    RIG_CHECK(took >= 1900 && rig_watch_ms(&began) < 3000); /* alone it has all of it */
    fill_in(&first);
}

/* Also with a loop of the program's own, where nobody waits in a call. */
static void reconnect_passes_a_black_hole(void)
{
    resolve_to(1, 0);
    const char *settings[] = {"connect_timeout=1", "no_randomize=true", "reconnect_wait=0.01",
                              NULL};
    nats_client *client;
    RIG_OK(rig_connect(url(), settings, &client));
    hole first = dig(HOLE);
    resolve_to(HOLE, 1);
    rig_stop();
    rig_start();
    rig_back(client);
    nats_client_free(client);
    fill_in(&first);
}

/* One that takes the connection and says nothing has the attempt; the next one goes elsewhere. */
static void next_attempt_goes_on_behind(void)
{
    resolve_to(1, 0);
    const char *settings[] = {"connect_timeout=0.5", "no_randomize=true", "reconnect_wait=0.01",
                              NULL};
    nats_client *client;
    RIG_OK(rig_connect(url(), settings, &client));
    int silent = listen_at(HOLE, 64);
    resolve_to(HOLE, 1);
    rig_stop();
    rig_start();
    rig_back(client);
    nats_client_free(client);
    close(silent);
}

/* Which of the two a connect goes to first: that one hangs up, the other is the server. */
static int hung_up(const char *randomize)
{
    int count = 0;
    int closer = listen_at(HOLE, ROUNDS);
    resolve_to(HOLE, 1);
    for (int i = 0; i < ROUNDS; i++) {
        const char *settings[] = {"connect_timeout=0.1", randomize, NULL};
        nats_client *client;
        count += rig_connect(url(), settings, &client) != NATS_OK;
        nats_client_free(client);
    }
    close(closer);
    return count;
}

static void order_is_shuffled(void)
{
    RIG_CHECK(hung_up("no_randomize=true") == ROUNDS);
    int count = hung_up("no_randomize=false");
    RIG_CHECK(count > 0 && count < ROUNDS); /* by chance once in 2^29 */
}

static bool has_ipv6(void)
{
    struct addrinfo *place = one_ipv6("0", NULL);
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, place->ai_addr, place->ai_addrlen) == 0;
    close(fd);
    freeaddrinfo(place);
    return has;
}

/* Three of IPv6, which leads nowhere, before one of IPv4: it is the second to be tried. */
static void families_take_turns(void)
{
    if (!has_ipv6()) {
        puts("skipped families_take_turns: no ::1 on this machine");
        return;
    }
    hole six = dig(IPV6);
    resolve_to(IPV6, IPV6);
    atomic_store(&hosts[2], IPV6);
    atomic_store(&hosts[3], 1);
    const char *settings[][3] = {{"connect_timeout=2", "no_randomize=true", NULL},
                                 {"connect_timeout=2", "no_randomize=false", NULL}};
    for (int i = 0; i < 2; i++) {
        nats_client *client;
        rig_watch began = rig_watch_start();
        RIG_OK(rig_connect(url(), settings[i], &client));
        int64_t took = rig_now_ms() - began.began_ms;
        RIG_CHECK(took >= 400 && rig_watch_ms(&began) < 900); /* one share of four, and not three */
        nats_client_free(client);
    }
    fill_in(&six);
}

/* An address of each family, and only IPv6 has a server: it is reached. */
static void ipv6_is_reached(void)
{
    if (!has_ipv6()) {
        puts("skipped ipv6_is_reached: no ::1 on this machine");
        return;
    }
    resolve_to(1, 0);
    nats_client *client;
    const char *settings[] = {"connect_timeout=0.3", "reconnect_wait=0.01", NULL};
    RIG_OK(rig_connect(url(), settings, &client));
    rig_stop();
    int listener = listen_at(IPV6, 8);
    resolve_to(1, IPV6);
    struct pollfd coming = {.fd = listener, .events = POLLIN};
    RIG_CHECK(poll(&coming, 1, RIG_WAIT_MS) == 1);
    close(listener);
    nats_client_free(client);
}

/* ---- a resolver that hangs ---- */

static void connect_keeps_its_time(void)
{
    resolve_to(1, 0);
    int threads = rig_count("task");
    pthread_mutex_lock(&hanging);
    const char *settings[] = {"connect_timeout=0.3", NULL};
    nats_client *client;
    rig_watch began = rig_watch_start();
    RIG_CHECK(rig_connect(url(), settings, &client) == NATS_ERR_TIMEOUT);
    int64_t took = rig_now_ms() - began.began_ms;
    RIG_CHECK(took >= 300 && rig_watch_ms(&began) < 300 + SLACK_MS);
    pthread_mutex_unlock(&hanging);
    rig_check_count("task", threads);
}

/* Calls do not wait for it, attempts go on, and all of them wait for one look-up. When it answers
 * at last, its answer is used. */
static void look_ups_do_not_pile_up(void)
{
    resolve_to(1, 0);
    const char *settings[] = {"connect_timeout=0.05", "reconnect_wait=0.01",
                              "reconnect_wait_max=0.01", NULL};
    nats_client *client;
    RIG_OK(rig_connect(url(), settings, &client));
    int threads = rig_count("task");
    int fds = rig_count("fd");
    pthread_mutex_lock(&hanging);
    int before = atomic_load(&look_ups);
    rig_stop();
    while (rig_stat(client, "errors") < HUNG_TRIES) {
        rig_watch began = rig_watch_start();
        RIG_OK(nats_client_publish(client, "t", NATS_Z, "kept", 4));
        RIG_CHECK(rig_watch_ms(&began) < SLACK_MS);
        rig_sleep_ms(10);
    }
    rig_watch began = rig_watch_start();
    RIG_CHECK(nats_client_flush(client, 100) == NATS_ERR_TIMEOUT);
    RIG_CHECK(rig_watch_ms(&began) < 100 + SLACK_MS);
    RIG_CHECK(atomic_load(&look_ups) == before + 1);
    RIG_CHECK(rig_count("task") <= threads + 1);
    RIG_CHECK(rig_count("fd") <= fds + 1);

    rig_start();
    pthread_mutex_unlock(&hanging);
    RIG_OK(nats_client_flush(client, 5000));
    rig_check_count("task", threads);
    nats_client_free(client);
}

/* An answer holds for one connection: the next one asks again. */
static void each_reconnect_asks_again(void)
{
    resolve_to(1, 0);
    nats_client *client;
    RIG_OK(rig_connect(url(), NULL, &client));
    for (int i = 0; i < 3; i++) {
        int before = atomic_load(&look_ups);
        RIG_OK(nats_client_reconnect(client));
        RIG_OK(nats_client_flush(client, 5000));
        RIG_CHECK(atomic_load(&look_ups) == before + 1);
    }
    RIG_CHECK(rig_stat(client, "reconnects") == 3);
    nats_client_free(client);
}

/* It is still asked when the connection is closed: nothing is freed under it. */
static void closed_while_it_hangs(void)
{
    resolve_to(1, 0);
    nats_client *client;
    RIG_OK(rig_connect(url(), NULL, &client));
    int threads = rig_count("task");
    pthread_mutex_lock(&hanging);
    int before = atomic_load(&look_ups);
    RIG_OK(nats_client_reconnect(client));
    while (atomic_load(&look_ups) == before) {
        rig_sleep_ms(1);
    }
    rig_watch began = rig_watch_start();
    nats_client_free(client);
    RIG_CHECK(rig_watch_ms(&began) < SLACK_MS);
    pthread_mutex_unlock(&hanging);
    rig_check_count("task", threads - 1); /* without its keeper */
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"black_hole_costs_its_share", black_hole_costs_its_share},
        {"reconnect_passes_a_black_hole", reconnect_passes_a_black_hole},
        {"next_attempt_goes_on_behind", next_attempt_goes_on_behind},
        {"order_is_shuffled", order_is_shuffled},
        {"families_take_turns", families_take_turns},
        {"ipv6_is_reached", ipv6_is_reached},
        {"connect_keeps_its_time", connect_keeps_its_time},
        {"look_ups_do_not_pile_up", look_ups_do_not_pile_up},
        {"each_reconnect_asks_again", each_reconnect_asks_again},
        {"closed_while_it_hangs", closed_while_it_hangs},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
