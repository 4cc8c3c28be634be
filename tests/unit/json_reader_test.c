#include "unit.h"

#include <polynats.h>

#include <stdio.h>

static nats_json *parse(const char *text)
{
    nats_json *doc = NULL;
    assert_int_equal(nats_json_parse(text, NATS_Z, &doc), NATS_OK);
    return doc;
}

static void values_have_kinds(void **state)
{
    (void)state;
    nats_json *doc = parse("{\"n\":null,\"b\":true,\"i\":-5,\"u\":18446744073709551615,\"r\":1.5,"
                           "\"t\":\"x\",\"a\":[1,\"two\"],\"o\":{\"k\":0}}");
    static const struct {
        const char *name;
        int32_t kind;
    } wanted[] = {
        {"n", NATS_JSON_NULL}, {"b", NATS_JSON_BOOL},  {"i", NATS_JSON_INT},
        {"u", NATS_JSON_UINT}, {"r", NATS_JSON_REAL},  {"t", NATS_JSON_TEXT},
        {"a", NATS_JSON_ARRAY}, {"o", NATS_JSON_OBJECT}, {"none", 0},
    };
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
        assert_int_equal(nats_json_kind(nats_json_get(doc, wanted[i].name)), wanted[i].kind);
    }
    assert_int_equal(nats_json_count(doc), 8);
    assert_int_equal(nats_json_kind(nats_json_at(nats_json_get(doc, "a"), 1)), NATS_JSON_TEXT);
    assert_null(nats_json_at(nats_json_get(doc, "a"), 2));
    assert_null(nats_json_get(nats_json_get(doc, "a"), "0"));
    nats_json_free(doc);
}

static void numbers_stay_exact(void **state)
{
    uint64_t large;
    int64_t whole;
    double real;
    (void)state;
    nats_json *doc = parse("[18446744073709551615,-9223372036854775808,0.25,true]");
    assert_int_equal(nats_json_uint(nats_json_at(doc, 0), &large), 1);
    assert_true(large == UINT64_MAX);
    assert_int_equal(nats_json_int(nats_json_at(doc, 0), &whole), 0);
    assert_int_equal(whole, 0);
    assert_int_equal(nats_json_int(nats_json_at(doc, 1), &whole), 1);
    assert_true(whole == INT64_MIN);
    assert_int_equal(nats_json_uint(nats_json_at(doc, 1), &large), 0);
    assert_int_equal(nats_json_real(nats_json_at(doc, 2), &real), 1);
    assert_true(real == 0.25);
    assert_int_equal(nats_json_int(nats_json_at(doc, 2), &whole), 0);
    assert_int_equal(nats_json_int(nats_json_at(doc, 3), &whole), 1);
    assert_int_equal(whole, 1);
    nats_json_free(doc);
}

static void members_come_in_the_order_of_the_text(void **state)
{
    const char *name;
    (void)state;
    nats_json *doc = parse("{\"z\":1,\"a\":2,\"m\":3}");
    const char *order[] = {"z", "a", "m"};
    for (size_t i = 0; i < 3; i++) {
        assert_non_null(nats_json_member(doc, i, &name));
        assert_string_equal(name, order[i]);
    }
    assert_null(nats_json_member(doc, 3, &name));
    assert_null(name);
    nats_json_free(doc);
}

static void names_tell_durations_and_times(void **state)
{
    int64_t ns;
    (void)state;
    nats_json *doc = parse(
        "{\"max_age\":60000000000,\"backoff\":[1,2],\"created\":\"2026-01-02T03:04:05Z\","
        "\"time\":\"noon\",\"ts\":\"0001-01-01T00:00:00Z\",\"max_msgs\":5,\"active\":\"yes\","
        "\"metadata\":{\"time\":\"2026-01-02T03:04:05Z\",\"max_age\":\"1\"},"
        "\"subjects\":{\"active\":3},\"state\":{\"first_ts\":\"2026-01-02T03:04:05Z\"}}");
    assert_int_equal(nats_json_kind(nats_json_get(doc, "max_age")), NATS_JSON_DURATION);
    const nats_json *backoff = nats_json_get(doc, "backoff");
    assert_int_equal(nats_json_kind(nats_json_at(backoff, 1)), NATS_JSON_DURATION);
    assert_int_equal(nats_json_kind(nats_json_get(doc, "created")), NATS_JSON_TIME);
    assert_int_equal(nats_json_time(nats_json_get(doc, "created"), &ns), 1);
    assert_true(ns == INT64_C(1767323045) * 1000000000);
    assert_int_equal(nats_json_kind(nats_json_get(doc, "time")), NATS_JSON_TEXT);
    assert_int_equal(nats_json_time(nats_json_get(doc, "time"), &ns), 0);
    assert_int_equal(nats_json_kind(nats_json_get(doc, "ts")), NATS_JSON_TIME);
    assert_int_equal(nats_json_time(nats_json_get(doc, "ts"), &ns), 0); /* never */
    assert_int_equal(nats_json_kind(nats_json_get(doc, "max_msgs")), NATS_JSON_INT);
    assert_int_equal(nats_json_kind(nats_json_get(doc, "active")), NATS_JSON_TEXT);
    const nats_json *own = nats_json_get(doc, "metadata");
    assert_int_equal(nats_json_kind(nats_json_get(own, "time")), NATS_JSON_TEXT);
    own = nats_json_get(doc, "subjects");
    assert_int_equal(nats_json_kind(nats_json_get(own, "active")), NATS_JSON_INT);
    own = nats_json_get(doc, "state");
    assert_int_equal(nats_json_kind(nats_json_get(own, "first_ts")), NATS_JSON_TIME);
    nats_json_free(doc);
}

