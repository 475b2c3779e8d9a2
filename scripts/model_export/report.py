"""What quantizing did, for people: which layers it hurts, what stays in float, what it helped or cost."""

import operator

import torch
from torch import fx, nn

from . import graph
from .ranges import Activations
from .student import Student

SHOWN_LAYERS = 10


def layer_errors(student: Student, batches) -> list:
    """[{"layer", "operator", "shape", "error"}], worst first.

    error: root mean square of what int8 weights and an int8 output change in a layer that is given its float input, as a share of
    the root mean square of its float output. Each layer's own doing, not what it inherits.
    """
    range_after = {}
    for node in student.graph.graph.nodes:
        module = graph.module_of(student.graph, node)
        if isinstance(module, Activations) and node.args[0].op == "call_module":
            range_after[node.args[0].target] = module
    power = {name: [0.0, 0.0] for name in student.layers}  # of the error, of the output

    def measure(name: str):
        after = range_after.get(name, nn.Identity())

        def hook(layer, inputs, output):
            expected = after(output)
            layer.weight_fake_quant.simulating = after.simulating = True
            found = after(layer.forward(inputs[0]))  # not layer(...): that would come here again
            layer.weight_fake_quant.simulating = after.simulating = False
            power[name][0] += float((found - expected).square().sum())
            power[name][1] += float(expected.square().sum())

        return hook

    student.simulate(False)
    hooks = [layer.register_forward_hook(measure(name)) for name, layer in student.layers.items()]
    with torch.no_grad():
        for batch in batches:
            student(batch)
    for handle in hooks:
        handle.remove()
    rows = [
        {
            "layer": name,
            "operator": operator_of(layer),
            "shape": list(layer.weight.shape),
            "error": (power[name][0] / power[name][1]) ** 0.5 if power[name][1] else 0.0,
        }
        for name, layer in student.layers.items()
    ]
    return sorted(rows, key=lambda row: -row["error"])


def operator_of(layer: nn.Module) -> str:
    if isinstance(layer, nn.Linear):
        return "linear"
    kernel = "x".join(map(str, layer.kernel_size))
    return f"depthwise {kernel}" if layer.groups == layer.in_channels > 1 else f"convolution {kernel}"


class FloatFinder(fx.Interpreter):
    """Runs an int8 network and notes the operators that work on floats."""

    def __init__(self, network):
        super().__init__(network)
        self.found = {}

    def run_node(self, node):
        value = super().run_node(node)
        parts = value if isinstance(value, (tuple, list)) else [value]  # of a split
        in_float = any(isinstance(part, torch.Tensor) and part.dtype == torch.float32 for part in parts)
        if in_float and node.op.startswith("call") and node.target is not operator.getitem:
            name = graph.operator_of(self.module, node)
            if name != "dequantize":
                self.found[name] = self.found.get(name, 0) + 1
        return value


def left_in_float(int8_network: fx.GraphModule, example: torch.Tensor) -> dict:
    """Number of nodes by operator's name."""
    finder = FloatFinder(int8_network)
    with torch.no_grad():
        finder.run(example)
    return finder.found


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def table(result: dict) -> str:
    """The result of export(), to be read."""
    lines = []
    if result["quantization"]:
        done = result["quantization"]
        lines += ["", f"{'what was tried':28s}{'divergence from float, nats':>30s}"]
        lines += [f"{s['name']:28s}{s['divergence']:30.4f}  {'kept' if s['kept'] else ''}".rstrip() for s in done["steps"]]
        layers = done["layers"]
        lines += ["", f"{'layer, worst first':40s}{'operator':>18s}{'error':>9s}"]
        lines += [
            f"{row['layer'][-39:]:40s}{row['operator']:>18s}{percent(row['error']):>9s}" for row in layers[:SHOWN_LAYERS]
        ]
        if len(layers) > SHOWN_LAYERS:
            lines.append(f"and {len(layers) - SHOWN_LAYERS} more, the best {percent(layers[-1]['error'])}; all with --json")
        if done["float_operators"]:
            names = ", ".join(f"{count} {name}" for name, count in sorted(done["float_operators"].items()))
            lines.append(f"computed in float, for want of an int8 operator: {names}")
        lines.append("")
        if done["held_back"]:
            lines.append(
                f"int8 names the same thing as float on {percent(done['agreement'])} of {done['held_back']} pictures held back "
                f"(divergence {done['divergence']:.4f} nats)"
            )
    elif result["not_quantized"]:
        lines += ["", f"no int8.pt: {result['not_quantized']}"]
    sizes = ", ".join(f"{name} {entry['bytes'] / 1e6:.2f} MB" for name, entry in result["files"].items())
    lines += [f"{result['folder']}: {sizes}"]
    return "\n".join(lines)
