#include "base/decimal.h"

#include <string.h>

/* Two digits at a time: half the divisions. */
static const char pairs[] = "00010203040506070809"
                            "10111213141516171819"
                            "20212223242526272829"
                            "30313233343536373839"
                            "40414243444546474849"
                            "50515253545556575859"
                            "60616263646566676869"
                            "70717273747576777879"
                            "80818283848586878889"
                            "90919293949596979899";

size_t nats__decimal_write_long(char *out, uint64_t value)
{
    char digits[NATS__DECIMAL_MAX];
    size_t at = sizeof digits;
    while (value >= 100) {
        at -= 2;
        memcpy(digits + at, pairs + value % 100 * 2, 2);
        value /= 100;
    }
    if (value >= 10) {
        at -= 2;
        memcpy(digits + at, pairs + value * 2, 2);
    } else {
        digits[--at] = (char)('0' + value);
    }
    size_t len = sizeof digits - at;
    for (size_t i = 0; i < len; i++) {
        out[i] = digits[at + i];
    }
    return len;
}

enum { NO_OVERFLOW = 19 }; /* digits that a uint64_t has room for, whatever they are */

bool nats__decimal_read(const char *text, size_t len, uint64_t *out)
{
    size_t safe = len < NO_OVERFLOW ? len : NO_OVERFLOW;
    uint64_t value = 0;
    bool good = len > 0;
    for (size_t i = 0; i < safe; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        good = good && digit <= 9;
        value = value * 10 + digit;
    }
    for (size_t i = safe; i < len && good; i++) {
        unsigned digit = (unsigned char)text[i] - (unsigned)'0';
        good = digit <= 9 && value <= (UINT64_MAX - digit) / 10;
        value = value * 10 + digit;
    }
    if (good) {
        *out = value;
    }
    return good;
}
