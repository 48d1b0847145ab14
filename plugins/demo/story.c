// SPDX-License-Identifier: Apache-2.0
/* The story; see story.h. Its curves, its moments and the spans in core/cli/demo.yaml belong together: who
 * moves one moves the others. */
#include "demo/story.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SCALING .topic = "scaling_events", .source = "autoscaler"
#define PROVISIONING .topic = "resource_provisioning", .source = "scheduler"
#define FAILURE .topic = "failure_events", .source = "kubelet"
#define DEPLOY .topic = "deploys", .source = "pipeline"

/* ---- moments ----------------------------------------------------------------------- */

#define CHECKOUT_2_DIES                                                                  \
    .event = {FAILURE,                                                                   \
              .type = "oom_kill",                                                        \
              .service = "checkout",                                                     \
              .pod = "checkout-2",                                                       \
              .node = "n-3",                                                             \
              .az = "eu-1a",                                                             \
              .reason = "out of memory",                                                 \
              .severity = "error"}
#define RELEASE_TIMES_OUT                                                                \
    .event = {FAILURE,                                                                   \
              .type = "timeout",                                                         \
              .service = "payments",                                                     \
              .version = "v2.4",                                                         \
              .az = "eu-1a",                                                             \
              .reason = "no answer from the ledger",                                     \
              .severity = "error"}
#define ZONE_IS_DARK                                                                     \
    .hosts = "c-", .first = 1, .count = 100,                                             \
    .event = {FAILURE,                                                                   \
              .type = "health_check",                                                    \
              .az = "eu-1c",                                                             \
              .result = "failed",                                                        \
              .reason = "no route to host",                                              \
              .severity = "error"}

const story_moment story_moments[] = {
    {.at = 0.0,
     .part = "1. A campaign, and no room to grow",
     .topic = "requests",
     .text = "all is quiet: 500 requests a second"},
    {.at = 2.0,
     .topic = "requests",
     .text = "a campaign: three times the orders of checkout"},
    {.at = 5.0,
     .event = {SCALING, .type = "replicas", .service = "checkout", .action = "scale_out",
               .result = "started", .reason = "cpu above 80 %", .from = 4, .to = 10},
     .text = "checkout shall grow from 4 to 10 pods"},
    {.at = 6.0,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .az = "eu-1b",
               .action = "create"},
     .pods = "checkout-",
     .first = 5,
     .count = 6,
     .text = "pods checkout-5 to checkout-10 are created"},
    {.at = 6.5,
     .event = {SCALING, .type = "replicas", .service = "search", .action = "scale_out",
               .result = "ok", .reason = "latency above 500 ms", .from = 3, .to = 4},
     .text = "search is slow and grows from 3 to 4 pods"},
    {.at = 7.5,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .pod = "checkout-5",
               .az = "eu-1b", .action = "allocate", .result = "failed",
               .reason = "insufficient cpu", .severity = "error"},
     .text = "no room for pod checkout-5 in eu-1b"},
    {.at = 8.5,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .pod = "checkout-6",
               .az = "eu-1b", .action = "allocate", .result = "failed",
               .reason = "insufficient cpu", .severity = "error"}},
    {.at = 8.5, CHECKOUT_2_DIES, .text = "pod checkout-2 runs out of memory"},
    {.at = 9.5, CHECKOUT_2_DIES, .text = "and again, as soon as it is back"},
    {.at = 9.5, .topic = "metrics", .text = "orders pile up in the queue of checkout"},
    {.at = 10.5, CHECKOUT_2_DIES},
    {.at = 10.5, .topic = "requests", .text = "one request of checkout in five fails"},
    {.at = 11.5, CHECKOUT_2_DIES},
    {.at = 19.0,
     .event = {SCALING, .type = "node", .node = "n-7", .az = "eu-1b",
               .action = "scale_out", .result = "ok", .reason = "pending pods", .from = 6,
               .to = 7, .duration_ms = 14200},
     .text = "the cluster gets a new node, n-7 in eu-1b"},
    {.at = 20.0,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .pod = "checkout-5",
               .node = "n-7", .az = "eu-1b", .action = "allocate", .result = "ok",
               .duration_ms = 840},
     .text = "there is room for checkout on n-7"},
    {.at = 20.5,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .node = "n-7",
               .az = "eu-1b", .action = "start", .result = "ok"},
     .pods = "checkout-",
     .first = 5,
     .count = 6,
     .text = "the six pods of checkout start"},
    {.at = 21.0,
     .event = {SCALING, .type = "replicas", .service = "checkout", .action = "scale_out",
               .result = "ok", .from = 4, .to = 10},
     .text = "checkout runs 10 pods and catches up"},
    {.at = 30.5,
     .part = "2. Two changes at once, and one of them is bad",
     .event = {.topic = "config_changes",
               .source = "console",
               .service = "payments",
               .name = "pool_size",
               .result = "ok",
               .from = 20,
               .to = 40},
     .text = "pool_size of payments is set from 20 to 40"},
    {.at = 32.0,
     .event = {DEPLOY, .type = "deploy", .service = "payments", .version = "v2.4",
               .result = "ok"},
     .text = "v2.4 of payments goes out"},
    {.at = 33.5,
     RELEASE_TIMES_OUT,
     .text = "v2.4 of payments times out, again and again"},
    {.at = 34.0, RELEASE_TIMES_OUT},
    {.at = 34.5, RELEASE_TIMES_OUT},
    {.at = 35.0, RELEASE_TIMES_OUT},
    {.at = 35.5, RELEASE_TIMES_OUT},
    {.at = 36.0, RELEASE_TIMES_OUT},
    {.at = 38.5,
     .event = {DEPLOY, .type = "rollback", .service = "payments", .version = "v2.3",
               .result = "ok"},
     .text = "payments goes back to v2.3"},
    {.at = 41.0,
     .part = "3. A zone goes dark",
     ZONE_IS_DARK,
     .text = "100 hosts of eu-1c fail their health checks"},
    {.at = 42.0, ZONE_IS_DARK},
    {.at = 43.0, ZONE_IS_DARK, .text = "they fail them for the third time"},
    {.at = 45.0, .topic = "failure_events", .text = "eu-1c has power again"},
    {.at = 53.0, .topic = "requests", .text = "all is quiet again"},
};
const size_t story_moment_count = COUNT(story_moments);

