/* What an event loop waits for without a call that does: to be connected, flushed, drained. Each
 * step is moved by the descriptor and by nats_client_process() alone. */
#include "rig.h"

enum { MESSAGES = 2000 };

static const char *const keepers[] = {"keeper=true", "keeper=false"};

static nats_options *options_of(const char *keeper)
{
    nats_options *options;
    RIG_OK(nats_options_new(&options));
    RIG_OK(nats_options_set_bool(options, "keeper", strcmp(keeper, "keeper=true") == 0));
    RIG_OK(nats_options_set_text(options, "connect_timeout", "0.5", NATS_Z));
    RIG_OK(nats_options_set_text(options, "reconnect_wait", "0.01", NATS_Z));
    return options;
}

/* Turn until it has ended; its status, told once. */
static nats_status finish(nats_client *client, nats_future *future)
{
    int64_t end = rig_now_ms() + RIG_WAIT_MS;
    int32_t fd = -1;
    nats_client_fd(client, &fd);
    for (;;) {
        nats_msg *msg;
        int32_t done;
        nats_status status = nats_future_poll(future, &msg, &done);
        RIG_CHECK(msg == NULL);
        if (done != 0) {
            return status;
        }
        RIG_CHECK(rig_now_ms() < end);
        int64_t due = nats_client_deadline_ms(client);
        struct pollfd ask = {.fd = fd, .events = POLLIN};
        rig_watch began = rig_watch_start();
        poll(&ask, 1, (int)(due < 0 || due > 1000 ? 1000 : due));
        RIG_CHECK(rig_watch_ms(&began) < 1000 || due >= 1000);
        nats_client_process(client);
    }
}

static nats_client *connect_by_steps(const char *keeper)
{
    nats_client *client;
    nats_future *future;
    nats_options *options = options_of(keeper);
    RIG_OK(nats_connect_start(rig.url, options, &client, &future));
    nats_options_free(options);
    RIG_OK(finish(client, future));
    RIG_CHECK(nats_client_status(client) == NATS_CLIENT_CONNECTED);
    nats_msg *msg;
    int32_t done;
    RIG_CHECK(nats_future_poll(future, &msg, &done) == NATS_ERR_CLOSED && done == 1);
    nats_future_free(future);
    return client;
}

static void connected(void)
{
    for (int i = 0; i < 2; i++) {
        nats_client *client = connect_by_steps(keepers[i]);
        RIG_CHECK(rig_stat(client, "open_requests") == 0);
        nats_client_free(client);
    }
}

/* What is published and subscribed before is not forgotten. */
static void used_before_it_is_connected(void)
{
    for (int i = 0; i < 2; i++) {
        nats_client *client;
        nats_future *future;
        nats_sub *sub;
        nats_msg *msg;
        nats_options *options = options_of(keepers[i]);
        RIG_OK(nats_connect_start(rig.url, options, &client, &future));
        nats_options_free(options);
        RIG_OK(nats_client_subscribe(client, "early", NATS_Z, NULL, 0, 0, &sub));
        RIG_OK(nats_client_publish(client, "early", NATS_Z, "bird", 4));
        RIG_OK(nats_future_wait(future, -1, &msg));
        RIG_OK(nats_sub_next(sub, RIG_WAIT_MS, &msg));
        RIG_CHECK(msg != NULL);
        nats_msg_free(msg);
        nats_sub_free(sub);
        nats_future_free(future);
        nats_client_free(client);
    }
}

static nats_status connect_to(const char *url, const char *keeper, bool poll_it)
{
    nats_client *client;
    nats_future *future;
    nats_msg *msg;
    nats_options *options = options_of(keeper);
    RIG_OK(nats_connect_start(url, options, &client, &future));
    nats_options_free(options);
    nats_status status = poll_it ? finish(client, future) : nats_future_wait(future, -1, &msg);
    RIG_CHECK(nats_client_status(client) == NATS_CLIENT_CLOSED);
    nats_future_free(future);
    nats_client_free(client);
    return status;
}

