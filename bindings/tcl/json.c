/* Tcl values to JSON, and back. A value of Tcl's has no type, so the key decides how it is written:
 * nats_js_key() knows what each means. How one is read nats_json_kind() tells. Nothing is listed here. */
#include "tnats.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S INT64_C(1000000000)
/* Digits of a second that a ns needs. */
#define NS_DIGITS 9
/* Of the longest text of a number or a time. */
#define NUMBER_SIZE 64

/* ---- seconds ---- */

/* sign, digits, and digits behind a point: true when that is all there is, and it fits. */
bool tnats_ns_of(const char *text, int64_t *ns_out)
{
    bool negative = text[0] == '-';
    const char *at = negative || text[0] == '+' ? text + 1 : text;
    int64_t ns = 0;
    int digits = 0;
    for (; *at >= '0' && *at <= '9'; at++, digits++) {
        if (__builtin_mul_overflow(ns, 10, &ns) || __builtin_add_overflow(ns, *at - '0', &ns)) {
            return false;
        }
    }
    at += *at == '.' ? 1 : 0;
    int behind = 0;
    for (; *at >= '0' && *at <= '9' && behind < NS_DIGITS; at++, behind++) {
        if (__builtin_mul_overflow(ns, 10, &ns) || __builtin_add_overflow(ns, *at - '0', &ns)) {
            return false;
        }
    }
    if (*at != '\0' || digits + behind == 0) {
        return false;
    }
    for (; behind < NS_DIGITS; behind++) {
        if (__builtin_mul_overflow(ns, 10, &ns)) {
            return false;
        }
    }
    *ns_out = negative ? -ns : ns;
    return true;
}

/* The same of any number that Tcl knows, such as 1e-3. */
static bool seconds_of(Tcl_Obj *obj, int64_t *ns_out)
{
    double seconds;
    if (tnats_ns_of(Tcl_GetString(obj), ns_out)) {
        return true;
    }
    if (Tcl_GetDoubleFromObj(NULL, obj, &seconds) != TCL_OK ||
        !(fabs(seconds) < (double)(INT64_MAX / NS_PER_S))) {
        return false;
    }
    *ns_out = llround(seconds * (double)NS_PER_S);
    return true;
}

Tcl_Obj *tnats_time_new(int64_t ns)
{
    int64_t rest = ns % NS_PER_S;
    bool negative = ns < 0;
    return Tcl_ObjPrintf("%s%ld.%09d", negative ? "-" : "",
                         (long)(negative ? -(ns / NS_PER_S) : ns / NS_PER_S),
                         (int)(negative ? -rest : rest));
}

/* As few digits as say it, and one behind the point at least. */
static Tcl_Obj *duration_new(int64_t ns)
{
    Tcl_Obj *made = tnats_time_new(ns);
    Tcl_Size len;
    const char *text = Tcl_GetStringFromObj(made, &len);
    while (text[len - 1] == '0' && text[len - 2] != '.') {
        len--;
    }
    Tcl_SetObjLength(made, len);
    return made;
}

/* ---- writing ---- */

/* What the library knows of the value that is written. */
typedef struct meaning {
    const char *name;   /* for errors */
    const char *object; /* the type of the members, when it is an object or a list of such */
    int32_t kind;       /* NATS_JSON_…, 0 when it knows nothing */
    int32_t element;
} meaning;

static int write_value(Tcl_Interp *interp, Tcl_Obj *value, const meaning *meant, Tcl_DString *out);

static void put(Tcl_DString *out, const char *text)
{
    Tcl_DStringAppend(out, text, -1);
}

