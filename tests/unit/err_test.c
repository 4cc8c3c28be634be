#include "unit.h"

#include <ctype.h>

#include "proto/err.h"

static nats__err parse(const char *text, size_t len)
{
    nats__err err;
    memset(&err, 0x55, sizeof err);
    nats__err_parse(text, len, &err);
    return err;
}

static const struct {
    const char *text;
    int32_t kind;
    nats_status status;
    bool recoverable;
} known[] = {
    /* terminal, ADR-40 */
    {"Authorization Violation", NATS_KIND_AUTH_VIOLATION, NATS_ERR_AUTH, false},
    {"Authentication Timeout", NATS_KIND_AUTH_TIMEOUT, NATS_ERR_AUTH, false},
    {"User Authentication Expired", NATS_KIND_AUTH_EXPIRED, NATS_ERR_AUTH, false},
    {"Account Authentication Expired", NATS_KIND_AUTH_EXPIRED, NATS_ERR_AUTH, false},
    {"User Authentication Revoked", NATS_KIND_AUTH_REVOKED, NATS_ERR_AUTH, false},
    {"maximum connections exceeded", NATS_KIND_MAX_CONNECTIONS, NATS_ERR_LIMIT, false},
    {"maximum account active connections exceeded", NATS_KIND_MAX_ACCOUNT_CONNECTIONS,
     NATS_ERR_LIMIT, false},
    {"Maximum Control Line Exceeded", NATS_KIND_MAX_CONTROL_LINE, NATS_ERR_LIMIT, false},
    {"Maximum Payload Violation", NATS_KIND_MAX_PAYLOAD, NATS_ERR_MAX_PAYLOAD, false},
    {"Maximum Payload Exceeded", NATS_KIND_MAX_PAYLOAD, NATS_ERR_MAX_PAYLOAD, false},
    {"Stale Connection", NATS_KIND_STALE, NATS_ERR_DISCONNECTED, false},
    {"Server Shutdown", NATS_KIND_SHUTDOWN, NATS_ERR_DISCONNECTED, false},
    {"Slow Consumer", NATS_KIND_SLOW_CONSUMER, NATS_ERR_SLOW_CONSUMER, false},
    {"Unknown Protocol Operation", NATS_KIND_BAD_PROTOCOL, NATS_ERR_PROTOCOL, false},
    {"Parser Error", NATS_KIND_BAD_PROTOCOL, NATS_ERR_PROTOCOL, false},
    {"Secure Connection - TLS Required", NATS_KIND_TLS_REQUIRED, NATS_ERR_TLS, false},
    {"Attempted To Connect To Route Port", NATS_KIND_WRONG_PORT, NATS_ERR_PROTOCOL, false},
    /* the connection goes on, ADR-40 */
    {"maximum subscriptions exceeded", NATS_KIND_MAX_SUBSCRIPTIONS, NATS_ERR_LIMIT, true},
    {"Invalid Subject", NATS_KIND_INVALID_SUBJECT, NATS_ERR_INVALID, true},
    {"Invalid Publish Subject", NATS_KIND_INVALID_SUBJECT, NATS_ERR_INVALID, true},
    {"Permissions Violation for Publish to \"a\"", NATS_KIND_PERMISSION_PUBLISH,
     NATS_ERR_PERMISSION, true},
    {"Permissions Violation for Subscription to \"a\"", NATS_KIND_PERMISSION_SUBSCRIBE,
     NATS_ERR_PERMISSION, true},
    {"Permissions Violation for Subscription to \"a.b\", too many tokens", NATS_KIND_MAX_TOKENS,
     NATS_ERR_LIMIT, true},
    {"Permissions Violation", NATS_KIND_PERMISSION, NATS_ERR_PERMISSION, true},
};

static void check_known(const char *text, size_t i)
{
    char *copy = tight_copy(text, strlen(text));
    nats__err err = parse(copy, strlen(text));
    free(copy);
    if (err.kind != known[i].kind || err.status != known[i].status ||
        err.recoverable != known[i].recoverable) {
        fail_msg("%s: kind %d status %d recoverable %d", text, (int)err.kind, (int)err.status,
                 (int)err.recoverable);
    }
}

