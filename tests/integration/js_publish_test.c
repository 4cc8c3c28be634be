/* A publisher that several threads use, and one whose server dies: every message that is not told as failed is in
 * the stream, and none is there twice. */
#include "rig.h"

enum { THREADS = 4, EACH = 5000, MANY = 20000, WINDOW = 256, ROUND = 40 };

/* ---- streams, by the API itself ---- */

static void make_stream(nats_client *client, const char *name, const char *storage)
{
    char subject[64];
    char config[160];
    nats_msg *reply;
    snprintf(subject, sizeof subject, "$JS.API.STREAM.CREATE.%s", name);
    snprintf(config, sizeof config,
             "{\"name\":\"%s\",\"subjects\":[\"%s.>\"],\"storage\":\"%s\"%s}", name, name, storage,
             strcmp(name, "FAST") == 0 ? ",\"allow_batched\":true" : "");
    RIG_OK(nats_client_request(client, subject, NATS_Z, NULL, config, strlen(config), RIG_WAIT_MS,
                               &reply));
    size_t len;
    RIG_CHECK(strstr(nats_msg_data(reply, &len), "\"created\"") != NULL);
    nats_msg_free(reply);
}

static uint64_t count_messages(nats_client *client, const char *name)
{
    char subject[64];
    nats_msg *reply;
    snprintf(subject, sizeof subject, "$JS.API.STREAM.INFO.%s", name);
    RIG_OK(nats_client_request(client, subject, NATS_Z, NULL, "", 0, RIG_WAIT_MS, &reply));
    size_t len;
    const char *at = strstr(nats_msg_data(reply, &len), "\"messages\":");
    RIG_CHECK(at != NULL);
    uint64_t count = strtoull(at + strlen("\"messages\":"), NULL, 10);
    nats_msg_free(reply);
    return count;
}

static nats_js_publisher *new_publisher(nats_client *client, int64_t max, nats_js **js)
{
    nats_js_publisher *publisher;
    RIG_OK(nats_client_jetstream(client, NULL, NULL, RIG_WAIT_MS, js));
    RIG_OK(nats_js_publisher_new(*js, max, &publisher));
    return publisher;
}

static uint64_t stat_of(nats_js_publisher *publisher, size_t which)
{
    uint64_t values[NATS_PUBLISHER_STAT_COUNT];
    RIG_CHECK(nats_js_publisher_stats(publisher, values, NATS_PUBLISHER_STAT_COUNT) ==
              NATS_PUBLISHER_STAT_COUNT);
    return values[which];
}

/* ---- threads ---- */

typedef struct worker {
    nats_js_publisher *publisher;
    const char *subject;
    uint64_t last_id;
    nats_status status;
} worker;

static void *publish_each(void *arg)
{
    worker *self = arg;
    for (int i = 0; i < EACH; i++) {
        uint64_t id;
        RIG_OK(nats_js_publisher_publish(self->publisher, self->subject, NATS_Z, NULL, "payload",
                                         7, &id));
        RIG_CHECK(id > self->last_id);
        self->last_id = id;
    }
    return NULL;
}

static void *publish_runs(void *arg)
{
    worker *self = arg;
    static const void *const datas[ROUND];
    static const size_t lens[ROUND];
    for (int i = 0; i < EACH / ROUND; i++) {
        uint64_t first;
        size_t published;
        RIG_OK(nats_js_publisher_publish_many(self->publisher, self->subject, NATS_Z, datas, lens,
                                              ROUND, &first, &published));
        RIG_CHECK(published == ROUND && first > self->last_id);
        self->last_id = first; /* of a fast one, other threads may come between */
    }
    return NULL;
}

static void *flush_now_and_then(void *arg)
{
    worker *self = arg;
    for (int i = 0; i < ROUND; i++) {
        RIG_OK(nats_js_publisher_flush(self->publisher, RIG_WAIT_MS));
        rig_sleep_ms(2);
    }
    return NULL;
}

/* subject: below the stream's name. */
static void share(nats_js_publisher *publisher, const char *subject)
{
    pthread_t threads[THREADS + 1];
    worker workers[THREADS + 1];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.publisher = publisher, .subject = subject};
        threads[i] = rig_thread(i % 2 == 0 ? publish_each : publish_runs, &workers[i]);
    }
    workers[THREADS] = (worker){.publisher = publisher};
    threads[THREADS] = rig_thread(flush_now_and_then, &workers[THREADS]);
    for (int i = 0; i <= THREADS; i++) {
        rig_join(threads[i], 3 * RIG_WAIT_MS, "a thread that publishes");
    }
    RIG_OK(nats_js_publisher_flush(publisher, RIG_WAIT_MS));
    RIG_CHECK(stat_of(publisher, NATS_PUBLISHER_PUBLISHED) == THREADS * EACH);
    RIG_CHECK(stat_of(publisher, NATS_PUBLISHER_ACKED) == THREADS * EACH);
    RIG_CHECK(stat_of(publisher, NATS_PUBLISHER_PENDING) == 0);
}

