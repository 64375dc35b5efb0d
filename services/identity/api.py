"""Identity over HTTP: signing in, tokens, sessions and access tokens. Members are in `members_api`."""

import secrets as random
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request, Response, status

from services.identity.accounts.administering import acting_now
from services.identity.accounts.sign_in import SignIn
from services.identity.domain import secrets
from services.identity.domain.access_tokens import IssueAccessToken, RevokeAccessToken, access_tokens
from services.identity.domain.access_tokens import stream as access_token_stream
from services.identity.domain.accounts import Account, accounts
from services.identity.domain.accounts import stream as account_stream
from services.identity.domain.permissions import Acting
from services.identity.domain.sessions import RevokeSession, sessions, stream
from services.identity.inputs import (
    AccessTokenAnswer,
    AccessTokenItem,
    Credentials,
    Listed,
    ListedTokens,
    NewAccessToken,
    NewPassword,
    SessionItem,
    SessionOpenedAnswer,
    Shown,
    TokenAnswer,
)
from services.identity.projections import access_tokens as access_token_views
from services.identity.projections import sessions as session_views
from services.identity.texts import texts
from shared.kernel.errors import Conflict, Forbidden
from shared.runtime.auth import LIFE_SECONDS, Actor, TokenSigner
from shared.runtime.http import (
    After,
    Caller,
    Doing,
    IdempotencyKey,
    Unsigned,
    answer_behind,
    answer_commit,
    limits_of,
)
from shared.runtime.ids import new_id
from shared.runtime.service import Service

#: What stands for a text whose key is gone or not here yet; the gateway says it in the reader's language.
NO_TEXT = "…"

ClientAddress = Annotated[
    str | None,
    Header(alias="Fikarum-Client-Address", max_length=100, description="The browser's address"),
]


def acting(actor: Actor) -> Acting:
    return Acting(actor.member_id, actor.roles)


def sign_in_router(sign_in: SignIn, signer: TokenSigner) -> APIRouter:
    """What strangers may ask."""
    api = APIRouter(tags=["sign-in"])

    @api.get("/keys")
    async def read_keys() -> dict[str, Any]:
        return signer.keys()

    @api.post("/sessions", status_code=status.HTTP_201_CREATED)
    async def open_session(
        shown: Credentials, doing: Unsigned, response: Response, client_address: ClientAddress = None
    ) -> SessionOpenedAnswer:
        """Who says no address is counted by account alone: it is not the gateway's that matters."""
        response.headers["Cache-Control"] = "no-store"
        opened = await sign_in.sign_in(
            shown.user_name,
            shown.password,
            address=client_address,
            device=shown.device,
            occasion=doing,
        )
        return SessionOpenedAnswer(
            secret=opened.secret,
            session_id=opened.session_id,
            member_id=opened.member_id,
            expires_at=opened.expires_at,
        )

    @api.post("/tokens")
    async def exchange(shown: Shown, doing: Unsigned, response: Response) -> TokenAnswer:
        vouched = await sign_in.vouch(shown.secret, doing)
        response.headers["Cache-Control"] = "no-store"
        return TokenAnswer(
            token=signer.sign(vouched.actor),
            expires_in=LIFE_SECONDS,
            member_id=vouched.actor.member_id,
            session_id=vouched.actor.session_id,
            roles=sorted(vouched.actor.roles),
            scopes=sorted(vouched.scopes),
            language=vouched.member.language,
            time_zone=vouched.member.time_zone,
        )

    return api


def sessions_router(service: Service) -> APIRouter:
    """A member's own sessions."""
    api = APIRouter(prefix="/sessions", tags=["sessions"])
    views = service.views(session_views)

    @api.get("")
    async def list_sessions(caller: Caller, after: After, request: Request, response: Response) -> Listed:
        answer_behind(response, await service.behind(after, session_views))
        account, _ = await service.store.state(accounts, account_stream(caller.member_id))
        where = {
            "member_id": caller.member_id,
            "expires_at": {"$gt": datetime.now(UTC)},
            **_not_ended(account),
        }
        most = limits_of(request).page_size_most
        found = await views.find(where, sort=[("opened_at", -1), ("session_id", 1)], limit=most)
        devices = await texts(service.keys, [view.device for view in found])
        return Listed(
            items=[
                SessionItem(
                    **view.model_dump(exclude={"device", "member_id", "password_number"}),
                    device=device,
                    current=view.session_id == caller.session_id,
                )
                for view, device in zip(found, devices, strict=True)
            ]
        )

    @api.delete("/{session_id}", status_code=status.HTTP_204_NO_CONTENT)
    async def revoke_session(session_id: str, caller: Caller, doing: Doing, response: Response) -> None:
        command = RevokeSession(await acting_now(service.store, caller), session_id)
        answer_commit(response, await service.store.handle(sessions, command, doing))

    return api


