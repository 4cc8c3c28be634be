/* What pulling means: its defaults, what a consumer's configuration limits, and what the words of
 * the server ask for. */
#include <string.h>

#include "base/error.h"
#include "client/conn.h"
#include "jetstream/consume.h"

enum {
    SHARED_AHEAD = 500,  /* what clients have ahead of their programs: others pull from the consumer, too */
    ORDERED_AHEAD = 4000 /* nobody else does, and nothing is acknowledged: a pause of either side is bridged */
};

#define HEARTBEAT_MAX_NS INT64_C(30000000000)

int64_t nats__pull_heartbeat_ns(int64_t expires_ns)
{
    int64_t half = expires_ns / 2;
    int64_t least = half > NATS__PULL_HEARTBEAT_MIN_NS ? half : NATS__PULL_HEARTBEAT_MIN_NS;
    return least < HEARTBEAT_MAX_NS ? least : HEARTBEAT_MAX_NS;
}

static uint64_t more_than(uint64_t limit, int64_t wanted)
{
    return limit < (uint64_t)wanted ? (uint64_t)wanted : limit;
}

void nats__pull_set_up(nats__consume *self)
{
    nats__consume_args *args = &self->args;
    nats__queue *queue = &self->hook.sub->queue;
    /* What was asked for expressly must fit, unless the queue's limit was too. */
    if (args->pending_bytes == 0) {
        queue->bytes_max = more_than(queue->bytes_max, args->max_bytes);
    }
    if (args->pending_msgs == 0) {
        bool by_bytes = args->max_bytes > 0 && args->max_messages == 0;
        queue->msgs_max = by_bytes ? UINT64_MAX : more_than(queue->msgs_max, args->max_messages);
    }
    if (args->max_messages == 0 && args->max_bytes == 0) {
        args->max_messages = args->how == NATS__HOW_ORDERED ? ORDERED_AHEAD : SHARED_AHEAD;
    }
    self->pull.expires_ns = args->expires_ns > 0 ? args->expires_ns : NATS__PULL_EXPIRES_NS;
    self->pull.heartbeat_ns = args->heartbeat_ns >= 0
                                  ? args->heartbeat_ns
                                  : nats__pull_heartbeat_ns(self->pull.expires_ns);
}

/* ---- the consumer ---- */

bool nats__pull_look(nats__consume *self, const nats__answer *answer)
{
    const nats__json *config = nats__json_get(answer->doc, "config");
    const char *text;
    size_t len;
    if (nats__json_kind_of(config) != NATS__JSON_OBJECT) {
        nats__consume_words(self, &(nats__answer){.code = NATS__GARBLED});
        return false;
    }
    bool push = nats__json_text(nats__json_get(config, "deliver_subject"), &text, &len) && len > 0;
    if (push) {
        nats__fail(NATS_ERR_INVALID, "consumer",
                   "%s: it delivers by itself, and is to be consumed with \"push\"",
                   nats__consume_whose(self).text);
        return false;
    }
    self->acks_none = nats__json_text(nats__json_get(config, "ack_policy"), &text, &len) &&
                      len == 4 && memcmp(text, "none", len) == 0;
    self->none_seq = 0;
    nats__pull_configure(self, config);
    return true;
}

/* ---- words ---- */

static const struct {
    int32_t code;
    const char *text; /* its beginning */
    nats__deed deed;
} deeds[] = {
    {100, "", NATS__DEED_SEEN},
    {404, "", NATS__DEED_GO_ON},
    {408, "", NATS__DEED_GO_ON},
    {409, "Batch Completed", NATS__DEED_GO_ON},
    {409, "Message Size Exceeds MaxBytes", NATS__DEED_TOO_LARGE},
    {409, "Leadership Change", NATS__DEED_ANEW},
    {409, "Server Shutdown", NATS__DEED_ELSEWHERE},
    {409, "Exceeded MaxWaiting", NATS__DEED_LATER},
    {409, "Exceeded Max", NATS__DEED_LIMIT},
    {409, "Consumer Deleted", NATS__DEED_DELETED},
    {409, "Consumer is push based", NATS__DEED_LASTING},
    {400, "", NATS__DEED_LASTING},
    {412, "", NATS__DEED_LASTING},
    {423, "", NATS__DEED_UNPIN},
    {503, "", NATS__DEED_ASK},
};

nats__deed nats__word_deed(const nats__word *word)
{
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        if (deeds[i].code == word->code && nats__word_says(word, deeds[i].text)) {
            return deeds[i].deed;
        }
    }
    return NATS__DEED_LATER;
}

nats_status nats__word_fail(const nats__consume *self, const nats__word *word)
{
    nats__said said = {.code = word->code, .description = word->text, .len = word->len};
    return nats__fail_said(&said, nats__consume_about(self), nats__consume_whose(self).text);
}

bool nats__pull_too_large(nats__consume *self, uint64_t untouched)
{
    if (untouched == 0) {
        return true;
    }
    if (!nats__pull_is_most(self, untouched)) {
        self->pull.whole = true;
        return true;
    }
    nats__fail_server(NATS_ERR_LIMIT, &(nats__said){.code = 409}, "max_bytes",
                      "%s: a message is over the %llu bytes that may be asked for",
                      nats__consume_whose(self).text, (unsigned long long)untouched);
    return false;
}

/* Who has the pin says so in each request (ADR-42). */
bool nats__pull_note_pin(nats__consume *self, const nats_msg *msg)
{
    size_t len;
    const char *pin = nats__msg_find_header(msg, "Nats-Pin-Id", &len);
    char *kept = self->pull.pin;
    bool same = pin != NULL && strlen(kept) == len && memcmp(kept, pin, len) == 0;
    if (pin == NULL || same || len > NATS__JS_PIN_MAX) {
        return false;
    }
    for (size_t i = 0; i < len; i++) {
        if (pin[i] <= ' ' || pin[i] == '"' || pin[i] == '\\' || pin[i] == 0x7F) {
            return false; /* none of a server's: it would not fit in a request */
        }
    }
    memcpy(kept, pin, len);
    kept[len] = '\0';
    return true;
}
