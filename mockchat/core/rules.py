"""Rules: the settings that change what the state allows and how it refuses."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds in an app; an app may have rules of its own."""

    single_use_tokens: bool = False
    token_ttl: float | None = None  # seconds
    any_key: bool = False
    strict_apps: bool = False
    rate_limit: int | None = None  # requests a minute and app
    login_latency: float = 0.0  # seconds that POST /login takes
    errors: str = "auto"  # the error dialect
