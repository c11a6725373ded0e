#!/usr/bin/env python3
"""Makes the HDF5 files of the reader's test with h5py, and expected.json with what h5py reads back from them.

    python make_hdf5.py                 rewrites the files beside this script
    python make_hdf5.py --big FOLDER    larger ones (deep trees, long arrays), too large to be kept with the source
    python make_hdf5.py --describe FOLDER    writes expected.json for the HDF5 files that are in a folder

Needs h5py 3.16 or later (HDF5 2.0, so that layout version 5 occurs), and PyTables for pytables.h5 (kept when it is missing).
"""
import ctypes
import json
import os
import sys
import zlib

import h5py
import numpy as np
from h5py import h5d, h5f, h5g, h5p, h5s, h5t

here = os.path.dirname(os.path.abspath(__file__))
RNG = np.random.RandomState(7)

# --- what h5py reads ---------------------------------------------------------------------------------------------------

LAYOUTS = {h5d.COMPACT: "compact", h5d.CONTIGUOUS: "contiguous", h5d.CHUNKED: "chunked", h5d.VIRTUAL: "virtual"}
CLASSES = {h5t.INTEGER: "integer", h5t.FLOAT: "float", h5t.TIME: "time", h5t.BITFIELD: "bitfield", h5t.OPAQUE: "opaque",
           h5t.COMPOUND: "compound", h5t.REFERENCE: "reference", h5t.ARRAY: "array", 11: "complex"}


def class_of(tid):
    c = tid.get_class()
    if c == h5t.STRING:
        return "variable-length string" if tid.is_variable_str() else "string"
    if c == h5t.VLEN:
        return "variable-length sequence"
    if c == h5t.ENUM:
        names = [tid.get_member_name(i) for i in range(tid.get_nmembers())]
        return "bool" if names == [b"FALSE", b"TRUE"] and tid.get_size() == 1 else "enumeration"
    if c == h5t.FLOAT and tid.get_size() == 2 and tid.get_fields()[2] == 8:
        return "bfloat16"
    return CLASSES.get(c, "unknown")


def raw_bytes(id_, tid, space, attribute):
    """The elements, little-endian, as HDF5 converts them."""
    count = space.get_simple_extent_npoints()
    mem = tid.get_super() if tid.get_class() == h5t.ENUM else tid.copy()
    if tid.get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM):
        mem = mem.copy()
        mem.set_order(h5t.ORDER_LE)
    out = np.zeros(count, "V%d" % mem.get_size()).reshape(space.get_simple_extent_dims())
    if tid.get_class() == h5t.ENUM:  # enumerations only convert to enumerations
        kept, mem = mem, h5t.enum_create(mem)
        for i in range(tid.get_nmembers()):
            mem.enum_insert(tid.get_member_name(i), tid.get_member_value(i))
    if attribute:
        id_.read(out, mtype=mem)
    else:
        id_.read(h5s.ALL, h5s.ALL, out, mem)
    if tid.get_class() == h5t.BITFIELD and tid.get_order() == h5t.ORDER_BE:
        return out.view(">u%d" % tid.get_size()).astype("<u%d" % tid.get_size()).tobytes()
    return out.tobytes()


def texts(value):
    return [bytes(x) if isinstance(x, bytes) else x.encode() for x in np.asarray(value, object).ravel().tolist()]


def names_crc(names):
    return zlib.crc32(b"".join(n.encode() + b"\0" for n in names))


def describe_value(obj, id_, attribute):
    """[class, size, shape (None: null), count and CRC of the elements, or None where they are not read]"""
    tid, space = id_.get_type(), id_.get_space()
    name, size = class_of(tid), tid.get_size()
    if space.get_simple_extent_type() == h5s.NULL:
        return [name, size, None, 0, None]
    shape = list(space.get_simple_extent_dims())
    count = int(space.get_simple_extent_npoints())
    crc = None
    if name in ("string", "variable-length string"):
        if name == "string":
            mem = h5t.C_S1.copy()
            mem.set_size(size)
            mem.set_strpad(h5t.STR_NULLPAD)
            mem.set_cset(tid.get_cset())
            out = np.zeros(tuple(shape), "S%d" % size)
            if count and attribute:
                id_.read(out, mtype=mem)
            elif count:
                id_.read(h5s.ALL, h5s.ALL, out, mem)
            items = texts(out)
        elif attribute:
            out = np.zeros(tuple(shape), object)
            if count:
                id_.read(out)
            items = texts(out)
        else:
            items = texts(obj[()]) if count else []
        crc = zlib.crc32(b"".join(t + b"\0" for t in items))
    elif name in ("integer", "float", "bfloat16", "bool", "enumeration", "bitfield", "opaque"):
        crc = zlib.crc32(raw_bytes(id_, tid, space, attribute)) if count else 0
    return [name, size, shape, count, crc]


