/* Hooks below subscriptions: called, kept in time, ended. mu held throughout. */
#include "client/hook.h"

#include "client/conn.h"
#include "io/poll.h"

static void list_out(nats__conn *conn, nats__hook *hook)
{
    if (hook->prev != NULL) {
        hook->prev->next = hook->next;
    } else {
        conn->hooks = hook->next;
    }
    if (hook->next != NULL) {
        hook->next->prev = hook->prev;
    }
}

void nats__hook_add(nats_sub *sub, nats__hook *hook, const nats__hook_calls *calls)
{
    nats__conn *conn = sub->client->conn;
    hook->calls = calls;
    hook->sub = sub;
    hook->due_ns = INT64_MAX;
    hook->prev = NULL;
    hook->next = conn->hooks;
    if (conn->hooks != NULL) {
        conn->hooks->prev = hook;
    }
    conn->hooks = hook;
    sub->hook = hook;
}

/* A driver that sleeps does so until what was due when it lay down. What is due later than that is
 * found when it wakes: most deadlines move on and on, and nobody is woken for them. */
void nats__hook_due(nats__hook *hook, int64_t due_ns)
{
    nats__conn *conn = hook->sub->client->conn;
    hook->due_ns = due_ns;
    if (due_ns >= conn->hooks_due_ns) {
        return;
    }
    conn->hooks_due_ns = due_ns;
    nats__loop_due(hook->sub->client, due_ns);
    nats__wake_set(conn->wake_fd);
    nats__keeper_tell(conn);
}

bool nats__hook_push(nats__hook *hook, nats_msg *msg, int64_t now_ns)
{
    nats__sub_push(hook->sub->client->conn, hook->sub, msg, now_ns);
    hook->count++;
    if (hook->max == 0 || hook->count < hook->max) {
        return true;
    }
    nats__hook_end(hook, NULL);
    return false;
}

/* The server counts what the hook keeps to itself as well, so it is not told. */
void nats__hook_limit(nats_sub *sub, uint64_t max)
{
    nats__hook *hook = sub->hook;
    hook->max = max;
    if (hook->count >= max) {
        nats__hook_end(hook, NULL);
    }
}

static void tell(const nats__hook *hook)
{
    const nats_sub *sub = hook->sub;
    nats__event_push(sub->client->conn, sub->client,
                     &(nats__event_facts){.type = NATS_EVENT_ERROR,
                                          .status = hook->why.status,
                                          .recoverable = true,
                                          .text = hook->why.text,
                                          .subject = sub->rec.subject,
                                          .sid = sub->rec.sid});
}

void nats__hook_end(nats__hook *hook, const nats__error *why)
{
    nats_sub *sub = hook->sub;
    if (!sub->active) {
        return;
    }
    if (why != NULL) {
        hook->why = *why;
        hook->untold = true;
        tell(hook);
    }
    nats__client_news(sub->client); /* who waits in a loop for a message of it looks again */
    nats__sub_end(sub);
}

/* ---- for the pump ---- */

void nats__hook_msg(nats_sub *sub, nats_msg *msg, bool last, int64_t now_ns)
{
    nats__hook *hook = sub->hook;
    if (last) {
        nats__sub_ref(sub); /* the hook may let go of it */
    }
    if (hook->calls->on_msg != NULL) {
        hook->calls->on_msg(hook, msg, now_ns);
    } else {
        nats__hook_push(hook, msg, now_ns);
    }
    if (last) {
        nats__sub_ended(sub);
        nats__sub_unref(sub);
    }
}

void nats__hook_taken(nats_sub *sub, size_t count, uint64_t bytes)
{
    if (sub->hook->calls->on_taken != NULL) {
        sub->hook->calls->on_taken(sub->hook, count, bytes);
    }
}

void nats__hook_ended(nats_sub *sub)
{
    nats__hook *hook = sub->hook;
    if (hook->ended) {
        return;
    }
    hook->ended = true;
    list_out(sub->client->conn, hook);
    if (hook->calls->on_ended != NULL) {
        hook->calls->on_ended(hook);
    }
}

void nats__hooks_time(nats__conn *conn, int64_t now_ns)
{
    if (now_ns < conn->hooks_due_ns) {
        return;
    }
    conn->hooks_due_ns = INT64_MIN; /* nobody is to be woken: it is found out below */
    for (nats__hook *hook = conn->hooks, *next; hook != NULL; hook = next) {
        next = hook->next;
        if (now_ns >= hook->due_ns) {
            hook->due_ns = INT64_MAX;
            hook->calls->on_time(hook, now_ns);
        }
    }
    int64_t due_ns = INT64_MAX;
    for (const nats__hook *hook = conn->hooks; hook != NULL; hook = hook->next) {
        due_ns = hook->due_ns < due_ns ? hook->due_ns : due_ns;
    }
    conn->hooks_due_ns = due_ns;
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        nats__loop_due(client, due_ns);
    }
}

bool nats__hooks_drained(nats_client *client)
{
    bool drained = true;
    for (nats__hook *hook = client->conn->hooks; hook != NULL; hook = hook->next) {
        if (hook->sub->client == client && hook->calls->on_drain != NULL) {
            drained = hook->calls->on_drain(hook) && drained; /* each is to know */
        }
    }
    return drained;
}

void nats__hooks_closing(nats_client *client)
{
    for (nats__hook *hook = client->conn->hooks, *next; hook != NULL; hook = next) {
        next = hook->next;
        if (hook->sub->client == client && hook->calls->on_closing != NULL) {
            hook->calls->on_closing(hook);
        }
    }
}

void nats__hooks_lost(nats__conn *conn)
{
    for (nats__hook *hook = conn->hooks, *next; hook != NULL; hook = next) {
        next = hook->next;
        if (hook->calls->on_lost != NULL) {
            hook->calls->on_lost(hook);
        }
    }
}

void nats__hooks_connected(nats__conn *conn, int64_t now_ns)
{
    for (nats__hook *hook = conn->hooks, *next; hook != NULL; hook = next) {
        next = hook->next;
        if (hook->calls->on_connected != NULL) {
            hook->calls->on_connected(hook, now_ns);
        }
    }
}

void nats__hooks_refused(nats__conn *conn, const char *subject, bool of_reply)
{
    for (nats__hook *hook = conn->hooks, *next; hook != NULL; hook = next) {
        next = hook->next;
        if (hook->calls->on_refused != NULL) {
            hook->calls->on_refused(hook, subject, of_reply);
        }
    }
}
