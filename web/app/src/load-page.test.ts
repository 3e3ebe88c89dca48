// A page whose code is gone: everything is loaded anew, once, and never while a call is on.
import { waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { LostPageError, loadPage, type Surroundings } from "./load-page.ts";

let noted: Map<string, string>;
let reload: () => void;
let online: boolean;
let browser: Surroundings;

beforeEach(() => {
  noted = new Map();
  reload = vi.fn();
  online = true;
  browser = {
    storage: {
      getItem: (key) => noted.get(key) ?? null,
      setItem: (key, value) => void noted.set(key, value),
      removeItem: (key) => void noted.delete(key),
    },
    isOnline: () => online,
    reload,
  };
});

const gone = () => Promise.reject(new TypeError("Failed to fetch dynamically imported module"));

describe("a page's code", () => {
  it("that comes is the page", async () => {
    expect(await loadPage(async () => "page", browser)).toBe("page");
    expect(reload).not.toHaveBeenCalled();
  });

  it("that is gone has everything loaded anew, and nothing shown meanwhile", async () => {
    const settled = vi.fn();
    void loadPage(gone, browser).then(settled, settled);
    await waitFor(() => expect(reload).toHaveBeenCalledTimes(1));
    expect(settled).not.toHaveBeenCalled();
  });

  it("that is still gone after that is lost, in words", async () => {
    void loadPage(gone, browser);
    await waitFor(() => expect(reload).toHaveBeenCalled());
    await expect(loadPage(gone, browser)).rejects.toThrow(LostPageError);
    expect(reload).toHaveBeenCalledTimes(1);
  });

  it("may be loaded anew once more after it has come", async () => {
    void loadPage(gone, browser);
    await waitFor(() => expect(reload).toHaveBeenCalledTimes(1));
    await loadPage(async () => "page", browser);
    void loadPage(gone, browser);
    await waitFor(() => expect(reload).toHaveBeenCalledTimes(2));
  });

  it("is not loaded anew without a network, or where that cannot be noted", async () => {
    online = false;
    await expect(loadPage(gone, browser)).rejects.toThrow(LostPageError);
    const forbidden = {
      isOnline: () => true,
      reload,
      get storage(): never {
        throw new DOMException("denied", "SecurityError");
      },
    };
    await expect(loadPage(gone, forbidden)).rejects.toThrow(LostPageError);
    expect(await loadPage(async () => "page", forbidden)).toBe("page");
    expect(reload).not.toHaveBeenCalled();
  });
});

it("is all there before a call begins: nothing of a call loads anything later but the notes, which say so", () => {
  const sources = import.meta.glob(["./call/**/*.{ts,tsx}", "../../sdk/src/**/*.ts", "!**/*.test.*"], {
    query: "?raw",
    import: "default",
    eager: true,
  });
  const texts = Object.entries(sources);
  expect(texts.length).toBeGreaterThan(40);
  const later = texts.filter(([, text]) => /\bimport\(|\blazy\(/.test(String(text)));
  expect(later.map(([path]) => path)).toEqual(["../../sdk/src/call/notes.ts"]);
});
