#include "unit.h"

#include <stdio.h>

#include <polynats/version.h>

#include "proto/info.h"

static nats_info *parse_good(const char *json)
{
    nats_info *info;
    char *copy = tight_copy(json, strlen(json));
    nats_status status = nats__info_parse(copy, strlen(json), &info);
    free(copy);
    if (status != NATS_OK) {
        fail_msg("%s: %s", json, nats__error_get()->text);
    }
    return info;
}

static const char from_server[] =
    "{\"server_id\":\"NABC\",\"server_name\":\"n1\",\"version\":\"2.15.2\",\"proto\":1,"
    "\"headers\":true,\"max_payload\":1048576,\"client_id\":5,\"client_ip\":\"127.0.0.1\","
    "\"auth_required\":true,\"nonce\":\"xyz\",\"ldm\":true,"
    "\"connect_urls\":[\"10.0.0.1:4222\",\"[::1]:4222\"],\"xkey\":\"\","
    "\"feature_flags\":{\"a\":[1]},"
    "\"empty\":[],\"nothing\":null,\"ratio\":0.5,\"big\":18446744073709551615} ";

static void what_the_state_machine_needs_is_read(void **state)
{
    (void)state;
    nats_info *info = parse_good(from_server);
    assert_int_equal(info->max_payload, 1048576);
    assert_int_equal(info->client_id, 5);
    assert_int_equal(info->proto, 1);
    assert_true(info->headers);
    assert_true(info->auth_required);
    assert_true(info->lame_duck);
    assert_false(info->tls_required);
    assert_false(info->tls_available);
    assert_string_equal(info->server_id, "NABC");
    assert_string_equal(info->version, "2.15.2");
    assert_string_equal(info->nonce, "xyz");
    const char *urls[3];
    assert_int_equal(nats__info_connect_urls(info, urls, COUNT_OF(urls)), 2);
    assert_string_equal(urls[0], "10.0.0.1:4222");
    assert_string_equal(urls[1], "[::1]:4222");
    assert_int_equal(nats__info_connect_urls(info, urls, 1), 1);
    nats_info_free(info);
}

static void what_is_missing_or_null_has_the_servers_default(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{}",
        "{\"max_payload\":null,\"server_id\":null,\"headers\":null,\"connect_urls\":null,"
        "\"proto\":null}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        nats_info *info = parse_good(texts[i]);
        assert_int_equal(info->max_payload, NATS__MAX_PAYLOAD_DEFAULT);
        assert_int_equal(info->proto, 0);
        assert_false(info->headers);
        assert_string_equal(info->server_id, "");
        assert_string_equal(info->version, "");
        assert_string_equal(info->nonce, "");
        const char *url;
        assert_int_equal(nats__info_connect_urls(info, &url, 1), 0);
        nats_info_free(info);
    }
}

static void the_text_is_kept_as_it_came(void **state)
{
    (void)state;
    size_t len;
    nats_info *info = parse_good(from_server);
    assert_string_equal(nats_info_json(info, &len), from_server);
    assert_int_equal(len, strlen(from_server));
    assert_string_equal(nats_info_json(info, NULL), from_server);
    nats_info_free(info);
}

static void fields_are_found_by_name(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text; /* NULL: none such */
        int32_t has_int;
        int64_t number;
    } cases[] = {
        {"server_name", "n1", 0, 0},
        {"xkey", "", 0, 0},
        {"max_payload", "1048576", 1, 1048576},
        {"headers", "true", 1, 1},
        {"connect_urls", "10.0.0.1:4222", 0, 0},
        {"feature_flags", "{\"a\":[1]}", 0, 0},
        {"empty", NULL, 0, 0},
        {"nothing", "null", 0, 0},
        {"ratio", "0.5", 0, 0},
        {"big", "18446744073709551615", 0, 0},
        {"nosuch", NULL, 0, 0},
        {"", NULL, 0, 0},
    };
    nats_info *info = parse_good(from_server);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t len = 99;
        int64_t number = 99;
        const char *text = nats_info_text(info, cases[i].name, &len);
        assert_int_equal(text == NULL, cases[i].text == NULL);
        assert_bytes(text, len, cases[i].text, cases[i].text == NULL ? 0 : strlen(cases[i].text));
        assert_int_equal(nats_info_int(info, cases[i].name, &number), cases[i].has_int);
        assert_int_equal(number, cases[i].number);
    }
    nats_info_free(info);
}

