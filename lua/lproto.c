/* The protocol without I/O: the script brings the socket, the loop and the clock.
 *
 * Times are seconds of any clock that never goes back; where `now` is left out, nats.now() is
 * meant. */
#include "lnats.h"

#include <stdio.h>
#include <string.h>

/* Random bytes for the seed when the script gives none. */
#define SEED_SIZE 32
/* The least that the library takes. */
#define SEED_MIN 16
/* Buffer for an inbox: a prefix of 512 bytes, the longest there is, and the unique rest. */
#define INBOX_SIZE 1024
/* Largest time in seconds that fits into ns. */
#define NOW_MAX 9e9

const lnats_kind lnats_proto_kind = {"nats.proto", sizeof(lnats_proto)};

static lnats_proto *check_proto(lua_State *L, int arg)
{
    lnats_proto *proto = lnats_check(L, arg, &lnats_proto_kind);
    if (proto->proto == NULL) {
        luaL_error(L, "the proto was collected");
    }
    return proto;
}

nats_proto *lnats_proto_handle(lua_State *L, int arg)
{
    return check_proto(L, arg)->proto;
}

static nats_proto *self(lua_State *L)
{
    return check_proto(L, 1)->proto;
}

static int64_t check_now(lua_State *L, int arg)
{
    if (lua_isnoneornil(L, arg)) {
        return lnats_now_ns();
    }
    lua_Number seconds = luaL_checknumber(L, arg);
    luaL_argcheck(L, seconds >= 0 && seconds <= NOW_MAX, arg,
                  "must be a time in seconds, 0 to 9e9");
    return (int64_t)(seconds * 1e9);
}

/* ---- life ---- */

static void random_seed(lua_State *L, unsigned char *seed)
{
    FILE *source = fopen("/dev/urandom", "rb");
    size_t got = source != NULL ? fread(seed, 1, SEED_SIZE, source) : 0;
    if (source != NULL) {
        fclose(source);
    }
    if (got != SEED_SIZE) {
        luaL_error(L, "proto: /dev/urandom cannot be read; give a seed");
    }
}

/* nats.proto(urls, options, seed) */
int lnats_proto_create(lua_State *L)
{
    unsigned char random[SEED_SIZE];
    lua_settop(L, 3);
    size_t seed_len = SEED_SIZE;
    const char *seed = luaL_optlstring(L, 3, NULL, &seed_len);
    if (seed == NULL) {
        random_seed(L, random);
        seed = (const char *)random;
        seed_len = SEED_SIZE;
    }
    luaL_argcheck(L, seed_len >= SEED_MIN, 3, "the seed must have 16 bytes or more");
    const char *urls = lnats_servers_push(L, 1);
    nats_options *options = lnats_options_push(L);
    nats_status status = lnats_options_fill(L, 2, options);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }

    lnats_proto *proto = lnats_new(L, &lnats_proto_kind, 0);
    lnats_batch_room(L, &proto->batch, 1);
    status = nats_proto_new(urls, options, seed, seed_len, &proto->proto);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int proto_close(lua_State *L)
{
    nats_proto_close(self(L));
    return 0;
}

static int proto_gc(lua_State *L)
{
    lnats_proto *proto = lnats_test(L, 1, &lnats_proto_kind);
    if (proto == NULL) {
        return 0;
    }
    lnats_batch_free(&proto->batch);
    nats_proto *handle = proto->proto;
    proto->proto = NULL;
    nats_proto_free(handle);
    return 0;
}

/* ---- the transport ---- */

static int proto_start(lua_State *L)
{
    return lnats_done(L, nats_proto_start(self(L), check_now(L, 2)));
}

static int proto_transport_up(lua_State *L)
{
    return lnats_done(L, nats_proto_transport_up(self(L), check_now(L, 2)));
}

static int proto_upgraded(lua_State *L)
{
    return lnats_done(L, nats_proto_upgraded(self(L), check_now(L, 2)));
}