static void known_texts_have_their_meaning_in_any_case(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(known); i++) {
        char text[200];
        char lower[200];
        char upper[200];
        strcpy(text, "'");
        strcat(text, known[i].text);
        strcat(text, "'");
        for (size_t k = 0; k <= strlen(text); k++) {
            lower[k] = (char)tolower((unsigned char)text[k]);
            upper[k] = (char)toupper((unsigned char)text[k]);
        }
        check_known(known[i].text, i); /* without its quotes */
        check_known(text, i);
        check_known(lower, i);
        check_known(upper, i);
    }
}

static void blanks_around_the_text_do_not_matter(void **state)
{
    (void)state;
    assert_int_equal(parse(BYTES("  'Stale Connection'\t")).kind, NATS_KIND_STALE);
    assert_int_equal(parse(BYTES("\tStale Connection ")).kind, NATS_KIND_STALE);
}

static void unknown_texts_are_not_the_end(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
    } cases[] = {
        {BYTES("")},         {BYTES("'")},      {BYTES("''")},
        {BYTES("Something New")}, {BYTES("Stale")}, {BYTES("\xff\0\r")},
        {BYTES("'Authorization")}, {BYTES("x Authorization Violation")},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__err err = parse(cases[i].text, cases[i].len);
        assert_int_equal(err.kind, NATS_KIND_UNKNOWN);
        assert_int_equal(err.status, NATS_ERR_SERVER);
        assert_true(err.recoverable);
        assert_null(err.subject);
        assert_null(err.queue);
        assert_true(err.sid == 0);
    }
}

static void permissions_violations_say_what_they_are_about(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int32_t kind;
        const char *subject;
        const char *queue;
        uint64_t sid;
    } cases[] = {
        {"'Permissions Violation for Publish to \"foo.bar\"'", NATS_KIND_PERMISSION_PUBLISH,
         "foo.bar", NULL, 0},
        {"'Permissions Violation for Publish with Reply of \"_INBOX.x\"'",
         NATS_KIND_PERMISSION_PUBLISH, "_INBOX.x", NULL, 0},
        {"'Permissions Violation for Subscription to \"foo.>\"'", NATS_KIND_PERMISSION_SUBSCRIBE,
         "foo.>", NULL, 0},
        {"'Permissions Violation for Subscription to \"foo\" using queue \"q\"'",
         NATS_KIND_PERMISSION_SUBSCRIBE, "foo", "q", 0},
        {"'Permissions Violation for Subscription to \"foo\" (sid \"12\")'",
         NATS_KIND_PERMISSION_SUBSCRIBE, "foo", NULL, 12},
        {"'Permissions Violation for Subscription to \"foo\" using queue \"q\" (sid \"7\")'",
         NATS_KIND_PERMISSION_SUBSCRIBE, "foo", "q", 7},
        {"permissions violation for subscription to \"FoO\" USING QUEUE \"Q\" (SID \"9\")",
         NATS_KIND_PERMISSION_SUBSCRIBE, "FoO", "Q", 9},
        /* words that look like the grammar, in a subject and a queue */
        {"'Permissions Violation for Subscription to \"using queue (sid\" using queue \"(sid\"'",
         NATS_KIND_PERMISSION_SUBSCRIBE, "using queue (sid", "(sid", 0},
        /* quoted by the server */
        {"'Permissions Violation for Publish to \"a\\\"b\\\\\"'", NATS_KIND_PERMISSION_PUBLISH,
         "a\\\"b\\\\", NULL, 0},
        {"'Permissions Violation for Publish to \"\"'", NATS_KIND_PERMISSION_PUBLISH, "", NULL, 0},
        /* cut off, or not as known */
        {"'Permissions Violation for Publish to \"foo'", NATS_KIND_PERMISSION_PUBLISH, NULL, NULL,
         0},
        {"'Permissions Violation for Publish to \"foo\\", NATS_KIND_PERMISSION_PUBLISH, NULL, NULL,
         0},
        {"'Permissions Violation for Publish to \"", NATS_KIND_PERMISSION_PUBLISH, NULL, NULL, 0},
        {"'Permissions Violation for Publish to'", NATS_KIND_PERMISSION_PUBLISH, NULL, NULL, 0},
        {"'Permissions Violation for Subscription to \"a\" using queue \"q", /* no end */
         NATS_KIND_PERMISSION_SUBSCRIBE, "a", NULL, 0},
        {"'Permissions Violation for Subscription to \"a\" (sid \"x\")'",
         NATS_KIND_PERMISSION_SUBSCRIBE, "a", NULL, 0},
        {"'Permissions Violation for Subscription to \"a\" (sid \"\")'",
         NATS_KIND_PERMISSION_SUBSCRIBE, "a", NULL, 0},
        {"'Permissions Violation for Subscription to \"a\" (sid \"99999999999999999999\")'",
         NATS_KIND_PERMISSION_SUBSCRIBE, "a", NULL, 0},
        {"'Permissions Violation for Subscription to \"a\" (sid \"9",
         NATS_KIND_PERMISSION_SUBSCRIBE, "a", NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *text = tight_copy(cases[i].text, strlen(cases[i].text));
        nats__err err = parse(text, strlen(cases[i].text));
        assert_int_equal(err.kind, cases[i].kind);
        assert_int_equal(err.status, NATS_ERR_PERMISSION);
        assert_true(err.recoverable);
        assert_true(err.sid == cases[i].sid);
        assert_int_equal(err.subject == NULL, cases[i].subject == NULL);
        if (err.subject != NULL) {
            assert_bytes(err.subject, err.subject_len, cases[i].subject, strlen(cases[i].subject));
        }
        assert_int_equal(err.queue == NULL, cases[i].queue == NULL);
        if (err.queue != NULL) {
            assert_bytes(err.queue, err.queue_len, cases[i].queue, strlen(cases[i].queue));
        }
        free(text);
    }
}

