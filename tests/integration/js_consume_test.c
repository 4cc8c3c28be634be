/* Consuming from JetStream, over what happens to servers and in several threads: nothing is lost,
 * what was acknowledged for certain does not come again, ordered consumers have no hole and no
 * duplicate. */
#include "rig.h"

enum { MANY = 20000, SOME = 2000, BATCH = 500, THREADS = 4, KILLS = 5 };

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

/* ---- over what happens to servers ---- */

static void restart(void)
{
    rig_stop();
    rig_start();
}

/* Every message comes at least once, and it goes on by itself. */
static void consume_over_kills(void)
{
    side self = begin();
    side other = begin();
    make_stream(self.client, "E", "file");
    make_consumer(self.client, "E", "c", ",\"ack_wait\":1000000000");
    static bool seen[KILLS * SOME];
    int distinct = 0;
    nats_sub *sub = consume(self, "consume", "{\"stream\":\"E\",\"consumer\":\"c\"}");
    for (int round = 0; round < KILLS; round++) {
        fill(other.client, "E", round * SOME, SOME);
        int64_t give_up = rig_now_ms() + RIG_WAIT_MS;
        bool killed = false;
        while (distinct < (round + 1) * SOME) {
            nats_msg *batch[BATCH];
            size_t count;
            size_t acked;
            RIG_OK(nats_sub_get(sub, BATCH, 1000, batch, &count));
            RIG_CHECK(rig_now_ms() < give_up);
            for (size_t i = 0; i < count; i++) {
                distinct += !seen[number_of(batch[i])];
                seen[number_of(batch[i])] = true;
            }
            RIG_OK(nats_client_ack_many(self.client, batch, count, &acked));
            nats_msg_free_many(batch, count);
            if (!killed && distinct > round * SOME + SOME / 4) {
                killed = true;
                restart();
                rig_back(other.client);
                rig_back(self.client);
            }
        }
    }
    nats_sub_free(sub);
    end(other);
    end(self);
}

/* No hole and no duplicate. */
static void ordered_over_kills(void)
{
    side self = begin();
    side other = begin();
    make_stream(self.client, "F", "file");
    nats_sub *sub = consume(self, "ordered", "{\"stream\":\"F\",\"max_messages\":100}");
    int next = 0;
    for (int round = 0; round < KILLS; round++) {
        fill(other.client, "F", round * SOME, SOME);
        bool killed = false;
        while (next < (round + 1) * SOME) {
            nats_msg *msg;
            RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
            RIG_CHECK(msg != NULL && number_of(msg) == next++);
            nats_msg_free(msg);
            if (!killed && next > round * SOME + SOME / 2) {
                killed = true;
                restart();
                rig_back(other.client);
            }
        }
    }
    nats_sub_free(sub);
    end(other);
    end(self);
}

/* ---- threads ---- */

typedef struct worker {
    side self;
    nats_sub *sub;
    atomic_int *count;
    atomic_uchar *seen;
} worker;

static void *take_and_acknowledge(void *arg)
{
    worker *w = arg;
    while (atomic_load(w->count) < MANY) {
        nats_msg *msg;
        RIG_OK(nats_sub_next(w->sub, 50, &msg));
        if (msg == NULL) {
            continue;
        }
        RIG_CHECK(atomic_fetch_add(&w->seen[number_of(msg)], 1) == 0);
        RIG_OK(nats_client_ack(w->self.client, msg, NATS_ACK, 0, NULL, 0));
        atomic_fetch_add(w->count, 1);
        nats_msg_free(msg);
    }
    return NULL;
}

static void several_threads_take_from_one(void)
{
    side self = begin();
    static atomic_uchar seen[MANY];
    atomic_int count = 0;
    make_stream(self.client, "G", "memory");
    make_consumer(self.client, "G", "c", "");
    nats_sub *sub = consume(self, "consume", "{\"stream\":\"G\",\"consumer\":\"c\"}");
    worker w = {self, sub, &count, seen};
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        threads[i] = rig_thread(take_and_acknowledge, &w);
    }
    fill(self.client, "G", 0, MANY);
    for (int i = 0; i < THREADS; i++) {
        rig_join(threads[i], RIG_WAIT_MS, "a thread that takes");
    }
    RIG_OK(nats_client_flush(self.client, -1));
    nats_sub_free(sub);
    end(self);
}

/* One wins. */
static void *acknowledge(void *arg)
{
    void **all = arg;
    nats_status status = nats_client_ack(all[0], all[1], NATS_ACK, 0, NULL, 0);
    RIG_CHECK(status == NATS_OK || status == NATS_ERR_INVALID);
    atomic_fetch_add((atomic_int *)all[2], status == NATS_OK);
    return NULL;
}

