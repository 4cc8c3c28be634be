#include "unit.h"

#include "json/json.h"

static nats__json *parse(const char *text, size_t len, const char **error)
{
    char *copy = tight_copy(text, len);
    nats__json *doc = nats__json_parse(copy, len, error);
    free(copy);
    return doc;
}

static nats__json *parse_good(const char *text)
{
    const char *error = NULL;
    nats__json *doc = parse(text, strlen(text), &error);
    if (doc == NULL) {
        fail_msg("%s: %s", text, error);
    }
    assert_null(error);
    return doc;
}

static void what_is_read_is_written_again(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *written;
    } cases[] = {
        {"null", "null"},
        {" null\n", "null"},
        {"true", "true"},
        {"false", "false"},
        {"0", "0"},
        {"-1", "-1"},
        {"12", "12"},
        {"\"\"", "\"\""},
        {"[]", "[]"},
        {"{}", "{}"},
        {" [ 1 , 2 ] ", "[1,2]"},
        {"{\"a\":null,\"b\":[true,{\"c\":\"d\"}]}", "{\"a\":null,\"b\":[true,{\"c\":\"d\"}]}"},
        {"18446744073709551615", "18446744073709551615"},
        {"9223372036854775808", "9223372036854775808"},
        {"9223372036854775807", "9223372036854775807"},
        {"-9223372036854775808", "-9223372036854775808"},
        {"[1.50,1e5,-0.25E-2]", "[1.50,1e5,-0.25E-2]"}, /* to the letter */
        {"\"q\\\"b\\\\s\\/\"", "\"q\\\"b\\\\s/\""},
        {"\"\\u0000\\u001f\\n\\u007f\"", "\"\\u0000\\u001f\\u000a\\u007f\""},
        {"\"caf\\u00e9 \\ud83d\\ude00\"", "\"caf\xc3\xa9 \xf0\x9f\x98\x80\""},
        {"{\"a\":1,\"b\":2,\"a\":3}", "{\"a\":3,\"b\":2}"}, /* the last one wins */
        {"{\"\":1}", "{\"\":1}"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__json *doc = parse_good(cases[i].text);
        char *written = nats__json_write(doc);
        assert_non_null(written);
        assert_string_equal(written, cases[i].written);
        free(written);
        nats__json_free(doc);
    }
}

static void what_is_not_json_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        const char *error;
    } cases[] = {
        {BYTES(""), "the text ends too early"},
        {BYTES("  "), "the text ends too early"},
        {BYTES("{"), "the text ends too early"},
        {BYTES("{\"a\""), "the text ends too early"},
        {BYTES("[1,2"), "the text ends too early"},
        {BYTES("nul"), "an unexpected byte"},
        {BYTES("nulll"), "an unexpected byte"},
        {BYTES("null null"), "not JSON"},
        {BYTES("True"), "an unexpected byte"},
        {BYTES("{} x"), "an unexpected byte"},
        {BYTES("{}{}"), "not JSON"},
        {BYTES("[1]]"), "not JSON"},
        {BYTES("1 2"), "not JSON"},
        {BYTES("{}\0"), "an unexpected byte"},
        {BYTES("\0{}"), "an unexpected byte"},
        {BYTES("{\"a\":\"x\0y\"}"), "a text has a raw control byte"},
        {BYTES("[\"a\tb\"]"), "a text has a raw control byte"},
        {BYTES("[\"a\nb\"]"), "a text has a raw control byte"},
        {BYTES("{\"a\\u0000b\":1}"), "a name has a NUL"},
        {BYTES("{\"a\\u0000b\" \n:1}"), "a name has a NUL"},
        {BYTES("[\"a]"), "a text does not end"},
        {BYTES("[\"a\\"), "a text does not end"},
        {BYTES("[\"a\\\""), "a text does not end"},
        {BYTES("[\"\\x\"]"), "not JSON"},
        {BYTES("[\"\\u12\"]"), "not JSON"},
        {BYTES("{'a':1}"), "an unexpected byte"},
        {BYTES("{a:1}"), "an unexpected byte"},
        {BYTES("{\"a\":1,}"), "not JSON"},
        {BYTES("{\"a\" 1}"), "not JSON"},
        {BYTES("{1:1}"), "not JSON"},
        {BYTES("[1,]"), "not JSON"},
        {BYTES("[1 2]"), "not JSON"},
        {BYTES("[,1]"), "not JSON"},
        {BYTES("/*c*/[1]"), "an unexpected byte"},
        {BYTES("[NaN]"), "an unexpected byte"},
        {BYTES("[Infinity]"), "an unexpected byte"},
        {BYTES("[-Infinity]"), "a number is malformed"},
        {BYTES("[01]"), "a number is malformed"},
        {BYTES("[-]"), "a number is malformed"},
        {BYTES("[1.]"), "a number is malformed"},
        {BYTES("[1.e5]"), "a number is malformed"},
        {BYTES("[1e]"), "a number is malformed"},
        {BYTES("[1e+]"), "a number is malformed"},
        {BYTES("[+1]"), "an unexpected byte"},
        {BYTES("[.5]"), "an unexpected byte"},
        {BYTES("[0x10]"), "an unexpected byte"},
        {BYTES("18446744073709551616"), "a whole number has more than 64 bits"},
        {BYTES("[-9223372036854775809]"), "a whole number has more than 64 bits"},
        {BYTES("[100000000000000000000]"), "a whole number has more than 64 bits"},
        {BYTES("[\"\xff\"]"), "not valid UTF-8"},
        {BYTES("[\"\xed\xa0\x80\"]"), "not valid UTF-8"},
        {BYTES("[\"\xc0\x80\"]"), "not valid UTF-8"},
        {BYTES("[\"\xf4\x90\x80\x80\"]"), "not valid UTF-8"},
        {BYTES("\xef\xbb\xbf{}"), "an unexpected byte"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *error = NULL;
        nats__json *doc = parse(cases[i].text, cases[i].len, &error);
        if (doc != NULL) {
            fail_msg("%s was taken", cases[i].text);
        }
        assert_string_equal(error, cases[i].error);
        assert_null(parse(cases[i].text, cases[i].len, NULL));
    }
}

