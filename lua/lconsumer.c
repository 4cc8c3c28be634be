/* A consumer: its verbs, and how its messages come: as a list (fetch, next) or as an ordinary
 * subscription (consume). An ordered one is made when it is first used. */
#include "lnats.h"

#include <string.h>

/* What fetch of an ordered consumer waits at most, unless told: as of any other. */
#define ORDERED_WAIT_MS 5000
/* And how many messages it takes at most. */
#define ORDERED_MAX 100
/* Of any other without max: the library knows where it ends, which no table reaches. */
#define FETCH_MAX INT32_MAX

/* User values of a consumer. */
enum { JETSTREAM = 1, NAME, INFO, STREAM, SUBSCRIPTION, ASKED, WHY, KEPT, USER_VALUES = KEPT };

const lnats_kind lnats_consumer_kind = {"nats.consumer", sizeof(lnats_consumer)};

void lnats_consumer_push(lua_State *L, int about, int stream, int info)
{
    int name = lua_gettop(L);
    lnats_new(L, &lnats_consumer_kind, USER_VALUES);
    lnats_js_push(L, about);
    lua_setiuservalue(L, -2, JETSTREAM);
    lua_pushvalue(L, name);
    lua_setiuservalue(L, -2, NAME);
    lua_pushvalue(L, stream);
    lua_setiuservalue(L, -2, STREAM);
    if (info != 0) {
        lua_pushvalue(L, info);
        lua_setiuservalue(L, -2, INFO);
    }
    lua_replace(L, name);
}

void lnats_ordered_push(lua_State *L, int about, int stream, int config)
{
    lua_newtable(L);
    int info = lua_gettop(L);
    lua_pushvalue(L, config);
    lua_setfield(L, info, "config");
    lua_pushnil(L);
    lnats_consumer_push(L, about, stream, info);
    lua_pushvalue(L, config);
    lua_setiuservalue(L, -2, ASKED);
    lnats_consumer *made = lua_touserdata(L, -1);
    made->ordered = true;
    lua_replace(L, info);
}

static lnats_consumer *check_consumer(lua_State *L)
{
    return lnats_check(L, 1, &lnats_consumer_kind);
}

/* ---- beginning ---- */

/* No time to wait: `wait` of 0 is what the server calls no_wait. The arguments are at the top of the stack. */
static void no_time_is_no_wait(lua_State *L)
{
    bool none = lua_getfield(L, -1, "wait") == LUA_TNUMBER && lua_tonumber(L, -1) == 0;
    lua_pop(L, 1);
    if (none) {
        lua_pushnil(L);
        lua_setfield(L, -2, "wait");
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "no_wait");
    }
}

/* A table of arguments from the options at arg (nil: none), on the stack. `callback` is the module's. */
static void push_options(lua_State *L, int arg, const char *mode)
{
    lua_newtable(L);
    int into = lua_gettop(L);
    if (!lua_isnoneornil(L, arg)) {
        luaL_checktype(L, arg, LUA_TTABLE);
        for (lua_pushnil(L); lua_next(L, arg) != 0; lua_pop(L, 1)) {
            luaL_argcheck(L, lua_type(L, -2) == LUA_TSTRING, arg, "options have names");
            if (strcmp(lua_tostring(L, -2), "callback") != 0) {
                lua_pushvalue(L, -1);
                lua_setfield(L, into, lua_tostring(L, -3));
            }
        }
    }
    if (lua_getfield(L, into, "mode") == LUA_TNIL) {
        lua_pushstring(L, mode);
        lua_setfield(L, into, "mode");
    }
    lua_settop(L, into);
    lua_getiuservalue(L, 1, STREAM);
    lua_setfield(L, into, "stream");
    lua_getiuservalue(L, 1, ASKED);
    bool ordered = !lua_isnil(L, -1);
    lua_setfield(L, into, "config");
    if (!ordered) {
        lua_getiuservalue(L, 1, NAME);
        lua_setfield(L, into, "consumer");
    }
}

