// The layout: tiles fit, fill the space, and keep their shape within bounds.
import { describe, expect, it } from "vitest";
import { gridOf, presentationOf } from "./sizes.ts";

const GAP = 12;

describe("the grid", () => {
  const spaces = [
    { width: 1280, height: 640 },
    { width: 932, height: 616 },
    { width: 390, height: 640 },
    { width: 700, height: 260 },
  ];

  it.each(spaces)("fits any number of tiles into $width x $height", (space) => {
    for (let count = 1; count <= 25; count += 1) {
      const { columns, rows, width, height } = gridOf(space, count, GAP);
      expect(columns * rows).toBeGreaterThanOrEqual(count);
      expect(columns * width + (columns - 1) * GAP).toBeLessThanOrEqual(space.width);
      expect(rows * height + (rows - 1) * GAP).toBeLessThanOrEqual(space.height);
      expect(width / height).toBeGreaterThanOrEqual(0.73);
      expect(width / height).toBeLessThanOrEqual(1.8);
    }
  });

  it("is wide where the space is wide, and tall where it is tall", () => {
    expect(gridOf({ width: 1280, height: 640 }, 2, GAP)).toMatchObject({ columns: 2, rows: 1 });
    expect(gridOf({ width: 390, height: 640 }, 2, GAP)).toMatchObject({ columns: 1, rows: 2 });
    expect(gridOf({ width: 1280, height: 640 }, 9, GAP)).toMatchObject({ columns: 3, rows: 3 });
  });

  it("has no tiles where there is no space", () => {
    expect(gridOf({ width: 0, height: 0 }, 3, GAP)).toMatchObject({ width: 0, height: 0 });
  });
});

describe("a presentation", () => {
  it("gives a screen all the space that the strip leaves", () => {
    const wide = presentationOf({ width: 1280, height: 640 }, 3, GAP, true);
    expect(wide).toMatchObject({ strip: "right", main: { width: 1280 - 248 - GAP, height: 640 } });
    const tall = presentationOf({ width: 390, height: 640 }, 3, GAP, true);
    expect(tall.strip).toBe("below");
    expect(tall.main).toEqual({ width: 390, height: 640 - tall.tile.height - GAP });
  });

  it("has no strip when there is nobody else", () => {
    const { main } = presentationOf({ width: 1280, height: 640 }, 0, GAP, true);
    expect(main).toEqual({ width: 1280, height: 640 });
  });

  it("keeps a person's picture in shape", () => {
    const { main } = presentationOf({ width: 1600, height: 400 }, 2, GAP, false);
    expect(main.height).toBe(400);
    expect(main.width / main.height).toBeLessThan(1.8);
  });

  it("needs no space to be worked out", () => {
    expect(presentationOf({ width: 0, height: 0 }, 2, GAP, true).main).toEqual({ width: 0, height: 0 });
  });
});
