/* What keys.def and verbs.def say, and what becomes of arguments by it. */
#include "unit.h"

#include <polynats.h>

#include "jetstream/answer.h"
#include "jetstream/shape.h"

enum { KEYS_MAX = 64 }; /* of one object; as keys.c has it */

/* ---- the tables ---- */

static bool is_object(const char *name)
{
    return nats__js_key_at(name, 0) != NULL;
}

static void check_keys(const char *object)
{
    const nats__js_key *key;
    for (size_t i = 0; (key = nats__js_key_at(object, i)) != NULL; i++) {
        assert_true(i < KEYS_MAX);
        assert_ptr_equal(nats__js_key_find(object, key->name), key); /* each name once */
        bool nested = key->kind == NATS__JS_OBJECT || key->kind == NATS__JS_OBJECTS ||
                      key->kind == NATS__JS_CHANGES;
        assert_true(!nested || is_object(key->of));
        assert_true((key->kind == NATS__JS_CHOICE) == (strchr(key->of, '|') != NULL));
        assert_true(key->level >= 0 && key->level <= 5);
        if (nested) {
            check_keys(key->of);
        }
    }
}

static void verbs_and_keys_fit_together(void **state)
{
    const nats__js_verb *verb;
    (void)state;
    for (size_t i = 0; (verb = nats__js_verb_at(i)) != NULL; i++) {
        const nats__js_verb *found;
        assert_int_equal(nats__js_verb_find(verb->name, &found), NATS_OK);
        assert_ptr_equal(found, verb);
        assert_string_equal(nats_js_verb(i), verb->name);
        check_keys(verb->name);
        bool of_stream = strstr(verb->subject, "{stream}") != NULL;
        assert_true(!of_stream || nats__js_key_find(verb->name, "stream") != NULL);
        bool of_consumer = strstr(verb->subject, "{consumer}") != NULL;
        assert_true(!of_consumer || nats__js_key_find(verb->name, "consumer") != NULL);
    }
    assert_null(nats_js_verb(1000));
}

static void rules_are_about_keys(void **state)
{
    const nats__js_rule *rule;
    (void)state;
    for (size_t i = 0; (rule = nats__js_rule_at(i)) != NULL; i++) {
        assert_non_null(nats__js_key_find(rule->object, rule->a));
        assert_true(rule->kind == NATS__JS_MUST ||
                    nats__js_key_find(rule->object, rule->b) != NULL);
    }
}

static void keys_are_told_to_bindings(void **state)
{
    int32_t element;
    const char *object;
    (void)state;
    assert_int_equal(nats_js_key("create_stream", "config", &element, &object), NATS_JSON_OBJECT);
    assert_string_equal(object, "stream_config");
    assert_int_equal(nats_js_key("change_stream", "config", &element, &object), NATS_JSON_OBJECT);
    assert_string_equal(object, "stream_config");
    assert_int_equal(nats_js_key("stream_config", "max_age", &element, &object),
                     NATS_JSON_DURATION);
    assert_int_equal(element, 0);
    assert_null(object);
    assert_int_equal(nats_js_key("stream_config", "sources", &element, &object), NATS_JSON_ARRAY);
    assert_int_equal(element, NATS_JSON_OBJECT);
    assert_string_equal(object, "stream_source");
    assert_int_equal(nats_js_key("stream_config", "metadata", &element, &object),
                     NATS_JSON_OBJECT);
    assert_string_equal(object, "");
    assert_int_equal(nats_js_key("consumer_config", "backoff", &element, NULL), NATS_JSON_ARRAY);
    assert_int_equal(element, NATS_JSON_DURATION);
    assert_int_equal(nats_js_key("consumer_config", "pause_until", NULL, NULL), NATS_JSON_TIME);
    assert_int_equal(nats_js_key("stream_config", "storage", NULL, NULL), NATS_JSON_TEXT);
    assert_int_equal(nats_js_key("stream_config", "first_seq", NULL, NULL), NATS_JSON_UINT);
    assert_int_equal(nats_js_key("stream_config", "none", &element, &object), 0);
    assert_int_equal(nats_js_key(NULL, NULL, &element, &object), 0);
    assert_string_equal(nats_js_key_name("placement", 0), "cluster");
    assert_null(nats_js_key_name("placement", 3));
    assert_null(nats_js_key_name("nothing", 0));
}

/* ---- arguments ---- */

