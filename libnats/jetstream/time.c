#include "jetstream/time.h"

#include <string.h>

enum { DAY_SECONDS = 24 * 60 * 60 };

#define SECOND_NS INT64_C(1000000000)

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- durations ---- */

typedef struct unit {
    const char *name;
    int64_t ns;
} unit;

/* Longer names first: "m" begins "ms". */
static const unit units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xc2\xb5s", 1000}, /* the two letters mu that Go writes and takes */
    {"\xce\xbcs", 1000},
    {"ms", 1000000},
    {"s", SECOND_NS},
    {"m", 60 * SECOND_NS},
    {"h", 3600 * SECOND_NS},
    {"d", DAY_SECONDS *SECOND_NS},
};

static const unit *find_unit(const char *text, size_t len)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        size_t size = strlen(units[i].name);
        if (size <= len && memcmp(units[i].name, text, size) == 0) {
            return &units[i];
        }
    }
    return NULL;
}

/* Digits as a number: false when it is over the range. *at is behind them. */
static bool read_whole(const char *text, size_t len, size_t *at, int64_t *out)
{
    *out = 0;
    for (; *at < len && is_digit(text[*at]); *at += 1) {
        if (__builtin_mul_overflow(*out, 10, out) ||
            __builtin_add_overflow(*out, text[*at] - '0', out)) {
            return false;
        }
    }
    return true;
}

/* The digits after the point, in ns. *lost: some were too small to count. */
static int64_t read_part(const char *digits, size_t count, int64_t unit_ns, bool *lost)
{
    int64_t part = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t digit = digits[i] - '0';
        unit_ns /= 10;
        part += digit * unit_ns;
        *lost = *lost || (digit > 0 && unit_ns == 0);
    }
    return part;
}

/* One "1.5h". False when it is none. */
static bool read_term(const char *text, size_t len, size_t *at, int64_t *total, bool *lost)
{
    size_t begin = *at;
    int64_t whole;
    if (!read_whole(text, len, at, &whole)) {
        return false;
    }
    size_t digits = *at - begin;
    size_t point = *at;
    if (*at < len && text[*at] == '.') {
        *at += 1;
        while (*at < len && is_digit(text[*at])) {
            *at += 1;
        }
        digits += *at - point - 1;
    }
    const unit *in = find_unit(text + *at, len - *at);
    if (digits == 0 || in == NULL) {
        return false;
    }
    size_t places = *at > point ? *at - point - 1 : 0;
    *at += strlen(in->name);
    int64_t ns;
    return !__builtin_mul_overflow(whole, in->ns, &ns) &&
           !__builtin_add_overflow(ns, read_part(text + point + 1, places, in->ns, lost), &ns) &&
           !__builtin_add_overflow(*total, ns, total);
}

bool nats__duration_read(const char *text, size_t len, int64_t *ns_out)
{
    size_t at = 0;
    int64_t total = 0;
    bool lost = false;
    *ns_out = 0;
    if (len == 1 && text[0] == '0') {
        return true;
    }
    while (at < len) {
        if (!read_term(text, len, &at, &total, &lost)) {
            return false;
        }
    }
    *ns_out = total == 0 && lost ? 1 : total;
    return len > 0;
}

/* ---- times ---- */

typedef struct clock_parts {
    int64_t year, month, day, hour, minute, second;
    int64_t ns;
    int64_t offset; /* seconds east of UTC */
} clock_parts;

static bool read_digits(const char *text, size_t len, size_t *at, size_t count, int64_t *out)
{
    *out = 0;
    for (size_t i = 0; i < count; i++, *at += 1) {
        if (*at >= len || !is_digit(text[*at])) {
            return false;
        }
        *out = *out * 10 + (text[*at] - '0');
    }
    return true;
}

static bool read_mark(const char *text, size_t len, size_t *at, const char *marks)
{
    if (*at >= len || text[*at] == '\0' || strchr(marks, text[*at]) == NULL) {
        return false;
    }
    *at += 1;
    return true;
}

