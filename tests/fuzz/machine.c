/* The state machine: any calls in any order, any bytes of the server between them. What it says is
 * held against a plain model; at the end a server that does all right must get it connected, with
 * each subscription written once, and heard. */
#include "check.h"

#include <polynats/proto.h>

enum {
    SUBS_MAX = 16,
    KEPT_MAX = 8,
    STEPS_MAX = 400,
    GOOD_STEPS_MAX = 200,
    BUFFER_MAX = 1000, /* option reconnect_buffer */
    MS = 1000000
};

typedef struct fuzz_sub {
    uint64_t sid; /* 0: free */
    uint64_t max;
    uint64_t received;
} fuzz_sub;

typedef struct fuzz {
    const uint8_t *at;
    const uint8_t *end;
    nats_proto *proto;
    int64_t now;
    fuzz_sub subs[SUBS_MAX];
    uint64_t done; /* the sid whose SUB_DONE comes next */
    uint64_t accepted;
    uint64_t settled; /* reported as lost or unconfirmed */
    int64_t heard;
    bool connected_once;
    bool closed;
    nats_msg *kept[KEPT_MAX];
} fuzz;

static unsigned take(fuzz *self)
{
    return self->at < self->end ? *self->at++ : 0;
}

/* ---- the model ---- */

static fuzz_sub *find_sub(fuzz *self, uint64_t sid)
{
    for (size_t i = 0; i < SUBS_MAX; i++) {
        if (self->subs[i].sid == sid) {
            return &self->subs[i];
        }
    }
    return NULL;
}

static void keep_msg(fuzz *self, nats_msg *msg)
{
    size_t slot = (size_t)self->heard % KEPT_MAX;
    nats_msg_free(self->kept[slot]);
    self->kept[slot] = msg;
}

static void on_msg(fuzz *self)
{
    uint64_t sid = nats_proto_event_sid(self->proto);
    fuzz_sub *sub = find_sub(self, sid);
    CHECK(sid != 0 && sub != NULL);
    CHECK(sub->max == 0 || sub->received < sub->max);
    CHECK(nats_proto_state(self->proto) == NATS_PROTO_STATE_CONNECTED);
    self->heard++;
    sub->received++;
    if (sub->received == sub->max) {
        self->done = sid;
        *sub = (fuzz_sub){0};
    }
    if (self->heard % 3 != 0) {
        nats_msg *msg = nats_proto_event_take_msg(self->proto);
        CHECK(msg != NULL && nats_msg_sid(msg) == sid);
        CHECK(nats_proto_event_take_msg(self->proto) == NULL);
        keep_msg(self, msg);
    }
}

/* A refused subscription is over. */
static void on_error(fuzz *self)
{
    uint64_t sid = nats_proto_event_sid(self->proto);
    fuzz_sub *sub = sid != 0 ? find_sub(self, sid) : NULL;
    CHECK(nats_kind_name(nats_proto_event_kind(self->proto)) != NULL);
    if (sid == 0) {
        return;
    }
    CHECK(sub != NULL && nats_proto_event_kind(self->proto) == NATS_KIND_PERMISSION_SUBSCRIBE);
    self->done = sid;
    *sub = (fuzz_sub){0};
}

static void check_event(fuzz *self, int32_t type)
{
    const char *text = nats_proto_event_text(self->proto);
    CHECK(type >= NATS_PROTO_DIAL && type <= NATS_PROTO_SUB_DONE);
    CHECK(!self->closed && text != NULL);
    CHECK((self->done != 0) == (type == NATS_PROTO_SUB_DONE));
    CHECK(strpbrk(text, "\r\n") == NULL);
    uint64_t lost = nats_proto_event_lost(self->proto);
    uint64_t unconfirmed = nats_proto_event_unconfirmed(self->proto);
    bool ends = type == NATS_PROTO_DISCONNECTED || type == NATS_PROTO_CLOSED;
    CHECK(ends || unconfirmed == 0);
    CHECK(ends || type == NATS_PROTO_ERROR || lost == 0);
    self->settled += lost + unconfirmed;
    CHECK(self->settled <= self->accepted);
}

