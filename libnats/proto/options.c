#include "proto/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/secret.h"
#include "base/utf8.h"
#include "proto/subject.h"

/* ---- the table ---- */

/* How the default of each kind is kept, and told in the documentation. */
#define BOOL_WORD_0 "false"
#define BOOL_WORD_1 "true"
#define RULE_TEXT(text, written, about) \
    .default_text = (text), .doc = about " Default: " written ".", \
    .doc_none = about " Default: none."
#define RULE_BOOL(number, written, about) \
    .default_number = (number), .doc = about " Default: " BOOL_WORD_##number "."
#define RULE_INT(number, written, about) \
    .default_number = (number), .doc = about " Default: " written "."
#define RULE_DURATION(number, written, about) \
    .default_number = (number), .doc = about " Default: " written " ms."

static const nats__option_rule rules[NATS__OPT_COUNT] = {
#define OPTION(id, kind, def, lowest, highest, about) \
    [NATS__OPT_##id] = {.name = #id, \
                        .type = NATS_OPTION_##kind, \
                        .min = (lowest), \
                        .max = (highest), \
                        RULE_##kind(def, #def, about)},
#include "abi/options.def"
#undef OPTION
};

enum {
    VALUE_SIZE = 32, /* a number of 64 bits, and its unit */
    NAME_MAX = 64,   /* bytes of an unknown name that are repeated, and compared with known ones */
    DISTANCE_MAX = 3 /* edits up to which a known name is taken for the one that was meant */
};

const nats__option_rule *nats__option_at(size_t index)
{
    return index < NATS__OPT_COUNT ? &rules[index] : NULL;
}

const nats__option_rule *nats__option_find(const char *name, nats__option_id *id_out)
{
    for (int32_t i = 0; name != NULL && i < NATS__OPT_COUNT; i++) {
        if (strcmp(rules[i].name, name) != 0) {
            continue;
        }
        if (id_out != NULL) {
            *id_out = (nats__option_id)i;
        }
        return &rules[i];
    }
    return NULL;
}

/* ---- names that are not known ---- */

static size_t smallest(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Levenshtein's distance, one row of the table at a time. Both are at most NAME_MAX long. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[NAME_MAX + 1];
    for (size_t j = 0; j <= b_len; j++) {
        row[j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];
            row[j] = smallest(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

/* What is not misspelt, but another word for it: how long to wait is `wait` of what may find nothing,
 * `timeout` of what must have an answer. */
static const char *other_word(const char *name, const char *const *names, size_t count)
{
    const char *word = strcmp(name, "timeout") == 0 ? "wait" : NULL;
    word = strcmp(name, "wait") == 0 ? "timeout" : word;
    for (size_t i = 0; word != NULL && names != NULL && i < count; i++) {
        if (names[i] != NULL && strcmp(names[i], word) == 0) {
            return names[i];
        }
    }
    return NULL;
}

const char *nats__nearest_name(const char *name, const char *const *names, size_t count)
{
    const char *meant = other_word(name, names, count);
    if (meant != NULL) {
        return meant;
    }
    size_t len = strnlen(name, NAME_MAX + 1);
    const char *nearest = NULL;
    size_t best = DISTANCE_MAX + 1;
    count = names != NULL ? count : NATS__OPT_COUNT;
    for (size_t i = 0; len <= NAME_MAX && i < count; i++) {
        const char *known = names != NULL ? names[i] : rules[i].name;
        size_t known_len = known != NULL ? strnlen(known, NAME_MAX + 1) : NAME_MAX + 1;
        if (known_len > NAME_MAX) {
            continue;
        }
        size_t edits = distance(name, len, known, known_len);
        /* A name of which nothing is left is no misspelling. */
        if (edits < best && edits < len) {
            best = edits;
            nearest = known;
        }
    }
    return nearest;
}

nats_status nats__option_unknown(const char *name)
{
    if (name == NULL) {
        return nats__fail(NATS_ERR_INVALID, "option", "option: its name is NULL");
    }
    const char *nearest = nats__nearest_name(name, NULL, 0);
    if (nearest == NULL) {
        return nats__fail(NATS_ERR_INVALID, name, "unknown option '%.*s'", NAME_MAX, name);
    }
    return nats__fail(NATS_ERR_INVALID, name, "unknown option '%.*s': did you mean '%s'?", NAME_MAX,
                      name, nearest);
}

static nats_status fail_kind(const nats__option_rule *rule, const char *given)
{
    static const char *const wanted[] = {
        [NATS_OPTION_TEXT] = "a text",
        [NATS_OPTION_BOOL] = "true or false",
        [NATS_OPTION_INT] = "a whole number",
        [NATS_OPTION_DURATION] = "a time, as \"250ms\", \"2s\", \"5m\", \"1h\" or a number",
    };
    return nats__fail(NATS_ERR_INVALID, rule->name, "option '%s': %s is not %s", rule->name, given,
                      wanted[rule->type]);
}

/* ---- numbers ---- */

/* -1 stands for "no limit": 0 would be a queue that nothing fits in, which nobody means. */
static bool zero_is_refused(nats__option_id id)
{
    return id == NATS__OPT_pending_msgs || id == NATS__OPT_pending_bytes;
}

/* A number as an error tells it; times in ms, however they were given. */
static void write_value(char *out, size_t size, const nats__option_rule *rule, int64_t value)
{
    if (rule->type == NATS_OPTION_DURATION && value == -1) {
        snprintf(out, size, "-1 (for ever)");
        return;
    }
    snprintf(out, size, "%" PRId64 "%s", value, rule->type == NATS_OPTION_DURATION ? " ms" : "");
}

static nats_status fail_range(const nats__option_rule *rule, nats__option_id id, int64_t value)
{
    char given[VALUE_SIZE], min[VALUE_SIZE], max[VALUE_SIZE];
    if (zero_is_refused(id)) {
        return nats__fail(NATS_ERR_INVALID, rule->name,
                          "option '%s': %" PRId64 " is out of range: -1, or 1 to %" PRId64,
                          rule->name, value, rule->max);
    }
    write_value(given, sizeof given, rule, value);
    write_value(min, sizeof min, rule, rule->min);
    write_value(max, sizeof max, rule, rule->max);
    return nats__fail(NATS_ERR_INVALID, rule->name, "option '%s': %s is out of range: %s to %s",
                      rule->name, given, min, max);
}

static nats_status put_number(nats_options *options, nats__option_id id, int64_t value)
{
    const nats__option_rule *rule = &rules[id];
    if (value < rule->min || value > rule->max || (value == 0 && zero_is_refused(id))) {
        return fail_range(rule, id, value);
    }
    options->values[id].number = value;
    options->values[id].chosen = true;
    return NATS_OK;
}

nats_status nats__options_set_int(nats_options *options, const char *name, int64_t value)
{
    nats__option_id id;
    const nats__option_rule *rule = nats__option_find(name, &id);
    if (rule == NULL) {
        return nats__option_unknown(name);
    }
    if (rule->type == NATS_OPTION_TEXT) {
        return fail_kind(rule, "a number");
    }
    if (rule->type == NATS_OPTION_BOOL && value != 0 && value != 1) {
        return fail_kind(rule, "a number other than 0 and 1");
    }
    return put_number(options, id, value);
}

nats_status nats__options_set_bool(nats_options *options, const char *name, bool value)
{
    nats__option_id id;
    const nats__option_rule *rule = nats__option_find(name, &id);
    if (rule == NULL) {
        return nats__option_unknown(name);
    }
    if (rule->type != NATS_OPTION_BOOL) {
        return fail_kind(rule, value ? "true" : "false");
    }
    return put_number(options, id, value);
}

/* Seconds to the nearest millisecond; what is more than nothing does not become nothing. -1 is
 * "for ever", and no other time below zero is taken for it. */
static int64_t to_ms(double seconds)
{
    if (seconds == -1.0) {
        return -1;
    }
    if (seconds < 0) {
        return seconds > -0.002 ? -2 : (int64_t)(seconds * 1000);
    }
    int64_t ms = (int64_t)(seconds * 1000 + 0.5);
    return ms == 0 && seconds > 0 ? 1 : ms;
}

nats_status nats__options_set_double(nats_options *options, const char *name, double value)
{
    const double largest = 9007199254740992.0; /* 2^53: beyond it a double skips whole numbers */
    nats__option_id id;
    const nats__option_rule *rule = nats__option_find(name, &id);
    if (rule == NULL) {
        return nats__option_unknown(name);
    }
    if (rule->type == NATS_OPTION_TEXT) {
        return fail_kind(rule, "a number");
    }
    if (value != value) {
        return fail_kind(rule, "not-a-number");
    }
    if (value > largest || value < -largest) {
        return fail_range(rule, id, value > 0 ? INT64_MAX : INT64_MIN);
    }
    if (rule->type == NATS_OPTION_DURATION) {
        return put_number(options, id, to_ms(value)); /* 2^53 s in ms fit 64 bits */
    }
    if (value != (double)(int64_t)value) {
        return fail_kind(rule, "a number with a fraction");
    }
    return nats__options_set_int(options, name, (int64_t)value);
}

/* ---- texts ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_word(const char *text, size_t len, const char *word)
{
    if (strlen(word) != len) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (lower(text[i]) != word[i]) {
            return false;
        }
    }
    return true;
}

static bool read_bool(const char *text, size_t len, int64_t *out)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes", "0", "1"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (is_word(text, len, words[i])) {
            *out = (int64_t)(i % 2);
            return true;
        }
    }
    return false;
}

/* The digits at *at, times `unit`. More than 64 bits stay INT64_MAX: no option reaches that far,
 * so the range check has the last word. False when there is no digit. */
static bool read_digits(const char *text, size_t len, size_t *at, int64_t unit, int64_t *out)
{
    size_t begin = *at;
    int64_t value = 0;
    for (; *at < len && text[*at] >= '0' && text[*at] <= '9'; (*at)++) {
        int64_t digit = text[*at] - '0';
        value = value > (INT64_MAX - 9) / 10 ? INT64_MAX : value * 10 + digit;
    }
    *out = value > INT64_MAX / unit ? INT64_MAX : value * unit;
    return *at > begin;
}

static bool read_int(const char *text, size_t len, int64_t *out)
{
    size_t at = len > 0 && (text[0] == '-' || text[0] == '+') ? 1 : 0;
    if (!read_digits(text, len, &at, 1, out) || at != len) {
        return false;
    }
    if (text[0] == '-') {
        *out = -*out;
    }
    return true;
}

/* How many ms the unit has, 0 when it is none. */
static int64_t unit_ms(const char *text, size_t len)
{
    if (len == 0 || is_word(text, len, "s")) {
        return 1000;
    }
    if (is_word(text, len, "ms")) {
        return 1;
    }
    if (is_word(text, len, "m")) {
        return 60 * 1000;
    }
    return is_word(text, len, "h") ? 3600 * 1000 : 0;
}

/* The fraction of a unit that begins at the point, in ms, to the nearest. False when there is no
 * digit. */
static bool read_fraction(const char *text, size_t len, size_t *at, int64_t unit, int64_t *out)
{
    size_t begin = ++*at;
    int64_t scale = unit * 10000; /* ten-thousandths of a ms: enough to round well */
    int64_t sum = 0;
    for (; *at < len && text[*at] >= '0' && text[*at] <= '9'; (*at)++) {
        scale /= 10;
        sum += scale * (text[*at] - '0');
    }
    *out = (sum + 5000) / 10000;
    return *at > begin;
}

static bool has_nonzero_digit(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] >= '1' && text[i] <= '9') {
            return true;
        }
    }
    return false;
}

static size_t number_len(const char *text, size_t len)
{
    size_t n = 0;
    while (n < len && ((text[n] >= '0' && text[n] <= '9') || text[n] == '.')) {
        n++;
    }
    return n;
}

static bool read_duration(const char *text, size_t len, int64_t *out)
{
    if (is_word(text, len, "-1")) {
        *out = -1; /* for ever */
        return true;
    }
    size_t number = number_len(text, len);
    int64_t unit = unit_ms(text + number, len - number);
    int64_t fraction = 0;
    size_t at = 0;
    if (unit == 0 || !read_digits(text, number, &at, unit, out)) {
        return false;
    }
    if (at < number && (!read_fraction(text, number, &at, unit, &fraction) || at != number)) {
        return false;
    }
    *out = *out > INT64_MAX - fraction ? INT64_MAX : *out + fraction;
    if (*out == 0 && has_nonzero_digit(text, number)) {
        *out = 1; /* what is more than nothing does not become nothing */
    }
    return true;
}

/* The contents of a file has lines, and headers are some. */
static bool may_have_lines(const nats__option_rule *rule)
{
    ptrdiff_t id = rule - rules;
    return id == NATS__OPT_creds || id == NATS__OPT_nkey || id == NATS__OPT_jwt ||
           id == NATS__OPT_tls_ca || id == NATS__OPT_tls_cert || id == NATS__OPT_tls_key ||
           id == NATS__OPT_ws_headers;
}

static bool is_layout(char byte)
{
    return byte == '\n' || byte == '\r' || byte == '\t';
}

static const char *forbidden_byte(char byte)
{
    if (byte == '\0') {
        return "a NUL";
    }
    if (byte == '\r') {
        return "a carriage return";
    }
    if (byte == '\n') {
        return "a line feed";
    }
    return (byte >= 0 && byte < ' ') || byte == 0x7F ? "a control character" : NULL;
}

/* No value is repeated in an error: it may be a password. */
static nats_status check_text(const nats__option_rule *rule, const char *value, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        const char *what = forbidden_byte(value[i]);
        if (what != NULL && !(is_layout(value[i]) && may_have_lines(rule))) {
            return nats__fail(NATS_ERR_INVALID, rule->name, "option '%s': byte %zu (0x%02x) is %s",
                              rule->name, i, (unsigned)value[i], what);
        }
    }
    /* CONNECT is JSON: the server would read other bytes as U+FFFD, and a password would never
     * fit. */
    size_t bad = nats__utf8_check(value, len);
    if (bad != len) {
        return nats__fail(NATS_ERR_INVALID, rule->name, "option '%s': byte %zu is not valid UTF-8",
                          rule->name, bad);
    }
    if ((int64_t)len < rule->min || (int64_t)len > rule->max) {
        return nats__fail(NATS_ERR_INVALID, rule->name,
                          "option '%s': a text of %zu bytes is out of range: %" PRId64
                          " to %" PRId64,
                          rule->name, len, rule->min, rule->max);
    }
    return NATS_OK;
}

