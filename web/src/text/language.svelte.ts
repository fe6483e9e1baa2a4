/** The language of the page: one table per language, chosen by the person or their browser. */

import { settings } from "../device/store.ts";
import { ar } from "./ar.ts";
import { type Key, type Table, en } from "./en.ts";
import { filled, problemKey } from "./fill.ts";

export const LANGUAGES = ["en", "ar"] as const;
export type Language = (typeof LANGUAGES)[number];

const TABLES: Readonly<Record<Language, Table>> = { en, ar };
const DIRECTIONS: Readonly<Record<Language, "ltr" | "rtl">> = { en: "ltr", ar: "rtl" };

function isLanguage(value: string | null): value is Language {
  return LANGUAGES.some((language) => language === value);
}

function firstLanguage(): Language {
  const kept = settings.get("language");
  if (isLanguage(kept)) return kept;
  return navigator.languages.some((language) => language.toLowerCase().startsWith("ar")) &&
    !navigator.languages[0]?.toLowerCase().startsWith("en")
    ? "ar"
    : "en";
}

let current = $state<Language>(firstLanguage());

export function language(): Language {
  return current;
}

/** The reader's own region where their browser names one: it decides on digits and dates. */
export function locale(): string {
  const own = navigator.languages.find((one) => one.toLowerCase().split("-")[0] === current);
  return own ?? current;
}

export function speak(next: Language): void {
  current = next;
  settings.set("language", next);
  applyLanguage();
}

/** Sets the page's language and direction; `<html>` is outside any component. */
export function applyLanguage(): void {
  document.documentElement.lang = current;
  document.documentElement.dir = DIRECTIONS[current];
}

export function t(key: Key, values: Readonly<Record<string, string>> = {}): string {
  return filled(TABLES[current][key], values);
}

/** What a refusal means, in the reader's words; the operator's own title for one we do not know. */
export function problemText(problem: { readonly slug: string; readonly title: string }): string {
  const key = problemKey(problem.slug);
  return key === null ? problem.title || t("problem.unknown") : t(key);
}