static void write_bytes(const char *bytes, size_t len, Tcl_DString *out)
{
    size_t plain = 0;
    put(out, "\"");
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)bytes[i];
        if (c >= ' ' && c != '"' && c != '\\') {
            continue;
        }
        char escape[NUMBER_SIZE];
        snprintf(escape, sizeof(escape), c >= ' ' ? "\\%c" : "\\u%04x", c);
        Tcl_DStringAppend(out, bytes + plain, (Tcl_Size)(i - plain));
        put(out, escape);
        plain = i + 1;
    }
    Tcl_DStringAppend(out, bytes + plain, (Tcl_Size)(len - plain));
    put(out, "\"");
}

static void write_text(Tcl_Obj *value, Tcl_DString *out)
{
    tnats_bytes text;
    tnats_text(value, &text);
    write_bytes(text.ptr, text.len, out);
    tnats_bytes_free(&text);
}

/* Is it a number as JSON has them? */
static bool is_json_number(const char *at)
{
    at += *at == '-' ? 1 : 0;
    size_t whole = strspn(at, "0123456789");
    if (whole == 0 || (at[0] == '0' && whole > 1)) {
        return false;
    }
    at += whole;
    if (*at == '.') {
        size_t behind = strspn(at + 1, "0123456789");
        at += behind > 0 ? behind + 1 : 0;
    }
    if (*at == 'e' || *at == 'E') {
        at += at[1] == '-' || at[1] == '+' ? 2 : 1;
        size_t exponent = strspn(at, "0123456789");
        return exponent > 0 && at[exponent] == '\0';
    }
    return *at == '\0';
}

/* What is no number goes as a text, which the library refuses by name. */
static void write_number(Tcl_Obj *value, Tcl_DString *out)
{
    char said[NUMBER_SIZE];
    Tcl_WideInt whole;
    if (is_json_number(Tcl_GetString(value))) {
        put(out, Tcl_GetString(value));
    } else if (Tcl_GetWideIntFromObj(NULL, value, &whole) == TCL_OK) {
        snprintf(said, sizeof(said), "%lld", (long long)whole);
        put(out, said);
    } else {
        write_text(value, out);
    }
}

static void write_truth(Tcl_Obj *value, Tcl_DString *out)
{
    int truth;
    if (Tcl_GetBooleanFromObj(NULL, value, &truth) == TCL_OK) {
        put(out, truth != 0 ? "true" : "false");
        return;
    }
    write_text(value, out);
}

/* Seconds as ns; "2m" is the library's to read. */
static void write_duration(Tcl_Obj *value, Tcl_DString *out)
{
    char said[NUMBER_SIZE];
    int64_t ns;
    if (!seconds_of(value, &ns)) {
        write_text(value, out);
        return;
    }
    snprintf(said, sizeof(said), "%lld", (long long)ns);
    put(out, said);
}

/* Seconds since 1970 as RFC 3339. */
static void write_time(Tcl_Obj *value, Tcl_DString *out)
{
    char said[NUMBER_SIZE];
    struct tm parts;
    int64_t ns;
    if (!seconds_of(value, &ns)) {
        write_text(value, out);
        return;
    }
    int64_t rest = (ns % NS_PER_S + NS_PER_S) % NS_PER_S;
    time_t seconds = (time_t)((ns - rest) / NS_PER_S);
    gmtime_r(&seconds, &parts);
    snprintf(said, sizeof(said), "\"%04d-%02d-%02dT%02d:%02d:%02d.%09dZ\"", parts.tm_year + 1900,
             parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, (int)rest);
    put(out, said);
}

static int write_list(Tcl_Interp *interp, Tcl_Obj *value, const meaning *meant, Tcl_DString *out)
{
    Tcl_Size count;
    Tcl_Obj **items;
    meaning each = {meant->name, meant->object, meant->element, 0};
    if (Tcl_ListObjGetElements(interp, value, &count, &items) != TCL_OK) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, meant->name,
                               "%s must be a list, not \"%.80s\"", meant->name,
                               Tcl_GetString(value));
    }
    put(out, "[");
    for (Tcl_Size i = 0; i < count; i++) {
        put(out, i > 0 ? "," : "");
        if (write_value(interp, items[i], &each, out) != TCL_OK) {
            return TCL_ERROR;
        }
    }
    put(out, "]");
    return TCL_OK;
}

