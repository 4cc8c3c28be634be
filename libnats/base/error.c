#include "base/error.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

static _Thread_local nats__error record;

nats__error *nats__error_get(void)
{
    return &record;
}

/* Copy and cut, not in the middle of a character. */
static void copy_cut(char *out, size_t size, const char *text)
{
    size_t len = strlen(text);
    if (len < size) {
        memcpy(out, text, len + 1);
        return;
    }
    len = size - 1;
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80) {
        len--;
    }
    memcpy(out, text, len);
    out[len] = '\0';
}

/* Arguments may point into the record itself (a text made longer), so it is written last. */
static void note(nats_status status, const char *about, const char *format, va_list arguments)
{
    char text[NATS__ERROR_TEXT_MAX + 4];
    char name[NATS__ERROR_ABOUT_MAX];
    if (vsnprintf(text, sizeof text, format, arguments) < 0) {
        text[0] = '\0';
    }
    copy_cut(name, sizeof name, about == NULL ? "" : about);

    record.status = status;
    record.owner = NULL;
    record.code = 0;
    record.err_code = 0;
    record.description[0] = '\0';
    copy_cut(record.text, sizeof record.text, text);
    memcpy(record.about, name, sizeof name);
    nats__utf8_printable(record.text);
    nats__utf8_printable(record.about);
}

nats_status nats__fail(nats_status status, const char *about, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note(status, about, format, arguments);
    va_end(arguments);
    return status;
}

nats_status nats__fail_server(nats_status status, const nats__said *said, const char *about,
                              const char *format, ...)
{
    char description[NATS__ERROR_SAID_MAX + 1];
    size_t len = said->description != NULL ? said->len : 0;
    len = len < sizeof description ? len : sizeof description - 1;
    memcpy(description, len > 0 ? said->description : "", len);
    description[len] = '\0';
    va_list arguments;
    va_start(arguments, format);
    note(status, about, format, arguments);
    va_end(arguments);
    record.code = said->code;
    record.err_code = said->err_code;
    copy_cut(record.description, sizeof record.description, description);
    nats__utf8_printable(record.description);
    return status;
}

nats_status nats__fail_said(const nats__said *said, const char *about, const char *what)
{
    bool says = said->description != NULL && said->len > 0;
    size_t len = said->len < NATS__ERROR_SAID_MAX ? said->len : NATS__ERROR_SAID_MAX;
    return nats__fail_server(NATS_ERR_SERVER, said, about, "%s: %.*s (%d)", what,
                             says ? (int)len : NATS__ERROR_SAID_MAX,
                             says ? said->description : "the server gave no description",
                             (int)(said->err_code != 0 ? said->err_code : said->code));
}
