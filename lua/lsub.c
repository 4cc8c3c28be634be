/* The subscription. */
#include "lnats.h"

#include <string.h>

const lnats_kind lnats_sub_kind = {"nats.subscription", sizeof(lnats_sub)};

lnats_sub *lnats_sub_push(lua_State *L, int client, int callback)
{
    lnats_sub *sub = lnats_new(L, &lnats_sub_kind, 2);
    lua_pushvalue(L, client);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, callback);
    lua_setiuservalue(L, -2, 2);
    return sub;
}

static lnats_sub *check_sub(lua_State *L, int arg)
{
    lnats_sub *sub = lnats_check(L, arg, &lnats_sub_kind);
    if (sub->sub == NULL) {
        luaL_error(L, "the subscription was collected");
    }
    return sub;
}

/* Its client, on the stack. */
static lnats_client *push_client_of(lua_State *L, int sub)
{
    lua_getiuservalue(L, sub, 1);
    return lnats_client_check(L, lua_gettop(L));
}

void lnats_sub_called(lua_State *L, int client)
{
    const lnats_sub *sub = lnats_check(L, lua_gettop(L), &lnats_sub_kind);
    lua_getiuservalue(L, client, 1);
    lua_pushvalue(L, -2);
    lua_rawseti(L, -2, (lua_Integer)sub->sid);
    lua_pop(L, 1);
}

nats_status lnats_sub_take(void *handle, size_t max, int64_t wait_ms, nats_msg **msgs,
                           size_t *count_out)
{
    return nats_sub_get(handle, max, wait_ms, msgs, count_out);
}

/* ---- messages ---- */

static int sub_next(lua_State *L)
{
    lnats_sub *sub = check_sub(L, 1);
    lnats_wait wait;
    lnats_wait_start(L, &wait, lnats_seconds(L, 2, "timeout", -1));
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    nats_status status = lnats_batch_fill(L, &sub->batch, lnats_sub_take, sub->sub, 1, &wait);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    if (!lnats_batch_push(L, &sub->batch, lua_upvalueindex(1), 2)) {
        lua_pushnil(L);
    }
    return 1;
}

static int sub_get(lua_State *L)
{
    lnats_sub *sub = check_sub(L, 1);
    size_t max;
    int64_t wait_ms;
    lnats_get_args(L, 2, "get", &max, &wait_ms);
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    return lnats_batch_list(L, &sub->batch, lnats_sub_take, sub->sub, max, wait_ms, 2);
}

/* Upvalues: 1 the message metatable, 2 the subscription, 3 the client, 4 the wait in ms. */
static int next_of_all(lua_State *L)
{
    lnats_sub *sub = check_sub(L, lua_upvalueindex(2));
    lnats_wait wait;
    lnats_wait_start(L, &wait, lua_tointeger(L, lua_upvalueindex(4)));
    nats_status status = lnats_batch_fill(L, &sub->batch, lnats_sub_take, sub->sub, 1, &wait);
    if (status == NATS_ERR_CLOSED) {
        return 0;
    }
    if (status != NATS_OK) {
        lnats_fail(L, status);
        lua_pop(L, 2);
        return lua_error(L);
    }
    return lnats_batch_push(L, &sub->batch, lua_upvalueindex(1), lua_upvalueindex(3)) ? 1 : 0;
}

