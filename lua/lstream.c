/* A stream: its name, what was told of it last, and the verbs. */
#include "lnats.h"

#include <string.h>

const lnats_kind lnats_stream_kind = {"nats.stream", sizeof(lnats_stream)};

void lnats_stream_push(lua_State *L, int about, int info)
{
    int name = lua_gettop(L);
    lnats_new(L, &lnats_stream_kind, 3);
    lnats_js_push(L, about);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, name);
    lua_setiuservalue(L, -2, 2);
    if (info != 0) {
        lua_pushvalue(L, info);
        lua_setiuservalue(L, -2, 3);
    }
    lua_replace(L, name);
}

static void check_stream(lua_State *L)
{
    lnats_check(L, 1, &lnats_stream_kind);
}

/* ---- its consumers ---- */

/* stream:consumer(name): no round trip. */
static int stream_consumer(lua_State *L)
{
    check_stream(L);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lua_getiuservalue(L, 1, 2);
    lua_insert(L, 2);
    lnats_consumer_push(L, 1, 2, 0);
    return 1;
}

/* An ordered one is made when it is used. */
static int stream_ordered_consumer(lua_State *L)
{
    check_stream(L);
    lua_settop(L, 2);
    if (lua_isnil(L, 2)) {
        lua_newtable(L);
        lua_replace(L, 2);
    }
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getiuservalue(L, 1, 2);
    lnats_ordered_push(L, 1, 3, 2);
    return 1;
}

static void each_consumer(lua_State *L, int about)
{
    int info = lua_gettop(L);
    lua_getfield(L, info, "stream_name");
    lua_getfield(L, info, "name");
    lnats_consumer_push(L, about, info + 1, info);
}

static int stream_consumers(lua_State *L)
{
    static const lnats_listing listing = {"consumers", "consumers", each_consumer};
    check_stream(L);
    return lnats_pages_method(L, &listing);
}

static int stream_consumer_names(lua_State *L)
{
    static const lnats_listing listing = {"consumer_names", "consumers", NULL};
    check_stream(L);
    return lnats_pages_method(L, &listing);
}

/* ---- messages ---- */

/* Upvalues: 1 the message metatable, 2 the future. */
static int next_of_many(lua_State *L)
{
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(2));
    int results = lnats_future_next(L);
    if (results == 1) {
        return 1;
    }
    lua_settop(L, lua_gettop(L) - results + 2);
    return lua_error(L); /* an iterator has no other way to say so */
}

static int stream_get_many_start(lua_State *L)
{
    static const lnats_verb verb = {"get_many", "get_messages", "", NULL};
    check_stream(L);
    lua_settop(L, 2);
    int64_t timeout_ms = lnats_verb_arguments(L, &verb);
    nats_status status = lnats_verb_start(L, verb.verb, lua_gettop(L), timeout_ms, NULL);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int stream_get_many(lua_State *L)
{
    int results = stream_get_many_start(L);
    if (results != 1) {
        lua_settop(L, lua_gettop(L) - results + 2);
        return lua_error(L);
    }
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, -2);
    lua_pushcclosure(L, next_of_many, 2);
    return 1;
}

static int give_purged(lua_State *L, nats_msg *msg, int about)
{
    int results = lnats_give_table(L, msg, about);
    if (results == 1) {
        lua_getfield(L, -1, "purged");
    }
    return results;
}

/* stream:delete_message(seq [, { erase =, timeout = }]): erase, unless told not to. Returns the time. */
static int64_t delete_arguments(lua_State *L)
{
    static const char *const names[] = {"erase", "timeout", NULL};
    static const lnats_verb verb = {"delete_message", "delete_message", "seq", NULL};
    check_stream(L);
    lua_settop(L, 3);
    bool kept = false;
    int64_t timeout_ms = -1;
    if (lnats_table(L, 3, verb.name, names)) {
        timeout_ms = lnats_table_seconds(L, 3, "timeout", -1);
        lua_getfield(L, 3, "erase");
        kept = lua_isboolean(L, -1) && !lua_toboolean(L, -1);
    }
    lua_settop(L, 2);
    lnats_verb_arguments(L, &verb);
    if (kept) {
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, "no_erase");
    }
    return timeout_ms;
}