/* An empty value of an option is an absent one; but an empty text, list or object is one. */
static bool is_left_out(Tcl_Obj *value, int32_t kind)
{
    bool has_empty = kind == 0 || kind == NATS_JSON_TEXT || kind == NATS_JSON_ARRAY ||
                     kind == NATS_JSON_OBJECT;
    return !has_empty && Tcl_GetString(value)[0] == '\0';
}

/* The keys of a map ("") are its own, and its values texts. */
static meaning meaning_of(const char *object, const char *name)
{
    meaning found = {.name = name};
    if (object != NULL && object[0] != '\0') {
        found.kind = nats_js_key(object, name, &found.element, &found.object);
    }
    return found;
}

static int write_object(Tcl_Interp *interp, Tcl_Obj *dict, const meaning *meant, Tcl_DString *out)
{
    Tcl_DictSearch search;
    Tcl_Obj *key;
    Tcl_Obj *value;
    int done;
    bool any = false;
    int code = Tcl_DictObjFirst(interp, dict, &search, &key, &value, &done);
    if (code != TCL_OK) {
        return tnats_fail_text(interp, NATS_ERR_INVALID, meant->name,
                               "%s must be an object, which is a dict, not \"%.80s\"", meant->name,
                               Tcl_GetString(dict));
    }
    put(out, "{");
    for (; code == TCL_OK && !done; Tcl_DictObjNext(&search, &key, &value, &done)) {
        meaning member = meaning_of(meant->object, Tcl_GetString(key));
        if (is_left_out(value, member.kind)) {
            continue;
        }
        put(out, any ? "," : "");
        any = true;
        write_text(key, out);
        put(out, ":");
        code = write_value(interp, value, &member, out);
    }
    Tcl_DictObjDone(&search);
    put(out, "}");
    return code;
}

static int write_value(Tcl_Interp *interp, Tcl_Obj *value, const meaning *meant, Tcl_DString *out)
{
    switch (meant->kind) {
    case NATS_JSON_OBJECT:
        return write_object(interp, value, meant, out);
    case NATS_JSON_ARRAY:
        return write_list(interp, value, meant, out);
    case NATS_JSON_BOOL:
        write_truth(value, out);
        return TCL_OK;
    case NATS_JSON_INT:
    case NATS_JSON_UINT:
    case NATS_JSON_REAL:
        write_number(value, out);
        return TCL_OK;
    case NATS_JSON_DURATION:
        write_duration(value, out);
        return TCL_OK;
    case NATS_JSON_TIME:
        write_time(value, out);
        return TCL_OK;
    default:
        write_text(value, out);
        return TCL_OK;
    }
}

int tnats_json_write(Tcl_Interp *interp, Tcl_Obj *dict, const char *object, Tcl_DString *out)
{
    meaning meant = {"arguments", object, NATS_JSON_OBJECT, 0};
    Tcl_DStringInit(out);
    if (dict == NULL) {
        put(out, "{}");
        return TCL_OK;
    }
    int code = write_object(interp, dict, &meant, out);
    if (code != TCL_OK) {
        Tcl_DStringFree(out);
    }
    return code;
}

/* ---- reading ---- */

static Tcl_Obj *value_new(const nats_json *value);

Tcl_Obj *tnats_uint_new(uint64_t number)
{
    char said[NUMBER_SIZE];
    if (number <= INT64_MAX) {
        return Tcl_NewWideIntObj((Tcl_WideInt)number);
    }
    int len = snprintf(said, sizeof(said), "%llu", (unsigned long long)number);
    return Tcl_NewStringObj(said, len);
}

