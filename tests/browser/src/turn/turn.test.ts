// A browser that reaches its node through a TURN server alone, which the edge named: the call runs all the same.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { TurnServer } from "../../../edge/turn-server.ts";
import { localCandidate, watchIce } from "../ice.ts";
import { everybodyMeets, launch, Person } from "../person.ts";
import { newRoom } from "../stack.ts";

/** What the Worker was started with. */
const { CONNECT_TURN_URLS: url = "", CONNECT_TURN_SECRET: secret = "" } = process.env;

let browser: Browser;
let turn: TurnServer;
before(async () => {
  const [, host, port] = url.split(":");
  assert.ok(host && port && secret, "the Worker was told of no TURN server");
  turn = await TurnServer.start(secret, host, Number(port));
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await turn?.stop();
});

test("a call runs over the TURN server of the edge when nothing else is allowed", async () => {
  const room = await newRoom("Behind a relay");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await watchIce(ada.page);
  await ada.page.addInitScript(relayOnly);
  await ada.join(room, "eu-west");
  await ben.join(room, "eu-west");
  await everybodyMeets([ada, ben]);
  const { candidateType, url: server } = (await localCandidate(ada.page)) ?? {};
  assert.equal(candidateType, "relay");
  assert.equal(server, `${url}?transport=udp`);
  await Promise.all([ada.close(), ben.close()]);
});

/** Runs in the page before its own scripts: connections take a relay or nothing; which, they know from the edge alone. */
function relayOnly(): void {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, iceTransportPolicy: "relay" });
    }
  };
}
