// Plays the audio slots: one hidden element per slot.

/** The voices of the room. */
export class AudioOutput {
  readonly #elements: HTMLAudioElement[] = [];
  #tracks: readonly MediaStreamTrack[] = [];

  /** Plays these tracks instead of those before; the same ones go on without a gap. */
  play(tracks: readonly MediaStreamTrack[]): void {
    if (tracks.length === this.#tracks.length && tracks.every((track, i) => track === this.#tracks[i]))
      return;
    this.end();
    this.#tracks = tracks;
    for (const track of tracks) {
      const element = document.createElement("audio");
      element.hidden = true;
      element.autoplay = true;
      element.srcObject = new MediaStream([track]);
      document.body.append(element);
      this.#elements.push(element);
      // Refused only before any gesture of the user; a call begins with one.
      element.play().catch(() => {});
    }
  }

  end(): void {
    this.#tracks = [];
    for (const element of this.#elements.splice(0)) {
      element.srcObject = null;
      element.remove();
    }
  }
}
