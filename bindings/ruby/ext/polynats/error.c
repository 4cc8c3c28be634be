/* Errors: a module Polynats::Error, and a class for each status that includes it. Classes descend
 * from what a Ruby user expects to rescue (Timeout::Error, IOError, ArgumentError), which a common
 * base class would not allow. */
#include "nrb.h"

#include <stdarg.h>
#include <stdio.h>

/* More statuses than the library has. */
#define CLASSES_MAX 64

static VALUE error_module;
static VALUE error_classes[CLASSES_MAX];
static ID id_code, id_about, id_status, id_err_code, id_description;

VALUE nrb_error_class(nats_status status)
{
    int index = -status;
    bool known = index > 0 && index < CLASSES_MAX && error_classes[index] != 0;
    return known ? error_classes[index] : error_classes[-NATS_ERR_SERVER];
}

static VALUE words_of(const char *text)
{
    VALUE words = rb_utf8_str_new_cstr(text);
    VALUE mended = rb_str_scrub(words, Qnil); /* nil when there was nothing to mend */
    return NIL_P(mended) ? words : mended;
}

/* code, err_code and said: of the server's answer, 0 and "" for none. */
static VALUE make(nats_status status, const char *text, const char *about, int32_t code,
                  int32_t err_code, const char *said)
{
    const char *name = nats_status_name(status);
    VALUE words = words_of(text[0] != '\0' ? text : nats_status_text(status));
    VALUE error = rb_exc_new_str(nrb_error_class(status), words);
    rb_ivar_set(error, id_code, rb_interned_str_cstr(name));
    rb_ivar_set(error, id_about, nrb_str(about, strlen(about)));
    rb_ivar_set(error, id_status, INT2NUM(code));
    rb_ivar_set(error, id_err_code, INT2NUM(err_code));
    if (said[0] != '\0') {
        rb_ivar_set(error, id_description, words_of(said));
    }
    return error;
}

void nrb_raise(nats_status status, const char *text, const char *about)
{
    rb_exc_raise(make(status, text, about, 0, 0, ""));
}

VALUE nrb_error_last(nats_status status)
{
    return make(status, nats_last_error(NULL), nats_last_about(), nats_last_code(),
                nats_last_err_code(), nats_last_description());
}

VALUE nrb_call_error(const nrb_call *call)
{
    return make(call->status, call->text, call->about, call->code, call->err_code,
                call->description);
}

void nrb_call_raise(const nrb_call *call)
{
    rb_exc_raise(nrb_call_error(call));
}

void nrb_raise_last(nats_status status)
{
    rb_exc_raise(nrb_error_last(status));
}

void nrb_invalid(const char *about, const char *format, ...)
{
    char text[NRB_TEXT_MAX];
    va_list words;
    va_start(words, format);
    vsnprintf(text, sizeof text, format, words);
    va_end(words);
    nrb_raise(NATS_ERR_INVALID, text, about);
}

static void define(nats_status status, const char *name, VALUE base)
{
    VALUE klass = rb_define_class_under(nrb_module, name, base);
    rb_include_module(klass, error_module);
    error_classes[-status] = klass;
    rb_gc_register_mark_object(klass);
}

void nrb_error_init(void)
{
    rb_require("timeout");
    id_code = rb_intern("@code");
    id_about = rb_intern("@about");
    id_status = rb_intern("@status");
    id_err_code = rb_intern("@err_code");
    id_description = rb_intern("@description");
    error_module = rb_define_module_under(nrb_module, "Error");
    rb_define_attr(error_module, "code", 1, 0);
    rb_define_attr(error_module, "about", 1, 0);
    rb_define_attr(error_module, "status", 1, 0);
    rb_define_attr(error_module, "err_code", 1, 0);

    VALUE timeout = rb_path2class("Timeout::Error");
    define(NATS_ERR_TIMEOUT, "Timeout", timeout);
    define(NATS_ERR_NO_RESPONDERS, "NoResponders", rb_eStandardError);
    define(NATS_ERR_CLOSED, "Closed", rb_eIOError);
    define(NATS_ERR_DISCONNECTED, "Disconnected", rb_eIOError);
    define(NATS_ERR_AUTH, "Auth", rb_eStandardError);
    define(NATS_ERR_PERMISSION, "Permission", rb_eStandardError);
    define(NATS_ERR_PROTOCOL, "Protocol", rb_eStandardError);
    define(NATS_ERR_MAX_PAYLOAD, "MaxPayload", rb_eArgError);
    define(NATS_ERR_SLOW_CONSUMER, "SlowConsumer", rb_eStandardError);
    define(NATS_ERR_INVALID, "Invalid", rb_eArgError);
    define(NATS_ERR_LIMIT, "Limit", rb_eStandardError);
    define(NATS_ERR_IO, "IOError", rb_eIOError);
    define(NATS_ERR_TLS, "TLS", rb_eIOError);
    define(NATS_ERR_NO_MEMORY, "NoMemory", rb_eNoMemError);
    define(NATS_ERR_FORKED, "Forked", rb_eIOError);
    define(NATS_ERR_NOT_SUPPORTED, "NotSupported", rb_eStandardError);
    define(NATS_ERR_SERVER, "Server", rb_eStandardError);
    define(NATS_ERR_INTERRUPTED, "Interrupted", rb_eStandardError);
}
