"""Settings: typed, from the environment and the settings file, and a bad one stops the start."""

import subprocess
import sys
from pathlib import Path

import pytest

from booking.core.settings import Settings, SettingsError
from tests.processes import ROOT, environment

SECRET = {"SECRET_KEY": "a-secret-that-only-tests-use"}
MAIL = {"MAIL_SERVER": "mail.example.org", "MAIL_DEFAULT_SENDER": "Vale & Marsh <calendar@example.org>"}


def load(**values: str) -> Settings:
    return Settings.load({**SECRET, **values}, env_file=None)


def test_only_the_secret_has_to_be_said_and_the_rest_is_safe() -> None:
    found = load()
    assert (found.demo, found.rate_limits, found.is_https) == (False, True, False)
    assert (found.base_url, found.port) == ("http://127.0.0.1:5000", 5000)
    assert (found.mail_server, found.mail_port, found.mail_use_tls) == ("", 25, False)
    assert found.mail_default_sender == "calendar@example.org"
    assert found.redis_url == ""
    assert found.database_url == f"sqlite:///{ROOT / 'var' / 'booking.db'}"


def test_each_setting_is_read_as_what_it_is() -> None:
    found = load(
        **MAIL,
        DATABASE_URL="postgresql+psycopg://calendar:secret@db.example.org:5433/calendar",
        BASE_URL="https://calendar.example.org/",
        DEMO="0",
        MAIL_PORT="587",
        MAIL_USERNAME="calendar",
        MAIL_PASSWORD="word",
        MAIL_USE_TLS="yes",
        MAIL_PER_MINUTE="120",
        REDIS_URL="redis://:word@127.0.0.1:6379/0",
        RATE_LIMITS="off",
        PORT="8080",
    )
    assert found == Settings(
        secret_key=SECRET["SECRET_KEY"],
        database_url="postgresql+psycopg://calendar:secret@db.example.org:5433/calendar",
        base_url="https://calendar.example.org",
        demo=False,
        mail_server="mail.example.org",
        mail_port=587,
        mail_username="calendar",
        mail_password="word",
        mail_use_tls=True,
        mail_default_sender="Vale & Marsh <calendar@example.org>",
        mail_per_minute=120,
        redis_url="redis://:word@127.0.0.1:6379/0",
        rate_limits=False,
        port=8080,
    )
    assert found.is_https


def test_the_address_follows_the_port_where_none_is_said() -> None:
    assert load(PORT="5001").base_url == "http://127.0.0.1:5001"


