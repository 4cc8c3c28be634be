/* Messages as Lua values, and the batches they come in.
 *
 * A message is one block: its parts are copied out of the library's read chunk at once, because
 * a script that keeps one message must not keep 128 KiB alive. Strings are made when they are
 * asked for. */
#include "lnats.h"

#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000

typedef struct lnats_pair {
    uint32_t key; /* places in text */
    uint32_t key_len;
    uint32_t value;
    uint32_t value_len;
} lnats_pair;

/* Where a message of JetStream has its place. Texts are places in text. */
typedef struct lnats_place {
    uint64_t values[NATS_JS_UINT_COUNT];
    uint32_t texts[NATS_JS_DOMAIN - NATS_JS_STREAM + 1];
    uint32_t lens[NATS_JS_DOMAIN - NATS_JS_STREAM + 1];
} lnats_place;

/* user values: 1 what respond() publishes through, 2 (only when the payload is large) the
 * payload */
typedef struct lnats_msg {
    const lnats_kind *kind;
    uint64_t sid;
    size_t data_len;
    uint32_t subject_len;
    uint32_t reply_len;
    uint32_t description_len;
    uint32_t header_len; /* of the raw block */
    uint32_t pair_count;
    int32_t status;
    uint8_t acks;  /* NATS_ACK_STATE_… */
    uint8_t place; /* 1: a lnats_place is there */
    /* the pairs, the place (whose alignment they have), then the texts: subject, reply, description,
     * header block, payload */
    _Alignas(lnats_place) lnats_pair pairs[];
} lnats_msg;

const lnats_kind lnats_msg_kind = {"nats.message", sizeof(lnats_msg)};

static lnats_place *msg_place(const lnats_msg *msg)
{
    return (lnats_place *)(msg->pairs + msg->pair_count);
}

static char *msg_text(const lnats_msg *msg)
{
    return (char *)(msg_place(msg) + msg->place);
}

static size_t header_at(const lnats_msg *msg)
{
    return (size_t)msg->subject_len + msg->reply_len + msg->description_len;
}

static bool is_inline(const lnats_msg *msg)
{
    return msg->data_len <= LNATS_INLINE_MAX;
}

/* ---- from the library ---- */

static bool begins(const char *text, size_t len, const char *with)
{
    size_t wanted = strlen(with);
    return text != NULL && len >= wanted && memcmp(text, with, wanted) == 0;
}

/* One of JetStream's? It says so by its reply subject, or, when it was got from a stream, by this
 * header: no other message is asked. */
static void measure_place(const nats_msg *from, lnats_msg *to, bool got)
{
    uint64_t seq;
    if (got || begins(nats_msg_reply(from, NULL), to->reply_len, "$JS.ACK.")) {
        to->acks = (uint8_t)nats_msg_ack_state(from);
        to->place = to->acks != NATS_ACK_STATE_NONE ||
                    nats_msg_js_uint(from, NATS_JS_STREAM_SEQ, &seq) != 0;
    }
}

static bool measure_headers(const nats_msg *from, lnats_msg *to, size_t len)
{
    to->header_len = (uint32_t)len;
    to->status = nats_msg_status(from);
    nats_msg_description(from, &len);
    to->description_len = (uint32_t)len;
    size_t cursor = 0;
    const char *key;
    bool got = false;
    while (nats_msg_next_header(from, &cursor, &key, &len, NULL, NULL) != 0) {
        to->pair_count++;
        got = got || (len == strlen("Nats-Stream") && begins(key, len, "Nats-Stream"));
    }
    return got;
}

/* The lengths, which say how much memory the message takes. */
static void measure(const nats_msg *from, lnats_msg *to)
{
    size_t len;
    memset(to, 0, sizeof(*to));
    to->kind = &lnats_msg_kind;
    to->sid = nats_msg_sid(from);
    nats_msg_subject(from, &len);
    to->subject_len = (uint32_t)len;
    nats_msg_reply(from, &len);
    to->reply_len = (uint32_t)len;
    nats_msg_data(from, &to->data_len);
    nats_msg_headers_raw(from, &len);
    measure_place(from, to, len > 0 && measure_headers(from, to, len));
}

