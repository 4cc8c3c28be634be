/* What the library tells as C structures, as Ruby's Hashes and Structs. */
#include "nrb.h"

#include <stdlib.h>
#include <string.h>

#include "facts.h"

#define NS_PER_S 1e9

static VALUE event_class, proto_event_class;

static VALUE text_or_nil(const char *text)
{
    return text != NULL && text[0] != '\0' ? nrb_str(text, strlen(text)) : Qnil;
}

static VALUE symbol(const char *name)
{
    return ID2SYM(rb_intern(name));
}

static VALUE status_or_nil(nats_status status)
{
    return status != NATS_OK ? rb_interned_str_cstr(nats_status_name(status)) : Qnil;
}

static VALUE kind_or_nil(int32_t kind)
{
    return kind != NATS_KIND_NONE ? symbol(nats_kind_name(kind)) : Qnil;
}

static VALUE number_or_nil(uint64_t number)
{
    return number != 0 ? ULL2NUM(number) : Qnil;
}

/* ---- counters ---- */

VALUE nrb_stats_hash(const uint64_t *values)
{
    VALUE map = rb_hash_new();
    for (size_t i = 0; i < NRB_STATS_MAX && nats_stats_name(i) != NULL; i++) {
        rb_hash_aset(map, symbol(nats_stats_name(i)), ULL2NUM(values[i]));
    }
    return map;
}

VALUE nrb_sub_stats_hash(const uint64_t *values)
{
    static const char *const names[NATS_SUB_STAT_COUNT] = {
        "pending", "pending_bytes", "delivered", "dropped", "received"};
    VALUE map = rb_hash_new();
    for (size_t i = 0; i < NATS_SUB_STAT_COUNT; i++) {
        rb_hash_aset(map, symbol(names[i]), ULL2NUM(values[i]));
    }
    return map;
}

/* ---- INFO ---- */

static VALUE info_value(int32_t kind, const char *value, size_t len)
{
    switch (kind) {
    case NATS_INFO_INT:
        return rb_cstr2inum(value, 10);
    case NATS_INFO_BOOL:
        return strcmp(value, "true") == 0 ? Qtrue : Qfalse;
    default:
        return nrb_str(value, len);
    }
}

typedef struct info_walk {
    nats_info *info;
    VALUE map;
} info_walk;

static VALUE walk_info(VALUE arg)
{
    info_walk *self = (info_walk *)arg;
    size_t cursor = 0, len;
    const char *name, *text;
    int32_t kind, in_list;
    while ((kind = nats_info_next(self->info, &cursor, &name, &text, &len, &in_list)) != 0) {
        VALUE key = nrb_str(name, strlen(name));
        VALUE value = info_value(kind, text, len);
        VALUE list = in_list != 0 ? rb_hash_lookup(self->map, key) : Qnil;
        if (in_list == 0) {
            rb_hash_aset(self->map, key, value);
        } else if (NIL_P(list)) {
            rb_hash_aset(self->map, key, rb_ary_new_from_args(1, value));
        } else {
            rb_ary_push(list, value);
        }
    }
    return self->map;
}

static VALUE free_info(VALUE arg)
{
    nats_info_free(((info_walk *)arg)->info);
    return Qnil;
}

VALUE nrb_info_hash(nats_info *info)
{
    info_walk self = {info, rb_hash_new()};
    return rb_ensure(walk_info, (VALUE)&self, free_info, (VALUE)&self);
}

static VALUE copy_json(VALUE arg)
{
    size_t len;
    const char *json = nats_info_json(((info_walk *)arg)->info, &len);
    return nrb_str(json, len);
}

static VALUE info_json(nats_info *info)
{
    info_walk self = {info, Qnil};
    return rb_ensure(copy_json, (VALUE)&self, free_info, (VALUE)&self);
}

static VALUE client_info_json(VALUE object)
{
    nats_info *info = NULL;
    nrb_check(nats_client_server_info(nrb_client_get(object)->client, &info));
    return info_json(info);
}

static VALUE proto_info_json(VALUE object)
{
    nats_info *info = NULL;
    nrb_check(nats_proto_server_info(nrb_proto_get(object), &info));
    return info_json(info);
}

/* ---- states ---- */

