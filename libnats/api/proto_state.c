/* What a sans-IO connection knows: its state, the server, the pool. */
#include <string.h>

#include "api/proto_impl.h"

int32_t nats_proto_state(const nats_proto *proto)
{
    return proto != NULL ? nats__session_state(proto->session) : NATS_PROTO_STATE_CLOSED;
}

nats_status nats_proto_server_info(const nats_proto *proto, nats_info **info_out)
{
    if (proto == NULL || info_out == NULL) {
        return nats__proto_null(proto == NULL ? "proto" : "info_out");
    }
    *info_out = NULL;
    const nats_info *info = nats__session_info(proto->session);
    if (info == NULL) {
        return nats__fail(NATS_ERR_DISCONNECTED, "proto", "no INFO has come yet");
    }
    *info_out = nats__info_copy(info);
    return *info_out != NULL ? NATS_OK : nats__fail(NATS_ERR_NO_MEMORY, NULL, "out of memory");
}

int32_t nats_proto_pings_out(const nats_proto *proto)
{
    return proto != NULL ? nats__session_pings_out(proto->session) : 0;
}

uint64_t nats_proto_offset(const nats_proto *proto)
{
    return proto != NULL ? nats__parser_offset(nats__session_parser(proto->session)) : 0;
}

nats_status nats_proto_new_inbox(nats_proto *proto, char *buffer, size_t size, size_t *len_out)
{
    if (proto == NULL) {
        return nats__proto_null("proto");
    }
    return nats__session_new_inbox(proto->session, buffer, size, len_out);
}

const char *nats_proto_server_at(const nats_proto *proto, size_t index, int32_t *attempts_out,
                                 int32_t *discovered_out)
{
    nats__pool *pool = proto != NULL ? nats__session_pool(proto->session) : NULL;
    const nats__server *server =
        pool != NULL && index < pool->count ? &pool->servers[index] : NULL;
    if (attempts_out != NULL) {
        /* Those before a connection are only kept in case it does not last. */
        bool works = server != NULL && server == nats__pool_current(pool) &&
                     nats__session_state(proto->session) == NATS_PROTO_STATE_CONNECTED;
        *attempts_out = server != NULL && !works ? server->attempts : 0;
    }
    if (discovered_out != NULL) {
        *discovered_out = server != NULL && server->discovered;
    }
    return server != NULL ? server->url.text : NULL;
}

nats_status nats_proto_server_add(nats_proto *proto, const char *text)
{
    nats__url url;
    bool added;
    if (proto == NULL || text == NULL) {
        return nats__proto_null(proto == NULL ? "proto" : "url");
    }
    nats_status status = nats__url_parse(text, strlen(text), &url);
    if (status == NATS_OK) {
        status = nats__pool_add(nats__session_pool(proto->session), &url, false, &added);
        nats__url_free(&url);
    }
    return status;
}

nats_status nats_proto_server_remove(nats_proto *proto, const char *text)
{
    nats__url url;
    if (proto == NULL || text == NULL) {
        return nats__proto_null(proto == NULL ? "proto" : "url");
    }
    nats_status status = nats__url_parse(text, strlen(text), &url);
    if (status != NATS_OK) {
        return status;
    }
    nats__pool *pool = nats__session_pool(proto->session);
    size_t at = 0;
    while (at < pool->count && !nats__url_same(&pool->servers[at].url, &url)) {
        at++;
    }
    status = nats__pool_drop(pool, at)
                 ? NATS_OK
                 : nats__fail(NATS_ERR_INVALID, "url", "%s is not in the pool", url.text);
    nats__url_free(&url);
    return status;
}
