/** Imported before what takes long with a hundred blind tokens, and asks the same of a few. */

import { POLICY } from "../src/rules/purse/policy.ts";

Object.assign(POLICY.blind_tokens, { per_fetch: 12, low_mark: 6, urgent_mark: 3 });