static void not_connected(void)
{
    int port = 0;
    char dead[64];
    char mute[64];
    close(rig_listen(&port));
    snprintf(dead, sizeof(dead), "nats://127.0.0.1:%d", port);
    port = 0;
    int fd = rig_listen(&port); /* takes connections and says nothing */
    snprintf(mute, sizeof(mute), "nats://127.0.0.1:%d", port);
    for (int i = 0; i < 4; i++) {
        const char *keeper = keepers[i % 2];
        RIG_CHECK(connect_to(dead, keeper, i < 2) == NATS_ERR_IO);
        RIG_CHECK(strstr(nats_last_error(NULL), "refused") != NULL);
        RIG_CHECK(connect_to(mute, keeper, i < 2) == NATS_ERR_TIMEOUT);
        nats_client *client = (nats_client *)&port;
        nats_future *future = (nats_future *)&port;
        RIG_CHECK(nats_connect_start("what://is", NULL, &client, &future) == NATS_ERR_INVALID);
        RIG_CHECK(client == NULL && future == NULL);
    }
    close(fd);
}

/* Until somebody asks how it ended, attempts go on: the answer is why it ended, not what came later. */
static void not_connected_and_asked_late(void)
{
    int port = 0;
    char url[64];
    nats_client *client;
    nats_future *future;
    nats_msg *msg;
    nats_options *options = options_of("keeper=true");
    int listener = rig_listen(&port);
    snprintf(url, sizeof(url), "nats://127.0.0.1:%d", port);
    RIG_OK(nats_connect_start(url, options, &client, &future));
    nats_options_free(options);
    int silent = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    for (int i = 0; i < 2; i++) {
        close(accept4(listener, NULL, NULL, SOCK_CLOEXEC)); /* the second: the first one's end is told */
    }
    RIG_CHECK(nats_future_wait(future, -1, &msg) == NATS_ERR_TIMEOUT);
    nats_future_free(future);
    nats_client_free(client);
    close(silent);
    close(listener);
}

/* Given up at every stage: nothing is left behind, and nothing is waited for. */
static void abandoned(void)
{
    for (int i = 0; i < 4; i++) {
        nats_client *client;
        nats_future *future;
        nats_options *options = options_of(keepers[i % 2]);
        RIG_OK(nats_connect_start(rig.url, options, &client, &future));
        nats_options_free(options);
        if (i < 2) {
            nats_future_free(future);
            nats_client_free(client);
        } else {
            nats_client_free(client);
            nats_future_free(future);
        }
    }
}

/* A flush confirms what was published before; without a connection it waits for the next one. */
static void flushed(void)
{
    for (int i = 0; i < 2; i++) {
        nats_client *client = connect_by_steps(keepers[i]);
        nats_future *first;
        nats_future *second;
        for (int n = 0; n < MESSAGES; n++) {
            RIG_OK(nats_client_publish(client, "flush", NATS_Z, "x", 1));
        }
        RIG_OK(nats_client_flush_start(client, -1, &first));
        RIG_OK(nats_client_flush_start(client, -1, &second));
        RIG_CHECK(rig_stat(client, "open_requests") == 0);
        RIG_OK(finish(client, second));
        RIG_CHECK(nats_client_replies(client) == 1);
        RIG_OK(finish(client, first));
        RIG_CHECK(nats_client_replies(client) == 0);
        nats_future_free(first);
        nats_future_free(second);

        rig_freeze();
        RIG_OK(nats_client_flush_start(client, 100, &first));
        RIG_CHECK(finish(client, first) == NATS_ERR_TIMEOUT);
        nats_future_free(first);
        RIG_OK(nats_client_flush_start(client, -1, &first));
        kill(rig.pid, SIGKILL); /* frozen as it is: rig_stop() would let it answer */
        rig_stop();
        RIG_CHECK(finish(client, first) == NATS_ERR_DISCONNECTED);
        nats_future_free(first);

        RIG_OK(nats_client_flush_start(client, RIG_WAIT_MS, &first));
        rig_start();
        RIG_OK(finish(client, first));
        nats_future_free(first);
        rig_freeze();
        RIG_OK(nats_client_flush_start(client, -1, &first));
        RIG_OK(nats_client_close(client));
        RIG_CHECK(finish(client, first) == NATS_ERR_CLOSED);
        rig_stop();
        rig_start();
        nats_future_free(first);
        nats_client_free(client);
    }
}

