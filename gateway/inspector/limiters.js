// SPDX-License-Identifier: Apache-2.0
// Limiters: a gauge a key, for limiters and for rate limiting rules; several stores side by side; starting anew.
import { change, get, isUnlocked } from "./api.js";
import { h, number, renew, seconds, table, tag } from "./dom.js";
import { poll } from "./poll.js";

const SHOWN = 20; // gauges a card: a person reads no more, and the page asks every second

/** A button that changes something, after a question. */
function asking(label, name, question, work, reload) {
  return h("button", { type: "button", disabled: !isUnlocked(), "aria-label": name, onclick: async () => {
    if (!confirm(question)) return;
    await work().catch((error) => alert(error.message));
    reload();
  } }, label);
}

/** `of`: {key, place, count, limit}; the words and the button stand below the bar. */
function gauge(of, words, button) {
  const used = Math.min(of.count / of.limit, 1), bar = h("span");
  bar.style.width = `${used * 100}%`;
  bar.style.setProperty("--tone", used >= 1 ? "var(--red)" : used > .8 ? "var(--orange)" : "var(--blue)");
  return h("div", {}, h("p", { style: "margin:.3rem 0 0" }, h("code", {}, of.key), of.place),
    h("div.meter", { role: "meter", "aria-label": `${of.key}${of.place}`, "aria-valuemin": 0, "aria-valuemax": of.limit, "aria-valuenow": Math.min(of.count, of.limit) }, bar),
    h("div.row", { style: "margin:0" }, h("span.quiet", {}, words), button));
}

function card(title, about, gauges) {
  const more = gauges.length - SHOWN;
  return h("section.card", { "aria-label": title }, h("h3", { style: "margin-top:0" }, title), h("p.quiet", {}, about),
    gauges.length ? gauges.slice(0, SHOWN).map((make) => make()) : h("p.quiet", {}, "No key has an open window."),
    more > 0 ? h("p.quiet", {}, `and ${more} more keys`) : null);
}

/* ---- the app's limiters ---- */

function limiterCard(limiter, now, reload) {
  const entries = limiter.entries ?? [];
  return card(limiter.name, `${limiter.limit} requests in ${seconds(limiter.windowMs)}`, entries.map((entry) => () => {
    const place = entry.edge ? ` at ${entry.edge}${entry.isolate === undefined ? "" : `, isolate ${entry.isolate}`}` : "";
    return gauge({ key: entry.key, place, count: entry.count, limit: limiter.limit },
      `${entry.count} of ${limiter.limit} requests, window ends in ${seconds(entry.resetAt - now)}`,
      asking("Reset", `Reset ${limiter.name} for ${entry.key}${place}`, `Reset ${limiter.name} for ${entry.key}? It may be used in full again at once.`,
        async () => change("POST", "/api/admin/rate-limits/reset", { name: limiter.name, key: entry.key }), reload));
  }));
}

/* ---- rate limiting rules ---- */

function byRule(counters) {
  const rules = new Map();
  for (const c of counters) {
    const title = `${c.zone}, rate limiting rule ${c.rule}`;
    if (!rules.has(title)) rules.set(title, []);
    rules.get(title).push(c);
  }
  return [...rules];
}

function ruleCard([title, counters], now) {
  return card(title, `more than ${counters[0].limit} in a period is too many, at each edge by itself`, counters.map((c) => () =>
    gauge({ key: c.values || "all requests", place: ` at ${c.edge}`, count: c.count, limit: c.limit },
      `${c.count} of ${c.limit} counted, ${c.action_end_ms > now ? `its action holds for another ${seconds(c.action_end_ms - now)}`
        : `period ends in ${seconds(c.period_end_ms - now)}`}`, null)));
}

function rateRules(answer, now, reload) {
  if (!answer.counters.length) return [h("p.quiet", {}, "No rule of phase http_ratelimit has counted anything that still matters.")];
  return [h("div.cards", {}, ...byRule(answer.counters).map((rule) => ruleCard(rule, now))), answer.cut ? h("p.quiet", {}, "There are more counters than are shown.") : null,
    h("p", {}, asking("Forget all counts", "Forget all counts of rate limiting rules", "Forget what all rate limiting rules have counted, at all edges?",
      async () => change("DELETE", "/api/rate-rules"), reload))];
}

/* ---- stores side by side ---- */

