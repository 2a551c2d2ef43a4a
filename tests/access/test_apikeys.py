"""API keys: the file of them, what it says wrong, and what becomes of one that changes."""

import os
import stat
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from threading import Event, Thread

import pytest

from node.access import (
    API_KEYS_MAX,
    LOOK_AGAIN_S,
    ApiKey,
    ApiKeyRefused,
    ApiKeysError,
    Keyring,
    Scope,
    editing_api_keys,
    hash_of,
    key_name,
    load_api_keys,
    make_api_key,
    save_api_keys,
)
from node.access.apikeys import FILE_SIZE_MAX
from node.log import open_log, silent_log
from tests.access.hand import HandClock

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
GOOD = 'sha256 = "' + "0" * 64 + '"\nscopes = ["read"]\n'


def key_of(text: str, *scopes: Scope, **changes: object) -> ApiKey:
    given = {"sha256": hash_of(text), "scopes": scopes or (Scope.READ,)}
    return ApiKey(**{**given, **changes})  # type: ignore[arg-type]


def test_key_says_its_name_and_no_two_are_alike() -> None:
    one, other = make_api_key("exchange-one"), make_api_key("exchange-one")

    assert one != other
    assert key_name(one) == "exchange-one"
    assert len(one.rpartition("_")[2]) >= 1
    assert len(one) == len("khz_exchange-one_") + 43


@pytest.mark.parametrize("name", ["", "A", "a_b", "-a", "a-", "a" * 33, "a\n", "ä", "../a"])
def test_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(ApiKeysError, match="no name of a key"):
        make_api_key(name)


@pytest.mark.parametrize("text", ["", "khz_a_", "khz_a_" + "x" * 42, "khz__" + "x" * 43, "a" * 99])
def test_what_is_no_key_has_no_name(text: str) -> None:
    assert key_name(text) is None


def test_file_holds_what_was_saved_and_no_key(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    text = make_api_key("one")
    keys = {
        "one": key_of(text, Scope.READ, Scope.SUBMIT, calls_per_s_max=2_000, expires=NEW_YEAR),
        "two": key_of(make_api_key("two")),
    }

    save_api_keys(path, keys)

    assert load_api_keys(path) == keys
    assert text.rpartition("_")[2] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["keys.toml"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("[one", "no TOML"),
        ("[one]\nscopes = []\n" + GOOD.partition("\n")[0], "one"),
        ("[one]\n" + GOOD.replace("read", "rule"), "one: Invalid enum value 'rule'"),
        ("[one]\n" + GOOD.replace("0", "Z", 1), "one"),
        ("[one]\n" + GOOD + "more = 1", "unknown field `more`"),
        ("[one]\n" + GOOD + "calls_per_s_max = 0", "one"),
        ("[one]\n" + GOOD + "expires = 2027-01-01T00:00:00", "one"),
        ("[one]\n" + GOOD + "expires = 2027-01-01", "one"),
        ("[One]\n" + GOOD, "'One' is no name"),
        ("one = 1", "one"),
        ("\udcff", "no TOML"),
        ("#" * (FILE_SIZE_MAX + 1), "larger than"),
        ("".join(f"[k{n}]\n" for n in range(API_KEYS_MAX + 1)), f"at most {API_KEYS_MAX}"),
    ],
    ids=range(13),
)
def test_damaged_file_says_what_is_wrong(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "keys.toml"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))

    with pytest.raises(ApiKeysError) as refused:
        load_api_keys(path)

    assert said in str(refused.value)
    assert str(path) in str(refused.value)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_file_written_by_root_stays_readable_for_the_node(tmp_path: Path) -> None:
    home, moved = tmp_path / "home", tmp_path / "moved"
    for folder, owner in ((home, 1234), (moved, 4321)):
        folder.mkdir()
        os.chown(folder, owner, owner)

    save_api_keys(home / "keys.toml", {})
    made = (home / "keys.toml").rename(moved / "keys.toml")
    save_api_keys(made, {})

    found = made.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 1234, 0o600)


