/* How long a pull rests after it was refused: longer each time, but never for longer than the heartbeat, by which a
 * consumer is to notice that the server is there again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jetstream/pull.h"

static const int64_t MS = 1000000;

static int64_t rest_after(int64_t heartbeat_ns, int refusals)
{
    nats__pull pull = {.heartbeat_ns = heartbeat_ns};
    for (int i = 0; i < refusals; i++) {
        int64_t now_ns = pull.rest_until_ns;
        nats__pull_rest(&pull, now_ns);
        nats__pull_rest(&pull, now_ns); /* another request was refused for the same reason */
        assert_int_equal(pull.rest_until_ns, now_ns + pull.rest_ns);
    }
    return pull.rest_ns;
}

static void test_rest_grows(void **state)
{
    (void)state;
    assert_int_equal(rest_after(0, 1), 250 * MS);
    assert_int_equal(rest_after(0, 2), 500 * MS);
    assert_int_equal(rest_after(0, 6), 8000 * MS);
    assert_int_equal(rest_after(0, 60), 8000 * MS);
    assert_int_equal(rest_after(15000 * MS, 60), 8000 * MS);
}

static void test_rest_is_no_longer_than_a_heartbeat(void **state)
{
    (void)state;
    assert_int_equal(rest_after(1000 * MS, 2), 500 * MS);
    assert_int_equal(rest_after(1000 * MS, 3), 1000 * MS);
    assert_int_equal(rest_after(1000 * MS, 60), 1000 * MS);
    assert_int_equal(rest_after(10 * MS, 60), 250 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rest_grows),
        cmocka_unit_test(test_rest_is_no_longer_than_a_heartbeat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
