// A webinar: a viewer watches without an uplink, asks for the stage, is seen and heard there, and is a viewer again; nobody joins
// again, and nobody's picture stops.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import type { Browser } from "playwright-core";
import { expectAccessible } from "./axe.ts";
import { launch, Person } from "./person.ts";

let browser: Browser;
before(async () => {
  browser = await launch();
});
after(() => browser.close());

test("a viewer is brought on stage and sent back while the others go on", async (t) => {
  const ada = await Person.arrive(browser, "Ada", { small: true });
  const room = await ada.createRoom("Talk");
  await ada.join(room);
  await ada.press("People");
  await ada.page.getByText("Room settings").click();
  await ada.page.getByLabel("Webinar: who comes only watches").check();
  await ada.press("Save");
  const [ben, cid] = await Promise.all(
    ["Ben", "Cid"].map((name) => Person.arrive(browser, name, { small: true })),
  );
  assert.ok(ben !== undefined && cid !== undefined);
  for (const viewer of [ben, cid]) {
    await viewer.page.addInitScript(countSessions);
    await viewer.join(room);
  }
  const [adaId, benId] = [await ada.id(), await ben.id()];

  await t.test("viewers see and hear, and send nothing", async () => {
    for (const viewer of [ben, cid]) {
      await viewer.sees(adaId);
      await viewer.hears(adaId);
      assert.deepEqual(await viewer.activeLayers(), []);
      assert.equal(await viewer.page.getByRole("button", { name: "Camera", exact: true }).count(), 0);
    }
    await expectAccessible(ben.page);
  });
  await t.test("one asks and is refused, asks again and takes it back", async () => {
    await ben.press("Ask to speak");
    await ada.press("Refuse Ben");
    await ben.page.getByText("You were not brought on stage").waitFor();
    await ben.press("Ask to speak");
    await ben.page.getByText("You were not brought on stage").waitFor({ state: "detached" });
    await ada.page.getByText("Ben asks to speak").waitFor();
    await ben.press("Ask to speak");
    await ada.page.getByText("Ben asks to speak").waitFor({ state: "detached" });
  });
  const pictures = () => Promise.all([ben, cid].map((viewer) => viewer.incoming(adaId)));
  const former = await pictures();
  await t.test("brought on stage, they are seen and heard", async () => {
    await ben.press("Ask to speak");
    await ada.page.getByRole("region", { name: "Asking to speak" }).waitFor();
    await expectAccessible(ada.page);
    await ada.press("Bring on stage: Ben");
    await ben.page.getByText("You are on stage.").waitFor();
    await expectAccessible(ben.page);
    await ben.press("Turn both on");
    for (const other of [ada, cid]) {
      await other.sees(benId);
      await other.hears(benId);
    }
  });
  await t.test("sent back, they are a viewer, and their camera is off", async () => {
    await ada.press("Moderate Ben");
    await ada.press("Back to the viewers");
    await ben.page.getByText("You are a viewer again").waitFor();
    await cid.seesNoMore(benId);
    await cid.hearsNoMore(benId);
    const { camera, microphone } = await ben.page.evaluate(() => window.connect.local.state.get());
    assert.deepEqual([camera.track, microphone.track], [null, null]);
    for (const viewer of [ben, cid]) await viewer.sees(adaId);
  });
  await t.test("nobody has joined again, and everybody's picture goes on", async () => {
    assert.equal(await ben.id(), benId);
    for (const viewer of [ben, cid]) {
      const sessions = await viewer.page.evaluate(() => performance.getEntriesByName("session").length);
      assert.equal(sessions, 1, `${viewer.name} has had one media session`);
    }
    for (const [index, picture] of (await pictures()).entries()) {
      const { framesDecoded = 0, frozenSeconds = 0 } = former[index] ?? {};
      assert.ok(picture !== undefined && picture.framesDecoded > framesDecoded, "the same picture goes on");
      t.diagnostic(`frozen meanwhile: ${picture.frozenSeconds - frozenSeconds} s`);
    }
  });
  await Promise.all([ada, ben, cid].map((person) => person.close()));
});

/** Runs in the page before its own scripts: a mark for each media session that is described to a node. */
function countSessions(): void {
  const original = RTCPeerConnection.prototype.setRemoteDescription;
  RTCPeerConnection.prototype.setRemoteDescription = function (description: RTCSessionDescriptionInit) {
    performance.mark("session");
    return Reflect.apply(original, this, [description]);
  };
}
