// SPDX-License-Identifier: Apache-2.0
// The limiter that a Worker would use instead, on this machine: a fixed window in a Durable Object, run by miniflare.
// Arguments: the folder that holds node_modules. Prints the URL once it answers; ends with its standard input.
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(join(process.argv[2], "package.json"));
const { Miniflare } = require("miniflare");

const script = `
export class Limiter {
  constructor(state) { this.storage = state.storage; }
  async fetch(request) {
    const now = Date.now(), window = await this.storage.get("w");
    const open = window && window.resetAt > now ? window : { count: 0, resetAt: now + 60000 };
    if (open.count >= 15) return new Response(String(Math.ceil((open.resetAt - now) / 1000)), { status: 429 });
    open.count++;
    await this.storage.put("w", open);
    return new Response("ok");
  }
}
export default {
  async fetch(request, env) {
    const key = new URL(request.url).searchParams.get("key") ?? "one";
    return env.LIMITER.get(env.LIMITER.idFromName(key)).fetch(request);
  }
};`;

const mf = new Miniflare({
  modules: true, script, compatibilityDate: "2025-07-26", host: "127.0.0.1", port: 0, log: undefined,
  durableObjects: { LIMITER: { className: "Limiter", useSQLite: true } },
});
console.log(String(await mf.ready));
process.stdin.resume();
process.stdin.on("end", async () => { await mf.dispose(); process.exit(0); });
