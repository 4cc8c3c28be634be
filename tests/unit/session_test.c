/* The state machine: its steps in and out of turn, and its schedule on a clock of our own. What it says to bytes is in
 * tests/proto/cases. */
#include "session_rig.h"

/* ---- steps in and out of turn ---- */

static nats_status do_start(rig *self)
{
    return nats__session_start(self->session, self->now);
}

static nats_status do_up(rig *self)
{
    return nats__session_transport_up(self->session, self->now);
}

static nats_status do_upgraded(rig *self)
{
    return nats__session_upgraded(self->session, self->now);
}

static nats_status do_secured(rig *self)
{
    return nats__session_secured(self->session, self->now);
}

static nats_status do_sign(rig *self)
{
    return nats__session_sign(self->session, "sig", 3, "UKEY", NULL, self->now);
}

static nats_status do_ping(rig *self)
{
    uint64_t token;
    return nats__session_ping(self->session, self->now, 0, &token);
}

typedef nats_status (*call)(rig *);
static const call calls[] = {do_start, do_up, do_upgraded, do_secured, do_sign, do_ping};

/* Bring a session that wants every step there is (wss, TLS by INFO on nats, a signature) to a state. */
static void bring_to(rig *self, int32_t state)
{
    bool websocket = state == NATS_PROTO_STATE_UPGRADING;
    set(self, "reconnect_wait", "1s");
    begin(self, websocket ? "ws://a" : state == NATS_PROTO_STATE_SECURING ? "tls://a" : "nats://a");
    if (state == NATS_PROTO_STATE_IDLE) {
        return;
    }
    assert_int_equal(do_start(self), NATS_OK);
    if (state == NATS_PROTO_STATE_DIALING) {
        return;
    }
    if (state == NATS_PROTO_STATE_CLOSED) {
        nats__session_close(self->session);
        return;
    }
    if (state == NATS_PROTO_STATE_WAITING) {
        lose(self);
        return;
    }
    assert_int_equal(do_up(self), NATS_OK);
    if (websocket || state == NATS_PROTO_STATE_WAITING_INFO) {
        return;
    }
    nats__session_expect_signature(self->session, state == NATS_PROTO_STATE_SIGNING);
    feed(self, info);
    while (next(self) != 0) {
    }
    if (state == NATS_PROTO_STATE_CONNECTED) {
        feed(self, "PONG\r\n");
        assert_next(self, NATS_PROTO_CONNECTED);
    }
}

/* For each state: which of the calls are in turn (the others are INVALID), and what a ping is answered. */
typedef struct turn {
    int32_t state;
    size_t in_turn; /* index into calls; COUNT_OF(calls) for none */
    nats_status ping;
} turn;

static const turn turns[] = {
    {NATS_PROTO_STATE_IDLE, 0, NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_WAITING, COUNT_OF(calls), NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_DIALING, 1, NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_UPGRADING, 2, NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_WAITING_INFO, COUNT_OF(calls), NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_SECURING, 3, NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_SIGNING, 4, NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_WAITING_PONG, COUNT_OF(calls), NATS_ERR_DISCONNECTED},
    {NATS_PROTO_STATE_CONNECTED, 5, NATS_OK},
    {NATS_PROTO_STATE_CLOSED, COUNT_OF(calls), NATS_ERR_CLOSED},
};

static void every_call_has_its_turn(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        for (size_t c = 0; c < COUNT_OF(calls); c++) {
            rig self = {0};
            bring_to(&self, turns[i].state);
            assert_state(&self, turns[i].state);
            nats_status wanted = c == turns[i].in_turn ? NATS_OK : NATS_ERR_INVALID;
            assert_int_equal(calls[c](&self), calls[c] == do_ping ? turns[i].ping : wanted);
            if (wanted != NATS_OK) {
                assert_state(&self, turns[i].state);
            }
            end(&self);
        }
    }
}

