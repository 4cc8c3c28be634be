/* Acknowledging messages of JetStream. A message here is a copy, which knows whether it was
 * acknowledged; what is sent, the library knows. */
#include "lnats.h"

/* What every verb begins with: the client of the message at 1, or NULL with nil and why pushed. */
static nats_client *check_open(lua_State *L, lnats_acked *acked)
{
    lnats_msg_acked(L, 1, acked);
    if (*acked->acks == NATS_ACK_STATE_NONE) {
        lnats_fail_text(L, NATS_ERR_INVALID,
                        "the message was not delivered by a consumer of JetStream", "msg");
        return NULL;
    }
    if (*acked->acks == NATS_ACK_STATE_DONE) {
        lnats_fail_text(L, NATS_ERR_INVALID, "the message was acknowledged already", "msg");
        return NULL;
    }
    lua_getiuservalue(L, 1, 1);
    return lnats_client_check(L, lua_gettop(L))->client;
}

static nats_status send(lua_State *L, nats_client *client, const lnats_acked *acked, int32_t how,
                        int64_t delay_ms, const char *reason, size_t reason_len)
{
    if (*acked->acks == NATS_ACK_STATE_UNWANTED) {
        return NATS_OK; /* its consumer's ack_policy is none */
    }
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_status status;
    do {
        status = nats_client_ack_reply(client, acked->reply, acked->reply_len, how, delay_ms,
                                       reason, reason_len);
    } while (lnats_wait_again(L, &wait, status));
    if (status == NATS_OK && how != NATS_IN_PROGRESS) {
        *acked->acks = NATS_ACK_STATE_DONE;
    }
    return status;
}

static int tell(lua_State *L, int32_t how, int64_t delay_ms, const char *reason, size_t reason_len)
{
    lnats_acked acked;
    nats_client *client = check_open(L, &acked);
    if (client == NULL) {
        return 4;
    }
    return lnats_done(L, send(L, client, &acked, how, delay_ms, reason, reason_len));
}

static int msg_ack(lua_State *L)
{
    return tell(L, NATS_ACK, 0, NULL, 0);
}

static int msg_nak(lua_State *L)
{
    return tell(L, NATS_NAK, lnats_seconds(L, 2, "delay", 0), NULL, 0);
}

static int msg_in_progress(lua_State *L)
{
    return tell(L, NATS_IN_PROGRESS, 0, NULL, 0);
}

static int msg_term(lua_State *L)
{
    static const char *const names[] = {"reason", NULL};
    size_t len = 0;
    if (lua_istable(L, 2) && lnats_table(L, 2, "term", names)) {
        lua_getfield(L, 2, "reason");
        lua_replace(L, 2);
    }
    const char *reason = luaL_optlstring(L, 2, NULL, &len);
    return tell(L, NATS_TERM, 0, reason, len);
}

/* ---- double ack ---- */

/* After a failure it may be called again. */
static int msg_ack_sync_start(lua_State *L)
{
    lnats_acked acked;
    int64_t ms = lnats_seconds(L, 2, "timeout", -1);
    nats_client *client = check_open(L, &acked);
    if (client == NULL) {
        return 4;
    }
    if (*acked.acks == NATS_ACK_STATE_UNWANTED) {
        return lnats_fail_text(L, NATS_ERR_INVALID,
                               "the message's consumer takes no acks: its ack_policy is none",
                               "msg");
    }
    lnats_future *future = lnats_future_push(L, lua_gettop(L));
    future->give = lnats_give_true;
    future->acks = acked.acks;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_status status;
    do {
        status = nats_client_ack_reply_start(client, acked.reply, acked.reply_len, ms,
                                             &future->future);
    } while (lnats_wait_again(L, &wait, status));
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    *acked.acks = NATS_ACK_STATE_DONE;
    return 1;
}

static int msg_ack_sync(lua_State *L)
{
    int results = msg_ack_sync_start(L);
    return results == 1 ? lnats_future_finish(L) : results;
}

void lnats_acks_set(lua_State *L)
{
    static const luaL_Reg methods[] = {{"ack", msg_ack},
                                       {"ack_sync", msg_ack_sync},
                                       {"ack_sync_start", msg_ack_sync_start},
                                       {"nak", msg_nak},
                                       {"in_progress", msg_in_progress},
                                       {"term", msg_term},
                                       {NULL, NULL}};
    luaL_setfuncs(L, methods, 0);
}

/* ---- many ---- */

/* Through this client; what is none of JetStream's, or was acknowledged, is passed over. */
int lnats_client_ack_many(lua_State *L)
{
    nats_client *client = lnats_client_check(L, 1)->client;
    luaL_checktype(L, 2, LUA_TTABLE);
    size_t count = lua_rawlen(L, 2);
    lua_Integer acked_count = 0;
    for (size_t i = 1; i <= count; i++) {
        lnats_acked acked;
        lua_rawgeti(L, 2, (lua_Integer)i);
        lnats_msg_acked(L, lua_gettop(L), &acked);
        if (*acked.acks == NATS_ACK_STATE_OPEN) {
            nats_status status = send(L, client, &acked, NATS_ACK, 0, NULL, 0);
            if (status != NATS_OK) {
                return lnats_fail(L, status);
            }
            acked_count++;
        }
        lua_pop(L, 1);
    }
    lua_pushinteger(L, acked_count);
    return 1;
}
