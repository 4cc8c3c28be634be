/* Waiting until all of a publisher's messages have come to something: in a call, or by a future. mu held
 * throughout. */
#include <stdlib.h>

#include "base/error.h"
#include "jetstream/ingest.h"

bool nats__publisher_flushed(nats__flushing *flush)
{
    const nats__window *window = &flush->publisher->window;
    const nats__ingest *ingest = flush->publisher->ingest;
    if (ingest != NULL) {
        return ingest->settled >= flush->target;
    }
    for (; flush->cursor < window->count; flush->cursor++) {
        uint64_t id = nats__window_at(window, flush->cursor);
        if (id != 0 && id <= flush->target) {
            return false;
        }
    }
    return true;
}

static void link_in(nats__flushing *flush, nats_js_publisher *publisher)
{
    if (publisher->ingest != NULL) {
        flush->target = atomic_load(&publisher->ingest->last);
    } else {
        nats__spin_lock(&publisher->window.lock);
        flush->target = publisher->window.last_id;
        nats__spin_unlock(&publisher->window.lock);
    }
    flush->publisher = publisher;
    flush->next = publisher->flushes;
    publisher->flushes = flush;
}

/* It may be out already. */
static void link_out(nats__flushing *flush)
{
    nats__flushing **link = &flush->publisher->flushes;
    while (*link != NULL && *link != flush) {
        link = &(*link)->next;
    }
    if (*link == flush) {
        *link = flush->next;
    }
}

static void end(nats__flushing *flush)
{
    link_out(flush);
    if (nats__failures_first(&flush->publisher->failures) == NATS_OK) {
        nats__future_end(flush->future, NATS_OK);
    } else {
        nats__future_fail(flush->future);
    }
}

void nats__publisher_told(nats_js_publisher *publisher)
{
    nats__conn *conn = publisher->client->conn;
    if (publisher->room_waiters > 0 &&
        (publisher->ingest != NULL ||
         nats__window_room(&publisher->window) >= publisher->room_wanted)) {
        nats__conn_tell(conn, publisher);
    }
    for (nats__flushing *flush = publisher->flushes, *next; flush != NULL; flush = next) {
        next = flush->next;
        if (!nats__publisher_flushed(flush)) {
            continue;
        }
        if (flush->future != NULL) {
            end(flush);
        } else {
            nats__conn_tell(conn, flush->key != NULL ? flush->key : flush);
        }
    }
}

/* Of what was published before the drain began; what is published since fails with it, and is told. */
bool nats__publisher_on_drain(nats__hook *hook)
{
    nats_js_publisher *publisher = (nats_js_publisher *)hook;
    nats__flushing *drain = &publisher->drain;
    if (drain->publisher == NULL) {
        drain->key = publisher->client;
        link_in(drain, publisher);
        nats__ingest_end_soon(publisher);
    }
    return nats__publisher_flushed(drain);
}

/* ---- in a call ---- */

static bool is_flushed(void *what)
{
    return nats__publisher_flushed(what);
}

static nats_status not_all(const nats_js_publisher *publisher)
{
    return nats__fail(NATS_ERR_TIMEOUT, "timeout", "%llu messages wait for their acknowledgements",
                      (unsigned long long)nats__publisher_pending(publisher));
}

nats_status nats__publisher_flush(nats_js_publisher *publisher, int64_t deadline_ns)
{
    nats__flushing flush = {0};
    link_in(&flush, publisher);
    nats_status status = nats__conn_wait(publisher->client->conn, &flush, is_flushed, &flush,
                                         deadline_ns);
    bool flushed = nats__publisher_flushed(&flush);
    link_out(&flush);
    if (status == NATS_ERR_INTERRUPTED && !flushed) {
        return nats__fail(status, NULL,
                          "interrupted by a signal while waiting for acknowledgements");
    }
    return flushed ? nats__failures_first(&publisher->failures) : not_all(publisher);
}

/* ---- by a future ---- */

static void on_time(nats_future *future, int64_t now_ns)
{
    (void)now_ns;
    const nats__flushing *flush = future->owner;
    not_all(flush->publisher);
    nats__future_fail(future);
}

/* With the connection it ends before the messages that it waits for do: they are why. */
static void on_ended(nats_future *future)
{
    nats__flushing *flush = future->owner;
    link_out(flush);
    bool with_it =
        future->status == NATS_ERR_DISCONNECTED || future->status == NATS_ERR_CLOSED;
    if (!with_it || future->words != NULL) {
        return;
    }
    nats__publisher_fail_all(flush->publisher, future->status);
    nats_status status = nats__failures_first(&flush->publisher->failures);
    if (status == NATS_OK) {
        return;
    }
    future->status = status;
    future->words = malloc(sizeof *future->words);
    if (future->words != NULL) {
        *future->words = *nats__error_get();
    }
}

static void freed(void *owner)
{
    free(owner);
}

static const nats__future_hooks hooks = {
    .on_time = on_time, .on_ended = on_ended, .freed = freed};

nats_status nats__publisher_flush_start(nats_js_publisher *publisher, int64_t timeout_ms,
                                        nats_future **out)
{
    nats__flushing *flush = calloc(1, sizeof *flush);
    if (flush == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats_status status = nats__future_new(publisher->client, "", 0, INT64_MAX, out);
    if (status != NATS_OK) {
        free(flush);
        return status;
    }
    nats_future *future = *out;
    flush->future = future;
    future->many = true; /* it ends as many replies do: with none */
    nats__future_hook(future, &hooks, flush);
    link_in(flush, publisher);
    if (nats__publisher_flushed(flush)) {
        end(flush);
    } else {
        nats__future_hook_at(future, nats__deadline_in(timeout_ms));
    }
    return NATS_OK;
}
