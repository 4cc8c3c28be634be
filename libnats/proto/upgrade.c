#include "proto/upgrade.h"

#include <stdio.h>
#include <string.h>

#include "base/decimal.h"
#include "base/error.h"

static const char challenge_end[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* the RFC's */
static const char deflate_name[] = "permessage-deflate";

/* A run of text within the answer. */
typedef struct span {
    const char *text;
    size_t len;
} span;

/* ---- the key ---- */

static void base64(const uint8_t *data, size_t len, char *out)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i < 3 ? len - i : 3;
        uint32_t bits = (uint32_t)data[i] << 16;
        bits |= left > 1 ? (uint32_t)data[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)data[i + 2] : 0;
        for (size_t digit = 0; digit < 4; digit++) {
            *out++ = digit <= left ? digits[bits >> (18 - 6 * digit) & 63] : '=';
        }
    }
    *out = '\0';
}

void nats__upgrade_init(nats__upgrade *upgrade, const uint8_t nonce[NATS__UPGRADE_NONCE],
                        bool offer_deflate)
{
    *upgrade = (nats__upgrade){.offers_deflate = offer_deflate};
    base64(nonce, NATS__UPGRADE_NONCE, upgrade->key);
}

void nats__upgrade_challenge(const nats__upgrade *upgrade, char out[NATS__UPGRADE_CHALLENGE_SIZE])
{
    snprintf(out, NATS__UPGRADE_CHALLENGE_SIZE, "%s%s", upgrade->key, challenge_end);
}

void nats__upgrade_expect(nats__upgrade *upgrade, const uint8_t digest[NATS__UPGRADE_DIGEST])
{
    base64(digest, NATS__UPGRADE_DIGEST, upgrade->accept);
}

/* ---- bytes of HTTP ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_alnum(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9');
}

/* What names of headers are made of (RFC 9110, "token"). */
static bool is_token(span word)
{
    for (size_t i = 0; i < word.len; i++) {
        char c = word.text[i];
        if (!is_alnum(c) && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL)) {
            return false;
        }
    }
    return word.len > 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static span trim(span text)
{
    while (text.len > 0 && is_blank(text.text[0])) {
        text.text++;
        text.len--;
    }
    while (text.len > 0 && is_blank(text.text[text.len - 1])) {
        text.len--;
    }
    return text;
}

static bool equals(span text, const char *word)
{
    if (strlen(word) != text.len) {
        return false;
    }
    for (size_t i = 0; i < text.len; i++) {
        if (lower(text.text[i]) != lower(word[i])) {
            return false;
        }
    }
    return true;
}

/* Take what stands before `mark`, or all, off the front, blanks around it removed. False at the
 * end. */
static bool take_part(span *rest, char mark, span *out)
{
    if (rest->text == NULL) {
        return false;
    }
    const char *end = rest->len > 0 ? memchr(rest->text, mark, rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest->text) : rest->len;
    *out = trim((span){rest->text, len});
    *rest = end != NULL ? (span){end + 1, rest->len - len - 1} : (span){0};
    return true;
}

/* Take a line without its end. False when there is none. */
static bool take_line(span *rest, span *out)
{
    const char *end = rest->len > 0 ? memchr(rest->text, '\n', rest->len) : NULL;
    size_t len = end != NULL ? (size_t)(end - rest->text) : rest->len;
    if (rest->len == 0) {
        return false;
    }
    *out = (span){rest->text, len};
    rest->text += len + (end != NULL);
    rest->len -= len + (end != NULL);
    if (out->len > 0 && out->text[out->len - 1] == '\r') {
        out->len--;
    }
    return true;
}

static bool split_header(span line, span *name, span *value)
{
    const char *colon = line.len > 0 ? memchr(line.text, ':', line.len) : NULL;
    if (colon == NULL) {
        return false;
    }
    *name = (span){line.text, (size_t)(colon - line.text)};
    *value = trim((span){colon + 1, line.len - name->len - 1});
    return is_token(*name);
}

/* ---- headers of the program ---- */

#define BAD_HEADER(...) nats__fail(NATS_ERR_INVALID, "ws_headers", "ws_headers: " __VA_ARGS__)

