/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever the team's configuration says, it is refused with a message, or it becomes a scenario
 * that is JSON; and a scenario, whatever it says, is refused or makes a plan. Bodies and files are
 * left out: a fuzzer must not read what happens to have a name it made up. */
#include <assert.h>

#include "bench/load/scenario.h"
#include "bench/load/team_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void load(struct gw_str text)
{
    const struct gw_source source = {"fuzz", text};
    struct gw_diags diags;
    gw_diags_init(&diags);
    struct json_doc *doc = json_parse(&source, &diags);
    if (doc && gw_str_find(text, GW_STR("file")) == GW_NPOS &&
        gw_str_find(text, GW_STR("\\u")) == GW_NPOS &&
        gw_str_find(text, GW_STR("generate\"")) == GW_NPOS) {
        struct load_plan *plan = load_plan_new();
        scenario_load(doc, NULL, plan, &diags);
        assert(diags.errors || (plan->phase_count && plan->request_count && plan->group_count));
        load_plan_free(plan);
    }
    json_doc_free(doc);
    gw_diags_release(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct gw_source source = {"fuzz", gw_str((const char *)data, size)};
    struct gw_diags diags;
    struct gw_buf out;
    gw_diags_init(&diags);
    gw_buf_init(&out, 4 << 20);
    struct json_doc *doc = json_parse(&source, &diags);
    if (doc && team_config_is(doc)) {
        bool fine = team_config_convert(doc, size % 2, &out, &diags);
        assert(fine || diags.errors || out.overflow);
        if (fine)
            load(gw_buf_str(&out));
    } else {
        load(source.text);
    }
    json_doc_free(doc);
    gw_buf_release(&out);
    gw_diags_release(&diags);
    return 0;
}
