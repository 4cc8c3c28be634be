/* What stands on a request looks at its replies first: it may ask again under the same future, later
 * too, and fail it in its own words. */
#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "rig.h"

enum { AGAIN_MS = 30, WAIT_MS = 5000 };

typedef struct plan {
    const char *next; /* what is asked when the first answer is there; NULL: it is given */
    int32_t err_code; /* what it fails with; 0: it does not */
    bool persists;    /* asks again when nobody answers */
    int replies;
    int times;
    int ended;
    int freed;
    nats_status status; /* that it ended with */
} plan;

static nats__frame frame_of(const char *subject)
{
    size_t len = strlen(subject);
    return (nats__frame){.subject = subject, .subject_len = len, .data = "q", .data_len = 1};
}

static void drop(nats_msg *msg)
{
    nats__chunk_unref(msg->chunk, 1);
}

static void on_reply(nats_future *future, nats_msg *msg, int32_t status, int64_t now_ns)
{
    plan *of = future->owner;
    of->replies++;
    if (status == 503 && of->persists) {
        drop(msg);
        nats__future_hook_at(future, now_ns + (int64_t)AGAIN_MS * NATS__MS);
        return;
    }
    if (of->err_code != 0) {
        drop(msg);
        nats__fail_server(NATS_ERR_SERVER, &(nats__said){.code = 404, .err_code = of->err_code},
                          "thing", "no such thing");
        nats__future_fail(future);
        return;
    }
    if (of->next != NULL) {
        drop(msg);
        nats__frame frame = frame_of(of->next);
        of->next = NULL;
        RIG_OK(nats__future_ask(future, &frame));
        return;
    }
    nats__future_give(future, msg);
    nats__future_end(future, NATS_OK);
}

static void on_time(nats_future *future, int64_t now_ns)
{
    (void)now_ns;
    plan *of = future->owner;
    nats__frame frame = frame_of("svc.one");
    of->times++;
    RIG_OK(nats__future_ask(future, &frame));
}

static void on_ended(nats_future *future)
{
    plan *of = future->owner;
    of->ended++;
    of->status = future->status;
}

static void freed(void *owner)
{
    ((plan *)owner)->freed++;
}

static const nats__future_hooks hooks = {
    .on_reply = on_reply, .on_time = on_time, .on_ended = on_ended, .freed = freed};

static nats_future *start(nats_client *client, plan *of, int64_t timeout_ms)
{
    nats_future *future;
    nats__frame frame = frame_of("svc.one");
    nats__question how = {.timeout_ms = timeout_ms, .hooks = &hooks, .owner = of};
    RIG_OK(nats__future_start(client, &frame, &how, &future));
    return future;
}

/* The next request must be for that subject. */
static void answer(nats_client *client, nats_sub *sub, const char *subject, const char *data)
{
    nats_msg *msg;
    RIG_OK(nats_sub_next(sub, WAIT_MS, &msg));
    RIG_CHECK(msg != NULL);
    RIG_CHECK(strcmp(nats_msg_subject(msg, NULL), subject) == 0);
    RIG_OK(nats_client_respond(client, msg, NULL, data, strlen(data)));
    nats_msg_free(msg);
}

static void over(nats_future *future, const plan *of, nats_status status)
{
    RIG_CHECK(of->ended == 1 && of->status == status && of->freed == 0);
    nats_future_free(future);
    RIG_CHECK(of->ended == 1 && of->freed == 1);
}

/* ---- cases ---- */

typedef struct pair {
    nats_client *client;
    nats_client *other; /* who answers, by sub if it is there */
    nats_sub *sub;
} pair;

static void listen_to(pair *of)
{
    RIG_OK(nats_client_subscribe(of->other, "svc.>", NATS_Z, NULL, 0, 0, &of->sub));
    RIG_OK(nats_client_flush(of->other, WAIT_MS));
}

static pair connect_both(void)
{
    pair of = {0};
    RIG_OK(nats_connect(rig.url, NULL, &of.client));
    RIG_OK(nats_connect(rig.url, NULL, &of.other));
    return of;
}

static void let_go(const pair *of)
{
    nats_sub_free(of->sub);
    nats_client_close(of->client);
    nats_client_close(of->other);
    nats_client_free(of->client);
    nats_client_free(of->other);
}

