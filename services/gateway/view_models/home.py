"""What the door and the first page want."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from services.gateway.view_models.shell import ChangedPage, SpaceCard, View


@dataclass(frozen=True, slots=True)
class SignInView(View):
    """`errors` by field: `username`, `password`. `problem` is about neither. A password is never kept."""

    template: ClassVar[str] = "pages/sign_in.html"
    back: str = "/"
    username: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HomeView(View):
    template: ClassVar[str] = "pages/home.html"
    changed: Sequence[ChangedPage]
    spaces: Sequence[SpaceCard]
