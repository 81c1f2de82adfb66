"""Whoever runs Ollama's server: under what name, and how it is started and stopped in that one's way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from fleetview_agent.backends import ServerVerb
from fleetview_agent.backends.ollama.supervise.facts import App, Facts, Job, LogUnit, OwnChild, SeenServer, Unit
from fleetview_agent.backends.ollama.supervise.launchd import HOMEBREW
from fleetview_agent.backends.ollama.supervise.steps import End, Run, Spawn, Step

OWN_NAME = "fleetview-agent"
BOOTOUT_FINE = frozenset({0, 36})
"""36: launchd is still at it, and we wait for the process anyway."""
BOOTSTRAP_BUSY = frozenset({5, 37})
"""launchd has not quite forgotten the job that it was told to end."""
TERMINALS = ("tmux", "screen", "zellij")
SETTINGS = ("OLLAMA_", "LLAMA_ARG_")
"""What the variables that Ollama and its runners understand begin with."""
INSTALL = "install Ollama from ollama.com, or set program in [ollama] of agent.toml"


@dataclass(frozen=True)
class Keeper:
    """One way of running the server."""

    name: str
    start: tuple[Step, ...] = ()
    stop: tuple[Step, ...] = ()
    again: tuple[Step, ...] | None = None
    """How it is started once we have stopped it; None: as always."""
    cannot_start: str | None = None
    """Why, with what to do."""
    cannot_stop: str | None = None
    log_file: Path | None = None
    log_unit: LogUnit | None = None
    """Whose log is in the journal, where there is no file."""

    def steps(self, verb: ServerVerb) -> tuple[Step, ...]:
        """What the verb does."""
        if verb == "restart":
            return (*self.stop, *self.stopped().start)
        return self.start if verb == "start" else self.stop

    def refusal(self, verb: ServerVerb) -> str | None:
        """Why the verb cannot be done; None where it can."""
        if verb == "start":
            return self.cannot_start
        return self.cannot_stop or (self.cannot_start if verb == "restart" else None)

    def stopped(self) -> Keeper:
        """The same once we have stopped it."""
        return replace(self, start=self.start if self.again is None else self.again, stop=(), again=None)


def refusing(name: str, why: str) -> Keeper:
    """One whose server is not ours to touch."""
    return Keeper(name, cannot_start=why, cannot_stop=why)


def of_job(job: Job, facts: Facts) -> Keeper:
    """A job of launchd.

    `brew services` is not used: its start and restart copy the property list afresh, and what was changed in it is
    lost; launchctl leaves it as it is.
    """
    kind = "daemon" if job.is_daemon else "agent"
    name = f"launchd {kind} {job.label}" + (" (Homebrew)" if job.label == HOMEBREW else "")
    domain = job.domain or _domain(job, facts)
    if domain is None:
        return refusing(
            name,
            f"{name} may only run while its account is logged in at the screen of this Mac, and it is not; log in "
            f"there, or install a service that also runs in the background",
        )
    rights = _rights(facts) if domain == "system" else ()
    if rights is None:
        return refusing(name, _needs_root(name))
    target = f"{domain}/{job.label}"
    advice = f"launchctl print {target} tells more"
    kick = Run((*rights, "launchctl", "kickstart", target), advice=advice)
    load = Run((*rights, "launchctl", "bootstrap", domain, str(job.plist)), busy=BOOTSTRAP_BUSY, advice=advice)
    again = (load,) if job.runs_at_load else (load, kick)
    if job.domain is None:
        return Keeper(name, start=again, log_file=job.log_file)
    no_file = f"{name} has no property list, so it could not be started again; end it with launchctl bootout {target}"
    return Keeper(
        name,
        start=(kick,),
        stop=(Run((*rights, "launchctl", "bootout", target), fine=BOOTOUT_FINE, advice=advice),),
        again=again,
        cannot_stop=no_file if job.plist is None else None,
        log_file=job.log_file,
    )


def of_app(app: App, facts: Facts) -> Keeper:
    """Ollama's application. Ending its server alone is useless: the app starts it again after a second."""
    no_screen = (
        "Ollama.app needs an account that is logged in at the screen of this Mac, and there is none; log in there, "
        "or run ollama as a service"
    )
    return Keeper(
        "Ollama.app",
        start=(Run(("open", "-a", "Ollama", "--args", "hidden"), advice="is it in /Applications?"),),
        stop=(End(app.pid, app.created_at),) if app.pid is not None else (),
        cannot_start=None if facts.has_screen else no_screen,
        log_file=Path.home() / ".ollama/logs/server.log",
    )