static char *shape(const char *object, const char *text, nats__js_needs *needs)
{
    nats__json *made;
    memset(needs, 0, sizeof *needs);
    assert_int_equal(nats__js_shape("verb", object, text, NATS_Z, needs, &made), NATS_OK);
    char *written = nats__json_write(made);
    nats__json_free(made);
    return written;
}

static void check_shape(const char *object, const char *text, const char *wanted)
{
    nats__js_needs needs;
    char *made = shape(object, text, &needs);
    assert_string_equal(made, wanted);
    free(made);
}

static void arguments_come_out_as_the_server_wants_them(void **state)
{
    (void)state;
    check_shape("account_info", NULL, "{}");
    check_shape("account_info", "", "{}");
    check_shape("stream_config", "{\"name\":\"S\",\"max_age\":\"1m\"}",
                "{\"name\":\"S\",\"max_age\":60000000000}");
    check_shape("stream_config", "{\"name\":\"S\",\"max_age\":null,\"placement\":null}",
                "{\"name\":\"S\"}");
    check_shape("consumer_config", "{\"backoff\":[\"1s\",5],\"filter_subject\":\"\"}",
                "{\"backoff\":[1000000000,5]}");
    check_shape("stream_source", "{\"name\":\"O\",\"domain\":\"hub\"}",
                "{\"name\":\"O\",\"external\":{\"api\":\"$JS.hub.API\",\"deliver\":\"\"}}");
    check_shape("purge_stream", "{\"stream\":\"S\",\"subject\":\"a.>\"}",
                "{\"stream\":\"S\",\"filter\":\"a.>\"}");
    check_shape("stream_config", "{\"name\":\"S\",\"first_seq\":18446744073709551615}",
                "{\"name\":\"S\",\"first_seq\":18446744073709551615}");
    check_shape("stream_config", "{\"name\":\"S\",\"metadata\":{\"a.b\":\"\\\"\"}}",
                "{\"name\":\"S\",\"metadata\":{\"a.b\":\"\\\"\"}}");
}

static void changes_are_some_of_an_object(void **state)
{
    (void)state;
    check_shape("change_stream",
                "{\"stream\":\"S\",\"config\":{\"max_age\":\"1m\",\"max_msgs\":null}}",
                "{\"stream\":\"S\",\"config\":{\"max_age\":60000000000}}");
    const char *taken_out = "{\"stream\":\"S\",\"config\":{\"republish\":{},\"metadata\":{}}}";
    check_shape("change_stream", taken_out, taken_out);
    const char *half = "{\"stream\":\"S\",\"config\":{\"discard_new_per_subject\":true}}";
    check_shape("change_stream", half, half); /* the other half may be there */
}

static void what_is_used_decides_which_level_is_needed(void **state)
{
    nats__js_needs needs;
    (void)state;
    free(shape("stream_config", "{\"name\":\"S\",\"allow_msg_ttl\":false}", &needs));
    assert_int_equal(needs.level, 0);
    free(shape("stream_config", "{\"name\":\"S\",\"allow_msg_ttl\":true}", &needs));
    assert_int_equal(needs.level, 1);
    assert_string_equal(needs.what, "allow_msg_ttl");
    assert_string_equal(needs.since, "2.11");
    free(shape("stream_config",
               "{\"name\":\"S\",\"allow_batched\":true,\"allow_msg_ttl\":true}", &needs));
    assert_int_equal(needs.level, 4);
    assert_string_equal(needs.what, "allow_batched");
    free(shape("consumer_config", "{\"ack_policy\":\"explicit\"}", &needs));
    assert_int_equal(needs.level, 0);
    free(shape("consumer_config", "{\"ack_policy\":\"flow_control\"}", &needs));
    assert_int_equal(needs.level, 4);
    assert_string_equal(needs.what, "ack_policy flow_control");
    free(shape("consumer_config",
               "{\"priority_groups\":[\"A\"],\"priority_policy\":\"prioritized\"}", &needs));
    assert_int_equal(needs.level, 2);
}

static void refuse(const char *object, const char *text, const char *words)
{
    nats__js_needs needs = {0};
    nats__json *made = (nats__json *)(void *)&needs;
    forget_error();
    nats_status status = nats__js_shape("verb", object, text, NATS_Z, &needs, &made);
    assert_failed(status, NATS_ERR_INVALID, words);
    assert_null(made);
}

