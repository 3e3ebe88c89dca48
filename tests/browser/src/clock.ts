// A camera that shows the time, and an eye that reads it: both functions run inside of pages.

/** Runs in the page before its own scripts: the camera becomes a picture of the clock, in black and white cells. */
export function showTime(): void {
  const WIDTH = 640;
  const HEIGHT = 360;
  /** 32 bits of time and one of parity. */
  const CELLS = 33;
  const devices = navigator.mediaDevices;
  if (devices === undefined) return;
  const original = devices.getUserMedia.bind(devices);
  devices.getUserMedia = async (constraints = {}) => {
    const stream = await original(constraints);
    if (!constraints.video) return stream;
    const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
    const context = canvas.getContext("2d");
    const [picture] = canvas.captureStream(0).getVideoTracks();
    if (context === null || picture === undefined) return stream;
    setInterval(() => {
      const now = Math.floor(performance.timeOrigin + performance.now()) >>> 0;
      let parity = 0;
      for (let cell = 0; cell < CELLS; cell++) {
        const bit = cell < 32 ? (now >>> cell) & 1 : parity;
        parity ^= bit;
        context.fillStyle = bit ? "#fff" : "#000";
        context.fillRect((cell * WIDTH) / CELLS, 0, WIDTH / CELLS + 1, HEIGHT);
      }
      (picture as CanvasCaptureMediaStreamTrack).requestFrame();
    }, 1_000 / 30);
    for (const track of stream.getVideoTracks()) {
      stream.removeTrack(track);
      track.stop();
    }
    stream.addTrack(picture);
    return stream;
  };
}

/** Runs in a page: reads the clock off somebody's pictures for some seconds; returns the delays in milliseconds. */
export function watchTime(participant: string): Promise<number[]> {
  const CELLS = 33;
  /** The jitter buffer settles first. */
  const SETTLE_MS = 5_000;
  const WATCH_MS = 10_000;
  const video = document.querySelector<HTMLVideoElement>(
    `[data-participant="${participant}"][data-source=camera] video`,
  );
  const canvas = new OffscreenCanvas(CELLS * 4, 4);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  const delays: number[] = [];
  const started = performance.now();
  return new Promise((resolve) => {
    const read = () => {
      const now = performance.now();
      if (video === null || context === null || now > started + SETTLE_MS + WATCH_MS) return resolve(delays);
      context.drawImage(video, 0, 0, canvas.width, canvas.height);
      const { data } = context.getImageData(0, 2, canvas.width, 1);
      const bits = Array.from({ length: CELLS }, (_, cell) =>
        (data[(cell * 4 + 2) * 4] ?? 0) > 127 ? 1 : 0,
      );
      const parity = bits.slice(0, 32).reduce<number>((sum, bit) => sum ^ bit, 0);
      const shown = bits.slice(0, 32).reduce<number>((sum, bit, place) => sum + bit * 2 ** place, 0);
      const delay = (Math.floor(performance.timeOrigin + now) >>> 0) - shown;
      // A picture cut off by the tile's shape or blurred by compression fails its parity.
      if (now > started + SETTLE_MS && parity === bits[32] && delay >= 0 && delay < 5_000) delays.push(delay);
      video.requestVideoFrameCallback(read);
    };
    read();
  });
}
