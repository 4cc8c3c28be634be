#include "proto/info.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/error.h"
#include "json/json.h"

/* One step of nats_info_next(). The texts are in `flat`, by offset, because it grows while they
 * are written. */
typedef struct nats__info_field {
    size_t name;
    size_t value;
    size_t value_len;
    int32_t kind;
    bool in_list;
} nats__info_field;

/* ---- what the state machine needs ---- */

static nats_status fail_field(const char *name, const char *wanted)
{
    return nats__fail(NATS_ERR_PROTOCOL, name, "INFO: %s is not %s", name, wanted);
}

/* A member that is there and not null; the server leaves out what is empty. */
static const nats__json *member(const nats__json *doc, const char *name)
{
    const nats__json *value = nats__json_get(doc, name);
    return nats__json_kind_of(value) == NATS__JSON_NULL ? NULL : value;
}

static nats_status read_bool(const nats__json *doc, const char *name, bool *out)
{
    const nats__json *value = member(doc, name);
    return value == NULL || nats__json_bool(value, out) ? NATS_OK
                                                        : fail_field(name, "true or false");
}

static nats_status read_text(const nats__json *doc, const char *name, const char **out)
{
    *out = "";
    const nats__json *value = member(doc, name);
    return value == NULL || nats__json_text(value, out, NULL) ? NATS_OK
                                                              : fail_field(name, "a text");
}

static nats_status read_int(const nats__json *doc, const char *name, int64_t min, int64_t max,
                            int64_t *out)
{
    const nats__json *value = member(doc, name);
    if (value == NULL) {
        return NATS_OK;
    }
    if (nats__json_kind_of(value) != NATS__JSON_INT) {
        return fail_field(name, "a whole number");
    }
    if (!nats__json_int(value, out) || *out < min || *out > max) {
        return nats__fail(NATS_ERR_PROTOCOL, name,
                          "INFO: %s is out of range: %" PRId64 " to %" PRId64, name, min, max);
    }
    return NATS_OK;
}

static nats_status check_connect_urls(const nats__json *doc)
{
    const nats__json *urls = member(doc, "connect_urls");
    if (urls == NULL) {
        return NATS_OK;
    }
    if (nats__json_kind_of(urls) != NATS__JSON_ARRAY) {
        return fail_field("connect_urls", "a list");
    }
    for (size_t i = 0; i < nats__json_count(urls); i++) {
        if (nats__json_kind_of(nats__json_at(urls, i)) != NATS__JSON_TEXT) {
            return fail_field("connect_urls", "a list of texts");
        }
    }
    return NATS_OK;
}

static nats_status read_numbers(nats_info *info)
{
    int64_t proto = 0;
    info->max_payload = NATS__MAX_PAYLOAD_DEFAULT;
    nats_status status = read_int(info->doc, "max_payload", 1, NATS__MAX_PAYLOAD_CAP,
                                  &info->max_payload);
    if (status == NATS_OK) {
        status = read_int(info->doc, "client_id", 0, INT64_MAX, &info->client_id);
    }
    if (status == NATS_OK) {
        status = read_int(info->doc, "proto", 0, INT32_MAX, &proto);
    }
    info->proto = (int32_t)proto;
    return status;
}

static nats_status read_flags(nats_info *info)
{
    const struct {
        const char *name;
        bool *out;
    } flags[] = {
        {"headers", &info->headers},
        {"auth_required", &info->auth_required},
        {"tls_required", &info->tls_required},
        {"tls_available", &info->tls_available},
        {"ldm", &info->lame_duck},
    };
    nats_status status = NATS_OK;
    for (size_t i = 0; status == NATS_OK && i < sizeof flags / sizeof flags[0]; i++) {
        status = read_bool(info->doc, flags[i].name, flags[i].out);
    }
    return status;
}

static nats_status read_texts(nats_info *info)
{
    nats_status status = read_text(info->doc, "server_id", &info->server_id);
    if (status == NATS_OK) {
        status = read_text(info->doc, "version", &info->version);
    }
    return status == NATS_OK ? read_text(info->doc, "nonce", &info->nonce) : status;
}

static nats_status read_fields(nats_info *info)
{
    nats_status status = read_numbers(info);
    if (status == NATS_OK) {
        status = read_flags(info);
    }
    if (status == NATS_OK) {
        status = read_texts(info);
    }
    return status == NATS_OK ? check_connect_urls(info->doc) : status;
}

