/* The pool of servers: who is in it, who is next, and how soon. */
#include <stdio.h>

#include "unit.h"

#include "proto/pool.h"

static nats__rng rng_of(const char *seed)
{
    nats__rng rng;
    nats__rng_seed(&rng, seed, strlen(seed));
    return rng;
}

static nats__pool pool_of(const char *list)
{
    nats__pool pool;
    nats__rng rng = rng_of("pool");
    assert_int_equal(nats__pool_init(&pool, list, false, &rng), NATS_OK);
    return pool;
}

static void assert_next(nats__pool *pool, int32_t max, const char *url)
{
    nats__server *server = nats__pool_next(pool, max);
    if (url == NULL) {
        assert_null(server);
        return;
    }
    assert_non_null(server);
    assert_string_equal(server->url.text, url);
    assert_ptr_equal(nats__pool_current(pool), server);
}

static void assert_order(const nats__pool *pool, const char *wanted)
{
    char order[512] = "";
    for (size_t i = 0; i < pool->count; i++) {
        strcat(order, i > 0 ? "," : "");
        strcat(order, pool->servers[i].url.text);
    }
    assert_string_equal(order, wanted);
}

/* ---- who is in it ---- */

static void takes_a_list_in_its_order_and_once(void **state)
{
    (void)state;
    nats__pool pool = pool_of("nats://a, b:5 ,,tls://c,A:4222");
    assert_order(&pool, "nats://a:4222,nats://b:5,tls://c:4222");
    nats__pool_free(&pool);
}

static void has_a_default(void **state)
{
    (void)state;
    nats__pool pool = pool_of(NULL);
    assert_order(&pool, "nats://127.0.0.1:4222");
    assert_null(nats__pool_current(&pool));
    nats__pool_free(&pool);
}

static void refuses_lists_without_a_server(void **state)
{
    (void)state;
    const char *bad[] = {"", " , ,", "a,:::", "a,nats://", "nats://a:0"};
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        nats__pool pool;
        nats__rng rng = rng_of("x");
        forget_error();
        assert_int_equal(nats__pool_init(&pool, bad[i], false, &rng), NATS_ERR_INVALID);
        assert_string_equal(nats__error_get()->about, "url");
        assert_int_equal(pool.count, 0);
        assert_null(pool.servers);
    }
}

static void shuffles_by_its_seed(void **state)
{
    (void)state;
    const char *list = "s0,s1,s2,s3,s4,s5,s6,s7";
    int first[8] = {0};
    for (int seed = 0; seed < 400; seed++) {
        char text[32];
        nats__pool one;
        nats__pool two;
        snprintf(text, sizeof text, "seed %d", seed);
        nats__rng rng = rng_of(text);
        nats__rng again = rng_of(text);
        assert_int_equal(nats__pool_init(&one, list, true, &rng), NATS_OK);
        assert_int_equal(nats__pool_init(&two, list, true, &again), NATS_OK);
        unsigned seen = 0;
        for (size_t i = 0; i < one.count; i++) {
            assert_string_equal(one.servers[i].url.text, two.servers[i].url.text);
            seen |= 1u << (one.servers[i].url.host[1] - '0');
        }
        assert_int_equal(seen, 0xFF);
        first[one.servers[0].url.host[1] - '0']++;
        nats__pool_free(&one);
        nats__pool_free(&two);
    }
    for (size_t i = 0; i < COUNT_OF(first); i++) {
        assert_in_range(first[i], 20, 90); /* 50 each on average, far less often wrong than right */
    }
}

static bool add(nats__pool *pool, const char *text, bool discovered)
{
    nats__url url;
    bool added;
    assert_int_equal(nats__url_parse(text, strlen(text), &url), NATS_OK);
    assert_int_equal(nats__pool_add(pool, &url, discovered, &added), NATS_OK);
    nats__url_free(&url);
    return added;
}

static void adding_one_that_is_there_makes_it_a_given_one(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a");
    assert_true(add(&pool, "b", true));
    assert_true(pool.servers[1].discovered);
    assert_false(add(&pool, "nats://b:4222", true));
    assert_true(pool.servers[1].discovered);
    assert_false(add(&pool, "b", false));
    assert_false(pool.servers[1].discovered);
    assert_int_equal(pool.count, 2);
    nats__pool_free(&pool);
}

static void has_a_limit(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a");
    char text[32];
    for (int i = 1; i < NATS__POOL_MAX; i++) {
        snprintf(text, sizeof text, "s%d", i);
        assert_true(add(&pool, text, false));
    }
    nats__url url;
    bool added;
    assert_int_equal(nats__url_parse("more", 4, &url), NATS_OK);
    forget_error();
    assert_failed(nats__pool_add(&pool, &url, false, &added), NATS_ERR_LIMIT,
                  "1024 servers are known: no more");
    assert_false(added);
    nats__url_free(&url);
    nats__pool_free(&pool);
}

