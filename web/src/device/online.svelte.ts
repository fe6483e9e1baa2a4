/** Whether the device says that it has a network. That it has one does not say who is reached. */

let online = $state(navigator.onLine);
const waiting = new Set<() => void>();

window.addEventListener("online", () => {
  online = true;
  for (const goOn of waiting) goOn();
});
window.addEventListener("offline", () => (online = false));

export function isOnline(): boolean {
  return online;
}

/** Waits so long, or until the network comes back. */
export function pauseOrOnline(ms: number): Promise<void> {
  return new Promise((resolve) => {
    const goOn = (): void => {
      clearTimeout(timer);
      waiting.delete(goOn);
      resolve();
    };
    const timer = setTimeout(goOn, ms);
    waiting.add(goOn);
  });
}
