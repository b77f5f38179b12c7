"""Links that are a right by themselves."""

import pytest
from flask import Flask

from booking.core.tokens import KEY_LENGTH, key_of, link_token, new_key, secret_hash
from tests.databases import close, make_app


def test_a_link_leads_back_to_its_key_for_its_purpose_alone(in_app: Flask) -> None:
    key = new_key()
    token = link_token("booking", key)
    assert key_of("booking", token) == key
    assert key_of("place", token) is None
    assert link_token("place", key) != token


def test_a_key_is_long_and_never_the_same(in_app: Flask) -> None:
    keys = {new_key() for _ in range(500)}
    assert len(keys) == 500
    assert {len(key) for key in keys} == {KEY_LENGTH}


@pytest.mark.parametrize(
    "change",
    [
        lambda token: "",
        lambda token: token[:KEY_LENGTH],
        lambda token: token[:-1],
        lambda token: token + "A",
        lambda token: ("A" if token[0] != "A" else "B") + token[1:],
        lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"),
        lambda token: token.swapcase(),
        lambda token: "ä" * len(token),
        lambda token: token + "\n",
    ],
)
def test_a_link_that_was_changed_is_none(in_app: Flask, change) -> None:
    assert key_of("booking", change(link_token("booking", "AbCdEfGhIjKlMnOp"))) is None


def test_another_secret_stops_every_link() -> None:
    tokens, hashes = [], []
    for secret in ("the-first-secret-of-all", "the-second-secret-of-all"):
        app = make_app("sqlite://", SECRET_KEY=secret)
        with app.app_context():
            tokens.append(link_token("booking", "AbCdEfGhIjKlMnOp"))
            hashes.append(secret_hash("sign-in link", "AbCdEfGhIjKlMnOp"))
            assert key_of("booking", tokens[0]) == ("AbCdEfGhIjKlMnOp" if len(tokens) == 1 else None)
        close(app)
    assert (len(set(tokens)), len(set(hashes))) == (2, 2)


def test_a_hash_says_nothing_of_the_secret_and_is_of_one_purpose(in_app: Flask) -> None:
    code, link = secret_hash("sign-in code", "123456"), secret_hash("sign-in link", "123456")
    assert len(code) == 64
    assert code != link
    assert "123456" not in code
    assert secret_hash("sign-in code", "123456") == code
