#include "unit.h"

#include <stdio.h>

#include "proto/options.h"

static nats_options *options;

static int set_up(void **state)
{
    (void)state;
    forget_error();
    return nats_options_new(&options);
}

static int tear_down(void **state)
{
    (void)state;
    nats_options_free(options);
    return 0;
}

static int64_t number(const char *name)
{
    nats__option_id id;
    assert_non_null(nats__option_find(name, &id));
    return nats__opt(options, id);
}

static void new_options_have_the_defaults(void **state)
{
    (void)state;
    assert_string_equal(nats__opt_text(options, NATS__OPT_inbox_prefix), "_INBOX");
    assert_null(nats__opt_text(options, NATS__OPT_name));
    assert_null(nats__opt_text(options, NATS__OPT_password));
    assert_int_equal(number("connect_timeout"), 5000);
    assert_int_equal(number("pending_bytes"), 67108864);
    assert_int_equal(number("max_reconnects"), -1);
    assert_int_equal(number("reconnect"), 1);
    assert_int_equal(number("verbose"), 0);
}

static void defaults_obey_their_own_rules(void **state)
{
    (void)state;
    for (size_t i = 0; nats_options_name(i) != NULL; i++) {
        const char *name = nats_options_name(i);
        const nats__option_rule *rule = nats__option_at(i);
        assert_string_equal(rule->name, name);
        if (rule->type != NATS_OPTION_TEXT) {
            assert_int_equal(nats_options_set_int(options, name, rule->default_number), NATS_OK);
        } else if (rule->default_text != NULL) {
            assert_int_equal(nats_options_set_text(options, name, rule->default_text, NATS_Z),
                             NATS_OK);
        }
    }
}

static void texts_are_copied(void **state)
{
    (void)state;
    char name[] = "billing";
    assert_int_equal(nats_options_set_text(options, "name", name, NATS_Z), NATS_OK);
    memset(name, 'x', sizeof name - 1);
    assert_string_equal(nats__opt_text(options, NATS__OPT_name), "billing");
    assert_int_equal(nats_options_set_text(options, "name", "other", 2), NATS_OK);
    assert_string_equal(nats__opt_text(options, NATS__OPT_name), "ot");
    assert_int_equal(nats_options_set_text(options, "name", "", 0), NATS_OK);
    assert_string_equal(nats__opt_text(options, NATS__OPT_name), "");
}

static void values_are_read_from_text_by_their_type(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        int64_t value;
    } cases[] = {
        {"verbose", "true", 1},
        {"verbose", "FALSE", 0},
        {"verbose", "On", 1},
        {"verbose", "off", 0},
        {"verbose", "yes", 1},
        {"verbose", "no", 0},
        {"verbose", "1", 1},
        {"verbose", "0", 0},
        {"max_pings_out", "7", 7},
        {"max_pings_out", "+7", 7},
        {"max_pings_out", "007", 7},
        {"max_reconnects", "-1", -1},
        {"pending_bytes", "1000000000000000", INT64_C(1000000000000000)},
        {"connect_timeout", "250ms", 250},
        {"connect_timeout", "2s", 2000},
        {"connect_timeout", "2", 2000},
        {"connect_timeout", "2.5", 2500},
        {"connect_timeout", "1.5s", 1500},
        {"connect_timeout", "0.0004", 1}, /* more than nothing stays more than nothing */
        {"connect_timeout", "0.1s", 100},
        {"connect_timeout", "0.0015s", 2},
        {"connect_timeout", "5m", 300000},
        {"connect_timeout", "0.5m", 30000},
        {"connect_timeout", "1h", 3600000},
        {"connect_timeout", "1.25MS", 1},
        {"reconnect_wait", "0", 0},
        {"reconnect_wait", "0ms", 0},
        {"connect_timeout", "0.1000000000000000000000000000000000001s", 100},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t len = strlen(cases[i].text);
        char *text = tight_copy(cases[i].text, len);
        nats_status status = nats_options_set_text(options, cases[i].name, text, len);
        free(text);
        if (status != NATS_OK || number(cases[i].name) != cases[i].value) {
            fail_msg("%s=%s: %s", cases[i].name, cases[i].text, nats__error_get()->text);
        }
    }
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *text;
        const char *error;
    } cases[] = {
        {"verbose", "", "option 'verbose': the text given is not true or false"},
        {"verbose", "2", "option 'verbose': the text given is not true or false"},
        {"verbose", "truee", "option 'verbose': the text given is not true or false"},
        {"max_pings_out", "", "option 'max_pings_out': the text given is not a whole number"},
        {"max_pings_out", "-", "option 'max_pings_out': the text given is not a whole number"},
        {"max_pings_out", "1.5", "option 'max_pings_out': the text given is not a whole number"},
        {"max_pings_out", " 1", "option 'max_pings_out': the text given is not a whole number"},
        {"max_pings_out", "1x", "option 'max_pings_out': the text given is not a whole number"},
        {"max_pings_out", "0x10", "option 'max_pings_out': the text given is not a whole number"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_failed(nats_options_set_text(options, cases[i].name, cases[i].text, NATS_Z),
                      NATS_ERR_INVALID, cases[i].error);
        assert_string_equal(nats_last_about(), cases[i].name);
    }
    static const char *const times[] = {"",    "s",   ".",   ".5s", "1.",   "1.s", "1.2.3",
                                        "-2s", "2 s", "2d",  "2us", "1m30s", "+1", "1e3",
                                        "ms",  "nan", "inf", "1s "};
    for (size_t i = 0; i < COUNT_OF(times); i++) {
        assert_failed(nats_options_set_text(options, "ping_interval", times[i], NATS_Z),
                      NATS_ERR_INVALID,
                      "option 'ping_interval': the text given is not a time, as \"250ms\", \"2s\", "
                      "\"5m\", \"1h\" or a number");
    }
    assert_int_equal(number("ping_interval"), 120000);
}

