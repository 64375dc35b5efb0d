"""What can go wrong with an engine, each said in one line."""


class EngineFault(Exception):
    """An engine cannot be installed, started or stopped; the message is one line that says why."""


class NotInstalled(EngineFault):
    """Something that the engines need is missing and could not be fetched."""


class FolderInUse(EngineFault):
    """A live process already runs on the data folder."""


class PortTaken(EngineFault):
    """Another process listens where the engine should."""


class DiskFull(EngineFault):
    """There is too little space for the data folder."""


class MemoryShort(EngineFault):
    """The machine has less memory available than the engine is set to take."""


class NotReady(EngineFault):
    """The engine ended, or did not answer in time."""
