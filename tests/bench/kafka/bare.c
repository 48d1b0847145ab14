// SPDX-License-Identifier: Apache-2.0
/* bare BROKERS TOPIC: reads a topic and does nothing but touch each record. What a program
 * around librdkafka cannot be faster than. Prints {"events": N}. */
#include <inttypes.h>
#include <stdio.h>

#include "consume.h"

static void touch(void *self, const char *data, size_t size)
{
    uint64_t *sum = self;

    *sum += size + (unsigned char)data[0];
}

int main(int argc, char **argv)
{
    uint64_t sum = 0;

    if (argc != 3) {
        fprintf(stderr, "usage: bare BROKERS TOPIC\n");
        return 2;
    }
    int64_t count = consume_topic(argv[1], argv[2], touch, &sum);
    if (count < 0 || (count > 0 && sum == 0))
        return 1;
    printf("{\"events\": %" PRId64 "}\n", count);
    return 0;
}