/* ---- all fields, one after the other ---- */

static bool flatten_int(nats__buf *flat, const nats__json *value)
{
    char digits[NATS__DECIMAL_MAX + 1];
    size_t len = 0;
    uint64_t number;
    int64_t negative;
    if (!nats__json_uint(value, &number)) {
        if (!nats__json_int(value, &negative)) {
            return false;
        }
        number = (uint64_t)-(negative + 1) + 1; /* INT64_MIN too */
        digits[len++] = '-';
    }
    len += nats__decimal_write(digits + len, number);
    return nats__buf_append(flat, digits, len);
}

static bool flatten_json(nats__buf *flat, const nats__json *value)
{
    char *json = nats__json_write(value);
    bool ok = json != NULL && nats__buf_append_text(flat, json);
    free(json);
    return ok;
}

/* The text of a value, at the end of flat; *kind: how it is told. */
static bool flatten_value(nats__buf *flat, const nats__json *value, int32_t *kind)
{
    const char *text;
    size_t len;
    bool yes;
    if (nats__json_text(value, &text, &len)) {
        *kind = NATS_INFO_TEXT;
        return nats__buf_append(flat, text, len);
    }
    if (nats__json_bool(value, &yes)) {
        *kind = NATS_INFO_BOOL;
        return nats__buf_append_text(flat, yes ? "true" : "false");
    }
    if (nats__json_kind_of(value) == NATS__JSON_INT) {
        *kind = NATS_INFO_INT;
        return flatten_int(flat, value);
    }
    *kind = NATS_INFO_JSON;
    return flatten_json(flat, value);
}

static bool add_field(nats_info *info, nats__buf *flat, size_t name, const nats__json *value,
                      bool in_list)
{
    nats__info_field *field = &info->fields[info->field_count];
    field->name = name;
    field->value = flat->len;
    field->in_list = in_list;
    if (!flatten_value(flat, value, &field->kind)) {
        return false;
    }
    field->value_len = flat->len - field->value;
    info->field_count++;
    return nats__buf_append(flat, "", 1);
}

static bool add_member(nats_info *info, nats__buf *flat, const char *name, const nats__json *value)
{
    size_t at = flat->len;
    bool ok = nats__buf_append(flat, name, strlen(name) + 1);
    if (nats__json_kind_of(value) != NATS__JSON_ARRAY) {
        return ok && add_field(info, flat, at, value, false);
    }
    for (size_t i = 0; ok && i < nats__json_count(value); i++) {
        ok = add_field(info, flat, at, nats__json_at(value, i), true);
    }
    return ok;
}

static size_t count_fields(const nats__json *doc)
{
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    size_t count = 0;
    while (nats__json_next(doc, &cursor, &name, &value)) {
        count += nats__json_kind_of(value) == NATS__JSON_ARRAY ? nats__json_count(value) : 1;
    }
    return count;
}

static nats_status fail_memory(void)
{
    return nats__fail(NATS_ERR_NO_MEMORY, "INFO", "INFO: no memory");
}

static nats_status flatten(nats_info *info)
{
    size_t count = count_fields(info->doc);
    if (count > NATS__INFO_FIELDS_MAX) {
        return nats__fail(NATS_ERR_PROTOCOL, "INFO",
                          "INFO: %zu fields and list elements, at most %d", count,
                          NATS__INFO_FIELDS_MAX);
    }
    info->fields = calloc(count + 1, sizeof *info->fields);
    bool ok = info->fields != NULL;
    void *cursor = NULL;
    const char *name;
    const nats__json *value;
    nats__buf flat = {0};
    while (ok && nats__json_next(info->doc, &cursor, &name, &value)) {
        ok = add_member(info, &flat, name, value);
    }
    info->flat = (char *)flat.data;
    return ok ? NATS_OK : fail_memory();
}

/* ---- the whole ---- */

/* Two bytes of text can become a kilobyte of JSON object, so the marks that make one are counted
 * before it is made. Those within texts count too: few servers have IPv6 addresses by thousands. */
