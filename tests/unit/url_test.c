#include "unit.h"

#include "proto/url.h"

static nats_status parse(const char *text, size_t len, nats__url *url)
{
    char *copy = tight_copy(text, len);
    nats_status status = nats__url_parse(copy, len, url);
    free(copy);
    return status;
}

static void assert_text(const char *text, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(text);
        return;
    }
    assert_non_null(text);
    assert_string_equal(text, wanted);
}

static void all_forms_are_read(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        const char *text;
        const char *user;
        const char *password;
        const char *path;
    } cases[] = {
        {"localhost", "nats://localhost:4222", NULL, NULL, NULL},
        {"localhost:4333", "nats://localhost:4333", NULL, NULL, NULL},
        {"127.0.0.1:1", "nats://127.0.0.1:1", NULL, NULL, NULL},
        {"h:65535", "nats://h:65535", NULL, NULL, NULL},
        {"h:04222", "nats://h:4222", NULL, NULL, NULL},
        {"nats://h", "nats://h:4222", NULL, NULL, NULL},
        {"NATS://h/", "nats://h:4222", NULL, NULL, NULL},
        {"tls://h", "tls://h:4222", NULL, NULL, NULL},
        {"ws://h", "ws://h:80", NULL, NULL, NULL},
        {"ws://h/", "ws://h:80", NULL, NULL, NULL},
        {"wss://h/nats?x=1", "wss://h:443", NULL, NULL, "/nats?x=1"},
        {"ws://joe:pw@h:8080/a/b", "ws://h:8080", "joe", "pw", "/a/b"},
        {"my_host.example.com.", "nats://my_host.example.com.:4222", NULL, NULL, NULL},
        {"joe:pw@h", "nats://h:4222", "joe", "pw", NULL},
        {"joe:@h", "nats://h:4222", "joe", "", NULL},
        {"s3cr3t@h", "nats://h:4222", "s3cr3t", NULL, NULL},
        {"nats://joe:p:w@h:4223", "nats://h:4223", "joe", "p:w", NULL},
        {"nats://joe:p@w@h", "nats://h:4222", "joe", "p@w", NULL},
        {"nats://j%40e:%70%2Fw%2c%25@h", "nats://h:4222", "j@e", "p/w,%", NULL},
        {"nats://caf%C3%A9:caf\xc3\xa9@h", "nats://h:4222", "caf\xc3\xa9", "caf\xc3\xa9", NULL},
        {"nats://a%20b@h", "nats://h:4222", "a b", NULL, NULL},
        {"[::1]", "nats://[::1]:4222", NULL, NULL, NULL},
        {"[::1]:4223", "nats://[::1]:4223", NULL, NULL, NULL},
        {"nats://joe:pw@[2001:db8::A:1]:4223", "nats://[2001:db8::A:1]:4223", "joe", "pw", NULL},
        {"[1:2:3:4:5:6:7:8]", "nats://[1:2:3:4:5:6:7:8]:4222", NULL, NULL, NULL},
        {"[::ffff:10.0.0.1]", "nats://[::ffff:10.0.0.1]:4222", NULL, NULL, NULL},
        {"[::]", "nats://[::]:4222", NULL, NULL, NULL},
        {"[1::]", "nats://[1::]:4222", NULL, NULL, NULL},
        {"[1:2:3:4:5:6:1.2.3.4]", "nats://[1:2:3:4:5:6:1.2.3.4]:4222", NULL, NULL, NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__url url;
        nats_status status = parse(cases[i].url, strlen(cases[i].url), &url);
        if (status != NATS_OK) {
            fail_msg("%s: %s", cases[i].url, nats__error_get()->text);
        }
        assert_text(url.text, cases[i].text);
        assert_text(url.user, cases[i].user);
        assert_text(url.password, cases[i].password);
        assert_text(url.path, cases[i].path);
        nats__url_free(&url);
        assert_null(url.host);
    }
}

static void host_and_port_come_apart(void **state)
{
    (void)state;
    nats__url url;
    assert_int_equal(parse(BYTES("wss://u:p@[::1]:81/x"), &url), NATS_OK);
    assert_int_equal(url.scheme, NATS__SCHEME_WSS);
    assert_string_equal(nats__scheme_name(url.scheme), "wss");
    assert_string_equal(url.host, "::1");
    assert_int_equal(url.port, 81);
    nats__url_free(&url);
}

