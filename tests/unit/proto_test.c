/* The sans-IO API: its arguments, its bytes in and out, and that no publish is ever unaccounted for. */
#include <stdio.h>

#include "unit.h"

#include <polynats/proto.h>

#include "base/rng.h"
#include "proto/submap.h"

enum { SECOND = 1000000000 };

static const char seed[] = "thirty-two random bytes, or so..";
static const char info[] = "INFO {\"headers\":true,\"max_payload\":1000}\r\n";

typedef struct rig {
    nats_proto *proto;
    int64_t now;
} rig;

static nats_options *options_of(const char *name, const char *value)
{
    nats_options *options;
    assert_int_equal(nats_options_new(&options), NATS_OK);
    assert_int_equal(nats_options_set_bool(options, "no_randomize", 1), NATS_OK);
    if (name != NULL) {
        assert_int_equal(nats_options_set_text(options, name, value, NATS_Z), NATS_OK);
    }
    return options;
}

static rig begin_with(const char *urls, const char *name, const char *value)
{
    rig self = {.now = SECOND};
    nats_options *options = options_of(name, value);
    assert_int_equal(nats_proto_new(urls, options, seed, sizeof seed, &self.proto), NATS_OK);
    nats_options_free(options);
    return self;
}

static void feed(rig *self, const char *text)
{
    assert_int_equal(nats_proto_feed(self->proto, text, strlen(text), self->now), NATS_OK);
}

static void assert_next(rig *self, int32_t type)
{
    assert_int_equal(nats_proto_next_event(self->proto), type);
}

/* Take up to max bytes out; they are appended to out (which may be NULL). Returns how many. */
static size_t send_some(rig *self, size_t max, nats__buf *out)
{
    size_t sent = 0;
    while (sent < max) {
        const void *data;
        size_t len;
        nats_proto_tx(self->proto, &data, &len);
        if (len == 0) {
            break;
        }
        len = len < max - sent ? len : max - sent;
        if (out != NULL) {
            assert_true(nats__buf_append(out, data, len));
        }
        assert_int_equal(nats_proto_tx_done(self->proto, len, self->now), NATS_OK);
        sent += len;
    }
    return sent;
}

static void assert_sent(rig *self, const char *wanted)
{
    nats__buf out = {0};
    send_some(self, SIZE_MAX, &out);
    assert_bytes(out.data, out.len, wanted, strlen(wanted));
    nats__buf_free(&out);
}

/* From a DIAL that was taken to the event after the PONG. */
static void shake_hands(rig *self, int32_t wanted)
{
    assert_int_equal(nats_proto_transport_up(self->proto, self->now), NATS_OK);
    feed(self, info);
    assert_next(self, 0);
    send_some(self, SIZE_MAX, NULL);
    feed(self, "PONG\r\n");
    assert_next(self, wanted);
}

static rig connected(const char *name, const char *value)
{
    rig self = begin_with("nats://a,nats://b", name, value);
    assert_int_equal(nats_proto_start(self.proto, self.now), NATS_OK);
    assert_next(&self, NATS_PROTO_DIAL);
    shake_hands(&self, NATS_PROTO_CONNECTED);
    return self;
}

static nats_status publish(rig *self, const char *data)
{
    return nats_proto_publish(self->proto, "s", NATS_Z, NULL, 0, NULL, data, strlen(data));
}

/* ---- arguments ---- */

static void refuses_bad_beginnings(void **state)
{
    (void)state;
    nats_proto *proto = (nats_proto *)seed;
    assert_int_equal(nats_proto_new(NULL, NULL, NULL, 16, &proto), NATS_ERR_INVALID);
    assert_string_equal(nats__error_get()->about, "seed");
    assert_null(proto);
    assert_failed(nats_proto_new(NULL, NULL, seed, 15, &proto), NATS_ERR_INVALID,
                  "seed has 15 bytes, at least 16 are needed");
    assert_int_equal(nats_proto_new("nats://", NULL, seed, 16, &proto), NATS_ERR_INVALID);
    assert_null(proto);
    assert_int_equal(nats_proto_new(NULL, NULL, seed, 16, &proto), NATS_OK);
    assert_string_equal(nats_proto_server_at(proto, 0, NULL, NULL), "nats://127.0.0.1:4222");
    nats_proto_free(proto);
    nats_proto_free(NULL);
}

