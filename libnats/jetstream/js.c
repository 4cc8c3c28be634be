/* The handle: whose JetStream, by which subjects, how long to wait. */
#include "jetstream/js.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "proto/subject.h"

/* Streams and consumers may be changed by anybody: what was told of them is asked anew after a minute. */
#define SEEN_NS (INT64_C(60) * 1000 * NATS__MS)
#define LONG_AGO_NS (INT64_MIN / 2)

static bool is_set(const char *text)
{
    return text != NULL && text[0] != '\0';
}

/* Both end up in every subject of the API (ADR-1). */
static nats_status check(const char *domain, const char *prefix)
{
    if (is_set(domain) && is_set(prefix)) {
        return nats__fail(NATS_ERR_INVALID, "domain",
                          "domain and prefix are both given: a domain is a prefix by itself");
    }
    if (is_set(domain)) {
        return nats__subject_check("domain", domain, strlen(domain));
    }
    return is_set(prefix) ? nats__subject_check("prefix", prefix, strlen(prefix)) : NATS_OK;
}

static int64_t timeout_of(int64_t given_ms)
{
    const int64_t most_ms = NATS__JS_TIME_MAX_NS / NATS__MS;
    int64_t ms = given_ms >= 0 ? given_ms : NATS__JS_TIMEOUT_MS;
    return ms < most_ms ? ms : most_ms;
}

nats_status nats__js_new(nats_client *client, const char *domain, const char *prefix,
                         int64_t timeout_ms, nats_js **out)
{
    nats_status status = check(domain, prefix);
    if (status != NATS_OK) {
        return status;
    }
    if (timeout_ms < -1) {
        return nats__fail(NATS_ERR_INVALID, "timeout", "timeout is negative: %lld ms",
                          (long long)timeout_ms);
    }
    const char *begin = is_set(domain) ? "$JS." : "";
    const char *name = is_set(domain) ? domain : is_set(prefix) ? prefix : "$JS.API";
    const char *end = is_set(domain) ? ".API." : ".";
    size_t len = strlen(begin) + strlen(name) + strlen(end);
    nats_js *js = malloc(sizeof *js + len + 1);
    if (js == NULL) {
        return nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
    }

    *js = (nats_js){.client = client,
                    .timeout_ms = timeout_of(timeout_ms),
                    .prefix_len = len};
    atomic_init(&js->refs, 1);
    snprintf(js->prefix, len + 1, "%s%s%s", begin, name, end);
    nats__client_ref(client);
    *out = js;
    return NATS_OK;
}

void nats__js_ref(nats_js *js)
{
    atomic_fetch_add_explicit(&js->refs, 1, memory_order_relaxed);
}

void nats__js_unref(nats_js *js)
{
    if (atomic_fetch_sub_explicit(&js->refs, 1, memory_order_acq_rel) == 1) {
        for (size_t i = 0; i < NATS__JS_SEEN_MAX; i++) {
            free(js->seen[i].name);
        }
        free(js);
    }
}

/* ---- what was told of streams and consumers ---- */

/* NULL: of that name nothing is known. */
static nats__js_seen *find_seen(nats_js *js, const char *name)
{
    for (size_t i = 0; i < NATS__JS_SEEN_MAX; i++) {
        if (js->seen[i].name != NULL && strcmp(js->seen[i].name, name) == 0) {
            return &js->seen[i];
        }
    }
    return NULL;
}

bool nats__js_direct_known(nats_js *js, const char *stream, int64_t now_ns, bool *direct_out)
{
    const nats__js_seen *seen = find_seen(js, stream);
    if (seen == NULL || now_ns - seen->at_ns > SEEN_NS) {
        return false;
    }
    *direct_out = seen->direct;
    return true;
}

static nats__js_seen *note(nats_js *js, const char *name, int64_t now_ns)
{
    nats__js_seen *seen = find_seen(js, name);
    if (seen == NULL) {
        seen = &js->seen[js->seen_next];
        js->seen_next = (js->seen_next + 1) % NATS__JS_SEEN_MAX;
        free(seen->name);
        *seen = (nats__js_seen){.name = strdup(name)}; /* without memory it is asked again */
    }
    seen->at_ns = now_ns;
    return seen;
}

void nats__js_direct_learn(nats_js *js, const char *stream, bool direct, int64_t now_ns)
{
    note(js, stream, now_ns)->direct = direct;
}

/* No name has a dot in it: this is no stream's. */
typedef struct pair {
    char name[2 * NATS__JS_NAME_MAX + 2];
} pair;

static pair pair_of(const char *stream, const char *consumer)
{
    pair both;
    snprintf(both.name, sizeof both.name, "%s.%s", stream, consumer);
    return both;
}

const nats__js_seen *nats__js_consumer_known(nats_js *js, const char *stream, const char *consumer,
                                             int64_t now_ns)
{
    const nats__js_seen *seen = find_seen(js, pair_of(stream, consumer).name);
    return seen != NULL && now_ns - seen->at_ns <= SEEN_NS ? seen : NULL;
}

void nats__js_consumer_learn(nats_js *js, const char *stream, const char *consumer,
                             const nats__json *config, int64_t now_ns)
{
    int64_t expires = 0;
    nats__js_seen *seen = note(js, pair_of(stream, consumer).name, now_ns);
    nats__json_int(nats__json_get(config, "max_expires"), &expires);
    seen->expires_max_ns = expires > 0 ? expires : 0;
}

const char *nats__js_pin(nats_js *js, const char *stream, const char *consumer)
{
    const nats__js_seen *seen = find_seen(js, pair_of(stream, consumer).name);
    return seen != NULL ? seen->pin : "";
}

/* A pin is no news of the consumer's configuration: of one that nothing is known of nothing is known then. */
void nats__js_pin_learn(nats_js *js, const char *stream, const char *consumer, const char *pin)
{
    pair both = pair_of(stream, consumer);
    nats__js_seen *seen = find_seen(js, both.name);
    if (seen == NULL && pin[0] != '\0') {
        seen = note(js, both.name, LONG_AGO_NS);
    }
    if (seen != NULL) {
        snprintf(seen->pin, sizeof seen->pin, "%s", pin);
    }
}

void nats__js_consumer_doubt(nats_js *js, const char *stream, const char *consumer)
{
    nats__js_seen *seen = find_seen(js, pair_of(stream, consumer).name);
    if (seen != NULL) {
        seen->at_ns = LONG_AGO_NS;
    }
}

void nats__js_consumer_forget(nats_js *js, const char *stream, const char *consumer)
{
    pair both = pair_of(stream, consumer != NULL ? consumer : "");
    size_t len = strlen(both.name) + (consumer != NULL); /* with its end, or as a beginning */
    for (size_t i = 0; i < NATS__JS_SEEN_MAX; i++) {
        nats__js_seen *seen = &js->seen[i];
        if (seen->name != NULL && strncmp(seen->name, both.name, len) == 0) {
            free(seen->name);
            seen->name = NULL;
        }
    }
}

nats_status nats__js_timeout(const nats_js *js, int64_t *timeout_ms)
{
    if (*timeout_ms < -1) {
        return nats__fail(NATS_ERR_INVALID, "timeout", "timeout is negative: %lld ms",
                          (long long)*timeout_ms);
    }
    *timeout_ms = *timeout_ms == -1 ? js->timeout_ms : *timeout_ms;
    return NATS_OK;
}

bool nats__js_subject(const nats_js *js, nats__buf *out, const char *rest)
{
    return nats__buf_append(out, js->prefix, js->prefix_len) && nats__buf_append_text(out, rest);
}