def describe_object(obj, errors, path):
    names = list(obj.attrs)
    out = {}
    if names:
        out["attributes"] = {name: describe_value(obj, obj.attrs.get_id(name), True) for name in names}
        out["attribute_order"] = names_crc(names)
    if isinstance(obj, h5py.Group):
        members = list(obj)
        out["kind"] = "group"
        out["members"] = [len(members), names_crc(members)]
    elif isinstance(obj, h5py.Dataset):
        out["kind"] = "dataset"
        plist = obj.id.get_create_plist()
        if path in errors:
            tid = obj.id.get_type()
            out["value"] = [class_of(tid), tid.get_size(), list(obj.shape or []), int(obj.size or 0), None]
            out["error"] = errors[path]
        else:
            out["value"] = describe_value(obj, obj.id, False)
        out["layout"] = LAYOUTS[plist.get_layout()]
        if plist.get_external_count():
            out["layout"] = "external"
        if out["layout"] == "chunked":
            out["chunk"] = list(obj.chunks)
            out["filters"] = [plist.get_filter(i)[0] for i in range(plist.get_nfilters())]
    else:
        out["kind"] = "type"
    return out


def describe_file(path, errors={}):
    """Every object by every path, at the first in full; a group inside itself only once."""
    objects, seen = {}, {}

    def visit(group, prefix, above):
        for name in group:
            link = group.get(name, getlink=True)
            full = prefix + "/" + name
            if isinstance(link, h5py.ExternalLink):
                objects[full] = {"error": "ExternalLink"}
                continue
            if full in errors and errors[full] == "soft":
                objects[full] = {"error": "soft links"}
                continue
            try:
                obj = group[name]
            except KeyError:
                objects[full] = None
                continue
            key = h5py.h5o.get_info(obj.id).addr
            if key in seen:
                objects[full] = {"same": seen[key]}
            else:
                objects[full] = describe_object(obj, errors, full)
                seen[key] = full
            if isinstance(obj, h5py.Group) and key not in above:
                visit(obj, full, above | {key})

    with h5py.File(path, "r") as f:
        objects["/"] = describe_object(f["/"], errors, "/")
        key = h5py.h5o.get_info(f["/"].id).addr
        seen[key] = "/"
        visit(f, "", {key})
    return objects


# --- the files ----------------------------------------------------------------------------------------------------------

def numbers(dtype, *shape):
    n = int(np.prod(shape))
    dtype = np.dtype(dtype)
    if dtype.kind == "f":
        values = RNG.standard_normal(n)
    else:
        info = np.iinfo(dtype)
        values = RNG.randint(0, 256, n * dtype.itemsize, dtype="u1").view(dtype.newbyteorder("="))
        values[:2] = [info.min, info.max][:max(0, min(n, 2))] if n > 1 else values[:2]
    return values.astype(dtype).reshape(shape)


def string_type(size, pad, utf8=False):
    t = h5t.C_S1.copy()
    t.set_size(size)
    t.set_strpad(pad)
    t.set_cset(h5t.CSET_UTF8 if utf8 else h5t.CSET_ASCII)
    return t


def raw_dataset(group, name, tid, shape, data=None, dcpl=None):
    space = h5s.create_simple(shape)
    d = h5d.create(group.id, name.encode(), tid, space, dcpl)
    if data is not None:
        d.write(h5s.ALL, h5s.ALL, data, tid)
    return d


def bfloat16():
    t = h5t.IEEE_F32LE.copy()
    t.set_fields(15, 7, 8, 0, 7)
    t.set_ebias(127)
    t.set_precision(16)
    t.set_size(2)
    return t