static void threads_share_a_publisher(void)
{
    nats_client *client;
    nats_js *js;
    RIG_OK(rig_connect(rig.url, NULL, &client));
    make_stream(client, "SHARED", "memory");
    nats_js_publisher *publisher = new_publisher(client, WINDOW, &js);
    share(publisher, "SHARED.x");
    RIG_CHECK(count_messages(client, "SHARED") == THREADS * EACH);
    nats_js_publisher_free(publisher);
    nats_js_free(js);
    nats_client_free(client);
}

/* With a server that has it. */
static void threads_share_a_fast_publisher(void)
{
    nats_client *client;
    nats_js *js;
    nats_js_publisher *publisher;
    RIG_OK(rig_connect(rig.url, NULL, &client));
    RIG_OK(nats_client_jetstream(client, NULL, NULL, RIG_WAIT_MS, &js));
    nats_status status = nats_js_publisher_fast(js, WINDOW, &publisher);
    if (status == NATS_ERR_NOT_SUPPORTED) {
        puts("this server has no fast ingest");
    } else {
        RIG_CHECK(status == NATS_OK);
        make_stream(client, "FAST", "memory");
        share(publisher, "FAST.x");
        RIG_CHECK(count_messages(client, "FAST") == THREADS * EACH);
    }
    nats_js_publisher_free(publisher);
    nats_js_free(js);
    nats_client_free(client);
}

/* Who waits for room is let go when the client is closed. */
static void *publish_until_closed(void *arg)
{
    worker *self = arg;
    do {
        self->status =
            nats_js_publisher_publish(self->publisher, self->subject, NATS_Z, NULL, "", 0, NULL);
    } while (self->status == NATS_OK);
    return NULL;
}

static void a_close_ends_who_waits(void)
{
    nats_client *client;
    nats_js *js;
    RIG_OK(rig_connect(rig.url, NULL, &client));
    nats_js_publisher *publisher = new_publisher(client, WINDOW, &js);
    rig_freeze(); /* no answers come */
    pthread_t threads[THREADS];
    worker workers[THREADS];
    for (int i = 0; i < THREADS; i++) {
        workers[i] = (worker){.publisher = publisher, .subject = "x"};
        threads[i] = rig_thread(publish_until_closed, &workers[i]);
    }
    while (stat_of(publisher, NATS_PUBLISHER_PENDING) < WINDOW) {
        rig_sleep_ms(1);
    }
    rig_sleep_ms(20);
    nats_client_close(client);
    for (int i = 0; i < THREADS; i++) {
        rig_join(threads[i], RIG_WAIT_MS, "publish of a client that is closed");
        RIG_CHECK(workers[i].status == NATS_ERR_CLOSED);
    }
    uint64_t id;
    RIG_CHECK(nats_js_publisher_next_failure(publisher, &id) == NATS_ERR_CLOSED && id > 0);
    RIG_CHECK(stat_of(publisher, NATS_PUBLISHER_FAILED) == WINDOW);
    kill(rig.pid, SIGCONT);
    nats_js_publisher_free(publisher);
    nats_js_free(js);
    nats_client_free(client);
}

/* ---- a server that dies ---- */

/* What is still to be published, and what each message was: failures name them by their ids. */
typedef struct work {
    nats_js_publisher *publisher;
    uint64_t todo[MANY];
    size_t todo_count;
    uint64_t numbers[MANY * 4];
    size_t failures;
} work;

static void take_failures(work *self)
{
    uint64_t id;
    nats_status status;
    while ((status = nats_js_publisher_next_failure(self->publisher, &id)) != NATS_OK) {
        RIG_CHECK(status == NATS_ERR_DISCONNECTED || status == NATS_ERR_NO_RESPONDERS ||
                  status == NATS_ERR_TIMEOUT);
        RIG_CHECK(self->todo_count < MANY);
        self->todo[self->todo_count++] = self->numbers[id];
        self->failures++;
    }
}

