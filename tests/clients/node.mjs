// An XProtect client in Node: the built-in fetch for REST, the package `ws` for the sockets.
//
//   NODE_EXTRA_CA_CERTS=CA node node.mjs URL CA USER PASSWORD

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { WebSocket } from "ws";
import { play, SignInAgain } from "./rounds.mjs";

const REST = "/API/rest/v1";
const TOPIC = "tests.clients.node";
const EVERYTHING = [{ modifier: "include", resourceTypes: ["*"], sourceIds: ["*"], eventTypes: ["*"] }];
const PATIENCE = 20_000;
const [url, , user, password] = process.argv.slice(2);
let token;

async function logIn() {
  const form = { grant_type: "password", username: user, password, client_id: "GrantValidatorClient" };
  const reply = await fetch(`${url}/API/IDP/connect/token`, { method: "POST", body: new URLSearchParams(form) });
  const body = await reply.json();
  assert.equal(reply.status, 200, JSON.stringify(body));
  token = body.access_token;
}

async function rest(method, path, expected = 200, body = undefined) {
  const headers = { Authorization: `Bearer ${token}` };
  if (body) headers["Content-Type"] = "application/json";
  const signal = AbortSignal.timeout(PATIENCE);
  const reply = await fetch(url + REST + path, { method, headers, body: body && JSON.stringify(body), signal });
  if (reply.status === 401) throw new SignInAgain(await reply.text());
  const answer = await reply.json();
  assert.equal(reply.status, expected, `${method} ${path}: ${JSON.stringify(answer)}`);
  return answer;
}

async function cameras() {
  const { array } = await rest("GET", "/cameras?disabled");
  assert.equal(array.length, 50);
  return array;
}

async function camera() {
  const [first] = await cameras();
  assert.equal((await rest("GET", `/cameras/${first.id}`)).data.name, first.name);
}

async function userDefinedEvent() {
  const { result } = await rest("POST", "/userDefinedEvents", 201, { name: "made by node" });
  const item = `/userDefinedEvents/${result.id}`;
  assert.equal((await rest("GET", item)).data.name, "made by node");
  assert.equal((await rest("PATCH", item, 200, { name: "changed" })).data.name, "changed");
  assert.equal((await rest("PUT", item, 200, { name: "replaced" })).data.name, "replaced");
  await rest("DELETE", item);
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
    socket.on("unexpected-response", (_, { statusCode }) => {
      const wanted = statusCode === 401 ? new SignInAgain("401") : new Error(`answered ${statusCode}`);
      socket.emit("error", wanted);
      socket.terminate();
    });
    await once(socket, "open");
    return frames;
  }

  /** The next frame that fits; others are passed over. */
  async next(fits) {
    for (;;) {
      while (this.#frames.length === 0) await new Promise((resolve) => (this.#wake = resolve));
      const frame = this.#frames.shift();
      if (frame === undefined) {
        this.#frames.push(undefined);
        throw new Error("the socket ended");
      }
      if (fits(frame)) return frame;
    }
  }

  send(frame) {
    this.socket.send(JSON.stringify(frame));
  }
}

/** Opens a socket, works with it, and closes it in order. */
async function during(path, headers, work) {
  const frames = await Frames.open(path, headers);
  await work(frames);
  const closed = once(frames.socket, "close");
  frames.socket.close();
  await closed;
}

function events() {
  return during("/API/ws/events/v1", { Authorization: `Bearer ${token}` }, async (frames) => {
    const command = async (commandId, command, members) => {
      frames.send({ command, commandId, ...members });
      const answer = await frames.next((frame) => frame.commandId === commandId);
      assert.ok(answer.status >= 200 && answer.status < 300, JSON.stringify(answer));
    };
    await command(1, "startSession", { sessionId: "", eventId: "" });
    await command(2, "addSubscription", { filters: EVERYTHING });
    await frames.next((frame) => frame.events);
  });
}

function messages() {
  return during("/API/ws/messages/v1", {}, async (frames) => {
    const send = (type, body) => frames.send({ id: randomUUID(), type, body });
    send("auth.v1", { token: `Bearer ${token}` });
    const hello = await frames.next(({ type }) => type === "hello.v1" || type === "err.v1");
    assert.equal(hello.type, "hello.v1", JSON.stringify(hello));
    send("sub.v1", { topic: TOPIC });
    const text = randomUUID();
    send("pub.v1", { topic: TOPIC, data: { text } });
    // Who publishes gets its own message.
    const message = await frames.next(({ type, body }) => type === "msg.v1" && body.data.text === text);
    send("pulse.v1", { seq: message.body.seq });
  });
}

await play(logIn, [
  ["GET /cameras", cameras],
  ["GET /cameras/{id}", camera],
  ["POST, PATCH, PUT, DELETE /userDefinedEvents", userDefinedEvent],
  ["events over WebSocket", events],
  ["messages over WebSocket", messages],
]);
