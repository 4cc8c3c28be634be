#include "proto/pool.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"

enum { NS_PER_MS = 1000000 };

static const char default_url[] = "nats://127.0.0.1:4222";

static void server_free(nats__server *server)
{
    nats__url_free(&server->url);
    free(server->auth_error);
    free(server->told_by);
}

/* Put the server at `from` to a random place at or behind `first`. */
static void shuffle_one(nats__pool *pool, size_t from, size_t first, nats__rng *rng)
{
    size_t to = first + (size_t)nats__rng_below(rng, from - first + 1);
    nats__server moved = pool->servers[from];
    pool->servers[from] = pool->servers[to];
    pool->servers[to] = moved;
}

nats_status nats__pool_init(nats__pool *pool, const char *list, bool shuffle, nats__rng *rng)
{
    *pool = (nats__pool){0};
    size_t cursor = 0;
    const char *text;
    size_t len;
    const char *urls = list != NULL ? list : default_url;
    nats_status status = NATS_OK;
    while (status == NATS_OK && nats__url_list_next(urls, &cursor, &text, &len)) {
        nats__url url;
        bool added;
        status = nats__url_parse(text, len, &url);
        if (status == NATS_OK) {
            status = nats__pool_add(pool, &url, false, &added);
            nats__url_free(&url);
        }
    }
    if (status == NATS_OK && pool->count == 0) {
        status = nats__fail(NATS_ERR_INVALID, "url", "url: no server is named");
    }
    if (status != NATS_OK) {
        nats__pool_free(pool);
        return status;
    }
    for (size_t i = 1; shuffle && i < pool->count; i++) {
        shuffle_one(pool, i, 0, rng);
    }
    pool->current = pool->count;
    return NATS_OK;
}

void nats__pool_free(nats__pool *pool)
{
    for (size_t i = 0; i < pool->count; i++) {
        server_free(&pool->servers[i]);
    }
    free(pool->servers);
    *pool = (nats__pool){0};
}

static bool copy_text(const char *text, char **out)
{
    *out = text != NULL ? strdup(text) : NULL;
    return text == NULL || *out != NULL;
}

static bool copy_secret(const char *secret, char **out)
{
    *out = secret != NULL ? nats__secret_copy(secret, strlen(secret)) : NULL;
    return secret == NULL || *out != NULL;
}

static bool url_copy(const nats__url *url, nats__url *out)
{
    *out = (nats__url){.scheme = url->scheme, .port = url->port};
    bool ok = copy_text(url->host, &out->host);
    ok = copy_secret(url->user, &out->user) && ok;
    ok = copy_secret(url->password, &out->password) && ok;
    ok = copy_secret(url->path, &out->path) && ok;
    ok = copy_text(url->text, &out->text) && ok;
    if (!ok) {
        nats__url_free(out);
    }
    return ok;
}

static nats__server *find(nats__pool *pool, const nats__url *url)
{
    for (size_t i = 0; i < pool->count; i++) {
        if (nats__url_same(&pool->servers[i].url, url)) {
            return &pool->servers[i];
        }
    }
    return NULL;
}

