"""docs/fidelity.md: the evidence of whatever mockchat does, and where it differs."""

import re
from pathlib import Path

import pytest

from docs.differences import DIFFERENCES, Difference
from docs.tables import FIDELITY, README, files
from mockchat.api import OPERATIONS, UNBUILT
from mockchat.api.operation import Operation
from mockchat.api.validation import TEXTS
from mockchat.core.errors import CATALOGUE, ErrorDef, Evidence


def section(page: Path, title: str) -> str:
    """What stands under a heading of a page."""
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page.read_text(), re.DOTALL | re.MULTILINE)
    assert found, f"{page.name} has no section {title!r}"
    return found[1].replace("\\|", "|")


@pytest.mark.parametrize("file", files(), ids=lambda file: file.name)
def test_generated_docs_are_up_to_date(file: Path) -> None:
    assert file.read_text() == files()[file], "run `make docs`"


@pytest.mark.parametrize("row", [*OPERATIONS, *UNBUILT], ids=lambda row: f"{row.method}-{row.path}")
def test_every_operation_has_its_evidence(row: Operation) -> None:
    lines = section(FIDELITY, "Operations").splitlines()

    [line] = [line for line in lines if line.startswith(f"| `{row.method} {row.path}` |")]
    assert line.endswith(f"| {row.evidence} |")


@pytest.mark.parametrize("row", CATALOGUE.values(), ids=lambda row: row.name)
def test_every_error_has_its_evidence_in_both_dialects(row: ErrorDef) -> None:
    lines = [line for line in section(FIDELITY, "Errors").splitlines() if f"| {row.when} |" in line]

    for face in (row.documented, row.live):
        cells = f"| `{face.code}` | {face.status} | {face.message} | {face.evidence} |"
        assert any(line.endswith(cells) for line in lines), cells


@pytest.mark.parametrize("rule", TEXTS)
def test_every_sentence_of_details_has_its_evidence(rule: str) -> None:
    sentence, evidence = TEXTS[rule]

    assert f"| {rule} | {sentence} | {evidence} |" in section(FIDELITY, "Sentences of `details`")


def test_the_sentences_that_are_known_are_the_recorded_ones() -> None:
    known = [name for name, text in TEXTS.items() if text.evidence is Evidence.LIVE]

    assert known == ["required", "filled", "taken", "url"]


@pytest.mark.parametrize("row", DIFFERENCES, ids=lambda row: f"{row.area}-{row.mockchat[:30]}")
def test_every_known_difference_is_told_in_both_places(row: Difference) -> None:
    told = f"| {row.area} | {row.live or 'not known'} | {row.mockchat} |"

    assert told in section(README, "Where mockchat differs from the live service")
    assert f"{told} {row.why} |" in section(FIDELITY, "Known differences from the live service")


def test_the_readme_tells_of_no_difference_that_the_table_lacks() -> None:
    text = section(README, "Where mockchat differs from the live service")

    assert not re.search(r"^[*-] ", text, re.MULTILINE)
    assert text.count("\n| ") == len(DIFFERENCES) + 2
