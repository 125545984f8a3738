"""Which passwords are accepted, and that the right one alone fits."""

from __future__ import annotations

import pytest

from reviewqueue.errors import Invalid
from reviewqueue.people import passwords

from ..support.sparing import hash_passwords_as_in_production


@pytest.fixture(autouse=True)
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    hash_passwords_as_in_production(monkeypatch)


def test_the_right_password_fits_and_no_other() -> None:
    kept = passwords.hash_of("correct horse battery")
    assert kept.startswith("$argon2id$")
    assert passwords.matches("correct horse battery", kept)
    assert not passwords.matches("correct horse batterY", kept)
    assert not passwords.matches("", kept)


def test_nobodys_password_fits_nothing() -> None:
    assert not passwords.matches("the password of nobody", None)
    assert not passwords.matches("anything", "not a hash")


def test_the_same_letter_from_another_keyboard_fits() -> None:
    assert passwords.matches(
        "cafe\N{COMBINING ACUTE ACCENT} au lait s'il", passwords.hash_of("café au lait s'il")
    )


def test_a_fresh_hash_is_not_outdated_and_a_weak_one_is() -> None:
    assert not passwords.is_outdated(passwords.hash_of("correct horse battery"))
    weak = "$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$3kRmN3Y1vBqs5w"
    assert passwords.is_outdated(weak)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("short", "at least 12"),
        ("elevenchars", "at least 12"),
        ("x" * 257, "256 characters at most"),
        ("abababababab", "different characters"),
        ("Ada.Long@Example.org", "email address"),
    ],
)
def test_a_bad_password_is_refused_with_what_to_do(password: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        passwords.hash_of(password, email="ada.long@example.org")


@pytest.mark.parametrize("password", ["twelve chars", "ünïcödé is fine too", "x1" * 100 + "abc"])
def test_long_enough_is_good_enough(password: str) -> None:
    assert passwords.matches(password, passwords.hash_of(password))
