/* Lua module `benchkit`: the clocks that bench/polynats.lua needs and Lua does not have, and samples as
 * cheap as those of the C programs. */
#include <lauxlib.h>
#include <lua.h>
#include <stdlib.h>

#include "bench.h"

static int now_ns(lua_State *L)
{
    lua_pushinteger(L, bench_now_ns());
    return 1;
}

static int cpu_ns(lua_State *L)
{
    lua_pushinteger(L, bench_cpu_ns());
    return 1;
}

static int rss(lua_State *L)
{
    lua_pushinteger(L, bench_rss());
    return 1;
}

static int sleep_ns(lua_State *L)
{
    bench_sleep_ns(luaL_checkinteger(L, 1));
    return 0;
}

/* ---- samples: a userdata ---- */

static const char samples_name[] = "benchkit.samples";

static int samples_new(lua_State *L)
{
    bench_samples *samples = lua_newuserdatauv(L, sizeof(*samples), 0);
    bench_samples_init(samples);
    luaL_setmetatable(L, samples_name);
    return 1;
}

static int samples_add(lua_State *L)
{
    bench_samples *samples = luaL_checkudata(L, 1, samples_name);
    bench_samples_add(samples, luaL_checkinteger(L, 2));
    return 0;
}

static int samples_percentile_us(lua_State *L)
{
    const bench_samples *samples = luaL_checkudata(L, 1, samples_name);
    lua_pushnumber(L, bench_samples_percentile_us(samples, luaL_checknumber(L, 2)));
    return 1;
}

static int samples_gc(lua_State *L)
{
    bench_samples *samples = luaL_checkudata(L, 1, samples_name);
    free(samples->steps);
    samples->steps = NULL;
    return 0;
}

int luaopen_benchkit(lua_State *L);

__attribute__((visibility("default"))) int luaopen_benchkit(lua_State *L)
{
    static const luaL_Reg functions[] = {{"now_ns", now_ns},     {"cpu_ns", cpu_ns},
                                         {"rss", rss},           {"sleep_ns", sleep_ns},
                                         {"samples", samples_new}, {NULL, NULL}};
    static const luaL_Reg methods[] = {
        {"add", samples_add}, {"percentile_us", samples_percentile_us}, {NULL, NULL}};
    luaL_newmetatable(L, samples_name);
    luaL_newlib(L, methods);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, samples_gc);
    lua_setfield(L, -2, "__gc");
    luaL_newlib(L, functions);
    return 1;
}
