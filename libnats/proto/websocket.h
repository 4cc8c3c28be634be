/* WebSocket frames (RFC 6455), a client's side: bytes in, bytes out, nothing else.
 *
 * What is in the frames is one stream of bytes: where frames and messages begin and end says
 * nothing to NATS. So payloads are handed on as they come, in whatever pieces, and no length that a
 * server declares takes memory. Only the messages of permessage-deflate have an end that matters. */
#ifndef NATS_PROTO_WEBSOCKET_H
#define NATS_PROTO_WEBSOCKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    NATS__WS_KEY = 4,           /* bytes that a frame is masked with: random ones, for each anew */
    NATS__WS_HEAD_MAX = 14,     /* of a masked frame */
    NATS__WS_CONTROL_MAX = 125, /* payload of a control frame, by the RFC */
    NATS__WS_REASON_MAX = NATS__WS_CONTROL_MAX - 2
};

typedef enum nats__ws_op {
    NATS__WS_CONTINUATION = 0,
    NATS__WS_TEXT = 1,
    NATS__WS_BINARY = 2,
    NATS__WS_CLOSE = 8,
    NATS__WS_PING = 9,
    NATS__WS_PONG = 10
} nats__ws_op;

/* Codes of a close frame. */
enum {
    NATS__WS_NORMAL = 1000,
    NATS__WS_PROTOCOL_ERROR = 1002,
    NATS__WS_NO_CODE = 1005, /* none was in the frame; never sent */
    NATS__WS_BAD_DATA = 1007
};

/* ---- out ---- */

/* The head of a frame that is a message of its own, its payload of len bytes masked with key.
 * Returns its length, NATS__WS_HEAD_MAX at most. */
size_t nats__ws_head(uint8_t out[NATS__WS_HEAD_MAX], nats__ws_op op, bool deflated, size_t len,
                     const uint8_t key[NATS__WS_KEY]);
/* Mask len bytes, the first of a frame, from `from` to `to`, which may be the same place. */
void nats__ws_mask(uint8_t *to, const uint8_t *from, size_t len, const uint8_t key[NATS__WS_KEY]);
/* A whole control frame. len: NATS__WS_CONTROL_MAX at most. Returns its length. */
size_t nats__ws_control(uint8_t out[NATS__WS_HEAD_MAX + NATS__WS_CONTROL_MAX], nats__ws_op op,
                        const void *payload, size_t len, const uint8_t key[NATS__WS_KEY]);
/* A close frame; NATS__WS_NO_CODE: without a code. */
size_t nats__ws_close(uint8_t out[NATS__WS_HEAD_MAX + NATS__WS_CONTROL_MAX], uint16_t code,
                      const uint8_t key[NATS__WS_KEY]);

/* ---- in ---- */

/* Reads a server's frames. The caller sets `deflate` after init, and takes what is noted. */
typedef struct nats__ws_reader {
    bool deflate;     /* permessage-deflate was agreed on */
    /* noted for the caller */
    bool pinged;      /* a pong with `ping` is owed; he resets it */
    uint8_t ping[NATS__WS_CONTROL_MAX]; /* of the last one: it answers those before, too */
    size_t ping_len;
    bool closed;      /* a close frame came: nothing after it counts */
    uint16_t code;
    char reason[NATS__WS_REASON_MAX + 1]; /* UTF-8, "" for none */
    const char *error; /* not a WebSocket: a fixed text, and nothing more is read */
    /* its own */
    uint8_t head[NATS__WS_HEAD_MAX];
    size_t head_len;  /* bytes of it that are there */
    bool in_frame;    /* the head was read: `left` bytes of payload come */
    uint64_t left;
    uint8_t op;
    bool final;
    bool in_message;  /* a data frame that was not final came: its continuation must */
    bool deflated;    /* so is the message */
    uint8_t control[NATS__WS_CONTROL_MAX];
    size_t control_len;
} nats__ws_reader;

/* A piece of payload. */
typedef struct nats__ws_piece {
    const uint8_t *data;
    size_t len;
    bool deflated;
    bool last; /* its message ends here */
} nats__ws_piece;

void nats__ws_reader_init(nats__ws_reader *reader);
/* Take the next piece of payload off the front of *data, and whatever stands before it. False when
 * all *len bytes are used up, or the end has come: closed or error is set then. Empty pieces come
 * only where a deflated message ends. */
bool nats__ws_reader_next(nats__ws_reader *reader, const uint8_t **data, size_t *len,
                          nats__ws_piece *out);
/* Leave nothing but payload of the len bytes of data, moved together at its front: not for deflated
 * messages. Returns how much that is. */
size_t nats__ws_reader_strip(nats__ws_reader *reader, uint8_t *data, size_t len);

#endif
