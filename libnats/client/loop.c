/* The descriptors for foreign event loops: an epoll set of the socket, a timer, and a flag that
 * says that something waits to be taken. mu held throughout. */
#include "base/clock.h"
#include "client/conn.h"
#include "io/poll.h"

void nats__loops_socket(nats__conn *conn, int old_fd, int new_fd, int want)
{
    conn->loop_want = want;
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        if (client->loop_fd >= 0) {
            nats__loop_watch(client->loop_fd, old_fd, new_fd, want);
        }
    }
}

int64_t nats__client_deadline_ns(nats_client *client)
{
    int64_t deadline = nats__conn_deadline_ns(client->conn);
    int64_t request = nats__requests_deadline_ns(client->conn);
    return request < deadline ? request : deadline;
}

/* A deadline that moved to a later time leaves the timer as it is: it fires once for nothing, and
 * most never do. Requests come and go without a system call for each. */
void nats__loop_due(nats_client *client, int64_t deadline_ns)
{
    if (client->loop_fd < 0 || deadline_ns == client->timer_ns) {
        return;
    }
    if (deadline_ns > client->timer_ns && client->timer_ns > nats__now_ns()) {
        return;
    }
    client->timer_ns = deadline_ns;
    nats__loop_timer(client->timer_fd, deadline_ns);
}

void nats__loop_turn(nats_client *client)
{
    nats__conn *conn = client->conn;
    client->news = false;
    nats__client_signal(client);
    if (client->closed || conn->closed) {
        return;
    }
    if (client->loop_fd >= 0 && conn->driver != NATS__DRIVER_BUSY) {
        nats__wake_clear(conn->wake_fd); /* else it is meant for the driver */
    }
    nats__conn_step(conn);
    nats__requests_expire(conn, nats__now_ns()); /* another thread may be the driver, and wait */
    nats__loop_due(client, nats__client_deadline_ns(client));
}

void nats__loops_deadline(nats__conn *conn)
{
    bool any = false;
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        any = any || client->loop_fd >= 0;
    }
    if (!any) {
        return;
    }
    bool blocked = nats__writer_look(conn).blocked;
    int fd;
    int want = nats__dial_wants(conn, &fd) | (blocked ? NATS__POLL_WRITE : 0);
    for (nats_client *client = conn->clients; client != NULL; client = client->next) {
        if (client->loop_fd < 0) {
            continue;
        }
        nats__loop_due(client, nats__client_deadline_ns(client));
        if (fd >= 0 && want != conn->loop_want) {
            nats__loop_watch(client->loop_fd, fd, fd, want);
        }
    }
    conn->loop_want = want;
}

void nats__loop_leave(nats_client *client)
{
    if (client->loop_fd < 0) {
        return;
    }
    nats__loop_watch(client->loop_fd, client->conn->fd, -1, 0);
    nats__loop_watch(client->loop_fd, client->conn->wake_fd, -1, 0);
    client->timer_ns = INT64_MAX;
    nats__loop_timer(client->timer_fd, INT64_MAX);
    nats__client_signal(client);
}

void nats__client_signal(nats_client *client)
{
    if (client->loop_fd < 0) {
        return;
    }
    bool ready = (client->pending > 0 && !client->news_only) || client->news;
    if (ready == client->ready_set) {
        return;
    }
    client->ready_set = ready;
    if (ready) {
        nats__wake_set(client->ready_fd);
    } else {
        nats__wake_clear(client->ready_fd);
    }
}

void nats__client_news(nats_client *client)
{
    client->news = true;
    nats__client_signal(client);
}

void nats__client_took(nats_client *client)
{
    bool unseen = client->news_only && client->news && client->pending > 0;
    client->news = client->events != NULL || client->replies > 0 || unseen ||
                   client->conn->question != NULL;
    nats__client_signal(client);
}
