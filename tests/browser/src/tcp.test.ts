// A browser whose network lets no UDP through: the call runs over TCP to the node's own media port.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { localCandidate, watchIce } from "./ice.ts";
import { everybodyMeets, launch, Person } from "./person.ts";
import { newRoom } from "./stack.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a call runs over TCP when UDP does not get through", async () => {
  const room = await newRoom("Behind a firewall");
  const ada = await Person.arrive(browser, "Ada");
  const ben = await Person.arrive(browser, "Ben");
  await watchIce(ada.page);
  await ada.page.addInitScript(withoutUdp);
  await ada.join(room, "eu-west");
  await ben.join(room, "eu-west");
  await everybodyMeets([ada, ben]);
  assert.equal((await localCandidate(ada.page))?.protocol, "tcp");
  await Promise.all([ada.close(), ben.close()]);
});

/** Runs in the page before its own scripts: of the node's candidates, those over UDP are unknown. */
function withoutUdp(): void {
  const original = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description) {
    const lines = description.sdp?.split("\r\n") ?? [];
    const sdp = lines.filter((line) => !(line.startsWith("a=candidate:") && / udp /i.test(line)));
    return Reflect.apply(original, this, [{ ...description, sdp: sdp.join("\r\n") }]);
  };
}
