"""What went wrong with a form, each beside its field, in the reader's words."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus

from services.gateway.clients import Malformed
from services.gateway.faults import fault_said
from services.gateway.pages.visit import Visit
from shared.kernel.errors import NotFound, Refused, Unauthenticated
from shared.runtime.ids import new_id
from shared.runtime.problems import status_of


class Failures:
    """`fields` says what a service's field is called in the form."""

    def __init__(self, visit: Visit, fields: Mapping[str, str] | None = None) -> None:
        self._visit = visit
        self._fields = fields or {}
        self.errors: dict[str, str] = {}
        self.problem = ""
        self.status = 200
        self.code = ""

    @property
    def edited_meanwhile(self) -> bool:
        """Somebody saved before: what they saved is shown beside what is typed, so that neither is lost."""
        return self.code == "edited-meanwhile"

    def __bool__(self) -> bool:
        return bool(self.errors or self.problem)

    def key_again(self, key: str) -> str:
        """For another try, which is another request; one that may have gone through keeps its key."""
        return key if self.status == HTTPStatus.SERVICE_UNAVAILABLE else new_id()

    def beside(self, field: str, text: str) -> None:
        self.errors[self._fields.get(field, field)] = text
        self.status = 422

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Refusals of what is done within; those that no form can mend pass."""
        try:
            yield
        except (Unauthenticated, NotFound):
            raise
        except Malformed as malformed:
            for fault in malformed.faults:
                self._take(fault.field, fault_said(fault.code, fault.message, self._visit.locale))
            self.status = 422
        except Refused as refused:
            self._take(refused.field, self._visit.said(refused))
            self.status, self.code = status_of(refused), refused.code

    def _take(self, field: str | None, text: str) -> None:
        if field:
            self.beside(field, text)
        else:
            self.problem = text
