// What happens to the page that a call is on: its network, its visibility, its leaving and coming back.

export interface PageHandlers {
  /** The device has a network again, or another one. */
  onNetwork(): void;
  onVisible(visible: boolean): void;
  /** The page is left; the browser may keep it for the way back. */
  onGone(): void;
  onBack(): void;
}

/** Follows the page until the returned function is called. Outside of a page nothing happens. */
export function followPage(handlers: PageHandlers): () => void {
  const events = [
    ["online", () => handlers.onNetwork()],
    ["pagehide", () => handlers.onGone()],
    ["pageshow", () => handlers.onBack()],
  ] as const;
  const visibility = () => handlers.onVisible(document.visibilityState !== "hidden");
  for (const [name, listener] of events) globalThis.addEventListener?.(name, listener);
  globalThis.document?.addEventListener("visibilitychange", visibility);
  return () => {
    for (const [name, listener] of events) globalThis.removeEventListener?.(name, listener);
    globalThis.document?.removeEventListener("visibilitychange", visibility);
  };
}
