/* The request for a WebSocket and what may be answered; SHA-1, which is a part of it. */
#include "unit.h"

#include "crypto/sha1.h"
#include "proto/upgrade.h"

#define ACCEPT "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"
#define HEAD "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
#define DEFLATE "Sec-WebSocket-Extensions: permessage-deflate"

/* The RFC's example: key dGhlIHNhbXBsZSBub25jZQ==. */
static nats__upgrade begin(bool deflate)
{
    nats__upgrade upgrade;
    char challenge[NATS__UPGRADE_CHALLENGE_SIZE];
    uint8_t digest[NATS__SHA1];
    nats__upgrade_init(&upgrade, (const uint8_t *)"the sample nonce", deflate);
    nats__upgrade_challenge(&upgrade, challenge);
    assert_true(nats__sha1(challenge, strlen(challenge), digest));
    nats__upgrade_expect(&upgrade, digest);
    return upgrade;
}

static void the_key_and_its_answer_are_the_rfcs(void **state)
{
    (void)state;
    nats__upgrade upgrade = begin(false);
    assert_string_equal(upgrade.key, "dGhlIHNhbXBsZSBub25jZQ==");
    assert_string_equal(upgrade.accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

static void sha1_is_fips_180s(void **state)
{
    (void)state;
    const struct {
        const char *text;
        const char *digest;
    } rows[] = {
        {"", "\xda\x39\xa3\xee\x5e\x6b\x4b\x0d\x32\x55\xbf\xef\x95\x60\x18\x90\xaf\xd8\x07\x09"},
        {"abc", "\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0\xd8\x9d"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "\x84\x98\x3e\x44\x1c\x3b\xd2\x6e\xba\xae\x4a\xa1\xf9\x51\x29\xe5\xe5\x46\x70\xf1"},
    };
    uint8_t digest[NATS__SHA1];
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        assert_true(nats__sha1(rows[i].text, strlen(rows[i].text), digest));
        assert_memory_equal(digest, rows[i].digest, sizeof digest);
    }
}

/* ---- the request ---- */

static void assert_request(const char *text, const char *headers, bool deflate, const char *wanted)
{
    nats__upgrade upgrade = begin(deflate);
    nats__url url;
    nats__buf out = {0};
    assert_int_equal(nats__url_parse(text, strlen(text), &url), NATS_OK);
    assert_true(nats__upgrade_request(&upgrade, &url, headers, &out));
    assert_bytes(out.data, out.len, wanted, strlen(wanted));
    nats__buf_free(&out);
    nats__url_free(&url);
}

#define ASKS \
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"

static void requests_are_made(void **state)
{
    (void)state;
    assert_request("ws://h", NULL, false, "GET / HTTP/1.1\r\nHost: h\r\n" ASKS "\r\n");
    assert_request("wss://h:443/nats?a=b", NULL, false,
                   "GET /nats?a=b HTTP/1.1\r\nHost: h\r\n" ASKS "\r\n");
    assert_request("ws://u:p@[::1]:8080/\xc3\xa4\"{%2f", NULL, true,
                   "GET /%C3%A4%22%7B%2f HTTP/1.1\r\nHost: [::1]:8080\r\n" ASKS
                   "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"
                   "; client_no_context_takeover\r\n\r\n");
    assert_request("wss://h:80", "Authorization:  Basic eA==\n\nX-A: b\r\nhost: other:1\n", false,
                   "GET / HTTP/1.1\r\nAuthorization: Basic eA==\r\nX-A: b\r\nhost: other:1\r\n" ASKS
                   "\r\n");
}

static void bad_headers_are_refused_by_line(void **state)
{
    (void)state;
    const char *const good[] = {"", "A: b", "A: b\n", "A:\n\nB: \xc3\xa4\ttab\r\nC: d"};
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        assert_int_equal(nats__upgrade_check_headers(good[i]), NATS_OK);
    }
    const struct {
        const char *headers;
        const char *text;
    } bad[] = {
        {"A: b\nhunter2", "ws_headers: line 2 is not 'Name: value'"},
        {": hunter2", "ws_headers: line 1 is not 'Name: value'"},
        {"A b: hunter2", "ws_headers: line 1 is not 'Name: value'"},
        {" A: folded", "ws_headers: line 1 is not 'Name: value'"},
        {"\n\nupgrade: h2c", "ws_headers: upgrade in line 3 is not for you to set"},
        {"Sec-WebSocket-Key: x", "ws_headers: Sec-WebSocket-Key in line 1 is not for you to set"},
        {"A: b\rHunter: 2", "ws_headers: the value in line 1 has a control character"},
        {"A: \x7f", "ws_headers: the value in line 1 has a control character"},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        forget_error();
        assert_failed(nats__upgrade_check_headers(bad[i].headers), NATS_ERR_INVALID, bad[i].text);
        assert_string_equal(nats__error_get()->about, "ws_headers");
    }
}