static int sub_messages(lua_State *L)
{
    lnats_sub *sub = check_sub(L, 1);
    int64_t wait_ms = lnats_seconds(L, 2, "timeout", -1);
    if (lua_getiuservalue(L, 1, 2) != LUA_TNIL) {
        return luaL_error(L, "messages: this subscription has a callback");
    }
    /* Else the client's get would take messages from under the iterator. */
    nats_status status = nats_sub_set_mode(sub->sub, NATS_SUB_PRIVATE);
    if (status != NATS_OK && status != NATS_ERR_CLOSED) {
        return lnats_fail(L, status);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushvalue(L, 1);
    push_client_of(L, 1);
    lua_pushinteger(L, wait_ms);
    lua_pushcclosure(L, next_of_all, 4);
    return 1;
}

/* ---- the end ---- */

/* Its client forgets an ended subscription's callback with the next dispatch. */
static void note_end(lua_State *L)
{
    push_client_of(L, 1)->ended = true;
    lua_pop(L, 1);
}

static int sub_unsubscribe(lua_State *L)
{
    lnats_sub *sub = check_sub(L, 1);
    uint64_t after = lnats_after(L, 2);
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_status status;
    do {
        status = nats_sub_unsubscribe(sub->sub, after);
    } while (lnats_wait_again(L, &wait, status));
    note_end(L);
    return lnats_done(L, status);
}

static int sub_drain(lua_State *L)
{
    lnats_sub *sub = check_sub(L, 1);
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    lnats_wait wait;
    lnats_wait_default(L, &wait, ms, push_client_of(L, 1)->drain_timeout_ms);
    nats_status status;
    do {
        status = nats_sub_drain(sub->sub, wait.ms);
    } while (lnats_wait_again(L, &wait, status));
    note_end(L);
    return lnats_done(L, status);
}

static int sub_drain_start(lua_State *L)
{
    lnats_sub *sub = check_sub(L, 1);
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    note_end(L);
    lua_getiuservalue(L, 1, 1);
    lnats_future *future = lnats_future_push(L, lua_gettop(L));
    future->goal = true;
    nats_status status = nats_sub_drain_start(sub->sub, ms, &future->future);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int sub_close(lua_State *L)
{
    lnats_sub *sub = lnats_check(L, 1, &lnats_sub_kind);
    if (sub->sub != NULL) {
        nats_sub_unsubscribe(sub->sub, 0);
        note_end(L);
    }
    return 0;
}

void lnats_sub_release(lnats_sub *sub)
{
    lnats_batch_free(&sub->batch);
    nats_sub *handle = sub->sub;
    sub->sub = NULL;
    nats_sub_free(handle);
}

/* Frees the handle only: a script may subscribe, drop the handle and go on with the client's
 * get. */
static int sub_gc(lua_State *L)
{
    lnats_sub *sub = lnats_test(L, 1, &lnats_sub_kind);
    if (sub != NULL) {
        lnats_sub_release(sub);
    }
    return 0;
}

/* ---- what it knows ---- */

static int sub_stats(lua_State *L)
{
    static const char *const names[NATS_SUB_STAT_COUNT] = {
        [NATS_SUB_STAT_PENDING_MSGS] = "pending",
        [NATS_SUB_STAT_PENDING_BYTES] = "pending_bytes",
        [NATS_SUB_STAT_DELIVERED] = "delivered",
        [NATS_SUB_STAT_DROPPED] = "dropped",
        [NATS_SUB_STAT_RECEIVED] = "received"};
    uint64_t values[NATS_SUB_STAT_COUNT] = {0};
    nats_sub_stats(check_sub(L, 1)->sub, values, NATS_SUB_STAT_COUNT);
    lua_createtable(L, 0, NATS_SUB_STAT_COUNT);
    for (size_t i = 0; i < NATS_SUB_STAT_COUNT; i++) {
        lua_pushinteger(L, (lua_Integer)values[i]);
        lua_setfield(L, -2, names[i]);
    }
    return 1;
}

static int sub_active(lua_State *L)
{
    lua_pushboolean(L, nats_sub_active(check_sub(L, 1)->sub));
    return 1;
}

static int push_field(lua_State *L, const lnats_sub *sub, const char *name)
{
    size_t len;
    const char *text;
    if (strcmp(name, "sid") == 0) {
        lua_pushinteger(L, (lua_Integer)sub->sid);
        return 1;
    }
    if (strcmp(name, "subject") == 0) {
        text = nats_sub_subject(sub->sub, &len);
        lua_pushlstring(L, text, len);
        return 1;
    }
    text = nats_sub_queue(sub->sub, &len);
    if (len > 0) {
        lua_pushlstring(L, text, len);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

/* Upvalue 1 has true for each field and a function for each method. */
static int sub_index(lua_State *L)
{
    lnats_sub *sub = check_sub(L, 1);
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TBOOLEAN) {
        return 1;
    }
    return push_field(L, sub, lua_tostring(L, 2));
}

static int sub_tostring(lua_State *L)
{
    lnats_sub *sub = lnats_check(L, 1, &lnats_sub_kind);
    const char *subject = sub->sub != NULL ? nats_sub_subject(sub->sub, NULL) : "collected";
    return lnats_tostring(L, &lnats_sub_kind, sub, subject);
}

void lnats_sub_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"next", sub_next},
                                       {"get", sub_get},
                                       {"messages", sub_messages},
                                       {"iterate", sub_messages},
                                       {"unsubscribe", sub_unsubscribe},
                                       {"drain", sub_drain},
                                       {"drain_start", sub_drain_start},
                                       {"stats", sub_stats},
                                       {"active", sub_active},
                                       {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", sub_gc},
                                    {"__close", sub_close},
                                    {"__tostring", sub_tostring},
                                    {NULL, NULL}};
    static const char *const fields[] = {"subject", "queue", "sid"};
    lnats_type(L, &lnats_sub_kind, methods, meta);
    lua_getfield(L, -1, "__index");
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, fields[i]);
    }
    lua_pushcclosure(L, sub_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pop(L, 1);
}
