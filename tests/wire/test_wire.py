"""What crosses the socket: names are for ever, and either side may be newer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from fleetview_agent.wire import (
    ChatMessage,
    ChatRequest,
    Operation,
    Sampled,
    Snapshot,
    SwapRequest,
    decode_event,
)
from tests.builders import a_snapshot, an_operation

GOLDEN = Path(__file__).parent / "golden" / "protocol-1.ndjson"


@pytest.mark.parametrize("line", GOLDEN.read_text().splitlines())
def test_what_an_agent_of_this_protocol_said_is_still_understood_to_the_letter(line: str) -> None:
    event = decode_event(line)
    assert event is not None
    assert _kept(json.loads(event.model_dump_json(exclude_none=True)), json.loads(line)) == json.loads(line)


def _kept(now: Any, said: Any) -> Any:  # Any: JSON
    """What is still there of what was said; fields that were added since are left out."""
    if isinstance(now, dict) and isinstance(said, dict):
        return {key: _kept(value, said[key]) for key, value in now.items() if key in said}
    if isinstance(now, list) and isinstance(said, list) and len(now) == len(said):
        return [_kept(*pair) for pair in zip(now, said, strict=True)]
    return now


def test_a_type_that_only_a_newer_agent_knows_is_skipped() -> None:
    assert decode_event('{"type": "weather_changed", "sky": "blue"}') is None


def test_fields_that_only_a_newer_agent_knows_are_skipped() -> None:
    event = decode_event('{"type": "sampled", "sample": {"at": 1.0, "mood": "calm"}, "extra": 1}')
    assert isinstance(event, Sampled)
    assert event.sample.at == 1.0


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        "null",
        '{"type": 7}',
        '{"type": "sampled"}',
        '{"type": "sampled", "sample": {"at": "x"}}',
        '{"type": "sampled", "sample": {"at": NaN}}',
        '{"type": "sampled", "sample": {"at": 1e999}}',
        '{"type": "sampled", "sample": {"at": -Infinity}}',
        '{"type": "sampled", "sample": {"at": 1e300}}',
        '{"type": "sampled", "sample": {"at": 1, "gpu_ratio": "nan"}}',
        '{"type": "sampled", "sample": {"at": 1, "memory_used_bytes": 1' + "0" * 400 + "}}",
    ],
)
def test_nonsense_is_an_error_and_never_an_event(line: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - json and pydantic each have their own words for it
        decode_event(line)


def test_what_is_unknown_is_none_and_not_zero() -> None:
    event = decode_event('{"type": "sampled", "sample": {"at": 1.0}}')
    assert isinstance(event, Sampled)
    assert event.sample.gpu_ratio is None
    assert event.sample.memory_used_bytes is None


def test_events_cannot_be_changed_by_those_who_share_them() -> None:
    snapshot = decode_event(GOLDEN.read_text().splitlines()[0])
    assert isinstance(snapshot, Snapshot)
    with pytest.raises(ValidationError):
        snapshot.protocol = 2  # type: ignore[misc]  # the very mistake that must not be possible


def test_a_swap_names_who_leaves_by_policy_or_by_name() -> None:
    named = SwapRequest.model_validate_json(
        '{"verb":"swap","author":"a@b","backend":"llamacpp","model":"m","evict":["llamacpp/x","llamacpp/y"]}'
    )
    assert named.evict == ("llamacpp/x", "llamacpp/y")
    with pytest.raises(ValidationError):
        SwapRequest(author="a@b", backend="llamacpp", model="m", evict="some")  # type: ignore[arg-type]  # on purpose


def test_an_operation_keeps_which_verb_it_carries_out() -> None:
    line = GOLDEN.read_text().splitlines()[3]
    operation = Operation.model_validate(json.loads(line)["operation"])
    assert isinstance(operation.request, SwapRequest)


def test_text_parts_and_single_stops_are_what_openai_clients_send() -> None:
    request = ChatRequest.model_validate(
        {
            "model": "m",
            "messages": [{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}],
            "stop": "END",
            "max_completion_tokens": 7,
        }
    )
    assert request.messages == (ChatMessage(role="user", content="ab"),)
    assert request.stop == ("END",)
    assert request.token_limit == 7


@pytest.mark.parametrize(
    "wrong",
    [
        {"messages": []},
        {"messages": [{"role": "wizard", "content": "x"}]},
        {"messages": [{"role": "user", "content": [{"type": "image_url"}]}]},
        {"messages": "hello"},
        {"temperature": -1},
        {"max_tokens": 0},
        {"top_p": "much"},
    ],
)
def test_a_chat_request_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        ChatRequest.model_validate({"model": "m", "messages": [{"role": "user", "content": "x"}], **wrong})


@pytest.mark.parametrize(
    "news", [{"request": {"verb": "teleport", "author": "ada@desk"}, "phase": "queued"}, {"phase": "teleport"}]
)
def test_an_operation_of_a_kind_that_only_a_newer_agent_knows_hides_nothing_else(news: dict[str, object]) -> None:
    known = an_operation().model_dump(mode="json", exclude_none=True)
    said = a_snapshot().model_dump(mode="json", exclude_none=True)
    read = Snapshot.model_validate({**said, "operations": [{**known, **news}, known]})
    assert [operation.id for operation in read.operations] == [known["id"]]
    with pytest.raises(ValidationError):
        Snapshot.model_validate({**said, "operations": [{**known, "request": "nonsense"}]})
