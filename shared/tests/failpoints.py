"""Failures that mongod itself plays for one client: write-concern errors, refused commands, slow answers."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from shared.tests.rooms import Room


@contextlib.asynccontextmanager
async def failing(
    room: Room, *commands: str, times: int | None = 1, **how: Any
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """The next `times` of these commands (or all, None) fail for the clients of this room as `how` says; with
    a `namespace`, for all clients and that collection. What it gives waits until one does."""
    mode: Any = "alwaysOn" if times is None else {"times": times}
    whose = {} if "namespace" in how else {"appName": room.appname}
    data = {"failCommands": list(commands), **whose, **how}
    admin = room.client.admin
    entered = await admin.command({"configureFailPoint": "failCommand", "mode": mode, "data": data})
    try:
        yield lambda: _entered(room, "failCommand", entered["count"] + 1)
    finally:
        await admin.command({"configureFailPoint": "failCommand", "mode": "off"})


@contextlib.asynccontextmanager
async def hanging_reads(room: Room, after: int) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """Whoever reads the room's commits hangs once `after` documents or index keys were looked at, until the
    end. What it gives waits until somebody does."""
    admin, point = room.client.admin, "setYieldAllLocksHang"
    yields = await admin.command({"setParameter": 1, "internalQueryExecYieldIterations": 1})
    data = {"namespace": f"{room.database.name}.commits"}
    entered = await admin.command({"configureFailPoint": point, "mode": {"skip": after}, "data": data})

    try:
        yield lambda: _entered(room, point, entered["count"] + 1)
    finally:
        await admin.command({"configureFailPoint": point, "mode": "off"})
        await admin.command({"setParameter": 1, "internalQueryExecYieldIterations": yields["was"]})


async def _entered(room: Room, point: str, times: int) -> None:
    await room.client.admin.command({"waitForFailPoint": point, "timesEntered": times, "maxTimeMS": 30_000})
