// What was tried on the way to the node, from the candidates of both sides.
import { expect, it } from "vitest";
import { triedWays } from "../src/call/ways.ts";

const UDP = "a=candidate:1 1 udp 2113929471 10.77.0.1 40000 typ host\r\n";
const TCP = "a=candidate:2 1 TCP 1518280447 10.77.0.1 40000 typ host tcptype passive\r\n";
const HOST = "a=candidate:7 1 udp 2122260223 192.0.2.7 50000 typ host\r\n";
const RELAY = "a=candidate:9 1 udp 41885439 198.51.100.3 3478 typ relay raddr 0.0.0.0 rport 0\r\n";
const TURN = [{ urls: ["stun:s.example", "turns:t.example:443?transport=tcp"] }];

const outcomes = (answer: string, local: string, servers: RTCIceServer[] | null) =>
  triedWays({ answer, local, servers }).map(({ way, outcome }) => `${way} ${outcome}`);

it("tells which ways were there, and that nothing came back", () => {
  expect(outcomes(UDP + TCP, HOST, [])).toEqual(["udp unanswered", "tcp unanswered", "turn none"]);
  expect(outcomes(UDP, HOST, [{ urls: "stun:s.example" }])).toEqual([
    "udp unanswered",
    "tcp none",
    "turn none",
  ]);
});

it("tells a TURN server that gave no way from one whose way was of no use", () => {
  expect(outcomes(UDP, HOST, TURN).at(-1)).toBe("turn unreachable");
  expect(outcomes(UDP, HOST + RELAY, TURN).at(-1)).toBe("turn unanswered");
});

it("says nothing of TURN while it is not known whether there is any", () => {
  expect(outcomes(UDP, HOST, null)).toEqual(["udp unanswered", "tcp none"]);
});
