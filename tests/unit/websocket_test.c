/* WebSocket frames, in and out. */
#include "unit.h"

#include "proto/websocket.h"

#define KEY ((const uint8_t[]){0x37, 0xfa, 0x21, 0x3d})

/* ---- out ---- */

static void heads_have_the_shortest_length(void **state)
{
    (void)state;
    const struct {
        size_t len;
        const char *head;
        size_t head_len;
    } rows[] = {
        {0, BYTES("\x82\x80\x37\xfa\x21\x3d")},
        {125, BYTES("\x82\xfd\x37\xfa\x21\x3d")},
        {126, BYTES("\x82\xfe\x00\x7e\x37\xfa\x21\x3d")},
        {65535, BYTES("\x82\xfe\xff\xff\x37\xfa\x21\x3d")},
        {65536, BYTES("\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x37\xfa\x21\x3d")},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        uint8_t head[NATS__WS_HEAD_MAX];
        size_t len = nats__ws_head(head, NATS__WS_BINARY, false, rows[i].len, KEY);
        assert_bytes(head, len, rows[i].head, rows[i].head_len);
    }
    uint8_t head[NATS__WS_HEAD_MAX];
    nats__ws_head(head, NATS__WS_BINARY, true, 1, KEY);
    assert_int_equal(head[0], 0xc2);
}

/* The RFC's own example. */
static void hello_is_masked(void **state)
{
    (void)state;
    uint8_t masked[5];
    nats__ws_mask(masked, (const uint8_t *)"Hello", 5, KEY);
    assert_bytes(masked, 5, BYTES("\x7f\x9f\x4d\x51\x58"));
}

static void masking_twice_is_nothing(void **state)
{
    (void)state;
    uint8_t data[70];
    uint8_t masked[70];
    for (size_t i = 0; i < sizeof data; i++) {
        data[i] = (uint8_t)(i * 5);
    }
    for (size_t len = 0; len <= sizeof data; len++) {
        nats__ws_mask(masked, data, len, KEY);
        for (size_t i = 0; i < len; i++) {
            assert_int_equal(masked[i], data[i] ^ KEY[i % 4]);
        }
        nats__ws_mask(masked, masked, len, KEY);
        assert_memory_equal(masked, data, len);
    }
}

static void close_frames_have_a_code(void **state)
{
    (void)state;
    uint8_t frame[NATS__WS_HEAD_MAX + NATS__WS_CONTROL_MAX];
    size_t len = nats__ws_close(frame, NATS__WS_NORMAL, KEY);
    assert_bytes(frame, len, BYTES("\x88\x82\x37\xfa\x21\x3d\x34\x12"));
    len = nats__ws_close(frame, NATS__WS_NO_CODE, KEY);
    assert_bytes(frame, len, BYTES("\x88\x80\x37\xfa\x21\x3d"));
}

/* ---- in ---- */

typedef struct outcome {
    char payload[256];
    size_t payload_len;
    char ping[NATS__WS_CONTROL_MAX];
    size_t ping_len;
    bool pinged;
    bool closed;
    uint16_t code;
    char reason[NATS__WS_REASON_MAX + 1];
    const char *error;
} outcome;

/* Read it in pieces of `piece` bytes, the first of them `first` long. */
static outcome read_cut(const char *bytes, size_t len, size_t first, size_t piece)
{
    nats__ws_reader reader;
    outcome out = {.error = NULL};
    nats__ws_reader_init(&reader);
    for (size_t at = 0, n = first; at < len; at += n, n = piece) {
        n = n < len - at ? n : len - at;
        uint8_t *data = (uint8_t *)tight_copy(bytes + at, n);
        size_t kept = nats__ws_reader_strip(&reader, data, n);
        assert_true(kept <= n);
        memcpy(out.payload + out.payload_len, data, kept);
        out.payload_len += kept;
        free(data);
    }
    out.pinged = reader.pinged;
    out.ping_len = reader.ping_len;
    memcpy(out.ping, reader.ping, reader.ping_len);
    out.closed = reader.closed;
    out.code = reader.code;
    memcpy(out.reason, reader.reason, sizeof out.reason);
    out.error = reader.error;
    return out;
}