static void bad_urls_are_refused_by_place(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        size_t len;
        const char *error;
    } cases[] = {
        {BYTES(""), "url: is empty"},
        {BYTES("nats://"), "url: host is missing at byte 7"},
        {BYTES("nats://:4222"), "url: host is missing at byte 7"},
        {BYTES("joe@"), "url: host is missing at byte 4"},
        {BYTES("http://h"),
         "url: unknown scheme http before '://': known are nats, tls, ws and wss"},
        {BYTES("http://u:p@h"),
         "url: unknown scheme before '://': known are nats, tls, ws and wss"},
        {BYTES("://h"), "url: unknown scheme before '://': known are nats, tls, ws and wss"},
        {BYTES("nats//h"), "url: after nats at byte 0 a '://' is missing"},
        {BYTES("TLS:/h"), "url: after tls at byte 0 a '://' is missing"},
        {BYTES("wss//u:p@h"), "url: after wss at byte 0 a '://' is missing"},
        {BYTES("h//x"), "url: nothing may follow host and port, but byte 1 does"},
        {BYTES("nats://h:"), "url: port is missing at byte 9"},
        {BYTES("nats://h:0"), "url: port at byte 9 is out of range: 1 to 65535"},
        {BYTES("nats://h:65536"), "url: port at byte 9 is out of range: 1 to 65535"},
        {BYTES("nats://h:99999999999999999999999"),
         "url: port at byte 9 is out of range: 1 to 65535"},
        {BYTES("nats://h:42x2"),
         "url: port at byte 9 is not a number (is the ':' part of a password, or of an IPv6 "
         "address without brackets?)"},
        {BYTES("nats://h:-1"),
         "url: port at byte 9 is not a number (is the ':' part of a password, or of an IPv6 "
         "address without brackets?)"},
        {BYTES("::1"), "url: host is missing at byte 0"},
        {BYTES("fe80::1"),
         "url: port at byte 5 is not a number (is the ':' part of a password, or of an IPv6 "
         "address without brackets?)"},
        {BYTES("[::1"), "url: the '[' at byte 0 is not closed"},
        {BYTES("[::1]x"), "url: byte 5: only ':' and a port may follow an address in brackets"},
        {BYTES("[]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[:]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[:::]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[1::2::3]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[1:2:3:4:5:6:7]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[1:2:3:4:5:6:7:8:9]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[1:2:3:4:5:6:7::8]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[12345::]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[::g]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[1:]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[::1.2.3]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[::1.2.3.256]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[::1.2.3.4.5]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[1.2.3.4]"), "url: what is in brackets at byte 1 is not an IPv6 address"},
        {BYTES("[fe80::1%25eth0]:4222"),
         "url: the address at byte 1 has a zone id, which is not supported"},
        {BYTES("[fe80::1%eth0]:4222"),
         "url: the address at byte 1 has a zone id, which is not supported"},
        {BYTES("nats://h ost"), "url: byte 8 (0x20) is a blank"},
        {BYTES("nats://h\tost"), "url: byte 8 (0x09) is a blank"},
        {BYTES("h\r\nPUB x 0"), "url: byte 1 (0x0d) is a control character"},
        {BYTES("h\n"), "url: byte 1 (0x0a) is a control character"},
        {BYTES("h\0.evil.com"), "url: byte 1 (0x00) is a control character"},
        {BYTES("h\x7f"), "url: byte 1 (0x7f) is a control character"},
        {BYTES("u:\xff@h"), "url: byte 2 is not valid UTF-8"},
        {BYTES("h\xc3\xb6st"), "url: byte 1 (0xc3) cannot be in a host name"},
        {BYTES("a..b"), "url: host has an empty part at byte 2"},
        {BYTES(".b"), "url: host has an empty part at byte 0"},
        {BYTES("a*b"), "url: byte 1 (0x2a) cannot be in a host name"},
        {BYTES("nats://h/path"), "url: nothing may follow host and port, but byte 8 does"},
        {BYTES("nats://h?x=1"), "url: nothing may follow host and port, but byte 8 does"},
        {BYTES("tls://h#x"), "url: nothing may follow host and port, but byte 7 does"},
        {BYTES("ws://h?x"), "url: the path at byte 6 must begin with '/' and have no '#'"},
        {BYTES("ws://h/x#y"), "url: the path at byte 6 must begin with '/' and have no '#'"},
        {BYTES("@h"), "url: user or token is missing at byte 0"},
        {BYTES("nats://:pw@h"), "url: user or token is missing at byte 7"},
        {BYTES("u:p%4@h"), "url: the '%' at byte 3 is not followed by two hexadecimal digits"},
        {BYTES("u%zz:p@h"), "url: the '%' at byte 1 is not followed by two hexadecimal digits"},
        {BYTES("u:p%@h"), "url: the '%' at byte 3 is not followed by two hexadecimal digits"},
        {BYTES("u:p%00@h"), "url: byte 3 is an encoded control character"},
        {BYTES("u:p%0d%0a@h"), "url: byte 3 is an encoded control character"},
        {BYTES("u:%ff@h"), "url: what begins at byte 2 is, decoded, not valid UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__url url;
        nats__url zeroed;
        memset(&url, 0x55, sizeof url);
        memset(&zeroed, 0, sizeof zeroed);
        forget_error();
        nats_status status = parse(cases[i].url, cases[i].len, &url);
        assert_failed(status, NATS_ERR_INVALID, cases[i].error);
        assert_string_equal(nats_last_about(), "url");
        assert_null(url.host);
        assert_null(url.user);
        assert_null(url.password);
        assert_null(url.text);
        assert_null(url.path);
    }
}

