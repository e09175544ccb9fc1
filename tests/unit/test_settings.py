"""Settings come from the environment, keep their secrets, and travel whole to other processes."""

import json
import os
from pathlib import Path

import pytest
from factories import new_settings
from pydantic import ValidationError

from wtb_async.settings import Settings, asyncpg_url

SECRETS = ("database-password", "redis-password", "key-of-the-server")


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Only what a server needs at least."""
    for name in list(os.environ):
        if name.startswith("WTB_") or name == "RAY_ADDRESS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("WTB_DATABASE_URL", f"postgresql://wtb:{SECRETS[0]}@db:5432/wtb")
    monkeypatch.setenv("WTB_REDIS_URL", f"redis://:{SECRETS[1]}@redis:6379/0")
    monkeypatch.setenv("WTB_API_KEY", SECRETS[2])
    return monkeypatch


@pytest.mark.usefixtures("environment")
def test_three_variables_are_enough() -> None:
    settings = Settings()
    assert settings.api_key.get_secret_value() == SECRETS[2]
    assert settings.projects == ()
    assert settings.api.max_body_bytes == 1024 * 1024


def test_a_missing_variable_is_named_without_showing_the_others(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.delenv("WTB_API_KEY")
    with pytest.raises(ValidationError, match="api_key") as caught:
        Settings()
    assert not any(secret in str(caught.value) for secret in SECRETS)


def test_nested_settings_are_reached_with_two_underscores(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WTB_RUNNER__SLOTS", "7")
    environment.setenv("WTB_RELAY__LOOP_SECONDS", "0.25")
    settings = Settings()
    assert (settings.runner.slots, settings.relay.loop_seconds) == (7, 0.25)
    assert settings.runner.heartbeat_seconds == 5.0


def test_files_go_to_a_bucket_or_nowhere_else(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WTB_FILES__STORE_URL", "")
    assert not Settings().files.store_url
    environment.setenv("WTB_FILES__STORE_URL", "s3://bucket/prefix")
    assert Settings().files.store_url == "s3://bucket/prefix"
    environment.setenv("WTB_FILES__STORE_URL", "/mnt/files")
    with pytest.raises(ValidationError, match="store_url"):
        Settings()


@pytest.mark.parametrize("name", ["WTB_RUNNER__SLOTS", "WTB_POOL__MAX_RUNNERS"])
def test_a_number_that_makes_no_sense_is_refused(
    environment: pytest.MonkeyPatch, name: str
) -> None:
    environment.setenv(name, "0")
    with pytest.raises(ValidationError):
        Settings()


def test_a_misspelt_nested_setting_is_refused(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WTB_RUNNER__SLOT", "7")
    with pytest.raises(ValidationError, match="slot"):
        Settings()


def test_projects_are_separated_by_colons(environment: pytest.MonkeyPatch) -> None:
    environment.setenv("WTB_PROJECTS", "a/langgraph.json::b c/langgraph.json:")
    assert Settings().projects == (Path("a/langgraph.json"), Path("b c/langgraph.json"))


def test_ray_is_found_under_its_own_variable(environment: pytest.MonkeyPatch) -> None:
    assert Settings().ray_address == "127.0.0.1:6379"
    environment.setenv("RAY_ADDRESS", "head:6379")
    assert Settings().ray_address == "head:6379"


def test_a_database_that_is_not_postgres_is_refused_without_showing_its_password(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("WTB_DATABASE_URL", f"mysql://wtb:{SECRETS[0]}@db/wtb")
    with pytest.raises(ValidationError, match="postgresql://") as caught:
        Settings()
    assert SECRETS[0] not in str(caught.value)


@pytest.mark.usefixtures("environment")
def test_secrets_do_not_show_when_settings_are_printed() -> None:
    settings = Settings()
    for shown in (repr(settings), str(settings), settings.model_dump_json()):
        assert not any(secret in shown for secret in SECRETS)


def test_settings_travel_whole_whatever_the_environment_there(
    environment: pytest.MonkeyPatch,
) -> None:
    environment.setenv("WTB_PROJECTS", "a/langgraph.json:b/langgraph.json")
    environment.setenv("WTB_RUNNER__SLOTS", "7")
    environment.setenv("RAY_ADDRESS", "head:6379")
    sent = Settings()
    message = json.dumps(sent.to_transfer())
    for name in ("WTB_DATABASE_URL", "WTB_API_KEY", "WTB_PROJECTS", "WTB_REDIS_URL"):
        environment.delenv(name)
    environment.setenv("WTB_RUNNER__SLOTS", "9")
    environment.setenv("RAY_ADDRESS", "elsewhere:6379")
    assert Settings.from_transfer(json.loads(message)) == sent


def test_settings_do_not_change_once_read() -> None:
    settings = new_settings()
    with pytest.raises(ValidationError, match="frozen"):
        settings.log_level = "DEBUG"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        settings.api.max_body_bytes = 2048  # type: ignore[misc]


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_the_databases_address_names_the_driver(scheme: str) -> None:
    assert asyncpg_url(f"{scheme}://u:p@h/d") == "postgresql+asyncpg://u:p@h/d"
