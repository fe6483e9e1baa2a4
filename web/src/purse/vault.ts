/**
 * The purse on the device: IndexedDB, sealed with a key that cannot leave this browser.
 *
 * Whoever copies the browser's files finds no e-cash in them, only how many payments there were.
 * The name of a record is sealed along with it, so records cannot change places.
 */

import type { Locks, Vault } from "./book.ts";
import type { PurseState, Receipt } from "./model.ts";

const NAME = "amana-purse";
const VERSION = 1;
const IV_BYTES = 12;

interface Sealed {
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly sealed: ArrayBuffer;
}

function opened(): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("keys");
      request.result.createObjectStore("records");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the purse's store did not open"));
  });
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the purse's store did not answer"));
  });
}

function finished(work: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    work.oncomplete = () => resolve();
    work.onabort = () => reject(work.error ?? new Error("the purse's store refused to write"));
  });
}

/** The key of this browser, made on first use; the one that is stored wins. */
async function keyOf(database: IDBDatabase): Promise<CryptoKey> {
  const usages: KeyUsage[] = ["encrypt", "decrypt"];
  const fresh = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, usages);
  const work = database.transaction("keys", "readwrite", { durability: "strict" });
  const store = work.objectStore("keys");
  const kept = (await answered(store.get("key"))) as CryptoKey | undefined;
  if (kept === undefined) store.put(fresh, "key");
  await finished(work);
  return kept ?? fresh;
}

export async function openVault(account: string): Promise<Vault> {
  const database = await opened();
  const key = await keyOf(database);
  const stateName = `purse ${account}`;
  const receiptsUnder = `receipt ${account} `;
  return {
    async load() {
      const store = database.transaction("records", "readonly").objectStore("records");
      const record = (await answered(store.get(stateName))) as Sealed | undefined;
      return record === undefined ? null : ((await unsealed(key, stateName, record)) as PurseState);
    },
    async save(state, receipt) {
      // Sealing waits, and a transaction does not: so it is done before one is begun.
      const records = [[stateName, await sealed(key, stateName, state)] as const];
      if (receipt !== null) {
        const name = receiptsUnder + receipt.id;
        records.push([name, await sealed(key, name, receipt)] as const);
      }
      const work = database.transaction("records", "readwrite", { durability: "strict" });
      for (const [name, record] of records) work.objectStore("records").put(record, name);
      await finished(work);
    },
    async receipts() {
      const store = database.transaction("records", "readonly").objectStore("records");
      const range = IDBKeyRange.bound(receiptsUnder, `${receiptsUnder}\uffff`);
      const [names, records] = await Promise.all([
        answered(store.getAllKeys(range)) as Promise<string[]>,
        answered(store.getAll(range)) as Promise<Sealed[]>,
      ]);
      const found = await Promise.all(
        records.map((record, at) => unsealed(key, names[at] ?? "", record)),
      );
      return (found as Receipt[]).toSorted((a, b) => b.paidAt - a.paidAt);
    },
  };
}

async function sealed(key: CryptoKey, name: string, value: unknown): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  const plain = new TextEncoder().encode(JSON.stringify(value));
  return { iv, sealed: await crypto.subtle.encrypt(alongWith(iv, name), key, plain) };
}

async function unsealed(key: CryptoKey, name: string, record: Sealed): Promise<unknown> {
  const plain = await crypto.subtle.decrypt(alongWith(record.iv, name), key, record.sealed);
  return JSON.parse(new TextDecoder().decode(plain)) as unknown;
}

function alongWith(iv: Uint8Array<ArrayBuffer>, name: string): AesGcmParams {
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) };
}

/** The browser's own locks: they end with the tab that held them. */
export function webLocks(account: string): Locks {
  const full = (name: string): string => `amana purse ${account} ${name}`;
  return {
    hold: async (name, work) => navigator.locks.request(full(name), () => work()),
    tryHold: async (name, work) =>
      navigator.locks.request(full(name), { ifAvailable: true }, (lock) =>
        lock === null ? null : work(),
      ),
  };
}
