// libdatachannel, by its binding for Node.js: what it is given is sent as it is, and what comes is handed on as it came.
import native from "node-datachannel";
import {
  KINDS,
  type Kind,
  midsOf,
  type Packet,
  type Peer,
  readPacket,
  type Stack,
  UNREPAIRED,
} from "./stack.ts";

const PAYLOAD_TYPES: Record<Kind, number> = { audio: 111, video: 96 };
const CNAME = "a-camera";
let ssrc = 1_000;

/** It knows neither transport-cc nor repair packets of their own, and asks for nothing again; it sends again what others ask for. */
export const libdatachannel: Stack = {
  name: "libdatachannel",
  mayLack: UNREPAIRED,

  async offer({ apart = false }): Promise<Peer> {
    const connection = new native.PeerConnection("peer", { iceServers: [], bindAddress: "127.0.0.1" });
    const gathered = new Promise<void>((resolve) => {
      connection.onGatheringStateChange((state) => state === "complete" && resolve());
    });
    const received: Record<Kind, Packet[]> = { audio: [], video: [] };
    const add = (kind: Kind, mid: string, direction: "SendRecv" | "SendOnly" | "RecvOnly") => {
      const media = kind === "audio" ? new native.Audio(mid, direction) : new native.Video(mid, direction);
      if (media instanceof native.Audio) media.addOpusCodec(PAYLOAD_TYPES.audio);
      else media.addVP8Codec(PAYLOAD_TYPES.video);
      if (direction !== "RecvOnly") media.addSSRC(ssrcs[kind], CNAME, "stream", kind);
      const track = connection.addTrack(media);
      const handler = new native.RtcpReceivingSession();
      handler.addToChain(new native.RtcpNackResponder());
      track.setMediaHandler(handler);
      track.onMessage((data) => {
        const packet = readPacket(data);
        if (packet) received[kind].push(packet);
      });
      return track;
    };
    const ssrcs: Record<Kind, number> = { audio: ++ssrc, video: ++ssrc };
    const sending = new Map(KINDS.map((kind) => [kind, add(kind, kind, apart ? "SendOnly" : "SendRecv")]));
    const receiving = apart ? KINDS.map((kind) => add(kind, `${kind}-slot`, "RecvOnly")) : [];
    connection.setLocalDescription("offer");
    await gathered;
    const sdp = connection.localDescription()?.sdp ?? "";
    return {
      sdp,
      mids: midsOf(sdp),
      async accept(answer) {
        const opened = [...sending.values(), ...receiving].map(
          (track) => new Promise<void>((resolve) => track.onOpen(resolve)),
        );
        connection.setRemoteDescription(answer, "answer");
        await Promise.all(opened);
      },
      send(kind, { sequence, timestamp, marker, payload }) {
        const header = Buffer.alloc(12);
        header[0] = 0x80;
        header[1] = PAYLOAD_TYPES[kind] | (marker ? 0x80 : 0);
        header.writeUInt16BE(sequence, 2);
        header.writeUInt32BE(timestamp, 4);
        header.writeUInt32BE(ssrcs[kind], 8);
        sending.get(kind)?.sendMessageBinary(Buffer.concat([header, payload]));
      },
      received: (kind) => received[kind],
      async close() {
        connection.close();
      },
    };
  },
};