/* Headers that are the upgrade itself, or would make the request one with a body. */
static bool is_ours(span name)
{
    static const char *const names[] = {"Connection", "Upgrade", "Sec-WebSocket-Key",
                                        "Sec-WebSocket-Version", "Sec-WebSocket-Accept",
                                        "Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol",
                                        "Content-Length", "Transfer-Encoding"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (equals(name, names[i])) {
            return true;
        }
    }
    return false;
}

static nats_status check_header(span line, size_t number)
{
    span name;
    span value;
    if (!split_header(line, &name, &value)) {
        return BAD_HEADER("line %zu is not 'Name: value'", number);
    }
    if (is_ours(name)) {
        return BAD_HEADER("%.*s in line %zu is not for you to set", (int)name.len, name.text,
                          number);
    }
    for (size_t i = 0; i < value.len; i++) {
        unsigned char byte = (unsigned char)value.text[i];
        if ((byte < ' ' && byte != '\t') || byte == 0x7F) {
            return BAD_HEADER("the value in line %zu has a control character", number);
        }
    }
    return NATS_OK;
}

nats_status nats__upgrade_check_headers(const char *headers)
{
    span rest = {headers, strlen(headers)};
    span line;
    nats_status status = NATS_OK;
    for (size_t number = 1; status == NATS_OK && take_line(&rest, &line); number++) {
        status = line.len > 0 ? check_header(line, number) : NATS_OK;
    }
    return status;
}

/* ---- the request ---- */

static bool put(nats__buf *out, span text)
{
    return nats__buf_append(out, text.text, text.len);
}

/* What may not stand in a request is percent-encoded. */
static bool put_path(nats__buf *out, const char *path)
{
    bool ok = true;
    for (const char *at = path != NULL ? path : "/"; ok && *at != '\0'; at++) {
        if (is_alnum(*at) || strchr("-._~!$&'()*+,;=:@/?%", *at) != NULL) {
            ok = nats__buf_append(out, at, 1);
            continue;
        }
        char escape[4];
        snprintf(escape, sizeof escape, "%%%02X", (unsigned)(unsigned char)*at);
        ok = nats__buf_append_text(out, escape);
    }
    return ok;
}

static bool put_host(nats__buf *out, const nats__url *url)
{
    bool ipv6 = strchr(url->host, ':') != NULL;
    bool ok = nats__buf_append_text(out, ipv6 ? "[" : "") &&
              nats__buf_append_text(out, url->host) && nats__buf_append_text(out, ipv6 ? "]" : "");
    if (url->port == nats__scheme_port(url->scheme)) {
        return ok;
    }
    char port[NATS__DECIMAL_MAX];
    return ok && nats__buf_append_text(out, ":") &&
           nats__buf_append(out, port, nats__decimal_write(port, url->port));
}

/* *host_out: the program has a Host of its own, for proxies that choose by it. */
static bool put_headers(nats__buf *out, const char *headers, bool *host_out)
{
    span rest = {headers, headers != NULL ? strlen(headers) : 0};
    span line;
    bool ok = true;
    *host_out = false;
    while (ok && take_line(&rest, &line)) {
        span name;
        span value;
        if (!split_header(line, &name, &value)) {
            continue;
        }
        *host_out = *host_out || equals(name, "Host");
        ok = put(out, name) && nats__buf_append_text(out, ": ") && put(out, value) &&
             nats__buf_append_text(out, "\r\n");
    }
    return ok;
}

/* All at once: a buffer that grows leaves what it held behind, and path and headers may be secret. */
static bool reserve_request(nats__buf *out, const nats__url *url, const char *headers)
{
    enum { REST = 512, ESCAPED = 3, SPREAD = 3 /* "a:b\n" becomes "a: b\r\n" */ };
    size_t path = url->path != NULL ? strlen(url->path) : 1;
    size_t lines = headers != NULL ? strlen(headers) + 1 : 0;
    return nats__buf_reserve(out, ESCAPED * path + SPREAD * lines + strlen(url->host) + REST);
}