static void lengths_are_limited(void **state)
{
    (void)state;
    char text[NATS__URL_MAX + 1];
    nats__url url;
    memset(text, 'h', sizeof text);
    assert_failed(parse(text, sizeof text, &url), NATS_ERR_INVALID,
                  "url: 2049 bytes, at most 2048");
    assert_failed(parse(text, 254, &url), NATS_ERR_INVALID,
                  "url: host at byte 0 has 254 bytes, at most 253");
    assert_int_equal(parse(text, 253, &url), NATS_OK);
    nats__url_free(&url);
}

static void errors_do_not_repeat_credentials(void **state)
{
    (void)state;
    /* Each has the word hunter2 where a careless author puts a password. */
    static const char *const urls[] = {
        "nats://joe:hunter2@",
        "nats://joe:hunter2@h:x",
        "nats://joe:hunter2@h:99999",
        "nats://joe:hunter2@[::1",
        "nats://joe:hunter2@h o",
        "nats://joe:hunter2@h/x",
        "nats://joe:hunter2/x@h",
        "nats://joe:hunter2?x@h",
        "nats://joe:hunter2#x@h",
        "nats://joe:#hunter2@h",
        "ws://joe:12/hunter2@h",
        "nats://joe:hunter2%@h",
        "nats://joe:hunter2%0a@h",
        "nats://joe:hunter2%ff@h",
        "nats://joe:hunter2",
        "hunter2://x@h",
        "joe:hunter2://@h",
        "http://joe:hunter2@h",
        "nats://hunter2\x01@h",
    };
    for (size_t i = 0; i < COUNT_OF(urls); i++) {
        nats__url url;
        forget_error();
        assert_int_equal(parse(urls[i], strlen(urls[i]), &url), NATS_ERR_INVALID);
        assert_null(strstr(nats__error_get()->text, "hunter"));
        assert_null(strstr(nats__error_get()->about, "hunter"));
    }
}

static void the_text_for_people_has_no_credentials(void **state)
{
    (void)state;
    nats__url url;
    assert_int_equal(parse(BYTES("nats://joe:hunter2@h:1"), &url), NATS_OK);
    assert_null(strstr(url.text, "joe"));
    assert_null(strstr(url.text, "hunter2"));
    nats__url_free(&url);
}

static void the_same_server_is_known_in_other_words(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        bool same;
    } cases[] = {
        {"h", "nats://joe:pw@H:4222", true}, {"nats://h", "tls://h", true},
        {"ws://h:1", "wss://h:1", true},     {"ws://h:1", "nats://h:1", false},
        {"h:1", "h:2", false},               {"h", "hh", false},
        {"[::a]", "[::A]:4222", true},       {"h", "g", false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        nats__url a;
        nats__url b;
        assert_int_equal(parse(cases[i].a, strlen(cases[i].a), &a), NATS_OK);
        assert_int_equal(parse(cases[i].b, strlen(cases[i].b), &b), NATS_OK);
        assert_int_equal(nats__url_same(&a, &b), cases[i].same);
        assert_int_equal(nats__url_same(&b, &a), cases[i].same);
        nats__url_free(&a);
        nats__url_free(&b);
    }
}

static void lists_are_taken_apart_at_commas(void **state)
{
    (void)state;
    static const struct {
        const char *list;
        const char *entries; /* with '|' behind each */
    } cases[] = {
        {"", ""},
        {" ,, \t,", ""},
        {"a", "a|"},
        {"a,b:1,nats://c", "a|b:1|nats://c|"},
        {" a , b\t,,c ,", "a|b|c|"},
        {"a b, c", "a b|c|"}, /* a blank within is the parser's to refuse */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char entries[100] = "";
        size_t cursor = 0;
        const char *text;
        size_t len;
        while (nats__url_list_next(cases[i].list, &cursor, &text, &len)) {
            strncat(entries, text, len);
            strcat(entries, "|");
        }
        assert_string_equal(entries, cases[i].entries);
        assert_false(nats__url_list_next(cases[i].list, &cursor, &text, &len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_forms_are_read),
        cmocka_unit_test(host_and_port_come_apart),
        cmocka_unit_test(bad_urls_are_refused_by_place),
        cmocka_unit_test(lengths_are_limited),
        cmocka_unit_test(errors_do_not_repeat_credentials),
        cmocka_unit_test(the_text_for_people_has_no_credentials),
        cmocka_unit_test(the_same_server_is_known_in_other_words),
        cmocka_unit_test(lists_are_taken_apart_at_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
