#include "api/enter.h"

nats_status nats__null_argument(const char *name)
{
    return nats__fail(NATS_ERR_INVALID, name, "%s is NULL", name);
}

nats_status nats__enter(const nats_client *client)
{
    if (client == NULL) {
        return nats__null_argument("client");
    }
    if (client->fork_generation != nats__fork_generation()) {
        return nats__fail(NATS_ERR_FORKED, "client",
                          "this client was made before fork(): connect again in the child");
    }
    return NATS_OK;
}

nats_status nats__enter_open(const nats_client *client)
{
    nats_status status = nats__enter(client);
    if (status == NATS_OK && client->closed) {
        status = nats__fail(NATS_ERR_CLOSED, "client", "the client is closed");
    }
    return nats__leave(client, status);
}

nats_status nats__leave(const nats_client *client, nats_status status)
{
    if (status != NATS_OK) {
        nats__error_get()->owner = client;
    }
    return status;
}
