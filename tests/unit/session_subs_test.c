/* The state machine's pings and subscriptions. */
#include "session_rig.h"

#include "proto/submap.h"

static nats_status do_ping(rig *self)
{
    uint64_t token;
    return nats__session_ping(self->session, self->now, 0, &token);
}

/* ---- pings ---- */

static void pongs_come_in_the_order_of_pings(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    uint64_t tokens[40];
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        assert_int_equal(nats__session_ping(self.session, self.now, 100 + i, &tokens[i]), NATS_OK);
        self.now += MS;
    }
    for (size_t i = 0; i < COUNT_OF(tokens); i++) {
        feed(&self, "PONG\r\n");
        assert_next(&self, NATS_PROTO_PONG);
        assert_int_equal(self.event.token, tokens[i]);
        assert_int_equal(self.event.mark, 100 + i);
        assert_true(self.event.rtt_ns == (int64_t)(COUNT_OF(tokens) - i) * MS);
    }
    feed(&self, "PONG\r\n");
    assert_next(&self, 0);
    assert_int_equal(nats__session_pings_out(self.session), 0);
    end(&self);
}

/* STALE comes after max_pings_out intervals and one more. */
static void silence_is_found_out_in_time(void **state)
{
    (void)state;
    for (int most = 1; most <= 5; most++) {
        rig self = {0};
        char text[32];
        snprintf(text, sizeof text, "%d", most);
        set(&self, "ping_interval", "1s");
        set(&self, "max_pings_out", text);
        begin(&self, "nats://a");
        connect_first(&self);
        int64_t since = self.now;
        int64_t answered = 3 * (int64_t)SECOND; /* it answers for a while */
        int32_t type = 0;
        while (type == 0) {
            self.now = nats__session_deadline_ns(self.session);
            nats__session_tick(self.session, self.now);
            assert_true(nats__session_pings_out(self.session) <= most);
            if (self.now - since <= answered) {
                feed(&self, "PONG\r\n");
                assert_next(&self, NATS_PROTO_PONG);
            } else {
                type = next(&self);
            }
        }
        assert_int_equal(type, NATS_PROTO_STALE);
        assert_true(self.now - since == answered + (most + 1) * (int64_t)SECOND);
        assert_next(&self, NATS_PROTO_DISCONNECTED);
        assert_int_equal(self.event.status, NATS_ERR_DISCONNECTED);
        snprintf(text, sizeof text, "%d pings", most);
        assert_non_null(strstr(self.event.text, text));
        end(&self);
    }
}

/* One that the user asked for stands in the same line as those of the keep-alive. */
static void user_pings_do_not_make_it_stale(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "ping_interval", "1s");
    set(&self, "max_pings_out", "1");
    begin(&self, "nats://a");
    connect_first(&self);
    for (int i = 0; i < 10; i++) {
        assert_int_equal(do_ping(&self), NATS_OK);
    }
    assert_int_equal(nats__session_pings_out(self.session), 0);
    self.now += SECOND;
    nats__session_tick(self.session, self.now);
    assert_next(&self, 0);
    assert_int_equal(nats__session_pings_out(self.session), 1);
    for (int i = 0; i < 11; i++) {
        assert_int_equal(nats__session_pings_out(self.session), 1);
        feed(&self, "PONG\r\n");
        assert_next(&self, NATS_PROTO_PONG);
    }
    assert_int_equal(nats__session_pings_out(self.session), 0);
    end(&self);
}

/* PINGs that nobody answers: one read of them does not make more than so many PONGs. */
static void a_flood_of_pings_is_bounded(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    for (int i = 0; i < 100; i++) {
        char lines[6 * 1000 + 1] = "";
        for (int n = 0; n < 1000; n++) {
            memcpy(lines + (size_t)6 * (size_t)n, "PING\r\n", 7);
        }
        feed(&self, lines);
        assert_next(&self, 0);
    }
    assert_in_range(nats__session_out(self.session)->len, 6, 65 * 1024);
    end(&self);
}

static void pongs_that_were_held_are_answered_by_one(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    nats__session_hold_pongs(self.session, true);
    feed(&self, "PING\r\nPING\r\nPING\r\n");
    assert_next(&self, 0);
    assert_out(&self, "");
    nats__session_hold_pongs(self.session, false);
    assert_out(&self, "PONG\r\n");
    nats__session_hold_pongs(self.session, false);
    assert_out(&self, "");
    feed(&self, "PING\r\n");
    assert_next(&self, 0);
    assert_out(&self, "PONG\r\n");
    end(&self);
}

