// The static files as the Worker's platform serves them: the rules of wrangler.toml and _headers over a small build.
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
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
  copyFileSync(join(ROOT, "web/app/public/_headers"), join(directory, "_headers"));
  const settings = section(readFileSync(join(ROOT, "wrangler.toml"), "utf8"), "assets");
  return {
    directory,
    binding: settings.get("binding"),
    routerConfig: {
      has_user_worker: true,
      static_routing: { user_worker: settings.get("run_worker_first") },
    },
    assetConfig: { not_found_handling: settings.get("not_found_handling") },
  };
}

/** The values of one section of a TOML file, where they are written as in JSON. */
function section(toml: string, name: string) {
  const [, body = ""] = toml.split(`[${name}]\n`);
  const lines = body.split(/^\[/m)[0]?.matchAll(/^(\w+) = (.+)$/gm) ?? [];
  return new Map([...lines].map(([, key = "", value = ""]) => [key, JSON.parse(value)]));
}
