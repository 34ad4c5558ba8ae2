// SPDX-License-Identifier: Apache-2.0
// Questions before answers: explain a request without sending it, and try a change of rules on what was recorded.
import { ask, change, get, isUnlocked } from "./api.js";
import { h, table } from "./dom.js";
import { trace } from "./trace.js";

const PHASES = ["http_request_cache_settings", "http_ratelimit", "http_response_cache_settings"];

/* ---- one request ---- */

function readHeaders(text) {
  const fields = {};
  for (const line of text.split("\n").filter((l) => l.includes(":"))) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim();
    fields[name] = [...(fields[name] ?? []), line.slice(colon + 1).trim()];
  }
  return fields;
}

function question(gateway) {
  const host = gateway.zones[0]?.hosts[0] ?? "example.com";
  const url = h("input", { name: "url", required: true, value: `https://${host}/`, type: "url" });
  const method = h("input", { name: "method", value: "GET", size: 7 });
  const address = h("input", { name: "ip", placeholder: "127.0.0.1", size: 14 });
  const edge = h("select", { name: "edge" }, ...gateway.edges.map((e) => h("option", {}, e.name)));
  const fields = h("textarea", { name: "headers", rows: 3, placeholder: "Cookie: session=abc", style: "min-height:4.5rem" });
  const answer = h("div", { "aria-live": "polite" });
  const submit = async (event) => {
    event.preventDefault();
    const body = { url: url.value, method: method.value, edge: edge.value, headers: readHeaders(fields.value) };
    if (address.value) body.ip = address.value;
    try {
      answer.replaceChildren(trace(await ask("/api/explain", body)));
    } catch (error) {
      answer.replaceChildren(h("p.problem", {}, error.message));
    }
  };
  return h("section.card", { "aria-label": "Explain a request" }, h("h2", {}, "What would the edge do with…"),
    h("form", { onsubmit: submit }, h("div.row", {}, h("label.grow", {}, "URL", url), h("label", {}, "Method", method),
      h("label", {}, "Client address", address), h("label", {}, "Edge", edge)),
    h("label", { style: "display:flex" }, "Header fields, one a line", fields), h("p", {}, h("button.primary", { type: "submit" }, "Explain"))), answer);
}

/* ---- a change of rules ---- */

/** What a person edits: all but what the API adds. A member left out here would be taken away by Apply. */
function editable(rule) {
  const { version, last_updated, categories, ...written } = rule;
  return written;
}

/** A phase that has no rules yet is not in the list. */
async function rulesOf(zone, phase) {
  const rulesets = `/client/v4/zones/${zone}/rulesets`;
  const found = (await get(rulesets)).result.find((ruleset) => ruleset.phase === phase);
  return found ? (await get(`${rulesets}/${found.id}`)).result.rules ?? [] : [];
}

/** The line of the text where a JSON pointer's value begins, as far as keys and positions tell. */
export function lineOf(text, pointer) {
  const match = /^\/rules\/(\d+)(?:\/(\w+))?/.exec(pointer ?? "");
  if (!match) return null;
  let depth = 0, item = -1, inString = false, line = 1;
  for (let i = 0; i < text.length; i++) {
    const c = text[i];
    if (c === "\n") line++;
    if (inString) {
      if (c === "\\") i++;
      else if (c === '"') inString = false;
      continue;
    }
    if (c === "{" && ++depth === 1 && ++item === Number(match[1]) && !match[2]) return line;
    if (c === "}") depth--;
    if (c === '"') {
      if (item === Number(match[1]) && depth === 1 && text.startsWith(`"${match[2]}"`, i)) return line;
      inString = true;
    }
  }
  return null;
}

function parse(text) {
  try {
    const rules = JSON.parse(text);
    if (!Array.isArray(rules)) throw new Error("a list of rules is expected: [ {…}, {…} ]");
    return rules;
  } catch (error) {
    const at = /position (\d+)/.exec(error.message);
    error.line = at ? text.slice(0, Number(at[1])).split("\n").length : null;
    throw error;
  }
}

function problems(text, error) {
  const list = error.errors?.length ? error.errors : [error];
  return list.map((e) => {
    const line = e.line ?? lineOf(text, e.source?.pointer);
    return h("p.problem", {}, line ? h("strong", {}, `line ${line}: `) : "", e.message ?? String(e));
  });
}

function comparison(result) {
  if (!result.requests) return [h("p.empty", {}, "The rules are valid. No recorded request belongs to this zone yet: send some through the gateway and try again.")];
  const words = result.summary.length ? result.summary : [`None of ${result.requests} recorded requests would be treated differently`];
  return [...words.map((sentence) => h("p.note", {}, `${sentence}.`)), result.changes.length
    ? table(["Ray id", "Edge", "Method", "URL", "Would"], result.changes.map((c) =>
      [h("a.mono", { href: `#/requests/${c.ray}` }, c.ray), c.edge, c.method, c.url, c.what])) : ""];
}

function editor(gateway) {
  const zone = h("select", { name: "zone" }, ...gateway.zones.map((z) => h("option", { value: z.id }, z.name)));
  const phase = h("select", { name: "phase" }, ...PHASES.map((p) => h("option", {}, p)));
  const text = h("textarea", { name: "rules", spellcheck: false, "aria-label": "Rules as JSON" });
  const answer = h("div", { "aria-live": "polite" });
  const apply = h("button", { type: "button", disabled: true }, "Apply");
  let tried = null; // the text that passed: only that one may be applied
  const path = () => `/client/v4/zones/${zone.value}/rulesets/phases/${phase.value}/entrypoint`;
  const settle = () => { apply.disabled = !isUnlocked() || tried !== text.value; };
  const load = async () => {
    tried = null;
    answer.replaceChildren();
    try {
      text.value = JSON.stringify((await rulesOf(zone.value, phase.value)).map(editable), null, 2);
    } catch (error) {
      text.value = "[]";
      answer.replaceChildren(h("p.problem", {}, error.message));
    }
    settle();
  };
  const attempt = async (event) => {
    event.preventDefault();
    tried = null;
    try {
      const { result } = await ask(`${path()}/what-if`, { rules: parse(text.value) });
      tried = text.value;
      answer.replaceChildren(...comparison(result));
    } catch (error) {
      answer.replaceChildren(...problems(text.value, error));
    }
    settle();
  };
  apply.addEventListener("click", async () => {
    apply.disabled = true;
    try {
      const { result } = await change("PUT", path(), { rules: parse(text.value) });
      await load();
      answer.replaceChildren(h("p.note", {}, `In use on all edges: version ${result.version}.`));
    } catch (error) {
      answer.replaceChildren(...problems(text.value, error));
      settle();
    }
  });
  text.addEventListener("input", settle);
  zone.addEventListener("change", load);
  phase.addEventListener("change", load);
  document.addEventListener("access", settle);
  load();
  const element = h("section.card", { "aria-label": "Try a change of rules" }, h("h2", {}, "What would these rules change?"),
    h("form", { onsubmit: attempt }, h("div.row", {}, h("label", {}, "Zone", zone), h("label", {}, "Phase", phase)), text,
      h("p.row", {}, h("button.primary", { type: "submit" }, "Try on recorded requests"), apply,
        h("span.quiet", {}, "Apply puts to use what was tried last; it needs an unlocked page."))), answer);
  return { element, stop: () => document.removeEventListener("access", settle) };
}

export function show(main, gateway) {
  const rules = editor(gateway);
  main.append(question(gateway), h("p"), rules.element);
  return rules.stop;
}