def everything(f):
    """All types, as datasets and as attributes; links of all kinds."""
    g = f.create_group("types")
    for kind in ("i1", "u1", "<i2", ">i2", "<u2", ">u2", "<i4", ">i4", "<u4", ">u4", "<i8", ">i8", "<u8", ">u8",
                 "<f2", ">f2", "<f4", ">f4", "<f8", ">f8"):
        name = kind.replace("<", "little_").replace(">", "big_")
        g.create_dataset(name, data=numbers(kind, 3, 2))
        g.attrs[name] = numbers(kind, 2)
        g.attrs["one_" + name] = numbers(kind, 1)[0]
    g.create_dataset("bool", data=np.array([True, False, True]))
    g.attrs["bool"] = np.bool_(True)
    colors = h5py.enum_dtype({"RED": 0, "GREEN": 1, "BLUE": 42}, basetype=">i2")
    g.create_dataset("enum", data=np.array([0, 42, 1], ">i2"), dtype=colors)
    g.create_dataset("opaque", data=np.array([b"\x80\x3f", b"\x01\x00"], "V2"))
    raw_dataset(g, "bitfield", h5t.STD_B16BE, (3,), np.array([1, 2, 0xff00], ">u2").view("V2"))
    raw_dataset(g, "bfloat16", bfloat16(), (2,), np.array([0x3f80, 0xc000], "u2").view("V2"))
    g.create_dataset("scalar", data=np.float32(2.5))
    g.create_dataset("none", data=np.zeros((0, 3), "f4"))
    g.create_dataset("null", data=h5py.Empty("f4"))
    g.attrs["null"] = h5py.Empty("i8")
    g.create_dataset("never_written", shape=(5,), dtype="f4")
    g.create_dataset("never_written_filled", shape=(5,), dtype=">i4", fillvalue=-7)
    g.create_dataset("rank5", data=numbers("<i2", 2, 1, 3, 1, 2))
    compact = h5p.create(h5p.DATASET_CREATE)
    compact.set_layout(h5d.COMPACT)
    raw_dataset(g, "compact", h5t.STD_I32BE, (3,), np.array([1, -2, 3], ">i4"), compact)

    s = f.create_group("strings")
    plain = np.array([b"a", b"bc  ", b"def\0", b"x\0y", b"", b"longest"], "S7")
    for pad, name in ((h5t.STR_NULLPAD, "padded"), (h5t.STR_NULLTERM, "terminated"), (h5t.STR_SPACEPAD, "spaces")):
        raw_dataset(s, name, string_type(7, pad), (6,), plain)
    s.create_dataset("variable", data=["one", "", "drei \u00fc", "x" * 300], dtype=h5py.string_dtype())
    s.create_dataset("ascii", data=[b"one", b"two"], dtype=h5py.string_dtype("ascii"))
    s.create_dataset("scalar", data="a single text")
    s.create_dataset("never_written", shape=(3,), dtype=h5py.string_dtype())
    s.attrs["text"] = "h\u00e9llo"
    s.attrs["empty"] = ""
    s.attrs["fixed"] = np.bytes_(b"keras")
    s.attrs["names"] = np.array([b"dense", b"dense_1/kernel:0"])
    s.attrs["list"] = ["x", "yy", ""]
    s.attrs["table"] = np.array([["a", "b"], ["c", "d"]], h5py.string_dtype())
    s.attrs["l\u00e4nge"] = np.int32(3)
    s.attrs["config"] = json.dumps({"class_name": "Sequential", "config": list(range(300))})

    n = f.create_group("links")
    n.create_group("a/b/c").create_dataset("deep", data=np.arange(3, dtype="u1"))
    n["again"] = n["a/b/c/deep"]
    n["itself"] = n
    n["soft"] = h5py.SoftLink("/links/a/b/c/deep")
    n["relative"] = h5py.SoftLink("a/./b//c")
    n["through"] = h5py.SoftLink("relative/deep")
    n["dangling"] = h5py.SoftLink("/nowhere")
    n["circle"] = h5py.SoftLink("circle")
    n["other_file"] = h5py.ExternalLink("other.h5", "/x")
    f["named"] = np.dtype("<i4")
    f.create_dataset("of_named_type", data=np.arange(3), dtype=f["named"])
    f["of_named_type"].attrs.create("a", np.int32(5), dtype=f["named"])

    u = f.create_group("refused")
    u.create_dataset("compound", data=np.zeros(2, [("x", "f4"), ("y", "i2")]))
    u.create_dataset("complex", data=np.zeros(2, "c8"))
    u.create_dataset("array", shape=(2,), dtype=np.dtype(("f4", (3,))))
    u.create_dataset("sequence", shape=(2,), dtype=h5py.vlen_dtype("i4"))
    u.create_dataset("reference", shape=(1,), dtype=h5py.ref_dtype)
    u["reference"][0] = f["links"].ref
    odd = h5t.STD_I32LE.copy()
    odd.set_precision(24)
    raw_dataset(u, "i24", odd, (2,))
    if hasattr(h5t, "UNIX_D32LE"):
        raw_dataset(u, "time", h5t.UNIX_D32LE, (2,))


