/** The till's sounds, made on the spot: two rising tones for paid, one low tone for over. */

let context: AudioContext | null = null;

/** Browsers let a page sound only after a touch, so the till calls this on its first key. */
export function wakeSound(): void {
  try {
    context ??= new AudioContext();
    if (context.state === "suspended") void context.resume();
  } catch {
    context = null;
  }
}

function tone(audio: AudioContext, hertz: number, start: number, seconds: number): void {
  const wave = audio.createOscillator();
  const volume = audio.createGain();
  const at = audio.currentTime + start;
  wave.type = "sine";
  wave.frequency.value = hertz;
  volume.gain.setValueAtTime(0, at);
  volume.gain.linearRampToValueAtTime(0.35, at + 0.015);
  volume.gain.exponentialRampToValueAtTime(0.001, at + seconds);
  wave.connect(volume).connect(audio.destination);
  wave.start(at);
  wave.stop(at + seconds);
}

export function soundPaid(): void {
  wakeSound();
  if (context === null) return;
  tone(context, 659.26, 0, 0.28);
  tone(context, 987.77, 0.14, 0.5);
}

export function soundOver(): void {
  wakeSound();
  if (context !== null) tone(context, 233.08, 0, 0.4);
}