static void a_fresh_one_knows_nothing(void **state)
{
    (void)state;
    rig self = begin_with("nats://a", NULL, NULL);
    nats_info *server;
    const void *data;
    size_t len;
    assert_int_equal(nats_proto_state(self.proto), NATS_PROTO_STATE_IDLE);
    assert_string_equal(nats_proto_url(self.proto), "");
    assert_string_equal(nats_proto_host(self.proto), "");
    assert_string_equal(nats_proto_scheme(self.proto), "");
    assert_int_equal(nats_proto_port(self.proto), 0);
    assert_int_equal(nats_proto_server_info(self.proto, &server), NATS_ERR_DISCONNECTED);
    assert_null(server);
    assert_true(nats_proto_deadline_ns(self.proto) == INT64_MAX);
    assert_next(&self, 0);
    assert_string_equal(nats_proto_event_text(self.proto), "");
    assert_null(nats_proto_event_take_msg(self.proto));
    nats_proto_tx(self.proto, &data, &len);
    assert_int_equal(len, 0);
    assert_int_equal(nats_proto_reconnect(self.proto, self.now), NATS_ERR_INVALID);
    nats_proto_free(self.proto);
}

static void tells_where_to_dial(void **state)
{
    (void)state;
    rig self = begin_with("tls://ann:pw@[::1]:777", NULL, NULL);
    assert_int_equal(nats_proto_start(self.proto, self.now), NATS_OK);
    assert_next(&self, NATS_PROTO_DIAL);
    assert_string_equal(nats_proto_url(self.proto), "tls://[::1]:777");
    assert_string_equal(nats_proto_scheme(self.proto), "tls");
    assert_string_equal(nats_proto_host(self.proto), "::1");
    assert_int_equal(nats_proto_port(self.proto), 777);
    nats_proto_free(self.proto);
}

static void bytes_need_a_transport(void **state)
{
    (void)state;
    rig self = begin_with("nats://a", "reconnect_wait", "1s");
    void *space;
    size_t size;
    for (int step = 0; step < 3; step++) {
        assert_int_equal(nats_proto_feed(self.proto, "PING\r\n", 6, self.now), NATS_ERR_INVALID);
        assert_int_equal(nats_proto_commit(self.proto, 0, self.now), NATS_ERR_INVALID);
        assert_int_equal(nats_proto_reserve(self.proto, &space, &size), NATS_ERR_INVALID);
        assert_null(space);
        assert_int_equal(size, 0);
        if (step == 0) {
            assert_int_equal(nats_proto_feed_eof(self.proto, self.now), NATS_ERR_INVALID);
            assert_int_equal(nats_proto_start(self.proto, self.now), NATS_OK);
        } else if (step == 1) {
            assert_int_equal(nats_proto_transport_failed(self.proto, NATS_ERR_IO, NULL, self.now),
                             NATS_OK);
        }
    }
    nats_proto_free(self.proto);
}

typedef struct bad_publish {
    const char *subject;
    size_t subject_len;
    const char *reply;
    size_t reply_len;
    const char *about;
} bad_publish;

static const bad_publish bad_publishes[] = {
    {NULL, 0, NULL, 0, "subject"},
    {"", 0, NULL, 0, "subject"},
    {"a b", NATS_Z, NULL, 0, "subject"},
    {"a\r\nPING", NATS_Z, NULL, 0, "subject"},
    {"a\0b", 3, NULL, 0, "subject"},
    {"a.*", NATS_Z, NULL, 0, "subject"},
    {"a..b", NATS_Z, NULL, 0, "subject"},
    {"a", 1, "r\n", 2, "reply"},
    {"a", 1, "", 0, "reply"},
    {"a", 1, "r.>", 3, "reply"},
};

