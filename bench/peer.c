/* A stand-in for a server, for counting instructions: it answers one client at a time in a fixed way, so that what the
 * client executes does not depend on how fast a real server is. It knows just enough of the protocol for the bench:
 * publishes are swallowed, a publish with a reply subject is answered at once with the same payload, and
 * a subscription to --subject is sent --msgs messages after the next PING.
 *
 * Prints its port on a line of its own; ends when its one client has gone. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"
#include "wire.h"

enum { ROOM = 1024 * 1024, BLOCK = 64 * 1024, WORDS_MAX = 5 };

static const char hello[] =
    "INFO {\"server_id\":\"peer\",\"version\":\"2.10.0\",\"proto\":1,\"headers\":true,"
    "\"max_payload\":1048576,\"client_id\":1}\r\n";

typedef struct peer {
    const bench_args *args;
    int fd;
    char *buffer;
    size_t pos;
    size_t len;
    char sid[24]; /* of the last SUB: where replies go */
    bool stream;  /* the subject was subscribed to: the stream is due */
} peer;

static void send_all(peer *p, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(p->fd, data, len, MSG_NOSIGNAL);
        if (n <= 0) {
            bench_die("peer: send: %s", strerror(errno));
        }
        data += n;
        len -= (size_t)n;
    }
}

/* More bytes, behind those not taken yet. False at the end. */
static bool receive(peer *p)
{
    memmove(p->buffer, p->buffer + p->pos, p->len - p->pos);
    p->len -= p->pos;
    p->pos = 0;
    if (p->len == ROOM) {
        bench_die("peer: a message is longer than %d bytes", ROOM);
    }
    ssize_t n = recv(p->fd, p->buffer + p->len, ROOM - p->len, 0);
    if (n <= 0) {
        return false;
    }
    p->len += (size_t)n;
    return true;
}

static void send_stream(peer *p)
{
    const bench_args *args = p->args;
    char head[WIRE_LINE_MAX];
    int head_len = snprintf(head, sizeof(head), "MSG %s %s %zu\r\n", args->subject, p->sid,
                            args->size);
    uint8_t *payload = bench_payload(args->size);
    char *block = bench_alloc(BLOCK + sizeof(head) + args->size);
    size_t len = 0;
    for (uint64_t i = 0; i < args->msgs; i++) {
        memcpy(block + len, head, (size_t)head_len);
        len += (size_t)head_len;
        memcpy(block + len, payload, args->size);
        len += args->size;
        memcpy(block + len, "\r\n", 2);
        len += 2;
        if (len >= BLOCK) {
            send_all(p, block, len);
            len = 0;
        }
    }
    send_all(p, block, len);
    free(block);
    free(payload);
}

static void answer(peer *p, const char *reply, const char *data, size_t size)
{
    char head[WIRE_LINE_MAX];
    int len = snprintf(head, sizeof(head), "MSG %s %s %zu\r\n", reply, p->sid, size);
    char *block = bench_alloc((size_t)len + size + 2);
    memcpy(block, head, (size_t)len);
    memcpy(block + len, data, size);
    memcpy(block + (size_t)len + size, "\r\n", 2);
    send_all(p, block, (size_t)len + size + 2);
    free(block);
}

/* Splits line in place. */
static size_t split(char *line, char **words)
{
    size_t count = 0;
    for (char *word = strtok(line, " "); word != NULL && count < WORDS_MAX;
         word = strtok(NULL, " ")) {
        words[count++] = word;
    }
    return count;
}

/* PUB subject [reply] size, whose payload follows. False when it is not whole yet. */
static bool on_publish(peer *p, char **words, size_t count)
{
    size_t size = (size_t)strtoul(words[count - 1], NULL, 10);
    if (p->len - p->pos < size + 2) {
        return false;
    }
    if (count == 4) {
        answer(p, words[2], p->buffer + p->pos, size);
    }
    p->pos += size + 2;
    return true;
}

static void on_subscribe(peer *p, char **words, size_t count)
{
    snprintf(p->sid, sizeof(p->sid), "%s", words[count - 1]);
    p->stream = strcmp(words[1], p->args->subject) == 0;
}

static void on_ping(peer *p)
{
    send_all(p, "PONG\r\n", 6);
    if (p->stream) {
        p->stream = false;
        send_stream(p);
    }
}

/* Acts on the next line. False when more bytes are needed. */
static bool step(peer *p)
{
    char *line = p->buffer + p->pos;
    char *end = memchr(line, '\n', p->len - p->pos);
    if (end == NULL) {
        return false;
    }
    size_t start = p->pos;
    p->pos += (size_t)(end - line) + 1;
    if (memcmp(line, "CONNECT", 7) == 0) {
        return true;
    }
    if (memcmp(line, "PING", 4) == 0) {
        on_ping(p);
        return true;
    }
    char copy[WIRE_LINE_MAX];
    char *words[WORDS_MAX];
    snprintf(copy, sizeof(copy), "%.*s", (int)(end - line) - 1, line);
    size_t count = split(copy, words);
    if (count >= 3 && strcmp(words[0], "PUB") == 0) {
        if (!on_publish(p, words, count)) {
            p->pos = start;
            return false;
        }
    } else if (count >= 3 && strcmp(words[0], "SUB") == 0) {
        on_subscribe(p, words, count);
    }
    return true;
}

static int accept_one(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&address, &len) != 0) {
        bench_die("peer: %s", strerror(errno));
    }
    printf("%u\n", ntohs(address.sin_port));
    fflush(stdout);
    int fd = accept(listener, NULL, NULL);
    close(listener);
    if (fd < 0) {
        bench_die("peer: accept: %s", strerror(errno));
    }
    int on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    return fd;
}

static void serve(const bench_args *args)
{
    peer p = {.args = args, .fd = accept_one(), .buffer = bench_alloc(ROOM)};
    send_all(&p, hello, sizeof(hello) - 1);
    while (receive(&p)) {
        while (step(&p)) {
        }
    }
    close(p.fd);
    free(p.buffer);
}

int main(int argc, char **argv)
{
    static const bench_work works[] = {{"serve", serve}, {NULL, NULL}};
    return bench_main(argc, argv, "peer", works);
}