/* ---- who is next ---- */

static void goes_round(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b,c");
    assert_next(&pool, -1, "nats://a:4222");
    assert_next(&pool, -1, "nats://b:4222");
    assert_next(&pool, -1, "nats://c:4222");
    assert_next(&pool, -1, "nats://a:4222");
    nats__pool_free(&pool);
}

static void takes_who_is_due_first(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b,c");
    pool.servers[0].not_before_ns = 30;
    pool.servers[1].not_before_ns = 20;
    pool.servers[2].not_before_ns = 10;
    assert_next(&pool, -1, "nats://c:4222");
    pool.servers[2].not_before_ns = 40;
    assert_next(&pool, -1, "nats://b:4222");
    nats__pool_free(&pool);
}

static void passes_over_who_was_given_up(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b,c");
    pool.servers[0].attempts = 3;
    pool.servers[1].attempts = 2;
    pool.servers[2].attempts = INT32_MAX; /* refused twice: whatever the number */
    assert_next(&pool, 3, "nats://b:4222");
    assert_next(&pool, 3, "nats://b:4222");
    assert_next(&pool, -1, "nats://a:4222");
    assert_next(&pool, -1, "nats://b:4222");
    assert_next(&pool, 2, NULL);
    nats__pool_free(&pool);
}

/* It may have been started anew long ago, and the others gone for good. */
static void a_lame_duck_is_tried_when_the_others_fail(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b");
    pool.servers[0].lame_duck = true;
    assert_next(&pool, -1, "nats://b:4222");
    pool.servers[1].attempts = 1;
    pool.servers[1].not_before_ns = 10;
    assert_next(&pool, -1, "nats://a:4222");
    pool.servers[0].attempts = 1;
    pool.servers[0].not_before_ns = 20;
    assert_next(&pool, -1, "nats://b:4222");
    nats__pool_free(&pool);
}

static void lame_ducks_come_last(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b");
    pool.servers[0].lame_duck = true;
    pool.servers[1].not_before_ns = 1000;
    assert_next(&pool, -1, "nats://b:4222");
    assert_next(&pool, -1, "nats://b:4222");
    pool.servers[1].attempts = 1;
    assert_next(&pool, 1, "nats://a:4222");
    nats__pool_free(&pool);
}

/* ---- who goes ---- */

static void removing_keeps_the_current_one_current(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b,c,d");
    assert_next(&pool, -1, "nats://a:4222");
    assert_next(&pool, -1, "nats://b:4222");
    assert_true(nats__pool_remove(&pool, 0));
    assert_string_equal(nats__pool_current(&pool)->url.text, "nats://b:4222");
    assert_true(nats__pool_remove(&pool, 1));
    assert_string_equal(nats__pool_current(&pool)->url.text, "nats://b:4222");
    assert_false(nats__pool_remove(&pool, 2));
    assert_order(&pool, "nats://b:4222,nats://d:4222");
    assert_next(&pool, -1, "nats://d:4222");
    nats__pool_free(&pool);
}

static void the_one_in_use_goes_when_it_is_left(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b,c");
    assert_next(&pool, -1, "nats://a:4222");
    assert_next(&pool, -1, "nats://b:4222");
    assert_true(nats__pool_drop(&pool, 1));
    assert_order(&pool, "nats://a:4222,nats://b:4222,nats://c:4222");
    assert_next(&pool, -1, "nats://c:4222");
    assert_order(&pool, "nats://a:4222,nats://c:4222");
    assert_true(nats__pool_drop(&pool, 0));
    assert_order(&pool, "nats://c:4222");
    assert_true(nats__pool_drop(&pool, 0));
    assert_next(&pool, -1, NULL);
    assert_int_equal(pool.count, 0);
    assert_null(nats__pool_current(&pool));
    assert_true(add(&pool, "z", false));
    assert_next(&pool, -1, "nats://z:4222");
    nats__pool_free(&pool);
}

static void removed_in_first_place_the_order_goes_on(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b,c");
    assert_next(&pool, -1, "nats://a:4222");
    assert_true(nats__pool_drop(&pool, 0));
    assert_next(&pool, -1, "nats://b:4222");
    assert_next(&pool, -1, "nats://c:4222");
    nats__pool_free(&pool);
}

static void added_again_it_stays(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a");
    assert_next(&pool, -1, "nats://a:4222");
    assert_true(nats__pool_drop(&pool, 0));
    assert_false(add(&pool, "a", true)); /* the cluster telling of it is not the user's wish */
    assert_true(pool.servers[0].removed);
    assert_false(add(&pool, "a", false));
    assert_next(&pool, -1, "nats://a:4222");
    nats__pool_free(&pool);
}

/* ---- discovered ---- */