static void several_threads_acknowledge_one(void)
{
    side self = begin();
    make_stream(self.client, "H", "memory");
    make_consumer(self.client, "H", "c", "");
    fill(self.client, "H", 0, 50);
    nats_sub *sub = consume(self, "consume", "{\"stream\":\"H\",\"consumer\":\"c\"}");
    for (int i = 0; i < 50; i++) {
        nats_msg *msg;
        atomic_int won = 0;
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
        void *all[] = {self.client, msg, &won};
        pthread_t threads[THREADS];
        for (int t = 0; t < THREADS; t++) {
            threads[t] = rig_thread(acknowledge, all);
        }
        for (int t = 0; t < THREADS; t++) {
            rig_join(threads[t], RIG_WAIT_MS, "a thread that acknowledges");
        }
        RIG_CHECK(won == 1);
        nats_msg_free(msg);
    }
    nats_sub_free(sub);
    end(self);
}

/* ---- a double ack that cannot be sent ---- */

enum { ROUNDS = 600, ROUNDS_EACH = 4, ATTEMPTS = 100 };

/* Two threads at the messages of a client that takes a short frame and no long one. */
typedef struct contest {
    nats_client *client;
    nats_msg **msgs;
    pthread_barrier_t *gate;
    int won[ROUNDS_EACH];
} contest;

static void *try_double_acks(void *arg)
{
    contest *self = arg;
    for (int round = 0; round < ROUNDS_EACH; round++) {
        pthread_barrier_wait(self->gate);
        for (int i = 0; i < ATTEMPTS; i++) {
            nats_future *future;
            nats_status status =
                nats_client_ack_sync_start(self->client, self->msgs[round], -1, &future);
            RIG_CHECK(status == NATS_ERR_LIMIT || status == NATS_ERR_INVALID);
        }
    }
    return NULL;
}

static void *try_acks(void *arg)
{
    contest *self = arg;
    for (int round = 0; round < ROUNDS_EACH; round++) {
        pthread_barrier_wait(self->gate);
        for (int i = 0; i < ATTEMPTS; i++) {
            self->won[round] += nats_client_ack(self->client, self->msgs[round], NATS_ACK, 0, NULL,
                                                0) == NATS_OK;
        }
    }
    return NULL;
}

/* Nobody is there; the little that is kept for the next connection has no room for a long inbox. */
static nats_client *narrow_client(int port)
{
    char url[64];
    char prefix[512];
    char setting[sizeof prefix + 32];
    nats_client *client;
    memset(prefix, 'i', sizeof prefix - 1);
    prefix[sizeof prefix - 1] = '\0';
    snprintf(url, sizeof url, "nats://127.0.0.1:%d", port);
    snprintf(setting, sizeof setting, "inbox_prefix=%s", prefix);
    const char *settings[] = {"retry_on_connect=true", "reconnect_wait=10", "reconnect_buffer=480",
                              setting, NULL};
    RIG_OK(rig_connect(url, settings, &client));
    return client;
}

/* The mark that it took is given back once: if another thread acknowledges meanwhile, that counts. */
static void a_double_ack_that_fails_gives_back_once(void)
{
    side self = begin();
    nats_msg *msgs[ROUNDS];
    pthread_barrier_t gate;
    int port = 0;
    close(rig_listen(&port));
    make_stream(self.client, "K", "memory");
    make_consumer(self.client, "K", "c", "");
    fill(self.client, "K", 0, ROUNDS);
    nats_sub *sub = consume(self, "consume", "{\"stream\":\"K\",\"consumer\":\"c\"}");
    for (int i = 0; i < ROUNDS; i++) {
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msgs[i]));
    }
    RIG_CHECK(pthread_barrier_init(&gate, NULL, 2) == 0);
    for (int i = 0; i < ROUNDS; i += ROUNDS_EACH) {
        contest all = {.client = narrow_client(port), .msgs = msgs + i, .gate = &gate};
        pthread_t threads[] = {rig_thread(try_double_acks, &all), rig_thread(try_acks, &all)};
        rig_join(threads[0], RIG_WAIT_MS, "a thread that acknowledges twice");
        rig_join(threads[1], RIG_WAIT_MS, "a thread that acknowledges");
        for (int round = 0; round < ROUNDS_EACH; round++) {
            RIG_CHECK(all.won[round] <= 1);
        }
        nats_client_free(all.client);
    }
    nats_msg_free_many(msgs, ROUNDS);
    pthread_barrier_destroy(&gate);
    nats_sub_free(sub);
    end(self);
}

/* ---- lifetimes ---- */

