/* URLs: refused as INVALID without a word of the credentials, or whole, and the same when read
 * again. */
#include "base/error.h"
#include "base/utf8.h"
#include "check.h"
#include "proto/url.h"

/* The corpus has this word in the place of passwords. */
static const char secret[] = "hunter2";

static bool has_secret(const char *text)
{
    return strstr(text, secret) != NULL;
}

static void check_text(const char *text)
{
    size_t len = text == NULL ? 0 : strlen(text);
    CHECK(nats__utf8_check(text == NULL ? "" : text, len) == len);
}

static void check_same_again(const nats__url *url)
{
    nats__url again;
    CHECK(nats__url_parse(url->text, strlen(url->text), &again) == NATS_OK);
    CHECK(again.user == NULL && again.password == NULL && again.path == NULL);
    CHECK(again.scheme == url->scheme && again.port == url->port);
    CHECK(strcmp(again.host, url->host) == 0);
    CHECK(strcmp(again.text, url->text) == 0);
    CHECK(nats__url_same(&again, url) && nats__url_same(url, &again));
    nats__url_free(&again);
}

static void check_url(const char *text, size_t len)
{
    nats__url url;
    nats_status status = nats__url_parse(text, len, &url);
    if (status != NATS_OK) {
        CHECK(status == NATS_ERR_INVALID);
        CHECK(url.host == NULL && url.user == NULL && url.password == NULL);
        CHECK(url.path == NULL && url.text == NULL);
        bool credentials = len > 0 && memchr(text, '@', len) != NULL;
        CHECK(!credentials || !has_secret(nats__error_get()->text));
        return;
    }
    CHECK(url.port > 0 && url.host[0] != '\0');
    CHECK(strpbrk(url.host, " \t\r\n/@,[]") == NULL);
    CHECK(url.password == NULL || url.user != NULL);
    CHECK(url.user == NULL || strpbrk(url.user, "\r\n") == NULL);
    CHECK(url.password == NULL || strpbrk(url.password, "\r\n") == NULL);
    check_text(url.user);
    check_text(url.password);
    check_same_again(&url);
    nats__url_free(&url);
    CHECK(url.host == NULL && url.user == NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_url((const char *)data, size);

    char *list = malloc(size + 1);
    CHECK(list != NULL);
    memcpy(list, data, size);
    list[size] = '\0';
    size_t len = strlen(list);
    size_t cursor = 0;
    size_t last = 0;
    const char *entry;
    size_t entry_len;
    while (nats__url_list_next(list, &cursor, &entry, &entry_len)) {
        CHECK(cursor > last && cursor <= len);
        CHECK(entry_len > 0 && is_within(entry, entry_len, list, len));
        CHECK(memchr(entry, ',', entry_len) == NULL);
        check_url(entry, entry_len);
        last = cursor;
    }
    free(list);
    return 0;
}
