"""What the settings want: tokens and sessions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from services.gateway.view_models.shell import View


@dataclass(frozen=True, slots=True)
class SettingsView(View):
    """Language and theme: both are in the shell already."""

    template: ClassVar[str] = "pages/settings.html"


@dataclass(frozen=True, slots=True)
class TokenLine:
    id: str
    name: str
    created_at: datetime
    expires_at: datetime | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class TokensView(View):
    """`secret` is the token just made, shown this once. `errors` by field: `name`, `days`."""

    template: ClassVar[str] = "pages/tokens.html"
    tokens: Sequence[TokenLine]
    key: str
    secret: str = ""
    name: str = ""
    days: int = 90
    day_choices: Sequence[int] = (7, 30, 90, 365)
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class SessionLine:
    """`device` is what the browser said of itself, shortened by the handler: Firefox, Linux."""

    id: str
    device: str
    started_at: datetime
    seen_at: datetime
    current: bool = False


@dataclass(frozen=True, slots=True)
class SessionsView(View):
    template: ClassVar[str] = "pages/sessions.html"
    sessions: Sequence[SessionLine]
