// How a client script talks to the test that runs it: see rounds.py.

import { createInterface } from "node:readline";

/** The server wants a new login. */
export class SignInAgain extends Error {}

/** `calls` are [name, function] pairs; a function throws when its answer is not what it should be. */
export async function play(logIn, calls) {
  await logIn();
  let logins = 1;
  const input = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
  for (;;) {
    const results = {};
    let renewed = false;
    for (const [name, call] of calls) {
      try {
        try {
          await call();
        } catch (error) {
          if (!(error instanceof SignInAgain) || renewed) throw error;
          renewed = true;
          await logIn();
          logins += 1;
          await call();
        }
        results[name] = "ok";
      } catch (error) {
        results[name] = `${error.name}: ${error.message}`.slice(0, 500);
      }
    }
    console.log(`round ${JSON.stringify({ calls: results, logins })}`);
    if ((await input.next()).done) return;
  }
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
