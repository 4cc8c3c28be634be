/* A publisher: a window of publishes that are not acknowledged yet. */
#include "lnats.h"

/* Payloads of one inner call of publish_many: as many Lua stack slots keep them alive. */
#define PUBLISH_SLICE 200

/* user values: 1 the client, 2 the jetstream */
typedef struct lnats_publisher {
    const lnats_kind *kind;
    nats_js_publisher *publisher; /* NULL once closed */
} lnats_publisher;

const lnats_kind lnats_publisher_kind = {"nats.publisher", sizeof(lnats_publisher)};

/* A fast one asks the server first. */
static nats_status make(lua_State *L, nats_js *js, int64_t max_pending, bool fast,
                        nats_js_publisher **out)
{
    if (!fast) {
        return nats_js_publisher_new(js, max_pending, out);
    }
    nats_status status;
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    do {
        status = nats_js_publisher_fast(js, max_pending, out);
    } while (lnats_wait_again(L, &wait, status));
    return status;
}

int lnats_js_publisher(lua_State *L)
{
    static const char *const names[] = {"max_pending", "fast", NULL};
    nats_js *js = lnats_js_check(L, 1)->js;
    int64_t max_pending = 0;
    bool fast = false;
    lua_settop(L, 2);
    if (lnats_table(L, 2, "publisher", names)) {
        max_pending = lnats_table_int(L, 2, "max_pending", INT64_MIN, 0);
        fast = lnats_table_bool(L, 2, "fast");
    }
    lnats_publisher *made = lnats_new(L, &lnats_publisher_kind, 2);
    lua_getiuservalue(L, 1, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    nats_status status = make(L, js, max_pending, fast, &made->publisher);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

/* Its handle, or NULL and nil with why on the stack, 4 results. */
static nats_js_publisher *check_open(lua_State *L)
{
    lnats_publisher *publisher = lnats_check(L, 1, &lnats_publisher_kind);
    if (publisher->publisher == NULL) {
        lnats_fail_text(L, NATS_ERR_CLOSED, "the publisher is closed", "publisher");
    }
    return publisher->publisher;
}

/* ---- publish ---- */

static int publisher_publish(lua_State *L)
{
    size_t subject_len;
    size_t data_len;
    nats_js_publisher *publisher = check_open(L);
    if (publisher == NULL) {
        return 4;
    }
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    const char *data = luaL_optlstring(L, 3, "", &data_len);
    nats_status status = NATS_OK;
    nats_headers *headers = NULL;
    lua_settop(L, 4);
    if (!lua_isnil(L, 4)) {
        headers = lnats_publish_options(L, 4, "publish", NULL, &status);
    }
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }

    uint64_t id = 0;
    status = nats_js_publisher_publish(publisher, subject, subject_len, headers, data, data_len,
                                       &id);
    if (status == NATS_ERR_INTERRUPTED) {
        lnats_wait wait;
        lnats_wait_start(L, &wait, -1);
        while (lnats_wait_again(L, &wait, status)) {
            status = nats_js_publisher_publish(publisher, subject, subject_len, headers, data,
                                               data_len, &id);
        }
    }
    lnats_box_drop(L, 5);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushinteger(L, (lua_Integer)id);
    return 1;
}

/* publisher:room([options]): how many messages go now without waiting; 0 and "level": those with such options not
 * before publisher:level_start() has ended. */
static int publisher_room(lua_State *L)
{
    nats_js_publisher *publisher = check_open(L);
    if (publisher == NULL) {
        return 4;
    }
    nats_status status = NATS_OK;
    nats_headers *headers = NULL;
    lua_settop(L, 2);
    if (!lua_isnil(L, 2)) {
        headers = lnats_publish_options(L, 2, "room", NULL, &status);
    }
    int64_t room = status == NATS_OK ? nats_js_publisher_room(publisher, headers) : 0;
    lnats_box_drop(L, 3);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushinteger(L, room > 0 ? (lua_Integer)room : 0);
    if (room >= 0) {
        return 1;
    }
    lua_pushliteral(L, "level");
    return 2;
}

/* Payloads first … first + count - 1 of the list. Adds to *done_out what was accepted. */
static nats_status publish_slice(lua_State *L, nats_js_publisher *publisher, const char *subject,
                                 size_t subject_len, int list, lua_Integer first, size_t count,
                                 uint64_t *first_out, size_t *done_out)
{
    const void *datas[PUBLISH_SLICE];
    size_t lens[PUBLISH_SLICE];
    int top = lua_gettop(L);
    for (size_t i = 0; i < count; i++) {
        lua_rawgeti(L, list, first + (lua_Integer)i);
        datas[i] = lua_tolstring(L, -1, &lens[i]);
    }
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    size_t at = 0;
    nats_status status;
    do {
        uint64_t id = 0;
        size_t accepted = 0;
        status = nats_js_publisher_publish_many(publisher, subject, subject_len, datas + at,
                                                lens + at, count - at, &id, &accepted);
        *first_out = *done_out == 0 && accepted > 0 ? id : *first_out;
        at += accepted;
        *done_out += accepted;
    } while (lnats_wait_again(L, &wait, status));
    lua_settop(L, top);
    return status;
}

nats_status lnats_publisher_many(lua_State *L, nats_js_publisher *publisher, const char *subject,
                                 size_t subject_len, int list, uint64_t *first_out,
                                 size_t *done_out)
{
    size_t count = lua_rawlen(L, list);
    nats_status status = NATS_OK;
    *first_out = 0;
    *done_out = 0;
    luaL_checkstack(L, PUBLISH_SLICE + LUA_MINSTACK, "publish_many");
    for (size_t at = 0; at < count && status == NATS_OK; at += PUBLISH_SLICE) {
        size_t left = count - at;
        status = publish_slice(L, publisher, subject, subject_len, list, (lua_Integer)at + 1,
                               left < PUBLISH_SLICE ? left : PUBLISH_SLICE, first_out, done_out);
    }
    return status;
}

/* The first's id and how many; on failure how many is the fifth, as of the client's, and the first's id
 * behind it. */
static int publisher_publish_many(lua_State *L)
{
    size_t subject_len;
    uint64_t first;
    size_t done;
    nats_js_publisher *publisher = check_open(L);
    if (publisher == NULL) {
        return 4;
    }
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    lnats_payloads_check(L, 3);
    lua_settop(L, 3);
    nats_status status =
        lnats_publisher_many(L, publisher, subject, subject_len, 3, &first, &done);
    if (status != NATS_OK) {
        lnats_fail(L, status);
        lua_settop(L, 3 + 4);
        lua_pushinteger(L, (lua_Integer)done);
        lua_pushinteger(L, (lua_Integer)first);
        return 6;
    }
    lua_pushinteger(L, (lua_Integer)first);
    lua_pushinteger(L, (lua_Integer)done);
    return 2;
}

/* ---- flush ---- */

static lnats_future *push_goal(lua_State *L, int client)
{
    lnats_future *future = lnats_future_push(L, client);
    future->goal = true;
    return future;
}

/* A closed client has no futures; nothing of its publishers is under way then. */
nats_status lnats_publisher_flush(lua_State *L, nats_js_publisher *publisher, int client,
                                  int64_t timeout_ms)
{
    lnats_future *future = push_goal(L, client);
    nats_msg *none = NULL;
    nats_status status =
        nats_js_publisher_flush_start(publisher, timeout_ms, &future->future);
    if (status == NATS_OK) {
        lnats_wait wait;
        lnats_wait_start(L, &wait, -1);
        do {
            status = nats_future_wait(future->future, -1, &none);
        } while (lnats_wait_again(L, &wait, status));
    }
    lua_pop(L, 1); /* the collector frees it: what failed is this thread's last error until then */
    return status == NATS_ERR_CLOSED ? nats_js_publisher_flush(publisher, 0) : status;
}

/* js:level_start([timeout]): a future that gives true once it is known what the server can do. */
int lnats_js_level_start(lua_State *L)
{
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    nats_js *js = lnats_js_check(L, 1)->js;
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    lnats_future *future = push_goal(L, 2);
    nats_status status = nats_js_level_start(js, ms, &future->future);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

/* publisher:…_start([timeout]): a future of what start begins. */
static int start_goal(lua_State *L, nats_status (*start)(nats_js_publisher *publisher,
                                                         int64_t timeout_ms, nats_future **out))
{
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    nats_js_publisher *publisher = check_open(L);
    if (publisher == NULL) {
        return 4;
    }
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    lnats_future *future = push_goal(L, 2);
    nats_status status = start(publisher, ms, &future->future);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int publisher_level_start(lua_State *L)
{
    return start_goal(L, nats_js_publisher_level_start);
}

static int publisher_flush(lua_State *L)
{
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    nats_js_publisher *publisher = check_open(L);
    if (publisher == NULL) {
        return 4;
    }
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    return lnats_done(L, lnats_publisher_flush(L, publisher, 2, ms));
}

static int publisher_flush_start(lua_State *L)
{
    return start_goal(L, nats_js_publisher_flush_start);
}

/* ---- what became of them ---- */

void lnats_failure_push(lua_State *L, uint64_t id, nats_status status)
{
    static const char *const names[] = {"text", "code", "about", "err_code", "server_code",
                                        "description"};
    int bottom = lua_gettop(L);
    lnats_fail(L, status);
    lua_settop(L, bottom + 7);
    lua_createtable(L, 0, 7);
    lua_replace(L, bottom + 1);
    for (int i = 5; i >= 0; i--) {
        lua_setfield(L, bottom + 1, names[i]);
    }
    lua_pushinteger(L, (lua_Integer)id);
    lua_setfield(L, bottom + 1, "id");
}

void lnats_publisher_failures(lua_State *L, nats_js_publisher *publisher)
{
    uint64_t id = 0;
    lua_Integer count = 0;
    lua_newtable(L);
    for (;;) {
        nats_status status = nats_js_publisher_next_failure(publisher, &id);
        if (id == 0) {
            return;
        }
        count++;
        lnats_failure_push(L, id, status);
        lua_rawseti(L, -2, count);
    }
}

static int publisher_failures(lua_State *L)
{
    nats_js_publisher *publisher = check_open(L);
    if (publisher == NULL) {
        return 4;
    }
    lnats_publisher_failures(L, publisher);
    return 1;
}

static int publisher_stats(lua_State *L)
{
    static const char *const names[] = {"published", "acked", "duplicates", "failed", "pending"};
    enum { COUNT = sizeof(names) / sizeof(names[0]) };
    uint64_t values[COUNT] = {0};
    nats_js_publisher *publisher = check_open(L);
    if (publisher == NULL) {
        return 4;
    }
    nats_js_publisher_stats(publisher, values, COUNT);
    lua_createtable(L, 0, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        lua_pushinteger(L, (lua_Integer)values[i]);
        lua_setfield(L, -2, names[i]);
    }
    return 1;
}

/* ---- the end ---- */

static int publisher_close(lua_State *L)
{
    lnats_publisher *publisher = lnats_test(L, 1, &lnats_publisher_kind);
    if (publisher != NULL) {
        nats_js_publisher *handle = publisher->publisher;
        publisher->publisher = NULL;
        nats_js_publisher_free(handle);
    }
    return 0;
}

static int publisher_tostring(lua_State *L)
{
    const lnats_publisher *publisher = lnats_check(L, 1, &lnats_publisher_kind);
    return lnats_tostring(L, &lnats_publisher_kind, publisher,
                          publisher->publisher != NULL ? "open" : "closed");
}

void lnats_publisher_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"publish", publisher_publish},
                                       {"publish_many", publisher_publish_many},
                                       {"room", publisher_room},
                                       {"level_start", publisher_level_start},
                                       {"flush", publisher_flush},
                                       {"flush_start", publisher_flush_start},
                                       {"failures", publisher_failures},
                                       {"stats", publisher_stats},
                                       {"close", publisher_close},
                                       {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", publisher_close},
                                    {"__close", publisher_close},
                                    {"__tostring", publisher_tostring},
                                    {NULL, NULL}};
    lnats_type(L, &lnats_publisher_kind, methods, meta);
    lua_pop(L, 1);
}
