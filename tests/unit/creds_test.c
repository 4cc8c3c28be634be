#include "unit.h"

#include "crypto/creds.h"

/* RFC 8032's first test key, and the pair that NATS' own documentation shows. */
#define SEED "SUAJ2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YALCA"
#define PUBLIC "UDLVVGABQKYQVN6VJP7NHSLEA45A5YLS6PNKMIZFV4BBU2HXA5IRUVAL"
#define SEED_NATS "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
#define PUBLIC_NATS "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
#define SEED_ACCOUNT "SAAJ2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YHY3Q"
#define JWT "eyJ0eXAiOiJKV1QifQ.eyJqdGkiOiJYIn0.c2ln-_"
#define BEGIN_JWT "-----BEGIN NATS USER JWT-----\n"
#define END_JWT "------END NATS USER JWT------\n"
#define BEGIN_SEED "-----BEGIN USER NKEY SEED-----\n"
#define END_SEED "------END USER NKEY SEED------\n"
#define CREDS \
    BEGIN_JWT JWT "\n" END_JWT "\n*** IMPORTANT ***\nNKEYs are secrets.\n\n" BEGIN_SEED SEED \
                  "\n" END_SEED

static const uint8_t signature_of_nonce[] = {
    0x49, 0x14, 0xa4, 0x22, 0x2e, 0xd4, 0xac, 0x16, 0x1c, 0x64, 0x71, 0xbc, 0xe9,
    0x13, 0xe7, 0x7c, 0xbb, 0x57, 0x6c, 0xc6, 0xac, 0xe6, 0x6e, 0xb0, 0xe2, 0x45,
    0xf4, 0xee, 0x8e, 0xfd, 0xa5, 0xe0, 0x00, 0xf1, 0xdb, 0xb2, 0x86, 0xce, 0x13,
    0xf2, 0xf1, 0x05, 0x00, 0x22, 0xad, 0xfe, 0x8c, 0x9f, 0x7f, 0x80, 0x84, 0x09,
    0xcc, 0xa2, 0x00, 0x37, 0xfd, 0xad, 0xfb, 0x9f, 0x4d, 0x13, 0x0d, 0x05,
};

static void a_seed_gives_its_public_key(void **state)
{
    (void)state;
    nats__nkey key;
    assert_int_equal(nats__nkey_parse(BYTES(SEED), &key), NATS_OK);
    assert_string_equal(key.public_key, PUBLIC);
    assert_int_equal(nats__nkey_parse(BYTES(SEED_NATS), &key), NATS_OK);
    assert_string_equal(key.public_key, PUBLIC_NATS);
    nats__nkey_wipe(&key);
    assert_string_equal(key.public_key, "");
}

static void a_nonce_is_signed(void **state)
{
    (void)state;
    nats__nkey key;
    uint8_t signature[NATS__ED25519_SIGNATURE];
    assert_int_equal(nats__nkey_parse(BYTES(SEED), &key), NATS_OK);
    assert_int_equal(nats__nkey_sign(&key, BYTES("nonce"), signature), NATS_OK);
    assert_memory_equal(signature, signature_of_nonce, sizeof signature);
}

static void bad_seeds_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *seed;
        const char *text;
    } cases[] = {
        {"", "nkey: a seed has 58 characters, not 0"},
        {"SUAJ2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YALC",
         "nkey: a seed has 58 characters, not 57"},
        {"SUAJ2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YALC1",
         "nkey: character 58 of the seed is not of base32"},
        {"SUaJ2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YALCA",
         "nkey: character 3 of the seed is not of base32"},
        {"SUAJ2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YALCB",
         "nkey: character 58 of the seed is not of base32"},
        {"SUAK2YNRTXX72WTAXKCEV5ES5QWMIRCJYVUXWMTJDFYDXLADDSXH6YALCA",
         "nkey: the check sum of the seed is wrong: it was mistyped or cut"},
        {SEED_ACCOUNT, "nkey: this is not the seed of a user (SU…)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__nkey key;
        size_t len = strlen(cases[i].seed);
        char *seed = tight_copy(cases[i].seed, len);
        assert_failed(nats__nkey_parse(seed, len, &key), NATS_ERR_INVALID, cases[i].text);
        assert_string_equal(key.public_key, "");
        free(seed);
    }
}

static nats_status parse(const char *text, nats__creds *out)
{
    size_t len = strlen(text);
    char *copy = tight_copy(text, len);
    nats_status status = nats__creds_parse(copy, len, out);
    free(copy);
    return status;
}

static void creds_have_both_parts(void **state)
{
    (void)state;
    static const char *const texts[] = {
        CREDS,
        BEGIN_SEED SEED "\n" END_SEED BEGIN_JWT JWT "\n" END_JWT,
        "-----BEGIN NATS USER JWT-----\r\n\r\n  " JWT "  \r\n------END NATS USER JWT------\r\n"
        "-----BEGIN USER NKEY SEED-----\r\n" SEED "\r\n---END USER NKEY SEED---",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        nats__creds creds;
        assert_int_equal(parse(texts[i], &creds), NATS_OK);
        assert_string_equal(creds.jwt, JWT);
        assert_true(creds.has_key);
        assert_string_equal(creds.key.public_key, PUBLIC);
        nats__creds_clear(&creds);
        assert_null(creds.jwt);
    }
}

