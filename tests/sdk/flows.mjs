// What a runner can be asked for: a list of runs of one app, each started with what the one
// before it left in the storage.

import { ANOTHER_HOST } from "./another_host.mjs";
import { callsBy } from "./calls.mjs";
import { FAULTS } from "./faults.mjs";
import { LONG_SESSION } from "./long_session.mjs";
import { STEPS_OF_PROMISES } from "./promises.mjs";
import { SNIPPETS } from "./snippets.mjs";
import {
  STEPS,
  STEPS_AFTER_RESTART,
  STEPS_WITH_A_DELETED_TOKEN,
  STEPS_WITH_A_PAST_TOKEN,
} from "./steps.mjs";

const ALL_STEPS = [
  STEPS,
  STEPS_AFTER_RESTART,
  STEPS_OF_PROMISES,
  STEPS_WITH_A_PAST_TOKEN,
  STEPS_WITH_A_DELETED_TOKEN,
];

export const FLOWS = {
  steps: ALL_STEPS,
  "steps-by-proxy": [...ALL_STEPS, ANOTHER_HOST],
  snippets: [SNIPPETS],
  faults: [FAULTS],
  "long-session": [LONG_SESSION],
  "calls-by-http": [callsBy("http")],
  "calls-by-https": [callsBy("https")],
};
