// SPDX-License-Identifier: Apache-2.0
/* The story; see story.h. Its curves and its moments belong together: who moves one moves the other. */
#include "demo/story.h"

#define COUNT(a) (sizeof(a) / sizeof *(a))
#define SCALING .topic = "scaling_events", .source = "autoscaler"
#define PROVISIONING .topic = "resource_provisioning", .source = "scheduler"
#define FAILURE .topic = "failure_events", .source = "kubelet"

/* ---- moments ----------------------------------------------------------------------- */

const story_moment story_moments[] = {
    {.at = 0.00,
     .topic = "requests",
     .text = "all is quiet: checkout, cart, search, payments serve 500 requests/s"},
    {.at = 0.05,
     .event = {SCALING, .type = "replicas", .service = "search", .action = "scale_out",
               .result = "ok", .reason = "schedule", .from = 3, .to = 4},
     .text = "search grows from 3 to 4 pods, as every morning"},
    {.at = 0.11,
     .topic = "requests",
     .text = "a campaign begins: checkout gets three times the orders"},
    {.at = 0.17,
     .event = {SCALING, .type = "replicas", .service = "checkout", .action = "scale_out",
               .result = "started", .reason = "cpu above 80 %", .from = 4, .to = 10},
     .text = "the autoscaler wants checkout to grow from 4 to 10 pods"},
    {.at = 0.21,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .pod = "checkout-5",
               .az = "eu-1b", .action = "allocate", .result = "failed",
               .reason = "insufficient cpu", .severity = "error"},
     .text = "no room for pod checkout-5: insufficient cpu in eu-1b"},
    {.at = 0.25,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .pod = "checkout-6",
               .az = "eu-1b", .action = "allocate", .result = "failed",
               .reason = "insufficient cpu", .severity = "error"}},
    {.at = 0.25, .topic = "metrics", .text = "orders pile up in the queue of checkout"},
    {.at = 0.31,
     .event = {FAILURE, .type = "crash", .service = "checkout", .pod = "checkout-2",
               .node = "n-3", .az = "eu-1a", .reason = "out of memory",
               .severity = "error"},
     .text = "pod checkout-2 runs out of memory"},
    {.at = 0.33,
     .event = {FAILURE, .type = "health_check", .service = "checkout",
               .pod = "checkout-3", .node = "n-4", .az = "eu-1c", .result = "failed",
               .reason = "timeout", .severity = "warn"},
     .text = "pod checkout-3 fails its health check; one request in five fails"},
    {.at = 0.45,
     .event = {SCALING, .type = "node", .node = "n-7", .az = "eu-1b",
               .action = "scale_out", .result = "ok", .reason = "pending pods", .from = 6,
               .to = 7, .duration_ms = 14200},
     .text = "the cluster has a new node, n-7 in eu-1b"},
    {.at = 0.49,
     .event = {PROVISIONING, .type = "pod", .service = "checkout", .pod = "checkout-5",
               .node = "n-7", .az = "eu-1b", .action = "allocate", .result = "ok",
               .duration_ms = 840},
     .text = "pod checkout-5 has its room on n-7"},
    {.at = 0.52,
     .event = {SCALING, .type = "replicas", .service = "checkout", .action = "scale_out",
               .result = "ok", .from = 4, .to = 10},
     .text = "checkout runs 10 pods and catches up"},
    {.at = 0.54,
     .event = {FAILURE, .type = "health_check", .service = "checkout",
               .pod = "checkout-3", .node = "n-4", .az = "eu-1c", .result = "ok"},
     .text = "pod checkout-3 is healthy again"},
    {.at = 0.60, .topic = "metrics", .text = "the queue of checkout is worked off"},
    {.at = 0.85, .topic = "requests", .text = "all is quiet again"},
};
const size_t story_moment_count = COUNT(story_moments);

const demo_event story_daily[] = {
    {PROVISIONING, .type = "pod", .service = "cart", .pod = "cart-2", .node = "n-1",
     .az = "eu-1a", .action = "start", .result = "ok", .duration_ms = 2130},
    {FAILURE, .type = "health_check", .service = "search", .pod = "search-1",
     .node = "n-2", .az = "eu-1b", .result = "ok"},
    {PROVISIONING, .type = "volume", .service = "payments", .pod = "payments-1",
     .node = "n-5", .az = "eu-1c", .action = "attach", .result = "ok",
     .duration_ms = 910},
    {SCALING, .type = "replicas", .service = "cart", .action = "evaluate", .result = "ok",
     .from = 3, .to = 3},
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
    static const point rate[] = {{0.10, 200}, {0.15, 600}, {0.62, 600}, {0.72, 260}};
    static const point errors[] = {
        {0.32, 0.002}, {0.35, 0.2}, {0.51, 0.2}, {0.54, 0.002}};
    static const point latency[] = {{0.16, 0.08}, {0.40, 1.4}, {0.51, 1.3}, {0.62, 0.09}};
    static const point cpu[] = {{0.10, 46}, {0.18, 94}, {0.50, 97}, {0.60, 52}};
    static const point queue[] = {
        {0.19, 5}, {0.27, 90}, {0.45, 430}, {0.52, 430}, {0.62, 5}};

    return (story_state){.checkout_rate = on_curve(rate, COUNT(rate), at),
                         .neighbour_rate = 100,
                         .error_share = on_curve(errors, COUNT(errors), at),
                         .latency_s = on_curve(latency, COUNT(latency), at),
                         .cpu = on_curve(cpu, COUNT(cpu), at),
                         .queue = on_curve(queue, COUNT(queue), at),
                         .pods = at < 0.52 ? 4 : 10};
}
