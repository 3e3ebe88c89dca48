// Just enough of a peer connection to prepare an offer and to send tracks: Node has none.
import { vi } from "vitest";

/** A sender as the standard has it: a replacement waits for those before it, and until then the sender has its old track. */
export class Sender {
  track: MediaStreamTrack | null = null;
  #waiting: (() => void)[] = [];
  getParameters = () => ({ encodings: [] });
  setParameters = async () => {};
  replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push(() => {
        this.track = track;
        done();
      });
    });
  }
  /** Does all that waits, and what is asked for meanwhile. */
  async settle(): Promise<void> {
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) {
      next();
      await vi.advanceTimersByTimeAsync(0);
    }
  }
}

/** The newest connection's first senders are those of the sources, in their order. */
export class Connection {
  static senders: Sender[];
  localDescription = null;
  constructor() {
    Connection.senders = [];
  }
  createDataChannel = () => ({ readyState: "connecting" });
  addTransceiver = (kind: string, { direction }: RTCRtpTransceiverInit) => {
    const sender = new Sender();
    if (direction === "sendonly") Connection.senders.push(sender);
    return { mid: null, setCodecPreferences: () => {}, sender, receiver: { track: { kind } } };
  };
  createOffer = async () => ({ type: "offer", sdp: "v=0" });
  setLocalDescription = async () => {};
  getStats = async () => new Map();
  close = () => {};
}

/** Puts it in the place of the browser's. */
export function stubConnection(): void {
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => ({ codecs: [] }) });
}
