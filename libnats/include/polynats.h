/* polynats: the NATS client behind every scripting language. Includes every part of the ABI;
 * each part can also be included alone. See docs/abi.md for the rules that all of them keep. */
#ifndef POLYNATS_H
#define POLYNATS_H

#include "polynats/client.h"
#include "polynats/event.h"
#include "polynats/future.h"
#include "polynats/headers.h"
#include "polynats/info.h"
#include "polynats/jetstream.h"
#include "polynats/jetstream_consume.h"
#include "polynats/jetstream_publish.h"
#include "polynats/json.h"
#include "polynats/kind.h"
#include "polynats/msg.h"
#include "polynats/options.h"
#include "polynats/proto.h"
#include "polynats/status.h"
#include "polynats/sub.h"
#include "polynats/subject.h"
#include "polynats/version.h"

#endif
