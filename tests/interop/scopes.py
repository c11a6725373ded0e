#!/usr/bin/env python3
"""Random programs of name scopes, variable scopes, variables and ops: TensorFlow in graph mode and tenon must give the same names.

Each program is a list of lines, which both interpret (interop_scopes.c does for tenon) and print a line for: the name of what was made, or
the first line of the error.

  name_scope NAME | variable_scope NAME REUSE LABEL | default_scope NAME LABEL | again LABEL REUSE    enter; REUSE: none, true, auto
  end                                   leave the innermost
  reuse                                 get_variable_scope().reuse_variables()
  get ID NAME SIZE | variable ID NAME | placeholder ID NAME     NAME "-": none; variables and placeholders are SIZE x SIZE, or 2 x 2
  op ID KIND ID ID                      an ID that nothing was made for stands for the first placeholder, p
  collection NAME SCOPE                 the names in it; SCOPE "-": none
"""
import argparse
import os
import pathlib
import random
import subprocess
import sys

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
REUSE = {"none": None, "true": True, "auto": v1.AUTO_REUSE}
NAMES = ["a", "b", "A", "s", "S", "v", "V", "a_1", "s_1", "unit", "x/y", "Add", "add"]
OPS = {
    "add": tf.add, "subtract": tf.subtract, "multiply": tf.multiply, "divide": tf.divide, "maximum": tf.maximum, "pow": tf.pow,
    "matmul": tf.matmul, "identity": lambda a, b: tf.identity(a), "reduce_sum": lambda a, b: tf.reduce_sum(a),
    "reduce_mean": lambda a, b: tf.reduce_mean(a), "reduce_max": lambda a, b: tf.reduce_max(a), "square": lambda a, b: tf.square(a),
    "relu": lambda a, b: tf.nn.relu(a), "softmax": lambda a, b: tf.nn.softmax(a), "reshape": lambda a, b: tf.reshape(a, [4, 1]),
    "transpose": lambda a, b: tf.transpose(a), "negative": lambda a, b: tf.negative(a), "exp": lambda a, b: tf.exp(a),
    "tanh": lambda a, b: tf.tanh(a), "sigmoid": lambda a, b: tf.sigmoid(a), "sqrt": lambda a, b: tf.sqrt(a), "abs": lambda a, b: tf.abs(a),
    "cast": lambda a, b: tf.cast(a, tf.float64), "concat": lambda a, b: tf.concat([a, b], 0), "stack": lambda a, b: tf.stack([a, b], 0),
    "expand_dims": lambda a, b: tf.expand_dims(a, 0), "zeros_like": lambda a, b: tf.zeros_like(a), "ones_like": lambda a, b: tf.ones_like(a), "minimum": tf.minimum,
    "squared_difference": tf.math.squared_difference, "floordiv": tf.math.floordiv, "floormod": tf.math.floormod, "less": tf.less,
    "greater": tf.greater, "equal": tf.equal, "not_equal": tf.not_equal, "floor": lambda a, b: tf.floor(a), "round": lambda a, b: tf.round(a),
    "sign": lambda a, b: tf.sign(a), "log": lambda a, b: tf.math.log(a), "rsqrt": lambda a, b: tf.math.rsqrt(a),
    "elu": lambda a, b: tf.nn.elu(a), "selu": lambda a, b: tf.nn.selu(a), "relu6": lambda a, b: tf.nn.relu6(a),
    "leaky_relu": lambda a, b: tf.nn.leaky_relu(a), "softplus": lambda a, b: tf.nn.softplus(a), "log_softmax": lambda a, b: tf.nn.log_softmax(a),
    "add_n": lambda a, b: tf.add_n([a, b]), "tile": lambda a, b: tf.tile(a, [2, 1]), "argmax": lambda a, b: tf.argmax(a, 1),
    "cumsum": lambda a, b: tf.cumsum(a), "reduce_prod": lambda a, b: tf.reduce_prod(a), "reduce_min": lambda a, b: tf.reduce_min(a),
    "l2_loss": lambda a, b: tf.nn.l2_loss(a), "reverse": lambda a, b: tf.reverse(a, [0]), "where": lambda a, b: tf.where(tf.greater(a, b), a, b),
    "squeeze": lambda a, b: tf.squeeze(a), "gradient_stop": lambda a, b: tf.stop_gradient(a),
}
OTHER_SHAPE = {"reduce_sum", "reduce_mean", "reduce_max", "reshape", "cast", "concat", "stack", "expand_dims", "greater", "less", "equal",
               "not_equal", "tile", "argmax", "reduce_prod", "reduce_min", "l2_loss"}


