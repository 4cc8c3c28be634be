#include "api/jetstream.h"

#include "jetstream/js.h"

nats_status nats__enter_js(const nats_js *js)
{
    return js == NULL ? nats__null_argument("js") : nats__enter_open(js->client);
}

nats_status nats_client_jetstream(nats_client *client, const char *domain, const char *prefix,
                                  int64_t timeout_ms, nats_js **js_out)
{
    if (js_out == NULL) {
        return nats__null_argument("js_out");
    }
    *js_out = NULL;
    nats_status status = nats__enter_open(client);
    if (status != NATS_OK) {
        return status;
    }
    return nats__leave(client, nats__js_new(client, domain, prefix, timeout_ms, js_out));
}

void nats_js_free(nats_js *js)
{
    if (js == NULL || nats__enter(js->client) != NATS_OK) {
        return;
    }
    nats_client *client = js->client;
    nats__js_unref(js);
    nats__client_unref(client);
}
