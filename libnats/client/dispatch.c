/* What the session says, carried to clients, subscriptions and requests. mu held throughout. */
#include <stdio.h>
#include <string.h>

#include "client/conn.h"
#include "io/poll.h"

static const char *server_url(nats__conn *conn)
{
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    return server != NULL ? server->url.text : "";
}

static void note_error(nats__conn *conn, nats_status status, const char *text)
{
    if (conn->not_opened) {
        return;
    }
    conn->last_status = status;
    snprintf(conn->last_text, sizeof conn->last_text, "%s", text);
}

static void on_dial(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)ev;
    nats__dial_start(conn, now_ns);
}

static void on_tls_wanted(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)ev, (void)now_ns;
    nats__secure_start(conn);
}

static void on_sign_wanted(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    nats__auth_wanted(conn, ev->text, now_ns);
}

static void on_upgrade_wanted(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)ev;
    nats__upgrade_start(conn, now_ns);
}

/* The gate is open; what waited and is too much for this server does not go through. */
static void open_writer(nats__conn *conn)
{
    const nats_info *info = nats__session_info(conn->session);
    size_t max = nats__session_max_payload(conn->session);
    uint64_t dropped = nats__writer_open(conn, max, info->headers);
    if (dropped == 0) {
        return;
    }
    char text[128];
    snprintf(text, sizeof text,
             "%llu messages that waited are over this server's max_payload %zu%s",
             (unsigned long long)dropped, max, info->headers ? "" : ", or have headers");
    conn->totals.lost += dropped;
    conn->totals.errors++;
    note_error(conn, NATS_ERR_MAX_PAYLOAD, text);
    nats__event_push(conn, NULL,
                     &(nats__event_facts){.type = NATS_EVENT_ERROR,
                                          .status = NATS_ERR_MAX_PAYLOAD,
                                          .recoverable = true,
                                          .text = text,
                                          .url = server_url(conn),
                                          .lost = dropped});
}

static void on_connected(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    nats__conn_stage(conn); /* SUBs go before what waits in the outbox */
    open_writer(conn);
    conn->staged = true; /* whoever drives writes that, also when nobody calls */
    conn->connected = true;
    conn->attempt_deadline_ns = INT64_MAX;
    conn->totals.connects++;
    bool first = !conn->connected_once;
    conn->connected_once = true;
    nats__event_push(conn, NULL,
                     &(nats__event_facts){
                         .type = first ? NATS_EVENT_CONNECTED : NATS_EVENT_RECONNECTED,
                         .url = server_url(conn)});
    nats__known_note(conn, server_url(conn));
    nats__goals_connected(conn);
    nats__hooks_connected(conn, now_ns);
    nats__conn_tell(conn, NULL);
    (void)ev;
}

void nats__conn_lost(nats__conn *conn)
{
    if (!conn->connected) {
        return;
    }
    conn->connected = false;
    conn->epoch++;
    bool keep = !conn->closed && nats__conn_opt(conn, NATS__OPT_reconnect);
    nats__writer_lost(conn, keep, &conn->lost, &conn->unconfirmed);
    conn->totals.lost += conn->lost;
    conn->totals.unconfirmed += conn->unconfirmed;
    nats__requests_fail(conn, NULL, NATS_ERR_DISCONNECTED);
    nats__hooks_lost(conn);
    nats__conn_tell(conn, NULL);
}

static void on_disconnected(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)now_ns;
    nats__dial_drop(conn);
    note_error(conn, ev->status, ev->text);
    nats__event_push(conn, NULL,
                     &(nats__event_facts){.type = NATS_EVENT_DISCONNECTED,
                                          .status = ev->status,
                                          .kind = ev->kind,
                                          .text = ev->text,
                                          .url = ev->url,
                                          .lost = conn->lost,
                                          .unconfirmed = conn->unconfirmed});
    conn->lost = 0;
    conn->unconfirmed = 0;
}

static void on_closed(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)now_ns;
    nats__conn_shutdown(conn, ev->status, ev->kind, ev->text);
}

static void on_msg(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    nats_sub *sub = (nats_sub *)ev->sub;
    conn->totals.received++;
    if (sub->client == NULL) {
        nats__request_reply(conn, ev->msg, now_ns);
        return;
    }
    if (sub->hook != NULL) {
        nats__hook_msg(sub, ev->msg, ev->sub_done, now_ns);
        return;
    }
    nats__sub_push(conn, sub, ev->msg, now_ns);
    if (ev->sub_done) {
        nats__sub_ended(sub);
    }
}

