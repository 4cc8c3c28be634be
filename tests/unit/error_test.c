#include "unit.h"

#include <pthread.h>

#include "base/utf8.h"

static void a_failure_is_noted_and_its_status_returned(void **state)
{
    (void)state;
    forget_error();
    nats_status status = nats__fail(NATS_ERR_LIMIT, "max_payload", "%d is over %d", 7, 5);
    assert_failed(status, NATS_ERR_LIMIT, "7 is over 5");
    assert_string_equal(nats__error_get()->about, "max_payload");
    assert_int_equal(nats_last_status(), NATS_ERR_LIMIT);
    assert_string_equal(nats_last_about(), "max_payload");
}

static void a_failure_about_nothing_leaves_no_older_name(void **state)
{
    (void)state;
    nats__fail(NATS_ERR_INVALID, "subject", "first");
    nats__error_get()->owner = state;
    nats__fail(NATS_ERR_IO, NULL, "second");
    assert_string_equal(nats__error_get()->about, "");
    assert_string_equal(nats__error_get()->text, "second");
    assert_null(nats__error_get()->owner);
}

static void what_a_server_answered_is_noted_until_the_next_failure(void **state)
{
    (void)state;
    char words[] = "stream not found, and more";
    nats__said said = {.code = 404, .err_code = 10059, .description = words, .len = 16};
    nats_status status = nats__fail_said(&said, "ORDERS", "stream_info");
    assert_failed(status, NATS_ERR_SERVER, "stream_info: stream not found (10059)");
    assert_string_equal(nats_last_about(), "ORDERS");
    assert_int_equal(nats_last_code(), 404);
    assert_int_equal(nats_last_err_code(), 10059);
    assert_string_equal(nats_last_description(), "stream not found");
    nats__fail(NATS_ERR_IO, NULL, "other");
    assert_int_equal(nats_last_code(), 0);
    assert_int_equal(nats_last_err_code(), 0);
    assert_string_equal(nats_last_description(), "");
}

static void a_server_s_words_are_printable_and_cut(void **state)
{
    (void)state;
    char words[NATS__ERROR_SAID_MAX + 10];
    memset(words, 'x', sizeof words);
    words[0] = '\n';
    nats__said said = {.code = 400, .description = words, .len = sizeof words};
    nats__fail_said(&said, NULL, "v");
    assert_int_equal(strlen(nats_last_description()), NATS__ERROR_SAID_MAX - 1);
    assert_int_equal(nats_last_description()[0], '?');
    nats__fail_said(&(nats__said){.code = 409}, NULL, "v");
    assert_string_equal(nats__error_get()->text, "v: the server gave no description (409)");
    assert_string_equal(nats_last_description(), "");
}

static void control_bytes_come_out_as_question_marks(void **state)
{
    (void)state;
    nats__fail(NATS_ERR_SERVER, "a\tb", "red \x1b[31m\r\n\x7f end");
    assert_string_equal(nats__error_get()->text, "red ?[31m??? end");
    assert_string_equal(nats__error_get()->about, "a?b");
}

static void bytes_that_are_not_utf8_come_out_as_question_marks(void **state)
{
    (void)state;
    nats__fail(NATS_ERR_SERVER, "\xff", "caf\xc3\xa9 \xe9 \xc3");
    assert_string_equal(nats__error_get()->text, "caf\xc3\xa9 ? ?");
    assert_string_equal(nats__error_get()->about, "?");
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    char text[1000];
    for (size_t shift = 0; shift < 4; shift++) {
        /* Two-byte characters, shifted so that the cut falls at each place of one. */
        memset(text, 'x', shift);
        for (size_t i = shift; i + 2 < sizeof text; i += 2) {
            memcpy(text + i, "\xc3\xa9", 3);
        }
        nats__fail(NATS_ERR_SERVER, text, "%s", text);
        const char *noted = nats__error_get()->text;
        const char *about = nats__error_get()->about;
        size_t len = strlen(noted);
        assert_in_range(len, NATS__ERROR_TEXT_MAX - 3, NATS__ERROR_TEXT_MAX - 1);
        assert_memory_equal(noted, text, len);
        assert_int_equal(nats__utf8_check(about, strlen(about)), strlen(about));
        assert_memory_equal(about, text, strlen(about));
    }
}

static void a_noted_text_can_be_part_of_the_next(void **state)
{
    (void)state;
    nats__fail(NATS_ERR_IO, "host", "no route");
    nats__fail(NATS_ERR_IO, nats__error_get()->about, "connect: %s", nats__error_get()->text);
    assert_string_equal(nats__error_get()->text, "connect: no route");
    assert_string_equal(nats__error_get()->about, "host");
}

static void *fail_elsewhere(void *unused)
{
    (void)unused;
    nats_status *before = malloc(sizeof *before);
    *before = nats__error_get()->status;
    nats__fail(NATS_ERR_TLS, "other", "another thread's");
    return before;
}

static void each_thread_has_its_own(void **state)
{
    (void)state;
    pthread_t thread;
    void *seen;
    nats__fail(NATS_ERR_IO, "mine", "mine");
    assert_int_equal(pthread_create(&thread, NULL, fail_elsewhere, NULL), 0);
    assert_int_equal(pthread_join(thread, &seen), 0);
    assert_int_equal(*(nats_status *)seen, NATS_OK);
    free(seen);
    assert_failed(nats_last_status(), NATS_ERR_IO, "mine");
}

static void every_status_has_a_name_and_a_text(void **state)
{
    (void)state;
    static const char *const names[] = {
        "OK",          "TIMEOUT",  "NO_RESPONDERS", "CLOSED",        "DISCONNECTED",
        "AUTH",        "PERMISSION", "PROTOCOL",    "MAX_PAYLOAD",   "SLOW_CONSUMER",
        "INVALID",     "LIMIT",    "IO",            "TLS",           "NO_MEMORY",
        "FORKED",      "NOT_SUPPORTED", "SERVER",   "INTERRUPTED",
    };
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        assert_string_equal(nats_status_name(-(nats_status)i), names[i]);
        assert_string_not_equal(nats_status_text(-(nats_status)i), "unknown status");
    }
    assert_string_equal(nats_status_name(NATS_ERR_INTERRUPTED), "INTERRUPTED");
}

static void numbers_that_are_no_status_are_unknown(void **state)
{
    (void)state;
    static const nats_status numbers[] = {1, -19, -1000, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < COUNT_OF(numbers); i++) {
        assert_string_equal(nats_status_name(numbers[i]), "UNKNOWN");
        assert_string_equal(nats_status_text(numbers[i]), "unknown status");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_failure_is_noted_and_its_status_returned),
        cmocka_unit_test(a_failure_about_nothing_leaves_no_older_name),
        cmocka_unit_test(what_a_server_answered_is_noted_until_the_next_failure),
        cmocka_unit_test(a_server_s_words_are_printable_and_cut),
        cmocka_unit_test(control_bytes_come_out_as_question_marks),
        cmocka_unit_test(bytes_that_are_not_utf8_come_out_as_question_marks),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(a_noted_text_can_be_part_of_the_next),
        cmocka_unit_test(each_thread_has_its_own),
        cmocka_unit_test(every_status_has_a_name_and_a_text),
        cmocka_unit_test(numbers_that_are_no_status_are_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
