"""Personal fields: text that is stored only under its person's own key, so that destroying the key forgets
it.

Algorithm: AES-256-GCM (NIST SP 800-38D), 96-bit nonce; the associated data is the event's id and the field's
name, so a ciphertext that was moved to another event or field does not open.
"""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

NONCE_BYTES = 12
KEY_BYTES = 32
_SCHEME = "p1"


class CannotOpen(Exception):
    """The ciphertext does not belong to this key, event or field."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Annotation of a personal field: the event's field that holds the id of the person it is about."""

    field: str


@dataclass(frozen=True, slots=True)
class Sealed:
    """A ciphertext and what is needed to open it: whose key, and which event and field it was made for."""

    subject: str
    event_id: str
    field: str
    ciphertext: bytes

    def __str__(self) -> str:
        text = base64.urlsafe_b64encode(self.ciphertext).decode()
        return f"{_SCHEME}.{self.subject}.{self.event_id}.{self.field}.{text}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError where `text` is no sealed value."""
        parts = text.split(".")
        if len(parts) != 5 or parts[0] != _SCHEME:
            raise ValueError("not a sealed value")
        try:
            return cls(
                parts[1],
                parts[2],
                parts[3],
                base64.urlsafe_b64decode(parts[4].encode()),
            )
        except (binascii.Error, UnicodeEncodeError) as error:
            raise ValueError("not a sealed value") from error


@dataclass(frozen=True, slots=True)
class Personal:
    """The value of a personal field: plain while a command is decided, sealed wherever it is stored or
    sent."""

    plain: str | None = None
    sealed: Sealed | None = None

    @classmethod
    def of_lines(cls, lines: Iterable[str]) -> "Personal | None":
        """Several texts of one line as one field; None where there are none. Read again by `lines`."""
        texts = list(lines)
        return cls("\n".join(texts)) if texts else None

    def __repr__(self) -> str:
        """Never the text itself: values end up in logs and traces."""
        return "Personal(sealed)" if self.sealed else "Personal(plain)"

    @classmethod
    def _validate(cls, value: object) -> "Personal":
        if isinstance(value, Personal):
            return value
        if isinstance(value, str):
            return Personal(sealed=Sealed.parse(value))
        raise ValueError("a personal field is a Personal or a sealed string")

    def _serialize(self) -> str:
        if self.sealed is None:
            raise ValueError("a personal field must be sealed before it is stored or sent")
        return str(self.sealed)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_plain_validator_function(
            cls._validate,
            serialization=core_schema.plain_serializer_function_ser_schema(
                cls._serialize, return_schema=core_schema.str_schema()
            ),
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {"type": "string", "format": "fikarum-sealed"}


def lines(opened: str | None) -> list[str]:
    """The texts that were sealed by `Personal.of_lines`, once the field is opened."""
    return opened.split("\n") if opened else []


def _associated(event_id: str, field: str) -> bytes:
    return f"{event_id}\n{field}".encode()


def seal(plain: str, key: bytes, *, subject: str, event_id: str, field: str, nonce: bytes) -> Personal:
    """`plain` under the key of `subject`; `nonce` is 12 fresh random bytes."""
    ciphertext = AESGCM(key).encrypt(nonce, plain.encode(), _associated(event_id, field))
    return Personal(sealed=Sealed(subject, event_id, field, nonce + ciphertext))


def unseal(sealed: Sealed, key: bytes) -> str:
    """Raises CannotOpen where key, event or field is not the one it was sealed with."""
    nonce, ciphertext = sealed.ciphertext[:NONCE_BYTES], sealed.ciphertext[NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _associated(sealed.event_id, sealed.field)).decode()
    except (InvalidTag, ValueError) as error:
        raise CannotOpen(f"{sealed.field} of event {sealed.event_id} does not open with this key") from error
