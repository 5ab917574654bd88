"""Docs that name files, or quote them, name what is there and quote what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from presage.core.calendar.occurrences import find_next
from presage.core.recording import reasons
from presage.core.recording.catalogue import BUILT_IN
from presage.resources.calendarspec import CalendarSettings
from presage.resources.metricprofile import MetricProfile
from presage.resources.public_holidays import open_calendar
from presage.runtime.settings import read_settings
from tests.unit.resources import cases

ROOT = Path(__file__).parents[2]
PRODUCT = ROOT / "operator/presage"
ARCHITECTURE = ROOT / "docs/architecture.md"
ADDING = ROOT / "docs/adding-a-kind.md"

_NAMED = re.compile(r"(?<![\w./-])(?:[\w<>.-]+/)*[\w<>-]+\.(?:py|md|yaml|toml)\b|(?<![\w./-])(?:[\w-]+/)+(?![\w.])")
_LINK = re.compile(r"\]\(([^)#:]+)\)")
_QUOTE = re.compile(r"```python\n(.*?)```", re.DOTALL)


def named_paths(page: Path) -> list[str]:
    return [each for each in _NAMED.findall(page.read_text(encoding="utf-8")) if "<" not in each]


@pytest.mark.parametrize("page", [ARCHITECTURE, ADDING], ids=lambda page: page.name)
def test_every_path_named_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    links = [link for link in _LINK.findall(text) if not (page.parent / link).exists()]
    assert links == []
    places = (ROOT, PRODUCT, page.parent, ROOT / "tests/integration/extension/errands", ROOT / "docs")
    linked = {Path(link).name for link in _LINK.findall(text)}
    missing = [p for p in named_paths(page) if p not in linked and not any((place / p).exists() for place in places)]
    assert missing == []


def test_the_map_names_every_module_of_the_way() -> None:
    """The page is a map: a module of the runtime that it leaves out is a white spot."""
    named = " ".join(named_paths(ARCHITECTURE))
    for path in sorted((PRODUCT / "runtime").glob("[a-z]*.py")):
        assert f"runtime/{path.name}" in named, f"docs/architecture.md does not say what {path.name} is for"


def test_what_is_quoted_is_what_the_files_say() -> None:
    text = ADDING.read_text(encoding="utf-8")
    example = ROOT / "tests/integration/extension/errands"
    files = [path.read_text(encoding="utf-8") for path in example.rglob("*.py")]
    quotes = [part.strip("\n") for block in _QUOTE.findall(text) for part in re.split(r"^\.\.\.\n", block, flags=re.M)]
    assert len(quotes) > 8
    assert [quote for quote in quotes if not any(f"{quote}\n" in file for file in files)] == []


def test_the_calendar_page_shows_a_calendar_that_holds() -> None:
    text = (ROOT / "docs/calendar.md").read_text(encoding="utf-8")
    blocks = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)]
    assert len(blocks) == 1
    for block in blocks:
        parsed = CalendarSettings.model_validate(block["calendar"])
        effects = {str(window.effect.to_core()).split()[0] for window in parsed.windows}
        assert effects == {"Multiply", "Minimum", "LikeDay", "Ignore"}, "each effect is shown"
        assert find_next(open_calendar(parsed.to_core(None), 1_795_000_000.0), 1_795_000_000.0) is not None


def test_the_page_of_metric_profiles_shows_what_holds() -> None:
    text = (ROOT / "docs/metric-profiles.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    levels, catalogue = (yaml.safe_load(block) for block in blocks)
    assert MetricProfile.parse(cases.profile(levels)).spec.to_core().recording.active
    assert read_settings({"PRESAGE_PROFILES": json.dumps(catalogue["profiles"])}).profiles
    told = set(re.findall(r"`([A-Z][A-Za-z]+)`", text.partition("| reason |")[2].partition("\n\n")[0]))
    given = {value for name, value in vars(reasons).items() if name.isupper()}
    assert told - {"Minimal", "Standard", "Debug"} == given
    for name, profile in BUILT_IN.items():
        (row,) = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
        assert f"| {profile.export_interval_s} s |" in row
        assert row.endswith(f"| {profile.metrics['latency'].retention} |")
