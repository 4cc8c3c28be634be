/* What a stream answers to a publish: read in place, and nothing taken for an answer that is none. */
#include "unit.h"

#include "jetstream/puback.h"

static nats__puback_kind read_all(const char *text, size_t len, nats__puback *ack)
{
    char *copy = tight_copy(text, len);
    nats__puback_kind kind = nats__puback_read(copy, len, ack);
    free(copy);
    return kind;
}

static nats__puback_kind kind_of(const char *text)
{
    nats__puback ack;
    return read_all(text, strlen(text), &ack);
}

static void the_usual_answer(void **state)
{
    (void)state;
    nats__puback ack;
    assert_int_equal(read_all(BYTES("{\"stream\":\"ORDERS\", \"seq\":17}"), &ack),
                     NATS__PUBACK_STORED);
    assert_int_equal(ack.seq, 17);
    assert_false(ack.duplicate);
    assert_int_equal(ack.stream.len, 6);
}

static void every_field(void **state)
{
    (void)state;
    static const char text[] =
        " {\"domain\":\"hub\",\"val\":\"-101\",\"duplicate\": true , \"batch\":\"b1\","
        "\n\"count\":3,\"stream\":\"S\",\"seq\":18446744073709551615}\r\n";
    nats__puback ack;
    assert_int_equal(nats__puback_read(BYTES(text), &ack), NATS__PUBACK_STORED);
    assert_true(ack.duplicate);
    assert_true(ack.seq == UINT64_MAX);
    assert_int_equal(ack.count, 3);
    assert_bytes(ack.batch.at, ack.batch.len, "b1", 2);
    assert_bytes(ack.stream.at, ack.stream.len, "S", 1);
}

static void an_error(void **state)
{
    (void)state;
    static const char text[] =
        "{\"error\":{\"code\":400,\"err_code\":10071,\"description\":"
        "\"wrong last sequence: \\\"5\\\" \\u00e4\\n\"},\"stream\":\"S\",\"seq\":0}";
    nats__puback ack;
    assert_int_equal(nats__puback_read(BYTES(text), &ack), NATS__PUBACK_ERROR);
    assert_int_equal(ack.code, 400);
    assert_int_equal(ack.err_code, 10071);
    nats_status status = nats__puback_fail(&ack, "a.b", "publish to a.b");
    assert_failed(status, NATS_ERR_SERVER,
                  "publish to a.b: wrong last sequence: \"5\" \xC3\xA4  (10071)");
    assert_string_equal(nats__error_get()->description, "wrong last sequence: \"5\" \xC3\xA4 ");
    assert_string_equal(nats__error_get()->about, "a.b");
    assert_int_equal(nats__error_get()->err_code, 10071);
    assert_int_equal(nats__error_get()->code, 400);
}

static void an_error_without_words(void **state)
{
    (void)state;
    nats__puback ack;
    assert_int_equal(nats__puback_read(BYTES("{\"error\":{}}"), &ack), NATS__PUBACK_ERROR);
    assert_failed(nats__puback_fail(&ack, NULL, "publish to a.b"), NATS_ERR_SERVER,
                  "publish to a.b: the server gave no description (0)");
    assert_int_equal(nats__error_get()->err_code, 0);
}

static void a_fast_ingest(void **state)
{
    (void)state;
    nats__puback ack;
    assert_int_equal(nats__puback_read(BYTES("{\"type\":\"ack\",\"seq\":0,\"msgs\":500}"), &ack),
                     NATS__PUBACK_FLOW);
    assert_int_equal(ack.msgs, 500);
    assert_int_equal(nats__puback_read(BYTES("{\"type\":\"gap\",\"last_seq\":3,\"seq\":9}"), &ack),
                     NATS__PUBACK_GAP);
    assert_int_equal(ack.last_seq, 3);
    assert_int_equal(ack.seq, 9);
    static const char flaw[] = "{\"type\":\"err\",\"seq\":4,\"error\":{\"code\":400,\"err_code\":1,"
                               "\"description\":\"x\"}}";
    assert_int_equal(nats__puback_read(BYTES(flaw), &ack), NATS__PUBACK_FLAW);
    assert_int_equal(ack.seq, 4);
    assert_int_equal(kind_of("{\"type\":\"ack\",\"seq\":1}"), NATS__PUBACK_NONE);
}

