/* Callbacks: called from dispatch and run, never by the library and never in another thread. */
#include "lnats.h"

/* How late a function of on_event may learn of an event while dispatch waits for messages. */
#define EVENT_SLICE_MS 100

static int traceback(lua_State *L)
{
    /* An error that is no text is the script's own object: it goes through as it is. */
    if (lua_type(L, 1) == LUA_TSTRING) {
        luaL_traceback(L, L, lua_tostring(L, 1), 1);
    }
    return 1;
}

/* Call the function below its arguments. The error, with its traceback, is raised to who called
 * dispatch. */
static void call(lua_State *L, int args)
{
    int function = lua_gettop(L) - args;
    lua_pushcfunction(L, traceback);
    lua_insert(L, function);
    if (lua_pcall(L, args, 0, function) != LUA_OK) {
        lua_error(L);
    }
    lua_remove(L, function);
}

/* The client is at 1 everywhere below. */

static bool over(lnats_sub *sub)
{
    uint64_t pending = 0;
    if (sub->sub == NULL || nats_sub_active(sub->sub) != 0) {
        return false;
    }
    nats_sub_stats(sub->sub, &pending, 1);
    return pending == 0;
}

/* Let go of functions whose subscriptions have ended. */
static void sweep(lua_State *L, lnats_client *client)
{
    client->ended = false;
    lua_getiuservalue(L, 1, 1);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        if (over(lnats_check(L, lua_gettop(L), &lnats_sub_kind))) {
            lua_pushvalue(L, -2);
            lua_pushnil(L);
            lua_rawset(L, -5);
        }
    }
    lua_pop(L, 1);
}

/* The next message of the batch to its function. Returns whether there was one. */
static bool call_next(lua_State *L, lnats_client *client)
{
    int top = lua_gettop(L);
    if (!lnats_batch_push(L, &client->callbacks, lua_upvalueindex(1), 1)) {
        return false;
    }
    lua_getiuservalue(L, 1, 1);
    if (lua_rawgeti(L, -1, (lua_Integer)lnats_msg_sid(L, top + 1)) == LUA_TNIL) {
        lua_settop(L, top); /* closed meanwhile by an earlier callback */
        return true;
    }
    int sub = lua_gettop(L);
    lnats_sub *handle = lnats_check(L, sub, &lnats_sub_kind);
    if (handle->sub != NULL && nats_sub_active(handle->sub) == 0) {
        client->ended = true;
    }
    lua_getiuservalue(L, sub, 2);
    lua_pushvalue(L, top + 1);
    lua_pushvalue(L, sub);
    call(L, 2);
    lua_settop(L, top);
    return true;
}

/* Events that wait, to the function of on_event. Returns whether there is such a function. */
static bool call_events(lua_State *L, lnats_client *client)
{
    int top = lua_gettop(L);
    if (lua_getiuservalue(L, 1, 2) == LUA_TNIL) {
        lua_settop(L, top);
        return false;
    }
    lnats_wait none;
    lnats_wait_start(L, &none, 0);
    while (lnats_event_take(L, client, &none) == NATS_OK && !lua_isnil(L, -1)) {
        lua_pushvalue(L, top + 1);
        lua_insert(L, -2);
        call(L, 1);
    }
    lua_settop(L, top);
    return true;
}

static nats_status take_callbacks(void *handle, size_t max, int64_t wait_ms, nats_msg **msgs,
                                  size_t *count_out)
{
    return nats_client_get_callbacks(handle, max, wait_ms, msgs, count_out);
}

/* Wait until the batch has a message, or the time is up, or stop was called. */
static nats_status await(lua_State *L, lnats_client *client, size_t max, lnats_wait *wait)
{
    for (;;) {
        bool events = call_events(L, client);
        lnats_wait slice = *wait;
        if (events && (wait->ms < 0 || wait->ms > EVENT_SLICE_MS)) {
            lnats_wait_start(L, &slice, EVENT_SLICE_MS);
        }
        client->filling = true;
        nats_status status = lnats_batch_fill(L, &client->callbacks, take_callbacks,
                                              client->client, max, &slice);
        client->filling = false;
        if (wait->ms > 0) {
            lnats_wait_left(wait);
        }
        if (status != NATS_OK || client->callbacks.count > 0 || client->stop || client->closed) {
            return status;
        }
        if (!events || wait->ms == 0) {
            return NATS_OK;
        }
    }
}

