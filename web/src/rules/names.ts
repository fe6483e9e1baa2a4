/** A party's name in the reader's language, if it has one there. */
export interface Named {
  readonly handle: string;
  readonly name?: string | null;
  readonly names?: Readonly<Record<string, string>> | null;
}

export function nameFor(party: Named, language: string): string {
  const own = party.names?.[language] ?? party.name;
  return own == null || own === "" ? `@${party.handle}` : own;
}
