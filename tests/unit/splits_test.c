/* What a server sends means the same however the network cuts it: random sessions, each of them cut in two
 * at every byte, byte by byte, and whole. The bytes are those of a server that does all right; now and then
 * the last ones are not. (Fuzzing looks for bytes that nobody thought of; this one knows what it sends.)
 *
 *     POLYNATS_SESSIONS=10000 splits_test */
#include "unit.h"

#include <stdio.h>

#include <polynats/proto.h>

enum {
    SESSIONS = 200,
    STREAM_MAX = 4096,
    OPS_MAX = 12,
    WHOLE = -1,
    BYTE_BY_BYTE = -2
};

static const char seed_bytes[] = "the same bytes each time";

/* ---- a session, made up ---- */

typedef struct stream {
    char bytes[STREAM_MAX];
    size_t len;
} stream;

static unsigned dice(uint64_t *state, unsigned sides)
{
    *state = *state * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(*state >> 33) % sides;
}

static void add(stream *out, const char *bytes, size_t len)
{
    assert_true(out->len + len <= sizeof out->bytes);
    memcpy(out->bytes + out->len, bytes, len);
    out->len += len;
}

static void add_text(stream *out, const char *text)
{
    add(out, text, strlen(text));
}

/* Payloads look like lines, and hold what ends them. */
static void add_payload(stream *out, uint64_t *state, size_t len)
{
    static const char alphabet[] = "PING\r\nMSG a 1 2\r\n\0+OK";
    for (size_t i = 0; i < len; i++) {
        add(out, &alphabet[dice(state, sizeof alphabet)], 1);
    }
    add_text(out, "\r\n");
}

static void add_msg(stream *out, uint64_t *state)
{
    char line[128];
    size_t len = dice(state, 40);
    const char *gap = dice(state, 4) == 0 ? " \t " : " ";
    const char *verb = dice(state, 5) == 0 ? "msg" : "MSG";
    const char *reply = dice(state, 2) == 0 ? "_INBOX.r " : "";
    unsigned sid = 1 + dice(state, 4);
    snprintf(line, sizeof line, "%s%sa.b%s%u%s%s%zu\r\n", verb, gap, gap, sid, gap, reply, len);
    add_text(out, line);
    add_payload(out, state, len);
}

static void add_hmsg(stream *out, uint64_t *state)
{
    static const char *const blocks[] = {"NATS/1.0\r\n\r\n", "NATS/1.0 503\r\n\r\n",
                                         "NATS/1.0\r\nKey: value\r\nKey: \xff\r\n\r\n",
                                         "NATS/1.0 100 Idle Heartbeat\r\nA:b\r\n\r\n"};
    const char *block = blocks[dice(state, COUNT_OF(blocks))];
    char line[128];
    size_t len = dice(state, 30);
    snprintf(line, sizeof line, "HMSG h %u %s%zu %zu\r\n", 1 + dice(state, 4),
             dice(state, 2) == 0 ? "r.1 " : "", strlen(block), strlen(block) + len);
    add_text(out, line);
    add_text(out, block);
    add_payload(out, state, len);
}

static void add_op(stream *out, uint64_t *state)
{
    static const char *const lines[] = {
        "PING\r\n",
        "PONG\r\n",
        "+OK\r\n",
        "-ERR 'Permissions Violation for Subscription to \"s.2\"'\r\n",
        "-ERR 'Permissions Violation for Publish to \"x y\"'\r\n",
        "-ERR 'Unheard Of'\r\n",
        "INFO {\"connect_urls\":[\"127.0.0.1:4333\",\"[::1]:4334\"],\"max_payload\":500}\r\n",
        "INFO {\"ldm\":true,\"server_id\":\"X\"}\r\n"};
    unsigned kind = dice(state, 10);
    if (kind < 5) {
        add_msg(out, state);
    } else if (kind < 7) {
        add_hmsg(out, state);
    } else {
        add_text(out, lines[dice(state, COUNT_OF(lines))]);
    }
}

static void make_up(stream *out, uint64_t *state)
{
    static const char *const ends[] = {
        "MSG a 1 -1\r\n", "GARBAGE\r\n", "MSG a 1 2\r\nabc\r\n", "HMSG h 1 9 5\r\nhello\r\n",
        "-ERR 'Stale Connection'\r\n", "-ERR 'Authorization Violation'\r\n", "MSG a 1 10\r\nhalf"};
    out->len = 0;
    add_text(out, "INFO {\"headers\":true,\"max_payload\":1000,\"server_id\":\"S\"}\r\nPONG\r\n");
    for (unsigned ops = 3 + dice(state, OPS_MAX - 2); ops > 0; ops--) {
        add_op(out, state);
    }
    if (dice(state, 2) == 0) {
        add_text(out, ends[dice(state, COUNT_OF(ends))]);
    }
}

/* ---- what it means ---- */

typedef struct digest {
    uint64_t sum;
    unsigned events;
    unsigned msgs;
} digest;

static void mix(digest *out, const void *data, size_t len)
{
    const uint8_t *bytes = data;
    for (size_t i = 0; i < len; i++) {
        out->sum = (out->sum ^ bytes[i]) * UINT64_C(1099511628211);
    }
}

