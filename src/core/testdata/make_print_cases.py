"""Makes print_cases.json: arrays, and what the real numpy's str() gives for them.

One case a line: the dtype, the shape, the elements' bytes in hexadecimal (taken again from the first when there are fewer than
the shape has), the text.    python make_print_cases.py > print_cases.json    (numpy 2 and ml_dtypes)
With a seed and a number of cases it makes that many random ones instead, for a longer comparison.
"""
import json
import random
import sys
import zlib

import ml_dtypes
import numpy as np

np.seterr(all="ignore")
TYPES = {"float32": np.float32, "float64": np.float64, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16,
         "int32": np.int32, "int64": np.int64, "uint8": np.uint8, "bool": np.bool_}
FLOATS = ("float32", "float64", "float16", "bfloat16")


def case(dtype, shape, values):
    elements = np.asarray(values).astype(TYPES[dtype]).ravel()
    return {"dtype": dtype, "shape": list(shape), "data": elements.tobytes().hex(), "text": str(np.resize(elements, shape))}


def vector(dtype, values):
    return case(dtype, (len(values),), values)


def scalars():
    for dtype in FLOATS:
        for value in (0, -0.0, 1, -1, 0.1, 1 / 3, -2.5, 1e-4, 9.9e-5, 1e-5, 123.456, 999, 1000, 1001, 65504, 999999, 1e6,
                      1234567, 16777216, 1e15, 1e16, 1.5e16, 1e22, 1e-45, 5e-324, 1e300, 6e-8, np.nan, np.inf, -np.inf):
            yield case(dtype, (), [value])
    for value in (0, 7, -7, 2**31 - 1, -2**31):
        yield case("int32", (), [value])
    yield case("int64", (), [-2**63])
    yield case("uint8", (), [255])
    yield case("bool", (), [True])
    yield case("bool", (), [False])


def float_vectors():
    rows = ([1, 2, 3], [1.5, 2, 3.25], [-1, 1], [-0.0, 0], [0, 0], [0.1, 0.25, 100], [1e-5, 1], [1e-4, 0.5], [1e-3, 1], [1, 1000],
            [1, 1001], [0.001, 1.001], [0.5, 500.5], [99999999, 1], [999999, 999], [1e8, 1e7], [1e6, 2e6], [1e3, 2e3],
            [np.nan], [np.nan, 1], [np.inf, 1.5], [-np.inf, 1.5], [np.nan, -np.inf, np.inf], [np.inf, 123.25, -7], [-np.inf, 123.25],
            [np.nan, 1e10, -1e-10], [-np.inf, 1e10], [np.inf, 0, -0.0], [1e-300, 1e300], [1e100, 1], [1e-45, 1], [6e-8, 6e4],
            [1 / 3, 2 / 3, 1], [1 / 3, 200 / 3], [1e-5, 1.2345678e-5], [0.123456785, 0.5], [0.123456775], [0.999999995], [9.999999995],
            [99.999999999], [2 / 3 * 1e7, 2 / 3 * 1e5], [1.23456789012345e-7], [-1.5e-7, 3e8], [0, 1e-10], [0, 1e10], [0.3, 1e9],
            [12345678.9, 98765432.1], [0.1 + 0.2, 0.3], [1e22, 1e23], [16777216, 16777217], [1.1, 22.22, 333.333], [5e-5, 0, -5e-5],
            [100, 10, 0.0625], [1e7, 1e4], [3, 3000], [0.000101, 0.0999], [2048, 2.5], [1.0009765625, 1])
    for dtype in FLOATS:
        for row in rows:
            yield vector(dtype, row)


