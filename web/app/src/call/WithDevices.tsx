// What needs microphone and camera: they are captured while it is shown, and under no other page.
import type { LocalMedia } from "@connect/sdk/call";
import { type ReactNode, useEffect } from "react";

interface WithDevicesProps {
  local: LocalMedia;
  children: ReactNode;
}

export function WithDevices({ local, children }: WithDevicesProps) {
  useEffect(() => {
    void local.acquire();
    return () => void local.release();
  }, [local]);

  return children;
}
