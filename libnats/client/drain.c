/* Ending without losing what is under way: UNSUB, then wait until the server has answered a PING
 * sent after it; what it sent for the subscription is here then. mu held. */
#include "client/conn.h"
#include "proto/encoder.h"

static nats_status tell_server(nats__conn *conn, const nats_sub *sub)
{
    if (!conn->connected) {
        return NATS_OK;
    }
    return nats__encode_unsub(nats__session_out(conn->session), sub->rec.sid, 0)
               ? NATS_OK
               : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

nats_status nats__sub_drain(nats_sub *sub, int64_t deadline_ns)
{
    nats__conn *conn = sub->client->conn;
    int64_t rtt;
    nats_status status = tell_server(conn, sub);
    if (status == NATS_OK) {
        nats__conn_stage(conn);
        status = nats__conn_flush(conn, deadline_ns, &rtt);
    }
    if (sub->active) {
        nats__session_forget(conn->session, &sub->rec);
        nats__sub_ended(sub);
    }
    return status;
}

nats_status nats__client_drain(nats_client *client, int64_t deadline_ns)
{
    nats__conn *conn = client->conn;
    int64_t rtt;
    nats_status status = NATS_OK;
    for (nats_sub *sub = client->subs; sub != NULL && status == NATS_OK; sub = sub->next) {
        status = tell_server(conn, sub);
    }
    if (status == NATS_OK) {
        nats__conn_stage(conn);
        status = nats__conn_flush(conn, deadline_ns, &rtt);
    }
    while (client->subs != NULL) {
        nats_sub *sub = client->subs;
        nats__session_forget(conn->session, &sub->rec);
        nats__sub_ended(sub);
    }
    nats__conn_tell(conn, client);
    return status;
}
