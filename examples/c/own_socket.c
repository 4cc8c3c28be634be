/* The protocol over a socket of one's own, in a loop of one's own (<polynats/proto.h>): own_socket */
#include "example.h"

#include <polynats/proto.h>

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * INT64_C(1000000000) + time.tv_nsec;
}

static void drop(int *fd)
{
    close(*fd);
    *fd = -1;
}

static void dial(nats_proto *p, int *fd)
{
    struct addrinfo *address = NULL, hints = {.ai_socktype = SOCK_STREAM};
    char port[16];
    snprintf(port, sizeof port, "%d", (int)nats_proto_port(p));
    if (getaddrinfo(nats_proto_host(p), port, &hints, &address) != 0) {
        check(nats_proto_transport_failed(p, NATS_ERR_IO, "there is no such host", now()));
        return;
    }
    *fd = socket(address->ai_family, SOCK_STREAM, 0);
    if (connect(*fd, address->ai_addr, address->ai_addrlen) == 0) {
        check(nats_proto_transport_up(p, now()));
    } else {
        check(nats_proto_transport_failed(p, NATS_ERR_IO, strerror(errno), now()));
        drop(fd);
    }
    freeaddrinfo(address);
}

static void print_message(nats_proto *p)
{
    size_t len = 0;
    nats_msg *msg = nats_proto_event_take_msg(p);
    const char *data = nats_msg_data(msg, &len);
    printf("%s\t%.*s\n", nats_msg_subject(msg, NULL), (int)len, data);
    nats_msg_free(msg);
}

static void on_event(nats_proto *p, int32_t type, int *fd)
{
    switch (type) {
    case NATS_PROTO_DIAL:
        dial(p, fd);
        break;
    case NATS_PROTO_TLS_WANTED: /* a tls:// URL, or a server that asks for it */
        check(nats_proto_transport_failed(p, NATS_ERR_NOT_SUPPORTED, "no TLS here", now()));
        break;
    case NATS_PROTO_CONNECTED:
        printf("connected to %s\n", nats_proto_url(p));
        check(nats_proto_subscribe(p, "own.*", NATS_Z, NULL, 0, 0, 0, NULL));
        check(nats_proto_publish(p, "own.transport", NATS_Z, NULL, 0, NULL, "hello", 5));
        break;
    case NATS_PROTO_MSG:
        print_message(p);
        nats_proto_close(p);
        break;
    case NATS_PROTO_ERROR:
        fprintf(stderr, "%s\n", nats_proto_event_text(p));
        break;
    case NATS_PROTO_DISCONNECTED:
        drop(fd);
        break;
    }
}

/* Send what there is, wait for the server or the next deadline, hand in what came. */
static void turn(nats_proto *p, int fd)
{
    const void *bytes = NULL;
    char buffer[65536];
    size_t len = 0;
    nats_proto_tx(p, &bytes, &len);
    ssize_t sent = len > 0 ? send(fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;
    check(nats_proto_tx_done(p, sent > 0 ? (size_t)sent : 0, now()));
    struct pollfd ready = {.fd = fd, .events = POLLIN | (sent < (ssize_t)len ? POLLOUT : 0)};
    int64_t left_ns = nats_proto_deadline_ns(p) - now();
    poll(&ready, 1, left_ns <= 0 ? 0 : left_ns < 1000000000 ? (int)(left_ns / 1000000) + 1 : 1000);
    ssize_t got = ready.revents & ~POLLOUT ? recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) : -1;
    if (got >= 0) {
        check(got > 0 ? nats_proto_feed(p, buffer, (size_t)got, now())
                      : nats_proto_feed_eof(p, now()));
    }
    nats_proto_tick(p, now());
}

int main(int argc, char **argv)
{
    help(argc, argv, "", "The protocol over a socket of one's own: one message to oneself.");
    nats_proto *p = NULL;
    unsigned char seed[32] = {0};
    int fd = -1;

    check(getentropy(seed, sizeof seed) == 0 ? NATS_OK : NATS_ERR_IO);
    check(nats_proto_new(getenv("NATS_URL"), NULL, seed, sizeof seed, &p));
    check(nats_proto_start(p, now()));
    while (nats_proto_state(p) != NATS_PROTO_STATE_CLOSED) {
        for (int32_t type; (type = nats_proto_next_event(p)) != 0;) {
            on_event(p, type, &fd);
        }
        turn(p, fd);
    }
    nats_proto_free(p);
    drop(&fd);
    return 0;
}