static int proto_secured(lua_State *L)
{
    return lnats_done(L, nats_proto_secured(self(L), check_now(L, 2)));
}

/* A status by its name: "IO", "TLS", "TIMEOUT" … */
static nats_status check_code(lua_State *L, int arg)
{
    const char *code = luaL_checkstring(L, arg);
    for (nats_status status = NATS_ERR_TIMEOUT;; status--) {
        const char *name = nats_status_name(status);
        if (strcmp(name, code) == 0) {
            return status;
        }
        if (strcmp(name, "UNKNOWN") == 0) {
            break;
        }
    }
    luaL_argerror(L, arg, "must be the name of an error, such as 'IO'");
    return NATS_ERR_INVALID;
}

/* transport_failed(code, text, now) */
static int proto_transport_failed(lua_State *L)
{
    nats_proto *proto = self(L);
    nats_status code = check_code(L, 2);
    const char *text = luaL_optstring(L, 3, "");
    return lnats_done(L, nats_proto_transport_failed(proto, code, text, check_now(L, 4)));
}

/* expect_signature(yes) */
static int proto_expect_signature(lua_State *L)
{
    nats_proto *proto = self(L);
    luaL_checktype(L, 2, LUA_TBOOLEAN);
    nats_proto_expect_signature(proto, lua_toboolean(L, 2));
    return lnats_done(L, NATS_OK);
}

/* sign(signature, { public_key =, jwt = }, now) */
static int proto_sign(lua_State *L)
{
    static const char *const names[] = {"public_key", "jwt", NULL};
    nats_proto *proto = self(L);
    size_t len;
    size_t text_len;
    const char *signature = luaL_checklstring(L, 2, &len);
    int64_t now_ns = check_now(L, 4);
    lua_settop(L, 4);
    const char *public_key = NULL;
    const char *jwt = NULL;
    if (lnats_table(L, 3, "sign", names)) {
        public_key = lnats_table_text(L, 3, "public_key", &text_len);
        jwt = lnats_table_text(L, 3, "jwt", &text_len);
    }
    return lnats_done(L, nats_proto_sign(proto, signature, len, public_key, jwt, now_ns));
}

/* ---- bytes ---- */

static int proto_feed(lua_State *L)
{
    size_t len;
    nats_proto *proto = self(L);
    const char *data = luaL_checklstring(L, 2, &len);
    return lnats_done(L, nats_proto_feed(proto, data, len, check_now(L, 3)));
}

static int proto_feed_eof(lua_State *L)
{
    return lnats_done(L, nats_proto_feed_eof(self(L), check_now(L, 2)));
}

/* take(max, now): the bytes to send; they count as sent. */
static int proto_take(lua_State *L)
{
    nats_proto *proto = self(L);
    lua_Integer max = luaL_optinteger(L, 2, LUA_MAXINTEGER);
    luaL_argcheck(L, max >= 1, 2, "must be 1 or more");
    int64_t now_ns = check_now(L, 3);
    lua_Integer taken = 0;
    luaL_Buffer bytes;
    luaL_buffinit(L, &bytes);
    while (taken < max) {
        const void *data;
        size_t len;
        nats_proto_tx(proto, &data, &len);
        if (len == 0) {
            break;
        }
        if ((lua_Integer)len > max - taken) {
            len = (size_t)(max - taken);
        }
        luaL_addlstring(&bytes, data, len);
        nats_proto_tx_done(proto, len, now_ns);
        taken += (lua_Integer)len;
    }
    luaL_pushresult(&bytes);
    return 1;
}

static int proto_pending(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)nats_proto_tx_pending(self(L)));
    return 1;
}

/* ---- time ---- */

static int proto_deadline(lua_State *L)
{
    int64_t at = nats_proto_deadline_ns(self(L));
    if (at == INT64_MAX) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushnumber(L, (lua_Number)at / 1e9);
    return 1;
}

static int proto_tick(lua_State *L)
{
    nats_proto_tick(self(L), check_now(L, 2));
    return 0;
}

/* ---- verbs ---- */

