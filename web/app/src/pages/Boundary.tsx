// Around a page or a part of one: what goes wrong while it is drawn ends in words and a way on.
import { Component, type ReactNode } from "react";
import { LostPageError } from "../load-page.ts";
import { NoPage } from "./NoPage.tsx";

interface BoundaryProps {
  children: ReactNode;
  /** What stands in its place, and may try to draw it again; a page of its own unless told otherwise. */
  instead?: (again: () => void) => ReactNode;
}

export class Boundary extends Component<BoundaryProps, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error: error ?? new Error("nothing") };
  }

  override render(): ReactNode {
    const { error } = this.state;
    const { children, instead } = this.props;
    if (error === null) return children;
    if (instead !== undefined) return instead(() => this.setState({ error: null }));
    const lost = error instanceof LostPageError;
    return (
      <NoPage
        title={lost ? "This page could not be loaded" : "Something went wrong on this page"}
        detail={
          lost
            ? "Check your network. If Connect was updated just now, another try brings the new page."
            : "That is our fault. Another try may help; what was stored is not lost."
        }
      />
    );
  }
}