/* ---- subscriptions ---- */

static void sids_count_up_and_are_not_used_again(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    nats__subrec recs[3] = {record("a"), record("b"), record("c")};
    bool done;
    assert_int_equal(nats__session_subscribe(self.session, &recs[0]), NATS_OK);
    assert_int_equal(nats__session_subscribe(self.session, &recs[1]), NATS_OK);
    assert_int_equal(nats__session_unsubscribe(self.session, &recs[1], 0, &done), NATS_OK);
    assert_true(done);
    assert_int_equal(nats__session_subscribe(self.session, &recs[2]), NATS_OK);
    assert_int_equal(recs[0].sid, 1);
    assert_int_equal(recs[1].sid, 2);
    assert_int_equal(recs[2].sid, 3);
    assert_out(&self, "SUB a 1\r\nSUB b 2\r\nUNSUB 2\r\nSUB c 3\r\n");
    assert_int_equal(nats__session_sub_count(self.session), 2);
    end(&self);
}

static void a_sid_that_is_taken_is_passed_over(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    nats__subrec chosen = record("a");
    nats__subrec again = record("b");
    nats__subrec first = record("c");
    nats__subrec second = record("d");
    chosen.sid = 2;
    again.sid = 2;
    assert_int_equal(nats__session_subscribe(self.session, &chosen), NATS_OK);
    forget_error();
    assert_failed(nats__session_subscribe(self.session, &again), NATS_ERR_INVALID,
                  "sid 2 is in use");
    assert_int_equal(nats__session_subscribe(self.session, &first), NATS_OK);
    assert_int_equal(nats__session_subscribe(self.session, &second), NATS_OK);
    assert_int_equal(first.sid, 1);
    assert_int_equal(second.sid, 3);
    end(&self);
}

/* The table against a plain list, through many changes. */
static void the_table_of_sids_holds_what_it_should(void **state)
{
    (void)state;
    enum { SIDS = 500, STEPS = 20000 };
    rig self = {0};
    begin(&self, "nats://a");
    nats__rng rng;
    nats__rng_seed(&rng, "table", 5);
    static nats__subrec recs[SIDS];
    static bool there[SIDS];
    memset(there, 0, sizeof there);
    size_t count = 0;
    for (int step = 0; step < STEPS; step++) {
        size_t i = (size_t)nats__rng_below(&rng, SIDS);
        bool done;
        if (there[i]) {
            assert_int_equal(nats__session_unsubscribe(self.session, &recs[i], 0, &done), NATS_OK);
            count--;
        } else {
            recs[i] = record("s");
            /* Close together, far apart, and at the same place of a table of any size. */
            recs[i].sid = i % 3 == 0 ? i + 1 : i % 3 == 1 ? (uint64_t)i << 20 : UINT64_MAX - i;
            assert_int_equal(nats__session_subscribe(self.session, &recs[i]), NATS_OK);
            count++;
        }
        there[i] = !there[i];
        assert_int_equal(nats__session_sub_count(self.session), count);
        size_t look = (size_t)nats__rng_below(&rng, SIDS);
        nats__subrec *found = nats__session_find(self.session, recs[look].sid);
        assert_ptr_equal(found, there[look] ? &recs[look] : NULL);
    }
    for (size_t i = 0; i < SIDS; i++) {
        assert_ptr_equal(nats__session_find(self.session, recs[i].sid), there[i] ? &recs[i] : NULL);
    }
    end(&self);
}

static void resubscribes_with_what_is_left(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    nats__subrec plain = record("p");
    nats__subrec limited = record("l");
    limited.max = 3;
    assert_int_equal(nats__session_subscribe(self.session, &plain), NATS_OK);
    assert_int_equal(nats__session_subscribe(self.session, &limited), NATS_OK);
    assert_out(&self, "SUB p 1\r\nSUB l 2\r\nUNSUB 2 3\r\n");
    feed(&self, "MSG l 2 0\r\n\r\nMSG p 1 0\r\n\r\n");
    for (int i = 0; i < 2; i++) {
        assert_next(&self, NATS_PROTO_MSG);
        assert_false(self.event.sub_done);
        nats_msg_free(self.event.msg);
    }
    self.now += SECOND;
    lose(&self);
    assert_next(&self, NATS_PROTO_DISCONNECTED);
    assert_next(&self, NATS_PROTO_DIAL);
    shake_hands(&self);
    assert_next(&self, NATS_PROTO_RECONNECTED);
    assert_out(&self, "SUB p 1\r\nSUB l 2\r\nUNSUB 2 2\r\n");
    bool done;
    assert_int_equal(nats__session_unsubscribe(self.session, &limited, 5, &done), NATS_OK);
    assert_false(done);
    assert_out(&self, "UNSUB 2 4\r\n"); /* 5 in all, 1 of them before this connection */
    for (int i = 0; i < 5; i++) {
        feed(&self, "MSG l 2 0\r\n\r\n");
    }
    for (int i = 0; i < 4; i++) {
        assert_next(&self, NATS_PROTO_MSG);
        assert_ptr_equal(self.event.sub, &limited);
        assert_int_equal(self.event.sub_done, i == 3);
        nats_msg_free(self.event.msg);
    }
    assert_next(&self, 0);
    assert_int_equal(nats__session_stray_msgs(self.session), 1);
    assert_null(nats__session_find(self.session, 2));
    end(&self);
}

