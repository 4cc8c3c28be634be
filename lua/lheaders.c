/* Headers: Lua tables to header blocks, and the tables that msg.headers gives.
 *
 * A Lua table keeps no order, so three forms are taken:
 *     { Key = "v", Other = { "a", "b" } }            sent with its keys sorted
 *     { { "Key", "v" }, { "Other", { "a", "b" } } }  sent as it stands
 *     msg.headers                                    sent in the order in which it came */
#include "lnats.h"

#include <stdlib.h>
#include <string.h>

#define MAP_NAME "nats.headers"

/* ---- reading ---- */

/* The step of pairs(). Upvalues: 1 the map's metatable, which lists the keys, 2 the place in it. */
static int map_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
    for (;;) {
        at++;
        if (lua_rawgeti(L, lua_upvalueindex(1), at) == LUA_TNIL) {
            return 1;
        }
        lua_pushvalue(L, -1);
        if (lua_rawget(L, 1) != LUA_TNIL) {
            break;
        }
        lua_pop(L, 2); /* the script took this key out */
    }
    lua_pushinteger(L, at);
    lua_replace(L, lua_upvalueindex(2));
    return 2;
}

static int map_pairs(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    if (lua_getmetatable(L, 1) == 0) {
        return luaL_typeerror(L, 1, MAP_NAME);
    }
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, map_next, 2);
    lua_pushvalue(L, 1);
    return 2;
}

void lnats_header_map_push(lua_State *L)
{
    lua_newtable(L);
    lua_createtable(L, 4, 4);
    lua_pushliteral(L, MAP_NAME);
    lua_setfield(L, -2, "__name");
    lua_pushliteral(L, MAP_NAME);
    lua_setfield(L, -2, "__metatable");
    lua_pushcfunction(L, map_pairs);
    lua_setfield(L, -2, "__pairs");
    lua_setmetatable(L, -2);
}

void lnats_header_map_add(lua_State *L, const char *key, size_t key_len, const char *value,
                          size_t value_len)
{
    int map = lua_gettop(L);
    lua_pushlstring(L, key, key_len);
    lua_pushvalue(L, -1);
    if (lua_rawget(L, map) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_getmetatable(L, map);
        lua_pushvalue(L, -2);
        lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
        lua_pop(L, 1);
        lua_createtable(L, 1, 0);
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, map);
    }
    lua_pushlstring(L, value, value_len);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_settop(L, map);
}

/* ---- writing ---- */

typedef struct lnats_key {
    const char *text; /* kept alive by the table it is a key of */
    size_t len;
} lnats_key;

static void release_headers(void *headers)
{
    nats_headers_free(headers);
}

static nats_status add_value(lua_State *L, nats_headers *headers, const char *key, size_t key_len)
{
    int type = lua_type(L, -1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
        luaL_error(L, "header '%s' must have a string, a number or a list of them, not a %s", key,
                   lua_typename(L, type));
    }
    size_t len;
    lua_pushvalue(L, -1);
    const char *value = lua_tolstring(L, -1, &len);
    nats_status status = nats_headers_add(headers, key, key_len, value, len);
    lua_pop(L, 1);
    return status;
}

/* The value or the list of values at the top of the stack. */
static nats_status add_values(lua_State *L, nats_headers *headers, const char *key, size_t key_len)
{
    if (lua_type(L, -1) != LUA_TTABLE) {
        return add_value(L, headers, key, key_len);
    }
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        nats_status status = add_value(L, headers, key, key_len);
        lua_pop(L, 1);
        if (status != NATS_OK) {
            return status;
        }
    }
    return NATS_OK;
}

/* map[key], when it is there: the key is on the stack and is popped. */
static nats_status add_key(lua_State *L, nats_headers *headers, int map)
{
    size_t len;
    const char *key = lua_tolstring(L, -1, &len);
    lua_pushvalue(L, -1);
    nats_status status = NATS_OK;
    if (lua_rawget(L, map) != LUA_TNIL) {
        status = add_values(L, headers, key, len);
    }
    lua_pop(L, 2);
    return status;
}

/* The list of pairs in the array part. */
static nats_status add_pairs(lua_State *L, nats_headers *headers, int map)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, map);
    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_rawgeti(L, map, i) != LUA_TTABLE) {
            luaL_error(L, "headers: entry %I must be a pair { key, value }, not a %s",
                       (LUAI_UACINT)i, luaL_typename(L, -1));
        }
        if (lua_rawgeti(L, -1, 1) != LUA_TSTRING) {
            luaL_error(L, "headers: the key of pair %I must be a string, not a %s", (LUAI_UACINT)i,
                       luaL_typename(L, -1));
        }
        size_t len;
        const char *key = lua_tolstring(L, -1, &len);
        lua_rawgeti(L, -2, 2);
        nats_status status = add_values(L, headers, key, len);
        lua_pop(L, 3);
        if (status != NATS_OK) {
            return status;
        }
    }
    return NATS_OK;
}

