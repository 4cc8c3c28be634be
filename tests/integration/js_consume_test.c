/* Consuming from JetStream, over what happens to servers and in several threads: nothing is lost, what
 * was acknowledged for certain does not come again, ordered consumers have no hole and no duplicate. */
#include "rig.h"

enum { MANY = 20000, SOME = 2000, BATCH = 500, THREADS = 4 };

/* ---- streams, by the API itself ---- */

/* What the API answers; the caller frees it. */
static nats_msg *ask(nats_client *client, const char *what, const char *body)
{
    char subject[128];
    nats_msg *reply;
    snprintf(subject, sizeof subject, "$JS.API.%s", what);
    RIG_OK(nats_client_request(client, subject, NATS_Z, NULL, body, strlen(body), RIG_WAIT_MS,
                               &reply));
    size_t len;
    RIG_CHECK(strstr(nats_msg_data(reply, &len), "\"error\"") == NULL);
    return reply;
}

static void make_stream(nats_client *client, const char *name, const char *storage)
{
    char what[64];
    char config[160];
    snprintf(what, sizeof what, "STREAM.CREATE.%s", name);
    snprintf(config, sizeof config,
             "{\"name\":\"%s\",\"subjects\":[\"%s.>\"],\"storage\":\"%s\"}", name, name, storage);
    nats_msg_free(ask(client, what, config));
}

static void make_consumer(nats_client *client, const char *stream, const char *name,
                          const char *more)
{
    char what[64];
    char config[256];
    snprintf(what, sizeof what, "CONSUMER.DURABLE.CREATE.%s.%s", stream, name);
    snprintf(config, sizeof config,
             "{\"stream_name\":\"%s\",\"config\":{\"durable_name\":\"%s\","
             "\"ack_policy\":\"explicit\",\"max_ack_pending\":-1%s}}",
             stream, name, more);
    nats_msg_free(ask(client, what, config));
}

/* A number of a consumer's info, by the text before it. */
static uint64_t look(nats_client *client, const char *stream, const char *name, const char *before)
{
    char what[64];
    snprintf(what, sizeof what, "CONSUMER.INFO.%s.%s", stream, name);
    nats_msg *reply = ask(client, what, "");
    size_t len;
    const char *at = strstr(nats_msg_data(reply, &len), before);
    RIG_CHECK(at != NULL);
    uint64_t value = strtoull(at + strlen(before), NULL, 10);
    nats_msg_free(reply);
    return value;
}

/* Messages of which each holds its number, from `first` on; the stream has them afterwards. */
static void fill(nats_client *client, const char *stream, int first, int count)
{
    char subject[64];
    char data[16];
    nats_msg *reply;
    snprintf(subject, sizeof subject, "%s.x", stream);
    for (int i = first; i < first + count; i++) {
        int len = snprintf(data, sizeof data, "%d", i);
        if (i + 1 < first + count) {
            RIG_OK(nats_client_publish(client, subject, NATS_Z, data, (size_t)len));
            continue;
        }
        RIG_OK(nats_client_request(client, subject, NATS_Z, NULL, data, (size_t)len, RIG_WAIT_MS,
                                   &reply));
        nats_msg_free(reply);
    }
}

static int number_of(const nats_msg *msg)
{
    size_t len;
    return atoi(nats_msg_data(msg, &len));
}

typedef struct side {
    nats_client *client;
    nats_js *js;
} side;

static side begin(void)
{
    side self;
    nats_options *options;
    RIG_OK(nats_options_new(&options));
    RIG_OK(nats_options_set_text(options, "reconnect_wait", "0.02", NATS_Z));
    RIG_OK(nats_options_set_text(options, "reconnect_wait_max", "0.1", NATS_Z));
    RIG_OK(nats_connect(rig.url, options, &self.client));
    nats_options_free(options);
    RIG_OK(nats_client_jetstream(self.client, NULL, NULL, -1, &self.js));
    return self;
}

static void end(side self)
{
    nats_js_free(self.js);
    nats_client_free(self.client);
}

static nats_sub *consume(side self, const char *how, const char *arguments)
{
    nats_sub *sub;
    RIG_OK(nats_js_consume(self.js, how, arguments, NATS_Z, -1, &sub));
    return sub;
}

/* ---- one after the other ---- */

static void all_come_and_are_acknowledged(void)
{
    side self = begin();
    make_stream(self.client, "A", "memory");
    make_consumer(self.client, "A", "c", "");
    fill(self.client, "A", 0, MANY);
    nats_sub *sub = consume(self, "consume", "{\"stream\":\"A\",\"consumer\":\"c\"}");
    int next = 0;
    while (next < MANY) {
        nats_msg *batch[BATCH];
        size_t count;
        size_t acked;
        RIG_OK(nats_sub_get(sub, BATCH, RIG_WAIT_MS, batch, &count));
        RIG_CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            uint64_t values[NATS_JS_UINT_COUNT];
            RIG_CHECK(number_of(batch[i]) == next);
            RIG_CHECK(nats_msg_js_uints(batch[i], values) == 1);
            RIG_CHECK(values[NATS_JS_STREAM_SEQ] == (uint64_t)next + 1);
            RIG_CHECK(values[NATS_JS_CONSUMER_SEQ] == (uint64_t)next + 1);
            next++;
        }
        RIG_OK(nats_client_ack_many(self.client, batch, count, &acked));
        RIG_CHECK(acked == count);
        RIG_OK(nats_client_ack_many(self.client, batch, count, &acked));
        RIG_CHECK(acked == 0);
        nats_msg_free_many(batch, count);
    }
    RIG_OK(nats_client_flush(self.client, -1));
    int64_t give_up = rig_now_ms() + RIG_WAIT_MS;
    while (look(self.client, "A", "c", "\"num_ack_pending\":") > 0) {
        RIG_CHECK(rig_now_ms() < give_up);
    }
    RIG_CHECK(look(self.client, "A", "c", "\"num_redelivered\":") == 0);
    nats_sub_free(sub);
    end(self);
}

