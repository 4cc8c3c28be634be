/* JetStream: the noun itself, and what the methods of all its nouns are made of. A method is a line in
 * a table: the verb of the API and the names of its arguments. */
#include "lnats.h"

#include <string.h>

/* Longer than the name of an argument, and more of them than a verb has. */
#define WORD_SIZE 64
#define NAMES_MAX 64

const lnats_kind lnats_js_kind = {"nats.jetstream", sizeof(lnats_js)};

lnats_js *lnats_js_check(lua_State *L, int arg)
{
    lnats_js *js = lnats_check(L, arg, &lnats_js_kind);
    if (js->js == NULL) {
        luaL_error(L, "the jetstream was collected");
    }
    return js;
}

lnats_js *lnats_js_push(lua_State *L, int index)
{
    if (lnats_test(L, index, &lnats_js_kind) != NULL) {
        lua_pushvalue(L, index);
    } else {
        lua_getiuservalue(L, index, 1);
    }
    lnats_js_check(L, lua_gettop(L));
    return lua_touserdata(L, -1);
}

/* ---- what verbs give ---- */

int lnats_give_table(lua_State *L, nats_msg *msg, int about)
{
    (void)about;
    size_t len;
    const char *text = nats_msg_data(msg, &len);
    nats_status status = lnats_json_read(L, text, len);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

int lnats_give_true(lua_State *L, nats_msg *msg, int about)
{
    (void)msg;
    (void)about;
    lua_pushboolean(L, 1);
    return 1;
}

int lnats_give_message(lua_State *L, nats_msg *msg, int about)
{
    lnats_js_push(L, about);
    lua_getiuservalue(L, -1, 1);
    lnats_msg_push(L, msg, lua_gettop(L));
    return 1;
}

/* The answer of a verb that may be any. */
static int give_any(lua_State *L, nats_msg *msg, int about)
{
    uint64_t seq;
    return nats_msg_js_uint(msg, NATS_JS_STREAM_SEQ, &seq) != 0 ? lnats_give_message(L, msg, about)
                                                                : lnats_give_table(L, msg, about);
}

/* The table at the top of the stack is what the object at about was told last. */
static void note_info(lua_State *L, int about)
{
    lua_pushvalue(L, -1);
    lua_setiuservalue(L, about, 3);
}

int lnats_give_info(lua_State *L, nats_msg *msg, int about)
{
    int results = lnats_give_table(L, msg, about);
    if (results == 1) {
        note_info(L, about);
    }
    return results;
}

int lnats_give_self(lua_State *L, nats_msg *msg, int about)
{
    int results = lnats_give_info(L, msg, about);
    if (results == 1) {
        lua_pushvalue(L, about);
    }
    return results;
}

/* config.name of the answer at the top of the stack, pushed. */
static void push_config_name(lua_State *L)
{
    int info = lua_gettop(L);
    if (lua_getfield(L, info, "config") != LUA_TTABLE) {
        luaL_error(L, "the server's answer has no config");
    }
    lua_getfield(L, -1, "name");
    lua_remove(L, -2);
}

int lnats_give_stream(lua_State *L, nats_msg *msg, int about)
{
    int results = lnats_give_table(L, msg, about);
    if (results == 1) {
        int info = lua_gettop(L);
        push_config_name(L);
        lnats_stream_push(L, about, info);
    }
    return results;
}

int lnats_give_consumer(lua_State *L, nats_msg *msg, int about)
{
    int results = lnats_give_table(L, msg, about);
    if (results == 1) {
        int info = lua_gettop(L);
        lua_getfield(L, info, "stream_name");
        lua_getfield(L, info, "name");
        lnats_consumer_push(L, about, info + 1, info);
    }
    return results;
}

/* ---- methods out of tables ---- */

/* The method's argument at arg for the word of its list; into: the table of the verb's. */
static void take_argument(lua_State *L, int arg, const char *word, size_t len, int into)
{
    char name[WORD_SIZE] = "";
    bool optional = word[len - 1] == '?';
    len -= optional;
    bool whole = word[len - 1] == '=';
    memcpy(name, word, len - whole);
    if (lua_isnoneornil(L, arg)) {
        luaL_argcheck(L, optional, arg, lua_pushfstring(L, "%s expected", name));
        return;
    }
    if (whole) {
        luaL_checktype(L, arg, LUA_TTABLE);
    }
    lua_pushvalue(L, arg);
    lua_setfield(L, into, name);
}

/* Whether the list of words has that name. */
static bool has_word(const char *words, const char *name)
{
    size_t len = strlen(name);
    while (*words != '\0') {
        if (strncmp(words, name, len) == 0 && strchr("=? ", words[len]) != NULL) {
            return true;
        }
        words += strcspn(words, " ");
        words += *words == ' ';
    }
    return false;
}

/* Whether the object at 1 or an argument of the method says that already, or an iterator, which gives nothing
 * by itself and turns the pages. */
static bool said_already(lua_State *L, const lnats_verb *verb, const char *name)
{
    bool consumer = lnats_test(L, 1, &lnats_consumer_kind) != NULL;
    bool stream = consumer || lnats_test(L, 1, &lnats_stream_kind) != NULL;
    return has_word(verb->arguments, name) || (stream && strcmp(name, "stream") == 0) ||
           (consumer && strcmp(name, "consumer") == 0) ||
           (verb->give == NULL && strcmp(name, "offset") == 0);
}

/* The method's options in the table at arg, if it is one: all that the verb takes besides, and the time. The
 * former come into the other table. Returns the time. */
static int64_t take_options(lua_State *L, int arg, const lnats_verb *verb, int into)
{
    const char *names[NAMES_MAX] = {"timeout"};
    size_t count = 1;
    if (lua_isnoneornil(L, arg)) {
        return -1;
    }
    const char *name;
    for (size_t i = 0; (name = nats_js_key_name(verb->verb, i)) != NULL; i++) {
        if (count < NAMES_MAX - 1 && !said_already(L, verb, name)) {
            names[count++] = name;
        }
    }
    lnats_table(L, arg, verb->name, names);
    for (lua_pushnil(L); lua_next(L, arg) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, into);
    }
    lua_pushnil(L);
    lua_setfield(L, into, "timeout");
    return lnats_table_seconds(L, arg, "timeout", -1);
}

