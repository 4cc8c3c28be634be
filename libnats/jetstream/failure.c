#include "jetstream/failure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

enum { FIRST_SIZE = 16, WHOSE_SIZE = NATS__ERROR_ABOUT_MAX + 80 };

static nats__failure *at(const nats__failures *all, size_t index)
{
    return &all->ring[(all->begin + index) & (all->size - 1)];
}

static bool grow(nats__failures *all)
{
    size_t size = all->size == 0 ? FIRST_SIZE : all->size * 2;
    nats__failure *ring = malloc(size * sizeof *ring);
    if (ring == NULL) {
        return false;
    }
    for (size_t i = 0; i < all->count; i++) {
        ring[i] = *at(all, i);
    }
    free(all->ring);
    all->ring = ring;
    all->size = size;
    all->begin = 0;
    return true;
}

static nats__failure copy_of(const nats__failure *failure)
{
    nats__failure copy = *failure;
    copy.text = failure->text != NULL ? strdup(failure->text) : NULL;
    copy.subject = failure->subject != NULL ? strdup(failure->subject) : NULL;
    return copy;
}

static void free_texts(nats__failure *failure)
{
    free(failure->text);
    free(failure->subject);
}

void nats__failures_add(nats__failures *all, const nats__failure *failure)
{
    if (all->first.id == 0) {
        all->first = copy_of(failure);
    }
    if (all->count == all->size && !grow(all)) {
        all->untold++;
        return;
    }
    *at(all, all->count) = copy_of(failure);
    all->count++;
}

/* ---- told ---- */

static const char *words_of(nats_status status)
{
    switch (status) {
    case NATS_ERR_TIMEOUT:
        return "no acknowledgement in time: it may be stored, or not; with a msg_id it can safely "
               "be sent again";
    case NATS_ERR_DISCONNECTED:
        return "the connection was lost before its acknowledgement came: it may be stored, or not; "
               "with a msg_id it can safely be sent again";
    case NATS_ERR_CLOSED:
        return "closed before its acknowledgement came: it may be stored, or not";
    case NATS_ERR_NO_RESPONDERS:
        return "no stream takes this subject";
    case NATS_ERR_PERMISSION:
        return "no permission to publish it, or to receive its acknowledgement";
    case NATS_ERR_NO_MEMORY:
        return "out of memory when it was to be sent again: no stream took it before";
    case NATS_ERR_PROTOCOL:
        return "the answer is no acknowledgement";
    default:
        return "the server answered with an error";
    }
}

static nats_status tell(nats__failure *failure)
{
    char whose[WHOSE_SIZE];
    const char *subject = failure->subject != NULL ? failure->subject : "";
    snprintf(whose, sizeof whose, "publish of message %llu%s%s%s", (unsigned long long)failure->id,
             subject[0] != '\0' ? " to " : "", subject,
             failure->behind ? ": not stored, for a message before it was not" : "");
    const char *text = failure->text != NULL ? failure->text : words_of(failure->status);
    nats__said said = {.code = failure->code, .err_code = failure->err_code};
    if (failure->said) {
        said.description = text;
        said.len = strlen(text);
        nats__fail_said(&said, subject, whose);
    } else {
        nats__fail_server(failure->status, &said, subject, "%s: %s", whose, text);
    }
    free_texts(failure);
    return failure->status;
}

nats_status nats__failures_take(nats__failures *all, uint64_t *id_out)
{
    *id_out = 0;
    if (all->count > 0) {
        nats__failure failure = *at(all, 0);
        all->begin = (all->begin + 1) & (all->size - 1);
        all->count--;
        *id_out = failure.id;
        return tell(&failure);
    }
    if (all->untold > 0) {
        unsigned long long untold = all->untold;
        all->untold = 0;
        return nats__fail(NATS_ERR_NO_MEMORY, NULL,
                          "there was no memory to keep the failures of %llu messages", untold);
    }
    return NATS_OK;
}

nats_status nats__failures_first(nats__failures *all)
{
    if (all->first.id == 0) {
        return NATS_OK;
    }
    nats__failure failure = all->first;
    all->first = (nats__failure){0};
    return tell(&failure);
}

void nats__failures_free(nats__failures *all)
{
    for (size_t i = 0; i < all->count; i++) {
        free_texts(at(all, i));
    }
    free(all->ring);
    free_texts(&all->first);
    *all = (nats__failures){0};
}
