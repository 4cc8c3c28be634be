/* Requests. A request waits as a future, so that a signal's hook can run while it does and
 * nothing is lost. */
#include "lnats.h"

const lnats_kind lnats_future_kind = {"nats.future", sizeof(lnats_future)};

typedef struct request_args {
    const char *subject;
    size_t subject_len;
    const char *data;
    size_t data_len;
    nats_headers *headers; /* in the box at the index 5, or NULL */
    int64_t timeout_ms;
    int64_t stall_ms;
    int64_t max;
    bool sentinel;
} request_args;

/* client, subject, data, options at 1 to 4; leaves the headers' box, or nil, at 5. */
static nats_status check_request(lua_State *L, const char *verb, const char *const *names,
                                 request_args *args)
{
    nats_status status = NATS_OK;
    args->subject = luaL_checklstring(L, 2, &args->subject_len);
    args->data = luaL_optlstring(L, 3, "", &args->data_len);
    args->headers = NULL;
    args->timeout_ms = -1;
    lua_settop(L, 4);
    if (lnats_table(L, 4, verb, names)) {
        args->timeout_ms = lnats_table_seconds(L, 4, "timeout", -1);
        args->headers = lnats_headers_push(L, 4, &status);
    } else {
        lua_pushnil(L);
    }
    return status;
}

lnats_future *lnats_future_push(lua_State *L, int client)
{
    lnats_future *future = lnats_new(L, &lnats_future_kind, 2);
    lua_pushvalue(L, client);
    lua_setiuservalue(L, -2, 1);
    lnats_batch_room(L, &future->batch, 1);
    return future;
}

static void release(lnats_future *future)
{
    lnats_batch_free(&future->batch);
    nats_future *handle = future->future;
    future->future = NULL;
    nats_future_free(handle);
}