/* ---- the answer ---- */

/* Byte by byte and in one piece. Returns the bytes used. */
static size_t answer(nats__upgrade *upgrade, const char *text, size_t len, nats_status *status)
{
    size_t used = 0;
    *status = NATS_OK;
    for (size_t n = 1; n <= len && *status == NATS_OK && used == 0; n++) {
        char *copy = tight_copy(text, n);
        *status = nats__upgrade_answer(upgrade, copy, n, &used);
        free(copy);
    }
    return used;
}

static void assert_accepted(bool offer, const char *text, bool deflate, bool takes_over)
{
    nats__upgrade slow = begin(offer);
    nats__upgrade quick = begin(offer);
    size_t len = strlen(text);
    nats_status status;
    assert_int_equal(answer(&slow, text, len, &status), len);
    assert_int_equal(status, NATS_OK);
    assert_int_equal(slow.deflate, deflate);
    assert_int_equal(slow.takes_over, takes_over);
    size_t used;
    char *more = malloc(len + 3);
    memcpy(more, text, len);
    memcpy(more + len, "\r\n\n", 3); /* frames: they are not looked at */
    assert_int_equal(nats__upgrade_answer(&quick, more, len + 3, &used), NATS_OK);
    assert_int_equal(used, len);
    free(more);
}

static void good_answers_are_taken(void **state)
{
    (void)state;
    assert_accepted(false, HEAD ACCEPT "\r\n", false, false);
    assert_accepted(true, HEAD ACCEPT "\r\n", false, false);
    assert_accepted(false,
                    "HTTP/1.1 101\nuPGRADE: WebSocket\nconnection: keep-alive, upgrade\n"
                    "X: y\nsec-websocket-accept:\ts3pPLMBiTxaQ9kYGzzhZRbK+xOo= \n\n",
                    false, false);
    assert_accepted(true,
                    HEAD ACCEPT DEFLATE "; server_no_context_takeover; "
                                        "client_no_context_takeover\r\n\r\n",
                    true, false);
    assert_accepted(true, HEAD ACCEPT DEFLATE ";server_max_window_bits=10\r\n\r\n", true, true);
}

