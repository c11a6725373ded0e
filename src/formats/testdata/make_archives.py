"""Makes the small archives, arrays and tables the tests of zip, npy, npz and csv read.

    python make_archives.py         needs NumPy and ml_dtypes; writes beside itself

zip_*.zip come from Python's zipfile, some damaged afterwards; npy_*.npy and *.npz from NumPy.
"""
import io
import os
import struct
import zipfile

import ml_dtypes
import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
DATE = (1980, 1, 1, 0, 0, 0)
TEXT = b"".join(b"%d squared is %d\n" % (i, i * i) for i in range(300))


def put(name, data):
    with open(os.path.join(HERE, name), "wb") as file:
        file.write(data)


class Pipe(io.RawIOBase):
    """A stream that cannot go back, so that zipfile writes data descriptors."""

    def __init__(self):
        self.data = b""

    def writable(self):
        return True

    def write(self, data):
        self.data += bytes(data)
        return len(data)


def info(name, method=zipfile.ZIP_STORED):
    made = zipfile.ZipInfo(name, DATE)
    made.compress_type = method
    return made


def fill(archive):
    archive.writestr(info("stored.txt"), b"kept as it is")
    archive.writestr(info("deflated.txt", zipfile.ZIP_DEFLATED), TEXT)
    archive.writestr(info("folder/"), b"")
    archive.writestr(info("folder/empty"), b"")
    archive.writestr(info("folder/empty.deflated", zipfile.ZIP_DEFLATED), b"")


def archive(fill_with=fill, to=None, comment=b""):
    out = io.BytesIO() if to is None else to
    with zipfile.ZipFile(out, "w") as made:
        fill_with(made)
        made.comment = comment
    return out.data if to is not None else out.getvalue()


def fill_zip64(made):
    for name, method in (("stored.txt", zipfile.ZIP_STORED), ("deflated.txt", zipfile.ZIP_DEFLATED)):
        with made.open(info(name, method), "w", force_zip64=True) as member:
            member.write(b"kept as it is" if method == zipfile.ZIP_STORED else TEXT)


def with_zip64_end(data):
    """The same archive, its directory's size and place (and a member's) only in zip64 records."""
    end = data.rindex(b"PK\5\6")
    entries, size, offset = struct.unpack("<HII", data[end + 10:end + 20])
    directory = bytearray(data[offset:end])
    header = struct.unpack("<I", directory[42:46])[0]
    stored, decoded = struct.unpack("<II", directory[20:28])
    name = struct.unpack("<H", directory[28:30])[0]
    extra = struct.pack("<HHB", 0x9999, 1, 7) + struct.pack("<HHQQQ", 1, 24, decoded, stored, header)
    directory[20:28] = b"\xff" * 8
    directory[42:46] = b"\xff" * 4
    directory[30:32] = struct.pack("<H", len(extra))
    directory[46 + name:46 + name] = extra
    size = len(directory)
    zip64 = struct.pack("<IQHHIIQQQQ", 0x06064b50, 44, 45, 45, 0, 0, entries, entries, size, offset)
    locator = struct.pack("<IIQI", 0x07064b50, 0, offset + size, 1)
    return data[:offset] + bytes(directory) + zip64 + locator + struct.pack(
        "<IHHHHIIH", 0x06054b50, 0, 0, 0xffff, 0xffff, 0xffffffff, 0xffffffff, 0)


def fill_double(made):
    for data in (b"first", b"last"):
        made.writestr(info("double"), data)


def overlapping():
    """Two entries for the same bytes, as in a bomb."""
    data = archive(lambda made: made.writestr(info("aa", zipfile.ZIP_DEFLATED), TEXT))
    end = data.rindex(b"PK\5\6")
    entries, size, offset = struct.unpack("<HII", data[end + 10:end + 20])
    directory = data[offset:end]
    return data[:end] + directory + struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 2, 2, 2 * size, offset, 0)


def nested_bomb():
    """Says that 40 bytes decode to a gigabyte."""
    data = bytearray(archive(lambda made: made.writestr(info("bomb", zipfile.ZIP_DEFLATED), b"abc" * 10)))
    directory = data.rindex(b"PK\1\2")
    struct.pack_into("<I", data, directory + 24, 1 << 30)
    return bytes(data)


def bomb():
    """An honest one: as small as deflate gets."""
    return archive(lambda made: made.writestr(info("zeros", zipfile.ZIP_DEFLATED), bytes(4 << 20)))


def encrypted():
    data = bytearray(archive(lambda made: made.writestr(info("secret"), b"0123456789abcdef")))
    struct.pack_into("<H", data, 6, 1)
    struct.pack_into("<H", data, data.rindex(b"PK\1\2") + 8, 1)
    return bytes(data)


def fill_methods(made):
    made.writestr(info("plain"), b"plain")
    made.writestr(info("bz", zipfile.ZIP_BZIP2), TEXT)
    made.writestr(info("xz", zipfile.ZIP_LZMA), TEXT)


def damaged():
    data = bytearray(archive())
    data[data.index(b"kept") + 1] ^= 1
    return bytes(data)


def renamed():
    data = bytearray(archive(lambda made: made.writestr(info("name"), b"x")))
    data[30] ^= 1
    return bytes(data)