/* The server's info of the consumer: an ordered one learns its name, of any other it is what was told
 * last. */
static int give_consuming(lua_State *L, nats_msg *msg, int about)
{
    int results = lnats_give_table(L, msg, about);
    if (results != 1) {
        return results;
    }
    const lnats_consumer *consumer = lnats_test(L, about, &lnats_consumer_kind);
    if (consumer == NULL) {
        lua_pushboolean(L, 1);
        return 1;
    }
    if (consumer->ordered) {
        lua_getfield(L, -1, "name");
        lua_setiuservalue(L, about, NAME);
    } else {
        lua_setiuservalue(L, about, INFO);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* The subscription and, above it, the future on the stack. The arguments are at the top of it; callback: the
 * index of a function or nil. */
static nats_status begin(lua_State *L, const char *how, int callback, int64_t timeout_ms)
{
    size_t len;
    int arguments = lua_gettop(L);
    const char *text = lnats_json_write(L, arguments, how, &len);
    nats_js *js = lnats_js_push(L, 1)->js;
    lua_getiuservalue(L, -1, 1);
    int client = lua_gettop(L);
    lnats_sub *sub = lnats_sub_push(L, client, callback);
    lnats_future *future = lnats_future_push(L, client);
    future->goal = true;
    future->give = give_consuming;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_status status;
    do {
        status = nats_js_consume_start(js, how, text, len, timeout_ms, &sub->sub,
                                       &future->future);
    } while (lnats_wait_again(L, &wait, status));
    lnats_box_drop(L, arguments + 1);
    if (status == NATS_OK) {
        sub->sid = nats_sub_sid(sub->sub);
        if (!lua_isnil(L, callback)) {
            lua_pushvalue(L, -2);
            lnats_sub_called(L, client);
            lua_pop(L, 1);
        }
    }
    return status;
}

/* ---- consume ---- */

/* What was told of it has config.deliver_subject: it delivers by itself. */
static bool pushes(lua_State *L)
{
    int top = lua_gettop(L);
    bool found = lua_getiuservalue(L, 1, INFO) == LUA_TTABLE &&
                 lua_getfield(L, -1, "config") == LUA_TTABLE &&
                 lua_getfield(L, -1, "deliver_subject") == LUA_TSTRING;
    lua_settop(L, top);
    return found;
}

/* The options at 2, of which the callback, or nil, comes to 3. The subscription and the future. */
static int consume_start(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    int64_t timeout_ms = -1;
    lua_settop(L, 2);
    lua_pushnil(L);
    if (!lua_isnil(L, 2)) {
        luaL_checktype(L, 2, LUA_TTABLE);
        timeout_ms = lnats_table_seconds(L, 2, "timeout", -1);
        lua_getfield(L, 2, "callback");
        lua_replace(L, 3);
    }
    int type = lua_type(L, 3);
    if (type == LUA_TSTRING || type == LUA_TNUMBER || type == LUA_TBOOLEAN) {
        luaL_error(L, "option 'callback' must be a function, not a %s", lua_typename(L, type));
    }
    const char *how = consumer->ordered ? "ordered" : pushes(L) ? "push" : "consume";
    push_options(L, 2, type == LUA_TNIL ? "shared" : "callback");
    lua_pushnil(L);
    lua_setfield(L, -2, "timeout");
    nats_status status = begin(L, how, 3, timeout_ms);
    return status == NATS_OK ? 2 : lnats_fail(L, status);
}

static bool knows_config(lua_State *L)
{
    bool known = lua_getiuservalue(L, 1, INFO) == LUA_TTABLE;
    lua_pop(L, 1);
    return known;
}

/* Ask for its info, which is kept: a future. An ordered one is asked for by the name that it has just
 * now. The options are at 2. */
static int start_info(lua_State *L)
{
    static const lnats_verb verb = {"info", "consumer_info", "", NULL};
    if (lua_getiuservalue(L, 1, NAME) == LUA_TNIL) {
        return lnats_fail_text(L, NATS_ERR_INVALID,
                               "an ordered consumer is made when it is first used: by info, say",
                               "consumer");
    }
    int64_t timeout_ms = lnats_verb_arguments(L, &verb);
    nats_status status =
        lnats_verb_start(L, verb.verb, lua_gettop(L), timeout_ms, lnats_give_info);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

/* The same, waited for: 1, or the number of results that say why not. */
static int ask_info(lua_State *L)
{
    int results = start_info(L);
    return results == 1 ? lnats_future_finish(L) : results;
}

static int finish_begun(lua_State *L)
{
    return lnats_future_finish(L);
}

/* Nobody has the subscription: it would take messages for ever. */
static void give_up(lua_State *L, int sub)
{
    const lnats_sub *made = lnats_check(L, sub, &lnats_sub_kind);
    nats_sub_unsubscribe(made->sub, 0);
    lua_getiuservalue(L, sub, 1);
    lnats_client_check(L, lua_gettop(L))->ended = true;
    lua_pop(L, 1);
}

/* What a start gave (a subscription and its future, or why not): the subscription, once it has
 * begun. */
static int once_begun(lua_State *L, int started)
{
    if (started != 2) {
        return started;
    }
    int sub = lua_gettop(L) - 1;
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_pushcclosure(L, finish_begun, 1);
    lua_insert(L, -2);
    if (lua_pcall(L, 1, LUA_MULTRET, 0) != LUA_OK) {
        give_up(L, sub);
        return lua_error(L);
    }
    int results = lua_gettop(L) - sub;
    if (results != 1) {
        return results;
    }
    lua_settop(L, sub);
    return 1;
}

static int consumer_consume(lua_State *L)
{
    check_consumer(L);
    lua_settop(L, 2);
    if (!knows_config(L)) {
        lua_newtable(L); /* info's options */
        if (lua_istable(L, 2)) {
            lua_getfield(L, 2, "timeout");
            lua_setfield(L, -2, "timeout");
        }
        lua_insert(L, 2);
        int told = ask_info(L);
        if (told != 1) {
            return told;
        }
        lua_settop(L, 3);
        lua_remove(L, 2);
    }
    return once_begun(L, consume_start(L));
}

static int consumer_consume_start(lua_State *L)
{
    return consume_start(L);
}

/* js:consume_start(how, arguments, timeout): what has no method of its own. */
int lnats_js_consume_start(lua_State *L)
{
    lnats_js_check(L, 1);
    const char *how = luaL_checkstring(L, 2);
    int64_t timeout_ms = lnats_seconds(L, 4, "timeout", -1);
    lua_settop(L, 3);
    lua_pushnil(L);
    lua_pushvalue(L, 3);
    nats_status status = begin(L, how, 4, timeout_ms);
    return status == NATS_OK ? 2 : lnats_fail(L, status);
}

int lnats_js_consume(lua_State *L)
{
    return once_begun(L, lnats_js_consume_start(L));
}

/* ---- lists ---- */

/* A list that is being filled is the consumer's until it is given: an error out of a hook, as Ctrl-C's is, leaves
 * it there for the next call. On the stack; how many messages are in it. */
static size_t push_kept(lua_State *L)
{
    if (lua_getiuservalue(L, 1, KEPT) != LUA_TTABLE) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_setiuservalue(L, 1, KEPT);
    }
    return lua_rawlen(L, -1);
}

/* The first max messages of that list, in its place on the stack. The others stay kept. */
static void give_kept(lua_State *L, size_t max)
{
    int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    lua_Integer given = (lua_Integer)max;
    if (count <= given) {
        lua_pushnil(L);
        lua_setiuservalue(L, 1, KEPT);
        return;
    }
    lua_createtable(L, (int)given, 0);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        lua_rawseti(L, i <= given ? list + 1 : list, i <= given ? i : i - given);
    }
    for (lua_Integer i = count - given + 1; i <= count; i++) {
        lua_pushnil(L);
        lua_rawseti(L, list, i);
    }
    lua_replace(L, list);
}

/* At most max messages in the list at the top of the stack, out of the subscription, until it ends or the
 * wait is over. *count_out: how many there are. */
static nats_status collect(lua_State *L, lnats_sub *sub, size_t max, lnats_wait *wait,
                           size_t *count_out)
{
    int list = lua_gettop(L);
    lua_getiuservalue(L, 1, JETSTREAM);
    lua_getiuservalue(L, -1, 1);
    int client = lua_gettop(L);
    size_t count = lua_rawlen(L, list);
    nats_status status = NATS_OK;
    while (count < max && status == NATS_OK) {
        lnats_wait_left(wait);
        status = lnats_batch_fill(L, &sub->batch, lnats_sub_take, sub->sub, max - count, wait);
        if (status == NATS_OK && sub->batch.count == 0) {
            break; /* the time is up */
        }
        while (count < max && lnats_batch_push(L, &sub->batch, lua_upvalueindex(1), client)) {
            count++;
            lua_rawseti(L, list, (lua_Integer)count);
        }
    }
    lua_settop(L, list);
    *count_out = count;
    return status;
}

static int fetch_start(lua_State *L)
{
    push_options(L, 3, "private");
    if (!lua_isnil(L, 2)) {
        lua_pushvalue(L, 2);
        lua_setfield(L, -2, "max");
    }
    no_time_is_no_wait(L);
    lua_pushnil(L);
    lua_insert(L, -2);
    nats_status status = begin(L, "fetch", lua_gettop(L) - 1, -1);
    return status == NATS_OK ? 2 : lnats_fail(L, status);
}

/* It has ended behind the messages of this list, at the top of the stack: the next call tells why. */
static void keep_why(lua_State *L, nats_status status)
{
    int list = lua_gettop(L);
    int count = lnats_fail(L, status);
    lua_createtable(L, count, 1);
    for (int i = 1; i <= count; i++) {
        lua_pushvalue(L, list + i);
        lua_rawseti(L, -2, i);
    }
    lua_pushinteger(L, count);
    lua_setfield(L, -2, "n");
    lua_setiuservalue(L, 1, WHY);
    lua_settop(L, list);
}

/* What was kept, and how many that are; 0: nothing. */
static int push_why(lua_State *L)
{
    if (lua_getiuservalue(L, 1, WHY) != LUA_TTABLE) {
        lua_pop(L, 1);
        return 0;
    }
    int kept = lua_gettop(L);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, WHY);
    lua_getfield(L, kept, "n");
    int count = (int)lua_tointeger(L, -1);
    lua_pop(L, 1);
    for (int i = 1; i <= count; i++) {
        lua_rawgeti(L, kept, i);
    }
    return count;
}

