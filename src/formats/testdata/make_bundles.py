"""Makes the small checkpoints and SavedModels that the tests of bundle, table, protobuf and their kin read.

    python make_bundles.py          needs TensorFlow and tf_keras; writes beside itself

bundle_*.index and .data-*, first_format.ckpt, checkpoint_state_*.txt, *.pb: all from TensorFlow itself.
"""
import os
import shutil
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
import numpy as np
import tensorflow as tf
import tf_keras
from tensorflow.core.framework import attr_value_pb2, function_pb2, graph_pb2
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.checkpoint import checkpoint_management

HERE = os.path.dirname(os.path.abspath(__file__))
v1 = tf.compat.v1
raw = tf.raw_ops


def path(name):
    return os.path.join(HERE, name)


def save(prefix, tensors, slices=None):
    names = sorted(tensors)
    raw.SaveV2(prefix=prefix, tensor_names=names, shape_and_slices=slices or [""] * len(names),
               tensors=[tensors[name] for name in names])


def numbers(dtype):
    if dtype == tf.bool:
        return tf.constant([True, False, True])
    return tf.cast(tf.constant([1, 2, 3]), dtype)


def plain():
    tensors = {"dtype/" + d.name: numbers(d) for d in (
        tf.float32, tf.float64, tf.int32, tf.uint8, tf.int16, tf.int8, tf.int64, tf.bool, tf.bfloat16,
        tf.uint16, tf.float16, tf.uint32, tf.uint64, tf.complex64, tf.complex128)}
    tensors["empty"] = tf.zeros((0, 4))
    tensors["scalar"] = tf.constant(2.5)
    tensors["matrix"] = tf.reshape(tf.range(6, dtype=tf.float32), (2, 3))
    tensors["texts"] = tf.constant([[b"one", b""], [b"x" * 200, b"\0\xff"]])
    tensors["no_texts"] = tf.zeros((0,), tf.string)
    save(path("bundle_plain"), tensors)


def shards(folder):
    save(folder + "/a", {"x": tf.constant([1.0, 2.0]), "z": tf.constant([b"second"])})
    save(folder + "/b", {"y": tf.constant([3, 4, 5])})
    raw.MergeV2Checkpoints(checkpoint_prefixes=[folder + "/a", folder + "/b"],
                           destination_prefix=path("bundle_shards"), delete_old_dirs=False)


SLICES = ["400 7 0,200:-", "400 7 200,100:0,3", "400 7 200,100:3,4", "400 7 300,100:0,7"]


def sliced(folder):
    """A name with bytes that keys escape, and places of one, two and three bytes."""
    whole = np.arange(2800, dtype=np.float32).reshape(400, 7)
    parts = [whole[:200], whole[200:300, :3], whole[200:300, 3:], whole[300:]]
    wide = np.arange(20000, dtype=np.uint8)[None]
    names = ["part/\u00e9"] * 4 + ["wide"] * 3 + ["whole"]
    specs = SLICES + ["1 20000 -:0,64", "1 20000 -:64,9000", "1 20000 -:9064,10936", ""]
    tensors = parts + [wide[:, :64], wide[:, 64:9064], wide[:, 9064:], np.float32([7])]
    for i in range(4):  # one bundle a slice of `part`, as ops that save take a name once
        use = [i] + ([4 + i] if i < 3 else [7])
        raw.SaveV2(prefix=folder + "/%d" % i, tensor_names=[names[k] for k in use],
                   shape_and_slices=[specs[k] for k in use], tensors=[tf.constant(tensors[k]) for k in use])
    raw.MergeV2Checkpoints(checkpoint_prefixes=[folder + "/%d" % i for i in range(4)],
                           destination_prefix=path("bundle_sliced"), delete_old_dirs=False)


class Pair(tf.Module):
    def __init__(self):
        super().__init__()
        self.first = tf.Variable([1.0, 2.0], name="first")
        self.rows = [tf.Variable(3, name="row"), tf.Variable(b"text", name="text", dtype=tf.string)]
        self.table = {"a/b": tf.Variable(1.5, name="inside"), "c.d": tf.Variable(2.5, name="dotted")}


def objects(folder):
    optimizer = tf_keras.optimizers.legacy.SGD(0.5, momentum=0.9)
    pair = Pair()
    optimizer.apply_gradients([(tf.constant([1.0, 1.0]), pair.first)])
    checkpoint = tf.train.Checkpoint(model=pair, optimizer=optimizer)
    checkpoint.write(folder + "/objects")
    for ending in (".index", ".data-00000-of-00001"):
        shutil.copy(folder + "/objects" + ending, path("bundle_objects" + ending))


def first_format():
    with tf.Graph().as_default(), v1.Session() as session:
        names = ["half", "numbers", "part", "part", "scalar", "texts", "wide"]
        part = np.arange(12, dtype=np.int64).reshape(4, 3)
        data = [np.float16([1.5, -2]), np.arange(600, dtype=np.float32), part[:3], part[3:],
                np.float64(2.5), np.array([b"a", b"bcd"]), np.zeros((50, 50), np.int32)]
        specs = ["", "", "4 3 0,3:-", "4 3 3,1:-", "", "", ""]
        session.run(raw.SaveSlices(filename=path("first_format.ckpt"), tensor_names=names,
                                   shapes_and_slices=specs, data=[tf.constant(x) for x in data]))