static void refuses_what_would_break_the_stream(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    for (size_t i = 0; i < COUNT_OF(bad_publishes); i++) {
        const bad_publish *bad = &bad_publishes[i];
        forget_error();
        assert_int_equal(nats_proto_publish(self.proto, bad->subject, bad->subject_len, bad->reply,
                                            bad->reply_len, NULL, "x", 1),
                         NATS_ERR_INVALID);
        assert_string_equal(nats__error_get()->about, bad->about);
    }
    uint64_t sid = 7;
    assert_int_equal(nats_proto_subscribe(self.proto, "a b", 3, NULL, 0, 0, 0, &sid),
                     NATS_ERR_INVALID);
    assert_int_equal(sid, 0);
    assert_int_equal(nats_proto_subscribe(self.proto, "a", 1, "q q", 3, 0, 0, NULL),
                     NATS_ERR_INVALID);
    assert_int_equal(nats_proto_subscribe(self.proto, NULL, 0, NULL, 0, 0, 0, NULL),
                     NATS_ERR_INVALID);
    assert_int_equal(nats_proto_publish(self.proto, "a", 1, NULL, 0, NULL, NULL, 1),
                     NATS_ERR_INVALID);
    assert_int_equal(nats_proto_tx_pending(self.proto), 0);
    nats_proto_free(self.proto);
}

static void headers_count_for_max_payload(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    nats_headers *headers;
    char data[1000] = {0};
    assert_int_equal(nats_headers_new(&headers), NATS_OK);
    assert_int_equal(nats_headers_add(headers, "A", 1, "b", 1), NATS_OK); /* a block of 18 bytes */
    assert_int_equal(nats_proto_publish(self.proto, "s", 1, NULL, 0, NULL, data, 1000), NATS_OK);
    assert_int_equal(nats_proto_publish(self.proto, "s", 1, NULL, 0, headers, data, 982), NATS_OK);
    forget_error();
    assert_failed(nats_proto_publish(self.proto, "s", 1, NULL, 0, headers, data, 983),
                  NATS_ERR_MAX_PAYLOAD,
                  "message of 1001 bytes (18 of them headers) is over max_payload 1000");
    nats_headers_free(headers);
    nats_proto_free(self.proto);
}

/* ---- bytes in and out ---- */

static void reads_into_its_own_space(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    assert_int_equal(nats_proto_subscribe(self.proto, "a", 1, NULL, 0, 0, 0, NULL), NATS_OK);
    void *space;
    size_t size;
    assert_int_equal(nats_proto_reserve(self.proto, &space, &size), NATS_OK);
    assert_true(size >= 14);
    memcpy(space, "MSG a 1 2\r\nhi\r\n", 15);
    assert_int_equal(nats_proto_commit(self.proto, size + 1, self.now), NATS_ERR_INVALID);
    uint64_t before = nats_proto_offset(self.proto);
    assert_int_equal(nats_proto_commit(self.proto, 15, self.now), NATS_OK);
    assert_int_equal(nats_proto_offset(self.proto), before + 15);
    assert_next(&self, NATS_PROTO_MSG);
    assert_int_equal(nats_proto_event_sid(self.proto), 1);
    nats_proto_free(self.proto);
}

static void a_message_is_taken_once_and_outlives_all(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    assert_int_equal(nats_proto_subscribe(self.proto, "a", 1, NULL, 0, 0, 0, NULL), NATS_OK);
    feed(&self, "MSG a 1 5\r\nfirst\r\nMSG a 1 6\r\nsecond\r\nMSG a 1 5\r\nthird\r\n");
    assert_next(&self, NATS_PROTO_MSG);
    nats_msg *msg = nats_proto_event_take_msg(self.proto);
    assert_null(nats_proto_event_take_msg(self.proto));
    assert_next(&self, NATS_PROTO_MSG); /* not taken: freed with the next event */
    assert_next(&self, NATS_PROTO_MSG); /* not taken: freed with the proto */
    nats_proto_free(self.proto);
    assert_string_equal(nats_msg_data(msg, NULL), "first");
    nats_msg_free(msg);
}