REFUSED = {"/refused/compound": "compound", "/refused/complex": "compound", "/refused/array": "array type",
           "/refused/sequence": "variable-length sequence", "/refused/reference": "a reference",
           "/refused/i24": "does not fill", "/refused/time": "a time", "/links/circle": "soft"}


def chunks(f, version="latest"):
    """Every chunk index that the file's version has (the classic one has only one), with and without filters, with edges and
    holes."""
    few = version == "classic"
    cases = {"plain": {}, "all": dict(compression="gzip", shuffle=True, fletcher32=True),
             "lzf": dict(compression="lzf", shuffle=True)}
    if version != "latest":
        cases = {name: cases[name] for name in (("all",) if few else ("all", "plain"))}
    smooth = (np.arange(13 * 7) // 5).astype("<i4").reshape(13, 7)
    for name, filters in cases.items():
        g = f.create_group(name)
        g.create_dataset("fixed", data=smooth, chunks=(4, 3), **filters)
        if few:
            continue
        g.create_dataset("single", data=smooth, chunks=(13, 7), **filters)
        g.create_dataset("larger_than_data", data=smooth[:3], chunks=(16, 8), maxshape=(32, 8), **filters)
        g.create_dataset("rows", data=smooth, chunks=(5, 7), **filters)
        g.create_dataset("grows", data=smooth, chunks=(4, 3), maxshape=(None, 7), **filters)
        g.create_dataset("grows_second", data=smooth, chunks=(4, 3), maxshape=(20, None), **filters)
        g.create_dataset("grows_both", data=smooth, chunks=(4, 3), maxshape=(None, None), **filters)
        d = g.create_dataset("holes", shape=(40,), chunks=(4,), dtype=">u2", fillvalue=777, **filters)
        d[6:9] = [1, 2, 3]
        d[30] = 5
        d = g.create_dataset("shrunk", data=np.arange(30, dtype="f4"), chunks=(4,), maxshape=(None,), **filters)
        d.resize((10,))
        g.create_dataset("never_written", shape=(9,), chunks=(4,), dtype="f4", **filters)
    g = f.create_group("more")
    g.create_dataset("rank3", data=numbers(">f4", 5, 4, 3), chunks=(2, 4, 2), compression="gzip")
    g.create_dataset("noise", data=RNG.randint(0, 256, 400).astype("u1"), chunks=(100,), compression="lzf")
    g.create_dataset("texts", data=["a", "bb", "", "dddd"] * 5, chunks=(6,), dtype=h5py.string_dtype(), compression="gzip")
    g.create_dataset("fixed_texts", data=np.array([b"a", b"bb", b"ccc"] * 7), chunks=(4,), shuffle=True, compression="gzip")
    g.create_dataset("scaleoffset", data=np.arange(20), chunks=(5,), scaleoffset=0)
    early = h5p.create(h5p.DATASET_CREATE)
    early.set_chunk((4, 3))
    early.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    raw_dataset(g, "implicit", h5t.STD_I32LE, (13, 7), np.arange(91, dtype="<i4").reshape(13, 7), early)
    many = g.create_dataset("many", shape=(300,), chunks=(2,), dtype="u1")
    many[:] = np.arange(300) % 251
    masked = g.create_dataset("masked", shape=(8,), chunks=(4,), dtype="<i4", compression="gzip", shuffle=True)
    masked.id.write_direct_chunk((0,), np.arange(4, dtype="<i4").tobytes(), filter_mask=3)
    masked[4:] = [7, 8, 9, 10]
    if hasattr(early, "set_chunk_opts"):
        edges = h5p.create(h5p.DATASET_CREATE)
        edges.set_chunk((4, 3))
        edges.set_deflate(4)
        edges.set_chunk_opts(1)
        raw_dataset(g, "raw_edges", h5t.STD_I32LE, (13, 7), np.arange(91, dtype="<i4").reshape(13, 7), edges)


CHUNK_ERRORS = {"/more/scaleoffset": "scaleoffset"}


def paged(f):
    """Arrays of chunks that are cut into pages, most of which do not exist."""
    for name, maxshape in (("fixed", (1040,)), ("grows", (None,))):
        for filters in ({}, dict(compression="gzip")):
            d = f.create_dataset(name + ("_filtered" if filters else ""), shape=(1040,), maxshape=maxshape, chunks=(1,),
                                 dtype="u1", fillvalue=9, **filters)
            d[1030] = 1
            d[3] = 2
    d = f.create_dataset("far", shape=(140000,), maxshape=(None,), chunks=(1,), dtype="u1")
    d[139999] = 1
    d[70000] = 2


def tree2(f):
    """A version 2 B-tree with inner nodes."""
    d = f.create_dataset("d", shape=(20, 20), maxshape=(None, None), chunks=(1, 1), dtype="u1")
    d[...] = np.arange(400).reshape(20, 20) % 251


def many_links(f):
    """Trees of links: names in another order than they were made, and few objects behind them."""
    target = f.create_dataset("target", data=np.arange(4, dtype="u1"))
    g = f.create_group("many")
    for i in range(260):
        g["w%04d" % (i * 7919 % 10007)] = target
    t = f.create_group("tracked", track_order=True)
    for i in range(40):
        t["t%02d" % (i * 7 % 40)] = target
    c = f.create_group("compact_tracked", track_order=True)
    for name in ("zz", "a", "m", "\u00fcber"):
        c[name] = target
    f.create_group("empty")


def many_attributes(f):
    g = f.create_group("many")
    for i in range(60):
        g.attrs["a%03d" % (i * 31 % 61)] = np.int32(i)
    g.attrs["text"] = "of variable length"
    t = f.create_group("tracked", track_order=True)
    for i in range(20):
        t.attrs["t%02d" % (i * 7 % 20)] = np.full(3, i, "f4")
    d = f.create_dataset("d", data=np.arange(3))
    for i in range(5):
        d.attrs["z%d" % (4 - i)] = "value %d" % i


def keras(f):
    """As Keras 2 saves a whole model."""
    f.attrs["keras_version"] = "2.15.0"
    f.attrs["backend"] = "tensorflow"
    f.attrs["model_config"] = json.dumps({"class_name": "Sequential"})
    g = f.create_group("model_weights")
    g.attrs["layer_names"] = [b"dense", b"dense_1"]
    g.attrs["backend"] = b"tensorflow"
    for layer in ("dense", "dense_1"):
        w = g.create_group(layer)
        w.attrs["weight_names"] = [("%s/kernel:0" % layer).encode(), ("%s/bias:0" % layer).encode()]
        w.create_dataset("%s/kernel:0" % layer, data=numbers("<f4", 4, 3))
        w.create_dataset("%s/bias:0" % layer, data=numbers("<f4", 3))
    g.create_group("top_level_model_weights").attrs["weight_names"] = np.zeros(0, "f8")


def file_with(path, fill, **options):
    with h5py.File(path, "w", **options) as f:
        fill(f)


def library():
    """The HDF5 library that h5py brings along, for calls that h5py has not."""
    for line in open("/proc/self/maps"):
        if "/libhdf5-" in line or "/libhdf5.so" in line:
            return ctypes.CDLL(line.split()[-1])
    raise SystemExit("h5py's own HDF5 library was not found")


def file_with_plist(path, change, fill):
    """For what h5py's File has no option for."""
    fcpl = h5p.create(h5p.FILE_CREATE)
    change(fcpl)
    fapl = h5p.create(h5p.FILE_ACCESS)
    fapl.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_LATEST)
    fid = h5f.create(path.encode(), h5f.ACC_TRUNC, fcpl=fcpl, fapl=fapl)
    with h5py.File(fid) as f:
        fill(f)


