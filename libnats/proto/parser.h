/* The wire, read in place: bytes in any split, one operation out at a time, O(n).
 *
 * Reserve room, put bytes there, commit; then pull operations until NATS__OP_MORE. A control
 * line is looked at when it is whole; a payload is not looked at at all. What the server
 * declares is checked against the limits before memory is taken. */
#ifndef NATS_PROTO_PARSER_H
#define NATS_PROTO_PARSER_H

#include "proto/chunk.h"

enum {
    NATS__CONTROL_LINE_MAX = 8192, /* twice the default of servers: MSG is longer than PUB */
    NATS__INFO_LINE_MAX = 1024 * 1024, /* INFO lists a cluster's URLs: it may be long */
    /* What servers add to the headers of a message that had max_payload already: a stored one
     * comes with its stream, subject, sequence and time. */
    NATS__SERVER_HEADERS_MAX = 16 * 1024,
    /* What a server answers by itself is not held to max_payload: JetStream tells 100,000 subjects
     * of a stream at once, and all of its deleted messages. As much as a server may be told to take. */
    NATS__ANSWER_MAX = 64 * 1024 * 1024
};

typedef enum nats__op {
    NATS__OP_MORE, /* all whole operations were taken */
    NATS__OP_MSG,
    NATS__OP_INFO,
    NATS__OP_PING,
    NATS__OP_PONG,
    NATS__OP_OK,
    NATS__OP_ERR,
    NATS__OP_BAD,       /* not the protocol: the end; error and error_offset say why, where */
    NATS__OP_NO_MEMORY  /* try again later, or give up */
} nats__op;

typedef struct nats__parser {
    nats__chunk_pool *pool;
    nats__chunk *chunk;    /* being read; NULL before the first byte */
    size_t scanned;        /* bytes of the current line already searched for its end */
    size_t body_need;      /* bytes of the message after its line, CRLF counted; 0: at a line */
    uint64_t offset;       /* of the connection: bytes parsed before this chunk's pos */
    size_t payload_max;    /* what a message may declare: set it from INFO and the option */
    uint64_t answer_sid;   /* whose messages may be a server's answers; 0: none */
    bool busy;             /* the last read filled its room: larger chunks pay */
    /* the operation taken last */
    nats_msg *msg;         /* MSG: the caller owns the reference */
    const char *text;      /* INFO, ERR: borrowed until the next reserve; not NUL-terminated */
    size_t text_len;
    const char *error;     /* BAD: a fixed text */
    uint64_t error_offset; /* BAD: of the byte or line, from the connection's first byte */
    /* the message whose payload is awaited */
    nats_msg pending;
    size_t pending_text;   /* offset of its line's subject in the chunk */
} nats__parser;

void nats__parser_init(nats__parser *parser, nats__chunk_pool *pool);
/* Forget what was read: a new connection begins. The pool stays. */
void nats__parser_reset(nats__parser *parser);
void nats__parser_free(nats__parser *parser);

/* Room to read into, at least 1 byte. False when memory is out. */
bool nats__parser_reserve(nats__parser *parser, uint8_t **space, size_t *size);
/* Nothing came for a while: give the chunk back if no operation is under way. */
void nats__parser_rest(nats__parser *parser);
/* Room for all of len bytes in one piece. False when memory is out. */
bool nats__parser_reserve_all(nats__parser *parser, size_t len, uint8_t **space);
void nats__parser_commit(nats__parser *parser, size_t len);

nats__op nats__parser_next(nats__parser *parser);

/* Bytes committed since reset. */
uint64_t nats__parser_offset(const nats__parser *parser);

#endif
