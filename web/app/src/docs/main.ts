// Shows the API's documentation.
import "./docs.css";
import type { OpenApi } from "./document.ts";
import { element } from "./element.ts";
import { page } from "./page.ts";

async function show(place: HTMLElement) {
  try {
    const answer = await fetch("/api/openapi.json");
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    place.replaceChildren(page((await answer.json()) as OpenApi));
    // What the address points at is there only now.
    document.getElementById(location.hash.slice(1))?.scrollIntoView();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const again = element("a", { href: location.pathname }, "Try again");
    place.replaceChildren(
      element("p", { role: "alert" }, `The API's description did not come. ${why} `, again),
    );
  }
}

const place = document.getElementById("docs");
if (place !== null) void show(place);
