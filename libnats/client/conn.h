/* The inside of a connection and of what is on it. Not for bindings; jetstream/ and the rest of
 * L4 build on it.
 *
 * Locks, in the order they are taken:
 *   mu        everything but what is named below. Held for computing only, never over a system
 *             call that waits.
 *   out_lock  the outbox and its neighbours (struct nats__writer). A spin lock, held for a few
 *             instructions.
 *
 * One thread at a time is the connection's driver: it alone reads the socket and touches the
 * parser, without mu while it does. A caller that must wait becomes the driver if there is none,
 * or the keeper has the role but is only watching the socket; else it waits for the driver to
 * bring what it wants, or to leave. */
#ifndef NATS_CLIENT_CONN_H
#define NATS_CLIENT_CONN_H

#include <polynats/client.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/spin.h"
#include "client/hook.h"
#include "client/queue.h"
#include "client/trace.h"
#include "client/websocket.h"
#include "io/park.h"
#include "io/resolve.h"
#include "io/tls.h"
#include "proto/outbox.h"
#include "proto/session.h"

enum {
    NATS__FLUSH_BYTES = 64 * 1024, /* a burst is written in pieces of this size: the server's own */
    NATS__FILL_MAX = 120 * 1024,   /* bytes behind a full socket before publish waits too */
    NATS__EVENTS_MAX = 1024,       /* events that a client keeps */
    NATS__IDLE_FUTURES_MAX = 64,   /* freed ones that are kept to be used again */
    NATS__REQUESTS_MAX = 1 << 20,  /* open requests: a reply's token has 20 bits for it */
    NATS__WAITER_BUCKETS = 64      /* a message does not look at all threads that wait */
};

typedef struct nats__conn nats__conn;

/* ---- a subscription (client/sub.c, client/queue.c) ---- */

/* Two references: the user's handle, and one for being in the session's table or having
 * messages. */
/* A PING under way, so that who was interrupted waits for it when called again. */
typedef struct nats__pinging {
    uint64_t token; /* 0: none */
    uint64_t epoch; /* of the connection that it was sent on */
} nats__pinging;

struct nats_sub {
    nats__subrec rec; /* first: the session hands it back */
    nats_client *client; /* referenced; NULL: the connection's own, for replies */
    nats__hook *hook;    /* NULL: a plain one */
    atomic_uint refs;
    nats__queue queue;
    uint64_t delivered;
    uint64_t dropped;
    uint64_t received;
    struct nats_sub *next;   /* of the client's subs or ended_subs */
    struct nats_sub *prev;
    uint8_t mode;
    bool active; /* in the session's table */
    bool draining; /* it ends when what is under way is here: nothing more is asked for */
    bool refused; /* by the server, and nobody was told by next or get yet */
    nats__pinging pinging; /* of a drain that was interrupted */
};

/* ---- an open request (client/request.c) ---- */

/* What a future waits for: replies, or a step of the connection (client/goal.c). */
typedef enum nats__goal {
    NATS__GOAL_REPLIES,
    NATS__GOAL_CONNECTED,
    NATS__GOAL_FLUSHED,
    NATS__GOAL_SUB_DRAINED,
    NATS__GOAL_DRAINED
} nats__goal;

/* What L4 makes of a request: it looks at each reply first, may ask something else under the same
 * future, and says in its own words why it failed. All are called with mu held, by whoever moves the
 * connection; those that are NULL are not called. */
typedef struct nats__future_hooks {
    /* A reply came: msg is the hook's, to be given (nats__future_give), made something else of, or
     * dropped (nats__chunk_unref). status: of its first line, 0 for none; 503: nobody listens. What is
     * to end the future is said by nats__future_end() or nats__future_fail(). */
    void (*on_reply)(nats_future *future, nats_msg *msg, int32_t status, int64_t now_ns);
    /* The time is there that nats__future_hook_at() was told. */
    void (*on_time)(nats_future *future, int64_t now_ns);
    /* The server does not allow what was asked. True: the hook has found another way. */
    bool (*on_refused)(nats_future *future);
    /* It has ended, however: future->status. Once, and before anybody is told. */
    void (*on_ended)(nats_future *future);
    /* It is gone: free the owner. No reference to a client may be given up here. */
    void (*freed)(void *owner);
} nats__future_hooks;

