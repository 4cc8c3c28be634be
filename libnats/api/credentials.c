#include "api/enter.h"
#include "base/clock.h"

nats_status nats_client_credentials(nats_client *client, const char *user, const char *password,
                                    const char *token, const char *jwt, const char *seed,
                                    const char *public_key, const void *signature,
                                    size_t signature_len)
{
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    nats__credentials given = {user, password, token, jwt, public_key, signature, signature_len};
    status = nats__credentials_check(&given);
    nats__conn *conn = client->conn;
    if (status == NATS_OK) {
        pthread_mutex_lock(&conn->mu);
        status = nats__auth_answer(conn, &given, seed, nats__now_ns());
        if (status == NATS_OK) {
            nats__conn_stage(conn);
            nats__conn_wake(conn);
        }
        pthread_mutex_unlock(&conn->mu);
        nats__keeper_tell(conn);
    }
    return nats__leave(client, status);
}