static void takes_part_of_its_bytes_for_sent(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    assert_int_equal(publish(&self, "one"), NATS_OK);
    assert_int_equal(publish(&self, "two"), NATS_OK);
    assert_int_equal(nats_proto_tx_pending(self.proto), 28);
    nats__buf out = {0};
    for (size_t left = 28; left > 0; left--) {
        assert_int_equal(nats_proto_tx_pending(self.proto), left);
        assert_int_equal(send_some(&self, 1, &out), 1);
    }
    assert_bytes(out.data, out.len, "PUB s 3\r\none\r\nPUB s 3\r\ntwo\r\n", 28);
    nats__buf_free(&out);
    forget_error();
    assert_failed(nats_proto_tx_done(self.proto, 1, self.now), NATS_ERR_INVALID,
                  "1 bytes are more than the 0 handed out");
    nats_proto_free(self.proto);
}

/* A SUB comes before the publish that may be answered on it. */
static void what_is_sent_keeps_its_order(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    uint64_t token;
    assert_int_equal(publish(&self, "1"), NATS_OK);
    assert_int_equal(nats_proto_subscribe(self.proto, "a", 1, NULL, 0, 0, 0, NULL), NATS_OK);
    assert_int_equal(publish(&self, "2"), NATS_OK);
    assert_int_equal(nats_proto_ping(self.proto, self.now, &token), NATS_OK);
    assert_int_equal(nats_proto_unsubscribe(self.proto, 1, 0), NATS_OK);
    assert_int_equal(publish(&self, "3"), NATS_OK);
    assert_sent(&self, "PUB s 1\r\n1\r\nSUB a 1\r\nPUB s 1\r\n2\r\nPING\r\nUNSUB 1\r\n"
                       "PUB s 1\r\n3\r\n");
    nats_proto_free(self.proto);
}

static void what_waits_at_close_may_be_sent(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    assert_int_equal(publish(&self, "1"), NATS_OK);
    nats_proto_close(self.proto);
    assert_next(&self, NATS_PROTO_CLOSED);
    assert_sent(&self, "PUB s 1\r\n1\r\n");
    assert_int_equal(publish(&self, "2"), NATS_ERR_CLOSED);
    nats_proto_free(self.proto);
}

/* A server that sends PINGs and takes next to nothing: what waits for it stays small, and once it
 * takes again it is answered. */
static void pongs_nobody_takes_are_bounded(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    char pings[6 * 1000 + 1];
    for (int n = 0; n < 1000; n++) {
        memcpy(pings + (size_t)6 * (size_t)n, "PING\r\n", 7);
    }
    size_t most = 0;
    for (int i = 0; i < 200; i++) {
        feed(&self, pings);
        assert_next(&self, 0);
        size_t waits = nats_proto_tx_pending(self.proto);
        most = waits > most ? waits : most;
        assert_int_equal(send_some(&self, 1, NULL), 1); /* it takes a byte now and then */
    }
    assert_in_range(most, 6000, 256 * 1024);
    send_some(&self, SIZE_MAX, NULL);
    assert_next(&self, 0);
    assert_sent(&self, "PONG\r\n"); /* for all that were not answered */
    feed(&self, "PING\r\nPING\r\n");
    assert_next(&self, 0);
    assert_sent(&self, "PONG\r\nPONG\r\n");
    nats_proto_free(self.proto);
}

