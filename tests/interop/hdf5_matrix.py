#!/usr/bin/env python3
"""Hundreds of HDF5 files, every feature in every version of the format, and what h5py reads from them.

    python tests/interop/hdf5_matrix.py FOLDER              makes the files and their expected.json
    python tests/interop/hdf5_matrix.py --small FOLDER      only those that are kept with the source

build/release/tests/formats_hdf5_hdf5_test FOLDER compares. Needs h5py and numpy.
"""
import json
import os
import sys
import zlib

import h5py
import numpy as np
from h5py import h5d, h5f, h5p, h5s, h5t, h5z

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../src/formats/hdf5/testdata"))
from make_hdf5 import describe_file, raw_dataset, string_type  # noqa: E402

VERSIONS = {"earliest": "earliest", "v108": ("v108", "v108"), "v110": ("v110", "v110"), "v112": ("v112", "v112"), "latest": "latest"}
NUMBERS = [order + kind for kind in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8") for order in "<>"] + ["i1", "u1"]


def values(kind, shape, random):
    """Elements of a kind: the extremes first, then anything."""
    count = int(np.prod(shape))
    if kind == "bool":
        out = random.randint(0, 2, count).astype(bool)
    elif kind == "fixed":
        out = np.array([b"", b"a", b"ab ", b"abcdefg", b"x\0y"][:count] + [b"t%d" % i for i in range(max(0, count - 5))], "S7")
    elif kind in ("ascii", "utf8"):
        texts = ["", "one", "x" * 300, "with spaces  "] + (["\u00fcber \u4e2d\u6587 \U0001f600"] if kind == "utf8" else [])
        out = np.array([texts[i % len(texts)] for i in range(count)], object)
    elif np.dtype(kind).kind == "f":
        out = random.standard_normal(count).astype(kind)
        out[:5] = np.array([np.inf, -np.inf, -0.0, np.nan, np.finfo(kind).smallest_subnormal], kind)[:min(count, 5)]
    else:
        info = np.iinfo(kind)
        out = random.randint(0, 256, count * np.dtype(kind).itemsize, dtype="u1").view(np.dtype(kind).newbyteorder("="))
        out = out.astype(kind)
        out[:2] = np.array([info.min, info.max], kind)[:min(count, 2)]
    return out.reshape(shape)


def type_of(kind):
    special = {"bool": np.dtype(bool), "fixed": np.dtype("S7"), "ascii": h5py.string_dtype("ascii"), "utf8": h5py.string_dtype(),
               "enum": h5py.enum_dtype({"RED": -1, "GREEN": 0, "BLUE": 42}, basetype="<i2"),
               "enum_big": h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 4200000}, basetype=">u4")}
    return special[kind] if kind in special else np.dtype(kind)


def elements(kind, shape, random):
    if kind.startswith("enum"):
        base = type_of(kind)
        names = list(h5py.check_enum_dtype(base).values())
        return np.array(random.choice(names, int(np.prod(shape))), base).reshape(shape)
    return values(kind, shape, random)


def fill_of(kind):
    return {"bool": True, "fixed": b"fill", "ascii": None, "utf8": None, "enum": 42, "enum_big": 1}.get(kind, 7)


FILTERS = {"gzip": dict(compression="gzip"), "gzip9": dict(compression="gzip", compression_opts=9), "gzip0": dict(compression="gzip", compression_opts=0),
           "shuffle": dict(shuffle=True), "fletcher32": dict(fletcher32=True), "lzf": dict(compression="lzf"),
           "shuffle_gzip": dict(shuffle=True, compression="gzip"), "gzip_fletcher32": dict(compression="gzip", fletcher32=True),
           "shuffle_fletcher32": dict(shuffle=True, fletcher32=True), "shuffle_lzf_fletcher32": dict(shuffle=True, compression="lzf", fletcher32=True),
           "shuffle_gzip_fletcher32": dict(shuffle=True, compression="gzip", fletcher32=True)}


