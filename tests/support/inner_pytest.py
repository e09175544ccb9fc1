"""What sessions of pytest need that run inside of tests."""

import pytest


@pytest.fixture
def plugin_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """The inner pytest loads our plugin and no other, installed or not."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_PLUGINS", "wtb_async.pytest_plugin")
