"""What the command line writes when a node, a model or a file is full of texts that try to be more than text."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from fleetview.cli.chat import DIM, NORMAL
from fleetview.cli.output import CLEAR_LINE
from fleetview.cli.run import run
from fleetview.own_log import start_log
from fleetview.words.parser import parse
from fleetview_agent.wire import ErrorAnswer, ErrorBody, OperationChanged, Snapshot
from tests.builders import AUTHOR, a_backend_state, a_plan, a_swap_request, an_operation
from tests.hostile_agent import Answer, an_agent_that_says, chatted, streamed
from tests.hostile_text import TEXTS, a_full_snapshot, commands, poisoned

LINE = {"U+000A"}
OWN = (CLEAR_LINE, DIM, NORMAL)
"""What the command line itself says to a terminal."""
WIDE = "4000"
"""Cells, so that no table is wrapped."""
VERBS = ("status", "models", "plan here small", "swap here small", "chat here llamacpp/small -p hello")


def everything() -> Snapshot:
    """A node that can be asked for `small`, and has every text in every other place."""
    one = poisoned(a_full_snapshot(), TEXTS["title"])
    others = [poisoned(a_full_snapshot(), text).backends for text in TEXTS.values()]
    backends = (a_backend_state(), *(state for states in others for state in states))
    operations = tuple(poisoned(an_operation(id=kind), text) for kind, text in TEXTS.items())
    return one.model_copy(update={"backends": backends, "operations": operations})


def events() -> tuple[str, ...]:
    """A swap that goes through its phases under many names, and fails with a long story."""
    steps = [poisoned(an_operation(), text) for text in TEXTS.values()]
    wish = a_swap_request(TEXTS["title"], author=AUTHOR)
    end = an_operation(request=wish, result="failed", cause=TEXTS["clipboard"], log=tuple(TEXTS.values()))
    changes = [OperationChanged(operation=operation) for operation in (*steps, end)]
    return (everything().model_dump_json(), *(change.model_dump_json() for change in changes))


def chunks() -> tuple[str, ...]:
    """Every text as a thought, then as a piece of the answer."""
    said = [{"reasoning_content": text} for text in TEXTS.values()] + [{"content": text} for text in TEXTS.values()]
    return tuple(json.dumps({"choices": [{"delta": delta}]}) for delta in said)


def refused(text: str) -> Answer:
    """An error that carries the text."""
    return Answer(ErrorAnswer(error=ErrorBody(code=text, message=text, hint=text)).model_dump_json().encode(), 500)


class Stream(io.StringIO):
    """Where output goes: to a terminal, or to a program."""

    def __init__(self, *, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


Call = Callable[..., tuple[str, str]]


@pytest.fixture
def call(monkeypatch: pytest.MonkeyPatch) -> Iterator[Call]:
    """Runs one command line against the agent of the answers; what it wrote to both streams."""
    plan = poisoned(a_plan(refusal="it is full"), TEXTS["device control"])
    usual = {
        "/api/snapshot": Answer(everything().model_dump_json().encode()),
        "/api/events": streamed(events()),
        "/api/plan": Answer(plan.model_dump_json().encode()),
        "/api/operations": Answer(b'{"id": "op-1"}', 202),
        "/v1/chat/completions": chatted(chunks()),
    }
    handlers = tuple(logging.getLogger().handlers)
    with TemporaryDirectory(prefix="fv-") as folder:
        home = Path(folder)
        (home / "fleet.toml").write_text(f'[[node]]\nname = "here"\nlocal = true\nsocket = "{home}/agent.sock"\n')
        monkeypatch.setenv("HOME", folder)
        monkeypatch.setenv("FLEETVIEW_FLEET", f"{home}/fleet.toml")

        def call(*words: str, terminal: bool = True, **other: Answer) -> tuple[str, str]:
            out, err = Stream(terminal=terminal), Stream(terminal=terminal)
            monkeypatch.setattr("sys.stdout", out)
            monkeypatch.setattr("sys.stderr", err)
            (home / "agent.sock").unlink(missing_ok=True)
            with an_agent_that_says(home / "agent.sock", {**usual, **other}):
                run(parse(words))
            return out.getvalue(), err.getvalue()

        yield call
    for handler in set(logging.getLogger().handlers) - set(handlers):
        logging.getLogger().removeHandler(handler)
        handler.close()


def obeyed(text: str) -> set[str]:
    """What a terminal would obey, but for what the command line itself says to it."""
    for own in OWN:
        text = text.replace(own, "")
    return commands(text)


@pytest.mark.parametrize("words", VERBS)
def test_no_verb_says_more_than_text_to_a_terminal(call: Call, words: str) -> None:
    for terminal in (True, False):
        out, err = call(*words.split(), terminal=terminal)
        assert "0;t" in out + err
        assert obeyed(err) <= LINE | {"U+0009"}
        assert obeyed(out) <= LINE | {"U+0009"} or (words.startswith("chat") and not terminal)


def test_what_a_node_remarks_forges_no_line_of_another(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow, _ = call("status")
    assert all(line.startswith(("NODE", "here", "  ")) for line in narrow.splitlines()), "what is wrapped is indented"
    monkeypatch.setenv("COLUMNS", WIDE)
    out, _ = call("status")
    heading, *lines = out.splitlines()
    assert heading.startswith("NODE")
    assert len(lines) > len(TEXTS)
    assert all(line.startswith("here") for line in lines)


def test_columns_stay_below_their_titles_whatever_stands_in_them(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", WIDE)
    out, _ = call("models")
    heading, *rows = out.splitlines()
    assert "MODEL" in heading
    assert len(rows) > len(TEXTS)
    assert all(row.startswith("here  ") for row in rows)


@pytest.mark.parametrize("words", ["status", "models", "plan here small", "chat here llamacpp/small -p hello"])
def test_json_holds_every_text_as_it_was_and_no_command(call: Call, words: str) -> None:
    out, _ = call(*words.split(), "--json")
    assert commands(out) <= LINE
    assert out.count("\n") == 1
    told = json.loads(out)
    match words.split(maxsplit=1)[0]:
        case "status":
            assert {state["backend"] for state in told[0]["backends"]} >= {"llamacpp", *TEXTS.values()}
        case "models":
            assert {row["model"]["name"] for row in told} >= set(TEXTS.values())
        case "plan":
            assert told["refusal"] == TEXTS["device control"]
        case _:
            assert told["content"] == "".join(TEXTS.values())


def test_an_answer_goes_to_a_program_as_the_model_wrote_it_and_to_a_terminal_as_text(call: Call) -> None:
    words = ("chat", "here", "llamacpp/small", "-p", "hello")
    written = "".join(TEXTS.values())
    out, _ = call(*words, terminal=False)
    assert out == f"{written}\n"
    shown, _ = call(*words, terminal=True)
    assert "␛[31;1mm␛[0m" in shown
    assert "👩\u200d👩\u200d👧\u200d👦" in shown
    assert commands(shown) <= {"U+0009", *LINE}


def test_an_agents_refusal_is_one_line_of_text(call: Call) -> None:
    for text in (TEXTS["title"], TEXTS["lines"], TEXTS["8-bit"], TEXTS["markup"]):
        no = dict.fromkeys(("/api/plan", "/api/operations", "/v1/chat/completions"), refused(text))
        for words in VERBS[2:]:
            out, err = call(*words.split(), **no)
            assert out.strip() == ""
            assert err.startswith("fleetview: ")
            assert (err.count("\n"), obeyed(err)) == (1, LINE)


def test_a_wrong_word_or_file_is_told_as_text(call: Call, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        parse(("status", f"--{TEXTS['title']}"))
    assert commands(capsys.readouterr().err) == LINE
    wrong = tmp_path / "fleet.toml"
    wrong.write_text(f"{json.dumps(TEXTS['title'])} = {json.dumps(TEXTS['clear'])}\n")
    _, err = call("config", "check", "--fleet", str(wrong))
    assert "there is no key" in err
    assert commands(err) == LINE


def test_a_log_can_be_read_on_a_terminal(tmp_path: Path) -> None:
    log = start_log(tmp_path / "log", "warning")
    try:
        for text in TEXTS.values():
            logging.getLogger("test").warning("a node said %s", text)
    finally:
        logging.getLogger().removeHandler(log)
        log.close()
    written = (tmp_path / "log").read_text()
    assert written.count("a node said") == len(TEXTS)
    assert commands(written) <= {"U+0009", *LINE}
