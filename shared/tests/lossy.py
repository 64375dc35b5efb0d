"""A wire to MongoDB that can be cut at will: before a command arrives, or after it was carried out and before
its answer arrives."""

import asyncio
import contextlib
import struct
from types import TracebackType
from typing import Literal, Self

import bson

from infra.engines.ports import FIRST, HOST, LAST

_HEADER = struct.Struct("<iiii")
_OP_MSG = 2013

Cut = Literal["before", "after"]


class LossyWire:
    """Forwards to one mongod. `cut` loses the next so many commands of a name, or their answers."""

    def __init__(self, mongo_uri: str) -> None:
        host, _, port = mongo_uri.removeprefix("mongodb://").partition("/")[0].partition(":")
        self._target = host, int(port)
        self._server: asyncio.Server | None = None
        self._pending: dict[str, list[Cut]] = {}
        self._connections: set[asyncio.Task[None]] = set()
        self.lost: list[str] = []
        self.port = 0

    @property
    def uri(self) -> str:
        """For a client that stays on this wire instead of asking where the replica set is."""
        return f"mongodb://{HOST}:{self.port}/?directConnection=true"

    def cut(self, command: str, when: Cut, times: int = 1) -> None:
        self._pending.setdefault(command, []).extend([when] * times)

    async def close(self) -> None:
        """Nothing gets through any more, what is open breaks."""
        if self._server is not None:
            self._server.close()
        for connection in list(self._connections):
            connection.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    async def __aenter__(self) -> Self:
        for port in range(FIRST, LAST):
            with contextlib.suppress(OSError):
                self._server = await asyncio.start_server(self._accepted, HOST, port)
                self.port = port
                return self
        raise OSError(f"no free port between {FIRST} and {LAST}")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None, "a server calls this in a task"
        self._connections.add(task)
        try:
            await self._forward(reader, writer)
        except asyncio.CancelledError:
            pass  # closed by `close`: the server's own callback would report it as an error
        finally:
            writer.close()
            self._connections.discard(task)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        engine_reader, engine_writer = await asyncio.open_connection(*self._target)
        unanswered: set[int] = set()

        async def there() -> None:
            while True:
                number, _, message = await _message(reader)
                cut = self._cut_of(message)
                if cut == "before":
                    return
                if cut == "after":
                    unanswered.add(number)
                engine_writer.write(message)
                await engine_writer.drain()

        async def back() -> None:
            while True:
                _, answered, message = await _message(engine_reader)
                if answered in unanswered:
                    return
                writer.write(message)
                await writer.drain()

        ways = [asyncio.create_task(there()), asyncio.create_task(back())]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            engine_writer.close()

    def _cut_of(self, message: bytes) -> Cut | None:
        """Whether this command is to be lost."""
        if _HEADER.unpack_from(message)[3] != _OP_MSG or message[20] != 0:
            return None
        name = next(iter(bson.decode(message[21 : 21 + struct.unpack_from("<i", message, 21)[0]])))
        waiting = self._pending.get(name)
        if not waiting:
            return None
        self.lost.append(name)
        return waiting.pop(0)


async def _message(reader: asyncio.StreamReader) -> tuple[int, int, bytes]:
    """Number, number of what it answers, and the whole message; raises IncompleteReadError at the end."""
    header = await reader.readexactly(_HEADER.size)
    length, number, answered, _ = _HEADER.unpack(header)
    return number, answered, header + await reader.readexactly(length - _HEADER.size)