/* All that was under way is there, and nothing comes after it. */
static void drained(bool whole)
{
    nats_client *other;
    RIG_CONNECT(other, "keeper=true");
    for (int i = 0; i < 2; i++) {
        nats_client *client = connect_by_steps(keepers[i]);
        nats_msg *batch[MESSAGES + 1];
        nats_future *future;
        nats_sub *sub;
        size_t count = 0;
        RIG_OK(nats_client_subscribe(client, "drain", NATS_Z, NULL, 0, 0, &sub));
        RIG_OK(nats_client_flush_start(client, -1, &future));
        RIG_OK(finish(client, future));
        nats_future_free(future);
        for (int n = 0; n < MESSAGES; n++) {
            RIG_OK(nats_client_publish(other, "drain", NATS_Z, "x", 1));
        }
        RIG_OK(nats_client_flush(other, -1));
        RIG_OK(whole ? nats_client_drain_start(client, -1, &future)
                     : nats_sub_drain_start(sub, -1, &future));
        RIG_OK(finish(client, future));
        nats_future_free(future);
        RIG_CHECK(nats_sub_active(sub) == 0);
        RIG_CHECK(nats_client_pending(client) == MESSAGES);
        for (size_t got = 1; got > 0;) {
            nats_status status = nats_sub_get(sub, MESSAGES + 1, 0, batch, &got);
            RIG_CHECK(status == NATS_OK || got == 0);
            nats_msg_free_many(batch, got);
            count += got;
        }
        RIG_CHECK(count == MESSAGES);
        RIG_CHECK((nats_client_status(client) == NATS_CLIENT_CLOSED) == whole);
        nats_sub_free(sub);
        nats_client_free(client);
    }
    nats_client_free(other);
}

static void client_drained(void)
{
    drained(true);
}

static void sub_drained(void)
{
    drained(false);
}

/* Messages that nobody takes wake a loop that wants it so once, when they come. */
static void news_only(void)
{
    for (int i = 0; i < 2; i++) {
        nats_client *client = connect_by_steps(keepers[i]);
        nats_client *other;
        nats_sub *sub;
        int32_t fd;
        RIG_CONNECT(other, "keeper=true");
        RIG_OK(nats_client_fd(client, &fd));
        RIG_OK(nats_client_fd_mode(client, NATS_FD_NEWS_ONLY));
        RIG_OK(nats_client_subscribe(client, "news", NATS_Z, NULL, 0, 0, &sub));
        RIG_OK(nats_client_flush(client, -1));
        struct pollfd ask = {.fd = fd, .events = POLLIN};
        for (int n = 0; n < 3; n++) {
            while (poll(&ask, 1, 20) == 1) {
                RIG_OK(nats_client_process(client));
            }
            RIG_OK(nats_client_publish(other, "news", NATS_Z, "x", 1));
            RIG_CHECK(poll(&ask, 1, RIG_WAIT_MS) == 1);
            while (nats_client_pending(client) == (uint64_t)n) {
                RIG_OK(nats_client_process(client));
            }
            RIG_OK(nats_client_process(client));
            RIG_CHECK(poll(&ask, 1, 50) == 0);
        }
        RIG_OK(nats_client_fd_mode(client, 0));
        RIG_OK(nats_client_process(client));
        RIG_CHECK(poll(&ask, 1, 50) == 1);
        nats_sub_free(sub);
        nats_client_free(other);
        nats_client_free(client);
    }
}

