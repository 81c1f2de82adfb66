"""agent.toml: what it may not say, and the sentence for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleetview_agent.config import read_config
from fleetview_agent.errors import ConfigError


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        pytest.param(
            '[ollama]\naddress = "127.0.0.1:99999"', "address: Value error, a port is a number from 1 to", id="port"
        ),
        pytest.param('[ollama]\naddress = "127.0.0.1:0"', "a port is a number from 1 to 65535", id="no port"),
        pytest.param('[ollama]\nadress = "x"', "there is no key ollama.adress; did you mean address", id="key"),
        pytest.param('[ollama.serve.environment]\n"A=B" = "1"', "'A=B' cannot be a variable", id="name"),
        pytest.param('[ollama.serve.environment]\nA = "\\u0000"', "'A' cannot be a variable", id="value"),
    ],
)
def test_a_mistake_is_told_with_its_key(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "agent.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as told:
        read_config(file)
    assert sentence in str(told.value)
