"""Makes numbers.txt: what Python's repr gives for awkward numbers, with NumPy's digits for a float32.

One number a line: `d` or `f`, its bits in hexadecimal, its text.   python make_numbers.py > numbers.txt
"""
import random
import struct
import sys

import numpy as np

random.seed(20)


def double(bits):
    return struct.unpack("<d", struct.pack("<Q", bits))[0]


def single(bits):
    return np.frombuffer(struct.pack("<I", bits), np.float32)[0]


def doubles():
    yield from (0x0, 0x8000000000000000, 0x1, 0x2, 0x000FFFFFFFFFFFFF, 0x0010000000000000)
    yield from (0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0xFFF0000000000000, 0x7FF8000000000000)
    for value in (1.0, -1.0, 0.1, 0.2 + 0.1, 1e-3, 1e-4, 9.999e-5, 1e-5, 1e-7, 123456.0, 1e15, 9.5e15,
                  1234567890123456.125, 1e16, 1.5e16, 1e22, 1e23, 5e-324, 2.0 ** 53, 2.0 ** 53 + 2,
                  9007199254740993.0, 1 / 3, 100.0, 1e100, 1.7976931348623157e308, 2.5, 0.001, 0.9999):
        yield struct.unpack("<Q", struct.pack("<d", value))[0]
    yield from (exponent << 52 for exponent in range(1, 2047, 9))  # powers of two: uneven neighbours
    yield from (1 << bit for bit in range(0, 52, 5))  # subnormal ones
    for _ in range(150):
        yield random.getrandbits(64)
    for _ in range(100):  # few digits
        value = random.randint(1, 10 ** random.randint(1, 17)) * 10.0 ** random.randint(-20, 20)
        yield struct.unpack("<Q", struct.pack("<d", value))[0]


def singles():
    yield from (0x0, 0x80000000, 0x1, 0x007FFFFF, 0x00800000, 0x7F7FFFFF, 0x7F800000, 0x7FC00000)
    for value in (1.0, 0.1, 1e-3, 1e-4, 9.9e-5, 1e-7, 16777216.0, 16777218.0, 3e15, 9e15, 1e16, 1 / 3, 0.9999):
        yield int(np.float32(value).view(np.uint32))
    yield from (exponent << 23 for exponent in range(1, 255, 2))
    for _ in range(150):
        yield random.getrandbits(32)


def main(out):
    for bits in doubles():
        out.write(f"d {bits:016x} {double(bits)!r}\n")
    for bits in singles():
        # NumPy finds the digits; where it changes to exponents differs by version, so Python lays them out.
        out.write(f"f {bits:08x} {float(str(single(bits)))!r}\n")


main(sys.stdout)