/* Without a keeper, a loop that wants it so writes what it publishes in a turn in two pieces. */
static void writes_in_turns(void)
{
    nats_client *client = connect_by_steps("keeper=false");
    nats_future *future;
    RIG_CHECK(nats_client_fd_mode(client, 4) == NATS_ERR_INVALID);
    RIG_OK(nats_client_fd_mode(client, NATS_FD_WRITES_IN_TURNS));
    for (int turn = 0; turn < 3; turn++) {
        rig_sleep_ms(1);
        RIG_OK(nats_client_publish(client, "turn", NATS_Z, "x", 1));
        RIG_CHECK(rig_stat(client, "unwritten_bytes") == 0);
        rig_sleep_ms(1);
        RIG_OK(nats_client_publish(client, "turn", NATS_Z, "x", 1));
        rig_sleep_ms(1);
        RIG_OK(nats_client_publish(client, "turn", NATS_Z, "x", 1));
        RIG_CHECK(rig_stat(client, "unwritten_bytes") > 0);
        RIG_OK(nats_client_process(client));
        RIG_CHECK(rig_stat(client, "unwritten_bytes") == 0);
    }
    RIG_OK(nats_client_flush_start(client, -1, &future));
    RIG_OK(finish(client, future));
    nats_future_free(future);
    nats_client_free(client);
}

/* A drain that cannot end in time closes at once; one that is given up ends the subscriptions. */
static void not_drained(void)
{
    for (int i = 0; i < 2; i++) {
        nats_client *client = connect_by_steps(keepers[i]);
        nats_future *future;
        nats_sub *sub;
        RIG_OK(nats_client_subscribe(client, "drain", NATS_Z, NULL, 0, 0, &sub));
        RIG_OK(nats_sub_drain_start(sub, -1, &future));
        nats_future_cancel(future);
        RIG_CHECK(nats_sub_active(sub) == 0);
        nats_future_free(future);
        nats_sub_free(sub);
        RIG_OK(nats_client_subscribe(client, "drain", NATS_Z, NULL, 0, 0, &sub));

        rig_freeze();
        rig_watch began = rig_watch_start();
        RIG_OK(nats_client_publish(client, "unsure", NATS_Z, "x", 1));
        RIG_OK(nats_client_drain_start(client, 100, &future));
        RIG_CHECK(nats_client_status(client) == NATS_CLIENT_DRAINING);
        RIG_CHECK(finish(client, future) == NATS_ERR_TIMEOUT);
        RIG_CHECK(nats_client_status(client) == NATS_CLIENT_CLOSED);
        RIG_CHECK(rig_watch_ms(&began) < 1500);
        nats_future_free(future);
        nats_sub_free(sub);
        nats_client_free(client);
        rig_stop();
        rig_start();
    }
}

/* The connection is lost in the middle, and nobody asks how the drain ended: the next connection does
 * not have the subscription again. */
static void lost_while_draining(void)
{
    for (int i = 0; i < 2; i++) {
        nats_client *client = connect_by_steps(keepers[i]);
        nats_client *other;
        nats_future *future;
        nats_sub *sub;
        RIG_OK(nats_client_subscribe(client, "drain", NATS_Z, NULL, 0, 0, &sub));
        RIG_OK(nats_client_flush(client, -1));
        rig_freeze();
        RIG_OK(nats_sub_drain_start(sub, -1, &future));
        kill(rig.pid, SIGKILL); /* as it is: it never read the UNSUB */
        rig_stop();
        rig_start();
        while (rig_stat(client, "reconnects") < 1) {
            nats_client_flush(client, RIG_WAIT_MS);
        }
        RIG_CONNECT(other, "keeper=true");
        RIG_OK(nats_client_publish(other, "drain", NATS_Z, "x", 1));
        RIG_OK(nats_client_flush(other, -1));
        RIG_OK(nats_client_flush(client, -1));
        RIG_CHECK(rig_stat(client, "in_msgs") == 0);
        RIG_CHECK(nats_sub_active(sub) == 0);
        RIG_CHECK(finish(client, future) == NATS_ERR_DISCONNECTED);
        nats_future_free(future);
        nats_sub_free(sub);
        nats_client_free(other);
        nats_client_free(client);
    }
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"connected", connected},
        {"used_before_it_is_connected", used_before_it_is_connected},
        {"not_connected", not_connected},
        {"not_connected_and_asked_late", not_connected_and_asked_late},
        {"abandoned", abandoned},
        {"flushed", flushed},
        {"client_drained", client_drained},
        {"sub_drained", sub_drained},
        {"not_drained", not_drained},
        {"lost_while_draining", lost_while_draining},
        {"news_only", news_only},
        {"writes_in_turns", writes_in_turns},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