/* Names that the object at 1 brings itself. */
static void take_object(lua_State *L, int into)
{
    bool consumer = lnats_test(L, 1, &lnats_consumer_kind) != NULL;
    if (consumer) {
        lua_getiuservalue(L, 1, 4);
        lua_setfield(L, into, "stream");
    }
    if (consumer || lnats_test(L, 1, &lnats_stream_kind) != NULL) {
        lua_getiuservalue(L, 1, 2);
        lua_setfield(L, into, consumer ? "consumer" : "stream");
    }
}

static int count_words(const char *words)
{
    int count = *words != '\0';
    for (; *words != '\0'; words++) {
        count += *words == ' ';
    }
    return count;
}

int64_t lnats_verb_arguments(lua_State *L, const lnats_verb *verb)
{
    const char *words = verb->arguments;
    int last = 2 + count_words(words);
    if (lua_gettop(L) < last) {
        lua_settop(L, last); /* what was left out is nil, and not the table */
    }
    lua_newtable(L);
    int into = lua_gettop(L);
    for (int arg = 2; *words != '\0'; arg++) {
        size_t len = strcspn(words, " ");
        take_argument(L, arg, words, len, into);
        words += len + (words[len] == ' ');
    }
    int64_t timeout_ms = take_options(L, last, verb, into);
    take_object(L, into);
    return timeout_ms;
}

