#include "catch.hpp"
#include "inference/onednn/memory_plan.hpp"
#include "inference/onednn/network.hpp"

using namespace glimpse::onednn;
using glimpse::lowering::Axes;

namespace {

constexpr Shape shape{1, 4, 4, 8};

Value convolution(Network& network, const Value& in) {
  return network.convolution(in, {}, {}, {shape, std::nullopt});
}

std::vector<Kind> kinds(const Network& network) {
  std::vector<Kind> kinds;
  for (const Operation& operation : network.operations()) kinds.push_back(operation.kind);
  return kinds;
}

}  // namespace

TEST_CASE("A clamp goes into the convolution before it") {
  Network network;
  const Value end = network.clamp(convolution(network, network.input(shape, std::nullopt)), 0, 6);
  network.output(end);
  network.fuse();
  REQUIRE((kinds(network) == std::vector{Kind::convolution}));
  CHECK(network.operations()[0].least == 0);
  CHECK(network.operations()[0].most == 6);
  CHECK(network.operations()[0].out.id == end.id);
}

TEST_CASE("A clamp stays where somebody else wants the convolution's result uncut") {
  Network network;
  const Value made = convolution(network, network.input(shape, std::nullopt));
  const Value cut = network.clamp(made, 0, 6);
  network.output(network.sum(made, cut, {shape, std::nullopt}));
  network.fuse();
  CHECK((kinds(network) == std::vector{Kind::convolution, Kind::clamp, Kind::sum}));
}

TEST_CASE("A sum goes into the later convolution, which adds to the other operand in place") {
  for (const bool swapped : {false, true}) {
    Network network;
    const Value kept = convolution(network, network.input(shape, std::nullopt));
    const Value between = network.clamp(convolution(network, kept), 0, 6);
    const Value made = convolution(network, between);
    const Value sum = swapped ? network.sum(made, kept, {shape, std::nullopt})
                              : network.sum(kept, made, {shape, std::nullopt});
    network.output(network.clamp(sum, 0, 1));
    network.fuse();
    REQUIRE((kinds(network) == std::vector(3, Kind::convolution)));
    const Operation& last = network.operations()[2];
    REQUIRE(last.added);
    CHECK(last.added->id == kept.id);
    CHECK(last.most == 1);
  }
}

TEST_CASE("A sum stays a sum where in place would be wrong") {
  const auto sums = [](auto build) {
    Network network;
    build(network, network.input(shape, std::nullopt));
    network.fuse();
    const auto made = kinds(network);
    return std::count(made.begin(), made.end(), Kind::sum);
  };
  const Output out{shape, std::nullopt};
  SECTION("the other operand is read again later") {
    CHECK(sums([&](Network& n, const Value& input) {
            const Value kept = convolution(n, input);
            const Value sum = n.sum(kept, convolution(n, convolution(n, kept)), out);
            n.output(n.product(sum, kept, out));
          }) == 1);
  }
  SECTION("the convolution reads the other operand itself") {
    CHECK(sums([&](Network& n, const Value& input) {
            const Value kept = convolution(n, input);
            n.output(n.sum(kept, convolution(n, kept), out));
          }) == 1);
  }
  SECTION("the other operand is the frame") {
    CHECK(sums([&](Network& n, const Value& input) {
            n.output(n.sum(input, convolution(n, convolution(n, input)), out));
          }) == 1);
  }
  SECTION("what is added is cut before") {
    CHECK(sums([&](Network& n, const Value& input) {
            const Value kept = convolution(n, input);
            n.output(n.sum(kept, n.clamp(convolution(n, convolution(n, kept)), 0, 6), out));
          }) == 1);
  }
  SECTION("a tensor is added to itself") {
    CHECK(sums([&](Network& n, const Value& input) {
            const Value kept = convolution(n, input);
            n.output(n.sum(kept, kept, out));
          }) == 1);
  }
  SECTION("8 bit: the reference rounds before it adds") {
    CHECK(sums([&](Network& n, const Value&) {
            const Output eight_bit{shape, Quantization{0.1f, 3}};
            const Value a = n.convolution(n.input(shape, eight_bit.quantization), {}, {}, eight_bit);
            const Value b = n.convolution(a, {}, {}, eight_bit);
            n.output(n.sum(a, n.convolution(b, {}, {}, eight_bit), eight_bit));
          }) == 1);
  }
}

TEST_CASE("Tensors share memory only where they do not live together") {
  std::vector<Lifetime> tensors;
  unsigned state = 1;
  const auto random = [&](unsigned below) {
    return (state = state * 1664525u + 1013904223u) / 65536u % below;
  };
  for (int i = 0; i < 200; ++i) {
    const std::size_t first = random(100);
    tensors.push_back({random(5000), first, first + random(10)});
  }
  const MemoryPlan plan = plan_memory(tensors, 64);
  std::size_t all = 0;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    all += tensors[i].bytes;
    CHECK(plan.offsets[i] % 64 == 0);
    CHECK(plan.offsets[i] + tensors[i].bytes <= plan.bytes);
    for (std::size_t j = 0; j < i; ++j) {
      const bool together = tensors[i].first <= tensors[j].last && tensors[j].first <= tensors[i].last;
      const bool overlap = plan.offsets[i] < plan.offsets[j] + tensors[j].bytes &&
                           plan.offsets[j] < plan.offsets[i] + tensors[i].bytes;
      if (together) CHECK_FALSE(overlap);
    }
  }
  CHECK(plan.bytes < all / 3);
}

TEST_CASE("A chain of equal tensors needs the memory of two") {
  std::vector<Lifetime> chain;
  for (std::size_t step = 0; step < 50; ++step) chain.push_back({640, step, step + 1});
  CHECK(plan_memory(chain, 64).bytes == 1280);
}
