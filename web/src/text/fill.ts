import { type Key, en } from "./en.ts";

/** Names in other scripts must not turn the sentence around them: each value is isolated. */
export function filled(pattern: string, values: Readonly<Record<string, string>>): string {
  return pattern.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    return value === undefined ? whole : `\u2068${value}\u2069`;
  });
}

export function problemKey(slug: string): Key | null {
  const key = `problem.${slug}`;
  return key in en ? (key as Key) : null;
}
