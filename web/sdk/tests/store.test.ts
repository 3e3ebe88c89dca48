// The store: listeners are told of each change, or once of several.
import { expect, it } from "vitest";
import { inTask, isSame, Store } from "../src/store.ts";

it("tells at once of each change, and of nothing else", () => {
  const store = new Store({ a: 1, b: 1 });
  const told: object[] = [];
  const end = store.subscribe(() => told.push(store.get()));
  store.patch({ a: 2 });
  store.set(store.get());
  store.patch({ b: 2 });
  end();
  store.patch({ b: 3 });
  expect(told).toEqual([
    { a: 2, b: 1 },
    { a: 2, b: 2 },
  ]);
});

it("tells in a task of its own what changed until then", async () => {
  const store = new Store(0, inTask);
  const told: number[] = [];
  const twice = new Promise<void>((resolve) =>
    store.subscribe(() => {
      told.push(store.get());
      // A change that a listener makes is told, too.
      if (told.length === 1) store.set(3);
      else resolve();
    }),
  );
  store.set(1);
  store.set(2);
  await Promise.resolve();
  expect(store.get()).toBe(2);
  expect(told).toEqual([]);
  await twice;
  expect(told).toEqual([2, 3]);
});

it("compares by the fields of the value that was made here", () => {
  const made = { on: true, codec: null };
  expect(isSame(made, { on: true, codec: null })).toBe(true);
  expect(isSame(made, { on: false, codec: null })).toBe(false);
  const later = { on: true, codec: null, more: 1 };
  expect(isSame<{ on: boolean; codec: null }>(made, later)).toBe(true);
});
