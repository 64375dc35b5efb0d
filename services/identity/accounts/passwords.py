"""Hashing and verifying passwords with argon2id: in threads, few at a time, as slowly for strangers."""

import asyncio
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from services.identity.settings import Argon2
from shared.kernel.errors import Unavailable

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Verdict:
    right: bool
    #: The hash was made with other parameters than today's.
    outdated: bool = False


class Passwords:
    def __init__(self, parameters: Argon2) -> None:
        self._hasher = PasswordHasher(
            time_cost=parameters.passes,
            memory_cost=parameters.memory_kib,
            parallelism=parameters.lanes,
            type=Type.ID,
        )
        self._most = parameters.at_once + parameters.most_waiting
        self._under_way = 0
        self._threads = ThreadPoolExecutor(parameters.at_once, "argon2")
        self._decoy = ""

    async def prepare(self) -> None:
        """Makes the hash that strangers' passwords are compared with, so that the first takes no longer."""
        self._decoy = await self.hash(secrets.token_hex())

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def hash(self, password: str) -> str:
        return await self._run(lambda: self._hasher.hash(password))

    async def verify(self, encoded: str | None, password: str) -> Verdict:
        """With no hash to compare with, the same work is done and the password is wrong. Raises Unavailable
        before there is one to do that with: it would tell whose names there are."""
        if not self._decoy:
            raise Unavailable("sign-in-being-prepared", "This is being prepared. Try again in a moment.")
        right = await self._run(lambda: self._matches(encoded or self._decoy, password))
        if encoded is None or not right:
            return Verdict(False)
        return Verdict(True, self._hasher.check_needs_rehash(encoded))

    def _matches(self, encoded: str, password: str) -> bool:
        try:
            return self._hasher.verify(encoded, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], R]) -> R:
        if self._under_way >= self._most:
            raise Unavailable("sign-in-busy", "Many people sign in right now. Try again in a moment.")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1