static void bad_answers_are_refused(void **state)
{
    (void)state;
    const struct {
        bool offer;
        nats_status status;
        const char *answer;
        const char *why;
    } rows[] = {
        {false, NATS_ERR_PROTOCOL, "INFO {}\r\n", "speaks NATS here without it"},
        {false, NATS_ERR_PROTOCOL, "\x15\x03\x01", "speaks TLS here: wss://"},
        {false, NATS_ERR_PROTOCOL, "SSH-2.0-x\r\n", "does not speak HTTP"},
        {false, NATS_ERR_PROTOCOL, "HTTP/1.0 101 x\r\n\r\n", "not one of HTTP/1.1"},
        {false, NATS_ERR_PROTOCOL, "HTTP/1.1 1a1 x\r\n\r\n", "not one of HTTP/1.1"},
        {false, NATS_ERR_PROTOCOL, "HTTP/1.1 1010 x\r\n\r\n", "not one of HTTP/1.1"},
        {false, NATS_ERR_PROTOCOL, "HTTP/1.1 404 Not Found\r\n\r\n", "with '404 Not Found'"},
        {false, NATS_ERR_PROTOCOL, "HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n", "elsewhere"},
        {false, NATS_ERR_AUTH, "HTTP/1.1 401 Unauthorized\r\n\r\n", "with '401 Unauthorized'"},
        {false, NATS_ERR_AUTH, "HTTP/1.1 407 Proxy\r\n\r\n", "407"},
        {false, NATS_ERR_PROTOCOL, HEAD "\r\n", "Sec-WebSocket-Accept"},
        {false, NATS_ERR_PROTOCOL, HEAD "Sec-WebSocket-Accept: x\r\n\r\n", "Sec-WebSocket-Accept"},
        {false, NATS_ERR_PROTOCOL, HEAD ACCEPT ACCEPT "\r\n", "Sec-WebSocket-Accept"},
        {false, NATS_ERR_PROTOCOL, "HTTP/1.1 101 x\r\n" ACCEPT "\r\n", "no 'Upgrade: websocket'"},
        {false, NATS_ERR_PROTOCOL, "HTTP/1.1 101 x\r\nUpgrade: websocket\r\n" ACCEPT "\r\n",
         "no 'Connection: Upgrade'"},
        {false, NATS_ERR_PROTOCOL, HEAD ACCEPT "folded\r\n\r\n", "a line that is no header"},
        {false, NATS_ERR_PROTOCOL, HEAD ACCEPT DEFLATE "\r\n\r\n", "extension that was not"},
        {true, NATS_ERR_PROTOCOL, HEAD ACCEPT "Sec-WebSocket-Extensions: x\r\n\r\n",
         "extension that was not"},
        {true, NATS_ERR_PROTOCOL, HEAD ACCEPT DEFLATE ", permessage-deflate\r\n\r\n",
         "extension that was not"},
        {true, NATS_ERR_PROTOCOL, HEAD ACCEPT DEFLATE "; client_max_window_bits=9\r\n\r\n",
         "something of permessage-deflate"},
        {true, NATS_ERR_PROTOCOL, HEAD ACCEPT "Sec-WebSocket-Protocol: mqtt\r\n\r\n",
         "a subprotocol"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        nats__upgrade upgrade = begin(rows[i].offer);
        nats_status status;
        forget_error();
        answer(&upgrade, rows[i].answer, strlen(rows[i].answer), &status);
        assert_int_equal(status, rows[i].status);
        assert_non_null(strstr(nats__error_get()->text, rows[i].why));
    }
}

static void a_head_has_an_end(void **state)
{
    (void)state;
    nats__upgrade upgrade = begin(false);
    size_t used;
    char *text = malloc(NATS__UPGRADE_ANSWER_MAX);
    memset(text, 'x', NATS__UPGRADE_ANSWER_MAX);
    memcpy(text, HEAD, sizeof HEAD - 1);
    assert_int_equal(nats__upgrade_answer(&upgrade, text, NATS__UPGRADE_ANSWER_MAX - 1, &used),
                     NATS_OK);
    assert_int_equal(used, 0);
    assert_failed(nats__upgrade_answer(&upgrade, text, NATS__UPGRADE_ANSWER_MAX, &used),
                  NATS_ERR_PROTOCOL,
                  "WebSocket: the head of the server's answer is over 16384 bytes");
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_and_its_answer_are_the_rfcs),
        cmocka_unit_test(sha1_is_fips_180s),
        cmocka_unit_test(requests_are_made),
        cmocka_unit_test(bad_headers_are_refused_by_line),
        cmocka_unit_test(good_answers_are_taken),
        cmocka_unit_test(bad_answers_are_refused),
        cmocka_unit_test(a_head_has_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