/* The next event, as the model wants it. False when there is none. */
static bool step(fuzz *self)
{
    int32_t type = nats_proto_next_event(self->proto);
    if (type == 0) {
        CHECK(self->done == 0);
        return false;
    }
    check_event(self, type);
    switch (type) {
    case NATS_PROTO_CONNECTED:
    case NATS_PROTO_RECONNECTED:
        CHECK((type == NATS_PROTO_RECONNECTED) == self->connected_once);
        self->connected_once = true;
        break;
    case NATS_PROTO_DIAL:
        CHECK(nats_proto_host(self->proto)[0] != '\0' && nats_proto_port(self->proto) > 0);
        break;
    case NATS_PROTO_MSG:
        on_msg(self);
        break;
    case NATS_PROTO_ERROR:
        on_error(self);
        break;
    case NATS_PROTO_SUB_DONE:
        CHECK(nats_proto_event_sid(self->proto) == self->done);
        self->done = 0;
        break;
    case NATS_PROTO_CLOSED:
        self->closed = true;
        CHECK(nats_proto_state(self->proto) == NATS_PROTO_STATE_CLOSED);
        break;
    default:
        break;
    }
    return true;
}

static void drain(fuzz *self)
{
    while (step(self)) {
    }
}

/* ---- calls ---- */

static const char *const lines[] = {
    "INFO {}\r\n",
    "INFO {\"headers\":true,\"max_payload\":100,\"nonce\":\"abc\",\"client_id\":7}\r\n",
    "INFO {\"tls_required\":true}\r\n",
    "INFO {\"connect_urls\":[\"c:1\",\"[::1]:2\",\"a:4222\",\"tls://d\",\"?\"]}\r\n",
    "INFO {\"connect_urls\":[\"c:1\"],\"ldm\":true}\r\n",
    "INFO {\"max_payload\":-1}\r\n",
    "PONG\r\n",
    "PING\r\n",
    "+OK\r\n",
    "MSG a 1 2\r\nhi\r\n",
    "MSG a 2 r 0\r\n\r\nMSG a 1 1\r\nx\r\nPING\r\n",
    "HMSG b 3 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
    "-ERR 'Authorization Violation'\r\n",
    "-ERR 'Permissions Violation for Subscription to \"a\"'\r\n",
    "-ERR 'Stale Connection'\r\n",
    "-ERR 'Unheard Of'\r\n",
};

enum { LINE_COUNT = sizeof lines / sizeof lines[0] };

static void feed(fuzz *self, const void *data, size_t len)
{
    nats_status status = nats_proto_feed(self->proto, data, len, self->now);
    CHECK(status == NATS_OK || status == NATS_ERR_INVALID);
}

static void feed_some(fuzz *self, unsigned how)
{
    if (how % 2 == 0) {
        const char *line = lines[take(self) % LINE_COUNT];
        feed(self, line, strlen(line));
        return;
    }
    size_t len = take(self);
    len = len < (size_t)(self->end - self->at) ? len : (size_t)(self->end - self->at);
    void *space;
    size_t size;
    if (how % 4 == 1) {
        feed(self, self->at, len);
    } else if (nats_proto_reserve(self->proto, &space, &size) == NATS_OK) {
        size = len < size ? len : size;
        memcpy(space, self->at, size);
        CHECK(nats_proto_commit(self->proto, size, self->now) == NATS_OK);
    }
    self->at += len;
}

static void write_some(fuzz *self, size_t max)
{
    const void *data;
    size_t len;
    nats_proto_tx(self->proto, &data, &len);
    CHECK(len <= nats_proto_tx_pending(self->proto));
    CHECK(nats_proto_tx_done(self->proto, len + 1, self->now) == NATS_ERR_INVALID);
    len = len < max ? len : max;
    CHECK(nats_proto_tx_done(self->proto, len, self->now) == NATS_OK);
}

static void publish(fuzz *self, unsigned size)
{
    static const char payload[256] = "payload";
    enum { LINES_MAX = 64 * 1024 + 1000 }; /* PONGs, and a handshake */
    bool connected = nats_proto_state(self->proto) == NATS_PROTO_STATE_CONNECTED;
    nats_status status = nats_proto_publish(self->proto, "s", NATS_Z, size % 2 ? "r.1" : NULL,
                                            NATS_Z, NULL, payload, size % sizeof payload);
    self->accepted += status == NATS_OK ? 1 : 0;
    CHECK(status <= NATS_OK);
    CHECK(connected || nats_proto_tx_pending(self->proto) <= BUFFER_MAX + LINES_MAX);
}