VALUE nrb_client_status_symbol(int32_t status)
{
    static const char *const names[] = {
        [NATS_CLIENT_CONNECTED] = "connected",
        [NATS_CLIENT_RECONNECTING] = "reconnecting",
        [NATS_CLIENT_DRAINING] = "draining",
        [NATS_CLIENT_CLOSED] = "closed",
    };
    size_t count = sizeof names / sizeof names[0];
    return symbol(status > 0 && (size_t)status < count ? names[status] : "unknown");
}

/* ---- events ---- */

static VALUE copy_event(VALUE arg)
{
    const nats_event *event = (const nats_event *)arg;
    VALUE made = rb_struct_new(
        event_class, symbol(nats_event_name(event)), status_or_nil(nats_event_status(event)),
        text_or_nil(nats_event_text(event)), text_or_nil(nats_event_url(event)),
        text_or_nil(nats_event_subject(event)), number_or_nil(nats_event_sid(event)),
        ULL2NUM(nats_event_lost(event)), ULL2NUM(nats_event_unconfirmed(event)),
        DBL2NUM((double)nats_event_time_ns(event) / NS_PER_S),
        kind_or_nil(nats_event_kind(event)), nats_event_recoverable(event) != 0 ? Qtrue : Qfalse,
        symbol(nats_level_name(nats_event_level(event))), text_or_nil(nats_event_line(event)));
    return rb_obj_freeze(made);
}

static VALUE free_event(VALUE arg)
{
    nats_event_free((nats_event *)arg);
    return Qnil;
}

VALUE nrb_event_struct(nats_event *event)
{
    if (event == NULL) {
        return Qnil;
    }
    return rb_ensure(copy_event, (VALUE)event, free_event, (VALUE)event);
}

/* ---- the protocol without I/O ---- */

static const char *proto_event_name(int32_t type)
{
    static const char *const names[] = {
        [NATS_PROTO_DIAL] = "dial",
        [NATS_PROTO_UPGRADE_WANTED] = "upgrade_wanted",
        [NATS_PROTO_TLS_WANTED] = "tls_wanted",
        [NATS_PROTO_SIGN_WANTED] = "sign_wanted",
        [NATS_PROTO_CONNECTED] = "connected",
        [NATS_PROTO_RECONNECTED] = "reconnected",
        [NATS_PROTO_DISCONNECTED] = "disconnected",
        [NATS_PROTO_CLOSED] = "closed",
        [NATS_PROTO_MSG] = "message",
        [NATS_PROTO_PONG] = "pong",
        [NATS_PROTO_INFO] = "info",
        [NATS_PROTO_DISCOVERED] = "discovered",
        [NATS_PROTO_LAME_DUCK] = "lame_duck",
        [NATS_PROTO_ERROR] = "error",
        [NATS_PROTO_STALE] = "stale",
        [NATS_PROTO_SUB_DONE] = "sub_done",
    };
    size_t count = sizeof names / sizeof names[0];
    return type > 0 && (size_t)type < count ? names[type] : "unknown";
}

VALUE nrb_proto_state_symbol(int32_t state)
{
    static const char *const names[] = {
        [NATS_PROTO_STATE_IDLE] = "idle",
        [NATS_PROTO_STATE_WAITING] = "waiting",
        [NATS_PROTO_STATE_DIALING] = "dialing",
        [NATS_PROTO_STATE_UPGRADING] = "upgrading",
        [NATS_PROTO_STATE_WAITING_INFO] = "waiting_info",
        [NATS_PROTO_STATE_SECURING] = "securing",
        [NATS_PROTO_STATE_SIGNING] = "signing",
        [NATS_PROTO_STATE_WAITING_PONG] = "waiting_pong",
        [NATS_PROTO_STATE_CONNECTED] = "connected",
        [NATS_PROTO_STATE_CLOSED] = "closed",
    };
    size_t count = sizeof names / sizeof names[0];
    return symbol(state >= 0 && (size_t)state < count ? names[state] : "unknown");
}

