#include "pipeline/frame_gate.hpp"

#include <cstdint>
#include <vector>

#include "catch.hpp"

using namespace glimpse;

namespace {

Steady::time_point at(double seconds) {
  return Steady::time_point{} +
         std::chrono::duration_cast<Steady::duration>(std::chrono::duration<double>(1000 + seconds));
}

/// The frames taken of `seconds` of a camera with `fps`.
std::vector<int> taken(FrameGate& gate, double fps, double seconds) {
  std::vector<int> indices;
  for (int i = 0; i < static_cast<int>(fps * seconds + 0.5); ++i) {
    if (gate.takes(at(i / fps))) indices.push_back(i);
  }
  return indices;
}

}  // namespace

TEST_CASE("Without a limit every frame is taken") {
  FrameGate gate;
  CHECK(taken(gate, 36, 10).size() == 360);
}

TEST_CASE("As many frames are taken as the limit says, at even distances") {
  for (const double limit : {1.0, 5.0, 20.25, 27.0, 35.0}) {
    FrameGate gate;
    gate.set_limit(limit);
    const auto indices = taken(gate, 36, 20);
    CHECK(static_cast<double>(indices.size()) == Approx(20 * limit).margin(1.5));
    const int most = static_cast<int>(36 / limit) + 1;
    for (std::size_t i = 1; i < indices.size(); ++i) CHECK(indices[i] - indices[i - 1] <= most);
  }
}

TEST_CASE("After a gap no frames come in a rush") {
  FrameGate gate;
  gate.set_limit(2);
  CHECK(gate.takes(at(0)));
  CHECK(gate.takes(at(60)));
  CHECK_FALSE(gate.takes(at(60.1)));
  CHECK_FALSE(gate.takes(at(60.4)));
  CHECK(gate.takes(at(60.5)));
}

TEST_CASE("A limit that is lifted lets every frame through") {
  FrameGate gate;
  gate.set_limit(1);
  CHECK(gate.takes(at(0)));
  CHECK_FALSE(gate.takes(at(0.5)));
  gate.set_limit(std::nullopt);
  CHECK(gate.takes(at(0.6)));
}
