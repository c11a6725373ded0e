#!/usr/bin/env python3
"""Writes seeds of saved_model_load_fuzz: SavedModels of TensorFlow without variables, whose functions branch, choose, loop and call
others. What names the machine or is only for debugging is taken out.

    "$(tests/interop/venv.sh)" src/saving/testdata/make_function_seeds.py
"""
import os
import pathlib
import tempfile

os.environ.update(TF_CPP_MIN_LOG_LEVEL="3", TF_ENABLE_ONEDNN_OPTS="0", CUDA_VISIBLE_DEVICES="")
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

SEEDS = pathlib.Path(__file__).resolve().parents[3] / "tests/fuzz/saved_model_load_fuzz"
ROWS = tf.TensorSpec([None, 3], tf.float32)
twice = tf.function(lambda a: tf.nn.relu(a) * 2.0, autograph=False)


def branches(a):
    return {"y": tf.cond(tf.reduce_sum(a) > 0, lambda: twice(a), lambda: a - 1.0)}


def cases(a):
    bodies = [lambda: a, lambda: twice(a), lambda: tf.transpose(tf.transpose(a))]
    return {"y": tf.switch_case(tf.cast(tf.reduce_sum(a), tf.int32), bodies)}


def loops(a):
    def body(i, b):
        return i + 1, tf.matmul(b, tf.eye(3)) + tf.cast(i, tf.float32)

    shapes = [tf.TensorShape([]), ROWS.shape]
    return {"y": tf.while_loop(lambda i, b: i < 3, body, [0, a], shape_invariants=shapes)[1]}


def several(a, b):
    c, d = tf.split(a, [1, 2], 1)
    return {"y": tf.concat([d, c, twice(b)], 1), "z": tf.argmax(b, 1) + tf.constant([1], tf.int64)}


def seed(body, count):
    module = tf.Module()
    module.f = tf.function(body, input_signature=[ROWS] * count, autograph=False)
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures=module.f)
        with open(folder + "/saved_model.pb", "rb") as file:
            model = saved_model_pb2.SavedModel.FromString(file.read())
    graph = model.meta_graphs[0]
    graph.meta_info_def.ClearField("stripped_op_list")
    for function in graph.graph_def.library.function:
        function.attr.clear()
        for node in function.node_def:
            node.ClearField("experimental_debug_info")
            for name in {"config_proto", "config", "executor_type"} & set(node.attr):
                del node.attr[name]
    return model.SerializeToString(deterministic=True)


for body, count in [(branches, 1), (cases, 1), (loops, 1), (several, 2)]:
    (SEEDS / body.__name__).write_bytes(seed(body, count))
