/* Asking the server what it can do, without waiting: the account's "INFO" tells the level of its API. */
#include <stdlib.h>

#include "base/error.h"
#include "jetstream/level.h"

static void tell(nats_future *future, const nats__json *info)
{
    nats__js_level_learn(future->owner, future->conn, info);
    future->many = true; /* it ends as many replies do: with none */
    nats__future_end(future, NATS_OK);
}

static void on_reply(nats_future *future, nats_msg *msg, int32_t status, int64_t now_ns)
{
    (void)status;
    (void)now_ns;
    nats__json *info = nats__js_level_read(msg);
    future->conn->totals.dropped++;
    nats__chunk_unref(msg->chunk, 1);
    tell(future, info);
    nats__json_free(info);
}

static bool on_refused(nats_future *future)
{
    tell(future, NULL);
    return true;
}

/* The usual words would be of a request that the user knows nothing of. */
static void on_ended(nats_future *future)
{
    bool late = future->status == NATS_ERR_TIMEOUT;
    if ((!late && future->status != NATS_ERR_DISCONNECTED) || future->words != NULL) {
        return;
    }
    future->words = malloc(sizeof *future->words);
    if (future->words == NULL) {
        return; /* the usual words then */
    }
    nats__fail(future->status, "level", "%s which level of JetStream's API it has",
               late ? "the server did not say in time"
                    : "the connection was lost before the server said");
    *future->words = *nats__error_get();
}

static void freed(void *owner)
{
    nats__js_unref(owner);
}

static const nats__future_hooks hooks = {
    .on_reply = on_reply, .on_refused = on_refused, .on_ended = on_ended, .freed = freed};

static nats_status ask(nats_js *js, int64_t timeout_ms, nats_future **out)
{
    nats__buf subject = {0};
    nats__question how = {.timeout_ms = timeout_ms, .hooks = &hooks, .owner = js};
    if (!nats__js_subject(js, &subject, "INFO")) {
        nats__buf_free(&subject);
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }
    nats__frame frame = {.subject = (const char *)subject.data, .subject_len = subject.len};
    nats__js_ref(js);
    nats_status status = nats__future_start(js->client, &frame, &how, out);
    nats__buf_free(&subject);
    if (status != NATS_OK) {
        nats__js_unref(js);
    }
    return status;
}

/* There is nothing to wait for. mu held. */
static nats_status ended(const nats_js *js, nats_future **out)
{
    nats_status status = nats__future_new(js->client, "", 0, INT64_MAX, out);
    if (status == NATS_OK) {
        (*out)->many = true;
        nats__future_end(*out, NATS_OK);
    }
    return status;
}

nats_status nats__js_learn_start(nats_js *js, int64_t timeout_ms, nats_future **out)
{
    static const nats__js_needs any = {.level = 1};
    nats__conn *conn = js->client->conn;
    pthread_mutex_lock(&conn->mu);
    bool known = nats__js_level_known(js, conn, &any);
    nats_status status = known ? ended(js, out) : NATS_OK;
    pthread_mutex_unlock(&conn->mu);
    return known ? status : ask(js, timeout_ms, out);
}
