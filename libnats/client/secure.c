/* TLS on the way to a connection. What OpenSSL does may take long: reading the system's certificates,
 * and much arithmetic. So the driver does it without mu, and nobody's call waits for it. */
#include "client/secure.h"

#include <stdio.h>

#include "io/poll.h"

void nats__secure_start(nats__conn *conn)
{
    /* Nobody writes before it is secure. */
    nats__writer_attach(conn, -1);
    conn->transport = NATS__TRANSPORT_SECURING;
    conn->tls_wants = 0;
}

bool nats__secure_is_due(const nats__conn *conn)
{
    return conn->transport == NATS__TRANSPORT_SECURING && conn->tls_wants == 0;
}

/* The servers may be others by the time that the names are looked at. */
static const char *keep_name(char out[NATS__HOST_SIZE], const char *name)
{
    if (name == NULL) {
        return NULL;
    }
    snprintf(out, NATS__HOST_SIZE, "%s", name);
    return out;
}

void nats__secure_prepare(nats__conn *conn, nats__secure_job *job)
{
    *job = (nats__secure_job){.due = conn->transport == NATS__TRANSPORT_SECURING};
    if (!job->due) {
        return;
    }
    const nats_options *options = nats__session_options(conn->session);
    const nats__server *server = nats__pool_current(nats__session_pool(conn->session));
    const char *ca = nats__opt_text(options, NATS__OPT_tls_ca);
    /* Who told of this server in clear may have been anybody. With certificates of one's own that
     * does no harm; else any site of the web would do. */
    bool doubtful = server->told_in_clear && ca == NULL;
    job->wishes = (nats__tls_wishes){
        .ca = ca,
        .cert = nats__opt_text(options, NATS__OPT_tls_cert),
        .key = nats__opt_text(options, NATS__OPT_tls_key),
        .name = keep_name(job->name, doubtful ? server->told_by : server->url.host),
        .also = keep_name(job->also, doubtful ? NULL : server->told_by),
    };
    job->fd = conn->fd;
    job->tls = conn->tls;
    job->memory = conn->tls_memory;
}

void nats__secure_do(nats__secure_job *job)
{
    job->done = true;
    job->status = NATS_OK;
    if (job->tls == NULL) {
        job->status = nats__tls_new(job->fd, &job->wishes, &job->memory, &job->tls);
    }
    if (job->status == NATS_OK) {
        job->status = nats__tls_handshake(job->tls, &job->wants);
    }
}

void nats__secure_take(nats__conn *conn, const nats__secure_job *job, int64_t now_ns)
{
    conn->tls = job->tls;
    conn->tls_memory = job->memory;
    if (job->status != NATS_OK) {
        nats__dial_failed(conn, job->status, now_ns);
        return;
    }
    if (job->wants != NATS__TLS_DONE) {
        conn->tls_wants = job->wants == NATS__TLS_WANTS_READ ? NATS__POLL_READ : NATS__POLL_WRITE;
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

void nats__secure_drop(nats__conn *conn)
{
    if (conn->tls != NULL) {
        uint64_t in;
        uint64_t out;
        nats__tls_goodbye(conn->tls); /* its bytes count, too */
        nats__tls_overhead(conn->tls, &in, &out);
        conn->totals.tls_in_bytes += in;
        conn->totals.tls_out_bytes += out;
    }
    nats__tls_free(conn->tls);
    conn->tls = NULL;
}
