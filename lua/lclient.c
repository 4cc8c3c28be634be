/* The client: connect, publish, receive, and what it knows. Requests are in lfuture.c, callbacks
 * in lcallback.c. */
#include "lnats.h"

#include <string.h>

/* What the collector is told that a client takes. */
#define CLIENT_KB 256
/* Payloads of one inner call of publish_many: as many Lua stack slots keep them alive. */
#define PUBLISH_SLICE 200
/* Buffer for an inbox: a prefix of 512 bytes, the longest there is, and the unique rest. */
#define INBOX_SIZE 1024
/* More counters than the library has. */
#define STATS_MAX 64

const lnats_kind lnats_client_kind = {"nats.client", sizeof(lnats_client)};

lnats_client *lnats_client_check(lua_State *L, int arg)
{
    lnats_client *client = lnats_test(L, arg, &lnats_client_kind);
    if (client == NULL || client->client == NULL) {
        lnats_check(L, arg, &lnats_client_kind);
        luaL_error(L, "the client was collected");
    }
    return client;
}

/* ---- life ---- */

/* A client that was closed keeps two descriptors until it is collected, and Lua sees none of them:
 * the collector goes on as if so much memory had been taken. Unless the script has stopped it. */
static void tell_collector(lua_State *L)
{
    if (lua_gc(L, LUA_GCISRUNNING)) {
        lua_gc(L, LUA_GCSTEP, CLIENT_KB);
    }
}

/* A client's userdata, on the stack, before there is a connection: then nothing can be lost. */
static lnats_client *push_client(lua_State *L)
{
    tell_collector(L);
    lnats_client *client = lnats_new(L, &lnats_client_kind, 2);
    lua_newtable(L);
    lua_setiuservalue(L, -2, 1);
    return client;
}

const char *lnats_servers_push(lua_State *L, int arg)
{
    if (lua_isnoneornil(L, arg)) {
        lua_pushnil(L);
        return NULL;
    }
    size_t len;
    if (lua_type(L, arg) != LUA_TTABLE) {
        luaL_checktype(L, arg, LUA_TSTRING); /* a number would be taken for a host */
        const char *url = lua_tolstring(L, arg, &len);
        luaL_argcheck(L, strlen(url) == len, arg, "a URL holds no NUL byte");
        lua_pushvalue(L, arg);
        return url;
    }

    luaL_Buffer urls;
    lua_Integer count = (lua_Integer)lua_rawlen(L, arg);
    luaL_argcheck(L, count > 0, arg, "a URL or a list of URLs expected (options come second)");
    luaL_buffinit(L, &urls);
    for (lua_Integer i = 1; i <= count; i++) {
        if (i > 1) {
            luaL_addchar(&urls, ',');
        }
        int type = lua_rawgeti(L, arg, i);
        luaL_argcheck(L, type == LUA_TSTRING, arg, "a list of URLs holds strings only");
        luaL_argcheck(L, strlen(lua_tostring(L, -1)) == lua_rawlen(L, -1), arg,
                      "a URL holds no NUL byte");
        luaL_addvalue(&urls);
    }
    luaL_pushresult(&urls);
    return lua_tostring(L, -1);
}

/* What -1 stands for, for calls that go on after a signal. */
static void note_options(lnats_client *client)
{
    nats_client_option_int(client->client, "drain_timeout", &client->drain_timeout_ms);
}

static void release_future(void *future)
{
    nats_future_free(future);
}

/* The client's userdata at the top, and its function, or nil: connect, and call that as often as a
 * server asks. One future for all of it: a signal begins no attempt, and no time, anew. */