/* What keys.def calls a duration or a time is one in answers, too. */
static void the_reader_knows_what_keys_def_knows(void **state)
{
    (void)state;
    static const char *const objects[] = {"stream_config", "consumer_config", "stream_source",
                                          "consumer_limits", "get_messages", "pause_consumer"};
    for (size_t i = 0; i < sizeof objects / sizeof objects[0]; i++) {
        const char *name;
        for (size_t k = 0; (name = nats_js_key_name(objects[i], k)) != NULL; k++) {
            int32_t element;
            int32_t kind = nats_js_key(objects[i], name, &element, NULL);
            bool duration = kind == NATS_JSON_DURATION || element == NATS_JSON_DURATION;
            char text[128];
            snprintf(text, sizeof text, "{\"%s\":%s}", name,
                     kind == NATS_JSON_TIME ? "\"2026-01-02T03:04:05Z\"" : "5");
            nats_json *doc = parse(text);
            int32_t found = nats_json_kind(nats_json_get(doc, name));
            int32_t wanted = kind == NATS_JSON_TIME ? NATS_JSON_TIME
                             : duration             ? NATS_JSON_DURATION
                                                    : NATS_JSON_INT;
            assert_int_equal(found, wanted);
            nats_json_free(doc);
        }
    }
}

static void what_is_not_json_is_refused(void **state)
{
    static const char *const none[] = {"", "{", "[1,]", "{\"a\":1}x", "nul", "{\"a\":NaN}", "'a'"};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        nats_json *doc = (nats_json *)(void *)&doc;
        assert_int_equal(nats_json_parse(none[i], NATS_Z, &doc), NATS_ERR_INVALID);
        assert_null(doc);
        assert_true(strncmp(nats_last_error(NULL), "JSON: ", 6) == 0);
    }
}

static void a_single_value_is_a_document(void **state)
{
    size_t len;
    (void)state;
    nats_json *doc = parse(" \"a\\u0000b\" ");
    const char *text = nats_json_text(doc, &len);
    assert_int_equal(len, 3);
    assert_memory_equal(text, "a\0b", 4);
    nats_json_free(doc);
    doc = parse("null");
    assert_int_equal(nats_json_kind(doc), NATS_JSON_NULL);
    nats_json_free(doc);
}

static void nothing_is_of_no_kind(void **state)
{
    int64_t whole = 7;
    uint64_t large = 7;
    double real = 7;
    size_t len = 7;
    const char *name = "x";
    (void)state;
    assert_int_equal(nats_json_kind(NULL), 0);
    assert_int_equal(nats_json_count(NULL), 0);
    assert_null(nats_json_get(NULL, "a"));
    assert_null(nats_json_at(NULL, 0));
    assert_null(nats_json_member(NULL, 0, &name));
    assert_null(name);
    assert_null(nats_json_text(NULL, &len));
    assert_int_equal(len, 0);
    assert_int_equal(nats_json_int(NULL, &whole), 0);
    assert_int_equal(whole, 0);
    assert_int_equal(nats_json_uint(NULL, &large), 0);
    assert_int_equal(large, 0);
    assert_int_equal(nats_json_real(NULL, &real), 0);
    assert_int_equal(nats_json_time(NULL, &whole), 0);
    nats_json_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_have_kinds),
        cmocka_unit_test(numbers_stay_exact),
        cmocka_unit_test(members_come_in_the_order_of_the_text),
        cmocka_unit_test(names_tell_durations_and_times),
        cmocka_unit_test(the_reader_knows_what_keys_def_knows),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(a_single_value_is_a_document),
        cmocka_unit_test(nothing_is_of_no_kind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
