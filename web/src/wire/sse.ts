/** Server-sent events read from a fetched body, because EventSource cannot send a token. */

export interface Frame {
  readonly id: string | null;
  readonly event: string;
  readonly data: string;
}

/** Feeds on text in any pieces; gives back the frames that are complete. */
export class FrameReader {
  #rest = "";
  #id: string | null = null;
  #event = "";
  #data: string[] = [];

  feed(piece: string): Frame[] {
    const frames: Frame[] = [];
    const lines = (this.#rest + piece).split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") this.#finish(frames);
      else this.#take(line);
    }
    return frames;
  }

  #take(line: string): void {
    if (line.startsWith(":")) return;
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "id") this.#id = value;
    else if (name === "event") this.#event = value;
    else if (name === "data") this.#data.push(value);
  }

  #finish(frames: Frame[]): void {
    if (this.#data.length > 0) {
      frames.push({ id: this.#id, event: this.#event || "message", data: this.#data.join("\n") });
    }
    this.#event = "";
    this.#data = [];
  }
}