/* A server of tomorrow may say more. */
static void what_is_not_known_is_passed_over(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{\"stream\":\"S\",\"seq\":1,\"x\":[1,{\"a\":[]},\"]}\"],\"y\":-1.5e3,\"z\":null}",
        "{\"stream\":\"S\",\"se\\u0071\":1,\"w\":false}",
        "{\"x\":{},\"stream\":\"S\",\"seq\":1}",
        "{\"error\":null,\"stream\":\"S\",\"seq\":1}",
        "{\"stream\":\"\\u0053\",\"seq\":1}",
        "{\"seq\":\"1\",\"stream\":\"S\",\"seq\":1}", /* the last of a name counts */
        "{\"error\":{\"code\":1},\"error\":null,\"stream\":\"S\",\"seq\":1}",
        "{\"stream\":\"S\",\"seq\":1,\"x\":99999999999999999999.0}",
        "{\"stream\":\"S\xC3\xA4\",\"seq\":1}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        nats__puback ack;
        if (read_all(texts[i], strlen(texts[i]), &ack) != NATS__PUBACK_STORED || ack.seq != 1) {
            fail_msg("%s: kind %d", texts[i], (int)ack.kind);
        }
    }
}

static void what_is_no_answer(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "", " ", "null", "[]", "{}", "17", "\"x\"", "{", "}", "+ACK", "{\"stream\"", "not JSON",
        "{\"stream\":\"S\"}",
        "{\"seq\":1}",
        "{\"stream\":\"\",\"seq\":1}",
        "{\"stream\":7,\"seq\":1}",
        "{\"stream\":\"S\",\"seq\":\"1\"}",
        "{\"stream\":\"S\",\"seq\":-1}",
        "{\"stream\":\"S\",\"seq\":1.5}",
        "{\"stream\":\"S\",\"seq\":1e3}",
        "{\"stream\":\"S\",\"seq\":01}",
        "{\"stream\":\"S\",\"seq\":}",
        "{\"stream\":\"S\",\"seq\":18446744073709551616}",
        "{\"stream\":\"S\",\"seq\":99999999999999999999999999}",
        "{\"stream\":\"S\",\"seq\":1,}",
        "{\"stream\":\"S\",\"seq\":1}}",
        "{\"stream\":\"S\",\"seq\":1} x",
        "{\"stream\":\"S\" \"seq\":1}",
        "{\"stream\":\"S\",\"seq\":1,\"x\":[1,}",
        "{\"stream\":\"S\",\"seq\":1,\"x\":[1,]}",
        "{\"stream\":\"S\",\"seq\":1,\"x\":tru}",
        "{\"stream\":\"S\",\"seq\":1,\"x\":99999999999999999999}",
        "{\"stream\":\"S\\q\",\"seq\":1}",
        "{\"stream\":\"S\xFF\",\"seq\":1}",
        "{\"stream\":\"S\n\",\"seq\":1}",
        "{\"stream\":\"S\",\"seq\":1,\"x\":\"\\",
        "{\"error\":{\"code\":400,\"stream\":\"S\",\"seq\":1}",
    };
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        if (kind_of(texts[i]) != NATS__PUBACK_NONE) {
            fail_msg("%s: is an answer", texts[i]);
        }
    }
}

/* Cut anywhere, it is none. */
static void a_part_is_no_answer(void **state)
{
    (void)state;
    static const char text[] = "{\"stream\":\"S\",\"seq\":12,\"x\":[\"\\\"\"],\"duplicate\":true}";
    for (size_t len = 0; len < sizeof text - 1; len++) {
        nats__puback ack;
        assert_int_equal(read_all(text, len, &ack), NATS__PUBACK_NONE);
    }
}

static void a_long_text_is_cut(void **state)
{
    (void)state;
    char out[8];
    nats__puback_text((nats__raw_text){BYTES("abcdefghij")}, out, sizeof out);
    assert_string_equal(out, "abcdefg");
    nats__puback_text((nats__raw_text){BYTES("abcdef\\u20ac")}, out, sizeof out);
    assert_string_equal(out, "abcdef");
    nats__puback_text((nats__raw_text){BYTES("\\ud83d\\ude00\\")}, out, sizeof out);
    assert_string_equal(out, "??\\");
    nats__puback_text((nats__raw_text){NULL, 0}, out, sizeof out);
    assert_string_equal(out, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_usual_answer),
        cmocka_unit_test(every_field),
        cmocka_unit_test(an_error),
        cmocka_unit_test(an_error_without_words),
        cmocka_unit_test(a_fast_ingest),
        cmocka_unit_test(what_is_not_known_is_passed_over),
        cmocka_unit_test(what_is_no_answer),
        cmocka_unit_test(a_part_is_no_answer),
        cmocka_unit_test(a_long_text_is_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