def _not_ended(account: Account) -> dict[str, Any]:
    """What `Account.ended` says, asked of the view."""
    untold: dict[str, Any] = {"password_number": None}
    if account.password_set_at is not None:
        untold["opened_at"] = {"$gte": account.password_set_at}
    return {"$or": [{"password_number": account.passwords}, {"session_id": account.kept_session}, untold]}


def password_router(service: Service, sign_in: SignIn) -> APIRouter:
    """A member's own password. An access token cannot change it: only a session can."""
    api = APIRouter(prefix="/me/password", tags=["sessions"])

    @api.put("", status_code=status.HTTP_204_NO_CONTENT)
    async def change_password(new: NewPassword, caller: Caller, doing: Doing, response: Response) -> None:
        """Every other session of the member ends with the old password."""
        _, tail = await service.store.state(sessions, stream(caller.session_id))
        if tail == 0:
            raise Forbidden("session-needed", "Sign in with your password to do this.")
        done = await sign_in.change_password(caller.member_id, caller.session_id, new.current, new.new, doing)
        answer_commit(response, done)

    return api


def access_tokens_router(service: Service) -> APIRouter:
    """A member's own access tokens. One who shows such a token cannot make another: only a session can."""
    api = APIRouter(prefix="/me/tokens", tags=["access tokens"])
    views = service.views(access_token_views)

    @api.post("", status_code=status.HTTP_201_CREATED)
    async def issue_access_token(
        new: NewAccessToken, caller: Caller, doing: Doing, key: IdempotencyKey, response: Response
    ) -> AccessTokenAnswer:
        _, tail = await service.store.state(sessions, stream(caller.session_id))
        if tail == 0:
            raise Forbidden("session-needed", "Sign in with your password to make an access token.")
        token_id, secret = new_id(), random.token_bytes(secrets.SECRET_BYTES)
        command = IssueAccessToken(
            token_id=token_id,
            member_id=caller.member_id,
            name=new.name,
            scopes=frozenset(new.scopes),
            secret_hash=secrets.hashed(secret),
            now=datetime.now(UTC),
            expires_at=new.expires_at,
        )
        made = await service.store.handle(access_tokens, command, doing, idempotency=key)
        if made.stream != access_token_stream(token_id):
            raise Conflict(
                "token-made-before",
                "This token was made and shown before. If it was not kept, revoke it and make another.",
            )
        answer_commit(response, made)
        response.headers["Cache-Control"] = "no-store"
        shown = secrets.written(secrets.ACCESS_TOKEN_PREFIX, token_id, secret)
        return AccessTokenAnswer(secret=shown, token_id=token_id, expires_at=new.expires_at)

    @api.get("")
    async def list_access_tokens(
        caller: Caller, after: After, request: Request, response: Response
    ) -> ListedTokens:
        answer_behind(response, await service.behind(after, access_token_views))
        where = {"member_id": caller.member_id, "expires_at": {"$gt": datetime.now(UTC)}}
        most = limits_of(request).page_size_most
        found = await views.find(where, sort=[("issued_at", -1), ("token_id", 1)], limit=most)
        names = await texts(service.keys, [view.name for view in found])
        return ListedTokens(
            items=[
                AccessTokenItem(**view.model_dump(exclude={"name", "member_id"}), name=name or NO_TEXT)
                for view, name in zip(found, names, strict=True)
            ]
        )

    @api.delete("/{token_id}", status_code=status.HTTP_204_NO_CONTENT)
    async def revoke_access_token(token_id: str, caller: Caller, doing: Doing, response: Response) -> None:
        command = RevokeAccessToken(await acting_now(service.store, caller), token_id)
        answer_commit(response, await service.store.handle(access_tokens, command, doing))

    return api
