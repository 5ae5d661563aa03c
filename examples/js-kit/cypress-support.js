// Cypress: import it in `cypress/support/e2e.js`.
/* global Cypress, cy, beforeEach */

/** `cy.mockchat("createUser", "alice")` calls a verb of the control client. */
Cypress.Commands.add("mockchat", (verb, ...words) => cy.task("mockchat", [verb, ...words]));

/** Pages find the app in `window.MOCKCHAT`. */
Cypress.on("window:before:load", (page) => {
  page.MOCKCHAT = Cypress.env("mockchat");
});

beforeEach(() => cy.mockchat("reset"));
