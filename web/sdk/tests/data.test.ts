// Data of the owner's programs reaches whoever listens, and nobody any more who does not.
import { expect, it } from "vitest";
import { Data } from "../src/call/data.ts";

it("hands what comes to whoever listens", () => {
  const data = new Data();
  const heard: string[] = [];
  const stop = data.subscribe((text) => heard.push(text));
  data.receive({ type: "data", data: "one" });
  data.receive({ type: "typing", participant: "p" });
  stop();
  data.receive({ type: "data", data: "two" });
  expect(heard).toEqual(["one"]);
});
