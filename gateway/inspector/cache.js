// SPDX-License-Identifier: Apache-2.0
// The cache: how full, how often it answers, what it holds, and taking things out.
import { change, get, isUnlocked } from "./api.js";
import { bytes, h, number, percent, renew, seconds, settled, spark, table } from "./dom.js";
import { poll } from "./poll.js";
import { recent } from "./store.js";

const WAYS = { files: "URLs", prefixes: "Prefixes", tags: "Tags", hosts: "Hosts", everything: "Everything" };

function ratio() {
  const history = recent();
  const sums = history.reduce((a, s) => ({ hits: a.hits + s.hits, cacheable: a.cacheable + s.cacheable }), { hits: 0, cacheable: 0 });
  const line = history.filter((s) => s.cacheable).map((s) => s.hits / s.cacheable);
  const label = `Hit ratio of the last two minutes: ${percent(sums.hits, sums.cacheable)}`;
  return h("section.card", { "aria-label": "Hit ratio" }, h("h3", { style: "margin-top:0" }, label),
    line.length > 1 ? spark(line, label) : h("p.quiet", {}, "Needs a few seconds of cacheable traffic."),
    h("p.quiet", {}, "hits of requests that could be answered from the cache, as this page saw them"));
}

function size(stats) {
  const full = stats.max_size ? stats.memory / stats.max_size : 0;
  const bar = h("span");
  bar.style.width = `${Math.min(full * 100, 100)}%`;
  return h("section.card", { "aria-label": "Size" }, h("h3", { style: "margin-top:0" }, `${bytes(stats.bytes)} in ${stats.objects} objects`),
    h("div.meter", { role: "meter", "aria-label": "Fill of the cache", "aria-valuemin": 0, "aria-valuemax": 100, "aria-valuenow": Math.round(full * 100) }, bar),
    h("p.quiet", {}, `${percent(stats.memory, stats.max_size)} of ${bytes(stats.max_size)}; over it the least useful objects give way`));
}

function objectTable(answer, now) {
  if (!answer.objects.length) return h("p.empty", {}, "Nothing is stored that fits. Request something cacheable, shorten the prefix, or clear the tag.");
  return table(["URL", "Edge", "Status", "Fresh", "Ends in", "Size", "Type", "Tags"], answer.objects.map((o) => [
    h("span.mono", {}, `${o.host}${o.target}`), o.edge, number(o.status), o.fresh ? "fresh" : "stale",
    o.fresh && o.stale_from ? seconds(Date.parse(o.stale_from) - now) : "–", number(o.length === undefined ? "–" : bytes(o.length)), o.content_type,
    h("span.mono", {}, o.tags.join(", "))]));
}

function purgeForm(gateway, done) {
  const zone = h("select", { name: "purge-zone" }, ...gateway.zones.map((z) => h("option", { value: z.id }, z.name)));
  const way = h("select", { name: "way" }, ...Object.entries(WAYS).map(([value, label]) => h("option", { value }, label)));
  const what = h("input", { name: "what", placeholder: "one or more, separated by spaces" });
  const said = h("p.quiet", { role: "status" });
  const buttons = [["purge_cache", "Purge"], ["invalidate_cache", "Invalidate"]].map(([verb, label]) =>
    h("button", { type: "submit", value: verb, disabled: !isUnlocked() }, label));
  const submit = async (event) => {
    event.preventDefault();
    const everything = way.value === "everything";
    const body = everything ? { purge_everything: true } : { [way.value]: what.value.split(/\s+/).filter(Boolean) };
    if (everything && !confirm("Take everything out of the zone's cache, at all edges?")) return;
    try {
      await change("POST", `/client/v4/zones/${zone.value}/${event.submitter.value}`, body);
      said.textContent = "Done, at all edges.";
      done();
    } catch (error) {
      said.textContent = error.message;
    }
  };
  const access = () => buttons.forEach((b) => { b.disabled = !isUnlocked(); });
  document.addEventListener("access", access);
  const element = h("form.row", { onsubmit: submit }, h("label", {}, "Zone", zone), h("label", {}, "By", way), h("label.grow", {}, "What", what), ...buttons, said);
  return { element, stop: () => document.removeEventListener("access", access) };
}

export function show(main, gateway) {
  const top = h("div.cards"), list = h("div", { "aria-live": "off" });
  const prefix = h("input", { type: "search", name: "prefix", placeholder: gateway.zones[0]?.hosts[0] ?? "" });
  const tagged = h("input", { type: "search", name: "tag", placeholder: "any" });
  let asked = 0; // an answer that was overtaken by a newer question is dropped
  const objects = async () => {
    const turn = ++asked, query = new URLSearchParams({ limit: 200, prefix: prefix.value.trim(), tag: tagged.value.trim() });
    let parts;
    try {
      const [answer, clock] = await Promise.all([get(`/api/cache/objects?${query}`), get("/api/clock")]);
      parts = [objectTable(answer, clock.now_ms), answer.truncated ? h("p.quiet", {}, "The first 200: a longer prefix shows fewer.") : null];
    } catch (error) {
      parts = [h("p.problem", {}, error.message)];
    }
    if (turn === asked) renew(list, ...parts);
  };
  const purge = purgeForm(gateway, objects);
  for (const input of [prefix, tagged]) input.addEventListener("input", settled(objects));
  main.append(h("h2", {}, "Cache"), top, h("h3", {}, "Take out"), purge.element, h("h3", {}, "Objects"),
    h("form.row", { onsubmit: (e) => e.preventDefault() }, h("label.grow", {}, "Host and path begin with", prefix),
      h("label", {}, "Cache tag", tagged)), list);
  const stop = poll(async () => {
    try {
      top.replaceChildren(size(await get("/api/cache/stats")), ratio());
      await objects();
    } catch (error) {
      top.replaceChildren(h("p.problem", {}, error.message));
    }
  }, 2000);
  return () => {
    purge.stop();
    stop();
  };
}