/* What ends it behind messages is told by the next call: these are whole. */
static int push_collected(lua_State *L, nats_status status, size_t count)
{
    if (status == NATS_OK || status == NATS_ERR_CLOSED) {
        return 1;
    }
    if (count == 0) {
        return lnats_fail(L, status);
    }
    keep_why(L, status);
    return 1;
}

/* Whose messages a fetch takes, or nil at the top of the stack; popped. */
static void hold_sub(lua_State *L)
{
    lua_setiuservalue(L, 1, SUBSCRIPTION);
}

/* What a fetch that an error ended has left: its list, and what has come to its subscription. A list of at most max
 * on the stack, or nothing. */
static bool push_left(lua_State *L, size_t max)
{
    size_t count = push_kept(L);
    int list = lua_gettop(L);
    if (lua_getiuservalue(L, 1, SUBSCRIPTION) == LUA_TUSERDATA) {
        lnats_sub *sub = lua_touserdata(L, -1);
        lnats_wait wait;
        lnats_wait_start(L, &wait, 0);
        nats_sub_unsubscribe(sub->sub, 0);
        lua_pushvalue(L, list);
        collect(L, sub, FETCH_MAX, &wait, &count);
        lua_pushnil(L);
        hold_sub(L);
        lnats_sub_release(sub);
    }
    lua_settop(L, count > 0 ? list : list - 1);
    if (count > 0) {
        give_kept(L, max);
    }
    return count > 0;
}