static void a_second_request_under_the_same_future(void)
{
    pair both = connect_both();
    plan of = {.next = "svc.two"};
    nats_msg *msg;
    listen_to(&both);
    nats_future *future = start(both.client, &of, WAIT_MS);
    answer(both.other, both.sub, "svc.one", "1");
    answer(both.other, both.sub, "svc.two", "2"); /* nobody waits for the future yet */
    RIG_OK(nats_future_wait(future, WAIT_MS, &msg));
    RIG_CHECK(memcmp(nats_msg_data(msg, NULL), "2", 1) == 0);
    nats_msg_free(msg);
    over(future, &of, NATS_OK);
    let_go(&both);
}

static void its_own_words(void)
{
    pair both = connect_both();
    plan of = {.err_code = 10059};
    nats_msg *msg;
    listen_to(&both);
    nats_future *future = start(both.client, &of, WAIT_MS);
    answer(both.other, both.sub, "svc.one", "1");
    RIG_CHECK(nats_future_wait(future, WAIT_MS, &msg) == NATS_ERR_SERVER && msg == NULL);
    RIG_CHECK(nats_last_err_code() == 10059 && nats_last_code() == 404);
    RIG_CHECK(strcmp(nats_last_error(both.client), "no such thing") == 0);
    RIG_CHECK(strcmp(nats_last_about(), "thing") == 0);
    RIG_CHECK(nats_future_wait(future, 0, &msg) == NATS_ERR_CLOSED);
    RIG_CHECK(nats_last_err_code() == 0);
    over(future, &of, NATS_ERR_SERVER);
    let_go(&both);
}

static void a_time_of_its_own(void)
{
    pair both = connect_both();
    plan of = {.persists = true};
    nats_msg *msg;
    nats_future *future = start(both.client, &of, WAIT_MS);
    RIG_CHECK(nats_future_wait(future, 3 * AGAIN_MS, &msg) == NATS_ERR_TIMEOUT);
    listen_to(&both);
    answer(both.other, both.sub, "svc.one", "late"); /* nobody waits, and yet it asks again */
    RIG_OK(nats_future_wait(future, WAIT_MS, &msg));
    nats_msg_free(msg);
    RIG_CHECK(of.times >= 1 && of.replies == of.times + 1);
    over(future, &of, NATS_OK);
    let_go(&both);
}

static void the_deadline_is_one_for_all(void)
{
    pair both = connect_both();
    plan of = {.persists = true};
    nats_msg *msg;
    int64_t began = rig_now_ms();
    nats_future *future = start(both.client, &of, 4 * AGAIN_MS);
    RIG_CHECK(nats_future_wait(future, -1, &msg) == NATS_ERR_TIMEOUT);
    RIG_CHECK(rig_now_ms() - began < RIG_WAIT_MS);
    RIG_CHECK(of.times >= 1);
    over(future, &of, NATS_ERR_TIMEOUT);
    let_go(&both);
}

/* With the connection it is over, also for who waits for a time. */
static void lost_with_the_connection(void)
{
    pair both = connect_both();
    plan of = {.persists = true};
    nats_msg *msg;
    nats_future *future = start(both.client, &of, WAIT_MS);
    RIG_CHECK(nats_future_wait(future, AGAIN_MS, &msg) == NATS_ERR_TIMEOUT);
    rig_stop();
    RIG_CHECK(nats_future_wait(future, -1, &msg) == NATS_ERR_DISCONNECTED);
    over(future, &of, NATS_ERR_DISCONNECTED);
    let_go(&both);
}

/* Freed while it is open: its hooks hear of the end, and nothing comes in any more. */
static void freed_while_open(void)
{
    pair both = connect_both();
    plan of = {.persists = true};
    nats_future *future = start(both.client, &of, WAIT_MS);
    nats_future_free(future);
    RIG_CHECK(of.ended == 1 && of.freed == 1);
    RIG_OK(nats_client_flush(both.client, WAIT_MS));
    RIG_CHECK(of.replies <= 1 && of.times == 0);
    let_go(&both);
}

int main(int argc, char **argv)
{
    static const rig_case cases[] = {
        {"a_second_request_under_the_same_future", a_second_request_under_the_same_future},
        {"its_own_words", its_own_words},
        {"a_time_of_its_own", a_time_of_its_own},
        {"the_deadline_is_one_for_all", the_deadline_is_one_for_all},
        {"freed_while_open", freed_while_open},
        {"lost_with_the_connection", lost_with_the_connection},
    };
    return rig_run(argc, argv, cases, sizeof(cases) / sizeof(cases[0]));
}
