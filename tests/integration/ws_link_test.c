/* Between the socket and the rest: frames that the socket takes in parts, and what is unpacked. */
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "client/websocket.h"

enum { DATA = 300 * 1000, SMALL_BUFFER = 4096 };

typedef struct rig {
    nats__ws *ws;
    nats__ws_link link;
    int server;
    uint8_t *data;
} rig;

static void set_buffer(int fd, int option)
{
    int size = SMALL_BUFFER;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, option, &size, sizeof size), 0);
}

static int set_up(void **state)
{
    rig *self = calloc(1, sizeof *self);
    int fds[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
    set_buffer(fds[0], SO_SNDBUF);
    self->link.fd = fds[0];
    self->server = fds[1];
    assert_int_equal(nats__ws_new(&self->ws), NATS_OK);
    self->ws->up = true;
    self->data = malloc(DATA);
    for (size_t i = 0; i < DATA; i++) {
        self->data[i] = (uint8_t)(i * i >> 7);
    }
    *state = self;
    return 0;
}

static int tear_down(void **state)
{
    rig *self = *state;
    nats__ws_free(self->ws);
    close(self->link.fd);
    close(self->server);
    free(self->data);
    free(self);
    return 0;
}

static void compress(rig *self)
{
    nats_status status = nats__zip_new(&self->ws->zip);
    if (status == NATS_ERR_NOT_SUPPORTED) {
        skip();
    }
    assert_int_equal(status, NATS_OK);
    self->ws->writer.zip = self->ws->zip;
    self->ws->reader.deflate = true;
}

/* ---- out ---- */

static size_t receive(const rig *self, uint8_t *into, size_t size)
{
    ssize_t n = recv(self->server, into, size, 0);
    return n > 0 ? (size_t)n : 0;
}

/* Unmask a frame at the front of what came; returns its whole length. */
static size_t open_frame(uint8_t *at, size_t *payload_at, size_t *payload_len)
{
    assert_int_equal(at[0], 0x82);
    size_t bytes = (at[1] & 0x7F) == 126 ? 2 : (at[1] & 0x7F) == 127 ? 8 : 0;
    size_t len = bytes == 0 ? at[1] & 0x7F : 0;
    for (size_t i = 0; i < bytes; i++) {
        len = len << 8 | at[2 + i];
    }
    const uint8_t *key = at + 2 + bytes;
    *payload_at = 2 + bytes + NATS__WS_KEY;
    *payload_len = len;
    nats__ws_mask(at + *payload_at, at + *payload_at, len, key);
    return *payload_at + len;
}

static void a_slow_socket_gets_whole_frames(void **state)
{
    rig *self = *state;
    uint8_t *came = malloc(2 * (size_t)DATA);
    size_t came_len = 0;
    size_t gone = 0;
    while (gone < DATA) {
        size_t covered;
        ptrdiff_t n = nats__ws_write(&self->ws->writer, self->link, self->data + gone, DATA - gone,
                                     0, &covered);
        assert_true(n >= 0);
        gone += covered;
        came_len += receive(self, came + came_len, 2 * (size_t)DATA - came_len);
    }
    for (size_t n = 1; n > 0; came_len += n) {
        n = receive(self, came + came_len, 2 * (size_t)DATA - came_len);
    }
    size_t seen = 0;
    size_t frames = 0;
    for (size_t at = 0; at < came_len; frames++) {
        size_t payload_at;
        size_t len;
        size_t whole = open_frame(came + at, &payload_at, &len);
        assert_memory_equal(came + at + payload_at, self->data + seen, len);
        seen += len;
        at += whole;
    }
    assert_int_equal(seen, DATA);
    assert_int_equal(frames, DATA / NATS__WS_FRAME_MAX + 1);
    free(came);
}

/* What of the outbox may have arrived when a frame is cut: the connection counts by it. */
static void a_frame_that_is_cut_is_counted(void **state)
{
    rig *self = *state;
    size_t covered;
    size_t head = 10 + NATS__WS_KEY;
    assert_int_equal(nats__ws_uncertain(&self->ws->writer), 0);
    ptrdiff_t n =
        nats__ws_write(&self->ws->writer, self->link, self->data, DATA, 0, &covered);
    assert_true(n > (ptrdiff_t)head && n < NATS__WS_FRAME_MAX);
    assert_int_equal(covered, 0);
    assert_int_equal(nats__ws_uncertain(&self->ws->writer), (size_t)n - head);
}

static void a_packed_frame_that_is_cut_is_counted_whole(void **state)
{
    rig *self = *state;
    size_t covered;
    compress(self);
    uint64_t random = 1;
    for (size_t i = 0; i < DATA; i++) { /* half of it packs */
        random = random * UINT64_C(6364136223846793005) + 1;
        self->data[i] = (uint8_t)(random >> 60);
    }
    ptrdiff_t n = nats__ws_write(&self->ws->writer, self->link, self->data, DATA, DATA, &covered);
    assert_true(n > 0 && n < NATS__WS_FRAME_MAX);
    assert_true(self->ws->writer.deflated);
    assert_int_equal(covered, 0);
    assert_int_equal(nats__ws_uncertain(&self->ws->writer), NATS__WS_FRAME_MAX);
}

static void packed_messages_are_within_the_limit(void **state)
{
    rig *self = *state;
    size_t covered;
    compress(self);
    memset(self->data, 'x', DATA);
    assert_true(nats__ws_write(&self->ws->writer, self->link, self->data, DATA, 1000, &covered) >
                0);
    assert_int_equal(covered, 1000);
    /* Too short to get shorter. */
    assert_true(nats__ws_write(&self->ws->writer, self->link, self->data, 64, 1000, &covered) > 0);
    assert_int_equal(covered, 64);
    assert_false(self->ws->writer.deflated);
}

static void a_pong_waits_for_the_frame_under_way(void **state)
{
    rig *self = *state;
    nats__ws_writer *writer = &self->ws->writer;
    size_t covered;
    nats__ws_write(writer, self->link, self->data, DATA, 0, &covered);
    self->ws->reader.pinged = true;
    assert_true(nats__ws_pong(self->ws));
    assert_true(nats__ws_waits(writer));
    assert_int_equal(writer->frame.len, NATS__WS_HEAD_MAX + NATS__WS_FRAME_MAX);
    uint8_t bytes[SMALL_BUFFER];
    while (covered == 0) {
        receive(self, bytes, sizeof bytes);
        assert_true(nats__ws_write(writer, self->link, self->data, DATA, 0, &covered) >= 0);
    }
    assert_true(nats__ws_waits(writer));
    assert_int_equal(writer->frame.len, 2 + NATS__WS_KEY);
    while (receive(self, bytes, sizeof bytes) > 0) {
    }
    assert_true(nats__ws_write(writer, self->link, NULL, 0, 0, &covered) > 0);
    assert_int_equal(covered, 0);
    assert_int_equal(receive(self, bytes, sizeof bytes), 2 + NATS__WS_KEY);
    assert_int_equal(bytes[0], 0x8A);
    assert_false(nats__ws_waits(writer));
}

/* ---- in ---- */

/* As a server sends it: not masked. */
static void send_packed(rig *self, const uint8_t *data, size_t len)
{
    uint8_t frame[4 + UINT16_MAX];
    size_t packed = nats__zip_deflate(self->ws->zip, data, len, frame + 4, UINT16_MAX);
    assert_true(packed >= 126);
    frame[0] = 0xC2;
    frame[1] = 126;
    frame[2] = (uint8_t)(packed >> 8);
    frame[3] = (uint8_t)packed;
    assert_int_equal(send(self->server, frame, packed + 4, 0), packed + 4);
}

/* A thousand bytes become a million: no more of them at once than there is room for. */
static void what_unpacks_to_much_takes_no_memory(void **state)
{
    enum { BOMB = 8 * 1024 * 1024, ROOM = 16 * 1024 };
    rig *self = *state;
    compress(self);
    uint8_t *zeros = calloc(1, BOMB);
    uint8_t *space = malloc(ROOM);
    send_packed(self, zeros, BOMB);
    size_t total = 0;
    nats__ws_sight seen = {.more = true};
    while (seen.more) {
        ptrdiff_t n = nats__ws_read(self->ws, self->link, space, ROOM, &seen);
        assert_true(n >= 0 && n <= ROOM);
        assert_memory_equal(space, zeros, (size_t)n);
        total += (size_t)n;
    }
    assert_int_equal(total, BOMB);
    assert_true(self->ws->in.cap <= 64 * 1024);
    free(zeros);
    free(space);
}

static void every_room_gives_the_same(void **state)
{
    rig *self = *state;
    compress(self);
    for (size_t room = 1; room < 40; room += room < 8 ? 1 : 11) {
        uint8_t space[40];
        size_t total = 0;
        nats__ws_sight seen = {.more = true};
        send_packed(self, self->data, 2000);
        send_packed(self, self->data + 2000, 3000);
        assert_int_equal(send(self->server, "\x82\x01!", 3, 0), 3);
        while (seen.more) {
            ptrdiff_t n = nats__ws_read(self->ws, self->link, space, room, &seen);
            assert_true(n >= 0);
            size_t known = total + (size_t)n <= 5000 ? (size_t)n : 5000 - total;
            assert_memory_equal(space, self->data + total, known);
            total += (size_t)n;
        }
        assert_int_equal(total, 5001);
    }
}

/* What came along with the answer to the upgrade is read first. */
static void what_is_left_over_comes_first(void **state)
{
    rig *self = *state;
    uint8_t space[4];
    nats__ws_sight seen;
    assert_true(nats__buf_append(&self->ws->in, "head\x82\x06INFO", 10));
    self->ws->in_at = 4;
    assert_int_equal(send(self->server, " {\x88\x02\x03\xe8", 6, 0), 6);
    char got[16] = "";
    ptrdiff_t n;
    while ((n = nats__ws_read(self->ws, self->link, space, sizeof space, &seen)) >= 0) {
        strncat(got, (char *)space, (size_t)n);
    }
    assert_string_equal(got, "INFO {");
    assert_int_equal(n, -2);
    assert_string_equal(nats__ws_why(self->ws), "the server closed the WebSocket with 1000");
    assert_int_equal(self->ws->in.cap, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_slow_socket_gets_whole_frames, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_frame_that_is_cut_is_counted, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_packed_frame_that_is_cut_is_counted_whole, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(packed_messages_are_within_the_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_pong_waits_for_the_frame_under_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_unpacks_to_much_takes_no_memory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(every_room_gives_the_same, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_left_over_comes_first, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