def test_the_environment_wins_over_the_settings_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("SECRET_KEY=the-secret-of-the-settings-file\nDEMO=1\nPORT=5005\n", encoding="utf-8")
    found = Settings.load({"PORT": "5006", "DEMO": ""}, env_file=file)
    assert (found.secret_key, found.port, found.demo) == ("the-secret-of-the-settings-file", 5006, False)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SECRET_KEY", ""),
        ("SECRET_KEY", "   "),
        ("SECRET_KEY", "too short"),
        ("DATABASE_URL", "nonsense"),
        ("DATABASE_URL", "mysql://user@host/name"),
        ("DATABASE_URL", "postgresql://user@host/name"),
        ("DATABASE_URL", "postgresql+psycopg://user:word@host:port/name"),
        ("BASE_URL", "calendar.example.org"),
        ("BASE_URL", "ftp://calendar.example.org"),
        ("BASE_URL", "https://"),
        ("BASE_URL", "https://calendar.example.org/below"),
        ("BASE_URL", "https://calendar.example.org?x=1"),
        ("BASE_URL", "https://calendar example.org"),
        ("BASE_URL", "https://calendar.example.org:port"),
        ("BASE_URL", "http://[::1"),
        ("BASE_URL", "http://[::::]"),
        ("BASE_URL", "https://calendar.example.org:99999"),
        ("BASE_URL", "https://calendar.example.org:0"),
        ("BASE_URL", "https://calendar..example.org"),
        ("BASE_URL", "https://calendar.example.org#top"),
        ("SECURITY_CONTACT", "nobody"),
        ("SECURITY_CONTACT", "http://example.org/report"),
        ("SECURITY_CONTACT", "mailto:a@b.org\nExpires: never"),
        ("SECURITY_CONTACT", "https://example.org/a b"),
        ("DEMO", "maybe"),
        ("DEMO", "yes?"),
        ("MAIL_USE_TLS", "starttls"),
        ("RATE_LIMITS", "30"),
        ("RATE_LIMITS", "maybe"),
        ("MAIL_SERVER", "http://smtp"),
        ("MAIL_SERVER", "smtp://mail.example.org"),
        ("MAIL_SERVER", "bad host"),
        ("MAIL_SERVER", "127.0.0.1:2525"),
        ("MAIL_SERVER", "mail.example.org:25"),
        ("MAIL_SERVER", "[::1]:25"),
        ("MAIL_SERVER", "mail.example.org/"),
        ("MAIL_SERVER", "post@mail.example.org"),
        ("MAIL_SERVER", "mail..example.org"),
        ("MAIL_SERVER", "-"),
        ("MAIL_SERVER", "a" * 300),
        ("MAIL_PORT", "smtp"),
        ("MAIL_PER_MINUTE", "-1"),
        ("MAIL_PER_MINUTE", "many"),
        ("MAIL_PORT", "0"),
        ("MAIL_PORT", "65536"),
        ("MAIL_PORT", "99999"),
        ("PORT", "0"),
        ("PORT", "-1"),
        ("PORT", "５０００"),
        ("PORT", "9" * 5000),
        ("MAIL_DEFAULT_SENDER", "the calendar"),
        ("MAIL_DEFAULT_SENDER", "@"),
        ("MAIL_DEFAULT_SENDER", "a@b.org, c@d.org"),
        ("MAIL_DEFAULT_SENDER", "a@b.org; c@d.org"),
        ("MAIL_DEFAULT_SENDER", "a@b.org c@d.org"),
        ("MAIL_DEFAULT_SENDER", "A <a@b.org>, C <c@d.org>"),
        ("MAIL_DEFAULT_SENDER", "A <a@b.org> c@d.org"),
        ("MAIL_DEFAULT_SENDER", "<a@b.org"),
        ("MAIL_DEFAULT_SENDER", "a@b@c.org"),
        ("MAIL_DEFAULT_SENDER", "a@b..org"),
        ("MAIL_DEFAULT_SENDER", "käthe@example.org"),
        ("MAIL_DEFAULT_SENDER", "calendar@example.org\nBcc: evil@example.org"),
        ("MAIL_DEFAULT_SENDER", "Vale, Marsh <calendar@example.org>"),
        ("REDIS_URL", "127.0.0.1:6379"),
        ("REDIS_URL", "redis://host:port/0"),
    ],
)
def test_a_bad_setting_is_named_in_one_short_line(name: str, value: str) -> None:
    with pytest.raises(SettingsError) as error:
        load(**{name: value})
    line = str(error.value)
    assert line.startswith(name)
    assert "\n" not in line
    assert len(line) < 200


@pytest.mark.parametrize("server", ["mail.example.org", "localhost", "mail_1", "127.0.0.1", "::1", "mail.example.org."])
def test_a_mail_server_is_a_name_or_an_address(server: str) -> None:
    assert load(**MAIL | {"MAIL_SERVER": server}).mail_server == server


def test_a_mail_server_may_have_the_brackets_that_addresses_have_elsewhere() -> None:
    assert load(**MAIL | {"MAIL_SERVER": "[::1]"}).mail_server == "::1"


def test_a_port_within_the_mail_server_is_sent_where_it_belongs() -> None:
    for server in ("127.0.0.1:2525", "mail.example.org:25", "[::1]:25"):
        with pytest.raises(SettingsError) as error:
            load(MAIL_SERVER=server)
        assert (
            str(error.value)
            == f"MAIL_SERVER: write the name of the server alone, and its port in MAIL_PORT, not {server!r}"
        )


