"""Failures that mongod itself plays for one client: write-concern errors, refused commands, slow answers."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from shared.tests.rooms import Room


@contextlib.asynccontextmanager
async def failing(room: Room, *commands: str, times: int | None = 1, **how: Any) -> AsyncIterator[None]:
    """The next `times` of these commands (or all, None) fail for the clients of this room as `how` says."""
    mode: Any = "alwaysOn" if times is None else {"times": times}
    data = {"failCommands": list(commands), "appName": room.appname, **how}
    admin = room.client.admin
    await admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})
    try:
        yield
    finally:
        await admin.command({"configureFailPoint": "failCommand", "mode": "off"})
