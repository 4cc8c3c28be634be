#include "client/trace.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/wipe.h"

#define ARROW_LEN 3

nats__trace *nats__trace_new(void)
{
    nats__trace *trace = calloc(1, sizeof *trace);
    if (trace == NULL) {
        return NULL;
    }
    if (pthread_mutex_init(&trace->mu, NULL) != 0) {
        free(trace);
        return NULL;
    }
    trace->last = &trace->first;
    return trace;
}

void nats__trace_free(nats__trace *trace)
{
    if (trace == NULL) {
        return;
    }
    uint64_t dropped;
    nats__trace_line *line = nats__trace_take(trace, &dropped);
    while (line != NULL) {
        nats__trace_line *next = line->next;
        free(line);
        line = next;
    }
    pthread_mutex_destroy(&trace->mu);
    nats__wipe(trace, sizeof *trace); /* half a CONNECT may be in there */
    free(trace);
}

void nats__trace_begin(nats__trace *trace)
{
    pthread_mutex_lock(&trace->mu);
    nats__wipe(&trace->in, sizeof trace->in);
    nats__wipe(&trace->out, sizeof trace->out);
    pthread_mutex_unlock(&trace->mu);
}

/* trace->mu held. */
static void drop_first(nats__trace *trace)
{
    nats__trace_line *first = trace->first;
    trace->first = first->next;
    trace->last = trace->first == NULL ? &trace->first : trace->last;
    trace->count--;
    trace->dropped++;
    free(first);
}

static void note(nats__trace *trace, const char *arrow, const char *text)
{
    size_t size = strlen(text) + 1;
    nats__trace_line *line = malloc(sizeof *line + ARROW_LEN + size);
    if (line == NULL) {
        trace->dropped++;
        return;
    }
    line->next = NULL;
    line->time_ns = nats__now_ns();
    memcpy(line->text, arrow, ARROW_LEN);
    memcpy(line->text + ARROW_LEN, text, size);
    *trace->last = line;
    trace->last = &line->next;
    trace->count++;
    if (trace->count > NATS__TRACE_LINES_MAX) {
        drop_first(trace);
    }
}

static void note_in(void *who, const char *text)
{
    note(who, "<- ", text);
}

static void note_out(void *who, const char *text)
{
    note(who, "-> ", text);
}

void nats__trace_in(nats__trace *trace, const void *bytes, size_t len)
{
    pthread_mutex_lock(&trace->mu);
    nats__tap_feed(&trace->in, bytes, len, note_in, trace);
    pthread_mutex_unlock(&trace->mu);
}

void nats__trace_hold(nats__trace *trace)
{
    pthread_mutex_lock(&trace->mu);
}

void nats__trace_out(nats__trace *trace, const void *bytes, size_t len)
{
    nats__tap_feed(&trace->out, bytes, len, note_out, trace);
    pthread_mutex_unlock(&trace->mu);
}

nats__trace_line *nats__trace_take(nats__trace *trace, uint64_t *dropped_out)
{
    pthread_mutex_lock(&trace->mu);
    nats__trace_line *first = trace->first;
    *dropped_out = trace->dropped;
    trace->first = NULL;
    trace->last = &trace->first;
    trace->count = 0;
    trace->dropped = 0;
    pthread_mutex_unlock(&trace->mu);
    return first;
}
