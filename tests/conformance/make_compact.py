#!/usr/bin/env python3
"""Packs a part of a corpus of recorded cases into corpus.tar.xz, so that the tests stand without the whole.

usage: make_compact.py CORPUS OUTPUT

All cases but the largest model files go in. The same corpus gives the same archive, byte for byte.
"""
import io
import json
import lzma
import pathlib
import sys
import tarfile

TOO_LARGE = {"app_mobilenetv2_035", "attention_seq2seq", "gru_stack", "lstm_bidirectional"}
MOST = 8 << 20


def is_wanted(case):
    return case["kind"] != "files" or case["case"].split("/")[1].split(".")[0] not in TOO_LARGE


def add(archive, name, data):
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(data), 0o644
    archive.addfile(entry, io.BytesIO(data))


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[2])
    folder, output = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    index = json.loads((folder / "index.json").read_text())
    index["cases"] = [case for case in index["cases"] if is_wanted(case)]
    index["count"] = len(index["cases"])
    index.pop("counts", None)
    names = {name for case in index["cases"] for name in case["files"]}
    for case in index["cases"]:
        if case["kind"] == "training":
            names |= {str(path.relative_to(folder)) for path in (folder / "training").iterdir()}
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        add(archive, "index.json", json.dumps(index, separators=(",", ":")).encode())
        for name in sorted(names):
            add(archive, name, (folder / name).read_bytes())
    packed = lzma.compress(plain.getvalue(), preset=9 | lzma.PRESET_EXTREME)
    if len(packed) > MOST:
        sys.exit(f"{len(packed)} bytes, {MOST} at most: take models out")
    output.write_bytes(packed)
    print(f"{index['count']} cases, {len(names)} files, {len(packed)} bytes")


if __name__ == "__main__":
    main()