static nats_status connect_waiting(lua_State *L, const char *servers, const nats_options *options,
                                   lnats_client *client, int function)
{
    int index = lua_gettop(L);
    void **box = lnats_box(L, release_future);
    nats_future *future = NULL;
    nats_status status = nats_connect_start(servers, options, &client->client, &future);
    if (status != NATS_OK) {
        return status;
    }
    *box = future;
    if (!lua_isnil(L, function)) {
        lua_pushvalue(L, function);
        lnats_credentials_set(L, index);
    }
    client->opening = true;
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_msg *none = NULL;
    do {
        status = nats_future_wait(future, -1, &none);
    } while (lnats_wait_again(L, &wait, status));
    client->opening = false;
    if (status == NATS_OK) {
        lnats_box_drop(L, index + 1);
        lua_settop(L, index);
    }
    return status;
}

/* The program could answer only once it has the client. */
static bool asks_nobody(lua_State *L)
{
    if (!lua_isnil(L, 3) || !lua_istable(L, 2)) {
        return false;
    }
    lua_getfield(L, 2, "ask_credentials");
    bool asks = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return asks;
}

/* The options at 2 without `credentials`, of which the function comes to 3, or nil. */
static void take_function(lua_State *L)
{
    lua_pushnil(L);
    if (!lua_istable(L, 2)) {
        return;
    }
    lua_getfield(L, 2, "credentials");
    lua_replace(L, 3);
    if (lua_isnil(L, 3)) {
        return;
    }
    luaL_argexpected(L, lua_isfunction(L, 3), 2, "option 'credentials': function");
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, 2) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, 4);
    }
    lua_pushnil(L);
    lua_setfield(L, 4, "credentials");
    lua_pushnil(L);
    lua_setfield(L, 4, "ask_credentials"); /* the function is asked */
    lua_pushboolean(L, 1);
    lua_setfield(L, 4, "credentials_hook");
    lua_replace(L, 2);
}

/* The arguments of connect: the servers, and the options in the box at the top of the stack. */
static nats_status check_connect(lua_State *L, const char **servers_out, nats_options **options_out)
{
    lua_settop(L, 2);
    take_function(L);
    *servers_out = lnats_servers_push(L, 1);
    *options_out = lnats_options_push(L);
    /* Ctrl-C in a waiting call must reach the script; who does not want it says interruptible =
     * false. */
    nats_options_set_bool(*options_out, "interruptible", 1);
    return lnats_options_fill(L, 2, *options_out);
}

int lnats_connect(lua_State *L)
{
    const char *servers;
    nats_options *options;
    nats_status status = check_connect(L, &servers, &options);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }

    int box = lua_gettop(L);
    lnats_client *client = push_client(L);
    if (asks_nobody(L)) {
        nats_options_set_bool(options, "credentials_hook", 1);
    }
    status = connect_waiting(L, servers, options, client, 3);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    note_options(client);
    lnats_box_drop(L, box);
    return 1;
}

int lnats_connect_start(lua_State *L)
{
    const char *servers;
    nats_options *options;
    nats_status status = check_connect(L, &servers, &options);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }

    int box = lua_gettop(L);
    lnats_client *client = push_client(L);
    lnats_future *future = lnats_future_push(L, box + 1);
    future->goal = true;
    status = nats_connect_start(servers, options, &client->client, &future->future);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    if (!lua_isnil(L, 3)) {
        lua_pushvalue(L, 3);
        lnats_credentials_set(L, box + 1);
    }
    note_options(client);
    lnats_box_drop(L, box);
    return 2;
}

static int client_share(lua_State *L)
{
    const lnats_client *client = lnats_client_check(L, 1);
    lnats_client *shared = push_client(L);
    nats_status status = nats_client_share(client->client, &shared->client);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    note_options(shared);
    lnats_credentials_get(L, 1);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
    } else {
        lnats_credentials_set(L, lua_gettop(L) - 1);
    }
    return 1;
}

/* After the end nobody can be called any more: let the functions go. */
static void forget_callbacks(lua_State *L, lnats_client *client, int index)
{
    client->closed = true;
    lnats_batch_clear(&client->shared);
    lnats_batch_clear(&client->callbacks);
    lua_newtable(L);
    lua_setiuservalue(L, index, 1);
}