static void depth_is_capped(void **state)
{
    (void)state;
    enum { DEEP = 100000 };
    char *text = malloc(2 * DEEP);
    const char *error = NULL;
    assert_non_null(text);
    memset(text, '[', NATS__JSON_DEPTH_MAX);
    memset(text + NATS__JSON_DEPTH_MAX, ']', NATS__JSON_DEPTH_MAX);
    nats__json *doc = parse(text, 2 * NATS__JSON_DEPTH_MAX, &error);
    assert_non_null(doc);
    nats__json_free(doc);
    memset(text, '[', DEEP);
    memset(text + DEEP, ']', DEEP);
    assert_null(parse(text, 2 * DEEP, &error));
    assert_string_equal(error, "nested too deep");
    assert_null(parse(text + DEEP - 33, 66, &error));
    assert_string_equal(error, "nested too deep");
    free(text);
}

static void integers_are_exact_or_out_of_range(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool is_int;
        int64_t as_int;
        bool is_uint;
        uint64_t as_uint;
    } cases[] = {
        {"0", true, 0, true, 0},
        {"-0", true, 0, true, 0},
        {"-1", true, -1, false, 0},
        {"9007199254740993", true, INT64_C(9007199254740993), true, UINT64_C(9007199254740993)},
        {"9223372036854775807", true, INT64_MAX, true, INT64_MAX},
        {"9223372036854775808", false, 0, true, UINT64_C(9223372036854775808)},
        {"18446744073709551615", false, 0, true, UINT64_MAX},
        {"-9223372036854775808", true, INT64_MIN, false, 0},
        {"1.0", false, 0, false, 0},
        {"1e3", false, 0, false, 0},
        {"\"1\"", false, 0, false, 0},
        {"true", false, 0, false, 0},
        {"null", false, 0, false, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__json *doc = parse_good(cases[i].text);
        int64_t as_int = 0;
        uint64_t as_uint = 0;
        assert_int_equal(nats__json_int(doc, &as_int), cases[i].is_int);
        assert_int_equal(nats__json_uint(doc, &as_uint), cases[i].is_uint);
        assert_true(as_int == cases[i].as_int);
        assert_true(as_uint == cases[i].as_uint);
        nats__json_free(doc);
    }
}