def state(folder):
    for name, last in (("ckpt-1", None), ("\u00e9 \"q'\\\t\n\x01-2", 1e-7)):
        checkpoint_management.update_checkpoint_state_internal(
            folder, name, all_model_checkpoint_paths=["/abs/ckpt-0", name], latest_filename="state",
            all_model_checkpoint_timestamps=[1764423000.123456, 2.0], last_preserved_timestamp=last)
        shutil.copy(folder + "/state", path("checkpoint_state_%d.txt" % (2 if last else 1)))


def attributes():
    """Every kind of attribute, and functions."""
    graph = graph_pb2.GraphDef()
    node = graph.node.add(name="n", op="Every", input=["a", "b:1", "^c"], device="/cpu:0")
    attr = node.attr
    attr["s"].s = b"bytes\0\xff"
    attr["i"].i = -5
    attr["f"].f = 0.0
    attr["b"].b = False
    attr["type"].type = tf.float32.as_datatype_enum
    attr["shape"].shape.CopyFrom(tf.TensorShape([None, 3]).as_proto())
    attr["unknown"].shape.unknown_rank = True
    attr["tensor"].tensor.CopyFrom(tf.make_tensor_proto([[1.0, 2.0], [3.0, 4.0]]))
    attr["fill"].tensor.CopyFrom(tf.make_tensor_proto(7, tf.int64, [2, 3]))
    attr["texts"].tensor.CopyFrom(tf.make_tensor_proto([b"ab", b""]))
    attr["none"].list.SetInParent()
    attr["list"].list.i.extend([1, -1, 1 << 40])
    attr["list"].list.f.extend([0.5, 0.0])
    attr["list"].list.b.extend([True, False])
    attr["list"].list.s.extend([b"x", b""])
    attr["list"].list.type.extend([1, 3])
    attr["list"].list.shape.add().dim.add(size=-1)
    attr["list"].list.func.add(name="g")
    attr["func"].func.name = "f"
    attr["func"].func.attr["T"].type = 3
    attr["placeholder"].placeholder = "P"
    node.experimental_debug_info.original_node_names.append("o")
    node.experimental_type.type_id = 1000

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x"), tf.TensorSpec([], tf.bool)])
    def twice(x, flag):
        tf.debugging.assert_equal(tf.shape(x)[1], 2)
        return {"y": tf.cond(flag, lambda: x * 2.0, lambda: x), "n": tf.size(x)}

    concrete = twice.get_concrete_function()
    for function in concrete.graph.as_graph_def(add_shapes=False).library.function:
        graph.library.function.add().CopyFrom(function)
    graph.library.function.add().CopyFrom(concrete.function_def)
    graph.library.gradient.add(function_name="f", gradient_func="g")
    graph.versions.producer = 1882
    graph.versions.bad_consumers.extend([1, 2])
    with open(path("graph_every.pb"), "wb") as file:
        file.write(graph.SerializeToString(deterministic=True))


class Affine(tf.Module):
    def __init__(self):
        super().__init__(name="affine")
        self.w = tf.Variable([[1.0], [2.0]], name="w")
        self.b = tf.Variable([0.5], name="b", trainable=False)
        self.k = tf.constant([3.0])
        self.names = tf.lookup.StaticHashTable(
            tf.lookup.KeyValueTensorInitializer(["a"], tf.constant([1], tf.int64)), -1)

    @tf.function(input_signature=[tf.TensorSpec([None, 2], tf.float32, name="x")])
    def __call__(self, x):
        return {"y": tf.matmul(x, self.w) + self.b * self.k}

    @tf.function(input_signature=[(tf.TensorSpec([], tf.int64), [tf.TensorSpec([2], tf.float32)])])
    def nested(self, pair):
        return pair[0], {"v": pair[1][0]}


def strip(model):
    """What only makes the file longer: op declarations, debugging, versions of the day."""
    for graph in model.meta_graphs:
        graph.meta_info_def.stripped_op_list.Clear()
        graph.graph_def.ClearField("debug_info")
    return model


def saved_model(folder):
    tf.saved_model.save(Affine(), folder + "/model")
    with v1.Graph().as_default(), v1.Session() as session:
        x = v1.placeholder(tf.float32, [None, 2], name="x")
        w = v1.get_variable("w", initializer=np.float32([[1], [2]]), use_resource=False)
        y = tf.identity(tf.matmul(x, w), name="y")
        session.run(v1.global_variables_initializer())
        v1.saved_model.simple_save(session, folder + "/old", {"x": x}, {"y": y})
    for name in ("model", "old"):
        model = saved_model_pb2.SavedModel()
        with open(folder + "/" + name + "/saved_model.pb", "rb") as file:
            model.ParseFromString(file.read())
        with open(path("saved_" + name + ".pb"), "wb") as file:
            file.write(strip(model).SerializeToString(deterministic=True))


def main():
    tf.random.set_seed(1)
    with tempfile.TemporaryDirectory() as folder:
        plain()
        shards(folder)
        sliced(folder)
        objects(folder)
        first_format()
        state(folder)
        attributes()
        saved_model(folder)


if __name__ == "__main__":
    main()
