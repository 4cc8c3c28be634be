/* Calls that wait: without the GVL, ended within milliseconds by what interrupts a Ruby thread, and
 * kind to the Fiber scheduler. */
#include "nrb.h"

#include <stdio.h>
#include <time.h>

#include <ruby/fiber/scheduler.h>
#include <ruby/thread.h>

#define NS_PER_MS INT64_C(1000000)

int64_t nrb_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 * NS_PER_MS + now.tv_nsec;
}

void nrb_call_start(nrb_call *call, nrb_step step, void *arg, int64_t ms)
{
    call->step = step;
    call->undo = NULL;
    call->arg = arg;
    call->status = NATS_ERR_INTERRUPTED;
    call->done = false;
    call->poked = false;
    call->abandoned = false;
    call->thread = Qnil;
    call->next = NULL;
    call->deadline_ns = ms < 0 ? INT64_MAX : nrb_now_ns() + ms * NS_PER_MS;
}

int64_t nrb_call_left_ms(const nrb_call *call)
{
    if (call->deadline_ns == INT64_MAX) {
        return -1;
    }
    int64_t left = call->deadline_ns - nrb_now_ns();
    return left > 0 ? (left + NS_PER_MS - 1) / NS_PER_MS : 0;
}

/* The library keeps its words per thread; a call may be made in another one. */
static void note_failure(nrb_call *call)
{
    snprintf(call->text, sizeof call->text, "%s", nats_last_error(NULL));
    snprintf(call->about, sizeof call->about, "%s", nats_last_about());
    call->code = nats_last_code();
    call->err_code = nats_last_err_code();
    snprintf(call->description, sizeof call->description, "%s", nats_last_description());
}

static void *run_step(void *arg)
{
    nrb_call *call = arg;
    call->status = call->step(call->arg);
    call->done = call->status != NATS_ERR_INTERRUPTED;
    if (call->done && call->status != NATS_OK) {
        note_failure(call);
    }
    return NULL;
}

static VALUE check_interrupts(VALUE nothing)
{
    rb_thread_check_ints();
    return nothing;
}

/* A step that was interrupted may be so for credentials: see credentials.rb. */
static VALUE run_handlers(VALUE nothing)
{
    rb_thread_check_ints();
    rb_funcall(nrb_module, rb_intern("answer_questions"), 0);
    return nothing;
}

/* Once more after each interrupt that raised nothing. Interrupts are looked at only when the step
 * got nothing, so that what it got cannot be lost here. Returns what rb_jump_tag() takes. */
static int run_steps(nrb_call *call)
{
    int state = 0;
    while (!call->done && !call->poked && state == 0) {
        rb_thread_call_without_gvl2(run_step, call, RUBY_UBF_IO, NULL);
        if (!call->done) {
            rb_protect(run_handlers, Qnil, &state);
        }
    }
    return state;
}

static void undo(nrb_call *call)
{
    if (call->undo != NULL) {
        call->undo(call->arg);
    }
}

/* ---- several that wait for the same ---- */

void nrb_calls_add(nrb_calls *calls, nrb_call *call)
{
    call->next = calls->first;
    calls->first = call;
}

void nrb_calls_remove(nrb_calls *calls, nrb_call *call)
{
    nrb_call **link = &calls->first;
    while (*link != NULL && *link != call) {
        link = &(*link)->next;
    }
    if (*link != NULL) {
        *link = call->next;
    }
}

void nrb_calls_poke(nrb_calls *calls)
{
    for (nrb_call *call = calls->first; call != NULL; call = call->next) {
        call->poked = true;
        if (!NIL_P(call->thread)) {
            rb_thread_wakeup_alive(call->thread);
        }
    }
}

static VALUE join(VALUE thread)
{
    return rb_funcall(thread, rb_intern("join"), 0);
}

void nrb_calls_settle(nrb_calls *calls)
{
    nrb_call *call = calls->first;
    while (call != NULL) {
        if (!call->abandoned || !RTEST(rb_funcall(call->thread, rb_intern("alive?"), 0))) {
            call = call->next;
            continue;
        }
        join(call->thread);
        call = calls->first;
    }
}

/* ---- the Fiber scheduler ---- */

static VALUE run_in_thread(void *arg)
{
    nrb_call *call = arg;
    int state = run_steps(call);
    if (call->abandoned) {
        undo(call);
        call->undo = NULL;
    }
    if (state != 0) {
        rb_jump_tag(state);
    }
    return Qnil;
}

static VALUE create_thread(VALUE call)
{
    return rb_thread_create(run_in_thread, (void *)call);
}

/* A thread waits in this fiber's place, and Thread#join lets the scheduler run the others. The call
 * is on this fiber's stack, so we never leave before the thread has ended. */
static int run_beside(nrb_call *call)
{
    int state = 0;
    VALUE thread = rb_protect(create_thread, (VALUE)call, &state);
    if (state != 0) {
        return state; /* who refers to the call learns that it ends: see undo */
    }
    call->thread = thread;
    rb_protect(join, thread, &state);
    while (RTEST(rb_funcall(thread, rb_intern("alive?"), 0))) {
        int again = 0;
        call->abandoned = true;
        rb_thread_kill(thread);
        rb_protect(join, thread, &again);
        state = state != 0 ? state : again;
    }
    return state;
}

static int run_alone(nrb_call *call)
{
    call->thread = rb_thread_current();
    return run_steps(call);
}

/* What comes just as the call ends would be raised by the VM with its result on the way back: now it
 * can still be undone. Without a way to undo it, its result is worth more. */
static int check_after(const nrb_call *call)
{
    int state = 0;
    if (call->undo != NULL) {
        rb_protect(check_interrupts, Qnil, &state);
    }
    return state;
}

nats_status nrb_call_run(nrb_call *call)
{
    bool alone = rb_fiber_scheduler_current() == Qnil;
    int state = alone ? run_alone(call) : run_beside(call);
    if (state == 0) {
        state = check_after(call);
    }
    if (state != 0) {
        undo(call);
        rb_jump_tag(state);
    }
    return call->status;
}

void nrb_call_check(nrb_call *call)
{
    if (nrb_call_run(call) != NATS_OK && !call->poked) {
        nrb_call_raise(call);
    }
}
