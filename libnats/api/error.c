#include "base/error.h"

#include <stdio.h>

#include "client/conn.h"

/* The copy that nats_last_error() lends: the connection's own text may change at any time. */
static _Thread_local char borrowed[NATS__ERROR_TEXT_MAX];

const char *nats_last_error(const nats_client *client)
{
    const nats__error *error = nats__error_get();
    if (client == NULL) {
        return error->text;
    }
    nats__conn *conn = client->conn;
    if (client->fork_generation != nats__fork_generation() || error->owner == client) {
        return error->text;
    }
    pthread_mutex_lock(&conn->mu);
    snprintf(borrowed, sizeof borrowed, "%s", conn->last_text);
    pthread_mutex_unlock(&conn->mu);
    return borrowed;
}
