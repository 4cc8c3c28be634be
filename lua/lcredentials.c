/* Functions that supply credentials. A call that waits is interrupted when a server wants them; it
 * calls the function, in its own thread, and goes on. */
#include "lnats.h"

/* In the registry: a table from clients, which it does not keep, to their functions. */
#define HOOKS "nats.credentials"
#define TEXTS 6

static const char *const names[] = {"user", "password",   "token",     "jwt",
                                    "seed", "public_key", "signature", NULL};

/* The table, on the stack. */
static void push_hooks(lua_State *L)
{
    if (luaL_getsubtable(L, LUA_REGISTRYINDEX, HOOKS)) {
        return;
    }
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

void lnats_credentials_set(lua_State *L, int client)
{
    push_hooks(L);
    lua_pushvalue(L, client);
    lua_pushvalue(L, -3);
    lua_rawset(L, -3);
    lua_pop(L, 2);
}

void lnats_credentials_get(lua_State *L, int client)
{
    push_hooks(L);
    lua_pushvalue(L, client);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

/* Answer with the table at index, or with nothing when it is nil. Leaves values on the stack. */
static nats_status give(lua_State *L, nats_client *client, int index)
{
    const char *texts[TEXTS] = {NULL};
    const char *signature = NULL;
    size_t len = 0;
    luaL_checkstack(L, TEXTS + LUA_MINSTACK, "credentials");
    if (lnats_table(L, index, "credentials", names)) {
        for (int i = 0; i < TEXTS; i++) {
            texts[i] = lnats_table_text(L, index, names[i], &len);
        }
        signature = lnats_table_text(L, index, names[TEXTS], &len);
    }
    return nats_client_credentials(client, texts[0], texts[1], texts[2], texts[3], texts[4],
                                   texts[5], signature, signature != NULL ? len : 0);
}

int lnats_client_credentials(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    return lnats_done(L, give(L, client, 2));
}

static void release_event(void *event)
{
    nats_event_free(event);
}

/* The function at the top: call it with the nonce and answer. Raises what it raises. */
static void ask(lua_State *L, lnats_client *client, const nats_event *event)
{
    lua_pushstring(L, nats_event_text(event));
    lua_call(L, 1, 1);
    if (client->client != NULL && give(L, client->client, lua_gettop(L)) != NATS_OK) {
        luaL_error(L, "credentials: %s", nats_last_error(NULL));
    }
}

/* arguments: the client, its function, the event's box */
static int ask_guarded(lua_State *L)
{
    void **box = lua_touserdata(L, 4);
    lua_settop(L, 2);
    ask(L, lnats_check(L, 1, &lnats_client_kind), *box);
    return 0;
}

void lnats_credentials_answer(lua_State *L, int index)
{
    int top = lua_gettop(L);
    lnats_client *client = lnats_check(L, index, &lnats_client_kind);
    lnats_credentials_get(L, index);
    if (lua_isnil(L, -1) || client->client == NULL) {
        lua_settop(L, top);
        return;
    }
    void **box = lnats_box(L, release_event);
    nats_event *event = NULL;
    nats_client_question(client->client, &event);
    *box = event;
    if (event != NULL) {
        lua_pushcfunction(L, ask_guarded);
        lua_pushvalue(L, index);
        lua_pushvalue(L, top + 1);
        lua_pushvalue(L, top + 2);
        lua_pushlightuserdata(L, box);
        if (lua_pcall(L, 4, 0, 0) != LUA_OK) {
            if (client->opening) {
                nats_client_close(client->client); /* nobody will have it */
            }
            lua_error(L);
        }
        lnats_box_drop(L, top + 2);
    }
    lua_settop(L, top);
}

void lnats_credentials_answer_all(lua_State *L)
{
    int top = lua_gettop(L);
    lua_Integer count = 0;
    luaL_checkstack(L, LUA_MINSTACK, "credentials");
    if (lua_getfield(L, LUA_REGISTRYINDEX, HOOKS) == LUA_TNIL) {
        lua_settop(L, top);
        return;
    }
    /* A list of them first, for functions change the table. */
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, top + 1) != 0;) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        count++;
        lua_rawseti(L, top + 2, count);
    }
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, top + 2, i);
        lnats_credentials_answer(L, lua_gettop(L));
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}
