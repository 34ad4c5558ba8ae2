// SPDX-License-Identifier: Apache-2.0
// The admin listener as the page uses it. The token stays in this tab (sessionStorage) and goes into no URL.

const TOKEN = "nearedge-token";
let unlocked = false;

export class Refused extends Error {
  constructor(status, messages, errors = []) {
    super(messages.join("; "));
    this.status = status;
    this.errors = errors;
  }
}

export const isUnlocked = () => unlocked;
export const token = () => sessionStorage.getItem(TOKEN) ?? "";

export function setAccess(newToken, mayWrite) {
  if (newToken) sessionStorage.setItem(TOKEN, newToken);
  else sessionStorage.removeItem(TOKEN);
  unlocked = mayWrite;
  document.dispatchEvent(new Event("access"));
}

function headers(more) {
  const all = { "X-Nearedge-Inspector": "1", ...more };
  if (token()) all.Authorization = `Bearer ${token()}`;
  return all;
}

/** Cloudflare's envelope, the app's form and the house's all say what is wrong in a message. */
async function refusal(response) {
  const text = await response.text();
  try {
    const body = JSON.parse(text);
    const errors = Array.isArray(body.errors) ? body.errors : [body.error ?? body];
    return new Refused(response.status, errors.map((e) => e.message ?? String(e)), errors);
  } catch {
    return new Refused(response.status, [text || response.statusText]);
  }
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method, cache: "no-store", headers: headers(body === undefined ? {} : { "Content-Type": "application/json" }),
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (!response.ok) throw await refusal(response);
  return response.json();
}

export const get = (path) => call("GET", path);
/** Asks, and changes nothing. */
export const ask = (path, body) => call("POST", path, body);

/** Changes something: only in an unlocked page. */
export function change(method, path, body) {
  if (!unlocked) throw new Refused(0, ["This page is read-only: unlock it first."]);
  return call(method, path, body);
}

/** The bytes of a download, which a plain link could not ask for with a token. */
export async function download(path, name) {
  const response = await fetch(path, { headers: headers() });
  if (!response.ok) throw await refusal(response);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(await response.blob());
  link.download = name;
  link.click();
  URL.revokeObjectURL(link.href);
}

function parseEvent(block, take) {
  let event = "message", id, data = "";
  for (const line of block.split("\n")) {
    if (line.startsWith("event: ")) event = line.slice(7);
    else if (line.startsWith("id: ")) id = line.slice(4);
    else if (line.startsWith("data: ")) data += line.slice(6);
  }
  if (data) take(event, JSON.parse(data), id);
}

/** Reads server-sent events until the signal or the end. EventSource could not send a token. */
export async function stream(path, take, signal) {
  const response = await fetch(path, { headers: headers(), signal, cache: "no-store" });
  if (!response.ok) throw await refusal(response);
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const blocks = (rest + value).split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) parseEvent(block, take);
  }
}