static int client_close(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    nats_status status = nats_client_close(client->client);
    forget_callbacks(L, client, 1);
    return lnats_done(L, status);
}

static int client_drain(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    lnats_wait wait;
    lnats_wait_default(L, &wait, ms, client->drain_timeout_ms);
    nats_status status = lnats_callbacks_drain(L, client, &wait);
    if (status != NATS_OK && status != NATS_ERR_CLOSED && status != NATS_ERR_TIMEOUT) {
        return lnats_fail(L, status);
    }
    lnats_wait_left(&wait);
    do {
        status = nats_client_drain(client->client, wait.ms);
    } while (lnats_wait_again(L, &wait, status));
    int results = lnats_done(L, status);
    if (nats_client_status(client->client) == NATS_CLIENT_CLOSED) {
        forget_callbacks(L, client, 1);
    }
    return results;
}

static int client_drain_start(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    lnats_future *future = lnats_future_push(L, 1);
    future->goal = future->drains = true;
    nats_status status = nats_client_drain_start(client, ms, &future->future);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

void lnats_client_drained(lua_State *L, int index)
{
    lnats_client *client = lnats_client_check(L, index);
    if (nats_client_pending(client->client) > 0) {
        return; /* what waits can be taken, and who finds none left closes it */
    }
    nats_client_close(client->client);
    forget_callbacks(L, client, index);
}

static int client_gc(lua_State *L)
{
    lnats_client *client = lnats_test(L, 1, &lnats_client_kind);
    if (client == NULL) {
        return 0;
    }
    lnats_batch_free(&client->shared);
    lnats_batch_free(&client->callbacks);
    nats_client *handle = client->client;
    client->client = NULL;
    nats_client_forget(handle); /* a collection may not wait for a server */
    return 0;
}

/* ---- publish ---- */

static int publish_with(lua_State *L, nats_client *client, const char *subject, size_t subject_len,
                        const char *data, size_t data_len)
{
    static const char *const names[] = {"reply", "headers", NULL};
    if (!lnats_table(L, 4, "publish", names)) {
        luaL_typeerror(L, 4, "table");
    }
    size_t reply_len;
    const char *reply = lnats_table_text(L, 4, "reply", &reply_len);
    nats_status status;
    nats_headers *headers = lnats_headers_push(L, 4, &status);
    int box = lua_gettop(L);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }

    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    do {
        status = nats_client_publish_with(client, subject, subject_len, reply, reply_len, headers,
                                          data, data_len);
    } while (lnats_wait_again(L, &wait, status));
    int results = lnats_done(L, status);
    lnats_box_drop(L, box);
    return results;
}

/* A signal came while the server took nothing; nothing was accepted, so the publish begins
 * again. */
static int publish_again(lua_State *L, nats_client *client, const char *subject, size_t subject_len,
                         const char *data, size_t data_len, nats_status status)
{
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    while (lnats_wait_again(L, &wait, status)) {
        status = nats_client_publish(client, subject, subject_len, data, data_len);
    }
    return lnats_done(L, status);
}