/* How many of what is left a fetch gives. max, or nil, is at 2, and the options are at 3. */
static size_t most_of_left(lua_State *L, size_t max)
{
    bool one = lua_isnil(L, 2);
    if (one && lua_istable(L, 3)) {
        one = lua_getfield(L, 3, "max_bytes") == LUA_TNIL;
        lua_pop(L, 1);
    }
    return one ? 1 : max;
}

static int fetch(lua_State *L, size_t max)
{
    int why = push_why(L);
    if (why > 0) {
        return why;
    }
    if (push_left(L, most_of_left(L, max))) {
        return 1;
    }
    int started = fetch_start(L);
    if (started != 2) {
        return started;
    }
    int index = lua_gettop(L) - 1;
    lnats_sub *sub = lua_touserdata(L, index);
    lua_pushvalue(L, index);
    hold_sub(L);
    int results = lnats_future_finish(L);
    if (results != 1) {
        lua_pushnil(L);
        hold_sub(L);
        return results;
    }
    lnats_wait wait;
    size_t count;
    lnats_wait_start(L, &wait, -1); /* it knows its own time */
    push_kept(L);
    nats_status status = collect(L, sub, max, &wait, &count);
    lua_pushnil(L);
    hold_sub(L);
    lnats_sub_release(sub);
    give_kept(L, max);
    return push_collected(L, status, count);
}