static void copy_headers(const nats_msg *from, lnats_msg *to, char *text)
{
    const char *raw = nats_msg_headers_raw(from, NULL);
    memcpy(text, raw, to->header_len);
    size_t base = header_at(to);
    size_t cursor = 0;
    for (uint32_t i = 0; i < to->pair_count; i++) {
        const char *key;
        const char *value;
        size_t key_len;
        size_t value_len;
        nats_msg_next_header(from, &cursor, &key, &key_len, &value, &value_len);
        to->pairs[i].key = (uint32_t)(base + (size_t)(key - raw));
        to->pairs[i].key_len = (uint32_t)key_len;
        to->pairs[i].value = (uint32_t)(base + (size_t)(value - raw));
        to->pairs[i].value_len = (uint32_t)value_len;
    }
}

/* Its texts are parts of the reply subject, of headers' values, or of neither: the domain that
 * there is none of. */
static void copy_place(const nats_msg *from, lnats_msg *to)
{
    lnats_place *place = msg_place(to);
    const char *reply = nats_msg_reply(from, NULL);
    const char *raw = nats_msg_headers_raw(from, NULL);
    nats_msg_js_uints(from, place->values);
    for (int32_t i = 0; i <= NATS_JS_DOMAIN - NATS_JS_STREAM; i++) {
        size_t len = 0;
        const char *text = nats_msg_js_text(from, NATS_JS_STREAM + i, &len);
        bool in_reply = reply != NULL && text >= reply && text + len <= reply + to->reply_len;
        size_t base = in_reply ? to->subject_len : header_at(to);
        const char *from_start = in_reply ? reply : raw;
        place->texts[i] = len > 0 ? (uint32_t)(base + (size_t)(text - from_start)) : 0;
        place->lens[i] = (uint32_t)len;
    }
}

static void copy(const nats_msg *from, lnats_msg *to)
{
    char *text = msg_text(to);
    if (to->place) {
        copy_place(from, to);
    }
    memcpy(text, nats_msg_subject(from, NULL), to->subject_len);
    text += to->subject_len;
    if (to->reply_len > 0) {
        memcpy(text, nats_msg_reply(from, NULL), to->reply_len);
        text += to->reply_len;
    }
    if (to->header_len > 0) {
        memcpy(text, nats_msg_description(from, NULL), to->description_len);
        text += to->description_len;
        copy_headers(from, to, text);
        text += to->header_len;
    }
    if (is_inline(to)) {
        memcpy(text, nats_msg_data(from, NULL), to->data_len);
    }
}

/* ---- batches ---- */

void lnats_batch_room(lua_State *L, lnats_batch *batch, size_t count)
{
    size_t want = count < LNATS_BATCH_MAX ? count : LNATS_BATCH_MAX;
    if (batch->room >= want || batch->count > 0) {
        return;
    }
    nats_msg **msgs = malloc(want * sizeof(*msgs));
    if (msgs == NULL) {
        luaL_error(L, "not enough memory");
        return;
    }
    free(batch->msgs);
    batch->msgs = msgs;
    batch->room = want;
}

void lnats_batch_clear(lnats_batch *batch)
{
    nats_msg_free_many(batch->msgs, batch->count);
    batch->count = 0;
    batch->at = 0;
    batch->serial++;
}

void lnats_batch_free(lnats_batch *batch)
{
    lnats_batch_clear(batch);
    free(batch->msgs);
    batch->msgs = NULL;
    batch->room = 0;
}

void lnats_batch_put(lnats_batch *batch, nats_msg *msg)
{
    batch->msgs[0] = msg;
    batch->count = msg != NULL ? 1 : 0;
    batch->at = 0;
    batch->serial++;
}