static void subscribe(fuzz *self, unsigned how)
{
    fuzz_sub *slot = find_sub(self, 0);
    uint64_t sid = 0;
    uint64_t wanted = how % 4 == 0 ? how / 4 % 8 : 0;
    uint64_t max = how % 3 == 0 ? how % 7 : 0;
    if (slot == NULL) {
        return;
    }
    nats_status status = nats_proto_subscribe(self->proto, how % 2 ? "a" : "b.*", NATS_Z,
                                              how % 5 == 0 ? "q" : NULL, NATS_Z, max, wanted, &sid);
    if (status == NATS_OK) {
        CHECK(sid != 0 && find_sub(self, sid) == NULL);
        CHECK(wanted == 0 || sid == wanted);
        *slot = (fuzz_sub){sid, max, 0};
    }
}

static void unsubscribe(fuzz *self, uint64_t sid, uint64_t after)
{
    fuzz_sub *sub = sid != 0 ? find_sub(self, sid) : NULL;
    nats_status status = nats_proto_unsubscribe(self->proto, sid, after);
    bool closed = nats_proto_state(self->proto) == NATS_PROTO_STATE_CLOSED;
    CHECK((status == NATS_OK) == (sub != NULL && !closed));
    if (status != NATS_OK) {
        return;
    }
    if (after <= sub->received) {
        *sub = (fuzz_sub){0};
    } else {
        sub->max = after;
    }
}

static void pass_time(fuzz *self, unsigned how)
{
    int64_t due = nats_proto_deadline_ns(self->proto);
    if (how % 4 == 0 && due != INT64_MAX && due > self->now) {
        self->now = due;
    } else {
        self->now += (int64_t)how * how * MS;
    }
    nats_proto_tick(self->proto, self->now);
}

static void pool(fuzz *self, unsigned how)
{
    static const char *const urls[] = {"a", "b", "nats://c:1", "tls://d", "ws://e/p", "e:99999"};
    const char *url = urls[how / 2 % 6];
    int32_t attempts;
    int32_t discovered;
    if (how % 2 == 0) {
        nats_proto_server_add(self->proto, url);
    } else {
        nats_proto_server_remove(self->proto, url);
    }
    for (size_t i = 0; nats_proto_server_at(self->proto, i, &attempts, &discovered) != NULL; i++) {
        CHECK(attempts >= 0 && (discovered == 0 || discovered == 1));
    }
}

static void ping(fuzz *self)
{
    uint64_t token;
    nats_status status = nats_proto_ping(self->proto, self->now, &token);
    CHECK((status == NATS_OK) == (token != 0));
}

static void shake(fuzz *self, unsigned how)
{
    static const uint8_t signature[64] = {1};
    switch (how % 8) {
    case 0:
        nats_proto_start(self->proto, self->now);
        break;
    case 1:
        nats_proto_transport_up(self->proto, self->now);
        break;
    case 2:
        nats_proto_upgraded(self->proto, self->now);
        break;
    case 3:
        nats_proto_secured(self->proto, self->now);
        break;
    case 4:
        nats_proto_sign(self->proto, signature, how % 65, "UKEY", NULL, self->now);
        break;
    case 5:
        nats_proto_transport_failed(self->proto, NATS_ERR_IO, "gone", self->now);
        break;
    case 6:
        nats_proto_feed_eof(self->proto, self->now);
        break;
    default:
        nats_proto_expect_signature(self->proto, how / 8 % 2);
        break;
    }
}

static void call(fuzz *self)
{
    unsigned op = take(self);
    unsigned how = take(self);
    switch (op % 16) {
    case 0:
    case 1:
        feed_some(self, how);
        break;
    case 2:
        step(self);
        break;
    case 3:
    case 4:
        drain(self);
        break;
    case 5:
    case 6:
        shake(self, how);
        break;
    case 7:
        write_some(self, how % 4 == 0 ? SIZE_MAX : how);
        break;
    case 8:
        drain(self);
        publish(self, how);
        break;
    case 9:
        subscribe(self, how);
        break;
    case 10:
        drain(self);
        unsubscribe(self, how % 8, how / 8);
        break;
    case 11:
        pass_time(self, how);
        break;
    case 12:
        ping(self);
        break;
    case 13:
        pool(self, how);
        break;
    case 14:
        if (how % 4 == 0) {
            nats_proto_reconnect(self->proto, self->now);
        }
        break;
    default:
        if (how == 255) {
            nats_proto_close(self->proto);
        }
        break;
    }
}

/* ---- a good server at the end ---- */

