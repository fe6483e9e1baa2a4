/** Whether this device reaches the mint through a relay: the person's choice, kept on the device. */

import { settings } from "../device/store.ts";

const NAME = "relay";

export function isRelayed(): boolean {
  return settings.get(NAME) === "on";
}

export function setRelayed(isOn: boolean): void {
  settings.set(NAME, isOn ? "on" : null);
}