def compact_dataset(group, name, data, t):
    """Small data in the object's own header; h5py has no word for that."""
    plist = h5p.create(h5p.DATASET_CREATE)
    plist.set_layout(h5d.COMPACT)
    d = h5d.create(group.id, name.encode(), h5t.py_create(t, logical=True), h5s.create_simple(data.shape), plist)
    h5py.Dataset(d)[...] = data


# --- one kind of element, everywhere it can stand ---------------------------------------------------------------------------

def one_kind(f, kind, random):
    t = type_of(kind)
    text = kind in ("ascii", "utf8")

    def add(name, data, **options):
        f.create_dataset(name, data=data, dtype=t, **options)
    add("contiguous", elements(kind, (3, 4), random))
    add("scalar", elements(kind, (1,), random)[0])
    add("one", elements(kind, (1, 1, 1), random))
    add("none", elements(kind, (0,), random))
    add("no_rows", elements(kind, (0, 3), random), chunks=(2, 3), maxshape=(None, 3))
    f.create_dataset("null", data=h5py.Empty(t))
    f.create_dataset("never_written", shape=(5,), dtype=t)
    compact_dataset(f, "compact", elements(kind, (5,), random), t)
    add("chunked", elements(kind, (7, 5), random), chunks=(3, 2))
    add("filtered", elements(kind, (7, 5), random), chunks=(3, 5), compression="gzip", shuffle=not text)
    fill = fill_of(kind)
    if fill is not None:
        f.create_dataset("filled", shape=(4, 3), dtype=t, fillvalue=fill)
        d = f.create_dataset("partly", shape=(9, 3), chunks=(2, 2), maxshape=(None, 5), dtype=t, fillvalue=fill)
        d[3:5, 1:3] = elements(kind, (2, 2), random)
    f.attrs.create("table", elements(kind, (2, 3), random), dtype=t)
    f.attrs.create("scalar", elements(kind, (1,), random)[0], dtype=t)
    f.attrs.create("none", elements(kind, (0,), random), dtype=t)
    f.attrs["null"] = h5py.Empty(t)


