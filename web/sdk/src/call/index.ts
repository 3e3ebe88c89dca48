// The SDK's public face for calls.
export { Call, type CallOptions, type CallState, type CallStatus } from "./call.ts";
export type { DeviceName, DeviceProblem, LocalDevice, LocalMedia, LocalState } from "./local-media.ts";
export type { MediaStatus } from "./media-session.ts";
export type { Outbox, PendingLine } from "./outbox.ts";
export type { Streams } from "./slots.ts";
export type { CallStatistics, Quality, TrackStatistics } from "./statistics.ts";
export { type TrackKey, trackKey } from "./track.ts";
export type { View } from "./view.ts";
