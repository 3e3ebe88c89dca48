// A WebSocket whose messages can be waited for by type.

interface Typed {
  type: string;
}

export class Socket<M extends Typed> {
  #socket: WebSocket;
  #received: M[] = [];
  #waiting = new Set<() => void>();
  /** Resolves to the code of the close. */
  readonly closed: Promise<number>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", (event) => {
      if (event.data === "pong") this.#received.push({ type: "pong" } as M);
      else this.#received.push(JSON.parse(String(event.data)) as M);
      for (const wake of this.#waiting) wake();
    });
    this.closed = new Promise((resolve) => socket.addEventListener("close", ({ code }) => resolve(code)));
  }

  /** Fails when the server does not take the WebSocket. */
  static async open<M extends Typed>(url: string, headers: Record<string, string> = {}): Promise<Socket<M>> {
    // Node's WebSocket takes headers, which the type of the browser's does not know.
    const options = { headers } as unknown as string[];
    const socket = new WebSocket(url.replace("http", "ws"), options);
    const wrapped = new Socket<M>(socket);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve());
      socket.addEventListener("error", () => reject(new Error(`refused: ${url}`)));
    });
    return wrapped;
  }

  send(message: object | string): void {
    this.#socket.send(typeof message === "string" ? message : JSON.stringify(message));
  }

  sendBytes(bytes: Uint8Array<ArrayBuffer>): void {
    this.#socket.send(bytes);
  }

  close(): void {
    this.#socket.close();
  }

  /** The first message of this type that fits and was not taken yet; other messages stay. */
  async next<T extends M["type"]>(
    type: T,
    fits: (message: Extract<M, { type: T }>) => boolean = () => true,
    patience = 10_000,
  ): Promise<Extract<M, { type: T }>> {
    for (;;) {
      const index = this.#received.findIndex(
        (message) => message.type === type && fits(message as Extract<M, { type: T }>),
      );
      if (index >= 0) return this.#received.splice(index, 1)[0] as Extract<M, { type: T }>;
      await new Promise<void>((resolve, reject) => {
        const late = setTimeout(() => {
          const seen = this.#received.map((message) => JSON.stringify(message).slice(0, 200));
          reject(new Error(`no ${type} within ${patience} ms; not taken: ${seen.join("\n")}`));
        }, patience);
        const wake = () => {
          clearTimeout(late);
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  /** Messages of this type that were not taken yet. */
  pending(type: M["type"]): M[] {
    return this.#received.filter((message) => message.type === type);
  }
}
