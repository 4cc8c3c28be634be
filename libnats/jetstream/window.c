#include "jetstream/window.h"

#include <stdlib.h>

enum { BITS = 6, DIGIT_MASK = 63, PLACE_BITS = 16, DIGIT_NONE = 0xFF };

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
    free(window->places);
    free(window->ring);
    window->places = NULL;
    window->ring = NULL;
}

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
