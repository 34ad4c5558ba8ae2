// SPDX-License-Identifier: Apache-2.0
// Limiters: a gauge a key, the store matrix, and resetting a key.
import { change, get, isUnlocked } from "./api.js";
import { h, seconds, table } from "./dom.js";
import { poll } from "./poll.js";

function gauge(limiter, entry, now, reload) {
  const used = Math.min(entry.count / limiter.limit, 1);
  const tone = used >= 1 ? "var(--red)" : used > .8 ? "var(--orange)" : "var(--blue)";
  const bar = h("span");
  bar.style.width = `${used * 100}%`;
  bar.style.setProperty("--tone", tone);
  const place = entry.edge ? ` at ${entry.edge}${entry.isolate === undefined ? "" : `, isolate ${entry.isolate}`}` : "";
  const reset = h("button", { type: "button", disabled: !isUnlocked(), "aria-label": `Reset ${limiter.name} for ${entry.key}`, onclick: async () => {
    if (!confirm(`Reset ${limiter.name} for ${entry.key}? It may be used in full again at once.`)) return;
    await change("POST", "/api/admin/rate-limits/reset", { name: limiter.name, key: entry.key }).catch((error) => alert(error.message));
    reload();
  } }, "Reset");
  return h("div", {}, h("p", { style: "margin:.3rem 0 0" }, h("code", {}, entry.key), place),
    h("div.meter", { role: "meter", "aria-label": `${entry.key}${place}`, "aria-valuemin": 0, "aria-valuemax": limiter.limit, "aria-valuenow": Math.min(entry.count, limiter.limit) }, bar),
    h("div.row", { style: "margin:0" }, h("span.quiet", {}, `${entry.count} of ${limiter.limit} requests, window ends in ${seconds(entry.resetAt - now)}`), reset));
}

function card(limiter, now, reload) {
  const entries = limiter.entries ?? [];
  return h("section.card", { "aria-label": limiter.name }, h("h3", { style: "margin-top:0" }, limiter.name),
    h("p.quiet", {}, `${limiter.limit} requests in ${seconds(limiter.windowMs)}`),
    entries.length ? entries.slice(0, 20).map((e) => gauge(limiter, e, now, reload))
      : h("p.quiet", {}, "No key has an open window."), entries.length > 20 ? h("p.quiet", {}, `and ${entries.length - 20} more keys`) : null);
}

/** Stores side by side, whatever columns the gateway sends for each. */
function matrix(answer) {
  const limiters = answer?.data?.limiters ?? answer?.limiters ?? [];
  return limiters.filter((l) => l.stores?.length).map((l) => {
    const names = Object.keys(l.stores[0]).filter((name) => typeof l.stores[0][name] !== "object");
    return h("section", { "aria-label": `Stores compared for ${l.name}` }, h("h3", {}, `${l.name}: the same traffic judged by each store`),
      table(names.map((name) => name.replaceAll("_", " ")), l.stores.map((s) => names.map((name) => String(s[name] ?? "–")))));
  });
}

export function show(main) {
  const box = h("div", {}), stores = h("div", {});
  main.append(h("h2", {}, "Limiters"), box, stores);
  const reload = async () => {
    try {
      const [state, clock] = await Promise.all([get("/api/admin/rate-limits/state"), get("/api/clock")]);
      const list = Object.entries(state.data.state).map(([name, l]) => ({ name, limit: l.maxRequests, ...l }));
      box.replaceChildren(list.length ? h("div.cards", {}, ...list.map((l) => card(l, clock.now_ms, reload)))
        : h("p.empty", {}, "This configuration has no limiters. Name a limiters file at a zone: \"limiters\": \"limiters.json\"."));
    } catch (error) {
      box.replaceChildren(h("p.problem", {}, error.message));
    }
    stores.replaceChildren(...matrix(await get("/api/admin/rate-limits/compare").catch(() => null)));
  };
  const again = () => reload();
  document.addEventListener("access", again);
  const stop = poll(reload, 1000);
  return () => {
    document.removeEventListener("access", again);
    stop();
  };
}
