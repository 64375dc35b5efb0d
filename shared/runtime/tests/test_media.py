"""What a file is by its content, and how it is offered to a browser."""

import io
import re
import zipfile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.media import LONGEST_NAME, OPAQUE, TEXT, disposition, media_type, safe_name


def _office(part: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in ("[Content_Types].xml", "_rels/.rels", part):
            archive.writestr(name, "<x/>" * 100)
    return packed.getvalue()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "image/png"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF" + b"\0" * 40, "image/jpeg"),
        (b"%PDF-1.7\n", "application/pdf"),
        (b"\0\0\0\x20ftypisom\0\0\2\0isomiso2avc1mp41", "video/mp4"),
        (
            _office("word/document.xml"),
            "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ),
        (_office("xl/workbook.xml"), "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
        ("Räksmörgås är gott".encode(), TEXT),
        ("Räksmörgås".encode()[:2], TEXT),
        (b"\xe5\xe4\xf6 latin", OPAQUE),
        (b"a\0b", OPAQUE),
    ],
)
def test_content_tells_what_a_file_is(head: bytes, kind: str) -> None:
    assert media_type(head) == kind


@pytest.mark.parametrize(
    "head",
    [b"<!DOCTYPE html><script>alert(1)</script>", b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>'],
)
def test_what_could_run_a_script_is_text(head: bytes) -> None:
    assert media_type(head) == TEXT


@pytest.mark.parametrize(
    ("given_name", "safe"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\temp\\budget.xlsx", "budget.xlsx"),
        ('a"b;c.pdf', "a_b;c.pdf"),
        ("invoice\u202efdp.exe", "invoice_fdp.exe"),
        ("...", "file"),
        ("", "file"),
        ("Årsrapport.pdf", "Årsrapport.pdf"),
    ],
)
def test_names_lose_their_tricks(given_name: str, safe: str) -> None:
    assert safe_name(given_name) == safe


@given(st.text(max_size=400), st.sampled_from([TEXT, OPAQUE, "text/html", "image/png"]))
def test_a_disposition_is_one_plain_header_line_whatever_the_name(name: str, kind: str) -> None:
    header = disposition(name, kind)
    assert re.fullmatch(
        r"(inline|attachment); filename=\"[ -~]*\"; filename\*=UTF-8''[A-Za-z0-9._~%\-]+", header
    )
    assert header.count('"') == 2
    assert len(safe_name(name)) <= LONGEST_NAME


def test_a_long_name_keeps_its_ending() -> None:
    assert safe_name("a" * 500 + ".docx").endswith("a.docx")


def test_only_what_cannot_run_is_shown_inline() -> None:
    assert disposition("a.png", "image/png").startswith("inline")
    assert disposition("a.html", "text/html").startswith("attachment")
    assert disposition("a.bin", OPAQUE).startswith("attachment")
