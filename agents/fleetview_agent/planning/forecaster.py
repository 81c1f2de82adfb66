"""Foresees loads: asks backends and engines, and remembers what real loads have taught."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from fleetview_agent.backends import Backend, DryRunning
from fleetview_agent.errors import BackendFailed, NotFound, StorageFailed, Unusable
from fleetview_agent.gguf import Header
from fleetview_agent.needs import LoadSettings, Need
from fleetview_agent.planning.fit import need
from fleetview_agent.planning.forecast import Estimate, Forecast, computed, measured
from fleetview_agent.planning.naming import find_backend, find_model
from fleetview_agent.planning.page_cache import cached_share
from fleetview_agent.records.load_book import File, LoadBook, Measured, settings_key
from fleetview_agent.wire import LoadRequest, ModelFile, Snapshot, SwapRequest

logger = logging.getLogger(__name__)

WARM_RATIO = 0.5
"""Of a file; one of which less is in memory must be read from the disk."""
PREVIEW_SECONDS = 5.0
"""How long somebody who only looks waits for an engine to lay out a load."""
DRY_RUN_SECONDS = 30.0
"""How long an operation waits for that."""

Load = LoadRequest | SwapRequest


class Forecaster:
    """What loads of this node would take."""

    def __init__(self, backends: Mapping[str, Backend], book: LoadBook) -> None:
        self._backends = backends
        self._book = book
        self._begun: dict[str, bool | None] = {}
        """`BACKEND/MODEL` of operations in hand → whether the file was cold when they began."""
        self._in_vain: set[tuple[str, str]] = set()
        """Models and settings that an engine could not lay out."""
        self._asking = asyncio.Lock()

    async def forecast(self, load: Load, node: Snapshot) -> Forecast:
        """What is known of a load without asking the engine. Raises NotFound."""
        state = find_backend(load.backend, node)
        file = find_model(state, load.model)
        header = await self._header(load)
        context = load.options.context or self._book.context(file.identity) or file.default_context
        is_cold = await _is_cold(file)
        try:
            settings, unusable = await self._settings(load, context), None
        except Unusable as refusal:
            settings, unusable = None, str(refusal)
        known = Forecast(
            load=load,
            state=state,
            file=file,
            estimate=Estimate(_weights(header, file)),
            context=context,
            header=header,
            settings=settings,
            unusable=unusable,
            is_cold=is_cold,
        )
        kept = _file(load, file)
        known = replace(known, seconds=self._book.seconds(kept, is_cold=is_cold) if kept else None)
        return self._estimated(known, self._told(known))

    async def laid_out(self, forecast: Forecast, *, is_preview: bool) -> Forecast:
        """The same, after the engine was asked to lay the load out, where it can do that at all."""
        backend = self._backends.get(forecast.load.backend)
        if not isinstance(backend, DryRunning) or forecast.state.phase != "ready" or forecast.context is None:
            return forecast
        async with self._asking:  # one at a time: each is a process with an engine in it
            outcome = self._told(forecast)
            if outcome is None and not (is_preview and (forecast.target, _key(forecast)) in self._in_vain):
                outcome = await self._ask(backend, forecast, PREVIEW_SECONDS if is_preview else DRY_RUN_SECONDS)
            return self._estimated(forecast, outcome)

    def is_new(self, forecast: Forecast) -> bool:
        """Whether the file was never loaded nor laid out on this node."""
        file = _file(forecast.load, forecast.file)
        return file is None or not self._book.is_known(file, forecast.state.version)

    def begin(self, forecast: Forecast) -> None:
        """The load is about to happen: what it takes from now on counts for what is known now."""
        self._begun[forecast.target] = forecast.is_cold

    async def remember(self, load: Load, node: Snapshot, context: int | None, seconds: float) -> None:
        """Keep what a load took that is over."""
        state = find_backend(load.backend, node)
        file = _file(load, model := find_model(state, load.model))
        is_cold = self._begun.pop(f"{load.backend}/{load.model}", None)
        if file is None:
            return
        row = next((row for row in state.resident if row.name == model.name and row.phase == "ready"), None)
        try:
            settings = settings_key(await self._settings(load, context), load.options, context)
        except Unusable:  # it has become so since it was loaded
            return
        with _if_possible():
            self._book.keep_context(file.identity, context)
            self._book.keep_seconds(file, seconds, is_cold=is_cold)
            if row is not None and row.memory_bytes and row.context == context:
                self._book.keep_measured(file, settings, Measured(row.memory_bytes, row.gpu_memory_bytes))

    def _told(self, forecast: Forecast) -> Need | str | None:
        """What the engine laid out when it was asked before, or its refusal."""
        file = _file(forecast.load, forecast.file)
        return self._book.dry_run(file, forecast.state.version, _key(forecast)) if file else None

    def _estimated(self, forecast: Forecast, outcome: Need | str | None) -> Forecast:
        """The same with the surest figure that there is: measured here, laid out by the engine, or computed."""
        header, settings = forecast.header, forecast.settings
        required = need(header, settings) if header and settings else None
        required = outcome if isinstance(outcome, Need) else required
        estimate = computed(required) if required else forecast.estimate
        file = _file(forecast.load, forecast.file)
        if file and (past := self._book.measured(file, _key(forecast))):
            estimate = measured(past.memory_bytes, forecast.estimate.weights_bytes, settings, required)
        unusable = outcome if isinstance(outcome, str) else forecast.unusable
        return replace(forecast, estimate=estimate, is_laid_out=outcome is not None, unusable=unusable)

    async def _ask(self, backend: DryRunning, forecast: Forecast, seconds: float) -> Need | str | None:
        """Let the engine lay out the load, and keep what it says; None where that came to nothing."""
        load, file = forecast.load, _file(forecast.load, forecast.file)
        options = load.options.model_copy(update={"context": forecast.context})
        outcome: Need | str
        try:
            async with asyncio.timeout(seconds):
                outcome = await backend.dry_run(load.model, options)
        except Unusable as refusal:
            outcome = str(refusal)
        except (BackendFailed, NotFound, TimeoutError) as problem:
            logger.info("%s could not be laid out: %s", forecast.target, str(problem) or type(problem).__name__)
            self._in_vain.add((forecast.target, _key(forecast)))
            return None
        if file:
            with _if_possible():
                self._book.keep_dry_run(file, forecast.state.version, _key(forecast), outcome)
        return outcome

    async def _header(self, load: Load) -> Header | None:
        """The header of the model's file, as far as the backend can show it."""
        try:
            return await self._backends[load.backend].header(load.model)
        except (KeyError, NotFound, Unusable):
            return None  # the plan has its own words for these

    async def _settings(self, load: Load, context: int | None) -> LoadSettings | None:
        """How the backend would load the model. Raises Unusable."""
        if context is None or load.backend not in self._backends:
            return None
        try:
            return await self._backends[load.backend].settings(load.model, load.options, context)
        except NotFound:
            return None


def _key(forecast: Forecast) -> str:
    """What decides about the memory of the load."""
    return settings_key(forecast.settings, forecast.load.options, forecast.context)


def _file(load: Load, model: ModelFile) -> File | None:
    """By what the book knows a model; None for one whose content cannot be told from another's."""
    return File(load.backend, model.identity, model.size_bytes) if model.identity else None


def _weights(header: Header | None, file: ModelFile) -> int:
    """All tensors of all parts; a little more than them where only the size of the file is known."""
    return header.tensor_bytes if header and header.is_complete else file.size_bytes


async def _is_cold(file: ModelFile) -> bool | None:
    """Whether the file must be read from the disk; None where that cannot be known."""
    if file.path is None:
        return None
    share = await asyncio.to_thread(cached_share, Path(file.path))
    return None if share is None else share < WARM_RATIO


@contextlib.contextmanager
def _if_possible() -> Iterator[None]:
    """What a load has taught is worth no failure."""
    try:
        yield
    except StorageFailed as problem:
        logger.warning("what was learnt of a load is not kept: %s", problem)
