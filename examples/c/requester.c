/* Asks and prints the answer: requester [subject] [text] */
#include "example.h"

int main(int argc, char **argv)
{
    help(argc, argv, "[subject] [text]", "Asks and prints the answer.");
    const char *subject = word(argc, argv, 1, "svc.upper");
    const char *text = word(argc, argv, 2, "hello");
    nats_client *nc = NULL;
    nats_msg *reply = NULL;
    size_t len = 0;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_request(nc, subject, NATS_Z, NULL, text, strlen(text), 2000, &reply));
    const char *data = nats_msg_data(reply, &len);
    printf("%.*s\n", (int)len, data);
    nats_msg_free(reply);
    nats_client_free(nc);
    return 0;
}
