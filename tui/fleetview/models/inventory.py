"""Every model of the fleet with the nodes that have it; the same file under several names is one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleetview.fleet import Fleet, NodeState
from fleetview_agent.wire import BackendState, ModelFile, ResidentModel

Key = str
"""What is the same for the same file wherever it lies."""


@dataclass(frozen=True)
class Held:
    """One way of running a file on a node."""

    backend: str
    file: ModelFile
    resident: ResidentModel | None = None
    """As it is in memory, on its way there, or failed."""

    @property
    def name(self) -> str:
        """`BACKEND/MODEL`."""
        return f"{self.backend}/{self.file.name}"


@dataclass(frozen=True)
class Entry:
    """One model of the fleet: a row of the matrix."""

    key: Key
    names: tuple[str, ...]
    """Those that its engines give it, the most usual first."""
    size_bytes: int | None
    """None for what is in memory and of which its engine lists no file."""
    quantization: str | None = None
    trained: int | None = None
    """Tokens that it was trained for."""
    nodes: int = 0
    """How many have it."""
    resident: int = 0
    """On how many it is in memory, or on its way there."""

    @property
    def name(self) -> str:
        """The one that stands for it."""
        return self.names[0]


Files = Mapping[Key, tuple[tuple[str, ModelFile], ...]]
"""The ways of running each file: engine, and the model as that lists it."""


@dataclass(frozen=True)
class Shelf:
    """What one node has, and what that was made of."""

    backends: Mapping[str, BackendState]
    files: Files
    resident: Mapping[tuple[str, str], ResidentModel]
    """By engine and name."""
    loaded: frozenset[Key]
    """In memory, or on the way there."""


@dataclass(frozen=True)
class Inventory:
    """Rows and shelves; made anew only as far as a backend has said something new."""

    shelves: Mapping[str, Shelf] = field(default_factory=dict)
    """By node."""
    entries: Mapping[Key, Entry] = field(default_factory=dict)

    def renewed(self, fleet: Fleet) -> Inventory:
        """The inventory of the fleet as it is; the same object where no backend said anything new."""
        if len(fleet) == len(self.shelves) and all(
            name == known and node.backends is shelf.backends
            for (name, node), (known, shelf) in zip(fleet.items(), self.shelves.items(), strict=True)
        ):
            return self
        shelves = {name: self._shelf(node) for name, node in fleet.items()}
        changed = set(shelves) ^ set(self.shelves)
        changed |= {name for name in shelves if name not in changed and shelves[name] is not self.shelves[name]}
        if any(_files(shelves, name) != _files(self.shelves, name) for name in changed):
            return Inventory(shelves, _entries(shelves.values()))
        return Inventory(shelves, _recounted(self.entries, shelves, self.shelves, changed))

    def held(self, node: str, key: Key) -> tuple[Held, ...]:
        """The ways of running the file on the node; none where it is absent."""
        if (shelf := self.shelves.get(node)) is None:
            return ()
        found = shelf.files.get(key, ())
        return tuple(Held(backend, file, shelf.resident.get((backend, file.name))) for backend, file in found)

    def holders(self, key: Key) -> tuple[str, ...]:
        """The nodes that have the file."""
        return tuple(name for name, shelf in self.shelves.items() if key in shelf.files)

    def _shelf(self, node: NodeState) -> Shelf:
        """The node's shelf; as it was where its backends are."""
        old = self.shelves.get(node.name)
        return old if old is not None and old.backends is node.backends else shelf(node.backends)


def key_of(backend: str, file: ModelFile) -> Key:
    """By what a file is known in the fleet."""
    return file.identity or f"{backend}/{file.name}"


def shelf(backends: Mapping[str, BackendState]) -> Shelf:
    """What a node with these backends has."""
    files: dict[Key, tuple[tuple[str, ModelFile], ...]] = {}
    for state in backends.values():
        for file in (*state.models, *_unlisted(state)):
            way, key = (state.backend, file), file.identity or f"{state.backend}/{file.name}"
            files[key] = (*files[key], way) if key in files else (way,)
    resident = {(state.backend, model.name): model for state in backends.values() for model in state.resident}
    names = {pair for pair, model in resident.items() if model.phase in {"loading", "ready"}}
    loaded = (key for key, ways in files.items() if any((way[0], way[1].name) in names for way in ways))
    return Shelf(backends, files, resident, frozenset(loaded) if names else frozenset())


def _unlisted(state: BackendState) -> tuple[ModelFile, ...]:
    """What is in memory, though its engine lists no file of that name; an orphan is no model any more."""
    listed = {file.name for file in state.models}
    return tuple(
        ModelFile(name=model.name, size_bytes=0, quantization=model.quantization)
        for model in state.resident
        if model.name not in listed and model.phase != "orphaned"
    )