static nats_status dispatch(lua_State *L, lnats_client *client, size_t max, lnats_wait *wait,
                            size_t *count_out)
{
    *count_out = 0;
    while (*count_out < max && !client->stop && !client->closed) {
        if (call_next(L, client)) {
            (*count_out)++;
            continue;
        }
        if (client->ended) {
            sweep(L, client);
        }
        if (*count_out > 0) {
            wait->ms = 0;
        }
        nats_status status = await(L, client, max - *count_out, wait);
        if (status != NATS_OK || client->callbacks.count == 0) {
            return *count_out > 0 ? NATS_OK : status;
        }
    }
    return NATS_OK;
}

static int fail_closed(lua_State *L)
{
    return lnats_fail_text(L, NATS_ERR_CLOSED, "the client is closed", "client");
}

int lnats_client_dispatch(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    size_t max;
    size_t count;
    int64_t wait_ms;
    lnats_get_args(L, 2, "dispatch", &max, &wait_ms);
    lua_settop(L, 1);
    if (client->closed) {
        return fail_closed(L);
    }
    lnats_wait wait;
    lnats_wait_start(L, &wait, wait_ms);
    client->stop = false;
    nats_status status = dispatch(L, client, max, &wait, &count);
    if (status != NATS_OK && count == 0) {
        return lnats_fail(L, status);
    }
    lua_pushinteger(L, (lua_Integer)count);
    return 1;
}

int lnats_client_run(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    lnats_wait wait;
    lnats_wait_start(L, &wait, lnats_seconds(L, 2, "timeout", -1));
    bool for_ever = wait.ms < 0;
    lua_settop(L, 1);
    if (client->closed) {
        return fail_closed(L);
    }
    client->stop = false;
    nats_status status = NATS_OK;
    do {
        size_t count;
        wait.ms = -1;
        lnats_wait_left(&wait);
        status = dispatch(L, client, LNATS_GET_MAX, &wait, &count);
        lnats_wait_left(&wait);
    } while (status == NATS_OK && !client->stop && !client->closed && (for_ever || wait.ms > 0));
    return client->closed ? lnats_done(L, NATS_OK) : lnats_done(L, status);
}

int lnats_client_stop(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    client->stop = true;
    if (client->filling) {
        nats_client_wake(client->client); /* called from a signal's hook while run waits */
    }
    return 0;
}

int lnats_client_on_event(lua_State *L)
{
    lnats_client_check(L, 1);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TFUNCTION);
    }
    lua_settop(L, 2);
    lua_setiuservalue(L, 1, 2);
    lua_pushboolean(L, 1);
    return 1;
}

/* The subscriptions that have callbacks, as a list: calling them may change the table. */
static lua_Integer push_subs(lua_State *L)
{
    lua_Integer count = 0;
    lua_newtable(L);
    lua_getiuservalue(L, 1, 1);
    for (lua_pushnil(L); lua_next(L, -2) != 0;) {
        count++;
        lua_rawseti(L, -4, count);
    }
    lua_pop(L, 1);
    return count;
}

nats_status lnats_callbacks_drain(lua_State *L, lnats_client *client, lnats_wait *wait)
{
    int top = lua_gettop(L);
    lua_Integer count = push_subs(L);
    nats_status status = NATS_OK;
    for (lua_Integer i = 1; i <= count && status == NATS_OK; i++) {
        lua_rawgeti(L, top + 1, i);
        lnats_sub *sub = lnats_check(L, top + 2, &lnats_sub_kind);
        if (sub->sub != NULL) {
            do {
                status = nats_sub_drain(sub->sub, wait->ms);
            } while (lnats_wait_again(L, wait, status));
            lnats_wait_left(wait);
        }
        lua_settop(L, top + 1);
    }
    lua_settop(L, top);
    size_t called;
    lnats_wait none;
    lnats_wait_start(L, &none, 0);
    client->stop = false;
    do {
        none.ms = 0;
        dispatch(L, client, LNATS_GET_MAX, &none, &called);
    } while (called > 0 && !client->stop);
    return status;
}
