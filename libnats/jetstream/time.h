/* Times and durations as JetStream writes them: RFC 3339, and nanoseconds. */
#ifndef NATS_JETSTREAM_TIME_H
#define NATS_JETSTREAM_TIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* "250ms", "2s", "1h30m", "1.5h", "0"; units: ns, us, ms, s, m, h, d (24 h). False when it is none such, or
 * over what int64_t holds. What is more than nothing does not become nothing. */
bool nats__duration_read(const char *text, size_t len, int64_t *ns_out);

typedef enum nats__time_kind {
    NATS__TIME_NONE,  /* it is no time */
    NATS__TIME_FAR,   /* it is one, but its ns since 1970 are not in the range of int64_t */
    NATS__TIME_READ
} nats__time_kind;

/* RFC 3339, as "2026-01-02T03:04:05.123456789Z" or with an offset "+02:00". *ns_out: since 1970 in UTC,
 * 0 unless it is read. Digits beyond the nanosecond are cut. */
nats__time_kind nats__time_read(const char *text, size_t len, int64_t *ns_out);

#endif
