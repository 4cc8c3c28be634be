/* Received bytes, and the messages in them.
 *
 * Bytes are read into a chunk; each message is a record that points into it and holds a
 * reference, so a message is never copied on its way in. Records come from slabs that belong to
 * their chunk. A chunk whose references are gone returns to its pool with its slabs: no
 * allocation per message.
 *
 * Any thread may drop a reference; all else is done by the one that reads. */
#ifndef NATS_PROTO_CHUNK_H
#define NATS_PROTO_CHUNK_H

#include <stdatomic.h>
#include <stdbool.h>

#include <polynats/msg.h>

enum {
    NATS__CHUNK_SIZE = 128 * 1024, /* bytes of a chunk when traffic is heavy */
    NATS__CHUNK_SMALL = 16 * 1024, /* and when it is not: most connections are quiet */
    NATS__SLAB_MSGS = 102,         /* records of a slab: 8 KiB with its header */
    NATS__POOL_CHUNKS_MAX = 8      /* free chunks that a pool keeps */
};

typedef struct nats__chunk nats__chunk;
typedef struct nats__chunk_pool nats__chunk_pool;

/* The record of a message. Links are the queue's; `owner` is the subscription while the message
 * is queued. Offsets count from text. */
struct nats_msg {
    nats__chunk *chunk;
    const uint8_t *text; /* where the subject begins; "\0" follows subject, reply and data */
    struct nats_msg *client_next;
    struct nats_msg *client_prev;
    struct nats_msg *sub_next;
    void *owner;
    uint64_t sid;
    uint32_t data_len;
    uint32_t header_len;
    uint32_t body;       /* offset of headers, then data */
    uint16_t subject_len;
    uint16_t reply_len;  /* 0: none */
    uint16_t reply;      /* offset */
    atomic_uchar acked;  /* of JetStream (jetstream/ack.h); 0: not */
};

/* References: one for the reader, one for each record of its slabs, whether it is a message yet
 * or not: they are counted up by the slab, for an atomic addition per message is dear. `credit`
 * counts the records that are not. */
struct nats__chunk {
    atomic_uint refs;
    unsigned credit;
    unsigned slab_left; /* of the first slab's records */
    struct nats_msg *slab_next;
    size_t cap;
    size_t slab_count;
    size_t waiting; /* these two are of client/hold.c: what of it waits in queues, */
    size_t counted; /* and the memory that it is counted with meanwhile */
    size_t pos; /* parsed so far */
    size_t len; /* read so far */
    struct nats__slab *slabs;
    nats__chunk_pool *pool;
    nats__chunk *next; /* in the pool */
    uint8_t bytes[];
};

/* Lives until it is closed and its last chunk is back. */
nats__chunk_pool *nats__chunk_pool_new(void);
void nats__chunk_pool_close(nats__chunk_pool *pool);
/* Free what is kept for the next burst: there was none for a while. */
void nats__chunk_pool_rest(nats__chunk_pool *pool);
/* Chunks that come back when *forks has changed are left alone: this is a child then, and the
 * pool its parent's. */
void nats__chunk_pool_watch(nats__chunk_pool *pool, const atomic_uint *forks);

/* A chunk for at least `size` bytes, held by its reader; NULL when memory is out. */
nats__chunk *nats__chunk_new(nats__chunk_pool *pool, size_t size);
/* The reader is done with it. */
void nats__chunk_leave(nats__chunk *chunk);
/* `count` messages are done with it. */
void nats__chunk_unref(nats__chunk *chunk, unsigned count);

/* When only the reader holds it: empty it for reading anew. False when messages still point into
 * it. */
bool nats__chunk_rewind(nats__chunk *chunk);

/* More records for the chunk. False when memory is out. */
bool nats__chunk_grow(nats__chunk *chunk);

/* A record in the chunk, which it holds, not acknowledged; every other field is for the caller to
 * set. NULL when memory is out. */
static inline __attribute__((always_inline)) nats_msg *nats__chunk_msg(nats__chunk *chunk)
{
    if (chunk->slab_left == 0 && !nats__chunk_grow(chunk)) {
        return NULL;
    }
    chunk->slab_left--;
    chunk->credit--;
    nats_msg *msg = chunk->slab_next++;
    msg->chunk = chunk;
    atomic_init(&msg->acked, 0);
    return msg;
}

/* The memory that it takes with its slabs. */
size_t nats__chunk_memory(const nats__chunk *chunk);

/* Bytes a message counts for in pending limits. */
static inline size_t nats__msg_size(const nats_msg *msg)
{
    return (size_t)msg->subject_len + msg->reply_len + msg->header_len + msg->data_len;
}

/* A copy of msg in `into` (whose free space must do: nats__msg_room()), dropping nothing of msg. */
nats_msg *nats__msg_copy(const nats_msg *msg, nats__chunk *into);
size_t nats__msg_room(const nats_msg *msg);
/* A message that did not come as such, in a chunk of its own, without a reply. headers: a whole block
 * ("NATS/1.0" to the blank line), or none. NULL when memory is out. Sizes are those of a message. */
nats_msg *nats__msg_make(nats__chunk_pool *pool, const char *subject, size_t subject_len,
                         const void *headers, size_t headers_len, const void *data,
                         size_t data_len);

#endif
