// Stages of 10, 25, 50 and 100 people who register, sign in, create a room, and in rooms of five chat and vote over WebSockets.
// `cargo xtask load` starts a Connect for it; against another one:
//   CONNECT_URL=http://localhost:8787 k6 run --no-usage-report --quiet loadtest/k6/people.js
import { check } from "k6";
import exec from "k6/execution";
import http from "k6/http";
import { Trend } from "k6/metrics";
import { WebSocket } from "k6/websockets";

const url = __ENV.CONNECT_URL || "http://localhost:8787";
const stages = (__ENV.CONNECT_STAGES || "10,25,50,100").split(",").map(Number);
/** Seconds in which the people of a stage come, and that each of them stays in a room. */
const COMING = 10;
const staying = Number(__ENV.CONNECT_SECONDS || 20);
/** Seconds until the next stage: the last to come have left by then. */
const LEAVING = 8;
const STAGE = COMING + staying + LEAVING;
const ROOM = 5;
/** How many register all the time, in all stages: nobody else is to notice. */
const registering = Number(__ENV.CONNECT_REGISTERING || 0);
/** Bounds of the specification at the 95th percentile, in milliseconds; and what is aimed at. */
const BOUNDS = { route: 100, echo: 50 };
const AIMS = { route: 20, echo: 10 };

/** From a message to its acknowledgment, to its arrival at another's, and to the acknowledgment of a vote. */
const echo = new Trend("echo", true);
const heard = new Trend("heard", true);
const vote = new Trend("vote", true);
/** From the request for a WebSocket to the welcome. */
const welcome = new Trend("welcome", true);

/** What is asked for, and whether a password is hashed for it. */
const ROUTES = {
  "POST auth/register": true,
  "POST auth/login (wrong)": true,
  "POST auth/login": false,
  "GET auth/me": false,
  "GET ice-servers": false,
  "POST rooms": false,
  "GET rooms": false,
  "GET rooms/ID": false,
  "GET rooms/ID/door": false,
  "GET directory": false,
  "POST rooms/ID/join": false,
};
const SOCKET = ["welcome", "echo", "heard", "vote"];
const names = stages.map((people) => `people_${people}`);
const BESIDE = "registering";
const of = (metric, name, tags = "") => `${metric}{scenario:${name}${tags}}`;
/** k6 keeps apart what has a threshold of its own. */
const KEEP = ["max>=0"];

export const options = {
  scenarios: {
    ...Object.fromEntries(
      stages.map((vus, index) => [
        names[index],
        {
          executor: "per-vu-iterations",
          vus,
          iterations: 1,
          startTime: `${index * STAGE}s`,
          maxDuration: `${COMING + staying + 60}s`,
        },
      ]),
    ),
    ...(registering && {
      [BESIDE]: {
        executor: "constant-vus",
        exec: "register",
        vus: registering,
        duration: `${stages.length * STAGE}s`,
      },
    }),
  },
  thresholds: {
    checks: ["rate==1"],
    ...(registering && { [of("http_req_duration", BESIDE)]: KEEP }),
    ...Object.fromEntries(
      names.flatMap((name) => [
        [of("http_req_duration", name, ",hashes:no"), [`p(95)<${BOUNDS.route}`]],
        [of("http_req_duration", name, ",hashes:yes"), KEEP],
        ...Object.keys(ROUTES).map((route) => [of("http_req_duration", name, `,route:${route}`), KEEP]),
        ...SOCKET.map((metric) => [of(metric, name), metric === "echo" ? [`p(95)<${BOUNDS.echo}`] : KEEP]),
      ]),
    ),
  },
  summaryTrendStats: ["count", "med", "p(95)", "p(99)", "max"],
};

const pause = (seconds) => new Promise((go) => setTimeout(go, seconds * 1000));