static void good_step(fuzz *self)
{
    static const char info[] = "INFO {\"headers\":true,\"nonce\":\"n\"}\r\n";
    switch (nats_proto_state(self->proto)) {
    case NATS_PROTO_STATE_IDLE:
        shake(self, 0);
        break;
    case NATS_PROTO_STATE_WAITING:
        self->now = nats_proto_deadline_ns(self->proto);
        nats_proto_tick(self->proto, self->now);
        break;
    case NATS_PROTO_STATE_DIALING:
        shake(self, 1);
        break;
    case NATS_PROTO_STATE_UPGRADING:
        shake(self, 2);
        break;
    case NATS_PROTO_STATE_WAITING_INFO:
        feed(self, info, sizeof info - 1);
        break;
    case NATS_PROTO_STATE_SECURING:
        shake(self, 3);
        break;
    case NATS_PROTO_STATE_SIGNING:
        shake(self, 4 + 8 * 7);
        break;
    case NATS_PROTO_STATE_WAITING_PONG:
        feed(self, "PONG\r\n", 6);
        break;
    default:
        break;
    }
}

static size_t count_lines(const char *text, size_t len, const char *begin)
{
    size_t count = 0;
    size_t want = strlen(begin);
    for (size_t i = 0; i + want <= len; i++) {
        bool line = i == 0 || text[i - 1] == '\n';
        count += line && memcmp(text + i, begin, want) == 0 ? 1 : 0;
    }
    return count;
}

/* Every subscription is written once, and no other. */
static void check_written(fuzz *self)
{
    const void *data;
    size_t len;
    size_t written = 0;
    size_t wanted = 0;
    for (nats_proto_tx(self->proto, &data, &len); len > 0;
         nats_proto_tx(self->proto, &data, &len)) {
        written += count_lines(data, len, "SUB ");
        CHECK(nats_proto_tx_done(self->proto, len, self->now) == NATS_OK);
    }
    for (size_t i = 0; i < SUBS_MAX; i++) {
        wanted += self->subs[i].sid != 0 ? 1 : 0;
    }
    CHECK(written == wanted);
    CHECK(nats_proto_tx_pending(self->proto) == 0);
}

static void check_heard(fuzz *self)
{
    for (size_t i = 0; i < SUBS_MAX; i++) {
        char line[64];
        uint64_t sid = self->subs[i].sid;
        if (sid == 0) {
            continue;
        }
        int64_t before = self->heard;
        int len = snprintf(line, sizeof line, "MSG x %llu 2\r\nok\r\n", (unsigned long long)sid);
        feed(self, line, (size_t)len);
        drain(self);
        CHECK(self->heard == before + 1);
    }
}

static void end_well(fuzz *self)
{
    drain(self);
    nats_proto_reconnect(self->proto, self->now);
    drain(self);
    for (int i = 0; i < GOOD_STEPS_MAX && !self->closed; i++) {
        if (nats_proto_state(self->proto) == NATS_PROTO_STATE_CONNECTED) {
            check_written(self);
            check_heard(self);
            return;
        }
        good_step(self);
        drain(self);
    }
    CHECK(self->closed);
}

/* ---- the whole ---- */

static nats_proto *proto_of(unsigned how)
{
    static const char *const urls[] = {"nats://a,nats://b", "tls://a", "ws://u:p@a,wss://b/x", "a"};
    static const char seed[] = "the same bytes each time";
    nats_options *options;
    nats_proto *proto;
    CHECK(nats_options_new(&options) == NATS_OK);
    CHECK(nats_options_set_int(options, "reconnect_buffer", BUFFER_MAX) == NATS_OK);
    CHECK(nats_options_set_bool(options, "no_randomize", how / 4 % 2) == NATS_OK);
    CHECK(nats_options_set_bool(options, "ignore_discovered", how / 8 % 2) == NATS_OK);
    CHECK(nats_options_set_bool(options, "reconnect", how / 16 % 4 != 3) == NATS_OK);
    CHECK(nats_options_set_int(options, "max_reconnects", how / 64 == 3 ? 3 : -1) == NATS_OK);
    CHECK(nats_proto_new(urls[how % 4], options, seed, sizeof seed, &proto) == NATS_OK);
    nats_options_free(options);
    return proto;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t clocks[] = {0, INT64_MIN, -1000, INT64_C(1) << 60};
    fuzz self = {.at = data, .end = data + size};
    self.proto = proto_of(take(&self));
    self.now = clocks[take(&self) % 4];
    for (int i = 0; i < STEPS_MAX && self.at < self.end; i++) {
        call(&self);
    }
    end_well(&self);
    for (size_t i = 0; i < KEPT_MAX; i++) {
        nats_msg_free(self.kept[i]);
    }
    nats_proto_free(self.proto);
    return 0;
}