static void bad_creds_are_refused_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *creds;
        const char *text;
    } cases[] = {
        {"", "creds: there is no JWT (-----BEGIN NATS USER JWT-----)"},
        {BEGIN_JWT JWT "\n" END_JWT, "creds: there is no seed (-----BEGIN USER NKEY SEED-----)"},
        {"\n" BEGIN_JWT "not a jwt\n" END_JWT, "creds: line 3: this is not a JWT"},
        {BEGIN_JWT END_JWT, "creds: line 1: the block that begins here is empty"},
        {BEGIN_JWT JWT, "creds: line 1: the block that begins here does not end"},
        {BEGIN_JWT JWT "\n" JWT "\n" END_JWT,
         "creds: line 1: the block that begins here does not end"},
        {BEGIN_JWT JWT "\n" END_JWT BEGIN_JWT JWT "\n" END_JWT,
         "creds: line 4: a second block of the same kind begins here"},
        {"-----BEGIN CERTIFICATE-----\n",
         "creds: line 1: a block of neither a JWT nor a seed begins here"},
        {BEGIN_SEED SEED_ACCOUNT "\n" END_SEED,
         "creds: line 2: nkey: this is not the seed of a user (SU…)"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__creds creds;
        assert_failed(parse(cases[i].creds, &creds), NATS_ERR_INVALID, cases[i].text);
        assert_null(creds.jwt);
        assert_false(creds.has_key);
    }
}

static void a_seed_alone_is_no_creds(void **state)
{
    (void)state;
    nats__creds creds;
    assert_failed(parse(BEGIN_SEED SEED "\n" END_SEED, &creds), NATS_ERR_INVALID,
                  "creds: there is no JWT (-----BEGIN NATS USER JWT-----)");
    assert_false(creds.has_key);
}

static void a_seed_is_read_with_and_without_its_block(void **state)
{
    (void)state;
    static const char *const texts[] = {SEED, SEED "\n", " " SEED "\r\n",
                                        BEGIN_SEED SEED "\n" END_SEED, CREDS};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        nats__creds creds;
        assert_int_equal(nats__creds_parse_seed(texts[i], strlen(texts[i]), &creds), NATS_OK);
        assert_string_equal(creds.key.public_key, PUBLIC);
        nats__creds_clear(&creds);
    }
}

static void a_jwt_is_read_with_and_without_its_block(void **state)
{
    (void)state;
    static const char *const texts[] = {JWT, JWT "\n", BEGIN_JWT JWT "\n" END_JWT};
    nats__creds creds;
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        assert_int_equal(nats__creds_parse_jwt(texts[i], strlen(texts[i]), &creds), NATS_OK);
        assert_string_equal(creds.jwt, JWT);
        nats__creds_clear(&creds);
    }
    assert_failed(nats__creds_parse_jwt(BYTES("a.b"), &creds), NATS_ERR_INVALID,
                  "jwt: line 1: this is not a JWT");
    assert_false(nats__creds_looks_like_jwt(BYTES("a..b")));
    assert_false(nats__creds_looks_like_jwt(BYTES("/etc/a.b.c")));
}

static void a_jwt_is_read_out_of_creds(void **state)
{
    (void)state;
    nats__creds creds;
    assert_int_equal(nats__creds_parse_jwt(BYTES(CREDS), &creds), NATS_OK);
    assert_string_equal(creds.jwt, JWT);
    nats__creds_clear(&creds);
}

/* Nothing is kept of what cannot be used, the JWT before the seed included. */
static void seeds_need_openssl(void **state)
{
    (void)state;
    static const char why[] = "this build of polynats has no OpenSSL, and signs nothing";
    nats__nkey key;
    nats__creds creds;
    assert_failed(nats__nkey_parse(BYTES(SEED), &key), NATS_ERR_NOT_SUPPORTED, why);
    assert_string_equal(key.public_key, "");
    assert_failed(nats__creds_parse_seed(BYTES(SEED), &creds), NATS_ERR_NOT_SUPPORTED, why);
    assert_false(creds.has_key);
    assert_failed(parse(CREDS, &creds), NATS_ERR_NOT_SUPPORTED, why);
    assert_null(creds.jwt);
    assert_false(creds.has_key);
}

int main(void)
{
    const struct CMUnitTest everywhere[] = {
        cmocka_unit_test(bad_seeds_are_refused),
        cmocka_unit_test(bad_creds_are_refused_by_line),
        cmocka_unit_test(a_jwt_is_read_with_and_without_its_block),
    };
    const struct CMUnitTest with_openssl[] = {
        cmocka_unit_test(a_seed_gives_its_public_key),
        cmocka_unit_test(a_nonce_is_signed),
        cmocka_unit_test(creds_have_both_parts),
        cmocka_unit_test(a_seed_alone_is_no_creds),
        cmocka_unit_test(a_seed_is_read_with_and_without_its_block),
        cmocka_unit_test(a_jwt_is_read_out_of_creds),
    };
    const struct CMUnitTest without_openssl[] = {cmocka_unit_test(seeds_need_openssl)};
    int failed = cmocka_run_group_tests(everywhere, NULL, NULL);
    failed += WITH_OPENSSL ? cmocka_run_group_tests(with_openssl, NULL, NULL)
                           : cmocka_run_group_tests(without_openssl, NULL, NULL);
    return failed;
}