nats_msg *lnats_batch_take(lnats_batch *batch)
{
    if (batch->at == batch->count) {
        return NULL;
    }
    nats_msg *msg = batch->msgs[batch->at];
    batch->msgs[batch->at] = NULL; /* free_many takes it */
    batch->at++;
    batch->serial++;
    if (batch->at == batch->count) {
        lnats_batch_clear(batch);
    }
    return msg;
}

/* Memory for a message, on the stack. */
static lnats_msg *push_memory(lua_State *L, const lnats_msg *head)
{
    size_t parts = head->pair_count * sizeof(lnats_pair) + head->place * sizeof(lnats_place);
    size_t text = header_at(head) + head->header_len + (is_inline(head) ? head->data_len : 0);
    return lua_newuserdatauv(L, sizeof(*head) + parts + text, is_inline(head) ? 1 : 2);
}

void lnats_msg_push(lua_State *L, const nats_msg *msg, int owner)
{
    lnats_msg head;
    measure(msg, &head);
    lnats_msg *to = push_memory(L, &head);
    if (!is_inline(&head)) {
        lua_pushlstring(L, nats_msg_data(msg, NULL), head.data_len);
        lua_setiuservalue(L, -2, 2);
    }
    *to = head;
    copy(msg, to);
    luaL_setmetatable(L, lnats_msg_kind.name);
    lua_pushvalue(L, owner);
    lua_setiuservalue(L, -2, 1);
}

bool lnats_batch_push(lua_State *L, lnats_batch *batch, int mt, int owner)
{
    while (batch->at < batch->count) {
        uint64_t serial = batch->serial;
        const nats_msg *from = batch->msgs[batch->at];
        lnats_msg head;
        measure(from, &head);
        lnats_msg *to = push_memory(L, &head);
        if (batch->serial == serial && !is_inline(&head)) {
            lua_pushlstring(L, nats_msg_data(from, NULL), head.data_len);
            lua_setiuservalue(L, -2, 2);
        }
        if (batch->serial != serial) {
            lua_pop(L, 1); /* a finalizer took this message meanwhile */
            continue;
        }

        *to = head;
        copy(from, to);
        lua_pushvalue(L, mt);
        lua_setmetatable(L, -2);
        lua_pushvalue(L, owner);
        lua_setiuservalue(L, -2, 1);
        batch->at++;
        batch->serial++;
        if (batch->at == batch->count) {
            lnats_batch_clear(batch);
        }
        return true;
    }
    return false;
}

nats_status lnats_batch_fill(lua_State *L, lnats_batch *batch, lnats_take *take, void *handle,
                             size_t max, lnats_wait *wait)
{
    nats_status status = NATS_OK;
    /* Looked at each time round: a hook that ran after a signal may have filled it. */
    while (batch->at == batch->count) {
        lnats_batch_room(L, batch, max);
        size_t count = 0;
        size_t room = max < batch->room ? max : batch->room;
        status = take(handle, room, wait->ms, batch->msgs, &count);
        batch->count = count;
        batch->at = 0;
        batch->serial++;
        if (!lnats_wait_again(L, wait, status)) {
            break;
        }
    }
    return batch->count > 0 ? NATS_OK : status;
}

int lnats_batch_list(lua_State *L, lnats_batch *batch, lnats_take *take, void *handle, size_t max,
                     int64_t wait_ms, int owner)
{
    lnats_wait wait;
    lnats_wait_start(L, &wait, wait_ms);
    nats_status status = lnats_batch_fill(L, batch, take, handle, max, &wait);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }

    size_t waiting = batch->count - batch->at;
    lua_createtable(L, (int)(waiting < max ? waiting : max), 0);
    wait.ms = 0;
    size_t got = 0;
    for (;;) {
        while (got < max && lnats_batch_push(L, batch, lua_upvalueindex(1), owner)) {
            got++;
            lua_rawseti(L, -2, (lua_Integer)got);
        }
        /* A batch that was not full has emptied the queue. */
        if (got == max || waiting < batch->room) {
            return 1;
        }
        if (lnats_batch_fill(L, batch, take, handle, max - got, &wait) != NATS_OK) {
            return 1; /* the next call tells */
        }
        waiting = batch->count;
    }
}

