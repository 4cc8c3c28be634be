/* Options: a value is refused and nothing changes, or it is in its range. */
#include "base/error.h"
#include "base/utf8.h"
#include "check.h"
#include "proto/options.h"

static nats_status set_number(nats_options *options, const char *name, uint8_t how,
                              const char *value, size_t len)
{
    int64_t whole = 0;
    double real = 0;
    memcpy(&whole, value, len < sizeof whole ? len : sizeof whole);
    memcpy(&real, value, len < sizeof real ? len : sizeof real);
    switch (how % 3) {
    case 0:
        return nats_options_set_int(options, name, whole);
    case 1:
        return nats_options_set_double(options, name, real);
    default:
        return nats_options_set_bool(options, name, (int32_t)whole);
    }
}

static void check_in_range(const nats_options *options)
{
    for (int32_t i = 0; i < NATS__OPT_COUNT; i++) {
        const nats__option_rule *rule = nats__option_at(i);
        const char *text = options->values[i].text;
        int64_t number = options->values[i].number;
        if (rule->type != NATS_OPTION_TEXT) {
            CHECK(number >= rule->min && number <= rule->max);
            CHECK(text == NULL);
            continue;
        }
        if (text != NULL) {
            CHECK((int64_t)strlen(text) >= rule->min && (int64_t)strlen(text) <= rule->max);
            CHECK(strpbrk(text, "\r\n") == NULL);
            CHECK(nats__utf8_check(text, strlen(text)) == strlen(text));
        }
    }
    CHECK(nats__opt(options, NATS__OPT_pending_msgs) != 0);
    CHECK(nats__opt(options, NATS__OPT_pending_bytes) != 0);
}

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool same(const nats_options *a, const nats_options *b)
{
    for (size_t i = 0; i < NATS__OPT_COUNT; i++) {
        if (a->values[i].number != b->values[i].number ||
            !same_text(a->values[i].text, b->values[i].text)) {
            return false;
        }
    }
    return true;
}

/* The first byte picks an option, or a name from the input up to the first NUL; the second how
 * it is set. */
static void set_one(nats_options *options, const char *data, size_t size)
{
    uint8_t which = (uint8_t)data[0];
    uint8_t how = (uint8_t)data[1];
    const char *value = data + 2;
    size_t len = size - 2;
    const char *name = nats_options_name(which);
    char given[128] = "";
    if (name == NULL) {
        const char *end = len == 0 ? NULL : memchr(value, '\0', len);
        size_t name_len = end == NULL ? len : (size_t)(end - value);
        size_t kept = name_len < sizeof given - 1 ? name_len : sizeof given - 1;
        memcpy(given, value, kept);
        name = given;
        value += end == NULL ? len : name_len + 1;
        len -= end == NULL ? len : name_len + 1;
    }
    nats_options before;
    CHECK(nats__options_copy(options, &before));
    nats_status status = how < 128 ? nats_options_set_text(options, name, value, len)
                                   : set_number(options, name, how, value, len);
    if (status != NATS_OK) {
        CHECK(status == NATS_ERR_INVALID);
        CHECK(nats__error_get()->text[0] != '\0');
        CHECK(same(options, &before));
    }
    nats__options_clear(&before);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2) {
        return 0;
    }
    nats_options *options;
    CHECK(nats_options_new(&options) == NATS_OK);
    set_one(options, (const char *)data, size);
    check_in_range(options);
    nats_options_free(options);
    return 0;
}
