"""An int8 model of glimpse as a network that torch exports to ONNX's form of int8: QuantizeLinear, DequantizeLinear, float operators.

Same integers, same scales. ONNX Runtime makes integer operators of each group between a QuantizeLinear and those before it.
"""

import functools

import torch
from torch import nn
from torch.nn import functional

CONVOLUTION, LINEAR = ("quantized::conv2d", "quantized::conv2d_relu"), ("quantized::linear", "quantized::linear_relu")
SUM = ("quantized::add", "quantized::add_relu")


class Rounded(torch.autograd.Function):
    """To uint8 and back."""

    @staticmethod
    def forward(ctx, x, scale: float, zero_point: int):
        return torch.fake_quantize_per_tensor_affine(x, scale, zero_point, 0, 255)

    @staticmethod
    def symbolic(g, x, scale: float, zero_point: int):
        how = (torch.tensor(scale), torch.tensor(zero_point, dtype=torch.uint8))
        how = [g.op("Constant", value_t=value) for value in how]
        return g.op("DequantizeLinear", g.op("QuantizeLinear", x, *how), *how)


class Stored(torch.autograd.Function):
    """Integers with a scale for each of their first dimension."""

    @staticmethod
    def forward(ctx, integers, scales, zero_points):
        return integers * scales.reshape(-1, *[1] * (integers.dim() - 1))

    @staticmethod
    def symbolic(g, integers, scales, zero_points):
        return g.op("DequantizeLinear", integers, scales, zero_points, axis_i=0)


class Layer(nn.Module):
    """A convolution or a linear layer; weights int8, biases int32 in steps of the input's scale times the weight's."""

    def __init__(self, weight, bias, input_scale: float, compute):
        super().__init__()
        scales = weight.q_per_channel_scales().float()
        self.compute = compute
        self.keep("weight", weight.int_repr(), scales)
        self.keep("bias", (bias / (scales * input_scale)).round().int(), scales * input_scale)

    def keep(self, name: str, integers, scales) -> None:
        self.register_buffer(name, integers.contiguous())
        self.register_buffer(f"{name}_scales", scales)
        self.register_buffer(f"{name}_zero_points", torch.zeros(len(scales), dtype=integers.dtype))

    def forward(self, x):
        weight = Stored.apply(self.weight, self.weight_scales, self.weight_zero_points)
        return self.compute(x, weight, Stored.apply(self.bias, self.bias_scales, self.bias_zero_points))


def convolution(packed, input_scale: float) -> Layer:
    ask = torch.ops.quantized
    settings = {name: getattr(ask, f"conv2d_{name}")(packed) for name in ("stride", "padding", "dilation", "groups")}
    return Layer(*ask.conv2d_unpack(packed), input_scale, functools.partial(functional.conv2d, **settings))


def linear(packed, input_scale: float) -> Layer:
    return Layer(*torch.ops.quantized.linear_unpack(packed), input_scale, functional.linear)


class Sum(nn.Module):
    def forward(self, a, b):
        return a + b


class Network(nn.Module):
    """Runs step after step; a step is (name of its output, module, names of its inputs, (scale, zero point) or None)."""

    def __init__(self, int8_model: torch.jit.ScriptModule):
        super().__init__()
        graph = int8_model.inlined_graph
        self.input = list(graph.inputs())[1].debugName()  # the first is the module itself
        self.constants, self.scales, self.steps = {}, {}, []
        for node in graph.nodes():
            name = node.output().debugName()
            if node.kind() == "prim::Constant":
                self.constants[name] = node.output().toIValue()
            elif node.kind() != "prim::ListConstruct":
                self.add_step(name, node.kind(), [value.debugName() for value in node.inputs()])
        self.modules_of_steps = nn.ModuleList(module for _, module, _, _ in self.steps)

    def add_step(self, name: str, kind: str, inputs: list) -> None:
        values = [self.constants.get(name) for name in inputs]
        before = self.scales.get(inputs[0])
        count, scale = 1, before  # of inputs; what keeps the values as they are keeps their scale, too

        def given(at: int) -> tuple:
            return float(values[at]), int(values[at + 1])

        if kind == "aten::quantize_per_tensor":
            module, scale = nn.Identity(), given(1)
        elif kind in CONVOLUTION:
            module, scale = convolution(values[1], before[0]), given(2)
        elif kind in LINEAR:
            module, scale = linear(values[1], before[0]), given(2)
        elif kind in SUM:
            module, scale, count = Sum(), given(2), 2
        elif kind == "aten::adaptive_avg_pool2d":
            module = nn.AdaptiveAvgPool2d(1)
        elif kind == "aten::flatten":
            module = nn.Flatten()
        elif kind == "aten::dequantize":
            module, scale = nn.Identity(), None
        else:
            raise ValueError(f"{kind} has no form in ONNX here")
        if kind.endswith("_relu"):
            module = nn.Sequential(module, nn.ReLU())
        self.scales[name] = scale
        self.steps.append((name, module, inputs[:count], scale))

    def forward(self, x):
        values = {self.input: x}
        for name, module, inputs, scale in self.steps:
            result = module(*(values[name] for name in inputs))
            values[name] = Rounded.apply(result, *scale) if scale else result
        return values[name]
