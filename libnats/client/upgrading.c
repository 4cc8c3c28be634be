/* WebSocket on the way to a connection: TLS below it if need be, the request, the answer. mu held. */

#include "base/clock.h"
#include "base/wipe.h"
#include "client/conn.h"
#include "crypto/sha1.h"
#include "io/poll.h"
#include "io/tcp.h"

static nats_status make_request(nats__conn *conn)
{
    nats__ws *ws = conn->ws;
    const nats_options *options = nats__session_options(conn->session);
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    const char *headers = nats__opt_text(options, NATS__OPT_ws_headers);
    bool deflate = nats__opt(options, NATS__OPT_ws_compression) != 0;
    uint8_t nonce[NATS__UPGRADE_NONCE];
    char challenge[NATS__UPGRADE_CHALLENGE_SIZE];
    uint8_t digest[NATS__UPGRADE_DIGEST];
    if (!nats__random(nonce, sizeof nonce)) {
        return nats__fail(NATS_ERR_IO, NULL, "the system gives no random numbers");
    }
    nats__upgrade_init(&ws->upgrade, nonce, deflate);
    nats__upgrade_challenge(&ws->upgrade, challenge);
    if (!nats__sha1(challenge, sizeof challenge - 1, digest)) {
        return nats__fail(NATS_ERR_NOT_SUPPORTED, "url", "WebSocket: OpenSSL does no SHA-1 here");
    }
    nats__upgrade_expect(&ws->upgrade, digest);
    if (!nats__upgrade_request(&ws->upgrade, &server->url, headers, &ws->request)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    return NATS_OK;
}

/* What compresses is made before the answer: a build without it says so at once. */
static nats_status set_up(nats__conn *conn)
{
    nats_status status = nats__ws_new(&conn->ws);
    if (status == NATS_OK && nats__conn_opt(conn, NATS__OPT_ws_compression) != 0) {
        status = nats__zip_new(&conn->ws->zip);
    }
    return status == NATS_OK ? make_request(conn) : status;
}

void nats__upgrade_start(nats__conn *conn, int64_t now_ns)
{
    /* Nobody writes before it is made. */
    nats__writer_attach(conn, -1);
    conn->transport = NATS__TRANSPORT_UPGRADING;
    nats_status status = set_up(conn);
    if (status != NATS_OK) {
        nats__dial_failed(conn, status, now_ns);
        return;
    }
    if (nats__session_wants_tls(conn->session)) {
        nats__secure_start(conn);
        return;
    }
    nats__upgrade_secured(conn, now_ns);
}

static void wait_for(nats__conn *conn, int wants)
{
    conn->ws->wants = wants;
    nats__loops_socket(conn, conn->fd, conn->fd, wants);
}

void nats__upgrade_secured(nats__conn *conn, int64_t now_ns)
{
    conn->transport = NATS__TRANSPORT_UPGRADING;
    nats__upgrade_step(conn, now_ns);
}

/* The socket ended, or failed, on the way. */
static nats_status link_failed(ptrdiff_t n)
{
    return nats__fail(NATS_ERR_DISCONNECTED, "url",
                      n == -2 ? "the server closed the connection during the WebSocket upgrade"
                              : "the connection broke during the WebSocket upgrade");
}

/* Returns true when all of the request has gone. */
static bool send_request(nats__conn *conn, nats_status *status_out)
{
    nats__ws *ws = conn->ws;
    const uint8_t *at = ws->request.data + ws->request_at;
    size_t left = ws->request.len - ws->request_at;
    *status_out = NATS_OK;
    if (left == 0) {
        return true;
    }
    ptrdiff_t n = conn->tls != NULL ? nats__tls_write(conn->tls, at, left)
                                    : nats__tcp_write(conn->fd, at, left);
    if (n < 0) {
        *status_out = link_failed(n);
        return false;
    }
    ws->request_at += (size_t)n;
    nats__spin_lock(&conn->out_lock);
    conn->out.more_bytes += (uint64_t)n;
    nats__spin_unlock(&conn->out_lock);
    return ws->request_at == ws->request.len;
}

/* *used_out: as nats__upgrade_answer(). */
static nats_status read_answer(nats__conn *conn, size_t *used_out)
{
    nats__ws *ws = conn->ws;
    *used_out = 0;
    if (!nats__buf_reserve(&ws->in, NATS__UPGRADE_ANSWER_MAX - ws->in.len)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    uint8_t *space = ws->in.data + ws->in.len;
    size_t size = NATS__UPGRADE_ANSWER_MAX - ws->in.len;
    ptrdiff_t n = conn->tls != NULL ? nats__tls_read(conn->tls, space, size)
                                    : nats__tcp_read(conn->fd, space, size);
    if (n < 0) {
        return link_failed(n);
    }
    if (n == 0) {
        return NATS_OK;
    }
    ws->in.len += (size_t)n;
    conn->totals.in_bytes += (uint64_t)n;
    return nats__upgrade_answer(&ws->upgrade, (const char *)ws->in.data, ws->in.len, used_out);
}

static void up(nats__conn *conn, size_t used, int64_t now_ns)
{
    nats__ws *ws = conn->ws;
    nats__wipe(ws->request.data, ws->request.len); /* its headers may be secret */
    nats__buf_free(&ws->request);
    ws->in_at = used;
    ws->reader.deflate = ws->upgrade.deflate;
    if (!ws->upgrade.deflate) {
        nats__zip_free(ws->zip);
        ws->zip = NULL;
    }
    ws->writer.zip = ws->zip;
    ws->up = true;
    conn->transport = NATS__TRANSPORT_UP;
    conn->more = true; /* the first frames may have come along */
    nats__loops_socket(conn, conn->fd, conn->fd, NATS__POLL_READ);
    nats__writer_attach(conn, conn->fd);
    nats__session_upgraded(conn->session, now_ns);
}

void nats__upgrade_step(nats__conn *conn, int64_t now_ns)
{
    nats_status status;
    size_t used = 0;
    bool sent = send_request(conn, &status);
    if (status == NATS_OK && sent) {
        status = read_answer(conn, &used);
    }
    if (status != NATS_OK) {
        nats__dial_failed(conn, status, now_ns);
    } else if (used > 0) {
        up(conn, used, now_ns);
    } else {
        wait_for(conn, sent ? NATS__POLL_READ : NATS__POLL_WRITE);
    }
}

void nats__upgrade_drop(nats__conn *conn)
{
    if (conn->ws != NULL) {
        nats__ws_bye(conn->ws, (nats__ws_link){conn->fd, conn->tls});
        nats__ws_free(conn->ws);
        conn->ws = NULL;
    }
}