def of_unit(unit: Unit, facts: Facts) -> Keeper:
    """A service of systemd."""
    short = unit.name.removesuffix(".service")
    name = f"systemd service {short}" if unit.manager is None else f"systemd user service {short}"
    if unit.manager not in {None, facts.uid}:
        return refusing(name, f"{name} belongs to another account (uid {unit.manager}); ask that account to do it")
    if unit.file_state.startswith("masked"):
        return refusing(name, f"{name} is masked, so systemd does not run it; systemctl unmask {short} allows it")
    rights = _rights(facts) if unit.manager is None else ()
    if rights is None:
        return refusing(name, _needs_root(name))
    words = (*rights, "systemctl", *(() if unit.manager is None else ("--user",)))
    advice = (
        f"run it yourself with sudo, or let sudoers allow this account `systemctl start|stop {unit.name}` "
        "without a password"
        if rights
        else f"{' '.join(words)} status {short} tells more"
    )
    start, stop = (Run((*words, verb, unit.name), advice=advice) for verb in ("start", "stop"))
    return Keeper(name, start=(start,), stop=(stop,), log_unit=LogUnit(unit.name, unit.manager is not None))


def of_child(child: OwnChild, facts: Facts) -> Keeper:
    """The agent's own `ollama serve`, running."""
    own = own_server(facts)
    return Keeper(
        own.name,
        start=own.start,
        stop=(End(child.pid, child.created_at),),
        cannot_start=own.cannot_start,
        log_file=child.log_file,
    )


def own_server(facts: Facts, inherited: tuple[tuple[str, str], ...] = ()) -> Keeper:
    """The agent's own `ollama serve`, where nobody else runs one; with what it shall inherit from the one before."""
    if facts.program is None:
        return Keeper(OWN_NAME, cannot_start=f"there is no ollama on this machine; {INSTALL}")
    environment = tuple(sorted({**dict(inherited), **dict(facts.environment)}.items()))
    return Keeper(OWN_NAME, start=(Spawn(facts.program, environment),))


def by_hand(seen: SeenServer, facts: Facts) -> Keeper:
    """A plain `ollama serve`: a terminal, tmux, nohup. What follows it is the agent's own, with its settings."""
    server = seen.server
    where = next((f" in {word}" for a in seen.ancestors for word in TERMINALS if a.name.startswith(word)), "")
    name = f"ollama serve (pid {server.pid}, started by hand{where})"
    if server.user != facts.user and not facts.is_root:
        owner = f"account {server.user}" if server.user else "another account"
        return refusing(name, f"{name} belongs to {owner}; have it ended there, or run the agent as that account")
    settings = tuple((key, value) for key, value in seen.environment.items() if key.startswith(SETTINGS))
    after = own_server(replace(facts, program=facts.program or _program(seen)), settings)
    return Keeper(
        name,
        start=after.start,
        stop=(End(server.pid, server.created_at),),
        cannot_start=after.cannot_start,
        log_file=seen.log_file,
    )


def _program(seen: SeenServer) -> Path | None:
    """The program that a server runs, where its command line has the whole name."""
    words = seen.server.command
    return Path(words[0]) if words and words[0].startswith("/") else None


def _domain(job: Job, facts: Facts) -> str | None:
    """Where a job that is not loaded would be; None where it cannot be now."""
    if job.is_daemon:
        return "system"
    if facts.has_screen:
        return f"gui/{facts.uid}"
    return f"user/{facts.uid}" if "Background" in job.sessions else None


def _rights(facts: Facts) -> tuple[str, ...] | None:
    """What stands before a command that only root may run; None where there is no way."""
    if facts.is_root:
        return ()
    return ("sudo", "-n") if facts.has_sudo else None


def _needs_root(name: str) -> str:
    return f"{name} belongs to root, and there is no sudo here; start and stop it as root"