void lnats_get_args(lua_State *L, int arg, const char *verb, size_t *max_out, int64_t *wait_ms_out)
{
    static const char *const names[] = {"max", "wait", NULL};
    *max_out = LNATS_GET_MAX;
    *wait_ms_out = -1;
    if (lua_type(L, arg) == LUA_TNUMBER) {
        lua_Integer max = luaL_checkinteger(L, arg);
        luaL_argcheck(L, max >= 1, arg, "max must be 1 or more");
        *max_out = (size_t)max;
        *wait_ms_out = lnats_seconds(L, arg + 1, "wait", -1);
        return;
    }
    if (lnats_table(L, arg, verb, names)) {
        *max_out = (size_t)lnats_table_int(L, arg, "max", 1, LNATS_GET_MAX);
        *wait_ms_out = lnats_table_seconds(L, arg, "wait", -1);
    }
}

/* ---- fields and methods ---- */

uint64_t lnats_msg_sid(lua_State *L, int index)
{
    const lnats_msg *msg = lnats_check(L, index, &lnats_msg_kind);
    return msg->sid;
}

void lnats_msg_acked(lua_State *L, int index, lnats_acked *out)
{
    lnats_msg *msg = lnats_check(L, index, &lnats_msg_kind);
    out->reply = msg_text(msg) + msg->subject_len;
    out->reply_len = msg->reply_len;
    out->acks = &msg->acks;
}

enum { SUBJECT = 1, DATA, REPLY, HEADERS, HEADERS_RAW, STATUS, DESCRIPTION, METADATA, SID };

static lnats_msg *check_msg(lua_State *L)
{
    return lnats_check(L, 1, &lnats_msg_kind);
}

static int push_data(lua_State *L, const lnats_msg *msg)
{
    if (is_inline(msg)) {
        lua_pushlstring(L, msg_text(msg) + header_at(msg) + msg->header_len, msg->data_len);
        return 1;
    }
    lua_getiuservalue(L, 1, 2);
    return 1;
}

static int push_headers(lua_State *L, const lnats_msg *msg)
{
    const char *text = msg_text(msg);
    lnats_header_map_push(L);
    for (uint32_t i = 0; i < msg->pair_count; i++) {
        const lnats_pair *pair = &msg->pairs[i];
        lnats_header_map_add(L, text + pair->key, pair->key_len, text + pair->value,
                             pair->value_len);
    }
    return 1;
}

static int push_text(lua_State *L, const char *text, size_t len, bool there)
{
    if (there) {
        lua_pushlstring(L, text, len);
    } else {
        lua_pushnil(L);
    }
    return 1;
}

static void set_number(lua_State *L, const char *name, uint64_t value)
{
    lua_pushinteger(L, (lua_Integer)value);
    lua_setfield(L, -2, name);
}

/* Not set when there is none: "" */
static void set_text(lua_State *L, const char *name, const lnats_msg *msg, int32_t what)
{
    const lnats_place *place = msg_place(msg);
    uint32_t len = place->lens[what - NATS_JS_STREAM];
    if (len > 0) {
        lua_pushlstring(L, msg_text(msg) + place->texts[what - NATS_JS_STREAM], len);
        lua_setfield(L, -2, name);
    }
}