def _files(shelves: Mapping[str, Shelf], name: str) -> Files:
    """What the rows depend on of one node."""
    found = shelves.get(name)
    return found.files if found else {}


def _entries(shelves: Iterable[Shelf]) -> dict[Key, Entry]:
    """One row for each file, with the names in the order of how many nodes use them."""
    names: dict[Key, dict[str, int]] = {}
    first: dict[Key, ModelFile] = {}
    nodes: dict[Key, int] = {}
    resident: dict[Key, int] = {}
    for one in shelves:
        for key, ways in one.files.items():
            counts = names.get(key)
            if counts is None:
                counts = names[key] = {}
                first[key], nodes[key] = ways[0][1], 0
            nodes[key] += 1
            for _, file in ways:
                counts[file.name] = counts.get(file.name, 0) + 1
        for key in one.loaded:
            resident[key] = resident.get(key, 0) + 1
    return {key: _entry(first[key], key, several, nodes[key], resident.get(key, 0)) for key, several in names.items()}


def _entry(file: ModelFile, key: Key, names: Mapping[str, int], nodes: int, resident: int) -> Entry:
    """The row of one file."""
    called = tuple(sorted(names, key=lambda name: -names[name]))
    return Entry(
        key, called, file.size_bytes or None, file.quantization, file.context_length, nodes=nodes, resident=resident
    )


def _recounted(
    entries: Mapping[Key, Entry], new: Mapping[str, Shelf], old: Mapping[str, Shelf], changed: Iterable[str]
) -> Mapping[Key, Entry]:
    """The rows with other counts of what is in memory, where it is the same files as before."""
    shifts: dict[Key, int] = {}
    for name in changed:
        before = old[name].loaded if name in old else frozenset[Key]()
        after = new[name].loaded if name in new else frozenset[Key]()
        for key in before ^ after:
            shifts[key] = shifts.get(key, 0) + (1 if key in after else -1)
    if not shifts:
        return entries
    return {key: _shifted(entry, shifts.get(key, 0)) for key, entry in entries.items()}


def _shifted(entry: Entry, shift: int) -> Entry:
    """The row with another count of what is in memory."""
    if not shift:
        return entry
    return Entry(
        entry.key,
        entry.names,
        entry.size_bytes,
        entry.quantization,
        entry.trained,
        entry.nodes,
        entry.resident + shift,
    )


SORTS = ("name", "size", "resident", "nodes")


def ordered(entries: Iterable[Entry], by: str, *, reverse: bool = False) -> tuple[Entry, ...]:
    """The rows by one of `SORTS`; what is large, in memory or widespread comes first unless it is reversed."""
    rows = sorted(entries, key=lambda entry: entry.name.casefold())
    match by:
        case "size":
            rows.sort(key=lambda entry: -(entry.size_bytes or 0))
        case "resident":
            rows.sort(key=lambda entry: -entry.resident)
        case "nodes":
            rows.sort(key=lambda entry: -entry.nodes)
    return tuple(reversed(rows)) if reverse else tuple(rows)


def matching(entries: Iterable[Entry], typed: str) -> tuple[Entry, ...]:
    """The rows that contain every word of `typed`, and none that follows a `!`."""
    words = typed.casefold().split()
    wanted = [word for word in words if not word.startswith("!")]
    unwanted = [word[1:] for word in words if word.startswith("!") and len(word) > 1]
    return tuple(
        entry
        for entry in entries
        if all(word in _searched(entry) for word in wanted) and not any(word in _searched(entry) for word in unwanted)
    )


def _searched(entry: Entry) -> str:
    """What the words are looked for in."""
    return f"{' '.join(entry.names)} {entry.quantization or ''}".casefold()


def others_with(fleet: Fleet, node: str, backend: str, file: ModelFile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The other nodes that have the same file, and those of which that is not known just now."""
    key = key_of(backend, file)
    others = [other for other in fleet.values() if other.name != node]
    having = tuple(other.name for other in others if key in shelf(other.backends).files and other.current)
    unknown = tuple(other.name for other in others if not other.current)
    return having, unknown


def chosen(held: Iterable[Held], node: NodeState) -> Held | None:
    """The way of running a file that verbs mean: in memory, else by the engine that owns it, else the first."""
    ways = tuple(held)
    owners = {state.backend for state in node.able("delete")}
    in_memory = (one for one in ways if one.resident is not None)
    owned = (one for one in ways if one.backend in owners and one.file.undeletable is None)
    return next(in_memory, None) or next(owned, None) or (ways[0] if ways else None)