static void a_refusal_finds_its_subscription(void **state)
{
    (void)state;
    rig self = {0};
    begin_connected(&self);
    nats__subrec plain = record("a.b");
    nats__subrec queued = record("a.b");
    queued.queue = "q";
    queued.queue_len = 1;
    assert_int_equal(nats__session_subscribe(self.session, &plain), NATS_OK);
    assert_int_equal(nats__session_subscribe(self.session, &queued), NATS_OK);
    nats__subrec third = record("a.b");
    assert_int_equal(nats__session_subscribe(self.session, &third), NATS_OK);
    struct {
        const char *line;
        nats__subrec *sub;
        const char *subject;
    } refusals[] = {
        {"-ERR 'Permissions Violation for Subscription to \"a.b\"'\r\n", &plain, "a.b"},
        {"-ERR 'Permissions Violation for Subscription to \"a.b\" using queue \"q\"'\r\n", &queued,
         "a.b"},
        {"-ERR 'Permissions Violation for Subscription to \"a.b\" (sid \"3\")'\r\n", &third,
         "a.b"},
        {"-ERR 'Permissions Violation for Subscription to \"a.b\" (sid \"3\")'\r\n", NULL,
         "a.b"},
        {"-ERR 'Permissions Violation for Subscription to \"a.b\"'\r\n", NULL, "a.b"},
        {"-ERR 'Permissions Violation for Subscription to \"a.b\" (sid \"9\")'\r\n", NULL, "a.b"},
        {"-ERR 'Permissions Violation for Subscription to \"a\"'\r\n", NULL, "a"},
        {"-ERR 'Permissions Violation for Publish to \"a.b\"'\r\n", NULL, "a.b"},
        {"-ERR 'Invalid Subject'\r\n", NULL, ""},
    };
    for (size_t i = 0; i < COUNT_OF(refusals); i++) {
        feed(&self, refusals[i].line);
        assert_next(&self, NATS_PROTO_ERROR);
        assert_true(self.event.recoverable);
        assert_ptr_equal(self.event.sub, refusals[i].sub);
        assert_int_equal(self.event.sub_done, refusals[i].sub != NULL);
        assert_int_equal(self.event.sid, refusals[i].sub != NULL ? refusals[i].sub->sid : 0);
        assert_string_equal(self.event.subject, refusals[i].subject);
    }
    end(&self);
}

/* Each refusal is about one of them, in their order, whatever comes between; those that are left
 * are all that the next connection gets. */
static void refusals_take_one_after_the_other(void **state)
{
    (void)state;
    enum { SUBS = 5, REFUSED = 3 };
    rig self = {0};
    begin_connected(&self);
    nats__subrec recs[SUBS] = {record("a"), record("b"), record("a"), record("a"), record("c")};
    const size_t order[REFUSED] = {0, 2, 3};
    for (size_t i = 0; i < SUBS; i++) {
        assert_int_equal(nats__session_subscribe(self.session, &recs[i]), NATS_OK);
    }
    for (size_t i = 0; i < REFUSED; i++) {
        feed(&self, "-ERR 'Permissions Violation for Subscription to \"a\"'\r\n");
        assert_next(&self, NATS_PROTO_ERROR);
        assert_int_equal(self.event.kind, NATS_KIND_PERMISSION_SUBSCRIBE);
        assert_ptr_equal(self.event.sub, &recs[order[i]]);
    }
    assert_int_equal(nats__session_sub_count(self.session), 2);
    self.now += SECOND;
    lose(&self);
    assert_next(&self, NATS_PROTO_DISCONNECTED);
    assert_next(&self, NATS_PROTO_DIAL);
    shake_hands(&self);
    assert_next(&self, NATS_PROTO_RECONNECTED);
    assert_out(&self, "SUB b 2\r\nSUB c 5\r\n");
    feed(&self, "-ERR 'Permissions Violation for Subscription to \"b\"'\r\n");
    assert_next(&self, NATS_PROTO_ERROR);
    assert_ptr_equal(self.event.sub, &recs[1]);
    end(&self);
}

