/* The lines of a trace: whatever bytes go by, each line is short, printable, and without a secret, and
 * it makes no difference in what pieces the bytes come. The first byte says how large the pieces
 * are. */
#include "base/utf8.h"
#include "check.h"
#include "proto/tap.h"

enum { ALL_MAX = 1 << 16 };

typedef struct heard {
    char all[ALL_MAX]; /* lines with a line feed behind each */
    size_t len;
} heard;

/* In a text of JSON a quote has a backslash before it, so this is a field wherever it stands. Its value
 * is hidden, unless the line was full before it came. */
static void check_field(const char *line, const char *field)
{
    static const char hidden[] = "\"***\"";
    size_t len = strlen(line);
    for (const char *at = strstr(line, field); at != NULL; at = strstr(at, field)) {
        at += strlen(field);
        bool full = len == NATS__TAP_LINE_MAX;
        CHECK(strncmp(at, hidden, sizeof hidden - 1) == 0 || full);
    }
}

static void hear(void *who, const char *line)
{
    static const char *const secrets[] = {"\"user\":", "\"pass\":", "\"auth_token\":",
                                          "\"jwt\":",  "\"sig\":",  "\"nkey\":"};
    heard *self = who;
    size_t len = strlen(line);
    CHECK(len > 0 && len <= NATS__TAP_LINE_MAX);
    CHECK(nats__utf8_check(line, len) == len && strchr(line, '\n') == NULL);
    for (size_t i = 0; strncmp(line, "CONNECT", 7) == 0 && i < sizeof secrets / sizeof *secrets;
         i++) {
        check_field(line, secrets[i]);
    }
    if (self->len + len + 1 < sizeof self->all) {
        memcpy(self->all + self->len, line, len);
        self->all[self->len + len] = '\n';
        self->len += len + 1;
    }
}

/* Each piece in memory of its own, so that a sanitizer sees a step out of it. */
static void feed(heard *self, const uint8_t *data, size_t size, size_t step)
{
    nats__tap tap = {0};
    self->len = 0;
    for (size_t at = 0; at < size; at += step) {
        size_t n = size - at < step ? size - at : step;
        uint8_t *piece = malloc(n);
        CHECK(piece != NULL);
        memcpy(piece, data + at, n);
        nats__tap_feed(&tap, piece, n, hear, self);
        CHECK(tap.len <= size);
        free(piece);
    }
}

/* Of a longer line only the beginning is kept when it comes in pieces. */
static bool has_long_line(const uint8_t *data, size_t size)
{
    size_t len = 0;
    for (size_t i = 0; i < size && len <= NATS__TAP_LINE_MAX; i++) {
        len = data[i] == '\n' ? 0 : len + 1;
    }
    return len > NATS__TAP_LINE_MAX;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static heard whole;
    static heard pieces;
    if (size < 2) {
        return 0;
    }
    size_t step = (size_t)data[0] + 1;
    feed(&whole, data + 1, size - 1, size - 1);
    feed(&pieces, data + 1, size - 1, step);
    if (!has_long_line(data + 1, size - 1)) {
        CHECK(whole.len == pieces.len && memcmp(whole.all, pieces.all, whole.len) == 0);
    }
    return 0;
}
