#include "unit.h"

#include "base/utf8.h"
#include "proto/subject.h"

/* ---- validity ---- */

static bool subject_ok(const char *text, size_t len)
{
    char *copy = tight_copy(text, len);
    bool ok = nats__subject_ok(copy, len);
    free(copy);
    return ok;
}

static bool subject_check(const char *text, size_t len)
{
    char *copy = tight_copy(text, len);
    bool ok = nats__subject_check("subject", copy, len) == NATS_OK;
    free(copy);
    return ok;
}

static const char *const good_subjects[] = {
    "a",
    "ab",
    "abc",
    "abcd",
    "foo.bar",
    "a.b.c.d.e.f.g.h",
    "seven77",
    "eight888",
    "nine99999",
    "sixteen.bytes.16",
    "seventeen.bytes.x",
    "_INBOX.abcdefghijklmnopqrstuv.12345678",
    "$JS.API.STREAM.INFO.orders",
    "foo*bar",      /* literal within a token, as nats-server has it */
    "foo.b*r.>baz",
    "**",
    "a.>>",
    "foo:bar",
    "caf\xc3\xa9",
    "\xf0\x9f\x98\x80.smile",
    "!\"#$%&'()+,-/;<=?@[\\]^_`{|}~",
};

static void fit_subjects_pass(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good_subjects); i++) {
        const char *text = good_subjects[i];
        assert_true(subject_ok(text, strlen(text)));
        assert_true(subject_check(text, strlen(text)));
        assert_int_equal(nats_subject_valid(text, NATS_Z), 1);
        assert_int_equal(nats_subject_valid_pattern(text, NATS_Z), 1);
    }
}

static const struct {
    const char *text;
    size_t len;
    const char *error;
} bad_subjects[] = {
    {BYTES(""), "subject: is empty"},
    {BYTES("a b"), "subject: byte 1 (0x20) is a blank"},
    {BYTES("foo bar.baz"), "subject: byte 3 (0x20) is a blank"},
    {BYTES("foo\tbar"), "subject: byte 3 (0x09) is a blank"},
    {BYTES("foo\rbar"), "subject: byte 3 (0x0d) is a control character"},
    {BYTES("foo\nbar"), "subject: byte 3 (0x0a) is a control character"},
    {BYTES("foo\r\nPUB x 1"), "subject: byte 3 (0x0d) is a control character"},
    {BYTES("foo\0bar"), "subject: byte 3 (0x00) is a control character"},
    {BYTES("\0"), "subject: byte 0 (0x00) is a control character"},
    {BYTES("foo\x7f"), "subject: byte 3 (0x7f) is a control character"},
    {BYTES("a longer.subject.with.a.blank"), "subject: byte 1 (0x20) is a blank"},
    {BYTES("ends.with.blank "), "subject: byte 15 (0x20) is a blank"},
    {BYTES("\xff" "oo"), "subject: byte 0 (0xff) is not valid UTF-8"},
    {BYTES("foo.\xc0\x80"), "subject: byte 4 (0xc0) is not valid UTF-8"},
    {BYTES("foo.\xed\xa0\x80"), "subject: byte 4 (0xed) is not valid UTF-8"},
    {BYTES("foo.bar.\xe9"), "subject: byte 8 (0xe9) is not valid UTF-8"},
    {BYTES("."), "subject: token 1 is empty at byte 0"},
    {BYTES(".."), "subject: token 1 is empty at byte 0"},
    {BYTES(".foo"), "subject: token 1 is empty at byte 0"},
    {BYTES("foo."), "subject: token 2 is empty at byte 4"},
    {BYTES("foo..bar"), "subject: token 2 is empty at byte 4"},
    {BYTES("1234567..0"), "subject: token 2 is empty at byte 8"}, /* over the edge of a word */
    {BYTES("123456789012345..0"), "subject: token 2 is empty at byte 16"},
    {BYTES("a.b.c.d."), "subject: token 5 is empty at byte 8"},
    {BYTES("*"), "subject: token 1 at byte 0 is the wildcard '*', which only a pattern may have"},
    {BYTES(">"), "subject: token 1 at byte 0 is the wildcard '>', which only a pattern may have"},
    {BYTES("foo.*.bar"),
     "subject: token 2 at byte 4 is the wildcard '*', which only a pattern may have"},
    {BYTES("foo.bar.>"),
     "subject: token 3 at byte 8 is the wildcard '>', which only a pattern may have"},
};

