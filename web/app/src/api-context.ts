// The API client for all components, and how they follow the SDK's state.
import type { Api, Readable } from "@connect/sdk";
import { createContext, use, useSyncExternalStore } from "react";

export const ApiContext = createContext<Api | null>(null);

export function useApi(): Api {
  const api = use(ApiContext);
  if (api === null) throw new Error("useApi needs an ApiContext around it");
  return api;
}

/** The value of a piece of the SDK's state, followed. */
export function useReadable<T>(readable: Readable<T>): T {
  return useSyncExternalStore(readable.subscribe, readable.get);
}
