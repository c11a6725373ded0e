"""numpy, which multiplies with OpenBLAS: W2, W7, W8."""
import os

from peer import THREADS, bench, times

for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
    os.environ[name] = str(THREADS)
import numpy as np  # noqa: E402  (the threads are counted when it is loaded)

PEER = f"numpy {np.__version__}"
random = np.random.default_rng(0)


eight = np.ones(8, "float32")
bench("W2_add_vec8", PEER, "ns", times(300, lambda: eight + eight), 300)
for n in (16, 64):
    a = random.standard_normal((n, n), dtype="float32")
    bench(f"W2_matmul_{n}", PEER, "ns", times(300, lambda: a @ a), 300)
for n in (16, 64, 128, 256, 512, 1024, 2048):
    b = random.standard_normal((n, n), dtype="float32")
    bench(f"W7_sgemm_{n}", PEER, "us", lambda: b @ b)
x = random.standard_normal(16 << 20, dtype="float32")
bench("W8_relu_axb_64MB", PEER, "ms", lambda: np.maximum(x * np.float32(1.5) + np.float32(-0.3), 0))
bench("W8_reduce_sum_64MB", PEER, "ms", lambda: x.sum())
