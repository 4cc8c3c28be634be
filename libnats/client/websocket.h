/* WebSocket on a connection: made after TCP (and TLS), then between the socket on one side and
 * parser and outbox on the other.
 *
 * Out: what the outbox gives to be written is masked into a buffer of its own, a frame at a time,
 * and leaves it in one piece. So the outbox keeps its bytes as they were until they are gone, and a
 * frame takes one call to the socket, or one run of TLS records. In: a read goes to where the parser
 * wants it, and frame heads are taken out there; only compressed frames have a place of their own. */
#ifndef NATS_CLIENT_WEBSOCKET_H
#define NATS_CLIENT_WEBSOCKET_H

#include "base/buf.h"
#include "io/tls.h"
#include "proto/upgrade.h"
#include "proto/websocket.h"
#include "zip/zip.h"

enum {
    /* Payload of a frame of ours: what the outbox gathers, and the head's room in one buffer. */
    NATS__WS_FRAME_MAX = 128 * 1024 - NATS__WS_HEAD_MAX,
    NATS__WS_FRAME_MIN = 4 * 1024, /* room for one that is always there */
    NATS__WS_KEYS = 64             /* that are asked of the system at once */
};

/* The socket, in clear or with TLS on it. */
typedef struct nats__ws_link {
    int fd;
    nats__tls *tls; /* NULL: in clear */
} nats__ws_link;

/* What a writer has, alone, while it writes. */
typedef struct nats__ws_writer {
    nats__zip *zip;      /* NULL: nothing is compressed */
    nats__buf frame;     /* being written: from at on */
    size_t at;
    size_t head_len;     /* of the frame */
    size_t covers;       /* bytes of the outbox that are in it */
    bool deflated;
    bool secret;         /* of a handshake: wiped when it is gone */
    uint8_t keys[NATS__WS_KEYS][NATS__WS_KEY];
    size_t key_at;       /* the next; NATS__WS_KEYS: all are used */
    /* A control frame that goes out behind the one being written. out_lock. */
    uint8_t control[NATS__WS_HEAD_MAX + NATS__WS_CONTROL_MAX];
    size_t control_len;
} nats__ws_writer;

typedef struct nats__ws {
    bool up;
    nats__upgrade upgrade;
    nats__buf request;   /* and how much of it has gone */
    size_t request_at;
    int wants;           /* NATS__POLL_…, before it is up */
    /* the driver's */
    nats__ws_reader reader;
    nats__zip *zip;      /* NULL: not agreed on */
    nats__buf in;        /* the answer, then what is to be unpacked: from in_at on */
    size_t in_at;
    nats__ws_piece piece; /* of it, under way */
    bool in_piece;
    bool in_tail;        /* the bytes that end a compressed message are */
    char why[192];       /* it ended */
    nats__ws_writer writer;
} nats__ws;

/* What a read brought. */
typedef struct nats__ws_sight {
    size_t raw; /* bytes of the socket */
    bool more;  /* read again before waiting */
} nats__ws_sight;

/* As nats__tcp_read(), for the driver: -1 with errno EPROTO when it is no WebSocket, -2 after a close
 * frame, too: nats__ws_why(). 0 also when what came has no payload. */
ptrdiff_t nats__ws_read(nats__ws *ws, nats__ws_link link, uint8_t *space, size_t size,
                        nats__ws_sight *out);
const char *nats__ws_why(const nats__ws *ws); /* "" when the socket just ended */

/* As nats__tcp_write(), for the one who writes. Up to len bytes of the outbox are put into a frame if
 * none is under way; deflate_max: bytes of them that may be compressed together, 0 for none.
 * *covered_out: how many bytes of the outbox are gone now. */
ptrdiff_t nats__ws_write(nats__ws_writer *writer, nats__ws_link link, const uint8_t *data,
                         size_t len, size_t deflate_max, size_t *covered_out);
/* Is there something to be written besides the outbox? For the one who writes; out_lock. A control
 * frame that waits comes first now, unless a frame is under way. */
bool nats__ws_waits(nats__ws_writer *writer);
/* A frame is under way that will not be finished: bytes of the outbox that may have arrived. */
size_t nats__ws_uncertain(const nats__ws_writer *writer);
void nats__ws_rest(nats__ws_writer *writer); /* give back what a burst needed */

/* Is a pong due? ws may be NULL. */
static inline bool nats__ws_owes(const nats__ws *ws)
{
    return ws != NULL && ws->reader.pinged;
}
/* Put it where it waits to be written. out_lock. False when none is due. */
bool nats__ws_pong(nats__ws *ws);
/* Say goodbye, if that can be done at once: nobody writes any more. */
void nats__ws_bye(nats__ws *ws, nats__ws_link link);

nats_status nats__ws_new(nats__ws **out); /* NO_MEMORY */
void nats__ws_free(nats__ws *ws);         /* NULL is fine */

#endif
