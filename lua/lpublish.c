/* Publishing to JetStream: one message and its ack. What a message says besides its data, and is a header
 * on the wire, goes by the library's keywords. */
#include "lnats.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* More options than a publish has: the library's keywords, and two of this module. */
#define NAMES_MAX 64
#define NUMBER_SIZE 32
#define NS_PER_MS INT64_C(1000000)

/* ---- options ---- */

static void check_names(lua_State *L, int arg, const char *verb, bool timeout)
{
    const char *names[NAMES_MAX] = {"headers"};
    size_t count = 1;
    if (timeout) {
        names[count++] = "timeout";
    }
    for (size_t i = 0; count < NAMES_MAX - 1; i++) {
        names[count] = nats_js_keyword(i);
        if (names[count] == NULL) {
            break;
        }
        count++;
    }
    names[count] = NULL;
    lnats_table(L, arg, verb, names);
}

static const char *kind_name(int32_t kind)
{
    switch (kind) {
    case NATS_JSON_DURATION:
        return "seconds";
    case NATS_JSON_INT:
        return "integer";
    case NATS_JSON_UINT:
        return "unsigned";
    default:
        return "text";
    }
}

/* nats.keywords(): { name=, header=, type= } of each. */
int lnats_keywords_list(lua_State *L)
{
    const char *keyword;
    lua_newtable(L);
    for (size_t i = 0; (keyword = nats_js_keyword(i)) != NULL; i++) {
        int32_t kind = 0;
        lua_createtable(L, 0, 3);
        lua_pushstring(L, keyword);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, nats_js_header(keyword, &kind));
        lua_setfield(L, -2, "header");
        lua_pushstring(L, kind_name(kind));
        lua_setfield(L, -2, "type");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

/* The value at the top of the stack as its header says it. */
static const char *keyword_text(lua_State *L, const char *keyword, int32_t kind, char *room,
                                size_t *len_out)
{
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
        luaL_error(L, "option '%s' must be a text or a number, not a %s", keyword,
                   lua_typename(L, type));
    }
    int whole = 0;
    lua_Integer number = type == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
    if (type == LUA_TNUMBER && kind == NATS_JSON_DURATION) {
        int64_t ms = lnats_seconds(L, -1, keyword, 0);
        *len_out = (size_t)snprintf(room, NUMBER_SIZE, "%" PRId64 "ms", ms);
        return room;
    }
    if (whole != 0 && kind == NATS_JSON_INT) {
        *len_out = (size_t)snprintf(room, NUMBER_SIZE, "%+" PRId64, (int64_t)number);
        return room;
    }
    return lua_tolstring(L, -1, len_out);
}

/* The keyword's value at the top of the stack, to the headers. */
static nats_status add_keyword(lua_State *L, nats_headers *headers, const char *keyword)
{
    int32_t kind = 0;
    size_t len;
    char room[NUMBER_SIZE];
    const char *header = nats_js_header(keyword, &kind);
    const char *text = keyword_text(L, keyword, kind, room, &len);
    return nats_headers_add(headers, header, strlen(header), text, len);
}

