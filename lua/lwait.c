/* Time: seconds in Lua, milliseconds in C; and waiting that a signal may interrupt. */
#include "lnats.h"

#include <math.h>
#include <time.h>

#define NS_PER_MS INT64_C(1000000)
/* Longest wait in ms that still fits into ns, 146 years: what is longer becomes this. */
#define WAIT_MS_MAX (INT64_MAX / NS_PER_MS / 2)

int64_t lnats_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

/* { timeout = 1 } says what 1 says: each verb's options may be given by name. */
static int64_t named_seconds(lua_State *L, int arg, const char *what, int64_t fallback)
{
    const char *const names[] = {what, NULL};
    lua_Debug verb = {.name = NULL};
    if (lua_getstack(L, 0, &verb)) {
        lua_getinfo(L, "n", &verb);
    }
    lnats_table(L, arg, verb.name != NULL ? verb.name : what, names);
    return lnats_table_seconds(L, arg, what, fallback);
}

int64_t lnats_seconds(lua_State *L, int arg, const char *what, int64_t fallback)
{
    if (lua_isnoneornil(L, arg)) {
        return fallback;
    }
    if (arg > 0 && lua_istable(L, arg)) {
        return named_seconds(L, arg, what, fallback);
    }
    if (lua_type(L, arg) != LUA_TNUMBER) {
        luaL_error(L, "%s must be a number of seconds, not a %s", what, luaL_typename(L, arg));
    }

    lua_Number seconds = lua_tonumber(L, arg);
    if (!(seconds >= 0)) {
        luaL_error(L, "%s must be a number of seconds of 0 or more, not %s", what,
                   luaL_tolstring(L, arg, NULL));
    }
    lua_Number ms = ceil(seconds * 1000 - 1e-6);
    return ms > (lua_Number)WAIT_MS_MAX ? WAIT_MS_MAX : (int64_t)ms;
}

void lnats_push_seconds(lua_State *L, int64_t ms)
{
    if (ms < 0) {
        lua_pushnil(L);
        return;
    }
    lua_pushnumber(L, (lua_Number)ms / 1000);
}

static lua_State *main_thread(lua_State *L)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, LUA_RIDX_MAINTHREAD);
    lua_State *main = lua_tothread(L, -1);
    lua_pop(L, 1);
    return main;
}

void lnats_wait_start(lua_State *L, lnats_wait *wait, int64_t ms)
{
    wait->ms = ms;
    wait->deadline_ns = INT64_MAX;
    wait->hook = NULL;
    if (ms == 0) {
        return;
    }
    wait->hook = lua_gethook(main_thread(L));
    if (ms > 0 && ms <= WAIT_MS_MAX) {
        wait->deadline_ns = lnats_now_ns() + ms * NS_PER_MS;
    }
}

void lnats_wait_default(lua_State *L, lnats_wait *wait, int64_t ms, int64_t fallback_ms)
{
    lnats_wait_start(L, wait, ms < 0 ? fallback_ms : ms);
    wait->ms = ms;
}

void lnats_wait_left(lnats_wait *wait)
{
    if (wait->deadline_ns == INT64_MAX) {
        return;
    }
    int64_t left = wait->deadline_ns - lnats_now_ns();
    wait->ms = left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

static int nothing(lua_State *L)
{
    (void)L;
    return 0;
}

/* A signal handler cannot raise an error itself: lua5.4 and luaposix leave a hook that does so
 * at the next call. This is that call. The hook is set for the main thread only, so a coroutine
 * looks there. */
static void run_hooks(lua_State *L, const lnats_wait *wait)
{
    lua_pushcfunction(L, nothing);
    lua_call(L, 0, 0);
    lua_State *main = main_thread(L);
    if (main == L || wait->ms == 0) {
        return;
    }
    lua_Hook hook = lua_gethook(main);
    if (hook != NULL && hook != wait->hook) {
        luaL_error(L, "interrupted!");
    }
}

bool lnats_wait_again(lua_State *L, lnats_wait *wait, nats_status status)
{
    if (status != NATS_ERR_INTERRUPTED) {
        return false;
    }
    run_hooks(L, wait);
    lnats_credentials_answer_all(L);
    lnats_wait_left(wait);
    return true;
}
