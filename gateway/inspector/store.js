// SPDX-License-Identifier: Apache-2.0
// What the page has seen: the newest requests, and sums by edge. One stream feeds every view.
import { get, stream, Refused } from "./api.js";

export const ROWS = 1000;
const RATE = 300; // events a second; the gateway counts what it leaves out
const HISTORY_S = 120;

export const seen = { rows: [], sampled: 0, missed: 0, total: 0, edges: new Map(), history: [], state: "connecting" };
/** Of the last two minutes: seconds without requests are not in the history. */
export const recent = () => seen.history.filter(({ second }) => second > Date.now() / 1000 - HISTORY_S);
const fresh = [];
let lastId = null;

function edgeOf(name) {
  if (!seen.edges.has(name)) seen.edges.set(name, { requests: 0, hits: 0, cacheable: 0, refused: 0, errors: 0, bytes: 0 });
  return seen.edges.get(name);
}

const CACHED = new Set(["hit", "stale", "updating", "revalidated"]);

function count(row) {
  const edge = edgeOf(row.EdgeColoCode);
  const hit = CACHED.has(row.CacheCacheStatus), cacheable = hit || ["miss", "expired"].includes(row.CacheCacheStatus);
  edge.requests++;
  edge.hits += hit;
  edge.cacheable += cacheable;
  edge.refused += row.EdgeResponseStatus === 429;
  edge.errors += row.EdgeResponseStatus >= 500;
  edge.bytes += row.EdgeResponseBytes;
  const second = Math.floor(Date.now() / 1000);
  let now = seen.history.at(-1);
  if (!now || now.second !== second) seen.history.push(now = { second, requests: 0, hits: 0, cacheable: 0 });
  if (seen.history.length > HISTORY_S) seen.history.shift();
  now.requests++;
  now.hits += hit;
  now.cacheable += cacheable;
}

function add(row) {
  row.ms = Date.parse(row.EdgeEndTimestamp) - Date.parse(row.EdgeStartTimestamp);
  seen.rows.push(row);
  seen.total++;
  fresh.push(row);
  count(row);
}

function take(event, data, id) {
  if (event === "request") {
    lastId = id;
    add(data);
  } else if (event === "sampled" || event === "missed") {
    seen[event] += data.count;
  }
}

/** Tells the views what is new. One that begins calls it first, or it would be told twice. */
export function flush() {
  if (seen.rows.length > ROWS) seen.rows.splice(0, seen.rows.length - ROWS);
  if (fresh.length) document.dispatchEvent(new CustomEvent("rows", { detail: fresh.splice(0).slice(-ROWS) }));
}

setInterval(flush, 250); // four times a second at most, however fast requests come

function setState(state) {
  seen.state = state;
  document.dispatchEvent(new Event("stream"));
}

async function once(signal) {
  if (lastId === null) {
    const known = await get(`/api/requests?limit=${ROWS}`);
    known.requests.forEach(add);
    lastId = known.next - 1;
  }
  setState("live");
  await stream(`/api/events?rate=${RATE}&since=${lastId}`, take, signal);
}

let running = null;

/** Connects, and again after the gateway was away; `locked` when it wants a token. */
export async function connect() {
  running?.abort();
  const { signal } = running = new AbortController();
  while (!signal.aborted) {
    try {
      await once(signal);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof Refused && [401, 403].includes(error.status)) return setState("locked");
    }
    setState("away");
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}