static int stream_delete_message_start(lua_State *L)
{
    int64_t timeout_ms = delete_arguments(L);
    nats_status status =
        lnats_verb_start(L, "delete_message", lua_gettop(L), timeout_ms, lnats_give_true);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int stream_delete_message(lua_State *L)
{
    int results = stream_delete_message_start(L);
    return results == 1 ? lnats_future_finish(L) : results;
}

/* ---- what it knows ---- */

static int ask_info(lua_State *L, lua_Integer offset, lnats_give *give)
{
    static const lnats_verb verb = {"info", "stream_info", "", lnats_give_info};
    int64_t timeout_ms = lnats_verb_arguments(L, &verb);
    if (offset > 0) {
        lua_pushinteger(L, offset);
        lua_setfield(L, -2, "offset");
    }
    nats_status status = lnats_verb_start(L, verb.verb, lua_gettop(L), timeout_ms, give);
    return status == NATS_OK ? lnats_future_finish(L) : lnats_fail(L, status);
}

/* state.subjects of the info, on the stack. */
static bool push_subjects(lua_State *L, int info)
{
    return lua_getfield(L, info, "state") == LUA_TTABLE &&
           lua_getfield(L, -1, "subjects") == LUA_TTABLE;
}

static lua_Integer count_keys(lua_State *L, int table)
{
    lua_Integer count = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        count++;
    }
    return count;
}

/* What the page at the top of the stack has, to the subjects. */
static void add_subjects(lua_State *L, int subjects)
{
    if (!push_subjects(L, lua_gettop(L))) {
        return;
    }
    int page = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, page) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, subjects);
    }
}

/* Subjects come in pages; who names an offset wants that one. */
static int stream_info(lua_State *L)
{
    check_stream(L);
    lua_settop(L, 2);
    bool one = lua_istable(L, 2) && lua_getfield(L, 2, "offset") != LUA_TNIL;
    lua_settop(L, 2);
    int results = ask_info(L, 0, lnats_give_info);
    int info = lua_gettop(L);
    if (results != 1 || one || !push_subjects(L, info)) {
        lua_settop(L, info);
        return results;
    }
    int subjects = lua_gettop(L);
    lua_getfield(L, info, "total");
    lua_Integer total = lua_tointeger(L, -1);
    lua_Integer count = count_keys(L, subjects);
    for (lua_Integer before = 0; count < total && count > before;) {
        results = ask_info(L, count, lnats_give_table);
        if (results != 1) {
            return results;
        }
        add_subjects(L, subjects);
        before = count;
        count = count_keys(L, subjects);
        lua_settop(L, subjects);
    }
    lua_settop(L, info);
    return 1;
}

static int stream_tostring(lua_State *L)
{
    check_stream(L);
    lua_getiuservalue(L, 1, 2);
    return lnats_tostring(L, &lnats_stream_kind, lua_touserdata(L, 1), lua_tostring(L, -1));
}

void lnats_stream_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"consumer", stream_consumer},
                                       {"ordered_consumer", stream_ordered_consumer},
                                       {"consumers", stream_consumers},
                                       {"consumer_names", stream_consumer_names},
                                       {"get_many", stream_get_many},
                                       {"get_many_start", stream_get_many_start},
                                       {"delete_message", stream_delete_message},
                                       {"delete_message_start", stream_delete_message_start},
                                       {NULL, NULL}};
    static const lnats_verb verbs[] = {
        {"info", "stream_info", "", lnats_give_info},
        {"update", "change_stream", "config=", lnats_give_info},
        {"delete", "delete_stream", "", lnats_give_true},
        {"purge", "purge_stream", "", give_purged},
        {"seal", "seal_stream", "", lnats_give_self},
        {"get", "get_message", "seq", NULL},
        {"get_last", "get_message", "last_by_subj", NULL},
        {"get_next", "get_message", "next_by_subj seq?", NULL},
        {"create_consumer", "create_consumer", "config=?", lnats_give_consumer},
        {"update_consumer", "update_consumer", "config=", lnats_give_consumer},
        {"create_or_update_consumer", "create_or_update_consumer", "config=", lnats_give_consumer},
        {"get_or_create_consumer", "get_or_create_consumer", "config=", lnats_give_consumer},
        {"delete_consumer", "delete_consumer", "consumer", lnats_give_true},
        {"leader_stepdown", "stream_leader_stepdown", "", lnats_give_true},
        {"peer_remove", "stream_peer_remove", "peer", lnats_give_true},
        {NULL, NULL, NULL, NULL},
    };
    static const lnats_noun_field fields[] = {
        {"name", 2}, {"cached_info", 3}, {"config", 0}, {NULL, 0}};
    static const luaL_Reg meta[] = {{"__tostring", stream_tostring}, {NULL, NULL}};
    lnats_type(L, &lnats_stream_kind, methods, meta);
    lua_getfield(L, -1, "__index");
    lnats_verbs_set(L, &lnats_stream_kind, verbs);
    luaL_getmetatable(L, lnats_msg_kind.name);
    lua_pushcclosure(L, stream_info, 1);
    lua_setfield(L, -2, "info"); /* in the place of the verb's, which is for one page */
    lua_pop(L, 1);
    lnats_noun_fields(L, fields);
    lua_pop(L, 1);
}
