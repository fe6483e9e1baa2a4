/** Sealing letters to a device and opening them; the keys stay where the browser keeps them. */

import { openNote, sealNote } from "../device/seal.ts";
import { all, find } from "../device/store.ts";

export interface Seals {
  /** Null where the key is none. */
  seal(publicKey: string, text: string): Promise<string | null>;
  /** Null where no key of this device opens it. */
  open(sealed: string): Promise<string | null>;
  /** Whether what is sealed to this key can be opened here. */
  has(publicKey: string): Promise<boolean>;
}

export const deviceSeals: Seals = {
  seal: (publicKey, text) => sealNote(publicKey, { text, salt: null }),
  async open(sealed) {
    // The newest key is not always the right one: a letter may have been on its way for days.
    for (const key of await all("noteKeys")) {
      const note = await openNote(key, sealed);
      if (note !== null) return note.text;
    }
    return null;
  },
  has: async (publicKey) => (await find("noteKeys", publicKey)) !== null,
};

/** Where no device keeps keys: nothing is sealed and nothing opened. */
export const noSeals: Seals = {
  seal: () => Promise.resolve(null),
  open: () => Promise.resolve(null),
  has: () => Promise.resolve(false),
};