/* What a failure and a close make of each state. */
static void any_state_can_fail_and_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(turns); i++) {
        int32_t from = turns[i].state;
        bool live = from >= NATS_PROTO_STATE_DIALING && from <= NATS_PROTO_STATE_CONNECTED;
        rig self = {0};
        bring_to(&self, from);
        while (next(&self) != 0) {
        }
        lose(&self);
        assert_state(&self, live ? NATS_PROTO_STATE_WAITING : from);
        int32_t told = from == NATS_PROTO_STATE_CONNECTED ? NATS_PROTO_DISCONNECTED
                                                          : NATS_PROTO_ERROR;
        assert_next(&self, live ? told : 0);
        nats__session_close(self.session);
        nats__session_close(self.session);
        assert_state(&self, NATS_PROTO_STATE_CLOSED);
        assert_next(&self, from == NATS_PROTO_STATE_CLOSED ? 0 : NATS_PROTO_CLOSED);
        assert_int_equal(self.event.status, NATS_OK);
        assert_next(&self, 0);
        assert_true(nats__session_deadline_ns(self.session) == INT64_MAX);
        end(&self);
    }
}

static void a_signature_is_asked_for_and_sent(void **state)
{
    (void)state;
    rig self = {0};
    begin(&self, "nats://a");
    nats__session_expect_signature(self.session, true);
    assert_int_equal(do_start(&self), NATS_OK);
    assert_next(&self, NATS_PROTO_DIAL);
    assert_int_equal(do_up(&self), NATS_OK);
    feed(&self, info);
    assert_next(&self, NATS_PROTO_SIGN_WANTED);
    assert_string_equal(self.event.text, "abc");
    const uint8_t signature[] = {0xFB, 0xFF, 0xFE, 0x00};
    assert_int_equal(nats__session_sign(self.session, signature, sizeof signature, "UKEY", "j.w.t",
                                        self.now),
                     NATS_OK);
    nats__buf *out = nats__session_out(self.session);
    nats__buf_append(out, "", 1);
    assert_non_null(strstr((char *)out->data,
                           "\"sig\":\"-__-AA\",\"nkey\":\"UKEY\",\"jwt\":\"j.w.t\"}\r\nPING\r\n"));
    end(&self);
}

static void without_a_nonce_nothing_is_signed(void **state)
{
    (void)state;
    rig self = {0};
    begin(&self, "nats://a");
    nats__session_expect_signature(self.session, true);
    assert_int_equal(do_start(&self), NATS_OK);
    assert_next(&self, NATS_PROTO_DIAL);
    assert_int_equal(do_up(&self), NATS_OK);
    feed(&self, "INFO {}\r\n");
    assert_next(&self, 0);
    assert_state(&self, NATS_PROTO_STATE_WAITING_PONG);
    end(&self);
}

/* A wish that nobody took before the attempt failed is not a wish any more: acting on it would open
 * a second transport. */
static void wishes_of_a_failed_attempt_are_dropped(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "reconnect_wait", "0");
    begin(&self, "nats://a,nats://b");
    assert_int_equal(do_start(&self), NATS_OK);
    nats__session_tick(self.session, self.now + 3600 * (int64_t)SECOND);
    assert_next(&self, NATS_PROTO_ERROR);
    assert_next(&self, NATS_PROTO_DIAL);
    assert_next(&self, 0);
    nats__session_reconnect(self.session, self.now);
    nats__session_reconnect(self.session, self.now);
    assert_next(&self, NATS_PROTO_DIAL);
    assert_next(&self, 0);
    nats__session_reconnect(self.session, self.now);
    nats__session_close(self.session);
    assert_next(&self, NATS_PROTO_CLOSED);
    assert_next(&self, 0);
    end(&self);
}

/* Nobody takes events: what is kept is bounded, and the newest is the truth. */
static void events_nobody_takes_do_not_pile_up(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "reconnect_wait", "0");
    begin(&self, "nats://a");
    assert_int_equal(do_start(&self), NATS_OK);
    for (int i = 0; i < 1000; i++) {
        lose(&self);
    }
    nats__session_close(self.session);
    int32_t last = 0;
    int count = 0;
    for (int32_t type = next(&self); type != 0; type = next(&self)) {
        last = type;
        count++;
    }
    assert_in_range(count, 1, 16);
    assert_int_equal(last, NATS_PROTO_CLOSED);
    end(&self);
}

/* ---- credentials ---- */

typedef struct conflict {
    const char *url;
    const char *user;
    const char *token;
    const char *about; /* NULL: fine */
} conflict;

