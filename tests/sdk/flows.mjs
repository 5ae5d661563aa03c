// What a runner can be asked for: a list of runs of one app, each started with what the one
// before it left in the storage.

import { LONG_SESSION } from "./long_session.mjs";
import { SNIPPETS } from "./snippets.mjs";
import { STEPS, STEPS_AFTER_RESTART } from "./steps.mjs";

export const FLOWS = {
  steps: [STEPS, STEPS_AFTER_RESTART],
  snippets: [SNIPPETS],
  "long-session": [LONG_SESSION],
};
