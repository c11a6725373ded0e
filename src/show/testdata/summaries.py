#!/usr/bin/env python3
"""Writes summaries.json: models as Keras 3's to_json() has them, and what the real model.summary() prints of each.

    python summaries.py >summaries.json      (keras 3.15.1)
"""
import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["COLUMNS"] = "300"  # else the lines are cut at the terminal's width
import keras  # noqa: E402
from keras import layers  # noqa: E402


def sequential():
    return keras.Sequential(
        [keras.Input((8, 8, 1)), layers.Conv2D(16, 3), layers.BatchNormalization(), layers.MaxPooling2D(), layers.Flatten(),
         layers.Dense(10, activation="softmax", name="a_name_that_is_rather_too_long_for_its_column")], name="digits")


def frozen():
    model = sequential()
    for layer in model.layers[:2]:
        layer.trainable = False
    return model


def unbuilt():
    return keras.Sequential([layers.Dense(3, name="first"), layers.ReLU(), layers.BatchNormalization(), layers.Dropout(0.1)], name="later")


def branches():
    x = keras.Input((8,), name="x")
    left = layers.Dense(4, name="left")(x)
    right = layers.Dense(4, name="right")(x)
    both = layers.Concatenate(name="both")([left, right])
    total = layers.Add(name="total")([both, x])
    return keras.Model(x, [layers.Dense(2, name="out")(total), both], name="branches")


def many():
    inputs = [keras.Input((3 + i,), name=f"input_number_{i}") for i in range(4)]
    joined = layers.Concatenate(name="joined")(inputs)
    return keras.Model(inputs, layers.Dense(1234, name="wide")(joined), name="many")


def shared():
    x, y = keras.Input((5,), name="x"), keras.Input((5,), name="y")
    twin = layers.Dense(3, name="twin")
    return keras.Model([x, y], layers.Add(name="both")([twin(x), twin(y)]), name="siamese")


def nested():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, name="a"), layers.Dense(4, name="b")], name="inner")
    x = keras.Input((6,), name="x")
    middle = keras.Model(x, layers.Dense(3, name="c")(inner(x)), name="middle")
    middle.trainable = False
    z, w = keras.Input((6,), name="z"), keras.Input((6,), name="w")
    return keras.Model([z, w], layers.Add(name="sum")([middle(z), middle(w)]), name="outer")


def nested_chain():
    inner = keras.Sequential([keras.Input((6,)), layers.Dense(5, name="a"), layers.Dense(4, name="b")], name="inner")
    return keras.Sequential([keras.Input((6,)), inner, layers.Dense(2, name="head")], name="chain")


def two_outputs():
    x = keras.Input((6,), name="x")
    h = layers.Dense(5, name="h")(x)
    inner = keras.Model(x, [h, layers.Dense(2, name="o")(h)], name="pair")
    z = keras.Input((6,), name="z")
    a, b = inner(z)
    return keras.Model(z, layers.Concatenate(name="join")([a, b]), name="of_pair")


def strange_names():
    x = keras.Input((4,), name="вход")
    y = layers.Dense(4, name="密集層の名前はとても長い")(x)
    return keras.Model(x, layers.Add(name="a b c [bold] name with spaces")([x, y]), name="strange")


def text_of(model, **options):
    lines = []
    model.summary(print_fn=lines.append, **options)
    return "\n".join(lines)


CASES = [sequential, frozen, unbuilt, branches, many, shared, nested, nested_chain, two_outputs, strange_names]
OPTIONS = [{}, {"line_length": 76}, {"line_length": 64, "expand_nested": True, "show_trainable": True},
           {"line_length": 133, "expand_nested": True, "show_trainable": True}, {"line_length": 41}]


def main():
    result = []
    for case in CASES:
        model = case()
        texts = [{**options, "text": text_of(model, **options)} for options in OPTIONS]
        result.append({"name": case.__name__, "model": model.to_json(), "texts": texts})
    print(json.dumps(result, ensure_ascii=False, indent=1))


main()
