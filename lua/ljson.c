/* Lua values to JSON texts, and back. What a name means (seconds that JetStream has in nanoseconds,
 * a time, a list that may be empty) the library tells: nats_js_key() and nats_json_kind(). Nothing
 * is listed here. */
#include "lnats.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* As deep as the library reads; a table that holds itself ends here. */
#define DEPTH_MAX 32
/* Bytes of the largest text of a number or a time, and its end. */
#define NUMBER_SIZE 64
#define NS_PER_S INT64_C(1000000000)
/* Where a count or a sequence is wanted, integers below this are ones of 2^63 and more, as they come out of
 * an answer; those above it were meant to be negative, which the library refuses. */
#define UNSIGNED_BELOW (-(INT64_C(1) << 53))
/* 0001-01-01 and 9999-12-31T23:59:59, in seconds since 1970: what RFC 3339 can say. */
#define TIME_LEAST INT64_C(-62135596800)
#define TIME_MOST INT64_C(253402300799)

/* ---- a text that grows, in a box ---- */

typedef struct lnats_text {
    char *bytes;
    size_t len;
    size_t room;
} lnats_text;

static void text_release(void *held)
{
    lnats_text *text = held;
    free(text->bytes);
    free(text);
}

static lnats_text *text_push(lua_State *L)
{
    void **box = lnats_box(L, text_release);
    lnats_text *text = calloc(1, sizeof(*text));
    if (text == NULL) {
        luaL_error(L, "not enough memory");
    }
    *box = text;
    return text;
}

static void text_add(lua_State *L, lnats_text *text, const char *bytes, size_t len)
{
    if (text->room - text->len < len) {
        size_t room = (text->room + len) * 2;
        char *grown = room > len ? realloc(text->bytes, room) : NULL;
        if (grown == NULL) {
            luaL_error(L, "not enough memory");
        }
        text->bytes = grown;
        text->room = room;
    }
    memcpy(text->bytes + text->len, bytes, len);
    text->len += len;
}

static void text_put(lua_State *L, lnats_text *text, const char *plain)
{
    text_add(L, text, plain, strlen(plain));
}

/* ---- writing ---- */

/* What the library knows of the value that is written. */
typedef struct lnats_meant {
    const char *name;   /* for errors */
    const char *object; /* the type of the members, if it is an object or a list of such */
    int32_t kind;       /* NATS_JSON_…, 0 when it knows nothing */
    int32_t element;
    int depth;
} lnats_meant;

static void write_value(lua_State *L, lnats_text *text, int at, const lnats_meant *meant);

static void write_string(lua_State *L, lnats_text *text, const char *bytes, size_t len)
{
    text_put(L, text, "\"");
    size_t plain = 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= ' ' && c != '"' && c != '\\') {
            continue;
        }
        char escape[NUMBER_SIZE];
        snprintf(escape, sizeof(escape), c >= ' ' ? "\\%c" : "\\u%04x", c);
        text_add(L, text, bytes + plain, i - plain);
        text_put(L, text, escape);
        plain = i + 1;
    }
    text_add(L, text, bytes + plain, len - plain);
    text_put(L, text, "\"");
}

static int64_t whole_ns(lua_State *L, int at, const char *name)
{
    lua_Number ns = lua_tonumber(L, at) * (lua_Number)NS_PER_S;
    int64_t whole;
    if (lua_isinteger(L, at) &&
        !__builtin_mul_overflow((int64_t)lua_tointeger(L, at), NS_PER_S, &whole)) {
        return whole;
    }
    if (!(fabs(ns) < (lua_Number)INT64_MAX)) {
        luaL_error(L, "'%s' must be a number of seconds, of less than 292 years, not %f", name,
                   lua_tonumber(L, at));
    }
    return llround(ns);
}

/* Seconds since 1970 as RFC 3339 says them. */
static void write_time(lua_State *L, lnats_text *text, int at, const char *name)
{
    lua_Number value = lua_tonumber(L, at);
    if (!(value >= (lua_Number)TIME_LEAST && value <= (lua_Number)TIME_MOST)) {
        luaL_error(L, "'%s' must be seconds since 1970 in the years 1 to 9999, not %f", name,
                   value);
    }
    lua_Number whole = floor(value);
    int64_t ns = llround((value - whole) * (lua_Number)NS_PER_S);
    time_t seconds = (time_t)whole + (ns == NS_PER_S);
    struct tm parts;
    char said[NUMBER_SIZE];
    gmtime_r(&seconds, &parts);
    snprintf(said, sizeof(said), "\"%04d-%02d-%02dT%02d:%02d:%02d.%09" PRId64 "Z\"",
             parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
             parts.tm_sec, ns % NS_PER_S);
    text_put(L, text, said);
}