def odd_elements(f, random):
    for size in (1, 2, 5, 16):
        raw = random.randint(0, 256, (4, size), dtype="u1").view("V%d" % size).ravel()
        f.create_dataset("opaque%d" % size, data=raw)
    for size in (1, 8, 300):
        texts = np.array([b"", b"a" * (size - 1), b"b" * size])
        for pad, name in ((h5t.STR_NULLPAD, "nulls"), (h5t.STR_NULLTERM, "terminated"), (h5t.STR_SPACEPAD, "spaces")):
            for utf8 in (False, True):
                raw_dataset(f, "text%d_%s_%s" % (size, name, "utf8" if utf8 else "ascii"), string_type(size, pad, utf8), (3,), texts)
    for order in ("LE", "BE"):
        for bits in (8, 16, 32, 64):
            raw_dataset(f, "bits%d%s" % (bits, order), getattr(h5t, "STD_B%d%s" % (bits, order)), (3,),
                        random.randint(0, 256, 3 * bits // 8, dtype="u1").view("V%d" % (bits // 8)))
    f["named_type"] = np.dtype(">f4")
    f.create_dataset("of_named_type", data=values(">f4", (4,), random), dtype=f["named_type"])
    for rank in range(1, 13):
        f.create_dataset("rank%d" % rank, data=values("<i2", (2,) * min(rank, 6) + (1,) * max(0, rank - 6), random),
                         chunks=(1,) * rank if rank % 2 else None)
    f.create_dataset("rank32", data=values("u1", (1,) * 31 + (2,), random))


# --- chunks -----------------------------------------------------------------------------------------------------------------

def with_filters(f, name, random):
    options = FILTERS[name]
    smooth = np.cumsum(random.randint(0, 3, 15 * 11)).astype("<i4").reshape(15, 11)
    for label, chunk, maxshape in (("single", (15, 11), None), ("fixed", (4, 3), None), ("grows", (4, 3), (None, 11)),
                                   ("second_grows", (4, 3), (20, None)), ("both_grow", (4, 3), (None, None)),
                                   ("larger", (16, 16), (32, 32)), ("tiny", (1, 1), (None, 11))):
        f.create_dataset(label, data=smooth, chunks=chunk, maxshape=maxshape, **options)
        d = f.create_dataset(label + "_holes", shape=(15, 11), dtype=">i4", chunks=chunk, maxshape=maxshape, fillvalue=-5, **options)
        d[5, 3:9] = np.arange(6)
        f.create_dataset(label + "_unwritten", shape=(15, 11), dtype="<f4", chunks=chunk, maxshape=maxshape, fillvalue=1.5, **options)
    f.create_dataset("noise", data=random.randint(0, 256, 1000).astype("u1"), chunks=(100,), **options)
    f.create_dataset("zeros", data=np.zeros(5000, "u1"), chunks=(1000,), **options)
    d = f.create_dataset("masked", shape=(8,), dtype="<i4", chunks=(4,), **options)
    count = d.id.get_create_plist().get_nfilters()
    d.id.write_direct_chunk((0,), np.arange(4, dtype="<i4").tobytes(), filter_mask=(1 << count) - 1)
    d[4:] = [7, 8, 9, 10]


def indexes(f, random):
    """Every index of chunks, with as many as take it to its next form."""
    for count in (1, 2, 3, 4, 5, 9, 17, 40, 100, 300, 1100):
        for label, maxshape in (("fixed", (count,)), ("grows", (None,))):
            f.create_dataset("%s%d" % (label, count), data=values("u1", (count,), random), chunks=(1,), maxshape=maxshape)
    for count in (2, 5, 12, 30):
        f.create_dataset("tree%d" % count, data=values("u1", (count, count), random), chunks=(1, 1), maxshape=(None, None))
        f.create_dataset("tree_gzip%d" % count, data=values("<i2", (count, count), random), chunks=(1, 1), maxshape=(None, None), compression="gzip")
    for early in (False, True):
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((4, 3))
        plist.set_alloc_time(h5d.ALLOC_TIME_EARLY if early else h5d.ALLOC_TIME_INCR)
        raw_dataset(f, "early" if early else "late", h5t.STD_I32LE, (13, 7), np.arange(91, dtype="<i4").reshape(13, 7), plist)
        raw_dataset(f, "unwritten_early" if early else "unwritten_late", h5t.STD_I32LE, (13, 7), None, plist)
    for skip in (False, True):
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((4, 3))
        plist.set_deflate(4)
        if skip and hasattr(plist, "set_chunk_opts"):
            plist.set_chunk_opts(1)
        raw_dataset(f, "edges_%s" % ("raw" if skip else "filtered"), h5t.STD_I32LE, (13, 7), np.arange(91, dtype="<i4").reshape(13, 7), plist)


def resized(f, random):
    for name, options in (("plain", {}), ("gzip", FILTERS["shuffle_gzip"])):
        for label, steps in (("grown", ((20, 9),)), ("shrunk", ((3, 2),)), ("emptied", ((0, 7),)), ("again", ((3, 7), (15, 8))),
                             ("one_way", ((11, 3), (11, 9), (14, 9)))):
            d = f.create_dataset("%s_%s" % (label, name), data=values("<i4", (11, 7), random), chunks=(4, 3), maxshape=(None, None), fillvalue=3, **options)
            for step in steps:
                d.resize(step)
            if d.size:
                d[-1] = 77


# --- groups, links, names ---------------------------------------------------------------------------------------------------

def groups(f, random):
    target = f.create_dataset("target", data=np.arange(4, dtype="u1"))
    for count in (0, 1, 7, 8, 9, 33, 300):
        for tracked in (False, True):
            g = f.create_group("%s%d" % ("tracked" if tracked else "group", count), track_order=tracked)
            for i in random.permutation(count):
                g["link_%04d" % i] = target
    g = f.create_group("thinned")
    for i in range(60):
        g["link_%02d" % i] = target
    for i in range(60):
        if i % 5:
            del g["link_%02d" % i]
    g = f.create_group("emptied")
    for i in range(20):
        g["link_%02d" % i] = target
    for i in range(20):
        del g["link_%02d" % i]
    g = f
    for i in range(40):
        g = g.create_group("deep")
    g["end"] = np.int32(7)


def links(f, random):
    g = f.create_group("g")
    g.create_group("a/b/c").create_dataset("d", data=np.arange(3, dtype="u1"))
    g["hard"] = g["a/b/c/d"]
    g["itself"] = g
    g["up"] = f["/"]
    for name, path in (("absolute", "/g/a/b/c/d"), ("relative", "a/b"), ("dots", "./a/./b//c/"), ("through", "relative/c/d"),
                       ("nowhere", "/nothing/here"), ("into_data", "a/b/c/d/x"), ("circle", "circle"), ("long", "a/b/c/d" + "/." * 200),
                       ("parents", "a/../a")):
        g[name] = h5py.SoftLink(path)
    g["other_file"] = h5py.ExternalLink("other.h5", "/x/y")
    many = f.create_group("many")
    for i in range(30):
        many["soft%d" % i] = h5py.SoftLink("/g/hard")
        many["hard%d" % i] = g["hard"]
        many["external%d" % i] = h5py.ExternalLink("file%d.h5" % i, "/")


NAMES = ["a", " ", "with space", "tab\tand\nnewline", "quote'\"", "back\\slash", "\u00fcber", "\u4e2d\u6587/\u30c6\u30b9\u30c8", "\U0001f600", "..", "...",
         "a.b", "kernel:0", "%s%n", "x" * 255, "y" * 1000, "\u00e9" * 600, "0", "-1", "nul" * 80, "\x7f\x01"]


def names(f, random):
    for name in NAMES:
        f.create_group("groups/" + name).attrs["name"] = name
        f.create_dataset("data/" + name, data=np.int32(len(name)))
        f["data"].attrs[name.replace("/", "|")] = np.int32(len(name))
        f["soft_%d" % (zlib.crc32(name.encode()) % 10000)] = h5py.SoftLink("/data/" + name)
    tracked = f.create_group("tracked", track_order=True)
    for name in reversed(NAMES):
        tracked.create_dataset(name, data=np.int32(1))


def attributes(f, random):
    for count in (0, 1, 7, 8, 9, 60, 400):
        for tracked in (False, True):
            g = f.create_group("%s%d" % ("tracked" if tracked else "plain", count), track_order=tracked)
            for i in random.permutation(count):
                g.attrs["attribute_%d" % i] = [np.int32(i), "text %d" % i, np.full(i % 9, i, "f4")][i % 3]
    d = f.create_dataset("data", data=np.arange(3))
    for i in range(30):
        d.attrs["a%d" % i] = "x" * (i * 17)
    for i in range(0, 30, 2):
        del d.attrs["a%d" % i]
    for i in range(1, 30, 4):
        d.attrs["a%d" % i] = np.arange(i)
    d.attrs["large"] = np.arange(7000, dtype=">i4")
    d.attrs["names"] = np.array([b"layer_%d/kernel:0" % i for i in range(900)])
    d.attrs["texts"] = ["text %d" % i for i in range(900)]
    if f.libver[0] not in ("earliest",):
        d.attrs["huge"] = random.randint(0, 256, 70000).astype("u1")
        d.attrs["huger"] = random.randint(0, 256, 200000).astype("u1")


# --- a file as it is after some life ------------------------------------------------------------------------------------------

def random_dataset(g, name, random):
    kind = random.choice(NUMBERS + ["bool", "fixed", "utf8", "enum"])
    shape = tuple(random.randint(0, 9, random.randint(0, 4)))
    t, options = type_of(kind), {}
    fill = fill_of(kind)
    if fill is not None and random.randint(2):
        options["fillvalue"] = fill
    if shape and random.randint(3):
        options["chunks"] = tuple(int(random.randint(1, max(2, n + 1))) for n in shape)
        options["maxshape"] = tuple(None if random.randint(2) else max(int(n), c) for n, c in zip(shape, options["chunks"]))
        filters = random.choice(["gzip", "gzip9"] if kind == "utf8" else list(FILTERS))
        options.update(FILTERS[filters] if random.randint(2) else {})
    if random.randint(4) == 0:
        g.create_dataset(name, shape=shape, dtype=t, **options)
    else:
        g.create_dataset(name, data=elements(kind, shape, random) if shape else elements(kind, (1,), random)[0], dtype=t, **options)


def live(f, random, steps, prefix="n"):
    """Things made, changed, moved and deleted, so that headers continue elsewhere and heaps have holes."""
    groups = ["/"]
    for step in range(steps):
        g = f[groups[random.randint(len(groups))]]
        what, names = random.randint(10), [n for n in g if g.get(n) is not None]
        name = "%s%d_%s" % (prefix, step, "x" * random.randint(0, 40))
        if what < 3:
            random_dataset(g, name, random)
        elif what == 3 and len(groups) < 8:
            groups.append(g.create_group(name, track_order=bool(random.randint(2))).name)
        elif what == 4 and names:
            victim = g[names[random.randint(len(names))]]
            if isinstance(victim, h5py.Dataset):
                del g[victim.name]
        elif what == 5 and names:
            old = names[random.randint(len(names))]
            if isinstance(g[old], h5py.Dataset):
                g.move(old, name)
        elif what == 6 and names:
            d = g[names[random.randint(len(names))]]
            if isinstance(d, h5py.Dataset) and d.chunks and d.ndim:
                d.resize(tuple(int(random.randint(0, 9 if m is None else m + 1)) for m in d.maxshape))
        elif what == 7 and names:
            g[name] = g[names[random.randint(len(names))]] if random.randint(2) else h5py.SoftLink(names[0])
        else:
            o = g[names[random.randint(len(names))]] if names and random.randint(2) else g
            key = "a%d" % random.randint(12)
            if key in o.attrs and random.randint(3) == 0:
                del o.attrs[key]
            else:
                o.attrs[key] = ["text" * random.randint(0, 50), values("<f4", (random.randint(1, 9),), random), np.int64(step), b"bytes"][random.randint(4)]


# --- what is not supported, and how it is called ------------------------------------------------------------------------------

def refused(f, random):
    """Gives the word that each error has to have."""
    errors = {}

    def chunked(name, word, change):
        plist = h5p.create(h5p.DATASET_CREATE)
        plist.set_chunk((8, 8))
        change(plist)
        raw_dataset(f, name, h5t.STD_I32LE, (16, 16), np.arange(256, dtype="<i4").reshape(16, 16), plist)
        errors["/" + name] = word
    if h5z.filter_avail(h5z.FILTER_SZIP) and h5z.get_filter_info(h5z.FILTER_SZIP) & h5z.FILTER_CONFIG_ENCODE_ENABLED:
        chunked("szip", "szip filter", lambda p: p.set_szip(4, 8))
    chunked("nbit", "nbit filter", lambda p: p.set_filter(5))
    chunked("scaleoffset", "scaleoffset filter", lambda p: p.set_scaleoffset(h5z.SO_INT, 0))
    for number, name in ((305, "lzo"), (307, "bzip2"), (32001, "blosc"), (32004, "lz4"), (32008, "bitshuffle"), (32013, "zfp"), (32015, "zstd"),
                         (32026, "blosc2"), (4711, "unknown")):
        chunked(name, "%s filter (number %d)" % (name, number), lambda p: p.set_filter(number, h5z.FLAG_OPTIONAL, (1, 2, 3)))
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "d", shape=(4,))
    if f.libver[1] != "v108" and f.libver[0] != "earliest":
        f.create_virtual_dataset("virtual", layout)
        errors["/virtual"] = "virtual Dataset"
    f.create_dataset("external", shape=(4,), dtype="f4", external=[("elsewhere.bin", 0, 16)])
    errors["/external"] = "external Dataset"
    f.create_dataset("compound", data=np.zeros(2, [("x", "f4"), ("y", "i2")]))
    errors["/compound"] = "compound type"
    f.create_dataset("complex", data=np.zeros(2, "c16"))
    errors["/complex"] = "compound type"
    f.create_dataset("array", shape=(2,), dtype=np.dtype(("f4", (3,))))
    errors["/array"] = "array type"
    f.create_dataset("sequence", shape=(2,), dtype=h5py.vlen_dtype("i4"))
    errors["/sequence"] = "variable-length sequence"
    f.create_dataset("reference", shape=(1,), dtype=h5py.ref_dtype)
    errors["/reference"] = "a reference"
    for name, tid, word in (("i24", h5t.STD_I32LE, "integer that does not fill"), ("long_double", h5t.NATIVE_LDOUBLE, "floating-point format other than")):
        t = tid.copy()
        if name == "i24":
            t.set_precision(24)
        raw_dataset(f, name, t, (2,))
        errors["/" + name] = word
    return errors


class Circles(dict):
    """The soft link that leads to itself, by whichever path."""

    def __contains__(self, path):
        return path.endswith("/circle")

    def __getitem__(self, path):
        return "soft"


# --- all of them ------------------------------------------------------------------------------------------------------------

TOPICS = {"odd": odd_elements, "indexes": indexes, "resized": resized, "groups": groups, "links": links, "names": names, "attributes": attributes}
SMALL = {"kind_utf8_latest", "kind_bool_v110", "kind_big_f2_earliest", "filters_shuffle_lzf_fletcher32_latest",
         "resized_v112", "links_v112", "names_v110", "refused_earliest", "refused_latest", "life_3", "life_14", "odd_v112"}


def cases():
    """(name, options of the file, what fills it and gives the errors to expect)"""
    for version, libver in VERSIONS.items():
        options = dict(libver=libver)
        for kind in NUMBERS + ["bool", "enum", "enum_big", "fixed", "ascii", "utf8"]:
            label = kind.replace("<", "little_").replace(">", "big_")
            yield "kind_%s_%s" % (label, version), options, lambda f, r, kind=kind: one_kind(f, kind, r)
        for filters in FILTERS:
            yield "filters_%s_%s" % (filters, version), options, lambda f, r, filters=filters: with_filters(f, filters, r)
        for topic, fill in TOPICS.items():
            yield "%s_%s" % (topic, version), options, fill
        yield "refused_%s" % version, options, refused
        for size in (512, 1024, 8192):
            yield "user_block_%d_%s" % (size, version), dict(libver=libver, userblock_size=size), links
        yield "tracked_%s" % version, dict(libver=libver, track_order=True), names
    for strategy in ("page", "fsm", "aggregate", "none"):
        for persist in (False, True) if strategy in ("page", "fsm") else (False,):
            yield ("strategy_%s_%s" % (strategy, persist), dict(libver=("v110", "latest"), fs_strategy=strategy, fs_persist=persist, fs_threshold=1),
                   lambda f, r: live(f, r, 80))
    for i in range(60):
        version = list(VERSIONS.values())[i % len(VERSIONS)]
        yield "life_%d" % i, dict(libver=version), lambda f, r, i=i: live(f, r, 20 + 6 * i)


def make(folder, small):
    expected = {}
    for name, options, fill in cases():
        if small and name not in SMALL:
            continue
        path, random = os.path.join(folder, "m_" + name + ".h5"), np.random.RandomState(zlib.crc32(name.encode()))
        with h5py.File(path, "w", **options) as f:
            errors = fill(f, random) or {}
        if name.startswith("life"):  # and goes on in another version's words
            with h5py.File(path, "r+", libver="latest" if random.randint(2) else "earliest") as f:
                live(f, random, 30, "later")
        if fill is links:
            errors = Circles()
        expected[os.path.basename(path)] = describe_file(path, errors)
    write(folder, expected)


def write(folder, expected):
    with open(os.path.join(folder, "expected.json"), "w") as out:
        json.dump(expected, out, indent=None, separators=(",", ":"), sort_keys=True)
        out.write("\n")
    print("%d files, %d objects, HDF5 %s" % (len(expected), sum(map(len, expected.values())), h5py.version.hdf5_version))


def main():
    arguments = [a for a in sys.argv[1:] if a != "--small"]
    if len(arguments) != 1:
        sys.exit(__doc__)
    os.makedirs(arguments[0], exist_ok=True)
    make(arguments[0], "--small" in sys.argv)


if __name__ == "__main__":
    main()