static int push_metadata(lua_State *L, const lnats_msg *msg)
{
    if (!msg->place) {
        lua_pushnil(L);
        return 1;
    }
    const uint64_t *values = msg_place(msg)->values;
    lua_createtable(L, 0, 9);
    set_text(L, "stream", msg, NATS_JS_STREAM);
    set_text(L, "consumer", msg, NATS_JS_CONSUMER);
    set_text(L, "domain", msg, NATS_JS_DOMAIN);
    set_number(L, "stream_seq", values[NATS_JS_STREAM_SEQ]);
    set_number(L, "consumer_seq", values[NATS_JS_CONSUMER_SEQ]);
    set_number(L, "delivered", values[NATS_JS_DELIVERED]);
    set_number(L, "pending", values[NATS_JS_PENDING]);
    set_number(L, "time_ns", values[NATS_JS_TIME_NS]);
    uint64_t ns = values[NATS_JS_TIME_NS];
    lua_pushnumber(L, (lua_Number)(ns / NS_PER_S) + (lua_Number)(ns % NS_PER_S) / NS_PER_S);
    lua_setfield(L, -2, "time");
    return 1;
}

static int push_field(lua_State *L, const lnats_msg *msg, lua_Integer field)
{
    const char *text = msg_text(msg);
    size_t reply_end = (size_t)msg->subject_len + msg->reply_len;
    switch (field) {
    case SUBJECT:
        return push_text(L, text, msg->subject_len, true);
    case DATA:
        return push_data(L, msg);
    case REPLY:
        return push_text(L, text + msg->subject_len, msg->reply_len, msg->reply_len > 0);
    case HEADERS:
        return push_headers(L, msg);
    case HEADERS_RAW:
        return push_text(L, text + header_at(msg), msg->header_len, msg->header_len > 0);
    case DESCRIPTION:
        return push_text(L, text + reply_end, msg->description_len, msg->status != 0);
    case METADATA:
        return push_metadata(L, msg);
    case STATUS:
        if (msg->status == 0) {
            lua_pushnil(L);
            return 1;
        }
        lua_pushinteger(L, msg->status);
        return 1;
    default:
        lua_pushinteger(L, (lua_Integer)msg->sid);
        return 1;
    }
}

/* Upvalue 1 has a number for each field and a function for each method. */
static int msg_index(lua_State *L)
{
    lnats_msg *msg = check_msg(L);
    lua_settop(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNUMBER) {
        return 1;
    }
    lua_Integer field = lua_tointeger(L, -1);
    return push_field(L, msg, field);
}

static int msg_header(lua_State *L)
{
    lnats_msg *msg = check_msg(L);
    size_t len;
    const char *key = luaL_checklstring(L, 2, &len);
    const char *text = msg_text(msg);
    for (uint32_t i = 0; i < msg->pair_count; i++) {
        const lnats_pair *pair = &msg->pairs[i];
        if (pair->key_len == len && memcmp(text + pair->key, key, len) == 0) {
            lua_pushlstring(L, text + pair->value, pair->value_len);
            return 1;
        }
    }
    lua_pushnil(L);
    return 1;
}

/* Upvalue 1: the message, 2: the next pair. */
static int next_header(lua_State *L)
{
    const lnats_msg *msg = lua_touserdata(L, lua_upvalueindex(1));
    lua_Integer at = lua_tointeger(L, lua_upvalueindex(2));
    if (at >= (lua_Integer)msg->pair_count) {
        return 0;
    }
    lua_pushinteger(L, at + 1);
    lua_replace(L, lua_upvalueindex(2));
    const lnats_pair *pair = &msg->pairs[at];
    const char *text = msg_text(msg);
    lua_pushlstring(L, text + pair->key, pair->key_len);
    lua_pushlstring(L, text + pair->value, pair->value_len);
    return 2;
}

static int msg_each_header(lua_State *L)
{
    check_msg(L);
    lua_settop(L, 1);
    lua_pushinteger(L, 0);
    lua_pushcclosure(L, next_header, 2);
    return 1;
}