static VALUE proto_next_event(VALUE object)
{
    nats_proto *proto = nrb_proto_get(object);
    int32_t type = nats_proto_next_event(proto);
    if (type == 0) {
        return Qnil;
    }
    nats_msg *msg = nats_proto_event_take_msg(proto);
    VALUE message = msg != NULL ? nrb_msg_new(msg, Qnil) : Qnil;
    int32_t port = nats_proto_port(proto);
    VALUE made = rb_struct_new(
        proto_event_class, symbol(proto_event_name(type)), message,
        status_or_nil(nats_proto_event_status(proto)), text_or_nil(nats_proto_event_text(proto)),
        text_or_nil(nats_proto_url(proto)), text_or_nil(nats_proto_scheme(proto)),
        text_or_nil(nats_proto_host(proto)), port != 0 ? INT2NUM(port) : Qnil,
        number_or_nil(nats_proto_event_sid(proto)), number_or_nil(nats_proto_event_token(proto)),
        type == NATS_PROTO_PONG ? DBL2NUM((double)nats_proto_event_rtt_ns(proto) / NS_PER_S) : Qnil,
        ULL2NUM(nats_proto_event_lost(proto)), ULL2NUM(nats_proto_event_unconfirmed(proto)),
        nats_proto_event_recoverable(proto) != 0 ? Qtrue : Qfalse,
        kind_or_nil(nats_proto_event_kind(proto)));
    return rb_obj_freeze(made);
}

/* Bytes to send, at most max (0: all), which count as sent. */
static VALUE proto_take(VALUE object, VALUE max, VALUE now)
{
    nats_proto *proto = nrb_proto_get(object);
    int64_t now_ns = nrb_clock_of(now);
    size_t most = nrb_count(max, "max", 0);
    size_t left = most > 0 ? most : SIZE_MAX;
    VALUE bytes = rb_str_new(NULL, 0);
    for (;;) {
        const void *data;
        size_t len;
        nats_proto_tx(proto, &data, &len);
        len = len < left ? len : left;
        if (len == 0) {
            return bytes;
        }
        rb_str_cat(bytes, data, (long)len);
        nrb_check(nats_proto_tx_done(proto, len, now_ns));
        left -= len;
    }
}

static VALUE proto_servers(VALUE object)
{
    const nats_proto *proto = nrb_proto_get(object);
    VALUE list = rb_ary_new();
    int32_t attempts, discovered;
    const char *url;
    for (size_t i = 0; (url = nats_proto_server_at(proto, i, &attempts, &discovered)) != NULL;
         i++) {
        VALUE server = rb_hash_new();
        rb_hash_aset(server, symbol("url"), nrb_str(url, strlen(url)));
        rb_hash_aset(server, symbol("attempts"), INT2NUM(attempts));
        rb_hash_aset(server, symbol("discovered"), discovered != 0 ? Qtrue : Qfalse);
        rb_ary_push(list, server);
    }
    return list;
}

/* ---- the module ---- */

static VALUE module_now(VALUE module)
{
    (void)module;
    return DBL2NUM((double)nrb_now_ns() / NS_PER_S);
}

static VALUE module_options(VALUE module)
{
    (void)module;
    static const char *const types[] = {"", "text", "bool", "int", "duration"};
    VALUE list = rb_ary_new();
    const char *name;
    for (int32_t i = 0; (name = nats_options_name(i)) != NULL; i++) {
        VALUE option = rb_hash_new();
        rb_hash_aset(option, symbol("name"), symbol(name));
        rb_hash_aset(option, symbol("type"), symbol(types[nats_options_type(name)]));
        rb_hash_aset(option, symbol("doc"),
                     nrb_str(nats_options_doc(name), strlen(nats_options_doc(name))));
        rb_ary_push(list, rb_obj_freeze(option));
    }
    return list;
}

void nrb_facts_init(void)
{
    event_class = rb_struct_define_under(nrb_module, "Event", "type", "code", "text", "url",
                                         "subject", "sid", "lost", "unconfirmed", "time", "kind",
                                         "recoverable", "level", "line", NULL);
    proto_event_class =
        rb_struct_define_under(nrb_module, "ProtoEvent", "type", "message", "code", "text", "url",
                               "scheme", "host", "port", "sid", "token", "rtt", "lost",
                               "unconfirmed", "recoverable", "kind", NULL);
    rb_gc_register_mark_object(event_class);
    rb_gc_register_mark_object(proto_event_class);
    rb_define_method(nrb_client_class, "server_info_json", client_info_json, 0);
    rb_define_method(nrb_proto_class, "server_info_json", proto_info_json, 0);
    rb_define_method(nrb_proto_class, "next_event", proto_next_event, 0);
    rb_define_method(nrb_proto_class, "raw_take", proto_take, 2);
    rb_define_method(nrb_proto_class, "servers", proto_servers, 0);
    rb_define_module_function(nrb_module, "now", module_now, 0);
    rb_define_module_function(nrb_module, "options", module_options, 0);
}