static void ranges_are_named(void **state)
{
    (void)state;
    assert_failed(nats_options_set_int(options, "max_pings_out", 0), NATS_ERR_INVALID,
                  "option 'max_pings_out': 0 is out of range: 1 to 1000");
    assert_failed(nats_options_set_int(options, "max_pings_out", 1001), NATS_ERR_INVALID,
                  "option 'max_pings_out': 1001 is out of range: 1 to 1000");
    assert_failed(nats_options_set_int(options, "max_reconnects", -2), NATS_ERR_INVALID,
                  "option 'max_reconnects': -2 is out of range: -1 to 1000000000");
    assert_failed(nats_options_set_int(options, "ping_interval", 0), NATS_ERR_INVALID,
                  "option 'ping_interval': 0 ms is out of range: 1 ms to 86400000 ms");
    assert_failed(nats_options_set_text(options, "ping_interval", "-1", NATS_Z), NATS_ERR_INVALID,
                  "option 'ping_interval': -1 (for ever) is out of range: 1 ms to 86400000 ms");
    assert_failed(nats_options_set_text(options, "ping_interval", "25h", NATS_Z), NATS_ERR_INVALID,
                  "option 'ping_interval': 90000000 ms is out of range: 1 ms to 86400000 ms");
    static const char *const huge[] = {"9223372036854775807", "9223372036854775808",
                                       "99999999999999999999999999999999"};
    for (size_t i = 0; i < COUNT_OF(huge); i++) {
        assert_failed(nats_options_set_text(options, "max_pings_out", huge[i], NATS_Z),
                      NATS_ERR_INVALID,
                      "option 'max_pings_out': 9223372036854775807 is out of range: 1 to 1000");
        assert_failed(nats_options_set_text(options, "drain_timeout", huge[i], NATS_Z),
                      NATS_ERR_INVALID,
                      "option 'drain_timeout': 9223372036854775807 ms is out of range: 1 ms to "
                      "86400000 ms");
    }
    assert_int_equal(number("max_pings_out"), 2);
}

static void a_queue_for_nothing_is_refused(void **state)
{
    (void)state;
    assert_failed(nats_options_set_int(options, "pending_msgs", 0), NATS_ERR_INVALID,
                  "option 'pending_msgs': 0 is out of range: -1, or 1 to 1000000000000");
    assert_failed(nats_options_set_text(options, "pending_bytes", "0", 1), NATS_ERR_INVALID,
                  "option 'pending_bytes': 0 is out of range: -1, or 1 to 1000000000000000");
    assert_failed(nats_options_set_double(options, "pending_bytes", -2), NATS_ERR_INVALID,
                  "option 'pending_bytes': -2 is out of range: -1, or 1 to 1000000000000000");
    assert_int_equal(nats_options_set_int(options, "pending_msgs", -1), NATS_OK);
    assert_int_equal(nats_options_set_int(options, "pending_msgs", 1), NATS_OK);
}

