#!/usr/bin/env python3
"""Writes pretrained.h5 next to this file: a small Keras 2 model that knows the
digits 0 to 4 and has never seen the others.

  make_pretrained.py           trains and writes the model
  make_pretrained.py --check   looks at the file that is there: Keras 3 must
                               refuse it, and a new ten-digit head on its frozen
                               features must do well, in Keras 2, for any seed

Runs real Keras 2 (the package tf_keras). tests/interop/venv.sh makes a Python
environment that has all of it:

  "$(tests/interop/venv.sh)" examples/digits/make_pretrained.py

On one machine the file comes out the same every time; another processor may
round differently.
"""

import os
import pathlib
import sys
import warnings

os.environ["TF_USE_LEGACY_KERAS"] = "1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"  # plain kernels: fewer ways to round
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf
import tf_keras
from tf_keras import layers

HERE = pathlib.Path(__file__).parent
MODEL = HERE / "pretrained.h5"
SEED = 4
EPOCHS = 40
BATCH = 32
KNOWN = 5  # the digits below this one

# Keras 2 says at every save that .h5 is the old format; here that is the point.
warnings.filterwarnings("ignore", message=".*saving your model as an HDF5 file.*")


def load_digits():
    with np.load(HERE / "digits.npz") as data:
        return ((data["x_train"].astype("float32"), data["y_train"]),
                (data["x_test"].astype("float32"), data["y_test"]))


def known_only(images, labels):
    rows = labels < KNOWN
    return images[rows], labels[rows]


def compile_model(model, rate):
    model.compile(optimizer=tf_keras.optimizers.Adam(rate),
                  loss="sparse_categorical_crossentropy",
                  metrics=["accuracy"])


def build():
    """Names are left to Keras, as most files in the wild have them."""
    return tf_keras.Sequential([
        layers.Input((8, 8, 1)),
        layers.Rescaling(1 / 16),
        layers.Conv2D(24, 3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.ReLU(),
        layers.DepthwiseConv2D(3, padding="same", use_bias=False),
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dropout(0.25),
        layers.Dense(KNOWN, activation="softmax"),
    ])


def make():
    train, test = load_digits()
    tf_keras.utils.set_random_seed(SEED)
    model = build()
    compile_model(model, 1e-3)
    model.summary()
    model.fit(*known_only(*train), batch_size=BATCH, epochs=EPOCHS, verbose=0)
    model.save(MODEL)
    print(f"{MODEL.name}: {MODEL.stat().st_size} bytes")


def check():
    train, test = load_digits()
    model = tf_keras.models.load_model(MODEL)
    model_accuracy = model.evaluate(*known_only(*test), verbose=0)[1]
    print(f"digits 0-4, held out: accuracy {model_accuracy:.4f}")
    good = model_accuracy >= 0.98

    import keras
    try:
        keras.models.load_model(MODEL, compile=False)
    except Exception as error:
        print(f"Keras {keras.__version__} refuses the file:"
              f" {type(error).__name__}: {error}")
    else:
        print(f"Keras {keras.__version__} opens the file, which it should not")
        good = False

    for rate, epochs in ((1e-3, 10), (3e-3, 5), (1e-2, 5)):
        scores = []
        for seed in range(8):
            tf_keras.utils.set_random_seed(seed)
            known = tf_keras.models.load_model(MODEL)
            base = tf_keras.Model(known.input, known.layers[-2].output)
            base.trainable = False
            frozen = [w.copy() for w in base.get_weights()]
            head = layers.Dense(10, activation="softmax", name="new_dense")
            extended = tf_keras.Sequential([base, head])
            compile_model(extended, rate)
            extended.fit(*train, batch_size=BATCH, epochs=epochs, verbose=0)
            scores.append(extended.evaluate(*test, verbose=0)[1])
            assert all(map(np.array_equal, frozen, base.get_weights()))
        print(f"ten digits, new head, Adam({rate:g}), {epochs} epochs, held out:",
              *(f"{score:.4f}" for score in scores))
        good = good and min(scores) >= 0.95
    return good


def main():
    tf.config.experimental.enable_op_determinism()
    print(f"Keras 2: tf_keras {tf_keras.__version__}, TensorFlow {tf.__version__}")
    if sys.argv[1:] == []:
        make()
    elif sys.argv[1:] != ["--check"]:
        sys.exit("usage: make_pretrained.py [--check]")
    if not check():
        sys.exit("make_pretrained.py: the file is not what it should be")


if __name__ == "__main__":
    main()
