"""Files whose text goes into a prompt: named by a path as people type it, or as terminals paste it on a drop."""

from __future__ import annotations

import re
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

LIMIT_BYTES = 200_000
"""More would fill the context of most models."""
LANGUAGES = {
    ".bash": "bash",
    ".c": "c",
    ".cc": "cpp",
    ".cpp": "cpp",
    ".cs": "csharp",
    ".css": "css",
    ".diff": "diff",
    ".go": "go",
    ".h": "c",
    ".hpp": "cpp",
    ".html": "html",
    ".java": "java",
    ".js": "javascript",
    ".json": "json",
    ".kt": "kotlin",
    ".lua": "lua",
    ".md": "markdown",
    ".patch": "diff",
    ".php": "php",
    ".pl": "perl",
    ".py": "python",
    ".rb": "ruby",
    ".rs": "rust",
    ".sh": "bash",
    ".sql": "sql",
    ".swift": "swift",
    ".tex": "latex",
    ".toml": "toml",
    ".ts": "typescript",
    ".tsx": "tsx",
    ".xml": "xml",
    ".yaml": "yaml",
    ".yml": "yaml",
    ".zig": "zig",
}
"""By the end of a file's name, what a block of its text is marked with; nothing for the others."""
_TICKS = re.compile("`{3,}")


class NotAttached(ValueError):
    """A file cannot go into a prompt; says why in one sentence."""


@dataclass(frozen=True)
class Attachment:
    """The text of a file."""

    name: str
    text: str
    lines: int

    @property
    def fenced(self) -> str:
        """The text as a block of Markdown, with its name above; nothing in the text ends the block."""
        longest = max((len(found) for found in _TICKS.findall(self.text)), default=2)
        fence = "`" * (longest + 1)
        language = LANGUAGES.get(Path(self.name).suffix.lower(), "")
        return f"{self.name}:\n\n{fence}{language}\n{self.text.removesuffix(chr(10))}\n{fence}"


def attach(named: str | Path, folder: Path) -> Attachment:
    """The text of a file, or of what was typed or pasted to name one, from `folder` on. Raises NotAttached."""
    path = named if isinstance(named, Path) else path_of(named, folder)
    name = "".join(char if char.isprintable() and char != "`" else "_" for char in path.name)
    content = _content(path, name)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise NotAttached(f"{name} is not text in UTF-8, so it cannot go into a prompt")
    text = text.replace("\r\n", "\n")
    return Attachment(name, text, len(text.splitlines()))


def path_of(typed: str, folder: Path) -> Path:
    """What a path means that is typed, quoted, escaped or given as file://. Raises NotAttached."""
    paths = _paths(typed, folder)
    if len(paths) == 1:
        return paths[0]
    if (path := _absolute(typed.strip(), folder)) is not None and path.exists():
        return path  # its spaces were neither quoted nor escaped
    raise NotAttached("one file at a time: name it as /file PATH, in quotes where the path has spaces")


def dropped(pasted: str, folder: Path) -> tuple[Path, ...]:
    """The files that a terminal pastes when they are dropped on it; none where the text is anything else."""
    rooted = ("/", "file://", "'/", '"/', "~/")
    if "\n" in pasted.strip() or not pasted.strip().startswith(rooted):
        return ()
    paths = _paths(pasted, folder)
    return paths if all(_is_file(path) for path in paths) else ()


def _paths(typed: str, folder: Path) -> tuple[Path, ...]:
    """The paths in a text, as a shell reads them; a text that no shell would read is one path."""
    try:
        words = shlex.split(typed)
    except ValueError:
        words = [typed.strip()]
    found = (_absolute(word, folder) for word in words)
    return tuple(path for path in found if path is not None)


def _absolute(word: str, folder: Path) -> Path | None:
    """One path, from `folder` on; None where there is none."""
    if not word or "\0" in word:
        return None
    if word.startswith("file://"):
        return Path(unquote(urlsplit(word).path) or "/")
    try:
        return folder / Path(word).expanduser()
    except RuntimeError:  # ~name of nobody
        return folder / word


def _is_file(path: Path) -> bool:
    """Whether it is a file that we may look at."""
    try:
        return path.is_file()
    except OSError:
        return False


def _content(path: Path, name: str) -> bytes:
    """All bytes of a file that is not too large. Raises NotAttached."""
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise NotAttached(f"{name or path} is a folder; name one of the files in it")
        if not stat.S_ISREG(status.st_mode):
            raise NotAttached(f"{name} is no file but a device or a pipe, which has no end; name a text file")
        if status.st_size > LIMIT_BYTES:
            raise NotAttached(
                f"{name} has {-(-status.st_size // 1000):,} kB, and up to {LIMIT_BYTES // 1000} kB go into a prompt;"
                " cut out the part that matters"
            )
        with path.open("rb") as file:
            return file.read(LIMIT_BYTES)
    except FileNotFoundError:
        raise NotAttached(f"there is no file {path}; see whether its path is typed right") from None
    except OSError as problem:
        why = (problem.strerror or "unknown reason").lower()
        raise NotAttached(f"{path} cannot be read: {why}") from problem