static void all_fields_come_one_by_one(void **state)
{
    (void)state;
    nats_info *info = parse_good("{\"t\":\"x\",\"i\":-5,\"b\":false,\"l\":[\"a\",1,[2],null],"
                                 "\"e\":[],\"o\":{\"k\":1.50},\"n\":null}");
    char all[300] = "";
    size_t cursor = 0;
    const char *name;
    const char *value;
    size_t len;
    int32_t in_list;
    int32_t kind;
    while ((kind = nats_info_next(info, &cursor, &name, &value, &len, &in_list)) != 0) {
        char step[60];
        assert_int_equal(strlen(value), len);
        snprintf(step, sizeof step, "%s%s=%s(%d) ", name, in_list ? "[]" : "", value, (int)kind);
        strcat(all, step);
    }
    assert_string_equal(all, "t=x(1) i=-5(2) b=false(3) l[]=a(1) l[]=1(2) l[]=[2](4) l[]=null(4) "
                             "o={\"k\":1.50}(4) n=null(4) ");
    assert_int_equal(nats_info_next(info, &cursor, &name, &value, &len, &in_list), 0);
    assert_null(name);
    assert_null(value);
    cursor = SIZE_MAX;
    assert_int_equal(nats_info_next(info, &cursor, NULL, NULL, NULL, NULL), 0);
    cursor = 0;
    assert_int_equal(nats_info_next(info, &cursor, NULL, NULL, NULL, NULL), NATS_INFO_TEXT);
    nats_info_free(info);
}

static void bad_infos_are_refused_by_field(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        size_t len;
        const char *error;
    } cases[] = {
        {BYTES(""), "INFO: the text ends too early"},
        {BYTES("{"), "INFO: the text ends too early"},
        {BYTES("{}x"), "INFO: an unexpected byte"},
        {BYTES("{}\0"), "INFO: an unexpected byte"},
        {BYTES("[]"), "INFO: not a JSON object"},
        {BYTES("null"), "INFO: not a JSON object"},
        {BYTES("5"), "INFO: not a JSON object"},
        {BYTES("{\"max_payload\":\"1\"}"), "INFO: max_payload is not a whole number"},
        {BYTES("{\"max_payload\":1.5}"), "INFO: max_payload is not a whole number"},
        {BYTES("{\"max_payload\":0}"), "INFO: max_payload is out of range: 1 to 67108864"},
        {BYTES("{\"max_payload\":-1}"), "INFO: max_payload is out of range: 1 to 67108864"},
        {BYTES("{\"max_payload\":67108865}"), "INFO: max_payload is out of range: 1 to 67108864"},
        {BYTES("{\"max_payload\":18446744073709551615}"),
         "INFO: max_payload is out of range: 1 to 67108864"},
        {BYTES("{\"max_payload\":99999999999999999999}"),
         "INFO: a whole number has more than 64 bits"},
        {BYTES("{\"max_payload\\u0000\":5}"), "INFO: a name has a NUL"},
        {BYTES("{\"proto\":4294967297}"), "INFO: proto is out of range: 0 to 2147483647"},
        {BYTES("{\"client_id\":-1}"), "INFO: client_id is out of range: 0 to 9223372036854775807"},
        {BYTES("{\"headers\":1}"), "INFO: headers is not true or false"},
        {BYTES("{\"tls_required\":\"true\"}"), "INFO: tls_required is not true or false"},
        {BYTES("{\"ldm\":[]}"), "INFO: ldm is not true or false"},
        {BYTES("{\"nonce\":1}"), "INFO: nonce is not a text"},
        {BYTES("{\"server_id\":{}}"), "INFO: server_id is not a text"},
        {BYTES("{\"version\":2}"), "INFO: version is not a text"},
        {BYTES("{\"connect_urls\":\"h:1\"}"), "INFO: connect_urls is not a list"},
        {BYTES("{\"connect_urls\":[\"h:1\",2]}"), "INFO: connect_urls is not a list of texts"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats_info *info = (nats_info *)(void *)&info;
        char *copy = tight_copy(cases[i].json, cases[i].len);
        nats_status status = nats__info_parse(copy, cases[i].len, &info);
        free(copy);
        assert_failed(status, NATS_ERR_PROTOCOL, cases[i].error);
        assert_null(info);
    }
}

