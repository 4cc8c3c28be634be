/* An atomic batch (ADR-50): all of its messages are stored, or none. */
#include "lnats.h"

/* user values: 1 the client, 2 the jetstream */
typedef struct lnats_atomic {
    const lnats_kind *kind;
    nats_js_batch *batch; /* NULL once abandoned */
} lnats_atomic;

const lnats_kind lnats_atomic_kind = {"nats.batch", sizeof(lnats_atomic)};

int lnats_js_batch(lua_State *L)
{
    nats_js *js = lnats_js_check(L, 1)->js;
    lua_settop(L, 1);
    lnats_atomic *made = lnats_new(L, &lnats_atomic_kind, 2);
    lua_getiuservalue(L, 1, 1);
    lua_setiuservalue(L, -2, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    nats_status status = nats_js_batch_new(js, &made->batch);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

/* ---- add and commit ---- */

typedef nats_status lnats_batch_step(nats_js_batch *batch, const char *subject, size_t subject_len,
                                     const nats_headers *headers, const void *data,
                                     size_t data_len, int64_t timeout_ms, nats_future **future_out);

/* batch, subject, data, options at 1 to 4: a future on the stack, or nil and why. */
static int start(lua_State *L, const char *verb, lnats_batch_step *step, lnats_give *give)
{
    size_t subject_len = 0;
    size_t data_len;
    int64_t timeout_ms = -1;
    nats_status status;
    const lnats_atomic *batch = lnats_check(L, 1, &lnats_atomic_kind);
    const char *subject = lua_isnoneornil(L, 2) ? NULL : luaL_checklstring(L, 2, &subject_len);
    const char *data = luaL_optlstring(L, 3, "", &data_len);
    lua_settop(L, 4);
    if (batch->batch == NULL) {
        return lnats_fail_text(L, NATS_ERR_CLOSED, "the batch was abandoned", "batch");
    }
    nats_headers *headers = lnats_publish_options(L, 4, verb, &timeout_ms, &status);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_getiuservalue(L, 1, 1);
    lnats_future *future = lnats_future_push(L, 6);
    future->give = give;
    future->goal = give == lnats_give_true;
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    do {
        status = step(batch->batch, subject, subject_len, headers, data, data_len, timeout_ms,
                      &future->future);
    } while (lnats_wait_again(L, &wait, status));
    lnats_box_drop(L, 5);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int atomic_add_start(lua_State *L)
{
    luaL_checkstring(L, 2);
    return start(L, "add", nats_js_batch_add_start, lnats_give_true);
}

static int atomic_add(lua_State *L)
{
    int results = atomic_add_start(L);
    return results == 1 ? lnats_future_finish(L) : results;
}

/* Without a subject there is no last message: the batch is what was added (nats-server 2.14). */
static int atomic_commit_start(lua_State *L)
{
    return start(L, "commit", nats_js_batch_commit_start, lnats_give_ack);
}

static int atomic_commit(lua_State *L)
{
    int results = atomic_commit_start(L);
    return results == 1 ? lnats_future_finish(L) : results;
}

/* ---- the end ---- */

static int atomic_abandon(lua_State *L)
{
    lnats_atomic *batch = lnats_test(L, 1, &lnats_atomic_kind);
    if (batch != NULL) {
        nats_js_batch *handle = batch->batch;
        batch->batch = NULL;
        nats_js_batch_free(handle);
    }
    return 0;
}

static int atomic_tostring(lua_State *L)
{
    const lnats_atomic *batch = lnats_check(L, 1, &lnats_atomic_kind);
    return lnats_tostring(L, &lnats_atomic_kind, batch,
                          batch->batch != NULL ? "open" : "abandoned");
}

void lnats_atomic_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"add", atomic_add},
                                       {"add_start", atomic_add_start},
                                       {"commit", atomic_commit},
                                       {"commit_start", atomic_commit_start},
                                       {"abandon", atomic_abandon},
                                       {NULL, NULL}};
    static const luaL_Reg meta[] = {{"__gc", atomic_abandon},
                                    {"__close", atomic_abandon},
                                    {"__tostring", atomic_tostring},
                                    {NULL, NULL}};
    lnats_type(L, &lnats_atomic_kind, methods, meta);
    lua_pop(L, 1);
}
