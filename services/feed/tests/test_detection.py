"""Which language a text is in, and what is done where that cannot be read from it."""

import pytest

from infra.demo.phrases import phrases
from infra.demo.shapes import LANGUAGES
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


async def test_what_the_demonstration_company_says_is_known_for_its_language(detector: Detector) -> None:
    for language in LANGUAGES:
        said = phrases(language).said
        themes = said["posts"].values()
        texts = [f"{one} {more}" for theme in themes for one, more in zip(*theme.values(), strict=True)]
        texts += [*said["comments"], *said["friday"], *(page["text"] for page in said["pages"])]
        found = [(await detector.detect(text, "it")).code for text in texts]
        assert found.count(language) >= 0.9 * len(texts), (language, found)
