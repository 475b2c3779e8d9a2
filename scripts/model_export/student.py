"""A network with its quantization simulated in float: calibrated, perhaps trained, then converted to int8."""

import copy

import torch
from torch import fx, nn
from torch.ao.quantization import FakeQuantizeBase, QConfig, QConfigMapping
from torch.ao.quantization import default_fixed_qparams_range_0to1_fake_quant as zero_to_one
from torch.ao.quantization import default_fixed_qparams_range_neg1to1_fake_quant as one_to_one
from torch.ao.quantization.quantize_fx import convert_fx, prepare_qat_fx

from .architectures import InputSpec
from .graph import NotQuantizable, operator_of, simplify
from .ranges import Activations, Weights

# torch's int8 kernels of these have an output range of their own: [0, 1] in steps of 1/256, [-1, 1] in steps of 1/128.
WITHIN_ZERO_AND_ONE = (
    nn.Sigmoid, nn.Hardsigmoid, nn.Softmax, torch.sigmoid, nn.functional.sigmoid, nn.functional.hardsigmoid,
    nn.functional.softmax, "sigmoid", "sigmoid_", "hardsigmoid", "hardsigmoid_",
)  # fmt: skip
WITHIN_ONE_OF_ZERO = (nn.Tanh, torch.tanh, nn.functional.tanh, "tanh", "tanh_")


def choose_engine() -> str:
    """Set and name the first quantized engine that this build of torch has."""
    for engine in ("onednn", "fbgemm", "qnnpack"):
        if engine in torch.backends.quantized.supported_engines:
            torch.backends.quantized.engine = engine
            return engine
    raise RuntimeError("this torch has no quantized engine; Debian's python3-torch has onednn")


def quantization_of_each() -> QConfigMapping:
    mapping = QConfigMapping().set_global(QConfig(activation=Activations, weight=Weights))
    for kind in WITHIN_ZERO_AND_ONE:
        mapping.set_object_type(kind, QConfig(activation=zero_to_one, weight=Weights))
    for kind in WITHIN_ONE_OF_ZERO:
        mapping.set_object_type(kind, QConfig(activation=one_to_one, weight=Weights))
    return mapping


def input_range(spec: InputSpec) -> tuple:
    """Black and white after normalisation: no picture lies outside."""
    return min(-m / s for m, s in zip(spec.mean, spec.std)), max((1 - m) / s for m, s in zip(spec.mean, spec.std))


class Trial(fx.Interpreter):
    """Runs a network; where it fails, `node` is what it failed at."""

    def run_node(self, node):
        self.node = node
        return super().run_node(node)


class Student(nn.Module):
    """Float [n, 3, h, w] to float logits [n, outputs], exact or with the simulated rounding of int8 (`simulate`)."""

    def __init__(self, network: nn.Module, spec: InputSpec):
        super().__init__()
        self.example = torch.zeros(1, 3, spec.size_px, spec.size_px)
        graph, bounded = simplify(network)
        try:
            self.graph = prepare_qat_fx(graph.train(), quantization_of_each(), (self.example,)).eval()
        except Exception as error:  # the converter raises whatever comes, from deep inside
            raise NotQuantizable(f"torch cannot prepare it: {str(error).splitlines()[0]}") from error
        for node in self.graph.graph.nodes:
            module = self.graph.get_submodule(node.target) if node.op == "call_module" else None
            if isinstance(module, Activations):
                source = node.args[0]
                if source.op == "placeholder":
                    module.fix(*input_range(spec))
                elif source.target in bounded:
                    module.fix(0.0, 6.0)
        self.activations = [module for module in self.graph.modules() if isinstance(module, Activations)]
        self.layers = {name: module for name, module in self.graph.named_modules() if hasattr(module, "weight_fake_quant")}

    def forward(self, x):
        return self.graph(x)

    def simulate(self, on: bool) -> None:
        for module in self.graph.modules():
            if isinstance(module, (Activations, Weights)):
                module.simulating = on
            elif isinstance(module, FakeQuantizeBase):  # torch's own, of the ranges that are fixed
                module.enable_fake_quant(on)

    def scales(self) -> dict:
        """{"input_scale", "input_zero_point", "activation_scales": {name of what gives the tensor: [scale, zero point]}}"""
        found = {}
        for node in self.graph.graph.nodes:
            module = self.graph.get_submodule(node.target) if node.op == "call_module" else None
            if isinstance(module, Activations):
                source = node.args[0]
                name = str(source.target) if source.op == "call_module" else source.name
                found["" if source.op == "placeholder" else name] = [float(module.scale), int(module.zero_point)]
        scale, zero_point = found.pop("", (None, None))
        return {"input_scale": scale, "input_zero_point": zero_point, "activation_scales": found}

    def converted(self) -> nn.Module:
        """The int8 network, float in and float out, on the engine that is set. Raises NotQuantizable."""
        for module in self.activations:
            module.seen = []
        try:
            network = convert_fx(copy.deepcopy(self.graph).eval())
        except Exception as error:  # as above
            raise NotQuantizable(f"torch cannot convert it: {str(error).splitlines()[0]}") from error
        trial = Trial(network)
        try:
            with torch.no_grad():
                trial.run(self.example)
        except Exception as error:
            name = operator_of(network, trial.node)
            raise NotQuantizable(f"torch cannot compute its {name} in int8: {str(error).splitlines()[0]}") from error
        return network


def before_activation(layer: nn.Module, x: torch.Tensor) -> torch.Tensor:
    """What a convolution or linear layer gives before the ReLU that is fused into it."""
    weight = layer.weight_fake_quant(layer.weight)
    if isinstance(layer, nn.Linear):
        return nn.functional.linear(x, weight, layer.bias)
    return layer._conv_forward(x, weight, layer.bias)
