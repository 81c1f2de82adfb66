"""Jobs of launchd: read from property lists and from what `launchctl` prints, of which only stable lines are used."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from xml.parsers.expat import ExpatError

from fleetview_agent.backends.ollama.supervise.commands import Ask
from fleetview_agent.backends.ollama.supervise.facts import Job, SeenServer, port_of, runs_ollama

HOMEBREW = "homebrew.mxcl.ollama"
APP = "com.ollama.ollama"
"""The login item of Ollama.app, which starts the app and not the server."""
NOT_A_SUPERVISOR = ("application.", "com.apple.", "com.openssh.")
"""Jobs above a server that a person started in a terminal, over ssh, or by opening the app."""

_LISTED = re.compile(r"(?P<pid>\d+|-)\t-?\d+\t(?P<label>\S+)")


@dataclass(frozen=True)
class Printed:
    """What `launchctl print DOMAIN/LABEL` told."""

    values: Mapping[str, str]
    blocks: Mapping[str, tuple[str, ...]]

    @property
    def pid(self) -> int | None:
        """Of the process; None while there is none."""
        return _number(self.values.get("pid"))

    @property
    def arguments(self) -> tuple[str, ...]:
        """The command line."""
        return self.blocks.get("arguments") or tuple(filter(None, (self.values.get("program"),)))

    @property
    def environment(self) -> Mapping[str, str]:
        """Its variables."""
        pairs = (line.partition(" => ") for line in self.blocks.get("environment", ()))
        return {name: value for name, arrow, value in pairs if arrow}

    @property
    def properties(self) -> frozenset[str]:
        """`keepalive` and the like."""
        return frozenset(word.strip() for word in self.values.get("properties", "").split("|"))


def parse_list(text: str) -> dict[str, int | None]:
    """Labels and process numbers out of `launchctl list`."""
    rows = (_LISTED.fullmatch(line) for line in text.splitlines())
    return {row["label"]: _number(row["pid"]) for row in rows if row is not None}


def parse_print(text: str) -> Printed:
    """The outermost values and blocks of `launchctl print`."""
    values: dict[str, str] = {}
    blocks: dict[str, list[str]] = {}
    depth, block = 0, ""
    for line in map(str.strip, text.splitlines()):
        name, equals, value = line.partition(" = ")
        if line.endswith("{"):
            depth += 1
            block = name if depth == 2 else block  # noqa: PLR2004 - the first brace is the job's own
        elif line == "}":
            depth -= 1
        elif depth == 1 and equals:
            values.setdefault(name, value)
        elif depth == 2 and line:  # noqa: PLR2004 - as above
            blocks.setdefault(block, []).append(line)
    return Printed(values, {name: tuple(lines) for name, lines in blocks.items()})


def parse_plist(content: bytes, file: Path) -> Job | None:
    """The job that a property list describes; None where it does not run Ollama's server."""
    try:
        plist = plistlib.loads(content)
    except (plistlib.InvalidFileException, ExpatError, ValueError, OverflowError):
        return None
    if not isinstance(plist, dict) or not isinstance(label := plist.get("Label"), str):
        return None
    words = _words(plist.get("ProgramArguments")) or _words([plist.get("Program")])
    if not runs_ollama(words):
        return None
    variables = plist.get("EnvironmentVariables")
    host = variables.get("OLLAMA_HOST") if isinstance(variables, dict) else None
    sessions = plist.get("LimitLoadToSessionType")
    keeps_alive = plist.get("KeepAlive")
    return Job(
        label=label,
        domain=None,
        plist=file,
        keeps_alive=bool(keeps_alive),
        runs_at_load=bool(plist.get("RunAtLoad")) or keeps_alive is True,
        sessions=_words(sessions) if isinstance(sessions, list) else _words([sessions]),
        log_file=_path(plist.get("StandardErrorPath") or plist.get("StandardOutPath")),
        port=port_of(host if isinstance(host, str) else None),
    )


def folders(home: Path) -> tuple[Path, ...]:
    """Where property lists lie."""
    return home / "Library/LaunchAgents", Path("/Library/LaunchAgents"), Path("/Library/LaunchDaemons")


def read_plists(places: Iterable[Path]) -> tuple[Job, ...]:
    """The jobs installed in these folders; blocking."""
    jobs: list[Job] = []
    for file in sorted(file for place in places for file in place.glob("*.plist")):
        try:
            job = parse_plist(file.read_bytes(), file)
        except OSError:
            continue  # another account's, which launchctl tells about where it matters
        if job is not None:
            jobs.append(job)
    return tuple(jobs)


async def find_jobs(
    ask: Ask, installed: Iterable[Job], servers: Sequence[SeenServer], uid: int
) -> tuple[tuple[Job, ...], bool]:
    """The jobs that run Ollama's server, or would; and whether the account is logged in at the screen."""
    has_screen = (await ask("launchctl", "print", f"gui/{uid}")).status == 0
    domains = (f"gui/{uid}", f"user/{uid}", "system") if has_screen else (f"user/{uid}", "system")
    by_label = {job.label: job for job in installed}
    pids = frozenset(seen.server.pid for seen in servers)
    chain = frozenset(pid for seen in servers for pid in seen.chain)
    listed = parse_list((await ask("launchctl", "list")).output)
    labels = {label for label, pid in listed.items() if "ollama" in label.lower() or pid in pids}
    jobs: list[Job] = []
    for label in sorted((labels | set(by_label) | {HOMEBREW}) - {APP}):
        if label.startswith(NOT_A_SUPERVISOR):
            continue
        known = by_label.get(label)
        job = await _loaded(ask, label, domains, known, chain if "ollama" in label.lower() else pids) or known
        if job is not None:
            jobs.append(job)
    return tuple(jobs), has_screen


async def _loaded(ask: Ask, label: str, domains: Iterable[str], known: Job | None, pids: frozenset[int]) -> Job | None:
    """The job as launchd knows it; None where it is not loaded, or has nothing to do with Ollama."""
    for domain in domains:
        answer = await ask("launchctl", "print", f"{domain}/{label}")
        if answer.status != 0:
            continue
        printed = parse_print(answer.output)
        if known is None and printed.pid not in pids and not runs_ollama(printed.arguments):
            return None
        return _merged(known or Job(label, domain), printed, domain)
    return None


def _merged(job: Job, printed: Printed, domain: str) -> Job:
    """What the property list says, and above it what launchd says."""
    host = printed.environment.get("OLLAMA_HOST")
    return replace(
        job,
        domain=domain,
        plist=_path(printed.values.get("path")) or job.plist,
        pid=printed.pid,
        keeps_alive=job.keeps_alive or "keepalive" in printed.properties,
        log_file=_path(printed.values.get("stderr path") or printed.values.get("stdout path")) or job.log_file,
        port=port_of(host) if host else job.port,
    )


def _words(value: object) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(word for word in value if isinstance(word, str)) if isinstance(value, list) else ()


def _path(value: object) -> Path | None:
    """A file by its whole name; launchd also writes (null), and words for jobs without a file."""
    return Path(value) if isinstance(value, str) and value.startswith("/") else None


def _number(text: str | None) -> int | None:
    """A process number; a dash stands for none."""
    return int(text) if text is not None and text.isdecimal() else None
