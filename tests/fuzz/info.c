/* INFO: refused as PROTOCOL, or whole, in range, and the same when read again. */
#include "base/error.h"
#include "base/utf8.h"
#include "check.h"
#include "proto/info.h"

static void check_numbers(const nats_info *info)
{
    int64_t number;
    CHECK(info->max_payload > 0 && info->max_payload <= NATS__MAX_PAYLOAD_CAP);
    CHECK(info->client_id >= 0);
    CHECK(info->proto >= 0);
    if (nats_info_int(info, "max_payload", &number) != 0) {
        CHECK(number == info->max_payload);
    }
    CHECK(info->server_id != NULL && info->version != NULL && info->nonce != NULL);
}

static void check_fields(const nats_info *info)
{
    size_t cursor = 0;
    static const char *told[NATS__INFO_FIELDS_MAX];
    size_t count = nats__info_connect_urls(info, told, NATS__INFO_FIELDS_MAX);
    size_t urls = 0;
    const char *name;
    const char *value;
    size_t len;
    int32_t in_list;
    int32_t kind;
    while ((kind = nats_info_next(info, &cursor, &name, &value, &len, &in_list)) != 0) {
        CHECK(kind >= NATS_INFO_TEXT && kind <= NATS_INFO_JSON);
        CHECK(value[len] == '\0');
        CHECK(nats__utf8_check(value, len) == len);
        CHECK(nats_info_text(info, name, NULL) != NULL);
        if (strcmp(name, "connect_urls") == 0 && in_list) {
            CHECK(urls < count && told[urls] == value);
            urls++;
        }
    }
    CHECK(urls == count);
}

static void check_copy(const nats_info *info)
{
    nats_info *copy = nats__info_copy(info);
    CHECK(copy != NULL);
    CHECK(copy->field_count == info->field_count);
    CHECK(copy->max_payload == info->max_payload);
    CHECK(strcmp(copy->server_id, info->server_id) == 0);
    nats_info_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    nats_info *info;
    nats_status status = nats__info_parse((const char *)data, size, &info);
    if (status != NATS_OK) {
        CHECK(status == NATS_ERR_PROTOCOL && info == NULL);
        CHECK(nats__error_get()->text[0] != '\0');
        return 0;
    }
    size_t len;
    const char *json = nats_info_json(info, &len);
    CHECK(len == size && memcmp(json, data, size) == 0);
    check_numbers(info);
    check_fields(info);
    check_copy(info);
    nats_info_free(info);
    return 0;
}