def little(f):
    f.attrs["a"] = "text"
    f["soft"] = h5py.SoftLink("g/../g/d")  # HDF5 knows no "..": leads nowhere
    f["softer"] = h5py.SoftLink("/g/d")
    f.create_group("g").create_dataset("d", data=np.arange(6, dtype=">f4").reshape(2, 3))
    f.create_dataset("c", data=np.arange(50), chunks=(8,), compression="gzip")
    for i in range(12):
        f["g/link%02d" % i] = f["c"]


def refused_storage(f):
    f.create_dataset("d", data=np.arange(4, dtype="f4"))
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
    layout[:] = h5py.VirtualSource("elsewhere.h5", "d", shape=(4,))
    f.create_virtual_dataset("virtual", layout)
    f.create_dataset("external", shape=(4,), dtype="f4", external=[("elsewhere.bin", 0, 16)])


def bombs(f):
    """A few bytes that say that they are many."""
    f.create_dataset("never_written", shape=(1 << 20,), dtype="f4")
    f.create_dataset("chunks_never_written", shape=(1 << 30, 1 << 20), chunks=(1 << 10, 1), dtype="f4")
    f.create_dataset("texts_never_written", shape=(1 << 20,), dtype=h5py.string_dtype())
    d = f.create_dataset("one_chunk", shape=(1 << 20, 4), chunks=(16, 4), dtype="u1")
    d[:16] = 1
    f.create_dataset("zeros", data=np.zeros(1 << 18, "u1"), chunks=(1 << 16,), compression="gzip", compression_opts=9)


