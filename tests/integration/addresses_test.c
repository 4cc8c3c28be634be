/* A name with several addresses, of which one swallows everything: it costs its share of the time,
 * and not the connection. getaddrinfo() is ours here: the library is linked into this program. */
#include <netdb.h>

#include "rig.h"

enum {
    HOLE = 2,   /* 127.0.0.2 */
    BACKLOG_FULL = 4, /* connections that fill a backlog of 0, and some */
    ROUNDS = 30
};

/* ---- the system's resolver ---- */

/* Last bytes of 127.0.0.x, in the order they are given. Looked at by the resolver's thread. */
static atomic_int hosts[2];

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
    for (int i = 1; i >= 0; i--) {
        int last_byte = atomic_load(&hosts[i]);
        *out = last_byte != 0 ? one_address(last_byte, port, *out) : *out;
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
}

static const char *url(void)
{
    static char text[64];
    snprintf(text, sizeof text, "nats://many.test:%d", rig.port);
    return text;
}

/* ---- places beside the server ---- */

static struct sockaddr_in hole_address(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)rig.port)};
    address.sin_addr.s_addr = htonl(0x7F000000u + HOLE);
    return address;
}

/* Listens at the server's port of 127.0.0.2; nobody accepts. */
static int listen_beside(int backlog)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    struct sockaddr_in address = hole_address();
    RIG_CHECK(bind(fd, (struct sockaddr *)&address, sizeof address) == 0);
    RIG_CHECK(listen(fd, backlog) == 0);
    return fd;
}

typedef struct hole {
    int listener;
    int fillers[BACKLOG_FULL];
} hole;

/* Its backlog is full: what comes now gets no answer at all. */
static hole dig(void)
{
    hole made = {.listener = listen_beside(0)};
    struct sockaddr_in address = hole_address();
    for (int i = 0; i < BACKLOG_FULL; i++) {
        made.fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        connect(made.fillers[i], (struct sockaddr *)&address, sizeof address);
    }
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
    hole first = dig();
    resolve_to(HOLE, 1);
    const char *settings[] = {"connect_timeout=2", "no_randomize=true", NULL};
    nats_client *client;
    int64_t began = rig_now_ms();
    RIG_OK(rig_connect(url(), settings, &client));
    int64_t took = rig_now_ms() - began;
    RIG_CHECK(took >= 900 && took < 1900); /* the first of two had half of it */
    nats_client_free(client);

    began = rig_now_ms();
    resolve_to(HOLE, 0);
    RIG_CHECK(rig_connect(url(), settings, &client) == NATS_ERR_TIMEOUT);
    took = rig_now_ms() - began;
    RIG_CHECK(took >= 1900 && took < 3000); /* alone it has all of it */
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
    hole first = dig();
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
    int silent = listen_beside(64);
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
    int closer = listen_beside(ROUNDS);
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

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"black_hole_costs_its_share", black_hole_costs_its_share},
        {"reconnect_passes_a_black_hole", reconnect_passes_a_black_hole},
        {"next_attempt_goes_on_behind", next_attempt_goes_on_behind},
        {"order_is_shuffled", order_is_shuffled},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
