// SPDX-License-Identifier: Apache-2.0
// The list of requests: newest first, filtered, pausable.
import { download } from "./api.js";
import { h, settled, statusTag, tag } from "./dom.js";
import { flush, ROWS, seen } from "./store.js";

const COLUMNS = [["Time", "7.5rem"], ["Edge", "4.5rem"], ["Method", "5.5rem"], ["Host", "13rem"], ["Path", "auto"],
  ["Status", "5.5rem"], ["Cache", "8rem"], ["Limiter", "11rem"], ["Duration", "6.5rem"]];
const FILTERS = [["edge", "Edge", (r) => r.EdgeColoCode], ["method", "Method", (r) => r.ClientRequestMethod],
  ["host", "Host", (r) => r.ClientRequestHost], ["status", "Status", (r) => `${Math.floor(r.EdgeResponseStatus / 100)}xx ${r.EdgeResponseStatus}`],
  ["cache", "Cache", (r) => r.CacheCacheStatus], ["limiter", "Limiter", (r) => `${r.Limiter} ${r.LimiterDecision}`],
  ["path", "Path or Ray id", (r) => `${r.ClientRequestURI} ${r.RayID}`]];

const view = { paused: null, filters: {} }; // stays when another view is opened; paused: the rows as they were then

function passes(row) {
  return FILTERS.every(([name, , text]) => !view.filters[name] || text(row).toLowerCase().includes(view.filters[name].toLowerCase()));
}

function line(row) {
  const limiter = row.LimiterDecision ? tag(row.LimiterDecision) : "";
  return h("tr", {}, h("td.mono", {}, row.EdgeStartTimestamp.slice(11, 23)), h("td", {}, row.EdgeColoCode),
    h("td", {}, row.ClientRequestMethod), h("td", {}, row.ClientRequestHost),
    h("td", {}, h("a.mono", { href: `#/requests/${row.RayID}`, title: row.ClientRequestURI }, row.ClientRequestURI)),
    h("td", {}, statusTag(row.EdgeResponseStatus)), h("td", {}, tag(row.CacheCacheStatus)),
    h("td", { title: row.Limiter }, limiter, row.Limiter ? ` ${row.Limiter}` : ""), h("td.number", {}, `${row.ms} ms`));
}

function summary(shown) {
  const parts = [`${shown} of the newest ${Math.min(seen.rows.length, ROWS)} shown`, `${seen.total} seen`];
  if (seen.sampled) parts.push(`sampled: ${seen.sampled} more came faster than this page shows`);
  if (seen.missed) parts.push(`${seen.missed} missed while it did not read`);
  if (view.paused) parts.push("paused");
  return parts.join(" · ");
}

export function show(main) {
  const body = h("tbody", {});
  const status = h("p.quiet", { role: "status" });
  const empty = h("p.empty", {}, "Nothing yet. Send a request through the gateway, for example with curl; it appears here at once.");

  const account = () => {
    status.textContent = summary(body.childElementCount);
    empty.hidden = body.childElementCount > 0;
    empty.textContent = seen.rows.length ? "No request passes the filters: clear one of them."
      : "Nothing yet. Send a request through the gateway, for example with curl; it appears here at once.";
  };
  const refill = () => {
    flush();
    body.replaceChildren(...(view.paused ?? seen.rows).filter(passes).reverse().map(line));
    account();
  };
  const grow = ({ detail }) => {
    if (!view.paused) {
      body.prepend(...detail.filter(passes).reverse().map(line));
      while (body.childElementCount > ROWS) body.lastElementChild.remove();
    }
    account();
  };
  const pause = h("button", { type: "button", "aria-pressed": String(view.paused !== null), onclick: () => {
    view.paused = view.paused ? null : seen.rows.slice(-ROWS);
    pause.setAttribute("aria-pressed", String(view.paused !== null));
    refill();
  } }, "Pause");
  const filters = FILTERS.map(([name, label]) => {
    const input = h("input", { type: "search", value: view.filters[name] ?? "", size: name === "path" ? 24 : 8, name });
    input.addEventListener("input", settled(() => { view.filters[name] = input.value.trim(); refill(); }));
    return h(`label${name === "path" ? ".grow" : ""}`, {}, label, input);
  });
  const har = h("button", { type: "button", onclick: () => download("/api/requests.har", "nearedge.har").catch((error) => { status.textContent = error.message; }) }, "HAR");

  main.append(h("h2", {}, "Requests"), h("form.row", { onsubmit: (e) => e.preventDefault() }, ...filters, pause, har), status,
    h("div.scroll", { tabIndex: 0 }, h("table.live", { "aria-label": "Finished requests, newest first" },
      h("colgroup", {}, ...COLUMNS.map(([, width]) => h("col", { style: `width:${width}` }))),
      h("thead", {}, h("tr", {}, ...COLUMNS.map(([name]) => h("th", { scope: "col" }, name)))), body)), empty);
  refill();
  document.addEventListener("rows", grow);
  return () => document.removeEventListener("rows", grow);
}
