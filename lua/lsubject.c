/* nats.subject: pure functions on subjects and patterns. */
#include "lnats.h"

static int valid(lua_State *L)
{
    size_t len;
    const char *subject = luaL_checklstring(L, 1, &len);
    lua_pushboolean(L, nats_subject_valid(subject, len));
    return 1;
}

static int valid_pattern(lua_State *L)
{
    size_t len;
    const char *pattern = luaL_checklstring(L, 1, &len);
    lua_pushboolean(L, nats_subject_valid_pattern(pattern, len));
    return 1;
}

static int matches(lua_State *L)
{
    size_t pattern_len;
    size_t subject_len;
    const char *pattern = luaL_checklstring(L, 1, &pattern_len);
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    lua_pushboolean(L, nats_subject_matches(pattern, pattern_len, subject, subject_len));
    return 1;
}

void lnats_subject_table(lua_State *L)
{
    static const luaL_Reg functions[] = {{"valid", valid},
                                         {"valid_pattern", valid_pattern},
                                         {"matches", matches},
                                         {NULL, NULL}};
    luaL_newlib(L, functions);
}
