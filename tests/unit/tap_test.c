#include "unit.h"

#include <stdio.h>

#include "proto/tap.h"

#define ALL_MAX 4096

typedef struct heard {
    char all[ALL_MAX]; /* lines with '|' behind each */
    size_t len;
} heard;

static void hear(void *who, const char *line)
{
    heard *self = who;
    size_t len = strlen(line);
    assert_true(len <= NATS__TAP_LINE_MAX);
    assert_true(self->len + len + 2 < sizeof(self->all));
    memcpy(self->all + self->len, line, len);
    self->len += len;
    self->all[self->len++] = '|';
    self->all[self->len] = '\0';
}

/* In pieces of `step` bytes. */
static void feed(heard *self, const char *bytes, size_t len, size_t step)
{
    nats__tap tap;
    memset(&tap, 0, sizeof(tap));
    *self = (heard){.len = 0};
    for (size_t at = 0; at < len; at += step) {
        size_t n = len - at < step ? len - at : step;
        char *piece = tight_copy(bytes + at, n);
        nats__tap_feed(&tap, piece, n, hear, self);
        free(piece);
    }
}

static void check(const char *bytes, size_t len, const char *wanted)
{
    heard self;
    for (size_t step = 1; step <= len; step++) {
        feed(&self, bytes, len, step);
        assert_string_equal(self.all, wanted);
    }
}

static void lines_without_payloads(void **state)
{
    (void)state;
    check(BYTES("INFO {}\r\nPING\r\n+OK\r\n-ERR 'x'\r\n"), "INFO {}|PING|+OK|-ERR 'x'|");
    check(BYTES("MSG a 1 12\r\nPING\r\nPING\r\n\r\nPONG\r\n"), "MSG a 1 12|PONG|");
    check(BYTES("PUB a.12 0\r\n\r\nHPUB b r 12 14\r\nNATS/1.0\r\n\r\nxy\r\n"
                "SUB a q 1\r\nUNSUB 1 5\r\n"),
          "PUB a.12 0|HPUB b r 12 14|SUB a q 1|UNSUB 1 5|");
    check(BYTES("HMSG a 1 12 12\r\nNATS/1.0\r\n\r\n\r\nPING\n"), "HMSG a 1 12 12|PING|");
    /* As odd as the parser takes them. */
    check(BYTES("msg a 1 7\r\nsecret1\r\nPING\r\n"), "msg a 1 7|PING|");
    check(BYTES("MSG\ta\t1\t9\r\nSUB s 1\r\n\r\nPING\r\n"), "MSG?a?1?9|PING|");
    check(BYTES("hMsG a 1 12  19 \t\r\nNATS/1.0\r\n\r\nsecret1\r\nPING\r\n"),
          "hMsG a 1 12  19 ?|PING|");
    check(BYTES("MSG a 1  7  \nsecret1\r\nPING\r\n"), "MSG a 1  7  |PING|");
    check(BYTES("INFO {} 7 \r\nmsgs 7\r\nPING\r\n"), "INFO {} 7 |msgs 7|PING|");
}

static void secrets_are_named_only(void **state)
{
    (void)state;
    const char text[] = "CONNECT {\"verbose\":false,\"user\":\"me\",\"pass\":\"p\\\"},\\\\\","
                        "\"auth_token\":\"t\",\"jwt\":\"j\",\"nkey\":\"U\",\"sig\":\"s\",\"new\":1,"
                        "\"name\":\"n\",\"protocol\":1}\r\nPING\r\n";
    check(text, sizeof(text) - 1,
          "CONNECT {\"verbose\":false,\"user\":\"***\",\"pass\":\"***\",\"auth_token\":\"***\","
          "\"jwt\":\"***\",\"nkey\":\"***\",\"sig\":\"***\",\"new\":\"***\",\"name\":\"n\","
          "\"protocol\":1}|PING|");
    check(BYTES("CONNECT {}\r\n"), "CONNECT {}|");
    check(BYTES("CONNECT {\"pass\":\"never ends\r\n"), "CONNECT {...|");
    check(BYTES("CONNECT {\"pass\":secret\r\n"), "CONNECT {...|");
    check(BYTES("CONNECT {\"pass\" : \"secret\"}\r\n"), "CONNECT {...|");
    check(BYTES("CONNECT secret\r\n"), "CONNECT...|");
}

/* The secret is longer than what is kept of a line that comes in pieces. */
static void long_secrets(void **state)
{
    (void)state;
    enum { LONG = 3 * NATS__TAP_LINE_MAX };
    char text[LONG + 64];
    int len = snprintf(text, sizeof(text), "CONNECT {\"jwt\":\"%0*d\",\"lang\":\"c\"}\r\n",
                       LONG, 0);
    heard self;
    for (size_t step = 1; step <= (size_t)len; step += 7) {
        feed(&self, text, (size_t)len, step);
        assert_null(strstr(self.all, "00"));
        assert_memory_equal(self.all, "CONNECT {", 9);
    }
    feed(&self, text, (size_t)len, (size_t)len);
    assert_string_equal(self.all, "CONNECT {\"jwt\":\"***\",\"lang\":\"c\"}|");
}

static void long_lines_are_cut(void **state)
{
    (void)state;
    enum { LONG = 2000 };
    char text[LONG + 64];
    int len = snprintf(text, sizeof(text), "PUB %0*d 4\r\nPING\r\nPONG\r\n", LONG, 7);
    heard self;
    for (size_t step = 1; step <= (size_t)len; step += 13) {
        feed(&self, text, (size_t)len, step);
        assert_string_equal(self.all + NATS__TAP_LINE_MAX - 3, "...|PONG|");
    }
}

static void what_is_no_text_is_replaced(void **state)
{
    (void)state;
    check(BYTES("SUB a\xff\x01 1\r\n\r\n"), "SUB a?? 1|");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_without_payloads), cmocka_unit_test(secrets_are_named_only),
        cmocka_unit_test(long_secrets),           cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(what_is_no_text_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