static void bad_subjects_are_refused_by_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad_subjects); i++) {
        const char *text = bad_subjects[i].text;
        size_t len = bad_subjects[i].len;
        forget_error();
        assert_false(subject_ok(text, len));
        assert_int_equal(nats_last_status(), NATS_OK); /* the fast check says nothing */
        assert_false(subject_check(text, len));
        assert_failed(nats_last_status(), NATS_ERR_INVALID, bad_subjects[i].error);
        assert_string_equal(nats_last_about(), "subject");
    }
}

static void the_argument_is_named_as_the_caller_calls_it(void **state)
{
    (void)state;
    assert_failed(nats__subject_check("reply", BYTES("a b")), NATS_ERR_INVALID,
                  "reply: byte 1 (0x20) is a blank");
    assert_string_equal(nats_last_about(), "reply");
}

static void length_is_limited(void **state)
{
    (void)state;
    char text[NATS_SUBJECT_MAX + 1];
    memset(text, 'a', sizeof text);
    assert_true(subject_ok(text, NATS_SUBJECT_MAX));
    assert_false(subject_ok(text, NATS_SUBJECT_MAX + 1));
    assert_failed(nats__subject_check("subject", text, NATS_SUBJECT_MAX + 1), NATS_ERR_INVALID,
                  "subject: 1901 bytes, at most 1900");
}

static void no_pointer_is_an_empty_subject(void **state)
{
    (void)state;
    assert_int_equal(nats_subject_valid(NULL, 0), 0);
    assert_int_equal(nats_subject_valid(NULL, NATS_Z), 0);
    assert_int_equal(nats_subject_valid_pattern(NULL, NATS_Z), 0);
    assert_int_equal(nats_subject_matches(NULL, 0, NULL, 0), 0);
}

/* ---- the fast check against the rules written down plainly ---- */

static bool naive_ok(const char *text, size_t len)
{
    if (len == 0 || len > NATS_SUBJECT_MAX || nats__utf8_check(text, len) != len) {
        return false;
    }
    size_t begin = 0;
    for (size_t i = 0; i <= len; i++) {
        if (i < len && text[i] != '.') {
            unsigned char byte = (unsigned char)text[i];
            if (byte <= 0x20 || byte == 0x7F) {
                return false;
            }
            continue;
        }
        if (i == begin || (i == begin + 1 && (text[begin] == '*' || text[begin] == '>'))) {
            return false;
        }
        begin = i + 1;
    }
    return true;
}

static void every_byte_at_every_place_of_every_length_is_judged_right(void **state)
{
    (void)state;
    for (size_t len = 1; len <= 26; len++) {
        for (size_t at = 0; at < len; at++) {
            for (unsigned byte = 0; byte < 256; byte++) {
                char text[26];
                memset(text, 'a', sizeof text);
                text[at] = (char)byte;
                if (subject_ok(text, len) != naive_ok(text, len)) {
                    fail_msg("byte %02x at %zu of %zu", byte, at, len);
                }
            }
        }
    }
}

static void every_pair_of_neighbours_is_judged_right(void **state)
{
    (void)state;
    static const char odd[] = {'.', '*', '>', ':', ' ', '\0', '\x7f', '\x1f', '!', '~', '/', '-',
                               '\x80', '\xc3', '\xa9', '\xff', '\xa0', '\xa1'};
    for (size_t len = 2; len <= 26; len++) {
        for (size_t k = 0; k < (len - 1) * sizeof odd * sizeof odd; k++) {
            size_t at = k / (sizeof odd * sizeof odd);
            char text[26];
            memset(text, 'a', sizeof text);
            text[at] = odd[k / sizeof odd % sizeof odd];
            text[at + 1] = odd[k % sizeof odd];
            if (subject_ok(text, len) != naive_ok(text, len)) {
                fail_msg("%02x %02x at %zu of %zu", text[at] & 0xff, text[at + 1] & 0xff, at, len);
            }
        }
    }
}

