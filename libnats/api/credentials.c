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
    const void *signed_by = signature_len > 0 ? signature : NULL; /* no bytes are no signature */
    nats__credentials given = {user, password, token, jwt, public_key, signed_by, signature_len};
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

nats_status nats_client_question(nats_client *client, nats_event **event_out)
{
    if (event_out == NULL) {
        return nats__null_argument("event_out");
    }
    *event_out = NULL;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    pthread_mutex_lock(&client->conn->mu);
    *event_out = nats__auth_question(client->conn);
    nats__client_took(client);
    pthread_mutex_unlock(&client->conn->mu);
    return NATS_OK;
}
