from __future__ import annotations

import pytest

from fleetview.chats.records import Settings
from fleetview.conversation.blocks import code_blocks
from fleetview.conversation.energy import Energy
from fleetview.conversation.files import chip, mentions, packed, unpacked
from fleetview.conversation.requests import request
from fleetview.conversation.slash import HELP, obey
from fleetview.conversation.thoughts import Thoughts
from fleetview_agent.wire import Sample
from tests.builders import a_sample


def test_everything_that_was_said_is_sent_each_time() -> None:
    settings = Settings(system="be brief", temperature=0.2, top_p=0.9, seed=7, max_tokens=100)
    asked = request("ollama/small", [("one?", "One.")], "two?", settings)
    said = [(message.role, message.content) for message in asked.messages]
    assert said == [("system", "be brief"), ("user", "one?"), ("assistant", "One."), ("user", "two?")]
    assert (asked.model, asked.stream) == ("ollama/small", True)
    assert (asked.temperature, asked.top_p, asked.seed, asked.max_tokens) == (0.2, 0.9, 7, 100)
    assert asked.stream_options is not None
    assert asked.stream_options.include_usage


def test_settings_are_changed_by_a_line_and_given_back_to_the_model() -> None:
    settings, said = obey(Settings(), "/set temperature 0.2")
    assert (settings.temperature, said) == (0.2, "temperature 0.2")
    settings, _ = obey(settings, "/set max_tokens 100")
    settings, _ = obey(settings, "/system Answer in one word.")
    assert settings == Settings("Answer in one word.", temperature=0.2, max_tokens=100)
    for line in ("/set temperature", "/set max_tokens", "/system"):
        settings, _ = obey(settings, line)
    assert settings == Settings()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/set temperature warm", "temperature must be a number from 0 to 10, not warm"),
        ("/set temperature 11", "temperature must be a number from 0 to 10, not 11"),
        ("/set temperature nan", "temperature must be"),
        ("/set max_tokens 0.5", "max_tokens must be a whole number"),
        ("/set max_tokens 0", "max_tokens must be a whole number from 1 on"),
        ("/set colour red", "colour cannot be set (temperature, top_p, max_tokens and seed can)"),
        ("/set", "nothing cannot be set"),
        ("/sing", "/sing is not known here (/help lists what is"),
    ],
)
def test_a_wrong_line_says_what_is_wrong(line: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=r".") as wrong:
        obey(Settings(), line)
    assert str(wrong.value).startswith(sentence)


def test_help_lists_every_command() -> None:
    assert obey(Settings(), "/help") == (Settings(), HELP)
    assert all(word in HELP for word in ("/system", "/set", "temperature", "max_tokens", "/file", "/help"))
    assert max(map(len, HELP.splitlines())) <= 78


def split(text: str, size: int) -> tuple[str, str]:
    thoughts = Thoughts()
    parts = [thoughts.feed(text[start : start + size]) for start in range(0, len(text), size)]
    parts.append(thoughts.end())
    return "".join(text for text, _ in parts), "".join(thinking for _, thinking in parts)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
@pytest.mark.parametrize(
    ("text", "answer", "thinking"),
    [
        ("<think>\nHm </thin not yet.</think>\n\nFour.", "Four.", "Hm </thin not yet."),
        ("\n<thinking>Hm.</thinking>Four.", "Four.", "Hm."),
        ("Four. The mark <think> is </think> text.", "Four. The mark <think> is </think> text.", ""),
        ("<thin ice", "<thin ice", ""),
        ("<think>never ended </thi", "", "never ended </thi"),
        ("  indented", "  indented", ""),
    ],
)
def test_thoughts_are_told_apart_wherever_the_pieces_end(size: int, text: str, answer: str, thinking: str) -> None:
    found = split(text, size)
    assert found[1].lstrip("\n") == thinking
    assert found[0].lstrip("\n") == answer


def test_blocks_of_code_are_found_in_what_is_not_finished_too() -> None:
    blocks = code_blocks("a\n```python title\nx = 1\ny = 2\n```\n~~~\n```\n~~~\n```sh\nls")
    assert [(block.language, block.text) for block in blocks] == [("python", "x = 1\ny = 2"), ("", "```"), ("sh", "ls")]
    assert blocks[0].summary == "python, 2 lines: x = 1"
    assert blocks[1].summary == "code, 1 line: ```"


def test_files_of_a_prompt_become_chips_and_again_what_they_stand_for() -> None:
    prompt = "why?\n\nmain.py:\n\n```python\nx = 1\ny = 2\n```\n\nand this?"
    short, blocks = packed(prompt)
    assert short == f"why?\n\n{chip('main.py', 2)}\n\nand this?"
    assert unpacked(short, blocks) == prompt
    assert unpacked("the chip was deleted", blocks) == "the chip was deleted"
    assert packed("```python\nx = 1\n```") == ("```python\nx = 1\n```", {})


def test_words_with_an_at_sign_in_front_may_be_paths() -> None:
    assert mentions('see @a/b.py and @"c d.md" not me@example.org') == (("@a/b.py", "a/b.py"), ('@"c d.md"', "c d.md"))


def drawn(at: float, power: float | None, covers: str | None = "system") -> Sample:
    return a_sample(at=at, interval_seconds=1.0, power_watts=power, power_covers=covers)


def test_joules_per_token_are_the_mean_power_over_the_time_of_writing() -> None:
    energy = Energy(since=10.0).after((drawn(10.0, 900.0), drawn(11.0, 100.0), drawn(12.0, 200.0)))
    energy = energy.after((drawn(12.0, 200.0),))
    assert energy.per_token(4.0, 120) == pytest.approx(150.0 * 4 / 120)
    assert energy.covers == "system"


@pytest.mark.parametrize(
    "samples",
    [
        (),
        (drawn(11.0, None),),
        (drawn(11.0, 50.0, "gpu"),),
        (drawn(11.0, 50.0), drawn(12.0, 20.0, "chip")),
        (drawn(11.0, 50.0, None),),
    ],
)
def test_joules_are_not_known_without_the_power_of_one_and_the_same_whole(samples: tuple[Sample, ...]) -> None:
    assert Energy(since=10.0).after(samples).per_token(4.0, 120) is None


def test_joules_are_not_known_without_tokens() -> None:
    energy = Energy(since=10.0).after((drawn(11.0, 100.0),))
    assert energy.per_token(4.0, None) is None
    assert energy.per_token(4.0, 0) is None
    assert energy.per_token(0.0, 10) is None
