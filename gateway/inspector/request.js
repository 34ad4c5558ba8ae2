// SPDX-License-Identifier: Apache-2.0
// One recorded request: what happened, what the edge would do with it now, and doing it again.
import { change, get, isUnlocked } from "./api.js";
import { bytes, copy, facts, h, micros, statusTag, tag } from "./dom.js";
import { trace } from "./trace.js";

/** For a shell: a visitor has chosen what stands in it. */
const quote = (text) => `'${text.replaceAll("'", `'\\''`)}'`;

function curl(record) {
  const fields = record.request_headers.filter(([name]) => !["Host", "Content-Length", "Connection"].includes(name));
  return ["curl -sv --globoff", `-X ${quote(record.request.ClientRequestMethod)}`, ...fields.map(([n, v]) => `-H ${quote(`${n}: ${v}`)}`), quote(record.url)].join(" \\\n  ");
}

function headerTable(title, list) {
  return h("details", {}, h("summary", {}, `${title} (${list.length})`), facts(list.map(([name, value]) => [name, value])));
}

function outcome(record) {
  const r = record.request;
  const limiter = record.limiter ? `${record.limiter.count} of ${record.limiter.limit}` : "";
  return facts([
    ["Status", statusTag(r.EdgeResponseStatus)],
    ["Cache", h("span", {}, tag(r.CacheCacheStatus), record.cache_reason ? ` ${record.cache_reason}` : "")],
    ["Edge", `${r.EdgeColoCode}, isolate ${record.isolate}`],
    ["Client", r.ClientIP],
    ["Duration", `${micros(record.took_us)}${r.OriginResponseStatus ? `, of which the origin ${micros(record.origin_us)}` : ", origin not contacted"}`],
    r.OriginResponseStatus > 0 && ["Origin answered", String(r.OriginResponseStatus)],
    ["Body sent", bytes(r.EdgeResponseBytes)],
    r.Limiter && ["Limiter", h("span", {}, tag(r.LimiterDecision), ` ${r.Limiter} ${limiter}`)],
    ["Ray id", h("code", {}, `${r.RayID}-${r.EdgeColoCode}`)],
    ["Time", r.EdgeStartTimestamp],
  ]);
}

function replayForm(record, gateway) {
  const edge = h("select", { name: "edge" }, ...gateway.edges.map((e) => h("option", { selected: e.name === record.request.EdgeColoCode }, e.name)));
  const said = h("p.quiet", { role: "status" });
  const button = h("button", { type: "submit", disabled: !record.replayable || !isUnlocked() }, "Send again");
  const why = !record.replayable ? "It cannot be sent again: it had a body, was too large, or became another protocol." : !isUnlocked() ? "Unlock the page to send it again." : "";
  const submit = async (event) => {
    event.preventDefault();
    try {
      const again = await change("POST", `/api/requests/${record.request.RayID}/replay?edge=${edge.value}`);
      said.replaceChildren(`Answered ${again.status} with ${bytes(again.bytes)}: `, h("a", { href: `#/requests/${again.ray}` }, again.ray));
    } catch (error) {
      said.textContent = error.message;
    }
  };
  return h("form.row", { onsubmit: submit }, h("label", {}, "Edge", edge), button, h("span.quiet", {}, why), said);
}

export function show(main, gateway, ray) {
  const box = h("div", {}, h("p.quiet", {}, "Loading…"));
  main.append(h("p", {}, h("a", { href: "#/requests" }, "← all requests")), box);
  get(`/api/requests/${ray}`).then((record) => {
    const copyButton = h("button", { type: "button", onclick: () => copy(curl(record), copyButton) }, "Copy as curl");
    box.replaceChildren(h("h2", {}, `${record.request.ClientRequestMethod} ${record.url}`), outcome(record),
      h("div.row", {}, copyButton), replayForm(record, gateway), headerTable("Request fields", record.request_headers),
      headerTable("Response fields", record.response_headers), h("h3", {}, "What the edge would do with it now"),
      record.now ? trace(record.now) : h("p.empty", {}, "Its head was too large to be kept whole, or holds more secrets than can be hidden."));
  }, (error) => box.replaceChildren(h("p.problem", {}, error.message)));
  return () => {};
}
