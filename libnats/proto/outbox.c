#include "proto/outbox.h"

#include <assert.h>
#include <string.h>

#include "base/wipe.h"

/* Memory that an empty buffer keeps: the size of a usual write. */
enum { KEEP_CAP = 128 * 1024 };

void nats__outbox_free(nats__outbox *box)
{
    nats__wipe(box->urgent.data, box->urgent.len);
    nats__buf_free(&box->fill);
    nats__buf_free(&box->drain);
    nats__buf_free(&box->urgent);
    nats__buf_free(&box->dropped);
}

/* ---- appending ---- */

bool nats__outbox_publish(nats__outbox *box, const nats__frame *frame)
{
    if (!nats__buf_reserve(&box->fill, nats__frame_bound(frame))) {
        return false;
    }

    uint8_t *at = nats__frame_write(box->fill.data + box->fill.len, frame);
    box->fill.len = (size_t)(at - box->fill.data);
    box->accepted++;
    return true;
}

bool nats__outbox_control(nats__outbox *box, const void *lines, size_t len)
{
    return nats__buf_append(box->open ? &box->fill : &box->urgent, lines, len);
}

/* ---- writing ---- */

/* A handshake holds secrets: nothing of it stays in memory. */
static void forget_drain(nats__outbox *box)
{
    if (box->drain_urgent) {
        nats__wipe(box->drain.data, box->drain.len);
    }
    box->drain.len = 0;
    box->drained = 0;
}

void nats__outbox_drop_handshake(nats__outbox *box)
{
    nats__wipe(box->urgent.data, box->urgent.len);
    box->urgent.len = 0;
    forget_drain(box);
}

bool nats__outbox_take(nats__outbox *box)
{
    if (box->drained < box->drain.len) {
        return true;
    }

    forget_drain(box);
    nats__buf_shrink(&box->drain, KEEP_CAP);
    if (box->urgent.len > 0) {
        nats__buf_swap(&box->drain, &box->urgent);
        box->drain_urgent = true;
        return true;
    }
    if (!box->open || box->fill.len == 0) {
        return false;
    }
    nats__buf_swap(&box->drain, &box->fill);
    box->drain_urgent = false;
    return true;
}

void nats__outbox_wrote(nats__outbox *box, size_t n)
{
    assert(n <= box->drain.len - box->drained);
    box->drained += n;
    box->written_bytes += n;
}

void nats__outbox_confirm(nats__outbox *box, uint64_t mark)
{
    if (mark <= box->resolved) {
        return;
    }
    box->resolved = mark;
    size_t below = 0;
    for (; below < box->dropped.len; below += sizeof(uint64_t)) {
        uint64_t number;
        memcpy(&number, box->dropped.data + below, sizeof number);
        if (number > mark) {
            break;
        }
    }
    nats__buf_consume(&box->dropped, below);
}

/* ---- losing the connection ---- */

/* The frame at `at`, which the outbox itself wrote and so is well formed: its length, and
 * whether it is a publish. A publish's size is the last number of its line. */
static size_t frame_len(const uint8_t *at, const uint8_t *end, bool *publish, size_t *size_out)
{
    const uint8_t *newline = memchr(at, '\n', (size_t)(end - at));
    assert(newline != NULL && newline > at);
    size_t line = (size_t)(newline - at) + 1;

    *size_out = 0;
    *publish = at[0] == 'H' || (at[0] == 'P' && at[1] == 'U');
    if (!*publish) {
        return line;
    }
    const uint8_t *digit = newline - 1; /* the CR */
    while (digit[-1] != ' ') {
        digit--;
    }
    size_t size = 0;
    for (; *digit != '\r'; digit++) {
        size = size * 10 + (size_t)(*digit - '0');
    }
    *size_out = size;
    return line + size + 2;
}

/* Where the publish at `at` wants its reply, if that is below inbox; else NULL. Without a reply a
 * number stands there, which is no inbox: that ends with a dot. */
static const uint8_t *asks_for(const uint8_t *at, const uint8_t *end, const char *inbox,
                               size_t inbox_len)
{
    const uint8_t *subject = (const uint8_t *)memchr(at, ' ', (size_t)(end - at)) + 1;
    const uint8_t *reply = (const uint8_t *)memchr(subject, ' ', (size_t)(end - subject)) + 1;
    bool below = (size_t)(end - reply) > inbox_len && memcmp(reply, inbox, inbox_len) == 0;
    return below ? reply : NULL;
}

typedef struct sorting {
    nats__buf kept;
    size_t keep_max;
    const char *inbox; /* NULL: none */
    size_t inbox_len;
    bool full; /* one did not fit: those after it may not overtake it */
    uint64_t kept_count;
    uint64_t lost;
} sorting;

static void sort_publish(sorting *sorted, const uint8_t *at, size_t len)
{
    if (sorted->inbox != NULL &&
        asks_for(at, at + len, sorted->inbox, sorted->inbox_len) != NULL) {
        sorted->lost++;
        return;
    }
    bool fits = !sorted->full && sorted->kept.len + len <= sorted->keep_max;
    if (!fits || !nats__buf_append(&sorted->kept, at, len)) {
        sorted->full = true;
        sorted->lost++;
        return;
    }
    sorted->kept_count++;
}

