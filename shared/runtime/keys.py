"""The keys of personal fields: one per member, wrapped by the master key, gone when the member is erased.

Keys are no events. Identity owns them (`vault.py`), others keep a copy (`keycopy.py`) filled from the topic
`identity.keys`. Not here yet and erased are different answers; erased is final.
"""

import asyncio
import base64
import binascii
import contextlib
import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, Final, Self

from cachetools import LRUCache
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pymongo import UpdateOne
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.asynchronous.database import AsyncDatabase
from pymongo.errors import BulkWriteError
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from shared.kernel import personal
from shared.kernel.errors import Refused, Unavailable
from shared.kernel.events import Event
from shared.kernel.personal import KEY_BYTES, NONCE_BYTES, Personal, Sealed
from shared.runtime.codec import CODEC
from shared.runtime.secretfiles import create_secret, replace_secret
from shared.runtime.settings import secret

#: Keys kept unwrapped in the memory of one process.
KEYS_REMEMBERED = 10_000
#: How long sealing waits for a key on its way, in seconds: a member may write right after registering.
PATIENCE = 2.0
COLLECTION = "keys"

_DUPLICATE = 11000

Erased = Callable[[str, datetime], Awaitable[None]]


class WrongMasterKey(Unavailable):
    """This master key did not wrap the keys that are here."""

    def __init__(self) -> None:
        super().__init__(
            "wrong-master-key",
            "The master key is not the one that personal data was sealed with. Put the original file back.",
        )


class Missing(Enum):
    """Why a personal field cannot be read."""

    UNKNOWN = "unknown"
    ERASED = "erased"


@dataclass(frozen=True, slots=True)
class MasterKey:
    """The key that wraps members' keys: AES-256-GCM, the member's id as associated data.

    While it is rotated the one before is there, too: it opens what it wrapped, and wraps nothing.
    """

    key: bytes
    retiring: bytes | None = None

    @classmethod
    def read(cls, path: Path) -> Self:
        """Raises SystemExit with one line where the file is missing, readable by others or holds no key."""
        try:
            keys = [base64.b64decode(line, validate=True) for line in secret(path).split()]
        except (binascii.Error, ValueError):
            keys = []
        if not 1 <= len(keys) <= 2 or any(len(key) != KEY_BYTES for key in keys):
            raise SystemExit(f"fikarum: {path} holds no master key: {KEY_BYTES} bytes in base64 are expected")
        return cls(*keys)

    @classmethod
    def create(cls, path: Path) -> Self:
        """The key in `path`, made now where there is none; two who begin at once get the same one."""
        create_secret(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
        return cls.read(path)

    @classmethod
    def rotate(cls, path: Path) -> Self:
        """Puts a new key before the one in `path`, which is kept until `retire`. Does nothing where that was
        begun before."""
        now = cls.read(path)
        if now.retiring is None:
            now = cls(secrets.token_bytes(KEY_BYTES), now.key)
            replace_secret(path, now._written())
        return now

    @classmethod
    def retire(cls, path: Path) -> Path | None:
        """Leaves the newer key alone in `path`. The older is laid beside it, for backups from its time; its
        place, or None where there is no older one."""
        now = cls.read(path)
        if now.retiring is None:
            return None
        before = cls(now.retiring)
        beside = path.with_name(f"{path.name}.{before.fingerprint}.retired")
        create_secret(beside, before._written())
        replace_secret(path, cls(now.key)._written())
        return beside

    def for_digests(self, purpose: str) -> tuple[bytes, ...]:
        """Keys for digests of one purpose; the first is for new ones, those made by the others are known."""
        return tuple(hmac.digest(key, f"fikarum {purpose}".encode(), "sha256") for key in self._keys)

    def _written(self) -> bytes:
        return b"".join(base64.b64encode(key) + b"\n" for key in self._keys)

    @property
    def _keys(self) -> tuple[bytes, ...]:
        return (self.key,) if self.retiring is None else (self.key, self.retiring)

    @property
    def fingerprint(self) -> str:
        """Tells master keys apart without telling anything about them."""
        return self.fingerprints[0]

    @property
    def fingerprints(self) -> tuple[str, ...]:
        """Of the keys that open, the one that wraps first."""
        return tuple(hashlib.sha256(b"fikarum master key\n" + key).hexdigest()[:16] for key in self._keys)

    def wrap(self, member_id: str, key: bytes) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, key, member_id.encode())

    def unwrap(self, member_id: str, wrapped: bytes) -> bytes:
        """Raises WrongMasterKey."""
        nonce, rest = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        for key in self._keys:
            with contextlib.suppress(InvalidTag, ValueError):
                return AESGCM(key).decrypt(nonce, rest, member_id.encode())
        raise WrongMasterKey


