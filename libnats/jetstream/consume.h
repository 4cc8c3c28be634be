/* Subscriptions to consumers: what the ways of consuming share. Each is a hook below a subscription
 * to an inbox of its own, "<inbox>.*", whose last token tells what comes: "a<n>" the answer to a
 * question to the API, "p<n>" a word about pull request n. Messages of the stream come with their
 * own subjects.
 *
 * mu held throughout, unless said otherwise. */
#ifndef NATS_JETSTREAM_CONSUME_H
#define NATS_JETSTREAM_CONSUME_H

#include "client/hook.h"
#include "jetstream/js.h"
#include "jetstream/pull.h"
#include "jetstream/shape.h"
#include "json/json.h"

enum {
    NATS__GROUP_MAX = 64,  /* bytes of a priority group's name: the server takes 16 */
    NATS__SERIAL_MAX = 16  /* of an ordered consumer's number, with what comes before it */
};

typedef enum nats__how {
    NATS__HOW_CONSUME,
    NATS__HOW_FETCH,
    NATS__HOW_PUSH,
    NATS__HOW_ORDERED
} nats__how;

/* Stands in a push consumer's configuration for an inbox of our own. */
#define NATS__PUSH_INBOX "_"

/* What was asked for, checked. Numbers are 0 when they were not given. */
typedef struct nats__consume_args {
    nats__how how;
    char stream[NATS__JS_NAME_MAX + 1];
    char consumer[NATS__JS_NAME_MAX + 1]; /* "": none was named */
    char group[NATS__GROUP_MAX + 1];
    char *config; /* owned JSON object; NULL: none */
    nats__js_needs needs;
    int64_t max_messages;
    int64_t max_bytes;
    int64_t threshold_messages;
    int64_t threshold_bytes;
    int64_t expires_ns;
    int64_t heartbeat_ns; /* -1: none was named */
    int64_t min_pending;
    int64_t min_ack_pending;
    int64_t priority; /* -1: none was named */
    int64_t pending_msgs;
    int64_t pending_bytes;
    int32_t mode; /* NATS_SUB_… */
    bool no_wait;
} nats__consume_args;

/* An answer of the API. */
typedef struct nats__answer {
    int32_t code; /* 0: it is good. 503: nobody listens; SILENT: it did not come in time; REFUSED: it may
                   * not be asked for, and is not needed */
    int32_t err_code;
    const char *description; /* NUL-terminated */
    const nats__json *doc;
    nats_msg *msg; /* NULL: none came */
} nats__answer;

enum { NATS__SILENT = -1, NATS__GARBLED = -2, NATS__REFUSED = -3 };

/* A status message. */
typedef struct nats__word {
    int32_t code;
    const char *text;
    size_t len;
    uint64_t number; /* of the pull request; 0: of a push consumer */
    const nats_msg *msg;
} nats__word;

typedef struct nats__consume nats__consume;

/* What each way does in its own manner. */
typedef struct nats__consume_kind {
    nats_status (*start)(nats__consume *self, int64_t now_ns);
    void (*on_answer)(nats__consume *self, const nats__answer *answer, int64_t now_ns);
    void (*on_message)(nats__consume *self, nats_msg *msg, int64_t now_ns); /* to keep, or free */
    void (*on_word)(nats__consume *self, const nats__word *word, int64_t now_ns);
    void (*on_taken)(nats__consume *self, size_t count);
    void (*on_time)(nats__consume *self, int64_t now_ns);
    int64_t (*due_ns)(const nats__consume *self); /* when on_time is to be called; INT64_MAX: never */
    void (*on_lost)(nats__consume *self);
    void (*on_connected)(nats__consume *self, int64_t now_ns);
    nats_sub *(*source)(const nats__consume *self); /* as of a hook */
    void (*on_closing)(nats__consume *self); /* the client is */
    void (*on_ended)(nats__consume *self);
} nats__consume_kind;

/* Of an ordered consumer (jetstream/ordered.c). */
typedef struct nats__ordered {
    char name[NATS__SERIAL_MAX + 32]; /* of the consumer that there is, or is being made */
    size_t base_len;                  /* of it without the number */
    uint64_t serial;
    uint64_t last_stream; /* sequences of the last good message */
    uint64_t last_consumer;
    uint64_t had; /* last_stream where it is one of a message, and not only where it began */
    bool asked; /* it may be there */
    bool made;  /* it is */
    bool begun; /* there was one: the next begins behind last_stream */
    bool last_only;  /* its policy is last_per_subject */
    bool renewed;    /* it was made anew where only the last of each subject count */
    uint64_t known_ns; /* when the stream was there for certain, by the servers' clocks; 0: not known */
    uint64_t made_ns;  /* when the consumer was made, by them; 0: not told */
    uint32_t doubts;   /* times on end that the stream was found to end before last_stream */
    uint64_t bound;  /* where that ends: the stream's last message when it began; UINT64_MAX: not known */
} nats__ordered;

/* Of a push consumer (jetstream/push.c). */
typedef struct nats__push {
    nats_sub *feeder;     /* referenced: to the deliver subject */
    char *stall;          /* where to tell that messages were taken; NULL: nobody waits for that */
    uint64_t stall_left;  /* so many still are to be */
    int64_t heartbeat_ns; /* 0: none */
    int64_t seen_ns;
    bool made;    /* by us, and to go with us */
    bool nameless; /* its name is ours, and not the caller's */
    bool refused; /* the feeder was */
} nats__push;

