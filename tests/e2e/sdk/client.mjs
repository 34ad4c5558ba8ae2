// SPDX-License-Identifier: Apache-2.0
// Cloudflare's JavaScript client against a gateway: node client.mjs BASE TOKEN ZONE_ID.
// Prints one line a check and exits 1 at the first that fails.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";

// The client lives in a cache beside no source: NODE_PATH is for require only.
const Cloudflare = createRequire(process.env.SDK_FOLDER + "/")("cloudflare").default;
const [baseURL, apiToken, zone_id] = process.argv.slice(2);
const phase = "http_request_cache_settings";
const client = new Cloudflare({ baseURL, apiToken, maxRetries: 0 });

const rule = (expression, more = {}) => ({
  action: "set_cache_settings", action_parameters: { cache: true }, expression, ...more,
});

/** The error that a call ends with. */
async function refused(call, type, status, code) {
  const error = await call.then(() => assert.fail("was not refused"), (reason) => reason);
  assert.ok(error instanceof type, `${error?.constructor?.name}: ${error}`);
  assert.equal(error.status, status);
  assert.equal(error.errors[0]?.code, code);
  return error.errors[0];
}

async function collect(pages) {
  const items = [];
  for await (const item of pages) {
    items.push(item);
    assert.ok(items.length < 1000, "pages never end");
  }
  return items;
}

