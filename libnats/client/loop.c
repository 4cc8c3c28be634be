/* The descriptors for foreign event loops: an epoll set of the socket, a timer, and a flag that
 * says that something waits to be taken. mu held throughout. */
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
    int64_t request = nats__requests_deadline_ns(client->conn, client);
    return request < deadline ? request : deadline;
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
        nats__loop_timer(client->timer_fd, nats__client_deadline_ns(client));
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
    nats__loop_timer(client->timer_fd, INT64_MAX);
    nats__client_signal(client);
}

void nats__client_signal(nats_client *client)
{
    if (client->loop_fd < 0) {
        return;
    }
    bool ready = client->pending > 0 || client->replies > 0 || client->events != NULL;
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
