"""`fikarum prepare`: what a platform in containers needs before its services start, made once and kept."""

import time

from infra.cli.faults import Fault
from infra.cli.shown import AsJson, document
from infra.engines import mongo

#: Seconds until MongoDB is there.
PATIENCE = 180.0
_PAUSE = 0.5


def prepare(as_json: AsJson = False) -> None:
    """Make the master key where there is none, and MongoDB a replica set (containers; `up` needs it not)."""
    # Loads what services are made of, which no other command needs.
    from shared.runtime.keys import MasterKey
    from shared.runtime.settings import Settings

    settings = Settings.from_env()
    MasterKey.create(settings.master_key_path)
    member = settings.mongo_uri.partition("://")[2].partition("/")[0]
    wait_for_mongo(member, PATIENCE)
    if as_json:
        document({"master_key": str(settings.master_key_path), "mongo": member})


def wait_for_mongo(member: str, patience: float) -> None:
    """Returns once `member` (host:port) takes writes as a replica set of one. Raises Fault."""
    deadline = time.monotonic() + patience
    while not mongo.forms(member):
        if time.monotonic() > deadline:
            raise Fault(f"MongoDB at {member} takes no writes after {patience:.0f} s. See its log.")
        time.sleep(_PAUSE)
