// Headless Chromium with our page, which comes from an origin of its own.
//
//   node browser.mjs day    URL [CA]   logs in, gets events, loses its socket and resumes; then exits
//   node browser.mjs across URL [CA]   works until a line comes on standard input; says `working` when events flow,
//                                      and `recovered` when they do so again on another socket
//
// The last line is `report {...}`. The server must allow other origins (simulator: --set cors=on). Chromium is Debian's:
// apt-get install chromium; CHROMIUM names another.

import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { chromium } from "playwright-core";

const PATIENCE = 60_000;
const [mode, url, ca] = process.argv.slice(2);
const modes = { day, across };
if (!modes[mode] || !url) {
  console.error("usage: node browser.mjs day|across URL [CA]");
  process.exit(2);
}

/** The page, on a loopback port. */
async function serve() {
  const files = { "/": ["index.html", "text/html"], "/page.js": ["page.js", "text/javascript"] };
  const server = createServer(async ({ url }, response) => {
    const [name, type] = files[url] ?? [];
    if (!name) return response.writeHead(404).end();
    response.setHeader("Content-Type", `${type}; charset=utf-8`);
    response.end(await readFile(new URL(`page/${name}`, import.meta.url)));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  return server;
}

/** Trusts exactly the key of the server's certificate, and only after it was checked against the CA. */
async function trust() {
  if (!url.startsWith("https:")) return [];
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: port || 443, ca: ca && (await readFile(ca)) });
  await once(socket, "secureConnect");
  const certificate = new X509Certificate(socket.getPeerCertificate().raw);
  socket.destroy();
  const key = certificate.publicKey.export({ type: "spki", format: "der" });
  return [`--ignore-certificate-errors-spki-list=${createHash("sha256").update(key).digest("base64")}`];
}

async function launch(profile) {
  const args = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"];
  args.push("--disable-component-update", "--disable-sync", ...(await trust()));
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  // In a container there is no sandbox to be had; the page is ours.
  return chromium.launchPersistentContext(profile, { executablePath, args, headless: true, chromiumSandbox: false });
}

/** What the page has done so far. */
async function state(page) {
  const { dataset, title } = await page.evaluate(() => ({ dataset: { ...document.body.dataset }, title: document.title }));
  const counts = ["logins", "sockets", "resumes", "events", "duplicates", "cameras"];
  return { ...dataset, ...Object.fromEntries(counts.map((name) => [name, Number(dataset[name])])), title };
}

async function until(page, reached) {
  const deadline = Date.now() + PATIENCE;
  for (;;) {
    const now = await state(page);
    if (reached(now)) return now;
    if (Date.now() > deadline) throw new Error(`it never happened: ${JSON.stringify(now)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function flowing(page, sockets, more) {
  return until(page, (now) => now.state === "live" && now.sockets >= sockets && now.events >= more);
}

async function day(page) {
  const first = await flowing(page, 1, 3);
  await page.evaluate(() => globalThis.drop());
  const second = await flowing(page, 2, first.events + 3);
  return { ...second, sameSession: first.session === second.session };
}

async function across(page) {
  await flowing(page, 1, 3);
  console.log("working");
  const enough = once(process.stdin, "data");
  const lost = await until(page, (now) => now.state !== "live" || now.sockets > 1);
  await flowing(page, 2, lost.events + 3);
  console.log("recovered");
  await enough;
  process.stdin.destroy();
  return state(page);
}

const server = await serve();
const profile = await mkdtemp(join(tmpdir(), "chromium-"));
let browser;
let failure;
try {
  browser = await launch(profile);
  const page = browser.pages()[0] ?? (await browser.newPage());
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  for (const [name, value] of Object.entries({ server: url, user: "admin", password: "admin-password" })) {
    await page.fill(`input[name=${name}]`, value);
  }
  await page.click("button");
  const report = await modes[mode](page);
  const version = await page.evaluate(() => navigator.userAgent);
  console.log(`report ${JSON.stringify({ client: version, ...report, complaints })}`);
} catch (error) {
  failure = error;
  console.log(`report ${JSON.stringify({ failure: String(error) })}`);
} finally {
  await browser?.close();
  server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
process.exitCode = failure ? 1 : 0;