/* The ordered consumer's own subscription, on the stack; or nil and why, whose number is returned. */
static int push_ordered_sub(lua_State *L)
{
    int why = push_why(L);
    if (why > 0) {
        return why;
    }
    if (lua_getiuservalue(L, 1, SUBSCRIPTION) != LUA_TNIL) {
        return 1;
    }
    int none = lua_gettop(L);
    push_options(L, none, "private");
    nats_status status = begin(L, "ordered", none, -1);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    int sub = lua_gettop(L) - 1;
    int results = lnats_future_finish(L);
    if (results == 1) {
        lua_settop(L, sub);
        lua_pushvalue(L, sub);
        lua_setiuservalue(L, 1, SUBSCRIPTION);
    }
    return results;
}

/* Its name changes when it is made anew: the message at the top of the stack has it. */
static void note_name(lua_State *L)
{
    int msg = lua_gettop(L);
    if (!lua_isnil(L, msg) && lua_getfield(L, msg, "metadata") == LUA_TTABLE) {
        lua_getfield(L, -1, "consumer");
        lua_setiuservalue(L, 1, NAME);
    }
    lua_settop(L, msg);
}

static int fetch_ordered(lua_State *L, size_t max)
{
    static const char *const names[] = {"wait", "no_wait", NULL};
    int64_t ms = ORDERED_WAIT_MS;
    if (lnats_table(L, 3, "fetch", names)) {
        ms = lnats_table_seconds(L, 3, "wait", ms);
        ms = lnats_table_bool(L, 3, "no_wait") ? 0 : ms;
    }
    int results = push_ordered_sub(L);
    if (results != 1) {
        return results;
    }
    lnats_sub *sub = lnats_check(L, lua_gettop(L), &lnats_sub_kind);
    lnats_wait wait;
    size_t count;
    lnats_wait_start(L, &wait, ms);
    push_kept(L);
    nats_status status = collect(L, sub, max, &wait, &count);
    if (count > 0 && status != NATS_OK && status != NATS_ERR_CLOSED) {
        keep_why(L, status);
    }
    give_kept(L, max);
    if (count == 0) {
        return status == NATS_OK ? 1 : lnats_fail(L, status);
    }
    lua_rawgeti(L, -1, (lua_Integer)lua_rawlen(L, -1));
    note_name(L);
    lua_pop(L, 1);
    return 1;
}

