// For developers: keys to the API, webhooks, and what was sent to them.
import { Link } from "../router.tsx";
import { Logo } from "../ui/Logo.tsx";
import { Keys } from "./Keys.tsx";
import { Webhooks } from "./Webhooks.tsx";
import "./developers.css";

export default function DevelopersPage() {
  return (
    <>
      <title>Developers · Connect</title>
      <header className="top">
        <Logo />
        <Link className="button quiet" to="/">
          Your rooms
        </Link>
      </header>
      <main className="home developers">
        <h1>Developers</h1>
        <p className="muted">
          Your programs make rooms and let people in by a key, and hear of them by webhooks.{" "}
          <a href="/docs">How the API is used</a>
        </p>
        <Keys />
        <Webhooks />
      </main>
    </>
  );
}
