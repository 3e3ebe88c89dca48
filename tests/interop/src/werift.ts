// werift: WebRTC in TypeScript, without a line of native code.
import {
  MediaStreamTrack,
  type PeerConfig,
  RTCPeerConnection,
  type RtcpPacket,
  RtpHeader,
  RtpPacket,
} from "werift";
import { KINDS, type Kind, midsOf, type Packet, type Peer, type Stack } from "./stack.ts";

/** By itself it offers neither transport-cc nor repair packets of their own, and gives up what does not come within 50 ms. */
export const werift: Stack = {
  name: "werift",
  mayLack: 0.05,

  async offer({ apart = false }): Promise<Peer> {
    const [connection, tracks] = connect();
    for (const kind of KINDS) {
      if (apart) connection.addTransceiver(tracks[kind], { direction: "sendonly" });
      else connection.addTrack(tracks[kind]);
    }
    for (const kind of apart ? KINDS : []) connection.addTransceiver(kind, { direction: "recvonly" });
    return offered(connection, tracks);
  },
};

type Tracks = Record<Kind, MediaStreamTrack>;

/** A connection without m-lines, and a track of each kind. */
export function connect(config: Partial<PeerConfig> = {}): [RTCPeerConnection, Tracks] {
  const connection = new RTCPeerConnection({
    iceServers: [],
    iceUseIpv6: false,
    // It leaves out loopback, where the node is.
    iceAdditionalHostAddresses: ["127.0.0.1"],
    ...config,
  });
  const track = (kind: Kind) => new MediaStreamTrack({ kind });
  return [connection, { audio: track("audio"), video: track("video") }];
}

/** The end of a call that offers these m-lines. */
export async function offered(connection: RTCPeerConnection, tracks: Tracks): Promise<Peer> {
  const received: Record<Kind, Packet[]> = { audio: [], video: [] };
  connection.onTrack.subscribe((track) => {
    const packets = received[track.kind as Kind];
    track.onReceiveRtp.subscribe(({ header, payload }) => {
      const { sequenceNumber: sequence, timestamp, marker } = header;
      packets.push({ sequence, timestamp, marker, payload: Buffer.from(payload) });
    });
  });
  const compounds = new Compounds();
  await connection.setLocalDescription(await connection.createOffer());
  const sdp = connection.localDescription?.sdp ?? "";
  return {
    sdp,
    mids: midsOf(sdp),
    async accept(answer) {
      const connected = new Promise<void>((resolve) => {
        connection.connectionStateChange.subscribe((state) => state === "connected" && resolve());
      });
      await connection.setRemoteDescription({ type: "answer", sdp: answer });
      for (const transport of connection.dtlsTransports)
        transport.onRtcp.subscribe((packet) => compounds.add(packet));
      await connected;
    },
    send(kind, { sequence, timestamp, marker, payload }) {
      const header = new RtpHeader({ sequenceNumber: sequence, timestamp, marker, payloadType: 0 });
      tracks[kind].writeRtp(new RtpPacket(header, payload));
    },
    received: (kind) => received[kind],
    compounds: () => compounds.all,
    close: () => connection.close(),
  };
}

/** The types of the RTCP packets that have come, datagram by datagram. */
class Compounds {
  readonly all: number[][] = [];
  private open: number[] | undefined;

  add({ type }: RtcpPacket): void {
    if (!this.open) {
      this.open = [];
      this.all.push(this.open);
      // Those of one datagram are told in one go.
      queueMicrotask(() => {
        this.open = undefined;
      });
    }
    this.open.push(type);
  }
}