/* Publishes that fill the buffer do not keep a PONG back for good. */
static void a_busy_publisher_still_answers(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    char data[901];
    memset(data, 'x', 900);
    data[900] = '\0';
    nats__buf out = {0};
    feed(&self, "PING\r\n");
    for (int i = 0; i < 1000; i++) {
        assert_int_equal(publish(&self, data), NATS_OK);
        assert_next(&self, 0);
        send_some(&self, i < 500 ? 500 : 920, &out);
        if (i == 400) {
            feed(&self, "PING\r\n");
        }
    }
    size_t pongs = 0;
    for (size_t i = 0; i + 6 <= out.len; i++) {
        pongs += memcmp(out.data + i, "PONG\r\n", 6) == 0 ? 1 : 0;
    }
    assert_int_equal(pongs, 2);
    nats__buf_free(&out);
    nats_proto_free(self.proto);
}

/* CONNECT for one server is nothing for the next: its beginning may be what INFO decides. */
static void a_handshake_left_half_way_leaves_nothing(void **state)
{
    (void)state;
    for (size_t sent = 0; sent < 20; sent += 19) {
        rig self = begin_with("nats://a", NULL, NULL);
        assert_int_equal(nats_proto_start(self.proto, self.now), NATS_OK);
        assert_next(&self, NATS_PROTO_DIAL);
        assert_int_equal(nats_proto_transport_up(self.proto, self.now), NATS_OK);
        feed(&self, info);
        assert_next(&self, 0);
        assert_int_equal(send_some(&self, sent, NULL), sent);
        assert_int_equal(nats_proto_reconnect(self.proto, self.now), NATS_OK);
        assert_next(&self, NATS_PROTO_DIAL);
        assert_sent(&self, "");
        shake_hands(&self, NATS_PROTO_CONNECTED);
        nats_proto_free(self.proto);
    }
}

/* ---- what it tells ---- */

static void a_disconnect_names_the_server_that_was_lost(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    self.now += SECOND;
    assert_int_equal(nats_proto_feed_eof(self.proto, self.now), NATS_OK);
    assert_next(&self, NATS_PROTO_DISCONNECTED);
    assert_string_equal(nats_proto_url(self.proto), "nats://a:4222");
    assert_next(&self, NATS_PROTO_DIAL);
    assert_string_equal(nats_proto_url(self.proto), "nats://b:4222");
    nats_proto_free(self.proto);
}

static void tells_of_attempts_and_of_discovered_servers(void **state)
{
    (void)state;
    rig self = begin_with("nats://a", "reconnect_wait", "0");
    int32_t attempts;
    int32_t discovered;
    assert_int_equal(nats_proto_start(self.proto, self.now), NATS_OK);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(nats_proto_transport_failed(self.proto, NATS_ERR_IO, "x", self.now),
                         NATS_OK);
    }
    assert_next(&self, NATS_PROTO_ERROR);
    assert_next(&self, NATS_PROTO_ERROR);
    assert_next(&self, NATS_PROTO_ERROR);
    assert_next(&self, NATS_PROTO_DIAL);
    assert_string_equal(nats_proto_server_at(self.proto, 0, &attempts, &discovered),
                        "nats://a:4222");
    assert_int_equal(attempts, 3);
    assert_int_equal(discovered, 0);
    shake_hands(&self, NATS_PROTO_CONNECTED);
    feed(&self, "INFO {\"connect_urls\":[\"b:1\"]}\r\n");
    assert_next(&self, NATS_PROTO_DISCOVERED);
    assert_string_equal(nats_proto_event_text(self.proto), "nats://b:1");
    assert_non_null(nats_proto_server_at(self.proto, 0, &attempts, NULL));
    assert_int_equal(attempts, 0); /* it works */
    assert_string_equal(nats_proto_server_at(self.proto, 1, NULL, &discovered), "nats://b:1");
    assert_int_equal(discovered, 1);
    assert_null(nats_proto_server_at(self.proto, 2, &attempts, &discovered));
    assert_int_equal(nats_proto_server_add(self.proto, NULL), NATS_ERR_INVALID);
    assert_int_equal(nats_proto_server_add(self.proto, "::::"), NATS_ERR_INVALID);
    assert_int_equal(nats_proto_server_remove(self.proto, NULL), NATS_ERR_INVALID);
    assert_int_equal(nats_proto_server_remove(self.proto, "b:1"), NATS_OK);
    assert_null(nats_proto_server_at(self.proto, 1, NULL, NULL));
    nats_proto_free(self.proto);
}

