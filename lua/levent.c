/* Events: plain tables with their facts. */
#include "lnats.h"

static void set_text(lua_State *L, const char *name, const char *text)
{
    if (text[0] == '\0') {
        return;
    }
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_count(lua_State *L, const char *name, uint64_t count)
{
    lua_pushinteger(L, (lua_Integer)count);
    lua_setfield(L, -2, name);
}

static bool ends_connection(const nats_event *event)
{
    int32_t type = nats_event_type(event);
    return type == NATS_EVENT_DISCONNECTED || type == NATS_EVENT_CLOSED;
}

static void push_event(lua_State *L, const nats_event *event)
{
    lua_createtable(L, 0, 8);
    set_text(L, "type", nats_event_name(event));
    lua_pushstring(L, nats_event_text(event));
    lua_setfield(L, -2, "text");
    lua_pushnumber(L, (lua_Number)nats_event_time_ns(event) / 1e9);
    lua_setfield(L, -2, "time");
    set_text(L, "level", nats_level_name(nats_event_level(event)));
    set_text(L, "line", nats_event_line(event));
    set_text(L, "url", nats_event_url(event));
    set_text(L, "subject", nats_event_subject(event));
    if (nats_event_status(event) != NATS_OK) {
        set_text(L, "status", nats_status_name(nats_event_status(event)));
    }
    if (nats_event_sid(event) != 0) {
        set_count(L, "sid", nats_event_sid(event));
    }
    if (nats_event_kind(event) != NATS_KIND_NONE) {
        set_text(L, "kind", nats_kind_name(nats_event_kind(event)));
    }
    if (nats_event_type(event) == NATS_EVENT_ERROR) {
        lua_pushboolean(L, nats_event_recoverable(event));
        lua_setfield(L, -2, "recoverable");
    }
    if (ends_connection(event) || nats_event_lost(event) != 0) {
        set_count(L, "lost", nats_event_lost(event));
    }
    if (ends_connection(event)) {
        set_count(L, "unconfirmed", nats_event_unconfirmed(event));
    }
    luaL_setmetatable(L, LNATS_EVENT_NAME);
}

static void release_event(void *event)
{
    nats_event_free(event);
}

nats_status lnats_event_take(lua_State *L, lnats_client *client, lnats_wait *wait)
{
    void **box = lnats_box(L, release_event);
    int index = lua_gettop(L);
    nats_event *event = NULL;
    nats_status status;
    do {
        status = nats_client_next_event(client->client, wait->ms, &event);
    } while (lnats_wait_again(L, wait, status));
    *box = event;
    if (status == NATS_OK && event != NULL) {
        push_event(L, event);
    } else {
        lua_pushnil(L);
    }
    lnats_box_drop(L, index);
    lua_remove(L, index);
    return status;
}

int lnats_client_next_event(lua_State *L)
{
    lnats_client *client = lnats_client_check(L, 1);
    lnats_wait wait;
    lnats_wait_start(L, &wait, lnats_seconds(L, 2, "wait", -1));
    nats_status status = lnats_event_take(L, client, &wait);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int event_tostring(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "type");
    lua_getfield(L, 1, "text");
    const char *type = lua_tostring(L, -2);
    const char *text = lua_tostring(L, -1);
    lua_pushfstring(L, "nats.event: %s%s%s", type != NULL ? type : "?",
                    text != NULL && text[0] != '\0' ? ": " : "", text != NULL ? text : "");
    return 1;
}

void lnats_event_open(lua_State *L)
{
    luaL_newmetatable(L, LNATS_EVENT_NAME);
    lua_pushcfunction(L, event_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pop(L, 1);
}
