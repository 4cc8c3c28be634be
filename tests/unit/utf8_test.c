#include "unit.h"

#include "base/utf8.h"

static size_t checked(const char *text, size_t len)
{
    char *copy = tight_copy(text, len);
    size_t end = nats__utf8_check(copy, len);
    free(copy);
    return end;
}

static void well_formed_text_is_taken_whole(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "plain ascii, longer than eight bytes",
        "\x7f",
        "\xc2\x80",
        "\xdf\xbf",
        "\xe0\xa0\x80",
        "\xed\x9f\xbf", /* the last before the surrogates */
        "\xee\x80\x80", /* the first behind them */
        "\xef\xbf\xbf",
        "\xf0\x90\x80\x80",
        "\xf4\x8f\xbf\xbf", /* U+10FFFF */
        "1234567\xc3\xa9",  /* over the edge of a word of eight */
        "12345678\xf0\x9f\x98\x80 12345678",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(checked(texts[i], strlen(texts[i])), strlen(texts[i]));
    }
}

static void the_first_bad_byte_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t len;
        size_t at;
    } cases[] = {
        {BYTES("\x80"), 0},
        {BYTES("a\xbf"), 1},
        {BYTES("\xc0\x80"), 0},             /* overlong NUL */
        {BYTES("\xc1\xbf"), 0},
        {BYTES("\xe0\x9f\xbf"), 0},         /* overlong */
        {BYTES("\xf0\x8f\xbf\xbf"), 0},     /* overlong */
        {BYTES("\xed\xa0\x80"), 0},         /* surrogate */
        {BYTES("\xed\xbf\xbf"), 0},
        {BYTES("\xf4\x90\x80\x80"), 0},     /* over U+10FFFF */
        {BYTES("\xf5\x80\x80\x80"), 0},
        {BYTES("\xff"), 0},
        {BYTES("ok\xc3"), 2},               /* cut off */
        {BYTES("ok\xe2\x82"), 2},
        {BYTES("ok\xf0\x9f\x98"), 2},
        {BYTES("\xc3\x41"), 0},
        {BYTES("\xe2\x82\x41"), 0},
        {BYTES("12345678\xc3\xa9\xe9"), 10},
        {BYTES("12345678901234567890\x80"), 20},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(checked(cases[i].text, cases[i].len), cases[i].at);
    }
}

/* By the definition: decode, and encode again in the shortest form. */
static size_t naive_len(const unsigned char *b, size_t len)
{
    if (b[0] < 0x80) {
        return 1;
    }
    size_t n = b[0] >= 0xF0 ? 4 : b[0] >= 0xE0 ? 3 : 2;
    if (b[0] < 0xC0 || b[0] > 0xF7 || n > len) {
        return 0;
    }
    uint32_t point = b[0] & (0xFFu >> (n + 1));
    for (size_t i = 1; i < n; i++) {
        if (b[i] < 0x80 || b[i] > 0xBF) {
            return 0;
        }
        point = point << 6 | (b[i] & 0x3Fu);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (point < least[n] || point > 0x10FFFF || (point >= 0xD800 && point <= 0xDFFF)) {
        return 0;
    }
    return n;
}

static void all_short_sequences_agree_with_the_definition(void **state)
{
    (void)state;
    /* Every first and second byte, with third and fourth bytes at the edges of their ranges. */
    static const unsigned char edges[] = {0x00, 0x7F, 0x80, 0xBF, 0xC0};
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            for (size_t k = 0; k < 25; k++) {
                unsigned char b[4] = {(unsigned char)first, (unsigned char)second, edges[k / 5],
                                      edges[k % 5]};
                bool ours = nats__utf8_check((const char *)b, 4) > 0;
                if (ours != (naive_len(b, 4) > 0)) {
                    fail_msg("%02x %02x %02x %02x", b[0], b[1], b[2], b[3]);
                }
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(well_formed_text_is_taken_whole),
        cmocka_unit_test(the_first_bad_byte_is_named),
        cmocka_unit_test(all_short_sequences_agree_with_the_definition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