@dataclass(frozen=True, slots=True)
class KeyRecord:
    """What is known of a member's key: wrapped, or erased for ever."""

    member_id: str
    version: int
    wrapped: bytes | None = None
    master: str = ""
    erased_at: datetime | None = None

    def supersedes(self, known: "KeyRecord | None") -> bool:
        """Erased is final; otherwise the higher version counts, in whatever order records arrive."""
        if known is None:
            return True
        if known.erased_at is not None:
            return False
        return self.erased_at is not None or self.version > known.version

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        return cls(
            document["_id"],
            document["version"],
            document.get("wrapped"),
            document.get("master", ""),
            document.get("erased_at"),
        )


class KeyRing:
    """Seals and opens personal fields with the keys in `keys` of the service's database."""

    def __init__(
        self,
        database: AsyncDatabase[dict[str, Any]],
        master: MasterKey,
        *,
        remembered: int = KEYS_REMEMBERED,
        patience: float = PATIENCE,
    ) -> None:
        self.master: Final = master
        self.collection: AsyncCollection[dict[str, Any]] = database.get_collection(
            COLLECTION,
            codec_options=CODEC,
            read_concern=ReadConcern("majority"),
            write_concern=WriteConcern("majority", j=True),
        )
        #: Set when every erasure that was published before the start is known here. Nothing opens earlier.
        self.caught_up = asyncio.Event()
        self._patience = patience
        self._unwrapped: LRUCache[str, bytes] = LRUCache(remembered)
        self._epoch = 0
        self._arrived = asyncio.Event()
        self._on_erased: list[Erased] = []

    def on_erased(self, tell: Erased) -> None:
        """`tell` is called before an erasure is taken in, again after a kill in between: none is missed."""
        self._on_erased.append(tell)

    async def check(self) -> None:
        """Raises WrongMasterKey where the keys here were wrapped by another one."""
        other = {"master": {"$exists": True, "$nin": list(self.master.fingerprints)}}
        if await self.collection.find_one(other, {"_id": 1}) is not None:
            raise WrongMasterKey

    async def by_master(self) -> dict[str, int]:
        """How many keys here each master key wraps, by its fingerprint."""
        counting: list[dict[str, Any]] = [
            {"$match": {"master": {"$exists": True}}},
            {"$group": {"_id": "$master", "keys": {"$sum": 1}}},
        ]
        found = await self.collection.aggregate(counting)
        return {document["_id"]: document["keys"] async for document in found}

    async def seal(self, event: Event, event_id: str) -> Event:
        """The event with its plain personal fields sealed under their persons' keys.

        Raises Refused ("person-erased") and Unavailable (the key is not here yet).
        """
        changed: dict[str, Personal] = {}
        for field, subject_field in event.personal.items():
            value: Personal | None = getattr(event, field)
            if value is None:
                continue
            if value.plain is None:
                raise ValueError(
                    f"{type(event).__name__}.{field} is sealed already: it belongs to another event"
                )
            subject: str = getattr(event, subject_field)
            nonce = secrets.token_bytes(NONCE_BYTES)
            changed[field] = personal.seal(
                value.plain,
                await self._key_to_seal(subject),
                subject=subject,
                event_id=event_id,
                field=field,
                nonce=nonce,
            )
        return event.model_copy(update=changed) if changed else event

    async def open(self, value: Personal) -> str | None:
        """The text, or None where its person is erased. Raises Unavailable where the key is not here yet."""
        opened = (await self.open_all([value]))[0]
        if opened is Missing.UNKNOWN:
            raise _not_here_yet()
        return None if isinstance(opened, Missing) else opened

    async def open_all(self, values: Sequence[Personal]) -> list[str | Missing]:
        """The texts in order, each with its own reason where it cannot be read. One query for all."""
        sealed = [value.sealed for value in values]
        keys = await self._keys({one.subject for one in sealed if one is not None})
        return [
            value.plain or "" if one is None else _opened(one, keys[one.subject])
            for value, one in zip(values, sealed, strict=True)
        ]

    async def erased(self, member_ids: Collection[str]) -> frozenset[str]:
        """Those of them who are erased: whatever of theirs is kept readable is shown to nobody either."""
        keys = await self._keys(set(member_ids))
        return frozenset(member_id for member_id, key in keys.items() if key is Missing.ERASED)

    async def recall(self, member_ids: Collection[str]) -> None:
        """Brings keys that will soon be needed into memory, in one query."""
        await self._keys(member_ids)

    async def absorb(self, records: Iterable[KeyRecord]) -> None:
        """Takes in what the topic or the owner says; old and repeated records change nothing."""
        pending = told = _latest(records)
        while pending := await self._newer(pending):
            for record in pending.values():
                if record.erased_at is not None:
                    for tell in self._on_erased:
                        await tell(record.member_id, record.erased_at)
            try:
                await self.collection.bulk_write([update_of(r) for r in pending.values()], ordered=False)
            except BulkWriteError as error:
                # Somebody else wrote that key between the look and the write: look again.
                if any(e["code"] != _DUPLICATE for e in error.details["writeErrors"]):
                    raise
        # Also what is no news to the database: another process may have written it, and this one's memory is
        # older.
        self.forget(told)
        self._arrived.set()
        self._arrived = asyncio.Event()

    async def _newer(self, records: Mapping[str, KeyRecord]) -> dict[str, KeyRecord]:
        known = {
            d["_id"]: KeyRecord.of(d) async for d in self.collection.find({"_id": {"$in": list(records)}})
        }
        return {key: record for key, record in records.items() if record.supersedes(known.get(key))}

    def forget(self, member_ids: Iterable[str]) -> None:
        """Drops keys from memory; a look-up that is under way will not put them back."""
        self._epoch += 1
        for member_id in member_ids:
            self._unwrapped.pop(member_id, None)

    async def _keys(self, subjects: Collection[str]) -> dict[str, bytes | Missing]:
        if subjects and not self.caught_up.is_set():
            raise Unavailable(
                "keys-not-caught-up", "Names and texts are being prepared. Try again in a moment."
            )
        found: dict[str, bytes | Missing] = {}
        for subject in subjects:
            if subject in self._unwrapped:
                found[subject] = self._unwrapped[subject]
        missing = [subject for subject in subjects if subject not in found]
        return {**found, **await self._look_up(missing)} if missing else found

    async def _look_up(self, subjects: Sequence[str]) -> dict[str, bytes | Missing]:
        epoch, known = self._epoch, self.master.fingerprints
        found: dict[str, bytes | Missing] = dict.fromkeys(subjects, Missing.UNKNOWN)
        async for document in self.collection.find({"_id": {"$in": list(subjects)}}):
            record = KeyRecord.of(document)
            if record.erased_at is not None or record.wrapped is None:
                found[record.member_id] = Missing.ERASED
                continue
            if record.master not in known:
                raise WrongMasterKey
            key = self.master.unwrap(record.member_id, record.wrapped)
            found[record.member_id] = key
            if epoch == self._epoch:
                self._unwrapped[record.member_id] = key
        return found

    async def _key_to_seal(self, subject: str) -> bytes:
        deadline = asyncio.get_running_loop().time() + self._patience
        while True:
            arrived = self._arrived
            key = (await self._keys([subject]))[subject]
            if isinstance(key, bytes):
                return key
            if key is Missing.ERASED:
                raise Refused("person-erased", "This person is erased: nothing more is kept about them.")
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise _not_here_yet()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(arrived.wait(), left)


def _latest(records: Iterable[KeyRecord]) -> dict[str, KeyRecord]:
    latest: dict[str, KeyRecord] = {}
    for record in records:
        if record.supersedes(latest.get(record.member_id)):
            latest[record.member_id] = record
    return latest


def _opened(sealed: Sealed, key: bytes | Missing) -> str | Missing:
    return key if isinstance(key, Missing) else personal.unseal(sealed, key)


def update_of(record: KeyRecord) -> UpdateOne:
    """Writes only over something older, whoever else writes meanwhile."""
    if record.erased_at is not None:
        return UpdateOne(
            {"_id": record.member_id, "erased_at": {"$exists": False}},
            {
                "$set": {"erased_at": record.erased_at},
                "$max": {"version": record.version},
                "$unset": {"wrapped": "", "master": ""},
            },
            upsert=True,
        )
    return UpdateOne(
        {"_id": record.member_id, "erased_at": {"$exists": False}, "version": {"$lt": record.version}},
        {"$set": {"version": record.version, "wrapped": record.wrapped, "master": record.master}},
        upsert=True,
    )


def _not_here_yet() -> Unavailable:
    return Unavailable("key-not-here-yet", "This is not readable yet. Try again in a moment.")
