// An XProtect client in Node: the built-in fetch for REST, the package `ws` for the sockets.
//
//   NODE_EXTRA_CA_CERTS=CA node node.mjs day    URL   one round of everything, then exits
//   NODE_EXTRA_CA_CERTS=CA node node.mjs across URL   works until a line comes on standard input; says `working` when
//                                                     both sockets do, and `recovered` after a new login
//
// The last line is `report {...}`.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";

const REST = "/API/rest/v1";
const TOPIC = "tests.clients.node";
const EVERYTHING = [{ modifier: "include", resourceTypes: ["*"], sourceIds: ["*"], eventTypes: ["*"] }];
const PATIENCE = 20_000;
const [mode, url] = process.argv.slice(2);
const modes = { day, across };
if (!modes[mode] || !url) {
  console.error("usage: node node.mjs day|across URL");
  process.exit(2);
}

let token;
const report = { client: `node ${process.version}`, logins: 0, good: 0, failures: [], events: 0, sockets: 0, messages: 0 };

async function logIn() {
  const form = { grant_type: "password", username: "admin", password: "admin-password", client_id: "GrantValidatorClient" };
  const reply = await fetch(`${url}/API/IDP/connect/token`, { method: "POST", body: new URLSearchParams(form) });
  const body = await reply.json();
  assert.equal(reply.status, 200, JSON.stringify(body));
  token = body.access_token;
  report.logins += 1;
}

async function call(method, path, body) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(PATIENCE);
  const reply = await fetch(url + REST + path, { method, headers, body: body && JSON.stringify(body), signal });
  return { status: reply.status, body: await reply.json() };
}

async function rest(method, path, expected, body) {
  const reply = await call(method, path, body);
  assert.equal(reply.status, expected, `${method} ${path}: ${JSON.stringify(reply.body)}`);
  report.good += 1;
  return reply.body;
}

async function crud() {
  const { result } = await rest("POST", "/userDefinedEvents", 201, { name: "made by node" });
  const item = `/userDefinedEvents/${result.id}`;
  assert.equal((await rest("GET", item, 200)).data.name, "made by node");
  assert.equal((await rest("PATCH", item, 200, { name: "changed" })).data.name, "changed");
  assert.equal((await rest("PUT", item, 200, { name: "replaced" })).data.name, "replaced");
  await rest("DELETE", item, 200);
  await rest("GET", item, 404);
}

/** A socket whose frames are read one after the other, none lost in between. */
class Frames {
  #frames = [];
  #wake = () => {};

  static async open(path, headers) {
    const socket = new WebSocket(`${url.replace(/^http/, "ws")}${path}`, { headers, handshakeTimeout: PATIENCE });
    const frames = new Frames();
    frames.socket = socket;
    const put = (frame) => {
      frames.#frames.push(frame);
      frames.#wake();
    };
    socket.on("message", (data) => put(JSON.parse(data)));
    socket.on("close", () => put(undefined));
    socket.on("error", () => {});
    await once(socket, "open");
    return frames;
  }

  /** The next frame that fits; others are counted as events and passed over. */
  async next(fits) {
    for (;;) {
      while (this.#frames.length === 0) await new Promise((resolve) => (this.#wake = resolve));
      const frame = this.#frames.shift();
      if (frame === undefined) {
        this.#frames.push(undefined);
        throw new Error("the socket ended");
      }
      report.events += frame.events?.length ?? 0;
      if (fits(frame)) return frame;
    }
  }

  send(frame) {
    this.socket.send(JSON.stringify(frame));
  }
}

async function events() {
  const frames = await Frames.open("/API/ws/events/v1", { Authorization: `Bearer ${token}` });
  const command = async (commandId, command, members) => {
    frames.send({ command, commandId, ...members });
    const answer = await frames.next((frame) => frame.commandId === commandId);
    assert.ok(answer.status >= 200 && answer.status < 300, JSON.stringify(answer));
    return answer;
  };
  await command(1, "startSession", { sessionId: "", eventId: "" });
  await command(2, "addSubscription", { filters: EVERYTHING });
  report.sockets += 1;
  return frames;
}

async function messages() {
  const frames = await Frames.open("/API/ws/messages/v1");
  const send = (type, body) => frames.send({ id: randomUUID(), type, body });
  send("auth.v1", { token: `Bearer ${token}` });
  const hello = await frames.next(({ type }) => type === "hello.v1" || type === "err.v1");
  assert.equal(hello.type, "hello.v1", JSON.stringify(hello));
  const pulse = setInterval(() => send("pulse.v1", { seq: frames.seq ?? -1 }), hello.body.pulsePeriodSeconds * 1000);
  frames.socket.on("close", () => clearInterval(pulse));
  send("sub.v1", { topic: TOPIC });
  report.sockets += 1;
  /** Sends a message to the topic and waits for it: who publishes gets its own. */
  frames.echo = async () => {
    const text = randomUUID();
    send("pub.v1", { topic: TOPIC, data: { text } });
    const message = await frames.next(({ type, body }) => type === "msg.v1" && body.data.text === text);
    frames.seq = message.body.seq;
    report.messages += 1;
  };
  await frames.echo();
  return frames;
}

async function day() {
  await logIn();
  const { array } = await rest("GET", "/cameras?disabled", 200);
  report.cameras = array.length;
  await rest("GET", `/cameras/${array[0].id}`, 200);
  await crud();
  for (const open of [events, messages]) {
    const frames = await open();
    if (open === events) await frames.next((frame) => frame.events);
    frames.socket.close();
    await once(frames.socket, "close");
  }
}

/** Keeps a socket open, with the token of whoever logged in last. */
async function keep(open, work, stopped) {
  while (!stopped.now) {
    try {
      const frames = await open();
      const stop = () => frames.socket.terminate();
      stopped.calls.add(stop);
      try {
        for (;;) await work(frames);
      } finally {
        stopped.calls.delete(stop);
        stop();
      }
    } catch {
      await pause(200);
    }
  }
}

async function across() {
  await logIn();
  const stopped = { now: false, calls: new Set() };
  process.stdin.once("data", () => {
    stopped.now = true;
    stopped.calls.forEach((stop) => stop());
    process.stdin.destroy();
  });
  const echo = (frames) => frames.echo().then(() => pause(100));
  const kept = [keep(events, (frames) => frames.next((frame) => frame.events), stopped), keep(messages, echo, stopped)];
  const before = { events: 0, messages: 0 };
  let said = "";
  while (!stopped.now) {
    try {
      const { status } = await call("GET", "/cameras");
      if (status === 200) report.good += 1;
      else if (status === 401) {
        Object.assign(before, { events: report.events, messages: report.messages });
        await logIn();
      } else report.failures.push(String(status));
    } catch (error) {
      report.failures.push(String(error.cause ?? error));
    }
    const both = report.events > before.events && report.messages > before.messages;
    if (!said && both && report.good > 20) console.log((said = "working"));
    if (said === "working" && both && report.logins > 1) console.log((said = "recovered"));
    await pause(20);
  }
  await Promise.all(kept);
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

await modes[mode]();
console.log(`report ${JSON.stringify(report)}`);
