#!/usr/bin/env python3
"""Writes the files of mixed_test.c with the real Keras 2 (tf_keras) and Keras 3: models of mixed dtype policies that were trained with
a LossScaleOptimizer, what they give, and the losses of the steps that followed (mixed.npz).

    "$(tests/interop/venv.sh)" src/saving/testdata/make_mixed.py
"""
import os
import pathlib
import zipfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
import keras
import numpy as np
import tf_keras as keras2

HERE = pathlib.Path(__file__).resolve().parent
X = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
Y = np.cos(np.arange(6, dtype="float32")).reshape(3, 2)
outputs = {"x": X, "y": Y}


def strip_date(path):
    with zipfile.ZipFile(path) as z:
        members = {name: z.read(name) for name in z.namelist()}
    members["metadata.json"] = members["metadata.json"].split(b'"date_saved"')[0].rstrip(b", ") + b', "date_saved": "2026-01-01@00:00:00"}'
    with zipfile.ZipFile(path, "w") as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def spread(model):
    weights = enumerate(model.get_weights())
    model.set_weights([np.cos(np.arange(w.size, dtype="float32") * 0.7 + k).reshape(w.shape) for k, w in weights])


def trained(k):
    layers = k.layers
    model = k.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu", name="hidden"),
                          layers.Dense(2, dtype="float32", name="out")], name="mixed")
    spread(model)
    model.compile(k.optimizers.Adam(0.01), k.losses.MeanSquaredError())
    for _ in range(3):
        model.train_on_batch(X, Y)
    return model


def loss(model):
    model.reset_metrics()
    return np.ravel(model.train_on_batch(X, Y))[0]


def main():
    for era, k in (("k3", keras), ("k2", keras2)):
        k.mixed_precision.set_global_policy("mixed_float16")
        model = trained(k)
        model.save(HERE / f"mixed_{era}.keras")
        strip_date(HERE / f"mixed_{era}.keras")
        model.save(HERE / f"mixed_{era}.h5")
        outputs[f"output_{era}"] = model.predict(X, verbose=0)
        outputs[f"losses_{era}"] = np.array([loss(model) for _ in range(3)], "float32")
        if era == "k3":
            outputs["counter"] = np.asarray(model.optimizer.step_counter) - 3
    keras.mixed_precision.set_global_policy("bfloat16")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2, name="out")], name="half")
    spread(model)
    model.save(HERE / "bfloat16_k3.keras")
    strip_date(HERE / "bfloat16_k3.keras")
    model.save(HERE / "bfloat16_k3.h5")  # which Keras itself cannot open
    outputs["bfloat16_kernel"] = np.asarray(model.weights[0]).astype("float32")
    np.savez(HERE / "mixed.npz", **outputs)


main()
