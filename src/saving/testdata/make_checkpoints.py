#!/usr/bin/env python3
"""The checkpoints that the tests read: TensorFlow 2.21's Saver of both formats, and models of tf_keras 2.21 and Keras 3.15.

usage: make_checkpoints.py [FOLDER]; TensorFlow and both Kerases must be there (tests/interop/venv.sh).
"""
import os
import pathlib
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import keras
import numpy as np
import tensorflow as tf
import tf_keras

v1 = tf.compat.v1
folder = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else pathlib.Path(__file__).parent)


def spread(model):
    """Weights that tell each other apart: those of testdata.h's spread()."""
    for k, weight in enumerate(model.weights):
        weight.assign(np.cos(np.arange(np.prod(weight.shape), dtype="f") * np.float32(0.7) + np.float32(k)).reshape(weight.shape))
    return model


def savers():
    """a is [1, 2], scope/b is [[3, 4, 5]] after training state, in both formats."""
    with tf.Graph().as_default(), v1.Session() as session:
        a = v1.get_variable("a", initializer=np.array([1, 2], "f"))
        b = v1.get_variable("scope/b", initializer=np.array([[3, 4, 5]], "f"))
        step = v1.train.get_or_create_global_step()
        loss = tf.reduce_sum(a) * tf.reduce_sum(b)
        v1.train.AdamOptimizer(0.0).minimize(loss, global_step=step)
        session.run(v1.global_variables_initializer())
        v1.train.Saver().save(session, str(folder / "saver_v2"), write_meta_graph=False, write_state=False)
        v1.train.Saver(write_version=v1.train.SaverDef.V1).save(session, str(folder / "saver_v1"), write_meta_graph=False, write_state=False)


def layers(kind):
    """Depthwise: its kernel has another name in each Keras; a model inside."""
    inner = kind.Sequential([kind.layers.Dense(2, name="d")], name="inner")
    x = kind.layers.Input((4, 4, 2), name="x")
    y = kind.layers.DepthwiseConv2D(2, name="deep")(x)
    y = kind.layers.BatchNormalization(name="bn")(y)
    return spread(kind.Model(x, inner(kind.layers.Flatten(name="f")(y))))


def train(model):
    """Two steps of Adam with a rate of its own, so that slots, steps and rate show."""
    kind = tf_keras if isinstance(model, tf_keras.Model) else keras
    model.compile(kind.optimizers.Adam(0.0123), "mse")
    x, y = np.ones((4, 4, 4, 2), "f"), np.ones((4, 2), "f")
    for _ in range(2):
        model.train_on_batch(x, y)
    return model


def next_losses(model):
    x, y = np.ones((4, 4, 4, 2), "f"), np.ones((4, 2), "f")
    return np.array([float(np.ravel(model.train_on_batch(x, y))[0]) for _ in range(2)], "f")


def main():
    savers()
    x = np.cos(np.arange(32, dtype="f") * np.float32(0.3)).reshape(1, 4, 4, 2)
    arrays = {"x": x}
    for era, kind in (("k2", tf_keras), ("k3", keras)):
        model = layers(kind)
        arrays[f"{era}_y"] = model(x).numpy()
        model = train(model)
        if era == "k2":
            model.save_weights(str(folder / "checkpoint_k2"))
        else:
            tf.train.Checkpoint(model=model).write(str(folder / "checkpoint_k3"))
        arrays[f"{era}_trained"] = model(x).numpy()
        arrays[f"{era}_losses"] = next_losses(model)
    np.savez(folder / "checkpoints.npz", **arrays)
    (folder / "checkpoint").unlink(missing_ok=True)


if __name__ == "__main__":
    main()