static int client_publish(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    size_t subject_len;
    size_t data_len;
    /* Straight to the strings, which they nearly always are; the checks come when they are not. */
    const char *subject = lua_tolstring(L, 2, &subject_len);
    const char *data = lua_tolstring(L, 3, &data_len);
    if (subject == NULL || data == NULL) {
        subject = luaL_checklstring(L, 2, &subject_len);
        data = luaL_optlstring(L, 3, "", &data_len);
    }
    if (lua_gettop(L) > 3 && !lua_isnil(L, 4)) {
        return publish_with(L, client, subject, subject_len, data, data_len);
    }

    nats_status status = nats_client_publish(client, subject, subject_len, data, data_len);
    if (status != NATS_OK) {
        return publish_again(L, client, subject, subject_len, data, data_len, status);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* Payloads first … first + count - 1 of the list at 3. Adds to *done what was accepted. */
static nats_status publish_slice(lua_State *L, nats_client *client, const char *subject,
                                 size_t subject_len, lua_Integer first, size_t count, size_t *done)
{
    const void *datas[PUBLISH_SLICE];
    size_t lens[PUBLISH_SLICE];
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, 3, first + (lua_Integer)i);
        datas[i] = lua_tolstring(L, -1, &lens[i]);
    }
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    size_t at = 0;
    nats_status status;
    do {
        size_t accepted = 0;
        status = nats_client_publish_many(client, subject, subject_len, datas + at, lens + at,
                                          count - at, &accepted);
        at += accepted;
        *done += accepted;
    } while (lnats_wait_again(L, &wait, status));
    lua_settop(L, 3);
    return status;
}

size_t lnats_payloads_check(lua_State *L, int arg)
{
    luaL_checktype(L, arg, LUA_TTABLE);
    size_t count = lua_rawlen(L, arg);
    for (size_t i = 1; i <= count; i++) {
        int type = lua_rawgeti(L, arg, (lua_Integer)i);
        if (type != LUA_TSTRING && type != LUA_TNUMBER) {
            luaL_error(L, "publish_many: payload %I must be a string, not a %s", (LUAI_UACINT)i,
                       lua_typename(L, type));
        }
        lua_pop(L, 1);
    }
    return count;
}

static int client_publish_many(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    size_t subject_len;
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    size_t count = lnats_payloads_check(L, 3);
    lua_settop(L, 3);
    luaL_checkstack(L, PUBLISH_SLICE + LUA_MINSTACK, "publish_many");
    size_t done = 0;
    for (size_t at = 0; at < count; at += PUBLISH_SLICE) {
        size_t left = count - at;
        nats_status status =
            publish_slice(L, client, subject, subject_len, (lua_Integer)at + 1,
                          left < PUBLISH_SLICE ? left : PUBLISH_SLICE, &done);
        if (status != NATS_OK) {
            int results = lnats_fail(L, status);
            lua_pushinteger(L, (lua_Integer)done);
            return results + 1;
        }
    }
    lua_pushinteger(L, (lua_Integer)done);
    return 1;
}

/* ---- subscribe and receive ---- */

typedef struct sub_args {
    const char *queue;
    size_t queue_len;
    int64_t max;
    int64_t pending_msgs;
    int64_t pending_bytes;
    bool callback;
} sub_args;

/* 0 when the table says nothing: the client's own limit. */
static int64_t pending_limit(lua_State *L, const char *name)
{
    int64_t limit = lnats_table_int(L, 3, name, -1, INT64_MIN);
    if (limit == INT64_MIN) {
        return 0;
    }
    if (limit == 0) {
        luaL_error(L, "option '%s' must be 1 or more, or -1 for no limit, not 0", name);
    }
    return limit;
}

/* Leaves the queue's text and the callback, or nil, at the top. */
static void check_sub_args(lua_State *L, sub_args *args)
{
    static const char *const names[] = {"queue",        "max",           "callback",
                                        "pending_msgs", "pending_bytes", NULL};
    memset(args, 0, sizeof(*args));
    if (!lnats_table(L, 3, "subscribe", names)) {
        lua_pushnil(L);
        lua_pushnil(L);
        return;
    }
    args->max = lnats_table_int(L, 3, "max", 0, 0);
    args->pending_msgs = pending_limit(L, "pending_msgs");
    args->pending_bytes = pending_limit(L, "pending_bytes");
    args->queue = lnats_table_text(L, 3, "queue", &args->queue_len);
    int type = lua_getfield(L, 3, "callback");
    /* A table or userdata may be callable through __call. */
    if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN) {
        luaL_error(L, "option 'callback' must be a function, not a %s", lua_typename(L, type));
    }
    args->callback = type != LUA_TNIL;
}

