#include "unit.h"

#include "base/clock.h"
#include "base/rng.h"

static nats__rng seeded(const char *seed, size_t len)
{
    nats__rng rng;
    nats__rng_seed(&rng, seed, len);
    return rng;
}

static void the_same_seed_gives_the_same_numbers(void **state)
{
    (void)state;
    nats__rng a = seeded(BYTES("0123456789abcdef"));
    nats__rng b = seeded(BYTES("0123456789abcdef"));
    for (int i = 0; i < 1000; i++) {
        assert_true(nats__rng_next(&a) == nats__rng_next(&b));
    }
}

static void every_part_of_the_seed_counts(void **state)
{
    (void)state;
    char seed[40];
    for (size_t len = 0; len <= sizeof seed; len += 5) {
        memset(seed, 0, sizeof seed);
        nats__rng plain = seeded(seed, len);
        for (size_t i = 0; i < len; i++) {
            seed[i] = 1;
            nats__rng changed = seeded(seed, len);
            seed[i] = 0;
            nats__rng copy = plain;
            assert_true(nats__rng_next(&copy) != nats__rng_next(&changed));
        }
    }
    nats__rng shorter = seeded(seed, 8);
    nats__rng longer = seeded(seed, 9);
    assert_true(nats__rng_next(&shorter) != nats__rng_next(&longer));
}

static void an_empty_seed_works_too(void **state)
{
    (void)state;
    nats__rng rng = seeded(NULL, 0);
    uint64_t first = nats__rng_next(&rng);
    assert_true(nats__rng_next(&rng) != first);
}

static void bits_are_set_half_of_the_time(void **state)
{
    (void)state;
    nats__rng rng = seeded(BYTES("bits"));
    int set[64] = {0};
    for (int i = 0; i < 10000; i++) {
        uint64_t x = nats__rng_next(&rng);
        for (int bit = 0; bit < 64; bit++) {
            set[bit] += x >> bit & 1;
        }
    }
    for (int bit = 0; bit < 64; bit++) {
        assert_in_range(set[bit], 4700, 5300); /* six standard deviations */
    }
}

static void below_stays_below(void **state)
{
    (void)state;
    static const uint64_t bounds[] = {1, 2, 3, 62, 1000, UINT64_C(1) << 63, UINT64_MAX};
    nats__rng rng = seeded(BYTES("bounds"));
    for (size_t i = 0; i < COUNT_OF(bounds); i++) {
        for (int k = 0; k < 1000; k++) {
            assert_true(nats__rng_below(&rng, bounds[i]) < bounds[i]);
        }
    }
}

static void below_favours_no_number(void **state)
{
    (void)state;
    nats__rng rng = seeded(BYTES("evenly"));
    int counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        counts[nats__rng_below(&rng, 7)]++;
    }
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        assert_in_range(counts[i], 9400, 10600);
    }
    /* Where plain division would err most: two thirds of all numbers would be below the middle. */
    uint64_t bound = UINT64_C(3) << 62;
    int low = 0;
    for (int i = 0; i < 10000; i++) {
        low += nats__rng_below(&rng, bound) < bound / 2;
    }
    assert_in_range(low, 4700, 5300);
}

static void the_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t last = nats__now_ns();
    assert_true(last > 0);
    for (int i = 0; i < 10000; i++) {
        int64_t now = nats__now_ns();
        assert_true(now >= last);
        last = now;
    }
}

static void the_system_gives_random_bytes_of_any_length(void **state)
{
    (void)state;
    uint8_t a[1024] = {0};
    uint8_t b[1024] = {0};
    assert_true(nats__random(a, 0));
    assert_true(nats__random(a, sizeof a));
    assert_true(nats__random(b, sizeof b));
    assert_memory_not_equal(a, b, sizeof a);
    const uint8_t zeros[32] = {0};
    assert_memory_not_equal(a + sizeof a - 32, zeros, 32);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_numbers),
        cmocka_unit_test(every_part_of_the_seed_counts),
        cmocka_unit_test(an_empty_seed_works_too),
        cmocka_unit_test(bits_are_set_half_of_the_time),
        cmocka_unit_test(below_stays_below),
        cmocka_unit_test(below_favours_no_number),
        cmocka_unit_test(the_clock_does_not_go_back),
        cmocka_unit_test(the_system_gives_random_bytes_of_any_length),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
