/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The team's configuration as it is shipped, loaded once for the process: what targets of the
 * gateway ask about. */
#include "gateway/explain_view.h"
#include "gateway/snapshot.h"

static struct snapshot *snapshot;
static struct metrics *metrics;

static inline void fuzz_release(void)
{
    snapshot_unref(snapshot);
    metrics_free(metrics);
}

static inline struct snapshot *fuzz_snapshot(void)
{
    if (snapshot)
        return snapshot;
    atexit(fuzz_release);
    const struct config_overrides overrides = {.lenient_secrets = true};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct config *config =
        config_load(SOURCE_DIR "/config/hub-evolution/nearedge.json", &overrides, &diags);
    metrics = metrics_new(1, GW_STR_EMPTY);
    snapshot = config ? snapshot_build(config, metrics, &diags) : NULL;
    gw_diags_print(&diags, stderr, false);
    gw_diags_release(&diags);
    if (!snapshot)
        abort();
    return snapshot;
}