def test_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ApiKeysError, match="cannot be read: No such file"):
        load_api_keys(tmp_path / "none.toml")


def test_two_who_edit_at_once_lose_nothing_of_each_other(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    began = Event()

    def edit_second() -> None:
        began.set()
        with editing_api_keys(path) as keys:
            keys["two"] = key_of(make_api_key("two"))

    second = Thread(target=edit_second)
    with editing_api_keys(path) as keys:
        second.start()
        assert began.wait(timeout=30)
        second.join(timeout=0.05)  # it may try, and waits
        assert second.is_alive()
        keys["one"] = key_of(make_api_key("one"))
    second.join(timeout=30)

    assert load_api_keys(path).keys() == {"one", "two"}


def test_edit_that_fails_saves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"

    def edit() -> None:
        with editing_api_keys(path) as keys:
            keys["one"] = key_of(make_api_key("one"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        edit()
    assert not path.exists()


class Ring:
    """A keyring over a file, with its own time."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.toml"
        self.clock = HandClock()
        self.one = make_api_key("one")
        self.save(one=key_of(self.one))
        self.log = StringIO()
        log = open_log(self.log, now_ms=self.clock.now_ms)
        self.keyring = Keyring(self.path, clock=self.clock, log=log)

    def save(self, **keys: ApiKey) -> None:
        save_api_keys(self.path, keys)

    def later(self) -> None:
        self.clock.seconds += LOOK_AGAIN_S


@pytest.fixture
def ring(tmp_path: Path) -> Ring:
    return Ring(tmp_path)


def test_key_is_found_by_itself_alone(ring: Ring) -> None:
    assert ring.keyring.find(ring.one) == ("one", key_of(ring.one))
    for text in (make_api_key("one"), make_api_key("two")):
        with pytest.raises(ApiKeyRefused, match="not known here, or was revoked"):
            ring.keyring.find(text)
    with pytest.raises(ApiKeyRefused, match="no API key"):
        ring.keyring.find(ring.one + "x")


def test_no_key_is_good_without_a_file() -> None:
    keyring = Keyring(None, clock=HandClock(), log=silent_log())

    with pytest.raises(ApiKeyRefused):
        keyring.find(make_api_key("one"))


def test_revoked_key_opens_nothing_once_the_file_was_looked_at(ring: Ring) -> None:
    found = ring.keyring.find(ring.one)
    ring.save()

    assert ring.keyring.is_good(*found)
    ring.later()
    assert not ring.keyring.is_good(*found)
    with pytest.raises(ApiKeyRefused):
        ring.keyring.find(ring.one)


def test_key_that_was_made_anew_or_changed_is_not_the_old_one(ring: Ring) -> None:
    found = ring.keyring.find(ring.one)

    ring.save(one=key_of(ring.one, Scope.OPERATE))
    ring.later()

    assert not ring.keyring.is_good(*found)
    assert ring.keyring.find(ring.one)[1].scopes == (Scope.OPERATE,)


@pytest.mark.parametrize("damage", ["unreadable", "gone"])
def test_file_that_cannot_be_read_any_more_opens_nothing(ring: Ring, damage: str) -> None:
    """What was revoked in it must not go on, and which that is cannot be known."""
    if damage == "gone":
        ring.path.unlink()
    else:
        ring.path.write_text("[")
    ring.later()
    with pytest.raises(ApiKeyRefused):
        ring.keyring.find(ring.one)
    assert "no API key is good until their file is" in ring.log.getvalue()

    ring.save(one=key_of(ring.one))
    ring.later()
    assert ring.keyring.find(ring.one)[0] == "one"


def test_key_expires_at_its_moment(ring: Ring) -> None:
    ring.save(one=key_of(ring.one, expires=NEW_YEAR))
    ring.later()
    moment = int(NEW_YEAR.timestamp() * 1000)
    ring.clock.ms = moment - 1
    found = ring.keyring.find(ring.one)

    ring.clock.ms = moment

    assert not ring.keyring.is_good(*found)
    with pytest.raises(ApiKeyRefused, match="expired"):
        ring.keyring.find(ring.one)