/* Places in a row that are full: what a removal may have to walk over. */
static size_t longest_run(const nats__submap *map)
{
    size_t longest = 0;
    size_t run = 0;
    for (size_t i = 0; i < 2 * map->slot_count; i++) { /* twice round: a run may go over the end */
        run = map->slots[i & (map->slot_count - 1)] != NULL ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* Sids count up, and the oldest go first: no removal walks over all the others. */
static void sids_in_a_row_do_not_lie_in_a_row(void **state)
{
    (void)state;
    enum { SUBS = 100000, RUN_MAX = 16 };
    nats__submap map = {0};
    nats__subrec *recs = calloc(SUBS, sizeof *recs);
    assert_non_null(recs);
    for (size_t i = 0; i < SUBS; i++) {
        recs[i].sid = i + 1;
        assert_true(nats__submap_add(&map, &recs[i]));
        if ((map.count & (map.count - 1)) == 0) {
            assert_in_range(longest_run(&map), 1, RUN_MAX);
        }
    }
    for (size_t i = 0; i < SUBS; i++) {
        assert_ptr_equal(nats__submap_find(&map, i + 1), &recs[i]);
        nats__submap_remove(&map, i + 1);
        if (i % (SUBS / 10) == 0) {
            assert_in_range(longest_run(&map), 0, RUN_MAX);
        }
    }
    assert_int_equal(map.count, 0);
    nats__submap_free(&map);
    free(recs);
}

static void the_smaller_max_payload_holds(void **state)
{
    (void)state;
    const struct {
        const char *option;
        size_t before;
        size_t after;
    } sizes[] = {{"0", 1048576, 1000}, {"10", 10, 10}, {"100000", 100000, 1000}};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        rig self = {0};
        set(&self, "max_payload", sizes[i].option);
        begin(&self, "nats://a");
        assert_int_equal(nats__session_max_payload(self.session), sizes[i].before);
        connect_first(&self);
        assert_int_equal(nats__session_max_payload(self.session), sizes[i].after);
        end(&self);
    }
}

static void inboxes_are_unique_and_fit(void **state)
{
    (void)state;
    rig self = {0};
    set(&self, "inbox_prefix", "my.box");
    begin(&self, "nats://a");
    char one[64];
    char two[64];
    size_t len;
    assert_int_equal(nats__session_new_inbox(self.session, one, sizeof one, &len), NATS_OK);
    assert_int_equal(nats__session_new_inbox(self.session, two, sizeof two, NULL), NATS_OK);
    assert_int_equal(len, 29);
    assert_int_equal(strlen(one), 29);
    assert_memory_equal(one, "my.box.", 7);
    assert_string_not_equal(one, two);
    assert_int_equal(nats__session_new_inbox(self.session, one, 30, NULL), NATS_OK);
    forget_error();
    assert_failed(nats__session_new_inbox(self.session, one, 29, &len), NATS_ERR_INVALID,
                  "an inbox needs 30 bytes, 29 are there");
    assert_int_equal(len, 0);
    end(&self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pongs_come_in_the_order_of_pings),
        cmocka_unit_test(silence_is_found_out_in_time),
        cmocka_unit_test(user_pings_do_not_make_it_stale),
        cmocka_unit_test(a_flood_of_pings_is_bounded),
        cmocka_unit_test(pongs_that_were_held_are_answered_by_one),
        cmocka_unit_test(sids_count_up_and_are_not_used_again),
        cmocka_unit_test(a_sid_that_is_taken_is_passed_over),
        cmocka_unit_test(the_table_of_sids_holds_what_it_should),
        cmocka_unit_test(resubscribes_with_what_is_left),
        cmocka_unit_test(a_refusal_finds_its_subscription),
        cmocka_unit_test(refusals_take_one_after_the_other),
        cmocka_unit_test(sids_in_a_row_do_not_lie_in_a_row),
        cmocka_unit_test(the_smaller_max_payload_holds),
        cmocka_unit_test(inboxes_are_unique_and_fit),
    };
    return cmocka_run_group_tests_name("session subs", tests, NULL, NULL);
}
