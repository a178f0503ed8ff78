// Headless Chromium with our page, which comes from an origin of its own.
//
//   node browser.mjs URL CA USER PASSWORD
//
// The server must allow other origins (simulator: --set cors=on). Chromium is Debian's: apt-get install chromium;
// CHROMIUM names another.

import { createHash, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { connect } from "node:tls";
import { chromium } from "playwright-core";
import { pause } from "./rounds.mjs";

const PATIENCE = 60_000;
const [url, ca, user, password] = process.argv.slice(2);

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
    await pause(50);
  }
}

/** Events come on a socket that is at least the `sockets`-th. */
async function flowing(page, sockets) {
  const { events } = await state(page);
  return until(page, (now) => now.state === "live" && now.sockets >= sockets && now.events >= events + 3);
}

/** The socket is lost; the page opens another one with the same session. */
async function resume(page) {
  const before = await state(page);
  await page.evaluate(() => globalThis.drop());
  const after = await flowing(page, before.sockets + 1);
  if (after.session !== before.session) throw new Error("another session");
  if (after.duplicates > before.duplicates) throw new Error("events came twice");
}

/** Rounds as rounds.mjs plays them, but the page sees to its logins itself. */
async function play(page) {
  const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  let sockets = 1;
  for (;;) {
    const calls = {};
    const note = async (name, call) => {
      calls[name] = await Promise.resolve(call()).then(() => "ok", (error) => String(error).slice(0, 500));
    };
    await note("login, cameras, socket, authenticate, events", () => flowing(page, sockets));
    await note("resume of the session", () => resume(page));
    await note("no errors of the page", () => {
      if (complaints.length > 0) throw new Error(complaints.join("; "));
    });
    const now = await state(page);
    console.log(`round ${JSON.stringify({ calls, logins: now.logins })}`);
    if ((await input.next()).done) return;
    // By then the server behind the socket has died.
    sockets = now.sockets + 1;
  }
}

const complaints = [];
const server = await serve();
const profile = await mkdtemp(join(tmpdir(), "chromium-"));
let browser;
try {
  browser = await launch(profile);
  const page = browser.pages()[0] ?? (await browser.newPage());
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  for (const [name, value] of Object.entries({ server: url, user, password })) {
    await page.fill(`input[name=${name}]`, value);
  }
  await page.click("button");
  await play(page);
} finally {
  await browser?.close();
  server.close();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
}
