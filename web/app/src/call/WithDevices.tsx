// What needs microphone and camera: they are captured while it is shown, and under no other page.
import type { LocalMedia } from "@connect/sdk/call";
import { type ReactNode, useEffect } from "react";

interface WithDevicesProps {
  local: LocalMedia;
  /** Who comes to watch is asked for none; null while that is not known. */
  watches: boolean | null;
  children: ReactNode;
}

export function WithDevices({ local, watches, children }: WithDevicesProps) {
  useEffect(() => {
    if (watches === false) void local.acquire();
    return () => void local.release();
  }, [local, watches]);

  return children;
}