static void null_is_a_value_and_not_there_is_none(void **state)
{
    (void)state;
    nats__json *doc = parse_good("{\"n\":null,\"l\":[null]}");
    const nats__json *null = nats__json_get(doc, "n");
    assert_non_null(null);
    assert_int_equal(nats__json_kind_of(null), NATS__JSON_NULL);
    assert_null(nats__json_get(doc, "m"));
    assert_non_null(nats__json_at(nats__json_get(doc, "l"), 0));
    assert_null(nats__json_at(nats__json_get(doc, "l"), 1));
    assert_null(nats__json_get(null, "x"));
    assert_null(nats__json_at(null, 0));
    assert_int_equal(nats__json_count(null), 0);
    nats__json_free(doc);
}

static void values_are_asked_for_by_kind(void **state)
{
    (void)state;
    nats__json *doc = parse_good("{\"t\":\"x\\u0000y\",\"b\":true,\"r\":1.5,\"l\":[1,2],\"i\":3}");
    const char *text = NULL;
    size_t len;
    bool yes = false;
    int64_t number;
    assert_true(nats__json_text(nats__json_get(doc, "t"), &text, &len));
    assert_bytes(text, len, BYTES("x\0y"));
    assert_true(nats__json_bool(nats__json_get(doc, "b"), &yes));
    assert_true(yes);
    assert_int_equal(nats__json_kind_of(nats__json_get(doc, "r")), NATS__JSON_REAL);
    assert_int_equal(nats__json_kind_of(nats__json_get(doc, "l")), NATS__JSON_ARRAY);
    assert_int_equal(nats__json_count(nats__json_get(doc, "l")), 2);
    assert_int_equal(nats__json_count(doc), 5);
    assert_false(nats__json_text(nats__json_get(doc, "b"), &text, &len));
    assert_false(nats__json_bool(nats__json_get(doc, "t"), &yes));
    assert_false(nats__json_int(nats__json_get(doc, "r"), &number));
    assert_false(nats__json_text(NULL, &text, &len));
    assert_false(nats__json_bool(NULL, &yes));
    assert_false(nats__json_int(NULL, &number));
    nats__json_free(doc);
}

static void members_are_walked_in_their_order(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        const char *names;
    } cases[] = {
        {"{\"z\":1,\"a\":null,\"m\":[]}", "zam"},
        {"{}", ""},
        {"[1]", ""},
        {"null", ""},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__json *doc = parse_good(cases[i].text);
        char names[10] = "";
        void *cursor = NULL;
        const char *name;
        const nats__json *value;
        while (nats__json_next(doc, &cursor, &name, &value)) {
            assert_non_null(value);
            strcat(names, name);
        }
        assert_string_equal(names, cases[i].names);
        assert_false(nats__json_next(doc, &cursor, &name, &value));
        nats__json_free(doc);
    }
}

static void objects_are_built_member_by_member(void **state)
{
    (void)state;
    nats__json *object = nats__json_object();
    nats__json_set_bool(object, "verbose", false);
    nats__json_set_text(object, "name", BYTES("a\"b\\c\x01\x7f caf\xc3\xa9"));
    nats__json_set_int(object, "protocol", 1);
    nats__json_set_int(object, "least", INT64_MIN);
    nats__json_set_bool(object, "verbose", true);
    char *written = nats__json_write(object);
    assert_string_equal(written, "{\"verbose\":true,"
                                 "\"name\":\"a\\\"b\\\\c\\u0001\\u007f caf\xc3\xa9\","
                                 "\"protocol\":1,\"least\":-9223372036854775808}");
    free(written);
    nats__json_free(object);
}

static void an_object_that_lacks_a_member_is_not_written(void **state)
{
    (void)state;
    nats__json *object = nats__json_object();
    /* More than the library below can hold: the same to it as no memory. */
    nats__json_set_text(object, "big", "x", SIZE_MAX / 2);
    nats__json_set_int(object, "small", 1);
    assert_null(nats__json_write(object));
    nats__json_free(object);
    nats__json_set_text(NULL, "a", "b", 1);
    nats__json_set_int(NULL, "a", 1);
    assert_null(nats__json_write(NULL));
    nats__json_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_read_is_written_again),
        cmocka_unit_test(what_is_not_json_is_refused),
        cmocka_unit_test(depth_is_capped),
        cmocka_unit_test(integers_are_exact_or_out_of_range),
        cmocka_unit_test(null_is_a_value_and_not_there_is_none),
        cmocka_unit_test(values_are_asked_for_by_kind),
        cmocka_unit_test(members_are_walked_in_their_order),
        cmocka_unit_test(objects_are_built_member_by_member),
        cmocka_unit_test(an_object_that_lacks_a_member_is_not_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
