#include "proto/url.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/decimal.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/utf8.h"

enum { HOST_MAX = 253 }; /* the longest name that DNS has */

typedef struct scheme_rule {
    const char *name;
    uint16_t port;
    bool path; /* a path may follow */
} scheme_rule;

static const scheme_rule schemes[] = {
    [NATS__SCHEME_NATS] = {"nats", NATS__PORT_DEFAULT, false},
    [NATS__SCHEME_TLS] = {"tls", NATS__PORT_DEFAULT, false},
    [NATS__SCHEME_WS] = {"ws", 80, true},
    [NATS__SCHEME_WSS] = {"wss", 443, true},
};

enum { SCHEME_COUNT = sizeof schemes / sizeof schemes[0] };

/* A piece of the URL; `at` is its offset, for error texts. */
typedef struct span {
    const char *text;
    size_t len;
    size_t at;
} span;

static span sub_span(span of, size_t from, size_t to)
{
    return (span){of.text + from, to - from, of.at + from};
}

static const char *find(span in, char c)
{
    return in.len == 0 ? NULL : memchr(in.text, c, in.len);
}

/* Errors name places, and never repeat what may be a part of the credentials: whoever forgets to
 * percent-encode a password makes any other part of the URL look like one. */
#define FAIL(...) nats__fail(NATS_ERR_INVALID, "url", "url: " __VA_ARGS__)

static nats_status fail_memory(void)
{
    return nats__fail(NATS_ERR_NO_MEMORY, "url", "url: no memory");
}

const char *nats__scheme_name(nats__scheme scheme)
{
    return schemes[scheme].name;
}

uint16_t nats__scheme_port(nats__scheme scheme)
{
    return schemes[scheme].port;
}

bool nats__scheme_is_websocket(nats__scheme scheme)
{
    return scheme == NATS__SCHEME_WS || scheme == NATS__SCHEME_WSS;
}

bool nats__scheme_is_secure(nats__scheme scheme)
{
    return scheme == NATS__SCHEME_TLS || scheme == NATS__SCHEME_WSS;
}

/* ---- bytes ---- */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool is_letter(char c)
{
    return lower(c) >= 'a' && lower(c) <= 'z';
}

static int hex_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    c = lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool equal_ignoring_case(const char *a, const char *b, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (lower(a[i]) != lower(b[i])) {
            return false;
        }
    }
    return true;
}

static nats_status check_bytes(span url)
{
    if (url.len == 0) {
        return FAIL("is empty");
    }
    if (url.len > NATS__URL_MAX) {
        return FAIL("%zu bytes, at most %d", url.len, NATS__URL_MAX);
    }
    for (size_t i = 0; i < url.len; i++) {
        unsigned char byte = (unsigned char)url.text[i];
        if (byte == ' ' || byte == '\t') {
            return FAIL("byte %zu (0x%02x) is a blank", i, byte);
        }
        if (byte < 0x20 || byte == 0x7F) {
            return FAIL("byte %zu (0x%02x) is a control character", i, byte);
        }
    }
    size_t bad = nats__utf8_check(url.text, url.len);
    return bad == url.len ? NATS_OK : FAIL("byte %zu is not valid UTF-8", bad);
}

static char *copy_text(const char *text, size_t len)
{
    char *copy = malloc(len + 1);
    if (copy != NULL) {
        memcpy(copy, text, len);
        copy[len] = '\0';
    }
    return copy;
}

/* ---- scheme ---- */

static nats_status fail_scheme(span url, size_t scheme_len)
{
    bool nameable = find(url, '@') == NULL && scheme_len > 0 && scheme_len <= 16;
    for (size_t i = 0; nameable && i < scheme_len; i++) {
        nameable = is_letter(url.text[i]) || is_digit(url.text[i]);
    }
    return FAIL("unknown scheme %.*s%sbefore '://': known are nats, tls, ws and wss",
                nameable ? (int)scheme_len : 0, url.text, nameable ? " " : "");
}

