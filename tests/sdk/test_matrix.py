"""The matrix (`make sdk-matrix`) is no weaker than the suite."""

import inspect

from tests.sdk import matrix, test_sdk


def test_the_matrix_asks_of_every_bundle_what_the_suite_asks_of_its_sample() -> None:
    asked_by_the_suite = {
        name
        for name, test in vars(test_sdk).items()
        if name.startswith("test_") and "run" in inspect.signature(test).parameters
    }

    assert {test.__name__ for test in matrix.MILESTONES.values()} == asked_by_the_suite


def test_a_run_that_stopped_early_passes_no_milestone_that_it_did_not_reach() -> None:
    facts = {
        "traits": {"finishes": False, "realtime": False},
        "steps": {"init": {"answer": True}},
        "hung": "step login: nothing in 3000 ms",
    }

    run = matrix.judged(facts)

    assert [name for name, passed in run.passed.items() if passed] == ["init"]
    assert run.stopped == "login: waits for ever"
    assert not run.failed