static void doubles_are_seconds_or_whole_numbers(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        double value;
        int64_t wanted;
    } cases[] = {
        {"connect_timeout", 2, 2000},     {"connect_timeout", 0.25, 250},
        {"connect_timeout", 0.07, 70},    {"connect_timeout", 1.1, 1100},
        {"connect_timeout", 0.00001, 1},  {"connect_timeout", 3600, 3600000},
        {"reconnect_wait", 0, 0},         {"max_pings_out", 3, 3},
        {"max_reconnects", -1, -1},       {"verbose", 1, 1},
        {"pending_bytes", 1e15, INT64_C(1000000000000000)},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(nats_options_set_double(options, cases[i].name, cases[i].value), NATS_OK);
        assert_int_equal(number(cases[i].name), cases[i].wanted);
    }
}

static void doubles_that_fit_nothing_are_refused(void **state)
{
    (void)state;
    double zero = 0;
    double values[] = {zero / zero, 1 / zero, -1 / zero, 1e300, -1e300, 1e18, -0.5, -0.0001, -2};
    for (size_t i = 0; i < COUNT_OF(values); i++) {
        assert_int_equal(nats_options_set_double(options, "connect_timeout", values[i]),
                         NATS_ERR_INVALID);
        assert_int_equal(nats_options_set_double(options, "max_pings_out", values[i]),
                         NATS_ERR_INVALID);
        assert_int_equal(nats_options_set_double(options, "verbose", values[i]), NATS_ERR_INVALID);
    }
    assert_failed(nats_options_set_double(options, "max_pings_out", 1.5), NATS_ERR_INVALID,
                  "option 'max_pings_out': a number with a fraction is not a whole number");
    assert_failed(nats_options_set_double(options, "connect_timeout", zero / zero),
                  NATS_ERR_INVALID,
                  "option 'connect_timeout': not-a-number is not a time, as \"250ms\", \"2s\", "
                  "\"5m\", \"1h\" or a number");
}

static void values_of_another_kind_are_refused(void **state)
{
    (void)state;
    assert_failed(nats_options_set_int(options, "name", 5), NATS_ERR_INVALID,
                  "option 'name': a number is not a text");
    assert_failed(nats_options_set_double(options, "name", 5), NATS_ERR_INVALID,
                  "option 'name': a number is not a text");
    assert_failed(nats_options_set_bool(options, "name", 1), NATS_ERR_INVALID,
                  "option 'name': true is not a text");
    assert_failed(nats_options_set_bool(options, "max_pings_out", 0), NATS_ERR_INVALID,
                  "option 'max_pings_out': false is not a whole number");
    assert_failed(nats_options_set_int(options, "verbose", 2), NATS_ERR_INVALID,
                  "option 'verbose': a number other than 0 and 1 is not true or false");
    assert_int_equal(nats_options_set_bool(options, "verbose", 5), NATS_OK);
    assert_int_equal(number("verbose"), 1);
    assert_int_equal(nats_options_set_int(options, "verbose", 0), NATS_OK);
    assert_int_equal(number("verbose"), 0);
}

