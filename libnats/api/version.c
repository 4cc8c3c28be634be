#include <polynats/version.h>

const char *nats_version(void)
{
    return POLYNATS_VERSION;
}

int32_t nats_abi(void)
{
    return POLYNATS_ABI;
}
