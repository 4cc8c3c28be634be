/* Answers requests with the same text in upper case: responder [subject] [how many] */
#include "example.h"

#include <ctype.h>

static void answer(nats_client *nc, const nats_msg *msg)
{
    size_t len = 0;
    const char *data = nats_msg_data(msg, &len);
    char *upper = malloc(len + 1);
    if (upper == NULL) {
        exit(1);
    }
    for (size_t i = 0; i < len; i++) {
        upper[i] = (char)toupper((unsigned char)data[i]);
    }
    check(nats_client_respond(nc, msg, NULL, upper, len));
    free(upper);
}

int main(int argc, char **argv)
{
    help(argc, argv, "[subject] [how many]", "Answers requests with the same text in upper case.");
    const char *subject = word(argc, argv, 1, "svc.upper");
    uint64_t count = strtoull(word(argc, argv, 2, "0"), NULL, 10);
    nats_client *nc = NULL;
    nats_sub *sub = NULL;
    nats_msg *msg = NULL;

    check(nats_connect(NULL, NULL, &nc));
    check(nats_client_subscribe(nc, subject, NATS_Z, "responders", NATS_Z, count, &sub));
    check(nats_client_flush(nc, 5000));
    printf("answering on %s\n", subject);
    fflush(stdout);

    while (nats_sub_next(sub, -1, &msg) == NATS_OK && msg != NULL) {
        answer(nc, msg);
        nats_msg_free(msg);
    }
    check(nats_client_flush(nc, 5000));
    nats_sub_free(sub);
    nats_client_free(nc);
    return 0;
}
