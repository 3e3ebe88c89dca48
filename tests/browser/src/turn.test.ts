// A browser that reaches its node through a TURN server alone: the call runs all the same.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { TurnServer } from "../../edge/turn-server.ts";
import { localCandidate, watchIce } from "./ice.ts";
import { everybodyMeets, launch, Person } from "./person.ts";
import { newRoom, nodes } from "./stack.ts";

let browser: Browser;
let turn: TurnServer;
before(async () => {
  browser = await launch();
  const [host = ""] = (await nodes())[0]?.media.split(":") ?? [];
  turn = await TurnServer.start(randomBytes(24).toString("base64url"), host);
});
after(async () => {
  await browser.close();
  await turn.stop();
});

test("a call runs over TURN when nothing else is allowed", async () => {
  const room = await newRoom("Behind a relay");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await watchIce(ada.page);
  await ada.page.addInitScript(relayOnly, {
    urls: [`turn:${turn.host}:${turn.port}`],
    ...turn.credentials(Math.floor(Date.now() / 1_000) + 600, "ada"),
  });
  await ada.join(room, "eu-west");
  await ben.join(room, "eu-west");
  await everybodyMeets([ada, ben]);
  assert.equal((await localCandidate(ada.page))?.candidateType, "relay");
  await Promise.all([ada.close(), ben.close()]);
});

/** Runs in the page before its own scripts: connections take the relay or nothing. */
function relayOnly(server: RTCIceServer): void {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, iceServers: [server], iceTransportPolicy: "relay" });
    }
  };
}
