// The static files as the Worker's platform serves them: the rules of wrangler.toml and _headers over a small build.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const ROOT = new URL("../../", import.meta.url).pathname;

/** Miniflare's `assets` for these files. */
export function siteOf(files: Record<string, string>) {
  const directory = mkdtempSync(join(tmpdir(), "connect-site-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(directory, path, ".."), { recursive: true });
    writeFileSync(join(directory, path), text);
  }
  const settings = section(readFileSync(join(ROOT, "wrangler.toml"), "utf8"), "assets");
  const first: string[] = JSON.parse(settings.get("run_worker_first") ?? "[]");
  return {
    directory,
    binding: JSON.parse(settings.get("binding") ?? "null"),
    routerConfig: { has_user_worker: true, static_routing: { user_worker: first } },
    assetConfig: {
      not_found_handling: JSON.parse(settings.get("not_found_handling") ?? '"none"'),
      has_static_routing: true,
      headers: { version: 2 as const, rules: headerRules() },
    },
  };
}

/** The values of one section of a TOML file, as written. */
function section(toml: string, name: string): Map<string, string> {
  const [, body = ""] = toml.split(`[${name}]\n`);
  const lines = body.split(/^\[/m)[0]?.matchAll(/^(\w+) = (.+)$/gm) ?? [];
  return new Map([...lines].map(([, key = "", value = ""]) => [key, value]));
}

/** What `_headers` sets, by path. */
function headerRules() {
  const rules: Record<string, { set: Record<string, string> }> = {};
  let rule = { set: {} as Record<string, string> };
  for (const line of readFileSync(join(ROOT, "web/app/public/_headers"), "utf8").split("\n")) {
    const [name = "", ...rest] = line.split(":");
    if (line.startsWith("/")) {
      rule = { set: {} };
      rules[line] = rule;
    } else if (rest.length > 0) rule.set[name.trim()] = rest.join(":").trim();
  }
  return rules;
}
