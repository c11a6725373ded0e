"""Records what TensorFlow's element-wise ops make of edge values, for the tests in src/ops.

    python make_elementwise_cases.py > elementwise_cases.h

Needs tensorflow 2.21 (tests/interop/venv.sh makes such an environment). Every value is what
tf.raw_ops.<Op> gave on the CPU for the inputs at the top of the file.
"""

import inspect
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"

import numpy as np
import tensorflow as tf

NAN, INF = float("nan"), float("inf")
UNARY = """Abs Neg Sign Square Sqrt Rsqrt Exp Expm1 Log Log1p Sin Cos Tan Asin Acos Atan Sinh Cosh
Tanh Asinh Acosh Atanh Sigmoid Softplus Softsign Relu Relu6 Elu Selu LeakyRelu Erf Erfc Erfinv Ndtri
Lgamma Digamma Floor Ceil Round Rint Reciprocal Inv IsNan IsInf IsFinite OnesLike ZerosLike
BesselI0 BesselI0e BesselI1 BesselI1e""".split()
UNARY_INT = "Abs Neg Sign Square Relu Relu6 OnesLike ZerosLike Invert PopulationCount".split()
BINARY = """AddV2 Sub Mul Div RealDiv FloorDiv FloorMod TruncateDiv TruncateMod Mod Pow Maximum
Minimum SquaredDifference Atan2 DivNoNan MulNoNan Xlogy Xlog1py Xdivy Less LessEqual Greater
GreaterEqual Equal NotEqual ReluGrad Relu6Grad LeakyReluGrad EluGrad SeluGrad SoftplusGrad
SoftsignGrad TanhGrad SigmoidGrad SqrtGrad RsqrtGrad ReciprocalGrad InvGrad
NextAfter""".split()
BINARY_INT = """AddV2 Sub Mul Div FloorDiv FloorMod TruncateDiv TruncateMod Mod Pow Maximum Minimum
SquaredDifference BitwiseAnd BitwiseOr BitwiseXor LeftShift RightShift Less LessEqual Greater
GreaterEqual Equal NotEqual ReluGrad Relu6Grad""".split()

EDGES = [NAN, INF, -INF, 0.0, -0.0, 1e-30, -1e-30, 1e-7, -1e-7, 1e-3, 0.25, 0.5, -0.5, 0.75, 1.0,
         -1.0, 1.5, -1.5, 2.5, -2.5, 3.0, -3.75, 6.5, 12.0, -12.0, 40.0, -40.0, 90.0, -90.0, 1e4,
         -1e4, 1e20, -1e20]
PAIRS = [(x, y) for x in (NAN, INF, -INF, 0.0, -0.0, 0.7, -2.5, 3.0) for y in
         (NAN, INF, -INF, 0.0, -0.0, 0.4, -1.5, 2.0)]
INTS = [0, 1, -1, 2, -3, 7, 100, -128, 2**31 - 1, -2**31]
INT_PAIRS = [(x, y) for x in (0, 7, -7, 6, 2**31 - 1, -2**31) for y in (1, -1, 2, -2, 3, 33)]


def text(value):
    value = float(value)
    if np.isnan(value):
        return "NAN"
    if np.isinf(value):
        return "INFINITY" if value > 0 else "-INFINITY"
    return "%d" % value if value == int(value) and abs(value) < 1e17 and str(value) != "-0.0" else repr(value)


def row(values):
    return "{ " + ", ".join(text(v) for v in values) + " }"


def shorter(values):
    """float32 results with the digits that tell them apart."""
    return [float(str(v)) for v in values] if values.dtype == np.float32 else values


def call(op, *inputs):
    function = getattr(tf.raw_ops, op)
    return function(**dict(zip(inspect.signature(function).parameters, inputs))).numpy()


def floats(op, dtype, *inputs):
    return row(shorter(call(op, *[tf.constant(i, dtype) for i in inputs])))


def integers(op, *inputs):
    result = call(op, *[tf.constant(i, tf.int32) for i in inputs])
    print("    { \"%s\", %s }," % (op, row(result)))


def main():
    print("/* elementwise_cases.h - made by make_elementwise_cases.py with tensorflow %s. */" % tf.__version__)
    print("#include <math.h>\n/* clang-format off */")
    print("static const double edges[] = %s;" % row(EDGES))
    print("static const struct { const char *op; double in_float32[%d], in_float64[%d]; } unary_cases[] = {"
          % (len(EDGES), len(EDGES)))
    for op in UNARY:
        print("    { \"%s\", %s,\n      %s }," % (op, floats(op, tf.float32, EDGES), floats(op, tf.float64, EDGES)))
    print("};\nstatic const double pairs[][2] = { %s };" % ", ".join(row(p) for p in PAIRS))
    print("static const struct { const char *op; double in_float32[%d]; } binary_cases[] = {" % len(PAIRS))
    for op in BINARY:
        print("    { \"%s\", %s }," % (op, floats(op, tf.float32, [p[0] for p in PAIRS], [p[1] for p in PAIRS])))
    print("};\nstatic const double ints[] = %s;" % row(INTS))
    print("static const struct { const char *op; double in_int32[%d]; } unary_int_cases[] = {" % len(INTS))
    for op in UNARY_INT:
        integers(op, INTS)
    print("};\nstatic const double int_pairs[][2] = { %s };" % ", ".join(row(p) for p in INT_PAIRS))
    print("static const struct { const char *op; double in_int32[%d]; } binary_int_cases[] = {" % len(INT_PAIRS))
    for op in BINARY_INT:
        pairs = [(x, abs(y)) for x, y in INT_PAIRS] if op == "Pow" else INT_PAIRS
        integers(op, [p[0] for p in pairs], [p[1] for p in pairs])
    print("};\n/* clang-format on */")


if __name__ == "__main__":
    main()