struct nats__consume {
    nats__hook hook; /* first */
    const nats__consume_kind *kind;
    nats_js *js;     /* referenced */
    nats__consume_args args;
    nats_future *future; /* of the start; NULL when it is over */
    size_t inbox_len;    /* of the subject without the star */
    uint64_t question;   /* number of the one that waits for its answer; 0: none does */
    uint64_t questions;
    int64_t answer_by_ns;
    bool levelling; /* the question is what the server can do */
    bool looking;   /* it is one that may be left without an answer */
    bool ready;     /* the consumer is there */
    bool acks_none; /* what it delivers is not to be acknowledged */
    uint64_t none_seq; /* of such a consumer: the number of its last message */
    uint64_t count; /* messages queued */
    uint64_t bytes; /* their sizes */
    int64_t until_ns; /* of a fetch */
    bool heard;       /* likewise: the server has said something */
    bool doubted;     /* likewise: it was asked whether the consumer is there */
    bool unheard;     /* likewise: the question is why nobody listens to its request */
    bool looked;      /* likewise: how the consumer is is known, or will not be */
    bool limited;     /* likewise: what was known of its limits was old */
    bool shortened;   /* likewise: its request has less time than it has itself */
    nats__pull pull;
    nats__ordered ordered;
    nats__push push;
};

extern const nats__consume_kind nats__kind_endless;
extern const nats__consume_kind nats__kind_fetch;
extern const nats__consume_kind nats__kind_ordered;
extern const nats__consume_kind nats__kind_push;

/* consume_args.c; mu not held. Errors: INVALID, NO_MEMORY. */
nats_status nats__consume_args_read(nats__consume_args *args, const char *how, const char *text,
                                    size_t len);
/* "consume" …, as callers say it. */
const char *nats__how_name(nats__how how);

/* consume.c */
/* mu not held. future_out: as nats_js_consume_start(). */
nats_status nats__consume_start(nats_js *js, const char *how, const char *arguments, size_t len,
                                int64_t timeout_ms, nats_sub **sub_out, nats_future **future_out);

static inline nats__conn *nats__consume_conn(const nats__consume *self)
{
    return self->hook.sub->client->conn;
}

/* Its end has begun: nothing more is to be asked for. */
static inline bool nats__consume_leaves(const nats__consume *self)
{
    return self->hook.ended || self->hook.sub->draining || self->hook.sub->client->draining;
}

/* Ask the API "<verb>.<stream>.<rest>" (rest "": "<verb>.<stream>"; NULL: "<verb>"), body NULL: nothing.
 * The answer comes to kind->on_answer. False when it could not be sent; this thread's last error tells why. */
bool nats__consume_ask(nats__consume *self, const char *verb, const char *rest, const char *body);
/* Ask for a consumer: config with its name in it, NULL: memory is out. */
bool nats__consume_create(nats__consume *self, const char *name, const nats__json *config);
/* Was all made of the given configuration (an `object` of keys.def)? False: NOT_SUPPORTED, this
 * thread's last error. */
bool nats__consume_compare(const nats__consume *self, const char *object,
                           const nats__answer *answer);
/* The same as to ask, and nobody waits for the answer. */
void nats__consume_tell(nats__consume *self, const char *verb, const char *rest);
/* Publish to subject, the reply being in our inbox: "<letter><number>". */
bool nats__consume_send(nats__consume *self, const char *subject, size_t subject_len, char letter,
                        uint64_t number, const char *body);
/* Ask how the consumer is. */
bool nats__consume_probe(nats__consume *self);
/* The consumer is there: the future is given the answer. */
void nats__consume_ready(nats__consume *self, const nats__answer *answer);
/* Queue a message. False when the subscription has ended with it: self may be gone. */
bool nats__consume_push(nats__consume *self, nats_msg *msg, int64_t now_ns);
/* What came to where statuses come to. */
void nats__consume_word(nats__consume *self, nats_msg *msg, uint64_t number, int64_t now_ns);
/* A message's end, and where the connection counts it: as one that the program was to have and has
 * not, as one that it is not to have, as one that was meant for us. */
void nats__consume_drop(nats__consume *self, nats_msg *msg);
void nats__consume_forget(nats__consume *self, nats_msg *msg);
void nats__consume_take(nats__consume *self, nats_msg *msg);
/* End with this thread's last error: the future tells it, if it is open; else next and get do. self
 * may be gone afterwards. */
void nats__consume_fail(nats__consume *self);
/* "fetch of stream S, consumer c": what the words of errors begin with. */
typedef struct nats__whose {
    char text[176];
} nats__whose;
nats__whose nats__consume_whose(const nats__consume *self);
/* What errors are about: the consumer, or the stream where there is none that the caller has named. */
const char *nats__consume_about(const nats__consume *self);
/* Note what an answer says as this thread's last error. */
nats_status nats__consume_words(const nats__consume *self, const nats__answer *answer);
/* Tell of a trouble that it gets over. */
void nats__consume_warn(nats__consume *self, nats_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Have on_time called when something is due. */
void nats__consume_arm(nats__consume *self);
const char *nats__msg_find_header(const nats_msg *msg, const char *key, size_t *len_out);
/* A number in a header of a message: false when there is none. */
bool nats__word_uint(const nats__word *word, const char *key, uint64_t *out);
bool nats__word_says(const nats__word *word, const char *text); /* it begins so, case aside */

#endif
