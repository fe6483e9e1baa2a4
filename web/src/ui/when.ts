/** Instants as the reader's clock and language say them. */

export function dayName(instant: Date, language: string): string {
  return new Intl.DateTimeFormat(language, {
    weekday: "long",
    day: "numeric",
    month: "long",
  }).format(instant);
}

/** A day that may be of another year. */
export function dateName(instant: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "long" }).format(instant);
}

export function clock(instant: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit" }).format(instant);
}

export function moment(instant: Date, language: string): string {
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short" }).format(
    instant,
  );
}

export function countdown(minutes: number, seconds: number, language: string): string {
  const two = new Intl.NumberFormat(language, { minimumIntegerDigits: 2 });
  return `${new Intl.NumberFormat(language).format(minutes)}:${two.format(seconds)}`;
}
