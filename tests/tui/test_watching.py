"""When a fleet file counts as changed, and what is said of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview.config import ConfigError, NodeConfig
from fleetview.present.fleet_file import news
from fleetview.watching import FleetFile
from tests.tui.fake_fleet import fleet_toml


def test_a_file_that_is_still_being_written_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "fleet.toml"
    file.write_text(fleet_toml("a"))
    watched = FleetFile(file)
    watched.read()
    assert watched.look() is None
    file.write_text("")
    assert watched.look() is None
    file.write_text(fleet_toml("a", "b"))
    assert watched.look() is None
    config = watched.look()
    assert config is not None
    assert [node.name for node in config.nodes] == ["a", "b"]
    assert watched.look() is None


def test_a_file_that_appears_where_none_was_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("FLEETVIEW_FLEET", raising=False)
    monkeypatch.chdir(tmp_path)
    watched = FleetFile(None)
    assert [node.name for node in watched.read().nodes] == ["here"]
    assert watched.look() is None
    (tmp_path / "fleet.toml").write_text(fleet_toml("a"))
    assert watched.look() is None
    config = watched.look()
    assert config is not None
    assert [node.name for node in config.nodes] == ["a"]
    (tmp_path / "fleet.toml").unlink()
    assert watched.look() is None
    with pytest.raises(ConfigError, match="not there any more"):
        watched.look()
    assert watched.look() is None


def test_the_news_are_names_or_counts() -> None:
    def many(*names: str, port: int | None = None) -> list[NodeConfig]:
        return [NodeConfig(name=name, host="h", port=port) for name in names]

    assert news(many("a", "b"), many("b", "a")) == "the fleet file was read again: the same nodes"
    assert news(many(*"abc"), many(*"c", port=3)) == "the fleet file was read again: gone a, b, changed c"
    assert news(many("a"), many(*"abcde")) == "the fleet file was read again: new 4 nodes"