def zips():
    put("zip_plain.zip", archive())
    put("zip_comment.zip", archive(comment=b"a comment PK\5 with marks PK\1\2 in it"))
    put("zip_prefix.zip", b"#!/bin/sh\nexit 0\n" + b"x" * 4000 + archive())
    put("zip_suffix.zip", archive(comment=b"said") + b" and more than was said")
    put("zip_descriptors.zip", archive(to=Pipe()))
    put("zip_zip64.zip", archive(fill_zip64))
    put("zip_zip64_descriptors.zip", archive(fill_zip64, to=Pipe()))
    put("zip_zip64_end.zip", with_zip64_end(archive()))
    put("zip_empty.zip", archive(lambda made: None))
    put("zip_utf8.zip", archive(lambda made: made.writestr(info("größe/模型"), b"data")))
    put("zip_double.zip", archive(fill_double))
    put("zip_overlap.zip", overlapping())
    put("zip_lie.zip", nested_bomb())
    put("zip_bomb.zip", bomb())
    put("zip_encrypted.zip", encrypted())
    put("zip_methods.zip", archive(fill_methods))
    put("zip_damaged.zip", damaged())
    put("zip_renamed.zip", renamed())


def npy(array, **options):
    out = io.BytesIO()
    np.lib.format.write_array(out, array, **options)
    return out.getvalue()


def header(text, version=(1, 0)):
    """An array file with a header of our own: what NumPy would not write itself."""
    length = struct.pack("<H" if version == (1, 0) else "<I", len(text))
    return b"\x93NUMPY" + bytes(version) + length + text


def arrays():
    for kind in ("b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"):
        values = np.arange(24) * 5 % 7 - (2 if kind[0] in "if" else 0)
        array = values.reshape(2, 3, 4).astype(kind)
        put(f"npy_{kind}.npy", npy(array))
        if array.itemsize > 1:
            put(f"npy_{kind}_big.npy", npy(array.astype(">" + kind)))
    put("npy_bfloat16.npy", npy(np.array([1, -2, 0.1, 3e38, np.inf], ml_dtypes.bfloat16)))
    for bits in (8, 16, 32, 64):
        for kind in "iu":
            limits = np.iinfo(f"{kind}{bits // 8}")
            put(f"npy_{kind}{bits // 8}_ends.npy", npy(np.array([limits.min, limits.max, 1], limits.dtype)))
    fortran = np.asfortranarray(np.arange(24, dtype=np.float32).reshape(2, 3, 4))
    put("npy_fortran.npy", npy(fortran))
    put("npy_fortran_big.npy", npy(np.asfortranarray(fortran.astype(">f4"))))
    put("npy_scalar.npy", npy(np.array(2.5)))
    put("npy_empty.npy", npy(np.zeros((3, 0, 2), np.int32)))
    put("npy_v2.npy", npy(np.arange(5, dtype=np.int16), version=(2, 0)))
    put("npy_v3.npy", npy(np.arange(5, dtype=np.int16), version=(3, 0)))
    put("npy_python2.npy", header(b"{'descr': '<i2', 'fortran_order': False, 'shape': (2L, 3L), }\n") +
        np.arange(6, dtype="<i2").tobytes())
    put("npy_odd.npy", header(b'  {"shape" :(2,3,) ,"descr":"<i2",\'fortran_order\':False}') +
        np.arange(6, dtype="<i2").tobytes() + b"trailing")
    put("npy_object.npy", npy(np.array([{}, None], dtype=object)))
    put("npy_structured.npy", npy(np.zeros(2, [("a", "<i4"), ("b", "<f8")])))
    put("npy_text.npy", npy(np.array(["ab", "c"])))
    put("npy_complex.npy", npy(np.zeros(2, np.complex64)))
    put("npy_date.npy", npy(np.zeros(2, "M8[s]")))
    put("npy_void.npy", npy(np.zeros(2, "V2")))
    put("npy_long.npy", npy(np.zeros(2, np.longdouble)))


def npzs():
    everything = {"x_train": np.arange(12, dtype=np.float32).reshape(3, 4), "y_train": np.arange(3),
                  "fortran": np.asfortranarray(np.arange(6, dtype=np.uint8).reshape(2, 3)),
                  "scalar": np.array(True)}
    for name, save in (("npz_stored.npz", np.savez), ("npz_compressed.npz", np.savez_compressed)):
        save(os.path.join(HERE, name), **everything)


def tables():
    rows = np.random.default_rng(3).normal(size=(20, 3)) * 10.0 ** np.arange(-8, 10, 6)
    np.savetxt(os.path.join(HERE, "csv_savetxt.csv"), rows, delimiter=",", header="a,b,c")
    put("csv_savetxt.npy", npy(rows))
    text = b"\xef\xbb\xbf\"first; \"\"quoted\"\"\";second;third\r\n1;-2.5e-3;\r\n;inf;\"4\"\r\n\r\n nan ;+.5;1e400\r\n"
    put("csv_excel.csv", text)
    put("csv_excel.npy", npy(np.array([[1, -2.5e-3, np.nan], [np.nan, np.inf, 4], [np.nan, .5, np.inf]])))


zips()
arrays()
npzs()
tables()