static nats_status check_marks(const nats_info *info)
{
    size_t brackets = 0;
    size_t commas = 0;
    for (size_t i = 0; i < info->json_len; i++) {
        brackets += info->json[i] == '[' || info->json[i] == '{';
        commas += info->json[i] == ',';
    }
    if (brackets > NATS__INFO_BRACKETS_MAX) {
        return nats__fail(NATS_ERR_PROTOCOL, "INFO", "INFO: %zu lists and objects, at most %d",
                          brackets, NATS__INFO_BRACKETS_MAX);
    }
    return commas < NATS__INFO_FIELDS_MAX
               ? NATS_OK
               : nats__fail(NATS_ERR_PROTOCOL, "INFO",
                            "INFO: %zu fields and list elements, at most %d", commas + 1,
                            NATS__INFO_FIELDS_MAX);
}

static nats_status parse_doc(nats_info *info)
{
    nats_status marks = check_marks(info);
    if (marks != NATS_OK) {
        return marks;
    }
    const char *error = NULL;
    info->doc = nats__json_parse(info->json, info->json_len, &error);
    if (info->doc == NULL) {
        /* That memory is out is told apart by its text only: the parser has one way to fail. */
        return strcmp(error, "out of memory") == 0
                   ? fail_memory()
                   : nats__fail(NATS_ERR_PROTOCOL, "INFO", "INFO: %s", error);
    }
    if (nats__json_kind_of(info->doc) != NATS__JSON_OBJECT) {
        return nats__fail(NATS_ERR_PROTOCOL, "INFO", "INFO: not a JSON object");
    }
    nats_status status = read_fields(info);
    return status == NATS_OK ? flatten(info) : status;
}

nats_status nats__info_parse(const char *json, size_t len, nats_info **out)
{
    *out = NULL;
    nats_info *info = calloc(1, sizeof *info);
    if (info == NULL) {
        return fail_memory();
    }
    info->json = malloc(len + 1);
    nats_status status = NATS_ERR_NO_MEMORY;
    if (info->json == NULL) {
        fail_memory();
    } else {
        memcpy(info->json, json, len);
        info->json[len] = '\0';
        info->json_len = len;
        status = parse_doc(info);
    }
    if (status != NATS_OK) {
        nats__info_free(info);
        return status;
    }
    *out = info;
    return NATS_OK;
}

nats_info *nats__info_copy(const nats_info *info)
{
    nats_info *copy;
    nats__info_parse(info->json, info->json_len, &copy);
    return copy;
}

void nats__info_free(nats_info *info)
{
    if (info == NULL) {
        return;
    }
    nats__json_free(info->doc);
    free(info->fields);
    free(info->flat);
    free(info->json);
    free(info);
}

/* ---- reading ---- */

static const nats__info_field *find_field(const nats_info *info, const char *name)
{
    for (size_t i = 0; i < info->field_count; i++) {
        if (strcmp(info->flat + info->fields[i].name, name) == 0) {
            return &info->fields[i];
        }
    }
    return NULL;
}

const char *nats__info_text(const nats_info *info, const char *name, size_t *len_out)
{
    const nats__info_field *field = find_field(info, name);
    if (len_out != NULL) {
        *len_out = field == NULL ? 0 : field->value_len;
    }
    return field == NULL ? NULL : info->flat + field->value;
}

bool nats__info_int(const nats_info *info, const char *name, int64_t *value_out)
{
    const nats__json *value = nats__json_get(info->doc, name);
    bool yes = false;
    *value_out = 0;
    if (nats__json_bool(value, &yes)) {
        *value_out = yes;
        return true;
    }
    return nats__json_int(value, value_out);
}

int32_t nats__info_next(const nats_info *info, size_t *cursor, const char **name_out,
                        const char **value_out, size_t *value_len_out, int32_t *in_list_out)
{
    if (*cursor >= info->field_count) {
        return 0;
    }
    const nats__info_field *field = &info->fields[(*cursor)++];
    *name_out = info->flat + field->name;
    *value_out = info->flat + field->value;
    *value_len_out = field->value_len;
    *in_list_out = field->in_list ? 1 : 0;
    return field->kind;
}

size_t nats__info_connect_urls(const nats_info *info, const char **out, size_t max)
{
    const nats__info_field *field = find_field(info, "connect_urls");
    const nats__info_field *end = info->fields + info->field_count;
    size_t count = 0;
    if (field == NULL || !field->in_list) {
        return 0;
    }
    for (size_t name = field->name; field < end && field->name == name && count < max; field++) {
        out[count++] = info->flat + field->value;
    }
    return count;
}
