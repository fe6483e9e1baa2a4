/**
 * Keeps the shell of the wallet and the till on the device, so that they open without a network.
 *
 * Pages come from the network first, so that a new release is seen at once, unless it is slow or
 * answers with a fault; files whose names carry a hash come from the store. Nothing under /v1/ is
 * ever touched: balances and payments are asked for, not remembered.
 */

export {};

declare const self: ServiceWorkerGlobalScope & {
  readonly __amanaShell: { readonly version: string; readonly files: readonly string[] };
};

const PAGES: ReadonlySet<string> = new Set(["/", "/wallet", "/till"]);
/** Longer than a slow network takes for a page, and short enough to wait for at a till. */
const PATIENCE_MS = 3_000;
const FAULTS_FROM = 400;
const PREFIX = "amana-shell-";
const shell = self.__amanaShell;
const STORE = `${PREFIX}${shell.version}`;

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(STORE)
      .then((store) =>
        store.addAll(shell.files.map((file) => new Request(file, { cache: "reload" }))),
      ),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      await Promise.all(
        names
          .filter((name) => name.startsWith(PREFIX) && name !== STORE)
          .map((name) => caches.delete(name)),
      );
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("message", (event) => {
  if (event.data === "take-over") void self.skipWaiting();
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (PAGES.has(address.pathname)) event.respondWith(page(address.pathname, request));
  else if (shell.files.includes(address.pathname))
    event.respondWith(asset(address.pathname, request));
});

/** What is kept stands in where nothing comes in time, and for a fault or a refusal, which a proxy may say. */
async function page(path: string, request: Request): Promise<Response> {
  const kept = await (await caches.open(STORE)).match(path);
  if (kept === undefined) return fetch(request);
  const answered = fetch(request).then(
    (response) => (response.status < FAULTS_FROM ? response : kept),
    () => kept,
  );
  const late = new Promise<Response>((resolve) => setTimeout(resolve, PATIENCE_MS, kept));
  return Promise.race([answered, late]);
}

async function asset(path: string, request: Request): Promise<Response> {
  const kept = await (await caches.open(STORE)).match(path);
  return kept ?? fetch(request);
}