/* The options at arg (a table, seconds to wait, or nil) become a table or nil. */
static void settle_options(lua_State *L, int arg, const char *verb)
{
    if (lua_type(L, arg) == LUA_TNUMBER) {
        lnats_seconds(L, arg, "wait", -1);
        lua_newtable(L);
        lua_pushvalue(L, arg);
        lua_setfield(L, -2, "wait");
        lua_replace(L, arg);
    }
    if (lua_isnil(L, arg)) {
        return;
    }
    luaL_checktype(L, arg, LUA_TTABLE);
    if (lua_getfield(L, arg, "timeout") != LUA_TNIL) {
        luaL_error(L, "%s: unknown option 'timeout' (the nearest is 'wait')", verb);
    }
    lua_pop(L, 1);
    lnats_table_seconds(L, arg, "wait", -1);
}

/* fetch(max, options), fetch(max, wait), fetch { max = …, wait = … }: max, or nil, at 2, and the options at
 * 3. How many that is at most. */
static size_t fetch_arguments(lua_State *L)
{
    lua_settop(L, 3);
    if (lua_istable(L, 2)) {
        luaL_argcheck(L, lua_isnil(L, 3), 3, "the options are the first argument already");
        lua_copy(L, 2, 3);
        lua_newtable(L);
        for (lua_pushnil(L); lua_next(L, 3) != 0;) {
            lua_pushvalue(L, -2);
            lua_insert(L, -2);
            lua_settable(L, -4);
        }
        lua_replace(L, 3);
        lua_getfield(L, 3, "max");
        lua_replace(L, 2);
        lua_pushnil(L);
        lua_setfield(L, 3, "max");
    }
    settle_options(L, 3, "fetch");
    if (lua_isnil(L, 2)) {
        return FETCH_MAX; /* one, or what max_bytes has room for */
    }
    lua_Integer max = luaL_checkinteger(L, 2);
    luaL_argcheck(L, max >= 1, 2, "must be 1 or more");
    return (size_t)max;
}

static int consumer_fetch(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    size_t max = fetch_arguments(L);
    if (consumer->ordered) {
        return fetch_ordered(L, lua_isnil(L, 2) ? ORDERED_MAX : max);
    }
    return fetch(L, max);
}

static int consumer_fetch_start(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    fetch_arguments(L);
    luaL_argcheck(L, !consumer->ordered, 1, "an ordered consumer has consume_start");
    return fetch_start(L);
}

/* consumer:next([wait]), next { wait = … }: fetch(1), and its message or nil. */
static int consumer_next(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    lua_settop(L, 2);
    settle_options(L, 2, "next");
    lua_pushinteger(L, 1);
    lua_insert(L, 2);
    int results = consumer->ordered ? fetch_ordered(L, 1) : fetch(L, 1);
    if (results == 1) {
        lua_rawgeti(L, -1, 1);
    }
    return results;
}

/* Upvalues: 1 the consumer, 2 the iterator over its subscription. */
static int next_of_ordered(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(1));
    if (push_kept(L) > 0) {
        give_kept(L, 1);
        lua_rawgeti(L, 2, 1);
    } else {
        lua_pushvalue(L, lua_upvalueindex(2));
        lua_call(L, 0, 1);
    }
    note_name(L);
    return 1;
}

/* ordered:messages([timeout]): an iterator over its own subscription, from which fetch and next take too. */
static int consumer_messages(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    if (!consumer->ordered) {
        return luaL_error(L, "messages: an ordered consumer has it; of others consume() does");
    }
    lua_settop(L, 2);
    int results = push_ordered_sub(L);
    if (results != 1) {
        lua_settop(L, lua_gettop(L) - results + 2);
        return lua_error(L); /* an iterator has no other way to say so */
    }
    lua_getfield(L, -1, "messages");
    lua_insert(L, -2);
    lua_pushvalue(L, 2);
    int before = lua_gettop(L) - 3;
    lua_call(L, 2, LUA_MULTRET);
    if (!lua_isfunction(L, before + 1)) {
        return lua_gettop(L) - before;
    }
    lua_pushvalue(L, 1);
    lua_pushvalue(L, before + 1);
    lua_pushcclosure(L, next_of_ordered, 2);
    return 1;
}

