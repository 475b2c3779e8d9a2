#include <benchmark/benchmark.h>

#include <vector>

#include "inference/preprocessing/preprocessor.hpp"

using namespace glimpse;

namespace {

void preprocess(benchmark::State& state, Interpolation interpolation, const InputFormat& format) {
  InputSpec spec{224, 224, 224, {0.485f, 0.456f, 0.406f}, {0.229f, 0.224f, 0.225f}};
  spec.interpolation = interpolation;
  const cv::Mat frame(static_cast<int>(state.range(1)), static_cast<int>(state.range(0)), CV_8UC3,
                      cv::Scalar(51, 102, 204));
  Preprocessor preprocessor(spec, format);
  std::vector<float> input(3 * 224 * 224);
  for (auto _ : state) {
    preprocessor.run(frame, input.data());
    benchmark::ClobberMemory();
  }
}

const InputFormat float_planes;
const InputFormat uint8_interleaved{InputFormat::Layout::interleaved, InputFormat::Element::uint8, 0.0187f,
                                    114};

const auto frame_sizes = [](auto* benchmark) {
  benchmark->ArgNames({"width", "height"})->Unit(benchmark::kMicrosecond);
  benchmark->Args({640, 480})->Args({1280, 720})->Args({1920, 1080})->Args({224, 224});
};

BENCHMARK_CAPTURE(preprocess, float_planes, Interpolation::bilinear, float_planes)->Apply(frame_sizes);
BENCHMARK_CAPTURE(preprocess, uint8_interleaved, Interpolation::bilinear, uint8_interleaved)
    ->Apply(frame_sizes);
BENCHMARK_CAPTURE(preprocess, float_planes_bicubic, Interpolation::bicubic, float_planes)->Apply(frame_sizes);

}  // namespace