def pytables(path):
    try:
        import tables
    except ImportError:
        return
    with tables.open_file(path, "w", title="a title") as f:
        f.create_array("/", "numbers", np.arange(10))
        f.create_array("/", "bools", np.array([True, False]))
        f.create_array("/", "texts", [b"a", b"bcd"])
        f.create_carray("/", "carray", obj=np.arange(100).reshape(10, 10), filters=tables.Filters(5, "zlib", shuffle=True))
        e = f.create_earray("/", "earray", tables.Float32Atom(), (0, 3), filters=tables.Filters(1, "zlib", fletcher32=True))
        e.append(np.arange(6, dtype="f4").reshape(2, 3))
        f.create_group("/", "group")
        f.root.group._v_attrs.anything = {"pickled": 1}
        f.root.group._v_attrs.number = 3
        f.create_table("/group", "table", {"x": tables.Int32Col(), "y": tables.StringCol(4)})
        f.create_carray("/", "blosc", obj=np.arange(100), filters=tables.Filters(5, "blosc"))
        f.create_carray("/", "bzip2", obj=np.arange(100), filters=tables.Filters(5, "bzip2"))


PYTABLES_ERRORS = {"/group/table": "compound", "/blosc": "blosc", "/bzip2": "bzip2"}


# --- messages of HDF5 before 1.6.3, put together by hand -----------------------------------------------------------------

def le(value, width=8):
    return value.to_bytes(width, "little")


