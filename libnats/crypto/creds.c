#include "crypto/creds.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/wipe.h"

enum { DASHES = 3 }; /* at both ends of a line, at least, make it a marker */

static const char begin_word[] = "-----BEGIN";

typedef struct line {
    const char *text; /* without blanks around it */
    size_t len;
    size_t number; /* from 1 */
} line;

typedef struct cursor {
    const char *at;
    const char *end;
    size_t number;
} cursor;

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static void trim(const char **text, size_t *len)
{
    while (*len > 0 && is_blank((*text)[0])) {
        (*text)++;
        (*len)--;
    }
    while (*len > 0 && is_blank((*text)[*len - 1])) {
        (*len)--;
    }
}

/* The next line that is not empty. */
static bool next_line(cursor *cur, line *out)
{
    while (cur->at < cur->end) {
        const char *stop = memchr(cur->at, '\n', (size_t)(cur->end - cur->at));
        stop = stop != NULL ? stop : cur->end;
        *out = (line){cur->at, (size_t)(stop - cur->at), ++cur->number};
        cur->at = stop < cur->end ? stop + 1 : stop;
        trim(&out->text, &out->len);
        if (out->len > 0) {
            return true;
        }
    }
    return false;
}

static bool has_word(const line *one, const char *word)
{
    return memmem(one->text, one->len, word, strlen(word)) != NULL;
}

static bool is_marker(const line *one)
{
    const char *last = one->text + one->len - DASHES;
    return one->len > (size_t)2 * DASHES && memcmp(one->text, "---", DASHES) == 0 &&
           memcmp(last, "---", DASHES) == 0;
}

static bool is_begin(const line *one)
{
    return is_marker(one) && has_word(one, "BEGIN");
}

static nats_status refuse(const char *about, size_t number, const char *why)
{
    return nats__fail(NATS_ERR_INVALID, about, "%s: line %zu: %s", about, number, why);
}

static nats_status refuse_whole(const char *about, const char *why)
{
    return nats__fail(NATS_ERR_INVALID, about, "%s: %s", about, why);
}

/* ---- JWTs ---- */

static bool is_base64url(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '_';
}

bool nats__creds_looks_like_jwt(const char *text, size_t len)
{
    size_t dots = 0;
    size_t part = 0;
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '.' && part > 0) {
            dots++;
            part = 0;
        } else if (is_base64url(text[i])) {
            part++;
        } else {
            return false;
        }
    }
    return dots == 2 && part > 0;
}

static nats_status put_jwt(const line *one, const char *about, nats__creds *out)
{
    if (!nats__creds_looks_like_jwt(one->text, one->len)) {
        return refuse(about, one->number, "this is not a JWT");
    }
    out->jwt = strndup(one->text, one->len);
    return out->jwt != NULL ? NATS_OK : nats__fail(NATS_ERR_NO_MEMORY, about, "out of memory");
}

/* ---- blocks ---- */

static nats_status put_seed(const line *one, const char *about, nats__creds *out)
{
    nats_status status = nats__nkey_parse(one->text, one->len, &out->key);
    out->has_key = status == NATS_OK;
    if (status != NATS_ERR_INVALID) {
        return status;
    }
    char why[NATS__ERROR_TEXT_MAX];
    const char *text = nats__error_get()->text;
    size_t len = strlen(text);
    memcpy(why, text, len + 1);
    return refuse(about, one->number, why);
}

/* The line between two markers, of which the first has been read. */
static nats_status read_block(cursor *cur, const line *begin, const char *about, nats__creds *out)
{
    line value;
    line end;
    bool jwt = has_word(begin, "JWT");
    if (!jwt && !has_word(begin, "SEED")) {
        return refuse(about, begin->number, "a block of neither a JWT nor a seed begins here");
    }
    if (jwt ? out->jwt != NULL : out->has_key) {
        return refuse(about, begin->number, "a second block of the same kind begins here");
    }
    if (!next_line(cur, &value) || is_marker(&value)) {
        return refuse(about, begin->number, "the block that begins here is empty");
    }
    nats_status status = jwt ? put_jwt(&value, about, out) : put_seed(&value, about, out);
    if (status != NATS_OK) {
        return status;
    }
    if (!next_line(cur, &end) || !is_marker(&end) || !has_word(&end, "END")) {
        return refuse(about, begin->number, "the block that begins here does not end");
    }
    return NATS_OK;
}

/* All blocks; what stands between them is for people. */
static nats_status read_blocks(const char *text, size_t len, const char *about, nats__creds *out)
{
    cursor cur = {text, text + len, 0};
    line one;
    nats_status status = NATS_OK;
    while (status == NATS_OK && next_line(&cur, &one)) {
        if (is_begin(&one)) {
            status = read_block(&cur, &one, about, out);
        }
    }
    return status;
}

static nats_status finish(nats_status status, nats__creds *out)
{
    if (status != NATS_OK) {
        nats__creds_clear(out);
    }
    return status;
}

bool nats__creds_is_text(const char *text, size_t len)
{
    return memmem(text, len, begin_word, sizeof begin_word - 1) != NULL;
}

nats_status nats__creds_parse(const char *text, size_t len, nats__creds *out)
{
    *out = (nats__creds){0};
    nats_status status = read_blocks(text, len, "creds", out);
    if (status == NATS_OK && out->jwt == NULL) {
        status = refuse_whole("creds", "there is no JWT (-----BEGIN NATS USER JWT-----)");
    } else if (status == NATS_OK && !out->has_key) {
        status = refuse_whole("creds", "there is no seed (-----BEGIN USER NKEY SEED-----)");
    }
    return finish(status, out);
}

nats_status nats__creds_parse_seed(const char *text, size_t len, nats__creds *out)
{
    *out = (nats__creds){0};
    if (!nats__creds_is_text(text, len)) {
        trim(&text, &len);
        nats_status status = nats__nkey_parse(text, len, &out->key);
        out->has_key = status == NATS_OK;
        return finish(status, out);
    }
    nats_status status = read_blocks(text, len, "nkey", out);
    if (status == NATS_OK && !out->has_key) {
        status = refuse_whole("nkey", "there is no seed (-----BEGIN USER NKEY SEED-----)");
    }
    return finish(status, out);
}

nats_status nats__creds_parse_jwt(const char *text, size_t len, nats__creds *out)
{
    *out = (nats__creds){0};
    if (nats__creds_is_text(text, len)) {
        nats_status status = read_blocks(text, len, "jwt", out);
        if (status == NATS_OK && out->jwt == NULL) {
            status = refuse_whole("jwt", "there is no JWT (-----BEGIN NATS USER JWT-----)");
        }
        return finish(status, out);
    }
    trim(&text, &len);
    return finish(put_jwt(&(line){text, len, 1}, "jwt", out), out);
}

void nats__creds_clear(nats__creds *creds)
{
    if (creds->jwt != NULL) {
        nats__wipe(creds->jwt, strlen(creds->jwt));
    }
    free(creds->jwt);
    nats__nkey_wipe(&creds->key);
    *creds = (nats__creds){0};
}
