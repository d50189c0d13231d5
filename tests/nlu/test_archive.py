"""Two trainings of the same things have one digest, whatever else their archives say."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

from nlu.archive import weights_digest


def packed(file: Path, **contents: bytes) -> Path:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in contents.items():
            entry = tarfile.TarInfo(name.replace("__", "/") + ".json")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return file


def test_ids_times_and_the_order_of_the_files_do_not_count(tmp_path: Path) -> None:
    one = packed(tmp_path / "1", metadata=b"monday", components__a__x=b"1", components__b__y=b"2")
    two = packed(tmp_path / "2", components__b__y=b"2", components__a__x=b"1", metadata=b"tuesday")
    assert weights_digest(one) == weights_digest(two)


def test_another_weight_another_name_or_another_place_is_another_digest(tmp_path: Path) -> None:
    found = {
        weights_digest(packed(tmp_path / "1", components__a__x=b"1", components__b__y=b"2")),
        weights_digest(packed(tmp_path / "2", components__a__x=b"1", components__b__y=b"3")),
        weights_digest(packed(tmp_path / "3", components__a__x=b"1", components__b__z=b"2")),
        weights_digest(packed(tmp_path / "4", components__a__x=b"2", components__b__y=b"1")),
    }
    assert len(found) == 4