static void check_same(const outcome *a, const outcome *b)
{
    assert_bytes(a->payload, a->payload_len, b->payload, b->payload_len);
    assert_bytes(a->ping, a->ping_len, b->ping, b->ping_len);
    assert_int_equal(a->pinged, b->pinged);
    assert_int_equal(a->closed, b->closed);
    assert_int_equal(a->code, b->code);
    assert_string_equal(a->reason, b->reason);
    assert_ptr_equal(a->error, b->error);
}

/* In one piece; every other way to cut it must give the same. */
static outcome read_all(const char *bytes, size_t len)
{
    outcome whole = read_cut(bytes, len, len, len);
    for (size_t first = 1; first < len; first++) {
        outcome cut = read_cut(bytes, len, first, len);
        check_same(&cut, &whole);
        cut = read_cut(bytes, len, first, 1);
        check_same(&cut, &whole);
    }
    return whole;
}

static void assert_payload(const char *bytes, size_t len, const char *payload)
{
    outcome out = read_all(bytes, len);
    assert_null(out.error);
    assert_bytes(out.payload, out.payload_len, payload, strlen(payload));
}

static void payloads_are_one_stream(void **state)
{
    (void)state;
    assert_payload(BYTES("\x82\x03one\x82\x03two"), "onetwo");
    assert_payload(BYTES("\x82\x00\x82\x01x\x82\x00"), "x");
    assert_payload(BYTES("\x81\x03txt"), "txt");
    assert_payload(BYTES("\x02\x01" "a\x00\x01" "b\x00\x00\x80\x01" "c\x82\x01" "d"), "abcd");
}

static void long_lengths_are_read(void **state)
{
    (void)state;
    char frame[4 + 130];
    memset(frame, 'x', sizeof frame);
    memcpy(frame, "\x82\x7e\x00\x82", 4);
    outcome out = read_all(frame, sizeof frame);
    assert_null(out.error);
    assert_int_equal(out.payload_len, 130);
}

/* It takes no memory to be told that 2^62 bytes come. */
static void a_length_is_only_a_number(void **state)
{
    (void)state;
    assert_payload(BYTES("\x82\x7f\x40\x00\x00\x00\x00\x00\x00\x00some"), "some");
}

static void control_frames_come_between(void **state)
{
    (void)state;
    outcome out = read_all(BYTES("\x02\x01" "a\x89\x02hi\x8a\x03pon\x80\x01" "b\x89\x00"));
    assert_null(out.error);
    assert_bytes(out.payload, out.payload_len, BYTES("ab"));
    assert_true(out.pinged);
    assert_int_equal(out.ping_len, 0); /* the last one's */
    out = read_all(BYTES("\x89\x02hi\x82\x01x"));
    assert_bytes(out.ping, out.ping_len, BYTES("hi"));
}

static void a_close_frame_is_the_end(void **state)
{
    (void)state;
    outcome out = read_all(BYTES("\x82\x01x\x88\x05\x03\xf0" "bye\x82\x01y"));
    assert_null(out.error);
    assert_bytes(out.payload, out.payload_len, BYTES("x"));
    assert_true(out.closed);
    assert_int_equal(out.code, 1008);
    assert_string_equal(out.reason, "bye");
    out = read_all(BYTES("\x88\x00"));
    assert_true(out.closed);
    assert_int_equal(out.code, NATS__WS_NO_CODE);
}

