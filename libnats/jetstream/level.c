#include "jetstream/level.h"

#include <limits.h>
#include <stdio.h>

#include "base/error.h"
#include "proto/info.h"

enum { LEVEL_UNKNOWN = INT_MAX }; /* nobody said: requests go on, and the answers are compared */

bool nats__js_level_known(const nats_js *js, const nats__conn *conn, const nats__js_needs *needs)
{
    return needs->level == 0 || js->level_epoch == conn->epoch + 1;
}

void nats__js_level_learn(nats_js *js, const nats__conn *conn, const nats__json *info)
{
    int64_t level = LEVEL_UNKNOWN;
    const nats__json *api = nats__json_get(info, "api");
    if (nats__json_kind_of(api) == NATS__JSON_OBJECT) {
        bool told = nats__json_int(nats__json_get(api, "level"), &level);
        level = told && level >= 0 && level < LEVEL_UNKNOWN ? level : 0; /* below 2.11 there is none */
    }
    js->level = (int32_t)level;
    js->level_epoch = conn->epoch + 1;
}

nats_status nats__js_level_check(const char *what, const nats_js *js, const nats__conn *conn,
                                 const nats__js_needs *needs)
{
    if (needs->level <= js->level || needs->level == 0) {
        return NATS_OK;
    }
    return nats__fail(NATS_ERR_NOT_SUPPORTED, needs->what,
                      "%s: %s needs level %d of JetStream's API (nats-server %s), and here it has "
                      "level %d (connected to nats-server %s)",
                      what, needs->what, needs->level, needs->since, (int)js->level,
                      nats__js_server_version(conn));
}

nats_status nats__js_level_check_publish(const nats_js *js, const nats__conn *conn,
                                         const nats__js_needs *needs)
{
    int since[2] = {0};
    bool told = needs->level == 0 || js->level != LEVEL_UNKNOWN;
    if (told || sscanf(needs->since, "%d.%d", &since[0], &since[1]) != 2 ||
        !nats__js_server_below(conn, since[0], since[1], 0)) {
        return nats__js_level_check("publish", js, conn, needs);
    }
    return nats__fail(NATS_ERR_NOT_SUPPORTED, needs->what,
                      "publish: %s needs level %d of JetStream's API (nats-server %s); nobody says "
                      "which level it has, and this is nats-server %s",
                      needs->what, needs->level, needs->since, nats__js_server_version(conn));
}

nats__json *nats__js_level_read(const nats_msg *msg)
{
    const char *data = (const char *)msg->text + msg->body + msg->header_len;
    nats__json *info = nats__json_parse(data, msg->data_len, NULL);
    if (info != NULL && nats__json_get(info, "error") != NULL) {
        nats__json_free(info);
        info = NULL;
    }
    return info;
}

const char *nats__js_server_version(const nats__conn *conn)
{
    const nats_info *info = nats__session_info(conn->session);
    return info != NULL ? info->version : "";
}

bool nats__js_server_below(const nats__conn *conn, int major, int minor, int patch)
{
    int has[3] = {0};
    if (sscanf(nats__js_server_version(conn), "%d.%d.%d", &has[0], &has[1], &has[2]) < 2) {
        return false;
    }
    if (has[0] != major) {
        return has[0] < major;
    }
    return has[1] != minor ? has[1] < minor : has[2] < patch;
}
