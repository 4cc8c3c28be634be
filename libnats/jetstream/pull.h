/* Pull requests (ADR-13, ADR-37): how much was asked for and is still to come, so that it is asked for more before
 * that runs dry, and never for more than the queue takes.
 *
 * A message does not tell to which request it belongs. The server serves open requests in turn, one
 * message each, and so the list here is turned: what is left of each is known nearly, and exactly
 * when a status tells. */
#ifndef NATS_JETSTREAM_PULL_H
#define NATS_JETSTREAM_PULL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <polynats/msg.h>

#include "jetstream/js.h"
#include "json/json.h"

struct nats__answer;
struct nats__consume;
struct nats__word;

enum {
    NATS__PULLS_MAX = 32 /* open at once: topping up at half needs few */
};

typedef struct nats__pull_request {
    uint64_t number;
    uint64_t msgs;  /* still to come, at most */
    uint64_t bytes; /* likewise; 0: not counted */
    uint64_t bytes_asked;
    int64_t gone_ns; /* the server has dropped it by then */
} nats__pull_request;

typedef struct nats__pull {
    nats__pull_request open[NATS__PULLS_MAX]; /* a ring; the first gets the next message */
    size_t first;
    size_t count;
    uint64_t msgs; /* sums of the open ones */
    uint64_t bytes;
    uint64_t number;       /* of the last */
    uint64_t first_number; /* a word of one before is about another consumer */
    int64_t seen_ns;       /* the last sign of life */
    int64_t rest_until_ns; /* no request before */
    int64_t rest_ns;       /* how long the last rest was */
    int64_t expires_ns;    /* 0: it does not */
    int64_t heartbeat_ns;  /* 0: none */
    uint64_t waiting_max;  /* the consumer's limits; 0: none */
    uint64_t batch_max;
    uint64_t bytes_max;
    int64_t expires_max_ns;
    bool whole; /* the next asks for all bytes: a message was too large for its share */
    char pin[NATS__JS_PIN_MAX + 1];
} nats__pull;

/* What a consumer's configuration limits. */
void nats__pull_configure(struct nats__consume *self, const nats__json *config);
/* Ask for more if little is to come. */
void nats__pull_top_up(struct nats__consume *self);
/* Where requests go to: its length, 0 when it is too long. */
size_t nats__pull_subject(const struct nats__consume *self, char *out, size_t size);
/* Would no request ever ask for more bytes than that? */
bool nats__pull_is_most(const struct nats__consume *self, uint64_t bytes);
/* One request for so much. */
bool nats__pull_ask(struct nats__consume *self, uint64_t msgs, uint64_t bytes, int64_t now_ns);
/* A message came. */
void nats__pull_got(nats__pull *pull, size_t size, int64_t now_ns);
/* Is it about a request that was sent, and not given up? */
bool nats__pull_knows(const nats__pull *pull, const struct nats__word *word);
/* A word that ends its request. Returns how many bytes it had asked for if it had brought nothing,
 * else 0. */
uint64_t nats__pull_closed(nats__pull *pull, const struct nats__word *word);
/* Nothing is under way any more, and what is said of it is stale. */
void nats__pull_forget(nats__pull *pull);
/* Wait before the next request, unless that is so already; longer each time, until something comes, but not for
 * longer than a heartbeat. */
void nats__pull_rest(nats__pull *pull, int64_t now_ns);
/* The defaults, and limits of the queue that hold what was asked for. */
void nats__pull_set_up(struct nats__consume *self);
#define NATS__PULL_EXPIRES_NS INT64_C(30000000000)
#define NATS__PULL_EXPIRES_MIN_NS INT64_C(1000000) /* without end: less is asking in a tight loop */
#define NATS__PULL_HEARTBEAT_MIN_NS INT64_C(500000000) /* of the usual one */
int64_t nats__pull_heartbeat_ns(int64_t expires_ns); /* ADR-37 */
/* A consumer's info: its limits. False when it is none to pull from, or no info: this thread's last
 * error. */
bool nats__pull_look(struct nats__consume *self, const struct nats__answer *answer);
/* A request was closed that had brought nothing, for the next message is larger than `untouched`
 * (0: it is not known). False when it never will be delivered: this thread's last error. */
bool nats__pull_too_large(struct nats__consume *self, uint64_t untouched);
/* Who has the pin says so in each request (ADR-42). True: it is another than before. */
bool nats__pull_note_pin(struct nats__consume *self, const nats_msg *msg);

/* What a word means for who pulls. */
typedef enum nats__deed {
    NATS__DEED_SEEN,      /* a sign of life */
    NATS__DEED_GO_ON,     /* the request is over, and that is all */
    NATS__DEED_TOO_LARGE, /* it had too little room for the next message */
    NATS__DEED_ANEW,      /* all requests are gone */
    NATS__DEED_LATER,     /* not now */
    NATS__DEED_ELSEWHERE, /* its server goes down: another has the consumer in a while */
    NATS__DEED_LIMIT,     /* the consumer allows no such request (any more) */
    NATS__DEED_ASK,       /* something is wrong with the consumer: what? */
    NATS__DEED_UNPIN,     /* another client has the messages */
    NATS__DEED_DELETED,   /* the consumer is gone */
    NATS__DEED_LASTING    /* it will not be better */
} nats__deed;
nats__deed nats__word_deed(const struct nats__word *word);
/* What it says as this thread's last error. */
nats_status nats__word_fail(const struct nats__consume *self, const struct nats__word *word);
/* When something is to be done. */
int64_t nats__pull_due_ns(const struct nats__consume *self);
/* Requests that the server has dropped by now are no more; a rest that is over neither. */
void nats__pull_expire(nats__pull *pull, int64_t now_ns);
/* Two heartbeats were missed. */
bool nats__pull_is_silent(const nats__pull *pull, int64_t now_ns);

#endif
