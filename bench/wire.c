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

#include "bench.h"

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

void wire_send(wire *w, const void *data, size_t len)
{
    if (w->ssl != NULL) {
        send_secure(w, data, len);
        return;
    }
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
    w->len += (size_t)n;
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

void wire_open(wire *w, const char *host, uint16_t port, int tls)
{
    memset(w, 0, sizeof(*w));
    w->buffer = bench_alloc(WIRE_READ_SIZE);
    dial(w, host, port);
    if (tls) {
        secure(w);
    }
    wire_printf(w, "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"raw\","
                   "\"version\":\"1\",\"protocol\":1,\"headers\":true,\"no_responders\":true}\r\n");
    wire_flush(w);
}

void wire_close(wire *w)
{
    SSL_free(w->ssl);
    close(w->fd);
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
