// SPDX-License-Identifier: Apache-2.0
// The page's frame: which view is shown, whether it may write, how the stream is.
import { get, isUnlocked, Refused, setAccess, token } from "./api.js";
import * as cache from "./cache.js";
import { h } from "./dom.js";
import * as edges from "./edges.js";
import * as limiters from "./limiters.js";
import * as live from "./live.js";
import * as request from "./request.js";
import { connect, seen } from "./store.js";
import * as whatif from "./whatif.js";

const VIEWS = { requests: live, "what-if": whatif, limiters, cache, edges };
const byId = (id) => document.getElementById(id);
let gateway = null, leave = () => {};

function askForToken(main) {
  main.replaceChildren(h("p.empty", {}, "This gateway asks for its admin token (the configuration's \"admin\": {\"token\"}). ",
    h("button.primary", { type: "button", onclick: openDialog }, "Enter the token")));
}

function route() {
  const main = byId("main");
  const [, name = "requests", argument] = location.hash.split("/");
  leave();
  leave = () => {};
  main.replaceChildren();
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#/${name || "requests"}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (!gateway) return;
  if (name === "requests" && argument) leave = request.show(main, gateway, argument);
  else leave = (Object.hasOwn(VIEWS, name) ? VIEWS[name] : live).show(main, gateway);
}

/* ---- access ---- */

function openDialog() {
  const dialog = byId("unlock");
  const field = h("input", { type: "password", autocomplete: "off", value: token(), placeholder: "none is needed without \"admin.token\"" });
  const write = h("input", { type: "checkbox", checked: isUnlocked() });
  write.style.minHeight = "auto";
  dialog.replaceChildren(h("form", { method: "dialog", onsubmit: () => {
    const other = field.value.trim() !== token();
    setAccess(field.value.trim(), write.checked);
    if (other || !gateway) start();
  } },
    h("h2", { id: "unlock-title" }, "Access"), h("p", {}, h("label", {}, "Admin token", field)),
    h("p", {}, h("label", { style: "flex-direction:row;align-items:center" }, write, "Allow this page to change things (rules, purges, resets, replays)")),
    h("p.row", {}, h("button.primary", { type: "submit" }, "Use"), h("button", { type: "button", onclick: () => dialog.close() }, "Cancel"))));
  dialog.showModal();
}

function showAccess() {
  const lock = byId("lock");
  lock.textContent = isUnlocked() ? "Unlocked: lock" : "Read-only: unlock";
  lock.setAttribute("aria-pressed", String(isUnlocked()));
}

function showStream() {
  const words = { connecting: "connecting…", live: "live", away: "the gateway is away, trying again", locked: "locked" };
  byId("stream").textContent = words[seen.state];
}

/* ---- start ---- */

async function start() {
  try {
    gateway = await get("/api/inspector");
    byId("version").textContent = `${gateway.version} · ${gateway.clock} clock`;
    connect();
  } catch (error) {
    gateway = null;
    route();
    if (error instanceof Refused) askForToken(byId("main"));
    else setTimeout(start, 1000);
    return;
  }
  route();
}

byId("lock").addEventListener("click", () => (isUnlocked() ? setAccess(token(), false) : openDialog()));
document.addEventListener("access", () => { showAccess(); if (location.hash.split("/")[2]) route(); });
document.addEventListener("stream", showStream);
addEventListener("hashchange", () => { route(); byId("main").focus(); });
showAccess();
showStream();
start();
