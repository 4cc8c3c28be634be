/* TLS on the way to a connection. mu held. */

#include "client/conn.h"
#include "io/poll.h"

void nats__secure_step(nats__conn *conn, int64_t now_ns)
{
    int wants;
    nats_status status = nats__tls_handshake(conn->tls, &wants);
    if (status != NATS_OK) {
        nats__dial_failed(conn, status, now_ns);
        return;
    }
    if (wants != NATS__TLS_DONE) {
        conn->tls_wants = wants == NATS__TLS_WANTS_READ ? NATS__POLL_READ : NATS__POLL_WRITE;
        nats__loops_socket(conn, conn->fd, conn->fd, conn->tls_wants);
        return;
    }
    if (conn->ws != NULL) {
        nats__upgrade_secured(conn, now_ns);
        return;
    }
    conn->transport = NATS__TRANSPORT_UP;
    conn->more = true; /* what came along with the end of the handshake is inside already */
    nats__loops_socket(conn, conn->fd, conn->fd, NATS__POLL_READ);
    nats__writer_attach(conn, conn->fd);
    nats__session_secured(conn->session, now_ns);
}

void nats__secure_start(nats__conn *conn, int64_t now_ns)
{
    const nats_options *options = nats__session_options(conn->session);
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    const char *ca = nats__opt_text(options, NATS__OPT_tls_ca);
    /* Who told of this server in clear may have been anybody. With certificates of one's own that
     * does no harm; else any site of the web would do. */
    bool doubtful = server->told_in_clear && ca == NULL;
    const nats__tls_wishes wishes = {
        .ca = ca,
        .cert = nats__opt_text(options, NATS__OPT_tls_cert),
        .key = nats__opt_text(options, NATS__OPT_tls_key),
        .name = doubtful ? server->told_by : server->url.host,
        .also = doubtful ? NULL : server->told_by,
    };
    /* Nobody writes before it is secure. */
    nats__writer_attach(conn, -1);
    conn->transport = NATS__TRANSPORT_SECURING;
    nats_status status = nats__tls_new(conn->fd, &wishes, &conn->tls_memory, &conn->tls);
    if (status != NATS_OK) {
        nats__dial_failed(conn, status, now_ns);
        return;
    }
    nats__secure_step(conn, now_ns);
}

void nats__secure_drop(nats__conn *conn)
{
    if (conn->tls != NULL) {
        uint64_t in;
        uint64_t out;
        nats__tls_overhead(conn->tls, &in, &out);
        conn->totals.tls_in_bytes += in;
        conn->totals.tls_out_bytes += out;
    }
    nats__tls_free(conn->tls);
    conn->tls = NULL;
}