/* "nats//host" and "nats:/host" would else be told of a host named nats. */
static nats_status check_no_scheme(span url)
{
    for (size_t i = 0; i < SCHEME_COUNT; i++) {
        size_t len = strlen(schemes[i].name);
        const char *after = url.text + len;
        if (url.len >= len + 2 && equal_ignoring_case(url.text, schemes[i].name, len) &&
            (memcmp(after, "//", 2) == 0 || memcmp(after, ":/", 2) == 0)) {
            return FAIL("after %s at byte 0 a '://' is missing", schemes[i].name);
        }
    }
    return NATS_OK;
}

/* Takes "scheme://" off the front of rest. */
static nats_status take_scheme(span *rest, nats__scheme *out)
{
    *out = NATS__SCHEME_NATS;
    size_t len = 0;
    while (len + 3 <= rest->len && memcmp(rest->text + len, "://", 3) != 0) {
        len++;
    }
    if (len + 3 > rest->len) {
        return check_no_scheme(*rest);
    }
    for (size_t i = 0; i < SCHEME_COUNT; i++) {
        if (strlen(schemes[i].name) == len &&
            equal_ignoring_case(rest->text, schemes[i].name, len)) {
            *out = (nats__scheme)i;
            *rest = sub_span(*rest, len + 3, rest->len);
            return NATS_OK;
        }
    }
    return fail_scheme(*rest, len);
}

/* ---- path ---- */

static size_t authority_len(span rest)
{
    size_t len = 0;
    while (len < rest.len && rest.text[len] != '/' && rest.text[len] != '?' &&
           rest.text[len] != '#') {
        len++;
    }
    return len;
}

/* Takes what follows host and port off the end of rest. */
static nats_status take_path(span *rest, nats__url *out)
{
    size_t len = authority_len(*rest);
    span path = sub_span(*rest, len, rest->len);
    *rest = sub_span(*rest, 0, len);
    if (find(path, '@') != NULL) {
        return FAIL("byte %zu is one of '/', '?' and '#': in credentials they are written %%2F, "
                    "%%3F and %%23, and '@' in a path is %%40",
                    path.at);
    }
    if (path.len == 0 || (path.len == 1 && *path.text == '/')) {
        return NATS_OK;
    }
    if (!schemes[out->scheme].path) {
        return FAIL("nothing may follow host and port, but byte %zu does", path.at);
    }
    if (*path.text != '/' || find(path, '#') != NULL) {
        return FAIL("the path at byte %zu must begin with '/' and have no '#'", path.at);
    }
    out->path = nats__secret_copy(path.text, path.len); /* gateways have tokens in it */
    return out->path == NULL ? fail_memory() : NATS_OK;
}

/* ---- credentials ---- */

static nats_status decode_byte(span part, size_t *i, char *out)
{
    *out = part.text[*i];
    if (*out != '%') {
        return NATS_OK;
    }
    int high = *i + 1 < part.len ? hex_value(part.text[*i + 1]) : -1;
    int low = *i + 2 < part.len ? hex_value(part.text[*i + 2]) : -1;
    if (high < 0 || low < 0) {
        return FAIL("the '%%' at byte %zu is not followed by two hexadecimal digits", part.at + *i);
    }
    *out = (char)(high * 16 + low);
    if ((*out >= 0 && *out < ' ') || *out == 0x7F) {
        return FAIL("byte %zu is an encoded control character", part.at + *i);
    }
    *i += 2;
    return NATS_OK;
}

static nats_status decode_into(span part, char *out)
{
    size_t len = 0;
    for (size_t i = 0; i < part.len; i++) {
        nats_status status = decode_byte(part, &i, &out[len++]);
        if (status != NATS_OK) {
            return status;
        }
    }
    if (nats__utf8_check(out, len) != len) {
        return FAIL("what begins at byte %zu is, decoded, not valid UTF-8", part.at);
    }
    out[len] = '\0';
    return NATS_OK;
}

static nats_status decode(span part, char **out)
{
    *out = nats__secret_new(part.len + 1);
    return *out == NULL ? fail_memory() : decode_into(part, *out);
}

/* Takes "user:password@" or "token@" off the front of rest. */
static nats_status take_credentials(span *rest, nats__url *out)
{
    size_t at = rest->len;
    while (at > 0 && rest->text[at - 1] != '@') {
        at--;
    }
    if (at == 0) {
        return NATS_OK;
    }
    span both = sub_span(*rest, 0, at - 1);
    *rest = sub_span(*rest, at, rest->len);
    const char *colon = find(both, ':');
    size_t user_len = colon == NULL ? both.len : (size_t)(colon - both.text);
    if (user_len == 0) {
        return FAIL("user or token is missing at byte %zu", both.at);
    }
    nats_status status = decode(sub_span(both, 0, user_len), &out->user);
    if (status != NATS_OK || colon == NULL) {
        return status;
    }
    return decode(sub_span(both, user_len + 1, both.len), &out->password);
}

