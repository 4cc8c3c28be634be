/* What a subscription that consumes tells of itself: events on the way, and the words of its errors, which say
 * whose they are. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "client/conn.h"
#include "jetstream/answer.h"
#include "jetstream/consume.h"

enum { NO_RESPONDERS = 503 };

void nats__consume_warn(nats__consume *self, nats_status status, const char *format, ...)
{
    char text[NATS__ERROR_TEXT_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    const nats_sub *sub = self->hook.sub;
    nats__event_push(nats__consume_conn(self), sub->client,
                     &(nats__event_facts){.type = NATS_EVENT_ERROR,
                                          .status = status,
                                          .recoverable = true,
                                          .text = text,
                                          .subject = sub->rec.subject,
                                          .sid = sub->rec.sid});
}

nats__whose nats__consume_whose(const nats__consume *self)
{
    enum { NAME_SHOWN = 64 };
    nats__whose whose;
    const nats__consume_args *args = &self->args;
    snprintf(whose.text, sizeof whose.text, "%s of stream %.*s%s%.*s", nats__how_name(args->how),
             NAME_SHOWN, args->stream, args->consumer[0] != '\0' ? ", consumer " : "", NAME_SHOWN,
             args->consumer);
    return whose;
}

const char *nats__consume_about(const nats__consume *self)
{
    const nats__consume_args *args = &self->args;
    return args->consumer[0] != '\0' && !self->push.nameless ? args->consumer : args->stream;
}

nats_status nats__consume_words(const nats__consume *self, const nats__answer *answer)
{
    nats__whose whose = nats__consume_whose(self);
    const char *about = answer->err_code == NATS__JS_STREAM_NOT_FOUND ? self->args.stream
                                                                      : nats__consume_about(self);
    nats__said said = {.code = answer->code,
                       .err_code = answer->err_code,
                       .description = answer->description,
                       .len = answer->description != NULL ? strlen(answer->description) : 0};
    bool nobody = answer->code == NO_RESPONDERS && answer->err_code == 0;
    if (nobody) {
        return nats__fail_server(NATS_ERR_NO_RESPONDERS, &said, about,
                                 "%s: JetStream does not answer: it is not enabled, or not in "
                                 "this domain", whose.text);
    }
    switch (answer->code) {
    case NATS__SILENT:
        return nats__fail(NATS_ERR_TIMEOUT, about, "%s: JetStream did not answer in time",
                          whose.text);
    case NATS__GARBLED:
        return nats__fail(NATS_ERR_PROTOCOL, about,
                          "%s: JetStream's answer is not what the API says", whose.text);
    default:
        return nats__fail_said(&said, about, whose.text);
    }
}