struct nats_future {
    nats__conn *conn;
    nats_client *client; /* referenced */
    nats__buf subject;   /* asked, for permissions violations */
    nats__queue queue;   /* replies not taken yet */
    uint32_t slot;
    uint32_t generation; /* of the slot: an old reply does not match */
    bool open;           /* in the table */
    bool many;
    bool sentinel;
    bool untold;      /* how it ended is counted in the client's replies */
    bool failed_told; /* the error was returned once */
    bool end_told;    /* so was the normal end of many replies */
    nats_status status; /* why it ended, NATS_OK for normally */
    size_t max;
    size_t count; /* replies so far, dropped ones too */
    int64_t stall_ns;
    int64_t stall_at_ns; /* INT64_MAX before the first reply */
    int64_t deadline_ns;
    uint32_t expiry_at; /* its place in the heap, while open */
    struct nats_future *next_free;
    nats__goal goal;
    bool goal_reached;
    bool goal_begun;    /* its end has consequences */
    bool goal_waits;    /* a drain: what hooks have under way comes first */
    bool goal_dropped;  /* its client was closed before it ended */
    uint64_t ping;      /* of a goal: the token of its PING; 0: none was sent yet */
    nats_sub *sub;      /* referenced, of a goal */
    struct nats_future *next_goal;
    const nats__future_hooks *hooks; /* NULL: a plain request */
    void *owner;                     /* the hooks' own */
    int64_t hook_at_ns;              /* INT64_MAX: no time is waited for */
    nats__error *words;              /* why it failed, NULL: go by the status */
};

/* What is asked besides the message. */
typedef struct nats__question {
    bool many;
    size_t max; /* of many: replies, 0: any number */
    int64_t stall_ms;
    int64_t timeout_ms; /* -1: the option request_timeout */
    bool sentinel;
    const nats__future_hooks *hooks;
    void *owner;
} nats__question;

/* ---- a client (client/client.c) ---- */

typedef struct nats__msg_list {
    nats_msg *head;
    nats_msg *tail;
} nats__msg_list;

struct nats_event {
    int32_t type;
    nats_status status;
    int32_t kind;
    bool recoverable;
    uint64_t sid;
    uint64_t lost;
    uint64_t unconfirmed;
    uint64_t ask; /* of CREDENTIALS: which of them */
    int64_t time_ns;
    struct nats_event *next;
    char *text; /* these point behind the struct */
    char *url;
    char *subject;
    char *line; /* all of it, as a log has it */
};

struct nats_client {
    nats__conn *conn; /* referenced */
    atomic_uint refs; /* the handle, subscriptions, futures */
    uint32_t fork_generation;
    nats_client *next; /* of the connection's clients */
    nats_client *prev;
    nats_sub *subs;
    nats_sub *ended_subs;     /* that live on for their messages */
    nats__msg_list inbox;     /* of NATS_SUB_SHARED subscriptions, in the order of arrival */
    nats__msg_list callbacks; /* of NATS_SUB_CALLBACK ones */
    uint64_t pending;         /* messages in all its subscriptions */
    uint64_t replies;         /* in its futures, and ends not told yet */
    nats_event *events;
    nats_event *events_tail;
    size_t event_count;
    atomic_bool closed;
    bool draining;
    bool drained; /* all that was under way is here: with the last message taken it is over */
    nats__pinging pinging; /* of a drain that was interrupted */
    bool woken;
    int loop_fd; /* -1 until asked for */
    int ready_fd;
    int timer_fd;
    int64_t timer_ns; /* what it is set to: what is due, or earlier */
    bool ready_set;
    bool news_only; /* messages that wait do not keep it readable */
    bool news; /* events or replies (news_only: messages, too) came, or were left by who took some, since the last
                * nats_client_process() */
};

/* ---- a connection ---- */

typedef enum nats__transport {
    NATS__TRANSPORT_NONE,
    NATS__TRANSPORT_RESOLVING,
    NATS__TRANSPORT_CONNECTING,
    NATS__TRANSPORT_SECURING, /* TLS is being made */
    NATS__TRANSPORT_UPGRADING, /* WebSocket is */
    NATS__TRANSPORT_UP
} nats__transport;

