"""What the documents for Prometheus and Grafana say is what there is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from fleetview_agent.serving.exposition import PREFIX
from fleetview_agent.serving.series import SERIES

DOCS = Path(__file__).parents[3] / "docs"
PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool, of Debian's prometheus, is not on PATH")
ROW = re.compile(r"^\| `(\w+)` \| (.*?) \|", re.MULTILINE)
NAME = re.compile(r"\bfleetview_\w+")


def a_dashboard() -> dict[str, Any]:
    dashboard: dict[str, Any] = json.loads((DOCS / "grafana-dashboard.json").read_text())
    return dashboard


def expressions() -> list[str]:
    """Everything that the dashboard asks Prometheus."""
    return [target["expr"] for panel in a_dashboard()["panels"] for target in panel.get("targets", ())]


def promtool(*arguments: str) -> None:
    assert PROMTOOL is not None
    judged = subprocess.run([PROMTOOL, "check", *arguments], capture_output=True, text=True, check=False)
    assert judged.returncode == 0, judged.stdout + judged.stderr


def test_the_table_names_every_series_with_its_labels_and_no_other() -> None:
    rows = {
        name: tuple(re.findall(r"`(\w+)`", labels))
        for name, labels in ROW.findall((DOCS / "prometheus.md").read_text())
    }
    assert rows == {PREFIX + series.name: series.labels for series in SERIES}


def test_the_dashboard_asks_for_what_there_is_and_by_labels_that_it_has() -> None:
    labels = {PREFIX + series.name: {*series.labels, "node"} for series in SERIES}
    asked = expressions()
    assert len(asked) > 20
    for expression in asked:
        names = NAME.findall(expression)
        assert names
        for name, selector in re.findall(r"(fleetview_\w+)\{(.*?)\}", expression):
            assert {label.partition("=")[0] for label in selector.split(",")} <= labels[name], expression
        grouped = {label.strip() for by in re.findall(r"\bby \((.*?)\)", expression) for label in by.split(",")}
        assert all(grouped <= labels[name] for name in names), expression


def test_the_dashboard_is_bound_to_no_prometheus_of_its_own() -> None:
    dashboard = a_dashboard()
    assert [one["name"] for one in dashboard["templating"]["list"]] == ["datasource", "node"]
    panels = [panel for panel in dashboard["panels"] if panel["type"] != "row"]
    assert all(panel["datasource"]["uid"] == "${datasource}" for panel in panels)
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@needs_promtool
def test_prometheus_understands_what_the_dashboard_asks(tmp_path: Path) -> None:
    plain = [one.replace("$__rate_interval", "1m").replace("$node", ".*") for one in expressions()]
    rules = [{"record": f"asked:{number}", "expr": one} for number, one in enumerate(plain)]
    file = tmp_path / "rules.yml"  # JSON is YAML
    file.write_text(json.dumps({"groups": [{"name": "asked", "rules": rules}]}))
    promtool("rules", str(file))


@needs_promtool
def test_prometheus_understands_the_example(tmp_path: Path) -> None:
    shutil.copy(DOCS / "prometheus.yml", tmp_path)
    (tmp_path / "fleetview-token").write_text("correct-horse-battery-staple")
    promtool("config", str(tmp_path / "prometheus.yml"))