/* Go through a buffer of whole frames of which the first `written` bytes are gone. A publish
 * that is gone as a whole is neither kept nor lost here: it is unconfirmed. */
static void sort_frames(sorting *sorted, const nats__buf *buf, size_t written)
{
    const uint8_t *at = buf->data;
    const uint8_t *end = buf->data + buf->len;
    const uint8_t *gone = buf->data + written;
    while (at < end) {
        bool publish;
        size_t size;
        size_t len = frame_len(at, end, &publish, &size);
        if (publish && at >= gone) {
            sort_publish(sorted, at, len);
        } else if (publish && at + len > gone) {
            sorted->lost++;
        }
        at += len;
    }
}

void nats__outbox_lost(nats__outbox *box, size_t keep_max, const char *inbox, size_t inbox_len,
                       uint64_t *lost_out, uint64_t *unconfirmed_out)
{
    *lost_out = 0;
    *unconfirmed_out = 0;
    if (!box->open && box->fill.len <= keep_max) {
        /* An attempt that came to nothing: what waits for a connection was not touched. It is not
         * copied for each of them, for it may be much, and memory may be out. */
        nats__outbox_drop_handshake(box);
        box->drain_urgent = false;
        return;
    }
    sorting sorted = {.keep_max = keep_max, .inbox = inbox, .inbox_len = inbox_len};
    if (!box->drain_urgent && box->drain.len > 0) {
        sort_frames(&sorted, &box->drain, box->drained);
    }
    if (box->fill.len > 0) {
        sort_frames(&sorted, &box->fill, 0);
    }

    nats__buf_swap(&box->fill, &sorted.kept);
    nats__buf_free(&sorted.kept);
    nats__outbox_drop_handshake(box);
    box->drain_urgent = false;
    box->open = false;
    *lost_out = sorted.lost;
    uint64_t settled = box->accepted - sorted.kept_count;
    uint64_t written = settled - sorted.lost - box->dropped.len / sizeof(uint64_t);
    /* A server may say PONG before it was asked: what was never written is not confirmed by it. */
    *unconfirmed_out = written > box->resolved ? written - box->resolved : 0;
    box->resolved = settled;
    nats__buf_free(&box->dropped);
}

static uint64_t count_publishes(const nats__buf *buf)
{
    uint64_t count = 0;
    const uint8_t *end = buf->data + buf->len;
    for (const uint8_t *at = buf->data; at < end;) {
        bool publish;
        size_t size;
        at += frame_len(at, end, &publish, &size);
        count += publish;
    }
    return count;
}

/* It is settled, and a PONG for a PING that waits before or behind it must not settle it again.
 * Without memory for its number: as if it had been the next to be confirmed. */
static void note_dropped(nats__outbox *box, uint64_t number)
{
    if (!nats__buf_append(&box->dropped, &number, sizeof number)) {
        box->resolved++;
    }
}

/* The request at `at` is not sent: who waits for its reply. */
static void note_asker(nats__askers *askers, nats__buf *list, const uint8_t *at, size_t len)
{
    const uint8_t *reply = askers->inbox != NULL
                               ? asks_for(at, at + len, askers->inbox, askers->inbox_len)
                               : NULL;
    if (reply == NULL) {
        return;
    }
    size_t reply_len = (size_t)((const uint8_t *)memchr(reply, ' ', (size_t)(at + len - reply)) -
                                reply);
    if (nats__buf_reserve(list, reply_len + 1)) {
        nats__buf_append(list, reply, reply_len);
        nats__buf_append(list, "", 1);
    }
}

uint64_t nats__outbox_limit(nats__outbox *box, size_t payload_max, bool headers,
                            nats__askers *askers)
{
    if (box->fill.len == 0) {
        return 0;
    }
    uint8_t *to = box->fill.data;
    const uint8_t *at = box->fill.data;
    const uint8_t *end = at + box->fill.len;
    uint64_t number = box->accepted - count_publishes(&box->fill);
    uint64_t dropped = 0;
    while (at < end) {
        bool publish;
        size_t size;
        size_t len = frame_len(at, end, &publish, &size);
        number += publish;
        if (publish && (size > payload_max || (!headers && at[0] == 'H'))) {
            note_dropped(box, number);
            note_asker(askers, size > payload_max ? &askers->large : &askers->headed, at, len);
            dropped++;
        } else {
            memmove(to, at, len);
            to += len;
        }
        at += len;
    }
    box->fill.len = (size_t)(to - box->fill.data);
    return dropped;
}

void nats__outbox_rest(nats__outbox *box)
{
    if (box->drained == box->drain.len) {
        box->drain.len = 0;
        box->drained = 0;
    }
    nats__buf_shrink(&box->drain, 0);
    nats__buf_shrink(&box->fill, 0);
    nats__buf_shrink(&box->urgent, 0);
}
