/* The answer to a WebSocket upgrade, and headers that a program gives: any bytes are taken or
 * refused with words, and it makes no difference in what pieces they come. The first byte tells
 * which, and whether compression was offered. */
#include "base/error.h"
#include "check.h"
#include "proto/upgrade.h"

static nats__upgrade begin(bool deflate)
{
    nats__upgrade upgrade;
    uint8_t digest[NATS__UPGRADE_DIGEST] = {0};
    nats__upgrade_init(&upgrade, (const uint8_t *)"the sample nonce", deflate);
    nats__upgrade_expect(&upgrade, digest);
    return upgrade;
}

static nats_status answer(nats__upgrade *upgrade, const char *data, size_t size, size_t *used)
{
    nats_status status = nats__upgrade_answer(upgrade, data, size, used);
    CHECK(*used <= size);
    CHECK(status == NATS_OK || (*used == 0 && nats__error_get()->text[0] != '\0'));
    return status;
}

static void read_answer(const char *data, size_t size, bool deflate)
{
    nats__upgrade whole = begin(deflate);
    nats__upgrade pieces = begin(deflate);
    size_t used;
    size_t piece_used = 0;
    nats_status status = answer(&whole, data, size, &used);
    nats_status piece_status = NATS_OK;
    for (size_t n = 1; n <= size && piece_status == NATS_OK && piece_used == 0; n++) {
        piece_status = answer(&pieces, data, n, &piece_used);
    }
    CHECK(status == piece_status && used == piece_used);
    CHECK(whole.deflate == pieces.deflate && whole.takes_over == pieces.takes_over);
    CHECK(!whole.deflate || deflate);
}

static void read_headers(const char *data, size_t size)
{
    char *text = malloc(size + 1);
    CHECK(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    nats__upgrade upgrade = begin(true);
    nats__url url;
    nats__buf out = {0};
    CHECK(nats__url_parse("ws://h", 6, &url) == NATS_OK);
    if (nats__upgrade_check_headers(text) == NATS_OK) {
        CHECK(nats__upgrade_request(&upgrade, &url, text, &out));
        /* Nothing in them ends the request early. */
        CHECK(out.len > 4 && memcmp(out.data + out.len - 4, "\r\n\r\n", 4) == 0);
        CHECK(memmem(out.data, out.len, "\r\n\r\n", 4) == out.data + out.len - 4);
    }
    nats__buf_free(&out);
    nats__url_free(&url);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { HEADERS = 2 };
    if (size == 0) {
        return 0;
    }
    if (data[0] % 3 == HEADERS) {
        read_headers((const char *)data + 1, size - 1);
    } else if (size > 1) {
        read_answer((const char *)data + 1, size - 1, data[0] % 3 == 1);
    }
    return 0;
}
