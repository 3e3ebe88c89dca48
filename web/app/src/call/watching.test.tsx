// Who comes to watch is asked for no microphone and no camera, and neither is anybody while that is not known.
import type { LocalMedia } from "@connect/sdk/call";
import { cleanup, render } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { WithDevices } from "./WithDevices.tsx";

afterEach(cleanup);

it.each([
  [null, 0],
  [true, 0],
  [false, 1],
])("watches: %s", (watches, asked) => {
  const local = { acquire: vi.fn(), release: vi.fn() };
  const view = (known: boolean | null) => (
    <WithDevices local={local as unknown as LocalMedia} watches={known}>
      here
    </WithDevices>
  );
  const { rerender } = render(view(null));
  expect(local.acquire).not.toHaveBeenCalled();
  rerender(view(watches));
  expect(local.acquire).toHaveBeenCalledTimes(asked);
});