static int client_subscribe(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    size_t subject_len;
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    lua_settop(L, 3);
    sub_args args;
    check_sub_args(L, &args);
    int callback = lua_gettop(L);
    lnats_sub *sub = lnats_sub_push(L, 1, callback);
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1); /* as a publish: while the server takes nothing */
    nats_status status;
    do {
        status = nats_client_subscribe_with(
            client->client, subject, subject_len, args.queue, args.queue_len, (uint64_t)args.max,
            args.pending_msgs, args.pending_bytes,
            args.callback ? NATS_SUB_CALLBACK : NATS_SUB_SHARED, &sub->sub);
    } while (lnats_wait_again(L, &wait, status));
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }

    sub->sid = nats_sub_sid(sub->sub);
    if (args.callback) {
        lnats_sub_called(L, 1);
    }
    return 1;
}

static int client_unsubscribe(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    uint64_t after = lnats_after(L, 3);
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_status status;
    if (lua_type(L, 2) == LUA_TNUMBER) {
        lua_Integer sid = luaL_checkinteger(L, 2);
        luaL_argcheck(L, sid >= 0, 2, "a sid is no negative number");
        do {
            status = nats_client_unsubscribe(client, (uint64_t)sid, after);
        } while (lnats_wait_again(L, &wait, status));
        return lnats_done(L, status);
    }

    size_t len;
    size_t count = 0;
    const char *subject = luaL_checklstring(L, 2, &len);
    do {
        status = nats_client_unsubscribe_subject(client, subject, len, after, &count);
    } while (lnats_wait_again(L, &wait, status));
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

static nats_status take_shared(void *handle, size_t max, int64_t wait_ms, nats_msg **msgs,
                               size_t *count_out)
{
    return nats_client_get(handle, max, wait_ms, msgs, count_out);
}

static int client_get(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    size_t max;
    int64_t wait_ms;
    lnats_get_args(L, 2, "get", &max, &wait_ms);
    return lnats_batch_list(L, &client->shared, take_shared, client->client, max, wait_ms, 1);
}

/* ---- round trips ---- */

/* One PING for all of it: a signal sends no other. */
static nats_status flush(lua_State *L, nats_client *client, int64_t ms)
{
    void **box = lnats_box(L, release_future);
    nats_future *future = NULL;
    nats_status status = nats_client_flush_start(client, ms, &future);
    if (status != NATS_OK) {
        return status;
    }
    *box = future;
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1); /* the future knows its own time */
    nats_msg *none = NULL;
    do {
        status = nats_future_wait(future, -1, &none);
    } while (lnats_wait_again(L, &wait, status));
    lnats_box_drop(L, lua_gettop(L));
    return status;
}

static int client_flush(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    return lnats_done(L, flush(L, client, ms));
}