const checks = {
  async "the token is verified"() {
    assert.equal((await client.user.tokens.verify()).status, "active");
  },

  async "errors have their classes"() {
    const stranger = new Cloudflare({ baseURL, apiToken: "wrong", maxRetries: 0 });
    await refused(stranger.user.tokens.verify(), Cloudflare.AuthenticationError, 401, 1000);
    await refused(stranger.rulesets.get("0".repeat(32), { zone_id }), Cloudflare.AuthenticationError, 401, 10000);
    const key = new Cloudflare({ baseURL, apiToken: null, apiEmail: "me@example.com", apiKey: "f".repeat(37), maxRetries: 0 });
    await refused(key.zones.get({ zone_id }), Cloudflare.PermissionDeniedError, 403, 9103);
    await refused(client.zones.get({ zone_id: "f".repeat(32) }), Cloudflare.NotFoundError, 404, 7003);
    await refused(client.rulesets.get("0".repeat(32), { zone_id }), Cloudflare.NotFoundError, 404, 10005);
    await refused(client.rulesets.phases.get(phase, { zone_id }), Cloudflare.NotFoundError, 404, 10003);
    await refused(client.kv.namespaces.keys.list("0".repeat(32), { account_id: "0".repeat(32) }), Cloudflare.NotFoundError, 404, 7003);
    await refused(client.post(`/zones/${zone_id}`), Cloudflare.APIError, 405, 7001);
  },

  async "zones and accounts are listed to the end"() {
    const zones = await collect(client.zones.list({ per_page: 5 }));
    assert.deepEqual(zones.map((zone) => zone.id), [zone_id]);
    assert.deepEqual(await client.zones.get({ zone_id }), zones[0]);
    assert.equal((await collect(client.zones.list({ name: zones[0].name }))).length, 1);
    assert.equal((await collect(client.zones.list({ name: "nobody.test" }))).length, 0);
    assert.deepEqual((await collect(client.accounts.list())).map((account) => account.id), [zones[0].account.id]);
  },

  async "rulesets are created, read, replaced and deleted"() {
    const body = { zone_id, name: "sdk", kind: "zone", phase, rules: [rule("true", { description: "one" })] };
    assert.equal(await client.rulesets.create({ ...body, dry_run: true }), null);
    assert.deepEqual(await collect(client.rulesets.list({ zone_id })), []);
    const made = await client.rulesets.create(body);
    assert.equal(made.version, "1");
    assert.deepEqual(await client.rulesets.get(made.id, { zone_id }), made);
    assert.deepEqual((await collect(client.rulesets.list({ zone_id }))).map((ruleset) => ruleset.id), [made.id]);
    assert.equal((await refused(client.rulesets.create(body), Cloudflare.BadRequestError, 400, 20217)).source.pointer, "/kind");

    const next = await client.rulesets.update(made.id, { ...body, rules: [...made.rules, rule("true", { ref: "two" })] });
    assert.equal(next.version, "2");
    assert.deepEqual(next.rules[0], made.rules[0]);
    const bad = client.rulesets.update(made.id, { zone_id, rules: [...next.rules.slice(0, 1), rule("http.host eq")] });
    assert.equal((await refused(bad, Cloudflare.BadRequestError, 400, 20127)).source.pointer, "/rules/1/expression");
    assert.equal(await client.rulesets.update(made.id, { zone_id, rules: [], dry_run: true }), null);
    assert.deepEqual(await client.rulesets.get(made.id, { zone_id }), next);
    await client.rulesets.delete(made.id, { zone_id });
    assert.deepEqual(await collect(client.rulesets.list({ zone_id })), []);
  },

  async "the entry point is created by an update"() {
    const made = await client.rulesets.phases.update(phase, { zone_id, rules: [rule("true")] });
    assert.equal(made.name, "default");
    assert.deepEqual(await client.rulesets.phases.get(phase, { zone_id }), made);
    assert.equal((await collect(client.rulesets.phases.versions.list(phase, { zone_id }))).length, 1);
  },

  async "rules are added, edited, moved and deleted"() {
    const { id: ruleset_id } = await client.rulesets.phases.get(phase, { zone_id });
    const added = await client.rulesets.rules.create(ruleset_id, { zone_id, ...rule("true", { ref: "first" }), position: { index: 1 } });
    assert.equal(added.rules[0].ref, "first");
    const ruleId = added.rules[0].id;
    assert.equal(await client.rulesets.rules.delete(ruleId, { zone_id, ruleset_id, dry_run: true }), null);
    const edited = await client.rulesets.rules.edit(ruleId, { zone_id, ruleset_id, ...rule("not true") });
    assert.deepEqual([edited.rules[0].expression, edited.rules[0].version], ["not true", "2"]);
    const moved = await client.rulesets.rules.edit(ruleId, { zone_id, ruleset_id, position: { after: "" } });
    assert.equal(moved.rules.at(-1).id, ruleId);
    const left = await client.rulesets.rules.delete(ruleId, { zone_id, ruleset_id });
    assert.deepEqual(left.rules.map((item) => item.id), [added.rules[1].id]);
  },

  async "versions are listed, read and deleted"() {
    const { id, version } = await client.rulesets.phases.get(phase, { zone_id });
    const versions = await collect(client.rulesets.versions.list(id, { zone_id }));
    assert.equal(versions.at(-1).version, version);
    const old = versions[0].version;
    assert.equal((await client.rulesets.versions.get(old, { zone_id, ruleset_id: id })).rules.length, 1);
    await client.rulesets.versions.delete(old, { zone_id, ruleset_id: id });
    await refused(client.rulesets.versions.get(old, { zone_id, ruleset_id: id }), Cloudflare.NotFoundError, 404, undefined);
  },

  async "settings are changed"() {
    const changed = await client.zones.settings.edit("cache_level", { zone_id, value: "basic" });
    assert.equal(changed.value, "basic");
    assert.deepEqual(await client.zones.settings.get("cache_level", { zone_id }), changed);
    await refused(client.zones.settings.edit("cache_level", { zone_id, value: "x" }), Cloudflare.BadRequestError, 400, 1007);
  },

  async "the cache is purged and invalidated"() {
    assert.ok((await client.cache.purge({ zone_id, purge_everything: true })).id);
    assert.ok((await client.cache.purge({ zone_id, files: ["http://www.example.test/a"] })).id);
    assert.ok((await client.cache.invalidate({ zone_id, tags: ["a"] })).id);
    await refused(client.cache.purge({ zone_id }), Cloudflare.BadRequestError, 400, 1012);
    let calls = 0;
    const often = async () => {
      for (; calls < 100; calls++) await client.cache.purge({ zone_id, tags: ["a"] });
    };
    await refused(often(), Cloudflare.RateLimitError, 429, 1083);
    assert.equal(calls, 23);
  },
};

for (const [name, check] of Object.entries(checks)) {
  try {
    await check();
  } catch (error) {
    console.error(`FAILED ${name}\n${error.stack}`);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}
