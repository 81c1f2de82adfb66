"""Markdown as text in the colours of the theme.

Rich draws a whole section as one widget. Textual's own Markdown makes several widgets of every block, and lays all of
them out whenever one grows: measured, an answer of 20,000 tokens then takes half a core and keeps keys waiting for
more than a second.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import ClassVar

from markdown_it import MarkdownIt
from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, HorizontalRule, ListItem, Markdown, MarkdownElement, TableElement
from rich.rule import Rule
from rich.segment import Segment
from rich.style import Style
from rich.syntax import Syntax, SyntaxTheme
from rich.table import Table
from rich.text import Text
from rich.theme import Theme
from textual.color import Color, ColorParseError

_DEEPEST = 12
"""Levels of Markdown within each other; where there are more, no room would be left and text would be lost."""
_TAB = 4
_QUIET = ("block_quote", "hr", "table.border", "item.bullet", "item.number")
_RULES = ("link", "image", "autolink", "linkify", "entity", "reference", "html_inline", "html_block")


@cache
def parser() -> MarkdownIt:
    """Markdown without anything that leads elsewhere: links, pictures and HTML are shown as they were written."""
    return MarkdownIt("gfm-like", {"html": False, "linkify": False}).disable(list(_RULES))


class Palette(SyntaxTheme):
    """The colours of a theme as Rich wants them."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        def style(name: str, *, bold: bool = False, italic: bool = False) -> Style:
            return Style(color=_rich_color(variables.get(name)), bold=bold or None, italic=italic or None)

        muted = _rich_color(variables.get("text-muted"))
        self._plain = Style()
        self._quiet = Style(color=muted) if muted else Style(dim=True)
        self._tokens = (
            (("Comment",), self._quiet),
            (("Keyword",), style("accent")),
            (("Operator", "Word"), style("accent")),
            (("Literal", "String"), style("success")),
            (("Literal", "Number"), style("accent")),
            (("Name", "Function"), style("foreground", bold=True)),
            (("Name", "Class"), style("foreground", bold=True)),
        )
        self.theme = Theme(
            {
                **{f"markdown.h{level}": style("accent", bold=True) for level in range(1, 7)},
                **dict.fromkeys((f"markdown.{name}" for name in _QUIET), self._quiet),
                "markdown.code": style("accent"),
                "markdown.code_block": self._plain,
                "markdown.table.header": style("accent"),
            }
        )

    def get_style_for_token(self, token_type: tuple[str, ...]) -> Style:
        """The colour of a piece of code."""
        return next((style for kind, style in self._tokens if token_type[: len(kind)] == kind), self._plain)

    def get_background_style(self) -> Style:
        """Code stands on the background of the pane."""
        return self._plain


def _rich_color(value: str | None) -> str | None:
    """A colour of the theme by the name that Rich has for it."""
    try:
        return None if value is None else Color.parse(value).rich_color.name
    except ColorParseError:
        return None


class _Heading(Heading):
    """A heading at the left edge."""

    LEVEL_ALIGN: ClassVar = dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), "left")


class _Code(CodeBlock):
    """Code beside a quiet line."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The code, highlighted, with its long lines folded."""
        syntax = Syntax("", self.lexer_name, theme=self.theme, word_wrap=True)
        code = syntax.highlight(str(self.text).rstrip().expandtabs(_TAB))
        code.rstrip()
        edge = Segment("│ ", console.get_style("markdown.hr"))
        for line in code.wrap(console, max(1, options.max_width - 2), overflow="fold"):
            yield edge
            yield from line.render(console, end="\n")


class _Item(ListItem):
    """An item of a list."""

    def render_number(self, console: Console, options: ConsoleOptions, number: int, last_number: int) -> RenderResult:
        """The item after its number, which ends with a dot."""
        for place, part in enumerate(super().render_number(console, options, number, last_number)):
            yield part if place or not isinstance(part, Segment) else Segment(f"{part.text[1:-1]}. ", part.style)


class _Rule(HorizontalRule):
    """A line from edge to edge."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The line, and an empty row."""
        yield Rule(style=console.get_style("markdown.hr"))
        yield Text()


class _Table(TableElement):
    """A table without empty rows around it, and nothing of it cut."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The table, which begins where the text does."""
        for table in super().__rich_console__(console, options):
            if isinstance(table, Table):
                table.show_edge = False
                for column in table.columns:
                    column.overflow = "fold"
            yield table


class Formatted(Markdown):
    """A text that a model wrote."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": _Heading,
        "fence": _Code,
        "code_block": _Code,
        "hr": _Rule,
        "list_item_open": _Item,
        "table_open": _Table,
    }

    def __init__(self, text: str, palette: Palette) -> None:
        super().__init__("", hyperlinks=False)
        self.parsed = parser().parse(text)
        self._plain = Text(text) if any(token.level > _DEEPEST for token in self.parsed) else None
        self._palette = palette
        self.code_theme = palette  # type: ignore[assignment] # Rich hands it on to Syntax, which takes themes too

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The text in the colours of the palette; as it was written where it is nested beyond measure."""
        if self._plain is not None:
            yield self._plain
            return
        with console.use_theme(self._palette.theme):
            yield from super().__rich_console__(console, options)