static const conflict conflicts[] = {
    {"nats://a", "ann", NULL, NULL},
    {"nats://a", NULL, "t", NULL},
    {"nats://ann:pw@a", NULL, NULL, NULL},
    {"nats://tok@a,nats://ann:pw@b,nats://c", NULL, NULL, NULL},
    {"nats://a", "ann", "t", "token"},
    {"nats://ann:pw@a", "ann", NULL, "user"},
    {"nats://b,nats://tok@a", NULL, "t", "token"},
};

static void credentials_come_from_one_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(conflicts); i++) {
        rig self = {0};
        set(&self, "no_randomize", "true");
        if (conflicts[i].user != NULL) {
            set(&self, "user", conflicts[i].user);
        }
        if (conflicts[i].token != NULL) {
            set(&self, "token", conflicts[i].token);
        }
        forget_error();
        nats_status status =
            nats__session_new(conflicts[i].url, self.options, "s", 1, &self.session);
        assert_int_equal(status, conflicts[i].about != NULL ? NATS_ERR_INVALID : NATS_OK);
        assert_string_equal(nats__error_get()->about,
                            conflicts[i].about != NULL ? conflicts[i].about : "");
        assert_null(strstr(nats__error_get()->text, "pw"));
        assert_null(strstr(nats__error_get()->text, "tok@"));
        end(&self);
    }
}

/* ---- the schedule ---- */

static void the_first_attempt_after_a_loss_is_immediate(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    self.now += 100 * MS; /* reconnect_wait's default */
    lose(&self);
    assert_next(&self, NATS_PROTO_DISCONNECTED);
    assert_string_equal(self.event.text, "gone");
    assert_string_equal(self.event.url, "nats://a:4222");
    assert_int_equal(self.event.status, NATS_ERR_IO);
    assert_next(&self, NATS_PROTO_DIAL);
    end(&self);
}

static void a_disconnect_names_the_server_that_was_lost(void **state)
{
    (void)state;
    rig self = {0};
    begin(&self, "nats://a,nats://b");
    connect_first(&self);
    self.now += SECOND;
    lose(&self);
    assert_next(&self, NATS_PROTO_DISCONNECTED);
    assert_string_equal(self.event.url, "nats://a:4222");
    assert_next(&self, NATS_PROTO_DIAL);
    assert_string_equal(nats__pool_current(nats__session_pool(self.session))->url.text,
                        "nats://b:4222");
    end(&self);
}

/* A server that takes each connection and drops it at once: as rare as one that refuses. */
static void a_server_that_drops_at_once_makes_no_hot_loop(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "reconnect_wait", "100ms");
    set(&self, "reconnect_wait_max", "2s");
    begin_connected(&self);
    int64_t longest = 0;
    for (int i = 0; i < 60; i++) {
        self.now += MS;
        lose(&self);
        assert_next(&self, NATS_PROTO_DISCONNECTED);
        assert_state(&self, NATS_PROTO_STATE_WAITING);
        int64_t wait = nats__session_deadline_ns(self.session) - self.now;
        int64_t bound = i < 4 ? (100 << i) * (int64_t)MS : 2 * (int64_t)SECOND;
        bound = bound < 2 * (int64_t)SECOND ? bound : 2 * (int64_t)SECOND;
        assert_true(wait >= 0 && wait <= bound);
        longest = wait > longest ? wait : longest;
        self.now += wait;
        nats__session_tick(self.session, self.now);
        assert_next(&self, NATS_PROTO_DIAL);
        shake_hands(&self);
        assert_next(&self, NATS_PROTO_RECONNECTED);
    }
    assert_true(longest > SECOND);
    end(&self);
}

/* One that lasted wipes the slate. */
static void a_connection_that_lasts_ends_the_back_off(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    for (int i = 0; i < 5; i++) {
        lose(&self);
        self.now = nats__session_deadline_ns(self.session);
        nats__session_tick(self.session, self.now);
        while (next(&self) != 0) {
        }
        shake_hands(&self);
        assert_next(&self, NATS_PROTO_RECONNECTED);
    }
    assert_int_equal(nats__pool_current(nats__session_pool(self.session))->attempts, 5);
    self.now += SECOND;
    lose(&self);
    assert_next(&self, NATS_PROTO_DISCONNECTED);
    assert_next(&self, NATS_PROTO_DIAL);
    lose(&self);
    int64_t wait = nats__session_deadline_ns(self.session) - self.now;
    assert_true(wait <= 100 * (int64_t)MS);
    end(&self);
}

