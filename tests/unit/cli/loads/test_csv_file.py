"""Every fault of a file is one line: file, row, what, what to do."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest

from presage.cli.loads import csv_file
from presage.cli.loads.csv_file import read_csv
from presage.cli.loads.errors import InputError

HEAD = "timestamp,value\n"


def silent(_: str) -> None:
    """Hear progress and do nothing."""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"", ": empty: its first row must be `timestamp,value`, its others the samples", id="empty"),
        pytest.param(
            HEAD.encode(),
            ": no row with a value: write rows such as `1700000000,12.5` below the header",
            id="header alone",
        ),
        pytest.param(
            b"timestamp,value\n1700000000,\n",
            ": no row with a value: write rows such as `1700000000,12.5` below the header",
            id="no value at all",
        ),
        pytest.param(
            b"time;load\n1;2\n",
            ", row 1: the header is 'time;load', where one column `timestamp` must be: write `timestamp,value` there, "
            "or name the column of the values by --value",
            id="another header",
        ),
        pytest.param(
            b"1700000000,5\n",
            ", row 1: the header is '1700000000,5', where one column `timestamp` must be: write `timestamp,value` "
            "there, or name the column of the values by --value",
            id="no header",
        ),
        pytest.param(
            b"timestamp,value,value\n",
            ", row 1: the header is 'timestamp,value,value', where one column `value` must be: write "
            "`timestamp,value` there, or name the column of the values by --value",
            id="a column twice",
        ),
        pytest.param(
            b"timestamp,value\n1700000000,5\n1700000300,five\n",
            ", row 3: the value 'five' is not a number: correct it, or leave the cell empty where it is missing",
            id="words",
        ),
        pytest.param(
            b"timestamp,value\n1700000000,1_000\n",
            ", row 2: the value '1_000' is not a number: correct it, or leave the cell empty where it is missing",
            id="Python's digit groups",
        ),
        pytest.param(
            b"timestamp,value\n1700000000,inf\n",
            ", row 2: the value 'inf' is not a number: correct it, or leave the cell empty where it is missing",
            id="infinite",
        ),
        pytest.param(
            b"timestamp,value\n1700000000," + b"9" * 60_000 + b"x\n",
            f", row 2: the value '{'9' * 39}…' is not a number: correct it, or leave the cell empty where it is "
            "missing",
            id="a long cell is cut",
        ),
        pytest.param(
            b"timestamp,value\n1700000000,5\n\n1700000300\n",
            ", row 4: 1 columns instead of 2: is the file cut off?",
            id="cut off",
        ),
        pytest.param(
            b"timestamp,value\nyesterday,5\n",
            ", row 2: the time 'yesterday' is neither epoch seconds nor ISO 8601: write such as 1700000000 or "
            "2023-11-14T22:13:20Z",
            id="no time",
        ),
        pytest.param(
            b"timestamp,value\n1700000000000,5\n",
            ", row 2: the time '1700000000000' is not in seconds: are these milliseconds? Divide them by 1000",
            id="milliseconds",
        ),
        pytest.param(
            b"timestamp,value\nnan,5\n",
            ", row 2: the time 'nan' is none: write epoch seconds or ISO 8601",
            id="no number for a time",
        ),
        pytest.param(b"timestamp,value\n\xff\xfe\n", ", row 2: not text in UTF-8: is it a CSV file?", id="not text"),
        pytest.param(
            b'timestamp,value\n"1700000000"x,5\n',
            ", row 2: no CSV (',' expected after '\"'): write `timestamp,value` rows",
            id="broken quotes",
        ),
        pytest.param(
            b"timestamp,value\n1700000000," + b"1" * 200_000 + b"\n",
            ", row 2: no CSV (field larger than field limit (131072)): write `timestamp,value` rows",
            id="a cell without end",
        ),
    ],
)
def test_faults(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_bytes(content)
    with pytest.raises(InputError) as raised:
        read_csv(str(path), "value", silent)
    assert str(raised.value) == f"{path}{message}"
    assert raised.value.exit_code == 2


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("absent.csv", r"absent\.csv: cannot be read: No such file or directory: give a CSV file"),
        ("", "cannot be read: Is a directory: give a CSV file"),
        ("a\0b", "cannot be read: embedded null byte"),
    ],
)
def test_files_that_cannot_be_read(name: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_csv(f"{tmp_path}/{name}", "value", silent)


def test_a_file_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_file, "MAX_BYTES", 1024 * 1024)
    with pytest.raises(InputError, match=r"^/dev/zero: larger than 1 MiB: cut it to the newest weeks"):
        read_csv("/dev/zero", "value", silent)


def test_all_forms_of_a_time_and_what_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text(
        "\ufeffhost,Value,Timestamp\r\n"
        "a,1,1700000000\r\n"
        "a,2,1700000000.5\r\n"
        "a,3,2023-11-14T22:13:21Z\r\n"
        "a,4,2023-11-14T23:13:22+01:00\r\n"
        "a,5,2023-11-14 22:13:23\r\n"
        "a,,1700000004\r\n"
        "a,NaN,1700000005\r\n"
        '"a, b", 6.5e0 ,1700000006\r\n',
        encoding="utf-8",
    )
    found = read_csv(str(path), "value", silent)
    assert [t - 1.7e9 for t in found.times] == [0, 0.5, 1, 2, 3, 6]
    assert list(found.values) == [1, 2, 3, 4, 5, 6.5]
    assert (found.empty, found.naive) == (2, 1)


def test_another_column_and_the_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    content = io.BytesIO(b"timestamp,orders,value\n1700000000,7,1\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(content))
    assert list(read_csv("-", "orders", silent).values) == [7.0]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"")))
    with pytest.raises(InputError, match=r"^standard input: empty: "):
        read_csv("-", "orders", silent)


def test_a_long_file_tells_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "load.csv"
    path.write_text(HEAD + "1700000000,1\n" * 250_000)
    told: list[str] = []
    read_csv(str(path), "value", told.append)
    assert [re.sub(".*: ", "", line) for line in told] == ["100,000 rows", "200,000 rows"]
