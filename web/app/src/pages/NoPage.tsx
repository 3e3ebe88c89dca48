// In place of a page that is not here: words, another try, and the way to the rooms.
import { Message } from "./Message.tsx";

export function NoPage({ title, detail }: { title: string; detail: string }) {
  return (
    <Message title={title} detail={detail}>
      <button type="button" className="button" onClick={() => location.reload()}>
        Try again
      </button>
      {/* Not by the router: the page begins anew, and what is under way is given up. */}
      <a className="button secondary" href="/">
        Go to your rooms
      </a>
    </Message>
  );
}