/* Many clients of one server that goes away: each attempt of each has its own place in the whole of its range. */
static void clients_do_not_come_back_together(void **state)
{
    (void)state;
    enum { CLIENTS = 400, PARTS = 8 };
    int parts[PARTS] = {0};
    for (int i = 0; i < CLIENTS; i++) {
        char seed[32];
        snprintf(seed, sizeof seed, "client %d", i);
        rig self = {0};
        set(&self, "reconnect_wait", "1s");
        begin_seeded(&self, "nats://a", seed);
        assert_int_equal(do_start(&self), NATS_OK);
        lose(&self);
        int64_t wait = nats__session_deadline_ns(self.session) - self.now;
        assert_true(wait >= 0 && wait <= SECOND);
        parts[wait == SECOND ? PARTS - 1 : wait * PARTS / SECOND]++;
        end(&self);
    }
    for (int i = 0; i < PARTS; i++) {
        assert_in_range(parts[i], 25, 80); /* 50 each on average */
    }
}

static void every_server_has_its_own_back_off(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "reconnect_wait", "1s");
    begin(&self, "nats://a,nats://b,nats://c");
    assert_int_equal(do_start(&self), NATS_OK);
    assert_false(nats__session_first_round_over(self.session));
    for (int i = 0; i < 3; i++) {
        assert_state(&self, NATS_PROTO_STATE_DIALING); /* the next one waits for nobody */
        assert_false(nats__session_first_round_over(self.session));
        lose(&self);
    }
    assert_true(nats__session_first_round_over(self.session));
    assert_state(&self, NATS_PROTO_STATE_WAITING);
    int64_t due = nats__session_deadline_ns(self.session);
    const nats__pool *pool = nats__session_pool(self.session);
    for (size_t i = 0; i < pool->count; i++) {
        assert_int_equal(pool->servers[i].attempts, 1);
        assert_true(pool->servers[i].not_before_ns >= due);
    }
    end(&self);
}

static void the_first_round_is_over_only_before_any_success(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    self.now += SECOND;
    for (int i = 0; i < 5; i++) {
        lose(&self);
        self.now += 10 * (int64_t)SECOND;
        nats__session_tick(self.session, self.now);
    }
    assert_false(nats__session_first_round_over(self.session));
    end(&self);
}

/* The clock may begin anywhere. */
static void a_clock_below_zero_is_a_clock(void **state)
{
    (void)state;
    rig self = {0};
    begin(&self, "nats://a");
    self.now = INT64_MIN / 2;
    connect_first(&self);
    self.now += SECOND;
    lose(&self);
    assert_next(&self, NATS_PROTO_DISCONNECTED);
    assert_next(&self, NATS_PROTO_DIAL);
    end(&self);
}

static void a_server_taken_out_while_it_waits_is_not_dialled(void **state)
{
    (void)state;
    rig self = {0};
    begin(&self, "nats://a,nats://b");
    assert_int_equal(do_start(&self), NATS_OK);
    lose(&self);
    lose(&self);
    while (next(&self) != 0) {
    }
    assert_state(&self, NATS_PROTO_STATE_WAITING);
    nats__pool *pool = nats__session_pool(self.session);
    char other[64];
    snprintf(other, sizeof other, "%s", pool->servers[1 - pool->current].url.text);
    assert_true(nats__pool_drop(pool, pool->current));
    self.now += 10 * (int64_t)SECOND;
    nats__session_tick(self.session, self.now);
    assert_next(&self, NATS_PROTO_DIAL);
    assert_string_equal(nats__pool_current(pool)->url.text, other);
    end(&self);
}

static void without_any_server_it_closes(void **state)
{
    (void)state;
    rig self = {0};
    begin(&self, "nats://a");
    assert_true(nats__pool_drop(nats__session_pool(self.session), 0));
    assert_int_equal(do_start(&self), NATS_OK);
    assert_next(&self, NATS_PROTO_CLOSED);
    assert_int_equal(self.event.status, NATS_ERR_INVALID);
    assert_string_equal(self.event.text, "no server is left to connect to");
    end(&self);
}

