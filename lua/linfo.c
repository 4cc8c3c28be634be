/* The server's INFO as a table, in the server's own schema. */
#include "lnats.h"

#include <string.h>

static void push_value(lua_State *L, const nats_info *info, const char *name, int32_t kind,
                       const char *value, size_t len)
{
    int64_t number;
    if (kind == NATS_INFO_BOOL) {
        lua_pushboolean(L, len == 4 && memcmp(value, "true", 4) == 0);
        return;
    }
    /* Numbers in lists have no name of their own: their text is read. */
    if (kind == NATS_INFO_INT && nats_info_int(info, name, &number) != 0) {
        lua_pushinteger(L, number);
        return;
    }
    lua_pushlstring(L, value, len);
    if (kind == NATS_INFO_INT && lua_stringtonumber(L, lua_tostring(L, -1)) != 0) {
        lua_remove(L, -2);
    }
}

/* The value at the top of the stack goes to the end of the table's list of that name. */
static void append(lua_State *L, int table, const char *name)
{
    if (lua_getfield(L, table, name) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setfield(L, table, name);
    }
    lua_insert(L, -2);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

static void push_table(lua_State *L, const nats_info *info)
{
    size_t cursor = 0;
    const char *name;
    const char *value;
    size_t len;
    int32_t in_list;
    int32_t kind;
    lua_newtable(L);
    int table = lua_gettop(L);
    while ((kind = nats_info_next(info, &cursor, &name, &value, &len, &in_list)) != 0) {
        push_value(L, info, name, kind, value, len);
        if (in_list != 0) {
            append(L, table, name);
        } else {
            lua_setfield(L, table, name);
        }
    }
}

static void release_info(void *info)
{
    nats_info_free(info);
}

int lnats_info_push(lua_State *L, nats_status (*take)(void *, nats_info **), void *from, bool json)
{
    nats_info *info = NULL;
    void **box = lnats_box(L, release_info);
    int index = lua_gettop(L);
    nats_status status = take(from, &info);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    *box = info;
    if (json) {
        size_t len;
        const char *text = nats_info_json(info, &len);
        lua_pushlstring(L, text, len);
    } else {
        push_table(L, info);
    }
    lnats_box_drop(L, index);
    return 1;
}

static nats_status take_info(void *client, nats_info **info_out)
{
    return nats_client_server_info(client, info_out);
}

int lnats_client_server_info(lua_State *L)
{
    return lnats_info_push(L, take_info, lnats_client_check(L, 1)->client, false);
}

int lnats_client_server_info_json(lua_State *L)
{
    return lnats_info_push(L, take_info, lnats_client_check(L, 1)->client, true);
}

static nats_status take_own(void *client, nats_info **info_out)
{
    return nats_client_info(client, info_out);
}

int lnats_client_info(lua_State *L)
{
    return lnats_info_push(L, take_own, lnats_client_check(L, 1)->client, false);
}
