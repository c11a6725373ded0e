"""What is asked of tenon, as data: times on one machine, ours and another's, whose ratio is asked for on every machine.

A target is (workload, who runs it, beside what, what ours took at most there on 1 and on 2 threads, what the other took there). "Beside
what" is a peer, by the beginning of its name; "LIM_fma" or "LIM_copy", which the bench measures (ms for 10 GFLOP, and for a copy of
64 MB); "best" for the best peer of the run, of which a share is asked; or another workload of tenon's. What fit adds is judged beside
as many steps without it, timed together and in turns: the fastest of single steps is faster than a mean of a hundred in a row."""

FMA, COPY = (35.7, 18.4), (2.49, 2.16)
OURS, BARE, STATIC = "tenon", "tenon, no oneDNN", "tenon, linked statically"

TARGETS = [
    ("W1_cold_predict", OURS, "TensorFlow", (0.9,), (3043,)),
    ("W1_cold_predict_rss", OURS, "TensorFlow", (3.5,), (640,)),
    ("W1_cold_predict", STATIC, "TensorFlow", (0.9,), (3043,)),
    ("W1_cold_predict_rss", STATIC, "TensorFlow", (3.5,), (640,)),
    ("W2_add_vec8", OURS, "torch", (35,), (693.5,)),
    ("W2_add_vec8", OURS, "TensorFlow", (35,), (5094,)),
    ("W2_matmul_16", OURS, "torch", (100,), (1114,)),
    ("W2_matmul_16", OURS, "numpy", (100,), (770,)),
    ("W2_matmul_64", OURS, "torch", (2150,), (6061,)),
    ("W2_matmul_64", OURS, "numpy", (2150,), (2775,)),
    ("W2_tape_square_grad", OURS, "torch", (200,), (12719,)),
    ("W2_call_traced_fn", OURS, "jax", (150,), (3189,)),
    ("W3_predict_b1", OURS, "onnxruntime", (0.40,), (4.26,)),
    ("W3_predict_b1", OURS, "LiteRT", (0.40,), (1.31,)),
    ("W3_seed_step", OURS, "TensorFlow", (12,), (198,)),
    ("W3_seed_step", OURS, "jax", (12,), (52.5,)),
    ("W3_seed_step_eager", OURS, "TensorFlow", (25,), (6480,)),
    ("W4_mlp_train", OURS, "jax", (0.76, 0.44), (0.957, 0.66)),
    ("W4_mlp_train", OURS, "LIM_fma", (0.76, 0.44), FMA),
    ("W4_fit_overhead", OURS, "TensorFlow", (0.80, 0.46), (2.64, 2.35)),
    ("W4_fit_overhead", OURS, "W4_fit_steps", (1.05, 1.05), (1, 1)),
    ("W5_cnn_train", OURS, "TensorFlow", (18.5, 9.2), (30.0, 19.2)),
    ("W5_cnn_train", OURS, "torch", (18.5, 9.2), (39.3, 21.0)),
    ("W5_cnn_train", BARE, "TensorFlow", (22.5, 11.5), (30.0, 19.2)),
    ("W5_cnn_train", BARE, "torch", (22.5, 11.5), (39.3, 21.0)),
    ("W5_fit_overhead", OURS, "W5_fit_steps", (1.05, 1.05), (1, 1)),
    ("W5_cnn_infer_b1", OURS, "LiteRT", (0.105, 0.062), (0.124, 0.070)),
    ("W5_cnn_infer_b1", BARE, "LiteRT", (0.125, 0.068), (0.124, 0.070)),
    ("W5_cnn_infer_b64", OURS, "onnxruntime", (4.2, 2.1), (6.27, 3.28)),
    ("W5_cnn_infer_b64", BARE, "onnxruntime", (6.3, 3.2), (6.27, 3.28)),
    *[(f"W7_sgemm_{n}", OURS, "best", (1 / 0.92, 1 / 0.88), (1, 1)) for n in (64, 128, 256, 512, 1024, 2048)],
    *[(f"W7_sgemm_{n}", OURS, "LIM_fma", (one / 0.92, two / 0.88), FMA)
      for n, one, two in ((64, 1.94, 1.93), (256, 126, 63.9), (512, 1022, 521.1))],
    ("W8_relu_axb_64MB", OURS, "TensorFlow", (2.4,), (3.46,)),
    ("W8_relu_axb_64MB", OURS, "LIM_copy", (2.4,), COPY),
    ("W8_softmax_4096x1024", OURS, "TensorFlow", (0.95,), (1.24,)),
    ("W8_layernorm_4096x1024", OURS, "torch", (0.70,), (0.946,)),
    ("W8_reduce_sum_64MB", OURS, "LIM_copy", (1.15,), COPY),
    ("W8_reduce_sum_64MB", OURS, "torch", (1.15,), (1.26,)),
    ("W9_save_400MB", OURS, "TensorFlow", (115,), (645,)),
    ("W9_load_400MB_mapped", OURS, "TensorFlow", (45,), (890,)),
    ("W9_load_400MB", OURS, "TensorFlow", (75,), (890,)),
    ("W10_rss_train_W4", OURS, "TensorFlow", (14,), (757,)),
    ("W10_rss_train_W5", BARE, "TensorFlow", (60,), (741,)),
    ("W10_rss_train_W5", OURS, "TensorFlow", (85,), (741,)),
]