const demo_event story_daily[] = {
    {SCALING, .type = "replicas", .service = "cart", .action = "evaluate", .result = "ok",
     .from = 3, .to = 3},
    {FAILURE, .type = "health_check", .service = "search", .pod = "search-1",
     .host = "n-2", .az = "eu-1b", .result = "ok"},
    {PROVISIONING, .type = "volume", .service = "cart", .pod = "cart-1", .node = "n-5",
     .az = "eu-1c", .action = "resize", .result = "ok", .duration_ms = 910},
    {DEPLOY, .type = "build", .service = "cart", .result = "ok"},
    {.topic = "config_changes",
     .source = "console",
     .service = "cart",
     .name = "banner",
     .result = "planned"},
};
const size_t story_daily_count = COUNT(story_daily);

const char *const story_neighbours[] = {"cart", "search", "payments"};
const size_t story_neighbour_count = COUNT(story_neighbours);

/* ---- curves ------------------------------------------------------------------------ */

typedef struct point {
    double at, value;
} point;

/* Straight lines between the points; before the first and after the last it is flat. */
static double on_curve(const point *points, size_t count, double at)
{
    if (at <= points[0].at)
        return points[0].value;
    for (size_t i = 1; i < count; i++) {
        const point *a = &points[i - 1], *b = &points[i];
        if (at < b->at)
            return a->value + (b->value - a->value) * (at - a->at) / (b->at - a->at);
    }
    return points[count - 1].value;
}

story_state story_at(double at)
{
    static const point rate[] = {{2, 200}, {4, 600}, {26, 600}, {29, 260}};
    static const point errors[] = {{10, 0.002}, {11, 0.2}, {21, 0.2}, {22, 0.002}};
    static const point latency[] = {{3, 0.08}, {10, 1.4}, {20.8, 1.3}, {22, 0.09}};
    static const point cpu[] = {{2, 46}, {5, 94}, {20.8, 97}, {22, 52}};
    static const point memory[] = {{2, 61}, {7, 97}, {11.5, 98}, {12, 40}};
    static const point queue[] = {{7.5, 5}, {10, 120}, {19, 430}, {21, 430}, {25, 5}};

    return (story_state){.checkout_rate = on_curve(rate, COUNT(rate), at),
                         .neighbour_rate = 100,
                         .error_share = on_curve(errors, COUNT(errors), at),
                         .latency_s = on_curve(latency, COUNT(latency), at),
                         .cpu = on_curve(cpu, COUNT(cpu), at),
                         .memory = on_curve(memory, COUNT(memory), at),
                         .queue = on_curve(queue, COUNT(queue), at),
                         .pods = at < 21 ? 4 : 10,
                         .search_pods = at < 6.5 ? 3 : 4};
}
