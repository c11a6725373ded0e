#!/usr/bin/env python3
"""Models that optimizers of Keras up to 2.10 trained (tf_keras.optimizers.legacy of tf_keras 2.21 writes what those wrote): for each
optimizer a checkpoint legacy_NAME and (but for Nadam) a model legacy_NAME.h5 after three steps, and in legacy_optimizers.npz the losses of the next two.

usage: make_legacy_optimizers.py [FOLDER]; TensorFlow and tf_keras must be there (tests/interop/venv.sh).
"""
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tf_keras
from tf_keras.optimizers import legacy

folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)
OPTIMIZERS = {
    "sgd": lambda: legacy.SGD(0.05, momentum=0.9),
    "adam": lambda: legacy.Adam(0.05, amsgrad=True),
    "rmsprop": lambda: legacy.RMSprop(0.05, momentum=0.5, centered=True),
    "adagrad": lambda: legacy.Adagrad(0.05),
    "adadelta": lambda: legacy.Adadelta(0.5),
    "adamax": lambda: legacy.Adamax(0.05),
    "nadam": lambda: legacy.Nadam(0.05),
    "ftrl": lambda: legacy.Ftrl(0.05),
}


def waves(shape, step):
    return np.cos(np.arange(np.prod(shape), dtype="f") * np.float32(step)).reshape(shape)


def main():
    losses = {}
    x, y = waves((4, 3), 0.3), waves((4, 1), 0.5)
    for name, make in OPTIMIZERS.items():
        tf_keras.backend.clear_session()
        model = tf_keras.Sequential([tf_keras.layers.Dense(2, input_shape=(3,)), tf_keras.layers.Dense(1)])
        for k, weight in enumerate(model.weights):
            weight.assign(waves(weight.shape, 0.7) + np.float32(k))
        model.compile(make(), "mse")
        for _ in range(3):
            model.train_on_batch(x, y)
        model.save_weights(str(folder / f"legacy_{name}"))
        if name != "nadam":  # whose file no other Keras goes on from: its momentum follows another schedule
            model.save(folder / f"legacy_{name}.h5")
        losses[name] = np.array([float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(2)], "f")
    np.savez(folder / "legacy_optimizers.npz", **losses)
    (folder / "checkpoint").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
