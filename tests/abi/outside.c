/* A program outside the project, in what C and C++ have in common: it sends itself a message. */
#include <polynats.h>

#include <stdio.h>

int main(void)
{
    nats_client *client = NULL;
    nats_sub *sub = NULL;
    nats_msg *msg = NULL;
    size_t len = 0;
    if (nats_connect(NULL, NULL, &client) != NATS_OK ||
        nats_client_subscribe(client, "outside", NATS_Z, NULL, 0, 0, &sub) != NATS_OK ||
        nats_client_publish(client, "outside", NATS_Z, "hello", 5) != NATS_OK ||
        nats_sub_next(sub, 10000, &msg) != NATS_OK || msg == NULL) {
        fprintf(stderr, "%s\n", nats_last_error(NULL));
        return 1;
    }
    const char *text = (const char *)nats_msg_data(msg, &len);
    printf("polynats %s: %.*s\n", nats_version(), (int)len, text);
    nats_msg_free(msg);
    nats_sub_free(sub);
    nats_client_free(client);
    return 0;
}
