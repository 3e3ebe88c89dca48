// Just enough of a peer connection to offer, to be answered, to change its state and to send tracks: Node has none.
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
  static newest: Connection;
  static count: number;
  static senders: Sender[];
  readonly answers: string[] = [];
  readonly channel = {
    readyState: "connecting",
    onopen: () => {},
    said: [] as string[],
    send(text: string) {
      this.said.push(text);
    },
  };
  connectionState = "new";
  signalingState = "stable";
  localDescription: { sdp: string } | null = null;
  onconnectionstatechange: (() => void) | null = null;
  /** What the browser counts of the only path. */
  traffic: {
    type: "candidate-pair";
    bytesSent: number;
    bytesReceived: number;
    currentRoundTripTime?: number;
  } | null = null;
  /** In seconds. */
  roundTripTime = 0;
  #restarts = 0;
  constructor() {
    Connection.newest = this;
    Connection.count += 1;
    Connection.senders = [];
  }
  createDataChannel = () => this.channel;
  addTransceiver = (kind: string, { direction }: RTCRtpTransceiverInit) => {
    const sender = new Sender();
    if (direction === "sendonly") Connection.senders.push(sender);
    return {
      mid: null,
      setCodecPreferences: () => {},
      sender,
      receiver: { track: { kind }, getSynchronizationSources: () => [] },
    };
  };
  createOffer = async () => ({
    type: "offer",
    sdp: this.#restarts === 0 ? "v=0" : `v=0 restart ${this.#restarts}`,
  });
  setLocalDescription = async (offer: { sdp: string }) => {
    this.localDescription = offer;
    this.signalingState = "have-local-offer";
  };
  setRemoteDescription = async ({ sdp }: { sdp: string }) => {
    this.answers.push(sdp);
    this.signalingState = "stable";
  };
  restartIce = () => {
    this.#restarts += 1;
  };
  getStats = async () => new Map(this.traffic === null ? [] : [["pair", { ...this.traffic }]]);
  close = () => {};
  becomes(state: string): void {
    this.connectionState = state;
    this.onconnectionstatechange?.();
  }
}

/** Just enough of a page to play what comes. */
export function stubPlaying(): void {
  vi.stubGlobal("document", {
    createElement: () => ({ play: async () => {}, remove: () => {} }),
    body: { append: () => {} },
    addEventListener: () => {},
    removeEventListener: () => {},
  });
  vi.stubGlobal("MediaStream", class {});
}

/** Puts the connection in the place of the browser's. */
export function stubConnection(): void {
  Connection.count = 0;
  vi.stubGlobal("RTCPeerConnection", Connection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities: () => ({ codecs: [] }) });
}
