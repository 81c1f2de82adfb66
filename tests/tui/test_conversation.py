from __future__ import annotations

import pytest

from fleetview.conversation import HELP, Conversation, Settings, obey


def test_everything_that_was_said_is_sent_each_time() -> None:
    talk = Conversation("ollama/small", settings=Settings(system="be brief")).answered("one?", "One.")
    request = talk.request("two?")
    said = [(message.role, message.content) for message in request.messages]
    assert said == [("system", "be brief"), ("user", "one?"), ("assistant", "One."), ("user", "two?")]
    assert request.model == "ollama/small"
    assert request.stream
    assert request.stream_options is not None
    assert request.stream_options.include_usage


def test_the_last_exchange_can_be_taken_back_and_all_of_them() -> None:
    talk = Conversation("m").answered("a", "b").answered("c", "d")
    assert [exchange.prompt for exchange in talk.without_last().exchanges] == ["a"]
    assert talk.anew().exchanges == ()


def test_settings_are_changed_by_a_line() -> None:
    settings, said = obey(Settings(), "/set temperature 0.2")
    assert (settings.temperature, said) == (0.2, "temperature 0.2")
    settings, _ = obey(settings, "/set max_tokens 100")
    settings, _ = obey(settings, "/system Answer in one word.")
    assert settings == Settings("Answer in one word.", 0.2, 100)
    request = Conversation("m", settings=settings).request("hi")
    assert (request.temperature, request.max_tokens) == (0.2, 100)


def test_settings_are_given_back_to_the_model() -> None:
    settings = Settings("brief", 0.2, 100)
    for line in ("/set temperature", "/set max_tokens", "/system"):
        settings, _ = obey(settings, line)
    assert settings == Settings()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("/set temperature warm", "temperature needs a number, not 'warm'"),
        ("/set temperature 11", "temperature cannot be 11: input should be less than or equal to 10"),
        ("/set temperature nan", "temperature cannot be nan"),
        ("/set max_tokens 0.5", "max_tokens needs a whole number, not '0.5'"),
        ("/set max_tokens 0", "max_tokens cannot be 0"),
        ("/set colour red", "colour cannot be set (temperature and max_tokens can)"),
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
    assert all(word in HELP for word in ("/system", "/set temperature", "/set max_tokens", "/help"))
