"""onnxruntime: prediction with the models of W3 and W5, which are written here as ONNX graphs."""
import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from peer import THREADS, bench

PEER = f"onnxruntime {onnxruntime.__version__}"
random = np.random.default_rng(0)


def weight(name, *shape):
    return numpy_helper.from_array(random.standard_normal(shape, dtype="float32") * np.float32(0.05), name)


def session(nodes, weights, inner):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", *inner])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["batch", 10])
    graph = helper.make_graph(nodes, "model", [x], [y], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def dense(x, number, y):
    return helper.make_node("Gemm", [x, f"w{number}", f"b{number}"], [y])


def mlp():
    return session([dense("x", 1, "h"), helper.make_node("Relu", ["h"], ["r"]), dense("r", 2, "z"),
                    helper.make_node("Softmax", ["z"], ["y"], axis=1)],
                   [weight("w1", 64, 128), weight("b1", 128), weight("w2", 128, 10), weight("b2", 10)], [64])


def cnn():
    node = helper.make_node
    return session([node("Conv", ["x", "k1", "c1"], ["h1"]), node("Relu", ["h1"], ["r1"]),
                    node("Conv", ["r1", "k2", "c2"], ["h2"]), node("Relu", ["h2"], ["r2"]),
                    node("MaxPool", ["r2"], ["p"], kernel_shape=[2, 2], strides=[2, 2]), node("Flatten", ["p"], ["f"]),
                    dense("f", 1, "h3"), node("Relu", ["h3"], ["r3"]), dense("r3", 2, "z"),
                    node("Softmax", ["z"], ["y"], axis=1)],
                   [weight("k1", 32, 1, 3, 3), weight("c1", 32), weight("k2", 64, 32, 3, 3), weight("c2", 64),
                    weight("w1", 9216, 128), weight("b1", 128), weight("w2", 128, 10), weight("b2", 10)], [1, 28, 28])


one = random.standard_normal((1, 64), dtype="float32")
small = mlp()
bench("W3_predict_b1", PEER, "us", lambda: small.run(None, {"x": one}))
large = cnn()
for batch in (1, 64):
    images = random.standard_normal((batch, 1, 28, 28), dtype="float32")
    bench(f"W5_cnn_infer_b{batch}", PEER, "ms", lambda: large.run(None, {"x": images}))
