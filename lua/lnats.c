/* require "nats": the module's table, and what all nouns use. */
#include "lnats.h"

#include <stdlib.h>
#include <string.h>

/* ---- userdata ---- */

void *lnats_check(lua_State *L, int arg, const lnats_kind *kind)
{
    void *found = lnats_test(L, arg, kind);
    if (found == NULL) {
        luaL_typeerror(L, arg, kind->name);
    }
    return found;
}

void *lnats_new(lua_State *L, const lnats_kind *kind, int user_values)
{
    void *made = lua_newuserdatauv(L, kind->size, user_values);
    memset(made, 0, kind->size);
    *(const lnats_kind **)made = kind;
    luaL_setmetatable(L, kind->name);
    return made;
}

void lnats_type(lua_State *L, const lnats_kind *kind, const luaL_Reg *methods,
                const luaL_Reg *meta)
{
    luaL_newmetatable(L, kind->name);
    luaL_setfuncs(L, meta, 0);
    /* getmetatable() gives this name instead of the table: a script cannot call __gc by hand. */
    lua_pushstring(L, kind->name);
    lua_setfield(L, -2, "__metatable");
    lua_newtable(L);
    luaL_getmetatable(L, lnats_msg_kind.name);
    luaL_setfuncs(L, methods, 1);
    lua_setfield(L, -2, "__index");
}

int lnats_tostring(lua_State *L, const lnats_kind *kind, const void *at, const char *detail)
{
    lua_pushfstring(L, "%s: %p (%s)", kind->name, at, detail);
    return 1;
}

/* ---- boxes ---- */

typedef struct lnats_boxed {
    const lnats_kind *kind;
    void *held;
    void (*release)(void *);
} lnats_boxed;

const lnats_kind lnats_box_kind = {"nats.box", sizeof(lnats_boxed)};

static int box_gc(lua_State *L)
{
    lnats_box_drop(L, 1);
    return 0;
}

void **lnats_box(lua_State *L, void (*release)(void *))
{
    lnats_boxed *box = lnats_new(L, &lnats_box_kind, 0);
    box->release = release;
    return &box->held;
}

void lnats_box_drop(lua_State *L, int index)
{
    lnats_boxed *box = lnats_test(L, index, &lnats_box_kind);
    if (box == NULL || box->held == NULL) {
        return;
    }
    void *held = box->held;
    box->held = NULL;
    box->release(held);
}

static void open_box(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", box_gc}, {NULL, NULL}};
    luaL_newmetatable(L, lnats_box_kind.name);
    luaL_setfuncs(L, meta, 0);
    lua_pop(L, 1);
}

/* ---- results ---- */

int lnats_fail_text(lua_State *L, nats_status status, const char *text, const char *about)
{
    lua_pushnil(L);
    lua_pushstring(L, text);
    lua_pushstring(L, nats_status_name(status));
    lua_pushstring(L, about);
    return 4;
}

/* A code behind the others; nil when there is none. */
static void push_code(lua_State *L, int32_t code)
{
    if (code != 0) {
        lua_pushinteger(L, code);
    } else {
        lua_pushnil(L);
    }
}

int lnats_fail(lua_State *L, nats_status status)
{
    if (status == NATS_ERR_NO_MEMORY) {
        return luaL_error(L, "not enough memory");
    }
    const char *text = nats_last_status() == status ? nats_last_error(NULL) : "";
    if (text[0] == '\0') {
        return lnats_fail_text(L, status, nats_status_text(status), "");
    }
    int results = lnats_fail_text(L, status, text, nats_last_about());
    if (nats_last_err_code() == 0 && nats_last_code() == 0) {
        return results;
    }
    push_code(L, nats_last_err_code());
    push_code(L, nats_last_code());
    lua_pushstring(L, nats_last_description());
    return results + 3;
}

int lnats_done(lua_State *L, nats_status status)
{
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* ---- the module ---- */

static int version(lua_State *L)
{
    lua_pushstring(L, nats_version());
    return 1;
}

static int now(lua_State *L)
{
    lua_pushnumber(L, (lua_Number)lnats_now_ns() / 1e9);
    return 1;
}

__attribute__((visibility("default"))) int luaopen_nats(lua_State *L);

int luaopen_nats(lua_State *L)
{
    static const luaL_Reg functions[] = {{"connect", lnats_connect},
                                        {"connect_start", lnats_connect_start},
                                         {"proto", lnats_proto_create},
                                         {"options", lnats_options_list},
                                         {"keywords", lnats_keywords_list},
                                         {"version", version},
                                         {"now", now},
                                         {NULL, NULL}};
    open_box(L);
    lnats_msg_open(L); /* first: every method has the message metatable as its upvalue */
    lnats_client_open(L);
    lnats_sub_open(L);
    lnats_future_open(L);
    lnats_event_open(L);
    lnats_proto_open(L);
    lnats_js_open(L);
    lnats_stream_open(L);
    lnats_consumer_open(L);
    lnats_publisher_open(L);
    lnats_atomic_open(L);
    luaL_newlib(L, functions);
    lnats_subject_table(L);
    lua_setfield(L, -2, "subject");
    lnats_status_table(L);
    lua_setfield(L, -2, "status");
    return 1;
}