# --- making programs -------------------------------------------------------------------------------------------------------
class Maker:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.lines, self.depth, self.labels, self.ids, self.made = ["placeholder p p"], 0, [], ["p"], 0

    def name(self):
        return self.random.choice(NAMES)

    def enter(self):
        kind = self.random.choice(["name_scope", "variable_scope", "variable_scope", "variable_scope", "default_scope", "again"])
        reuse = self.random.choice(["none", "none", "none", "auto", "auto", "true"])
        slash = "/" if self.random.random() < 0.15 else ""
        if kind == "again" and not self.labels:
            kind = "variable_scope"
        if kind == "again":
            line = f"again {self.random.choice(self.labels)} {reuse}"
        elif kind == "name_scope":
            line = f"name_scope {self.name()}{slash}"
        else:
            label = f"l{len(self.labels)}"
            self.labels.append(label)
            line = f"default_scope {self.name()} {label}" if kind == "default_scope" else f"variable_scope {self.name()}{slash} {reuse} {label}"
        self.lines.append(line)
        self.depth += 1

    def make(self):
        self.made += 1
        kind, id_ = self.random.choice(["get", "get", "variable", "variable", "placeholder", "op", "op", "op"]), f"i{self.made}"
        name = self.name() if self.random.random() < 0.85 else "-"
        if kind == "get":
            size = 3 if self.random.random() < 0.1 else 2
            self.lines.append(f"get {id_} {self.random.choice(NAMES[:6])} {size}")
            return  # it may have another shape: ops leave it alone
        if kind == "op":
            kind = self.random.choice(sorted(OPS))
            self.lines.append(f"op {id_} {kind} {self.random.choice(self.ids)} {self.random.choice(self.ids)}")
            if kind in OTHER_SHAPE:
                return
        else:
            self.lines.append(f"{kind} {id_} {name}")
        self.ids.append(id_)

    def step(self):
        chance = self.random.random()
        if chance < 0.25 and self.depth < 5:
            self.enter()
        elif chance < 0.42 and self.depth:
            self.lines.append("end")
            self.depth -= 1
        elif chance < 0.43 and (self.depth or self.random.random() < 0.1):
            self.lines.append("reuse")
        else:
            self.make()

    def program(self):
        for _ in range(self.random.randint(20, 60)):
            self.step()
        self.lines += ["end"] * self.depth
        self.lines += [f"collection {name} {scope}" for name in ("global_variables", "trainable_variables") for scope in ("-", "a", "S")]
        return self.lines


# --- TensorFlow ------------------------------------------------------------------------------------------------------------
class Machine:
    def __init__(self):
        self.stack, self.labels, self.ids = [], {}, {}

    def tensor(self, id_):
        return self.ids.get(id_, self.ids["p"])

    def enter(self, scope, label=None):
        entered = scope.__enter__()
        self.stack.append(scope)
        if label:
            self.labels[label] = entered

    def keep(self, id_, x):
        self.ids[id_] = x
        return x.name.split(":")[0]

    def run(self, line):
        word, *rest = line.split()
        return getattr(self, "run_" + word)(*rest) or "ok"

    def run_name_scope(self, name):
        self.enter(tf.name_scope(name))

    def run_variable_scope(self, name, reuse, label):
        self.enter(v1.variable_scope(name, reuse=REUSE[reuse]), label)

    def run_default_scope(self, name, label):
        self.enter(v1.variable_scope(None, default_name=name), label)

    def run_again(self, label, reuse):
        self.enter(v1.variable_scope(self.labels[label], reuse=REUSE[reuse]))

    def run_end(self):
        self.stack.pop().__exit__(None, None, None)

    def run_reuse(self):
        v1.get_variable_scope().reuse_variables()

    def run_get(self, id_, name, size):
        return self.keep(id_, v1.get_variable(name, [int(size)] * 2))

    def run_variable(self, id_, name):
        return self.keep(id_, tf.Variable(np.zeros((2, 2), np.float32), name=None if name == "-" else name))

    def run_placeholder(self, id_, name):
        return self.keep(id_, v1.placeholder(tf.float32, [2, 2], name=None if name == "-" else name))

    def run_op(self, id_, kind, a, b):
        return self.keep(id_, OPS[kind](self.tensor(a), self.tensor(b)))

    def run_collection(self, name, scope):
        key = {"global_variables": "variables"}.get(name, name)
        return " ".join([x.name.split(":")[0] for x in v1.get_collection(key, None if scope == "-" else scope)] + ["."])


def expected(lines):
    with tf.Graph().as_default():
        machine = Machine()
        for line in lines:
            try:
                yield machine.run(line)
            except (ValueError, RuntimeError) as e:
                yield "error " + str(e).split("\n")[0]


# --- comparing -------------------------------------------------------------------------------------------------------------
def compare(number, lines, got, folder):
    want = list(expected(lines))
    text = "".join(f"{line:40} {w:40} {g}{'' if w == g else '   <---'}\n" for line, w, g in zip(lines, want, got))
    if want == got:
        return len([w for w in want if not w.startswith(("ok", "error"))]), len([w for w in want if w.startswith("error")])
    path = folder / f"{number}.txt"
    path.write_text(text)
    first = next((i for i, (w, g) in enumerate(zip(want, got)) if w != g), min(len(want), len(got)))
    print(f"program {number}, line {first + 1}: {lines[first]}\n  TensorFlow: {want[first]}\n  tenon:      {got[first] if first < len(got) else None}\n  ({path})")
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program", help="interop_scopes")
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    programs = [Maker(arguments.seed * 1000003 + i).program() for i in range(arguments.count)]
    text = "".join("program\n" + "\n".join(p) + "\n" for p in programs)
    output = subprocess.run([arguments.program], input=text, capture_output=True, text=True, check=True).stdout
    answers = [block.split("\n")[:-1] for block in output.split("program\n")[1:]]
    results = [compare(i, p, got, arguments.folder) for i, (p, got) in enumerate(zip(programs, answers))]
    good = [r for r in results if r]
    print(f"{len(good)} of {len(programs)} programs of scopes give TensorFlow's names: {sum(g[0] for g in good)} names, {sum(g[1] for g in good)} errors")
    sys.exit(len(good) != len(programs))


if __name__ == "__main__":
    main()
