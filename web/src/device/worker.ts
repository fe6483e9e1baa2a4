/** The service worker: installed in the background, replaced when the person says so. */

export function registerWorker(updateReady: (apply: () => void) => void): void {
  if (!("serviceWorker" in navigator) || !import.meta.env.PROD) return;
  const { serviceWorker } = navigator;
  // The first worker takes over a page that had none: that is no update to reload for.
  let hadOne = serviceWorker.controller !== null;
  serviceWorker.addEventListener("controllerchange", () => {
    if (hadOne) location.reload();
    hadOne = true;
  });
  void serviceWorker
    .register("/service-worker.js", { scope: "/" })
    .then((registration) => {
      const offer = (worker: ServiceWorker | null): void => {
        if (worker === null || serviceWorker.controller === null) return;
        updateReady(() => worker.postMessage("take-over"));
      };
      offer(registration.waiting);
      registration.addEventListener("updatefound", () => {
        const worker = registration.installing;
        worker?.addEventListener("statechange", () => {
          if (worker.state === "installed") offer(worker);
        });
      });
    })
    .catch(() => undefined);
}