nats_status nats__pool_add(nats__pool *pool, const nats__url *url, bool discovered, bool *added_out)
{
    *added_out = false;
    nats__server *known = find(pool, url);
    if (known != NULL) {
        known->removed = known->removed && discovered;
        known->discovered = known->discovered && discovered;
        return NATS_OK;
    }
    if (pool->count > 0 && nats__scheme_is_websocket(pool->servers[0].url.scheme) !=
                               nats__scheme_is_websocket(url->scheme)) {
        return nats__fail(NATS_ERR_INVALID, "url",
                          "url: servers are reached by WebSocket (ws, wss) or without (nats, tls), "
                          "not some so and some so");
    }
    if (pool->count == NATS__POOL_MAX) {
        return nats__fail(NATS_ERR_LIMIT, "url", "%d servers are known: no more", NATS__POOL_MAX);
    }
    bool none_current = pool->current >= pool->count;
    nats__server *servers = realloc(pool->servers, (pool->count + 1) * sizeof *servers);
    if (servers == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    pool->servers = servers;
    nats__server *server = &servers[pool->count];
    *server = (nats__server){.discovered = discovered, .not_before_ns = NATS__AT_ONCE};
    if (!url_copy(url, &server->url)) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    pool->count++;
    pool->current = none_current ? pool->count : pool->current;
    *added_out = true;
    return NATS_OK;
}

bool nats__pool_remove(nats__pool *pool, size_t index)
{
    if (index >= pool->count) {
        return false;
    }
    server_free(&pool->servers[index]);
    pool->count--;
    memmove(&pool->servers[index], &pool->servers[index + 1],
            (pool->count - index) * sizeof pool->servers[0]);
    if (pool->current == index) {
        pool->current = pool->count;
    } else if (pool->current > index) {
        pool->current--;
    }
    return true;
}

bool nats__pool_drop(nats__pool *pool, size_t index)
{
    if (index < pool->count && index == pool->current) {
        pool->servers[index].removed = true;
        return true;
    }
    return nats__pool_remove(pool, index);
}

static bool given_up(const nats__server *server, int32_t max_reconnects)
{
    return server->removed || server->attempts == INT32_MAX ||
           (max_reconnects >= 0 && server->attempts >= max_reconnects);
}

/* A lame duck, while another may still work: once all have failed it is a server like them, for
 * it may have been started anew. */
static bool works_better(const nats__server *server)
{
    return !server->lame_duck && server->attempts == 0;
}

/* Is a better than b? Lame ducks come behind those that work, then who is due first. */
static bool better(const nats__server *a, const nats__server *b)
{
    if (a->lame_duck != b->lame_duck && works_better(a) != works_better(b)) {
        return !a->lame_duck;
    }
    return a->not_before_ns < b->not_before_ns;
}

/* The one in use was to be removed and is in use no more: its place goes to the one before it, so
 * that the order goes on from there. */
static void remove_dropped(nats__pool *pool)
{
    size_t at = pool->current;
    if (at < pool->count && pool->servers[at].removed) {
        nats__pool_remove(pool, at);
        pool->current = at > 0 ? at - 1 : pool->count - (pool->count > 0);
    }
}

nats__server *nats__pool_next(nats__pool *pool, int32_t max_reconnects)
{
    remove_dropped(pool);
    size_t start = pool->current < pool->count ? pool->current + 1 : 0;
    nats__server *best = NULL;
    for (size_t i = 0; i < pool->count; i++) {
        nats__server *server = &pool->servers[(start + i) % pool->count];
        if (!given_up(server, max_reconnects) && (best == NULL || better(server, best))) {
            best = server;
        }
    }
    if (best != NULL) {
        pool->current = (size_t)(best - pool->servers);
    }
    return best;
}

nats__server *nats__pool_current(nats__pool *pool)
{
    return pool->current < pool->count ? &pool->servers[pool->current] : NULL;
}

bool nats__pool_has_better(const nats__pool *pool, int32_t max_reconnects)
{
    for (size_t i = 0; i < pool->count; i++) {
        const nats__server *server = &pool->servers[i];
        if (i != pool->current && !server->lame_duck && !given_up(server, max_reconnects)) {
            return true;
        }
    }
    return false;
}

/* ---- discovered servers ---- */

/* What a cluster tells is "host:port": it is reached the way this server is, with its credentials.
 * and, behind a proxy, at its path. False when it is not a URL, would send those in clear, or memory
 * is out: it is passed over. */
static bool parse_discovered(const nats__server *current, const char *text, nats__url *out)
{
    char full[NATS__URL_MAX + 1];
    bool inherits = current != NULL && strstr(text, "://") == NULL;
    const char *scheme = inherits ? nats__scheme_name(current->url.scheme) : "nats";
    const char *form = strstr(text, "://") == NULL ? "%s://%s" : "%.0s%s";
    int len = snprintf(full, sizeof full, form, scheme, text);
    if (len < 0 || (size_t)len >= sizeof full ||
        nats__url_parse(full, (size_t)len, out) != NATS_OK) {
        return false;
    }
    if (current == NULL) {
        return true;
    }
    if (nats__scheme_is_secure(current->url.scheme) && !nats__scheme_is_secure(out->scheme)) {
        nats__url_free(out);
        return false;
    }
    bool ok = out->path != NULL || copy_secret(current->url.path, &out->path);
    bool own = out->user != NULL;
    ok = (own || copy_secret(current->url.user, &out->user)) && ok;
    ok = (own || copy_secret(current->url.password, &out->password)) && ok;
    if (!ok) {
        nats__url_free(out);
    }
    return ok;
}

static bool named(const nats__server *server, const nats__url *urls, size_t url_count)
{
    for (size_t i = 0; i < url_count; i++) {
        if (urls[i].host != NULL && nats__url_same(&urls[i], &server->url)) {
            return true;
        }
    }
    return false;
}

static void forget_gone(nats__pool *pool, const nats__url *urls, size_t url_count)
{
    for (size_t i = pool->count; i-- > 0;) {
        nats__server *server = &pool->servers[i];
        bool gone = i != pool->current && !named(server, urls, url_count);
        server->lame_duck = server->lame_duck && (gone || !server->gone);
        server->gone = gone;
        if (gone && server->discovered) {
            nats__pool_remove(pool, i);
        }
    }
}

/* The name that the user trusts is handed on with each server that is told of. */
static void note_teller(nats__pool *pool, nats__server *server, bool in_clear)
{
    const nats__server *teller = nats__pool_current(pool);
    if (teller == NULL) {
        return;
    }
    const char *name = teller->told_by != NULL ? teller->told_by : teller->url.host;
    server->told_by = strdup(name);
    server->told_in_clear = in_clear;
}

/* What anybody may have said in clear has been said by a server that we trust. */
static void believe(nats__pool *pool, const nats__url *url, bool in_clear)
{
    nats__server *server = find(pool, url);
    server->told_in_clear = server->told_in_clear && in_clear;
}

static void add_discovered(nats__pool *pool, const nats__url *url, bool shuffle, bool in_clear,
                           nats__rng *rng, nats__buf *news)
{
    bool added = false;
    if (url->host == NULL || nats__pool_add(pool, url, true, &added) != NATS_OK) {
        return;
    }
    if (!added) {
        believe(pool, url, in_clear);
        return;
    }
    note_teller(pool, &pool->servers[pool->count - 1], in_clear);
    nats__buf_append_text(news, news->len > 0 ? "," : "");
    nats__buf_append_text(news, url->text);
    size_t first = pool->current < pool->count ? pool->current + 1 : 0;
    if (shuffle && first < pool->count) {
        shuffle_one(pool, pool->count - 1, first, rng);
    }
}

/* All are parsed once: each is compared with every server that is known. */
void nats__pool_discover(nats__pool *pool, const char *const *urls, size_t url_count, bool shuffle,
                         bool in_clear, nats__rng *rng, nats__buf *news)
{
    nats__url *parsed = calloc(url_count + 1, sizeof *parsed);
    if (parsed == NULL) {
        return; /* the next INFO tells again */
    }
    for (size_t i = 0; i < url_count; i++) {
        parse_discovered(nats__pool_current(pool), urls[i], &parsed[i]);
    }
    forget_gone(pool, parsed, url_count);
    for (size_t i = 0; i < url_count; i++) {
        add_discovered(pool, &parsed[i], shuffle, in_clear, rng, news);
        nats__url_free(&parsed[i]);
    }
    free(parsed);
}

int64_t nats__backoff_ns(int32_t attempts, int64_t wait_ms, int64_t wait_max_ms, nats__rng *rng)
{
    if (wait_ms == 0 && attempts <= NATS__BACKOFF_FREE) {
        return 0;
    }
    if (wait_ms == 0) {
        attempts -= NATS__BACKOFF_FREE;
        wait_ms = NATS__BACKOFF_MIN_MS;
        wait_max_ms = wait_max_ms > wait_ms ? wait_max_ms : wait_ms;
    }
    int64_t bound = wait_ms;
    for (int32_t i = 1; i < attempts && bound < wait_max_ms; i++) {
        bound *= 2;
    }
    bound = bound < wait_max_ms ? bound : wait_max_ms;
    return (int64_t)nats__rng_below(rng, (uint64_t)bound * NS_PER_MS + 1);
}
