"""Who runs Ollama's server, decided from the facts alone; several who would fight over it are told, never served."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fleetview_agent.backends import ServerSteps, ServerVerb
from fleetview_agent.backends.ollama.supervise.facts import Facts, SeenServer
from fleetview_agent.backends.ollama.supervise.keepers import (
    Keeper,
    by_hand,
    of_app,
    of_child,
    of_job,
    of_unit,
    own_server,
    refusing,
)
from fleetview_agent.backends.ollama.supervise.steps import Step, texts
from fleetview_agent.backends.ollama.supervise.systemd import is_container, unit_of

APP_PROGRAM = "/Ollama.app/Contents/MacOS/"
SUPERVISORS = ("supervisord", "pm2", "runsv", "s6-supervise", "monit", "circusd", "overmind", "foreman", "honcho")
"""Others that start again what ends, by the names of their processes."""


@dataclass(frozen=True)
class Verdict:
    """Who runs the server, and what may be done."""

    keeper: Keeper
    """Who runs it; where nobody does, who would be asked to."""
    server: SeenServer | None = None
    """The server, where it runs."""
    is_kept: bool = False
    """Whether the keeper runs it now, or tries to."""
    conflict: str | None = None
    """Why nothing is done: several would fight."""
    stranger: str | None = None
    """What else answers at the address."""

    @property
    def name(self) -> str | None:
        """Who runs it; None where nobody does."""
        return self.stranger or (self.keeper.name if self.is_kept else None)

    def steps(self, verb: ServerVerb) -> tuple[Step, ...]:
        """What the verb does; nothing where it is so already, or where it is refused."""
        if self.refusal(verb) is not None or self._is_so(verb):
            return ()
        return self.keeper.steps("start" if verb == "restart" and not self.is_kept else verb)

    def refusal(self, verb: ServerVerb) -> str | None:
        """Why the verb is not done, with what to do; None where it can be."""
        if self.conflict is not None:
            return self.conflict
        if self._is_so(verb):
            return None
        return self.keeper.refusal("start" if verb == "restart" and not self.is_kept else verb)

    def told(self, verb: ServerVerb) -> ServerSteps:
        """Both, in words."""
        return ServerSteps(self.name, texts(self.steps(verb)), self.refusal(verb))

    def _is_so(self, verb: ServerVerb) -> bool:
        """Whether there is nothing to do."""
        if verb == "start":
            return self.server is not None
        return verb == "stop" and not self.is_kept and self.stranger is None


def decide(facts: Facts, before: Keeper | None = None) -> Verdict:
    """The verdict on the facts; `before` is who ran the server until we stopped it."""
    servers = _at_the_address(facts)
    active = _active(facts)
    if len(servers) > 1:
        return _conflict(
            facts, servers[0], f"{_listed(_server_name(seen, facts) for seen in servers)} run here at once"
        )
    if not servers:
        return _without_server(facts, active, before)
    server = servers[0]
    keeper = holder(server, facts)
    rivals = [rival.name for rival in active if rival.name != keeper.name]
    if rivals:
        return _conflict(facts, server, f"{_listed((keeper.name, *rivals))} run Ollama here at once")
    others = [seen for seen in facts.servers if seen is not server]
    if others and any(_is_the_app(seen) for seen in facts.servers):
        names = _listed(_server_name(seen, facts) for seen in facts.servers)
        return _conflict(facts, server, f"{names} run at once, and Ollama.app ends every other server it sees")
    return Verdict(keeper, server, is_kept=True)


def holder(seen: SeenServer, facts: Facts) -> Keeper:
    """Who runs a server."""
    if facts.child is not None and seen.server.pid == facts.child.pid:
        return of_child(facts.child, facts)
    if is_container(seen.cgroup):
        name = f"a container (ollama serve is pid {seen.server.pid})"
        return refusing(name, f"Ollama runs in {name}; start and stop it with what runs that container")
    for job in facts.jobs:
        if job.pid is not None and job.pid in seen.chain:
            return of_job(job, facts)
    if _is_the_app(seen) and facts.app is not None:
        return of_app(facts.app, facts)
    place = unit_of(seen.cgroup)
    for unit in facts.units:
        if (unit.name, unit.manager) == place and (unit.main_pid is None or unit.main_pid in seen.chain):
            return of_unit(unit, facts)
    for ancestor in seen.ancestors:
        if ancestor.name.startswith(SUPERVISORS):
            name = f"{ancestor.name} (pid {ancestor.pid})"
            return refusing(name, f"Ollama is run by {name}, which starts it again; start and stop it there")
    return by_hand(seen, facts)


def _without_server(facts: Facts, active: Sequence[Keeper], before: Keeper | None) -> Verdict:
    """The verdict where no server runs that could be ours."""
    if len(active) > 1:
        return _conflict(facts, None, f"{_listed(keeper.name for keeper in active)} try to run Ollama here at once")
    if facts.taken_by is not None:
        why = (
            f"{facts.address} is taken by {facts.taken_by}, which is no Ollama server of this machine; end it, or set "
        )
        why += "another address in [ollama] of agent.toml"
        return Verdict(refusing(facts.taken_by, why), stranger=facts.taken_by)
    if facts.servers and not facts.address_is_chosen:
        names = _listed(_server_name(seen, facts) for seen in facts.servers)
        runs = "already runs" if len(facts.servers) == 1 else "already run"
        why = f"{names} {runs} on this machine, though not at {facts.address}; set the address in [ollama] of "
        return Verdict(own_server(facts), conflict=f"{why}agent.toml, or end what runs, before another is started")
    if active:
        return Verdict(active[0], is_kept=True)
    if before is not None:
        return Verdict(before)
    idle = _idle(facts)
    if len(idle) > 1:
        names = _listed(keeper.name for keeper in idle)
        return Verdict(refusing(names, f"{names} are all set up to run Ollama, and none does; start one yourself"))
    return Verdict(idle[0] if idle else own_server(facts))


def _at_the_address(facts: Facts) -> tuple[SeenServer, ...]:
    """The servers that could be ours: who listens there or will, else those of whom it cannot be told.

    The agent's own is, wherever its environment lets it listen: it must not be forgotten.
    """
    own = facts.child.pid if facts.child is not None else None
    there = tuple(
        seen
        for seen in facts.servers
        if seen.server.pid == own or (seen.places is not None and facts.port in seen.places)
    )
    return there or tuple(seen for seen in facts.servers if seen.places is None)


def _active(facts: Facts) -> tuple[Keeper, ...]:
    """Those that run a server for our address, or keep trying to."""
    others = (seen for seen in facts.servers if seen.places is not None and facts.port not in seen.places)
    elsewhere = {holder(seen, facts).name for seen in others}
    jobs = (job for job in facts.jobs if job.domain and (job.pid or job.keeps_alive) and job.port == facts.port)
    units = (unit for unit in facts.units if unit.is_active and unit.port == facts.port)
    app = (facts.app,) if facts.app is not None and facts.app.pid is not None else ()
    keepers = (
        *(of_job(job, facts) for job in jobs),
        *(of_unit(unit, facts) for unit in units),
        *(of_app(one, facts) for one in app),
    )
    return tuple(keeper for keeper in keepers if keeper.name not in elsewhere)


def _idle(facts: Facts) -> tuple[Keeper, ...]:
    """Those that are set up to run a server for our address, and do not; the app only where no service is."""
    jobs = (of_job(job, facts) for job in facts.jobs if job.port == facts.port)
    units = (
        of_unit(unit, facts)
        for unit in facts.units
        if unit.port == facts.port and not unit.file_state.startswith("masked")
    )
    services = (*jobs, *units)
    app = (of_app(facts.app, facts),) if facts.app is not None and facts.has_screen else ()
    return services or app


def _conflict(facts: Facts, server: SeenServer | None, who: str) -> Verdict:
    """Nothing is done, and this is why."""
    why = f"{who}, and would fight over {facts.address}; keep one and turn the others off"
    keeper = refusing("several", why)
    return Verdict(keeper, server, is_kept=True, conflict=why)


def _is_the_app(seen: SeenServer) -> bool:
    """Whether Ollama.app started the server."""
    return any(APP_PROGRAM in word for ancestor in seen.ancestors for word in ancestor.command[:1])


def _server_name(seen: SeenServer, facts: Facts) -> str:
    """A server among several."""
    name = holder(seen, facts).name
    return name if f"pid {seen.server.pid}" in name else f"{name} (pid {seen.server.pid})"


def _listed(names: Iterable[str]) -> str:
    """Names in a sentence."""
    words = list(names)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