/* A number that means nothing but itself. */
static void write_plain(lua_State *L, lnats_text *text, int at, const lnats_meant *meant)
{
    char said[NUMBER_SIZE];
    int whole = 0;
    lua_Integer integer = lua_tointegerx(L, at, &whole);
    if (whole != 0 && meant->kind == NATS_JSON_UINT && integer < UNSIGNED_BELOW) {
        snprintf(said, sizeof(said), "%" PRIu64, (uint64_t)integer);
    } else if (whole != 0) {
        snprintf(said, sizeof(said), "%" PRId64, (int64_t)integer);
    } else if (isfinite(lua_tonumber(L, at))) {
        snprintf(said, sizeof(said), "%.17g", lua_tonumber(L, at));
    } else {
        luaL_error(L, "'%s' must be a number that JSON has, not %f", meant->name,
                   lua_tonumber(L, at));
    }
    text_put(L, text, said);
}

static void write_number(lua_State *L, lnats_text *text, int at, const lnats_meant *meant)
{
    char said[NUMBER_SIZE];
    switch (meant->kind) {
    case NATS_JSON_DURATION:
        snprintf(said, sizeof(said), "%" PRId64, whole_ns(L, at, meant->name));
        text_put(L, text, said);
        return;
    case NATS_JSON_TIME:
        write_time(L, text, at, meant->name);
        return;
    default:
        write_plain(L, text, at, meant);
    }
}

static size_t count_entries(lua_State *L, int at)
{
    size_t count = 0;
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        count++;
    }
    return count;
}

static void write_list(lua_State *L, lnats_text *text, int at, const lnats_meant *meant)
{
    lnats_meant each = {meant->name, meant->object, meant->element, 0, meant->depth + 1};
    size_t count = lua_rawlen(L, at);
    if (count_entries(L, at) != count) {
        luaL_error(L, "'%s' must be a list: values at 1, 2, 3 …, and no others", meant->name);
    }
    text_put(L, text, "[");
    for (size_t i = 1; i <= count; i++) {
        if (i > 1) {
            text_put(L, text, ",");
        }
        lua_rawgeti(L, at, (lua_Integer)i);
        write_value(L, text, lua_gettop(L), &each);
        lua_pop(L, 1);
    }
    text_put(L, text, "]");
}

typedef struct lnats_name {
    const char *text; /* kept alive by the table it is a key of */
    size_t len;
} lnats_name;

static int compare_names(const void *left, const void *right)
{
    const lnats_name *a = left;
    const lnats_name *b = right;
    int sign = memcmp(a->text, b->text, a->len < b->len ? a->len : b->len);
    return sign != 0 ? sign : (a->len > b->len) - (a->len < b->len);
}

/* The names that the table has, sorted, in a userdata on the stack: tables have no order, and the same
 * configuration is to be the same text. */
static lnats_name *push_names(lua_State *L, int at, const char *what, size_t *count_out)
{
    size_t count = 0;
    size_t room = count_entries(L, at);
    lnats_name *names = lua_newuserdatauv(L, (room + 1) * sizeof(*names), 0);
    for (lua_pushnil(L); lua_next(L, at) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) {
            luaL_error(L, "'%s' must have names as its keys; found a %s", what,
                       luaL_typename(L, -2));
        }
        if (count < room) {
            names[count].text = lua_tolstring(L, -2, &names[count].len);
            count++;
        }
    }
    qsort(names, count, sizeof(*names), compare_names);
    *count_out = count;
    return names;
}

/* The value is at the top of the stack. */
static void write_member(lua_State *L, lnats_text *text, const lnats_name *name,
                         const lnats_meant *meant)
{
    lnats_meant member = {.name = name->text, .depth = meant->depth + 1};
    write_string(L, text, name->text, name->len);
    text_put(L, text, ":");
    if (strlen(name->text) == name->len && meant->object != NULL) {
        member.kind = nats_js_key(meant->object, name->text, &member.element, &member.object);
    }
    write_value(L, text, lua_gettop(L), &member);
}

static void write_object(lua_State *L, lnats_text *text, int at, const lnats_meant *meant)
{
    size_t count;
    int top = lua_gettop(L);
    const lnats_name *names = push_names(L, at, meant->name, &count);
    text_put(L, text, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0) {
            text_put(L, text, ",");
        }
        lua_pushlstring(L, names[i].text, names[i].len);
        lua_rawget(L, at);
        write_member(L, text, &names[i], meant);
        lua_pop(L, 1);
    }
    text_put(L, text, "}");
    lua_settop(L, top);
}

static void write_table(lua_State *L, lnats_text *text, int at, const lnats_meant *meant)
{
    if (meant->depth >= DEPTH_MAX) {
        luaL_error(L, "'%s' is nested more than %d deep", meant->name, DEPTH_MAX);
    }
    luaL_checkstack(L, LUA_MINSTACK, meant->name);
    bool list = meant->kind == NATS_JSON_ARRAY ||
                (meant->kind != NATS_JSON_OBJECT && lua_rawlen(L, at) > 0);
    if (list) {
        write_list(L, text, at, meant);
    } else {
        write_object(L, text, at, meant);
    }
}

