/* -ERR: every text has a meaning, and what it names is part of it. */
#include "proto/err.h"

#include "check.h"

static void check_part(const char *part, size_t len, const char *text, size_t size)
{
    CHECK(part != NULL || len == 0);
    CHECK(part == NULL || is_within(part, len, text, size));
}

static void check_err(const nats__err *err, const char *text, size_t size)
{
    bool permission = err->kind == NATS_KIND_PERMISSION_PUBLISH ||
                      err->kind == NATS_KIND_PERMISSION_SUBSCRIBE;
    CHECK(err->status < 0 && err->status >= NATS_ERR_INTERRUPTED);
    CHECK(err->kind != NATS_KIND_UNKNOWN || (err->status == NATS_ERR_SERVER && err->recoverable));
    CHECK(!permission || (err->status == NATS_ERR_PERMISSION && err->recoverable));
    CHECK(permission || (err->subject == NULL && err->queue == NULL && err->sid == 0));
    CHECK(err->subject != NULL || (err->queue == NULL && err->sid == 0));
    check_part(err->subject, err->subject_len, text, size);
    check_part(err->queue, err->queue_len, text, size);
}

/* Quotes around the text, and case, change nothing. */
static void check_upper(const nats__err *err, const char *text, size_t size)
{
    char *upper = malloc(size + 2);
    nats__err again;
    CHECK(upper != NULL);
    upper[0] = '\'';
    for (size_t i = 0; i < size; i++) {
        upper[i + 1] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 'a' + 'A') : text[i];
    }
    upper[size + 1] = '\'';
    nats__err_parse(upper, size + 2, &again);
    CHECK(again.kind == err->kind && again.status == err->status);
    CHECK(again.subject_len == err->subject_len && again.queue_len == err->queue_len);
    CHECK(again.sid == err->sid);
    free(upper);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    nats__err err;
    memset(&err, 0x55, sizeof err);
    nats__err_parse(text, size, &err);
    check_err(&err, text, size);
    check_upper(&err, text, size);
    char small[16];
    CHECK(nats__err_unquote(text, size, small, sizeof small) < sizeof small);
    return 0;
}
