"""Verbs that look, names, and the edges of the program."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from fleetview.cli import models
from fleetview.cli.output import table
from fleetview.words.exits import CommandError
from fleetview.words.names import pick_model
from fleetview_agent.wire import Machine, Sample
from tests.builders import a_backend_state, a_model_file, a_resident
from tests.tui.cli.conftest import Fleetview, program

SMALL, LARGE = "simulated/sim-small", "simulated/sim-large"


def test_status_shows_every_node_and_first_why_some_are_down(fleetview: Fleetview) -> None:
    done = fleetview("status")
    heading, gone, far, here = done.out.splitlines()
    assert heading.split() == ["NODE", "STATE", "CPU", "GPU", "FREE", "PRESSURE", "TOK/S", "MODELS"]
    assert here.split()[:2] == ["here", "up"]
    assert gone.endswith("no agent answers on gone: no such file or directory")
    assert "refused: nothing listens for ssh at" in far
    assert done.status == 0
    assert fleetview("status", "gone").status == 3


def test_status_for_programs_keeps_the_order_of_the_file(fleetview: Fleetview) -> None:
    assert [row["name"] for row in fleetview("status", "--json").json] == ["here", "gone", "far"]


def test_a_named_node_that_fails_is_enough_for_status_three_and_the_others_are_shown(fleetview: Fleetview) -> None:
    for verb in ("status", "models"):
        done = fleetview(verb, "here", "gone")
        assert done.status == 3
        assert "no agent answers on gone" in done.out + done.err
        assert "here" in done.out
        assert fleetview(verb).status == 0


def test_the_doctor_tells_what_is_wrong_and_where_nothing_is_that_too(fleetview: Fleetview) -> None:
    sound = fleetview("doctor", "here")
    assert sound.status == 0
    assert sound.out.splitlines()[0].split() == ["here", "up"]
    assert "it answers, at ~/.fleetview/agent.sock on this machine" in sound.out
    assert "simulated 0.1.0 is ready" in sound.out
    lost = fleetview("doctor")
    assert lost.status == 3
    assert "wrong   no agent answers on gone: no such file or directory" in lost.out


def test_the_doctor_tells_programs_the_same(fleetview: Fleetview, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleetview_agent.wire.PROTOCOL", 2)
    done = fleetview("doctor", "here", "--json")
    (node,) = done.json
    assert done.status == 1
    assert (node["name"], node["condition"], node["reachable"], node["protocol"]) == ("here", "up", True, 1)
    (wrong,) = [one for one in node["findings"] if one["grade"] == "wrong"]
    assert (wrong["about"], wrong["hint"]) == ("agent", "upgrade fleetview-agent on here")


def test_status_for_programs_has_every_field_of_a_sample_as_the_agent_tells_it(fleetview: Fleetview) -> None:
    (node,) = fleetview("status", "here", "--json").json
    assert set(node["sample"]) == set(Sample.model_fields)
    assert set(node["machine"]) == set(Machine.model_fields)
    assert (node["sample"]["power_covers"], node["machine"]["model"]) == ("system", "Mac14,14")


def test_models_are_listed_with_whether_they_fit(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    done = fleetview("models", "here")
    rows = {line.split()[1]: line for line in done.out.splitlines()}
    assert "resident" in rows[SMALL]
    assert "yes" in rows[LARGE]
    assert "computed" in rows[LARGE]
    assert "truncated" in rows["simulated/sim-unusable"]
    by_name = {row["model"]["name"]: row for row in fleetview("models", "here", "--json").json}
    assert by_name["sim-small"]["resident"] == "ready"
    assert by_name["sim-large"]["plan"]["evictions"] == [SMALL]
    assert by_name["sim-unusable"]["plan"] is None


def test_models_of_a_node_that_is_down_exit_with_its_reason(fleetview: Fleetview) -> None:
    done = fleetview("models", "gone", "--json")
    assert (done.status, done.json) == (3, [])
    assert done.err == "fleetview: no agent answers on gone: no such file or directory\n"


def test_more_models_than_are_worth_a_plan_are_listed_without(
    fleetview: Fleetview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MOST_PLANS", 0)
    assert all(row["plan"] is None for row in fleetview("models", "here", "--json").json)


def test_a_plan_says_what_would_happen_and_changes_nothing(fleetview: Fleetview) -> None:
    fleetview("load", "here", SMALL)
    done = fleetview("plan", "here", "sim-large", "--ctx", "4096")
    assert done.status == 0
    assert f"load     {LARGE} on here, context 4k\n" in done.out
    assert f"leaves   {SMALL}\n" in done.out
    plan = fleetview("plan", "here", LARGE, "--evict", "none", "--json").json
    assert (plan["evictions"], plan["verdict"]) == ([], "fits")
    assert [row["name"] for row in fleetview("status", "here", "--json").json[0]["backends"][0]["resident"]] == [
        "sim-small"
    ]


def test_a_plan_that_would_be_refused_is_told_and_exits_so(fleetview: Fleetview) -> None:
    done = fleetview("plan", "here", LARGE, "--ctx", "99999999")
    assert done.status == 4
    assert "does not fit" in done.out
    assert "it would be refused" in done.err
    assert fleetview("plan", "here", LARGE, "--ctx", "99999999", "--force").status == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("swap her sim-small", "there is no node her in the fleet; did you mean here?"),
        ("status zzz", "there is no node zzz in the fleet; it has here, gone, far"),
        ("swap here sim-smal", "there is no model sim-smal on here; did you mean simulated/sim-small?"),
        ("load here zzz", "there is no model zzz on here; `fleetview models here` lists those that there are"),
        ("swap here sim-small --evict nobody", "there is no model nobody on here; `fleetview models here` lists"),
        ("chat here sim-smal -p hello", "there is no model sim-smal on here; did you mean simulated/sim-small?"),
        ("swap here SMALL", "there is no model SMALL on here; did you mean simulated/sim-small?"),
        ("chat here", "there is nothing to ask; give a prompt with -p or on standard input"),
        ("status --fleet none.toml", "none.toml: there is no such file"),
        ("status --log-file /dev/null/x", "/dev/null/x: it cannot be written: "),
    ],
)
def test_a_wrong_name_is_told_with_the_nearest_one(fleetview: Fleetview, words: str, said: str) -> None:
    done = fleetview(*words.split())
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"fleetview: {said}")
    assert done.err.count("\n") == 1


def test_a_node_that_cannot_be_reached_exits_with_its_reason(fleetview: Fleetview) -> None:
    for words in (("swap", "far", SMALL), ("plan", "far", SMALL), ("chat", "far", "-p", "hello")):
        done = fleetview(*words)
        assert done.status == 3
        assert "refused: nothing listens for ssh at" in done.err


def test_config_is_checked_found_and_described(fleetview: Fleetview, home: Path) -> None:
    assert fleetview("config", "check").out == f"{home / 'fleet.toml'}: 3 nodes: here, gone, far\n"
    assert fleetview("config", "check", "--json").json["nodes"] == ["here", "gone", "far"]
    assert fleetview("config", "path").out == f"{home / 'fleet.toml'}\n"
    assert "node" in json.loads(fleetview("config", "schema").out)["properties"]
    (home / "wrong.toml").write_text("[ui]\nmous = true\n")
    wrong = fleetview("config", "check", "--fleet", str(home / "wrong.toml"))
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err == f"fleetview: {home / 'wrong.toml'}:2: there is no key ui.mous; did you mean mouse?\n"


def test_a_bug_is_a_sentence_for_people_and_a_trace_in_the_log(
    fleetview: Fleetview, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(*_: object) -> None:
        raise LookupError("planted")

    monkeypatch.setattr("fleetview.cli.run.read_config", break_down)
    done = fleetview("status")
    log = home / ".local" / "state" / "fleetview" / "fleetview.log"
    assert (done.status, done.out) == (1, "")
    assert done.err == f"fleetview: an error in fleetview: LookupError: planted; its trace is in {log}\n"
    assert "Traceback" in log.read_text()
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert stat.S_IMODE(log.parent.stat().st_mode) == 0o700


def test_whoever_reads_the_status_may_have_enough(fleetview: Fleetview, home: Path) -> None:
    with program(home, "status", "here", "--watch", "--json", stdout=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline())[0]["name"] == "here"
        process.stdout.close()
        assert process.wait(10) == 0
        assert process.stderr.read() == ""


def test_the_dashboard_asks_for_a_terminal(fleetview: Fleetview, home: Path) -> None:
    with program(home, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        out, told = process.communicate(timeout=10)
    assert (process.returncode, out) == (2, "")
    assert told == "fleetview: the dashboard needs a terminal; `fleetview status` prints the fleet as text\n"


def test_a_model_alone_means_where_it_is_resident_else_both_are_named() -> None:
    files = (a_model_file("both"),)
    ollama = a_backend_state("ollama", models=(*files, a_model_file("hf.co/some/model")), resident=())
    llamacpp = a_backend_state("llamacpp", models=files, resident=())
    with pytest.raises(CommandError, match="both is not clear on here: say llamacpp/both or ollama/both"):
        pick_model("here", (ollama, llamacpp), "both")
    holding = a_backend_state("llamacpp", models=files, resident=(a_resident("both"),))
    assert pick_model("here", (ollama, holding), "both") == ("llamacpp", "both")
    assert pick_model("here", (ollama, holding), "ollama/both") == ("ollama", "both")
    assert pick_model("here", (ollama, holding), "hf.co/some/model") == ("ollama", "hf.co/some/model")


def test_a_table_keeps_its_columns_and_no_name_moves_the_cursor() -> None:
    assert table((("A", "N"), ("long", "1"), ("日本", "10")), frozenset((1,))) == "A      N\nlong   1\n日本  10"
    assert "\x1b" not in table((("\x1b[2J", "x"),))


def test_a_table_that_is_wider_than_the_screen_wraps_its_last_column_or_has_further_ones_in_lines_below() -> None:
    words = "one two three four five six seven eight nine ten"
    assert table((("label", words),), width=40).splitlines() == [
        "label  one two three four five six seven",
        "       eight nine ten",
    ]
    rows = (("NODE", "N", "WHAT", "RESULT"), ("studio", "1", "x" * 30, "done"), ("b", "10", "y", words))
    assert table(rows, frozenset((1,)), 40).splitlines() == [
        "NODE     N",
        "  WHAT                            RESULT",
        "studio   1",
        f"  {'x' * 30}  done",
        "b       10",
        "  y                               one",
        "  two three four five six seven eight",
        "  nine ten",
    ]
    assert all(len(line) > 40 for line in table(rows, frozenset((1,))).splitlines()[2:])
