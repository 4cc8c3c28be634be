#include "unit.h"

#include "jetstream/time.h"

static int64_t duration(const char *text)
{
    int64_t ns = -7;
    return nats__duration_read(text, strlen(text), &ns) ? ns : -1;
}

static void durations_are_numbers_with_units(void **state)
{
    (void)state;
    assert_int_equal(duration("0"), 0);
    assert_int_equal(duration("0s"), 0);
    assert_int_equal(duration("1ns"), 1);
    assert_int_equal(duration("3us"), 3000);
    assert_int_equal(duration("3\xc2\xb5s"), 3000);
    assert_int_equal(duration("3\xce\xbcs"), 3000);
    assert_int_equal(duration("250ms"), 250000000);
    assert_int_equal(duration("2s"), INT64_C(2000000000));
    assert_int_equal(duration("5m"), INT64_C(300000000000));
    assert_int_equal(duration("1h30m"), INT64_C(5400000000000));
    assert_int_equal(duration("7d"), INT64_C(604800000000000));
    assert_int_equal(duration("1.5h"), INT64_C(5400000000000));
    assert_int_equal(duration(".5s"), 500000000);
    assert_int_equal(duration("1.000000001s"), INT64_C(1000000001));
    assert_int_equal(duration("2m0.5s"), INT64_C(120500000000));
}

/* What is more than nothing does not become nothing. */
static void durations_below_a_nanosecond_are_one(void **state)
{
    (void)state;
    assert_int_equal(duration("0.1ns"), 1);
    assert_int_equal(duration("0.0000000001s"), 1);
    assert_int_equal(duration("0.0ns"), 0);
}

static void what_is_no_duration_is_refused(void **state)
{
    static const char *const none[] = {"",    "5",   "s",    "-1s",  "+1s",  "1 s",    "1sec",
                                       "1.s.", "1..5s", "1e3s", "1h-5m", "one", "5 minutes", ".s",
                                       "1s ", "0x5s", "1h30"};
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(duration(none[i]), -1);
    }
}

static void durations_end_with_64_bits(void **state)
{
    (void)state;
    assert_int_equal(duration("9223372036854775807ns"), INT64_MAX);
    assert_int_equal(duration("9223372036854775808ns"), -1);
    assert_int_equal(duration("2562047h47m16.854775807s"), INT64_MAX);
    assert_int_equal(duration("2562047h47m16.854775808s"), -1);
    assert_int_equal(duration("99999999999999999999h"), -1);
    assert_int_equal(duration("9000000000s9000000000s"), -1);
}

static nats__time_kind read_time(const char *text, int64_t *ns)
{
    return nats__time_read(text, strlen(text), ns);
}

static void check_time(const char *text, int64_t wanted)
{
    int64_t ns;
    assert_int_equal(read_time(text, &ns), NATS__TIME_READ);
    assert_int_equal(ns, wanted);
}

static void times_are_ns_since_1970(void **state)
{
    (void)state;
    check_time("1970-01-01T00:00:00Z", 0);
    check_time("1970-01-01T00:00:00.000000001Z", 1);
    check_time("1969-12-31T23:59:59.999999999Z", -1);
    check_time("1969-12-31T23:59:59Z", -1000000000);
    check_time("2001-09-09T01:46:40Z", INT64_C(1000000000) * 1000000000);
    check_time("2000-02-29T12:00:00Z", INT64_C(951825600) * 1000000000);
    check_time("2026-11-21T17:48:10.919364143Z", INT64_C(1795283290919364143));
    check_time("2026-01-02t03:04:05z", INT64_C(1767323045) * 1000000000);
    check_time("2026-01-02 03:04:05.5Z", INT64_C(1767323045) * 1000000000 + 500000000);
    check_time("2026-01-02T05:04:05+02:00", INT64_C(1767323045) * 1000000000);
    check_time("2026-01-01T21:34:05-05:30", INT64_C(1767323045) * 1000000000);
    check_time("2026-01-02T03:04:05.1234567899Z", INT64_C(1767323045123456789));
    check_time("2016-12-31T23:59:60Z", INT64_C(1483228800) * 1000000000);
}

static void times_end_with_64_bits(void **state)
{
    int64_t ns;
    (void)state;
    check_time("2262-04-11T23:47:16.854775807Z", INT64_MAX);
    check_time("1677-09-21T00:12:43.145224192Z", INT64_MIN);
    assert_int_equal(read_time("2262-04-11T23:47:16.854775808Z", &ns), NATS__TIME_FAR);
    assert_int_equal(read_time("1677-09-21T00:12:43.145224191Z", &ns), NATS__TIME_FAR);
    assert_int_equal(read_time("0001-01-01T00:00:00Z", &ns), NATS__TIME_FAR);
    assert_int_equal(ns, 0);
    assert_int_equal(read_time("9999-12-31T23:59:59Z", &ns), NATS__TIME_FAR);
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const none[] = {
        "",
        "yesterday",
        "2026-01-02",
        "2026-01-02T03:04:05",
        "2026-01-02T03:04Z",
        "2026-13-02T03:04:05Z",
        "2026-00-02T03:04:05Z",
        "2026-02-29T03:04:05Z",
        "1900-02-29T03:04:05Z",
        "2026-04-31T03:04:05Z",
        "2026-01-00T03:04:05Z",
        "2026-01-02T24:04:05Z",
        "2026-01-02T03:60:05Z",
        "2026-01-02T03:04:61Z",
        "2026-01-02T03:04:05.Z",
        "2026-01-02T03:04:05Zx",
        "2026-01-02T03:04:05+2:00",
        "2026-01-02T03:04:05+24:00",
        "2026-01-02T03:04:05+0200",
        "26-01-02T03:04:05Z",
        "2026/01/02T03:04:05Z",
    };
    int64_t ns;
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_int_equal(read_time(none[i], &ns), NATS__TIME_NONE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_numbers_with_units),
        cmocka_unit_test(durations_below_a_nanosecond_are_one),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(durations_end_with_64_bits),
        cmocka_unit_test(times_are_ns_since_1970),
        cmocka_unit_test(times_end_with_64_bits),
        cmocka_unit_test(what_is_no_time_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
