// Fifty people behind one address sign in and create a room, once a second each.
//   k6 run --no-usage-report loadtest/k6/sign-in-and-create.js        (CONNECT_URL, default http://localhost:8787)
import { check, fail, sleep } from "k6";
import http from "k6/http";

const url = __ENV.CONNECT_URL || "http://localhost:8787";
const people = 50;
const json = { headers: { "content-type": "application/json" } };

export const options = {
  vus: people,
  duration: __ENV.DURATION || "30s",
  thresholds: { checks: ["rate==1"] },
};

export function setup() {
  const run = Date.now().toString(36);
  return Array.from({ length: people }, (_, i) => {
    const account = { email: `load-${run}-${i}@example.com`, password: "password123", name: `Load ${i}` };
    const answer = http.post(`${url}/api/auth/register`, JSON.stringify(account), json);
    if (answer.status !== 201) fail(`registration answered ${answer.status}: ${answer.body}`);
    return account.email;
  });
}

export default function (emails) {
  const email = emails[(__VU - 1) % emails.length];
  const login = http.post(`${url}/api/auth/login`, JSON.stringify({ email, password: "password123" }), json);
  check(login, {
    "signed in": (answer) => answer.status === 200,
    "has a token": (answer) => Boolean(answer.json("token")),
  });
  const headers = { ...json.headers, authorization: `Bearer ${login.json("token")}` };
  const room = http.post(`${url}/api/rooms/create`, JSON.stringify({ name: `Room of ${email}` }), { headers });
  check(room, {
    "room created": (answer) => answer.status === 200,
    "has an id": (answer) => Boolean(answer.json("id")),
  });
  sleep(1);
}