/* What publishers share with whoever writes. Guarded by out_lock. */
typedef struct nats__writer {
    nats__outbox box;
    int fd;           /* -1: nothing can be written */
    nats__tls *tls;   /* NULL: in clear */
    nats__ws_writer *ws; /* NULL: no WebSocket */
    bool writing;     /* one thread is in write(): drain and fd are its own */
    bool blocked;     /* the socket takes nothing more */
    bool failed;      /* a write failed: the driver must look */
    bool armed;       /* the keeper has been told of a burst */
    bool in_turns;    /* there is none, and a loop writes what follows a publish in its next turn */
    bool closed;
    bool bulky;              /* a burst made the buffers large */
    bool headers;            /* the server takes them */
    uint64_t epoch;          /* the connection's: requests of one that is lost are refused */
    size_t payload_max;
    uint64_t refused;        /* publishes that were not accepted */
    uint64_t more_bytes;     /* of the socket than of the outbox: frames around, or packed */
    int64_t rested_ns;  /* end of the last write */
    int64_t blocked_ns; /* when it began to be blocked */
} nats__writer;

/* A socket that takes nothing more, as the driver saw it last: while bytes of it still arrive, the
 * server is slow and not gone. */
typedef struct nats__stall {
    int64_t blocked_ns; /* which it is: nats__writer.blocked_ns */
    int64_t since_ns;   /* nothing has arrived since, as far as is known */
    int64_t seen_ns;
    int unsent;
} nats__stall;

/* A caller that waits while another thread drives. */
typedef struct nats__waiter {
    nats__park park;
    const void *key; /* what it waits for: a client, a subscription, a future, the connection */
    bool told;
    struct nats__waiter *next;
    struct nats__waiter *bucket_next;
} nats__waiter;

typedef enum nats__driver {
    NATS__DRIVER_NONE,
    NATS__DRIVER_WATCHING, /* the keeper waits for the socket: any caller may take over */
    NATS__DRIVER_BUSY
} nats__driver;

/* Counters of a connection since it began. */
typedef struct nats__totals {
    uint64_t received; /* messages for a subscription or a request; so are the next two */
    uint64_t delivered;
    uint64_t dropped;
    uint64_t in_bytes; /* of the protocol */
    uint64_t tls_in_bytes; /* of the socket besides, on earlier connections; and the same out */
    uint64_t tls_out_bytes;
    uint64_t connects;
    uint64_t lost;
    uint64_t unconfirmed;
    uint64_t requests;
    uint64_t late_replies;
    uint64_t slow_consumers;
    uint64_t errors;
    uint64_t events_dropped;
} nats__totals;

/* What is compared when a server speaks again, or another one does. */
enum { NATS__KNOWN_TEXTS = 3 };
typedef struct nats__known {
    char *texts[NATS__KNOWN_TEXTS]; /* as it calls them: see client/known.c; NULL: it told none */
    int64_t max_payload;            /* 0: no server is known yet */
    bool headers;
} nats__known;

struct nats__conn {
    atomic_uint refs; /* clients, the keeper */
    pthread_mutex_t mu;
    uint32_t fork_generation;

    nats__session *session;
    nats__chunk_pool *chunks; /* the session's */
    nats__hold hold;
    nats__driver driver;
    const void *driver_key; /* what the driver waits for; NULL: for nothing that has one */
    bool away;              /* it is at the socket, and does not see what others do */
    nats__waiter *waiters;
    nats__waiter *waiter_buckets[NATS__WAITER_BUCKETS]; /* the same, by key */
    bool robbed;     /* a caller took over from the keeper: it must look again */
    uint64_t visits; /* callers that came: the keeper stays away while it grows */
    int wake_fd;     /* for the driver */
    bool reconnect_wanted; /* by the program: the driver sees to it */
    bool more;       /* the last read filled its room: read before waiting */
    bool staged;     /* there is something that the driver must write before it leaves or waits */

    nats__transport transport;
    nats__resolver resolver;
    nats__address local; /* the option local_address; len 0: any */
    nats__address addresses[NATS__ADDRESSES_MAX];
    size_t address_count;
    size_t address_next;
    nats__tls *tls; /* NULL: in clear */
    nats__tls_memory *tls_memory;
    int tls_wants;  /* SECURING: NATS__POLL_…; 0: the next step is due */
    nats__ws *ws;   /* NULL: no WebSocket, or not yet */
    bool opening;   /* nats_connect() is under way: there is nobody to ask */
    bool reading;   /* credentials are to be read, by the driver and without mu */
    bool asked;     /* for credentials */
    bool taken;     /* what was asked was, by who answers it */
    bool late;      /* so it was, and the attempt was over before the answer came */
    uint64_t asks;  /* how often */
    nats_event *question; /* of the option credentials_hook, until somebody takes it */
    nats__address address_failed; /* the next attempt begins behind it; len 0: none */
    int fd;
    nats__stall stall;
    int64_t rest_ns;     /* when to give back what a burst needed; INT64_MAX: nothing to give */
    uint64_t rest_moved; /* bytes moved until that was settled: none since means rest */
    int64_t attempt_deadline_ns; /* of this address, or of the attempt; INT64_MAX: none */
    int64_t attempt_end_ns;
    int64_t budget_ns;           /* end of nats_connect()'s time; INT64_MAX afterwards */

