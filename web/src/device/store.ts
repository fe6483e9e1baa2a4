/** What this device keeps for itself: payments on their way, note keys, notes not yet sent. */

import type { Intent } from "../rules/intent.ts";
import type { Note } from "../rules/note.ts";
import type { NoteKey } from "./seal.ts";

const NAME = "amana";
const VERSION = 1;

interface Kept {
  intents: Intent;
  noteKeys: NoteKey;
  orderNotes: { readonly order: string; readonly note: Note };
}

const KEY_PATHS = { intents: "key", noteKeys: "publicKey", orderNotes: "order" } as const;
type StoreName = keyof Kept;
const STORES = Object.keys(KEY_PATHS) as StoreName[];

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const store of STORES) {
        request.result.createObjectStore(store, { keyPath: KEY_PATHS[store] });
      }
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the device's store did not open"));
  });
  return opened;
}

function finished(work: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    work.oncomplete = () => resolve();
    work.onabort = () => reject(work.error ?? new Error("the device's store refused to write"));
  });
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error("the device's store did not answer"));
  });
}

export async function keep<S extends StoreName>(
  store: S,
  ...values: readonly Kept[S][]
): Promise<void> {
  const work = (await database()).transaction(store, "readwrite", { durability: "strict" });
  for (const value of values) work.objectStore(store).put(value);
  await finished(work);
}

/** An intent and the key that will open its receipt are kept together or not at all. */
export async function keepIntent(intent: Intent, noteKey: NoteKey | null): Promise<void> {
  const work = (await database()).transaction(["intents", "noteKeys"], "readwrite", {
    durability: "strict",
  });
  work.objectStore("intents").put(intent);
  if (noteKey !== null) work.objectStore("noteKeys").put(noteKey);
  await finished(work);
}

export async function find<S extends StoreName>(store: S, key: string): Promise<Kept[S] | null> {
  const work = (await database()).transaction(store, "readonly");
  const found = (await answered(work.objectStore(store).get(key))) as Kept[S] | undefined;
  return found ?? null;
}

export async function all<S extends StoreName>(store: S): Promise<Kept[S][]> {
  const work = (await database()).transaction(store, "readonly");
  return (await answered(work.objectStore(store).getAll())) as Kept[S][];
}

export async function forget(store: StoreName, key: string): Promise<void> {
  const work = (await database()).transaction(store, "readwrite");
  work.objectStore(store).delete(key);
  await finished(work);
}

interface Settings {
  get(name: string): string | null;
  set(name: string, value: string | null): void;
}

/** The store itself is asked for with each use: a browser may refuse even to name it. */
function settingsIn(store: () => Storage): Settings {
  return {
    get(name) {
      try {
        return store().getItem(`amana.${name}`);
      } catch {
        return null;
      }
    },
    set(name, value) {
      try {
        if (value === null) store().removeItem(`amana.${name}`);
        else store().setItem(`amana.${name}`, value);
      } catch {
        // Nothing to do: the setting holds until the page is left.
      }
    },
  };
}

/** Small plain settings. A browser that refuses storage (private mode) loses them on leaving. */
export const settings = settingsIn(() => localStorage);

/** What outlives a reload, and neither this tab nor a look from another one. */
export const thisTab = settingsIn(() => sessionStorage);
