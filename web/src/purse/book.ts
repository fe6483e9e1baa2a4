/** The purse's state behind one lock, so that several tabs of one device cannot cross. */

import type { PurseState, Receipt } from "./model.ts";
import type { AskKey } from "./verifying.ts";
import type { Seals } from "./people-seals.ts";

/** Where the state is kept. `save` returns once it is durable, with the receipt or not at all. */
export interface Vault {
  load(): Promise<PurseState | null>;
  save(state: PurseState, receipt: Receipt | null): Promise<void>;
  receipts(): Promise<readonly Receipt[]>;
}

export interface Locks {
  /** Waits for the lock. */
  hold<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Does nothing and answers null where another holds it. */
  tryHold<T>(name: string, work: () => Promise<T>): Promise<T | null>;
}

export interface Ports {
  readonly vault: Vault;
  readonly locks: Locks;
  /** Whole seconds since 1970. */
  readonly now: () => number;
  readonly random: (bytes: number) => Uint8Array;
  readonly pause: (ms: number) => Promise<void>;
  readonly changed: (state: PurseState) => void;
  /** Left out where nobody is paid by handle. */
  readonly seals?: Seals;
  /** Left out where no receipt is judged. */
  readonly askReceiptKey?: AskKey;
  /** Asks the operator for its relay; left out where none is used. */
  readonly askForRelay?: () => Promise<void>;
}

export class Book {
  readonly #ports: Ports;
  #state: PurseState;

  private constructor(ports: Ports, state: PurseState) {
    this.#ports = ports;
    this.#state = state;
  }

  static async open(ports: Ports, empty: PurseState): Promise<Book> {
    const kept = await ports.vault.load();
    if (kept !== null && kept.unit !== empty.unit) throw new RangeError("a purse of another unit");
    return new Book(ports, { ...empty, ...kept });
  }

  /** As last read or written here; another tab may be ahead. */
  get state(): PurseState {
    return this.#state;
  }

  async read(): Promise<PurseState> {
    // What an older release kept lacks the fields that came since.
    this.#state = { ...this.#state, ...(await this.#ports.vault.load()) };
    return this.#state;
  }

  /** One step: what is stored is read again under the lock, changed, and stored. */
  async change(
    step: (state: PurseState) => PurseState,
    receipt: Receipt | null = null,
  ): Promise<PurseState> {
    return this.#ports.locks.hold("state", async () => {
      const next = step(await this.read());
      await this.#ports.vault.save(next, receipt);
      this.#state = next;
      this.#ports.changed(next);
      return next;
    });
  }
}
