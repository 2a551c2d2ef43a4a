"""Seeds and files of credentials: read as NATS writes them, refused by what is wrong, not shown."""

from pathlib import Path

import pytest

from node.stream.credentials import CREDENTIALS_SIZE_MAX, parse_credentials
from node.stream.errors import StreamUnusable
from node.stream.opening import credentials_in
from tests.stream.nkeys import ACCOUNT, CREDS, USER, Nkey, Realm

SEED = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"
PUBLIC = "UDXU4RCSJNZOIQHZNWXHXORDPRTGNJAHAHFRGZNEEJCPQTT2M7NLCNF4"
"""Published: the user of NATS' documentation on signing in by nkeys."""


@pytest.mark.parametrize("text", [SEED, f"  {SEED}\n"])
def test_published_seed_has_its_published_key(text: str) -> None:
    found = parse_credentials(text)

    assert (found.public_key, found.token) == (PUBLIC, None)
    assert SEED not in repr(found)


def test_file_of_nsc_has_a_token_and_a_seed() -> None:
    user = Nkey(kind=USER)
    text = Realm().creds(user)

    for written in (text, text.replace("\n", "\r\n")):
        found = parse_credentials(written)

        assert found.public_key == user.public
        assert found.token is not None
        assert found.token in text
        assert found.token not in repr(found)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "0 characters; the seed of a user is expected"),
        ("secret", "no base32|6 characters"),
        (SEED[:-1], "57 characters"),
        (SEED.lower(), "no base32"),
        (SEED[:20] + "A" + SEED[21:], "checksum is wrong"),
        (PUBLIC, "56 characters"),
        pytest.param(
            Nkey(kind=ACCOUNT).seed,
            "a seed that begins with SA",
            id="account",  # drawn anew by each process, and tests must have the same names in all
        ),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----", "blocks .* PRIVATE KEY;"),
        (CREDS.format(token="a.b.c", seed="SU").replace("END USER", "END"), "NATS USER JWT;"),
        (CREDS.format(token="a.b.c", seed=SEED[:-2]), "56 characters"),
        ("BEGIN", "none that is whole"),
    ],
)
def test_what_is_no_credentials_is_refused_and_not_shown(text: str, said: str) -> None:
    with pytest.raises(StreamUnusable, match=said) as refused:
        parse_credentials(text)

    assert SEED[4:20] not in str(refused.value)


def test_file_that_is_not_there_not_text_or_too_long_is_named(tmp_path: Path) -> None:
    file = tmp_path / "user.creds"
    for content, said in (
        (None, "cannot be read"),
        (b"\xff\xfe", "cannot be read"),
        (b"A" * (CREDENTIALS_SIZE_MAX + 1), f"more than {CREDENTIALS_SIZE_MAX} characters"),
        (b"nothing", "has 7 characters"),
    ):
        if content is not None:
            file.write_bytes(content)

        with pytest.raises(StreamUnusable, match=said) as refused:
            credentials_in(file)
        assert str(file) in str(refused.value)