/* On the stack: the list of keys that a map from msg.headers has, or nil. */
static bool push_order(lua_State *L, int map)
{
    if (lua_getmetatable(L, map) == 0) {
        return false;
    }
    lua_getfield(L, -1, "__name");
    const char *name = lua_tostring(L, -1);
    bool ours = name != NULL && strcmp(name, MAP_NAME) == 0;
    lua_pop(L, 1);
    if (!ours) {
        lua_pop(L, 1);
    }
    return ours;
}

/* The keys in the order of the list at the top of the stack. */
static nats_status add_ordered(lua_State *L, nats_headers *headers, int map, int order)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, order);
    for (lua_Integer i = 1; i <= count; i++) {
        if (lua_rawgeti(L, order, i) != LUA_TSTRING) {
            lua_pop(L, 1);
            continue;
        }
        nats_status status = add_key(L, headers, map);
        if (status != NATS_OK) {
            return status;
        }
    }
    return NATS_OK;
}

static int compare_keys(const void *left, const void *right)
{
    const lnats_key *a = left;
    const lnats_key *b = right;
    int sign = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    if (sign != 0) {
        return sign;
    }
    return a->len < b->len ? -1 : a->len > b->len;
}

/* True for keys that add_pairs() or add_ordered() has taken. */
static bool taken(lua_State *L, int seen)
{
    if (lua_type(L, -2) != LUA_TSTRING) {
        return true;
    }
    if (seen == 0) {
        return false;
    }
    lua_pushvalue(L, -2);
    bool found = lua_rawget(L, seen) != LUA_TNIL;
    lua_pop(L, 1);
    return found;
}

/* On the stack: the set of the keys in the list at order. */
static void push_set(lua_State *L, int order)
{
    lua_newtable(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, order);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, order, i);
        lua_pushboolean(L, 1);
        lua_rawset(L, -3);
    }
}

/* Keys of the map that are not in the set `seen` (0: no set), sorted. */
static nats_status add_sorted(lua_State *L, nats_headers *headers, int map, int seen)
{
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, map) != 0; lua_pop(L, 1)) {
        count += !taken(L, seen);
    }
    if (count == 0) {
        return NATS_OK;
    }

    lnats_key *keys = lua_newuserdatauv(L, count * sizeof(*keys), 0);
    size_t at = 0;
    for (lua_pushnil(L); lua_next(L, map) != 0; lua_pop(L, 1)) {
        if (!taken(L, seen) && at < count) {
            keys[at].text = lua_tolstring(L, -2, &keys[at].len);
            at++;
        }
    }
    qsort(keys, at, sizeof(*keys), compare_keys);
    nats_status status = NATS_OK;
    for (size_t i = 0; i < at && status == NATS_OK; i++) {
        lua_pushlstring(L, keys[i].text, keys[i].len);
        status = add_key(L, headers, map);
    }
    lua_pop(L, 1);
    return status;
}

static nats_status fill(lua_State *L, nats_headers *headers, int map)
{
    int top = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, map) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING && !lua_isinteger(L, -2)) {
            luaL_error(L, "headers: a key must be a string, not a %s", luaL_typename(L, -2));
        }
    }
    nats_status status = add_pairs(L, headers, map);
    int seen = 0;
    if (status == NATS_OK && push_order(L, map)) {
        status = add_ordered(L, headers, map, lua_gettop(L));
        push_set(L, lua_gettop(L));
        seen = lua_gettop(L);
    }
    if (status == NATS_OK) {
        status = add_sorted(L, headers, map, seen);
    }
    lua_settop(L, top);
    return status;
}

nats_headers *lnats_headers_empty(lua_State *L)
{
    void **box = lnats_box(L, release_headers);
    nats_headers *headers;
    if (nats_headers_new(&headers) != NATS_OK) {
        luaL_error(L, "not enough memory");
    }
    *box = headers;
    return headers;
}

nats_headers *lnats_headers_push(lua_State *L, int arg, nats_status *status_out)
{
    *status_out = NATS_OK;
    int type = lua_getfield(L, arg, "headers");
    if (type == LUA_TNIL) {
        return NULL;
    }
    if (type != LUA_TTABLE) {
        luaL_error(L, "option 'headers' must be a table, not a %s", lua_typename(L, type));
    }

    int map = lua_gettop(L);
    nats_headers *headers = lnats_headers_empty(L);
    *status_out = fill(L, headers, map);
    lua_replace(L, map);
    return headers;
}