static void discover(nats__pool *pool, const char *const *urls, size_t count, const char *news)
{
    nats__rng rng = rng_of("discover");
    nats__buf text = {0};
    nats__pool_discover(pool, urls, count, false, false, &rng, &text);
    assert_bytes(text.data, text.len, news, strlen(news));
    nats__buf_free(&text);
}

static void discovered_servers_come_and_go(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a,b");
    assert_next(&pool, -1, "nats://a:4222");
    const char *first[] = {"b:4222", "x:1", "y:2", "x:1"};
    discover(&pool, first, COUNT_OF(first), "nats://x:1,nats://y:2");
    assert_order(&pool, "nats://a:4222,nats://b:4222,nats://x:1,nats://y:2");
    assert_false(pool.servers[1].discovered);

    const char *second[] = {"y:2", "z:3"};
    discover(&pool, second, COUNT_OF(second), "nats://z:3");
    assert_order(&pool, "nats://a:4222,nats://b:4222,nats://y:2,nats://z:3");

    assert_next(&pool, -1, "nats://b:4222");
    assert_next(&pool, -1, "nats://y:2");
    const char *third[] = {"z:3"};
    discover(&pool, third, COUNT_OF(third), ""); /* y is in use: it stays */
    assert_order(&pool, "nats://a:4222,nats://b:4222,nats://y:2,nats://z:3");
    nats__pool_free(&pool);
}

static void discovered_servers_are_reached_as_the_current_one(void **state)
{
    (void)state;
    nats__pool pool = pool_of("tls://ann:secret@a");
    assert_next(&pool, -1, "tls://a:4222");
    const char *urls[] = {"x:1", "tls://bob:pw@y:2", "nats://clear:3", "ws://clear:4"};
    discover(&pool, urls, COUNT_OF(urls), "tls://x:1,tls://y:2");
    assert_int_equal(pool.servers[1].url.scheme, NATS__SCHEME_TLS);
    assert_string_equal(pool.servers[1].url.user, "ann");
    assert_string_equal(pool.servers[1].url.password, "secret");
    assert_string_equal(pool.servers[2].url.user, "bob");
    nats__pool_free(&pool);
}

static void discovered_nonsense_is_passed_over(void **state)
{
    (void)state;
    nats__pool pool = pool_of("a");
    assert_next(&pool, -1, "nats://a:4222");
    char long_one[NATS__URL_MAX + 10];
    memset(long_one, 'x', sizeof long_one - 1);
    long_one[sizeof long_one - 1] = '\0';
    const char *urls[] = {"", "x:99999", "\x01", "http://x", long_one, "good:1", "[::1"};
    discover(&pool, urls, COUNT_OF(urls), "nats://good:1");
    nats__pool_free(&pool);
}

static void discovered_servers_are_mixed_in_behind_the_current_one(void **state)
{
    (void)state;
    const char *urls[] = {"x:1", "y:1", "z:1"};
    int second_is_new = 0;
    for (int seed = 0; seed < 100; seed++) {
        char text[32];
        snprintf(text, sizeof text, "%d", seed);
        nats__rng rng = rng_of(text);
        nats__pool pool = pool_of("a,b,c");
        nats__buf news = {0};
        assert_next(&pool, -1, "nats://a:4222");
        nats__pool_discover(&pool, urls, COUNT_OF(urls), true, false, &rng, &news);
        assert_string_equal(pool.servers[0].url.text, "nats://a:4222");
        assert_int_equal(pool.count, 6);
        second_is_new += pool.servers[1].discovered ? 1 : 0;
        nats__buf_free(&news);
        nats__pool_free(&pool);
    }
    assert_in_range(second_is_new, 30, 90);
}

static void a_large_cluster_is_cut_off(void **state)
{
    (void)state;
    enum { MANY = NATS__POOL_MAX + 100 };
    static char texts[MANY][16];
    static const char *urls[MANY];
    for (int i = 0; i < MANY; i++) {
        snprintf(texts[i], sizeof texts[i], "h%d:1", i);
        urls[i] = texts[i];
    }
    nats__pool pool = pool_of("a");
    nats__rng rng = rng_of("large");
    assert_next(&pool, -1, "nats://a:4222");
    for (int round = 0; round < 3; round++) {
        nats__buf news = {0};
        nats__pool_discover(&pool, urls, MANY, true, false, &rng, &news);
        assert_int_equal(pool.count, NATS__POOL_MAX);
        assert_int_equal(news.len > 0, round == 0);
        nats__buf_free(&news);
    }
    nats__pool_free(&pool);
}

/* ---- how soon ---- */

typedef struct wait_rule {
    int32_t attempts;
    int64_t wait_ms;
    int64_t max_ms;
    int64_t bound_ms;
} wait_rule;

