/* Clients: the handles on a connection. mu held unless said otherwise. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "io/poll.h"

nats_status nats__client_new(nats__conn *conn, nats_client **out)
{
    *out = NULL;
    nats_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    client->conn = conn;
    nats__conn_ref(conn);
    atomic_init(&client->refs, 1);
    client->fork_generation = nats__fork_generation();
    client->loop_fd = -1;
    client->ready_fd = -1;
    client->timer_fd = -1;
    client->next = conn->clients;
    if (conn->clients != NULL) {
        conn->clients->prev = client;
    }
    conn->clients = client;
    conn->client_count++;
    *out = client;
    return NATS_OK;
}

void nats__client_ref(nats_client *client)
{
    atomic_fetch_add_explicit(&client->refs, 1, memory_order_relaxed);
}

void nats__client_unref(nats_client *client)
{
    if (atomic_fetch_sub_explicit(&client->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    while (client->events != NULL) {
        nats_event *event = client->events;
        client->events = event->next;
        nats__event_free(event);
    }
    nats__fd_close(client->loop_fd);
    nats__fd_close(client->timer_fd);
    nats__fd_close(client->ready_fd);
    nats__conn *conn = client->conn;
    free(client);
    nats__conn_unref(conn);
}

static void end_sub(nats_sub *sub)
{
    nats__sub_clear(sub);
    nats__sub_ref(sub);
    nats__sub_end(sub);
    nats__sub_unref(sub);
}

void nats__client_end(nats_client *client)
{
    nats__conn *conn = client->conn;
    while (client->subs != NULL) {
        end_sub(client->subs);
    }
    while (client->ended_subs != NULL) {
        nats__sub_clear(client->ended_subs);
        nats__sub_release(client->ended_subs);
    }
    nats__requests_fail(conn, client, NATS_ERR_CLOSED);
    nats__loop_leave(client);
    if (client->prev != NULL) {
        client->prev->next = client->next;
    } else {
        conn->clients = client->next;
    }
    if (client->next != NULL) {
        client->next->prev = client->prev;
    }
    conn->client_count--;
    nats__conn_wake(conn);
}

/* ---- flush ---- */

typedef struct flush {
    nats__conn *conn;
    nats__pinging ping;
} flush;

static bool flushed(void *what)
{
    const flush *self = what;
    return self->conn->last_pong >= self->ping.token || self->conn->epoch != self->ping.epoch;
}

static nats_status lost(nats__conn *conn)
{
    return conn->closed ? nats__fail(NATS_ERR_CLOSED, "client", "the connection is closed")
                        : nats__fail(NATS_ERR_DISCONNECTED, NULL,
                                     "the connection was lost before the server's PONG came");
}

static bool connected_or_closed(void *what)
{
    const nats__conn *conn = what;
    return conn->connected || conn->closed;
}

static nats_status begin(flush *self, int64_t deadline_ns)
{
    nats__conn *conn = self->conn;
    nats_status status = nats__conn_wait(conn, conn, connected_or_closed, conn, deadline_ns);
    if (status != NATS_OK) {
        return status;
    }
    if (conn->closed) {
        return lost(conn);
    }
    self->ping.epoch = conn->epoch;
    status = nats__session_ping(conn->session, nats__now_ns(), nats__writer_look(conn).accepted,
                                &self->ping.token);
    if (status != NATS_OK) {
        return status;
    }
    nats__conn_stage(conn);
    return nats__session_out(conn->session)->len == 0
               ? NATS_OK
               : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

nats_status nats__conn_flush_on(nats__conn *conn, nats__pinging *pinging, int64_t deadline_ns,
                                int64_t *rtt_ns_out)
{
    /* A copy: several threads may wait for the same one, and the first that is done forgets it. */
    flush self = {.conn = conn, .ping = *pinging};
    nats_status status = self.ping.token == 0 ? begin(&self, deadline_ns) : NATS_OK;
    if (status == NATS_OK) {
        status = nats__conn_wait(conn, conn, flushed, &self, deadline_ns);
    }
    *pinging = status == NATS_ERR_INTERRUPTED ? self.ping : (nats__pinging){0};
    if (status == NATS_ERR_TIMEOUT) {
        return nats__fail(status, "timeout", "no PONG from the server in time");
    }
    if (status == NATS_ERR_INTERRUPTED) {
        return nats__fail(status, NULL, "interrupted by a signal while flushing");
    }
    if (status != NATS_OK) {
        return status;
    }
    if (conn->last_pong < self.ping.token || conn->epoch != self.ping.epoch) {
        return lost(conn);
    }
    *rtt_ns_out = conn->last_rtt_ns;
    return NATS_OK;
}

nats_status nats__conn_flush(nats__conn *conn, int64_t deadline_ns, int64_t *rtt_ns_out)
{
    nats__pinging none = {0};
    return nats__conn_flush_on(conn, &none, deadline_ns, rtt_ns_out);
}
