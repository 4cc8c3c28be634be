#include "wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void dial(wire *w, const char *host, uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1) {
        bench_die("--url: %s is not an IPv4 address", host);
    }
    w->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (w->fd < 0 || connect(w->fd, (struct sockaddr *)&address, sizeof(address)) != 0) {
        bench_die("connect to %s:%u: %s", host, port, strerror(errno));
    }
    int on = 1;
    setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

static void secure(wire *w)
{
    char line[WIRE_LINE_MAX];
    size_t len = 0;
    while (len == 0 || line[len - 1] != '\n') { /* INFO; what is behind it is TLS's */
        if (len == sizeof(line) || recv(w->fd, line + len, 1, 0) != 1) {
            bench_die("no INFO");
        }
        len++;
    }
    SSL_CTX *context = SSL_CTX_new(TLS_client_method());
    w->ssl = context != NULL ? SSL_new(context) : NULL;
    SSL_CTX_free(context);
    if (w->ssl == NULL || SSL_set_fd(w->ssl, w->fd) != 1 || SSL_connect(w->ssl) != 1) {
        bench_die("TLS: no handshake");
    }
}

static void send_secure(wire *w, const void *data, size_t len)
{
    size_t n;
    if (SSL_write_ex(w->ssl, data, len, &n) != 1 || n != len) {
        bench_die("SSL_write");
    }
}

static size_t receive_secure(wire *w)
{
    size_t n;
    if (SSL_read_ex(w->ssl, w->buffer + w->len, WIRE_READ_SIZE - w->len, &n) != 1) {
        bench_die("SSL_read");
    }
    return n;
}

/* ---- WebSocket ---- */

enum { MASKED_MAX = 256 * 1024, CLIENT_HEAD = 14 };

static void send_clear(wire *w, const void *data, size_t len);

static void upgrade(wire *w)
{
    static const char request[] = "GET / HTTP/1.1\r\nHost: bench\r\nUpgrade: websocket\r\n"
                                  "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    send_clear(w, request, sizeof(request) - 1);
    char end[4] = "";
    while (memcmp(end, "\r\n\r\n", sizeof(end)) != 0) {
        memmove(end, end + 1, sizeof(end) - 1);
        if (recv(w->fd, end + sizeof(end) - 1, 1, 0) != 1) {
            bench_die("no upgrade");
        }
    }
    w->masked = bench_alloc(MASKED_MAX + CLIENT_HEAD);
}

