"""A network as a graph that can be quantized: dropout gone, batch normalisation folded, each ReLU6 a bound on what is before it."""

import contextlib
import dis
import inspect
from collections import Counter

from torch import fx, nn
from torch.fx.experimental.optimization import fuse as fold_batch_norm
from torchvision.ops import StochasticDepth, stochastic_depth

NOTHING_AT_REST = (nn.Dropout, nn.Dropout2d, nn.Identity, StochasticDepth)
NOTHING_AT_REST_FUNCTIONS = (nn.functional.dropout, stochastic_depth)


class NotQuantizable(Exception):
    """Names the operator that is in the way."""


@contextlib.contextmanager
def unpacking():
    """`a, b = proxy` is known by its bytecode. Python 3.11 moved the place where torch 1.13 looks for it."""

    def iterate(proxy):
        frame = inspect.currentframe().f_back
        here = next((i for i in dis.get_instructions(frame.f_code) if i.offset == frame.f_lasti), None)
        if here is not None and here.opname == "UNPACK_SEQUENCE":
            return (proxy[index] for index in range(here.argval))
        return proxy.tracer.iter(proxy)

    torch_s_own, fx.Proxy.__iter__ = fx.Proxy.__iter__, iterate
    try:
        yield
    finally:
        fx.Proxy.__iter__ = torch_s_own


def trace(network: nn.Module) -> fx.GraphModule:
    """The graph of `network` in eval mode. Raises NotQuantizable where Python's control flow depends on the data."""
    try:
        with unpacking():
            return fx.GraphModule(network, fx.Tracer().trace(network.eval()))
    except Exception as error:  # whatever a network's own code raises when it is given a proxy
        reason = str(error).strip().splitlines()
        raise NotQuantizable(f"torch.fx cannot trace it: {reason[0] if reason else type(error).__name__}") from error


def module_of(graph: fx.GraphModule, node) -> nn.Module:
    """The module that the node calls; None for anything else."""
    return graph.get_submodule(node.target) if isinstance(node, fx.Node) and node.op == "call_module" else None


def operator_of(graph: fx.GraphModule, node) -> str:
    """What the node computes, as torch calls it."""
    if node.op == "call_module":
        return type(module_of(graph, node)).__name__
    return node.target if isinstance(node.target, str) else node.target.__name__


def remove_what_only_trains(graph: fx.GraphModule) -> None:
    for node in list(graph.graph.nodes):
        is_function = node.op == "call_function" and node.target in NOTHING_AT_REST_FUNCTIONS
        if is_function or isinstance(module_of(graph, node), NOTHING_AT_REST):
            node.replace_all_uses_with(node.args[0])
            graph.graph.erase_node(node)


def is_relu6(graph: fx.GraphModule, node) -> bool:
    module = module_of(graph, node)
    if isinstance(module, nn.Hardtanh):  # ReLU6 is one
        return (module.min_val, module.max_val) == (0.0, 6.0)
    return node.op == "call_function" and node.target is nn.functional.relu6


def bound_by_relu6(graph: fx.GraphModule) -> set:
    """Turn each ReLU6 behind a convolution or a linear layer into a ReLU; give those layers' names.

    torch fuses a ReLU with the layer before it, but not a ReLU6. The int8 layer is the same as before when its output
    range is [0, 6]: uint8 with scale 6/255 holds nothing else, so the clamp is free.
    """
    bounded = set()
    calls = Counter(node.target for node in graph.graph.nodes)
    for node in list(graph.graph.nodes):
        if not is_relu6(graph, node):
            continue
        before = node.args[0]
        is_layer = isinstance(module_of(graph, before), (nn.Conv2d, nn.Linear))
        if is_layer and len(before.users) == 1 and calls[before.target] == 1:
            name = f"relu_of_{before.name}"
            graph.add_submodule(name, nn.ReLU())
            with graph.graph.inserting_after(node):
                relu = graph.graph.call_module(name, (before,))
            node.replace_all_uses_with(relu)
            graph.graph.erase_node(node)
            bounded.add(before.target)
    return bounded


def simplify(network: nn.Module) -> tuple:
    """(graph, names of the layers whose output is bounded to [0, 6]). The network itself stays as it is.

    The graph alone computes something else than the network: the bounds have to be added (see student.py).
    """
    traced = trace(network)
    remove_what_only_trains(traced)
    traced.recompile()
    folded = fold_batch_norm(traced)  # a copy
    bounded = bound_by_relu6(folded)
    folded.graph.lint()
    folded.recompile()
    return folded.eval(), bounded
