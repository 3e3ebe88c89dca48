// A media session without a server: what it says is kept, and what it tells its call is heard by whoever wants to.
import { MediaSession, type MediaSessionHandlers } from "../src/call/media-session.ts";
import type { ClientMessage } from "../src/generated/protocol.ts";

export function quietSession(handlers: Partial<MediaSessionHandlers> = {}): {
  media: MediaSession;
  sent: ClientMessage[];
} {
  const sent: ClientMessage[] = [];
  const ignore = () => {};
  const media = new MediaSession(1, {
    send: (message) => sent.push(message) > 0,
    onStatus: ignore,
    onShown: ignore,
    onSpeakers: ignore,
    onQuality: ignore,
    onQualities: ignore,
    onCaption: ignore,
    onCaptionRefused: ignore,
    onReady: ignore,
    onStep: ignore,
    ...handlers,
  });
  return { media, sent };
}
