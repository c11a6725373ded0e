#!/usr/bin/env python3
"""Writes digits.npz next to this file: 1797 handwritten digits, 8x8 pixels.

Needs numpy and scikit-learn, which carries the data. The file is the same byte
for byte at every run (with the same zlib).
"""

import pathlib

import numpy as np
from sklearn.datasets import load_digits

SEED = 1797
TEST_PER_DIGIT = 36  # 360 of 1797 images are held out


def split(labels, rng):
    """Row numbers of the training and the test part, each in random order."""
    order = rng.permutation(len(labels))
    test = np.concatenate(
        [order[labels[order] == digit][:TEST_PER_DIGIT] for digit in range(10)])
    train = order[~np.isin(order, test)]
    return train, rng.permutation(test)


def main():
    digits = load_digits()
    images = digits.images.astype(np.uint8)[..., np.newaxis]
    labels = digits.target.astype(np.uint8)
    assert np.array_equal(images[..., 0], digits.images)  # nothing was rounded

    # RandomState's numbers are frozen, those of default_rng() may change
    train, test = split(labels, np.random.RandomState(SEED))
    assert len(train) == 1437 and len(test) == 360
    assert len(np.union1d(train, test)) == len(labels)

    path = pathlib.Path(__file__).with_name("digits.npz")
    np.savez_compressed(path,
                        x_train=images[train], y_train=labels[train],
                        x_test=images[test], y_test=labels[test])
    print(f"{path.name}: {len(train)} + {len(test)} images,"
          f" {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
