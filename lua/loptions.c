/* Tables of options: those of the module's own verbs, and the connection's. */
#include "lnats.h"

#include <string.h>

/* ---- names ---- */

static bool known(const char *name, size_t len, const char *const *names)
{
    for (size_t i = 0; names[i] != NULL; i++) {
        if (strlen(names[i]) == len && memcmp(names[i], name, len) == 0) {
            return true;
        }
    }
    return false;
}

/* ---- a verb's options ---- */

static void check_key(lua_State *L, int key, const char *verb, const char *const *names)
{
    if (lua_type(L, key) != LUA_TSTRING) {
        luaL_error(L, "%s: options have names, such as '%s'; found a %s as a key", verb, names[0],
                   luaL_typename(L, key));
    }
    size_t len;
    const char *name = lua_tolstring(L, key, &len);
    if (known(name, len, names)) {
        return;
    }
    size_t count = 0;
    while (names[count] != NULL) {
        count++;
    }
    const char *nearest = nats_options_nearest(name, names, count);
    if (nearest == NULL) {
        luaL_error(L, "%s: unknown option '%s'", verb, name);
    }
    luaL_error(L, "%s: unknown option '%s' (the nearest is '%s')", verb, name, nearest);
}

bool lnats_table(lua_State *L, int arg, const char *verb, const char *const *names)
{
    if (lua_isnoneornil(L, arg)) {
        return false;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, arg) != 0; lua_pop(L, 1)) {
        check_key(L, -2, verb, names);
    }
    return true;
}

int64_t lnats_table_int(lua_State *L, int arg, const char *name, int64_t least, int64_t fallback)
{
    if (lua_getfield(L, arg, name) == LUA_TNIL) {
        lua_pop(L, 1);
        return fallback;
    }
    int whole = 0;
    lua_Integer value = lua_type(L, -1) == LUA_TNUMBER ? lua_tointegerx(L, -1, &whole) : 0;
    if (whole == 0 || value < least) {
        luaL_error(L, "option '%s' must be a whole number of %I or more, not %s", name,
                   (LUAI_UACINT)least, luaL_tolstring(L, -1, NULL));
    }
    lua_pop(L, 1);
    return value;
}

int64_t lnats_table_seconds(lua_State *L, int arg, const char *name, int64_t fallback)
{
    lua_getfield(L, arg, name);
    lua_pushfstring(L, "option '%s'", name);
    int64_t ms = lnats_seconds(L, -2, lua_tostring(L, -1), fallback);
    lua_pop(L, 2);
    return ms;
}

uint64_t lnats_after(lua_State *L, int arg)
{
    static const char *const names[] = {"after", NULL};
    if (lua_istable(L, arg)) {
        lnats_table(L, arg, "unsubscribe", names);
        return (uint64_t)lnats_table_int(L, arg, "after", 0, 0);
    }
    lua_Integer after = luaL_optinteger(L, arg, 0);
    luaL_argcheck(L, after >= 0, arg, "must be 0 or more");
    return (uint64_t)after;
}

bool lnats_table_bool(lua_State *L, int arg, const char *name)
{
    int type = lua_getfield(L, arg, name);
    if (type != LUA_TNIL && type != LUA_TBOOLEAN) {
        luaL_error(L, "option '%s' must be true or false, not a %s", name, lua_typename(L, type));
    }
    bool value = lua_toboolean(L, -1) != 0;
    lua_pop(L, 1);
    return value;
}

const char *lnats_table_text(lua_State *L, int arg, const char *name, size_t *len_out)
{
    *len_out = 0;
    int type = lua_getfield(L, arg, name);
    if (type == LUA_TNIL) {
        return NULL;
    }
    if (type != LUA_TSTRING) {
        luaL_error(L, "option '%s' must be a string, not a %s", name, lua_typename(L, type));
    }
    return lua_tolstring(L, -1, len_out);
}

/* ---- the connection's options ---- */

static void release_options(void *options)
{
    nats_options_free(options);
}

nats_options *lnats_options_push(lua_State *L)
{
    void **box = lnats_box(L, release_options);
    nats_options *options;
    if (nats_options_new(&options) != NATS_OK) {
        luaL_error(L, "not enough memory");
    }
    *box = options;
    return options;
}

/* The value at the top of the stack, as the option's type wants it: times are seconds in Lua. */
static nats_status set_option(lua_State *L, nats_options *options, const char *name)
{
    size_t len;
    switch (lua_type(L, -1)) {
    case LUA_TBOOLEAN:
        return nats_options_set_bool(options, name, lua_toboolean(L, -1));
    case LUA_TSTRING: {
        const char *text = lua_tolstring(L, -1, &len);
        return nats_options_set_text(options, name, text, len);
    }
    case LUA_TNUMBER:
        if (lua_isinteger(L, -1) && nats_options_type(name) != NATS_OPTION_DURATION) {
            return nats_options_set_int(options, name, lua_tointeger(L, -1));
        }
        return nats_options_set_double(options, name, lua_tonumber(L, -1));
    default:
        luaL_error(L, "option '%s' must be a string, a number or a boolean, not a %s", name,
                   luaL_typename(L, -1));
        return NATS_ERR_INVALID;
    }
}

nats_status lnats_options_fill(lua_State *L, int arg, nats_options *options)
{
    if (lua_isnoneornil(L, arg)) {
        return NATS_OK;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    for (lua_pushnil(L); lua_next(L, arg) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            luaL_error(L, "options have names, such as 'name'; found a %s as a key",
                       luaL_typename(L, -2));
        }
        if (strlen(lua_tostring(L, -2)) != lua_rawlen(L, -2)) {
            luaL_error(L, "the name of an option holds no NUL byte");
        }
        nats_status status = set_option(L, options, lua_tostring(L, -2));
        if (status != NATS_OK) {
            return status;
        }
    }
    return NATS_OK;
}

static const char *type_name(int32_t type)
{
    switch (type) {
    case NATS_OPTION_TEXT:
        return "text";
    case NATS_OPTION_BOOL:
        return "boolean";
    case NATS_OPTION_INT:
        return "integer";
    case NATS_OPTION_DURATION:
        return "seconds";
    default:
        return "unknown";
    }
}

int lnats_options_list(lua_State *L)
{
    lua_newtable(L);
    const char *name;
    for (int32_t i = 0; (name = nats_options_name(i)) != NULL; i++) {
        lua_createtable(L, 0, 3);
        lua_pushstring(L, name);
        lua_setfield(L, -2, "name");
        lua_pushstring(L, type_name(nats_options_type(name)));
        lua_setfield(L, -2, "type");
        lua_pushstring(L, nats_options_doc(name));
        lua_setfield(L, -2, "doc");
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}
