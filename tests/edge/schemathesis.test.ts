// What schemathesis finds out about the running Worker when it has read nothing but the OpenAPI document: it is to find nothing.
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Person, World } from "./world.ts";

const HERE = new URL("./", import.meta.url).pathname;
const CACHE = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
const [, VERSION] = /^schemathesis==(\S+)/m.exec(readFileSync(join(HERE, "schemathesis.txt"), "utf8")) ?? [];
/** Where `cargo xtask test` installs it. */
const PACKAGES = join(CACHE, `connect/tools/schemathesis-${VERSION}`);
/** More often than it asks. */
const MANY = "1000000/1";

let world: World;
let ada: Person;
beforeAll(async () => {
  world = await World.start({
    // Mails stand on a page: without any way for them there is nothing to ask for.
    CONNECT_MAIL_DEVELOPMENT: "yes",
    CONNECT_PUBLIC_URL: "https://connect.example",
    CONNECT_LIMIT_MAIL_ADDRESS: MANY,
    CONNECT_LIMIT_REQUESTS: MANY,
    CONNECT_LIMIT_ACCOUNT: MANY,
    CONNECT_LIMIT_ADDRESS: MANY,
    CONNECT_LIMIT_REGISTER: MANY,
    CONNECT_LIMIT_CREATE_USER: MANY,
    CONNECT_LIMIT_CREATE_ADDRESS: MANY,
    CONNECT_LIMIT_JOIN_ADDRESS: MANY,
    CONNECT_LIMIT_SEARCH_ADDRESS: MANY,
    CONNECT_LIMIT_ROOM_PASSWORD_ADDRESS: MANY,
    CONNECT_LIMIT_ROOM_PASSWORD: MANY,
  });
  ada = await world.person("Ada");
});
afterAll(() => world.stop());

/** Runs it to its end. */
function schemathesis(environment: Record<string, string>): Promise<{ code: number | null; said: string }> {
  const child = spawn(
    "python3",
    [
      "-m",
      "schemathesis.cli",
      "--config-file",
      join(HERE, "schemathesis.toml"),
      "run",
      join(HERE, "../../web/app/public/api/openapi.json"),
      "--url",
      world.url,
    ],
    {
      cwd: HERE,
      env: { ...process.env, PYTHONPATH: PACKAGES, PYTHONDONTWRITEBYTECODE: "1", ...environment },
    },
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, said })));
}

test("nothing is answered otherwise than the document says", async () => {
  const { code, said } = await schemathesis({
    CONNECT_TOKEN: ada.token,
    CONNECT_REFRESH: ada.cookies.refresh.split("=")[1] ?? "",
    CONNECT_ROOM: (await ada.createRoom()).id,
    CONNECT_OTHER_ROOM: (await ada.createRoom()).id,
  });
  expect(code, said).toBe(0);
}, 300_000);