/* Waits for the next server's turn; what it says to the attempt is an -ERR. */
static void refuse(rig *self, const char *text)
{
    char line[100];
    while (nats__session_state(self->session) == NATS_PROTO_STATE_WAITING) {
        self->now = nats__session_deadline_ns(self->session);
        nats__session_tick(self->session, self->now);
    }
    assert_int_equal(nats__session_transport_up(self->session, self->now), NATS_OK);
    snprintf(line, sizeof line, "-ERR '%s'\r\n", text);
    feed(self, line);
    while (next(self) != 0) {
    }
}

/* Two equal refusals end one server, not the others; a success in between forgets the first. */
static void two_refusals_of_one_server_leave_the_others(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "reconnect_wait", "0");
    begin(&self, "nats://a,nats://b");
    assert_int_equal(do_start(&self), NATS_OK);
    for (int i = 0; i < 4; i++) {
        nats__server *server = nats__pool_current(nats__session_pool(self.session));
        bool is_a = strcmp(server->url.host, "a") == 0;
        refuse(&self, is_a ? "Authorization Violation" : "maximum connections exceeded");
    }
    for (int i = 0; i < 5; i++) {
        assert_string_equal(nats__pool_current(nats__session_pool(self.session))->url.host, "b");
        lose(&self);
    }
    end(&self);
}

static void different_refusals_go_on(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "reconnect_wait", "0");
    begin(&self, "nats://a");
    assert_int_equal(do_start(&self), NATS_OK);
    for (int i = 0; i < 6; i++) {
        refuse(&self, i % 2 == 0 ? "Authorization Violation" : "User Authentication Revoked");
    }
    assert_state(&self, NATS_PROTO_STATE_WAITING);
    refuse(&self, "User Authentication Revoked");
    assert_state(&self, NATS_PROTO_STATE_CLOSED);
    end(&self);
}

/* Too late is no verdict on the credentials, and those that have expired may be fresh the next
 * time. */
static void late_and_expired_credentials_are_tried_again(void **state)
{
    (void)state;
    static const char *const texts[] = {"Authorization Timeout", "Authentication Timeout",
                                        "User Authentication Expired",
                                        "Account Authentication Expired"};
    for (size_t i = 0; i < COUNT_OF(texts); i++) {
        rig self = {0};
        begin(&self, "nats://a");
        assert_int_equal(do_start(&self), NATS_OK);
        for (int n = 0; n < 10; n++) {
            refuse(&self, texts[i]);
            assert_state(&self, NATS_PROTO_STATE_WAITING);
        }
        end(&self);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_call_has_its_turn),
        cmocka_unit_test(any_state_can_fail_and_close),
        cmocka_unit_test(a_signature_is_asked_for_and_sent),
        cmocka_unit_test(without_a_nonce_nothing_is_signed),
        cmocka_unit_test(wishes_of_a_failed_attempt_are_dropped),
        cmocka_unit_test(events_nobody_takes_do_not_pile_up),
        cmocka_unit_test(credentials_come_from_one_place),
        cmocka_unit_test(the_first_attempt_after_a_loss_is_immediate),
        cmocka_unit_test(a_disconnect_names_the_server_that_was_lost),
        cmocka_unit_test(a_server_that_drops_at_once_makes_no_hot_loop),
        cmocka_unit_test(a_connection_that_lasts_ends_the_back_off),
        cmocka_unit_test(clients_do_not_come_back_together),
        cmocka_unit_test(every_server_has_its_own_back_off),
        cmocka_unit_test(the_first_round_is_over_only_before_any_success),
        cmocka_unit_test(a_clock_below_zero_is_a_clock),
        cmocka_unit_test(a_server_taken_out_while_it_waits_is_not_dialled),
        cmocka_unit_test(without_any_server_it_closes),
        cmocka_unit_test(two_refusals_of_one_server_leave_the_others),
        cmocka_unit_test(different_refusals_go_on),
        cmocka_unit_test(late_and_expired_credentials_are_tried_again),
    };
    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
