"""What an error is: a row with two faces, and the exception that a row becomes when raised."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

Details = Mapping[str, list[str]]


class Evidence(StrEnum):
    """How well a behaviour is known."""

    LIVE = "live"  # recorded from the service, or asserted by tests that run against it
    DOCUMENTED = "documented"  # stated by the vendor's pages or shipped in its SDKs
    ASSUMED = "assumed"  # ours: what a user would expect where nothing is known


@dataclass(frozen=True, slots=True)
class Face:
    """One condition as one dialect shows it; `dev_message` None means: derived."""

    code: str
    status: int
    message: str
    evidence: Evidence
    dev_message: str | None = None


@dataclass(frozen=True, slots=True)
class ErrorDef:
    """A row of the catalogue; call it with the template's values to get the error to raise."""

    name: str
    when: str
    documented: Face
    live: Face

    def __call__(self, details: Details | None = None, **values: object) -> "ApiError":
        """Return the error that carries these values."""
        return ApiError(self, details, values)

    @property
    def differs(self) -> bool:
        """Whether the two dialects use different codes."""
        return self.documented.code != self.live.code


class ApiError(Exception):
    """A request was refused for the reason `definition` names."""

    def __init__(
        self,
        definition: ErrorDef,
        details: Details | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(definition.name)
        self.definition = definition
        self.details = details
        self.values = {} if values is None else values

    def __str__(self) -> str:
        face = self.definition.documented
        details = "".join(
            f" {field}: {' '.join(texts)}" for field, texts in (self.details or {}).items()
        )
        return f"{face.code} ({face.status}): {face.message.format_map(self.values)}{details}"

    @property
    def code(self) -> str:
        """The code, as the SDK pages name it."""
        return self.definition.documented.code


def mask(key: str) -> str:
    """Return `key` as the live service prints it: all but five characters at each end starred.

    Shorter keys than eleven characters have no middle; how live prints those is not known.
    """
    return f"{key[:5]}{'*' * (len(key) - 10)}{key[-5:]}" if len(key) > 10 else key  # noqa: PLR2004
