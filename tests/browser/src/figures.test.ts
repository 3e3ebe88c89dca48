// The figures themselves.
import assert from "node:assert/strict";
import { test } from "node:test";
import { percentile } from "./figures.ts";

test("percentiles are by nearest rank", () => {
  const samples = [5, 1, 4, 2, 3];
  assert.equal(percentile(samples, 0.5), 3);
  assert.equal(percentile(samples, 0.95), 5);
  assert.equal(percentile([7], 0.5), 7);
});