static void what_is_no_frame_is_refused(void **state)
{
    (void)state;
    const struct {
        const char *bytes;
        size_t len;
        const char *error;
    } rows[] = {
        {BYTES("\x82\x81....x"), "a frame is masked, which is the client's to do"},
        {BYTES("\x92\x01x"), "reserved bits are set"},
        {BYTES("\xa2\x01x"), "reserved bits are set"},
        {BYTES("\xc2\x01x"), "a compressed message, and compression was not agreed on"},
        {BYTES("\x83\x01x"), "an unknown kind of frame"},
        {BYTES("\x8b\x00"), "an unknown kind of frame"},
        {BYTES("\x8f\x00"), "an unknown kind of frame"},
        {BYTES("\x80\x01x"), "a continuation of nothing"},
        {BYTES("\x02\x01x\x82\x01y"), "a message begins within another"},
        {BYTES("\x02\x01x\xc0\x01y"), "a continuation is marked as compressed"},
        {BYTES("\x09\x00"), "a control frame is fragmented"},
        {BYTES("\xc9\x00"), "a control frame is compressed"},
        {BYTES("\x89\x7e\x00\x7e"), "a control frame is longer than 125 bytes"},
        {BYTES("\x82\x7e\x00\x7d"), "a frame's length is not written the shortest way"},
        {BYTES("\x82\x7f\0\0\0\0\0\0\xff\xff"),
         "a frame's length is not written the shortest way"},
        {BYTES("\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff"), "a frame's length is over 2^63"},
        {BYTES("\x82\x7f\x80\0\0\0\0\0\0\0"), "a frame's length is over 2^63"},
        {BYTES("\x88\x01x"), "a close frame has a code that there is not"},
        {BYTES("\x88\x02\x03\xed"), "a close frame has a code that there is not"},
        {BYTES("\x88\x02\x03\xe7"), "a close frame has a code that there is not"},
        {BYTES("\x88\x02\x13\x88"), "a close frame has a code that there is not"},
        {BYTES("\x88\x04\x03\xe8\xff\xfe"), "a close frame's reason is not UTF-8"},
    };
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        outcome out = read_all(rows[i].bytes, rows[i].len);
        assert_non_null(out.error);
        assert_string_equal(out.error, rows[i].error);
        assert_false(out.closed);
    }
}

/* ---- in, compressed ---- */

static void compressed_messages_have_an_end(void **state)
{
    (void)state;
    nats__ws_reader reader;
    nats__ws_reader_init(&reader);
    reader.deflate = true;
    const char bytes[] = "\x42\x02zi\x89\x00\x80\x01p\x82\x01x\x42\x01q\x80\x00";
    const uint8_t *at = (const uint8_t *)bytes;
    size_t len = sizeof bytes - 1;
    const struct {
        const char *text;
        bool deflated;
        bool last;
    } wanted[] = {{"zi", true, false}, {"p", true, true}, {"x", false, true},
                  {"q", true, false},  {"", true, true}};
    nats__ws_piece piece;
    for (size_t i = 0; i < COUNT_OF(wanted); i++) {
        assert_true(nats__ws_reader_next(&reader, &at, &len, &piece));
        assert_bytes(piece.data, piece.len, wanted[i].text, strlen(wanted[i].text));
        assert_int_equal(piece.deflated, wanted[i].deflated);
        assert_int_equal(piece.last, wanted[i].last);
    }
    assert_false(nats__ws_reader_next(&reader, &at, &len, &piece));
    assert_null(reader.error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_have_the_shortest_length),
        cmocka_unit_test(hello_is_masked),
        cmocka_unit_test(masking_twice_is_nothing),
        cmocka_unit_test(close_frames_have_a_code),
        cmocka_unit_test(payloads_are_one_stream),
        cmocka_unit_test(long_lengths_are_read),
        cmocka_unit_test(a_length_is_only_a_number),
        cmocka_unit_test(control_frames_come_between),
        cmocka_unit_test(a_close_frame_is_the_end),
        cmocka_unit_test(what_is_no_frame_is_refused),
        cmocka_unit_test(compressed_messages_have_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