static void ordered_has_all_of_it(void)
{
    side self = begin();
    make_stream(self.client, "B", "memory");
    fill(self.client, "B", 0, MANY);
    nats_sub *sub = consume(self, "ordered", "{\"stream\":\"B\"}");
    for (int next = 0; next < MANY;) {
        nats_msg *batch[BATCH];
        size_t count;
        RIG_OK(nats_sub_get(sub, BATCH, RIG_WAIT_MS, batch, &count));
        RIG_CHECK(count > 0);
        for (size_t i = 0; i < count; i++) {
            RIG_CHECK(number_of(batch[i]) == next++);
        }
        nats_msg_free_many(batch, count);
    }
    nats_sub_free(sub);
    end(self);
}

static void push_is_held_back_not_dropped(void)
{
    side self = begin();
    make_stream(self.client, "C", "memory");
    fill(self.client, "C", 0, MANY);
    nats_sub *sub = consume(self, "push",
                            "{\"stream\":\"C\",\"config\":{\"ack_policy\":\"none\","
                            "\"flow_control\":true,\"idle_heartbeat\":1000000000}}");
    for (int next = 0; next < MANY;) {
        nats_msg *msg;
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
        RIG_CHECK(msg != NULL && number_of(msg) == next++);
        nats_msg_free(msg);
    }
    nats_sub_free(sub);
    end(self);
}

static void fetches(void)
{
    side self = begin();
    make_stream(self.client, "D", "memory");
    make_consumer(self.client, "D", "c", "");
    fill(self.client, "D", 0, SOME);
    int next = 0;
    while (next < SOME) {
        nats_sub *sub = consume(self, "fetch",
                                "{\"stream\":\"D\",\"consumer\":\"c\",\"max_messages\":7}");
        nats_msg *msg;
        while (nats_sub_next(sub, RIG_WAIT_MS, &msg) == NATS_OK) {
            RIG_CHECK(msg != NULL && number_of(msg) == next++);
            RIG_OK(nats_client_ack(self.client, msg, NATS_ACK, 0, NULL, 0));
            RIG_CHECK(nats_client_ack(self.client, msg, NATS_ACK, 0, NULL, 0) == NATS_ERR_INVALID);
            nats_msg_free(msg);
            if (next == SOME) {
                break;
            }
        }
        nats_sub_free(sub);
    }
    end(self);
}

static void what_is_left_of_a_message_acknowledges_it(void)
{
    side self = begin();
    make_stream(self.client, "E", "memory");
    make_consumer(self.client, "E", "c", "");
    fill(self.client, "E", 0, 1);
    nats_sub *sub = consume(self, "fetch", "{\"stream\":\"E\",\"consumer\":\"c\"}");
    nats_msg *msg;
    nats_msg *made;
    size_t len;
    size_t made_len;
    uint64_t seq;
    RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
    const char *reply = nats_msg_reply(msg, &len);
    RIG_OK(nats_client_msg_by_reply(self.client, reply, len, &made));
    RIG_CHECK(strcmp(nats_msg_reply(made, &made_len), reply) == 0 && made_len == len);
    RIG_CHECK(nats_msg_js_uint(made, NATS_JS_STREAM_SEQ, &seq) == 1 && seq == 1);
    nats_msg_free(msg);
    RIG_OK(nats_client_ack_sync(self.client, made, RIG_WAIT_MS));
    RIG_CHECK(nats_client_ack(self.client, made, NATS_ACK, 0, NULL, 0) == NATS_ERR_INVALID);
    RIG_CHECK(look(self.client, "E", "c", "\"num_ack_pending\":") == 0);
    nats_msg_free(made);
    RIG_CHECK(nats_client_msg_by_reply(self.client, "$JS.ACK.a.b", NATS_Z, &made) ==
                  NATS_ERR_INVALID &&
              made == NULL);
    nats_sub_free(sub);
    end(self);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"all_come_and_are_acknowledged", all_come_and_are_acknowledged},
        {"ordered_has_all_of_it", ordered_has_all_of_it},
        {"push_is_held_back_not_dropped", push_is_held_back_not_dropped},
        {"fetches", fetches},
        {"what_is_left_of_a_message_acknowledges_it", what_is_left_of_a_message_acknowledges_it},
    };
    rig_jetstream = true;
    return rig_run(argc, argv, cases, sizeof cases / sizeof *cases);
}