def old_file(path):
    """Superblock 0 and one group with datasets whose layout messages have versions 1 and 2."""
    undefined = b"\xff" * 8
    names, offsets = b"\0" * 8, []
    data = np.arange(6, dtype="<i2")
    objects = []

    def message(kind, body):
        body += b"\0" * (-len(body) % 8)
        return le(kind, 2) + le(len(body), 2) + b"\0" * 4 + body

    space = message(1, b"\1\1\0\0" + le(0, 4) + le(6))
    kind = message(3, b"\x10\x08\0\0" + le(2, 4) + le(0, 2) + le(16, 2))
    old_fill = message(4, le(2, 4) + le(77, 2))
    place = {}
    for name in ("contiguous1", "contiguous2", "compact1", "compact2", "chunked1", "unwritten"):
        offsets.append(len(names))
        names += name.encode() + b"\0"
        names += b"\0" * (-len(names) % 8)
    heap_at, tree_at, group_at = 96, 96 + 32 + len(names), 96 + 32 + len(names) + 544
    snod_at = group_at + 16 + 24
    at = snod_at + 8 + 8 * 40
    bodies = b""

    def put(block):
        nonlocal bodies, at
        start = at
        bodies += block + b"\0" * (-len(block) % 8)
        at += len(block) + (-len(block) % 8)
        return start

    def header(messages):
        body = b"".join(messages)
        return put(b"\1\0" + le(len(messages), 2) + le(1, 4) + le(len(body), 4) + b"\0" * 4 + body)

    raw = put(data.tobytes())
    tree = put(b"TREE\1\0" + le(2, 2) + undefined * 2 +
               le(8, 4) + le(0, 4) + le(0) + le(0) + le(raw) + le(8, 4) + le(0, 4) + le(4) + le(0) + le(raw + 4) +
               le(8, 4) + le(0, 4) + le(8) + le(0) + b"\0" * 2048)
    for version, address in ((1, raw), (2, raw)):
        layout = message(8, bytes([version, 1, 1]) + b"\0" * 5 + le(address) + le(6, 4))
        objects.append(header([space, kind, old_fill, layout]))
    for version in (1, 2):
        layout = message(8, bytes([version, 1, 0]) + b"\0" * 5 + le(6, 4) + le(12, 4) + data.tobytes())
        objects.append(header([space, kind, layout]))
    chunked = message(8, b"\1\2\2" + b"\0" * 5 + le(tree) + le(4, 4) + le(2, 4))
    objects.append(header([space, kind, old_fill, chunked]))
    unwritten = message(8, b"\1\1\1" + b"\0" * 5 + undefined + le(6, 4))
    objects.append(header([space, kind, old_fill, unwritten]))

    heap = b"HEAP" + b"\0" * 4 + le(len(names)) + le(1) + le(heap_at + 32) + names
    order = sorted(range(len(offsets)), key=lambda i: names[offsets[i]:].split(b"\0")[0])
    node = b"TREE\0\0" + le(1, 2) + undefined * 2 + le(0) + le(snod_at) + le(offsets[order[-1]])
    node += b"\0" * (544 - len(node))
    group = b"\1\0" + le(1, 2) + le(1, 4) + le(24, 4) + b"\0" * 4 + message(0x11, le(tree_at) + le(heap_at))
    entries = b"".join(le(offsets[i]) + le(objects[i]) + b"\0" * 24 for i in order)
    snod = b"SNOD\1\0" + le(len(order), 2) + entries + b"\0" * (8 * 40 - len(entries))
    head = (b"\x89HDF\r\n\x1a\n" + b"\0\0\0\0\0\x08\x08\0" + le(4, 2) + le(16, 2) + le(0, 4) + le(0) + undefined + le(at) +
            undefined + le(0) + le(group_at) + le(1, 4) + le(0, 4) + le(tree_at) + le(heap_at))
    with open(path, "wb") as f:
        f.write(head + heap + node + group + snod + bodies)