/* The subscription, the start and the client go in every order. */
static void handles_go_in_any_order(void)
{
    static const char *const hows[] = {"consume", "fetch", "ordered", "push"};
    static const char *const arguments[] = {
        "{\"stream\":\"I\",\"consumer\":\"c\"}", "{\"stream\":\"I\",\"consumer\":\"c\"}",
        "{\"stream\":\"I\"}", "{\"stream\":\"I\",\"config\":{}}"};
    side first = begin();
    make_stream(first.client, "I", "memory");
    make_consumer(first.client, "I", "c", "");
    end(first);
    for (int how = 0; how < 4; how++) {
        for (int order = 0; order < 6; order++) {
            side self = begin();
            nats_sub *sub;
            nats_future *future;
            fill(self.client, "I", 0, 1);
            RIG_OK(nats_js_consume_start(self.js, hows[how], arguments[how], NATS_Z, -1, &sub,
                                         &future));
            if (order % 2 == 0) {
                nats_msg *info;
                RIG_OK(nats_future_wait(future, RIG_WAIT_MS, &info));
                RIG_CHECK((info == NULL) == (how == 1));
                nats_msg_free(info);
            }
            if (order < 2) {
                nats_future_free(future);
                nats_sub_free(sub);
            } else {
                nats_sub_free(sub);
                nats_future_free(future);
            }
            if (order >= 4) {
                nats_msg *msg;
                size_t count;
                RIG_OK(nats_client_get(self.client, 1, RIG_WAIT_MS, &msg, &count));
                RIG_CHECK(count == 1);
                nats_msg_free_many(&msg, count);
            }
            end(self);
        }
    }
}

/* A double ack outlives its message, and a message its client. */
static void double_acks_outlive_messages(void)
{
    side self = begin();
    make_stream(self.client, "J", "memory");
    make_consumer(self.client, "J", "c", "");
    fill(self.client, "J", 0, 3);
    nats_sub *sub = consume(self, "consume", "{\"stream\":\"J\",\"consumer\":\"c\"}");
    nats_msg *msgs[3];
    nats_future *futures[2];
    for (int i = 0; i < 3; i++) {
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msgs[i]));
    }
    for (int i = 0; i < 2; i++) {
        RIG_OK(nats_client_ack_sync_start(self.client, msgs[i], -1, &futures[i]));
        nats_msg_free(msgs[i]);
    }
    nats_msg *reply;
    RIG_OK(nats_future_wait(futures[0], RIG_WAIT_MS, &reply));
    nats_msg_free(reply);
    nats_future_free(futures[0]);
    nats_future_free(futures[1]);
    nats_sub_free(sub);
    nats_client *client = self.client;
    nats_js_free(self.js);
    nats_client_close(client);
    RIG_CHECK(nats_client_ack(client, msgs[2], NATS_ACK, 0, NULL, 0) == NATS_ERR_CLOSED);
    nats_client_free(client);
    uint64_t seq;
    RIG_CHECK(nats_msg_js_uint(msgs[2], NATS_JS_STREAM_SEQ, &seq) == 1 && seq == 3);
    nats_msg_free(msgs[2]);
}

/* The child has no part in it. */
static void children_are_refused(void)
{
    side self = begin();
    make_stream(self.client, "K", "memory");
    make_consumer(self.client, "K", "c", "");
    fill(self.client, "K", 0, 2);
    nats_sub *sub = consume(self, "consume", "{\"stream\":\"K\",\"consumer\":\"c\"}");
    nats_msg *msg;
    RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
    pid_t child = fork();
    RIG_CHECK(child >= 0);
    if (child == 0) {
        nats_sub *made;
        nats_future *future;
        size_t acked;
        bool refused =
            nats_client_ack(self.client, msg, NATS_ACK, 0, NULL, 0) == NATS_ERR_FORKED &&
            nats_client_ack_many(self.client, &msg, 1, &acked) == NATS_ERR_FORKED &&
            nats_client_ack_sync(self.client, msg, 100) == NATS_ERR_FORKED &&
            nats_client_ack_sync_start(self.client, msg, 100, &future) == NATS_ERR_FORKED &&
            nats_js_consume(self.js, "fetch", "{}", NATS_Z, -1, &made) == NATS_ERR_FORKED &&
            nats_js_consume_start(self.js, "fetch", "{}", NATS_Z, -1, &made, &future) ==
                NATS_ERR_FORKED;
        nats_sub_free(sub);
        nats_js_free(self.js);
        nats_client_free(self.client);
        _exit(refused ? 0 : 1);
    }
    int status;
    RIG_CHECK(waitpid(child, &status, 0) == child && WIFEXITED(status) &&
              WEXITSTATUS(status) == 0);
    RIG_OK(nats_client_ack_sync(self.client, msg, -1));
    nats_msg_free(msg);
    RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
    nats_msg_free(msg);
    nats_sub_free(sub);
    end(self);
}