const round = (value) => (value === null || value === undefined ? "–" : Number(value.toPrecision(4)).toLocaleString("en"));
const dollars = (value) => (value === null || value === undefined ? "–" : `$${round(value)}`);

const COLUMNS = [
  ["Store", (s) => h("span", {}, s.store, s.enforces ? [" ", tag("enforces", "info")] : "")],
  ["Admitted", (s) => number(s.admitted)],
  ["Refused", (s) => number(s.refused)],
  ["Errors", (s) => number(s.errors)],
  ["Over the limit", (s) => number(`${s.overAdmitted > 0 ? "+" : ""}${s.overAdmitted}`)],
  ["First refusal, request no.", (s) => number(s.firstRefusal ? `${s.firstRefusal.least}, mean ${round(s.firstRefusal.mean)}` : "–")],
  ["Mixed zone, requests", (s) => number(`${s.mixedZone.most}, mean ${round(s.mixedZone.mean)}`)],
  ["Latency p50 / p99, ms", (s) => number(`${s.latencyMs.p50} / ${s.latencyMs.p99}`)],
  ["Model expects", (s) => number(s.model ? `${round(s.model.expected)} ± ${round(s.model.deviation)}` : "–")],
  ["z", (s) => number(s.model ? round(s.model.z) : "–")],
  ["USD per million calls", (s) => number(dollars(s.usd.perMillionCalls))],
  ["USD per month", (s) => number(dollars(s.usd.perMonth))],
];

function comparison(l, prices, reload) {
  const about = l.requests ? `${l.requests} requests in ${l.windows} windows of ${seconds(l.windowMs)}, ${l.edges} edges, ${l.isolates} isolates`
    + `${l.perSecond ? `, ${round(l.perSecond)} a second` : ""}; a limit that holds admits ${l.exact}${l.skipped ? `; ${l.skipped} were not compared` : ""}`
    : "No request has come to it yet.";
  return h("section", { "aria-label": `Stores compared for ${l.name}` }, h("h3", {}, `${l.name}: the same traffic judged by each store`),
    h("p.quiet", {}, about), table(COLUMNS.map(([name]) => name), l.stores.map((s) => COLUMNS.map(([, cell]) => cell(s)))),
    h("div.row", {}, h("span.quiet", {}, `List prices of ${prices.date}; a month at this rate, less what the paid plan includes.`),
      asking("Compare anew", `Compare ${l.name} anew`, `Forget what the stores have said about ${l.name} so far?`,
        async () => change("DELETE", `/api/admin/rate-limits/compare?name=${encodeURIComponent(l.name)}`), reload)));
}

function matrix(answer, reload) {
  const { limiters, prices } = answer.data;
  return limiters.length ? limiters.map((l) => comparison(l, prices, reload))
    : [h("p.quiet", {}, "No limiter compares stores: \"compare\": [\"kv\", \"memory\"] at a limiter does.")];
}

/* ---- the view ---- */

async function part(box, ask) {
  try {
    renew(box, ...await ask());
  } catch (error) {
    renew(box, h("p.problem", {}, error.message));
  }
}

export function show(main) {
  const own = h("div", {}), rules = h("div", {}), stores = h("div", {});
  main.append(h("h2", {}, "Limiters"), own, h("h3", {}, "Rate limiting rules"), rules, h("h3", {}, "Stores compared"), stores);
  const reload = async () => {
    const clock = get("/api/clock").then((c) => c.now_ms, () => Date.now());
    await part(own, async () => {
      const { data: { state } } = await get("/api/admin/rate-limits/state");
      const list = Object.entries(state).map(([name, l]) => ({ name, limit: l.maxRequests, ...l })), now = await clock;
      return [list.length ? h("div.cards", {}, ...list.map((l) => limiterCard(l, now, reload)))
        : h("p.empty", {}, "This configuration has no limiters. Name a limiters file at a zone: \"limiters\": \"limiters.json\".")];
    });
    await part(rules, async () => rateRules(await get("/api/rate-rules"), await clock, reload));
    await part(stores, async () => matrix(await get("/api/admin/rate-limits/compare"), reload));
  };
  const again = () => reload();
  document.addEventListener("access", again);
  const stop = poll(reload, 1000);
  return () => {
    document.removeEventListener("access", again);
    stop();
  };
}
