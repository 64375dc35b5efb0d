"""From a user name to the id of its reservation: a keyed digest, as a copy of the store may tell no names."""

import hashlib
import hmac
import secrets
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase
from pymongo.write_concern import WriteConcern

from services.identity.domain.accounts import canonical
from shared.kernel.errors import Refused, Unavailable
from shared.kernel.personal import KEY_BYTES
from shared.runtime.keys import MasterKey

_SECRET = "user-names"  # noqa: S105 - the secret's name


class UserNames:
    """The digest's key is made once, wrapped by the master key and kept beside the store."""

    def __init__(self, database: AsyncDatabase[dict[str, Any]], master: MasterKey) -> None:
        self._secrets = database.get_collection("secrets", write_concern=WriteConcern("majority", j=True))
        self._master = master
        self._key = b""

    async def prepare(self) -> None:
        """Raises WrongMasterKey."""
        made = self._master.wrap(_SECRET, secrets.token_bytes(KEY_BYTES))
        await self._secrets.update_one({"_id": _SECRET}, {"$setOnInsert": {"wrapped": made}}, upsert=True)
        kept = await self._secrets.find_one({"_id": _SECRET})
        if kept is None:
            raise LookupError("the key of user names was removed while it was made")
        self._key = self._master.unwrap(_SECRET, kept["wrapped"])
        if kept.get("master") != self._master.fingerprint:
            again = {"wrapped": self._master.wrap(_SECRET, self._key), "master": self._master.fingerprint}
            await self._secrets.update_one({"_id": _SECRET, "wrapped": kept["wrapped"]}, {"$set": again})

    def id_of(self, user_name: str) -> str:
        """Raises Refused where it can be no user name."""
        return self.digest("name", canonical(user_name))

    def id_of_shown(self, user_name: str) -> str:
        """For signing in, where even a text that can be no user name is only a wrong one."""
        try:
            return self.id_of(user_name)
        except Refused:
            return self.digest("no name", user_name)

    def digest(self, *parts: str) -> str:
        """A pseudonym that nobody makes without the key. Raises Unavailable before that is here."""
        if not self._key:
            raise Unavailable("sign-in-being-prepared", "This is being prepared. Try again in a moment.")
        text = "\n".join(parts).encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()[:40]
