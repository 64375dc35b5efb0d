"""The signing key: made once, readable by its owner only, and rotated with the old one still published."""

from pathlib import Path

import pytest

from services.identity import signing
from shared.runtime.auth import Actor, TokenVerifier

ANN = Actor("ann", frozenset({"editor"}), "s1")


def test_the_signing_key_is_made_at_the_first_start_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "signing.pem"
    first, second = signing.signer(path), signing.signer(path)
    assert first.key_id == second.key_id
    assert path.stat().st_mode & 0o777 == 0o600


async def test_tokens_signed_before_a_rotation_are_good_until_they_end(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    before = signing.signer(path)
    signing.rotate(path)
    after = signing.signer(path)
    assert before.key_id != after.key_id
    assert {key["kid"] for key in after.keys()["keys"]} == {before.key_id, after.key_id}
    verifier = TokenVerifier.by(after)
    assert await verifier.verify(before.sign(ANN)) == ANN
    assert await verifier.verify(after.sign(ANN)) == ANN
    signing.rotate(path)
    assert len(signing.signer(path).keys()["keys"]) == 3


def test_a_private_key_is_never_published_nor_readable_by_others(tmp_path: Path) -> None:
    path = tmp_path / "signing.pem"
    signing.signer(path)
    signing.rotate(path)
    assert all(file.stat().st_mode & 0o077 == 0 for file in tmp_path.rglob("*.pem"))
    assert all("d" not in key for key in signing.signer(path).keys()["keys"])


HALF_A_KEY = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"


@pytest.mark.parametrize("content", [b"", b"no key", HALF_A_KEY])
def test_a_file_that_holds_no_key_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signing.pem"
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises(SystemExit, match="holds no signing key"):
        signing.signer(path)
    path.chmod(0o644)
    with pytest.raises(SystemExit, match="chmod 600"):
        signing.signer(path)
