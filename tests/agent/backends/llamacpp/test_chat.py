from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from contextlib import aclosing
from pathlib import Path

import pytest

from fleetview_agent.errors import BadRequest, ContextExceeded
from fleetview_agent.wire import Traffic
from tests.agent.backends.llamacpp.bench import Bench, text_of, until
from tests.gguf_files import Tiny

BARE = """
import json, sys, llama_cpp
path, prompt, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
llama = llama_cpp.Llama(path, n_ctx=2048, n_threads=1, n_threads_batch=1, flash_attn=True, verbose=False)
tokens = llama.tokenize(prompt.encode(), add_bos=False, special=True)
answer = []
for token in llama.generate(tokens, temp=0):
    answer.append(token)
    if len(answer) == count:
        break
print(json.dumps([len(tokens), llama.detokenize(answer).decode("utf-8", "replace")]))
"""


async def test_an_answer_is_that_of_llama_cpp_itself(bench: Bench, home: Path) -> None:
    await bench.load("A")
    prompt = "<|im_start|>user\nhello<|im_end|>\n<|im_start|>assistant\n"
    bare = await asyncio.to_thread(
        subprocess.check_output, [sys.executable, "-c", BARE, str(bench.folder / "A.gguf"), prompt, "200"]
    )
    prompt_tokens, text = json.loads(bare)
    chunks = await bench.answer("A", "hello", max_tokens=200)
    assert text_of(chunks).rstrip("�") == text.rstrip("�")  # half a character at the end is dropped
    assert len(text) > 100
    assert chunks[-1].finish_reason == "length"
    usage = chunks[-1].usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.cached_tokens) == (prompt_tokens, 200, 0)
    assert all(chunk.usage is None for chunk in chunks[:-1])


async def test_temperature_zero_and_equal_seeds_give_equal_answers(bench: Bench) -> None:
    await bench.load("A")
    cold, warm = [text_of(await bench.answer("A", max_tokens=40)) for _ in range(2)]
    assert cold == warm
    first, second, other = [
        text_of(await bench.answer("A", max_tokens=40, temperature=1, seed=seed)) for seed in (7, 7, 8)
    ]
    assert first == second
    assert first != other
    one, another = [text_of(await bench.answer("A", max_tokens=40, temperature=1)) for _ in range(2)]
    assert one != another


async def test_a_stop_string_ends_the_answer_and_is_no_part_of_it(bench: Bench) -> None:
    await bench.load("A")
    whole = text_of(await bench.answer("A", max_tokens=100))
    stop = whole[30:34]
    chunks = await bench.answer("A", max_tokens=100, stop=["never to be seen", stop])
    assert text_of(chunks) == whole[: whole.index(stop)]
    assert chunks[-1].finish_reason == "stop"


async def test_timings_leave_cached_tokens_out(bench: Bench) -> None:
    await bench.load("A")
    first = (await bench.answer("A", "hello " * 50, max_tokens=20))[-1]
    again = (await bench.answer("A", "hello " * 50 + "you", max_tokens=20))[-1]
    for last in (first, again):
        assert last.timings.cache_n == last.usage.cached_tokens
        assert last.timings.prompt_n + last.timings.cache_n == last.usage.prompt_tokens
        assert last.timings.predicted_n == last.usage.completion_tokens
        assert last.timings.prompt_per_second > 0
        assert last.timings.predicted_per_second > 0
    assert first.usage.cached_tokens == 0
    assert again.usage.cached_tokens > 250


async def test_a_prompt_that_is_too_long_is_refused_with_both_counts(bench: Bench) -> None:
    await bench.load("A", context=256)
    with pytest.raises(ContextExceeded, match=r"prompt has \d{3} tokens.* room for 256"):
        await bench.answer("A", "x" * 300)
    assert (await bench.answer("A", max_tokens=3))[-1].usage.completion_tokens == 3


async def test_an_answer_ends_where_the_context_is_full(bench: Bench) -> None:
    await bench.load("A", context=256)
    last = (await bench.answer("A", "x" * 200, temperature=1, seed=1, stop=[]))[-1]
    assert last.finish_reason == "length"
    assert last.usage.prompt_tokens + last.usage.completion_tokens == 256


async def test_a_model_without_a_template_gets_a_plain_transcript(bench: Bench) -> None:
    await bench.load("A", Tiny(name="base", chat_template=None))
    last = (await bench.answer("A", "hi", max_tokens=5))[-1]
    assert last.usage.prompt_tokens == len("user: hi\nassistant:")


async def test_messages_that_the_template_does_not_take_are_the_clients_mistake(bench: Bench) -> None:
    await bench.load("A", Tiny(chat_template="{{ raise_exception('roles must alternate') }}"))
    with pytest.raises(BadRequest, match="roles must alternate"):
        await bench.answer("A")
    assert (await bench.row("A")).phase == "ready"


