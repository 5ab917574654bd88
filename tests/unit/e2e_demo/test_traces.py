from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from e2e.demo.traces import DAY_SECONDS, TraceError, compress, generate, read_csv

HOUR = 3600
DAY0 = 1_700_006_400  # a midnight, UTC


def write(path: Path, rows: list[tuple[object, object]], header: str = "timestamp,value") -> Path:
    path.write_text("\n".join([header, *(f"{stamp},{value}" for stamp, value in rows)]) + "\n")
    return path


def hourly(days: int, start: int = DAY0) -> list[tuple[object, object]]:
    return [(start + i * HOUR, i % 24 + i // 24 * 100) for i in range(days * 24)]


def test_whole_days_are_cut_at_midnight(tmp_path: Path) -> None:
    rows = hourly(4)[5:]  # the first day lacks its first five hours
    trace = read_csv(write(tmp_path / "t.csv", rows))
    assert trace.values.shape == (3, 24)
    assert trace.values[-1].tolist() == [float(300 + hour) for hour in range(24)]
    assert trace.step_seconds == HOUR


def test_order_duplicates_and_gaps_do_not_matter(tmp_path: Path) -> None:
    rows = hourly(3)
    del rows[30]  # 06:00 of the second day: held from 05:00
    rows += [(DAY0, 7), (DAY0, 50)]
    trace = read_csv(write(tmp_path / "t.csv", rows[::-1][2:] + rows[-2:]))
    assert trace.values[0, 0] == 50
    assert trace.values[1, 6] == 105


def test_iso_stamps_are_utc_unless_they_say_otherwise(tmp_path: Path) -> None:
    stamps = [f"2026-01-0{day}T{hour:02d}:00:00" for day in (1, 2, 3) for hour in range(24)]
    trace = read_csv(write(tmp_path / "t.csv", [(stamp, 1) for stamp in stamps]))
    assert trace.values.shape == (3, 24)
    shifted = read_csv(write(tmp_path / "s.csv", [(f"{stamp}+00:00", 1) for stamp in stamps]))
    assert shifted.values.shape == (3, 24)


def test_only_the_last_run_of_whole_days_counts(tmp_path: Path) -> None:
    rows = hourly(3) + hourly(3, DAY0 + 5 * DAY_SECONDS)
    assert read_csv(write(tmp_path / "t.csv", rows)).days == 3


BAD: dict[str, tuple[list[tuple[object, object]], str, str]] = {
    "wrong header": (hourly(3), "time,load", "first line must be"),
    "text for a number": ([*hourly(3), (DAY0 + 3 * DAY_SECONDS, "x")], "timestamp,value", "line 74"),
    "not a number": ([*hourly(3), (DAY0 + 3 * DAY_SECONDS, "nan")], "timestamp,value", "not finite"),
    "too short": (hourly(2), "timestamp,value", "at least 3"),
    "empty": ([], "timestamp,value", "at least two rows"),
}


@pytest.mark.parametrize(("rows", "header", "want"), BAD.values(), ids=BAD.keys())
def test_bad_files_are_named(tmp_path: Path, rows: list[tuple[object, object]], header: str, want: str) -> None:
    path = write(tmp_path / "bad.csv", rows, header)
    with pytest.raises(TraceError, match=want) as caught:
        read_csv(path)
    assert "bad.csv" in str(caught.value)


def test_an_absent_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"absent\.csv"):
        read_csv(tmp_path / "absent.csv")


@pytest.mark.parametrize("seed", range(5))
def test_the_built_in_load_varies_from_day_to_day(seed: int) -> None:
    trace = generate(15, seed)
    variation = np.abs(np.diff(trace.values, axis=0)).mean() / trace.values.mean()
    assert variation >= 0.10, "mean difference of a slot to the same slot a day earlier, over the mean load"
    assert (trace.values > 0).all()


def test_a_seed_gives_one_trace_and_a_longer_one_begins_like_it() -> None:
    assert np.array_equal(generate(4, 7).values, generate(6, 7).values[:4])
    assert not np.array_equal(generate(4, 7).values, generate(4, 8).values)


def test_compression_keeps_the_shape_and_sets_the_peak() -> None:
    trace = generate(6, 1)
    load = compress(trace, 480, 400.0, max_history_days=4)
    assert load.history_days == 4
    assert load.step_seconds == pytest.approx(1 / 3)
    assert np.quantile(load.played, 0.999) == pytest.approx(400.0)
    assert np.allclose(load.played / load.played.sum(), trace.values[-1] / trace.values[-1].sum())
    assert np.array_equal(load.tail_of_history(60), load.rates[-2, -180:])


def test_a_day_without_load_cannot_be_played() -> None:
    trace = generate(3, 1)
    trace.values[-1] = 0
    with pytest.raises(TraceError, match="no load"):
        compress(trace, 480, 400.0, 14)
