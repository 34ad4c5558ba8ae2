// SPDX-License-Identifier: Apache-2.0
// Opens one page in Chromium, once a view, and says on stdout what it saw, as JSON.
// On stdin: {url, chromium, headers?, args?, env?, views: [{width?, height?, dark?, evaluate?: {name: expression},
// screenshot?: {path, ...}}]}; each expression may be a promise. edge/browser.py is its caller.
import { createRequire } from "node:module";
import process from "node:process";
import { json } from "node:stream/consumers";

// The packages lie in a cache beside no source: NODE_PATH is for require only.
const { chromium } = createRequire(process.env.BROWSER_FOLDER + "/")("playwright-core");
const job = await json(process.stdin);

/** What the page itself complained about, and whatever it asked of anyone. */
function watch(page, seen) {
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) seen.console.push(message.text());
  });
  page.on("pageerror", (error) => seen.console.push(String(error)));
  page.on("request", (request) => seen.requests.push(request.url()));
}

async function look(browser, { width = 1280, height = 900, dark = false, evaluate = {}, screenshot }) {
  const seen = { console: [], requests: [], results: {} };
  const page = await browser.newPage({
    viewport: { width, height }, colorScheme: dark ? "dark" : "light", extraHTTPHeaders: job.headers ?? {},
  });
  watch(page, seen);
  await page.goto(job.url, { waitUntil: "load" });
  for (const [name, expression] of Object.entries(evaluate)) seen.results[name] = await page.evaluate(expression);
  if (screenshot) await page.screenshot(screenshot);
  await page.close();
  return seen;
}

// No sandbox: it wants namespaces that containers and root do not have, and only our own pages are opened.
const browser = await chromium.launch({
  executablePath: job.chromium, env: { ...process.env, ...job.env },
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--force-color-profile=srgb", ...(job.args ?? [])],
});
const views = [];
try {
  for (const view of job.views) views.push(await look(browser, view));
} finally {
  await browser.close();
}
console.log(JSON.stringify(views));