    uint64_t epoch;      /* counts connections lost: what was waited for will not come */
    uint64_t lost;       /* publishes, by the loss of the connection that is being told of */
    uint64_t unconfirmed;
    uint64_t last_pong;  /* token of the last PONG */
    int64_t last_rtt_ns;
    bool connected;
    bool connected_once;
    bool closing; /* who closes waits for the driver's role: nobody else may take it to wait */
    bool closed;
    nats__known known; /* the server connected to last */
    char last_text[NATS__ERROR_TEXT_MAX]; /* of the connection's last error */
    nats_status last_status;
    bool not_opened; /* it is why there was no first connection, for who asks late: it stays */

    nats_client *clients;
    size_t client_count;
    int loop_want; /* what foreign loops watch the socket for */

    nats_sub *mux; /* the inbox of requests; NULL before the first */
    size_t mux_prefix_len;
    uint64_t inboxes; /* made below that */
    nats_future **futures; /* by slot */
    uint32_t future_count; /* slots made */
    uint32_t *free_slots;
    uint32_t free_slot_count;
    uint32_t open_futures;
    uint32_t hooked_futures; /* those among them that have hooks: they keep times of their own */
    nats_future *goals; /* those among them that wait for no replies */
    uint32_t open_goals;
    nats_future **expiry; /* the open ones, as a heap: client/expiry.c */
    nats__hook *hooks;    /* below subscriptions that are active */
    int64_t hooks_due_ns; /* what is due first there, or earlier; INT64_MAX: nothing */
    uint32_t future_generation; /* of the next request */
    nats_future *idle_futures;
    uint32_t idle_future_count;

    pthread_t keeper;
    bool keeper_runs;
    bool keeper_stop;
    int keeper_fd;

    nats__totals totals;
    nats__trace *trace; /* NULL: nobody wants to know */

    nats__spin out_lock;
    nats__writer out;
};

/* conn.c */
nats_status nats__conn_new(const char *urls, const nats_options *options, nats__conn **out);
void nats__conn_ref(nats__conn *conn);
void nats__conn_unref(nats__conn *conn);
nats_status nats__conn_open(nats__conn *conn);             /* connect, within the budget */
nats_status nats__conn_not_opened(nats__conn *conn, bool signal); /* why it was not */
/* The end of the connection: nothing more is sent, nothing more comes. mu held, and the driver's
 * role. */
void nats__conn_shutdown(nats__conn *conn, nats_status status, int32_t kind, const char *text);
/* Flush: write what waits and see it confirmed. Then shut down. mu held. */
void nats__conn_close(nats__conn *conn, bool flush);
static inline int64_t nats__conn_opt(const nats__conn *conn, nats__option_id id)
{
    return nats__opt(nats__session_options(conn->session), id);
}

/* fork.c: children of fork() must not touch what is the parent's. */
void nats__fork_watch(void); /* before the first handle is made */
extern atomic_uint nats__forks;
static inline uint32_t nats__fork_generation(void)
{
    return atomic_load_explicit(&nats__forks, memory_order_relaxed);
}

/* driver.c */
typedef bool (*nats__ready_fn)(void *what);
/* Wait until ready(what), at most until deadline_ns (INT64_MAX: for ever). mu held. key: who is
 * told (see nats__waiter). NATS_OK, TIMEOUT (no text is noted), INTERRUPTED. A closed connection
 * ends the wait with NATS_OK: ask again. While it is closing nobody drives but who closes it: the
 * others wait to be told. */
nats_status nats__conn_wait(nats__conn *conn, const void *key, nats__ready_fn ready, void *what,
                            int64_t deadline_ns);
