/* Pull without end (ADR-37): requests are topped up before they run dry, and what goes wrong is got
 * over, unless the server says that it is for good. */
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "client/conn.h"
#include "jetstream/consume.h"

enum { NOT_FOUND = 404 };

static nats_status start(nats__consume *self, int64_t now_ns)
{
    (void)now_ns;
    nats__pull_set_up(self);
    return nats__consume_probe(self) ? NATS_OK : nats__error_get()->status;
}

/* ---- answers ---- */

static void drop_answer(nats__consume *self, const nats__answer *answer)
{
    if (answer->msg != NULL) {
        nats__consume_take(self, answer->msg);
    }
}

static void start_answered(nats__consume *self, const nats__answer *answer)
{
    bool good = answer->code == 0 && nats__pull_look(self, answer);
    if (!good) {
        if (answer->code != 0) {
            nats__consume_words(self, answer);
        }
        drop_answer(self, answer);
        nats__consume_fail(self);
        return;
    }
    nats__consume_ready(self, answer);
    nats__pull_top_up(self);
}

static void on_answer(nats__consume *self, const nats__answer *answer, int64_t now_ns)
{
    if (!self->ready) {
        start_answered(self, answer);
        return;
    }
    bool lasting = answer->code == NOT_FOUND ||
                   (answer->code == 0 && !nats__pull_look(self, answer));
    if (answer->code != 0) {
        nats__consume_words(self, answer);
    }
    drop_answer(self, answer);
    if (lasting) {
        nats__consume_fail(self);
    } else if (answer->code != 0) {
        nats__consume_warn(self, nats__error_get()->status, "%s", nats__error_get()->text);
        nats__pull_rest(&self->pull, now_ns);
    } else {
        nats__pull_top_up(self);
    }
}

/* ---- words ---- */

static void warn_word(nats__consume *self, const nats__word *word)
{
    nats__word_fail(self, word);
    nats__consume_warn(self, NATS_ERR_SERVER, "%s", nats__error_get()->text);
}

static void on_word(nats__consume *self, const nats__word *word, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    if (!nats__pull_knows(pull, word)) {
        return;
    }
    pull->seen_ns = now_ns;
    nats__deed what = nats__word_deed(word);
    if (what == NATS__DEED_SEEN) {
        return;
    }
    uint64_t untouched = nats__pull_closed(pull, word);
    switch (what) {
    case NATS__DEED_DELETED:
    case NATS__DEED_LASTING:
        nats__word_fail(self, word);
        nats__consume_fail(self);
        return;
    case NATS__DEED_TOO_LARGE:
        if (!nats__pull_too_large(self, untouched)) {
            nats__consume_fail(self);
            return;
        }
        break;
    case NATS__DEED_UNPIN:
        pull->pin[0] = '\0';
        nats__pull_forget(pull);
        break;
    case NATS__DEED_ANEW:
        nats__pull_forget(pull);
        break;
    case NATS__DEED_LATER:
    case NATS__DEED_ELSEWHERE:
        if (what == NATS__DEED_ELSEWHERE) {
            nats__pull_forget(pull);
        }
        warn_word(self, word);
        nats__pull_rest(pull, now_ns);
        break;
    case NATS__DEED_LIMIT:
    case NATS__DEED_ASK:
        nats__pull_rest(pull, now_ns);
        if (self->question == 0 && !nats__consume_probe(self)) {
            warn_word(self, word);
        }
        return;
    default:
        break;
    }
    nats__pull_top_up(self);
}

/* ---- messages, time, the connection ---- */

static void on_message(nats__consume *self, nats_msg *msg, int64_t now_ns)
{
    nats__pull_got(&self->pull, nats__msg_size(msg), now_ns);
    if (self->args.group[0] != '\0') {
        nats__pull_note_pin(self, msg);
    }
    nats__consume_push(self, msg, now_ns);
}

static void on_taken(nats__consume *self, size_t count)
{
    (void)count;
    nats__pull_top_up(self);
}

/* Requests are gone. Is the consumer still there? A server before 2.10 says nothing to a request
 * for one that is not. */
static void look_after(nats__consume *self, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    nats__pull_forget(pull);
    pull->rest_until_ns = 0;
    if (self->question == 0 && !nats__consume_probe(self)) {
        nats__pull_rest(pull, now_ns);
    }
}

static void on_time(nats__consume *self, int64_t now_ns)
{
    nats__pull *pull = &self->pull;
    if (nats__pull_is_silent(pull, now_ns)) {
        nats__consume_warn(self, NATS_ERR_TIMEOUT, "%s: no heartbeat for %lld ms",
                           nats__consume_whose(self).text,
                           (long long)((now_ns - pull->seen_ns) / NATS__MS));
        look_after(self, now_ns);
        return;
    }
    nats__pull_expire(pull, now_ns);
    nats__pull_top_up(self);
}

static void on_connected(nats__consume *self, int64_t now_ns)
{
    look_after(self, now_ns);
}

const nats__consume_kind nats__kind_endless = {.start = start,
                                               .on_answer = on_answer,
                                               .on_message = on_message,
                                               .on_word = on_word,
                                               .on_taken = on_taken,
                                               .on_time = on_time,
                                               .due_ns = nats__pull_due_ns,
                                               .on_connected = on_connected};