static bool read_fraction(const char *text, size_t len, size_t *at, int64_t *ns)
{
    *ns = 0;
    if (*at >= len || text[*at] != '.') {
        return true;
    }
    *at += 1;
    size_t begin = *at;
    int64_t worth = SECOND_NS / 10;
    for (; *at < len && is_digit(text[*at]); *at += 1) {
        *ns += (text[*at] - '0') * worth;
        worth /= 10;
    }
    return *at > begin;
}

static bool read_offset(const char *text, size_t len, size_t *at, int64_t *seconds)
{
    int64_t hours;
    int64_t minutes;
    *seconds = 0;
    if (*at < len && (text[*at] == 'Z' || text[*at] == 'z')) {
        *at += 1;
        return true;
    }
    bool west = *at < len && text[*at] == '-';
    bool ok = read_mark(text, len, at, "+-") && read_digits(text, len, at, 2, &hours) &&
              read_mark(text, len, at, ":") && read_digits(text, len, at, 2, &minutes) &&
              hours < 24 && minutes < 60;
    if (ok) {
        *seconds = (hours * 60 + minutes) * 60 * (west ? -1 : 1);
    }
    return ok;
}

static bool read_parts(const char *text, size_t len, clock_parts *out)
{
    size_t at = 0;
    return read_digits(text, len, &at, 4, &out->year) && read_mark(text, len, &at, "-") &&
           read_digits(text, len, &at, 2, &out->month) && read_mark(text, len, &at, "-") &&
           read_digits(text, len, &at, 2, &out->day) && read_mark(text, len, &at, "Tt ") &&
           read_digits(text, len, &at, 2, &out->hour) && read_mark(text, len, &at, ":") &&
           read_digits(text, len, &at, 2, &out->minute) && read_mark(text, len, &at, ":") &&
           read_digits(text, len, &at, 2, &out->second) &&
           read_fraction(text, len, &at, &out->ns) && read_offset(text, len, &at, &out->offset) &&
           at == len;
}

static bool is_leap(int64_t year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool is_there(const clock_parts *of)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (of->month < 1 || of->month > 12 || of->day < 1 || of->hour > 23 || of->minute > 59 ||
        of->second > 60) { /* a leap second is one */
        return false;
    }
    int64_t last = days[of->month - 1] + (of->month == 2 && is_leap(of->year));
    return of->day <= last;
}

/* Days since 1970-01-01 of the Gregorian calendar. The year is made to begin in March, so that its
 * leap day is its last. */
static int64_t count_days(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month > 2 ? year : year - 1;
    int64_t from_march = month > 2 ? month - 3 : month + 9;
    int64_t leaps = y / 4 - y / 100 + y / 400;
    return y * 365 + leaps + (from_march * 153 + 2) / 5 + day - 1 - 719468;
}

nats__time_kind nats__time_read(const char *text, size_t len, int64_t *ns_out)
{
    clock_parts of;
    *ns_out = 0;
    if (!read_parts(text, len, &of) || !is_there(&of)) {
        return NATS__TIME_NONE;
    }
    int64_t seconds = count_days(of.year, of.month, of.day) * DAY_SECONDS + of.hour * 3600 +
                      of.minute * 60 + of.second - of.offset;
    int64_t ns;
    /* Before 1970 the fraction goes against the sign: count it from the second after. */
    int64_t whole = seconds < 0 && of.ns > 0 ? seconds + 1 : seconds;
    int64_t rest = whole == seconds ? of.ns : of.ns - SECOND_NS;
    if (__builtin_mul_overflow(whole, SECOND_NS, &ns) || __builtin_add_overflow(ns, rest, &ns)) {
        return NATS__TIME_FAR;
    }
    *ns_out = ns;
    return NATS__TIME_READ;
}