/* publish(subject, data, { reply =, headers = }) */
static int proto_publish(lua_State *L)
{
    static const char *const names[] = {"reply", "headers", NULL};
    nats_proto *proto = self(L);
    size_t subject_len;
    size_t data_len;
    size_t reply_len = 0;
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    const char *data = luaL_optlstring(L, 3, "", &data_len);
    const char *reply = NULL;
    nats_headers *headers = NULL;
    nats_status status = NATS_OK;
    lua_settop(L, 4);
    if (lnats_table(L, 4, "publish", names)) {
        reply = lnats_table_text(L, 4, "reply", &reply_len);
        headers = lnats_headers_push(L, 4, &status);
    }
    int box = lua_gettop(L);
    if (status == NATS_OK) {
        status = nats_proto_publish(proto, subject, subject_len, reply, reply_len, headers, data,
                                    data_len);
    }
    int results = lnats_done(L, status);
    lnats_box_drop(L, box);
    return results;
}

/* subscribe(subject, { queue =, max =, sid = }): the sid */
static int proto_subscribe(lua_State *L)
{
    static const char *const names[] = {"queue", "max", "sid", NULL};
    nats_proto *proto = self(L);
    size_t subject_len;
    size_t queue_len = 0;
    const char *subject = luaL_checklstring(L, 2, &subject_len);
    const char *queue = NULL;
    int64_t max = 0;
    int64_t sid = 0;
    if (lnats_table(L, 3, "subscribe", names)) {
        max = lnats_table_int(L, 3, "max", 0, 0);
        sid = lnats_table_int(L, 3, "sid", 1, 0);
        queue = lnats_table_text(L, 3, "queue", &queue_len);
    }
    uint64_t made = 0;
    nats_status status = nats_proto_subscribe(proto, subject, subject_len, queue, queue_len,
                                              (uint64_t)max, (uint64_t)sid, &made);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushinteger(L, (lua_Integer)made);
    return 1;
}

static int proto_unsubscribe(lua_State *L)
{
    nats_proto *proto = self(L);
    lua_Integer sid = luaL_checkinteger(L, 2);
    lua_Integer after = luaL_optinteger(L, 3, 0);
    luaL_argcheck(L, after >= 0, 3, "must be 0 or more");
    return lnats_done(L, nats_proto_unsubscribe(proto, (uint64_t)sid, (uint64_t)after));
}

static int proto_ping(lua_State *L)
{
    uint64_t token = 0;
    nats_status status = nats_proto_ping(self(L), check_now(L, 2), &token);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushinteger(L, (lua_Integer)token);
    return 1;
}

static int proto_reconnect(lua_State *L)
{
    return lnats_done(L, nats_proto_reconnect(self(L), check_now(L, 2)));
}

/* ---- events ---- */

/* Its names are those of the events, in lower case, by their numbers. */
static const char *const event_names[] = {[NATS_PROTO_DIAL] = "dial",
                                          [NATS_PROTO_UPGRADE_WANTED] = "upgrade_wanted",
                                          [NATS_PROTO_TLS_WANTED] = "tls_wanted",
                                          [NATS_PROTO_SIGN_WANTED] = "sign_wanted",
                                          [NATS_PROTO_CONNECTED] = "connected",
                                          [NATS_PROTO_RECONNECTED] = "reconnected",
                                          [NATS_PROTO_DISCONNECTED] = "disconnected",
                                          [NATS_PROTO_CLOSED] = "closed",
                                          [NATS_PROTO_MSG] = "message",
                                          [NATS_PROTO_PONG] = "pong",
                                          [NATS_PROTO_INFO] = "info",
                                          [NATS_PROTO_DISCOVERED] = "discovered",
                                          [NATS_PROTO_LAME_DUCK] = "lame_duck",
                                          [NATS_PROTO_ERROR] = "error",
                                          [NATS_PROTO_STALE] = "stale",
                                          [NATS_PROTO_SUB_DONE] = "sub_done"};