static void mix_number(digest *out, int64_t number)
{
    mix(out, &number, sizeof number);
}

static void mix_text(digest *out, const char *text)
{
    mix(out, text, strlen(text) + 1);
}

static void mix_msg(digest *out, nats_msg *msg)
{
    size_t len;
    const char *reply = nats_msg_reply(msg, NULL);
    mix_text(out, nats_msg_subject(msg, NULL));
    mix_text(out, reply != NULL ? reply : "");
    mix_number(out, nats_msg_status(msg));
    const void *data = nats_msg_data(msg, &len);
    mix_number(out, (int64_t)len);
    mix(out, data, len);
    data = nats_msg_headers_raw(msg, &len);
    mix(out, data, len);
    nats_msg_free(msg);
    out->msgs++;
}

static void take_events(nats_proto *proto, digest *out)
{
    int32_t type;
    while ((type = nats_proto_next_event(proto)) != 0) {
        out->events++;
        mix_number(out, type);
        mix_number(out, nats_proto_event_status(proto));
        mix_number(out, nats_proto_event_kind(proto));
        mix_number(out, nats_proto_event_recoverable(proto));
        mix_number(out, (int64_t)nats_proto_event_sid(proto));
        mix_number(out, (int64_t)nats_proto_event_token(proto));
        mix_text(out, nats_proto_event_text(proto));
        mix_text(out, nats_proto_url(proto));
        nats_msg *msg = nats_proto_event_take_msg(proto);
        if (msg != NULL) {
            mix_msg(out, msg);
        }
    }
}

static void feed(nats_proto *proto, const char *bytes, size_t len, digest *out)
{
    nats_status status = nats_proto_feed(proto, bytes, len, 1);
    assert_true(status == NATS_OK || status == NATS_ERR_INVALID); /* it has hung up */
    take_events(proto, out);
}

static nats_proto *proto_new(void)
{
    nats_proto *proto;
    uint64_t sid;
    assert_int_equal(nats_proto_new(NULL, NULL, seed_bytes, sizeof seed_bytes, &proto), NATS_OK);
    assert_int_equal(nats_proto_subscribe(proto, "s.1", NATS_Z, NULL, 0, 0, 0, &sid), NATS_OK);
    assert_int_equal(nats_proto_subscribe(proto, "s.2", NATS_Z, NULL, 0, 0, 0, &sid), NATS_OK);
    assert_int_equal(nats_proto_subscribe(proto, "s.3", NATS_Z, "q", 1, 2, 0, &sid), NATS_OK);
    assert_int_equal(nats_proto_start(proto, 1), NATS_OK);
    return proto;
}

static digest play(const stream *all, long cut)
{
    digest out = {.sum = UINT64_C(14695981039346656037)};
    nats_proto *proto = proto_new();
    take_events(proto, &out);
    assert_int_equal(nats_proto_transport_up(proto, 1), NATS_OK);
    for (size_t i = 0; cut == BYTE_BY_BYTE && i < all->len; i++) {
        feed(proto, all->bytes + i, 1, &out);
    }
    if (cut != BYTE_BY_BYTE) {
        size_t first = cut == WHOLE ? all->len : (size_t)cut;
        feed(proto, all->bytes, first, &out);
        feed(proto, all->bytes + first, all->len - first, &out);
    }
    const void *data;
    size_t len;
    for (nats_proto_tx(proto, &data, &len); len > 0; nats_proto_tx(proto, &data, &len)) {
        mix(&out, data, len);
        assert_int_equal(nats_proto_tx_done(proto, len, 1), NATS_OK);
    }
    nats_proto_free(proto);
    return out;
}

static void check(const stream *all, unsigned session, long cut, const digest *whole)
{
    digest other = play(all, cut);
    if (other.sum == whole->sum && other.events == whole->events) {
        return;
    }
    fprintf(stderr, "session %u, cut %ld: %u events and %u messages, not %u and %u:\n", session,
            cut, other.events, other.msgs, whole->events, whole->msgs);
    fwrite(all->bytes, 1, all->len, stderr);
    fail();
}

static void every_cut_means_the_same(void **state)
{
    (void)state;
    const char *wanted = getenv("POLYNATS_SESSIONS");
    unsigned sessions = wanted != NULL ? (unsigned)atoi(wanted) : SESSIONS;
    unsigned long long cuts = 0;
    unsigned long long msgs = 0;
    uint64_t random = 1;
    static stream all;
    for (unsigned session = 0; session < sessions; session++) {
        make_up(&all, &random);
        digest whole = play(&all, WHOLE);
        msgs += whole.msgs;
        check(&all, session, BYTE_BY_BYTE, &whole);
        for (size_t cut = 1; cut < all.len; cut++) {
            check(&all, session, (long)cut, &whole);
        }
        cuts += all.len;
    }
    assert_true(msgs > sessions);
    printf("%u sessions with %llu messages, %llu cuts\n", sessions, msgs, cuts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(every_cut_means_the_same)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