/* Do what is due without waiting, if nobody else drives. mu held. */
void nats__conn_step(nats__conn *conn);
/* Be the driver: false when another thread is. The keeper, only watching, gives way. mu held. */
bool nats__conn_take_over(nats__conn *conn);
/* As the driver: one round of writing, reading and dispatching, waiting for bytes until
 * deadline_ns at most (0: not at all). True when a signal handler ran. mu held; it is given up
 * meanwhile. */
bool nats__conn_drive(nats__conn *conn, int64_t deadline_ns);
/* Stop being the driver; the next waiter, or the keeper, takes over. mu held. */
void nats__conn_leave(nats__conn *conn);
/* Tell those who wait for key, also the driver (NULL: all but it). mu held. */
void nats__conn_tell(nats__conn *conn, const void *key);
/* Make the driver look again. mu held. */
void nats__conn_wake(nats__conn *conn);
/* Move the session's control lines to the outbox; they go out with the next flush. True when
 * there were some. mu held. */
bool nats__conn_stage(nats__conn *conn);
int64_t nats__conn_deadline_ns(nats__conn *conn);
int64_t nats__deadline_in(int64_t ms); /* from now; -1: never */

/* dial.c: the way to a connected socket. mu held. */
void nats__dial_start(nats__conn *conn, int64_t now_ns);
void nats__dial_step(nats__conn *conn, int ready, int64_t now_ns);
int nats__dial_wants(const nats__conn *conn, int *fd_out); /* NATS__POLL_… to wait for */
void nats__dial_drop(nats__conn *conn); /* give up the transport, whatever its stage */
/* It came to nothing; the words are this thread's last error. */
void nats__dial_failed(nats__conn *conn, nats_status status, int64_t now_ns);
void nats__dial_late(nats__conn *conn, int64_t now_ns); /* attempt_deadline_ns is there */

/* known.c: is it the server that it was? An event tells what has changed. mu held. */
void nats__known_note(nats__conn *conn, const char *url);
void nats__known_free(nats__known *known);

/* secure.c: TLS. mu held. What the driver needs of it besides is in secure.h. */
void nats__secure_start(nats__conn *conn);
void nats__secure_drop(nats__conn *conn);

/* upgrading.c: WebSocket. mu held. */
void nats__upgrade_start(nats__conn *conn, int64_t now_ns);   /* TCP is there */
void nats__upgrade_secured(nats__conn *conn, int64_t now_ns); /* so is TLS below it */
void nats__upgrade_step(nats__conn *conn, int64_t now_ns);
void nats__upgrade_drop(nats__conn *conn); /* nobody writes any more */

/* auth.c: credentials. mu held. What the driver needs of it besides is in auth.h. */
void nats__auth_wanted(nats__conn *conn, const char *nonce, int64_t now_ns);
/* Nothing is asked for any more. */
void nats__auth_forget(nats__conn *conn);
nats_event *nats__auth_question(nats__conn *conn); /* owned; NULL: none, or taken */
void nats__auth_seen(nats__conn *conn, const nats_event *event); /* the program has it */
/* What the program gives, a seed to sign with besides. Errors: INVALID, NO_MEMORY. */
nats_status nats__auth_answer(nats__conn *conn, nats__credentials *given, const char *seed,
                              int64_t now_ns);

/* writer.c: no mu. */
typedef enum nats__wrote { NATS__WROTE_ALL, NATS__WROTE_SOME, NATS__WROTE_BLOCKED } nats__wrote;
nats__wrote nats__writer_flush(nats__conn *conn);
nats_status nats__conn_publish(nats__conn *conn, const nats__frame *frame);
/* The same from within, with mu held: it never waits, so a full socket lets it through, and it
 * writes nothing. The driver writes at the end of its round; who is not the driver calls
 * nats__writer_kick() when mu is free again. */