static void a_flood_of_elements_is_refused(void **state)
{
    (void)state;
    enum { ELEMENTS = NATS__INFO_FIELDS_MAX + 1 };
    char *json = malloc(2 * ELEMENTS + 20);
    assert_non_null(json);
    strcpy(json, "{\"l\":[0");
    size_t len = strlen(json);
    for (size_t i = 1; i < ELEMENTS; i++) {
        memcpy(json + len, ",0", 2);
        len += 2;
    }
    memcpy(json + len, "]}", 3);
    nats_info *info;
    assert_failed(nats__info_parse(json, len + 2, &info), NATS_ERR_PROTOCOL,
                  "INFO: 65537 fields and list elements, at most 65536");
    assert_null(info);
    free(json);
}

static void the_last_of_two_equal_names_counts(void **state)
{
    (void)state;
    nats_info *info = parse_good("{\"max_payload\":5,\"max_payload\":6}");
    assert_int_equal(info->max_payload, 6);
    assert_string_equal(nats_info_text(info, "max_payload", NULL), "6");
    nats_info_free(info);
}

static void a_copy_outlives_its_original(void **state)
{
    (void)state;
    nats_info *info = parse_good(from_server);
    nats_info *copy = nats__info_copy(info);
    nats_info_free(info);
    assert_non_null(copy);
    assert_string_equal(copy->server_id, "NABC");
    assert_string_equal(nats_info_text(copy, "server_name", NULL), "n1");
    assert_string_equal(nats_info_json(copy, NULL), from_server);
    nats_info_free(copy);
}

static void no_object_is_nothing_not_a_crash(void **state)
{
    (void)state;
    size_t len = 9;
    int64_t number = 9;
    size_t cursor = 0;
    assert_null(nats_info_json(NULL, &len));
    assert_int_equal(len, 0);
    assert_null(nats_info_text(NULL, "a", &len));
    assert_int_equal(nats_info_int(NULL, "a", &number), 0);
    assert_int_equal(number, 0);
    assert_int_equal(nats_info_next(NULL, &cursor, NULL, NULL, NULL, NULL), 0);
    nats_info_free(NULL);
    nats_info *info = parse_good("{\"a\":1}");
    assert_null(nats_info_text(info, NULL, NULL));
    assert_int_equal(nats_info_int(info, NULL, &number), 0);
    assert_int_equal(nats_info_int(info, "a", NULL), 1);
    assert_int_equal(nats_info_next(info, NULL, NULL, NULL, NULL, NULL), 0);
    nats_info_free(info);
}

static void the_library_tells_the_version_it_was_built_with(void **state)
{
    (void)state;
    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", POLYNATS_VERSION_MAJOR, POLYNATS_VERSION_MINOR,
             POLYNATS_VERSION_PATCH);
    assert_string_equal(nats_version(), version);
    assert_string_equal(nats_version(), POLYNATS_VERSION);
    assert_int_equal(nats_abi(), POLYNATS_ABI);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_state_machine_needs_is_read),
        cmocka_unit_test(what_is_missing_or_null_has_the_servers_default),
        cmocka_unit_test(the_text_is_kept_as_it_came),
        cmocka_unit_test(fields_are_found_by_name),
        cmocka_unit_test(all_fields_come_one_by_one),
        cmocka_unit_test(bad_infos_are_refused_by_field),
        cmocka_unit_test(a_flood_of_elements_is_refused),
        cmocka_unit_test(the_last_of_two_equal_names_counts),
        cmocka_unit_test(a_copy_outlives_its_original),
        cmocka_unit_test(no_object_is_nothing_not_a_crash),
        cmocka_unit_test(the_library_tells_the_version_it_was_built_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
