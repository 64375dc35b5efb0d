"""Which language a text is in, and what is done where that cannot be read from it."""

import pytest

from services.feed.detection import SURE, Detector

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="module")
def detector() -> Detector:
    return Detector()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("I dag bjuder vi på kanelbullar i köket", "sv"),
        ("Today there are cinnamon buns in the kitchen", "en"),
        ("Heute gibt es Zimtschnecken in der Küche", "de"),
        ("Aujourd'hui, il y a des brioches dans la cuisine", "fr"),
        ("Tänään keittiössä on korvapuusteja kaikille", "fi"),
        ("I dag er det kanelboller på kjøkkenet, bare å forsyne seg", "nb"),
        ("Dzisiaj w kuchni są bułeczki cynamonowe", "pl"),
        ("اليوم هناك كعك بالقرفة في المطبخ", "ar"),
        ("今日はキッチンにシナモンロールがあります", "ja"),
    ],
)
async def test_a_sentence_tells_its_language(detector: Detector, text: str, language: str) -> None:
    found = await detector.detect(text, "xx")
    assert found.code == language and found.confidence >= SURE


@pytest.mark.parametrize("text", ["", "ok", "😀 👍", "123", "@[ann] https://example.com/some/english/words"])
async def test_what_tells_nothing_is_in_its_authors_language(detector: Detector, text: str) -> None:
    found = await detector.detect(text, "fi")
    assert found.code == "fi" and found.confidence < SURE