def shapes():
    for dtype in ("float32", "int32", "bool", "bfloat16"):
        for shape in ((1,), (1, 1), (2, 3), (3, 2), (2, 2, 2), (2, 1, 3, 1), (1, 2, 1, 2, 1), (1, 1, 1, 1, 1, 1, 1, 1), (4, 1)):
            yield case(dtype, shape, [1, -2.5, 0, 40, 0.125] if dtype in FLOATS else [1, 0, -30] if dtype == "int32" else [1, 0, 0])
    for shape in ((0,), (0, 3), (3, 0), (2, 0, 2)):
        yield case("float32", shape, [])
    for dtype in TYPES:
        for shape in ((30,), (100,), (3, 40), (2, 2, 25), (2, 2, 2, 21)):
            values = [0.5, 1.25, -3, 1000.5, 7] if dtype in FLOATS else [0, 3, 200, 41]
            yield case(dtype, shape, values)
    for width in range(1, 12):  # every place of the line's end
        yield case("int64", (40,), [10**width, 1])
        yield case("int64", (2, 2, 20), [10**width, 1])
    yield case("int64", (5,), [-2**63, 2**63 - 1, 0, 1, -1])
    yield case("float64", (10,), [1e-300, -1 / 3, np.nan])
    yield case("float64", (12,), [1, 1e-8 / 3, -np.inf])


def summaries():
    for shape in ((1000,), (1001,), (2000,), (40, 40), (6, 200), (7, 200), (200, 6), (200, 7), (1001, 1), (1, 1001), (12, 11, 10),
                  (4, 5, 60), (500, 2, 1), (2, 3, 2, 2, 99), (2, 7, 1, 100)):
        yield case("int32", shape, range(0, 1200, 41))
    for shape in ((1500,), (40, 40), (8, 9, 20), (2, 2, 2, 2, 80)):
        yield case("float32", shape, [1, 2.5, 300, -4.125, 0, 6, 7.75])
    yield case("float32", (1500,), [1] * 3 + [1e9] + [2] * 8)  # what is not shown does not count
    yield case("bool", (2000,), [1, 0, 0])
    yield case("bfloat16", (30, 40), [1, 2.5, 1e-3, 1e10])
    yield case("float64", (3, 1200), [1e-12, 1 / 3, -7e5])
    yield case("uint8", (50, 50, 3), [0, 255, 7])


def random_case(pick):
    dtype = pick.choice(list(TYPES))
    rank = pick.choice((0, 1, 1, 1, 2, 2, 3, 4))
    shape = [pick.choice((1, 2, 3, 5, 8, 20)) if rank > 1 else pick.choice((1, 2, 5, 17, 50)) for _ in range(rank)]
    count = pick.randint(1, 12)
    if dtype not in FLOATS:
        return case(dtype, shape, [pick.randint(0, 1 << pick.randint(0, 30)) for _ in range(count)])
    if pick.random() < 0.2:  # any bits
        kind = np.dtype(TYPES[dtype])
        return case(dtype, shape, np.frombuffer(pick.randbytes(count * kind.itemsize), kind))
    low, high = sorted((pick.uniform(-9, 9), pick.uniform(-9, 9)))
    if pick.random() < 0.5:
        low, high = pick.uniform(-2, 0), pick.uniform(0, 3)
    values = [pick.choice((1, 1, 1, -1)) * 10 ** pick.uniform(low, high) for _ in range(count)]
    digits = pick.choice((None, 0, 1, 2, 3, 5, 8))
    if digits is not None:
        values = [round(value, digits) for value in values]
    values += pick.choice(([], [], [], [0.0], [-0.0], [np.nan], [np.inf], [-np.inf], [np.nan, -np.inf]))
    return case(dtype, shape, values)


def all_float16():
    """A sum of the texts of all float16 numbers, each with a newline."""
    every = np.arange(1 << 16).astype(np.uint16).view(np.float16)
    return zlib.crc32("".join(str(x) + "\n" for x in every).encode())


def main():
    if len(sys.argv) == 3:
        pick = random.Random(int(sys.argv[1]))
        cases = [random_case(pick) for _ in range(int(sys.argv[2]))]
    else:
        pick = random.Random(75)
        cases = [*scalars(), *float_vectors(), *shapes(), *summaries(), *(random_case(pick) for _ in range(100))]
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    print(f'{{"numpy":"{np.__version__}","all_float16":{all_float16()},"cases":[\n{lines}\n]}}')


main()