static void set_int(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text)
{
    lua_pushstring(L, text);
    lua_setfield(L, -2, name);
}

static void set_server(lua_State *L, const nats_proto *proto)
{
    set_text(L, "url", nats_proto_url(proto));
    set_text(L, "scheme", nats_proto_scheme(proto));
    set_text(L, "host", nats_proto_host(proto));
    set_int(L, "port", (uint64_t)nats_proto_port(proto));
}

static void set_kind(lua_State *L, const nats_proto *proto)
{
    if (nats_proto_event_kind(proto) != NATS_KIND_NONE) {
        set_text(L, "kind", nats_kind_name(nats_proto_event_kind(proto)));
    }
}

/* The facts of each type, as proto.h lists them. The event's table is at the top, the proto at
 * 1. */
static void set_facts(lua_State *L, lnats_proto *proto, int32_t type)
{
    nats_proto *p = proto->proto;
    switch (type) {
    case NATS_PROTO_MSG:
        set_int(L, "sid", nats_proto_event_sid(p));
        lnats_batch_put(&proto->batch, nats_proto_event_take_msg(p));
        if (lnats_batch_push(L, &proto->batch, lua_upvalueindex(1), 1)) {
            lua_setfield(L, -2, "message");
        }
        return;
    case NATS_PROTO_SUB_DONE:
        set_int(L, "sid", nats_proto_event_sid(p));
        return;
    case NATS_PROTO_PONG:
        set_int(L, "token", nats_proto_event_token(p));
        lua_pushnumber(L, (lua_Number)nats_proto_event_rtt_ns(p) / 1e9);
        lua_setfield(L, -2, "rtt");
        return;
    case NATS_PROTO_DISCONNECTED:
    case NATS_PROTO_CLOSED:
        set_kind(L, p);
        set_int(L, "lost", nats_proto_event_lost(p));
        set_int(L, "unconfirmed", nats_proto_event_unconfirmed(p));
        return;
    case NATS_PROTO_ERROR:
        lua_pushboolean(L, nats_proto_event_recoverable(p));
        lua_setfield(L, -2, "recoverable");
        set_kind(L, p);
        if (nats_proto_event_sid(p) != 0) {
            set_int(L, "sid", nats_proto_event_sid(p));
        }
        if (nats_proto_event_lost(p) != 0) {
            set_int(L, "lost", nats_proto_event_lost(p));
        }
        return;
    case NATS_PROTO_DIAL:
    case NATS_PROTO_UPGRADE_WANTED:
    case NATS_PROTO_TLS_WANTED:
    case NATS_PROTO_CONNECTED:
    case NATS_PROTO_RECONNECTED:
        set_server(L, p);
        return;
    default:
        return;
    }
}

static int proto_next_event(lua_State *L)
{
    lnats_proto *proto = check_proto(L, 1);
    int32_t type = nats_proto_next_event(proto->proto);
    if (type == 0) {
        lua_pushnil(L);
        return 1;
    }
    bool known = (size_t)type < sizeof(event_names) / sizeof(event_names[0]);
    lua_createtable(L, 0, 6);
    set_text(L, "type", known ? event_names[type] : "unknown");
    set_text(L, "text", nats_proto_event_text(proto->proto));
    if (nats_proto_event_status(proto->proto) != NATS_OK) {
        set_text(L, "status", nats_status_name(nats_proto_event_status(proto->proto)));
    }
    set_facts(L, proto, type);
    luaL_setmetatable(L, LNATS_EVENT_NAME);
    return 1;
}

/* ---- what it knows ---- */

static int proto_state(lua_State *L)
{
    static const char *const names[] = {"idle",         "waiting",  "dialing", "upgrading",
                                        "waiting_info", "securing", "signing", "waiting_pong",
                                        "connected",    "closed"};
    int32_t state = nats_proto_state(self(L));
    bool known = state >= 0 && (size_t)state < sizeof(names) / sizeof(names[0]);
    lua_pushstring(L, known ? names[state] : "unknown");
    return 1;
}