/* "0001-01-01T00:00:00Z" is how the server says that it never happened: nothing. */
static Tcl_Obj *time_new(const nats_json *value)
{
    int64_t ns;
    size_t len;
    const char *text = nats_json_text(value, &len);
    if (nats_json_time(value, &ns) != 0) {
        return tnats_time_new(ns);
    }
    bool never = text == NULL || strncmp(text, "0001-", 5) == 0;
    return never ? Tcl_NewObj() : tnats_text_new(text, len);
}

static Tcl_Obj *list_new(const nats_json *list)
{
    size_t count = nats_json_count(list);
    Tcl_Obj *made = Tcl_NewListObj(0, NULL);
    for (size_t i = 0; i < count; i++) {
        Tcl_ListObjAppendElement(NULL, made, value_new(nats_json_at(list, i)));
    }
    return made;
}

static Tcl_Obj *dict_new(const nats_json *object)
{
    size_t count = nats_json_count(object);
    Tcl_Obj *made = Tcl_NewDictObj();
    for (size_t i = 0; i < count; i++) {
        const char *name = "";
        const nats_json *value = nats_json_member(object, i, &name);
        Tcl_DictObjPut(NULL, made, tnats_word_new(name), value_new(value));
    }
    return made;
}

static Tcl_Obj *number_new(const nats_json *value, int32_t kind)
{
    int64_t whole = 0;
    uint64_t count = 0;
    double real = 0;
    switch (kind) {
    case NATS_JSON_INT:
        nats_json_int(value, &whole);
        return Tcl_NewWideIntObj(whole);
    case NATS_JSON_UINT:
        nats_json_uint(value, &count);
        return tnats_uint_new(count);
    case NATS_JSON_DURATION:
        nats_json_int(value, &whole);
        return duration_new(whole);
    default:
        nats_json_real(value, &real);
        return Tcl_NewDoubleObj(real);
    }
}

static Tcl_Obj *value_new(const nats_json *value)
{
    size_t len = 0;
    int64_t truth = 0;
    const char *text;
    int32_t kind = nats_json_kind(value);
    switch (kind) {
    case NATS_JSON_OBJECT:
        return dict_new(value);
    case NATS_JSON_ARRAY:
        return list_new(value);
    case NATS_JSON_TEXT:
        text = nats_json_text(value, &len);
        return tnats_text_new(text, len);
    case NATS_JSON_TIME:
        return time_new(value);
    case NATS_JSON_BOOL:
        nats_json_int(value, &truth);
        return tnats_word_new(truth != 0 ? "true" : "false");
    case NATS_JSON_NULL:
    case 0:
        return Tcl_NewObj();
    default:
        return number_new(value, kind);
    }
}

nats_status tnats_json_read(const char *text, size_t len, Tcl_Obj **value_out)
{
    nats_json *json = NULL;
    nats_status status = nats_json_parse(text, len, &json);
    if (status == NATS_OK) {
        *value_out = value_new(json);
        nats_json_free(json);
    }
    return status;
}

/* ---- the table ---- */

int tnats_js_key_command(ClientData data, Tcl_Interp *interp, int objc, Tcl_Obj *const objv[])
{
    static const char *const kinds[] = {"",     "null",  "boolean", "integer", "count",   "real",
                                        "text", "list",  "dict",    "seconds", "time"};
    (void)data;
    (void)objc;
    int32_t element = 0;
    const char *object = NULL;
    int32_t kind = nats_js_key(Tcl_GetString(objv[1]), Tcl_GetString(objv[2]), &element, &object);
    int32_t most = (int32_t)(sizeof(kinds) / sizeof(kinds[0]));
    Tcl_Obj *words[] = {tnats_word_new(kind >= 0 && kind < most ? kinds[kind] : ""),
                        tnats_word_new(element >= 0 && element < most ? kinds[element] : ""),
                        tnats_word_new(object != NULL ? object : "")};
    Tcl_SetObjResult(interp, Tcl_NewListObj(3, words));
    return TCL_OK;
}