static void unknown_names_bring_the_nearest_known_one(void **state)
{
    (void)state;
    static const struct {
        const char *name;
        const char *error;
    } cases[] = {
        {"nmae", "unknown option 'nmae': did you mean 'name'?"},
        {"conect_timeout", "unknown option 'conect_timeout': did you mean 'connect_timeout'?"},
        {"pending_mgs", "unknown option 'pending_mgs': did you mean 'pending_msgs'?"},
        {"noecho", "unknown option 'noecho': did you mean 'no_echo'?"},
        {"Name", "unknown option 'Name': did you mean 'name'?"},
        {"something_else_entirely", "unknown option 'something_else_entirely'"},
        {"x", "unknown option 'x'"},
        {"", "unknown option ''"},
        {"evil\r\n", "unknown option 'evil?" "?'"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_failed(nats_options_set_text(options, cases[i].name, "x", 1), NATS_ERR_INVALID,
                      cases[i].error);
        assert_failed(nats_options_set_int(options, cases[i].name, 1), NATS_ERR_INVALID,
                      cases[i].error);
        assert_failed(nats_options_set_double(options, cases[i].name, 1), NATS_ERR_INVALID,
                      cases[i].error);
        assert_failed(nats_options_set_bool(options, cases[i].name, 1), NATS_ERR_INVALID,
                      cases[i].error);
        assert_int_equal(nats_options_type(cases[i].name), 0);
        assert_null(nats_options_doc(cases[i].name));
    }
}

static void a_very_long_unknown_name_is_cut(void **state)
{
    (void)state;
    char name[5000];
    memset(name, 'n', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    assert_int_equal(nats_options_set_int(options, name, 1), NATS_ERR_INVALID);
    assert_int_equal(strlen(nats__error_get()->text), strlen("unknown option ''") + 64);
}

static void texts_with_line_ends_or_nul_are_refused_by_place(void **state)
{
    (void)state;
    assert_failed(nats_options_set_text(options, "name", BYTES("a\0b")), NATS_ERR_INVALID,
                  "option 'name': byte 1 (0x00) is a NUL");
    assert_failed(nats_options_set_text(options, "user", BYTES("joe\r")), NATS_ERR_INVALID,
                  "option 'user': byte 3 (0x0d) is a carriage return");
    assert_failed(nats_options_set_text(options, "token", BYTES("\nx")), NATS_ERR_INVALID,
                  "option 'token': byte 0 (0x0a) is a line feed");
    assert_failed(nats_options_set_text(options, "password", BYTES("caf\xe9")), NATS_ERR_INVALID,
                  "option 'password': byte 3 is not valid UTF-8");
    assert_null(nats__opt_text(options, NATS__OPT_password));
}

static void texts_have_their_lengths(void **state)
{
    (void)state;
    char text[1025];
    memset(text, 'x', sizeof text);
    assert_int_equal(nats_options_set_text(options, "name", text, 1024), NATS_OK);
    assert_failed(nats_options_set_text(options, "name", text, 1025), NATS_ERR_INVALID,
                  "option 'name': a text of 1025 bytes is out of range: 0 to 1024");
    assert_failed(nats_options_set_text(options, "inbox_prefix", "", 0), NATS_ERR_INVALID,
                  "option 'inbox_prefix': a text of 0 bytes is out of range: 1 to 512");
}

static void the_inbox_prefix_is_a_subject(void **state)
{
    (void)state;
    assert_int_equal(nats_options_set_text(options, "inbox_prefix", "my.box", NATS_Z), NATS_OK);
    assert_failed(nats_options_set_text(options, "inbox_prefix", "a b", NATS_Z), NATS_ERR_INVALID,
                  "inbox_prefix: byte 1 (0x20) is a blank");
    assert_int_equal(nats_options_set_text(options, "inbox_prefix", "a.>", NATS_Z),
                     NATS_ERR_INVALID);
    assert_int_equal(nats_options_set_text(options, "inbox_prefix", "a.", NATS_Z),
                     NATS_ERR_INVALID);
    assert_string_equal(nats__opt_text(options, NATS__OPT_inbox_prefix), "my.box");
}

static void passwords_are_not_repeated_in_errors(void **state)
{
    (void)state;
    assert_int_equal(nats_options_set_text(options, "password", BYTES("hunter2\n")),
                     NATS_ERR_INVALID);
    assert_null(strstr(nats__error_get()->text, "hunter2"));
    assert_int_equal(nats_options_set_text(options, "connect_timeout", BYTES("hunter2")),
                     NATS_ERR_INVALID);
    assert_null(strstr(nats__error_get()->text, "hunter2"));
}

static void copies_stand_for_themselves(void **state)
{
    (void)state;
    nats_options copy;
    assert_int_equal(nats_options_set_text(options, "user", "joe", NATS_Z), NATS_OK);
    assert_int_equal(nats_options_set_int(options, "max_pings_out", 9), NATS_OK);
    assert_true(nats__options_copy(options, &copy));
    assert_int_equal(nats_options_set_text(options, "user", "ann", NATS_Z), NATS_OK);
    assert_string_equal(nats__opt_text(&copy, NATS__OPT_user), "joe");
    assert_int_equal(nats__opt(&copy, NATS__OPT_max_pings_out), 9);
    nats__options_clear(&copy);
    assert_null(nats__opt_text(&copy, NATS__OPT_user));
    assert_true(nats__options_copy(NULL, &copy));
    assert_int_equal(nats__opt(&copy, NATS__OPT_max_pings_out), 2);
    nats__options_clear(&copy);
}

static void every_option_is_documented_with_its_default(void **state)
{
    (void)state;
    int32_t count = 0;
    for (; nats_options_name(count) != NULL; count++) {
        const char *doc = nats_options_doc(nats_options_name(count));
        assert_non_null(doc);
        assert_non_null(strstr(doc, " Default: "));
        assert_in_range(nats_options_type(nats_options_name(count)), NATS_OPTION_TEXT,
                        NATS_OPTION_DURATION);
    }
    assert_int_equal(count, NATS__OPT_COUNT);
    assert_null(nats_options_name(SIZE_MAX));
    assert_null(nats_options_name(INT32_MAX));
    assert_non_null(strstr(nats_options_doc("connect_timeout"), "Default: 5000 ms."));
    assert_non_null(strstr(nats_options_doc("reconnect"), "Default: true."));
    assert_non_null(strstr(nats_options_doc("name"), "Default: none."));
    assert_non_null(strstr(nats_options_doc("inbox_prefix"), "Default: \"_INBOX\"."));
}

static void numbers_of_the_table(void **state)
{
    (void)state;
    assert_int_equal(nats_options_default("request_timeout"), 10000);
    assert_int_equal(nats_options_min("request_timeout"), 1);
    assert_int_equal(nats_options_max("request_timeout"), 86400000);
    assert_int_equal(nats_options_default("pending_bytes"), 67108864);
    assert_int_equal(nats_options_min("pending_msgs"), -1);
    assert_int_equal(nats_options_default("reconnect"), 1);
    assert_int_equal(nats_options_default("inbox_prefix"), 0);
    assert_int_equal(nats_options_max("inbox_prefix"), 512);
    assert_int_equal(nats_options_max("no_such"), 0);
    for (size_t i = 0; nats_options_name(i) != NULL; i++) {
        const char *name = nats_options_name(i);
        if (nats_options_type(name) != NATS_OPTION_TEXT) {
            assert_true(nats_options_min(name) <= nats_options_default(name));
            assert_true(nats_options_default(name) <= nats_options_max(name));
        }
    }
}

static void nearest_of_a_list(void **state)
{
    (void)state;
    const char *const names[] = {"max", NULL, "wait",
                                 "a_name_that_is_so_long_that_nobody_could_mean_it_by_mistake"
                                 "_as_it_has_over_64_bytes"};
    assert_string_equal(nats_options_nearest("reconect", NULL, 0), "reconnect");
    assert_null(nats_options_nearest("something else", NULL, 0));
    assert_ptr_equal(nats_options_nearest("timeout", names, 4), names[2]); /* another word for it */
    assert_null(nats_options_nearest("timeout", names, 2));
    assert_ptr_equal(nats_options_nearest("wiat", names, 4), names[2]);
    assert_ptr_equal(nats_options_nearest("mx", names, 4), names[0]);
    assert_null(nats_options_nearest("mx", names, 0));
    assert_null(nats_options_nearest("reconect", names, 4));
    assert_null(nats_options_nearest(names[3], NULL, 0));
    assert_null(nats_options_nearest(NULL, names, 4));
}

static void no_object_is_an_error_not_a_crash(void **state)
{
    (void)state;
    assert_int_equal(nats_options_new(NULL), NATS_ERR_INVALID);
    assert_int_equal(nats_options_set_text(NULL, "name", "x", 1), NATS_ERR_INVALID);
    assert_int_equal(nats_options_set_text(options, NULL, "x", 1), NATS_ERR_INVALID);
    assert_int_equal(nats_options_set_text(options, "name", NULL, 0), NATS_ERR_INVALID);
    assert_int_equal(nats_options_set_int(NULL, "name", 1), NATS_ERR_INVALID);
    assert_int_equal(nats_options_set_double(options, NULL, 1), NATS_ERR_INVALID);
    assert_int_equal(nats_options_set_bool(NULL, NULL, 1), NATS_ERR_INVALID);
    assert_int_equal(nats_options_type(NULL), 0);
    assert_null(nats_options_doc(NULL));
    nats_options_free(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(new_options_have_the_defaults),
        TEST(defaults_obey_their_own_rules),
        TEST(texts_are_copied),
        TEST(values_are_read_from_text_by_their_type),
        TEST(numbers_that_are_none_are_refused),
        TEST(ranges_are_named),
        TEST(a_queue_for_nothing_is_refused),
        TEST(doubles_are_seconds_or_whole_numbers),
        TEST(doubles_that_fit_nothing_are_refused),
        TEST(values_of_another_kind_are_refused),
        TEST(unknown_names_bring_the_nearest_known_one),
        TEST(numbers_of_the_table),
        TEST(nearest_of_a_list),
        TEST(a_very_long_unknown_name_is_cut),
        TEST(texts_with_line_ends_or_nul_are_refused_by_place),
        TEST(texts_have_their_lengths),
        TEST(the_inbox_prefix_is_a_subject),
        TEST(passwords_are_not_repeated_in_errors),
        TEST(copies_stand_for_themselves),
        TEST(every_option_is_documented_with_its_default),
        TEST(no_object_is_an_error_not_a_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