static void publish_next(work *self)
{
    char text[32];
    uint64_t id;
    nats_headers *headers;
    uint64_t number = self->todo[--self->todo_count];
    snprintf(text, sizeof text, "%" PRIu64, number);
    RIG_OK(nats_headers_new(&headers));
    RIG_OK(nats_headers_add(headers, nats_js_header("msg_id", NULL), NATS_Z, text, NATS_Z));
    nats_status status = nats_js_publisher_publish(self->publisher, "KILLED.x", NATS_Z, headers,
                                                   text, strlen(text), &id);
    nats_headers_free(headers);
    RIG_CHECK(status == NATS_OK || status == NATS_ERR_LIMIT);
    if (status == NATS_ERR_LIMIT) {
        self->todo[self->todo_count++] = number;
        take_failures(self);
        return;
    }
    RIG_CHECK(id < MANY * 4);
    self->numbers[id] = number;
}

static void *publish_all(void *arg)
{
    work *self = arg;
    nats_status flushed = NATS_OK;
    while (self->todo_count > 0 || flushed != NATS_OK) {
        while (self->todo_count > 0) {
            publish_next(self);
        }
        flushed = nats_js_publisher_flush(self->publisher, RIG_WAIT_MS);
        take_failures(self);
    }
    return NULL;
}

/* While the window is open. The server goes with the thread that started it, so it is this one. */
static void kill_twice(nats_js_publisher *publisher)
{
    for (uint64_t i = 1; i <= 2; i++) {
        while (stat_of(publisher, NATS_PUBLISHER_ACKED) < i * MANY / 4) {
            rig_sleep_ms(1);
        }
        rig_stop();
        rig_sleep_ms(20);
        rig_start();
    }
}

static void a_killed_server_loses_nothing_that_it_acknowledged(void)
{
    nats_client *client;
    nats_js *js;
    static work self;
    RIG_CONNECT(client, "reconnect_wait=0.02");
    make_stream(client, "KILLED", "file");
    self.publisher = new_publisher(client, WINDOW, &js);
    for (uint64_t number = 1; number <= MANY; number++) {
        self.todo[self.todo_count++] = number;
    }
    pthread_t thread = rig_thread(publish_all, &self);
    kill_twice(self.publisher);
    rig_join(thread, 3 * RIG_WAIT_MS, "the one that publishes");
    RIG_CHECK(count_messages(client, "KILLED") == MANY);
    RIG_CHECK(self.failures > 0);
    RIG_CHECK(stat_of(self.publisher, NATS_PUBLISHER_FAILED) == self.failures);
    RIG_CHECK(stat_of(self.publisher, NATS_PUBLISHER_ACKED) == MANY);
    printf("published again: %zu, of which the stream had %" PRIu64 "\n", self.failures,
           stat_of(self.publisher, NATS_PUBLISHER_DUPLICATES));
    nats_js_publisher_free(self.publisher);
    nats_js_free(js);
    nats_client_free(client);
}

/* ---- nobody but the caller ---- */

static void without_a_keeper(void)
{
    nats_client *client;
    nats_js *js;
    uint64_t id;
    RIG_CONNECT(client, "keeper=0");
    make_stream(client, "ALONE", "memory");
    nats_js_publisher *publisher = new_publisher(client, 16, &js);
    for (int i = 0; i < EACH; i++) {
        RIG_OK(nats_js_publisher_publish(publisher, "ALONE.x", NATS_Z, NULL, "", 0, &id));
    }
    RIG_OK(nats_js_publisher_flush(publisher, RIG_WAIT_MS));
    RIG_OK(nats_js_publisher_publish(publisher, "nobody", NATS_Z, NULL, "", 0, &id));
    uint64_t failed = 0;
    nats_status status = NATS_OK;
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    while (failed == 0 && rig_now_ms() < end) {
        status = nats_js_publisher_next_failure(publisher, &failed);
    }
    RIG_CHECK(failed == id && status == NATS_ERR_NO_RESPONDERS);
    RIG_CHECK(count_messages(client, "ALONE") == EACH);
    nats_js_publisher_free(publisher);
    nats_js_free(js);
    nats_client_free(client);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"threads_share_a_publisher", threads_share_a_publisher},
        {"threads_share_a_fast_publisher", threads_share_a_fast_publisher},
        {"a_close_ends_who_waits", a_close_ends_who_waits},
        {"without_a_keeper", without_a_keeper},
        {"a_killed_server_loses_nothing_that_it_acknowledged",
         a_killed_server_loses_nothing_that_it_acknowledged},
    };
    rig_jetstream = true;
    return rig_run(argc, argv, cases, sizeof cases / sizeof cases[0]);
}