/* Headers may have a key for a proxy in them. */
static bool is_secret(nats__option_id id)
{
    return id == NATS__OPT_password || id == NATS__OPT_token || id == NATS__OPT_creds ||
           id == NATS__OPT_nkey || id == NATS__OPT_jwt || id == NATS__OPT_tls_key ||
           id == NATS__OPT_ws_headers;
}

static void free_text(nats__option_id id, char *text)
{
    if (is_secret(id)) {
        nats__secret_free(text);
    } else {
        free(text);
    }
}

static char *copy_text(nats__option_id id, const char *text, size_t len)
{
    if (is_secret(id)) {
        return nats__secret_copy(text, len);
    }
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

static nats_status put_text(nats_options *options, nats__option_id id, const char *value,
                            size_t len)
{
    nats_status status = check_text(&rules[id], value, len);
    if (status == NATS_OK && id == NATS__OPT_inbox_prefix) {
        status = nats__inbox_prefix_check(value, len);
    }
    if (status != NATS_OK) {
        return status;
    }
    char *copy = copy_text(id, value, len);
    if (copy == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, rules[id].name, "option '%s': no memory",
                          rules[id].name);
    }
    free_text(id, options->values[id].text);
    options->values[id].text = copy;
    return NATS_OK;
}

nats_status nats__options_set_text(nats_options *options, const char *name, const char *value,
                                   size_t len)
{
    nats__option_id id;
    int64_t number = 0;
    const nats__option_rule *rule = nats__option_find(name, &id);
    if (rule == NULL) {
        return nats__option_unknown(name);
    }
    if (rule->type == NATS_OPTION_TEXT) {
        return put_text(options, id, value, len);
    }
    bool ok = rule->type == NATS_OPTION_BOOL  ? read_bool(value, len, &number)
              : rule->type == NATS_OPTION_INT ? read_int(value, len, &number)
                                              : read_duration(value, len, &number);
    return ok ? put_number(options, id, number) : fail_kind(rule, "the text given");
}

/* ---- copies ---- */

static bool copy_value(const nats__option_value *from, nats__option_id id,
                       nats__option_value *out)
{
    const nats__option_rule *rule = &rules[id];
    const char *text = from != NULL ? from->text : rule->default_text;
    out->number = from != NULL ? from->number : rule->default_number;
    out->chosen = from != NULL && from->chosen;
    out->text = text == NULL ? NULL : copy_text(id, text, strlen(text));
    return text == NULL || out->text != NULL;
}

bool nats__options_copy(const nats_options *options, nats_options *out)
{
    *out = (nats_options){0};
    for (size_t i = 0; i < NATS__OPT_COUNT; i++) {
        const nats__option_value *from = options == NULL ? NULL : &options->values[i];
        if (!copy_value(from, (nats__option_id)i, &out->values[i])) {
            nats__options_clear(out);
            return false;
        }
    }
    return true;
}

void nats__options_clear(nats_options *options)
{
    for (size_t i = 0; i < NATS__OPT_COUNT; i++) {
        free_text((nats__option_id)i, options->values[i].text);
        options->values[i] = (nats__option_value){0};
    }
}
