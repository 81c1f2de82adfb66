from __future__ import annotations

import pytest
from textual.theme import Theme

from fleetview.themes import COLORBLIND, CONTRAST, DARK, LIGHT
from fleetview.widgets.formatted import Palette


@pytest.mark.parametrize("theme", [DARK, LIGHT, CONTRAST, COLORBLIND], ids=lambda theme: theme.name)
def test_code_has_no_colour_that_warns(theme: Theme) -> None:
    palette = Palette(theme.to_color_system().generate())
    styles = (palette.theme.styles["markdown.code"], palette.get_style_for_token(("Literal", "Number", "Integer")))
    assert [str(style.color and style.color.name) for style in styles] == [theme.accent] * 2
    assert theme.accent != theme.warning
