/* What the two parts of the worker in C share: worker.c has the words, the lines and the modes of core NATS,
 * worker_js.c those of JetStream. */
#ifndef RELIABILITY_WORKER_H
#define RELIABILITY_WORKER_H

#include <stdbool.h>
#include <stdint.h>

#include <polynats.h>

_Noreturn void die(const char *what);
void must(const char *what, nats_status status);
double now(void);
const char *word(const char *key, const char *absent);
double number(const char *key);
bool over(void);
void tell(const char *what);
void put_events(nats_client *client);
nats_client *client_of(const char *url);

void store_mode(const char *url);
void work_mode(const char *url);

#endif
