// SPDX-License-Identifier: Apache-2.0
/* The mock broker of librdkafka inside this process, for demos and tests: sources and
 * sinks whose brokers setting is "embedded" meet there. It keeps nothing on disk and is
 * gone when the last of them closes. Shore. */
#ifndef KAFKA_EMBEDDED_H
#define KAFKA_EMBEDDED_H

#include <stddef.h>

/* Takes a share in the broker, starting it for the first; the topics exist afterwards,
 * each with four partitions. Returns its address, or NULL when it cannot start. */
const char *embedded_open(const char *const *topics, size_t count);
/* Lets others of this machine find the broker: its address, a line, in the file embedded-broker of the
 * folder, for as long as it runs. 0, or negative with errno. */
int embedded_tell(const char *folder);
void embedded_close(void);

#endif
