#include "inference/preprocessing/input_format.hpp"

#include <ATen/ATen.h>

#include "catch.hpp"
#include "inference/preprocessing/preprocessor.hpp"

using namespace glimpse;
using Layout = InputFormat::Layout;
using Element = InputFormat::Element;

namespace {

InputSpec imagenet(int width, int height, int resize) {
  return {width, height, resize, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
}

/// Each 8-bit value once, the same in all channels.
cv::Mat all_values() {
  cv::Mat bgr(16, 16, CV_8UC3);
  for (int i = 0; i < 3 * 256; ++i) bgr.data[i] = static_cast<unsigned char>(i / 3);
  return bgr;
}

cv::Mat colourful(int width, int height) {
  cv::Mat bgr(height, width, CV_8UC3);
  for (int i = 0; i < 3 * width * height; ++i) bgr.data[i] = static_cast<unsigned char>(i * 37 + i / 91);
  return bgr;
}

template <class T>
std::vector<T> input(const InputSpec& spec, const InputFormat& format, const cv::Mat& bgr) {
  REQUIRE(format.element_bytes() == sizeof(T));
  std::vector<T> out(static_cast<std::size_t>(3 * spec.width * spec.height));
  Preprocessor(spec, format).run(bgr, out.data());
  return out;
}

template <class T>
void check_layouts(Element element) {
  const InputSpec spec = imagenet(40, 24, 48);
  for (const cv::Size size : {cv::Size(40, 24), cv::Size(131, 97), cv::Size(30, 70)}) {
    const cv::Mat bgr = colourful(size.width, size.height);
    const auto planes = input<T>(spec, {Layout::planes, element, 0.02f, 5}, bgr);
    const auto interleaved = input<T>(spec, {Layout::interleaved, element, 0.02f, 5}, bgr);
    std::vector<T> expected;
    for (std::size_t pixel = 0; pixel < 40 * 24; ++pixel) {
      for (std::size_t channel = 0; channel < 3; ++channel) {
        expected.push_back(planes[channel * 40 * 24 + pixel]);
      }
    }
    CHECK(interleaved == expected);
  }
}

template <class T>
void check_quantized(const InputSpec& spec, Element element, at::ScalarType type, float scale,
                     int zero_point) {
  CAPTURE(scale, zero_point, at::toString(type));
  auto real = input<float>(spec, {}, all_values());
  const at::Tensor expected =
      at::quantize_per_tensor(at::from_blob(real.data(), {3 * 256}), scale, zero_point, type).int_repr();
  const auto q = input<T>(spec, {Layout::planes, element, scale, zero_point}, all_values());
  for (std::size_t i = 0; i < q.size(); ++i) {
    CAPTURE(i, real[i]);
    CHECK(static_cast<int>(q[i]) == expected[static_cast<std::int64_t>(i)].item<int>());
  }
}

}  // namespace

TEST_CASE("Interleaved and planes hold the same values") {
  check_layouts<float>(Element::float32);
  check_layouts<std::uint8_t>(Element::uint8);
  check_layouts<std::int8_t>(Element::int8);
}

TEST_CASE("A quantized input is torch.quantize_per_tensor of the float one, for each pixel value") {
  const InputSpec normalised = imagenet(16, 16, 16);
  // Whole numbers, which scales of 2 and 4 put halfway between two steps.
  const InputSpec whole{16, 16, 16, {0, 0, 0}, {1.0f / 255, 1.0f / 255, 1.0f / 255}};
  // With scale 0.010811 dividing by it is a step off multiplying with its inverse, which is LibTorch's way.
  for (const float scale : {0.0186584f, 0.02f, 0.010811f, 0.5f, 2.0f, 4.0f}) {
    for (const int zero_point : {0, 1, 114}) {
      for (const InputSpec& spec : {normalised, whole}) {
        check_quantized<std::uint8_t>(spec, Element::uint8, at::kQUInt8, scale, zero_point);
        check_quantized<std::int8_t>(spec, Element::int8, at::kQInt8, scale, zero_point - 58);
      }
    }
  }
}
