// What is wrong with the own devices, and with the sound, until it is put away or well again.
import type { Call } from "@connect/sdk/call";
import { useEffect, useState } from "react";
import { useReadable } from "../api-context.ts";
import { CloseIcon } from "../ui/icons.tsx";
import { Banner } from "./Banner.tsx";
import { deviceProblems, speakerProblem } from "./device-words.ts";

/** A line for each thing that is wrong. */
export function useDeviceProblems(call: Call): string[] {
  const problems = deviceProblems(useReadable(call.local.state));
  const speaker = speakerProblem(useReadable(call.speaker.state));
  return speaker === null ? problems : [...problems, speaker];
}

export function DeviceNotices({ call }: { call: Call }) {
  const problems = useDeviceProblems(call);
  const { blocked } = useReadable(call.speaker.state);
  const [read, setRead] = useState<readonly string[]>([]);
  const now = problems.join();

  // What is wrong again is told again.
  useEffect(() => setRead((before) => before.filter((problem) => now.includes(problem))), [now]);

  return (
    <>
      {blocked && (
        <Banner
          action={
            <button type="button" className="button secondary" onClick={() => void call.speaker.resume()}>
              Play sound
            </button>
          }
        >
          <p>You hear nobody: your browser does not play the sound</p>
        </Banner>
      )}
      {problems
        .filter((problem) => !read.includes(problem))
        .map((problem) => (
          <Banner
            key={problem}
            action={
              <button
                type="button"
                className="button quiet"
                aria-label="Put away"
                onClick={() => setRead([...read, problem])}
              >
                <CloseIcon />
              </button>
            }
          >
            <p>{problem}</p>
          </Banner>
        ))}
    </>
  );
}
