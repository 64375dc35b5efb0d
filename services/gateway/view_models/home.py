"""What the door wants."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from services.gateway.view_models.shell import View


@dataclass(frozen=True, slots=True)
class SignInView(View):
    """`errors` by field: `username`, `password`. `problem` is about neither. A password is never kept."""

    template: ClassVar[str] = "pages/sign_in.html"
    back: str = "/"
    username: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    problem: str = ""
