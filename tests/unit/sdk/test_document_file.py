"""The injected file may be anything: what was good stays, and each failure is told once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from presage.core.recording.document import MAX_BYTES, render_document
from presage.sdk.document_file import PATIENCE_S, RETRY_S, DocumentFile
from tests.unit.sdk.conftest import profile, recording

GOOD = profile("Good", latency=10)


class Reader:
    """A file, its reader, and what was refused."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.refused: list[str] = []
        self.file = DocumentFile(str(path), lambda kind, text: self.refused.append(f"{kind}: {text}"))
        self.now = 100.0

    def put(self, content: bytes | str) -> None:
        new = self.path.with_name("new")
        new.write_bytes(content.encode() if isinstance(content, str) else content)
        new.replace(self.path)

    def look(self, after: float = 1.0) -> int | None:
        """Generation to put in force, if there is one."""
        self.now += after
        document = self.file.look(self.now)
        return None if document is None else document.generation


@pytest.fixture
def reader(tmp_path: Path) -> Reader:
    return Reader(tmp_path / "recording.jsonl")


def good(generation: int = 1, name: str = "shop", every: int = 10) -> str:
    return render_document(recording(profile("Good", latency=every), name=name), generation)


def test_a_document_is_read_once(reader: Reader) -> None:
    assert reader.look() is None
    reader.put(good(3))
    assert [reader.look(), reader.look()] == [3, None]
    reader.path.unlink()
    assert reader.look() is None
    reader.put(good(4))
    assert reader.look() == 4
    assert reader.refused == []


BODY = good().partition("\n")[2]
HOSTILE = {
    "empty": "",
    "half": good(9)[: len(good(9)) // 2],
    "another checksum": good(9).replace('"everyEvents":10', '"everyEvents":11'),
    "a megabyte": good(9) + " " * 1_000_000,
    "deep": '{"format":"presage.dev/recording/v1"}\n' + "[" * 100_000 + "]" * 100_000 + "\n",
    "no text": os.urandom(5000),
    "other types": '["a list"]\n"text"\n',
    "a number without end": '{"generation": ' + "9" * 200_000 + "}\n{}\n",
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE)
def test_what_is_not_whole_leaves_the_last_good_one(reader: Reader, content: bytes | str) -> None:
    reader.put(good(3))
    assert reader.look() == 3
    reader.put(content)
    assert [reader.look() for _ in range(5)] == [None] * 5
    assert len(reader.refused) == 1
    assert len(reader.refused[0]) < 120
    reader.put(good(4))
    assert reader.look() == 4


def test_a_megabyte_is_not_read(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    reader.put(b"x" * (MAX_BYTES + 1))
    monkeypatch.setattr("presage.sdk.document_file.parse_document", lambda _: pytest.fail("it was read"))
    assert reader.look() is None


@pytest.mark.parametrize("kind", ["pipe", "directory", "link out", "link to a device", "link to itself"])
def test_what_is_no_file_of_its_directory_is_not_read(reader: Reader, tmp_path: Path, kind: str) -> None:
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    reader.path = tmp_path / "mount/recording.jsonl"
    reader.path.parent.mkdir()
    reader.file = DocumentFile(str(reader.path), lambda kind, text: reader.refused.append(text))
    if kind == "pipe":
        os.mkfifo(reader.path)
    elif kind == "directory":
        reader.path.mkdir()
    elif kind == "link out":
        (outside / "recording.jsonl").write_text(good(3))
        reader.path.symlink_to(outside / "recording.jsonl")
    else:
        reader.path.symlink_to("/dev/zero" if kind == "link to a device" else reader.path)
    assert [reader.look(), reader.look()] == [None, None]
    assert len(reader.refused) == (0 if kind == "link to itself" else 1)


def test_the_links_of_a_mounted_config_map_are_followed(reader: Reader, tmp_path: Path) -> None:
    def mount(number: int, content: str) -> None:
        folder = tmp_path / f"..2026_{number}"
        folder.mkdir()
        (folder / "recording.jsonl").write_text(content)
        (tmp_path / "..new").symlink_to(folder.name)
        (tmp_path / "..new").replace(tmp_path / "..data")

    mount(1, good(1))
    reader.path.symlink_to("..data/recording.jsonl")
    assert [reader.look(), reader.look()] == [1, None]
    mount(2, good(2))
    assert [reader.look(), reader.look()] == [2, None]
    assert reader.refused == []


def test_a_lower_generation_waits_and_another_profile_does_not(reader: Reader) -> None:
    reader.put(good(9))
    assert reader.look() == 9
    reader.put(good(3, every=5))
    assert reader.look() is None
    assert [reader.look(RETRY_S) for _ in range(3)] == [None] * 3
    assert len(reader.refused) == 1
    reader.put(good(2, name="other"))
    assert reader.look() == 2


def test_a_lower_generation_that_stays_is_believed(reader: Reader) -> None:
    reader.put(good(9))
    assert reader.look() == 9
    reader.put(good(3, every=5))
    taken = [reader.look(RETRY_S) for _ in range(int(PATIENCE_S / RETRY_S) + 2)]
    assert taken.count(3) == 1
    assert taken.index(3) >= PATIENCE_S / RETRY_S - 1
    assert reader.look(RETRY_S) is None


def test_one_that_goes_back_again_changes_nothing(reader: Reader) -> None:
    for generation in (9, 3, 9):
        reader.put(good(generation))
        found = reader.look()
    assert found is None
    reader.put(good(10))
    assert reader.look() == 10


def test_a_file_that_was_unreadable_is_tried_again(reader: Reader, monkeypatch: pytest.MonkeyPatch) -> None:
    reader.put(good(3))
    monkeypatch.setattr(os, "open", lambda *_: (_ for _ in ()).throw(PermissionError("no")))
    assert reader.look() is None
    monkeypatch.undo()
    assert [reader.look(), reader.look(RETRY_S)] == [None, 3]
    assert reader.refused == ["unreadable: cannot be read: PermissionError"]
