/* The keeper: a thread that does what callers would do, while there are none. It answers pings,
 * reads into the queues, reconnects, and writes what a burst of publishes left behind. While
 * callers come and go it stays away, looking every few milliseconds whether they still do. */
#include <signal.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "io/poll.h"

enum {
    AWAY_MS = 4,             /* callers absent for so long are gone */
    LOOP_AWAY_MS = 2,        /* a foreign loop that did not read by then is busy */
    BURST_FIRST_US = 50,     /* first look at a burst: a lone pair of publishes waits no longer */
    BURST_LAST_US = 1000,    /* a burst that goes on is written at least this often */
    BURST_READS = 16,        /* as much is read at once while a burst lasts */
    NS_PER_US = 1000
};

void nats__keeper_tell(nats__conn *conn)
{
    nats__wake_set(conn->keeper_fd >= 0 ? conn->keeper_fd : conn->wake_fd);
}

/* Wait, but wake for whoever calls. */
static void nap(nats__conn *conn, int64_t ns)
{
    if ((nats__poll(-1, 0, conn->keeper_fd, nats__now_ns() + ns) & NATS__POLL_WAKE) != 0) {
        nats__wake_clear(conn->keeper_fd);
    }
}

static void sleep_for(int64_t ns)
{
    nats__poll(-1, 0, -1, nats__now_ns() + ns);
}

/* Write what a burst leaves behind: as soon as it pauses, and now and then while it lasts. False
 * when it goes on, and somebody should listen to the server again. mu not held. */
static bool write_burst(nats__conn *conn)
{
    int64_t ns = BURST_FIRST_US * NS_PER_US;
    int64_t listen_ns = nats__now_ns() + AWAY_MS * NATS__MS;
    nats__writer_state before = nats__writer_look(conn);
    while (before.armed && !before.blocked && !before.failed) {
        if (nats__now_ns() >= listen_ns) {
            return false;
        }
        sleep_for(ns);
        nats__writer_state now = nats__writer_look(conn);
        bool paused = now.accepted == before.accepted;
        if (paused || ns >= BURST_LAST_US * NS_PER_US) {
            nats__writer_flush(conn);
        }
        if (paused && nats__writer_rest(conn, now.accepted)) {
            return true;
        }
        ns = ns < BURST_LAST_US * NS_PER_US ? ns * 2 : ns;
        before = nats__writer_look(conn);
    }
    return true;
}

/* Read what came while a burst kept the keeper busy, and do what is due, unless a caller does.
 * mu held. */
static void listen_between(nats__conn *conn)
{
    if (conn->closed || conn->closing || conn->driver != NATS__DRIVER_NONE) {
        return;
    }
    conn->driver = NATS__DRIVER_BUSY;
    for (int reads = 0; reads < BURST_READS; reads++) {
        nats__conn_drive(conn, 0);
        if (!conn->more || conn->closed || conn->closing) {
            break;
        }
    }
    nats__conn_leave(conn);
}

/* The socket was full while a caller drives who may not know of it. */
static void wait_for_room(nats__conn *conn, int fd)
{
    int ready =
        nats__poll(fd, NATS__POLL_WRITE, conn->keeper_fd, nats__now_ns() + AWAY_MS * NATS__MS);
    if ((ready & NATS__POLL_WAKE) != 0) {
        nats__wake_clear(conn->keeper_fd);
    }
    nats__writer_flush(conn);
}

static bool foreign_loop(const nats__conn *conn)
{
    for (const nats_client *client = conn->clients; client != NULL; client = client->next) {
        if (client->loop_fd >= 0) {
            return true;
        }
    }
    return false;
}

/* Watch the socket and the clock; what becomes due is done here unless a caller took over. mu
 * held. */
static void watch(nats__conn *conn)
{
    int fd;
    int want = nats__dial_wants(conn, &fd);
    if (nats__writer_look(conn).blocked) {
        want |= NATS__POLL_WRITE;
    }
    int64_t deadline = nats__conn_deadline_ns(conn);
    /* Who asked for a resolution is told through wake_fd, and so are drivers. */
    bool resolving = conn->transport == NATS__TRANSPORT_RESOLVING;
    int watched = resolving ? conn->wake_fd : fd;
    uint64_t visits = conn->visits;
    conn->driver = NATS__DRIVER_WATCHING;

    pthread_mutex_unlock(&conn->mu);
    int ready = nats__poll(watched, resolving ? NATS__POLL_READ : want, conn->keeper_fd, deadline);
    if ((ready & NATS__POLL_WAKE) != 0) {
        nats__wake_clear(conn->keeper_fd);
    }
    pthread_mutex_lock(&conn->mu);

    if (conn->driver == NATS__DRIVER_WATCHING && (ready & NATS__POLL_READ) != 0 &&
        foreign_loop(conn)) {
        pthread_mutex_unlock(&conn->mu);
        nap(conn, LOOP_AWAY_MS * NATS__MS);
        pthread_mutex_lock(&conn->mu);
    }
    if (conn->driver != NATS__DRIVER_WATCHING || conn->visits != visits || conn->keeper_stop) {
        if (conn->driver == NATS__DRIVER_WATCHING) {
            conn->driver = NATS__DRIVER_NONE;
        }
        return;
    }
    conn->driver = NATS__DRIVER_BUSY;
    nats__conn_drive(conn, 0);
    nats__conn_leave(conn);
}

static void *keeper_main(void *arg)
{
    nats__conn *conn = arg;
    uint64_t visits = 0;
    pthread_mutex_lock(&conn->mu);
    while (!conn->keeper_stop && !conn->closed) {
        nats__writer_state out = nats__writer_look(conn);
        bool burst = out.armed && !out.blocked && !out.failed;
        bool callers = conn->driver != NATS__DRIVER_NONE || conn->visits != visits;
        visits = conn->visits;
        if (!burst && !callers) {
            watch(conn);
            continue;
        }
        bool goes_on = false;
        pthread_mutex_unlock(&conn->mu);
        if (burst) {
            goes_on = !write_burst(conn);
        } else if (out.blocked) {
            wait_for_room(conn, out.fd);
        } else {
            nap(conn, AWAY_MS * NATS__MS);
        }
        pthread_mutex_lock(&conn->mu);
        if (goes_on && !conn->keeper_stop && conn->visits == visits) {
            listen_between(conn);
        }
    }
    pthread_mutex_unlock(&conn->mu);
    return NULL;
}

nats_status nats__keeper_start(nats__conn *conn)
{
    conn->keeper_fd = nats__wake_new();
    if (conn->keeper_fd < 0) {
        return nats__fail(NATS_ERR_IO, NULL, "keeper: no descriptor for waking it");
    }
    /* Signals are the program's own business: none is delivered to this thread. */
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    conn->keeper_runs = true;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&conn->keeper, NULL, keeper_main, conn);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0) {
        conn->keeper_runs = false;
        return nats__fail(NATS_ERR_IO, NULL, "keeper: no thread: %s", strerror(error));
    }
    return NATS_OK;
}

void nats__keeper_stop(nats__conn *conn)
{
    pthread_mutex_lock(&conn->mu);
    bool runs = conn->keeper_runs;
    conn->keeper_runs = false;
    conn->keeper_stop = true;
    pthread_mutex_unlock(&conn->mu);
    if (runs) {
        nats__wake_set(conn->keeper_fd);
        pthread_join(conn->keeper, NULL);
    }
}