static void random_subjects_are_judged_right(void **state)
{
    (void)state;
    static const char letters[] = "aaabc.....**>>: \xc3\xa9";
    nats__rng rng;
    nats__rng_seed(&rng, "subjects", 8);
    size_t good = 0;
    for (int i = 0; i < 200000; i++) {
        char text[40];
        size_t len = 1 + nats__rng_below(&rng, sizeof text);
        size_t choice = 3 + nats__rng_below(&rng, sizeof letters - 4);
        for (size_t k = 0; k < len; k++) {
            text[k] = letters[nats__rng_below(&rng, choice)];
        }
        bool ok = naive_ok(text, len);
        good += ok;
        assert_int_equal(nats__subject_ok(text, len), ok);
        assert_int_equal(nats__subject_check("subject", text, len) == NATS_OK, ok);
    }
    assert_in_range(good, 1000, 199000); /* both kinds were there */
}

/* ---- patterns, queues, inbox prefixes ---- */

static void patterns_may_have_wildcards_where_they_belong(void **state)
{
    (void)state;
    static const char *const good[] = {"*", ">", "foo.*", "*.*.*", "foo.>", "*.>", "foo.*.bar",
                                       "foo.>x.bar", "foo*.bar"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(nats__pattern_check("subject", good[i], strlen(good[i])), NATS_OK);
        assert_int_equal(nats_subject_valid_pattern(good[i], strlen(good[i])), 1);
    }
    static const struct {
        const char *text;
        const char *error;
    } bad[] = {
        {"", "pattern: is empty"},
        {">.foo", "pattern: token 1 at byte 0 is '>', which only the last token may be"},
        {"foo.>.bar", "pattern: token 2 at byte 4 is '>', which only the last token may be"},
        {"foo.*.", "pattern: token 3 is empty at byte 6"},
        {"foo.* ", "pattern: byte 5 (0x20) is a blank"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_failed(nats__pattern_check("pattern", bad[i].text, strlen(bad[i].text)),
                      NATS_ERR_INVALID, bad[i].error);
        assert_int_equal(nats_subject_valid_pattern(bad[i].text, strlen(bad[i].text)), 0);
    }
}

static void queue_names_have_no_rules_for_dots_and_wildcards(void **state)
{
    (void)state;
    static const char *const good[] = {"", "q", "workers.eu", "*", "a..b", ".", "caf\xc3\xa9"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(nats__queue_check(good[i], strlen(good[i])), NATS_OK);
    }
    assert_failed(nats__queue_check(BYTES("my queue")), NATS_ERR_INVALID,
                  "queue: byte 2 (0x20) is a blank");
    assert_failed(nats__queue_check(BYTES("q\r\nPING")), NATS_ERR_INVALID,
                  "queue: byte 1 (0x0d) is a control character");
    assert_failed(nats__queue_check(BYTES("q\0")), NATS_ERR_INVALID,
                  "queue: byte 1 (0x00) is a control character");
    assert_failed(nats__queue_check(BYTES("\xfe")), NATS_ERR_INVALID,
                  "queue: byte 0 (0xfe) is not valid UTF-8");
}

static void inbox_prefixes_are_subjects(void **state)
{
    (void)state;
    assert_int_equal(nats__inbox_prefix_check(BYTES("_INBOX")), NATS_OK);
    assert_int_equal(nats__inbox_prefix_check(BYTES("my.inbox")), NATS_OK);
    assert_failed(nats__inbox_prefix_check(BYTES("inbox.>")), NATS_ERR_INVALID,
                  "inbox_prefix: token 2 at byte 6 is the wildcard '>', which only a pattern may "
                  "have");
    assert_failed(nats__inbox_prefix_check(BYTES("inbox.")), NATS_ERR_INVALID,
                  "inbox_prefix: token 2 is empty at byte 6");
}

static void validity_questions_leave_no_error_behind(void **state)
{
    (void)state;
    nats__fail(NATS_ERR_IO, "host", "older");
    assert_int_equal(nats_subject_valid_pattern(BYTES("a..b")), 0);
    assert_int_equal(nats_subject_matches(BYTES("a b"), BYTES("a")), 0);
    assert_failed(nats_last_status(), NATS_ERR_IO, "older");
}

/* ---- matching ---- */

static void patterns_match_token_by_token(void **state)
{
    (void)state;
    static const struct {
        const char *pattern;
        const char *subject;
        int32_t matches;
    } cases[] = {
        {"foo", "foo", 1},           {"foo", "fo", 0},
        {"foo", "fooo", 0},          {"foo", "Foo", 0},
        {"foo", "foo.bar", 0},       {"foo.bar", "foo", 0},
        {"*", "foo", 1},             {"*", "foo.bar", 0},
        {"foo.*", "foo.bar", 1},     {"foo.*", "foo", 0},
        {"foo.*", "foo.bar.baz", 0}, {"foo.*.baz", "foo.bar.baz", 1},
        {"foo.*.baz", "foo.bar.qux", 0}, {"*.bar", "foo.bar", 1},
        {"*.*", "foo.bar", 1},       {"*.*", "foo", 0},
        {">", "foo", 1},             {">", "foo.bar.baz", 1},
        {"foo.>", "foo.bar", 1},     {"foo.>", "foo.bar.baz", 1},
        {"foo.>", "foo", 0},         {"foo.>", "bar.foo", 0},
        {"*.>", "foo.bar", 1},       {"*.>", "foo", 0},
        {"foo.*.>", "foo.a.b.c", 1}, {"foo.*.>", "foo.a", 0},
        {"f*", "f*", 1},             {"f*", "foo", 0}, /* a literal */
        {"a.>b", "a.>b", 1},         {"a.>b", "a.xb", 0},
        {"caf\xc3\xa9.*", "caf\xc3\xa9.au.lait", 0},
        {"caf\xc3\xa9.*", "caf\xc3\xa9.noir", 1},
        {"foo.", "foo", 0},          {"foo", "foo.", 0}, /* not valid: no match */
        {"foo.>.bar", "foo.x.bar", 0}, {"foo.*", "foo.*", 0},
        {"", "", 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t pattern_len = strlen(cases[i].pattern);
        size_t subject_len = strlen(cases[i].subject);
        char *pattern = tight_copy(cases[i].pattern, pattern_len);
        char *subject = tight_copy(cases[i].subject, subject_len);
        if (nats_subject_matches(pattern, pattern_len, subject, subject_len) != cases[i].matches) {
            fail_msg("%s %s", cases[i].pattern, cases[i].subject);
        }
        free(pattern);
        free(subject);
        assert_int_equal(
            nats_subject_matches(cases[i].pattern, NATS_Z, cases[i].subject, NATS_Z),
            cases[i].matches);
    }
}

static void a_nul_in_a_subject_is_seen_when_its_length_is_given(void **state)
{
    (void)state;
    assert_int_equal(nats_subject_valid("foo\0bar", 7), 0);
    assert_int_equal(nats_subject_valid("foo\0bar", NATS_Z), 1);
}

/* ---- inboxes ---- */

static void nuids_are_base62_and_differ(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    static char seen[COUNT][NATS__NUID_LEN];
    bool used[128] = {false};
    nats__rng rng;
    nats__rng_seed(&rng, "nuid", 4);
    for (size_t i = 0; i < COUNT; i++) {
        nats__nuid(&rng, seen[i]);
        for (size_t k = 0; k < NATS__NUID_LEN; k++) {
            char c = seen[i][k];
            assert_true((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'));
            used[(int)c] = true;
        }
        for (size_t k = 0; k < i; k++) {
            assert_memory_not_equal(seen[i], seen[k], NATS__NUID_LEN);
        }
    }
    size_t letters = 0;
    for (size_t i = 0; i < sizeof used; i++) {
        letters += used[i];
    }
    assert_int_equal(letters, 62);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_subjects_pass),
        cmocka_unit_test(bad_subjects_are_refused_by_place),
        cmocka_unit_test(the_argument_is_named_as_the_caller_calls_it),
        cmocka_unit_test(length_is_limited),
        cmocka_unit_test(no_pointer_is_an_empty_subject),
        cmocka_unit_test(every_byte_at_every_place_of_every_length_is_judged_right),
        cmocka_unit_test(every_pair_of_neighbours_is_judged_right),
        cmocka_unit_test(random_subjects_are_judged_right),
        cmocka_unit_test(patterns_may_have_wildcards_where_they_belong),
        cmocka_unit_test(queue_names_have_no_rules_for_dots_and_wildcards),
        cmocka_unit_test(inbox_prefixes_are_subjects),
        cmocka_unit_test(validity_questions_leave_no_error_behind),
        cmocka_unit_test(patterns_match_token_by_token),
        cmocka_unit_test(a_nul_in_a_subject_is_seen_when_its_length_is_given),
        cmocka_unit_test(nuids_are_base62_and_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
