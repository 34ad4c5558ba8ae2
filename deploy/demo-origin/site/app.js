// SPDX-License-Identifier: Apache-2.0
// What a visitor of the edge can see for himself: its cache, a WebSocket, events, a limit.
const at = (id) => document.getElementById(id);
const ROWS = 6;

// ---- the way the page came

const PROTOCOLS = { h2: "by HTTP/2", "http/1.1": "by HTTP/1.1" };
const { nextHopProtocol } = performance.getEntriesByType("navigation")[0];
at("protocol").textContent = PROTOCOLS[nextHopProtocol] ?? nextHopProtocol;

// ---- the cache

let query = "";

function row(cells) {
  const tr = document.createElement("tr");
  for (const [text, name] of cells) {
    const td = document.createElement("td");
    td.textContent = text;
    td.className = name ?? "";
    tr.append(td);
  }
  return tr;
}

/** Past the browser's own cache: the edge's is the one of interest. */
async function ask() {
  const path = `/logo.svg?${query}`, begin = performance.now();
  const answer = await fetch(path, { cache: "no-store" });
  await answer.arrayBuffer();
  const status = answer.headers.get("CF-Cache-Status") ?? "none", edge = answer.headers.get("CF-Ray")?.split("-")[1] ?? "none";
  at("answers").append(row([
    [path], [status, status], [answer.headers.get("Age") ?? ""], [edge], [`${(performance.now() - begin).toFixed(1)} ms`, "number"],
  ]));
  while (at("answers").rows.length > ROWS) at("answers").deleteRow(0);
}

async function askAnew() {
  query = crypto.getRandomValues(new Uint32Array(1))[0].toString(36);
  await ask();
  await ask();
}

at("again").addEventListener("click", ask);
at("fresh").addEventListener("click", askAnew);

// ---- the WebSocket

const sent = [];
const socket = new WebSocket(`${location.protocol === "https:" ? "wss:" : "ws:"}//${location.host}/live/echo`);

function say(text) {
  if (socket.readyState !== WebSocket.OPEN) return;
  sent.push(performance.now());
  socket.send(text);
}

socket.addEventListener("open", () => say("hello"));
socket.addEventListener("message", ({ data }) => {
  at("socket").textContent = `heard “${data}” after ${(performance.now() - sent.shift()).toFixed(1)} ms`;
});
socket.addEventListener("close", ({ code }) => { at("socket").textContent = `closed (${code})`; });
at("say").addEventListener("submit", (event) => {
  event.preventDefault();
  say(event.target.text.value);
});

// ---- events

const events = new EventSource("/live/counter");
events.addEventListener("message", ({ data }) => {
  at("counter").textContent = data;
  at("events").textContent = "one every quarter of a second";
});
events.addEventListener("error", () => { at("events").textContent = "connecting again…"; });

// ---- the limit

at("burst").addEventListener("click", async () => {
  const answers = await Promise.all(Array.from({ length: 20 }, () => fetch("/api/ai-image/generate", { method: "POST", body: "{}" })));
  const counts = Map.groupBy(answers, (answer) => answer.status);
  at("statuses").textContent = [...counts].sort().map(([status, list]) => `${list.length} × ${status}`).join(", ");
});

await askAnew();