static const wait_rule waits[] = {
    {1, 100, 5000, 100}, {2, 100, 5000, 200}, {3, 100, 5000, 400}, {6, 100, 5000, 3200},
    {7, 100, 5000, 5000}, {60, 100, 5000, 5000}, {INT32_MAX, 100, 5000, 5000},
    {1, 3000, 1000, 1000}, {9, 3600000, 3600000, 3600000},
};

/* Full jitter: anything from nothing to the bound, and all of that range. */
static void back_off_doubles_with_full_jitter(void **state)
{
    (void)state;
    enum { TIMES = 1000 };
    nats__rng rng = rng_of("jitter");
    for (size_t i = 0; i < COUNT_OF(waits); i++) {
        const wait_rule *rule = &waits[i];
        int64_t bound = rule->bound_ms * 1000000;
        int quarters[4] = {0};
        for (int n = 0; n < TIMES; n++) {
            int64_t ns = nats__backoff_ns(rule->attempts, rule->wait_ms, rule->max_ms, &rng);
            assert_true(ns >= 0 && ns <= bound);
            quarters[ns == bound ? 3 : ns * 4 / bound]++;
        }
        for (int q = 0; q < 4; q++) {
            assert_in_range(quarters[q], TIMES / 4 - 80, TIMES / 4 + 80);
        }
    }
}

static int64_t longest_of(int32_t attempts, int64_t wait_ms, int64_t max_ms)
{
    enum { TIMES = 1000 };
    nats__rng rng = rng_of("none");
    int64_t longest = 0;
    for (int i = 0; i < TIMES; i++) {
        int64_t ns = nats__backoff_ns(attempts, wait_ms, max_ms, &rng);
        longest = ns > longest ? ns : longest;
    }
    return longest;
}

/* A server that is down would be asked thousands of times a second. */
static void no_back_off_wanted_is_none_for_a_while(void **state)
{
    (void)state;
    const struct {
        int32_t attempts;
        int64_t max_ms;
        int64_t bound_ms;
    } cases[] = {{1, 5000, 0},   {3, 5000, 0},          {4, 5000, 10}, {5, 5000, 20},
                 {1000, 5000, 5000}, {INT32_MAX, 5000, 5000}, {4, 0, 10},    {1000, 0, 10}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t bound = cases[i].bound_ms * 1000000;
        int64_t longest = longest_of(cases[i].attempts, 0, cases[i].max_ms);
        assert_in_range(longest, bound * 9 / 10, bound);
    }
}

/* Once told by TLS it is no more what anybody may have made up; and never becomes so again. */
static void what_was_told_in_clear_may_be_confirmed(void **state)
{
    (void)state;
    nats__pool pool = pool_of("tls://a");
    nats__rng rng = rng_of("x");
    nats__buf news = {0};
    const char *urls[] = {"b:1"};
    static const bool in_clear[] = {true, true, false, true};
    static const bool doubtful[] = {true, true, false, false};
    assert_next(&pool, -1, "tls://a:4222");
    for (size_t i = 0; i < COUNT_OF(in_clear); i++) {
        nats__pool_discover(&pool, urls, 1, false, in_clear[i], &rng, &news);
        assert_int_equal(pool.count, 2);
        assert_int_equal(pool.servers[1].told_in_clear, doubtful[i]);
    }
    nats__buf_free(&news);
    nats__pool_free(&pool);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_list_in_its_order_and_once),
        cmocka_unit_test(has_a_default),
        cmocka_unit_test(refuses_lists_without_a_server),
        cmocka_unit_test(shuffles_by_its_seed),
        cmocka_unit_test(adding_one_that_is_there_makes_it_a_given_one),
        cmocka_unit_test(has_a_limit),
        cmocka_unit_test(goes_round),
        cmocka_unit_test(takes_who_is_due_first),
        cmocka_unit_test(passes_over_who_was_given_up),
        cmocka_unit_test(lame_ducks_come_last),
        cmocka_unit_test(a_lame_duck_is_tried_when_the_others_fail),
        cmocka_unit_test(removing_keeps_the_current_one_current),
        cmocka_unit_test(the_one_in_use_goes_when_it_is_left),
        cmocka_unit_test(removed_in_first_place_the_order_goes_on),
        cmocka_unit_test(added_again_it_stays),
        cmocka_unit_test(discovered_servers_come_and_go),
        cmocka_unit_test(discovered_servers_are_reached_as_the_current_one),
        cmocka_unit_test(discovered_nonsense_is_passed_over),
        cmocka_unit_test(discovered_servers_are_mixed_in_behind_the_current_one),
        cmocka_unit_test(a_large_cluster_is_cut_off),
        cmocka_unit_test(back_off_doubles_with_full_jitter),
        cmocka_unit_test(no_back_off_wanted_is_none_for_a_while),
        cmocka_unit_test(what_was_told_in_clear_may_be_confirmed),
    };
    return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
