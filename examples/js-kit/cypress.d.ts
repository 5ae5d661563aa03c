/// <reference types="cypress" />
import type { StartOptions } from "./index.js";

/** Call it in `setupNodeEvents` and return its result. */
export function mockchat(
  on: Cypress.PluginEvents,
  config: Cypress.PluginConfigOptions,
  options?: StartOptions,
): Promise<Cypress.PluginConfigOptions>;