static int client_flush_start(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    lnats_future *future = lnats_future_push(L, 1);
    future->goal = true;
    nats_status status = nats_client_flush_start(client, ms, &future->future);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int client_rtt(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    int64_t began = lnats_now_ns();
    nats_status status = flush(L, client, ms);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushnumber(L, (lua_Number)(lnats_now_ns() - began) / 1e9);
    return 1;
}

/* ---- what it knows ---- */

static int client_new_inbox(lua_State *L)
{
    char inbox[INBOX_SIZE];
    size_t len = 0;
    nats_status status =
        nats_client_new_inbox(lnats_client_check(L, 1)->client, inbox, sizeof(inbox), &len);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushlstring(L, inbox, len);
    return 1;
}

static int client_stats(lua_State *L)
{
    uint64_t values[STATS_MAX] = {0};
    nats_client_stats(lnats_client_check(L, 1)->client, values, STATS_MAX);
    lua_newtable(L);
    for (size_t i = 0; i < STATS_MAX && nats_stats_name(i) != NULL; i++) {
        lua_pushinteger(L, (lua_Integer)values[i]);
        lua_setfield(L, -2, nats_stats_name(i));
    }
    return 1;
}

static const char *status_word(nats_client *client)
{
    switch (nats_client_status(client)) {
    case NATS_CLIENT_CONNECTED:
        return "connected";
    case NATS_CLIENT_RECONNECTING:
        return "reconnecting";
    case NATS_CLIENT_DRAINING:
        return "draining";
    default:
        return "closed";
    }
}

static int client_status(lua_State *L)
{
    lua_pushstring(L, status_word(lnats_client_check(L, 1)->client));
    return 1;
}

static int client_max_payload(lua_State *L)
{
    lua_pushinteger(L, nats_client_max_payload(lnats_client_check(L, 1)->client));
    return 1;
}

static int client_tostring(lua_State *L)
{
    lnats_client *client = lnats_check(L, 1, &lnats_client_kind);
    const char *detail = client->client == NULL ? "closed" : status_word(client->client);
    return lnats_tostring(L, &lnats_client_kind, client, detail);
}

/* ---- foreign event loops ---- */

static int client_fd(lua_State *L)
{
    int32_t fd = -1;
    nats_status status = nats_client_fd(lnats_client_check(L, 1)->client, &fd);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushinteger(L, fd);
    return 1;
}

/* cqueues asks an object for the events it waits for: the descriptor is always polled for
 * reading. */
static int client_events(lua_State *L)
{
    lnats_client_check(L, 1);
    lua_pushliteral(L, "r");
    return 1;
}

static int client_reconnect(lua_State *L)
{
    return lnats_done(L, nats_client_reconnect(lnats_client_check(L, 1)->client));
}

static int client_process(lua_State *L)
{
    nats_status status = nats_client_process(lnats_client_check(L, 1)->client);
    int results = lnats_done(L, status);
    lnats_credentials_answer(L, 1);
    return results;
}

static int client_deadline(lua_State *L)
{
    lnats_push_seconds(L, nats_client_deadline_ms(lnats_client_check(L, 1)->client));
    return 1;
}

static const luaL_Reg methods[] = {
    {"close", client_close},
    {"credentials", lnats_client_credentials},
    {"drain", client_drain},
    {"drain_start", client_drain_start},
    {"share", client_share},
    {"publish", client_publish},
    {"publish_many", client_publish_many},
    {"subscribe", client_subscribe},
    {"unsubscribe", client_unsubscribe},
    {"get", client_get},
    {"request", lnats_client_request},
    {"request_start", lnats_client_request_start},
    {"request_many", lnats_client_request_many},
    {"jetstream", lnats_client_jetstream},
    {"ack_many", lnats_client_ack_many},
    {"flush", client_flush},
    {"flush_start", client_flush_start},
    {"rtt", client_rtt},
    {"reconnect", client_reconnect},
    {"new_inbox", client_new_inbox},
    {"stats", client_stats},
    {"status", client_status},
    {"max_payload", client_max_payload},
    {"server_info", lnats_client_server_info},
    {"info", lnats_client_info},
    {"server_info_json", lnats_client_server_info_json},
    {"next_event", lnats_client_next_event},
    {"on_event", lnats_client_on_event},
    {"fd", client_fd},
    {"pollfd", client_fd},
    {"events", client_events},
    {"timeout", client_deadline},
    {"process", client_process},
    {"deadline", client_deadline},
    {"dispatch", lnats_client_dispatch},
    {"run", lnats_client_run},
    {"stop", lnats_client_stop},
    {NULL, NULL},
};

void lnats_client_open(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", client_gc},
                                    {"__close", client_close},
                                    {"__tostring", client_tostring},
                                    {NULL, NULL}};
    lnats_type(L, &lnats_client_kind, methods, meta);
    lua_pop(L, 1);
}
