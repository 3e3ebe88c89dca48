// In the call: the button that opens the choice of devices, and what it opens.
import type { Call } from "@connect/sdk/call";
import { useEffect, useId, useRef } from "react";
import { CloseIcon, DevicesIcon } from "../ui/icons.tsx";
import { DeviceChoices } from "./DeviceChoices.tsx";
import { useDeviceProblems } from "./DeviceNotices.tsx";
import { useOpening } from "./use-opening.ts";

export function DeviceMenu({ call }: { call: Call }) {
  const { open, around, button, toggle, close, onKeyDown } = useOpening();
  const id = useId();

  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the key closes what the button inside has opened.
    <div className="devices" ref={around} onKeyDown={onKeyDown}>
      <button
        ref={button}
        type="button"
        className="control opens"
        aria-label="Devices"
        aria-expanded={open}
        aria-controls={id}
        title="Choose microphone, camera and speaker"
        onClick={toggle}
      >
        <DevicesIcon />
        <span className="control-text">Devices</span>
      </button>
      <section id={id} className="devices-menu" aria-label="Choose devices" hidden={!open}>
        {open && <Menu call={call} onClose={close} />}
      </section>
    </div>
  );
}

function Menu({ call, onClose }: { call: Call; onClose: () => void }) {
  const menu = useRef<HTMLDivElement>(null);
  const problems = useDeviceProblems(call);
  // Who opened it by keyboard is in it.
  useEffect(() => menu.current?.querySelector<HTMLElement>("select:not([disabled])")?.focus(), []);
  return (
    <div ref={menu} className="devices-list">
      <div className="devices-head">
        <h2>Devices</h2>
        <button type="button" className="button quiet" aria-label="Close devices" onClick={onClose}>
          <CloseIcon />
        </button>
      </div>
      <DeviceChoices call={call} />
      {problems.map((problem) => (
        <p key={problem} className="devices-problem">
          {problem}
        </p>
      ))}
    </div>
  );
}
