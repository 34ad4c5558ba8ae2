/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a configuration says, it is loaded with its invariants or refused with a reason. */
#include <assert.h>

#include "config/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_invariants(const struct config *c)
{
    assert(c->listen_count > 0 && c->edge_count > 0 && c->zone_count > 0);
    for (size_t i = 0; i < c->listen_count; i++) {
        assert(c->listen[i].edge < c->edge_count);
        assert(c->listen[i].visitor_port > 0);
    }
    for (size_t i = 0; i < c->zone_count; i++) {
        const struct config_zone *z = &c->zones[i];
        assert(z->name.len && z->id.len == 32 && z->host_count > 0);
        assert(z->origin.host.len && z->origin.port && z->origin.authority.len);
        for (size_t h = 0; h < z->host_count; h++)
            assert(z->hosts[h].len && z->hosts[h].ptr[z->hosts[h].len] == '\0');
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct gw_source source = {"fuzz", gw_str((const char *)data, size)};
    struct config *config = config_load_text(&source, NULL, &diags);
    assert((config != NULL) == (diags.errors == 0));
    if (config)
        check_invariants(config);
    config_free(config);
    config = config_load_text(&source, &(struct config_overrides){true, "enterprise"}, &diags);
    config_free(config);
    gw_diags_release(&diags);
    return 0;
}
