"""Makes first_format_snappy.ckpt: first_format.ckpt with its blocks compressed, as old TensorFlows wrote them.

    python make_snappy.py           needs cramjam; writes beside itself
"""
import os
import struct

import cramjam

HERE = os.path.dirname(os.path.abspath(__file__))


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    crc ^= 0xFFFFFFFF
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def encode(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def main():
    with open(os.path.join(HERE, "first_format.ckpt"), "rb") as file:
        data = file.read()
    out = b""

    def put(block):
        nonlocal out
        where = encode(len(out))
        packed = bytes(cramjam.snappy.compress_raw(block)) + b"\1"
        out += packed + struct.pack("<I", crc32c(packed))
        return where + encode(len(packed) - 1)

    footer, at = data[-48:], 0
    handles = []
    for _ in range(4):
        number, at = varint(footer, at)
        handles.append(number)
    index = data[handles[2]:handles[2] + handles[3]]
    end = len(index) - 4 - 4 * struct.unpack("<I", index[-4:])[0]
    at, rebuilt, restarts = 0, b"", []
    while at < end:
        shared, at = varint(index, at)
        own, at = varint(index, at)
        size, at = varint(index, at)
        key, value = index[at:at + own], index[at + own:at + own + size]
        at += own + size
        offset, next_at = varint(value, 0)
        length, _ = varint(value, next_at)
        where = put(data[offset:offset + length])
        assert shared == 0
        restarts.append(len(rebuilt))
        rebuilt += encode(0) + encode(own) + encode(len(where)) + key + where
    metaindex = put(struct.pack("<II", 0, 1))
    index = put(rebuilt + b"".join(struct.pack("<I", r) for r in restarts) + struct.pack("<I", len(restarts)))
    out += (metaindex + index).ljust(40, b"\0") + struct.pack("<Q", 0xDB4775248B80FB57)
    with open(os.path.join(HERE, "first_format_snappy.ckpt"), "wb") as file:
        file.write(out)


if __name__ == "__main__":
    main()
