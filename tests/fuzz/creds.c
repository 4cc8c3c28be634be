/* Credentials: refused as INVALID without a word of what was given, or whole. */
#include "base/error.h"
#include "check.h"
#include "crypto/creds.h"

/* The corpus has this word in the place of secrets. */
static const char secret[] = "hunter2";

/* A good seed is of no use without OpenSSL. */
static bool is_refusal(nats_status status)
{
    return status == NATS_ERR_INVALID || (!WITH_OPENSSL && status == NATS_ERR_NOT_SUPPORTED);
}

static void check_creds(nats_status status, nats__creds *creds)
{
    if (status != NATS_OK) {
        CHECK(is_refusal(status));
        CHECK(creds->jwt == NULL && !creds->has_key && creds->key.public_key[0] == '\0');
        CHECK(strstr(nats__error_get()->text, secret) == NULL);
        return;
    }
    CHECK(creds->jwt == NULL || nats__creds_looks_like_jwt(creds->jwt, strlen(creds->jwt)));
    CHECK(!creds->has_key || strlen(creds->key.public_key) == NATS__NKEY_PUBLIC_LEN);
    CHECK(!creds->has_key || creds->key.public_key[0] == 'U');
    nats__creds_clear(creds);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *text = (const char *)data;
    nats__creds creds;
    check_creds(nats__creds_parse(text, size, &creds), &creds);
    check_creds(nats__creds_parse_seed(text, size, &creds), &creds);
    check_creds(nats__creds_parse_jwt(text, size, &creds), &creds);
    nats__nkey key;
    nats_status status = nats__nkey_parse(text, size, &key);
    CHECK(status != NATS_OK || nats__nkey_looks_like_seed(text, size));
    nats__nkey_wipe(&key);
    return 0;
}