static void a_ping_tells_its_time(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    uint64_t token;
    assert_int_equal(nats_proto_ping(self.proto, self.now, &token), NATS_OK);
    assert_true(token != 0);
    self.now += 5000;
    feed(&self, "PONG\r\n");
    assert_next(&self, NATS_PROTO_PONG);
    assert_int_equal(nats_proto_event_token(self.proto), token);
    assert_int_equal(nats_proto_event_rtt_ns(self.proto), 5000);
    assert_next(&self, 0);
    assert_int_equal(nats_proto_event_token(self.proto), 0);
    nats_proto_free(self.proto);
}

static void the_info_is_a_copy(void **state)
{
    (void)state;
    rig self = connected(NULL, NULL);
    nats_info *one;
    assert_int_equal(nats_proto_server_info(self.proto, &one), NATS_OK);
    feed(&self, "INFO {\"max_payload\":7}\r\n");
    assert_next(&self, NATS_PROTO_INFO);
    nats_proto_free(self.proto);
    int64_t value;
    assert_int_equal(nats_info_int(one, "max_payload", &value), 1);
    assert_int_equal(value, 1000);
    nats_info_free(one);
}

/* The same seed gives the same choices, another one others. */
static void the_seed_decides(void **state)
{
    (void)state;
    char inboxes[3][64];
    const char *seeds[] = {"seed number one.", "seed number one.", "seed number two."};
    for (size_t i = 0; i < COUNT_OF(seeds); i++) {
        nats_proto *proto;
        assert_int_equal(nats_proto_new("a,b,c,d,e,f", NULL, seeds[i], 16, &proto), NATS_OK);
        assert_int_equal(nats_proto_new_inbox(proto, inboxes[i], 64, NULL), NATS_OK);
        nats_proto_free(proto);
    }
    assert_string_equal(inboxes[0], inboxes[1]);
    assert_string_not_equal(inboxes[0], inboxes[2]);
}

/* ---- nothing is unaccounted for ---- */

enum { FRAME = 22 /* "PUB s 10\r\n", ten digits, "\r\n" */, PINGS = 2048 };

/* A server that reads what is sent, and knows what came whole and what it confirmed by a PONG. */
typedef struct server {
    nats__buf stream; /* of this connection */
    size_t read;
    uint64_t received;
    uint64_t confirmed;
    uint64_t before_ping[PINGS];
    size_t pings;
    size_t answered;
    uint64_t total;   /* received over all connections */
    uint64_t highest; /* number of the last publish */
} server;

typedef struct history {
    rig rig;
    server server;
    uint64_t accepted;
    uint64_t refused;
    uint64_t lost;
    uint64_t unconfirmed;
    int losses;
} history;

static void server_reset(server *self)
{
    self->stream.len = 0;
    self->read = 0;
    self->received = 0;
    self->confirmed = 0;
    self->pings = 0;
    self->answered = 0;
}

/* No publish comes twice, and none before an earlier one. */
static void server_read(server *self)
{
    for (;;) {
        const char *at = (const char *)self->stream.data + self->read;
        size_t left = self->stream.len - self->read;
        const char *newline = left > 0 ? memchr(at, '\n', left) : NULL;
        if (newline == NULL) {
            return;
        }
        size_t len = (size_t)(newline - at) + 1;
        if (memcmp(at, "PUB ", 4) == 0) {
            len = FRAME;
            if (left < FRAME) {
                return;
            }
            uint64_t number = strtoull(at + 10, NULL, 10);
            assert_true(number > self->highest);
            self->highest = number;
            self->received++;
            self->total++;
        } else if (memcmp(at, "PING", 4) == 0) {
            assert_true(self->pings < PINGS);
            self->before_ping[self->pings++] = self->received;
        }
        self->read += len;
    }
}