/** Asks the API as somebody at an address of their own. */
async function ask(route, path, { body, token, status = 200, address } = {}) {
  const headers = { "content-type": "application/json", "cf-connecting-ip": address };
  if (token) headers.authorization = `Bearer ${token}`;
  const [method] = route.split(" ");
  const answer = await http.asyncRequest(method, `${url}/api/${path}`, body ? JSON.stringify(body) : null, {
    headers,
    tags: { route, hashes: ROUTES[route] ? "yes" : "no" },
    responseCallback: http.expectedStatuses(status),
  });
  const well = check(answer, { [`${route} answers ${status}`]: ({ status: answered }) => answered === status });
  if (!well) throw new Error(`${route} answered ${answer.status}: ${answer.body}`);
  return answer.body ? answer.json() : undefined;
}

/** A WebSocket, and a promise of its welcome. Messages go to who listens for their type. */
function enter(path) {
  const asked = Date.now();
  const socket = new WebSocket(url.replace("http", "ws") + path);
  const listeners = {};
  const welcomed = new Promise((resolve, reject) => {
    listeners.welcome = (message) => resolve([message, Date.now() - asked]);
    listeners.error = (message) => reject(new Error(JSON.stringify(message)));
    socket.onerror = (event) => reject(new Error(event.error));
  });
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    listeners[message.type]?.(message);
  };
  const send = (message) => socket.send(JSON.stringify(message));
  return { socket, listeners, welcomed, send };
}

/** Makes the rooms in which people meet, each with a poll. */
export async function setup() {
  const run = Date.now().toString(36);
  const address = "192.0.2.1";
  const account = { email: `host-${run}@example.com`, password: "password123", name: "Host" };
  const { token } = await ask("POST auth/register", "auth/register", { body: account, status: 201, address });
  const rooms = {};
  for (const [index, name] of names.entries()) {
    rooms[name] = [];
    for (let left = stages[index]; left > 0; left -= ROOM) {
      const body = { name: `Room of ${name}` };
      const room = await ask("POST rooms", "rooms", { body, token, address });
      const join = `rooms/${room.id}/join`;
      const { url: path } = await ask("POST rooms/ID/join", join, { body: {}, token, address });
      const { socket, listeners, welcomed, send } = enter(path);
      await welcomed;
      const draft = { question: "Tea?", options: ["yes", "no"] };
      await new Promise((resolve) => {
        listeners.pollCreated = resolve;
        send({ type: "createPoll", nonce: "poll", draft });
      });
      socket.close();
      rooms[name].push(room.id);
    }
  }
  return { run, rooms };
}

/** One of the people. */
export default async function ({ run, rooms }) {
  const { name: stage } = exec.scenario;
  const number = exec.scenario.iterationInTest;
  await pause((COMING * number) / Number(stage.slice(7)));
  const address = `10.${names.indexOf(stage)}.${number >> 8}.${number & 255}`;
  const email = `load-${run}-${stage}-${number}@example.com`;
  const password = "password123";
  const name = `Person ${number}`;
  await ask("POST auth/register", "auth/register", { body: { email, password, name }, status: 201, address });
  const wrong = { email, password: "password124" };
  await ask("POST auth/login (wrong)", "auth/login", { body: wrong, status: 401, address });
  const { token } = await ask("POST auth/login", "auth/login", { body: { email, password }, address });
  const me = (route, path, more) => ask(route, path, { token, address, ...more });
  await me("GET auth/me", "auth/me");
  await me("GET ice-servers", "ice-servers");
  const own = await me("POST rooms", "rooms", { body: { name: `Room of ${name}` } });
  await me("GET rooms", "rooms");
  await me("GET rooms/ID", `rooms/${own.id}`);
  await me("GET directory", "directory");
  const room = rooms[stage][number % rooms[stage].length];
  await me("GET rooms/ID/door", `rooms/${room}/door`);
  const { url: path } = await me("POST rooms/ID/join", `rooms/${room}/join`, { body: {} });
  await stay(path, me);
}

/** Registers once more. */
export async function register({ run }) {
  const number = exec.scenario.iterationInTest;
  const body = { email: `more-${run}-${number}@example.com`, password: "password123", name: "Another" };
  const address = `172.16.${(number >> 8) & 255}.${number & 255}`;
  await ask("POST auth/register", "auth/register", { body, status: 201, address });
}