nats_headers *lnats_publish_options(lua_State *L, int arg, const char *verb,
                                    int64_t *timeout_ms_out, nats_status *status_out)
{
    *status_out = NATS_OK;
    if (lua_isnoneornil(L, arg)) {
        lua_pushnil(L);
        return NULL;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    check_names(L, arg, verb, timeout_ms_out != NULL);
    if (timeout_ms_out != NULL) {
        *timeout_ms_out = lnats_table_seconds(L, arg, "timeout", *timeout_ms_out);
    }
    nats_headers *headers = lnats_headers_push(L, arg, status_out);
    const char *keyword;
    for (size_t i = 0; *status_out == NATS_OK && (keyword = nats_js_keyword(i)) != NULL; i++) {
        if (lua_getfield(L, arg, keyword) != LUA_TNIL) {
            if (headers == NULL) {
                headers = lnats_headers_empty(L);
                lua_replace(L, -3); /* in place of the nil */
            }
            *status_out = add_keyword(L, headers, keyword);
        }
        lua_pop(L, 1);
    }
    return headers;
}

/* ---- the ack ---- */

/* A counter's value, as the text at the top of the stack, becomes an integer. One beyond 63 bits stays a
 * text: its sign counts, so the same bits would be another value. */
static void settle_value(lua_State *L)
{
    if (lua_type(L, -1) != LUA_TSTRING || lua_stringtonumber(L, lua_tostring(L, -1)) == 0) {
        return;
    }
    if (lua_isinteger(L, -1)) {
        lua_remove(L, -2);
    } else {
        lua_pop(L, 1);
    }
}

/* The server says "val" for a counter's value. */
int lnats_give_ack(lua_State *L, nats_msg *msg, int about)
{
    int results = lnats_give_table(L, msg, about);
    if (results != 1 || !lua_istable(L, -1)) {
        return results;
    }
    lua_getfield(L, -1, "val");
    settle_value(L);
    lua_setfield(L, -2, "value");
    lua_pushnil(L);
    lua_setfield(L, -2, "val");
    lua_getfield(L, -1, "duplicate");
    lua_pushboolean(L, lua_toboolean(L, -1));
    lua_setfield(L, -3, "duplicate");
    lua_pop(L, 1);
    return 1;
}

/* ---- the jetstream's verbs ---- */

int lnats_js_publish_start(lua_State *L)
{
    size_t subject_len;
    size_t data_len;
    int64_t timeout_ms = -1;
    nats_status status;
    nats_js *js = lnats_js_check(L, 1)->js;
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    const char *data = luaL_optlstring(L, 3, "", &data_len);
    lua_settop(L, 4);
    nats_headers *headers = lnats_publish_options(L, 4, "publish", &timeout_ms, &status);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_getiuservalue(L, 1, 1);
    lnats_future *future = lnats_future_push(L, 6);
    future->give = lnats_give_ack;
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    do {
        status = nats_js_publish_start(js, subject, subject_len, headers, data, data_len,
                                       timeout_ms, &future->future);
    } while (lnats_wait_again(L, &wait, status));
    lnats_box_drop(L, 5);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

int lnats_js_publish(lua_State *L)
{
    int results = lnats_js_publish_start(L);
    return results == 1 ? lnats_future_finish(L) : results;
}

static void release_publisher(void *publisher)
{
    nats_js_publisher_free(publisher);
}

/* Through a publisher of its own, in the box at the top of the stack: all, then their acks. Why it stopped
 * before all were sent is pushed: a table, or nil. Returns how the acks came. */
static nats_status publish_all(lua_State *L, nats_js_publisher *publisher, int64_t timeout_ms,
                               size_t *done_out)
{
    size_t subject_len;
    uint64_t first = 0;
    const char *subject = lua_tolstring(L, 2, &subject_len);
    nats_status status =
        lnats_publisher_many(L, publisher, subject, subject_len, 3, &first, done_out);
    if (status == NATS_OK) {
        lua_pushnil(L);
    } else {
        lnats_failure_push(L, *done_out + 1, status);
    }
    if (*done_out == 0) {
        return NATS_OK;
    }
    lua_getiuservalue(L, 1, 1);
    nats_status flushed = lnats_publisher_flush(L, publisher, lua_gettop(L), timeout_ms);
    lua_pop(L, 1);
    return flushed;
}

/* nil and why, the list of failures at the eighth place, and how many were sent. Why it stopped is at the top of the
 * stack, or nil: the last of the failures. What a message before it failed with says more. */
static int fail_many(lua_State *L, nats_js_publisher *publisher, nats_status flushed, size_t done)
{
    static const char *const names[] = {"text", "code", "about", "err_code", "server_code",
                                        "description", NULL};
    int stopped = lua_gettop(L);
    if (flushed != NATS_OK) {
        lnats_fail(L, flushed);
        lua_settop(L, stopped + 7);
    } else {
        lua_pushnil(L);
        for (int i = 0; names[i] != NULL; i++) {
            lua_getfield(L, stopped, names[i]);
        }
    }
    lnats_publisher_failures(L, publisher);
    if (!lua_isnil(L, stopped)) {
        lua_pushvalue(L, stopped);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    }
    lua_pushinteger(L, (lua_Integer)done);
    return 9;
}

int lnats_js_publish_many(lua_State *L)
{
    static const char *const names[] = {"timeout", "max_pending", NULL};
    nats_js *js = lnats_js_check(L, 1)->js;
    int64_t timeout_ms = -1;
    int64_t max_pending = 0;
    size_t done = 0;
    luaL_checkstring(L, 2);
    lnats_payloads_check(L, 3);
    lua_settop(L, 4);
    if (lnats_table(L, 4, "publish_many", names)) {
        timeout_ms = lnats_table_seconds(L, 4, "timeout", -1);
        max_pending = lnats_table_int(L, 4, "max_pending", INT64_MIN, 0);
    }
    void **box = lnats_box(L, release_publisher);
    nats_js_publisher *publisher;
    nats_status status = nats_js_publisher_new(js, max_pending, &publisher);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    *box = publisher;
    status = publish_all(L, publisher, timeout_ms, &done);
    int results = 1;
    if (status == NATS_OK && lua_isnil(L, -1)) {
        lua_pushinteger(L, (lua_Integer)done);
    } else {
        results = fail_many(L, publisher, status, done);
    }
    lnats_box_drop(L, 5);
    return results;
}