nats_status nats__conn_send(nats__conn *conn, const nats__frame *frame);
/* Append a frame to a burst under way, if that is all there is to do. False: nats__conn_publish(). */
static inline __attribute__((always_inline)) bool nats__conn_publish_more(
    nats__conn *conn, const nats__frame *frame)
{
    nats__writer *out = &conn->out;
    nats__spin_lock(&conn->out_lock);
    nats__buf *fill = &out->box.fill;
    size_t size = frame->headers_len + frame->data_len;
    size_t limit = out->blocked || out->writing ? NATS__FILL_MAX : NATS__FLUSH_BYTES;
    bool fits = out->armed && out->box.open && !out->closed && fill->len < limit &&
                size <= out->payload_max && fill->cap - fill->len >= nats__frame_bound(frame) &&
                (frame->headers_len == 0 || out->headers) &&
                (frame->epoch == 0 || frame->epoch == out->epoch);
    if (!fits) {
        nats__spin_unlock(&conn->out_lock);
        return false;
    }
    fill->len = (size_t)(nats__frame_write(fill->data + fill->len, frame) - fill->data);
    out->box.accepted++;
    bool full = fill->len >= NATS__FLUSH_BYTES && !out->blocked && !out->writing;
    nats__spin_unlock(&conn->out_lock);
    if (full) {
        nats__writer_flush(conn);
    }
    return true;
}
nats_status nats__conn_publish_many(nats__conn *conn, nats__frame *frame, const void *const *datas,
                                    const size_t *lens, size_t count, size_t *published_out);
/* conn's TLS and WebSocket, as far as they are up, are between. fd -1: nobody may write. */
void nats__writer_attach(nats__conn *conn, int fd);
void nats__writer_pong(nats__conn *conn); /* of WebSocket, if one is owed */
/* Take the socket away from writers and settle what was not written. keep: for a connection to
 * come. */
void nats__writer_detach(nats__conn *conn, bool keep, uint64_t *lost_out,
                         uint64_t *unconfirmed_out);
/* The same, of a connection that was up: requests are not kept, and those of its epoch that come
 * now are refused. */
void nats__writer_lost(nats__conn *conn, bool keep, uint64_t *lost_out, uint64_t *unconfirmed_out);
/* Control lines after what was published so far. False when memory is out. */
bool nats__writer_control(nats__conn *conn, const void *lines, size_t len);
/* Before lines that the program asks for: wait while the server takes nothing, as a publish does.
 * mu not held. TIMEOUT (the option write_deadline), INTERRUPTED. */
nats_status nats__writer_make_room(nats__conn *conn);
/* Write at once what stands alone, leave a burst to be written together: after
 * nats__conn_stage(). */
void nats__writer_kick(nats__conn *conn);
/* The connection is usable. Returns how many publishes were dropped that this server would not
 * take; requests among them have failed. */
uint64_t nats__writer_open(nats__conn *conn, size_t payload_max, bool headers);
uint64_t nats__writer_written(nats__conn *conn); /* bytes of the socket, ever */
void nats__writer_rest_memory(nats__conn *conn); /* give back what a burst needed */

typedef struct nats__writer_state {
    int fd;
    bool blocked;
    bool failed;
    bool armed;
    int64_t blocked_ns;
    uint64_t accepted;
    uint64_t resolved;
    size_t pending;
    bool bulky; /* a burst made its buffers large */
} nats__writer_state;
nats__writer_state nats__writer_look(nats__conn *conn);
/* Is the burst over: nothing published since `accepted`, nothing to be written? Then the next
 * one is told of anew. */
bool nats__writer_rest(nats__conn *conn, uint64_t accepted);

/* dispatch.c: what the session says. mu held. */
void nats__conn_dispatch(nats__conn *conn, int64_t now_ns);

/* The connection that was up is gone: settle what was on it. */
void nats__conn_lost(nats__conn *conn);

/* queue.c: mu held. */
void nats__sub_push(nats__conn *conn, nats_sub *sub, nats_msg *msg, int64_t now_ns);
size_t nats__sub_take(nats_sub *sub, nats_msg **batch, size_t max);
size_t nats__list_take(nats__conn *conn, nats__msg_list *list, nats_msg **batch, size_t max);
void nats__sub_clear(nats_sub *sub); /* drop what waits */
/* The connection's limits are the queue's. */
void nats__queue_limit(const nats__conn *conn, nats__queue *queue);
/* It drops a message: told once, until it has caught up. */
void nats__queue_overflow(nats__conn *conn, nats_client *client, nats__queue *queue,
                          const char *subject, uint64_t sid);
void nats__sub_set_mode(nats_sub *sub, int32_t mode);

/* sub.c: mu held. */
/* client NULL: the connection's own, for the replies to requests. */
nats_status nats__sub_new(nats__conn *conn, nats_client *client, const char *subject,
                          size_t subject_len, const char *queue, size_t queue_len, uint64_t max,
                          nats_sub **out);