static void errors_name_the_place_and_what_is_wanted(void **state)
{
    (void)state;
    refuse("stream_config", "{\"name\":\"S\",\"max_bites\":1}",
           "verb: unknown key 'max_bites': did you mean 'max_bytes'?");
    refuse("create_stream", "{\"config\":{\"name\":\"S\",\"placement\":{\"tag\":[]}}}",
           "verb: unknown key 'tag' in config.placement: did you mean 'tags'?");
    refuse("create_stream", "{\"config\":{\"name\":\"S\",\"xyzzy\":1}}",
           "verb: unknown key 'xyzzy' in config");
    refuse("create_stream", "{\"config\":[]}", "verb: config is not an object");
    refuse("create_stream", "[]", "verb: arguments: not a JSON object");
    refuse("stream_config", "{\"name\":\"a\\u0000b\"}",
           "verb: name has a blank or control byte at 1: a name has none");
    refuse("stream_config", "{\"name\":\"S\",\"storage\":\"tape\"}",
           "verb: storage 'tape' is none of file, memory");
    refuse("consumer_config", "{\"ack_policy\":\"some\"}",
           "verb: ack_policy 'some' is none of none, all, explicit, flow_control");
    refuse("purge_stream", "{\"stream\":\"S\",\"seq\":1,\"keep\":2}",
           "verb: seq and keep cannot both be given");
    refuse("consumer_config", "{\"deliver_group\":\"g\"}",
           "verb: deliver_group needs deliver_subject");
    refuse("change_stream",
           "{\"stream\":\"S\",\"config\":{\"mirror\":{\"name\":\"O\",\"external\":{}}}}",
           "verb: config.mirror.external.api is not given");
    refuse("change_stream",
           "{\"stream\":\"S\",\"config\":{\"mirror\":{\"name\":\"O\"},\"first_seq\":1}}",
           "verb: config.mirror and first_seq cannot both be given");
}

/* ---- what the server left out ---- */

static nats__js_dropped compare(const char *asked, const char *made)
{
    nats__json *a = nats__json_parse(asked, strlen(asked), NULL);
    nats__json *b = nats__json_parse(made, strlen(made), NULL);
    nats__js_dropped dropped = nats__js_answer_compare("stream_config", a, b);
    nats__json_free(a);
    nats__json_free(b);
    return dropped;
}

static void what_the_server_left_out_is_named(void **state)
{
    (void)state;
    assert_string_equal(compare("{\"name\":\"S\",\"max_msgs\":5}", "{\"name\":\"S\"}").names,
                        "max_msgs");
    nats__js_dropped dropped = compare(
        "{\"metadata\":{\"a\":\"b\"},\"allow_direct\":true,\"mirror_direct\":true}",
        "{\"mirror_direct\":false}");
    assert_string_equal(dropped.names, "metadata, allow_direct, mirror_direct");
    assert_string_equal(dropped.since, "2.10"); /* and not "2.9", which is later only as a text */
    dropped = compare("{\"sources\":[{\"name\":\"A\"},{\"name\":\"B\",\"opt_start_seq\":4}]}",
                      "{\"sources\":[{\"name\":\"A\"},{\"name\":\"B\"}]}");
    assert_string_equal(dropped.names, "opt_start_seq");
}

static void what_the_server_made_of_it_is_its_right(void **state)
{
    (void)state;
    assert_string_equal(compare("{\"duplicate_window\":5}", "{\"duplicate_window\":7}").names, "");
    const char *nothing = "{\"max_msgs\":0,\"sealed\":false,\"description\":\"\"}";
    assert_string_equal(compare(nothing, "{}").names, "");
    assert_string_equal(compare("{\"compression\":\"none\",\"retention\":\"limits\"}", "{}").names,
                        "");
    assert_string_equal(compare("{\"compression\":\"s2\"}", "{}").names, "compression");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verbs_and_keys_fit_together),
        cmocka_unit_test(rules_are_about_keys),
        cmocka_unit_test(keys_are_told_to_bindings),
        cmocka_unit_test(arguments_come_out_as_the_server_wants_them),
        cmocka_unit_test(changes_are_some_of_an_object),
        cmocka_unit_test(what_is_used_decides_which_level_is_needed),
        cmocka_unit_test(errors_name_the_place_and_what_is_wanted),
        cmocka_unit_test(what_the_server_left_out_is_named),
        cmocka_unit_test(what_the_server_made_of_it_is_its_right),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
