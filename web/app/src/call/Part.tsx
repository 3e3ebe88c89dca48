// A part of the call's page: what goes wrong while it is drawn takes neither the call nor the other parts with it.
import type { ReactNode } from "react";
import { Boundary } from "../pages/Boundary.tsx";
import { Banner } from "./Banner.tsx";

interface PartProps {
  /** What it is, as the beginning of a sentence. */
  name: string;
  children: ReactNode;
}

export function Part({ name, children }: PartProps) {
  return (
    <Boundary
      instead={(again) => (
        <Banner
          role="alert"
          action={
            <button type="button" className="button secondary" onClick={again}>
              Try again
            </button>
          }
        >
          <p>{name} cannot be shown. That is our fault; the call goes on.</p>
        </Banner>
      )}
    >
      {children}
    </Boundary>
  );
}
