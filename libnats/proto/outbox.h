/* What is to be sent: frames appended by publishers, taken out in large pieces by whoever
 * writes.
 *
 * Three runs of bytes: `urgent` (handshake, resubscription: goes out also while the gate is
 * closed), `fill` (frames being appended) and `drain` (whole frames being written, swapped in
 * from one of the others). The gate is open while the connection is usable; closed, publishes
 * gather in fill up to a limit. When the connection is lost, what was written is gone, a frame
 * that was cut in the middle is lost and counted, whole publishes are kept, and control lines
 * are dropped, for the state machine writes them anew.
 *
 * Every publish has a number (the count of those accepted): `resolved` is how many of them are
 * settled: confirmed by a PONG, or reported as lost or unconfirmed. No locks here: the client
 * has its own. */
#ifndef NATS_PROTO_OUTBOX_H
#define NATS_PROTO_OUTBOX_H

#include "base/buf.h"
#include "base/copy.h"
#include "base/decimal.h"

typedef struct nats__outbox {
    nats__buf fill;
    nats__buf drain;
    nats__buf urgent;
    size_t drained;          /* bytes of drain already written */
    uint64_t accepted;       /* publishes ever appended */
    uint64_t resolved;
    nats__buf dropped;       /* uint64_t: numbers above resolved of those that were dropped, in order */
    uint64_t written_bytes;  /* all bytes ever written */
    bool open;
    bool drain_urgent;       /* drain came from urgent: it is not kept when all is lost */
} nats__outbox;

/* One publish, its parts already checked. */
typedef struct nats__frame {
    const char *subject;
    size_t subject_len;
    const char *reply; /* NULL: none */
    size_t reply_len;
    const uint8_t *headers; /* NULL: none */
    size_t headers_len;
    const void *data;
    size_t data_len;
    uint64_t epoch; /* only for the connection that the client counts so; 0: for any */
} nats__frame;

void nats__outbox_free(nats__outbox *box);

/* Bytes that the frame takes on the wire, at most: "HPUB ", three blanks, two numbers, CRLF
 * twice. */
static inline size_t nats__frame_bound(const nats__frame *frame)
{
    return 5 + 3 + (size_t)2 * NATS__DECIMAL_MAX + 4 + frame->subject_len + frame->reply_len +
           frame->headers_len + frame->data_len;
}

/* Write PUB or HPUB where nats__frame_bound() bytes are free. Returns the place behind it. */
static inline __attribute__((always_inline)) uint8_t *nats__frame_write(uint8_t *at,
                                                                        const nats__frame *frame)
{
    bool with_headers = frame->headers_len > 0;
    at = with_headers ? nats__copy(at, "HPUB ", 5) : nats__copy(at, "PUB ", 4);
    at = nats__copy(at, frame->subject, frame->subject_len);
    *at++ = ' ';
    if (frame->reply_len > 0) {
        at = nats__copy(at, frame->reply, frame->reply_len);
        *at++ = ' ';
    }
    if (with_headers) {
        at += nats__decimal_write((char *)at, frame->headers_len);
        *at++ = ' ';
    }
    at += nats__decimal_write((char *)at, frame->headers_len + frame->data_len);
    at = nats__copy(at, "\r\n", 2);
    if (with_headers) {
        at = nats__copy(at, frame->headers, frame->headers_len);
    }
    at = nats__copy(at, frame->data, frame->data_len);
    return nats__copy(at, "\r\n", 2);
}
/* Append PUB or HPUB. False when memory is out: nothing was appended. */
bool nats__outbox_publish(nats__outbox *box, const nats__frame *frame);
/* Append control lines: to fill when the gate is open, else to urgent. */
bool nats__outbox_control(nats__outbox *box, const void *lines, size_t len);

/* Bytes that wait to be written, in all. */
static inline size_t nats__outbox_pending(const nats__outbox *box)
{
    return box->fill.len + box->urgent.len + (box->drain.len - box->drained);
}

/* Bring the next bytes to the front of drain. False when there is nothing that may go now.
 * Afterwards drain.data + drained .. drain.len may be written without a lock, by one writer. */
bool nats__outbox_take(nats__outbox *box);
/* n bytes of drain were written. */
void nats__outbox_wrote(nats__outbox *box, size_t n);

/* A PONG came for a PING that was appended when `accepted` was mark. */
void nats__outbox_confirm(nats__outbox *box, uint64_t mark);

/* Whose publishes are requests, and those that were dropped: who asked must be told. */
typedef struct nats__askers {
    const char *inbox; /* where they want their replies below; NULL: there are none */
    size_t inbox_len;
    nats__buf large;  /* reply subjects, each with a NUL: too large; with no memory it misses some */
    nats__buf headed; /* the same: with headers, which the server does not know */
} nats__askers;

/* The server takes less than the one before it: drop what waits and is larger, or has headers that
 * it does not know, for it would close the connection over it. Returns how many publishes. */
uint64_t nats__outbox_limit(nats__outbox *box, size_t payload_max, bool headers,
                            nats__askers *askers);

/* Nothing was sent for a while: give memory back. */
void nats__outbox_rest(nats__outbox *box);

/* Lines of a handshake that came to nothing: they are not for the next server. While the gate is
 * closed. */
void nats__outbox_drop_handshake(nats__outbox *box);

/* The connection is lost. keep_max: bytes of whole publishes that may be kept (0: all are lost).
 * Those that want their reply below inbox (NULL: none is like that) are lost: who asked has been
 * told so, and may ask again. Closes the gate. */
void nats__outbox_lost(nats__outbox *box, size_t keep_max, const char *inbox, size_t inbox_len,
                       uint64_t *lost_out, uint64_t *unconfirmed_out);

#endif