/* 1 when the stream ends within a publish: that one is lost, whatever there is room for. */
static uint64_t server_has_half(const server *self)
{
    size_t left = self->stream.len - self->read;
    return left >= 2 && memcmp(self->stream.data + self->read, "PU", 2) == 0 ? 1 : 0;
}

static void history_send(history *self, size_t max)
{
    send_some(&self->rig, max, &self->server.stream);
    server_read(&self->server);
}

static void history_pull(history *self)
{
    int32_t type;
    while ((type = nats_proto_next_event(self->rig.proto)) != 0) {
        uint64_t unconfirmed = nats_proto_event_unconfirmed(self->rig.proto);
        self->lost += nats_proto_event_lost(self->rig.proto);
        self->unconfirmed += unconfirmed;
        if (type == NATS_PROTO_DISCONNECTED) {
            assert_true(nats_proto_event_lost(self->rig.proto) >= server_has_half(&self->server));
            assert_int_equal(unconfirmed, self->server.received - self->server.confirmed);
            server_reset(&self->server);
            self->losses++;
            uint64_t kept = nats_proto_tx_pending(self->rig.proto) / FRAME;
            assert_int_equal(self->accepted, self->server.total + self->lost + kept);
        }
    }
}

static void history_answer(history *self, size_t most)
{
    server *seen = &self->server;
    for (; most > 0 && seen->answered < seen->pings; most--) {
        seen->confirmed = seen->before_ping[seen->answered++];
        feed(&self->rig, "PONG\r\n");
    }
    history_pull(self);
}

static void history_connect(history *self)
{
    assert_int_equal(nats_proto_transport_up(self->rig.proto, self->rig.now), NATS_OK);
    feed(&self->rig, info);
    history_pull(self);
    history_send(self, SIZE_MAX);
    history_answer(self, SIZE_MAX);
    assert_int_equal(nats_proto_state(self->rig.proto), NATS_PROTO_STATE_CONNECTED);
}

static void history_publish(history *self)
{
    char data[16];
    uint64_t number = self->accepted + self->refused + 1;
    snprintf(data, sizeof data, "%010llu", (unsigned long long)number);
    if (publish(&self->rig, data) == NATS_OK) {
        self->accepted++;
    } else {
        self->refused++;
    }
}

static void history_move(history *self, nats__rng *rng)
{
    nats_proto *proto = self->rig.proto;
    int32_t state = nats_proto_state(proto);
    uint64_t token;
    switch (nats__rng_below(rng, 9)) {
    case 0:
        if (state == NATS_PROTO_STATE_CONNECTED) {
            history_send(self, (size_t)nats__rng_below(rng, 100));
        }
        break;
    case 1:
        if (state == NATS_PROTO_STATE_CONNECTED) {
            assert_int_equal(nats_proto_ping(proto, self->rig.now, &token), NATS_OK);
        }
        break;
    case 2:
        history_answer(self, (size_t)nats__rng_below(rng, 3));
        break;
    case 3:
        if (state == NATS_PROTO_STATE_CONNECTED && nats__rng_below(rng, 8) == 0) {
            assert_int_equal(nats_proto_feed_eof(proto, self->rig.now), NATS_OK);
        }
        break;
    case 4:
        if (state == NATS_PROTO_STATE_DIALING) {
            history_connect(self);
        }
        break;
    default:
        history_publish(self);
    }
    history_pull(self);
    self->rig.now += SECOND / 4;
    nats_proto_tick(proto, self->rig.now);
    history_pull(self);
}

