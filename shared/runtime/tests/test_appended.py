"""What goes from an append to Kafka without asking the store: never past its predecessor, never twice."""

from datetime import UTC, datetime

import bson
from bson.raw_bson import RawBSONDocument
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.appended import LARGEST_BATCH_BYTES, MOST_WAITING, PROMPT, Appended
from shared.runtime.codec import Commit, commit_key, split_key
from shared.runtime.tests.clock import Clock

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def commit(stream: str, first: int, size: int = 1, data: str = "") -> Commit:
    key = commit_key(stream, first)
    document = {"_id": key, "recorded_at": NOW, "events": [{"data": data}] * size}
    return Commit(key, stream, first, size, f"c{key}", NOW, RawBSONDocument(bson.encode(document)))


def begun() -> tuple[Appended, Clock]:
    clock = Clock()
    appended = Appended(clock)
    appended.begin()
    clock.now += 10
    return appended, clock


def keys(appended: Appended) -> list[str]:
    """What goes now, and is sent."""
    taken, _ = appended.take()
    for document in taken:
        appended.sent(document, ())
    return [document["_id"] for document in taken]


def test_a_stream_that_begins_goes_and_so_does_what_follows_what_was_sent() -> None:
    appended, clock = begun()
    assert appended.add([commit("a", 1, 3), commit("b", 1), commit("a", 4)], clock.now)
    assert keys(appended) == [commit_key("a", 1), commit_key("b", 1), commit_key("a", 4)]
    appended.add([commit("a", 5)], clock.now)
    assert keys(appended) == [commit_key("a", 5)]
    assert appended.places("a", 3) is not None
    assert appended.places("a", 2) is None


def test_what_follows_something_unknown_is_left_to_the_sweep() -> None:
    appended, clock = begun()
    appended.add([commit("a", 2), commit("a", 3), commit("b", 1)], clock.now)
    assert appended.is_due("a", 2)
    taken, overtakes = appended.take()
    assert [document["_id"] for document in taken] == [commit_key("b", 1)]
    assert overtakes
    assert not appended.is_due("a", 2)


def test_what_the_sweep_has_sent_does_not_go_again() -> None:
    appended, clock = begun()
    appended.add([commit("a", 1), commit("a", 2)], clock.now)
    appended.sent({"_id": commit_key("a", 1), "events": [{}]}, ())
    assert keys(appended) == [commit_key("a", 2)]
    assert appended.take() == ([], False)


def test_what_the_sweep_sent_before_its_write_was_answered_is_not_due() -> None:
    """Whoever waits for it would wait for what has happened; and each be kept while the session lasts."""
    appended, clock = begun()
    appended.sent({"_id": commit_key("page-1", 1), "events": [{"data": ""}]}, ())
    assert appended.add([commit("page-1", 1)], clock.now)
    assert keys(appended) == []
    assert not appended.is_due("page-1", 1)


def test_what_failed_is_no_predecessor() -> None:
    """Taken, but its transaction was not committed: the session ends."""
    appended, clock = begun()
    appended.add([commit("a", 1)], clock.now)
    appended.take()
    appended.end()
    clock.now += 1
    appended.begin()
    clock.now += 1
    appended.add([commit("a", 2)], clock.now)
    assert appended.take() == ([], True)


def test_a_write_that_began_before_the_session_is_for_the_sweep() -> None:
    """Another relay may have found it, sent it and marked it by then."""
    clock = Clock()
    appended = Appended(clock)
    assert not appended.add([commit("a", 1)], clock.now), "no session"
    appended.begin()
    assert not appended.add([commit("b", 1)], clock.now - 0.1)
    appended.end()
    assert not appended.add([commit("c", 1)], clock.now)
    assert appended.take() == ([], False)


def test_a_write_that_took_long_is_for_the_sweep() -> None:
    """It may have sent it so long ago that it is not remembered."""
    appended, clock = begun()
    began = clock.now
    clock.now += PROMPT + 0.1
    assert not appended.add([commit("a", 1)], began)
    assert appended.take() == ([], False)


def test_more_than_can_wait_is_for_the_sweep() -> None:
    appended, clock = begun()
    many = [commit(f"s{n}", 1) for n in range(MOST_WAITING)]
    assert appended.add(many, clock.now)
    assert not appended.add([commit("one-more", 1)], clock.now)
    assert len(keys(appended)) == MOST_WAITING


def test_a_batch_has_its_largest_size() -> None:
    appended, clock = begun()
    large = "x" * (LARGEST_BATCH_BYTES // 3)
    appended.add([commit("a", n, data=large) for n in range(1, 6)], clock.now)
    assert keys(appended) == [commit_key("a", 1), commit_key("a", 2)]
    assert keys(appended) == [commit_key("a", 3), commit_key("a", 4)]
    assert keys(appended) == [commit_key("a", 5)]


def test_what_was_added_or_found_is_known() -> None:
    appended, clock = begun()
    appended.add([commit("a", 1)], clock.now)
    appended.found(commit_key("b", 1))
    assert appended.knows(commit_key("a", 1))
    assert appended.knows(commit_key("b", 1))
    assert not appended.knows(commit_key("c", 1))


Act = st.sampled_from(["here", "there", "take", "sweep", "fail"])


@given(acts=st.lists(st.tuples(Act, st.sampled_from("ab")), max_size=60))
def test_however_it_comes_each_commit_is_sent_once_and_in_order(acts: list[tuple[str, str]]) -> None:
    """Commits made here are told, those made there are not; a sweep sends what the store has unsent; a
    failure ends the session, and the next one begins where the log ends."""
    appended, clock = begun()
    stored: list[Commit] = []
    log: list[str] = []
    tails = {"a": 0, "b": 0}

    def send(documents: list[dict[str, object]]) -> None:
        for document in documents:
            log.append(str(document["_id"]))
            appended.sent(document, ())

    def sweep() -> None:
        sent = set(log)
        send([bson.decode(c.document.raw) for c in stored if c.key not in sent])

    for act, stream in acts:
        clock.now += 0.01
        if act in {"here", "there"}:
            made = commit(stream, tails[stream] + 1)
            tails[stream] += 1
            stored.append(made)
            if act == "here":
                appended.add([made], clock.now)
        elif act == "take":
            documents, overtakes = appended.take()
            send(documents)
            if overtakes:
                sweep()
        elif act == "sweep":
            sweep()
        else:
            appended.end()
            appended.begin()
    sweep()
    assert len(log) == len(set(log)), "nothing twice"
    for stream in "ab":
        versions = [split_key(key)[1] for key in log if split_key(key)[0] == stream]
        assert versions == list(range(1, tails[stream] + 1))