/* ordered:close(): ends what fetch, next and messages take from; the next of them begins anew. */
static int consumer_close(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    if (!consumer->ordered) {
        return luaL_error(L, "close: an ordered consumer has it; another stays until delete()");
    }
    lua_settop(L, 1);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, WHY);
    lua_pushnil(L);
    lua_setiuservalue(L, 1, KEPT);
    if (lua_getiuservalue(L, 1, SUBSCRIPTION) != LUA_TNIL) {
        lua_pushnil(L);
        lua_setiuservalue(L, 1, SUBSCRIPTION);
        lua_getfield(L, -1, "unsubscribe");
        lua_insert(L, -2);
        lua_call(L, 1, 0);
    }
    lua_pushboolean(L, 1);
    return 1;
}

/* local ordered <close>: only an ordered one has what is to be closed. */
static int consumer_leave(lua_State *L)
{
    return check_consumer(L)->ordered ? consumer_close(L) : 0;
}

/* ---- what it knows ---- */

/* An ordered one is made by it, if by nothing before. */
static int consumer_info(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    lua_settop(L, 2);
    int results = consumer->ordered ? push_ordered_sub(L) : 1;
    if (results != 1) {
        return results;
    }
    lua_settop(L, 2);
    return ask_info(L);
}

static int consumer_info_start(lua_State *L)
{
    check_consumer(L);
    lua_settop(L, 2);
    return start_info(L);
}

static int consumer_tostring(lua_State *L)
{
    const lnats_consumer *consumer = check_consumer(L);
    lua_getiuservalue(L, 1, STREAM);
    lua_getiuservalue(L, 1, NAME);
    const char *name = lua_tostring(L, -1);
    lua_pushfstring(L, "%s %s", lua_tostring(L, -2), name != NULL ? name : "ordered");
    return lnats_tostring(L, &lnats_consumer_kind, consumer, lua_tostring(L, -1));
}

void lnats_consumer_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"fetch", consumer_fetch},
                                       {"fetch_start", consumer_fetch_start},
                                       {"next", consumer_next},
                                       {"messages", consumer_messages},
                                       {"iterate", consumer_messages},
                                       {"close", consumer_close},
                                       {"consume", consumer_consume},
                                       {"consume_start", consumer_consume_start},
                                       {"info", consumer_info},
                                       {"info_start", consumer_info_start},
                                       {NULL, NULL}};
    static const lnats_verb verbs[] = {
        {"delete", "delete_consumer", "", lnats_give_true},
        {"pause", "pause_consumer", "pause_until", lnats_give_table},
        {"resume", "resume_consumer", "", lnats_give_table},
        {"reset", "reset_consumer", "seq?", lnats_give_table},
        {"unpin", "unpin_consumer", "group", lnats_give_true},
        {"leader_stepdown", "consumer_leader_stepdown", "", lnats_give_true},
        {NULL, NULL, NULL, NULL},
    };
    static const lnats_noun_field fields[] = {
        {"name", NAME}, {"stream", STREAM}, {"cached_info", INFO}, {"config", 0}, {NULL, 0}};
    static const luaL_Reg meta[] = {
        {"__tostring", consumer_tostring}, {"__close", consumer_leave}, {NULL, NULL}};
    lnats_type(L, &lnats_consumer_kind, methods, meta);
    lua_getfield(L, -1, "__index");
    lnats_verbs_set(L, &lnats_consumer_kind, verbs);
    lua_pop(L, 1);
    lnats_noun_fields(L, fields);
    lua_pop(L, 1);
}
