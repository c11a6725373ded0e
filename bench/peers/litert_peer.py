"""LiteRT with XNNPACK: prediction with the models of W3 and W5, which litert_models.py has put into the folder BENCH_MODELS."""
import importlib.metadata
import os

import numpy as np
from ai_edge_litert.interpreter import Interpreter
from peer import THREADS, bench

PEER = f"LiteRT {importlib.metadata.version('ai-edge-litert')}"
random = np.random.default_rng(0)


def predicting(workload, metric, name, shape):
    interpreter = Interpreter(os.path.join(os.environ["BENCH_MODELS"], name + ".tflite"), num_threads=THREADS)
    interpreter.allocate_tensors()
    source, result = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
    x = random.standard_normal(shape, dtype="float32")

    def run():
        interpreter.set_tensor(source, x)
        interpreter.invoke()
        return interpreter.get_tensor(result)
    bench(workload, PEER, metric, run)


predicting("W3_predict_b1", "us", "mlp_b1", (1, 64))
for batch in (1, 64):
    predicting(f"W5_cnn_infer_b{batch}", "ms", f"cnn_b{batch}", (batch, 28, 28, 1))
