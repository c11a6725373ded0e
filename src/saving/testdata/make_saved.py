#!/usr/bin/env python3
"""Writes this folder's files with the real Keras 3 and Keras 2 (tf_keras): models and weights in every format, the inputs and
outputs to compare with (outputs.npz), and variants of files as other versions and systems have written them.

    "$(tests/interop/venv.sh)" src/saving/testdata/make_saved.py
"""
import os
import pathlib
import zipfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
import h5py
import keras
import numpy as np
import tf_keras as keras2

HERE = pathlib.Path(__file__).resolve().parent
X = np.linspace(-1, 1, 12, dtype="float32").reshape(3, 4)
outputs = {"x": X}


def spread(model):
    """Weights that tell each other apart, whatever the library's random numbers are."""
    weights = enumerate(model.get_weights())
    model.set_weights([np.cos(np.arange(w.size, dtype="float32") * 0.7 + k).reshape(w.shape) for k, w in weights])


def plain(k):
    layers = k.layers
    model = k.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu", name="hidden"), layers.Dense(2, name="out")], name="plain")
    spread(model)
    return model


def nested(k):
    """A model called twice inside another, and one inside that one; two inputs, two outputs."""
    layers = k.layers
    inner_in = layers.Input((3,))
    inner = k.Model(inner_in, layers.Dense(3, name="deep")(inner_in), name="inner")
    base = k.Sequential([layers.Input((4,)), layers.Dense(3, activation="relu", name="dense"), inner], name="base")
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    first, second = base(a), base(b)
    out = layers.Dense(2, name="dense")(layers.Add()([first, second]))
    model = k.Model([a, b], [out, second], name="nested")
    spread(model)
    return model


def ends(k):
    """A functional model inside another, whose calls are the outer one's outputs."""
    layers = k.layers
    inner_in = layers.Input((4,))
    inner = k.Model(inner_in, layers.Dense(2, name="deep")(inner_in), name="inner")
    a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
    first, second = inner(a), inner(b)
    model = k.Model([a, b], [second, first], name="ends")
    spread(model)
    return model


def frozen(k):
    """A normalisation that is not trainable."""
    layers = k.layers
    model = k.Sequential([layers.Input((4,)), layers.BatchNormalization(name="bn"), layers.Dense(2, name="out")], name="bn_model")
    spread(model)
    model.layers[0].set_weights([w * w + 0.5 for w in model.layers[0].get_weights()])
    model.layers[0].trainable = False
    return model


def compiled(k):
    model = plain(k)
    model.compile(optimizer=k.optimizers.Adam(0.01), loss="mean_squared_error", metrics=["accuracy"])
    y = np.linspace(0, 1, 6, dtype="float32").reshape(3, 2)
    for _ in range(3):
        model.train_on_batch(X, y)
    return model, y


def strip_date(path):
    """The same bytes every time: a fixed date in the archive's metadata."""
    with zipfile.ZipFile(path) as z:
        members = {n: z.read(n) for n in z.namelist()}
    members["metadata.json"] = b'{"keras_version": "3.15.1", "date_saved": "2026-01-01@00:00:00"}'
    with zipfile.ZipFile(path, "w") as z:
        for name, data in members.items():
            z.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data)


def save_all(name, make, n_inputs=1):
    for era, k in (("k3", keras), ("k2", keras2)):
        k.backend.clear_session()
        model = make(k)
        x = X if n_inputs == 1 else [X, X[::-1].copy()]
        y = model.predict(x, verbose=0)
        for i, part in enumerate(y if isinstance(y, list) else [y]):
            outputs[f"{name}_{i}"] = part
        model.save(HERE / f"{name}_{era}.h5")
        if era == "k3":
            model.save(HERE / f"{name}.keras")
            strip_date(HERE / f"{name}.keras")
            model.save_weights(HERE / f"{name}.weights.h5")
        elif name == "plain":
            model.save_weights(str(HERE / f"{name}_k2_weights.h5"))


def copy_group(old, new, rename):
    for key, item in old.items():
        if isinstance(item, h5py.Dataset):
            new[key] = item[()]
        else:
            copy_group(item, new.create_group(rename(key)), rename)


def variants():
    """Keras 2.13's name for lists; Windows's separators; a compressed archive."""
    with h5py.File(HERE / "plain.weights.h5") as f, h5py.File(HERE / "plain_2_13.weights.h5", "w") as g:
        copy_group(f, g, lambda name: "_layer_checkpoint_dependencies" if name == "layers" else name)
    with h5py.File(HERE / "plain.weights.h5") as f, h5py.File(HERE / "plain_windows.weights.h5", "w") as g:
        for name in f["layers"]:
            copy_group(f["layers"][name], g.create_group("layers\\" + name), str)
        g.create_group("vars")
    with zipfile.ZipFile(HERE / "plain.keras") as z, zipfile.ZipFile(HERE / "plain_compressed.keras", "w", zipfile.ZIP_DEFLATED) as d:
        for name in z.namelist():
            d.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), z.read(name), zipfile.ZIP_DEFLATED)


def trained():
    for era, k in (("k3", keras), ("k2", keras2)):
        k.backend.clear_session()
        model, y = compiled(k)
        if era == "k3":  # before the .h5, which takes the optimizer out of the config that is saved next
            model.save(HERE / "trained.keras")
            strip_date(HERE / "trained.keras")
        model.save(HERE / f"trained_{era}.h5")
        losses = [model.train_on_batch(X, y) for _ in range(3)]
        outputs[f"trained_losses_{era}"] = np.array([l[0] for l in losses], "float32")
        outputs["trained_y"] = y
        outputs[f"trained_rate_{era}"] = np.array(0.01, "float32")


def main():
    save_all("plain", plain)
    save_all("nested", nested, 2)
    save_all("ends", ends, 2)
    save_all("bn", frozen)
    trained()
    variants()
    np.savez(HERE / "outputs.npz", **outputs)
    for path in sorted(HERE.iterdir()):
        print(path.name, path.stat().st_size)


main()
