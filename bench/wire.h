/* A blocking socket to a server and a reader of its lines: the least that a client can do. It checks nothing that the
 * bench does not need, so what it takes is the floor for everybody else. */
#ifndef POLYNATS_BENCH_WIRE_H
#define POLYNATS_BENCH_WIRE_H

#include <stddef.h>
#include <stdint.h>

#include "bench.h"

enum {
    WIRE_READ_SIZE = 128 * 1024, /* one recv: as much as the library asks for */
    WIRE_LINE_MAX = 4096,        /* the server's default max_control_line */
    WIRE_HEAD_MAX = 10           /* bytes before what is in a WebSocket frame of the server's */
};

typedef struct wire {
    int fd;
    struct ssl_st *ssl; /* OpenSSL's; NULL: in clear */
    char *masked;       /* WebSocket: room for a frame; NULL: none */
    size_t frame;       /* bytes of the server's frame that are still to come */
    uint8_t head[WIRE_HEAD_MAX]; /* of one that has not come as a whole */
    size_t head_len;
    size_t pos; /* of buffer: taken so far */
    size_t len; /* received so far */
    size_t skip; /* bytes of a payload that are still to come */
    uint64_t msgs;
    uint64_t bytes; /* of payloads */
    char *buffer;
} wire;

/* Connect, and return after the first PONG. TLS: by OpenSSL's plainest loop; nobody's certificate is looked at.
 * WebSocket: each write is a frame. */
void wire_open(wire *w, const char *host, uint16_t port, bench_over over);
void wire_close(wire *w);
void wire_send(wire *w, const void *data, size_t len);
void wire_printf(wire *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Send PING and wait for its PONG. */
void wire_flush(wire *w);

/* Receive once and count the messages in it. */
void wire_count(wire *w);

/* One message, its parts borrowed until the next call. */
typedef struct wire_msg {
    char *reply; /* not NUL-terminated */
    size_t reply_len;
    char *data;
    size_t data_len;
} wire_msg;

/* Wait for the next message. */
void wire_next(wire *w, wire_msg *msg);
/* How many bytes were received that were not taken yet. */
size_t wire_left(const wire *w);

#endif
