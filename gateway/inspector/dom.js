// SPDX-License-Identifier: Apache-2.0
// Elements from data, numbers with units. Text only ever becomes text nodes: nothing here takes markup.

/** h("button.primary", {onclick, title}, "text", element, …); false and null children are left out. */
export function h(what, attributes, ...children) {
  const [tag, ...classes] = what.split(".");
  const element = document.createElement(tag || "div");
  if (classes.length) element.className = classes.join(" ");
  if (attributes instanceof Node || typeof attributes === "string") {
    children.unshift(attributes);
    attributes = null;
  }
  for (const [name, value] of Object.entries(attributes ?? {})) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list") element[name] = value;
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== false && child !== undefined));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A line through `values` (0 to 1, oldest first) with `label` for those who do not see it. */
export function spark(values, label) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${Math.max(values.length - 1, 1)} 1`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "spark");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", label);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", values.map((value, x) => `${x ? "L" : "M"}${x} ${(1 - value).toFixed(4)}`).join(""));
  svg.append(path);
  return svg;
}

/** New children for a box that is drawn again and again: what had the focus, or was scrolled, still has and is. */
export function renew(box, ...children) {
  const focus = box.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  const scrolled = [...box.querySelectorAll(".scroll")].map((area) => area.scrollLeft);
  box.replaceChildren(...children.filter((child) => child !== null && child !== undefined));
  box.querySelectorAll(".scroll").forEach((area, i) => { area.scrollLeft = scrolled[i] ?? 0; });
  if (focus) [...box.querySelectorAll("[aria-label]")].find((e) => e.getAttribute("aria-label") === focus)?.focus({ preventScroll: true });
}

/** Columns whose cells are made by `number` are set to the right. */
export function table(head, rows) {
  const cell = (tag) => (value) => (value instanceof HTMLTableCellElement ? value : h(tag, {}, value));
  const isNumber = (column) => rows.length > 0 && rows[0][column] instanceof HTMLTableCellElement;
  return h("div.scroll", { tabIndex: 0 }, h("table", {},
    h("thead", {}, h("tr", {}, ...head.map((text, column) => h(isNumber(column) ? "th.number" : "th", { scope: "col" }, text)))),
    h("tbody", {}, ...rows.map((row) => h("tr", {}, ...row.map(cell("td")))))));
}

/** Two columns: what, and its value. */
export function facts(pairs) {
  return h("div.scroll", { tabIndex: 0 }, h("table.facts", {}, h("tbody", {}, ...pairs.filter(Boolean).map(([name, value]) =>
    h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, value))))));
}

export const number = (value) => h("td.number", {}, String(value));

export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB"];
  let step = 0;
  for (; count >= 1024 && step < units.length - 1; step++) count /= 1024;
  return `${step ? count.toFixed(1) : count} ${units[step]}`;
}

export function micros(us) {
  if (us < 1000) return `${us} µs`;
  return us < 1e6 ? `${(us / 1000).toFixed(1)} ms` : `${(us / 1e6).toFixed(2)} s`;
}

export function seconds(ms) {
  if (ms <= 0) return "now";
  if (ms < 60e3) return `${Math.ceil(ms / 1000)} s`;
  return ms < 3600e3 ? `${Math.floor(ms / 60e3)} min ${Math.floor(ms / 1000) % 60} s` : `${(ms / 3600e3).toFixed(1)} h`;
}

export const percent = (part, whole) => (whole ? `${((part / whole) * 100).toFixed(1)} %` : "–");

/** Shapes and colours for the words of CF-Cache-Status, statuses and limiter decisions. */
export function tag(word, tone) {
  return h(`span.tag.${tone ?? toneOf(word)}`, {}, word);
}

function toneOf(word) {
  if (["hit", "admit", "matched"].includes(word)) return "good";
  if (["stale", "updating", "revalidated"].includes(word)) return "info";
  if (["miss", "expired", "shadow_deny"].includes(word)) return "warn";
  if (["deny", "error", "unavailable"].includes(word)) return "bad";
  return "odd";
}

export function statusTag(status) {
  if (status < 300) return tag(String(status), "good");
  if (status < 400) return tag(String(status), "info");
  return tag(String(status), status === 429 || status >= 500 ? "bad" : "warn");
}

/** Waits with `work` until the typing pauses. */
export function settled(work, ms = 150) {
  let timer;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(work, ms);
  };
}

/** Browsers have no clipboard for pages of a plain address other than this machine's. */
export async function copy(text, button, before = button.textContent) {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    prompt("This browser lets the page copy nothing; copy it from here:", text);
    return;
  }
  setTimeout(() => { button.textContent = before; }, 1500);
}
