/* When open requests run out: a binary heap of them, the one that is due first in front. What a
 * turn of an event loop costs does not depend on how many are open. mu held throughout. */
#include "client/conn.h"

static int64_t due_at(const nats__conn *conn, uint32_t at)
{
    return nats__future_deadline_ns(conn->expiry[at]);
}

static void put(nats__conn *conn, uint32_t at, nats_future *future)
{
    conn->expiry[at] = future;
    future->expiry_at = at;
}

/* To the place that its deadline asks for, from where it is or from a free place. */
static void settle(nats__conn *conn, uint32_t at, nats_future *future)
{
    int64_t due = nats__future_deadline_ns(future);
    uint32_t count = conn->open_futures;
    while (at > 0 && due < due_at(conn, (at - 1) / 2)) {
        put(conn, at, conn->expiry[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    for (uint32_t child = at * 2 + 1; child < count; child = at * 2 + 1) {
        if (child + 1 < count && due_at(conn, child + 1) < due_at(conn, child)) {
            child++;
        }
        if (due <= due_at(conn, child)) {
            break;
        }
        put(conn, at, conn->expiry[child]);
        at = child;
    }
    put(conn, at, future);
}

void nats__expiry_add(nats__conn *conn, nats_future *future)
{
    settle(conn, conn->open_futures++, future);
}

void nats__expiry_move(nats__conn *conn, nats_future *future)
{
    settle(conn, future->expiry_at, future);
}

void nats__expiry_remove(nats__conn *conn, nats_future *future)
{
    nats_future *last = conn->expiry[--conn->open_futures];
    if (last != future) {
        settle(conn, future->expiry_at, last);
    }
}
