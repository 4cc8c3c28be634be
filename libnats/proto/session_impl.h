/* The inside of the session, shared by its files. */
#ifndef NATS_PROTO_SESSION_IMPL_H
#define NATS_PROTO_SESSION_IMPL_H

#include "base/error.h"
#include <polynats/subject.h>

#include "proto/err.h"
#include "proto/session.h"
#include "proto/submap.h"

enum {
    SESSION_EVENTS_MAX = 16,       /* one step makes five at most, taken before the next */
    SESSION_OUT_MAX = 64 * 1024,   /* PONGs nobody sends: one is as good as ten thousand */
    NS_PER_MS = 1000000
};

/* A PING that is not answered yet. */
typedef struct ping {
    uint64_t token;
    uint64_t mark;
    int64_t sent_ns;
    bool keep_alive;
} ping;

typedef struct ping_queue {
    ping *items; /* a ring */
    size_t cap;
    size_t head;
    size_t count;
    uint64_t last_token;
    int32_t keep_alive_out;
} ping_queue;

typedef struct queued_event {
    nats__session_event event;
    char text[NATS__ERROR_TEXT_MAX];
} queued_event;

struct nats__session {
    int32_t state;
    nats_options options;
    nats__pool pool;
    nats__rng rng;
    nats__parser parser;
    nats__buf out;
    nats_info *info;

    nats__submap subs;
    uint64_t last_sid;
    uint64_t stray;
    bool owes_unsub;   /* see nats__session_owe_unsub() */
    uint64_t told_sid; /* the last stray one that was answered so */
    ping_queue pings;

    int64_t attempt_deadline_ns;
    int64_t wake_ns;      /* WAITING: when the next server is due */
    int64_t next_ping_ns;
    uint64_t mark; /* of keep-alive pings */
    int64_t connected_ns;
    bool connected_once;
    bool expect_signature;
    size_t payload_seen; /* the largest max_payload that a server told */
    bool asks; /* credentials are wanted at each connect, nonce or not */
    bool secured; /* TLS is up on this connection */
    bool tls_first;    /* TLS is made before INFO comes */
    bool secured_once; /* it was, on some connection: it is wanted from then on */
    bool lame_duck;
    int64_t move_ns;     /* when to leave it; INT64_MAX: not */
    uint64_t move_token; /* of the PING whose PONG confirms what was published; 0: none yet */
    bool move_now;       /* once what has been read is told */
    bool hold_pongs;
    bool pong_owed;
    bool msg_parsed; /* the parser's message awaits its turn, see nats__session_answer() */
    size_t first_failures; /* attempts before the first success */

    queued_event events[SESSION_EVENTS_MAX]; /* a ring */
    size_t event_head;
    size_t event_count;
    char *discovered;                     /* text of the DISCOVERED event */
    char *lost_url;                       /* of the DISCONNECTED event */
    char subject[NATS_SUBJECT_MAX + 1];   /* of the last permissions violation */
    char queue[NATS_SUBJECT_MAX + 1];     /* likewise */
};

/* Clocks may begin anywhere: what would lie past their end is never. */
static inline int64_t nats__later(int64_t now_ns, int64_t wait_ns)
{
    return now_ns > INT64_MAX - wait_ns ? INT64_MAX : now_ns + wait_ns;
}

static inline int64_t nats__session_after(const nats__session *session, int64_t now_ns,
                                          nats__option_id duration)
{
    return nats__later(now_ns, nats__opt(&session->options, duration) * NS_PER_MS);
}

/* session.c */
nats__session_event *nats__session_push(nats__session *session, int32_t type, nats_status status,
                                        const char *text);

/* handshake.c */
nats_status nats__session_check_credentials(const nats__session *session);
void nats__session_note_asks(nats__session *session);
void nats__session_on_info(nats__session *session, int64_t now_ns);
void nats__session_on_first_pong(nats__session *session, int64_t now_ns);

/* keepalive.c */
void nats__session_prepare_move(nats__session *session, int64_t now_ns);
bool nats__pings_add(ping_queue *queue, const ping *one);
bool nats__pings_take(ping_queue *queue, ping *out);
void nats__pings_clear(ping_queue *queue);
void nats__session_keep_alive(nats__session *session, int64_t now_ns);
void nats__session_on_ping(nats__session *session);
void nats__session_pay_pong(nats__session *session); /* if one is owed */
void nats__session_on_pong(nats__session *session, int64_t now_ns);

/* subscriptions.c */
bool nats__session_resubscribe(nats__session *session); /* false when memory is out */
/* The subscription that a refusal is about, out of the table; NULL when it is none of ours. */
nats__subrec *nats__session_take_refused(nats__session *session, const nats__err *err);

#endif