/* ---- host and port ---- */

/* "1.2.3.4", as it may stand at the end of an IPv6 address. */
static bool is_ipv4(const char *text, size_t len)
{
    size_t parts = 0;
    size_t at = 0;
    for (;;) {
        int value = 0;
        size_t begin = at;
        while (at < len && is_digit(text[at]) && at - begin < 3) {
            value = value * 10 + (text[at++] - '0');
        }
        if (at == begin || value > 255) {
            return false;
        }
        parts++;
        if (at == len) {
            return parts == 4;
        }
        if (text[at++] != '.') {
            return false;
        }
    }
}

/* RFC 4291: eight groups of up to four hexadecimal digits; "::" once for a run of zeros; the
 * last two groups may be an IPv4 address. */
static bool is_ipv6(const char *text, size_t len)
{
    size_t groups = 0;
    bool gap = false;
    size_t at = 0;
    if (len >= 2 && text[0] == ':' && text[1] == ':') {
        gap = true;
        at = 2;
    }
    while (at < len) {
        size_t begin = at;
        while (at < len && hex_value(text[at]) >= 0 && at - begin < 5) {
            at++;
        }
        if (at < len && text[at] == '.') {
            groups += 2;
            return is_ipv4(text + begin, len - begin) && (gap ? groups < 8 : groups == 8);
        }
        if (at == begin || at - begin > 4) {
            return false;
        }
        groups++;
        if (at == len) {
            break;
        }
        if (text[at++] != ':') {
            return false;
        }
        if (at < len && text[at] == ':' && !gap) {
            gap = true;
            at++;
        } else if (at == len) {
            return false;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

static nats_status check_ipv6(span host)
{
    if (find(host, '%') != NULL) {
        return FAIL("the address at byte %zu has a zone id, which is not supported", host.at);
    }
    if (!is_ipv6(host.text, host.len)) {
        return FAIL("what is in brackets at byte %zu is not an IPv6 address", host.at);
    }
    return NATS_OK;
}

static bool is_host_byte(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
}

static nats_status check_name(span host)
{
    if (host.len == 0) {
        return FAIL("host is missing at byte %zu", host.at);
    }
    if (host.len > HOST_MAX) {
        return FAIL("host at byte %zu has %zu bytes, at most %d", host.at, host.len, HOST_MAX);
    }
    for (size_t i = 0; i < host.len; i++) {
        if (!is_host_byte(host.text[i])) {
            return FAIL("byte %zu (0x%02x) cannot be in a host name", host.at + i,
                        (unsigned)(unsigned char)host.text[i]);
        }
        if (host.text[i] == '.' && (i == 0 || host.text[i - 1] == '.')) {
            return FAIL("host has an empty part at byte %zu", host.at + i);
        }
    }
    return NATS_OK;
}

static nats_status parse_port(span port, uint16_t *out)
{
    uint32_t value = 0;
    if (port.len == 0) {
        return FAIL("port is missing at byte %zu", port.at);
    }
    for (size_t i = 0; i < port.len; i++) {
        if (!is_digit(port.text[i])) {
            return FAIL("port at byte %zu is not a number (is the ':' part of a password, or of an "
                        "IPv6 address without brackets?)",
                        port.at);
        }
        if (value <= UINT16_MAX) {
            value = value * 10 + (uint32_t)(port.text[i] - '0');
        }
    }
    if (value < 1 || value > UINT16_MAX) {
        return FAIL("port at byte %zu is out of range: 1 to %d", port.at, UINT16_MAX);
    }
    *out = (uint16_t)value;
    return NATS_OK;
}

/* Splits "[host]:port" and "host:port"; port stays as it was, zeroed, when there is none. */
static nats_status split_host(span rest, span *host, span *port)
{
    const char *end;
    if (rest.len > 0 && rest.text[0] == '[') {
        const char *close = find(rest, ']');
        if (close == NULL) {
            return FAIL("the '[' at byte %zu is not closed", rest.at);
        }
        *host = sub_span(rest, 1, (size_t)(close - rest.text));
        end = close + 1;
    } else {
        const char *colon = find(rest, ':');
        end = colon == NULL ? rest.text + rest.len : colon;
        *host = sub_span(rest, 0, (size_t)(end - rest.text));
    }
    size_t at = (size_t)(end - rest.text);
    if (at == rest.len) {
        return NATS_OK;
    }
    if (*end != ':') {
        return FAIL("byte %zu: only ':' and a port may follow an address in brackets",
                    rest.at + at);
    }
    *port = sub_span(rest, at + 1, rest.len);
    return NATS_OK;
}

static nats_status parse_host(span rest, nats__url *out)
{
    span host = {0};
    span port = {0};
    nats_status status = split_host(rest, &host, &port);
    if (status != NATS_OK) {
        return status;
    }
    bool bracketed = rest.len > 0 && rest.text[0] == '[';
    status = bracketed ? check_ipv6(host) : check_name(host);
    if (status != NATS_OK) {
        return status;
    }
    out->port = schemes[out->scheme].port;
    if (port.text != NULL) {
        status = parse_port(port, &out->port);
    }
    if (status != NATS_OK) {
        return status;
    }
    out->host = copy_text(host.text, host.len);
    return out->host == NULL ? fail_memory() : NATS_OK;
}

/* ---- the whole ---- */

static nats_status make_text(nats__url *url)
{
    char port[NATS__DECIMAL_MAX];
    size_t port_len = nats__decimal_write(port, url->port);
    bool ipv6 = strchr(url->host, ':') != NULL;
    nats__buf text = {0};
    bool ok = nats__buf_append_text(&text, nats__scheme_name(url->scheme)) &&
              nats__buf_append_text(&text, ipv6 ? "://[" : "://") &&
              nats__buf_append_text(&text, url->host) &&
              nats__buf_append_text(&text, ipv6 ? "]:" : ":") &&
              nats__buf_append(&text, port, port_len) && nats__buf_append(&text, "", 1);
    if (!ok) {
        nats__buf_free(&text);
        return fail_memory();
    }
    url->text = (char *)text.data;
    return NATS_OK;
}

static nats_status parse_parts(span rest, nats__url *out)
{
    nats_status status = take_scheme(&rest, &out->scheme);
    if (status == NATS_OK) {
        status = take_path(&rest, out);
    }
    if (status == NATS_OK) {
        status = take_credentials(&rest, out);
    }
    if (status == NATS_OK) {
        status = parse_host(rest, out);
    }
    return status == NATS_OK ? make_text(out) : status;
}

nats_status nats__url_parse(const char *text, size_t len, nats__url *out)
{
    *out = (nats__url){0};
    span url = {text, len, 0};
    nats_status status = check_bytes(url);
    if (status == NATS_OK) {
        status = parse_parts(url, out);
    }
    if (status != NATS_OK) {
        nats__url_free(out);
    }
    return status;
}

void nats__url_free(nats__url *url)
{
    nats__secret_free(url->user);
    nats__secret_free(url->password);
    free(url->host);
    nats__secret_free(url->path);
    free(url->text);
    *url = (nats__url){0};
}

bool nats__url_same(const nats__url *a, const nats__url *b)
{
    size_t len = strlen(a->host);
    bool websocket = nats__scheme_is_websocket(a->scheme);
    return websocket == nats__scheme_is_websocket(b->scheme) && a->port == b->port &&
           strlen(b->host) == len && equal_ignoring_case(a->host, b->host, len);
}

static bool is_list_blank(char c)
{
    return c == ' ' || c == '\t';
}

bool nats__url_list_next(const char *list, size_t *cursor, const char **text_out, size_t *len_out)
{
    size_t at = *cursor;
    while (list[at] == ',' || is_list_blank(list[at])) {
        at++;
    }
    size_t end = at;
    while (list[end] != '\0' && list[end] != ',') {
        end++;
    }
    *cursor = end;
    *text_out = list + at;
    while (end > at && is_list_blank(list[end - 1])) {
        end--;
    }
    *len_out = end - at;
    return end > at;
}