static void write_value(lua_State *L, lnats_text *text, int at, const lnats_meant *meant)
{
    size_t len;
    const char *bytes;
    switch (lua_type(L, at)) {
    case LUA_TBOOLEAN:
        text_put(L, text, lua_toboolean(L, at) ? "true" : "false");
        return;
    case LUA_TSTRING:
        bytes = lua_tolstring(L, at, &len);
        write_string(L, text, bytes, len);
        return;
    case LUA_TNUMBER:
        write_number(L, text, at, meant);
        return;
    case LUA_TTABLE:
        write_table(L, text, at, meant);
        return;
    default:
        luaL_error(L, "'%s' must be a text, a number, a boolean or a table, not a %s", meant->name,
                   luaL_typename(L, at));
    }
}

const char *lnats_json_write(lua_State *L, int arg, const char *object, size_t *len_out)
{
    lnats_meant meant = {object, object, NATS_JSON_OBJECT, 0, 0};
    lnats_text *text = text_push(L);
    if (lua_isnoneornil(L, arg)) {
        text_put(L, text, "{}");
    } else {
        luaL_checktype(L, arg, LUA_TTABLE);
        write_table(L, text, arg, &meant);
    }
    *len_out = text->len;
    return text->bytes;
}

/* ---- reading ---- */

static void push_value(lua_State *L, const nats_json *value);

/* In two parts: all of the ns would be rounded once more. */
static void push_seconds(lua_State *L, int64_t ns)
{
    lua_pushnumber(L, (lua_Number)(ns / NS_PER_S) +
                          (lua_Number)(ns % NS_PER_S) / (lua_Number)NS_PER_S);
}

static void push_number(lua_State *L, const nats_json *value, int32_t kind)
{
    int64_t integer;
    uint64_t whole;
    double real = 0;
    if (kind == NATS_JSON_DURATION) {
        nats_json_int(value, &integer);
        push_seconds(L, integer);
    } else if (kind == NATS_JSON_INT) {
        nats_json_int(value, &integer);
        lua_pushinteger(L, integer);
    } else if (kind == NATS_JSON_UINT) {
        nats_json_uint(value, &whole);
        lua_pushinteger(L, (lua_Integer)whole);
    } else {
        nats_json_real(value, &real);
        lua_pushnumber(L, real);
    }
}

/* "0001-01-01T00:00:00Z" is how the server says that it never happened: nil. */
static void push_time(lua_State *L, const nats_json *value)
{
    int64_t ns;
    size_t len;
    const char *text = nats_json_text(value, &len);
    if (nats_json_time(value, &ns) != 0) {
        push_seconds(L, ns);
    } else if (text != NULL && strncmp(text, "0001-", 5) == 0) {
        lua_pushnil(L);
    } else {
        lua_pushlstring(L, text != NULL ? text : "", len);
    }
}

static void push_list(lua_State *L, const nats_json *list)
{
    size_t count = nats_json_count(list);
    lua_createtable(L, count < INT32_MAX ? (int)count : 0, 0);
    for (size_t i = 0; i < count; i++) {
        push_value(L, nats_json_at(list, i));
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

static void push_object(lua_State *L, const nats_json *object)
{
    size_t count = nats_json_count(object);
    lua_createtable(L, 0, count < INT32_MAX ? (int)count : 0);
    for (size_t i = 0; i < count; i++) {
        const char *name = "";
        const nats_json *value = nats_json_member(object, i, &name);
        lua_pushstring(L, name);
        push_value(L, value);
        lua_rawset(L, -3);
    }
}

static void push_value(lua_State *L, const nats_json *value)
{
    size_t len = 0;
    int64_t truth = 0;
    int32_t kind = nats_json_kind(value);
    luaL_checkstack(L, LUA_MINSTACK, "the answer is nested too deep");
    switch (kind) {
    case NATS_JSON_OBJECT:
        push_object(L, value);
        return;
    case NATS_JSON_ARRAY:
        push_list(L, value);
        return;
    case NATS_JSON_TEXT: {
        const char *text = nats_json_text(value, &len);
        lua_pushlstring(L, text, len);
        return;
    }
    case NATS_JSON_TIME:
        push_time(L, value);
        return;
    case NATS_JSON_BOOL:
        nats_json_int(value, &truth);
        lua_pushboolean(L, truth != 0);
        return;
    case NATS_JSON_NULL:
    case 0:
        lua_pushnil(L);
        return;
    default:
        push_number(L, value, kind);
    }
}

static void release_json(void *json)
{
    nats_json_free(json);
}

nats_status lnats_json_read(lua_State *L, const char *text, size_t len)
{
    void **box = lnats_box(L, release_json);
    int index = lua_gettop(L);
    nats_json *json = NULL;
    nats_status status = nats_json_parse(text, len, &json);
    if (status != NATS_OK) {
        lua_pop(L, 1);
        return status;
    }
    *box = json;
    push_value(L, json);
    lnats_box_drop(L, index);
    lua_remove(L, index);
    return NATS_OK;
}
