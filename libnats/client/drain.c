/* Ending without losing what is under way: UNSUB, then wait until the server has answered a PING
 * sent after it; what it sent for the subscription is here then. While the connection is lost
 * nothing is under way: the subscription ends at once, or the next connection would have it
 * again. mu held. */
#include "client/conn.h"
#include "proto/encoder.h"

/* Out of the table. The server knows when its PONG came after the UNSUB; else the connection may
 * be another one by now, where it was subscribed anew. */
static void end(nats_sub *sub, bool server_knows)
{
    if (!server_knows) {
        nats__sub_end(sub);
        return;
    }
    if (sub->active) {
        nats__session_forget(sub->client->conn->session, &sub->rec);
        nats__sub_ended(sub);
    }
}

static nats_status tell_server(nats__conn *conn, const nats_sub *sub)
{
    return nats__encode_unsub(nats__session_out(conn->session), sub->rec.sid, 0)
               ? NATS_OK
               : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

nats_status nats__sub_drain_begin(nats_sub *sub)
{
    nats__conn *conn = sub->client->conn;
    nats__hook *hook = sub->hook;
    sub->draining = true;
    nats_sub *source =
        hook != NULL && hook->calls->source != NULL ? hook->calls->source(hook) : NULL;
    if (source != NULL && !source->draining) {
        source->draining = true;
        nats_status status = tell_server(conn, source);
        if (status != NATS_OK) {
            return status;
        }
    }
    return tell_server(conn, sub);
}

void nats__drain_given_up(nats_client *client, nats_sub *sub)
{
    if (sub != NULL) {
        sub->draining = false;
    }
    for (sub = client->subs; sub != NULL; sub = sub->next) {
        sub->draining = false;
    }
}

void nats__sub_drain_end(nats_sub *sub, bool server_knows)
{
    end(sub, server_knows);
    nats__conn_stage(sub->client->conn);
}

nats_status nats__sub_drain(nats_sub *sub, int64_t deadline_ns)
{
    nats__conn *conn = sub->client->conn;
    int64_t rtt;
    bool goes_on = sub->pinging.token != 0; /* a call that was interrupted has begun */
    if (!conn->connected && !goes_on) {
        end(sub, false);
        return NATS_OK;
    }
    nats_status status = goes_on ? NATS_OK : nats__sub_drain_begin(sub);
    if (status == NATS_OK) {
        status = nats__conn_flush_on(conn, &sub->pinging, deadline_ns, &rtt);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        return status; /* the next call goes on */
    }
    nats__sub_drain_end(sub, status == NATS_OK);
    return status;
}

static void end_all(nats_client *client, bool server_knows)
{
    while (client->subs != NULL) {
        end(client->subs, server_knows);
    }
    nats__conn_stage(client->conn);
}

nats_status nats__client_drain_begin(nats_client *client)
{
    nats_status status = NATS_OK;
    if (!client->conn->connected) {
        end_all(client, false);
    }
    for (nats_sub *sub = client->subs; sub != NULL && status == NATS_OK; sub = sub->next) {
        status = nats__sub_drain_begin(sub);
    }
    return status;
}

void nats__client_drain_end(nats_client *client, bool server_knows)
{
    end_all(client, server_knows);
    client->drained = true;
    nats__conn_tell(client->conn, client);
}

static bool hooks_drained(void *what)
{
    return nats__hooks_drained(what);
}

nats_status nats__drain_late(void)
{
    return nats__fail(NATS_ERR_TIMEOUT, "timeout",
                      "what was published within a window waits for its acknowledgements");
}

/* What was published within a window is acknowledged before the subscription to that ends. */
static nats_status wait_for_hooks(nats_client *client, int64_t deadline_ns)
{
    if (nats__hooks_drained(client)) {
        return NATS_OK;
    }
    nats_status status =
        nats__conn_wait(client->conn, client, hooks_drained, client, deadline_ns);
    if (status == NATS_ERR_INTERRUPTED) {
        return nats__fail(status, NULL, "interrupted by a signal while draining");
    }
    return status == NATS_ERR_TIMEOUT ? nats__drain_late() : status;
}

nats_status nats__client_drain(nats_client *client, int64_t deadline_ns)
{
    int64_t rtt;
    bool goes_on = client->pinging.token != 0;
    nats_status status = goes_on ? NATS_OK : wait_for_hooks(client, deadline_ns);
    if (status == NATS_OK && !goes_on) {
        status = nats__client_drain_begin(client);
    }
    if (status == NATS_OK) {
        status = nats__conn_flush_on(client->conn, &client->pinging, deadline_ns, &rtt);
    }
    if (status == NATS_ERR_INTERRUPTED) {
        return status;
    }
    nats__client_drain_end(client, status == NATS_OK);
    return status;
}