static int proto_server(lua_State *L)
{
    nats_proto *proto = self(L);
    lua_createtable(L, 0, 4);
    set_server(L, proto);
    return 1;
}

static nats_status take_info(void *proto, nats_info **info_out)
{
    return nats_proto_server_info(proto, info_out);
}

static int proto_server_info(lua_State *L)
{
    return lnats_info_push(L, take_info, self(L), false);
}

static int proto_server_info_json(lua_State *L)
{
    return lnats_info_push(L, take_info, self(L), true);
}

static int proto_pings_out(lua_State *L)
{
    lua_pushinteger(L, nats_proto_pings_out(self(L)));
    return 1;
}

static int proto_offset(lua_State *L)
{
    lua_pushinteger(L, (lua_Integer)nats_proto_offset(self(L)));
    return 1;
}

static int proto_new_inbox(lua_State *L)
{
    char inbox[INBOX_SIZE];
    size_t len = 0;
    nats_status status = nats_proto_new_inbox(self(L), inbox, sizeof(inbox), &len);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    lua_pushlstring(L, inbox, len);
    return 1;
}

static int proto_servers(lua_State *L)
{
    nats_proto *proto = self(L);
    int32_t attempts;
    int32_t discovered;
    const char *url;
    lua_newtable(L);
    for (size_t i = 0; (url = nats_proto_server_at(proto, i, &attempts, &discovered)) != NULL;
         i++) {
        lua_createtable(L, 0, 3);
        set_text(L, "url", url);
        set_int(L, "attempts", (uint64_t)attempts);
        lua_pushboolean(L, discovered);
        lua_setfield(L, -2, "discovered");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int proto_server_add(lua_State *L)
{
    return lnats_done(L, nats_proto_server_add(self(L), luaL_checkstring(L, 2)));
}

static int proto_server_remove(lua_State *L)
{
    return lnats_done(L, nats_proto_server_remove(self(L), luaL_checkstring(L, 2)));
}

static int proto_tostring(lua_State *L)
{
    lnats_proto *proto = lnats_check(L, 1, &lnats_proto_kind);
    if (proto->proto == NULL) {
        return lnats_tostring(L, &lnats_proto_kind, proto, "collected");
    }
    proto_state(L);
    return lnats_tostring(L, &lnats_proto_kind, proto, lua_tostring(L, -1));
}

static const luaL_Reg methods[] = {{"start", proto_start},
                                   {"transport_up", proto_transport_up},
                                   {"upgraded", proto_upgraded},
                                   {"secured", proto_secured},
                                   {"transport_failed", proto_transport_failed},
                                   {"expect_signature", proto_expect_signature},
                                   {"sign", proto_sign},
                                   {"feed", proto_feed},
                                   {"feed_eof", proto_feed_eof},
                                   {"take", proto_take},
                                   {"pending", proto_pending},
                                   {"next_event", proto_next_event},
                                   {"deadline", proto_deadline},
                                   {"tick", proto_tick},
                                   {"publish", proto_publish},
                                   {"subscribe", proto_subscribe},
                                   {"unsubscribe", proto_unsubscribe},
                                   {"ping", proto_ping},
                                   {"close", proto_close},
                                   {"reconnect", proto_reconnect},
                                   {"state", proto_state},
                                   {"server", proto_server},
                                   {"server_info", proto_server_info},
                                   {"server_info_json", proto_server_info_json},
                                   {"pings_out", proto_pings_out},
                                   {"offset", proto_offset},
                                   {"new_inbox", proto_new_inbox},
                                   {"servers", proto_servers},
                                   {"server_add", proto_server_add},
                                   {"server_remove", proto_server_remove},
                                   {NULL, NULL}};

void lnats_proto_open(lua_State *L)
{
    static const luaL_Reg meta[] = {{"__gc", proto_gc},
                                    {"__close", proto_close},
                                    {"__tostring", proto_tostring},
                                    {NULL, NULL}};
    lnats_type(L, &lnats_proto_kind, methods, meta);
    lua_pop(L, 1);
}