nats_status lnats_verb_start(lua_State *L, const char *verb, int arguments, int64_t timeout_ms,
                             lnats_give *give)
{
    size_t len;
    const char *text = lnats_json_write(L, arguments, verb, &len);
    int box = lua_gettop(L);
    nats_js *js = lnats_js_push(L, 1)->js;
    lua_getiuservalue(L, -1, 1);
    lnats_future *future = lnats_future_push(L, lua_gettop(L));
    future->give = give;
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);

    lnats_wait wait;
    lnats_wait_start(L, &wait, -1);
    nats_status status;
    do {
        status = nats_js_call_start(js, verb, text, len, timeout_ms, &future->future);
    } while (lnats_wait_again(L, &wait, status));
    lnats_box_drop(L, box);
    return status;
}

/* Upvalues: 1 the message metatable, 2 the lnats_verb, 3 the kind of object, 4 whether to start only. */
static int call_method(lua_State *L)
{
    const lnats_verb *verb = lua_touserdata(L, lua_upvalueindex(2));
    lnats_check(L, 1, lua_touserdata(L, lua_upvalueindex(3)));
    int64_t timeout_ms = lnats_verb_arguments(L, verb);
    nats_status status = lnats_verb_start(L, verb->verb, lua_gettop(L), timeout_ms, verb->give);
    if (status != NATS_OK) {
        return lnats_fail(L, status);
    }
    return lua_toboolean(L, lua_upvalueindex(4)) ? 1 : lnats_future_finish(L);
}

/* Into the table at that index, under the name at the top of the stack. */
static void set_method(lua_State *L, int table, const lnats_kind *kind, const lnats_verb *verb,
                       bool start)
{
    luaL_getmetatable(L, lnats_msg_kind.name);
    lua_pushlightuserdata(L, (void *)(uintptr_t)verb);
    lua_pushlightuserdata(L, (void *)(uintptr_t)kind);
    lua_pushboolean(L, start);
    lua_pushcclosure(L, call_method, 4);
    lua_rawset(L, table);
}

void lnats_verbs_set(lua_State *L, const lnats_kind *kind, const lnats_verb *verbs)
{
    int table = lua_gettop(L);
    for (; verbs->name != NULL; verbs++) {
        lua_pushstring(L, verbs->name);
        set_method(L, table, kind, verbs, false);
        lua_pushfstring(L, "%s_start", verbs->name);
        set_method(L, table, kind, verbs, true);
    }
}

/* ---- fields of streams and consumers ---- */

/* Upvalue 1 has a number for each field and a function for each method. */
static int noun_index(lua_State *L)
{
    lua_settop(L, 2);
    lua_pushvalue(L, 2);
    if (lua_rawget(L, lua_upvalueindex(1)) != LUA_TNUMBER) {
        return 1;
    }
    lua_Integer field = lua_tointeger(L, -1);
    if (field != 0) {
        lua_getiuservalue(L, 1, (int)field);
        return 1;
    }
    if (lua_getiuservalue(L, 1, 3) == LUA_TTABLE) {
        lua_getfield(L, -1, "config");
    }
    return 1;
}

void lnats_noun_fields(lua_State *L, const lnats_noun_field *fields)
{
    lua_getfield(L, -1, "__index");
    for (; fields->name != NULL; fields++) {
        lua_pushinteger(L, fields->user_value);
        lua_setfield(L, -2, fields->name);
    }
    lua_pushcclosure(L, noun_index, 1);
    lua_setfield(L, -2, "__index");
}

/* ---- listings ---- */

/* Upvalues of an iterator over pages. */
enum {
    METATABLE = 1,
    LISTING,
    OBJECT,
    ARGUMENTS,
    PAGE,
    AT,
    OFFSET,
    TOTAL,
    TIMEOUT,
    UPVALUES = TIMEOUT
};

static lua_Integer get_count(lua_State *L, int upvalue)
{
    return lua_tointeger(L, lua_upvalueindex(upvalue));
}

static void set_count(lua_State *L, int upvalue, lua_Integer count)
{
    lua_pushinteger(L, count);
    lua_replace(L, lua_upvalueindex(upvalue));
}

/* The page's next element, on the stack. */
static bool push_next(lua_State *L)
{
    if (lua_isnil(L, lua_upvalueindex(PAGE))) {
        return false;
    }
    lua_Integer at = get_count(L, AT) + 1;
    if (lua_rawgeti(L, lua_upvalueindex(PAGE), at) == LUA_TNIL) {
        lua_pop(L, 1);
        return false;
    }
    set_count(L, AT, at);
    return true;
}