static int respond_through(lua_State *L, const lnats_msg *msg, const nats_headers *headers,
                           const char *data, size_t data_len)
{
    const char *reply = msg_text(msg) + msg->subject_len;
    lua_getiuservalue(L, 1, 1);
    int owner = lua_gettop(L);
    if (lnats_test(L, owner, &lnats_proto_kind) != NULL) {
        nats_proto *proto = lnats_proto_handle(L, owner);
        return lnats_done(L, nats_proto_publish(proto, reply, msg->reply_len, NULL, 0, headers,
                                                data, data_len));
    }

    nats_client *client = lnats_client_check(L, owner)->client;
    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_status status;
    do {
        status = nats_client_publish_with(client, reply, msg->reply_len, NULL, 0, headers, data,
                                          data_len);
    } while (lnats_wait_again(L, &wait, status));
    return lnats_done(L, status);
}

static int msg_respond(lua_State *L)
{
    static const char *const names[] = {"headers", NULL};
    lnats_msg *msg = check_msg(L);
    size_t data_len;
    const char *data = luaL_optlstring(L, 2, "", &data_len);
    nats_headers *headers = NULL;
    nats_status status = NATS_OK;
    lua_settop(L, 3);
    if (lnats_table(L, 3, "respond", names)) {
        headers = lnats_headers_push(L, 3, &status);
    } else {
        lua_pushnil(L);
    }
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    if (msg->reply_len == 0) {
        return lnats_fail_text(L, NATS_ERR_INVALID, "the message has no reply subject", "reply");
    }

    int results = respond_through(L, msg, headers, data, data_len);
    lnats_box_drop(L, 4);
    return results;
}

/* ", stream ORDERS, consumer w, sequence 7"; "" of a message that is in no stream. */
static void push_where(lua_State *L, const lnats_msg *msg)
{
    if (!msg->place) {
        lua_pushliteral(L, "");
        return;
    }
    const lnats_place *place = msg_place(msg);
    const char *text = msg_text(msg);
    uint32_t consumer = NATS_JS_CONSUMER - NATS_JS_STREAM;
    lua_pushliteral(L, ", stream ");
    lua_pushlstring(L, text + place->texts[0], place->lens[0]);
    lua_pushstring(L, place->lens[consumer] > 0 ? ", consumer " : "");
    lua_pushlstring(L, text + place->texts[consumer], place->lens[consumer]);
    lua_pushfstring(L, ", sequence %I", (LUAI_UACINT)place->values[NATS_JS_STREAM_SEQ]);
    lua_concat(L, 5);
}

static int msg_tostring(lua_State *L)
{
    lnats_msg *msg = check_msg(L);
    lua_pushliteral(L, "nats.message: ");
    lua_pushlstring(L, msg_text(msg), msg->subject_len);
    lua_pushfstring(L, " (%I bytes", (LUAI_UACINT)msg->data_len);
    push_where(L, msg);
    lua_pushliteral(L, ")");
    lua_concat(L, 5);
    return 1;
}

void lnats_msg_open(lua_State *L)
{
    static const struct {
        const char *name;
        int field;
    } fields[] = {{"subject", SUBJECT}, {"data", DATA},           {"reply", REPLY},
                  {"headers", HEADERS}, {"raw_headers", HEADERS_RAW}, {"status", STATUS},
                  {"sid", SID},         {"description", DESCRIPTION}, {"metadata", METADATA}};
    static const luaL_Reg methods[] = {{"header", msg_header},
                                       {"each_header", msg_each_header},
                                       {"respond", msg_respond},
                                       {NULL, NULL}};
    luaL_newmetatable(L, lnats_msg_kind.name);
    luaL_newlib(L, methods);
    lnats_acks_set(L);
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
        lua_pushinteger(L, fields[i].field);
        lua_setfield(L, -2, fields[i].name);
    }
    lua_pushcclosure(L, msg_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushcfunction(L, msg_tostring);
    lua_setfield(L, -2, "__tostring");
    lua_pushstring(L, lnats_msg_kind.name);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 1);
}
