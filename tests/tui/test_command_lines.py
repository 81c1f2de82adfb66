"""Requests as command lines: what is typed asks for the same again."""

from __future__ import annotations

import shlex

import pytest

from fleetview.author import author
from fleetview.present.operations.command_lines import TEMPLATE_FILE, command_line, lasting
from fleetview.words.parser import parse
from fleetview.words.requests import change_request
from fleetview_agent.wire import (
    CopyRequest,
    CreateRequest,
    DeleteRequest,
    KeepRequest,
    LoadOptions,
    LoadRequest,
    ModelPart,
    Order,
    PinRequest,
    PullRequest,
    RestartRequest,
    StartRequest,
    StopRequest,
    SwapRequest,
    UndoRequest,
    UnloadRequest,
    UnpinRequest,
)
from tests.builders import a_backend_state, a_load_request, a_model_file, a_resident, a_snapshot, a_swap_request

ODD = 'it\'s $(a) model; "here" & there:8b'
ABILITIES = ("start", "stop", "restart", "pin", "unpin", "keep", "pull", "create", "delete")
NODE = a_snapshot(
    backends=(
        a_backend_state(
            "ollama",
            models=tuple(a_model_file(name) for name in ("qwen3:32b", "old", ODD)),
            resident=(a_resident("old"), a_resident(ODD)),
            abilities=ABILITIES,
        ),
    )
)
OPTIONS = LoadOptions(
    context=8192,
    keep=1800.0,
    batch=256,
    flash_attention=False,
    cache_type_k="q8_0",
    cache_type_v="f16",
    gpu_layers=-1,
    mmap=True,
    mlock=True,
    threads=4,
)
ME = {"author": author(), "backend": "ollama"}
MODEL = {**ME, "model": "qwen3:32b"}
ORDERS: tuple[Order, ...] = (
    LoadRequest(**MODEL, options=OPTIONS, force=True),
    LoadRequest(**{**MODEL, "model": ODD}, options=LoadOptions(gpu_layers=0)),
    SwapRequest(**MODEL),
    SwapRequest(**MODEL, evict="all", options=LoadOptions(keep="forever", gpu_layers=12)),
    SwapRequest(**MODEL, evict=("ollama/old", f"ollama/{ODD}")),
    UnloadRequest(**MODEL),
    StartRequest(**ME),
    StopRequest(**ME),
    RestartRequest(**ME),
    PinRequest(**MODEL),
    UnpinRequest(**MODEL),
    KeepRequest(**MODEL, keep=90.0),
    KeepRequest(**MODEL),
    PullRequest(**{**MODEL, "model": "phi4:14b"}),
    DeleteRequest(**MODEL),
    CreateRequest(**{**MODEL, "model": "mine"}, source="/models/a b.gguf", options=LoadOptions(context=4096)),
    UndoRequest(author=author(), operation="op-7"),
    UndoRequest(author=author()),
)


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.verb)
def test_a_command_line_asks_for_the_same_again(order: Order) -> None:
    program, *words = shlex.split(command_line("studio", order))
    assert program == "fleetview"
    assert change_request(parse(words), "studio", NODE) == order


def test_what_takes_several_verbs_is_several_commands() -> None:
    beside = (a_load_request("small"),)
    assert command_line("studio", a_swap_request(beside=beside, pin=True)) == (
        "fleetview swap studio llamacpp/large && fleetview pin studio llamacpp/large"
        " && fleetview load studio llamacpp/small"
    )
    assert command_line("studio", StartRequest(author="a", backend="llamacpp", beside=beside)) == (
        "fleetview start studio llamacpp && fleetview load studio llamacpp/small"
    )
    kept = PinRequest(author="a", backend="ollama", model="m", keep=7200.0)
    assert command_line("studio", kept) == "fleetview pin studio ollama/m && fleetview keep studio ollama/m 2h"


def test_a_copy_goes_from_its_source_and_an_empty_list_evicts_nobody() -> None:
    part = ModelPart(sha256="0" * 64, size_bytes=1, name="a.gguf")
    copy = CopyRequest(author="a", backend="ollama", model="m", source="head", parts=(part,))
    assert command_line("studio", copy) == "fleetview copy head ollama/m studio"
    assert command_line("studio", a_swap_request(evict=())).endswith("--evict none")


def test_a_chat_template_is_a_file_that_one_has_to_name() -> None:
    loaded = a_load_request(options=LoadOptions(chat_template="{{ x }}"))
    assert command_line("studio", loaded).endswith(f"--template {TEMPLATE_FILE}")


def test_times_are_told_in_their_largest_unit() -> None:
    times = {None: "default", "forever": "forever", 0.0: "0s", 90.0: "90s", 1800.0: "30m", 7200.0: "2h", 86_400.0: "1d"}
    assert {keep: lasting(keep) for keep in times} == times
    assert lasting(0.25) == "0.25s"