/* The answer at the top of the stack is the page from now on. False when there is nothing in it. */
static bool turn_page(lua_State *L, const char *list)
{
    int answer = lua_gettop(L);
    lua_getfield(L, answer, "total");
    set_count(L, TOTAL, lua_tointeger(L, -1));
    if (lua_getfield(L, answer, list) != LUA_TTABLE || lua_rawlen(L, -1) == 0) {
        return false;
    }
    set_count(L, OFFSET, get_count(L, OFFSET) + (lua_Integer)lua_rawlen(L, -1));
    set_count(L, AT, 0);
    lua_pushvalue(L, -1);
    lua_replace(L, lua_upvalueindex(PAGE));
    lua_settop(L, answer - 1);
    return true;
}

/* Ask for the page that begins at the offset. False when there is none. */
static bool next_page(lua_State *L, const lnats_listing *listing)
{
    lua_Integer offset = get_count(L, OFFSET);
    if (offset > 0 && offset >= get_count(L, TOTAL)) {
        return false;
    }
    lua_settop(L, 0);
    lua_pushvalue(L, lua_upvalueindex(OBJECT));
    lua_pushvalue(L, lua_upvalueindex(ARGUMENTS));
    lua_pushinteger(L, offset);
    lua_setfield(L, 2, "offset");
    nats_status status =
        lnats_verb_start(L, listing->verb, 2, get_count(L, TIMEOUT), lnats_give_table);
    int results = status == NATS_OK ? lnats_future_finish(L) : lnats_fail(L, status);
    if (results != 1) {
        lua_settop(L, lua_gettop(L) - results + 2);
        lua_error(L); /* an iterator has no other way to say so */
    }
    return turn_page(L, listing->list);
}

static int next_of_pages(lua_State *L)
{
    const lnats_listing *listing = lua_touserdata(L, lua_upvalueindex(LISTING));
    while (!push_next(L)) {
        if (!next_page(L, listing)) {
            return 0;
        }
    }
    if (listing->each != NULL) {
        lua_pushvalue(L, lua_upvalueindex(OBJECT));
        lua_insert(L, -2);
        listing->each(L, lua_gettop(L) - 1);
    }
    return 1;
}

static void push_pages(lua_State *L, const lnats_listing *listing, int arguments,
                       int64_t timeout_ms)
{
    luaL_getmetatable(L, lnats_msg_kind.name);
    lua_pushlightuserdata(L, (void *)(uintptr_t)listing);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, arguments);
    lua_pushnil(L);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, 0);
    lua_pushinteger(L, timeout_ms);
    lua_pushcclosure(L, next_of_pages, UPVALUES);
}

/* The method's options at 2, which the iterator keeps, and the object's own names. */
int lnats_pages_method(lua_State *L, const lnats_listing *listing)
{
    const lnats_verb verb = {listing->verb, listing->verb, "", NULL};
    lua_settop(L, 2);
    int64_t timeout_ms = lnats_verb_arguments(L, &verb);
    push_pages(L, listing, lua_gettop(L), timeout_ms);
    return 1;
}

/* ---- the jetstream's own ---- */

