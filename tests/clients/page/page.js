// An XProtect client in a browser, as people write them: logs in from another origin, opens the events socket without
// a header (a browser cannot set one), and comes back with its session when the socket ends.
//
// What happened stands in the data attributes of <body>, where a driver reads it.

const REST = "/API/rest/v1";
const EVERYTHING = { modifier: "Include", resourceTypes: ["*"], sourceIds: ["*"], eventTypes: ["*"] };
const RETRY_MS = 300;
const COMMAND_MS = 10_000;
const SHOWN = 50;

const did = document.body.dataset;
const list = document.getElementById("events");
const seen = new Set();
const known = { session: "", event: "" };
let account;
let token;
let socket;

Object.assign(did, { logins: 0, sockets: 0, resumes: 0, events: 0, duplicates: 0, cameras: 0, error: "" });

/** For the driver: the socket ends, and everything else is the page's own business. */
globalThis.drop = () => socket.close();

document.getElementById("login").addEventListener("submit", (submitted) => {
  submitted.preventDefault();
  account = Object.fromEntries(new FormData(submitted.target));
  work();
});

async function work() {
  for (;;) {
    try {
      if (!token) await logIn();
      await listen();
    } catch (error) {
      did.error = String(error);
    }
    say("offline");
    await pause(RETRY_MS);
  }
}

async function logIn() {
  say("login");
  const form = { grant_type: "password", username: account.user, password: account.password, client_id: "GrantValidatorClient" };
  const reply = await fetch(`${account.server}/API/IDP/connect/token`, { method: "POST", body: new URLSearchParams(form) });
  if (!reply.ok) throw new Error(`login: ${reply.status}`);
  token = (await reply.json()).access_token;
  did.logins = Number(did.logins) + 1;
  // With this header the browser asks for leave first.
  const cameras = await fetch(`${account.server}${REST}/cameras`, { headers: { Authorization: `Bearer ${token}` } });
  if (!cameras.ok) throw new Error(`cameras: ${cameras.status}`);
  did.cameras = (await cameras.json()).array.length;
}

/** One socket, from its opening to its end. */
async function listen() {
  say("connecting");
  socket = new WebSocket(`${account.server.replace(/^http/, "ws")}/API/ws/events/v1`);
  const waiting = new Map();
  const ended = new Promise((resolve) => socket.addEventListener("close", resolve));
  socket.addEventListener("message", ({ data }) => {
    const frame = JSON.parse(data);
    if (frame.events) return frame.events.forEach(show);
    waiting.get(frame.commandId)?.(frame);
  });
  const command = async (commandId, name, members) => {
    const answer = new Promise((resolve) => waiting.set(commandId, resolve));
    socket.send(JSON.stringify({ command: name, commandId, ...members }));
    return Promise.race([answer, ended.then(gone), pause(COMMAND_MS).then(gone)]);
  };
  try {
    await Promise.race([new Promise((resolve) => socket.addEventListener("open", resolve)), ended.then(gone)]);
    const greeted = await command(0, "authenticate", { token: `Bearer ${token}` });
    if (greeted.status === 401) token = undefined;
    good(greeted);
    const started = good(await command(1, "startSession", { sessionId: known.session, eventId: known.event }));
    did.sockets = Number(did.sockets) + 1;
    if (started.status === 200) did.resumes = Number(did.resumes) + 1;
    else good(await command(2, "addSubscription", { subscriptionId: "", filters: [EVERYTHING] }));
    known.session = did.session = started.sessionId;
    say("live");
    await ended;
  } finally {
    socket.close();
  }
}

function show(event) {
  if (seen.has(event.id)) did.duplicates = Number(did.duplicates) + 1;
  seen.add(event.id);
  known.event = event.id;
  did.events = Number(did.events) + 1;
  const line = document.createElement("li");
  line.textContent = `${event.time} ${event.source} ${event.type}`;
  list.prepend(line);
  if (list.children.length > SHOWN) list.lastChild.remove();
  say(did.state);
}

function good(answer) {
  if (answer.status < 200 || answer.status > 299) throw new Error(`${answer.status} ${answer.error?.errorText}`);
  return answer;
}

function gone() {
  throw new Error("the socket ended");
}

function say(state) {
  did.state = state;
  document.title = `${state} ${did.events}`;
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
