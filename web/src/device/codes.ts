/** Reading codes from a camera or a picture. The reader is loaded when first asked for. */

const SIDE_MAX = 1200;
const LOOK_EVERY_MS = 140;

async function decoder() {
  return (await import("qr/decode.js")).decodeQR;
}

/** The picture's code, or null when none is found in it. */
export async function codeInPicture(file: Blob): Promise<string | null> {
  const decode = await decoder();
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (bitmap === null) return null;
  const scale = Math.min(1, SIDE_MAX / Math.max(bitmap.width, bitmap.height));
  const found = codeIn(
    decode,
    bitmap,
    Math.round(bitmap.width * scale),
    Math.round(bitmap.height * scale),
  );
  bitmap.close();
  return found;
}

type Decode = Awaited<ReturnType<typeof decoder>>;

function codeIn(
  decode: Decode,
  source: CanvasImageSource,
  width: number,
  height: number,
): string | null {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (pen === null || width === 0 || height === 0) return null;
  pen.drawImage(source, 0, 0, width, height);
  try {
    return decode(pen.getImageData(0, 0, width, height));
  } catch {
    // The reader throws when it finds no code, which is what most frames are.
    return null;
  }
}

export type CameraFault = "refused" | "absent";

export interface Watch {
  stop(): void;
}

/** Shows the camera in `video` and looks for codes until `found` has enough or `stop` is called. */
export async function watchForCodes(
  video: HTMLVideoElement,
  found: (code: string) => Promise<boolean>,
): Promise<Watch | CameraFault> {
  const stream = await camera();
  if (typeof stream === "string") return stream;
  let running = true;
  const stop = (): void => {
    running = false;
    for (const track of stream.getTracks()) track.stop();
    video.srcObject = null;
  };
  video.srcObject = stream;
  await video.play().catch(() => undefined);
  const decode = await decoder();
  const look = async (): Promise<void> => {
    if (!running) return;
    const scale = Math.min(1, 800 / Math.max(video.videoWidth, video.videoHeight, 1));
    const code = codeIn(
      decode,
      video,
      Math.round(video.videoWidth * scale),
      Math.round(video.videoHeight * scale),
    );
    if (code !== null && (await found(code))) stop();
    else setTimeout(() => void look(), LOOK_EVERY_MS);
  };
  void look();
  return { stop };
}

async function camera(): Promise<MediaStream | CameraFault> {
  // Absent outside a secure context, whatever the browser's types say.
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return "absent";
  try {
    return await devices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch (error) {
    return error instanceof DOMException && error.name === "NotAllowedError" ? "refused" : "absent";
  }
}