/* Without a keeper, moved by its own calls only. */
static void consumes_without_a_keeper(void)
{
    nats_client *client;
    nats_js *js;
    rig_connect(rig.url, (const char *const[]){"keeper=false", NULL}, &client);
    RIG_OK(nats_client_jetstream(client, NULL, NULL, -1, &js));
    make_stream(client, "L", "memory");
    fill(client, "L", 0, SOME);
    nats_sub *sub;
    RIG_OK(nats_js_consume(js, "ordered", "{\"stream\":\"L\",\"max_messages\":50}", NATS_Z, -1,
                           &sub));
    for (int i = 0; i < SOME; i++) {
        nats_msg *msg;
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
        RIG_CHECK(msg != NULL && number_of(msg) == i);
        nats_msg_free(msg);
    }
    nats_sub_free(sub);
    nats_js_free(js);
    nats_client_free(client);
}

static void what_is_left_of_a_message_acknowledges_it(void)
{
    enum { COUNT = 5, TRIES = 5000 };
    side self = begin();
    char replies[COUNT][256];
    make_stream(self.client, "LEFT", "memory");
    make_consumer(self.client, "LEFT", "c", "");
    fill(self.client, "LEFT", 0, COUNT);
    nats_sub *sub =
        consume(self, "fetch", "{\"stream\":\"LEFT\",\"consumer\":\"c\",\"max_messages\":5}");
    for (int i = 0; i < COUNT; i++) {
        nats_msg *msg;
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
        snprintf(replies[i], sizeof replies[i], "%s", nats_msg_reply(msg, NULL));
        nats_msg_free(msg);
    }

    nats_future *future;
    nats_msg *answer;
    RIG_OK(nats_client_ack_reply(self.client, replies[0], NATS_Z, NATS_IN_PROGRESS, 0, NULL, 0));
    RIG_OK(nats_client_ack_reply(self.client, replies[0], NATS_Z, NATS_ACK, 0, NULL, 0));
    RIG_OK(nats_client_ack_reply_start(self.client, replies[1], NATS_Z, RIG_WAIT_MS, &future));
    RIG_OK(nats_future_wait(future, RIG_WAIT_MS, &answer));
    nats_msg_free(answer);
    nats_future_free(future);
    RIG_OK(nats_client_ack_reply(self.client, replies[2], strlen(replies[2]), NATS_TERM, 0, "x",
                                 1));

    /* What is none is passed over, and not counted. */
    const char *batch[] = {replies[3], "$JS.ACK.a.b", NULL, "", replies[4]};
    const size_t lens[] = {strlen(replies[3]), NATS_Z, 0, 0, NATS_Z};
    size_t acked;
    RIG_OK(nats_client_ack_replies(self.client, batch, lens, COUNT, &acked));
    RIG_CHECK(acked == 2);
    RIG_OK(nats_client_ack_replies(self.client, batch + 1, NULL, 2, &acked));
    RIG_CHECK(acked == 0);
    RIG_OK(nats_client_ack_replies(self.client, NULL, NULL, 0, NULL));
    for (int i = 0; look(self.client, "LEFT", "c", "\"num_ack_pending\":") != 0; i++) {
        RIG_CHECK(i < TRIES); /* the server takes note in its own time */
    }

    /* The true reason, however little there is to tell by. */
    RIG_CHECK(nats_client_ack_reply(self.client, "$JS.ACK.a.b", NATS_Z, NATS_ACK, 0, NULL, 0) ==
              NATS_ERR_INVALID);
    RIG_CHECK(nats_client_ack_reply(self.client, replies[0], NATS_Z, 9, 0, NULL, 0) ==
              NATS_ERR_INVALID);
    RIG_CHECK(nats_client_ack_reply_start(self.client, "x", NATS_Z, -1, &future) ==
                  NATS_ERR_INVALID &&
              future == NULL);
    RIG_CHECK(nats_client_ack_replies(self.client, NULL, NULL, 1, &acked) == NATS_ERR_INVALID);
    RIG_OK(nats_client_close(self.client));
    RIG_CHECK(nats_client_ack_reply(self.client, replies[0], NATS_Z, NATS_ACK, 0, NULL, 0) ==
              NATS_ERR_CLOSED);
    RIG_CHECK(nats_client_ack_replies(self.client, batch, lens, COUNT, &acked) ==
                  NATS_ERR_CLOSED &&
              acked == 0);
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
        {"consume_over_kills", consume_over_kills},
        {"ordered_over_kills", ordered_over_kills},
        {"several_threads_take_from_one", several_threads_take_from_one},
        {"several_threads_acknowledge_one", several_threads_acknowledge_one},
        {"a_double_ack_that_fails_gives_back_once", a_double_ack_that_fails_gives_back_once},
        {"handles_go_in_any_order", handles_go_in_any_order},
        {"double_acks_outlive_messages", double_acks_outlive_messages},
        {"children_are_refused", children_are_refused},
        {"consumes_without_a_keeper", consumes_without_a_keeper},
    };
    rig_jetstream = true;
    return rig_run(argc, argv, cases, sizeof cases / sizeof *cases);
}
