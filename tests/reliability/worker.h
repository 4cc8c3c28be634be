/* What the two parts of the worker in C share: worker.c has the words, the lines and the modes of core NATS,
 * worker_js.c those of JetStream. */
#ifndef RELIABILITY_WORKER_H
#define RELIABILITY_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <polynats.h>

_Noreturn void worker_die(const char *what);
void worker_must(const char *what, nats_status status);
double worker_now(void);
const char *worker_word(const char *key, const char *absent);
double worker_number(const char *key);
bool worker_over(void);
void worker_tell(const char *what);
void worker_put_events(nats_client *client);
nats_client *worker_connect(const char *url);

void worker_store(const char *url);
void worker_work(const char *url);

#endif