static void on_pong(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)now_ns;
    nats__spin_lock(&conn->out_lock);
    nats__outbox_confirm(&conn->out.box, ev->mark);
    nats__spin_unlock(&conn->out_lock);
    conn->last_pong = ev->token;
    conn->last_rtt_ns = ev->rtt_ns;
    nats__goals_pong(conn, ev->token);
    nats__conn_tell(conn, conn);
}

static void on_info(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)ev, (void)now_ns;
    open_writer(conn);
    nats__known_note(conn, server_url(conn));
}

static void on_discovered(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)now_ns;
    nats__event_push(conn, NULL,
                     &(nats__event_facts){.type = NATS_EVENT_DISCOVERED,
                                          .text = ev->text,
                                          .url = server_url(conn)});
}

static void on_lame_duck(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)ev, (void)now_ns;
    nats__event_push(
        conn, NULL,
        &(nats__event_facts){.type = NATS_EVENT_LAME_DUCK, .url = server_url(conn)});
}

static void on_error(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)now_ns;
    conn->totals.errors++;
    note_error(conn, ev->status, ev->text);
    nats_sub *sub = (nats_sub *)ev->sub;
    bool refused = ev->status == NATS_ERR_PERMISSION;
    if (sub == NULL && refused && ev->subject != NULL && ev->of_reply) {
        nats__requests_reply_failed(conn, ev->subject, NATS_ERR_PERMISSION);
    } else if (sub == NULL && refused && ev->subject != NULL) {
        nats__requests_refused(conn, ev->subject);
    }
    if (sub == NULL && refused && ev->subject != NULL) {
        nats__hooks_refused(conn, ev->subject, ev->of_reply);
    }
    nats__event_push(conn, sub != NULL ? sub->client : NULL,
                     &(nats__event_facts){.type = NATS_EVENT_ERROR,
                                          .status = ev->status,
                                          .kind = ev->kind,
                                          .recoverable = ev->recoverable,
                                          .text = ev->text,
                                          .url = server_url(conn),
                                          .subject = ev->subject,
                                          .attempt = !conn->connected,
                                          .sid = sub != NULL ? sub->rec.sid : 0});
    if (sub != NULL && sub == conn->mux) {
        nats__requests_inbox_refused(conn);
    } else if (sub != NULL) {
        nats__sub_refused(sub);
    }
}

static void on_stale(nats__conn *conn, const nats__session_event *ev, int64_t now_ns)
{
    (void)now_ns;
    nats__event_push(conn, NULL,
                     &(nats__event_facts){.type = NATS_EVENT_STALE,
                                          .status = ev->status,
                                          .text = ev->text,
                                          .url = server_url(conn)});
}

typedef void (*handler)(nats__conn *, const nats__session_event *, int64_t);

static const handler handlers[] = {
    [NATS_PROTO_DIAL] = on_dial,
    [NATS_PROTO_UPGRADE_WANTED] = on_upgrade_wanted,
    [NATS_PROTO_TLS_WANTED] = on_tls_wanted,
    [NATS_PROTO_SIGN_WANTED] = on_sign_wanted,
    [NATS_PROTO_CONNECTED] = on_connected,
    [NATS_PROTO_RECONNECTED] = on_connected,
    [NATS_PROTO_DISCONNECTED] = on_disconnected,
    [NATS_PROTO_CLOSED] = on_closed,
    [NATS_PROTO_MSG] = on_msg,
    [NATS_PROTO_PONG] = on_pong,
    [NATS_PROTO_INFO] = on_info,
    [NATS_PROTO_DISCOVERED] = on_discovered,
    [NATS_PROTO_LAME_DUCK] = on_lame_duck,
    [NATS_PROTO_ERROR] = on_error,
    [NATS_PROTO_STALE] = on_stale,
};

/* Clients whose queues changed, told once for the whole round. */
static void signal_clients(nats__conn *conn)
{
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        nats__client_signal(client);
    }
}

void nats__conn_dispatch(nats__conn *conn, int64_t now_ns)
{
    nats__session_event ev;
    bool any = false;
    while (!conn->closed && nats__session_next(conn->session, now_ns, &ev)) {
        any = true;
        if (ev.type == NATS_PROTO_MSG) {
            on_msg(conn, &ev, now_ns);
        } else if (handlers[ev.type] != NULL) {
            handlers[ev.type](conn, &ev, now_ns);
        }
    }
    if (!any || conn->closed) {
        return;
    }

    /* The session gave a connection up by itself: bad bytes, a refusal, stale. */
    int32_t state = nats__session_state(conn->session);
    if (state == NATS_PROTO_STATE_WAITING && conn->transport != NATS__TRANSPORT_NONE) {
        nats__dial_drop(conn);
    }
    signal_clients(conn);
}