/* accepted = received + lost + kept, and received = confirmed + unconfirmed, at every loss of any history. */
static void every_publish_is_accounted_for(void **state)
{
    (void)state;
    nats__rng rng;
    nats__rng_seed(&rng, "history", 7);
    uint64_t lost = 0;
    uint64_t unconfirmed = 0;
    uint64_t refused = 0;
    int losses = 0;
    nats_options *options = options_of("ping_interval", "3s");
    assert_int_equal(nats_options_set_int(options, "max_pings_out", 1000), NATS_OK);
    for (int i = 0; i < 100; i++) {
        history self = {.rig.now = SECOND};
        assert_int_equal(nats_options_set_int(options, "reconnect_buffer", i % 2 ? 200 : 100000),
                         NATS_OK);
        assert_int_equal(nats_proto_new("nats://a", options, seed, sizeof seed, &self.rig.proto),
                         NATS_OK);
        assert_int_equal(nats_proto_start(self.rig.proto, self.rig.now), NATS_OK);
        for (int move = 0; move < 500; move++) {
            history_move(&self, &rng);
        }
        while (nats_proto_state(self.rig.proto) != NATS_PROTO_STATE_CONNECTED) {
            history_move(&self, &rng);
        }
        history_send(&self, SIZE_MAX);
        assert_int_equal(self.accepted, self.server.total + self.lost);
        lost += self.lost;
        unconfirmed += self.unconfirmed;
        refused += self.refused;
        losses += self.losses;
        nats__buf_free(&self.server.stream);
        nats_proto_free(self.rig.proto);
    }
    nats_options_free(options);
    assert_true(lost > 0 && unconfirmed > 0 && refused > 0 && losses > 100);
}

/* ---- memory ---- */

static void ten_thousand_subscriptions_are_small(void **state)
{
    (void)state;
    enum { SUBS = 10000, EACH_MAX = 400, TEXTS = 64 };
    rig self = connected(NULL, NULL);
    nats__submap map = {0};
    static nats__subrec recs[SUBS];
    for (size_t i = 0; i < SUBS; i++) {
        uint64_t sid;
        assert_int_equal(nats_proto_subscribe(self.proto, "some.subject.*", NATS_Z, NULL, 0, 0, 0,
                                              &sid),
                         NATS_OK);
        assert_int_equal(sid, i + 1);
        recs[i] = (nats__subrec){.sid = i + 1};
        assert_true(nats__submap_add(&map, &recs[i]));
    }
    size_t table = map.slot_count * sizeof map.slots[0] / SUBS;
    assert_in_range(table + sizeof(nats__subrec) + TEXTS, 1, EACH_MAX);
    nats__submap_free(&map);
    nats_proto_free(self.proto);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refuses_bad_beginnings),
        cmocka_unit_test(a_fresh_one_knows_nothing),
        cmocka_unit_test(tells_where_to_dial),
        cmocka_unit_test(bytes_need_a_transport),
        cmocka_unit_test(refuses_what_would_break_the_stream),
        cmocka_unit_test(headers_count_for_max_payload),
        cmocka_unit_test(reads_into_its_own_space),
        cmocka_unit_test(a_message_is_taken_once_and_outlives_all),
        cmocka_unit_test(takes_part_of_its_bytes_for_sent),
        cmocka_unit_test(what_is_sent_keeps_its_order),
        cmocka_unit_test(what_waits_at_close_may_be_sent),
        cmocka_unit_test(pongs_nobody_takes_are_bounded),
        cmocka_unit_test(a_busy_publisher_still_answers),
        cmocka_unit_test(a_handshake_left_half_way_leaves_nothing),
        cmocka_unit_test(a_disconnect_names_the_server_that_was_lost),
        cmocka_unit_test(tells_of_attempts_and_of_discovered_servers),
        cmocka_unit_test(a_ping_tells_its_time),
        cmocka_unit_test(the_info_is_a_copy),
        cmocka_unit_test(the_seed_decides),
        cmocka_unit_test(every_publish_is_accounted_for),
        cmocka_unit_test(ten_thousand_subscriptions_are_small),
    };
    return cmocka_run_group_tests_name("proto", tests, NULL, NULL);
}