bool nats__upgrade_request(const nats__upgrade *upgrade, const nats__url *url, const char *headers,
                           nats__buf *out)
{
    bool host;
    bool ok = reserve_request(out, url, headers) && nats__buf_append_text(out, "GET ") &&
              put_path(out, url->path) &&
              nats__buf_append_text(out, " HTTP/1.1\r\n") && put_headers(out, headers, &host);
    if (ok && !host) {
        ok = nats__buf_append_text(out, "Host: ") && put_host(out, url) &&
             nats__buf_append_text(out, "\r\n");
    }
    ok = ok && nats__buf_append_text(out, "Upgrade: websocket\r\nConnection: Upgrade\r\n"
                                          "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ") &&
         nats__buf_append_text(out, upgrade->key) && nats__buf_append_text(out, "\r\n");
    if (ok && upgrade->offers_deflate) {
        ok = nats__buf_append_text(out, "Sec-WebSocket-Extensions: ") &&
             nats__buf_append_text(out, deflate_name) &&
             nats__buf_append_text(out, "; server_no_context_takeover"
                                        "; client_no_context_takeover\r\n");
    }
    return ok && nats__buf_append_text(out, "\r\n");
}

/* ---- the answer ---- */

#define NO_WEBSOCKET(...) nats__fail(NATS_ERR_PROTOCOL, "url", "WebSocket: " __VA_ARGS__)

/* What headers of the answer must have said in the end. */
typedef struct findings {
    bool upgrade;
    bool connection;
    size_t accepts;
    bool accepted;
} findings;

/* Where the head ends: behind its empty line. 0: not yet. */
static size_t find_end(nats__upgrade *upgrade, const char *data, size_t len)
{
    size_t at = upgrade->scanned;
    for (;;) {
        const char *newline = at < len ? memchr(data + at, '\n', len - at) : NULL;
        if (newline == NULL) {
            upgrade->scanned = at;
            return 0;
        }
        size_t next = (size_t)(newline - data) + 1;
        if (next < len && data[next] == '\n') {
            return next + 1;
        }
        if (next + 1 < len && data[next] == '\r' && data[next + 1] == '\n') {
            return next + 2;
        }
        if (next + 1 >= len) {
            upgrade->scanned = next - 1; /* the empty line may be coming */
            return 0;
        }
        at = next;
    }
}

/* It is no HTTP: words for what it looks like, when it looks like something. */
static nats_status not_http(const char *data, size_t len)
{
    enum { TLS_ALERT = 0x15, TLS_HANDSHAKE = 0x16 };
    static const char info[] = "INFO";
    bool whole = len >= sizeof info - 1;
    if (memcmp(data, info, whole ? sizeof info - 1 : len) == 0) {
        return whole ? NO_WEBSOCKET("the server speaks NATS here without it") : NATS_OK;
    }
    if (data[0] == TLS_ALERT || data[0] == TLS_HANDSHAKE) {
        return NO_WEBSOCKET("the server speaks TLS here: wss://");
    }
    return NO_WEBSOCKET("the server does not speak HTTP here");
}

/* "HTTP/1.1 101 Switching Protocols" */
static nats_status check_first_line(span line)
{
    enum { DIGITS_AT = 9, DIGITS = 3, WORDS_MAX = 64 };
    bool good = line.len >= DIGITS_AT + DIGITS && memcmp(line.text, "HTTP/1.1 ", DIGITS_AT) == 0 &&
                (line.len == DIGITS_AT + DIGITS || line.text[DIGITS_AT + DIGITS] == ' ');
    int code = 0;
    for (size_t i = DIGITS_AT; good && i < DIGITS_AT + DIGITS; i++) {
        good = line.text[i] >= '0' && line.text[i] <= '9';
        code = code * 10 + (line.text[i] - '0');
    }
    if (!good) {
        return NO_WEBSOCKET("the first line of the server's answer is not one of HTTP/1.1");
    }
    if (code == 101) {
        return NATS_OK;
    }
    size_t words = line.len - DIGITS_AT;
    words = words < WORDS_MAX ? words : WORDS_MAX;
    bool elsewhere = code >= 300 && code < 400;
    bool refused = code == 401 || code == 403 || code == 407;
    return nats__fail(refused ? NATS_ERR_AUTH : NATS_ERR_PROTOCOL, "url",
                      "WebSocket: the server answered the upgrade with '%.*s'%s", (int)words,
                      line.text + DIGITS_AT,
                      elsewhere ? ": it sends us elsewhere, which is not followed" : "");
}

