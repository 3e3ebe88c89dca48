// Each message of a client once as it is refused: of the wrong form, and about what is not there or not allowed. A message that is
// not among these does not compile.
import { afterAll, beforeAll, expect, test } from "vitest";
import type { ClientMessage, ErrorCode } from "../../web/sdk/src/generated/protocol.ts";
import { type Client, World } from "./world.ts";

/** A message that one who keeps no order is refused, and how; `taken`: it asks for nothing that could be refused. */
type Case = readonly [message: object, code: ErrorCode] | "taken";

const nobody = { participant: "0000000000000000" };
const draft = { question: "?", options: ["a", "b"], multiple: false, anonymous: false, shows: "live" };
const CASES: Record<ClientMessage["type"], Case> = {
  offer: [{ attempt: 1, sdp: "v=0", sources: "none" }, "malformed"],
  restartIce: "taken",
  publishing: "taken",
  chat: [{ nonce: "n", text: " " }, "malformed"],
  editChat: [{ id: "99", text: "x" }, "unknownLine"],
  deleteChat: [{ id: "99" }, "unknownLine"],
  reactToChat: [{ id: "99", reaction: "heart", on: true }, "unknownLine"],
  chatHistory: [{ before: "x", limit: 1 }, "malformed"],
  readChat: [{ id: "99" }, "unknownLine"],
  typing: "taken",
  mediaFailed: "taken",
  setCaps: [{ ...nobody, caps: {} }, "forbidden"],
  turnOff: [{ ...nobody, source: "camera" }, "forbidden"],
  askToUnmute: [nobody, "forbidden"],
  muteAll: [{ mute: "hard" }, "forbidden"],
  remove: [nobody, "forbidden"],
  setRole: [{ ...nobody, role: "moderator" }, "forbidden"],
  configure: [{ change: { listed: true } }, "forbidden"],
  createPoll: [{ nonce: "n", draft }, "forbidden"],
  vote: [{ poll: 99, choices: [0] }, "unknownPoll"],
  closePoll: [{ poll: 99 }, "forbidden"],
  deletePoll: [{ poll: 99 }, "forbidden"],
  showVotes: [{ poll: 99 }, "unknownPoll"],
  raiseHand: "taken",
  lowerHand: [nobody, "forbidden"],
  lowerAllHands: [{}, "forbidden"],
  askToSpeak: "taken",
  refuseToSpeak: [{ participant: null }, "forbidden"],
  react: "taken",
  spotlight: [{ ...nobody, on: true }, "forbidden"],
  noMedia: "taken",
  ban: [nobody, "forbidden"],
  unban: [{ user: "nobody" }, "forbidden"],
  admit: [{ participant: null }, "forbidden"],
  refuse: [{ participant: null }, "forbidden"],
  setPassword: [{ password: null }, "forbidden"],
  takeAccount: [{ token: "a.b.c" }, "forbidden"],
  openBreakouts: [{ draft: { names: ["Red"], assignment: "byHand" } }, "forbidden"],
  moveToBreakout: [{ breakout: null, ...nobody }, "unknownParticipant"],
  limitBreakouts: [{ seconds: 60 }, "forbidden"],
  closeBreakouts: [{}, "forbidden"],
  openNotes: "taken",
  writeNotes: [{ nonce: "n", update: "!" }, "malformed"],
  pointInNotes: "taken",
  closeNotes: "taken",
  moveHere: "taken",
  leave: "taken",
  pageGone: "taken",
};

let world: World;
let speaker: Client;
beforeAll(async () => {
  world = await World.start();
  const [ada, bob] = await Promise.all([world.person("Ada"), world.person("Bob")]);
  const room = await ada.createRoom();
  await ada.enter(room);
  speaker = await bob.enter(room);
});
afterAll(() => world.stop());

/** Says it, and returns how it is refused. */
async function refusal(type: string, fields: object): Promise<string> {
  speaker.socket.send({ type, ...fields });
  return (await speaker.socket.next("error", ({ of }) => of === type)).code;
}

const refused = Object.entries(CASES).flatMap(([type, of]) =>
  of === "taken" ? [] : [[type, ...of] as const],
);

test.each(refused)("%s", async (type, fields, code) => {
  expect(await refusal(type, fields)).toBe(code);
  // Nothing is to be read from a message of the wrong form, either.
  const field = Object.keys(fields).at(-1);
  if (field === undefined) return;
  expect(await refusal(type, { ...fields, [field]: [[1]] })).toBe("malformed");
});

test("after all of them the room is as it was", async () => {
  speaker.socket.send({ type: "chat", nonce: "after", text: "still here" });
  expect(await speaker.socket.next("chatAccepted")).toMatchObject({ nonce: "after", id: "1" });
});
