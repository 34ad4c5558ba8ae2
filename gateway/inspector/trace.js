// SPDX-License-Identifier: Apache-2.0
// An explanation (the trace API's shape) as a tree: phases, rules, and the part of each expression that settled it.
import { facts, h, seconds, tag } from "./dom.js";

function part(p) {
  const left = p.left === undefined ? "" : p.left === null ? " (there is none)" : ` (was ${p.left})`;
  return h("li", {}, tag(p.value ? "true" : "false", p.value ? "good" : "odd"), " ",
    h(`code${p.decided ? ".decided" : ""}`, {}, p.text), left, p.decided ? " ← decided" : "");
}

/** Parts come outermost first with their depth; the tree follows it. */
function parts(list) {
  const root = h("ul.tree");
  const open = [{ depth: -1, list: root }];
  for (const p of list) {
    while (open.at(-1).depth >= p.depth) open.pop();
    let target = open.at(-1).list;
    if (!target) {
      target = open.at(-1).list = h("ul.tree");
      open.at(-1).item.append(target);
    }
    const item = part(p);
    target.append(item);
    open.push({ depth: p.depth, list: null, item });
  }
  return root;
}

/** How a rate limiting rule would take the request. */
function counting(limit) {
  const score = limit.score_per_period !== undefined, most = score ? limit.score_per_period : limit.requests_per_period;
  const when = { request: "", origin: ", counted when the origin is asked", response: ", counted with the response" }[limit.counted_with];
  return h("p.quiet", {}, "counts by ", h("code", {}, limit.values || "nothing but the edge"),
    `: ${limit.count ?? "?"} of ${most} ${score ? "points" : "requests"} in ${seconds(limit.period * 1000)}${when}`,
    limit.would_act === undefined ? "" : limit.would_act ? [" ", tag("would act", "bad")] : [" ", tag("lets it pass", "good")]);
}

function rule(r) {
  const name = r.description || r.nearedge?.ref || r.expression;
  const state = r.nearedge?.enabled === false ? tag("disabled", "odd") : r.nearedge?.evaluated === false ? tag("not evaluated", "odd")
    : r.matched ? tag("matched", "good") : tag("not matched", "odd");
  return h("li", {}, h("details", { open: r.matched }, h("summary", {}, state, ` rule ${r.nearedge?.position ?? ""} `, h("strong", {}, name)),
    h("pre", {}, r.expression), r.nearedge?.parts?.length ? parts(r.nearedge.parts) : null,
    r.nearedge?.ratelimit ? counting(r.nearedge.ratelimit) : null,
    r.action_parameters ? h("pre", {}, `${r.action} ${JSON.stringify(r.action_parameters, null, 2)}`) : null));
}

function phase(p) {
  const known = p.nearedge?.simulated === false ? " (accepted, not simulated)" : "";
  return h("li", {}, h("strong", {}, p.step_name), known, ` · ${p.nearedge?.rules_matched ?? 0} of ${p.nearedge?.rules ?? 0} rules matched`,
    h("ul.tree", {}, ...p.trace.map(rule)));
}

function lookup(found, reason) {
  if (!found) return "";
  if (found.found === "absent") return "nothing is stored under this key";
  const age = `stored with status ${found.status}, age ${found.age_s} s`;
  return found.found === "fresh" ? `${age}, fresh for another ${seconds(found.fresh_ms)}` : `${age}, stale${found.serve_stale ? " and served while it is refreshed" : ""}`;
}

function settings(s) {
  return Object.entries(s ?? {}).map(([name, { value, rule: from, simulated }]) =>
    [name, h("span", {}, h("code", {}, JSON.stringify(value)), ` from rule ${from}${simulated ? "" : " (accepted, not simulated)"}`)]);
}

/** `answer`: the whole body of /api/explain. */
export function trace(answer) {
  const result = answer.result, more = result.nearedge;
  const cache = result.trace.find((step) => step.type === "cache");
  const limiter = more.limiter;
  return h("div", {}, h("p.note", {}, more.verdict),
    h("ul.tree", {}, ...result.trace.filter((step) => step.type === "ruleset").map(phase)),
    facts([
      ...settings(more.settings),
      cache && ["Cacheable", `${cache.nearedge.eligible ? "yes" : "no"}: ${cache.nearedge.reason}`],
      cache && ["Cache key", h("code", {}, cache.cache.key_string || (cache.nearedge.key_too_long ? "too long" : "none"))],
      cache?.nearedge.lookup && ["Look-up now", lookup(cache.nearedge.lookup)],
      more.mirror_checks && ["The app", `answers ${more.mirror_checks.status}: ${more.mirror_checks.message}, ${more.mirror_checks.limiter_first ? "behind" : "in front of"} its limiter`],
      limiter && ["Limiter", `${limiter.name}: ${limiter.count ?? "?"} of ${limiter.limit} in ${seconds(limiter.window_ms)}, store ${limiter.store}, mode ${limiter.mode}`],
      limiter && ["Limiter key", h("code", {}, limiter.key)],
      more.zone && ["Zone", `${more.zone.name}, plan ${more.zone.plan}, origin ${more.zone.origin}`],
    ]));
}
