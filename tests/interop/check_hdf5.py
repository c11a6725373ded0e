#!/usr/bin/env python3
"""Has our HDF5 writer write its sample files, and reads them with h5py (and with h5dump, where it is installed).

    python tests/interop/check_hdf5.py build/tests/formats_hdf5_writer_test

Needs h5py and numpy. Prints one line a file; exit status 1 when a value is another one.
"""
import os
import shutil
import subprocess
import sys
import tempfile

import h5py
import numpy as np

KERNEL = np.array([[1, -2, 3.5], [4, 5, -0.0]], "f4")
TEXTS = ["one", "", "drei \u00fc"]


def same(got, wanted, what):
    got, wanted = np.asarray(got), np.asarray(wanted)
    if got.dtype != wanted.dtype or got.shape != wanted.shape or got.tobytes() != wanted.tobytes():
        sys.exit("check_hdf5.py: %s: got %r, expected %r" % (what, got, wanted))


def same_texts(got, what):
    if [x.decode() if isinstance(x, bytes) else x for x in got] != TEXTS:
        sys.exit("check_hdf5.py: %s: got %r" % (what, got))


def check_attributes(attrs):
    wanted = {"keras_version": "2.15.0", "empty": ""}
    for name, text in wanted.items():
        if attrs[name] != text:
            sys.exit("check_hdf5.py: attribute %s: got %r" % (name, attrs[name]))
    same_texts(attrs["texts"], "attribute texts")
    same(attrs["names"], np.array([b"dense", b"dense_1"], "S7"), "attribute names")
    same(attrs["no_names"], np.zeros(0), "attribute no_names")
    same(attrs["number"], np.int32(-5), "attribute number")
    same(attrs["numbers"], KERNEL, "attribute numbers")
    same(attrs["bool"], np.bool_(True), "attribute bool")
    same(attrs["l\u00e4nge"], np.uint8(7), "attribute l\u00e4nge")
    if len(attrs) != 9:
        sys.exit("check_hdf5.py: %d attributes" % len(attrs))


def check_sample(f):
    check_attributes(f.attrs)
    g, limits = f["numbers"], np.iinfo("i8")
    for name, wanted in {
            "f4": KERNEL, "f8": np.float64(0.1), "f2": np.array([1, -2], "f2"), "i1": np.array([-128, 127], "i1"),
            "u2": np.array([1, 65535], "u2"), "i8": np.array([limits.min, limits.max]),
            "u8": np.array([1 << 63, (1 << 63) - 1], "u8"), "bool": np.array([True, False, True]),
            "none": np.zeros((0, 3), "f4"), "names": np.array([b"ab", b"abcd"], "S4"),
            "produced": np.arange(5000, dtype="u4")}.items():
        same(g[name][()], wanted, name)
    if g["opaque"][()].tobytes() != b"\x80\x3f\x00\x40" or g["opaque"].dtype != np.dtype("V2"):
        sys.exit("check_hdf5.py: opaque: got %r" % g["opaque"][()])
    same_texts(g["texts"][()], "texts")
    kernel = f["model_weights/dense/dense/kernel:0"]
    same(kernel[()], KERNEL, kernel.name)
    check_attributes(kernel.attrs)
    if list(f) != ["empty", "model_weights", "numbers"] or len(f["empty"]) != 0:
        sys.exit("check_hdf5.py: groups: %r" % list(f))
    if any(d.id.get_offset() % 64 for d in (kernel, g["f4"], g["produced"])):
        sys.exit("check_hdf5.py: data are not aligned")


def check_links(f):
    wanted = sorted("layer_%d" % (i * 7919 % 10007) for i in range(5000))
    if list(f["many"]) != wanted or not all(isinstance(f["many"][name], h5py.Group) for name in wanted):
        sys.exit("check_hdf5.py: links: %d of them" % len(f["many"]))


def check_many_attributes(f):
    for i in range(3):
        same(f.attrs["large_%d" % i], np.full(64512, 7, "u1"), "large_%d" % i)
    for i in range(2000):
        if f.attrs["attribute_%d" % i] != "attribute_%d" % i:
            sys.exit("check_hdf5.py: attribute_%d" % i)
    if f.attrs["model_config"] != "x" * 299999 or len(f.attrs) != 2004:
        sys.exit("check_hdf5.py: model_config")


def check_goes_on(path):
    """The library can add to the file, and what was there stays."""
    with h5py.File(path, "r+") as f:
        f.attrs["later"] = "added"
        for i in range(40):
            f.create_group("numbers/later_%d" % i)
        f["model_weights/dense/dense/kernel:0"][0, 0] = 9
        f.create_dataset("later", data=np.arange(10), chunks=(3,), compression="gzip")
        del f["empty"]
    with h5py.File(path, "r") as f:
        if f.attrs["later"] != "added" or len(f["numbers"]) != 53 or f["later"][9] != 9 or "empty" in f:
            sys.exit("check_hdf5.py: adding to the file")
        same(f["numbers/f4"][()], KERNEL, "after adding")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.argv[1], folder], check=True)
        checks = {"sample.h5": check_sample, "links.h5": check_links, "attributes.h5": check_many_attributes}
        for name, check in checks.items():
            path = os.path.join(folder, name)
            with h5py.File(path, "r") as f:
                check(f)
            if shutil.which("h5dump"):
                subprocess.run(["h5dump", path], check=True, stdout=subprocess.DEVNULL)
            print("%s: as written, with HDF5 %s%s" % (name, h5py.version.hdf5_version,
                                                     " and h5dump" if shutil.which("h5dump") else ""))
        check_goes_on(os.path.join(folder, "sample.h5"))
        print("sample.h5: can be added to")


if __name__ == "__main__":
    main()
