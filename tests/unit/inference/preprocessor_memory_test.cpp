#include <cstdlib>
#include <new>

#include "catch.hpp"
#include "inference/preprocessing/preprocessor.hpp"

using namespace glimpse;

namespace {

thread_local int allocations = 0;

}  // namespace

// All that C++ allocates in this program is counted; so are OpenCV's matrices, each of which begins with a
// new.
void* operator new(std::size_t bytes) {
  ++allocations;
  if (void* const memory = std::malloc(bytes > 0 ? bytes : 1)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

TEST_CASE("A frame of the last one's size allocates nothing") {
  InputSpec spec{224, 224, 256, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  const InputFormat bytes{InputFormat::Layout::interleaved, InputFormat::Element::uint8, 0.02f, 114};
  const cv::Mat frame(480, 640, CV_8UC3, cv::Scalar(51, 102, 204));
  std::vector<float> out(3 * 224 * 224);
  for (const auto interpolation : {Interpolation::bilinear, Interpolation::bicubic}) {
    spec.interpolation = interpolation;
    for (const InputFormat& format : {InputFormat{}, bytes}) {
      Preprocessor preprocessor(spec, format);
      const int at_start = allocations;
      preprocessor.run(frame, out.data());
      const int after_first = allocations;
      preprocessor.run(frame, out.data());
      preprocessor.run(frame, out.data());
      const int after_last = allocations;
      CHECK(after_first > at_start);
      CHECK(after_last == after_first);
    }
  }
}