/* No reply: true at the end of what gives none; nil at the end of replies, or before it. */
static int push_end(lua_State *L, const lnats_future *future, int client)
{
    bool reached = future->goal && nats_future_done(future->future) != 0;
    if (reached && future->drains) {
        lnats_client_drained(L, client);
    }
    if (reached) {
        lua_pushboolean(L, 1);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static void release_msg(void *msg)
{
    nats_msg_free(msg);
}

/* What a verb of JetStream gives for the reply in the batch. */
static int give_answer(lua_State *L, lnats_future *future, int index)
{
    void **box = lnats_box(L, release_msg);
    int held = lua_gettop(L);
    nats_msg *msg = lnats_batch_take(&future->batch);
    if (msg == NULL) {
        lua_pushnil(L);
        return 1;
    }
    *box = msg;
    lua_getiuservalue(L, index, 2);
    int results = future->give(L, msg, held + 1);
    lnats_box_drop(L, held);
    return results;
}

/* The reply that came, on the stack; client, index: where the client is, and the future. */
static int push_reply(lua_State *L, lnats_future *future, nats_msg *msg, int client, int index)
{
    if (msg == NULL) {
        return push_end(L, future, client);
    }
    lnats_batch_put(&future->batch, msg);
    if (future->give != NULL) {
        return give_answer(L, future, index);
    }
    if (!lnats_batch_push(L, &future->batch, lua_upvalueindex(1), client)) {
        lua_pushnil(L);
    }
    return 1;
}

static int fail(lua_State *L, const lnats_future *future, nats_status status)
{
    int results = lnats_fail(L, status);
    if (future->acks != NULL && nats_future_done(future->future) != 0) {
        *future->acks = NATS_ACK_STATE_OPEN;
    }
    return results;
}

int lnats_future_next(lua_State *L)
{
    int index = lua_gettop(L);
    lnats_future *future = lnats_check(L, index, &lnats_future_kind);
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1); /* the future knows its own time */
    nats_msg *msg = NULL;
    nats_status status;
    do {
        status = nats_future_wait(future->future, -1, &msg);
    } while (lnats_wait_again(L, &wait, status));
    if (status != NATS_OK) {
        return fail(L, future, status);
    }
    lua_getiuservalue(L, index, 1);
    return push_reply(L, future, msg, index + 1, index);
}

int lnats_future_finish(lua_State *L)
{
    lnats_future *future = lua_touserdata(L, -1);
    int results = lnats_future_next(L);
    release(future);
    return results;
}

static nats_status start_one(lua_State *L, const char *verb, lnats_future **future_out)
{
    static const char *const names[] = {"timeout", "headers", NULL};
    nats_client *client = lnats_client_check(L, 1)->client;
    request_args args;
    nats_status status = check_request(L, verb, names, &args);
    if (status != NATS_OK) {
        return status;
    }
    lnats_future *future = lnats_future_push(L, 1);
    *future_out = future;
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    do {
        status = nats_client_request_start(client, args.subject, args.subject_len, args.headers,
                                           args.data, args.data_len, args.timeout_ms,
                                           &future->future);
    } while (lnats_wait_again(L, &wait, status));
    lnats_box_drop(L, 5);
    return status;
}

/* ---- the client's verbs ---- */

int lnats_client_request_start(lua_State *L)
{
    lnats_future *future;
    nats_status status = start_one(L, "request_start", &future);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

int lnats_client_request(lua_State *L)
{
    lnats_future *future;
    nats_status status = start_one(L, "request", &future);
    return status == NATS_OK ? lnats_future_finish(L) : lnats_fail(L, status);
}

/* Replies to the list at the top of the stack, until there are no more. */
static nats_status collect(lua_State *L, lnats_future *future)
{
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    for (lua_Integer count = 0;;) {
        nats_msg *msg = NULL;
        nats_status status = nats_future_wait(future->future, -1, &msg);
        if (lnats_wait_again(L, &wait, status)) {
            continue;
        }
        if (status != NATS_OK || msg == NULL) {
            return status;
        }
        push_reply(L, future, msg, 1, 0);
        count++;
        lua_rawseti(L, -2, count);
    }
}

int lnats_client_request_many(lua_State *L)
{
    static const char *const names[] = {"max",      "stall",   "timeout",
                                        "sentinel", "headers", NULL};
    nats_client *client = lnats_client_check(L, 1)->client;
    request_args args;
    nats_status status = check_request(L, "request_many", names, &args);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    bool given = !lua_isnil(L, 4);
    args.max = given ? lnats_table_int(L, 4, "max", 0, 0) : 0;
    args.stall_ms = given ? lnats_table_seconds(L, 4, "stall", 0) : 0;
    args.sentinel = given && lnats_table_bool(L, 4, "sentinel");
    lnats_future *future = lnats_future_push(L, 1);
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    do {
        status = nats_client_request_many(client, args.subject, args.subject_len, args.headers,
                                          args.data, args.data_len, (size_t)args.max,
                                          args.stall_ms < 0 ? 0 : args.stall_ms, args.timeout_ms,
                                          args.sentinel ? 1 : 0, &future->future);
    } while (lnats_wait_again(L, &wait, status));
    lnats_box_drop(L, 5);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_newtable(L);
    status = collect(L, future);
    int results = status == NATS_OK ? 1 : lnats_fail(L, status);
    release(future);
    return results;
}

/* ---- the future's verbs ---- */

static lnats_future *check_future(lua_State *L)
{
    lnats_future *future = lnats_check(L, 1, &lnats_future_kind);
    if (future->future == NULL) {
        luaL_error(L, "the future was collected");
    }
    return future;
}

static int future_poll(lua_State *L)
{
    lnats_future *future = check_future(L);
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    nats_msg *msg = NULL;
    int32_t done = 0;
    nats_status status = nats_future_poll(future->future, &msg, &done);
    if (status != NATS_OK) {
        return fail(L, future, status);
    }
    return push_reply(L, future, msg, 2, 1);
}

static int future_wait(lua_State *L)
{
    lnats_future *future = check_future(L);
    lnats_wait wait;
    lnats_wait_start(L, &wait, lnats_seconds(L, 2, "timeout", -1));
    lua_settop(L, 1);
    lua_getiuservalue(L, 1, 1);
    nats_msg *msg = NULL;
    nats_status status;
    do {
        status = nats_future_wait(future->future, wait.ms, &msg);
    } while (lnats_wait_again(L, &wait, status));
    return status == NATS_OK ? push_reply(L, future, msg, 2, 1) : fail(L, future, status);
}

static int future_done(lua_State *L)
{
    lua_pushboolean(L, nats_future_done(check_future(L)->future));
    return 1;
}

static int future_cancel(lua_State *L)
{
    nats_future_cancel(check_future(L)->future);
    return 0;
}

static int future_close(lua_State *L)
{
    lnats_future *future = lnats_check(L, 1, &lnats_future_kind);
    if (future->future != NULL) {
        nats_future_cancel(future->future);
    }
    return 0;
}

static int future_gc(lua_State *L)
{
    lnats_future *future = lnats_test(L, 1, &lnats_future_kind);
    if (future != NULL) {
        release(future);
    }
    return 0;
}

static int future_tostring(lua_State *L)
{
    lnats_future *future = lnats_check(L, 1, &lnats_future_kind);
    bool open = future->future != NULL && nats_future_done(future->future) == 0;
    return lnats_tostring(L, &lnats_future_kind, future, open ? "open" : "done");
}

void lnats_future_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"poll", future_poll},
                                       {"wait", future_wait},
                                       {"done", future_done},
                                       {"cancel", future_cancel},
                                       {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", future_gc},
                                    {"__close", future_close},
                                    {"__tostring", future_tostring},
                                    {NULL, NULL}};
    lnats_type(L, &lnats_future_kind, methods, meta);
    lua_pop(L, 1);
}