@pytest.mark.parametrize(
    "sender",
    ["a@b.org", "Vale <a@b.org>", '"Vale, Marsh" <a@b.org>', "<a@b.org>", "calendar@localhost", "Käthe <a@b.org>"],
)
def test_mail_comes_from_one_address_that_may_have_a_name(sender: str) -> None:
    assert load(**MAIL | {"MAIL_DEFAULT_SENDER": sender}).mail_default_sender == sender


def test_it_is_known_whether_the_address_was_said() -> None:
    said = "http://127.0.0.1:5080"
    assert [(found.base_url, found.base_url_was_set) for found in (load(), load(BASE_URL=""), load(BASE_URL=said))] == [
        ("http://127.0.0.1:5000", False),
        ("http://127.0.0.1:5000", False),
        (said, True),
    ]


def test_a_settings_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_bytes("SECRET_KEY=caf\xe9".encode("latin-1"))
    with pytest.raises(SettingsError) as error:
        Settings.load(SECRET, env_file=file)
    assert str(error.value) == f"{file}: this file cannot be read. Write it as UTF-8 text, a NAME=value on each line"


def test_who_mails_needs_a_sender_and_the_demonstration_does_not() -> None:
    with pytest.raises(SettingsError, match=r"^MAIL_DEFAULT_SENDER is missing"):
        load(MAIL_SERVER="mail.example.org")
    assert load(MAIL_SERVER="mail.example.org", DEMO="1").mail_default_sender == "calendar@example.org"


def test_a_secret_is_never_shown() -> None:
    with pytest.raises(SettingsError) as error:
        load(SECRET_KEY="hunter2")
    assert "hunter2" not in str(error.value)
    with pytest.raises(SettingsError) as error:
        load(DATABASE_URL="postgres://calendar:hunter2@host/name")
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(
    ("program", "bad", "line"),
    [
        (["flask", "--app", "wsgi", "routes"], {"SECRET_KEY": ""}, "Settings: SECRET_KEY is missing"),
        (
            ["flask", "--app", "wsgi", "bookings", "audit"],
            {"DATABASE_URL": "nonsense"},
            "Settings: DATABASE_URL: write",
        ),
        (["scheduler", "--once"], {"BASE_URL": "here"}, "Settings: BASE_URL: write an address"),
        (["scheduler.run_local"], {"PORT": "http"}, "Settings: PORT: write a port number"),
    ],
)
def test_no_program_starts_with_a_bad_setting(program, bad, line) -> None:
    env = environment("sqlite://", **bad)
    done = subprocess.run(
        [sys.executable, "-m", *program], env=env, cwd=ROOT, text=True, capture_output=True, check=False, timeout=60
    )
    assert done.returncode != 0
    assert done.stdout == ""
    assert done.stderr.startswith(line)
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "base_url",
    [
        "",
        "http://127.0.0.1:5000",
        "http://localhost",
        "http://[::1]:5000",
        "https://localhost:8443",
        "http://127.1.2.3",
    ],
)
def test_a_demonstration_starts_on_this_machine(base_url: str) -> None:
    assert load(DEMO="1", BASE_URL=base_url).demo


@pytest.mark.parametrize(
    "base_url",
    ["https://calendar.example.org", "http://192.168.0.4:5000", "http://localhost.example.org", "http://0.0.0.0:5000"],
)
def test_a_demonstration_does_not_start_under_a_public_address(base_url: str) -> None:
    with pytest.raises(SettingsError, match=r"^BASE_URL: with DEMO=1 .*") as failed:
        load(DEMO="1", BASE_URL=base_url)
    assert len(str(failed.value).splitlines()) == 1
    assert load(DEMO="0", BASE_URL=base_url).base_url == base_url
