"""User names and passwords: streams that nobody but identity reads, and that go nowhere.

A user name is reserved by a stream whose id is a keyed digest of it: a copy of the store tells no names.
The name itself and the password's hash are sealed under the member's own key and go with it.
"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, ClassVar

from shared.kernel.decider import Decider
from shared.kernel.errors import Conflict, Refused
from shared.kernel.events import Event
from shared.kernel.personal import Personal, Subject

LONGEST_USER_NAME = 100
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 256

_USER_NAME = re.compile(r"[\w.+\-]+(@[\w.\-]+)?")


class UserNameTaken(Event):
    """The member signs in by this name."""

    topic: ClassVar[str | None] = None

    member_id: str
    user_name: Annotated[Personal, Subject("member_id")]


class UserNameReleased(Event):
    """The name is free for another member."""

    topic: ClassVar[str | None] = None

    member_id: str


class AccountOpened(Event):
    """The member may sign in by a user name; `user_name_id` is that of its reservation."""

    topic: ClassVar[str | None] = None

    member_id: str
    user_name_id: str


class PasswordSet(Event):
    """`password_hash` is argon2id's encoded form. Sessions opened by another password end, but for the one
    that set it."""

    topic: ClassVar[str | None] = None

    member_id: str
    password_hash: Annotated[Personal, Subject("member_id")]
    set_at: datetime | None = None
    kept_session: str | None = None


class PasswordRehashed(Event):
    """The same password under today's parameters."""

    topic: ClassVar[str | None] = None

    member_id: str
    password_hash: Annotated[Personal, Subject("member_id")]


@dataclass(frozen=True, slots=True)
class TakeUserName:
    user_name_id: str
    member_id: str
    user_name: str


@dataclass(frozen=True, slots=True)
class ReleaseUserName:
    user_name_id: str
    member_id: str


@dataclass(frozen=True, slots=True)
class UserName:
    member_id: str | None = None


def decide_user_name(command: TakeUserName | ReleaseUserName, name: UserName) -> Sequence[Event]:
    match command:
        case TakeUserName():
            if name.member_id == command.member_id:
                return []
            if name.member_id is not None:
                raise Conflict(
                    "user-name-taken", "Somebody has this user name. Choose another.", field="user_name"
                )
            user_name = Personal(canonical(command.user_name))
            return [UserNameTaken(member_id=command.member_id, user_name=user_name)]
        case ReleaseUserName():
            if name.member_id != command.member_id:
                return []
            return [UserNameReleased(member_id=command.member_id)]


def evolve_user_name(name: UserName, event: Event) -> UserName:
    match event:
        case UserNameTaken():
            return UserName(event.member_id)
        case UserNameReleased():
            return UserName()
    return name


def canonical(user_name: str) -> str:
    """The one spelling of a user name: compatibility forms and letter case folded. Raises Refused."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", user_name.strip()).casefold())
    if len(folded) > LONGEST_USER_NAME or not _USER_NAME.fullmatch(folded):
        raise Refused(
            "user-name-form",
            "A user name has 1 to {most} letters, digits and . + - _ or is an e-mail address.",
            field="user_name",
            params={"most": LONGEST_USER_NAME},
        )
    return folded


def same_spelling(password: str) -> str:
    """The password as it is hashed: keyboards differ in how they compose characters (RFC 8265, section 4)."""
    return unicodedata.normalize("NFC", password)


def acceptable(password: str) -> str:
    """The password in its one spelling. Raises Refused where it is too short or too long."""
    text = same_spelling(password)
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise Refused(
            "password-length",
            "A password has {least} to {most} characters. Four random words are easy to remember.",
            field="password",
            params={"least": SHORTEST_PASSWORD, "most": LONGEST_PASSWORD},
        )
    return text


@dataclass(frozen=True, slots=True)
class OpenAccount:
    member_id: str
    user_name_id: str
    password_hash: str


@dataclass(frozen=True, slots=True)
class RehashPassword:
    """`replaces` is the position of the hash that was just verified: a newer password stays."""

    member_id: str
    password_hash: str
    replaces: int


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """`replaces` is the position of the hash that the present password was checked against."""

    member_id: str
    password_hash: str
    replaces: int
    now: datetime
    session_id: str


@dataclass(frozen=True, slots=True)
class Account:
    """What the rules remember; the hash itself is read from the stream, where it is sealed. `passwords`
    counts those that were set, `hashes` also the same one hashed anew."""

    user_name_id: str | None = None
    hashes: int = 0
    passwords: int = 0
    password_set_at: datetime | None = None
    kept_session: str | None = None

    def ended(self, session_id: str, opened_at: datetime | None, password_number: int | None) -> bool:
        """Whether a session ended with the password that it was opened by. It is the time that tells of one
        that does not say which one that was: another may have been set while it was being opened."""
        if session_id == self.kept_session:
            return False
        if password_number is not None:
            return password_number != self.passwords
        return self.password_set_at is not None and (opened_at is None or opened_at < self.password_set_at)


AccountCommand = OpenAccount | RehashPassword | ChangePassword


def decide_account(command: AccountCommand, account: Account) -> Sequence[Event]:
    match command:
        case OpenAccount():
            if account.user_name_id is not None:
                raise Conflict("account-exists", "This member has an account already.")
            return [
                AccountOpened(member_id=command.member_id, user_name_id=command.user_name_id),
                PasswordSet(member_id=command.member_id, password_hash=Personal(command.password_hash)),
            ]
        case RehashPassword():
            if account.hashes != command.replaces:
                return []
            return [
                PasswordRehashed(member_id=command.member_id, password_hash=Personal(command.password_hash))
            ]
        case ChangePassword():
            return _change(command, account)


def _change(command: ChangePassword, account: Account) -> Sequence[Event]:
    if account.user_name_id is None:
        raise Refused("no-account", "You sign in elsewhere. Change your password there.")
    if account.hashes != command.replaces:
        raise Conflict("edited-meanwhile", "Your password was changed meanwhile. Sign in with the new one.")
    return [
        PasswordSet(
            member_id=command.member_id,
            password_hash=Personal(command.password_hash),
            set_at=command.now,
            kept_session=command.session_id,
        )
    ]


def evolve_account(account: Account, event: Event) -> Account:
    match event:
        case AccountOpened():
            return replace(account, user_name_id=event.user_name_id)
        case PasswordSet():
            return replace(
                account,
                hashes=account.hashes + 1,
                passwords=account.passwords + 1,
                password_set_at=event.set_at,
                kept_session=event.kept_session,
            )
        case PasswordRehashed():
            return replace(account, hashes=account.hashes + 1)
    return account


def user_name_stream(user_name_id: str) -> str:
    return f"username-{user_name_id}"


def stream(member_id: str) -> str:
    return f"account-{member_id}"


user_names: Decider[TakeUserName | ReleaseUserName, UserName] = Decider(
    lambda c: user_name_stream(c.user_name_id), UserName(), decide_user_name, evolve_user_name
)
accounts: Decider[AccountCommand, Account] = Decider(
    lambda c: stream(c.member_id), Account(), decide_account, evolve_account
)
