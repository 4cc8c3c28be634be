#include <polynats/status.h>

#include "base/error.h"

const char *nats_status_name(nats_status status)
{
    switch (status) {
#define STATUS(name, number, text) \
    case number: \
        return #name;
#include "abi/status.def"
#undef STATUS
    default:
        return "UNKNOWN";
    }
}

const char *nats_status_text(nats_status status)
{
    switch (status) {
#define STATUS(name, number, text) \
    case number: \
        return text;
#include "abi/status.def"
#undef STATUS
    default:
        return "unknown status";
    }
}

nats_status nats_last_status(void)
{
    return nats__error_get()->status;
}

const char *nats_last_about(void)
{
    return nats__error_get()->about;
}

int32_t nats_last_err_code(void)
{
    return nats__error_get()->err_code;
}

int32_t nats_last_code(void)
{
    return nats__error_get()->code;
}

const char *nats_last_description(void)
{
    return nats__error_get()->description;
}
