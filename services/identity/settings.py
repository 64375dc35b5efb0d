"""What can be set of identity alone: argon2id, how often sign-in may fail, lifetimes, the demonstration."""

from datetime import timedelta

from pydantic import BaseModel, ConfigDict, PositiveInt

from shared.runtime.settings import Settings


class Argon2(BaseModel):
    """argon2id (RFC 9106); by default its second recommended choice. Changes rehash passwords at sign-in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    passes: PositiveInt = 3
    memory_kib: PositiveInt = 65_536
    lanes: PositiveInt = 4
    #: Passwords hashed at a time: each takes its memory and a core.
    at_once: PositiveInt = 2
    #: Sign-ins that wait for their turn; the next one is told to try later.
    most_waiting: PositiveInt = 64


class SignIns(BaseModel):
    """How often sign-in may fail, and how long a session lasts."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    window_minutes: PositiveInt = 15
    #: Failures within a window for one user name from one address; beyond, it is closed there and only there.
    failures_per_pair: PositiveInt = 10
    #: For one user name from all addresses together: guesses that come from everywhere.
    failures_per_account: PositiveInt = 100
    #: From one address for all user names: a whole office may share one, so this stops nothing but a flood.
    failures_per_address: PositiveInt = 2_000
    #: Days after which a session ends in any case, and when it was not used.
    session_days: PositiveInt = 30
    session_idle_days: PositiveInt = 7

    @property
    def window(self) -> timedelta:
        return timedelta(minutes=self.window_minutes)

    @property
    def session_life(self) -> timedelta:
        return timedelta(days=self.session_days)

    @property
    def session_idle(self) -> timedelta:
        return timedelta(days=self.session_idle_days)


class IdentitySettings(Settings):
    argon2: Argon2 = Argon2()
    sign_ins: SignIns = SignIns()
    #: Makes the accounts of a demonstration company at the first start.
    demo: bool = False