async def test_developer_is_another_name_of_system(bench: Bench) -> None:
    await bench.load("A")
    answers = [
        await bench.answer("A", messages=[{"role": role, "content": "be brief"}], max_tokens=10)
        for role in ("system", "developer")
    ]
    assert text_of(answers[0]) == text_of(answers[1])
    assert answers[0][-1].usage.prompt_tokens == answers[1][-1].usage.prompt_tokens


async def test_the_first_token_comes_while_the_others_are_still_made(bench: Bench) -> None:
    await bench.load_long("A")
    async with aclosing(bench.backend.chat("A", bench.request())) as answer:
        first = await anext(answer)
        assert first.finish_reason is None
        assert bench.traffic.in_flight == 1


async def test_closing_the_iterator_cancels_and_the_next_answer_comes_at_once(bench: Bench) -> None:
    await bench.load_long("A")
    answer = bench.backend.chat("A", bench.request())
    await anext(answer)
    await answer.aclose()
    async with asyncio.timeout(2):
        assert (await bench.answer("A", max_tokens=5))[-1].usage.completion_tokens == 5
    assert bench.traffic.in_flight == 0


async def test_cancelling_the_task_cancels_the_answer(bench: Bench) -> None:
    await bench.load_long("A")
    task = asyncio.create_task(bench.answer("A"))
    await until(lambda: bench.traffic.generation_tokens_per_second)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    async with asyncio.timeout(2):
        await bench.answer("A", max_tokens=5)


async def test_a_prompt_is_cancelled_between_two_batches(bench: Bench) -> None:
    await bench.load_long("A")
    task = asyncio.create_task(bench.answer("A", "word " * 15_000))
    await until(lambda: bench.traffic.prompt_progress)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    last = (await bench.answer("A", "word " * 100, max_tokens=3))[-1]
    assert last.usage.cached_tokens > 400  # what was read before the cancel is still of use


async def test_cancelling_over_and_over_loses_no_turn(bench: Bench) -> None:
    await bench.load_long("A")
    for tokens in range(30):
        task = asyncio.create_task(bench.answer("A", f"number {tokens}"))
        for _ in range(tokens):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait({task})
        assert task.cancelled()
    async with asyncio.timeout(5):
        await bench.answer("A", max_tokens=3)
    traffic = bench.traffic
    assert (traffic.in_flight, traffic.queued) == (0, 0)


async def test_requests_are_answered_one_after_another_in_their_order(bench: Bench) -> None:
    await bench.load("A")
    ended: list[int] = []

    async def ask(number: int) -> None:
        await bench.answer("A", f"question {number}", max_tokens=30)
        ended.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(ask(number))
        await until(lambda: bench.traffic.queued == 3)
        assert bench.traffic.in_flight == 1
    assert ended == [0, 1, 2, 3]


async def test_one_who_leaves_the_line_holds_nobody_up(bench: Bench) -> None:
    await bench.load_long("A")
    first = bench.backend.chat("A", bench.request())
    await anext(first)
    waiting, behind = [asyncio.create_task(bench.answer("A", max_tokens=2)) for _ in range(2)]
    await until(lambda: bench.traffic.queued == 2)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert bench.traffic.queued == 1
    await first.aclose()
    assert (await behind)[-1].usage.completion_tokens == 2


async def test_two_models_answer_at_the_same_time(bench: Bench) -> None:
    await bench.load_long("A")
    await bench.load("B")
    async with aclosing(bench.backend.chat("A", bench.request())) as answer:
        await anext(answer)
        assert (await bench.answer("B", max_tokens=5))[-1].finish_reason == "length"


async def test_live_rates_tell_the_prompt_from_the_answer(bench: Bench) -> None:
    await bench.load_long("A")
    idle = bench.traffic
    assert (idle.generation_tokens_per_second, idle.prompt_tokens_per_second, idle.prompt_progress) == (0.0, None, None)
    task = asyncio.create_task(bench.answer("A", "word " * 1_500, max_tokens=2000))
    reading: list[Traffic] = []
    await until(lambda: reading.append(bench.traffic) or reading[-1].prompt_tokens_per_second)
    assert 0 < reading[-1].prompt_progress < 1
    assert reading[-1].prompt_tokens_per_second > 100
    assert reading[-1].generation_tokens_per_second is None
    await until(lambda: reading.append(bench.traffic) or reading[-1].generation_tokens_per_second)
    assert reading[-1].prompt_progress is None
    assert reading[-1].prompt_tokens_per_second is None
    task.cancel()
    await asyncio.wait({task})
