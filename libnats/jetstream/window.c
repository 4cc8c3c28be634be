#include "jetstream/window.h"

#include <stdlib.h>

#include "base/copy.h"

enum { ROOM_LEAST = 128, BITS = 6, DIGIT_MASK = 63, PLACE_BITS = 16, DIGIT_NONE = 0xFF };

static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_";

bool nats__window_init(nats__window *window, uint32_t count)
{
    uint32_t size = 1;
    while (size < count) {
        size *= 2;
    }
    *window = (nats__window){.count = count, .mask = size - 1, .seen = count};
    window->places = calloc(count, sizeof *window->places);
    window->ring = malloc(size * sizeof *window->ring);
    if (window->places == NULL || window->ring == NULL) {
        nats__window_free(window);
        return false;
    }
    atomic_init(&window->kept, 0);
    for (uint32_t i = 0; i < count; i++) {
        atomic_init(&window->places[i].id, 0);
        window->ring[i] = i;
    }
    atomic_init(&window->returned, count);
    atomic_init(&window->taken, 0);
    return true;
}

void nats__window_free(nats__window *window)
{
    for (uint32_t i = 0; window->places != NULL && i < window->count; i++) {
        free(window->places[i].room);
    }
    free(window->places);
    free(window->ring);
    window->places = NULL;
    window->ring = NULL;
}

/* ---- what is kept ---- */

/* Room for so much in that place, a power of two: the next message there will not be larger, mostly. */
static nats__kept *make_room(nats__window *window, nats__slot *slot, size_t wanted)
{
    size_t had = slot->room != NULL ? slot->room->size : 0;
    size_t size = ROOM_LEAST;
    while (size < wanted) {
        size *= 2;
    }
    if (had >= wanted) {
        return slot->room;
    }
    if (atomic_fetch_add(&window->kept, size - had) + size - had > NATS__KEPT_SUM) {
        atomic_fetch_sub(&window->kept, size - had);
        return NULL;
    }
    nats__kept *room = malloc(sizeof *room + size);
    if (room == NULL) {
        atomic_fetch_sub(&window->kept, size - had);
        return NULL;
    }
    free(slot->room);
    room->size = size;
    slot->room = room;
    return room;
}

/* Of what cannot be sent again the subject is kept, for the words of its failure. */
static void keep_subject(nats__window *window, nats__slot *slot, const nats__frame *frame)
{
    nats__kept *room = make_room(window, slot, frame->subject_len);
    if (room != NULL) {
        room->subject_len = frame->subject_len;
        nats__copy(room->bytes, frame->subject, frame->subject_len);
    } else if (slot->room != NULL) {
        slot->room->subject_len = 0; /* of another message */
    }
}

bool nats__window_keep(nats__window *window, int32_t place, const nats__frame *frame)
{
    bool small = frame->headers_len <= NATS__KEPT_MAX && frame->data_len <= NATS__KEPT_MAX &&
                 frame->subject_len + frame->headers_len + frame->data_len <= NATS__KEPT_MAX;
    nats__slot *slot = &window->places[place];
    nats__kept *room = NULL;
    if (small) {
        room = make_room(window, slot, frame->subject_len + frame->headers_len + frame->data_len);
    }
    if (room == NULL) {
        keep_subject(window, slot, frame);
        return false;
    }
    room->subject_len = frame->subject_len;
    room->headers_len = frame->headers_len;
    room->data_len = frame->data_len;
    uint8_t *at = nats__copy(room->bytes, frame->subject, frame->subject_len);
    at = nats__copy(at, frame->headers, frame->headers_len);
    nats__copy(at, frame->data, frame->data_len);
    return true;
}

void nats__window_subject(const nats__window *window, uint32_t place, char *out, size_t size)
{
    const nats__kept *room = window->places[place].room;
    size_t len = room != NULL ? room->subject_len : 0;
    len = len < size ? len : size - 1;
    memcpy(out, len > 0 ? room->bytes : (const uint8_t *)"", len);
    out[len] = '\0';
}

nats__frame nats__window_kept(const nats__window *window, uint32_t place)
{
    const nats__kept *room = window->places[place].room;
    const uint8_t *headers = room->bytes + room->subject_len;
    return (nats__frame){.subject = (const char *)room->bytes,
                         .subject_len = room->subject_len,
                         .headers = room->headers_len > 0 ? headers : NULL,
                         .headers_len = room->headers_len,
                         .data = headers + room->headers_len,
                         .data_len = room->data_len};
}

/* ---- tokens ---- */

void nats__window_token(uint32_t place, uint64_t id, char out[NATS__WINDOW_TOKEN_LEN])
{
    uint64_t bits = (id & UINT32_MAX) << PLACE_BITS | place;
    for (int i = 0; i < NATS__WINDOW_TOKEN_LEN; i++) {
        out[i] = digits[bits >> (BITS * i) & DIGIT_MASK];
    }
}

static unsigned digit_of(uint8_t c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    if (c >= 'A' && c <= 'Z') {
        return 10 + c - 'A';
    }
    if (c >= 'a' && c <= 'z') {
        return 36 + c - 'a';
    }
    return c == '-' ? 62 : c == '_' ? 63 : DIGIT_NONE;
}

uint64_t nats__window_find(const nats__window *window, const uint8_t *token, size_t len,
                           uint32_t *place_out)
{
    uint64_t bits = 0;
    if (len != NATS__WINDOW_TOKEN_LEN) {
        return 0;
    }
    for (int i = 0; i < NATS__WINDOW_TOKEN_LEN; i++) {
        unsigned digit = digit_of(token[i]);
        if (digit == DIGIT_NONE) {
            return 0;
        }
        bits |= (uint64_t)digit << (BITS * i);
    }
    uint32_t place = (uint32_t)(bits & ((1U << PLACE_BITS) - 1));
    if (place >= window->count) {
        return 0;
    }
    uint64_t id = nats__window_at(window, place);
    *place_out = place;
    return id != 0 && (uint32_t)id == (uint32_t)(bits >> PLACE_BITS) ? id : 0;
}
