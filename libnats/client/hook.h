/* What stands below a subscription of L4: it sees messages before they are queued, asks for more when
 * some were taken, keeps a deadline, and may end the subscription with words of its own. A plain
 * subscription has none, and pays for one branch.
 *
 * All calls come with the connection's mu held, from its pump or from who takes messages, and may
 * not wait. They may end their own subscription (nats__hook_end()), and no other.
 * The structure is the beginning of its owner's. */
#ifndef NATS_CLIENT_HOOK_H
#define NATS_CLIENT_HOOK_H

#include <polynats/client.h>

#include <stdbool.h>

#include "base/error.h"

typedef struct nats__hook nats__hook;

/* Each may be NULL, but for `freed`. */
typedef struct nats__hook_calls {
    /* A message, the hook's now: to be queued (nats__hook_push()) or freed. */
    void (*on_msg)(nats__hook *hook, nats_msg *msg, int64_t now_ns);
    /* So many messages were taken by next, get or their like; bytes as nats__msg_size() counts.
     * Also after the subscription has ended; it may not end it. */
    void (*on_taken)(nats__hook *hook, size_t count, uint64_t bytes);
    /* due_ns has passed; it is INT64_MAX now. Not NULL if there is ever a due_ns. */
    void (*on_time)(nats__hook *hook, int64_t now_ns);
    void (*on_lost)(nats__hook *hook);                       /* the connection */
    void (*on_connected)(nats__hook *hook, int64_t now_ns);  /* again; it is subscribed already */
    /* The server does not allow something to be published to subject, or (of_reply) to be answered
     * there. */
    void (*on_refused)(nats__hook *hook, const char *subject, bool of_reply);
    /* The subscription drains: the one that hands on to it, which drains with it; NULL: there is none. */
    nats_sub *(*source)(nats__hook *hook);
    /* The client drains. False: something is under way that it is to wait for; who waits with the client as
     * the key (nats__conn_tell()) is told when that may be over, and it is asked again. */
    bool (*on_drain)(nats__hook *hook);
    /* The client is being closed, and the connection, if it is to be, is not yet: a last word. */
    void (*on_closing)(nats__hook *hook);
    void (*on_ended)(nats__hook *hook); /* the subscription is out of the table: nothing more comes */
    void (*freed)(nats__hook *hook);    /* so is it; mu may be held or not */
} nats__hook_calls;

struct nats__hook {
    const nats__hook_calls *calls;
    nats_sub *sub;
    int64_t due_ns; /* set by nats__hook_due() */
    nats__hook *next; /* of the connection's, while the subscription is active */
    nats__hook *prev;
    uint64_t max;   /* of messages queued, by nats_sub_unsubscribe(); 0: none */
    uint64_t count; /* messages queued */
    bool ended;   /* on_ended was called */
    bool untold;  /* `why` was not told by next or get yet */
    nats__error why;
};

/* Put it below a subscription that nats__sub_new() has just made. mu held, and not given up
 * since. */
void nats__hook_add(nats_sub *sub, nats__hook *hook, const nats__hook_calls *calls);
/* Call on_time at that time, or somewhat later; INT64_MAX: never. mu held. */
void nats__hook_due(nats__hook *hook, int64_t due_ns);
/* Queue a message: the subscription's now. False when that was the last it was to have: it has
 * ended, and the hook may be gone. mu held. */
bool nats__hook_push(nats__hook *hook, nats_msg *msg, int64_t now_ns);
/* End the subscription. why NULL: it ran its course; else it is told once by next or get, behind
 * the last message, and as an event. Within a call of the hook, it is the last thing to do. mu
 * held. */
void nats__hook_end(nats__hook *hook, const nats__error *why);

#endif