/* One binary frame, masked eight bytes at a time. */
static void send_frame(wire *w, const char *data, size_t len)
{
    if (len > MASKED_MAX) {
        bench_die("a frame of %zu bytes", len);
    }
    static uint64_t mask = 0x9E3779B97F4A7C15;
    mask = mask * 6364136223846793005u + 1;
    uint64_t twice = (mask >> 32) << 32 | mask >> 32;
    uint8_t *head = (uint8_t *)w->masked;
    head[0] = 0x82;
    head[1] = 0x80 | 127; /* the longest form always: one way to write it */
    for (int i = 0; i < 8; i++) {
        head[2 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
    }
    memcpy(head + 10, &twice, 4);
    char *out = w->masked + CLIENT_HEAD;
    for (size_t at = 0; at < len; at += 8) {
        uint64_t word = 0;
        size_t n = len - at < 8 ? len - at : 8;
        memcpy(&word, data + at, n);
        word ^= twice;
        memcpy(out + at, &word, n);
    }
    send_clear(w, w->masked, CLIENT_HEAD + len);
}

/* How long the head is that begins so, by as much of it as there is. */
static size_t head_size(const uint8_t *head, size_t len)
{
    return len < 2 || head[1] < 126 ? 2 : head[1] == 126 ? 4 : WIRE_HEAD_MAX;
}

static size_t frame_size(const uint8_t *head, size_t len)
{
    size_t size = 0;
    for (size_t i = len > 2 ? 2 : 1; i < len; i++) {
        size = size << 8 | head[i];
    }
    return size;
}

/* Leaves of `n` bytes that came what is in frames; returns how many these are. */
static size_t unframe(wire *w, char *data, size_t n)
{
    size_t kept = 0;
    for (size_t at = 0; at < n;) {
        if (w->frame > 0) {
            size_t part = n - at < w->frame ? n - at : w->frame;
            memmove(data + kept, data + at, part);
            kept += part;
            at += part;
            w->frame -= part;
            continue;
        }
        w->head[w->head_len++] = (uint8_t)data[at++];
        if (w->head_len > 1 && w->head_len == head_size(w->head, w->head_len)) {
            w->frame = frame_size(w->head, w->head_len);
            w->head_len = 0;
        }
    }
    return kept;
}

/* ---- bytes ---- */

void wire_send(wire *w, const void *data, size_t len)
{
    if (w->ssl != NULL) {
        send_secure(w, data, len);
    } else if (w->masked != NULL) {
        send_frame(w, data, len);
    } else {
        send_clear(w, data, len);
    }
}

static void send_clear(wire *w, const void *data, size_t len)
{
    const char *at = data;
    while (len > 0) {
        ssize_t n = send(w->fd, at, len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            bench_die("send: %s", strerror(errno));
        }
        at += n;
        len -= (size_t)n;
    }
}

void wire_printf(wire *w, const char *format, ...)
{
    char line[WIRE_LINE_MAX];
    va_list list;
    va_start(list, format);
    int len = vsnprintf(line, sizeof(line), format, list);
    va_end(list);
    if (len < 0 || (size_t)len >= sizeof(line)) {
        bench_die("a line is longer than %zu bytes", sizeof(line));
    }
    wire_send(w, line, (size_t)len);
}

/* Receive more behind what is there; what was taken makes room first. */
static void receive(wire *w)
{
    if (w->pos > 0) {
        memmove(w->buffer, w->buffer + w->pos, w->len - w->pos);
        w->len -= w->pos;
        w->pos = 0;
    }
    if (w->len == WIRE_READ_SIZE) {
        bench_die("a message is longer than %d bytes", WIRE_READ_SIZE);
    }
    if (w->ssl != NULL) {
        w->len += receive_secure(w);
        return;
    }
    ssize_t n;
    do {
        n = recv(w->fd, w->buffer + w->len, WIRE_READ_SIZE - w->len, 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        bench_die("recv: %s", n == 0 ? "the server closed the connection" : strerror(errno));
    }
    w->len += w->masked != NULL ? unframe(w, w->buffer + w->len, (size_t)n) : (size_t)n;
}

/* The next line without its CRLF, NUL-terminated in place; NULL when it is not whole yet. */
static char *take_line(wire *w, size_t *len_out)
{
    char *line = w->buffer + w->pos;
    char *end = memchr(line, '\n', w->len - w->pos);
    if (end == NULL) {
        return NULL;
    }
    w->pos += (size_t)(end - line) + 1;
    *len_out = (size_t)(end - line) - 1;
    return line;
}

/* What a line that is no message asks for. */
static void control(wire *w, const char *line, size_t len)
{
    if (line[0] == 'P' && line[1] == 'I') {
        wire_send(w, "PONG\r\n", 6);
    } else if (line[0] == '-') {
        bench_die("the server said: %.*s", (int)len, line);
    }
}

void wire_flush(wire *w)
{
    wire_send(w, "PING\r\n", 6);
    for (;;) {
        size_t len;
        char *line = take_line(w, &len);
        if (line == NULL) {
            receive(w);
        } else if (len >= 4 && memcmp(line, "PONG", 4) == 0) {
            return;
        } else {
            control(w, line, len);
        }
    }
}

void wire_open(wire *w, const char *host, uint16_t port, bench_over over)
{
    memset(w, 0, sizeof(*w));
    w->buffer = bench_alloc(WIRE_READ_SIZE);
    dial(w, host, port);
    if (over == BENCH_OVER_TLS) {
        secure(w);
    } else if (over == BENCH_OVER_WS) {
        upgrade(w);
    }
    wire_printf(w, "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"raw\","
                   "\"version\":\"1\",\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\n");
    wire_flush(w);
}

void wire_close(wire *w)
{
    SSL_free(w->ssl);
    close(w->fd);
    free(w->masked);
    free(w->buffer);
}

/* The number at the end of a line. */
static size_t last_number(const char *line, size_t len)
{
    size_t value = 0;
    size_t scale = 1;
    while (len > 0 && line[len - 1] != ' ') {
        value += (size_t)(line[--len] - '0') * scale;
        scale *= 10;
    }
    return value;
}

void wire_count(wire *w)
{
    receive(w);
    for (;;) {
        size_t here = w->len - w->pos;
        if (w->skip > here) {
            w->skip -= here;
            w->pos = w->len;
            return;
        }
        w->pos += w->skip;
        w->skip = 0;
        size_t len;
        char *line = take_line(w, &len);
        if (line == NULL) {
            return;
        }
        if (line[0] != 'M') {
            control(w, line, len);
            continue;
        }
        size_t size = last_number(line, len);
        w->skip = size + 2;
        w->msgs++;
        w->bytes += size;
    }
}

/* MSG subject sid [reply] size: the reply is there when there are four blanks. */
static void find_reply(char *line, size_t len, wire_msg *msg)
{
    char *blanks[4];
    size_t count = 0;
    for (char *c = line; c < line + len && count < 4; c++) {
        if (*c == ' ') {
            blanks[count++] = c;
        }
    }
    msg->reply = count == 4 ? blanks[2] + 1 : NULL;
    msg->reply_len = count == 4 ? (size_t)(blanks[3] - blanks[2]) - 1 : 0;
}

void wire_next(wire *w, wire_msg *msg)
{
    for (;;) {
        size_t start = w->pos;
        size_t len;
        char *line = take_line(w, &len);
        if (line == NULL) {
            receive(w);
            continue;
        }
        if (line[0] != 'M' && line[0] != 'H') {
            control(w, line, len);
            continue;
        }
        size_t size = last_number(line, len);
        if (w->len - w->pos < size + 2) {
            w->pos = start;
            receive(w);
            continue;
        }
        find_reply(line, len, msg);
        msg->data = w->buffer + w->pos;
        msg->data_len = size;
        w->pos += size + 2;
        return;
    }
}

size_t wire_left(const wire *w)
{
    return w->len - w->pos;
}