static void names_are_unquoted_as_go_quotes_them(void **state)
{
    (void)state;
    static const struct {
        const char *quoted;
        const char *plain;
    } cases[] = {
        {"", ""},
        {"plain.subject", "plain.subject"},
        {"a\\\"b", "a\"b"},
        {"a\\\\b", "a\\b"},
        {"\\a\\b\\f\\n\\r\\t\\v", "\a\b\f\n\r\t\v"},
        {"\\x7f\\xff", "\x7f\xff"},
        {"\\u202e", "\xe2\x80\xae"},
        {"\\u00ad", "\xc2\xad"},
        {"\\U0001f600", "\xf0\x9f\x98\x80"},
        {"\\U00110000", "\\U00110000"}, /* none of these is an escape */
        {"\\x7", "\\x7"},
        {"\\q", "\\q"},
        {"end\\", "end\\"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char buffer[64];
        char *copy = tight_copy(cases[i].quoted, strlen(cases[i].quoted));
        size_t len = nats__err_unquote(copy, strlen(cases[i].quoted), buffer, sizeof buffer);
        free(copy);
        assert_int_equal(len, strlen(cases[i].plain));
        assert_string_equal(buffer, cases[i].plain);
    }
}

static void what_does_not_fit_is_left_out(void **state)
{
    (void)state;
    char buffer[4];
    assert_int_equal(nats__err_unquote("abcdef", 6, buffer, sizeof buffer), 3);
    assert_string_equal(buffer, "abc");
    assert_int_equal(nats__err_unquote("ab\\u202e", 8, buffer, sizeof buffer), 2);
    assert_string_equal(buffer, "ab");
    assert_int_equal(nats__err_unquote(NULL, 0, buffer, sizeof buffer), 0);
    assert_string_equal(buffer, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_texts_have_their_meaning_in_any_case),
        cmocka_unit_test(blanks_around_the_text_do_not_matter),
        cmocka_unit_test(unknown_texts_are_not_the_end),
        cmocka_unit_test(permissions_violations_say_what_they_are_about),
        cmocka_unit_test(names_are_unquoted_as_go_quotes_them),
        cmocka_unit_test(what_does_not_fit_is_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