void nats__sub_ref(nats_sub *sub);
void nats__sub_unref(nats_sub *sub);
/* Out of the table: no more messages come. Those that wait can still be taken. */
void nats__sub_ended(nats_sub *sub);
/* The server does not allow it, and it is out of the table. */
void nats__sub_refused(nats_sub *sub);
/* It has ended, and its last message was taken: let it go. */
void nats__sub_release(nats_sub *sub);
nats_status nats__sub_unsubscribe(nats_sub *sub, uint64_t after);
void nats__sub_end(nats_sub *sub); /* at once, and whatever happens */

/* hook.c: mu held. What the pump and who takes messages call, of a subscription with a hook. */
/* last: the subscription has had its maximum. */
void nats__hook_msg(nats_sub *sub, nats_msg *msg, bool last, int64_t now_ns);
void nats__hook_limit(nats_sub *sub, uint64_t max); /* it ends behind so many messages */
void nats__hook_taken(nats_sub *sub, size_t count, uint64_t bytes);
void nats__hook_ended(nats_sub *sub);
void nats__hooks_time(nats__conn *conn, int64_t now_ns);
void nats__hooks_lost(nats__conn *conn);
bool nats__hooks_drained(nats_client *client); /* is nothing under way that a drain waits for? */
void nats__hooks_closing(nats_client *client);
void nats__hooks_connected(nats__conn *conn, int64_t now_ns);
/* The server does not allow something to be published to subject, or, of_reply, to be answered there. */
void nats__hooks_refused(nats__conn *conn, const char *subject, bool of_reply);

/* drain.c: mu held. begin: tell the server. end: what it had sent is here if server_knows. */
nats_status nats__sub_drain(nats_sub *sub, int64_t deadline_ns);
nats_status nats__sub_drain_begin(nats_sub *sub);
/* It has come to nothing: they go on. */
void nats__drain_given_up(nats_client *client, nats_sub *sub);
nats_status nats__drain_late(void); /* its time went by before it could begin */
void nats__sub_drain_end(nats_sub *sub, bool server_knows);
nats_status nats__client_drain(nats_client *client, int64_t deadline_ns);
nats_status nats__client_drain_begin(nats_client *client);
void nats__client_drain_end(nats_client *client, bool server_knows);

/* event.c: mu held. */
typedef struct nats__event_facts {
    int32_t type;
    nats_status status;
    int32_t kind;
    bool recoverable; /* of an error: the connection, or the attempts at one, go on */
    const char *text; /* these may be NULL */
    const char *url;
    const char *subject;
    uint64_t sid;
    uint64_t lost;
    uint64_t unconfirmed;
    uint64_t ask;
    int64_t time_ns; /* 0: now */
    bool attempt; /* to connect, that failed: told once for an outage, as long as it is unread */
} nats__event_facts;
/* To one client, or to all of the connection's (client NULL). */
void nats__event_push(nats__conn *conn, nats_client *client, const nats__event_facts *facts);
nats_event *nats__event_new(const nats__event_facts *facts); /* NULL: out of memory */
void nats__event_free(nats_event *event);
const char *nats__event_name(const nats_event *event); /* of its type; any thread */
/* The lines of the protocol that were noted since (option trace) become events. */
void nats__event_trace(nats__conn *conn);

/* request.c: mu held, but for the first. */
/* An owner stays with the caller when it fails, although its hooks may have heard of the end. */
nats_status nats__future_start(nats_client *client, const nats__frame *ask,
                               const nats__question *how, nats_future **out);
/* Ask something else, or again, under an open future: a reply to what was asked before comes too
 * late. Its deadline stays. Sends as nats__conn_send(). */