static bool lists(span value, const char *word)
{
    span part;
    while (take_part(&value, ',', &part)) {
        if (equals(part, word)) {
            return true;
        }
    }
    return false;
}

/* One of the parameters behind permessage-deflate. */
static bool read_parameter(nats__upgrade *upgrade, span parameter)
{
    span name;
    span rest = parameter;
    take_part(&rest, '=', &name);
    bool has_value = rest.text != NULL;
    if (equals(name, "server_no_context_takeover") && !has_value) {
        upgrade->takes_over = false;
        return true;
    }
    /* Our window and memory of the server's are the largest: smaller ones fit. */
    return (equals(name, "client_no_context_takeover") && !has_value) ||
           (equals(name, "server_max_window_bits") && has_value);
}

static nats_status read_extensions(nats__upgrade *upgrade, span value)
{
    span extension;
    while (take_part(&value, ',', &extension)) {
        span parameter;
        take_part(&extension, ';', &parameter);
        if (!upgrade->offers_deflate || upgrade->deflate || !equals(parameter, deflate_name)) {
            return NO_WEBSOCKET("the server chose an extension that was not offered");
        }
        upgrade->deflate = true;
        upgrade->takes_over = true;
        while (take_part(&extension, ';', &parameter)) {
            if (!read_parameter(upgrade, parameter)) {
                return NO_WEBSOCKET("the server wants something of permessage-deflate that was "
                                    "not offered");
            }
        }
    }
    return NATS_OK;
}

static nats_status read_header(nats__upgrade *upgrade, findings *found, span line)
{
    span name;
    span value;
    if (!split_header(line, &name, &value)) {
        return NO_WEBSOCKET("the server's answer has a line that is no header");
    }
    if (equals(name, "Upgrade")) {
        found->upgrade = equals(value, "websocket");
    } else if (equals(name, "Connection")) {
        found->connection = found->connection || lists(value, "upgrade");
    } else if (equals(name, "Sec-WebSocket-Accept")) {
        found->accepts++;
        found->accepted = strlen(upgrade->accept) == value.len &&
                          memcmp(upgrade->accept, value.text, value.len) == 0;
    } else if (equals(name, "Sec-WebSocket-Extensions")) {
        return read_extensions(upgrade, value);
    } else if (equals(name, "Sec-WebSocket-Protocol")) {
        return NO_WEBSOCKET("the server chose a subprotocol, and none was offered");
    }
    return NATS_OK;
}

static nats_status read_head(nats__upgrade *upgrade, span rest)
{
    span line = {0};
    findings found = {0};
    take_line(&rest, &line);
    nats_status status = check_first_line(line);
    while (status == NATS_OK && take_line(&rest, &line) && line.len > 0) {
        status = read_header(upgrade, &found, line);
    }
    if (status != NATS_OK) {
        return status;
    }
    if (!found.upgrade || !found.connection) {
        return NO_WEBSOCKET("the server's answer has no 'Upgrade: websocket' or no "
                            "'Connection: Upgrade'");
    }
    if (found.accepts != 1 || !found.accepted) {
        return NO_WEBSOCKET("the server's Sec-WebSocket-Accept does not fit our key");
    }
    return NATS_OK;
}

nats_status nats__upgrade_answer(nats__upgrade *upgrade, const char *data, size_t len,
                                 size_t *used_out)
{
    static const char begin[] = "HTTP/";
    size_t begin_len = len < sizeof begin - 1 ? len : sizeof begin - 1;
    *used_out = 0;
    if (memcmp(data, begin, begin_len) != 0) {
        return not_http(data, len);
    }
    size_t end = find_end(upgrade, data, len);
    if (end > NATS__UPGRADE_ANSWER_MAX || (end == 0 && len >= NATS__UPGRADE_ANSWER_MAX)) {
        return NO_WEBSOCKET("the head of the server's answer is over %d bytes",
                            NATS__UPGRADE_ANSWER_MAX);
    }
    if (end == 0) {
        return NATS_OK;
    }
    nats_status status = read_head(upgrade, (span){data, end});
    *used_out = status == NATS_OK ? end : 0;
    return status;
}
