/* The sans-IO API: the steps that are the caller's, and what comes before the end. */
#include <string.h>

#include "unit.h"

#include <polynats/proto.h>

static const char seed[] = "thirty-two random bytes, or so..";
static const char info[] = "INFO {\"headers\":true,\"nonce\":\"abc\"}\r\n";

enum { NOW = 1000 };

static void feed(nats_proto *proto, const char *text)
{
    assert_int_equal(nats_proto_feed(proto, text, strlen(text), NOW), NATS_OK);
}

static void assert_next(nats_proto *proto, int32_t type)
{
    assert_int_equal(nats_proto_next_event(proto), type);
}

static nats_proto *dialled(void)
{
    nats_proto *proto;
    assert_int_equal(nats_proto_new("nats://a", NULL, seed, sizeof seed, &proto), NATS_OK);
    assert_int_equal(nats_proto_start(proto, NOW), NATS_OK);
    assert_next(proto, NATS_PROTO_DIAL);
    assert_int_equal(nats_proto_transport_up(proto, NOW), NATS_OK);
    return proto;
}

static nats_proto *connected(void)
{
    nats_proto *proto = dialled();
    feed(proto, info);
    assert_next(proto, 0);
    feed(proto, "PONG\r\n");
    assert_next(proto, NATS_PROTO_CONNECTED);
    return proto;
}

static void what_came_before_the_end_is_read_first(void **state)
{
    (void)state;
    nats_proto *proto = connected();
    assert_int_equal(nats_proto_subscribe(proto, "a", NATS_Z, NULL, 0, 0, 0, NULL), NATS_OK);
    feed(proto, "MSG a 1 2\r\nhi\r\nMSG a 1 2\r\nho\r\nMSG a 1 99\r\ncut");
    assert_int_equal(nats_proto_feed_eof(proto, NOW), NATS_OK);
    assert_int_equal(nats_proto_feed(proto, "+OK\r\n", 5, NOW), NATS_ERR_INVALID);
    assert_next(proto, NATS_PROTO_MSG);
    assert_next(proto, NATS_PROTO_MSG);
    assert_next(proto, NATS_PROTO_DISCONNECTED);
    assert_string_equal(nats_proto_event_text(proto), "the server closed the connection");
    nats_proto_free(proto);
}

static void an_error_before_the_end_tells_why(void **state)
{
    (void)state;
    nats_proto *proto = dialled();
    feed(proto, "-ERR 'Authorization Violation'\r\n");
    assert_int_equal(nats_proto_feed_eof(proto, NOW), NATS_OK);
    assert_next(proto, NATS_PROTO_ERROR);
    assert_int_equal(nats_proto_event_status(proto), NATS_ERR_AUTH);
    assert_next(proto, 0);
    assert_int_equal(nats_proto_state(proto), NATS_PROTO_STATE_WAITING);
    nats_proto_tick(proto, nats_proto_deadline_ns(proto));
    assert_next(proto, NATS_PROTO_DIAL);
    assert_int_equal(nats_proto_transport_up(proto, NOW), NATS_OK);
    feed(proto, info);
    nats_proto_free(proto);
}

static void the_end_of_a_connection_is_not_that_of_the_next(void **state)
{
    (void)state;
    nats_proto *proto = connected();
    feed(proto, "PING\r\n");
    assert_int_equal(nats_proto_feed_eof(proto, NOW), NATS_OK);
    assert_int_equal(nats_proto_reconnect(proto, NOW), NATS_OK);
    assert_next(proto, NATS_PROTO_DISCONNECTED);
    assert_next(proto, NATS_PROTO_DIAL);
    assert_next(proto, 0);
    assert_int_equal(nats_proto_state(proto), NATS_PROTO_STATE_DIALING);
    nats_proto_free(proto);
}

static void a_nonce_is_signed_when_that_is_expected(void **state)
{
    (void)state;
    nats_proto *proto = dialled();
    nats_proto_expect_signature(proto, 1);
    feed(proto, info);
    assert_next(proto, NATS_PROTO_SIGN_WANTED);
    assert_string_equal(nats_proto_event_text(proto), "abc");
    assert_int_equal(nats_proto_sign(proto, "sig", 3, "UKEY", NULL, NOW), NATS_OK);
    const void *data;
    size_t len;
    nats_proto_tx(proto, &data, &len);
    const char *wanted = "\"sig\":\"c2ln\",\"nkey\":\"UKEY\"";
    assert_non_null(memmem(data, len, wanted, strlen(wanted)));
    nats_proto_free(proto);
}

static void a_nonce_alone_is_not_signed(void **state)
{
    (void)state;
    nats_proto *proto = connected();
    nats_proto_free(proto);
}

/* PONG before the PING it answers was written: nothing is confirmed by it. */
static void a_pong_ahead_of_its_ping_confirms_nothing(void **state)
{
    (void)state;
    uint64_t token;
    nats_proto *proto = connected();
    const void *data;
    size_t len;
    for (nats_proto_tx(proto, &data, &len); len > 0; nats_proto_tx(proto, &data, &len)) {
        nats_proto_tx_done(proto, len, NOW);
    }
    assert_int_equal(nats_proto_publish(proto, "s", NATS_Z, NULL, 0, NULL, "x", 1), NATS_OK);
    assert_int_equal(nats_proto_ping(proto, NOW, &token), NATS_OK);
    feed(proto, "PONG\r\n");
    assert_next(proto, NATS_PROTO_PONG);
    assert_int_equal(nats_proto_feed_eof(proto, NOW), NATS_OK);
    assert_next(proto, NATS_PROTO_DISCONNECTED);
    assert_int_equal(nats_proto_event_lost(proto), 0);
    assert_int_equal(nats_proto_event_unconfirmed(proto), 0);
    nats_proto_free(proto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_came_before_the_end_is_read_first),
        cmocka_unit_test(an_error_before_the_end_tells_why),
        cmocka_unit_test(the_end_of_a_connection_is_not_that_of_the_next),
        cmocka_unit_test(a_nonce_is_signed_when_that_is_expected),
        cmocka_unit_test(a_nonce_alone_is_not_signed),
        cmocka_unit_test(a_pong_ahead_of_its_ping_confirms_nothing),
    };
    return cmocka_run_group_tests_name("proto_steps", tests, NULL, NULL);
}
