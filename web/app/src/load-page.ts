// Loads the code of a page. After a deployment an open page may ask for files that are gone: then it is loaded anew, once.

const RELOADED = "connect:reloaded";

/** A page's code did not come, and loading everything anew did not help or would not. */
export class LostPageError extends Error {
  override readonly name = "LostPageError";

  constructor(cause: unknown) {
    super("a part of the page could not be loaded", { cause });
  }
}

/** What loading a page needs of the browser. */
export interface Surroundings {
  readonly storage: Pick<Storage, "getItem" | "setItem" | "removeItem">;
  readonly isOnline: () => boolean;
  readonly reload: () => void;
}

const BROWSER: Surroundings = {
  // Asked for at each use: a browser that forbids it throws.
  get storage() {
    return sessionStorage;
  },
  isOnline: () => navigator.onLine,
  reload: () => location.reload(),
};

/** For what a page needs before it can be shown; a call has all its code from then on, so that nothing reloads it. */
export async function loadPage<T>(load: () => Promise<T>, browser = BROWSER): Promise<T> {
  try {
    const page = await load();
    forget(browser);
    return page;
  } catch (cause) {
    if (!browser.isOnline() || !isFirst(browser)) throw new LostPageError(cause);
    browser.reload();
    // The page is about to go: nothing is to be shown any more.
    return new Promise(() => {});
  }
}

/** Notes that the page is loaded anew; false if it was already, or if that cannot be noted. */
function isFirst(browser: Surroundings): boolean {
  try {
    if (browser.storage.getItem(RELOADED) !== null) return false;
    browser.storage.setItem(RELOADED, "1");
    return true;
  } catch {
    return false;
  }
}

function forget(browser: Surroundings): void {
  try {
    browser.storage.removeItem(RELOADED);
  } catch {
    // Nothing was noted then.
  }
}