def make(folder):
    def path(name):
        return os.path.join(folder, name)

    expected = {}

    def add(name, errors={}):
        expected[name] = describe_file(path(name), errors)

    for name, libver in (("classic", "earliest"), ("latest", "latest"), ("v108", ("v108", "v108")), ("v110", ("v110", "v110"))):
        if name != "v108":
            file_with(path("chunks_%s.h5" % name), lambda f: chunks(f, name), libver=libver)
            add("chunks_%s.h5" % name, CHUNK_ERRORS)
        if name == "v110":
            continue
        if name == "v108":
            file_with(path("v108.h5"), little, libver=libver)
            add("v108.h5")
            continue
        file_with(path(name + ".h5"), everything, libver=libver)
        add(name + ".h5", REFUSED)
        file_with(path("links_%s.h5" % name), many_links, libver=libver)
        add("links_%s.h5" % name)
        file_with(path("attributes_%s.h5" % name), many_attributes, libver=libver)
        add("attributes_%s.h5" % name)
    file_with(path("paged.h5"), paged, libver="latest")
    add("paged.h5")
    file_with(path("tree2.h5"), tree2, libver="latest")
    add("tree2.h5")
    with h5py.File(path("huge_attribute.h5"), "w", libver="latest") as f:
        f.attrs["huge"] = np.arange(33000, dtype=">i2")
        f.attrs["small"] = 1
    add("huge_attribute.h5")
    file_with(path("keras.h5"), keras)
    add("keras.h5")
    file_with(path("user_block.h5"), little, userblock_size=1024)
    add("user_block.h5")
    file_with(path("pages.h5"), little, fs_strategy="page", fs_persist=True, fs_page_size=512)
    add("pages.h5")
    file_with(path("times.h5"), lambda f: f.create_group("g").create_dataset("d", data=np.arange(4), track_times=True),
              libver="latest")
    add("times.h5")
    file_with(path("refused.h5"), refused_storage)
    add("refused.h5", {"/virtual": "virtual", "/external": "external"})
    file_with(path("bombs.h5"), bombs)  # not described: h5py would read them
    file_with_plist(path("narrow.h5"), lambda p: p.set_sizes(4, 4), little)
    add("narrow.h5")

    def small_nodes(p):
        assert library().H5Pset_istore_k(ctypes.c_int64(p.id), ctypes.c_uint(2)) >= 0
        assert library().H5Pset_sym_k(ctypes.c_int64(p.id), ctypes.c_uint(2), ctypes.c_uint(1)) >= 0
    file_with_plist(path("small_nodes.h5"), small_nodes, little)
    add("small_nodes.h5")

    def shared(p):
        assert library().H5Pset_shared_mesg_nindexes(ctypes.c_int64(p.id), ctypes.c_uint(1)) >= 0
        assert library().H5Pset_shared_mesg_index(ctypes.c_int64(p.id), 0, 2 | 8, 1) >= 0  # datatypes and dataspaces
    file_with_plist(path("shared.h5"), shared, lambda f: [f.create_dataset("d%d" % i, data=np.arange(6, dtype="f4")) for i in range(3)])
    old_file(path("old.h5"))
    add("old.h5")
    pytables(path("pytables.h5"))
    if os.path.exists(path("pytables.h5")):
        add("pytables.h5", PYTABLES_ERRORS)
    with open(path("expected.json"), "w") as out:
        json.dump(expected, out, indent=None, separators=(",", ":"), sort_keys=True)
        out.write("\n")


def make_big(folder):
    """What needs size to occur: several levels of every tree, indirect blocks below indirect blocks."""
    expected = {}

    def add(name, fill, **options):
        file_with(os.path.join(folder, name), fill, **options)
        expected[name] = describe_file(os.path.join(folder, name))

    def deep(f):
        d = f.create_dataset("both", shape=(120, 120), maxshape=(None, None), chunks=(1, 1), dtype="u1", compression="gzip")
        d[...] = np.arange(14400).reshape(120, 120) % 251
        d = f.create_dataset("one", shape=(140000,), maxshape=(None,), chunks=(1,), dtype="u1")
        d[...] = np.arange(140000) % 251
        d = f.create_dataset("fixed", shape=(20000,), chunks=(1,), dtype="u1", fletcher32=True)
        d[...] = np.arange(20000) % 251

    def links(f):
        target = f.create_group("target")
        g = f.create_group("g")
        for i in range(30000):
            g["a_name_of_some_length_%06d" % (i * 7919 % 100003)] = target

    def attributes(f):
        for i in range(3000):
            f.attrs["attribute_%d" % i] = np.full(i % 400, i)
        for i in range(20):
            f.attrs["huge_%d" % i] = np.full(20000, i)

    for libver in ("earliest", "latest"):
        add("deep_%s.h5" % libver, deep, libver=libver)
        add("links_%s.h5" % libver, links, libver=libver)
    add("attributes_latest.h5", attributes, libver="latest")
    with open(os.path.join(folder, "expected.json"), "w") as out:
        json.dump(expected, out)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--big"]:
        make_big(sys.argv[2])
    elif sys.argv[1:2] == ["--describe"]:
        folder = sys.argv[2]
        names = [name for name in os.listdir(folder) if name.endswith(".h5")]
        with open(os.path.join(folder, "expected.json"), "w") as out:
            json.dump({name: describe_file(os.path.join(folder, name)) for name in names}, out)
    else:
        make(here)
