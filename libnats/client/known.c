/* The server connected to, compared with the one before: after a reconnect it may be another one,
 * or the same after an upgrade; and an INFO in between may change what it takes. mu held. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/conn.h"

/* Fields of INFO, in the order of nats__known.texts. */
static const char *const text_names[NATS__KNOWN_TEXTS] = {"server_id", "version", "cluster"};

/* What changed, one after the other. */
typedef struct report {
    char text[NATS__ERROR_TEXT_MAX];
    size_t len;
} report;

static void add(report *out, const char *name, const char *now, const char *before)
{
    size_t room = sizeof out->text - out->len;
    int len = snprintf(out->text + out->len, room, "%s%s %.64s (was %.64s)",
                       out->len > 0 ? ", " : "", name, now, before);
    out->len += len > 0 && (size_t)len < room ? (size_t)len : 0;
    out->text[out->len] = '\0'; /* whole entries only */
}

/* What is not told now is as it was. */
static void compare_text(nats__known *known, const nats_info *info, size_t at, report *out)
{
    size_t len;
    const char *now = nats__info_text(info, text_names[at], &len);
    const char *before = known->texts[at] != NULL ? known->texts[at] : "none";
    if (now == NULL || len == 0 || strcmp(before, now) == 0) {
        return;
    }
    if (known->max_payload != 0) {
        add(out, text_names[at], now, before);
    }
    free(known->texts[at]);
    known->texts[at] = strdup(now);
}

static void compare_number(const char *name, int64_t now, int64_t before, report *out)
{
    char now_text[24];
    char before_text[24];
    if (now != before) {
        snprintf(now_text, sizeof now_text, "%" PRId64, now);
        snprintf(before_text, sizeof before_text, "%" PRId64, before);
        add(out, name, now_text, before_text);
    }
}

void nats__known_note(nats__conn *conn, const char *url)
{
    const nats_info *info = nats__session_info(conn->session);
    nats__known *known = &conn->known;
    report changes = {.len = 0};
    for (size_t i = 0; i < NATS__KNOWN_TEXTS; i++) {
        compare_text(known, info, i, &changes);
    }
    if (known->max_payload != 0) {
        compare_number("max_payload", info->max_payload, known->max_payload, &changes);
        compare_number("headers", info->headers, known->headers, &changes);
    }
    known->max_payload = info->max_payload;
    known->headers = info->headers;
    if (changes.len > 0) {
        nats__event_push(conn, NULL,
                         &(nats__event_facts){.type = NATS_EVENT_SERVER_CHANGED,
                                              .text = changes.text,
                                              .url = url});
    }
}

void nats__known_free(nats__known *known)
{
    for (size_t i = 0; i < NATS__KNOWN_TEXTS; i++) {
        free(known->texts[i]);
    }
}
