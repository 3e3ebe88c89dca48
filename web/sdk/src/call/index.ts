// The SDK's public face for calls.
export type { AudioOutput, AudioOutputState } from "./audio-output.ts";
export { Call, type CallOptions, type CallState, type CallStatus } from "./call.ts";
export type { DeviceName, DeviceProblem, Facing } from "./capture.ts";
export type { ChoiceStorage } from "./choices.ts";
export { cannotPlay, unseenBy } from "./codec-choice.ts";
export type { VideoCodec } from "./codecs.ts";
export type { DeviceStatus, LocalDevice } from "./local-device.ts";
export type { LocalMedia, LocalState } from "./local-media.ts";
export type { LocalScreen, ScreenProblem, ScreenState } from "./local-screen.ts";
export type { MediaStatus } from "./media-session.ts";
export type { Outbox, PendingLine } from "./outbox.ts";
export { type ConnectionQuality, qualityOfReport } from "./quality.ts";
export type { Shown, Streams } from "./slots.ts";
export type { CallStatistics, LayerStatistics, TrackStatistics } from "./statistics.ts";
export { type TrackKey, trackKey } from "./track.ts";
export type { View } from "./view.ts";
