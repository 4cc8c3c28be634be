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
    char *text;  /* passwords, keys and the like: see base/secret.h */
    bool chosen; /* the number was set, be it to the default */
} nats__option_value;

struct nats_options {
    nats__option_value values[NATS__OPT_COUNT];
};

/* What abi/options.def says of one option. */
typedef struct nats__option_rule {
    const char *name;
    int32_t type; /* NATS_OPTION_… */
    const char *default_text;
    int64_t default_number;
    int64_t min;
    int64_t max;
    const char *doc;      /* the default included */
    const char *doc_none; /* the same for a text without a default */
} nats__option_rule;

/* NULL past the last. */
const nats__option_rule *nats__option_at(size_t index);
/* NULL when there is no such option; *id_out may be NULL. */
const nats__option_rule *nats__option_find(const char *name, nats__option_id *id_out);
/* INVALID, with the name that was probably meant. name may be NULL. */
nats_status nats__option_unknown(const char *name);
/* As nats_options_nearest(). */
const char *nats__nearest_name(const char *name, const char *const *names, size_t count);

/* As nats_options_set_…(), with the length resolved. Nothing is changed on failure. */
nats_status nats__options_set_text(nats_options *options, const char *name, const char *value,
                                   size_t len);
nats_status nats__options_set_int(nats_options *options, const char *name, int64_t value);
nats_status nats__options_set_double(nats_options *options, const char *name, double value);
nats_status nats__options_set_bool(nats_options *options, const char *name, bool value);

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