nats_status nats__future_ask(nats_future *future, const nats__frame *ask);
void nats__future_give(nats_future *future, nats_msg *msg); /* a reply, to whoever waits */
/* End it with this thread's last error, whose words are kept for whoever asks. */
void nats__future_fail(nats_future *future);
/* Let its hook on_time be called then; INT64_MAX: not at all. */
void nats__future_hook_at(nats_future *future, int64_t at_ns);
void nats__future_free(nats_future *future);   /* its client's reference stays with the caller */
nats_msg *nats__future_take(nats_future *future); /* the oldest reply, or NULL */
void nats__future_cancel(nats_future *future);
void nats__future_expire(nats_future *future, int64_t now_ns); /* end it if its time is up */
int64_t nats__future_deadline_ns(const nats_future *future);
void nats__request_reply(nats__conn *conn, nats_msg *msg, int64_t now_ns);
nats_status nats__requests_inbox(nats__conn *conn); /* conn->mux is there then */
/* client NULL: of all. */
void nats__requests_fail(nats__conn *conn, nats_client *client, nats_status status);
void nats__requests_refused(nats__conn *conn, const char *subject); /* a permissions violation */
/* The one that wants its reply there was refused, or not sent. */
void nats__requests_reply_failed(nats__conn *conn, const char *reply, nats_status status);
void nats__requests_rest(nats__conn *conn); /* give back what is kept for those to come */
void nats__requests_inbox_refused(nats__conn *conn); /* no reply can come */
int64_t nats__requests_deadline_ns(const nats__conn *conn); /* of the first that runs out */
void nats__requests_expire(nats__conn *conn, int64_t now_ns); /* end those whose time is up */

/* A future of no request yet; subject: for its words. */
nats_status nats__future_new(nats_client *client, const char *subject, size_t subject_len,
                             int64_t deadline_ns, nats_future **out);
void nats__future_hook(nats_future *future, const nats__future_hooks *hooks, void *owner);
void nats__future_end(nats_future *future, nats_status status); /* nothing more comes in */

/* goal.c: futures of no request. mu held. sub: what a SUB_DRAINED is about, else NULL. */
nats_status nats__goal_start(nats_client *client, nats__goal goal, nats_sub *sub,
                             int64_t deadline_ns, nats_future **out);
/* The connection that it waits for goes on being made when it ends (option retry_on_connect). */
bool nats__goal_goes_on(const nats_future *future);
void nats__goals_pong(nats__conn *conn, uint64_t token);
void nats__goals_connected(nats__conn *conn);
void nats__goals_check(nats__conn *conn); /* can the connection still be made? */
void nats__goal_ended(nats_future *future); /* and what follows for the subscriptions */
nats_status nats__goal_words(const nats_future *future); /* why it failed */

/* expiry.c: mu held. An open future is in the heap; room for it is made with its slot. */
void nats__expiry_add(nats__conn *conn, nats_future *future);
void nats__expiry_move(nats__conn *conn, nats_future *future); /* its deadline is another */
void nats__expiry_remove(nats__conn *conn, nats_future *future);

/* keeper.c */
nats_status nats__keeper_start(nats__conn *conn);
void nats__keeper_stop(nats__conn *conn); /* mu not held */
void nats__keeper_tell(nats__conn *conn); /* no lock needed */

/* client.c: mu held. */
nats_status nats__client_new(nats__conn *conn, nats_client **out);
void nats__client_ref(nats_client *client);
void nats__client_unref(nats_client *client); /* mu not held */
void nats__client_end(nats_client *client);
/* Let the foreign loop's descriptor show whether there is something. */
void nats__client_signal(nats_client *client);
void nats__client_news(nats_client *client); /* an event, a reply or the end of a request came */
/* One of these was taken: who takes one is told of the next. */
void nats__client_took(nats_client *client);
nats_status nats__conn_flush(nats__conn *conn, int64_t deadline_ns, int64_t *rtt_ns_out);
/* The same, but goes on to wait for the PING that is under way, if one is. *pinging: afterwards
 * with INTERRUPTED the one to go on with; else none. */
nats_status nats__conn_flush_on(nats__conn *conn, nats__pinging *pinging, int64_t deadline_ns,
                                int64_t *rtt_ns_out);

/* Give mu up, and see to it that what nats__conn_send() left is written. */
static inline void nats__conn_unlock(nats__conn *conn)
{
    bool staged = conn->staged; /* and stays so: a kick may leave it to the driver */
    pthread_mutex_unlock(&conn->mu);
    if (staged) {
        nats__writer_kick(conn);
    }
}

/* loop.c: mu held. */
void nats__loops_socket(nats__conn *conn, int old_fd, int new_fd, int want);
void nats__loops_deadline(nats__conn *conn);
void nats__loop_due(nats_client *client, int64_t deadline_ns); /* no later than this */
/* Do what a foreign loop came for; what is not taken now arms its descriptor no more. */
void nats__loop_turn(nats_client *client);
void nats__loop_leave(nats_client *client); /* it is closed: only its events are left to tell of */
int64_t nats__client_deadline_ns(nats_client *client);

#endif
