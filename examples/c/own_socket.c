/* The protocol over a socket of one's own, in a loop of one's own (<polynats/proto.h>): own_socket [MESSAGES] */
#include "example.h"

#include <polynats/proto.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

typedef struct program {
    nats_proto *p;
    int fd;    /* -1: none */
    long left; /* messages still to come */
} program;

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void drop(program *self)
{
    if (self->fd >= 0) {
        close(self->fd);
    }
    self->fd = -1;
}

static void give_up(program *self, nats_status status, const char *why)
{
    drop(self);
    check(nats_proto_transport_failed(self->p, status, why, now()));
}

/* The first address that answers. A program with more to do would not wait in connect(). */
static int connect_any(const struct addrinfo *address)
{
    int error = EADDRNOTAVAIL;
    for (; address != NULL; address = address->ai_next) {
        int fd = socket(address->ai_family, address->ai_socktype, address->ai_protocol);
        if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) == 0) {
            return fd;
        }
        error = errno;
        if (fd >= 0) {
            close(fd);
        }
    }
    errno = error;
    return -1;
}

static void dial(program *self)
{
    struct addrinfo *addresses = NULL, hints = {.ai_socktype = SOCK_STREAM};
    char port[16];
    snprintf(port, sizeof port, "%d", (int)nats_proto_port(self->p));
    int error = getaddrinfo(nats_proto_host(self->p), port, &hints, &addresses);
    if (error != 0) {
        give_up(self, NATS_ERR_IO, gai_strerror(error));
        return;
    }
    self->fd = connect_any(addresses);
    if (self->fd >= 0) {
        check(nats_proto_transport_up(self->p, now()));
    } else {
        give_up(self, NATS_ERR_IO, strerror(errno));
    }
    freeaddrinfo(addresses);
}

/* Another server could do without; here nothing is gained by asking again and again. */
static void refuse(program *self, const char *what)
{
    fprintf(stderr, "%s asks for %s, which this program does not speak\n",
            nats_proto_url(self->p), what);
    exit(1);
}

static void publish(program *self)
{
    check(nats_proto_publish(self->p, "own.transport", NATS_Z, NULL, 0, NULL, "hello", 5));
}

static void on_message(program *self)
{
    size_t len = 0;
    nats_msg *msg = nats_proto_event_take_msg(self->p);
    const char *data = nats_msg_data(msg, &len);
    printf("%s\t%.*s\n", nats_msg_subject(msg, NULL), (int)len, data);
    fflush(stdout);
    nats_msg_free(msg);
    if (--self->left > 0) {
        publish(self);
    } else {
        nats_proto_close(self->p);
    }
}

static void on_event(program *self, int32_t type)
{
    switch (type) {
    case NATS_PROTO_DIAL:
        dial(self);
        break;
    case NATS_PROTO_UPGRADE_WANTED: /* a ws:// or wss:// URL */
        refuse(self, "WebSocket");
        break;
    case NATS_PROTO_TLS_WANTED: /* a tls:// URL, or a server that asks for it */
        refuse(self, "TLS");
        break;
    case NATS_PROTO_CONNECTED:
        printf("connected to %s\n", nats_proto_url(self->p));
        check(nats_proto_subscribe(self->p, "own.*", NATS_Z, NULL, 0, 0, 0, NULL));
        publish(self);
        break;
    case NATS_PROTO_RECONNECTED: /* what was under way may be lost: begin again */
        fprintf(stderr, "connected again to %s\n", nats_proto_url(self->p));
        publish(self);
        break;
    case NATS_PROTO_MSG:
        on_message(self);
        break;
    case NATS_PROTO_ERROR:
        fprintf(stderr, "%s\n", nats_proto_event_text(self->p));
        if (nats_proto_state(self->p) != NATS_PROTO_STATE_CONNECTED) {
            drop(self); /* an attempt that came to nothing */
        }
        break;
    case NATS_PROTO_DISCONNECTED:
        fprintf(stderr, "disconnected: %s\n", nats_proto_event_text(self->p));
        drop(self);
        break;
    case NATS_PROTO_CLOSED:
        if (nats_proto_event_status(self->p) != NATS_OK) {
            fprintf(stderr, "%s\n", nats_proto_event_text(self->p));
            exit(1);
        }
        break;
    }
}

/* The bytes that wait, as far as the socket takes them. True when some are left. */
static int send_some(program *self)
{
    const void *bytes = NULL;
    size_t len = 0;
    if (self->fd < 0) {
        return 0;
    }
    nats_proto_tx(self->p, &bytes, &len);
    if (len == 0) {
        return 0;
    }
    ssize_t sent = send(self->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    /* What is wrong with the socket is told by the next recv(), behind the server's last words. */
    check(nats_proto_tx_done(self->p, sent > 0 ? (size_t)sent : 0, now()));
    return sent < (ssize_t)len;
}

static void receive(program *self)
{
    char buffer[65536];
    ssize_t got = recv(self->fd, buffer, sizeof buffer, MSG_DONTWAIT);
    if (got > 0) {
        check(nats_proto_feed(self->p, buffer, (size_t)got, now()));
    } else if (got == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)) {
        check(nats_proto_feed_eof(self->p, now()));
        drop(self);
    }
}

/* Send what there is, wait for the server or the next deadline, hand in what came. */
static void turn(program *self)
{
    int more = send_some(self);
    struct pollfd ready = {.fd = self->fd, .events = (short)(POLLIN | (more ? POLLOUT : 0))};
    int64_t left_ns = nats_proto_deadline_ns(self->p) - now();
    poll(&ready, 1, left_ns <= 0 ? 0 : left_ns < 1000000000 ? (int)(left_ns / 1000000) + 1 : 1000);
    if (self->fd >= 0 && (ready.revents & ~POLLOUT) != 0) {
        receive(self);
    }
    nats_proto_tick(self->p, now());
}

int main(int argc, char **argv)
{
    help(argc, argv, "[MESSAGES]", "The protocol over a socket of one's own: messages to oneself.");
    program self = {.fd = -1, .left = atol(word(argc, argv, 1, "1"))};
    unsigned char seed[32] = {0};

    check(getentropy(seed, sizeof seed) == 0 ? NATS_OK : NATS_ERR_IO);
    check(nats_proto_new(getenv("NATS_URL"), NULL, seed, sizeof seed, &self.p));
    check(nats_proto_start(self.p, now()));
    for (;;) {
        for (int32_t type; (type = nats_proto_next_event(self.p)) != 0;) {
            on_event(&self, type);
        }
        if (nats_proto_state(self.p) == NATS_PROTO_STATE_CLOSED) {
            break;
        }
        turn(&self);
    }
    nats_proto_free(self.p);
    drop(&self);
    return 0;
}