/** Is in a room: says something each second, votes, and looks at pages meanwhile. */
async function stay(path, me) {
  const { socket, listeners, welcomed, send } = enter(path);
  const [{ snapshot }, after] = await welcomed;
  welcome.add(after);
  const said = new Map();
  let acknowledged = 0;
  let voted = 0;
  let votes = 0;
  let polled = 0;
  const refused = [];
  listeners.error = (message) => refused.push(message);
  listeners.chatAccepted = ({ nonce }) => {
    echo.add(Date.now() - said.get(nonce));
    acknowledged += 1;
  };
  listeners.event = ({ event }) => {
    if (event.type === "chat") heard.add(Date.now() - Number(event.message.text.split(" ")[1]));
  };
  listeners.ownVotes = () => {
    if (voted === votes) return;
    vote.add(Date.now() - polled);
    voted += 1;
  };
  const [poll] = snapshot.polls;
  for (let second = 0; second < staying; second++) {
    const now = Date.now();
    said.set(`${second}`, now);
    send({ type: "chat", nonce: `${second}`, text: `hello ${now}` });
    await pause(0.5);
    if (second % 5 === 2) {
      polled = Date.now();
      votes += 1;
      send({ type: "vote", poll: poll.id, choices: [(second / 5) & 1] });
    }
    if (second % 3 === 1) await me("GET auth/me", "auth/me");
    if (second % 3 === 2) await me("GET rooms", "rooms");
    await pause(0.5);
  }
  await pause(1);
  check(refused, { "nothing is refused on the WebSocket": ({ length }) => length === 0 });
  check(acknowledged, { "every line is acknowledged": (lines) => lines === staying });
  check(voted, { "every vote is acknowledged": (count) => count === votes && votes > 0 });
  socket.close();
}

/** One table: a row for what is asked for, a column for each stage. */
export function handleSummary({ metrics }) {
  const quantiles = (metric) => {
    const values = metrics[metric]?.values;
    if (!values?.count) return "-";
    return ["med", "p(95)", "p(99)"].map((quantile) => values[quantile].toFixed(1)).join(" / ");
  };
  const row = (title, cells) => `${title.padEnd(34)}${cells.map((cell) => `${cell}`.padStart(26)).join("")}\n`;
  const line = (title, metric, tags) => row(title, names.map((name) => quantiles(of(metric, name, tags))));
  const worst = (metric, tags, aim, bound) => {
    const values = names.map((name) => metrics[of(metric, name, tags)]?.values["p(95)"]);
    const reached = (limit) => names.filter((_, index) => values[index] < limit).map((name) => name.slice(7));
    const told = (limit) => `${limit} ms with ${reached(limit).join(", ") || "none of these numbers of"} people`;
    return `p95 under ${told(aim)} (the aim), under ${told(bound)} (the bound)\n`;
  };
  const routes = Object.entries(ROUTES).map(([route, hashes]) =>
    line(`${hashes ? "#" : " "} ${route}`, "http_req_duration", `,route:${route}`),
  );
  const { passes, fails } = metrics.checks.values;
  const text = [
    row("ms: p50 / p95 / p99", stages.map((people) => `${people} people`)),
    ...routes,
    line("# all that hash a password", "http_req_duration", ",hashes:yes"),
    line("  all that hash none", "http_req_duration", ",hashes:no"),
    line("  WebSocket: until the welcome", "welcome"),
    line("  WebSocket: chat acknowledged", "echo"),
    line("  WebSocket: chat at the others'", "heard"),
    line("  WebSocket: vote acknowledged", "vote"),
    row(
      "  requests that hash none",
      names.map((name) => metrics[of("http_req_duration", name, ",hashes:no")]?.values.count ?? 0),
    ),
    ...(registering
      ? [`  ${registering} who registered all the time: ${quantiles(of("http_req_duration", BESIDE))}\n`]
      : []),
    `\nRoutes that hash none: ${worst("http_req_duration", ",hashes:no", AIMS.route, BOUNDS.route)}`,
    `Chat acknowledged: ${worst("echo", "", AIMS.echo, BOUNDS.echo)}`,
    `Checks: ${passes} of ${passes + fails} passed\n`,
  ].join("");
  return { stdout: `\n${text}` };
}
