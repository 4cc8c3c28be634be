/* Options as values: one array indexed by NATS__OPT_<name>, from abi/options.def. */
#ifndef NATS_PROTO_OPTIONS_H
#define NATS_PROTO_OPTIONS_H

#include <polynats/options.h>

#include <stdbool.h>

typedef enum nats__option_id {
#define OPTION(name, kind, def, min, max, doc) NATS__OPT_##name,
#include "abi/options.def"
#undef OPTION
    NATS__OPT_COUNT
} nats__option_id;

/* text for TEXT options (NULL: not set), number for the others (DURATION in ms). */
typedef struct nats__option_value {
    int64_t number;
    char *text;
} nats__option_value;

struct nats_options {
    nats__option_value values[NATS__OPT_COUNT];
};

/* A copy; of the defaults when options is NULL. False when memory is out. */
bool nats__options_copy(const nats_options *options, nats_options *out);
/* Wipe the texts and free what a copy holds (not the struct). */
void nats__options_clear(nats_options *options);

static inline int64_t nats__opt(const nats_options *options, nats__option_id id)
{
    return options->values[id].number;
}

static inline const char *nats__opt_text(const nats_options *options, nats__option_id id)
{
    return options->values[id].text;
}

#endif
