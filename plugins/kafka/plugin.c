// SPDX-License-Identifier: Apache-2.0
/* The plugin's descriptor, and the settings of its kinds as JSON Schema. */
#include "sink.h"
#include "source.h"

#define SHARED_SCHEMA                                                                    \
    "\"brokers\":{\"description\":\"host:port, a list of them, or embedded for a "       \
    "broker "                                                                            \
    "inside this process that keeps nothing\",\"anyOf\":[{\"type\":\"string\"},"         \
    "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}]},"                            \
    "\"security\":{\"description\":\"how to connect; sasl and ssl hold librdkafka's "    \
    "properties with _ for .\",\"type\":\"object\",\"additionalProperties\":false,"      \
    "\"properties\":{\"protocol\":{\"type\":\"string\"},\"sasl\":{\"type\":\"object\"}," \
    "\"ssl\":{\"type\":\"object\"}}},"                                                   \
    "\"properties\":{\"description\":\"further properties of librdkafka\","              \
    "\"type\":\"object\"}"

const char kafka_source_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,\"required\":[\"brokers\"],"
    "\"properties\":{" SHARED_SCHEMA ","
    "\"group\":{\"description\":\"consumer group; default tidewatch-NAME\","
    "\"type\":\"string\"},"
    "\"instance_id\":{\"description\":\"this member's own and lasting name: a restart "
    "moves no partitions\",\"type\":\"string\"},"
    "\"start\":{\"description\":\"where a partition without a stored position begins: "
    "earliest, latest (default), stored (then on_missing_offset decides), an RFC 3339 "
    "time or epoch milliseconds\",\"anyOf\":[{\"type\":\"string\"},"
    "{\"type\":\"integer\"}]},"
    "\"on_missing_offset\":{\"description\":\"what to do when the stored position is not "
    "in the log any more; default fail\","
    "\"enum\":[\"fail\",\"earliest\",\"latest\"]}}}";

const char kafka_sink_schema[] =
    "{\"type\":\"object\",\"additionalProperties\":false,"
    "\"required\":[\"brokers\",\"topic\"],\"properties\":{" SHARED_SCHEMA ","
    "\"topic\":{\"type\":\"string\"},"
    "\"format\":{\"description\":\"cloudevents (default): attributes as headers; json: "
    "no headers of ours\",\"enum\":[\"cloudevents\",\"json\"]},"
    "\"source\":{\"description\":\"the CloudEvents source; default /tidewatch/NAME\","
    "\"type\":\"string\"}}}";

static const tw_source_type *const sources[] = {&kafka_source_type, NULL};
static const tw_sink_type *const sinks[] = {&kafka_sink_type, NULL};

TW_PLUGIN_EXPORT extern const tw_plugin tw_plugin_descriptor;
const tw_plugin tw_plugin_descriptor = {
    .abi = TW_PLUGIN_ABI,
    .size = sizeof(tw_plugin),
    .name = "kafka",
    .version = "1.0",
    .sources = sources,
    .sinks = sinks,
};
