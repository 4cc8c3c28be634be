/* Futures of no request: that the connection is made, or that the server has answered a PING sent
 * now, and with that has confirmed what came before it. They are what a program waits for that may
 * not wait in a call. mu held throughout. */
#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"

/* The PING whose PONG ends it. While the connection is lost it is sent with the next one. */
static nats_status ping(nats_future *future)
{
    nats__conn *conn = future->conn;
    if (!conn->connected || future->ping != 0) {
        return NATS_OK;
    }
    return nats__session_ping(conn->session, nats__now_ns(), nats__writer_look(conn).accepted,
                              &future->ping);
}

static void reach(nats_future *future)
{
    future->goal_reached = true;
    nats__future_end(future, NATS_OK);
}

/* All of it, or (no memory) nothing: then the subscriptions go on, and the caller frees the future. */
static nats_status begin(nats_future *future)
{
    nats__conn *conn = future->conn;
    nats__buf *lines = nats__session_out(conn->session);
    size_t before = lines->len;
    nats_status status = NATS_OK;
    future->goal_begun = true;
    switch (future->goal) {
    case NATS__GOAL_CONNECTED:
        return NATS_OK;
    case NATS__GOAL_SUB_DRAINED:
        if (!conn->connected || !future->sub->active) {
            reach(future); /* nothing is under way */
            return NATS_OK;
        }
        status = nats__sub_drain_begin(future->sub);
        break;
    case NATS__GOAL_DRAINED:
        future->goal_waits = !nats__hooks_drained(future->client);
        if (future->goal_waits) {
            return NATS_OK;
        }
        status = nats__client_drain_begin(future->client);
        break;
    default:
        break;
    }
    status = status == NATS_OK ? ping(future) : status;
    if (status != NATS_OK) {
        lines->len = before;
        future->goal_begun = false;
        nats__drain_given_up(future->client, future->sub);
    }
    nats__conn_stage(conn);
    return status;
}

nats_status nats__goal_start(nats_client *client, nats__goal goal, nats_sub *sub,
                             int64_t deadline_ns, nats_future **out)
{
    nats__conn *conn = client->conn;
    nats_status status = nats__future_new(client, "", 0, deadline_ns, out);
    if (status != NATS_OK) {
        return status;
    }
    nats_future *future = *out;
    future->goal = goal;
    future->many = true; /* it ends as many replies do: with none */
    future->next_goal = conn->goals;
    conn->goals = future;
    conn->open_goals++;
    if (sub != NULL) {
        future->sub = sub;
        nats__sub_ref(sub);
    }
    return begin(future);
}

static void forget(nats_future *future)
{
    nats__conn *conn = future->conn;
    nats_future **link = &conn->goals;
    while (*link != future) {
        link = &(*link)->next_goal;
    }
    *link = future->next_goal;
    conn->open_goals--;
    if (future->goal == NATS__GOAL_CONNECTED) {
        conn->budget_ns = INT64_MAX;
    }
}

/* At once, not when somebody asks how it ended: a next connection would have the subscriptions
 * again. */
void nats__goal_ended(nats_future *future)
{
    forget(future);
    bool failed = future->status != NATS_OK && future->status != NATS_ERR_CLOSED;
    if (future->goal == NATS__GOAL_CONNECTED && failed && !nats__goal_goes_on(future)) {
        future->conn->not_opened = true;
    }
    future->goal_dropped = future->client->closed;
    if (future->goal == NATS__GOAL_DRAINED && future->goal_begun) {
        nats__client_drain_end(future->client, future->goal_reached);
    }
    if (future->goal != NATS__GOAL_SUB_DRAINED) {
        return;
    }
    if (future->goal_begun) {
        nats__sub_drain_end(future->sub, future->goal_reached && future->ping != 0);
    }
    nats__sub_unref(future->sub);
    future->sub = NULL;
}

/* ---- what ends them ---- */

bool nats__goal_goes_on(const nats_future *future)
{
    return future->goal == NATS__GOAL_CONNECTED && !future->conn->closed &&
           nats__conn_opt(future->conn, NATS__OPT_retry_on_connect) != 0;
}

void nats__goals_pong(nats__conn *conn, uint64_t token)
{
    for (nats_future *future = conn->goals, *next; future != NULL; future = next) {
        next = future->next_goal;
        if (future->ping != 0 && future->ping <= token) {
            reach(future);
        }
    }
}

void nats__goals_connected(nats__conn *conn)
{
    conn->not_opened = false;
    for (nats_future *future = conn->goals, *next; future != NULL; future = next) {
        next = future->next_goal;
        if (future->goal == NATS__GOAL_CONNECTED) {
            reach(future);
        } else if (!future->goal_waits) {
            nats_status status = ping(future);
            if (status != NATS_OK) {
                nats__future_end(future, status);
            }
        }
    }
}

/* Drains that waited for hooks, and need not any more. */
static void go_on(nats__conn *conn)
{
    for (nats_future *future = conn->goals, *next; future != NULL; future = next) {
        next = future->next_goal;
        if (!future->goal_waits || !nats__hooks_drained(future->client)) {
            continue;
        }
        nats_status status = begin(future);
        if (status != NATS_OK) {
            nats__future_end(future, status);
        }
    }
}

void nats__goals_check(nats__conn *conn)
{
    go_on(conn);
    if (conn->goals == NULL || !nats__session_first_round_over(conn->session)) {
        return;
    }
    for (nats_future *future = conn->goals, *next; future != NULL; future = next) {
        next = future->next_goal;
        if (future->goal == NATS__GOAL_CONNECTED) {
            nats__future_end(future, nats__goal_goes_on(future) ? NATS_OK : NATS_ERR_DISCONNECTED);
        }
    }
}

/* ---- how they ended ---- */

nats_status nats__goal_words(const nats_future *future)
{
    if (future->goal == NATS__GOAL_CONNECTED && !future->goal_dropped) {
        return nats__conn_not_opened(future->conn, false);
    }
    switch (future->status) {
    case NATS_ERR_TIMEOUT:
        if (future->goal_waits) {
            return nats__drain_late();
        }
        return nats__fail(NATS_ERR_TIMEOUT, "timeout", "no PONG from the server in time");
    case NATS_ERR_DISCONNECTED:
        return nats__fail(NATS_ERR_DISCONNECTED, NULL,
                          "the connection was lost before the server's PONG came");
    case NATS_ERR_NO_MEMORY:
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    default:
        return nats__fail(NATS_ERR_CLOSED, "client", "the connection is closed");
    }
}