static int js_call_start(lua_State *L)
{
    lnats_js_check(L, 1);
    const char *verb = luaL_checkstring(L, 2);
    int64_t timeout_ms = lnats_seconds(L, 4, "timeout", -1);
    lua_settop(L, 3);
    if (lua_istable(L, 3) && lua_rawlen(L, 3) > 0) {
        return lnats_fail_text(L, NATS_ERR_INVALID,
                               "the arguments are a list: names and their values are wanted",
                               "arguments");
    }
    nats_status status = lnats_verb_start(L, verb, 3, timeout_ms, give_any);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int js_call(lua_State *L)
{
    if (strcmp(luaL_checkstring(L, 2), "get_messages") == 0) {
        return lnats_fail_text(L, NATS_ERR_INVALID,
                               "get_messages gives several: stream:get_many() or js:call_start()",
                               "get_messages");
    }
    int results = js_call_start(L);
    return results == 1 ? lnats_future_finish(L) : results;
}

/* js:stream(name): no round trip. */
static int js_stream(lua_State *L)
{
    lnats_js_check(L, 1);
    luaL_checkstring(L, 2);
    lua_settop(L, 2);
    lnats_stream_push(L, 1, 0);
    return 1;
}

static void each_stream(lua_State *L, int about)
{
    int info = lua_gettop(L);
    push_config_name(L);
    lnats_stream_push(L, about, info);
}

static int js_streams(lua_State *L)
{
    static const lnats_listing listing = {"streams", "streams", each_stream};
    lnats_js_check(L, 1);
    return lnats_pages_method(L, &listing);
}

static int js_stream_names(lua_State *L)
{
    static const lnats_listing listing = {"stream_names", "streams", NULL};
    lnats_js_check(L, 1);
    return lnats_pages_method(L, &listing);
}

int lnats_client_jetstream(lua_State *L)
{
    static const char *const names[] = {"domain", "prefix", "timeout", NULL};
    nats_client *client = lnats_client_check(L, 1)->client;
    const char *domain = NULL;
    const char *prefix = NULL;
    int64_t timeout_ms = -1;
    lua_settop(L, 2);
    if (lnats_table(L, 2, "jetstream", names)) {
        size_t len;
        timeout_ms = lnats_table_seconds(L, 2, "timeout", -1);
        domain = lnats_table_text(L, 2, "domain", &len);
        prefix = lnats_table_text(L, 2, "prefix", &len);
    }
    lnats_js *js = lnats_new(L, &lnats_js_kind, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    nats_status status = nats_client_jetstream(client, domain, prefix, timeout_ms, &js->js);
    return status == NATS_OK ? 1 : lnats_fail(L, status);
}

static int js_gc(lua_State *L)
{
    lnats_js *js = lnats_test(L, 1, &lnats_js_kind);
    if (js != NULL) {
        nats_js *handle = js->js;
        js->js = NULL;
        nats_js_free(handle);
    }
    return 0;
}

static int js_tostring(lua_State *L)
{
    lnats_js *js = lnats_check(L, 1, &lnats_js_kind);
    return lnats_tostring(L, &lnats_js_kind, js, js->js != NULL ? "open" : "collected");
}

void lnats_js_open(lua_State *L)
{
    static const luaL_Reg methods[] = {{"call", js_call},
                                       {"call_start", js_call_start},
                                       {"consume", lnats_js_consume},
                                       {"consume_start", lnats_js_consume_start},
                                       {"stream", js_stream},
                                       {"streams", js_streams},
                                       {"stream_names", js_stream_names},
                                       {"publish", lnats_js_publish},
                                       {"publish_start", lnats_js_publish_start},
                                       {"publish_many", lnats_js_publish_many},
                                       {"publisher", lnats_js_publisher},
                                       {"level_start", lnats_js_level_start},
                                       {"batch", lnats_js_batch},
                                       {NULL, NULL}};
    static const lnats_verb verbs[] = {
        {"account_info", "account_info", "", lnats_give_table},
        {"create_stream", "create_stream", "config=", lnats_give_stream},
        {"update_stream", "update_stream", "config=", lnats_give_stream},
        {"create_or_update_stream", "create_or_update_stream", "config=", lnats_give_stream},
        {"get_or_create_stream", "get_or_create_stream", "config=", lnats_give_stream},
        {"delete_stream", "delete_stream", "stream", lnats_give_true},
        {NULL, NULL, NULL, NULL},
    };
    static const luaL_Reg meta[] = {{"__gc", js_gc}, {"__tostring", js_tostring}, {NULL, NULL}};
    lnats_type(L, &lnats_js_kind, methods, meta);
    lua_getfield(L, -1, "__index");
    lnats_verbs_set(L, &lnats_js_kind, verbs);
    lua_pop(L, 2);
}
